"""Charts from tidy tables: order, marks, what is said when things are missing, and what is never claimed."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from charts.colour import contrast
from charts.coverage import coverage_chart
from charts.differences import find_differences, true_strengths
from charts.flips import flip_chart
from charts.gaps import _sides, gap_chart
from charts.ranking import ranking_chart
from charts.slope import slope_chart
from charts.theme import DARK, LIGHT, PRINT, Theme

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=lambda one: one.name)
NARROW = pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])


def compared(n: int = 6, judge: str = "gpt-4", beyond: int = 2) -> pd.DataFrame:
    """`compare`'s table for n models m1, m2, ... in the reference's order; the first `beyond` differ beyond noise."""
    k = np.arange(n)
    value = np.where(k % 2 == 0, 1.0, -1.0) * (n - k) / n
    return pd.DataFrame(
        {
            "judge": judge, "model": [f"m{i + 1}" for i in k], "strength_ref": (n - 1) / 2 - k,
            "strength_judge": (n - 1) / 2 - k[::-1], "gap": value * 2, "lower": value * 2 - 1, "upper": value * 2 + 1,
            "p": 0.5, "q": 0.9, "gap_scaled": value, "scaled_lower": value - 0.4, "scaled_upper": value + 0.4,
            "scaled_p": 0.01, "scaled_q": np.where(k < beyond, 0.01, 0.6),
        }
    )  # fmt: skip


def ranked(n: int = 6, judges: tuple[str, ...] = ("crowd", "gpt-4")) -> pd.DataFrame:
    tables = []
    for shift, judge in enumerate(judges):
        strength = (n - 1) / 2 - np.roll(np.arange(n), shift)
        rank = pd.Series(-strength).rank().astype(int)
        tables.append(
            pd.DataFrame(
                {
                    "judge": judge, "model": [f"m{i + 1}" for i in range(n)], "strength": strength,
                    "lower": strength - 0.5, "upper": strength + 0.5, "rank": rank,
                    "rank_lower": (rank - 1).clip(1), "rank_upper": (rank + 1).clip(upper=n),
                }
            )
        )  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def flipped(n: int = 4) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "judge": "gpt-4", "model_1": [f"m{i + 2}" for i in range(n)], "model_2": "m1",
            "p_flip": np.linspace(0.5, 0.999, n), "judgments": 3, "pairs": 2,
        }
    )  # fmt: skip


def covered() -> pd.DataFrame:
    rows = [("crowd", "code", 3300), ("crowd", "", 900), ("gpt-4", "code", 12)]
    return pd.DataFrame(rows, columns=["judge", "scenario", "judgments"])


def texts(figure: go.Figure) -> str:
    """Everything that is written in a figure, hover texts included, one line each, without markup."""
    out = [a.text for a in figure.layout.annotations]
    for name in figure.layout:
        if re.match(r"[xy]axis\d*$", name):
            out += [*(figure.layout[name].ticktext or ()), figure.layout[name].title.text or ""]
    for trace in figure.data:
        for part in (trace.text, trace.hovertext):
            out += [part] if isinstance(part, str) else list(np.ravel(part)) if part is not None else []
    return re.sub(r"<[^>]+>", " ", "\n".join(str(one) for one in out))


def marked(figure: go.Figure) -> list[go.Scatter]:
    """Traces with marks that can be clicked."""
    return [trace for trace in figure.data if trace.type == "scatter" and trace.customdata is not None]


DRAWN: dict[str, Callable[[Theme, bool], go.Figure]] = {
    "slope": lambda theme, narrow: slope_chart(
        compared(), "crowd", "gpt-4", theme, humans=["crowd"], narrow=narrow, ranking=ranked()
    ),
    "gap": lambda theme, narrow: gap_chart(
        compared(), "crowd", "gpt-4", theme, humans=["crowd"], narrow=narrow, ranking=ranked()
    ),
    "ranking": lambda theme, narrow: ranking_chart(ranked(), theme, humans=["crowd"], narrow=narrow),
    "flips": lambda theme, narrow: flip_chart(flipped(), theme, narrow=narrow),
    "coverage": lambda theme, narrow: coverage_chart(covered(), theme, narrow=narrow),
}
EMPTY: dict[str, Callable[[], go.Figure]] = {
    "slope": lambda: slope_chart(compared().iloc[:0], "crowd", "gpt-4", LIGHT),
    "slope of another judge": lambda: slope_chart(compared(), "crowd", "gpt-3", LIGHT),
    "gap": lambda: gap_chart(pd.DataFrame(), "crowd", "gpt-4", LIGHT),
    "ranking": lambda: ranking_chart(ranked().iloc[:0], LIGHT),
    "flips": lambda: flip_chart(flipped().iloc[:0], LIGHT),
    "coverage": lambda: coverage_chart(covered().iloc[:0], LIGHT),
}


@THEMES
@NARROW
@pytest.mark.parametrize("kind", DRAWN)
def test_every_chart_has_a_text_alternative_and_no_machine_numbers(kind: str, theme: Theme, narrow: bool) -> None:
    figure = DRAWN[kind](theme, narrow)
    written = texts(figure) + figure.layout.meta["alt"]
    assert figure.layout.meta["alt"].endswith(".")
    assert "nan" not in written.lower().replace("finan", "")
    assert not re.search(r"(?<![\w.])-\d", written), "a hyphen stands where a minus belongs"
    assert not re.search(r"\.\d{3}", written), "more than two decimals"
    assert not figure.layout.showlegend
    assert figure.layout.font.color == theme.text


@pytest.mark.parametrize("kind", EMPTY)
def test_without_rows_a_chart_is_a_sentence(kind: str) -> None:
    figure = EMPTY[kind]()
    assert len(figure.data) == 0
    assert figure.layout.annotations[0].text.endswith(".")


@NARROW
@pytest.mark.parametrize("n", [1, 2])
def test_few_rows_are_drawn(n: int, narrow: bool) -> None:
    for figure in (
        slope_chart(compared(n), "crowd", "gpt-4", LIGHT, narrow=narrow),
        gap_chart(compared(n), "crowd", "gpt-4", LIGHT, narrow=narrow, ranking=ranked(n)),
        ranking_chart(ranked(n), LIGHT, narrow=narrow),
        flip_chart(flipped(n), LIGHT, narrow=narrow),
        coverage_chart(covered().iloc[:n], LIGHT, narrow=narrow),
    ):
        assert len(figure.data) > 0


@NARROW
def test_missing_cells_are_left_out_and_said(narrow: bool) -> None:
    models = compared().astype(dict.fromkeys(("gap_scaled", "scaled_lower", "scaled_upper", "scaled_q"), "Float64"))
    models.loc[0, ["gap_scaled", "scaled_lower", "scaled_upper", "scaled_q"]] = pd.NA
    models.loc[1, "strength_judge"] = np.nan
    ranking = ranked().astype({"rank": "Int64"})
    ranking.loc[2, ["strength", "lower", "upper", "rank", "rank_lower", "rank_upper"]] = [None] * 6
    for figure in (
        slope_chart(models, "crowd", "gpt-4", LIGHT, narrow=narrow, ranking=ranking),
        gap_chart(models, "crowd", "gpt-4", LIGHT, narrow=narrow, ranking=ranking),
        ranking_chart(ranking, LIGHT, narrow=narrow),
    ):
        assert "nan" not in (texts(figure) + figure.layout.meta["alt"]).lower()
    alone = ranking_chart(ranking[ranking["judge"] == "crowd"], LIGHT, narrow=narrow)
    assert "no strength" in texts(alone)


# -- differences ---------------------------------------------------------------------------------------------------


def test_the_clearest_differences_come_first() -> None:
    models = compared()
    models["scaled_q"] = [0.6, 0.6, 0.6, 0.6, 0.01, 0.01]
    found = find_differences(models, "crowd", "gpt-4", 3)
    # Beyond noise first (m5 before m6 by size), then the largest of the rest.
    assert found.models == ("m5", "m6", "m1")
    assert found.hidden == 3
    assert found.n_beyond == 2


def test_ranks_are_of_all_models_also_when_few_are_shown() -> None:
    found = find_differences(compared(59), "crowd", "gpt-4", 5)
    assert [int(r) for r in found.rank_ref] == [int(m[1:]) for m in found.models]
    assert [int(r) for r in found.rank_judge] == [60 - int(m[1:]) for m in found.models]


def test_equal_strengths_share_a_rank() -> None:
    models = compared(3).assign(strength_ref=[0.5, 0.5 + 1e-13, -1.0])
    found = find_differences(models, "crowd", "gpt-4", None)
    assert sorted(found.rank_ref) == [1, 1, 3]
    assert found.tied_ref.sum() == 2
    figure = slope_chart(models, "crowd", "gpt-4", LIGHT)
    assert sum("1=" in label for label in figure.layout.yaxis.ticktext) == 2
    # Rows are evenly spaced all the same.
    assert list(figure.layout.yaxis.tickvals) == [0, 1, 2]


def test_without_a_scale_the_raw_gap_is_shown_and_named() -> None:
    models = compared().assign(gap_scaled=None, scaled_lower=None, scaled_upper=None, scaled_q=None)
    found = find_differences(models, "crowd", "gpt-4", None)
    assert not found.scaled
    assert found.n_beyond == 0
    assert np.allclose(np.sort(found.value), np.sort(models["gap"]))
    written = texts(gap_chart(models, "crowd", "gpt-4", LIGHT))
    assert "raw differences" in written
    assert "net of decisiveness" not in written


def test_intervals_of_the_comparison_itself_come_before_those_of_a_ranking() -> None:
    models = compared()
    for end in ("ref", "judge"):
        models[f"lower_{end}"], models[f"upper_{end}"] = (
            models[f"strength_{end}"] - 0.1,
            models[f"strength_{end}"] + 0.1,
        )
    own = find_differences(models, "crowd", "gpt-4", None, ranked())
    assert np.allclose(own.upper_ref - own.lower_ref, 0.2)
    borrowed = find_differences(compared(), "crowd", "gpt-4", None, ranked().assign(strength=lambda t: t.strength + 9))
    # An interval belongs to its mark: with the ranking's interval goes the ranking's strength.
    assert borrowed.strength_ref.min() > 5
    assert list(borrowed.rank_ref) == list(own.rank_ref)


def test_the_truth_is_read_from_strengths_over_all_scenarios_alone() -> None:
    truth = pd.DataFrame(
        {
            "kind": ["strength", "strength", "strength", "factor"], "judge": ["crowd", "crowd", "gpt-4", "crowd"],
            "scenario": [None, "code", None, None], "name": ["m1", "m1", "m1", "m2"],
            "pseudo_true": [0.5, 9.0, 8.0, 7.0],
        }
    )  # fmt: skip
    assert np.array_equal(true_strengths(truth, "crowd", ("m1", "m2")), [0.5, np.nan], equal_nan=True)
    assert np.isnan(true_strengths(None, "crowd", ("m1",))).all()
    for draw in (slope_chart, gap_chart):
        assert "simulated truth" in texts(draw(compared(), "crowd", "gpt-4", LIGHT, truth=truth))
        assert "truth" not in texts(draw(compared(), "crowd", "gpt-4", LIGHT))
    assert "simulated truth" in texts(ranking_chart(ranked(), LIGHT, truth=truth))


def lines(figure: go.Figure) -> dict[tuple[str, str | None], list[tuple[int, int]]]:
    """(colour, dash) -> rows from which and to which the slope chart's lines run."""
    out = {}
    for trace in figure.data:
        if trace.mode == "lines" and trace.xaxis == "x2":
            ends = list(zip(trace.y[0::3], trace.y[1::3], strict=True))
            out[(trace.line.color, trace.line.dash)] = ends
    return out


# -- slope ---------------------------------------------------------------------------------------------------------


@NARROW
def test_a_slope_runs_from_one_rank_to_the_other(narrow: bool) -> None:
    figure = slope_chart(compared(4, beyond=4), "crowd", "gpt-4", LIGHT, narrow=narrow)
    ends = {end for ends in lines(figure).values() for end in ends}
    assert ends == {(0, 3), (1, 2), (2, 1), (3, 0)}
    left, right = (re.sub(r"<[^>]+>", "", figure.layout[axis].ticktext[0]) for axis in ("yaxis", "yaxis2"))
    assert left.split() == ["m1", "1"]
    assert right.split() == ["1", "m4"]


def test_lines_within_noise_are_grey_and_dotted_the_others_in_the_colour_of_whom_they_favour() -> None:
    models = compared(4, beyond=2)
    figure = slope_chart(models, "crowd", "gpt-4", LIGHT, humans=["crowd"])
    # m1 is held higher by the judge, m2 by people; m3 and m4 are within noise.
    assert lines(figure) == {
        (LIGHT.judges[0], None): [(0, 3)],
        (LIGHT.people, None): [(1, 2)],
        (LIGHT.noise, "dot"): [(2, 1), (3, 0)],
    }


def test_nothing_beyond_noise_is_said_and_nothing_highlighted() -> None:
    figure = slope_chart(compared(beyond=0), "crowd", "gpt-4", LIGHT)
    assert "none of these models differs beyond noise" in texts(figure)
    assert "Solid" not in texts(figure)
    assert "0 differ beyond noise." in figure.layout.meta["alt"]
    assert not any("<b>" in label for label in figure.layout.yaxis.ticktext)


def test_how_many_are_not_shown_is_said() -> None:
    for draw in (slope_chart, gap_chart):
        assert "44 more are not shown" in texts(draw(compared(59), "crowd", "gpt-4", LIGHT))
        assert "not shown" not in texts(draw(compared(59), "crowd", "gpt-4", LIGHT, most=59))
    assert "44 more are not shown" in texts(ranking_chart(ranked(59), LIGHT))
    assert "28 more are not shown" in texts(flip_chart(flipped(40), LIGHT))


def test_clicked_marks_name_their_model_in_full() -> None:
    names = {f"m{k}": "org/" + f"{k}-" + "x" * 70 for k in range(1, 7)}
    models = compared().replace({"model": names})
    for figure in (slope_chart(models, "crowd", "gpt-4", LIGHT), gap_chart(models, "crowd", "gpt-4", LIGHT)):
        clickable = marked(figure)
        assert clickable
        for trace in clickable:
            assert all(len(row) == 1 and row[0] in names.values() for row in trace.customdata)


def test_display_names_are_shown_and_own_names_clicked() -> None:
    figure = slope_chart(compared(2), "crowd", "gpt-4", LIGHT, labels={"m1": "Model A"})
    assert any("Model A" in label for label in figure.layout.yaxis.ticktext)
    assert ["m1"] in [list(row) for trace in marked(figure) for row in trace.customdata]


def test_markup_in_names_does_not_become_markup() -> None:
    models = compared(2).assign(model=["<b>bold</b>", "a & b"])
    figure = slope_chart(models, "<i>crowd</i>", "gpt-4", LIGHT)
    written = "\n".join([*figure.layout.yaxis.ticktext, *(a.text for a in figure.layout.annotations)])
    assert "&lt;b&gt;bold&lt;/b&gt;" in written
    assert "<i>" not in written


# -- gaps ----------------------------------------------------------------------------------------------------------


def test_filled_beyond_noise_hollow_within() -> None:
    figure = gap_chart(compared(), "crowd", "gpt-4", DARK)
    by_name = {trace.name: trace for trace in figure.data if trace.name}
    assert by_name["beyond noise"].marker.color == DARK.text
    assert sorted(row[0] for row in by_name["beyond noise"].customdata) == ["m1", "m2"]
    assert by_name["within noise"].marker.color == DARK.background
    assert by_name["within noise"].marker.line.color == DARK.noise


def test_the_difference_is_judge_minus_reference_and_says_so() -> None:
    figure = gap_chart(compared(1), "crowd", "gpt-4", LIGHT)
    difference = next(trace for trace in figure.data if trace.name == "beyond noise")
    assert difference.x[0] == 1.0
    assert figure.layout.xaxis2.title.text.replace("<br>", " ") == "gpt-4 minus crowd, log-odds, net of decisiveness"


def test_at_phone_width_only_the_difference_stays() -> None:
    figure = gap_chart(compared(), "crowd", "gpt-4", LIGHT, narrow=True)
    assert {trace.xaxis for trace in figure.data} == {"x2"}


# -- ranking -------------------------------------------------------------------------------------------------------


def test_people_come_first_and_models_in_their_order() -> None:
    figure = ranking_chart(ranked(judges=("gpt-4", "crowd")), LIGHT, humans=["crowd"])
    first = figure.layout.yaxis.ticktext[0]
    table = ranked(judges=("gpt-4", "crowd")).query("judge == 'crowd'").set_index("model")
    assert table["rank"][first] == 1
    assert [trace.name for trace in marked(figure)] == ["crowd", "gpt-4"]


def test_rank_intervals_stand_beside_the_rows() -> None:
    written = texts(ranking_chart(ranked(judges=("crowd",)), LIGHT))
    assert "1 [1–2]" in written
    assert "6 [5–6]" in written


def test_more_judges_than_fit_are_counted() -> None:
    figure = ranking_chart(ranked(judges=tuple(f"j{k}" for k in range(9))), LIGHT)
    assert len(marked(figure)) == 6
    assert "3 judges more than fit one chart" in texts(figure)


@NARROW
def test_short_names_of_judges_are_written_out(narrow: bool) -> None:
    for figure in (
        ranking_chart(ranked(judges=("people", "judge-1", "gpt-3.5")), LIGHT, narrow=narrow),
        slope_chart(compared(judge="judge-1"), "people", "judge-1", LIGHT, narrow=narrow),
        gap_chart(compared(judge="judge-1"), "people", "judge-1", LIGHT, narrow=narrow),
    ):
        said = "\n".join(note.text for note in figure.layout.annotations)
        assert "people" in said
        assert "judge-1" in said
        assert "…" not in said


# -- flips ---------------------------------------------------------------------------------------------------------


def test_flips_are_sorted_by_how_sure_they_are() -> None:
    figure = flip_chart(flipped(), LIGHT, most=3)
    probabilities = [p for trace in marked(figure) for p in trace.x]
    assert sorted(probabilities, reverse=True) == sorted(flipped()["p_flip"], reverse=True)[:3]
    assert "m5" in figure.layout.yaxis.ticktext[0]


def test_before_is_only_said_where_the_references_order_is_known() -> None:
    without = flip_chart(flipped(), LIGHT)
    assert "before" not in "".join(without.layout.yaxis.ticktext)
    oriented = flip_chart(flipped(), LIGHT, models=compared(), reference="crowd")
    # The reference puts m1 on top.
    assert all(row[0] == "m1" for trace in marked(oriented) for row in trace.customdata)
    assert all(re.match(r"m1<br>.*before", label) for label in oriented.layout.yaxis.ticktext)
    assert "Order by crowd" in texts(oriented)


def test_no_probability_is_called_certain() -> None:
    figure = flip_chart(flipped(1).assign(p_flip=1.0), LIGHT)
    assert "> 99 %" in texts(figure)
    assert "100 %" not in figure.layout.meta["alt"]


# -- coverage ------------------------------------------------------------------------------------------------------


def test_counts_stand_in_cells_and_empty_ones_are_zero() -> None:
    figure = coverage_chart(covered(), LIGHT)
    assert list(figure.layout.xaxis.ticktext) == ["code", "no scenario"]
    assert list(figure.layout.yaxis.ticktext) == ["crowd", "gpt-4"]
    assert list(figure.data[1].text) == ["3,300", "900", "12", "0"]
    assert figure.data[0].customdata[0][1] == ["crowd", ""]


@THEMES
def test_numbers_on_cells_can_be_read(theme: Theme) -> None:
    counts = np.arange(0, 101, 10) ** 2
    figure = coverage_chart(
        pd.DataFrame({"judge": [f"j{k}" for k in range(11)], "scenario": "", "judgments": counts}), theme
    )
    shades = np.ravel(figure.data[0].z)
    channels = {c: np.array([int(c[k : k + 2], 16) for k in (1, 3, 5)]) / 255 for c in (theme.second, theme.people)}
    inks = figure.data[1].textfont.color
    for shade, ink in zip(shades, inks, strict=True):
        ground = (1 - shade) * channels[theme.second] + shade * channels[theme.people]
        rgb = np.array([int(ink[k : k + 2], 16) for k in (1, 3, 5)]) / 255
        assert contrast(rgb, ground) > 4.4  # the best that black or white can do on a mid-tone is 4.58 : 1


def test_many_scenarios_run_down_the_rows() -> None:
    rows = [(j, f"s{k:02}", k + 1) for j in ("crowd", "gpt-4") for k in range(58)]
    figure = coverage_chart(pd.DataFrame(rows, columns=["judge", "scenario", "judgments"]), LIGHT)
    assert len(figure.layout.yaxis.ticktext) == 58
    assert list(figure.layout.xaxis.ticktext) == ["crowd", "gpt-4"]
    assert list(figure.data[0].customdata[0][1]) == ["gpt-4", "s57"]


def test_what_cannot_be_shown_at_phone_width_is_counted() -> None:
    rows = [(f"j{j}", f"s{k:02}", k + 1) for j in range(65) for k in range(16)]
    figure = coverage_chart(pd.DataFrame(rows, columns=["judge", "scenario", "judgments"]), LIGHT, narrow=True)
    shown = len(figure.layout.xaxis.ticktext)
    assert shown < 16
    said = " ".join(texts(figure).split())
    assert f"{16 - shown} scenarios with the fewest judgments are not shown" in said


def test_contrast_by_hand() -> None:
    assert contrast(np.zeros(3), np.ones(3)) == pytest.approx(21)
    assert contrast(np.ones(3), np.ones(3)) == pytest.approx(1)


def test_no_word_of_a_head_is_broken_across_lines() -> None:
    scenarios = ["summarise", "plan", "advice", "compare", "explain", "factual question", "code help", "ideas"]
    rows = [(judge, s, 640) for judge in ("people", "magpie-judge") for s in scenarios]
    for narrow in (False, True):
        figure = coverage_chart(pd.DataFrame(rows, columns=["judge", "scenario", "judgments"]), LIGHT, narrow=narrow)
        layout = figure.layout
        heads = "|".join([*layout.xaxis.ticktext, *layout.yaxis.ticktext])
        assert all(word in heads for s in scenarios for word in s.split())
    assert "factual<br>question" in coverage_chart(
        pd.DataFrame(rows, columns=["judge", "scenario", "judgments"]), LIGHT
    ).layout.xaxis.ticktext


def test_the_sides_of_a_gap_share_their_row_by_need() -> None:
    names = ("panel", "gpt-judge-4.1")
    whole = _sides(names, 165.0, LIGHT)
    assert [one.lines for one in whole] == [("panel",), ("gpt-judge-4.1",)]
    assert [one.lines for one in _sides(names, 130.0, LIGHT)] == [("panel",), ("gpt-", "judge-4.1")], "4.1 stays whole"
