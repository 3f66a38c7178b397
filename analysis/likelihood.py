"""How likely are a win, a loss and a tie at given log-odds between two models?

Three rules. `logistic` knows wins and losses; a tie counts half of each (fractional response, Papke and
Wooldridge 1996). Two make a tie an outcome of its own: Davidson (1970), On extending the Bradley-Terry model to
accommodate ties in paired comparison experiments; Rao and Kupper (1967), Ties in paired-comparison
experiments: a generalization of the Bradley-Terry model. In the parameters used here all are concave.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.cells import Floats

Rule = Literal["logistic", "davidson", "rao-kupper"]


@dataclass(frozen=True)
class Observed:
    """Sums of each row: weight of all judgments, score of the first model, weight of the ties (None: not apart)."""

    weight: Floats
    score: Floats
    tied: Floats | None


@dataclass(frozen=True)
class Point:
    """The log-likelihood at some log-odds and its derivatives, each array (n_rows,).

    value : the sum over rows; residual, tie_residual : first derivatives by the log-odds and the tie
    parameter; curvature, cross, tie_curvature : negative second derivatives by both, mixed, and by the latter
    """

    value: float
    residual: Floats
    curvature: Floats
    tie_residual: Floats | None = None
    cross: Floats | None = None
    tie_curvature: Floats | None = None


def evaluate(rule: Rule, observed: Observed, eta: Floats, tie: float) -> Point:
    """The likelihood of the observed sums.

    eta : (n_rows,) log-odds of the first model of each row
    tie : log nu of Davidson, tau > 0 of Rao and Kupper (the value is -inf at tau <= 0); else not looked at
    """
    if rule == "davidson":
        return _davidson(observed, eta, tie)
    if rule == "rao-kupper":
        return _rao_kupper(observed, eta, tie)
    return _logistic(observed, eta)


def _sigmoid(x: Floats) -> tuple[Floats, Floats, Floats]:
    """sigmoid(x), sigmoid(-x) and log sigmoid(x), without overflow and without a difference of near numbers."""
    e = np.exp(-np.abs(x))
    tail = 1.0 / (1.0 + e)
    positive = x >= 0
    return np.where(positive, tail, e * tail), np.where(positive, e * tail, tail), np.minimum(x, 0.0) - np.log1p(e)


def _logistic(observed: Observed, eta: Floats) -> Point:
    p, q, log_p = _sigmoid(eta)
    won, lost = observed.score, observed.weight - observed.score
    # log q = log p - eta.
    value = observed.weight @ log_p - lost @ eta
    return Point(float(value), won * q - lost * p, observed.weight * p * q)


def _davidson(observed: Observed, eta: Floats, tie: float) -> Point:
    """win : loss : tie = exp(eta / 2) : exp(-eta / 2) : nu, with tie = log nu."""
    assert observed.tied is not None
    tied = observed.tied
    won, lost = observed.score - tied / 2, observed.weight - observed.score - tied / 2
    half = eta / 2
    top = np.maximum(np.abs(half), tie)
    log_z = top + np.log(np.exp(half - top) + np.exp(-half - top) + np.exp(tie - top))
    win, loss, draw = np.exp(half - log_z), np.exp(-half - log_z), np.exp(tie - log_z)
    value = (won - lost) @ half + tie * tied.sum() - observed.weight @ log_z
    # Each outcome's statistic (1/2, -1/2 or 0) minus its mean, written so that no near numbers are subtracted.
    residual = won * (loss + draw / 2) - lost * (win + draw / 2) + tied * (loss - win) / 2
    return Point(
        value=float(value),
        residual=residual,
        curvature=observed.weight * (win * loss + draw * (win + loss) / 4),
        tie_residual=tied * (win + loss) - (won + lost) * draw,
        cross=observed.weight * draw * (loss - win) / 2,
        tie_curvature=observed.weight * draw * (win + loss),
    )


def _rao_kupper(observed: Observed, eta: Floats, tie: float) -> Point:
    """P(win) = sigmoid(eta - tau), P(loss) = sigmoid(-eta - tau), P(tie) = (e^(2 tau) - 1) P(win) P(loss)."""
    assert observed.tied is not None
    tied = observed.tied
    if tie <= 0:
        nothing = np.zeros_like(eta)
        return Point(-np.inf, nothing, nothing, nothing, nothing, nothing)
    # A tie is as much evidence that the first did not lose clearly as that the second did not.
    one, two = observed.score + tied / 2, observed.weight - observed.score + tied / 2
    p, q, log_p = _sigmoid(eta - tie)
    r, s, log_r = _sigmoid(-eta - tie)
    gap = -np.expm1(-2 * tie)  # 1 - e^(-2 tau)
    value = one @ log_p + two @ log_r + tied.sum() * (2 * tie + np.log(gap))
    first, second = one * p * q, two * r * s
    return Point(
        value=float(value),
        residual=one * q - two * s,
        curvature=first + second,
        tie_residual=tied * (2 / gap) - one * q - two * s,
        cross=second - first,
        tie_curvature=first + second + tied * (4 * np.exp(-2 * tie) / gap**2),
    )


def share_of_ties(rule: Rule, tie: float) -> float:
    """The probability of a tie between equals: nu / (2 + nu), or tanh(tau / 2)."""
    if rule == "davidson":
        # nu / (2 + nu) without overflow.
        return float(1 / (1 + 2 * np.exp(-tie))) if tie > -700 else 0.0
    return float(np.tanh(tie / 2))


def tie_from_share(rule: Rule, share: float) -> float:
    """The tie parameter at which a share of the judgments between equals, in (0, 1), are ties."""
    if rule == "davidson":
        return float(np.log(2 * share) - np.log1p(-share))
    return float(2 * np.arctanh(share))
