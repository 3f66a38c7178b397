"""Do the worked examples of docs come out as they stand there, and do the cases that mislead mislead?

Tables of docs/judges.md, audit.md, published-models.md and scenarios.md are recomputed beside their methods.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from data.imports import import_path
from data.store import Store
from studies.compare import Compare
from studies.controls import Controls
from studies.factors_fit import FactorsFit
from studies.factors_gap import FactorsGap
from studies.fit_check import CheckFit
from studies.rank import Rank
from studies.winrate import WinRate

DOCS = Path(__file__).parent.parent / "docs"
METHODS = ("rankings", "winrate", "ties", "controls", "scenarios", "fit-and-design", "human-corrected", "factor-models",
           "published-models", "judges", "audit", "meaning")  # fmt: skip


@pytest.mark.parametrize("page", METHODS)
def test_each_page_of_a_method_has_an_example_by_hand_and_a_case_that_misleads(page):
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    assert re.search(r"by hand", text, re.IGNORECASE)
    assert re.search(r"misleads", text, re.IGNORECASE)
    assert re.search(r"^\|---", text, re.MULTILINE)


def told(page, *numbers):
    """The page says these numbers, as they are written for people."""
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    for number in numbers:
        assert re.search(rf"(?<![\d.]){re.escape(number)}(?![\d])", text), number


def store_of(folder, rows) -> Store:
    """rows : dicts of an import's columns; each a pair of its own"""
    path = folder / "d.csv"
    rows = [{"prompt": f"q{k}", "judge": "people", "judge_kind": "human"} | row for k, row in enumerate(rows)]
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, names)
        out.writeheader()
        out.writerows(rows)
    store = Store(folder / "s.duckdb")
    import_path(store, path, "d")
    return store


def met(one, two, wins, losses, ties=0, **more):
    """So many verdicts on two models, each on a pair of its own."""
    said = ["a"] * wins + ["b"] * losses + ["tie"] * ties
    return [{"model_a": one, "model_b": two, "response_a": f"{one} {k}", "response_b": f"{two} {k}", "winner": winner}
            | more for k, winner in enumerate(said)]  # fmt: skip


def strengths(store, column="strength", **options):
    table = Rank(dataset="d", cluster="none", **options).run(store).table()
    return dict(zip(table["model"], table[column].astype(float), strict=True))


def test_strengths_add_up(tmp_path):
    store = store_of(tmp_path, met("heron", "wren", 3, 1) + met("wren", "rook", 3, 1) + met("heron", "rook", 9, 1))
    found = strengths(store)
    assert found == pytest.approx({"heron": np.log(3), "wren": 0, "rook": -np.log(3)}, abs=1e-6)
    told("rankings", "1.10", "−1.10")


def test_a_judge_twice_as_decisive_has_gaps_and_no_net_gaps(tmp_path):
    rows = []
    for one, two, people, judge in (("heron", "wren", 15, 18), ("wren", "rook", 15, 18), ("heron", "rook", 369, 405)):
        n = 20 if people == 15 else 410
        for k in range(n):
            pair = {"prompt": f"{one} {two} {k}", "model_a": one, "model_b": two, "response_a": f"{one} {k}",
                    "response_b": f"{two} {k}"}  # fmt: skip
            rows.append(pair | {"winner": "a" if k < people else "b"})
            rows.append(pair | {"winner": "a" if k < judge else "b", "judge": "gpt", "judge_kind": "llm"})
    result = Compare(dataset="d", gaps_only=True).run(store_of(tmp_path, rows))
    table = result.table("models").set_index("model")
    assert table["gap"].astype(float).to_dict() == pytest.approx({"heron": 1.0986, "wren": 0, "rook": -1.0986}, abs=1e-4)
    assert result.table("judges")["scale"].iloc[0] == pytest.approx(2, abs=1e-3)
    assert np.abs(table["gap_scaled"].astype(float)).max() < 1e-3
    told("rankings", "2.20", "−2.20")


def test_a_circle_makes_all_models_equal_and_the_check_of_the_fit_tells(tmp_path):
    rows = met("heron", "wren", 6, 2) + met("wren", "rook", 6, 2) + met("rook", "heron", 6, 2)
    store = store_of(tmp_path, rows)
    assert strengths(store) == pytest.approx({"heron": 0, "wren": 0, "rook": 0}, abs=1e-9)
    fit = CheckFit(dataset="d", cluster="none").run(store).table("fit").iloc[0]
    assert (fit["statistic"], fit["df"], fit["cyclic"]) == pytest.approx((6, 1, 1))
    assert fit["hodge"] == pytest.approx(1)
    told("fit-and-design", "6", "1")


@pytest.mark.parametrize(("ties", "difference"), [
    ("half", np.log(2)), ("drop", np.log(3)), ("davidson", np.log(3)), ("rao-kupper", np.log(5) / 2),
])  # fmt: skip
def test_four_rules_for_the_same_ties(tmp_path, ties, difference):
    store = store_of(tmp_path, met("heron", "wren", 6, 2, 4))
    found = strengths(store, ties=ties)
    assert found["heron"] - found["wren"] == pytest.approx(difference, abs=1e-6)
    told("ties", f"{difference:.2f}".lstrip("0"))
    if ties in ("davidson", "rao-kupper"):
        judge = Rank(dataset="d", cluster="none", ties=ties).run(store).table("judges").iloc[0]
        told("ties", f"{judge['ties_between_equals']:.2f}".lstrip("0"))


def test_what_is_left_out_can_make_a_giant(tmp_path):
    store = store_of(tmp_path, met("heron", "wren", 9, 1, 90))
    found = {ties: 2 * strengths(store, ties=ties)["heron"] for ties in ("drop", "half")}
    assert found == pytest.approx({"drop": np.log(9), "half": np.log(54 / 46)}, abs=1e-6)
    told("ties", "2.20", ".16")


def test_lists_held_equal(tmp_path):
    rows = met("heron", "wren", 3, 1, list_a=1, list_b=0) + met("heron", "wren", 1, 3, list_a=0, list_b=0)
    store = store_of(tmp_path, rows)
    result = Controls(dataset="d", factor=("list",), cluster="none").run(store)
    table = result.table("models").set_index("model")
    assert table.loc["heron", "raw"] == pytest.approx(0, abs=1e-9)
    assert table.loc["heron", "controlled"] == pytest.approx(-np.log(3) / 2, abs=1e-6)
    worth = result.table("coefficients").iloc[0]
    assert worth["scale"] == pytest.approx(np.sqrt(0.5))
    assert worth["weight"] == pytest.approx(2 * np.log(3) * np.sqrt(0.5), abs=1e-6)
    told("controls", "−.55", ".71", "1.55")


def test_a_win_rate_and_the_same_at_equal_length(tmp_path):
    even = [row | {"response_b": "x" * 50, "response_a": "y" * 50} for row in met("heron", "base", 8, 8)]
    longer = [row | {"response_b": "x" * 50, "response_a": "y" * 90} for row in met("heron", "base", 12, 4)]
    result = WinRate(dataset="d", baseline="base", length_controlled=True, cluster="none").run(
        store_of(tmp_path, even + longer)
    )
    row = result.table().set_index("model").loc["heron"]
    assert row["win_rate"] == pytest.approx(62.5)
    assert row["lc_win_rate"] == pytest.approx(50, abs=0.3)
    told("winrate", "62.5", "50")


def test_a_weight_a_gap_and_the_credit_of_another(tmp_path):
    def pairs(name, said, n, **differences):
        return [{"prompt": f"{name}{k}", "response_a": f"{name}a{k}", "response_b": f"{name}b{k}",
                 "winner": "a" if k < said else "b"}
                | {f"{factor}_{side}": value if side == "a" else 0 for factor, value in differences.items()
                   for side in "ab"} for k in range(n)]  # fmt: skip

    rows = pairs("both", 6, 8, lists=1, long=1) + pairs("long", 6, 8, lists=0, long=1)
    store = store_of(tmp_path, rows + pairs("lists", 4, 8, lists=1, long=0))
    alone = FactorsFit(dataset="d", factor=("lists",), coding="raw", cluster="none").run(store).table().iloc[0]
    assert (alone["weight"], alone["effect"]) == pytest.approx((np.log(10 / 6), 62.5), abs=1e-6)
    held = FactorsFit(dataset="d", factor=("lists", "long"), coding="raw", cluster="none").run(store)
    found = held.table().set_index("factor")["weight"].astype(float).to_dict()
    assert found == pytest.approx({"lists": 0, "long": np.log(3)}, abs=1e-6)
    told("factor-models", ".51", "62.5", "1.10")


def test_a_gap_of_one_factor(tmp_path):
    rows = []
    for k in range(20):
        pair = {"prompt": f"q{k}", "response_a": f"a{k}", "response_b": f"b{k}", "long_a": 1, "long_b": 0}
        rows.append(pair | {"winner": "a" if k < 15 else "b"})
        rows.append(pair | {"winner": "a" if k < 18 else "b", "judge": "gpt", "judge_kind": "llm"})
    gap = FactorsGap(dataset="d", factor=("long",), cluster="none").run(store_of(tmp_path, rows)).table().iloc[0]
    assert (gap["weight_ref"], gap["weight_judge"], gap["gap"]) == pytest.approx(
        (np.log(3), np.log(9), np.log(3)), abs=1e-6
    )
    told("factor-models", "2.20")


def test_vectors_near_and_far():
    prompt, answer = np.array([1.0, 0.0]), np.array([0.6, 0.8])
    assert prompt @ answer == pytest.approx(0.6)
    told("meaning", ".60")


def test_a_negation_lies_near_what_it_denies():
    from texts import embeddings

    engine = embeddings.load(embeddings.find_model())
    one, other, third = engine.embed(
        ["This mushroom is safe to eat.", "This mushroom is not safe to eat.", "The train leaves at nine."], lambda n: None
    )
    assert one @ other > 0.8 > 0.3 > one @ third
    told("meaning", f"{one @ other:.2f}".lstrip("0"), f"{one @ third:.2f}".lstrip("0"))
