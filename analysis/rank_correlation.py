"""Do two judges put the models in the same order, and how sure is that?

Spearman's rho and Kendall's tau-b (Kendall 1945) of two judges' strengths. The interval comes from a
bootstrap that draws whole clusters with replacement, the same ones for both judges: the percentiles of
its replicates, or those percentiles corrected for bias (Efron 1982).

Noise in the strengths pulls the figure towards 0, and pulls each replicate once more. So both intervals
speak about the correlation of strengths known this well, not of strengths known exactly, and lie too low
for the latter the more models share the judgments. Simulated with 12 models, the plain interval held the
exact value in 86 to 90 % of data sets and the corrected one in 83 %; with 59 models and 13 prompts, in 3 %
and 18 %. The plain one is therefore the default; neither is a confidence interval of the exact value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from analysis.bootstrap import REPLICATES, RIDGE, Report, replicate_strengths
from analysis.cells import Cells, Floats, Ints
from analysis.strengths import Strengths
from analysis.tables import floats
from analysis.vcov import Clustering, Covariance
from errors import OptionError

FEW_PROMPTS = 30


def ranks_of(values: Floats, order: Ints | None = None) -> Floats:
    """Ranks within each row, equal values sharing their mean rank. order : of each row, where it is known"""
    rows = np.atleast_2d(values)
    n = rows.shape[1]
    order = np.argsort(rows, axis=1) if order is None else order
    out = np.empty(rows.shape)
    np.put_along_axis(out, order, np.arange(1.0, n + 1)[None, :], axis=1)
    ascending = np.take_along_axis(rows, order, axis=1)
    tied = np.flatnonzero(~(ascending[:, 1:] != ascending[:, :-1]).all(axis=1))
    if len(tied):
        out[tied] = _with_ties(ascending[tied], order[tied])
    return out.reshape(values.shape)


def _with_ties(ascending: Floats, order: Ints) -> Floats:
    """The ranks of rows that are given in ascending order, and where each value stands."""
    n = ascending.shape[1]
    new = np.ones(ascending.shape, dtype=bool)
    new[:, 1:] = ascending[:, 1:] != ascending[:, :-1]
    position = np.arange(n)
    first = np.maximum.accumulate(np.where(new, position, 0), axis=1)
    ends = np.ones(ascending.shape, dtype=bool)
    ends[:, :-1] = new[:, 1:]
    last = np.minimum.accumulate(np.where(ends, position, n)[:, ::-1], axis=1)[:, ::-1]
    out = np.empty(ascending.shape)
    np.put_along_axis(out, order, (first + last) / 2 + 1, axis=1)
    return out


Orders = tuple[Ints, Ints]


def orders_of(x: Floats, y: Floats) -> Orders:
    """Where the values of each row stand in ascending order: what both correlations begin with."""
    return np.argsort(np.atleast_2d(x), axis=1), np.argsort(np.atleast_2d(y), axis=1)


def spearman(x: Floats, y: Floats, orders: Orders | None = None) -> Floats:
    """Spearman's rho of each row of x with that of y, (..., n) to (...); NaN where one is constant.

    orders : as `orders_of` says, where they are known
    """
    of_x, of_y = orders_of(x, y) if orders is None else orders
    a, b = ranks_of(x, of_x), ranks_of(y, of_y)
    a, b = a - a.mean(axis=-1, keepdims=True), b - b.mean(axis=-1, keepdims=True)
    square = (a * a).sum(axis=-1) * (b * b).sum(axis=-1)
    return _share((a * b).sum(axis=-1), square)


def kendall(x: Floats, y: Floats, orders: Orders | None = None) -> Floats:
    """Kendall's tau-b of each row of x with that of y, (..., n) to (...); NaN where one is constant.

    orders : as `orders_of` says, where they are known
    """
    rows_x, rows_y = np.atleast_2d(x), np.atleast_2d(y)
    n = rows_x.shape[1]
    order_x, order_y = orders_of(x, y) if orders is None else orders
    if n > 1 and not _has_ties(rows_x, order_x) and not _has_ties(rows_y, order_y):
        # Without ties the pairs in another order tell all: y in the order of x, as short numbers.
        short = np.int16 if n < 2**15 else np.int64
        rank = np.empty(rows_y.shape, dtype=short)
        np.put_along_axis(rank, order_y, np.arange(n, dtype=rank.dtype)[None, :], axis=1)
        rank = np.take_along_axis(rank, order_x, axis=1).T.copy()
        turned = np.zeros(len(rows_x), dtype=np.int64)
        for k in range(n - 1):
            turned += np.add.reduce((rank[k + 1 :] < rank[k]).view(np.int8), axis=0, dtype=short)
        return np.asarray(1 - 4 * turned / (n * (n - 1))).reshape(np.shape(x)[:-1])
    concordant, untied_x, untied_y = (np.zeros(len(rows_x)) for _ in range(3))
    for k in range(n - 1):
        sign_x = np.sign(rows_x[:, k + 1 :] - rows_x[:, k : k + 1])
        sign_y = np.sign(rows_y[:, k + 1 :] - rows_y[:, k : k + 1])
        concordant += np.einsum("rk,rk->r", sign_x, sign_y)
        untied_x += np.abs(sign_x).sum(axis=1)
        untied_y += np.abs(sign_y).sum(axis=1)
    return _share(concordant, untied_x * untied_y).reshape(np.shape(x)[:-1])


def _has_ties(rows: Floats, order: Ints) -> bool:
    ordered = np.take_along_axis(rows, order, axis=1)
    return not bool((ordered[:, 1:] > ordered[:, :-1]).all())


def _share(product: Floats, square: Floats) -> Floats:
    defined = square > 0
    root = np.sqrt(np.where(defined, square, 1.0))
    return np.asarray(np.where(defined, product / root, np.nan))


@dataclass(frozen=True)
class Bootstrapped:
    """A figure with its bootstrap replicates.

    value : the figure itself, or None when undefined; replicates : (n,) the defined replicates
    """

    value: float | None
    replicates: Floats

    def interval(self, level: float = 0.95, *, corrected: bool = False) -> Interval:
        """Percentile interval, on request bias-corrected (Efron 1982); absent without value or replicates."""
        if not 0 < level < 1:
            raise OptionError(f"level {level!r} is not between 0 and 1; 0.95 is usual")
        n = len(self.replicates)
        if self.value is None or n == 0:
            return Interval(self.value, None, None)
        tails = np.array([(1 - level) / 2, (1 + level) / 2])
        if corrected:
            below = (self.replicates < self.value).sum() + (self.replicates == self.value).sum() / 2
            # Replicates all on one side would ask for an infinite correction.
            bias = ndtri(np.clip(below / n, 0.5 / n, 1 - 0.5 / n))
            tails = ndtr(2 * bias + ndtri(tails))
        lower, upper = np.quantile(self.replicates, tails)
        return Interval(self.value, float(lower), float(upper))


@dataclass(frozen=True)
class Interval:
    """A figure with the ends of its interval; what is undefined is None."""

    value: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class RankCorrelation:
    """Agreement of two judges' orders of models.

    clusters : what was drawn ("prompt", "pair", ...), None when no interval was made; n_clusters of them
    n_replicates : bootstrap replicates; share_separated : those in which, for either judge, some model
        only won, only lost or was not met (their strengths rest on the ridge)
    penalty : the ridge in the replicates (the figures themselves have none)
    """

    spearman: Bootstrapped
    kendall: Bootstrapped
    clusters: str | None
    n_clusters: int
    n_replicates: int
    share_separated: float
    penalty: float
    warnings: tuple[str, ...]

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """Two rows: measure, value, lower, upper; what is undefined is missing (pandas.NA)."""
        found = [figure.interval(level) for figure in (self.spearman, self.kendall)]
        return pd.DataFrame(
            {
                "measure": ["spearman", "kendall"],
                "value": floats([one.value for one in found]),
                "lower": floats([one.lower for one in found]),
                "upper": floats([one.upper for one in found]),
            }
        )


def correlate_ranks(
    fits: Sequence[Strengths],
    cells: Sequence[Cells],
    clustering: Clustering,
    rng: np.random.Generator,
    *,
    replicates: int = REPLICATES,
    covariance: Covariance | None = None,
    report: Report | None = None,
) -> RankCorrelation:
    """Spearman's rho and Kendall's tau-b of two judges with their cluster-bootstrap intervals.

    fits : reference and judge, over the same models; cells : their judgments
    covariance : of the stacked parameters of both, where it is known; must be of these fits in this order
    With two ways of clustering the first (prompt) is drawn; without clustering there is no interval. Replicates are
    refits, or one Newton step from the fit where that does as well: see `replicate_strengths`.
    report : called with the share that is done; may raise to stop the work

    Raises NotIdentifiedError with fewer than two clusters.
    """
    reference, judge = fits
    if reference.models != judge.models:
        raise ValueError("the two fits must be over the same models in the same order")
    rho = float(spearman(reference.strength, judge.strength))
    tau = float(kendall(reference.strength, judge.strength))
    if clustering.name == "none" or replicates == 0:
        note = ("rank correlations have no interval without clusters to draw",) if replicates else ()
        empty = np.empty(0)
        return RankCorrelation(_figure(rho, empty), _figure(tau, empty), None, 0, 0, 0.0, RIDGE, note)
    way = clustering.name.split("+")[0]
    drawn = replicate_strengths(
        fits, cells, way, rng, replicates=replicates, ridge=RIDGE, covariance=covariance, report=report
    )
    separated = drawn[0].separated | drawn[1].separated
    n = drawn[0].n_clusters
    share = float(separated.mean())
    replicated = drawn[0].strength, drawn[1].strength
    orders = orders_of(*replicated)
    return RankCorrelation(
        spearman=_figure(rho, spearman(*replicated, orders)),
        kendall=_figure(tau, kendall(*replicated, orders)),
        clusters=way,
        n_clusters=n,
        n_replicates=replicates,
        share_separated=share,
        penalty=drawn[0].penalty,
        warnings=_warnings(clustering, way, n, share),
    )


def _figure(value: float, replicates: Floats) -> Bootstrapped:
    return Bootstrapped(None if np.isnan(value) else value, replicates[~np.isnan(replicates)])


def _warnings(clustering: Clustering, way: str, n: int, share: float) -> tuple[str, ...]:
    found = []
    if "+" in clustering.name:
        found.append(f"the interval of the rank correlation draws {way}s only")
    if n < FEW_PROMPTS:
        trust = "is a rough guide only" if n >= 10 else "cannot be trusted"
        found.append(f"with {n} {way}s the interval of the rank correlation {trust}")
    if share:
        some = f"{100 * share:.0f}" if share >= 0.01 else "less than 1"
        found.append(
            f"in {some} % of the bootstrap replicates some model only won, only lost or was not met; a ridge of "
            f"{f'{RIDGE:g}'.lstrip('0')} kept its strength finite there"
        )
    return tuple(found)
