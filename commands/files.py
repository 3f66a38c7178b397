"""Files in, and simulated data."""

from __future__ import annotations

import os
import sys
import threading
from functools import partial
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from commands.output import Bar, Dataset, Output, check_output, rows_of, say, show_tables, store
from data import imports
from data.model import part

ASKING = "asked: "
"""Begins the line on stderr after which an answer is read."""

PATIENCE = 900.0
"""Seconds after which no answer is a no."""


def add_to(app: typer.Typer) -> None:
    """The commands of this module, below `app`."""
    app.command("import")(import_file)
    app.command()(simulate)


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
        list[str] | None, typer.Option("--judge-column", help="COLUMN or COLUMN=KIND: one column a judge (repeatable); "
                     "with --set judge=NAME those of people are annotators of one judge")
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
    ask: Annotated[
        bool, typer.Option("--ask", help="say what would happen, and import if the answer on stdin is yes")
    ] = False,
    output: Output = "table",
) -> None:
    """Read judgments, or a table of factors, labels or published weights, into the store."""
    check_output(output)
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
    from studies.pack import pack

    bar, dry = Bar(), dry_run or ask
    with imports.prepare(store(), path, dataset, options, progress=part(bar, 0.0, 0.6)) as ready:
        last = partial(ready.commit, strict=strict, rejects=rejects, inspect=health.of_import)
        report = last(dry_run=dry, progress=part(bar, 0.6, 1.0))
        if ask and not dry_run and report.accepted:
            show_report(report, output)
            if not agreed():
                return
            dry, report = False, last(progress=bar, later=True)
    if not dry:
        pack(store(), dataset, bar)
    show_report(report, output)


def _line() -> str:
    """What stdin says next; past Python's buffer, which a thread that waits for it would hold at the program's end."""
    try:
        return os.read(sys.stdin.fileno(), 1000).decode(errors="replace")
    except (OSError, ValueError):
        return sys.stdin.readline()


def agreed() -> bool:
    """Whether somebody says yes on stdin before long. What waits holds memory, and no lease."""
    sys.stdout.flush()
    say(f"{ASKING}import it? yes or no")
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.append(_line()), daemon=True)
    reader.start()
    reader.join(PATIENCE)
    if said and said[0].strip().lower() in ("y", "yes"):
        return True
    say("nothing was changed")
    return False


def show_report(report: imports.ImportReport, output: str) -> None:
    content = report.as_json()
    summary = pd.DataFrame([{k: content[k] for k in ("dataset", "format", "read", "accepted", "rejected", "duplicates",
                                                     "pairs", "models", "prompts", "scenarios")}])  # fmt: skip
    tables = {"import": summary, "judges": rows_of(report.judges), "rejections": report.rejections.head(20)}
    if report.factors is not None:
        tables["factors"] = pd.DataFrame(report.factors)
    if report.published is not None:
        tables["published"] = pd.DataFrame(report.published)
    show_tables(tables, content, output)
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
    check_output(output)
    from studies import simulate as simulation
    from studies.pack import pack

    report = simulation.add_simulated(
        store(), dataset, judgments=judgments, models=models, judges=judges, factors=factors, scenarios=scenarios,
        prompts=prompts, seed=seed, progress=Bar(),
    )  # fmt: skip
    pack(store(), dataset, Bar())
    show_report(report, output)
