"""Corrected strengths: by hand, against ppi-python, brute force, properties, refusals."""

import dataclasses
import itertools
import warnings

import numpy as np
import pytest
from toy_pairs import pairs_of, some_pairs, turned

from analysis.bradley_terry import fit_bradley_terry, newton
from analysis.judged_pairs import JudgedPairs
from analysis.ppi import fit_corrected
from analysis.sandwich import strength_covariance
from analysis.vcov import Clustering
from errors import NotIdentifiedError

PROMPT, PAIR = Clustering("prompt"), Clustering("pair")


def two_models(seed=0, n=300, n_more=500):
    """People and a judge that often agree, on pairs of A and B alone."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0.4, 2, n + n_more)
    votes, verdicts = (common + rng.logistic(size=(2, n + n_more)) > 0).astype(float)
    return pairs_of([("A", "B", votes[k] if k < n else None, verdicts[k]) for k in range(n + n_more)])


# -- by hand --------------------------------------------------------------------------------------------------------


def test_two_models_are_a_mean():
    """With two models the corrected probability is the corrected mean of card 17 of the literature: its lambda, its
    variance and, by the delta method, that of its logit."""
    pairs = two_models()
    h, f = pairs.human_score[pairs.labelled], pairs.judge_score[pairs.labelled]
    g = pairs.judge_score[~pairs.labelled]
    n, more = len(h), len(g)
    found = fit_corrected(pairs, PAIR)
    covariance = ((h - h.mean()) * (f - f.mean())).mean() / n
    share = covariance / (f.var() / n + g.var() / more)
    assert found.share == pytest.approx(share, abs=1e-6)
    assert 0.2 < share < 0.8
    p = (h - share * f).mean() + share * g.mean()
    strength = found.covariance.estimate
    assert strength[0] - strength[1] == pytest.approx(np.log(p / (1 - p)), abs=1e-6)
    variance = (h - share * f).var() / n + share**2 * g.var() / more
    se = np.sqrt(variance * n / (n - 1)) / (p * (1 - p))
    # theta_a = (theta_a - theta_b) / 2; G / (G - 1) counts the pairs with votes of people.
    assert found.covariance.se == pytest.approx([se / 2, se / 2], rel=1e-6)
    assert found.covariance.n_clusters == n
    assert found.covariance.quantiles.df is None


# -- parity ---------------------------------------------------------------------------------------------------------


def hard(pairs: JudgedPairs) -> JudgedPairs:
    """ppi-python starts from a classifier, so that people's label is a or b."""
    return dataclasses.replace(pairs, human_score=np.where(pairs.human_score > 0.5, 1.0, 0.0))


def design(pairs: JudgedPairs) -> np.ndarray:
    """(n_pairs, n_models - 1) with the first model as the reference."""
    x = np.zeros((len(pairs), len(pairs.models)))
    x[np.arange(len(pairs)), pairs.a] = 1.0
    x[np.arange(len(pairs)), pairs.b] = -1.0
    return x[:, 1:]


@pytest.fixture(scope="module")
def published():
    """400 labelled and 400 unlabelled pairs, and ppi-python's point estimate and interval on them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import ppi_py
    pairs = hard(some_pairs(seed=3, prompts=200))
    some = np.r_[np.flatnonzero(pairs.labelled)[:400], np.flatnonzero(~pairs.labelled)[:400]]
    pairs = pairs.take(some)
    lab, more = pairs.take(pairs.labelled), pairs.take(~pairs.labelled)
    data = (design(lab), lab.human_score, lab.judge_score, design(more), more.judge_score)
    # What L-BFGS-B reaches when it is asked to go on: gradients of 1e-9.
    exact = {"ftol": 1e-15, "gtol": 1e-10, "maxiter": 10_000}

    def ask(what, *args, **more):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn's announcements
            return getattr(ppi_py, what)(*args, *data, optimizer_options=dict(exact), **more)

    return pairs, ask


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 1.0])
def test_strengths_are_ppi_pythons(published, share):
    pairs, ask = published
    strength = fit_corrected(pairs, PAIR, share).covariance.estimate
    theirs = ask("ppi_logistic_pointestimate", lam=share)
    assert (strength - strength[0])[1:] == pytest.approx(theirs, abs=1e-7)


def test_intervals_are_ppi_pythons(published):
    """Up to two conventions that are undone here: it pools the second derivatives of labelled and unlabelled pairs,
    where ours are those of the loss that is minimised; and 1 / (n - 1) stands for G / (G - 1)."""
    pairs, ask = published
    share = 0.4
    lower, upper = ask("ppi_logistic_ci", lam=share, alpha=0.05)
    found = fit_corrected(pairs, PAIR, share)
    strength = found.covariance.estimate
    p = 1 / (1 + np.exp(strength[pairs.b] - strength[pairs.a]))
    x = design(pairs)
    curvature = np.where(pairs.labelled, 1 - share, share) * p * (1 - p)
    ours = x.T @ (curvature[:, None] * x) / 400
    pooled = x.T @ ((p * (1 - p))[:, None] * x) / 800
    contrast = np.eye(5)[1:] - np.eye(5)[0]
    v = contrast @ found.covariance.vcov @ contrast.T
    back = np.linalg.solve(pooled, ours)
    # As many labelled as unlabelled pairs, so that both of its n / (n - 1) are ours.
    half = 1.959963984540054 * np.sqrt(np.diag(back @ v @ back.T))
    assert upper - lower == pytest.approx(2 * half, rel=1e-6)


def test_at_its_own_lambda_ppi_python_gives_our_strengths(published):
    """It chooses lambda once, at the strengths of lambda = 1, with pooled second derivatives and the judge's scores
    of both kinds of pairs taken as one sample: recomputed here. Ours is chosen at the strengths that it leads to."""
    pairs, ask = published
    strength = newton(pairs.losses.counts(1.0), np.zeros(5)).parameters
    p = 1 / (1 + np.exp(strength[pairs.b] - strength[pairs.a]))
    x, lab = design(pairs), pairs.labelled
    inverse = np.linalg.inv(x.T @ ((p * (1 - p))[:, None] * x) / 800)
    of_human, of_judge = (((pairs.human_score - p)[:, None] * x)[lab], (pairs.judge_score - p)[:, None] * x)
    cross = np.cov(of_human.T, of_judge[lab].T, ddof=0)[:4, 4:]
    share = np.trace(inverse @ cross @ inverse) / (2 * np.trace(inverse @ np.cov(of_judge.T) @ inverse))
    ours = fit_corrected(pairs, PAIR, share).covariance.estimate
    theirs = ask("ppi_logistic_pointestimate", lam=None)
    assert (ours - ours[0])[1:] == pytest.approx(theirs, abs=1e-7)
    # The plug-in point and the pooling differ by the noise of 400 pairs.
    assert fit_corrected(pairs, PAIR).share == pytest.approx(share, abs=0.05)
    assert share > 0.1


# -- the covariance -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompts", [13, 60])
@pytest.mark.parametrize("way", ["prompt", "pair"])
def test_without_the_judge_it_is_people_alone(prompts, way):
    pairs = some_pairs(prompts=prompts)
    found = fit_corrected(pairs, Clustering(way), 0.0)
    cells = pairs.cells("human")
    fit = fit_bradley_terry(cells)
    theirs = strength_covariance([fit], [cells], Clustering(way))
    assert found.covariance.estimate == pytest.approx(fit.strength, abs=1e-7)
    assert found.covariance.vcov == pytest.approx(theirs.vcov, rel=1e-6, abs=1e-9)
    assert found.covariance.quantiles == theirs.quantiles
    assert found.covariance.n_clusters == theirs.n_clusters


def test_few_clusters_are_left_out_one_by_one():
    pairs = some_pairs(prompts=12)
    found = fit_corrected(pairs, PROMPT)
    [term] = found.covariance.terms
    assert term.n_clusters == 12
    assert found.covariance.quantiles.df == pytest.approx(11)
    for prompt, replicate in zip(range(12), term.replicates, strict=True):
        rest = fit_corrected(pairs.take(pairs.clusters["prompt"] != prompt), PAIR, found.share)
        assert replicate == pytest.approx(rest.covariance.estimate, abs=1e-7)
    assert not term.linear.any()


def test_few_prompts_with_votes_among_many_count_as_few():
    pairs = some_pairs(prompts=200, labelled=0.1, whole_prompts=True)
    found = fit_corrected(pairs, PROMPT)
    [term] = found.covariance.terms
    assert len(term.replicates) == term.n_clusters == 20
    assert term.linear.any()  # the 180 others
    # More than the 19 of people alone, as part of the variance is that of the many.
    assert 19 < found.covariance.quantiles.df < 60
    assert "20 prompts (jackknife, CR3)" in found.covariance.method


def test_a_heavy_prompt_is_deleted_exactly():
    pairs = some_pairs(prompts=80)
    prompt = np.where(pairs.clusters["prompt"] < 10, 0, pairs.clusters["prompt"])
    heavy = dataclasses.replace(pairs, clusters=dict(pairs.clusters) | {"prompt": prompt})
    [term] = fit_corrected(heavy, PROMPT).covariance.terms
    assert len(term.replicates) == 1
    assert term.effective < term.n_clusters == 71


def test_linearised_and_left_out_agree_on_many_clusters():
    pairs = some_pairs(prompts=300)
    found = fit_corrected(pairs, PROMPT)
    rows = [np.flatnonzero(pairs.clusters["prompt"] == k) for k in range(300)]
    replicates = np.array(
        [newton(pairs.losses.without(pairs, one).counts(found.share), np.zeros(5)).parameters for one in rows]
    )
    away = replicates - replicates.mean(axis=1, keepdims=True) - found.covariance.estimate
    # CR3 exceeds CR1 by about the share of a cluster.
    assert np.sqrt(np.diag(away.T @ away)) == pytest.approx(found.covariance.se, rel=0.01)


# -- properties -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prompts", [13, 60])
def test_exchanging_sides_changes_nothing(prompts):
    pairs = some_pairs(prompts=prompts)
    other = turned(pairs, np.random.default_rng(1).random(len(pairs)) < 0.5)
    one, two = fit_corrected(pairs, PROMPT), fit_corrected(other, PROMPT)
    assert two.share == pytest.approx(one.share, abs=1e-9)
    assert two.covariance.estimate == pytest.approx(one.covariance.estimate, abs=1e-9)
    assert two.covariance.vcov == pytest.approx(one.covariance.vcov, rel=1e-6)


@pytest.mark.parametrize("prompts", [13, 60])
def test_a_weight_of_two_is_the_pair_twice(prompts):
    pairs = some_pairs(prompts=prompts)
    twice = np.random.default_rng(1).random(len(pairs)) < 0.3
    weighted = dataclasses.replace(pairs, weight=np.where(twice, 2.0, 1.0))
    rows = np.r_[np.arange(len(pairs)), np.flatnonzero(twice)]
    one, two = (fit_corrected(data, PROMPT, 0.4) for data in (weighted, pairs.take(rows)))
    assert two.covariance.estimate == pytest.approx(one.covariance.estimate, abs=1e-7)
    assert two.covariance.vcov == pytest.approx(one.covariance.vcov, rel=1e-6)


def test_a_common_factor_of_the_weights_changes_nothing():
    pairs = some_pairs()
    one, two = (fit_corrected(dataclasses.replace(pairs, weight=pairs.weight * k), PROMPT) for k in (1.0, 7.0))
    assert two.share == pytest.approx(one.share, abs=1e-9)
    assert two.covariance.vcov == pytest.approx(one.covariance.vcov, rel=1e-6)


def test_models_in_another_order_are_the_same_models():
    pairs = some_pairs()
    other = pairs.among(pairs.models[::-1])
    one, two = fit_corrected(pairs, PROMPT), fit_corrected(other, PROMPT)
    assert two.models == one.models[::-1]
    assert two.covariance.estimate == pytest.approx(one.covariance.estimate[::-1], abs=1e-6)
    assert two.covariance.se == pytest.approx(one.covariance.se[::-1], rel=1e-5)


@pytest.mark.parametrize("judge", ["bad", "adverse"])
def test_a_judge_without_use_is_left_aside(judge):
    found = fit_corrected(some_pairs(prompts=300, judge=judge), PROMPT)
    assert found.share < 0.05
    assert found.share == 0.0 or judge == "bad"


def test_lambda_minimises_the_trace():
    pairs = some_pairs(prompts=150)
    best = fit_corrected(pairs, PROMPT)
    traces = [np.trace(fit_corrected(pairs, PROMPT, best.share + d).covariance.vcov) for d in (-0.1, 0.0, 0.1)]
    assert traces[1] < min(traces[0], traces[2])


def test_a_judge_that_says_what_people_say_makes_them_one():
    pairs = some_pairs(labelled=0.5)
    truth = np.random.default_rng(2).random(len(pairs)).round()
    pairs = dataclasses.replace(pairs, human_score=np.where(pairs.labelled, truth, 0.0), judge_score=truth)
    found = fit_corrected(pairs, PROMPT, 1.0)
    every = fit_bradley_terry(pairs.take(~pairs.labelled).cells("judge"))
    # The labelled pairs' two losses cancel: what is left is the judge on the others.
    assert found.covariance.estimate == pytest.approx(every.strength, abs=1e-7)


# -- what is identified ---------------------------------------------------------------------------------------------


def losses_of_each_set(pairs: JudgedPairs, share: float) -> float:
    """The least effective losses of any set of models against the others, by trying all sets."""
    counts = pairs.losses.counts(share)
    n = len(pairs.models)
    found = []
    for size in range(1, n):
        for inside in itertools.combinations(range(n), size):
            a, b = np.isin(counts.a, inside), np.isin(counts.b, inside)
            found.append(float((counts.weight - counts.score)[a & ~b].sum() + counts.score[~a & b].sum()))
    return min(found)


def test_there_are_strengths_exactly_where_no_set_wins_all():
    outcomes = {True: 0, False: 0}
    for seed in range(60):
        pairs = some_pairs(seed, prompts=20, pairs_a_prompt=3, models=4, labelled=0.45)
        try:
            share = fit_bradley_terry(pairs.cells("human")).models == pairs.models
        except NotIdentifiedError:
            continue
        if not share:
            continue
        exists = losses_of_each_set(pairs, 1.0) > 0
        outcomes[exists] += 1
        if exists:
            fit_corrected(pairs, PAIR, 1.0)
        else:
            with pytest.raises(NotIdentifiedError, match="not finite"):
                fit_corrected(pairs, PAIR, 1.0)
    assert min(outcomes.values()) > 3


def test_the_chosen_lambda_never_makes_strengths_infinite():
    for seed in range(40):
        pairs = some_pairs(seed, prompts=20, pairs_a_prompt=3, models=4, labelled=0.45)
        try:
            found = fit_corrected(pairs, PROMPT)
        except NotIdentifiedError as refusal:
            assert "judgments of 4 models" in str(refusal)  # noqa: PT017  people alone rank nobody
            continue
        assert losses_of_each_set(pairs.among(found.models), found.share) > 0
        assert np.isfinite(found.covariance.se).all()


def test_a_model_that_won_all_peoples_votes_is_left_out_whatever_the_judge_says():
    pairs = some_pairs(prompts=100, models=4)
    of_first = pairs.labelled & ((pairs.a == 0) | (pairs.b == 0))
    won = np.where(pairs.a == 0, 1.0, 0.0)
    pairs = dataclasses.replace(pairs, human_score=np.where(of_first, won, pairs.human_score))
    found = fit_corrected(pairs, PROMPT)
    assert found.models == pairs.models[1:]
    rest = fit_corrected(pairs.among(pairs.models[1:]), PROMPT)
    assert found.covariance.estimate == pytest.approx(rest.covariance.estimate, abs=1e-9)


def test_the_judge_takes_at_most_half_of_a_models_losses_away():
    # Judge and people say the same, and A wins all unlabelled pairs: lambda 1 would be that A never loses.
    rows = [("A", "B", 1.0, 1.0)] * 20 + [("A", "B", 0.0, 0.0)] * 4 + [("A", "B", None, 1.0)] * 30
    found = fit_corrected(pairs_of(rows), PAIR)
    assert found.share == pytest.approx(0.5, abs=1e-6)
    strength = found.covariance.estimate
    assert strength[0] - strength[1] == pytest.approx(np.log(22 / 2), abs=1e-5)


# -- refusals and extremes ------------------------------------------------------------------------------------------


def test_one_cluster_of_votes_is_refused():
    pairs = some_pairs(prompts=20)
    crowded = dataclasses.replace(pairs, clusters=dict(pairs.clusters) | {"prompt": np.where(pairs.labelled, 0, 1)})
    with pytest.raises(NotIdentifiedError, match="at least 2 prompts, and there is 1"):
        fit_corrected(crowded, PROMPT)


def test_a_single_vote_ranks_nobody():
    with pytest.raises(NotIdentifiedError, match="no two models have both beaten"):
        fit_corrected(pairs_of([("A", "B", 1.0, 1.0), ("A", "B", None, 0.0)]), PAIR)


def test_all_ties():
    rows = [("A", "B", 0.5, 0.5), ("B", "C", 0.5, 0.5)] * 20 + [("A", "B", None, 0.5), ("A", "C", None, 0.5)] * 20
    found = fit_corrected(pairs_of(rows), PAIR)
    assert found.share == 0.0
    assert found.covariance.estimate == pytest.approx([0, 0, 0], abs=1e-12)
    assert found.covariance.se == pytest.approx([0, 0, 0], abs=1e-12)


def test_ten_to_the_eighth_to_one():
    pairs = pairs_of([("A", "B", 1.0, 1.0), ("A", "B", 0.0, 0.0)] * 2 + [("A", "B", None, 1.0)] * 3)
    weight = np.array([1e8, 1.0, 1e8, 1.0, 1.0, 1.0, 1.0])
    found = fit_corrected(dataclasses.replace(pairs, weight=weight), PAIR, 0.25)
    strength = found.covariance.estimate
    # People said 2e8 : 2, the judge the same and on the others A alone: a quarter of the losses is taken away.
    assert strength[0] - strength[1] == pytest.approx(np.log(2e8 / 1.5), rel=1e-6)
    assert np.isfinite(found.covariance.se).all()
