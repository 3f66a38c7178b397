"""The chart of win rates: one mark or two, the 50 line, what is absent, and nothing that overlaps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from canvas import draw

from charts.rows import WIDTH
from charts.theme import DARK, LIGHT, PRINT, Mark, Theme
from charts.winrate import winrate_chart

MARK = Mark("#C8501E", "square")
THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=lambda one: one.name)
NARROW = pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
NAMES = ["a-model-with-a-very-long-name-that-never-ends-70B-instruct-v2", "模型一号非常长的名字在这里", "<b>bold</b>", "m & m"]


def winrates(n: int = 4, controlled: bool = True, names: list[str] | None = None) -> pd.DataFrame:
    rate = np.linspace(70, 4, n)
    table = pd.DataFrame({"model": names or [f"m{k}" for k in range(n)], "win_rate": rate, "lower": rate - 3, "upper": rate + 3, "judgments": 805})
    if controlled:
        table = table.assign(lc_win_rate=rate + 5, lc_lower=rate + 1, lc_upper=rate + 9, length_coefficient=1.2)
    return table


def marks(figure) -> dict[str, object]:
    return {t.name: t for t in figure.data if t.mode == "markers"}


@THEMES
@NARROW
def test_both_rates_stand_in_each_row(theme: Theme, narrow: bool) -> None:
    figure = winrate_chart(winrates(), "base", theme, MARK, narrow=narrow)
    found = marks(figure)
    assert set(found) == {"as judged", "at equal length"}
    assert list(found["as judged"].x) == pytest.approx([70, 48, 26, 4])
    assert list(found["at equal length"].x) == pytest.approx([75, 53, 31, 9])
    assert found["at equal length"].customdata[2][0] == "m2"
    assert 50 in [s.x0 for s in figure.layout.shapes if s.type == "line"]


def test_without_control_the_plain_rate_is_alone() -> None:
    figure = winrate_chart(winrates(controlled=False), "base", LIGHT, MARK)
    assert set(marks(figure)) == {"as judged"}
    assert "as judged." in figure.layout.meta["alt"]


def test_what_is_absent_is_a_dash_and_has_no_line() -> None:
    table = winrates()
    for name in ("lc_win_rate", "lc_lower", "lc_upper", "length_coefficient"):
        table[name] = pd.array([pd.NA, *table[name][1:]], dtype="Float64")
    figure = winrate_chart(table, "base", LIGHT, MARK)
    assert "–" in [a.text for a in figure.layout.annotations]
    assert "nan" not in figure.to_json().lower()


def test_nobody_is_a_sentence_and_the_rest_is_counted() -> None:
    assert winrate_chart(winrates().head(0), "base", LIGHT, MARK).layout.annotations[0].text.startswith("No model was held against base")
    figure = winrate_chart(winrates(30), "base", LIGHT, MARK, most=5)
    assert "The first 5 models; 25 more are not shown." in " ".join(a.text.replace("<br>", " ") for a in figure.layout.annotations)
    assert figure.layout.meta["alt"].startswith("Win rates of 30 models against base in percent")


@pytest.mark.browser
@pytest.mark.every(2, "theme", "narrow", "shape")
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda one: one.name)
@NARROW
@pytest.mark.parametrize("shape", ["usual", "long names", "one model"])
def test_nothing_overlaps(canvas, theme: Theme, narrow: bool, shape: str) -> None:
    table = {"usual": winrates(), "long names": winrates(names=NAMES), "one model": winrates(1)}[shape]
    baseline = NAMES[0] if shape == "long names" else "base"
    assert draw(canvas, winrate_chart(table, baseline, theme, MARK, narrow=narrow), WIDTH[narrow]) == []
