"""How often does each factor agree with the verdicts, judge beside judge?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.gaps import MARGIN
from charts.theme import Mark, Theme, base, marks

BEYOND = 0.05
STEP = 0.3
"""Of a row's height, between the marks of two judges."""


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
    table = table[table["judge"].isin(list(judges))]
    if table.empty:
        return parts.empty(f"No vote of a factor can be held against {words.listing(list(judges))}.", theme, narrow)
    names = labels or {}
    size = pd.Series(np.abs(parts.numbers(table, "strength"))).groupby(table["factor"].to_numpy(), sort=False).max()
    factors = [str(f) for f in size.sort_values(ascending=False, kind="stable").index][:most]
    place = {factor: k for k, factor in enumerate(factors)}
    shown = table[table["factor"].isin(factors)]
    fitted = written.fit_labels([names.get(f, f) for f in factors], 118.0 if narrow else 165.0, theme.label)
    limits = parts.span(*(parts.numbers(shown, name) for name in ("strength", "lower", "upper")))
    limits = (max(limits[0], -1.04), min(limits[1], 1.04))
    drawn = marks(list(judges), humans, theme)
    figure = go.Figure()
    for k, judge in enumerate(judges):
        mine = shown[shown["judge"] == judge]
        shift = (k - (len(judges) - 1) / 2) * STEP
        at = np.array([place[str(f)] for f in mine["factor"]], dtype=float) + shift
        _add(figure, mine, at, judge, drawn[judge], limits, names, theme)
    left = written.labels_width(fitted, theme.label) + 16
    room = parts.WIDTH[narrow] - left - MARGIN
    title = written.wrap("strength (1: always the preferred answer has more of it; −1: always less)", room, theme.small)
    bottom = parts.axis_height(len(title), theme)
    text = f"Filled: beyond noise (q < {words.number(BEYOND)}); hollow: within noise. Nothing is held equal."
    if len(place) < len(size):
        hidden = len(size) - len(place)
        text += f" The {words.plural(len(place), 'factor')} with the largest strengths; {hidden:,} more are not shown."
    remark, taken = parts.note(text, theme, narrow, left, bottom)
    n = len(factors)
    top = len(judges) * theme.label * written.LINE + 12
    heads = "<br>".join(parts.tag(judge, drawn[judge], theme, room) for judge in judges)
    figure.update_layout(
        margin={"l": left, "r": MARGIN, "t": top, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis(limits, title, theme, 5, anchor="y"),
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme, anchor="x"),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), parts.zero_line(n, "x", theme, 0.0)],
        annotations=[remark, parts.head(heads, 0.0, theme, "left")],
    )
    height = n * max(parts.row_height(fitted, theme), 26.0 if len(judges) > 1 else 0.0) + top + bottom + taken
    return base(figure, theme, height, _alt(table, judges, factors, names))


def _add(
    figure: go.Figure, mine: pd.DataFrame, at: np.ndarray, judge: str, mark: Mark, limits: tuple[float, float],
    names: Mapping[str, str], theme: Theme,
) -> None:  # fmt: skip
    """One judge's marks and intervals."""
    value, low, high = (parts.numbers(mine, name) for name in ("strength", "lower", "upper"))
    beyond = parts.numbers(mine, "q") < BEYOND
    parts.add_intervals(figure, low, high, at, [mark.colour if one else theme.noise for one in beyond], limits, "x")
    hovers = [_hover(row, judge, names) for _, row in mine.iterrows()]
    for sure in (False, True):
        some = np.flatnonzero(beyond == sure)
        if len(some):
            figure.add_trace(
                go.Scatter(
                    x=value[some], y=at[some], mode="markers", xaxis="x", yaxis="y", name=judge, showlegend=False,
                    marker=parts.marker(mark if sure else Mark(theme.noise, mark.symbol), theme, 9, hollow=not sure),
                    cliponaxis=False, hoverinfo="text", hovertext=[hovers[k] for k in some],
                    customdata=[[str(mine["factor"].iloc[k])] for k in some],
                )
            )  # fmt: skip


def _hover(row: pd.Series, judge: str, names: Mapping[str, str]) -> str:
    factor = str(row["factor"])
    return (
        f"<b>{written.escape(names.get(factor, factor))}</b><br>{written.escape(words.shorten(judge, 30))}: strength "
        f"{words.estimate(row['strength'], row['lower'], row['upper'])}<br>agrees with {words.share(row['accuracy'])} "
        f"of the verdicts where it votes, which it does in {words.share(row['relevance'])}"
    )


def _alt(table: pd.DataFrame, judges: Sequence[str], factors: Sequence[str], names: Mapping[str, str]) -> str:
    said = f"How often {words.plural(len(factors), 'factor')} agree with the verdicts of {words.listing(list(judges))}."
    for judge in judges:
        mine = table[(table["judge"] == judge) & table["factor"].isin(list(factors))]
        value = parts.numbers(mine, "strength")
        largest = [(str(mine["factor"].iloc[k]), value[k]) for k in np.argsort(-np.abs(value), kind="stable")[:3]]
        each = [f"{names.get(factor, factor)} ({words.number(strength)})" for factor, strength in largest]
        said += f" {judge}: {words.listing(each)}." if each else ""
    return said
