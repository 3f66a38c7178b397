"""Tests of several hypotheses, against statsmodels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from analysis.multiple import adjust_bh, adjust_by, adjust_holm


def test_by_hand():
    p = np.array([0.04, 0.01, 0.03])
    assert adjust_bh(p) == pytest.approx([0.04, 0.03, 0.04])
    assert adjust_holm(p) == pytest.approx([0.06, 0.03, 0.06])
    # Times 1 + 1/2 + 1/3.
    assert adjust_by(p) == pytest.approx(np.array([0.04, 0.03, 0.04]) * 11 / 6)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_statsmodels_adjusts_alike(values):
    p = np.array(values)
    assert adjust_bh(p) == pytest.approx(multipletests(p, method="fdr_bh")[1], abs=1e-12)
    assert adjust_by(p) == pytest.approx(multipletests(p, method="fdr_by")[1], abs=1e-12)
    assert adjust_holm(p) == pytest.approx(multipletests(p, method="holm")[1], abs=1e-12)


@pytest.mark.parametrize("adjust", [adjust_bh, adjust_by, adjust_holm])
def test_undefined_is_no_test(adjust):
    p = np.array([0.01, np.nan, 0.04])
    found = adjust(p)
    assert np.isnan(found).tolist() == [False, True, False]
    assert found[[0, 2]] == pytest.approx(adjust(p[[0, 2]]))
    assert len(adjust(np.array([]))) == 0
    assert p[0] == 0.01  # the argument is left alone
