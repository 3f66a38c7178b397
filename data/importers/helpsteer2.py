"""HelpSteer2: which of two answers people preferred and how strongly, and how they rated each answer in five respects.

Reads JSON lines (also gzipped), a JSON array, Parquet or CSV, a file or a folder of such files, in one of two layouts:

- preferences: prompt, response_1, response_2, preference_strength; where they are preference_statement and
  preference_elaboration (the reason), all_preferences_unprocessed [{strength, justification}] and
  three_most_similar_preferences [{strength, statement, elaboration}], split. A strength is a whole number from -3
  (response 1, side a, is much better) to 3 (response 2, side b); 0 is a tie.
- ratings: prompt, response, helpfulness, correctness, coherence, complexity, verbosity, each from 0 to 4, or a list of
  such numbers, one an annotator, of which the mean is taken. Records with the same prompt are paired in their order.

From preferences come the judge `human`, the published preference (a mean of the annotators who agree most), and the
judge `annotators`, their single votes before any was left out: those of all_preferences_unprocessed, else of
three_most_similar_preferences. Their names are not in the file, so that each is an unnamed vote. The size of a strength
is kept as confidence; the column `graded` has (3 - strength) / 6, for `--map p_a=graded`.
From ratings comes the judge `ratings`: the answer with the higher rating wins, equal is a tie; helpfulness, which the
annotators were told is the overall one, is the criterion overall, the other four are criteria of their own. The five
are factors of the answers too.
Models are not in the files: rankings are not possible. In prompts of several turns the marks of the turns
(<extra_id_1>) stay as they are.
Defined in: the card of nvidia/HelpSteer2, which was read (Wang et al. 2024, arXiv 2406.08673 and 2410.01257); the
folders preference/ and disagreements/ are those that it gives for loading.
Shown order: not recorded.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from data.importers import heads
from data.importers.gather import Gatherer, Piece
from data.importers.table import RawTable
from data.model import Progress
from errors import FileError

NAME = "helpsteer2"
RATED = ("helpfulness", "correctness", "coherence", "complexity", "verbosity")
COLUMNS = (
    "prompt", "response_a", "response_b", "judge", "judge_kind", "winner", "criterion", "score_a", "score_b",
    "confidence", "reason", "graded", "split", *(f"{name}_{side}" for name in RATED for side in "ab"),
)  # fmt: skip
OPTIONAL = frozenset({"graded", "split", *(f"{name}_{side}" for name in RATED for side in "ab")})
PREFERENCE = frozenset({"prompt", "response_1", "response_2", "preference_strength"})
RATING = frozenset({"prompt", "response", *RATED})
ALL, SIMILAR = "all_preferences_unprocessed", "three_most_similar_preferences"
SUFFIXES = (".parquet", ".json", ".jsonl", ".csv", ".gz")
_VOTES = '[{"strength":"VARCHAR","justification":"VARCHAR","statement":"VARCHAR","elaboration":"VARCHAR"}]'
STRENGTHS = "a strength is a whole number from -3 (response 1 is much better) to 3 (response 2)"
LIST = "is no list of preferences with their strengths"


def sniff(path: Path) -> bool:
    """A file with the columns of one of the layouts, or a folder with such a file."""
    try:
        return bool(_files(path)) if path.is_dir() else _layout(path) is not None
    except OSError:
        return False


def _layout(path: Path) -> str | None:
    """preferences, ratings, or lists (of ratings); None where the columns are of neither."""
    columns = heads.columns(path)
    if columns >= PREFERENCE:
        return "preferences"
    return None if not columns >= RATING else "lists" if path.parent.name == "disagreements" else "ratings"


def _files(folder: Path) -> list[tuple[Path, str]]:
    found = sorted(file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    return [(file, layout) for file in found if (layout := _layout(file)) is not None]


def load(path: Path, con: duckdb.DuckDBPyConnection, workdir: Path, progress: Progress) -> RawTable:
    """Fill `raw` with the canonical COLUMNS, file after file in the order of their names.

    Raises FileError when no file has one of the layouts, or none can be read; a damaged one among good ones is a
    rejection.
    """
    folder = path.is_dir()
    files = _files(path) if folder else [(path, _layout(path) or "preferences")]
    if not files:
        raise FileError(f"{path.name} holds no preferences (prompt, response_1, ...) or ratings of HelpSteer2")
    layouts = [layout for _, layout in files]
    gatherer = Gatherer(COLUMNS, con, workdir, progress, total=len(files), in_folder=folder)
    for file, layout in files:
        name = file.relative_to(path).as_posix() if folder else file.name
        if layout == "lists" and "ratings" in layouts:
            gatherer.inferred.append(f"{name} is left out: the ratings beside it are its means")
            gatherer.taken += 1
            continue
        piece = gatherer.read(file, name, sorted(PREFERENCE if layout == "preferences" else RATING))
        if piece is None:
            continue
        (_add_preferences if layout == "preferences" else _add_ratings)(gatherer, piece)
        gatherer.drop(piece)
    return gatherer.finish(OPTIONAL)


def _add_preferences(gatherer: Gatherer, piece: Piece) -> None:
    """A row for the published preference of each record, and one for each annotator's."""
    t, con = piece.cell, gatherer.con
    reason = _both(t("preference_statement"), t("preference_elaboration"))
    single = ALL if ALL in piece.raw.columns else SIMILAR
    votes = f"TRY(from_json({t(single)}, '{_VOTES}'))"
    said = f"coalesce(v.justification, {_both('v.statement', 'v.elaboration')})"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE helpsteer_vote AS WITH listed AS (
            SELECT rowid AS record, {t(single)} AS cell, {votes} AS votes FROM {piece.table})
        SELECT rowid AS record, 0 AS k, 'human' AS judge, 'preference_strength' AS field,
            {t("preference_strength")} AS strength, {reason} AS reason, NULL::VARCHAR AS bad FROM {piece.table}
        UNION ALL SELECT record, k, 'annotators', '{single}', v.strength, {said}, NULL FROM (
            SELECT record, unnest(votes) AS v, unnest(range(1, len(votes) + 1)) AS k FROM listed)
        UNION ALL SELECT record, 1, 'annotators', '{single}', cell, NULL, '{LIST}' FROM listed
        WHERE votes IS NULL AND trim(coalesce(cell, '')) <> ''"""
    )
    con.execute(
        f"""ALTER TABLE helpsteer_vote ADD COLUMN s INTEGER; UPDATE helpsteer_vote SET
        s = CASE WHEN bad IS NULL AND try_cast(strength AS DOUBLE) IN (-3, -2, -1, 0, 1, 2, 3)
            THEN try_cast(strength AS DOUBLE)::INTEGER END;
        UPDATE helpsteer_vote SET bad = '{STRENGTHS}' WHERE s IS NULL AND bad IS NULL"""
    )
    joins = f"JOIN helpsteer_vote v ON v.record = {piece.table}.rowid"
    gatherer.refused_as(piece, "v.field", "v.strength", "v.bad", joins, "v.k")
    gatherer.add(
        piece,
        {
            "prompt": t("prompt"),
            "response_a": t("response_1"),
            "response_b": t("response_2"),
            "judge": "v.judge",
            "judge_kind": "'human'",
            "winner": "CASE sign(v.s) WHEN -1 THEN 'a' WHEN 1 THEN 'b' ELSE 'tie' END",
            "confidence": "abs(v.s)::VARCHAR",
            "reason": "v.reason",
            "graded": "((3 - v.s) / 6.0::DOUBLE)::VARCHAR",
            "split": t("split"),
        },
        joins,
        refuse="v.s IS NULL",
        then="v.k",
    )
    con.execute("DROP TABLE helpsteer_vote")


def _both(one: str, two: str) -> str:
    """SQL for two texts as one, NULL where neither is there."""
    return f"nullif(trim(concat_ws(' ', {one}, {two})), '')"


def _add_ratings(gatherer: Gatherer, piece: Piece) -> None:
    """A row for each respect in which both answers to a prompt are rated."""
    t, con = piece.cell, gatherer.con
    prompt = f"nullif(trim({t('prompt')}), '')"
    rated = ", ".join(f"{_rating(t(name))} AS {name}" for name in RATED)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE helpsteer_rated AS SELECT rowid AS record,
            {t("response")} AS response, {rated},
            row_number() OVER (PARTITION BY {prompt} ORDER BY rowid) AS nth,
            count(*) OVER (PARTITION BY {prompt}) AS n, {prompt} AS prompt FROM {piece.table}"""
    )
    joins = f"JOIN helpsteer_rated r ON r.record = {piece.table}.rowid"
    alone = (
        "CASE WHEN r.prompt IS NULL THEN 'is empty' WHEN r.nth = r.n AND r.n % 2 = 1 "
        "THEN 'has no second answer in the file: the rating of one answer alone is no comparison' END"
    )
    gatherer.refused_as(piece, "'prompt'", t("prompt"), alone, joins)
    respects = ", ".join(f"({k}, '{name}')" for k, name in enumerate(RATED))
    picked = {side: _of_respect(f"{side}.{name}" for name in RATED) for side in "abr"}
    cells = _of_respect(map(t, RATED))
    blank = f"trim(coalesce({cells}, '')) = ''"
    # Each rating is looked at where it stands, so that a bad one is reported once, with its own line.
    own = f"{joins} CROSS JOIN (VALUES {respects}) o(k, name)"
    wrong = f"({alone}) IS NULL AND NOT coalesce({picked['r']} BETWEEN 0 AND 4, false) AND NOT {blank}"
    reason = f"CASE WHEN {wrong} THEN 'a rating is a number from 0 to 4, or a list of them' END"
    gatherer.refused_as(piece, "o.name", cells, reason, own, "o.k")
    without = con.execute(f"SELECT count(*) FROM {piece.table} {own} WHERE ({alone}) IS NULL AND {blank}").fetchall()
    if without[0][0]:
        gatherer.inferred.append(f"{piece.name}: {without[0][0]:,} ratings are empty: no comparison in that respect")
    pairs = (
        f"JOIN helpsteer_rated a ON a.record = {piece.table}.rowid AND a.nth % 2 = 1 AND a.prompt IS NOT NULL "
        f"JOIN helpsteer_rated b ON b.prompt = a.prompt AND b.nth = a.nth + 1 CROSS JOIN (VALUES {respects}) o(k, name)"
    )
    a, b = picked["a"], picked["b"]
    factors = {f"{name}_{side}": f"{side}.{name}::VARCHAR" for name in RATED for side in "ab"}
    gatherer.add(
        piece,
        {
            "prompt": t("prompt"),
            "response_a": "a.response",
            "response_b": "b.response",
            "judge": "'ratings'",
            "judge_kind": "'human'",
            "winner": f"CASE WHEN {a} > {b} THEN 'a' WHEN {a} < {b} THEN 'b' ELSE 'tie' END",
            "criterion": "CASE o.k WHEN 0 THEN 'overall' ELSE o.name END",
            "score_a": f"({a})::VARCHAR",
            "score_b": f"({b})::VARCHAR",
            "split": t("split"),
        }
        | factors,
        pairs,
        refuse=f"NOT coalesce({a} BETWEEN 0 AND 4 AND {b} BETWEEN 0 AND 4, false)",
        then="o.k",
    )
    con.execute("DROP TABLE helpsteer_rated")


def _of_respect(values: Iterable[str]) -> str:
    """SQL for the one of five values, in the order of RATED, that the respect o.k asks for."""
    return f"CASE o.k {' '.join(f'WHEN {k} THEN {value}' for k, value in enumerate(values))} END"


def _rating(cell: str) -> str:
    """SQL for a number, or for the mean of a list of numbers; NULL of anything else, also of a list with a gap."""
    listed = f"TRY(from_json({cell}, '[\"DOUBLE\"]'))"
    good = f"len({listed}) > 0 AND len(list_filter({listed}, lambda x: x IS NULL OR x NOT BETWEEN 0 AND 4)) = 0"
    mean = f"CASE WHEN {good} THEN list_avg({listed}) END"
    return f"CASE WHEN starts_with(ltrim({cell}), '[') THEN {mean} ELSE try_cast({cell} AS DOUBLE) END"
