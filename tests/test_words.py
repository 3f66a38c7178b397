"""Numbers as people read them: at most two decimals, no leading zero, a true minus."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from charts import words


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.731, ".73"), (-1.2, "−1.20"), (12.0, "12.0"), (9.996, "10.0"), (-26.81, "−26.8"), (99.96, "100"), (-0.004, ".00"), (0.999, "1.00"), (-0.5, "−.50"),
        (1204, "1,204"), (-3, "−3"), (0, "0"), (np.int64(2139), "2,139"), (np.float64(0.25), ".25"),
        (1234.6, "1,235"), (None, ""), (float("nan"), ""), (float("inf"), ""), (pd.NA, ""),
    ],
)  # fmt: skip
def test_number(value: object, said: str) -> None:
    assert words.number(value) == said


def test_number_without_decimals_keeps_its_zero() -> None:
    assert words.number(0.2, 0) == "0"
    assert words.number(-0.2, 0) == "0"
    assert words.number(2.0, 0) == "2"


def test_interval_and_estimate() -> None:
    assert words.interval(0.56, 0.79) == "[.56, .79]"
    assert words.interval(None, 0.79) == ""
    assert words.estimate(0.73, 0.56, 0.79) == ".73 [.56, .79]"
    assert words.estimate(0.73, None, None) == ".73"
    assert words.estimate(None, None, None) == ""


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.664, "66 %"), (1.0, "100 %"), (-0.05, "−5 %"), (None, ""), (0.0, "0 %"), (-0.001, "0 %"), (0.665, "67 %"), (12.3, "1230 %")],
)
def test_share(value: float | None, said: str) -> None:
    assert words.share(value) == said


def test_a_share_is_rounded_as_the_number_beside_it() -> None:
    for n in range(1, 260):
        for k in range(n):
            digits = words.number(k / n)
            assert float(words.share(k / n).removesuffix(" %")) == pytest.approx(100 * float(digits or 0)), (k, n)
    with words.decimals(3):
        assert words.share(0.6655) == "66.5 %"
        assert words.number(0.6655) == ".665"
        assert words.share(0.0) == "0.0 %"


@pytest.mark.parametrize(
    ("value", "said"), [(0.0004, "< .001"), (0.0042, ".004"), (0.031, ".03"), (0.5, ".50"), (None, "")]
)
def test_p_value(value: float | None, said: str) -> None:
    assert words.p_value(value) == said


def test_plural() -> None:
    assert words.plural(1, "prompt") == "1 prompt"
    assert words.plural(0, "prompt") == "0 prompts"
    assert words.plural(2139, "pair") == "2,139 pairs"
    assert words.plural(2, "entry", "entries") == "2 entries"


def test_amounts() -> None:
    assert words.amounts(pair=2139, prompt=1) == "2,139 pairs, 1 prompt"


def test_listing() -> None:
    assert words.listing([]) == ""
    assert words.listing(["a"]) == "a"
    assert words.listing(["a", "b"]) == "a and b"
    assert words.listing(["a", "b", "c"]) == "a, b and c"
    assert words.listing(list("abcdefg")) == "a, b, c and 4 more"


def test_shorten_cuts_the_middle_and_keeps_both_ends() -> None:
    name = "organisation/" + "x" * 80 + "-v2"
    short = words.shorten(name, 20)
    assert len(short) == 20
    assert short.startswith("organisation")
    assert short.endswith("-v2")
    assert words.shorten("short", 20) == "short"


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["clustered by 146 prompts (CR1)", "clustered by 1,160 prompts (CR1)", "clustered by 152 prompts (CR1)"],
         "clustered by 146 to 1,160 prompts (CR1)"),
        (["20 prompts (jackknife, CR3), t with 19 degrees of freedom", "60 prompts (CR1), normal",
          "12 prompts (jackknife, CR3), t with 11 degrees of freedom"],
         "12 to 20 prompts (jackknife, CR3), t with 11 to 19 degrees of freedom / 60 prompts (CR1), normal"),
        (["by 9 prompts", "by 9 prompts"], "by 9 prompts"),
        (["5 % of 7", "none"], "5 % of 7 / none"),
        ([], ""),
    ],
)  # fmt: skip
def test_sentences_that_differ_in_their_numbers_alone_are_one(texts: list[str], said: str) -> None:
    assert words.ranges(texts) == said


def test_votes_of_one_person_are_not_said_to_be_people() -> None:
    assert words.among_themselves("people") == "people with one another"
    assert words.among_themselves("crowd") == "crowd with one another"
    assert words.among_themselves("Ben") == "two votes of Ben"


def test_one_that_is_not_shown_is_one() -> None:
    assert words.not_shown(1) == "1 more is not shown"
    assert words.not_shown(1_044) == "1,044 more are not shown"
