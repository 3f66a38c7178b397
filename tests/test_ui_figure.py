"""Is a table shown as people read it, and taken away as it is?"""

from dataclasses import replace

import pandas as pd
import plotly.io
import pytest

from charts import words
from charts.theme import DARK, LIGHT
from exports.drawings import in_order, rankings
from studies.rank import Rank
from studies.study import Result
from ui.figure import WIDEST, Finished, _drawn, _width, with_intervals
from ui.take_away import as_csv, file_name


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {"model": ["=cmd()", "b"], "strength": pd.array([0.123456789, None], dtype="Float64"),
         "lower": pd.array([-1.0, None], dtype="Float64"), "upper": pd.array([1.0, None], dtype="Float64")}
    )  # fmt: skip


def test_an_interval_is_one_cell_and_undefined_is_empty():
    shown = with_intervals(frame(), {"model": "", "strength": "", "interval": "", "absent": ""})
    assert list(shown.columns) == ["model", "strength", "interval"]
    assert list(shown["interval"]) == ["[−1.00, 1.00]", ""]


def test_a_file_has_all_digits_and_no_formula():
    lines = as_csv(frame()).decode().splitlines()
    assert lines == ["model,strength,lower,upper", "'=cmd(),0.123456789,-1.0,1.0", "b,,,"]


def test_a_file_name_suits_every_file_system_and_latex():
    result = Result(Rank(), {}, {}, {"dataset": "../a/b: c.5 模型 ü🦜"}, (), "", "")
    assert file_name(result, "ranking") == "a-b-c-5-MoXing-u-parrot-rank-ranking.csv"


def test_a_column_of_long_names_has_room_for_them():
    """An even share of the table would cut them; short names and numbers share what is left."""
    assert _width(pd.Series(["people", "gpt-4"])) is None
    assert _width(pd.Series([1.5, 2e9])) is None
    assert _width(pd.Series([], dtype=object)) is None
    assert _width(pd.Series(["Length (words), whole", None])) == 7 * 21 + 24
    assert _width(pd.Series(["x" * 500])) == WIDEST


# -- what is drawn once for all who look at the same ----------------------------------------------------------------


def ranked(strength: float = 0.5, kept_as: object = "an answer") -> Result:
    """A ranking of two models; kept_as : equal for equal answers, as a page's answers have it"""
    table = pd.DataFrame({
        "judge": ["people"] * 2, "model": ["one", "two"], "strength": [strength, -strength],
        "lower": [strength - 1, -strength - 1], "upper": [strength + 1, 1 - strength],
        "rank": [1, 2], "rank_lower": [1, 1], "rank_upper": [2, 2],
    })  # fmt: skip
    return Result(Rank(), {"ranking": table}, {}, {}, (), "", "", humans=("people",), kept_as=kept_as)


def test_a_chart_is_drawn_once_for_equal_answers_and_anew_for_all_else():
    times = []

    def drawn(result=None, theme=LIGHT, narrow=False, **more):
        """Whether it was drawn, and not found."""
        drawing = rankings.ranking(result or ranked(), **more)
        before = len(times)
        _drawn(replace(drawing, draw=lambda *look: times.append(look) or drawing.draw(*look)), theme, narrow)
        return len(times) > before

    assert [drawn(), drawn(), drawn(most=2), drawn(most=2)] == [True, False, True, False]
    with words.decimals(4):
        finer = drawn()
    truth = pd.DataFrame({"judge": ["people"] * 2, "model": ["one", "two"], "truth": [0.1, 0.2]})
    others = [
        drawn(theme=DARK), drawn(theme=replace(LIGHT, order=("people", "gpt"))), drawn(narrow=True), drawn(most=1),
        drawn(small=True), drawn(truth=truth), drawn(truth=truth * 1), finer, drawn(ranked(kept_as="another answer")),
    ]  # fmt: skip
    assert others == [True] * 6 + [False] + [True] * 2  # the truth in two tables of equal cells


def test_a_chart_of_an_answer_that_nobody_keeps_is_drawn_each_time():
    drawing, times = rankings.ranking(ranked(kept_as=None)), []
    for _ in range(2):
        _drawn(replace(drawing, draw=lambda *look: times.append(look) or drawing.draw(*look)), LIGHT, False)
    assert len(times) == 2


def test_marks_in_another_order_are_another_drawing():
    plain = rankings.ranking(ranked())
    assert plain.key is not None
    assert len({plain.key, in_order(plain, ("people",)).key, in_order(plain, ("gpt", "people")).key}) == 3


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
def test_the_browser_gets_the_figure_that_was_drawn(narrow):
    drawing = rankings.ranking(ranked())
    figure = drawing.draw(LIGHT, narrow)
    finished = Finished(_drawn(drawing, LIGHT, narrow))
    assert plotly.io.to_json(finished.to_dict(), validate=False) == plotly.io.to_json(figure, validate=False)
    assert finished.alt == figure.layout.meta["alt"] != ""
