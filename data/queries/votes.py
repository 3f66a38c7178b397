"""What did each judge say of each pair, as labels? Verdicts of one annotator on one pair are one vote."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.queries import Catalog, Con
from data.queries.differences import UNNAMED

Column = np.ndarray

LABELS = "count(*) FILTER (p > 0.5) AS a, count(*) FILTER (p < 0.5) AS b, count(*) FILTER (p = 0.5) AS tie"


@dataclass(frozen=True)
class Votes:
    """One row a (judge, pair), ascending in judge and pair. All (n,).

    judge_id, pair, prompt, scenario : ids, -1 where no scenario is known; a, b, tie : votes
    """

    judge_id: Column
    pair: Column
    prompt: Column
    scenario: Column
    a: Column
    b: Column
    tie: Column

    def __len__(self) -> int:
        return len(self.pair)

    def of(self, judge_id: int) -> Votes:
        """The rows of one judge: a slice, as votes ascend in judge, so that nothing is copied."""
        low, high = np.searchsorted(self.judge_id, [judge_id, judge_id + 1])
        return Votes(**{name: column[low:high] for name, column in self.__dict__.items()})

    def counts(self) -> Column:
        """(n, 3) votes for a, b and tie."""
        return np.column_stack([self.a, self.b, self.tie]).astype(np.int64)

    def take(self, rows: Column) -> Votes:
        """Some of the rows: a mask, or positions."""
        return Votes(**{name: column[rows] for name, column in self.__dict__.items()})


def votes(con: Con, names: Catalog, condition: str) -> Votes:
    """Count votes: p_a is averaged over the orders and repeats of one annotator on a pair, and then labelled.

    A human judge's verdicts without a named annotator are votes of different people; those of any other judge are
    repeats of one.
    """
    table = con.sql(
        f"""WITH vote AS (
            SELECT judge_id, pair_id, any_value(prompt_id) AS prompt_id, any_value(scenario_id) AS scenario_id,
                round(avg(p_a), 9) AS p
            FROM judgment WHERE {condition} AND outcome <> 0
            GROUP BY judge_id, pair_id, {voter_of(names)})
        SELECT judge_id, pair_id AS pair, any_value(prompt_id) AS prompt,
            coalesce(any_value(scenario_id), {UNNAMED}) AS scenario, {LABELS}
        FROM vote GROUP BY judge_id, pair_id ORDER BY judge_id, pair_id"""
    ).to_arrow_table()
    return Votes(**{name: table[name].to_numpy() for name in table.column_names})


def votes_by_day(con: Con, names: Catalog, condition: str) -> tuple[Votes, Column]:
    """The same with the verdicts of one day averaged alone, and the day of each row as days since 1970.

    Rows ascend in judge, day and pair; judgments without a time are left out.
    """
    table = con.sql(
        f"""WITH vote AS (
            SELECT judge_id, pair_id, datediff('day', DATE '1970-01-01', judged_at::DATE) AS day,
                any_value(prompt_id) AS prompt_id, any_value(scenario_id) AS scenario_id, round(avg(p_a), 9) AS p
            FROM judgment WHERE {condition} AND outcome <> 0 AND judged_at IS NOT NULL
            GROUP BY judge_id, pair_id, day, {voter_of(names)})
        SELECT judge_id, day, pair_id AS pair, any_value(prompt_id) AS prompt,
            coalesce(any_value(scenario_id), {UNNAMED}) AS scenario, {LABELS}
        FROM vote GROUP BY judge_id, day, pair_id ORDER BY judge_id, day, pair_id"""
    ).to_arrow_table()
    columns = {name: table[name].to_numpy() for name in table.column_names}
    day = columns.pop("day")
    return Votes(**columns), day


def voter_of(names: Catalog) -> str:
    """SQL: whose verdict a row is; NULL for a judge whose verdicts are all its own."""
    people = ", ".join(str(i) for i, kind in names.judges.values() if kind == "human") or "NULL"
    return f"coalesce(annotator_id, CASE WHEN judge_id IN ({people}) THEN -judgment_id END)"
