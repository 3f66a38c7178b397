"""The benches of factor weights run and notice broken promises; some dozen data sets hold what intervals promise."""

import numpy as np
import pytest
from scipy import stats

from analysis.factor_fit import fit_factors
from benchmarks import coverage_factor_gaps as gaps
from benchmarks import coverage_factors as bench
from benchmarks.factor_worlds import LLMFAO, draw, expected, pseudo_true, slopes

COLUMNS = {"world", "quantity", "coverage", "each_low", "each_high", "runs", "promised_low", "promised_high"}


def world(name, module=bench):
    return next(of for of in module.worlds() if of.name == name)


def test_every_quantity_is_measured():
    table = bench.run_world(world("13 prompts"), 2, 1)
    assert table["quantity"].tolist() == list(bench.QUANTITIES)
    assert set(table) > COLUMNS
    assert (table["refused"] == 0).all()
    assert table["coverage"].dropna().between(0, 1).all()


def test_every_share_is_measured():
    table = gaps.run_world(world("three gaps of 20, 500 prompts", gaps), 1, 1)
    assert set(table) >= COLUMNS
    shares = table.set_index("quantity")["coverage"]
    assert shares["power"] > 0.5
    assert shares["false discovery"] <= 0.5
    flags = gaps.run_world(world("twice as decisive, 60 prompts", gaps), 1, 1)
    assert "any flag" in flags["quantity"].tolist()


def test_worlds_on_published_texts_are_left_out_where_those_are_not(monkeypatch, tmp_path):
    for module in (bench, gaps):
        monkeypatch.setattr(module, "LLMFAO", tmp_path / "nothing.jsonl")
        assert not [of.name for of in module.worlds() if of.texts]


def test_broken_promises_are_noticed():
    table = bench.run_world(world("200 prompts"), 2, 1).assign(runs=500)
    kept = table.assign(coverage=0.945, each_low=0.93, each_high=0.97)
    assert bench.broken_promises(kept) == []
    assert len(bench.broken_promises(kept.assign(coverage=0.85))) == len(table)
    assert len(bench.broken_promises(kept.assign(each_low=0.8))) == len(table)
    assert "200 prompts, weights: pooled" in bench.broken_promises(kept.assign(coverage=0.99))[0]
    # What is promised of nothing is broken by nothing.
    told = kept.assign(promised_low=np.nan, promised_high=np.nan, coverage=0.5)
    assert bench.broken_promises(told) == []
    shares = gaps.run_world(world("same taste, 13 prompts, weights vary by prompt", gaps), 1, 1)
    assert len(gaps.broken_promises(shares.assign(coverage=0.08))) == 1
    assert gaps.broken_promises(shares.assign(coverage=0.07)) == []


def test_expected_verdicts_are_those_of_very_many():
    of = world("200 prompts")
    x, first = np.full((6, 1), 0.5), np.array([1.0])
    taste = of.judge
    eta, spread = taste.expected_log_odds(x, first), taste.spread(x, of.merit_sd)
    score, tied = expected(taste, eta, spread)
    rng = np.random.default_rng(0)
    latent = eta + spread * rng.standard_normal(1_000_000) + rng.logistic(size=1_000_000)
    # Three standard errors of a share of a million.
    assert score[0] == pytest.approx((latent > 0).mean(), abs=0.0015)
    assert tied[0] == pytest.approx((np.abs(latent) < taste.tie).mean(), abs=0.0006)


@pytest.mark.parametrize("name", ["200 prompts", "ties apart"])
def test_the_pseudo_true_weights_are_those_of_very_many_verdicts(name):
    from dataclasses import replace

    of = replace(world(name), prompts=6_000)
    for design, truth in zip(draw(of, np.random.default_rng(1)), pseudo_true(of), strict=True):
        # 60,000 pairs: standard errors of .01 to .015 with what varies by prompt.
        assert fit_factors(design, ties=of.ties).parameters == pytest.approx(truth.parameters, abs=0.05)


def test_marginal_effects_are_the_slope_of_the_expected_score():
    of = world("ties apart")
    fit = pseudo_true(of)[1]
    x = draw(of, np.random.default_rng(2))[0].x
    tie = float(fit.parameters[-1])

    def mean(change):
        eta = fit.weights @ (x + change[:, None])
        return 100 * np.mean(stats.logistic.cdf(eta - tie) + stats.logistic.cdf(eta + tie)) / 2

    steps = 1e-5 * np.eye(of.k)
    numeric = [(mean(step) - mean(-step)) / 2e-5 for step in steps]
    assert slopes(of, fit, x) == pytest.approx(numeric, rel=1e-6)


# Six weights of two judges, 60 data sets: 720 intervals, dependent within a data set; 3.5 binomial standard errors of
# 240 independent ones are .05.
@pytest.mark.slow
@pytest.mark.every(3, "of")
@pytest.mark.parametrize("of", [of for of in bench.worlds() if not of.texts], ids=lambda of: of.name)
def test_sixty_data_sets(of):
    table = bench.run_world(of, 60, 2).set_index("quantity")
    for name in ("weights", "gap", "scaled gap", "marginal effects", "gap of marginal effects"):
        assert 0.90 <= table.loc[name, "coverage"] <= 0.99
    assert table.loc["scale", "coverage"] >= 0.75
    assert (table["refused"] == 0).all()


@pytest.mark.slow
@pytest.mark.every(2, "name")
@pytest.mark.parametrize("name", ["twice as decisive, 60 prompts", "twice as decisive, 500 prompts, weights vary by prompt"])
def test_a_judge_of_the_same_taste_is_seldom_flagged(name):
    """At 7 % of 100 data sets more than 15 would be seen once in a thousand."""
    table = gaps.run_world(world(name, gaps), 100, 2).set_index("quantity")
    assert table.loc["any flag", "coverage"] <= 0.15
    assert table.loc["no scale offered", "coverage"] < 0.1


@pytest.mark.slow
def test_gaps_of_three_tenths_are_found_and_little_else():
    table = gaps.run_world(world("three gaps of 20, 500 prompts", gaps), 60, 2).set_index("quantity")
    assert table.loc["power", "coverage"] > 0.9
    # The share of false ones has a standard deviation of .12 a table: .016 over 60.
    assert table.loc["false discovery", "coverage"] < 0.05 + 3 * 0.016


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.skipif(not LLMFAO.is_file(), reason="the published judgments are not beside the project (../shared/real)")
def test_on_published_texts():
    """Ranges as above: some twenty weights, but 13 prompts, and weights that rest on a few of them."""
    table = bench.run_world(world("published texts, 13 prompts"), 30, 2).set_index("quantity")
    for name in ("weights", "gap"):
        assert 0.90 <= table.loc[name, "coverage"] <= 0.99
