"""Do dots lie on the line on which they should? One panel a judge, both axes in percent, a dashed diagonal."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts.theme import Mark, Theme, base, marks, set_layout

ACROSS = {False: 3, True: 1}
"""Panels side by side, by `narrow`."""

TALL = {1: 300.0, 2: 240.0}
"""Height of a panel in pixels by how many stand side by side; less for more."""
SMALL = 190.0

BETWEEN, GAP = 20.0, 30.0
LEFT = 40.0
"""Pixels for the ticks of the axis that goes up."""

DOT = (6.0, 15.0)
"""Diameters in pixels, of next to nothing and of the largest; areas go by size."""


@dataclass(frozen=True)
class Look:
    """x, y, lower, upper, size : columns, shares but the last; lower and upper may be ''

    start : where the axis that goes right begins, a share; across, up : what the axes say; joined : with a line
    note : below the chart; hover : a row as text; alt : with {judges}; empty : said where there is nothing
    """

    x: str
    y: str
    size: str
    across: str
    up: str
    note: str
    hover: Callable[[Mapping[Any, Any]], str]
    alt: str
    empty: str
    lower: str = ""
    upper: str = ""
    start: float = 0.5
    joined: bool = False


def diagonal_chart(
    table: pd.DataFrame, judges: Sequence[str], theme: Theme, look: Look, *, humans: Collection[str] = (),
    heads: Mapping[str, str] | None = None, narrow: bool = False, more: int = 0,
) -> go.Figure:  # fmt: skip
    """Dots by size with their intervals, a panel a judge.

    judges : those drawn, in their order; heads : judge -> what stands beside its name; more : judges that are not drawn
    customdata of each dot: [judge, x, y]
    """
    there = [judge for judge in judges if judge in set(table["judge"])]
    if not there:
        return parts.empty(look.empty, theme, narrow)
    table = table[table["judge"].isin(there)]
    drawn = marks(there, humans, theme)
    across = min(ACROSS[narrow], len(there))
    width = parts.WIDTH[narrow] - LEFT - 12
    panel = (width - (across - 1) * BETWEEN) / across
    lines = -(-len(there) // across)
    tall = TALL.get(across, SMALL) if not narrow else 220.0
    limits = (100 * look.start - 2, 102.0)
    up = _up(table, look, limits)
    title = written.wrap(look.across, panel, theme.small)
    beside = heads or {}
    named = {judge: _tag(judge, drawn[judge], beside.get(judge, ""), theme, panel) for judge in there}
    top = max(map(parts.lines_of, named.values())) * theme.label * written.LINE + 8
    foot = parts.axis_height(len(title), theme)
    first = theme.small * written.LINE + 6
    each = top + tall + GAP
    whole = lines * each + foot - GAP
    figure = go.Figure()
    layout: dict[str, Any] = {}
    shapes, annotations = [], [_corner(look.up, theme)]
    biggest = float(parts.numbers(table, look.size).max())
    for k, judge in enumerate(there):
        down, right = divmod(k, across)
        end = "" if k == 0 else str(k + 1)
        start = right * (panel + BETWEEN) / width
        domain = [start, start + panel / width]
        upper, lower = 1 - (down * each + top) / whole, 1 - (down * each + top + tall) / whole
        _panel(figure, table[table["judge"] == judge], judge, drawn[judge], theme, look, biggest, up, end)
        last = k + across >= len(there)
        ticks = [50, 75, 100] if look.start else [0, 25, 50, 75, 100]
        layout[f"xaxis{end}"] = parts.value_axis(limits, title if last else [], theme, 5, anchor=f"y{end}") | {
            "domain": domain, "tickvals": ticks, "ticktext": [str(tick) for tick in ticks],
        }  # fmt: skip
        layout[f"yaxis{end}"] = parts.value_axis(up, [], theme, 5, anchor=f"x{end}") | {
            "domain": [lower, upper], "showticklabels": right == 0,
        }  # fmt: skip
        at = max(limits[0], up[0])
        shapes.append({
            "type": "line", "xref": f"x{end}", "yref": f"y{end}", "x0": at, "y0": at, "x1": 100, "y1": 100,
            "layer": "below", "line": {"color": theme.zero, "width": 1.4, "dash": "dash"},
        })  # fmt: skip
        annotations.append(_head(named[judge], theme, domain[0], upper))
    remark, taken = parts.note(look.note + (f" {len(there)} of {len(there) + more:,} judges." if more else ""),
                               theme, narrow, LEFT, foot)  # fmt: skip
    # The note hangs below the lowest panel, whose axis lies above the paper's end.
    remark["yshift"] = -6
    set_layout(
        figure,
        margin={"l": LEFT, "r": 12, "t": first, "b": taken, "pad": 4}, shapes=shapes,
        annotations=[*annotations, remark], **layout,
    )  # fmt: skip
    return base(figure, theme, first + whole + taken, look.alt.format(judges=", ".join(there[:5])))


def _up(table: pd.DataFrame, look: Look, limits: tuple[float, float]) -> tuple[float, float]:
    """The axis that goes up: from the diagonal's beginning, or from where the lowest interval ends."""
    values = [parts.numbers(table, name) for name in (look.y, look.lower) if name]
    low = min(float(np.nanmin(one, initial=np.inf)) for one in values)
    return min(limits[0], 10 * math.floor(10 * low) - 2), 102.0


def _panel(
    figure: go.Figure, table: pd.DataFrame, judge: str, mark: Mark, theme: Theme, look: Look, biggest: float,
    up: tuple[float, float], end: str,
) -> None:  # fmt: skip
    table = table.sort_values(look.x, kind="stable")
    x, y = (100 * parts.numbers(table, name) for name in (look.x, look.y))
    on = {"xaxis": f"x{end}", "yaxis": f"y{end}", "showlegend": False}
    if look.lower:
        low, high = (100 * parts.numbers(table, name) for name in (look.lower, look.upper))
        xs, ys = [], []
        for at, bottom, top in zip(x, low, high, strict=True):
            if np.isfinite(bottom) and np.isfinite(top):
                xs += [at, at, None]
                ys += [max(bottom, up[0]), top, None]
        line = {"color": mark.colour, "width": 1.6}
        figure.add_trace(go.Scatter(x=xs, y=ys, mode="lines", line=line, hoverinfo="skip", **on))
    size = DOT[0] + (DOT[1] - DOT[0]) * np.sqrt(parts.numbers(table, look.size) / biggest)
    figure.add_trace(
        go.Scatter(
            x=x, y=y, mode="lines+markers" if look.joined else "markers", name=judge, cliponaxis=False,
            marker=parts.marker(mark, theme) | {"size": size, "opacity": 1}, line={"color": mark.colour, "width": 1},
            hoverinfo="text", hovertext=[look.hover(row) for row in table.to_dict("records")],
            customdata=[[judge, float(a), float(b)] for a, b in zip(x, y, strict=True)], **on,
        )
    )  # fmt: skip


def _corner(text: str, theme: Theme) -> dict[str, Any]:
    """What the axis that goes up says, over the first panel."""
    return {
        "text": written.escape(text), "showarrow": False, "xref": "paper", "yref": "paper", "x": 0, "y": 1,
        "xanchor": "left", "yanchor": "bottom", "xshift": -LEFT + 4, "yshift": 0,
        "font": {"size": theme.small, "color": theme.muted},
    }  # fmt: skip


def _tag(judge: str, mark: Mark, beside: str, theme: Theme, width: float) -> str:
    taken = written.text_width(f"  {beside}", theme.small) if beside else 0.0
    text = parts.tag(judge, mark, theme, width - taken, after=True)
    if beside:
        text += f'  <span style="color:{theme.muted};font-size:{theme.small}px">{written.escape(beside)}</span>'
    return text


def _head(text: str, theme: Theme, x: float, y: float) -> dict[str, Any]:
    return {
        "text": text, "showarrow": False, "xref": "paper", "yref": "paper", "x": x, "y": y, "xanchor": "left",
        "yanchor": "bottom", "yshift": 2, "align": "left", "font": {"size": theme.label, "color": theme.text},
    }  # fmt: skip
