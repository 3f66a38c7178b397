"""Are the pseudo-true strengths those of the exact expectations, and is their error told where they are a sample's?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data.simulate import expected as module
from data.simulate.expected import expected, expected_scores
from data.simulate.world import World
from errors import Cancelled
from studies.simulate import plant, pseudo_true_strengths


def varied() -> World:
    """Judges of every kind: careless people of different decisiveness, both tie models, own effects of prompts."""
    drawn = World.draw(2, models=7, scenarios=3, careless=0.2, annotators=10, pair_spread=0.8)
    people, first, second = drawn.judges
    judges = (
        replace(people, annotator_decisiveness_sd=0.4),
        replace(first, tie_model="rao-kupper", tie=0.4, prompt_sd=0.5),
        replace(second, prompt_slope_sd=0.4),
    )
    return replace(drawn, judges=judges, scenario_share=np.array([0.5, 0.3, 0.2]))


def test_mean_scores_are_those_of_all_the_expectations(monkeypatch: pytest.MonkeyPatch) -> None:
    world = varied()
    found, scores = expected(world), expected_scores(world)
    assert scores.opponents is None
    assert len(scores.i) == 21
    for judge, y in zip(scores.judges, scores.y, strict=True):
        # Both sum the same nodes, in another order.
        np.testing.assert_allclose(y, found.y(judge)[scores.i, scores.k], atol=1e-14)
    wins = found.wins("people")
    both = wins[scores.i, scores.k] + wins[scores.k, scores.i]
    np.testing.assert_allclose(scores.share, both, atol=1e-15)
    monkeypatch.setattr(module, "_PAIRS_AT_ONCE", 4)
    np.testing.assert_allclose(expected_scores(world).y, scores.y, atol=1e-14)
    np.testing.assert_allclose(expected(world).p_a, found.p_a, atol=1e-14)


def test_pseudo_true_strengths_solve_the_models_own_equations() -> None:
    world = varied()
    truth = plant(world)
    assert truth.told == ()
    wins = expected(world).wins("judge-1")
    planted = truth.table.query("kind == 'strength' and judge == 'judge-1'").set_index("name")["pseudo_true"]
    strength = planted.loc[list(world.models)].to_numpy()
    p = 1 / (1 + np.exp(strength[None, :] - strength[:, None]))
    # Expected wins of each model are the fitted ones; the fit stops at a Newton decrement of 1e-12.
    np.testing.assert_allclose(wins.sum(1), ((wins + wins.T) * p).sum(1), atol=1e-10)
    assert truth.table.loc[truth.table["kind"] != "strength", "pseudo_true"].isna().all()


@pytest.mark.parametrize("models", [60, 61])
def test_many_models_meet_a_random_part_of_their_opponents_and_the_error_is_told(models: int) -> None:
    world = World.draw(5, models=models, scenarios=2, prompt_slope_sd=0.5)
    whole = expected_scores(world)
    part = expected_scores(world, most=3 * 2 * models * 10)
    assert part.opponents == 20
    met = np.bincount(np.concatenate([part.i, part.k]), minlength=models)
    assert (met == 20).all()
    assert len({*zip(part.i.tolist(), part.k.tolist(), strict=True)}) == len(part.i)
    assert (part.i < part.k).all()
    ratios = []
    for judge in world.judges:
        exact, found = pseudo_true_strengths(whole, judge.name), pseudo_true_strengths(part, judge.name)
        assert (exact.error == 0).all()
        assert found.error.max() < 0.02
        ratios.append((found.strength - exact.strength) / found.error)
    # The error leaves out that opponents' own strengths are estimated too (a part in twenty) and that both hang
    # together: mean square 1 within a factor of 2, none beyond 5.
    assert 0.5 < np.mean(np.square(ratios)) < 2
    assert np.abs(ratios).max() < 5


def test_a_report_says_that_opponents_are_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World.draw(5, models=40, scenarios=2)
    scores = expected_scores(world, most=3 * 2 * 40 * 5)
    monkeypatch.setattr("studies.simulate.expected_scores", lambda world, progress: scores)
    [told] = plant(world).told
    assert told.startswith("pseudo-true strengths take in 10 of the 39 opponents of each model, chosen at random: ")
    assert float(told.rsplit(" ", 1)[1]) > 0


def test_all_few_models_meet_however_little_is_affordable() -> None:
    for models in (2, 3, 4):
        assert expected_scores(World.draw(0, models=models), most=1).opponents is None
    scores = expected_scores(World.draw(0, models=9), most=1)
    # A ring: enough to put all on one scale.
    assert (scores.opponents, len(scores.i)) == (2, 9)


def test_progress_is_told_and_stops_the_work() -> None:
    shares: list[float] = []
    expected_scores(World.draw(0, models=60), lambda share, text: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0

    def stop(share: float, text: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        expected_scores(World.draw(0, models=60), stop)
