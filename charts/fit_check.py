"""Which pairs of models does one scale miss, and by how much?"""

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

BEYOND = 0.05
"""q below which a pair's misfit counts as beyond chance."""


def fit_chart(
    pairs: pd.DataFrame,
    theme: Theme,
    mark: Mark,
    *,
    most: int = 12,
    narrow: bool = False,
    labels: Mapping[str, str] | None = None,
) -> go.Figure:
    """One row a pair of models, the worst first: the share that was observed and the share that the scale expects.

    pairs : the table `pairs` of the study `fit-check` of one judge: model_1, model_2, observed, expected, q
    mark : the judge's; most : how many rows; customdata of each mark: [model_1, model_2]
    """
    if pairs.empty:
        return parts.empty("No pair of models could be held against the scale.", theme, narrow)
    table = pairs.head(most).reset_index(drop=True)
    n = len(table)
    observed, expected, q = (parts.numbers(table, column) for column in ("observed", "expected", "q"))
    beyond = q < BEYOND
    fitted = pair_labels(table["model_1"], table["model_2"], "over", theme, narrow, labels)
    figure = go.Figure()
    row = np.arange(n)
    for k in range(n):
        line = {"color": mark.colour if beyond[k] else theme.noise, "width": 1.6}
        figure.add_trace(
            go.Scatter(x=[expected[k], observed[k]], y=[k, k], mode="lines", line=line, hoverinfo="skip",
                       showlegend=False)
        )  # fmt: skip
    figure.add_trace(parts.truth_marks(expected, row, theme, "x", "y", 12))
    figure.data[-1].update(name="expected", hovertext=[f"expected {words.share(v)}" for v in expected])
    hovers = [_hover(one) for one in table.to_dict("records")]
    for sure in (False, True):
        chosen = np.flatnonzero(beyond == sure)
        if len(chosen):
            figure.add_trace(
                go.Scatter(
                    x=observed[chosen], y=chosen, mode="markers", showlegend=False, cliponaxis=False, name="observed",
                    marker=parts.marker(Mark(mark.colour if sure else theme.noise, mark.symbol), theme, 9, not sure),
                    customdata=table.loc[chosen, ["model_1", "model_2"]].to_numpy().tolist(),
                    hovertext=[hovers[k] for k in chosen], hoverinfo="text",
                )
            )  # fmt: skip
    column = [_chance(value) for value in q]
    right = max(written.text_width(text, theme.small) for text in [*column, "q"]) + 22
    font = {"size": theme.small, "color": theme.muted}
    place = {"xref": "paper", "x": 1, "xanchor": "right", "xshift": right - 8, "showarrow": False, "font": font}
    above = {"text": "q", "yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 4}
    annotations: list[dict[str, Any]] = [place | above]
    annotations += [place | {"text": text.replace("<", "&lt;"), "yref": "y", "y": k} for k, text in enumerate(column)]
    left = fitted.width + 16
    title = written.wrap("share of verdicts for the first model", parts.WIDTH[narrow] - left - right, theme.small)
    bottom = parts.axis_height(len(title), theme)
    remark, taken = parts.note(_note(n, len(pairs)), theme, narrow, left, bottom)
    top = 14 + theme.label * written.LINE
    ticks = [0.0, 0.5, 1.0] if narrow else [0.0, 0.25, 0.5, 0.75, 1.0]
    axis = parts.value_axis(
        (-0.02, 1.02), title, theme, anchor="y", tickvals=ticks, ticktext=[words.percent(v) for v in ticks]
    )  # fmt: skip
    set_layout(
        figure,
        margin={"l": left, "r": right, "t": top, "b": bottom + taken, "pad": 6},
        xaxis=axis,
        yaxis=parts.row_axis(n, fitted.texts, theme),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), parts.zero_line(n, "x", theme, 0.5)],
        annotations=[*annotations, remark],
    )
    return base(figure, theme, n * fitted.height + top + bottom + taken, _alt(table, int(beyond.sum())))


def _chance(q: float) -> str:
    return words.p_value(q) or "–"


def _hover(row: Mapping[Any, Any]) -> str:
    one, two = (f"<b>{written.escape(words.shorten(str(row[f'model_{k}'])))}</b>" for k in (1, 2))
    lines = [
        f"{one} over {two}",
        f"observed {words.share(row['observed'])}, expected {words.share(row['expected'])}",
        f"{words.plural(int(row['judgments']), 'judgment')}",
    ]
    if not words.absent(row.get("residual")):
        lines.append(f"{words.number(row['residual'])} standard errors, q {_chance(row['q']).replace('<', '&lt;')}")
    return "<br>".join(lines)


def _note(shown: int, total: int) -> str:
    text = (
        f"Stroke: what the scale expects; mark: what was observed, filled when q < {words.fixed(BEYOND)}. "
        "–: too few clusters for a test."
    )
    if total > shown:
        text += f" The {shown:,} worst; {total - shown:,} more are in the table."
    return text


def _alt(table: pd.DataFrame, beyond: int) -> str:
    first = table.iloc[0]
    return (
        f"The {words.plural(len(table), 'pair')} of models that one scale fits worst, {beyond:,} of them beyond "
        f"chance. Worst: {first['model_1']} over {first['model_2']}, observed {words.share(first['observed'])}, "
        f"expected {words.share(first['expected'])}."
    )
