"""Why do a judge and people part? All of a judge's disagreement as one bar of parts that add to 100 %."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.colour import channels, ink
from charts.theme import Theme, base, set_layout

PEOPLE, JUDGE, UNEXPLAINED = "noise of people", "noise of the judge", "unexplained"
MIXED = "unexplained + own noise"
"""What is left where nothing tells the judge's own noise from it."""

TITLE = "share of the disagreement with a person's vote, %"

ROW, PRINT_ROW = 36.0, 46.0
BAR = 0.66
"""Of a row's height."""

SWATCH = 50.0
"""Pixels that an entry of the legend takes beside its text."""

TOTAL = 52.0
"""Pixels right of the bars for what they are shares of."""

EDGE = 8.0
"""Pixels beside a plot that holds its names and totals itself."""

SPREAD = 6.0
"""Pixels kept free on both sides of a text in a bar."""


@dataclass(frozen=True)
class _Look:
    """shape : plotly's name of a pattern, so that parts are told apart without their colour"""

    name: str
    colour: str
    shape: str = ""


def looks(theme: Theme) -> tuple[_Look, ...]:
    """The parts in their order from left to right."""
    rust, green, violet, amber = theme.judges
    return (
        _Look(PEOPLE, theme.people), _Look(JUDGE, rust, "."), _Look("position", amber, "x"),
        _Look("length and style", green, "\\"), _Look("content", violet, "-"), _Look(UNEXPLAINED, theme.noise),
        _Look(MIXED, theme.noise, "/"),
    )  # fmt: skip


def disagreement_chart(
    table: pd.DataFrame, judges: Sequence[str], totals: Mapping[str, float], theme: Theme, *, narrow: bool = False,
    more: int = 0,
) -> go.Figure:  # fmt: skip
    """A bar a judge; a part below 0 lies left of the zero line, and the others reach that much beyond 100 %.

    table : `parts` of the study `disagreement`; judges : those drawn, top to bottom; totals : what each bar is 100 % of
    more : judges that are not drawn; customdata of each piece: [judge, part]
    """
    table = table[table["judge"].isin(list(judges))]
    if table.empty:
        return parts.empty("There is no disagreement to share out.", theme, narrow)
    there = [judge for judge in judges if judge in set(table["judge"])]
    pieces = _pieces(table, there)
    starts = [piece["start"] for piece in pieces] + [piece["start"] + piece["size"] for piece in pieces]
    low, high = min(0.0, *starts), max(100.0, *starts)
    room = 0.01 * (high - low)
    limits = (low - room, high + room)
    fitted = parts.row_names(there, 118.0 if narrow else 200.0, theme)
    left, right = written.labels_width(fitted, theme.label) + 16, TOTAL
    bars = parts.WIDTH[narrow] - left - right
    scale = bars / (limits[1] - limits[0])
    # Plotly's legend is as wide as the plot. Where that is little the names and totals stand within the plot, or the
    # legend would be a tower that leaves no height to the bars.
    inside = narrow or theme.is_print
    edges = (EDGE, EDGE) if inside else (left, right)
    whole = parts.WIDTH[narrow] - sum(edges)
    domain = [(left - edges[0]) / whole, 1 - (right - edges[1]) / whole]
    figure = go.Figure()
    shown = []
    for look in looks(theme):
        some = [piece for piece in pieces if piece["look"] == look.name]
        if some:
            shown.append(look)
            figure.add_trace(_bars(look, some, scale, theme))
    legend, above = _legend(shown, theme, whole)
    title = written.wrap(TITLE, bars, theme.small)
    bottom = parts.axis_height(len(title), theme)
    remark, taken = parts.note(_note(pieces, len(there), more), theme, narrow, edges[0], bottom)
    n = len(there)
    ends = [parts.zero_line(n, "x", theme), parts.zero_line(n, "x", theme, 100.0)]
    set_layout(
        figure,
        barmode="overlay", bargap=1 - BAR, legend=legend,
        margin={"l": edges[0], "r": edges[1], "t": above, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis(limits, title, theme, 5, anchor="y", domain=domain)
        | {"tickvals": [0, 25, 50, 75, 100], "ticktext": ["0", "25", "50", "75", "100"]},
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme, anchor="x"),
        shapes=ends, annotations=[remark, *_totals(there, totals, theme, domain[1])],
    )  # fmt: skip
    height = n * parts.row_height(fitted, theme, PRINT_ROW if theme.is_print else ROW) + above + bottom + taken
    first = [f"{words.share(piece['share'])} {piece['part']}" for piece in pieces if piece["judge"] == there[0]]
    base(figure, theme, height, f"Of the disagreement of {there[0]} with a person's vote: {words.listing(first, 8)}.")
    set_layout(figure, showlegend=True)
    return figure


def _pieces(table: pd.DataFrame, judges: Sequence[str]) -> list[dict[str, Any]]:
    """Where each part lies: parts above 0 from 0 to the right, the others from 0 to the left."""
    place = {judge: k for k, judge in enumerate(judges)}
    order = {look: k for k, look in enumerate((PEOPLE, JUDGE, "position", "length and style", "content", UNEXPLAINED))}
    out: list[dict[str, Any]] = []
    for judge in judges:
        rows = table[table["judge"] == judge].to_dict("records")
        rows.sort(key=lambda row: order.get(str(row["part"]), len(order)))
        repeats = any(row["part"] == JUDGE for row in rows)
        ends = {True: 0.0, False: 0.0}
        for row in rows:
            size = 100 * float(row["share"])
            look = MIXED if row["part"] == UNEXPLAINED and not repeats else str(row["part"])
            out.append({str(k): v for k, v in row.items()} | {
                "row": place[judge], "start": ends[size >= 0], "size": size, "look": look,
            })  # fmt: skip
            ends[size >= 0] += size
    return out


def _bars(look: _Look, pieces: list[dict[str, Any]], scale: float, theme: Theme) -> go.Bar:
    pattern = {"shape": look.shape, "fillmode": "overlay", "fgcolor": theme.background, "fgopacity": 0.4, "size": 8,
               "solidity": 0.16}  # fmt: skip
    return go.Bar(
        x=[piece["size"] for piece in pieces], base=[piece["start"] for piece in pieces],
        y=[piece["row"] for piece in pieces], orientation="h", name=look.name, width=BAR,
        marker={"color": look.colour, "pattern": pattern, "line": {"color": theme.background, "width": 1}},
        text=[_inside(piece, abs(piece["size"]) * scale, theme) for piece in pieces], textposition="inside",
        insidetextanchor="middle", textangle=0, constraintext="none", cliponaxis=False,
        insidetextfont={"size": theme.small, "color": ink(channels(look.colour))},
        hovertext=[_hover(piece) for piece in pieces], hoverinfo="text",
        customdata=[[piece["judge"], piece["part"]] for piece in pieces], unselected={"marker": {"opacity": 0.45}},
    )  # fmt: skip


def _inside(piece: Mapping[str, Any], width: float, theme: Theme) -> str:
    """What fits of name and share."""
    share = words.share(piece["share"])
    for text in (f"{piece['look']} {share}", share):
        if written.text_width(text, theme.small) + 2 * SPREAD <= width:
            return text
    return ""


def _hover(piece: Mapping[str, Any]) -> str:
    share = f"{words.share(piece['share'])} {_ends(piece)}".strip()
    also = "<br>no repeats: the judge's own noise is in it" if piece["look"] == MIXED else ""
    size = words.estimate(piece["value"], piece["lower"], piece["upper"], 3)
    return f"<b>{written.escape(str(piece['judge']))}</b><br>{piece['part']}: {share}<br>{size} of the squared " \
           f"difference{also}"  # fmt: skip


def _ends(piece: Mapping[str, Any]) -> str:
    low, high = piece["share_lower"], piece["share_upper"]
    return "" if words.absent(low) or words.absent(high) else f"[{words.share(low)}, {words.share(high)}]"


def _legend(shown: Sequence[_Look], theme: Theme, room: float) -> tuple[dict[str, Any], float]:
    """The legend above the bars, and its height in pixels. Where not all fits in a line plotly sets columns.

    room : pixels of the plot
    """
    widths = [written.text_width(look.name, theme.small) + SWATCH for look in shown]
    columns = len(shown) if sum(widths) <= room else max(1, int(room // max(widths)))
    lines = math.ceil(len(shown) / columns)
    legend = {
        "orientation": "h", "x": 0, "xref": "container", "xanchor": "left", "y": 1, "yref": "container",
        "yanchor": "top", "font": {"size": theme.small, "color": theme.text}, "itemclick": False,
        "itemdoubleclick": False, "traceorder": "normal", "bgcolor": "rgba(0,0,0,0)", "tracegroupgap": 0,
    }  # fmt: skip
    return legend, lines * (theme.small * written.LINE + 5) + 12


def _totals(judges: Sequence[str], totals: Mapping[str, float], theme: Theme, end: float) -> list[dict[str, Any]]:
    return [
        {
            "text": f"of {words.number(totals.get(judge, np.nan))}", "showarrow": False, "xref": "paper", "x": end,
            "yref": "y", "y": k, "xanchor": "left", "xshift": 8, "font": {"size": theme.small, "color": theme.muted},
        }
        for k, judge in enumerate(judges) if judge in totals
    ]  # fmt: skip


def _note(pieces: Sequence[Mapping[str, Any]], n: int, more: int) -> str:
    text = "Each bar is all of a judge's disagreement; right of it how much that is, as a mean squared difference."
    if any(piece["look"] == MIXED for piece in pieces):
        text += " Hatched grey: without repeats a judge's own noise is not identified, and in the rest."
    if any(piece["size"] < -0.5 for piece in pieces):
        text += " Left of 0: predicts worse than nothing on prompts left out; with it the bar adds to 100 %."
    return text + (f" {n} of {n + more:,} judges." if more else "")
