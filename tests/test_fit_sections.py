"""What do the sections on fit and on the next judgments say, and what do their charts draw?"""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
import pytest

from charts.fit_check import fit_chart
from charts.next_pairs import next_chart
from charts.theme import DARK, LIGHT, PRINT, Mark, Theme
from ui.sections import ask_next, fit

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=lambda one: one.name)
NARROW = pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
MARK = Mark("#C8501E", "square")


def pairs(n: int = 14) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "judge": "gpt-4", "model_1": [f"a{k}" for k in range(n)], "model_2": [f"<b>{k}" for k in range(n)],
            "observed": 0.7, "expected": 0.5, "residual": [4.0] * (n - 1) + [None], "p": [0.001] * (n - 1) + [None],
            "q": [0.01, 0.0001] + [0.4] * (n - 3) + [None], "pearson": 3.0, "judgments": 12, "pairs": 9, "clusters": 8,
        }
    )  # fmt: skip


def planned(links: int = 2, n: int = 5) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "judge": "gpt-4", "model_1": [f"a{k}" for k in range(n)], "model_2": [f"b{k}" for k in range(n)],
            "ask": range(1, n + 1), "expected_shrink": [None] * links + [4.0 - k for k in range(n - links)], "have": 3,
            "available": 8, "why": ["link: won all 4 of its judgments"] * links + ["narrows intervals"] * (n - links),
        }
    )  # fmt: skip


def points(figure: go.Figure) -> list[go.Scatter]:
    return [trace for trace in figure.data if trace.mode == "markers" and trace.customdata is not None]


@THEMES
@NARROW
def test_a_misfit_is_filled_only_beyond_chance(theme: Theme, narrow: bool) -> None:
    figure = fit_chart(pairs(), theme, MARK, narrow=narrow)
    hollow, filled = points(figure)
    assert list(filled.y) == [0, 1]
    assert len(hollow.y) == 10
    texts = " ".join(str(a.text) for a in figure.layout.annotations)
    assert "2 more are in the table" in texts.replace("<br>", " ")
    assert "&lt; .001" in texts
    assert "<b>0" not in figure.layout.yaxis.ticktext[0].replace("&lt;b&gt;", "")
    assert figure.layout.meta["alt"].startswith("The 12 pairs of models that one scale fits worst, 2 of them beyond")


@THEMES
@NARROW
def test_a_plan_says_what_has_no_figure(theme: Theme, narrow: bool) -> None:
    figure = next_chart(planned(), theme, MARK, narrow=narrow)
    [marks] = points(figure)
    assert list(marks.y) == [2, 3, 4]
    texts = [str(a.text) for a in figure.layout.annotations]
    assert sum(text.startswith("link") for text in texts) == 2
    assert any(text.startswith("Models without a strength come first") for text in texts)
    assert figure.layout.meta["alt"].startswith("5 pairs of models to be judged next, 15 judgments altogether")


def test_nothing_to_draw_is_said() -> None:
    for figure in (fit_chart(pairs(3).head(0), LIGHT, MARK), next_chart(planned().head(0), LIGHT, MARK)):
        assert not figure.data
        assert len(figure.layout.annotations) == 1
    assert len(next_chart(planned(links=5), LIGHT, MARK).data) == 0


ROW = {
    "judge": "gpt-4", "models": 12, "pairs": 66, "judgments": 900, "clusters": 200, "clustering": "prompt", "p": 0.003,
    "departure": 0.052, "triples": 220, "cyclic": 0.04, "cyclic_expected": 0.013, "cyclic_lower": 0.0,
    "cyclic_upper": 0.032, "hodge": 0.24, "hodge_expected": 0.06, "hodge_lower": 0.04, "hodge_upper": 0.09,
}  # fmt: skip


def test_the_finding_claims_what_the_test_does() -> None:
    first, circles, hodge = fit.findings(ROW, pairs())
    assert first == (
        r"**One scale does not fit the verdicts of gpt\-4** (p \= \.003): a pair of models departs by about 5 points from its "
        "expected share, chance taken off; 2 pairs of 66 beyond chance."
    )
    assert circles == "Of 220 triples of models 4.0 % go in a circle; noise alone gives 1.3 % (0 % to 3.2 %)."
    assert "24 % of the variation in log-odds over" in hodge
    assert "no departure from one scale beyond chance" in fit.findings(ROW | {"p": 0.3}, pairs())[0]
    assert "cannot be tested here" in fit.findings(ROW | {"p": None}, pairs())[0]
    bare = ROW | {"cyclic": None, "hodge_expected": None}
    assert [len(fit.findings(bare, pairs())), "noise" in fit.findings(bare, pairs())[1]] == [2, False]


def widths(after: float = 0.6) -> pd.DataFrame:
    return pd.DataFrame({"model": ["x", "y"], "half_width": [0.8, 0.5], "half_width_after": [after, 0.5]})


PLAN = {"judge": "gpt-4", "judgments": 900, "planned": 15, "links": 0, "expected_shrink": 12.0, "widest_before": 0.8,
        "widest_after": 0.6, "mean_before": 0.65, "mean_after": 0.55, "design_effect": 1.0}  # fmt: skip


def test_the_plans_finding_says_what_would_change() -> None:
    [said] = ask_next.findings(PLAN, planned(0), widths())
    assert said == (
        "**15 judgments on 5 pairs of models shrink the mean interval from ±.65 to ±.55**, the widest from ±.80 to ±.60; "
        "most of all that of x, from ±.80 to ±.60."
    )
    [little] = ask_next.findings(PLAN | {"mean_after": 0.649}, planned(0), widths())
    assert "would change little" in little
    first, _ = ask_next.findings(PLAN | {"links": 3}, planned(), widths())
    assert first == "**3 judgments first to give 2 models a strength at all.**"
    [nothing] = ask_next.findings(PLAN | {"mean_before": None}, planned(5), widths())
    assert "no strength is known yet" in nothing
    assert ask_next.findings(PLAN | {"planned": 0}, planned(0).head(0), widths()) == ["**Nothing can be planned here.**"]
