"""Hiding people's votes: what is hidden, what is held against what, what a good judge saves, and refusals."""

import numpy as np
import pytest
from toy_pairs import pairs_of, some_pairs

from analysis.bradley_terry import fit_bradley_terry
from analysis.correction import BY_PAIR, correct_strengths
from analysis.masking import METHODS, mask_people
from errors import NotIdentifiedError


def everyone(judge="good", seed=0, prompts=60):
    """Pairs that people judged all."""
    return some_pairs(seed=seed, prompts=prompts, labelled=1.0, judge=judge)


def test_one_split_by_hand():
    pairs = everyone()
    found = mask_people(pairs, 0.8, np.random.default_rng(7), splits=1)
    assert (found.n_hidden, found.n_kept, found.n_refused) == (960, 240, 0)
    hidden = np.zeros(len(pairs), dtype=bool)
    hidden[np.random.default_rng(7).permutation(np.arange(len(pairs)))[:960]] = True
    some = correct_strengths(pairs.hide(hidden), BY_PAIR)
    target = fit_bradley_terry(pairs.cells("human")).strength
    for k, name in enumerate(METHODS):
        estimate = getattr(some, name)
        error = estimate.strength - estimate.strength.mean() - target
        # Newton's method ends at gradients of 1e-9 or so.
        assert found.rmse[k] == pytest.approx(np.sqrt((error**2).mean()), abs=1e-7)
        assert found.held[0, k] == (np.abs(error) <= estimate.half_width(0.95)).mean()
        assert found.width[0, k] == pytest.approx(2 * estimate.half_width(0.95).mean(), rel=1e-6)
    assert found.shares.tolist() == [some.share]
    assert list(found.table().columns) == ["method", "rmse", "width", "coverage", "models", "splits"]


def test_a_good_judge_brings_few_votes_nearer_and_a_bad_one_does_no_harm():
    good = mask_people(everyone(prompts=150), 0.9, np.random.default_rng(0))
    assert good.gain > 1.1
    assert good.width[:, 0].mean() < 0.97 * good.width[:, 1].mean()
    bad = mask_people(everyone("bad", prompts=150), 0.9, np.random.default_rng(0))
    assert bad.gain == pytest.approx(1, abs=0.05)
    assert bad.rmse[2] > 2 * bad.rmse[1]
    # Nine tenths hidden: the target is nearly independent of what is kept. 250 strengths, five a split.
    for found in (good, bad):
        coverage = found.table().set_index("method")["coverage"]
        assert coverage[["corrected", "classical"]].between(0.9, 0.995).all()
    assert bad.table().set_index("method")["coverage"]["naive"] < 0.4


def test_the_same_seed_gives_the_same_splits_and_progress_is_told():
    told = []
    one = mask_people(everyone(), 0.5, np.random.default_rng(1), splits=4, report=told.append)
    two = mask_people(everyone(), 0.5, np.random.default_rng(1), splits=4)
    assert one.table().equals(two.table())
    assert told == [0, 0.25, 0.5, 0.75, 1]
    assert not one.table().equals(mask_people(everyone(), 0.5, np.random.default_rng(2), splits=4).table())


def test_only_votes_of_people_are_hidden_and_at_least_one_pair_is_kept():
    pairs = some_pairs(labelled=0.5)
    assert mask_people(pairs, 0.5, np.random.default_rng(0), splits=2).n_hidden == round(pairs.n_labelled / 2)
    rows = [("A", "B", h, f) for h, f in [(1, 1), (0, 0), (1, 0), (0, 1), (1, 1), (0, 1)]]
    small = mask_people(pairs_of(rows), 0.001, np.random.default_rng(0), splits=20)
    assert small.n_hidden == 1
    with pytest.raises(NotIdentifiedError, match="on 5 of 6 pairs hidden, those on the other 1 rank no models"):
        mask_people(pairs_of(rows), 0.999, np.random.default_rng(0), splits=5)


def test_splits_that_rank_nobody_are_counted():
    rows = [("A", "B", h, f) for h, f in [(1, 1), (0, 0), (1, 0), (1, 1), (1, 1), (0, 1)]]
    found = mask_people(pairs_of(rows), 0.5, np.random.default_rng(0), splits=40)
    assert 0 < found.n_refused < 40
    assert found.table()["splits"].iloc[0] == 40 - found.n_refused
