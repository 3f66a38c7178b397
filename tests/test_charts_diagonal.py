"""Reliability diagrams and shares against shares: dots where they belong, the diagonal, panels, what is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from canvas import draw

from analysis import calibration
from charts.reliability import BINS, reliability_chart
from charts.rows import WIDTH
from charts.shares import shares_chart
from charts.theme import DARK, LIGHT, PRINT, Theme
from ui.sections import calibrated, kept_shares

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=lambda one: one.name)
NARROW = pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])


def bins(*judges: str, lowest: float = 0.42) -> pd.DataFrame:
    rows = [
        {"judge": judge, "bins": n, "low": low, "high": low + 0.5 / n, "sureness": low + 0.2 / n,
         "right": 0.5 + 0.6 * (low - 0.5), "lower": max(lowest, low - 0.1), "upper": min(1.0, low + 0.1),
         "comparisons": 100 * (k + 1), "clusters": 30}
        for judge in judges for n in (5, 10, 20) for k, low in enumerate(np.linspace(0.5, 1, n, endpoint=False))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def by_share(*judges: str) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"judge": judge, "low": low, "high": low + 0.1, "people": low + 0.05, "judge_mean": low, "lower": low - 0.04,
             "upper": None if low > 0.85 else low + 0.04, "pairs": 10}
            for judge in judges for low in (0.5, 0.6, 0.9)
        ]
    )  # fmt: skip


def dots(figure: go.Figure) -> list[go.Scatter]:
    return [trace for trace in figure.data if trace.customdata is not None]


def notes(figure: go.Figure) -> str:
    return " ".join(str(a.text).replace("<br>", " ") for a in figure.layout.annotations)


def test_the_bins_are_those_that_are_computed() -> None:
    assert BINS == calibration.BINS


def test_dots_lie_where_the_bins_say() -> None:
    figure = reliability_chart(bins("gpt"), ["gpt"], 5, LIGHT)
    [found] = dots(figure)
    np.testing.assert_allclose(found.x, [54, 64, 74, 84, 94])
    np.testing.assert_allclose(found.y, [50, 56, 62, 68, 74])
    # Areas go by the number of comparisons.
    size = np.asarray(found.marker.size)
    assert (size[1:] > size[:-1]).all()
    [line] = [shape for shape in figure.layout.shapes if shape.line.dash == "dash"]
    assert (line.x0, line.x1) == (line.y0, line.y1)
    assert "sure from 50 % to 60 %" in found.hovertext[0]
    assert figure.layout.xaxis.range[0] < 50
    assert reliability_chart(bins("gpt"), ["gpt"], 5, LIGHT, confidence=True).layout.xaxis.range[0] < 0


def test_the_axis_reaches_to_the_lowest_interval() -> None:
    low, _ = reliability_chart(bins("gpt", lowest=0.13), ["gpt"], 5, LIGHT).layout.yaxis.range
    assert low <= 40
    low, _ = shares_chart(by_share("gpt"), ["gpt"], LIGHT).layout.yaxis.range
    assert low <= 46


def test_a_panel_a_judge_in_the_order_asked() -> None:
    judges = [f"j{k}" for k in range(5)]
    figure = reliability_chart(bins(*judges), judges[::-1], 10, LIGHT, errors={"j4": 0.14}, more=60)
    assert [trace.name for trace in dots(figure)] == judges[::-1]
    assert "error .14" in notes(figure)
    assert "5 of 65 judges" in notes(figure)
    # Three side by side; only the left ones have ticks that go up.
    assert [figure.layout[f"yaxis{k}"].showticklabels for k in ("", 2, 3, 4)] == [True, False, False, True]


def test_an_interval_without_an_end_is_not_drawn() -> None:
    figure = shares_chart(by_share("gpt"), ["gpt"], LIGHT)
    [lines] = [trace for trace in figure.data if trace.customdata is None]
    assert len([x for x in lines.x if x is not None]) == 2 * 2
    assert dots(figure)[0].mode == "lines+markers"


def test_nothing_to_draw_is_said() -> None:
    assert "No judge" in reliability_chart(bins("gpt"), [], 5, LIGHT).layout.meta["alt"]


def test_what_sections_say() -> None:
    row = {
        "judge": "gpt_1", "slope_binomial": None, "slope": 2.0, "slope_lower": 1.5, "slope_upper": 2.5, "parting_judge": 0.2,
        "parting_people": 0.41, "parting_difference_lower": -0.3, "parting_difference_upper": -0.1, "kind": "labels",
        # Fewer labels look more of one mind than as many votes: entropies say nothing of it.
        "entropy_judge": 0.3, "entropy_people": 0.6, "entropy_difference_lower": -0.4, "entropy_difference_upper": -0.2,
    }  # fmt: skip
    assert "more extreme than people: its log-odds are 2.00 [1.50, 2.50] times theirs" in kept_shares.finding(row, "people")
    assert "less extreme" in kept_shares.finding(row | {"slope_lower": 0.2, "slope_upper": 0.5}, "people")
    assert "Nothing shows" in kept_shares.finding(row | {"slope_lower": 0.9}, "people")
    few = {"slope_binomial": 1.2, "slope_binomial_lower": 0.9, "slope_binomial_upper": 1.5}
    assert "Nothing shows that gpt\\_1" in kept_shares.finding(row | few, "people")
    gone = row | {"slope": None, "slope_lower": None, "slope_upper": None}
    parts = "two votes of people part on 41 % of these pairs, two of gpt\\_1 on 20 %"
    assert kept_shares.finding(gone, "people") == f"**gpt\\_1 is more of one mind than people: {parts}.**"
    assert parts in kept_shares.finding(row, "people")
    assert "two by the preferences of gpt" in kept_shares.finding(gone | {"kind": "preferences"}, "people")
    more = {"parting_difference_lower": 0.1, "parting_difference_upper": 0.2}
    assert "more divided" in kept_shares.finding(gone | more, "people")
    assert "as far as can be told" in kept_shares.finding(gone | {"parting_difference_upper": 0.1}, "people")
    word = {"temperature": 2.0, "temperature_lower": 1.8, "temperature_upper": 2.2, "log_loss": 0.7,
            "log_loss_scaled": 0.6, "brier_scaled": 0.2, "clustering": "prompt"}  # fmt: skip
    assert "temperature of 2.00 [1.80, 2.20] would bring log loss from .70 to .60" in calibrated.scaled(word)
    assert calibrated.scaled(word | {"temperature": None}) == ""


@pytest.mark.browser
@THEMES
@NARROW
def test_nothing_overlaps(canvas, theme: Theme, narrow: bool) -> None:
    for judges in (["gpt"], ["gpt", "a-judge-with-a-rather-long-name-2024-05"], [f"judge-number-{k}" for k in range(7)]):
        heads = dict.fromkeys(judges, "extremity 2.00 [1.50, 2.50]")
        for figure in (
            reliability_chart(bins(*judges), judges, 20, theme, errors=dict.fromkeys(judges, 0.1), narrow=narrow),
            shares_chart(by_share(*judges), judges, theme, heads=heads, narrow=narrow, more=50),
        ):
            assert draw(canvas, figure, WIDTH[narrow]) == []
