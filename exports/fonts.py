"""Which fonts does a figure for print carry, so that it looks the same on every machine?

Source Sans (SIL Open Font License) comes with streamlit, as one variable font; what cannot be left to it is drawn here.
A variable font becomes Type 3 in a PDF, which publishers refuse: it is made static, regular and bold, first.
"""

from __future__ import annotations

import base64
import io
import math
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from charts.theme import OWN
from errors import DrawingError

REGULAR, BOLD = 400, 700

# What most figures need, so that the fonts are made once a process: Latin with its accents, Greek, signs.
USUAL = frozenset(map(chr, [
    *range(0x20, 0x7F), *range(0xA0, 0x180), *range(0x391, 0x3CA), *range(0x2000, 0x200B), *range(0x2010, 0x2030),
    *range(0x2190, 0x2194), 0x2030, 0x2032, 0x20AC, 0x2122, 0x2212, 0x221A, 0x221E, 0x2248, 0x2260, 0x2264, 0x2265,
    *range(0x25A0, 0x25D0), 0x2713, 0x2717,
]))  # fmt: skip

MADE = 1
"""Counted up when the way in which the faces are made changes."""

FEATURES = ["kern", "mark", "mkmk", "ccmp", "locl"]


@dataclass(frozen=True)
class Face:
    """A font of one weight. data : a static TrueType file; letters : those it can write

    beside : whether it only adds letters to another face of the same name
    """

    weight: int
    data: bytes
    letters: frozenset[str]
    beside: bool = False

    def of(self, letters: Iterable[str]) -> Face:
        """The same with these letters only."""
        kept = self.letters & frozenset(letters)
        if kept == self.letters:
            return self
        font = _open(io.BytesIO(self.data))
        _keep(font, kept)
        return Face(self.weight, _saved(font), kept, self.beside)

    @property
    def css(self) -> str:
        """An @font-face rule that carries the font."""
        font = _open(io.BytesIO(self.data))
        font.flavor = "woff2"
        packed = base64.b64encode(_saved(font)).decode()
        only = ",".join(f"U+{ord(letter):X}" for letter in sorted(self.letters))
        return (
            f"@font-face{{font-family:'{OWN}';font-weight:{self.weight};"
            f"src:url(data:font/woff2;base64,{packed}) format('woff2')"
            f"{';unicode-range:' + only if self.beside else ''}}}"
        )


def faces(text: str) -> list[Face]:
    """The faces that write this text, with all the letters they are kept with; see `Face.of` for fewer.

    Letters that none of them has (Chinese, Arabic, emoji) are left to the fonts of the machine.
    """
    more = frozenset(text) - USUAL
    rest = tuple(sorted(letter for letter in more if letter in source_letters()))
    return [_source(REGULAR, rest), _source(BOLD, rest), _marks()]


def written_in(letters: Iterable[str]) -> list[Face]:
    """The faces that a file which is written in these letters carries, cut to them."""
    wanted = frozenset(letters)
    cut = (face.of(wanted) for face in faces("".join(sorted(wanted))))
    # A face of nothing but blanks would be no font to a browser.
    return [face for face in cut if not all(letter.isspace() for letter in face.letters)]


def foreign(text: str) -> set[str]:
    """Letters of a text that `faces` cannot write."""
    known = source_letters() | _marks().letters
    return {letter for letter in text if letter not in known and not letter.isspace() and letter.isprintable()}


@lru_cache(maxsize=1)
def source_letters() -> frozenset[str]:
    """What Source Sans can write."""
    return frozenset(map(chr, _open(_source_file()).getBestCmap()))


@lru_cache(maxsize=8)
def _source(weight: int, more: tuple[str, ...]) -> Face:
    """Source Sans of one weight with the usual letters and more. Making it takes seconds: it is kept on the disk."""
    kept = frozenset((USUAL | set(more)) & source_letters())
    made_from = (MADE, weight, _source_file().name, version("fonttools"), *sorted(kept))
    place = _cache() / f"source-sans-{weight}-{sha256(repr(made_from).encode()).hexdigest()[:24]}.ttf"
    try:
        return Face(weight, place.read_bytes(), kept)
    except OSError:
        data = _static(weight, kept)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        # Renamed when it is whole: another process may read it at any moment.
        part = place.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
        part.write_bytes(data)
        part.replace(place)
    except OSError:
        pass  # A folder that cannot be written to costs the time once more, nothing else.
    return Face(weight, data, kept)


def _cache() -> Path:
    return user_cache_path("jurylens", appauthor=False)


def _static(weight: int, kept: frozenset[str]) -> bytes:
    from fontTools.varLib import instancer

    font = _open(_source_file())
    # Made fewer first: to make the whole font static takes ten times as long.
    _keep(font, kept)
    static = instancer.instantiateVariableFont(font, {"wght": weight}, inplace=True)
    style = {REGULAR: "Regular", BOLD: "Bold"}[weight]
    # Else a PDF would list the extra light one, from which all weights are made.
    for place, name in {1: "Source Sans 3", 2: style, 4: f"Source Sans 3 {style}", 6: f"SourceSans3-{style}"}.items():
        static["name"].setName(name, place, 3, 1, 0x409)
        static["name"].removeNames(nameID=place, platformID=1)
    return _saved(static)


def _source_file() -> Path:
    found = find_spec("streamlit")
    folder = Path(found.origin).parent / "static" if found and found.origin else Path()
    for path in sorted(folder.glob("**/SourceSansVF-Upright*.woff2")):
        return path
    raise DrawingError(
        "the font Source Sans, which comes with streamlit, is not where it used to be: install the version of "
        "streamlit that requirements.txt names, or take the figure as HTML"
    )


def _open(source: Any) -> Any:
    from fontTools.ttLib import TTFont

    font = TTFont(source, recalcTimestamp=False)
    font.flavor = None
    return font


def _keep(font: Any, letters: Iterable[str]) -> None:
    from fontTools import subset

    options = subset.Options(layout_features=FEATURES, notdef_outline=True, hinting=False, recalc_timestamp=False)
    keeper = subset.Subsetter(options)
    keeper.populate(text="".join(sorted(letters)))
    keeper.subset(font)


def _saved(font: Any) -> bytes:
    target = io.BytesIO()
    font.save(target)
    return target.getvalue()


EM, MIDDLE, REACH, ARM, LINE = 1000, 305, 262, 86, 50
"""Of the marks below, in units of the font: the size, the height of their middle, half their width, half the width of
a cross's arm, the width of a hollow mark's line."""

SPACES = {"\u2002": EM // 2, "\u2003": EM}
"""Those that stand between the marks of several judges, and their widths."""

DAY = 3_800_000_000
"""Seconds since 1904: when the marks were made. Today's date would make two files of one figure differ."""

_Points = list[tuple[float, float]]


@lru_cache(maxsize=1)
def _marks() -> Face:
    """The marks of judges (charts.theme.GLYPHS) and spaces that Source Sans lacks, as charts draw them."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    cross, inner = _cross(REACH, ARM), _cross(REACH - LINE, ARM - LINE)
    diamond, hole = _diamond(REACH * 1.1), _diamond(REACH * 1.1 - LINE * math.sqrt(2))
    drawn: dict[str, list[_Points]] = {"✚": [cross], "✛": [cross, inner[::-1]], "◇": [diamond, hole[::-1]]}
    wide = dict.fromkeys(drawn, round(EM * 0.66))
    for letter, width in SPACES.items():
        drawn[letter], wide[letter] = [], width
    glyphs: dict[str, Any] = {".notdef": TTGlyphPen(None).glyph()}
    for letter, outlines in drawn.items():
        pen = TTGlyphPen(None)
        for points in outlines:
            moved = [(round(x + EM * 0.33), round(y + MIDDLE)) for x, y in points]
            pen.moveTo(moved[0])
            for point in moved[1:]:
                pen.lineTo(point)
            pen.closePath()
        glyphs[f"u{ord(letter):04X}"] = pen.glyph()
    made = FontBuilder(EM, isTTF=True)
    made.setupGlyphOrder(list(glyphs))
    made.setupCharacterMap({ord(letter): f"u{ord(letter):04X}" for letter in drawn})
    made.setupGlyf(glyphs)
    made.setupHorizontalMetrics({".notdef": (EM, 0)} | {f"u{ord(one):04X}": (width, 0) for one, width in wide.items()})
    made.setupHorizontalHeader(ascent=984, descent=-273)
    made.setupNameTable({"familyName": "Jurylens Marks", "styleName": "Regular", "psName": "JurylensMarks"})
    made.setupOS2(sTypoAscender=750, sTypoDescender=-250, usWinAscent=984, usWinDescent=273)
    made.setupPost()
    made.updateHead(created=DAY, modified=DAY)
    made.font.recalcTimestamp = False
    return Face(REGULAR, _saved(made.font), frozenset(drawn), True)


def _cross(reach: float, arm: float) -> _Points:
    """Clockwise, as outlines of TrueType go."""
    return [(-arm, reach), (arm, reach), (arm, arm), (reach, arm), (reach, -arm), (arm, -arm), (arm, -reach),
            (-arm, -reach), (-arm, -arm), (-reach, -arm), (-reach, arm), (-arm, arm)]  # fmt: skip


def _diamond(reach: float) -> _Points:
    return [(0, reach), (reach, 0), (0, -reach), (-reach, 0)]
