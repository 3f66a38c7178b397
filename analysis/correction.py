"""What do people's votes, the judge's verdicts and both together say about the same models?

Three rankings side by side: people alone on the pairs they judged ("classical"), the judge alone on all pairs as if
it were people ("naive"), and people with the judge as a help (`ppi`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.bradley_terry import fit_bradley_terry
from analysis.cells import Floats, Ints
from analysis.connectivity import LeftOut
from analysis.judged_pairs import Bools, JudgedPairs
from analysis.ppi import Corrected, fit_corrected
from analysis.ppi_scores import potential_gain
from analysis.ranks import Ranks, find_ranks
from analysis.sandwich import strength_covariance
from analysis.tables import floats, integers
from analysis.vcov import FEW_CLUSTERS, Clustering, Covariance
from errors import NotIdentifiedError

BY_PAIR = Clustering("pair")

LEAST_PAIRS, LEAST_A_MODEL = 20, 3
"""Labelled pairs, altogether and for each model, below which no gain is given: residuals fitted to next to nothing make
any judge look perfect."""


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
    share : lambda; gain : trace of the classical covariance / of the corrected one, with pairs taken as independent
        where people's votes come from fewer than 50 clusters; None without unlabelled pairs, and where labelled ones
        are too few
    potential : what the gain would be at most, with infinitely many unlabelled pairs; see `potential_gain`
    n_labelled, n_unlabelled : pairs among the models; labelled, unlabelled : (k,) those of each model
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
    labelled: Ints
    unlabelled: Ints
    left_out: tuple[LeftOut, ...]
    n_above: int

    @property
    def worth(self) -> float | None:
        """As how many more pairs with people's votes the judge's verdicts count: labelled pairs * (gain - 1)."""
        return None if self.gain is None else self.n_labelled * (self.gain - 1)

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """One row a model in the order of corrected ranks (without them, of people's own).

        Columns: model, corrected, se, lower, upper, rank, rank_lower, rank_upper; classical, naive, each with _se,
        _lower, _upper, _rank; labelled, unlabelled (pairs). Left-out models above and below the others have a rank
        alone, those apart have none. Naive ranks are given where the judge ranks the same models.
        """
        quantities: dict[str, pd.Series] = {}
        ranks: dict[str, Ranks] = {}
        n = len(self.models)
        for name, found in (("corrected", self.corrected), ("classical", self.classical), ("naive", self.naive)):
            value, se, half = np.full((3, n), np.nan)
            if found is not None:
                at = np.array([self.models.index(model) for model in found.models])
                value[at], se[at], half[at] = found.strength, found.covariance.se, found.half_width(level)
                if len(at) == n:
                    ranks[name] = _ranks(recentre(found, self.models), level)
            head = "" if name == "corrected" else f"{name}_"
            quantities |= {name: floats(value), f"{head}se": floats(se)}
            quantities |= {f"{head}lower": floats(value - half), f"{head}upper": floats(value + half)}
            parts = {f"{head}rank": "rank"}
            parts |= {"rank_lower": "lower", "rank_upper": "upper"} if name == "corrected" else {}
            for column, part in parts.items():
                places = (getattr(ranks[name], part) + self.n_above).tolist() if name in ranks else [None] * n
                quantities[column] = integers(places)
        shown = ranks["classical" if self.corrected is None else "corrected"]
        order = np.lexsort((np.array(self.models), shown.rank))
        kept = pd.DataFrame(
            {"model": pd.Series(list(self.models), dtype="str")} | quantities
            | {"labelled": integers(self.labelled.tolist()), "unlabelled": integers(self.unlabelled.tolist())}
        ).iloc[order]  # fmt: skip
        above, below = self.left_out[: self.n_above], self.left_out[self.n_above :]
        return pd.concat([_ranks_alone(above, kept), kept, _ranks_alone(below, kept)], ignore_index=True)


def _ranks(found: Estimate, level: float) -> Ranks:
    return find_ranks(found.strength, found.covariance.vcov, found.covariance.quantiles.two_sided(level))


def _ranks_alone(left_out: Sequence[LeftOut], like: pd.DataFrame) -> pd.DataFrame:
    """Rows of models without a strength."""
    columns = {
        "model": pd.Series([left.model for left in left_out], dtype="str"),
        "rank": integers([left.rank for left in left_out]),
        "rank_lower": integers([left.rank_lower for left in left_out]),
        "rank_upper": integers([left.rank_upper for left in left_out]),
    }
    return pd.DataFrame(columns, index=range(len(left_out))).reindex(columns=like.columns).astype(like.dtypes)


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
    enough = some.n_labelled >= max(LEAST_PAIRS, LEAST_A_MODEL * len(fit.models))
    return Correction(
        models=fit.models,
        corrected=estimate,
        classical=classical,
        naive=_naive(some, clustering, classical if estimate is None else estimate),
        share=None if corrected is None else corrected.share,
        gain=_gain(some, corrected, classical) if corrected is not None and enough else None,
        potential=potential_gain(some, classical.strength) if enough else None,
        n_labelled=some.n_labelled,
        n_unlabelled=some.n_unlabelled,
        labelled=_by_model(some, some.labelled),
        unlabelled=_by_model(some, ~some.labelled),
        left_out=fit.left_out,
        n_above=fit.n_above,
    )


def _by_model(pairs: JudgedPairs, chosen: Bools) -> Ints:
    n = len(pairs.models)
    found = np.bincount(pairs.a[chosen], minlength=n) + np.bincount(pairs.b[chosen], minlength=n)
    return found.astype(np.int64)


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


def _gain(pairs: JudgedPairs, corrected: Corrected, classical: Estimate) -> float | None:
    """Trace of the classical covariance / of the corrected one, both by pair where clusters with votes are few."""
    if classical.covariance.n_clusters < FEW_CLUSTERS and classical.covariance.clustering.name != "pair":
        # The ratio of two jackknifes of 13 prompts is mostly noise (simulated: sd .12, by pair .06).
        classical = _alone(pairs, "human", BY_PAIR)
        corrected = fit_corrected(pairs, BY_PAIR, corrected.share)
    left = float(np.trace(corrected.covariance.vcov))
    return float(np.trace(classical.covariance.vcov)) / left if left > 0 else None
