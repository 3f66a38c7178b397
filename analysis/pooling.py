"""What is known about a quantity in each of several scenarios, when the others say something about it too?

Full empirical Bayes for estimates y_s with standard errors se_s in scenarios s:

    y_s ~ N(theta_s, se_s^2),    theta_s ~ N(mu, tau^2),    mu flat,    tau half-normal

(Rubin 1981, Estimation in parallel randomized experiments; the prior: Gelman 2006). Given tau all is normal, so mu
and theta_s are integrated in closed form and tau by quadrature: every posterior is a mixture of normals over tau.
Setting tau and mu to their estimates instead is what makes plug-in intervals too narrow.

A scenario without an estimate gets the distribution of a scenario not seen: N(mu, tau^2), widened by what is not
known of mu and tau. Intervals hold on average over scenarios as they are drawn from N(mu, tau^2): one that lies far
from the others is pulled towards them, and its interval with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.special import ndtri, stdtrit

from analysis.cells import Floats, Ints
from analysis.mixture import Interval, Mixture

PRIOR_SD = 0.5
"""Scale of the half-normal prior of tau, in log-odds."""

# tau = c sinh(x): the integrand is even and analytic in x, so that the midpoint rule converges exponentially. In S
# scenarios the posterior of x is about 1 / sqrt(2 S) wide or wider; steps of .3 widths are exact to 1e-10.
STEP = 0.3
# Beyond so many prior sds above the largest difference between estimates the posterior has lost a factor e^-32.
REACH = 8.0
NEGLIGIBLE = 1e-13
# Numbers in one array over nodes, scenarios and coefficients: 16 MB.
CHUNK = 2_000_000
# A single scenario does not depart from its own average at all.
TINY = 1e-300


def widen(se: Floats, df: Floats, level: float = 0.95) -> Floats:
    """Standard errors with which normal quantiles give the t interval of `df` degrees of freedom at `level`.

    df : broadcast against se; infinite where the normal distribution does. Undefined below 1.
    """
    tail = (1 + level) / 2
    finite = np.isfinite(df)
    t = stdtrit(np.where(finite & (np.asarray(df) >= 1), df, np.nan), tail)
    return np.asarray(se * np.where(finite, t / ndtri(tail), 1.0))


@dataclass(frozen=True)
class _GivenTau:
    """theta_s = pull mu + (1 - pull) y_s + noise of variance `own`, at each tau; (n_nodes, S, K).

    pull : 1 where the estimate is missing; mean : of theta_s; spread : sd of mu, (n_nodes, 1, K)
    """

    pull: Floats
    mean: Floats
    own: Floats
    spread: Floats


def _sum(values: Floats, known: NDArray[np.bool_]) -> Floats:
    """(n_nodes, 1, K) sum over the scenarios with an estimate."""
    return np.asarray((values * known).sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Pooled:
    """What S scenarios together say of K coefficients. Everything is NaN for a coefficient without any estimate.

    estimate, se : (S, K) as given; a missing estimate has NaN and an infinite standard error
    prior_sd : of the half-normal prior of tau
    shared : variance of an error that all scenarios have in common, beside their own
    tau, share : (n_nodes, K) values of the between-scenario sd, and the posterior probability of each
    centre, centre_sd : (n_nodes, K) mean and sd of mu given tau
    scale : (K,) c in tau = c sinh(x); edges : (n_nodes + 1,) of the cells in x whose middles the nodes are
    """

    estimate: Floats
    se: Floats
    prior_sd: float
    tau: Floats
    share: Floats
    centre: Floats
    centre_sd: Floats
    scale: Floats
    edges: Floats
    shared: float = 0.0

    @property
    def n_estimates(self) -> Ints:
        """(K,) scenarios with an estimate."""
        return np.asarray(np.isfinite(self.se).sum(axis=0))

    # -- the quantity in each scenario --------------------------------------------------------------------------

    @cached_property
    def value(self) -> Floats:
        """(S, K) posterior means of theta_s."""
        return self._over(self._theta, lambda found: found.expectation)

    @cached_property
    def sd(self) -> Floats:
        """(S, K) posterior standard deviations of theta_s."""
        return self._over(self._theta, lambda found: found.deviation)

    def interval(self, level: float = 0.95) -> Interval:
        """(S, K) central posterior intervals of theta_s."""
        return self._interval(self._theta, level)

    def beyond(self, at: float = 0.0, more: Floats | None = None) -> Floats:
        """(S, K) twice the posterior probability that theta_s lies on the other side of a value than most of it does.

        It is used as a p-value. more : (S, K) sd of what is uncertain besides and shared by all scenarios
        """
        return self._two_sided(self._theta, at, more)

    def apart(self) -> Floats:
        """(S, K) the same of `departure` and 0: does a scenario stand apart from the average of all? To about .0005."""
        return self._two_sided(self._away, 0.0, None)

    def average_beyond(self, at: float = 0.0, more: Floats | None = None) -> Floats:
        """(K,) as `beyond`, of `average`. more : (K,)"""
        wide = None if more is None else np.asarray(more)[None, :]
        return np.asarray(self._two_sided(self._average, at, wide)[0])

    def _two_sided(self, build: Callable[[slice], Mixture], at: float, more: Floats | None) -> Floats:
        wide = np.zeros((1, self.estimate.shape[1])) if more is None else more
        known = self.n_estimates > 0
        below = np.hstack([build(some).below(at, wide[:, some]) for some in self._chunks()])
        return np.where(known, 2 * np.minimum(below, 1 - below), np.nan)

    @cached_property
    def departure(self) -> Floats:
        """(S, K) posterior means of theta_s minus the average of the scenarios that have an estimate.

        From these scenarios' own average, not from mu: how few they are makes mu uncertain, not their differences.
        """
        return self._over(self._away, lambda found: found.expectation)

    def departure_interval(self, level: float = 0.95) -> Interval:
        """(S, K) central posterior intervals of `departure`."""
        return self._interval(self._away, level)

    # -- over scenarios -----------------------------------------------------------------------------------------

    @cached_property
    def average(self) -> Floats:
        """(K,) posterior means of the average of theta_s over the scenarios that have an estimate."""
        return np.asarray(self._over(self._average, lambda found: found.expectation)[0])

    def average_interval(self, level: float = 0.95) -> Interval:
        """(K,) central posterior intervals of `average`."""
        found = self._interval(self._average, level)
        return Interval(found.lower[0], found.upper[0])

    @cached_property
    def mu(self) -> Floats:
        """(K,) posterior means of mu, the mean of all scenarios there might be."""
        return np.asarray(self._over(self._mu, lambda found: found.expectation)[0])

    def mu_interval(self, level: float = 0.95) -> Interval:
        """(K,) central posterior intervals of mu."""
        found = self._interval(self._mu, level)
        return Interval(found.lower[0], found.upper[0])

    @cached_property
    def tau_median(self) -> Floats:
        """(K,) posterior medians of the between-scenario sd."""
        return self._tau_quantile(0.5)

    def tau_interval(self, level: float = 0.95) -> Interval:
        """(K,) central posterior intervals of tau. They never hold 0: whether tau is 0 is a question for a test."""
        return Interval(self._tau_quantile((1 - level) / 2), self._tau_quantile((1 + level) / 2))

    def _tau_quantile(self, p: float) -> Floats:
        out = np.full(self.tau.shape[1], np.nan)
        for k, curve in self._tau_reached.items():
            out[k] = self.scale[k] * np.sinh(curve.solve(p, extrapolate=False)[0])
        return out

    @cached_property
    def _tau_reached(self) -> dict[int, CubicSpline]:
        """By coefficient the posterior distribution function of tau, over the edges of the nodes' cells."""
        # Each node stands for its cell; the second difference is what its middle misses of the cell's integral.
        before = np.vstack([self.share[:1], self.share[:-1]])
        after = np.vstack([self.share[1:], np.zeros_like(self.share[:1])])
        reached = np.cumsum(self.share + (before - 2 * self.share + after) / 24, axis=0)
        return {
            int(k): CubicSpline(self.edges, np.concatenate([[0.0], reached[:, k]]))
            for k in np.flatnonzero(self.n_estimates)
        }

    # -- the mixtures, some coefficients at a time --------------------------------------------------------------

    def _theta(self, some: slice) -> Mixture:
        given = self._given_tau(some)
        variance = given.own + (given.pull * given.spread) ** 2 + self.shared
        return Mixture(self.share[:, None, some], given.mean, np.sqrt(variance))

    def _away(self, some: slice) -> Mixture:
        given, known = self._given_tau(some), np.isfinite(self.se[:, some])
        n = np.maximum(known.sum(axis=0), 1)
        mean, pull, own = (_sum(part, known) / n for part in (given.mean, given.pull, given.own))
        # What scenario s and the average share of s's own error cancels.
        variance = given.own * (1 - 2 * known / n) + own / n + ((given.pull - pull) * given.spread) ** 2
        return Mixture(self.share[:, None, some], given.mean - mean, np.sqrt(np.maximum(variance, TINY)))

    def _average(self, some: slice) -> Mixture:
        given, known = self._given_tau(some), np.isfinite(self.se[:, some])
        n = np.maximum(known.sum(axis=0), 1)
        mean, pull, own = (_sum(part, known) / n for part in (given.mean, given.pull, given.own))
        # Without any estimate there is no average, and nothing that varies.
        variance = np.maximum(own / n + (pull * given.spread) ** 2 + self.shared, TINY)
        return Mixture(self.share[:, None, some], mean, np.sqrt(variance))

    def _mu(self, some: slice) -> Mixture:
        spread = np.sqrt(self.centre_sd[:, None, some] ** 2 + self.shared)
        return Mixture(self.share[:, None, some], self.centre[:, None, some], spread)

    def _given_tau(self, some: slice) -> _GivenTau:
        tau, centre = self.tau[:, None, some], self.centre[:, None, some]
        # Written with the ratio, so that an infinite se gives 1 and a tiny tau no 0/0.
        pull = 1.0 / (1.0 + (tau / self.se[None, :, some]) ** 2)
        estimate = np.where(np.isfinite(self.se[:, some]), self.estimate[:, some], 0.0)
        mean = centre + (1 - pull) * (estimate - centre)
        return _GivenTau(pull, mean, pull * tau**2, self.centre_sd[:, None, some])

    def _chunks(self) -> Iterator[slice]:
        nodes, k = self.tau.shape
        step = max(1, CHUNK // max(nodes * len(self.se), 1))
        return (slice(start, start + step) for start in range(0, k, step))

    def _over(self, build: Callable[[slice], Mixture], take: Callable[[Mixture], Floats]) -> Floats:
        known = self.n_estimates > 0
        out = np.hstack([take(build(some)) for some in self._chunks()])
        return np.where(known, out, np.nan)

    def _interval(self, build: Callable[[slice], Mixture], level: float) -> Interval:
        lower, upper = (1 - level) / 2, (1 + level) / 2
        return Interval(
            self._over(build, lambda found: found.quantile(lower)),
            self._over(build, lambda found: found.quantile(upper)),
        )


def pool(estimate: Floats, se: Floats, *, prior_sd: float = PRIOR_SD, shared: float = 0.0) -> Pooled:
    """Pool K coefficients over S scenarios, each coefficient by itself.

    estimate, se : (S, K); an estimate that is NaN, or a standard error that is NaN or infinite, is missing
    prior_sd : scale of the half-normal prior of tau, in the estimates' units
    shared : variance of an error that moves all scenarios alike, `se` being without it. As mu is flat nothing is
        learned of it: it widens what is known of each scenario and of mu, and changes nothing else

    Raises ValueError where shapes differ or a standard error is not > 0.
    """
    estimate, se = np.asarray(estimate, dtype=np.float64), np.asarray(se, dtype=np.float64)
    if estimate.ndim != 2 or estimate.shape != se.shape or 0 in estimate.shape:
        raise ValueError(f"estimate {estimate.shape} and se {se.shape} must have one shape (scenarios, coefficients)")
    if not prior_sd > 0 or bool((se <= 0).any()):
        raise ValueError("standard errors and prior_sd must be > 0")
    known = np.isfinite(estimate) & np.isfinite(se)
    estimate, se = np.where(known, estimate, np.nan), np.where(known, se, np.inf)
    some = known.any(axis=0)
    # Nor coarser than the prior is wide: where no scenario says anything, tau is what the prior says.
    scale = np.where(some, np.minimum(se.min(axis=0, initial=np.inf), prior_sd), 1.0)
    highest = np.where(known, estimate, -np.inf).max(axis=0)
    lowest = np.where(known, estimate, np.inf).min(axis=0)
    reach = REACH * prior_sd + np.where(some, highest - lowest, 0.0)
    step = STEP / np.sqrt(2.0 * max(int(known.sum(axis=0).max()), 1))
    n_nodes = int(np.ceil(np.arcsinh(reach / scale).max() / step))
    x = (np.arange(n_nodes) + 0.5) * step
    tau = scale * np.sinh(x)[:, None]
    found = [_posterior(estimate[:, k], se[:, k], known[:, k], tau[:, k]) for k in range(estimate.shape[1])]
    centre, centre_sd = (np.column_stack([getattr(one, name) for one in found]) for name in ("centre", "centre_sd"))
    log_share = np.column_stack([one.log_likelihood for one in found])
    log_share = log_share - 0.5 * (tau / prior_sd) ** 2 + np.log(np.cosh(x))[:, None]
    share = np.exp(log_share - log_share.max(axis=0))
    share /= share.sum(axis=0)
    felt = np.flatnonzero((share > NEGLIGIBLE).any(axis=1))
    rows = slice(int(felt[0]), int(felt[-1]) + 1)
    edges = np.arange(rows.start, rows.stop + 1) * step
    return Pooled(estimate, se, prior_sd, tau[rows], share[rows], centre[rows], centre_sd[rows], scale, edges, shared)


@dataclass(frozen=True)
class _AtNodes:
    """One coefficient at each tau: log-likelihood with mu integrated out, mean and sd of mu; all (n_nodes,)."""

    log_likelihood: Floats
    centre: Floats
    centre_sd: Floats


def _posterior(estimate: Floats, se: Floats, known: NDArray[np.bool_], tau: Floats) -> _AtNodes:
    y, variance = estimate[known], se[known] ** 2 + tau[:, None] ** 2
    if not len(y):
        return _AtNodes(np.zeros(len(tau)), np.zeros(len(tau)), np.ones(len(tau)))
    weight = 1.0 / variance
    total = weight.sum(axis=1)
    # Around the first estimate, so that nothing is lost to rounding far from 0.
    centre = y[0] + weight @ (y - y[0]) / total
    misfit = (weight * (y - centre[:, None]) ** 2).sum(axis=1)
    log_likelihood = -0.5 * (np.log(variance).sum(axis=1) + np.log(total) + misfit)
    return _AtNodes(log_likelihood, centre, 1.0 / np.sqrt(total))
