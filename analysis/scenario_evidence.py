"""What do one scenario's verdicts alone say about each model, also where a model only won, or met few others?

Plain maximum likelihood has nothing to say there. So a scenario is fitted with a weak known prior, N(0, 1) on each
model's departure from its overall strength, and the part of the prior that speaks about the model itself is taken
out again: what is left is the likelihood's own estimate (its normal approximation at the penalised optimum), wide
where little is known. It is what expectation propagation calls a site: posterior divided by prior (Minka 2001).
The prior on the other models stays; it anchors strengths in a scenario where some models are missing, and its share
in the error is counted. Where all models are well known the result is the plain estimate.

With H the information, P = H + lambda I, C = P^-1 - 11'/(n lambda) the posterior covariance of strengths that sum to
0, p = (1 - 1/n)/lambda the prior variance, d the penalised departures, a = 1/(1 - C_mm/p):

    y_m = overall_m + a_m d_m
    var(y_m) = a_m^2 { [C J C]_mm + lambda (sum_{k != m} C_mk^2 - C_mm^2/(n - 1)) }

J is the covariance of the score, J = H for independent judgments, when var(y_m) = 1/(1/C_mm - 1/p).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import brentq, nnls
from scipy.special import digamma, polygamma

from analysis.cells import Cells, Floats, PairCounts, fold_to_pairs
from analysis.scenario_spread import PenalisedFit, Spread, clustered_spread, curvature_of, laplacian, sigmoid, stiffened
from analysis.vcov import Clustering
from errors import ConvergenceError

PRIOR_PRECISION = 1.0
"""Of a model's departure from its overall strength: sd 1 log-odds, twice the scale of the prior of tau."""

MOST_BORROWED = 20.0
"""Degrees of freedom that may be borrowed from the other estimates, however much alike their spread looks."""

LEAST_DF = 0.5
"""Degrees of freedom from which on an estimate helps to say how the spread varies."""

MAX_STEPS = 100
LAST_STEP = 1e-7
# Share of the prior variance that judgments must take away before they count as knowledge.
NOTHING_LEARNT = 1e-9
FIT_STEPS = 20


@dataclass(frozen=True)
class Evidence:
    """What one scenario says of K models; each array (K,), NaN for a model without a judgment in it.

    strength : centred like the overall strengths
    gain : a of the module's docstring; naive, robust : diagonal of C J C, for independent and for clustered judgments
    anchor : the variance that the prior on the other models leaves
    df : effective number of clusters of the model's judgments, less 1; size : its judgments a cluster
    one_sided : whether the model only won or only lost here
    """

    strength: Floats
    gain: Floats
    naive: Floats
    robust: Floats
    anchor: Floats
    df: Floats
    size: Floats
    one_sided: NDArray[np.bool_]


def find_evidence(cells: Cells, overall: Floats, clustering: Clustering) -> Evidence:
    """One scenario's evidence.

    cells : of one judge in one scenario, over the models of `overall`, with the codes that clustering needs
    overall : (K,) the judge's strengths over all scenarios, mean 0

    Raises ConvergenceError, and OptionError when the cells lack the codes.
    """
    every = len(cells.models)
    judged = np.bincount(cells.i, minlength=every) + np.bincount(cells.j, minlength=every) > 0
    met = np.flatnonzero(judged)
    part = cells.among([cells.models[k] for k in met])
    counts = fold_to_pairs(part)
    departure = _penalised(counts, overall[met])
    fit = PenalisedFit.of(part, counts, overall[met] + departure, PRIOR_PRECISION)
    level = 1.0 / (every * PRIOR_PRECISION)
    # Models that were not met keep their prior: each contributes `level` to every sum over the other models.
    covariance = fit.inverse + (1.0 / len(met) - 1.0 / every) / PRIOR_PRECISION
    own: Floats = np.diag(covariance)
    unmet = (every - len(met)) * level**2
    squares = (covariance**2).sum(axis=1) + unmet
    prior = (1.0 - 1.0 / every) / PRIOR_PRECISION
    left = 1.0 - own / prior
    gain = 1.0 / np.where(left > NOTHING_LEARNT, left, np.nan)
    naive = np.maximum(own - PRIOR_PRECISION * squares, 0.0)
    anchor = PRIOR_PRECISION * (squares - own**2 - own**2 / (every - 1))
    spread = Spread(naive, np.full(len(met), np.inf))
    if clustering.name != "none":
        spread = clustered_spread(fit, clustering)

    def over_all(values: Floats) -> Floats:
        out = np.full(every, np.nan)
        out[met] = values
        return out

    won = np.bincount(counts.a, counts.score, len(met)) + np.bincount(counts.b, counts.lost, len(met))
    weight = np.bincount(counts.a, counts.weight, len(met)) + np.bincount(counts.b, counts.weight, len(met))
    one_sided = np.zeros(every, dtype=bool)
    one_sided[met] = (won <= 1e-9 * weight) | (won >= (1 - 1e-9) * weight)
    return Evidence(
        strength=over_all(overall[met] + gain * departure),
        gain=over_all(gain),
        naive=over_all(naive),
        robust=over_all(spread.variance),
        anchor=over_all(np.maximum(anchor, 0.0)),
        df=over_all(spread.df),
        size=over_all(weight / (spread.df + 1.0)),
        one_sided=one_sided,
    )


def _penalised(counts: PairCounts, overall: Floats) -> Floats:
    """(n,) departures that maximise the quasi-likelihood minus lambda/2 * ||departure||^2; they sum to 0."""
    n = counts.n_models
    departure = np.zeros(n)

    def value(at: Floats) -> float:
        d = (overall + at)[counts.a] - (overall + at)[counts.b]
        # Each side by itself: of 10^8 verdicts against one, a difference of two sums would keep no digits.
        fit = counts.score @ np.logaddexp(0.0, -d) + counts.lost @ np.logaddexp(0.0, d)
        return float(-fit - PRIOR_PRECISION / 2 * at @ at)

    now = value(departure)
    for _ in range(MAX_STEPS):
        theta = overall + departure
        d = theta[counts.a] - theta[counts.b]
        residual = counts.score * sigmoid(-d) - counts.lost * sigmoid(d)
        gradient = np.bincount(counts.a, residual, n) - np.bincount(counts.b, residual, n) - PRIOR_PRECISION * departure
        information = stiffened(laplacian(counts, curvature_of(counts, theta)), PRIOR_PRECISION)
        step = cho_solve(cho_factor(information, check_finite=False), gradient, check_finite=False)
        share = 1.0
        while (then := value(departure + share * step)) < now - 1e-13 * abs(now):
            share /= 2
            if share < 1e-10:
                raise ConvergenceError(f"the strengths of {n} models in one scenario did not converge")
        departure, now = departure + share * step, then
        if share == 1.0 and float(np.abs(step).max()) <= LAST_STEP:
            return departure
    raise ConvergenceError(f"the strengths of {n} models in one scenario did not converge in {MAX_STEPS} steps")


@dataclass(frozen=True)
class Weighed:
    """Evidence of S scenarios side by side, each array (S, K); NaN and an infinite se where nothing is known.

    strength, se : as in `Evidence`, with the spread of judgments that the scenarios share taken into account
    df : degrees of freedom of se, what is borrowed included; borrowed : how many of them
    """

    strength: Floats
    se: Floats
    df: Floats
    borrowed: float


def weigh(found: Sequence[Evidence]) -> Weighed:
    """Standard errors that borrow from one another how much clusters widen them.

    A few clusters say little about their own spread, and a model that won everything nothing: its residuals are all
    small. The ratio r of clustered to independent variance is therefore moderated as Smyth (2004) does, to
    (df r + d0 r0)/(df + d0) with df + d0 degrees of freedom. r0 = alpha + beta b grows with the judgments a cluster b
    (Kish 1965) and is fitted to the ratios of all scenarios and models; d0 says how closely they follow it.
    Where no scenario has two clusters nothing is known and every se is infinite.
    """
    strength, gain, naive, robust, anchor, df, size = (
        np.array([getattr(one, name) for one in found])
        for name in ("strength", "gain", "naive", "robust", "anchor", "df", "size")
    )
    met = ~np.isnan(strength)
    if not np.isfinite(df[met]).any():
        se = np.where(met, gain * np.sqrt(naive + anchor), np.inf)
        return Weighed(strength, se, np.where(met, np.inf, np.nan), np.inf)
    ratio = robust / np.where(naive > 0, naive, np.nan)
    usable = ~np.array([one.one_sided for one in found]) & (ratio > 0)
    telling = usable & (df >= LEAST_DF)
    usual = _fit_ratio(ratio[telling], size[telling], df[telling])
    borrowed = _closeness(ratio[telling], usual(size[telling]), df[telling])
    own = np.where(usable, df, 0.0)
    moderated = np.where(usable, df * ratio, 0.0) + borrowed * usual(size)
    known = met & (naive > 0) & (own + borrowed >= 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        se = np.where(known, gain * np.sqrt(moderated / (own + borrowed) * naive + anchor), np.inf)
    return Weighed(np.where(known, strength, np.nan), se, np.where(known, own + borrowed, np.nan), borrowed)


def _fit_ratio(ratio: Floats, size: Floats, df: Floats) -> Callable[[Floats], Floats]:
    """r0 = alpha + beta b with alpha, beta >= 0: quasi-likelihood with the variance 2 r0^2 / df of a variance."""
    if not len(ratio):
        return lambda b: np.ones_like(b)
    design = np.column_stack([np.ones_like(size), size])
    expected = np.full_like(ratio, float(df @ ratio / df.sum()))
    coefficients = np.zeros(2)
    for _ in range(FIT_STEPS):
        root = np.sqrt(df) / expected
        coefficients, _ = nnls(design * root[:, None], ratio * root)
        expected = np.maximum(design @ coefficients, 1e-12)
    alpha, beta = (float(c) for c in coefficients)
    return lambda b: alpha + beta * b


def _closeness(ratio: Floats, usual: Floats, df: Floats) -> float:
    """d0: the excess of log(r/r0)'s variance over that of df degrees of freedom is trigamma(d0/2) (Smyth 2004)."""
    if not len(ratio):
        return 0.0
    half = df / 2
    away = np.log(ratio / usual) - digamma(half) + np.log(half)
    noise = polygamma(1, half)
    # Weighed by how well each is known, so that ratios of a few clusters do not drown out the rest.
    weight = 1.0 / (noise + float(polygamma(1, MOST_BORROWED / 2)))
    excess = float(weight @ ((away - weight @ away / weight.sum()) ** 2 - noise) / weight.sum())
    if excess <= float(polygamma(1, MOST_BORROWED / 2)):
        return MOST_BORROWED
    return 2.0 * float(brentq(lambda y: float(polygamma(1, y)) - excess, 1e-6, MOST_BORROWED / 2))
