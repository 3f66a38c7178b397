"""Is a judge as often right as it is sure? The reliability diagram of each judge."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from charts import words
from charts.diagonal import Look, diagonal_chart
from charts.theme import Theme

BINS = (5, 10, 20)
"""How many there can be."""


def _hover(row: Mapping[Any, Any]) -> str:
    return (
        f"sure from {words.share(row['low'])} to {words.share(row['high'])}, {words.share(row['sureness'])} on average"
        f"<br>right in {words.share(row['right'])} {_ends(row)}<br>"
        f"{words.plural(int(row['comparisons']), 'comparison')}"
    )


def _ends(row: Mapping[Any, Any]) -> str:
    low, high = row["lower"], row["upper"]
    return "" if words.absent(low) or words.absent(high) else f"[{words.share(low)}, {words.share(high)}]"


PREFERENCE = Look(
    x="sureness", y="right", size="comparisons", lower="lower", upper="upper", across="how sure it is of its side, %",
    up="how often a vote is for that side, %",
    note="Dashed: as often right as it is sure; below it the judge is too sure. Dots by the number of comparisons.",
    hover=_hover, alt="How often {judges} are right, by how sure they are.",
    empty="No judge says how sure it is.",
)  # fmt: skip
CONFIDENCE = replace(PREFERENCE, across="confidence that it states, %", start=0.0)


def reliability_chart(
    bins: pd.DataFrame, judges: Sequence[str], n_bins: int, theme: Theme, *, confidence: bool = False,
    errors: Mapping[str, float] | None = None, humans: Collection[str] = (), narrow: bool = False, more: int = 0,
) -> go.Figure:  # fmt: skip
    """A dot a bin with its interval, a panel a judge.

    bins : of the study `calibration`; n_bins : 5, 10 or 20; confidence : stated, from 0 on; errors : judge -> its ECE
    with so many bins; more : judges that are not drawn
    """
    heads = {judge: f"error {words.number(value)}" for judge, value in (errors or {}).items()}
    return diagonal_chart(
        bins[bins["bins"] == n_bins], judges, theme, CONFIDENCE if confidence else PREFERENCE, humans=humans,
        heads=heads, narrow=narrow, more=more,
    )  # fmt: skip
