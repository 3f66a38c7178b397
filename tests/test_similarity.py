"""Judges against judges: correlations, shared verdicts, overlap of rankings, order, tree, map and group means."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import squareform
from scipy.stats import binom, spearmanr

from analysis.ratios import covariance_of_totals, find_ways
from analysis.similarity import (
    ABSENT,
    FIRST,
    SECOND,
    TIE,
    Verdicts,
    correlate,
    label_verdicts,
    mean_of_strengths,
    overlap,
    overlap_by_chance,
    similarity_of_means,
    similarity_of_strengths,
    similarity_of_verdicts,
    similarity_of_weights,
)
from analysis.similarity_map import group_judges, group_means
from analysis.vcov import Clustering, choose_clustering

EXACT = 1e-12
"""Sums of a few products, in another order."""

NAMES = tuple("abcdefgh")
BY_PROMPT = Clustering("prompt")


def array(*values: float | None) -> np.ndarray:
    return np.array([np.nan if v is None else v for v in values])


# -- weights ----------------------------------------------------------------------------------------------------------


def test_correlations_are_numpys() -> None:
    weights = np.random.default_rng(0).normal(3.0, 0.2, (6, 29))
    r, n = correlate(weights)
    np.testing.assert_allclose(r, np.corrcoef(weights), atol=EXACT)
    assert (n == 29).all()


def test_with_weights_that_are_lacking_they_are_pandas() -> None:
    rng = np.random.default_rng(1)
    weights = rng.normal(size=(8, 12))
    weights[rng.random(weights.shape) < 0.4] = np.nan
    r, n = correlate(weights)
    expected = pd.DataFrame(weights.T).corr(min_periods=3).to_numpy()
    np.testing.assert_allclose(r, expected, atol=EXACT)
    known = np.isfinite(weights).astype(int)
    assert (n == known @ known.T).all()


def test_a_constant_or_a_pair_of_points_has_no_correlation() -> None:
    r, _ = correlate(np.stack([array(1, 2, 3, None), array(5, 5, 5, 5), array(None, 2, 4, 1)]))
    assert np.isnan(r[0, 1])
    assert np.isnan(r[0, 2])
    assert np.isnan(r[1, 2])
    # A constant of many digits is none: rounding is no spread.
    r, _ = correlate(np.stack([np.full(9, 0.1) * 3, np.arange(9.0)]))
    assert np.isnan(r[0, 1])


def test_the_mean_is_over_scenarios_in_which_both_have_three() -> None:
    one = np.stack([array(1, 2, 3), array(1, 2, 4), array(3, 2, 1)])
    two = np.stack([array(1, 2, 3), array(3, 2, 1), array(None, 1, 2)])
    found = similarity_of_weights(NAMES[:3], np.stack([one, two]))
    r = np.corrcoef([1, 2, 3], [1, 2, 4])[0, 1]
    np.testing.assert_allclose(found.value, [[1, (r - 1) / 2, -1], [(r - 1) / 2, 1, -r], [-1, -r, 1]], atol=EXACT)
    assert found.places is not None
    assert found.places.tolist() == [[2, 2, 1], [2, 2, 1], [1, 1, 1]]
    assert found.n.tolist() == [[6, 6, 3], [6, 6, 3], [3, 3, 3]]
    table = found.table()
    assert table["scenarios"].tolist() == [2, 1, 1]
    assert table["lower"].isna().all()
    assert "note" not in table


def test_overall_weights_are_averaged_first() -> None:
    weights = np.random.default_rng(2).normal(size=(4, 3, 9))
    found = similarity_of_means(NAMES[:3], weights)
    np.testing.assert_allclose(found.value, np.corrcoef(weights.mean(axis=0)), atol=EXACT)
    # A pair without a common factor is undefined, and says why.
    weights[:, 0, :5], weights[:, 1, 5:] = np.nan, np.nan
    found = similarity_of_means(NAMES[:3], weights)
    assert np.isnan(found.value[0, 1])
    assert found.reasons == {(0, 1): "they have fewer than 3 factors in common whose weights differ"}
    assert found.table()["similarity"].isna().tolist() == [True, False, False]


# -- verdicts ---------------------------------------------------------------------------------------------------------


def drawn(n_judges: int, n_pairs: int, n_prompts: int, seed: int = 0, scenarios: int = 1) -> Verdicts:
    rng = np.random.default_rng(seed)
    prompt = rng.integers(0, n_prompts, n_pairs)
    label = rng.integers(0, 4, (n_judges, n_pairs)).astype(np.int8)
    return Verdicts(label, {"prompt": prompt, "pair": np.arange(n_pairs)}, prompt % scenarios)


def test_a_mean_preference_is_one_label() -> None:
    assert label_verdicts(array(0.2, 0.5, 0.7, None, (0.1 + 0.2) / 0.6)).tolist() == [SECOND, TIE, FIRST, ABSENT, TIE]


def test_shares_of_the_same_verdict_by_hand() -> None:
    label = np.array([[1, 2, 3, 0, 1], [1, 1, 3, 2, 3], [0, 0, 0, 2, 0]], dtype=np.int8)
    verdicts = Verdicts(label, {"pair": np.arange(5), "prompt": np.array([0, 0, 1, 1, 2])}, np.array([0, 0, 1, 1, -1]))
    found = similarity_of_verdicts(NAMES[:3], verdicts, BY_PROMPT)
    assert found.value[0, 1] == 2 / 4
    assert found.n[0, 1] == 4
    assert found.value[1, 2] == 1.0
    assert found.reasons == {(0, 2): "they share no pair"}
    without = similarity_of_verdicts(NAMES[:3], verdicts, BY_PROMPT, ties=False)
    assert (without.value[0, 1], without.n[0, 1]) == (1 / 2, 2)
    assert without.reasons[0, 2].endswith("of which neither says that it is a tie")
    # Half of two pairs in one scenario, one of one in the other; the pair without a scenario does not count.
    by = similarity_of_verdicts(NAMES[:3], verdicts, BY_PROMPT, by_scenario=True)
    assert by.value[0, 1] == pytest.approx((1 / 2 + 1) / 2)
    assert by.places is not None
    assert (by.n[0, 1], by.places[0, 1], by.places[1, 2]) == (3, 2, 1)


@pytest.mark.parametrize("scenarios", [1, 3])
@pytest.mark.parametrize(("prompts", "way"), [(80, "prompt"), (20, "prompt"), (20, "pair"), (20, "none")])
def test_intervals_are_those_of_a_mean_of_ratios_of_sums(prompts: int, way: str, scenarios: int) -> None:
    verdicts = drawn(2, 300, prompts, scenarios=scenarios)
    clustering = Clustering(way)  # type: ignore[arg-type]
    found = similarity_of_verdicts(NAMES[:2], verdicts, clustering, by_scenario=True).covariance[0, 1]
    both = (verdicts.label != ABSENT).all(axis=0)
    same = (verdicts.label[0] == verdicts.label[1]) & both
    each = [verdicts.scenario == s for s in range(scenarios)]
    values = np.stack([*(same & s for s in each), *(both & s for s in each)], axis=1).astype(float)
    ways = find_ways(verdicts.clusters, clustering, 300)
    totals = covariance_of_totals(values, both.astype(float), ways, clustering)
    assert totals is not None
    hits, n = np.split(totals.estimate, 2)
    slope = np.concatenate([1 / n, -hits / n**2])[None] / scenarios
    expected = totals.of(lambda v: (v[..., :scenarios] / v[..., scenarios:]).mean(axis=-1, keepdims=True), slope)
    assert found.estimate[0] == pytest.approx(expected.estimate[0], rel=1e-12)
    assert found.se[0] == pytest.approx(expected.se[0], rel=1e-12)
    assert found.method == expected.method


@pytest.mark.parametrize("scenarios", [1, 3])
def test_below_fifty_clusters_each_is_deleted(scenarios: int) -> None:
    verdicts = drawn(2, 120, 12, seed=3, scenarios=scenarios)
    found = similarity_of_verdicts(NAMES[:2], verdicts, BY_PROMPT, by_scenario=True)
    value, covariance = found.value[0, 1], found.covariance[0, 1]
    moved = []
    for prompt in range(12):
        keep = verdicts.clusters["prompt"] != prompt
        part = Verdicts(verdicts.label[:, keep], {"prompt": verdicts.clusters["prompt"][keep]}, verdicts.scenario[keep])
        moved.append(similarity_of_verdicts(NAMES[:2], part, BY_PROMPT, by_scenario=True).value[0, 1] - value)
    assert covariance.se[0] == pytest.approx(np.sqrt(11 / 12 * np.sum(np.square(moved))), rel=1e-10)
    assert covariance.quantiles.df == 11


def test_a_scenario_that_goes_with_its_only_prompt_is_not_counted() -> None:
    label = np.array([[1, 1, 1, 2], [1, 1, 2, 1]], dtype=np.int8)
    verdicts = Verdicts(label, {"prompt": np.array([0, 1, 1, 2])}, np.array([0, 1, 1, 2]))
    found = similarity_of_verdicts(NAMES[:2], verdicts, BY_PROMPT, by_scenario=True)
    assert found.value[0, 1] == pytest.approx((1 + 1 / 2 + 0) / 3)
    # Without prompt 0: (1/2 + 0) / 2; without 1: (1 + 0) / 2; without 2: (1 + 1/2) / 2.
    away = np.array([1 / 4, 1 / 2, 3 / 4]) - 1 / 2
    assert found.covariance[0, 1].se[0] == pytest.approx(np.sqrt(2 / 3 * away @ away))


def test_one_cluster_has_no_interval_and_no_spread_no_error() -> None:
    verdicts = Verdicts(np.array([[1, 1], [1, 2]], dtype=np.int8), {"prompt": np.array([4, 4])}, np.array([-1, -1]))
    assert similarity_of_verdicts(NAMES[:2], verdicts, BY_PROMPT).table()["lower"].isna().all()
    agreed = Verdicts(np.ones((2, 60), dtype=np.int8), {"prompt": np.arange(60)}, np.zeros(60, dtype=np.int64))
    table = similarity_of_verdicts(NAMES[:2], agreed, BY_PROMPT).table()
    assert table["similarity"].tolist() == [1.0]
    assert table["lower"].isna().all()


def test_turning_all_pairs_and_the_order_of_judges_change_nothing() -> None:
    verdicts = drawn(4, 200, 30, seed=5)
    found = similarity_of_verdicts(NAMES[:4], verdicts, BY_PROMPT)
    turned = np.array([ABSENT, SECOND, FIRST, TIE], dtype=np.int8)[verdicts.label]
    other = similarity_of_verdicts(NAMES[:4], Verdicts(turned, verdicts.clusters, verdicts.scenario), BY_PROMPT)
    pd.testing.assert_frame_equal(found.table(), other.table())
    order = [2, 0, 3, 1]
    moved = similarity_of_verdicts(
        [NAMES[k] for k in order], Verdicts(verdicts.label[order], verdicts.clusters, verdicts.scenario), BY_PROMPT
    )
    np.testing.assert_allclose(moved.value, found.value[np.ix_(order, order)], atol=EXACT)


@pytest.mark.slow
@pytest.mark.parametrize(("a", "b"), [(3.0, 2.0), (4.6, 0.4)])
def test_intervals_hold_the_share_of_all_prompts(a: float, b: float) -> None:
    """Verdicts on a prompt hang together; the chance to agree is .6 or .92 on average, by beta draws of prompts."""
    runs, held = 100, {40: 0, 120: 0}
    for n_prompts in held:
        for seed in range(runs):
            rng = np.random.default_rng(seed)
            prompt = np.repeat(np.arange(n_prompts), 5)
            same = rng.random(len(prompt)) < rng.beta(a, b, n_prompts)[prompt]
            label = np.stack([np.ones(len(prompt)), np.where(same, 1, 2)]).astype(np.int8)
            verdicts = Verdicts(label, {"prompt": prompt}, np.zeros(len(prompt), dtype=np.int64))
            row = similarity_of_verdicts(NAMES[:2], verdicts, choose_clustering("auto", n_prompts)).table().iloc[0]
            held[n_prompts] += bool(row["lower"] <= a / (a + b) <= row["upper"])
    least, most = binom.ppf([0.001, 0.999], runs, 0.95)
    assert all(least <= n <= most for n in held.values()), held


# -- strengths --------------------------------------------------------------------------------------------------------


def test_the_interval_of_a_share_is_symmetric_in_log_odds() -> None:
    """Nine of ten alike: each pair a cluster, se sqrt(.09 / 10 * 10 / 9); near 1 a linear interval would be cut off."""
    label = np.ones((2, 10), dtype=np.int8)
    label[1, 0] = 2
    one = {"pair": np.arange(10)}
    row = similarity_of_verdicts(
        NAMES[:2], Verdicts(label, one, np.zeros(10, dtype=np.int64)), choose_clustering("none", 10)
    ).table().iloc[0]  # fmt: skip
    se = np.sqrt(0.9 * 0.1 / 9)
    half = 1.959964 * se / (0.9 * 0.1)
    wanted = [1 / (1 + np.exp(-(np.log(9) + sign * half))) for sign in (-1, 1)]
    assert [row["lower"], row["upper"]] == pytest.approx(wanted, rel=1e-5)


def test_overlap_by_hand() -> None:
    # b a c against a b c: nothing in common at depth 1, all from 2 on: .9 + .1 * 0 with p = .9.
    assert overlap(array(3, 2, 1), array(2, 3, 1)) == pytest.approx(0.9)
    # a and b tied enter together: at depth 1 two against one, one in common: 2/3; all from 2 on.
    assert overlap(array(2, 2, 1), array(3, 2, 1)) == pytest.approx(1 - 0.1 / 3)
    # The last two swapped: .1 * .9^(k-2) is what depth 2 weighs of three.
    assert overlap(array(3, 2, 1), array(3, 1, 2)) == pytest.approx(1 - 0.1 * 0.9 / 2)
    assert overlap(array(1, 2, 3), array(1, 2, 3)) == pytest.approx(1.0)
    assert overlap(array(1, 1, 1), array(1, 1, 1)) == pytest.approx(1.0)


def test_overlap_is_the_definition_depth_by_depth() -> None:
    rng = np.random.default_rng(7)
    for _ in range(20):
        one, two = rng.integers(0, 6, (2, 9)).astype(float)
        total = 0.0
        for d in range(1, 10):
            inside = [{k for k in range(9) if (v > v[k]).sum() < d} for v in (one, two)]
            agreement = 2 * len(inside[0] & inside[1]) / (len(inside[0]) + len(inside[1]))
            total += 0.1 / 0.9 * agreement * 0.9**d
        assert overlap(one, two) == pytest.approx(total + 0.9**9, abs=EXACT)


def test_overlap_by_chance_is_the_mean_of_all_orders() -> None:
    values = [overlap(np.arange(5.0), np.array(order, dtype=float)) for order in permutations(range(5))]
    assert np.mean(values) == pytest.approx(overlap_by_chance(5))


def test_thousands_of_models_are_compared_by_their_first_places() -> None:
    rng = np.random.default_rng(8)
    one, two = rng.normal(size=(2, 5000))
    assert 0 <= overlap(one, two) < 0.05
    two[np.argsort(-one)[:300]] = 10 + one[np.argsort(-one)[:300]]
    assert overlap(one, two) == pytest.approx(1.0, abs=1e-9)


def test_rankings_are_compared_on_models_that_both_place() -> None:
    rng = np.random.default_rng(9)
    strengths = rng.normal(size=(3, 8))
    strengths[0, :2], strengths[2, 2:7] = np.nan, np.nan
    found = similarity_of_strengths(NAMES[:3], strengths, "spearman")
    assert found.value[0, 1] == pytest.approx(spearmanr(strengths[0, 2:], strengths[1, 2:])[0])
    assert found.reasons == {(0, 2): "they place one model in common, and 3 are needed"}
    assert found.n[1, 2] == 3
    by = mean_of_strengths(NAMES[:2], np.stack([strengths[:2], -strengths[:2]]), "rbo")
    both = [overlap(s * strengths[0, 2:], s * strengths[1, 2:]) for s in (1, -1)]
    assert by.value[0, 1] == pytest.approx(np.mean(both))


def test_strengths_that_differ_by_rounding_are_ties() -> None:
    strengths = np.stack([array(1.0, 1.0 + 1e-13, 0.0), array(3.0, 2.0, 1.0)])
    assert similarity_of_strengths(NAMES[:2], strengths, "rbo").value[0, 1] == pytest.approx(1 - 0.1 / 3)
    alike = np.stack([array(1.0, 1.0, 1.0), array(3.0, 2.0, 1.0)])
    found = similarity_of_strengths(NAMES[:2], alike, "spearman")
    assert found.reasons == {(0, 1): "one of them places all models alike"}


# -- groups -----------------------------------------------------------------------------------------------------------


def planar(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    points = np.random.default_rng(seed).uniform(-0.5, 0.5, (n, 2))
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    return points, 1 - distance**2 / 2


def test_a_map_of_a_plane_is_that_plane() -> None:
    points, value = planar(7)
    found = group_judges(value)
    assert found.shown == pytest.approx(1.0)
    drawn_ = np.stack([found.x, found.y], axis=1)
    for one in range(7):
        np.testing.assert_allclose(
            np.linalg.norm(drawn_ - drawn_[one], axis=1), np.linalg.norm(points - points[one], axis=1), atol=1e-7
        )


def test_the_share_shown_is_that_of_the_squared_distances() -> None:
    value = np.corrcoef(np.random.default_rng(3).normal(size=(9, 5)))
    found = group_judges(value)
    whole = (1 - value).sum()
    inside = sum(np.square(v[:, None] - v[None]).sum() / 2 for v in (found.x, found.y))
    assert found.shown == pytest.approx(inside / whole)


def test_the_tree_is_scipys_and_does_not_cross() -> None:
    _, value = planar(9, 4)
    found = group_judges(value)
    expected = linkage(squareform(1 - value, checks=False), "average")
    np.testing.assert_allclose([one.at for one in found.tree], expected[:, 2], atol=EXACT)
    assert sorted(found.order) == list(range(9))
    for one in found.tree:
        assert one.low < one.high
        assert max(one.low_at, one.high_at) <= one.at
    # Two that are each other's nearest stand side by side.
    places = {judge: k for k, judge in enumerate(found.order)}
    a, b = np.unravel_index(np.argmax(value - 2 * np.eye(9)), (9, 9))
    assert abs(places[int(a)] - places[int(b)]) == 1


def test_relabelled_judges_get_the_same_tree_and_map() -> None:
    _, value = planar(8, 5)
    order = np.random.default_rng(0).permutation(8)
    one, two = group_judges(value), group_judges(value[np.ix_(order, order)])
    np.testing.assert_allclose(two.x, one.x[order], atol=1e-9)
    np.testing.assert_allclose(two.y, one.y[order], atol=1e-9)
    np.testing.assert_allclose([t.at for t in two.tree], [t.at for t in one.tree], atol=EXACT)
    assert [int(order[k]) for k in two.order] in (list(one.order), list(one.order)[::-1])


def test_who_cannot_be_compared_with_all_stands_apart() -> None:
    _, value = planar(5)
    value[0, 4] = value[4, 0] = value[2, 4] = value[4, 2] = np.nan
    found = group_judges(value)
    assert (found.kept, found.order[-1]) == (4, 4)
    assert np.isnan(found.x[4])
    assert np.isfinite(found.x[:4]).all()
    # Of two the first stays.
    pair = group_judges(np.array([[1, np.nan], [np.nan, 1]]))
    assert (pair.kept, pair.order, pair.tree, pair.shown) == (1, (0, 1), (), None)


def test_judges_that_are_all_the_same() -> None:
    found = group_judges(np.ones((4, 4)))
    assert found.shown == 1.0
    assert np.allclose(found.x, 0)
    assert [one.at for one in found.tree] == [0, 0, 0]


def test_group_means_leave_out_the_diagonal_and_what_is_undefined() -> None:
    value = np.array([[1, 0.5, 0.2, 0.1], [0.5, 1, 0.4, np.nan], [0.2, 0.4, 1, 0.8], [0.1, np.nan, 0.8, 1]])
    table = group_means(NAMES[:4], value, {"u": ["a", "b"], "v": ["c", "d"], "w": ["a"]})
    found = {(r["group_1"], r["group_2"]): (r["mean"], r["n"], r["lacking"]) for r in table.to_dict("records")}
    assert found["u", "u"] == (0.5, 1, 0)
    assert found["v", "v"] == (0.8, 1, 0)
    assert found["u", "v"] == (pytest.approx((0.2 + 0.1 + 0.4) / 3), 3, 1)
    assert found["u", "w"] == (0.5, 1, 0)
    assert found["w", "w"] == (None, 0, 0)
