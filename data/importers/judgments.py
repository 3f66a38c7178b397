"""The general importer: any table of pairwise judgments, one row a judgment or one column a judge.

Reads: CSV, TSV (also with ; or |), Excel (.xlsx), Parquet, JSON lines and a JSON array of objects, each also gzipped;
UTF-8, UTF-16, Latin-1 and CP1252. Shapes: one row a judgment; one column a judge; vote counts; chosen/rejected; scores;
responses rated or ranked by themselves; verdicts only. Which column means what is decided by data/fields.py, what its
cells mean by data/normalise.py.
Defined in: this project's docs/files.md.
Shown order: recorded where the file has a column `swapped` (true: b was shown first), else unknown.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from data.fields import WINNER_WORDS
from data.importers.spread import spread
from data.importers.table import RawTable, read_single
from data.model import Progress

NAME = "judgments"


def sniff(path: Path) -> bool:
    """Any single file may be a table; whether it is shows when it is read."""
    return path.is_file()


def load(
    path: Path, con: duckdb.DuckDBPyConnection, workdir: Path, progress: Progress, sheet: str | None = None
) -> RawTable:
    """Fill `raw` with the file's own columns as text, and with parts of those that hold objects or conversations."""
    table = read_single(path, NAME, con, workdir, progress, known={"winner": tuple(WINNER_WORDS)}, sheet=sheet)
    return spread(con, table)
