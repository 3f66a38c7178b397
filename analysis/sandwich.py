"""How do strengths vary when whole prompts or annotators are drawn anew?

The covariance of the strengths (and position effects) of one or more judges, by the rules of `vcov`.
Estimates of several judges are stacked, so that differences between judges who saw the same prompts get
their joint covariance: V = sum over clusters of D D' with D = H^-1 s of each judge side by side.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, hstack

from analysis.blas import use_one_thread
from analysis.cells import Cells, Floats, Ints, dense_codes
from analysis.strengths import Strengths
from analysis.vcov import FEW_CLUSTERS, Clustering, Covariance, Term, cluster_mass, find_heavy, require_clusters
from errors import NotIdentifiedError, OptionError

# Entries of the cluster x parameter score matrix held at a time: 2 MB, which stays in the cache.
BLOCK_ENTRIES = 262_144
THREADS = 2
# Parameters of which a covariance is computed, and tables of all their pairs held meanwhile: 2 GB.
MOST_PARAMETERS = 6_000
TABLES = 6
# What one product costs in a sparse sum of outer products, in products of a dense one.
SPARSE_COST = 25


def strength_covariance(fits: Sequence[Strengths], cells: Sequence[Cells], clustering: Clustering) -> Covariance:
    """Joint covariance of the stacked parameters of one or more judges.

    fits, cells : one each per judge; the cells may hold further models, which are left aside
    Returns a Covariance over [parameters of judge 1, parameters of judge 2, ...] in the fits' order.

    Raises NotIdentifiedError with fewer than two clusters, OptionError when the cells lack the codes or there are
    more than `MOST_PARAMETERS`.
    """
    width = sum(len(fit.parameters) for fit in fits)
    if width > MOST_PARAMETERS:
        size = width**2 * TABLES * 8 / 1e9
        raise OptionError(
            f"the covariance of {width:,} strengths would take {size:.0f} GB of memory, and up to {MOST_PARAMETERS:,} "
            "are allowed: choose fewer models, or fewer judges at a time"
        )
    used = [fit.used(part) for fit, part in zip(fits, cells, strict=True)]
    estimate = np.concatenate([fit.parameters for fit in fits])
    name = clustering.name
    if name == "none":
        naive = _block_diagonal([fit.bread for fit in fits])
        no_replicates = np.empty((0, len(estimate)))
        return Covariance(clustering, estimate, (Term("none", 0, 1, np.inf, no_replicates, naive),))
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
    fits: Sequence[Strengths], cells: Sequence[Cells], way: str, codes: Sequence[Ints], n: int, sign: int
) -> Term:
    require_clusters(way, n)
    few = n < FEW_CLUSTERS
    deleted, effective = find_heavy(cluster_mass(cells, codes, n))
    parts = [fit.without_each(part, code, deleted) for fit, part, code in zip(fits, cells, codes, strict=True)]
    replicates = np.hstack([part.parameters for part in parts])
    ridged = np.any([part.ridged for part in parts], axis=0)
    if few:
        linear = np.zeros((replicates.shape[1],) * 2)
    else:
        bread = _block_diagonal([fit.bread for fit in fits])
        linear = _between(bread, fits, cells, codes, n, deleted) * (n / (n - 1))
        linear += linear.T.copy()
        linear /= 2
    return Term(way, n, sign, effective, replicates, linear, int(ridged.sum()))


def _between(
    bread: Floats, fits: Sequence[Strengths], cells: Sequence[Cells], codes: Sequence[Ints], n: int, without: Ints
) -> Floats:
    """(k, k) bread times meat times bread.

    With fewer clusters than parameters, each touching few of them, the clusters' influences D = S bread are made first:
    D'D then costs n k^2 products instead of the 2 k^3 of a meat between two breads.
    """
    tables = [_by_cluster(*part, n) for part in zip(fits, cells, codes, strict=True)]
    entries = sum(int((np.diff(table.ends) * table.each).sum()) for table in tables)
    if n >= len(bread) or SPARSE_COST * entries > n * len(bread):
        return np.asarray(bread @ _meat(fits, cells, codes, n, without) @ bread)
    use_one_thread()
    keep = np.ones(n, dtype=bool)
    keep[without] = False

    def part(start: int, stop: int) -> Floats:
        rows = hstack([table.sparse_scores(start, stop) for table in tables], format="csr")[keep[start:stop]]
        influence = np.asarray(rows @ bread)
        return np.asarray(influence.T @ influence)

    cuts = np.linspace(0, n, THREADS + 1).astype(np.int64)
    with ThreadPoolExecutor(THREADS) as pool:
        return np.asarray(sum(pool.map(part, cuts[:-1], cuts[1:])))


def _meat(
    fits: Sequence[Strengths],
    cells: Sequence[Cells],
    codes: Sequence[Ints],
    n_clusters: int,
    without: Ints,
) -> Floats:
    """(k, k) sum over clusters, but those of `without`, of the outer products of the stacked scores."""
    use_one_thread()
    width = sum(len(fit.parameters) for fit in fits)
    tables = [_by_cluster(*part, n_clusters) for part in zip(fits, cells, codes, strict=True)]
    entries = sum((np.diff(table.ends) * table.each for table in tables), start=np.zeros(n_clusters, dtype=np.int64))
    if SPARSE_COST * float(entries @ entries) < float(n_clusters) * width**2:
        return _sparse_meat(tables, n_clusters, without)
    step = max(1, BLOCK_ENTRIES // width)
    starts = range(0, n_clusters, step)

    def sum_blocks(some: range) -> Floats:
        dense = [np.empty((min(step, n_clusters), table.width)) for table in tables]
        total = np.zeros((width, width))
        for start in some:
            stop = min(start + step, n_clusters)
            blocks = [
                table.scores(start, stop, out=room[: stop - start]) for table, room in zip(tables, dense, strict=True)
            ]
            scores = blocks[0] if len(blocks) == 1 else np.hstack(blocks)
            scores[without[(without >= start) & (without < stop)] - start] = 0.0
            total += scores.T @ scores
        return total

    if len(starts) < 2 * THREADS:
        return sum_blocks(starts)
    # Python threads, each with blocks of its own, share the work that threads inside BLAS would not.
    with ThreadPoolExecutor(THREADS) as pool:
        return np.asarray(sum(pool.map(sum_blocks, (starts[k::THREADS] for k in range(THREADS)))))


def influences(fits: Sequence[Strengths], cells: Sequence[Cells], way: str) -> Iterator[Floats]:
    """How far each cluster moves the stacked estimates: blocks of rows H^-1 s, (some clusters, k), in clusters' order.

    Below 50 clusters, and for those with more than 5 % of the weight, exactly: the estimates less those without it.

    Raises NotIdentifiedError with fewer than two clusters, OptionError when the cells lack the codes.
    """
    use_one_thread()
    used = [fit.used(part) for fit, part in zip(fits, cells, strict=True)]
    codes = dense_codes([cluster_codes(part, way) for part in used])
    n = codes.n_clusters
    if n < 2:
        raise NotIdentifiedError(f"this needs at least 2 {way}s, and there is {n}. Choose more data")
    heavy, _ = find_heavy(cluster_mass(used, codes.codes, n))
    parts = [fit.without_each(part, code, heavy) for fit, part, code in zip(fits, used, codes.codes, strict=True)]
    exact = np.concatenate([fit.parameters for fit in fits]) - np.hstack([part.parameters for part in parts])
    if len(heavy) == n:
        yield exact
        return
    tables = [_by_cluster(*part, n) for part in zip(fits, used, codes.codes, strict=True)]
    step = max(1, BLOCK_ENTRIES // sum(len(fit.parameters) for fit in fits))
    for start in range(0, n, step):
        stop = min(start + step, n)
        moved = np.hstack(
            [table.sparse_scores(start, stop) @ fit.bread for table, fit in zip(tables, fits, strict=True)]
        )
        here = (start <= heavy) & (heavy < stop)
        moved[heavy[here] - start] = exact[here]
        yield moved


def _sparse_meat(tables: Sequence[_ByCluster], n_clusters: int, without: Ints) -> Floats:
    """The same where a cluster's scores are mostly 0: few of the models meet under one prompt."""
    keep = np.ones(n_clusters, dtype=bool)
    keep[without] = False

    def sum_part(start: int, stop: int) -> Floats:
        parts = [table.sparse_scores(start, stop) for table in tables]
        scores = parts[0] if len(parts) == 1 else hstack(parts, format="csr")
        if len(without):
            scores = scores[keep[start:stop]]
        return np.asarray((scores.T.tocsr() @ scores).toarray())

    cuts = np.linspace(0, n_clusters, THREADS + 1).astype(np.int64)
    with ThreadPoolExecutor(THREADS) as pool:
        return np.asarray(sum(pool.map(sum_part, cuts[:-1], cuts[1:])))


@dataclass(frozen=True)
class _ByCluster:
    """One judge's cells in the order of clusters; ends : (n_clusters + 1,) where each cluster begins."""

    ends: Ints
    i: Ints
    j: Ints
    residual: Floats
    further: Floats | None
    n_models: int

    @property
    def width(self) -> int:
        return self.n_models + self.each - 2

    @property
    def each(self) -> int:
        """Entries of the score matrix that one cell makes."""
        return 2 if self.further is None else 2 + self.further.shape[1]

    def scores(self, start: int, stop: int, out: Floats) -> Floats:
        """(stop - start, k) sums of scores of some clusters, dense.

        Turning a sparse matrix into a dense one adds up the entries of a column, three times as fast as counting
        them by a combined key.
        """
        return np.asarray(self.sparse_scores(start, stop).toarray(out=out))

    def sparse_scores(self, start: int, stop: int) -> csr_array:
        """(stop - start, k) scores of some clusters; entries of one place are to be added."""
        ends = self.ends[start : stop + 1]
        inside = slice(ends[0], ends[-1])
        residual = self.residual[inside]
        each = self.each
        columns, values = np.empty((len(residual), each), dtype=np.int32), np.empty((len(residual), each))
        columns[:, 0], columns[:, 1] = self.i[inside], self.j[inside]
        values[:, 0], values[:, 1] = residual, -residual
        if self.further is not None:
            columns[:, 2:], values[:, 2:] = np.arange(self.n_models, self.width), self.further[inside]
        row_ends = ((ends - ends[0]) * each).astype(np.int32)
        return csr_array((values.reshape(-1), columns.reshape(-1), row_ends), shape=(stop - start, self.width))


def _by_cluster(fit: Strengths, cells: Cells, codes: Ints, n_clusters: int) -> _ByCluster:
    scores = fit.scores(cells)
    residual, further = scores.residual, scores.further
    i, j = cells.i, cells.j
    ends = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=n_clusters))])
    if bool((codes[1:] < codes[:-1]).any()):
        # A sparse matrix's change of layout is a counting sort, ten times as fast as argsort.
        cell = np.arange(len(codes), dtype=np.int32)
        entries = (np.ones(len(codes), dtype=np.int8), (codes.astype(np.int32), cell))
        order = csr_array(entries, shape=(n_clusters, len(codes))).indices
        residual, i, j = residual[order], i[order], j[order]
        further = None if further is None else further[order]
    return _ByCluster(ends, i, j, residual, further, len(fit.models))
