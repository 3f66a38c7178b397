"""What are the moments of a normal density times one factor that is not normal: a Laplace prior, or verdicts?

Expectation propagation approximates a posterior by replacing each such factor (its site) by a normal one that leaves
the same mean and variance beside all others (Minka 2001; Seeger 2008 for the Laplace prior). All functions work
element by element on arrays of any one shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import erfcx, log_expit, log_ndtr, ndtri_exp

from analysis.cells import Floats

FAR = 30.0
"""Standard deviations from which on a tail is taken from its series; the closed form has lost 10 digits there."""

BLOCK = 4_096
"""Sites worked on at a time: with their nodes they stay in the processor's cache."""

FEW, MANY = np.polynomial.hermite.hermgauss(13), np.polynomial.hermite.hermgauss(51)
"""Nodes and weights of Gauss-Hermite quadrature."""

NARROW = 1.0
"""Standard deviation of log-odds up to which few nodes are exact to seven digits."""

LIGHT = 1.5
"""Weight up to which a row of verdicts is no narrower than a normal density of standard deviation `NARROW`."""

NEWTON = 30


@dataclass(frozen=True)
class Moments:
    """Of the density that is proportional to a normal one times the site.

    log_z : logarithm of the mean of the site under the normal density
    """

    log_z: Floats
    mean: Floats
    variance: Floats


# -- Laplace ------------------------------------------------------------------------------------------------------


def laplace_moments(mean: Floats, precision: Floats, scale: Floats) -> Moments:
    """N(w; mean, 1/precision) times exp(-|w| / scale) / (2 scale): two normal densities, each cut at 0."""
    sd = 1 / np.sqrt(precision)
    up, down = _halves(mean, sd, scale)
    log_up, log_down = _log_mills(up), _log_mills(down)
    log_sum = np.logaddexp(log_up, log_down)
    share = np.exp(log_up - log_sum)
    mean_up, var_up = _tail(up)
    mean_down, var_down = _tail(down)
    together = share * mean_up - (1 - share) * mean_down
    variance = share * var_up + (1 - share) * var_down + share * (1 - share) * (mean_up + mean_down) ** 2
    log_z = log_sum - (mean / sd) ** 2 / 2 - np.log(2 * scale)
    return Moments(log_z, sd * together, sd**2 * variance)


def laplace_quantiles(mean: Floats, precision: Floats, scale: Floats, share: float | Floats) -> Floats:
    """Where the density of `laplace_moments` has the share of its mass below."""
    sd = 1 / np.sqrt(precision)
    up, down = _halves(mean, sd, scale)
    log_up, log_down = _log_mills(up), _log_mills(down)
    log_sum = np.logaddexp(log_up, log_down)
    above, below = log_up - log_sum, log_down - log_sum
    # Each half is the tail of a normal density beyond `up` or `down` of its standard deviations.
    with np.errstate(divide="ignore", invalid="ignore"):
        negative = down + ndtri_exp(np.minimum(np.log(share) - below, 0.0) + log_ndtr(-down))
        positive = up + ndtri_exp(np.minimum(np.log1p(-share) - above, 0.0) + log_ndtr(-up))
    return np.asarray(sd * np.where(np.log(share) < below, negative, -positive))


def laplace_above(mean: Floats, precision: Floats, scale: Floats) -> Floats:
    """The share of the mass above 0."""
    up, down = _halves(mean, 1 / np.sqrt(precision), scale)
    return np.exp(log_expit(_log_mills(up) - _log_mills(down)))


def laplace_skewness(mean: Floats, precision: Floats, scale: Floats) -> Floats:
    """The third standardised moment of the density of `laplace_moments`."""
    sd = 1 / np.sqrt(precision)
    up, down = _halves(mean, sd, scale)
    share = np.exp(log_expit(_log_mills(up) - _log_mills(down)))
    moments = []
    for z in (up, down):
        first, variance = _tail(z)
        second = variance + first**2
        third = np.where(z > FAR, 6 / np.maximum(z, FAR) ** 3, 2 * first - np.minimum(z, FAR) * second)
        moments.append((first, second, third))
    (up_1, up_2, up_3), (down_1, down_2, down_3) = moments
    one = share * up_1 - (1 - share) * down_1
    two = share * up_2 + (1 - share) * down_2
    three = share * up_3 - (1 - share) * down_3
    spread = np.maximum(two - one**2, 1e-100)
    # Far from 0 the prior has no peak to give, and the differences no digits.
    near = one**2 < 1e6 * spread
    return np.where(near, (three - 3 * one * two + 2 * one**3) / spread**1.5, 0.0)


def _halves(mean: Floats, sd: Floats, scale: Floats) -> tuple[Floats, Floats]:
    """How many standard deviations 0 lies above the mean of the positive half, and below that of the negative one."""
    return sd / scale - mean / sd, sd / scale + mean / sd


def _log_mills(z: Floats) -> Floats:
    """log of P(Z > z) / exp(-z^2 / 2) for a standard normal Z."""
    above, below = np.maximum(z, 0.0), np.minimum(z, 0.0)
    return np.where(z > 0, np.log(erfcx(above / np.sqrt(2)) / 2), log_ndtr(-below) + below**2 / 2)


def _tail(z: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of Z - z given Z > z, Z standard normal."""
    near = np.minimum(z, FAR)
    hazard = np.sqrt(2 / np.pi) / erfcx(near / np.sqrt(2))
    mean = hazard - near
    variance = 1 - hazard * mean
    far = np.maximum(z, FAR)
    v = 1 / far**2
    series = (1 - 2 * v + 10 * v**2 - 74 * v**3 + 706 * v**4) / far
    second = v * (2 - 10 * v + 74 * v**2 - 706 * v**3 + 8162 * v**4)
    return np.where(z > FAR, series, mean), np.where(z > FAR, second - series**2, variance)


# -- verdicts -----------------------------------------------------------------------------------------------------


def logistic_moments(
    mean: Floats, precision: Floats, weight: Floats, score: Floats, near: tuple[Floats, Floats] | None = None
) -> Moments:
    """N(u; mean, 1/precision) times sigmoid(u)^score * sigmoid(-u)^(weight - score), all (n,).

    near : mean and standard deviation that are about those looked for, where known; the quadrature is laid there
    """
    log_z, first, second = (np.empty(len(mean)) for _ in range(3))
    easy = (weight <= LIGHT) & (precision * NARROW**2 >= 1)
    for of, work in ((np.flatnonzero(easy), _light), (np.flatnonzero(~easy), _heavy)):
        for low in range(0, len(of), BLOCK):
            some = of[low : low + BLOCK]
            found = work(mean[some], precision[some], weight[some], score[some], _at(near, some))
            log_z[some], first[some], second[some] = found.log_z, found.mean, found.variance
    return Moments(log_z, first, second)


def logistic_skewness(
    mean: Floats, precision: Floats, weight: Floats, score: Floats, found: tuple[Floats, Floats]
) -> Floats:
    """The third standardised moment of the density of `logistic_moments`; found : its mean and standard deviation"""
    out = np.empty(len(mean))
    for low in range(0, len(mean), BLOCK):
        some = slice(low, low + BLOCK)
        node, mass = MANY if bool((found[1][some] > NARROW).any()) else FEW
        t = np.sqrt(2) * node
        u = found[0][some, None] + found[1][some, None] * t
        f = -weight[some, None] * (np.log1p(np.exp(-np.abs(u))) + np.maximum(u, 0.0)) + score[some, None] * u
        f += np.log(mass) + node**2 - precision[some, None] / 2 * (u - mean[some, None]) ** 2
        f = np.exp(f - f.max(axis=1, keepdims=True))
        out[some] = f @ t**3 / f.sum(axis=1)
    return out


def _at(near: tuple[Floats, Floats] | None, some: NDArray[np.int64]) -> tuple[Floats, Floats] | None:
    return None if near is None else (near[0][some], near[1][some])


def _light(
    mean: Floats, precision: Floats, weight: Floats, score: Floats, near: tuple[Floats, Floats] | None
) -> Moments:
    """Where the normal density is the narrower one: the quadrature is laid there."""
    node, mass = FEW
    sd = 1 / np.sqrt(precision)
    f = np.multiply.outer(np.sqrt(2) * sd, node)
    f += mean[:, None]
    whole = bool(((weight == 1) & ((score == 0) | (score == 1))).all())
    if whole:
        f *= (1 - 2 * score)[:, None]
        np.exp(f, out=f)
        f += 1
        np.divide(mass / np.sqrt(np.pi), f, out=f)
    else:
        f = np.exp(score[:, None] * log_expit(f) + (weight - score)[:, None] * log_expit(-f)) * mass / np.sqrt(np.pi)
    t = np.sqrt(2) * node
    sums = f @ np.stack([np.ones(len(t)), t, t**2], axis=1)
    z, one, two = sums[:, 0], sums[:, 1] / sums[:, 0], sums[:, 2] / sums[:, 0]
    return Moments(np.log(z), mean + sd * one, (two - one**2) / precision)


def _heavy(
    mean: Floats, precision: Floats, weight: Floats, score: Floats, near: tuple[Floats, Floats] | None
) -> Moments:
    """Where the two are about as narrow, or nobody knows: the quadrature is laid where the product is."""
    parts = mean, precision, weight, score
    centre, spread = _peak(*parts) if near is None else near
    found = _around(*parts, centre, spread)
    # Where what was found lies elsewhere than it was looked for, it is looked for again.
    sd = np.sqrt(found.variance)
    with np.errstate(invalid="ignore"):
        close = (np.abs(found.mean - centre) <= 0.3 * spread) & (np.abs(np.log(sd / spread)) <= 0.3)
    lost = np.flatnonzero(~close)
    if len(lost):
        again = _surely(*(part[lost] for part in parts))
        found.log_z[lost], found.mean[lost], found.variance[lost] = again.log_z, again.mean, again.variance
    return found


def _surely(mean: Floats, precision: Floats, weight: Floats, score: Floats) -> Moments:
    """From the peak, then around what was found there, until it stays."""
    centre, spread = _peak(mean, precision, weight, score)
    for _ in range(4):
        found = _around(mean, precision, weight, score, centre, spread, MANY)
        centre, spread = found.mean, np.sqrt(found.variance)
    return found


def _around(
    mean: Floats, precision: Floats, weight: Floats, score: Floats, centre: Floats, spread: Floats,
    rule: tuple[Floats, Floats] | None = None,
) -> Moments:  # fmt: skip
    """Gauss-Hermite quadrature laid at N(centre, spread^2)."""
    if rule is None:
        wide = spread > NARROW
        if wide.any() and not wide.all():
            log_z, first, second = (np.empty(len(mean)) for _ in range(3))
            for some, of in ((np.flatnonzero(~wide), FEW), (np.flatnonzero(wide), MANY)):
                one = _around(mean[some], precision[some], weight[some], score[some], centre[some], spread[some], of)
                log_z[some], first[some], second[some] = one.log_z, one.mean, one.variance
            return Moments(log_z, first, second)
        rule = MANY if wide.any() else FEW
    node, mass = rule
    t = np.sqrt(2) * node
    u = centre[:, None] + spread[:, None] * t
    log_f = score[:, None] * u - weight[:, None] * (np.log1p(np.exp(-np.abs(u))) + np.maximum(u, 0.0))
    log_f += (np.log(mass) + node**2) - precision[:, None] / 2 * (u - mean[:, None]) ** 2
    top = log_f.max(axis=1)
    f = np.exp(log_f - top[:, None])
    whole = f.sum(axis=1)
    one, two = f @ t / whole, f @ t**2 / whole
    log_z = top + np.log(whole * spread * np.sqrt(precision / np.pi))
    return Moments(log_z, centre + spread * one, spread**2 * np.maximum(two - one**2, 1e-12))


def _peak(mean: Floats, precision: Floats, weight: Floats, score: Floats) -> tuple[Floats, Floats]:
    """Where the product is largest, and the standard deviation that its curvature there stands for.

    Newton's method between ends that hold the peak, halving where it would leave them.
    """
    low = mean + np.minimum(score - weight, 0.0) / precision
    high = mean + score / precision
    u = np.clip(mean, low, high)
    for _ in range(NEWTON):
        chance = np.exp(log_expit(u))
        slope = score - weight * chance - precision * (u - mean)
        low, high = np.where(slope >= 0, u, low), np.where(slope <= 0, u, high)
        curvature = precision + weight * chance * (1 - chance)
        new = u + slope / curvature
        inside = (new > low) & (new < high)
        u = np.where(inside, new, (low + high) / 2)
        if bool((slope**2 < 0.01 * curvature).all() and (inside | (slope == 0)).all()):
            break
    chance = np.exp(log_expit(u))
    return u, 1 / np.sqrt(precision + weight * chance * (1 - chance))
