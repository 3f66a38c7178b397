"""Where does a judge part from the reference: is it taste, or only decisiveness?

A judge with half the noise has all weights doubled without any other taste. Beside the plain gap
(judge - reference) stands therefore the scale lambda with judge = lambda * reference on the whole, and
the scaled gap (judge - lambda * reference), which is about taste alone. Comparing coefficients across
groups of unequal residual variation: Allison 1999; Williams 2009. Equivalence: Schuirmann 1987. The reference's
weights are estimates too: least squares that took them for exact would find lambda too small, by 9 % with twenty
weights of a tenth to a third at standard errors of .06, so both sides' errors count (York 1966; Fuller 1987).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import chdtrc, fdtrc

from analysis.cells import Floats
from analysis.multiple import adjust_bh, adjust_holm
from analysis.tables import booleans, floats
from analysis.vcov import ROUNDING, Covariance, Quantiles

EQUIVALENCE_MARGIN = 0.1
EQUIVALENCE_LEVEL = 0.90  # two one-sided tests at 5 %
OUTLYING = 2.5
LEVEL_OF_TESTS = 0.05
MOST_STEPS = 200

NOISELESS = "the scale is not offered: all clusters say the same, so nothing tells how sure any weight is"
SAME_NOISE = "the scale is not offered: judge and reference have the same noise in every weight"
REFERENCE_AT_0 = (
    "the scale is not offered: the reference's weights together cannot be told from 0, so nothing is "
    "known about how much more decisive the judge is"
)
"""Why there is no scale, where a reader is told in other words too."""


@dataclass(frozen=True)
class Scale:
    """How much more decisive the judge is than the reference: judge = value * reference on the whole.

    agreeing : (n,) whether each weight took part in the estimate (it does not deviate by |z| >= 2.5)
    """

    value: float
    se: float
    agreeing: NDArray[np.bool_]


@dataclass(frozen=True)
class Gaps:
    """The joint comparison of two judges' weights (strengths of models, or factor weights).

    names : (n,) what the weights belong to; reference, judge : (n,) weights
    joint : their covariance, the reference's n first, then the judge's
    gap : judge - reference with its covariance
    scale, scaled : lambda, and judge - lambda * reference with its covariance; None when not offered
    not_scaled : why the scale is not offered, or None
    margin : half-width of what counts as no difference, in log-odds
    counted : (n,) which weights are about taste: they make the scale, and q is over them (a position is not)
    """

    names: tuple[str, ...]
    reference: Floats
    judge: Floats
    joint: Covariance
    gap: Covariance
    scale: Scale | None
    scaled: Covariance | None
    not_scaled: str | None
    margin: float
    counted: NDArray[np.bool_]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before believing the numbers."""
        told = [*self.gap.warnings, *([] if self.not_scaled is None else [self.not_scaled])]
        if self.scale is not None and int(self.scale.agreeing.sum()) == 1:
            alone = self.names[int(np.argmax(self.scale.agreeing))]
            told.append(
                f"the scale rests on '{alone}' alone: its net gap is 0 by construction, and the others are held to it"
            )
        return tuple(told)

    @property
    def net_se(self) -> Floats:
        """(n,) standard errors of the net gaps, or of the plain ones without a scale; NaN where there is none."""
        net = self.gap if self.scaled is None else self.scaled
        return np.where(np.isnan(_z(net, _unit(self.joint))), np.nan, net.se)

    def summary(self) -> GapSummary:
        """What tables say of it."""
        return GapSummary(
            names=self.names, reference=self.reference, judge=self.judge, joint=_alone(self.joint),
            gap=_alone(self.gap), scale=self.scale, scaled=None if self.scaled is None else _alone(self.scaled),
            margin=self.margin, counted=self.counted,
        )  # fmt: skip

    def scale_table(self, level: float = 0.95) -> pd.DataFrame:
        """As `GapSummary.scale_table`."""
        return self.summary().scale_table(level)

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """As `GapSummary.table`."""
        return self.summary().table(level)


@dataclass(frozen=True)
class Alone:
    """What a covariance says of each of its estimates alone, all (n,): all that intervals and tests need."""

    estimate: Floats
    se: Floats
    quantiles: Quantiles


def _alone(covariance: Covariance) -> Alone:
    return Alone(covariance.estimate, covariance.se, covariance.quantiles)


@dataclass(frozen=True)
class GapSummary:
    """What tables say of `Gaps`, whose fields it has: a hundredth of their size, where many are kept."""

    names: tuple[str, ...]
    reference: Floats
    judge: Floats
    joint: Alone
    gap: Alone
    scale: Scale | None
    scaled: Alone | None
    margin: float
    counted: NDArray[np.bool_]

    def scale_table(self, level: float = 0.95) -> pd.DataFrame:
        """One row: value, se, lower, upper of the scale; no row when it is not offered."""
        if self.scale is None:
            return pd.DataFrame({name: floats([]) for name in ("value", "se", "lower", "upper")})
        half = self.gap.quantiles.two_sided(level) * self.scale.se
        ends = (self.scale.value - half, self.scale.value + half)
        row = {"value": self.scale.value, "se": self.scale.se, "lower": ends[0], "upper": ends[1]}
        return pd.DataFrame({name: floats([value]) for name, value in row.items()})

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """One row a name, in the order of `names`; what is undefined is missing (pandas.NA).

        Columns: name, weight_ref, weight_judge, gap, se, lower, upper, p, q, gap_scaled, scaled_se,
        scaled_lower, scaled_upper, scaled_p, scaled_q, equivalent. q: Benjamini-Hochberg over the rows counted.
        `equivalent`: the 90 % interval of gap_scaled lies within the margin.
        """
        unit = _unit(self.joint)
        columns: dict[str, pd.Series] = {
            "name": pd.Series(list(self.names), dtype="str"),
            "weight_ref": floats(self.reference),
            "weight_judge": floats(self.judge),
        }
        columns |= _tested(self.gap, level, ("gap", "se", "lower", "upper", "p", "q"), unit, self.counted)
        scaled_names = tuple(["gap_scaled"] + [f"scaled_{part}" for part in ("se", "lower", "upper", "p", "q")])
        n = len(self.names)
        if self.scaled is None:
            columns |= {name: floats([None] * n) for name in scaled_names}
            columns["equivalent"] = booleans([None] * n)
        else:
            columns |= _tested(self.scaled, level, scaled_names, unit, self.counted)
            reach = self.scaled.quantiles.two_sided(EQUIVALENCE_LEVEL) * self.scaled.se
            inside = np.abs(self.scaled.estimate) + reach < self.margin
            defined = ~np.isnan(_z(self.scaled, unit))
            columns["equivalent"] = booleans(
                [bool(yes) if known else None for yes, known in zip(inside, defined, strict=True)]
            )
        return pd.DataFrame(columns)


def _unit(joint: Covariance | Alone) -> Floats:
    """(n,) standard error that each gap would have if the two judges' noise were independent; NaN without any noise."""
    variance, size = joint.se**2, np.abs(joint.estimate)
    n = len(variance) // 2
    unit = np.sqrt(variance[:n] + variance[n:])
    return np.where(unit > ROUNDING * np.maximum(size[:n], size[n:]), unit, np.nan)


def _z(covariance: Covariance | Alone, unit: Floats) -> Floats:
    """Estimates in standard errors; NaN where the estimate has none (it is 0 by construction)."""
    se = covariance.se
    has = se > 1e-6 * unit
    return np.where(has, covariance.estimate / np.where(has, se, 1.0), np.nan)


def _tested(
    covariance: Alone, level: float, names: Sequence[str], unit: Floats, counted: NDArray[np.bool_]
) -> dict[str, pd.Series]:
    z = _z(covariance, unit)
    p = covariance.quantiles.p_value(z)
    q = adjust_bh(np.where(counted, p, np.nan))
    se = np.where(np.isnan(z), np.nan, covariance.se)
    half = covariance.quantiles.two_sided(level) * se
    estimate = covariance.estimate
    values = (estimate, se, estimate - half, estimate + half, p, q)
    return {name: floats(value) for name, value in zip(names, values, strict=True)}


def find_gaps(
    names: Sequence[str],
    joint: Covariance,
    *,
    margin: float = EQUIVALENCE_MARGIN,
    counted: NDArray[np.bool_] | None = None,
) -> Gaps:
    """Gap, scale and scaled gap of two judges from their stacked estimates.

    names : (n,) names of the weights
    joint : over 2n estimates, the reference's n first, then the judge's n
    margin : half-width of what counts as no difference, in log-odds
    counted : (n,) which weights are about taste; None: all. The others (the position) have gaps, but neither make the
        scale nor enter q

    The scale is the weighted median of judge / reference, refined by weighted least squares with errors in both on the
    weights that deviate from it by less than 2.5 standard errors. Which weights these are, their precision, and how
    much the judge's say of the reference's, is held fixed when its uncertainty is carried over to the scaled gap.
    """
    n = len(names)
    counted = np.ones(n, dtype=bool) if counted is None else counted
    reference, judge = joint.estimate[:n], joint.estimate[n:]
    eye = np.eye(n)
    gap = joint.of(lambda w: w[..., n:] - w[..., :n], np.hstack([-eye, eye]))
    unit = _unit(joint)
    why_not = NOISELESS if np.isnan(unit[counted]).all() else _why_not_scaled(joint, counted)
    if why_not is None and not bool((gap.se > 1e-6 * unit)[counted].any()):
        why_not = SAME_NOISE
    if why_not is not None:
        return Gaps(tuple(names), reference, judge, joint, gap, None, None, why_not, margin, counted)

    agreeing = find_agreeing(reference, judge, joint.vcov, gap.se, unit, counted)
    line = fit_line(reference, judge, joint.vcov, *agreeing)
    if line is None:
        why_not = "the scale is not offered: the reference's weights are too uncertain to hold the judge's against"
        return Gaps(tuple(names), reference, judge, joint, gap, None, None, why_not, margin, counted)
    value = float(line.scale(joint.estimate))
    d_scale = line.derivative(joint.estimate)
    d_scaled = np.hstack([-value * eye, eye]) - np.outer(reference, d_scale)

    def with_scale(w: Floats) -> Floats:
        scale = line.scale(w)[..., None]
        return np.concatenate([w[..., n:] - scale * w[..., :n], scale], axis=-1)

    both = joint.of(with_scale, np.vstack([d_scaled, d_scale]))
    scaled = both.of(lambda w: w[..., :n], np.eye(n, n + 1))
    scale = Scale(value, float(both.se[n]), line.precision > 0)
    return Gaps(tuple(names), reference, judge, joint, gap, scale, scaled, None, margin, counted)


@dataclass(frozen=True)
class Line:
    """judge = scale * reference, through 0.

    precision : (n,) inverse variances of judge - scale * reference; 0 where outlying
    own, told : (n,) the reference's weight, as both judges tell it, is own * reference + told * judge
    """

    precision: Floats
    own: Floats
    told: Floats

    def scale(self, estimates: Floats) -> Floats:
        """Of (..., 2n) estimates."""
        reference, judge = np.split(estimates, 2, axis=-1)
        best = self.precision * (self.own * reference + self.told * judge)
        return np.asarray((best * judge).sum(axis=-1) / (best * reference).sum(axis=-1))

    def derivative(self, estimates: Floats) -> Floats:
        """(2n,) of the scale."""
        reference, judge = np.split(estimates, 2)
        value = float(self.scale(estimates))
        best, away = self.own * reference + self.told * judge, judge - value * reference
        total = self.precision * best @ reference
        by_reference = self.precision * (self.own * away - value * best)
        return np.concatenate([by_reference, self.precision * (self.told * away + best)]) / total


def find_agreeing(
    reference: Floats, judge: Floats, vcov: Floats, gap_se: Floats, unit: Floats, counted: NDArray[np.bool_]
) -> tuple[float, NDArray[np.bool_]]:
    """The weighted median of judge / reference, and which weights do not deviate from it."""
    usable = counted & (reference != 0) & (gap_se > 1e-6 * unit)
    ratio = judge[usable] / reference[usable]
    mass = np.abs(reference[usable]) / gap_se[usable]
    order = np.argsort(ratio, kind="stable")
    half = np.searchsorted(np.cumsum(mass[order]), mass.sum() / 2)
    start = float(ratio[order][half])
    variance, whole = _variances(vcov, start)
    usable &= variance > 1e-12 * whole
    return start, usable & ((judge - start * reference) ** 2 < OUTLYING**2 * variance)


def _variances(vcov: Floats, scale: float) -> tuple[Floats, Floats]:
    """(n,) variances of judge - scale * reference, and what they would be if the two had nothing in common."""
    n = len(vcov) // 2
    diagonal, across = np.diag(vcov), np.diag(vcov[:n, n:])
    whole = diagonal[n:] + scale**2 * diagonal[:n]
    return whole - 2 * scale * across, whole


def fit_line(
    reference: Floats, judge: Floats, vcov: Floats, scale: float, agreeing: NDArray[np.bool_]
) -> Line | None:
    """Weighted least squares with errors in both, from `scale` on; None where that leads nowhere.

    The best guess of the reference's weight leaves out what the deviation tells of its error; it has then nothing in
    common with the deviation that is left, so that noise does not draw the scale anywhere.
    """
    n = len(reference)
    estimates = np.concatenate([reference, judge])
    if not agreeing.any():
        return None
    for _ in range(MOST_STEPS):
        variance, whole = _variances(vcov, scale)
        variance = np.maximum(variance, 1e-12 * whole)
        safe = np.where(agreeing, variance, 1.0)
        told = np.where(agreeing, scale * np.diag(vcov)[:n] - np.diag(vcov[:n, n:]), 0.0) / safe
        line = Line(np.where(agreeing, 1.0 / safe, 0.0), 1.0 - scale * told, told)
        before, scale = scale, float(line.scale(estimates))
        if not np.isfinite(scale):
            return None
        if abs(scale - before) <= 1e-9 * abs(scale):
            return line
    return None


def _why_not_scaled(joint: Covariance, counted: NDArray[np.bool_]) -> str | None:
    """None when the reference's weights are beyond doubt not all 0; otherwise the reason."""
    some = np.flatnonzero(counted)
    n = len(some)
    if n < 2:
        return "the scale is not offered: it needs at least two independent weights"
    weight, vcov = joint.estimate[some], joint.vcov[np.ix_(some, some)]
    values, vectors = np.linalg.eigh(vcov)
    free = values > 1e-9 * values[-1]
    rank = int(free.sum())
    if rank < 2:
        return "the scale is not offered: it needs at least two independent weights"
    if joint.clustering.name == "none":
        wald = float((((vectors.T @ weight)[free]) ** 2 / values[free]).sum())
        found = float(chdtrc(rank, wald)) < LEVEL_OF_TESTS
    elif joint.n_clusters > 2 * rank and not joint.floored:
        # Hotelling's T2: chi-squared would take the estimated covariance for the true one. With hardly
        # more clusters than weights it finds nothing at all, and the largest weight decides, as below.
        wald = float((((vectors.T @ weight)[free]) ** 2 / values[free]).sum())
        clusters = joint.n_clusters
        f = wald * (clusters - rank) / (rank * (clusters - 1))
        found = float(fdtrc(rank, clusters - rank, f)) < LEVEL_OF_TESTS
    else:
        se = np.sqrt(np.diag(vcov))
        p = joint.quantiles.p_value(np.divide(weight, se, out=np.zeros(n), where=se > 0))
        found = float(adjust_holm(p).min()) < LEVEL_OF_TESTS
    if found:
        return None
    return REFERENCE_AT_0
