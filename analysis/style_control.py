"""What would the published leaderboards' own style control say? Strengths beside shrunk coefficients of style.

Two published estimators, differing in how a difference in style is measured and in what is penalised:

- FastChat (`rating_systems.py`, the Arena's style control of 2024): z-scores of (f_A - f_B) / (f_A + f_B + 1); it
  minimises the summed log-loss plus (0.5 / 2) * ||parameters||^2, strengths on the base-10 scale among them.
- arena-rank (`contextual_bradley_terry.py`, 2025): z-scores of (f_A - f_B) / (f_A + f_B), 0 / 0 taken as 0; each
  judgment weighs 1 / max(n, 50) with n the judgments of its pair of models, normalised to mean 1; it minimises the
  mean log-loss plus (1 / 2) * ||coefficients||^2.

Neither puts uncertainty on clusters; here both get the house's. What an interval then covers is the penalised
coefficient, not the one without a penalty. The z-scores are centred, so that which answer is called A is not
wholly indifferent, as published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.linalg import lapack

from analysis.cells import Cells, CellScores, Floats, Ints, fold_to_pairs
from analysis.connectivity import LeftOut, connected_replicates, find_kept
from analysis.linear import Rows, information, inverse_information, point_at, rows_of_cells
from analysis.replicates import JACKKNIFE_RIDGE, Replicates, leave_out, no_replicates
from errors import ConvergenceError

Published = Literal["fastchat", "arena-rank"]

MAX_STEPS = 100
DECREMENT = 1e-12
FASTCHAT_PENALTY = 0.5
ARENA_RANK_PENALTY = 1.0
ARENA_RANK_LEAST = 50
"""Judgments of a pair of models up to which all weigh alike."""


@dataclass(frozen=True)
class Standardised:
    """A difference in style as a published method takes it.

    values : (n_cells,) z-scores; mean, sd : of the ratios before, sd 0 where they never differ
    """

    values: Floats
    mean: float
    sd: float


def standardise(a: Floats, b: Floats, weight: Floats, method: Published) -> Standardised:
    """z-scores of (a - b) / (a + b [+ 1]) over judgments.

    a, b : (n_cells,) >= 0, the factor of both answers; weight : (n_cells,) > 0, judgments of each cell
    """
    total = a + b
    ratio = (a - b) / (total + 1 if method == "fastchat" else np.where(total == 0, 1.0, total))
    mean = float(np.average(ratio, weights=weight))
    sd = float(np.sqrt(np.average((ratio - mean) ** 2, weights=weight)))
    return Standardised((ratio - mean) / (sd or 1.0), mean, sd)


def reweight(cells: Cells) -> Cells:
    """Cells in which each judgment weighs 1 / max(judgments of its pair of models, 50), normalised to mean 1."""
    n = len(cells.models)
    pair = np.minimum(cells.i, cells.j).astype(np.int64) * n + np.maximum(cells.i, cells.j)
    _, row = np.unique(pair, return_inverse=True)
    share = 1.0 / np.maximum(np.bincount(row, cells.weight)[row], ARENA_RANK_LEAST)
    share *= cells.weight.sum() / (cells.weight @ share)
    return replace(cells, weight=cells.weight * share, score=cells.score * share)


@dataclass(frozen=True)
class Penalty:
    """Adds strength / 2 * ||theta||^2 and (coefficient + per_weight * sum of weights) / 2 * ||gamma||^2 to the loss.

    theta are natural-log strengths, gamma the covariates' coefficients.
    """

    strength: float = 0.0
    coefficient: float = 0.0
    per_weight: float = 0.0

    def diagonal(self, rows: Rows) -> Floats:
        """(k,) of the penalty's Hessian."""
        n = rows.n_models
        out = np.full(rows.n_parameters, self.coefficient + self.per_weight * float(rows.weight.sum()))
        out[:n] = self.strength
        return out


PENALTIES: Mapping[Published, Penalty] = {
    # Strengths on the base-10 scale are natural ones over ln 10.
    "fastchat": Penalty(strength=FASTCHAT_PENALTY / np.log(10) ** 2, coefficient=FASTCHAT_PENALTY),
    "arena-rank": Penalty(per_weight=ARENA_RANK_PENALTY),
}


@dataclass(frozen=True)
class PenalisedBradleyTerry:
    """Strengths and shrunk coefficients; what is not explained here is as in `strengths.Strengths`.

    penalty : what was added to the loss; log_likelihood : without it
    rows : the cells as they were fitted
    """

    models: tuple[str, ...]
    covariates: tuple[str, ...]
    penalty: Penalty
    parameters: Floats
    log_likelihood: float
    n_iter: int
    rows: Rows
    left_out: tuple[LeftOut, ...]
    n_above: int

    @property
    def strength(self) -> Floats:
        """(n_models,) natural-log strengths, mean 0."""
        return self.parameters[: len(self.models)]

    @property
    def coefficients(self) -> dict[str, float]:
        """The covariates' coefficients by name."""
        return dict(zip(self.covariates, map(float, self.parameters[len(self.models) :]), strict=True))

    @property
    def position(self) -> float | None:
        """The published methods have no position term."""
        return None

    @property
    def judgments(self) -> Ints:
        """(n_models,) number of judgments in which each model took part."""
        both = [np.bincount(side, self.rows.count, self.rows.n_models) for side in (self.rows.a, self.rows.b)]
        return np.asarray((both[0] + both[1]).astype(np.int64))

    @property
    def n_judgments(self) -> int:
        """Judgments in the fit."""
        return int(self.rows.count.sum())

    @property
    def n_unknown_order(self) -> int:
        """0: the position is not in the model."""
        return 0

    @cached_property
    def bread(self) -> Floats:
        """(k, k) inverse Hessian of the penalised loss on the space in which strengths sum to 0."""
        diagonal = self.penalty.diagonal(self.rows)
        if not diagonal.any():
            return inverse_information(self.rows, "logistic", self.parameters)
        n = self.rows.n_models
        point = point_at(self.rows, "logistic", self.parameters)
        matrix, c = information(self.rows, "logistic", point, self.parameters)
        np.fill_diagonal(matrix, np.diag(matrix) + diagonal)
        inverse = np.linalg.inv(matrix)
        inverse[:n, :n] -= 1.0 / ((c * n + self.penalty.strength) * n)
        return np.asarray((inverse + inverse.T) / 2)

    def used(self, cells: Cells) -> Cells:
        """The cells among the models kept, with nothing that the fit does not use."""
        return _used(cells, self.covariates).among(self.models)

    def scores(self, cells: Cells) -> CellScores:
        """Derivatives of each cell's share of the penalised log-likelihood by the parameters.

        The coefficients' penalty is shared out by weight, so that the scores sum to 0 as those of the judgments.
        """
        rows = rows_of_cells(cells)
        point = point_at(rows, "logistic", self.parameters)
        pull = (self.penalty.diagonal(self.rows) * self.parameters)[len(self.models) :]
        share = rows.weight / self.rows.weight.sum()
        return CellScores(point.residual, point.residual[:, None] * rows.columns - share[:, None] * pull)

    def without_each(self, cells: Cells, codes: Ints, deleted: Ints) -> Replicates:
        """Estimates without each of the clusters `deleted`; weights and z-scores stay as they are."""
        if not len(deleted):
            return no_replicates(len(self.parameters))
        left = leave_out(fold_to_pairs(cells.plain()), cells, codes, deleted)
        connected = connected_replicates(left.counts, left.weight, left.score)
        rows = rows_of_cells(cells)
        found = []
        for k, cluster in enumerate(deleted):
            ridge = 0.0 if connected[k] else JACKKNIFE_RIDGE
            penalty = replace(self.penalty, strength=self.penalty.strength + ridge)
            found.append(_minimise(rows.take(codes != cluster), penalty, self.parameters)[0])
        return Replicates(np.array(found), ~connected)


def _used(cells: Cells, covariates: Sequence[str]) -> Cells:
    return replace(
        cells, first=None, tied=None, covariates={name: cells.covariates[name] for name in covariates}
    )


def fit_penalised(cells: Cells, covariates: Sequence[str], penalty: Penalty) -> PenalisedBradleyTerry:
    """Strengths and coefficients that minimise the log-loss plus the penalty.

    Kept are the models that could be put on one scale without a penalty, as everywhere.

    Raises NotIdentifiedError when no two models are comparable, ConvergenceError when no optimum is reached.
    """
    cells = _used(cells, covariates)
    found = find_kept(fold_to_pairs(cells.plain()), cells.models)
    cells = cells.among([cells.models[k] for k in found.kept])
    rows = rows_of_cells(cells)
    parameters, log_likelihood, n_iter = _minimise(rows, penalty, np.zeros(rows.n_parameters))
    return PenalisedBradleyTerry(
        models=cells.models,
        covariates=tuple(covariates),
        penalty=penalty,
        parameters=parameters,
        log_likelihood=log_likelihood,
        n_iter=n_iter,
        rows=rows,
        left_out=found.left_out,
        n_above=found.n_above,
    )


def _minimise(rows: Rows, penalty: Penalty, start: Floats) -> tuple[Floats, float, int]:
    """Parameters with strengths of mean 0, log-likelihood and steps taken, by Newton's method."""
    diagonal = penalty.diagonal(rows)
    parameters, point = start, point_at(rows, "logistic", start)
    n, q = rows.n_models, rows.columns.shape[1]
    for step_number in range(1, MAX_STEPS + 1):
        gradient = np.empty(n + q)
        gradient[:n] = np.bincount(rows.a, point.residual, n) - np.bincount(rows.b, point.residual, n)
        gradient[n:] = rows.columns.T @ point.residual
        gradient -= diagonal * parameters
        matrix, _ = information(rows, "logistic", point, parameters)
        np.fill_diagonal(matrix, np.diag(matrix) + diagonal)
        _, step, info = lapack.dposv(matrix, gradient, lower=1)
        if info:
            raise ConvergenceError(f"the information matrix of {n} models and {q} factors is singular")
        value = point.value - diagonal @ parameters**2 / 2
        share = 1.0
        while True:
            candidate = parameters + share * step
            new = point_at(rows, "logistic", candidate)
            if new.value - diagonal @ candidate**2 / 2 >= value - 1e-13 * abs(value):
                break
            share /= 2
            if share < 1e-10:
                raise ConvergenceError(f"no step improves the fit of {n} models and {q} factors")
        parameters, point = candidate, new
        if share == 1.0 and float(gradient @ step) <= DECREMENT:
            parameters = parameters.copy()
            parameters[:n] -= parameters[:n].mean()
            return parameters, point.value, step_number
    raise ConvergenceError(f"the fit of {n} models and {q} factors did not end within {MAX_STEPS} steps")
