"""Does one scale fit? Worked circles, parity with direct sums and refits, levels of the tests, and what is refused."""

import itertools

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import binom, chi2
from toy import cells_of, llmfao_cells, random_cells, swapped

from analysis.bradley_terry import fit_bradley_terry
from analysis.cells import Cells, fold_to_pairs
from analysis.cycles import Hodge, cyclic, directions, find_spread, find_triples, share_drawer
from analysis.fit_check import check_fit
from analysis.pair_residuals import expect, gather_entries, give_back, pair_variance
from analysis.sandwich import strength_covariance
from analysis.vcov import Clustering, choose_clustering
from benchmarks.coverage_fit import Setting, draw_cells
from errors import NotIdentifiedError

PROMPT = Clustering("prompt")


def check(cells, clustering=PROMPT, seed=0, **more):
    return check_fit(cells, clustering, np.random.default_rng(seed), **more)


def circle(n: int) -> Cells:
    """A beats B beats C beats A, n times each under n prompts."""
    rows = [("A", "B", 1), ("B", "C", 1), ("C", "A", 1)] * n
    return cells_of(rows, prompt=np.repeat(np.arange(n), 3))


# -- by hand ---------------------------------------------------------------------------------------------------------


def test_a_pure_circle_is_all_misfit():
    found = check(circle(8))
    row = found.row()
    # Equal strengths expect 4 of 8 for each pair: (8 - 4)^2 / (8 / 4) = 8, three times.
    assert (row["statistic"], row["df"]) == (pytest.approx(24), 1)
    assert row["p_naive"] == pytest.approx(chi2.sf(24, 1))
    # All 8 prompts agree: only two of 2^8 ways of turning them reach the observed sum.
    assert row["p"] < 0.03
    assert (row["triples"], row["cyclic"], row["hodge"]) == (1, 1.0, pytest.approx(1.0))
    # A coin's circle comes in 2 of 8 cases.
    assert row["cyclic_expected"] == pytest.approx(0.25, abs=0.08)
    # Observed 1 against expected .5, and chance takes 1 / 8 of the square: residuals (1/2)^2 in each prompt.
    assert row["departure"] == pytest.approx(np.sqrt(0.25 * (1 - 1 / 8)), abs=0.03)
    worst = found.circle_table().iloc[0]
    assert worst[["model_1", "model_2", "model_3"]].tolist() == ["A", "B", "C"]
    assert worst[["share_12", "share_23", "share_31", "judgments"]].tolist() == [1, 1, 1, 8]


def test_a_circle_the_other_way_round_reads_the_other_way_round():
    back = check(cells_of([("B", "A", 1), ("C", "B", 1), ("A", "C", 1)] * 8, prompt=np.repeat(np.arange(8), 3)))
    assert back.circle_table().iloc[0][["model_1", "model_2", "model_3"]].tolist() == ["A", "C", "B"]


def test_a_tie_is_half_a_circle():
    # A beats B, B beats C, A and C tie; A and B beat D, D beats C.
    rows = [("A", "B", 1), ("B", "C", 1), ("A", "C", 0.5), ("A", "D", 1), ("B", "D", 1), ("D", "C", 1), ("D", "A", 0.5)]
    cells = cells_of(rows)
    counts = fold_to_pairs(cells)
    triples = find_triples(counts, np.random.default_rng(0))
    way = directions(counts.score / counts.weight)
    # ABC and ACD: half each (A > B > C = A, A > D > C = A). ABD: A before both. BCD: B before both.
    assert (len(triples.ij), float(cyclic(triples, way))) == (4, 1.0)


# -- parity ----------------------------------------------------------------------------------------------------------


def test_the_statistic_is_the_glms():
    cells = random_cells(np.random.default_rng(1), n_models=6, n=900)
    counts = fit_bradley_terry(cells).counts
    x = np.zeros((len(counts.a), 6))
    x[np.arange(len(x)), counts.a], x[np.arange(len(x)), counts.b] = 1, -1
    wins = np.column_stack([counts.score, counts.weight - counts.score])
    glm = sm.GLM(wins, x[:, 1:], family=sm.families.Binomial()).fit(tol=1e-12)
    row = check(cells).row()
    assert row["statistic"] == pytest.approx(glm.pearson_chi2, rel=1e-8)
    assert row["df"] == glm.df_resid
    assert row["p_naive"] == pytest.approx(chi2.sf(glm.pearson_chi2, glm.df_resid), rel=1e-8)


@pytest.mark.parametrize("seed", range(6))
def test_circles_are_those_of_a_loop(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(3, 9))
    cells = random_cells(rng, n_models=n, n=int(rng.integers(n, 40)))
    counts = fold_to_pairs(cells)
    a = np.full((n, n), np.nan)
    sign = (np.sign(counts.score / counts.weight - 0.5) + 1) / 2
    a[counts.a, counts.b], a[counts.b, counts.a] = sign, 1 - sign
    met = [t for t in itertools.combinations(range(n), 3) if not np.isnan([a[t[0], t[1]], a[t[1], t[2]], a[t[0], t[2]]]).any()]
    wanted = sum(a[i, j] * a[j, k] * a[k, i] + a[j, i] * a[k, j] * a[i, k] for i, j, k in met)
    triples = find_triples(counts, rng)
    assert triples.total == len(triples.ij) == len(met)
    assert float(cyclic(triples, directions(counts.score / counts.weight))) == pytest.approx(wanted)


def test_too_many_triples_are_sampled_evenly(monkeypatch):
    cells = random_cells(np.random.default_rng(5), n_models=40, n=700)
    counts = fold_to_pairs(cells)
    way = directions(counts.score / counts.weight)
    whole = find_triples(counts, np.random.default_rng(0))
    share = float(cyclic(whole, way)) / whole.total
    monkeypatch.setattr("analysis.cycles.MOST_WEDGES", 3_000)
    some = [find_triples(counts, np.random.default_rng(seed)) for seed in range(200)]
    assert all(one.sampled and (one.ij != one.ik).all() for one in some)
    # 200 samples of some 300 triples each: both means are known to about half a percent.
    assert np.mean([one.total for one in some]) == pytest.approx(whole.total, rel=0.03)
    assert np.mean([float(cyclic(one, way)) / len(one.ij) for one in some]) == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_the_hodge_residual_is_that_of_weighted_least_squares(seed):
    cells = random_cells(np.random.default_rng(seed), n_models=7, n=400)
    counts = fold_to_pairs(cells)
    s = np.log((counts.score + 0.5) / (counts.weight - counts.score + 0.5))
    x = np.zeros((len(counts.a), 7))
    x[np.arange(len(x)), counts.a], x[np.arange(len(x)), counts.b] = 1, -1
    root = np.sqrt(counts.weight)
    rest = root * s - root[:, None] * x @ np.linalg.lstsq(root[:, None] * x, root * s)[0]
    assert float(Hodge.of(counts).residual(counts.score / counts.weight)) == pytest.approx(rest @ rest / (counts.weight @ s**2))


def test_a_pairs_own_variance_is_its_jackknife():
    cells = random_cells(np.random.default_rng(3), n_models=4, n_prompts=12, n=700)
    fit, n = fit_bradley_terry(cells), 12
    expected = expect(fit)
    entries = gather_entries(fit, cells, "prompt", expected)
    term = strength_covariance([fit], [cells], PROMPT).terms[0]
    found = pair_variance(fit, entries, expected, term, np.zeros(6))

    def departure(rest: Cells) -> np.ndarray:
        again = fit_bradley_terry(rest)
        return again.counts.score / again.counts.weight - expect(again).share

    def without(prompt: int) -> Cells:
        keep = cells.clusters["prompt"] != prompt
        return Cells(cells.models, *(c[keep] for c in (cells.i, cells.j, cells.weight, cells.score, cells.count)))

    away = np.array([departure(without(prompt)) for prompt in range(n)]) - departure(cells)
    assert (found.clusters == n).all()
    # Exact but for the curve of the expected share over one prompt's worth of strength.
    assert found.own == pytest.approx((n - 1) / n * (away**2).sum(axis=0), rel=0.02)


def test_turning_all_signs_by_hand_gives_the_same_p():
    cells = random_cells(np.random.default_rng(8), n_models=4, n_prompts=8, n=160)
    fit = fit_bradley_terry(cells)
    expected = expect(fit)
    entries = gather_entries(fit, cells, "prompt", expected)
    table = entries.table(give_back(fit, entries, expected), 6).toarray()
    x = np.zeros((6, 4))
    x[np.arange(6), fit.counts.a], x[np.arange(6), fit.counts.b] = 1, -1
    w = expected.curvature
    follow = np.eye(6) - w[:, None] * x @ fit.bread @ x.T
    signs = np.array(list(itertools.product([-1, 1], repeat=8)))
    drawn = (((signs @ table) @ follow.T) ** 2 / w).sum(axis=1)
    wanted = (drawn >= (expected.residual**2 / w).sum() * (1 - 1e-9)).mean()
    # 2,999 draws know a share to within 3 * sqrt(.25 / 2999) = .027.
    assert check(cells, sign_draws=2999, data_draws=9).p == pytest.approx(wanted, abs=0.03)


def test_shares_are_drawn_with_the_variance_that_was_found():
    rng = np.random.default_rng(0)
    cells = draw_cells(Setting("", 12, 1500, 2, 4, prompt_sd=0.0, pair_sd=1.0), rng, 0.0)
    fit = fit_bradley_terry(cells)
    expected = expect(fit)
    entries = gather_entries(fit, cells, "prompt", expected)
    spread = find_spread(entries, expected, 11)
    assert spread.level == pytest.approx(1, abs=0.15)
    # Log-odds of sd 1 shared by four votes: their shares correlate by about .16 (integrated numerically: .157).
    assert spread.together == pytest.approx(0.157, abs=0.04)
    p = np.tile(expected.share, (4000, 1))
    drawn = share_drawer(fit.counts, entries, spread)(rng, p)
    unit = expected.share * (1 - expected.share)
    n = entries.count
    wanted = unit * np.bincount(entries.row, n**2 * (spread.level + (n - 1) * spread.together) / n) / fit.counts.weight**2
    assert drawn.mean(axis=0) == pytest.approx(expected.share, abs=0.01)
    assert drawn.var(axis=0) == pytest.approx(wanted, rel=0.15)


# -- properties ------------------------------------------------------------------------------------------------------


def test_exchanging_the_sides_changes_nothing():
    cells = random_cells(np.random.default_rng(4), n_models=6)
    one, other = check(cells, data_draws=50), check(swapped(cells), data_draws=50)
    numbers = [k for k, v in one.row().items() if k != "clustering"]
    assert [other.row()[k] for k in numbers] == pytest.approx([one.row()[k] for k in numbers], rel=1e-9)
    columns = ["observed", "expected", "residual", "p", "q", "pearson"]
    assert other.pair_table()["model_1"].tolist() == one.pair_table()["model_1"].tolist()
    assert other.pair_table()[columns].to_numpy(float) == pytest.approx(one.pair_table()[columns].to_numpy(float), rel=1e-7)


def test_every_judgment_twice_in_its_prompt_changes_no_test():
    rng = np.random.default_rng(6)
    cells = random_cells(rng, n_models=5, n=500)
    twice = Cells(cells.models, cells.i, cells.j, 2 * cells.weight, 2 * cells.score, 2 * cells.count, None, cells.clusters)
    one, other = check(cells, data_draws=9), check(twice, data_draws=9)
    assert other.p == one.p
    assert other.p_naive < one.p_naive
    # A pair's own variance does not notice; what is usual is known a little better.
    assert other.pairs.z == pytest.approx(one.pairs.z, rel=0.1)


def test_pairs_read_in_the_direction_of_the_surprise():
    table = check(random_cells(np.random.default_rng(2), n_models=7)).pair_table()
    assert (table["observed"] >= table["expected"]).all()
    assert table["p"].is_monotonic_increasing
    assert (table["q"] >= table["p"]).all()


# -- recovery --------------------------------------------------------------------------------------------------------

WORLDS = (Setting("200 prompts", 8, 200, 10, 4, pair_sd=1.0), Setting("13 prompts", 8, 13, 60, 4, pair_sd=1.0))


@pytest.mark.slow
@pytest.mark.every(2, "setting")
@pytest.mark.parametrize("setting", WORLDS, ids=lambda one: one.name)
def test_a_true_scale_is_rejected_as_often_as_promised_and_a_false_one_is_found(setting):
    rejected, naive, found = 0, 0, 0
    for seed in range(100):
        rng = np.random.default_rng((5, seed))
        true = check_fit(draw_cells(setting, rng, 0.0), PROMPT, rng, sign_draws=199, data_draws=9)
        rejected += true.p <= 0.05
        naive += true.p_naive <= 0.05
        found += check_fit(draw_cells(setting, rng, 0.4), PROMPT, rng, sign_draws=199, data_draws=9).p <= 0.05
    assert rejected <= binom.ppf(0.999, 100, 0.05)
    assert naive > 40
    assert found > 80


def test_the_worst_pair_is_the_planted_one():
    rng = np.random.default_rng(0)
    cells = random_cells(rng, n_models=8, n_prompts=100, n=4000, strength=np.zeros(8))
    odd = np.flatnonzero((np.minimum(cells.i, cells.j) == 2) & (np.maximum(cells.i, cells.j) == 5))
    score = cells.score.copy()
    score[odd] = np.where(cells.i[odd] == 5, 1.0, 0.0)
    found = check(Cells(cells.models, cells.i, cells.j, cells.weight, score, cells.count, None, cells.clusters))
    worst = found.pair_table().iloc[0]
    assert worst[["model_1", "model_2", "observed"]].tolist() == ["m05", "m02", 1.0]
    assert worst["q"] < 1e-6
    assert found.p == 0.001


# -- refusals and extremes -------------------------------------------------------------------------------------------


def test_a_tree_and_a_single_pair_cannot_miss():
    chain = [("A", "B", 1), ("B", "A", 1), ("B", "C", 1), ("C", "B", 1)]
    with pytest.raises(NotIdentifiedError, match=r"2 pairs of models that met form a tree.*close a circle"):
        check(cells_of(chain, prompt=[0, 1, 2, 3]))
    with pytest.raises(NotIdentifiedError, match="the only pair of models fits any scale"):
        check(cells_of(chain[:2], prompt=[0, 1]))
    with pytest.raises(NotIdentifiedError, match="no strengths"):
        check(cells_of(chain[:1], prompt=[0]))


def test_five_clusters_allow_no_test():
    found = check(random_cells(np.random.default_rng(0), n_prompts=5))
    row = found.row()
    assert (row["p"], row["departure"]) == (None, None)
    assert row["p_naive"] > 0
    assert any("fewer than 6 prompts cannot show" in text for text in found.warnings)


def test_a_single_cluster_is_no_crash():
    found = check(random_cells(np.random.default_rng(0), n_prompts=1))
    assert found.p is None
    assert found.pair_table()["p"].isna().all()


def test_without_clusters_the_naive_test_stands_and_says_so():
    found = check(random_cells(np.random.default_rng(0)), Clustering("none"))
    assert found.p == found.p_naive
    assert found.pair_table()["p"].notna().all()
    assert "all judgments as independent" in found.warnings[0]


def test_two_ways_of_clustering_are_more_cautious_than_one():
    cells = random_cells(np.random.default_rng(11), n_models=5, n=900)
    both = check(cells, Clustering("prompt+annotator"))
    assert both.p > check(cells).p
    assert (np.abs(both.pairs.z) < np.abs(check(cells).pairs.z)).mean() > 0.9
    assert any("this test is cautious" in text for text in both.warnings)


def test_all_ties_fit():
    rows = [(a, b, 0.5) for a, b in itertools.combinations("ABCD", 2)] * 10
    row = check(cells_of(rows, prompt=np.arange(60))).row()
    # Each tied pair goes either way by halves, so that a quarter of the triples counts.
    assert (row["statistic"], row["p"], row["hodge"], row["cyclic"]) == (pytest.approx(0), 1.0, 0.0, 0.25)


@pytest.mark.parametrize("weight", [1e-3, 1e8])
def test_one_sided_pairs_and_weights_of_any_size(weight):
    rows = [("A", "B", 1)] * 30 + [("B", "A", 1), ("B", "C", 1), ("C", "B", 1), ("C", "A", 1), ("A", "C", 1), ("A", "C", 1)]
    w = np.ones(len(rows))
    w[:30] = weight
    found = check(cells_of(rows, weight=w, prompt=np.arange(len(rows)) % 12))
    row = found.row()
    assert np.isfinite([row["statistic"], row["p"], row["hodge"], row["cyclic_expected"]]).all()
    assert np.isfinite(found.pair_table()[["observed", "expected"]].to_numpy(float)).all()


def test_preferences_of_a_soft_judge_vary_less_than_a_coin():
    rng = np.random.default_rng(0)
    cells = random_cells(rng, n_models=6, n=800)
    soft = Cells(cells.models, cells.i, cells.j, cells.weight, 0.4 + 0.2 * cells.score, cells.count, None, cells.clusters)
    found = check(soft)
    # A fifth of the way from .5: at most a 25th of a coin's variance.
    assert 0.02 < found.circles.spread.level < 0.04
    # The naive test takes so little variance for a perfect fit; clusters show how much there is.
    assert found.p_naive > 0.999
    assert found.p < 0.5


def test_many_models_are_tested_as_a_whole_only(monkeypatch):
    monkeypatch.setattr("analysis.fit_check.MANY_MODELS", 10)
    found = check(random_cells(np.random.default_rng(0), n_models=12, n=900))
    row = found.row()
    assert 0 < row["p"] <= 1
    assert (row["cyclic_p"], row["hodge_expected"]) == (None, None)
    assert row["cyclic"] > 0
    assert found.pair_table()["p"].isna().all()
    assert found.pair_table()["pearson"].is_monotonic_decreasing
    assert any("only the whole is" in text for text in found.warnings)


@pytest.mark.real
@pytest.mark.parametrize("file", ["crowd-comparisons.csv", "gpt4-crowd-comparisons.csv"])
def test_the_published_judgments_are_answered(file):
    found = check(llmfao_cells(file), choose_clustering("auto", 13))
    row = found.row()
    assert (row["models"], row["pairs"], row["df"], row["clusters"]) == (59, 927, 927 - 58, 13)
    assert 0 < row["p"] < 1
    assert any("most pairs of models were judged under a single prompt" in text for text in found.warnings)
