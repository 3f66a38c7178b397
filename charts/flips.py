"""Which two models do the judges put in opposite order, and how sure is that?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.pair_rows import pair_labels
from charts.theme import Mark, Theme, base, set_layout

SURE = 0.95
"""From this probability on a flip is filled."""


def flip_chart(
    flips: pd.DataFrame,
    theme: Theme,
    *,
    most: int = 12,
    narrow: bool = False,
    models: pd.DataFrame | None = None,
    reference: str | None = None,
    labels: Mapping[str, str] | None = None,
) -> go.Figure:
    """One row a pair of models, with the probability that the judges truly order them differently.

    flips : `compare`'s table `flips`: model_1, model_2, p_flip, and as available judge, pairs
    models : `compare`'s table `models`; with it the model that the reference prefers stands first, and
        rows read "A before B"; without it they read "A and B"
    most : how many rows, the surest first; narrow : for figures under 650 pixels
    customdata of each mark: [model_1, model_2], as ordered in the row
    """
    if flips.empty:
        return parts.empty("No two models are ordered differently by the judges.", theme, narrow)
    probability = parts.numbers(flips, "p_flip")
    rows = np.argsort(-np.where(np.isfinite(probability), probability, -1), kind="stable")
    shown = flips.iloc[rows[:most]].reset_index(drop=True)
    probability = parts.numbers(shown, "p_flip")
    several = "judge" in shown.columns and flips["judge"].nunique() > 1
    pairs = [_oriented(row, models) for row in shown.to_dict("records")]
    joint = "before" if models is not None else "and"
    judges = [str(judge) for judge in shown["judge"]] if several else None
    fitted = pair_labels([a for a, _ in pairs], [b for _, b in pairs], joint, theme, narrow, labels, judges)
    n = len(shown)
    figure = go.Figure()
    for k in range(n):
        if np.isfinite(probability[k]):
            colour = theme.text if probability[k] >= SURE else theme.noise
            ends = {"x": [0, probability[k]], "y": [k, k], "mode": "lines", "line": {"color": colour, "width": 1.6}}
            figure.add_trace(go.Scatter(**ends, hoverinfo="skip", showlegend=False))
    for sure, colour in ((False, theme.noise), (True, theme.text)):
        chosen = [k for k in range(n) if (probability[k] >= SURE) == sure and np.isfinite(probability[k])]
        if chosen:
            figure.add_trace(
                go.Scatter(
                    x=probability[chosen], y=chosen, mode="markers+text", showlegend=False, cliponaxis=False,
                    marker=parts.marker(Mark(colour, "circle"), theme, 9, hollow=not sure),
                    text=[f"  {_share(probability[k])}" for k in chosen], textposition="middle right",
                    textfont={"size": theme.small, "color": theme.text if sure else theme.muted},
                    customdata=[list(pairs[k]) for k in chosen], hoverinfo="text",
                    hovertext=[_hover(pairs[k], shown.iloc[k], probability[k], joint) for k in chosen],
                )
            )  # fmt: skip
    left, right, top = fitted.width + 16, 62.0, 10.0
    ticks = [0.0, 0.5, 1.0] if narrow else [0.0, 0.25, 0.5, 0.75, 1.0]
    title = written.wrap("probability that the orders truly differ", parts.WIDTH[narrow] - left - right, theme.small)
    bottom = parts.axis_height(len(title), theme)
    axis = parts.value_axis(
        (0.0, 1.0), title, theme, anchor="y", tickvals=ticks, ticktext=[words.percent(v) for v in ticks]
    )  # fmt: skip
    said = _note(n, len(flips) - n, reference if models is not None else None, theme)
    remark, taken = parts.note(said, theme, narrow, left, bottom)
    set_layout(
        figure,
        margin={"l": left, "r": right, "t": top, "b": bottom + taken, "pad": 6},
        xaxis=axis,
        yaxis=parts.row_axis(n, fitted.texts, theme),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), parts.zero_line(n, "x", theme)],
        annotations=[remark],
    )
    return base(figure, theme, n * fitted.height + top + bottom + taken, _alt(pairs, probability, len(flips), joint))


def _oriented(row: Mapping[Any, Any], models: pd.DataFrame | None) -> tuple[str, str]:
    """The two models, the one that the reference prefers first where that is known."""
    one, two = str(row["model_1"]), str(row["model_2"])
    if models is None:
        return one, two
    mine = models[models["judge"] == row["judge"]] if "judge" in models.columns and "judge" in row else models
    strengths = dict(zip(mine["model"].astype(str), parts.numbers(mine, "strength_ref"), strict=True))
    return (two, one) if strengths.get(two, np.nan) > strengths.get(one, np.nan) else (one, two)


def _share(probability: float) -> str:
    """98 %; never 100 %, which draws cannot show."""
    return "> 99 %" if probability > 0.995 else words.share(probability)


def _hover(pair: tuple[str, str], row: pd.Series, probability: float, joint: str) -> str:
    lines = [f"<b>{written.escape(words.shorten(pair[0]))}</b> {joint} <b>{written.escape(words.shorten(pair[1]))}</b>"]
    lines.append(f"truly differ: {_share(probability).replace('>', '&gt;')}")
    if "pairs" in row.index and pd.notna(row["pairs"]):
        lines.append(f"{words.plural(int(row['pairs']), 'pair')} of responses between them")
    return "<br>".join(lines)


def _note(shown: int, hidden: int, reference: str | None, theme: Theme) -> str:
    text = f"Order by {theme.short(reference, 30)}; the other judge has it the other way round. " if reference else ""
    text += f"Filled: {words.share(SURE)} or more."
    if hidden:
        text += f" The surest {shown:,}; {words.not_shown(hidden)}."
    return text


def _alt(pairs: list[tuple[str, str]], probability: np.ndarray, total: int, joint: str) -> str:
    """The picture in a sentence or two."""
    first = f"{pairs[0][0]} {joint} {pairs[0][1]}"
    sure = int((probability >= SURE).sum())
    return (
        f"{words.plural(total, 'pair')} of models that the judges order differently, the surest first: {first}"
        + (f" ({_share(probability[0])})" if np.isfinite(probability[0]) else "")
        + f". {sure:,} of the {len(pairs):,} shown {'is' if sure == 1 else 'are'} at {words.share(SURE)} or more."
    )
