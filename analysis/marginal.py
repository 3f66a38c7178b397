"""By how many percentage points does a factor move the chance of winning, on the pairs there are?

The average marginal effect: the mean over pairs of the derivative of the expected preference for `a` by a scaled
difference, with neither answer first (Wooldridge 2010, section 15.6). Unlike a weight it does not grow with all that
the model leaves out (Mood 2010), so it can be held beside another judge's without a scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.cells import Floats
from analysis.design import BLOCK
from analysis.design_sums import in_parts
from analysis.factor_fit import FactorFit
from analysis.likelihood import Observed, Rule, evaluate
from analysis.vcov import Covariance

STEP = 1e-4
"""Of the log-odds and the tie parameter, for central differences of a curvature known to 1e-15."""


def marginal_effects(fits: Sequence[FactorFit], joint: Covariance, x: NDArray[Any]) -> Covariance:
    """Average marginal effects of all judges, in percentage points for one scale unit.

    fits : of the judges, all with the same factors; joint : covariance of their stacked parameters
    x : (k, n_pairs) scaled differences of the pairs, in the order of the factors
    Returns a Covariance over [the k effects of judge 1, those of judge 2, ...].
    """
    ends = np.cumsum([0, *(len(fit.parameters) for fit in fits)])
    k = len(x)

    def effects(parameters: Floats) -> Floats:
        flat = parameters.reshape(-1, parameters.shape[-1])
        out = np.empty((len(flat), k * len(fits)))
        for row, stacked in enumerate(flat):
            for j, fit in enumerate(fits):
                weights, tie = _parts(fit, stacked[ends[j] : ends[j + 1]])
                out[row, j * k : (j + 1) * k] = 100 * weights * _mean_slope(fit.rule, weights, tie, x)
        return out.reshape(*parameters.shape[:-1], k * len(fits))

    jacobian = np.zeros((k * len(fits), ends[-1]))
    for j, fit in enumerate(fits):
        weights, tie = _parts(fit, fit.parameters)
        slope, by_weight, by_tie = _slope_derivatives(fit.rule, weights, tie, x)
        low = ends[j] + int(fit.has_position)
        rows = slice(j * k, (j + 1) * k)
        jacobian[rows, low : low + k] = 100 * (slope * np.eye(k) + np.outer(weights, by_weight))
        if fit.rule != "logistic":
            jacobian[rows, ends[j + 1] - 1] = 100 * weights * by_tie
    return joint.of(effects, jacobian)


def _parts(fit: FactorFit, parameters: Floats) -> tuple[Floats, float]:
    low = int(fit.has_position)
    tie = float(parameters[-1]) if fit.rule != "logistic" else 0.0
    return parameters[low : low + len(fit.factors)], tie


def expected_slope(rule: Rule, eta: Floats, tie: float) -> Floats:
    """Derivative of the expected preference by the log-odds."""
    half = np.full(len(eta), 0.5)
    ones, none = np.ones(len(eta)), None if rule == "logistic" else np.zeros(len(eta))
    # At a preference of one half the information is that of the expectation, in all three rules.
    return evaluate(rule, Observed(ones, half, none), eta, tie).curvature


def _mean_slope(rule: Rule, weights: Floats, tie: float, x: NDArray[Any]) -> float:
    kind = weights.astype(x.dtype)

    def part(start: int, stop: int) -> float:
        total = 0.0
        for low in range(start, stop, BLOCK):
            eta = np.asarray(kind @ x[:, low : min(low + BLOCK, stop)], dtype=np.float64)
            total += float(expected_slope(rule, eta, tie).sum())
        return total

    return float(sum(in_parts(x.shape[1], part))) / int(x.shape[1])


def _slope_derivatives(rule: Rule, weights: Floats, tie: float, x: NDArray[Any]) -> tuple[float, Floats, float]:
    """Mean slope, its derivative by the weights (k,), and by the tie parameter."""
    kind = weights.astype(x.dtype)
    slope, by_weight, by_tie = 0.0, np.zeros(len(x)), 0.0
    for low in range(0, x.shape[1], BLOCK):
        block = x[:, low : low + BLOCK]
        eta = np.asarray(kind @ block, dtype=np.float64)
        slope += float(expected_slope(rule, eta, tie).sum())
        bend = expected_slope(rule, eta + STEP, tie) - expected_slope(rule, eta - STEP, tie)
        by_weight += block.astype(np.float64) @ bend / (2 * STEP)
        if rule != "logistic":
            up, down = expected_slope(rule, eta, tie + STEP), expected_slope(rule, eta, tie - STEP)
            by_tie += float((up - down).sum()) / (2 * STEP)
    n = x.shape[1]
    return slope / n, by_weight / n, by_tie / n
