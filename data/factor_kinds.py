"""Is a delivered factor a number, a yes or no, a word, or a set of words? Decided once for all its values.

A factor is words when a value holds a semicolon (then sets of labels), or when more than half of its values are no
numbers; yes, no, true and false are 1 and 0 where a factor has no others; else it is a number, and its words count as
no value. What the dataset already holds of a factor decides first.
"""

from __future__ import annotations

from data.queries.labels import SEPARATOR
from data.step import Step

YES, NO = ("yes", "true"), ("no", "false")
_FLAGS = ", ".join(f"'{word}'" for word in (*YES, *NO))
_YES = ", ".join(f"'{word}'" for word in YES)


def settle_kinds(step: Step, words: str) -> None:
    """Make the table `kind_of` (name, kind: number, flag, label or set), and say what was taken for granted.

    words : SQL that selects name and word, the values as delivered, trimmed, none of them empty
    """
    step.run(
        f"""CREATE OR REPLACE TEMP TABLE kind_of AS
        WITH held AS (
            SELECT f.name, sum(numbers) AS numbers, sum(labels) AS labels FROM factor f JOIN (
                SELECT factor_id, count(value) AS numbers, count(label) AS labels FROM response_value
                WHERE dataset_id = $d GROUP BY factor_id
                UNION ALL SELECT factor_id, count(value_a) + count(value_b), count(label_a) + count(label_b)
                FROM judgment_value WHERE dataset_id = $d GROUP BY factor_id) v USING (factor_id)
            WHERE f.dataset_id = $d GROUP BY f.name),
        seen AS (
            SELECT name, sum(c) AS n, coalesce(sum(c) FILTER (isfinite(x)), 0) AS numbers,
                coalesce(sum(c) FILTER (lower(word) IN ({_FLAGS})), 0) AS flags,
                coalesce(sum(c) FILTER (x IN (0, 1)), 0) AS bits, bool_or(contains(word, '{SEPARATOR}')) AS sets,
                min(word) FILTER (isfinite(x) IS NOT TRUE) AS example
            FROM (SELECT name, word, count(*) AS c, try_cast(word AS DOUBLE) AS x FROM ({words}) GROUP BY name, word)
            GROUP BY name)
        SELECT name, n, seen.numbers, example, CASE
            WHEN flags > 0 AND flags + bits = n AND coalesce(held.labels, 0) = 0 THEN 'flag'
            WHEN held.numbers > 0 THEN 'number'
            WHEN sets THEN 'set'
            WHEN coalesce(held.labels, 0) = 0 AND 2 * seen.numbers >= n THEN 'number'
            ELSE 'label' END AS kind
        FROM seen LEFT JOIN held USING (name)"""
    )
    for kind, said in (
        ("flag", "read as yes (1) or no (0): "),
        ("label", "read as words, each but the most frequent one a factor of its own: "),
        ("set", "read as sets of labels, each label a factor of its own: "),
    ):
        names = [
            name for (name,) in step.con.execute(
                "SELECT name FROM kind_of WHERE kind = $kind ORDER BY name", {"kind": kind}
            ).fetchall()
        ]  # fmt: skip
        if names:
            more = f" and {len(names) - 20} more" if len(names) > 20 else ""
            step.inferred.append(said + ", ".join(names[:20]) + more)
    for name, n, example in step.con.execute(
        "SELECT name, n - numbers, example FROM kind_of WHERE kind = 'number' AND numbers < n ORDER BY name LIMIT 20"
    ).fetchall():
        step.inferred.append(
            f"values of {name} that are no numbers (such as {example[:40]!r}) and count as none: {int(n):,}"
        )


def as_number(word: str, kind: str = "kind") -> str:
    """SQL: the number that a word stands for under a factor's kind, else NULL."""
    x = f"try_cast({word} AS DOUBLE)"
    return (
        f"CASE WHEN {kind} = 'flag' AND lower({word}) IN ({_FLAGS}) THEN (lower({word}) IN ({_YES}))::DOUBLE "
        f"WHEN {kind} IN ('flag', 'number') AND isfinite({x}) THEN {x} END"
    )


def as_label(word: str, kind: str = "kind") -> str:
    """SQL: the word, of a set its labels in order and once each, else NULL. A set of fewer than two ends in a
    semicolon, so that it is seen to be one."""
    parts = (
        f"list_sort(list_distinct([trim(part) FOR part IN string_split({word}, '{SEPARATOR}') IF trim(part) <> '']))"
    )
    return (
        f"CASE {kind} WHEN 'label' THEN {word} WHEN 'set' THEN array_to_string({parts}, '{SEPARATOR}') "
        f"|| CASE WHEN len({parts}) < 2 THEN '{SEPARATOR}' ELSE '' END END"
    )
