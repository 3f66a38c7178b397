"""Lines of a matrix put beside those they resemble: by hand, against scipy, and where much is unknown."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist

from analysis.dendrogram import Branch, line_distances, order_lines, order_matrix

NO = np.nan
EXACT = 1e-12


def test_three_lines_by_hand() -> None:
    # Distances 1 (first and last), 6 and 5: the two join at 1, the third at (6 + 5) / 2, beside the nearer of them.
    values = np.array([[4.0, 4.0], [-2.0, -2.0], [3.0, 3.0]])
    np.testing.assert_allclose(line_distances(values), [[0, 6, 1], [6, 0, 5], [1, 5, 0]], atol=EXACT)
    found = order_lines(values)
    assert (found.order, found.kept) == ((0, 2, 1), 3)
    assert found.tree == (Branch(0.0, 1.0, 1.0, 0.0, 0.0), Branch(0.5, 2.0, 5.5, 1.0, 0.0))
    table = found.tree_table()
    assert table["at"].tolist() == [1.0, 5.5]


def test_distances_are_taken_where_both_are_known() -> None:
    values = np.array([[1.0, NO, 3.0], [2.0, 5.0, 7.0], [NO, 5.0, NO]])
    found = line_distances(values)
    # (1 and 16) / 2 over the first and last place; the third line shares the middle place with the second alone.
    assert found[0, 1] == pytest.approx(np.sqrt(17 / 2))
    assert found[1, 2] == 0
    assert np.isnan(found[0, 2])
    # Not held against each other, they count as far apart as the farthest two that are: (sqrt(8.5) + sqrt(8.5)) / 2.
    order = order_lines(values)
    assert order.kept == 3
    assert order.tree[-1].at == pytest.approx(np.sqrt(17 / 2))
    assert {order.order.index(1) - order.order.index(2)} <= {-1, 1}


def test_the_tree_is_scipys_and_no_branch_crosses() -> None:
    values = np.random.default_rng(1).normal(size=(12, 7))
    found = order_lines(values)
    expected = linkage(pdist(values) / np.sqrt(7), "average")
    np.testing.assert_allclose([one.at for one in found.tree], expected[:, 2], atol=EXACT)
    assert sorted(found.order) == list(range(12))
    for one in found.tree:
        assert one.low < one.high
        assert max(one.low_at, one.high_at) <= one.at + EXACT
    # Neighbours are no farther from one another than in the order of the file.
    distance = line_distances(values)
    path = [sum(distance[a, b] for a, b in pairwise(o)) for o in (found.order, range(12))]
    assert path[0] < path[1]


def test_larger_values_stand_first_whichever_way_the_lines_are_given() -> None:
    values = np.random.default_rng(2).normal(size=(9, 5))
    found = order_lines(values)
    means = values.mean(axis=1)[list(found.order)]
    assert np.corrcoef(np.arange(9), means)[0, 1] < 0
    mixed = np.random.default_rng(3).permutation(9)
    again = order_lines(values[mixed])
    assert tuple(int(mixed[k]) for k in again.order) == found.order
    # The tree, too, is that of the lines: where they stand it joins the same ones.
    for one, two in zip(found.tree, again.tree, strict=True):
        assert (one.low, one.high) == (two.low, two.high)
        assert one.at == pytest.approx(two.at)


def test_a_turned_tree_still_joins_what_is_near() -> None:
    values = np.array([[-5.0], [-4.0], [1.0], [9.0]])
    found = order_lines(values)
    assert found.order == (3, 2, 1, 0)
    assert [(one.low, one.high, one.at) for one in found.tree] == [
        (2.0, 3.0, 1.0), (1.0, 2.5, 5.5), (0.0, 1.75, pytest.approx((8 + 13 + 14) / 3)),
    ]  # fmt: skip
    assert found.tree[1].high_at == 1.0
    assert found.tree[2].high_at == 5.5


@pytest.mark.parametrize(
    ("values", "order", "kept"),
    [
        (np.zeros((0, 3)), (), 0),
        (np.array([[1.0, 2.0]]), (0,), 0),
        (np.full((3, 2), NO), (0, 1, 2), 0),
        (np.zeros((2, 0)), (0, 1), 0),
        (np.array([[1.0, NO], [NO, 1.0]]), (0, 1), 0),
        (np.array([[NO, NO], [1.0, 0.0], [2.0, 0.0]]), (2, 1, 0), 2),
    ],
    ids=["none", "one", "nothing known", "no place", "nothing shared", "one unknown"],
)
def test_lines_without_a_distance_stand_last(values, order, kept) -> None:
    found = order_lines(values)
    assert (found.order, found.kept) == (order, kept)
    assert len(found.tree) == max(kept - 1, 0)


def test_equal_lines_keep_their_order() -> None:
    found = order_lines(np.ones((5, 3)))
    assert found.order[0] < found.order[-1]
    assert [one.at for one in found.tree] == [0, 0, 0, 0]
    assert found.order == order_lines(np.ones((5, 3))).order


def test_a_more_decisive_judge_says_no_more_than_another() -> None:
    rng = np.random.default_rng(4)
    layers = rng.normal(size=(2, 8, 6))
    found = order_matrix(layers)
    # By a power of two, which rounds nothing.
    loud = order_matrix(layers * np.array([1.0, 64.0])[:, None, None])
    assert loud == found
    assert sorted(found.rows.order) == list(range(8))
    assert sorted(found.columns.order) == list(range(6))
    # Columns of a matrix are the rows of the turned one.
    turned = order_matrix(layers.transpose(0, 2, 1))
    assert (turned.rows.order, turned.columns.order) == (found.columns.order, found.rows.order)


def test_of_one_layer_the_order_is_that_of_its_lines() -> None:
    values = np.random.default_rng(5).normal(size=(6, 4))
    values[2, 1] = NO
    found = order_matrix(values[None])
    assert found.rows.order == order_lines(values).order
    assert found.columns.order == order_lines(values.T).order
    assert order_matrix(np.zeros((1, 3, 2))).rows.kept == 3
    assert order_matrix(np.full((1, 3, 2), NO)).rows.order == (0, 1, 2)
