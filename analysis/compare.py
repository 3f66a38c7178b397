"""Where do two judges of the same pairs rank models differently, beyond noise?

Both judges are fitted on the pairs they share and on the models identified for both; the clusters
(prompts) that both saw tie the two sets of strengths together, so gaps get their joint covariance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.bootstrap import REPLICATES, Report
from analysis.cells import Cells, Floats, Ints, fold_to_pairs
from analysis.connectivity import find_kept
from analysis.gap import EQUIVALENCE_MARGIN, Gaps, GapSummary, find_gaps
from analysis.orthant import opposite_signs
from analysis.rank_correlation import RankCorrelation, correlate_ranks
from analysis.reliability import Corrected, correct_agreement
from analysis.sandwich import strength_covariance
from analysis.strengths import Strengths, Ties, fit_strengths
from analysis.tables import floats
from analysis.vcov import Clustering, Covariance
from errors import NotIdentifiedError


@dataclass(frozen=True)
class NotCompared:
    """A model that is not identified for both judges, and why: "judge: lost all 3 of its judgments"."""

    model: str
    cause: str


@dataclass(frozen=True)
class Flip:
    """Two models that the judges order differently.

    p_flip : probability that the two orders truly differ, under N(estimates, joint covariance)
    judgments : of these two models against each other, by reference and judge together
    """

    model_1: str
    model_2: str
    p_flip: float
    judgments: int


@dataclass(frozen=True)
class Flips:
    """All flips, most certain first, all (n_flips,): of the models at positions `one` and `two`, and as in `Flip`."""

    one: Ints
    two: Ints
    p_flip: Floats
    judgments: Ints


@dataclass(frozen=True)
class Comparison:
    """Two judges held against each other.

    reference, judge : fits on the shared pairs and common models, each with strengths of mean 0
    covariance : joint, over the reference's parameters, then the judge's
    gaps : per model; correlation : of the two orders, None where it was not asked for; turned : see `flips`
    corrected : agreement of the strengths net of noise; None where it was not asked for or has too few clusters
    not_compared : models left out with their cause
    """

    reference: Strengths
    judge: Strengths
    covariance: Covariance
    gaps: Gaps
    correlation: RankCorrelation | None
    corrected: Corrected | None
    turned: Flips
    not_compared: tuple[NotCompared, ...]

    @property
    def n_clusters(self) -> int:
        """Clusters behind the intervals; 0 without clustering."""
        return self.covariance.n_clusters

    @property
    def clustering(self) -> Clustering:
        """What forms a cluster, and how that was chosen."""
        return self.covariance.clustering

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before believing the numbers."""
        found = [*self.gaps.warnings, *(() if self.correlation is None else self.correlation.warnings)]
        if self.corrected is not None:
            found += [text for text in (self.corrected.why_not, self.corrected.warning) if text is not None]
        if self.not_compared:
            n = len(self.not_compared)
            some = ", ".join(f"{one.model} ({one.cause})" for one in self.not_compared[:3])
            found.append(
                f"{n} model{'s are' if n > 1 else ' is'} left out because not identified for both judges: "
                f"{some}" + (", ..." if n > 3 else "")
            )
        return tuple(found)

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """One row a model: model, strength_ref, strength_judge, then as in `Gaps.table`."""
        return gap_table(self.gaps.summary(), level)

    @property
    def flips(self) -> tuple[Flip, ...]:
        """Pairs of models that the judges order differently, most certain first."""
        table = self.flip_table()
        return tuple(map(Flip, *(table[name].tolist() for name in table.columns)))

    def flip_table(self) -> pd.DataFrame:
        """One row a flip, most certain first: model_1, model_2, p_flip, judgments."""
        models = np.array(self.reference.models, dtype=object)
        found = self.turned
        return pd.DataFrame(
            {
                "model_1": pd.Series(models[found.one], dtype="str"),
                "model_2": pd.Series(models[found.two], dtype="str"),
                "p_flip": floats(found.p_flip),
                "judgments": pd.Series(found.judgments, dtype="int64"),
            }
        )


def gap_table(gaps: GapSummary, level: float = 0.95) -> pd.DataFrame:
    """As `Comparison.table`."""
    names = {"name": "model", "weight_ref": "strength_ref", "weight_judge": "strength_judge"}
    return gaps.table(level).rename(columns=names)


def compare_strengths(
    reference: Cells,
    judge: Cells,
    clustering: Clustering,
    rng: np.random.Generator,
    *,
    ties: Ties = "half",
    position: bool = False,
    names: tuple[str, str] = ("reference", "judge"),
    margin: float = EQUIVALENCE_MARGIN,
    replicates: int = REPLICATES,
    n_prompts: int | None = None,
    alike: bool = True,
    report: Report | None = None,
    kept: Callable[[Callable[[], RankCorrelation]], RankCorrelation] = lambda correlate: correlate(),
) -> Comparison:
    """Fit both judges on common models and compare their strengths.

    reference, judge : judgments on the pairs that both judged, over the same models, with shared
        cluster codes
    ties : see `fit_strengths`; position : one position effect for each judge, beside the strengths
    names : of the two judges, for causes; margin : see `find_gaps`
    replicates : of the rank correlation's bootstrap, 0 for no interval
    n_prompts : behind the judgments, for the agreement net of noise; None leaves it out
    alike : False leaves out how alike the orders are, which takes most of the time
    report : called with the share that is done; may raise to stop the work
    kept : asked how alike the orders are, with what works it out; the same of two judges whichever is the reference

    Raises NotIdentifiedError when fewer than two models are identified for both judges.
    """
    if reference.models != judge.models:
        raise ValueError("the two judges' cells must be over the same models in the same order")
    common = _common_models(reference, judge, names)
    models = common.models
    pair = [reference.among(models), judge.among(models)]
    fits = [fit_strengths(part, ties=ties, position=position) for part in pair]
    n = len(models)
    width = len(fits[0].parameters)  # the same for both: the same models, ties and position
    # By name, so that how alike the orders are is the same to the last digit with either as the reference.
    order = sorted((0, 1), key=lambda k: names[k])
    by_name = strength_covariance([fits[k] for k in order], [pair[k] for k in order], clustering)
    turned = np.r_[tuple(slice(k * width, (k + 1) * width) for k in order)]
    covariance = by_name if order == [0, 1] else by_name.of(lambda w: w[..., turned], np.eye(2 * width)[turned])
    strengths = np.r_[0:n, width : width + n]
    joint = covariance.of(lambda w: w[..., strengths], np.eye(2 * width)[strengths])
    correlation, corrected = None, None
    if alike:
        # Side by side on two cores: each spends its time in matrix products, which leave Python alone.
        with ThreadPoolExecutor(1) as beside:
            waiting = None if n_prompts is None else beside.submit(_corrected, fits, pair, n_prompts)

            def correlate() -> RankCorrelation:
                return correlate_ranks(
                    [fits[k] for k in order], [pair[k] for k in order], clustering, rng, replicates=replicates,
                    covariance=by_name, report=report,
                )  # fmt: skip

            correlation = kept(correlate)
        corrected = None if waiting is None else waiting.result()
    return Comparison(
        reference=fits[0],
        judge=fits[1],
        covariance=covariance,
        gaps=find_gaps(models, joint, margin=margin),
        correlation=correlation,
        corrected=corrected,
        turned=_find_flips(fits, pair, joint),
        not_compared=common.not_compared,
    )


def _corrected(fits: Sequence[Strengths], cells: Sequence[Cells], n_prompts: int) -> Corrected | None:
    ways = set(cells[0].clusters) & set(cells[1].clusters)
    if "prompt" not in ways:
        return None
    try:
        return correct_agreement(fits, cells, n_prompts, sorted(ways))
    except NotIdentifiedError:
        return None


@dataclass(frozen=True)
class _Common:
    models: tuple[str, ...]
    not_compared: tuple[NotCompared, ...]


def _common_models(reference: Cells, judge: Cells, names: tuple[str, str]) -> _Common:
    """Models on one scale for both judges. Leaving one out can cut off others: repeated until stable."""
    models = reference.models
    causes: dict[str, list[str]] = {}
    while True:
        kept: list[set[str]] = []
        for name, cells in zip(names, (reference, judge), strict=True):
            try:
                found = find_kept(fold_to_pairs(cells.plain().among(models)), models)
            except NotIdentifiedError as error:
                raise NotIdentifiedError(f"{name}: {error}") from error
            kept.append({models[k] for k in found.kept})
            for left in found.left_out:
                again = "" if len(models) == len(reference.models) else " once others are left out"
                causes.setdefault(left.model, []).append(f"{name}: {left.cause}{again}")
        common = tuple(model for model in models if model in kept[0] and model in kept[1])
        if len(common) < 2:
            raise NotIdentifiedError(
                f"{names[0]} and {names[1]} cannot be compared: no two models are on one scale for both of "
                "them on the pairs they share. Choose more scenarios, or judges with more common pairs"
            )
        if len(common) == len(models):
            left_out = [NotCompared(model, "; ".join(why)) for model, why in sorted(causes.items())]
            return _Common(common, tuple(left_out))
        models = common


def _find_flips(fits: Sequence[Strengths], cells: Sequence[Cells], joint: Covariance) -> Flips:
    reference, judge = fits
    n = len(reference.models)
    # What differs by the optimiser's rounding alone is a tie, not an order.
    theta_r, theta_j = np.round(reference.strength, 9), np.round(judge.strength, 9)
    one, two = np.triu_indices(n, 1)
    flipped = (theta_r[one] - theta_r[two]) * (theta_j[one] - theta_j[two]) < 0
    one, two = one[flipped], two[flipped]
    v, theta = joint.vcov, joint.estimate
    i, j, k, m = one, two, n + one, n + two
    p_flip = opposite_signs(
        theta[i] - theta[j],
        theta[k] - theta[m],
        v[i, i] - 2 * v[i, j] + v[j, j],
        v[k, k] - 2 * v[k, m] + v[m, m],
        v[i, k] - v[i, m] - v[j, k] + v[j, m],
    )
    met = np.zeros(n * n)
    for part in cells:
        key = np.minimum(part.i, part.j).astype(np.int64) * n + np.maximum(part.i, part.j)
        met += np.bincount(key, part.count, n * n)
    judgments = met[one * n + two].astype(np.int64)
    # Positions ascend as the pairs were listed; where two flips are as certain, by name.
    place = np.argsort(np.argsort(np.array(reference.models, dtype=object), kind="stable"), kind="stable")
    order = np.lexsort((place[two], place[one], -p_flip))
    return Flips(one[order], two[order], p_flip[order], judgments[order])
