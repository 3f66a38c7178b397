"""What do matrices of figures share? Cells filled where a figure is beyond noise, numbers, dots, heads of columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from charts import labels as written
from charts import words
from charts.theme import Theme

ON_END = 1.36
"""Width of a line that stands on end, in sizes of its type."""


@dataclass(frozen=True)
class Heads:
    """Names above columns. size : of their type; on_end : whether they are turned by a quarter"""

    labels: list[written.Label]
    size: float
    on_end: bool = False

    @property
    def height(self) -> float:
        """Pixels that they take."""
        if self.on_end:
            return written.labels_width(self.labels, self.size) + 16
        return max(len(one.lines) for one in self.labels) * self.size * written.LINE + 14

    def axis(self, theme: Theme) -> dict[str, object]:
        """The x axis of a matrix, with a head above each column."""
        n = len(self.labels)
        return {
            "range": [-0.5, n - 0.5], "side": "top", "tickmode": "array", "tickvals": list(range(n)),
            "ticktext": [one.html for one in self.labels], "tickangle": -90 if self.on_end else 0,
            "tickfont": {"size": self.size, "color": theme.text},
            "showgrid": False, "zeroline": False, "ticks": "", "fixedrange": True,
        }  # fmt: skip


def heads(names: Sequence[str], width: float, theme: Theme, lines: int = 2) -> Heads:
    """Names above columns of `width` pixels, in a smaller type where that spares breaking a word.

    On paper, where no type may be small and no name cut, they are turned where a word would have to be broken.
    """
    size = theme.small
    for smaller in (size, size - 1) if theme.is_print else (size, size - 1, size - 2):
        if max(written.widest_part(name, smaller) for name in names) <= width:
            return Heads(written.fit_labels(names, width, smaller, theme.most(lines)), smaller)
    if theme.is_print:
        return Heads(on_end(names, width + 5, theme), size, True)
    return Heads(written.fit_labels(names, width, size, lines), size)


def on_end(names: Sequence[str], cell: float, theme: Theme, most: float = 130.0) -> list[written.Label]:
    """Names turned by a quarter above cells of so many pixels; on paper whole, in as many lines as fit.

    most : pixels up, on a screen
    """
    if not theme.is_print:
        return written.fit_labels(names, most, theme.small, 1)
    lines = max(1, int(cell / (theme.small * ON_END)))
    for up in (70.0, 90.0, 110.0, 140.0, 180.0, 220.0):
        labels = written.fit_labels(names, up, theme.small, lines)
        if not any("…" in one.html for one in labels):
            return labels
    return written.fit_labels(names, 260.0, theme.small, lines)


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
