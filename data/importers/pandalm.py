"""PandaLM's test set: each pair of answers judged by three annotators, and by LLM judges in files beside it.

Reads: a folder with testset-v1.json (idx, motivation_app, cmp_key, instruction, input, response1, response2, and a
column annotator1, annotator2, ... each), and any number of JUDGE-testset-v1.json (idx, NAME_result, NAME_reason), or
one of these files alone. The judges are called as their files are (`gpt-3.5-turbo`, `pandalm-7b`), the people `human`
with the annotators' columns as their names. A verdict is 0 or tie, 1 (response1, side a) or 2; `garbage`, or nothing at
all, is a judge's answer without a verdict. A judge's file without testset-v1.json adds verdicts to the pairs that the
dataset has under these ids (pair_id = idx).
`cmp_key` names the two models, that of response1 first: 72 to 28 for LLaMA-7B against Bloom-7B by majority of the
annotators, as published. The scenario is motivation_app, the prompt the instruction with its input. A response that is
the JSON value true or false is read as that word.
Defined in: the PandaLM project, https://github.com/WeOpenML/PandaLM, folder `data` (Wang et al. 2024, arXiv
2306.05087).
Shown order: not recorded.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb

from data.importers.gather import Gatherer, Piece
from data.importers.table import RawTable
from data.model import Progress, Rejection
from errors import FileError

NAME = "pandalm"
COLUMNS = (
    "prompt", "scenario", "pair_id", "model_a", "model_b", "response_a", "response_b", "judge", "judge_kind",
    "annotator", "winner", "reason",
)  # fmt: skip
PAIRS = "testset-v1.json"
KEYS = ("idx", "cmp_key", "instruction", "response1", "response2")
NO_VERDICT = ("", "garbage", "none", "null", "invalid", "refused", "error", "n/a")
ANNOTATOR = re.compile(r"annotator_?\d+")
FIRST = 1 << 20
"""Bytes in which the first record must end to be recognised."""


def sniff(path: Path) -> bool:
    """A file whose first record has the keys of pairs, or of one judge's results; or a folder with one."""
    if path.is_dir():
        return any(_first_keys(file) for file in _files(path))
    return _first_keys(path)


def _files(folder: Path) -> list[Path]:
    """The pairs first, then the judges by name."""
    return [folder / PAIRS] * (folder / PAIRS).is_file() + sorted(
        file for file in folder.glob(f"*-{PAIRS}") if file.is_file()
    )


def _first_keys(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            text = file.read(FIRST).decode("utf-8-sig", "ignore").lstrip()
        if not text.startswith("["):
            return False
        record, _ = json.JSONDecoder().raw_decode(text[1:].lstrip())
    except (OSError, ValueError, RecursionError):
        return False
    if not isinstance(record, dict):
        return False
    return set(KEYS) <= set(record) or (path.name.endswith(f"-{PAIRS}") and "idx" in record and _has_result(record))


def _has_result(columns: object) -> bool:
    return len(_results(columns)) == 1


def _results(columns: object) -> list[str]:
    return [str(name) for name in columns if str(name).endswith("_result")]  # type: ignore[attr-defined]


def load(path: Path, con: duckdb.DuckDBPyConnection, workdir: Path, progress: Progress) -> RawTable:
    """Fill `raw` with the canonical COLUMNS: the people, annotator after annotator, then judge after judge.

    Raises FileError when none of the files is there or can be read; a damaged one beside good ones is a rejection.
    """
    folder = path.is_dir()
    files = _files(path) if folder else [path]
    if not files:
        raise FileError(f"{path.name} holds neither {PAIRS} nor a JUDGE-{PAIRS}, which the format {NAME} reads")
    gatherer = Gatherer(COLUMNS, con, workdir, progress, total=len(files), in_folder=folder)
    judged = [file for file in files if file.name.endswith(f"-{PAIRS}")]
    pairs = [file for file in files if file not in judged]
    known = False
    for file in pairs:
        piece = gatherer.read(file, file.name, KEYS)
        if piece is not None:
            known = True
            _add_people(gatherer, piece)
    if not known:
        gatherer.inferred.append(
            f"{PAIRS} is not there or cannot be read: verdicts go to the pairs that the dataset has under these ids"
        )
    elif not judged and folder:
        gatherer.inferred.append(f"no JUDGE-{PAIRS} is there: people alone")
    for file in judged:
        piece = gatherer.read(file, file.name, ("idx",))
        if piece is not None:
            _add_judge(gatherer, piece, file.name.removesuffix(f"-{PAIRS}"), known)
    con.execute("DROP TABLE IF EXISTS temp.pandalm_pairs")
    return gatherer.finish()


def _add_people(gatherer: Gatherer, piece: Piece) -> None:
    """The table pandalm_pairs, a row an idx, and a row of `raw` for each annotator's label of it."""
    t, con = piece.cell, gatherer.con
    twice = f"({piece.table}.rowid NOT IN (SELECT min(rowid) FROM {piece.table} GROUP BY {t('idx')}))"
    nothing = f"({t('idx')} IS NULL)"
    gatherer.refused(piece, nothing, "idx", "is empty")
    gatherer.refused(piece, f"{twice} AND NOT {nothing}", "idx", "stands for an earlier record of the file already")
    con.execute("CREATE OR REPLACE TEMP TABLE pandalm_models (cmp_key VARCHAR, one VARCHAR, two VARCHAR)")
    con.executemany("INSERT INTO pandalm_models VALUES (?, ?, ?)", _models(con, piece) or [(None, None, None)])
    nameless = f"coalesce({t('cmp_key')} NOT IN (SELECT cmp_key FROM pandalm_models WHERE one IS NOT NULL), true)"
    reason = "does not name two models, MODEL_MODEL, in one way only"
    gatherer.refused(piece, f"{nameless} AND NOT {twice} AND NOT {nothing}", "cmp_key", reason)
    blank = f"trim(coalesce({t('input')}, '')) = ''"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE pandalm_pairs AS SELECT {piece.table}.rowid AS record, {t("idx")} AS idx,
        {t("instruction")} || CASE WHEN {blank} THEN '' ELSE chr(10) || chr(10) || {t("input")} END AS prompt,
        {t("motivation_app")} AS scenario, m.one, m.two, {t("response1")} AS response_a, {t("response2")} AS response_b
        FROM {piece.table} LEFT JOIN pandalm_models m ON m.cmp_key = {t("cmp_key")}
        WHERE NOT ({nothing} OR {twice} OR {nameless});
        DROP TABLE pandalm_models"""
    )
    annotators = [column for column in piece.raw.columns if ANNOTATOR.fullmatch(column)]
    if not annotators:
        gatherer.inferred.append(f"{piece.name} has no column annotator1, annotator2, ...: no people")
    joins = f"JOIN pandalm_pairs p ON p.record = {piece.table}.rowid"
    for annotator in annotators:
        word = _word(t(annotator))
        empty = f"({word} = '')"
        bad = f"({word} NOT IN ('', '0', '1', '2', 'tie'))"
        n = con.execute(f"SELECT count(*) FROM {piece.table} {joins} WHERE {empty}").fetchall()[0][0]
        if n:
            gatherer.inferred.append(f"{annotator} has not judged {n:,} of the pairs")
        reason = "a label is 0 (tie), 1 (response1) or 2 (response2)"
        gatherer.refused(piece, bad, annotator, reason, joins)
        people = {"judge": "'human'", "judge_kind": "'human'", "annotator": f"'{annotator}'", "winner": _winner(word)}
        gatherer.add(piece, PAIR_CELLS | people, joins, refuse=f"{empty} OR {bad}")
    gatherer.drop(piece)


PAIR_CELLS = {
    "prompt": "p.prompt", "scenario": "p.scenario", "pair_id": "p.idx", "model_a": "p.one", "model_b": "p.two",
    "response_a": "p.response_a", "response_b": "p.response_b",
}  # fmt: skip


def _word(cell: str) -> str:
    """A verdict in lower case, 1.0 as 1; nothing as the empty word."""
    return f"regexp_replace(lower(trim(coalesce({cell}, ''))), '[.]0+$', '')"


def _winner(word: str) -> str:
    return f"CASE {word} WHEN '1' THEN 'a' WHEN '2' THEN 'b' WHEN '0' THEN 'tie' WHEN 'tie' THEN 'tie' ELSE 'none' END"


def _models(con: duckdb.DuckDBPyConnection, piece: Piece) -> list[tuple[str, str, str]]:
    """Each cmp_key with its two models; one with more underscores is divided where both parts are known from others."""
    found = con.execute(f"SELECT DISTINCT {piece.cell('cmp_key')} FROM {piece.table} ORDER BY 1").fetchall()
    ways = {
        key: [(key[:at], key[at + 1 :]) for at, c in enumerate(key) if c == "_" and 0 < at < len(key) - 1]
        for (key,) in found
        if key is not None
    }
    known = {model for splits in ways.values() if len(splits) == 1 for model in splits[0]}
    out = []
    for key, splits in ways.items():
        fit = splits if len(splits) == 1 else [s for s in splits if s[0] in known and s[1] in known]
        if len(fit) == 1:
            out.append((key, fit[0][0].strip(), fit[0][1].strip()))
    return out


def _add_judge(gatherer: Gatherer, piece: Piece, judge: str, known: bool) -> None:
    """A row for each verdict of one judge. known : whether the pairs are, in pandalm_pairs"""
    t = piece.cell
    results = _results(piece.raw.columns)
    if len(results) != 1:
        have = ", ".join(results) or ", ".join(piece.raw.columns[:10])
        reason = f"{piece.name} should have one column NAME_result with the verdicts; it has {have}"
        gatherer.reject(Rejection(None, None, None, reason, file=piece.name))
        return
    word = _word(t(results[0]))
    listed = ", ".join(f"'{w}'" for w in NO_VERDICT)
    bad = f"({word} NOT IN ('0', '1', '2', 'tie', {listed}))"
    gatherer.refused(piece, bad, results[0], "a result is 0 or tie, 1, 2, or garbage (no verdict)")
    joins, wrong = "", bad
    cells = {"pair_id": t("idx")}
    if known:
        joins = f"LEFT JOIN pandalm_pairs p ON p.idx = {t('idx')}"
        gatherer.refused(piece, f"p.idx IS NULL AND NOT {bad}", "idx", f"is no pair of {PAIRS}", joins)
        wrong = f"{bad} OR p.idx IS NULL"
        cells = PAIR_CELLS
    name = judge.replace("'", "''")
    said = {
        "judge": f"'{name}'", "judge_kind": "'llm'", "winner": _winner(word),
        "reason": t(f"{results[0].removesuffix('_result')}_reason"),
    }  # fmt: skip
    gatherer.add(piece, cells | said, joins, refuse=wrong)
    gatherer.drop(piece)
