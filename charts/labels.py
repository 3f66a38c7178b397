"""How is a name of any length and script written in so many pixels?"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from charts import words

LINE = 1.25
"""Height of a line of text, in sizes of its type."""

_BREAKS = re.compile(r"(?<=[\s_/\-:,])|(?<=\.)(?!\d)")


def text_width(text: str, size: float) -> float:
    """About how many pixels a line takes, rather too many than too few: no browser is at hand to measure."""
    ems = 0.0
    for char in text:
        if unicodedata.combining(char):
            continue
        if unicodedata.east_asian_width(char) in "WF":
            ems += 1.05
        elif char in "MW@%m—":
            ems += 0.9
        elif char.isupper() or not char.isascii():
            ems += 0.66
        elif char in "iljtf.,:;|!'()[] I":
            ems += 0.33
        else:
            ems += 0.56
    return ems * size


def escape(text: str) -> str:
    """A name as plotly's text markup: tags in it are text, line breaks and other white space a space."""
    return html.escape(" ".join(str(text).split()), quote=False)


@dataclass(frozen=True)
class Label:
    """A name broken into the lines that fit. full : the whole name, for hover texts

    scale : how wide it is of what `text_width` reckons with, where the face is known
    """

    lines: tuple[str, ...]
    full: str
    scale: float = 1.0

    @property
    def html(self) -> str:
        return "<br>".join(escape(line) for line in self.lines)

    def ended(self, end: str) -> list[str]:
        """The lines with something behind the last one."""
        return [*self.lines[:-1], self.lines[-1] + end]


def widest_part(name: str, size: float) -> float:
    """Pixels of the longest piece that `fit_label` need not break inside."""
    return max((text_width(part.rstrip(), size) for part in _BREAKS.split(name) if part), default=0.0)


def fit_label(name: str, width: float, size: float, lines: int = 2) -> Label:
    """A name in at most `lines` lines of `width` pixels; what is longer loses its middle."""
    full = " ".join(str(name).split()) or "(no name)"
    most = min(len(full), max(4, int(lines * width / (0.33 * size))))
    while True:
        short = words.shorten(full, most)
        broken = _break(short, width, size)
        if len(broken) <= lines or most <= 4:
            return Label(tuple(broken[:lines]), full)
        most -= 1


def _break(text: str, width: float, size: float) -> list[str]:
    """Lines of at most `width` pixels, broken after a space or a joining sign where there is one."""
    lines: list[str] = []
    line = ""
    for part in filter(None, _BREAKS.split(text)):
        # A part that must be broken anyway begins where there is room.
        if line and text_width((line + part).rstrip(), size) > width >= text_width(part.rstrip(), size):
            lines.append(line.rstrip())
            line = ""
        line += part
        while text_width(line.rstrip(), size) > width and len(line) > 1:
            cut = len(line) - 1
            while cut > 1 and text_width(line[:cut], size) > width:
                cut -= 1
            lines.append(line[:cut])
            line = line[cut:]
    return [*lines, line.rstrip()] if line.strip() else lines or [text]


def fit_labels(names: Iterable[str], width: float, size: float, lines: int = 2) -> list[Label]:
    """As `fit_label`, with names that became equal by shortening told apart by a number."""
    wanted = list(names)
    found = [fit_label(name, width, size, lines) for name in wanted]
    seen: dict[tuple[str, ...], list[str]] = {}
    for k, one in enumerate(found):
        same = seen.setdefault(one.lines, [])
        if one.full not in same:
            same.append(one.full)
        nth = same.index(one.full)
        if nth:
            tail = f" ({nth + 1})"
            cut = fit_label(wanted[k], width - text_width(tail, size), size, lines)
            found[k] = Label((*cut.lines[:-1], cut.lines[-1] + tail), one.full)
    return found


def labels_width(labels: Iterable[Label], size: float) -> float:
    """Pixels that the widest line takes."""
    return max((text_width(line, size) * label.scale for label in labels for line in label.lines), default=0)


def wrap(text: str, width: float, size: float) -> list[str]:
    """Lines of at most `width` pixels, broken at spaces; a longer word is broken too."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if text_width(joined, size) <= width:
            lines[-1] = joined
        else:
            lines += _break(word, width, size)
    return [line for line in lines if line]
