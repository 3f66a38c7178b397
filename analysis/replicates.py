"""How would the strengths come out on other samples? Many refits of one pair table at once.

The jackknife and the bootstrap change the sums of each pair and nothing else, so all replicates share
one layout and Newton's method runs on them as a batch, started at the full fit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack

from analysis.cells import Cells, Floats, Ints, PairCounts, place
from analysis.laplacian import LARGE, solve_bordered
from errors import ConvergenceError

MAX_STEPS = 100
# When a replicate is finished; see the constants of the same names in bradley_terry.
DECREMENT = 1e-10
LAST_STEP = 1e-4
# Numbers held at a time for the Hessians of a batch: 64 MB.
BATCH_ENTRIES = 8_000_000
# Where leaving out a cluster leaves the model unidentified.
JACKKNIFE_RIDGE = 0.01


@dataclass(frozen=True)
class Replicates:
    """Refits without one cluster each.

    parameters : (n_replicates, k)
    ridged : (n_replicates,) whether what was left did not determine them, so that a ridge was added
    """

    parameters: Floats
    ridged: NDArray[np.bool_]


def no_replicates(k: int) -> Replicates:
    """Replicates of k parameters when no cluster is deleted."""
    return Replicates(np.empty((0, k)), np.zeros(0, dtype=bool))


@dataclass(frozen=True)
class LeftOver:
    """Sums that are left of a pair table without one cluster each: (n_deleted, n_rows), tied or None."""

    counts: PairCounts
    weight: Floats
    score: Floats
    tied: Floats | None

    def replicate(self, k: int) -> PairCounts:
        """The rows that have something left without cluster `k` (with the counts of the whole)."""
        some = self.weight[k] > 0
        whole = self.counts
        return replace(
            whole,
            a=whole.a[some],
            b=whole.b[some],
            first=None if whole.first is None else whole.first[some],
            weight=self.weight[k, some],
            score=self.score[k, some],
            count=whole.count[some],
            tied=None if self.tied is None else self.tied[k, some],
        )


def leave_out(counts: PairCounts, cells: Cells, codes: Ints, deleted: Ints) -> LeftOver:
    """Take each of the clusters `deleted` out of the pair table that was folded from these cells.

    codes : (n_cells,) dense cluster codes; deleted : ascending codes
    """
    n_rows, n_deleted = len(counts.a), len(deleted)
    number = np.full(max(int(codes.max(initial=0)), int(deleted.max())) + 1, -1, dtype=np.int64)
    number[deleted] = np.arange(n_deleted)
    cluster = number[codes]
    placed = place(cells, counts)
    inside = cluster >= 0
    key = cluster[inside] * n_rows + placed.row[inside]

    def rest(whole: Floats, part: Floats) -> Floats:
        sums = np.bincount(key, part[inside], n_deleted * n_rows)
        return np.asarray(whole - sums.reshape(n_deleted, n_rows))

    weight = rest(counts.weight, cells.weight)
    # What remains of a row by rounding alone is nothing.
    weight[weight < 1e-9 * counts.weight] = 0.0
    score = np.clip(rest(counts.score, placed.score), 0.0, weight)
    tied = None
    if counts.tied is not None and cells.tied is not None:
        tied = rest(counts.tied, cells.tied)
        tied[tied < 1e-9 * counts.weight] = 0.0
        tied = np.minimum(tied, 2 * np.minimum(score, weight - score))
    return LeftOver(counts, weight, score, tied)


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


def border(counts: PairCounts, curvature: Floats, ridge: float) -> tuple[Floats, Floats]:
    """(n, q) and (q, q) information of the position with the strengths and with itself; q = 0 without position."""
    if counts.first is None:
        return np.empty((counts.n_models, 0)), np.empty((0, 0))
    n, cross = counts.n_models, curvature * counts.first
    side = np.asarray(np.bincount(counts.a, cross, n) - np.bincount(counts.b, cross, n), dtype=np.float64)
    return side[:, None], np.array([[cross @ counts.first + ridge]])


def _solve_large(counts: PairCounts, curvature: Floats, gradient: Floats, ridge: float) -> Floats | None:
    found = solve_bordered(counts.a, counts.b, curvature, gradient, *border(counts, curvature, ridge), ridge)
    return None if found is None else found.step


def _evaluate(
    counts: PairCounts, weight: Floats, score: Floats, parameters: Floats, ridge: Floats
) -> tuple[Floats, Floats, Floats]:
    """Penalised quasi-log-likelihood (r,), residuals and curvatures (r, n_rows)."""
    d = parameters[:, counts.a] - parameters[:, counts.b]
    if counts.first is not None:
        d += parameters[:, -1:] * counts.first
    e = np.exp(-np.abs(d))
    lost = weight - score
    # Every term has the same sign: where 10^8 judgments are lost, d * score would cancel all digits of the others.
    value = -np.einsum("rp,rp->r", weight, np.log1p(e)) - ridge / 2 * np.einsum("rk,rk->r", parameters, parameters)
    value -= np.einsum("rp,rp->r", np.where(d < 0, score, lost), np.abs(d))
    tail = 1.0 / (1.0 + e)
    positive = d >= 0
    p, q = np.where(positive, tail, e * tail), np.where(positive, e * tail, tail)
    return value, score * q - lost * p, weight * p * q


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
    if n >= LARGE:
        large = [_solve_large(counts, *each) for each in zip(curvature, gradient, ridge, strict=True)]
        if all(step is not None for step in large):
            return np.array(large)
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
