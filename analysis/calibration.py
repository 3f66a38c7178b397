"""Is a judge as often right as it is sure?

Expected calibration error: over bins of one width of the probability that the judge gives its own side, the share of
comparisons in a bin times the distance of mean probability and share right (Naeini, Cooper and Hauskrecht 2015; Guo et
al. 2017). It is above 0 for a judge without any error, the more so the more bins there are; what chance alone gives is
sum over bins of sqrt(2 / pi) times the clustered standard error of (right - probability), as for a normal sum around 0.
Its interval is of the error without what chance adds (`calibration_error`), and may lie below the figure.
Brier score: mean squared difference of probability and outcome (1950). Temperature (Guo et al. 2017): the T that makes
the log loss of sigmoid(logit(p) / T) smallest, above 1 for a judge that is too sure; what it wins is measured on
clusters left out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit, xlogy

from analysis.calibration_error import Chance, Freed, chance_of
from analysis.cells import Floats, Ints
from analysis.cluster_sums import Figures, estimate, join
from analysis.tables import floats
from analysis.vcov import Clustering, Covariance, Term, find_heavy
from errors import NotIdentifiedError

BINS = (5, 10, 20)
CLIP = 0.001
"""Probabilities of 0 and 1 are this far from them where log-odds are taken."""

FOLDS = 5


@dataclass(frozen=True)
class Claims:
    """Probabilities and what became true; each array (n,).

    p : in [0, 1], claimed; n : comparisons; y : sum over these of what became true, each 0, 1, or .5 (a tie)
    ties : comparisons that came out .5
    folded : p is that of one of two sides, so that the more likely one is binned, from .5 on
    """

    p: Floats
    y: Floats
    n: Floats
    ties: Floats
    cluster: Ints
    folded: bool

    def take(self, rows: Ints | NDArray[np.bool_]) -> Claims:
        """Some of the rows, or another order of them."""
        return replace(self, **{one: getattr(self, one)[rows] for one in ("p", "y", "n", "ties", "cluster")})


@dataclass(frozen=True)
class Calibration:
    """figures : ece_5, ece_10, ece_20, brier, sureness (mean probability of its own side), right (how often it is)

    chance : what ECE a judge without error has here, by number of bins
    bins : by number of bins, one row each that holds a comparison: low, high (edges), sureness, right, lower, upper,
        comparisons, clusters
    temperature, temperature_lower, temperature_upper : NaN where undefined, infinite where no end is; cause : why it
        is undefined, or None
    log_loss, log_loss_scaled : on clusters left out, as it is and with the temperature of the others; NaN where none
    """

    figures: Figures
    chance: dict[int, float]
    bins: dict[int, pd.DataFrame]
    temperature: float
    temperature_lower: float
    temperature_upper: float
    log_loss: float
    log_loss_scaled: float
    brier_scaled: float
    cause: str | None
    comparisons: int

    def table(self, n_bins: int = 10) -> pd.DataFrame:
        """The reliability diagram with so many bins."""
        return self.bins[n_bins]


def calibrate(claims: Claims, clustering: Clustering, level: float = 0.95, seed: int = 0) -> Calibration:
    """Raises NotIdentifiedError where there is no comparison."""
    if not claims.n.sum() > 0:
        raise NotIdentifiedError("no comparison to hold the probabilities against")
    claims = claims.take(claims.n > 0)
    p, y, n = claims.p, claims.y, claims.n
    # Of its own side: which of two sides a probability is of changes nothing.
    turned = claims.folded & (p < 0.5)
    sure, right = np.where(turned, 1 - p, p), np.where(turned, n - y, y)
    if claims.folded:
        # Without a side of its own it is half right whatever is true.
        right = np.where(p == 0.5, n / 2, right)
    low = 0.5 if claims.folded else 0.0
    # Who has no side errs in nothing.
    doubt = n * np.where(claims.folded & (p == 0.5), 0.0, sure * (1 - sure))
    code = np.arange(len(n)) if clustering.name == "none" else np.unique(claims.cluster, return_inverse=True)[1]
    parts, chance, tables = [], {}, {}
    errors: dict[str, Chance] = {}
    for k in BINS:
        at = np.clip(np.floor((sure - low) / (1 - low) * k + 1e-9).astype(np.int64), 0, k - 1)
        here = at[:, None] == np.arange(k)
        away = here * (right - n * sure)[:, None]
        sums = np.column_stack([away, n])
        parts.append(estimate(_ece, sums, n, claims.cluster, clustering, (f"ece_{k}",), "share"))
        errors[f"ece_{k}"] = chance_of(away, here, n, doubt, code)
        chance[k] = errors[f"ece_{k}"].alone
        tables[k] = _diagram(sure, right, n, here, claims.cluster, clustering, low, level)
    brier = n * p * p - 2 * p * y + _squares(claims)
    means = np.column_stack([brier, n * sure, right, n])
    parts.append(estimate(_means, means, n, claims.cluster, clustering, ("brier", "sureness", "right"), "share"))
    found = temper(logit(np.clip(p, CLIP, 1 - CLIP)), claims, clustering, level, seed)
    joined = join(parts)
    return Calibration(
        Freed(**vars(joined), errors=errors), chance, tables, found.temperature, found.lower, found.upper,
        found.log_loss, found.log_loss_scaled, found.brier_scaled, found.cause, int(n.sum()),
    )  # fmt: skip


def _squares(claims: Claims) -> Floats:
    """(n,) sums of the squared outcomes: what is .5 is a quarter less than its outcome."""
    return np.asarray(claims.y - claims.ties / 4)


def _ece(sums: Floats) -> Floats:
    away = sums[..., :-1]
    return np.asarray((np.where(np.real(away) < 0, -away, away).sum(axis=-1) / sums[..., -1])[..., None])


def _means(sums: Floats) -> Floats:
    return np.asarray(sums[..., :-1] / sums[..., -1:])


def _diagram(sure: Floats, right: Floats, n: Floats, here: NDArray[np.bool_], cluster: Ints, clustering: Clustering,
             low: float, level: float) -> pd.DataFrame:  # fmt: skip
    rows = []
    k = here.shape[1]
    for b in range(k):
        some = np.flatnonzero(here[:, b] & (n > 0))
        if not len(some):
            continue
        sums = np.column_stack([right[some], n[some]])
        found = estimate(_means, sums, n[some], cluster[some], clustering, ("right",), "share")
        lower, upper = found.interval(level)
        width = (1 - low) / k
        rows.append(
            (low + b * width, low + (b + 1) * width, float(np.average(sure[some], weights=n[some])), found["right"],
             lower[0], upper[0], int(n[some].sum()), int(found.clusters[0]))
        )  # fmt: skip
    names = ("low", "high", "sureness", "right", "lower", "upper", "comparisons", "clusters")
    table = pd.DataFrame(rows, columns=list(names))
    for name in ("lower", "upper"):
        table[name] = floats(table[name])
    return table


# -- temperature ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tempered:
    """The temperature of log-odds z (or of differences of scores, in their unit): sigmoid(z / temperature).

    temperature, lower, upper : NaN where undefined, infinite where no end is; cause : why it is undefined, or None
    log_loss, log_loss_scaled, brier_scaled : of z as it is, and on clusters left out with the temperature of the others
    held_out : (n,) z / temperature of the other clusters; NaN where these determine none
    """

    temperature: float
    lower: float
    upper: float
    log_loss: float
    log_loss_scaled: float
    brier_scaled: float
    cause: str | None
    held_out: Floats


def temper(z: Floats, claims: Claims, clustering: Clustering, level: float = 0.95, seed: int = 0) -> Tempered:
    """The most likely temperature with its interval. claims : what came true; their p is not looked at"""
    nothing = float("nan")
    code = np.arange(len(z)) if clustering.name == "none" else np.unique(claims.cluster, return_inverse=True)[1]
    size = int(code.max()) + 1
    slope = _slope(z, claims.y, claims.n)
    fold = (np.random.default_rng(seed).permutation(size) % min(FOLDS, size))[code]
    scaled = np.full(len(z), np.nan)
    for f in range(int(fold.max()) + 1) if size > 1 else ():
        train = fold != f
        scaled[~train] = _slope(z[train], claims.y[train], claims.n[train]) * z[~train]
    plain = _loss(z, claims)
    if np.isnan(slope):
        why = _no_slope(z, claims)
        return Tempered(nothing, nothing, nothing, plain, nothing, nothing, why, scaled)
    after, brier = nothing, nothing
    if np.isfinite(scaled).all():
        after, p = _loss(scaled, claims), expit(scaled)
        brier = float((claims.n * p * p - 2 * p * claims.y + _squares(claims)).sum() / claims.n.sum())
    if slope <= 0:
        why = "it is no more often right where it is surer"
        return Tempered(nothing, nothing, nothing, plain, after, brier, why, scaled)
    mass = np.bincount(code, claims.n, size)
    deleted, effective = (np.empty(0, dtype=np.int64), np.inf) if clustering.name == "none" else find_heavy(mass)
    score = np.bincount(code, z * (claims.y - claims.n * expit(slope * z)), size)
    fitted = expit(slope * z)
    curvature = float((claims.n * z * z * fitted * (1 - fitted)).sum())
    replicates = np.array([[_slope(z[code != c], claims.y[code != c], claims.n[code != c])] for c in deleted])
    present = int((mass > 0).sum())
    if present < 2 or (len(replicates) and not np.isfinite(replicates).all()):
        return Tempered(1 / slope, nothing, nothing, plain, after, brier, None, scaled)
    score[deleted] = 0
    linear = np.array([[score @ score / curvature**2 * present / (present - 1)]])
    clusters = 0 if clustering.name == "none" else present
    term = Term(clustering.name, clusters, 1, effective, replicates.reshape(-1, 1), linear)
    found = Covariance(clustering, np.array([slope]), (term,))
    half = found.quantiles.two_sided(level) * float(found.se[0])
    upper = 1 / (slope - half) if slope > half else float("inf")
    return Tempered(1 / slope, 1 / (slope + half), upper, plain, after, brier, None, scaled)


def _slope(z: Floats, y: Floats, n: Floats) -> float:
    """Of the most likely sigmoid(slope * z); NaN where none is (all right, all wrong, or all z 0)."""
    with_side = z != 0
    toward = np.where(z > 0, y, n - y)[with_side]
    if not toward.sum() > 0 or not (n[with_side] - toward).sum() > 0:
        return float("nan")
    z, y, n = z[with_side], y[with_side], n[with_side]
    slope = 0.0
    for _ in range(100):
        fitted = expit(slope * z)
        step = float((z * (y - n * fitted)).sum() / (n * z * z * fitted * (1 - fitted)).sum())
        # The likelihood is concave; a step of one log-odds of the surest row never passes where it is flat.
        most = 2 / float(np.abs(z).max())
        slope += float(np.clip(step, -most, most))
        if abs(step) < 1e-12 * (1 + abs(slope)):
            break
    return slope


def _no_slope(z: Floats, claims: Claims) -> str:
    """Why no slope is the most likely."""
    if not (z != 0).any():
        return "it is never sure of a side"
    wrong = np.where(z > 0, claims.n - claims.y, claims.y)[z != 0].sum()
    return "it is always wrong" if wrong > 0 else "it is always right"


def _loss(z: Floats, claims: Claims) -> float:
    """Mean log loss of log-odds, in nats."""
    p = expit(z)
    # xlogy of the complement by expit(-z), which keeps its digits.
    return float(-(xlogy(claims.y, p) + xlogy(claims.n - claims.y, expit(-z))).sum() / claims.n.sum())
