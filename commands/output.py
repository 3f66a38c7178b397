"""What every command shares: which store it works on, and how it answers on stdout and stderr."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer

from charts import words
from data import queries
from data.store import Store
from errors import OptionError
from exports import text

if TYPE_CHECKING:
    from studies.study import Result

DEFAULT_DB = "jurylens.duckdb"

Output = Annotated[str, typer.Option("-o", "--output", help="table, json, csv or latex")]
Dataset = Annotated[str, typer.Option("--dataset", help="name of the dataset")]
OfDataset = Annotated[
    str | None, typer.Option("--dataset", help="the dataset; left out: the only one besides the sample")
]


class Asked:
    """What the options before the command said."""

    db = Path(DEFAULT_DB)
    debug = False
    read_only: bool | None = None


def store() -> Store:
    return Store(Asked.db, read_only=Asked.read_only)


def store_for(output: str) -> Store:
    """What people read has display names; JSON and CSV are data, with the names of the files."""
    return store() if output in ("json", "csv") else store().as_shown()


def the_dataset(name: str | None) -> str:
    if name is not None:
        return name
    with store().reading("looking for the dataset") as con:
        return queries.default_dataset(con)


# -- output -----------------------------------------------------------------------------------------------------------


class Bar:
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


def check_output(output: str) -> None:
    if output not in text.FORMATS:
        raise typer.BadParameter(f"-o {output}: one of " + ", ".join(text.FORMATS))


def rows_of(facts: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """A table of counts and names, a row each. Counts that some rows lack stay whole numbers."""
    return pd.DataFrame(list(facts), dtype=object).convert_dtypes()


def show_tables(tables: dict[str, pd.DataFrame], content: Any, output: str, name: str | None = None) -> None:
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
        from exports import latex

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
        from exports import latex

        sys.stdout.write(latex.latex_table(result, table))
    else:
        show_tables(tables, result.as_json(), output, table)
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
