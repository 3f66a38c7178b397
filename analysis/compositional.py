"""Which weighted sum of features predicts a judge's verdicts best, and how well does it on prompts it never saw?

The compositional preference model (Go et al. 2023): features standardised with mean and deviation of both answers
pooled, logistic regression without intercept on z_a - z_b, penalty (L1 or L2) and its strength C chosen from a grid by
8-fold accuracy; an answer's score is w . z. Folds are of whole prompts. The accuracy of the chosen penalty is the best
of 24 and so too good; beside it stands the accuracy of the whole procedure, in which each eighth of the prompts is
predicted with penalty and weights that the other seven chose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from analysis.alike import sum_alike
from analysis.cells import Floats, Ints
from analysis.penalised_paths import Penalty, fit_paths
from analysis.ratios import covariance_of_totals, find_ways
from analysis.tables import floats
from analysis.vcov import Clustering, Covariance
from analysis.winrate import logit_interval
from errors import NotIdentifiedError

FOLDS = 8
LEAST_PROMPTS = 4
C_GRID = np.logspace(-5, 5, 12)
PENALTIES: tuple[Penalty, ...] = ("L2", "L1")
MOST_ROWS = 3_000
"""Pairs from which penalties are chosen and accuracies had; of more, whole prompts drawn by chance."""

Report = Callable[[float], None]


@dataclass(frozen=True)
class Compositional:
    """One judge's weighted sum of features.

    names : (k,); weight : (k,) log-odds for one standard deviation; mean, sd : (k,) of both answers pooled
    lowest, highest : (k,) of `share` without one fold each, at the chosen penalty
    penalty, c : chosen; optimistic : its accuracy in the folds that chose it
    accuracy : of the whole procedure on prompts held out; covariance : of it, None where nothing tells
    n_judgments : fitted; n_predicted : held out and predicted; n_prompts, n_folds; n_loose : fits that did not settle
    left_out : by feature, why; missing : judgments that lack a feature
    """

    names: tuple[str, ...]
    weight: Floats
    mean: Floats
    sd: Floats
    lowest: Floats
    highest: Floats
    penalty: Penalty
    c: float
    optimistic: float
    accuracy: float
    covariance: Covariance | None
    n_judgments: int
    n_predicted: int
    n_prompts: int
    n_folds: int
    n_loose: int
    left_out: Mapping[str, str]
    missing: int

    def score(self, values: Floats) -> Floats:
        """(n,) scores of answers. values : (n, k)"""
        return np.asarray(((values - self.mean) / self.sd) @ self.weight)

    @property
    def share(self) -> Floats:
        """(k,) each weight's part in the sum of their sizes, with its sign. Accuracy says nothing of how large weights
        are: penalties that predict alike leave very different sizes."""
        return _shares(self.weight)

    def table(self) -> pd.DataFrame:
        """One row a feature, the largest weight first: factor, share, lowest, highest, weight, mean, sd."""
        order = np.argsort(-np.abs(self.weight), kind="stable")
        table = pd.DataFrame({"factor": [self.names[int(k)] for k in order]})
        for name in ("share", "lowest", "highest", "weight", "mean", "sd"):
            table[name] = floats(getattr(self, name)[order])
        return table

    def interval(self, level: float = 0.95) -> tuple[float | None, float | None]:
        """Of the accuracy on prompts held out, symmetric in log-odds; the fitted weights taken as they are."""
        if self.covariance is None:
            return None, None
        known = float(self.covariance.known_se[0])
        low, high = logit_interval(self.accuracy, known, self.covariance.quantiles, level)
        return (None, None) if low is None or high is None else (low / 100, high / 100)


def quiet(share: float) -> None:
    """Tells nobody."""


def fit_compositional(
    names: Sequence[str], a: Floats, b: Floats, at: Ints, y: Floats, weight: Floats, prompt: Ints,
    clusters: Mapping[str, Ints], clustering: Clustering, rng: np.random.Generator, report: Report = quiet,
) -> Compositional:  # fmt: skip
    """Choose, fit and hold out.

    a, b : (k, n_columns) values of both answers, NaN where not known; at, y, weight, prompt : (n,) of each judgment, y
        the preference for `a`; clusters : (n,) codes by name

    Raises NotIdentifiedError with fewer than four prompts, verdicts that are all ties, or no feature that differs.
    """
    known = np.isfinite(a[:, at]).all(axis=0) & np.isfinite(b[:, at]).all(axis=0)
    if not known.any():
        raise NotIdentifiedError("no judgment has all factors on both of its answers")
    if (y[known] == 0.5).all():
        raise NotIdentifiedError("all verdicts are ties, so nothing is to be predicted")
    codes = {name: values[known] for name, values in clusters.items()} | {"fold by": prompt[known]}
    rows = sum_alike(at[known], y[known], weight[known], codes)
    n_prompts = len(np.unique(rows.clusters["fold by"]))
    if n_prompts < LEAST_PROMPTS:
        raise NotIdentifiedError(
            f"whole prompts are held out, which needs at least {LEAST_PROMPTS} of them, and there "
            f"{'is' if n_prompts == 1 else 'are'} {n_prompts}"
        )
    # Each pair of answers once, however many judged it and in whatever way they are clustered.
    met = np.unique(rows.at)
    both = np.concatenate([a[:, met], b[:, met]], axis=1)
    mean, sd = both.mean(axis=1), both.std(axis=1)
    differs = np.abs(a[:, met] - b[:, met]).max(axis=1) > 1e-12 * np.abs(both).max(axis=1)
    left_out = {str(name): "the compared answers do not differ in it" for name in np.array(names)[~differs]}
    if not differs.any():
        raise NotIdentifiedError("the compared answers do not differ in any of the factors")
    mean, sd = mean[differs], sd[differs]
    z = ((a - b)[differs][:, rows.at] / sd[:, None]).T
    # Which answer is a says nothing: each row is told from the one with more of the first feature that differs, so that
    # what an optimiser leaves does not depend on it either.
    turned = z[np.arange(len(z)), (z != 0).argmax(axis=1)] < 0
    z = np.where(turned[:, None], -z, z)
    score = np.where(turned, rows.weight - rows.score, rows.score)
    some, folds, n_folds = _folds(rows.clusters["fold by"], rng)
    search = _Search(z[some], rows.weight[some], score[some], folds[some], n_folds)
    search.run(report)
    penalty, c, optimistic = search.best()
    held = search.held_out()
    right = np.where(held > 0, score[some], np.where(held < 0, (rows.weight - score)[some], rows.weight[some] / 2))
    values = np.stack([right, rows.weight[some]], axis=1)
    chosen = {name: code[some] for name, code in rows.clusters.items()}
    found = covariance_of_totals(values, rows.weight[some], find_ways(chosen, clustering, len(some)), clustering)
    total = float(rows.weight[some].sum())
    accuracy = float(right.sum()) / total
    slope = np.array([[1 / total, -accuracy / total]])
    parts = np.array([np.ones(len(z), dtype=bool), *(folds != k for k in range(n_folds))])
    # Chosen on a part of the rows, C is that of as much penalty a row.
    final = fit_paths(z, rows.weight, score, parts, penalty, [c * total / float(rows.weight.sum())])
    shares = np.array([_shares(one) for one in final.weight[1:, 0]])
    return Compositional(
        names=tuple(np.array(names)[differs].tolist()), weight=final.weight[0, 0], mean=mean, sd=sd,
        lowest=shares.min(axis=0), highest=shares.max(axis=0), penalty=penalty, c=c, optimistic=optimistic,
        accuracy=accuracy,
        covariance=None if found is None else found.of(_ratio, slope), n_judgments=int(rows.count.sum()),
        n_predicted=int(rows.count[some].sum()), n_prompts=n_prompts, n_folds=n_folds,
        n_loose=search.n_loose + int((~final.settled).sum()), left_out=left_out, missing=int((~known).sum()),
    )  # fmt: skip


def _shares(weight: Floats) -> Floats:
    total = float(np.abs(weight).sum())
    return weight / total if total > 0 else np.zeros(len(weight))


def _ratio(totals: Floats) -> Floats:
    return np.asarray(totals[..., :1] / totals[..., 1:])


def _folds(prompt: Ints, rng: np.random.Generator) -> tuple[Ints, Ints, int]:
    """Rows from which penalties are chosen, the fold of every row, and how many folds: whole prompts in each."""
    listed, code = np.unique(prompt, return_inverse=True)
    order = rng.permutation(len(listed))
    size = np.bincount(code)[order]
    most = max(int(np.searchsorted(np.cumsum(size), MOST_ROWS, side="right")), LEAST_PROMPTS)
    used = order[:most]
    n_folds = min(FOLDS, len(used))
    fold = np.empty(len(listed), dtype=np.int64)
    fold[order] = np.arange(len(order)) % n_folds
    chosen = np.zeros(len(listed), dtype=bool)
    chosen[used] = True
    return np.flatnonzero(chosen[code]), fold[code], n_folds


class _Search:
    """The grid on all rows but a fold, and on all but two folds, which chooses for each fold without it.

    x : (n, k); weight, score : (n,); fold : (n,)
    """

    def __init__(self, x: Floats, weight: Floats, score: Floats, fold: Ints, n_folds: int) -> None:
        self.x, self.weight, self.score, self.fold, self.n_folds = x, weight, score, fold, n_folds
        self.grid = [(penalty, float(c)) for penalty in PENALTIES for c in C_GRID]
        # By the folds left out: (n_settings, k).
        self.weights: dict[tuple[int, ...], Floats] = {}
        self.n_loose = 0

    def run(self, report: Report) -> None:
        """Fit all settings on all training sets."""
        sets: list[tuple[int, ...]] = [(k,) for k in range(self.n_folds)]
        sets += list(combinations(range(self.n_folds), 2))
        parts = np.array([~np.isin(self.fold, gone) for gone in sets])
        paths = [
            fit_paths(self.x, self.weight, self.score, parts, penalty, C_GRID.tolist(),
                      lambda share, k=k: report((k + share) / len(PENALTIES)))  # type: ignore[misc]
            for k, penalty in enumerate(PENALTIES)
        ]  # fmt: skip
        self.n_loose = sum(int((~one.settled).sum()) for one in paths)
        together = np.concatenate([one.weight for one in paths], axis=1)
        self.weights = dict(zip(sets, together, strict=True))

    def _right(self, gone: tuple[int, ...], fold: int) -> Floats:
        """(n_settings,) weight of one fold's judgments that the weights without `gone` predict rightly."""
        rows = np.flatnonzero(self.fold == fold)
        logit = self.x[rows] @ self.weights[gone].T
        score, weight = self.score[rows][:, None], self.weight[rows][:, None]
        right = np.where(logit > 0, score, np.where(logit < 0, weight - score, weight / 2))
        return np.asarray(right.sum(axis=0))

    def best(self) -> tuple[Penalty, float, float]:
        """Penalty, C and accuracy that all folds choose; of equals the strongest penalty, L2 first."""
        right = sum(self._right((k,), k) for k in range(self.n_folds))
        accuracy = np.asarray(right) / float(self.weight.sum())
        at = self._first(accuracy)
        return *self.grid[at], float(accuracy[at])

    def _first(self, accuracy: Floats) -> int:
        return int(np.flatnonzero(accuracy >= accuracy.max() - 1e-12)[0])

    def held_out(self) -> Floats:
        """(n,) log-odds of each row by what the other folds chose and fitted."""
        out = np.zeros(len(self.x))
        for fold in range(self.n_folds):
            others = [k for k in range(self.n_folds) if k != fold]
            right = sum(self._right((min(fold, k), max(fold, k)), k) for k in others)
            at = self._first(np.asarray(right) / float(self.weight[self.fold != fold].sum()))
            rows = self.fold == fold
            out[rows] = self.x[rows] @ self.weights[(fold,)][at]
        return out
