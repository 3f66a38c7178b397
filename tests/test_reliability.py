"""Agreement without noise, and the ceiling that people reach among themselves."""

import dataclasses

import numpy as np
import pytest
from scipy import stats
from toy import cells_of, llmfao_cells, random_cells

from analysis.bradley_terry import fit_bradley_terry
from analysis.cells import Cells
from analysis.compare import compare_strengths
from analysis.reliability import Corrected, correct_agreement, split_halves
from analysis.sandwich import influences, strength_covariance
from analysis.vcov import Clustering
from errors import NotIdentifiedError

WAYS = ("prompt", "pair")


def two(seed=0, n=3000, n_prompts=150, n_models=10, strength=None, other=None):
    rng = np.random.default_rng(seed)
    theta = np.linspace(-1, 1, n_models) if strength is None else strength
    cells = [random_cells(rng, n_models, n_prompts, n, strength=one) for one in (theta, theta if other is None else other)]
    return [fit_bradley_terry(one) for one in cells], cells


@pytest.mark.parametrize("n_prompts", [20, 150])
def test_influences_add_up_to_the_covariance(n_prompts):
    fits, cells = two(n_prompts=n_prompts)
    moved = np.vstack(list(influences(fits, cells, "prompt")))
    unit = n_prompts / (n_prompts - 1) if n_prompts >= 50 else (n_prompts - 1) / n_prompts
    expected = strength_covariance(fits, cells, Clustering("prompt")).vcov
    assert unit * moved.T @ moved == pytest.approx(expected, abs=1e-12)


def test_value_by_the_definition():
    fits, cells = two()
    v = strength_covariance(fits, cells, Clustering("prompt")).vcov
    n = len(fits[0].models)
    r, j = fits[0].strength, fits[1].strength
    product = r @ j / n - np.trace(v[:n, n:]) / n
    squares = (r @ r / n - np.trace(v[:n, :n]) / n) * (j @ j / n - np.trace(v[n:, n:]) / n)
    found = correct_agreement(fits, cells, 150, WAYS)
    assert found.value == pytest.approx(product / np.sqrt(squares), abs=1e-10)
    assert found.raw == pytest.approx(np.corrcoef(r, j)[0, 1], abs=1e-12)
    assert found.reliability[0] == pytest.approx(1 - np.trace(v[:n, :n]) / (r @ r))


def test_a_jackknife_by_hand_agrees():
    """Below 50 clusters the estimates without a prompt are exact; the sums of squares lack that prompt's own."""
    fits, cells = two(seed=3, n_prompts=40, other=np.array([-1, -0.5, -1.2, 0, 0.8, 0.1, 0.9, 0.3, 1.4, 0.2]))
    found = correct_agreement(fits, cells, 40, WAYS)
    moved = np.vstack(list(influences(fits, cells, "prompt")))
    n, g = len(fits[0].models), 40
    each = []
    for c in range(g):
        rest = np.delete(moved, c, axis=0) * g / (g - 1)
        v = (g - 2) / (g - 1) * rest.T @ rest
        r, j = fits[0].strength - moved[c, :n], fits[1].strength - moved[c, n:]
        top = r @ j - np.trace(v[:n, n:])
        each.append(top / np.sqrt((r @ r - np.trace(v[:n, :n])) * (j @ j - np.trace(v[n:, n:]))))
    assert found.se == pytest.approx(np.sqrt((g - 1) / g * np.sum((each - np.mean(each)) ** 2)))


def test_few_prompts_are_clustered_by_pair_and_say_so():
    fits, cells = two(seed=1, n_prompts=25)
    found = correct_agreement(fits, cells, 25, WAYS)
    assert found.clusters == "pair"
    assert "these prompts only" in str(found.warning)
    assert correct_agreement(fits, cells, 30, WAYS).warning is None


def test_it_is_refused_where_noise_is_all_there_is():
    fits, cells = two(n=120, n_prompts=60, strength=np.zeros(10))
    found = correct_agreement(fits, cells, 60, WAYS)
    assert found.value is None
    assert "beyond noise" in str(found.why_not)
    assert found.interval().value is None


def test_what_cannot_be_told_from_perfect_is_withheld():
    values = [correct_agreement(*two(seed), 150, WAYS) for seed in range(12)]
    withheld = [one for one in values if one.value is None]
    # The same strengths: about half of the corrected figures lie above 1.
    assert 2 <= len(withheld) <= 10
    assert all("cannot be told from perfect" in str(one.why_not) for one in withheld)


def test_the_interval_ends_at_one_and_uses_t_with_few_clusters():
    found = Corrected(0.9, 0.95, 0.1, (0.9, 0.9), "prompt", 20, None, None).interval()
    assert found.upper == 1.0
    assert found.lower == pytest.approx(0.95 - 2.093024 * 0.1)
    assert Corrected(0.9, 0.5, 0.1, (1, 1), "prompt", 80, None, None).interval().lower == pytest.approx(0.5 - 0.1959964)


@pytest.mark.slow
def test_the_interval_covers_the_correlation_of_exact_strengths():
    rng = np.random.default_rng(7)
    theta = rng.normal(size=15)
    other = 0.8 * theta + 0.6 * rng.normal(size=15)
    # What the judges' ties and noise leave of the planted strengths: the fit of the expected verdicts.
    true = np.corrcoef(expected(theta), expected(other))[0, 1]
    held = []
    for seed in range(100):
        fits, cells = two(seed, n=2500, n_prompts=250, n_models=15, strength=theta, other=other)
        end = correct_agreement(fits, cells, 250, WAYS).interval()
        if end.value is not None:
            held.append(end.lower <= true <= end.upper)
    assert len(held) >= 90
    # 95 % of 100 runs, less three standard errors.
    assert np.mean(held) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / 100)


def expected(strength):
    one, two_ = np.triu_indices(len(strength), 1)
    p = 0.05 + 0.9 / (1 + np.exp(-(strength[one] - strength[two_])))
    return fit_bradley_terry(cells_of([(f"m{i:02}", f"m{j:02}", y) for i, j, y in zip(one, two_, p, strict=True)])).strength


def test_split_halves_agree_with_refits_and_step_up():
    fits, cells = two(n=4000, n_prompts=60)
    found = split_halves(fits[0], cells[0], "prompt", np.random.default_rng(0), splits=100)
    assert (found.way, found.n_clusters, len(found.halves)) == ("prompt", 60, 100)
    assert found.stepped == pytest.approx(2 * found.halves / (1 + found.halves))
    # One split made by hand.
    rng = np.random.default_rng(0)
    half = np.zeros((60, 100), dtype=np.int16)
    half[:30] = 1
    half = rng.permuted(half, axis=0)[:, 0].astype(bool)
    code = np.unique(cells[0].clusters["prompt"], return_inverse=True)[1]
    one, other = (fit_bradley_terry(_some(cells[0], half[code] == side)) for side in (True, False))
    # .02: a ridge of .01 and refits to a thousandth of a standard error.
    assert found.halves[0] == pytest.approx(np.corrcoef(one.strength, other.strength)[0, 1], abs=0.02)


def _some(cells, keep):
    from dataclasses import replace

    return replace(cells, i=cells.i[keep], j=cells.j[keep], weight=cells.weight[keep], score=cells.score[keep],
                   count=cells.count[keep], clusters={k: v[keep] for k, v in cells.clusters.items()})  # fmt: skip


def test_halves_that_disagree_are_stepped_up_to_no_less_than_a_correlation_can_be():
    rows = [("x", "y", y) for y in (1.0, 0.0) * 6]
    cells = cells_of(rows, prompt=range(12))
    found = split_halves(fit_bradley_terry(cells), cells, "prompt", np.random.default_rng(0), splits=50)
    assert found.halves.min() == pytest.approx(-1)
    assert found.stepped.min() == -1
    ties = cells_of([("x", "y", 0.5)] * 6, prompt=range(6))
    with pytest.raises(NotIdentifiedError, match="no split of the prompts"):
        split_halves(fit_bradley_terry(ties), ties, "prompt", np.random.default_rng(0))


def test_too_few_to_split():
    rows = [("a", "b", 1.0), ("b", "a", 1.0), ("a", "b", 0.5)]
    cells = cells_of(rows, prompt=[0, 1, 2])
    with pytest.raises(NotIdentifiedError, match="3 prompts cannot be split"):
        split_halves(fit_bradley_terry(cells), cells, "prompt", np.random.default_rng(0))


@pytest.mark.real
def test_published_judgments_give_the_figures_known_for_them():
    """Pearson with GPT-4 and GPT-3: .654 and .745 raw; .70 and .87 with pair clusters."""
    crowd = llmfao_cells("crowd-comparisons.csv")
    for name, raw, corrected in (("gpt4", 0.654, 0.70), ("gpt3", 0.745, 0.87)):
        judge = llmfao_cells(f"{name}-crowd-comparisons.csv")
        compared = compare_strengths(crowd, judge, Clustering("prompt"), np.random.default_rng(0), replicates=0)
        fits = [compared.reference, compared.judge]
        cells = [crowd.among(fits[0].models), judge.among(fits[0].models)]
        found = correct_agreement(fits, cells, 13, WAYS)
        assert found.clusters == "pair"
        assert found.raw == pytest.approx(raw, abs=0.001)
        assert found.value == pytest.approx(corrected, abs=0.006)


def test_a_prompt_with_much_of_the_weight_is_left_out_exactly_and_counts_for_many():
    rng = np.random.default_rng(4)
    cells = random_cells(rng, n_models=5, n_prompts=60, n=900)
    prompt = np.where(rng.random(900) < 0.2, 60, cells.clusters["prompt"])
    one = dataclasses.replace(cells, clusters={"prompt": prompt})
    other = dataclasses.replace(one, score=np.where(rng.random(900) < 0.1, 1 - one.score, one.score))
    fits = [fit_bradley_terry(part) for part in (one, other)]
    moved = np.vstack(list(influences(fits, [one, other], "prompt")))
    rest = prompt != 60
    without = [
        fit_bradley_terry(
            Cells(part.models, part.i[rest], part.j[rest], part.weight[rest], part.score[rest], part.count[rest])
        )
        for part in (one, other)
    ]
    exact = np.concatenate([fit.strength - less.strength for fit, less in zip(fits, without, strict=True)])
    assert moved[-1] == pytest.approx(exact, abs=1e-9)
    found = correct_agreement(fits, [one, other], 61, ["prompt"])
    mass = np.bincount(prompt)
    assert found.effective == pytest.approx(900**2 / (mass @ mass))
    # The noise that is taken out is that of `rank` and `compare`: what is deleted exactly counts as in the jackknife.
    v = strength_covariance(fits, [one, other], Clustering("prompt")).vcov
    noise = [np.diag(v)[:5].sum(), np.diag(v)[5:].sum()]
    beyond = [1 - part / (fit.strength @ fit.strength) for part, fit in zip(noise, fits, strict=True)]
    assert found.reliability == pytest.approx(beyond, abs=1e-12)
    end = found.interval()
    half = stats.t(found.effective - 1).ppf(0.975) * found.se
    assert end.lower == pytest.approx(found.value - half)
