"""LLMBar: pairs and verdicts in tables of many names, and in the project's own folders; what is unclear is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from data.importers import llmbar, registry
from data.imports import ImportOptions, import_path
from data.store import Store
from errors import FileError, MappingError

FORMAT = ImportOptions(format="llmbar")
PAIRS = {"pair_id": ["N-0", "N-1"], "prompt": ["Say hi.", "Add."], "response_1": ["Hi.", "3"], "response_2": ["No.", "4"],
         "expert_label": [1, 2]}  # fmt: skip
VERDICTS = {"pair_id": ["N-0", "N-0", "N-1", "N-1"], "judge": ["gpt"] * 4, "shown_swapped": [False, True, False, True],
            "winner": ["1", "2", "2", "tie"]}  # fmt: skip
PLAIN = [("expert", "Hi.", 1, 0), ("expert", "3", 2, 0), ("gpt", "Hi.", 1, 1), ("gpt", "Hi.", 2, -1), ("gpt", "3", 2, 1),
         ("gpt", "3", 3, -1)]  # fmt: skip
"""Judge, response a, outcome, shown order of each judgment."""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s.duckdb")


def tables(folder: Path, pairs: dict[str, Any], verdicts: dict[str, Any] | None) -> Path:
    folder.mkdir(exist_ok=True)
    pd.DataFrame(pairs).to_csv(folder / "pairs.csv", index=False)
    if verdicts is not None:
        pd.DataFrame(verdicts).to_csv(folder / "verdicts.csv", index=False)
    return folder


def renamed(columns: dict[str, Any], **names: str) -> dict[str, Any]:
    return {names.get(name, name): values for name, values in columns.items()}


def judgments(store: Store) -> list[tuple[Any, ...]]:
    with store.reading("looking") as con:
        return con.execute(
            """SELECT g.name, x.body, j.outcome, j.shown FROM judgment j JOIN judge g USING (judge_id)
            JOIN pair p USING (pair_id) JOIN response r ON r.response_id = p.response_a
            JOIN text x ON x.text_id = r.text_id ORDER BY judgment_id"""
        ).fetchall()


def test_the_documented_columns(store: Store, tmp_path: Path) -> None:
    report = import_path(store, tables(tmp_path / "n", PAIRS, VERDICTS), "n", FORMAT)
    assert (report.read, report.accepted, report.rejected, report.pairs) == (6, 6, 0, 2)
    assert judgments(store) == PLAIN
    assert [(j["judge"], j["kind"]) for j in report.judges] == [("expert", "human"), ("gpt", "llm")]
    assert not any(text.startswith("pairs.csv") for text in report.inferred)


OTHER = [
    ({"pair_id": "id", "prompt": "input", "response_1": "output_1", "response_2": "output_2", "expert_label": "label"},
     {"pair_id": "pair_id", "shown_swapped": "swap", "judge": "evaluator", "winner": "verdict"}),
    ({"pair_id": "index", "prompt": "Instruction", "response_1": "Answer A", "response_2": "Answer B", "expert_label": "gold"},
     {"pair_id": "index", "shown_swapped": "Swapped", "judge": "Judge", "winner": "preference"}),
    ({"pair_id": "example_id", "response_1": "completion1", "response_2": "completion2", "expert_label": "human-label"},
     {"pair_id": "id", "shown_swapped": "order", "winner": "choice"}),
]  # fmt: skip
WORDS = [
    ({1: "output_1", 2: "output_2"}, {"1": "Output (a)", "2": "Output (b)", "tie": "Tie"}, {False: "original", True: "swapped"}),
    ({1: "A", 2: "B"}, {"1": "response_a", "2": "response_b", "tie": "[[C]]"}, {False: "AB", True: "BA"}),
    ({1: 1.0, 2: 2.0}, {"1": "first", "2": "second", "tie": "draw"}, {False: 0, True: 1}),
    ({1: "answer 1", 2: "answer 2"}, {"1": "model_1", "2": "model_2", "tie": "equal"}, {False: "no", True: "YES"}),
]


@pytest.mark.parametrize("names", OTHER)
@pytest.mark.parametrize("words", WORDS)
def test_other_names_and_words_say_the_same(store: Store, tmp_path: Path, names: Any, words: Any) -> None:
    labels, winners, orders = words
    pairs = PAIRS | {"expert_label": [labels[v] for v in PAIRS["expert_label"]]}
    verdicts = VERDICTS | {
        "winner": [winners[v] for v in VERDICTS["winner"]], "shown_swapped": [orders[v] for v in VERDICTS["shown_swapped"]],
    }  # fmt: skip
    folder = tables(tmp_path / "n", renamed(pairs, **names[0]), renamed(verdicts, **names[1]))
    assert llmbar.sniff(folder)
    report = import_path(store, folder, "n", FORMAT)
    assert judgments(store) == PLAIN
    assert any(" as response_a" in text or " as prompt" in text for text in report.inferred)


def test_no_verdict_and_no_label(store: Store, tmp_path: Path) -> None:
    verdicts = VERDICTS | {"winner": ["invalid", "", "refused", "1"]}
    report = import_path(store, tables(tmp_path / "n", PAIRS | {"expert_label": ["", "1"]}, verdicts), "n", FORMAT)
    assert [row[2] for row in judgments(store)] == [1, 0, 0, 0, 1]
    assert "1 pairs have no label of the expert" in report.inferred


def test_zero_and_one_are_asked_about(store: Store, tmp_path: Path) -> None:
    folder = tables(tmp_path / "n", PAIRS | {"expert_label": [0, 1]}, VERDICTS)
    with pytest.raises(MappingError, match=r"the verdicts are written 0, 1.*--set winner.0=a"):
        import_path(store, folder, "n", FORMAT)
    settled = ImportOptions(format="llmbar", sets=(("winner.0", "a"), ("winner.1", "b")))
    import_path(store, folder, "n", settled)
    # The winners of the judges, 1 and 2, keep their meaning.
    assert judgments(store) == PLAIN


def test_two_columns_that_differ_are_asked_about_and_two_that_agree_are_not(store: Store, tmp_path: Path) -> None:
    pairs = renamed(PAIRS, expert_label="label")
    with pytest.raises(MappingError, match=r"pairs.csv: label and gold could each be the label, and they differ"):
        import_path(store, tables(tmp_path / "n", pairs | {"gold": [1, 1]}, VERDICTS), "n", FORMAT)
    import_path(store, tables(tmp_path / "n", pairs | {"gold": [1, 2], "index": [5, 6]}, VERDICTS), "n", FORMAT)
    assert judgments(store) == PLAIN


def test_ids_are_the_columns_that_match(store: Store, tmp_path: Path) -> None:
    pairs = renamed(PAIRS, pair_id="example_id") | {"id": [7, 8]}
    verdicts = {"id": [1, 2, 3, 4]} | renamed(VERDICTS, pair_id="item_id")
    import_path(store, tables(tmp_path / "n", pairs, verdicts), "n", FORMAT)
    assert judgments(store) == PLAIN
    with pytest.raises(MappingError, match=r"no id of pairs.csv .* stands in verdicts.csv"):
        import_path(store, tables(tmp_path / "n", PAIRS, VERDICTS | {"pair_id": list("wxyz")}), "m", FORMAT)


def test_a_mode_belongs_to_the_judge_s_name_where_it_tells_verdicts_apart(store: Store, tmp_path: Path) -> None:
    two = pd.concat([pd.DataFrame(renamed(VERDICTS, judge="model")).assign(mode=mode) for mode in ("CoT", "Vanilla")])
    report = import_path(store, tables(tmp_path / "n", PAIRS, two.to_dict("list")), "n", FORMAT)
    assert [j["judge"] for j in report.judges] == ["expert", "gpt/CoT", "gpt/Vanilla"]
    assert any("model/mode as judge" in text for text in report.inferred)
    one = tables(tmp_path / "m", PAIRS, VERDICTS | {"mode": "CoT"})
    assert [j["judge"] for j in import_path(store, one, "m", FORMAT).judges] == ["expert", "gpt"]


def test_an_order_in_no_known_words_is_asked_about(store: Store, tmp_path: Path) -> None:
    for column in (["x", "y", "x", "y"], ["1", "2", "1", "2"]):
        with pytest.raises(MappingError, match="shown_swapped does not say whether the second response was shown first"):
            import_path(store, tables(tmp_path / "n", PAIRS, VERDICTS | {"shown_swapped": column}), "n", FORMAT)
    # Without the column the order is unknown.
    import_path(store, tables(tmp_path / "n", PAIRS, renamed(VERDICTS, shown_swapped="round")), "n", FORMAT)
    assert {row[3] for row in judgments(store)} == {0}


def test_missing_columns_and_tables(store: Store, tmp_path: Path) -> None:
    def bad(pairs: dict[str, Any], verdicts: dict[str, Any] | None, match: str, error: Any = MappingError) -> None:
        for old in (tmp_path / "n").glob("*.csv"):
            old.unlink()
        with pytest.raises(error, match=match):
            import_path(store, tables(tmp_path / "n", pairs, verdicts), "n", FORMAT)

    bad(renamed(PAIRS, response_2="other"), VERDICTS, "holds no table with a prompt and two responses", FileError)
    bad(renamed(PAIRS, expert_label="grade"), None, "no column for the label")
    bad(PAIRS | {"expert_label": ["good", "bad"]}, VERDICTS, "expert_label names no side")
    bad(PAIRS | {"judge": ["x", "x"], "winner": [1, 2]}, None, "holds pairs and verdicts in one table", FileError)
    bad(PAIRS, VERDICTS | {"winner": ["good"] * 4}, "winner names no side")


def test_bad_rows_each_with_its_reason(store: Store, tmp_path: Path) -> None:
    pairs = {name: [*values, values[1]] for name, values in PAIRS.items()}
    verdicts = {
        "pair_id": ["N-0", "N-9", "N-1"], "judge": "gpt", "shown_swapped": False, "winner": ["1", "1", "maybe"],
    }  # fmt: skip
    report = import_path(store, tables(tmp_path / "n", pairs, verdicts), "n", FORMAT)
    assert report.reasons == {
        "pair_id stands for an earlier pair of the file already": 1,
        "pair_id is the id of no pair": 1,
        "winner is neither of the two responses, a tie, nor an invalid reply": 1,
    }
    assert (report.read, report.accepted) == (6, 3)


def own(folder: Path, winners: list[tuple[Any, Any]], judge: str = "GPT-4/Swap", data: bool = True) -> None:
    rows = [{"input": f"{folder.name}: {p}", "output_1": a, "output_2": b, "label": v} for p, a, b, v in
            zip(*(PAIRS[name] for name in ("prompt", "response_1", "response_2", "expert_label")), strict=True)]  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    if data:
        (folder / "dataset.json").write_text(json.dumps(rows))
    place = folder / "evaluators" / judge
    place.mkdir(parents=True)
    results = [
        # Only the last entry decides; earlier ones are steps on the way.
        row | {"results": [["metrics"], {"swap = False": {"winner": "2"}, "swap = True": {"winner": "2"}},
                           {"swap = False": {"winner": one}, "swap = True": {"completion": ["x"], "winner": two}}]}
        for row, (one, two) in zip(rows, winners, strict=True)
    ]  # fmt: skip
    (place / "result.json").write_text(json.dumps(results))
    (place / "statistics.json").write_text("{}")


def test_the_project_s_own_folders(store: Store, tmp_path: Path) -> None:
    root = tmp_path / "LLMBar"
    own(root / "Natural", [("1", "2"), ("2", None)])
    own(root / "Adversarial" / "Neighbor", [("1", "1"), ("2", "2")], "Falcon/CoT", data=False)
    assert llmbar.sniff(root)
    report = import_path(store, root, "n", FORMAT)
    assert (report.accepted, report.rejected, report.scenarios, report.pairs) == (12, 0, 2, 4)
    assert {j["judge"]: j["judgments"] for j in report.judges} == {"expert": 4, "GPT-4/Swap": 4, "Falcon/CoT": 4}
    rows = [row for row in judgments(store) if row[0] == "GPT-4/Swap"]
    assert sorted(rows) == sorted([
        ("GPT-4/Swap", "Hi.", 1, 1), ("GPT-4/Swap", "3", 2, 1), ("GPT-4/Swap", "Hi.", 2, -1), ("GPT-4/Swap", "3", 0, -1),
    ])  # fmt: skip


def test_a_dataset_alone_is_recognised_and_a_result_alone_is_not_enough(store: Store, tmp_path: Path) -> None:
    own(tmp_path / "x", [("1", "1"), ("9", "2")])
    path = tmp_path / "x" / "dataset.json"
    assert registry.choose(path) is llmbar
    assert import_path(store, path, "n").accepted == 2
    moved = path.with_name("result.json")
    moved.write_text((tmp_path / "x/evaluators/GPT-4/Swap/result.json").read_text())
    with pytest.raises(FileError, match="does not say whose verdicts it holds"):
        import_path(store, moved, "n", FORMAT)
    moved.unlink()
    report = import_path(store, tmp_path / "x", "n", FORMAT)
    assert report.reasons == {"results a winner is 1, 2 or nothing": 1}


@pytest.mark.real
def test_the_published_subset(real: Path, store: Store) -> None:
    folder = real / "llmbar_natural"
    assert llmbar.sniff(folder)
    report = import_path(store, folder, "n", FORMAT)
    assert (report.read, report.accepted, report.pairs, len(report.judges)) == (13_069, 13_069, 100, 66)
    verdicts = pd.read_csv(folder / "llm_judgments.csv")
    label = pd.read_csv(folder / "pairs.csv").set_index("pair_id")["expert_label"]
    verdicts["right"] = verdicts["winner"] == verdicts["pair_id"].map(label)
    both = verdicts.pivot_table(index=["judge", "pair_id"], columns="shown_swapped", values="winner").dropna()
    with store.reading("looking") as con:
        found = con.execute(
            """WITH gold AS (SELECT pair_id, outcome FROM judgment JOIN judge USING (judge_id) WHERE name = 'expert'),
            told AS (SELECT name, pair_id, j.outcome, j.shown, g.outcome AS gold FROM judgment j JOIN judge USING (judge_id)
                JOIN gold g USING (pair_id) WHERE name <> 'expert')
            SELECT name, avg((outcome = gold)::INT) AS accuracy, (SELECT avg((x.outcome = y.outcome)::INT) FROM told x
                JOIN told y USING (name, pair_id) WHERE x.shown = 1 AND y.shown = -1 AND name = t.name) AS consistency
            FROM told t GROUP BY name ORDER BY name"""
        ).df().set_index("name")  # fmt: skip
    assert found["accuracy"].to_dict() == pytest.approx(verdicts.groupby("judge")["right"].mean().to_dict())
    assert found["consistency"].to_dict() == pytest.approx((both[False] == both[True]).groupby("judge").mean().to_dict())
