"""GAIR's format: labels of many judges, annotations as factors whose differences have the published sign."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.gair_coding import coded, longer
from data.gair_properties import NAMES, PROPERTIES
from data.importers import gair, registry
from data.importers.gair_values import Taken, clearly_longer, values_of
from data.imports import ImportOptions, ImportReport, import_path
from data.store import Store
from errors import FileError
from studies.factors_table import FactorsTable

GOLDEN = Path(__file__).parent / "golden" / "gair.jsonl"
RECORDS = [json.loads(line) for line in GOLDEN.read_text().splitlines()]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s.duckdb")


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, ImportReport]:
    store = Store(tmp_path_factory.mktemp("gair") / "s.duckdb")
    return store, import_path(store, GOLDEN, "g")


def write(path: Path, *records: Any) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def values(store: Store) -> dict[tuple[str, str, str], float]:
    """(prompt, model, factor) -> value"""
    with store.reading("looking") as con:
        rows = con.execute(
            """SELECT t.body, m.name, f.name, v.value FROM response_value v JOIN factor f USING (factor_id)
            JOIN response r USING (response_id) JOIN model m USING (model_id) JOIN prompt p USING (prompt_id)
            JOIN text t ON t.text_id = p.text_id ORDER BY ALL"""
        ).fetchall()
    return {tuple(row[:3]): row[3] for row in rows}


def test_the_golden_file(golden):
    _, report = golden
    assert report.format == "gair"
    # 2 + 3 + 2 + 1 labels; a label that is none, and three records that say nothing.
    assert (report.accepted, report.rejected, report.duplicates, report.read) == (8, 4, 0, 12)
    assert report.judges == [
        {"judge": "human", "kind": "human", "judgments": 4},
        {"judge": "gpt-4-1106-preview", "kind": "llm", "judgments": 3},
        {"judge": "yi-6b", "kind": "llm", "judgments": 1},
    ]
    assert (report.pairs, report.models, report.prompts, report.scenarios) == (4, 2, 4, 2)
    said = " ".join(report.inferred)
    assert "errors could not be checked (not applicable), without a value of them: 1" in said
    assert "shown first is unknown for all" in said


def test_bad_rows_each_with_its_reason(golden):
    _, report = golden
    rows = report.rejections.astype(object).where(report.rejections.notna(), None).to_dict("records")
    assert [(row["line"], row["column"], row["value"], row["reason"]) for row in rows] == [
        (4, "preference_labels", "yi-6b: both", "is neither response_1 nor response_2"),
        (5, "query", "", "is empty"),
        (6, "response_2", rows[2]["value"], "has no text: an object with content, model and num_words is expected"),
        (7, "preference_labels", None, "has no label of any judge"),
    ]


def test_verdicts_are_of_the_answer_named(golden):
    store, _ = golden
    with store.reading("looking") as con:
        rows = con.execute(
            """SELECT g.name, j.p_a, a.name, j.shown FROM judgment j JOIN judge g USING (judge_id)
            JOIN model a ON a.model_id = j.model_a ORDER BY judgment_id LIMIT 2"""
        ).fetchall()
    assert rows == [("human", 1.0, "alpha", 0), ("gpt-4-1106-preview", 0.0, "alpha", 0)]


def test_values_by_hand(golden):
    found = values(golden[0])
    sky, cats, price = RECORDS[0]["query"], RECORDS[1]["query"], RECORDS[2]["query"]

    def both(prompt: str, factor: str) -> tuple[float | None, float | None]:
        return found.get((prompt, "alpha", factor)), found.get((prompt, "beta", factor))

    assert both(sky, "clear") == (3, 1)
    assert both(sky, "non-repetitive") == (1, 3)
    assert both(sky, "relevant") == (1, 1)
    assert both(sky, "no severe errors") == (-1, 0)
    assert both(sky, "no moderate errors") == (0, -1)
    assert both(sky, "no minor errors") == (-2, 0)
    # The prompt has none of these.
    assert both(sky, "support stances") == both(sky, "satisfy constraints") == (0, 0)
    assert both(cats, "clarify intent") == (2, 0)
    assert both(cats, "show empathetic") == (3, 1)
    assert both(cats, "satisfy constraints") == (2.5, 1.5)
    assert both(cats, "support stances") == (2, -1)
    assert both(cats, "correct mistakes") == (1, 3)
    # 40 against 30 words: at most .8 of it, but only 10 fewer.
    assert both(sky, "lengthy") == (0, 0)
    # Not applicable, in one answer or in one rating: the pair has no value.
    assert both(price, "no severe errors") == both(price, "polite") == (None, None)
    assert both(price, "clear") == (1, 1)
    assert {factor for _, _, factor in found} == set(NAMES)


def test_exchanging_the_answers_turns_every_difference(tmp_path, store, golden):
    turned = []
    for record in RECORDS[:3]:
        swap = {}
        for name, value in record.items():
            other = name.replace("_1", "_x").replace("_2", "_1").replace("_x", "_2")
            swap[other] = value
        labels = {j: {"response_1": "response_2", "response_2": "response_1"}[w] for j, w in record["preference_labels"].items()}
        turned.append(swap | {"preference_labels": labels})
    import_path(store, write(tmp_path / "turned.jsonl", *turned), "t")
    straight = {k: v for k, v in values(golden[0]).items() if k[0] != "Say it."}
    assert values(store) == straight


def test_a_property_that_nobody_annotated_is_no_factor(tmp_path, store):
    record = {name: value for name, value in RECORDS[0].items() if "_response_" not in name}
    report = import_path(store, write(tmp_path / "x.jsonl", record), "g")
    assert report.accepted == 2
    assert {factor for _, _, factor in values(store)} == {"lengthy"}


def test_other_layouts(tmp_path, store):
    """An array; Parquet; errors under their other name; labels by letter, model or number; words not counted."""
    record = json.loads(json.dumps(RECORDS[0]))
    del record["response_1"]["num_words"]
    record["preference_labels"] = {"human": "A", "m1": "beta", "m2": 1, "m3": "Response 2"}
    for side in "12":
        old = record[f"errors_response_{side}"]
        record[f"errors_response_{side}"] = {"applicable or not": "applicable", "errors": old["inaccuracies"]}
    path = tmp_path / "array.json"
    path.write_text(json.dumps([record]))
    assert registry.choose(path) is gair
    report = import_path(store, path, "g")
    assert [judge["judge"] for judge in report.judges] == ["human", "m1", "m2", "m3"]
    assert any("whose words are counted at blanks" in said for said in report.inferred)
    found = values(store)
    assert found[record["query"], "alpha", "no minor errors"] == -2
    # 6 words against 30: the shorter one has at most 11 words, and 11 are enough.
    assert (found[record["query"], "alpha", "lengthy"], found[record["query"], "beta", "lengthy"]) == (0, 1)
    pd.DataFrame(RECORDS[:1]).drop(columns="query-specific_response_1").to_parquet(tmp_path / "x.parquet")
    assert registry.choose(tmp_path / "x.parquet") is gair
    report = import_path(store, tmp_path / "x.parquet", "p")
    assert report.accepted == 2


def test_groups_of_prompts_can_be_mapped(tmp_path, store):
    options = ImportOptions(attributes=(("prompt.w_stances", "w_stances"), ("prompt.intent_unclear", "intent_unclear")))
    import_path(store, GOLDEN, "g", options)
    with store.reading("looking") as con:
        rows = con.execute(
            """SELECT t.body, a.name, a.value FROM attribute a JOIN prompt p ON p.prompt_id = a.entity_id
            JOIN text t USING (text_id) WHERE a.entity = 'prompt' ORDER BY ALL"""
        ).fetchall()
    assert (RECORDS[1]["query"], "w_stances", "yes") in rows
    assert (RECORDS[1]["query"], "intent_unclear", "yes") in rows
    assert (RECORDS[0]["query"], "w_stances", "no") in rows
    assert (RECORDS[0]["query"], "intent_unclear", "no") in rows


def test_values_that_are_none_are_said():
    taken = Taken()
    record = json.loads(json.dumps(RECORDS[1]))
    record["basic_response_1"]["polite"] = 7
    record["query-specific_response_1"]["supporting explicit subjective stances"] = ["Rather liked"]
    record["errors_response_1"]["inaccuracies"] = [{"severity": "huge"}]
    found = values_of(taken, record)
    assert "polite" not in found
    assert "support stances" not in found
    assert found["no severe errors"] == (0, 0)
    said = taken.sentences()
    assert any("'polite' that are no rating from 0 to 3" in text for text in said)
    assert any("strongly opposed, weakly opposed" in text for text in said)
    assert any("neither minor nor moderate nor severe" in text for text in said)


def test_the_rule_of_length_is_the_one_of_analysis():
    short, long = np.meshgrid(np.arange(420), np.arange(470))
    pairs = [(int(s), int(w)) for s, w in zip(short.ravel(), long.ravel(), strict=True) if s <= w]
    mine = [float(clearly_longer(s, w)) for s, w in pairs]
    assert longer([w for _, w in pairs], [s for s, _ in pairs]).tolist() == mine


def test_a_fit_by_signs_sees_the_published_coding(tmp_path, store):
    """Annotations at random: what a fit takes is the coding of analysis/gair_coding.py on the annotations themselves."""
    rng = np.random.default_rng(4)
    records, raw = [], {name: ([], []) for name in NAMES}
    for k in range(60):
        record = json.loads(json.dumps(RECORDS[0])) | {"query": f"Query {k}"}
        for side in (1, 2):
            words = int(rng.integers(0, 60))
            ratings = {key: int(rng.integers(0, 4)) for key in record["basic_response_1"]}
            severities = [str(word) for word in rng.choice(["minor", "moderate", "severe"], int(rng.integers(0, 5)))]
            specific = [one for one in PROPERTIES if one.kind == "query-specific"]
            low = [-2 if one.name == "support stances" else 0 for one in specific]
            items = [[int(n) for n in rng.integers(least, least + 4, 2)] for least in low]
            record[f"response_{side}"]["num_words"] = words
            record[f"basic_response_{side}"] = ratings
            record[f"errors_response_{side}"]["inaccuracies"] = [{"severity": word} for word in severities]
            record[f"query-specific_response_{side}"] = dict(zip([one.key for one in specific], items, strict=True))
            for one in PROPERTIES:
                kinds = {"basic": ratings.get(one.key), "error": severities.count(one.key), "length": words}
                mean = float(np.mean(items[specific.index(one)])) if one in specific else None
                raw[one.name][side - 1].append(kinds.get(one.kind, mean))
        records.append(record)
    assert import_path(store, write(tmp_path / "x.jsonl", *records), "g").accepted == 120
    seen = FactorsTable(judge=("human",), factor=NAMES, coding="sign").run(store).table().sort_values("pair")
    assert len(seen) == 60
    for name in NAMES:
        wanted = coded(name, *raw[name])
        assert {-1, 0, 1} >= set(wanted) > {0}, name
        assert seen[name].to_numpy(dtype=float).tolist() == wanted.tolist(), name


@pytest.mark.parametrize("text", ["", "[1]", "{}", json.dumps({"query": "x", "preference_labels": {}}), "query,response_1\n"])
def test_other_files_are_not_taken_for_it(tmp_path, text):
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    assert not gair.sniff(path)


def test_refusals(tmp_path, store):
    with pytest.raises(FileError, match="is a folder"):
        import_path(store, tmp_path, "g", ImportOptions(format="gair"))
    with pytest.raises(FileError, match="no column response_1, response_2, preference_labels"):
        import_path(store, write(tmp_path / "x.jsonl", {"query": "x"}), "g", ImportOptions(format="gair"))
