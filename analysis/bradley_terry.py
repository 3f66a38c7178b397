"""How strong is each model in one judge's eyes?

The Bradley-Terry model: P(i preferred to j) = sigmoid(theta_i - theta_j), fitted by maximum (quasi-)
likelihood to weighted preferences in [0, 1] (Bradley and Terry 1952; Papke and Wooldridge 1996 for
fractional responses), optionally with delta * s for the answer shown first (Davidson and Beaver 1977).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import lapack

from analysis.cells import Cells, CellScores, Floats, Ints, PairCounts, fold_to_pairs
from analysis.connectivity import LeftOut, connected_replicates, find_kept, position_identified
from analysis.laplacian import LARGE, inverse, solve_bordered
from analysis.replicates import JACKKNIFE_RIDGE, Replicates, border, leave_out, no_replicates, refit
from errors import ConvergenceError, NotIdentifiedError

POSITION = "position"
"""Name of the position effect among a fit's coefficients."""

MAX_STEPS = 200
# Newton decrement (squared step length in standard errors) and longest step in log-odds at which the step
# just taken is the last one: convergence is quadratic, so the remaining error is of the order of their
# square. The second matters where information is tiny, as with preferences of .999999.
DECREMENT = 1e-12
LAST_STEP = 1e-5


@dataclass(frozen=True)
class BradleyTerry:
    """Strengths of one judge's models.

    models : names of the models kept on one scale
    strength : (n_models,) natural-log strengths, mean 0
    position : log-odds of the answer shown first between equals; None when not in the model
    log_likelihood : quasi-log-likelihood at the optimum
    n_iter : Newton steps taken
    counts : the pair table of the kept models that the fit used
    left_out : every other model with its cause
    n_above : number of left-out models that rank before all kept ones
    """

    models: tuple[str, ...]
    strength: Floats
    position: float | None
    log_likelihood: float
    n_iter: int
    counts: PairCounts
    left_out: tuple[LeftOut, ...]
    n_above: int

    @property
    def coefficients(self) -> dict[str, float]:
        """What stands behind the strengths in `parameters`, by name: the position effect or nothing."""
        return {} if self.position is None else {POSITION: self.position}

    @property
    def n_judgments(self) -> int:
        """Judgments in the fit."""
        return int(self.counts.count.sum())

    @property
    def judgments(self) -> Ints:
        """(n_models,) number of judgments in which each model took part."""
        return self.counts.judgments

    @property
    def n_unknown_order(self) -> int:
        """Judgments in the fit whose shown order is unknown; 0 when position is not in the model."""
        if self.counts.first is None:
            return 0
        return int(self.counts.count[self.counts.first == 0].sum())

    @property
    def parameters(self) -> Floats:
        """(k,) the strengths, followed by the position effect when it is in the model."""
        return self.strength if self.position is None else np.append(self.strength, self.position)

    @cached_property
    def bread(self) -> Floats:
        """(k, k) inverse information of the parameters on the space in which strengths sum to 0."""
        at = _Point.at(self.counts, self.parameters, 0.0)
        n, size = self.counts.n_models, len(self.parameters)
        hessian, ridge = _hessian(self.counts, at.curvature, size, 0.0)
        out = inverse(hessian)
        out[:n, :n] -= 1.0 / (ridge * n * n)
        return out

    def used(self, cells: Cells) -> Cells:
        """The cells among the models kept, with nothing that the fit does not use."""
        return cells.plain(self.position is not None).among(self.models)

    def scores(self, cells: Cells) -> CellScores:
        """Derivatives of the log-likelihood at the fit, for cells as `used` gives them."""
        n, theta = len(self.models), self.strength
        orders = 1 if cells.first is None else 3
        if n * n * orders < len(cells.i):
            # One exponential for each pair of models instead of each cell.
            d = (theta[:, None] - theta[None, :])[:, :, None]
            if self.position is not None:
                d = d + self.position * np.array([-1.0, 0.0, 1.0])
            expected = np.take((1.0 / (1.0 + np.exp(-d))).reshape(-1), cells.key)
        else:
            d = theta[cells.i] - theta[cells.j]
            if self.position is not None and cells.first is not None:
                d += self.position * cells.first
            expected = 1.0 / (1.0 + np.exp(-d))
        expected *= cells.weight
        residual = np.subtract(cells.score, expected, out=expected)
        return CellScores(residual, None if cells.first is None else (residual * cells.first)[:, None])

    def without_each(self, cells: Cells, codes: Ints, deleted: Ints) -> Replicates:
        """Estimates without each of the clusters `deleted`, for cells as `used` gives them."""
        if not len(deleted):
            return no_replicates(len(self.parameters))
        rest = leave_out(self.counts, cells, codes, deleted)
        identified = connected_replicates(self.counts, rest.weight, rest.score)
        if self.position is not None:
            for k in np.flatnonzero(identified):
                identified[k] = position_identified(rest.replicate(int(k)))
        ridge = np.where(identified, 0.0, JACKKNIFE_RIDGE)
        return Replicates(refit(self.counts, rest.weight, rest.score, self.parameters, ridge), ~identified)


@dataclass(frozen=True)
class Optimum:
    """Where Newton's method ended: parameters (k,), quasi-log-likelihood, steps taken."""

    parameters: Floats
    log_likelihood: float
    n_iter: int


def fit_bradley_terry(cells: Cells, *, position: bool = False) -> BradleyTerry:
    """Strengths of the models that can be put on one scale, without any penalty.

    Raises NotIdentifiedError when no two models are comparable, or when `position` is asked for and the
    shown order is unknown or explains verdicts without limit.
    """
    cells = cells.plain(position)
    if position and (cells.first is None or not bool((cells.first != 0).any())):
        raise NotIdentifiedError(
            "the effect of the position cannot be estimated: no judgment here records which answer was "
            "shown first. Leave the position out"
        )
    counts = fold_to_pairs(cells)
    found = find_kept(counts, cells.models)
    models = cells.models
    if found.left_out:
        models = tuple(cells.models[k] for k in found.kept)
        counts = restrict(counts, found.kept)
    if position and not position_identified(counts):
        raise NotIdentifiedError(
            "the effect of the position cannot be estimated: the shown order can explain the verdicts "
            "without limit (for example the first answer always won, or each pair was always shown in "
            "the same order). Leave the position out"
        )
    optimum = newton(counts, np.zeros(len(models) + position))
    strength = optimum.parameters[: len(models)]
    return BradleyTerry(
        models=models,
        strength=strength - strength.mean(),
        position=float(optimum.parameters[-1]) if position else None,
        log_likelihood=optimum.log_likelihood,
        n_iter=optimum.n_iter,
        counts=counts,
        left_out=found.left_out,
        n_above=found.n_above,
    )


def restrict(counts: PairCounts, kept: Ints) -> PairCounts:
    """The rows among the models `kept` (ascending indices), renumbered."""
    new = np.full(counts.n_models, -1, dtype=np.int64)
    new[kept] = np.arange(len(kept))
    a, b = new[counts.a], new[counts.b]
    take = (a >= 0) & (b >= 0)
    first = None if counts.first is None else counts.first[take]
    rest = (counts.weight[take], counts.score[take], counts.count[take])
    tied = None if counts.tied is None else counts.tied[take]
    return PairCounts(len(kept), a[take], b[take], first, *rest, tied)


@dataclass(frozen=True)
class _Point:
    """Likelihood, residuals and curvature of every row at some parameters."""

    value: float
    residual: Floats
    curvature: Floats

    @classmethod
    def at(cls, counts: PairCounts, parameters: Floats, ridge: float) -> _Point:
        d = parameters[counts.a] - parameters[counts.b]
        if counts.first is not None:
            d += parameters[-1] * counts.first
        e = np.exp(-np.abs(d))
        tail = 1.0 / (1.0 + e)
        positive = d >= 0
        p, q = np.where(positive, tail, e * tail), np.where(positive, e * tail, tail)
        lost = counts.weight - counts.score
        # score*log(p) + lost*log(q), with log(p) = d + log(q) and log(q) free of overflow.
        value = counts.score @ d - counts.weight @ (np.maximum(d, 0.0) + np.log1p(e))
        if ridge:
            value -= ridge / 2 * float(parameters @ parameters)
        # score*q - lost*p rather than score - weight*p: the latter loses digits for one-sided pairs.
        return cls(float(value), counts.score * q - lost * p, counts.weight * p * q)


def _hessian(counts: PairCounts, curvature: Floats, size: int, ridge: float) -> tuple[Floats, float]:
    """Upper triangle of the information plus c * 11' on the strengths, and that c.

    The information of strengths is a graph's Laplacian whose null space is the constant vector; adding
    c * 11' makes it invertible and leaves every other direction as it is.
    """
    n = counts.n_models
    upper = np.bincount(counts.a * n + counts.b, curvature, n * n).reshape(n, n)
    diagonal = upper.sum(0) + upper.sum(1) + ridge
    c = float(diagonal.min()) / n
    hessian = np.empty((size, size))
    hessian[:n, :n] = c - upper
    if counts.first is not None:
        hessian[:n, n:], hessian[n:, n:] = border(counts, curvature, ridge)
    hessian.reshape(-1)[: n * size : size + 1] = diagonal + c
    return hessian, c


def _step(counts: PairCounts, curvature: Floats, gradient: Floats, ridge: float) -> Floats | None:
    """(k,) Newton's step; None when the information is singular."""
    n = counts.n_models
    if n >= LARGE:
        found = solve_bordered(counts.a, counts.b, curvature, gradient, *border(counts, curvature, ridge), ridge)
        if found is not None:
            return found.step
    hessian, _ = _hessian(counts, curvature, len(gradient), ridge)
    # The transpose is the same memory read column by column, which LAPACK takes without a copy.
    _, step, info = lapack.dposv(hessian.T, gradient, lower=1, overwrite_a=1)
    return None if info else np.asarray(step)


def newton(counts: PairCounts, start: Floats, *, ridge: float = 0.0) -> Optimum:
    """Maximise the quasi-likelihood minus ridge/2 * ||parameters||^2 (an N(0, 1/ridge) prior).

    counts : rows whose models are on one scale, or ridge > 0
    start : (k,) strengths, followed by the position effect when `counts.first` is given

    Raises ConvergenceError when no optimum is reached.
    """
    n, size = counts.n_models, len(start)
    parameters = start
    point = _Point.at(counts, parameters, ridge)
    for step_number in range(1, MAX_STEPS + 1):
        gradient = np.empty(size)
        gradient[:n] = np.bincount(counts.a, point.residual, n) - np.bincount(counts.b, point.residual, n)
        if counts.first is not None:
            gradient[n] = point.residual @ counts.first
        if ridge:
            gradient -= ridge * parameters
        step = _step(counts, point.curvature, gradient, ridge)
        if step is None:
            raise ConvergenceError(
                f"the strengths of {n} models did not converge: the information matrix is singular in "
                f"step {step_number}. Some models hang together by almost nothing; leave them out"
            )
        decrement = float(gradient @ step)
        share = 1.0
        while True:
            candidate = parameters + share * step
            new = _Point.at(counts, candidate, ridge)
            # Near the optimum the gain is below the rounding of the sum.
            if new.value >= point.value - 1e-13 * abs(point.value):
                break
            share /= 2
            if share < 1e-10:
                raise ConvergenceError(
                    f"the strengths of {n} models did not converge: no step improves the likelihood "
                    f"after {step_number} steps"
                )
        parameters, point = candidate, new
        if share == 1.0 and decrement <= DECREMENT and np.abs(step).max() <= LAST_STEP:
            return Optimum(parameters, point.value, step_number)
    raise ConvergenceError(f"the strengths of {n} models did not converge within {MAX_STEPS} steps")
