"""A table of factor values for the pairs or responses that a dataset already has.

Reads: the same files as the general importer. Keyed on the pair: `pair_id`, or `prompt` (or `prompt_id`) with `model_a`
and `model_b` (or both texts), and columns NAME_a, NAME_b. Keyed on the response: `prompt` (or `prompt_id`) with `model`
or `response`, and columns NAME. Optional: `annotator`, `judge`. Which column means what is decided by
data/factor_columns.py, whose values they are by data/factor_values.py.
Defined in: this project's docs/files.md.
Shown order: none; a table of factors holds no judgment.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from data.importers.table import RawTable, read_single
from data.model import Progress

NAME = "factors"


def sniff(path: Path) -> bool:
    """Not told from the file alone: its columns have to be read (`data.factor_columns.recognised`)."""
    return False


def load(
    path: Path, con: duckdb.DuckDBPyConnection, workdir: Path, progress: Progress, sheet: str | None = None
) -> RawTable:
    """Fill `raw` with the file's own columns as text."""
    return read_single(path, NAME, con, workdir, progress, sheet=sheet)
