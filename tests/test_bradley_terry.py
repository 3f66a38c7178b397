"""Strengths: by hand, against other libraries, their symmetries, planted truth, extremes, refusals."""

import choix
import evalica
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from toy import LLMFAO, cells_of, llmfao_cells, random_cells, swapped

from analysis import bradley_terry
from analysis.bradley_terry import fit_bradley_terry
from analysis.cells import Cells, fold_to_pairs
from errors import ConvergenceError, NotIdentifiedError


def design(cells: Cells, position: bool) -> np.ndarray:
    """One row a cell, models against the last one, then the shown order."""
    x = np.zeros((len(cells.i), len(cells.models)))
    rows = np.arange(len(cells.i))
    x[rows, cells.i] += 1
    x[rows, cells.j] -= 1
    return np.column_stack([x[:, :-1], cells.first]) if position else x[:, :-1]


def test_two_models_by_hand():
    # 3 of 4 won: log(3/1) between them, half of it on each side of 0.
    fit = fit_bradley_terry(cells_of([("A", "B", 1)] * 3 + [("B", "A", 1)]))
    assert fit.strength == pytest.approx([np.log(3) / 2, -np.log(3) / 2], abs=1e-12)
    assert fit.log_likelihood == pytest.approx(3 * np.log(0.75) + np.log(0.25), abs=1e-12)
    assert (fit.n_judgments, fit.position, fit.left_out) == (4, None, ())
    # Information of the difference: 4 * 3/4 * 1/4; each strength is half of the difference.
    assert np.diag(fit.bread) == pytest.approx([1 / 0.75 / 4] * 2, abs=1e-12)


def test_position_of_two_models_by_hand():
    # A wins 3:1 when first and 2:2 when second: logits .5(l1 + l2) for A - B and .5(l1 - l2) for first.
    rows = [("A", "B", 1)] * 3 + [("A", "B", 0)] + [("A", "B", 1)] * 2 + [("A", "B", 0)] * 2
    fit = fit_bradley_terry(cells_of(rows, first=[1] * 4 + [-1] * 4), position=True)
    assert fit.strength[0] - fit.strength[1] == pytest.approx(np.log(3) / 2, abs=1e-12)
    assert fit.position == pytest.approx(np.log(3) / 2, abs=1e-12)


def test_unknown_order_is_counted():
    rows = [("A", "B", 1), ("A", "B", 0), ("A", "B", 0), ("A", "B", 1), ("A", "B", 1)]
    fit = fit_bradley_terry(cells_of(rows, first=[1, -1, 1, -1, 0]), position=True)
    assert fit.n_unknown_order == 1
    assert fit_bradley_terry(cells_of(rows, first=[0] * 5)).n_unknown_order == 0


@pytest.mark.real
def test_published_scores_of_the_crowd():
    golden = pd.read_csv(LLMFAO / "evalica-golden.csv") if LLMFAO.is_dir() else None
    fit = fit_bradley_terry(llmfao_cells("crowd-comparisons.csv"))
    scores = golden[golden["algorithm"] == "bradley_terry"].set_index("item")["score"]
    expected = np.log(scores.loc[list(fit.models)].to_numpy())
    assert len(fit.models) == 59
    # The published scores are printed with 16 digits.
    assert fit.strength == pytest.approx(expected - expected.mean(), abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_evalica_and_choix_find_the_same_strengths(seed):
    cells = random_cells(np.random.default_rng(seed), n_models=6, n=400)
    fit = fit_bradley_terry(cells)
    names = list(cells.models)
    winners = [{1.0: evalica.Winner.X, 0.0: evalica.Winner.Y, 0.5: evalica.Winner.Draw}[y] for y in cells.score]
    xs, ys = [names[k] for k in cells.i], [names[k] for k in cells.j]
    scores = np.log(evalica.bradley_terry(xs, ys, winners, tolerance=1e-14, limit=10_000).scores.loc[names])
    # evalica iterates until its scores move by less than 1e-14, which leaves about 1e-12 in the logs.
    assert fit.strength == pytest.approx(scores - scores.mean(), abs=1e-10)
    wins = np.zeros((6, 6))
    np.add.at(wins, (cells.i, cells.j), cells.score)
    np.add.at(wins, (cells.j, cells.i), 1 - cells.score)
    theirs = choix.ilsr_pairwise_dense(wins, alpha=0, tol=1e-12)
    assert fit.strength == pytest.approx(theirs - theirs.mean(), abs=1e-9)


@pytest.mark.parametrize("position", [False, True])
def test_statsmodels_finds_the_same_parameters_and_information(position):
    rng = np.random.default_rng(11)
    cells = random_cells(rng, n_models=5, n=500, first=True)
    weight = rng.uniform(0.5, 2, 500)
    cells = Cells(cells.models, cells.i, cells.j, weight, cells.score * weight, cells.count, cells.first)
    fit = fit_bradley_terry(cells, position=position)
    y = cells.score / weight
    model = sm.GLM(y, design(cells, position), family=sm.families.Binomial(), freq_weights=weight)
    theirs = model.fit(tol=1e-14)
    ours = np.append(fit.strength[:-1] - fit.strength[-1], [] if fit.position is None else fit.position)
    assert ours == pytest.approx(theirs.params, abs=1e-9)
    # The same contrasts (each model against the last) of our inverse information.
    contrast = np.delete(np.eye(len(fit.parameters)), 4, axis=0)
    contrast[:4, 4] = -1
    assert contrast @ fit.bread @ contrast.T == pytest.approx(theirs.cov_params(), rel=1e-7)


@given(st.integers(0, 10_000))
def test_symmetries(seed):
    rng = np.random.default_rng(seed)
    cells = random_cells(rng, n_models=4, n=80)
    fit = fit_bradley_terry(cells)
    assert fit.strength.mean() == pytest.approx(0, abs=1e-12)
    # Exchanging a and b in every row.
    assert fit_bradley_terry(swapped(cells)).strength == pytest.approx(fit.strength, abs=1e-10)
    # Every verdict turned round.
    against = Cells(cells.models, cells.i, cells.j, cells.weight, cells.weight - cells.score, cells.count)
    assert fit_bradley_terry(against).strength == pytest.approx(-fit.strength, abs=1e-10)
    # The data twice, as rows or as weights: same strengths, half the variance.
    double = Cells(cells.models, cells.i, cells.j, 2 * cells.weight, 2 * cells.score, 2 * cells.count)
    twice = fit_bradley_terry(double)
    assert twice.strength == pytest.approx(fit.strength, abs=1e-10)
    assert twice.bread == pytest.approx(fit.bread / 2, rel=1e-6)
    # The order of the rows and the names of the models.
    order = rng.permutation(len(cells.i))
    parts = (column[order] for column in (cells.i, cells.j, cells.weight, cells.score, cells.count))
    assert fit_bradley_terry(Cells(cells.models, *parts)).strength == pytest.approx(fit.strength, abs=1e-10)


@given(st.integers(0, 10_000))
def test_the_score_equations_hold(seed):
    cells = random_cells(np.random.default_rng(seed), n_models=4, n=60, first=True)
    fit = fit_bradley_terry(cells, position=True)
    cells = cells.among(fit.models)  # chance can leave a model out
    d = fit.strength[cells.i] - fit.strength[cells.j] + fit.position * cells.first
    residual = cells.score - 1 / (1 + np.exp(-d))
    won = np.bincount(cells.i, residual, len(fit.models)) - np.bincount(cells.j, residual, len(fit.models))
    assert won == pytest.approx(np.zeros(len(fit.models)), abs=1e-7)
    assert residual @ cells.first == pytest.approx(0, abs=1e-7)


def test_planted_strengths_are_recovered():
    truth = np.array([1.0, 0.2, -0.4, -0.8])
    n = 200_000
    cells = random_cells(np.random.default_rng(5), n_models=4, n=n, strength=truth, first=True)
    decided = cells.score != 0.5
    columns = (column[decided] for column in (cells.i, cells.j, cells.weight, cells.score, cells.count, cells.first))
    fit = fit_bradley_terry(Cells(cells.models, *columns), position=True)
    # Four standard errors of a strength at this size.
    assert fit.strength == pytest.approx(truth, abs=4 * np.sqrt(fit.bread[0, 0]))
    assert fit.position == pytest.approx(0.3, abs=4 * np.sqrt(fit.bread[4, 4]))


def test_a_pair_of_a_hundred_million_to_one():
    counts = (np.array([0]), np.array([1]), np.array([1e8 + 1]), np.array([1e8]), np.array([10**8 + 1]))
    fit = fit_bradley_terry(Cells(("A", "B"), *counts))
    assert fit.strength[0] - fit.strength[1] == pytest.approx(np.log(1e8), rel=1e-9)
    # Beside it an ordinary pair, whose strengths it must not disturb.
    i, j = np.array([0, 1]), np.array([1, 2])
    weight, score = np.array([1e8 + 1, 4.0]), np.array([1e8, 3.0])
    fit = fit_bradley_terry(Cells(("A", "B", "C"), i, j, weight, score, weight.astype(int)))
    assert fit.strength[1] - fit.strength[2] == pytest.approx(np.log(3), rel=1e-9)
    assert fit.strength[0] - fit.strength[1] == pytest.approx(np.log(1e8), rel=1e-9)


def test_a_long_chain_of_lopsided_pairs():
    # Neighbours differ by log(99): the ends by 40 times that, where sigmoid is 1 to every digit.
    k = np.arange(40)
    hundred = np.full(40, 100)
    names = tuple(f"m{n:02}" for n in range(41))
    fit = fit_bradley_terry(Cells(names, k, k + 1, hundred * 1.0, hundred - 1.0, hundred))
    assert -np.diff(fit.strength) == pytest.approx(np.full(40, np.log(99)), rel=1e-9)


@pytest.mark.slow
def test_five_thousand_models():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=5000)
    cells = random_cells(rng, n_models=5000, n=200_000, strength=truth)
    fit = fit_bradley_terry(cells)
    assert len(fit.models) + len(fit.left_out) == 5000
    kept = [int(name[1:]) for name in fit.models]
    assert np.corrcoef(fit.strength, truth[kept])[0, 1] > 0.95


def test_preferences_that_leave_hardly_a_doubt():
    rows = [("A", "B", 1 - 1e-9), ("B", "C", 0.75)]
    fit = fit_bradley_terry(cells_of(rows))
    assert fit.strength[0] - fit.strength[1] == pytest.approx(np.log(1e9), rel=1e-6)
    assert fit.strength[1] - fit.strength[2] == pytest.approx(np.log(3), rel=1e-6)


def test_left_out_models_leave_the_others_as_they_are():
    circle = [("A", "B", 1), ("B", "C", 1), ("C", "A", 1), ("A", "C", 1)]
    alone = fit_bradley_terry(cells_of(circle))
    fit = fit_bradley_terry(cells_of([*circle, ("A", "Z", 1), ("X", "A", 1)]))
    assert fit.models == alone.models
    assert fit.strength == pytest.approx(alone.strength, abs=1e-12)
    assert fit.n_judgments == 4
    assert [(left.model, left.place) for left in fit.left_out] == [("X", "above"), ("Z", "below")]


def test_one_judgment_is_refused():
    with pytest.raises(NotIdentifiedError, match="from 1 judgment"):
        fit_bradley_terry(cells_of([("A", "B", 1)]))


@pytest.mark.parametrize(
    ("first", "match"),
    [(None, "no judgment here records"), ([0, 0], "no judgment here records"), ([1, 1], "without limit")],
)
def test_a_position_that_cannot_be_known_is_refused(first, match):
    with pytest.raises(NotIdentifiedError, match=match):
        fit_bradley_terry(cells_of([("A", "B", 1), ("A", "B", 0)], first=first), position=True)


def test_an_unfinished_fit_is_no_fit(monkeypatch):
    monkeypatch.setattr(bradley_terry, "MAX_STEPS", 1)
    with pytest.raises(ConvergenceError, match="within 1 steps"):
        fit_bradley_terry(random_cells(np.random.default_rng(0)))


def test_separated_counts_without_ridge_do_not_converge():
    counts = fold_to_pairs(cells_of([("A", "B", 1)]))
    with pytest.raises(ConvergenceError):
        bradley_terry.newton(counts, np.zeros(2))
    ridged = bradley_terry.newton(counts, np.zeros(2), ridge=0.5)
    half = ridged.parameters[0]
    # Score equation with the penalty: 1 - sigmoid(2 t) = .5 t.
    assert 1 / (1 + np.exp(2 * half)) == pytest.approx(0.5 * half, abs=1e-9)
