"""How much do clusters widen a penalised fit of one scenario?

The covariance of the strengths when whole prompts or annotators are drawn anew, by the rules of `vcov`, for a fit
with a prior: the prior keeps every deletion identified, so that one Newton step stands for a refit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from analysis.cells import Cells, Floats, Ints, PairCounts, dense_codes
from analysis.sandwich import cluster_codes
from analysis.vcov import Clustering, find_heavy

# Entries of the (cluster, model) scores held at a time: 32 MB.
CHUNK = 4_000_000


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(-x)) without overflow."""
    e = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1.0, e) / (1.0 + e))


def curvature_of(counts: PairCounts, strength: Floats) -> Floats:
    """(n_rows,) information of each pair of models about its difference."""
    d = strength[counts.a] - strength[counts.b]
    return np.asarray(counts.weight * sigmoid(d) * sigmoid(-d))


def laplacian(counts: PairCounts, curvature: Floats) -> Floats:
    """(n, n) information of the strengths."""
    n = counts.n_models
    upper = np.bincount(counts.a * n + counts.b, curvature, n * n).reshape(n, n)
    return np.asarray(np.diag(upper.sum(axis=0) + upper.sum(axis=1)) - upper - upper.T, dtype=np.float64)


def stiffened(information: Floats, precision: float) -> Floats:
    """(n, n) H + lambda I, and a constant in every entry.

    All that it is solved for has sum 0 and does not feel the constant; without it weights of 1e8 leave an inverse
    whose part along (1, ..., 1), 1 / lambda, drowns the digits of all others.
    """
    n = len(information)
    return np.asarray(information + precision * np.eye(n) + np.trace(information) / n**2, dtype=np.float64)


@dataclass(frozen=True)
class PenalisedFit:
    """The penalised fit of one scenario.

    information : (n, n) H + lambda I, and a constant in every entry
    inverse : (n, n) C, the inverse of H + lambda I without its part along (1, ..., 1)
    residual, curvature : (n_cells,) score - weight * P(i preferred), and weight * P(i preferred) * P(j preferred)
    """

    cells: Cells
    information: Floats
    inverse: Floats
    residual: Floats
    curvature: Floats

    @classmethod
    def of(cls, cells: Cells, counts: PairCounts, strength: Floats, precision: float) -> PenalisedFit:
        """At the penalised optimum. precision : lambda"""
        information = stiffened(laplacian(counts, curvature_of(counts, strength)), precision)
        d = strength[cells.i] - strength[cells.j]
        p, q = sigmoid(d), sigmoid(-d)
        lost = cells.weight - cells.score
        residual = np.asarray(cells.score * q - lost * p)
        inverse = np.asarray(np.linalg.inv(information), dtype=np.float64)
        inverse -= inverse.mean()
        return cls(cells, information, inverse, residual, np.asarray(cells.weight * p * q))


@dataclass(frozen=True)
class Spread:
    """Diagonal of C J C, and the effective number of clusters less 1; both (n,), the variance NaN for one cluster."""

    variance: Floats
    df: Floats


def clustered_spread(fit: PenalisedFit, clustering: Clustering) -> Spread:
    """The spread with scores summed in clusters.

    Two ways of clustering at once: the largest of the two and of their combination, with the fewer degrees of
    freedom (MacKinnon, Nielsen and Webb 2024).
    """
    ways = clustering.name.split("+")
    codes = [dense_codes([cluster_codes(fit.cells, way)]) for way in ways]
    found = [_one_way(fit, one.codes[0], one.n_clusters) for one in codes]
    if len(ways) == 1:
        return found[0]
    first, second = found
    both = dense_codes([codes[0].codes[0] * codes[1].n_clusters + codes[1].codes[0]])
    crossed = _one_way(fit, both.codes[0], both.n_clusters)
    joint = first.variance + second.variance - crossed.variance
    largest = np.maximum(np.maximum(first.variance, second.variance), joint)
    return Spread(largest, np.minimum(first.df, second.df))


def _one_way(fit: PenalisedFit, codes: Ints, n_clusters: int) -> Spread:
    """One way of clustering: each cluster deleted in one step where there are few, and heavy ones; else CR1."""
    cells, n = fit.cells, len(fit.inverse)
    rows, columns = np.r_[codes, codes], np.r_[cells.i, cells.j]
    mass = csr_array((np.r_[cells.weight, cells.weight], (rows, columns)), shape=(n_clusters, n))
    mass.sum_duplicates()
    df = np.asarray(mass.sum(axis=0)) ** 2 / np.asarray(mass.multiply(mass).sum(axis=0)) - 1.0
    if n_clusters < 2:
        return Spread(np.full(n, np.nan), df)
    scores = csr_array((np.r_[fit.residual, -fit.residual], (rows, columns)), shape=(n_clusters, n))
    scores.sum_duplicates()
    deleted, _ = find_heavy(np.bincount(codes, cells.weight, n_clusters))
    kept = scores[np.setdiff1d(np.arange(n_clusters), deleted, assume_unique=True)]
    moved = _move(fit, codes, scores[deleted].toarray(), deleted)
    shrink = (n_clusters - 1) / n_clusters
    return Spread(_squares(kept, fit.inverse) / shrink + (moved**2).sum(axis=0) * shrink, df)


def _squares(scores: csr_array, inverse: Floats) -> Floats:
    """(n,) diagonal of inverse @ scores.T @ scores @ inverse, the cheaper way round."""
    n = len(inverse)
    if scores.nnz > n * n:
        meat = (scores.T.tocsr() @ scores).toarray()
        return np.asarray(((inverse @ meat) * inverse).sum(axis=1))
    total = np.zeros(n)
    step = max(1, CHUNK // n)
    for start in range(0, scores.shape[0], step):
        total += (np.asarray(scores[start : start + step] @ inverse) ** 2).sum(axis=0)
    return total


def _move(fit: PenalisedFit, codes: Ints, scores: Floats, deleted: Ints) -> Floats:
    """(n_deleted, n) how far the penalised strengths move without each cluster: one Newton step, exact in H."""
    cells, n = fit.cells, len(fit.inverse)
    order = np.argsort(codes, kind="stable")
    ends = np.concatenate([[0], np.cumsum(np.bincount(codes))])
    out = np.empty((len(deleted), n))
    for k, cluster in enumerate(deleted):
        rows = order[ends[cluster] : ends[cluster + 1]]
        low, high = np.minimum(cells.i[rows], cells.j[rows]), np.maximum(cells.i[rows], cells.j[rows])
        pair, place = np.unique(low * n + high, return_inverse=True)
        weight = np.bincount(place, fit.curvature[rows], len(pair))
        a, b = pair // n, pair % n
        if len(pair) < n:
            # Woodbury: few pairs change few directions. Without curvature a pair changes none.
            felt = weight > 1e-300
            contrast = fit.inverse[:, a[felt]] - fit.inverse[:, b[felt]]
            inner = np.diag(1.0 / weight[felt]) - (contrast[a[felt]] - contrast[b[felt]])
            plain = fit.inverse @ scores[k]
            out[k] = plain + contrast @ np.linalg.solve(inner, plain[a[felt]] - plain[b[felt]])
        else:
            rest = fit.information.copy()
            rest[a, b] += weight
            rest[b, a] += weight
            diagonal = np.bincount(a, weight, n) + np.bincount(b, weight, n)
            rest[np.diag_indices(n)] -= diagonal
            out[k] = np.linalg.solve(rest, scores[k])
    return out
