"""By how much does each level of a factor change how often an answer is preferred? AMCE and marginal means.

Conjoint analysis (Hainmueller, Hopkins and Yamamoto 2014; Leeper, Hobolt and Tilley 2020). Both answers of every
judgment become a row, with y = 1 for the preferred one, 0 for the other, .5 each for a tie. The coefficients of a least
squares fit of y on the levels of all factors, one level of each being the reference, are the average marginal component
effects where levels were assigned at random; on answers as they were found they are associations. The marginal mean of
a level is the mean of y over the answers that have it; over all levels of a factor marginal means average one half.

Both rows of a judgment are in one cluster, so that they count once for how sure a figure is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.alike import Alike, sum_alike
from analysis.cells import Floats, Ints
from analysis.factor_covariance import FEW_A_PARAMETER
from analysis.levels import UNKNOWN, Levels
from analysis.multiple import adjust_bh
from analysis.ratios import covariance_of_totals, find_ways
from analysis.replicates import JACKKNIFE_RIDGE
from analysis.tables import booleans, floats, integers
from analysis.vcov import FEW_CLUSTERS, Clustering, Covariance, Term, require_clusters
from analysis.winrate import Deleted, Way, find_deleted
from errors import NotIdentifiedError

VANISHED = 1e-9
"""Share of its own sum of squares that a level keeps beside the others, below which they fix it."""


@dataclass(frozen=True)
class Amce:
    """One judge's effects of levels.

    levels : the factors; covariance : of the intercept and the coefficients `columns`, each (factor, level) by number
    means : of every level of every factor, the covariance of its marginal mean; None where there is none
    answers : likewise how many answers of judgments have the level
    left_out : by factor or level, why it has no effect; missing : judgments that lack a factor
    """

    levels: tuple[Levels, ...]
    columns: tuple[tuple[int, int], ...]
    covariance: Covariance
    means: tuple[tuple[Covariance | None, ...], ...]
    mean: tuple[Floats, ...]
    answers: tuple[Ints, ...]
    left_out: Mapping[str, str]
    n_judgments: int
    missing: int

    @property
    def intercept(self) -> float:
        """How often an answer with the reference level of every factor is preferred."""
        return float(self.covariance.estimate[0])

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """One row a level of factors that have two: factor, level, label, reference (whether it is), amce, se, lower,
        upper, p, q, mean, mean_lower, mean_upper, mean_p (against one half), mean_q, answers. amce : a difference of
        shares, 0 for the reference
        """
        se = self.covariance.known_se
        half = self.covariance.quantiles.two_sided(level) * se
        p = self.covariance.quantiles.p_value(self.covariance.estimate / se)
        place = {column: k + 1 for k, column in enumerate(self.columns)}
        rows = []
        for f, one in enumerate(self.levels):
            there = np.flatnonzero(self.answers[f])
            if len(there) < 2:
                continue
            first = int(there[0])
            for k, name in enumerate(one.names):
                if not self.answers[f][k]:
                    continue
                at = place.get((f, k))
                mean, half_mean, p_mean = float(self.mean[f][k]), np.nan, np.nan
                known = self.means[f][k]
                if known is not None:
                    half_mean = known.quantiles.two_sided(level) * float(known.known_se[0])
                    p_mean = float(known.quantiles.p_value((known.estimate - 0.5) / known.known_se)[0])
                amce, error, reach, tested = 0.0 if k == first else np.nan, np.nan, np.nan, np.nan
                if at is not None:
                    amce, error, reach, tested = (float(v[at]) for v in (self.covariance.estimate, se, half, p))
                rows.append((
                    one.factor, name, one.called(k), k == first, amce, error, amce - reach, amce + reach, tested, mean,
                    max(mean - half_mean, 0.0), min(mean + half_mean, 1.0), p_mean, int(self.answers[f][k]),
                ))  # fmt: skip
        columns = list(zip(*rows, strict=True))
        numbers = [floats(column) for column in columns[4:13]]
        return pd.DataFrame({
            "factor": list(columns[0]), "level": list(columns[1]), "label": list(columns[2]),
            "reference": booleans(columns[3]), "amce": numbers[0], "se": numbers[1], "lower": numbers[2],
            "upper": numbers[3], "p": numbers[4], "q": _adjusted(columns[8]), "mean": numbers[5],
            "mean_lower": numbers[6], "mean_upper": numbers[7], "mean_p": numbers[8], "mean_q": _adjusted(columns[12]),
            "answers": integers(columns[13]),
        })  # fmt: skip


def _adjusted(p: Sequence[float]) -> pd.Series:
    return floats(adjust_bh(np.array(p, dtype=np.float64)))


def effects_of(
    levels: Sequence[Levels], at: Ints, y: Floats, weight: Floats, clusters: Mapping[str, Ints],
    clustering: Clustering,
) -> Amce:  # fmt: skip
    """Effects and marginal means of one judge's judgments.

    at : (n,) the column of each judgment; y : (n,) preference for `a`; clusters : (n,) codes by name

    Raises NotIdentifiedError where no factor has two levels, all verdicts are ties, there are as many levels as
    judgments, or fewer than two clusters.
    """
    if len(y) and (y == 0.5).all():
        raise NotIdentifiedError("all verdicts are ties, so no level is preferred")
    known = np.ones(len(at), dtype=bool)
    for one in levels:
        known &= (one.a[at] != UNKNOWN) & (one.b[at] != UNKNOWN)
    if not known.any():
        raise NotIdentifiedError("no judgment has all factors on both of its answers")
    apart = clustering.name == "none"
    ways = {} if apart else {name: clusters[name][known] for name in clustering.name.split("+")}
    rows = sum_alike(at[known], y[known], weight[known], ways, apart)
    found = find_ways(rows.clusters, clustering, len(rows))
    for way in found:
        if way.sign > 0 and way.name != "none":
            require_clusters(way.name, way.n_clusters)
    columns, left_out = _columns(levels, rows)
    if not columns:
        raise NotIdentifiedError(
            "no factor has two levels among the answers that were compared: " + "; ".join(
                f"{name}, {why}" for name, why in list(left_out.items())[:3])
        )  # fmt: skip
    a, b = (_dummies(levels, columns, rows.at, side) for side in ("a", "b"))
    kept, fixed = _independent(_gram(a, b, rows.weight))
    for k in fixed:
        f, level = columns[k - 1]
        left_out[levels[f].called(level)] = "other levels fix it (they are collinear)"
    columns = tuple(columns[k - 1] for k in kept if k)
    a, b = a[:, kept], b[:, kept]
    n = int(rows.count.sum())
    if len(kept) >= n:
        raise NotIdentifiedError(f"{len(kept):,} levels need more judgments than that, and there are {n:,}")
    covariance = _fit(a, b, rows, found, clustering)
    answers, mean, means = zip(*(_marginal(one, rows, found, clustering) for one in levels), strict=True)
    return Amce(
        tuple(levels), columns, covariance, tuple(means), tuple(mean), tuple(answers), left_out, n, int((~known).sum())
    )  # fmt: skip


def _columns(levels: Sequence[Levels], rows: Alike) -> tuple[tuple[tuple[int, int], ...], dict[str, str]]:
    """(factor, level) of each dummy, and the factors without any."""
    columns: list[tuple[int, int]] = []
    left_out: dict[str, str] = {}
    for f, one in enumerate(levels):
        n = len(one.names)
        times = np.bincount(one.a[rows.at], minlength=n) + np.bincount(one.b[rows.at], minlength=n)
        there = np.flatnonzero(times)
        if len(there) < 2:
            left_out[one.factor] = "all answers have the same level"
            continue
        # Without an answer of the reference level the first level that is there takes its place, and has no dummy.
        columns += [(f, int(k)) for k in there[1:]]
    return tuple(columns), left_out


def _dummies(levels: Sequence[Levels], columns: Sequence[tuple[int, int]], at: Ints, side: str) -> Floats:
    """(n_rows, 1 + n_columns) intercept and dummies of one answer of each row."""
    out = np.ones((len(at), 1 + len(columns)))
    for k, (f, level) in enumerate(columns):
        out[:, k + 1] = (levels[f].a if side == "a" else levels[f].b)[at] == level
    return out


def _gram(a: Floats, b: Floats, weight: Floats) -> Floats:
    return np.asarray((a * weight[:, None]).T @ a + (b * weight[:, None]).T @ b)


def _independent(gram: Floats) -> tuple[list[int], list[int]]:
    """Which columns, in their order, the ones before do not fix; and which they do."""
    rest, own = gram.copy(), np.diag(gram)
    kept, fixed = [], []
    for k in range(len(gram)):
        if rest[k, k] <= VANISHED * own[k]:
            fixed.append(k)
            continue
        kept.append(k)
        rest -= np.outer(rest[:, k], rest[k]) / rest[k, k]
    return kept, fixed


def _fit(a: Floats, b: Floats, rows: Alike, ways: Sequence[Way], clustering: Clustering) -> Covariance:
    gram, toward = _gram(a, b, rows.weight), a.T @ rows.score + b.T @ (rows.weight - rows.score)
    bread = np.linalg.inv(gram)
    beta = np.linalg.solve(gram, toward)
    scores = a * (rows.score - rows.weight * (a @ beta))[:, None]
    scores += b * (rows.weight - rows.score - rows.weight * (b @ beta))[:, None]
    terms = []
    for way in ways:
        found = find_deleted(way.codes, rows.weight, way)
        n = found.n_clusters
        if way.name == "none":
            moved = scores @ bread
            terms.append(Term("none", 0, 1, np.inf, np.empty((0, len(beta))), n / (n - 1) * moved.T @ moved))
            continue
        few = n < FEW_A_PARAMETER * len(beta)
        deleted = np.arange(n) if few else found.deleted
        sums = np.stack([np.bincount(found.code, column, n) for column in scores.T], axis=1)
        moved = np.delete(sums, deleted, axis=0) @ bread
        replicates, ridged = _without(a, b, rows, found, deleted, gram, toward)
        linear = n / (n - 1) * moved.T @ moved
        if few and n >= FEW_CLUSTERS:
            away = replicates - beta
            linear, replicates = (n - 1) / n * away.T @ away, replicates[:0]
        effective = float(n) if few else found.effective
        one_step = few and n >= FEW_CLUSTERS
        terms.append(Term(way.name, n, way.sign, effective, replicates, linear, ridged, one_step))
    return Covariance(clustering, np.asarray(beta, dtype=np.float64), tuple(terms))


def _without(
    a: Floats, b: Floats, rows: Alike, found: Deleted, deleted: Ints, gram: Floats, toward: Floats
) -> tuple[Floats, int]:
    """(n_deleted, p) coefficients without each of these clusters, and how many needed a ridge."""
    order = np.argsort(found.code, kind="stable")
    ends = np.concatenate([[0], np.cumsum(np.bincount(found.code, minlength=found.n_clusters))])
    out = np.empty((len(deleted), len(toward)))
    ridged = 0
    for k, cluster in enumerate(deleted):
        mine = order[ends[cluster] : ends[cluster + 1]]
        weight, score = rows.weight[mine], rows.score[mine]
        left = gram - _gram(a[mine], b[mine], weight)
        if len(_independent(left)[0]) < len(left):
            left = left + JACKKNIFE_RIDGE * np.eye(len(left))
            ridged += 1
        out[k] = np.linalg.solve(left, toward - a[mine].T @ score - b[mine].T @ (weight - score))
    return out, ridged


def _marginal(
    one: Levels, rows: Alike, ways: Sequence[Way], clustering: Clustering
) -> tuple[Ints, Floats, tuple[Covariance | None, ...]]:
    """Of each level: its answers, how often they are preferred, and the covariance of that."""
    answers, mean = np.zeros(len(one.names), dtype=np.int64), np.full(len(one.names), np.nan)
    covariances: list[Covariance | None] = []
    for k in range(len(one.names)):
        a, b = (one.a[rows.at] == k).astype(np.float64), (one.b[rows.at] == k).astype(np.float64)
        answers[k] = int(rows.count @ (a + b))
        if not answers[k]:
            covariances.append(None)
            continue
        mass = rows.weight * (a + b)
        values = np.stack([rows.score * a + (rows.weight - rows.score) * b, mass], axis=1)
        won, total = (float(v) for v in values.sum(axis=0))
        mean[k] = won / total
        found = covariance_of_totals(values, mass, ways, clustering)
        covariances.append(
            None if found is None else found.of(_share, np.array([[1 / total, -won / total**2]]))
        )  # fmt: skip
    return answers, mean, tuple(covariances)


def _share(totals: NDArray[np.float64]) -> Floats:
    won, total = totals[..., 0], totals[..., 1]
    return np.asarray(np.divide(won, total, out=np.full(won.shape, np.nan), where=total > 0))[..., None]
