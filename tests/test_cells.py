"""Sums over judgments: folding to pairs, restricting to models, renumbering clusters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toy import cells_of, random_cells, swapped

from analysis import cells as module
from analysis.cells import Cells, dense_codes, fold_to_pairs, place


def test_a_pair_in_both_orders_is_one_row():
    cells = cells_of([("B", "A", 1), ("A", "B", 1), ("A", "B", 0.5)], weight=[1, 2, 4])
    counts = fold_to_pairs(cells)
    assert (counts.a.tolist(), counts.b.tolist()) == ([0], [1])
    assert counts.weight.tolist() == [7]
    assert counts.score.tolist() == [0 * 1 + 2 + 2]
    assert counts.count.tolist() == [3]
    assert counts.judgments.tolist() == [3, 3]


def test_turning_a_pair_turns_its_shown_order():
    cells = cells_of([("B", "A", 1), ("A", "B", 0), ("A", "B", 1)], first=[1, -1, 0])
    counts = fold_to_pairs(cells)
    assert counts.first.tolist() == [-1, 0]
    assert counts.weight.tolist() == [2, 1]
    assert counts.score.tolist() == [0, 1]


@pytest.mark.parametrize("first", [False, True])
def test_sorting_and_tabulating_fold_alike(monkeypatch, first):
    cells = random_cells(np.random.default_rng(3), first=first)
    dense = fold_to_pairs(cells)
    row = place(cells, dense).row
    monkeypatch.setattr(module, "DENSE_TABLE", 0)
    sparse = fold_to_pairs(cells)
    for name in ("a", "b", "weight", "score", "count"):
        assert getattr(dense, name).tolist() == getattr(sparse, name).tolist()
    assert (dense.first is None) or dense.first.tolist() == sparse.first.tolist()
    assert place(cells, sparse).row.tolist() == row.tolist()


@pytest.mark.parametrize("first", [False, True])
def test_placed_cells_add_up_to_the_pair_table(first):
    cells = random_cells(np.random.default_rng(4), first=first)
    for one in (cells, swapped(cells)):
        counts = fold_to_pairs(one)
        placed = place(one, counts)
        assert np.bincount(placed.row, one.weight).tolist() == counts.weight.tolist()
        assert np.bincount(placed.row, placed.score).tolist() == counts.score.tolist()


@given(st.integers(0, 10_000))
def test_exchanging_i_and_j_changes_no_count(seed):
    cells = random_cells(np.random.default_rng(seed), n=40, first=bool(seed % 2))
    one, two = fold_to_pairs(cells), fold_to_pairs(swapped(cells))
    for name in ("a", "b", "weight", "score", "count"):
        assert getattr(one, name).tolist() == getattr(two, name).tolist()


def test_among_keeps_cells_of_the_named_models_only():
    cells = cells_of([("A", "B", 1), ("B", "C", 0), ("C", "A", 0.5)], prompt=[7, 8, 9], first=[1, -1, 1])
    some = cells.among(["C", "A"])
    assert some.models == ("C", "A")
    assert (some.i.tolist(), some.j.tolist(), some.score.tolist()) == ([0], [1], [0.5])
    assert some.clusters["prompt"].tolist() == [9]
    assert some.first.tolist() == [1]
    assert cells.among(["A", "B", "C"]) is cells


def test_cluster_codes_are_shared_between_judges_and_renumbered():
    found = dense_codes([np.array([5, 900_000_000, 5]), np.array([900_000_000, 7])])
    assert found.n_clusters == 3
    assert [codes.tolist() for codes in found.codes] == [[0, 2, 0], [2, 1]]
    small = dense_codes([np.array([5, 3]), np.array([4])])
    assert [codes.tolist() for codes in small.codes] == [[2, 0], [1]]


@pytest.mark.parametrize("codes", [[-3, -2, -5, -9], [-700, -900, -800]])
def test_negative_codes_alone_still_get_a_cluster_each(codes: list[int]) -> None:
    """A judge without named annotators: not a single code is positive, and none need be -1."""
    found = dense_codes([np.array(codes)])
    assert sorted(found.codes[0]) == list(range(len(codes)))
    assert found.n_clusters == len(codes)


def test_cells_that_name_nobody_are_clusters_of_their_own():
    found = dense_codes([np.array([-1, 3, -1]), np.array([3, -1])])
    assert found.n_clusters == 4
    one, two = found.codes
    assert one[1] == two[0]
    assert len({*one.tolist(), *two.tolist()}) == 4


def test_no_cells_have_no_clusters():
    assert dense_codes([np.array([], dtype=np.int64)]).n_clusters == 0


def _cells(**changes) -> Cells:
    good = {
        "models": ("A", "B"),
        "i": np.array([0]),
        "j": np.array([1]),
        "weight": np.array([1.0]),
        "score": np.array([1.0]),
        "count": np.array([1]),
    }
    return Cells(**(good | changes))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"j": np.array([0])}, "with itself"),
        ({"j": np.array([2])}, r"0\.\.1"),
        ({"weight": np.array([0.0])}, "weight must be > 0"),
        ({"score": np.array([1.5])}, "between 0 and weight"),
        ({"score": np.array([-0.5])}, "between 0 and weight"),
        ({"count": np.array([1, 1])}, "count has 2 entries where i has 1"),
        ({"clusters": {"prompt": np.array([1, 2])}}, "prompt has 2 entries"),
    ],
)
def test_contradictory_arrays_are_refused(changes, match):
    with pytest.raises(ValueError, match=match):
        _cells(**changes)
