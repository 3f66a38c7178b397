"""How often do a judge and the reference say the same, scenario by scenario, and is what differs more than noise?

Agreement is the share of all comparisons of one's votes with the other's, pair by pair, that have the same label (a, b
or tie; without ties, of those in which neither is one). It is a ratio of sums: its error comes from the prompts, by the
rules of `vcov`, each scenario by its own number of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtri, stdtrit

from analysis.cells import Floats, Ints
from analysis.heterogeneity import Heterogeneity, find_heterogeneity
from analysis.pooling import Pooled, pool, widen
from analysis.tables import floats
from analysis.vcov import FEW_CLUSTERS

THIN = 10
"""Clusters below which a scenario says little by itself."""


@dataclass(frozen=True)
class PairVotes:
    """Votes of two judges on the pairs that both have judged; each array (n_pairs,).

    reference, judge : (n_pairs, 3) votes for a, b and tie; cluster : codes of what hangs together; group : from 0
    """

    reference: Ints
    judge: Ints
    cluster: Ints
    group: Ints

    def compared(self, ties: bool) -> tuple[Floats, Floats]:
        """(n_pairs,) comparisons that agree, and all of them. ties : whether ties count as a label of their own"""
        some = slice(None) if ties else slice(0, 2)
        one, two = self.reference[:, some].astype(np.float64), self.judge[:, some].astype(np.float64)
        return (one * two).sum(axis=1), one.sum(axis=1) * two.sum(axis=1)


@dataclass(frozen=True)
class Agreement:
    """Agreement in G groups, each array (G,), and over all.

    agreement : share; NaN without a comparison; se : NaN where fewer than two clusters, or all alike, tell nothing
    df : of its t quantile, infinite from 50 clusters; comparisons, n_pairs, n_clusters : behind it
    pooled : full empirical Bayes of the log-odds over groups; test : of equal agreement in all groups
    overall : (share, se, df) over all groups
    """

    agreement: Floats
    se: Floats
    df: Floats
    comparisons: Floats
    n_pairs: Ints
    n_clusters: Ints
    pooled: Pooled | None
    test: Heterogeneity | None
    overall: tuple[float, float, float]

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """One row a group: agreement with its interval, alone and pooled, and what stands behind it; as shares."""
        half = _quantile(self.df, level) * self.se
        pooled = low = high = np.full(len(self.agreement), np.nan)
        if self.pooled is not None:
            interval = self.pooled.interval(level)
            pooled, low, high = (
                expit(values[:, 0]) for values in (self.pooled.value, interval.lower, interval.upper)
            )
        return pd.DataFrame(
            {
                "agreement": floats(self.agreement),
                "lower": floats(np.maximum(self.agreement - half, 0.0)),
                "upper": floats(np.minimum(self.agreement + half, 1.0)),
                "pooled": floats(pooled), "pooled_lower": floats(low), "pooled_upper": floats(high),
                "comparisons": self.comparisons.astype(np.int64), "pairs": self.n_pairs, "clusters": self.n_clusters,
            }
        )  # fmt: skip

    def overall_row(self, level: float = 0.95) -> dict[str, float | None]:
        """Over all groups: agreement, lower, upper; tau (sd between groups, log-odds) with interval; p of the test."""
        value, se, df = self.overall
        half = float(_quantile(np.array([df]), level)[0]) * se
        row: dict[str, float | None] = {
            "agreement": value, "lower": max(value - half, 0.0), "upper": min(value + half, 1.0)
        }  # fmt: skip
        if self.pooled is not None and self.pooled.n_estimates[0] > 1:
            tau = self.pooled.tau_interval(level)
            row |= {"tau": float(self.pooled.tau_median[0]), "tau_lower": float(tau.lower[0]),
                    "tau_upper": float(tau.upper[0])}  # fmt: skip
        if self.test is not None:
            row["p"] = float(self.test.p[0])
        return {name: None if number is None or np.isnan(number) else number for name, number in row.items()}


def _quantile(df: Floats, level: float) -> Floats:
    tail = (1 + level) / 2
    finite = np.isfinite(df)
    return np.where(finite, stdtrit(np.where(finite & (df >= 1), df, np.nan), tail), ndtri(tail))


def agree_by_group(votes: PairVotes, n_groups: int, *, ties: bool = True) -> Agreement:
    """Agreement in each group; groups without a comparison have none.

    ties : whether a tie is a label of its own; without, comparisons in which either side is a tie are left out
    """
    same, whole = votes.compared(ties)
    kept = whole > 0
    same, whole, group, cluster = same[kept], whole[kept], votes.group[kept], votes.cluster[kept]
    # Clusters within groups: a prompt has one scenario.
    codes, at = np.unique(group.astype(np.int64) * (int(cluster.max(initial=0)) + 1) + cluster, return_inverse=True)
    of = np.zeros(len(codes), dtype=np.int64)
    of[at] = group
    a, n = (np.asarray(np.bincount(at, sums, len(codes)), dtype=np.float64) for sums in (same, whole))
    share, se, df, clusters = _ratios(a, n, of, n_groups)
    comparisons = np.asarray(np.bincount(group, whole, n_groups), dtype=np.float64)
    pooled, test = None, None
    with np.errstate(invalid="ignore", divide="ignore"):
        slope = share * (1 - share)
        known = np.isfinite(se) & (se > 0) & (slope > 0)
        log_odds = np.where(known, logit(np.where(known, share, 0.5)), np.nan)
        log_se = np.where(known, se / slope, np.inf)
    if known.any():
        pooled = pool(log_odds[:, None], np.where(known, widen(log_se, df), np.inf)[:, None])
    if known.sum() > 1:
        test = find_heterogeneity(log_odds[:, None], log_se[:, None], np.where(known, df, 1.0)[:, None])
    whole_share, whole_se, whole_df, _ = _ratios(a, n, np.zeros(len(codes), dtype=np.int64), 1)
    return Agreement(
        agreement=share, se=se, df=df, comparisons=comparisons, n_pairs=np.bincount(group, minlength=n_groups),
        n_clusters=clusters, pooled=pooled, test=test,
        overall=(float(whole_share[0]), float(whole_se[0]), float(whole_df[0])),
    )  # fmt: skip


def _ratios(a: Floats, n: Floats, of: Ints, n_groups: int) -> tuple[Floats, Floats, Floats, Ints]:
    """sum a / sum n in each group, its standard error and degrees of freedom, and the number of clusters.

    From 50 clusters linearised (CR1, normal), below by deleting each cluster (CR3, t with G - 1).
    """
    size = np.bincount(of, minlength=n_groups)
    top, bottom = np.bincount(of, a, n_groups), np.bincount(of, n, n_groups)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(bottom > 0, top / bottom, np.nan)
        linear = np.bincount(of, (a - share[of] * n) ** 2, n_groups) / bottom**2 * size / (size - 1.0)
        left = bottom[of] - n
        without = (top[of] - a) / left
        # Where one cluster is all there is, nothing is left without it.
        without = np.where(left > 0, without, np.nan)
        jackknife = np.bincount(of, (without - share[of]) ** 2, n_groups) * (size - 1.0) / size
    variance = np.where(size >= FEW_CLUSTERS, linear, jackknife)
    enough = (size >= 2) & np.isfinite(variance) & (variance > 1e-24)
    se = np.where(enough, np.sqrt(np.where(enough, variance, 0.0)), np.nan)
    df = np.where(size >= FEW_CLUSTERS, np.inf, np.maximum(size - 1.0, 0.0))
    return share, se, df, size
