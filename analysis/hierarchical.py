"""What do all scenarios share of a judge's weights, and what is a scenario's own?

Hierarchical multi-domain regression (arXiv 2505.20088): weights in scenario d are b + s_d,

    min  sum_d sum_i w_di [ l(y_di, (b + s_d) x_di) + alpha l(y_di, b x_di) ]
         + lambda_b |b|_1 + lambda_s sum_d |s_d|_1

with the logistic loss l; y in [0, 1] counts as that share of a win. The second loss asks b to predict alone, as it
must in a scenario not seen. A factor found in fewer than half of the scenarios is not shared: b = 0. The paper adds
every row with both answers exchanged, which without an intercept only doubles the loss.

The objective is convex, and strictly so wherever the rows determine the weights; the optimum is exact. Newton's
quadratic model of the loss is minimised with the L1 terms by coordinate descent (proximal Newton, Lee, Sun and Saunders
2014), all scenarios' coordinates of a factor at once, until every subgradient condition holds.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from analysis.cells import Floats, Ints
from analysis.design import Design
from errors import ConvergenceError, NotIdentifiedError

TOLERANCE = 1e-8
"""Largest violation of a subgradient condition at the end, in units of the largest gradient at weights of 0."""
MAX_STEPS = 100
MAX_SWEEPS = 20_000
SLIGHT = 1e-10
"""Ridge of Newton's model in the same units: where rows do not determine a weight the model has a minimum all the
same. The optimum does not feel it, as it is the gradient of the loss that must vanish."""


@dataclass(frozen=True)
class Penalties:
    """alpha : weight of the shared weights' own loss; shared, own : lambda_b, lambda_s"""

    alpha: float
    shared: float
    own: float


def published(n: int) -> Penalties:
    """For n scenarios, as the paper states them for 8: alpha 1/D, lambda_b 1/D, lambda_s 1/(2D)."""
    return Penalties(1 / n, 1 / n, 1 / (2 * n))


def grid(n: int, steps: int = 5) -> list[Penalties]:
    """Penalties from 1/(2 D^2) to 1/D in equal ratios, the shared one at least as large as the own one; alpha 1/D."""
    values = np.geomspace(1 / (2 * n**2), 1 / n, steps)
    return [Penalties(1 / n, float(b), float(s)) for b in values[::-1] for s in values[::-1] if s <= b]


@dataclass(frozen=True)
class Domains:
    """Rows by scenario. x : (n, k) differences; y : (n,) in [0, 1]; weight : (n,) > 0; of : (n,) scenario 0..n_of-1"""

    x: Floats
    y: Floats
    weight: Floats
    of: Ints
    n_of: int

    def take(self, rows: NDArray[np.bool_]) -> Domains:
        """Some of the rows, of the same scenarios."""
        return Domains(self.x[rows], self.y[rows], self.weight[rows], self.of[rows], self.n_of)

    def balanced(self) -> Domains:
        """The weights of each scenario's rows summing to 1, so that a scenario counts by its mean loss."""
        total = np.bincount(self.of, self.weight, self.n_of)
        return replace(self, weight=self.weight / total[self.of])

    @property
    def found(self) -> NDArray[np.bool_]:
        """(n_of, k) whether answers differ in a factor anywhere in a scenario."""
        out = np.zeros((self.n_of, self.x.shape[1]), dtype=bool)
        np.logical_or.at(out, self.of, self.x != 0)
        return out


def domains_of(design: Design, scenario: Ints) -> Domains:
    """scenario : (n_rows,) 0..; the design's position is not in this model"""
    x = np.asarray(design.x[:, design.at].T, dtype=np.float64)
    return Domains(x, design.score / design.weight, np.array(design.weight), scenario, int(scenario.max()) + 1)


@dataclass(frozen=True)
class Hierarchical:
    """shared : (k,) b; own : (n_of, k) s; is_shared : (k,) found in at least half of the scenarios

    violation : the largest one of a subgradient condition, in units of the largest gradient at 0
    """

    shared: Floats
    own: Floats
    is_shared: NDArray[np.bool_]
    penalties: Penalties
    objective: float
    violation: float
    n_iter: int

    @property
    def weights(self) -> Floats:
        """(n_of, k) b + s_d, log-odds."""
        return self.shared + self.own

    def importance(self, weights: Floats) -> Floats:
        """50 * weight: about how many win points one unit adds at even odds (the paper's lift)."""
        return 50.0 * weights

    def log_odds(self, x: Floats, of: Ints) -> Floats:
        """(n,) for rows (n, k) of scenarios `of`; -1: one that is not known, where b alone predicts"""
        whole = np.vstack([self.weights, self.shared])
        return np.asarray((x * whole[of]).sum(axis=1))


def fit_hierarchical(
    data: Domains, penalties: Penalties, *, start: Hierarchical | None = None,
    is_shared: NDArray[np.bool_] | None = None,
) -> Hierarchical:  # fmt: skip
    """The optimum. start : where to begin; is_shared : which factors may be shared, where the rows are not to tell

    Raises NotIdentifiedError without rows or factors, ConvergenceError where no optimum is reached.
    """
    k = data.x.shape[1]
    if not len(data.y) or not k:
        raise NotIdentifiedError("there is no judgment with these factors")
    there = data.found
    present = len(np.unique(data.of))
    free_b = there.sum(axis=0) * 2 >= present if is_shared is None else is_shared
    solver = _Solver(data, penalties, free_b, there)
    b, s = np.zeros(k), np.zeros((data.n_of, k))
    if start is not None:
        b, s = np.where(free_b, start.shared, 0.0), np.where(there, start.own, 0.0)
    unit = solver.violation(np.zeros(k), np.zeros((data.n_of, k)), whole=True)
    if not unit > 0:
        return Hierarchical(np.zeros(k), np.zeros_like(s), free_b, penalties, solver.value(b * 0, s * 0), 0.0, 0)
    value = solver.value(b, s)
    for n_iter in range(1, MAX_STEPS + 1):
        b_new, s_new = solver.propose(b, s, unit)
        gain, share = solver.slope(b, s, b_new, s_new), 1.0
        while True:
            b_next, s_next = b + share * (b_new - b), s + share * (s_new - s)
            new = solver.value(b_next, s_next)
            # Near the optimum all that is left of the value is rounding.
            if new <= value + 1e-4 * share * gain + 1e-13 * abs(value):
                break
            share /= 2
            if share < 1e-10:
                raise ConvergenceError("the shared and own weights did not converge: no step improves the fit")
        b, s, value = b_next, s_next, new
        violation = solver.violation(b, s) / unit
        if violation <= TOLERANCE:
            return Hierarchical(b, s, free_b, penalties, value, violation, n_iter)
    raise ConvergenceError(f"the shared and own weights did not converge in {MAX_STEPS} steps")


class _Solver:
    """The objective and its parts at (b, s). free_b : (k,), free_s : (n_of, k) which coordinates are not held at 0"""

    def __init__(
        self, data: Domains, penalties: Penalties, free_b: NDArray[np.bool_], free_s: NDArray[np.bool_]
    ) -> None:
        order = np.argsort(data.of, kind="stable")
        self.x, self.y, self.weight = data.x[order], data.y[order], data.weight[order]
        self.of = data.of[order]
        ends = np.concatenate([[0], np.cumsum(np.bincount(self.of, minlength=data.n_of))])
        self.parts = [slice(int(a), int(b)) for a, b in itertools.pairwise(ends)]
        self.penalties, self.free_b, self.free_s = penalties, free_b, free_s

    def _eta(self, b: Floats, s: Floats) -> tuple[Floats, Floats]:
        shared = self.x @ b
        return shared + (self.x * s[self.of]).sum(axis=1), shared

    def value(self, b: Floats, s: Floats) -> float:
        p = self.penalties
        both, shared = self._eta(b, s)
        loss = np.logaddexp(0.0, both) - self.y * both + p.alpha * (np.logaddexp(0.0, shared) - self.y * shared)
        return float(self.weight @ loss + self._size(b, s))

    def _size(self, b: Floats, s: Floats) -> float:
        return float(self.penalties.shared * np.abs(b).sum() + self.penalties.own * np.abs(s).sum())

    def gradients(self, b: Floats, s: Floats) -> tuple[Floats, Floats]:
        """(k,) and (n_of, k) of the losses."""
        both, shared = self._eta(b, s)
        residual = self.weight * (expit(both) - self.y)
        by_own = np.stack([residual[part] @ self.x[part] for part in self.parts])
        alone = self.penalties.alpha * (self.weight * (expit(shared) - self.y)) @ self.x
        return by_own.sum(axis=0) + alone, by_own

    def violation(self, b: Floats, s: Floats, whole: bool = False) -> float:
        """By how much subgradient conditions fail at most; whole : the largest gradient itself"""
        g_b, g_s = self.gradients(b, s)
        found = 0.0
        for gradient, at, free, penalty in (
            (g_b, b, self.free_b, self.penalties.shared), (g_s, s, self.free_s, self.penalties.own),
        ):  # fmt: skip
            inside = np.maximum(np.abs(gradient) - penalty, 0.0)
            away = np.where(at != 0, np.abs(gradient + penalty * np.sign(at)), inside)
            found = max(found, float(np.where(free, np.abs(gradient) if whole else away, 0.0).max(initial=0.0)))
        return found

    def slope(self, b: Floats, s: Floats, b_new: Floats, s_new: Floats) -> float:
        """What a step promises: the loss's derivative along it, and the change of the penalties; <= 0."""
        g_b, g_s = self.gradients(b, s)
        straight = float(g_b @ (b_new - b) + (g_s * (s_new - s)).sum())
        return min(straight + self._size(b_new, s_new) - self._size(b, s), 0.0)

    def propose(self, b: Floats, s: Floats, unit: float) -> tuple[Floats, Floats]:
        """The minimum of the quadratic model of the loss plus the penalties, by coordinate descent."""
        both, shared = self._eta(b, s)
        p_both, p_shared = expit(both), expit(shared)
        curve, alone = self.weight * p_both * (1 - p_both), self.weight * p_shared * (1 - p_shared)
        blocks = np.stack([(self.x[part] * curve[part, None]).T @ self.x[part] for part in self.parts])
        top = blocks.sum(axis=0) + self.penalties.alpha * (self.x * alone[:, None]).T @ self.x
        k = len(b)
        blocks[:, np.arange(k), np.arange(k)] += SLIGHT * unit
        top[np.arange(k), np.arange(k)] += SLIGHT * unit
        g_b, g_s = self.gradients(b, s)
        new_b, new_s = b.copy(), s.copy()
        size_b = np.diag(top).tolist()
        # One row a factor: a sweep takes thousands of turns, and each looks at one factor in all domains.
        new_s, g_s, free = new_s.T.copy(), g_s.T.copy(), self.free_s.T.astype(float)
        by_factor, size_s = blocks.transpose(2, 1, 0).copy(), np.einsum("dkk->kd", blocks).copy()
        for _ in range(MAX_SWEEPS):
            moved = 0.0
            for j in range(k):
                size, at = size_s[j], new_s[j]
                step = (_shrink(at - g_s[j] / size, self.penalties.own / size) - at) * free[j]
                if step.any():
                    new_s[j] += step
                    change = by_factor[j] * step
                    g_s += change
                    g_b += change.sum(axis=1)
                    moved = max(moved, float(np.abs(step * size).max()))
                if not self.free_b[j]:
                    continue
                was, curved = float(new_b[j]), size_b[j]
                value, by = was - float(g_b[j]) / curved, self.penalties.shared / curved
                one = value - min(max(value, -by), by) - was
                if one:
                    new_b[j] += one
                    g_b += one * top[:, j]
                    g_s += one * by_factor[j]
                    moved = max(moved, abs(one) * curved)
            if moved <= 0.01 * TOLERANCE * unit:
                break
        return new_b, new_s.T.copy()


def _shrink(value: Floats, by: Floats) -> Floats:
    """Towards 0 by `by`, no further than 0."""
    return np.asarray(value - np.minimum(np.maximum(value, -by), by))
