"""Whole reports, and bundles run again."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, cast

import pandas as pd
import typer

from commands.lazy import Later
from commands.output import Bar, Output, check_output, say, show_tables, store
from commands.studies import as_command, asked, options_of, parameter


def report_command() -> Callable[..., None]:
    """The command that writes a report, with the options that all its sections share."""

    def command(**given: Any) -> None:
        from exports import report, report_page

        to, output = given.pop("to"), given.pop("output")
        check_output(output)
        report_page.ending(to)
        bar = Bar()
        wanted = cast(report.Report, asked(report.Report, given, None))
        told = report.story(wanted, store().as_shown(), progress=lambda done, text: bar(0.7 * done, text))
        report_page.write(told, to, progress=lambda done, text: bar(0.7 + 0.3 * done, text))
        bar(1.0, "done")
        content = {"files": [str(to)], "dataset": told.dataset, "reference": told.reference,
                   "judges": list(told.others), "fingerprint": told.fingerprint,
                   "sections": [{"section": one.key, "title": one.title, "refused": list(one.refused)}
                                for one in told.sections]}  # fmt: skip
        show_tables({"files": pd.DataFrame({"file": [str(to)]})}, content, output)
        for line in told.said:
            say(f"taken: {line}")
        for one in told.sections:
            for line in one.refused:
                say(f"warning: {one.title}: {line}")

    from exports.report import Report

    parameters = [
        *options_of(Report),
        parameter("to", Path, typer.Option("--to", help="a file: .html or .pdf"), inspect.Parameter.empty),
        parameter("output", str, typer.Option("-o", "--output", help="table, json, csv or latex"), "table"),
    ]
    return as_command(command, parameters, Report.__doc__)



SAID = "One page that tells the whole story of a dataset: rankings, reasons, scenarios, judges, examples, methods."
REPORT = Later(report_command, lambda: SAID)


def replay(
    bundle: Annotated[Path, typer.Argument(help="the folder or the zip that export made")],
    dataset: Annotated[str | None, typer.Option("--dataset", help="what the dataset is called in this store")] = None,
    here: Annotated[
        bool, typer.Option("--here", help="on the judgments of this store, though the bundle has its own")
    ] = False,
    require: Annotated[bool, typer.Option("--require-same", help="exit 3 unless the numbers are the same")] = False,
    output: Output = "table",
) -> None:
    """Run a bundle again: are the numbers the same, and if not, what has changed?"""
    from exports import replay as replaying

    check_output(output)
    found = replaying.replay(bundle, store(), dataset=dataset, here=here, progress=Bar())
    tables = {
        name: pd.DataFrame(list(rows), columns=columns)
        for name, rows, columns in (
            ("differences", found.differences, ["table", "row", "column", "was", "is"]),
            ("data_changed", found.data_changed, ["dataset", "judge", "was", "is"]),
            ("changed", found.changed, ["what", "was", "is"]),
        )
    }
    if output == "table":
        print(replaying.sentence(found))
    if output != "table" or not found.same:
        show_tables(tables, found.as_json(), output)
    if found.n_differences > len(found.differences):
        say(f"{found.n_differences - len(found.differences):,} more differences are not listed")
    if require and not found.same:
        say("does not hold: the numbers are not the same")
        raise typer.Exit(3)
