"""What does the chart of the corrected ranking draw, and what does its section say?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from toy import spaced

from analysis.tables import floats, integers
from charts.correct import correct_chart
from charts.theme import DARK, LIGHT, PRINT, Theme
from ui.sections import correct

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=lambda one: one.name)
NARROW = pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
METHODS = ("corrected", "classical", "naive")


def models(n: int = 4, absent: tuple[str, ...] = (), left_out: bool = False) -> pd.DataFrame:
    """`correct`'s models: naive strengths are twice the others; the last model has no strength where left out."""
    value = np.linspace(1, -1, n)
    if left_out:
        value[-1] = np.nan
    out: dict[str, object] = {"judge": "robot", "model": [f"m{k} <b>" for k in range(n)]}
    for name in METHODS:
        at = np.full(n, np.nan) if name in absent else value * (2 if name == "naive" else 1)
        head = "" if name == "corrected" else f"{name}_"
        out |= {name: floats(at), f"{head}se": floats(at * 0 + 0.1), f"{head}lower": floats(at - 0.2),
                f"{head}upper": floats(at + 0.2)}  # fmt: skip
        out[f"{head}rank"] = integers([None if name in absent else k + 1 for k in range(n)])
    for end, shift in (("lower", 0), ("upper", 1)):
        out[f"rank_{end}"] = integers([None if "corrected" in absent else min(k + 1 + shift, n) for k in range(n)])
    out |= {"labelled": integers([10] * n), "unlabelled": integers([20] * n)}
    return pd.DataFrame(out)


def points(figure: go.Figure) -> list[go.Scatter]:
    return [trace for trace in figure.data if trace.mode == "markers" and trace.customdata is not None]


def texts(figure: go.Figure) -> list[str]:
    return [str(annotation.text) for annotation in figure.layout.annotations]


@THEMES
@NARROW
def test_three_marks_a_model(theme: Theme, narrow: bool) -> None:
    figure = correct_chart(models(), "people", "robot", theme, humans=("people",), narrow=narrow)
    corrected, classical, naive = points(figure)
    assert list(corrected.x) == list(classical.x)
    assert list(naive.x) == pytest.approx([2 * x for x in corrected.x])
    assert corrected.marker.color == theme.people
    assert (classical.marker.color, classical.marker.line.color) == (theme.background, theme.people)
    assert naive.marker.color == theme.zero
    assert naive.marker.size < classical.marker.size < corrected.marker.size
    assert (corrected.marker.symbol, naive.marker.symbol) == ("circle", "square")
    # Above one another, within their row.
    assert [round(trace.y[1], 2) for trace in (corrected, classical, naive)] == [0.76, 1.0, 1.24]
    assert texts(figure)[1:5] == (["1", "2", "3", "4"] if narrow else ["1 [1, 2]", "2 [2, 3]", "3 [3, 4]", "4"])
    assert "<b>" not in corrected.hovertext[0].removeprefix("<b>m0 &lt;b&gt;</b>")
    assert figure.layout.meta["alt"].startswith("Strengths of 4 models: corrected, people alone and robot alone. First,")


def test_the_heads_say_whose_marks_they_are() -> None:
    heads = texts(correct_chart(models(), "people", "robot", LIGHT, humans=("people",)))[5]
    assert heads.replace("\u00a0", " ").count("alone") == 2
    assert heads.index("corrected") < heads.index("people alone") < heads.index("robot alone")
    long = correct_chart(models(), "people", "a judge with a very, very long name", LIGHT, humans=("people",), narrow=True)
    assert "<br>" in texts(long)[5]


@NARROW
def test_without_a_correction_it_is_people_alone(narrow: bool) -> None:
    figure = correct_chart(models(absent=("corrected",)), "people", "robot", LIGHT, humans=("people",), narrow=narrow)
    assert [trace.name for trace in points(figure)] == ["people alone", "robot alone"]
    assert texts(figure)[1:5] == ["1", "2", "3", "4"]
    only = correct_chart(models(absent=("corrected", "naive")), "people", "robot", LIGHT)
    assert [trace.name for trace in points(only)] == ["people alone"]
    assert not any("bias" in text for text in texts(only))


def test_models_without_a_strength_say_so_and_hidden_ones_are_counted() -> None:
    figure = correct_chart(models(left_out=True), "people", "robot", LIGHT)
    assert sum("no strength" in text for text in texts(figure)) == 1
    many = correct_chart(models(40), "people", "robot", LIGHT, most=15)
    assert len(points(many)[0].x) == 15
    assert any("25 more are not shown" in text.replace("<br>", " ") for text in texts(many))
    none = correct_chart(models(0), "people", "robot", LIGHT)
    assert not none.data
    assert texts(none) == ["No model could be ranked."]


# -- the sentences --------------------------------------------------------------------------------------------------


ROW = {"judge": "robot", "lambda": 0.3, "gain": 1.2, "worth": 100.0, "potential_gain": 1.25, "labelled": 500,
       "unlabelled": 2000, "masking_gain": 1.1, "prompts": 60, "intervals": "clustered by 60 prompts"}  # fmt: skip


def test_the_finding_says_what_the_judge_is_worth() -> None:
    said = correct.finding(ROW, models(), "people")
    assert said == (
        "**The verdicts of robot on 2,000 more pairs are worth 100 more pairs with votes of people** (20.0 % more than "
        "their 500). None of 4 models changes rank; robot alone would put 4 of them outside the corrected intervals."
    )
    swapped = models().assign(classical_rank=integers([2, 1, 3, 4]))
    assert " 2 of 4 models change rank;" in correct.finding(ROW, swapped, "people")
    nothing = correct.finding(ROW | {"gain": 1.004, "worth": 2.0}, models(), "people")
    assert nothing.startswith("**The verdicts of robot on 2,000 more pairs add next to nothing to the 500 that people judged.**")


def test_too_few_pairs_tell_nothing_of_the_judge() -> None:
    said = correct.finding(ROW | {"gain": None, "worth": None, "labelled": 3}, models(), "people")
    assert said.startswith("**The votes of people on 3 pairs cannot tell what robot is worth to them.**")


def test_without_further_pairs_it_says_what_more_could_bring() -> None:
    row = ROW | {"gain": None, "worth": None, "unlabelled": 0}
    said = correct.finding(row, models(absent=("corrected",)), "people")
    assert said == (
        "**people judged all of the 500 pairs, so there is nothing to correct.** Verdicts of robot on any number of "
        "further pairs would be worth at most 25.0 % more votes."
    )
    assert correct.finding(row | {"potential_gain": None}, models(absent=("corrected",)), "people").endswith("correct.**")


def test_the_sample_is_in_doubt_only_beyond_chance() -> None:
    sample = pd.DataFrame(
        {"judge": "robot", "kind": ["scenario", "length"], "trait": ["maths", "one twice the other"],
         "labelled": [0.5, 0.2], "unlabelled": [0.3, 0.21], "q": [0.01, 0.6]}
    )  # fmt: skip
    said = spaced(correct.fairness(sample, "people"))
    assert said.startswith("**Corrected strengths hold only where the pairs that people judged are a fair sample of all.**")
    assert r"Here that is in doubt\: they differ most in “scenario maths” \(50 % of them, 30 % of the others\)" in said
    assert "doubt" not in correct.fairness(sample.assign(q=0.5), "people")


def test_the_masking_experiment_in_a_sentence() -> None:
    masking = pd.DataFrame({"judge": "robot", "method": list(METHODS), "rmse": [0.2, 0.25, 0.6], "hidden": 400, "kept": 100})
    said = correct.masked(masking, ROW, "people")
    assert said.startswith("**With the votes of people on 400 of 500 pairs hidden**, corrected comes nearest")
    assert "With the judge's help 100 pairs counted for 110." in said
    assert "counted" not in correct.masked(masking, ROW | {"masking_gain": None}, "people")
    assert "robot alone comes nearest" in correct.masked(masking.assign(rmse=[0.3, 0.4, 0.1]), ROW, "people")
