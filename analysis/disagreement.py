"""Why do a judge and people part: noise of people, noise of the judge, or taste, and which taste?

With y in {0, .5, 1}, over pairs with at least two votes of people, each pair weighing by their number:

    E(y_J - y_H)^2 = N_H + N_J + S

N_H is the unbiased variance of people's votes within a pair, N_J that of a judge's repeats within a pair and a shown
order, S what is left: the mean squared difference of what each would say on average. Without ties the left side is the
share of comparisons that disagree. S is shared out by least squares of the row means of (y_J - mean y_H) on groups of
columns a - b without an intercept, so that calling the responses b and a changes nothing. What a set of groups explains
is the fall of the squared error on prompts left out (5 folds); each group gets its Shapley value of it (Shapley 1953;
Lipovetsky and Conklin 2001 for regressions), which is negative where it predicts worse than nothing. The rest of S is
unexplained. Intervals: every part is found anew without each cluster, the fits of all folds included; the pseudo-values
(Tukey 1958) of clusters are drawn with replacement, and the interval is symmetric and studentised (Hall 1988). It lies
around their mean, freed of what fits to few clusters explain too little, unless that is more than its own error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtrit

from analysis.cells import Floats, Ints
from analysis.cluster_sums import numbered
from analysis.tables import floats
from errors import NotIdentifiedError

FOLDS = 5
DRAWS = 1_000
BLOCKS = 100
"""More clusters than these are left out and drawn together in so many blocks, made at random."""

FEW = 10
"""Clusters below which draws of them say nothing of tails, and Student's t has to do."""

SAID = np.array([1.0, 0.0, 0.5])
PEOPLE, JUDGE, UNEXPLAINED = "noise of people", "noise of the judge", "unexplained"
RELATIVE = 1e-10
"""Of the largest singular value, below which a direction of the columns says nothing."""

SAFE = 1e-6
"""Share of a column that the ones before it must leave, so that the quick way of solving may be taken."""


@dataclass(frozen=True)
class Replies:
    """What people and a judge said of the same pairs.

    votes : (n_pairs, 3) people's votes for a, b and tie, at least two a pair; cluster : (n_pairs,) codes
    pair : (n_rows,) position of each row's pair; replies : (n_rows, 3) the judge's verdicts, alike in annotator and
        shown order, at least one a row; every pair has a row
    x : (n_rows, k) columns a - b, NaN where not known; group : (k,) the group of each
    """

    votes: Ints
    cluster: Ints
    pair: Ints
    replies: Ints
    x: Floats
    group: tuple[str, ...]


@dataclass(frozen=True)
class Disagreement:
    """Parts of E(y_J - y_H)^2. names : (k,) of the parts; value, share : (k,), which sum to `total` and 1

    lower, upper, share_lower, share_upper : (k,), and of the total alone `total_lower`, `total_upper`; NaN without
    intervals
    systematic, systematic_lower, systematic_upper : S; repeats : pairs with repeats of the judge; in_fit : rows of
        which all columns are known, of rows
    noise, own, fitted, difference : by pair: people's variance and the judge's over repeats, 0 without (n_pairs,), what
        each group says of y_J - y_H (n_pairs, groups), and y_J - y_H, of means (n_pairs,)
    """

    names: tuple[str, ...]
    value: Floats
    lower: Floats
    upper: Floats
    share: Floats
    share_lower: Floats
    share_upper: Floats
    total: float
    total_lower: float
    total_upper: float
    systematic: float
    systematic_lower: float
    systematic_upper: float
    groups: tuple[str, ...]
    pairs: int
    votes: int
    clusters: int
    repeats: int
    in_fit: int
    rows: int
    noise: Floats
    own: Floats
    fitted: Floats
    difference: Floats

    def table(self) -> pd.DataFrame:
        """One row a part: part, share, share_lower, share_upper, value, lower, upper."""
        numbers = {name: floats(getattr(self, name)) for name in
                   ("share", "share_lower", "share_upper", "value", "lower", "upper")}  # fmt: skip
        return pd.DataFrame({"part": self.names} | numbers)


def decompose(said: Replies, level: float = 0.95, seed: int = 0, draws: int = DRAWS) -> Disagreement:
    """Share out the disagreement of a judge and people.

    Raises NotIdentifiedError without two pairs, and where the two never part.
    """
    n = said.votes.sum(axis=1).astype(np.float64)
    if len(n) < 2:
        raise NotIdentifiedError(
            f"{len(n)} pair with two or more votes of people and a verdict of the judge: at least 2 are needed"
        )
    mean, square = said.votes @ SAID / n, said.votes @ SAID**2 / n
    noise = np.maximum(square - mean**2, 0) * n / (n - 1)
    r = said.replies.sum(axis=1).astype(np.float64)
    row_mean, row_square = said.replies @ SAID / r, said.replies @ SAID**2 / r
    whole = np.bincount(said.pair, r, len(n))
    of_pair = np.bincount(said.pair, r * row_mean, len(n)) / whole
    square_j = np.bincount(said.pair, r * row_square, len(n)) / whole
    apart = square_j - 2 * of_pair * mean + square
    # Repeats of a pair: rows of more than one verdict, each with its own mean.
    spare = np.bincount(said.pair, r - 1, len(n))
    within = np.bincount(said.pair, r * np.maximum(row_square - row_mean**2, 0), len(n))
    repeated = spare > 0
    flips = np.divide(within, spare, out=np.zeros(len(n)), where=repeated)

    cluster, n_clusters = numbered(said.cluster)
    n_blocks = min(n_clusters, BLOCKS)
    block = np.random.default_rng(seed).permutation(n_clusters)[cluster] % n_blocks
    sums = np.column_stack(
        [np.bincount(block, n * column, n_blocks) for column in (np.ones(len(n)), apart, noise, repeated, flips)]
    )
    d = row_mean - mean[said.pair]
    weight = n[said.pair] * r / whole[said.pair]
    known: NDArray[np.bool_] = np.asarray(np.isfinite(said.x).all(axis=1), dtype=bool)
    groups = tuple(dict.fromkeys(said.group))
    explain = _Explained(said.x[known], d[known], weight[known], block[said.pair][known], n_blocks, said.group, seed)
    has_repeats = bool(repeated.any())
    names = (PEOPLE, *([JUDGE] if has_repeats else []), *groups, UNEXPLAINED)

    def parts(sums: Floats, explained: Floats) -> Floats:
        """(..., parts), then their sum and S, of (..., columns) sums and what groups explain, in weighted squares."""
        with np.errstate(divide="ignore", invalid="ignore"):
            distance, people = (sums[..., k] / sums[..., 0] for k in (1, 2))
            own = sums[..., 4] / sums[..., 3] if has_repeats else np.zeros_like(distance)
            part = explained / sums[..., :1]
        systematic = distance - people - own
        middle = [own] if has_repeats else []
        rest = systematic - part.sum(axis=-1)
        return np.stack([people, *middle, *np.moveaxis(part, -1, 0), rest, distance, systematic], axis=-1)

    value = parts(sums.sum(axis=0), explain.shapley()[0])
    if not value[-2] > 0:
        raise NotIdentifiedError("the judge and people never part here: there is no disagreement to share out")
    never_below = np.array([name in (PEOPLE, JUDGE) for name in (*names, "", "")])
    never_below[-2] = True
    if n_blocks > 1:
        without = parts(sums.sum(axis=0) - sums, explain.shapley(without=True))
        low, high = _ends(value, without, level, seed, draws)
        low_share, high_share = _ends(value / value[-2], without / _above_zero(without[:, -2:-1]), level, seed, draws)
        low[never_below] = np.maximum(low[never_below], 0)
        low_share[never_below] = np.maximum(low_share[never_below], 0)
    else:
        low = high = low_share = high_share = np.full(len(value), np.nan)
    fitted = explain.fitted(said.x, known)
    by_pair = np.column_stack(
        [np.bincount(said.pair, r * column, len(n)) / whole for column in fitted.T]
    ) if len(groups) else np.empty((len(n), 0))  # fmt: skip
    some = slice(0, len(names))
    return Disagreement(
        names, value[some], low[some], high[some], value[some] / value[-2], low_share[some], high_share[some],
        float(value[-2]), float(low[-2]), float(high[-2]), float(value[-1]), float(low[-1]), float(high[-1]),
        groups, len(n), int(n.sum()), n_clusters, int(repeated.sum()), int(known.sum()), len(known), noise, flips,
        by_pair, of_pair - mean,
    )  # fmt: skip


def _above_zero(total: Floats) -> Floats:
    return np.where(total > 0, total, np.nan)


def _ends(value: Floats, without: Floats, level: float, seed: int, draws: int) -> tuple[Floats, Floats]:
    """(k,) ends of intervals, NaN where a replicate is undefined. without : (n, k) the same without each of n blocks"""
    n = len(without)
    pseudo = n * value - (n - 1) * without
    # A column of which a replicate is undefined has no interval; the others are not to be lost with it.
    known = np.isfinite(pseudo).all(axis=0)
    pseudo = np.where(known, pseudo, 0.0)
    middle, se = pseudo.mean(axis=0), pseudo.std(axis=0) / np.sqrt(n - 1)
    quantile = np.full(len(value), stdtrit(n - 1, (1 + level) / 2))
    if n >= FEW:
        times = _times(n, draws, seed)
        mean = times @ pseudo / n
        spread = np.sqrt(np.maximum(times @ (pseudo - middle) ** 2 / n - (mean - middle) ** 2, 0) / (n - 1))
        away = np.abs(mean - middle) / np.where(spread > 0, spread, np.inf)
        quantile = np.maximum(quantile, np.percentile(away, 100 * level, axis=0))
    # A correction larger than the error it has itself would do more harm than good.
    middle = np.where(np.abs(middle - value) <= se, middle, value)
    low, high = middle - quantile * se, middle + quantile * se
    return np.where(known, low, np.nan), np.where(known, high, np.nan)


@lru_cache(maxsize=4)
def _times(n: int, draws: int, seed: int) -> Ints:
    """(draws, n) how often each of n is drawn with replacement: the same for all parts, and all judges."""
    times = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), draws)
    times.flags.writeable = False
    return times


class _Explained:
    """What groups of columns explain of d on clusters left out, from cross products by cluster."""

    def __init__(self, x: Floats, d: Floats, weight: Floats, cluster: Ints, n_clusters: int, group: Sequence[str],
                 seed: int) -> None:  # fmt: skip
        self.groups = tuple(dict.fromkeys(group))
        self.columns = [np.flatnonzero([g == name for g in group]) for name in self.groups]
        z = np.column_stack([x, d])
        k = z.shape[1]
        self.products = np.zeros((n_clusters, k, k))
        order = np.argsort(cluster, kind="stable")
        ends = np.searchsorted(cluster[order], np.arange(n_clusters + 1))
        for c in range(n_clusters):
            rows = order[ends[c] : ends[c + 1]]
            self.products[c] = z[rows].T @ (weight[rows, None] * z[rows])
        fold = np.random.default_rng(seed + 1).permutation(n_clusters) % min(FOLDS, n_clusters)
        self.folds = [np.flatnonzero(fold == f) for f in range(int(fold.max()) + 1)]
        m = len(self.groups)
        self.sets = [s for size in range(m + 1) for s in combinations(range(m), size)]

    def shapley(self, without: bool = False) -> Floats:
        """(1, groups) of the weighted sum of squares explained, each fold by the fit to the others.

        without : (n_clusters, groups), of all clusters but each
        """
        m = len(self.groups)
        held = np.array([self.products[fold].sum(axis=0) for fold in self.folds])[None]
        if without:
            of = np.zeros((len(self.products), len(self.folds)))
            for f, fold in enumerate(self.folds):
                of[fold, f] = 1
            held = held - of[:, :, None, None] * self.products[:, None]
        train = held.sum(axis=1, keepdims=True) - held
        gain = {chosen: self._gain(chosen, train, held) for chosen in self.sets}
        out = np.zeros((len(held), m))
        for i in range(m):
            for chosen in self.sets:
                if i not in chosen:
                    share = factorial(len(chosen)) * factorial(m - len(chosen) - 1) / factorial(m)
                    out[:, i] += share * (gain[tuple(sorted((*chosen, i)))] - gain[chosen])
        return out

    def _gain(self, chosen: tuple[int, ...], train: Floats, held: Floats) -> Floats:
        """(n,) by how much the squared error of all folds falls with these groups. train, held : (n, folds, k, k)"""
        if not chosen:
            return np.zeros(len(held))
        at = np.concatenate([self.columns[g] for g in chosen])
        here = held[:, :, at[:, None], at]
        beta = _solve(train[:, :, at[:, None], at], train[:, :, at, -1])[..., None]
        said = 2 * held[:, :, at, -1][..., None, :] @ beta - np.swapaxes(beta, -1, -2) @ (here @ beta)
        return np.asarray(said[..., 0, 0].sum(axis=1))

    def fitted(self, x: Floats, known: NDArray[np.bool_]) -> Floats:
        """(n_rows, groups) what the fit to all says by group; 0 where a column is not known."""
        out = np.zeros((len(x), len(self.groups)))
        if len(self.groups) and known.any():
            whole = self.products.sum(axis=0)
            beta = _solve(whole[:-1, :-1], whole[:-1, -1])
            for g, at in enumerate(self.columns):
                out[known, g] = x[known][:, at] @ beta[at]
        return out


def _solve(information: Floats, score: Floats) -> Floats:
    """(..., k) least squares of smallest norm, of columns brought to one length; (..., k, k) and (..., k)."""
    size = np.sqrt(np.diagonal(information, axis1=-2, axis2=-1))
    scale = np.where(size > 0, size, 1.0)
    scaled = information / (scale[..., :, None] * scale[..., None, :])
    # A column without any values: one that is its own, and explains nothing.
    scaled = scaled + np.where(size > 0, 0.0, 1.0)[..., None] * np.eye(size.shape[-1])
    right = np.where(size > 0, score / scale, 0.0)[..., None]
    try:
        safe = bool((np.diagonal(np.linalg.cholesky(scaled), axis1=-2, axis2=-1) ** 2 > SAFE).all())
    except np.linalg.LinAlgError:
        safe = False
    if safe:
        found = np.linalg.solve(scaled, right)
    else:
        found = np.linalg.pinv(scaled, rcond=RELATIVE, hermitian=True) @ right
    return np.asarray(found[..., 0] / scale)


def first_pairs(found: Disagreement, most: int) -> list[tuple[str, int, float]]:
    """The pairs that stand most for each part: part, position of the pair, and how much of the squared difference of
    the judge's mean and people's mean (of noise: whose variance) it is."""
    out = []
    squared = found.difference**2
    explained = {g: squared - (found.difference - found.fitted[:, k]) ** 2 for k, g in enumerate(found.groups)}
    rest = (found.difference - found.fitted.sum(axis=1)) ** 2
    for part, by_pair in {PEOPLE: found.noise, JUDGE: found.own, **explained, UNEXPLAINED: rest}.items():
        # Only those that may be among the first are put in order: the others are as many as there are pairs.
        least = np.partition(by_pair, -most)[-most] if 0 < most < len(by_pair) else -np.inf
        some = np.flatnonzero(by_pair >= least)
        order = some[np.argsort(-by_pair[some], kind="stable")]
        out += [(part, int(at), float(by_pair[at])) for at in order[:most] if by_pair[at] > 1e-12]
    return out
