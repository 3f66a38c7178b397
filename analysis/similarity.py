"""How alike are judges: in what moves them, in what they say, in whom they place first? A matrix of judge by judge.

By weights: Pearson's correlation of two judges' weights of the same factors (Li et al. 2024, arXiv 2402.11296, who take
its mean over scenarios). By verdicts: the share of shared pairs on which both say the same. By strengths: Spearman's
rho of two rankings, or their rank-biased overlap (Webber, Moffat and Zobel 2010, ACM TOIS 28:4).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.cells import Floats, Ints
from analysis.cluster_sums import numbered
from analysis.rank_correlation import spearman
from analysis.ratios import find_ways
from analysis.tables import floats, integers
from analysis.vcov import Clustering, Covariance, Term
from analysis.winrate import Way, find_deleted, logit_interval, make_term

LEAST = 3
"""Factors, or models, that two judges must share: a correlation of two points is always 1 or -1."""

PERSISTENCE = 0.9
"""p of rank-biased overlap: the chance to look one place further down. The first ten places then weigh 86 %."""

DEEP = 300
"""Places that are looked at: those below weigh less than 1e-13 together at p = .9."""

CLOSE = 1e-9
"""Share of the range of strengths, or of a unit of preference, below which a difference is rounding."""


@dataclass(frozen=True)
class Similarity:
    """Judges against judges.

    value : (n, n) in [-1, 1], symmetric with 1 on the diagonal; NaN where undefined, `reasons` then says why
    n : (n, n) what stands behind a cell: weights compared, shared pairs, or shared models; of a mean, of all scenarios
    places : (n, n) scenarios of which a cell is the mean; None where it is of all together
    covariance : by (row, column), row < column, where a cell has an interval
    """

    judges: tuple[str, ...]
    value: Floats
    n: Ints
    reasons: Mapping[tuple[int, int], str]
    places: Ints | None = None
    covariance: Mapping[tuple[int, int], Covariance] = field(default_factory=dict)

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """One row a pair of judges: judge_1, judge_2, similarity, lower, upper, n, scenarios (of a mean), note."""
        one, two = np.triu_indices(len(self.judges), 1)
        lower, upper = np.full((2, len(one)), np.nan)
        at = {cell: k for k, cell in enumerate(zip(one.tolist(), two.tolist(), strict=True))}
        for cell, covariance in self.covariance.items():
            # Of shares: symmetric in log-odds, as linear ones hold in .90 of data sets where judges agree in .92.
            share, se = float(self.value[cell]), float(covariance.known_se[0])
            low, high = logit_interval(share, se, covariance.quantiles, level)
            if low is not None and high is not None:
                lower[at[cell]], upper[at[cell]] = low / 100, high / 100
        table = pd.DataFrame(
            {
                "judge_1": [self.judges[k] for k in one], "judge_2": [self.judges[k] for k in two],
                "similarity": floats(self.value[one, two]), "lower": floats(lower), "upper": floats(upper),
                "n": integers(self.n[one, two].tolist()),
            }
        )  # fmt: skip
        if self.places is not None:
            table["scenarios"] = integers(self.places[one, two].tolist())
        if self.reasons:
            table["note"] = [self.reasons.get(cell) for cell in at]
        return table


def mean_of(judges: Sequence[str], parts: Sequence[tuple[Floats, Ints]], why: str) -> Similarity:
    """The mean over scenarios in which a cell is defined. parts : of each scenario (value, n), each (n, n)

    why : the reason where there is no such scenario
    """
    values, counts = np.stack([value for value, _ in parts]), np.stack([n for _, n in parts])
    known = np.isfinite(values)
    places = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    value = np.where(places > 0, total / np.maximum(places, 1), np.nan)
    return _finished(judges, value, np.where(known, counts, 0).sum(axis=0), lambda i, j: why, places)


def _finished(
    judges: Sequence[str], value: Floats, n: Ints, why: Callable[[int, int], str], places: Ints | None = None,
    covariance: Mapping[tuple[int, int], Covariance] | None = None,
) -> Similarity:  # fmt: skip
    value = np.asarray((value + value.T) / 2)
    np.fill_diagonal(value, 1.0)
    rows = np.argwhere(np.triu(~np.isfinite(value), 1)).tolist()
    reasons = {(i, j): why(i, j) for i, j in rows}
    return Similarity(tuple(judges), value, n, reasons, places, covariance or {})


# -- weights ----------------------------------------------------------------------------------------------------------


def correlate(weights: Floats) -> tuple[Floats, Ints]:
    """Pearson's r of each pair of rows over the columns that both have, and how many those are.

    weights : (n_judges, n_factors), NaN where a judge has none; r is NaN with fewer than three, or a constant row
    """
    known = np.isfinite(weights)
    count = known.sum(axis=1, keepdims=True)
    # r does not change by what is taken off a row, and sums of what is near its mean lose no digits.
    centre = np.where(known, weights, 0.0).sum(axis=1, keepdims=True) / np.maximum(count, 1)
    x = np.where(known, weights - centre, 0.0)
    there = known.astype(np.float64)
    n = there @ there.T
    some = np.maximum(n, 1.0)
    total = x @ there.T  # of row i, over what row j has too
    square = (x * x) @ there.T
    spread = square - total**2 / some
    product = x @ x.T - total * total.T / some
    defined = (n >= LEAST) & (spread > 1e-12 * square) & (spread > 0)
    defined &= defined.T
    r = product / np.sqrt(np.where(defined, spread * spread.T, 1.0))
    return np.where(defined, np.clip(r, -1.0, 1.0), np.nan), n.astype(np.int64)


def similarity_of_weights(judges: Sequence[str], weights: Floats) -> Similarity:
    """Mean over scenarios of Pearson's r. weights : (n_scenarios, n_judges, n_factors), NaN where there is none"""
    parts = [correlate(one) for one in weights]
    return mean_of(judges, parts, f"in no scenario do both have {LEAST} factors in common whose weights differ")


def similarity_of_means(judges: Sequence[str], weights: Floats) -> Similarity:
    """Pearson's r of each judge's weights, those of a factor averaged over its scenarios first. weights : as above"""
    known = np.isfinite(weights)
    places = known.sum(axis=0)
    mean = np.where(places > 0, np.where(known, weights, 0.0).sum(axis=0) / np.maximum(places, 1), np.nan)
    r, n = correlate(mean)
    return _finished(judges, r, n, lambda i, j: f"they have fewer than {LEAST} factors in common whose weights differ")


# -- verdicts ---------------------------------------------------------------------------------------------------------

ABSENT, FIRST, SECOND, TIE = 0, 1, 2, 3


@dataclass(frozen=True)
class Verdicts:
    """What each judge says of each pair.

    label : (n_judges, n_pairs) ABSENT, FIRST, SECOND or TIE
    clusters : (n_pairs,) codes by name; scenario : (n_pairs,) 0.., or -1 where none is known
    """

    label: NDArray[np.int8]
    clusters: Mapping[str, Ints]
    scenario: Ints


def label_verdicts(p_a: Floats) -> NDArray[np.int8]:
    """A mean preference as a label; NaN is absent, .5 a tie."""
    said = np.where(p_a > 0.5 + CLOSE, FIRST, np.where(p_a < 0.5 - CLOSE, SECOND, TIE))
    return np.where(np.isfinite(p_a), said, ABSENT).astype(np.int8)


def similarity_of_verdicts(
    judges: Sequence[str], verdicts: Verdicts, clustering: Clustering, *, ties: bool = True, by_scenario: bool = False,
    report: Callable[[float], None] = lambda share: None,
) -> Similarity:  # fmt: skip
    """Share of shared pairs on which two judges say the same, with its covariance by the rules of `vcov`.

    ties : whether a tie is a label of its own; else pairs are left out on which either says so
    by_scenario : the mean of the shares in each scenario, pairs without one left out
    """
    label = verdicts.label if ties else np.where(verdicts.label == TIE, ABSENT, verdicts.label)
    rows = np.arange(label.shape[1]) if not by_scenario else np.flatnonzero(verdicts.scenario >= 0)
    label = label[:, rows]
    scenario = verdicts.scenario[rows] if by_scenario else np.zeros(len(rows), dtype=np.int64)
    ways = find_ways({name: codes[rows] for name, codes in verdicts.clusters.items()}, clustering, len(rows))
    n_judges = len(judges)
    value, n, places = np.full((n_judges, n_judges), np.nan), *np.zeros((2, n_judges, n_judges), dtype=np.int64)
    found: dict[tuple[int, int], Covariance] = {}
    for i in range(n_judges):
        report(i / n_judges)
        n[i, i] = int((label[i] != ABSENT).sum())
        places[i, i] = numbered(scenario[label[i] != ABSENT])[1]
        for j in range(i + 1, n_judges):
            both = np.flatnonzero((label[i] != ABSENT) & (label[j] != ABSENT))
            n[i, j] = n[j, i] = len(both)
            if not len(both):
                continue
            same = (label[i, both] == label[j, both]).astype(np.float64)
            code, n_scenarios = numbered(scenario[both])
            places[i, j] = places[j, i] = n_scenarios
            value[i, j] = value[j, i] = _mean_share(same, code)
            covariance = _covariance(same, code, ways, both, clustering)
            if covariance is not None:
                found[i, j] = covariance
    why = "they share no pair" + ("" if ties else " of which neither says that it is a tie")
    return _finished(judges, value, n, lambda i, j: why, places if by_scenario else None, found)


def _mean_share(same: Floats, code: Ints) -> float:
    """Mean over scenarios of the mean in each."""
    return float((np.bincount(code, same) / np.bincount(code)).mean())


def _covariance(
    same: Floats, code: Ints, ways: Sequence[Way], rows: Ints, clustering: Clustering
) -> Covariance | None:
    """Of the mean of shares; None with a single cluster. rows : places of these pairs among all"""
    n = np.bincount(code).astype(np.float64)
    hits = np.bincount(code, same).astype(np.float64)
    share = hits / n
    influence = (same - share[code]) / (n[code] * len(n))
    value = np.array([share.mean()])
    terms: list[Term] = []
    for way in ways:
        found = find_deleted(way.codes[rows], np.ones(len(rows)), way)
        if found.n_clusters < 2:
            return None
        moved = np.bincount(found.code, influence, found.n_clusters).astype(np.float64)
        terms.append(make_term(way, found, moved[:, None], _without(same, code, hits, n, found.code, found.deleted)))
    return Covariance(clustering, value, tuple(terms))


def _without(same: Floats, code: Ints, hits: Floats, n: Floats, cluster: Ints, deleted: Ints) -> Floats:
    """(n_deleted, 1) the mean of shares without one cluster; a scenario that is gone with it is not counted."""
    if not len(deleted):
        return np.zeros((0, 1))
    place = np.full(int(cluster.max()) + 1, -1, dtype=np.int64)
    place[deleted] = np.arange(len(deleted))
    mine = np.flatnonzero(place[cluster] >= 0)
    cell = place[cluster[mine]] * len(n) + code[mine]
    size = len(deleted) * len(n)
    gone = np.bincount(cell, minlength=size).reshape(len(deleted), -1)
    gone_hits = np.bincount(cell, same[mine], size).reshape(len(deleted), -1)
    left = n - gone
    shares = np.where(left > 0, (hits - gone_hits) / np.maximum(left, 1.0), 0.0)
    return np.asarray(shares.sum(axis=1) / (left > 0).sum(axis=1))[:, None]


# -- strengths --------------------------------------------------------------------------------------------------------


def compare_rankings(strengths: Floats, measure: str) -> tuple[Floats, Ints]:
    """Spearman's rho or rank-biased overlap of each pair of rows over the models that both have, and how many.

    strengths : (n_judges, n_models), NaN where a judge has none; measure : spearman or rbo
    """
    known = np.isfinite(strengths)
    n = known.astype(np.int64) @ known.astype(np.int64).T
    value = np.full(n.shape, np.nan)
    for i in range(len(strengths)):
        for j in range(i + 1, len(strengths)):
            if n[i, j] < LEAST:
                continue
            both = known[i] & known[j]
            one, two = _levelled(strengths[i, both]), _levelled(strengths[j, both])
            found = overlap(one, two) if measure == "rbo" else float(spearman(one[None], two[None])[0])
            value[i, j] = value[j, i] = found
    return value, n


def similarity_of_strengths(judges: Sequence[str], strengths: Floats, measure: str) -> Similarity:
    """As `compare_rankings`. strengths : (n_judges, n_models)"""
    value, n = compare_rankings(strengths, measure)
    return _finished(judges, value, n, lambda i, j: _few_models(int(n[i, j])))


def mean_of_strengths(judges: Sequence[str], strengths: Floats, measure: str) -> Similarity:
    """The mean over scenarios. strengths : (n_scenarios, n_judges, n_models)"""
    parts = [compare_rankings(one, measure) for one in strengths]
    return mean_of(judges, parts, f"in no scenario do both place {LEAST} models in common")


def _few_models(n: int) -> str:
    if n >= LEAST:
        return "one of them places all models alike"
    return f"they place {('no model', 'one model', 'two models')[n]} in common, and {LEAST} are needed"


def _levelled(strength: Floats) -> Floats:
    """Strengths of which those that differ by rounding are equal."""
    step = CLOSE * float(np.ptp(strength))
    if step <= 0:
        return np.zeros(len(strength))
    order = np.argsort(strength, kind="stable")
    level = np.cumsum(np.diff(strength[order], prepend=strength[order[0]]) > step)
    out = np.empty(len(strength))
    out[order] = level
    return out


def overlap(one: Floats, two: Floats, p: float = PERSISTENCE) -> float:
    """Rank-biased overlap of two rankings of the same things, higher values first; in [0, 1].

    RBO_EXT of Webber, Moffat and Zobel (2010), equation 32: A_k p^k + (1 - p)/p sum_{d=1}^{k} A_d p^d, where A_d is the
    agreement at depth d. Equal values share the first place of their group and so enter at once: A_d = 2 X_d /
    (|S_d| + |T_d|), X_d of the S_d and T_d placed at d or above in common (their section 4.1). Over the same
    things A_k is 1.
    """
    k = min(len(one), DEEP)
    places = [_places(values) for values in (one, two)]
    inside = [np.cumsum(np.bincount(place, minlength=len(one) + 1)[1:])[:k] for place in places]
    common = np.cumsum(np.bincount(np.maximum(*places), minlength=len(one) + 1)[1:])[:k]
    agreement = 2 * common / (inside[0] + inside[1])
    weight = p ** np.arange(1, k + 1)
    return float(agreement[-1] * p**k + (1 - p) / p * (agreement @ weight))


def overlap_by_chance(n: int, p: float = PERSISTENCE) -> float:
    """The mean of `overlap` over all orders of n things: at depth d they agree on d/n."""
    k = min(n, DEEP)
    depth = np.arange(1, k + 1)
    return float(k / n * p**k + (1 - p) / p * (depth / n @ p**depth))


def _places(values: Floats) -> NDArray[Any]:
    """1 for the highest; equal values have the first place of their group."""
    ordered = np.sort(-values)
    return np.searchsorted(ordered, -values, side="left") + 1
