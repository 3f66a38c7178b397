"""AnnotatedPairs of Feedback Forensics: pairs of responses annotated by people, by models, and by principles.

Reads one JSON object (also gzipped) with annotators {id: {name, description, type}}, metadata, and comparisons
[{id, prompt, response_a {text, model, ...}, response_b, annotations {id: {pref, no_pref_reason}}, metadata}]; version
1.0 has text_a and text_b in place of the responses, and text_a or text_b as a pref. The list is read piece by piece.

An annotator whose type is `principle` says which response has more of something ("Select the response that is more
concise"): it becomes a factor of the judgments on that pair, `is more concise`: 1 for the response that it chose and 0
for the other; 0 for both where it does not apply (not_applicable, neither), 1 for both where it holds for both; an
annotation that is invalid is no value. Every other annotator is a judge under its name (else description, else id);
type `human` is a human, `ai`, `llm` and `model` are llm, and of other types (unknown) the name decides, as always.
A pref of null is no verdict, with no_pref_reason `tie` a tie.
The models are response_a.model, else model_a of the comparison's metadata. A comparison without a prompt is a prompt of
its own, by its id. Metadata of a comparison are columns `metadata.KEY`, for --map and --attribute.
Defined in: https://github.com/rdnfn/feedback-forensics (src/feedback_forensics/data/loader.py and a file of version 2.0
were read) and https://github.com/rdnfn/icai (annotated_pairs_format.py of version 1.0 was read). From memory: prefs and
reasons other than a, b, null, not_applicable and invalid.
Shown order: not recorded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from data.fields import FIELDS, canonical
from data.importers import heads
from data.importers.gather import Gatherer, Piece
from data.importers.json_path import value_at
from data.importers.table import RawTable, run_sql
from data.model import Progress
from errors import FileError

NAME = "annotated_pairs"
LIST = "comparisons"
TEXTS = (
    "prompt", "prompt_id", "pair_id", "model_a", "model_b", "response_a", "response_b", "judge", "judge_kind", "winner",
)  # fmt: skip
KINDS = {"human": "human", "ai": "llm", "llm": "llm", "model": "llm"}
PREFS = {"a": "a", "text_a": "a", "response_a": "a", "b": "b", "text_b": "b", "response_b": "b", "tie": "tie"}
BOTH, NEITHER = ("both",), ("neither", "not_applicable", "none")
MOST = 50
"""Keys of the comparisons' metadata that become columns."""


def sniff(path: Path) -> bool:
    """A JSON object with comparisons, the first of which has annotations of two responses."""
    try:
        first = heads.outline(path).get(LIST)
    except OSError:
        return False
    if not isinstance(first, list) or not first or not isinstance(first[0], dict):
        return False
    return isinstance(first[0].get("annotations"), dict) and bool({"response_a", "text_a"} & set(first[0]))


@dataclass(frozen=True)
class _Annotator:
    """One of the file's annotators. factor : the name of the factor, of a principle; else None"""

    key: str
    judge: str
    kind: str | None
    factor: str | None


def load(path: Path, con: duckdb.DuckDBPyConnection, workdir: Path, progress: Progress) -> RawTable:
    """Fill `raw` with a row a verdict: TEXTS, the metadata, and NAME_a, NAME_b of each principle.

    Raises FileError for a folder, and when the file is no such object or cannot be read.
    """
    if path.is_dir():
        raise FileError(f"{path.name} is a folder: the format {NAME} reads single files")
    gatherer = Gatherer(TEXTS, con, workdir, progress, total=2, in_folder=False)
    piece = gatherer.read(path, path.name, ("annotations",), within=LIST)
    if piece is None:
        raise FileError(gatherer.rejections[-1].reason)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE pair_note AS SELECT record, e.key AS annotator,
            k, json_type(e."value") AS kind, e."value" ->> '$.pref' AS pref, e."value" ->> '$.no_pref_reason' AS why
        FROM (SELECT record, unnest(notes) AS e, unnest(range(1, len(notes) + 1)) AS k FROM (
            SELECT rowid AS record, map_entries(TRY(from_json({piece.cell("annotations")}, '"MAP(VARCHAR, JSON)"')))
                AS notes FROM {piece.table}))"""
    )
    annotators = _annotators(con, piece.raw.beside.get("annotators"))
    keys = _metadata_keys(con, piece)
    principles = [one for one in annotators if one.factor is not None]
    columns = (
        *TEXTS, *(f"metadata.{key}" for key in keys), *(f"{one.factor}_{side}" for one in principles for side in "ab")
    )  # fmt: skip
    gatherer.expect(columns)
    _add(gatherer, piece, annotators, keys)
    con.execute(f"DROP TABLE temp.pair_note; DROP TABLE temp.pair_annotator; DROP TABLE {piece.table}")
    return gatherer.finish()


def _annotators(con: duckdb.DuckDBPyConnection, listed: Any) -> list[_Annotator]:
    """Those listed, and those who are not but have annotated; also as the table pair_annotator."""
    told = listed if isinstance(listed, dict) else {}
    found = [str(key) for (key,) in con.execute("SELECT DISTINCT annotator FROM pair_note ORDER BY 1").fetchall()]
    out: list[_Annotator] = []
    taken: set[str] = set()
    for key in [*told, *(key for key in found if key not in told)]:
        if key not in found:
            continue
        about = told.get(key)
        facts = {name: str(value) for name, value in about.items() if value} if isinstance(about, dict) else {}
        kind = facts.get("type", "").strip().lower()
        name = facts.get("name") or facts.get("description") or key
        if kind == "principle":
            name = re.sub(r"^\s*select the response that\s+", "", facts.get("description") or name, flags=re.I)
            name = name.strip(" .") or key
            name = f"principle {name}" if canonical(f"{name}_a") in FIELDS else name
        while name in taken:
            name = f"{name} ({key})"
        taken.add(name)
        out.append(_Annotator(key, name, KINDS.get(kind), name if kind == "principle" else None))
    cells = {
        "annotator": [one.key for one in out], "judge": [one.judge for one in out], "kind": [one.kind for one in out],
        "principle": [one.factor is not None for one in out], "nth": list(range(len(out))),
    }  # fmt: skip
    types = (pa.string(), pa.string(), pa.string(), pa.bool_(), pa.int64())
    arrays = [pa.array(values, kind) for values, kind in zip(cells.values(), types, strict=True)]
    con.register("annotators_read", pa.table(arrays, names=list(cells)))
    con.execute("CREATE OR REPLACE TEMP TABLE pair_annotator AS FROM annotators_read")
    con.unregister("annotators_read")
    return out


def _metadata_keys(con: duckdb.DuckDBPyConnection, piece: Piece) -> list[str]:
    cell = piece.cell("metadata")
    if cell == "NULL":
        return []
    found = con.execute(
        f"SELECT key, count(*) FROM (SELECT unnest(TRY(json_keys({cell}))) AS key FROM {piece.table}) "
        f"GROUP BY key ORDER BY 2 DESC, 1 LIMIT {MOST}"
    ).fetchall()
    return sorted(key for key, _ in found)


def _add(gatherer: Gatherer, piece: Piece, annotators: list[_Annotator], keys: list[str]) -> None:
    t, con = piece.cell, gatherer.con
    word = "lower(trim(coalesce(n.pref, '')))"
    reason = "lower(trim(coalesce(n.why, '')))"
    known = ", ".join(f"'{pref}'" for pref in PREFS)
    whens = " ".join(f"WHEN '{pref}' THEN '{side}'" for pref, side in PREFS.items())
    said = f"CASE {word} {whens} WHEN '' THEN CASE {reason} WHEN 'tie' THEN 'tie' ELSE 'none' END END"
    joins = (
        f"JOIN temp.pair_note n ON n.record = {piece.table}.rowid "
        "JOIN temp.pair_annotator j ON j.annotator = n.annotator"
    )
    extra = ", ".join(f"'{word}'" for word in (*BOTH, *NEITHER))
    bad = (
        "CASE WHEN n.kind <> 'OBJECT' THEN 'is no annotation: {\"pref\": \"a\"}' "
        f"WHEN {word} NOT IN ({known}, '') AND NOT (j.principle AND {word} IN ({extra})) "
        "THEN 'is no preference: a, b, tie or null' END"
    )
    shown = "j.judge || ': ' || coalesce(n.pref, n.kind)"
    gatherer.refused_as(piece, "'annotations'", shown, bad, joins, "n.k")
    judged = "SELECT record FROM temp.pair_note JOIN temp.pair_annotator USING (annotator) WHERE NOT principle"
    silent = (
        f"CASE WHEN {piece.table}.rowid NOT IN ({judged}) "
        "THEN 'holds no preference of a judge, only those of principles or none at all' END"
    )
    gatherer.refused_as(piece, "'annotations'", "NULL", silent)
    factors = _factors(gatherer, annotators, word, reason)
    model = {
        side: f"coalesce({_of(t(f'response_{side}'), 'model')}, {_of(t('metadata'), f'model_{side}')})" for side in "ab"
    }
    text = {side: f"coalesce({_of(t(f'response_{side}'), 'text')}, {t(f'text_{side}')})" for side in "ab"}
    blank = f"trim(coalesce({t('prompt')}, '')) = ''"
    bare = con.execute(f"SELECT count(*) FROM {piece.table} WHERE {blank}").fetchall()[0][0]
    if bare:
        gatherer.inferred.append(f"{bare:,} comparisons have no prompt: each is a prompt of its own, by its id")
    number = f"{piece.table}.rowid::VARCHAR"
    gatherer.add(
        piece,
        {
            "prompt": t("prompt"),
            "prompt_id": f"CASE WHEN {blank} THEN coalesce({t('id')}, {number}) END",
            "pair_id": t("id"),
            "model_a": model["a"],
            "model_b": model["b"],
            "response_a": text["a"],
            "response_b": text["b"],
            "judge": "j.judge",
            "judge_kind": "j.kind",
            "winner": said,
        }
        | {f"metadata.{key}": _of(t("metadata"), key) for key in keys}
        | factors,
        f"{joins} LEFT JOIN temp.pair_factor f ON f.record = {piece.table}.rowid",
        refuse=f"j.principle OR ({bad}) IS NOT NULL",
        then="n.k",
    )
    con.execute("DROP TABLE temp.pair_factor")


def _of(cell: str, key: str) -> str:
    """SQL for a text within a cell that is a JSON object."""
    if cell == "NULL":
        return "NULL::VARCHAR"
    return value_at(cell, key)


def _factors(gatherer: Gatherer, annotators: list[_Annotator], word: str, reason: str) -> dict[str, str]:
    """The table pair_factor, a row a comparison with what each principle says, and the SQL of the cells from it."""
    principles = [(nth, one) for nth, one in enumerate(annotators) if one.factor is not None]
    sides = {}
    for side, other in (("a", "b"), ("b", "a")):
        mine, theirs = ([f"'{p}'" for p, s in PREFS.items() if s == of] for of in (side, other))
        both, neither, tie = ([f"'{w}'" for w in words] for words in (BOTH, NEITHER, ("tie",)))
        sides[side] = (
            f"CASE WHEN {word} IN ({', '.join(mine + both)}) THEN '1' "
            f"WHEN {word} IN ({', '.join([*theirs, *neither, *tie])}) THEN '0' WHEN {word} = '' THEN CASE "
            f"WHEN {reason} IN ({', '.join(both)}) THEN '1' WHEN {reason} IN ({', '.join(neither)}) THEN '0' END END"
        )
    cells = "".join(
        f", max({sides[side]}) FILTER (j.nth = {nth}) AS f{nth}_{side}" for nth, _ in principles for side in "ab"
    )
    sql = (
        f"CREATE OR REPLACE TEMP TABLE pair_factor AS SELECT n.record{cells} FROM temp.pair_note n "
        "JOIN temp.pair_annotator j ON j.annotator = n.annotator GROUP BY n.record"
    )
    run_sql(gatherer.con, sql, (), gatherer.progress, "reading what the principles say")
    return {f"{one.factor}_{side}": f"f.f{nth}_{side}" for nth, one in principles for side in "ab"}
