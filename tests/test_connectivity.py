"""Who can be put on one scale, and what is said about the others."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse.csgraph import connected_components
from toy import cells_of, random_cells

from analysis.cells import PairCounts, fold_to_pairs
from analysis.connectivity import connected_replicates, find_kept, position_identified
from errors import NotIdentifiedError


def kept_of(rows, **options):
    cells = cells_of(rows, **options)
    found = find_kept(fold_to_pairs(cells), cells.models)
    return [cells.models[k] for k in found.kept], {left.model: left for left in found.left_out}, found


CIRCLE = [("A", "B", 1), ("B", "C", 1), ("C", "A", 1)]


def test_a_circle_of_wins_keeps_everybody():
    kept, left, found = kept_of(CIRCLE)
    assert (kept, left, found.n_above) == (["A", "B", "C"], {}, 0)


def test_a_tie_connects_both_ways():
    assert kept_of([("A", "B", 0.5)])[0] == ["A", "B"]


def test_winners_losers_and_strangers_have_their_places_and_causes():
    rows = [
        *CIRCLE,
        ("Top", "Over", 1),
        ("Over", "A", 1),
        ("Over", "B", 1),
        ("A", "Under", 1),
        ("Under", "Low", 1),
        ("C", "Low", 1),
        ("C", "Low", 1),
        ("Far", "Away", 1),
        ("Side", "Low", 1),
    ]
    kept, left, found = kept_of(
        rows, models=("A", "B", "C", "Top", "Over", "Under", "Low", "Far", "Away", "Side", "New")
    )
    assert kept == ["A", "B", "C"]
    assert found.n_above == 2
    expected = {
        "Top": ("above", "won its only judgment", 1, 1, 1),
        "Over": ("above", "was never beaten or tied by a ranked model, directly or through others", 2, 2, 2),
        "Under": ("below", "never beat or tied a ranked model, directly or through others", 6, 6, 6),
        "Low": ("below", "lost all 4 of its judgments", 7, 7, 7),
        "Far": ("apart", "never met the ranked models, directly or through others", None, None, None),
        "Away": ("apart", "never met the ranked models, directly or through others", None, None, None),
        "Side": ("apart", "met only models that are themselves above or below the ranked ones", None, None, None),
        "New": ("apart", "has no judgments here", None, None, None),
    }
    assert {
        name: (one.place, one.cause, one.rank, one.rank_lower, one.rank_upper) for name, one in left.items()
    } == expected


def test_two_models_above_that_never_met_share_the_doubt():
    left = kept_of([*CIRCLE, ("P", "A", 1), ("Q", "B", 1)])[1]
    for name in "PQ":
        assert (left[name].rank, left[name].rank_lower, left[name].rank_upper) == (1, 1, 2)


def test_the_largest_component_is_kept_then_the_most_judged_then_the_first_by_name():
    big = [("X", "Y", 0.5), ("Y", "Z", 0.5)]
    assert kept_of([("A", "B", 0.5)] * 9 + big)[0] == ["X", "Y", "Z"]
    assert kept_of([("A", "B", 0.5), ("Y", "Z", 0.5), ("Y", "Z", 0.5)])[0] == ["Y", "Z"]
    assert kept_of([("Y", "Z", 0.5), ("B", "A", 0.5)])[0] == ["A", "B"]


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([("A", "B", 1)], "from 1 judgment of 2 models"),
        ([("A", "B", 1), ("B", "C", 1), ("A", "C", 1)], "from 3 judgments of 3 models"),
        ([], "there is no judgment to compare models by"),
    ],
)
def test_nobody_on_one_scale_is_refused(rows, match):
    with pytest.raises(NotIdentifiedError, match=match):
        kept_of(rows)


@given(st.integers(0, 10_000))
def test_kept_is_the_largest_set_of_mutually_reachable_models(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 7))
    names = tuple("ABCDEFG"[:n])
    wins = rng.random((n, n)) < 0.35
    np.fill_diagonal(wins, False)
    rows = [(names[i], names[j], 1.0) for i, j in zip(*np.nonzero(wins), strict=True)]
    reach = wins.copy()
    for k in range(n):
        reach |= reach[:, [k]] & reach[[k], :]
    mutual = [frozenset([i, *(j for j in range(n) if reach[i, j] and reach[j, i])]) for i in range(n)]
    largest = max(len(group) for group in mutual)
    if largest == 1:
        with pytest.raises(NotIdentifiedError):
            kept_of(rows, models=names)
        return
    kept, left, _ = kept_of(rows, models=names)
    group = frozenset(names.index(name) for name in kept)
    assert group in mutual
    assert len(group) == largest
    for name, one in left.items():
        k, inside = names.index(name), next(iter(group))
        place = "above" if reach[k, inside] else "below" if reach[inside, k] else "apart"
        assert one.place == place


def test_replicates_are_told_apart():
    counts = fold_to_pairs(cells_of(CIRCLE))
    weight = np.array([[1.0, 1, 1], [1, 1, 0], [1, 1, 1]])
    score = np.array([counts.score, counts.score * [1, 1, 0], [0.5, 0.5, 0.5]])
    assert connected_replicates(counts, weight, score).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("rows", "first", "identified"),
    [
        # The first answer always won.
        ([("A", "B", 1), ("A", "B", 0)], [1, -1], False),
        # The last answer always won.
        ([("A", "B", 1), ("A", "B", 0)], [-1, 1], False),
        # A was always first: its strength and the position are one and the same.
        ([("A", "B", 1), ("A", "B", 0)], [1, 1], False),
        ([("A", "B", 1), ("A", "B", 0), ("A", "B", 0), ("A", "B", 1)], [1, -1, 1, -1], True),
        ([("A", "B", 0.5), ("A", "B", 0.5)], [1, -1], True),
        ([("A", "B", 0.5), ("A", "B", 0.5)], [0, 0], False),
    ],
)
def test_position_is_identified_by_hand(rows, first, identified):
    assert position_identified(fold_to_pairs(cells_of(rows, first=first))) is identified


@given(st.integers(0, 10_000))
def test_position_is_identified_as_linear_programming_finds(seed):
    rng = np.random.default_rng(seed)
    cells = random_cells(rng, n_models=3, n=int(rng.integers(4, 12)), first=True)
    counts = fold_to_pairs(cells)
    try:
        if len(find_kept(counts, cells.models).kept) < 3:
            return
    except NotIdentifiedError:
        return
    # A direction along which no verdict becomes less likely: A d >= 0 with d = (theta, +-1).
    constraints = []
    for a, b, s, score, lost in zip(counts.a, counts.b, counts.first, counts.score, counts.lost, strict=True):
        row = np.zeros(4)
        row[a], row[b], row[3] = 1, -1, s
        constraints += [row] * bool(score > 0) + [-row] * bool(lost > 0)
    directions = [
        linprog(
            np.zeros(3),
            A_ub=-np.array(constraints)[:, :3],
            b_ub=sign * np.array(constraints)[:, 3],
            bounds=[(None, None)] * 3,
        ).status
        for sign in (1, -1)
    ]
    separated = any(status == 0 for status in directions)
    assert position_identified(counts) is not separated


def test_every_order_of_three_models_is_a_scale_or_a_refusal():
    for outcome in itertools.product([0, 0.5, 1], repeat=3):
        rows = [("A", "B", outcome[0]), ("B", "C", outcome[1]), ("A", "C", outcome[2])]
        if 0.5 not in outcome and outcome not in [(1, 1, 0), (0, 0, 1)]:  # no tie and no circle
            with pytest.raises(NotIdentifiedError):
                kept_of(rows)
            continue
        kept, left, _ = kept_of(rows)
        assert len(kept) + len(left) == 3


def test_many_replicates_are_searched_as_one_by_one_by_the_general_search():
    rng = np.random.default_rng(8)
    a, b = (side.astype(np.int64) for side in np.triu_indices(9, 1))
    rows = rng.random(len(a)) < 0.6
    a, b = a[rows], b[rows]
    for replicates in (1, 63, 64, 130):
        weight = rng.poisson(0.7, (replicates, len(a))).astype(float)
        score = np.minimum(rng.poisson(0.6, weight.shape), weight)
        counts = PairCounts(9, a, b, None, np.ones(len(a)), np.ones(len(a)), np.ones(len(a)))
        expected = []
        for w, s in zip(weight, score, strict=True):
            graph = np.zeros((9, 9), dtype=bool)
            graph[a[s > 0], b[s > 0]] = True
            graph[b[w > s], a[w > s]] = True
            expected.append(connected_components(graph, connection="strong")[0] == 1)
        found = connected_replicates(counts, weight, score)
        assert found.dtype == bool
        assert found.tolist() == expected
        assert replicates == 1 or len(set(expected)) == 2
