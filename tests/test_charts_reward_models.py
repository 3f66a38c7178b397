"""Charts of scores: order, strokes of scenarios, bands of labels, awkward names, nothing to draw, no overlaps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from canvas import draw

from charts.reward_models import accuracy_chart, bands_chart
from charts.rows import WIDTH
from charts.theme import DARK, LIGHT, Theme

LONG = [f"reward-model-of-some-house-with-a-long-name-{k:02}b" for k in range(20)] + [
    "<b onload=x>&amp;</b> $x^2$ " + "n" * 60, "模型名称很长的例子用于测试宽度的显示效果好不好呀再长一点点",
]  # fmt: skip


def tables(judges: list[str], scenarios: list[str], apart: bool = True) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(0)
    rows = [
        {"judge": judge, "scenario": name, "in_distribution": name == scenarios[0] if apart else None,
         "accuracy": share, "lower": share - 0.1, "upper": share + 0.1, "comparisons": 40}
        for judge in judges for name in scenarios for share in [rng.uniform(0.3, 0.9)]
    ]  # fmt: skip
    each = pd.DataFrame(rows, columns=["judge", "scenario", "in_distribution", "accuracy", "lower", "upper",
                                       "comparisons"])  # fmt: skip
    macro = each.groupby("judge", sort=False)["accuracy"].mean() if rows else pd.Series(dtype=float)
    values = [float(macro[judge]) if rows else 0.5 + k / 10 for k, judge in enumerate(judges)]
    whole = pd.DataFrame({"judge": judges, "accuracy": values, "lower": np.array(values) - 0.1,
                          "upper": np.array(values) + 0.1, "pairs": 120})  # fmt: skip
    for name, column in (("macro", "accuracy"), ("macro_lower", "lower"), ("macro_upper", "upper")):
        whole[name] = whole[column] if rows else np.nan
    return whole, each


def labelled(judge: str) -> pd.DataFrame:
    return pd.DataFrame({"judge": judge, "band": ["flip", "ambiguous", "clean"], "agreement": [0.2, 0.5, 0.9],
                         "lower": [0.1, 0.4, 0.8], "upper": [0.3, 0.6, 0.95], "comparisons": 24})  # fmt: skip


def test_the_best_is_first_and_each_scenario_has_a_stroke() -> None:
    judges, each = tables(["one", "two"], ["code", "poem", "maths"])
    figure = accuracy_chart(judges, each, LIGHT)
    best = judges.sort_values("macro", ascending=False)["judge"].tolist()
    assert list(figure.layout.yaxis.ticktext) == best
    strokes = [trace for trace in figure.data if trace.name == "scenarios"]
    # In distribution half as high as the others.
    assert sorted((trace.marker.size, len(trace.x)) for trace in strokes) == [(10, 2), (20, 4)]
    at = {tuple(where): x for trace in strokes for where, x in zip(trace.customdata, trace.x, strict=True)}
    wanted = {(r["judge"], r["scenario"]): r["accuracy"] for r in each.to_dict("records")}
    assert at == pytest.approx(wanted)
    assert "tall ones out of distribution" in figure.layout.annotations[0].text.replace("<br>", " ")
    plain = accuracy_chart(*tables(["one"], ["code", "poem"], apart=False), LIGHT)
    assert {trace.marker.size for trace in plain.data if trace.name == "scenarios"} == {10}


def test_without_scenarios_all_pairs_are_drawn() -> None:
    figure = accuracy_chart(*tables(["one", "two"], []), LIGHT, most=1)
    assert list(figure.layout.yaxis.ticktext) == ["two"]
    assert "The first 1 of 2 judges." in figure.layout.annotations[0].text.replace("<br>", " ")
    [mark] = [trace for trace in figure.data if trace.customdata is not None]
    assert list(mark.customdata[0]) == ["two", ""]
    nothing = accuracy_chart(tables(["one"], [])[0].iloc[:0], tables(["one"], [])[1], LIGHT)
    assert "No score" in nothing.layout.annotations[0].text


def test_bands_stand_in_their_order() -> None:
    figure = bands_chart(labelled("owl"), ("owl",), LIGHT)
    assert list(figure.layout.yaxis.ticktext) == ["flip", "ambiguous", "clean"]
    assert "No other judge" in bands_chart(labelled("owl"), ("else",), LIGHT).layout.annotations[0].text


@pytest.mark.browser
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("narrow", [False, True])
def test_nothing_overlaps(canvas: Any, theme: Theme, narrow: bool) -> None:
    judges, each = tables(LONG, ["code", "poem", "maths"])
    for most in (None, 15):
        drawn = accuracy_chart(judges, each, theme, most=most, narrow=narrow)
        assert draw(canvas, drawn, WIDTH[narrow]) == []
    for judge in (LONG[-1], LONG[-2]):
        assert draw(canvas, bands_chart(labelled(judge), (judge,), theme, narrow=narrow), WIDTH[narrow]) == []
