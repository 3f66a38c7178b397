"""Studies of factors on what strangers bring: copies, clones, lonely judges, little overlap, one factor, two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from test_factor_studies import stored

from analysis.gap import NOISELESS, SAME_NOISE
from data.store import Store
from errors import NotIdentifiedError
from studies.by_scenario import run_by_scenario
from studies.factors_decided import FactorsDecided
from studies.factors_fit import FactorsFit
from studies.factors_gap import FactorsGap
from studies.factors_scenarios import FactorsScenarios
from studies.factors_strength import FactorsStrength
from studies.factors_table import FactorsTable
from studies.factors_trust import FactorsTrust
from studies.factors_variants import FactorsVariants

PEOPLE, ROBOT = (0.9, -0.6, 0.5), (0.9, -0.6, 1.2)


def rows(prompts: int = 30, factors: int = 3, seed: int = 0, robot: tuple[float, ...] = ROBOT) -> list[dict[str, Any]]:
    """Four models, all pairs, two judges, two scenarios, no shown order."""
    rng = np.random.default_rng(seed)
    out = []
    for prompt in range(prompts):
        value = rng.normal(size=(4, factors)).round(3)
        for a, b in ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)):
            for judge, taste in (("people", PEOPLE[:factors]), ("robot", robot)):
                chance = 1 / (1 + np.exp(-(value[a] - value[b]) @ np.array(taste)))
                out.append(
                    {"prompt": f"p{prompt}", "scenario": ("even", "odd")[prompt % 2], "model_a": f"m{a}", "model_b": f"m{b}",
                     "judge": judge, "judge_kind": "human" if judge == "people" else "llm",
                     "winner": "a" if rng.random() < chance else "b"}
                    | {f"f{k}_{side}": value[m, k] for k in range(factors) for side, m in (("a", a), ("b", b))}
                )  # fmt: skip
    return out


def some(given: list[dict[str, Any]], judge: str, numbers: range) -> list[dict[str, Any]]:
    """The rows of one judge on these prompts."""
    return [row for row in given if row["judge"] == judge and int(row["prompt"][1:]) in numbers]


@pytest.fixture(scope="module")
def clones(tmp_path_factory: pytest.TempPathFactory) -> Store:
    given = rows(20)
    people = [row for row in given if row["judge"] == "people"]
    robot = [row | {"judge": "robot", "judge_kind": "llm"} for row in people]
    return stored(tmp_path_factory.mktemp("clones"), people + robot)


def test_prompts_that_are_copies_tell_nothing_of_how_sure_a_weight_is(tmp_path: Path) -> None:
    """Errors of copies are 0 but for rounding, of which no p-value may be made."""
    one = rows(1, seed=3)
    other = [row | {"winner": ("a", "b", "tie")[n % 3], "repeat": 1} for n, row in enumerate(one)]
    store = stored(tmp_path, [row | {"prompt": f"p{k}"} for k in range(12) for row in one + other])
    result = FactorsFit().run(store)
    table = result.table()
    assert table["weight"].notna().all()
    assert table[["se", "lower", "upper", "effect_lower", "p", "q"]].isna().all().all()
    assert any("every prompt says the same of" in w for w in result.warnings)
    assert "beyond noise" in FactorsFit.line(FactorsFit(judge=("robot",)).run(store)).finding
    gap = FactorsGap().run(store)
    assert gap.table()[["p", "q", "lower", "gap_scaled", "ref_lower", "ame_lower"]].isna().all().all()
    assert NOISELESS in gap.warnings
    assert FactorsVariants(judge=("people",)).run(store).table("weights")[["se", "p"]].isna().all().all()


def test_a_clone_has_no_gap_to_find_and_the_reason_is_true(clones: Store) -> None:
    result = FactorsGap().run(clones)
    assert (result.table()["gap"] == 0).all()
    assert result.table("power")["smallest_1x"].isna().all()
    row = result.table("judges").iloc[0]
    assert pd.isna(row["smallest_gap"])
    assert row["not_scaled"] == SAME_NOISE
    line = FactorsGap.overview([result])
    assert line is not None
    assert "say the same" in line.finding
    assert "told from 0" not in line.finding


def test_one_factor_has_no_scale_for_another_reason_than_a_weight_of_0(tmp_path: Path) -> None:
    store = stored(tmp_path, rows(60))
    line = FactorsGap.overview([FactorsGap(factor=("f0",)).run(store)])
    assert line is not None
    assert "two independent weights" in line.finding


def test_a_scale_that_rests_on_one_factor_says_so(tmp_path: Path) -> None:
    """Of two weights one is the judges' common measure; only the other can be a gap."""
    result = FactorsGap().run(stored(tmp_path, rows(60, factors=2, robot=(0.9, 1.5))))
    table, power = result.table().set_index("factor"), result.table("power").set_index("factor")
    assert pd.isna(table.loc["f0", "scaled_p"])
    assert pd.isna(power.loc["f0", "smallest_1x"])
    assert power.loc["f1", "smallest_1x"] > 0.1
    assert any("the scale rests on 'f0' alone" in w for w in result.warnings)


def test_a_judge_known_from_one_judgment_is_refused_with_the_reason(tmp_path: Path) -> None:
    given = rows(15)
    store = stored(tmp_path, [*given, given[0] | {"judge": "solo"}])
    for study in (FactorsFit, FactorsTrust, FactorsVariants):
        said = [w for w in study(judge=("people", "solo")).run(store).warnings if "solo" in w]
        assert any("f0: only one prompt has answers that differ in it" in w for w in said), study
    with pytest.raises(NotIdentifiedError, match="f0: only one"):
        FactorsFit(judge=("solo",)).run(store)


def test_a_comparison_that_fails_names_the_judge_once(tmp_path: Path) -> None:
    always = {f"f{k}_{side}": float(side == "a") for k in range(3) for side in "ab"} | {"winner": "a"}
    given = [row | always if row["judge"] == "robot" else row for row in rows(12)]
    with pytest.raises(NotIdentifiedError) as caught:
        FactorsGap().run(stored(tmp_path, given))
    assert "robot: robot:" not in str(caught.value)


def test_scenarios_are_clustered_by_what_is_shared(tmp_path: Path) -> None:
    """Each judge has 11 or 12 prompts a scenario, both together 8: by pair, as `factors gap --by scenario` has it."""
    given = rows(30)
    store = stored(tmp_path, some(given, "people", range(24)) + some(given, "robot", range(8, 30)))
    result, other = FactorsScenarios().run(store), run_by_scenario(FactorsGap(), store)
    keys = ["scenario", "factor"]
    both = result.table().merge(other.table(), on=keys, suffixes=("", "_2"))
    assert len(both) == 6
    np.testing.assert_allclose(both["se"].astype(float), both["se_2"].astype(float), rtol=1e-12)
    assert (result.table("scenarios")["clustering"] == "pair").all()
    assert any("fewer than 10 prompts are clustered by pair" in w for w in result.warnings)
    assert "weights of 3 factors" in result.caption
    for cluster, words in (("none", "naive"), ("pair", "intervals, clustered by pair;")):
        forced = FactorsScenarios(cluster=cluster).run(store)
        assert words in forced.caption
        assert not any("fewer than 10" in w for w in (*forced.warnings, forced.caption))


def test_scenarios_name_what_they_leave_out(tmp_path: Path) -> None:
    """f2 is the same in all answers of one scenario; the position is no factor of the caption."""
    given = [row | {"swapped": n % 3 == 0} | ({"f2_a": 1, "f2_b": 1} if row["scenario"] == "even" else {})
             for n, row in enumerate(rows(30))]  # fmt: skip
    result = FactorsScenarios().run(stored(tmp_path, given))
    left = result.table("left_out")
    assert left[["scenario", "factor"]].to_numpy().tolist() == [["even", "f2"]]
    assert any(w.startswith("robot: left out, as for people, the answers") and "'f2' in even" in w for w in result.warnings)
    assert "first_position" in set(result.table()["factor"])
    assert "weights of 3 factors" in result.caption


def test_a_factor_decides_on_the_pairs_that_are_shared(tmp_path: Path) -> None:
    """Both judged a single prompt, which is no way to cluster, of the dataset's eleven."""
    given = rows(11)
    for n, row in enumerate(given):
        # On the shared prompt the answer with more of f0 wins two times in three.
        if row["prompt"] == "p5":
            row["winner"] = "a" if (row["f0_a"] > row["f0_b"]) == (n % 3 > 0) else "b"
    few = stored(tmp_path, some(given, "people", range(6)) + some(given, "robot", range(5, 11)))
    gaps = FactorsGap(factor=("f0",)).run(few)
    assert gaps.table("judges")["clustering"].iloc[0] == "pair"
    assert FactorsDecided(factor=("f0",)).run(few).settings["of"] == "f0"


def test_the_rows_of_the_fit_are_those_of_the_fit(tmp_path: Path) -> None:
    """The robot never has f3: its fit is without it, and so are its rows; of people's those that have it."""
    rng = np.random.default_rng(2)
    given = []
    for n, row in enumerate(rows(30)):
        if row["judge"] == "people" and n % 10:
            row = row | {"annotator": "ann", "f3_a": int(rng.integers(5)), "f3_b": int(rng.integers(5))}
        given.append(row)
    store = stored(tmp_path, given)
    result, fitted = FactorsTable().run(store), FactorsFit().run(store)
    table = result.table()
    for judge, names in (("people", ["f0", "f1", "f2", "f3"]), ("robot", ["f0", "f1", "f2"])):
        mine = table[table["judge"] == judge]
        weights = fitted.table()[fitted.table()["judge"] == judge].set_index("factor")["weight"]
        assert len(mine) == fitted.table("judges").set_index("judge").loc[judge, "judgments"]
        glm = sm.GLM(mine["y"], mine[names].to_numpy(dtype=float), family=sm.families.Binomial()).fit(tol=1e-13)
        np.testing.assert_allclose(weights[names].astype(float), glm.params, atol=1e-9)
    assert table[table["judge"] == "robot"]["f3"].isna().all()
    assert any("no judgment of robot has 'f3'" in w for w in result.warnings)
    assert "on 3 to 4 factors" in fitted.caption


def test_strengths_count_verdicts_whatever_they_weigh_in_fits(tmp_path: Path) -> None:
    given = [row | {"weight": 1 + 9 * (n % 2)} for n, row in enumerate(rows(12))]
    table = FactorsStrength(judge=("robot",)).run(stored(tmp_path, given)).table().set_index("factor")
    mine = pd.DataFrame([row for row in given if row["judge"] == "robot"])
    side = np.sign(mine["f0_a"] - mine["f0_b"]) * np.where(mine["winner"] == "a", 1, -1)
    assert table.loc["f0", "votes"] == len(mine)
    assert table.loc["f0", "strength"] == pytest.approx(side.mean())


def test_ways_to_fit_name_what_they_leave_out_and_count_factors_alone(tmp_path: Path) -> None:
    """f2 is the mark of a model: beside a strength of each model nothing is left of it; the tie is no factor."""
    rng = np.random.default_rng(3)
    given = [row | {f"f2_{side}": float(row[f"model_{side}"] == "m0") for side in "ab"}
             | ({"winner": "tie"} if rng.random() < 0.2 else {}) for row in rows(20)]  # fmt: skip
    result = FactorsVariants(ties="davidson").run(stored(tmp_path, given))
    weights, left = result.table("weights"), result.table("left_out")
    assert set(weights["factor"]) == {"f0", "f1", "f2"}
    assert left["factor"].unique().tolist() == ["f2"]
    assert "model strengths held equal" in set(left["variant"])
    assert "all answers" not in set(left["variant"])
    assert any(w.startswith("people and robot: left out, as ") and "'f2' in " in w for w in result.warnings)
    assert "Weights of 3 factors" in result.caption
    assert weights["intervals"].str.startswith("clustered by 20 prompts (jackknife, CR3)").all()
