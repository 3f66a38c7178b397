"""Weights of factors: by hand, against statsmodels, planted, and what cannot be estimated."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize

from analysis.cells import Cells
from analysis.design import FIRST, Design
from analysis.design_sums import log_odds, sum_up
from analysis.factor_covariance import influences, weight_covariance
from analysis.factor_fit import LARGE, fit_factors
from analysis.likelihood import Observed, evaluate
from analysis.sandwich import strength_covariance
from analysis.strengths import fit_strengths
from analysis.vcov import Clustering
from errors import NotIdentifiedError, OptionError

WEIGHTS = np.array([0.5, -0.3, 0.0, 0.8])


def design(
    n: int = 2_000, seed: int = 0, *, prompts: int = 200, ties: float = 0.0, position: float | None = 0.3, k: int = 4
) -> Design:
    """Judgments of a judge with `WEIGHTS`, some pairs judged twice."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((k, n // 2 + n // 4))
    at = np.sort(np.concatenate([np.arange(x.shape[1]), rng.integers(x.shape[1], size=n - x.shape[1])]))
    s = rng.choice([-1.0, 1.0], n)
    eta = WEIGHTS[:k] @ x[:, at] + (position or 0.0) * s
    y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(float)
    y[rng.random(n) < ties] = 0.5
    prompt = rng.integers(prompts, size=x.shape[1])[at]
    return Design(
        names=tuple("wxyz"[:k]), x=x, at=at, pair=at, weight=np.ones(n), score=y, count=np.ones(n, dtype=np.int64),
        first=s if position is not None else None, clusters={"prompt": prompt, "pair": at},
    )  # fmt: skip


def matrix(d: Design) -> np.ndarray:
    """The rows as statsmodels takes them."""
    x = d.x[:, d.at].T
    return x if d.first is None else np.column_stack([d.first, x])


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_one_flag_by_hand() -> None:
    """Of 8 pairs in which only `a` has it, `a` wins 6; of 4 in which only `b` has it, `b` wins 3: odds 9 to 3."""
    x = np.array([[1.0] * 8 + [-1.0] * 4])
    y = np.array([1.0] * 6 + [0.0] * 2 + [0.0] * 3 + [1.0])
    at = np.arange(12)
    d = Design(("flag",), x, at, at, np.ones(12), y, np.ones(12, dtype=np.int64), clusters={"pair": at})
    fit = fit_factors(d)
    assert fit.weights == pytest.approx([np.log(3)], abs=1e-12)
    # The information of a log-odds is n p q; each pair's score is +-q or +-p.
    assert fit.bread[0, 0] == pytest.approx(1 / (12 * 0.75 * 0.25), abs=1e-12)
    assert fit.vif == {"flag": 1.0}
    assert (fit.n_judgments, fit.n_pairs, fit.n_unknown_order) == (12, 12, 0)
    deleted = weight_covariance([fit], [d], Clustering("pair"))
    # Without one of the 9 wins 8 : 3 remain, without one of the 3 losses 9 : 2.
    away = np.array([np.log(8 / 3)] * 9 + [np.log(9 / 2)] * 3) - np.log(3)
    assert deleted.vcov[0, 0] == pytest.approx(11 / 12 * (away**2).sum(), rel=1e-9)


def test_the_position_alone_by_hand() -> None:
    """Shown first wins 7 of 10 where the two answers are alike in the factor."""
    s = np.array([1.0, -1.0] * 10)
    y = np.where(s > 0, np.tile([1.0] * 7 + [0.0] * 3, 2), np.tile([0.0] * 7 + [1.0] * 3, 2))[:20]
    at = np.arange(20)
    x = np.zeros((1, 20))
    x[0, :2] = [1e-3, -1e-3]
    y[:2] = [1.0, 1.0]
    d = Design(("flat",), x, at, at, np.ones(20), y, np.ones(20, dtype=np.int64), first=s)
    fit = fit_factors(d)
    assert fit.names == (FIRST, "flat")
    p = 1 / (1 + np.exp(-log_odds(d, fit.parameters)))
    assert s @ (y - p) == pytest.approx(0, abs=1e-9)


# --- parity -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ties", [0.0, 0.2])
@pytest.mark.parametrize("position", [0.3, None])
def test_weights_and_clustered_errors_are_those_of_statsmodels(ties: float, position: float | None) -> None:
    d = design(ties=ties, position=position)
    fit = fit_factors(d)
    groups = d.clusters["prompt"]
    family = sm.families.Binomial()
    theirs = sm.GLM(d.score, matrix(d), family=family).fit(tol=1e-14, maxiter=100)
    assert fit.parameters == pytest.approx(theirs.params, abs=1e-10)
    assert fit.bread == pytest.approx(theirs.cov_params(), rel=1e-8)
    robust = sm.GLM(d.score, matrix(d), family=family).fit(
        tol=1e-14, maxiter=100, cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    g = len(np.unique(groups))
    ours = weight_covariance([fit], [d], Clustering("prompt"))
    assert ours.se == pytest.approx(robust.bse * np.sqrt(g / (g - 1)), rel=1e-8)


def test_weights_multiply_score_and_information() -> None:
    """A row of weight 3 says what three rows say."""
    d = design(400)
    heavy = 1 + np.arange(400) % 3
    rows = np.repeat(np.arange(400), heavy)
    once = replace(d, weight=heavy.astype(float), score=d.score * heavy)
    many = d.take(rows)
    assert fit_factors(once).parameters == pytest.approx(fit_factors(many).parameters, abs=1e-10)
    assert fit_factors(once).bread == pytest.approx(fit_factors(many).bread, rel=1e-9)


@pytest.mark.parametrize("rule", ["davidson", "rao-kupper"])
def test_ties_apart_maximise_their_likelihood(rule: str) -> None:
    d = design(1_500, ties=0.25)
    tied = (d.score == 0.5).astype(float)
    fit = fit_factors(replace(d, tied=tied), ties=rule)  # type: ignore[arg-type]

    def loss(parameters: np.ndarray) -> float:
        eta = matrix(d) @ parameters[:-1]
        return -evaluate(rule, Observed(d.weight, d.score, tied), eta, parameters[-1]).value  # type: ignore[arg-type]

    start = np.append(np.zeros(5), 0.1)
    best = minimize(loss, start, method="BFGS", options={"gtol": 1e-6})
    assert fit.parameters == pytest.approx(best.x, abs=2e-5)
    assert fit.log_likelihood >= -best.fun - 1e-9


def test_the_joint_covariance_of_two_judges_is_that_of_stacked_regressions() -> None:
    """Two judges on the same prompts, as one regression with a block for each."""
    one, two = design(seed=1), design(seed=2)
    two = replace(two, clusters=two.clusters | {"prompt": one.clusters["prompt"]})
    fits = [fit_factors(one), fit_factors(two)]
    ours = weight_covariance(fits, [one, two], Clustering("prompt"))
    p = 5
    stacked = np.zeros((len(one) + len(two), 2 * p))
    stacked[: len(one), :p], stacked[len(one) :, p:] = matrix(one), matrix(two)
    groups = np.concatenate([one.clusters["prompt"], two.clusters["prompt"]])
    theirs = sm.GLM(np.concatenate([one.score, two.score]), stacked, family=sm.families.Binomial()).fit(
        tol=1e-14, maxiter=100, cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    g = len(np.unique(groups))
    assert ours.vcov == pytest.approx(theirs.cov_params() * g / (g - 1), rel=1e-7, abs=1e-12)


def test_few_prompts_are_deleted_one_by_one() -> None:
    d = design(800, prompts=12)
    fit = fit_factors(d)
    ours = weight_covariance([fit], [d], Clustering("prompt"))
    replicates = [fit_factors(d.take(d.clusters["prompt"] != g)).parameters for g in range(12)]
    away = np.array(replicates) - fit.parameters
    assert ours.vcov == pytest.approx(11 / 12 * away.T @ away, rel=1e-6)
    assert ours.quantiles.df == 11


def test_two_ways_of_clustering_add_and_subtract() -> None:
    d = design()
    rng = np.random.default_rng(5)
    d = replace(d, clusters=d.clusters | {"annotator": rng.integers(80, size=len(d))})
    fit = fit_factors(d)
    both = weight_covariance([fit], [d], Clustering("prompt+annotator"))
    one, two = (weight_covariance([fit], [d], Clustering(way)) for way in ("prompt", "annotator"))  # type: ignore[arg-type]
    cross = d.clusters["prompt"] * 80 + d.clusters["annotator"]
    crossed = replace(d, clusters={"pair": cross})
    third = weight_covariance([fit], [crossed], Clustering("pair"))
    assert both.vcov == pytest.approx(one.vcov + two.vcov - third.vcov, rel=1e-9, abs=1e-15)


def test_no_clusters_are_the_naive_errors() -> None:
    d = design()
    fit = fit_factors(d)
    assert weight_covariance([fit], [d], Clustering("none")).vcov == pytest.approx(fit.bread)


def test_influences_add_up_to_the_covariance() -> None:
    d = design()
    fit = fit_factors(d)
    u = influences([fit], [d], "prompt")
    g = len(u)
    assert weight_covariance([fit], [d], Clustering("prompt")).vcov == pytest.approx(u.T @ u * g / (g - 1), rel=1e-8)


def test_with_one_model_each_the_ranking_machinery_says_the_same() -> None:
    """Bradley-Terry with covariates between two models of equal strength is this model with a constant."""
    d = design(600, position=None)
    rng = np.random.default_rng(3)
    turn = rng.random(len(d)) < 0.5
    cells = Cells(
        models=("m", "n"), i=turn.astype(np.int64), j=(~turn).astype(np.int64), weight=d.weight, score=d.score,
        count=d.count, clusters=d.clusters, covariates={name: d.x[k][d.at] for k, name in enumerate(d.names)},
    )  # fmt: skip
    theirs = fit_strengths(cells, covariates=d.names)
    column = np.where(turn, -1.0, 1.0)
    more = Design(
        (*d.names, "m over n"), np.vstack([d.x[:, d.at], column]), np.arange(len(d)), d.pair, d.weight, d.score, d.count,
        clusters=d.clusters,
    )  # fmt: skip
    ours = fit_factors(more)
    assert ours.weights[:4] == pytest.approx([theirs.coefficients[name] for name in d.names], abs=1e-8)
    se = strength_covariance([theirs], [cells], Clustering("prompt")).se[2:]
    assert weight_covariance([ours], [more], Clustering("prompt")).se[:4] == pytest.approx(se, rel=1e-6)


# --- properties -------------------------------------------------------------------------------------------------------


def test_exchanging_a_and_b_changes_nothing() -> None:
    d = design(ties=0.1)
    turned = replace(d, x=-d.x, score=d.weight - d.score, first=None if d.first is None else -d.first)
    assert fit_factors(turned).parameters == pytest.approx(fit_factors(d).parameters, abs=1e-12)
    one, two = (weight_covariance([fit_factors(some)], [some], Clustering("prompt")).vcov for some in (d, turned))
    assert one == pytest.approx(two, rel=1e-9)


def test_doubling_the_data_keeps_the_weights_and_halves_the_naive_variance() -> None:
    d = design(500)
    twice = d.take(np.sort(np.tile(np.arange(500), 2)))
    assert fit_factors(twice).parameters == pytest.approx(fit_factors(d).parameters, abs=1e-10)
    assert fit_factors(twice).bread == pytest.approx(fit_factors(d).bread / 2, rel=1e-9)


def test_the_order_of_rows_and_of_factors_is_of_no_account() -> None:
    d = design()
    order = np.random.default_rng(0).permutation(len(d))
    fit = fit_factors(d)
    assert fit_factors(d.take(order)).parameters == pytest.approx(fit.parameters, abs=1e-12)
    shuffled = weight_covariance([fit], [d.take(order)], Clustering("prompt"))
    assert shuffled.vcov == pytest.approx(weight_covariance([fit], [d], Clustering("prompt")).vcov, rel=1e-10)
    back = replace(d, names=d.names[::-1], x=d.x[::-1])
    assert fit_factors(back).weights[::-1] == pytest.approx(fit.weights, abs=1e-12)


def test_one_answer_a_billion_times_longer_separates_nothing() -> None:
    d = design()
    x = d.x.copy()
    at = int(np.argmax(d.score))
    x[0, d.at[at]] = 1e9
    fit = fit_factors(replace(d, x=x))
    assert d.names[0] in fit.factors
    assert not fit.dropped


def test_scaling_a_factor_scales_its_weight() -> None:
    d = design()
    x = d.x.copy()
    x[1] *= 1e6
    assert fit_factors(replace(d, x=x)).weights[1] * 1e6 == pytest.approx(fit_factors(d).weights[1], rel=1e-9)


def test_weights_so_small_that_no_sum_shows_them() -> None:
    d = design()
    light = replace(d, weight=d.weight * 1e-8, score=d.score * 1e-8)
    assert fit_factors(light).parameters == pytest.approx(fit_factors(d).parameters, abs=1e-9)


def test_many_rows_in_blocks_of_float32_say_what_one_fit_of_all_says() -> None:
    n = LARGE + 30_000
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, n), dtype=np.float32)
    x[2] = (rng.random(n) < 1e-3) * 1.0
    s = rng.choice(np.array([-1, 1], dtype=np.int8), n)
    eta = np.array([0.3, -0.2, 1.0], dtype=np.float32) @ x + 0.2 * s
    y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(np.float32)
    at, prompt = np.arange(n, dtype=np.int32), np.arange(n, dtype=np.int32) // 9
    d = Design(
        ("one", "two", "rare"), x, at, at, np.broadcast_to(1.0, (n,)), y, np.broadcast_to(np.int64(1), (n,)), first=s,
        clusters={"prompt": prompt},
    )  # fmt: skip
    fit = fit_factors(d)
    wide = replace(d, x=x.astype(np.float64))
    at_optimum = sum_up(wide, "logistic", fit.parameters)
    step = np.linalg.solve(at_optimum.information, at_optimum.gradient)
    naive = np.sqrt(np.diag(np.linalg.inv(at_optimum.information)))
    # Float32 carries 1e-7; what is left is a few thousandths of a standard error at most.
    assert np.abs(step / naive).max() < 2e-3
    assert fit.bread == pytest.approx(np.linalg.inv(at_optimum.information), rel=1e-4)
    se = weight_covariance([fit], [d], Clustering("prompt")).se
    exact = weight_covariance([fit], [wide], Clustering("prompt")).se
    assert se == pytest.approx(exact, rel=1e-4)
    mixed = weight_covariance([fit], [d.take(rng.permutation(n))], Clustering("prompt")).se
    assert mixed == pytest.approx(exact, rel=1e-4)


def test_a_flag_so_rare_that_no_part_of_many_rows_has_it() -> None:
    n = LARGE + 30_000
    rng = np.random.default_rng(1)
    x = rng.standard_normal((2, n), dtype=np.float32)
    x[1] = 0.0
    # In the second block, which a thinned design passes over.
    x[1, 20_000:20_060] = 1.0
    y = (rng.random(n) < 1 / (1 + np.exp(-0.3 * x[0]))).astype(np.float32)
    at = np.arange(n, dtype=np.int32)
    ones = np.broadcast_to(1.0, (n,)), np.broadcast_to(np.int64(1), (n,))
    d = Design(("one", "rare"), x, at, at, ones[0], y, ones[1], clusters={"pair": at})
    fit = fit_factors(d)
    won = float(y[20_000:20_060].sum())
    eta = fit.weights[0] * x[0, 20_000:20_060] + fit.weights[1]
    assert float((1 / (1 + np.exp(-eta))).sum()) == pytest.approx(won, abs=1e-3)
    assert fit.weights[0] == pytest.approx(0.3, abs=0.02)


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_a_factor_without_differences_is_named_and_left_out() -> None:
    d = design()
    x = np.vstack([d.x, np.zeros(d.x.shape[1])])
    fit = fit_factors(replace(d, names=(*d.names, "flat"), x=x))
    assert fit.factors == d.names
    assert fit.dropped == {"flat": "the answers that were compared do not differ in it"}
    assert fit.parameters == pytest.approx(fit_factors(d).parameters, abs=1e-12)


def test_a_factor_that_others_fix_is_named_with_them() -> None:
    d = design()
    x = np.vstack([d.x, d.x[0] - 2 * d.x[3]])
    fit = fit_factors(replace(d, names=(*d.names, "sum"), x=x))
    assert fit.dropped == {"sum": "'w' and 'z' together fix it (collinear)"}
    twice = fit_factors(replace(d, names=(*d.names, "again"), x=np.vstack([d.x, d.x[1]])))
    assert twice.dropped == {"again": "'x' fixes it (collinear)"}


def test_a_flag_only_in_winners_is_named_and_the_others_stay() -> None:
    d = design()
    won = d.score[np.searchsorted(d.at, np.arange(40))]
    flag = np.zeros(d.x.shape[1])
    flag[:40] = np.where(won == 1, 1.0, -1.0)
    alone = d.take(np.unique(d.at, return_index=True)[1])
    fit = fit_factors(replace(alone, names=(*d.names, "flag"), x=np.vstack([d.x, flag])))
    assert set(fit.dropped) == {"flag"}
    assert "the one with more of it is preferred (separation)" in fit.dropped["flag"]
    assert fit.weights == pytest.approx(fit_factors(alone).weights, abs=1e-9)


def test_two_factors_that_separate_together_lose_one() -> None:
    """Neither alone points to the winner always, their sum does on the rows where they differ."""
    d = design(position=None)
    n = d.x.shape[1]
    first, second = np.zeros(n), np.zeros(n)
    alone = d.take(np.unique(d.at, return_index=True)[1])
    side = 2 * alone.score - 1
    # Their sum always points to the winner, each alone to the winner on half of the rows.
    first[:40] = side[:40] * np.tile([2.0, -1.0], 20)
    second[:40] = side[:40] * np.tile([-1.0, 2.0], 20)
    fit = fit_factors(replace(alone, names=(*d.names, "one", "two"), x=np.vstack([d.x, first, second])))
    assert len(fit.dropped) == 1
    assert "without limit (separation)" in next(iter(fit.dropped.values()))
    assert set(fit.factors) >= set(d.names)


def test_three_hundred_factors_on_two_hundred_pairs_are_refused() -> None:
    rng = np.random.default_rng(0)
    at = np.arange(200)
    d = Design(
        tuple(f"f{k}" for k in range(300)), rng.standard_normal((300, 200)), at, at, np.ones(200),
        rng.integers(2, size=200).astype(float), np.ones(200, dtype=np.int64),
    )  # fmt: skip
    with pytest.raises(NotIdentifiedError, match="300 factors cannot be told apart on 200 pairs"):
        fit_factors(d)
    some = d.without([f"f{k}" for k in range(150, 300)])
    with pytest.raises(NotIdentifiedError, match="together explain these 200 pairs without limit"):
        fit_factors(some)


def test_nothing_to_fit_is_said() -> None:
    d = design()
    with pytest.raises(NotIdentifiedError, match="no judgment with these factors"):
        fit_factors(d.take(np.zeros(len(d), dtype=bool)))
    with pytest.raises(NotIdentifiedError, match=r"none of the factors can be estimated here\. w: the answers"):
        fit_factors(replace(d, x=np.zeros_like(d.x)))
    with pytest.raises(NotIdentifiedError, match="no judgment here records which answer was shown first"):
        fit_factors(replace(d, first=np.zeros(len(d))))
    one = replace(d, clusters={"prompt": np.zeros(len(d), dtype=np.int64)})
    fit = fit_factors(one)
    with pytest.raises(NotIdentifiedError, match="intervals clustered by prompt need at least 2 prompts"):
        weight_covariance([fit], [one], Clustering("prompt"))
    with pytest.raises(OptionError, match="clustered by annotator need the annotator"):
        weight_covariance([fit], [one], Clustering("annotator"))
    with pytest.raises(NotIdentifiedError, match="there is no tie"):
        fit_factors(replace(d, tied=np.zeros(len(d))), ties="davidson")


def test_arrays_that_contradict_each_other_are_refused() -> None:
    d = design(100)
    with pytest.raises(ValueError, match="weight has 99 entries where at has 100"):
        replace(d, weight=np.ones(99))
    with pytest.raises(ValueError, match="score must lie between 0 and weight"):
        replace(d, score=d.score + 1)
    with pytest.raises(ValueError, match="at must lie in"):
        replace(d, at=d.at + 10_000)


# --- a planted truth --------------------------------------------------------------------------------------------------


def test_intervals_cover_planted_weights() -> None:
    """Without prompt effects the planted weights are the pseudo-true ones. 100 worlds of 5 coefficients: binomial
    bounds at 99.9 % around 95 % are 92.5 and 97.2 %."""
    truth = np.array([0.3, *WEIGHTS])
    hits = []
    for seed in range(100):
        d = design(1_000, seed)
        fit = fit_factors(d)
        covariance = weight_covariance([fit], [d], Clustering("prompt"))
        hits.append(np.abs(fit.parameters - truth) <= covariance.quantiles.two_sided() * covariance.se)
    assert 0.915 <= np.mean(hits) <= 0.98
