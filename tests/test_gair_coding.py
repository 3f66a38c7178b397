"""Each published rule of coding by hand, and that exchanging the two answers turns every sign."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.gair_coding import LONGER_FROM, RULES, any_of_it, coded, fewer, longer, negated, sign
from data.gair_properties import NAMES, PROPERTIES


def test_sign():
    assert sign([3, 1, 2, -2.0, 1.5], [1, 3, 2, 2, 1]).tolist() == [1, -1, 0, -1, 1]


def test_repetitive_is_turned_over():
    assert negated([3, 0, 1], [1, 2, 1]).tolist() == [-1, 1, 0]


def test_fewer_errors_are_better():
    assert fewer([0, 2, 1], [1, 0, 1]).tolist() == [1, -1, 0]
    with pytest.raises(ValueError, match="0 or more"):
        fewer([-1], [0])


def test_relevance_counts_only_whether_there_is_any():
    assert any_of_it([3, 1, 0, 0, 1], [1, 3, 1, 0, 0]).tolist() == [0, 0, -1, 0, 1]


@pytest.mark.parametrize(
    ("short", "long", "found"),
    [
        # At most .7 of it and at least 10 fewer.
        (14, 20, 0), (20, 29, 0), (20, 30, 1), (70, 100, 1), (71, 100, 1),
        # At most .8 and at least 20 fewer.
        (72, 91, 0), (80, 100, 1), (81, 101, 0), (79, 99, 1),
        # At most .9 and at least 40 fewer.
        (360, 400, 1), (361, 401, 0), (361, 402, 1), (350, 389, 0),
        # The lookup: from 12 words on it no longer holds.
        (12, 20, 0), (12, 22, 1), (13, 23, 1),
    ],
)  # fmt: skip
def test_length(short, long, found):
    assert longer([long], [short]).tolist() == [found]
    assert longer([short], [long]).tolist() == [-found]


def test_short_answers_have_a_table():
    needed = {0: 1, 1: 3, 2: 5, 3: 7, 4: 8, 5: 10, 6: 11, 7: 13, 8: 14, 9: 16, 10: 17, 11: 19}
    assert dict(enumerate(LONGER_FROM.tolist())) == needed
    for short, least in needed.items():
        assert longer([least], [short]).tolist() == [1]
        assert longer([least - 1], [short]).tolist() == [0]


@given(
    name=st.sampled_from(NAMES),
    a=st.one_of(st.none(), st.integers(0, 500)),
    b=st.one_of(st.none(), st.integers(0, 500)),
)
def test_exchange_turns_every_sign(name, a, b):
    x, y = (float("nan") if v is None else v for v in (a, b))
    one, other = coded(name, [x], [y]), coded(name, [y], [x])
    if a is None or b is None:
        assert np.isnan(one).all()
        assert np.isnan(other).all()
    else:
        assert one.tolist() == [-v for v in other.tolist()]
        assert one[0] in (-1, 0, 1)


def test_every_property_has_a_rule():
    assert len(PROPERTIES) == len(set(NAMES)) == 29
    assert set(RULES) <= set(NAMES)
    assert coded("clear", [2], [1]).tolist() == [1]
    assert coded("non-repetitive", [2], [1]).tolist() == [-1]
    assert coded("no severe errors", [2], [1]).tolist() == [-1]
    assert coded("relevant", [2], [1]).tolist() == [0]
    assert coded("lengthy", [200], [100]).tolist() == [1]


@pytest.mark.real
def test_names_are_those_of_the_published_weights(real):
    import csv

    with (real / "gair_preference_dissection" / "fitted_weights.csv").open() as file:
        published = list(dict.fromkeys(row["property"] for row in csv.DictReader(file)))
    assert list(NAMES) == published
