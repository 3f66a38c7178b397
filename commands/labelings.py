"""Further scenarios of the prompts, from files of labels and from clusters."""

from __future__ import annotations

from typing import Annotated

import pandas as pd
import typer

from charts import words
from commands.output import Bar, OfDataset, Output, check_output, say, show_tables, store, the_dataset
from data import labelings as labeling_work
from data import queries
from data.model import Selection
from data.queries import labelings as labeling_queries
from studies.study import records

app = typer.Typer(
    invoke_without_command=True, rich_markup_mode=None,
    help="Further scenarios of the prompts, from files of labels and from clusters: list, show, make, rename, delete.",
)  # fmt: skip


@app.callback(invoke_without_command=True)
def labelings(context: typer.Context, dataset: OfDataset = None, output: Output = "table") -> None:
    """List the labelings of a dataset's prompts: the files' own scenarios, files of labels, clusters."""
    if context.invoked_subcommand is not None:
        return
    check_output(output)
    with store().reading("listing labelings") as con:
        names = queries.catalog(con, dataset if dataset is not None else queries.default_dataset(con))
        table = labeling_queries.labeling_table(con, names.dataset_id)
    content = {"dataset": names.dataset, "labelings": table.to_dict("records")}
    show_tables({"labelings": table}, content, output)


@app.command("show")
def show_labeling(
    name: Annotated[str, typer.Argument(help="a labeling; file: the scenarios that came with the judgments")],
    dataset: OfDataset = None,
    output: Output = "csv",
) -> None:
    """One row a prompt with its label, as CSV to be edited and imported again with --as labels."""
    check_output(output)
    with store().reading("showing labels") as con:
        dataset = dataset if dataset is not None else queries.default_dataset(con)
        own = name == labeling_queries.OWN
        names = queries.catalog(con, Selection(dataset=dataset, labeling=None if own else name))
        table = labeling_queries.label_rows(con, names.dataset_id, None if own else names.labelings[name])
    # A column that no prompt fills would only be in the way of reading it again.
    table = table.dropna(axis="columns", how="all")
    content = {"dataset": dataset, "labeling": name, "labels": records(table)}
    show_tables({"labels": table}, content, output)


@app.command("cluster")
def cluster(
    dataset: OfDataset = None,
    name: Annotated[str, typer.Option("--name", help="what the labeling is called")] = "clusters",
    clusters: Annotated[int | None, typer.Option(help="how many; left out: as many as tell prompts apart best")] = None,
    seed: Annotated[int, typer.Option(help="seed of everything random")] = 0,
    output: Output = "table",
) -> None:
    """Group prompts by what they mean; the groups are a labeling, named by the words that tell them apart."""
    check_output(output)
    from studies import cluster_prompts as clustering

    done = clustering.cluster_prompts(store(), dataset, name, clusters, seed, Bar())
    content = {"dataset": done.dataset, "labeling": done.labeling, "silhouette": done.silhouette,
               "without": done.without, "labels": done.labels.to_dict("records")}  # fmt: skip
    show_tables({"labels": done.labels}, content, output)
    if done.without:
        say(f"warning: {words.plural(done.without, 'prompt')} without a text in no cluster")


@app.command("rename")
def rename_one_label(
    labeling: str, old: str, new: str, dataset: OfDataset = None, output: Output = "table"
) -> None:
    """Give a label another name; a name that is there already takes its prompts over."""
    check_output(output)
    dataset = the_dataset(dataset)
    n = labeling_work.rename_label(store(), dataset, labeling, old, new)
    content = {"dataset": dataset, "labeling": labeling, "label": new, "was": old, "prompts": n}
    show_tables({"renamed": pd.DataFrame([content])}, content, output)


@app.command("delete")
def delete_one_labeling(labeling: str, dataset: OfDataset = None, output: Output = "table") -> None:
    """Remove a labeling. The scenarios that came with the judgments are not among them."""
    check_output(output)
    dataset = the_dataset(dataset)
    n = labeling_work.delete_labeling(store(), dataset, labeling)
    content = {"dataset": dataset, "labeling": labeling, "prompts": n}
    show_tables({"deleted": pd.DataFrame([content])}, content, output)
