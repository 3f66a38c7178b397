"""What do people's votes, the judge's verdicts and both together say about the same models?

Three rankings side by side: people alone on the pairs they judged ("classical"), the judge alone on all pairs as if
it were people ("naive"), and people with the judge as a help (`ppi`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.bradley_terry import fit_bradley_terry
from analysis.cells import Floats
from analysis.connectivity import LeftOut
from analysis.judged_pairs import JudgedPairs
from analysis.ppi import fit_corrected
from analysis.ppi_scores import potential_gain
from analysis.sandwich import strength_covariance
from analysis.vcov import Clustering, Covariance
from errors import NotIdentifiedError


@dataclass(frozen=True)
class Estimate:
    """Strengths of one method, of mean 0; where the naive ones lack a model, with the mean that the corrected ones of
    the same models have.

    models : (k,) names; covariance : of the k strengths
    """

    models: tuple[str, ...]
    covariance: Covariance

    @property
    def strength(self) -> Floats:
        """(k,) natural-log strengths."""
        return self.covariance.estimate

    def half_width(self, level: float) -> Floats:
        """(k,) half the width of the intervals."""
        return self.covariance.quantiles.two_sided(level) * self.covariance.se


@dataclass(frozen=True)
class Correction:
    """People's strengths by three methods.

    models : those that people's votes put on one scale, in the order of the pairs' models
    corrected : people and judge together, strengths of mean 0; None without unlabelled pairs
    classical : people alone on the labelled pairs; naive : the judge alone on all pairs, whose intervals know nothing
        of its bias, None where it ranks nobody
    share : lambda; gain : trace of the classical covariance / of the corrected one; None without unlabelled pairs
    potential : what the gain would be at most, with infinitely many unlabelled pairs; see `potential_gain`
    n_labelled, n_unlabelled : pairs among the models
    left_out, n_above : the other models as people's votes place them, the first n_above of them above all
    """

    models: tuple[str, ...]
    corrected: Estimate | None
    classical: Estimate
    naive: Estimate | None
    share: float | None
    gain: float | None
    potential: float | None
    n_labelled: int
    n_unlabelled: int
    left_out: tuple[LeftOut, ...]
    n_above: int


def correct_strengths(pairs: JudgedPairs, clustering: Clustering) -> Correction:
    """People's strengths with the judge's verdicts as a help, and both alone.

    clustering : by prompt, or by pair; the codes of both kinds of pairs are shared

    Raises NotIdentifiedError where people's votes put no two models on one scale, or come from a single cluster.
    """
    if not pairs.n_labelled:
        raise NotIdentifiedError(
            "no ranking can be corrected: people judged no pair of two models on which the judge has a verdict too"
        )
    fit = fit_bradley_terry(pairs.cells("human"))
    some = pairs.among(fit.models)
    corrected = fit_corrected(some, clustering) if some.n_unlabelled else None
    estimate = None if corrected is None else Estimate(corrected.models, corrected.covariance)
    classical = _alone(some, "human", clustering)
    return Correction(
        models=fit.models,
        corrected=estimate,
        classical=classical,
        naive=_naive(some, clustering, classical if estimate is None else estimate),
        share=None if corrected is None else corrected.share,
        gain=None if estimate is None else _gain(estimate, classical),
        potential=potential_gain(some, classical.strength),
        n_labelled=some.n_labelled,
        n_unlabelled=some.n_unlabelled,
        left_out=fit.left_out,
        n_above=fit.n_above,
    )


def _alone(pairs: JudgedPairs, who: str, clustering: Clustering) -> Estimate:
    """People's ("human") or the judge's ("judge") strengths by themselves. Raises NotIdentifiedError."""
    cells = pairs.cells(who)
    fit = fit_bradley_terry(cells)
    return Estimate(fit.models, strength_covariance([fit], [cells], clustering))


def _naive(pairs: JudgedPairs, clustering: Clustering, onto: Estimate) -> Estimate | None:
    """The judge's own, with the mean that `onto` has over the same models; None where it ranks nobody."""
    try:
        found = _alone(pairs, "judge", clustering)
    except NotIdentifiedError:
        return None
    return recentre(found, found.models, float(onto.strength[[onto.models.index(m) for m in found.models]].mean()))


def recentre(found: Estimate, models: Sequence[str], mean: float = 0.0) -> Estimate:
    """The strengths of some of the models, shifted to this mean."""
    at = {m: k for k, m in enumerate(found.models)}
    rows = np.array([at[m] for m in models])
    select = np.eye(len(found.models))[rows]

    def shifted(w: Floats) -> Floats:
        some = w[..., rows]
        return np.asarray(some - some.mean(axis=-1, keepdims=True) + mean)

    return Estimate(tuple(models), found.covariance.of(shifted, select - select.mean(axis=0)))


def _gain(corrected: Estimate, classical: Estimate) -> float | None:
    left = float(np.trace(corrected.covariance.vcov))
    return float(np.trace(classical.covariance.vcov)) / left if left > 0 else None
