"""The map of scenarios: order, what counts as beyond noise, what fits, what is said, and nothing that overlaps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from canvas import draw

from charts.colour import channels, contrast
from charts.rows import WIDTH
from charts.scenarios import scenarios_chart
from charts.theme import DARK, LIGHT, PRINT, Theme
from ui.sections import scenarios as section

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=lambda one: one.name)
NARROW = pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])


def tables(models: list[str] | None = None, scenarios: list[str] | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`scenarios`' tables: of m1 the strength differs (q .01), of the others not; the last scenario departs most."""
    models, scenarios = models or ["m1", "m2", "m3"], scenarios or ["code", "plan"]
    rows = []
    for s, scenario in enumerate(scenarios):
        for m, model in enumerate(models):
            away = (0.2 if m else 0.5) * (s + 1) * (-1) ** (s + m) / len(scenarios)
            rows.append(
                {
                    "judge": "gpt-4", "scenario": scenario, "model": model, "strength": 1.4 * away - m, "se": 0.1,
                    "lower": 1.4 * away - m - 0.2, "upper": 1.4 * away - m + 0.2, "rank": m + 1, "pooled": away - m,
                    "pooled_lower": away - m - 0.15, "pooled_upper": away - m + 0.15, "pooled_rank": m + 1,
                    "departure": away, "departure_lower": away - 0.3, "departure_upper": away + 0.3, "judgments": 40,
                    "prompts": 12,
                }
            )  # fmt: skip
    n = len(models)
    q = [0.01, *[0.4] * (n - 1)]
    varied = pd.DataFrame(
        {
            "judge": "gpt-4", "model": models, "mean": -np.arange(n, dtype=float), "mean_lower": -0.1, "mean_upper": 0.1,
            "tau": 0.3, "tau_lower": 0.1, "tau_upper": 0.6, "p": q, "q": q, "scenarios": len(scenarios),
        }
    )  # fmt: skip
    return pd.DataFrame(rows), varied


def heat(figure: go.Figure) -> go.Heatmap:
    [found] = [trace for trace in figure.data if trace.type == "heatmap"]
    return found


def written(figure: go.Figure) -> go.Scatter:
    [found] = [trace for trace in figure.data if trace.type == "scatter"]
    return found


def texts(figure: go.Figure) -> list[list[str]]:
    return np.array(written(figure).text).reshape(np.shape(heat(figure).z)).tolist()


def said(figure: go.Figure) -> str:
    return " ".join(str(a.text) for a in figure.layout.annotations).replace("<br>", " ")


def frames(figure: go.Figure) -> list[tuple[int, int]]:
    return [(round(s.y0 + 0.46), round(s.x0 + 0.48)) for s in figure.layout.shapes if s.layer == "above"]


@THEMES
@NARROW
def test_models_by_mean_and_the_furthest_scenario_first(theme: Theme, narrow: bool) -> None:
    figure = scenarios_chart(*tables(), theme, narrow=narrow)
    assert list(figure.layout.yaxis.ticktext) == ["m1", "m2", "m3"]
    assert list(figure.layout.xaxis.ticktext) == ["plan", "code"]
    assert texts(figure) == [["<b>−.50</b>", "+.25"], ["+.20", "−.10"], ["−.20", "+.10"]]
    assert heat(figure).customdata[1][0] == ["m2", "plan"]


@THEMES
def test_beyond_noise_needs_the_test_and_the_interval(theme: Theme) -> None:
    scenarios, models = tables()
    figure = scenarios_chart(scenarios, models, theme)
    # m1 in code: .25 with ±.3; m2 and m3: no difference by their q.
    assert frames(figure) == [(0, 0)]
    assert heat(figure).z[0][0] == pytest.approx(-1.0)
    assert heat(figure).z[0][1] == pytest.approx(0.14 * 0.25 / 0.5)
    assert "Framed: beyond noise." in said(figure)
    models["q"] = 0.3
    figure = scenarios_chart(scenarios, models, theme)
    assert frames(figure) == []
    assert "No cell is beyond noise." in said(figure)
    assert np.abs(np.array(heat(figure).z, dtype=float)).max() == pytest.approx(0.14)


def test_raw_is_each_scenario_alone() -> None:
    scenarios, models = tables()
    alone = scenarios_chart(scenarios, models, LIGHT, raw=True)
    assert texts(alone) == [["<b>−.70</b>", "<b>+.35</b>"], ["+.28", "−.14"], ["−.28", "+.14"]]
    assert "Raw strength, the scenario alone, minus the model's mean" in said(alone)
    assert "raw" in alone.layout.meta["alt"]
    missing = scenarios.copy()
    for name in ("strength", "lower", "upper", "rank"):
        missing[name] = missing[name].astype("Float64").mask(missing["scenario"] == "plan")
    without = scenarios_chart(missing, models, LIGHT, raw=True)
    assert [line[0] for line in texts(without)] == ["–"] * 3
    assert frames(without) == [(0, 1)]
    assert "raw: not known" in heat(without).hovertext[0][0]


def test_hover_has_both_with_intervals() -> None:
    hover = heat(scenarios_chart(*tables(), LIGHT)).hovertext[0][0]
    assert hover == (
        "<b>m1</b> · plan<br>pooled −.50 [−.65, −.35]<br>raw −.70 [−.90, −.50]<br>from its mean −.50 [−.80, −.20]<br>"
        "rank 1 pooled, 1 raw<br>40 judgments under 12 prompts"
    )


@NARROW
def test_what_does_not_fit_is_said_to_be_in_the_table(narrow: bool) -> None:
    scenarios, models = tables([f"m{k:02d}" for k in range(60)], [f"scenario-{k}" for k in range(50)])
    figure = scenarios_chart(scenarios, models, LIGHT, narrow=narrow)
    shape = np.shape(heat(figure).z)
    assert shape[0] == 15
    assert (6 if narrow else 14) <= shape[1] <= 20
    assert figure.layout.xaxis.ticktext[0] == "scenario-49"
    assert f"Scenarios that depart most first; {50 - shape[1]} more in the table." in said(figure)
    assert "The first 15 models; 45 more in the table." in said(figure)
    assert np.shape(heat(scenarios_chart(scenarios, models, LIGHT, narrow=narrow, most=60)).z) == (60, shape[1])


def test_thin_scenarios_stand_in_brackets() -> None:
    figure = scenarios_chart(*tables(), LIGHT, thin={"code", "elsewhere"})
    assert list(figure.layout.xaxis.ticktext) == ["plan", "(code)"]
    assert "In brackets: thin scenarios, listed below." in said(figure)
    assert "brackets" not in said(scenarios_chart(*tables(), LIGHT, thin={"elsewhere"}))


def test_heads_stand_on_end_rather_than_break_a_word() -> None:
    few = scenarios_chart(*tables(scenarios=["summarise texts", "plan"]), LIGHT)
    many = scenarios_chart(*tables(scenarios=["summarisation", *"abcdefg"]), LIGHT)
    assert few.layout.xaxis.tickangle == 0
    assert many.layout.xaxis.tickangle == -90


@THEMES
@pytest.mark.parametrize("q", [0.01, 0.4])
def test_numbers_can_be_read_on_every_colour(theme: Theme, q: float) -> None:
    names = [f"s{k}" for k in range(12)]
    scenarios, models = tables(["m1"], names)
    models["q"] = q
    figure = scenarios_chart(scenarios, models, theme)
    assert bool(frames(figure)) is (q < 0.05)
    for shade, ink in zip(np.ravel(heat(figure).z), written(figure).textfont.color, strict=True):
        colour = theme.judges[2] if shade > 0 else theme.judges[0]
        ground = (1 - abs(shade)) * channels(theme.background) + abs(shade) * channels(colour)
        assert contrast(channels(ink), ground) >= 4.5


def test_nothing_to_draw_is_a_sentence() -> None:
    scenarios, models = tables()
    figure = scenarios_chart(scenarios.head(0), models.head(0), LIGHT)
    assert "No model could be ranked by scenario" in figure.layout.meta["alt"]


def test_the_alternative_text_names_the_largest() -> None:
    alt = scenarios_chart(*tables(), LIGHT).layout.meta["alt"]
    assert "3 models in 2 scenarios" in alt
    assert "Largest: m1 in plan (−.50)." in alt


NAMES = ["a-model-with-a-very-long-name-that-never-ends-70B-instruct-v2", "模型一号非常长的名字在这里", "x", "<b>bold</b>", "m & m",
         "ß" * 40]  # fmt: skip
SCENARIOS = ["Creative writing with many constraints on tone", "<script>alert(1)</script>", "代码", "x", "translation", "y"]


@pytest.mark.browser
@pytest.mark.every(2, "theme", "narrow", "shape")
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda one: one.name)
@NARROW
@pytest.mark.parametrize("shape", ["usual", "long names", "one model", "many"])
def test_nothing_overlaps(canvas, theme: Theme, narrow: bool, shape: str) -> None:
    given = tables()
    if shape == "long names":
        given = tables(NAMES, SCENARIOS)
    elif shape == "one model":
        given = tables(["only"])
    elif shape == "many":
        given = tables([f"m{k:02d}" for k in range(60)], [f"scenario-{k}" for k in range(50)])
    drawn = scenarios_chart(*given, theme, narrow=narrow, thin={"code", "x"})
    assert draw(canvas, drawn, WIDTH[narrow]) == []
    assert canvas.locator("script:text('alert(1)')").count() == 0


# --- the sentences of the section -------------------------------------------------------------------------------------

ROW = {"judge": "gpt-4", "judgments": 900, "prompts": 24, "scenarios": 2, "models": 3, "left_out": 0, "tested": 3,
       "differ": 1, "tau": 0.2}  # fmt: skip


def test_the_finding_names_the_clearest_model_and_its_ends() -> None:
    scenarios, models = tables()
    assert section.finding(ROW, scenarios, models) == (
        r"**For gpt\-4 the strength of 1 of 3 models depends on the scenario beyond noise**, most clearly that of m1 "
        r"(q \= \.01): number 1 in code (+\.25 \[−\.05, \.55\] from its mean), number 1 in plan (−\.50 \[−\.80, −\.20\] "
        "from its mean)."
    )
    assert "beyond noise on these prompts**" in section.finding(ROW, scenarios, models, bound=True)
    two = section.finding(ROW | {"differ": 2, "tested": 2}, scenarios, models)
    assert "the strengths of 2 of 3 models depend on the scenario beyond noise** (2 of 3 could be tested)" in two


def test_without_a_difference_the_finding_claims_none() -> None:
    scenarios, models = tables()
    models["q"] = pd.array([0.3, 0.4, pd.NA], dtype="Float64")
    none = section.finding(ROW | {"differ": 0}, scenarios, models)
    assert none == (
        r"**For gpt\-4 no strength of 3 models changes between 2 scenarios beyond noise**. The clearest difference is "
        r"that of m1, q \= \.30."
    )
    assert "cannot be tested" in section.finding(ROW | {"tested": 0, "differ": 0}, scenarios, models)


def test_names_stay_text() -> None:
    scenarios, models = tables(["**m** $x$", "b", "c"], ["<i>one</i>", "[two](http://x)"])
    text = section.finding(ROW, scenarios, models)
    assert r"\*\*m\*\* \$x\$" in text
    assert "[two](" not in text
    assert "<i>" not in text


def test_what_to_distrust() -> None:
    [always] = section.cautions(0, raw=True)
    assert "hold on average over scenarios" in always
    assert len(section.cautions(2, raw=True)) == 2
    assert len(section.cautions(2, raw=False)) == 1
