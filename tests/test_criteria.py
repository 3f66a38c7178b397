"""Several questions of one judge: by hand, statsmodels, sides, planted weights and correlations, the study, refusals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from test_agreement_study import call, stored

from analysis.criteria import Answers, Overall, explain, go_together, hold_together
from analysis.factor_covariance import weight_covariance
from analysis.factor_fit import fit_factors
from analysis.vcov import Clustering
from data.store import Store
from errors import EmptySelectionError, OptionError
from studies.agreement import JudgeAgreement
from studies.criteria import JudgeCriteria
from studies.rank import Rank

PAIR, PROMPT = Clustering("pair"), Clustering("prompt")
CRITERIA = ("clear", "correct")
SIDES = {1: "a", -1: "b", 0: "tie"}


def signs(rng: np.random.Generator, prompts: int, each: int, rho: float) -> np.ndarray:
    """(n, 2) sides of two criteria whose normal scores correlate at rho."""
    n = prompts * each
    common = rng.normal(size=n)
    z = np.sqrt(rho) * common[:, None] + np.sqrt(1 - rho) * rng.normal(size=(n, 2))
    return np.where(z > 0, 1.0, -1.0)


def world(seed: int, weights: Sequence[float], prompts: int = 100, each: int = 4, rho: float = 0.3,
          spread: float = 0.0) -> tuple[Answers, Overall]:  # fmt: skip
    """Overall verdicts that follow two criteria with these weights, which vary from prompt to prompt by `spread`."""
    rng = np.random.default_rng(seed)
    x = signs(rng, prompts, each, rho)
    prompt = np.repeat(np.arange(prompts), each)
    z = ((np.asarray(weights) + spread * rng.normal(size=(prompts, 2)))[prompt] * x).sum(axis=1)
    y = (rng.random(len(z)) < expit(z)).astype(float)
    pair = np.arange(len(x))
    nobody = np.full(len(x), -1)
    one = np.ones(len(x))
    overall = Overall(pair, nobody, one, y, one.astype(int), None, {"pair": pair, "prompt": prompt})
    return Answers(CRITERIA, x, pair, prompt, nobody), overall


def fitted(given: Answers, overall: Overall, by: Clustering) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    design, _ = explain(overall, given, CRITERIA)
    fit = fit_factors(design)
    covariance = weight_covariance([fit], [design], by)
    half = covariance.quantiles.two_sided() * covariance.se
    return fit.weights, fit.weights - half, fit.weights + half


# -- by hand -----------------------------------------------------------------------------------------------------------

HAND = [(1, 1), (1, 1), (1, -1), (-1, -1), (0, 1), (1, 0), (-1, 1), (0, 0)]


def test_correlation_by_hand() -> None:
    """Of eight pairs three have equal sides and two opposite ones: (3 - 2) / sqrt(6 * 6); four have one label."""
    one, two = np.array(HAND, dtype=float).T
    found = go_together(one, two, np.arange(8), PAIR)
    assert found["correlation"] == pytest.approx(1 / 6)
    assert found["same"] == pytest.approx(4 / 8)
    assert go_together(one, two, np.arange(8), PAIR, ties=False)["same"] == pytest.approx(3 / 5)


def test_weights_by_hand() -> None:
    """Two criteria that never go together: of 10 pairs in which correct alone speaks, 8 follow it; 6 of 10 for clear."""
    x = np.array([(0.0, 1.0)] * 10 + [(1.0, 0.0)] * 10)
    y = np.array([1.0] * 8 + [0.0] * 2 + [1.0] * 6 + [0.0] * 4)
    at, nobody, one = np.arange(20), np.full(20, -1), np.ones(20)
    overall = Overall(at, nobody, one, y, one.astype(int), None, {"pair": at, "prompt": at})
    weights, _, _ = fitted(Answers(CRITERIA, x, at, at, nobody), overall, PAIR)
    np.testing.assert_allclose(weights, [np.log(6 / 4), np.log(8 / 2)])


def test_only_what_one_voter_said_of_everything_counts() -> None:
    x = np.array([[1.0, 1.0], [1.0, np.nan], [-1.0, 1.0]])
    given = Answers(CRITERIA, x, np.array([0, 0, 3]), np.array([0, 0, 0]), np.array([5, 7, -1]))
    pair, voter = np.array([0, 0, 0, 3, 4]), np.array([5, 5, 7, -1, -1])
    one = np.ones(5)
    overall = Overall(pair, voter, one, one, one.astype(int), np.array([1.0, -1, 0, 1, 1]), {"pair": pair, "prompt": pair})
    design, rows = explain(overall, given, CRITERIA)
    assert rows.tolist() == [0, 1, 3]
    np.testing.assert_array_equal(design.x[:, design.at].T, [[1, 1], [1, 1], [-1, 1]])
    assert design.first is not None
    assert design.first.tolist() == [1, -1, 1]


# -- parity and properties ---------------------------------------------------------------------------------------------


def test_statsmodels() -> None:
    from statsmodels.api import GLM, families

    given, overall = world(3, (0.4, 1.2))
    design, _ = explain(overall, given, CRITERIA)
    fit = fit_factors(design)
    model = GLM(overall.score, given.x, family=families.Binomial())
    found = model.fit(cov_type="cluster", cov_kwds={"groups": given.prompt, "use_correction": False})
    np.testing.assert_allclose(fit.weights, found.params, rtol=1e-6)
    # Their sandwich without the factor G/(G - 1).
    se = weight_covariance([fit], [design], PROMPT).se
    np.testing.assert_allclose(se, found.bse * np.sqrt(100 / 99), rtol=1e-6)


def test_numpy_correlation() -> None:
    """Doubled with exchanged sides every mean is 0, and the usual correlation is the one about 0."""
    one, two = signs(np.random.default_rng(0), 50, 2, 0.4).T
    one[::7] = 0.0
    found = go_together(one, two, np.arange(100), PAIR)
    assert found["correlation"] == pytest.approx(np.corrcoef(np.r_[one, -one], np.r_[two, -two])[0, 1])


def test_what_sides_are_called_changes_nothing() -> None:
    given, overall = world(4, (0.4, 1.2))
    flip = np.random.default_rng(0).choice([-1.0, 1.0], len(given))
    turned = Answers(CRITERIA, given.x * flip[:, None], given.pair, given.prompt, given.voter)
    y = np.where(flip > 0, overall.score, 1 - overall.score)
    other = Overall(overall.pair, overall.voter, overall.weight, y, overall.count, None, overall.clusters)
    for one, two in zip(fitted(given, overall, PROMPT), fitted(turned, other, PROMPT), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-9)
    first, second = (
        go_together(some.column("clear"), some.column("correct"), some.prompt, PROMPT) for some in (given, turned)
    )
    np.testing.assert_allclose(first.value, second.value)
    np.testing.assert_allclose(first.se, second.se)


def test_a_criterion_that_is_never_anything_but_even_goes_with_nothing() -> None:
    found = go_together(np.zeros(9), np.ones(9), np.arange(9), PAIR)
    assert np.isnan(found["correlation"])
    assert found["same"] == 0
    assert np.isnan(go_together(np.full(9, np.nan), np.ones(9), np.arange(9), PAIR)["same"])


# -- planted truth -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.every(2, "prompts", shift=1)
@pytest.mark.parametrize("prompts", [100, 30])
def test_intervals_cover(prompts: int) -> None:
    """100 worlds; at .95, 88 hits or fewer have probability .003 for each of the quantities."""
    # Weights that vary by prompt, normally with sd .5, are pseudo-truly those of the mean odds.
    at, mass = np.polynomial.hermite_e.hermegauss(41)
    mass = mass / mass.sum()
    draws = np.array([(i, j) for i in at for j in at]) * 0.5 + np.array([0.4, 1.2])
    w = np.outer(mass, mass).ravel()
    odds = {sign: float(w @ expit(draws @ np.array([1, sign]))) for sign in (1, -1)}
    plus, minus = (np.log(p / (1 - p)) for p in (odds[1], odds[-1]))
    truth = np.array([(plus + minus) / 2, (plus - minus) / 2])
    # Two signs of normal scores that correlate at rho: 2 / pi * arcsin(rho).
    together = 2 / np.pi * np.arcsin(0.3)
    hits = np.zeros(3)
    for seed in range(100):
        given, overall = world(seed, (0.4, 1.2), prompts, spread=0.5)
        _, low, high = fitted(given, overall, PROMPT)
        hits[:2] += (low <= truth) & (truth <= high)
        one = go_together(given.x[:, 0], given.x[:, 1], given.prompt, PROMPT).one("correlation")
        assert one is not None
        hits[2] += one["lower"] <= together <= one["upper"]
    assert hits.min() >= 88, hits


@pytest.mark.slow
def test_equal_correlations_are_told_apart_as_seldom_as_promised() -> None:
    """100 worlds without a difference: 12 tests or more below .05 have probability .005."""
    found = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        judge, people = signs(rng, 60, 2, 0.3), signs(rng, 60, 2, 0.3)
        prompt = np.repeat(np.arange(60), 2)
        one = hold_together((judge[:, 0], judge[:, 1], prompt), (people[:, 0], people[:, 1], prompt), PROMPT)
        found += one.p_value("difference") < 0.05
    assert found < 12


# -- the study ---------------------------------------------------------------------------------------------------------

MODELS = ("m1", "m2", "m3")


def rows(prompts: int = 60, seed: int = 1, judges: Sequence[tuple[str, float, float]] = (("llm", 0.2, 1.6),)) -> list[
    dict[str, object]
]:  # fmt: skip
    """People weigh clear and correct alike, at 1; a judge as planted. Criteria are judged by people with noise."""
    rng = np.random.default_rng(seed)
    out: list[dict[str, object]] = []
    for prompt in range(prompts):
        for one, two in (("m1", "m2"), ("m1", "m3"), ("m2", "m3")):
            truth = signs(rng, 1, 1, 0.3)[0]
            about = {"prompt": f"p{prompt}", "model_a": one, "model_b": two, "response_a": f"{one} {prompt}",
                     "response_b": f"{two} {prompt}"}  # fmt: skip
            for name, *weights in (("people", 1.0, 1.0), *judges):
                said = truth * np.where(rng.random(2) < 0.15, -1, 1)
                said[rng.random(2) < 0.1] = 0
                overall = 1 if rng.random() < expit(said @ np.array(weights)) else -1
                who = {"judge": name, "judge_kind": "human" if name == "people" else "llm"}
                for criterion, side in (*zip(CRITERIA, said, strict=True), ("overall", overall)):
                    out.append(about | who | {"criterion": criterion, "winner": SIDES[int(side)]})
    return out


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return stored(tmp_path_factory.mktemp("criteria") / "all", rows())


def test_the_study_says_what_other_studies_say(store: Store) -> None:
    result = JudgeCriteria().run(store)
    criteria = result.table()
    assert f"intervals, clustered by {criteria['clusters'].max()} prompts." in result.caption
    assert criteria["criterion"].tolist() == ["clear", "correct", "overall"] * 2
    by_agreement = JudgeAgreement().run(store).table("criteria").set_index("criterion")
    mine = criteria[criteria["judge"] == "llm"].set_index("criterion")
    for name in ("agreement", "lower", "upper", "comparisons"):
        assert mine[name].tolist() == pytest.approx(by_agreement.loc[mine.index, name].tolist())
    ranked = Rank(criterion="clear").run(store).table()
    models = result.table("models").query("criterion == 'clear'")
    assert models["strength"].tolist() == pytest.approx(ranked["strength"].tolist())
    # The order by one criterion against that on the whole, by two rankings of the same pairs.
    whole = Rank(criterion="overall").run(store).table()
    for judge in ("people", "llm"):
        by = [one[one["judge"] == judge].set_index("model")["strength"] for one in (ranked, whole)]
        row = criteria[(criteria["judge"] == judge) & (criteria["criterion"] == "clear")].iloc[0]
        assert row["order"] == pytest.approx(by[0].corr(by[1], method="spearman"))
        assert row["order_lower"] <= row["order"] <= row["order_upper"]
    assert set(result.table("orders")["criterion"]) == {"overall", *CRITERIA}
    assert len(result.table("model_gaps")) == 9
    assert "follows correct" in result.findings[1].text


def test_planted_weights_are_found(store: Store) -> None:
    result = JudgeCriteria().run(store)
    weights = result.table("weights").set_index(["judge", "criterion"])
    for (judge, criterion), planted in ((("people", "clear"), 1.0), (("people", "correct"), 1.0),
                                        (("llm", "clear"), 0.2), (("llm", "correct"), 1.6)):  # fmt: skip
        row = weights.loc[(judge, criterion)]
        assert row["lower"] < planted < row["upper"]
        assert row["effect"] == pytest.approx(100 * expit(row["weight"]))
    gaps = result.table("weight_gaps").set_index("criterion")
    assert gaps.loc["clear", "upper"] < 0 < gaps.loc["correct", "lower"]
    # Everybody judged the same pairs on everything: the joint fit has the weights of each alone.
    assert gaps.loc["clear", "gap"] == pytest.approx(weights.loc[("llm", "clear"), "weight"] -
                                                     weights.loc[("people", "clear"), "weight"])  # fmt: skip


def test_correlations_against_numpy(store: Store) -> None:
    table = JudgeCriteria().run(store).table("correlations").set_index(["judge", "criterion_1", "criterion_2"])
    given = pd.DataFrame(rows())
    given["x"] = given["winner"].map({"a": 1.0, "b": -1.0, "tie": 0.0})
    wide = given.pivot_table(index=["judge", "prompt", "model_a", "model_b"], columns="criterion", values="x")
    found = {}
    for judge, part in wide.groupby(level=0):
        x, y = part["clear"], part["correct"]
        found[judge] = float((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum()))
        row = table.loc[(judge, "clear", "correct")]
        assert row["correlation"] == pytest.approx(found[judge])
        assert row["same"] == pytest.approx((np.sign(x) == np.sign(y)).mean())
    held = table.loc[("llm", "clear", "correct")]
    assert held["difference"] == pytest.approx(found["llm"] - found["people"])
    assert held["difference_lower"] < held["difference"] < held["difference_upper"]


def test_repeats_orders_and_weights_enter_once(tmp_path: Path) -> None:
    """The same said twice, in both orders, is the same; doubled weights change no estimate."""
    given = rows(30)
    plain = JudgeCriteria().run(stored(tmp_path / "one", given)).table("weights")
    twice = [row | {"swapped": side} for row in given for side in ("true", "false")]
    both = JudgeCriteria().run(stored(tmp_path / "two", twice))
    assert both.table("weights").query("criterion != 'first_position'")["weight"].tolist() == pytest.approx(
        plain["weight"].tolist()
    )
    heavy = JudgeCriteria().run(stored(tmp_path / "three", [row | {"weight": 2} for row in given]))
    assert heavy.table("weights")["weight"].tolist() == pytest.approx(plain["weight"].tolist())
    assert heavy.table("weights")["se"].tolist() == pytest.approx(plain["se"].tolist())


def test_the_shown_order_is_held_equal(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    given = [row | {"swapped": str(bool(rng.random() < 0.5)).lower()} for row in rows(60)]
    table = JudgeCriteria().run(stored(tmp_path / "p", given)).table("weights")
    assert table["criterion"].tolist() == ["first_position", *CRITERIA] * 2
    assert table.query("criterion == 'first_position'")["q"].isna().all()


def test_ties_left_out(store: Store) -> None:
    kept, dropped = (JudgeCriteria(ties=ties).run(store).table().query("judge == 'llm'") for ties in ("half", "drop"))
    assert dropped["comparisons"].sum() < kept["comparisons"].sum()
    assert dropped["same"].iloc[0] != kept["same"].iloc[0]


def test_one_judge_alone(tmp_path: Path) -> None:
    given = [row for row in rows(30) if row["judge"] == "llm"]
    result = JudgeCriteria().run(stored(tmp_path / "alone", given))
    assert result.table()["agreement"].isna().all()
    assert len(result.table("weights")) == 2
    assert len(result.table("weight_gaps")) == 0
    assert call(Store(tmp_path / "alone" / "s.duckdb"), "criteria", "--dataset", "d")[0] == 0


def test_no_models_no_common_pairs_and_criteria_of_one_judge_only(tmp_path: Path) -> None:
    given = [{k: v for k, v in row.items() if not k.startswith("model")} for row in rows(30)]
    result = JudgeCriteria().run(stored(tmp_path / "n", given))
    assert "models are not named" in " ".join(result.warnings)
    assert result.table("models").empty
    given = [row for row in rows(30) if row["judge"] == "llm" or row["criterion"] == "overall"]
    result = JudgeCriteria().run(stored(tmp_path / "c", given))
    assert "people: no other criterion is there" in " ".join(result.warnings)
    assert result.table("weights")["judge"].unique().tolist() == ["llm"]
    # A judge that always follows one criterion.
    always = rows(30)
    for row, overall in zip(always, [row for row in always if row["criterion"] == "correct" for _ in range(3)],
                            strict=True):  # fmt: skip
        if row["criterion"] == "overall":
            row["winner"] = overall["winner"]
    result = JudgeCriteria().run(stored(tmp_path / "s", always))
    assert "the answer that it speaks for is always preferred (separation)" in " ".join(result.warnings)
    assert "factor" not in " ".join(result.warnings)
    assert "correct" not in result.table("weights")["criterion"].tolist()


def test_a_judge_without_a_verdict_here(tmp_path: Path) -> None:
    """One of whom the chosen scenario has nothing, and one of whom it has the overall verdict alone."""
    given = [row | {"scenario": "code"} for row in rows(20)]
    given += [row | {"judge": "late", "scenario": "poem", "prompt": "z" + str(row["prompt"])} for row in rows(20)
              if row["judge"] == "llm"]  # fmt: skip
    given += [row | {"judge": "short"} for row in given if row["judge"] == "llm" and row["criterion"] == "overall"]
    store = stored(tmp_path / "v", given)
    result = JudgeCriteria(scenario=("code",)).run(store)
    assert "late: no other criterion is there" in " ".join(result.warnings).replace("late and short", "late")
    assert set(result.table()["judge"]) == {"people", "llm", "short"}
    assert set(result.table("correlations")["judge"]) == {"people", "llm"}
    with pytest.raises(EmptySelectionError, match="what late said has no verdict"):
        JudgeCriteria(scenario=("code",), judge=("late",)).run(store)


def test_refusals(tmp_path: Path) -> None:
    one = stored(tmp_path / "o", [row for row in rows(10) if row["criterion"] == "overall"])
    with pytest.raises(EmptySelectionError, match=r"dataset 'd' has one criterion only \('overall'\): import .*criterion"):
        JudgeCriteria().run(one)
    several = stored(tmp_path / "s", [row for row in rows(10) if row["criterion"] != "overall"])
    with pytest.raises(OptionError, match="several criteria and none is called overall: choose with --criterion"):
        JudgeCriteria().run(several)
    result = JudgeCriteria(criterion="correct").run(several)
    assert result.table("weights")["criterion"].unique().tolist() == ["clear"]
    with pytest.raises(OptionError, match="by prompt or by pair"):
        JudgeCriteria(cluster="annotator", criterion="correct").run(several)


