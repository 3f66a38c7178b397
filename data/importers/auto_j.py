"""Auto-J's test of pairwise comparison: two answers to a prompt, which of them people preferred, and its scenario.

Reads: testdata_pairwise.jsonl, a record a pair: scenario, label (0: response 1 is preferred, 1: response 2, 2: tie),
prompt, response 1, response 2. The judge is called `human` and is one; models, annotators and ids are not in the file.
Defined in: the README of the Auto-J project, https://github.com/GAIR-NLP/auto-j (Li et al. 2023, arXiv 2310.05470).
Shown order: not recorded. Pairs and labels were taken from several collections of human preferences, and the file does
not say in which order the two answers were shown.

Its labelled prompts (category, instruction, input) are a table of labels: `--as labels`.
"""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path

import duckdb

from data.importers.gather import Gatherer
from data.importers.table import RawTable
from data.model import Progress
from errors import FileError

NAME = "auto_j"
PAIRS = "testdata_pairwise.jsonl"
COLUMNS = ("prompt", "scenario", "response_a", "response_b", "judge", "judge_kind", "winner")
KEYS = ("scenario", "label", "prompt", "response 1", "response 2")
FIRST = 1 << 20
"""Bytes in which the first record must end to be recognised."""


def sniff(path: Path) -> bool:
    """JSON lines whose first record has these keys and no others, and a label of 0, 1 or 2; or a folder with them."""
    record = first_record(path / PAIRS if path.is_dir() else path)
    return record is not None and set(record) == set(KEYS) and record["label"] in (0, 1, 2)


def first_record(path: Path) -> dict[str, object] | None:
    """The object on the first line of a file, or None where there is none."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            line = file.readline(FIRST).decode("utf-8-sig")
        record = json.loads(line)
    except (OSError, EOFError, zlib.error, ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def load(path: Path, con: duckdb.DuckDBPyConnection, workdir: Path, progress: Progress) -> RawTable:
    """Fill `raw` with the canonical COLUMNS.

    path : the file, or the folder that it is published in

    Raises FileError for a folder without it, and when the file lacks one of KEYS or cannot be read.
    """
    if path.is_dir():
        if not (path / PAIRS).is_file():
            raise FileError(f"{path.name} is a folder without a file {PAIRS}, which the format {NAME} reads")
        path = path / PAIRS
    gatherer = Gatherer(COLUMNS, con, workdir, progress, total=1, in_folder=False)
    piece = gatherer.read(path, path.name, KEYS)
    if piece is None:
        raise FileError(gatherer.rejections[0].reason)
    t = piece.cell
    label = f"trim({t('label')})"
    wrong = f"coalesce({label} NOT IN ('0', '1', '2'), true)"
    gatherer.refused(piece, wrong, "label", "a label is 0 (response 1), 1 (response 2) or 2 (tie)")
    gatherer.add(
        piece,
        {
            "prompt": t("prompt"),
            "scenario": t("scenario"),
            "response_a": t("response 1"),
            "response_b": t("response 2"),
            "judge": "'human'",
            "judge_kind": "'human'",
            "winner": f"CASE {label} WHEN '0' THEN 'a' WHEN '1' THEN 'b' ELSE 'tie' END",
        },
        refuse=wrong,
    )
    gatherer.drop(piece)
    return gatherer.finish()
