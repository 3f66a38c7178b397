"""Why do a judge and people part: noise of people, noise of the judge, or taste, and which taste?

With y in {0, .5, 1}, over pairs with at least two votes of people, each pair weighing by their number:

    E(y_J - y_H)^2 = N_H + N_J + S

N_H is the unbiased variance of people's votes within a pair, N_J that of a judge's repeats within a pair and a shown
order, S what is left: the mean squared difference of what each would say on average. Without ties the left side is the
share of comparisons that disagree. S is shared out by least squares of the row means of (y_J - mean y_H) on groups of
columns a - b without an intercept, so that calling the responses b and a changes nothing. What a set of groups explains
is the fall of the squared error on prompts left out (5 folds); each group gets its Shapley value of it (Shapley 1953;
Lipovetsky and Conklin 2001 for regressions), which is negative where it predicts worse than nothing. The rest of S is
unexplained. Intervals: percentiles over clusters drawn with replacement, the fits of the folds as they are (fitted
anew to clusters drawn twice, a dozen prompts would explain less than they do).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import rankdata

from analysis.cells import Floats, Ints
from analysis.tables import floats
from errors import NotIdentifiedError

FOLDS = 5
DRAWS = 400
BLOCKS = 2_000
"""More clusters than these are drawn together in so many blocks, made at random: enough for any interval."""

SAID = np.array([1.0, 0.0, 0.5])
PEOPLE, JUDGE, UNEXPLAINED = "noise of people", "noise of the judge", "unexplained"
RELATIVE = 1e-10
"""Of the largest singular value, below which a direction of the columns says nothing."""


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

    cluster = np.unique(said.cluster, return_inverse=True)[1]
    n_clusters = int(cluster.max()) + 1
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
    explained_by = explain.shapley()
    has_repeats = bool(repeated.any())
    names = (PEOPLE, *([JUDGE] if has_repeats else []), *groups, UNEXPLAINED)

    def parts(times: Floats) -> Floats:
        """The parts where each cluster counts so many times, then their sum and S."""
        total, distance, people, with_repeats, own = times @ sums
        distance, people = distance / total, people / total
        own = own / with_repeats if with_repeats > 0 else 0.0
        systematic = distance - people - own
        explained = times @ explained_by / total
        rest = systematic - explained.sum()
        middle = [own] if has_repeats else []
        return np.array([people, *middle, *explained, rest, distance, systematic])

    value = parts(np.ones(n_blocks))
    if not value[-2] > 0:
        raise NotIdentifiedError("the judge and people never part here: there is no disagreement to share out")
    low, high, low_share, high_share = _intervals(parts, len(value), n_blocks, level, seed, draws)
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


def _intervals(
    parts: Callable[[Floats], Floats], k: int, n_blocks: int, level: float, seed: int, draws: int
) -> tuple[Floats, Floats, Floats, Floats]:
    """(k,) ends of the parts, then of their shares of the sum, which is the last but one."""
    nothing = np.full(k, np.nan)
    if n_blocks < 2:
        return nothing, nothing, nothing, nothing
    times = np.random.default_rng(seed).multinomial(n_blocks, np.full(n_blocks, 1 / n_blocks), draws)
    drawn = np.array([parts(one.astype(np.float64)) for one in times])
    drawn = drawn[drawn[:, -2] > 0]
    ends = [100 * (1 - level) / 2, 100 * (1 + level) / 2]
    low, high = np.percentile(drawn, ends, axis=0)
    low_share, high_share = np.percentile(drawn / drawn[:, -2:-1], ends, axis=0)
    return low, high, low_share, high_share


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

    def shapley(self) -> Floats:
        """(n_clusters, groups) of the weighted sum of squares explained, each cluster by the fit to other folds."""
        m = len(self.groups)
        out = np.zeros((len(self.products), m))
        gain = {chosen: self._gain(chosen) for chosen in self.sets}
        for i in range(m):
            for chosen in self.sets:
                if i not in chosen:
                    share = factorial(len(chosen)) * factorial(m - len(chosen) - 1) / factorial(m)
                    out[:, i] += share * (gain[tuple(sorted((*chosen, i)))] - gain[chosen])
        return out

    def _gain(self, chosen: tuple[int, ...]) -> Floats:
        """(n_clusters,) by how much the squared error falls with these groups."""
        out = np.zeros(len(self.products))
        if not chosen:
            return out
        at = np.concatenate([self.columns[g] for g in chosen])
        whole = self.products.sum(axis=0)
        for held in self.folds:
            parts = self.products[held]
            train = whole - parts.sum(axis=0)
            beta = _solve(train[np.ix_(at, at)], train[at, -1])
            out[held] = 2 * parts[:, at, -1] @ beta - parts[:, at[:, None], at] @ beta @ beta
        return out

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
    """Least squares of smallest norm, of columns brought to one length."""
    size = np.sqrt(np.diag(information))
    there = size > 0
    beta = np.zeros(len(size))
    if there.any():
        scaled = information[np.ix_(there, there)] / np.outer(size[there], size[there])
        inverse = np.linalg.pinv(scaled, rcond=RELATIVE, hermitian=True)
        beta[there] = inverse @ (score[there] / size[there]) / size[there]
    return beta


def first_pairs(found: Disagreement, most: int) -> list[tuple[str, int, float]]:
    """The pairs that stand most for each part: part, position of the pair, and how much of the squared difference of
    the judge's mean and people's mean (of noise: whose variance) it is."""
    out = []
    squared = found.difference**2
    explained = {g: squared - (found.difference - found.fitted[:, k]) ** 2 for k, g in enumerate(found.groups)}
    rest = (found.difference - found.fitted.sum(axis=1)) ** 2
    for part, by_pair in {PEOPLE: found.noise, JUDGE: found.own, **explained, UNEXPLAINED: rest}.items():
        order = np.argsort(rankdata(-by_pair, method="ordinal"))
        out += [(part, int(at), float(by_pair[at])) for at in order[:most] if by_pair[at] > 1e-12]
    return out
