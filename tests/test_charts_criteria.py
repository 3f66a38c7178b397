"""Charts of criteria: order, what is within noise, the line, awkward names, nothing to draw, no overlaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from canvas import draw

from charts.criteria import criteria_chart, criterion_agreement_chart
from charts.rows import WIDTH
from charts.theme import DARK, LIGHT, Theme

LONG = [f"Is the answer no. {k:02} correct in every way that a reader could check" for k in range(20)] + [
    "<b onload=x>&amp;</b> $x^2$ " + "n" * 60, "模型名称很长的例子用于测试宽度的显示效果好不好呀再长一点点",
]  # fmt: skip
JUDGES = ("people", "<i>Judge</i> of-forty-characters-W-W-W-W-W-W-")


def weights(criteria: list[str], judges: tuple[str, str] = ("people", "owl")) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    for judge in judges:
        for k, name in enumerate(["first_position", *criteria]):
            weight, half = (-1) ** k * (k + 1) / 4, rng.lognormal(-1, 0.6)
            rows.append({"judge": judge, "criterion": name, "weight": weight, "lower": weight - half,
                         "upper": weight + half, "effect": 70.0, "effect_lower": 60.0, "effect_upper": 80.0,
                         "q": 0.5 if k == 1 else 0.01, "judgments": 120})  # fmt: skip
    return pd.DataFrame(rows)


def agreed(criteria: list[str], judge: str = "owl") -> pd.DataFrame:
    share = np.linspace(0.9, 0.4, len(criteria) + 1)
    return pd.DataFrame({"judge": judge, "criterion": ["overall", *criteria], "agreement": share,
                         "lower": share - 0.1, "upper": share + 0.1, "comparisons": 120})  # fmt: skip


def marks_of(figure: Any) -> list[tuple[str, bool]]:
    return [(str(at[0]), trace.marker.color in (LIGHT.background,))
            for trace in figure.data if trace.customdata is not None for at in trace.customdata]  # fmt: skip


def test_the_largest_weight_is_first_and_noise_is_hollow() -> None:
    figure = criteria_chart(weights(["clear", "correct"]), ("people", "owl"), LIGHT)
    assert list(figure.layout.yaxis.ticktext) == ["correct", "clear"]
    assert sorted(marks_of(figure)) == sorted([("clear", True), ("correct", False)] * 2)


def test_least_agreement_first_beside_that_on_the_whole() -> None:
    figure = criterion_agreement_chart(agreed(["clear", "correct"]), "owl", "overall", LIGHT)
    assert list(figure.layout.yaxis.ticktext) == ["correct", "clear"]
    assert figure.layout.shapes[-1].x0 == pytest.approx(0.9)
    alone = criterion_agreement_chart(agreed(["clear"]).iloc[1:], "owl", "overall", LIGHT)
    assert alone.layout.shapes[-1].x0 == 0.5


def test_nothing_to_draw_is_said() -> None:
    figure = criteria_chart(weights([]), ("people", "owl"), LIGHT)
    assert "cannot be told" in figure.layout.annotations[0].text.replace("<br>", " ")


@pytest.mark.browser
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("narrow", [False, True])
def test_nothing_overlaps(canvas: Any, theme: Theme, narrow: bool) -> None:
    for most in (None, 15):
        drawn = criteria_chart(weights(LONG, JUDGES), JUDGES, theme, most=most, narrow=narrow)
        assert draw(canvas, drawn, WIDTH[narrow]) == []
    drawn = criterion_agreement_chart(agreed(LONG, JUDGES[1]), JUDGES[1], "overall", theme, narrow=narrow)
    assert draw(canvas, drawn, WIDTH[narrow]) == []
