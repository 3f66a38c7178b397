"""How do people's and the judge's verdicts vary together, cluster by cluster?

Scores, bread and the share lambda of the judge that prediction-powered inference takes (PPI++, Angelopoulos, Duchi
and Zrnic 2023), for the losses of `judged_pairs`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csr_array

from analysis.cells import Floats, Ints, PairCounts
from analysis.judged_pairs import Bools, JudgedPairs
from analysis.vcov import FEW_CLUSTERS, find_heavy
from errors import NotIdentifiedError


@dataclass(frozen=True)
class Scores:
    """Derivatives of a loss, summed by cluster and centred: sums + mass @ centre, (n_clusters, n_models).

    sums : sparse; mass : (n_clusters, 2) labelled and unlabelled weight of each cluster; centre : (2, n_models)
    """

    sums: csr_array
    mass: Floats
    centre: Floats

    def cross(self, other: Scores) -> Floats:
        """(n_models, n_models) sum over clusters of the outer products of two such scores."""
        both = np.asarray((self.sums.T @ other.sums).toarray())
        both += (self.sums.T @ other.mass) @ other.centre + self.centre.T @ (other.sums.T @ self.mass).T
        return np.asarray(both + self.centre.T @ (self.mass.T @ other.mass) @ other.centre)

    def without(self, clusters: Ints) -> Scores:
        """The same with nothing in some clusters."""
        keep = np.ones(len(self.mass))
        keep[clusters] = 0.0
        return Scores(csr_array(self.sums.multiply(keep[:, None])), self.mass * keep[:, None], self.centre)


@dataclass(frozen=True)
class Kind:
    """The clusters with pairs of one kind; deleted : codes of those left out one by one; freedom : inf for many"""

    n_clusters: int
    deleted: Ints
    freedom: float


def find_kind(mass: Floats) -> Kind:
    """mass : (n_clusters,) weight of the pairs of one kind in each cluster"""
    deleted, effective = find_heavy(mass)
    n = int(np.count_nonzero(mass > 0))
    if n < FEW_CLUSTERS:
        return Kind(n, deleted, max(n - 1.0, 1.0))
    return Kind(n, deleted, effective - 1.0 if len(deleted) else np.inf)


def sum_scores(
    pairs: JudgedPairs, strength: Floats, codes: Ints, human: float, judge: float, only: Bools | None = None
) -> Scores:
    """Scores of n_labelled * (human * L_human + judge * (L_unseen - L_seen)) at `strength`, by cluster.

    Each mean is centred: a cluster with more pairs than others must not count as far from the mean for that alone.
    codes : (n_pairs,) dense cluster codes; only : pairs that count, where not all do
    """
    p = 1.0 / (1.0 + np.exp(strength[pairs.b] - strength[pairs.a]))
    losses, labelled = pairs.losses, pairs.labelled
    of_judge = pairs.weight * (pairs.judge_score - pairs.judge_weight * p)
    of_human = pairs.weight * (pairs.human_score - pairs.human_weight * p)
    residual = np.where(labelled, human * of_human - judge * of_judge, judge * losses.ratio * of_judge)
    kinds = [labelled, ~labelled]
    if only is not None:
        residual, kinds = np.where(only, residual, 0.0), [some & only for some in kinds]
    n, m = int(codes.max(initial=-1)) + 1, len(pairs.models)
    where = (np.concatenate([codes, codes]), np.concatenate([pairs.a, pairs.b]))
    sums = coo_array((np.concatenate([residual, -residual]), where), shape=(n, m)).tocsr()
    mass = np.zeros((n, 2))
    for k, some in enumerate(kinds):
        mass[:, k] = np.bincount(codes, np.where(some, pairs.weight, 0.0), n)
    centre = np.zeros((2, m))
    for k, (some, total) in enumerate(zip(kinds, (losses.n_labelled, losses.n_unlabelled), strict=True)):
        if total > 0:
            part = np.where(some, residual, 0.0)
            centre[k] = -(np.bincount(pairs.a, part, m) - np.bincount(pairs.b, part, m)) / total
    return Scores(sums, mass, centre)


def bread(counts: PairCounts, strength: Floats) -> Floats:
    """(n, n) inverse of the loss's second derivative on the space in which strengths sum to 0.

    Raises NotIdentifiedError where it is not positive there.
    """
    n = counts.n_models
    e = np.exp(-np.abs(strength[counts.a] - strength[counts.b]))
    curvature = counts.weight * e / (1.0 + e) ** 2
    hessian = np.zeros((n, n))
    np.add.at(hessian, (counts.a, counts.b), -curvature)
    hessian += hessian.T
    diagonal = -hessian.sum(axis=1)
    c = float(diagonal.mean()) / n
    hessian[np.arange(n), np.arange(n)] = diagonal
    try:
        lower = np.linalg.cholesky(hessian + c)
    except np.linalg.LinAlgError:
        raise NotIdentifiedError("the corrected loss has no minimum") from None
    inverse = np.linalg.inv(lower)
    return np.asarray(inverse.T @ inverse - 1.0 / (c * n * n))


def best_share(pairs: JudgedPairs, strength: Floats, inverse: Floats, codes: Ints) -> float:
    """lambda in [0, 1] at which the trace of the plug-in covariance is least: it is a parabola in lambda.

    inverse : (n, n) the bread, taken as it is for every lambda, or contrasts of it, (k, n)
    """
    of_human = sum_scores(pairs, strength, codes, 1.0, 0.0)
    of_judge = sum_scores(pairs, strength, codes, 0.0, 1.0)
    square = inverse.T @ inverse
    spread = float(np.sum(square * of_judge.cross(of_judge)))
    if not spread > 0:
        return 0.0
    return min(max(-float(np.sum(square * of_human.cross(of_judge))) / spread, 0.0), 1.0)


def potential_gain(pairs: JudgedPairs, strength: Floats) -> float | None:
    """By how much the judge could shrink the variance at most, with infinitely many unlabelled pairs.

    tr(H^-1 A H^-1) / min over lambda in [0, 1] of tr(H^-1 B H^-1), at people's own strengths and with pairs taken as
    independent: A the sum over labelled pairs of s_h s_h', B that of (s_h - lambda s_j)(s_h - lambda s_j)', where
    s_h and s_j are the pair's scores by people and by the judge, the latter less their mean, and H the second
    derivative of people's loss: the ceiling 1 / (1 - rho^2) of a single mean's variance, for all strengths at once.
    None where people's verdicts do not vary.
    """
    some = pairs.take(pairs.labelled)
    codes = np.arange(len(some))
    square = bread(some.losses.counts(0.0), strength)
    square = square @ square
    # Without unlabelled pairs the judge's bracket is its mean on the labelled ones alone, with the sign turned.
    of_human, of_judge = (sum_scores(some, strength, codes, *parts) for parts in ((1.0, 0.0), (0.0, 1.0)))
    hh, hj, jj = (
        float(np.sum(square * one.cross(other)))
        for one, other in ((of_human, of_human), (of_human, of_judge), (of_judge, of_judge))
    )
    share = min(max(-hj / jj, 0.0), 1.0) if jj > 0 else 0.0
    left = hh + 2 * share * hj + share**2 * jj
    return hh / left if left > 0 else None
