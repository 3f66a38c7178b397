"""Does a real browser find texts of charts that overlap or leave the figure, at any width, length and theme?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from canvas import draw, print_out

from charts.coverage import coverage_chart
from charts.flips import flip_chart
from charts.gaps import gap_chart
from charts.ranking import ranking_chart
from charts.rows import WIDTH
from charts.slope import slope_chart
from charts.theme import DARK, LIGHT, PRINT, Theme
from scripts.look import complaints

pytestmark = pytest.mark.browser

SHORT = [f"m{k}" for k in range(12)]
LONG = [
    pattern.format(k)
    for k in range(12)
    for pattern in (
        "organisation/long-model-name-{:02}-preview-v", "A Model With Several Words In It, No. {:02}",
        "{:02}_" + "abcdefghij" * 4, "模型名称很长的例子第{:02}号用于测试宽度的显示效果好不好呀再长一点点",
        "WWWWMMMM{:02}" + "WWWWMMMM" * 4,
    )
][:59]  # fmt: skip
JUDGES = {
    False: ["crowd", "gpt-4", "gpt-3"],
    True: ["people " + "x" * 33, "A-Judge-Of-Forty-Characters-W-W-W-W-W-W-", "判断" * 20],
}


def tables(names: list[str], judges: list[str]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """models, ranking, flips and coverage as the studies make them, with intervals of very unequal length."""
    rng = np.random.default_rng(0)
    n = len(names)
    strength = np.sort(rng.normal(0, 1, n))[::-1]
    gap = rng.normal(0, 0.7, n)
    half = rng.lognormal(-1, 0.8, n)
    models = pd.DataFrame(
        {
            "judge": judges[1], "model": names, "strength_ref": strength, "strength_judge": strength + gap,
            "gap_scaled": gap, "scaled_lower": gap - half, "scaled_upper": gap + half,
            "scaled_q": np.where(np.abs(gap) > half, 0.01, 0.5),
        }
    )  # fmt: skip
    parts = []
    for judge in judges:
        own = strength + rng.normal(0, 0.7, n)
        rank = pd.Series(-own).rank().astype(int)
        part = pd.DataFrame({"judge": judge, "model": names, "strength": own, "lower": own - half, "upper": own + half})
        parts.append(part.assign(rank=rank, rank_lower=(rank - 20).clip(1), rank_upper=(rank + 20).clip(upper=n)))
    two = [names[k % n] for k in range(20)], [names[(k + 3) % n] for k in range(20)]
    flips = pd.DataFrame(
        {"judge": [judges[1 + k % 2] for k in range(20)], "model_1": two[0], "model_2": two[1]}
    ).assign(p_flip=np.linspace(1, 0.5, 20), pairs=4)  # fmt: skip
    scenarios = ["", *(f"{name[:24]} scenario" for name in names[:15])]
    cover = pd.DataFrame([(j, s, int(rng.integers(0, 9999))) for j in judges for s in scenarios])
    return (
        models,
        pd.concat(parts, ignore_index=True),
        flips,
        cover.set_axis(["judge", "scenario", "judgments"], axis=1),
    )


KINDS: dict[str, Callable[..., go.Figure]] = {
    "slope": lambda t, j, theme, narrow: slope_chart(
        t[0], j[0], j[1], theme, humans=j[:1], most=59, narrow=narrow, ranking=t[1]
    ),
    "gap": lambda t, j, theme, narrow: gap_chart(
        t[0], j[0], j[1], theme, humans=j[:1], most=59, narrow=narrow, ranking=t[1]
    ),
    "ranking": lambda t, j, theme, narrow: ranking_chart(t[1], theme, humans=j[:1], most=59, narrow=narrow),
    "ranking of one": lambda t, j, theme, narrow: ranking_chart(
        t[1][t[1]["judge"] == j[0]], theme, humans=j[:1], most=59, narrow=narrow
    ),
    "flips": lambda t, j, theme, narrow: flip_chart(t[2], theme, narrow=narrow),
    "coverage": lambda t, j, theme, narrow: coverage_chart(t[3], theme, narrow=narrow),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("names", "long"), [(SHORT, False), (LONG, True)], ids=["12 short", "59 long"])
def test_no_text_overlaps_or_leaves_its_figure(canvas: Any, kind: str, names: list[str], long: bool) -> None:
    judges = JUDGES[long]
    made = tables(names, judges)
    wrong = []
    for theme, narrow, width in (
        (LIGHT, False, 1240), (LIGHT, False, 850), (DARK, False, WIDTH[False]), (DARK, True, 358),
        (LIGHT, True, WIDTH[True]), (PRINT, False, 658), (PRINT, True, 317),
    ):  # fmt: skip
        found = draw(canvas, KINDS[kind](made, judges, theme, narrow), width)
        wrong += [f"{theme.name} {width}: {one}" for one in found]
    assert not wrong, "\n".join(wrong[:20])


FORTY = [pattern.format(k)[:40].ljust(40, "x") for k in range(10) for pattern in (
    "organisation/{:02}-long-model-name-preview-v2-instruct", "A Model With Several Words In It, No. {:02}",
    "{:02}_WWWW_snake_case_name_128K_2026_01_05_xy",
)]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_on_paper_thirty_names_of_forty_letters_are_whole_and_apart(canvas: Any, kind: str) -> None:
    judges = ["People of the crowd-sourcing platform, 26", "Judge-Model-02-72B-Instruct-2026-Preview", "gpt-3"]
    made = tables(FORTY, judges)
    wrong = [
        f"{mm} mm: {one}" for mm in (84, 174)
        for one in print_out(canvas, lambda theme, narrow: KINDS[kind](made, judges, theme, narrow), mm)
    ]  # fmt: skip
    assert not wrong, "\n".join(wrong[:20])


def test_the_checker_finds_what_is_wrong(canvas: Any) -> None:
    figure = go.Figure(go.Scatter(x=[0, 1], y=[0, 1], mode="markers"))
    figure.update_layout(margin={"l": 40, "r": 10, "t": 10, "b": 40}, height=300)
    assert draw(canvas, figure, 600) == []
    place = {"showarrow": False, "xref": "paper", "yref": "paper"}
    figure.add_annotation(text="one sentence", x=0.5, y=0.5, **place)
    figure.add_annotation(text="another", x=0.5, y=0.52, **place)
    figure.add_annotation(text="far out on the right", x=1, y=0.2, xanchor="left", **place)
    found = draw(canvas, figure, 600)
    assert len(found) == 2
    assert any('"one sentence" overlaps "another"' in one or '"another" overlaps' in one for one in found)
    assert any('"far out on the right" leaves the figure on the right' in one for one in found)


def test_the_checker_sees_a_page_that_scrolls_sideways(canvas: Any) -> None:
    empty: Theme = LIGHT
    draw(canvas, coverage_chart(pd.DataFrame(columns=["judge", "scenario", "judgments"]), empty), 400)
    canvas.evaluate("() => { const d = document.createElement('div'); d.id = 'wide'; d.style.width = '900px';"
                  "d.style.height = '1px'; document.body.append(d); }")  # fmt: skip
    try:
        assert complaints(canvas) == ["the page scrolls sideways by 500 px"]
    finally:
        canvas.evaluate("() => document.getElementById('wide').remove()")
    assert complaints(canvas) == []


def test_a_click_on_a_mark_tells_its_model(canvas: Any) -> None:
    models, ranking, *_ = tables(SHORT, JUDGES[False])
    figure = slope_chart(models, "crowd", "gpt-4", LIGHT, humans=["crowd"], ranking=ranking)
    assert draw(canvas, figure, 850) == []
    canvas.evaluate(
        "() => { window.clicked = null;"
        " document.getElementById('c').on('plotly_click', e => { window.clicked = e.points[0].customdata; }); }"
    )
    place = canvas.evaluate(
        "() => { const p = document.querySelectorAll('.point'); const b = p[0].getBoundingClientRect();"
        " return [b.x + b.width / 2, b.y + b.height / 2]; }"
    )
    canvas.mouse.move(*place)
    canvas.wait_for_timeout(150)
    canvas.mouse.click(*place)
    canvas.wait_for_timeout(300)
    clicked = canvas.evaluate("() => window.clicked")
    assert clicked is not None
    assert clicked[0] in SHORT
