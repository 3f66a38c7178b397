"""What is in the store: list, show, check, rename, withdraw."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from charts import words
from commands.output import Output, check_output, rows_of, say, show_tables, store, store_for
from data import datasets as dataset_work
from data import display as display_work
from data import own_models as own_model_work
from data import queries
from data.queries.published import published_judges
from errors import OptionError
from studies.study import records, weights_alone

app = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode=None,
    help="What is in the store: list, show, check, rename, withdraw.",
)


@app.callback(invoke_without_command=True)
def datasets(context: typer.Context, output: Output = "table") -> None:
    """List the datasets of the store."""
    if context.invoked_subcommand is not None:
        return
    check_output(output)
    with store().reading("listing datasets") as con:
        table = queries.dataset_table(con)
    show_tables({"datasets": table}, {"datasets": table.to_dict("records")}, output)


@app.command()
def show(name: str, output: Output = "table") -> None:
    """One dataset: its judges, models and scenarios."""
    check_output(output)
    with store().reading(f"showing {name}") as con:
        names = queries.catalog(con, name)
        facts = queries.dataset_facts(con, names.dataset_id)
        truth = queries.truth(con, names.dataset_id)
        published = published_judges(con, names.dataset_id)
    content: dict[str, Any] = {
        "dataset": name, "simulated": names.simulated, "judgments": facts.judgments, "pairs": facts.pairs,
        "prompts": facts.prompts, "judges": facts.judges, "models": list(names.models),
        "scenarios": list(names.scenarios), "criteria": list(names.criteria), "variants": list(names.variants),
    }  # fmt: skip
    if len(truth):
        content["truth"] = [
            {k: v for k, v in row.items() if not words.absent(v)} for row in truth.to_dict("records")
        ]
    tables = {"judges": rows_of(facts.judges), "models": pd.DataFrame({"model": list(names.models)}),
              "scenarios": pd.DataFrame({"scenario": list(names.scenarios)})}  # fmt: skip
    if len(published):
        content["published"] = published.to_dict("records")
        tables["published"] = published
    if not names.judges:
        # What there is comes first, also as CSV.
        tables = {"published": published}
        say(weights_alone(names))
    show_tables(tables, content, output)


@app.command()
def log(name: str, output: Output = "table") -> None:
    """The imports of one dataset, oldest first."""
    check_output(output)
    with store().reading(f"showing the log of {name}") as con:
        table = queries.import_log(con, queries.catalog(con, name).dataset_id)
    table["imported_at"] = table["imported_at"].dt.strftime("%Y-%m-%d %H:%M:%S")
    rows = [{k: v for k, v in r.items() if not pd.isna(v)} for r in table.to_dict("records")]
    show_tables({"imports": table.drop(columns="sha256")}, {"dataset": name, "imports": rows}, output)


@app.command()
def rename(old: str, new: str, output: Output = "table") -> None:
    """Give a dataset another name."""
    check_output(output)
    dataset_work.rename(store(), old, new)
    show_tables({"renamed": pd.DataFrame([{"dataset": new, "was": old}])}, {"dataset": new, "was": old}, output)


@app.command()
def undo(
    name: str,
    number: Annotated[int | None, typer.Option("--import", help="which import; default the last")] = None,
    output: Output = "table",
) -> None:
    """Withdraw one import: afterwards the dataset is as if that file had never been read."""
    check_output(output)
    done = dataset_work.undo(store(), name, number)
    content = {"dataset": done.dataset, "import": done.number, "file": done.file_name, "removed": done.removed,
               "kept": done.kept}  # fmt: skip
    show_tables({"withdrawn": pd.DataFrame([content])}, content, output)


@app.command()
def delete(
    name: str,
    yes: Annotated[bool, typer.Option("--yes", help="really delete")] = False,
    output: Output = "table",
) -> None:
    """Delete a dataset. Without --yes only says what would be lost."""
    check_output(output)
    lost = dataset_work.would_delete(store(), name)
    loss = (
        f"dataset {name!r} holds {words.plural(lost.judgments, 'judgment')} on {words.plural(lost.pairs, 'pair')} from "
        f"{words.plural(lost.imports, 'import')}"
    )
    if lost.published:
        loss += f", and published weights of {words.plural(lost.published, 'judge')}"
    if not yes:
        raise OptionError(f"{loss}; nothing was deleted. To delete it for good add --yes")
    dataset_work.delete(store(), name)
    content = {"dataset": name, "deleted": True, "judgments": lost.judgments, "pairs": lost.pairs,
               "published": lost.published}  # fmt: skip
    show_tables({"deleted": pd.DataFrame([content])}, content, output)


@app.command("own")
def own_models(
    name: str,
    own: Annotated[
        list[str] | None, typer.Option("--own", help="JUDGE=MODEL (repeatable): all models of the judge's own")
    ] = None,
    none: Annotated[list[str] | None, typer.Option(help="a judge that has no own models here (repeatable)")] = None,
    forget: Annotated[
        list[str] | None, typer.Option(help="a judge of whom families or names shall tell again (repeatable)")
    ] = None,
    output: Output = "table",
) -> None:
    """Say which models are a judge's own, for the audit; without options list what is known, and why."""
    check_output(output)
    from studies.own_models import own_table, read_told

    told: dict[str, list[str] | None] = {}
    ways: tuple[dict[str, list[str] | None], ...] = (
        {**read_told(own or ())}, {judge: [] for judge in none or ()}, dict.fromkeys(forget or ()),
    )  # fmt: skip
    for said in ways:
        twice = next((judge for judge in said if judge in told), None)
        if twice is not None:
            raise OptionError(f"two things at once are said of {twice!r}: use one of --own, --none and --forget")
        told |= said
    if told:
        own_model_work.set_own(store(), name, told)
    table = own_table(store_for(output), name)
    show_tables({"own_models": table}, {"dataset": name, "own_models": records(table)}, output)


@app.command("names")
def display_names(
    name: str,
    model: Annotated[list[str] | None, typer.Option(help="NAME=SHOWN (repeatable): a model's display name")] = None,
    judge: Annotated[list[str] | None, typer.Option(help="NAME=SHOWN (repeatable): a judge's display name")] = None,
    order: Annotated[
        list[str] | None, typer.Option(help="what comes first (repeatable): NAME, judge:NAME or model:NAME")
    ] = None,
    hide: Annotated[list[str] | None, typer.Option(help="left out of what is shown, not of fits (repeatable)")] = None,
    show: Annotated[list[str] | None, typer.Option(help="shown again (repeatable)")] = None,
    decimals: Annotated[int | None, typer.Option(help="of estimates such as .73; usually 2")] = None,
    file: Annotated[
        Path | None, typer.Option("--from", help="a CSV with kind, name, shown, order, show, like the one of -o csv")
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="first forget everything that was set")] = False,
    output: Output = "table",
) -> None:
    """Set how judges and models are named, ordered and left out where people look; without options list it.

    Addresses, commands, data as CSV and JSON keep the names of the files.
    """
    check_output(output)
    table = display_work.name_table(store(), name)
    changes = display_work.changes_from(
        table, models=model or (), judges=judge or (), order=order or (), hide=hide or (), show=show or (),
        decimals=decimals, start=display_work.read_changes(file) if file is not None else None,
    )  # fmt: skip
    if clear or changes != display_work.Changes():
        display_work.change(store(), name, changes, clear=clear)
        table = display_work.name_table(store(), name)
    display = display_work.read_display(store(), name)
    show_tables({"names": table}, {"dataset": name, "display": display.as_json(), "names": records(table)}, output)
    if output == "table" and display.decimals is not None:
        print(f"decimals: {display.decimals}")
