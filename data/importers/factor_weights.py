"""Weights of factors that others have published of judges whose judgments are not here.

Reads: the same files as the general importer, with `judge`, `scenario`, `factor` (or property) and `weight`, and where
it is given `kind`. Which column means what is decided by data/published.py.
Defined in: this project's docs/files.md; a file with these columns is `fitted_weights.csv` made of the publication of
Li et al. 2024 (arXiv 2402.11296).
Shown order: none; a table of weights holds no judgment.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from data.fields import canonical
from data.importers import heads
from data.importers.layout import sniff_delimiter
from data.importers.table import RawTable, read_single
from data.model import Progress

NAME = "factor-weights"

FACTOR = ("factor", "property")
HEADER = 4096
"""Bytes in which the names of the columns stand."""


def sniff(path: Path) -> bool:
    """Whether the first line names a judge, a factor and a weight, and no prompt or winner."""
    line = heads.head(path, HEADER).split("\n", 1)[0].rstrip("\r")
    names = {canonical(word.strip('" ')) for word in line.split(sniff_delimiter(line, whole=True))}
    return {"judge", "weight"} <= names and any(n in names for n in FACTOR) and not names & {"winner", "prompt", "p_a"}


def load(
    path: Path, con: duckdb.DuckDBPyConnection, workdir: Path, progress: Progress, sheet: str | None = None
) -> RawTable:
    """Fill `raw` with the file's own columns as text."""
    return read_single(path, NAME, con, workdir, progress, sheet=sheet)
