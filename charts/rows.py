"""What do charts with one row a thing share? Bands, ticks, intervals, heads, notes, the empty figure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import words
from charts.labels import LINE, Label, escape, fit_label, fit_labels, text_width, wrap
from charts.theme import Mark, Theme, base, set_layout

ROW = 26.0
"""Height of a row with a label of one line, in pixels."""

PRINTED, PLOTLY_LINE = 0.68, 1.3
"""Height of a row on paper, where no finger has to meet it, in heights on a screen; and of a line in sizes of its type,
as plotly sets them."""

WIDER, SLIM = (1.0, 1.15, 1.3, 1.6), 140.0
"""Names on paper take so many times the pixels that they have on a screen; below so many the figure is narrow."""

MOST_NAME, SOURCE_SANS = {False: 262.0, True: 172.0}, 0.92
"""Pixels of a name on paper at most, by whether the figure is narrow. The face that figures for print carry is narrower
than what `text_width` has to reckon with."""

WIDTH = {False: 650.0, True: 316.0}
"""The least width of a figure in pixels, by `narrow`: 174 and 84 mm in print. Texts are made to fit it."""

GLYPH = 1.25
"""Size of a symbol in a line of text, in sizes of its type: in most fonts they are drawn small."""

def numbers(frame: pd.DataFrame, column: str) -> np.ndarray:
    """(rows,) the column as floats, NaN where a cell is missing; all NaN without such a column."""
    if column not in frame.columns:
        return np.full(len(frame), np.nan)
    found = pd.to_numeric(frame[column], errors="coerce").astype("Float64")
    return found.to_numpy(dtype=float, na_value=np.nan)


def row_names(names: Iterable[str], width: float, theme: Theme) -> list[Label]:
    """Names beside their rows, `width` pixels wide on a screen. On paper they are written whole, and get more."""
    if not theme.is_print:
        return fit_labels(names, width, theme.label, theme.lines)
    found, most = list(names), MOST_NAME[width < SLIM]
    # As few lines as can be had, then as few pixels.
    ways = [fit_labels(found, min(width * more, most) / SOURCE_SANS, theme.label, theme.lines) for more in WIDER]
    best = min(ways, key=lambda way: max((len(one.lines) for one in way), default=0))
    return [replace(one, scale=SOURCE_SANS) for one in best]


def row_height(labels: Sequence[Label], theme: Theme, least: float = ROW) -> float:
    """Pixels a row: room for the label with the most lines, and on a screen for a finger.

    least : pixels that the marks of a row take on a screen
    """
    lines = max((len(label.lines) for label in labels), default=1)
    if theme.is_print:
        return max(least * PRINTED, (1 + (lines - 1) * PLOTLY_LINE) * theme.label + 3)
    return max(least, lines * theme.label * LINE + 4)


def clean_ticks(low: float, high: float, most: int = 5) -> tuple[list[float], list[str]]:
    """At most `most` round values within [low, high], 0 among them where it lies inside, and their texts."""
    width = high - low
    if not math.isfinite(width) or width <= 0:
        return [0.0], ["0"]
    magnitude = 10.0 ** math.floor(math.log10(width / most))
    for step in (magnitude * factor for factor in (1, 2, 5, 10, 20, 50)):
        values = np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step
        if len(values) <= most:
            break
    decimals = max(0, min(2, -math.floor(math.log10(step) + 1e-9)))
    texts = [words.fixed(round(float(v), 9), 0 if float(v).is_integer() else decimals) for v in values]
    return [float(v) for v in values], texts


def span(estimates: np.ndarray, lowers: np.ndarray, uppers: np.ndarray) -> tuple[float, float]:
    """The range of an axis that shows all estimates, 0, and all intervals but those far wider than the rest.

    One interval of a hundred log-odds would flatten all others to points; its end is cut and marked instead.
    """
    known = estimates[np.isfinite(estimates)]
    low, high = min(0.0, known.min(initial=0.0)), max(0.0, known.max(initial=0.0))
    reach = np.r_[estimates - lowers, uppers - estimates]
    reach = reach[np.isfinite(reach)]
    if len(reach):
        limit = 4 * float(np.median(reach))
        low = min(low, float(np.nanmin(np.fmax(lowers, estimates - limit), initial=0.0)))
        high = max(high, float(np.nanmax(np.fmin(uppers, estimates + limit), initial=0.0)))
    if low == high:
        return -1.0, 1.0
    margin = 0.04 * (high - low)
    return low - margin, high + margin


def add_intervals(
    figure: go.Figure, lowers: np.ndarray, uppers: np.ndarray, rows: np.ndarray, colours: Sequence[str],
    limits: tuple[float, float], xaxis: str, yaxis: str = "y", width: float = 1.6,
) -> None:  # fmt: skip
    """Thin lines without caps, one trace a colour; an end outside the axis is cut there and gets an arrowhead."""
    for colour in dict.fromkeys(colours):
        xs: list[float | None] = []
        ys: list[float | None] = []
        cut: list[tuple[float, float, str]] = []
        for low, high, row, own in zip(lowers, uppers, rows, colours, strict=True):
            if own != colour or not (math.isfinite(low) and math.isfinite(high)):
                continue
            xs += [max(low, limits[0]), min(high, limits[1]), None]
            ys += [row, row, None]
            cut += [(limits[0], row, "triangle-left")] if low < limits[0] else []
            cut += [(limits[1], row, "triangle-right")] if high > limits[1] else []
        line = {"color": colour, "width": width}
        common = {"xaxis": xaxis, "yaxis": yaxis, "hoverinfo": "skip", "showlegend": False}
        if xs:
            figure.add_trace(go.Scatter(x=xs, y=ys, mode="lines", line=line, **common))
        if cut:
            marker = {"color": colour, "symbol": [c[2] for c in cut], "size": 7}
            x, y = [c[0] for c in cut], [c[1] for c in cut]
            figure.add_trace(go.Scatter(x=x, y=y, mode="markers", marker=marker, cliponaxis=False, **common))


def marker(mark: Mark, theme: Theme, size: float = 9, hollow: bool = False) -> dict[str, Any]:
    """A plotly marker; hollow ones are filled with the page's colour, so that lines do not show through."""
    if hollow or mark.symbol.endswith("-open"):
        symbol = mark.symbol.replace("-open", "")
        return {
            "symbol": symbol, "size": size, "color": theme.background, "line": {"color": mark.colour, "width": 1.6},
        }  # fmt: skip
    return {"symbol": mark.symbol, "size": size, "color": mark.colour, "line": {"width": 0}}


def truth_marks(values: np.ndarray, rows: np.ndarray, theme: Theme, xaxis: str, yaxis: str, size: float) -> go.Scatter:
    """Upright strokes where a simulated dataset's truth lies."""
    return go.Scatter(
        x=values, y=rows, mode="markers", xaxis=xaxis, yaxis=yaxis, showlegend=False, cliponaxis=False, name="truth",
        marker={"symbol": "line-ns-open", "size": size, "color": theme.text, "line": {"width": 1.6}},
        hovertext=[f"simulated truth {words.number(float(v))}" for v in values], hoverinfo="text",
    )  # fmt: skip


def bands(n: int, theme: Theme, domains: Sequence[tuple[float, float]]) -> list[dict[str, Any]]:
    """Light bands behind every other row of each panel; hairlines between rows where bands would print."""
    shapes: list[dict[str, Any]] = []
    for left, right in domains:
        place = {"xref": "paper", "yref": "y", "x0": left, "x1": right, "layer": "below"}
        if theme.band is None:
            line = {"color": theme.grid, "width": 0.5}
            shapes += [place | {"type": "line", "y0": k + 0.5, "y1": k + 0.5, "line": line} for k in range(n - 1)]
        else:
            fill = {"fillcolor": theme.band, "line": {"width": 0}}
            shapes += [place | {"type": "rect", "y0": k - 0.5, "y1": k + 0.5} | fill for k in range(1, n, 2)]
    return shapes


def zero_line(n: int, xaxis: str, theme: Theme, at: float = 0.0) -> dict[str, Any]:
    """The line from which estimates are read off."""
    return {
        "type": "line", "xref": xaxis, "yref": "y", "x0": at, "x1": at, "y0": -0.5, "y1": n - 0.5,
        "line": {"color": theme.zero, "width": 1.4}, "layer": "below",
    }  # fmt: skip


def row_axis(n: int, labels: Sequence[str], theme: Theme, **more: object) -> dict[str, Any]:
    """A y axis with row 0 on top and a label for each row."""
    return {
        "range": [n - 0.5, -0.5], "tickmode": "array", "tickvals": list(range(n)), "ticktext": list(labels),
        "tickfont": {"size": theme.label, "color": theme.text}, "showgrid": False, "zeroline": False,
        "ticks": "", "automargin": True, "showline": False, "fixedrange": True,
    } | more  # fmt: skip


def value_axis(
    limits: tuple[float, float], title: Sequence[str], theme: Theme, most: int = 5, **more: object
) -> dict[str, Any]:
    """An x axis with round ticks, faint lines and a title in words."""
    values, texts = clean_ticks(*limits, most)
    small = {"size": theme.small, "color": theme.muted}
    return {
        "range": list(limits), "tickmode": "array", "tickvals": values, "ticktext": texts,
        "tickfont": small, "tickangle": 0, "ticks": "",
        "title": {"text": "<br>".join(map(escape, title)), "font": small, "standoff": 6},
        "gridcolor": theme.grid, "gridwidth": 1, "showgrid": True, "zeroline": False, "showline": False,
        "fixedrange": True,
    } | more  # fmt: skip


def strength_title(width: float, theme: Theme) -> list[str]:
    """The title of an axis of strengths, in one line where it fits, else in two."""
    one = "strength, log-odds (0 = average model)"
    return [one] if text_width(one, theme.small) <= width else ["strength, log-odds", "(0 = average model)"]


def axis_height(lines: int, theme: Theme) -> float:
    """Pixels under a plot for its ticks and a title of so many lines."""
    return 2.0 * theme.small + 6 + lines * theme.small * LINE


def note(text: str, theme: Theme, narrow: bool, left: float, below: float) -> tuple[dict[str, Any], float]:
    """A muted remark under the chart: its annotation, and the pixels it takes.

    left : pixels from the figure's edge to the plot; below : pixels from the plot's bottom to the first line
    """
    lines = wrap(text, WIDTH[narrow] - 16, theme.small)
    annotation = {
        "text": "<br>".join(escape(line) for line in lines), "showarrow": False, "align": "left",
        "xref": "paper", "yref": "paper", "x": 0, "y": 0, "xanchor": "left", "yanchor": "top",
        "xshift": -left + 4, "yshift": -below - 6, "font": {"size": theme.small, "color": theme.muted},
    }  # fmt: skip
    return annotation, len(lines) * theme.small * LINE + 16


def head(html_text: str, x: float, theme: Theme, anchor: str = "center", muted: bool = False) -> dict[str, Any]:
    """A line above a panel. x : in shares of the plot's width"""
    colour = theme.muted if muted else theme.text
    size = theme.small if muted else theme.label
    return {
        "text": html_text, "showarrow": False, "xref": "paper", "yref": "paper", "x": x, "y": 1,
        "xanchor": anchor, "yanchor": "bottom", "yshift": 4, "align": anchor,
        "font": {"size": size, "color": colour},
    }  # fmt: skip


def lines_of(html_text: str) -> int:
    """Lines of a text in plotly's markup."""
    return 1 + html_text.count("<br>")


def over(html_text: str, theme: Theme, left: float) -> dict[str, Any]:
    """What stands above a chart's left end; on paper above the names too. left : pixels from the figure's edge"""
    return head(html_text, 0.0, theme, "left") | ({"xshift": 4.0 - left} if theme.is_print else {})


def over_room(room: float, left: float, theme: Theme) -> float:
    """Pixels that `over` has. room : of the panel below it"""
    return room + left - 8 if theme.is_print else room


def foot(text: str, x: float, below: float, theme: Theme) -> dict[str, Any]:
    """A muted line under the plot. x : in shares of the plot's width; below : pixels under its bottom"""
    return {
        "text": escape(text), "showarrow": False, "xref": "paper", "yref": "paper", "x": x, "y": 0,
        "xanchor": "center", "yanchor": "top", "yshift": -below, "font": {"size": theme.small, "color": theme.muted},
    }  # fmt: skip


def glyph(mark: Mark, theme: Theme) -> str:
    """A judge's symbol in its colour, in plotly's markup."""
    return f'<span style="color:{mark.colour};font-size:{theme.label * GLYPH:.0f}px">{mark.glyph}</span>'


def tag(name: str, mark: Mark, theme: Theme, width: float, after: bool = True) -> str:
    """A judge's symbol in its colour and its name, in plotly's markup, at most `width` pixels wide."""
    sign = glyph(mark, theme)
    # Bold type runs a tenth wider than plain.
    width = width / 1.1 / (SOURCE_SANS if theme.is_print else 1) - theme.label * 2
    text = f"<b>{fit_label(name, width, theme.label, theme.most(1)).html}</b>"
    return f"{sign}\u00a0{text}" if after else f"{text}\u00a0{sign}"


def tag_width(name: str, theme: Theme) -> float:
    """Pixels that a judge's tag takes when its name is not shortened."""
    # A pixel more, so that rounding does not shorten what was given its own width.
    return (text_width(name, theme.label) + theme.label * 2) * 1.1 + 1


def empty(sentence: str, theme: Theme, narrow: bool = False) -> go.Figure:
    """A figure that says why there is nothing to draw."""
    lines = wrap(sentence, WIDTH[narrow] - 40, theme.label)
    figure = go.Figure()
    base(figure, theme, 60 + 20 * len(lines), sentence)
    set_layout(figure, margin={"l": 8, "r": 8, "t": 8, "b": 8})
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    figure.add_annotation(
        text="<br>".join(escape(line) for line in lines), showarrow=False, xref="paper", yref="paper", x=0.5, y=0.5,
        font={"size": theme.label, "color": theme.muted},
    )  # fmt: skip
    return figure
