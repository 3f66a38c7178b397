"""Does a judge that is asked several questions answer them apart, and which of them makes its overall verdict?

A verdict on a criterion is a number x from -1 (b) over 0 (tie) to 1 (a). Two criteria go together by their correlation
about 0, sum x_1 x_2 / sqrt(sum x_1^2 sum x_2^2), which does not ask which response is called a: with labels alone it is
the share of equal sides less that of opposite ones, over pairs that neither calls even. Raters who let one impression
colour all answers correlate them more than the answers deserve (halo; Thorndike 1920).

The weights are those of a logistic regression of the overall verdict on the verdicts on all criteria together, without
an intercept: log-odds of preferring a where that criterion speaks for a, others held equal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.cells import Floats, Ints
from analysis.cluster_sums import Figures, estimate
from analysis.design import Design
from analysis.vcov import Clustering


@dataclass(frozen=True)
class Answers:
    """What one judge's voters said of every criterion, one row a (pair, voter). All (n,) but x.

    criteria : (k,) names; x : (n, k) from -1 (b) to 1 (a), NaN where nobody asked; voter : -1 where nobody is named
    """

    criteria: tuple[str, ...]
    x: Floats
    pair: Ints
    prompt: Ints
    voter: Ints

    def __len__(self) -> int:
        return len(self.pair)

    def column(self, criterion: str) -> Floats:
        """(n,) of one criterion; NaN throughout where it was never asked."""
        if criterion not in self.criteria:
            return np.full(len(self), np.nan)
        return np.asarray(self.x[:, self.criteria.index(criterion)])


@dataclass(frozen=True)
class Overall:
    """One judge's overall verdicts, summed over those alike in pair, voter and shown order; all (n,).

    first : +1 where a was shown first, -1 where b was, 0 unknown; None without a position term
    clusters : codes by name
    """

    pair: Ints
    voter: Ints
    weight: Floats
    score: Floats
    count: Ints
    first: Floats | None
    clusters: Mapping[str, Ints] = field(default_factory=dict)


def answers(criteria: Sequence[str], said: Mapping[str, NDArray[Any]], ids: Sequence[int]) -> Answers:
    """Long rows made wide. said : criterion (id), pair, prompt, voter, p, each pair, voter and criterion once"""
    keys = np.column_stack([said["pair"], said["voter"]]).astype(np.int64)
    unique, first, at = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    x = np.full((len(unique), len(ids)), np.nan)
    for k, number in enumerate(ids):
        mine = said["criterion"] == number
        x[at.reshape(-1)[mine], k] = 2 * said["p"][mine] - 1
    prompt = np.asarray(said["prompt"][first], dtype=np.int64)
    return Answers(tuple(criteria), x, unique[:, 0], prompt, unique[:, 1])


def explain(overall: Overall, given: Answers, criteria: Sequence[str]) -> tuple[Design, Ints]:
    """The overall verdicts with the same voter's verdicts on these criteria, and which rows of `overall` have them all.

    Averages of what one voter said in other orders or repeats stand for what it said in this one.
    """
    x = np.column_stack([given.column(name) for name in criteria]) if criteria else np.empty((len(given), 0))
    known = np.isfinite(x).all(axis=1)
    x, pair, voter = x[known], given.pair[known], given.voter[known]
    # Both are sorted by pair and voter.
    low = int(min(voter.min(initial=0), overall.voter.min(initial=0)))
    span = int(max(voter.max(initial=0), overall.voter.max(initial=0))) - low + 1
    keys, wanted = pair * span + voter - low, overall.pair * span + overall.voter - low
    at = np.searchsorted(keys, wanted)
    rows = np.flatnonzero(np.isin(wanted, keys))
    design = Design(
        names=tuple(criteria), x=np.ascontiguousarray(x.T), at=at[rows], pair=overall.pair[rows],
        weight=overall.weight[rows], score=overall.score[rows], count=overall.count[rows],
        first=None if overall.first is None else overall.first[rows],
        clusters={name: codes[rows] for name, codes in overall.clusters.items()},
    )  # fmt: skip
    return design, rows


# -- how far two criteria go together --------------------------------------------------------------------------------


def go_together(one: Floats, two: Floats, cluster: Ints, clustering: Clustering, *, ties: bool = True) -> Figures:
    """`correlation` of two criteria, and `same`: the share of verdicts with one label on both.

    one, two : (n,) as in `Answers`, NaN where not asked; ties : whether a tie is a label in `same`, else left out
    The correlation is NaN where one of them is never anything but even.
    """
    both = np.isfinite(one) & np.isfinite(two)
    one, two, cluster = one[both], two[both], cluster[both]
    counted = np.ones(len(one)) if ties else ((one != 0) & (two != 0)).astype(np.float64)
    same = counted * (np.sign(one) == np.sign(two))
    sums = np.column_stack([one * two, one * one, two * two, same, counted])
    return estimate(_figures, sums, np.ones(len(one)), cluster, clustering, ("correlation", "same"),
                    ("coefficient", "share"))  # fmt: skip


def hold_together(
    judge: tuple[Floats, Floats, Ints], reference: tuple[Floats, Floats, Ints], clustering: Clustering
) -> Figures:
    """`correlation_judge`, `correlation_ref` and `difference` (judge less reference), jointly.

    judge, reference : two criteria and the clusters of each row, whose codes mean the same for both
    """
    parts, clusters = [], []
    for k, (one, two, cluster) in enumerate((judge, reference)):
        both = np.isfinite(one) & np.isfinite(two)
        sums = np.zeros((int(both.sum()), 6))
        one, two = one[both], two[both]
        sums[:, 3 * k : 3 * k + 3] = np.column_stack([one * two, one * one, two * two])
        parts.append(sums)
        clusters.append(cluster[both])
    sums = np.vstack(parts)
    return estimate(_two, sums, np.ones(len(sums)), np.concatenate(clusters), clustering,
                    ("correlation_judge", "correlation_ref", "difference"),
                    ("coefficient", "coefficient", "slope"))  # fmt: skip


def _figures(sums: NDArray[Any]) -> NDArray[Any]:
    return np.stack([_about_zero(sums[..., :3]), sums[..., 3] / sums[..., 4]], axis=-1)


def _two(sums: NDArray[Any]) -> NDArray[Any]:
    judge, reference = _about_zero(sums[..., :3]), _about_zero(sums[..., 3:])
    return np.stack([judge, reference, judge - reference], axis=-1)


def _about_zero(sums: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(sums[..., 0] / np.sqrt(sums[..., 1] * sums[..., 2]))
