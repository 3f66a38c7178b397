"""How much of a judge's weights would come out again? Two halves of the prompts, each fitted for itself.

The correlation over the factors between the weights of two random halves, averaged over splits and stepped up to full
length by Spearman and Brown's 2r / (1 + r), tells how the weights of a second sample of the same size would correlate
with these. The position is no factor and is left aside. A factor that one half does not determine (a flag that only
winners have there) is left out of that split: with a ridge instead, its wild weight pulls the figure down by up to .15
where flags are rare. The mean correlation is stepped up, not each split's, as stepping up bends downwards.

Beside it stands the analytic reliability 1 - v / s^2, v the mean sampling variance of the weights about their mean and
s^2 their variance, and the agreement of two judges' weights net of noise (`reliability`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.cells import Floats, Ints, dense_codes
from analysis.design import Design
from analysis.design_sums import scores_by_cluster
from analysis.factor_covariance import weight_covariance
from analysis.factor_fit import FactorFit, fit_factors
from analysis.rank_correlation import Interval
from analysis.refits import fit_parts, is_small, newton_step, sums_by_group
from analysis.reliability import FEW_PROMPTS, Corrected, correct_correlation
from analysis.strengths import Ties
from analysis.vcov import Clustering, cluster_mass, find_heavy
from errors import NotIdentifiedError

SPLITS = 100
LEAST_FACTORS = 3
"""A correlation over two points is 1 or -1 whatever they are."""

GROUPS = 64
"""Of large data halves are unions of so many groups of clusters: their sums are then had in one pass over the rows."""

AT_ONCE = 25
"""Splits between two reports."""

CLUSTERS_AT_ONCE = 65_536

Way = Literal["prompt", "pair"]
"""What halves and folds are made of."""

Report = Callable[[float], None]


def quiet(share: float) -> None:
    """A report that tells nobody."""


@dataclass(frozen=True)
class SplitHalf:
    """How alike the weights of two halves are.

    way : what was split ("prompt" or "pair"), n_clusters of them
    halves : (n_splits,) Pearson's correlation of the halves' weights over the factors both determine
    n_factors : of the whole fit; mean_factors : in a split; n_lost : splits in which a half had no weights to speak of
    exact : whether each half was fitted; else one Newton step from the whole, with the half's own information
    """

    way: str
    n_clusters: int
    halves: Floats
    n_factors: int
    mean_factors: float
    n_lost: int
    exact: bool

    @property
    def value(self) -> float:
        """The mean correlation, stepped up to full length."""
        return float(step_up(self.halves.mean()))

    def interval(self, level: float = 0.95) -> Interval:
        """The value, and the range in which that share of the splits lies, each stepped up (no confidence interval)."""
        lower, upper = np.quantile(step_up(self.halves), [(1 - level) / 2, (1 + level) / 2])
        return Interval(self.value, float(lower), float(upper))


def step_up(r: Floats | float) -> Floats:
    """The correlation at full length of halves that correlate at r: 2r / (1 + r) (Spearman 1910, Brown 1910).

    Below -1/3 stepping up would leave what a correlation can be: such halves are noise, and -1 is said.
    """
    r = np.asarray(r, dtype=np.float64)
    return np.asarray(np.where(r > -1 / 3, 2 * r / (1 + np.maximum(r, -1 / 3)), -1.0))


def split_weights(
    fit: FactorFit, design: Design, way: Way, rng: np.random.Generator, splits: int = SPLITS, report: Report = quiet
) -> SplitHalf:
    """Correlation of the weights of two random halves of the clusters.

    way : what is split; report : told the share that is done

    Raises NotIdentifiedError with fewer than three factors, fewer than four clusters, too few pairs for two halves, or
    where most halves determine fewer than three factors.
    """
    used, k = fit.used(design), len(fit.factors)
    if k < LEAST_FACTORS:
        raise NotIdentifiedError(
            f"split-half reliability is a correlation over factors, and there {'is' if k == 1 else 'are'} {k}: at "
            f"least {LEAST_FACTORS} are needed"
        )
    codes = dense_codes([used.clusters[way]])
    n = codes.n_clusters
    if n < 4:
        raise NotIdentifiedError(f"{n} {way}s cannot be split into two halves worth comparing: at least 4 are needed")
    if fit.n_pairs < 2 * (k + 1):
        raise NotIdentifiedError(
            f"{fit.n_pairs:,} pairs cannot be split into halves that each tell {k} factors apart: at least "
            f"{2 * (k + 1)} are needed. Choose fewer factors"
        )
    exact = is_small(fit, used)
    halves = _fitted_halves if exact else _stepped_halves
    found, shared = [], []
    for s, (one, two) in enumerate(halves(fit, used, codes.codes[0], n, rng, splits)):
        both = np.isfinite(one) & np.isfinite(two)
        if both.sum() >= LEAST_FACTORS and np.ptp(one[both]) > 0 and np.ptp(two[both]) > 0:
            found.append(float(np.corrcoef(one[both], two[both])[0, 1]))
            shared.append(int(both.sum()))
        report((s + 1) / splits)
    if 2 * len(found) < splits:
        raise NotIdentifiedError(
            f"most halves of the {n:,} {way}s determine fewer than {LEAST_FACTORS} factors: choose fewer factors, or "
            "more data"
        )
    return SplitHalf(way, n, np.array(found), k, float(np.mean(shared)), splits - len(found), exact)


Halves = Iterator[tuple[Floats, Floats]]


def _fitted_halves(
    fit: FactorFit, design: Design, codes: Ints, n: int, rng: np.random.Generator, splits: int
) -> Halves:
    inside = _factors(fit)
    for start in range(0, splits, AT_ONCE):
        first = np.stack([_half(n, rng)[codes] for _ in range(start, min(start + AT_ONCE, splits))])
        found = fit_parts(fit, design, np.vstack([first, ~first]))[:, inside]
        yield from zip(found[: len(first)], found[len(first) :], strict=True)


def _stepped_halves(
    fit: FactorFit, design: Design, codes: Ints, n: int, rng: np.random.Generator, splits: int
) -> Halves:
    groups = min(n, GROUPS)
    of_cluster = rng.permutation(n) % groups
    sums = sums_by_group(design, fit.rule, fit.parameters, of_cluster[codes], groups)
    slopes = np.stack([one.gradient for one in sums])
    informations = np.stack([one.information for one in sums])
    inside = _factors(fit)
    for _ in range(splits):
        first = _half(groups, rng)
        one, two = (
            newton_step(fit.parameters, slopes[half].sum(axis=0), informations[half].sum(axis=0))
            for half in (first, ~first)
        )
        yield one[inside], two[inside]


def _half(n: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """(n,) which of n things are in the first of two random halves."""
    return np.asarray(rng.permutation(n) < n // 2)


def _factors(fit: FactorFit) -> slice:
    """Where the weights of factors stand among the parameters."""
    low = int(fit.has_position)
    return slice(low, low + len(fit.factors))


# -- beside it -------------------------------------------------------------------------------------------------------


def analytic_reliability(fit: FactorFit, design: Design, way: Way) -> float:
    """1 - v / s^2: the share of the variance of the weights over the factors that is not sampling noise.

    way : what is drawn anew; the sampling variance is that of `weight_covariance`. Below 0 where there is more noise
    expected than the weights differ.

    Raises NotIdentifiedError with fewer than three factors or two clusters, or where all weights are equal.
    """
    k = len(fit.factors)
    if k < LEAST_FACTORS:
        raise NotIdentifiedError(f"reliability is a share of the variance over factors, and there are only {k}")
    inside = _factors(fit)
    vcov = weight_covariance([fit], [design], Clustering(way)).vcov[inside, inside]
    centred = fit.weights - fit.weights.mean()
    spread = float(centred @ centred)
    if not spread > 0:
        raise NotIdentifiedError("all weights are equal, so no share of their variance is known")
    # The trace of the covariance about the mean: the mean of the weights has its own variance, mean(C).
    noise = float(np.trace(vcov) - vcov.sum() / k)
    return 1 - noise / spread


def correct_weights(reference: Design, judge: Design, *, ties: Ties, n_prompts: int) -> Corrected:
    """Agreement of two judges' weights net of noise, over the factors that both determine.

    reference, judge : on the pairs both judged; n_prompts : behind them. By prompt; with fewer than 30 by pair.

    Raises NotIdentifiedError with fewer than three factors for both, or fewer than two clusters.
    """
    fits, designs = fit_both(reference, judge, ties)
    k = len(fits[0].factors)
    if k < LEAST_FACTORS:
        raise NotIdentifiedError(f"a correlation of weights needs at least {LEAST_FACTORS} factors, and there are {k}")
    way: Way = "pair" if n_prompts < FEW_PROMPTS else "prompt"
    warning = (
        f"with {n_prompts} prompts the agreement of weights net of noise is clustered by pair: it speaks about these "
        "prompts only"
        if way == "pair"
        else None
    )
    codes = dense_codes([design.clusters[way] for design in designs])
    if codes.n_clusters < 2:
        raise NotIdentifiedError(f"this needs at least 2 {way}s, and there is {codes.n_clusters}. Choose more data")
    mass = cluster_mass(designs, codes.codes, codes.n_clusters)
    weights = [fit.weights - fit.weights.mean() for fit in fits]
    moves = _moves(fits, designs, codes.codes, mass)
    return correct_correlation(weights[0], weights[1], moves, mass, way, warning, "weights")


def fit_both(reference: Design, judge: Design, ties: Ties) -> tuple[list[FactorFit], list[Design]]:
    """Both fitted to the factors that both determine.

    Raises NotIdentifiedError where there is none.
    """
    designs = [reference, judge]
    while True:
        fits = [fit_factors(design, ties=ties) for design in designs]
        gone = [name for fit in fits for name in fit.dropped]
        if not gone:
            return fits, designs
        designs = [design.without(gone) for design in designs]
        if not designs[0].names:
            raise NotIdentifiedError("no factor can be estimated for both judges")


def _moves(
    fits: Sequence[FactorFit], designs: Sequence[Design], codes: Sequence[Ints], mass: Floats
) -> Iterator[tuple[Floats, Floats]]:
    """How far each cluster moves both judges' weights about their means, some clusters at a time."""
    heavy, _ = find_heavy(mass)
    scores, exact = [], []
    for fit, design, code in zip(fits, designs, codes, strict=True):
        exact.append(fit.parameters - fit.without_each(design, code, heavy).parameters)
        if len(heavy) < len(mass):
            scores.append(scores_by_cluster(design, fit.rule, fit.parameters, code, len(mass)))
    for start in range(0, len(mass), CLUSTERS_AT_ONCE):
        stop = min(start + CLUSTERS_AT_ONCE, len(mass))
        here = (start <= heavy) & (heavy < stop)
        out = []
        for k, fit in enumerate(fits):
            if scores:
                moved = scores[k][start:stop].astype(np.float64) @ fit.bread
            else:
                moved = np.empty((stop - start, len(fit.parameters)))
            moved[heavy[here] - start] = exact[k][here]
            moved = moved[:, _factors(fit)]
            out.append(moved - moved.mean(axis=1, keepdims=True))
        yield out[0], out[1]
