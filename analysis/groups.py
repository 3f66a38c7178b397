"""Do groups of judgments weigh factors differently, and in which group does a judge agree least with the reference?

Each group of a judge's judgments has weights of its own, all fitted side by side: groups that share prompts share
their noise, and the covariance has it. A factor is held alike in all groups by Wald's test; its statistic against
Hotelling's T2, as the covariance is estimated from so many clusters. Groups may differ in decisiveness alone (careless
people have all weights nearer to 0), so that beside each gap to the largest group stands the scaled one (`gap`).

Groups that share no cluster (prompts of other topics) are independent of one another: there Welch's test takes the
place of Wald's, with how well each group's own error is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from scipy.special import expit, fdtrc

from analysis.agreement import Agreement, Compared, below_others, find_agreement
from analysis.cells import Floats, Ints
from analysis.design import FIRST, Design
from analysis.factor_covariance import weight_covariance
from analysis.factor_fit import FactorFit
from analysis.factor_gap import select
from analysis.factor_told import fit_told
from analysis.gap import Gaps, find_gaps
from analysis.heterogeneity import find_heterogeneity
from analysis.multiple import adjust_bh
from analysis.tables import floats, integers
from analysis.vcov import FEW_CLUSTERS, Clustering, Covariance, Quantiles
from errors import NotIdentifiedError

LEAST_JUDGES = 5
"""Judges from which on a slope over them is told."""


@dataclass(frozen=True)
class Test:
    """Whether a factor weighs alike in all groups. p : None where `refused` says why

    statistic : F of df_1 and df_2 (infinite: chi-squared / df_1) degrees of freedom
    """

    factor: str
    groups: tuple[str, ...]
    statistic: float | None
    df_1: int
    df_2: float | None
    p: float | None
    refused: str | None = None


@dataclass(frozen=True)
class GroupWeights:
    """One judge's weights in each group that can be fitted.

    groups : names of these; fits, covariances : of each alone
    tests : one a factor that is in at least two groups; gaps : of every other group to the largest, by group
    refused : by group that could not be fitted, why
    """

    groups: tuple[str, ...]
    fits: tuple[FactorFit, ...]
    covariances: tuple[Covariance, ...]
    tests: tuple[Test, ...]
    largest: str
    gaps: dict[str, Gaps] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """One row a group and factor.

        Columns: group, factor, weight, se, lower, upper, effect (win points), judgments, pairs, clusters.
        """
        tables = []
        for name, fit, own in zip(self.groups, self.fits, self.covariances, strict=True):
            weight, half = fit.parameters, own.quantiles.two_sided(level) * own.known_se
            tables.append(pd.DataFrame({
                "group": name, "factor": list(fit.names), "weight": floats(weight), "se": floats(own.known_se),
                "lower": floats(weight - half), "upper": floats(weight + half), "effect": floats(100 * expit(weight)),
                "judgments": fit.n_judgments, "pairs": fit.n_pairs, "clusters": own.n_clusters,
            }))  # fmt: skip
        return pd.concat(tables, ignore_index=True)

    def test_table(self) -> pd.DataFrame:
        """One row a factor, the surest difference first: factor, groups, statistic, df_1, df_2, p, q, note.

        q : Benjamini-Hochberg over the factors, the position excluded
        """
        p = np.array([np.nan if one.p is None else one.p for one in self.tests])
        counted = np.array([one.factor != FIRST for one in self.tests], dtype=bool)
        table = pd.DataFrame({
            "factor": [one.factor for one in self.tests], "groups": integers([len(one.groups) for one in self.tests]),
            "statistic": floats([one.statistic for one in self.tests]),
            "df_1": integers([one.df_1 for one in self.tests]), "df_2": floats([one.df_2 for one in self.tests]),
            "p": floats(p), "q": floats(adjust_bh(np.where(counted, p, np.nan))),
            "note": pd.Series([one.refused for one in self.tests], dtype="str"),
        })  # fmt: skip
        return table.sort_values(["p", "factor"], kind="stable", na_position="last").reset_index(drop=True)

    def gap_table(self, level: float = 0.95) -> pd.DataFrame:
        """group, against (the largest group), and the columns of `Gaps.table` with `factor` for name.

        q : over all rows
        """
        tables = []
        for name, one in self.gaps.items():
            table = one.table(level).rename(columns={"name": "factor"})
            table.insert(0, "against", self.largest)
            table.insert(0, "group", name)
            tables.append(table.drop(columns=["equivalent"]))
        if not tables:
            return pd.DataFrame()
        whole = pd.concat(tables, ignore_index=True)
        counted = (whole["factor"] != FIRST).to_numpy()
        for p, q in (("p", "q"), ("scaled_p", "scaled_q")):
            given = whole[p].to_numpy(dtype=np.float64, na_value=np.nan)
            whole[q] = floats(adjust_bh(np.where(counted, given, np.nan)))
        return whole


def fit_groups(design: Design, groups: Ints, names: Sequence[str], clustering: Clustering) -> GroupWeights:
    """One judge's weights in each group.

    groups : (n_rows,) index into `names`, -1 in none; ties are half a win or are not in the design

    Raises NotIdentifiedError where fewer than two groups can be fitted.
    """
    fits, designs, kept, refused = [], [], [], {}
    for k, name in enumerate(names):
        rows = np.flatnonzero(groups == k)
        if not len(rows):
            continue
        try:
            fit, used = fit_told(design.take(rows), clustering)
        except NotIdentifiedError as error:
            refused[name] = str(error)
            continue
        fits.append(fit)
        designs.append(used)
        kept.append(name)
    if len(fits) < 2:
        why = "; ".join(f"{name}: {reason}" for name, reason in refused.items())
        raise NotIdentifiedError(
            f"weights can be fitted in {'one group alone' if fits else 'no group'}, and it takes two to compare"
            f"{'. ' + why if why else ''}"
        )
    covariances = [weight_covariance([fit], [used], clustering) for fit, used in zip(fits, designs, strict=True)]
    every = list(dict.fromkeys(name for fit in fits for name in fit.names))
    if _apart(designs, clustering):
        tests = tuple(one for name in every if (one := _welch(name, kept, fits, covariances)) is not None)
    else:
        tests = _walds(every, kept, fits, designs, covariances, clustering)
    big = int(np.argmax([fit.n_judgments for fit in fits]))
    gaps = {}
    for g, name in enumerate(kept):
        common = [one for one in fits[big].names if one in fits[g].names]
        counted = np.array([one != FIRST for one in common], dtype=bool)
        if g == big or not counted.any():
            continue
        two = [fits[big], fits[g]]
        joint = weight_covariance(two, [designs[big], designs[g]], clustering)
        if covariances[g].n_clusters < FEW_CLUSTERS <= joint.n_clusters:
            # The larger group's many clusters would let the few of this one pass for many.
            continue
        at = [fit.names.index(one) + start for fit, start in zip(two, (0, len(two[0].parameters)), strict=True)
              for one in common]  # fmt: skip
        gaps[name] = find_gaps(common, select(joint, at), counted=counted)
    return GroupWeights(tuple(kept), tuple(fits), tuple(covariances), tests, kept[big], gaps, refused)


def _apart(designs: Sequence[Design], clustering: Clustering) -> bool:
    """Whether no two groups share a cluster."""
    if clustering.name == "none":
        return True
    for way in clustering.name.split("+"):
        met = [np.unique(design.clusters[way]) for design in designs]
        if len(np.unique(np.concatenate(met))) < sum(map(len, met)):
            return False
    return True


def _welch(
    name: str, groups: Sequence[str], fits: Sequence[FactorFit], covariances: Sequence[Covariance]
) -> Test | None:
    """Welch's test over the groups that have the factor; None where it is in one alone."""
    some = [g for g, fit in enumerate(fits) if name in fit.names]
    if len(some) < 2:
        return None
    at = [fits[g].names.index(name) for g in some]
    estimate = np.array([[fits[g].parameters[k]] for g, k in zip(some, at, strict=True)])
    se = np.array([[covariances[g].known_se[k]] for g, k in zip(some, at, strict=True)])
    df = np.array([[covariances[g].quantiles.df or np.inf] for g in some])
    found = find_heterogeneity(estimate, np.where(np.isfinite(se), se, np.inf), df)
    n = int(found.n_scenarios[0])
    named = tuple(groups[g] for g in some)
    if n < 2:
        return Test(name, named, None, len(some) - 1, None, None, "fewer than two groups have enough clusters")
    df_2 = float(found.df_2[0])
    return Test(name, named, float(found.statistic[0]), n - 1, df_2 if np.isfinite(df_2) else None, float(found.p[0]))


def _walds(
    every: Sequence[str], groups: Sequence[str], fits: Sequence[FactorFit], designs: Sequence[Design],
    covariances: Sequence[Covariance], clustering: Clustering,
) -> tuple[Test, ...]:  # fmt: skip
    joint = weight_covariance(fits, designs, clustering)
    starts = np.cumsum([0, *(len(fit.parameters) for fit in fits)])
    places = {
        name: [(g, int(starts[g]) + fit.names.index(name)) for g, fit in enumerate(fits) if name in fit.names]
        for name in every
    }
    out = []
    for name, at in places.items():
        if len(at) > 1:
            fewest = min(covariances[g].n_clusters for g, _ in at)
            out.append(_wald(name, [groups[g] for g, _ in at], [p for _, p in at], joint, fewest))
    return tuple(out)


def _wald(name: str, groups: Sequence[str], at: Sequence[int], joint: Covariance, fewest: int) -> Test:
    """Wald's test of equal weights, by the differences from the first group. fewest : clusters that a group has"""
    df = len(at) - 1
    contrast = np.zeros((df, len(joint.estimate)))
    contrast[np.arange(df), at[1:]] = 1.0
    contrast[:, at[0]] = -1.0
    away = joint.of(lambda w: w @ contrast.T, contrast)
    # A group of few clusters is what is known least.
    clusters = min(float(fewest), np.inf if joint.quantiles.df is None else joint.quantiles.df + 1)
    if clusters <= df:
        way = joint.clustering.name
        why = f"{fewest} {way}{'' if fewest == 1 else 's'} of a group are too few to test {df} differences at once"
        return Test(name, tuple(groups), None, df, None, None, why)
    values, vectors = np.linalg.eigh(away.vcov)
    if not values[0] > 1e-12 * max(values[-1], 1e-300):
        return Test(name, tuple(groups), None, df, None, None, "nothing tells how sure these differences are")
    wald = float(((vectors.T @ away.estimate) ** 2 / values).sum())
    f = wald * (clusters - df) / (df * (clusters - 1))
    return Test(name, tuple(groups), f, df, clusters - df, float(fdtrc(df, clusters - df, f)))


# -- agreement ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GroupAgreement:
    """Agreement of judge and reference in those groups that have comparisons (one a vote of the reference).

    p : (n,) of lying below all other groups together, one-sided, Holm-adjusted for having looked at each
    """

    groups: tuple[str, ...]
    found: Agreement
    p: Floats

    @property
    def lowest(self) -> int:
        """Place of the group with the lowest share."""
        return int(np.argmin(self.found.agreement))

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """group, agreement, lower, upper; simultaneous_lower, simultaneous_upper: all groups' at once (Bonferroni), so
        that the lowest one's holds although it was looked for; pooled with interval; p_lower (Holm); n, clusters."""
        low, high = self.found.interval(1 - (1 - level) / len(self.groups))
        table = self.found.table(level).rename(columns={"comparisons": "n"}).assign(
            group=list(self.groups), simultaneous_lower=floats(low), simultaneous_upper=floats(high),
            p_lower=floats(self.p),
        )  # fmt: skip
        table = table.sort_values(["agreement", "group"], kind="stable").reset_index(drop=True)
        return table[[
            "group", "agreement", "lower", "upper", "simultaneous_lower", "simultaneous_upper", "pooled",
            "pooled_lower", "pooled_upper", "p_lower", "n", "clusters",
        ]]  # fmt: skip


def agree_in_groups(rows: Compared, names: Sequence[str], clustering: Clustering) -> GroupAgreement:
    """Agreement by group. rows : its groups index into `names`, -1 in none

    Raises NotIdentifiedError where fewer than two groups have comparisons.
    """
    rows = rows.take(np.flatnonzero((rows.group >= 0) & (rows.whole > 0)))
    met, group = np.unique(rows.group, return_inverse=True)
    if len(met) < 2:
        raise NotIdentifiedError("judge and reference can be held against one another in fewer than two groups")
    rows = replace(rows, group=group)
    return GroupAgreement(
        tuple(names[int(g)] for g in met), find_agreement(rows, len(met), clustering),
        below_others(rows, len(met), clustering),
    )  # fmt: skip


# -- over judges --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Slope:
    """How a figure of judges goes with an attribute of theirs: least squares over n judges, and Spearman's rho.

    per_sd, its interval: for one standard deviation of the attribute; slope : for one unit of it
    """

    n: int
    slope: float
    per_sd: float
    lower: float
    upper: float
    p: float
    spearman: float
    spearman_lower: float
    spearman_upper: float


def slope_over_judges(attribute: Floats, figure: Floats, level: float = 0.95) -> Slope:
    """attribute, figure : (n,) of each judge, all known. Judges are the units: what is not known of each one's figure
    is part of how they scatter.

    t with n - 2 degrees of freedom; Spearman's interval by Fisher's z with 1.06 / (n - 3) (Fieller, Hartley and
    Pearson 1957). Raises NotIdentifiedError with fewer than five judges, or where the attribute is the same for all.
    """
    # Takes half a second to import, of every command.
    from scipy.stats import rankdata
    from scipy.stats import t as student

    n = len(figure)
    if n < LEAST_JUDGES:
        raise NotIdentifiedError(f"a slope over judges needs {LEAST_JUDGES} of them, and there are {n}")
    if not np.ptp(attribute) > 0:
        raise NotIdentifiedError("the attribute is the same for all judges")
    sd = float(attribute.std(ddof=1))
    x = (attribute - attribute.mean()) / sd
    away = figure - figure.mean()
    slope = float(x @ away / (x @ x))
    rest = float(((away - slope * x) ** 2).sum())
    se = np.sqrt(max(rest, 0.0) / (n - 2) / (x @ x))
    half = float(student.ppf((1 + level) / 2, n - 2)) * se
    p = float(2 * student.sf(abs(slope) / se, n - 2)) if se > 1e-12 * abs(slope) else float("nan")
    ranks = [rankdata(values) for values in (attribute, figure)]
    rho = float(np.corrcoef(ranks[0], ranks[1])[0, 1]) if np.ptp(figure) > 0 else float("nan")
    reach = Quantiles(None).two_sided(level) * np.sqrt(1.06 / (n - 3))
    low, high = (
        (float(np.tanh(np.arctanh(rho) - reach)), float(np.tanh(np.arctanh(rho) + reach)))
        if abs(rho) < 1 else (float("nan"), float("nan"))
    )  # fmt: skip
    return Slope(n, slope / sd, slope, slope - half, slope + half, p, rho, low, high)
