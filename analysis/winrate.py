"""How often does each model win against a baseline?

The plain win rate is the weighted mean preference for the model, in percent; its interval is clustered by the rules of
`vcov`. Intervals are symmetric in log-odds (delta method), so that they stay within 0 and 100 and hold for rare wins
too (Agresti 2013, section 3.1); `se` is in percentage points.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.cells import Floats, Ints, dense_codes
from analysis.cluster_sums import firsts, numbered
from analysis.tables import floats, integers
from analysis.vcov import FEW_CLUSTERS, Clustering, Covariance, Quantiles, Term, find_heavy

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Duels:
    """One judge's judgments of models against one baseline, a row each.

    models : names, the index space of `model`
    model : (n,) which model met the baseline
    weight : (n,) > 0; score : (n,) weight * y, where y in [0, 1] is the preference for the model
    prompt, pair : (n,) codes of the instruction and of the two responses
    length : (n,) characters of the model's response minus the baseline's, NaN where a text is absent; None: none known
    first : (n,) +1 where the model was shown first, -1 where the baseline was, 0 unknown; None when not used
    clusters : codes by name, as in `Cells`; a negative code is a cluster of its own
    """

    models: tuple[str, ...]
    model: Ints
    weight: Floats
    score: Floats
    prompt: Ints
    pair: Ints
    length: Floats | None = None
    first: Floats | None = None
    clusters: Mapping[str, Ints] = field(default_factory=dict)

    def take(self, rows: Ints | Bools) -> Duels:
        """The chosen rows, over the same models."""
        return Duels(
            models=self.models,
            model=self.model[rows],
            weight=self.weight[rows],
            score=self.score[rows],
            prompt=self.prompt[rows],
            pair=self.pair[rows],
            length=None if self.length is None else self.length[rows],
            first=None if self.first is None else self.first[rows],
            clusters={name: codes[rows] for name, codes in self.clusters.items()},
        )

    @cached_property
    def rows(self) -> tuple[Ints, ...]:
        """The rows of each model, ascending."""
        order = np.argsort(self.model, kind="stable")
        ends = np.cumsum(np.bincount(self.model, minlength=len(self.models)))
        return tuple(np.split(order, ends[:-1]))


@dataclass(frozen=True)
class Way:
    """One way of clustering the rows. codes : (n,) 0..n_clusters-1; sign : -1 for an intersection"""

    name: str
    codes: Ints
    n_clusters: int
    sign: int = 1


def cluster_ways(duels: Duels, clustering: Clustering) -> tuple[Way, ...]:
    """The clusterings whose signed sum is the covariance; for `none` each row is a cluster."""
    if clustering.name == "none":
        return (Way("none", np.arange(len(duels.model)), len(duels.model)),)
    names = clustering.name.split("+")
    found = [(name, dense_codes([duels.clusters[name]])) for name in names]
    ways = [Way(name, codes.codes[0], codes.n_clusters) for name, codes in found]
    if len(ways) == 2:
        both = dense_codes([ways[0].codes * ways[1].n_clusters + ways[1].codes])
        ways.append(Way(" x ".join(names), both.codes[0], both.n_clusters, -1))
    return tuple(ways)


@dataclass(frozen=True)
class Deleted:
    """Which clusters of one model are deleted one at a time, by the rules of `vcov`.

    clusters : (n_own,) the clusters the model's rows are in, ascending; code : (n_rows,) each row's place there
    deleted : places in `clusters`; effective : see `Term`
    """

    clusters: Ints
    code: Ints
    deleted: Ints
    effective: float

    @property
    def n_clusters(self) -> int:
        return len(self.clusters)

    @property
    def few(self) -> bool:
        return self.n_clusters < FEW_CLUSTERS


def find_deleted(codes: Ints, weight: Floats, way: Way) -> Deleted:
    """The clusters of one model's rows: all of them deleted below 50, else those with more than 5 % of the weight."""
    code, n = numbered(codes)
    clusters = codes[firsts(code, n)]
    if way.name == "none":
        return Deleted(clusters, code, np.zeros(0, dtype=np.int64), float(n))
    deleted, effective = find_heavy(np.bincount(code, weight, n))
    return Deleted(clusters, code, deleted, float(effective))


def make_term(way: Way, found: Deleted, influence: Floats, replicates: Floats, elsewhere: Floats | None = None) -> Term:
    """The term of one model's estimates.

    influence : (n_own, k) sums over the model's clusters; replicates : (n_deleted, k) estimates without a cluster
    elsewhere : (k, k) sum of outer products of the influence of clusters in which the model has no row
    """
    n = found.n_clusters
    if way.name == "none":
        # Independent rows: as many clusters as rows, and normal quantiles however few.
        return Term("none", 0, 1, np.inf, np.empty((0, influence.shape[1])), n / (n - 1) * influence.T @ influence)
    kept = np.delete(influence, found.deleted, axis=0) if len(found.deleted) else influence
    linear = kept.T @ kept
    if elsewhere is not None:
        linear = linear + elsewhere
    return Term(way.name, n, way.sign, found.effective, replicates, n / (n - 1) * linear)


@dataclass(frozen=True)
class WinRates:
    """Plain win rates against the baseline.

    models : names; rate : (n_models,) in [0, 1]; judgments, prompts : (n_models,)
    covariance : of each model's rate, None where there is no interval; reasons : why not, by model
    """

    models: tuple[str, ...]
    rate: Floats
    judgments: Ints
    prompts: Ints
    covariance: tuple[Covariance | None, ...]
    reasons: Mapping[str, str]

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """One row a model, best first: model, win_rate, se, lower, upper (percent), judgments, prompts."""
        bounds = [logit_bounds(c, level) for c in self.covariance]
        table = pd.DataFrame(
            {
                "model": list(self.models),
                "win_rate": floats(100 * self.rate),
                "se": floats([None if c is None else 100 * float(c.se[0]) for c in self.covariance]),
                "lower": floats([low for low, _ in bounds]),
                "upper": floats([high for _, high in bounds]),
                "judgments": integers([int(n) for n in self.judgments]),
                "prompts": integers([int(n) for n in self.prompts]),
            }
        )
        order = sorted(range(len(table)), key=lambda k: (-self.rate[k], self.models[k]))
        return table.iloc[order].reset_index(drop=True)


def logit_bounds(covariance: Covariance | None, level: float, part: int = 0) -> tuple[float | None, float | None]:
    """The interval of a rate in percent, symmetric in log-odds; (None, None) where undefined."""
    if covariance is None:
        return None, None
    rate, se = float(covariance.estimate[part]), float(covariance.se[part])
    return logit_interval(rate, se, covariance.quantiles, level)


def logit_interval(
    rate: float, se: float, quantiles: Quantiles, level: float = 0.95
) -> tuple[float | None, float | None]:
    """Bounds in percent of a rate in (0, 1), symmetric in log-odds; None where they are undefined."""
    if not 0 < rate < 1 or not np.isfinite(se):
        return None, None
    half = quantiles.two_sided(level) * se / (rate * (1 - rate))
    odds = np.log(rate) - np.log1p(-rate)
    # Beyond 700 the exponential overflows; 1 / (1 + e^700) is 0 in any print.
    low, high = (float(1 / (1 + np.exp(-np.clip(odds + step, -700, 700)))) for step in (-half, half))
    return 100 * low, 100 * high


def extreme(score: float, weight: float) -> bool:
    """Whether a sum of preferences is that of wins only, or of losses only, but for rounding."""
    return score <= 1e-12 * weight or weight - score <= 1e-12 * weight


def win_rates(duels: Duels, clustering: Clustering) -> WinRates:
    """The weighted mean preference for each model, with its clustered covariance.

    Models without a row are left out. A rate of 0 or 100, or rows from a single cluster, have no interval.
    """
    ways = cluster_ways(duels, clustering)
    names: list[str] = []
    rates: list[float] = []
    judgments: list[int] = []
    prompts: list[int] = []
    covariances: list[Covariance | None] = []
    reasons: dict[str, str] = {}
    for name, rows in zip(duels.models, duels.rows, strict=True):
        if not len(rows):
            continue
        weight, score = duels.weight[rows], duels.score[rows]
        total = float(weight.sum())
        rate = min(max(float(score.sum()) / total, 0.0), 1.0)
        names.append(name)
        rates.append(rate)
        judgments.append(len(rows))
        prompts.append(len(np.unique(duels.prompt[rows])))
        reason = no_interval(ways, rows, score, weight)
        if reason is not None:
            reasons[name] = reason
            covariances.append(None)
            continue
        terms = []
        for way in ways:
            found = find_deleted(way.codes[rows], weight, way)
            w, s = (np.bincount(found.code, part, found.n_clusters) for part in (weight, score))
            influence = (s - w * rate) / total
            without = (score.sum() - s[found.deleted]) / (total - w[found.deleted])
            terms.append(make_term(way, found, influence[:, None], without[:, None]))
        covariances.append(Covariance(clustering, np.array([rate]), tuple(terms)))
    return WinRates(
        models=tuple(names),
        rate=np.array(rates),
        judgments=np.array(judgments, dtype=np.int64),
        prompts=np.array(prompts, dtype=np.int64),
        covariance=tuple(covariances),
        reasons=reasons,
    )


def no_interval(ways: Sequence[Way], rows: Ints, score: Floats, weight: Floats) -> str | None:
    """Why a model's rate has no interval, or None. score, weight : (n_rows,) of its rows"""
    total, mass = float(score.sum()), float(weight.sum())
    if extreme(total, mass):
        side = "lost" if total < mass / 2 else "won"
        return f"{side} every judgment"
    for way in ways:
        if way.sign > 0 and not bool((way.codes[rows] != way.codes[rows[0]]).any()):
            what = "judgment" if way.name == "none" else way.name
            return f"all judgments share one {what}"
    if float(np.ptp(score / weight)) < 1e-12:
        said = "are ties" if abs(total / mass - 0.5) < 1e-12 else "say the same"
        return f"all judgments {said}, which tells nothing about chance"
    return None


def method(covariances: Iterable[Covariance | None]) -> str:
    """What the intervals are, for a caption: one description, or the range of cluster counts of many."""
    known = [c for c in covariances if c is not None]
    said = list(dict.fromkeys(c.method for c in known))
    if len(said) <= 1:
        return "".join(said)
    counts = sorted({c.n_clusters for c in known})
    way = known[0].clustering.name.replace("+", " and ")
    rule = "CR1, normal quantiles, from 50 clusters; jackknife (CR3), t, below"
    if counts[0] >= FEW_CLUSTERS:
        plain = all(c.quantiles.df is None for c in known)
        rule = "CR1, normal quantiles" if plain else "CR1; heavy clusters by jackknife, t quantiles"
    elif counts[-1] < FEW_CLUSTERS:
        rule = "jackknife, CR3; t quantiles"
    return f"clustered by {way}, {counts[0]} to {counts[-1]} clusters a model ({rule})"
