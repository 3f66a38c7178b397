"""What does each row of a raw table say, and which rows can say nothing? Raw text columns to typed judgments.

Works set-based inside the staging DuckDB: from `raw(row BIGINT, c0..cN VARCHAR)` it makes

- `text(key, body)`       each distinct prompt or response text, keyed by 64 bits of its MD5
- `stage(row, cell, ...)` one row a judgment, typed, with the first rule it breaks in `bad_field/bad_value/bad_reason`
- `factor_stage(row, name, a, b)` and `attribute_stage(row, entity, name, a, b)` as delivered

`row` is the 0-based record; `cell` counts the judgments that one record carries (judge columns, vote counts).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import duckdb

from data import unfold
from data.duck import told
from data.fields import WINNER_WORDS, Mapping
from data.model import JUDGE_KINDS, OUTCOMES, Progress, silent
from data.step import Told
from errors import MappingError

T = TypeVar("T")

HUMAN_NAMES = "humans?|people|crowd|experts?|annotators?"
NUMBERS = ("p_a", "score_a", "score_b", "weight", "confidence", "seconds")
DECIMAL_COMMA = "[+-]?[0-9]+,[0-9]+"
SCALE_SHARE = 0.02
"""From this share of the verdicts on, numbers other than 1 and 2 are a scale of their own and not slips."""
MOST_VOTES = 1_000_000
"""A vote count above this is taken for a damaged cell: one row would become that many judgments."""


@dataclass(frozen=True)
class Staged:
    """How many judgments the raw table holds. `empty` cells carried none."""

    n_rows: int
    n_judgments: int
    empty: int
    inferred: tuple[str, ...]


def literal(value: str) -> str:
    """A string as a SQL literal."""
    return "'" + value.replace("'", "''") + "'"


class _Columns:
    """SQL for a field of the raw table: its column, its constant, or NULL."""

    def __init__(self, columns: tuple[str, ...], mapping: Mapping) -> None:
        self.at = {name: f"c{k}" for k, name in enumerate(columns)}
        self.mapping = mapping
        self.comma = mapping.decimal == "comma"

    def number(self, text: str) -> str:
        """SQL of a text as a number is written here: with a decimal point."""
        if not self.comma:
            return text
        return f"CASE WHEN regexp_full_match({text}, '{DECIMAL_COMMA}') THEN replace({text}, ',', '.') ELSE {text} END"

    def raw(self, field: str) -> str:
        column = self.mapping.column(field)
        if column is not None:
            return self.at[column]
        constant = self.mapping.constant(field)
        return literal(constant) if constant is not None else "CAST(NULL AS VARCHAR)"

    def name(self, field: str) -> str:
        """Trimmed, empty as NULL."""
        if not self.mapping.has(field):
            return "CAST(NULL AS VARCHAR)"
        text = f"nullif(trim({self.raw(field)}), '')"
        return self.number(text) if field in NUMBERS else text


def normalise(
    con: duckdb.DuckDBPyConnection,
    columns: tuple[str, ...],
    mapping: Mapping,
    progress: Progress = silent,
) -> Staged:
    """Make the tables `text`, `stage`, `factor_stage` and `attribute_stage` from `raw`.

    Raises MappingError when winners are 0 and 1 and nobody said which of them is a.
    """
    col = _Columns(columns, mapping)
    progress = Told(progress)

    def run(work: Callable[[], T]) -> T:
        return told(con, work, progress.again)

    progress(0.0, "reading the verdicts")
    notes = run(lambda: _decimals(con, col, mapping))
    winner_columns = [col.at[c] for c, _ in mapping.judge_columns]
    if mapping.has("winner"):
        winner_columns.append(col.raw("winner"))
    run(lambda: _refuse_unclear_numbers(con, winner_columns, mapping))

    text_a, text_b = col.raw("response_a"), col.raw("response_b")
    if mapping.shape == "chosen" or (mapping.has("chosen") and not mapping.has("response_a")):
        text_a, text_b = col.raw("chosen"), col.raw("rejected")
    prompt = f"nullif({col.raw('prompt')}, '')" if mapping.has("prompt") else "CAST(NULL AS VARCHAR)"
    if mapping.has("prompt"):
        prompt = f"CASE WHEN trim({col.raw('prompt')}) = '' THEN NULL ELSE {col.raw('prompt')} END"

    names = {f: col.name(f) for f in _NAME_FIELDS}
    names_sql = ",\n".join(f"{sql} AS {field}" for field, sql in names.items())
    keyed = (
        f"""CREATE OR REPLACE TEMP TABLE keyed AS SELECT row,
        md5_number_lower({prompt}) AS prompt_key,
        md5_number_lower({text_a}) AS text_a,
        md5_number_lower({text_b}) AS text_b,
        {names_sql}{"".join(f", nullif(trim({col.at[c]}), '') AS j{k}" for k, (c, _) in enumerate(mapping.judge_columns))}
        FROM raw"""
    )
    run(lambda: con.execute(keyed))
    layout = mapping.rated
    if layout is not None:
        progress(0.2, "reading the ratings")
        run(lambda: unfold.make_units(con, col.at.__getitem__, layout, col.number))
    progress(0.3, "collecting the texts")
    texts = [f"SELECT {sql} AS body FROM raw" for sql in (prompt, text_a, text_b) if not sql.startswith("CAST(NULL")]
    if layout is not None:
        texts.append("SELECT body FROM unit WHERE bad IS NULL")
    if texts:
        union = " UNION ALL ".join(texts)
        text = (
            "CREATE OR REPLACE TEMP TABLE text AS SELECT md5_number_lower(body) AS key, body FROM "
            f"(SELECT DISTINCT body FROM ({union}) WHERE body IS NOT NULL)"
        )
        run(lambda: con.execute(text))
    else:
        con.execute("CREATE OR REPLACE TEMP TABLE text(key UBIGINT, body VARCHAR)")
    progress(0.5, "checking each judgment")
    empty = run(lambda: _expand(con, mapping))
    run(lambda: _validate(con, mapping))
    progress(0.7, "checking each judgment")
    run(lambda: _delivered(con, col, mapping))
    progress(0.9, "checking each judgment")
    n_rows = con.execute("SELECT count(*) FROM raw").fetchall()[0][0]
    n_judgments = con.execute("SELECT count(*) FROM stage").fetchall()[0][0]
    return Staged(n_rows, n_judgments, empty, (*notes, *run(lambda: _inferred(con, mapping, empty))))


_NAME_FIELDS = (
    "prompt_id", "scenario", "model_a", "model_b", "judge", "judge_kind", "annotator", "winner", "p_a", "score_a",
    "score_b", "count_a", "count_b", "count_tie", "swapped", "pair_id", "judgment_id", "repeat", "criterion",
    "variant", "weight", "reason", "confidence", "seconds", "judged_at", "cue",
)  # fmt: skip


def _as_word(sql: str) -> str:
    """Lower case; 1.0 and 2.0 (whole numbers that passed through a float column) as 1 and 2."""
    return f"regexp_replace(lower(trim({sql})), '^([0-9]+)[.]0+$', '\\1')"


def _decimals(con: duckdb.DuckDBPyConnection, col: _Columns, mapping: Mapping) -> list[str]:
    """Whether numbers are written 1,5: where that was not said and no other reading is possible, it is taken and told."""
    fields = [*NUMBERS, *(f for f in dict(mapping.columns) if f.startswith("rating"))]
    columns = [c for f in fields if (c := mapping.column(f)) is not None and c in col.at]
    if mapping.decimal is not None or not columns:
        return []
    cells = " UNION ALL ".join(f"SELECT trim({col.at[c]}) AS v FROM raw" for c in columns)
    # 1,500 may be one and a half, or fifteen hundred; 1,5 and 0,250 leave no doubt.
    commas, clear, points = con.execute(
        f"""SELECT count(*) FILTER (regexp_full_match(v, '{DECIMAL_COMMA}')),
            count(*) FILTER (regexp_full_match(v, '{DECIMAL_COMMA}') AND NOT regexp_full_match(v, '[+-]?[1-9][0-9]{{0,2}},[0-9]{{3}}')),
            count(*) FILTER (regexp_full_match(v, '[+-]?[0-9]*[.][0-9]+')) FROM ({cells})"""
    ).fetchall()[0]
    if not clear or points:
        return []
    col.comma = True
    return [f"numbers have a decimal comma ({commas:,} cells): 1,5 is read as 1.5"]


def _refuse_unclear_numbers(con: duckdb.DuckDBPyConnection, winners: list[str], mapping: Mapping) -> None:
    """0 and 1, -1 and 1, scales from 1 to 5 mean a and b here, b and a there, tie and a elsewhere: somebody has to say."""
    said = dict(mapping.winner_values)
    for sql in winners:
        if sql.startswith("'"):
            continue
        word = _as_word(sql)
        rows = con.execute(
            f"""SELECT word, count(*) AS n, sum(n) OVER () AS total FROM (SELECT {word} AS word FROM raw)
            WHERE word <> '' GROUP BY word
            QUALIFY regexp_full_match(word, '[+-]?[0-9]+([.][0-9]+)?') ORDER BY try_cast(word AS DOUBLE)"""
        ).fetchall()
        number = {str(w): int(n) for w, n, _ in rows if re.fullmatch(r"[+-]?\d+(\.\d+)?", str(w))}
        found = [w for w in number if w in ("0", "1", "2")]
        others = [w for w in number if w not in ("0", "1", "2") and w not in said]
        total = int(rows[0][2]) if rows else 0
        if len(number) <= 12 and sum(number[w] for w in others) > SCALE_SHARE * total:
            unclear = [w for w in number if w not in said]
            raise MappingError(
                f"the verdicts are numbers: {', '.join(number)}. Which of them say a, which b and which a tie is read in "
                "different ways: say what each means, for example "
                + " ".join(f"--set winner.{w}={o}" for w, o in _halves(unclear, list(number)))
            )
        if "0" not in found:
            continue
        unclear = [w for w in found if w not in said]
        # Once 0 is said to be a tie (or no verdict), 1 and 2 have their usual meaning.
        if said.get("0") in ("tie", "both_bad", "none"):
            continue
        if unclear:
            example = " ".join(
                f"--set winner.{w}={o}" for w, o in zip(found, ("a", "b", "tie") if len(found) < 3 else ("tie", "a", "b"), strict=False)
            )
            raise MappingError(
                f"the verdicts are written {', '.join(found)}, which is read in different ways: say what each means, "
                f"for example {example}"
            )


def _halves(words: list[str], all_words: list[str]) -> list[tuple[str, str]]:
    """An example: the lower half of a scale says a."""
    middle = (float(all_words[0]) + float(all_words[-1])) / 2
    return [(w, "a" if float(w) < middle else "b" if float(w) > middle else "tie") for w in words]


def _expand(con: duckdb.DuckDBPyConnection, mapping: Mapping) -> int:
    """`cells`: one row a judgment, still as text. Returns how many cells held no judgment."""
    if mapping.rated is not None:
        unfold.make_cells(con, mapping.rated)
        return unfold.count_unrated(con, mapping.rated)
    if mapping.shape == "wide":
        parts = []
        for k, (column, kind) in enumerate(mapping.judge_columns):
            kind_sql = literal(kind) if kind else "judge_kind"
            parts.append(
                f"SELECT * REPLACE ({literal(column.strip())} AS judge, j{k} AS winner, {kind_sql} AS judge_kind, "
                f"CAST(NULL AS VARCHAR) AS p_a), {k} AS cell, {literal(column)} AS winner_column FROM keyed "
                f"WHERE j{k} IS NOT NULL"
            )
        con.execute("CREATE OR REPLACE TEMP TABLE cells AS " + " UNION ALL ".join(parts))
        empties = " + ".join(f"count(*) FILTER (j{k} IS NULL)" for k in range(len(mapping.judge_columns)))
        empty: int = con.execute(f"SELECT {empties} FROM keyed").fetchall()[0][0]
        return empty
    if mapping.shape == "counts":
        # A row with a bad count stays one (rejected) judgment; a row of zeros is none.
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE counted AS SELECT *,
            try_cast(count_a AS BIGINT) AS n_a, try_cast(count_b AS BIGINT) AS n_b,
            coalesce(try_cast(count_tie AS BIGINT), CASE WHEN count_tie IS NULL THEN 0 END) AS n_tie FROM keyed;
            CREATE OR REPLACE TEMP TABLE cells AS
            WITH good AS (SELECT * FROM counted WHERE {_GOOD_COUNTS}),
                 votes AS (SELECT * REPLACE ('a' AS winner), unnest(range(n_a)) AS cell FROM good
                           UNION ALL SELECT * REPLACE ('b' AS winner), n_a + unnest(range(n_b)) FROM good
                           UNION ALL SELECT * REPLACE ('tie' AS winner), n_a + n_b + unnest(range(n_tie)) FROM good
                           UNION ALL SELECT *, 0 FROM counted WHERE ({_GOOD_COUNTS}) IS NOT TRUE)
            SELECT *, CAST(NULL AS VARCHAR) AS winner_column FROM votes"""
        )
        zeros: int = con.execute(
            f"SELECT count(*) FROM counted WHERE ({_GOOD_COUNTS}) AND n_a + n_b + n_tie = 0"
        ).fetchall()[0][0]
        return zeros
    con.execute(
        "CREATE OR REPLACE TEMP TABLE cells AS SELECT *, 0 AS cell, CAST(NULL AS VARCHAR) AS winner_column FROM keyed"
    )
    return 0


_GOOD_COUNTS = (
    f"n_a BETWEEN 0 AND {MOST_VOTES} AND n_b BETWEEN 0 AND {MOST_VOTES} AND n_tie BETWEEN 0 AND {MOST_VOTES}"
)


def _winner_sql(mapping: Mapping) -> str:
    """The outcome code that `winner` names; -1 unknown, -2 two readings, NULL absent."""
    words = {**WINNER_WORDS, **dict(mapping.winner_values)}
    codes = {o: k for k, o in enumerate(OUTCOMES)}
    word = "winner_word"
    by_code: dict[int, list[str]] = {}
    for text, outcome in words.items():
        by_code.setdefault(codes[outcome], []).append(literal(text))
    vocabulary = " ".join(f"WHEN {word} IN ({', '.join(t)}) THEN {code}" for code, t in sorted(by_code.items()))
    return f"""CASE WHEN winner IS NULL THEN NULL
        WHEN winner IS NOT DISTINCT FROM model_a AND winner IS NOT DISTINCT FROM model_b THEN -2
        WHEN winner = model_a THEN CASE WHEN coalesce(CASE {vocabulary} END, 1) = 1 THEN 1 ELSE -2 END
        WHEN winner = model_b THEN CASE WHEN coalesce(CASE {vocabulary} END, 2) = 2 THEN 2 ELSE -2 END
        ELSE coalesce(CASE {vocabulary} END, -1) END"""


def _validate(con: duckdb.DuckDBPyConnection, mapping: Mapping) -> None:
    """`stage` from `cells`: typed values and, where a rule is broken, the first one."""
    chosen = mapping.shape == "chosen"
    scored = mapping.shape == "scores"
    kinds = ", ".join(literal(k) for k in JUDGE_KINDS)
    annotated = "true" if mapping.column("annotator") else "false"
    score_p = "1 / (1 + exp(score_b_n - score_a_n))" if mapping.scores == "logit" else (
        "CASE WHEN score_a_n > score_b_n THEN 1.0 WHEN score_a_n < score_b_n THEN 0.0 ELSE 0.5 END"
    )  # fmt: skip
    said_winner = "1" if chosen else _winner_sql(mapping)
    named = " ".join(f"WHEN {literal(judge)} THEN {literal(kind)}" for judge, kind in mapping.judge_kinds)
    judge_kind = f"coalesce(lower(judge_kind), CASE judge {named} END)" if named else "lower(judge_kind)"
    p_sql = f"""CASE WHEN p_a IS NOT NULL THEN p_a_n
        WHEN said = 1 THEN 1.0 WHEN said = 2 THEN 0.0 WHEN said IN (3, 4) THEN 0.5 WHEN said = 0 THEN NULL
        WHEN said IS NULL AND score_a IS NOT NULL AND score_b IS NOT NULL THEN {score_p} END"""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE stage AS
        WITH typed AS (
            SELECT * REPLACE (coalesce(criterion, 'overall') AS criterion, coalesce(variant, 'plain') AS variant,
                              {judge_kind} AS judge_kind, lower(cue) AS cue),
                try_cast(p_a AS DOUBLE) AS p_a_n, try_cast(score_a AS DOUBLE) AS score_a_n,
                try_cast(score_b AS DOUBLE) AS score_b_n, try_cast(weight AS DOUBLE) AS weight_n,
                coalesce(try_cast(repeat AS INTEGER), try_cast(try_cast(repeat AS DOUBLE) AS INTEGER)) AS repeat_n,
                try_cast(confidence AS DOUBLE) AS confidence_n,
                try_cast(seconds AS DOUBLE) AS seconds_n,
                coalesce(try_cast(judged_at AS TIMESTAMP), to_timestamp(try_cast(judged_at AS DOUBLE))::TIMESTAMP)
                    AS judged_at_t,
                CASE WHEN lower(swapped) IN ('false', 'f', '0', 'no', '0.0') THEN 1
                     WHEN lower(swapped) IN ('true', 't', '1', 'yes', '1.0') THEN -1
                     WHEN swapped IS NULL OR lower(swapped) = 'unknown' THEN 0 END AS shown,
                coalesce({judge_kind}, CASE
                    WHEN lower(judge) = 'gold' THEN 'rule'
                    WHEN {annotated} OR regexp_full_match(lower(judge), '({HUMAN_NAMES})([ _-]?[0-9]+)?') THEN 'human'
                    ELSE 'llm' END) AS kind,
                {_as_word("winner")} AS winner_word
            FROM cells),
        said AS (SELECT *, {said_winner} AS said FROM typed),
        valued AS (SELECT *, {p_sql} AS p FROM said),
        judged AS (SELECT *,
            CASE WHEN said = 0 AND p_a IS NULL THEN 0 WHEN p > 0.5 THEN 1 WHEN p < 0.5 THEN 2
                 WHEN p = 0.5 AND said = 4 THEN 4 WHEN p = 0.5 THEN 3 END AS outcome
            FROM valued),
        checked AS (SELECT *, CASE {"WHEN unit_bad IS NOT NULL THEN unit_bad" if mapping.rated else ""}
            WHEN prompt_key IS NULL AND prompt_id IS NULL AND pair_id IS NULL
                THEN {_bad("prompt", "NULL", "is empty")}
            WHEN prompt_key IS NULL AND prompt_id IS NULL AND (text_a IS NOT NULL OR text_b IS NOT NULL)
                THEN {_bad("prompt", "NULL", "is empty")}
            WHEN judge IS NULL THEN {_bad("judge", "NULL", "is empty")}
            WHEN kind NOT IN ({kinds}) THEN {_bad("judge_kind", "judge_kind", "is not one of " + ", ".join(JUDGE_KINDS))}
            WHEN text_a IS NULL AND text_b IS NULL AND (model_a IS NULL OR model_b IS NULL) AND pair_id IS NULL
                THEN {_bad("model_a", "coalesce(model_a, model_b)", "alone names no pair: both models, both responses or a pair_id are needed")}
            WHEN text_a IS NULL AND text_b IS NULL AND model_a = model_b AND pair_id IS NULL
                THEN {_bad("model_b", "model_b", "is the same model as model_a and no texts tell the two apart: no pair")}
            WHEN text_a = text_b AND model_a IS NOT DISTINCT FROM model_b
                THEN {_bad("response_b", "NULL", "equals response_a of the same model: two equal responses are no pair")}
            {_count_rules(mapping)}
            WHEN p_a IS NOT NULL AND (p_a_n IS NULL OR NOT isfinite(p_a_n)) THEN {_bad("p_a", "p_a", "is not a number")}
            WHEN p_a IS NOT NULL AND (p_a_n < 0 OR p_a_n > 1) THEN {_bad("p_a", "p_a", "is outside [0, 1]")}
            WHEN score_a IS NOT NULL AND (score_a_n IS NULL OR NOT isfinite(score_a_n))
                THEN {_bad("score_a", "score_a", "is not a number")}
            WHEN score_b IS NOT NULL AND (score_b_n IS NULL OR NOT isfinite(score_b_n))
                THEN {_bad("score_b", "score_b", "is not a number")}
            WHEN said = -2 THEN {_bad("winner", "winner", "can be read as either side: write a, b or tie")}
            WHEN said = -1 AND NOT (model_a IS NULL AND model_b IS NULL AND pair_id IS NOT NULL AND text_a IS NULL AND text_b IS NULL)
                THEN {_bad("winner", "winner", "is not one of a, b, tie, both_bad, refused, left, right, model_a, model_b, 1, 2 or a model of the row")}
            WHEN said IS NULL AND p IS NULL THEN {_bad("score_a" if scored else "winner", "NULL", "is empty")}
            WHEN p_a IS NOT NULL AND said IS NOT NULL AND said <> -1 AND outcome <> CASE said WHEN 4 THEN CASE WHEN p = 0.5 THEN 4 ELSE 3 END ELSE said END
                THEN {_bad("winner", "winner", "contradicts p_a")}
            WHEN shown IS NULL THEN {_bad("swapped", "swapped", "is not true or false")}
            WHEN weight IS NOT NULL AND (weight_n IS NULL OR NOT isfinite(weight_n) OR weight_n <= 0)
                THEN {_bad("weight", "weight", "is not a number above 0")}
            WHEN repeat IS NOT NULL AND (repeat_n IS NULL OR repeat_n < 0 OR try_cast(repeat AS DOUBLE) <> repeat_n)
                THEN {_bad("repeat", "repeat", "is not a whole number 0, 1, 2, ...")}
            WHEN confidence IS NOT NULL AND (confidence_n IS NULL OR NOT isfinite(confidence_n))
                THEN {_bad("confidence", "confidence", "is not a number")}
            WHEN seconds IS NOT NULL AND (seconds_n IS NULL OR NOT isfinite(seconds_n) OR seconds_n < 0)
                THEN {_bad("seconds", "seconds", "is not a number of seconds")}
            WHEN judged_at IS NOT NULL AND judged_at_t IS NULL
                THEN {_bad("judged_at", "judged_at", "is no date: write 2026-01-31 or 2026-01-31 12:00:00")}
            WHEN cue IS NOT NULL AND cue NOT IN ('a', 'b') THEN {_bad("cue", "cue", "is not a or b")}
            END AS bad FROM judged)
        SELECT row, cell, prompt_id, prompt_key, scenario, model_a, model_b, text_a, text_b, pair_id, judge, kind,
            judge_kind IS NOT NULL AS kind_given, annotator,
            CAST(CASE WHEN said = -1 THEN -1 ELSE outcome END AS TINYINT) AS outcome, p AS p_a,
            CASE WHEN said = -1 THEN winner END AS winner_name, CAST(shown AS TINYINT) AS shown,
            coalesce(weight_n, 1.0) AS weight, repeat_n AS repeat, criterion, variant, score_a_n AS score_a,
            score_b_n AS score_b, confidence_n AS confidence, seconds_n AS seconds, judged_at_t AS judged_at,
            CAST(CASE cue WHEN 'a' THEN 1 WHEN 'b' THEN -1 ELSE 0 END AS TINYINT) AS cue, reason,
            judgment_id AS external_id, {ROW_HASH} AS row_hash, winner_column, bad.field AS bad_field, bad.value AS bad_value,
            bad.reason AS bad_reason
        FROM checked"""
    )
    con.execute("DROP TABLE cells; DROP TABLE keyed")


# What the row itself says, without ids of the store: equal rows in another store hash equally. Sides are ordered by
# model and text, so that it does not matter which response a file calls a. A file's pair_id enters only where
# nothing else names the pair.
_TURN = "(coalesce(model_a, ''), coalesce(text_a, 0)) > (coalesce(model_b, ''), coalesce(text_b, 0))"
ROW_HASH = f"""md5_number_lower(concat_ws(chr(31), prompt_id, prompt_key,
    CASE WHEN {_TURN} THEN concat_ws(chr(30), coalesce(model_b, ''), text_b, coalesce(model_a, ''), text_a)
         ELSE concat_ws(chr(30), coalesce(model_a, ''), text_a, coalesce(model_b, ''), text_b) END,
    CASE WHEN text_a IS NULL AND text_b IS NULL AND (model_a IS NULL OR model_b IS NULL) THEN pair_id END,
    judge, annotator, criterion, variant, repeat_n,
    CASE WHEN {_TURN} AND outcome IN (1, 2) THEN 3 - outcome ELSE outcome END,
    round(CASE WHEN {_TURN} THEN 1 - p ELSE p END, 12), CASE WHEN {_TURN} THEN -shown ELSE shown END, weight_n,
    CASE WHEN {_TURN} THEN concat_ws(chr(30), score_b_n, score_a_n) ELSE concat_ws(chr(30), score_a_n, score_b_n) END,
    confidence_n, judged_at_t, CASE WHEN said = -1 THEN winner END, cue, reason))"""


def _bad(field: str, value: str, reason: str) -> str:
    return f"{{'field': {literal(field)}, 'value': CAST({value} AS VARCHAR), 'reason': {literal(reason)}}}"


def _count_rules(mapping: Mapping) -> str:
    if mapping.shape != "counts":
        return ""
    rules = []
    for field, n in (("count_a", "n_a"), ("count_b", "n_b"), ("count_tie", "n_tie")):
        rules.append(
            f"WHEN ({n} BETWEEN 0 AND {MOST_VOTES}) IS NOT TRUE THEN "
            + _bad(field, field, f"is not a whole number of votes from 0 to {MOST_VOTES:,}")
        )
    return "\n".join(rules)


def _delivered(con: duckdb.DuckDBPyConnection, col: _Columns, mapping: Mapping) -> None:
    """Factor and attribute columns, one row a value; empty cells are left out."""
    def kept(values: str, used: tuple[str, ...]) -> str:
        a, b = (col.number(f"nullif(trim({col.at[c]}), '')") for c in (used[0], used[-1]))
        return f"SELECT row, {values}, {a} AS a, {b} AS b FROM raw WHERE {a} IS NOT NULL OR {b} IS NOT NULL"

    # Each table in one statement, for the reason given in data/step.py.
    factors = [kept(f"{literal(name)} AS name", (a, b)) for name, a, b in mapping.factors]
    empty = "SELECT 0::BIGINT AS row, '' AS name, '' AS a, '' AS b WHERE false"
    con.execute("CREATE OR REPLACE TEMP TABLE factor_stage AS " + " UNION ALL ".join(factors or [empty]))
    attributes = [kept(f"{literal(e)} AS entity, {literal(n)} AS name", used) for e, n, used in mapping.attributes]
    empty = "SELECT 0::BIGINT AS row, '' AS entity, '' AS name, '' AS a, '' AS b WHERE false"
    con.execute("CREATE OR REPLACE TEMP TABLE attribute_stage AS " + " UNION ALL ".join(attributes or [empty]))


def _inferred(con: duckdb.DuckDBPyConnection, mapping: Mapping, empty: int) -> list[str]:
    """What was taken for granted, in sentences."""
    said = []
    if mapping.rated is not None:
        said += unfold.said(con, mapping.rated, empty)
    elif empty and mapping.shape == "wide":
        said.append(f"{empty:,} empty cells of judge columns are no judgment")
    elif empty:
        said.append(f"{empty:,} rows without any vote are no judgment")
    kinds = con.execute(
        "SELECT judge, kind FROM stage WHERE NOT kind_given AND bad_reason IS NULL GROUP BY ALL ORDER BY ALL LIMIT 40"
    ).fetchall()
    said += [f"judge {judge!r} is taken for {'an' if kind == 'llm' else 'a'} {kind} judge" for judge, kind in kinds]
    unknown, total = con.execute(
        "SELECT count(*) FILTER (shown = 0), count(*) FROM stage WHERE bad_reason IS NULL"
    ).fetchall()[0]
    if unknown:
        share = "all" if unknown == total else f"{unknown:,} of {total:,}"
        said.append(f"which response was shown first is unknown for {share} judgments")
    first = con.execute(
        "SELECT count(*) FILTER (outcome = 2), count(*) FILTER (outcome = 1) FROM stage WHERE bad_reason IS NULL"
    ).fetchall()[0]
    if first[0] == 0 and first[1] >= 20 and mapping.shape != "chosen":
        said.append("the winner is always a: no position term can be fitted on this file")
    crossed = con.execute(
        "SELECT count(*) FROM stage WHERE bad_reason IS NULL AND score_a IS NOT NULL AND score_b IS NOT NULL "
        "AND ((outcome = 1 AND score_a < score_b) OR (outcome = 2 AND score_a > score_b))"
    ).fetchall()[0][0]
    if crossed:
        said.append(f"{crossed:,} rows name a winner with the lower score; winner was believed")
    return said
