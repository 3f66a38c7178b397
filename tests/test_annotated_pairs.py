"""AnnotatedPairs: annotators are judges, principles are factors with the sign of what they chose."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from stored import judgments, rejected

from data.importers import annotated_pairs, registry
from data.imports import ImportOptions, import_path
from data.store import Store
from errors import FileError

ANNOTATORS = {
    "h": {"name": "cooks", "description": "What cooks say", "type": "human"},
    "u": {"name": "preferred_text", "description": "From the file", "type": "unknown"},
    "m": {"name": "robot", "type": "ai"},
    "c": {"description": "Select the response that is more concise.", "type": "principle"},
    "n": {"description": "Select the response that gives more numbers", "type": "principle"},
    "idle": {"name": "nobody", "type": "human"},
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s.duckdb")


def pair(k: int = 0, notes: dict[str, Any] | None = None, **other: Any) -> dict[str, Any]:
    prefs = {"h": "a"} if notes is None else notes
    return {
        "id": f"id{k}", "prompt": f"prompt {k}", "response_a": {"text": "one", "model": "m1"},
        "response_b": {"text": "two", "model": "m2"},
        "annotations": {key: note if isinstance(note, dict) else {"pref": note} for key, note in prefs.items()},
        "metadata": {"kitchen": "east"},
    } | other  # fmt: skip


def whole(path: Path, *pairs: Any, **other: Any) -> Path:
    value = {"metadata": {"version": "2.0"}, "annotators": ANNOTATORS, "comparisons": list(pairs)} | other
    path.write_text(json.dumps(value, indent=1))
    return path


def values(store: Store) -> dict[tuple[str, str, str], tuple[float, float]]:
    """(prompt, judge, factor) -> the values of a and b, of factors that belong to judgments."""
    with store.reading("looking") as con:
        rows = con.execute(
            """SELECT t.body, g.name, f.name, v.value_a, v.value_b FROM judgment_value v JOIN factor f USING (factor_id)
            JOIN judgment j USING (judgment_id) JOIN judge g USING (judge_id) JOIN prompt p USING (prompt_id)
            JOIN text t ON t.text_id = p.text_id"""
        ).fetchall()
    return {(prompt, judge, name): (a, b) for prompt, judge, name, a, b in rows}


def response_values(store: Store) -> dict[tuple[str, str, str], float]:
    with store.reading("looking") as con:
        rows = con.execute(
            """SELECT q.body, t.body, f.name, v.value FROM response_value v JOIN factor f USING (factor_id)
            JOIN response r USING (response_id) JOIN text t USING (text_id) JOIN prompt p ON p.prompt_id = r.prompt_id
            JOIN text q ON q.text_id = p.text_id"""
        ).fetchall()
    return {(prompt, text, name): value for prompt, text, name, value in rows}


def test_a_comparison_in_full(store: Store, tmp_path: Path) -> None:
    notes = {"h": "a", "u": "b", "m": {"pref": None, "no_pref_reason": "invalid"}, "c": "b", "n": "a"}
    file = whole(tmp_path / "p.json", pair(0, notes))
    assert registry.choose(file) is annotated_pairs
    report = import_path(store, file, "d", ImportOptions(attributes=(("prompt.kitchen", "metadata.kitchen"),)))
    assert (report.format, report.read, report.accepted) == ("annotated_pairs", 3, 3)
    found = judgments(store)
    assert found[0] == {
        "prompt": "prompt 0", "model_a": "m1", "model_b": "m2", "response_a": "one", "response_b": "two",
        "judge": "cooks", "kind": "human", "outcome": "a", "p_a": 1.0, "variant": "plain", "criterion": "overall",
    }  # fmt: skip
    assert [(row["judge"], row["kind"], row["outcome"]) for row in found] == [
        ("cooks", "human", "a"), ("preferred_text", "llm", "b"), ("robot", "llm", "none"),
    ]  # fmt: skip
    assert response_values(store) == {
        ("prompt 0", "one", "is more concise"): 0, ("prompt 0", "two", "is more concise"): 1,
        ("prompt 0", "one", "gives more numbers"): 1, ("prompt 0", "two", "gives more numbers"): 0,
    }  # fmt: skip
    with store.reading("looking") as con:
        assert con.execute("SELECT name, value FROM attribute").fetchall() == [("kitchen", "east")]
    assert "judge 'preferred_text' is taken for an llm judge" in report.inferred


def test_every_word_of_a_principle(store: Store, tmp_path: Path) -> None:
    words: list[Any] = [
        "text_b", "tie", "both", "neither", {"pref": None, "no_pref_reason": "not_applicable"},
        {"pref": None, "no_pref_reason": "invalid"}, {"pref": None},
    ]  # fmt: skip
    file = whole(tmp_path / "p.json", *(pair(k, {"h": "a", "c": word}) for k, word in enumerate(words)))
    assert import_path(store, file, "d").rejected == 0
    held = response_values(store)
    found = [tuple(held.get((f"prompt {k}", text, "is more concise")) for text in ("one", "two")) for k in range(7)]
    assert found == [(0, 1), (0, 0), (1, 1), (0, 0), (0, 0), (None, None), (None, None)]


def test_a_response_in_two_pairs_keeps_what_each_comparison_says(store: Store, tmp_path: Path) -> None:
    third = {"text": "three", "model": "m3"}
    file = whole(
        tmp_path / "p.json", pair(0, {"h": "a", "m": "b", "c": "a"}),
        pair(1, {"h": "a", "m": "b", "c": "b"}, prompt="prompt 0", response_b=third),
    )  # fmt: skip
    import_path(store, file, "d")
    held = values(store)
    # `one` is the more concise of the first pair and the less concise of the second, for either judge.
    assert sorted(held) == [("prompt 0", "cooks", "is more concise"), ("prompt 0", "robot", "is more concise")]
    with store.reading("looking") as con:
        rows = con.execute("SELECT value_a, value_b FROM judgment_value ORDER BY judgment_id").fetchall()
    assert rows == [(1, 0), (1, 0), (0, 1), (0, 1)]


def test_wrong_annotations_each_with_its_number_and_reason(store: Store, tmp_path: Path) -> None:
    file = whole(
        tmp_path / "p.json",
        pair(0, {"h": "a", "m": "c", "c": "x"}),
        pair(1, {"c": "a"}),
        pair(2, {}),
        pair(3, annotations={"h": "a"}),
        pair(4, annotations=[1]),
        5,
        pair(6, {"h": {"pref": None, "no_pref_reason": "tie"}, "new": "b"}),
        pair(7, response_a={"model": "m1"}, response_b={"model": "m1"}),
    )
    report = import_path(store, file, "d")
    what, none = "is no preference: a, b, tie or null", "holds no preference of a judge, only those of principles or none at all"
    assert sorted(rejected(report), key=lambda row: (row[0], row[2] or "")) == [
        (1, "annotations", "is more concise: x", what), (1, "annotations", "robot: c", what),
        (2, "annotations", None, none), (3, "annotations", None, none),
        (4, "annotations", "cooks: VARCHAR", 'is no annotation: {"pref": "a"}'), (5, "annotations", None, none),
        (6, None, "5", "the record is no JSON object: write {...} with one key a column"),
        (8, "model_b", "m1", "is the same model as model_a and no texts tell the two apart: no pair"),
    ]  # fmt: skip
    assert [(row["prompt"], row["judge"], row["outcome"]) for row in judgments(store)][:3] == [
        ("prompt 0", "cooks", "a"), ("prompt 6", "cooks", "tie"), ("prompt 6", "new", "b"),
    ]  # fmt: skip
    assert report.read == report.accepted + report.rejected


def test_version_one_and_missing_prompts(store: Store, tmp_path: Path) -> None:
    old = {
        "id": "x", "prompt": None, "text_a": "one", "text_b": "two", "annotations": {"h": {"pref": "text_b"}},
        "metadata": {"model_a": "m1", "model_b": "m2"},
    }  # fmt: skip
    file = whole(tmp_path / "p.json", old, old | {"id": "y", "text_a": "three", "annotations": {"h": {"pref": "text_a"}}})
    report = import_path(store, file, "d")
    assert (report.accepted, report.prompts, report.pairs) == (2, 2, 2)
    row = judgments(store)[0]
    assert (row["prompt_id"], row["model_a"], row["response_b"], row["outcome"]) == ("x", "m1", "two", "b")
    assert judgments(store)[1]["outcome"] == "a"
    assert "prompt" not in row
    assert any("2 comparisons have no prompt" in text for text in report.inferred)


def test_names_that_meet_stay_apart_and_none_is_a_field_s(store: Store, tmp_path: Path) -> None:
    annotators = {
        "1": {"name": "same", "type": "human"}, "2": {"name": "same", "type": "human"},
        "3": {"description": "model", "type": "principle"},
    }  # fmt: skip
    file = whole(tmp_path / "p.json", pair(0, {"1": "a", "2": "b", "3": "a"}), annotators=annotators)
    import_path(store, file, "d")
    assert [(row["judge"], row["model_a"]) for row in judgments(store)] == [("same", "m1"), ("same (2)", "m1")]
    assert ("prompt 0", "one", "principle model") in response_values(store)


def test_keys_in_any_order_gzip_and_damage(store: Store, tmp_path: Path) -> None:
    late = json.dumps({"comparisons": [pair(0, {"h": "a"})], "annotators": ANNOTATORS, "metadata": {}})
    (tmp_path / "late.json.gz").write_bytes(gzip.compress(late.encode()))
    report = import_path(store, tmp_path / "late.json.gz", "d")
    assert (report.format, [j["judge"] for j in report.judges]) == ("annotated_pairs", ["cooks"])
    text = whole(tmp_path / "p.json", *(pair(k) for k in range(4))).read_text()
    (tmp_path / "cut.json").write_text(text[: text.index('"id3"') + 3])
    report = import_path(store, tmp_path / "cut.json", "e")
    assert (report.accepted, report.rejected) == (3, 1)
    with pytest.raises(FileError, match="reads single files"):
        import_path(store, tmp_path, "d", ImportOptions(format="annotated_pairs"))
    (tmp_path / "x.json").write_text('{"annotators": {}}')
    with pytest.raises(FileError, match="has no list comparisons; it has annotators"):
        import_path(store, tmp_path / "x.json", "d", ImportOptions(format="annotated_pairs"))
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(FileError, match="is no JSON object with a list comparisons"):
        import_path(store, tmp_path / "x.csv", "d", ImportOptions(format="annotated_pairs"))
    for k, other in enumerate(("", "[]", "{}", '{"comparisons": []}', '{"comparisons": [{"id": 1}]}', "a,b")):
        (tmp_path / f"{k}.json").write_text(other)
        assert not annotated_pairs.sniff(tmp_path / f"{k}.json")


def test_a_comparison_that_stands_twice(store: Store, tmp_path: Path) -> None:
    notes = {"h": "a", "m": "b"}
    turned = pair(2, {"h": "b", "m": "b"}, prompt="prompt 0", response_a={"text": "two", "model": "m2"},
                  response_b={"text": "one", "model": "m1"})  # fmt: skip
    file = whole(tmp_path / "p.json", pair(0, notes), pair(1, notes, prompt="prompt 0"), turned)
    report = import_path(store, file, "d")
    assert (report.accepted, report.pairs) == (6, 1)
    # People without names are separate votes, a model asked again repeats itself; the third lists the pair turned round.
    assert [(row["judge"], row["outcome"], row.get("repeat")) for row in judgments(store)] == [
        ("cooks", "a", None), ("robot", "b", None), ("cooks", "a", None), ("robot", "b", 2), ("cooks", "a", None),
        ("robot", "a", 3),
    ]  # fmt: skip
    assert import_path(store, file, "d").duplicates == 6
