"""What do the estimators need of the judgments? Sums over those that share cluster, model pair and position.

Every estimator of strengths works from `Cells`; the counts of a pair of models are sufficient for the
strengths (Bradley and Terry 1952), the sums within a cluster for their cluster-robust covariance.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Up to this many entries a table over all ordered pairs of models is cheaper than sorting keys.
DENSE_TABLE = 4_000_000


@dataclass(frozen=True)
class Cells:
    """Judgments of one judge, summed over all that share (cluster, model pair, position).

    models : names, the index space of `i` and `j`
    i, j : (n_cells,) two different models; a pair of models may occur in both orders
    weight : (n_cells,) sum of the judgments' weights, > 0
    score : (n_cells,) sum of weight * y, where y in [0, 1] is the preference for `i`
    count : (n_cells,) number of judgments
    first : (n_cells,) +1 where `i` was shown first, -1 where `j` was, 0 unknown; None when not used
    clusters : codes by name ("prompt", "pair", "annotator"), each (n_cells,). Equal codes mean the same
        cluster, also across two judges; codes need not be dense. A negative code stands for "nobody
        named": such a cell is a cluster of its own.
    tied : (n_cells,) sum of the weights of ties, for models in which a tie is an outcome of its own; None
        when not used
    covariates : values by name, each (n_cells,): those of `i` minus those of `j`, already scaled

    Raises ValueError where the arrays contradict each other.
    """

    models: tuple[str, ...]
    i: Ints
    j: Ints
    weight: Floats
    score: Floats
    count: Ints
    first: Floats | None = None
    clusters: Mapping[str, Ints] = field(default_factory=dict)
    tied: Floats | None = None
    covariates: Mapping[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.i)
        columns = {"j": self.j, "weight": self.weight, "score": self.score, "count": self.count}
        columns |= dict(self.clusters) | ({} if self.first is None else {"first": self.first})
        columns |= dict(self.covariates) | ({} if self.tied is None else {"tied": self.tied})
        for name, column in columns.items():
            if len(column) != n:
                raise ValueError(f"{name} has {len(column)} entries where i has {n}")
        if n == 0:
            return
        if min(self.i.min(), self.j.min()) < 0 or max(self.i.max(), self.j.max()) >= len(self.models):
            raise ValueError(f"i and j must lie in 0..{len(self.models) - 1}")
        if bool((self.i == self.j).any()):
            raise ValueError("a cell compares a model with itself")
        if not float(self.weight.min()) > 0:
            raise ValueError("every weight must be > 0")
        if float(self.score.min()) < 0 or bool((self.score > self.weight * (1 + 1e-9)).any()):
            raise ValueError("score must lie between 0 and weight")
        if self.tied is not None:
            half, room = self.tied / 2, 1e-9 * self.weight
            if bool(((half < 0) | (half > self.score + room) | (half > self.weight - self.score + room)).any()):
                raise ValueError("tied must be >= 0, and half of it at most the score of either side")
        for name, values in self.covariates.items():
            if not bool(np.isfinite(values).all()):
                raise ValueError(f"covariate {name!r} is not a finite number everywhere: leave such judgments out")

    @property
    def n_judgments(self) -> int:
        """Number of judgments behind all cells."""
        return int(self.count.sum())

    def among(self, models: Iterable[str]) -> Cells:
        """The cells in which both models are among `models`, in that order of models."""
        wanted = tuple(models)
        if wanted == self.models:
            return self
        new_index = np.full(len(self.models), -1, dtype=np.int64)
        old_index = {name: k for k, name in enumerate(self.models)}
        for k, name in enumerate(wanted):
            new_index[old_index[name]] = k
        i, j = new_index[self.i], new_index[self.j]
        inside = (i >= 0) & (j >= 0)
        # All inside: views instead of a copy of every column.
        take: slice | NDArray[np.bool_] = slice(None) if inside.all() else inside
        return Cells(
            models=wanted,
            i=i[take],
            j=j[take],
            weight=self.weight[take],
            score=self.score[take],
            count=self.count[take],
            first=None if self.first is None else self.first[take],
            clusters={name: codes[take] for name, codes in self.clusters.items()},
            tied=None if self.tied is None else self.tied[take],
            covariates={name: values[take] for name, values in self.covariates.items()},
        )

    def without_position(self) -> Cells:
        """The same cells without the shown order."""
        return self if self.first is None else replace(self, first=None)

    def plain(self, position: bool = False) -> Cells:
        """The same cells without what only larger models use: ties apart, covariates, on request the shown order."""
        cells = self if position else self.without_position()
        if cells.tied is None and not cells.covariates:
            return cells
        return replace(cells, tied=None, covariates={})

    @cached_property
    def key(self) -> Ints:
        """(n_cells,) one integer for (i, j, first): (i * n_models + j) * n_orders + first + 1."""
        key = self.i.astype(np.int64) * len(self.models)
        key += self.j
        if self.first is not None:
            key *= 3
            key += self.first.astype(np.int64)
            key += 1
        return key


@dataclass(frozen=True)
class PairCounts:
    """Sums over all judgments of a pair of models (and shown order), each pair listed once as a < b.

    a, b : (n_rows,) model indices
    first : (n_rows,) +1 where `a` was shown first, -1 where `b` was, 0 unknown; None when not used
    weight, score, count : (n_rows,) sums as in `Cells`, with the score of `a`
    tied : (n_rows,) sum of the weights of ties; None when not used
    """

    n_models: int
    a: Ints
    b: Ints
    first: Floats | None
    weight: Floats
    score: Floats
    count: Ints
    tied: Floats | None = None

    @property
    def lost(self) -> Floats:
        """(n_rows,) the score of `b`; sums that differ from 0 by rounding alone are 0."""
        lost = self.weight - self.score
        lost[lost <= 1e-12 * self.weight] = 0.0
        return lost

    @property
    def judgments(self) -> Ints:
        """(n_models,) number of judgments in which each model took part."""
        both = np.bincount(self.a, self.count, self.n_models) + np.bincount(self.b, self.count, self.n_models)
        return both.astype(np.int64)

    def key(self) -> Ints:
        """(n_rows,) ascending: one integer for (a, b, first), made as in `Cells.key`."""
        key = self.a * self.n_models + self.b
        return key if self.first is None else key * 3 + self.first.astype(np.int64) + 1


def _sums(key: Ints, values: Floats | Ints, size: int) -> Floats:
    return np.asarray(np.bincount(key, values, size), dtype=np.float64)


def fold_to_pairs(cells: Cells) -> PairCounts:
    """Sum the cells of each pair of models. Exchanging i and j in a cell changes nothing."""
    m = len(cells.models)
    orders = 1 if cells.first is None else 3
    size = m * m * orders
    if size <= DENSE_TABLE:
        # Turning a pair round turns the shown order round: reversed along the last axis.
        weight, score, count = (
            _sums(cells.key, column, size).reshape(m, m, orders) for column in (cells.weight, cells.score, cells.count)
        )
        turned = [table.transpose(1, 0, 2)[:, :, ::-1] for table in (weight, score, count)]
        upper = np.triu(np.ones((m, m), dtype=bool), 1)[:, :, None]
        key = np.flatnonzero((count + turned[2] > 0) & upper)
        sums = (weight + turned[0]).reshape(-1)[key]
        wins = (score + turned[0] - turned[1]).reshape(-1)[key]
        numbers = (count + turned[2]).reshape(-1)[key]
        tied = None
        if cells.tied is not None:
            table = _sums(cells.key, cells.tied, size).reshape(m, m, orders)
            tied = (table + table.transpose(1, 0, 2)[:, :, ::-1]).reshape(-1)[key]
    else:
        turn = cells.i > cells.j
        low, high = np.minimum(cells.i, cells.j), np.maximum(cells.i, cells.j)
        packed = low.astype(np.int64) * m + high
        if cells.first is not None:
            packed = packed * 3 + np.where(turn, -cells.first, cells.first).astype(np.int64) + 1
        key, row = np.unique(packed, return_inverse=True)
        of_low = np.where(turn, cells.weight - cells.score, cells.score)
        sums = _sums(row, cells.weight, len(key))
        wins = _sums(row, of_low, len(key))
        numbers = _sums(row, cells.count, len(key))
        tied = None if cells.tied is None else _sums(row, cells.tied, len(key))
    pair = key // orders
    return PairCounts(
        n_models=m,
        a=pair // m,
        b=pair % m,
        first=None if cells.first is None else (key % 3 - 1).astype(np.float64),
        weight=sums,
        score=np.clip(wins, 0.0, sums),
        count=np.rint(numbers).astype(np.int64),
        tied=tied,
    )


@dataclass(frozen=True)
class CellScores:
    """Derivatives of each cell's log-likelihood, which clusters sum up.

    residual : (n_cells,) by the log-odds of `i` over `j`, hence by the strength of `i` and, negated, of `j`
    further : (n_cells, q) by the parameters behind the strengths; None where there are none
    """

    residual: Floats
    further: Floats | None


@dataclass(frozen=True)
class Placed:
    """Where each cell stands in the rows of a `PairCounts`, seen from that row's model `a`.

    row : (n_cells,) row of the pair table; score : (n_cells,) sum of weight * y for the row's `a`
    """

    row: Ints
    score: Floats


def place(cells: Cells, counts: PairCounts) -> Placed:
    """Find each cell's row in the pair table that was folded from these cells."""
    turn = cells.i > cells.j
    m = len(cells.models)
    packed = np.minimum(cells.i, cells.j).astype(np.int64) * m + np.maximum(cells.i, cells.j)
    if cells.first is not None:
        packed = packed * 3 + np.where(turn, -cells.first, cells.first).astype(np.int64) + 1
    key = counts.key()
    size = m * m * (1 if cells.first is None else 3)
    if size <= DENSE_TABLE:
        table = np.empty(size, dtype=np.int64)
        table[key] = np.arange(len(key))
        row = table[packed]
    else:
        row = np.searchsorted(key, packed)
    return Placed(row, np.where(turn, cells.weight - cells.score, cells.score))


@dataclass(frozen=True)
class DenseCodes:
    """Cluster codes renumbered 0..n_clusters-1 over all parts together.

    codes : one (n_cells,) array for each part; n_clusters : number of different clusters
    """

    codes: tuple[Ints, ...]
    n_clusters: int


def dense_codes(parts: Iterable[Ints]) -> DenseCodes:
    """Renumber cluster codes that are shared between parts (two judges' cells); order is kept.

    Negative codes get a cluster each (see `Cells.clusters`).
    """
    arrays = [np.asarray(part, dtype=np.int64) for part in parts]
    n_rows = sum(len(part) for part in arrays)
    if n_rows == 0:
        return DenseCodes(tuple(arrays), 0)
    if min(int(part.min()) for part in arrays if len(part)) < 0:
        top = max(0, max(int(part.max()) for part in arrays if len(part)) + 1)
        fresh = []
        for part in arrays:
            unnamed = part < 0
            own = top + np.cumsum(unnamed) - 1
            fresh.append(np.where(unnamed, own, part))
            top += int(unnamed.sum())
        arrays = fresh
    top = max(int(part.max()) for part in arrays if len(part)) + 1
    if top <= 4 * n_rows + 1000:
        seen = np.zeros(top, dtype=bool)
        for part in arrays:
            seen[part] = True
        new = np.cumsum(seen) - 1
        return DenseCodes(tuple(new[part] for part in arrays), int(new[-1]) + 1)
    known, inverse = np.unique(np.concatenate(arrays), return_inverse=True)
    cuts = np.cumsum([len(part) for part in arrays])[:-1]
    return DenseCodes(tuple(np.split(inverse, cuts)), len(known))
