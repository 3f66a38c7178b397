"""The command line: import, simulate and look after datasets, and one command for each registered study."""

from __future__ import annotations

import inspect
import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Optional, cast

import pandas as pd
import typer

import studies  # noqa: F401  (registers the studies)
from charts import words
from data import datasets as dataset_work
from data import display as display_work
from data import imports, queries
from data import kept as kept_work
from data import labelings as labeling_work
from data import own_models as own_model_work
from data.model import Selection
from data.queries import labelings as labeling_queries
from data.queries.published import published_judges
from data.store import Store
from errors import JurylensError, OptionError
from exports import latex, text
from studies import cluster_prompts as clustering
from studies import embed as embedding
from studies import extract as extraction
from studies import naming
from studies import simulate as simulation
from studies.by_scenario import ask_by_scenario, run_by_scenario
from studies.factors_list import FactorsList
from studies.own_models import own_table, read_told
from studies.pack import pack
from studies.similarity import JudgeSimilarity
from studies.similarity_tables import read_groups
from studies.study import REGISTRY, Fitted, Result, Study, bare, flag_of, hints, records, weights_alone

DEFAULT_DB = "jurylens.duckdb"

app = typer.Typer(
    no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    help="Jurylens compares human and model preferences: whom each judge prefers, why, and where they part.",
)  # fmt: skip
datasets_app = typer.Typer(
    invoke_without_command=True,
    rich_markup_mode=None,
    help="What is in the store: list, show, check, rename, withdraw.",
)
app.add_typer(datasets_app, name="datasets")

factors_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What responses are like: measured from texts, or delivered."
)
app.add_typer(factors_app, name="factors")

labelings_app = typer.Typer(
    invoke_without_command=True, rich_markup_mode=None,
    help="Further scenarios of the prompts, from files of labels and from clusters: list, show, make, rename, delete.",
)  # fmt: skip
app.add_typer(labelings_app, name="labelings")

views_app = typer.Typer(
    invoke_without_command=True, rich_markup_mode=None,
    help="Views of a dataset that were saved in the app: list, rename, delete.",
)  # fmt: skip
app.add_typer(views_app, name="views")

Output = Annotated[str, typer.Option("-o", "--output", help="table, json, csv or latex")]
Dataset = Annotated[str, typer.Option("--dataset", help="name of the dataset")]


class _Context:
    """What the options before the command said."""

    db = Path(DEFAULT_DB)
    debug = False
    read_only: bool | None = None


def store() -> Store:
    return Store(_Context.db, read_only=_Context.read_only)


def store_for(output: str) -> Store:
    """What people read has display names; JSON and CSV are data, with the names of the files."""
    return store() if output in ("json", "csv") else store().as_shown()


@app.callback()
def main(
    db: Annotated[
        Path | None, typer.Option("--db", help=f"the store; default $JURYLENS_DB, else {DEFAULT_DB}")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="show tracebacks")] = False,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="change nothing, whatever is asked; also JURYLENS_READ_ONLY=1")
    ] = False,
) -> None:
    _Context.read_only = read_only or None
    _Context.db = db or Path(os.environ.get("JURYLENS_DB") or DEFAULT_DB)
    _Context.debug = debug


# -- output -------------------------------------------------------------------------------------------------------


class _Bar:
    """Progress on stderr: a line that rewrites itself in a terminal, one line each for a program that reads along."""

    def __init__(self) -> None:
        self.lines = os.environ.get("JURYLENS_PROGRESS") == "lines"
        self.live = sys.stderr.isatty() and not self.lines
        self.last = 0.0

    def __call__(self, share: float, what: str) -> None:
        now = time.monotonic()
        if share < 1 and now - self.last < 0.1:
            return
        self.last = now
        if self.lines:
            print(f"progress {share:.3f} {what}", file=sys.stderr, flush=True)
        elif self.live:
            end = "\r" if share < 1 else "\n"
            print(f"\x1b[2K{100 * share:3.0f} % {what}", end=end, file=sys.stderr, flush=True)


def say(line: str) -> None:
    print(line, file=sys.stderr)


def _check_output(output: str) -> None:
    if output not in text.FORMATS:
        raise typer.BadParameter(f"-o {output}: one of " + ", ".join(text.FORMATS))


def _show_tables(tables: dict[str, pd.DataFrame], content: Any, output: str, name: str | None = None) -> None:
    """Print one of the four formats. `content` is the JSON."""
    if output == "json":
        print(text.as_json(content))
        return
    if name is not None and name not in tables:
        raise OptionError(f"--table {name}: there is no such table; there are " + ", ".join(tables))
    chosen = tables[name] if name is not None else next(iter(tables.values()))
    if output == "csv":
        sys.stdout.write(text.as_csv(chosen))
    elif output == "latex":
        title = name if name is not None else next(iter(tables))
        sys.stdout.write(latex.frame_table(chosen, title.replace("_", " ").capitalize(), label=title))
    else:
        shown = {name: chosen} if name is not None else tables
        for title, table in shown.items():
            if len(table):
                print(text.as_table(table, title.replace("_", " ").capitalize()))


def show_result(result: Result, output: str, table: str | None) -> None:
    """A study's answer: numbers on stdout, warnings and taken defaults on stderr."""
    tables = dict(result.tables)
    if output == "table" and table is None:
        for name, columns in result.study.printed.items():
            tables[name] = tables[name][[column for column in tables[name] if column in columns]]
    if output == "latex":
        sys.stdout.write(latex.latex_table(result, table))
    else:
        _show_tables(tables, result.as_json(), output, table)
    if output == "table":
        for name, value in result.values.items():
            if isinstance(value, dict):
                print(f"{name}: {words.estimate(value.get('value'), value.get('lower'), value.get('upper'))}")
            elif value is not None:
                print(f"{name.replace('_', ' ')}: {value if isinstance(value, str) else words.number(value)}")
        print(result.caption)
    for line in result.taken:
        say(f"taken: {line}")
    for line in result.warnings:
        say(f"warning: {line}")


# -- --require ----------------------------------------------------------------------------------------------------

_REQUIRE = re.compile(r"^\s*([\w.]+)\s*(>=|<=|==|>|<)\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)\s*$")
_TESTS: dict[str, Callable[[float, float], bool]] = {
    ">=": lambda a, b: a >= b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, "<": lambda a, b: a < b,
    "==": lambda a, b: a == b,
}  # fmt: skip


def _condition(text_: str) -> tuple[str, str, float]:
    """'spearman.lower>=.5' as (name, sign, bound). Raises BadParameter."""
    found = _REQUIRE.match(text_)
    if not found:
        raise typer.BadParameter(f"--require {text_!r}: write NAME>=NUMBER, for example 'spearman.lower>=.5'")
    return found.group(1), found.group(2), float(found.group(3))


def check_required(content: dict[str, Any], conditions: list[tuple[str, str, float]]) -> list[str]:
    """Which conditions do not hold, in words. What is not defined does not hold."""
    failed = []
    for path, sign, bound in conditions:
        value: Any = content
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if isinstance(value, dict):
            value = value.get("value")
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            numbers = sorted(k for k, v in content.items() if isinstance(v, (int, float, dict)) and k != "settings")
            failed.append(f"{path}{sign}{bound:g}: {path} is no defined number here (there are {', '.join(numbers)})")
        elif not _TESTS[sign](float(value), bound):
            failed.append(f"{path}{sign}{bound:g}: {path} is {words.number(value, 4)}")
    return failed


# -- import and simulate ------------------------------------------------------------------------------------------


@app.command("import")
def import_file(
    path: Annotated[Path, typer.Argument(help="a file or folder")],
    dataset: Dataset,
    format_name: Annotated[str | None, typer.Option("--as", help="the format; single files are recognised")] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", help="FIELD=COLUMN, of a table of factors also NAME=COLUMN (repeatable)"),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="FIELD=VALUE, winner.WORD=OUTCOME, judge_kind.NAME=KIND, scores=logit, "
                     "shape=ratings, sheet=NAME, decimal=comma, ranking=order (repeatable)"),
    ] = None,
    judge_column: Annotated[
        list[str] | None, typer.Option("--judge-column", help="COLUMN or COLUMN=KIND: one column a judge (repeatable)")
    ] = None,
    attribute: Annotated[
        list[str] | None, typer.Option("--attribute", help="ENTITY.NAME=COLUMN, e.g. annotator.age=age (repeatable)")
    ] = None,
    rejects: Annotated[Path | None, typer.Option("--rejects", help="write rejected rows to this CSV")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="all rows or none")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would happen and change nothing")] = False,
    only_mapped: Annotated[
        bool, typer.Option("--only-mapped", help="take no column by its name; --map says all")
    ] = False,
    output: Output = "table",
) -> None:
    """Read judgments, or a table of factors, labels or published weights, into the store."""
    _check_output(output)
    from data.fields import parse_assignments

    options = imports.ImportOptions(
        format=format_name,
        maps=tuple(parse_assignments(map_ or [], "map")),
        sets=tuple(parse_assignments(set_ or [], "set")),
        judge_columns=imports.judge_columns_from(judge_column or []),
        attributes=tuple(parse_assignments(attribute or [], "attribute")),
        automatic=not only_mapped,
    )
    from studies import health

    report = imports.import_path(
        store(), path, dataset, options, strict=strict, dry_run=dry_run, rejects=rejects, inspect=health.of_import,
        progress=_Bar(),
    )
    if not dry_run:
        pack(store(), dataset, _Bar())
    _show_report(report, output)


def _show_report(report: imports.ImportReport, output: str) -> None:
    content = report.as_json()
    summary = pd.DataFrame([{k: content[k] for k in ("dataset", "format", "read", "accepted", "rejected", "duplicates",
                                                     "pairs", "models", "prompts", "scenarios")}])  # fmt: skip
    tables = {"import": summary, "judges": pd.DataFrame(report.judges), "rejections": report.rejections.head(20)}
    if report.factors is not None:
        tables["factors"] = pd.DataFrame(report.factors)
    if report.published is not None:
        tables["published"] = pd.DataFrame(report.published)
    _show_tables(tables, content, output)
    for line in report.inferred:
        say(f"inferred: {line}")
    for row in report.rejections.head(20).to_dict("records") if output != "table" else []:
        say(f"rejected: {imports.describe(row)}")
    for one in report.health or ():
        say(f"health: {one['finding']}")
    if len(report.rejections) > 20:
        say(f"... and {len(report.rejections) - 20:,} more rejected; --rejects FILE writes them all")
    if report.nothing is not None:
        say(report.nothing)
    if report.dry_run:
        say("dry run: nothing was changed")


@app.command()
def simulate(
    dataset: Dataset,
    judgments: Annotated[int, typer.Option(help="how many judgments")] = 20_000,
    models: Annotated[int, typer.Option(help="how many models")] = 12,
    judges: Annotated[int, typer.Option(help="how many judges; the first is human")] = 3,
    factors: Annotated[int, typer.Option(help="how many factors of the responses")] = 5,
    scenarios: Annotated[int, typer.Option(help="how many scenarios")] = 8,
    prompts: Annotated[int | None, typer.Option(help="how many prompts; default a tenth of the judgments")] = None,
    seed: Annotated[int, typer.Option(help="seed of everything random")] = 0,
    output: Output = "table",
) -> None:
    """Simulate judgments with a planted truth, which is stored beside them."""
    _check_output(output)
    report = simulation.add_simulated(
        store(), dataset, judgments=judgments, models=models, judges=judges, factors=factors, scenarios=scenarios,
        prompts=prompts, seed=seed, progress=_Bar(),
    )  # fmt: skip
    pack(store(), dataset, _Bar())
    _show_report(report, output)


# -- datasets -----------------------------------------------------------------------------------------------------


@datasets_app.callback(invoke_without_command=True)
def datasets(context: typer.Context, output: Output = "table") -> None:
    """List the datasets of the store."""
    if context.invoked_subcommand is not None:
        return
    _check_output(output)
    with store().reading("listing datasets") as con:
        table = queries.dataset_table(con)
    _show_tables({"datasets": table}, {"datasets": table.to_dict("records")}, output)


@datasets_app.command()
def show(name: str, output: Output = "table") -> None:
    """One dataset: its judges, models and scenarios."""
    _check_output(output)
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
    tables = {"judges": pd.DataFrame(facts.judges), "models": pd.DataFrame({"model": list(names.models)}),
              "scenarios": pd.DataFrame({"scenario": list(names.scenarios)})}  # fmt: skip
    if len(published):
        content["published"] = published.to_dict("records")
        tables["published"] = published
    if not names.judges:
        # What there is comes first, also as CSV.
        tables = {"published": published}
        say(weights_alone(names))
    _show_tables(tables, content, output)


@datasets_app.command()
def log(name: str, output: Output = "table") -> None:
    """The imports of one dataset, oldest first."""
    _check_output(output)
    with store().reading(f"showing the log of {name}") as con:
        table = queries.import_log(con, queries.catalog(con, name).dataset_id)
    table["imported_at"] = table["imported_at"].dt.strftime("%Y-%m-%d %H:%M:%S")
    rows = [{k: v for k, v in r.items() if not pd.isna(v)} for r in table.to_dict("records")]
    _show_tables({"imports": table.drop(columns="sha256")}, {"dataset": name, "imports": rows}, output)


@datasets_app.command()
def rename(old: str, new: str, output: Output = "table") -> None:
    """Give a dataset another name."""
    _check_output(output)
    dataset_work.rename(store(), old, new)
    _show_tables({"renamed": pd.DataFrame([{"dataset": new, "was": old}])}, {"dataset": new, "was": old}, output)


@datasets_app.command()
def undo(
    name: str,
    number: Annotated[int | None, typer.Option("--import", help="which import; default the last")] = None,
    output: Output = "table",
) -> None:
    """Withdraw one import: afterwards the dataset is as if that file had never been read."""
    _check_output(output)
    done = dataset_work.undo(store(), name, number)
    content = {"dataset": done.dataset, "import": done.number, "file": done.file_name, "removed": done.removed,
               "kept": done.kept}  # fmt: skip
    _show_tables({"withdrawn": pd.DataFrame([content])}, content, output)


@datasets_app.command()
def delete(
    name: str,
    yes: Annotated[bool, typer.Option("--yes", help="really delete")] = False,
    output: Output = "table",
) -> None:
    """Delete a dataset. Without --yes only says what would be lost."""
    _check_output(output)
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
    _show_tables({"deleted": pd.DataFrame([content])}, content, output)


@datasets_app.command("own")
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
    _check_output(output)
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
    _show_tables({"own_models": table}, {"dataset": name, "own_models": records(table)}, output)


@datasets_app.command("names")
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
    _check_output(output)
    table = display_work.name_table(store(), name)
    changes = display_work.changes_from(
        table, models=model or (), judges=judge or (), order=order or (), hide=hide or (), show=show or (),
        decimals=decimals, start=display_work.read_changes(file) if file is not None else None,
    )  # fmt: skip
    if clear or changes != display_work.Changes():
        display_work.change(store(), name, changes, clear=clear)
        table = display_work.name_table(store(), name)
    display = display_work.read_display(store(), name)
    _show_tables({"names": table}, {"dataset": name, "display": display.as_json(), "names": records(table)}, output)
    if output == "table" and display.decimals is not None:
        print(f"decimals: {display.decimals}")


# -- factors ------------------------------------------------------------------------------------------------------


@factors_app.command("extract")
def extract_factors(
    dataset: Annotated[
        str | None, typer.Option("--dataset", help="the dataset; left out: the only one besides the sample")
    ] = None,
    output: Output = "table",
) -> None:
    """Measure the factors of every response's text that was not measured yet; can be stopped and goes on from there."""
    _check_output(output)
    done = extraction.extract(store(), dataset, _Bar())
    pack(store(), done.dataset, _Bar())
    result = FactorsList(dataset=done.dataset).run(store())
    content = result.as_json() | {"dataset": done.dataset, "measured": done.texts}
    _show_tables(dict(result.tables), content, output)
    say(f"{words.plural(done.texts, 'text')} measured" if done.texts else "every text was measured before")
    for line in result.warnings:
        say(f"warning: {line}")


@factors_app.command("embed")
def embed_texts(
    dataset: Annotated[
        str | None, typer.Option("--dataset", help="the dataset; left out: the only one besides the sample")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", help=f"a folder, or a downloaded model of the hub; default {embedding.DEFAULT_MODEL}"),
    ] = None,
    output: Output = "table",
) -> None:
    """Turn texts into vectors by their meaning, and compare responses with prompts; goes on where it was stopped."""
    _check_output(output)
    bar = _Bar()
    if bar.lines and hasattr(os, "nice"):
        os.nice(10)  # a page started it and goes on meanwhile
    done = embedding.embed(store(), dataset, model, bar)
    pack(store(), done.dataset, bar)
    content = {"dataset": done.dataset, "embedder": done.embedder, "embedded": done.texts, "compared": done.values}
    _show_tables({"embedded": pd.DataFrame([content])}, content, output)
    for line in done.said:
        say(f"warning: {line}")


# -- labelings ----------------------------------------------------------------------------------------------------

_OfDataset = Annotated[
    str | None, typer.Option("--dataset", help="the dataset; left out: the only one besides the sample")
]


@labelings_app.callback(invoke_without_command=True)
def labelings(context: typer.Context, dataset: _OfDataset = None, output: Output = "table") -> None:
    """List the labelings of a dataset's prompts: the files' own scenarios, files of labels, clusters."""
    if context.invoked_subcommand is not None:
        return
    _check_output(output)
    with store().reading("listing labelings") as con:
        names = queries.catalog(con, dataset if dataset is not None else queries.default_dataset(con))
        table = labeling_queries.labeling_table(con, names.dataset_id)
    content = {"dataset": names.dataset, "labelings": table.to_dict("records")}
    _show_tables({"labelings": table}, content, output)


@labelings_app.command("show")
def show_labeling(
    name: Annotated[str, typer.Argument(help="a labeling; file: the scenarios that came with the judgments")],
    dataset: _OfDataset = None,
    output: Output = "csv",
) -> None:
    """One row a prompt with its label, as CSV to be edited and imported again with --as labels."""
    _check_output(output)
    with store().reading("showing labels") as con:
        dataset = dataset if dataset is not None else queries.default_dataset(con)
        own = name == labeling_queries.OWN
        names = queries.catalog(con, Selection(dataset=dataset, labeling=None if own else name))
        table = labeling_queries.label_rows(con, names.dataset_id, None if own else names.labelings[name])
    # A column that no prompt fills would only be in the way of reading it again.
    table = table.dropna(axis="columns", how="all")
    content = {"dataset": dataset, "labeling": name, "labels": records(table)}
    _show_tables({"labels": table}, content, output)


@labelings_app.command("cluster")
def cluster(
    dataset: _OfDataset = None,
    name: Annotated[str, typer.Option("--name", help="what the labeling is called")] = clustering.NAME,
    clusters: Annotated[int | None, typer.Option(help="how many; left out: as many as tell prompts apart best")] = None,
    seed: Annotated[int, typer.Option(help="seed of everything random")] = 0,
    output: Output = "table",
) -> None:
    """Group prompts by what they mean; the groups are a labeling, named by the words that tell them apart."""
    _check_output(output)
    done = clustering.cluster_prompts(store(), dataset, name, clusters, seed, _Bar())
    content = {"dataset": done.dataset, "labeling": done.labeling, "silhouette": done.silhouette,
               "without": done.without, "labels": done.labels.to_dict("records")}  # fmt: skip
    _show_tables({"labels": done.labels}, content, output)
    if done.without:
        say(f"warning: {words.plural(done.without, 'prompt')} without a text in no cluster")


@labelings_app.command("rename")
def rename_one_label(
    labeling: str, old: str, new: str, dataset: _OfDataset = None, output: Output = "table"
) -> None:
    """Give a label another name; a name that is there already takes its prompts over."""
    _check_output(output)
    dataset = _dataset(dataset)
    n = labeling_work.rename_label(store(), dataset, labeling, old, new)
    content = {"dataset": dataset, "labeling": labeling, "label": new, "was": old, "prompts": n}
    _show_tables({"renamed": pd.DataFrame([content])}, content, output)


@labelings_app.command("delete")
def delete_one_labeling(labeling: str, dataset: _OfDataset = None, output: Output = "table") -> None:
    """Remove a labeling. The scenarios that came with the judgments are not among them."""
    _check_output(output)
    dataset = _dataset(dataset)
    n = labeling_work.delete_labeling(store(), dataset, labeling)
    content = {"dataset": dataset, "labeling": labeling, "prompts": n}
    _show_tables({"deleted": pd.DataFrame([content])}, content, output)


# -- saved views ----------------------------------------------------------------------------------------------------


@views_app.callback(invoke_without_command=True)
def views(context: typer.Context, dataset: _OfDataset = None, output: Output = "table") -> None:
    """List the views of a dataset that were saved in the app, each with its address there."""
    if context.invoked_subcommand is not None:
        return
    _check_output(output)
    dataset = _dataset(dataset)
    with store().reading("listing saved views") as con:
        found = kept_work.saved_views(con, queries.catalog(con, dataset).dataset_id)
    rows = [{"view": one.name, "address": f"/{one.page}?" + kept_work.address(dataset, one),
             "saved_at": one.saved_at.strftime("%Y-%m-%d %H:%M:%S")} for one in found]  # fmt: skip
    table = pd.DataFrame(rows, columns=["view", "address", "saved_at"])
    _show_tables({"views": table}, {"dataset": dataset, "views": rows}, output)
    if not rows:
        say(f"dataset {dataset!r} has no saved view: save one in the app, in the sidebar of any page")


@views_app.command("rename")
def rename_one_view(old: str, new: str, dataset: _OfDataset = None, output: Output = "table") -> None:
    """Give a saved view another name."""
    _check_output(output)
    dataset = _dataset(dataset)
    content = {"dataset": dataset, "view": kept_work.rename_view(store(), dataset, old, new), "was": old}
    _show_tables({"renamed": pd.DataFrame([content])}, content, output)


@views_app.command("delete")
def delete_one_view(name: str, dataset: _OfDataset = None, output: Output = "table") -> None:
    """Keep a saved view no longer."""
    _check_output(output)
    dataset = _dataset(dataset)
    kept_work.delete_view(store(), dataset, name)
    content = {"dataset": dataset, "deleted": name}
    _show_tables({"deleted": pd.DataFrame([content])}, content, output)


def _dataset(name: str | None) -> str:
    if name is not None:
        return name
    with store().reading("looking for the dataset") as con:
        return queries.default_dataset(con)


# -- studies ------------------------------------------------------------------------------------------------------


def _study_command(cls: type[Study]) -> Callable[..., None]:
    """A command whose options are the study's fields."""

    def command(**given: Any) -> None:
        output, table, require = given.pop("output"), given.pop("table"), given.pop("require") or []
        split, groups = _is_split(given), given.pop("groups", None)
        _check_output(output)
        conditions = [_condition(text) for text in require]
        study = _asked(cls, given, groups)
        where = store_for(output)
        result = run_by_scenario(study, where, _Bar()) if split else study.run(where, _Bar())  # type: ignore[arg-type]
        content = result.as_json()
        with words.decimals(result.display.decimals if where.shown else None):
            show_result(naming.as_shown(result) if where.shown else result, output, table)
        failed = check_required(content, conditions)
        for line in failed:
            say(f"does not hold: {line}")
        if failed:
            raise typer.Exit(3)

    parameters = [
        *_options(cls), *_by(cls),
        _parameter("output", str, typer.Option("-o", "--output", help="table, json, csv or latex"), cls.output),
        _parameter("table", str | None, typer.Option("--table", help="which table to print"), None),
        _parameter("require", list[str] | None,
                   typer.Option("--require", help="exit 3 unless it holds: 'spearman.lower>=.5' (repeatable)"), None),
    ]  # fmt: skip
    return _as_command(command, parameters, cls.__doc__)


def _by(cls: type[Study]) -> list[inspect.Parameter]:
    """The option that asks each scenario alone, of commands that have it."""
    if not issubclass(cls, Fitted):
        return []
    return [_parameter("by", Optional[str], typer.Option("--by", help="scenario: each alone, rows named"), None)]  # noqa: UP045


def _is_split(given: dict[str, Any]) -> bool:
    """Whether each scenario is asked alone; takes the option from what was given."""
    by = given.pop("by", None)
    if by not in (None, "scenario"):
        raise typer.BadParameter(f"--by {by}: only scenario")
    return by is not None


def _asked(cls: type[Study], given: dict[str, Any], groups: Path | None) -> Study:
    """The study that the options of a command mean. groups : a file that says what many --group would"""
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items() if v is not None}
    if groups is not None:
        options["group"] = (*options.get("group", ()), *read_groups(groups))
    return cls(**options)  # type: ignore[arg-type]


def _options(cls: type[Study]) -> list[inspect.Parameter]:
    """The study's fields as options of a command."""
    parameters = []
    kinds = hints(cls)
    positional = cls.command.startswith("datasets ")
    for each in fields(cls):
        one, several = bare(kinds[each.name])
        if positional and each.name == "dataset":
            parameters.append(_parameter("dataset", str | None, typer.Argument(help=each.metadata["help"]), None))
            continue
        flag = flag_of(each)
        choices = each.metadata.get("choices")
        text_help = each.metadata["help"] + (f" ({', '.join(str(c) for c in choices)})" if choices else "")
        kind: Any = list[one] | None if several else one if one is bool else Optional[one]  # type: ignore[valid-type]  # noqa: UP045
        default = None if several or each.default is None else each.default
        parameters.append(_parameter(each.name, kind, typer.Option(flag, help=text_help), default))
    if issubclass(cls, JudgeSimilarity):
        # A file is no option of a study: what it says is.
        file = typer.Option("--groups", help="a table with the columns judge and group, in place of many --group")
        parameters.append(_parameter("groups", Path | None, file, None))
    return parameters


def _as_command(
    command: Callable[..., None], parameters: list[inspect.Parameter], said: str | None
) -> Callable[..., None]:
    """A function with the signature and the help of a command."""
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    command.__doc__ = said
    return command


def _parameter(name: str, kind: Any, info: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, info])


# -- bundles ------------------------------------------------------------------------------------------------------


def _export_command(cls: type[Study]) -> Callable[..., None]:
    """A command that writes the bundle of a study, with the study's own options."""

    def command(**given: Any) -> None:
        from exports import bundle

        to, with_data, output = given.pop("to"), given.pop("with_data"), given.pop("output")
        _check_output(output)
        split, groups = _is_split(given), given.pop("groups", None)
        study, bar, shown = _asked(cls, given, groups), _Bar(), store().as_shown()
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
        _show_tables({"files": pd.DataFrame({"file": list(files)})}, content, output)
        for line in (*(f"taken: {one}" for one in result.taken), *(f"warning: {one}" for one in said)):
            say(line)

    help_to = "a new or empty folder, or a file that ends with .zip"
    parameters = [
        *_options(cls), *_by(cls),
        _parameter("to", Path, typer.Option("--to", help=help_to), inspect.Parameter.empty),
        _parameter("with_data", bool, typer.Option("--with-data", help="also the judgments, with their texts, and what "
                   "else the numbers rest on: replay then needs no store"), False),
        _parameter("output", str, typer.Option("-o", "--output", help="table, json, csv or latex"), "table"),
    ]  # fmt: skip
    return _as_command(command, parameters, f"The bundle for a paper. {cls.__doc__}")


def _report_command() -> Callable[..., None]:
    """The command that writes a report, with the options that all its sections share."""

    def command(**given: Any) -> None:
        from exports import report, report_page

        to, output = given.pop("to"), given.pop("output")
        _check_output(output)
        report_page.ending(to)
        bar = _Bar()
        asked = cast(report.Report, _asked(report.Report, given, None))
        told = report.story(asked, store().as_shown(), progress=lambda done, text: bar(0.7 * done, text))
        report_page.write(told, to, progress=lambda done, text: bar(0.7 + 0.3 * done, text))
        bar(1.0, "done")
        content = {"files": [str(to)], "dataset": told.dataset, "reference": told.reference,
                   "judges": list(told.others), "fingerprint": told.fingerprint,
                   "sections": [{"section": one.key, "title": one.title, "refused": list(one.refused)}
                                for one in told.sections]}  # fmt: skip
        _show_tables({"files": pd.DataFrame({"file": [str(to)]})}, content, output)
        for line in told.said:
            say(f"taken: {line}")
        for one in told.sections:
            for line in one.refused:
                say(f"warning: {one.title}: {line}")

    from exports.report import Report

    parameters = [
        *_options(Report),
        _parameter("to", Path, typer.Option("--to", help="a file: .html or .pdf"), inspect.Parameter.empty),
        _parameter("output", str, typer.Option("-o", "--output", help="table, json, csv or latex"), "table"),
    ]
    return _as_command(command, parameters, Report.__doc__)


app.command("report")(_report_command())


@app.command()
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

    _check_output(output)
    found = replaying.replay(bundle, store(), dataset=dataset, here=here, progress=_Bar())
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
        _show_tables(tables, found.as_json(), output)
    if found.n_differences > len(found.differences):
        say(f"{found.n_differences - len(found.differences):,} more differences are not listed")
    if require and not found.same:
        say("does not hold: the numbers are not the same")
        raise typer.Exit(3)


_GROUPS: dict[str, typer.Typer] = {"datasets": datasets_app, "factors": factors_app, "labelings": labelings_app}
export_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None,
    help="The bundle of a study for a paper: figures, tables, caption, sources, and what lets anyone replay it.",
)  # fmt: skip
app.add_typer(export_app, name="export")
_EXPORTS: dict[str, typer.Typer] = {}


def _home(top: typer.Typer, groups: dict[str, typer.Typer], name: list[str]) -> typer.Typer:
    """Where a command stands: below `top`, or in a group of it."""
    if not name:
        return top
    if name[0] not in groups:
        groups[name[0]] = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
        top.add_typer(groups[name[0]], name=name[0])
    return groups[name[0]]


for _cls in REGISTRY.values():
    *_group, _name = _cls.command.split()
    _home(app, _GROUPS, _group).command(_name)(_study_command(_cls))
    _home(export_app, _EXPORTS, _group).command(_name)(_export_command(_cls))


def run() -> None:
    """Entry point: what a user can cause becomes one sentence and an exit code."""
    try:
        app(standalone_mode=True)
    except JurylensError as error:
        if _Context.debug:
            raise
        say(f"{error}")
        raise SystemExit(1) from None
    except BrokenPipeError:
        # The reader (head, less) has seen enough; what is still buffered must not be flushed into the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None


if __name__ == "__main__":
    run()
