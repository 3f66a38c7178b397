"""Which factors move one judge's verdicts, and how much?"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.gaps import MARGIN
from charts.theme import Mark, Theme, base, marks, set_layout

BEYOND = 0.05
POINTS = "points"


def weight_chart(
    table: pd.DataFrame,
    judge: str,
    theme: Theme,
    *,
    humans: Collection[str] = (),
    most: int | None = None,
    narrow: bool = False,
    unit: str = POINTS,
    labels: Mapping[str, str] | None = None,
) -> go.Figure:
    """One row a factor with its interval, the largest effect first; hollow and grey within noise.

    table : the table `factors` of the study `factors fit`, of one judge; unit : "points" or "log-odds"
    """
    if table.empty:
        return parts.empty(f"No factor could be weighed for {judge}.", theme, narrow)
    names = labels or {}
    order = np.argsort(-np.abs(parts.numbers(table, "weight")), kind="stable")
    shown = table.iloc[order[:most]].reset_index(drop=True)
    wanted = ("effect", "effect_lower", "effect_upper") if unit == POINTS else ("weight", "lower", "upper")
    value, low, high = (parts.numbers(shown, name) for name in wanted)
    zero = 50.0 if unit == POINTS else 0.0
    test = parts.numbers(shown, "q")
    beyond = np.where(np.isnan(test), parts.numbers(shown, "p"), test) < BEYOND
    n = len(shown)
    factors = [str(f) for f in shown["factor"]]
    fitted = parts.row_names([names.get(f, f) for f in factors], 118.0 if narrow else 165.0, theme)
    mark = marks([judge], humans, theme)[judge]
    figure = go.Figure()
    limits = tuple(zero + end for end in parts.span(value - zero, low - zero, high - zero))
    rows = np.arange(n)
    colours = [mark.colour if one else theme.noise for one in beyond]
    parts.add_intervals(figure, low, high, rows, colours, (limits[0], limits[1]), "x")
    for one in (False, True):
        chosen = np.flatnonzero(beyond == one)
        if not len(chosen):
            continue
        drawn = mark if one else Mark(theme.noise, mark.symbol)
        figure.add_trace(
            go.Scatter(
                x=value[chosen], y=rows[chosen], mode="markers", xaxis="x", yaxis="y", showlegend=False,
                marker=parts.marker(drawn, theme, 9, hollow=not one), cliponaxis=False, hoverinfo="text",
                hovertext=[_hover(shown.iloc[k], names) for k in chosen], customdata=[[factors[k]] for k in chosen],
            )
        )  # fmt: skip
    left = written.labels_width(fitted, theme.label) + 16
    room = parts.WIDTH[narrow] - left - MARGIN
    said = "wins of 100 with more of it (50 = no effect)" if unit == POINTS else "weight, log-odds (0 = no effect)"
    title = written.wrap(said, room, theme.small)
    bottom = parts.axis_height(len(title), theme)
    text = f"Filled: beyond noise (q < {words.fixed(BEYOND)}); hollow: within noise."
    if len(table) > n:
        text += f" The {words.plural(n, 'factor')} that move most; {words.not_shown(len(table) - n)}."
    remark, taken = parts.note(text, theme, narrow, left, bottom)
    head = parts.tag(judge, mark, theme, parts.over_room(room, left, theme))
    top = parts.lines_of(head) * theme.label * written.LINE + 12
    set_layout(
        figure,
        margin={"l": left, "r": MARGIN, "t": top, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis((limits[0], limits[1]), title, theme, 5, anchor="y"),
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme, anchor="x"),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), parts.zero_line(n, "x", theme, zero)],
        annotations=[remark, parts.over(head, theme, left)],
    )
    height = n * parts.row_height(fitted, theme) + top + bottom + taken
    moving = [names.get(factors[k], factors[k]) for k in np.flatnonzero(beyond)[:5]]
    alt = f"Weights of {words.plural(n, 'factor')} in the verdicts of {judge}. "
    alt += f"Beyond noise: {words.listing(moving, 5)}." if moving else "None is beyond noise."
    return base(figure, theme, height, alt)


def _hover(row: pd.Series, names: Mapping[str, str]) -> str:
    factor = str(row["factor"])
    points = words.estimate(row["effect"], row["effect_lower"], row["effect_upper"], 1)
    weight = words.estimate(row["weight"], row["lower"], row["upper"])
    return f"<b>{written.escape(names.get(factor, factor))}</b><br>wins {points} of 100<br>weight {weight} log-odds"
