"""What did each judge say of each pair, by the order and the circumstances in which it was shown?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from data.model import Selection
from data.queries import Catalog, Con, where
from data.queries.delivered import sums
from data.queries.runs import added, runs
from data.queries.votes import voter_of
from data.remembered import known

Column = np.ndarray
Words = pd.api.extensions.ExtensionArray

MARKS = r"(?m)^\s*(?:#{1,6} |[-*+] |\d+[.)] )|\*\*|`{3}"
"""Marks of formatting: headers, items of lists, bold ends, fences of code."""


@dataclass(frozen=True)
class Shown:
    """Verdicts of one voter on one pair, summed over repeats in the same order and circumstances. All (n,).

    judge_id, pair, prompt, variant : ids; shown : +1 a first, -1 b first, 0 unknown; cue : +1 for a, -1 for b, 0 none
    letter : +1 where a was called by the first letter, -1 where b was, 0 unknown
    voter : annotator, a code of its own for each verdict of people without names, 0 for a judge without annotators
    a, b, tie, none : how many verdicts of each; p : mean p_a, NaN where there is none
    word : the verdicts one by one, as they were repeated: a, b, or t for a tie; missing where there is none
    """

    judge_id: Column
    pair: Column
    prompt: Column
    variant: Column
    shown: Column
    cue: Column
    letter: Column
    voter: Column
    a: Column
    b: Column
    tie: Column
    none: Column
    p: Column
    word: Words

    def __len__(self) -> int:
        return len(self.pair)

    def take(self, rows: Column | slice) -> Shown:
        """Some of the rows: a mask, positions, or a slice."""
        return Shown(**{name: column[rows] for name, column in self.__dict__.items()})


def in_all_variants(selection: Selection, names: Catalog) -> str:
    """The condition of a selection, whatever the circumstances of its judgments."""
    return where(selection, replace(names, variants={selection.variant: 0}), ranked=False)


def shown(con: Con, names: Catalog, condition: str) -> Shown:
    """All judges' verdicts of a condition, reduced; ascending in judge, pair, variant, order, cue, letter and voter."""
    number = letter_factor(con, names)
    source, letter = f"judgment WHERE {condition}", "0"
    if number is not None:
        source, letter = _with_letters(names.dataset_id, number, condition), "letter"
    table = con.sql(
        f"""SELECT judge_id, pair_id AS pair, prompt_id AS prompt, variant_id AS variant, shown,
            coalesce(cue, 0) AS cue, {letter}::TINYINT AS letter, coalesce({voter_of(names)}, 0) AS voter,
            CASE WHEN outcome <> 0 THEN p_a ELSE 'nan'::DOUBLE END AS p
        FROM {source}
        ORDER BY judge_id, pair, variant, shown, cue, letter, voter, repeat NULLS LAST, judgment_id"""
    ).to_arrow_table()
    *alike, p = (table[name].to_numpy() for name in table.column_names)
    return _counted(dict(zip(table.column_names, alike, strict=False)), p)


def _counted(alike: dict[str, Column], p: Column) -> Shown:
    """Rows that follow one another and are alike, as one. alike : (n,) columns; p : (n,) p_a, NaN without a verdict"""
    start = runs(alike.values())
    n = np.diff(start, append=len(p))
    said = ~np.isnan(p)
    a, b, tie = (added(one.astype(np.int64), start) for one in (p > 0.5, p < 0.5, p == 0.5))
    verdicts = a + b + tie
    mean = np.full(len(start), np.nan)
    np.divide(added(np.where(said, p, 0.0), start), verdicts, out=mean, where=verdicts > 0)
    letters = np.where(p > 0.5, ord("a"), np.where(p < 0.5, ord("b"), ord("t"))).astype(np.uint8)[said]
    return Shown(
        **{name: column if len(start) == len(p) else column[start] for name, column in alike.items()}, a=a, b=b, tie=tie,
        none=n - verdicts, p=np.round(mean, 9), word=_words(letters, verdicts),
    )  # fmt: skip


def _words(letters: Column, length: Column) -> Words:
    """Letters that follow one another as words of these lengths; missing where there is none. letters : ASCII codes"""
    ends = np.zeros(len(length) + 1, dtype=np.int64)
    np.cumsum(length, out=ends[1:])
    there = pa.array(length > 0).buffers()[1]
    words = pa.LargeStringArray.from_buffers(len(length), pa.py_buffer(ends), pa.py_buffer(letters), there)
    found: Words = words.to_pandas(types_mapper={pa.large_string(): pd.StringDtype(na_value=np.nan)}.get).array
    return found


def letter_factor(con: Con, names: Catalog) -> int | None:
    """The delivered factor that says which letter an answer was called by (columns letter_a, letter_b)."""
    rows = con.execute(
        "SELECT factor_id FROM factor WHERE dataset_id = $d AND lower(name) = 'letter' ORDER BY factor_id",
        {"d": names.dataset_id},
    ).fetchall()
    return int(rows[0][0]) if rows else None


def letters_word(con: Con, names: Catalog) -> list[str]:
    """What the letters say, as a fingerprint needs it; nothing where there are none."""
    number = letter_factor(con, names)
    return [] if number is None else [f"letter\x1f{sums(con, names.dataset_id, [number])[number]}"]


def _with_letters(dataset_id: int, factor_id: int, condition: str) -> str:
    """Judgments with `letter`: as their own rows say, else as the answers were called in all rows."""
    which = f"dataset_id = {dataset_id} AND factor_id = {factor_id}"
    of_answer = f"""(SELECT response_id, arg_min(upper(trim(label)), import_id) AS label,
        arg_min(value, import_id) AS value FROM response_value WHERE {which} GROUP BY response_id)"""
    return f"""(SELECT j.*, coalesce({_first("v.label_a", "v.label_b", "v.value_a", "v.value_b")}, w.letter, 0) AS letter
        FROM (SELECT * FROM judgment WHERE {condition}) j
        LEFT JOIN (SELECT judgment_id, arg_min(upper(trim(label_a)), import_id) AS label_a,
            arg_min(upper(trim(label_b)), import_id) AS label_b, arg_min(value_a, import_id) AS value_a,
            arg_min(value_b, import_id) AS value_b FROM judgment_value WHERE {which} GROUP BY judgment_id) v
            USING (judgment_id)
        LEFT JOIN (SELECT p.pair_id, {_first("a.label", "b.label", "a.value", "b.value")} AS letter FROM pair p
            JOIN {of_answer} a ON a.response_id = p.response_a JOIN {of_answer} b ON b.response_id = p.response_b
            WHERE p.dataset_id = {dataset_id}) w USING (pair_id))"""


def _first(label_a: str, label_b: str, value_a: str, value_b: str) -> str:
    return f"""CASE WHEN {label_a} < {label_b} OR {value_a} < {value_b} THEN 1
        WHEN {label_a} > {label_b} OR {value_a} > {value_b} THEN -1 END"""


def sides(con: Con, names: Catalog) -> pd.DataFrame:
    """Of each pair, ascending: pair, model_a, model_b (ids, -1 unnamed), longer (sign of a - b in characters), marked
    (sign of a - b in marks of formatting); these two NaN where a text is absent."""
    # All texts are read for it, whatever was selected.
    return known(("sides", names.dataset_id), lambda: con.execute(
        """WITH texts AS (
            SELECT text_id, length(body) AS n, len(regexp_extract_all(body, $m)) AS marks FROM text
            WHERE text_id IN (SELECT text_id FROM response WHERE dataset_id = $d)),
        answers AS (SELECT response_id, n, marks FROM response LEFT JOIN texts USING (text_id) WHERE dataset_id = $d)
        SELECT p.pair_id AS pair, coalesce(p.model_a, -1) AS model_a, coalesce(p.model_b, -1) AS model_b,
            sign(a.n - b.n)::DOUBLE AS longer, sign(a.marks - b.marks)::DOUBLE AS marked
        FROM pair p LEFT JOIN answers a ON a.response_id = p.response_a LEFT JOIN answers b
            ON b.response_id = p.response_b
        WHERE p.dataset_id = $d ORDER BY p.pair_id""",
        {"d": names.dataset_id, "m": MARKS},
    ).df(), lambda found: int(found.memory_usage().sum())).copy(deep=False)  # fmt: skip


def families(con: Con, names: Catalog) -> dict[tuple[str, int], str]:
    """The attribute `family` of judges and models: (judge or model, id) -> its value; of several imports the earliest."""
    rows = con.execute(
        """SELECT entity, entity_id, arg_min(value, import_id) FROM attribute
        WHERE dataset_id = $d AND entity IN ('judge', 'model') AND name = 'family' GROUP BY ALL ORDER BY ALL""",
        {"d": names.dataset_id},
    ).fetchall()
    return {(entity, int(number)): value for entity, number, value in rows}


def told_own(con: Con, names: Catalog) -> dict[str, tuple[str, ...]]:
    """judge -> its own models, of the judges of whom somebody has said so; what the dataset no longer has is left out."""
    rows = con.execute(
        "SELECT judge, model FROM own_model WHERE dataset_id = $d ORDER BY judge, model", {"d": names.dataset_id}
    ).fetchall()
    told = {judge: tuple(m for j, m in rows if j == judge and m in names.models) for judge, _ in rows}
    return {judge: told[judge] for judge in names.judges if judge in told}
