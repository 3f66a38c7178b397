"""Correlations pooled on Fisher's scale: by hand, at the edges, and where nothing is known."""

import numpy as np
import pytest
from scipy import stats

from analysis.pooled_correlation import largest, pool_correlations
from analysis.pooling import pool


def test_two_scenarios_by_hand() -> None:
    """artanh(.5) = .549 and artanh(.8) = 1.099; intervals of +-1.96 * .1 there give each the error .1."""
    z = np.arctanh([0.5, 0.8])
    half = stats.norm.ppf(0.975) * 0.1
    found = pool_correlations(np.tanh(z), np.tanh(z - half), np.tanh(z + half), np.array([30, 30]))
    by_hand = pool(z[:, None], np.full((2, 1), 0.1))
    np.testing.assert_allclose(found.pooled.estimate[:, 0], z)
    np.testing.assert_allclose(found.pooled.se[:, 0], 0.1)
    ends = by_hand.interval()
    table = found.table()
    np.testing.assert_allclose(table["pooled"].astype(float), np.tanh(by_hand.value[:, 0]))
    np.testing.assert_allclose(table["pooled_lower"].astype(float), np.tanh(ends.lower[:, 0]))
    # Drawn together, each stays on its side.
    assert 0.5 < table["pooled"][0] < np.tanh(z.mean()) < table["pooled"][1] < 0.8


def test_a_perfect_correlation_is_the_nearest_that_ranks_allow() -> None:
    """Of 4 models the next below 1 is .8, with two neighbours exchanged: a perfect one counts as .9."""
    np.testing.assert_allclose(largest(np.array([4])), 0.9)
    found = pool_correlations(np.array([1.0, 0.8]), np.array([1.0, 0.2]), np.array([1.0, 1.0]), np.array([4, 4]))
    assert found.pooled.estimate[0, 0] == pytest.approx(np.arctanh(0.9))
    # All replicates alike: no surer than the step between two correlations.
    assert found.pooled.se[0, 0] == pytest.approx((np.arctanh(0.9) - np.arctanh(0.8)) / (2 * stats.norm.ppf(0.975)))
    assert found.table().notna().all(axis=None)


def test_scenarios_that_say_nothing_are_told_by_the_others() -> None:
    nothing = np.nan
    found = pool_correlations(
        np.array([0.7, 1.0, 0.6, nothing]), np.array([0.5, 1.0, nothing, nothing]),
        np.array([0.8, 1.0, nothing, nothing]), np.array([8, 3, 8, 0]),
    )  # fmt: skip
    assert found.known.tolist() == [True, False, False, False]
    table = found.table()
    assert (table["pooled"][1:] - 0.7).abs().max() < 0.05
    width = table["pooled_upper"] - table["pooled_lower"]
    assert width[1] > width[0]
    assert found.average()["mean"] == pytest.approx(0.7)
    assert np.isnan(found.average()["tau"])


def test_without_any_interval_nothing_is_pooled() -> None:
    nothing = np.full(2, np.nan)
    found = pool_correlations(np.array([0.5, 0.6]), nothing, nothing, np.array([6, 6]))
    assert found.table().isna().all(axis=None)
    assert np.isnan(found.apart).all()
    assert np.isnan(found.average()["mean"])


def test_a_scenario_apart_is_found() -> None:
    value = np.array([0.9, 0.91, 0.9, 0.92, 0.89, -0.3])
    z, half = np.arctanh(value), stats.norm.ppf(0.975) * 0.15
    found = pool_correlations(value, np.tanh(z - half), np.tanh(z + half), np.full(6, 12))
    assert found.apart[-1] < 0.001
    # The others lie a little above an average that it draws down.
    assert found.apart[:-1].min() > 3 * found.apart[-1]
