"""How alike would two judges' strengths be without noise, and how alike are people among themselves?

Noise pulls the correlation of two rankings towards 0, and noise that both share (they saw the same prompts) pushes it
up. The corrected figure takes both out (Spearman 1904, with correlated errors: Charles 2005):

    r_c = [cov(R, J) - mean C] / sqrt((s_R^2 - v_R)(s_J^2 - v_J))

where R and J are the strengths, C the joint sampling covariance of a model's two strengths and v the mean sampling
variance. Beside it stands what people reach: the correlation of two halves of them (or of their prompts), stepped up
to full length by Spearman and Brown's 2r/(1 + r).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.bootstrap import n_clusters, refit_weighted
from analysis.bradley_terry import BradleyTerry
from analysis.cells import Cells, Floats, dense_codes
from analysis.rank_correlation import Interval
from analysis.sandwich import cluster_codes, influences
from analysis.strengths import Strengths
from analysis.vcov import FEW_CLUSTERS, Quantiles, cluster_mass, find_heavy
from errors import NotIdentifiedError

LEAST_RELIABLE = 0.3
FEW_PROMPTS = 30
SPLITS = 200


@dataclass(frozen=True)
class Corrected:
    """Reliability-corrected agreement of two judges' strengths.

    raw : Pearson's correlation of the strengths as estimated
    value, se : corrected figure with its jackknife standard error; None where it is refused or withheld
    reliability : 1 - v/s^2 of reference and judge; clusters, n_clusters : behind v, C and the jackknife
    why_not : why there is no value, or None; warning : what must be known to read it, or None
    effective : for how many clusters they count where one has more than 5 % of the weight
    """

    raw: float
    value: float | None
    se: float | None
    reliability: tuple[float, float]
    clusters: str
    n_clusters: int
    why_not: str | None
    warning: str | None
    effective: float | None = None

    def interval(self, level: float = 0.95) -> Interval:
        """Jackknife interval, t below 50 clusters and with a heavy one, cut off at -1 and 1; absent without a value."""
        if self.value is None or self.se is None:
            return Interval(None, None, None)
        many = self.n_clusters >= FEW_CLUSTERS and self.effective is None
        count = self.n_clusters if self.effective is None else self.effective
        quantiles = Quantiles(None if many else max(count - 1.0, 1.0))
        half = quantiles.two_sided(level) * self.se
        return Interval(self.value, max(self.value - half, -1.0), min(self.value + half, 1.0))


@dataclass(frozen=True)
class _Moments:
    """Sums over models of R*J, R^2, J^2 less those of C, v_R, v_J; each () or (n,)."""

    product: Floats
    reference: Floats
    judge: Floats

    @property
    def correlation(self) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.product / np.sqrt(self.reference * self.judge))


def correct_agreement(
    fits: Sequence[Strengths], cells: Sequence[Cells], n_prompts: int, ways: Sequence[str]
) -> Corrected:
    """Corrected agreement of reference and judge, over the same models.

    fits, cells : reference and judge; n_prompts : behind them; ways : what the cells can be clustered by
    By prompt; with fewer than 30 prompts by pair, which speaks about these prompts only.

    Raises NotIdentifiedError with fewer than two clusters.
    """
    reference, judge = fits
    n, width = len(reference.models), len(reference.parameters)
    few = n_prompts < FEW_PROMPTS
    way = "pair" if few and "pair" in ways else "prompt"
    warning = (
        f"with {n_prompts} prompts the corrected agreement is clustered by pair: it speaks about these prompts only"
        if way == "pair"
        else None
    )
    used = [fit.used(part) for fit, part in zip(fits, cells, strict=True)]
    codes = dense_codes([cluster_codes(part, way) for part in used])
    moves = ((moved[:, :n], moved[:, width : width + n]) for moved in influences(fits, cells, way))
    mass = cluster_mass(used, codes.codes, codes.n_clusters)
    return correct_correlation(reference.strength, judge.strength, moves, mass, way, warning)


def correct_correlation(
    r: Floats, j: Floats, moves: Iterable[tuple[Floats, Floats]], mass: Floats, way: str, warning: str | None = None,
    noun: str = "strengths",
) -> Corrected:  # fmt: skip
    """Corrected correlation of two judges' estimates.

    r, j : (n,) estimates of reference and judge, each with mean 0; noun : what they are
    moves : blocks of clusters in their order, how far each moves r and j, ((c, n), (c, n)), themselves with mean 0:
        exactly for the clusters that `find_heavy` names, to first order for the others
    mass : (n_clusters,) weight of each cluster; way : what forms a cluster
    """
    # Block by block: all that is needed of a cluster's influence are six numbers.
    parts = []
    for of_r, of_j in moves:
        squares = (np.einsum("cm,cm->c", *pair) for pair in ((of_r, of_j), (of_r, of_r), (of_j, of_j)))
        parts.append(np.stack([*squares, of_j @ r + of_r @ j, 2 * (of_r @ r), 2 * (of_j @ j)]))
    found = np.hstack(parts)
    products, crossed = found[:3], found[3:]
    g = found.shape[1]
    deleted, effective = find_heavy(mass)
    # CR1 of what enters linearised, the jackknife of clusters deleted exactly: the same squares in other units.
    exact = np.zeros(g, dtype=bool)
    exact[deleted] = True
    unit = np.where(exact, (g - 1) / g, g / (g - 1))
    whole = _Moments(*(a @ b - unit @ p for (a, b), p in zip(((r, j), (r, r), (j, j)), products, strict=True)))
    reliability = (float(whole.reference / (r @ r)) if r @ r else 0.0, float(whole.judge / (j @ j)) if j @ j else 0.0)
    raw = float(r @ j / np.sqrt((r @ r) * (j @ j))) if (r @ r) * (j @ j) > 0 else float("nan")
    if min(reliability) < LEAST_RELIABLE:
        low = "reference" if reliability[0] < reliability[1] else "judge"
        why = (
            f"the agreement cannot be corrected for noise: of the differences between the {low}'s {noun} only "
            f"{100 * max(min(reliability), 0):.0f} % are beyond noise, and {100 * LEAST_RELIABLE:.0f} % are needed"
        )
        return Corrected(raw, None, None, reliability, way, g, why, warning)
    value = float(whole.correlation)
    if value >= 1:
        why = "corrected for noise, the agreement cannot be told from perfect"
        return Corrected(raw, None, None, reliability, way, g, why, warning)
    # Without cluster c the estimates are less by its influence, and the sums of squares lack its own.
    grown = (g / (g - 1)) ** 2 * np.where(exact, (g - 2) / (g - 1), (g - 1) / (g - 2)) if g > 2 else np.ones(g)
    sums = [a @ b - c + p for (a, b), c, p in zip(((r, j), (r, r), (j, j)), crossed, products, strict=True)]
    without = _Moments(*(s - (grown @ p - grown * p) for s, p in zip(sums, products, strict=True))).correlation
    if not np.isfinite(without).all():
        why = "the agreement cannot be corrected for noise: it hangs on a single cluster"
        return Corrected(raw, None, None, reliability, way, g, why, warning)
    se = float(np.sqrt((g - 1) / g * np.sum((without - without.mean()) ** 2)))
    count = effective if g >= FEW_CLUSTERS and len(deleted) else None
    return Corrected(raw, value, se, reliability, way, g, None, warning, count)


@dataclass(frozen=True)
class Ceiling:
    """How alike two halves of one judge are.

    way : what was split ("annotator" or "prompt"), n_clusters of them
    halves : (n_splits,) Pearson's correlation of the halves' strengths; stepped : stepped up to full length
    """

    way: str
    n_clusters: int
    halves: Floats
    stepped: Floats

    def interval(self, level: float = 0.95) -> Interval:
        """Mean over splits, and the range in which that share of the splits lies (not a confidence interval)."""
        lower, upper = np.quantile(self.stepped, [(1 - level) / 2, (1 + level) / 2])
        return Interval(float(self.stepped.mean()), float(lower), float(upper))


def split_halves(
    fit: BradleyTerry, cells: Cells, way: str, rng: np.random.Generator, splits: int = SPLITS
) -> Ceiling:
    """Correlation of the strengths of two random halves of annotators or prompts.

    Raises NotIdentifiedError with fewer than four clusters, OptionError when the cells lack the codes.
    """
    n = n_clusters(fit, cells, way)
    if n < 4:
        raise NotIdentifiedError(f"{n} {way}s cannot be split into two halves worth comparing: at least 4 are needed")
    half = np.zeros((n, splits), dtype=np.int16)
    half[: n // 2] = 1
    half = rng.permuted(half, axis=0)
    found = refit_weighted(fit, cells, way, np.hstack([half, 1 - half])).strength
    one, two = found[:splits], found[splits:]
    one, two = one - one.mean(axis=1, keepdims=True), two - two.mean(axis=1, keepdims=True)
    product = np.einsum("sm,sm->s", one, two)
    size = np.sqrt(np.einsum("sm,sm->s", one, one) * np.einsum("sm,sm->s", two, two))
    told = size > 0
    r = product[told] / size[told]
    if not len(r):
        raise NotIdentifiedError(f"no split of the {way}s gives two halves whose strengths can be correlated")
    # Below -1/3 stepping up would leave what a correlation can be: halves that disagree are noise, not more than -1.
    return Ceiling(way, n, r, np.where(r > -1 / 3, 2 * r / (1 + np.maximum(r, -1 / 3)), -1.0))
