"""Which judgments break a rule, and what does a sound one say? The last step of data/normalise.py.

From one row a judgment as text it makes `stage`: typed, with the first rule that a row breaks. A statement as
wide as this one takes longer to plan than to run on a small file, so that what the file does not have is not asked.
"""

from __future__ import annotations

from collections.abc import Callable

import duckdb

from data.fields import WINNER_WORDS, Mapping
from data.model import JUDGE_KINDS, OUTCOMES
from data.words import as_word, literal

HUMAN_NAMES = "humans?|people|crowd|experts?|annotators?"
MOST_VOTES = 1_000_000
"""A vote count above this is taken for a damaged cell: one row would become that many judgments."""

OF_SHAPE = {"wide": {"judge", "winner", "judge_kind"}, "counts": {"winner"}}
"""Fields that its shape makes, whatever the columns are."""


def stage(con: duckdb.DuckDBPyConnection, mapping: Mapping, cells: str) -> None:
    """`stage`: typed values and, where a rule is broken, the first one. Drops what it is made from.

    cells : SQL of one row a judgment, as text
    """
    has = _held(mapping)
    judge_kind = _judge_kind(mapping, has)
    typed = ", ".join(f"{sql if has(field) else none} AS {name}" for field, sql, none, name in _TYPED)
    checks = " ".join(
        f"WHEN {broken} THEN {bad}" for fields, broken, bad in _rules(mapping) if all(has(f) for f in fields)
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE stage AS
        WITH typed AS (
            SELECT * REPLACE (coalesce(criterion, 'overall') AS criterion, coalesce(variant, 'plain') AS variant,
                              {judge_kind} AS judge_kind, lower(cue) AS cue), {typed},
                coalesce({judge_kind}, CASE
                    WHEN lower(judge) = 'gold' THEN 'rule'
                    WHEN {"true" if mapping.column("annotator") else "false"}
                        OR regexp_full_match(lower(judge), '({HUMAN_NAMES})([ _-]?[0-9]+)?') THEN 'human'
                    ELSE 'llm' END) AS kind,
                {f"{_vocabulary(mapping)}[{as_word('winner')}]" if has("winner") else "NULL::INTEGER"} AS winner_means
            FROM ({cells})),
        said AS (SELECT *, {"1" if mapping.shape == "chosen" else _SAID if has("winner") else "NULL::INTEGER"} AS said
            FROM typed),
        valued AS (SELECT *, {_probability(mapping, has)} AS p FROM said),
        judged AS (SELECT *,
            CASE WHEN said = 0 AND p_a IS NULL THEN 0 WHEN p > 0.5 THEN 1 WHEN p < 0.5 THEN 2
                 WHEN p = 0.5 AND said = 4 THEN 4 WHEN p = 0.5 THEN 3 END AS outcome
            FROM valued),
        checked AS (SELECT *, CASE {checks} END AS bad FROM judged)
        SELECT row, cell, prompt_id, prompt_key, scenario, model_a, model_b, text_a, text_b, pair_id, judge, kind,
            judge_kind IS NOT NULL AS kind_given, annotator,
            CAST(CASE WHEN said = -1 THEN -1 ELSE outcome END AS TINYINT) AS outcome, p AS p_a,
            CASE WHEN said = -1 THEN winner END AS winner_name, CAST(shown AS TINYINT) AS shown,
            coalesce(weight_n, 1.0) AS weight, repeat_n AS repeat, criterion, variant, score_a_n AS score_a,
            score_b_n AS score_b, confidence_n AS confidence, seconds_n AS seconds, judged_at_t AS judged_at,
            CAST(CASE cue WHEN 'a' THEN 1 WHEN 'b' THEN -1 ELSE 0 END AS TINYINT) AS cue, reason,
            judgment_id AS external_id, {ROW_HASH} AS row_hash, winner_column, bad.field AS bad_field,
            bad.value AS bad_value, bad.reason AS bad_reason
        FROM checked;
        DROP TABLE IF EXISTS cells; DROP TABLE keyed"""
    )


Holds = Callable[[str], bool]
"""Whether rows can have anything in a field."""


def _held(mapping: Mapping) -> Holds:
    made = set(OF_SHAPE.get(mapping.shape, ()))
    if mapping.rated is not None:
        made |= {"score_a", "score_b"} if mapping.rated.by == "rating" else {"winner"}
    # Columns of verdicts take the place of what else says who wins.
    gone = {"p_a"} if mapping.shape == "wide" else set()
    return lambda field: (mapping.has(field) or field in made) and field not in gone


_TYPED = (
    ("p_a", "try_cast(p_a AS DOUBLE)", "NULL::DOUBLE", "p_a_n"),
    ("score_a", "try_cast(score_a AS DOUBLE)", "NULL::DOUBLE", "score_a_n"),
    ("score_b", "try_cast(score_b AS DOUBLE)", "NULL::DOUBLE", "score_b_n"),
    ("weight", "try_cast(weight AS DOUBLE)", "NULL::DOUBLE", "weight_n"),
    ("repeat", "coalesce(try_cast(repeat AS INTEGER), try_cast(try_cast(repeat AS DOUBLE) AS INTEGER))",
     "NULL::INTEGER", "repeat_n"),
    ("confidence", "try_cast(confidence AS DOUBLE)", "NULL::DOUBLE", "confidence_n"),
    ("seconds", "try_cast(seconds AS DOUBLE)", "NULL::DOUBLE", "seconds_n"),
    ("judged_at", "coalesce(try_cast(judged_at AS TIMESTAMP), to_timestamp(try_cast(judged_at AS DOUBLE))::TIMESTAMP)",
     "NULL::TIMESTAMP", "judged_at_t"),
    ("swapped", """CASE WHEN swapped IS NULL THEN 0 ELSE MAP {'unknown': 0, 'false': 1, 'f': 1, '0': 1, 'no': 1,
        '0.0': 1,
'true': -1, 't': -1, '1': -1, 'yes': -1, '1.0': -1}[lower(swapped)] END""", "0", "shown"),
)  # fmt: skip
"""(field, SQL of its value, SQL where the file has none, name of the value)."""

_SAID = """CASE WHEN winner IS NULL THEN NULL
    WHEN winner IS NOT DISTINCT FROM model_a AND winner IS NOT DISTINCT FROM model_b THEN -2
    WHEN winner = model_a THEN CASE WHEN coalesce(winner_means, 1) = 1 THEN 1 ELSE -2 END
    WHEN winner = model_b THEN CASE WHEN coalesce(winner_means, 2) = 2 THEN 2 ELSE -2 END
    ELSE coalesce(winner_means, -1) END"""
"""The outcome code that `winner` names; -1 unknown, -2 two readings, NULL absent."""


def _vocabulary(mapping: Mapping) -> str:
    """The outcome code of each word for a verdict. A map, since each IN of many words would be planned as a join."""
    words = {**WINNER_WORDS, **dict(mapping.winner_values)}
    codes = {o: k for k, o in enumerate(OUTCOMES)}
    return "MAP {" + ", ".join(f"{literal(text)}: {codes[outcome]}" for text, outcome in words.items()) + "}"


def _judge_kind(mapping: Mapping, has: Holds) -> str:
    """What the file or the mapping says the judge is, NULL where neither does."""
    said = "lower(judge_kind)" if has("judge_kind") else "NULL::VARCHAR"
    named = " ".join(f"WHEN {literal(judge)} THEN {literal(kind)}" for judge, kind in mapping.judge_kinds)
    return f"coalesce({said}, CASE judge {named} END)" if named else said


def _probability(mapping: Mapping, has: Holds) -> str:
    """SQL of p_a: as given, else as the verdict says, else as the scores do."""
    cases = ["WHEN p_a IS NOT NULL THEN p_a_n"] if has("p_a") else []
    cases.append("WHEN said = 1 THEN 1.0 WHEN said = 2 THEN 0.0 WHEN said IN (3, 4) THEN 0.5 WHEN said = 0 THEN NULL")
    if has("score_a") and has("score_b"):
        higher = "CASE WHEN score_a_n > score_b_n THEN 1.0 WHEN score_a_n < score_b_n THEN 0.0 ELSE 0.5 END"
        by_score = "1 / (1 + exp(score_b_n - score_a_n))" if mapping.scores == "logit" else higher
        cases.append(f"WHEN said IS NULL AND score_a IS NOT NULL AND score_b IS NOT NULL THEN {by_score}")
    return f"CAST(CASE {' '.join(cases)} END AS DOUBLE)"


Rule = tuple[tuple[str, ...], str, str]
"""Fields without which it cannot be broken; SQL of being broken; SQL of what is then said."""


def _rules(mapping: Mapping) -> list[Rule]:
    """What each judgment must keep, in the order in which it is asked."""
    kinds = ", ".join(literal(k) for k in JUDGE_KINDS)
    no_texts = "text_a IS NULL AND text_b IS NULL"
    rules: list[Rule] = []
    if mapping.rated is not None:
        rules.append(((), "unit_bad IS NOT NULL", "unit_bad"))
    rules += [
        ((), f"prompt_key IS NULL AND prompt_id IS NULL AND (pair_id IS NULL OR NOT ({no_texts}))",
         _bad("prompt", "NULL", "is empty")),
        ((), "judge IS NULL", _bad("judge", "NULL", "is empty")),
        (() if mapping.judge_kinds else ("judge_kind",), f"kind NOT IN ({kinds})",
         _bad("judge_kind", "judge_kind", "is not one of " + ", ".join(JUDGE_KINDS))),
        ((), f"{no_texts} AND (model_a IS NULL OR model_b IS NULL) AND pair_id IS NULL",
         _bad("model_a", "coalesce(model_a, model_b)",
              "alone names no pair: both models, both responses or a pair_id are needed")),
        ((), f"{no_texts} AND model_a = model_b AND pair_id IS NULL",
         _bad("model_b", "model_b", "is the same model as model_a and no texts tell the two apart: no pair")),
        ((), "text_a = text_b AND model_a IS NOT DISTINCT FROM model_b",
         _bad("response_b", "NULL", "equals response_a of the same model: two equal responses are no pair")),
        *_count_rules(mapping),
        (("p_a",), f"p_a IS NOT NULL AND {_no_number('p_a_n')}", _bad("p_a", "p_a", "is not a number")),
        (("p_a",), "p_a IS NOT NULL AND (p_a_n < 0 OR p_a_n > 1)", _bad("p_a", "p_a", "is outside [0, 1]")),
        (("score_a",), f"score_a IS NOT NULL AND {_no_number('score_a_n')}",
         _bad("score_a", "score_a", "is not a number")),
        (("score_b",), f"score_b IS NOT NULL AND {_no_number('score_b_n')}",
         _bad("score_b", "score_b", "is not a number")),
        (("winner",), "said = -2", _bad("winner", "winner", "can be read as either side: write a, b or tie")),
        (("winner",), f"said = -1 AND NOT (model_a IS NULL AND model_b IS NULL AND pair_id IS NOT NULL AND {no_texts})",
         _bad("winner", "winner", "is not one of a, b, tie, both_bad, refused, left, right, model_a, model_b, 1, 2 "
              "or a model of the row")),
        ((), "said IS NULL AND p IS NULL",
         _bad("score_a" if mapping.shape == "scores" else "winner", "NULL", "is empty")),
        (("p_a",), """p_a IS NOT NULL AND said IS NOT NULL AND said <> -1 AND outcome <> CASE said
            WHEN 4 THEN CASE WHEN p = 0.5 THEN 4 ELSE 3 END ELSE said END""",
         _bad("winner", "winner", "contradicts p_a")),
        (("swapped",), "shown IS NULL", _bad("swapped", "swapped", "is not true or false")),
        (("weight",), f"weight IS NOT NULL AND ({_no_number('weight_n')} OR weight_n <= 0)",
         _bad("weight", "weight", "is not a number above 0")),
        (("repeat",), "repeat IS NOT NULL "
         "AND (repeat_n IS NULL OR repeat_n < 0 OR try_cast(repeat AS DOUBLE) <> repeat_n)",
         _bad("repeat", "repeat", "is not a whole number 0, 1, 2, ...")),
        (("confidence",), f"confidence IS NOT NULL AND {_no_number('confidence_n')}",
         _bad("confidence", "confidence", "is not a number")),
        (("seconds",), f"seconds IS NOT NULL AND ({_no_number('seconds_n')} OR seconds_n < 0)",
         _bad("seconds", "seconds", "is not a number of seconds")),
        (("judged_at",), "judged_at IS NOT NULL AND judged_at_t IS NULL",
         _bad("judged_at", "judged_at", "is no date: write 2026-01-31 or 2026-01-31 12:00:00")),
        (("cue",), "cue IS NOT NULL AND cue NOT IN ('a', 'b')", _bad("cue", "cue", "is not a or b")),
    ]
    return rules  # fmt: skip


def _no_number(value: str) -> str:
    return f"({value} IS NULL OR NOT isfinite({value}))"


def _count_rules(mapping: Mapping) -> list[Rule]:
    if mapping.shape != "counts":
        return []
    said = f"is not a whole number of votes from 0 to {MOST_VOTES:,}"
    counts = (("count_a", "n_a"), ("count_b", "n_b"), ("count_tie", "n_tie"))
    return [((), f"({n} BETWEEN 0 AND {MOST_VOTES}) IS NOT TRUE", _bad(name, name, said)) for name, n in counts]


def _bad(field: str, value: str, reason: str) -> str:
    return f"{{'field': {literal(field)}, 'value': CAST({value} AS VARCHAR), 'reason': {literal(reason)}}}"


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
