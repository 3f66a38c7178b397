"""Intervals hold what they promise: 100 simulated data sets of a world, fixed seeds.

Of the worlds every second or third (all of them with `pytest --whole`). The full tables, with 500 runs and more worlds,
are printed by benchmarks/coverage.py.
"""

import numpy as np
import pytest
from scipy import stats

from benchmarks.coverage import Setting, pseudo_true, run_setting, settings, simulate_run
from data.simulate.expected import expected

RUNS = 100
BY_NAME = {setting.name: setting for setting in settings()}


def test_pseudo_true_strengths_reproduce_the_expected_outcomes():
    world = BY_NAME["unequal prompts, uneven pairs"].world
    truth = pseudo_true(world)
    for judge, strength in zip(world.judges, (truth.reference, truth.judge), strict=True):
        exact = expected(world)
        wins = exact.wins(judge.name)
        met = wins + wins.T
        fitted = met / (1 + np.exp(strength[None, :] - strength[:, None]))
        # Score equations of Bradley-Terry: every model wins as often as it is expected to.
        assert fitted.sum(axis=1) == pytest.approx(wins.sum(axis=1), abs=1e-9)
        # Effects of prompts and tie noise draw the pseudo-true values towards 0.
        planted = judge.decisiveness * (judge.strengths - judge.strengths.mean())
        assert 0.3 < strength @ planted / (planted @ planted) < 1


def test_a_run_that_is_refused_is_counted():
    setting = BY_NAME["200 prompts"]
    tiny = Setting("tiny", setting.world, 6)
    run = simulate_run(tiny, pseudo_true(setting.world), 0)
    assert run.refused.startswith("NotIdentifiedError")
    assert np.isnan(run.held).all()


@pytest.mark.slow
@pytest.mark.every(3, "name")
@pytest.mark.parametrize("name", ["200 prompts", "13 prompts", "unequal prompts, uneven pairs", "annotators"])
def test_clustered_intervals_cover(name):
    found = run_setting(BY_NAME[name], RUNS, workers=1)
    assert found.refused == ()
    # By the spread of its share between runs, a run's 24 strengths count as about 17 independent ones and
    # its 12 gaps as 10; one in a thousand on each side.
    low, high = stats.binom(10 * RUNS, 0.95).ppf([0.001, 0.999]) / (10 * RUNS)
    assert low < found.pooled_strengths < high
    assert low < found.pooled_gaps < high
    # Each of 36 parameters: one in a thousand for all of them together.
    worst = stats.binom(RUNS, 0.95).ppf(0.001 / 36) / RUNS
    assert found.each.min() >= worst
    assert found.bias < 4 / np.sqrt(RUNS)


@pytest.mark.slow
def test_naive_intervals_do_not():
    found = run_setting(BY_NAME["13 prompts"], RUNS, workers=1)
    assert found.naive_strengths < 0.75


@pytest.mark.slow
@pytest.mark.every(2, "name")
@pytest.mark.parametrize("name", [name for name in BY_NAME if "same taste" in name or "decisive" in name])
def test_a_judge_of_the_same_taste_is_rarely_flagged(name):
    found = run_setting(BY_NAME[name], RUNS, workers=1)
    # At most 7 % of runs are promised: the largest number that 100 runs show by chance, one in a thousand.
    assert found.flagged <= stats.binom(RUNS, 0.07).ppf(0.999) / RUNS
    if name == "twice as decisive, 500 prompts":
        assert found.raw_flagged > 0.9  # the plain gap takes decisiveness for taste
