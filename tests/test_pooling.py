"""Pooling over scenarios: against direct integration, published figures, and parameters drawn from the prior."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from analysis.pooling import pool, widen

# Effects of coaching in eight schools and their standard errors (Rubin 1981, table 1).
EFFECTS = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
ERRORS = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])


def by_integration(y, se, prior_sd, quantity):
    """A posterior expectation on a grid of tau and mu, written from the model's definition.

    quantity(tau, mu) : its conditional expectation
    """
    # Near tau = 0 what is asked for may be a step in mu: hence the many points there.
    tau = (np.arange(300) + 0.5)[:, None] / 300 * 8 * prior_sd
    mu = y.mean() + ((np.arange(6000) + 0.5) / 6000 - 0.5)[None, :] * 16 * se.max()
    density = np.exp(-0.5 * (tau / prior_sd) ** 2)
    for one, error in zip(y, se, strict=True):
        density = density * stats.norm.pdf(one, mu, np.sqrt(error**2 + tau**2))
    return float((density * quantity(tau, mu)).sum() / density.sum())


@pytest.mark.parametrize("k", [0, 2])
def test_intervals_are_the_posteriors_to_the_last_digits(k):
    y, se = EFFECTS[:4] / 10, ERRORS[:4] / 10
    found = pool(y[:, None], se[:, None])
    ends = found.interval(0.9)

    def below(x):
        def given(tau, mu):
            share = tau**2 / (tau**2 + se[k] ** 2)
            return stats.norm.cdf(x, mu + share * (y[k] - mu), np.sqrt(share) * se[k])

        return given

    # The grid gives five digits.
    assert by_integration(y, se, 0.5, below(ends.lower[k, 0])) == pytest.approx(0.05, abs=1e-5)
    assert by_integration(y, se, 0.5, below(ends.upper[k, 0])) == pytest.approx(0.95, abs=1e-5)


def test_mean_departure_and_unseen_scenario_against_integration():
    y, se = EFFECTS[:4] / 10, ERRORS[:4] / 10
    found = pool(np.r_[y, np.nan][:, None], np.r_[se, np.inf][:, None])
    assert found.mu[0] == pytest.approx(by_integration(y, se, 0.5, lambda tau, mu: mu), abs=1e-5)
    share = [lambda tau, error=error: tau**2 / (tau**2 + error**2) for error in se]
    means = [lambda tau, mu, k=k: mu + share[k](tau) * (y[k] - mu) for k in range(4)]
    average = by_integration(y, se, 0.5, lambda tau, mu: sum(mean(tau, mu) for mean in means) / 4)
    assert found.average[0] == pytest.approx(average, abs=1e-5)
    first = by_integration(y, se, 0.5, means[0])
    assert found.departure[0, 0] == pytest.approx(first - average, abs=1e-5)
    away = found.departure_interval().lower[0, 0]

    def below(tau, mu):
        own = [share[k](tau) * se[k] ** 2 for k in range(4)]
        variance = own[0] * (3 / 4) ** 2 + sum(own[1:]) / 16
        centre = means[0](tau, mu) - sum(mean(tau, mu) for mean in means) / 4
        return stats.norm.cdf(away, centre, np.sqrt(variance))

    assert by_integration(y, se, 0.5, below) == pytest.approx(0.025, abs=1e-5)
    end = found.interval().upper[4, 0]
    unseen = by_integration(y, se, 0.5, lambda tau, mu: stats.norm.cdf(end, mu, tau))
    assert unseen == pytest.approx(0.975, abs=1e-5)
    # The scenario without an estimate is drawn to mu, which is near the average of the others.
    assert found.departure[4, 0] == pytest.approx(found.mu[0] - average, abs=1e-6)
    assert found.departure_interval().upper[4, 0] > 0.5


def test_tau_against_integration():
    y, se = EFFECTS / 10, ERRORS / 10
    found = pool(y[:, None], se[:, None])
    ends = found.tau_interval()

    def marginal(tau):
        variance = se**2 + tau**2
        mean = (y / variance).sum() / (1 / variance).sum()
        fit = np.exp(-0.5 * ((y - mean) ** 2 / variance).sum()) / np.sqrt(variance.prod() * (1 / variance).sum())
        return fit * np.exp(-0.5 * (tau / 0.5) ** 2)

    total = integrate.quad(marginal, 0, 5)[0]
    for end, share in ((ends.lower[0], 0.025), (found.tau_median[0], 0.5), (ends.upper[0], 0.975)):
        # A cubic through the nodes' sums: five digits are enough for a table.
        assert integrate.quad(marginal, 0, end)[0] / total == pytest.approx(share, abs=1e-5)


def test_the_published_eight_schools():
    # Gelman et al., Bayesian Data Analysis, table 5.3: quartiles from 200 draws, tau flat.
    published = [(7, 10, 16), (3, 8, 12), (2, 7, 11), (4, 8, 11), (1, 5, 10), (2, 6, 10), (7, 10, 15), (3, 8, 13)]
    found = pool(EFFECTS[:, None], ERRORS[:, None], prior_sd=1e4)
    quartiles, middle = found.interval(0.5), found.interval(1e-6).lower
    ours = np.hstack([quartiles.lower, middle, quartiles.upper])
    # The standard error of a quartile of 200 draws is about .8, and they are rounded.
    assert ours == pytest.approx(np.array(published, dtype=float), abs=2.1)


def test_equal_precision_by_hand():
    # Between scenarios that agree exactly, each is drawn to their mean and known better than alone.
    found = pool(np.zeros((4, 1)), np.full((4, 1), 0.3))
    assert found.value == pytest.approx(0, abs=1e-12)
    assert (found.sd < 0.3).all()
    assert (found.sd > 0.15).all()  # .3 / sqrt(4), were tau known to be 0
    # With standard errors of nearly nothing each scenario speaks for itself.
    alone = pool(EFFECTS[:, None] / 10, np.full((8, 1), 1e-4))
    assert alone.value[:, 0] == pytest.approx(EFFECTS / 10, abs=1e-5)
    assert alone.interval().upper[:, 0] == pytest.approx(EFFECTS / 10 + 1.959964e-4, abs=1e-7)


@given(st.integers(0, 10_000))
def test_order_sign_place_and_scale_change_nothing_else(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 7))
    y, se = rng.normal(size=(n, 3)), rng.uniform(0.05, 1, (n, 3))
    se[rng.random((n, 3)) < 0.2] = np.inf
    se[0] = 0.4
    found, ends = pool(y, se), pool(y, se).interval()
    order = rng.permutation(n)
    turned = pool(-y[order], se[order]).interval()
    assert turned.lower == pytest.approx(-ends.upper[order], abs=1e-7)
    moved = pool(y + 3, se)
    assert moved.value == pytest.approx(found.value + 3, abs=1e-8)
    assert moved.departure == pytest.approx(found.departure, abs=1e-8)
    larger = pool(10 * y, 10 * se, prior_sd=5.0)
    assert larger.tau_median == pytest.approx(10 * found.tau_median, rel=1e-7)
    # Each coefficient by itself: the others share nothing but the nodes.
    for k in range(3):
        single = pool(y[:, [k]], se[:, [k]])
        assert single.interval().lower[:, 0] == pytest.approx(ends.lower[:, k], abs=1e-7)


def test_drawn_from_the_prior_intervals_hold_what_they_say():
    # Simulation-based calibration: with tau from its prior the posterior is exact at every level, mu being flat.
    rng = np.random.default_rng(4)
    n, k = 5, 800
    tau = np.abs(0.5 * rng.standard_normal(k))
    theta = 1.7 + tau * rng.standard_normal((n, k))
    se = rng.uniform(0.1, 0.6, (n, k))
    se[4] = np.inf
    found = pool(theta + np.where(np.isfinite(se), se, 1) * rng.standard_normal((n, k)), se)
    for level in (0.5, 0.9, 0.95):
        slack = 4 * np.sqrt(level * (1 - level) / k)
        ends, away = found.interval(level), found.departure_interval(level)
        for s in (0, 4):
            held = (ends.lower[s] <= theta[s]) & (theta[s] <= ends.upper[s])
            assert abs(held.mean() - level) < slack
            true = theta[s] - theta[:4].mean(axis=0)
            held = (away.lower[s] <= true) & (true <= away.upper[s])
            assert abs(held.mean() - level) < slack
        mean, between, average = found.mu_interval(level), found.tau_interval(level), found.average_interval(level)
        true = theta[:4].mean(axis=0)
        assert abs(((average.lower <= true) & (average.upper >= true)).mean() - level) < slack
        assert abs(((mean.lower <= 1.7) & (mean.upper >= 1.7)).mean() - level) < slack
        assert abs(((between.lower <= tau) & (tau <= between.upper)).mean() - level) < slack


def test_a_single_scenario_and_none_at_all():
    found = pool(np.array([[1.0, np.nan], [np.nan, np.nan]]), np.array([[0.2, np.inf], [0.1, 0.1]]))
    assert found.n_estimates.tolist() == [1, 0]
    assert found.value[0, 0] == pytest.approx(1.0)
    assert [found.departure[0, 0], found.departure_interval().upper[0, 0]] == pytest.approx([0, 0], abs=1e-9)
    # One estimate says nothing of tau: the prior stays, half of which lies below .674 sds.
    assert found.tau_median[0] == pytest.approx(0.5 * 0.6744898, rel=1e-4)
    ends = found.interval()
    assert ends.upper[1, 0] - ends.lower[1, 0] > 2 * 0.5
    assert np.isnan(found.value[:, 1]).all()
    assert np.isnan(ends.lower[:, 1]).all()
    assert np.isnan([found.average[1], *(end[1] for end in vars(found.average_interval()).values())]).all()
    assert np.isnan([found.mu[1], found.tau_median[1], found.tau_interval().upper[1]]).all()


def test_extremes_stay_finite():
    y = np.array([[0.0, 1e6, 1e-9], [1.0, -1e6, 2e-9], [0.5, 0.0, 0.0]])
    se = np.array([[1e-8, 1.0, 1e-9], [1e3, 2.0, 1e-9], [0.5, 1.0, 1e-9]])
    found = pool(y, se)
    ends = found.interval()
    assert np.isfinite(found.value).all()
    assert (ends.lower <= found.value).all()
    assert (found.value <= ends.upper).all()
    assert found.value[0, 0] == pytest.approx(0, abs=1e-5)
    # Even a prior of .5 gives way to differences of a million.
    assert found.value[:, 1] == pytest.approx(y[:, 1], rel=1e-4, abs=1)


def test_five_thousand_coefficients():
    rng = np.random.default_rng(0)
    y = rng.normal(size=(4, 5000))
    found = pool(y, np.full((4, 5000), 0.5))
    some = pool(y[:, 4990:], np.full((4, 10), 0.5))
    assert found.interval().lower[:, 4990:] == pytest.approx(some.interval().lower, abs=1e-7)


def test_widened_errors_are_those_of_t():
    wide = widen(np.array([1.0, 2.0, 1.0]), np.array([3.0, np.inf, 0.5]))
    assert wide[:2] == pytest.approx([stats.t.ppf(0.975, 3) / stats.norm.ppf(0.975), 2.0])
    assert np.isnan(wide[2])
    assert widen(np.ones(1), np.array([5.0]), 0.8)[0] == pytest.approx(stats.t.ppf(0.9, 5) / stats.norm.ppf(0.9))


def test_what_cannot_be_pooled_is_refused():
    with pytest.raises(ValueError, match="one shape"):
        pool(np.zeros((2, 3)), np.ones((3, 2)))
    with pytest.raises(ValueError, match="one shape"):
        pool(np.zeros((0, 3)), np.ones((0, 3)))
    with pytest.raises(ValueError, match="must be > 0"):
        pool(np.zeros((2, 1)), np.array([[1.0], [0.0]]))
    with pytest.raises(ValueError, match="must be > 0"):
        pool(np.zeros((2, 1)), np.ones((2, 1)), prior_sd=0.0)


def test_where_no_scenario_says_anything_tau_is_the_priors() -> None:
    found = pool(np.array([[-30.0], [400.0]]), np.array([[600.0], [5000.0]]))
    # Quantiles of a half-normal of .5.
    assert found.tau_median[0] == pytest.approx(0.5 * 0.67449, abs=2e-3)
    assert found.tau_interval().upper[0] == pytest.approx(0.5 * 2.24140, abs=5e-3)


def test_chances_of_the_other_side_from_joint_normals():
    """Given tau all scenarios are jointly normal with precision diag(1/se^2) + (I - 11'/n) / tau^2; summed over tau."""
    y, se = EFFECTS[:4] / 10, ERRORS[:4] / 10
    n = len(y)
    contrasts = {"beyond": np.eye(n)[0], "apart": np.eye(n)[0] - 1 / n, "average": np.full(n, 1 / n)}
    tau = (np.arange(4000) + 0.5) / 4000 * 4.0
    below, whole = dict.fromkeys(contrasts, 0.0), 0.0
    for one in tau:
        precision = np.diag(1 / se**2) + (np.eye(n) - 1 / n) / one**2
        covariance = np.linalg.inv(precision)
        mean = covariance @ (y / se**2)
        # y given tau with a flat mean of scenarios: the density but for a constant.
        weight = np.diag(1 / (se**2 + one**2))
        spread = weight - weight @ np.ones((n, n)) @ weight / weight.sum()
        density = np.sqrt(np.linalg.det(weight) / weight.sum()) * np.exp(-0.5 * y @ spread @ y - 0.5 * (one / 0.5) ** 2)
        whole += density
        for name, c in contrasts.items():
            below[name] += density * stats.norm.cdf(0.0, c @ mean, np.sqrt(c @ covariance @ c))
    expected = {name: 2 * min(p / whole, 1 - p / whole) for name, p in below.items()}
    found = pool(y[:, None], se[:, None])
    assert found.beyond()[0, 0] == pytest.approx(expected["beyond"], abs=1e-6)
    # Near tau = 0 this chance is 1/2 minus a multiple of tau, odd in it: the midpoint rule is then good to its square.
    assert found.apart()[0, 0] == pytest.approx(expected["apart"], abs=5e-4)
    assert found.average_beyond()[0] == pytest.approx(expected["average"], abs=1e-6)


def test_what_is_uncertain_besides_makes_every_chance_larger():
    y, se = np.array([[1.0, np.nan], [1.2, np.nan]]), np.array([[0.3, np.inf], [0.4, np.inf]])
    found = pool(y, se)
    plain, wider = found.beyond(), found.beyond(0.0, np.full((2, 2), 0.5))
    assert (plain[:, 0] < wider[:, 0]).all()
    assert (wider[:, 0] < 1).all()
    assert np.isnan(plain[:, 1]).all()
    assert np.isnan(found.average_beyond(0.0, np.array([0.5, 0.5]))[1])
    assert found.average_beyond()[0] < found.average_beyond(0.0, np.array([0.5, 0.5]))[0]
