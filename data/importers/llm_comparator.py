"""LLM Comparator: answers of two models side by side, with the scores of an LLM judge.

Reads one JSON object (also gzipped) with models [{name}, {name}] (A, B), metadata {custom_fields_schema} and examples
[{input_text, tags, output_text_a, output_text_b, score, individual_rater_scores, custom_fields}]. The list is read
piece by piece. Texts are strings, or lists of {type, data}, of which a picture is kept as `[image 1f3a9c02]`.

A positive score says that A is better, a negative one B, 0 is a tie, null no verdict. Where an example has
individual_rater_scores [{score, is_flipped, rationale}], each of them is a judgment (a later one of the same order a
repeat), and their mean, the score, is left out; else the score is the judgment. The size of a score is kept as
confidence; the column `graded` has 1/2 + score / 3 (scores run from -1.5 to 1.5), for `--map p_a=graded`.
The judge's name is not in the file: it is called `rater`; `--set judge=NAME` says who it was.
The first tag is the scenario. Custom fields of the types per_model_number, per_model_boolean and per_model_category
become factors of the answers, the others columns `custom.NAME`, for --map and --attribute.
Defined in: https://github.com/PAIR-code/llm-comparator (README.md, client/lib/types.ts, python/src/llm_comparator and
docs/data/example_tiny.json were read).
Shown order: recorded for individual scores (is_flipped: B was shown first; the score is already turned back, while the
rationale speaks of what was shown), not for the score of an example.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from data.fields import FIELDS, canonical
from data.importers import conversations, heads
from data.importers.gather import Gatherer, Piece
from data.importers.json_path import value_at
from data.importers.table import RawTable
from data.model import Progress
from errors import FileError

NAME = "llm_comparator"
LIST = "examples"
TEXTS = (
    "prompt", "scenario", "model_a", "model_b", "response_a", "response_b", "judge", "winner", "swapped", "confidence",
    "reason", "graded",
)  # fmt: skip
KEYS = ("input_text", "output_text_a", "output_text_b", "score")
JUDGE = "rater"
FACTORS = ("per_model_number", "per_model_boolean", "per_model_category")


def sniff(path: Path) -> bool:
    """A JSON object with examples, the first of which has two outputs and a score."""
    try:
        first = heads.outline(path).get(LIST)
    except OSError:
        return False
    return isinstance(first, list) and bool(first) and isinstance(first[0], dict) and set(KEYS) <= set(first[0])


def load(path: Path, con: duckdb.DuckDBPyConnection, workdir: Path, progress: Progress) -> RawTable:
    """Fill `raw` with a row a score: TEXTS, the custom fields, and NAME_a, NAME_b of those of each model.

    Raises FileError for a folder, and when the file is no such object, has not two models, or cannot be read.
    """
    if path.is_dir():
        raise FileError(f"{path.name} is a folder: the format {NAME} reads single files")
    gatherer = Gatherer(TEXTS, con, workdir, progress, total=2, in_folder=False)
    piece = gatherer.read(path, path.name, KEYS, within=LIST)
    if piece is None:
        raise FileError(gatherer.rejections[-1].reason)
    models = _models(path.name, piece.raw.beside.get("models"))
    schema = _schema(piece.raw.beside.get("metadata"))
    gatherer.expect([*TEXTS, *(column for name, kind in schema.items() for column in _columns(name, kind))])
    _add(gatherer, piece, models, schema)
    con.execute(f"DROP TABLE temp.comparator_score; DROP TABLE {piece.table}")
    return gatherer.finish()


def _models(name: str, listed: Any) -> tuple[str | None, str | None]:
    """The names of A and B; None where the file does not give them."""
    if listed is None:
        return None, None
    names = [str(one.get("name") or "").strip() if isinstance(one, dict) else "" for one in listed]
    if not isinstance(listed, list) or len(names) != 2:
        raise FileError(f"{name} names {len(names)} models: two are compared, A and B")
    return names[0] or None, names[1] or None


def _schema(metadata: Any) -> dict[str, str]:
    """Name -> type of each custom field, in the file's order."""
    fields = metadata.get("custom_fields_schema") if isinstance(metadata, dict) else None
    out: dict[str, str] = {}
    for field in fields if isinstance(fields, list) else ():
        if isinstance(field, dict) and isinstance(field.get("name"), str) and field["name"].strip():
            out.setdefault(field["name"].strip(), str(field.get("type")))
    return out


def _columns(name: str, kind: str) -> list[str]:
    """The columns of a custom field."""
    if kind not in FACTORS:
        return [f"custom.{name}"]
    stem = f"custom {name}" if canonical(f"{name}_a") in FIELDS else name
    return [f"{stem}_a", f"{stem}_b"]


def _add(gatherer: Gatherer, piece: Piece, models: tuple[str | None, str | None], schema: dict[str, str]) -> None:
    t, con = piece.cell, gatherer.con
    ratings = f"TRY(from_json({t('individual_rater_scores')}, '[\"JSON\"]'))"
    own = f"coalesce({t('score')}, 'null')"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE comparator_score AS WITH listed AS (
            SELECT rowid AS record, {own} AS score, {ratings} AS ratings FROM {piece.table}),
        scored AS (
            SELECT record, 0 AS k, 'score' AS field, score AS said, NULL AS flipped, NULL AS reason, NULL AS bad
            FROM listed WHERE len(coalesce(ratings, [])) = 0
            UNION ALL SELECT record, k, 'individual_rater_scores',
                CASE WHEN json_type(r) = 'OBJECT' THEN coalesce(r ->> '$.score', 'null') ELSE r::VARCHAR END,
                r ->> '$.is_flipped', r ->> '$.rationale',
                CASE WHEN json_type(r) <> 'OBJECT' THEN 'is no rating: {{"score": 1.5, "is_flipped": false}}' END
            FROM (SELECT record, unnest(ratings) AS r, unnest(range(1, len(ratings) + 1)) AS k FROM listed))
        SELECT *, CASE WHEN isfinite(try_cast(said AS DOUBLE)) THEN try_cast(said AS DOUBLE) END AS score,
            CASE WHEN bad IS NOT NULL THEN bad
                WHEN said <> 'null' AND NOT coalesce(isfinite(try_cast(said AS DOUBLE)), false)
                THEN 'is no number: above 0 A is better, below 0 B' END AS wrong FROM scored"""
    )
    joins = f"JOIN temp.comparator_score s ON s.record = {piece.table}.rowid"
    gatherer.refused_as(piece, "s.field", "s.said", "s.wrong", joins, "s.k")
    a, b = ("NULL" if name is None else "'" + name.replace("'", "''") + "'" for name in models)
    gatherer.add(
        piece,
        {
            "prompt": _text(t("input_text")),
            "scenario": f"nullif(trim({_list(t('tags'))}[1]), '')",
            "model_a": a,
            "model_b": b,
            "response_a": _text(t("output_text_a")),
            "response_b": _text(t("output_text_b")),
            "judge": f"'{JUDGE}'",
            "winner": "CASE sign(s.score) WHEN 1 THEN 'a' WHEN -1 THEN 'b' WHEN 0 THEN 'tie' ELSE 'none' END",
            "swapped": "s.flipped",
            "confidence": "abs(s.score)::VARCHAR",
            "reason": "s.reason",
            "graded": "CASE WHEN abs(s.score) <= 1.5 THEN (0.5::DOUBLE + s.score / 3)::VARCHAR END",
        }
        | _custom(t("custom_fields"), schema),
        joins,
        refuse="s.wrong IS NOT NULL",
        then="s.k",
    )
    several, means = con.execute(
        f"SELECT count(*) FILTER (len({_list(t('tags'))}) > 1), count(*) FILTER (len(coalesce({ratings}, [])) > 0) "
        f"FROM {piece.table}"
    ).fetchall()[0]
    if several:
        gatherer.inferred.append(f"{several:,} examples have several tags: the first is the scenario")
    if means:
        gatherer.inferred.append(f"{means:,} examples have individual scores: these are the judgments, not their mean")
    gatherer.inferred.append(f"the judge's name is not in the file: {JUDGE!r}; --set judge=NAME gives it one")


def _list(cell: str) -> str:
    """SQL for a list of texts in a cell; NULL where there is none."""
    return "NULL::VARCHAR[]" if cell == "NULL" else f"TRY(from_json({cell}, '[\"VARCHAR\"]'))"


def _text(cell: str) -> str:
    """SQL for a text, or for the texts of a list of chunks {type, data}."""
    chunks = f"TRY(CASE WHEN starts_with({cell}, '[{{') THEN from_json({cell}, '{conversations.BLOCK}') END)"
    others = f"list_filter({chunks}, lambda c: c IS NULL OR c.type IS NULL OR c.data IS NULL)"
    whole = conversations.text(f"{cell}::JSON", chunks)
    return f"CASE WHEN len({chunks}) > 0 AND len({others}) = 0 THEN {whole} ELSE {cell} END"


def _custom(cell: str, schema: dict[str, str]) -> dict[str, str]:
    """The cells of the custom fields."""
    out: dict[str, str] = {}
    for name, kind in schema.items():
        if cell == "NULL":
            values = ["NULL", "NULL"]
        elif kind in FACTORS:
            values = [value_at(cell, name, k) for k in (0, 1)]
        else:
            values = [value_at(cell, name)]
        out |= dict(zip(_columns(name, kind), values, strict=False))
    return out
