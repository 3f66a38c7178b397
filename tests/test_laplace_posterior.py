"""Posteriors under a Laplace prior: by quadrature, against long NUTS runs, by symmetries, from the prior, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from laplace_cases import CASES, draw
from scipy import stats

from analysis import laplace_posterior, propagation_sites
from analysis.laplace_posterior import Posteriors, fit_posteriors
from analysis.summed_rows import Rows, sum_rows
from benchmarks import coverage_laplace
from errors import NotIdentifiedError

GOLDEN = json.loads((Path(__file__).parent / "golden" / "laplace_nuts.json").read_text())
UNIT = np.linspace(-1, 1, 40_001)


def rows(x, score, weight=None) -> Rows:
    x, score = np.atleast_2d(np.asarray(x, dtype=float).T).T, np.asarray(score, dtype=float)
    return sum_rows(x, np.ones(len(x)) if weight is None else np.asarray(weight, dtype=float), score)


def log_sigmoid(u):
    return -np.logaddexp(0.0, -u)


def moments(log_density, grid):
    p = np.exp(log_density - log_density.max())
    p /= p.sum()
    mean = p @ grid
    return mean, p @ (grid - mean) ** 2, np.cumsum(p)


# -- one site ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mean", "variance", "weight", "score"),
    [(0, 0.01, 1, 1), (0.3, 1, 1, 0), (0, 4, 1, 1), (-3, 9, 1, 1), (2, 0.5, 1e3, 700), (0, 0.05, 1e8, 1e8 - 1),
     (0, 0.8, 1, 0.3), (5, 0.9, 1, 0), (0, 15, 20, 20)],
)  # fmt: skip
@pytest.mark.parametrize("hinted", [False, True])
def test_a_row_of_verdicts_beside_a_normal_density(mean, variance, weight, score, hinted):
    one = [np.array([float(v)]) for v in (mean, 1 / variance, weight, score)]
    found = propagation_sites.logistic_moments(*one)
    if hinted:
        # A hint that is far off changes nothing.
        found = propagation_sites.logistic_moments(*one, (found.mean + 3.0, 5 * np.sqrt(found.variance)))
    sd = float(np.sqrt(found.variance[0]))
    grid = found.mean[0] + 14 * sd * UNIT
    log_f = score * log_sigmoid(grid) + (weight - score) * log_sigmoid(-grid) - (grid - mean) ** 2 / (2 * variance)
    wanted, spread, _ = moments(log_f, grid)
    # Some 51 nodes leave 1e-5 of a standard deviation where a density is half as skew as they come.
    assert found.mean[0] == pytest.approx(wanted, abs=2e-5 * sd)
    assert found.variance[0] == pytest.approx(spread, rel=2e-5)
    whole = np.exp(log_f - log_f.max()).sum() * (grid[1] - grid[0]) / np.sqrt(2 * np.pi * variance)
    assert found.log_z[0] == pytest.approx(np.log(whole) + log_f.max(), abs=2e-5)
    third = (np.exp(log_f - log_f.max()) / np.exp(log_f - log_f.max()).sum()) @ ((grid - wanted) / np.sqrt(spread)) ** 3
    skew = propagation_sites.logistic_skewness(*one, (found.mean, np.sqrt(found.variance)))
    # It only decides whether there are draws.
    assert skew[0] == pytest.approx(third, abs=5e-3)


@pytest.mark.parametrize(
    ("mean", "variance", "scale"),
    [(0, 1, 1), (2, 0.1, 0.1), (-3, 0.01, 0.1), (0, 1e4, 0.1), (0, 1e-4, 0.1), (0.001, 1e-6, 10), (5, 1, 0.1),
     (-4, 1, 0.25), (0.2, 2, 0.05)],
)  # fmt: skip
def test_a_laplace_prior_beside_a_normal_density(mean, variance, scale):
    one = np.array([float(mean)]), np.array([1 / variance]), np.array([float(scale)])
    found = propagation_sites.laplace_moments(*one)
    sd = float(np.sqrt(found.variance[0]))
    # The prior's peak lies on the grid.
    half = np.linspace(0, abs(found.mean[0]) + 25 * sd, 200_001)
    grid = np.concatenate([-half[:0:-1], half])
    log_f = -((grid - mean) ** 2) / (2 * variance) - np.abs(grid) / scale
    wanted, spread, below = moments(log_f, grid)
    assert found.mean[0] == pytest.approx(wanted, abs=1e-6 * sd)
    assert found.variance[0] == pytest.approx(spread, rel=1e-5)
    for share in (0.005, 0.05, 0.5, 0.95, 0.995):
        at = propagation_sites.laplace_quantiles(*one, share)[0]
        assert np.interp(at, grid, below) == pytest.approx(share, abs=1e-4)
    above = propagation_sites.laplace_above(*one)[0]
    assert above == pytest.approx(1 - below[len(half) - 1], abs=2e-4)
    third = np.diff(below, prepend=0) @ ((grid - wanted) / np.sqrt(spread)) ** 3
    assert propagation_sites.laplace_skewness(*one)[0] == pytest.approx(third, abs=1e-4)


# -- by hand ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wins", "losses", "scale"), [(1, 0, 0.1), (3, 1, 0.1), (7, 0, 0.5), (30, 10, 0.1), (400, 100, 0.01), (0.7, 0.3, 1)]
)
def test_one_property_by_quadrature(wins, losses, scale):
    found = fit_posteriors([rows([1.0], [wins], [wins + losses])], scale)
    grid = np.linspace(-1, 1, 200_001) * max(40 * scale, 3)
    log_f = wins * log_sigmoid(grid) + losses * log_sigmoid(-grid) - np.abs(grid) / scale
    mean, variance, below = moments(log_f, grid)
    sd = np.sqrt(variance)
    # The row's own shape is the only thing that is approximated.
    assert found.mean[0, 0] == pytest.approx(mean, abs=0.02 * sd)
    assert found.sd[0, 0] == pytest.approx(sd, rel=0.03)
    for share in (0.05, 0.5, 0.95):
        assert found.quantile(share)[0, 0] == pytest.approx(np.interp(share, below, grid), abs=0.03 * sd)
    assert found.above()[0, 0] == pytest.approx(1 - np.interp(0, grid, below), abs=0.01)
    step = grid[1] - grid[0]
    evidence = np.log(np.exp(log_f - log_f.max()).sum() * step / (2 * scale)) + log_f.max()
    # Where the posterior leans (seven wins, no loss) the normal sites are .02 off.
    assert found.log_evidence[0] == pytest.approx(evidence, abs=0.03)


@pytest.mark.parametrize("scale", [0.1, 0.5])
def test_two_twins_share_what_they_say_by_quadrature(scale):
    """Only the sum of two columns that are the same is told; the prior then spreads each between 0 and the sum."""
    found = fit_posteriors([rows(np.ones((1, 2)), [70.0], [100.0])], scale)
    axis = np.linspace(-1, 1, 1_601) * 12 * max(scale, 0.15)
    one, two = np.meshgrid(axis, axis, indexing="ij")
    log_f = 70 * log_sigmoid(one + two) + 30 * log_sigmoid(-one - two) - (np.abs(one) + np.abs(two)) / scale
    p = np.exp(log_f - log_f.max()).sum(axis=1)
    mean, variance, below = moments(np.log(p), axis)
    assert found.mean[0] == pytest.approx(mean, abs=0.005)
    assert found.sd[0] == pytest.approx(np.sqrt(variance), rel=0.03)
    for share in (0.05, 0.95):
        assert found.quantile(share)[0] == pytest.approx(np.interp(share, below, axis), abs=0.015)


def test_what_no_answer_differs_in_keeps_its_prior():
    found = fit_posteriors([rows([[1.0, 0.0], [-1.0, 0.0]], [1, 0])], 0.2)
    assert found.mean[0, 1] == pytest.approx(0, abs=1e-12)
    assert found.sd[0, 1] == pytest.approx(0.2 * np.sqrt(2), rel=1e-6)
    # Of a Laplace distribution the share below -b log(1 / (2 p)) is p.
    assert found.quantile(0.05)[0, 1] == pytest.approx(0.2 * np.log(0.1), rel=1e-5)
    assert found.quantile(0.95)[0, 1] == pytest.approx(-0.2 * np.log(0.1), rel=1e-5)
    nothing = fit_posteriors([rows(np.zeros((3, 2)), [1, 0, 1])], 0.2)
    assert nothing.sd[0] == pytest.approx([0.2 * np.sqrt(2)] * 2, rel=1e-6)
    # Three verdicts between equals, each with probability a half.
    assert nothing.log_evidence[0] == pytest.approx(0.0, abs=1e-6)


def test_alike_rows_are_summed_and_mirrored_ones_turned():
    found = sum_rows(
        np.array([[1.0, 0, -1], [-1, 0, 1], [0, 0, 0], [1, 0, -1], [0, 1, 0]]), np.array([1, 2, 5, 1, 1.0]),
        np.array([1, 0.5, 3, 0, 1.0]),
    )  # fmt: skip
    assert {tuple(x): (w, s) for x, w, s in zip(found.x, found.weight, found.score, strict=True)} == {
        (1.0, 0.0, -1.0): (4.0, 2.5), (0.0, 1.0, 0.0): (1.0, 1.0),
    }  # fmt: skip
    assert found.judgments == 10


# -- parity with NUTS -------------------------------------------------------------------------------------------------


def test_the_golden_runs_are_long_and_agree_with_one_another():
    assert len(GOLDEN) >= 20
    assert set(GOLDEN) == {case.name for case in CASES}
    assert max(one["r_hat"] for one in GOLDEN.values()) < 1.002
    # A quarter and a third of what a mean and a quantile may be off.
    assert max(one["mcse_mean"] for one in GOLDEN.values()) < 0.0025
    assert max(one["mcse_tail"] for one in GOLDEN.values()) < 0.0067
    assert not any(one["divergent"] for one in GOLDEN.values())


# With the one that is nearly separated, which without its draws is missed.
@pytest.mark.every(3, "case")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_as_long_runs_of_nuts(case):
    golden = GOLDEN[case.name]
    found = fit_posteriors([sum_rows(*draw(case))], case.scale)
    assert found.mean[0] == pytest.approx(golden["mean"], abs=0.01)
    assert found.quantile(0.05)[0] == pytest.approx(golden["q05"], abs=0.02)
    assert found.quantile(0.95)[0] == pytest.approx(golden["q95"], abs=0.02)
    assert not found.rough.any()
    assert found.settled.all()
    table = found.table(0.9)
    assert table["lower"].to_numpy(dtype=float) == pytest.approx(golden["q05"], abs=0.02)


def test_few_verdicts_under_a_wide_prior_are_drawn_and_many_are_not():
    wanted = {"60 rows, near separation": True, "40 rows, wide prior": True, "400 rows": False, "121 rows": False,
              "820 rows, narrow prior": False}  # fmt: skip
    found = {c.name: bool(fit_posteriors([sum_rows(*draw(c))], c.scale).drawn) for c in CASES if c.name in wanted}
    assert found == wanted


def test_without_draws_near_separation_is_missed():
    """What the draws are for: the other test of this case fails without them."""
    case = next(c for c in CASES if c.name == "60 rows, near separation")
    plain = fit_posteriors([sum_rows(*draw(case))], case.scale, draws=0)
    assert np.abs(plain.quantile(0.05)[0] - GOLDEN[case.name]["q05"]).max() > 0.05


# -- symmetries -------------------------------------------------------------------------------------------------------


def some(n=120, k=6, seed=0, soft=False):
    rng = np.random.default_rng(seed)
    x = rng.integers(-1, 2, (n, k)).astype(float)
    score = rng.random(n) if soft else (rng.random(n) < 1 / (1 + np.exp(-x @ np.linspace(-0.6, 0.6, k)))).astype(float)
    return x, np.ones(n), score


def same(one: Posteriors, other: Posteriors, tolerance=1e-9):
    assert one.mean == pytest.approx(other.mean, abs=tolerance)
    assert one.quantile(0.05) == pytest.approx(other.quantile(0.05), abs=tolerance)
    assert one.log_evidence == pytest.approx(other.log_evidence, abs=1e3 * tolerance)


def test_swapping_a_and_b_changes_nothing():
    x, weight, score = some(soft=True)
    turned = np.arange(len(x)) % 3 == 0
    other = sum_rows(np.where(turned[:, None], -x, x), weight, np.where(turned, 1 - score, score))
    same(fit_posteriors([sum_rows(x, weight, score)], 0.1), fit_posteriors([other], 0.1))


def test_a_verdict_of_weight_two_is_two_verdicts():
    x, weight, score = some()
    two = sum_rows(np.repeat(x, 2, axis=0), np.repeat(weight, 2), np.repeat(score, 2))
    same(fit_posteriors([sum_rows(x, 2 * weight, 2 * score)], 0.1), fit_posteriors([two], 0.1))


def test_order_of_rows_and_names_of_columns_say_nothing():
    x, weight, score = some(soft=True)
    order = np.random.default_rng(1).permutation(len(x))
    one = fit_posteriors([sum_rows(x, weight, score)], 0.1)
    same(one, fit_posteriors([sum_rows(x[order], weight[order], score[order])], 0.1))
    back = fit_posteriors([sum_rows(x[:, ::-1], weight, score)], 0.1)
    # Each fit may lie SETTLED of a standard deviation (.1) beside its fixed point.
    assert back.mean[0, ::-1] == pytest.approx(one.mean[0], abs=1e-4)
    turned = fit_posteriors([sum_rows(x * [1, -1, 1, 1, 1, 1], weight, score)], 0.1)
    assert turned.mean[0, 1] == pytest.approx(-one.mean[0, 1], abs=1e-4)


def test_many_fits_at_once_are_each_as_alone(monkeypatch):
    fits = [sum_rows(*some(n, seed=n)) for n in (5, 300, 40, 120, 7, 80)]
    scales = np.array([0.1, 0.01, 0.5, 0.1, 0.3, 0.1])
    together = fit_posteriors(fits, scales)
    for at, (one, scale) in enumerate(zip(fits, scales, strict=True)):
        alone = fit_posteriors([one], scale)
        assert together.mean[at] == pytest.approx(alone.mean[0], abs=1e-9)
        assert together.quantile(0.95)[at] == pytest.approx(alone.quantile(0.95)[0], abs=1e-9)
        assert (at in together.drawn) == bool(alone.drawn)
    monkeypatch.setattr(laplace_posterior, "AT_ONCE", 500)
    same(fit_posteriors(fits, scales), together)


# -- extreme data -----------------------------------------------------------------------------------------------------


def test_one_verdict_moves_a_weight_by_hardly_more_than_its_prior():
    found = fit_posteriors([rows([1.0], [1])], 0.1)
    # E[w sigmoid(w)] / E[sigmoid(w)] = E[w (1/2 + w/4 ...)] / (1/2) = E[w^2] / 2 = b^2.
    assert found.mean[0, 0] == pytest.approx(0.1**2, rel=0.02)


def test_hundred_million_to_one():
    found = fit_posteriors([rows([1.0], [1e8], [1e8 + 1])], 0.1)
    # The score 1e8 (1 - p) - p = 1 / b - as the prior pulls by 1 / b - is 0 at p = 1 - 11e-8.
    assert found.mean[0, 0] == pytest.approx(np.log(1e8 / 11), abs=0.05)
    assert 0.2 < found.sd[0, 0] < 0.4
    assert not found.rough.any()


def test_separation_and_all_draws_have_finite_weights():
    x = np.array([[1.0, 1], [1, 0], [1, -1], [0, 1]])
    found = fit_posteriors([rows(x, [1, 1, 1, 0.5])], 1.0)
    assert np.isfinite(found.mean).all()
    assert found.quantile(0.025)[0, 0] < 0 < found.mean[0, 0]
    even = fit_posteriors([rows(x, [0.5] * 4)], 0.1)
    assert even.mean == pytest.approx(0, abs=1e-6)


def test_more_properties_than_verdicts():
    rng = np.random.default_rng(3)
    x = np.sign(rng.standard_normal((100, 150))) * (rng.random((100, 150)) < 0.5)
    found = fit_posteriors([sum_rows(x, np.ones(100), (x[:, 0] > 0).astype(float))], 0.1)
    assert not found.rough.any()
    assert int(np.argmax(found.mean[0])) == 0
    assert (found.sd[0, 1:] < 0.1 * np.sqrt(2) * 1.6).all()


def test_a_posterior_that_too_few_draws_hold_is_called_rough(monkeypatch):
    case = next(c for c in CASES if c.name == "60 rows, near separation")
    monkeypatch.setattr(laplace_posterior, "ENOUGH", 10**6)
    assert fit_posteriors([sum_rows(*draw(case))], case.scale).rough.tolist() == [True]
    monkeypatch.setattr(laplace_posterior, "DRAWN_TO", 10)
    found = fit_posteriors([sum_rows(*draw(case))], case.scale)
    assert (found.rough.tolist(), dict(found.drawn)) == ([True], {})


def test_sites_that_do_not_settle_are_told(monkeypatch):
    monkeypatch.setattr("analysis.propagation.ROUNDS", 2)
    found = fit_posteriors([sum_rows(*some()), sum_rows(np.zeros((1, 6)), np.ones(1), np.ones(1))], 0.1)
    assert found.settled.tolist() == [False, True]


def test_verdicts_beyond_all_digits_do_not_settle_and_leave_others_alone():
    """Two rows that differ in one of 20 columns, billions of verdicts each, one of them without a loss."""
    x = np.ones((2, 20))
    x[1, 3] = 0
    heavy = sum_rows(x, np.array([2.6e9, 2e8]), np.array([1.2e9, 0.0]))
    usual = sum_rows(np.ones((1, 20)), np.array([5.0]), np.array([4.0]))
    found = fit_posteriors([heavy, usual], 0.1)
    alone = fit_posteriors([usual], 0.1)
    assert found.settled[1]
    assert found.mean[1] == pytest.approx(alone.mean[0], abs=1e-6)
    if found.settled[0]:
        # sigmoid of the sum is the share of wins, to the digits that such many verdicts give.
        assert found.mean[0].sum() == pytest.approx(np.log(1.2 / 1.4), abs=1e-3)


# -- from the prior ---------------------------------------------------------------------------------------------------


def test_the_table_holds_a_row_a_weight():
    found = fit_posteriors([sum_rows(*some(seed=s)) for s in (0, 1)], 0.1)
    table = found.table(0.9, [f"f{k}" for k in range(6)])
    assert table["fit"].tolist() == [0] * 6 + [1] * 6
    assert table["factor"].tolist() == [f"f{k}" for k in range(6)] * 2
    assert (table["lower"] < table["weight"]).all()
    assert (table["weight"] < table["upper"]).all()
    assert table["effect"].iloc[0] == pytest.approx(100 / (1 + np.exp(-table["weight"].iloc[0])))
    assert ((table["above_0"] > 0.95) == (table["lower"] > 0)).all()


@pytest.mark.slow
@pytest.mark.every(2, "world")
@pytest.mark.parametrize("world", [coverage_laplace.WORLDS[k] for k in (0, 1, 4)], ids=lambda world: world.name)
def test_ranks_of_drawn_weights_are_even(world):
    """Weights from the prior, verdicts from the weights, 100 times: where a weight lies in its posterior is uniform."""
    places = coverage_laplace.places(world, 100, 2)
    # Weights of one data set hang together little: the test takes them as 100 k uniform numbers, at one in a thousand.
    assert stats.kstest(places.reshape(-1), "uniform").pvalue > 0.001


def test_places_are_shares_below(monkeypatch):
    world = coverage_laplace.WORLDS[0]
    places = coverage_laplace.places(world, 2, 1)
    assert places.shape == (2, world.factors)
    assert ((places > 0) & (places < 1)).all()
    table = coverage_laplace.measure(2, 1, [world.name])
    assert {"world", "quantity", "coverage", "each_low", "each_high", "runs", "promised_low", "promised_high"} <= set(table)
    broken = table.assign(coverage=0.5, each_low=0.2, runs=500)
    assert coverage_laplace.broken_promises(broken)
    assert not coverage_laplace.broken_promises(table.assign(coverage=table["promised_low"], each_low=0.9, each_high=0.97))


# -- refusals ---------------------------------------------------------------------------------------------------------


def test_nothing_is_made_of_nothing():
    with pytest.raises(NotIdentifiedError, match="no judgment"):
        sum_rows(np.empty((0, 2)), np.empty(0), np.empty(0))
    with pytest.raises(ValueError, match="finite"):
        rows([[np.nan, 1.0]], [1])
    with pytest.raises(ValueError, match="weight must be > 0"):
        rows([[1.0]], [0], [0])
    with pytest.raises(ValueError, match="score between 0"):
        rows([[1.0]], [2], [1])
    with pytest.raises(ValueError, match="at least one fit"):
        fit_posteriors([], 0.1)
    one = rows([[1.0]], [1])
    for scale in (0.0, -1.0, np.nan):
        with pytest.raises(ValueError, match="scale of the prior"):
            fit_posteriors([one], scale)
    with pytest.raises(ValueError, match="same number"):
        fit_posteriors([one, rows([[1.0, 0.0]], [1])], 0.1)
