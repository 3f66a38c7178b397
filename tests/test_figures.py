"""Does a chart become files for print that carry their fonts, are as wide as said, and say so when they cannot?"""

from __future__ import annotations

import base64
import io
import os
import re
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from bad_datasets import HOSTILE
from fontTools.ttLib import TTFont
from PIL import Image
from pypdf import PdfReader

from charts.ranking import ranking_chart
from charts.theme import GLYPHS, OWN, Theme, paper
from errors import DrawingError, OptionError
from exports import chrome, figures, fonts
from scripts.paper import complaints

NAMES = [f"organisation-{k:02}/instruct-model-name-prev" for k in range(6)]
JUDGES = ("People of the crowd-sourcing platform, 26", "Judge-Model-02-72B-Instruct-2026-Preview")


def ranking(names: list[str] = NAMES, judges: tuple[str, ...] = JUDGES) -> figures.Draw:
    n = len(names)
    table = pd.concat([
        pd.DataFrame({"judge": judge, "model": names, "strength": np.linspace(1, -1, n), "rank": range(1, n + 1)})
        for judge in judges
    ])  # fmt: skip
    table = table.assign(lower=table["strength"] - 0.3, upper=table["strength"] + 0.3, rank_lower=1, rank_upper=n)
    return lambda theme, narrow: ranking_chart(table, theme, humans=judges[:1], narrow=narrow)


def one_line(text: str) -> figures.Draw:
    def draw(theme: Theme, narrow: bool) -> go.Figure:
        place = {"xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "showarrow": False}
        figure = go.Figure(layout={"height": 60, "template": "none", "annotations": [place | {"text": text}],
                                   "font": {"family": theme.font, "size": theme.label}})  # fmt: skip
        return figure.update_xaxes(visible=False).update_yaxes(visible=False)

    return draw


@pytest.fixture(scope="module")
def found(browser: object) -> Iterator[None]:
    """Where tests find a browser, so do figures; it is shut with the last of these tests."""
    yield
    chrome.close()


@pytest.fixture(scope="module")
def made(found: None) -> dict[str, bytes]:
    return figures.rendered(ranking(), 84, ("svg", "pdf", "png"))


@pytest.mark.browser
def test_an_svg_parses_is_as_wide_as_said_and_carries_its_letters(made: dict[str, bytes]) -> None:
    root = ET.fromstring(made["svg"])
    assert root.get("width") == "84mm"
    assert float(root.get("viewBox", "").split()[2]) == pytest.approx(84 / 25.4 * 96, abs=0.01)
    assert "Strengths of 6 models" in (root.findtext("{http://www.w3.org/2000/svg}title") or "")
    text = "".join(t for one in root.iter("{http://www.w3.org/2000/svg}text") for t in one.itertext())
    known: set[str] = {"\n"}
    for packed in re.findall(rb"url\(data:font/woff2;base64,([^)]*)\)", made["svg"]):
        known |= set(map(chr, TTFont(io.BytesIO(base64.b64decode(packed))).getBestCmap()))
    assert set(text) <= known
    # Letters that are not written are not carried.
    assert "§" not in known
    assert b"http://" not in made["svg"].replace(b"http://www.w3.org/", b"")


@pytest.mark.browser
def test_a_pdf_is_one_page_of_that_width_with_its_fonts_in_it(made: dict[str, bytes]) -> None:
    pages = PdfReader(io.BytesIO(made["pdf"])).pages
    assert len(pages) == 1
    assert float(pages[0].mediabox.width) == pytest.approx(84 / 25.4 * 72, abs=1)
    assert embedded(pages[0]) == {"SourceSans3-Regular", "SourceSans3-Bold"}
    assert "crowd-sourcing" in pages[0].extract_text()


def embedded(page: Any) -> set[str]:
    """The names of a page's fonts, each of which is in the file and none of which is of type 3."""
    out = set()
    for one in page["/Resources"]["/Font"].values():
        font = one.get_object()
        inner = font["/DescendantFonts"][0].get_object()
        assert inner["/Subtype"] == "/CIDFontType2"
        assert "/FontFile2" in inner["/FontDescriptor"]
        name = str(font["/BaseFont"])
        assert re.match(r"/[A-Z]{6}\+", name), "a subset"
        out.add(name.split("+")[1])
    return out


@pytest.mark.browser
def test_a_png_is_opaque_white_and_says_how_large_it_is(made: dict[str, bytes]) -> None:
    with Image.open(io.BytesIO(made["png"])) as image:
        assert image.mode == "RGB"
        assert image.width == pytest.approx(84 / 25.4 * 300, abs=1)
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert image.getpixel((0, 0)) == (255, 255, 255)
        assert min(image.convert("L").getextrema()) < 40


@pytest.mark.browser
def test_the_same_figure_is_the_same_file(made: dict[str, bytes]) -> None:
    assert figures.rendered(ranking(), 84) == made
    assert b"Date" not in made["pdf"]


@pytest.mark.browser
@pytest.mark.parametrize("mm", [84, 174])
def test_names_are_whole_apart_and_large_enough(browser: Any, found: None, mm: int) -> None:
    svg = figures.rendered(ranking(), mm, ("svg",))["svg"].decode()
    page = browser.new_page()
    assert complaints(page, svg) == []
    page.close()


@pytest.mark.browser
def test_what_is_wrong_on_paper_is_found(browser: Any, found: None) -> None:
    page = browser.new_page()

    def said(text: str) -> str:
        return "\n".join(complaints(page, figures.rendered(one_line(text), 84, ("svg",))["svg"].decode()))

    assert said("fine") == ""
    assert "pt" in said("<span style='font-size:9px'>small</span>")
    assert "is shortened" in said("cut …")
    assert "leaves the figure" in said("word " * 30)
    page.close()


@pytest.mark.browser
def test_names_of_any_kind_make_a_file_that_parses(found: None) -> None:
    names = [*HOSTILE, "control \x01\x0b signs", "]]> </style><script>alert(1)</script>"]
    root = ET.fromstring(figures.rendered(ranking(names, (names[1],)), 174, ("svg",))["svg"])
    assert not list(root.iter("{http://www.w3.org/2000/svg}script"))


@pytest.mark.browser
def test_marks_of_judges_are_letters_of_the_file(found: None) -> None:
    out = figures.rendered(one_line("".join(GLYPHS.values())), 84, ("svg", "pdf"))
    assert embedded(PdfReader(io.BytesIO(out["pdf"])).pages[0]) == {"SourceSans3-Regular", "JurylensMarks"}


@pytest.mark.browser
def test_many_ask_at_once_and_each_gets_its_own(found: None) -> None:
    out: dict[int, bytes] = {}
    threads = [
        threading.Thread(target=lambda k=k: out.update({k: figures.rendered(one_line(f"n{k}"), 84, ("svg",))["svg"]}))
        for k in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert {k: f">n{k}<".encode() in svg for k, svg in out.items()} == dict.fromkeys(range(6), True)


@pytest.mark.browser
def test_a_chromium_that_died_is_started_again(found: None) -> None:
    figures.rendered(one_line("before"), 84, ("svg",))
    chrome._CHROME._kaleido.subprocess.kill()
    assert b">after<" in figures.rendered(one_line("after"), 84, ("svg",))["svg"]


def test_without_a_chromium_it_is_said_and_html_is_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chrome._CHROME, "_kaleido", None)
    monkeypatch.setenv("BROWSER_PATH", os.devnull + "/none")
    with pytest.raises(DrawingError, match=r"install one .*BROWSER_PATH.* as HTML"):
        figures.rendered(ranking(), 84, ("pdf",))
    page = figures.rendered(ranking(), 84, ("html",))["html"].decode()
    assert page.startswith("<!DOCTYPE html>")
    assert f"font-family:'{OWN}'" in page
    assert "organisation-03" in page
    assert not re.search(r'<(script|link)[^>]+(src|href)="http', page)


@pytest.mark.parametrize(("mm", "formats", "said"), [(60, ("svg",), "too narrow"), (84, ("bmp",), "not as 'bmp'")])
def test_what_cannot_be_drawn_is_refused(mm: int, formats: tuple[str, ...], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        figures.rendered(ranking(), mm, formats)


def test_a_chart_knows_that_it_is_on_paper_and_how_wide() -> None:
    seen: list[tuple[Theme, bool]] = []

    def draw(theme: Theme, narrow: bool) -> go.Figure:
        seen.append((theme, narrow))
        return go.Figure()

    assert figures.drawn(draw, 174).layout.width == pytest.approx(657.64)
    figures.drawn(draw, 84)
    assert [(one.is_print, round(one.width or 0), narrow) for one, narrow in seen] == [
        (True, 658, False), (True, 317, True),
    ]  # fmt: skip
    assert paper(84).label * 0.75 == pytest.approx(8, abs=0.01)


def test_what_is_higher_than_a_page_is_drawn_in_7_pt() -> None:
    def draw(theme: Theme, narrow: bool) -> go.Figure:
        return go.Figure(layout={"height": rows * theme.label, "font": {"size": theme.label}})

    rows = 60
    assert figures.drawn(draw, 84).layout.font.size == paper(84).label
    rows = 100
    assert 7 <= figures.drawn(draw, 84).layout.font.size * 0.75 < 7.02


def test_letters_beyond_the_usual_are_added_and_foreign_ones_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made: list[frozenset[str]] = []

    def static(weight: int, kept: frozenset[str]) -> bytes:
        made.append(kept)
        return b"font"

    # To make the font itself takes seconds; what it is made of is what can be wrong.
    monkeypatch.setattr(fonts, "_static", static)
    monkeypatch.setattr(fonts, "_cache", lambda: tmp_path)
    assert fonts.faces("Ж模")[0].data == b"font"
    assert made == [made[0]] * 2
    assert made[0] >= set("Жab")
    assert "模" not in made[0]
    fonts._source.cache_clear()
    fonts.faces("Ж模")
    assert len(made) == 2, "kept on the disk"
    fonts._source.cache_clear()
    assert fonts.foreign("aя模型●✚") == {"模", "型"}


@pytest.mark.browser
def test_a_face_of_fewer_letters_has_no_others() -> None:
    regular = fonts.faces("")[0].of("ab")
    assert {chr(code) for code in TTFont(io.BytesIO(regular.data)).getBestCmap()} == {"a", "b"}
    # A font of the wide blank alone is refused by browsers.
    assert [face.letters for face in fonts.written_in("ab\u2003")] == [{"a", "b"}] * 2
