"""How sure are quantities that are functions of sums over judgments: ratios, correlations, least squares?

The rules of `vcov`, for whatever does not change when all sums are doubled: its value without a cluster is that of the
sums without it, and its derivative times a cluster's sums is how far the cluster moves it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from analysis.cells import Floats, Ints, dense_codes
from analysis.vcov import Clustering, Covariance, Term
from analysis.winrate import Way, find_deleted, make_term


def find_ways(clusters: Mapping[str, Ints], clustering: Clustering, n: int) -> list[Way]:
    """The clusterings whose signed sum is the covariance; for `none` each of the n rows is a cluster.

    clusters : (n,) codes of each row by name; those of `clustering` are used
    """
    if clustering.name == "none":
        return [Way("none", np.arange(n), n)]
    names = clustering.name.split("+")
    found = [dense_codes([clusters[name]]) for name in names]
    ways = [Way(name, one.codes[0], one.n_clusters) for name, one in zip(names, found, strict=True)]
    if len(ways) == 2:
        both = dense_codes([ways[0].codes * ways[1].n_clusters + ways[1].codes])
        ways.append(Way(" x ".join(names), both.codes[0], both.n_clusters, -1))
    return ways


def covariance_of_totals(
    values: Floats, mass: Floats, ways: Sequence[Way], clustering: Clustering
) -> Covariance | None:
    """Covariance of the k sums over rows, for `Covariance.of` a function of degree 0 in them.

    values : (n_rows, k); mass : (n_rows,) weight of each row, by which heavy clusters are told
    None where all rows with mass share one cluster.
    """
    rows = np.flatnonzero(mass > 0)
    total = values[rows].sum(axis=0)
    terms: list[Term] = []
    for way in ways:
        found = find_deleted(way.codes[rows], mass[rows], way)
        n = found.n_clusters
        if n < 2:
            return None
        by_column = [np.bincount(found.code, column, n) for column in values[rows].T]
        sums = np.stack(by_column, axis=1).astype(np.float64)
        terms.append(make_term(way, found, sums, total - sums[found.deleted]))
    return Covariance(clustering, total, tuple(terms))
