"""How is a table laid out so that it stays within its column of the page? By the widths of its letters.

Widths are those of Computer Modern, which is wider than the faces that most journals set tables in: what fits there
fits elsewhere. Type is never smaller than 7 pt.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from exports import latex_text
from exports.columns import Column

COLUMN, PAGE = 219.0, 452.0
"""Width of one column and of both, in points: 77 and 159 mm, those of the narrowest usual classes (the ACL's style;
`article` on A4). Most have more: `article` on letter paper 81 and 165 mm, many journals 84 and 174."""

SLACK = 0.97
"""Share of the width that is planned for: kerning, rules and another face take the rest."""

TEXTS = 0.62
"""Share of the width that columns of words keep before they are broken, where numbers leave it."""

HEIGHT = 460.0
"""Points that a table with its notes may take. With what is not reckoned (title, rules, notes whose long words leave
lines short: 80 were seen) it is less than a page of the usual classes (`article` on letter paper: 550)."""

# Widths of Computer Modern Roman at 10 pt in thousandths of the type size (cmr10.tfm); the smaller faces are wider.
_WIDTHS = {
    278: "!',.:;[]`il", 306: "fj", 333: "- ", 361: "I", 389: "()t", 394: "rs", 444: "cez", 472: "?",
    500: "$*/0123456789ago", 514: "J", 528: "kqvxy", 556: "Sbdhnpu", 611: "Z", 625: "L", 653: "F", 681: "EP",
    708: "B", 722: "CTw", 736: "R", 750: "AHNUVXY", 764: "D", 785: "&+=@KGOQ~^<>−", 833: "#%m", 917: "M",
    1028: "W", 1340: "…",
}  # fmt: skip
_WIDTH = {c: width / 1000 for width, letters in _WIDTHS.items() for c in letters}
_FACE = {9.0: 1.029, 8.0: 1.063, 7.0: 1.165}
_OTHER = 0.8
"""Of letters that are not in the table: none of Latin or Greek is wider but M and W."""

HEADING_LETTERS = 14
"""Of a word of a heading before it is broken."""


@dataclass(frozen=True)
class Type:
    """Size of the letters, of a line and half the gap between two columns, in points."""

    size: float
    line: float
    gap: float

    def width(self, text: str) -> float:
        """Points that a text takes in one line."""
        return self.size * _FACE[self.size] * _ems(text)


@functools.lru_cache(20_000)
def _ems(text: str) -> float:
    return sum(_WIDTH.get(c, _OTHER) for c in latex_text.readable(text))


TYPES = (Type(9, 10.8, 5), Type(8, 9.6, 4), Type(7, 8.4, 3))


@dataclass(frozen=True)
class Layout:
    """A table that fits. widths : of broken columns in points, None for those as wide as their widest cell

    wide : whether it takes both columns of the page; total : points; headings : the lines of each
    """

    columns: tuple[Column, ...]
    type: Type
    wide: bool
    widths: tuple[float | None, ...]
    headings: tuple[tuple[str, ...], ...]
    total: float

    def lines(self, row: int) -> int:
        """Of text that a row takes."""
        most = 1
        for column, width in zip(self.columns, self.widths, strict=True):
            if width is not None:
                most = max(most, latex_text.lines(column.cells[row], functools.partial(self._fits, width)))
        return most

    def _fits(self, width: float, text: str) -> bool:
        return self.type.width(text) <= width


def laid_out(columns: Sequence[Column], wide: bool, types: Sequence[Type] = TYPES) -> Layout | None:
    """These columns in the largest type that fits; None where none does.

    In one column of the page before both; words are broken sooner than the type is made smaller than 8 pt.
    """
    for across in (True,) if wide else (False, True):
        for kind in types:
            found = _fit(columns, kind, across)
            if found is not None:
                return found
    return None


def panels(columns: Sequence[Column], wide: bool) -> list[Layout]:
    """The columns in as many tables as they need, side after side, each with the leading columns of words."""
    whole = laid_out(columns, wide)
    if whole is not None:
        return [whole]
    keys = 0
    while keys < min(3, len(columns) - 1) and columns[keys].text:
        keys += 1
    key, rest = list(columns[:keys]), list(columns[keys:])
    out: list[Layout] = []
    while rest:
        for n in range(len(rest), 0, -1):
            found = laid_out([*key, *rest[:n]], wide=True, types=TYPES[1:])
            if found is not None:
                break
        else:
            if not key:
                raise ValueError(f"a column is wider than a page: {rest[0].heading}")
            # Rows are then told by the first of their names alone.
            key = key[:-1]
            continue
        out.append(found)
        rest = rest[n:]
    return out


def _fit(columns: Sequence[Column], kind: Type, wide: bool) -> Layout | None:
    """In this type and width, or None."""
    room = SLACK * (PAGE if wide else COLUMN)
    gaps = 2 * kind.gap * max(len(columns) - 1, 0)
    natural = [_natural(c, kind) for c in columns]
    fixed = gaps + sum(n for n, c in zip(natural, columns, strict=True) if not c.text)
    texts = [k for k, c in enumerate(columns) if c.text]
    widths: list[float | None] = [None] * len(columns)
    if fixed + sum(natural[k] for k in texts) > room:
        least = {k: min(natural[k], _least(columns[k], kind)) for k in texts}
        left = room - fixed - sum(least.values())
        if not texts or left < 0:
            return None
        given = _shared(left, {k: natural[k] - least[k] for k in texts})
        if kind is not TYPES[-1] and not wide and _crowded(natural, least, given, texts):
            return None
        for k in texts:
            if least[k] + given[k] < natural[k] - 0.01:
                widths[k] = least[k] + given[k]
    headings = tuple(
        _lines(c.heading, kind, width or n) for c, n, width in zip(columns, natural, widths, strict=True)
    )
    total = gaps + sum(width or n for n, width in zip(natural, widths, strict=True))
    return Layout(tuple(columns), kind, wide, tuple(widths), headings, total)


def _crowded(natural: Sequence[float], least: dict[int, float], given: dict[int, float], texts: Iterable[int]) -> bool:
    """Whether some words have less than a third of the room that they would take in one line."""
    return any(natural[k] > 3 * (least[k] + given[k]) for k in texts)


def _natural(column: Column, kind: Type) -> float:
    """Points of the widest cell, or of the widest word of the heading."""
    cells = [*(kind.width(c) for c in set(column.cells)), 0.0]
    beside = [kind.width(" " + c) for c in set(column.intervals) if c]
    heads = [kind.width(word) for word in _words(column.heading)]
    return max(max(cells) + max(beside, default=0), *heads, 0.0)


def _least(column: Column, kind: Type) -> float:
    """Points that a column of words takes at least: what of it is not broken, and a few letters where all may be."""
    pieces = {piece for cell in set(column.cells) for piece in latex_text.unbroken(cell)}
    names = [*pieces, "n" * min(latex_text.TOKEN, max((len(cell) for cell in column.cells), default=0))]
    return max(kind.width(word) for word in (*names, *_words(column.heading)))


def _shared(left: float, wanted: dict[int, float]) -> dict[int, float]:
    """Shares of what is left, none above what is wanted, the smallest wishes first."""
    out: dict[int, float] = {}
    for done, (k, wish) in enumerate(sorted(wanted.items(), key=lambda each: each[1])):
        out[k] = min(wish, left / (len(wanted) - done))
        left -= out[k]
    return out


def _words(heading: str) -> list[str]:
    """The words of a heading, long ones in pieces."""
    return [
        word[k : k + HEADING_LETTERS] for word in heading.split() for k in range(0, len(word), HEADING_LETTERS)
    ]


def _lines(heading: str, kind: Type, width: float) -> tuple[str, ...]:
    """A heading in lines no wider than its column."""
    out: list[str] = []
    for word in _words(heading):
        if out and kind.width(f"{out[-1]} {word}") <= width:
            out[-1] += f" {word}"
        else:
            out.append(word)
    return tuple(out)
