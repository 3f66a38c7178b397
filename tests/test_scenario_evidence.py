"""What one scenario says alone: against direct optimisation and refits, and where plain likelihood says nothing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from toy import cells_of, random_cells, swapped

from analysis.bradley_terry import fit_bradley_terry
from analysis.cells import Cells
from analysis.scenario_evidence import MOST_BORROWED, Evidence, find_evidence, weigh
from analysis.vcov import Clustering

PROMPT, NONE = Clustering("prompt"), Clustering("none")


def penalised_by_search(cells: Cells, overall, weight=None):
    """The penalised strengths by a general optimiser, from the definition; prior N(overall, 1)."""
    w = np.ones(len(cells.i)) if weight is None else weight

    def loss(theta):
        d = theta[cells.i] - theta[cells.j]
        fit = w * (cells.score * d - cells.weight * np.logaddexp(0, d))
        return -fit.sum() + 0.5 * ((theta - overall) ** 2).sum()

    return minimize(loss, overall, method="BFGS", options={"gtol": 1e-9, "maxiter": 500}).x


def removed(found: Evidence, overall):
    """The penalised departures that an Evidence was made from: strength = overall + gain * departure."""
    return (found.strength - overall) / found.gain


def test_the_penalised_fit_is_the_optimum():
    cells = random_cells(np.random.default_rng(0), n_models=5, n=60, n_prompts=12)
    overall = np.array([0.5, 0.2, -0.1, -0.2, -0.4])
    found = find_evidence(cells, overall, PROMPT)
    # The search stops at gradients of 1e-9 at best, numerical ones at about 1e-6.
    assert overall + removed(found, overall) == pytest.approx(penalised_by_search(cells, overall), abs=1e-5)


def test_the_prior_is_taken_out_again():
    # Two models, w wins of n: a single difference D with likelihood information h at the optimum. For centred
    # strengths of two models the prior on D has variance 2, and half of D is each model's departure.
    rows = [("A", "B", 1.0)] * 7 + [("A", "B", 0.0)] * 5
    found = find_evidence(cells_of(rows, prompt=range(12)), np.zeros(2), NONE)
    d = 2 * removed(found, 0)[0]
    p = 1 / (1 + np.exp(-d))
    assert 7 - 12 * p == pytest.approx(d / 2, abs=1e-8)  # the penalised optimum
    h = 12 * p * (1 - p)
    # One Newton step from there on the likelihood alone, and its information.
    assert 2 * found.strength[0] == pytest.approx(d + (7 - 12 * p) / h, rel=1e-8)
    weighed = weigh([found, found])
    assert 2 * weighed.se[0, 0] == pytest.approx(1 / np.sqrt(h), rel=1e-8)


def test_independent_judgments_give_posterior_without_prior():
    cells = random_cells(np.random.default_rng(1), n_models=4, n=40, n_prompts=9)
    overall = np.array([0.3, 0.1, -0.1, -0.3])
    found = find_evidence(cells, overall, NONE)
    theta = overall + removed(found, overall)
    d = theta[cells.i] - theta[cells.j]
    h = np.exp(-np.abs(d)) / (1 + np.exp(-np.abs(d))) ** 2
    information = np.zeros((4, 4))
    for i, j, x in zip(cells.i, cells.j, h, strict=True):
        contrast = np.eye(4)[i] - np.eye(4)[j]
        information += x * np.outer(contrast, contrast)
    posterior = np.linalg.inv(information + np.eye(4)) - 0.25
    expected = 1 / (1 / np.diag(posterior) - 1 / 0.75)
    assert weigh([found, found]).se[0] ** 2 == pytest.approx(expected, rel=1e-8)


def test_with_much_data_it_is_the_plain_fit():
    cells = random_cells(np.random.default_rng(2), n_models=5, n=40_000, n_prompts=400)
    plain = fit_bradley_terry(cells)
    found = find_evidence(cells, np.zeros(5), PROMPT)
    # What one step leaves of the prior is of the order of its squared share, 1 / 3,000 here.
    assert found.strength == pytest.approx(plain.strength, abs=2e-4)


def test_deleting_a_cluster_in_one_step_is_nearly_the_refit():
    cells = random_cells(np.random.default_rng(3), n_models=5, n=400, n_prompts=20)
    overall = np.zeros(5)
    found = find_evidence(cells, overall, PROMPT)
    full = penalised_by_search(cells, overall)
    prompts = cells.clusters["prompt"]
    away = np.array([penalised_by_search(cells, overall, (prompts != c) * 1.0) - full for c in np.unique(prompts)])
    jackknife = (away**2).sum(axis=0) * 19 / 20
    # One Newton step misses what is cubic in the change, which is a few percent of a standard error's square.
    assert found.robust == pytest.approx(jackknife, rel=0.03)


@pytest.mark.parametrize("n_prompts", [8, 70])
def test_few_pairs_and_many_pairs_in_a_cluster_agree(n_prompts):
    # With 12 models a prompt of 6 judgments takes the short way; the long one is written out here.
    rng = np.random.default_rng(n_prompts)
    cells = random_cells(rng, n_models=12, n=6 * n_prompts, n_prompts=n_prompts)
    found = find_evidence(cells, np.zeros(12), PROMPT)
    theta = removed(found, 0)
    d = theta[cells.i] - theta[cells.j]
    p = 1 / (1 + np.exp(-d))
    contrast = np.eye(12)[cells.i] - np.eye(12)[cells.j]
    every = (contrast * (p * (1 - p))[:, None]).T @ contrast + np.eye(12)
    total = np.zeros(12)
    for c in np.unique(cells.clusters["prompt"]):
        rows = cells.clusters["prompt"] == c
        score = contrast[rows].T @ (cells.score - p)[rows]
        own = (contrast[rows] * (p * (1 - p))[rows, None]).T @ contrast[rows]
        total += np.linalg.solve(every - (own if n_prompts < 50 else 0), score) ** 2
    n = len(np.unique(cells.clusters["prompt"]))
    factor = (n - 1) / n if n_prompts < 50 else n / (n - 1)
    assert found.robust == pytest.approx(total * factor, rel=1e-8)


def test_a_heavy_cluster_is_deleted_however_many_others_there_are():
    cells = random_cells(np.random.default_rng(5), n_models=4, n=600, n_prompts=80)
    heavy = replace(cells, clusters={"prompt": np.where(np.arange(600) < 200, 0, cells.clusters["prompt"] + 1)})
    found, plain = find_evidence(heavy, np.zeros(4), PROMPT), find_evidence(cells, np.zeros(4), PROMPT)
    assert (found.df < 10).all()
    assert (plain.df > 50).all()


def test_both_ways_of_clustering_give_the_larger():
    cells = random_cells(np.random.default_rng(6), n_models=4, n=300, n_prompts=25)
    both = find_evidence(cells, np.zeros(4), Clustering("prompt+annotator"))
    one, two = (find_evidence(cells, np.zeros(4), Clustering(way)) for way in ("prompt", "annotator"))
    assert (both.robust >= np.maximum(one.robust, two.robust) * (1 - 1e-12)).all()
    assert both.df == pytest.approx(np.minimum(one.df, two.df))


def test_who_only_won_or_met_nobody():
    rows = [("A", "B", 1.0)] * 5 + [("B", "C", 1.0), ("B", "C", 0.0)] * 3
    cells = cells_of(rows, models=("A", "B", "C", "D"), prompt=range(11))
    found = find_evidence(cells, np.array([0.2, 0.1, 0.0, -0.3]), PROMPT)
    assert found.one_sided.tolist() == [True, False, False, False]
    assert np.isfinite(found.strength[:3]).all()
    assert found.strength[0] > found.strength[1]
    assert np.isnan([found.strength[3], found.robust[3], found.df[3], found.naive[3]]).all()
    weighed = weigh([found, find_evidence(random_cells(np.random.default_rng(7), 4), np.zeros(4), PROMPT)])
    # Known least of all, and not as well as its few residuals would have it.
    assert weighed.se[0, 0] > max(weighed.se[0, 1], weighed.se[0, 2])
    assert weighed.se[0, 0] > found.gain[0] * np.sqrt(found.robust[0] + found.anchor[0])
    assert weighed.se[0, 3] == np.inf


@given(st.integers(0, 10_000))
def test_swapping_and_relabelling_change_nothing(seed):
    rng = np.random.default_rng(seed)
    cells = random_cells(rng, n_models=4, n=30, n_prompts=6)
    overall = rng.normal(size=4)
    overall -= overall.mean()
    found, other = find_evidence(cells, overall, PROMPT), find_evidence(swapped(cells), overall, PROMPT)
    for name in ("strength", "naive", "robust", "anchor", "df", "gain"):
        assert getattr(other, name) == pytest.approx(getattr(found, name), rel=1e-7, abs=1e-9, nan_ok=True)
    order = rng.permutation(4)
    renamed = find_evidence(cells.among([cells.models[k] for k in order]), overall[order], PROMPT)
    assert renamed.strength == pytest.approx(found.strength[order], rel=1e-7, abs=1e-8, nan_ok=True)
    assert renamed.robust == pytest.approx(found.robust[order], rel=1e-6, nan_ok=True)


def test_a_weight_is_that_many_judgments():
    cells = random_cells(np.random.default_rng(8), n_models=4, n=50, n_prompts=10)
    twice = replace(cells, weight=2 * cells.weight, score=2 * cells.score)
    repeated = Cells(
        cells.models, *(np.tile(c, 2) for c in (cells.i, cells.j, cells.weight, cells.score, cells.count)),
        clusters={"prompt": np.tile(cells.clusters["prompt"], 2)},
    )  # fmt: skip
    one, other = find_evidence(twice, np.zeros(4), PROMPT), find_evidence(repeated, np.zeros(4), PROMPT)
    for name in ("strength", "naive", "robust", "df", "size"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-9)


def evidence(ratio, df, size, one_sided=False):
    """Evidence of one model whose clustered variance is `ratio` times the independent one."""
    a = np.array
    return Evidence(a([0.0]), a([1.0]), a([1.0]), a([float(ratio)]), a([0.0]), a([float(df)]), a([float(size)]),
                    a([one_sided]))  # fmt: skip


def test_errors_borrow_what_is_usual_by_hand():
    # All ratios are 2: nothing varies more than chance, so the most is borrowed, and the usual ratio is 2.
    found = weigh([evidence(2, 30, 5)] * 9 + [evidence(0.5, 4, 5), evidence(0.1, 9, 5, True), evidence(np.nan, 0, 5)])
    assert found.borrowed == MOST_BORROWED
    assert found.df[9:, 0].tolist() == [MOST_BORROWED + 4, MOST_BORROWED, MOST_BORROWED]
    assert found.se[0, 0] ** 2 == pytest.approx(2, rel=0.05)
    usual = found.se[10, 0] ** 2
    # Who won everything, or stands under a single prompt, has what is usual; four degrees of freedom count as four.
    assert found.se[11, 0] ** 2 == pytest.approx(usual)
    assert found.se[9, 0] ** 2 == pytest.approx((4 * 0.5 + MOST_BORROWED * usual) / (4 + MOST_BORROWED))


def test_what_is_usual_grows_with_the_judgments_a_cluster():
    sizes = [1, 2, 4, 8, 16] * 4
    found = weigh([*(evidence(0.8 + 0.2 * b, 40, b) for b in sizes), evidence(np.nan, 0, 32)])
    assert found.se[-1, 0] ** 2 == pytest.approx(0.8 + 0.2 * 32, rel=1e-6)


def test_scattered_ratios_lend_little():
    rng = np.random.default_rng(9)
    ratios = np.exp(1.5 * rng.standard_normal(60))
    found = weigh([evidence(r, 200, 1) for r in ratios])
    # log-sd 1.5 is that of about 1.5 degrees of freedom; beside 200 of its own that is nothing.
    assert found.borrowed < 3
    assert found.se[:, 0] ** 2 == pytest.approx(ratios, rel=0.05, abs=0.05)


def test_without_any_second_cluster_nothing_is_known():
    found = weigh([evidence(np.nan, 0, 5)] * 3)
    assert (found.se == np.inf).all()
    assert np.isnan(found.strength).all()


@pytest.mark.filterwarnings("error")
def test_extreme_verdicts_stay_finite():
    cells = Cells(("A", "B", "C"), np.array([0, 1, 1]), np.array([1, 0, 2]), np.array([1e8, 1.0, 10.0]),
                  np.array([1e8, 1.0, 5.0]), np.array([10**8, 1, 10]), clusters={"prompt": np.arange(3)})  # fmt: skip
    found = find_evidence(cells, np.zeros(3), PROMPT)
    assert np.isfinite(found.strength).all()
    assert np.isfinite(found.robust).all()
    single = find_evidence(cells_of([("A", "B", 1.0)], prompt=[0]), np.zeros(2), PROMPT)
    assert np.isnan(single.robust).all()
    assert np.isfinite(single.strength).all()
    ties = find_evidence(cells_of([("A", "B", 0.5)] * 20, prompt=range(20)), np.zeros(2), PROMPT)
    assert ties.strength == pytest.approx([0, 0], abs=1e-12)
    assert ties.robust == pytest.approx([0, 0], abs=1e-12)


def test_the_spread_of_a_thousand_models_is_found_without_a_dense_cube():
    rng = np.random.default_rng(10)
    cells = random_cells(rng, n_models=1000, n=4000, n_prompts=30, strength=np.zeros(1000))
    found = find_evidence(cells, np.zeros(1000), PROMPT)
    assert np.isfinite(found.robust).sum() > 990


@pytest.mark.parametrize("clustering", [PROMPT, NONE])
def test_huge_weights_keep_their_digits(clustering):
    # Far above the prior nothing depends on the weights' unit but the size of independent errors.
    cells = random_cells(np.random.default_rng(5), n_models=4, n=60, n_prompts=12)
    overall = np.array([0.3, 0.1, -0.1, -0.3])
    found = {}
    for unit in (1e7, 1e9, 1e11):
        scaled = replace(cells, weight=cells.weight * unit, score=cells.score * unit)
        found[unit] = find_evidence(scaled, overall, clustering)
    for unit in (1e9, 1e11):
        # The prior's share at 1e7 is about 1e-8.
        assert found[unit].strength == pytest.approx(found[1e7].strength, abs=1e-7)
        assert found[unit].naive * unit == pytest.approx(found[1e7].naive * 1e7, rel=1e-7)
        if clustering is PROMPT:
            assert found[unit].robust == pytest.approx(found[1e7].robust, rel=1e-7)
