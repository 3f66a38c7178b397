"""Which verdicts say the same? Those on equal differences of the two answers are one row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.cells import Floats
from errors import NotIdentifiedError


@dataclass(frozen=True)
class Rows:
    """The verdicts of one judge, those on equal differences summed.

    x : (n_rows, k) differences a - b, none of them 0 throughout; weight, score : (n_rows,) sums of weights, > 0, and of
        weight * y with y in [0, 1] for `a`
    judgments : summed weight of all verdicts, with those on answers that do not differ, which tell nothing
    """

    x: Floats
    weight: Floats
    score: Floats
    judgments: float


def sum_rows(x: NDArray[np.floating], weight: Floats, score: Floats) -> Rows:
    """Add up the verdicts on equal differences; those on -x are verdicts on x, turned.

    x : (n, k); weight, score : (n,) as in `Rows`

    Raises NotIdentifiedError without rows, ValueError for what is not finite or out of its range.
    """
    x = np.asarray(x, dtype=np.float64)
    if not len(x):
        raise NotIdentifiedError("there is no judgment with these factors")
    if not (np.isfinite(x).all() and np.isfinite(weight).all() and np.isfinite(score).all()):
        raise ValueError("x, weight and score must be finite")
    if float(weight.min()) <= 0 or float(score.min()) < 0 or bool((score > weight * (1 + 1e-9)).any()):
        raise ValueError("every weight must be > 0, and every score between 0 and its weight")
    differs = x != 0
    some = np.flatnonzero(differs.any(axis=1))
    first = np.argmax(differs[some], axis=1)
    turned = x[some, first] < 0
    x = np.where(turned[:, None], -x[some], x[some]) + 0.0
    forward = np.where(turned, weight[some] - score[some], score[some])
    place, code = _alike(x)
    n = len(place)
    total: Floats = np.bincount(code, weight[some], n).astype(np.float64)
    wins: Floats = np.bincount(code, forward, n).astype(np.float64)
    return Rows(x[place], total, np.minimum(wins, total), float(weight.sum()))


def _alike(x: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """A row of each kind, in an order that depends on the kinds alone; and the kind of each row."""
    # Rows that are the same have the same sum; that others do too is as good as impossible, and looked at.
    factor = np.random.default_rng(0).standard_normal(x.shape[1])
    _, place, code = np.unique((x * factor).sum(axis=1), return_index=True, return_inverse=True)
    if not np.array_equal(x[place][code], x):
        _, place, code = np.unique(x, axis=0, return_index=True, return_inverse=True)
    return place, code
