"""How often do a judge and the reference say the same, group by group, and is what differs more than noise?

Agreement is the share of all comparisons of one's votes with the other's, pair by pair, that have the same label (a, b
or tie; without ties, of those in which neither is one). It is a ratio of sums: its error comes from clusters of pairs
by the rules of `vcov`, each group by its own number of them. Intervals are symmetric in log-odds: near 0 and 1 those of
the share itself cover .90 to .94 where they promise .95.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import expit, logit, ndtri, stdtrit

from analysis.cells import Floats, Ints
from analysis.cluster_sums import Tally, alike, firsts, numbered
from analysis.heterogeneity import Heterogeneity, find_heterogeneity
from analysis.multiple import adjust_holm
from analysis.pooling import Pooled, pool, widen
from analysis.tables import floats
from analysis.vcov import Clustering, Covariance, Term, find_heavy

THIN = 10
"""Clusters below which a scenario says little by itself."""

MOST_SHARED = 0.9
"""Of the surest group's variance, what at most is taken as common to all groups."""


@dataclass(frozen=True)
class PairVotes:
    """Votes of two judges on the pairs that both have judged; each array (n_pairs,).

    reference, judge : (n_pairs, 3) votes for a, b and tie; cluster : codes of what hangs together; group : from 0
    """

    reference: Ints
    judge: Ints
    cluster: Ints
    group: Ints

    @cached_property
    def kinds(self) -> VoteKinds:
        """The same, what was voted alike put together."""
        code, first = alike([*self.reference.T, *self.judge.T])
        return VoteKinds(self.reference[first], self.judge[first], Tally(code, len(first), self.cluster))

    def compared(self, ties: bool) -> tuple[Floats, Floats]:
        """(n_pairs,) comparisons that agree, and all of them. ties : whether ties count as a label of their own"""
        same, whole = self.kinds.compared(ties)
        return same[self.kinds.rows.kind], whole[self.kinds.rows.kind]


@dataclass(frozen=True)
class VoteKinds:
    """What is voted on pairs, each combination of votes once.

    reference, judge : (n_kinds, 3) votes for a, b and tie; rows : the pairs
    """

    reference: Ints
    judge: Ints
    rows: Tally

    def compared(self, ties: bool) -> tuple[Floats, Floats]:
        """(n_kinds,) comparisons that agree, and all of them. ties : whether ties count as a label of their own"""
        some = slice(None) if ties else slice(0, 2)
        one, two = self.reference[:, some].astype(np.float64), self.judge[:, some].astype(np.float64)
        return (one * two).sum(axis=1), one.sum(axis=1) * two.sum(axis=1)


@dataclass(frozen=True)
class Compared:
    """Comparisons of votes; each array (n,). same, whole : those that agree, and all; group : from 0

    clusters : codes by name, of every way of clustering that is asked for
    """

    same: Floats
    whole: Floats
    group: Ints
    clusters: Mapping[str, Ints]

    def take(self, rows: Ints) -> Compared:
        """Some of the rows: a mask, or positions."""
        codes = {way: code[rows] for way, code in self.clusters.items()}
        return Compared(self.same[rows], self.whole[rows], self.group[rows], codes)


@dataclass(frozen=True)
class Agreement:
    """Agreement in G groups, each array (G,), and over all.

    agreement : share; NaN without a comparison; se : NaN where fewer than two clusters, or all alike, tell nothing
    df : of its t quantile, infinite from 50 clusters; comparisons, n_pairs, n_clusters : behind it
    pooled : full empirical Bayes of the log-odds over groups
    test : of equal agreement in all groups; None where groups share clusters
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

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """(G,) lower and upper ends, symmetric in log-odds."""
        return share_ends(self.agreement, self.se, self.df, level)

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """One row a group: agreement with its interval, alone and pooled, and what stands behind it; as shares.

        apart : of the group being as the average of all, from the pooled figures; it serves as a p-value
        """
        lower, upper = self.interval(level)
        pooled = low = high = apart = np.full(len(self.agreement), np.nan)
        if self.pooled is not None:
            apart = self.pooled.apart()[:, 0]
            interval = self.pooled.interval(level)
            pooled, low, high = (
                expit(values[:, 0]) for values in (self.pooled.value, interval.lower, interval.upper)
            )
        return pd.DataFrame(
            {
                "agreement": floats(self.agreement), "lower": floats(lower), "upper": floats(upper),
                "pooled": floats(pooled), "pooled_lower": floats(low), "pooled_upper": floats(high),
                "apart": floats(apart),
                "comparisons": self.comparisons.astype(np.int64), "pairs": self.n_pairs, "clusters": self.n_clusters,
            }
        )  # fmt: skip

    def overall_row(self, level: float = 0.95) -> dict[str, float | None]:
        """Over all groups: agreement, lower, upper; tau (sd between groups, log-odds) with interval; p of the test."""
        value, se, df = self.overall
        lower, upper = share_ends(np.array([value]), np.array([se]), np.array([df]), level)
        row: dict[str, float | None] = {"agreement": value, "lower": float(lower[0]), "upper": float(upper[0])}
        if self.pooled is not None and self.pooled.n_estimates[0] > 1:
            tau = self.pooled.tau_interval(level)
            row |= {"tau": float(self.pooled.tau_median[0]), "tau_lower": float(tau.lower[0]),
                    "tau_upper": float(tau.upper[0])}  # fmt: skip
        if self.test is not None:
            row["p"] = float(self.test.p[0])
        return {name: None if number is None or np.isnan(number) else number for name, number in row.items()}


def share_ends(share: Floats, se: Floats, df: Floats, level: float) -> tuple[Floats, Floats]:
    """(n,) lower and upper ends of shares, symmetric in log-odds; NaN where nothing tells how sure a share is.

    df : of the t quantile, infinite for normal ones
    """
    middle, error = _on_log_odds(share, se)
    tail = (1 + level) / 2
    finite = np.isfinite(df)
    half = np.where(finite, stdtrit(np.where(finite & (df >= 1), df, np.nan), tail), ndtri(tail)) * error
    return expit(middle - half), expit(middle + half)


def _on_log_odds(share: Floats, se: Floats) -> tuple[Floats, Floats]:
    """Log-odds and their standard error; NaN where the share is 0 or 1 or nothing tells how sure it is."""
    with np.errstate(divide="ignore", invalid="ignore"):
        known = np.isfinite(se) & (se > 0) & (share > 0) & (share < 1)
        return np.where(known, logit(share), np.nan), np.where(known, se / (share * (1 - share)), np.nan)


def agree_by_group(votes: PairVotes, n_groups: int, *, ties: bool = True) -> Agreement:
    """Agreement in each group; groups without a comparison have none.

    ties : whether a tie is a label of its own; without, comparisons in which either side is a tie are left out
    """
    same, whole = votes.compared(ties)
    return find_agreement(
        Compared(same, whole, votes.group.astype(np.int64), {"pair": votes.cluster}), n_groups, Clustering("pair")
    )


def find_agreement(rows: Compared, n_groups: int, clustering: Clustering) -> Agreement:
    """Agreement in each group, in whatever way comparisons hang together; rows without a comparison are no pairs."""
    rows = rows.take(np.flatnonzero(rows.whole > 0))
    n_pairs = np.bincount(rows.group, minlength=n_groups)
    rows = _summed(rows, clustering)
    share, se = np.full(n_groups, np.nan), np.full(n_groups, np.nan)
    df, clusters = np.zeros(n_groups), np.zeros(n_groups, dtype=np.int64)
    size = np.bincount(rows.group, minlength=n_groups)
    order = np.argsort(rows.group, kind="stable")
    for g, end in zip(range(n_groups), np.cumsum(size), strict=True):
        if size[g]:
            one = rows.take(order[end - size[g] : end])
            share[g], se[g], df[g], clusters[g] = _share(one, clustering)
    log_odds, log_se = _on_log_odds(share, se)
    known = np.isfinite(log_se)
    pooled, test = None, None
    if known.any():
        common, meet = _common(rows, share, np.flatnonzero(known), clustering)
        wide = np.where(known, widen(log_se, df), np.inf)
        common = min(common, MOST_SHARED * float(wide.min()) ** 2)
        pooled = pool(log_odds[:, None], np.sqrt(wide**2 - common)[:, None], shared=common)
        if known.sum() > 1 and not meet:
            test = find_heterogeneity(log_odds[:, None], log_se[:, None], np.where(known, df, 1.0)[:, None])
    overall = _share(rows, clustering)[:3] if len(rows.whole) else (np.nan, np.nan, 0.0)
    comparisons = np.asarray(np.bincount(rows.group, rows.whole, n_groups), dtype=np.float64)
    return Agreement(
        agreement=share, se=se, df=df, comparisons=comparisons, n_pairs=n_pairs, n_clusters=clusters, pooled=pooled,
        test=test, overall=overall,
    )  # fmt: skip


def below_others(rows: Compared, n_groups: int, clustering: Clustering) -> Floats:
    """(G,) one-sided p of each group's share lying below that of all others together, Holm-adjusted for all of them.

    NaN where a group, or all others, have fewer than two clusters; the degrees of freedom are those of the fewer.
    """
    rows = _summed(rows.take(np.flatnonzero(rows.whole > 0)), clustering)
    p = np.full(n_groups, np.nan)
    for g in range(n_groups):
        mine = rows.group == g
        parts = [rows.take(mine), rows.take(~mine)]
        if any(_n_clusters(part, clustering) < 2 for part in parts):
            continue
        sides = np.column_stack([mine, ~mine]).astype(np.float64)
        joint = _covariance(rows, sides, clustering)
        assert joint is not None
        contrast = np.array([[1.0, -1.0]])
        away = joint.of(lambda w: w @ contrast.T, contrast)  # noqa: B023
        se = float(away.known_se[0])
        if np.isfinite(se):
            z = away.estimate / se
            half = float(away.quantiles.p_value(z)[0]) / 2
            p[g] = half if z[0] < 0 else 1 - half
    return adjust_holm(p)


# -- ratios of sums -----------------------------------------------------------------------------------------------


def _ways(clustering: Clustering) -> Sequence[str]:
    return () if clustering.name == "none" else clustering.name.split("+")


def _summed(rows: Compared, clustering: Clustering) -> Compared:
    """One row a group and cluster (of both ways, where there are two): ratios of sums ask for no more."""
    ways = _ways(clustering)
    if not ways:
        return rows
    key = rows.group.astype(np.int64)
    n = 0
    for way in ways:
        code, size = numbered(rows.clusters[way])
        key, n = numbered(key * max(size, 1) + code)
    first = firsts(key, n)
    same, whole = (np.bincount(key, part, n).astype(np.float64) for part in (rows.same, rows.whole))
    return Compared(same, whole, rows.group[first], {way: rows.clusters[way][first] for way in ways})


def _n_clusters(rows: Compared, clustering: Clustering) -> int:
    """Of the way that has fewer; without clustering each row is one."""
    counts = [numbered(rows.clusters[way])[1] for way in _ways(clustering)]
    return min(counts, default=len(rows.whole))


def _codes(rows: Compared, clustering: Clustering) -> list[tuple[str, Ints, int]]:
    """Each way of clustering: its name, (n,) codes from 0, and the sign with which its covariance enters."""
    ways = _ways(clustering)
    found = [(way, numbered(rows.clusters[way])[0], 1) for way in ways]
    if len(found) == 2:
        (_, one, _), (_, two, _) = found
        both = numbered(one * (int(two.max(initial=0)) + 1) + two)[0]
        found.append((" x ".join(ways), both, -1))
    return found


def _share(rows: Compared, clustering: Clustering) -> tuple[float, float, float, int]:
    """Share, its standard error (NaN: nothing tells it), degrees of freedom, and clusters of these rows."""
    found = _covariance(rows, np.ones((len(rows.whole), 1)), clustering)
    share, n = float(rows.same.sum() / rows.whole.sum()), _n_clusters(rows, clustering)
    if found is None:
        return share, float("nan"), 0.0, n
    df = found.quantiles.df
    return share, float(found.known_se[0]), np.inf if df is None else df, n


def _covariance(rows: Compared, sides: Floats, clustering: Clustering) -> Covariance | None:
    """Of one share a column of `sides`, (n, k) of 0 and 1; None where there are fewer than two clusters."""
    a, n = sides * rows.same[:, None], sides * rows.whole[:, None]
    top, bottom = a.sum(axis=0), n.sum(axis=0)
    share, k = top / bottom, sides.shape[1]
    if clustering.name == "none":
        away = (a - share * n) / bottom
        return Covariance(clustering, share, (Term("none", 0, 1, np.inf, np.empty((0, k)), away.T @ away),))
    terms = []
    for way, code, sign in _codes(rows, clustering):
        size = int(code.max()) + 1
        if size < 2:
            return None
        hit, mass = (
            np.column_stack([np.bincount(code, column, size) for column in part.T]) for part in (a, n)
        )  # fmt: skip
        heavy = [find_heavy(column) for column in mass.T]
        deleted = np.unique(np.concatenate([which for which, _ in heavy]))
        left = bottom - mass[deleted]
        replicates = np.where(left > 0, (top - hit[deleted]) / np.where(left > 0, left, 1.0), share)
        rest = (hit - share * mass) / bottom
        rest[deleted] = 0.0
        effective = min(count for _, count in heavy)
        terms.append(Term(way, size, sign, effective, replicates, size / (size - 1) * rest.T @ rest))
    return Covariance(clustering, share, tuple(terms))


def _common(rows: Compared, share: Floats, known: Ints, clustering: Clustering) -> tuple[float, bool]:
    """What errors of the groups' log-odds have in common, on average over two of them; and whether any share clusters.

    People of all ages judge the same prompts: what a prompt does to agreement it does to all of them.
    """
    place = np.full(len(share), -1, dtype=np.int64)
    place[known] = np.arange(len(known))
    of = place[rows.group]
    rows, of = rows.take(np.flatnonzero(of >= 0)), of[of >= 0]
    m = len(known)
    p = share[known]
    away = (rows.same - p[of] * rows.whole) / (np.bincount(of, rows.whole, m) * p * (1 - p))[of]
    meet, total = False, 0.0
    for _, code, sign in _codes(rows, clustering):
        cells, at = np.unique(code * m + of, return_inverse=True)
        own = np.bincount(at, away, len(cells))
        joint = np.bincount(cells // m, own)
        meet = meet or len(cells) > len(joint)
        total += sign * float(joint @ joint - own @ own)
    return (max(total / (m * (m - 1)), 0.0) if m > 1 else 0.0), meet
