"""The charts of factors: order, what counts as beyond noise, widths, themes, awkward names, nothing to draw, no overlaps."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from canvas import draw

from charts.factor_gaps import LOG_ODDS, POINTS, factor_gap_chart
from charts.factor_scenarios import factor_scenario_chart
from charts.rows import WIDTH
from charts.strengths import strength_chart
from charts.theme import DARK, LIGHT, PRINT, Theme
from charts.variants import SYMBOLS, variants_chart
from charts.weights import weight_chart
from ui.sections.by_scenario import finding

VARIANTS = ("all answers", "without empty texts", "model strengths held equal", "both")
HOSTILE = "<b onload=x>&amp;</b> $x^2$ `code` " + "n" * 60
LONG = [
    pattern.format(k)
    for k in range(10)
    for pattern in (
        "Share of sentences that hold a hedge, no. {:02}", "annotator_{:02}_" + "abcdefghij" * 5, HOSTILE + "{}",
        "模型名称很长的例子第{:02}号用于测试宽度的显示效果好不好呀再长一点点",
    )
]  # fmt: skip
JUDGES = {False: ("people", "gpt-4"), True: ("people " + "x" * 33, "<i>Judge</i> Of-Forty-Characters-W-W-W-W-W-W-")}
SCENARIOS = {False: ["code", "advice"], True: [f"a scenario with a long name, {k}" for k in range(9)]}


def tables(factors: list[str], judges: tuple[str, str], scenarios: list[str], scaled: bool = True) -> dict[str, pd.DataFrame]:
    """What the studies give, with intervals of very unequal length; the position in the first row."""
    rng = np.random.default_rng(0)
    names = ["first_position", *factors]
    n = len(names)
    ref, gap, half = rng.normal(0, 0.5, n), rng.normal(0, 0.6, n), rng.lognormal(-1.4, 0.8, n)
    q = np.where(np.abs(gap) > half, 0.01, 0.5)
    absent = pd.array([pd.NA] * n, dtype="Float64")
    columns: dict[str, Any] = {
        "judge": judges[1], "factor": names, "weight_ref": ref, "ref_lower": ref - half, "ref_upper": ref + half,
        "weight_judge": ref + gap, "judge_lower": ref + gap - half, "judge_upper": ref + gap + half, "gap": gap,
        "lower": gap - half, "upper": gap + half, "p": q, "q": np.r_[np.nan, q[1:]],
    }  # fmt: skip
    for name, value in {"gap_scaled": gap, "scaled_lower": gap - half, "scaled_upper": gap + half, "scaled_p": q,
                        "scaled_q": np.r_[np.nan, q[1:]]}.items():  # fmt: skip
        columns[name] = value if scaled else absent
    gaps = pd.DataFrame(columns)
    weights = pd.DataFrame({"judge": judges[0], "factor": names, "weight": ref, "lower": ref - half, "upper": ref + half,
                            "p": q, "q": np.r_[np.nan, q[1:]]})  # fmt: skip
    for name, column in (("effect", "weight"), ("effect_lower", "lower"), ("effect_upper", "upper")):
        weights[name] = 100 / (1 + np.exp(-weights[column]))
    by = pd.concat([gaps.assign(scenario=s, pairs=40, gap_scaled=gaps["gap_scaled"] * (-1) ** k)
                    for k, s in enumerate(scenarios)], ignore_index=True)  # fmt: skip
    ways = pd.concat([weights.assign(variant=v, weight=weights["weight"] + 0.1 * k) for k, v in enumerate(VARIANTS)],
                     ignore_index=True)  # fmt: skip
    strengths = pd.concat(
        [pd.DataFrame({"judge": j, "factor": factors, "strength": np.tanh(ref[1:]) * 0.6, "q": q[1:], "accuracy": 0.6,
                       "relevance": 0.7, "lower": np.tanh(ref[1:]) * 0.6 - 0.1, "upper": np.tanh(ref[1:]) * 0.6 + 0.1})
         for j in judges], ignore_index=True,
    )  # fmt: skip
    return {"gaps": gaps, "weights": weights, "scenarios": by, "variants": ways, "strengths": strengths}


Draw = Callable[[dict[str, pd.DataFrame], tuple[str, str], Theme, bool, str], go.Figure]
KINDS: dict[str, Draw] = {
    "gaps": lambda t, j, theme, narrow, unit: factor_gap_chart(
        t["gaps"], *j, theme, humans=j[:1], narrow=narrow, unit=unit
    ),
    "weights": lambda t, j, theme, narrow, unit: weight_chart(
        t["weights"], j[0], theme, humans=j[:1], narrow=narrow, unit=unit
    ),
    "scenarios": lambda t, j, theme, narrow, unit: factor_scenario_chart(
        t["scenarios"], *j, theme, narrow=narrow, unit=unit
    ),
    "variants": lambda t, j, theme, narrow, unit: variants_chart(
        t["variants"], VARIANTS, theme, columns=("weight", "lower", "upper"), title="weight", narrow=narrow,
        zero=50.0 if unit == POINTS else 0.0, unit=unit,
    ),
    "strengths": lambda t, j, theme, narrow, unit: strength_chart(
        t["strengths"], j, theme, humans=j[:1], most=20, narrow=narrow
    ),
}
ROWS = {"gaps": 4, "weights": 4, "scenarios": 4, "variants": 4, "strengths": 3}
SIZES = {"three": (["words", "lists", "hedges"], False), "one": (["words"], False), "forty awkward": (LONG, True)}


def ticks(figure: go.Figure) -> list[str]:
    return [str(t).replace("<br>", " ") for t in figure.layout.yaxis.ticktext]


def said(figure: go.Figure) -> str:
    return " ".join(str(a.text) for a in figure.layout.annotations).replace("<br>", " ")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("theme", "narrow"), [(LIGHT, False), (DARK, True), (PRINT, False)], ids=lambda v: str(getattr(v, "name", v)))
def test_each_is_drawn_and_told_in_words(kind: str, size: str, theme: Theme, narrow: bool) -> None:
    factors, long = SIZES[size]
    figure = KINDS[kind](tables(factors, JUDGES[long], SCENARIOS[long]), JUDGES[long], theme, narrow, LOG_ODDS)
    alt = figure.layout.meta["alt"]
    assert len(alt.split()) > 5
    assert "nan" not in alt.lower().split()
    if size == "three":
        assert len(ticks(figure)) == ROWS[kind]
        assert alt.endswith(".")
    # A name with markup stays a name.
    assert "<b onload" not in json.dumps(str(figure.to_json()))
    assert figure.layout.height >= 60


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("narrow", [False, True])
def test_nothing_to_draw_is_a_sentence(kind: str, narrow: bool) -> None:
    judges = JUDGES[False]
    empty = {name: table.iloc[:0] for name, table in tables(["words"], judges, ["code"]).items()}
    figure = KINDS[kind](empty, judges, LIGHT, narrow, POINTS)
    assert len(figure.layout.annotations) == 1
    assert len(figure.layout.meta["alt"].split()) > 4


def test_gaps_beyond_noise_first_then_by_size() -> None:
    table = tables(["a", "b", "c"], JUDGES[False], ["code"])["gaps"]
    table["gap_scaled"], table["scaled_q"], table["scaled_p"] = [0.1, -0.9, 0.3, 0.2], [np.nan, 0.4, 0.01, 0.02], [0.001, 0.3, 0.01, 0.02]
    figure = factor_gap_chart(table, "people", "gpt-4", LIGHT, unit=LOG_ODDS)
    # The shown order has no q, its own test counts.
    assert ticks(figure) == ["c", "b", "first_position", "a"] or ticks(figure) == ["b", "c", "first_position", "a"]
    inside = {t.name: [c[0] for c in t.customdata] for t in figure.data if t.name in ("beyond noise", "within noise")}
    assert inside["within noise"] == ["a"]
    assert sorted(inside["beyond noise"]) == ["b", "c", "first_position"]
    assert "Filled: beyond noise (q &lt; .05)" in said(figure)
    fewer = factor_gap_chart(table, "people", "gpt-4", LIGHT, most=2)
    assert len(ticks(fewer)) == 2
    assert "2 more are not shown" in said(fewer)


def test_without_a_scale_the_plain_gaps_are_drawn_and_said() -> None:
    judges = JUDGES[False]
    table = tables(["a", "b"], judges, ["code"], scaled=False)
    figure = factor_gap_chart(table["gaps"], *judges, LIGHT)
    assert "Decisiveness could not be taken out; these are plain gaps." in said(figure)
    assert "plain" in figure.layout.meta["alt"]
    matrix = factor_scenario_chart(table["scenarios"], *judges, LIGHT)
    assert "; plain gaps, because decisiveness is unknown in each scenario." in said(matrix)
    assert "net of decisiveness" not in said(matrix)
    both = tables(["a", "b"], judges, ["code", "maths"])["scenarios"]
    some = ["gap_scaled", "scaled_lower", "scaled_upper", "scaled_p", "scaled_q"]
    both.loc[both["scenario"] == "code", some] = None
    assert "Plain gaps, because decisiveness is unknown there: code." in said(factor_scenario_chart(both, *judges, LIGHT))


def test_scenarios_are_written_smaller_before_a_word_of_them_breaks() -> None:
    judges, eight = JUDGES[False], ["summarise", "translate", "code", "maths", "rewrite", "chat", "explain", "brainstorm"]
    drawn = factor_scenario_chart(tables(["Overlap with prompt"], judges, eight)["scenarios"], *judges, LIGHT)
    assert set(eight) >= set(drawn.layout.xaxis.ticktext) >= {"summarise", "translate"}
    assert drawn.layout.xaxis.tickfont.size >= LIGHT.small - 2
    few = factor_scenario_chart(tables(["a"], judges, ["code", "maths"])["scenarios"], *judges, LIGHT)
    assert few.layout.xaxis.tickfont.size == LIGHT.small


def test_units() -> None:
    judges = JUDGES[False]
    table = tables(["a", "b"], judges, ["code"])
    table["gaps"]["gap_scaled"] = [0.0, 1.0, -1.0]
    for unit, wanted in ((LOG_ODDS, {0.0, 1.0, -1.0}), (POINTS, {0.0, 23.106, -23.106})):
        figure = factor_gap_chart(table["gaps"], *judges, LIGHT, unit=unit)
        drawn = {round(float(x), 3) for t in figure.data if t.name in ("beyond noise", "within noise") for x in t.x}
        assert drawn == wanted
    points = weight_chart(table["weights"], judges[0], LIGHT)
    drawn = sorted(float(x) for t in points.data if t.customdata is not None for x in t.x)
    assert drawn == pytest.approx(sorted(table["weights"]["effect"]))


def test_cells_of_the_matrix() -> None:
    judges = JUDGES[False]
    table = tables(["a", "b"], judges, ["code", "advice"])["scenarios"]
    table = table[~((table["factor"] == "b") & (table["scenario"] == "advice"))].reset_index(drop=True)
    table["gap_scaled"], table["scaled_q"], table["scaled_p"] = [0.0, 2.0, -0.5, 0.1, -1.0], [np.nan, 0.01, 0.9, np.nan, 0.02], [0.9, 0.01, 0.9, 0.9, 0.02]
    figure = factor_scenario_chart(table, *judges, LIGHT, unit=LOG_ODDS)
    assert ticks(figure)[0] == "a"
    texts = [str(a.text) for a in figure.layout.annotations]
    assert "<b>+2.0</b>" in texts
    assert "<b>−1.0</b>" in texts
    assert "−.5" in texts
    assert texts.count("·") == 1
    filled = [s for s in figure.layout.shapes if s.type == "rect" and s.layer == "below" and s.opacity is not None and s.x0 == round(s.x0 + 0.47) - 0.47]
    assert {s.fillcolor for s in filled} >= {LIGHT.judges[0], LIGHT.people}
    assert "a in code (2.0)" in figure.layout.meta["alt"]


def test_the_sentence_says_what_the_matrix_shows() -> None:
    judges = JUDGES[False]
    table = tables(["a", "b"], judges, ["code", "advice"])["scenarios"]
    table["scaled_q"], table["scaled_p"] = 0.9, 0.9
    names = {"a": "Words", "b": "Lists", "first_position": "Shown first"}
    assert finding(table, *judges, names) == "**In none of 2 scenarios is the gap of a factor beyond noise.**"
    first = (table["factor"] == "first_position").to_numpy()
    table.loc[first, "scaled_q"] = np.nan
    table.loc[first, "scaled_p"], table.loc[first, "gap_scaled"] = 0.01, -0.5
    assert finding(table, *judges, names).endswith("In each gpt\\-4 leans more to the answer shown second than people.")
    table.loc[(table["factor"] == "b") & (table["scenario"] == "code"), ["scaled_q", "gap_scaled"]] = [0.01, 1.5]
    said = finding(table, *judges, names)
    assert said.startswith("**1 gap in 1 of 2 scenarios is beyond noise, decisiveness aside.** The largest: Lists in code.")


def test_scenarios_that_do_not_fit_are_in_the_table() -> None:
    names = [f"scenario {k}" for k in range(12)]
    table = tables(["a", "b"], JUDGES[False], names)["scenarios"]
    table["scaled_q"] = np.where((table["factor"] == "a") & (table["scenario"] == "scenario 11"), 0.01, 0.9)
    figure = factor_scenario_chart(table, *JUDGES[False], LIGHT, narrow=True)
    heads = [str(t).replace("<br>", " ") for t in figure.layout.xaxis.ticktext]
    assert 3 <= len(heads) <= 5
    assert "11" in heads[-1]
    assert f"{12 - len(heads)} more in the table" in said(figure)
    assert "12 scenarios" in figure.layout.meta["alt"]
    assert len(factor_scenario_chart(table, *JUDGES[False], LIGHT).layout.xaxis.ticktext) > len(heads)


def test_each_way_of_fitting_has_its_mark() -> None:
    table = tables(["a", "b"], JUDGES[False], ["code"])["variants"]
    figure = variants_chart(table, VARIANTS, LIGHT, columns=("weight", "lower", "upper"), title="weight", unit=LOG_ODDS)
    symbols = {t.name: (t.marker.symbol, t.marker.color) for t in figure.data if t.name in VARIANTS}
    assert list(symbols) == list(VARIANTS)
    assert len(set(symbols.values())) == len(SYMBOLS)
    for name in VARIANTS:
        assert name in said(figure)


# -- in a browser ------------------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", SIZES)
def test_no_text_overlaps_or_leaves_its_figure(canvas: Any, kind: str, size: str) -> None:
    factors, long = SIZES[size]
    made = tables(factors, JUDGES[long], SCENARIOS[long], scaled=size != "one")
    wrong = []
    for theme, narrow, width, unit in (
        (LIGHT, False, 1240, POINTS), (LIGHT, False, WIDTH[False], LOG_ODDS), (DARK, True, 358, POINTS),
        (PRINT, True, WIDTH[True], LOG_ODDS),
    ):  # fmt: skip
        figure = KINDS[kind](made, JUDGES[long], theme, narrow, unit)
        wrong += [f"{theme.name} {width}: {one}" for one in draw(canvas, figure, width)]
    assert not wrong, "\n".join(wrong[:20])
