"""How sure are figures that follow from sums over clusters: shares, chance-corrected agreement, differences of these?

Agreement, Cohen's kappa or Krippendorff's alpha are smooth functions of sums over pairs. Their covariance follows from
the sums of clusters by the rules of `vcov`: deleted one by one below 50 clusters (and heavy ones always), else
linearised with exact derivatives (complex step; Squire and Trapp 1998). Intervals of shares are symmetric in log-odds,
those of coefficients in Fisher's z, those of differences as they stand. Of few prompts a coefficient is a little too
low, as the labels of a sample are never quite as even as those of all prompts: where all clusters are deleted one by
one, its interval, not the figure, is freed of that (Quenouille 1956). With 13 prompts alpha's covered .90 without this.

Where all clusters say the same there is no spread to learn from, only their number G: a share of 1 then reaches down to
(half the error probability)^(1/G) (Clopper and Pearson 1934, of clusters).

A change, the mean of what is -1, 0 or 1 in each unit, is read from few units where most are 0: two of 60 that part say
little of how many could. Its interval holds the means d from which it is not further than the quantile times the larger
of its standard error and sqrt(|d| (1 - |d|) / units), the least that a mean of d can have (a score interval, as Tango
1998 has it for independent pairs).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.special import expit, logit, ndtr, ndtri, stdtr, stdtrit

from analysis.cells import Floats, Ints
from analysis.tables import floats
from analysis.vcov import ROUNDING, Clustering, Covariance, Term, find_heavy

Kind = Literal["share", "coefficient", "difference", "change", "slope"]
Function = Callable[[NDArray[Any]], NDArray[Any]]

STEP = 1e-30
"""Of the complex derivative: nothing cancels, so that it can be as small as numbers are."""

ALIKE = 1e-12
"""Difference below which two shares are the same but for rounding."""

BOUNDED = ("share", "coefficient", "difference", "change")
"""Kinds of figures whose standard error is at least ALIKE, or rounding."""


@dataclass(frozen=True)
class Figures:
    """Named quantities, each with what its interval rests on; each array (k,).

    value : NaN where undefined; se : NaN where nothing tells how sure it is
    df : of the t quantile, infinite where it is normal; clusters : how many stand behind it
    bias : what the interval's middle is freed of, by the jackknife; 0 where there is none
    units : that a change is read from: rows, or clusters where these are all alike
    """

    names: tuple[str, ...]
    kinds: tuple[Kind, ...]
    value: Floats
    se: Floats
    df: Floats
    clusters: Ints
    bias: Floats
    units: Ints

    def __getitem__(self, name: str) -> float:
        """The value alone."""
        return float(self.value[self.names.index(name)])

    def interval(self, level: float = 0.95) -> tuple[Floats, Floats]:
        """(k,) lower and upper ends; NaN where there is no interval."""
        ends = [self._ends(at, level) for at in range(len(self.names))]
        return np.array([low for low, _ in ends]), np.array([high for _, high in ends])

    def one(self, name: str, level: float = 0.95) -> dict[str, float] | None:
        """value, lower, upper; those that are undefined are absent, None where the value is."""
        at = self.names.index(name)
        if np.isnan(self.value[at]):
            return None
        low, high = self._ends(at, level)
        found = {"value": float(self.value[at]), "lower": low, "upper": high}
        return {end: number for end, number in found.items() if not np.isnan(number)}

    def p_value(self, name: str, null: float = 0.0, side: Literal["both", "above"] = "both") -> float:
        """Of the quantity being `null`, or (above) not above it; NaN where nothing tells how sure it is."""
        at = self.names.index(name)
        se, value = self._known_se(at), float(self.value[at])
        if self.kinds[at] == "change" and self.units[at] > 1:
            se = max(se if se > 0 else 0.0, float(np.sqrt(abs(null) * (1 - abs(null)) / self.units[at])))
            if se == 0 and abs(value - null) < ALIKE:
                return 1.0
        if not se > 0:
            return float("nan")
        z, df = (value - null) / se, self.df[at]
        if side == "both":
            z = -abs(z)
        below = ndtr(z) if np.isinf(df) else stdtr(df, z)
        return float(2 * below) if side == "both" else float(1 - below)

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """One row a quantity: quantity, value, lower, upper, clusters."""
        lower, upper = self.interval(level)
        return pd.DataFrame(
            {"quantity": self.names, "value": floats(self.value), "lower": floats(lower), "upper": floats(upper),
             "clusters": self.clusters}
        )  # fmt: skip

    def _known_se(self, at: int) -> float:
        """NaN where all clusters say the same but for rounding."""
        se, value = float(self.se[at]), abs(float(self.value[at]))
        least = max(ROUNDING * value, ALIKE if self.kinds[at] in BOUNDED else 0.0)
        return se if se > least else float("nan")

    def _ends(self, at: int, level: float) -> tuple[float, float]:
        value, se, df, n = float(self.value[at]), self._known_se(at), self.df[at], int(self.clusters[at])
        kind = self.kinds[at]
        if kind == "share" and n > 1 and min(value, 1 - value) < ALIKE:
            reach = ((1 - level) / 2) ** (1 / n)
            return (reach, 1.0) if value > 0.5 else (0.0, 1 - reach)
        tail = (1 + level) / 2
        quantile = float(ndtri(tail) if np.isinf(df) else stdtrit(df, tail) if df >= 1 else np.nan)
        if kind == "change" and n > 1 and np.isfinite(value):
            half = quantile * se if se > 0 else 0.0
            least = quantile**2 / float(self.units[at])
            return max(-1.0, _reaches_down(value, half, least)), min(1.0, -_reaches_down(-value, half, least))
        if not (np.isfinite(value) and np.isfinite(se)):
            return float("nan"), float("nan")
        half = quantile * se
        if kind == "share":
            middle, half = float(logit(value)), half / (value * (1 - value))
            return float(expit(middle - half)), float(expit(middle + half))
        if kind == "coefficient":
            middle = value - float(self.bias[at])
            if not -1 < value < 1 or not -1 < middle < 1:
                return float("nan"), float("nan")
            middle, half = float(np.arctanh(middle)), half / (1 - middle**2)
            return float(np.tanh(middle - half)), float(np.tanh(middle + half))
        low, high = value - half, value + half
        return (max(low, -1.0), min(high, 1.0)) if kind == "difference" else (low, high)


def _reaches_down(value: float, half: float, least: float) -> float:
    """The lower end of a change: the least d with value - d <= half, or with (value - d)^2 <= least |d| (1 - |d|)."""
    away = (least - 2 * value) ** 2 - 4 * (1 + least) * value**2
    if away >= 0 and least > 2 * value:
        # It reaches below 0: (value + |d|)^2 = least |d| (1 - |d|).
        lower = -(least - 2 * value + away**0.5) / (2 * (1 + least))
    elif value > 0:
        up = least + 2 * value
        lower = (up - (up**2 - 4 * (1 + least) * value**2) ** 0.5) / (2 * (1 + least))
    else:
        lower = value
    return float(min(lower, value - half))


def join(parts: Sequence[Figures]) -> Figures:
    """Several sets of quantities as one."""
    return Figures(
        tuple(name for part in parts for name in part.names), tuple(kind for part in parts for kind in part.kinds),
        *(np.concatenate([getattr(part, field) for part in parts])
          for field in ("value", "se", "df", "clusters", "bias", "units")),
    )  # fmt: skip


def numbered(codes: Ints) -> tuple[Ints, int]:
    """Codes from 0 on in the same order, and how many there are; as numpy.unique says, without sorting where it can."""
    if not len(codes):
        return np.zeros(0, dtype=np.int64), 0
    least = int(codes.min())
    span = int(codes.max()) - least + 1
    if span > 4 * len(codes) + 1000:
        known, inverse = np.unique(codes, return_inverse=True)
        return inverse, len(known)
    met = np.zeros(span, dtype=bool)
    met[codes - least] = True
    number = np.cumsum(met) - 1
    return number[codes - least], int(number[-1]) + 1


def firsts(code: Ints, n: int) -> Ints:
    """(n,) position of the first row of each code."""
    first = np.zeros(n, dtype=np.int64)
    # What is set several times keeps what it was set to last.
    first[code[::-1]] = np.arange(len(code))[::-1]
    return first


def alike(columns: Sequence[Ints]) -> tuple[Ints, Ints]:
    """Which rows are alike in all columns: (n,) codes from 0, and the first row of each code.

    columns : (n,) each, of whole numbers from 0
    """
    key, size = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        top = int(column.max(initial=0)) + 1
        if size * top > 4 * len(key) + 1000:
            # What no row has takes no number, so that the product of all columns' sizes never overflows.
            key, size = numbered(key)
        key, size = key * top + column, size * top
    code, n = numbered(key)
    return code, firsts(code, n)


@dataclass(frozen=True)
class Tally:
    """Rows of which many are alike, so that what they add need be worked out once a kind.

    kind : (n,) codes from 0; n_kinds : how many there are; cluster : (n,) codes
    """

    kind: Ints
    n_kinds: int
    cluster: Ints

    @cached_property
    def times(self) -> Ints:
        """(n_kinds,) rows of each kind."""
        return np.bincount(self.kind, minlength=self.n_kinds)

    @cached_property
    def codes(self) -> tuple[Ints, int]:
        """(n,) codes of clusters from 0 on, and how many there are."""
        return numbered(self.cluster)

    @cached_property
    def _by_cluster(self) -> csr_array:
        """(n_clusters, n_kinds) how many rows of each kind a cluster has."""
        codes, n = self.codes
        once = np.ones(len(codes))
        return csr_array(coo_array((once, (codes, self.kind)), shape=(n, self.n_kinds)))

    def of_clusters(self, table: Floats) -> Floats:
        """(n_clusters, d) what clusters add. table : (n_kinds, d) of one row of each kind"""
        return np.asarray(self._by_cluster @ table)

    def of_some(self, clusters: Ints, table: Floats) -> Floats:
        """(len(clusters), d) what these clusters add. clusters : codes from 0"""
        return np.asarray(self._by_cluster[clusters] @ table)


def estimate(
    function: Function,
    sums: Floats,
    mass: Floats,
    cluster: Ints | Tally,
    clustering: Clustering,
    names: Sequence[str],
    kinds: Sequence[Kind] | Kind,
) -> Figures:
    """Quantities that are a function of the column sums, with their errors.

    function : maps (..., d) sums to (..., k) values; of sums alone, so that it can be asked without a cluster, and made
        of arithmetic, so that it can be asked with complex numbers
    sums : (n, d) what each row adds; mass : (n,) how much stands in a row; rows without any are not counted
    cluster : (n,) codes; or a tally, where sums and mass are those of one row of each kind
    """
    kinds = (kinds,) * len(names) if isinstance(kinds, str) else tuple(kinds)
    if isinstance(cluster, Tally):
        units = int(cluster.times[mass > 0].sum())
        return _told(_of_kinds(function, sums, mass, cluster, clustering), units, clustering, names, kinds)
    rows = np.flatnonzero(mass > 0)
    if len(rows) < len(mass):
        sums, mass, cluster = sums[rows], mass[rows], cluster[rows]
    sums, mass = np.asarray(sums, dtype=np.float64), mass.astype(np.float64)
    if clustering.name != "none" and len(rows):
        cluster, n = numbered(cluster)
        sums = np.array([np.bincount(cluster, column, n) for column in sums.T]).T
        mass = np.asarray(np.bincount(cluster, mass, n), dtype=np.float64)
    found = covariance_of_sums(function, sums, mass, clustering) if len(rows) else None
    return _told(found, len(rows), clustering, names, kinds)


def estimate_parts(
    function: Function,
    sums: Floats,
    mass: Floats,
    rows: Tally,
    part: Ints,
    clustering: Clustering,
    names: Sequence[str],
    kinds: Sequence[Kind] | Kind,
) -> dict[int, tuple[Figures, int, float]]:
    """As `estimate`, of each part of the rows: its figures, how many rows count, and how much stands in them.

    sums, mass : of one row of each kind; part : (n,) codes; rows below 0 are of no part
    """
    kinds = (kinds,) * len(names) if isinstance(kinds, str) else tuple(kinds)
    codes, n_clusters = rows.codes if clustering.name != "none" else (np.arange(len(part)), len(part))
    some = part >= 0
    if not some.all():
        part, kind, codes = part[some], rows.kind[some], codes[some]
    else:
        kind = rows.kind
    counted = mass > 0
    number, n_parts = numbered(part)
    key = number * n_clusters + codes
    # First by part alone, which sorts numbers of few bits: clusters then mostly ascend, as pairs do in a store.
    order = np.argsort(number.astype(np.int16) if n_parts < 1 << 15 else number, kind="stable")
    key = key[order]
    if (key[1:] < key[:-1]).any():
        again = np.argsort(key, kind="stable")
        order, key = order[again], key[again]
    new = np.diff(key, prepend=-1) != 0
    start, cell, kind = np.flatnonzero(new), np.cumsum(new) - 1, kind[order]
    *added, weight, units = (
        np.bincount(cell, np.where(counted, column, 0.0)[kind], len(start)) for column in (*sums.T, mass, counted)
    )
    ends = np.searchsorted(key[start], np.arange(n_parts + 1) * n_clusters)
    out = {}
    for at, low, high in zip(np.unique(part), ends[:-1], ends[1:], strict=True):
        here = low + np.flatnonzero(weight[low:high] > 0)
        n, whole = int(units[here].sum()), weight[here]
        found = None
        if len(here):
            found = covariance_of_sums(function, np.array([one[here] for one in added]).T, whole, clustering)
        out[int(at)] = _told(found, n, clustering, names, kinds), n, float(whole.sum())
    return out


def _told(
    found: Covariance | None, units: int, clustering: Clustering, names: Sequence[str], kinds: tuple[Kind, ...]
) -> Figures:
    """found : None where nothing counts; units : rows that do"""
    k = len(names)
    if found is None:
        nothing, none = np.full(k, np.nan), np.zeros(k, dtype=np.int64)
        return Figures(tuple(names), kinds, nothing, nothing, np.zeros(k), none, np.zeros(k), none)
    n = units if clustering.name == "none" else found.terms[0].n_clusters
    df = found.quantiles.df if n > 1 else 0.0
    se = found.se if n > 1 else np.full(k, np.nan)
    return Figures(
        tuple(names), kinds, found.estimate, se, np.full(k, np.inf if df is None else df), np.full(k, n),
        _bias(found, kinds), np.where(se > ALIKE, units, n),
    )  # fmt: skip


def _bias(found: Covariance, kinds: tuple[Kind, ...]) -> Floats:
    """(k,) of coefficients where all clusters were deleted one by one and each says something; else 0."""
    [term] = found.terms
    n = len(term.replicates)
    if n < 2 or n < term.n_clusters:
        return np.zeros(len(kinds))
    bias = (n - 1) * (term.replicates.mean(axis=0) - found.estimate)
    known = np.isfinite(bias) & np.array([kind == "coefficient" for kind in kinds])
    return np.where(known, bias, 0.0)


def covariance_of_sums(function: Function, sums: Floats, mass: Floats, clustering: Clustering) -> Covariance:
    """Covariance of a function of column sums; sums : (n_clusters, d), mass : (n_clusters,), all above 0."""
    return _covariance(
        function, sums.sum(axis=0), mass, clustering, lambda clusters: sums[clusters],
        lambda derivative: sums @ derivative.T,
    )  # fmt: skip


def _of_kinds(
    function: Function, sums: Floats, mass: Floats, rows: Tally, clustering: Clustering
) -> Covariance | None:
    """The same of rows that are alike, of which each kind's are worked out once; None where nothing counts."""
    counted = mass > 0
    sums, mass = np.where(counted[:, None], sums, 0.0), np.where(counted, mass, 0.0)
    whole = rows.times @ sums
    if not (rows.times[counted] > 0).any():
        return None
    if clustering.name == "none":
        # Rows that are alike add as many times the same square.
        often = np.sqrt(rows.times)[:, None]
        return _covariance(function, whole, mass, clustering, lambda some: sums[some],
                           lambda derivative: often * (sums @ derivative.T))  # fmt: skip
    return _covariance(
        function, whole, rows.of_clusters(mass[:, None])[:, 0], clustering,
        lambda clusters: rows.of_some(clusters, sums), lambda derivative: rows.of_clusters(sums @ derivative.T),
    )  # fmt: skip


def _covariance(
    function: Function, whole: Floats, mass: Floats, clustering: Clustering, added: Callable[[Ints], Floats],
    toward: Callable[[Floats], Floats],
) -> Covariance:  # fmt: skip
    """whole : (d,) sums; mass : (n_clusters,), those without any are no clusters

    added : maps m clusters to (m, d), what they add to the sums
    toward : maps the (k, d) derivative to (n_clusters, k), what clusters add to the linear form of the function
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        value = function(whole)
        n = len(mass) if mass.all() else int(np.count_nonzero(mass))
        if clustering.name == "none":
            deleted, effective = np.empty(0, dtype=np.int64), np.inf
        else:
            deleted, effective = find_heavy(mass)
        replicates = function(whole - added(deleted)) if len(deleted) else np.empty((0, len(value)))
        linear = np.zeros((len(value), len(value)))
        if len(deleted) < n:
            away = toward(_derivative(function, whole))
            away[deleted] = 0.0
            linear = away.T @ away
    if clustering.name == "none":
        return Covariance(clustering, value, (Term("none", 0, 1, np.inf, replicates, linear),))
    if n > 1:
        linear = linear * n / (n - 1)
    return Covariance(clustering, value, (Term(clustering.name, n, 1, effective, replicates, linear),))


def _derivative(function: Function, at: Floats) -> Floats:
    """(k, d) of the function at these sums."""
    return np.asarray(function(at + 1j * STEP * np.eye(len(at))).imag.T / STEP)
