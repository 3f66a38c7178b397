"""How strong would the models be in people's eyes, had people judged all the pairs that an LLM judged?

Prediction-powered inference with power tuning, "PPI++" (Angelopoulos, Duchi and Zrnic 2023), for Bradley-Terry
strengths (Boyeau, Angelopoulos, Yosef, Malik and Jordan 2024): the strengths minimise
L_human + lambda * (L_judge,unlabelled - L_judge,labelled), each a mean loss over pairs. Where labelled pairs are a
fair sample of all, the bracket is 0 in expectation whatever the judge is worth: it takes noise away and adds no bias.
lambda in [0, 1] minimises the trace of the covariance (with fewer than 50 clusters, of the one that takes pairs as
independent); 0 is people alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.bradley_terry import fit_bradley_terry, newton
from analysis.cells import Floats, Ints
from analysis.connectivity import connected_replicates
from analysis.judged_pairs import Bools, JudgedPairs, Losses
from analysis.ppi_scores import Kind, best_share, bread, find_kind, sum_scores
from analysis.replicates import JACKKNIFE_RIDGE
from analysis.vcov import FEW_CLUSTERS, Clustering, Covariance, Term
from errors import ConvergenceError, NotIdentifiedError

SETTLED = 1e-6
"""Change of lambda at which the search for it ends."""

MAX_ROUNDS = 60


@dataclass(frozen=True)
class Corrected:
    """The corrected strengths alone: lambda, (n_models,) strengths of mean 0, their covariance."""

    models: tuple[str, ...]
    share: float
    covariance: Covariance


def fit_corrected(pairs: JudgedPairs, clustering: Clustering, share: float | None = None) -> Corrected:
    """Corrected strengths of the models that people's votes alone put on one scale.

    share : lambda where it is given; else the best one

    A model that only won or only lost in people's votes is left out, although the judge's might give it a strength:
    such strengths rest on the judge in just that place where nobody contradicted it. (Simulated, their 95 % intervals
    held 4 to 13 %, and those of the other models suffered too.)

    Raises NotIdentifiedError where people alone put no two models on one scale, where their votes come from fewer
    than two clusters, or where at the `share` given a strength is infinite.
    """
    some = pairs.among(fit_bradley_terry(pairs.cells("human")).models)
    found = _choose_share(some, clustering) if share is None else share
    try:
        strength = _minimise(some.losses, found)
    except ConvergenceError:
        raise NotIdentifiedError(
            f"with lambda {found:g} the corrected strengths are not finite: the judge's verdicts would take away more "
            "than people's votes hold. Choose a smaller one"
        ) from None
    return Corrected(some.models, found, _covariance(some, found, strength, clustering))


def _choose_share(pairs: JudgedPairs, clustering: Clustering) -> float:
    """The lambda that is best at the strengths it leads to itself; people alone rank all models of these pairs."""
    codes = pairs.codes(clustering.name)
    if len(np.unique(codes[pairs.labelled])) < FEW_CLUSTERS:
        # Any lambda is valid. On a dozen clusters the trace's least value is mostly their noise; pairs are many.
        codes = pairs.codes("pair")
    losses = pairs.losses
    most = _most(losses)
    share, strength = 0.0, _minimise(losses, 0.0)
    for round_ in range(MAX_ROUNDS):
        wanted = best_share(pairs, strength, bread(losses.counts(share), strength), codes)
        step = (min(wanted, most) - share) * (1.0 if round_ < 10 else 0.5)
        while abs(step) > SETTLED:
            try:
                strength = _minimise(losses, share + step, strength)
                break
            except ConvergenceError:
                # Too much of the judge: a set of models would be left without losses.
                step /= 2
        if abs(step) <= SETTLED:
            return share
        share += step
    return share


def _most(losses: Losses) -> float:
    """The largest lambda in [0, 1] that leaves every model at least half of its wins and losses in people's votes.

    The loss has a minimum exactly when no set of models has effective losses of 0 or less against the others (its
    slope at infinity is their Lovasz extension). On small data a judge close to people takes nearly all away from
    some model, which then gets a large strength for want of losses.
    """
    n = losses.n_models

    def sums(share: float) -> Floats:
        counts = losses.counts(share)
        lost = counts.weight - counts.score
        wins = np.bincount(counts.a, counts.score, n) + np.bincount(counts.b, lost, n)
        return np.concatenate([wins, np.bincount(counts.a, lost, n) + np.bincount(counts.b, counts.score, n)])

    before, taken = sums(0.0), sums(0.0) - sums(1.0)
    some = taken > 0
    return float(np.min(before[some] / taken[some] / 2, initial=1.0))


def _minimise(losses: Losses, share: float, start: Floats | None = None, ridge: float = 0.0) -> Floats:
    """(n_models,) strengths of mean 0. Raises ConvergenceError where the loss has no minimum."""
    strength = newton(losses.counts(share), np.zeros(losses.n_models) if start is None else start, ridge=ridge)
    return np.asarray(strength.parameters - strength.parameters.mean())


def _covariance(pairs: JudgedPairs, share: float, strength: Floats, clustering: Clustering) -> Covariance:
    """By the rules of `vcov`, held against the clusters with people's votes and against those without.

    Clusters of either kind that are few (below 50) or heavy (over 5 % of their kind) are deleted one by one, lambda
    kept; the others enter linearised. Degrees of freedom: those of either kind, weighted by their parts of the
    variance as if the two were perfectly dependent, which they are where each prompt has both.
    """
    codes, way = pairs.codes(clustering.name), clustering.name
    losses = pairs.losses
    inverse = bread(losses.counts(share), strength)
    scores = sum_scores(pairs, strength, codes, 1.0, share)
    labelled, unlabelled = (find_kind(mass) for mass in scores.mass.T)
    if labelled.n_clusters < 2:
        raise NotIdentifiedError(
            f"intervals clustered by {way} need people's votes from at least 2 {way}s, and there is "
            f"{labelled.n_clusters}. Cluster by something else, or choose more data"
        )
    deleted = np.union1d(labelled.deleted, unlabelled.deleted if share > 0 else np.zeros(0, dtype=np.int64))
    rests = [losses.without(pairs, rows) for rows in _members(codes, deleted)]
    replicates = np.empty((len(deleted), len(strength)))
    ridged = _torn_apart(losses, rests)
    for k, rest in enumerate(rests):
        if not ridged[k]:
            try:
                replicates[k] = _minimise(rest, share, strength)
                continue
            except ConvergenceError:
                ridged[k] = True
        replicates[k] = _minimise(rest, share, ridge=JACKKNIFE_RIDGE)
    meat = scores.without(deleted)
    n = labelled.n_clusters
    linear = inverse @ meat.cross(meat) @ inverse * (n / (n - 1))
    freedom = _freedom(pairs, strength, share, codes, inverse, labelled, unlabelled) if len(deleted) else np.inf
    term = Term(way, n, 1, freedom + 1.0, replicates, (linear + linear.T) / 2, int(ridged.sum()))
    return Covariance(clustering, strength, (term,))


def _torn_apart(losses: Losses, rests: Sequence[Losses]) -> Bools:
    """(n_replicates,) whether people's votes alone no longer tie all models together in what is left.

    Such a replicate hangs on a small lambda alone, and would be far out; people's own fit is ridged there too.
    """
    if not rests:
        return np.zeros(0, dtype=bool)
    votes = np.array([rest.human for rest in rests])
    weight = np.where(votes[:, 0] > 1e-9 * losses.human[0], votes[:, 0], 0.0)
    return ~connected_replicates(losses.counts(0.0), weight, np.clip(votes[:, 1], 0.0, weight))


def _freedom(
    pairs: JudgedPairs, strength: Floats, share: float, codes: Ints, inverse: Floats, labelled: Kind, unlabelled: Kind
) -> float:
    square = inverse @ inverse
    parts = []
    for some in (pairs.labelled, ~pairs.labelled):
        scores = sum_scores(pairs, strength, codes, 1.0, share, only=some)
        parts.append(float(np.sum(square * scores.cross(scores))))
    total = sum(parts)
    if not total > 0:
        return labelled.freedom
    doubt = sum(part / total / np.sqrt(kind.freedom) for part, kind in zip(parts, (labelled, unlabelled), strict=True))
    # Rounded, so that 12 clusters have 11 degrees of freedom and not a little less.
    return min(round(float(doubt) ** -2, 9) if doubt > 1e-3 else np.inf, 1e6)


def _members(codes: Ints, wanted: Ints) -> list[Ints]:
    """Positions of the pairs of each wanted cluster."""
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.stack([wanted, wanted + 1]))
    return [order[start:stop] for start, stop in ends.T]
