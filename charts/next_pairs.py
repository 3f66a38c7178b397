"""Which pairs of models would tell most if they were judged next?"""

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


def next_chart(
    planned: pd.DataFrame,
    theme: Theme,
    mark: Mark,
    *,
    most: int = 12,
    narrow: bool = False,
    labels: Mapping[str, str] | None = None,
) -> go.Figure:
    """One row a pair of models: what judging it takes off the strengths' variance, and how many judgments that is.

    planned : the table `next` of the study `next-pairs` of one judge: model_1, model_2, ask, expected_shrink, why
    mark : the judge's; most : how many rows; customdata of each mark: [model_1, model_2]
    Pairs without a figure (a link for a model without a strength, or no strength known yet) say so.
    """
    if planned.empty:
        return parts.empty("Nothing can be planned here.", theme, narrow)
    table = planned.head(most).reset_index(drop=True)
    n = len(table)
    gain, ask = parts.numbers(table, "expected_shrink"), parts.numbers(table, "ask").astype(int)
    fitted = pair_labels(table["model_1"], table["model_2"], "against", theme, narrow, labels)
    figure = go.Figure()
    known = np.flatnonzero(np.isfinite(gain))
    for k in known:
        figure.add_trace(
            go.Scatter(x=[0, gain[k]], y=[k, k], mode="lines", line={"color": mark.colour, "width": 1.6},
                       hoverinfo="skip", showlegend=False)
        )  # fmt: skip
    if len(known):
        figure.add_trace(
            go.Scatter(
                x=gain[known], y=known, mode="markers", showlegend=False, cliponaxis=False,
                marker=parts.marker(mark, theme, 9),
                customdata=table.loc[known, ["model_1", "model_2"]].to_numpy().tolist(), hoverinfo="text",
                hovertext=[_hover(row) for row in table.loc[known].to_dict("records")],
            )
        )  # fmt: skip
    limit = max(float(gain[known].max(initial=0.0)), 1e-9) * 1.08 if len(known) else 1.0
    column = [f"{value:,}" for value in ask]
    right = max(written.text_width(text, theme.small) for text in [*column, "to judge"]) + 20
    font = {"size": theme.small, "color": theme.muted}
    place = {"xref": "paper", "x": 1, "xanchor": "right", "xshift": right - 8, "showarrow": False, "font": font}
    annotations: list[dict[str, Any]] = [
        place | {"text": "to judge", "yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 4}
    ]
    annotations += [place | {"text": text, "yref": "y", "y": k} for k, text in enumerate(column)]
    left = fitted.width + 16
    room = parts.WIDTH[narrow] - left - right
    why = [
        written.fit_label(_why(str(text), narrow), room - 12, theme.small, theme.most(1)).html for text in table["why"]
    ]
    annotations += [
        {
            "text": why[k], "x": 0, "y": int(k), "xref": "paper", "yref": "y", "xanchor": "left", "xshift": 6,
            "showarrow": False, "font": font,
        }
        for k in np.flatnonzero(~np.isfinite(gain))
    ]  # fmt: skip
    said = "percent off the variance" if narrow else "taken off the strengths' variance, percent"
    title = written.wrap(said, room, theme.small)
    bottom = parts.axis_height(len(title), theme)
    remark, taken = parts.note(_note(n, len(planned), len(known) < n), theme, narrow, left, bottom)
    top = 14 + theme.label * written.LINE
    set_layout(
        figure,
        margin={"l": left, "r": right, "t": top, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis((0.0, limit), title, theme, 3 if narrow else 5, anchor="y"),
        yaxis=parts.row_axis(n, fitted.texts, theme),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), parts.zero_line(n, "x", theme)],
        annotations=[*annotations, remark],
    )
    return base(figure, theme, n * fitted.height + top + bottom + taken, _alt(table, planned))


def _why(why: str, narrow: bool) -> str:
    """What stands in place of a figure; at phone width its first word is all there is room for."""
    return why.split(":")[0] if narrow else why


def _hover(row: Mapping[Any, Any]) -> str:
    one, two = (f"<b>{written.escape(words.shorten(str(row[f'model_{k}'])))}</b>" for k in (1, 2))
    return "<br>".join(
        [
            f"{one} against {two}",
            f"{words.plural(int(row['ask']), 'judgment')}: {words.number(row['expected_shrink'])} % off the variance",
            f"{words.plural(int(row['have']), 'judgment')} so far, {int(row['available']):,} more can be had",
        ]
    )


def _note(shown: int, total: int, links: bool) -> str:
    text = "Models without a strength come first; the others" if links else "Sorted"
    text += " by what their judgments take off."
    return text + (f" The first {shown:,} pairs; {total - shown:,} more are in the table." if total > shown else "")


def _alt(table: pd.DataFrame, planned: pd.DataFrame) -> str:
    first = table.iloc[0]
    return (
        f"{words.plural(len(planned), 'pair')} of models to be judged next, {int(planned['ask'].sum()):,} judgments "
        f"altogether. First: {first['model_1']} against {first['model_2']}, "
        f"{words.plural(int(first['ask']), 'judgment')}."
    )
