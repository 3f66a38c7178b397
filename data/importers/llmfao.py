"""LLMFAO: the same pairs of answers judged by crowd workers, by GPT-4 and by GPT-3.

Reads: a folder with at least one of crowd-comparisons.csv, gpt4-crowd-comparisons.csv and
gpt3-crowd-comparisons.csv (judges `crowd`, human, its annotators the column `worker`; `gpt-4` and `gpt-3`, llm), or one
of these files alone. Prompt, scenario (the prompt's `type`) and response texts come from pairs-crowd.jsonl, what
it lacks of prompts from prompts.jsonl; both are optional, and what is missing is said.
Defined in: the LLMFAO release, https://github.com/dustalov/llmfao (CC BY 4.0).
Shown order: recorded. `left` was shown first and is side a, so `swapped` is false throughout. model_x is the left
model's number and result_x its answer; where a comparison lists the numbers the other way round, the texts follow.
An empty or null answer is an empty text, since the judges saw it as one; without pairs-crowd.jsonl, or where it lacks
the pair, the texts are absent.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import duckdb

from data.importers.gather import Gatherer, Piece
from data.importers.table import RawTable
from data.model import Progress
from errors import FileError

NAME = "llmfao"
COLUMNS = (
    "prompt", "prompt_id", "scenario", "pair_id", "model_a", "model_b", "response_a", "response_b",
    "judge", "judge_kind", "annotator", "winner", "swapped",
)  # fmt: skip
JUDGES = {
    "crowd-comparisons.csv": ("crowd", "human"),
    "gpt4-crowd-comparisons.csv": ("gpt-4", "llm"),
    "gpt3-crowd-comparisons.csv": ("gpt-3", "llm"),
}
NEEDS = ("id", "prompt", "winner", "left", "right")
PAIRS, PROMPTS = "pairs-crowd.jsonl", "prompts.jsonl"


def sniff(path: Path) -> bool:
    """A folder with one of the judges' files, or such a file by its header."""
    try:
        if path.is_dir():
            return any(_has_header(path / name) for name in JUDGES)
        return path.name in JUDGES and _has_header(path)
    except OSError:
        return False


def _has_header(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        first = file.readline(4096).decode("utf-8", "replace").lstrip("\ufeff")
    try:
        header = next(csv.reader([first]), [])
    except csv.Error:
        return False
    return {"model_x", "model_y", *NEEDS} <= {name.strip() for name in header}


def load(path: Path, con: duckdb.DuckDBPyConnection, workdir: Path, progress: Progress) -> RawTable:
    """Fill `raw` with the canonical COLUMNS, judge after judge.

    Raises FileError when no judge's file is there or can be read; a damaged one beside good ones is a rejection.
    """
    folder = path.is_dir()
    present = [name for name in JUDGES if (path / name).is_file()] if folder else [path.name]
    if not present:
        raise FileError(f"{path.name} holds no LLMFAO judgments: expected one of {', '.join(JUDGES)}")
    if not folder and path.name not in JUDGES:
        raise FileError(f"{path.name} names no LLMFAO judge: expected one of {', '.join(JUDGES)}, or their folder")
    extra = [name for name in (PAIRS, PROMPTS) if folder and (path / name).is_file()]
    gatherer = Gatherer(COLUMNS, con, workdir, progress, total=len(present) + len(extra), in_folder=folder)
    for name in JUDGES:
        if folder and name not in present:
            gatherer.inferred.append(f"{name} is not there: no judge {JUDGES[name][0]}")
    _pairs(gatherer, path / PAIRS, PAIRS in extra)
    _prompts(gatherer, path / PROMPTS, PROMPTS in extra)
    words = {"winner": ("left", "right", "tie")}
    for name in present:
        piece = gatherer.read(path / name if folder else path, name, NEEDS, words)
        if piece is not None:
            _add(gatherer, piece, *JUDGES[name])
    con.execute("DROP TABLE temp.llmfao_pairs; DROP TABLE temp.llmfao_prompts")
    table = gatherer.finish()
    texts = [f"c{COLUMNS.index(name)}" for name in ("response_a", "response_b")]
    missing = " OR ".join(f"{cell} IS NULL" for cell in texts)
    absent = con.execute(f"SELECT count(*) FROM raw_cells WHERE {missing}").fetchall()[0][0]
    if absent and PAIRS in extra:
        sentence = f"{absent} judgments are on pairs that {PAIRS} lacks: no response texts there"
        return replace(table, inferred=(*table.inferred, sentence))
    return table


def _pairs(gatherer: Gatherer, path: Path, present: bool) -> None:
    """The table llmfao_pairs: one row an id, the first where an id comes twice."""
    con = gatherer.con
    names = ("id", "prompt", "text", "type", "model_x", "result_x", "model_y", "result_y")
    piece = gatherer.read(path, PAIRS, ("id",)) if present else None
    if piece is None:
        gatherer.inferred.append(f"{PAIRS} is not there or cannot be read: no response texts")
        cells = ", ".join(f"NULL::VARCHAR AS {name}" for name in names)
        con.execute(f"CREATE OR REPLACE TEMP TABLE llmfao_pairs AS SELECT {cells} WHERE false")
        return
    if twice := _repeated(con, piece):
        gatherer.inferred.append(f"{PAIRS} has {twice} ids more than once: the first is taken")
    cells = ", ".join(f"{_answer(piece, name)} AS {name}" for name in names)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE llmfao_pairs AS SELECT {cells} FROM {piece.table} "
        f"QUALIFY row_number() OVER (PARTITION BY {piece.cell('id')} ORDER BY {piece.table}.rowid) = 1"
    )
    gatherer.drop(piece)


def _answer(piece: Piece, name: str) -> str:
    cell = piece.cell(name)
    return f"coalesce({cell}, '')" if name.startswith("result_") and cell != "NULL" else f"{cell}::VARCHAR"


def _repeated(con: duckdb.DuckDBPyConnection, piece: Piece) -> int:
    key = piece.cell("id")
    sql = f"SELECT count(*) FROM (SELECT {key} FROM {piece.table} GROUP BY {key} HAVING count(*) > 1)"
    return int(con.execute(sql).fetchall()[0][0])


def _prompts(gatherer: Gatherer, path: Path, present: bool) -> None:
    """The table llmfao_prompts: text and type of each prompt's number."""
    con = gatherer.con
    piece = gatherer.read(path, PROMPTS, ("id",)) if present else None
    if piece is None:
        gatherer.inferred.append(
            f"{PROMPTS} is not there or cannot be read: prompts as {PAIRS} has them, else by number"
        )
        con.execute(
            "CREATE OR REPLACE TEMP TABLE llmfao_prompts AS "
            "SELECT NULL::VARCHAR AS id, NULL::VARCHAR AS text, NULL::VARCHAR AS type WHERE false"
        )
        return
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE llmfao_prompts AS SELECT {piece.cell('id')} AS id, "
        f"{piece.cell('text')}::VARCHAR AS text, {piece.cell('type')}::VARCHAR AS type FROM {piece.table} "
        f"QUALIFY row_number() OVER (PARTITION BY {piece.cell('id')} ORDER BY {piece.table}.rowid) = 1"
    )
    gatherer.drop(piece)


def _add(gatherer: Gatherer, piece: Piece, judge: str, kind: str) -> None:
    t = piece.cell
    x, y = t("model_x"), t("model_y")
    joins = (
        f"LEFT JOIN llmfao_pairs AS pair ON pair.id = {t('id')} "
        f"LEFT JOIN llmfao_prompts AS prompt ON prompt.id = {t('prompt')}"
    )
    straight = f"coalesce({x} = pair.model_x AND {y} = pair.model_y, {x} IS NULL OR pair.model_x IS NULL)"
    turned = f"coalesce({x} = pair.model_y AND {y} = pair.model_x, false)"
    other = f"(pair.id IS NOT NULL AND NOT ({straight} OR {turned}))"
    gatherer.refused(piece, other, "id", f"{PAIRS} has other models under this id", joins)
    gatherer.add(
        piece,
        {
            "prompt": f"coalesce(pair.text, prompt.text, {t('prompt')})",
            "prompt_id": t("prompt"),
            "scenario": "coalesce(pair.type, prompt.type)",
            "pair_id": t("id"),
            "model_a": t("left"),
            "model_b": t("right"),
            "response_a": f"CASE WHEN {turned} THEN pair.result_y ELSE pair.result_x END",
            "response_b": f"CASE WHEN {turned} THEN pair.result_x ELSE pair.result_y END",
            "judge": f"'{judge}'",
            "judge_kind": f"'{kind}'",
            "annotator": t("worker"),
            "winner": f"CASE lower(trim({t('winner')})) WHEN 'left' THEN 'a' WHEN 'right' THEN 'b' "
            f"ELSE {t('winner')} END",
            "swapped": "'false'",
        },
        joins,
        refuse=other,
    )
    gatherer.drop(piece)
