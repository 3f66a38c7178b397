"""Where do a judge's reasons part from the reference's? Both fitted on the pairs they share, and held together.

With fixed effects of the models each judge also has a strength for every model, so that a factor is judged by how
answers of the same model differ in it, and not by which models have much of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from analysis.bradley_terry import POSITION
from analysis.cells import Cells, Floats
from analysis.controls import fit_identified
from analysis.design import FIRST, Design
from analysis.factor_covariance import rests_on_one, weight_covariance
from analysis.factor_fit import FactorFit, fit_factors
from analysis.gap import EQUIVALENCE_MARGIN, Gaps, find_gaps
from analysis.marginal import marginal_effects
from analysis.sandwich import strength_covariance
from analysis.strengths import Ties, fit_strengths
from analysis.tables import floats
from analysis.vcov import Clustering, Covariance, Quantiles
from errors import NotIdentifiedError

POWER = 0.8


@dataclass(frozen=True)
class FactorGap:
    """One judge's weights held against the reference's.

    gaps : first_position (where fitted) and the factors; marginal : average marginal effects of the factors, the
        reference's first, in percentage points; None beside fixed effects of models
    dropped : by factor, why it is in neither fit; vif : of the reference's rows and of the judge's, the larger one
    """

    gaps: Gaps
    marginal: Covariance | None
    n_judgments: tuple[int, int]
    n_pairs: int
    n_unknown_order: int
    vif: Mapping[str, float]
    dropped: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """first_position (where fitted) and the factors."""
        return self.gaps.names

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before believing the numbers."""
        return self.gaps.warnings

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """`Gaps.table` with `factor` for name, and both weights' intervals (ref_lower, ..., judge_upper), the average
        marginal effects ame_ref, ame_judge, ame_gap with its interval, and vif."""
        table = self.gaps.table(level).rename(columns={"name": "factor"})
        n = len(self.names)
        joint = self.gaps.joint
        half = joint.quantiles.two_sided(level) * joint.known_se
        for k, whose in enumerate(("ref", "judge")):
            inside = slice(k * n, (k + 1) * n)
            table[f"{whose}_lower"] = floats(joint.estimate[inside] - half[inside])
            table[f"{whose}_upper"] = floats(joint.estimate[inside] + half[inside])
        if self.marginal is not None:
            low = n - len(self.marginal.estimate) // 2
            k = n - low
            blank: list[float | None] = [None] * low
            difference = self.marginal.of(
                lambda w: w[..., k:] - w[..., :k], np.hstack([-np.eye(k), np.eye(k)])
            )
            reach = difference.quantiles.two_sided(level) * difference.known_se
            columns = {
                "ame_ref": self.marginal.estimate[:k], "ame_judge": self.marginal.estimate[k:],
                "ame_gap": difference.estimate, "ame_lower": difference.estimate - reach,
                "ame_upper": difference.estimate + reach,
            }  # fmt: skip
            for name, values in columns.items():
                table[name] = floats([*blank, *values])
        table["vif"] = floats([self.vif.get(name) for name in self.names])
        return table


def find_factor_gap(
    reference: Design,
    judge: Design,
    clustering: Clustering,
    *,
    ties: Ties = "half",
    names: tuple[str, str] = ("the reference", "the judge"),
    margin: float = EQUIVALENCE_MARGIN,
) -> FactorGap:
    """Fit both judges on the pairs that both have judged, and compare them.

    reference, judge : about the same `x` and factors. A factor that one of them does not determine is left out of both.

    Raises NotIdentifiedError where no pair is shared or nothing can be estimated.
    """
    reference, judge = shared(reference, judge)
    dropped = rests_on_one([reference, judge], clustering)
    reference, judge = reference.without(list(dropped)), judge.without(list(dropped))
    _require_some(reference, dropped)
    while True:
        fits = [_fit(design, ties, name) for design, name in zip((reference, judge), names, strict=True)]
        gone: dict[str, str] = {}
        for fit, name in zip(fits, names, strict=True):
            gone |= {factor: f"for {name}, {why}" for factor, why in fit.dropped.items() if factor not in gone}
        if not gone:
            break
        dropped |= gone
        reference, judge = reference.without(list(gone)), judge.without(list(gone))
        _require_some(reference, dropped)
    whole = weight_covariance(fits, [reference, judge], clustering)
    n = len(fits[0].factors) + int(fits[0].has_position)
    at = [*range(n), *(len(fits[0].parameters) + k for k in range(n))]
    joint = select(whole, at)
    listed = fits[0].names[:n]
    counted = np.array([name != FIRST for name in listed])
    return FactorGap(
        gaps=find_gaps(listed, joint, margin=margin, counted=counted),
        marginal=marginal_effects(fits, whole, reference.columns),
        n_judgments=(fits[0].n_judgments, fits[1].n_judgments),
        n_pairs=int(reference.pairs.sum()),
        n_unknown_order=sum(fit.n_unknown_order for fit in fits),
        vif={name: max(fit.vif[name] for fit in fits) for name in fits[0].factors},
        dropped=dropped,
    )


def shared(reference: Design, judge: Design) -> tuple[Design, Design]:
    """The rows of both on the pairs that both have judged, with a position term in both or in none.

    Raises NotIdentifiedError where there is none.
    """
    n = min(len(reference.pairs), len(judge.pairs))
    both = reference.pairs[:n] & judge.pairs[:n]
    if not both.any():
        raise NotIdentifiedError("the two judges share no pair that has all these factors")
    return alike_in_position(reference.on(both), judge.on(both))


def alike_in_position(reference: Design, judge: Design) -> tuple[Design, Design]:
    """Both without the shown order where one of the two does not have it."""
    if any(design.first is None or not design.first.any() for design in (reference, judge)):
        return replace(reference, first=None), replace(judge, first=None)
    return reference, judge


def _require_some(design: Design, dropped: Mapping[str, str]) -> None:
    if not design.names:
        why = "; ".join(f"{name}: {reason}" for name, reason in list(dropped.items())[:5])
        raise NotIdentifiedError(f"no factor can be estimated for both judges. {why}")


def _fit(design: Design, ties: Ties, name: str) -> FactorFit:
    try:
        return fit_factors(design, ties=ties)
    except NotIdentifiedError as error:
        raise NotIdentifiedError(f"{name}: {error}") from error


def select(covariance: Covariance, at: Sequence[int]) -> Covariance:
    """Of some of the estimates."""
    some = np.asarray(at, dtype=np.int64)
    return covariance.of(lambda w: w[..., some], np.eye(len(covariance.estimate))[some])


# -- with fixed effects of models ---------------------------------------------------------------------------------


def find_factor_gap_within(
    reference: Cells,
    judge: Cells,
    clustering: Clustering,
    *,
    ties: Ties = "half",
    names: tuple[str, str] = ("the reference", "the judge"),
    margin: float = EQUIVALENCE_MARGIN,
) -> FactorGap:
    """The same with a strength for each model beside the factors (fixed effects of models).

    reference, judge : cells on the pairs they share, the scaled differences in the factors as covariates, with `first`
        for a position term, and with the clusters "pair". Fitted on the models that both put on one scale.
    """
    position = reference.first is not None
    dropped: dict[str, str] = {}
    cells = [reference, judge]
    while True:
        gone: dict[str, str] = {}
        models: set[str] = set(reference.models)
        for part, name in zip(cells, names, strict=True):
            flat = [factor for factor, column in part.covariates.items() if not column.any()]
            gone |= dict.fromkeys(flat, f"for {name}, the answers that were compared do not differ in it")
            rest = {factor: column for factor, column in part.covariates.items() if factor not in flat}
            fit, left = fit_identified(replace(part, covariates={}), rest, ties, position)
            models &= set(fit.models)
            gone |= {factor: f"for {name}, beside the strengths of models, {why}" for factor, why in left.items()}
        common = tuple(name for name in reference.models if name in models)
        if not gone and common == cells[0].models:
            break
        if len(common) < 2:
            raise NotIdentifiedError("no two models can be put on one scale for both judges")
        dropped |= gone
        cells = [
            replace(part, covariates={f: c for f, c in part.covariates.items() if f not in gone}).among(common)
            for part in cells
        ]
        if not cells[0].covariates:
            raise NotIdentifiedError("beside the strengths of models no factor can be estimated for both judges")
    factors = tuple(cells[0].covariates)
    fits = [fit_strengths(part, ties=ties, position=position, covariates=factors) for part in cells]
    covariance = strength_covariance(fits, cells, clustering)
    at: list[int] = []
    start = 0
    for fit in fits:
        order = list(fit.coefficients)
        wanted = [*([POSITION] if position else []), *factors]
        at += [start + len(fit.models) + order.index(name) for name in wanted]
        start += len(fit.parameters)
    listed = (*([FIRST] if position else []), *factors)
    counted = np.array([name != FIRST for name in listed])
    return FactorGap(
        gaps=find_gaps(listed, select(covariance, at), margin=margin, counted=counted),
        marginal=None,
        n_judgments=(fits[0].n_judgments, fits[1].n_judgments),
        n_pairs=len(np.unique(np.concatenate([part.clusters["pair"] for part in cells]))),
        n_unknown_order=sum(fit.n_unknown_order for fit in fits),
        vif={},
        dropped=dropped,
    )


@dataclass(frozen=True)
class WithinFit:
    """One judge's weights beside a strength of each model.

    names : first_position (where fitted) and the factors; covariance : of their weights
    """

    names: tuple[str, ...]
    covariance: Covariance
    n_judgments: int
    dropped: Mapping[str, str]


def fit_within(cells: Cells, clustering: Clustering, *, ties: Ties = "half") -> WithinFit:
    """Weights of one judge with fixed effects of the models. cells : as in `find_factor_gap_within`

    Raises NotIdentifiedError where nothing can be estimated.
    """
    position = cells.first is not None
    flat = [factor for factor, column in cells.covariates.items() if not column.any()]
    rest = {factor: column for factor, column in cells.covariates.items() if factor not in flat}
    fit, left = fit_identified(replace(cells, covariates={}), rest, ties, position)
    kept = {factor: column for factor, column in rest.items() if factor not in left}
    covariance = strength_covariance([fit], [replace(cells, covariates=kept)], clustering)
    order = list(fit.coefficients)
    wanted = [*([POSITION] if position else []), *kept]
    at = [len(fit.models) + order.index(name) for name in wanted]
    dropped = dict.fromkeys(flat, "the answers that were compared do not differ in it") | left
    return WithinFit(
        (*([FIRST] if position else []), *kept), select(covariance, at), fit.n_judgments, dropped
    )  # fmt: skip


# -- what can be claimed with this much data -----------------------------------------------------------------------


def smallest_gap(se: Floats, quantiles: Quantiles, times: float = 1.0, level: float = 0.95) -> Floats:
    """The gap that a test at 1 - level finds with 80 % power, with `times` as many clusters; NaN where `se` is.

    (t_(1 - alpha/2) + t_.8) * se / sqrt(times) (Bloom 1995, minimum detectable effect)
    """
    df = None if quantiles.df is None else (quantiles.df + 1) * times - 1
    more = Quantiles(df)
    return np.asarray((more.two_sided(level) + more.two_sided(2 * POWER - 1)) * se / np.sqrt(times))
