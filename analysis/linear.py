"""What do strengths, position, covariates and a tie parameter explain together?

Newton's method for log-odds that are linear in strengths and further columns, under any rule of `likelihood`.
The information of everything behind the strengths is watched on the way: where it vanishes, that quantity
explains verdicts without limit (Albert and Anderson 1984) or says nothing of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import lapack
from scipy.optimize import brentq

from analysis.cells import Cells, Floats, Ints, PairCounts
from analysis.laplacian import LARGE, inverse, solve_bordered
from analysis.likelihood import Observed, Point, Rule, evaluate
from errors import ConvergenceError, NotIdentifiedError

MAX_STEPS = 200
# As in bradley_terry.
DECREMENT = 1e-12
LAST_STEP = 1e-5
# Share of its information that a quantity keeps beside the others at the start, or on the way of the start's,
# below which it is not identified. Rounding leaves about 1e-15; a pair of 10^8 : 1 brings 4e-8.
VANISHED = 1e-10


@dataclass(frozen=True)
class Rows:
    """What is fitted: one row a comparison of `a` with `b`.

    a, b : (n_rows,) models; columns : (n_rows, q) position and covariates, a minus b; weight, score, tied,
    count : (n_rows,) as in `Cells`, tied None where a tie is no outcome of its own
    """

    n_models: int
    a: Ints
    b: Ints
    columns: Floats
    weight: Floats
    score: Floats
    count: Ints
    tied: Floats | None

    @property
    def observed(self) -> Observed:
        """The sums that the likelihood takes."""
        return Observed(self.weight, self.score, self.tied)

    @property
    def n_parameters(self) -> int:
        """Strengths, columns, and the tie parameter where there is one."""
        return self.n_models + int(self.columns.shape[1]) + (self.tied is not None)

    def take(self, some: NDArray[np.bool_]) -> Rows:
        """Some of the rows."""
        return replace(
            self,
            a=self.a[some],
            b=self.b[some],
            columns=self.columns[some],
            weight=self.weight[some],
            score=self.score[some],
            count=self.count[some],
            tied=None if self.tied is None else self.tied[some],
        )


def rows_of_counts(counts: PairCounts) -> Rows:
    """The rows of a pair table; its shown order is the only column."""
    columns = np.empty((len(counts.a), 0)) if counts.first is None else counts.first[:, None]
    sums = (counts.weight, counts.score, counts.count, counts.tied)
    return Rows(counts.n_models, counts.a, counts.b, columns, *sums)


def columns_of_cells(cells: Cells) -> Floats:
    """(n_cells, q) the shown order where the cells have it, then their covariates."""
    parts = [*([] if cells.first is None else [cells.first]), *cells.covariates.values()]
    # One column after the other in memory, as each is read alone.
    return np.array(parts, dtype=np.float64).T if parts else np.empty((len(cells.i), 0))


def rows_of_cells(cells: Cells) -> Rows:
    """A row for each cell, as covariates differ between the comparisons of two models."""
    columns = columns_of_cells(cells)
    sums = (cells.weight, cells.score, cells.count, cells.tied)
    return Rows(len(cells.models), cells.i, cells.j, columns, *sums)


def log_odds(rows: Rows, parameters: Floats) -> Floats:
    """(n_rows,) log-odds of `a`."""
    n, q = rows.n_models, rows.columns.shape[1]
    eta = parameters[rows.a] - parameters[rows.b]
    if q:
        eta += rows.columns @ parameters[n : n + q]
    return np.asarray(eta)


def point_at(rows: Rows, rule: Rule, parameters: Floats, ridge: float = 0.0) -> Point:
    """Likelihood and derivatives at the parameters [strengths, columns, tie]; a ridge enters the value alone."""
    tie = float(parameters[-1]) if rows.tied is not None else 0.0
    point = evaluate(rule, rows.observed, log_odds(rows, parameters), tie)
    if not ridge:
        return point
    value = point.value - ridge / 2 * float(parameters @ parameters)
    if rule == "rao-kupper" and tie > 0:
        value += ridge * np.log(-np.expm1(-2 * tie))
    return replace(point, value=float(value))


def _gradient(rows: Rows, rule: Rule, point: Point, parameters: Floats, ridge: float) -> Floats:
    n = rows.n_models
    gradient = np.empty(len(parameters))
    gradient[:n] = np.bincount(rows.a, point.residual, n) - np.bincount(rows.b, point.residual, n)
    gradient[n : n + rows.columns.shape[1]] = rows.columns.T @ point.residual
    if point.tie_residual is not None:
        gradient[-1] = point.tie_residual.sum()
    if ridge:
        gradient -= ridge * parameters
        if rule == "rao-kupper":
            # A share of a tie keeps tau off 0, where a replicate has no ties of its own.
            gradient[-1] += 2 * ridge / np.expm1(2 * parameters[-1])
    return gradient


def information(rows: Rows, rule: Rule, point: Point, parameters: Floats, ridge: float = 0.0) -> tuple[Floats, float]:
    """(k, k) observed information plus c * 11' on the strengths, and that c.

    c * 11' fills the null space of the constant vector and leaves every other direction as it is.
    """
    n, size = rows.n_models, rows.n_parameters
    out = np.empty((size, size))
    upper = np.bincount(rows.a * n + rows.b, point.curvature, n * n).reshape(n, n)
    diagonal = upper.sum(0) + upper.sum(1) + ridge
    c = float(diagonal.min()) / n
    out[:n, :n] = c - upper - upper.T
    out[:n, n:], out[n:, n:] = _border(rows, rule, point, parameters, ridge)
    out[n:, :n] = out[:n, n:].T
    out.reshape(-1)[: n * size : size + 1] = diagonal + c
    return out, c


def _border(rows: Rows, rule: Rule, point: Point, parameters: Floats, ridge: float) -> tuple[Floats, Floats]:
    """(n, q) and (q, q) information of what stands behind the strengths, with them and with itself."""
    n, q = rows.n_models, rows.columns.shape[1]
    size = rows.n_parameters - n
    cross, corner = np.empty((n, size)), np.empty((size, size))
    for k in range(q):
        part = point.curvature * rows.columns[:, k]
        cross[:, k] = np.bincount(rows.a, part, n) - np.bincount(rows.b, part, n)
        corner[:q, k] = rows.columns.T @ part
    if point.cross is not None and point.tie_curvature is not None:
        cross[:, -1] = np.bincount(rows.a, point.cross, n) - np.bincount(rows.b, point.cross, n)
        corner[:q, -1] = corner[-1, :q] = rows.columns.T @ point.cross
        corner[-1, -1] = point.tie_curvature.sum()
        if ridge and rule == "rao-kupper":
            corner[-1, -1] += ridge / np.sinh(parameters[-1]) ** 2
    corner[np.diag_indices(size)] += ridge
    return cross, corner


@dataclass(frozen=True)
class Optimum:
    """Where Newton's method ended: parameters (k,), log-likelihood, steps taken."""

    parameters: Floats
    log_likelihood: float
    n_iter: int


def maximise(rows: Rows, rule: Rule, start: Floats, names: Sequence[str], *, ridge: float = 0.0) -> Optimum:
    """Maximise the log-likelihood minus ridge/2 * ||parameters||^2.

    rows : whose models are on one scale, or ridge > 0
    start : (k,) strengths, columns, then the tie parameter where `rows.tied` is given
    names : of what stands behind the strengths, as in "the effect of the position", for errors

    Raises NotIdentifiedError naming what vanishes, ConvergenceError when no optimum is reached.
    """
    n = rows.n_models
    parameters, point = start, point_at(rows, rule, start, ridge)
    at_start: Floats | None = None
    last_step = np.zeros(len(start))
    # A step of a column's coefficient counts by what it does to the log-odds of an ordinary row.
    reach = np.ones(len(start))
    if len(rows.columns):
        reach[n : n + rows.columns.shape[1]] = np.sqrt((rows.columns**2).mean(axis=0))
    for step_number in range(1, MAX_STEPS + 1):
        gradient = _gradient(rows, rule, point, parameters, ridge)
        found = _step(rows, rule, point, parameters, gradient, ridge)
        step, own, left, info = found.step, found.own, found.left, found.info
        if not ridge and len(own):
            if rule == "rao-kupper":
                # Of log tau: that of tau has no bound near 0.
                own[-1], left[-1] = own[-1] * parameters[-1] ** 2, left[-1] * parameters[-1] ** 2
            if at_start is None:
                if 0 < info <= n:
                    raise _unconverged(n, "the information matrix is singular at the start")
                _refuse_empty(names, own, left)
                at_start = left
            gone = np.flatnonzero(left <= VANISHED * at_start)
            if len(gone):
                # Strengths on one scale lose their information only along with something that has no limit.
                furthest = int(np.argmax(np.abs(last_step * reach)[n:])) if 0 < info <= n else gone[0]
                raise _without_limit(names[furthest], rows.tied is not None and furthest == len(own) - 1)
        elif info:
            raise _unconverged(n, f"the information matrix is singular in step {step_number}")
        decrement = float(gradient @ step)
        share = 1.0
        while True:
            candidate = parameters + share * step
            new = point_at(rows, rule, candidate, ridge)
            # Near the optimum the gain is below the rounding of the sum.
            if new.value >= point.value - 1e-13 * abs(point.value):
                break
            share /= 2
            if share < 1e-10:
                raise _unconverged(n, f"no step improves the likelihood after {step_number} steps")
        parameters, point, last_step = candidate, new, step
        if share == 1.0 and decrement <= DECREMENT and np.abs(step * reach).max() <= LAST_STEP:
            return Optimum(parameters, point.value, step_number)
    raise _unconverged(n, f"it did not end within {MAX_STEPS} steps")


@dataclass(frozen=True)
class _Step:
    """step : (k,); own, left : (k - n,) information of what stands behind the strengths, alone and beside all that
    stands before it; info : the first parameter (from 1) without information of its own, 0 when all have"""

    step: Floats
    own: Floats
    left: Floats
    info: int


def _step(rows: Rows, rule: Rule, point: Point, parameters: Floats, gradient: Floats, ridge: float) -> _Step:
    n = rows.n_models
    if n >= LARGE:
        cross, corner = _border(rows, rule, point, parameters, ridge)
        large = solve_bordered(rows.a, rows.b, point.curvature, gradient, cross, corner, ridge)
        if large is not None:
            return _Step(large.step, np.diag(corner).copy(), large.pivots, 0)
    hessian, _ = information(rows, rule, point, parameters, ridge)
    own = np.diag(hessian)[n:].copy()
    factor, step, info = lapack.dposv(hessian.T, gradient, lower=1, overwrite_a=1)
    left = np.diag(factor)[n:] ** 2
    if info:
        left[max(info - 1 - n, 0) :] = 0.0
    return _Step(step, own, left, int(info))


def tie_alone(rows: Rows, rule: Rule, start: Floats, guess: float) -> float:
    """The best tie parameter beside fixed strengths and columns: its score falls from + to -.

    guess : a value to look around from, > 0 for Rao and Kupper
    """

    def score(tie: float) -> float:
        found = point_at(rows, rule, np.append(start[:-1], tie)).tie_residual
        assert found is not None
        return float(found.sum())

    lower = upper = guess
    for _ in range(60):
        if score(lower) > 0:
            break
        lower = lower / 2 if rule == "rao-kupper" else lower - 2
    for _ in range(60):
        if score(upper) < 0:
            break
        upper = upper * 2 if rule == "rao-kupper" else upper + 2
    return float(brentq(score, lower, upper, rtol=1e-3)) if lower < upper else guess


def _unconverged(n: int, why: str) -> ConvergenceError:
    return ConvergenceError(
        f"the strengths of {n} models did not converge: {why}. Some models hang together by almost nothing; "
        "leave them out"
    )


def _refuse_empty(names: Sequence[str], own: Floats, left: Floats) -> None:
    """Refuse what is 0 in every comparison, or a sum of the models' strengths and of what was named before."""
    for name, alone, beside in zip(names, own, left, strict=True):
        if alone <= 0:
            raise NotIdentifiedError(f"{name} cannot be estimated: it is 0 in every comparison")
        if beside <= VANISHED * alone:
            raise NotIdentifiedError(
                f"{name} cannot be estimated beside the others: it is fixed by which models are "
                "compared, or by the other covariates (collinear). Leave one of them out"
            )


def _without_limit(name: str, is_tie: bool) -> NotIdentifiedError:
    if is_tie:
        return NotIdentifiedError(
            f"{name} cannot be estimated: an order of the models explains every win and every tie without limit, "
            "because too few verdicts contradict each other. Count ties as half a win, or leave them out"
        )
    return NotIdentifiedError(
        f"{name} cannot be estimated: it can explain verdicts without limit (separation), for "
        "example where every verdict goes the way it points. Leave it out"
    )


def inverse_information(rows: Rows, rule: Rule, parameters: Floats) -> Floats:
    """(k, k) inverse information on the space in which strengths sum to 0."""
    n = rows.n_models
    matrix, c = information(rows, rule, point_at(rows, rule, parameters), parameters)
    out = inverse(matrix)
    out[:n, :n] -= 1.0 / (c * n * n)
    return out
