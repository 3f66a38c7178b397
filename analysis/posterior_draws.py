"""What is the posterior where normal sites are not enough: few verdicts, a wide prior, near separation, twins?

Expectation propagation gets means and standard deviations right to a few hundredths of a standard deviation even
there, but a weight then leans to one side by what the *other* sites are (their third cumulants), which its own
marginal does not know. `lean` tells by how much; where that matters, the exact posterior is drawn from by importance
sampling. The proposal has the marginals that were found, tied together by the normal approximation's correlations and
given the tails of a t distribution; its effective sample size says how well it fitted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv, log_expit, ndtr, ndtri

from analysis.cells import Floats
from analysis.propagation_sites import laplace_quantiles
from analysis.summed_rows import Rows

LEANS = 0.004
"""Log-odds: where no 5 % or 95 % quantile is moved by more, the normal sites are enough."""

AT_TAIL = 0.284
"""How many standard deviations a skewness of 1 moves the 5 % and 95 % quantiles (Cornish and Fisher): (z^2 - 1) / 6."""

DRAWS = 2**16
MOST = 2**24
"""Draws times rows at most; of more rows fewer draws are made, down to 2^11."""

FREEDOM = 30.0
"""Degrees of freedom of the proposal's tails."""

GRID = ndtr(np.linspace(-4.5, 4.5, 901))
"""Shares of which quantiles are kept."""


@dataclass(frozen=True)
class Drawn:
    """Of one fit of k weights. quantiles : (len(GRID), k); mean, sd, above : (k,); effective : of how many draws"""

    mean: Floats
    sd: Floats
    above: Floats
    quantiles: Floats
    covariance: Floats
    effective: float


def lean(covariance: Floats, x: Floats, variance: Floats, skew: Floats, own: Floats) -> Floats:
    """(F, k) log-odds by which the skewness of all other sites moves the tails of each weight.

    x : (F, n, k); variance, skew : (F, n) of each row's log-odds; own : (F, k) skewness of each weight's own marginal
    """
    sd = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    along = np.matmul(x, covariance)
    along /= sd[:, None, :] * np.sqrt(variance)[:, :, None]
    # Three products rather than a power, which costs ten times as much.
    cubed = along * along
    cubed *= along
    rows = np.matmul(skew[:, None, :], cubed)[:, 0, :]
    between = covariance / (sd[:, None, :] * sd[:, :, None])
    between[:, np.arange(sd.shape[1]), np.arange(sd.shape[1])] = 0.0
    others = np.matmul(own[:, None, :], between * between * between)[:, 0, :]
    return np.asarray(AT_TAIL * sd * np.abs(rows + others))


def draw_posterior(
    rows: Rows, scale: float, covariance: Floats, centre: Floats, precision: Floats, draws: int = DRAWS,
    seed: int = 0,
) -> Drawn:  # fmt: skip
    """Importance sampling with quasi-random points; covariance, centre, precision : one fit's, as in `Settled`."""
    # Takes half a second to import, of every command that fits.
    from scipy.stats import qmc

    k = len(centre)
    wanted = min(draws, max(MOST // max(len(rows.x), 1), 2**11))
    points = qmc.Sobol(k + 1, rng=np.random.default_rng(seed)).random_base2(int(np.log2(wanted)))
    points = np.clip(points, 1e-12, 1 - 1e-12)
    sd = np.sqrt(np.diag(covariance))
    normal = ndtri(points[:, :k])
    stretch = gammaincinv(FREEDOM / 2, points[:, k]) * 2 / FREEDOM
    between = covariance / np.outer(sd, sd)
    # Columns that are the same correlate at -1 but for rounding.
    root = np.linalg.cholesky((between + between.T) / 2 * (1 - 1e-10) + 1e-10 * np.eye(k))
    tied = normal @ root.T / np.sqrt(stretch)[:, None]
    log_proposal = -(FREEDOM + k) / 2 * np.log1p((normal**2).sum(axis=1) / stretch / FREEDOM)
    weights, log_slope = _through(tied, centre, precision, scale)
    log_weight = _log_posterior(rows, weights, scale) - log_proposal + log_slope
    mass = np.exp(log_weight - log_weight.max())
    mass /= mass.sum()
    mean = mass @ weights
    away = weights - mean
    spread = (away * mass[:, None]).T @ away
    return Drawn(
        mean=mean, sd=np.sqrt(np.diag(spread)), above=mass @ (weights > 0), quantiles=_quantiles(weights, mass),
        covariance=spread, effective=float(1 / (mass @ mass)),
    )  # fmt: skip


def _through(tied: Floats, centre: Floats, precision: Floats, scale: float) -> tuple[Floats, Floats]:
    """(n, k) weights of standard normal scores, so that each has its marginal; and the log of the map's slopes."""
    grid = np.linspace(-8.0, 8.0, 1601)
    lower = ndtr(grid[:801, None])
    below = laplace_quantiles(centre, precision, np.full(len(centre), scale), lower)
    # The upper half is the lower one of the mirrored marginal: there shares keep their digits.
    above = -laplace_quantiles(-centre, precision, np.full(len(centre), scale), lower[:800])[::-1]
    levels = np.concatenate([below, above])
    step = grid[1] - grid[0]
    place = np.clip(((tied - grid[0]) / step).astype(np.int64), 0, len(grid) - 2)
    columns = np.arange(len(centre))
    low, high = levels[place, columns], levels[place + 1, columns]
    return low + (tied - grid[place]) * (high - low) / step, np.log(np.maximum((high - low) / step, 1e-300)).sum(axis=1)


def _log_posterior(rows: Rows, weights: Floats, scale: float) -> Floats:
    """(n,) up to a constant; block by block of draws."""
    out: Floats = -np.abs(weights).sum(axis=1) / scale
    block = max(2**18 // max(len(rows.x), 1), 1)
    for low in range(0, len(weights), block):
        eta = weights[low : low + block] @ rows.x.T
        out[low : low + block] += log_expit(eta) @ rows.score + log_expit(-eta) @ (rows.weight - rows.score)
    return out


def _quantiles(weights: Floats, mass: Floats) -> Floats:
    out = np.empty((len(GRID), weights.shape[1]))
    for k, column in enumerate(weights.T):
        order = np.argsort(column)
        below = np.cumsum(mass[order]) - mass[order] / 2
        out[:, k] = np.interp(GRID, below, column[order])
    return out
