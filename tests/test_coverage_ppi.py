"""The bench of corrected strengths runs and notices broken promises; a hundred worlds hold what intervals promise."""

import numpy as np
import pytest

from benchmarks import coverage_ppi as bench


def test_every_world_is_measured():
    table = bench.measure(2, 1)
    assert len(table) == 3 * len(bench.worlds())
    assert {"world", "quantity", "coverage", "each_low", "each_high", "runs", "promised_low", "promised_high"} < set(table)
    assert table["coverage"].between(0, 1).all()
    assert (table["refused"] == 0).all()
    naive = table["quantity"] == "naive"
    assert table.loc[naive, "promised_low"].isna().all()
    assert (table.loc[~naive, "promised_low"] == 0.93).all()


def test_broken_promises_are_noticed():
    table = bench.run_world(bench.world("w", "good", 60, 10), 2, 1)
    kept = table.assign(coverage=0.95, each_low=0.92, each_high=0.98, width=1.0)
    assert bench.broken_promises(kept) == []
    assert len(bench.broken_promises(kept.assign(coverage=0.9))) == 2  # the naive one promises nothing
    assert len(bench.broken_promises(kept.assign(each_low=0.5))) == 2
    assert "1.200 times as wide" in bench.broken_promises(kept.assign(width=1.2))[0]


def test_the_pseudo_true_strengths_are_those_of_very_many_votes():
    of = bench.world("w", "good", prompts=6000, pairs_a_prompt=10, labelled=1.0, models=4)
    pairs = bench.draw_pairs(of, np.random.default_rng(0))
    from analysis.bradley_terry import fit_bradley_terry

    # 60,000 pairs: standard errors of about .013 with the prompts' taste.
    assert fit_bradley_terry(pairs.cells("human")).strength == pytest.approx(bench.pseudo_true(of), abs=0.05)


@pytest.mark.slow
@pytest.mark.every(3, "of")
@pytest.mark.parametrize("of", bench.worlds(), ids=lambda of: of.name)
def test_a_hundred_worlds(of):
    """Of 800 intervals, dependent within a world: 95 % less or more than 3.5 binomial standard errors of 400."""
    table = bench.run_world(of, 100, 2).set_index("quantity")
    for method in ("corrected", "classical"):
        assert 0.91 <= table.loc[method, "coverage"] <= 0.985
    assert table.loc["corrected", "width"] < 1.01
    assert table.loc["naive", "coverage"] < 0.9
