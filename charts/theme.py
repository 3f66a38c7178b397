"""Which colours, symbols and sizes do all charts share, in light, in dark and in print?"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import plotly.graph_objects as go

from charts import words

FONT = '"Source Sans", "Source Sans 3", "Source Sans Pro", "Noto Sans", "Helvetica Neue", Arial, sans-serif'

OWN = "Jurylens Sans"
"""The face that a figure for print carries. A name of its own: a face of the machine must not take its place."""

SYMBOLS = ("square", "diamond", "triangle-up", "cross")
VARIANTS = ("", "-open", "-dot", "-open-dot")

LONGEST = 80
"""Letters of a name that a sentence on paper holds."""

# How a plotly symbol is written in a line of text.
GLYPHS = {
    "circle": "●", "square": "■", "diamond": "◆", "triangle-up": "▲", "cross": "✚",
    "circle-open": "○", "square-open": "□", "diamond-open": "◇", "triangle-up-open": "△", "cross-open": "✛",
}  # fmt: skip


@dataclass(frozen=True)
class Theme:
    """Colours (#RRGGBB) and sizes (pixels at 96 dpi) of one way of showing.

    second : of sidebars and cards; band : of every other row, None where fills would print grey
    noise : of what is not beyond noise; people : of every human judge, judges : of the others in order
    label, small : sizes of names, and of ticks, axis titles and notes
    lines : of a name beside its row, at most; on paper, where nothing can be hovered over, it is written whole
    width : of the figure, where it is fixed (on paper)
    order : judges in the order by which they have their marks: one that is drawn alone keeps the mark that it has
        among all others
    """

    name: str
    background: str
    second: str
    text: str
    border: str
    muted: str
    grid: str
    zero: str
    noise: str
    people: str
    judges: tuple[str, ...]
    band: str | None
    label: float = 13
    small: float = 12
    font: str = FONT
    lines: int = 2
    width: float | None = None
    order: tuple[str, ...] = ()

    @property
    def is_print(self) -> bool:
        """Whether it is for paper: nothing is scrolled, hovered over or clicked."""
        return self.band is None

    def most(self, lines: int) -> int:
        """Lines of a name where a screen has so many; on paper as many as it takes."""
        return self.lines if self.is_print else lines

    def short(self, name: str, most: int) -> str:
        """A name within a sentence, of so many letters on a screen, where hovering tells the rest."""
        return words.shorten(name, max(most, LONGEST) if self.is_print else most)


LIGHT = Theme(
    "light", background="#FFFFFF", second="#F4F6F8", text="#1B2733", border="#DDE3E8", muted="#5B6B79",
    grid="#E6EBEF", zero="#9AA7B2", noise="#B4BEC7", people="#0B6FA4",
    judges=("#C8501E", "#1B8A6B", "#8A5AA8", "#B07C00"), band="#F6F8F9",
)  # fmt: skip
DARK = Theme(
    "dark", background="#11161B", second="#1A2128", text="#E6EBEF", border="#2C3640", muted="#9FB0BE",
    grid="#26303A", zero="#5C6B78", noise="#4A5763", people="#56B4E9",
    judges=("#FF8A5B", "#3CC79B", "#C9A0E0", "#E6B84C"), band="#161C22",
)  # fmt: skip
# 8 pt type on white; hairlines instead of bands, and darker greys that survive a copier.
PRINT = Theme(
    "print", background="#FFFFFF", second="#FFFFFF", text="#000000", border="#B0B0B0", muted="#404040",
    grid="#DADADA", zero="#707070", noise="#909090", people="#0B6FA4",
    judges=("#C8501E", "#1B8A6B", "#8A5AA8", "#B07C00"), band=None, label=10.67, small=10.67,
    lines=6, font=f'"{OWN}", {FONT}',
)  # fmt: skip

_THEMES = {one.name: one for one in (LIGHT, DARK, PRINT)}


def paper(mm: float, points: float = 8) -> Theme:
    """The theme of a figure for print of this width: what is beside the marks is 8 pt type at any width.

    A figure is drawn as wide as it is printed, so that one pixel is 1/96 inch and a size stays what it is.
    """
    # Rounded up, so that 7 pt are never less.
    size = math.ceil(points * 400 / 3) / 100
    return replace(PRINT, name=f"paper {mm:g} mm", width=mm / 25.4 * 96, label=size, small=size)


def theme(name: str | None) -> Theme:
    """The theme of that name ("light", "dark", "print"); light for any other, as while a page does not know yet."""
    return _THEMES.get(name or "", LIGHT)


@dataclass(frozen=True)
class Mark:
    """How one judge is drawn wherever it appears. symbol : plotly's name for it"""

    colour: str
    symbol: str

    @property
    def glyph(self) -> str:
        """The symbol as a character, for a line of text."""
        plain = self.symbol.replace("-open-dot", "-open").replace("-dot", "")
        return GLYPHS[plain]


def marks(judges: Sequence[str], humans: Collection[str], theme: Theme) -> dict[str, Mark]:
    """A mark for each judge, told apart by symbol as well as by colour.

    People are always circles in the people's colour (further human judges open ones); the others are
    square, diamond, triangle and cross in the theme's order, then as they come; then the same open, dotted, and open
    with a dot.
    """
    people = [judge for judge in judges if judge in humans]
    others = [judge for judge in dict.fromkeys([*theme.order, *judges]) if judge not in humans]
    out = {judge: Mark(theme.people, "circle" + VARIANTS[min(k, 1)]) for k, judge in enumerate(people)}
    for k, judge in enumerate(others):
        symbol = SYMBOLS[k % len(SYMBOLS)] + VARIANTS[k // len(SYMBOLS) % len(VARIANTS)]
        out[judge] = Mark(theme.judges[k % len(theme.judges)], symbol)
    return {judge: out[judge] for judge in judges}


def set_layout(figure: go.Figure, **properties: Any) -> None:
    """Set properties of the layout, each as a whole.

    As `update_layout(overwrite=True)` does at nearly twice the cost: it notes each change by its path, and makes it
    once more.
    """
    for name, value in properties.items():
        figure.layout[name] = value


def base(figure: go.Figure, theme: Theme, height: float, alt: str = "") -> go.Figure:
    """What all figures share: a transparent ground, the font, a quiet hover box, no zooming by accident.

    alt : the sentence that stands for the picture, kept in `figure.layout.meta["alt"]`
    """
    set_layout(
        figure,
        template="none",
        height=round(height),
        meta={"alt": alt},
        paper_bgcolor="rgba(0,0,0,0)" if theme.band else theme.background,
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": theme.font, "size": theme.label, "color": theme.text},
        hoverlabel={
            "bgcolor": theme.background,
            "bordercolor": theme.border,
            "font": {"family": theme.font, "size": theme.label, "color": theme.text},
            "align": "left",
            "namelength": -1,
        },
        hovermode="closest",
        dragmode=False,
        showlegend=False,
        modebar={"remove": ["all"]},
    )
    return figure
