"""Welch's test over scenarios: by hand, against statsmodels and scipy, and its level."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.oneway import anova_oneway

from analysis.heterogeneity import find_heterogeneity


def test_by_hand_with_known_errors():
    # Estimates 0, 1, 2 with standard errors 1, 1, 1: mean 1, Q = 1 + 0 + 1 = 2 on two degrees of freedom.
    found = find_heterogeneity(np.array([[0.0], [1], [2]]), np.ones((3, 1)), np.full((3, 1), np.inf))
    assert found.q[0] == pytest.approx(2)
    assert found.p[0] == pytest.approx(np.exp(-1))
    assert found.df_2[0] == np.inf


@pytest.mark.parametrize("sizes", [(5, 9), (4, 7, 20), (3, 30, 8, 6, 11)])
def test_parity_with_welch_on_groups(sizes):
    rng = np.random.default_rng(len(sizes))
    groups = [rng.normal(k / 4, 1 + k, n) for k, n in enumerate(sizes)]
    mean = np.array([[g.mean()] for g in groups])
    se = np.array([[g.std(ddof=1) / np.sqrt(len(g))] for g in groups])
    df = np.array([[len(g) - 1.0] for g in groups])
    found = find_heterogeneity(mean, se, df, least_df=0)
    peer = anova_oneway(groups, use_var="unequal", welch_correction=True)
    assert found.statistic[0] == pytest.approx(peer.statistic, rel=1e-10)
    assert found.df_2[0] == pytest.approx(peer.df_denom, rel=1e-10)
    assert found.p[0] == pytest.approx(peer.pvalue, rel=1e-8)
    if len(sizes) == 2:
        assert found.p[0] == pytest.approx(stats.ttest_ind(*groups, equal_var=False).pvalue, rel=1e-8)


def test_order_sign_and_place_change_nothing():
    rng = np.random.default_rng(1)
    y, se, df = rng.normal(size=(5, 4)), rng.uniform(0.1, 1, (5, 4)), rng.uniform(3, 40, (5, 4))
    one, order = find_heterogeneity(y, se, df), rng.permutation(5)
    other = find_heterogeneity(7 - y[order], se[order], df[order])
    assert other.p == pytest.approx(one.p, rel=1e-9)


def test_missing_scenarios_are_no_part_of_it():
    y = np.array([[0.0, 1.0, 1.0], [1.0, np.nan, np.nan], [np.nan, 3.0, np.nan], [2.0, 9.0, np.nan]])
    se = np.ones((4, 3))
    se[3, 1] = np.inf
    found = find_heterogeneity(y, se, np.full((4, 3), np.inf))
    assert found.n_scenarios.tolist() == [3, 2, 1]
    assert found.p[:2] == pytest.approx([np.exp(-1), stats.chi2.sf(2, 1)])
    assert np.isnan([found.p[2], found.q[2], found.statistic[2]]).all()


@pytest.mark.parametrize("few", [5.0, 12.0])
def test_the_level_holds_with_few_clusters(few):
    rng = np.random.default_rng(2)
    n, k = 8, 20_000
    df = np.tile([few, 6, 12, 30], 2)[:, None] * np.ones((1, k))
    true = rng.uniform(0.1, 1, (n, 1))
    se = true * np.sqrt(rng.chisquare(df) / df)
    found = find_heterogeneity(true * rng.standard_normal((n, k)), se, df)
    # Welch's approximation is off by a little with five degrees of freedom; plain Q rejects twice as often.
    assert 0.04 < (found.p < 0.05).mean() < 0.07
    assert (stats.chi2.sf(found.q, n - 1) < 0.05).mean() > 0.09


def test_scenarios_of_hardly_any_clusters_are_left_out():
    y, se = np.array([[0.0], [1], [2], [90]]), np.ones((4, 1))
    found = find_heterogeneity(y, se, np.array([[np.inf], [np.inf], [np.inf], [4.9]]))
    assert found.n_scenarios[0] == 3
    assert found.p[0] == pytest.approx(np.exp(-1))


def test_impossible_errors_are_refused():
    with pytest.raises(ValueError, match="must be > 0"):
        find_heterogeneity(np.zeros((2, 1)), np.array([[1.0], [0.0]]), np.ones((2, 1)))
    with pytest.raises(ValueError, match="must be > 0"):
        find_heterogeneity(np.zeros((2, 1)), np.ones((2, 1)), np.array([[1.0], [np.nan]]))
