"""The waterfall of one pair: where bars begin and end, what is counted together, what is said without colour."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from scipy.special import expit
from toy import spaced

from analysis.shapley import win_points
from charts.factor_gaps import LOG_ODDS
from charts.theme import DARK, LIGHT, PRINT, Theme
from charts.waterfall import waterfall_chart
from charts.waterfall_steps import verdict_in_words
from ui.sections.one_pair import finding, in_percent, reasons
from ui.sections.try_it import finding as would_prefer
from ui.sections.try_it import most_for

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=lambda one: one.name)
NARROW = pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])


def tables(n: int = 12, judges: tuple[str, ...] = ("people", "<b>gpt")) -> tuple[pd.DataFrame, pd.DataFrame]:
    parts, rows = [], []
    for k, judge in enumerate(judges):
        log_odds = np.random.default_rng(k).normal(size=n) * np.linspace(1, 0.01, n)
        parts.append(
            pd.DataFrame(
                {"judge": judge, "factor": [f"f<i>{i}" for i in range(n)], "a": 1.0, "b": [None, *[2.5] * (n - 1)],
                 "log_odds": log_odds, "points": win_points(log_odds)}
            )
        )  # fmt: skip
        predicted = 100 * expit(log_odds.sum())
        rows.append({"judge": judge, "predicted": predicted, "lower": predicted - 5, "upper": predicted + 3,
                     "verdict": "ab"[k], "share_a": 70.0, "votes": 3, "a": 2, "b": 1, "tie": 0})  # fmt: skip
    return pd.concat(parts, ignore_index=True), pd.DataFrame(rows)


def bars(figure: go.Figure) -> list[go.Scatter]:
    return [trace for trace in figure.data if trace.fill == "toself"]


def texts(figure: go.Figure) -> list[str]:
    return [str(a.text) for a in figure.layout.annotations]


@THEMES
@NARROW
def test_each_bar_begins_where_the_last_one_ended(theme: Theme, narrow: bool) -> None:
    contributions, judges = tables()
    figure = waterfall_chart(contributions, judges, theme, sides=("heron", "wren"), humans=["people"], narrow=narrow)
    drawn = bars(figure)
    assert len(drawn) == 2
    assert drawn[0].fillcolor == theme.people != drawn[1].fillcolor
    for bar, row, judge in zip(drawn, judges.to_dict("records"), judges["judge"], strict=True):
        corners = [list(bar.x)[k : k + 6] for k in range(0, len(bar.x), 7)]
        assert len(corners) == 9  # eight factors and the others
        assert corners[0][0] == 50.0
        tips = [c[2] for c in corners]
        assert [c[0] for c in corners[1:]] == pytest.approx(tips[:-1])
        assert tips[-1] == pytest.approx(row["predicted"], abs=1e-9)
        # Nobody needs colour: what speaks for A points to the right, and no point leaves its bar.
        for start, _, tip, *_ in corners:
            shoulder = corners[[c[2] for c in corners].index(tip)][1]
            assert min(start, tip) - 1e-9 <= shoulder <= max(start, tip) + 1e-9
        own = contributions[contributions["judge"] == judge].set_index("factor")["points"]
        assert corners[0][2] - 50 == pytest.approx(own[figure_order(contributions)[0]])
    ticks = figure.layout.yaxis.ticktext
    assert list(ticks[-3:]) == ["4 others", "Predicted", "Said"]
    assert "f&lt;i&gt;" in ticks[0]
    said = texts(figure)
    assert "A (2 of 3 votes) →" in said
    assert "← B (1 of 3 votes)" in said
    assert any(text.startswith("← for B<br>wren") for text in said)
    assert 50 in figure.layout.xaxis.tickvals
    assert figure.layout.xaxis.range == figure.layout.xaxis2.range
    assert ("yaxis2" in figure.layout) == narrow
    assert "people is predicted to prefer A with" in figure.layout.meta["alt"]


def figure_order(contributions: pd.DataFrame) -> list[str]:
    size = contributions.assign(size=contributions["points"].abs()).groupby("factor", sort=False)["size"].max()
    return list(size.sort_values(ascending=False).index)


def test_one_factor_more_is_named_rather_than_counted() -> None:
    contributions, judges = tables(9, ("people",))
    figure = waterfall_chart(contributions, judges, LIGHT)
    assert not any("other" in text for text in figure.layout.yaxis.ticktext)
    assert len(figure.layout.yaxis.ticktext) == 11


def test_a_way_beyond_a_hundred_percent_is_explained() -> None:
    contributions, judges = tables(3)
    log_odds = np.array([9.0, -6.0, -0.5])
    points = win_points(log_odds)
    assert points[0] > 50
    strong = contributions.assign(log_odds=[*log_odds] * 2, points=[*points] * 2)
    figure = waterfall_chart(strong, judges.assign(lower=90.0, upper=97.0), LIGHT)
    assert any("beyond 0 or 100" in text.replace("<br>", " ") for text in texts(figure))
    assert max(figure.layout.xaxis.tickvals) <= 100 < figure.layout.xaxis.range[1]
    assert not any("beyond 0" in text.replace("<br>", " ") for text in texts(waterfall_chart(*tables(3), LIGHT)))


def test_a_wide_interval_does_not_flatten_the_bars() -> None:
    contributions, judges = tables(5, ("people",))
    sure = waterfall_chart(contributions, judges, LIGHT)
    unsure = waterfall_chart(contributions, judges.assign(lower=0.1, upper=99.9), LIGHT)
    widths = [float(np.ptp(figure.layout.xaxis.range)) for figure in (sure, unsure)]
    ends = 50 + np.append(0.0, contributions["points"].cumsum())
    assert np.ptp(ends) / widths[1] > 0.25
    arrows = [t for t in unsure.data if t.mode == "markers" and t.marker.symbol in (("triangle-left", "triangle-right"),)]
    assert len(arrows) == 1
    assert not [t for t in sure.data if t.mode == "markers" and "triangle-left" in str(t.marker.symbol)]


def test_without_win_points_log_odds_are_drawn() -> None:
    contributions, judges = tables()
    contributions["points"] = pd.array([None] * len(contributions), dtype="Float64")
    figure = waterfall_chart(contributions, judges, LIGHT)
    assert bars(figure)[0].x[0] == 0.0
    assert figure.layout.xaxis.title.text == "log-odds for A"
    asked = waterfall_chart(*tables(), LIGHT, unit=LOG_ODDS)
    assert bars(asked)[0].x[0] == 0.0


def test_of_pasted_texts_nobody_said_anything() -> None:
    contributions, judges = tables()
    figure = waterfall_chart(contributions, judges.drop(columns=["votes", "verdict"]), LIGHT)
    assert figure.layout.yaxis.ticktext[-1] == "Predicted"
    assert not any("votes" in text or "name" in text for text in texts(figure))


def test_nothing_to_explain_is_said() -> None:
    contributions, judges = tables()
    assert not waterfall_chart(contributions.head(0), judges, LIGHT).data
    level = contributions.assign(points=0.0, log_odds=0.0)
    flat = waterfall_chart(level, judges.assign(predicted=50.0, lower=50.0, upper=50.0), LIGHT)
    assert not bars(flat)
    low, high = flat.layout.xaxis.range
    assert low < 50 < high


ROW = {"judge": "gpt-4", "predicted": 33.0, "lower": 29.4, "upper": 36.9, "verdict": "a", "share_a": 100.0, "votes": 1,
       "a": 1, "b": 0, "tie": 0}  # fmt: skip


def test_what_was_said_in_words() -> None:
    assert verdict_in_words(ROW) == "A"
    assert verdict_in_words(ROW | {"share_a": 80.0}) == "A (80 % for A)"
    assert verdict_in_words(ROW | {"verdict": "b", "votes": 3, "b": 2, "a": 1}) == "B (2 of 3 votes)"
    assert verdict_in_words(ROW | {"verdict": "tie", "share_a": 50.0}) == "a tie"
    assert verdict_in_words(ROW | {"verdict": "split", "votes": 2, "b": 1}) == "split: 1 A, 1 B"
    assert verdict_in_words(ROW | {"votes": 0, "verdict": None}) == "no verdict on this pair"


def test_the_finding_holds_the_verdict_against_the_prediction() -> None:
    own = pd.DataFrame({"factor": ["x", "y", "z"], "points": [-9.2, 3.14, 0.01], "log_odds": [-0.4, 0.1, 0.0]})
    labels = {"x": "Bold", "y": "Words", "z": "Tables"}
    said = spaced(finding(ROW, own, labels)).replace("\\", "")
    assert said == (
        "**gpt-4 prefers A, against what the factors predict**: A expected in 33 % [29, 37]. For A speaks Words (+3.1); "
        "for B speaks Bold (−9.2) win points."
    )
    assert "as the factors predict" in finding(ROW | {"verdict": "b"}, own, labels)
    assert "take no side" in finding(ROW | {"upper": 55.0}, own, labels)
    assert "people prefer B" in finding(ROW | {"judge": "people", "verdict": "b"}, own, labels)
    assert "sees a tie" in finding(ROW | {"verdict": "tie", "share_a": 50.0}, own, labels)
    assert "did not judge" in finding(ROW | {"votes": 0, "verdict": None}, own, labels)
    assert reasons(own.assign(points=0.0), labels) == "No factor tells the two apart."
    in_log_odds = reasons(own.assign(points=pd.array([None] * 3, dtype="Float64")), labels)
    assert in_log_odds.replace("\\", "").endswith("Bold (−.40) log-odds.")
    assert spaced(in_percent(ROW)).replace("\\", "") == "33 % [29, 37]"
    assert most_for(own, labels) == "Bold −9.2, Words +3.1"
    assert most_for(own.assign(points=0.0), labels) == "nothing tells them apart"


def test_who_would_prefer_which() -> None:
    judges = pd.DataFrame([ROW, ROW | {"judge": "people", "lower": 45.0, "upper": 60.0},
                           ROW | {"judge": "owl", "predicted": 70.0, "lower": 60.0, "upper": 80.0}])  # fmt: skip
    said = spaced(would_prefer(judges)).replace("\\", "")
    assert said.startswith(
        "owl (70 % [60, 80]) would rather prefer **A**; gpt-4 (33 % [29, 37]) would rather prefer **B**; people "
        "(33 % [45, 60]) take no side."
    )
