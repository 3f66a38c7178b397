"""How far do verdicts go along with each factor, and are two judges moved alike? Kendall's tau of verdict and factor.

PROFILE (Oh et al. 2024) scores each factor by tau between the sign M of the difference in it and the verdict P. The
paper's own formula was not seen; both usual ones are given. With C judgments in which verdict and factor agree, D in
which they disagree:

    tau   = (C - D) / (C + D + T),  T: verdicts for one side on answers equal in the factor; verdicts that are ties are
            left out (the variant of the WMT metrics tasks, "tau14": Machacek and Bojar 2014)
    tau_b = (C - D) / sqrt((C + D + T) (C + D + U)),  U: ties on answers that differ in it (Kendall 1945)

How alike two judges are moved is the correlation of their taus over the factors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.cells import Floats, Ints, dense_codes
from analysis.multiple import adjust_bh
from analysis.rank_correlation import Bootstrapped, kendall, spearman
from analysis.ratios import covariance_of_totals, find_ways
from analysis.tables import floats, integers
from analysis.vcov import Clustering, Covariance
from errors import NotIdentifiedError

REPLICATES = 1000
GROUPS = 8_192
"""Up to so many clusters each is drawn by itself; of more, random groups of them, whose sums vary as much."""

AT_ONCE = 100
LEAST_FACTORS = 3
MEASURES = ("spearman", "kendall", "pearson")
VARIANTS = ("tau", "tau_b")


@dataclass(frozen=True)
class Votes:
    """One judge's judgments as tau sees them.

    x : (k, n_columns) differences a - b, of which the sign counts; NaN where a factor is not known
    at : (n,) the column of each judgment; y : (n,) preference for `a`: of a verdict of .8, .8 agree with a factor that
        says `a` and .2 disagree
    weight : (n,) > 0; clusters : (n,) codes by name, with one meaning for all judges
    """

    x: NDArray[Any]
    at: Ints
    y: Floats
    weight: Floats
    clusters: Mapping[str, Ints]

    def sums(self, k: int) -> tuple[Floats, Floats]:
        """(n, 3) what each judgment adds to C - D, to C + D + T and to C + D + U; (n,) its weight, 0 where unknown."""
        side = np.sign(self.x[k])[self.at].astype(np.float64)
        known = np.isfinite(side)
        mass = np.where(known, self.weight, 0.0)
        side = np.where(known, side, 0.0)
        decided = self.y != 0.5
        return np.stack([mass * side * (2 * self.y - 1), mass * decided, mass * (side != 0)], axis=1), mass


def both_taus(sums: Floats) -> Floats:
    """(..., 3) sums of C - D, C + D + T, C + D + U to (..., 2) tau and tau_b; NaN where undefined."""
    net, decided, differing = (np.asarray(sums)[..., j] for j in range(3))
    there = decided > 0
    tau = np.divide(net, decided, out=np.full(net.shape, np.nan), where=there)
    root = np.sqrt(np.maximum(decided * differing, 0.0))
    return np.stack([tau, np.divide(net, root, out=np.full(net.shape, np.nan), where=root > 0)], axis=-1)


def _slope(sums: Floats) -> Floats:
    """(2, 3) derivatives of `both_taus`."""
    _, decided, differing = sums
    tau, tau_b = both_taus(sums)
    root = np.sqrt(decided * differing)
    return np.array([[1 / decided, -tau / decided, 0.0], [1 / root, -tau_b / (2 * decided), -tau_b / (2 * differing)]])


@dataclass(frozen=True)
class Taus:
    """One judge's taus of k factors.

    agree, disagree, equal, tied : (k,) C, D, T and U: sums of weights; judgments, missing : (k,) of which the factor is
        known, and not
    taus : (k, 2) tau and tau_b, NaN where undefined
    covariance : of each factor's two taus; None where there is none
    left_out : by factor, why it has no tau
    """

    names: tuple[str, ...]
    agree: Floats
    disagree: Floats
    equal: Floats
    tied: Floats
    judgments: Ints
    missing: Ints
    taus: Floats
    covariance: tuple[Covariance | None, ...]
    left_out: Mapping[str, str]

    @property
    def kept(self) -> NDArray[np.bool_]:
        """(k,) which factors have a tau."""
        return np.array([name not in self.left_out for name in self.names], dtype=bool)

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """factor, tau, se, lower, upper, p, q, tau_b, tau_b_lower, tau_b_upper, agree, disagree, equal, tied,
        judgments, missing; without the factors left out. q : of tau, over these factors
        """
        n = len(self.names)
        se, half = np.full((n, 2), np.nan), np.full((n, 2), np.nan)
        p = np.full(n, np.nan)
        for k, one in enumerate(self.covariance):
            if one is not None:
                se[k] = one.known_se
                half[k] = one.quantiles.two_sided(level) * se[k]
                p[k] = one.quantiles.p_value(one.estimate / se[k])[0]
        p[~self.kept] = np.nan
        low, high = np.maximum(self.taus - half, -1.0), np.minimum(self.taus + half, 1.0)
        table = pd.DataFrame({
            "factor": list(self.names), "tau": floats(self.taus[:, 0]), "se": floats(se[:, 0]),
            "lower": floats(low[:, 0]), "upper": floats(high[:, 0]), "p": floats(p), "q": floats(adjust_bh(p)),
            "tau_b": floats(self.taus[:, 1]), "tau_b_lower": floats(low[:, 1]), "tau_b_upper": floats(high[:, 1]),
            "agree": floats(self.agree), "disagree": floats(self.disagree), "equal": floats(self.equal),
            "tied": floats(self.tied), "judgments": integers(self.judgments.tolist()),
            "missing": integers(self.missing.tolist()),
        })  # fmt: skip
        return table[self.kept].reset_index(drop=True)


def taus_of(names: Sequence[str], votes: Votes, clustering: Clustering) -> Taus:
    """Both taus of every factor with the covariance of `vcov`. names : (k,) of the rows of `votes.x`

    Raises NotIdentifiedError where all verdicts are ties.
    """
    if not (votes.y != 0.5).any():
        raise NotIdentifiedError("all verdicts are ties, so none of them goes along with a factor")
    ways = find_ways(votes.clusters, clustering, len(votes.at))
    counts = np.zeros((4, len(names)))
    judgments = np.zeros(len(names), dtype=np.int64)
    taus = np.full((len(names), 2), np.nan)
    covariances: list[Covariance | None] = []
    left_out: dict[str, str] = {}
    for k, name in enumerate(names):
        sums, mass = votes.sums(k)
        net, decided, differing = (float(v) for v in sums.sum(axis=0))
        judgments[k] = int((mass > 0).sum())
        both = float(sums[(sums[:, 1] > 0) & (sums[:, 2] > 0), 1].sum())
        counts[:, k] = (both + net) / 2, (both - net) / 2, decided - both, differing - both
        why = _why_not(judgments[k], decided, differing)
        if why is not None:
            left_out[name] = why
            covariances.append(None)
            continue
        taus[k] = both_taus(sums.sum(axis=0))
        found = covariance_of_totals(sums, mass, ways, clustering)
        covariances.append(None if found is None else found.of(both_taus, _slope(found.estimate)))
    missing = len(votes.at) - judgments
    agree, disagree, equal, tied = np.where(np.abs(counts) < 1e-9, 0.0, counts)
    return Taus(
        tuple(names), agree, disagree, equal, tied, judgments, missing, taus, tuple(covariances), left_out
    )  # fmt: skip


def _why_not(judgments: int, decided: float, differing: float) -> str | None:
    if not judgments:
        return "no judgment has it on both of its answers"
    if not differing > 0:
        return "the compared answers do not differ in it"
    return None if decided > 0 else "all verdicts on answers that have it are ties"


@dataclass(frozen=True)
class Alignment:
    """How alike two judges' taus are over the factors.

    found : by variant ("tau", "tau_b") and measure ("spearman", "kendall", "pearson"), with bootstrap replicates
    factors : those that both judges have; way, n_clusters : what was drawn anew; n_undefined : replicates without a
        value, by variant
    """

    found: Mapping[str, Mapping[str, Bootstrapped]]
    factors: tuple[str, ...]
    way: str
    n_clusters: int
    n_undefined: Mapping[str, int]

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """One row a variant: variant, of each measure its value, _lower and _upper, factors, clusters."""
        rows: dict[str, list[Any]] = {"variant": list(self.found)}
        for measure in MEASURES:
            intervals = [one[measure].interval(level) for one in self.found.values()]
            rows[measure] = [one.value for one in intervals]
            rows[f"{measure}_lower"] = [one.lower for one in intervals]
            rows[f"{measure}_upper"] = [one.upper for one in intervals]
        table = pd.DataFrame({name: v if name == "variant" else floats(v) for name, v in rows.items()})
        return table.assign(factors=len(self.factors), clusters=self.n_clusters)


def align(
    names: Sequence[str], one: Votes, two: Votes, clustering: Clustering, rng: np.random.Generator,
    replicates: int = REPLICATES,
) -> Alignment:  # fmt: skip
    """Correlations of two judges' taus, with clusters drawn anew for both at once.

    Percentile intervals: they are of the correlation of taus known as well as these, which noise pulls towards 0.
    Raises NotIdentifiedError with fewer than three factors that both judges have, or fewer than two clusters.
    """
    way = "pair" if clustering.name == "none" else clustering.name.split("+")[0]
    coded = dense_codes([one.clusters[way], two.clusters[way]])
    n = coded.n_clusters
    if n < 2:
        raise NotIdentifiedError(f"how sure a correlation is needs at least 2 {way}s, and there is {n}")
    drawn = np.arange(n) if n <= GROUPS else rng.integers(0, GROUPS, n)
    groups = min(n, GROUPS)
    tables = []
    for votes, codes in zip((one, two), coded.codes, strict=True):
        parts = [votes.sums(k)[0] for k in range(len(names))]
        tables.append(np.stack(
            [np.bincount(drawn[codes], column, groups) for part in parts for column in part.T], axis=1
        ).reshape(groups, len(names), 3))  # fmt: skip
    whole = [both_taus(table.sum(axis=0)) for table in tables]
    kept = np.flatnonzero(np.isfinite(whole[0]).all(axis=1) & np.isfinite(whole[1]).all(axis=1))
    if len(kept) < LEAST_FACTORS:
        raise NotIdentifiedError(
            f"a correlation over factors needs at least {LEAST_FACTORS} that both judges have, and there "
            f"{'is' if len(kept) == 1 else 'are'} {len(kept)}"
        )
    flat = [table[:, kept].reshape(groups, -1) for table in tables]
    again = []
    for start in range(0, replicates, AT_ONCE):
        m = min(AT_ONCE, replicates - start)
        times = rng.multinomial(groups, np.full(groups, 1 / groups), size=m).astype(np.float64)
        again.append([both_taus((times @ part).reshape(m, len(kept), 3)) for part in flat])
    first, second = (np.concatenate([part[side] for part in again]) for side in (0, 1))
    found, undefined = {}, {}
    for v, variant in enumerate(VARIANTS):
        complete = np.isfinite(first[..., v]).all(axis=1) & np.isfinite(second[..., v]).all(axis=1)
        undefined[variant] = int((~complete).sum())
        found[variant] = {
            measure: _bootstrapped(measure, whole[0][kept, v], whole[1][kept, v], first[complete, :, v],
                                   second[complete, :, v])
            for measure in MEASURES
        }  # fmt: skip
    return Alignment(found, tuple(names[int(k)] for k in kept), way, n, undefined)


def _bootstrapped(measure: str, one: Floats, two: Floats, first: Floats, second: Floats) -> Bootstrapped:
    correlate = {"spearman": spearman, "kendall": kendall, "pearson": pearson}[measure]
    # What differs by rounding alone is no order.
    value = float(correlate(np.round(one, 12), np.round(two, 12))[()])
    drawn = correlate(np.round(first, 12), np.round(second, 12)) if len(first) else np.zeros(0)
    return Bootstrapped(value if np.isfinite(value) else None, drawn[np.isfinite(drawn)])


def pearson(x: Floats, y: Floats) -> Floats:
    """Pearson's r of each row of x with that of y, (..., n) to (...); NaN where one is constant."""
    a, b = x - x.mean(axis=-1, keepdims=True), y - y.mean(axis=-1, keepdims=True)
    square = np.asarray((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
    there = square > 1e-24
    root = np.sqrt(np.where(there, square, 1.0))
    return np.asarray(np.where(there, (a * b).sum(axis=-1) / root, np.nan))
