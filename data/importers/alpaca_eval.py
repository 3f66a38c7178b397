"""AlpacaEval annotations: a model's answers against a baseline's, judged by an LLM with soft preferences.

Reads: annotations.json, the same gzipped, or a folder of them at any depth (results/MODEL/JUDGE/annotations.json.gz).
Each record: instruction (prompt), dataset (scenario), generator_1 and output_1 (model and response a), generator_2 and
output_2 (b), annotator (the judge, llm), preference.
Defined in: the AlpacaEval project, https://github.com/tatsu-lab/alpaca_eval (annotations of its `results` folder).
Preference runs from 1 (a wins) to 2 (b wins): p_a = 2 - preference, kept exactly; 0 is a draw, as in the first
versions of the format; null, NaN and -1 are no verdict (the judge's answer could not be read); anything else is
rejected.
Shown order: not recorded. The outputs were shown in a random order that the file does not keep.
"""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path

import duckdb

from data.importers.gather import Gatherer, Piece
from data.importers.table import RawTable
from data.model import Progress
from errors import FileError

NAME = "alpaca_eval"
COLUMNS = (
    "prompt", "scenario", "model_a", "model_b", "response_a", "response_b", "judge", "judge_kind", "winner", "p_a",
)  # fmt: skip
KEYS = ("instruction", "output_1", "output_2", "annotator", "preference")
FILES = ("annotations.json", "annotations.json.gz")


def sniff(path: Path) -> bool:
    """A file whose first record has the format's keys, or a folder with such files."""
    try:
        if path.is_dir():
            found = _files(path)
            return bool(found) and _first_keys(found[0])
        return path.is_file() and _first_keys(path)
    except OSError:
        return False


def _first_keys(path: Path) -> bool:
    """Whether the file begins as an array whose first object has the keys, however long it is."""
    with path.open("rb") as plain:
        packed = plain.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            text = file.read(1 << 20).decode("utf-8-sig", "ignore").lstrip()
    except (EOFError, zlib.error, gzip.BadGzipFile, UnicodeError):
        return False
    if not text.startswith("["):
        return False
    try:
        record, _ = json.JSONDecoder().raw_decode(text[1:].lstrip())
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and set(KEYS) <= set(record)


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.rglob("annotations.json*") if file.name in FILES and file.is_file())


def load(path: Path, con: duckdb.DuckDBPyConnection, workdir: Path, progress: Progress) -> RawTable:
    """Fill `raw` with the canonical COLUMNS, file after file in the order of their names.

    Raises FileError when there is no annotation file, or none can be read; a damaged one among good ones is a
    rejection.
    """
    folder = path.is_dir()
    files = _files(path) if folder else [path]
    if not files:
        raise FileError(f"{path.name} holds no {' or '.join(FILES)}: name a folder of AlpacaEval results")
    gatherer = Gatherer(COLUMNS, con, workdir, progress, total=len(files), in_folder=folder)
    for file in files:
        name = file.relative_to(path).as_posix() if folder else file.name
        piece = gatherer.read(file, name, KEYS)
        if piece is not None:
            _add(gatherer, piece)
    return gatherer.finish()


def _add(gatherer: Gatherer, piece: Piece) -> None:
    t = piece.cell
    number = f"try_cast({t('preference')} AS DOUBLE)"
    none = f"({t('preference')} IS NULL OR isnan({number}) OR {number} = -1)"
    wrong = f"(NOT coalesce({none}, false) AND NOT coalesce({number} BETWEEN 1 AND 2 OR {number} = 0, false))"
    gatherer.refused(piece, wrong, "preference", "a preference is a number from 1 (output_1) to 2 (output_2)")
    # 2 - x is exact for doubles from 1 to 2, so the soft preference keeps all its digits.
    p_a = f"CASE WHEN {number} = 0 THEN 0.5::DOUBLE ELSE 2 - {number} END"
    gatherer.add(
        piece,
        {
            "prompt": t("instruction"),
            "scenario": t("dataset"),
            "model_a": t("generator_1"),
            "model_b": t("generator_2"),
            "response_a": t("output_1"),
            "response_b": t("output_2"),
            "judge": t("annotator"),
            "judge_kind": "'llm'",
            "winner": f"CASE WHEN {none} THEN 'none' WHEN {number} IN (0, 1.5) THEN 'tie' "
            f"WHEN {number} < 1.5 THEN 'a' ELSE 'b' END",
            "p_a": f"CASE WHEN NOT coalesce({none}, false) THEN ({p_a})::VARCHAR END",
        },
        refuse=wrong,
    )
    gatherer.drop(piece)
