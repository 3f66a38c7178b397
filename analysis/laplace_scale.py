"""How wide should the Laplace prior be, and how much do the weights owe to single prompts? Both by folds of prompts.

The scale is chosen as Sharma et al. 2023 chose theirs, by the log-loss of verdicts that were held out: predicted is
the posterior's expected preference, mean of sigmoid(x w). Li et al. 2024 report, for each fit, the mean over ten refits
that each leave out a tenth. Here a fold is always of whole prompts, as the verdicts on a prompt are alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.cells import Floats
from analysis.laplace_posterior import fit_posteriors
from analysis.propagation_sites import logistic_moments
from analysis.summed_rows import Rows, sum_rows
from errors import NotIdentifiedError

SCALES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0)
"""From which the scale is chosen."""

FOLDS = 10


@dataclass(frozen=True)
class Verdicts:
    """What one fit is made of, before it is summed.

    x : (n, k) differences a - b; weight, score : (n,) as in `analysis.summed_rows`; prompt : (n,) codes
    """

    x: Floats
    weight: Floats
    score: Floats
    prompt: NDArray[Any]

    def rows(self, some: NDArray[Any] | None = None) -> Rows:
        """Summed, all or some of them."""
        if some is None:
            return sum_rows(self.x, self.weight, self.score)
        return sum_rows(self.x[some], self.weight[some], self.score[some])


@dataclass(frozen=True)
class ScaleChoice:
    """Of one fit. scales, log_loss : (m,) what was tried, and the mean log-loss of a verdict; chosen : the best scale

    at_end : which end of the list it is, "least" or "largest", else None; n_folds : of whole prompts
    """

    scales: Floats
    log_loss: Floats
    chosen: float
    n_folds: int
    at_end: str | None = field(default=None)


def make_folds(prompt: NDArray[Any], n_folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The fold of each verdict; all of a prompt are in one, and folds have as many prompts as one another, or one more.

    Raises NotIdentifiedError with fewer than two prompts.
    """
    seen, code = np.unique(prompt, return_inverse=True)
    if len(seen) < 2:
        raise NotIdentifiedError("nothing can be held out of a single prompt")
    return np.asarray((rng.permutation(len(seen)) % min(n_folds, len(seen)))[code], dtype=np.int64)


def choose_scale(
    verdicts: Verdicts, rng: np.random.Generator, *, scales: Sequence[float] = SCALES, n_folds: int = FOLDS,
    report: Callable[[float], None] = lambda share: None,
) -> ScaleChoice:  # fmt: skip
    """The scale under which held-out verdicts are predicted best; of equal ones the smaller.

    Raises NotIdentifiedError with fewer than two prompts.
    """
    folds = make_folds(verdicts.prompt, n_folds, rng)
    n = int(folds.max()) + 1
    tried = np.sort(np.asarray(scales, dtype=np.float64))
    parts = [verdicts.rows(folds != fold) for fold in range(n)]
    found = fit_posteriors(parts * len(tried), np.repeat(tried, n), draws=0, report=report)
    loss = np.zeros(len(tried))
    for at in range(len(found)):
        out = folds == at % n
        x, weight, score = verdicts.x[out], verdicts.weight[out], verdicts.score[out]
        loss[at // n] -= _log_score(x, weight, score, found.mean[at], found.covariance[at])
    loss[np.unique(np.flatnonzero(~found.settled) // n)] = np.inf
    loss /= float(verdicts.weight.sum())
    best = int(np.argmin(loss))
    at_end = "least" if best == 0 else "largest" if best == len(tried) - 1 else None
    return ScaleChoice(tried, loss, float(tried[best]), n, at_end)


def _log_score(x: Floats, weight: Floats, score: Floats, mean: Floats, covariance: Floats) -> float:
    """Summed log-probability of verdicts, that of a soft one shared between its sides."""
    eta, variance = x @ mean, np.maximum(np.einsum("nk,kj,nj->n", x, covariance, x), 1e-12)
    ones = np.ones(len(eta))
    wins, losses = (logistic_moments(eta, 1 / variance, ones, side * ones).log_z for side in (1.0, 0.0))
    return float(score @ wins + (weight - score) @ losses)


def average_folds(
    verdicts: Sequence[Verdicts], scale: float | Floats, rng: np.random.Generator, *, n_folds: int = FOLDS,
    report: Callable[[float], None] = lambda share: None,
) -> Floats:  # fmt: skip
    """(F, k) the mean of the posterior means of each fit without one of its folds, after the other (Li et al. 2024).

    Raises NotIdentifiedError with fewer than two prompts, or where a refit does not settle.
    """
    scales = np.broadcast_to(np.asarray(scale, dtype=np.float64), (len(verdicts),))
    parts: list[Rows] = []
    fit: list[int] = []
    for at, one in enumerate(verdicts):
        folds = make_folds(one.prompt, n_folds, rng)
        for fold in range(int(folds.max()) + 1):
            parts.append(one.rows(folds != fold))
            fit.append(at)
    found = fit_posteriors(parts, scales[fit], report=report)
    if not found.settled.all():
        raise NotIdentifiedError("the posterior of a refit cannot be approximated")
    total = np.zeros((len(verdicts), found.mean.shape[1]))
    np.add.at(total, fit, found.mean)
    return np.asarray(total / np.bincount(fit, minlength=len(verdicts))[:, None])
