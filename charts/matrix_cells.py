"""What do matrices of figures share? Cells filled where a figure is beyond noise, numbers, dots, heads of columns."""

from __future__ import annotations

from collections.abc import Sequence

from charts import labels as written
from charts import words
from charts.theme import Theme


def heads(names: Sequence[str], width: float, size: float, lines: int = 2) -> tuple[list[written.Label], float]:
    """Names above their columns, in a type up to two pixels smaller where that spares breaking a word."""
    for smaller in (size, size - 1, size - 2):
        if max(written.widest_part(name, smaller) for name in names) <= width:
            return written.fit_labels(names, width, smaller, lines), smaller
    return written.fit_labels(names, width, size, lines), size


def head_axis(over: Sequence[written.Label], size: float, theme: Theme) -> dict[str, object]:
    """The x axis of a matrix, with a head above each column. over, size : of `heads`"""
    return {
        "range": [-0.5, len(over) - 0.5], "side": "top", "tickmode": "array", "tickvals": list(range(len(over))),
        "ticktext": [one.html for one in over], "tickangle": 0, "tickfont": {"size": size, "color": theme.text},
        "showgrid": False, "zeroline": False, "ticks": "", "fixedrange": True,
    }  # fmt: skip


def side(value: float, theme: Theme) -> str:
    """People's colour where the reference has more of it, the first judge's where the judge has."""
    return theme.judges[0] if value > 0 else theme.people


def fill(column: int, row: int, colour: str, strength: float) -> dict[str, object]:
    """The ground of a cell. strength : from 0 to 1"""
    return {
        "type": "rect", "x0": column - 0.47, "x1": column + 0.47, "y0": row - 0.44, "y1": row + 0.44,
        "fillcolor": colour, "opacity": 0.18 + 0.3 * strength, "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def signed(value: float, decimals: int) -> str:
    """A number with its sign, but for what is written as 0."""
    text = words.number(value, decimals)
    return f"+{text}" if value > 0 and text not in ("0", ".0", ".00") else text


def said(column: int, row: int, text: str, beyond: bool, theme: Theme) -> dict[str, object]:
    """The number of a cell, strong where it is beyond noise."""
    return {
        "x": column, "y": row, "text": f"<b>{text}</b>" if beyond else text, "showarrow": False,
        "font": {"size": theme.small, "color": theme.text if beyond else theme.muted},
    }  # fmt: skip


def dot(column: int, row: int, theme: Theme) -> dict[str, object]:
    """What stands in a cell that could not be estimated."""
    return {"x": column, "y": row, "text": "·", "showarrow": False, "font": {"size": theme.label, "color": theme.muted}}
