"""Does one scale of strengths fit a judge's verdicts, and where does it not?

The Bradley-Terry model says that a pair's expected share follows from two strengths alone. Three looks at that:
Pearson's statistic of all pairs against what whole clusters give by chance (`pair_residuals`), cyclic triples and the
Hodge residual against data drawn from the fit (`cycles`), and each pair's own standardised residual.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc, ndtr, stdtr

from analysis.bradley_terry import BradleyTerry, fit_bradley_terry
from analysis.cells import Cells, Floats, Ints
from analysis.cycles import Circles, Held, Uncertain, directions, look_for_circles, model_variance
from analysis.multiple import adjust_bh
from analysis.pair_residuals import (
    FEW_CLUSTERS_A_PAIR,
    Entries,
    Expected,
    Tick,
    draw_signs,
    expect,
    gather_entries,
    give_back,
    pair_variance,
    pearson,
)
from analysis.ranks import told_left_out
from analysis.sandwich import strength_covariance
from analysis.tables import floats, integers
from analysis.vcov import Clustering, Covariance, choose_clustering
from errors import NotIdentifiedError

SIGN_DRAWS = 999
DATA_DRAWS = 499
LEAST_DRAWS = 99
MOST_SUMS = 2e9
MOST_SHARES = 2e8
LEAST_CLUSTERS = 6
"""Five clusters have 16 different ways of turning signs, too few for p < .05."""

MANY_MODELS = 1500
"""From here on only the overall test is made: the rest needs several dense tables of models x models."""

MOST_PAIRS = 100
MOST_CIRCLES = 20


@dataclass(frozen=True)
class PairFits:
    """How each pair of models departs from the fit, (n_pairs,) each, in the order of the fit's pair table.

    observed, expected : shares of the pair's `a`; pearson : the residual in naive standard errors
    z : in cluster-robust standard errors, p its p-value; both NaN where too few clusters hold the pair
    clusters : that hold the pair; judgments
    """

    observed: Floats
    expected: Floats
    pearson: Floats
    z: Floats
    p: Floats
    clusters: Ints
    judgments: Ints


@dataclass(frozen=True)
class FitCheck:
    """One judge's verdicts held against one scale.

    statistic : Pearson's, df : its degrees of freedom; p : by turning the signs of clusters, None with fewer than 6
    p_naive : chi-square, as if all judgments were independent
    departure : root mean square of the pairs' departures from their expected shares, weighted by judgments, what
        chance gives taken off; None where p is None
    n_draws : sign draws behind p
    """

    fit: BradleyTerry
    clustering: Clustering
    n_clusters: int
    statistic: float
    df: int
    p: float | None
    p_naive: float
    departure: float | None
    n_draws: int
    pairs: PairFits
    circles: Circles
    warnings: tuple[str, ...]

    def row(self, level: float = 0.95) -> dict[str, Any]:
        """The figures of the whole; what is undefined is None.

        cyclic : share of triples of models that are circles; hodge : share of the squared log-odds that no scale
        explains; each with what data drawn from the fit give
        """
        circles = self.circles
        out: dict[str, Any] = {
            "models": len(self.fit.models),
            "pairs": len(self.fit.counts.a),
            "judgments": self.fit.n_judgments,
            "clusters": self.n_clusters or None,
            "clustering": self.clustering.name,
            "statistic": self.statistic,
            "df": self.df,
            "p": self.p,
            "p_naive": self.p_naive,
            "departure": self.departure,
            "triples": round(circles.triples.total),
        }
        return out | _held("cyclic", circles.cyclic, level) | _held("hodge", circles.hodge, level)

    def pair_table(self, most: int = MOST_PAIRS) -> pd.DataFrame:
        """The worst-fitting pairs first: those that can be tested by their p, then the others by their residual.

        model_1 wins more than expected. Columns: model_1, model_2, observed, expected (shares of model_1), residual
        (in cluster-robust standard errors), p, q (Benjamini-Hochberg over all pairs tested), pearson (in naive
        standard errors), judgments, clusters.
        """
        pairs, counts, names = self.pairs, self.fit.counts, self.fit.models
        q = adjust_bh(pairs.p)
        order = np.lexsort((np.arange(len(q)), -np.abs(pairs.pearson), -np.abs(pairs.z), pairs.p))[:most]
        turned = (pairs.observed < pairs.expected)[order]

        def side(values: Floats) -> Floats:
            return np.where(turned, 1 - values[order], values[order])

        a, b = counts.a[order], counts.b[order]
        one, two = np.where(turned, b, a), np.where(turned, a, b)
        return pd.DataFrame(
            {
                "model_1": pd.Series([names[k] for k in one], dtype=object),
                "model_2": pd.Series([names[k] for k in two], dtype=object),
                "observed": floats(side(pairs.observed)),
                "expected": floats(side(pairs.expected)),
                "residual": floats(np.abs(pairs.z[order])),
                "p": floats(pairs.p[order]),
                "q": floats(q[order]),
                "pearson": floats(np.abs(pairs.pearson[order])),
                "judgments": integers(pairs.judgments[order].tolist()),
                "clusters": integers(pairs.clusters[order].tolist() if self.n_clusters else [None] * len(order)),
            }
        )

    def circle_table(self, most: int = MOST_CIRCLES) -> pd.DataFrame:
        """Circles whose weakest majority is the clearest: model_1 beats model_2 beats model_3 beats model_1.

        Columns: model_1..3, share_12, share_23, share_31 (of the winner), judgments (of the pair with the fewest).
        """
        counts, names, triples = self.fit.counts, self.fit.models, self.circles.triples
        share, way = self.pairs.observed, directions(self.pairs.observed)
        rows = np.stack([triples.ij, triples.jk, triples.ik])
        forward = (way[rows[0]] == 2) & (way[rows[1]] == 2) & (way[rows[2]] == 0)
        backward = (way[rows[0]] == 0) & (way[rows[1]] == 0) & (way[rows[2]] == 2)
        some = np.flatnonzero(forward | backward)
        rows = rows[:, some]
        majority = np.abs(share[rows] - 0.5)
        clear = (majority * np.sqrt(counts.weight[rows])).min(axis=0)
        order = np.lexsort((some, -clear))[:most]
        rows, ahead = rows[:, order], forward[some[order]]
        i, j, k = counts.a[rows[0]], counts.b[rows[0]], counts.b[rows[1]]
        wins = 0.5 + majority[:, order]
        second, third = np.where(ahead, j, k), np.where(ahead, k, j)
        return pd.DataFrame(
            {
                "model_1": pd.Series([names[x] for x in i], dtype=object),
                "model_2": pd.Series([names[x] for x in second], dtype=object),
                "model_3": pd.Series([names[x] for x in third], dtype=object),
                "share_12": np.where(ahead, wins[0], wins[2]),
                "share_23": wins[1],
                "share_31": np.where(ahead, wins[2], wins[0]),
                "judgments": counts.count[rows].min(axis=0) if len(order) else np.zeros(0, dtype=np.int64),
            }
        )


def _held(name: str, held: Held | None, level: float) -> dict[str, Any]:
    if held is None:
        return dict.fromkeys((name, *(f"{name}_{part}" for part in ("expected", "lower", "upper", "p"))))
    lower, upper = held.interval(level)
    values = (held.value, held.expected, lower, upper, held.p)
    return dict(zip((name, *(f"{name}_{part}" for part in ("expected", "lower", "upper", "p"))), values, strict=True))


def check_fit(
    cells: Cells, clustering: Clustering, rng: np.random.Generator, *, sign_draws: int = SIGN_DRAWS,
    data_draws: int = DATA_DRAWS, tick: Tick = lambda share: None,
) -> FitCheck:  # fmt: skip
    """Fit one judge's strengths and hold every pair of models against them.

    sign_draws, data_draws : fewer are taken where the data are large; tick : is told the share of the work done

    Raises NotIdentifiedError where nothing can miss: no two models on one scale, or pairs that form a tree.
    """
    fit = fit_bradley_terry(cells)
    cells = cells.among(fit.models).without_position()
    counts = fit.counts
    n_models, n_pairs = len(fit.models), len(counts.a)
    df = n_pairs - (n_models - 1)
    if df == 0:
        met = "the only pair of models" if n_pairs == 1 else f"the {n_pairs} pairs of models that met form a tree and"
        raise NotIdentifiedError(
            f"{met} fits any scale exactly, so that one scale fits cannot be tested. Have pairs judged that close a "
            "circle of three models"
        )
    expected = expect(fit)
    many = n_models > MANY_MODELS
    ways = () if clustering.name == "none" else tuple(clustering.name.split("+"))
    parts = [gather_entries(fit, cells, way, expected) for way in ways]
    n_clusters = min((entries.n_clusters for entries in parts), default=0)
    statistic = float(pearson(expected.residual, expected))
    p_naive = float(chdtrc(df, statistic))
    p = p_naive if not ways else None
    departure, draws = None, 0
    if n_clusters >= LEAST_CLUSTERS:
        size = sum(len(entries.row) for entries in parts) + 3 * n_pairs
        draws = int(np.clip(MOST_SUMS / size, min(LEAST_DRAWS, sign_draws), sign_draws))
        turned = [(entries, give_back(fit, entries, expected)) for entries in parts]
        drawn = draw_signs(fit, turned, expected, rng, draws, lambda share: tick(0.5 * share))
        p = float((1 + (drawn.statistic >= statistic * (1 - 1e-9)).sum()) / (1 + draws))
        excess = float(((expected.residual**2 - drawn.noise) / counts.weight).sum() / counts.weight.sum())
        departure = float(np.sqrt(max(excess, 0.0)))
    covariance = None if many else _covariance(fit, cells, clustering)
    pairs = _pair_fits(fit, expected, parts, covariance)
    data = 0 if many else int(np.clip(MOST_SHARES / n_pairs, min(LEAST_DRAWS, data_draws), data_draws))
    circles = look_for_circles(
        fit, parts[0] if parts else None, expected, Uncertain.of(fit, covariance), rng, data,
        lambda share: tick(0.5 + 0.5 * share),
    )  # fmt: skip
    return FitCheck(
        fit=fit,
        clustering=clustering,
        n_clusters=n_clusters,
        statistic=statistic,
        df=df,
        p=p,
        p_naive=p_naive,
        departure=departure,
        n_draws=draws,
        pairs=pairs,
        circles=circles,
        warnings=_warnings(fit, clustering, parts, covariance, pairs, circles),
    )


def _covariance(fit: BradleyTerry, cells: Cells, clustering: Clustering) -> Covariance | None:
    try:
        return strength_covariance([fit], [cells], clustering)
    except NotIdentifiedError:
        # A single cluster: the verdicts' own spread is all there is.
        return strength_covariance([fit], [cells], choose_clustering("none", 0))


def _pair_fits(fit: BradleyTerry, expected: Expected, parts: list[Entries], covariance: Covariance | None) -> PairFits:
    counts = fit.counts
    n_pairs = len(counts.a)
    bread = fit.bread
    strengths = bread[counts.a, counts.a] + bread[counts.b, counts.b] - 2 * bread[counts.a, counts.b]
    # Of a pair that alone holds two groups of models together nothing is left to miss.
    rest = 1 - expected.curvature * strengths
    free = rest > 1e-9
    naive = np.zeros(n_pairs)
    naive[free] = expected.residual[free] / np.sqrt(expected.curvature[free] * rest[free])
    z, p = np.full(n_pairs, np.nan), np.full(n_pairs, np.nan)
    clusters = np.zeros(n_pairs, dtype=np.int64)
    if not parts:
        z, p = np.where(free, naive, np.nan), np.where(free, 2 * ndtr(-np.abs(naive)), np.nan)
    elif covariance is not None and covariance.n_clusters:
        ways = zip(parts, covariance.terms, strict=False)
        prior = np.maximum(rest, 0) * model_variance(counts, parts[0], expected, n_parameters=len(fit.models) - 1)
        found = [pair_variance(fit, entries, expected, term, prior) for entries, term in ways]
        clusters = np.min([one.clusters for one in found], axis=0)
        # Two ways: what both share is counted twice, too cautious rather than too bold.
        variance = np.sum([one.variance for one in found], axis=0)
        usable = free & (variance > 0)
        z[usable] = expected.residual[usable] / counts.weight[usable] / np.sqrt(variance[usable])
        df = np.min([one.df for one in found], axis=0)
        p[usable] = 2 * stdtr(df[usable], -np.abs(z[usable]))
    return PairFits(counts.score / counts.weight, expected.share, naive, z, p, clusters, counts.count)


def _warnings(
    fit: BradleyTerry, clustering: Clustering, parts: list[Entries], covariance: Covariance | None, pairs: PairFits,
    circles: Circles,
) -> tuple[str, ...]:  # fmt: skip
    n_pairs, way = len(pairs.p), clustering.name.split("+")[0]
    found = []
    if not parts:
        found.append("the test takes all judgments as independent and rejects too often wherever they share a prompt")
    elif covariance is not None:
        found += covariance.warnings
    if len(parts) > 1:
        found.append("what verdicts of one prompt and one annotator share is counted twice: this test is cautious")
    if parts and min(entries.n_clusters for entries in parts) < LEAST_CLUSTERS:
        found.append(f"fewer than {LEAST_CLUSTERS} {way}s cannot show how residuals vary: only the naive test is made")
    elif parts and covariance is not None:
        untested = int((pairs.clusters < FEW_CLUSTERS_A_PAIR).sum())
        if untested:
            found.append(
                f"{untested:,} of {n_pairs:,} pairs of models were judged under fewer than {FEW_CLUSTERS_A_PAIR} "
                f"{way}s and are not tested one by one"
            )
        if float(np.median(pairs.clusters)) < 2:
            found.append(
                f"most pairs of models were judged under a single {way}: a misfit of the pair cannot be told from the "
                f"{way}'s own taste there, so this test finds little"
            )
    if covariance is None:
        found.append(f"with {len(fit.models):,} models single pairs and circles are not tested, only the whole is")
    if circles.triples.sampled:
        found.append(f"circles are counted in a random part of the {circles.triples.total:,.0f} triples of models")
    if fit.left_out:
        n = len(fit.left_out)
        found.append(
            f"{n:,} model{'s have' if n > 1 else ' has'} no strength and no part in this: {told_left_out(fit.left_out)}"
        )
    return tuple(found)
