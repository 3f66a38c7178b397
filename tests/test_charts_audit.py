"""What do the charts of the bias audit draw, and what does the page say of it?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from canvas import draw

from analysis.tables import booleans, floats, integers
from charts.audit import DESCRIBED, NAMES, bias_chart, bias_name, towards, with_test
from charts.audit_matrix import bias_matrix_chart, worst
from charts.audit_variants import variants_chart
from charts.rows import WIDTH
from charts.theme import DARK, LIGHT, PRINT, Theme
from studies.audit_words import finding, finding_of_all

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=lambda one: one.name)
NARROW = pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
TESTED = {"first_position": (0.24, 0.13, True), "length": (0.55, 0.58, False), "bandwagon": (0.1, 0.3, True),
          "bandwagon: robustness": (0.8, 0.9, False)}  # fmt: skip
TOLD = {"position_consistency": 0.74, "accuracy": 0.82, "tie_rate": 0.0}


def biases(judges: tuple[str, ...] = ("robot",), factor: float = 1.0) -> pd.DataFrame:
    """`biases` of the study `audit`: four with a test, two of them flagged, and three without; the k-th judge has
    k times the excess of the first."""
    rows: list[dict[str, Any]] = []
    for k, judge in enumerate(judges, 1):
        for bias, (rate, null, flagged) in TESTED.items():
            excess = (rate - null) * k * factor
            rows.append({"judge": judge, "bias": bias, "rate": null + excess, "null": null, "excess": excess,
                         "excess_lower": excess - 0.05, "excess_upper": excess + 0.05, "p": 0.001 if flagged else 0.4,
                         "q": 0.004 if flagged else 0.4, "flagged": flagged, "chance": 0.25})  # fmt: skip
        rows.append({"judge": judge, "bias": "last_position", "rate": 0.02, "null": 0.13, "excess": -0.11,
                     "excess_lower": -0.15, "excess_upper": -0.06, "chance": 0.25})  # fmt: skip
        rows += [{"judge": judge, "bias": bias, "rate": rate, "chance": 0.5} for bias, rate in TOLD.items()]
    table = pd.DataFrame(rows)
    for name in ("rate", "null", "excess", "excess_lower", "excess_upper", "p", "q", "chance"):
        table[name] = floats(table[name].to_numpy(dtype=float))
    table["lower"], table["upper"] = table["rate"] - 0.04, table["rate"] + 0.04
    table["flagged"] = booleans([None if pd.isna(v) else bool(v) for v in table["flagged"]])
    table["n"] = table["clusters"] = integers([100] * len(table))
    return table.assign(why=None)


def dots(figure: go.Figure) -> list[go.Scatter]:
    return [trace for trace in figure.data if trace.mode == "markers" and trace.customdata is not None]


@THEMES
@NARROW
def test_flagged_biases_are_filled_and_the_others_hollow(theme: Theme, narrow: bool) -> None:
    figure = bias_chart(biases(), "robot", theme, narrow=narrow)
    flagged, noise, told = dots(figure)
    assert [one[0] for one in flagged.customdata] == ["bandwagon", "first_position"]
    assert list(flagged.x) == pytest.approx([-20.0, 11.0])
    assert [one[0] for one in noise.customdata] == ["bandwagon: robustness", "length"]
    assert noise.marker.color == theme.background != flagged.marker.color
    # What has no test stands in a panel of its own, as a rate; the last place is the other side of the first.
    assert [one[0] for one in told.customdata] == ["position_consistency", "accuracy", "tie_rate"]
    assert list(told.x) == pytest.approx([74.0, 82.0, 0.0])
    assert (told.xaxis, flagged.xaxis) == ("x2", "x")
    labels = figure.layout.yaxis.ticktext
    assert "24 % instead of 13 %" in labels[1]
    assert [text.split("<br>")[0] for text in labels][:2] == ["Bandwagon", "First position"]
    assert "q .004" in flagged.hovertext[0]
    assert "guessing 25 %" in flagged.hovertext[0]
    assert "2 of 4 tested are flagged: Bandwagon (−20.0 [−25.0, −15.0] points)" in figure.layout.meta["alt"]


def test_one_panel_where_nothing_is_tested_and_a_sentence_where_nothing_is_there() -> None:
    table = biases()
    figure = bias_chart(table[table["p"].isna()], "robot", LIGHT)
    assert [trace.xaxis for trace in dots(figure)] == ["x"]
    assert not figure.layout.annotations
    assert "Nothing of nobody" in bias_chart(table, "nobody", LIGHT).layout.annotations[0].text


def test_names_and_directions() -> None:
    assert bias_name("bandwagon: robustness") == "Robustness: bandwagon"
    assert bias_name("my: own variant") == "my: own variant"
    assert set(DESCRIBED) < set(NAMES)
    assert (towards("length", 0.1), towards("length", -0.1)) == ("longer answers", "shorter answers")
    assert towards("authority", -0.1) == "the side against the cue of authority"
    assert towards("persona: robustness", -0.1) == "other verdicts under persona"


@NARROW
def test_the_worst_judge_comes_first_and_others_wait(narrow: bool) -> None:
    judges = tuple(f"judge {k} <b>" for k in range(1, 21))
    table = biases(judges, 0.04)
    assert worst(table)[:2] == [judges[19], judges[18]]
    figure = bias_matrix_chart(table, LIGHT, most=15, narrow=narrow)
    assert len(figure.layout.yaxis.ticktext) == 15
    assert "<b>" not in figure.layout.yaxis.ticktext[0]
    [cells] = dots(figure)
    assert [str(judges[19]), "bandwagon"] in [list(one) for one in cells.customdata]
    assert "The 15 of 20 judges" in figure.layout.annotations[0].text.replace("<br>", " ")
    plain, bold = [trace for trace in figure.data if trace.mode == "text"][:2]
    assert "<b>−16</b>" in bold.text
    assert not any("<b>" in text for text in plain.text)
    assert len(bias_matrix_chart(table, LIGHT).layout.yaxis.ticktext) == 20


def test_a_judge_without_a_test_stands_in_no_row() -> None:
    table = biases(("one", "two"))
    table = table[(table["judge"] == "one") | table["p"].isna()]
    assert list(bias_matrix_chart(table, LIGHT).layout.yaxis.ticktext) == ["one"]
    assert "No bias" in bias_matrix_chart(table[table["p"].isna()], LIGHT).layout.annotations[0].text


def variants() -> pd.DataFrame:
    figures = {"accuracy_plain": 0.7, "accuracy": 0.4, "change": -0.3}
    row = {f"{name}{end}": value + shift for name, value in figures.items()
           for end, shift in (("", 0.0), ("_lower", -0.1), ("_upper", 0.1))}  # fmt: skip
    rows = [{"judge": "robot", "variant": name, "p": p, "labelled": 40, "pairs": 50, "robustness": 0.6,
             "consistency": None} | row | more
            for name, p, more in (("authority", 0.3, {"change": 0.01}), ("bandwagon", 0.001, {}))]  # fmt: skip
    return pd.DataFrame(rows)


@THEMES
@NARROW
def test_accuracy_before_and_after(theme: Theme, narrow: bool) -> None:
    figure = variants_chart(variants(), "robot", theme, narrow=narrow)
    plain, with_it = dots(figure)
    assert list(figure.layout.yaxis.ticktext) == ["Bandwagon", "Authority"]
    assert (list(plain.x), list(with_it.x)) == (pytest.approx([70.0, 70.0]), pytest.approx([40.0, 40.0]))
    assert plain.marker.color == theme.background
    note = figure.layout.annotations[0].text.replace("<br>", " ")
    assert "Changed beyond noise (p &lt; .05, exact): Bandwagon." in note
    assert "Nobody says" in variants_chart(variants(), "other", theme).layout.annotations[0].text


def test_sentences_name_what_is_flagged_with_its_size() -> None:
    table = biases()
    said = finding(table, "robot").replace("\\", "")
    assert said.startswith("**robot leans towards the side against the cue of bandwagon (20.0 points [15.0, 25.0]) and "
                           "the first place (11.0 [6.0, 16.0]), more than a judge without the bias.**")  # fmt: skip
    assert said.endswith("2 of 4 tested biases are flagged.")
    calm = table.assign(flagged=booleans([None if pd.isna(v) else False for v in table["flagged"]]))
    assert "is flagged on none of 4 tested biases" in finding(calm, "robot")
    assert "test no bias of robot" in finding(table[table["p"].isna()], "robot")
    assert finding_of_all(table).replace("\\", "").startswith("**Of 1 judge, 1 is flagged: 1 on bandwagon and 1 on first position.**")
    assert finding_of_all(calm) == "**None of 1 judge is flagged on any bias.**"
    assert len(with_test(table)) == 4


@pytest.mark.browser
@pytest.mark.parametrize("long", [False, True], ids=["short", "long"])
def test_no_text_overlaps_or_leaves_its_figure(canvas: Any, long: bool) -> None:
    names = ["organisation/long-model-name-preview-v", "判断" * 20, "WWWWMMMM" * 5] if long else ["a", "b", "c"]
    table = biases((*names, *(f"judge {k}" for k in range(15))), 0.05)
    if long:
        table["bias"] = [f"{bias} " + "a-long-variant-name" * 2 if bias == "length" else bias for bias in table["bias"]]
    some = variants().assign(judge=names[0])
    wrong = []
    for theme, narrow, width in ((LIGHT, False, 850), (DARK, False, WIDTH[False]), (LIGHT, True, WIDTH[True]),
                                 (PRINT, False, 658), (PRINT, True, 317)):  # fmt: skip
        for figure in (bias_chart(table, names[0], theme, narrow=narrow), bias_matrix_chart(table, theme, narrow=narrow),
                       variants_chart(some, names[0], theme, narrow=narrow)):  # fmt: skip
            wrong += [f"{theme.name} {width}: {one}" for one in draw(canvas, figure, width)]
    assert not wrong, "\n".join(wrong[:20])
    assert np.isfinite(bias_chart(table, names[0], LIGHT).layout.height)
