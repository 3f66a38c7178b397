"""How is any text written so that every LaTeX sets it? In ASCII alone, with what LaTeX would take as a command escaped.

Letters with accents become LaTeX's accents (é is \\'{e}), Greek letters and signs become mathematics, and all other
scripts and pictures are transliterated (模型 is MoXing, 🦜 is :parrot:). Nothing depends on the document's fonts,
encoding or engine.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Iterable

from anyascii import anyascii

_ASCII = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": "$<$", ">": "$>$", "|": "$|$", '"': "''",
}  # fmt: skip

# Combining marks that LaTeX has in its oldest encoding too.
_ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u0304": "=", "\u0306": "u ",
    "\u0307": ".", "\u030a": "r ", "\u030b": "H ", "\u030c": "v ", "\u0327": "c ", "\u0323": "d ", "\u0331": "b ",
}  # fmt: skip

_LETTERS = {"ß": r"\ss{}", "æ": r"\ae{}", "Æ": r"\AE{}", "œ": r"\oe{}", "Œ": r"\OE{}", "ø": r"\o{}", "Ø": r"\O{}",
            "ł": r"\l{}", "Ł": r"\L{}", "ı": r"\i{}", "å": r"\aa{}", "Å": r"\AA{}"}  # fmt: skip

# LaTeX has no letters of their own for capitals that look like Latin ones.
_CAPITALS = ("Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega")
_GREEK = {"ς": "varsigma"}
for _letter in map(chr, range(0x391, 0x3CA)):
    _kind, *_name = unicodedata.name(_letter, "GREEK NO LETTER NONE").split(" ")[1::2]
    _called = _name[0].lower().replace("lamda", "lambda") if len(_name) == 1 else ""
    if _kind == "SMALL" and _letter not in "ος" and _called:
        _GREEK[_letter] = _called
    elif _called.capitalize() in _CAPITALS:
        _GREEK[_letter] = _called.capitalize()

_SIGNS = {
    "−": "$-$", "±": r"$\pm$", "×": r"$\times$", "·": r"$\cdot$", "≤": r"$\le$", "≥": r"$\ge$", "≠": r"$\ne$",
    "≈": r"$\approx$", "→": r"$\rightarrow$", "←": r"$\leftarrow$", "↔": r"$\leftrightarrow$", "∞": r"$\infty$",
    "°": r"$^{\circ}$", "²": "$^{2}$", "³": "$^{3}$", "§": r"\S{}", "…": r"\dots{}", "–": "--", "—": "---", "‘": "`",
    "’": "'", "“": "``", "”": "''", "µ": r"$\mu$", "\u00a0": " ", "\u202f": " ", "\u2009": " ",
}  # fmt: skip

TOKEN = 12
"""Letters of a word without a place to break that any column of text has room for."""

SENTENCE = 24
"""The same of a line that is as wide as a column of the page."""

_JOINTS = re.compile(r"(?<=[-_/.:@+,;=|)\]}…])(?=\w)|(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)")


def escaped(text: str) -> str:
    """The text as LaTeX sets it, in one line."""
    return "".join(_pieces(_plain(text)))


def transliterated(text: str) -> bool:
    """Whether some of it is written in other letters than its own."""
    return any(_foreign(c) for c in unicodedata.normalize("NFC", text))


def breakable(text: str, most: int = TOKEN) -> str:
    """The same; long words may be broken after their joints, and between any two letters where they have none.

    most : letters that a word may have without being broken; each line of the text has room for so many
    """
    words = ([_broken(part, most) for part in _parts(word, most)] for word in _plain(text).split(" "))
    return " ".join(r"\allowbreak{}".join(parts) for parts in words)


def unbroken(text: str) -> list[str]:
    """What of it stays in one line however narrow the column is."""
    return [part for word in _plain(text).split(" ") for part in _parts(word) if len(part) <= TOKEN]


def lines(text: str, fits: Callable[[str], bool]) -> int:
    """How many lines it takes, broken as `breakable` allows. fits : whether a line has room for a text"""
    n, line = 1, ""
    for word in _plain(text).split(" "):
        between = " " if line else ""
        for part in _parts(word):
            for piece in [part] if len(part) <= TOKEN else part:
                if line and not fits(line + between + piece):
                    n, line, between = n + 1, "", ""
                line += between + piece
                between = ""
    return n


def _parts(word: str, most: int = TOKEN) -> list[str]:
    return [word] if len(word) <= most else _JOINTS.split(word)


def _broken(part: str, most: int) -> str:
    return ("" if len(part) <= most else r"\penalty500{}").join(_pieces(part))


def distinct(names: Iterable[str]) -> dict[str, str]:
    """Each name as it is written; names that would be written alike are numbered: name, name (2)."""
    out: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        if name in out:
            continue
        written, n = name, 1
        while escaped(written) in taken:
            n += 1
            written = f"{name} ({n})"
        taken.add(escaped(written))
        out[name] = written
    return out


def readable(text: str) -> str:
    """About what a reader will see, one character each: to measure by."""
    return "".join(anyascii(c) if _foreign(c) else c for c in _plain(text))


@functools.lru_cache(20_000)
def _plain(text: str) -> str:
    """One line, composed, without what has no look: controls, marks of direction, variation selectors, joiners."""
    line = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text))
    return "".join(c for c in line if unicodedata.category(c) not in ("Cc", "Cf", "Cs") and not _selector(c)).strip()


def _selector(c: str) -> bool:
    return 0xFE00 <= ord(c) <= 0xFE0F or 0xE0100 <= ord(c) <= 0xE01EF


def _foreign(c: str) -> bool:
    known = c.isascii() or c in _LETTERS or c in _GREEK or c in _SIGNS
    return not known and _accented(c) is None and c.isprintable()


def _accented(c: str) -> str | None:
    """\\'{e} of é; None where LaTeX has no such accent, or the letter is none of ASCII."""
    parts = unicodedata.normalize("NFD", c)
    base, marks = parts[:1], parts[1:]
    if not marks or not base.isascii() or any(m not in _ACCENTS for m in marks):
        return None
    above = any(m not in ("\u0327", "\u0323", "\u0331") for m in marks)
    out = f"\\{base}" if base in "ij" and above else base
    for mark in marks:
        out = f"\\{_ACCENTS[mark]}{{{out}}}".replace(" {", "{")
    return out


def _pieces(text: str) -> list[str]:
    """One piece of LaTeX for each character; between two of them a line may be broken without harm."""
    out: list[str] = []
    for c in text:
        if c == "-" and out and out[-1] == "-":
            # Two would become a dash.
            out.append("{}-")
        elif c.isascii():
            out.append(_ASCII.get(c, c))
        elif c in _LETTERS:
            out.append(_LETTERS[c])
        elif c in _GREEK:
            out.append(f"$\\{_GREEK[c]}$")
        elif c in _SIGNS:
            out.append(_SIGNS[c])
        else:
            accent = _accented(c)
            out += [accent] if accent is not None else [_ASCII.get(a, a) for a in anyascii(c) or "?"]
    return out
