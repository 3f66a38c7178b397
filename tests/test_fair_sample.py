"""Is a sample fair? By hand, against statsmodels, false alarms counted, and what cannot be compared."""

import numpy as np
import pytest

from analysis.fair_sample import BEYOND, Trait, compare_sample


def one(labelled, codes, has):
    [row] = compare_sample(np.array(labelled), np.array(codes), [Trait("model", "m", np.array(has))]).to_dict("records")
    return row


def test_four_clusters_by_hand():
    row = one([True] * 4 + [False] * 4, range(8), [1, 1, 1, 0, 1, 0, 0, 0])
    assert (row["labelled"], row["unlabelled"], row["difference"]) == (0.75, 0.25, 0.5)
    # Jackknife of a mean of n: (N - 1) / N * sum (x - mean)^2 / (n - 1)^2, here N = 8 in all, n = 4 of each kind.
    assert row["se"] == pytest.approx(np.sqrt(7 / 8 * 2 * 0.75 / 9))
    assert (row["labelled_pairs"], row["unlabelled_pairs"]) == (4, 4)


def test_standard_errors_are_those_of_clustered_regression():
    """As statsmodels' least squares of the trait on `labelled`, clustered; CR3 and CR1 agree on 400 clusters."""
    import statsmodels.api as sm

    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(400), 6)
    labelled = rng.random(2400) < 0.3
    has = (rng.random(2400) < 0.2 + 0.5 * rng.random(400)[codes]).astype(float)
    row = one(labelled, codes, has)
    fit = sm.OLS(has, sm.add_constant(labelled.astype(float))).fit(cov_type="cluster", cov_kwds={"groups": codes})
    assert row["difference"] == pytest.approx(fit.params[1], abs=1e-12)
    # A jackknife exceeds CR1 by about the share of one cluster.
    assert row["se"] == pytest.approx(fit.bse[1], rel=0.01)
    assert row["p"] == pytest.approx(fit.pvalues[1], rel=0.05)


def test_the_worst_come_first_and_q_counts_all_rows():
    rng = np.random.default_rng(1)
    labelled = np.arange(4000) < 1000
    traits = [
        Trait("scenario", str(k), (rng.random(4000) < np.where(labelled, 0.5 + k / 20, 0.5)) * 1.0) for k in range(5)
    ]
    # Rare, so that a small difference is less likely by chance than a larger one of the others.
    traits.append(Trait("verdict", "rare", (rng.random(4000) < np.where(labelled, 0.09, 0.002)) * 1.0))
    table = compare_sample(labelled, np.arange(4000), traits)
    beyond = table["q"] < BEYOND
    assert beyond.is_monotonic_decreasing
    assert 2 <= beyond.sum() <= 5
    assert table.loc[beyond, "difference"].abs().is_monotonic_decreasing
    assert not table.loc[beyond, "p"].is_monotonic_increasing
    assert table.loc[~beyond, "p"].is_monotonic_increasing
    assert table["trait"].iloc[0] == "4"
    assert (table["q"] >= table["p"]).all()
    assert table["q"].min() == pytest.approx(6 * table["p"].min())
    again = compare_sample(labelled, np.arange(4000), traits[::-1])
    assert again.equals(table)


def test_a_fair_sample_is_seldom_called_unfair():
    """Whole prompts and single pairs, many and few: false alarms among 400 comparisons stay at their level."""
    for prompts, whole in ((13, False), (60, True), (25, True)):
        p = []
        for seed in range(400):
            rng = np.random.default_rng((prompts, seed))
            codes = np.repeat(np.arange(prompts), 12)
            has = (rng.random(len(codes)) < rng.beta(2, 2, prompts)[codes]).astype(float)
            labelled = rng.permutation(prompts)[codes] < prompts * 0.4 if whole else rng.random(len(codes)) < 0.4
            p.append(compare_sample(labelled, codes, [Trait("model", "m", has)])["p"].iloc[0])
        # 5 % of 400, and three and a half binomial standard errors.
        assert 0.012 < np.mean(np.array(p, dtype=float) < 0.05) < 0.088


def test_an_unfair_sample_is_found():
    rng = np.random.default_rng(2)
    codes = np.repeat(np.arange(100), 10)
    hard = rng.random(1000) < 0.5
    labelled = rng.random(1000) < np.where(hard, 0.35, 0.15)
    assert compare_sample(labelled, codes, [Trait("verdict", "tie", hard * 1.0)])["q"].iloc[0] < BEYOND / 10


def test_what_is_not_known_is_left_out():
    with_gaps = one([True] * 5 + [False] * 5, range(10), [1, 1, 1, 0, np.nan, 1, 0, 0, 0, np.nan])
    without = one([True] * 4 + [False] * 4, range(8), [1, 1, 1, 0, 1, 0, 0, 0])
    assert with_gaps == without


def test_what_cannot_be_compared():
    labelled = np.array([True, True, False, False])
    everywhere = compare_sample(labelled, np.arange(4), [Trait("model", "m", np.ones(4))])
    assert everywhere["difference"].iloc[0] == 0
    assert everywhere[["se", "p", "q"]].isna().all(axis=None)
    single = compare_sample(labelled, np.array([0, 0, 1, 2]), [Trait("model", "m", np.array([1.0, 0.0, 0.0, 0.0]))])
    assert single["difference"].iloc[0] == 0.5
    assert single["se"].isna().all()
    for nobody in (np.zeros(4, dtype=bool), np.ones(4, dtype=bool)):
        assert compare_sample(nobody, np.arange(4), [Trait("model", "m", np.ones(4))]).empty
    assert compare_sample(labelled, np.arange(4), [Trait("length", "long", np.array([np.nan, np.nan, 1, 0]))]).empty
    assert list(compare_sample(labelled, np.arange(4), []).columns)[:2] == ["kind", "trait"]
