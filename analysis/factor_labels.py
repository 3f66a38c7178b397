"""Which labels of answers win? Bradley-Terry strengths of labels instead of models.

DecipherPref (Hu et al. 2023) describes each text by a set of factor labels. Of two texts compared, the labels that both
have say nothing; every label that only the winner has beats every one that only the loser has, and labels get strengths
by the model of Bradley and Terry. The paper's own count of wins was not seen; this is its description in words, with
what it leaves open in the usual way: a tie is half a duel for each, and a label that only ever won or lost has no
strength (it would be infinite) and is named.

One comparison makes many duels, which are as dependent as can be: intervals are of whole clusters of comparisons.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.alike import Alike, sum_alike
from analysis.cells import Cells, Floats, Ints
from analysis.connectivity import LeftOut
from analysis.levels import UNKNOWN, Levels
from analysis.ranks import NO_WIDTH, WIDTHLESS, Ranking
from analysis.sandwich import strength_covariance
from analysis.strengths import fit_strengths
from analysis.tables import floats, integers
from analysis.vcov import Clustering
from errors import NotIdentifiedError, OptionError

DUELS_AT_ONCE = 4_000_000
"""Duels held before they are summed."""


@dataclass(frozen=True)
class Held:
    """Which answers have which labels.

    names, factors : of each label, its name and its factor; a, b : (n_labels, n_columns) whether the answer has it
    known : (n_columns,) whether every factor of both answers is known
    """

    names: tuple[str, ...]
    factors: tuple[str, ...]
    a: NDArray[np.bool_]
    b: NDArray[np.bool_]
    known: NDArray[np.bool_]


def hold_labels(levels: Sequence[Levels]) -> Held:
    """The labels of factors in levels. A flag has two, as what lacks an error must be able to beat what has it; a label
    of a set has one; levels of words and thirds one each."""
    names, factors, a, b = [], [], [], []
    known = np.ones(len(levels[0].a) if levels else 0, dtype=bool)
    for one in levels:
        known &= (one.a != UNKNOWN) & (one.b != UNKNOWN)
        for k in range(1 if one.kind == "label" else 0, len(one.names)):
            names.append(one.called(k))
            factors.append(one.factor)
            a.append(one.a == k)
            b.append(one.b == k)
    size = (len(names), len(known))
    first, second = (np.array(side, dtype=bool).reshape(size) for side in (a, b))
    return Held(tuple(names), tuple(factors), first, second, known)


@dataclass(frozen=True)
class LabelRanking:
    """One judge's strengths of labels.

    ranking : of labels in the place of models, its judgments being duels
    comparisons : judgments whose answers differ in labels; silent : that have the same labels, or of which one has only
        labels that both have; missing : that lack a factor
    won : by label, its share of duels won
    """

    ranking: Ranking
    factor_of: Mapping[str, str]
    won: Mapping[str, float]
    comparisons: int
    silent: int
    missing: int

    @property
    def left_out(self) -> dict[str, str]:
        """By label without a strength, why, as part of a sentence."""
        return {left.model: _cause(left) for left in self.ranking.fit.left_out}

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know of the intervals."""
        covariance = self.ranking.covariance
        found = [text.replace("models", "labels") for text in covariance.warnings]
        if not bool((covariance.se[: len(self.ranking.fit.models)] > WIDTHLESS).any()):
            found.append(NO_WIDTH)
        return tuple(found)

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """label, factor, strength (natural log, mean 0), se, lower, upper, rank, rank_lower, rank_upper, won (share of
        duels), duels; labels without a strength have none, those without a duel no row."""
        table = self.ranking.table(level).rename(columns={"model": "label", "judgments": "duels"})
        table.insert(1, "factor", [self.factor_of[label] for label in table["label"]])
        table.insert(len(table.columns) - 1, "won", floats([self.won.get(label) for label in table["label"]]))
        table["duels"] = integers([int(n) for n in table["duels"]])
        return table[table["duels"] > 0].reset_index(drop=True)


def _cause(left: LeftOut) -> str:
    return left.cause.replace("judgment", "duel").replace("models", "labels").replace("model", "label")


def rank_labels(
    held: Held, at: Ints, y: Floats, weight: Floats, clusters: Mapping[str, Ints], clustering: Clustering
) -> LabelRanking:
    """Strengths of the labels in one judge's eyes.

    at : (n,) the column of each judgment; y : (n,) preference for `a`; clusters : (n,) codes by name

    Raises OptionError for intervals without clusters; NotIdentifiedError where there are fewer than two labels, all
    verdicts are ties, no comparison tells labels apart, or no two labels can be put on one scale.
    """
    if clustering.name == "none":
        raise OptionError(
            "one comparison makes many duels of labels, which are never independent: use --cluster pair or prompt"
        )
    if len(held.names) < 2:
        n = len(held.names)
        raise NotIdentifiedError(f"labels are held against one another, and there {'is' if n == 1 else 'are'} {n}")
    if len(y) and (y == 0.5).all():
        raise NotIdentifiedError("all verdicts are ties, so no label wins")
    known = held.known[at]
    names = clustering.name.split("+")
    rows = sum_alike(at[known], y[known], weight[known], {name: clusters[name][known] for name in names})
    cells, fought = _cells(held, rows)
    comparisons = int(rows.count[fought].sum())
    silent = int(rows.count.sum()) - comparisons
    if not len(cells.i):
        raise NotIdentifiedError("no two answers that were compared differ in labels on both sides")
    try:
        fit = fit_strengths(cells)
    except NotIdentifiedError as error:
        met = len(np.unique(cells.i * len(held.names) + cells.j))
        raise NotIdentifiedError(
            "no two labels can be put on one scale: each only won, only lost, or never met the others "
            f"({met:,} {'pair' if met == 1 else 'pairs'} of labels met)"
        ) from error
    ranking = Ranking(fit, strength_covariance([fit], [cells], clustering))
    n = len(held.names)
    score = np.bincount(cells.i, cells.score, n) + np.bincount(cells.j, cells.weight - cells.score, n)
    total = np.bincount(cells.i, cells.weight, n) + np.bincount(cells.j, cells.weight, n)
    won = {name: float(score[k] / total[k]) for k, name in enumerate(held.names) if total[k] > 0}
    return LabelRanking(
        ranking, dict(zip(held.names, held.factors, strict=True)), won, comparisons, silent, int((~known).sum())
    )  # fmt: skip


def _cells(held: Held, rows: Alike) -> tuple[Cells, NDArray[np.bool_]]:
    """Duels summed over those alike in labels and clusters, and which rows made any."""
    n = len(held.names)
    only_a, only_b = held.a & ~held.b, held.b & ~held.a
    codes = np.stack([*rows.clusters.values()])
    _, combined = np.unique(codes, axis=1, return_inverse=True)
    combined = np.asarray(combined).reshape(-1)
    first_of = np.unique(combined, return_index=True)[1]
    fought = np.zeros(len(rows), dtype=bool)
    parts: list[tuple[Ints, Floats, Floats, Ints]] = []
    for some in _portions(only_a, only_b, rows):
        row, i, j = _duels(only_a[:, rows.at[some]], only_b[:, rows.at[some]])
        row = some[row]
        fought[row] = True
        # Each duel is told from the label of the smaller number.
        low, high, turned = np.minimum(i, j), np.maximum(i, j), i > j
        score = np.where(turned, rows.weight[row] - rows.score[row], rows.score[row])
        parts.append(_summed((combined[row] * n + low) * n + high, rows.weight[row], score, rows.count[row]))
    key, weight, score, count = _summed(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    cluster = first_of[key // (n * n)]
    return Cells(
        models=held.names, i=key // n % n, j=key % n, weight=weight, score=np.clip(score, 0.0, weight), count=count,
        clusters={name: values[cluster] for name, values in rows.clusters.items()},
    ), fought  # fmt: skip


def _portions(only_a: NDArray[np.bool_], only_b: NDArray[np.bool_], rows: Alike) -> Iterator[Ints]:
    """Runs of rows that make some millions of duels each."""
    made = only_a.sum(axis=0, dtype=np.int64) * only_b.sum(axis=0, dtype=np.int64)
    total = np.cumsum(made[rows.at])
    n = max(1, int(total[-1] // DUELS_AT_ONCE) + 1) if len(total) else 1
    yield from np.array_split(np.arange(len(rows)), n)


def _duels(only_a: NDArray[np.bool_], only_b: NDArray[np.bool_]) -> tuple[Ints, Ints, Ints]:
    """Of each row (column of the masks) all pairs of a label of `a` alone with one of `b` alone: row, i, j."""
    row_a, i = np.nonzero(only_a.T)
    j = np.nonzero(only_b.T)[1]
    n = only_b.sum(axis=0, dtype=np.int64)
    starts = np.cumsum(n) - n
    times = n[row_a]
    ends = np.cumsum(times)
    within = np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - times, times)
    return np.repeat(row_a, times), np.repeat(i, times), j[np.repeat(starts[row_a], times) + within]


def _summed(key: Ints, weight: Floats, score: Floats, count: Ints) -> tuple[Ints, Floats, Floats, Ints]:
    found, place = np.unique(key, return_inverse=True)
    w, s, n = (np.bincount(place, column, len(found)).astype(np.float64) for column in (weight, score, count))
    return found, w, s, np.rint(n).astype(np.int64)
