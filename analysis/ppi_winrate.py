"""How often would people prefer a model, had they judged all the pairs that an LLM judged, and what is it worth there?

Prediction-powered inference with power tuning for a mean (PPI++; Angelopoulos, Duchi and Zrnic 2023): of the pairs of a
model (with another one, or with all)

    corrected = people - lambda * (judge, labelled - judge, unlabelled),

each a mean preference for the model over pairs. Where labelled pairs are a fair sample of all, the bracket is 0 in
expectation. lambda in [0, 1] minimises the variance; as in `ppi` it is chosen with pairs taken as independent where
people's votes come from fewer than 50 clusters, it leaves the model half of its wins and losses in people's votes, and
intervals keep it fixed. They follow the rules of `vcov`, for clusters with people's votes and for those without.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.cells import Floats, Ints
from analysis.cluster_sums import Figures
from analysis.judged_pairs import JudgedPairs
from analysis.ppi_scores import Kind, find_kind
from analysis.tables import floats, integers
from analysis.vcov import FEW_CLUSTERS, Clustering

LEAST = 20
"""Labelled pairs of two models from which on they have a row, and of any row from which on a gain is given."""

MASKED = 60
"""Models whose win rates are held against themselves in the masking experiment."""

MOST = 2_000
"""Pairs of models at most, those with most labelled pairs."""

NAN = float("nan")


@dataclass(frozen=True)
class WinRate:
    """One win rate, shares from 0 to 1. against : None for all that the model met

    corrected : value, lower, upper, NaN without unlabelled pairs; classical : people alone, likewise; naive : the judge
    alone on all pairs; share : lambda; gain : variance of people alone / of the corrected one; potential : the gain
    with infinitely many unlabelled pairs, at most; clusters : with people's votes
    """

    model: str
    against: str | None
    corrected: tuple[float, float, float]
    classical: tuple[float, float, float]
    naive: float
    share: float
    gain: float
    potential: float
    labelled: int
    unlabelled: int
    clusters: int

    @property
    def worth(self) -> float:
        """As how many more pairs with people's votes the judge's verdicts count."""
        return self.labelled * (self.gain - 1)


@dataclass(frozen=True)
class Sums:
    """What pairs add to the means, one row a cluster: (n_clusters, 6) score and weight of people, of the judge on
    labelled and on unlabelled pairs; mass : (n_clusters, 2) labelled and unlabelled pairs' weight"""

    parts: Floats
    mass: Floats

    def by(self, codes: Ints) -> Sums:
        code = np.unique(codes, return_inverse=True)[1] if len(codes) else codes
        n = int(code.max(initial=-1)) + 1
        parts, mass = (
            np.column_stack([np.bincount(code, column, n).astype(np.float64) for column in table.T])
            for table in (self.parts, self.mass)
        )
        return Sums(parts, mass)

    def influence(self) -> tuple[Floats, Floats, Floats]:
        """(n_clusters,) each: by how much people's mean, the judge's on labelled and on unlabelled pairs hang on it."""
        total = self.parts.sum(axis=0)
        found = []
        for k in (0, 2, 4):
            score, weight = self.parts[:, k], self.parts[:, k + 1]
            there = total[k + 1] > 0
            found.append((score - total[k] / total[k + 1] * weight) / total[k + 1] if there else np.zeros(len(score)))
        return found[0], found[1], found[2]


def corrected_winrates(
    pairs: JudgedPairs, clustering: Clustering, level: float = 0.95, *, each: bool = True,
    among: Sequence[str] | None = None,
) -> list[WinRate]:  # fmt: skip
    """The win rate of each model against all that it met, then of each against each with 20 labelled pairs or more.

    each : whether those of two models are asked for; among : the models whose rate against all is, None: all

    Models without people's votes have none. Of two models both directions are given.
    """
    met = np.zeros(len(pairs.models), dtype=bool)
    met[pairs.a[pairs.labelled]] = met[pairs.b[pairs.labelled]] = True
    if among is not None:
        met &= np.isin(pairs.models, among)
    rows = [_one(pairs, clustering, level, int(k), None) for k in np.flatnonzero(met)]
    return [*rows, *(_one(pairs, clustering, level, i, j) for i, j in (_often(pairs) if each else []))]


def mask_winrates(
    pairs: JudgedPairs, share: float, rng: np.random.Generator, *, splits: int = 50, level: float = 0.95,
    report: Callable[[float], None] = lambda share: None,
) -> pd.DataFrame:  # fmt: skip
    """Hide people's votes on a share of their pairs, and hold the rest against the win rates of all of their votes.

    Columns: method (corrected, classical, naive), rmse and width (percentage points), coverage (share of 1; missing for
    naive), winrates (how many were compared). As in `masking` single pairs are hidden and intervals are by pair. Of
    more than 60 models those with most votes.
    """
    every = {one.model: one for one in corrected_winrates(pairs, Clustering("pair"), level, each=False)}
    names = sorted(every, key=lambda name: -every[name].labelled)[:MASKED]
    labelled = np.flatnonzero(pairs.labelled)
    n_hidden = min(max(round(share * len(labelled)), 1), len(labelled) - 1)
    away: list[list[float]] = [[], [], []]
    width: list[list[float]] = [[], [], []]
    held: list[list[float]] = [[], [], []]
    for split in range(splits):
        report(split / splits)
        hidden = np.zeros(len(pairs), dtype=bool)
        hidden[rng.permutation(labelled)[:n_hidden]] = True
        left = pairs.hide(hidden)
        for one in corrected_winrates(left, Clustering("pair"), level, each=False, among=names):
            if np.isnan(one.corrected[0]):
                continue
            target = every[one.model].classical[0]
            for k, (value, low, high) in enumerate((one.corrected, one.classical, (one.naive, NAN, NAN))):
                away[k].append(value - target)
                if low == low:
                    width[k].append(high - low)
                    held[k].append(float(low <= target <= high))
    report(1.0)

    def mean(parts: list[float], scale: float = 1.0) -> float | None:
        return scale * float(np.mean(parts)) if parts else None

    return pd.DataFrame({
        "method": pd.Series(["corrected", "classical", "naive"], dtype=object),
        "rmse": floats([None if not part else 100 * float(np.sqrt(np.mean(np.square(part)))) for part in away]),
        "width": floats([mean(part, 100) for part in width]), "coverage": floats([mean(part) for part in held]),
        "winrates": integers([len(part) for part in away]),
    })  # fmt: skip


def _often(pairs: JudgedPairs) -> list[tuple[int, int]]:
    m = len(pairs.models)
    a, b = (np.asarray(side[pairs.labelled], dtype=np.int64) for side in (pairs.a, pairs.b))
    key, n = np.unique(np.minimum(a, b) * m + np.maximum(a, b), return_counts=True)
    some = np.flatnonzero(n >= LEAST)
    some = np.sort(some[np.argsort(-n[some], kind="stable")[:MOST]])
    both = [(int(k // m), int(k % m)) for k in key[some]]
    return sorted([*both, *((j, i) for i, j in both)])


def _one(pairs: JudgedPairs, clustering: Clustering, level: float, model: int, other: int | None) -> WinRate:
    as_a, as_b = pairs.a == model, pairs.b == model
    if other is not None:
        as_a, as_b = as_a & (pairs.b == other), as_b & (pairs.a == other)
    rows = np.flatnonzero(as_a | as_b)
    some, turned = pairs.take(rows), as_b[rows]
    sums, labelled = _sums(some, turned), int(some.labelled.sum())
    single = np.arange(len(some))
    by = some.codes("pair" if clustering.name == "none" else clustering.name)
    found = estimate(sums, by, single, level, labelled)
    total = sums.parts.sum(axis=0)
    naive = _ratio(total[2] + total[4], total[3] + total[5])
    return WinRate(
        pairs.models[model], None if other is None else pairs.models[other], found.corrected, found.classical, naive,
        found.share, found.gain, found.potential, labelled, len(some) - labelled, found.clusters,
    )  # fmt: skip


def _sums(pairs: JudgedPairs, turned: NDArray[np.bool_]) -> Sums:
    labelled, weight = pairs.labelled, pairs.weight

    def oriented(share: Floats, score: Floats, some: NDArray[np.bool_]) -> list[Floats]:
        count, won = (np.where(some, weight * part, 0.0) for part in (share, score))
        return [np.where(turned, count - won, won), count]

    parts = [
        *oriented(pairs.human_weight, pairs.human_score, labelled),
        *oriented(pairs.judge_weight, pairs.judge_score, labelled),
        *oriented(pairs.judge_weight, pairs.judge_score, ~labelled),
    ]
    mass = np.column_stack([np.where(labelled, weight, 0.0), np.where(labelled, 0.0, weight)])
    return Sums(np.column_stack(parts), mass)


@dataclass(frozen=True)
class Estimated:
    """See `WinRate`."""

    corrected: tuple[float, float, float]
    classical: tuple[float, float, float]
    share: float
    gain: float
    potential: float
    clusters: int


def estimate(sums: Sums, by: Ints, single: Ints, level: float, labelled: int) -> Estimated:
    """One mean. sums : a row a pair; by, single : (n_pairs,) codes of clusters, and of pairs alone"""
    clustered, alone = sums.by(by), sums.by(single)
    kinds = [find_kind(mass) for mass in clustered.mass.T]
    few = kinds[0].n_clusters < FEW_CLUSTERS
    apart = alone if few else clustered
    usable = kinds[1].n_clusters > 1 and sums.parts[:, [1, 3, 5]].sum(axis=0).min() > 0
    share = _share(apart) if usable else NAN
    classical, ends = _interval(clustered, 0.0, kinds, level)
    corrected, better = _interval(clustered, share, kinds, level) if usable else (NAN, (NAN, NAN))
    gain = NAN
    if usable and labelled >= LEAST:
        # The ratio of two variances of a dozen clusters is mostly their noise.
        of = [find_kind(mass) for mass in apart.mass.T]
        gain = _ratio(_variance(apart, 0.0, of)[0], _variance(apart, share, of)[0])
    return Estimated(
        (corrected, *better), (classical, *ends), share, gain, _potential(alone) if labelled >= LEAST else NAN,
        kinds[0].n_clusters,
    )  # fmt: skip


def _share(sums: Sums) -> float:
    """lambda at which the variance is least, within what leaves half of the wins and losses in people's votes."""
    human, seen, unseen = sums.influence()
    away = seen - unseen
    spread = float(away @ away)
    wanted = float(human @ away) / spread if spread > 0 else 0.0
    total = sums.parts.sum(axis=0)
    people, bracket = total[0] / total[1], total[2] / total[3] - total[4] / total[5]
    room = people if bracket > 0 else 1 - people
    most = room / 2 / abs(bracket) if bracket else 1.0
    return min(max(wanted, 0.0), most, 1.0)


def _value(total: Floats, share: float) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        found = total[..., 0] / total[..., 1]
        if share > 0:
            found = found - share * (total[..., 2] / total[..., 3] - total[..., 4] / total[..., 5])
    return np.asarray(found)


def _variance(sums: Sums, share: float, kinds: Sequence[Kind]) -> tuple[float, float]:
    """The variance at a fixed lambda, and its degrees of freedom; NaN with fewer than two clusters of people's."""
    labelled, unlabelled = kinds
    n = labelled.n_clusters
    if n < 2:
        return NAN, NAN
    human, seen, unseen = sums.influence()
    deleted = np.union1d(labelled.deleted, unlabelled.deleted if share > 0 else labelled.deleted)
    total = sums.parts.sum(axis=0)
    away = _value(total - sums.parts[deleted], share) - _value(total, share)
    rest = human - share * (seen - unseen)
    rest[deleted] = 0.0
    variance = float(rest @ rest) * n / (n - 1) + (n - 1) / n * float(away @ away)
    if not len(deleted):
        return variance, np.inf
    parts = [float(np.sum((human - share * seen) ** 2)), float(np.sum((share * unseen) ** 2))]
    if not sum(parts) > 0:
        return variance, labelled.freedom
    doubt = sum(part / sum(parts) / np.sqrt(kind.freedom) for part, kind in zip(parts, kinds, strict=True))
    return variance, min(round(float(doubt) ** -2, 9) if doubt > 1e-3 else np.inf, 1e6)


def _interval(sums: Sums, share: float, kinds: Sequence[Kind], level: float) -> tuple[float, tuple[float, float]]:
    """The mean and its interval, symmetric in log-odds."""
    value = float(_value(sums.parts.sum(axis=0), share))
    variance, freedom = _variance(sums, share, kinds)
    n = kinds[0].n_clusters
    found = Figures(("x",), ("share",), np.array([value]), np.sqrt([variance]), np.array([freedom]), np.array([n]),
                    np.zeros(1), np.array([n]))  # fmt: skip
    lower, upper = found.interval(level)
    return value, (float(lower[0]), float(upper[0]))


def _potential(sums: Sums) -> float:
    """1 / (1 - rho^2) for lambda in [0, 1]: the most that further verdicts of the judge are worth."""
    human, seen, _ = sums.influence()
    hh, hj, jj = float(human @ human), float(human @ seen), float(seen @ seen)
    share = min(max(hj / jj, 0.0), 1.0) if jj > 0 else 0.0
    return _ratio(hh, hh - 2 * share * hj + share**2 * jj)


def _ratio(one: float, two: float) -> float:
    return float(one / two) if two > 0 else NAN


def winrate_table(found: Sequence[WinRate]) -> pd.DataFrame:
    """One row a win rate, in percent.

    Columns: model, against (missing: all that it met); corrected, lower, upper; classical, classical_lower,
    classical_upper; naive; lambda, gain, worth, potential_gain; labelled, unlabelled (pairs), clusters.
    """
    out: dict[str, pd.Series] = {
        "model": pd.Series([one.model for one in found], dtype=object),
        "against": pd.Series([one.against for one in found], dtype=object),
    }
    for k, end in enumerate(("", "lower", "upper")):
        out[end or "corrected"] = floats([100 * one.corrected[k] for one in found])
    for k, end in enumerate(("", "_lower", "_upper")):
        out[f"classical{end}"] = floats([100 * one.classical[k] for one in found])
    out["naive"] = floats([100 * one.naive for one in found])
    for name, field in (("lambda", "share"), ("gain", "gain"), ("worth", "worth"), ("potential_gain", "potential")):
        out[name] = floats([getattr(one, field) for one in found])
    for name in ("labelled", "unlabelled", "clusters"):
        out[name] = integers([getattr(one, name) for one in found])
    return pd.DataFrame(out)
