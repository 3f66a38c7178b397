"""What do the sections of the page Factors say of their numbers? Pure functions, by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from charts import words
from exports.text import for_people
from ui.sections.decided import gap_in_words
from ui.sections.otherwise import GAPS, _lead

GAP = {"gap": 0.5, "lower": 0.1, "upper": 0.9, "q": 0.03,
       "gap_scaled": -0.53, "scaled_lower": -0.84, "scaled_upper": -0.22, "scaled_q": 0.01}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, "net gap −.53 [−.84, −.22], beyond noise"),
        ({"scaled_q": 0.2}, "net gap −.53 [−.84, −.22], within noise, so these pairs only illustrate it"),
        ({"gap_scaled": pd.NA}, "plain gap .50 [.10, .90], beyond noise"),
        ({"scaled_q": pd.NA}, "net gap −.53 [−.84, −.22]"),
    ],
)  # fmt: skip
def test_a_gap_says_whether_it_is_one(change: dict[str, object], said: str) -> None:
    assert gap_in_words(GAP | change).replace("\\", "") == said


@pytest.mark.parametrize(
    ("value", "said"), [(85.0, "85"), (1204.0, "1,204"), (7.5, "7.50"), (0.0, "0"), (-3.0, "−3"), (pd.NA, ""), (1e6, "1,000,000")]
)  # fmt: skip
def test_counts_have_no_decimals(value: float, said: str) -> None:
    assert words.amount(value) == said


def test_what_responses_have_of_a_factor_is_written_as_an_amount() -> None:
    table = pd.DataFrame({"a": pd.array([75.0, 0.74], "Float64"), "b": pd.array([1.0, None], "Float64"), "weight": [1.0, 2.0]})
    assert for_people(table).to_numpy().tolist() == [["75", "1", "1.00"], [".74", "", "2.00"]]


def test_p_values_never_read_as_nothing() -> None:
    tests = ("p", "q", "p_holm", "p_clustered", "p_naive", "p_no_ties", "q_no_ties", "scaled_q")
    assert for_people(pd.DataFrame({name: [0.00004] for name in tests})).iloc[0].tolist() == ["< .001"] * len(tests)
    # Chances are no p-values.
    assert for_people(pd.DataFrame({"p_flip": [0.00004], "p_best": [0.0], "p_a": [0.0]})).iloc[0].tolist() == [".00"] * 3


def test_without_models_nothing_is_said_of_them() -> None:
    assert "models" in _lead(GAPS, True)
    assert "models" not in _lead(GAPS, False)
