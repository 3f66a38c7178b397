"""A factor crossed with another one or with an attribute: by hand, and as a model that statsmodels fits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from data.imports import ImportOptions, import_path
from data.queries.attributes import Attribute
from data.store import Store
from errors import EmptySelectionError, JurylensError, OptionError, UnknownNameError
from studies.factors_explain import FactorsExplain
from studies.factors_fit import FactorsFit
from studies.factors_gap import FactorsGap
from studies.factors_table import FactorsTable
from studies.interactions import Crossing, cross_attribute, parse

N = 400


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two judges on N pairs with two delivered factors; an attribute of annotators, of prompts, and of pairs."""
    rng = np.random.default_rng(0)
    rows = []
    for pair in range(N):
        facts: dict[str, Any] = {
            "prompt": f"prompt {pair % 40}", "response_a": f"a {pair}", "response_b": f"b {pair}", "pair_id": f"p{pair}",
            "tone_a": rng.normal(), "tone_b": rng.normal(), "size_a": rng.normal(2), "size_b": rng.normal(2),
            "topic": "math" if pair % 3 == 0 else "prose", "age": 20 + pair % 40 % 7, "scenario": "xyz"[pair % 40 % 3],
        }  # fmt: skip
        facts["topic"] = "math" if pair % 40 % 3 == 0 else "prose"
        for judge, annotator in (("people", f"w{pair % 20}"), ("robot", "")):
            eta = (facts["tone_a"] - facts["tone_b"]) * (1.2 if annotator in ("w1", "w2") else 0.6)
            winner = "a" if rng.random() < 1 / (1 + np.exp(-eta)) else "b"
            group = "expert" if annotator in ("w1", "w2", "w3", "w4") else "lay"
            rows.append(facts | {"judge": judge, "annotator": annotator, "winner": winner,
                                 "group": group if annotator else ""})  # fmt: skip
    path = Path(tmp_path_factory.mktemp("crossed")) / "judgments.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    store = Store(path.with_name("store.duckdb"))
    attributes = (("annotator.group", "group"), ("prompt.topic", "topic"), ("prompt.age", "age"))
    import_path(store, path, "d", ImportOptions(attributes=attributes))
    return store


def rows(store: Store, **options: object) -> pd.DataFrame:
    return FactorsTable(dataset="d", factor=("tone", "size"), **options).run(store).table()  # type: ignore[arg-type]


def fit(store: Store, judge: str, **options: object) -> pd.DataFrame:
    study = FactorsFit(dataset="d", judge=(judge,), factor=("tone", "size"), **options)  # type: ignore[arg-type]
    return study.run(store).table().set_index("factor")


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_levels_against_the_most_frequent_one() -> None:
    one = Crossing("tone", "pair.kind", Attribute("pair", "kind"))
    found = cross_attribute(one, np.array([1.0, 2.0, 3.0, 4.0, 5.0]), ["x", "y", "x", None, "z"])
    assert found.names == ("tone × pair.kind=y", "tone × pair.kind=z")
    np.testing.assert_array_equal(found.x, [[0, 2, 0, np.nan, 0], [0, 0, 0, np.nan, 5]])


def test_numbers_about_their_mean_in_standard_deviations() -> None:
    one = Crossing("tone", "prompt.age", Attribute("prompt", "age"))
    found = cross_attribute(one, np.array([1.0, 2.0, 3.0, 4.0]), ["1", "3", None, "5"])
    spread = np.sqrt(8 / 3)
    np.testing.assert_allclose(found.x, [[-2 / spread, 0, np.nan, 8 / spread]])


def test_two_factors_add_the_difference_of_their_products(store: Store) -> None:
    table = rows(store, coding="raw", interact=("tone*size",))
    raw = rows(store, coding="raw")
    assert list(table.columns)[-1] == "tone × size"
    delivered = pd.read_csv(store.path.with_name("judgments.csv"))
    once = delivered.drop_duplicates("pair_id")
    z = {}
    for name in ("tone", "size"):
        both = np.concatenate([once[f"{name}_a"], once[f"{name}_b"]])
        z[name] = [(once[f"{name}_{side}"] - both.mean()) / both.std() for side in "ab"]
    expected = z["tone"][0] * z["size"][0] - z["tone"][1] * z["size"][1]
    ours = table.drop_duplicates("pair")["tone × size"].to_numpy()
    np.testing.assert_allclose(np.sort(ours), np.sort(expected), atol=1e-12)
    assert len(raw) == len(table)


# --- the fit ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["tone*size", "tone*prompt.topic", "tone*prompt.age", "tone*scenario"])
def test_the_fit_is_that_of_the_columns_of_the_table(store: Store, word: str) -> None:
    table = rows(store, interact=(word,))
    mine = table[table["judge"] == "robot"]
    names = list(table.columns)[7:]
    assert names[:2] == ["tone", "size"]
    assert len(names) > 2
    theirs = sm.GLM(mine["y"].to_numpy(), mine[names].to_numpy(), family=sm.families.Binomial()).fit(tol=1e-14)
    ours = fit(store, "robot", interact=(word,)).loc[names, "weight"].astype(float)
    np.testing.assert_allclose(ours, theirs.params, atol=1e-8)


def test_annotators_enter_the_fit_of_those_who_have_them(store: Store) -> None:
    ours = fit(store, "people", interact=("tone*annotator.group",))
    assert "tone × annotator.group=expert" in ours.index
    table = rows(store, interact=("tone*annotator.group",))
    mine = table[table["judge"] == "people"]
    experts = mine["annotator"].isin(["w1", "w2", "w3", "w4"])
    column = mine["tone × annotator.group=expert"]
    np.testing.assert_allclose(column, np.where(experts, mine["tone"], 0.0))
    names = list(table.columns)[7:]
    theirs = sm.GLM(mine["y"].to_numpy(), mine[names].to_numpy(), family=sm.families.Binomial()).fit(tol=1e-14)
    np.testing.assert_allclose(ours.loc[names, "weight"].astype(float), theirs.params, atol=1e-8)


def test_a_judge_without_annotators_keeps_its_fit(store: Store) -> None:
    study = FactorsFit(dataset="d", judge=("robot",), factor=("tone", "size"), interact=("tone*annotator.group",))
    with pytest.raises(EmptySelectionError, match=r"none of these judgments has annotator\.group"):
        study.run(store)
    both = FactorsFit(dataset="d", judge=("people", "robot"), factor=("tone",), interact=("tone*annotator.group",))
    result = both.run(store)
    plain = FactorsFit(dataset="d", judge=("robot",), factor=("tone",)).run(store).table()
    found = result.table()
    robot = found[found["judge"] == "robot"]
    assert list(robot["factor"]) == ["tone"]
    assert float(robot["weight"].iloc[0]) == pytest.approx(float(plain["weight"].iloc[0]), abs=1e-9)


def test_gaps_have_interactions_too(store: Store) -> None:
    study = FactorsGap(dataset="d", judge=("people", "robot"), factor=("tone", "size"), interact=("tone*prompt.topic",))
    assert list(study.run(store).table()["factor"]) == ["tone", "size", "tone × prompt.topic=math"]


def test_the_factors_that_are_crossed_stand_beside(store: Store) -> None:
    study = FactorsFit(dataset="d", factor=("size",), interact=("tone*scenario",)).resolve(store)
    assert study.factor == ("size", "tone")


def test_exchanging_a_and_b_changes_nothing(store: Store, tmp_path: Path) -> None:
    frame = pd.read_csv(store.path.with_name("judgments.csv"), keep_default_na=False)
    swap = {f"{name}_a": f"{name}_b" for name in ("response", "tone", "size")}
    turned = frame.rename(columns=swap | {b: a for a, b in swap.items()})
    turned["winner"] = turned["winner"].map({"a": "b", "b": "a"})
    turned.to_csv(tmp_path / "turned.csv", index=False)
    other = Store(tmp_path / "store.duckdb")
    import_path(other, tmp_path / "turned.csv", "d", ImportOptions(attributes=(("prompt.topic", "topic"),)))
    words = ("tone*size", "tone*prompt.topic", "size*scenario")
    one, two = (fit(some, "robot", interact=words) for some in (store, other))
    np.testing.assert_allclose(one["weight"].astype(float), two["weight"].astype(float), atol=1e-9)


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "kind", "match"),
    [
        ("tone", OptionError, r"write FACTOR\*OTHER"),
        ("*tone", OptionError, r"write FACTOR\*OTHER"),
        ("tine*size", UnknownNameError, "did you mean 'tone'"),
        ("tone*topic", UnknownNameError, r"prompt\.topic"),
        ("tone*similarity", EmptySelectionError, "factors embed"),
    ],
)  # fmt: skip
def test_what_cannot_be_crossed_is_said(store: Store, word: str, kind: type[JurylensError], match: str) -> None:
    study = FactorsFit(dataset="d", factor=("tone",), interact=(word,))
    with pytest.raises(kind, match=match):
        study.run(store)


def test_attributes_that_say_nothing_are_refused() -> None:
    one = Crossing("tone", "pair.kind", Attribute("pair", "kind"))
    with pytest.raises(EmptySelectionError, match=r"pair\.kind is 'x' everywhere"):
        cross_attribute(one, np.ones(3), ["x", "x", None])
    with pytest.raises(EmptySelectionError, match="is the same everywhere"):
        cross_attribute(one, np.ones(3), ["2", "2", "2"])
    with pytest.raises(OptionError, match="30 levels"):
        cross_attribute(one, np.ones(30), [f"level {k}" for k in range(30)])


def test_words_are_read_either_way_round() -> None:
    factors = {"tone": object()}
    known = {"scenario": Attribute("scenario")}
    for word in ("tone*scenario", "scenario * tone"):
        [found] = parse((word,), factors, known)  # type: ignore[arg-type]
        assert (found.factor, found.other) == ("tone", "scenario")


def test_a_pair_is_explained_without_interactions(store: Store) -> None:
    with pytest.raises(OptionError, match="leave interactions out"):
        FactorsExplain(dataset="d", factor=("tone",), interact=("tone*size",)).run(store)
