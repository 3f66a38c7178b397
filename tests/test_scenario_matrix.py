"""All figures of each scenario: each as its own study has it, sorted and tested as one table, and what can be missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.multiple import adjust_bh
from charts.factor_gaps import LOG_ODDS
from charts.scenario_figures import AGREEMENT, GAP, ORDERS, Figures, figures_of
from charts.scenario_matrix import scenario_matrix_chart
from charts.scenario_panels import scenario_panels_chart
from charts.theme import DARK, LIGHT, PRINT, Theme
from data.imports import import_path
from data.store import Store
from errors import EmptySelectionError, OptionError, UnknownNameError
from studies.factors_pooled import FactorsPooled
from studies.scenario_agreement import ScenarioAgreement
from studies.scenario_matrix import ScenarioMatrix
from studies.scenario_orders import ScenarioOrders
from studies.study import Result

MODELS = {"m1": 1.2, "m2": 0.6, "m3": 0.0, "m4": -0.6, "m5": -1.2}
LIKES = {"code": 0.0, "law": 0.1, "art": 2.4}
"""What the robot has more of `wit` than people, in each scenario; all like `calm`."""


def write(path: Path, *, models: bool = True, factors: bool = True, scenarios: bool = True) -> None:
    rng = np.random.default_rng(1)
    names = list(MODELS)
    rows: list[dict[str, Any]] = []
    for prompt in range(75):
        scenario = list(LIKES)[prompt % 3]
        for pair in range(5):
            wit, calm = rng.standard_normal((2, 2)).round(3)
            one, two = rng.choice(5, 2, replace=False)
            for judge in ("people", "robot"):
                more = LIKES[scenario] if judge == "robot" else 0.0
                eta = MODELS[names[one]] - MODELS[names[two]] + 0.8 * (calm[0] - calm[1])
                eta += (0.5 + more) * (wit[0] - wit[1]) + rng.logistic()
                row = {
                    "prompt": f"p{prompt}", "judge": judge, "judge_kind": "human" if judge == "people" else "llm",
                    "response_a": f"a{prompt} {pair}", "response_b": f"b{prompt} {pair}",
                    "winner": "a" if eta > 0.2 else "b" if eta < -0.2 else "tie",
                }
                if models:
                    row |= {"model_a": names[one], "model_b": names[two]}
                if factors:
                    row |= {"wit_a": wit[0], "wit_b": wit[1], "calm_a": calm[0], "calm_b": calm[1]}
                rows.append(row | ({"scenario": scenario} if scenarios else {}))
    pd.DataFrame(rows).to_csv(path, index=False)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("matrix")
    store = Store(folder / "s.duckdb")
    for name, without in (("d", {}), ("bare", {"models": False, "factors": False}), ("plain", {"scenarios": False})):
        write(folder / f"{name}.csv", **without)
        import_path(store, folder / f"{name}.csv", name)
    return store


JUDGES: dict[str, Any] = {"dataset": "d", "judge": ("people", "robot")}


@pytest.fixture(scope="module")
def found(store: Store) -> Result:
    return ScenarioMatrix(**JUDGES).run(store)


def columns(table: pd.DataFrame, names: tuple[str, ...]) -> np.ndarray:
    return table[list(names)].to_numpy(dtype=float, na_value=np.nan)


def test_each_figure_is_that_of_its_own_study(store: Store, found: Result) -> None:
    table = found.table()
    six = ("value", "lower", "upper", "pooled", "pooled_lower", "pooled_upper")
    mine = table[table["figure"] == AGREEMENT].set_index("scenario")
    other = ScenarioAgreement(**JUDGES).run(store).table().set_index("scenario").loc[mine.index]
    np.testing.assert_allclose(columns(mine, six), columns(other, ("agreement", *six[1:])))
    mine = table[table["figure"] == ORDERS].set_index("scenario")
    other = ScenarioOrders(**JUDGES).run(store).table().set_index("scenario").loc[mine.index]
    three = ("spearman", "spearman_lower", "spearman_upper")
    np.testing.assert_allclose(columns(mine, six[:3]), columns(other, three))
    keys = ["scenario", "factor"]
    mine = table[table["figure"] == GAP].set_index(keys)
    other = FactorsPooled(**JUDGES, factor=("wit", "calm")).run(store).table("gaps").set_index(keys).loc[mine.index]
    theirs = ("gap_scaled", "scaled_lower", "scaled_upper", "scaled_pooled", "scaled_pooled_lower",
              "scaled_pooled_upper")  # fmt: skip
    np.testing.assert_allclose(columns(mine, six), columns(other, theirs))


def test_all_figures_of_a_judge_are_tested_as_one_table(found: Result) -> None:
    table = found.table()
    for p, q in (("p", "q"), ("pooled_p", "pooled_q")):
        np.testing.assert_allclose(columns(table, (q,))[:, 0], adjust_bh(columns(table, (p,))[:, 0]))
    # Alone, gaps alone have a p; pooled, every figure.
    assert (table["p"].notna() == (table["figure"] == GAP)).all()
    assert table["pooled_p"].notna().all()
    assert table["own"].all()
    assert (table["factor"].notna() == (table["figure"] == GAP)).all()
    tests = found.table("tests").fillna({"factor": ""}).set_index(["figure", "factor"])
    assert tests.loc[(ORDERS, "")][["p", "q"]].isna().all()
    assert tests.loc[(ORDERS, ""), "mean"] > 0.5
    assert tests.loc[(GAP, "wit"), "q"] < 0.01 < tests.loc[(GAP, "calm"), "q"]


def test_the_scenario_in_which_they_part_comes_first(found: Result) -> None:
    scenarios = found.table("scenarios")
    assert scenarios["scenario"][0] == "art"
    assert scenarios["beyond"].tolist() == [1, 0, 0]
    assert list(dict.fromkeys(found.table()["scenario"])) == scenarios["scenario"].tolist()
    rows = found.table().fillna({"factor": ""}).set_index(["scenario", "figure", "factor"])
    assert rows.loc[("art", GAP, "wit"), "pooled_lower"] > 0
    assert rows.loc[("art", GAP, "wit"), "pooled_q"] < 0.01
    assert found.table()["factor"].ne("first_position").all()


def test_alone_can_be_left_out(store: Store, found: Result) -> None:
    quick = ScenarioMatrix(**JUDGES, pooled_only=True).run(store).table()
    whole = found.table()
    pd.testing.assert_frame_equal(quick.drop(columns=["value", "lower", "upper", "p", "q"]),
                                  whole.drop(columns=["value", "lower", "upper", "p", "q"]))  # fmt: skip
    assert quick.loc[quick["figure"] == GAP, "value"].isna().all()


def test_without_models_and_factors_agreement_is_left(store: Store) -> None:
    result = ScenarioMatrix(dataset="bare", judge=("people", "robot")).run(store)
    assert set(result.table()["figure"]) == {AGREEMENT}
    said = " ".join(result.warnings)
    assert "names no models" in said
    assert "no factor stands here" in said
    assert result.table("scenarios")["beyond"].isna().all()
    assert found_of(result).order == ((AGREEMENT, ""),)


def test_gaps_that_no_scale_makes_net_are_called_plain(store: Store, found: Result) -> None:
    """Of a factor that the reference does not heed alone, nothing tells how much more decisive the judge is."""
    plain = ScenarioMatrix(**JUDGES, factor=("calm",)).run(store)
    assert (plain.settings["plain_gaps"], found.settings["plain_gaps"]) == (["robot"], [])
    assert "plain gaps in 1 factor" in plain.caption
    assert "net gaps in 2 factors" in found.caption
    for result, said in ((plain, "plain, not net of decisiveness"), (found, "log-odds, net of decisiveness")):
        figures = figures_of(*map(result.table, ("figures", "tests", "scenarios")), "robot", LOG_ODDS,
                             "robot" not in result.settings["plain_gaps"])  # fmt: skip
        chart = scenario_matrix_chart(figures, result.table("scenarios"), ("people", "robot"), LIGHT, most=2)
        text = " ".join(note.text.replace("<br>", " ") for note in chart.layout.annotations)
        assert said in text
        assert "1 scenario more, not drawn (most gaps" in text
        assert figures.in_words((GAP, "calm")).startswith("net gap" if result is found else "plain gap")


def test_refusals(store: Store) -> None:
    with pytest.raises(EmptySelectionError, match="needs two judges"):
        ScenarioMatrix(dataset="d", judge=("people",)).run(store)
    with pytest.raises(EmptySelectionError, match="knows no scenario"):
        ScenarioMatrix(dataset="plain", judge=("people", "robot")).run(store)
    with pytest.raises(OptionError, match="leave out --coding raw"):
        ScenarioMatrix(**JUDGES, coding="raw").run(store)
    with pytest.raises(OptionError, match="davidson"):
        ScenarioMatrix(**JUDGES, ties="davidson").run(store)
    with pytest.raises(UnknownNameError, match="no factor"):
        ScenarioMatrix(dataset="bare", judge=("people", "robot"), factor=("wit",)).run(store)


# -- the charts ---------------------------------------------------------------------------------------------------


def found_of(result: Result, unit: str = LOG_ODDS) -> Figures:
    return figures_of(result.table("figures"), result.table("tests"), result.table("scenarios"), "robot", unit)


@pytest.mark.parametrize("theme", [LIGHT, DARK, PRINT], ids=lambda one: one.name)
@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
def test_the_matrix_says_what_is_beyond_noise(found: Result, theme: Theme, narrow: bool) -> None:
    figures = found_of(found)
    chart = scenario_matrix_chart(figures, found.table("scenarios"), ("people", "robot"), theme, narrow=narrow)
    assert list(chart.layout.yaxis.ticktext) == ["On average", *found.table("scenarios")["scenario"]]
    texts = {note.text for note in chart.layout.annotations}
    rows = found.table().fillna({"factor": ""}).set_index(["scenario", "figure", "factor"])
    share = f"{100 * rows.loc[('art', AGREEMENT, ''), 'pooled']:.0f}"
    assert any(share in text for text in texts)
    heads = list(chart.layout.xaxis.ticktext)
    assert ("Pairs" in heads) != narrow
    assert "wit" in heads
    if not narrow:
        # The one that parts most stands first of the factors, bold with its sign.
        assert figures.order[2] == (GAP, "wit")
        assert f"<b>+{rows.loc[('art', GAP, 'wit'), 'pooled']:.1f}</b>" in texts
        assert ["gap", "wit", "art"] in [list(cell) for cell in chart.data[0].customdata]
    assert "gap beyond noise" in chart.layout.meta["alt"]
    assert "wit in art" in chart.layout.meta["alt"]


def test_what_comes_from_other_scenarios_alone_is_in_brackets(found: Result) -> None:
    figures = found.table("figures").copy()
    figures.loc[(figures["factor"] == "calm") & (figures["scenario"] == "law"), "own"] = False
    shown = figures_of(figures, found.table("tests"), found.table("scenarios"), "robot", LOG_ODDS)
    scenarios = found.table("scenarios").assign(remark=["thin: 4 prompts", pd.NA, pd.NA])
    chart = scenario_matrix_chart(shown, scenarios, ("people", "robot"), LIGHT)
    texts = [note.text for note in chart.layout.annotations]
    assert sum(text.startswith("(") for text in texts) == 1
    assert any("In brackets" in text for text in texts)
    assert any("* says little" in t.replace(":", "") for t in texts)
    assert chart.layout.yaxis.ticktext[1] == "art *"


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
def test_panels_share_the_order_of_scenarios(found: Result, narrow: bool) -> None:
    figures = found_of(found)
    chart = scenario_panels_chart(figures, figures.order, ("people", "robot"), LIGHT, narrow=narrow)
    axes = [name for name in chart.layout.to_plotly_json() if name.startswith("yaxis")]
    assert len(axes) == len(figures.order) == 4
    first = list(chart.layout.yaxis.ticktext)
    assert first == found.table("scenarios")["scenario"].tolist()
    # Beside the first panel of a row the names are not said again.
    assert (list(chart.layout.yaxis2.ticktext) == first) == narrow
    assert "4 figures of robot" in chart.layout.meta["alt"]
