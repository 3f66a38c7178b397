"""LLM Comparator: positive scores are for A, single scores with their order, custom fields of each model as factors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from stored import factor_values, judgments, rejected

from data.importers import llm_comparator, registry
from data.imports import ImportOptions, import_path
from data.store import Store
from errors import FileError


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s.duckdb")


def example(k: int = 0, score: Any = 0.5, ratings: Any = (), **other: Any) -> dict[str, Any]:
    return {
        "input_text": f"prompt {k}", "tags": ["Travel"], "output_text_a": "one", "output_text_b": "two",
        "score": score, "individual_rater_scores": list(ratings), "custom_fields": {},
    } | other  # fmt: skip


def whole(path: Path, *examples: Any, schema: Any = (), **other: Any) -> Path:
    value = {
        "metadata": {"source_path": "x", "custom_fields_schema": list(schema)},
        "models": [{"name": "new"}, {"name": "old"}], "examples": list(examples),
    } | other  # fmt: skip
    path.write_text(json.dumps(value, indent=1))
    return path


def test_scores_by_hand(store: Store, tmp_path: Path) -> None:
    file = whole(tmp_path / "c.json", *(example(k, s) for k, s in enumerate((1.5, -0.25, 0.0, None, "0.5", 3))))
    assert registry.choose(file) is llm_comparator
    report = import_path(store, file, "d")
    assert (report.format, report.read, report.accepted) == ("llm_comparator", 6, 6)
    rows = judgments(store)
    assert [row["outcome"] for row in rows] == ["a", "b", "tie", "none", "a", "a"]
    assert rows[1] == {
        "prompt": "prompt 1", "model_a": "new", "model_b": "old", "response_a": "one", "response_b": "two",
        "judge": "rater", "kind": "llm", "outcome": "b", "p_a": 0.0, "variant": "plain", "criterion": "overall",
        "scenario": "Travel", "confidence": 0.25,
    }  # fmt: skip
    assert "judge 'rater' is taken for an llm judge" in report.inferred
    graded = Store(tmp_path / "g.duckdb")
    import_path(graded, file, "d", ImportOptions(maps=(("p_a", "graded"),), sets=(("judge", "gemini"),)))
    held = [(row["judge"], row.get("p_a")) for row in judgments(graded)]
    # 3 is outside the scale: its winner decides alone.
    assert held == [
        ("gemini", 1), ("gemini", pytest.approx(0.5 - 0.25 / 3)), ("gemini", 0.5), ("gemini", None),
        ("gemini", pytest.approx(2 / 3)), ("gemini", 1),
    ]  # fmt: skip


def test_single_scores_are_the_judgments_with_their_order(store: Store, tmp_path: Path) -> None:
    ratings = [
        {"is_flipped": False, "score": 1.0, "rating_label": "A is better", "rationale": "A is fine."},
        {"is_flipped": False, "score": -0.5, "rationale": "B is fine."},
        {"is_flipped": True, "score": 1.5, "rating_label": "B is much better", "rationale": "B was A."},
        {"is_flipped": None, "score": None, "rationale": None},
    ]
    report = import_path(store, whole(tmp_path / "c.json", example(0, 0.5, ratings), example(1, -1)), "d")
    rows = [(row["prompt"], row["outcome"], row.get("shown"), row.get("repeat"), row.get("reason")) for row in judgments(store)]
    assert rows == [
        ("prompt 0", "a", 1, None, "A is fine."), ("prompt 0", "b", 1, 2, "B is fine."),
        ("prompt 0", "a", -1, None, "B was A."), ("prompt 0", "none", None, None, None),
        ("prompt 1", "b", None, None, None),
    ]  # fmt: skip
    assert any("1 examples have individual scores" in text for text in report.inferred)


def test_wrong_scores_and_texts(store: Store, tmp_path: Path) -> None:
    file = whole(
        tmp_path / "c.json", example(0), example(1, "good"), example(2, 0, [{"score": "x"}, {"score": 1}, 7]),
        example(3, input_text=" "), example(4, True), {"input_text": "p"}, [1],
    )  # fmt: skip
    report = import_path(store, file, "d")
    what = "is no number: above 0 A is better, below 0 B"
    found = rejected(report)
    assert (2, "score", "good", what) in found
    assert (3, "individual_rater_scores", "x", what) in found
    assert (3, "individual_rater_scores", "7", 'is no rating: {"score": 1.5, "is_flipped": false}') in found
    assert (4, "prompt", None, "is empty") in found
    assert (5, "score", "true", what) in found
    assert (7, None, "[1]", "the record is no JSON object: write {...} with one key a column") in found
    assert [row["prompt"] for row in judgments(store)][:2] == ["prompt 0", "prompt 2"]
    assert report.read == report.accepted + report.rejected


def test_custom_fields_of_each_model_are_factors(store: Store, tmp_path: Path) -> None:
    schema = [
        {"name": "words", "type": "per_model_number"}, {"name": "listed", "type": "per_model_boolean"},
        {"name": "tone", "type": "per_model_category"}, {"name": "score", "type": "per_model_number"},
        {"name": "source", "type": "category"}, {"name": 'odd "name\'', "type": "string"}, {"type": "number"}, "x",
    ]  # fmt: skip
    fields = {"words": [3, 7.5], "listed": [True, False], "tone": ["dry", "warm"], "score": [1, 2], "source": "web", 'odd "name\'': "y"}
    file = whole(tmp_path / "c.json", example(0, 1, custom_fields=fields), example(1, -1), schema=schema)
    report = import_path(store, file, "d", ImportOptions(attributes=(("prompt.source", "custom.source"),)))
    assert (report.accepted, report.rejected) == (2, 0)
    values = factor_values(store)
    assert (values["one", "words"], values["two", "words"], values["one", "listed"], values["two", "listed"]) == (3, 7.5, 1, 0)
    # A field called score is no score of the judge's.
    assert values["two", "custom score"] == 2
    assert "score_a" not in judgments(store)[0]
    with store.reading("looking") as con:
        assert con.execute("SELECT name, value FROM attribute").fetchall() == [("source", "web")]


def test_chunks_tags_and_a_metadata_list(store: Store, tmp_path: Path) -> None:
    chunks = [{"type": "text", "data": "What is it?"}, {"type": "image_byte", "data": "aGVsbG8="}]
    file = whole(
        tmp_path / "c.json", example(0, input_text=chunks, tags=["A", "B"]), example(1, tags=[], input_text='[{"a": 1}]'),
        example(2, tags=None), metadata=[],
    )  # fmt: skip
    report = import_path(store, file, "d")
    rows = judgments(store)
    assert rows[0]["prompt"].startswith("What is it?\n\n[image ")
    assert "aGVs" not in rows[0]["prompt"]
    assert rows[1]["prompt"] == '[{"a": 1}]'
    assert [row.get("scenario") for row in rows] == ["A", None, None]
    assert any("1 examples have several tags" in text for text in report.inferred)


def test_models_and_refusals(store: Store, tmp_path: Path) -> None:
    file = whole(tmp_path / "c.json", example(), models=[{"name": "one"}])
    with pytest.raises(FileError, match="names 1 models: two are compared, A and B"):
        import_path(store, file, "d")
    report = import_path(store, whole(tmp_path / "n.json", example(), models=[{}, {"name": " "}]), "d")
    assert (report.accepted, report.models) == (1, 0)
    with pytest.raises(FileError, match="reads single files"):
        import_path(store, tmp_path, "d", ImportOptions(format="llm_comparator"))
    with pytest.raises(FileError, match="has no column output_text_a"):
        import_path(store, whole(tmp_path / "x.json", {"input_text": "p"}), "d", ImportOptions(format="llm_comparator"))
    with pytest.raises(FileError, match="holds no record"):
        import_path(store, whole(tmp_path / "e.json"), "d", ImportOptions(format="llm_comparator"))
    for k, other in enumerate(("", "[]", '{"examples": []}', '{"examples": [{"input_text": 1}]}', '{"examples": 3}')):
        (tmp_path / f"{k}.json").write_text(other)
        assert not llm_comparator.sniff(tmp_path / f"{k}.json")
