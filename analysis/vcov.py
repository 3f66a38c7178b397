"""How sure are we? Covariances of estimates when judgments of one prompt or annotator hang together.

From 50 clusters on: the sandwich with the factor G/(G-1), "CR1" (Liang and Zeger 1986), and normal
quantiles. Below: the delete-one-cluster jackknife centred at the full estimate, "CR3" (Bell and McCaffrey
2002; MacKinnon, Nielsen and Webb 2023), and t with G-1 degrees of freedom. Two ways of clustering at
once: Cameron, Gelbach and Miller (2011). Estimates of several judges are stacked, so that differences
between judges who saw the same prompts get their joint covariance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from analysis.bradley_terry import BradleyTerry
from analysis.cells import Cells, Floats, Ints, dense_codes, place
from analysis.connectivity import connected_replicates, position_identified
from analysis.replicates import refit
from errors import NotIdentifiedError, OptionError

FEW_CLUSTERS = 50
FEW_PROMPTS = 10
JACKKNIFE_RIDGE = 0.01
# Rows of the cluster x parameter score matrix held at a time: 2 MB at 100 models stays in the cache.
BLOCK_ENTRIES = 262_144

ClusterName = Literal["prompt", "pair", "annotator", "prompt+annotator", "none"]


@dataclass(frozen=True)
class Clustering:
    """Which judgments are taken to hang together, and how that was chosen.

    chosen : "asked for", or the rule that chose it; warning : what the reader must know, or None
    """

    name: ClusterName
    chosen: str = "asked for"
    warning: str | None = None


def choose_clustering(cluster: str, n_prompts: int) -> Clustering:
    """Resolve `auto`: by prompt when there are at least 10 prompts, otherwise by pair with a warning.

    Raises OptionError for an unknown name.
    """
    if cluster == "auto":
        if n_prompts >= FEW_PROMPTS:
            return Clustering("prompt", f"automatic: there are {n_prompts} prompts")
        return Clustering(
            "pair",
            f"automatic: there are only {n_prompts} prompts, fewer than {FEW_PROMPTS}",
            f"these intervals speak about these prompts only: {n_prompts} are too few to generalise from",
        )
    if cluster == "none":
        return Clustering(
            "none",
            warning="these intervals take all judgments as independent and are too narrow wherever "
            "judgments share a prompt or an annotator",
        )
    if cluster in ("prompt", "pair", "annotator", "prompt+annotator"):
        return Clustering(cluster)  # type: ignore[arg-type]
    raise OptionError(f"cluster {cluster!r} is unknown: use auto, prompt, pair, annotator, prompt+annotator or none")


@dataclass(frozen=True)
class Quantiles:
    """The distribution that intervals and p-values refer to: normal, or t with `df` degrees of freedom."""

    df: float | None

    def two_sided(self, level: float = 0.95) -> float:
        """Half-width of a central interval, in standard errors."""
        if not 0 < level < 1:
            raise OptionError(f"level {level!r} is not between 0 and 1; 0.95 is usual")
        tail = (1 + level) / 2
        return float(ndtri(tail) if self.df is None else stdtrit(self.df, tail))

    def p_value(self, z: Floats) -> Floats:
        """Two-sided p-values of estimates given in standard errors."""
        below = -np.abs(z)
        return np.asarray(2 * (ndtr(below) if self.df is None else stdtr(self.df, below)))


@dataclass(frozen=True)
class Term:
    """One way of clustering inside a covariance.

    clusters : what forms a cluster; n_clusters : how many there are; sign : +1, or -1 for an intersection
    vcov : (k, k) covariance of the estimates under this clustering alone
    replicates : (n_clusters, k) estimates without one cluster, where the jackknife applies; else None
    n_ridged : replicates that were not identified and were refitted with a ridge of .01
    """

    clusters: str
    n_clusters: int
    sign: int
    vcov: Floats
    replicates: Floats | None = None
    n_ridged: int = 0


@dataclass(frozen=True)
class Covariance:
    """Covariance of k estimates, with what is needed to carry it over to functions of them.

    estimate : (k,) the estimates themselves
    terms : the clusterings whose signed sum it is; a single one except for two-way clustering
    """

    clustering: Clustering
    estimate: Floats
    terms: tuple[Term, ...]

    @property
    def n_clusters(self) -> int:
        """Clusters behind it; with two ways of clustering, of the smaller number; 0 without clustering."""
        return min(term.n_clusters for term in self.terms if term.sign > 0)

    @property
    def quantiles(self) -> Quantiles:
        """Normal from 50 clusters and without clustering; t below 50 and with two ways of clustering."""
        two_way = len(self.terms) > 1
        t = self.clustering.name != "none" and (two_way or self.n_clusters < FEW_CLUSTERS)
        return Quantiles(self.n_clusters - 1.0 if t else None)

    @cached_property
    def _raw(self) -> Floats:
        return np.asarray(sum(term.sign * term.vcov for term in self.terms))

    @cached_property
    def floored(self) -> bool:
        """Whether a two-way covariance had negative eigenvalues, which were set to 0."""
        if len(self.terms) == 1:
            return False
        values = np.linalg.eigvalsh(self._raw)
        return bool(values[0] < -1e-10 * abs(values[-1]))

    @cached_property
    def vcov(self) -> Floats:
        """(k, k) the covariance, positive semi-definite."""
        if not self.floored:
            return self._raw
        values, vectors = np.linalg.eigh(self._raw)
        return np.asarray((vectors * np.maximum(values, 0)) @ vectors.T)

    @property
    def se(self) -> Floats:
        """(k,) standard errors."""
        return np.sqrt(np.maximum(np.diag(self.vcov), 0))

    @property
    def share_ridged(self) -> float:
        """Share of jackknife replicates that needed a ridge; 0 without the jackknife."""
        replicates = sum(term.n_clusters for term in self.terms if term.replicates is not None)
        return sum(term.n_ridged for term in self.terms) / replicates if replicates else 0.0

    @property
    def method(self) -> str:
        """What the intervals are, for a caption."""
        name = self.clustering.name
        if name == "none":
            return "naive (judgments taken as independent), normal quantiles"
        counts = " and ".join(
            f"{term.n_clusters} {term.clusters}s ({'CR1' if term.replicates is None else 'jackknife, CR3'})"
            for term in self.terms
            if term.sign > 0
        )
        df = self.quantiles.df
        ending = "normal quantiles" if df is None else f"t with {df:.0f} degrees of freedom"
        return f"clustered by {counts}, {ending}"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before believing the intervals."""
        found = [] if self.clustering.warning is None else [self.clustering.warning]
        if self.floored:
            found.append("the two-way covariance had negative eigenvalues, which were set to 0")
        if self.share_ridged:
            found.append(
                f"{self.share_ridged:.0%} of the jackknife replicates left models that only won or only "
                f"lost and were refitted with a ridge of {JACKKNIFE_RIDGE}: these intervals are rough"
            )
        return tuple(found)

    def of(self, function: Callable[[Floats], Floats], jacobian: Floats) -> Covariance:
        """Covariance of `function(estimates)`: its jackknife where there are replicates, else linearised.

        function : maps (..., k) estimates to (..., q) values; jacobian : (q, k) its derivative
        """
        value = function(self.estimate)
        terms = []
        for term in self.terms:
            if term.replicates is None:
                terms.append(replace(term, vcov=jacobian @ term.vcov @ jacobian.T))
                continue
            replicates = function(term.replicates)
            spread = _jackknife_vcov(replicates, value)
            terms.append(replace(term, vcov=spread, replicates=replicates))
        return Covariance(self.clustering, value, tuple(terms))


def _jackknife_vcov(replicates: Floats, estimate: Floats) -> Floats:
    away = replicates - estimate
    return np.asarray((len(away) - 1) / len(away) * (away.T @ away))


def strength_covariance(fits: Sequence[BradleyTerry], cells: Sequence[Cells], clustering: Clustering) -> Covariance:
    """Joint covariance of the stacked parameters of one or more judges.

    fits, cells : one each per judge; the cells may hold further models, which are left aside
    Returns a Covariance over [parameters of judge 1, parameters of judge 2, ...] in the fits' order.

    Raises NotIdentifiedError with fewer than two clusters, OptionError when the cells lack the codes.
    """
    used = [
        (part if fit.position is not None else part.without_position()).among(fit.models)
        for fit, part in zip(fits, cells, strict=True)
    ]
    estimate = np.concatenate([fit.parameters for fit in fits])
    name = clustering.name
    if name == "none":
        naive = _block_diagonal([fit.bread for fit in fits])
        return Covariance(clustering, estimate, (Term("none", 0, 1, naive),))
    ways = name.split("+")
    codes = {way: dense_codes([cluster_codes(part, way) for part in used]) for way in ways}
    terms = [_term(fits, used, way, found.codes, found.n_clusters, 1) for way, found in codes.items()]
    if len(ways) == 2:
        one, two = (codes[way] for way in ways)
        both = dense_codes(
            [p * two.n_clusters + q for p, q in zip(one.codes, two.codes, strict=True)],
        )
        terms.append(_term(fits, used, f"{ways[0]} x {ways[1]}", both.codes, both.n_clusters, -1))
    return Covariance(clustering, estimate, tuple(terms))


def cluster_codes(cells: Cells, way: str) -> Ints:
    """The cells' codes of one way of clustering; OptionError when they are not there."""
    if way not in cells.clusters:
        raise OptionError(f"intervals clustered by {way} need the {way} of each judgment, which is not there")
    return cells.clusters[way]


def _block_diagonal(blocks: Sequence[Floats]) -> Floats:
    size = sum(len(block) for block in blocks)
    out = np.zeros((size, size))
    start = 0
    for block in blocks:
        out[start : start + len(block), start : start + len(block)] = block
        start += len(block)
    return out


def _term(
    fits: Sequence[BradleyTerry], cells: Sequence[Cells], way: str, codes: Sequence[Ints], n: int, sign: int
) -> Term:
    if n < 2:
        raise NotIdentifiedError(
            f"intervals clustered by {way} need at least 2 {way}s, and there is {n}. Cluster by something "
            "else, or choose more data"
        )
    if n < FEW_CLUSTERS:
        parts = [_leave_one_out(fit, part, code, n) for fit, part, code in zip(fits, cells, codes, strict=True)]
        replicates = np.hstack([part.parameters for part in parts])
        ridged = np.any([part.ridged for part in parts], axis=0)
        estimate = np.concatenate([fit.parameters for fit in fits])
        vcov = _jackknife_vcov(replicates, estimate)
        return Term(way, n, sign, vcov, replicates, int(ridged.sum()))
    bread = _block_diagonal([fit.bread for fit in fits])
    vcov = bread @ _meat(fits, cells, codes, n) @ bread * (n / (n - 1))
    return Term(way, n, sign, (vcov + vcov.T) / 2)


@dataclass(frozen=True)
class _LeaveOneOut:
    parameters: Floats
    ridged: NDArray[np.bool_]


def _leave_one_out(fit: BradleyTerry, cells: Cells, codes: Ints, n_clusters: int) -> _LeaveOneOut:
    counts = fit.counts
    n_rows = len(counts.a)
    placed = place(cells, counts)
    key = codes * n_rows + placed.row
    shape = (n_clusters, n_rows)
    size = n_clusters * n_rows
    weight = counts.weight - np.bincount(key, cells.weight, size).reshape(shape)
    score = counts.score - np.bincount(key, placed.score, size).reshape(shape)
    # What remains of a row by rounding alone is nothing.
    weight[weight < 1e-9 * counts.weight] = 0.0
    score = np.clip(score, 0.0, weight)
    identified = connected_replicates(counts, weight, score)
    if fit.position is not None:
        for k in np.flatnonzero(identified):
            some = weight[k] > 0
            rows = (counts.a[some], counts.b[some], counts.first[some])  # type: ignore[index]
            rest = replace(counts, **dict(zip(("a", "b", "first"), rows, strict=True)))
            rest = replace(rest, weight=weight[k, some], score=score[k, some], count=counts.count[some])
            identified[k] = position_identified(rest)
    ridge = np.where(identified, 0.0, JACKKNIFE_RIDGE)
    return _LeaveOneOut(refit(counts, weight, score, fit.parameters, ridge), ~identified)


def _residuals(fit: BradleyTerry, cells: Cells) -> Floats:
    """(n_cells,) score - weight * P(i preferred)."""
    n = len(fit.models)
    theta = fit.strength
    orders = 1 if cells.first is None else 3
    if n * n * orders < len(cells.i):
        # One exponential for each pair of models instead of each cell.
        d = (theta[:, None] - theta[None, :])[:, :, None]
        if fit.position is not None:
            d = d + fit.position * np.array([-1.0, 0.0, 1.0])
        expected = np.take((1.0 / (1.0 + np.exp(-d))).reshape(-1), cells.key)
    else:
        d = theta[cells.i] - theta[cells.j]
        if fit.position is not None and cells.first is not None:
            d += fit.position * cells.first
        expected = 1.0 / (1.0 + np.exp(-d))
    expected *= cells.weight
    return np.asarray(np.subtract(cells.score, expected, out=expected))


def _meat(fits: Sequence[BradleyTerry], cells: Sequence[Cells], codes: Sequence[Ints], n_clusters: int) -> Floats:
    """(k, k) sum over clusters of the outer products of the stacked scores."""
    width = sum(len(fit.parameters) for fit in fits)
    sorted_parts = [_by_cluster(fit, part, code) for fit, part, code in zip(fits, cells, codes, strict=True)]
    step = max(1, BLOCK_ENTRIES // width)
    starts = np.arange(0, n_clusters + step, step)
    cuts = [np.searchsorted(part.codes, starts) for part in sorted_parts]
    meat = np.zeros((width, width))
    for block, start in enumerate(starts[:-1]):
        rows = min(step, n_clusters - int(start))
        scores = np.empty((rows, width))
        column = 0
        for part, cut in zip(sorted_parts, cuts, strict=True):
            part.add_scores(scores, column, int(start), slice(cut[block], cut[block + 1]))
            column += part.width
        meat += scores.T @ scores
    return meat


@dataclass(frozen=True)
class _ByCluster:
    codes: Ints
    i: Ints
    j: Ints
    residual: Floats
    first: Floats | None
    n_models: int

    @property
    def width(self) -> int:
        return self.n_models + (self.first is not None)

    def add_scores(self, scores: Floats, column: int, start: int, cut: slice) -> None:
        """Write the score sums of clusters start.. into the columns of this judge."""
        rows, n = len(scores), self.n_models
        code, residual = self.codes[cut] - start, self.residual[cut]
        key = code * n
        size = rows * n
        sums = np.bincount(key + self.i[cut], residual, size) - np.bincount(key + self.j[cut], residual, size)
        scores[:, column : column + n] = sums.reshape(rows, n)
        if self.first is not None:
            scores[:, column + n] = np.bincount(code, residual * self.first[cut], rows)


def _by_cluster(fit: BradleyTerry, cells: Cells, codes: Ints) -> _ByCluster:
    residual = _residuals(fit, cells)
    i, j, first = cells.i, cells.j, cells.first
    if bool((codes[1:] < codes[:-1]).any()):
        order = np.argsort(codes, kind="stable")
        codes, i, j, residual = codes[order], i[order], j[order], residual[order]
        first = None if first is None else first[order]
    return _ByCluster(codes, i, j, residual, first, len(fit.models))
