"""One command for each registered study, and one that writes its bundle; made when they are asked for.

To start must not take as long as to import every study: a group of commands knows the names alone, and its help what
their modules say of themselves.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Optional

import pandas as pd
import typer

from charts import words
from commands.lazy import Later
from commands.output import Bar, check_output, say, show_result, show_tables, store, store_for
from commands.require import check_required, condition
from studies import naming
from studies.registry import REGISTRY
from studies.study import Fitted, Study, bare, flag_of, hints


def studies_later(group: str = "") -> dict[str, Later]:
    """The commands of studies below `group`; "": those of one word."""
    return _below(group, study_command, "{}")


def exports_later(group: str = "") -> dict[str, Later]:
    """The same of those that write bundles."""
    return _below(group, export_command, "The bundle for a paper. {}")


def _below(group: str, make: Callable[[type[Study]], Callable[..., None]], said: str) -> dict[str, Later]:
    found = {}
    for command in REGISTRY:
        *groups, name = command.split()
        if groups == ([group] if group else []):
            found[name] = Later(partial(_made, make, command), partial(_summary, said, command))
    return found


def _made(make: Callable[[type[Study]], Callable[..., None]], command: str) -> Callable[..., None]:
    return make(REGISTRY[command])


def _summary(said: str, command: str) -> str:
    return said.format(REGISTRY.summary(command))


def study_command(cls: type[Study]) -> Callable[..., None]:
    """A command whose options are the study's fields."""

    def command(**given: Any) -> None:
        output, table, require = given.pop("output"), given.pop("table"), given.pop("require") or []
        split, groups = is_split(given), given.pop("groups", None)
        check_output(output)
        conditions = [condition(text) for text in require]
        study = asked(cls, given, groups)
        from studies.by_scenario import run_by_scenario

        where = store_for(output)
        result = run_by_scenario(study, where, Bar()) if split else study.run(where, Bar())  # type: ignore[arg-type]
        content = result.as_json()
        with words.decimals(result.display.decimals if where.shown else None):
            show_result(naming.as_shown(result) if where.shown else result, output, table)
        failed = check_required(content, conditions)
        for line in failed:
            say(f"does not hold: {line}")
        if failed:
            raise typer.Exit(3)

    parameters = [
        *options_of(cls), *by_scenario(cls),
        parameter("output", str, typer.Option("-o", "--output", help="table, json, csv or latex"), cls.output),
        parameter("table", str | None, typer.Option("--table", help="which table to print"), None),
        parameter("require", list[str] | None,
                   typer.Option("--require", help="exit 3 unless it holds: 'spearman.lower>=.5' (repeatable)"), None),
    ]  # fmt: skip
    return as_command(command, parameters, cls.__doc__)


def by_scenario(cls: type[Study]) -> list[inspect.Parameter]:
    """The option that asks each scenario alone, of commands that have it."""
    if not issubclass(cls, Fitted):
        return []
    return [parameter("by", Optional[str], typer.Option("--by", help="scenario: each alone, rows named"), None)]  # noqa: UP045


def is_split(given: dict[str, Any]) -> bool:
    """Whether each scenario is asked alone; takes the option from what was given."""
    by = given.pop("by", None)
    if by not in (None, "scenario"):
        raise typer.BadParameter(f"--by {by}: only scenario")
    return by is not None


def asked(cls: type[Study], given: dict[str, Any], groups: Path | None) -> Study:
    """The study that the options of a command mean. groups : a file that says what many --group would"""
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items() if v is not None}
    if groups is not None:
        from studies.similarity_tables import read_groups

        options["group"] = (*options.get("group", ()), *read_groups(groups))
    return cls(**options)  # type: ignore[arg-type]


def options_of(cls: type[Study]) -> list[inspect.Parameter]:
    """The study's fields as options of a command."""
    parameters = []
    kinds = hints(cls)
    positional = cls.command.startswith("datasets ")
    for each in fields(cls):
        one, several = bare(kinds[each.name])
        if positional and each.name == "dataset":
            parameters.append(parameter("dataset", str | None, typer.Argument(help=each.metadata["help"]), None))
            continue
        flag = flag_of(each)
        choices = each.metadata.get("choices")
        text_help = each.metadata["help"] + (f" ({', '.join(str(c) for c in choices)})" if choices else "")
        kind: Any = list[one] | None if several else one if one is bool else Optional[one]  # type: ignore[valid-type]  # noqa: UP045
        default = None if several or each.default is None else each.default
        parameters.append(parameter(each.name, kind, typer.Option(flag, help=text_help), default))
    if cls.command == "similarity":
        # A file is no option of a study: what it says is.
        file = typer.Option("--groups", help="a table with the columns judge and group, in place of many --group")
        parameters.append(parameter("groups", Path | None, file, None))
    return parameters


def as_command(
    command: Callable[..., None], parameters: list[inspect.Parameter], said: str | None
) -> Callable[..., None]:
    """A function with the signature and the help of a command."""
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    command.__doc__ = said
    return command


def parameter(name: str, kind: Any, info: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, info])


def export_command(cls: type[Study]) -> Callable[..., None]:
    """A command that writes the bundle of a study, with the study's own options."""

    def command(**given: Any) -> None:
        from exports import bundle
        from studies.by_scenario import ask_by_scenario

        to, with_data, output = given.pop("to"), given.pop("with_data"), given.pop("output")
        check_output(output)
        split, groups = is_split(given), given.pop("groups", None)
        study, bar, shown = asked(cls, given, groups), Bar(), store().as_shown()
        if split:
            found = ask_by_scenario(study, shown, bar)  # type: ignore[arg-type]
            result, drawn = found.joined, bundle.drawings_by_scenario(found)
        else:
            result, drawn = study.run(shown, bar), None
        if to.suffix == ".zip":
            files, said = bundle.write_zip(result, shown, to, with_data=with_data, drawn=drawn, progress=bar)
        else:
            written = bundle.write(result, shown, to, with_data=with_data, drawn=drawn, progress=bar)
            files, said = tuple(str(to / name) for name in written.files), written.said
        content = {"files": list(files), "study": study.command, "to": str(to), "fingerprint": result.fingerprint}
        show_tables({"files": pd.DataFrame({"file": list(files)})}, content, output)
        for line in (*(f"taken: {one}" for one in result.taken), *(f"warning: {one}" for one in said)):
            say(line)

    help_to = "a new or empty folder, or a file that ends with .zip"
    parameters = [
        *options_of(cls), *by_scenario(cls),
        parameter("to", Path, typer.Option("--to", help=help_to), inspect.Parameter.empty),
        parameter("with_data", bool, typer.Option("--with-data", help="also the judgments, with their texts, and what "
                   "else the numbers rest on: replay then needs no store"), False),
        parameter("output", str, typer.Option("-o", "--output", help="table, json, csv or latex"), "table"),
    ]  # fmt: skip
    return as_command(command, parameters, f"The bundle for a paper. {cls.__doc__}")
