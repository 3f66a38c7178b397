"""Two judges held against each other: models in common, gaps, flips, the table."""

import dataclasses

import numpy as np
import pytest
from scipy import stats
from toy import cells_of, llmfao_cells, random_cells, swapped

from analysis.compare import compare_strengths
from analysis.vcov import Clustering
from errors import NotIdentifiedError


def compare(reference, judge, cluster="prompt", seed=0, **options):
    options = {"replicates": 50} | options
    return compare_strengths(reference, judge, Clustering(cluster), np.random.default_rng(seed), **options)


def two_judges(seed=0, **options):
    rng = np.random.default_rng(seed)
    reference = random_cells(rng, strength=[1, 0.5, 0, -0.5, -1], **options)
    flip = rng.random(len(reference.i)) < 0.15
    score = np.where(flip, 1 - reference.score, reference.score)
    return reference, dataclasses.replace(reference, score=score)


def test_models_are_those_identified_for_both_and_recentred():
    circle = [("A", "B", 1), ("B", "C", 1), ("C", "A", 1), ("A", "C", 1)]
    names = ("A", "B", "C", "D", "E")
    # D is beaten by all for the reference, E wins all for the judge.
    reference = [*circle, ("A", "D", 1), ("B", "D", 1), ("D", "E", 0), ("A", "E", 0.5)]
    judge = [*circle, ("A", "D", 0.5), ("B", "D", 1), ("E", "D", 1), ("E", "A", 1)]
    cells = [cells_of(rows * 2, models=names, prompt=range(16)) for rows in (reference, judge)]
    found = compare(*cells, names=("people", "owl"))
    assert found.reference.models == found.judge.models == ("A", "B", "C")
    assert [(one.model, one.cause) for one in found.not_compared] == [
        ("D", "people: lost all 6 of its judgments"),
        ("E", "owl: won all 4 of its judgments"),
    ]
    assert found.reference.strength.mean() == pytest.approx(0, abs=1e-12)
    assert found.reference.strength == pytest.approx(found.judge.strength, abs=1e-9)
    assert "2 models are left out" in found.warnings[-1]


def test_leaving_one_out_can_cut_off_another():
    # For the reference F hangs on D alone, and D is not identified for the judge.
    circle = [("A", "B", 0.5), ("B", "C", 0.5)]
    names = ("A", "B", "C", "D", "F")
    reference = cells_of([*circle, ("A", "D", 0.5), ("D", "F", 0.5)], models=names, prompt=range(4))
    judge = cells_of([*circle, ("A", "D", 1), ("A", "F", 0.5), ("D", "F", 0)], models=names, prompt=range(5))
    found = compare(reference, judge)
    assert found.reference.models == ("A", "B", "C")
    assert {one.model: one.cause for one in found.not_compared} == {
        "D": "judge: lost all 2 of its judgments",
        "F": "reference: has no judgments here once others are left out",
    }


def test_gap_is_the_difference_of_the_strengths():
    found = compare(*two_judges())
    table = found.table()
    assert list(table.columns[:4]) == ["model", "strength_ref", "strength_judge", "gap"]
    assert (table["strength_judge"] - table["strength_ref"] - table["gap"]).abs().max() < 1e-12
    assert table["gap"].sum() == pytest.approx(0, abs=1e-12)
    # Shared prompts: the gap is better known than from two independent judges.
    se = found.covariance.se
    assert (found.gaps.gap.se < np.sqrt(se[:5] ** 2 + se[5:] ** 2)).all()
    assert (found.n_clusters, found.clustering.name) == (60, "prompt")


@pytest.mark.parametrize("n_prompts", [12, 60])
def test_exchanging_the_judges_turns_the_gaps(n_prompts):
    reference, judge = two_judges(n_prompts=n_prompts)
    one, two = compare(reference, judge), compare(judge, reference)
    assert two.gaps.gap.estimate == pytest.approx(-one.gaps.gap.estimate, abs=1e-9)
    assert two.gaps.gap.se == pytest.approx(one.gaps.gap.se, rel=1e-6)
    assert two.correlation.spearman.value == one.correlation.spearman.value


def test_exchanging_a_and_b_changes_nothing():
    reference, judge = two_judges(first=True)
    for position in (False, True):
        one = compare(reference, judge, position=position)
        two = compare(swapped(reference), swapped(judge), position=position)
        assert two.gaps.scaled.estimate == pytest.approx(one.gaps.scaled.estimate, abs=1e-9)
        assert two.gaps.scaled.se == pytest.approx(one.gaps.scaled.se, rel=1e-7)


def test_position_stays_out_of_the_gaps():
    reference, judge = two_judges(first=True)
    found = compare(reference, judge, position=True)
    assert len(found.covariance.estimate) == 12
    assert found.gaps.names == reference.models
    assert found.gaps.gap.estimate == pytest.approx(found.judge.strength - found.reference.strength)
    assert found.reference.position > found.judge.position > 0  # .3 planted, weakened by random flips


def test_every_judge_agrees_with_itself():
    reference, _ = two_judges()
    found = compare(reference, reference)
    assert found.flips == ()
    assert found.correlation.spearman.value == pytest.approx(1)
    assert found.gaps.gap.estimate == pytest.approx(np.zeros(5), abs=1e-12)
    assert found.flip_table().empty


def test_flips_are_the_pairs_in_another_order_with_their_probability():
    rng = np.random.default_rng(1)
    reference = random_cells(rng, n=400, strength=[0.5, 0.2, 0, -0.2, -0.5])
    judge = random_cells(rng, n=400, strength=[0.3, 0.5, 0, -0.5, -0.2])
    found = compare(reference, judge)
    r, j = found.reference.strength, found.judge.strength
    expected = {
        (reference.models[a], reference.models[b])
        for a in range(5)
        for b in range(a + 1, 5)
        if (r[a] - r[b]) * (j[a] - j[b]) < 0
    }
    assert {(flip.model_1, flip.model_2) for flip in found.flips} == expected
    assert len(expected) >= 2
    probabilities = [flip.p_flip for flip in found.flips]
    assert probabilities == sorted(probabilities, reverse=True)
    # From the distribution function of the two differences, integrated numerically.
    for flip in found.flips:
        a, b = reference.models.index(flip.model_1), reference.models.index(flip.model_2)
        contrast = np.zeros((2, 10))
        contrast[0, [a, b]] = contrast[1, [5 + a, 5 + b]] = [1, -1]
        normal = stats.multivariate_normal(cov=contrast @ found.covariance.vcov @ contrast.T, allow_singular=True)
        mean = contrast @ found.covariance.estimate
        one, two = stats.norm.cdf(-mean / np.sqrt(np.diag(normal.cov)))
        exact = one + two - 2 * normal.cdf(-mean)
        assert flip.p_flip == pytest.approx(exact, abs=1e-7)
        together = sum(
            int(((cells.i == a) & (cells.j == b) | (cells.i == b) & (cells.j == a)).sum())
            for cells in (reference, judge)
        )
        assert flip.judgments == together


def test_the_seed_decides_the_draws():
    reference, judge = two_judges(n=200)
    one, two, other = (compare(reference, judge, seed=seed) for seed in (0, 0, 1))
    assert one.correlation.table().equals(two.correlation.table())
    assert one.flip_table().equals(two.flip_table())
    assert not (one.correlation.spearman.replicates == other.correlation.spearman.replicates).all()


def test_nothing_in_common_is_refused():
    names = ("A", "B", "C")
    one = cells_of([("A", "B", 0.5)] * 2, models=names, prompt=[0, 1])
    two = cells_of([("B", "C", 0.5)] * 2, models=names, prompt=[0, 1])
    with pytest.raises(NotIdentifiedError, match="people and owl cannot be compared"):
        compare(one, two, names=("people", "owl"))
    three = cells_of([("A", "B", 1)] * 2, models=names, prompt=[0, 1])
    with pytest.raises(NotIdentifiedError, match="owl: no strengths can be computed from 2 judgments"):
        compare(one, three, names=("people", "owl"))
    with pytest.raises(ValueError, match="same models in the same order"):
        compare(one, cells_of([("A", "B", 0.5)], prompt=[0]))


@pytest.mark.real
@pytest.mark.parametrize(
    ("file", "rho"), [("gpt4-crowd-comparisons.csv", 0.7309), ("gpt3-crowd-comparisons.csv", 0.7156)]
)
def test_published_judgments(file, rho):
    crowd, judge = llmfao_cells("crowd-comparisons.csv"), llmfao_cells(file)
    found = compare(crowd, judge)
    assert found.correlation.spearman.value == pytest.approx(rho, abs=5e-5)  # four published digits
    assert len(found.gaps.names) == 59
    assert found.gaps.scale is not None
    assert found.n_clusters == 13
    assert any("13 prompts" in warning for warning in found.warnings)


def test_ties_as_an_outcome_of_their_own_are_compared_too():
    rng = np.random.default_rng(5)
    cells = []
    for _ in range(2):
        one = random_cells(rng, n_models=5, n_prompts=60, n=900)
        cells.append(dataclasses.replace(one, tied=np.where(one.score == 0.5, 1.0, 0.0)))
    found = compare_strengths(*cells, Clustering("prompt"), np.random.default_rng(0), ties="davidson", n_prompts=60)
    plain = compare_strengths(*cells, Clustering("prompt"), np.random.default_rng(0), n_prompts=60)
    assert found.reference.coefficients["log nu"] < 0
    # Ties that say nothing about strength stretch the scale a little and keep the order.
    assert np.corrcoef(found.reference.strength, plain.reference.strength)[0, 1] > 0.99
    assert found.correlation.penalty == 0
    assert found.correlation.spearman.interval().lower < found.correlation.spearman.value
    assert plain.corrected is not None
    assert plain.corrected.clusters == "prompt"
