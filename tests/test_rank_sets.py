"""Rank intervals for all models at once, the overlap rule, P(best), and groups that cannot be told apart."""

import numpy as np
import pytest
from scipy.stats import norm, studentized_range

from analysis.rank_sets import (
    difference_errors,
    draw_errors,
    hold_all_against_all,
    letters,
    overlap_ranks,
    probability_best,
    simultaneous_quantile,
)
from analysis.ranks import find_ranks
from analysis.vcov import Quantiles
from errors import OptionError

NORMAL = Quantiles(None)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_the_quantile_is_that_of_the_studentized_range():
    """Independent equal errors: max |difference| / se is the studentized range over sqrt(2)."""
    for n, df in ((5, None), (12, None), (5, 12.0)):
        exact = studentized_range.ppf(0.95, n, np.inf if df is None else df) / np.sqrt(2)
        found = simultaneous_quantile(np.eye(n), Quantiles(df), 0.95, rng())
        # 10,000 draws leave about .02 on a normal 95 % quantile, twice that on t.
        assert found == pytest.approx(exact, abs=0.06 if df is None else 0.15)


def test_two_models_need_no_correction():
    assert simultaneous_quantile(np.eye(2), NORMAL, 0.95, rng()) == pytest.approx(1.96, abs=0.05)


def test_a_covariance_without_differences_falls_back_to_one_pair():
    assert simultaneous_quantile(np.ones((3, 3)), NORMAL, 0.95, rng()) == pytest.approx(1.96, abs=1e-3)


def test_draws_have_the_covariance_and_the_tails_asked_for():
    a = rng(1).normal(size=(4, 4))
    vcov = a @ a.T
    assert np.cov(draw_errors(vcov, NORMAL, rng(), 200_000), rowvar=False) == pytest.approx(vcov, abs=0.03 * vcov.max())
    # Variance of t with 6 degrees of freedom: 6/4.
    t = draw_errors(np.eye(2), Quantiles(6.0), rng(), 400_000)
    assert t.var() == pytest.approx(1.5, abs=0.03)


def test_simultaneous_sets_hold_all_ranks_at_once():
    """1,000 worlds with known covariance, three of ten models equal: all true ranks inside in at least 95 % of them."""
    true = np.array([0.0, 0, 0, 0.3, 0.5, 0.9, 1.0, 1.4, 2.0, 2.1])
    a = rng(2).normal(size=(10, 10)) / 8
    vcov = a @ a.T + np.eye(10) / 60
    quantile = simultaneous_quantile(vcov, NORMAL, 0.95, rng())
    best = 1 + (true[None, :] > true[:, None]).sum(axis=1)
    worst = len(true) - (true[None, :] < true[:, None]).sum(axis=1)
    root = np.linalg.cholesky(vcov)
    all_at_once, each = 0, 0.0
    for seed in range(1000):
        strength = true + root @ rng(seed + 10).standard_normal(10)
        wide, narrow = find_ranks(strength, vcov, quantile), find_ranks(strength, vcov, 1.96)
        assert (wide.lower <= narrow.lower).all()
        assert (wide.upper >= narrow.upper).all()
        # Of tied models every place of their tie must lie inside.
        all_at_once += bool(((wide.lower <= best) & (wide.upper >= worst)).all())
        each += float(((narrow.lower <= best) & (narrow.upper >= worst)).mean()) / 1000
    assert all_at_once >= 950 - 2 * np.sqrt(1000 * 0.95 * 0.05)
    assert each > 0.93


def test_overlap_by_hand_and_never_narrower_than_differences():
    ranks = overlap_ranks(np.array([2.0, 1.0, 0.0]), np.array([0.3, 0.3, 0.3]), 1.96)
    # 2 +- .59 and 1 +- .59 overlap, 2 and 0 do not.
    assert ranks.lower.tolist() == [1, 1, 2]
    assert ranks.upper.tolist() == [2, 3, 3]
    assert ranks.rank.tolist() == [1, 2, 3]
    for seed in range(20):
        strength = rng(seed).normal(size=8)
        wide = overlap_ranks(strength, np.full(8, 0.4), 1.96)
        narrow = find_ranks(strength, np.eye(8) * 0.16, 1.96)
        assert (wide.lower <= narrow.lower).all()
        assert (wide.upper >= narrow.upper).all()


def test_probability_best_by_hand():
    strength, vcov = np.array([0.4, 0.0]), np.diag([0.1, 0.15])
    best = probability_best(strength, vcov, rng(), 100_000)
    assert best.sum() == pytest.approx(1)
    assert best[0] == pytest.approx(norm.cdf(0.4 / 0.5), abs=0.01)


def test_all_against_all_by_hand():
    found = hold_all_against_all(np.array([0.0, 1.0, 0.2]), np.eye(3) * 0.125, NORMAL)
    table = found.table(("x", "y", "z"))
    assert table.columns.tolist() == ["model_1", "model_2", "difference", "se", "p_above", "win", "p", "p_holm"]
    row = table[(table["model_1"] == "y") & (table["model_2"] == "x")].iloc[0]
    assert row["difference"] == pytest.approx(1.0)
    assert row["se"] == pytest.approx(0.5)
    assert row["p_above"] == pytest.approx(norm.cdf(2))
    assert row["p"] == pytest.approx(2 * norm.sf(2))
    assert row["p_holm"] == pytest.approx(3 * 2 * norm.sf(2))
    assert row["win"] == pytest.approx(1 / (1 + np.exp(-1)))
    assert table["p_above"].is_monotonic_increasing


def share(found, i, j):
    return bool(set(found[i]) & set(found[j]))


def test_letters_by_hand():
    # .2 apart with se .1 * sqrt(2): neighbours cannot be told apart, others can.
    strength = np.array([0.6, 0.3, 0.0, -0.9])
    pairwise = hold_all_against_all(strength, np.eye(4) * 0.02, NORMAL)
    assert letters(4, pairwise) == ("a", "ab", "b", "c")


def test_letters_are_shared_exactly_where_nothing_is_told_apart():
    for seed in range(30):
        n = 9
        strength = rng(seed).normal(size=n)
        a = rng(seed + 100).normal(size=(n, n)) / 3
        pairwise = hold_all_against_all(strength, a @ a.T + np.eye(n) * 0.02, NORMAL)
        found = letters(n, pairwise)
        for i, j, p in zip(pairwise.one, pairwise.two, pairwise.p_holm, strict=True):
            assert share(found, i, j) == (p >= 0.05), (seed, i, j)
        assert all(found)


def test_too_many_models_are_refused_or_left_without_letters():
    with pytest.raises(OptionError, match="1,501 models are more than the 1,500"):
        simultaneous_quantile(np.eye(1501), NORMAL, 0.95, rng())
    with pytest.raises(OptionError, match="too many pairs"):
        hold_all_against_all(np.zeros(1501), np.eye(1501), NORMAL)
    assert letters(301, hold_all_against_all(np.arange(301.0), np.eye(301), NORMAL)) is None


def test_difference_errors_by_hand():
    found = difference_errors(np.array([[2.0, 0.5], [0.5, 1.0]]))
    assert found == pytest.approx(np.array([[0, np.sqrt(2)], [np.sqrt(2), 0]]))
