"""Which weights does each penalty of a grid leave, on many parts of the rows at once?

Logistic regression without intercept under scikit-learn's objective,

    C * sum of weighted log-losses + ||w||^2 / 2   (L2)   or   + ||w||_1   (L1),

by Newton's method, for L1 with the penalised quadratic model minimised exactly (Lee, Sun and Saunders 2014). Each C of
the grid is first fitted to all rows; each part starts from there, with curvatures summed from those of the folds and
renewed only where steps with them do not shrink fast. All parts go together in one array.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.cells import Floats

Penalty = Literal["L1", "L2"]

STEPS = 60
SETTLED = 1e-4
"""Longest step of Newton's method, relative to the largest weight or 1, that is the last one: convergence is quadratic,
so what remains is of the order of its square; that much may also remain where curvature is not renewed."""

SLOW = 0.2
"""Share of the last step that a step with the same curvature may have; where it is longer, curvature is renewed."""

SWEEPS = 3
"""Rounds over the coordinates before signs are searched."""

ROUNDS_EACH = 4
"""Steps of the search for signs, for each weight at most."""

TIGHT, RIDGE = 1e-10, 1e-12
"""How nearly the conditions of an optimum hold, and what is added to curvature, both relative to the largest one."""

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
    # Rows that the same parts have are summed for all of these at once.
    kinds, kind = np.unique(parts.T, axis=0, return_inverse=True)
    alike = _Alike(kinds.T.astype(np.float64), [np.flatnonzero(kind == one) for one in range(len(kinds))], weight)
    middle = np.zeros((1, k))
    at = np.zeros((n_parts, k))
    for c, strength in enumerate(grid):
        near = None
        if n_parts > 1:
            # What all rows say is near to what each part says: from there, with its curvature, few steps are left.
            middle = _fit(x, weight[None], score[None], penalty, float(strength), middle)[0]
            near = alike.curvature(x, middle[0])
        start = at if near is None else np.repeat(middle, n_parts, axis=0)
        at, settled[:, c] = _fit(x, mass, toward, penalty, float(strength), start, near)
        out[:, c] = at
        report((c + 1) / len(grid))
    return Paths(out, settled)


@dataclass(frozen=True)
class _Alike:
    """member : (n_parts, n_kinds) 1 where a part has the rows of a kind; rows : of each kind; weight : (n,)"""

    member: Floats
    rows: list[NDArray[np.intp]]
    weight: Floats

    def curvature(self, x: Floats, at: Floats) -> Floats:
        """(n_parts, k, k) of the loss of each part at the same weights."""
        e = np.exp(-np.abs(x @ at))
        bent = self.weight * e / (1 + e) ** 2
        each = np.stack([(x[rows].T * bent[rows]) @ x[rows] for rows in self.rows])
        return np.asarray(np.tensordot(self.member, each, 1))


def _fit(
    x: Floats, mass: Floats, toward: Floats, penalty: Penalty, c: float, start: Floats, near: Floats | None = None
) -> tuple[Floats, NDArray[np.bool_]]:
    """near : (n_parts, k, k) curvature at the start, where it is known"""
    n_parts, k = start.shape
    at, done = start.copy(), np.zeros(n_parts, dtype=bool)
    value, chance = _look(x, mass, toward, penalty, c, at)
    bend = np.zeros((n_parts, k, k)) if near is None else c * near
    stale = np.full(n_parts, near is None)
    last = np.full(n_parts, np.inf)
    for _ in range(STEPS):
        some = np.flatnonzero(~done)
        if not len(some):
            break
        here, p = at[some], chance[some]
        gradient = c * (mass[some] * p - toward[some]) @ x
        fresh = stale[some]
        for part in some[fresh]:
            bent = mass[part] * chance[part] * (1 - chance[part])
            bend[part] = c * (x.T * bent) @ x
        stale[some] = False
        hessian = bend[some]
        if penalty == "L2":
            hessian = hessian + np.eye(k)
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
        flat = fresh & (value[some] - new <= FLAT * np.abs(value[some]))
        at[some], value[some], chance[some] = goal, new, p
        moved = np.abs(goal - here).max(axis=1) / np.maximum(np.abs(goal).max(axis=1), 1.0)
        slow = (share < 1) | (moved > SLOW * last[some])
        # Each further step with the same curvature would be shorter by as much again.
        rest = moved * np.where(np.isfinite(last[some]), moved / np.maximum(last[some], 1e-300), 1.0)
        done[some] = flat | np.where(fresh, moved <= SETTLED, ~slow & (rest <= SETTLED**2))
        stale[some] = slow & np.isfinite(last[some]) | fresh & (moved > SETTLED) | (share < 1)
        last[some] = moved
    return at, done


def _look(x: Floats, mass: Floats, toward: Floats, penalty: Penalty, c: float, at: Floats) -> tuple[Floats, Floats]:
    """(n_parts,) the objective; (n_parts, n) the chance of `a`."""
    logit = at @ x.T
    e = np.exp(-np.abs(logit))
    loss = np.einsum("sn,sn->s", mass, np.log1p(e) + np.maximum(logit, 0.0)) - np.einsum("sn,sn->s", toward, logit)
    size = (at**2).sum(axis=1) / 2 if penalty == "L2" else np.abs(at).sum(axis=1)
    return c * loss + size, np.where(logit >= 0, 1.0, e) / (1 + e)


def _descend(hessian: Floats, gradient: Floats, here: Floats) -> Floats:
    """(n_parts, k) where the quadratic model plus ||w||_1 is least.

    A few rounds coordinate by coordinate tell nearly which weights are not 0; from there the search for their signs
    (Lee, Battle, Raina and Ng 2007): solve for these weights at once, go as far towards it as the penalised model
    falls, and when these weights are settled let in the one of the others that falls most, until none does.
    """
    out, at, slope = here.copy(), here.copy(), gradient.copy()
    _sweep(hessian, at, slope)
    left = np.arange(len(here))
    k = here.shape[1]
    unit = np.einsum("skk->sk", hessian).max(axis=1)
    for _ in range(ROUNDS_EACH * k + ROUNDS_EACH):
        slack = TIGHT * (1 + unit * np.abs(at).max(axis=1))
        some, sign = at != 0, np.sign(at)
        uneven = np.where(some, np.abs(slope + sign), 0.0).max(axis=1) > slack
        beyond = np.where(some, 0.0, np.abs(slope) - 1)
        worst, row = beyond.argmax(axis=1), np.arange(len(left))
        enters = ~uneven & (beyond[row, worst] > slack)
        ended = ~uneven & ~enters
        some[row[enters], worst[enters]] = True
        sign[row[enters], worst[enters]] = -np.sign(slope[row, worst])[enters]
        step = _solve(hessian, some, slope + sign, unit)
        share, zero = _how_far(hessian, at, slope, step)
        ended |= share == 0
        at = np.where(zero, 0.0, at + share[:, None] * step)
        slope = slope + share[:, None] * (hessian @ step[..., None])[..., 0]
        if ended.any():
            # Those that ended before this step lose nothing by it: it is 0 up to rounding.
            out[left[ended]] = at[ended]
            kept = np.flatnonzero(~ended)
            left, at, slope, hessian, unit = left[kept], at[kept], slope[kept], hessian[kept], unit[kept]
            if not len(left):
                return out
    out[left] = at
    return out


def _sweep(hessian: Floats, at: Floats, slope: Floats) -> None:
    """A few rounds of coordinate descent, in place."""
    diagonal = np.maximum(np.einsum("skk->sk", hessian), 1e-12)
    for _ in range(SWEEPS):
        # A weight of 0 whose slope is below the penalty stays there.
        for k in np.flatnonzero(((at != 0) | (np.abs(slope) > 1)).any(axis=0)):
            wish = at[:, k] - slope[:, k] / diagonal[:, k]
            new = np.sign(wish) * np.maximum(np.abs(wish) - 1 / diagonal[:, k], 0.0)
            slope += hessian[:, k] * (new - at[:, k])[:, None]
            at[:, k] = new


def _solve(hessian: Floats, some: NDArray[np.bool_], slope: Floats, unit: Floats) -> Floats:
    """(n_parts, k) Newton's step in the weights that may move, 0 in the others."""
    k = some.shape[1]
    inside = hessian * (some[:, :, None] & some[:, None, :])
    # Where features say the same, any of their weights will do: the ridge takes one and is gone with the next step.
    inside[:, np.arange(k), np.arange(k)] += np.where(some, RIDGE * unit[:, None], 1.0)
    return np.asarray(-np.linalg.solve(inside, np.where(some, slope, 0.0)[..., None])[..., 0])


def _how_far(
    hessian: Floats, at: Floats, slope: Floats, step: Floats
) -> tuple[Floats, NDArray[np.bool_]]:
    """(n_parts,) the share of a step, of 0, 1 and those at which a weight comes to 0, with the least penalised model;
    (n_parts, k) which weights are 0 there."""
    with np.errstate(divide="ignore", invalid="ignore"):
        meets = np.where(at * step < 0, -at / step, 1.0)
    shares = np.concatenate([np.minimum(meets, 1.0), np.ones((len(at), 1)), np.zeros((len(at), 1))], axis=1)
    linear, bent = (slope * step).sum(axis=1), (step * (hessian @ step[..., None])[..., 0]).sum(axis=1)
    size = np.abs(at[:, None, :] + shares[:, :, None] * step[:, None, :]).sum(axis=2) - np.abs(at).sum(axis=1)[:, None]
    change = shares * linear[:, None] + shares**2 * bent[:, None] / 2 + size
    best = shares[np.arange(len(at)), change.argmin(axis=1)]
    return best, (meets == best[:, None]) & (at * step < 0) & (best[:, None] < 1)
