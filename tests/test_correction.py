"""Three rankings side by side: people alone, the judge alone, both together."""

import dataclasses

import numpy as np
import pytest
from toy_pairs import pairs_of, some_pairs

from analysis.correction import correct_strengths, recentre
from analysis.vcov import Clustering
from errors import NotIdentifiedError

PROMPT, PAIR = Clustering("prompt"), Clustering("pair")


def test_a_good_judge_narrows_the_intervals_and_a_bad_one_does_not_widen_them():
    good = correct_strengths(some_pairs(prompts=300, judge="good"), PROMPT)
    assert good.gain > 1.05
    assert good.corrected.covariance.se.mean() < 0.98 * good.classical.covariance.se.mean()
    for judge in ("bad", "adverse"):
        bad = correct_strengths(some_pairs(prompts=300, judge=judge), PROMPT)
        assert bad.gain == pytest.approx(1, abs=0.01)
        assert bad.corrected.strength == pytest.approx(bad.classical.strength, abs=0.05)
        assert np.abs(bad.naive.strength - bad.classical.strength).max() > 0.3


def test_the_gain_is_the_ratio_of_the_traces():
    found = correct_strengths(some_pairs(), PROMPT)
    traces = [float((e.covariance.se**2).sum()) for e in (found.classical, found.corrected)]
    assert found.gain == pytest.approx(traces[0] / traces[1], rel=1e-12)


def test_few_pairs_with_votes_tell_no_gain():
    pairs = some_pairs(models=3, labelled=1.0)
    kept = np.zeros(len(pairs), dtype=bool)
    for n, known in ((19, False), (20, True)):
        kept[:] = False
        kept[:n] = True
        found = correct_strengths(pairs.hide(~kept), PAIR)
        assert (found.gain is not None, found.potential is not None, found.worth is not None) == (known,) * 3
        assert found.corrected is not None
    many = correct_strengths(some_pairs(models=20, prompts=60, pairs_a_prompt=10, labelled=0.08), PAIR)
    assert len(many.models) * 3 > many.n_labelled > 20
    assert many.gain is None


def test_the_gain_of_few_prompts_is_that_of_pairs():
    few = some_pairs(prompts=13, pairs_a_prompt=80)
    by_prompt, by_pair = (correct_strengths(few, way) for way in (PROMPT, PAIR))
    assert by_prompt.gain == pytest.approx(by_pair.gain, rel=1e-6)
    traces = [float((e.covariance.se**2).sum()) for e in (by_pair.classical, by_pair.corrected)]
    assert by_prompt.gain == pytest.approx(traces[0] / traces[1], rel=1e-6)
    assert by_prompt.worth == pytest.approx(few.n_labelled * (by_prompt.gain - 1))
    # The intervals stay those of prompts.
    assert by_prompt.corrected.covariance.n_clusters == 13


def test_the_table_has_every_method_in_the_order_of_ranks():
    pairs = some_pairs()
    found = correct_strengths(pairs, PROMPT)
    table = found.table(0.9)
    assert table["rank"].tolist() == [1, 2, 3, 4, 5]
    assert table["corrected"].is_monotonic_decreasing
    at = table.set_index("model")
    for name, estimate in (("", found.corrected), ("classical_", found.classical), ("naive_", found.naive)):
        half = estimate.half_width(0.9)
        for k, model in enumerate(estimate.models):
            assert at.loc[model, name.rstrip("_") or "corrected"] == pytest.approx(estimate.strength[k])
            assert at.loc[model, f"{name}upper"] - at.loc[model, f"{name}lower"] == pytest.approx(2 * half[k])
    assert table["labelled"].sum() == 2 * pairs.n_labelled
    assert table["unlabelled"].sum() == 2 * pairs.n_unlabelled


def test_the_table_without_a_correction_and_with_models_left_out():
    pairs = some_pairs(models=4)
    alone = correct_strengths(pairs.take(pairs.labelled), PROMPT).table()
    assert alone[["corrected", "se", "lower", "upper", "rank", "rank_lower"]].isna().all(axis=None)
    assert alone["classical_rank"].tolist() == [1, 2, 3, 4]
    of_first = pairs.labelled & ((pairs.a == 0) | (pairs.b == 0))
    lost = dataclasses.replace(pairs, human_score=np.where(of_first, np.where(pairs.a == 0, 0.0, 1.0), pairs.human_score))
    won = dataclasses.replace(pairs, human_score=np.where(of_first, np.where(pairs.a == 0, 1.0, 0.0), pairs.human_score))
    below, above = (correct_strengths(one, PROMPT).table() for one in (lost, won))
    assert below["model"].iloc[-1] == above["model"].iloc[0] == "model-00"
    assert below["rank"].tolist() == above["rank"].tolist() == [1, 2, 3, 4]
    assert below["corrected"].isna().tolist() == [False, False, False, True]


def test_without_unlabelled_pairs_there_is_the_potential_gain_alone():
    pairs = some_pairs()
    found = correct_strengths(pairs.take(pairs.labelled), PROMPT)
    assert (found.corrected, found.share, found.gain) == (None, None, None)
    assert found.n_unlabelled == 0
    assert found.potential > 1


def test_the_potential_gain_of_two_models_is_the_ceiling_of_a_mean():
    rng = np.random.default_rng(0)
    common = rng.normal(0, 2, 400)
    votes, verdicts = (common + rng.logistic(size=(2, 400)) > 0).astype(float)
    found = correct_strengths(pairs_of([("A", "B", h, f) for h, f in zip(votes, verdicts, strict=True)]), PAIR)
    assert found.potential == pytest.approx(1 / (1 - np.corrcoef(votes, verdicts)[0, 1] ** 2), rel=1e-6)


def test_infinitely_many_unlabelled_pairs_reach_the_potential():
    pairs = some_pairs(prompts=800)
    some = pairs.take(pairs.labelled)
    # The judge's verdicts on 40 times as many pairs from the same world.
    more = some_pairs(seed=1, prompts=10_000, pairs_a_prompt=20, labelled=0.0)
    columns = {
        f.name: np.concatenate([getattr(some, f.name), getattr(more, f.name)])
        for f in dataclasses.fields(some) if f.name not in ("models", "clusters")
    }  # fmt: skip
    n = len(columns["a"])
    joined = dataclasses.replace(some, **columns, clusters={"pair": np.arange(n)})
    found = correct_strengths(joined, PAIR)
    # The second derivatives of 4,800 pairs' losses and of 200,000 differ by two per cent or so.
    assert found.gain == pytest.approx(found.potential, rel=0.03)
    assert found.gain > 1.1


def test_a_model_that_only_won_stands_above_without_a_number():
    pairs = some_pairs(models=4)
    of_first = pairs.labelled & ((pairs.a == 0) | (pairs.b == 0))
    pairs = dataclasses.replace(pairs, human_score=np.where(of_first, np.where(pairs.a == 0, 1.0, 0.0), pairs.human_score))
    found = correct_strengths(pairs, PROMPT)
    assert found.models == pairs.models[1:]
    assert [(left.model, left.place) for left in found.left_out] == [("model-00", "above")]
    assert found.n_above == 1
    assert found.n_labelled == int((pairs.labelled & (pairs.a > 0) & (pairs.b > 0)).sum())


def test_a_model_that_the_judge_does_not_rank_has_no_naive_strength():
    pairs = some_pairs(models=4)
    of_first = (pairs.a == 0) | (pairs.b == 0)
    pairs = dataclasses.replace(pairs, judge_score=np.where(of_first, np.where(pairs.a == 0, 1.0, 0.0), pairs.judge_score))
    found = correct_strengths(pairs, PROMPT)
    assert found.models == found.corrected.models == pairs.models
    assert found.naive.models == pairs.models[1:]
    assert found.naive.strength.mean() == pytest.approx(found.corrected.strength[1:].mean(), abs=1e-12)
    never = dataclasses.replace(pairs, judge_score=np.where(pairs.a < pairs.b, 1.0, 0.0))
    assert correct_strengths(never, PROMPT).naive is None


def test_recentring_keeps_differences_and_their_errors():
    found = correct_strengths(some_pairs(), PROMPT).corrected
    some = recentre(found, found.models[1:3], 5.0)
    assert some.strength.mean() == pytest.approx(5.0)
    assert np.diff(some.strength) == pytest.approx(np.diff(found.strength[1:3]))
    v = found.covariance.vcov
    assert some.covariance.vcov[0, 0] * 4 == pytest.approx(v[1, 1] + v[2, 2] - 2 * v[1, 2])


def test_refusals():
    pairs = some_pairs()
    with pytest.raises(NotIdentifiedError, match="people judged no pair of two models on which the judge"):
        correct_strengths(pairs.take(~pairs.labelled), PROMPT)
    one = dataclasses.replace(pairs, clusters={"prompt": np.zeros(len(pairs), dtype=int), "pair": np.arange(len(pairs))})
    with pytest.raises(NotIdentifiedError, match="at least 2 prompts"):
        correct_strengths(one, PROMPT)
    with pytest.raises(NotIdentifiedError, match="at least 2 prompts"):
        correct_strengths(one.take(one.labelled), PROMPT)
