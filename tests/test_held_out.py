"""What weights predict of verdicts held out: by hand, against scikit-learn fold by fold, planted, and extremes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from test_weight_reliability import spread, world

from analysis import refits
from analysis.design import Design
from analysis.factor_fit import fit_factors
from analysis.held_out import ALL, LENGTH, NOTHING, POSITION, hold_out, make_folds
from analysis.vcov import Clustering
from errors import NotIdentifiedError

PROMPT = Clustering("prompt")


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def flag(wins: list[float], prompt: np.ndarray, first: np.ndarray | None = None, weight: np.ndarray | None = None) -> Design:
    """One flag that only `a` has; wins : y of each pair."""
    n = len(wins)
    at, w = np.arange(n), np.ones(n) if weight is None else weight
    return Design(("words",), np.ones((1, n)), at, at, w, np.array(wins) * w, np.ones(n, dtype=np.int64), first=first,
                  clusters={"prompt": prompt, "pair": at})  # fmt: skip


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_one_flag_left_out_prompt_by_prompt() -> None:
    """12 prompts with 2 pairs each; in 9 `a` wins both, in 3 neither. Outside a won one 16 of 22, outside a lost one
    18 of 22: `a` is always predicted, right in 18 of 24."""
    prompt = np.repeat(np.arange(12), 2)
    d = flag([1.0] * 18 + [0.0] * 6, prompt)
    found = hold_out(fit_factors(d), d, PROMPT, rng(), length="words")
    assert (found.way, found.n_folds, found.n_held, found.n_judgments) == ("prompt", 12, 12, 24)
    assert found.models == (ALL, LENGTH, NOTHING)
    loss = -(18 * np.log(16 / 22) + 6 * np.log(4 / 22)) / 24
    assert found.accuracy == pytest.approx([0.75, 0.75, 0.5])
    assert found.log_loss == pytest.approx([loss, loss, np.log(2)], abs=1e-9)
    # Twelve equal clusters, deleted one by one: 16/22 nine times and 18/22 three times about 18/24.
    away = np.array([16 / 22] * 9 + [18 / 22] * 3) - 0.75
    assert found.covariance is not None
    assert found.covariance.se[0] == pytest.approx(np.sqrt(11 / 12 * (away**2).sum()))
    table = found.table()
    assert table["gain"].iloc[1] == pytest.approx(0.0)
    assert table["gain_upper"].iloc[1] == pytest.approx(0.0)
    assert table["lower"].isna().tolist() == [False, False, True]
    assert table["gain"].isna().tolist() == [True, False, False]
    assert found.reasons == {POSITION: "the models have no position term"}


def test_ties_are_half_right_and_soft_verdicts_by_their_share() -> None:
    prompt = np.arange(40)
    d = flag([1.0] * 20 + [0.5] * 10 + [0.8] * 10, prompt)
    found = hold_out(fit_factors(d), d, PROMPT, rng())
    assert found.accuracy[0] == pytest.approx((20 + 5 + 8) / 40)
    assert found.reasons[LENGTH] == "no factor is a length"


def test_the_position_alone_by_hand() -> None:
    """Shown first wins 3 of 4 in each of 12 prompts: outside any of them 33 of 44."""
    s = np.tile([1.0, 1.0, -1.0, -1.0], 12)
    first_won = np.concatenate([np.roll([1.0, 1.0, 1.0, 0.0], k) for k in range(12)])
    y = np.where(s > 0, first_won, 1 - first_won)
    d = flag(y.tolist(), np.repeat(np.arange(12), 4), first=s)
    found = hold_out(fit_factors(d), d, PROMPT, rng())
    at = found.models.index(POSITION)
    assert found.accuracy[at] == pytest.approx(0.75)
    assert found.log_loss[at] == pytest.approx(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25)))


# --- parity -----------------------------------------------------------------------------------------------------------


def test_folds_are_those_of_scikit_learn() -> None:
    d = world(rng(1), spread(5, 0.5), 60, 6)
    assert d.first is not None
    _, folds, _, n_folds = make_folds(d, rng(4))
    assert n_folds == 10
    found = hold_out(fit_factors(d), d, PROMPT, rng(4), length="f1")
    matrix = np.column_stack([d.first, d.x.T])
    for model, columns in ((ALL, range(6)), (LENGTH, [2]), (POSITION, [0])):
        chance = np.empty(len(d))
        for fold in range(10):
            out = folds == fold
            # No prompt is on both sides.
            assert not set(d.clusters["prompt"][out]) & set(d.clusters["prompt"][~out])
            fit = LogisticRegression(C=np.inf, fit_intercept=False, tol=1e-10, max_iter=1000)
            fit.fit(matrix[~out][:, list(columns)], d.score[~out])
            chance[out] = fit.predict_proba(matrix[out][:, list(columns)])[:, 1]
        at = found.models.index(model)
        assert found.accuracy[at] == pytest.approx(float(((chance > 0.5) == (d.score > 0.5)).mean()))
        # The solver of the other side stops at a gradient of 1e-10 to 1e-6.
        assert found.log_loss[at] == pytest.approx(log_loss(d.score, chance), abs=1e-6)


def test_one_step_agrees_with_fitted_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    d = world(rng(2), spread(8, 0.3), 300, 20)
    fit = fit_factors(d)
    fitted = hold_out(fit, d, PROMPT, rng(), length="f0")
    monkeypatch.setattr(refits, "EXACT", 0)
    stepped = hold_out(fit, d, PROMPT, rng(), length="f0")
    assert fitted.exact
    assert not stepped.exact
    # A fold changes the weights by a tenth of a standard error; one step leaves the square of that.
    assert stepped.log_loss == pytest.approx(fitted.log_loss, abs=1e-6)
    assert stepped.accuracy == pytest.approx(fitted.accuracy, abs=1e-3)


# --- properties -------------------------------------------------------------------------------------------------------


def test_swapping_all_pairs_changes_nothing() -> None:
    d = world(rng(3), spread(4, 0.5), 30, 5)
    assert d.first is not None
    turned = replace(d, x=-d.x, score=d.weight - d.score, first=-d.first)
    one, two = (hold_out(fit_factors(w), w, PROMPT, rng(), length="f0") for w in (d, turned))
    assert one.accuracy == pytest.approx(two.accuracy)
    assert one.log_loss == pytest.approx(two.log_loss)


def test_weights_are_as_many_judgments() -> None:
    d = world(rng(4), spread(4, 0.5), 30, 5)
    times = 1 + np.arange(len(d)) % 3
    heavy = replace(d, weight=times.astype(float), score=d.score * times)
    many = d.take(np.repeat(np.arange(len(d)), times))
    one, two = (hold_out(fit_factors(w), w, PROMPT, rng(), length="f0") for w in (heavy, many))
    assert one.accuracy == pytest.approx(two.accuracy)
    assert one.log_loss == pytest.approx(two.log_loss)
    assert one.covariance is not None
    assert two.covariance is not None
    assert one.covariance.se == pytest.approx(two.covariance.se)


def test_intervals_are_those_of_explicit_deletion_and_of_two_ways() -> None:
    d = world(rng(5), spread(4, 0.5), 25, 6)
    annotator = rng(6).integers(7, size=len(d))
    d = replace(d, clusters=dict(d.clusters) | {"annotator": annotator})
    fit = fit_factors(d)
    both, one, other = (
        hold_out(fit, d, Clustering(name), rng()).covariance for name in ("prompt+annotator", "prompt", "annotator")  # type: ignore[arg-type]
    )
    assert both is not None
    assert one is not None
    assert other is not None
    assert both.quantiles.df == 6
    crossed = both.terms[2].vcov(both.estimate)
    if not both.floored:
        assert both.vcov == pytest.approx(one.vcov + other.vcov - crossed)
    plain = hold_out(fit, d, Clustering("none"), rng()).covariance
    assert plain is not None
    p = plain.estimate[0]
    assert plain.se[0] == pytest.approx(np.sqrt(p * (1 - p) / (len(d) - 1)))


# --- planted ----------------------------------------------------------------------------------------------------------


def test_noise_predicts_nothing_however_many_factors() -> None:
    """40 factors of noise fit 57 % of their own 30 x 10 verdicts and more; held out they do not."""
    own, held = [], []
    for seed in range(10):
        d = world(rng(seed), np.zeros(40), 30, 10, position=None)
        fit = fit_factors(d)
        own.append((((fit.weights @ d.x) > 0) == (d.score > 0.5)).mean())
        found = hold_out(fit, d, PROMPT, rng())
        held.append(found.accuracy[0])
        assert found.log_loss[0] > np.log(2)
    assert np.mean(own) > 0.57
    # Five standard errors of a mean over 3,000 verdicts.
    assert np.mean(held) == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(3000))


def test_what_a_prompt_shares_is_not_predicted_from_itself() -> None:
    """A factor that is the same for all pairs of a prompt, and verdicts that are: folds by row would predict them."""
    prompts, per = 40, 10
    draws = rng(8)
    prompt = np.repeat(np.arange(prompts), per)
    x = draws.standard_normal((20, prompts))[:, prompt]
    y = draws.integers(0, 2, prompts)[prompt].astype(float)
    at = np.arange(len(y))
    d = Design(tuple(f"f{k}" for k in range(20)), x, at, at, np.ones(len(y)), y, np.ones(len(y), dtype=np.int64),
               clusters={"prompt": prompt, "pair": at})  # fmt: skip
    d = replace(d, score=np.where(draws.random(len(y)) < 0.2, 1 - y, y))
    fit = fit_factors(d)
    by_prompt = hold_out(fit, d, PROMPT, rng())
    by_row = hold_out(fit, replace(d, clusters={"prompt": at, "pair": at}), PROMPT, rng())
    assert by_row.accuracy[0] > 0.6
    assert by_prompt.accuracy[0] < 0.6


# --- extremes ---------------------------------------------------------------------------------------------------------


def test_few_prompts_hold_out_pairs() -> None:
    d = world(rng(9), spread(3, 0.5), 4, 20)
    found = hold_out(fit_factors(d), d, Clustering("pair"), rng())
    assert (found.way, found.n_folds, found.n_held) == ("pair", 10, 80)


def test_a_prompt_each_below_twenty() -> None:
    d = world(rng(10), spread(3, 0.5), 13, 20)
    found = hold_out(fit_factors(d), d, PROMPT, rng())
    assert (found.way, found.n_folds) == ("prompt", 13)
    assert hold_out(fit_factors(w := world(rng(10), spread(3, 0.5), 20, 5)), w, PROMPT, rng()).n_folds == 10


def test_a_factor_that_a_fold_leaves_separated_is_left_out_there() -> None:
    """The flag wins but in prompt 0; without that prompt it would predict without limit."""
    d = world(rng(11), spread(3, 0.5), 15, 10, position=None)
    x = d.x.copy()
    x[0] = 0.0
    flagged = np.arange(0, len(d), 5)
    x[0, flagged] = 1.0
    score = d.score.copy()
    score[flagged] = 1.0
    score[0] = 0.0
    d = replace(d, x=x, score=score)
    fit = fit_factors(d)
    assert "f0" in fit.factors
    found = hold_out(fit, d, PROMPT, rng())
    assert found.dropped == {"f0": 1}
    assert np.isfinite(found.log_loss).all()


def test_length_that_explains_everything_is_said() -> None:
    d = world(rng(12), spread(3, 0.5), 30, 5)
    x = d.x.copy()
    x[0] = 2 * d.score - 1
    fit = fit_factors(d.without(["f0"]))
    found = hold_out(fit, replace(d, x=x), PROMPT, rng(), length="f0")
    assert LENGTH not in found.models
    assert "separation" in found.reasons[LENGTH]
    missing = hold_out(fit, d.without(["f0"]), PROMPT, rng(), length="f0")
    assert missing.reasons[LENGTH] == "f0 is not among the factors"


def test_modelled_ties_predict_a_preference() -> None:
    d = world(rng(13), spread(4, 0.7), 40, 8)
    tied = (rng(14).random(len(d)) < 0.25).astype(float)
    half = replace(d, score=np.where(tied > 0, 0.5, d.score))
    plain = hold_out(fit_factors(half), half, PROMPT, rng())
    apart = replace(half, tied=tied)
    for rule in ("davidson", "rao-kupper"):
        found = hold_out(fit_factors(apart, ties=rule), apart, PROMPT, rng())  # type: ignore[arg-type]
        # Both expect nearly the same preferences, a tie half.
        assert found.log_loss[0] == pytest.approx(plain.log_loss[0], abs=0.005)
        assert found.accuracy[0] == pytest.approx(plain.accuracy[0], abs=0.02)


def test_one_prompt_has_no_interval_and_one_pair_nothing() -> None:
    d = world(rng(15), spread(3, 0.5), 1, 60)
    found = hold_out(fit_factors(d), d, PROMPT, rng())
    assert found.covariance is None
    assert "all judgments share one prompt" in str(found.why_not)
    assert found.table()["lower"].isna().all()
    single = flag([1.0], np.zeros(1, dtype=np.int64))
    fit = fit_factors(flag([1.0, 0.0, 1.0], np.arange(3)))
    with pytest.raises(NotIdentifiedError, match="a single pair"):
        hold_out(fit, single, PROMPT, rng())
