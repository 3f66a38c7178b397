"""Is a table shown as people read it, and taken away as it is?"""

import pandas as pd

from studies.rank import Rank
from studies.study import Result
from ui.figure import WIDEST, _width, with_intervals
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
