"""Win rates at equal length: against a direct optimisation, errors against the jackknife of the whole, properties."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from test_winrate import duels

from analysis.difficulty import PRIOR_SD
from analysis.length_control import LengthControl, _first_stage, control_length
from analysis.length_fit import LC, PHI, LengthData, LengthFit
from analysis.vcov import Clustering
from analysis.winrate import Duels, win_rates

PROMPT = Clustering("prompt")


def direct(duels: Duels, k: int, gamma: np.ndarray | None = None, guards: tuple[int, ...] = (), position: bool = False) -> tuple[float, np.ndarray]:
    """(rate, coefficients) of model k by scipy: the published model with the twins' rows, and a normal prior."""
    scale = len(duels.weight) / duels.weight.sum()

    def design(rows: np.ndarray) -> np.ndarray:
        t = np.tanh(duels.length[rows] / np.std(duels.length[rows], ddof=1))
        parts = [np.ones(len(rows)), t]
        if position:
            parts.append(duels.first[rows])
        if gamma is not None:
            parts.append(gamma[rows])
        return np.column_stack(parts)

    own = duels.rows[k]
    blocks = [(design(own), duels.weight[own], duels.score[own])]
    for guard in guards:
        rows = duels.rows[guard]
        x = design(rows)
        x[:, 0] = 0
        share = 0.2 / len(guards) * duels.weight[own].sum() / duels.weight[rows].sum()
        blocks.append((x, share * duels.weight[rows], share * duels.score[rows]))
    x, weight, score = (np.concatenate(part) for part in zip(*blocks, strict=True))

    def loss(b: np.ndarray) -> float:
        eta = x @ b
        return float(scale * (weight * np.logaddexp(0, eta) - score * eta).sum() + (b[1:] ** 2).sum() / (2 * PRIOR_SD**2))

    def slope(b: np.ndarray) -> np.ndarray:
        residual = scale * (weight / (1 + np.exp(-(x @ b))) - score)
        return x.T @ residual + np.r_[0, b[1:]] / PRIOR_SD**2

    b = minimize(loss, np.zeros(x.shape[1]), jac=slope, method="BFGS", options={"gtol": 1e-8}).x
    eta = b[0] + (gamma[own] * b[-1] if gamma is not None else np.zeros(len(own)))
    return float(np.average(1 / (1 + np.exp(-eta)), weights=duels.weight[own])), b


def by_name(found: LengthControl) -> dict:
    return {one.model: one for one in found.models}


@pytest.mark.parametrize("position", [False, True])
def test_two_models_have_the_published_model_without_difficulty(position: bool) -> None:
    some = duels()
    some = replace(some, first=np.random.default_rng(4).choice([-1.0, 1.0], len(some.model)))
    found = control_length(some, PROMPT, position=position)
    assert found.n_difficulty == 0
    for k, one in enumerate(found.models):
        rate, b = direct(some, k, position=position)
        assert one.rate == pytest.approx(rate, abs=1e-7)
        assert one.length == pytest.approx(b[1], abs=1e-6)
        assert one.position == (pytest.approx(b[2], abs=1e-6) if position else None)
        assert one.length > 0  # longer answers win here


def test_the_twins_rows_weigh_a_fifth_and_have_no_strength() -> None:
    some = duels(n_models=2)
    found = by_name(control_length(some, PROMPT, twins=("m1",)))
    rate, b = direct(some, 0, guards=(1,))
    assert found["m0"].rate == pytest.approx(rate, abs=1e-7)
    assert found["m0"].length == pytest.approx(b[1], abs=1e-6)
    assert found["m0"].length != pytest.approx(direct(some, 0)[1][1], abs=1e-3)


def test_with_difficulty_each_model_is_its_own_regression() -> None:
    some = duels(n_models=4)
    found = control_length(some, PROMPT, twins=("m3", "m2"))
    assert found.n_difficulty == 4
    data = LengthData.of(some, len(some.weight) / some.weight.sum(), False)
    gamma = _first_stage(data, lambda share: None).without_own
    for k in (0, 1):
        rate, b = direct(some, k, gamma, guards=(3, 2))
        one = by_name(found)[f"m{k}"]
        assert one.rate == pytest.approx(rate, abs=1e-7)
        assert (one.length, one.difficulty) == (pytest.approx(b[1], abs=1e-6), pytest.approx(b[-1], abs=1e-6))


# Each with and without twins, of two models that are fits by themselves and of four with difficulties, in turn.
@pytest.mark.every(3, "n_models")
@pytest.mark.parametrize(
    ("n_models", "twins"),
    [(2, ()), (2, ("m1",)), pytest.param(4, (), marks=pytest.mark.slow), pytest.param(4, ("m2", "m3"), marks=pytest.mark.slow)],
)
def test_errors_are_those_of_the_whole_pipeline(n_models: int, twins: tuple[str, ...]) -> None:
    """From 50 prompts on the sandwich: against refits of both stages without each prompt, two consistent estimates."""
    # Where each model is a regression by itself a refit costs nothing; two stages settle down with fewer prompts.
    n = 150 if n_models == 2 else 120
    some = duels(n_prompts=n, repeats=2, n_models=n_models)
    found = control_length(some, PROMPT, twins=twins)
    refits = []
    for prompt in range(n):
        one = by_name(control_length(some.take(some.prompt != prompt), PROMPT, twins=twins))
        refits.append([[one[m.model].rate, one[m.model].length] for m in found.models])
    away = np.array(refits) - np.array([[m.rate, m.length] for m in found.models])
    jackknife = np.sqrt((n - 1) / n * (away**2).sum(axis=0))
    se = np.array([m.covariance.se for m in found.models])
    np.testing.assert_allclose(se[:, LC], jackknife[:, LC], rtol=0.06)
    np.testing.assert_allclose(se[:, PHI], jackknife[:, PHI], rtol=0.06)
    naive = np.array([m.se_published for m in found.models])
    assert (naive < 0.8 * se[:, LC]).all()


def test_few_prompts_are_left_out_one_at_a_time() -> None:
    some = duels(n_prompts=13, repeats=30)
    found = control_length(some, PROMPT)
    scale = [LengthFit.of(LengthData.of(some, len(some.weight) / some.weight.sum(), False), some.rows[k], []) for k in (0, 1)]
    for one, fit in zip(found.models, scale, strict=True):
        assert one.covariance.quantiles.df == 12
        assert one.rate == pytest.approx(fit.rate)
        assert one.covariance.se[LC] > 0


def test_equal_lengths_everywhere_but_noise_leave_the_rate_where_it_was() -> None:
    """Where length decides nothing, holding it equal changes nothing beyond noise."""
    rng = np.random.default_rng(3)
    some = duels(n_prompts=400, n_models=2)
    some = replace(some, length=np.round(300 * rng.standard_normal(len(some.model))))
    plain = win_rates(some, PROMPT).rate
    found = control_length(some, PROMPT)
    for k, one in enumerate(found.models):
        assert one.rate == pytest.approx(plain[k], abs=0.01)
        assert abs(one.length) < 3.5 * one.covariance.se[PHI]


def test_losses_are_wins_turned_round_and_lengths_with_them() -> None:
    some = duels(n_models=4)
    turned = replace(some, score=some.weight - some.score, length=-some.length)
    one, other = by_name(control_length(some, PROMPT)), by_name(control_length(turned, PROMPT))
    for name, found in one.items():
        assert other[name].rate == pytest.approx(1 - found.rate, abs=1e-6)
        assert other[name].length == pytest.approx(found.length, abs=1e-5)
        np.testing.assert_allclose(other[name].covariance.se, found.covariance.se, rtol=1e-4)


def test_order_and_units_of_rows_do_not_matter() -> None:
    some = duels(n_models=4)
    plain = control_length(some, PROMPT).table()
    mixed = control_length(some.take(np.random.default_rng(0).permutation(len(some.model))), PROMPT).table()
    heavier = control_length(replace(some, weight=7 * some.weight, score=7 * some.score), PROMPT).table()
    longer = control_length(replace(some, length=3 * some.length), PROMPT).table()
    for other in (mixed, heavier, longer):
        # Newton's last step in the first stage is below 1e-6.
        pd.testing.assert_frame_equal(other, plain, rtol=1e-5)


def test_a_model_asked_for_alone_has_the_rate_it_has_among_all() -> None:
    some = duels(n_models=4)
    whole = by_name(control_length(some, PROMPT, twins=("m3",)))
    alone = control_length(some, PROMPT, twins=("m3",), only=("m1",))
    assert [one.model for one in alone.models] == ["m1"]
    assert alone.n_difficulty == 4
    assert alone.twins == ("m3",)
    assert alone.models[0].rate == pytest.approx(whole["m1"].rate, abs=1e-12)
    np.testing.assert_allclose(alone.models[0].covariance.se, whole["m1"].covariance.se)


def test_what_cannot_be_estimated_is_named() -> None:
    some = duels(n_models=4)
    length = some.length.copy()
    length[some.model == 1] = np.nan
    length[some.model == 2] = 40.0
    score = np.where(some.model == 3, some.weight, some.score)
    found = control_length(replace(some, length=length, score=score), PROMPT)
    assert [one.model for one in found.models] == ["m0"]
    assert "no judgment has both texts" in found.reasons["m1"]
    assert "same number of characters" in found.reasons["m2"]
    assert "won every judgment" in found.reasons["m3"]
    assert found.n_without_text == int((some.model == 1).sum())
    nothing = control_length(replace(some, length=None), PROMPT)
    assert nothing.models == ()
    assert len(nothing.table()) == 0


def test_verdicts_that_length_decides_stay_finite() -> None:
    some = duels(n_models=1)
    found = control_length(replace(some, score=np.where(some.length > 0, some.weight, 0.0)), PROMPT).models[0]
    assert 5 < found.length < 200
    assert 0 < found.rate < 1
    assert np.isfinite(found.covariance.se).all()


@pytest.mark.slow
def test_two_hundred_models_take_seconds() -> None:
    """200 prompts by 200 models; the bound is generous for a busy machine."""
    some = duels(n_prompts=200, repeats=1, n_models=200)
    told: list[float] = []
    start = time.monotonic()
    found = control_length(some, PROMPT, report=told.append)
    assert len(found.models) == 200
    assert time.monotonic() - start < 60
    assert told == sorted(told)
    assert len(told) > 20
