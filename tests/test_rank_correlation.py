"""Rank correlations: against scipy, the published judgments, the bootstrap by its definition."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from toy import cells_of, llmfao_cells, random_cells

from analysis.bradley_terry import fit_bradley_terry, newton
from analysis.cells import PairCounts
from analysis.rank_correlation import Bootstrapped, correlate_ranks, kendall, ranks_of, spearman
from analysis.vcov import Clustering
from errors import NotIdentifiedError, OptionError


def two_judges(seed=0, **options):
    rng = np.random.default_rng(seed)
    cells = [random_cells(rng, **options) for _ in range(2)]
    return [fit_bradley_terry(one) for one in cells], cells


def test_by_hand():
    x, y = np.array([1.0, 2, 3, 4]), np.array([1.0, 3, 2, 4])
    assert spearman(x, y) == pytest.approx(1 - 6 * 2 / (4 * 15))
    assert kendall(x, y) == pytest.approx(4 / 6)
    assert ranks_of(np.array([5.0, 1, 5, 0])).tolist() == [3.5, 2, 3.5, 1]


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=12))
def test_scipy_finds_the_same_with_ties(values):
    x, y = (np.array(column, dtype=float) for column in zip(*values, strict=True))
    assert ranks_of(x).tolist() == stats.rankdata(x).tolist()
    if len(set(x)) == 1 or len(set(y)) == 1:
        assert np.isnan(spearman(x, y))
        assert np.isnan(kendall(x, y))
        return
    assert spearman(x, y) == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    assert kendall(x, y) == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-12)
    rows = spearman(np.array([x, y]), np.array([y, y]))
    assert rows == pytest.approx([float(spearman(x, y)), 1])
    assert kendall(np.array([x, y]), np.array([y, y])) == pytest.approx([float(kendall(x, y)), 1])


def test_replicates_are_refits_of_redrawn_prompts():
    fits, cells = two_judges(n=200, n_prompts=20)
    found = correlate_ranks(fits, cells, Clustering("prompt"), np.random.default_rng(9), replicates=5)
    codes = [one.clusters["prompt"] for one in cells]
    known = np.unique(np.concatenate(codes))
    # Five replicates are one block, which has a seed of its own.
    block = np.random.Generator(np.random.SFC64(int(np.random.default_rng(9).integers(0, 2**63, 1)[0])))
    drawn = block.multinomial(len(known), np.full(len(known), 1 / len(known)), size=5)
    for k in range(5):
        strengths = []
        for fit, one, code in zip(fits, cells, codes, strict=True):
            times = drawn[k][np.searchsorted(known, code)].astype(float)
            n_models = len(fit.models)
            low, high = np.minimum(one.i, one.j), np.maximum(one.i, one.j)
            y = np.where(one.i < one.j, one.score, 1 - one.score)
            counts = PairCounts(n_models, low, high, None, times, times * y, one.count)
            strengths.append(newton(counts, np.zeros(n_models), ridge=0.01).parameters)
        assert found.spearman.replicates[k] == pytest.approx(stats.spearmanr(*strengths).statistic, abs=1e-9)
        assert found.kendall.replicates[k] == pytest.approx(stats.kendalltau(*strengths).statistic, abs=1e-9)


def test_bias_corrected_interval_by_definition():
    rng = np.random.default_rng(0)
    replicates = rng.normal(size=500)
    value = 0.3
    z0 = stats.norm.ppf((replicates < value).mean())
    ends = stats.norm.cdf([2 * z0 - 1.959964, 2 * z0 + 1.959964])
    found = Bootstrapped(value, replicates).interval(corrected=True)
    assert [found.lower, found.upper] == pytest.approx(np.quantile(replicates, ends), abs=1e-4)
    plain = Bootstrapped(value, replicates).interval()
    assert [plain.lower, plain.upper] == pytest.approx(np.quantile(replicates, [0.025, 0.975]))
    # Median-unbiased replicates: both are the same.
    for corrected in (False, True):
        even = Bootstrapped(0.0, np.linspace(-1, 1, 401)).interval(0.9, corrected=corrected)
        assert [even.lower, even.upper] == pytest.approx([-0.9, 0.9], abs=1e-9)


def test_what_has_no_interval():
    found = Bootstrapped(None, np.array([0.1])).interval()
    assert (found.value, found.lower, found.upper) == (None, None, None)
    found = Bootstrapped(0.5, np.empty(0)).interval()
    assert (found.value, found.lower, found.upper) == (0.5, None, None)
    found = Bootstrapped(0.9, np.full(10, 0.2)).interval(corrected=True)
    assert (found.lower, found.upper) == (0.2, 0.2)
    with pytest.raises(OptionError, match="not between 0 and 1"):
        Bootstrapped(0.5, np.zeros(2)).interval(95)


def test_models_beyond_the_fits_are_left_aside():
    _, cells = two_judges(n=300, n_prompts=100)
    few = [fit_bradley_terry(one.among(one.models[:3])) for one in cells]
    found = correlate_ranks(few, cells, Clustering("prompt"), np.random.default_rng(1), replicates=20)
    assert len(found.kendall.replicates) == 20


def test_few_clusters_are_warned_about():
    fits, cells = two_judges(n_prompts=40)
    many = correlate_ranks(fits, cells, Clustering("prompt"), np.random.default_rng(0), replicates=10)
    assert (many.warnings, many.n_clusters, many.clusters, many.penalty) == ((), 40, "prompt", 0.01)
    for n_prompts, words in ((20, "rough guide only"), (5, "cannot be trusted")):
        fits, cells = two_judges(n_prompts=n_prompts)
        found = correlate_ranks(fits, cells, Clustering("prompt"), np.random.default_rng(0), replicates=10)
        assert words in found.warnings[0]


def test_separated_replicates_are_counted():
    rows = [("A", "B", 1), ("B", "C", 1), ("C", "A", 1), ("A", "C", 0.5), ("A", "B", 0.5), ("B", "C", 0.5)]
    cells = cells_of(rows, prompt=range(6))
    fits = [fit_bradley_terry(cells)] * 2
    found = correlate_ranks(fits, [cells, cells], Clustering("prompt"), np.random.default_rng(0), replicates=200)
    assert 0 < found.share_separated < 1
    assert "bootstrap replicates some model only won" in found.warnings[-1]


def test_two_ways_and_none():
    fits, cells = two_judges()
    both = correlate_ranks(fits, cells, Clustering("prompt+annotator"), np.random.default_rng(0), replicates=10)
    assert both.clusters == "prompt"
    assert "draws prompts only" in both.warnings[0]
    none = correlate_ranks(fits, cells, Clustering("none"), np.random.default_rng(0))
    assert none.spearman.interval().lower is None
    assert none.table()["lower"].isna().all()
    assert not none.table()["value"].isna().any()


def test_one_prompt_is_refused():
    fits, cells = two_judges(n_prompts=1)
    with pytest.raises(NotIdentifiedError, match="at least 2 prompts, and there is 1"):
        correlate_ranks(fits, cells, Clustering("prompt"), np.random.default_rng(0))


@pytest.mark.real
@pytest.mark.parametrize(
    ("file", "rho"), [("gpt4-crowd-comparisons.csv", 0.7309), ("gpt3-crowd-comparisons.csv", 0.7156)]
)
def test_published_judgments(file, rho):
    cells = [llmfao_cells(name).without_position() for name in ("crowd-comparisons.csv", file)]
    fits = [fit_bradley_terry(one) for one in cells]
    found = correlate_ranks(fits, cells, Clustering("prompt"), np.random.default_rng(0))
    # The published figures have four digits.
    assert found.spearman.value == pytest.approx(rho, abs=5e-5)
    assert found.n_clusters == 13
    if "gpt4" in file:
        # Published with two digits; the Monte Carlo error of 1,000 draws is about .01.
        interval = found.spearman.interval()
        assert [interval.lower, interval.upper] == pytest.approx([0.56, 0.79], abs=0.02)
