"""Win points of each factor of one pair: against all subsets, by hand, by the axioms, and where they are hard."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from analysis.design import FIRST, Design
from analysis.factor_covariance import weight_covariance
from analysis.factor_fit import fit_factors
from analysis.likelihood import Observed, evaluate
from analysis.preference import logit_slopes, predict_preference, preference_logit, terms
from analysis.shapley import LARGEST, win_points
from analysis.vcov import Clustering
from errors import NotIdentifiedError

RULES = [
    ("logistic", 0.0), ("davidson", -3.0), ("davidson", math.log(2)), ("davidson", 2.0), ("rao-kupper", 0.3),
    ("rao-kupper", 3.0),
]  # fmt: skip

EXACT = 1e-10
"""Points; what is measured is 1e-12, of sums of a few thousand terms of 1e-16 * 100 each."""


def by_subsets(c, rule="logistic", tie=0.0):
    """Shapley's own definition: 2^n subsets."""
    n = len(c)
    sums = np.zeros(1 << n)
    for k in range(n):
        sums[1 << k : 1 << (k + 1)] = sums[: 1 << k] + c[k]
    value = 100 * expit(preference_logit(rule, sums, np.full_like(sums, tie)))
    size = np.array([bin(m).count("1") for m in range(1 << n)])
    share = np.array([math.factorial(s) * math.factorial(n - s - 1) / math.factorial(n) for s in range(n)])
    out = np.zeros(n)
    for k in range(n):
        without = np.flatnonzero(~(np.arange(1 << n) >> k) & 1)
        out[k] = share[size[without]] @ (value[without | (1 << k)] - value[without])
    return out


@pytest.mark.parametrize(("rule", "tie"), RULES)
@pytest.mark.parametrize("n", [1, 2, 3, 7, 12])
@pytest.mark.parametrize("scale", [0.01, 0.3, 3.0, 50.0])
def test_it_is_the_mean_over_all_orders(rule, tie, n, scale):
    c = scale * np.random.default_rng(n).normal(size=n)
    assert win_points(c, rule, tie) == pytest.approx(by_subsets(c, rule, tie), abs=EXACT)


def test_two_factors_by_hand():
    # (f(1) - f(0) + f(1 + 2) - f(2)) / 2 and its counterpart.
    one = (expit(1) - 0.5 + expit(3) - expit(2)) / 2
    two = (expit(2) - 0.5 + expit(3) - expit(1)) / 2
    assert win_points(np.array([1.0, 2.0])) == pytest.approx([100 * one, 100 * two], abs=EXACT)


def test_one_factor_gets_everything():
    assert win_points(np.array([math.log(3)])) == pytest.approx([25.0], abs=EXACT)


def test_nothing_and_nobody():
    assert len(win_points(np.array([]))) == 0
    assert win_points(np.zeros(3)).tolist() == [0.0, 0.0, 0.0]


@given(st.lists(st.floats(-60, 60), min_size=1, max_size=40), st.sampled_from(RULES))
@settings(max_examples=60, deadline=None)
def test_the_axioms(c, which):
    rule, tie = which
    c = np.array(c)
    points = win_points(c, rule, tie)
    total = 100 * expit(preference_logit(rule, np.array([c.sum()]), np.array([tie])))[0]
    assert points.sum() == pytest.approx(total - 50, abs=EXACT)  # efficiency
    assert win_points(-c, rule, tie) == pytest.approx(-points, abs=EXACT)  # a and b exchanged
    assert win_points(c[::-1], rule, tie) == pytest.approx(points[::-1], abs=EXACT)  # names mean nothing
    with_null = win_points(np.append(c, 0.0), rule, tie)
    assert with_null[-1] == 0
    assert with_null[:-1] == pytest.approx(points, abs=EXACT)
    twin = win_points(np.append(c, c[0]), rule, tie)
    assert twin[-1] == pytest.approx(twin[0], abs=EXACT)  # symmetry
    assert (points * np.sign(c) >= -EXACT).all()  # the expectation rises with each


def test_huge_contributions_that_cancel():
    c = np.array([50.0, -50.0] * 5 + [0.7, -0.2])
    points = win_points(c)
    assert points == pytest.approx(by_subsets(c), abs=EXACT)
    assert points.sum() == pytest.approx(100 * expit(0.5) - 50, abs=EXACT)
    # Fifty against fifty decides most orders: what is small counts only where they cancel.
    assert 0 < points[-2] < 100 * (expit(0.7) - 0.5)


def test_a_hundred_factors_are_quick():
    c = 0.2 * np.random.default_rng(0).normal(size=100)
    win_points(c)
    best = min(_seconds(lambda: win_points(c)) for _ in range(5))
    assert best < 0.05
    assert win_points(c).sum() == pytest.approx(100 * expit(c.sum()) - 50, abs=EXACT)


def _seconds(work):
    start = time.process_time()
    work()
    return time.process_time() - start


def test_many_factors_whose_product_is_smaller_than_any_number():
    c = np.random.default_rng(3).choice([-1.0, 1.0], 250)
    assert win_points(c).sum() == pytest.approx(100 * expit(c.sum()) - 50, abs=EXACT)


def test_what_is_refused():
    with pytest.raises(NotIdentifiedError, match="far outside of what was judged"):
        win_points(np.array([LARGEST, -LARGEST]))
    with pytest.raises(ValueError, match="finite"):
        win_points(np.array([np.nan]))


# -- the expectation --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("rule", "tie"), RULES)
def test_the_expectation_is_that_of_the_likelihood(rule, tie):
    """P(win) + P(tie) / 2 from the log-likelihoods of one judgment each."""
    for eta in (-40.0, -2.0, 0.0, 0.3, 7.0):
        won = np.exp(_log_likelihood(rule, eta, tie, 1.0, 0.0))
        tied = 0.0 if rule == "logistic" else np.exp(_log_likelihood(rule, eta, tie, 0.5, 1.0))
        logit = preference_logit(rule, np.array([eta]), np.array([tie]))[0]
        assert expit(logit) == pytest.approx(won + tied / 2, rel=1e-12)


def _log_likelihood(rule, eta, tie, score, tied):
    one = np.ones(1)
    return evaluate(rule, Observed(one, one * score, None if rule == "logistic" else one * tied), one * eta, tie).value


@pytest.mark.parametrize(("rule", "tie"), RULES)
@pytest.mark.parametrize("eta", [-3.0, 0.0, 0.4, 6.0])
def test_the_slopes_are_derivatives(rule, tie, eta):
    step = 1e-5

    def at(e, t):
        return float(preference_logit(rule, np.array([e]), np.array([t]))[0])

    by_eta, by_tie = logit_slopes(rule, eta, tie)
    # Central differences of numbers of size 10 at step 1e-5: 1e-10.
    assert by_eta == pytest.approx((at(eta + step, tie) - at(eta - step, tie)) / (2 * step), abs=1e-8)
    if rule != "logistic":
        assert by_tie == pytest.approx((at(eta, tie + step) - at(eta, tie - step)) / (2 * step), abs=1e-8)


@pytest.mark.parametrize("ties", ["half", "davidson", "rao-kupper"])
@pytest.mark.parametrize("n_prompts", [20, 200])
def test_a_prediction_and_its_error(ties, n_prompts):
    rng = np.random.default_rng(4)
    n = 2_000
    x = rng.normal(size=(3, n))
    first = rng.choice([-1.0, 1.0], n)
    eta = np.array([0.5, -0.3, 0.0]) @ x + 0.2 * first
    y = np.where(rng.random(n) < 0.15, 0.5, (rng.random(n) < expit(eta)).astype(float))
    prompt = rng.integers(0, n_prompts, n)
    ones, at = np.ones(n), np.arange(n)
    design = Design(
        ("x0", "x1", "x2"), x, at, at, ones, y, ones.astype(int), first, None if ties == "half" else 1.0 * (y == 0.5),
        {"prompt": prompt},
    )  # fmt: skip
    fit = fit_factors(design, ties=ties)
    covariance = weight_covariance([fit], [design], Clustering("prompt"))
    assert terms(fit) == (FIRST, "x0", "x1", "x2")
    z = np.array([1.0, 0.8, -1.0, 0.5])
    found = predict_preference(fit, covariance, z)
    assert expit(found.estimate[0]) == pytest.approx(expit(0.2 + 0.4 + 0.3), abs=0.08)
    if ties == "half":
        # Linear in the weights: no approximation in either regime.
        assert found.estimate[0] == pytest.approx(fit.parameters @ z, rel=1e-12)
        assert found.se[0] == pytest.approx(np.sqrt(z @ covariance.vcov @ z), rel=1e-9)
    swapped = predict_preference(fit, covariance, -z)
    assert swapped.estimate[0] == pytest.approx(-found.estimate[0], rel=1e-12)
    assert swapped.se[0] == pytest.approx(found.se[0], rel=1e-9)
