"""LLMBar: pairs of answers with an expert's label, and LLM judges that saw each pair in both orders.

Reads one of two layouts:

- A folder with a table of pairs (an id, the prompt, two responses, the expert's label) and one or more tables of
  verdicts (the pair's id, the judge, whether the pair was shown swapped, the winner). Files and columns are recognised
  by their columns' names, of which each role has several (llmbar_columns.py), and by what stands in them: ids are the
  two columns that match, labels the column with sides in it. Where two columns could be meant and differ, a sentence
  asks.
- The project's own folders, at any depth: SUBSET/dataset.json (input, output_1, output_2, label) and
  SUBSET/evaluators/MODEL/MODE/result.json (the same, with `results`, whose last entry holds the winner under
  "swap = False" and "swap = True"); SUBSET is the scenario, MODEL/MODE the judge. Or one dataset.json alone.

The label is the human judge `expert`. Winners speak of the pair's own order: both layouts have turned them back.
A judge that rates answers one by one (modes Rating...) prefers the second in the first order and the first in the
second where its ratings are equal: such a pair looks like a conflict of orders.
Defined in: the LLMBar project, https://github.com/princeton-nlp/LLMBar (Zeng et al. 2024, arXiv 2310.07641).
Shown order: recorded for LLM judges, not for the expert.
"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from data.importers.gather import Gatherer, Piece
from data.importers.llmbar_columns import (
    ROLES,
    Found,
    is_pairs,
    is_verdicts,
    judge_names,
    outcome,
    pick,
    pick_ids,
    pick_side,
    swapped,
)
from data.importers.table import RawTable
from data.model import Progress, Rejection
from errors import FileError

NAME = "llmbar"
COLUMNS = (
    "prompt", "scenario", "pair_id", "model_a", "model_b", "response_a", "response_b", "judge", "judge_kind", "winner",
    "swapped", "reason",
)  # fmt: skip
TABLES = (".csv", ".tsv", ".json", ".jsonl", ".parquet", ".gz")
KEYS = ("input", "output_1", "output_2", "label")
FIRST = 1 << 20
"""Bytes in which the first record must end to be recognised."""


def sniff(path: Path) -> bool:
    """A dataset.json of the project, a folder of its subsets, or one with tables of pairs and of verdicts."""
    try:
        if path.is_file():
            return path.name == "dataset.json" and set(_head(path)) == set(KEYS)
        if not path.is_dir():
            return False
        if own := _own(path):
            return set(KEYS) <= set(_head(own[0]))
        heads = [_head(file) for file in _tables(path)]
    except OSError:
        return False
    return any(map(is_pairs, heads)) and any(map(is_verdicts, heads))


def _own(folder: Path) -> list[Path]:
    """The project's own files: the pairs of each subset before the results on it."""
    found = [*folder.rglob("dataset.json"), *folder.rglob("result.json")]
    files = [file for file in found if file.is_file() and (file.name == "dataset.json" or _place(file) is not None)]
    return sorted(files, key=lambda file: (_subset(file), file.name != "dataset.json", file.as_posix()))


def _place(file: Path) -> tuple[Path, str] | None:
    """(the subset's folder, MODEL/MODE) of a result.json; None where no folder `evaluators` is above it."""
    parts = file.parts
    if "evaluators" not in parts[:-2]:
        return None
    at = len(parts) - 1 - parts[::-1].index("evaluators")
    return Path(*parts[:at]), "/".join(parts[at + 1 : -1])


def _subset(file: Path) -> Path:
    place = _place(file)
    return file.parent if place is None else place[0]


def _tables(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.is_file() and file.suffix.lower() in TABLES)


def _head(path: Path) -> list[str]:
    """Names of a file's columns, as far as its beginning tells; none where it is no table of text."""
    import csv
    import gzip
    import zlib

    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            text = file.read(FIRST).decode("utf-8-sig", "ignore").lstrip()
        if text.startswith(("[", "{")):
            record, _ = json.JSONDecoder().raw_decode(text.removeprefix("[").lstrip())
            return [str(key) for key in record] if isinstance(record, dict) else []
        first = text.split("\n", 1)[0]
        delimiter = max(",;\t", key=first.count)
        return [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
    except (EOFError, zlib.error, gzip.BadGzipFile, ValueError, RecursionError, csv.Error):
        return []


def load(path: Path, con: duckdb.DuckDBPyConnection, workdir: Path, progress: Progress) -> RawTable:
    """Fill `raw` with the canonical COLUMNS: the expert, then judge after judge.

    Raises FileError when no pairs are there or can be read, MappingError when columns could mean several things.
    """
    if path.is_file():
        return _load_own(path, [path], con, workdir, progress)
    if own := _own(path):
        return _load_own(path, own, con, workdir, progress)
    return _load_tables(path, con, workdir, progress)


# -- tables of any names --------------------------------------------------------------------------------------------


def _load_tables(folder: Path, con: duckdb.DuckDBPyConnection, workdir: Path, progress: Progress) -> RawTable:
    files = _tables(folder)
    gatherer = Gatherer(COLUMNS, con, workdir, progress, total=len(files), in_folder=True)
    pieces = [piece for file in files if (piece := gatherer.read(file, file.name)) is not None]
    pairs = [piece for piece in pieces if is_pairs(piece.raw.columns)]
    verdicts = [piece for piece in pieces if piece not in pairs and is_verdicts(piece.raw.columns)]
    if len(pairs) != 1:
        what = "no table" if not pairs else " and ".join(piece.name for piece in pairs)
        raise FileError(
            f"{folder.name} holds {what} with a prompt and two responses a row; {NAME} reads one such table of pairs, "
            "and tables of verdicts with the columns pair_id, judge, shown_swapped and winner. There are "
            + (", ".join(f"{piece.name} ({', '.join(piece.raw.columns[:12])})" for piece in pieces) or "no tables")
        )
    (table,) = pairs
    if not verdicts and is_verdicts(table.raw.columns):
        raise FileError(f"{table.name} holds pairs and verdicts in one table: import that file alone, --as judgments")
    for piece in pieces:
        if piece is not table and piece not in verdicts:
            gatherer.inferred.append(f"{piece.name} holds neither pairs nor verdicts and is left out")
    if not verdicts:
        gatherer.inferred.append("no table of verdicts is there: the expert alone")
    ids = pick_ids(con, table, verdicts)
    found = Found(table, {role: pick(con, table, role) for role in ("prompt", "response_a", "response_b")})
    found = found.also({role: pick(con, table, role, needed=False) for role in ("scenario", "model_a", "model_b")})
    label = pick_side(con, table, "label", needed=not verdicts)
    _keep_pairs(gatherer, found, ids[table.name])
    _say(gatherer, table.name, {**found.columns, "pair_id": ids[table.name], "label": label})
    if label is None:
        gatherer.inferred.append(f"{table.name} has no column with an expert's label: LLM judges alone")
    else:
        unread = _unread(con, table, label)
        nothing = f"(trim(coalesce({table.cell(label)}, '')) = '')"
        said = {"judge": "'expert'", "judge_kind": "'human'", "winner": outcome(con, table, label)}
        joins = f"JOIN llmbar_pairs p ON p.record = {table.table}.rowid"
        n = con.execute(f"SELECT count(*) FROM {table.table} WHERE {nothing}").fetchall()[0][0]
        if n:
            gatherer.inferred.append(f"{n:,} pairs have no label of the expert")
        reason = "is neither of the two responses, nor a tie"
        gatherer.refused(table, f"{unread} AND NOT {nothing}", label, reason, joins)
        gatherer.add(table, PAIR_CELLS | said, joins, refuse=f"{nothing} OR {unread}")
    for piece in verdicts:
        _add_verdicts(gatherer, piece, ids[piece.name])
    for piece in pieces:
        gatherer.drop(piece)
    con.execute("DROP TABLE llmbar_pairs")
    return gatherer.finish()


PAIR_CELLS = {
    "prompt": "p.prompt", "scenario": "p.scenario", "pair_id": "p.id", "model_a": "p.model_a", "model_b": "p.model_b",
    "response_a": "p.response_a", "response_b": "p.response_b",
}  # fmt: skip


def _keep_pairs(gatherer: Gatherer, found: Found, key: str | None) -> None:
    """The table llmbar_pairs: a row an id (of the record where there is none), with its texts."""
    piece, con = found.piece, gatherer.con
    cell = f"trim({piece.cell(key)})" if key is not None else f"{piece.table}.rowid::VARCHAR"
    if key is not None:
        gatherer.refused(piece, f"coalesce({cell}, '') = ''", key, "is empty: verdicts find their pair by it")
        twice = f"{piece.table}.rowid NOT IN (SELECT min(rowid) FROM {piece.table} GROUP BY {cell})"
        gatherer.refused(
            piece, f"{twice} AND coalesce({cell}, '') <> ''", key, "stands for an earlier pair of the file already"
        )
    roles = ("prompt", "scenario", "model_a", "model_b", "response_a", "response_b")
    cells = ", ".join(f"{found.cell(role)} AS {role}" for role in roles)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE llmbar_pairs AS SELECT {piece.table}.rowid AS record, {cell} AS id, {cells} "
        f"FROM {piece.table} WHERE coalesce({cell}, '') <> '' "
        f"QUALIFY row_number() OVER (PARTITION BY {cell} ORDER BY {piece.table}.rowid) = 1"
    )


def _unread(con: duckdb.DuckDBPyConnection, piece: Piece, column: str) -> str:
    """SQL: the cell is no word for a side, and no 0 or 1 that `--set winner.0=...` explains."""
    return f"({outcome(con, piece, column)} = 'unread')"


def _add_verdicts(gatherer: Gatherer, piece: Piece, key: str | None) -> None:
    con, t = gatherer.con, piece.cell
    assert key is not None
    shown = pick(con, piece, "swapped", needed=False)
    judge, made_of = judge_names(con, piece, key, shown)
    winner, reason = pick_side(con, piece, "winner", needed=True), pick(con, piece, "reason", needed=False)
    assert winner is not None
    who = "/".join(made_of)
    _say(gatherer, piece.name, {"pair_id": key, "judge": who, "swapped": shown, "winner": winner, "reason": reason})
    joins = f"LEFT JOIN llmbar_pairs p ON p.id = trim({t(key)})"
    lost, unread = "p.id IS NULL", _unread(con, piece, winner)
    gatherer.refused(piece, lost, key, "is the id of no pair", joins)
    what = "is neither of the two responses, a tie, nor an invalid reply"
    gatherer.refused(piece, f"{unread} AND p.id IS NOT NULL", winner, what, joins)
    order = swapped(con, piece, shown) if shown is not None else "NULL"
    said = {"judge": judge, "judge_kind": "'llm'", "winner": outcome(con, piece, winner), "swapped": order}
    gatherer.add(
        piece, PAIR_CELLS | said | {"reason": t(reason) if reason else "NULL"}, joins, refuse=f"{lost} OR {unread}"
    )


def _say(gatherer: Gatherer, name: str, columns: dict[str, str | None]) -> None:
    """What was taken for what, where a column has another name than the one it is documented under."""
    other = [f"{column} as {role}" for role, column in columns.items() if column and column != ROLES[role][0]]
    if other:
        gatherer.inferred.append(f"{name}: {', '.join(other)}")
    if columns.get("winner"):
        gatherer.inferred.append(f"{name}: winners are read in the pair's own order, not as places on a screen")


# -- the project's own folders --------------------------------------------------------------------------------------


def _load_own(
    path: Path, files: list[Path], con: duckdb.DuckDBPyConnection, workdir: Path, progress: Progress
) -> RawTable:
    folder = path.is_dir()
    gatherer = Gatherer(COLUMNS, con, workdir, progress, total=len(files), in_folder=folder)
    subset: Path | None = None
    for file in files:
        name = file.relative_to(path).as_posix() if folder else file.name
        place = _place(file)
        if not folder and place is None and file.name != "dataset.json":
            raise FileError(f"{file.name} alone does not say whose verdicts it holds: give the folder of its subset")
        piece = gatherer.read(file, name, KEYS if place is None else (*KEYS, "results"))
        if piece is None:
            continue
        if _subset(file) != subset:
            # Without a dataset.json the first judge's file says what the pairs are.
            subset = _subset(file)
            here = subset.relative_to(path).as_posix() if folder else "."
            _own_pairs(gatherer, piece, path.name if here == "." and folder else here if folder else None)
        if place is not None:
            _own_verdicts(gatherer, piece, place[1])
        gatherer.drop(piece)
    con.execute("DROP TABLE IF EXISTS temp.llmbar_pairs")
    return gatherer.finish()


def _own_pairs(gatherer: Gatherer, piece: Piece, scenario: str | None) -> None:
    """The pairs of a subset, and the expert's labels of them. Ids are SUBSET-000, -001, ... in the file's order."""
    t, con = piece.cell, gatherer.con
    named = "NULL" if scenario is None else "'" + scenario.replace("'", "''") + "'"
    prefix = "''" if scenario is None else f"{named} || '-'"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE llmbar_pairs AS SELECT {piece.table}.rowid AS record,
        {prefix} || format('{{:03d}}', {piece.table}.rowid) AS id, {t("input")} AS prompt, {named}::VARCHAR AS scenario,
        NULL::VARCHAR AS model_a, NULL::VARCHAR AS model_b, {t("output_1")} AS response_a, {t("output_2")} AS response_b
        FROM {piece.table} QUALIFY row_number() OVER (
            PARTITION BY {t("input")}, {t("output_1")}, {t("output_2")} ORDER BY {piece.table}.rowid) = 1"""
    )
    joins = f"LEFT JOIN llmbar_pairs p ON p.record = {piece.table}.rowid"
    bad = f"coalesce(trim({t('label')}) NOT IN ('1', '2'), true)"
    gatherer.refused(piece, bad, "label", "a label is 1 (output_1) or 2 (output_2)")
    gatherer.refused(piece, f"p.id IS NULL AND NOT {bad}", "input", "and its outputs stand in the file before", joins)
    winner = f"CASE trim({t('label')}) WHEN '1' THEN 'a' ELSE 'b' END"
    said = {"judge": "'expert'", "judge_kind": "'human'", "winner": winner}
    gatherer.add(piece, PAIR_CELLS | said, joins, refuse=f"{bad} OR p.id IS NULL")


def _own_verdicts(gatherer: Gatherer, piece: Piece, judge: str) -> None:
    """A row for each order of each pair."""
    t, con = piece.cell, gatherer.con
    last = "\"swap = False\".winner", "\"swap = True\".winner"
    joins = (
        f"LEFT JOIN llmbar_pairs p ON p.prompt = {t('input')} AND p.response_a = {t('output_1')} "
        f"AND p.response_b = {t('output_2')}"
    )
    gatherer.refused(piece, "p.id IS NULL", "input", "and its outputs are no pair of the subset", joins)
    known = f"json_valid({t('results')}) AND json_type({t('results')}, '$[#-1]') = 'OBJECT'"
    gatherer.refused(
        piece, f"p.id IS NOT NULL AND NOT coalesce({known}, false)", "results", "holds no winner of either order", joins
    )
    name = judge.replace("'", "''")
    for order, where in zip(("false", "true"), last, strict=True):
        cell = f"json_extract_string({t('results')}, '$[#-1].{where}')"
        word = f"trim(coalesce({cell}, ''))"
        bad = f"{word} NOT IN ('', '1', '2', 'None', 'null')"
        fine = f"p.id IS NOT NULL AND coalesce({known}, false)"
        rows = con.execute(
            f"SELECT {piece.table}.rowid, {cell} FROM {piece.table} {joins} WHERE {fine} AND {bad} ORDER BY 1"
        ).fetchall()
        for line, (_, value) in zip(piece.raw.line_of([row for row, _ in rows]), rows, strict=True):
            gatherer.reject(Rejection(line, "results", value, "a winner is 1, 2 or nothing", file=piece.name))
        said = {
            "judge": f"'{name}'", "judge_kind": "'llm'", "swapped": f"'{order}'",
            "winner": f"CASE {word} WHEN '1' THEN 'a' WHEN '2' THEN 'b' ELSE 'none' END",
        }  # fmt: skip
        gatherer.add(piece, PAIR_CELLS | said, joins, refuse=f"NOT ({fine}) OR {bad}")
