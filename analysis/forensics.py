"""How often does a factor agree with the verdict? Each factor takes the side that has more of it, like a judge.

The metrics of Feedback Forensics (Findeis et al. 2025). Of all votes, a factor's vote is valid where the two answers
differ in it and the judge prefers one of them:

    relevance = valid / all,   accuracy = agreeing / valid (.5 where none is valid),
    kappa = 2 (accuracy - .5),   strength = kappa * relevance = (agreeing - disagreeing) / all

Nothing is held equal: a strength is about the factor and all that goes with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.cells import Floats, Ints
from analysis.multiple import adjust_bh
from analysis.ratios import find_ways
from analysis.tables import floats
from analysis.vcov import Clustering, Covariance, Term
from analysis.winrate import Way, find_deleted, make_term

RESAMPLES = 100
"""As published."""

GROUPS = 16_384
"""Up to so many pairs each is drawn by itself; of more, random groups of them, whose sums vary as much."""


@dataclass(frozen=True)
class Resamples:
    """Pairs drawn with replacement, the same for all judges and factors.

    group : (n_pairs,) what each pair is drawn with; times : (n_resamples, n_groups) how often
    """

    group: Ints
    times: NDArray[Any]


def draw_pairs(n_pairs: int, rng: np.random.Generator, resamples: int = RESAMPLES) -> Resamples:
    """Resamples of as many pairs as there are."""
    n = min(n_pairs, GROUPS)
    group = np.arange(n_pairs) if n == n_pairs else rng.integers(0, n, n_pairs)
    times = np.stack([np.bincount(rng.integers(0, n, n), minlength=n) for _ in range(resamples)])
    return Resamples(group, times)


@dataclass(frozen=True)
class Agreement:
    """One judge's verdicts against the votes of k factors.

    agree, disagree, whole : (k,) sums of weights: for, against, of all votes on pairs where the factor is known
    missing : (k,) judgments on pairs where it is not
    strengths : of each factor, the clustered covariance of its strength; None where all votes share one cluster
    resampled : (k, n_resamples) strengths of the drawn pairs, NaN where none of them has a vote
    """

    names: tuple[str, ...]
    agree: Floats
    disagree: Floats
    whole: Floats
    missing: Ints
    strengths: tuple[Covariance | None, ...]
    resampled: Floats

    @property
    def relevance(self) -> Floats:
        """(k,) share of all votes that are valid; NaN without votes."""
        return _share(self.agree + self.disagree, self.whole)

    @property
    def accuracy(self) -> Floats:
        """(k,) share of the valid votes that agree; .5 where none is valid."""
        valid = self.agree + self.disagree
        return np.asarray(np.divide(self.agree, valid, out=np.full(len(valid), 0.5), where=valid > 0))

    @property
    def kappa(self) -> Floats:
        """(k,) agreement beyond chance, which is one half: a and b are in no order that says who is better."""
        return 2 * (self.accuracy - 0.5)

    @property
    def strength(self) -> Floats:
        """(k,) kappa times relevance; NaN without votes."""
        return self.kappa * self.relevance

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """factor, strength, lower, upper, p, q, relevance, accuracy, kappa, agree, disagree, votes, missing,
        published_lower, published_upper.

        lower, upper : clustered; published_* : percentiles of the resampled pairs
        """
        n = len(self.names)
        half, p = np.full(n, np.nan), np.full(n, np.nan)
        for k, one in enumerate(self.strengths):
            # Where every cluster says the same, nothing tells how sure that is.
            if one is not None and one.se[0] > 1e-9:
                half[k] = one.quantiles.two_sided(level) * one.se[0]
                p[k] = one.quantiles.p_value(one.estimate / one.se)[0]
        tails = [100 * (1 - level) / 2, 100 * (1 + level) / 2]
        drawn = [np.percentile(row[np.isfinite(row)], tails) if np.isfinite(row).any() else [np.nan] * 2
                 for row in self.resampled]  # fmt: skip
        published = np.array(drawn, dtype=np.float64).reshape(n, 2)
        columns: dict[str, Any] = {
            "factor": list(self.names), "strength": floats(self.strength),
            "lower": floats(np.maximum(self.strength - half, -1)), "upper": floats(np.minimum(self.strength + half, 1)),
            "p": floats(p), "q": floats(adjust_bh(p)), "relevance": floats(self.relevance),
            "accuracy": floats(np.where(self.whole > 0, self.accuracy, np.nan)),
            "kappa": floats(np.where(self.whole > 0, self.kappa, np.nan)), "agree": floats(self.agree),
            "disagree": floats(self.disagree), "votes": floats(self.whole), "missing": self.missing,
            "published_lower": floats(published[:, 0]), "published_upper": floats(published[:, 1]),
        }  # fmt: skip
        return pd.DataFrame(columns)


def agree_with(
    names: Sequence[str], x: NDArray[Any], at: Ints, pair: Ints, weight: Floats, y: Floats,
    clusters: Mapping[str, Ints], clustering: Clustering, drawn: Resamples,
) -> Agreement:  # fmt: skip
    """Hold factors against one judge's judgments.

    x : (k, n_columns) differences a - b, of which the sign counts; NaN where a factor is not known
    at : (n,) the column of each judgment; pair : (n,) the number of its pair in `drawn`
    weight : (n,) > 0; y : (n,) preference for `a`: a verdict of .8 agrees by .8 with a factor that says `a`, a tie is
        no valid vote
    clusters : (n,) codes of each judgment by name; those of `clustering` are used
    """
    ways = find_ways(clusters, clustering, len(at))
    decided = y != 0.5
    agree, disagree, whole, missing = (np.zeros(len(names)) for _ in range(4))
    covariances: list[Covariance | None] = []
    resampled = np.full((len(names), len(drawn.times)), np.nan)
    group = drawn.group[pair]
    for k in range(len(names)):
        side = np.sign(x[k])[at]
        known = np.isfinite(side)
        missing[k] = len(at) - int(known.sum())
        votes = np.where(known, weight, 0.0)
        valid = np.where(known & decided & (side != 0), weight, 0.0)
        toward = np.where(side > 0, y, 1 - y)
        agree[k], disagree[k], whole[k] = valid @ toward, valid @ (1 - toward), votes.sum()
        net = valid * (2 * toward - 1)
        covariances.append(_covariance(net, votes, ways, clustering))
        net_times, all_times = (drawn.times @ np.bincount(group, part, drawn.times.shape[1]) for part in (net, votes))
        resampled[k] = _share(net_times, all_times)
    return Agreement(
        tuple(names), agree, disagree, whole, missing.astype(np.int64), tuple(covariances), resampled
    )  # fmt: skip


def _share(part: NDArray[Any], whole: NDArray[Any]) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0))


def _covariance(net: Floats, votes: Floats, ways: Sequence[Way], clustering: Clustering) -> Covariance | None:
    """Of the ratio of the two sums, by the rules of `vcov`."""
    rows = np.flatnonzero(votes)
    total = float(votes.sum())
    if not len(rows):
        return None
    mean = float(net.sum()) / total
    terms: list[Term] = []
    for way in ways:
        found = find_deleted(way.codes[rows], votes[rows], way)
        n = found.n_clusters
        if n < 2:
            return None
        mass, sums = (np.bincount(found.code, part[rows], n) for part in (votes, net))
        without = (net.sum() - sums[found.deleted]) / (total - mass[found.deleted])
        terms.append(make_term(way, found, ((sums - mass * mean) / total)[:, None], without[:, None]))
    return Covariance(clustering, np.array([mean]), tuple(terms))
