"""Which weights hold in every scenario, and what is known of them in thin ones?

A judge's weights, or the gaps between two judges, in each scenario twice: raw, from its own verdicts alone, and pooled
with the other scenarios by full empirical Bayes (`pooling`). Beside them a test a factor of whether it differs between
scenarios at all (`heterogeneity`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.cells import Floats, Ints
from analysis.design import FIRST, Design
from analysis.evidence_pooling import pool_evidence
from analysis.factor_covariance import weight_covariance
from analysis.factor_fit import FactorFit, fit_factors, refit
from analysis.factor_gap import FactorGap, find_factor_gap, shared
from analysis.factor_told import fit_told
from analysis.gap import find_agreeing, fit_line
from analysis.heterogeneity import Heterogeneity
from analysis.mixture import Interval
from analysis.multiple import adjust_bh
from analysis.pooling import Pooled
from analysis.scenario_evidence import Evidence, Weighed
from analysis.tables import floats, integers
from analysis.vcov import FEW_PROMPTS, Clustering, Quantiles
from analysis.weight_evidence import find_weight_evidence
from errors import NotIdentifiedError

FEW_A_FACTOR = 10
"""Pairs for each factor below which a scenario is called thin (Peduzzi et al. 1996)."""

MANY = 0.25
"""Share of the factors; fewer are often absent from a kind of task, however much is known of it."""

Report = Callable[[float], None]


@dataclass(frozen=True)
class Alone:
    """What one scenario's verdicts alone give.

    estimate, se : (k,) NaN where there is none; quantiles : of the intervals; refused : why there is none at all
    dropped : by factor, why it could not be estimated here
    """

    name: str
    estimate: Floats
    se: Floats
    quantiles: Quantiles
    refused: str | None
    n_judgments: int
    n_pairs: int
    n_prompts: int
    dropped: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ByScenario:
    """k quantities in each of S scenarios: weights, gaps or scaled gaps.

    names : (k,) first_position (where fitted) and the factors; all arrays are (S, k)
    common_se : what all scenarios share in uncertainty (that of the scale of a scaled gap); 0 for the others
    """

    names: tuple[str, ...]
    scenarios: tuple[Alone, ...]
    weighed: Weighed
    pooled: Pooled
    test: Heterogeneity
    clustering: Clustering
    common_se: Floats

    @cached_property
    def q(self) -> Floats:
        """(k,) Benjamini-Hochberg over the factors; NaN for the position."""
        return adjust_bh(np.where(np.array(self.names) == FIRST, np.nan, self.test.p))

    def interval(self, level: float = 0.95) -> Interval:
        """(S, k) pooled intervals, what is shared by all scenarios included."""
        ends = self.pooled.interval(level)
        if not self.common_se.any():
            return ends
        more = Quantiles(None).two_sided(level) * self.common_se
        value = self.pooled.value
        return Interval(
            value - np.hypot(value - ends.lower, more), value + np.hypot(ends.upper - value, more)
        )

    def p_values(self) -> tuple[Floats, Floats]:
        """(S, k) of being 0 in a scenario: from the scenario alone (NaN without a standard error), and pooled."""
        with np.errstate(invalid="ignore", divide="ignore"):
            alone = [
                one.quantiles.p_value(one.estimate / np.hypot(one.se, common))
                for one, common in zip(self.scenarios, self.common_se, strict=True)
            ]
        return np.array(alone), self.pooled.beyond(0.0, self.common_se)

    @property
    def average_p(self) -> Floats:
        """(k,) of the average over these scenarios being 0."""
        return self.pooled.average_beyond(0.0, np.sqrt((self.common_se**2).mean(axis=0)))

    @property
    def few_pairs(self) -> list[str]:
        """Scenarios with so few pairs for each factor that estimates come out too far from 0."""
        n = sum(name != FIRST for name in self.names)
        return [one.name for one in self.scenarios if one.n_pairs < FEW_A_FACTOR * n]

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """One row a scenario and factor; undefined cells are missing.

        Columns: scenario, factor; value, se, lower, upper: from the scenario alone; pooled, pooled_lower, pooled_upper:
        with the others; judgments, pairs, prompts: of the scenario.
        """
        ends, tables = self.interval(level), []
        for s, one in enumerate(self.scenarios):
            se = np.hypot(one.se, self.common_se[s])
            half = one.quantiles.two_sided(level) * se
            tables.append(
                pd.DataFrame(
                    {
                        "scenario": one.name, "factor": list(self.names), "value": floats(one.estimate),
                        "se": floats(se), "lower": floats(one.estimate - half), "upper": floats(one.estimate + half),
                        "pooled": floats(self.pooled.value[s]), "pooled_lower": floats(ends.lower[s]),
                        "pooled_upper": floats(ends.upper[s]), "judgments": one.n_judgments, "pairs": one.n_pairs,
                        "prompts": one.n_prompts,
                    }
                )
            )  # fmt: skip
        return pd.concat(tables, ignore_index=True)

    def heterogeneity_table(self, level: float = 0.95) -> pd.DataFrame:
        """One row a factor, the surest difference first.

        Columns: factor; mean, mean_lower, mean_upper over these scenarios; tau, lower, upper: sd between them; p, q: of
        being the same in all of them; scenarios: how many say something about it; same_sign: in how many of them the
        pooled value has the mean's sign.
        """
        mean, tau = self.pooled.average_interval(level), self.pooled.tau_interval(level)
        several = self.test.n_scenarios > 1
        more = Quantiles(None).two_sided(level) * np.sqrt((self.common_se**2).mean(axis=0))
        average = self.pooled.average
        known = np.isfinite(self.weighed.se)
        alike = (np.sign(self.pooled.value) == np.sign(average)) & known
        table = pd.DataFrame(
            {
                "factor": list(self.names),
                "mean": floats(average),
                "mean_lower": floats(average - np.hypot(average - mean.lower, more)),
                "mean_upper": floats(average + np.hypot(mean.upper - average, more)),
                "tau": floats(np.where(several, self.pooled.tau_median, np.nan)),
                "lower": floats(np.where(several, tau.lower, np.nan)),
                "upper": floats(np.where(several, tau.upper, np.nan)),
                "p": floats(self.test.p),
                "q": floats(self.q),
                "scenarios": known.sum(axis=0),
                "same_sign": alike.sum(axis=0),
            }
        )
        return table.sort_values(["p", "factor"], kind="stable", na_position="last").reset_index(drop=True)

    def thin_table(self) -> pd.DataFrame:
        """Scenarios that say little by themselves: scenario, reason, judgments, pairs, prompts."""
        n, few = sum(name != FIRST for name in self.names), set(self.few_pairs)
        rows = []
        for one in self.scenarios:
            reasons = []
            if one.n_prompts < FEW_PROMPTS:
                reasons.append("1 prompt" if one.n_prompts == 1 else f"{one.n_prompts} prompts")
            if one.name in few:
                reasons.append(f"{one.n_pairs:,} pairs for {n} factor{'' if n == 1 else 's'}")
            if one.refused is not None:
                reasons.append("nothing can be fitted to it alone")
            elif len(one.dropped) > MANY * n:
                reasons.append(f"{len(one.dropped)} of {n} factors cannot be weighed in it alone")
            if reasons:
                rows.append((one.name, "; ".join(reasons), one.n_judgments, one.n_pairs, one.n_prompts))
        table = pd.DataFrame(rows, columns=["scenario", "reason", "judgments", "pairs", "prompts"])
        for name in ("judgments", "pairs", "prompts"):
            table[name] = integers([int(n) for n in table[name]])
        return table


@dataclass(frozen=True)
class PooledWeights:
    """One judge's weights by scenario. fit : to all scenarios together"""

    fit: FactorFit
    weights: ByScenario


@dataclass(frozen=True)
class PooledGaps:
    """One judge held against the reference, by scenario, on the pairs of both.

    overall : over all scenarios together; gaps : judge - reference
    scaled : judge - scale * reference with the scale of all scenarios together; None where that is not offered
    """

    overall: FactorGap
    gaps: ByScenario
    scaled: ByScenario | None


def pool_weights(
    design: Design, scenarios: Sequence[tuple[str, Ints]], clustering: Clustering, *, raw: bool = True,
    report: Report = lambda share: None,
) -> PooledWeights:  # fmt: skip
    """One judge's weights in each scenario, raw and pooled.

    scenarios : name and rows of each; those without rows are left out. Ties are half a win or are not in the design.
    raw : whether each scenario is fitted alone too, which takes most of the time

    Raises NotIdentifiedError where nothing can be estimated, with fewer than two scenarios, where no scenario has two
    clusters, or without any noise.
    """
    fit, kept = fit_told(design, clustering)
    used = fit.used(kept)
    parts = [(name, used.take(rows)) for name, rows in scenarios if len(rows)]
    _require_two(parts)
    alone, evidence = [], []
    for s, (name, part) in enumerate(parts):
        report(s / len(parts))
        alone.append(_alone(name, part, fit.names, clustering, raw))
        evidence.append(find_weight_evidence([part], [fit.parameters], [1.0], clustering))
    return PooledWeights(fit, _pooled(fit.names, alone, evidence, clustering))


def pool_gaps(
    reference: Design,
    judge: Design,
    scenarios: Sequence[tuple[str, int]],
    clustering: Clustering,
    *,
    names: tuple[str, str] = ("the reference", "the judge"),
    raw: bool = True,
    report: Report = lambda share: None,
) -> PooledGaps:
    """One judge's gaps to the reference in each scenario, raw and pooled, on the pairs that both have judged.

    scenarios : name and code of each, as in the designs' clusters "scenario"; raw : as in `pool_weights`

    Raises NotIdentifiedError as `pool_weights`, and where no pair is shared.
    """
    one, two = shared(reference, judge)
    overall = find_factor_gap(one, two, clustering, names=names)
    dropped = list(overall.dropped)
    one, two = one.without(dropped), two.without(dropped)
    whole = [fit_factors(part) for part in (one, two)]
    starts = [fit.parameters for fit in whole]
    listed = overall.names
    parts = []
    for name, code in scenarios:
        some = [part.take(np.flatnonzero(part.clusters["scenario"] == code)) for part in (one, two)]
        if all(len(part) for part in some):
            parts.append((name, some))
    _require_two(parts)
    scale = overall.gaps.scale
    contrasts = [(-1.0, 1.0)] + ([] if scale is None else [(-scale.value, 1.0)])
    found: list[tuple[list[Alone], list[Evidence]]] = [([], []) for _ in contrasts]
    for s, (name, some) in enumerate(parts):
        report(s / len(parts))
        own = _gap_alone(name, some, listed, contrasts, clustering, names, raw)
        for (alone, evidence), contrast, mine in zip(found, contrasts, own, strict=True):
            alone.append(mine)
            evidence.append(find_weight_evidence(some, starts, contrast, clustering))
    gaps = _pooled(listed, *found[0], clustering)
    if scale is None:
        return PooledGaps(overall, gaps, None)
    ref_evidence = [find_weight_evidence([some[0]], [starts[0]], [1.0], clustering) for _, some in parts]
    pooled_ref = _pooled(listed, found[0][0], ref_evidence, clustering).pooled.value
    scale_se = max(scale.se, _scale_spread(overall, [one, two], whole, [code for _, code in scenarios]))
    return PooledGaps(overall, gaps, _pooled(listed, *found[1], clustering, scale_se * np.abs(pooled_ref)))


def _scale_spread(
    overall: FactorGap, designs: Sequence[Design], fits: Sequence[FactorFit], codes: Sequence[int]
) -> float:
    """Standard error of the scale from leaving out one scenario at a time.

    Where tastes part by scenario, which factors agree on the scale hangs on the scenarios, and prompts alone tell too
    little of how sure it is: with sd .3 intervals of scaled gaps then hold in 92 %.
    """
    gaps = overall.gaps
    variance = gaps.joint.se**2
    n = len(gaps.names)
    unit = np.sqrt(variance[:n] + variance[n:])
    found = []
    for code in codes:
        rest = [design.take(np.flatnonzero(design.clusters["scenario"] != code)) for design in designs]
        if not all(0 < len(part) < len(design) for part, design in zip(rest, designs, strict=True)):
            continue
        one, two = (refit(fit, part)[0] for fit, part in zip(fits, rest, strict=True))
        agreeing = find_agreeing(one, two, gaps.joint.vcov, gaps.gap.se, unit, gaps.counted)
        line = fit_line(one, two, gaps.joint.vcov, *agreeing)
        if line is not None:
            found.append(float(line.scale(np.concatenate([one, two]))))
    return float(np.sqrt((len(found) - 1) * np.var(found))) if len(found) > 1 else 0.0


def _require_two(parts: Sequence[object]) -> None:
    if len(parts) < 2:
        raise NotIdentifiedError(
            f"only {'one scenario holds' if parts else 'no scenario holds'} judgments with these factors: whether "
            "weights change with the scenario is a question for two or more"
        )


def _pooled(
    names: Sequence[str], alone: Sequence[Alone], evidence: Sequence[Evidence], clustering: Clustering,
    common_se: Floats | None = None,
) -> ByScenario:  # fmt: skip
    found = pool_evidence(evidence, clustering, "these weights expect")
    shape = found.weighed.se.shape
    common = np.zeros(shape) if common_se is None else np.nan_to_num(common_se)
    return ByScenario(tuple(names), tuple(alone), found.weighed, found.pooled, found.test, clustering, common)


def _alone(name: str, part: Design, names: Sequence[str], clustering: Clustering, raw: bool) -> Alone:
    """The scenario's own weights, as far as there are any."""
    estimate, se = np.full(len(names), np.nan), np.full(len(names), np.nan)
    refused, dropped, quantiles = None, {}, Quantiles(None)
    if not raw:
        return Alone(name, estimate, se, quantiles, None, part.n_judgments, *_counts([part]))
    try:
        fit, kept = fit_told(part, clustering)
        dropped = dict(fit.dropped)
        at = [list(names).index(one) for one in fit.names]
        estimate[at] = fit.parameters
        covariance = weight_covariance([fit], [kept], clustering)
        se[at], quantiles = covariance.known_se, covariance.quantiles
    except NotIdentifiedError as error:
        refused = str(error) if np.isnan(estimate).all() else None
    return Alone(name, estimate, se, quantiles, refused, part.n_judgments, *_counts([part]), dropped)


def _gap_alone(
    name: str, parts: Sequence[Design], names: Sequence[str], contrasts: Sequence[tuple[float, float]],
    clustering: Clustering, judges: tuple[str, str], raw: bool,
) -> list[Alone]:  # fmt: skip
    """The scenario's own gaps, one for each contrast of reference and judge."""
    n_judgments = sum(part.n_judgments for part in parts)
    counts = _counts(parts)
    nothing = np.full(len(names), np.nan)
    if not raw:
        return [Alone(name, nothing, nothing, Quantiles(None), None, n_judgments, *counts) for _ in contrasts]
    try:
        found = find_factor_gap(parts[0], parts[1], clustering, names=judges)
    except NotIdentifiedError as error:
        return [
            Alone(name, nothing, nothing, Quantiles(None), str(error), n_judgments, *counts) for _ in contrasts
        ]
    at = [list(names).index(one) for one in found.names]
    n, out = len(at), []
    for reference, judge in contrasts:
        jacobian = np.hstack([reference * np.eye(n), judge * np.eye(n)])
        own = found.gaps.joint.of(lambda w, j=jacobian: w @ j.T, jacobian)  # type: ignore[misc]
        estimate, se = nothing.copy(), nothing.copy()
        estimate[at], se[at] = own.estimate, own.known_se
        out.append(Alone(name, estimate, se, own.quantiles, None, n_judgments, *counts, dict(found.dropped)))
    return out


def _counts(parts: Sequence[Design]) -> tuple[int, int]:
    """Pairs and prompts."""
    met: NDArray[np.int64] = np.unique(np.concatenate([part.pair for part in parts]))
    return len(met), len(np.unique(np.concatenate([part.clusters["prompt"] for part in parts])))
