"""What does a factor model need of the judgments? Differences of the two answers, and what was said of them.

Differences stand once for each pair of answers, as all judges and all votes on a pair share them; ten million
judgments on thirty factors then take as much memory as their pairs do, and are read in blocks that stay in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.cells import Floats, Ints

FIRST = "first_position"
"""Name of the coefficient of the shown order: log-odds of the answer shown first between equals."""

BLOCK = 16_384
"""Rows worked on at a time: with thirty columns they stay in the processor's cache."""


@dataclass(frozen=True)
class Design:
    """The judgments of one judge, summed over those alike in pair, shown order and clusters.

    names : (k,) the factors; x : (k, n_columns) float32 or float64: a - b, already scaled, finite where it is used
    at : (n_rows,) the column of `x` that each row is about, best in ascending order: that of its pair, or one of its
        own where values differ from judgment to judgment
    pair : (n_rows,) which pair it is: numbers from 0 that mean the same for every judge
    weight, score : (n_rows,) sums of the judgments' weights, > 0, and of weight * y with y in [0, 1] for `a`
    count : (n_rows,) number of judgments
    first : (n_rows,) +1 where `a` was shown first, -1 where `b` was, 0 unknown; None when not used
    tied : (n_rows,) sum of the weights of ties where a tie is an outcome of its own; None when not used
    clusters : codes by name, each (n_rows,), with the meaning they have in `Cells`

    Raises ValueError where the arrays contradict each other.
    """

    names: tuple[str, ...]
    x: NDArray[Any]
    at: Ints
    pair: Ints
    weight: Floats
    score: Floats
    count: Ints
    first: Floats | None = None
    tied: Floats | None = None
    clusters: Mapping[str, Ints] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.at)
        columns: dict[str, NDArray[Any]] = {"pair": self.pair, "weight": self.weight}
        columns |= {"score": self.score, "count": self.count}
        columns |= dict(self.clusters) | ({} if self.first is None else {"first": self.first})
        columns |= {} if self.tied is None else {"tied": self.tied}
        for name, column in columns.items():
            if len(column) != n:
                raise ValueError(f"{name} has {len(column)} entries where at has {n}")
        if self.x.ndim != 2 or len(self.x) != len(self.names):
            raise ValueError(f"x has {len(self.x)} rows for {len(self.names)} factors")
        if not n:
            return
        if self.at.min() < 0 or self.at.max() >= self.x.shape[1]:
            raise ValueError(f"at must lie in 0..{self.x.shape[1] - 1}")
        if not float(self.weight.min()) > 0:
            raise ValueError("every weight must be > 0")
        if float(self.score.min()) < 0 or bool((self.score > self.weight * (1 + 1e-9)).any()):
            raise ValueError("score must lie between 0 and weight")

    def __len__(self) -> int:
        return len(self.at)

    @property
    def n_judgments(self) -> int:
        """Number of judgments behind all rows."""
        return int(self.count.sum())

    @cached_property
    def pairs(self) -> NDArray[np.bool_]:
        """Which pairs this judge has judged: one entry a number, up to the largest."""
        met = np.zeros(int(self.pair.max()) + 1 if len(self.pair) else 0, dtype=bool)
        met[self.pair] = True
        return met

    @property
    def columns(self) -> NDArray[Any]:
        """(k, n) the columns of `x` that rows are about, each once."""
        met = np.zeros(self.x.shape[1], dtype=bool)
        met[self.at] = True
        return self.x if met.all() else self.x[:, met]

    def on(self, pairs: NDArray[np.bool_]) -> Design:
        """The rows about some pairs; pairs : a mask as `pairs` gives it, of any length."""
        known = np.zeros(len(self.pairs), dtype=bool)
        known[: len(pairs)] = pairs[: len(known)]
        kept = known[self.pair]
        return self if kept.all() else self.take(np.flatnonzero(kept))

    def take(self, rows: NDArray[Any]) -> Design:
        """Some of the rows (a mask or positions), about the same pairs."""
        return replace(
            self,
            at=self.at[rows],
            pair=self.pair[rows],
            weight=self.weight[rows],
            score=self.score[rows],
            count=self.count[rows],
            first=None if self.first is None else self.first[rows],
            tied=None if self.tied is None else self.tied[rows],
            clusters={name: codes[rows] for name, codes in self.clusters.items()},
        )

    def without(self, names: Sequence[str]) -> Design:
        """The same without some factors."""
        gone = set(names)
        kept = [k for k, name in enumerate(self.names) if name not in gone]
        if len(kept) == len(self.names):
            return self
        return replace(self, names=tuple(self.names[k] for k in kept), x=self.x[kept])

    def thinned(self, most: int) -> Design:
        """About `most` rows, in whole blocks evenly spread; all of them where there are hardly more."""
        blocks, wanted = -(-len(self) // BLOCK), -(-most // BLOCK)
        if blocks < 2 * wanted:
            return self
        starts = BLOCK * np.linspace(0, blocks - 2, wanted).astype(np.int64)
        return self.take((starts[:, None] + np.arange(BLOCK)).reshape(-1))

    def blocks(self, start: int = 0, stop: int | None = None) -> Iterator[tuple[slice, NDArray[Any]]]:
        """Runs of rows with their differences, (k, n) each."""
        stop = len(self) if stop is None else stop
        for low in range(start, stop, BLOCK):
            rows = slice(low, min(low + BLOCK, stop))
            at = self.at[rows]
            if at[-1] - at[0] == len(at) - 1 and bool((np.diff(at) == 1).all()):
                # Each column once and in order: no copy.
                yield rows, self.x[:, at[0] : at[-1] + 1]
            else:
                yield rows, self.x.take(at, axis=1)
