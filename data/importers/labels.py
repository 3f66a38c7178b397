"""A table of labels of the prompts that a dataset already has: one labeling beside that of the judgments' files.

Reads: the same files as the general importer, with `prompt` or `prompt_id`, and `label` (also scenario, category,
topic, cluster). `--set labeling=NAME` names the labeling; without it the file's name does. Which column means what is
decided by data/labelings.py.
Defined in: this project's docs/files.md.
Shown order: none; a table of labels holds no judgment.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from data.importers.table import RawTable, read_single
from data.model import Progress

NAME = "labels"


def sniff(path: Path) -> bool:
    """Asked for by name alone: a prompt and a word could be many things."""
    return False


def load(
    path: Path, con: duckdb.DuckDBPyConnection, workdir: Path, progress: Progress, sheet: str | None = None
) -> RawTable:
    """Fill `raw` with the file's own columns as text."""
    return read_single(path, NAME, con, workdir, progress, sheet=sheet)
