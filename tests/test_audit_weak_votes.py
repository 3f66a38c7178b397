"""Is a fair judge left alone where people's votes hardly tell what they prefer, and one that always takes its side found?"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit

from analysis.beyond_reference import Held, preference_for
from analysis.vcov import Clustering
from analysis.weak_votes import conditions, p_of, reach

PAIR = Clustering("pair")


def drawn(seed: int, n: int, votes: int, taste: float, other: float, bias: float = 0.0) -> tuple[np.ndarray, Held]:
    """People and a judge who share a taste for the side, and other tastes of this size."""
    rng = np.random.default_rng(seed)
    side = rng.choice([-1.0, 1.0], n)
    seen = taste * side + other * rng.standard_normal(n)
    people = np.where(rng.random((n, votes)) < expit(seen)[:, None], 1.0, -1.0)
    judge = np.where(rng.random(n) < expit(seen + bias * side), 1.0, -1.0)
    count = np.full(n, float(votes))
    return side, Held(judge, people.sum(axis=1), count, count, np.zeros(n), np.arange(n), False)


def constant(n: int, for_side: float, sure: bool = False) -> tuple[np.ndarray, Held]:
    """A judge that takes the side in all pairs; gold prefers it in this share of them, exactly."""
    side = np.where(np.arange(n) % 2, 1.0, -1.0)
    gold = np.where(np.arange(n) < round(for_side * n), side, -side)
    one = np.ones(n)
    return side, Held(side, gold, one, one, np.zeros(n), np.arange(n), True)


@pytest.mark.parametrize("order", [False, True])
def test_the_least_of_all_slopes_is_that_of_direct_optimisation(order: bool) -> None:
    side, held = drawn(1, 200, 2, 0.7, 0.8)
    first = np.random.default_rng(2).choice([-1.0, 1.0], 200)
    product = (held.total**2 - held.squares) / 2
    parts = conditions(held.judge, held.total / 2, side, product, first if order else None, np.arange(200) // 2)

    for bias in (-0.3, 0.0, 0.5):

        def distance(slope: float, bias: float = bias) -> float:
            rows = parts.judge - slope * parts.vote - bias * parts.side
            whole = rows.sum(axis=0)
            return float(whole @ np.linalg.solve(rows.T @ rows, whole))

        grid = np.linspace(-8, 8, 801)
        start = grid[np.argmin([distance(s) for s in grid])]
        least = minimize_scalar(distance, bracket=(start - 0.02, start + 0.02), tol=1e-10).fun
        assert parts.against(bias) == pytest.approx(least, rel=1e-6, abs=1e-9)


def test_the_interval_is_what_is_not_refuted() -> None:
    side, held = drawn(3, 400, 3, 0.3, 1.0, bias=0.5)
    product = (held.total**2 - held.squares) / 6
    parts = conditions(held.judge, held.total / 3, side, product, None, np.arange(400))
    estimate = 2 * preference_for("length", side, held, PAIR, 0.95).excess
    assert parts.against(estimate) == pytest.approx(0, abs=1e-8)
    low, high = reach(parts, estimate, 0.1, 0.95)
    assert [p_of(parts, low), p_of(parts, high)] == pytest.approx([0.05, 0.05], abs=1e-4)


@pytest.mark.parametrize(("n", "taste", "other"), [(100, 0.5, 0.3), (100, 1.0, 0.3), (300, 1.0, 0.0)])
def test_a_fair_judge_is_rarely_flagged_by_weak_votes(n: int, taste: float, other: float) -> None:
    found = [preference_for("length", *drawn(seed, n, 2, taste, other), PAIR, 0.95) for seed in range(100)]
    # At .05 more than 11 of 100 have a chance of .004; by the votes' standard error alone it was .10 to .14.
    assert sum(one.p < 0.05 for one in found) <= 11
    unknown = [one for one in found if np.isnan(one.p)]
    assert len(unknown) >= 50
    assert all("cannot be told apart" in one.why or "agree too little" in one.why for one in unknown)


def test_votes_that_tell_still_find_a_bias() -> None:
    found = [preference_for("length", *drawn(seed, 300, 3, 0.3, 1.0, bias=1.0), PAIR, 0.95) for seed in range(20)]
    assert sum(one.p < 0.05 for one in found) >= 17
    assert all(one.excess_lower < one.excess < one.excess_upper for one in found)


@pytest.mark.parametrize("name", ["length", "self_preference"])
def test_a_judge_that_always_takes_its_side_has_an_exact_test(name: str) -> None:
    found = preference_for(name, *constant(40, 0.5), PAIR, 0.95)
    # Gold is against it in 20 pairs.
    assert (found.rate, found.excess, found.p) == (1.0, 0.5, pytest.approx(2 / 2**20))
    assert 0 < found.excess_lower < found.excess_upper == 0.5
    # Where gold is against it in one of twelve, a judge that errs once looks the same.
    assert preference_for(name, *constant(12, 11 / 12), PAIR, 0.95).p == 1.0
    together = preference_for(name, *constant(12, 1.0), PAIR, 0.95)
    assert np.isnan(together.p)
    assert "cannot be told apart" in together.why


def test_a_judge_that_always_takes_its_side_against_people() -> None:
    side, held = drawn(4, 120, 3, 0.0, 1.0)
    always = Held(side, held.total, held.squares, held.votes, held.order, held.cluster, False)
    assert preference_for("length", side, always, PAIR, 0.95).p < 1e-6
