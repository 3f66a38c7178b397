"""Which pairs did people and a judge judge? One row a pair, and the losses that sums of them give.

The unit is the pair: the votes of people on it are averaged by their weights, and so are the judge's repeats.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.cells import Cells, Floats, Ints, PairCounts, dense_codes

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class JudgedPairs:
    """Pairs with the judge's verdict, some of them with people's votes too.

    models : names, the index space of `a` and `b`; a, b : (n_pairs,) two different models
    labelled : (n_pairs,) whether people judged the pair
    weight : (n_pairs,) what a pair counts for, > 0: the mean weight of people's votes where there are any, else of
        the judge's verdicts
    human_weight, judge_weight : (n_pairs,) share in [0, 1] of the votes that count under the tie policy: 1 where
        ties count half, the share that is no tie where they are left out; human_weight is 0 on unlabelled pairs
    human_score, judge_score : (n_pairs,) mean over the votes of (counts) * (preference for a), at most the weight
    clusters : codes by name ("pair", "prompt"), each (n_pairs,)

    Raises ValueError where the arrays contradict each other.
    """

    models: tuple[str, ...]
    a: Ints
    b: Ints
    labelled: Bools
    weight: Floats
    human_weight: Floats
    human_score: Floats
    judge_weight: Floats
    judge_score: Floats
    clusters: Mapping[str, Ints] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.a)
        columns = {k: getattr(self, k) for k in _COLUMNS} | dict(self.clusters)
        for name, column in columns.items():
            if len(column) != n:
                raise ValueError(f"{name} has {len(column)} entries where a has {n}")
        if n == 0:
            return
        if bool((self.a == self.b).any()):
            raise ValueError("a pair compares a model with itself")
        if not float(self.weight.min()) > 0:
            raise ValueError("every weight must be > 0")
        for who in ("human", "judge"):
            weight, score = getattr(self, f"{who}_weight"), getattr(self, f"{who}_score")
            if weight.min() < 0 or weight.max() > 1 + 1e-9 or score.min() < 0 or bool((score > weight + 1e-9).any()):
                raise ValueError(f"{who}_score and {who}_weight must satisfy 0 <= score <= weight <= 1")
        if bool(self.human_weight[~self.labelled].any()):
            raise ValueError("an unlabelled pair has votes of people")

    def __len__(self) -> int:
        return len(self.a)

    @property
    def n_labelled(self) -> int:
        """Pairs with votes of people."""
        return int(self.labelled.sum())

    @property
    def n_unlabelled(self) -> int:
        """Pairs with the judge's verdict alone."""
        return len(self) - self.n_labelled

    def take(self, rows: Ints | Bools) -> JudgedPairs:
        """The pairs at `rows` (positions or a mask)."""
        columns = {k: getattr(self, k)[rows] for k in _COLUMNS}
        return JudgedPairs(self.models, **columns, clusters={k: v[rows] for k, v in self.clusters.items()})

    def among(self, models: Iterable[str]) -> JudgedPairs:
        """The pairs whose two models are both among `models`, in that order of models."""
        wanted = tuple(models)
        if wanted == self.models:
            return self
        old = {name: k for k, name in enumerate(self.models)}
        new = np.full(len(self.models), -1, dtype=np.int64)
        new[[old[name] for name in wanted]] = np.arange(len(wanted))
        a, b = new[self.a], new[self.b]
        inside = (a >= 0) & (b >= 0)
        columns = {k: getattr(self, k)[inside] for k in _COLUMNS} | {"a": a[inside], "b": b[inside]}
        return JudgedPairs(wanted, **columns, clusters={k: v[inside] for k, v in self.clusters.items()})

    def hide(self, hidden: Bools) -> JudgedPairs:
        """The same pairs without people's votes on those of the mask `hidden`."""
        columns = {k: getattr(self, k) for k in _COLUMNS}
        columns["labelled"] = self.labelled & ~hidden
        for name in ("human_weight", "human_score"):
            columns[name] = np.where(hidden, 0.0, columns[name])
        return JudgedPairs(self.models, **columns, clusters=self.clusters)

    def cells(self, who: str) -> Cells:
        """One cell a pair on which people ("human") or the judge ("judge") have a verdict that counts."""
        share, score = getattr(self, f"{who}_weight"), getattr(self, f"{who}_score")
        some = share > 0
        weight = self.weight[some]
        return Cells(
            models=self.models,
            i=self.a[some],
            j=self.b[some],
            weight=weight * share[some],
            score=weight * np.minimum(score, share)[some],
            count=np.ones(len(weight), dtype=np.int64),
            clusters={k: v[some] for k, v in self.clusters.items()},
        )

    @cached_property
    def losses(self) -> Losses:
        """The sums that every loss of these pairs is made of."""
        return sum_losses(self)

    def codes(self, way: str) -> Ints:
        """(n_pairs,) the clusters of one way, renumbered 0, 1, ..."""
        return dense_codes([self.clusters[way]]).codes[0]


_COLUMNS = ("a", "b", "labelled", "weight", "human_weight", "human_score", "judge_weight", "judge_score")


@dataclass(frozen=True)
class Losses:
    """Weights and scores of people's and the judge's verdicts, summed by pair of models.

    a, b : (n_rows,) models with a < b; row, turned : (n_pairs,) each pair's row, and whether it lists b
        first
    human, seen, unseen : (2, n_rows) sums of weight and of the score of `a`: of people, and of the judge on labelled
        and on unlabelled pairs
    n_labelled, n_unlabelled : sums of the pairs' weights
    """

    n_models: int
    a: Ints
    b: Ints
    row: Ints
    turned: Bools
    human: Floats
    seen: Floats
    unseen: Floats
    n_labelled: float
    n_unlabelled: float

    @property
    def ratio(self) -> float:
        """Labelled weight for each unlabelled; 0 without unlabelled pairs."""
        return self.n_labelled / self.n_unlabelled if self.n_unlabelled > 0 else 0.0

    def counts(self, share: float) -> PairCounts:
        """Weights and scores whose Bradley-Terry loss is n_labelled * (L_human + share * (L_unseen - L_seen)).

        They may be negative, or the score larger than the weight: a correction can take away more than was there.
        """
        weight, score = self.human + share * (self.ratio * self.unseen - self.seen)
        return PairCounts(self.n_models, self.a, self.b, None, weight, score, np.ones(len(self.a), dtype=np.int64))

    def without(self, pairs: JudgedPairs, rows: Ints) -> Losses:
        """The sums without the pairs at `rows`."""
        gone = sum_losses(pairs.take(rows), (self.a, self.b, self.row[rows], self.turned[rows]))
        labelled, unlabelled = self.n_labelled - gone.n_labelled, self.n_unlabelled - gone.n_unlabelled
        return Losses(
            self.n_models, self.a, self.b, self.row, self.turned, self.human - gone.human, self.seen - gone.seen,
            self.unseen - gone.unseen, labelled, unlabelled if unlabelled > 1e-9 * self.n_unlabelled else 0.0,
        )  # fmt: skip


def sum_losses(pairs: JudgedPairs, layout: tuple[Ints, Ints, Ints, Bools] | None = None) -> Losses:
    """Sum a set of pairs by pair of models. layout : a, b, row, turned of a larger set, to be kept."""
    m = len(pairs.models)
    if layout is None:
        low, high = np.minimum(pairs.a, pairs.b).astype(np.int64), np.maximum(pairs.a, pairs.b).astype(np.int64)
        key, row = np.unique(low * m + high, return_inverse=True)
        layout = (key // m, key % m, row, pairs.a > pairs.b)
    a, b, row, turned = layout

    def sums(share: Floats, score: Floats, some: Bools) -> Floats:
        weight = np.where(some, pairs.weight, 0.0)
        of_a = np.where(turned, share - score, score)
        return np.array([np.bincount(row, weight * share, len(a)), np.bincount(row, weight * of_a, len(a))])

    labelled = pairs.labelled
    return Losses(
        n_models=m,
        a=a,
        b=b,
        row=row,
        turned=turned,
        human=sums(pairs.human_weight, pairs.human_score, labelled),
        seen=sums(pairs.judge_weight, pairs.judge_score, labelled),
        unseen=sums(pairs.judge_weight, pairs.judge_score, ~labelled),
        n_labelled=float(pairs.weight[labelled].sum()),
        n_unlabelled=float(pairs.weight[~labelled].sum()),
    )
