"""What decides one model's verdicts against the baseline: its strength, its length, the difficulty of the prompt?

The logistic regression of one model's length-controlled win rate (see `length_control`), by maximum (quasi-) likelihood
with a wide normal prior on all coefficients but the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.cells import Floats, Ints
from analysis.difficulty import MAX_STEPS, PRIOR_SD
from analysis.winrate import Duels
from errors import ConvergenceError

GUARD = 0.2
"""Weight of the twins' judgments, all together, in each model's fit; the published value."""

# The two quantities that errors are wanted of: the win rate at equal length, and the length coefficient.
LC, PHI = 0, 1
STEP = 1e-9


def length_sd(duels: Duels, rows: Ints) -> float:
    """The standard deviation of length differences over distinct pairs; NaN for a single pair."""
    assert duels.length is not None
    _, once = np.unique(duels.pair[rows], return_index=True)
    return float(np.std(duels.length[rows][once], ddof=1)) if len(once) > 1 else float("nan")


@dataclass(frozen=True)
class LengthData:
    """What both stages see. columns : (n, q) 1, tanh of the length difference, [position]; gamma is added last

    at_equal : (q,) which columns stay when lengths and places are equal
    """

    columns: Floats
    weight: Floats
    score: Floats
    model: Ints
    prompt: Ints
    has_gamma: bool

    @classmethod
    def of(cls, duels: Duels, scale: float, position: bool) -> LengthData:
        assert duels.length is not None
        t = np.zeros(len(duels.model))
        for rows in duels.rows:
            if len(rows):
                t[rows] = np.tanh(duels.length[rows] / length_sd(duels, rows))
        parts = [np.ones(len(t)), t]
        if position:
            assert duels.first is not None
            parts.append(duels.first)
        prompt = np.unique(duels.prompt, return_inverse=True)[1]
        return cls(np.column_stack(parts), duels.weight * scale, duels.score * scale, duels.model, prompt, False)

    def with_difficulty(self, gamma: Floats) -> LengthData:
        columns = np.column_stack([self.columns, gamma])
        return LengthData(columns, self.weight, self.score, self.model, self.prompt, True)

    @property
    def at_equal(self) -> Floats:
        keep = np.zeros(self.columns.shape[1])
        keep[0] = 1.0
        if self.has_gamma:
            keep[-1] = 1.0
        return keep


@dataclass(frozen=True)
class LengthFit:
    """One model's logistic regression, with its twins' judgments behind its own.

    rows : own rows; guard : the twins' rows; columns, weight, score : of both, twins without theta
    b : (q,) coefficients; p : fitted preferences; bread : (q, q); equal : (n_own,) predictions at equal length
    """

    rows: Ints
    guard: Ints
    columns: Floats
    weight: Floats
    score: Floats
    b: Floats
    p: Floats
    bread: Floats
    equal: Floats
    rate: float

    @classmethod
    def of(cls, data: LengthData, rows: Ints, guards: Sequence[Ints]) -> LengthFit:
        guard = np.concatenate([np.empty(0, dtype=np.int64), *guards]).astype(np.int64)
        own_mass = float(data.weight[rows].sum())
        shares = [np.full(len(g), GUARD / len(guards) * own_mass / float(data.weight[g].sum())) for g in guards]
        share = np.concatenate([np.ones(len(rows)), *shares])
        both = np.concatenate([rows, guard])
        columns = data.columns[both]
        columns[len(rows) :, 0] = 0.0
        weight, score = share * data.weight[both], share * data.score[both]
        b = fit_logistic(columns, weight[None], score[None], np.zeros(1))[0]
        p = sigmoid(columns @ b)
        information = (columns * (weight * p * (1 - p))[:, None]).T @ columns + np.diag(_penalty(len(b)))
        equal = sigmoid((data.columns[rows] * data.at_equal) @ b)
        rate = float(data.weight[rows] @ equal) / own_mass
        return cls(rows, guard, columns, weight, score, b, p, np.linalg.inv(information), equal, rate)

    def influence(self, data: LengthData) -> tuple[Floats, Floats]:
        """(n, 2) influence of each own and guard row on (rate, phi), and (n, 2) their derivative by the row's gamma."""
        n = len(self.rows)
        own = data.weight[self.rows]
        slope = own * self.equal * (1 - self.equal) / own.sum()
        toward = np.zeros((len(self.b), 2))
        toward[:, LC] = (data.columns[self.rows] * data.at_equal).T @ slope
        toward[1, PHI] = 1.0
        toward = self.bread @ toward
        residual = self.score - self.weight * self.p
        along = self.columns @ toward
        rows = residual[:, None] * along
        rows[:n, LC] += own * (self.equal - self.rate) / own.sum()
        if not data.has_gamma:
            return rows, np.zeros_like(rows)
        curvature = self.weight * self.p * (1 - self.p)
        by_gamma = residual[:, None] * toward[-1] - self.b[-1] * curvature[:, None] * along
        by_gamma[:n, LC] += slope * self.b[-1]
        return rows, by_gamma


def sigmoid(eta: Floats) -> Floats:
    e = np.exp(-np.abs(eta))
    return np.asarray(np.where(eta >= 0, 1.0, e) / (1.0 + e))


def _penalty(q: int) -> Floats:
    penalty = np.full(q, 1 / PRIOR_SD**2)
    penalty[0] = 0.0
    return penalty


def fit_logistic(columns: Floats, weight: Floats, score: Floats, ridge: Floats) -> Floats:
    """(d, q) coefficients of d logistic regressions that share their columns, theirs but the first with the prior.

    columns : (n, q); weight, score : (d, n), each with wins and losses or a ridge > 0; ridge : (d,) on the first

    Raises ConvergenceError.
    """
    n_fits, q = len(weight), columns.shape[1]
    penalty = np.tile(_penalty(q), (n_fits, 1))
    penalty[:, 0] = ridge
    products = (columns[:, :, None] * columns[:, None, :]).reshape(-1, q * q)

    def at(b: Floats) -> tuple[Floats, Floats]:
        eta = b @ columns.T
        value = (score * eta - weight * np.logaddexp(0.0, eta)).sum(1) - 0.5 * (penalty * b**2).sum(1)
        return value, eta

    b = np.zeros((n_fits, q))
    value, eta = at(b)
    for _ in range(MAX_STEPS):
        p = sigmoid(eta)
        gradient = (score - weight * p) @ columns - penalty * b
        information = ((weight * p * (1 - p)) @ products).reshape(n_fits, q, q)
        information[:, np.arange(q), np.arange(q)] += penalty
        step = np.linalg.solve(information, gradient[:, :, None])[:, :, 0]
        longest = np.abs(step).max(1)
        if longest.max() < STEP:
            return b
        share = np.minimum(1.0, 3.0 / np.maximum(longest, 3.0))
        while True:
            candidate = b + share[:, None] * step
            new, new_eta = at(candidate)
            worse = new < value - 1e-12 * np.abs(value)
            if not worse.any():
                break
            share = np.where(worse, share / 2, share)
            if share.min() < 1e-10:
                # Rounding: the best that these sums can show.
                share = np.where(worse, 0.0, share)
        b, value, eta = candidate, new, new_eta
    raise ConvergenceError(f"the length-controlled win rates did not converge within {MAX_STEPS} steps")
