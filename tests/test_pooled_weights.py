"""Pooled weights by scenario: evidence against plain fits and refits, properties, planted truths, refusals."""

import dataclasses

import numpy as np
import pytest
from scipy import optimize, special

from analysis.design import Design
from analysis.factor_covariance import weight_covariance
from analysis.factor_fit import fit_factors
from analysis.pooled_weights import pool_gaps, pool_weights
from analysis.vcov import Clustering
from analysis.weight_evidence import find_weight_evidence
from benchmarks.coverage_pooled_weights import World, draw, draw_weights, simulate_run, summarise, worlds
from errors import NotIdentifiedError

PROMPT = Clustering("prompt")


def drawn(seed=0, gaps=False, **more):
    of = World("w", 0.3, **({"scenarios": 4, "k": 3, "full": (30, 6)} | more))
    rng = np.random.default_rng(seed)
    weights = draw_weights(of, rng)
    designs = draw(of, weights if gaps else weights[:1], rng)
    return designs if gaps else designs[0]


def rows_of(design):
    return [(f"s{s}", np.flatnonzero(design.clusters["scenario"] == s)) for s in np.unique(design.clusters["scenario"])]


def pooled(design, clustering=PROMPT):
    return pool_weights(design, rows_of(design), clustering).weights


# -- evidence -----------------------------------------------------------------------------------------------------


def test_with_much_data_the_evidence_is_the_plain_fit():
    design = drawn(full=(400, 20), scenarios=1)
    fit = fit_factors(design)
    found = find_weight_evidence([design], [fit.parameters], [1.0], PROMPT)
    assert found.strength == pytest.approx(fit.parameters, abs=1e-6)
    # The prior on the others is N(0, 1), of which 8,000 judgments leave a hundredth of a standard error.
    plain = weight_covariance([fit], [design], PROMPT)
    assert np.sqrt(found.robust + found.anchor) == pytest.approx(plain.se, rel=0.01)
    naive = weight_covariance([fit], [design], Clustering("none"))
    assert np.sqrt(found.naive) == pytest.approx(naive.se, rel=0.005)


def test_one_weight_alone_is_the_likelihoods_own_from_wherever_the_prior_stands():
    """With one parameter the site is the normal approximation at the penalised optimum; by hand from scipy."""
    design = dataclasses.replace(drawn(k=1, scenarios=1, full=(12, 5)), first=None)
    x, y = design.x[0, design.at], design.score

    def loss(w):
        eta = w[0] * x
        return float(np.sum(np.logaddexp(0, eta) - y * eta) + 0.5 * (w[0] - 0.4) ** 2)

    best = optimize.minimize(loss, [0.0], tol=1e-14).x[0]
    p = special.expit(best * x)
    information = float(np.sum(p * (1 - p) * x**2))
    left = information / (information + 1)
    found = find_weight_evidence([design], [np.array([0.4])], [1.0], Clustering("none"))
    assert found.strength[0] == pytest.approx(0.4 + (best - 0.4) / left, abs=1e-5)
    # 1 / (1/C - lambda) with C = 1 / (H + lambda)
    assert found.naive[0] == pytest.approx(1 / information, rel=1e-4)
    assert found.anchor[0] == 0


def test_clusters_are_deleted_as_a_refit_would():
    design = drawn(scenarios=1, full=(20, 40))
    fit = fit_factors(design)
    found = find_weight_evidence([design], [fit.parameters], [1.0], PROMPT)
    exact = weight_covariance([fit], [design], PROMPT)
    # One Newton step instead of a refit, and a prior that 800 judgments outweigh.
    assert np.sqrt(found.robust) == pytest.approx(exact.se, rel=0.03)
    # The shown order is told alike by each prompt; a skewed factor rests on the few with large differences.
    assert found.df[0] == pytest.approx(19.0)
    assert (found.df[1:] < 18).all()


def test_rows_summed_at_once_are_the_rows_group_by_group(monkeypatch):
    design = drawn(scenarios=1)
    start = fit_factors(design).parameters
    one = find_weight_evidence([design], [start], [1.0], PROMPT)
    monkeypatch.setattr("analysis.weight_evidence.ENTRIES", 0)
    other = find_weight_evidence([design], [start], [1.0], PROMPT)
    assert one.robust == pytest.approx(other.robust, rel=1e-9)


def test_a_judge_has_no_gap_to_itself_and_no_noise():
    design = drawn()
    start = fit_factors(design).parameters
    found = find_weight_evidence([design, design], [start, start], [-1.0, 1.0], PROMPT)
    assert found.strength == pytest.approx(np.zeros(4), abs=1e-12)
    assert found.robust == pytest.approx(np.zeros(4), abs=1e-12)


def test_a_factor_that_does_not_differ_in_a_scenario_has_no_evidence_there():
    design = drawn()
    x = design.x.copy()
    x[1, design.clusters["scenario"] == 2] = 0.0
    found = pooled(dataclasses.replace(design, x=x))
    at = found.names.index("f01")
    assert np.isinf(found.weighed.se[2, at])
    assert np.isfinite(found.weighed.se[[0, 1, 3], at]).all()
    # What is known of it is what the others tell of a scenario not seen: wider than any of theirs.
    ends = found.interval()
    width = ends.upper[:, at] - ends.lower[:, at]
    assert width[2] > width[[0, 1, 3]].max()
    row = found.table()[lambda t: (t["scenario"] == "s2") & (t["factor"] == "f01")].iloc[0]
    assert row[["value", "lower", "upper"]].isna().all()


# -- properties ---------------------------------------------------------------------------------------------------


def swapped(design: Design) -> Design:
    return dataclasses.replace(design, x=-design.x, score=design.weight - design.score, first=-design.first)


def test_exchanging_a_and_b_changes_nothing():
    one, other = pooled(drawn()).table(), pooled(swapped(drawn())).table()
    for name in ("value", "lower", "upper", "pooled", "pooled_lower", "pooled_upper"):
        assert one[name].to_numpy(dtype=float) == pytest.approx(other[name].to_numpy(dtype=float), abs=1e-8)


def test_order_of_scenarios_does_not_matter():
    design = drawn()
    rows = rows_of(design)
    one = pool_weights(design, rows, PROMPT).weights.table().sort_values(["scenario", "factor"])
    other = pool_weights(design, rows[::-1], PROMPT).weights.table().sort_values(["scenario", "factor"])
    assert one["pooled_lower"].to_numpy(dtype=float) == pytest.approx(other["pooled_lower"].to_numpy(dtype=float))


def test_counts_stand_for_rows():
    """A judgment given twice is two rows alike, and one row of weight and count 2."""
    design = drawn()
    twice = design.take(np.repeat(np.arange(len(design)), 2))
    heavy = dataclasses.replace(design, weight=2 * design.weight, score=2 * design.score, count=2 * design.count)
    one, other = pooled(twice), pooled(heavy)
    assert one.pooled.value == pytest.approx(other.pooled.value, abs=1e-9)
    assert one.test.p == pytest.approx(other.test.p, abs=1e-9)


def test_raw_is_what_each_scenario_says_alone():
    design = drawn()
    name, rows = rows_of(design)[1]
    part = design.take(rows)
    fit = fit_factors(part)
    cov = weight_covariance([fit], [part], PROMPT)
    table = pooled(design).table()
    mine = table[table["scenario"] == name]
    assert mine["value"].to_numpy(dtype=float) == pytest.approx(fit.parameters)
    half = cov.quantiles.two_sided() * cov.se
    assert mine["lower"].to_numpy(dtype=float) == pytest.approx(fit.parameters - half)


def test_a_thin_scenario_is_named_and_drawn_to_the_others():
    design = drawn(scenarios=5, full=(60, 10), thin=(3, 6))
    found = pooled(design)
    thin = found.thin_table()
    assert set(thin["scenario"]) == {"s1", "s3"}
    assert thin["reason"].str.contains("3 prompts").all()
    away = np.abs(found.pooled.value - found.weighed.strength)
    assert away[[1, 3]].mean() > 3 * away[[0, 2, 4]].mean()


# -- gaps ---------------------------------------------------------------------------------------------------------


def test_a_judge_twice_as_decisive_has_gaps_and_no_net_gap():
    one, two = drawn(gaps=True, decisive=2.5, full=(80, 12))
    found = pool_gaps(one, two, [(f"s{s}", s) for s in range(4)], PROMPT)
    assert found.scaled is not None
    away = np.abs(found.gaps.pooled.average[1:]).max(), np.abs(found.scaled.pooled.average[1:]).max()
    assert away[0] > 3 * away[1]
    table = found.scaled.table()
    assert (table["pooled_lower"] <= table["pooled"]).all()
    # What is not known of the scale is common to all scenarios, and in their intervals.
    assert (found.scaled.common_se[:, 1:] > 0).any()
    plain = found.scaled.pooled.interval()
    assert (found.scaled.interval().upper >= plain.upper - 1e-12).all()


def test_gaps_turn_their_sign_with_the_roles():
    one, two = drawn(gaps=True, gap_tau=0.3)
    names = [(f"s{s}", s) for s in range(4)]
    forth, back = (pool_gaps(a, b, names, PROMPT).gaps for a, b in ((one, two), (two, one)))
    assert forth.pooled.value == pytest.approx(-back.pooled.value, abs=1e-9)
    assert forth.test.p == pytest.approx(back.test.p, abs=1e-9)


# -- refusals and extremes ----------------------------------------------------------------------------------------


def test_one_scenario_is_refused():
    design = drawn()
    with pytest.raises(NotIdentifiedError, match="one scenario holds"):
        pool_weights(design, rows_of(design)[:1], PROMPT)


def test_a_prompt_a_scenario_is_refused_by_prompt_and_answered_by_pair():
    design = drawn(full=(1, 60), scenarios=6)
    with pytest.raises(NotIdentifiedError, match="each scenario has one prompt only"):
        pooled(design)
    assert np.isfinite(pooled(design, Clustering("pair")).pooled.value).all()


def test_only_ties_are_refused():
    design = drawn()
    tied = dataclasses.replace(design, score=design.weight / 2)
    with pytest.raises(NotIdentifiedError, match="no noise"):
        pooled(tied)


def test_a_scenario_of_one_judgment_is_taken_along():
    design = drawn()
    only = np.flatnonzero(design.clusters["scenario"] == 3)[:1]
    kept = design.take(np.sort(np.r_[np.flatnonzero(design.clusters["scenario"] != 3), only]))
    found = pooled(kept)
    last = found.scenarios[-1]
    assert last.n_judgments == 1
    assert last.refused is not None
    assert np.isfinite(found.pooled.value).all()
    table = found.table()
    assert table.loc[table["scenario"] == "s3", "value"].isna().all()


# -- planted truth ------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.every(2, "name")
@pytest.mark.parametrize("name", ["half thin, tau .15", "gaps, tau 0, twice as decisive"])
def test_coverage_and_flags_of_planted_worlds(name):
    of = next(one for one in worlds() if one.name == name)
    runs = 60
    table = summarise(of, [simulate_run(of, seed) for seed in range(runs)])
    for row in table.itertuples():
        if np.isfinite(row.promised_low):
            # Three standard errors of a share of 60 runs, all scenarios and factors of which may hang together.
            room = 3 * np.sqrt(0.07 * 0.93 / runs)
            assert row.promised_low - room <= row.coverage <= row.promised_high + room, row
