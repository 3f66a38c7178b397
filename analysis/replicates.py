"""How would the strengths come out on other samples? Many refits of one pair table at once.

The jackknife and the bootstrap change the sums of each pair and nothing else, so all replicates share
one layout and Newton's method runs on them as a batch, started at the full fit.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import lapack

from analysis.cells import Floats, PairCounts
from errors import ConvergenceError

MAX_STEPS = 100
# When a replicate is finished; see the constants of the same names in bradley_terry.
DECREMENT = 1e-10
LAST_STEP = 1e-4
# Numbers held at a time for the Hessians of a batch: 64 MB.
BATCH_ENTRIES = 8_000_000


def refit(counts: PairCounts, weight: Floats, score: Floats, start: Floats, ridge: Floats | float) -> Floats:
    """Strengths of every replicate.

    counts : the layout (a, b, first) of the rows
    weight, score : (n_replicates, n_rows) the replicates' sums
    start : (k,) parameters of the full fit (strengths, then position when `counts.first` is given)
    ridge : (n_replicates,) or one number; adds ridge/2 * ||parameters||^2. A replicate that does not put
        all models on one scale needs one > 0.
    Returns (n_replicates, k) with strengths of mean 0.

    Raises ConvergenceError when a replicate reaches no optimum.
    """
    n_replicates, n = len(weight), counts.n_models
    ridges = np.broadcast_to(np.asarray(ridge, dtype=np.float64), (n_replicates,))
    out = np.empty((n_replicates, len(start)))
    batch = max(1, BATCH_ENTRIES // (len(start) ** 2 + 8 * len(counts.a)))
    for begin in range(0, n_replicates, batch):
        part = slice(begin, begin + batch)
        out[part] = _refit_batch(counts, weight[part], score[part], start, ridges[part])
    out[:, :n] -= out[:, :n].mean(axis=1, keepdims=True)
    return out


def _refit_batch(counts: PairCounts, weight: Floats, score: Floats, start: Floats, ridge: Floats) -> Floats:
    parameters = np.tile(start, (len(weight), 1))
    value, residual, curvature = _evaluate(counts, weight, score, parameters, ridge)
    active = np.arange(len(weight))
    for _ in range(MAX_STEPS):
        gradient = _gradient(counts, residual, parameters[active], ridge[active])
        step = _solve(counts, curvature, gradient, ridge[active])
        decrement = np.einsum("rk,rk->r", gradient, step)
        share = np.ones(len(active))
        candidate = parameters[active] + step
        found = _evaluate(counts, weight[active], score[active], candidate, ridge[active])
        while (worse := found[0] < value - 1e-13 * np.abs(value)).any():
            share[worse] /= 2
            if share.min() < 1e-10:
                raise ConvergenceError("a replicate did not converge: no step improves its likelihood")
            candidate = parameters[active] + share[:, None] * step
            found = _evaluate(counts, weight[active], score[active], candidate, ridge[active])
        parameters[active] = candidate
        value, residual, curvature = found
        going = (decrement > DECREMENT) | (share < 1) | (np.abs(step).max(axis=1) > LAST_STEP)
        if not going.any():
            return parameters
        active, value, residual, curvature = active[going], value[going], residual[going], curvature[going]
    raise ConvergenceError(f"{len(active)} replicates did not converge within {MAX_STEPS} steps")


def _evaluate(
    counts: PairCounts, weight: Floats, score: Floats, parameters: Floats, ridge: Floats
) -> tuple[Floats, Floats, Floats]:
    """Penalised quasi-log-likelihood (r,), residuals and curvatures (r, n_rows)."""
    d = parameters[:, counts.a] - parameters[:, counts.b]
    if counts.first is not None:
        d += parameters[:, -1:] * counts.first
    e = np.exp(-np.abs(d))
    value = np.einsum("rp,rp->r", score, d)
    value -= np.einsum("rp,rp->r", weight, np.maximum(d, 0.0) + np.log1p(e))
    value -= ridge / 2 * np.einsum("rk,rk->r", parameters, parameters)
    tail = 1.0 / (1.0 + e)
    expected = np.where(d >= 0, tail, e * tail)
    return value, score - weight * expected, weight * e * tail * tail


def _gradient(counts: PairCounts, residual: Floats, parameters: Floats, ridge: Floats) -> Floats:
    out = np.empty(parameters.shape)
    out[:, : counts.n_models] = _won_minus_lost(counts, residual)
    if counts.first is not None:
        out[:, -1] = residual @ counts.first
    out -= ridge[:, None] * parameters
    return out


def _won_minus_lost(counts: PairCounts, values: Floats) -> Floats:
    """(n_replicates, n_models) sum of values over rows of `a` minus that over rows of `b`."""
    n_replicates, n = len(values), counts.n_models
    block = np.arange(n_replicates)[:, None] * n
    size = n_replicates * n
    flat = values.reshape(-1)
    won = np.bincount((block + counts.a).reshape(-1), flat, size)
    lost = np.bincount((block + counts.b).reshape(-1), flat, size)
    return np.asarray((won - lost).reshape(n_replicates, n))


def _solve(counts: PairCounts, curvature: Floats, gradient: Floats, ridge: Floats) -> Floats:
    n = counts.n_models
    n_replicates, size = gradient.shape
    hessian = np.zeros((n_replicates, size * size))
    at = counts.a * size + counts.b
    if counts.first is None:
        hessian[:, at] = -curvature
    else:
        for sign in (-1.0, 0.0, 1.0):  # a pair has one row for each order; each assignment meets it once
            rows = counts.first == sign
            hessian[:, at[rows]] -= curvature[:, rows]
    square = hessian.reshape(n_replicates, size, size)
    diagonal = -(square[:, :n, :n].sum(axis=1) + square[:, :n, :n].sum(axis=2)) + ridge[:, None]
    # As in bradley_terry: c * 11' fills the null space of the constant vector. Models that a replicate
    # lacks have a diagonal of the ridge alone.
    c = np.maximum(diagonal.min(axis=1), ridge)[:, None] / n
    square[:, :n, :n] += c[:, :, None]
    hessian[:, : n * size : size + 1] = diagonal + c
    if counts.first is not None:
        cross = curvature * counts.first
        square[:, :n, n] = _won_minus_lost(counts, cross)
        square[:, n, n] = cross @ counts.first + ridge
    step = np.empty_like(gradient)
    for r in range(n_replicates):
        _, step[r], info = lapack.dposv(square[r].T, gradient[r], lower=1, overwrite_a=1)
        if info != 0:
            raise ConvergenceError("a replicate's information matrix is singular")
    return step
