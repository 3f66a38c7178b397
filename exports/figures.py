"""How does a chart become a file for print: SVG, PDF and PNG at the width of one or two columns, fonts included?"""

from __future__ import annotations

import html
import io
import json
import re
import string
from collections.abc import Callable, Sequence
from typing import Any, Literal, get_args

import plotly.graph_objects as go

from charts.rows import WIDTH
from charts.theme import Theme, paper
from errors import OptionError
from exports import chrome, fonts

Format = Literal["svg", "pdf", "png", "html"]
FORMATS: tuple[Format, ...] = get_args(Format)

COLUMN, PAGE = 84, 174
"""Millimetres of one column, and of both."""

HIGH = 240
"""Millimetres that a page of A4 has room for."""

DPI = 300
"""Dots an inch of a PNG. It is for slides and text processors; SVG and PDF are as sharp as any printer."""

PX = 96 / 25.4
"""Pixels of a browser in a millimetre."""

NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""What a name may hold and a file of XML may not."""

Draw = Callable[[Theme, bool], go.Figure]


def rendered(draw: Draw, mm: int, formats: Sequence[str] = ("svg", "pdf", "png")) -> dict[str, bytes]:
    """A chart as files, format -> content; the same drawing in all of them.

    draw : (theme, narrow) -> figure, as ui.figure has it
    mm : width in millimetres, from 84 on; below 172 the chart is laid out for one column
    formats : of svg, pdf, png (300 dots an inch) and html (all but html need a Chromium)

    Raises OptionError for another width or format, DrawingError where no Chromium is found or it fails.
    """
    for one in formats:
        if one not in FORMATS:
            raise OptionError(f"figures are drawn as {', '.join(FORMATS)}, not as {one!r}")
    figure = drawn(draw, mm)
    content = json.loads(str(figure.to_json()))
    alt = str((figure.layout.meta or {}).get("alt", ""))
    out: dict[str, bytes] = {}
    if "html" in formats:
        out["html"] = as_html(figure, content, alt)
    if set(formats) - {"html"}:
        width, height = float(figure.layout.width), float(figure.layout.height)
        svg = _svg(content, mm, width, height, alt)
        if "svg" in formats:
            out["svg"] = svg.encode()
        if "pdf" in formats:
            out["pdf"] = chrome.printed(svg, width, height, alt or "Figure")
        if "png" in formats:
            out["png"] = _opaque(chrome.painted(svg, width, height, DPI / 96))
    return {one: out[one] for one in formats}


def drawn(draw: Draw, mm: int) -> go.Figure:
    """The chart as it is laid out for print at this width."""
    least = -(-WIDTH[True] // PX)
    if mm < least:
        raise OptionError(f"a figure of {mm} mm is too narrow to be read: {COLUMN} mm is the width of a column, "
                          f"{PAGE} mm that of two")  # fmt: skip
    figure = _laid_out(draw, mm, 8)
    # What is higher than a page has the smallest type that journals print, which makes rows of long names lower.
    return figure if figure.layout.height <= HIGH * PX else _laid_out(draw, mm, 7)


def _laid_out(draw: Draw, mm: int, points: int) -> go.Figure:
    figure = draw(paper(mm, points), is_narrow(mm))
    figure.update_layout(width=round(mm * PX, 2), autosize=False)
    if figure.layout.height is None:
        figure.update_layout(height=450)
    return figure


def height(svg: bytes) -> float:
    """Millimetres of a figure that `rendered` has made."""
    found = re.search(rb'height="([\d.]+)mm"', svg)
    return float(found[1]) if found else 0.0


def foreign(svg: bytes) -> set[str]:
    """Letters of such a figure that are left to the fonts of the machine."""
    return fonts.foreign(_text(svg.decode()))


def _text(svg: str) -> str:
    return html.unescape(re.sub(r"<style>.*?</style>|<[^>]*>", " ", svg, flags=re.DOTALL))


def is_narrow(mm: int) -> bool:
    """Whether a chart of this width is laid out for one column."""
    return mm * PX < WIDTH[False]


def _svg(content: dict[str, Any], mm: int, width: float, height: float, alt: str) -> str:
    """The drawing as an SVG that carries the letters it is written with, `mm` wide."""
    faces = fonts.faces(letters_of(content))
    plotted = NO_XML.sub("", chrome.plotted(content, "".join(face.css for face in faces), width, height))
    css = "".join(face.css for face in fonts.written_in(_text(plotted)))
    opening = re.match(r"<svg[^>]*>", plotted)
    assert opening is not None, "plotly draws an SVG"
    head = re.sub(r' (width|height|style|viewBox)="[^"]*"', "", opening.group(0))[:-1]
    size = f' width="{mm}mm" height="{height / PX:.3f}mm" viewBox="0 0 {width:g} {height:g}" role="img"'
    title = f"<title>{NO_XML.sub('', html.escape(alt))}</title>" if alt else ""
    return f"{head}{size}>{title}<style>{css}</style>{plotted[opening.end():]}"


def letters_of(content: Any) -> str:
    """All letters that stand anywhere in a figure, texts and much else."""
    return "".join(sorted(set(html.unescape(json.dumps(content, ensure_ascii=False)))))


def as_html(figure: go.Figure, content: dict[str, Any], alt: str) -> bytes:
    """A page that needs nothing but a browser: the figure with its font and plotly.js; a button saves it as SVG."""
    faces = fonts.written_in(letters_of(content) + string.printable)
    figure = go.Figure(figure)
    figure.update_layout(modebar={"remove": []})
    name = "figure"
    body = figure.to_html(
        full_html=False, include_plotlyjs=True, div_id=name,
        config={"displaylogo": False, "modeBarButtons": [["toImage"]], "displayModeBar": True,
                "toImageButtonOptions": {"format": "svg", "filename": "figure"}},
    )  # fmt: skip
    css = "".join(face.css for face in faces)
    page = (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(alt or "Figure")}</title>'
        f"<style>{css} body{{margin:0;background:white}}</style></head>\n<body>{body}</body></html>\n"
    )
    return page.encode()


def _opaque(png: bytes) -> bytes:
    """The same picture without an alpha channel, which printers stumble over, and with its resolution said."""
    from PIL import Image

    target = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(target, "PNG", dpi=(DPI, DPI))
    return target.getvalue()
