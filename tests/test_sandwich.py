"""Covariances of strengths: against loops written from the definitions, statsmodels, symmetries, refusals."""

import dataclasses

import numpy as np
import pytest
import statsmodels.api as sm
from toy import cells_of, llmfao_cells, random_cells, swapped

from analysis import sandwich as module
from analysis.bradley_terry import fit_bradley_terry
from analysis.cells import Cells
from analysis.sandwich import strength_covariance
from analysis.vcov import Clustering, choose_clustering
from errors import NotIdentifiedError, OptionError


def rows_of(cells, position):
    """(n_cells, k) derivative of every judgment's log-odds by the parameters."""
    x = np.zeros((len(cells.i), len(cells.models) + position))
    for row, (i, j) in enumerate(zip(cells.i, cells.j, strict=True)):
        x[row, i], x[row, j] = 1, -1
        if position:
            x[row, -1] = cells.first[row]
    return x


def fit_by_hand(x, weight, y, ridge=0.0):
    """Newton with a pseudo-inverse from 0; strengths of mean 0 come out by themselves."""
    b = np.zeros(x.shape[1])
    for _ in range(100):
        p = 1 / (1 + np.exp(-x @ b))
        h = (x * (weight * p * (1 - p))[:, None]).T @ x + ridge * np.eye(len(b))
        step = np.linalg.pinv(h, rcond=1e-11) @ (x.T @ (weight * (y - p)) - ridge * b)
        b = b + step
        if np.abs(step).max() < 1e-12:
            return b
    raise AssertionError("the test's own fit did not converge")


def sandwich_by_hand(cells, codes, position):
    """H^-1 (sum over clusters of s s') H^-1 * G/(G-1), one cluster after the other."""
    x, weight = rows_of(cells, position), cells.weight
    y = cells.score / weight
    b = fit_by_hand(x, weight, y)
    p = 1 / (1 + np.exp(-x @ b))
    bread = np.linalg.pinv((x * (weight * p * (1 - p))[:, None]).T @ x, rcond=1e-11)
    meat = np.zeros_like(bread)
    clusters = sorted(set(codes.tolist()))
    for cluster in clusters:
        inside = codes == cluster
        score = x[inside].T @ (weight * (y - p))[inside]
        meat += np.outer(score, score)
    g = len(clusters)
    return bread @ meat @ bread * g / (g - 1)


def jackknife_by_hand(cells, codes, position, separated=()):
    """(G-1)/G * sum over clusters of (b without it - b)(b without it - b)'."""
    x, weight = rows_of(cells, position), cells.weight
    y = cells.score / weight
    b = fit_by_hand(x, weight, y)
    clusters = sorted(set(codes.tolist()))
    total = np.zeros((len(b), len(b)))
    for cluster in clusters:
        rest = codes != cluster
        ridge = 0.01 if cluster in separated else 0.0
        away = fit_by_hand(x[rest], weight[rest], y[rest], ridge) - b
        total += np.outer(away, away)
    return total * (len(clusters) - 1) / len(clusters)


def covariance_of(cells, name, position=False):
    fit = fit_bradley_terry(cells, position=position)
    return strength_covariance([fit], [cells], Clustering(name))


@pytest.mark.parametrize("position", [False, True])
@pytest.mark.parametrize("cluster", ["prompt", "pair", "annotator"])
def test_many_clusters_are_the_sandwich_of_the_definition(cluster, position):
    rng = np.random.default_rng(2)
    cells = random_cells(rng, first=True)
    weight = rng.uniform(0.5, 2, len(cells.i))
    cells = dataclasses.replace(cells, weight=weight, score=cells.score * weight)
    found = covariance_of(cells, cluster, position)
    expected = sandwich_by_hand(cells, cells.clusters[cluster], position)
    assert found.vcov == pytest.approx(expected, rel=1e-8, abs=1e-12)
    assert found.n_clusters == len(set(cells.clusters[cluster].tolist()))
    assert found.quantiles.df is None


@pytest.mark.parametrize("position", [False, True])
def test_few_clusters_are_the_jackknife_of_the_definition(position):
    cells = random_cells(np.random.default_rng(3), n_prompts=12, first=True)
    found = covariance_of(cells, "prompt", position)
    expected = jackknife_by_hand(cells, cells.clusters["prompt"], position)
    # Replicates stop at about 1e-9.
    assert found.vcov == pytest.approx(expected, rel=1e-6, abs=1e-9)
    assert found.quantiles.df == 11
    assert found.share_ridged == 0
    assert "12 prompts (jackknife, CR3), t with 11 degrees of freedom" in found.method


def test_heavy_clusters_are_deleted_exactly():
    rng = np.random.default_rng(9)
    cells = random_cells(rng, n_prompts=80, first=True)
    prompt = np.where(rng.random(600) < 0.2, 200, cells.clusters["prompt"])
    cells = dataclasses.replace(cells, clusters={"prompt": prompt})
    found = covariance_of(cells, "prompt", True)
    # The heavy prompt by deletion, the others by their scores.
    x, y = rows_of(cells, True), cells.score
    b = fit_by_hand(x, cells.weight, y)
    p = 1 / (1 + np.exp(-x @ b))
    bread = np.linalg.pinv((x * (p * (1 - p))[:, None]).T @ x, rcond=1e-11)
    scores = [x[prompt == one].T @ (y - p)[prompt == one] for one in np.unique(prompt) if one != 200]
    rest = prompt != 200
    away = fit_by_hand(x[rest], cells.weight[rest], y[rest]) - b
    g = len(np.unique(prompt))
    light = bread @ sum(np.outer(s, s) for s in scores) @ bread * g / (g - 1)
    assert found.vcov == pytest.approx(light + (g - 1) / g * np.outer(away, away), rel=1e-6, abs=1e-9)
    sizes = np.unique(prompt, return_counts=True)[1]
    assert found.quantiles.df == pytest.approx(600**2 / (sizes**2).sum() - 1)
    assert found.n_clusters == g
    assert "1 with more than 5 % of the judgments by jackknife" in found.method


@pytest.mark.real
@pytest.mark.parametrize("file", ["crowd-comparisons.csv", "gpt4-crowd-comparisons.csv"])
def test_published_judgments_by_pair_and_prompt(file):
    cells = llmfao_cells(file).without_position()
    cells = cells.among(fit_bradley_terry(cells).models)
    by_pair = sandwich_by_hand(cells, cells.clusters["pair"], False)
    assert covariance_of(cells, "pair").vcov == pytest.approx(by_pair, rel=1e-7, abs=1e-11)
    found = covariance_of(cells, "prompt")
    assert found.share_ridged == 0
    by_prompt = jackknife_by_hand(cells, cells.clusters["prompt"], False)
    # Replicates stop at about 1e-9.
    assert found.se == pytest.approx(np.sqrt(np.diag(by_prompt)), rel=1e-6)
    assert (found.n_clusters, found.quantiles.df) == (13, 12)


@pytest.mark.real
def test_published_judgments_by_annotator():
    cells = llmfao_cells("crowd-comparisons.csv").without_position()
    found = covariance_of(cells, "annotator")
    expected = sandwich_by_hand(cells, cells.clusters["annotator"], False)
    assert found.vcov == pytest.approx(expected, rel=1e-7, abs=1e-11)
    assert found.n_clusters == 124


def test_statsmodels_finds_the_same_cluster_covariance():
    cells = random_cells(np.random.default_rng(8))
    found = covariance_of(cells, "prompt")
    x = rows_of(cells, False)[:, :-1]
    codes = cells.clusters["prompt"]
    model = sm.GLM(cells.score, x, family=sm.families.Binomial())
    theirs = model.fit(
        tol=1e-14, cov_type="cluster", cov_kwds={"groups": codes, "use_correction": False, "df_correction": False}
    )
    contrast = np.eye(5)[:4] - np.eye(5)[4]
    g = len(set(codes.tolist()))
    assert contrast @ found.vcov @ contrast.T == pytest.approx(theirs.cov_params() * g / (g - 1), rel=1e-7)


def test_without_clustering_the_covariance_is_the_inverse_information():
    fit = fit_bradley_terry(random_cells(np.random.default_rng(8)))
    found = strength_covariance([fit], [random_cells(np.random.default_rng(8))], choose_clustering("none", 5))
    assert (found.vcov == fit.bread).all()
    assert (found.n_clusters, found.quantiles.df) == (0, None)
    assert "too narrow" in found.warnings[0]


@pytest.mark.parametrize("n_prompts", [60, 12])
def test_two_ways_are_the_signed_sum_of_three(n_prompts):
    cells = random_cells(np.random.default_rng(4), n_prompts=n_prompts)
    found = covariance_of(cells, "prompt+annotator")
    prompt, annotator = cells.clusters["prompt"], cells.clusters["annotator"]
    one = (sandwich_by_hand if n_prompts >= 50 else jackknife_by_hand)(cells, prompt, False)
    two = sandwich_by_hand(cells, annotator, False)
    both = sandwich_by_hand(cells, prompt * 1000 + annotator, False)
    raw = one + two - both
    values, vectors = np.linalg.eigh(raw)
    expected = (vectors * np.maximum(values, 0)) @ vectors.T
    assert found.vcov == pytest.approx(expected, rel=1e-6, abs=1e-8)
    assert found.quantiles.df == min(n_prompts, 55) - 1


def test_floored_eigenvalues_are_said():
    # Two prompts and two annotators, crossed, on one pair; verdicts alternate, so that neither prompts
    # nor annotators differ and only the intersection, which is subtracted, is left.
    prompt, annotator = np.repeat(np.arange(120), 2), np.repeat(np.arange(60) * 2, 4) + np.tile([0, 1], 120)
    i = (prompt // 2) % 3
    y = ((prompt + annotator) % 2).astype(float)
    ones = np.ones(240)
    clusters = {"prompt": prompt, "annotator": annotator}
    cells = Cells(("A", "B", "C"), i, (i + 1) % 3, ones, y, ones.astype(int), None, clusters)
    found = covariance_of(cells, "prompt+annotator")
    assert found.floored
    assert found.vcov == pytest.approx(np.zeros((3, 3)), abs=1e-12)
    assert any("negative eigenvalues, which were set to 0" in warning for warning in found.warnings)


def test_two_judges_share_their_clusters():
    rng = np.random.default_rng(6)
    one = random_cells(rng)
    flip = rng.random(600) < 0.2
    two = dataclasses.replace(one, score=np.where(flip, 1 - one.score, one.score))
    fits = [fit_bradley_terry(one), fit_bradley_terry(two)]
    found = strength_covariance(fits, [one, two], Clustering("prompt")).vcov
    # V = sum over clusters of D D' for the stacked scores, cluster by cluster.
    stacked, breads = [], []
    for fit, cells in zip(fits, (one, two), strict=True):
        x = rows_of(cells, False)
        p = 1 / (1 + np.exp(-x @ fit.strength))
        breads.append(np.linalg.pinv((x * (p * (1 - p))[:, None]).T @ x, rcond=1e-11))
        stacked.append(x * (cells.score - p)[:, None])
    total = np.zeros((10, 10))
    codes = one.clusters["prompt"]
    for cluster in np.unique(codes):
        d = np.concatenate([b @ s[codes == cluster].sum(0) for b, s in zip(breads, stacked, strict=True)])
        total += np.outer(d, d)
    g = len(np.unique(codes))
    assert found == pytest.approx(total * g / (g - 1), rel=1e-8, abs=1e-12)
    assert found[0, 5] > 0  # noise of shared prompts is shared


def test_a_judge_against_itself_has_no_gap_variance():
    for n_prompts in (12, 60):
        cells = random_cells(np.random.default_rng(6), n_prompts=n_prompts)
        fit = fit_bradley_terry(cells)
        found = strength_covariance([fit, fit], [cells, cells], Clustering("prompt"))
        gap = found.of(lambda w: w[..., 5:] - w[..., :5], np.hstack([-np.eye(5), np.eye(5)]))
        assert gap.se == pytest.approx(np.zeros(5), abs=1e-9)


@pytest.mark.parametrize("n_prompts", [12, 80])
def test_what_must_not_matter(n_prompts):
    cells = random_cells(np.random.default_rng(7), n_prompts=n_prompts, first=True)
    se = covariance_of(cells, "prompt", True).se
    assert covariance_of(swapped(cells), "prompt", True).se == pytest.approx(se, rel=1e-7)
    renamed = dataclasses.replace(cells, clusters={"prompt": cells.clusters["prompt"] * 7_000_001 + 3})
    assert covariance_of(renamed, "prompt", True).se == pytest.approx(se, rel=1e-9)
    order = np.argsort(cells.clusters["prompt"], kind="stable")
    columns = (getattr(cells, name)[order] for name in ("i", "j", "weight", "score", "count", "first"))
    by_prompt = Cells(cells.models, *columns, {"prompt": cells.clusters["prompt"][order]})
    assert covariance_of(by_prompt, "prompt", True).se == pytest.approx(se, rel=1e-9)
    # Each prompt's judgments twice, inside the same prompts: nothing new is known about prompts.
    double = dataclasses.replace(cells, weight=2 * cells.weight, score=2 * cells.score, count=2 * cells.count)
    assert covariance_of(double, "prompt", True).se == pytest.approx(se, rel=1e-7)


def test_blocks_do_not_change_the_sum(monkeypatch):
    cells = random_cells(np.random.default_rng(7), first=True)
    whole = covariance_of(cells, "prompt", True).vcov
    monkeypatch.setattr(module, "BLOCK_ENTRIES", 1)
    assert covariance_of(cells, "prompt", True).vcov == pytest.approx(whole, rel=1e-10, abs=1e-14)


def test_separated_replicates_are_ridged_and_counted():
    # Without prompt 0 model B never wins.
    rows = [("A", "B", 0)] * 2 + [("A", "B", 1)] * 6
    cells = cells_of(rows, prompt=[0, 0, 1, 1, 2, 2, 3, 3])
    found = covariance_of(cells, "prompt")
    assert found.share_ridged == pytest.approx(1 / 4)
    assert found.vcov == pytest.approx(
        jackknife_by_hand(cells, cells.clusters["prompt"], False, separated={0}), rel=1e-5
    )
    assert any("in 25 % of cases" in warning for warning in found.warnings)


def test_linear_functions_carry_over_exactly():
    for n_prompts in (12, 60):
        found = covariance_of(random_cells(np.random.default_rng(7), n_prompts=n_prompts), "prompt")
        contrast = np.array([[1.0, -1, 0, 0, 0], [0, 1, 1, -2, 0]])
        carried = found.of(lambda w, c=contrast: w @ c.T, contrast)
        assert carried.vcov == pytest.approx(contrast @ found.vcov @ contrast.T, rel=1e-9, abs=1e-14)
        assert carried.estimate == pytest.approx(contrast @ found.estimate)


def test_one_cluster_is_refused():
    cells = cells_of([("A", "B", 1), ("B", "A", 1)], prompt=[4, 4])
    with pytest.raises(NotIdentifiedError, match="at least 2 prompts, and there is 1"):
        covariance_of(cells, "prompt")
    with pytest.raises(OptionError, match="need the annotator of each judgment"):
        covariance_of(cells, "annotator")


def test_too_many_strengths_are_refused_before_the_memory_goes(monkeypatch):
    cells = random_cells(np.random.default_rng(7))
    fit = fit_bradley_terry(cells)
    monkeypatch.setattr(module, "MOST_PARAMETERS", 9)
    strength_covariance([fit], [cells], Clustering("prompt"))
    with pytest.raises(OptionError, match=r"covariance of 10 strengths would take 0 GB .* fewer models"):
        strength_covariance([fit, fit], [cells, cells], Clustering("prompt"))


def test_nameless_annotators_are_independent():
    cells = random_cells(np.random.default_rng(7))
    nameless = dataclasses.replace(cells, clusters={"annotator": np.full(600, -1)})
    each = dataclasses.replace(cells, clusters={"annotator": np.arange(600)})
    assert covariance_of(nameless, "annotator").se == pytest.approx(covariance_of(each, "annotator").se, rel=1e-9)


def test_few_clusters_of_few_models_each_cost_less_and_say_the_same(monkeypatch):
    rng = np.random.default_rng(4)
    n, k = 1200, 120
    i = rng.integers(0, k, n)
    j = (i + rng.integers(1, k, n)) % k
    # One prompt holds a sixth of all rows, and is deleted exactly.
    prompt = np.where(np.arange(n) < 200, 0, np.arange(n) // 12)
    ones = np.ones(n)
    cells = Cells(tuple(f"m{v:03}" for v in range(k)), i, j, ones, rng.choice([0, 0.5, 1], n), ones.astype(int),
                  clusters={"prompt": prompt})  # fmt: skip
    fit = fit_bradley_terry(cells)
    found = []
    for cost in (1e-9, 1e9):
        monkeypatch.setattr(module, "SPARSE_COST", cost)
        found.append(strength_covariance([fit], [cells], Clustering("prompt")).vcov)
    np.testing.assert_allclose(*found, rtol=1e-12, atol=1e-14)
