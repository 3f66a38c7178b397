"""Pairs as the unit: what is summed, hidden, restricted, refused."""

import dataclasses

import numpy as np
import pytest
from toy_pairs import pairs_of, some_pairs, turned

from analysis.cells import fold_to_pairs


def test_losses_by_hand():
    pairs = pairs_of([("A", "B", 1.0, 0.5), ("B", "A", 0.25, 0.0), ("A", "B", None, 1.0), ("B", "C", None, 0.5)])
    losses = pairs.losses
    assert list(zip(losses.a, losses.b, strict=True)) == [(0, 1), (1, 2)]
    assert losses.human.tolist() == [[2.0, 0.0], [1.75, 0.0]]
    assert losses.seen.tolist() == [[2.0, 0.0], [1.5, 0.0]]
    assert losses.unseen.tolist() == [[1.0, 1.0], [1.0, 0.5]]
    assert (losses.n_labelled, losses.n_unlabelled, losses.ratio) == (2.0, 2.0, 1.0)
    counts = losses.counts(0.5)
    # Half of the judge's labelled verdicts is taken away, half of its unlabelled ones (two for two) is added.
    assert counts.weight.tolist() == [2 - 1 + 0.5, 0.5]
    assert counts.score.tolist() == [1.75 - 0.75 + 0.5, 0.25]


def test_without_is_what_the_rest_sums_to():
    pairs = some_pairs()
    rows = np.arange(0, len(pairs), 3)
    keep = np.setdiff1d(np.arange(len(pairs)), rows)
    less, rest = pairs.losses.without(pairs, rows), pairs.take(keep).losses
    for name in ("a", "b", "human", "seen", "unseen"):
        assert getattr(less, name) == pytest.approx(getattr(rest, name), abs=1e-9)
    assert (less.n_labelled, less.n_unlabelled) == pytest.approx((rest.n_labelled, rest.n_unlabelled))
    assert pairs.losses.without(pairs, np.flatnonzero(~pairs.labelled)).ratio == 0.0


def test_exchanging_sides_changes_no_sum():
    pairs = some_pairs()
    other = turned(pairs, np.random.default_rng(0).random(len(pairs)) < 0.5)
    for name in ("a", "b", "human", "seen", "unseen"):
        assert getattr(other.losses, name) == pytest.approx(getattr(pairs.losses, name), abs=1e-9)


def test_hiding_takes_peoples_votes_alone():
    pairs = some_pairs()
    hidden = np.zeros(len(pairs), dtype=bool)
    hidden[np.flatnonzero(pairs.labelled)[:10]] = True
    less = pairs.hide(hidden)
    assert (less.n_labelled, less.n_unlabelled) == (pairs.n_labelled - 10, pairs.n_unlabelled + 10)
    assert not less.human_weight[hidden].any()
    assert (less.judge_score == pairs.judge_score).all()


def test_cells_are_the_pairs_whose_votes_count():
    pairs = pairs_of([("A", "B", 1.0, 0.5), ("B", "A", 0.0, 0.0), ("A", "B", None, 1.0)])
    assert pairs.cells("judge").n_judgments == 3
    human = fold_to_pairs(pairs.cells("human"))
    assert (human.weight.tolist(), human.score.tolist()) == ([2.0], [2.0])
    # With ties left out, a pair on which people only tied stays labelled and counts nothing.
    tied = dataclasses.replace(pairs, human_weight=np.array([0.0, 1.0, 0.0]), human_score=np.zeros(3))
    assert tied.cells("human").n_judgments == 1
    assert tied.n_labelled == 2


def test_among_renumbers():
    pairs = some_pairs(models=5)
    some = pairs.among(("model-03", "model-01"))
    assert some.models == ("model-03", "model-01")
    assert set(some.a) | set(some.b) == {0, 1}
    assert len(some) == sum({a, b} == {1, 3} for a, b in zip(pairs.a, pairs.b, strict=True))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"b": np.array([0, 0])}, "with itself"),
        ({"weight": np.array([1.0, 0.0])}, "weight must be > 0"),
        ({"judge_score": np.array([0.5, 1.5])}, "judge_score"),
        ({"human_weight": np.array([1.0, 1.0])}, "unlabelled pair has votes"),
        ({"a": np.array([0])}, "entries"),
    ],
)
def test_contradictions_are_refused(change, why):
    pairs = pairs_of([("A", "B", 1.0, 0.5), ("A", "B", None, 0.5)])
    with pytest.raises(ValueError, match=why):
        dataclasses.replace(pairs, **change)
