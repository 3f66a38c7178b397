"""The studies of pooled, shared and own weights on a file: their tables, the options they refuse, and who is left out."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from data.imports import import_path
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError
from studies.factors_fit import FactorsFit
from studies.factors_hierarchical import FactorsHierarchical
from studies.factors_pooled import FactorsPooled

LIKES = {"code": 1.5, "law": 1.4, "art": -1.2}
"""What people think of `wit` in each scenario; all like `calm`."""


def write(path: Path, prompts: int = 45, scenarios: bool = True) -> None:
    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    for prompt in range(prompts):
        scenario = list(LIKES)[prompt % 3]
        for pair in range(5):
            wit, calm = rng.standard_normal((2, 2)).round(3)
            for judge, firm in (("people", 1.0), ("robot", 2.0)):
                eta = firm * (LIKES[scenario] * (wit[0] - wit[1]) + 0.8 * (calm[0] - calm[1])) + rng.logistic()
                rows.append({
                    "prompt": f"p{prompt}", "judge": judge, "judge_kind": "human" if judge == "people" else "llm",
                    "response_a": f"a{pair}", "response_b": f"b{pair}", "winner": "a" if eta > 0 else "b",
                    "wit_a": wit[0], "wit_b": wit[1], "calm_a": calm[0], "calm_b": calm[1],
                } | ({"scenario": scenario} if scenarios else {}))  # fmt: skip
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("pooled")
    store = Store(folder / "s.duckdb")
    for name, scenarios in (("d", True), ("plain", False)):
        write(folder / f"{name}.csv", scenarios=scenarios)
        import_path(store, folder / f"{name}.csv", name)
    return store


CHOSEN: dict[str, Any] = {"dataset": "d", "factor": ("wit", "calm")}


def test_pooled_finds_the_factor_that_depends_on_the_scenario(store: Store) -> None:
    result = FactorsPooled(**CHOSEN).run(store)
    spread = result.table("heterogeneity").set_index(["judge", "factor"])
    assert spread.loc[("people", "wit"), "q"] < 0.001
    assert spread.loc[("people", "calm"), "q"] > 0.01
    assert spread.loc[("people", "wit"), "tau"] > 0.5
    assert spread.loc[("people", "wit"), "same_sign"] == 2
    weights = result.table("weights").set_index(["judge", "scenario", "factor"])
    assert weights.loc[("people", "art", "wit"), "pooled_upper"] < 0 < weights.loc[("people", "law", "wit"), "pooled"]
    assert weights.loc[("people", "art", "wit"), "prompts"] == 15
    # Twice as decisive: the plain gap varies with the scenario, the one net of that no more than noise.
    gaps = result.table("gap_heterogeneity").set_index(["judge", "kind", "factor"])
    assert gaps.loc[("robot", "plain", "wit"), "tau"] > gaps.loc[("robot", "scaled", "wit"), "tau"]
    assert gaps.loc[("robot", "scaled", "wit"), "p"] > 0.05
    assert {"weights", "heterogeneity", "gaps", "gap_heterogeneity", "scales", "thin"} <= set(result.as_json())


def test_raw_weights_are_those_of_factors_fit_in_that_scenario(store: Store) -> None:
    mine = FactorsPooled(**CHOSEN, judge=("people",)).run(store).table("weights")
    mine = mine[mine["scenario"] == "law"].set_index("factor")
    alone = FactorsFit(**CHOSEN, judge=("people",), scenario=("law",)).run(store).table("factors").set_index("factor")
    for name in ("weight", "lower", "upper"):
        assert mine.loc[alone.index, name].to_numpy(dtype=float) == pytest.approx(alone[name].to_numpy(dtype=float))


def test_hierarchical_shares_what_is_shared_and_predicts(store: Store) -> None:
    result = FactorsHierarchical(**CHOSEN, judge=("people",), penalties="chosen").run(store)
    shared = result.table("shared").set_index("factor")
    assert shared.loc["calm", "shared"] > 0.2
    assert shared.loc["wit", "own_in"] > 0
    weights = result.table("weights").set_index(["scenario", "factor"])
    for scenario, likes in LIKES.items():
        row = weights.loc[(scenario, "wit")]
        assert np.sign(row["weight"]) == np.sign(likes)
        assert row["weight"] == pytest.approx(row["shared"] + row["own"])
        assert row["importance"] == pytest.approx(50 * row["weight"])
    held = result.table("held_out").set_index(["where", "model"])
    assert held.loc[("known scenario", "one for all scenarios"), "gain_lower"] > 0
    each = result.table("scenarios")
    assert set(each["scenario"]) == set(LIKES)
    assert each.loc[each["where"] == "scenario left out", "n"].tolist() == [75] * 9


@pytest.mark.parametrize("study", [FactorsPooled, FactorsHierarchical])
def test_refusals(store: Store, study: Any) -> None:
    with pytest.raises(EmptySelectionError, match="knows no scenarios"):
        study(dataset="plain", factor=("wit",)).run(store)
    with pytest.raises(OptionError, match="leave out --coding raw"):
        study(**CHOSEN, coding="raw").run(store)
    with pytest.raises(NotIdentifiedError, match="two or more"):
        study(**CHOSEN, scenario=("law",)).run(store)
    with pytest.raises(OptionError, match="davidson"):
        study(**CHOSEN, ties="davidson").run(store)


def test_hierarchical_has_no_position_and_sums_hardly_shrink(store: Store) -> None:
    with pytest.raises(OptionError, match="no position term"):
        FactorsHierarchical(**CHOSEN, position="with").run(store)
    by = {
        loss: FactorsHierarchical(**CHOSEN, judge=("people",), loss=loss).run(store).table("shared")
        for loss in ("mean", "sum")
    }
    largest = {loss: float(table["highest"].astype(float).abs().max()) for loss, table in by.items()}
    assert largest["sum"] > 1.3 * largest["mean"]
