"""How often does each factor agree with the verdicts, judge beside judge?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import pandas as pd
import plotly.graph_objects as go

from charts import words
from charts.judge_rows import BEYOND, Look, judge_rows_chart
from charts.theme import Theme


def _hover(row: pd.Series) -> str:
    return (
        f"strength {words.estimate(row['strength'], row['lower'], row['upper'])}<br>agrees with "
        f"{words.share(row['accuracy'])} of the verdicts where it votes, which it does in "
        f"{words.share(row['relevance'])}"
    )


LOOK = Look(
    value="strength",
    title="strength (1: always the preferred answer has more of it; −1: always less)",
    note=f"Filled: beyond noise (q < {words.fixed(BEYOND)}); hollow: within noise. Nothing is held equal.",
    alt="How often {things} agree with the verdicts of {judges}.",
    hover=_hover,
    ends=(-1.04, 1.04),
    empty="No vote of a factor can be held against {judges}.",
)


def strength_chart(
    table: pd.DataFrame,
    judges: Sequence[str],
    theme: Theme,
    *,
    humans: Collection[str] = (),
    most: int | None = None,
    narrow: bool = False,
    labels: Mapping[str, str] | None = None,
) -> go.Figure:
    """One row a factor with each judge's strength and its interval, the largest first; hollow within noise.

    table : the table `strengths` of the study `factors strength`; judges : those drawn, one or two
    customdata of each mark: [factor]
    """
    return judge_rows_chart(table, judges, theme, LOOK, humans=humans, most=most, narrow=narrow, labels=labels)
