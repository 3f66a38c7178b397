"""How sure are we? The covariance of estimates, and the distribution that intervals refer to.

From 50 clusters on: the sandwich with the factor G/(G-1), "CR1" (Liang and Zeger 1986), and normal
quantiles. Below: the delete-one-cluster jackknife centred at the full estimate, "CR3" (Bell and McCaffrey
2002; MacKinnon, Nielsen and Webb 2023), and t with G-1 degrees of freedom. A single cluster with more
than 5 % of all judgments breaks the first rule however many others there are (with one prompt holding a
fifth of all rows, 95 % intervals cover 91 %): it is then deleted exactly, like those of a small sample,
and t has G*-1 degrees of freedom, where G* = (sum n_g)^2 / sum n_g^2 is the number of equal clusters that
would vary as much (Carter, Schnepel and Steigerwald 2017), which brings coverage back to 95 %. Two ways
of clustering at once: Cameron, Gelbach and Miller (2011).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from analysis.cells import Floats, Ints
from analysis.replicates import JACKKNIFE_RIDGE
from errors import NotIdentifiedError, OptionError

FEW_CLUSTERS = 50
HEAVY_SHARE = 0.05
FEW_PROMPTS = 10

ROUNDING = 1e-9
"""Share of an estimate below which a standard error is what rounding leaves of 0: no data have so much to say."""

ClusterName = Literal["prompt", "pair", "annotator", "prompt+annotator", "none"]


@dataclass(frozen=True)
class Clustering:
    """Which judgments are taken to hang together, and how that was chosen.

    chosen : "asked for", or the rule that chose it; warning : what the reader must know, or None
    """

    name: ClusterName
    chosen: str = "asked for"
    warning: str | None = None


def find_heavy(mass: NDArray[Any]) -> tuple[Ints, float]:
    """Which clusters are deleted exactly, and for how many clusters they all count.

    mass : (n_clusters,) weight of each; those without any are no clusters
    All of them below 50 clusters; else those with more than 5 % of the weight, and then G* = (sum w)^2 / sum w^2.
    """
    present = np.flatnonzero(mass > 0)
    if len(present) < FEW_CLUSTERS:
        return present, len(present)
    total = float(mass.sum())
    heavy = np.flatnonzero(mass > HEAVY_SHARE * total)
    return heavy, float(total**2 / (mass @ mass)) if len(heavy) else len(present)


class Weighted(Protocol):
    """Rows of one judge, of whatever form: weight : (n_rows,)"""

    @property
    def weight(self) -> Floats: ...


def cluster_mass(parts: Sequence[Weighted], codes: Sequence[Ints], n: int) -> Floats:
    """(n,) weight of all judges' judgments in each cluster."""
    mass = np.zeros(n)
    for part, code in zip(parts, codes, strict=True):
        mass += np.bincount(code, part.weight, n)
    return mass


def require_clusters(way: str, n: int) -> None:
    """Raises NotIdentifiedError with fewer than two clusters."""
    if n < 2:
        raise NotIdentifiedError(
            f"intervals clustered by {way} need at least 2 {way}s, and there is {n}. Cluster by something else, or "
            "choose more data"
        )


def choose_clustering(cluster: str, n_prompts: int) -> Clustering:
    """Resolve `auto`: by prompt when there are at least 10 prompts, otherwise by pair with a warning.

    Raises OptionError for an unknown name.
    """
    if cluster == "auto":
        if n_prompts >= FEW_PROMPTS:
            return Clustering("prompt", f"automatic: there are {n_prompts} prompts")
        one = n_prompts == 1
        few = "is only 1 prompt" if one else f"are only {n_prompts} prompts"
        return Clustering(
            "pair",
            f"automatic: there {few}, fewer than {FEW_PROMPTS}",
            f"these intervals speak about {'this prompt' if one else 'these prompts'} only: {n_prompts} "
            f"{'is' if one else 'are'} too few to generalise from",
        )
    if cluster == "none":
        return Clustering(
            "none",
            warning="these intervals take all judgments as independent and are too narrow wherever "
            "judgments share a prompt or an annotator",
        )
    if cluster in ("prompt", "pair", "annotator", "prompt+annotator"):
        return Clustering(cluster)  # type: ignore[arg-type]
    raise OptionError(f"cluster {cluster!r} is unknown: use auto, prompt, pair, annotator, prompt+annotator or none")


@dataclass(frozen=True)
class Quantiles:
    """The distribution that intervals and p-values refer to: normal, or t with `df` degrees of freedom."""

    df: float | None

    def two_sided(self, level: float = 0.95) -> float:
        """Half-width of a central interval, in standard errors."""
        if not 0 < level < 1:
            raise OptionError(f"level {level!r} is not between 0 and 1; 0.95 is usual")
        tail = (1 + level) / 2
        return float(ndtri(tail) if self.df is None else stdtrit(self.df, tail))

    def p_value(self, z: Floats) -> Floats:
        """Two-sided p-values of estimates given in standard errors."""
        below = -np.abs(z)
        return np.asarray(2 * (ndtr(below) if self.df is None else stdtr(self.df, below)))


@dataclass(frozen=True)
class Term:
    """One way of clustering inside a covariance.

    clusters : what forms a cluster; n_clusters : how many there are; sign : +1, or -1 for an intersection
    effective : n_clusters, or G* where a heavy cluster counts for many
    replicates : (n_deleted, k) estimates without one cluster: all clusters below 50, else the heavy ones
    linear : (k, k) sandwich of the clusters that are not deleted one by one, factor G/(G-1) included
    n_ridged : replicates that were not identified and were refitted with a ridge of .01
    one_step : whether `linear` is the jackknife of its clusters in one Newton step, for few clusters a parameter
    """

    clusters: str
    n_clusters: int
    sign: int
    effective: float
    replicates: Floats
    linear: Floats
    n_ridged: int = 0
    one_step: bool = False

    def vcov(self, estimate: Floats) -> Floats:
        """(k, k) covariance of the estimates under this clustering alone; the sign is not applied."""
        if not len(self.replicates):
            return self.linear
        away = self.replicates - estimate
        shrink = (self.n_clusters - 1) / self.n_clusters if self.n_clusters else 0.0
        return np.asarray(self.linear + shrink * (away.T @ away))

    @property
    def is_asymptotic(self) -> bool:
        """Whether normal quantiles do: no clusters at all, or many (also a parameter) and none of them heavy."""
        few = self.n_clusters < FEW_CLUSTERS or self.one_step or len(self.replicates) > 0
        return self.n_clusters == 0 or not few


@dataclass(frozen=True)
class Covariance:
    """Covariance of k estimates, with what is needed to carry it over to functions of them.

    estimate : (k,) the estimates themselves
    terms : the clusterings whose signed sum it is; a single one except for two-way clustering
    """

    clustering: Clustering
    estimate: Floats
    terms: tuple[Term, ...]

    @property
    def n_clusters(self) -> int:
        """Clusters behind it; with two ways of clustering, of the smaller number; 0 without clustering."""
        return min(term.n_clusters for term in self.terms if term.sign > 0)

    @property
    def quantiles(self) -> Quantiles:
        """Normal from 50 clusters and without clustering; t below, with a heavy cluster or two ways."""
        if len(self.terms) == 1 and self.terms[0].is_asymptotic:
            return Quantiles(None)
        return Quantiles(min(term.effective for term in self.terms if term.sign > 0) - 1.0)

    @cached_property
    def _raw(self) -> Floats:
        return np.asarray(sum(term.sign * term.vcov(self.estimate) for term in self.terms))

    @cached_property
    def floored(self) -> bool:
        """Whether a two-way covariance had negative eigenvalues, which were set to 0."""
        if len(self.terms) == 1:
            return False
        values = np.linalg.eigvalsh(self._raw)
        return bool(values[0] < -1e-10 * abs(values[-1]))

    @cached_property
    def vcov(self) -> Floats:
        """(k, k) the covariance, positive semi-definite."""
        if not self.floored:
            return self._raw
        values, vectors = np.linalg.eigh(self._raw)
        return np.asarray((vectors * np.maximum(values, 0)) @ vectors.T)

    @property
    def se(self) -> Floats:
        """(k,) standard errors."""
        return np.sqrt(np.maximum(np.diag(self.vcov), 0))

    @property
    def known_se(self) -> Floats:
        """(k,) standard errors; NaN where all clusters say the same, so that nothing tells how sure an estimate is."""
        return np.where(self.se > ROUNDING * np.abs(self.estimate), self.se, np.nan)

    @property
    def share_ridged(self) -> float:
        """Share of clusters without which not everything is determined; of those that are left out by a refit."""
        clusters = sum(term.n_clusters for term in self.terms if len(term.replicates))
        return sum(term.n_ridged for term in self.terms) / clusters if clusters else 0.0

    @property
    def method(self) -> str:
        """What the intervals are, for a caption."""
        name = self.clustering.name
        if name == "none":
            return "naive (judgments taken as independent), normal quantiles"
        counts = " and ".join(_describe(term) for term in self.terms if term.sign > 0)
        df = self.quantiles.df
        ending = "normal quantiles" if df is None else f"t with {df:.0f} degrees of freedom"
        return f"clustered by {counts}, {ending}"

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before believing the intervals."""
        found = [] if self.clustering.warning is None else [self.clustering.warning]
        if self.floored:
            found.append("the two-way covariance had negative eigenvalues, which were set to 0")
        if self.share_ridged:
            some = f"{100 * self.share_ridged:.0f}" if self.share_ridged >= 0.005 else "less than 1"
            found.append(
                f"without one cluster not everything is determined (for example models that only won) in {some} % of "
                f"cases, which were refitted with a ridge of {f'{JACKKNIFE_RIDGE:g}'.lstrip('0')}: the intervals are "
                "rough"
            )
        return tuple(found)

    def of(self, function: Callable[[Floats], Floats], jacobian: Floats) -> Covariance:
        """Covariance of `function(estimates)`: its jackknife where there are replicates, else linearised.

        function : maps (..., k) estimates to (..., q) values; jacobian : (q, k) its derivative
        """
        terms = [
            replace(
                term,
                replicates=function(term.replicates),
                linear=jacobian @ term.linear @ jacobian.T,
            )
            for term in self.terms
        ]
        return Covariance(self.clustering, function(self.estimate), tuple(terms))


def _describe(term: Term) -> str:
    if term.n_clusters < FEW_CLUSTERS:
        how = "jackknife, CR3"
    elif term.one_step:
        how = "jackknife in one step, CR3"
    elif len(term.replicates):
        how = f"CR1; {len(term.replicates)} with more than {100 * HEAVY_SHARE:.0f} % of the judgments by jackknife"
    else:
        how = "CR1"
    return f"{term.n_clusters:,} {term.clusters}s ({how})"
