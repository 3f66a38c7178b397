"""The matrix of weights, fitted and published, from the store to the page."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, false_discovery_control
from streamlit.testing.v1 import AppTest
from test_factor_studies import command
from test_pooled_study import CHOSEN, write
from test_similarity_study import publish

import cli
from analysis.dendrogram import order_matrix
from analysis.multiple import adjust_bh
from analysis.pooling import pool
from charts.weight_cells import ALONE, POOLED, PUBLISHED
from data import queries
from data.imports import import_path
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError, UnknownNameError
from studies.factors_matrix import LEFT_OUT, FactorsMatrix, _not_known
from studies.factors_pooled import FactorsPooled
from ui.weight_matrix import finding

QUESTION = "How does each judge weigh each factor in each scenario?"

LI = pd.DataFrame(
    [
        ("human", "Code", "clear", 1.2), ("human", "Code", "long", -0.4), ("human", "Art", "clear", 0.2),
        ("human", "Art", "long", 0.9), ("human", "Law", "clear", 1.0), ("human", "Law", "long", -0.5),
        ("gpt-4", "Code", "clear", 1.1), ("gpt-4", "Code", "long", 0.7), ("gpt-4", "Art", "clear", 0.3),
        ("gpt-4", "Art", "long", 1.1), ("gpt-4", "Law", "clear", 0.0),
    ],
    columns=["judge", "scenario", "property", "weight"],
)  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Judgments of two judges in three scenarios, with published weights beside them; and weights alone."""
    folder = tmp_path_factory.mktemp("matrix")
    found = Store(folder / "s.duckdb")
    write(folder / "d.csv")
    import_path(found, folder / "d.csv", "d")
    write(folder / "plain.csv", prompts=12, scenarios=False)
    import_path(found, folder / "plain.csv", "plain")
    publish(found, LI, "d")
    publish(found, LI, "alone")
    return found


def floats(table: pd.DataFrame, column: str) -> np.ndarray:
    return table[column].astype("Float64").to_numpy(dtype=float, na_value=np.nan)


# -- fitted -----------------------------------------------------------------------------------------------------------


def test_weights_are_those_of_factors_pooled_without_the_position(store: Store) -> None:
    mine = FactorsMatrix(**CHOSEN).run(store)
    theirs = FactorsPooled(**CHOSEN).run(store).table("weights")
    theirs = theirs[theirs["factor"] != "first_position"].set_index(["judge", "scenario", "factor"])
    table = mine.table().set_index(["judge", "scenario", "factor"])
    assert len(table) == len(theirs) == 2 * 3 * 2
    for name in ("weight", "lower", "upper", "pooled", "pooled_lower", "pooled_upper"):
        np.testing.assert_allclose(floats(table, name), floats(theirs.loc[table.index], name))
    assert mine.settings["shows"] == "pooled"
    assert mine.settings["source"] == "fitted"
    # What each scenario's people like is found: wit in code and law, not in art.
    wit = table.loc["people"].xs("wit", level="factor")
    assert wit.loc["art", "pooled"] < 0 < min(wit.loc["code", "pooled"], wit.loc["law", "pooled"])
    assert (wit["pooled_q"] < 0.05).all()


def test_a_position_term_is_taken_out_and_is_no_row(tmp_path: Path) -> None:
    write(tmp_path / "d.csv", prompts=30)
    frame = pd.read_csv(tmp_path / "d.csv")
    frame.assign(swapped=np.arange(len(frame)) % 2 == 0).to_csv(tmp_path / "d.csv", index=False)
    store = Store(tmp_path / "s.duckdb")
    import_path(store, tmp_path / "d.csv", "d")
    result = FactorsMatrix(**CHOSEN).run(store)
    assert result.settings["position_fitted"]
    assert "a position term is fitted" in result.caption
    assert set(result.table()["factor"]) == set(result.table("rows")["factor"]) == {"wit", "calm"}
    # Nor is it counted among the tests.
    mine = result.table()[result.table()["judge"] == "people"]
    np.testing.assert_allclose(floats(mine, "pooled_q"), false_discovery_control(floats(mine, "pooled_p")))


def test_q_is_over_the_weights_of_each_judge_and_p_goes_with_the_interval(store: Store) -> None:
    table = FactorsMatrix(**CHOSEN).run(store).table()
    for kind in ("", "pooled_"):
        for _, mine in table.groupby("judge"):
            expected = false_discovery_control(floats(mine, f"{kind}p"))
            np.testing.assert_allclose(floats(mine, f"{kind}q"), expected)
        # A weight has p = 1 - level where the interval of that level ends at 0.
        low, high = floats(table, f"{kind}lower"), floats(table, f"{kind}upper")
        np.testing.assert_array_equal(floats(table, f"{kind}p") < 0.05, (low > 0) | (high < 0))


def test_rows_and_columns_stand_in_the_order_of_their_trees(store: Store) -> None:
    result = FactorsMatrix(**CHOSEN).run(store)
    table, rows, columns = (result.table(name) for name in ("weights", "rows", "columns"))
    judges = list(dict.fromkeys(table["judge"]))
    factors, scenarios = (sorted(table[name].unique()) for name in ("factor", "scenario"))
    layers = np.array([
        table[table["judge"] == judge].pivot(index="factor", columns="scenario", values="pooled")
        .loc[factors, scenarios].to_numpy(dtype=float) for judge in judges
    ])  # fmt: skip
    order = order_matrix(layers)
    assert rows["factor"].tolist() == [factors[k] for k in order.rows.order]
    assert columns["scenario"].tolist() == [scenarios[k] for k in order.columns.order]
    assert rows["row"].tolist() == [1, 2]
    assert columns["column"].tolist() == [1, 2, 3]
    assert columns["in_tree"].all()
    assert len(result.table("column_tree")) == 2
    # code and law, which like the same, are joined before art.
    assert set(columns["scenario"].tolist()[:2]) == {"code", "law"}
    # A judge's rows one after the other, in that order.
    assert table["judge"].tolist() == [j for j in judges for _ in range(6)]
    mine = table[table["judge"] == "people"]
    assert (mine["row"] * 10 + mine["column"]).is_monotonic_increasing
    one = FactorsMatrix(**CHOSEN, judge=("robot", "people")).run(store)
    assert one.table("columns")["scenario"].tolist() == columns["scenario"].tolist()


def test_what_is_not_known_is_named(tmp_path: Path) -> None:
    write(tmp_path / "d.csv", prompts=30)
    frame = pd.read_csv(tmp_path / "d.csv")
    # Nobody's wit differs in art.
    frame.loc[frame["scenario"] == "art", ["wit_a", "wit_b"]] = 1.0
    frame.to_csv(tmp_path / "d.csv", index=False)
    store = Store(tmp_path / "s.duckdb")
    import_path(store, tmp_path / "d.csv", "d")
    result = FactorsMatrix(**CHOSEN).run(store)
    left = result.table("left_out")
    assert left[["judge", "scenario", "factor"]].to_numpy().tolist() == [
        ["people", "art", "wit"], ["robot", "art", "wit"],
    ]  # fmt: skip
    assert left["cause"].unique().tolist() == ["the answers that were compared do not differ in it"]
    assert any("people and robot: left out" in text and "'wit' in art" in text for text in result.warnings)
    cells = result.table()[["scenario", "factor"]].to_numpy().tolist()
    assert ["art", "wit"] not in cells
    assert result.table("judges")["weights"].tolist() == [5, 5]
    json.dumps(result.as_json(), allow_nan=False)


def test_where_many_are_not_known_their_number_is_said() -> None:
    weights = pd.DataFrame({"scenario": [f"s{k}" for k in range(20)]})
    rows = [("gpt", f"s{k}", "wit", "no verdict" if k else "rain") for k in range(20)]
    assert _not_known(pd.DataFrame(rows, columns=LEFT_OUT), weights) == [
        "20 weights of gpt are not known, mostly as no verdict; table left_out has each"
    ]
    few = pd.DataFrame(rows[1:3], columns=LEFT_OUT)
    assert _not_known(few, weights) == ["gpt: left out, as no verdict: 'wit' in s1 and s2"]
    assert _not_known(few.head(0), weights) == []


def test_refusals(store: Store) -> None:
    with pytest.raises(EmptySelectionError, match="knows no scenarios"):
        FactorsMatrix(dataset="plain", factor=("wit",)).run(store)
    with pytest.raises(OptionError, match="leave out --coding raw"):
        FactorsMatrix(**CHOSEN, coding="raw").run(store)
    with pytest.raises(NotIdentifiedError, match="two or more"):
        FactorsMatrix(**CHOSEN, scenario=("law",)).run(store)
    with pytest.raises(UnknownNameError, match="robot"):
        FactorsMatrix(**CHOSEN, judge=("robbot",)).run(store)
    with pytest.raises(EmptySelectionError, match="factors matrix shows them"):
        FactorsMatrix(dataset="alone", source="fitted").run(store)
    with pytest.raises(EmptySelectionError, match="holds no published weights"):
        FactorsMatrix(dataset="plain", source="published").run(store)
    with pytest.raises(OptionError, match="--from other"):
        FactorsMatrix(dataset="d", source="other").run(store)


# -- published --------------------------------------------------------------------------------------------------------


def test_published_weights_are_shown_as_they_are(store: Store) -> None:
    result = FactorsMatrix(dataset="alone").run(store)
    assert result.settings["source"] == "published"
    table = result.table().set_index(["judge", "scenario", "factor"])
    expected = LI.set_index(["judge", "scenario", "property"])["weight"]
    assert len(table) == len(expected) == 11
    for cell, weight in expected.items():
        assert table.loc[cell, "weight"] == weight
    assert {"lower", "pooled", "q"}.isdisjoint(table.columns)
    assert any("without intervals" in text for text in result.warnings)
    assert "no intervals" in result.caption
    assert result.table("left_out").to_numpy().tolist() == [["gpt-4", "Law", "long", "no weight was published"]]
    # By hand: clear has the larger mean; Code and Law join first, Art stands on the side of the nearer of them.
    assert result.table("rows")["factor"].tolist() == ["clear", "long"]
    assert result.table("columns")["scenario"].tolist() == ["Art", "Code", "Law"]
    assert result.table("column_tree")[["low", "high"]].to_numpy().tolist() == [[1.0, 2.0], [0.0, 1.5]]


def test_names_are_found_however_they_are_spelt_and_others_refused(store: Store) -> None:
    study = FactorsMatrix(dataset="d", source="published", judge=("GPT-4",), scenario=("code", "LAW"), factor=("Clear",))
    result = study.run(store)
    assert result.study.judge == ("gpt-4",)
    assert result.table()[["scenario", "factor", "weight"]].to_numpy().tolist() == [
        ["Code", "clear", 1.1], ["Law", "clear", 0.0],
    ]  # fmt: skip
    for given, name in (({"judge": ("gpt-5",)}, "gpt-4"), ({"scenario": ("codes",)}, "Code"),
                        ({"factor": ("cleare",)}, "clear")):  # fmt: skip
        with pytest.raises(UnknownNameError, match=name):
            FactorsMatrix(dataset="alone", **given).run(store)
    for given, flag in (({"cluster": "pair"}, "--cluster"), ({"ties": "drop"}, "--ties"), ({"level": 0.9}, "--level"),
                        ({"coding": "sign"}, "--coding"), ({"model": ("m",)}, "--model")):  # fmt: skip
        with pytest.raises(OptionError, match=f"without judgments: leave out {flag}"):
            FactorsMatrix(dataset="alone", **given).run(store)
    with pytest.raises(EmptySelectionError, match="no weight of these factors"):
        FactorsMatrix(dataset="alone", judge=("gpt-4",), scenario=("Law",), factor=("long",)).run(store)


def test_where_both_are_there_judgments_are_fitted_unasked(store: Store) -> None:
    assert FactorsMatrix(dataset="d").resolve(store).source == "fitted"
    found = command(store, "factors", "matrix", "--dataset", "d", "--from", "published", "--judge", "human", "-o", "json")
    assert len(found["weights"]) == 6
    assert {"judge", "scenario", "factor", "weight", "row", "column"} == set(found["weights"][0])
    assert {"rows", "columns", "row_tree", "column_tree", "judges", "left_out", "weights_known"} <= set(found)


def test_other_weights_give_another_stamp(store: Store, tmp_path: Path) -> None:
    def stamp(of: Store) -> str:
        study = FactorsMatrix(dataset="alone").resolve(of)
        with of.reading("stamping") as con:
            return study.stamp(con, queries.catalog(con, "alone"))

    other, same = Store(tmp_path / "other.duckdb"), Store(tmp_path / "same.duckdb")
    publish(other, LI.assign(weight=LI["weight"] + 0.1), "alone")
    publish(same, LI.sample(frac=1, random_state=0), "alone")
    assert stamp(other) != stamp(store) == stamp(same)


@pytest.mark.real
def test_the_published_matrices_of_33_judges(tmp_path: Path, real: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    import_path(store, real / "gair_preference_dissection" / "fitted_weights.csv", "gair")
    result = FactorsMatrix().run(store)
    assert len(result.table()) == 33 * 16 * 29
    assert (len(result.table("rows")), len(result.table("columns"))) == (29, 16)
    assert result.table("rows")["in_tree"].all()
    assert len(result.table("left_out")) == 0
    # Of people the published app shows support of stances in its group at 64.7 %.
    mine = result.table().set_index(["judge", "scenario", "factor"])["weight"].astype(float)
    assert 100 / (1 + np.exp(-mine["human", "w_stances", "support stances"])) == pytest.approx(64.7, abs=0.05)
    assert 100 / (1 + np.exp(-mine["human", "intent_unclear", "admit limits"])) == pytest.approx(33.4, abs=0.05)
    assert 100 / (1 + np.exp(-mine["gpt-4-1106-preview", "intent_unclear", "clarify intent"])) == pytest.approx(77.5, abs=0.05)


# -- in words, and on the pages ---------------------------------------------------------------------------------------


def plain(text: str) -> str:
    return text.replace("\\", "")


def test_findings_in_words() -> None:
    weights = LI.rename(columns={"property": "factor"})
    names = {name: name.capitalize() for name in ("clear", "long")}
    text = plain(finding(weights, ["human", "gpt-4"], names, PUBLISHED))
    assert "**human rewards clear in Code most (77 of 100) and punishes long in Law most (38 of 100).**" in text
    # gpt-4 punishes nothing.
    assert "**gpt-4 rewards clear in Code most (75 of 100).**" in text
    assert "gpt-4 is furthest from human in long in Code: 67 of 100 against 40." in text
    zero = weights.assign(weight=0.0)
    assert "All published weights of human are 0" in finding(zero, ["human"], names, PUBLISHED)
    fitted = weights.assign(pooled=weights["weight"], pooled_q=0.01, q=0.4)
    text = plain(finding(fitted, ["human", "gpt-4"], names, POOLED))
    assert "6 of 6 weights are beyond noise." in text
    assert "Of opposite sign, both beyond noise, for human and gpt-4: long in Code." in text
    assert plain(finding(fitted, ["human"], names, ALONE)) == "**None of 6 weights of human is beyond noise in its scenario.**"
    people = fitted.assign(judge="people").head(6)
    assert "people reward clear in Code most" in plain(finding(people, ["people"], names, POOLED))


def opened(store: Store, monkeypatch: pytest.MonkeyPatch, file: str, **given: str | list[str]) -> AppTest:
    monkeypatch.setenv("JURYLENS_DB", str(store.path))
    app = AppTest.from_file(str(Path(cli.__file__).parent / "app.py"), default_timeout=60)
    app.switch_page(file)
    for name, value in given.items():
        app.query_params[name] = value
    found = app.run()
    assert not found.exception
    return found


def test_the_page_judges_shows_published_weights_of_those_chosen(store: Store, monkeypatch) -> None:
    app = opened(store, monkeypatch, "pages/judges.py", dataset="alone")
    assert QUESTION in [one.value for one in app.main.subheader]
    [box] = [one for one in app.multiselect if one.label.startswith("Published weights of")]
    assert box.value == ["human"]
    box.set_value(["gpt-4", "human"]).run()
    assert not app.exception
    assert app.session_state["words"]["matrix_of"] == ["gpt-4", "human"]
    said = plain(" ".join(one.value for one in app.main.markdown))
    assert "human is furthest from gpt-4 in long in Code" in said
    # Nobody known: the usual one, with a notice.
    app = opened(store, monkeypatch, "pages/judges.py", dataset="alone", matrix_of="nobody")
    assert any("matrix_of=nobody" in plain(one.value) for one in app.main.info)
    # Without published weights there is no such part.
    app = opened(store, monkeypatch, "pages/judges.py", dataset="plain")
    assert QUESTION not in [one.value for one in app.main.subheader]


def test_the_page_scenarios_has_it_as_a_section(store: Store, monkeypatch) -> None:
    app = opened(store, monkeypatch, "pages/scenarios.py", dataset="d", open="weight_matrix", factor=["wit", "calm"])
    [box] = [one for one in app.main.expander if one.label == QUESTION]
    said = plain(" ".join(one.value for one in box.markdown))
    assert "people reward" in said
    assert "robot rewards" in said
    assert not box.warning
    # Each scenario alone, at the reader's wish.
    app = opened(store, monkeypatch, "pages/scenarios.py", dataset="d", open="weight_matrix", matrix_kind="raw")
    assert not [one for box in app.main.expander if box.label == QUESTION for one in box.warning]


def test_without_an_answer_the_section_says_why(store: Store, monkeypatch) -> None:
    app = opened(store, monkeypatch, "pages/scenarios.py", dataset="plain", open="weight_matrix")
    [box] = [one for one in app.main.expander if one.label == QUESTION]
    [notice] = [*box.warning, *box.info]
    assert "knows no scenarios" in notice.value


# -- how often a cell is wrong ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_findings_of_cells_are_seldom_false() -> None:
    """Nothing planted; and a scenario unlike all others, which pooling might find in the others too."""
    rng = np.random.default_rng(0)
    flagged, false, runs, shape, se = 0, [], 100, (8, 10), 0.1
    for _ in range(runs):
        for lone in (False, True):
            truth = np.zeros(shape)
            truth[0, :3] = 0.8 * lone
            pooled = pool(truth + se * rng.standard_normal(shape), np.full(shape, se))
            beyond = adjust_bh(pooled.beyond().ravel()).reshape(shape) < 0.05
            if lone:
                false.append((beyond & (truth == 0)).sum() / max(int(beyond.sum()), 1))
            else:
                flagged += bool(beyond.any())
    # The one-in-a-thousand bound of a share of .05 in 100 runs is .13.
    assert flagged <= binom.ppf(0.999, runs, 0.05)
    assert np.mean(false) <= 0.05
