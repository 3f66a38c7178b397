"""What did each judge reply, verdict by verdict: over orders and repeats, as a preference, and how sure it said to be?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from data.queries import Catalog, Con
from data.queries.runs import added, runs
from data.queries.votes import Column, voter_of

if TYPE_CHECKING:
    from collections.abc import Sequence

BY_REPLY = ("judge_id", "pair", "voter", "shown", "a", "b", "tie")
BY_PAIR = ("judge_id", "pair", "prompt", "scenario", "p", "verdicts", "soft", "ties")


@dataclass(frozen=True)
class Rows:
    """Columns by name, all (n,)."""

    columns: dict[str, Column]

    def __len__(self) -> int:
        return len(self.columns["pair"])

    def __getitem__(self, name: str) -> Column:
        return self.columns[name]

    def take(self, rows: Column | slice) -> Rows:
        """Some of the rows: a mask, positions, or a slice."""
        return Rows({name: column[rows] for name, column in self.columns.items()})

    def of(self, judge_id: int) -> Rows:
        """The rows of one judge; they ascend in judges."""
        return self.take(slice(*np.searchsorted(self["judge_id"], [judge_id, judge_id + 1])))


def replies(con: Con, names: Catalog, condition: str) -> Rows:
    """Verdicts counted by label, one row a (judge, pair, annotator, shown order): more than one are repeats.

    judge_id, pair, voter, shown, a, b, tie; ascending in judge, pair, voter, order
    """
    table = con.sql(
        f"""SELECT judge_id, pair_id AS pair, coalesce({voter_of(names)}, 0) AS voter, shown, p_a FROM judgment
        WHERE {condition} AND outcome <> 0 ORDER BY judge_id, pair, voter, shown"""
    ).to_arrow_table()
    *alike, p = (table[name].to_numpy() for name in table.column_names)
    start = runs(alike)
    counts = [added(one.astype(np.int64), start) for one in (p > 0.5, p < 0.5, p == 0.5)]
    return Rows(dict(zip(BY_REPLY, [*(column[start] for column in alike), *counts], strict=True)))


def preferences(con: Con, condition: str) -> Rows:
    """Mean preference for a, one row a (judge, pair), ascending in both.

    judge_id, pair, prompt, scenario (-1 unknown), p, verdicts, soft (those that are no label), ties
    """
    return _read(con, f"""SELECT judge_id, pair_id AS pair, any_value(prompt_id) AS prompt,
        coalesce(any_value(scenario_id), -1) AS scenario, avg(p_a) AS p, count(*) AS verdicts,
        count(*) FILTER (p_a NOT IN (0, 0.5, 1)) AS soft, count(*) FILTER (p_a = 0.5) AS ties
        FROM judgment WHERE {condition} AND outcome <> 0 GROUP BY judge_id, pair_id ORDER BY judge_id, pair_id
        """, BY_PAIR)  # fmt: skip


def confidences(con: Con, condition: str) -> Rows:
    """Verdicts for a side with a stated confidence, one row each: judge_id, pair, p, confidence; by judge and pair."""
    return _read(con, f"""SELECT judge_id, pair_id AS pair, CASE WHEN p_a > 0.5 THEN 1.0 ELSE 0.0 END AS p, confidence
        FROM judgment WHERE {condition} AND outcome <> 0 AND p_a <> 0.5 AND confidence IS NOT NULL
        ORDER BY judge_id, pair_id, judgment_id""", ("judge_id", "pair", "p", "confidence"))  # fmt: skip


def any_confidence(con: Con, dataset_id: int) -> bool:
    """Whether any judgment of a dataset comes with a stated confidence."""
    found = con.execute(
        "SELECT 1 FROM judgment WHERE dataset_id = $d AND confidence IS NOT NULL LIMIT 1", {"d": dataset_id}
    )
    return bool(found.fetchall())


def _read(con: Con, statement: str, names: Sequence[str]) -> Rows:
    table = con.sql(statement).to_arrow_table()
    return Rows({name: table[name].to_numpy() for name in names})
