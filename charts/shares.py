"""Does a judge keep people's disagreement? Its share for a side by people's share for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from charts import words
from charts.diagonal import Look, diagonal_chart
from charts.theme import Theme


def _hover(row: Mapping[Any, Any]) -> str:
    low, high = row.get("lower"), row.get("upper")
    ends = "" if words.absent(low) or words.absent(high) else f" [{words.share(low)}, {words.share(high)}]"
    return (
        f"people {words.share(row['people'])} for the side that most of them prefer<br>"
        f"judge {words.share(row['judge_mean'])}{ends}<br>{words.plural(int(row['pairs']), 'pair')}"
    )


LOOK = Look(
    x="people", y="judge_mean", size="pairs", lower="lower", upper="upper",
    across="people's votes for the side that most of them prefer, %", up="the judge's share for that side, %",
    note="Dashed: the judge is as divided as people. Above it more of one mind than they, below it less, or of "
    "another; where few voted, even a judge like them lies below it at the right. Dots by the number of pairs.",
    hover=_hover, alt="Shares of {judges} by people's shares.", empty="No judge has shares to hold against people's.",
    joined=True,
)  # fmt: skip


def shares_chart(
    table: pd.DataFrame, judges: Sequence[str], theme: Theme, *, heads: Mapping[str, str] | None = None,
    humans: Collection[str] = (), narrow: bool = False, more: int = 0,
) -> go.Figure:  # fmt: skip
    """A line of dots a judge, from pairs on which people are even to those on which they are of one mind.

    table : `by_share` of the study `shares`; heads : judge -> what stands beside its name; more : those not drawn
    """
    return diagonal_chart(table, judges, theme, LOOK, humans=humans, heads=heads, narrow=narrow, more=more)
