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

from data import rules, unfold
from data.duck import told
from data.fields import Mapping
from data.model import Progress, silent
from data.rules import MOST_VOTES
from data.step import Told
from data.words import as_word, literal
from errors import MappingError

T = TypeVar("T")

NUMBERS = ("p_a", "score_a", "score_b", "weight", "confidence", "seconds")
DECIMAL_COMMA = "[+-]?[0-9]+,[0-9]+"
SCALE_SHARE = 0.02
"""From this share of the verdicts on, numbers other than 1 and 2 are a scale of their own and not slips."""


@dataclass(frozen=True)
class Staged:
    """How many judgments the raw table holds. `empty` cells carried none. left_out : tables that would be empty"""

    n_rows: int
    n_judgments: int
    empty: int
    inferred: tuple[str, ...]
    left_out: tuple[str, ...] = ()


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
    """Make the tables `text`, `stage` and, where columns are delivered, `factor_stage` and `attribute_stage` from `raw`.

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
    cells, empty = run(lambda: _expand(con, mapping))
    run(lambda: rules.stage(con, mapping, cells))
    progress(0.7, "checking each judgment")
    left_out = run(lambda: _delivered(con, col, mapping))
    progress(0.9, "checking each judgment")
    n_rows, n_judgments = con.execute(
        "SELECT (SELECT count(*) FROM raw), (SELECT count(*) FROM stage)"
    ).fetchall()[0]
    notes += run(lambda: _inferred(con, mapping, empty))
    return Staged(n_rows, n_judgments, empty, tuple(notes), left_out)


_NAME_FIELDS = (
    "prompt_id", "scenario", "model_a", "model_b", "judge", "judge_kind", "annotator", "winner", "p_a", "score_a",
    "score_b", "count_a", "count_b", "count_tie", "swapped", "pair_id", "judgment_id", "repeat", "criterion",
    "variant", "weight", "reason", "confidence", "seconds", "judged_at", "cue",
)  # fmt: skip


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
    winners = [sql for sql in winners if not sql.startswith("'")]
    if not winners:
        return
    # Between + and 9 stand the signs, the points and the digits: most verdicts are words, as one look tells.
    looks = ", ".join(f"count(*) FILTER (substr(ltrim({sql}), 1, 1) BETWEEN '+' AND '9')" for sql in winners)
    numeric = con.execute(f"SELECT {looks} FROM raw").fetchall()[0]
    for sql in (sql for sql, cells in zip(winners, numeric, strict=True) if cells):
        word = as_word(sql)
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


def _expand(con: duckdb.DuckDBPyConnection, mapping: Mapping) -> tuple[str, int]:
    """SQL of one row a judgment, still as text, and how many cells held no judgment."""
    if mapping.rated is not None:
        unfold.make_cells(con, mapping.rated)
        return "FROM cells", unfold.count_unrated(con, mapping.rated)
    if mapping.shape == "wide":
        parts = []
        # With a judge for all rows, columns of people are annotators of that one judge.
        pooled = mapping.constant("judge")
        for k, (column, kind) in enumerate(mapping.judge_columns):
            kind_sql = literal(kind) if kind else "judge_kind"
            judge_sql = f"{literal(column.strip())} AS judge"
            if pooled is not None and kind == "human":
                judge_sql = f"{literal(pooled)} AS judge, {literal(column.strip())} AS annotator"
            parts.append(
                f"SELECT * REPLACE ({judge_sql}, j{k} AS winner, {kind_sql} AS judge_kind, "
                f"CAST(NULL AS VARCHAR) AS p_a), {k} AS cell, {literal(column)} AS winner_column FROM keyed "
                f"WHERE j{k} IS NOT NULL"
            )
        empties = " + ".join(f"count(*) FILTER (j{k} IS NULL)" for k in range(len(mapping.judge_columns)))
        empty: int = con.execute(f"SELECT {empties} FROM keyed").fetchall()[0][0]
        return " UNION ALL ".join(parts), empty
    if mapping.shape == "counts":
        # A row with a bad count stays one (rejected) judgment; a row of zeros is none.
        con.execute(
            """CREATE OR REPLACE TEMP TABLE counted AS SELECT *,
            try_cast(count_a AS BIGINT) AS n_a, try_cast(count_b AS BIGINT) AS n_b,
            coalesce(try_cast(count_tie AS BIGINT), CASE WHEN count_tie IS NULL THEN 0 END) AS n_tie FROM keyed"""
        )
        cells = f"""WITH good AS (SELECT * FROM counted WHERE {_GOOD_COUNTS}),
                 votes AS (SELECT * REPLACE ('a' AS winner), unnest(range(n_a)) AS cell FROM good
                           UNION ALL SELECT * REPLACE ('b' AS winner), n_a + unnest(range(n_b)) FROM good
                           UNION ALL SELECT * REPLACE ('tie' AS winner), n_a + n_b + unnest(range(n_tie)) FROM good
                           UNION ALL SELECT *, 0 FROM counted WHERE ({_GOOD_COUNTS}) IS NOT TRUE)
            SELECT *, CAST(NULL AS VARCHAR) AS winner_column FROM votes"""
        zeros: int = con.execute(
            f"SELECT count(*) FROM counted WHERE ({_GOOD_COUNTS}) AND n_a + n_b + n_tie = 0"
        ).fetchall()[0][0]
        return cells, zeros
    return "SELECT *, 0 AS cell, CAST(NULL AS VARCHAR) AS winner_column FROM keyed", 0


_GOOD_COUNTS = (
    f"n_a BETWEEN 0 AND {MOST_VOTES} AND n_b BETWEEN 0 AND {MOST_VOTES} AND n_tie BETWEEN 0 AND {MOST_VOTES}"
)


def _delivered(con: duckdb.DuckDBPyConnection, col: _Columns, mapping: Mapping) -> tuple[str, ...]:
    """Factor and attribute columns, one row a value; empty cells are left out. Returns the tables that nothing fills."""
    def kept(values: str, used: tuple[str, ...]) -> str:
        a, b = (col.number(f"nullif(trim({col.at[c]}), '')") for c in (used[0], used[-1]))
        return f"SELECT row, {values}, {a} AS a, {b} AS b FROM raw WHERE {a} IS NOT NULL OR {b} IS NOT NULL"

    # Each table in one statement, for the reason given in data/step.py.
    factors = [kept(f"{literal(name)} AS name", (a, b)) for name, a, b in mapping.factors]
    attributes = [kept(f"{literal(e)} AS entity, {literal(n)} AS name", used) for e, n, used in mapping.attributes]
    tables = {"factor_stage": factors, "attribute_stage": attributes}
    for table, parts in tables.items():
        if parts:
            con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS " + " UNION ALL ".join(parts))
    return tuple(table for table, parts in tables.items() if not parts)


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
    unknown, total, first, second, crossed = con.execute(
        """SELECT count(*) FILTER (shown = 0), count(*), count(*) FILTER (outcome = 1), count(*) FILTER (outcome = 2),
            count(*) FILTER ((outcome = 1 AND score_a < score_b) OR (outcome = 2 AND score_a > score_b))
        FROM stage WHERE bad_reason IS NULL"""
    ).fetchall()[0]
    if unknown:
        share = "all" if unknown == total else f"{unknown:,} of {total:,}"
        said.append(f"which response was shown first is unknown for {share} judgments")
    if second == 0 and first >= 20 and mapping.shape != "chosen":
        said.append("the winner is always a: no position term can be fitted on this file")
    if crossed:
        said.append(f"{crossed:,} rows name a winner with the lower score; winner was believed")
    return said
