"""The bar of disagreement: adds to 100 % with parts below 0 too, is told without colour, and nothing overlaps."""

from __future__ import annotations

import itertools

import pandas as pd
import plotly.graph_objects as go
import pytest
from canvas import draw

from analysis import disagreement as parts
from charts.disagreement import JUDGE, MIXED, PEOPLE, UNEXPLAINED, disagreement_chart, looks
from charts.rows import WIDTH
from charts.theme import DARK, LIGHT, PRINT, Theme
from studies.disagreement import CONTENT, LENGTH, POSITION
from studies.disagreement_words import finding

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=lambda one: one.name)
NARROW = pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
TOTALS = {"gpt": 0.36, "<b>owl": 0.31}


def shared_out(**judges: dict[str, float]) -> pd.DataFrame:
    rows = [
        {"judge": judge.replace("_", "<b>"), "part": part, "share": share, "share_lower": share - 0.03,
         "share_upper": share + 0.03, "value": share / 3, "lower": share / 3 - 0.01, "upper": share / 3 + 0.01}
        for judge, parts in judges.items() for part, share in parts.items()
    ]  # fmt: skip
    return pd.DataFrame(rows)


def table() -> pd.DataFrame:
    return shared_out(
        gpt={PEOPLE: 0.5, "position": 0.01, "length and style": -0.16, "content": -0.05, UNEXPLAINED: 0.7},
        _owl={PEOPLE: 0.4, JUDGE: 0.2, "position": 0.1, UNEXPLAINED: 0.3},
    )


def bars(figure: go.Figure) -> dict[str, go.Bar]:
    return {trace.name: trace for trace in figure.data}


def test_the_names_of_parts_are_the_studys() -> None:
    assert (PEOPLE, JUDGE, UNEXPLAINED) == (parts.PEOPLE, parts.JUDGE, parts.UNEXPLAINED)
    assert {look.name for look in looks(LIGHT)} >= {POSITION, LENGTH, CONTENT}


def test_each_bar_adds_to_100_and_what_is_below_0_lies_left() -> None:
    found = bars(disagreement_chart(table(), ["gpt", "<b>owl"], TOTALS, LIGHT))
    for row in (0, 1):
        pieces = [(s, x) for t in found.values() for s, x, y in zip(t.base, t.x, t.y, strict=True) if y == row]
        assert sum(size for _, size in pieces) == pytest.approx(100)
        right = sorted((start, size) for start, size in pieces if size >= 0)
        # No gap and no overlap on either side of 0.
        assert right[0][0] == 0
        assert all(a + x == pytest.approx(b) for (a, x), (b, _) in itertools.pairwise(right))
    assert found["length and style"].base[0] == 0
    assert found["content"].base[0] == pytest.approx(-16)
    assert list(found["content"].customdata[0]) == ["gpt", "content"]


def test_what_is_not_identified_is_hatched_and_said() -> None:
    figure = disagreement_chart(table(), ["gpt", "<b>owl"], TOTALS, LIGHT)
    found = bars(figure)
    assert list(found[MIXED].y) == [0]
    assert list(found[UNEXPLAINED].y) == [1]
    assert found[MIXED].marker.pattern.shape == "/"
    assert not found[UNEXPLAINED].marker.pattern.shape
    assert len({(t.marker.pattern.shape, t.marker.color) for t in found.values()}) == len(found)
    notes = " ".join(a.text.replace("<br>", " ") for a in figure.layout.annotations)
    assert "own noise is not identified" in notes
    assert "Left of 0" in notes
    only = disagreement_chart(table(), ["<b>owl"], TOTALS, LIGHT, more=64)
    notes = " ".join(a.text.replace("<br>", " ") for a in only.layout.annotations)
    assert "own noise is not identified" not in notes
    assert "Left of 0" not in notes
    assert "1 of 65 judges" in notes


def test_a_name_stands_in_a_part_where_it_fits() -> None:
    found = bars(disagreement_chart(table(), ["gpt", "<b>owl"], TOTALS, LIGHT))
    assert found[PEOPLE].text[0] == "noise of people 50 %"
    assert found["position"].text[0] == ""
    assert bars(disagreement_chart(table(), ["gpt"], TOTALS, LIGHT, narrow=True))[PEOPLE].text[0] == "50 %"
    assert "[47 %, 53 %]" in found[PEOPLE].hovertext[0]


def test_the_finding_names_every_part() -> None:
    text = finding(table()[table()["judge"] == "<b>owl"], "<b>owl", "people")
    assert "40 % is that of votes with one another" in text
    assert "20 % the judge's noise" in text
    assert "10 % position" in text
    assert "30 % is not explained" in text
    assert "<b>" not in text


@pytest.mark.browser
@THEMES
@NARROW
def test_nothing_overlaps(canvas, theme: Theme, narrow: bool) -> None:
    many = shared_out(**{f"judge-number-{k}": {PEOPLE: 0.5, "position": -0.1, UNEXPLAINED: 0.6} for k in range(15)})
    judges = list(dict.fromkeys(many["judge"]))
    drawn = disagreement_chart(many, judges, dict.fromkeys(judges, 0.3), theme, narrow=narrow, more=3)
    assert draw(canvas, drawn, WIDTH[narrow]) == []
    # Two long names and all parts there are: a legend no wider than the bars would leave them no height.
    parts = {PEOPLE: 0.5, JUDGE: 0.3, "position": 0.1, "length and style": 0.04, "content": 0.03, UNEXPLAINED: 0.03}
    long = shared_out(**{f"judge-with-a-name-of-forty-letters-in-al{k}": parts for k in range(2)})
    judges = list(dict.fromkeys(long["judge"]))
    drawn = disagreement_chart(long, judges, dict.fromkeys(judges, 0.3), theme, narrow=narrow)
    assert draw(canvas, drawn, WIDTH[narrow]) == []


def test_nothing_to_draw_is_said() -> None:
    assert "no disagreement" in disagreement_chart(table().iloc[:0], [], {}, LIGHT).layout.meta["alt"]
