"""Extremity from a handful of votes: sides, counts, what many votes give, planted extremities of any shape, refusals;
and where the judge has but a handful of labels itself."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from analysis.few_votes import GRID, leaning, slope_of_labels, slope_on_leaning


def thetas(shape: str, rng: np.random.Generator, n: int) -> np.ndarray:
    if shape == "normal":
        return rng.normal(0, 1.2, n)
    if shape == "two camps":
        return rng.choice([-1.5, 1.5], n) + rng.normal(0, 0.3, n)
    return np.where(rng.random(n) < 0.5, rng.normal(0, 0.2, n), rng.normal(0, 2, n))


def world(seed: int, shape: str = "normal", votes: int = 5, n: int = 400) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    theta = thetas(shape, rng, n)
    return rng.binomial(votes, expit(theta)) / votes, np.full(n, float(votes)), 2 * theta + rng.normal(0, 0.3, n)


def test_an_even_share_leans_nowhere_and_sides_are_opposite() -> None:
    found = leaning(np.array([0.0, 2.5, 5.0]), np.full(3, 5.0), np.array([[30.0, 40.0, 30.0], [10.0, 90.0, 20.0]]))
    np.testing.assert_allclose(found[:, 1], 0, atol=1e-12)
    np.testing.assert_allclose(found[:, 0], -found[:, 2])
    # Where nearly all pairs are even, five votes of five say less.
    assert found[1, 2] < found[0, 2]


def test_votes_that_say_it_all_are_taken_as_they_are() -> None:
    share = np.array([0.3, 0.5, 0.7])
    found = leaning(share * 4000, np.full(3, 4000.0), np.ones((1, 3)))[0]
    # Of log-odds no more is said than the grid has.
    np.testing.assert_allclose(found, logit(share), atol=GRID[1] - GRID[0])


def test_what_is_called_a_changes_nothing() -> None:
    h, votes, y = world(0)
    cluster = np.arange(len(h)) // 4
    flip = np.random.default_rng(1).random(len(h)) < 0.5
    one = slope_on_leaning(h, votes, y, cluster)
    np.testing.assert_allclose(one, slope_on_leaning(np.where(flip, 1 - h, h), votes, np.where(flip, -y, y), cluster))
    # Twice the pairs in the same clusters say the same.
    twice = slope_on_leaning(*(np.tile(x, 2) for x in (h, votes, y, cluster)))
    np.testing.assert_allclose(one, twice, rtol=1e-8)


def test_the_interval_leaves_out_one_cluster_after_the_other() -> None:
    h, votes, y = world(2, votes=12, n=24)
    cluster = np.arange(24) // 4
    value, low, high = slope_on_leaning(h, votes, y, cluster)
    without = np.array([slope_on_leaning(h[k], votes[k], y[k], cluster[k])[0]
                        for k in (np.flatnonzero(cluster != c) for c in range(6))])  # fmt: skip
    se = np.sqrt(5 / 6 * ((without - without.mean()) ** 2).sum())
    assert (value - low, high - value) == pytest.approx((2.5706 * se, 2.5706 * se), rel=1e-4)


def test_one_cluster_and_no_leaning_give_no_interval() -> None:
    h, votes, y = world(3, n=20)
    value, low, high = slope_on_leaning(h, votes, y, np.zeros(20, dtype=int))
    assert np.isfinite(value)
    assert np.isnan([low, high]).all()
    assert np.isnan(slope_on_leaning(np.full(20, 0.5), votes, y, np.arange(20) // 2)).all()


@pytest.mark.parametrize("shape", ["normal", "two camps", "half of them even"])
def test_a_planted_extremity_is_found_whatever_people_are_like(shape: str) -> None:
    """Mean of 40 worlds of five votes a pair, whose own noise is 3 % at most; by variances it is 2.6 to 3.3."""
    found = [slope_on_leaning(*world(seed, shape), np.zeros(400, dtype=int))[0] for seed in range(40)]
    assert np.mean(found) == pytest.approx(2, rel=0.08)


# -- labels on both sides ----------------------------------------------------------------------------------------------


def labelled(
    seed: int, slope: float, labels: int, noise: float = 0.0, votes: int = 10, n: int = 300, shape: str = "normal"
) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng((seed, labels))
    theta = thetas(shape, rng, n)
    j = rng.binomial(labels, expit(slope * theta + noise * rng.normal(size=n))) / labels
    return rng.binomial(votes, expit(theta)) / votes, np.full(n, float(votes)), j, np.full(n, float(labels))


@pytest.mark.parametrize("labels", [2, 3, 10])
@pytest.mark.parametrize(("slope", "noise"), [(1.0, 0.0), (2.0, 0.7)])
def test_few_labels_of_a_judge_do_not_make_it_less_extreme(labels: int, slope: float, noise: float) -> None:
    """Mean of 30 worlds, whose own noise is 2.5 % at most; by the log-odds of so few labels it is .4 to .8 of it."""
    found = [slope_of_labels(*labelled(seed, slope, labels, noise), np.zeros(300, dtype=int))[0] for seed in range(30)]
    assert np.mean(found) == pytest.approx(slope, rel=0.06)


@pytest.mark.slow
@pytest.mark.every(2, "labels")
@pytest.mark.parametrize("labels", [2, 3, 10])
def test_intervals_of_labels_hold(labels: int) -> None:
    """100 worlds of a judge drawn like people: 95 intervals cover, 88 at the least (chance .5 %)."""
    ends = [slope_of_labels(*labelled(seed, 1.0, labels), np.arange(300) // 3)[1:] for seed in range(100)]
    assert sum(low <= 1 <= high for low, high in ends) >= 88


def test_what_is_called_a_changes_nothing_of_labels() -> None:
    h, votes, j, labels = labelled(0, 1.5, 3, 0.5)
    cluster = np.arange(len(h)) // 4
    flip = np.random.default_rng(1).random(len(h)) < 0.5
    one = slope_of_labels(h, votes, j, labels, cluster)
    turned = slope_of_labels(np.where(flip, 1 - h, h), votes, np.where(flip, 1 - j, j), labels, cluster)
    np.testing.assert_allclose(one, turned, rtol=1e-3)
    twice = slope_of_labels(*(np.tile(x, 2) for x in (h, votes, j, labels, cluster)))
    np.testing.assert_allclose(one, twice, rtol=1e-3)
    against = slope_of_labels(h, votes, 1 - j, labels, cluster)
    np.testing.assert_allclose(against, (-one[0], -one[2], -one[1]), rtol=1e-3)


def test_one_step_is_as_good_as_the_whole_way() -> None:
    h, votes, j, labels = labelled(3, 1.2, 4, 1.0, n=160)
    cluster = np.arange(160) // 8
    value, low, high = slope_of_labels(h, votes, j, labels, cluster)
    without = np.array([
        slope_of_labels(h[k], votes[k], j[k], labels[k], cluster[k])[0]
        for k in (np.flatnonzero(cluster != c) for c in range(20))
    ])  # fmt: skip
    se = np.sqrt(19 / 20 * ((without - without.mean()) ** 2).sum())
    assert high - value == pytest.approx(2.0930 * se, rel=0.03)
    assert value - low == pytest.approx(high - value)


def test_more_labels_than_the_grid_is_fine_for_do_no_harm() -> None:
    """Mean of 12 worlds of 1,000 labels, whose own noise is 1.5 %."""
    found = [slope_of_labels(*labelled(seed, 1.5, 1000, 0.5, votes=20), np.zeros(300, dtype=int))[0] for seed in range(12)]
    assert np.mean(found) == pytest.approx(1.5, rel=0.06)


def test_labels_that_never_part_could_be_of_any_slope() -> None:
    h, votes, j, labels = labelled(4, 2.0, 1)
    assert np.isnan(slope_of_labels(h, votes, j, 3 * labels, np.arange(300))).all()
    assert np.isnan(slope_of_labels(np.full(300, 0.5), votes, j, 3 * labels, np.arange(300))).all()
