"""What did each annotator say of each pair? Verdicts of one on one pair, over orders and repeats, are averaged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from data.queries import Con

Column = NDArray[Any]
UNNAMED = -1


@dataclass(frozen=True)
class Said:
    """One row a (judge, annotator, pair), ascending in these. All (n,).

    judge_id, annotator, pair, prompt : ids; annotator -1 where none is named
    p_a : mean over orders and repeats; judgments : how many of them
    """

    judge_id: Column
    annotator: Column
    pair: Column
    prompt: Column
    p_a: Column
    judgments: Column

    def __len__(self) -> int:
        return len(self.pair)

    def take(self, rows: Column) -> Said:
        """Some of the rows: a mask, or positions."""
        return Said(**{name: column[rows] for name, column in self.__dict__.items()})


def said_by_annotator(con: Con, condition: str) -> Said:
    """All verdicts of the condition by annotator. The mean is rounded at 1e-9: three thirds are even, not nearly so."""
    table = con.sql(
        f"""SELECT judge_id, coalesce(annotator_id, {UNNAMED}) AS annotator, pair_id AS pair,
            any_value(prompt_id) AS prompt, round(avg(p_a), 9) AS p_a, count(*) AS judgments
        FROM judgment WHERE {condition} AND outcome <> 0 GROUP BY ALL ORDER BY 1, 2, 3"""
    ).to_arrow_table()
    return Said(**{name: table[name].to_numpy() for name in table.column_names})
