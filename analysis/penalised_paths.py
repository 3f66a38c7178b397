"""Which weights does each penalty of a grid leave, on many parts of the rows at once?

Logistic regression without intercept under scikit-learn's objective,

    C * sum of weighted log-losses + ||w||^2 / 2   (L2)   or   + ||w||_1   (L1),

by Newton's method, for L1 with the quadratic model minimised by coordinate descent (Lee, Sun and Saunders 2014;
Friedman, Hastie and Tibshirani 2010), from one C of the grid to the next. All parts go together in one array, which
halves the time of as many single fits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.cells import Floats

Penalty = Literal["L1", "L2"]

STEPS = 30
SWEEPS = 100
SETTLED = 1e-4
"""Longest step, relative to the largest weight or 1, that is the last one: convergence is quadratic, so what remains is
of the order of its square."""

DESCENDED = 1e-8
FLAT = 1e-13

HALVINGS = 30


@dataclass(frozen=True)
class Paths:
    """weight : (n_parts, n_c, k); settled : (n_parts, n_c) whether the optimum was reached"""

    weight: Floats
    settled: NDArray[np.bool_]


def fit_paths(
    x: Floats, weight: Floats, score: Floats, parts: NDArray[np.bool_], penalty: Penalty, grid: Sequence[float],
    report: Callable[[float], None] = lambda share: None,
) -> Paths:  # fmt: skip
    """x : (n, k); weight, score : (n,) sums of weight and of weight * y; parts : (n_parts, n) which rows

    grid : C ascending; report : told the share that is done
    """
    n_parts, k = len(parts), x.shape[1]
    out, settled = np.zeros((n_parts, len(grid), k)), np.zeros((n_parts, len(grid)), dtype=bool)
    mass, toward = parts * weight, parts * score
    at = np.zeros((n_parts, k))
    for c, strength in enumerate(grid):
        at, settled[:, c] = _fit(x, mass, toward, penalty, float(strength), at)
        out[:, c] = at
        report((c + 1) / len(grid))
    return Paths(out, settled)


def _fit(
    x: Floats, mass: Floats, toward: Floats, penalty: Penalty, c: float, start: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    at, done = start.copy(), np.zeros(len(start), dtype=bool)
    value, chance = _look(x, mass, toward, penalty, c, at)
    for _ in range(STEPS):
        some = np.flatnonzero(~done)
        if not len(some):
            break
        here, p = at[some], chance[some]
        gradient = c * (mass[some] * p - toward[some]) @ x
        curvature = mass[some] * p * (1 - p)
        hessian = np.stack([c * (x.T * h) @ x for h in curvature])
        if penalty == "L2":
            hessian += np.eye(x.shape[1])
            goal = here - np.linalg.solve(hessian, (gradient + here)[..., None])[..., 0]
        else:
            goal = _descend(hessian, gradient, here)
        step = goal - here
        share = np.ones(len(some))
        new, p = _look(x, mass[some], toward[some], penalty, c, goal)
        for _ in range(HALVINGS):
            # Near the optimum the gain is below the rounding of the sum.
            worse = new > value[some] + 1e-12 * np.abs(value[some])
            if not worse.any():
                break
            share[worse] /= 2
            goal[worse] = here[worse] + share[worse, None] * step[worse]
            rows = some[worse]
            new[worse], p[worse] = _look(x, mass[rows], toward[rows], penalty, c, goal[worse])
        # What no step betters is the optimum as far as numbers tell: a row of 10^8 leaves others below its rounding.
        flat = value[some] - new <= FLAT * np.abs(value[some])
        at[some], value[some], chance[some] = goal, new, p
        done[some] = flat | (np.abs(goal - here).max(axis=1) <= SETTLED * np.maximum(np.abs(goal).max(axis=1), 1.0))
    return at, done


def _look(x: Floats, mass: Floats, toward: Floats, penalty: Penalty, c: float, at: Floats) -> tuple[Floats, Floats]:
    """(n_parts,) the objective; (n_parts, n) the chance of `a`."""
    logit = at @ x.T
    e = np.exp(-np.abs(logit))
    loss = np.einsum("sn,sn->s", mass, np.log1p(e) + np.maximum(logit, 0.0)) - np.einsum("sn,sn->s", toward, logit)
    size = (at**2).sum(axis=1) / 2 if penalty == "L2" else np.abs(at).sum(axis=1)
    return c * loss + size, np.where(logit >= 0, 1.0, e) / (1 + e)


def _descend(hessian: Floats, gradient: Floats, here: Floats) -> Floats:
    """(n_parts, k) where the quadratic model plus ||w||_1 is least, coordinate by coordinate."""
    at = here.copy()
    slope = gradient.copy()
    diagonal = np.einsum("skk->sk", hessian)
    floor = np.maximum(diagonal, 1e-12)
    for _ in range(SWEEPS):
        most = 0.0
        for k in range(at.shape[1]):
            wish = at[:, k] - slope[:, k] / floor[:, k]
            new = np.sign(wish) * np.maximum(np.abs(wish) - 1 / floor[:, k], 0.0)
            move = new - at[:, k]
            if move.any():
                slope += hessian[:, :, k] * move[:, None]
                at[:, k] = new
                most = max(most, float(np.abs(move).max()))
        if most <= DESCENDED * max(1.0, float(np.abs(at).max())):
            break
    return at
