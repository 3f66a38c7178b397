"""Views of a dataset that were saved in the app."""

from __future__ import annotations

import pandas as pd
import typer

from commands.output import OfDataset, Output, check_output, say, show_tables, store, the_dataset
from data import kept as kept_work
from data import queries

app = typer.Typer(
    invoke_without_command=True, rich_markup_mode=None,
    help="Views of a dataset that were saved in the app: list, rename, delete.",
)  # fmt: skip


@app.callback(invoke_without_command=True)
def views(context: typer.Context, dataset: OfDataset = None, output: Output = "table") -> None:
    """List the views of a dataset that were saved in the app, each with its address there."""
    if context.invoked_subcommand is not None:
        return
    check_output(output)
    dataset = the_dataset(dataset)
    with store().reading("listing saved views") as con:
        found = kept_work.saved_views(con, queries.catalog(con, dataset).dataset_id)
    rows = [{"view": one.name, "address": f"/{one.page}?" + kept_work.address(dataset, one),
             "saved_at": one.saved_at.strftime("%Y-%m-%d %H:%M:%S")} for one in found]  # fmt: skip
    table = pd.DataFrame(rows, columns=["view", "address", "saved_at"])
    show_tables({"views": table}, {"dataset": dataset, "views": rows}, output)
    if not rows:
        say(f"dataset {dataset!r} has no saved view: save one in the app, in the sidebar of any page")


@app.command("rename")
def rename_one_view(old: str, new: str, dataset: OfDataset = None, output: Output = "table") -> None:
    """Give a saved view another name."""
    check_output(output)
    dataset = the_dataset(dataset)
    content = {"dataset": dataset, "view": kept_work.rename_view(store(), dataset, old, new), "was": old}
    show_tables({"renamed": pd.DataFrame([content])}, content, output)


@app.command("delete")
def delete_one_view(name: str, dataset: OfDataset = None, output: Output = "table") -> None:
    """Keep a saved view no longer."""
    check_output(output)
    dataset = the_dataset(dataset)
    kept_work.delete_view(store(), dataset, name)
    content = {"dataset": dataset, "deleted": name}
    show_tables({"deleted": pd.DataFrame([content])}, content, output)
