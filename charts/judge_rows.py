"""One figure a row, judge beside judge: how are tables of a row a judge and factor (or label, or level) drawn?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.gaps import MARGIN
from charts.theme import Mark, Theme, base, marks, set_layout

BEYOND = 0.05
STEP = 0.3
"""Of a row's height, between the marks of two judges."""


@dataclass(frozen=True)
class Look:
    """What of a table is drawn, and in which words.

    thing, value, lower, upper : columns; `thing` also names a row in sentences, `things` several
    title : of the axis; note : below the chart; alt : what is shown, "{things}" and "{judges}" filled in
    hover : the words of a row beside its name and judge; zero : the line from which values are read off
    ends : beyond which no value lies; tested : whether marks within noise (q) are hollow
    sort : whether the largest distance from the line comes first; else rows stand as in the table
    """

    value: str
    title: str
    note: str
    alt: str
    hover: Callable[[pd.Series], str]
    thing: str = "factor"
    things: str = "factors"
    lower: str = "lower"
    upper: str = "upper"
    zero: float = 0.0
    ends: tuple[float, float] | None = None
    tested: bool = True
    sort: bool = True
    empty: str = "There is nothing to draw for {judges}."


def judge_rows_chart(
    table: pd.DataFrame,
    judges: Sequence[str],
    theme: Theme,
    look: Look,
    *,
    humans: Collection[str] = (),
    most: int | None = None,
    narrow: bool = False,
    labels: Mapping[str, str] | None = None,
    known: Sequence[str] | None = None,
) -> go.Figure:
    """One row a thing with each judge's value and its interval.

    table : with the columns `judge`, `q` where tested, and those that `look` names; judges : those drawn, one or two
    known : all judges of a chart beside this one, in its order, so that each has the same mark in both
    customdata of each mark: [thing]
    """
    table = table[table["judge"].isin(list(judges)) & table[look.value].notna()]
    if table.empty:
        return parts.empty(look.empty.format(judges=words.listing(list(judges))), theme, narrow)
    names = labels or {}
    away = pd.Series(np.abs(parts.numbers(table, look.value) - look.zero))
    size = away.groupby(table[look.thing].to_numpy(), sort=False).max()
    ordered = size.sort_values(ascending=False, kind="stable") if look.sort else size
    things = [str(f) for f in ordered.index][:most]
    place = {thing: k for k, thing in enumerate(things)}
    shown = table[table[look.thing].isin(things)]
    fitted = parts.row_names([names.get(f, f) for f in things], 118.0 if narrow else 165.0, theme)
    ends = [parts.numbers(shown, name) - look.zero for name in (look.value, look.lower, look.upper)]
    low, high = (look.zero + end for end in parts.span(*ends))
    limits = (low, high) if look.ends is None else (max(low, look.ends[0]), min(high, look.ends[1]))
    drawn = marks(list(known or judges), humans, theme)
    figure = go.Figure()
    for k, judge in enumerate(judges):
        mine = shown[shown["judge"] == judge]
        shift = (k - (len(judges) - 1) / 2) * STEP
        at = np.array([place[str(f)] for f in mine[look.thing]], dtype=float) + shift
        _add(figure, mine, at, judge, drawn[judge], limits, names, theme, look)
    left = written.labels_width(fitted, theme.label) + 16
    room = parts.WIDTH[narrow] - left - MARGIN
    title = written.wrap(look.title, room, theme.small)
    bottom = parts.axis_height(len(title), theme)
    text = look.note
    if len(place) < len(size):
        hidden = f"{words.not_shown(len(size) - len(place))}."
        few = f"{len(place)} {look.things}"
        text += f" The {few} furthest from the line; {hidden}" if look.sort else f" The first {few}; {hidden}"
    remark, taken = parts.note(text, theme, narrow, left, bottom)
    n = len(things)
    heads = "<br>".join(parts.tag(judge, drawn[judge], theme, parts.over_room(room, left, theme)) for judge in judges)
    top = parts.lines_of(heads) * theme.label * written.LINE + 12
    set_layout(
        figure,
        margin={"l": left, "r": MARGIN, "t": top, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis(limits, title, theme, 5, anchor="y"),
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme, anchor="x"),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), parts.zero_line(n, "x", theme, look.zero)],
        annotations=[remark, parts.over(heads, theme, left)],
    )
    least = max(parts.ROW, 11.0 * len(judges) + 6) if theme.is_print else parts.ROW
    height = n * parts.row_height(fitted, theme, least) + top + bottom + taken
    return base(figure, theme, height, _alt(table, judges, things, names, look))


def _add(
    figure: go.Figure, mine: pd.DataFrame, at: np.ndarray, judge: str, mark: Mark, limits: tuple[float, float],
    names: Mapping[str, str], theme: Theme, look: Look,
) -> None:  # fmt: skip
    """One judge's marks and intervals."""
    value, low, high = (parts.numbers(mine, name) for name in (look.value, look.lower, look.upper))
    beyond = parts.numbers(mine, "q") < BEYOND if look.tested else np.ones(len(mine), dtype=bool)
    parts.add_intervals(figure, low, high, at, [mark.colour if one else theme.noise for one in beyond], limits, "x")
    hovers = [_hover(row, judge, names, look) for _, row in mine.iterrows()]
    for sure in (False, True):
        some = np.flatnonzero(beyond == sure)
        if len(some):
            figure.add_trace(
                go.Scatter(
                    x=value[some], y=at[some], mode="markers", xaxis="x", yaxis="y", name=judge, showlegend=False,
                    marker=parts.marker(mark if sure else Mark(theme.noise, mark.symbol), theme, 9, hollow=not sure),
                    cliponaxis=False, hoverinfo="text", hovertext=[hovers[k] for k in some],
                    customdata=[[str(mine[look.thing].iloc[k])] for k in some],
                )
            )  # fmt: skip


def _hover(row: pd.Series, judge: str, names: Mapping[str, str], look: Look) -> str:
    thing = str(row[look.thing])
    return (
        f"<b>{written.escape(names.get(thing, thing))}</b><br>{written.escape(words.shorten(judge, 30))}: "
        f"{look.hover(row)}"
    )


def _alt(
    table: pd.DataFrame, judges: Sequence[str], things: Sequence[str], names: Mapping[str, str], look: Look
) -> str:
    many = f"{len(things):,} {look.thing if len(things) == 1 else look.things}"
    said = look.alt.format(things=many, judges=words.listing(list(judges)))
    for judge in judges:
        mine = table[(table["judge"] == judge) & table[look.thing].isin(list(things))]
        value = parts.numbers(mine, look.value)
        largest = [
            (str(mine[look.thing].iloc[k]), value[k])
            for k in np.argsort(-np.abs(value - look.zero), kind="stable")[:3]
        ]  # fmt: skip
        each = [f"{names.get(thing, thing)} ({words.number(number)})" for thing, number in largest]
        said += f" {judge}: {words.listing(each)}." if each else ""
    return said
