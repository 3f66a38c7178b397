"""Figures from sums over clusters: what rows that are alike add once a kind is what they add one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from analysis.cluster_sums import Figures, Tally, alike, estimate, estimate_parts, numbered
from analysis.vcov import Clustering

WAYS = Clustering("prompt"), Clustering("none")
NAMES = ("one", "two")
ROUNDING = 1e-11
"""Of sums of at most a few hundred numbers, in another order, and of roots of their squares."""

columns = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 3), st.integers(0, 10**12)), min_size=1, max_size=40)


def figures(sums: NDArray[Any]) -> NDArray[Any]:
    share = sums[..., 0] / sums[..., 1]
    return np.stack([share, share**2 - sums[..., 2] / sums[..., 1]], axis=-1)


def same(one: Figures, two: Figures) -> None:
    for name in ("value", "se", "df", "clusters", "bias", "units"):
        assert getattr(one, name) == pytest.approx(getattr(two, name), rel=ROUNDING, abs=ROUNDING, nan_ok=True)


def drawn(seed: int, n: int, n_clusters: int, heavy: bool = False) -> tuple[NDArray[Any], NDArray[Any], Tally]:
    """What one row of each of 12 kinds adds, its mass (none in some), and rows."""
    rng = np.random.default_rng(seed)
    mass = rng.integers(0, 4, 12)
    sums = np.column_stack([rng.binomial(mass, 0.6), mass, rng.random(12) * mass]).astype(np.float64)
    cluster = 7 * rng.integers(0, n_clusters, n)
    if heavy:
        cluster[: n // 5] = 7
    return sums, mass.astype(np.float64), Tally(rng.integers(0, 12, n), 12, cluster)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@pytest.mark.parametrize(("n", "n_clusters", "heavy"), [(1, 1, False), (60, 9, False), (900, 200, False),
                                                        (900, 200, True)])  # fmt: skip
def test_kinds_of_rows_add_what_their_rows_do(way: Clustering, n: int, n_clusters: int, heavy: bool) -> None:
    for seed in range(5):
        sums, mass, rows = drawn(seed, n, n_clusters, heavy)
        once = estimate(figures, sums, mass, rows, way, NAMES, "coefficient")
        same(once, estimate(figures, sums[rows.kind], mass[rows.kind], rows.cluster, way, NAMES, "coefficient"))


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@pytest.mark.parametrize("n_clusters", [9, 400])
def test_parts_are_what_their_rows_are_alone(way: Clustering, n_clusters: int) -> None:
    sums, mass, rows = drawn(2, 1500, n_clusters)
    # Some rows are of no part, and clusters of several.
    part = np.random.default_rng(3).integers(-1, 4, 1500) * 10
    found = estimate_parts(figures, sums, mass, rows, part, way, NAMES, ("share", "change"))
    assert list(found) == [0, 10, 20, 30]
    for at, (one, units, whole) in found.items():
        kind, cluster = rows.kind[part == at], rows.cluster[part == at]
        same(one, estimate(figures, sums[kind], mass[kind], cluster, way, NAMES, ("share", "change")))
        assert units == (mass[kind] > 0).sum()
        assert whole == mass[kind].sum()


def test_a_part_without_mass_has_no_figures() -> None:
    rows = Tally(np.array([0, 0, 1]), 2, np.array([1, 2, 3]))
    sums, mass = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]), np.array([1.0, 0.0])
    found = estimate_parts(figures, sums, mass, rows, np.array([0, 0, 1]), WAYS[0], NAMES, "share")
    assert found[0][0]["one"] == 1
    assert np.isnan(found[1][0].value).all()
    assert found[1][1:] == (0, 0.0)
    assert estimate_parts(figures, sums, mass, rows, np.full(3, -1), WAYS[0], NAMES, "share") == {}


@given(columns)
def test_rows_are_alike_where_all_columns_are(rows: list[tuple[int, int, int]]) -> None:
    table = np.array(rows)
    code, first = alike(list(table.T))
    assert len(first) == len({*rows})
    assert (table[first][code] == table).all()


@given(st.lists(st.integers(-5, 10**9), max_size=30))
def test_codes_are_numbered_in_their_order(codes: list[int]) -> None:
    found, n = numbered(np.array(codes, dtype=np.int64))
    known, inverse = np.unique(np.array(codes, dtype=np.int64), return_inverse=True)
    assert (found == inverse).all()
    assert n == len(known)
