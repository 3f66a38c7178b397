"""Charts of pooled, shared and group-wise weights: what they show, and whether their texts keep apart in a browser."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from canvas import draw
from toy import spaced

from charts.groups import agreement_chart, group_chart, group_marks
from charts.hierarchical import hierarchical_chart
from charts.pooled import one_factor_chart, pooled_chart
from charts.rows import WIDTH
from charts.theme import DARK, LIGHT, PRINT, Mark
from ui.sections.groups import finding as group_finding
from ui.sections.hierarchical import finding as shared_finding
from ui.sections.pooled import finding as pooled_finding

MARK = Mark("#C8501E", "square")
LONG = [f"{head} no. {k:02}" for k in range(9) for head in ("Share of sentences that hold a hedge", "模型名称很长的例子用于测试")]
FACTORS = {False: ["words", "lists", "hedges"], True: LONG}
PLACES = {False: ["code", "advice"], True: [f"a scenario with a rather long name, {k}" for k in range(12)]}


def tables(long: bool = False) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(0)
    factors, places = FACTORS[long], PLACES[long]
    grid = [(s, f) for s in places for f in factors]
    value = rng.normal(0, 0.4, len(grid))
    weights = pd.DataFrame(grid, columns=["scenario", "factor"]).assign(
        weight=value, lower=value - 0.3, upper=value + 0.3, pooled=value / 2, pooled_lower=value / 2 - 0.1,
        pooled_upper=value / 2 + 0.1, pairs=1_200, prompts=38, own=np.where(rng.random(len(grid)) < 0.3, 0.1, 0.0),
        importance=25 * value, judgments=2_000,
    )  # fmt: skip
    n = len(factors)
    spread = pd.DataFrame({
        "factor": factors, "mean": 0.2, "mean_lower": 0.1, "mean_upper": 0.3, "tau": 0.1, "lower": 0.01, "upper": 0.3,
        "q": np.linspace(0.001, 0.9, n), "p": np.linspace(0.001, 0.9, n), "same_sign": len(places),
        "scenarios": len(places),
    })  # fmt: skip
    shared = pd.DataFrame({
        "factor": factors, "shared": np.linspace(0.4, 0.0, n), "importance": 50 * np.linspace(0.4, 0.0, n),
        "found_in": 2, "own_in": 1, "lowest": 0.0, "highest": np.linspace(0.5, 0.0, n), "scenarios": len(places),
    })  # fmt: skip
    groups = weights.rename(columns={"scenario": "group"})
    share = np.linspace(0.55, 0.8, len(places))
    agreement = pd.DataFrame({
        "group": places, "agreement": share, "lower": share - 0.05, "upper": share + 0.05,
        "simultaneous_lower": share - 0.08, "simultaneous_upper": share + 0.08, "pooled": 0.7, "p_lower": 0.01,
        "n": 1_234, "clusters": 60,
    })  # fmt: skip
    return {"weights": weights, "spread": spread, "shared": shared, "groups": groups, "agreement": agreement}


DRAWN = {
    "pooled": lambda t, theme, narrow: pooled_chart(t["weights"], t["spread"], theme, MARK, most=99, narrow=narrow),
    "one": lambda t, theme, narrow: one_factor_chart(
        t["weights"][t["weights"]["factor"] == t["weights"]["factor"].iloc[0]], theme, MARK, narrow=narrow
    ),
    "shared": lambda t, theme, narrow: hierarchical_chart(
        t["shared"], t["weights"], theme, MARK, most=99, narrow=narrow
    ),
    "groups": lambda t, theme, narrow: group_chart(t["groups"], t["spread"], theme, most=99, narrow=narrow),
    "agreement": lambda t, theme, narrow: agreement_chart(t["agreement"], "robot", "people", theme, narrow=narrow),
}


def said(figure: go.Figure) -> str:
    return " ".join(str(a.text) for a in figure.layout.annotations).replace("<br>", " ")


@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=lambda t: t.name)
def test_each_chart_has_a_row_a_thing_and_a_text_in_its_place(kind, theme):
    drawn = DRAWN[kind](tables(), theme, False)
    assert len(drawn.layout.yaxis.ticktext) == (3 if kind in ("pooled", "groups") else 2)
    assert drawn.layout.meta["alt"]


def test_filled_where_scenarios_differ_and_every_scenario_twice():
    drawn = DRAWN["pooled"](tables(), LIGHT, False)
    marks = [trace for trace in drawn.data if trace.hoverinfo == "text"]
    assert sum(len(trace.x) for trace in marks) == 2 * 6
    # One factor of three is beyond noise: its two scenarios in the judge's colour.
    filled = [trace for trace in marks if trace.marker.color == MARK.colour and trace.marker.symbol == "square"]
    assert [len(trace.x) for trace in filled] == [2]
    assert {tuple(one) for one in filled[0].customdata} == {("words", "code"), ("words", "advice")}


def test_a_scenario_without_a_raw_weight_is_not_drawn_as_if_it_had_one():
    t = tables()
    t["weights"].loc[0, "weight"] = np.nan
    drawn = DRAWN["pooled"](t, LIGHT, False)
    assert sum(len(trace.x) for trace in drawn.data if trace.hoverinfo == "text") == 2 * 5


def test_what_is_needed_nowhere_is_counted():
    t = tables()
    t["weights"]["own"] = 0.0
    drawn = DRAWN["shared"](t, LIGHT, False)
    assert "1 factor more is needed nowhere" in said(drawn)
    t["shared"][["shared", "lowest", "highest"]] = 0.0
    assert "nothing is predicted" in said(DRAWN["shared"](t, LIGHT, False))


def test_groups_are_told_apart_by_more_than_colour():
    marks = group_marks([f"g{k}" for k in range(20)], LIGHT)
    assert len({(one.colour, one.symbol) for one in marks.values()}) == 20


def plain(text: str) -> str:
    return spaced(text.replace("\\", ""))


def test_findings_in_words():
    t = tables()
    names = {f: f for f in FACTORS[False]}
    text = plain(pooled_finding(t["spread"], "people", names, gap=False, scenarios=2))
    assert text.startswith("**People's weight depends on the scenario in words (sd .10).**")
    assert "same sign in every scenario" in text
    text = plain(pooled_finding(t["spread"].assign(q=0.5), "gpt", names, gap=True, scenarios=2))
    assert text.startswith("**In none of 3 factors does the net gap of gpt change between 2 scenarios beyond noise.**")
    held = pd.DataFrame({
        "where": "scenario left out", "model": ["shared weights", "one for all scenarios", "nothing"],
        "accuracy": [0.66, 0.6, 0.5], "gain_lower": [np.nan, 0.02, 0.1], "gain_upper": [np.nan, 0.1, 0.2],
    })  # fmt: skip
    text = plain(shared_finding("gpt", t["shared"], held, names))
    assert "share 2 factors of what moves gpt" in text
    assert "66 % of its verdicts right, more than one set of plain weights" in text
    text = plain(group_finding(t["spread"], t["agreement"], "people", ["people", "gpt"], "annotator.age", names))
    assert text.startswith("**People: words weighs differently by annotator.age, beyond noise.**")
    assert "gpt agrees least in code, with 55 % [47 %, 63 %] of the votes, beyond noise below the others" in text


@pytest.mark.browser
@pytest.mark.every(2, "kind", "long", "narrow")
@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.parametrize("long", [False, True])
@pytest.mark.parametrize("narrow", [False, True])
def test_texts_keep_apart(canvas, kind, long, narrow):
    drawn = DRAWN[kind](tables(long), LIGHT, narrow)
    assert draw(canvas, drawn, WIDTH[narrow]) == []
