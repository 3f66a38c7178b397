"""Opposite signs of two normal differences."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from analysis.orthant import opposite_signs


def one(mx: float, my: float, vx: float, vy: float, cov: float) -> float:
    return float(opposite_signs(*(np.array([v], dtype=float) for v in (mx, my, vx, vy, cov)))[0])


def test_by_hand() -> None:
    assert one(0, 0, 1, 1, 0) == pytest.approx(0.5)
    assert one(0, 0, 4, 9, 3) == pytest.approx(np.arccos(0.5) / np.pi)  # Sheppard: correlation 1/2
    assert one(0, 0, 1, 1, 1) == pytest.approx(0, abs=1e-6)
    assert one(0, 0, 1, 1, -1) == pytest.approx(1, abs=1e-6)
    assert one(50, -50, 1, 1, 0) == 1
    assert one(50, 50, 1, 1, 0) == 0


def test_what_is_known_exactly_has_the_sign_it_has() -> None:
    from scipy.special import ndtr

    assert one(1, 1, 0, 1, 0) == pytest.approx(ndtr(-1))
    assert one(-1, 1, 0, 1, 0) == pytest.approx(ndtr(1))
    assert one(1, -1, 0, 0, 0) == 1


@pytest.mark.parametrize("seed", range(30))
def test_as_the_distribution_function_has_it(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mean = rng.normal(0, 1.5, 2) * (rng.random(2) > 0.2)  # a mean of exactly 0 among them
    root = rng.normal(size=(2, 2))
    vcov = root @ root.T
    upper = multivariate_normal(mean, vcov)
    minus = multivariate_normal(-mean, vcov)
    expected = 1 - upper.cdf([0, 0]) - minus.cdf([0, 0])
    assert one(*mean, vcov[0, 0], vcov[1, 1], vcov[0, 1]) == pytest.approx(expected, abs=1e-7)


def test_swapping_or_turning_both_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(2, 50))
    v, w = rng.uniform(0.1, 2, (2, 50))
    c = rng.uniform(-0.9, 0.9, 50) * np.sqrt(v * w)
    found = opposite_signs(x, y, v, w, c)
    assert opposite_signs(y, x, w, v, c) == pytest.approx(found, abs=1e-12)
    assert opposite_signs(-x, -y, v, w, c) == pytest.approx(found, abs=1e-12)
    assert opposite_signs(x, -y, v, w, -c) == pytest.approx(1 - found, abs=1e-12)
