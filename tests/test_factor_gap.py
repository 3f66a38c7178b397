"""Gaps of factor weights: by hand, as one stacked regression, marginal effects by differences, model effects as dummies,
symmetries, what is refused, and the smallest gap against the power of its test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from analysis.cells import Cells
from analysis.design import FIRST, Design
from analysis.factor_covariance import weight_covariance
from analysis.factor_fit import fit_factors
from analysis.factor_gap import find_factor_gap, find_factor_gap_within, smallest_gap
from analysis.marginal import marginal_effects
from analysis.vcov import Clustering, Covariance, Quantiles, Term
from errors import NotIdentifiedError

PROMPT = Clustering("prompt")
WEIGHTS = np.array([0.6, -0.4, 0.0, 0.5])


def design(
    x: np.ndarray, weights: np.ndarray, rng: np.random.Generator, *, prompts: int = 120, tie: float = 0.3,
    position: float | None = 0.2, apart: bool = False,
) -> Design:  # fmt: skip
    """One judgment on each pair, pairs spread over prompts."""
    n = x.shape[1]
    first = rng.choice([-1.0, 1.0], n)
    latent = weights @ x + (position or 0.0) * first + rng.logistic(size=n)
    score = np.where(np.abs(latent) < tie, 0.5, (latent > 0).astype(float))
    at = np.arange(n)
    return Design(
        tuple("wxyz"[: len(x)]), x, at, at, np.ones(n), score, np.ones(n, dtype=np.int64),
        first if position is not None else None, (score == 0.5).astype(float) if apart else None,
        {"prompt": at % prompts, "pair": at},
    )  # fmt: skip


def judges(n: int = 1_200, seed: int = 0, **how: object) -> tuple[Design, Design]:
    """People, and a judge half as decisive again with another taste in the last factor."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((4, n))
    own = 1.5 * WEIGHTS + np.array([0, 0, 0, -1.0])
    return design(x, WEIGHTS, rng, **how), design(x, own, rng, **how)  # type: ignore[arg-type]


def flag(won: int, lost: int, pairs: int) -> Design:
    """A factor that differs by one in all pairs, of which the first `won` are won by the answer with more of it."""
    at = np.arange(pairs)
    x = np.vstack([np.where(at % 2, 1.0, -1.0), np.where(at % 4 < 2, 1.0, -1.0)])
    score = np.where(np.arange(pairs) % (won + lost) < won, x[0] > 0, x[0] < 0).astype(float)
    return Design(("more", "other"), x, at, at, np.ones(pairs), score, np.ones(pairs, dtype=np.int64),
                  clusters={"pair": at})  # fmt: skip


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_a_gap_by_hand() -> None:
    """The reference prefers the answer with more 3 to 1, the judge 4 to 1: log 4 - log 3 apart."""
    found = find_factor_gap(flag(3, 1, 80).without(["other"]), flag(4, 1, 80).without(["other"]), Clustering("none"))
    row = found.table().iloc[0]
    assert row["weight_ref"] == pytest.approx(np.log(3), abs=1e-9)
    assert row["weight_judge"] == pytest.approx(np.log(4), abs=1e-9)
    assert row["gap"] == pytest.approx(np.log(4 / 3), abs=1e-9)
    # 1 / (n p q) each; without clusters the two judges have nothing in common.
    assert row["se"] == pytest.approx(np.sqrt(1 / (80 * 3 / 16) + 1 / (80 * 4 / 25)), abs=1e-9)
    # 100 * w * p * q, as all pairs differ by one.
    assert row["ame_ref"] == pytest.approx(100 * np.log(3) * 3 / 16, abs=1e-7)
    assert row["ame_judge"] == pytest.approx(100 * np.log(4) * 4 / 25, abs=1e-7)
    assert row["ame_gap"] == pytest.approx(row["ame_judge"] - row["ame_ref"], abs=1e-9)
    # One weight has no scale: whatever it is, it is decisiveness.
    assert found.gaps.scale is None
    assert "two independent weights" in found.warnings[-1]
    assert found.n_judgments == (80, 80)
    assert found.n_pairs == 80


def test_the_position_is_told_but_neither_counted_nor_scaled() -> None:
    one, two = judges(seed=1)
    found = find_factor_gap(one, two, PROMPT)
    table = found.table().set_index("factor")
    assert found.names == (FIRST, "w", "x", "y", "z")
    assert table.loc[FIRST, ["q", "scaled_q", "ame_gap", "vif"]].isna().all()
    assert not np.isnan(table.loc[FIRST, "gap"])
    q = stats.false_discovery_control(table["scaled_p"][1:].to_numpy(dtype=float))
    assert table["scaled_q"][1:].to_numpy(dtype=float) == pytest.approx(q)
    assert found.gaps.scale is not None
    assert not found.gaps.scale.agreeing[0]


# --- parity -----------------------------------------------------------------------------------------------------------


def test_gaps_are_the_interactions_of_one_stacked_regression() -> None:
    one, two = judges(1_600, prompts=200)
    table = find_factor_gap(one, two, PROMPT).table()
    both = []
    for own, d in enumerate((one, two)):
        assert d.first is not None
        x = np.vstack([d.first, d.x]).T
        both.append(np.hstack([x, own * x]))
    groups = np.concatenate([d.clusters["prompt"] for d in (one, two)])
    theirs = sm.GLM(np.concatenate([one.score, two.score]), np.vstack(both), family=sm.families.Binomial()).fit(
        tol=1e-14, maxiter=100, cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    assert table["gap"].to_numpy(dtype=float) == pytest.approx(theirs.params[5:], abs=1e-9)
    assert table["se"].to_numpy(dtype=float) == pytest.approx(theirs.bse[5:] * np.sqrt(200 / 199), rel=1e-7)
    assert table["p"].to_numpy(dtype=float) == pytest.approx(
        2 * stats.norm.sf(np.abs(theirs.params[5:] / theirs.bse[5:]) / np.sqrt(200 / 199)), rel=1e-6
    )


def test_few_prompts_delete_one_at_a_time_with_the_scale() -> None:
    one, two = judges(600, prompts=12)
    found = find_factor_gap(one, two, PROMPT)
    assert found.gaps.scale is not None
    gaps = []
    for prompt in range(12):
        parts = [fit_factors(d.take(d.clusters["prompt"] != prompt)).parameters for d in (one, two)]
        gaps.append(parts[1] - parts[0])
    whole = fit_factors(two).parameters - fit_factors(one).parameters
    expected = np.sqrt(11 / 12 * ((np.array(gaps) - whole) ** 2).sum(axis=0))
    assert found.table()["se"].to_numpy(dtype=float) == pytest.approx(expected, rel=1e-5)
    assert found.gaps.gap.quantiles.df == 11


def test_marginal_effects_are_those_of_statsmodels() -> None:
    one, _ = judges(800, tie=0.0, position=None, prompts=200)
    fit = fit_factors(one)
    ours = marginal_effects([fit], weight_covariance([fit], [one], Clustering("none")), one.columns)
    theirs = sm.Logit(one.score, one.x.T).fit(disp=0, method="newton", tol=1e-14).get_margeff(at="overall")
    assert ours.estimate == pytest.approx(100 * theirs.margeff, rel=1e-7)
    assert ours.se == pytest.approx(100 * theirs.margeff_se, rel=1e-6)


@pytest.mark.parametrize("rule", ["half", "davidson", "rao-kupper"])
def test_marginal_effects_are_slopes_of_the_expected_score(rule: str) -> None:
    """Differences of the expected preference without a position, and their derivatives by all parameters."""
    one, _ = judges(400, tie=0.5, apart=rule != "half")
    fit = fit_factors(one, ties=rule)  # type: ignore[arg-type]

    def preference(eta: np.ndarray, tie: float) -> np.ndarray:
        if rule == "davidson":
            win, loss = np.exp(eta / 2), np.exp(-eta / 2)
            return (win + np.exp(tie) / 2) / (win + loss + np.exp(tie))
        tie = tie if rule == "rao-kupper" else 0.0
        return (stats.logistic.cdf(eta - tie) + stats.logistic.cdf(eta + tie)) / 2

    def effects(parameters: np.ndarray) -> np.ndarray:
        eta, tie, h = parameters[1:5] @ one.x, parameters[-1], 1e-4
        slope = (preference(eta + h, tie) - preference(eta - h, tie)) / (2 * h)
        return 100 * parameters[1:5] * slope.mean()

    covariance = weight_covariance([fit], [one], Clustering("none"))
    found = marginal_effects([fit], covariance, one.columns)
    assert found.estimate == pytest.approx(effects(fit.parameters), rel=1e-6)
    steps = 1e-4 * np.eye(len(fit.parameters))
    jacobian = np.array([(effects(fit.parameters + h) - effects(fit.parameters - h)) / 2e-4 for h in steps]).T
    assert found.vcov == pytest.approx(jacobian @ covariance.vcov @ jacobian.T, rel=1e-4, abs=1e-8)


def within(d: Design, names: tuple[str, ...], i: np.ndarray, j: np.ndarray) -> Cells:
    return Cells(
        names, i, j, d.weight, d.score, d.count, d.first, d.clusters,
        covariates={name: d.x[k] for k, name in enumerate(d.names)},
    )  # fmt: skip


def test_model_effects_are_dummies_in_one_stacked_regression() -> None:
    one, two = judges(1_600, prompts=200)
    rng = np.random.default_rng(3)
    names = ("a", "b", "c", "d")
    i = rng.integers(4, size=1_600)
    j = (i + rng.integers(1, 4, 1_600)) % 4
    found = find_factor_gap_within(within(one, names, i, j), within(two, names, i, j), PROMPT)
    dummies = (np.eye(4)[i] - np.eye(4)[j])[:, 1:]
    both = []
    for own, d in enumerate((one, two)):
        assert d.first is not None
        x = np.column_stack([d.first, d.x.T, dummies])
        both.append(np.hstack([x, own * x]))
    groups = np.concatenate([d.clusters["prompt"] for d in (one, two)])
    theirs = sm.GLM(np.concatenate([one.score, two.score]), np.vstack(both), family=sm.families.Binomial()).fit(
        tol=1e-14, maxiter=100, cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    table = found.table()
    assert table["factor"].tolist() == [FIRST, "w", "x", "y", "z"]
    assert table["gap"].to_numpy(dtype=float) == pytest.approx(theirs.params[8:13], abs=1e-7)
    assert table["se"].to_numpy(dtype=float) == pytest.approx(theirs.bse[8:13] * np.sqrt(200 / 199), rel=1e-5)
    assert found.marginal is None
    assert found.n_pairs == 1_600


# --- properties -------------------------------------------------------------------------------------------------------


def same(one: object, two: object) -> None:
    a, b = (found.table().drop(columns="factor").to_numpy(dtype=float, na_value=np.nan) for found in (one, two))  # type: ignore[attr-defined]
    assert a == pytest.approx(b, rel=1e-6, abs=1e-8, nan_ok=True)


def test_exchanging_a_and_b_changes_nothing() -> None:
    one, two = judges()
    turn = np.where(np.arange(1_200) % 3 == 0, -1.0, 1.0)

    def turned(d: Design) -> Design:
        assert d.first is not None
        return replace(
            d, x=d.x * turn, score=np.where(turn < 0, d.weight - d.score, d.score), first=d.first * turn
        )  # fmt: skip

    same(find_factor_gap(one, two, PROMPT), find_factor_gap(turned(one), turned(two), PROMPT))


def test_doubled_judgments_and_renumbered_clusters_change_nothing() -> None:
    one, two = judges()
    once = find_factor_gap(one, two, PROMPT)
    numbers = np.random.default_rng(0).permutation(120) * 7

    def other(d: Design) -> Design:
        return replace(
            d, weight=2 * d.weight, score=2 * d.score, clusters={"prompt": numbers[d.clusters["prompt"]]}
        )  # fmt: skip

    same(once, find_factor_gap(other(one), other(two), PROMPT))


def test_reference_and_judge_exchanged_turn_every_gap() -> None:
    one, two = judges()
    here, there = find_factor_gap(one, two, PROMPT), find_factor_gap(two, one, PROMPT)
    assert there.gaps.gap.estimate == pytest.approx(-here.gaps.gap.estimate, abs=1e-12)
    assert there.gaps.gap.se == pytest.approx(here.gaps.gap.se, rel=1e-9)
    assert there.table()["ame_gap"][1:].to_numpy(float) == pytest.approx(-here.table()["ame_gap"][1:].to_numpy(float))
    assert here.gaps.scale is not None
    assert there.gaps.scale is not None
    assert there.gaps.scale.value == pytest.approx(1 / here.gaps.scale.value, rel=1e-6)


def test_only_shared_pairs_count() -> None:
    one, two = judges()
    some = find_factor_gap(one.take(np.arange(900)), two.take(np.arange(300, 1_200)), PROMPT)
    middle = np.arange(300, 900)
    same(some, find_factor_gap(one.take(middle), two.take(middle), PROMPT))
    assert some.n_pairs == 600
    assert some.n_judgments == (600, 600)


def test_a_judge_against_itself_has_no_gap() -> None:
    one, _ = judges()
    table = find_factor_gap(one, one, PROMPT).table()
    assert (table["gap"] == 0).all()
    assert table[["p", "q", "scaled_p"]].isna().all().all()


# --- recovery ---------------------------------------------------------------------------------------------------------


def test_a_planted_taste_is_told_from_decisiveness() -> None:
    one, two = judges(8_000, seed=5, prompts=400, tie=0.0)
    found = find_factor_gap(one, two, PROMPT)
    assert found.gaps.scale is not None
    # Standard error .07.
    assert found.gaps.scale.value == pytest.approx(1.5, abs=0.2)
    table = found.table().set_index("factor")
    assert table.loc["z", "gap_scaled"] == pytest.approx(-1.0, abs=0.15)
    assert table.loc["z", "scaled_q"] < 1e-6
    assert (table.loc[["w", "x", "y"], "scaled_q"] > 0.01).all()
    assert table.loc["w", "q"] < 1e-3


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_judges_without_a_shared_pair_are_refused() -> None:
    one, two = judges()
    with pytest.raises(NotIdentifiedError, match="share no pair"):
        find_factor_gap(one.take(np.arange(600)), two.take(np.arange(600, 1_200)), PROMPT)


def test_what_one_judge_does_not_determine_is_left_out_of_both() -> None:
    one, two = judges(seed=2)
    x = one.x.copy()
    x[1] = 0.0
    found = find_factor_gap(replace(one, x=x), replace(two, x=x), PROMPT, names=("people", "gpt"))
    assert set(found.dropped) == {"x"}
    assert "do not differ" in found.dropped["x"]
    assert "people" in found.dropped["x"]
    assert found.names == (FIRST, "w", "y", "z")
    # A flag only in what one judge prefers goes for both; where none is left, each reason is said.
    x = np.where(np.arange(1_200) < 40, 2 * one.score - 1, 0.0)[None, :]
    two = replace(two, score=1 - one.score)
    with pytest.raises(NotIdentifiedError, match=r"people: none of .* w: wherever two answers differ"):
        find_factor_gap(
            replace(one, names=("w",), x=x), replace(two, names=("w",), x=x), PROMPT, names=("people", "gpt")
        )


def test_factors_that_rest_on_one_prompt_each_are_refused_with_the_reason() -> None:
    one, two = judges(600, prompts=12)
    x = np.where(one.clusters["prompt"] == np.array([[1], [2], [3], [4]]), one.x, 0.0)
    with pytest.raises(NotIdentifiedError, match="only one prompt has answers that differ in it"):
        find_factor_gap(replace(one, x=x), replace(two, x=x), PROMPT)


def test_within_models_needs_models_that_both_can_rank() -> None:
    one, two = judges(400, position=None)
    half = np.arange(400) < 200
    i, j = np.where(half, 0, 2), np.where(half, 1, 3)
    left, right = (within(d, ("a", "b", "c", "d"), i, j) for d in (one, two))
    alone = [left.take(half) if hasattr(left, "take") else left, right]
    with pytest.raises(NotIdentifiedError):
        find_factor_gap_within(alone[0].among(("a", "b")), alone[1].among(("c", "d")), PROMPT)


# --- power ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("df", "within_points"), [(None, 1e-3), (200, 0.005), (12, 0.02)])
def test_the_smallest_gap_is_found_four_times_in_five(df: float | None, within_points: float) -> None:
    """The power of the two-sided t test of an estimate that lies so many standard errors from 0."""
    se = np.array([0.05, 0.2])
    for gap, error in zip(smallest_gap(se, Quantiles(df)), se, strict=True):
        if df is None:
            limit = stats.norm.ppf(0.975)
            power = stats.norm.sf(limit - gap / error) + stats.norm.cdf(-limit - gap / error)
        else:
            limit = stats.t.ppf(0.975, df)
            power = stats.nct.sf(limit, df, gap / error) + stats.nct.cdf(-limit, df, gap / error)
        assert power == pytest.approx(0.8, abs=within_points)


def test_four_times_the_data_find_half_the_gap() -> None:
    se = np.array([0.1])
    assert smallest_gap(se, Quantiles(None), 4) == pytest.approx(smallest_gap(se, Quantiles(None)) / 2)
    # From 13 clusters to 52 the quantiles shrink too.
    assert smallest_gap(se, Quantiles(12.0), 4)[0] < smallest_gap(se, Quantiles(12.0))[0] / 2
    expected = (stats.t.ppf(0.975, 51) + stats.t.ppf(0.8, 51)) * 0.1 / 2
    assert smallest_gap(se, Quantiles(12.0), 4)[0] == pytest.approx(expected)


def test_a_covariance_of_some_is_that_part_of_the_whole() -> None:
    from analysis.factor_gap import select

    root = np.random.default_rng(0).normal(size=(4, 4))
    whole = Covariance(PROMPT, np.arange(4.0), (Term("prompt", 60, 1, 60, np.empty((0, 4)), root @ root.T),))
    some = select(whole, [2, 0])
    assert some.estimate.tolist() == [2.0, 0.0]
    assert some.vcov == pytest.approx(whole.vcov[np.ix_([2, 0], [2, 0])])
