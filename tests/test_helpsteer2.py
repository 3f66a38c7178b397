"""HelpSteer2: signed strengths and ratings to verdicts by hand, single annotators beside the published preference."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stored import factor_values, judgments, rejected

from data.importers import helpsteer2, registry
from data.imports import ImportOptions, import_path
from data.store import Store
from errors import FileError

RATED = helpsteer2.RATED


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s.duckdb")


def preference(k: int = 0, strength: Any = 1, **other: Any) -> dict[str, Any]:
    return {
        "split": "train", "prompt": f"prompt {k}", "response_1": "one", "response_2": "two",
        "preference_strength": strength, "preference_statement": "It is better.", "preference_elaboration": "Much.",
    } | other  # fmt: skip


def rating(prompt: str, response: str, *values: Any) -> dict[str, Any]:
    return {"prompt": prompt, "response": response} | dict(zip(RATED, values, strict=True))


def lines(path: Path, *records: Any) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_every_strength_by_hand(store: Store, tmp_path: Path) -> None:
    file = lines(tmp_path / "p.jsonl", *(preference(k, k - 3) for k in range(7)))
    report = import_path(store, file, "d")
    assert (report.format, report.read, report.accepted) == ("helpsteer2", 7, 7)
    rows = judgments(store)
    # Negative strengths speak for response 1, which is a.
    assert [row["outcome"] for row in rows] == ["a", "a", "a", "tie", "b", "b", "b"]
    assert [row["confidence"] for row in rows] == [3, 2, 1, 0, 1, 2, 3]
    assert rows[0] == {
        "prompt": "prompt 0", "response_a": "one", "response_b": "two", "judge": "human", "kind": "human",
        "outcome": "a", "p_a": 1.0, "variant": "plain", "criterion": "overall", "confidence": 3.0,
        "reason": "It is better. Much.",
    }  # fmt: skip
    assert any("shown first is unknown for all" in text for text in report.inferred)


def test_strengths_as_graded_preferences_where_that_is_asked_for(store: Store, tmp_path: Path) -> None:
    file = lines(tmp_path / "p.jsonl", *(preference(k, k - 3) for k in range(7)))
    import_path(store, file, "d", ImportOptions(maps=(("p_a", "graded"),)))
    assert [row["p_a"] for row in judgments(store)] == pytest.approx([1, 5 / 6, 4 / 6, 0.5, 2 / 6, 1 / 6, 0], abs=1e-12)


def test_single_annotators_are_votes_of_a_judge_of_their_own(store: Store, tmp_path: Path) -> None:
    every = [{"strength": s, "justification": f"because {s}"} for s in (2, 2, -1)]
    similar = [{"strength": 1, "statement": "So.", "elaboration": ""}, {"strength": 7, "statement": "x"}]
    records = [
        preference(0, 1, all_preferences_unprocessed=every, three_most_similar_preferences=similar),
        preference(1, 1, all_preferences_unprocessed=[{"strength": 9, "justification": "?"}, "x"]),
        preference(2, 0, all_preferences_unprocessed="none", three_most_similar_preferences=similar),
        preference(3, 0, all_preferences_unprocessed=None),
    ]
    report = import_path(store, lines(tmp_path / "p.jsonl", *records), "d")
    rows = [(row["prompt"], row["judge"], row["outcome"], row.get("reason")) for row in judgments(store)]
    much = "It is better. Much."
    assert rows == [
        ("prompt 0", "human", "b", much), ("prompt 0", "annotators", "b", "because 2"),
        ("prompt 0", "annotators", "b", "because 2"), ("prompt 0", "annotators", "a", "because -1"),
        ("prompt 1", "human", "b", much), ("prompt 2", "human", "tie", much), ("prompt 3", "human", "tie", much),
    ]  # fmt: skip
    what = "a strength is a whole number from -3 (response 1 is much better) to 3 (response 2)"
    assert rejected(report) == [
        (2, "all_preferences_unprocessed", "9", what), (2, "all_preferences_unprocessed", None, what),
        (3, "all_preferences_unprocessed", "none", "is no list of preferences with their strengths"),
    ]  # fmt: skip
    assert report.read == 10
    other = Store(tmp_path / "other.duckdb")
    alone = preference(0, 1, three_most_similar_preferences=similar)
    report = import_path(other, lines(tmp_path / "q.jsonl", alone), "d")
    assert [(row["judge"], row.get("reason")) for row in judgments(other)] == [("human", much), ("annotators", "So.")]
    assert rejected(report)[0][1:3] == ("three_most_similar_preferences", "7")


def test_strengths_that_are_none_are_rejected_with_their_line(store: Store, tmp_path: Path) -> None:
    words = [1, "-2.0", 4, 0.5, None, "much", "", -4, True]
    report = import_path(store, lines(tmp_path / "p.jsonl", *(preference(k, w) for k, w in enumerate(words))), "d")
    assert [row["outcome"] for row in judgments(store)] == ["b", "a"]
    assert [(line, column, value) for line, column, value, _ in rejected(report)] == [
        (k, "preference_strength", value)
        for k, value in zip(range(3, 10), ["4", "0.5", None, "much", "", "-4", "true"], strict=True)
    ]
    empty = lines(tmp_path / "q.jsonl", preference(0, 1), preference(1, 1, prompt=" "), preference(2, response_2="one"))
    assert [reason for *_, reason in rejected(import_path(store, empty, "e"))] == [
        "is empty", "equals response_a of the same model: two equal responses are no pair",
    ]  # fmt: skip


def test_ratings_of_two_answers_are_comparisons_in_five_respects(store: Store, tmp_path: Path) -> None:
    records = [
        rating("p", "one", 3, 4, 4, 2, 1), rating("p", "two", 3, 2, 4, 1, 2),
        rating("q", "x", 1, 1, 1, 1, 1), rating("q", "y", 2, "", None, 9, "n/a"),
        rating("r", "alone", 1, 1, 1, 1, 1), rating("", "z", 1, 1, 1, 1, 1),
    ]  # fmt: skip
    report = import_path(store, lines(tmp_path / "r.jsonl", *records), "d")
    rows = [(row["criterion"], row["outcome"], row["score_a"], row["score_b"]) for row in judgments(store)]
    assert rows == [
        ("overall", "tie", 3, 3), ("correctness", "a", 4, 2), ("coherence", "tie", 4, 4), ("complexity", "a", 2, 1),
        ("verbosity", "b", 1, 2), ("overall", "b", 1, 2),
    ]  # fmt: skip
    assert {row["judge"] for row in judgments(store)} == {"ratings"}
    what = "a rating is a number from 0 to 4, or a list of them"
    assert sorted(rejected(report), key=lambda row: (row[0], row[1])) == [
        (4, "complexity", "9", what), (4, "verbosity", "n/a", what),
        (5, "prompt", "r", "has no second answer in the file: the rating of one answer alone is no comparison"),
        (6, "prompt", "", "is empty"),
    ]  # fmt: skip
    assert any("2 ratings are empty" in text for text in report.inferred)
    values = factor_values(store)
    assert [values["one", name] for name in RATED] == [3, 4, 4, 2, 1]
    assert values["y", "helpfulness"] == 2
    assert ("y", "correctness") not in values


def test_lists_of_ratings_are_their_means(store: Store, tmp_path: Path) -> None:
    records = [
        rating("c#", "one", [3, 3, 4], [3, 4], [4, 4, 4], [2], [0, 1]), rating("c#", "two", [3, 3, 3], [3, 4], [5], [], [1, None]),
    ]  # fmt: skip
    report = import_path(store, lines(tmp_path / "r.jsonl", *records), "d")
    rows = [(row["criterion"], row["outcome"]) for row in judgments(store)]
    assert rows == [("overall", "a"), ("correctness", "tie")]
    assert judgments(store)[0]["score_a"] == pytest.approx(10 / 3)
    assert [row[1] for row in rejected(report)] == ["coherence", "complexity", "verbosity"]


def test_more_than_two_answers_are_paired_in_their_order(store: Store, tmp_path: Path) -> None:
    records = [rating("p", text, k, 0, 0, 0, 0) for k, text in enumerate("abcd")]
    records.insert(2, rating("q", "x", 0, 0, 0, 0, 0))
    import_path(store, lines(tmp_path / "r.jsonl", *records), "d")
    rows = [(row["response_a"], row["response_b"]) for row in judgments(store) if row["criterion"] == "overall"]
    assert rows == [("a", "b"), ("c", "d")]


def test_the_folder_as_published_and_ratings_turned_to_the_pairs_there(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "HelpSteer2"
    lines(folder / "preference" / "preference.jsonl", preference(0, 2))
    lines(folder / "disagreements" / "d.jsonl", rating("prompt 0", "one", [1], [1], [1], [1], [1]))
    folder.joinpath("train.jsonl.gz").write_bytes(gzip.compress("".join(
        json.dumps(rating("prompt 0", text, value, 0, 0, 0, 0)) + "\n" for text, value in (("two", 4), ("one", 1))
    ).encode()))  # fmt: skip
    (folder / "README.md").write_text("prompt,response_1,response_2,preference_strength")
    assert helpsteer2.sniff(folder)
    with pytest.raises(FileError, match="--as helpsteer2"):
        registry.choose(folder)
    report = import_path(store, folder, "d", ImportOptions(format="helpsteer2"))
    assert (report.read, report.accepted, report.pairs) == (6, 6, 1)
    found = {(row["judge"], row["criterion"]): row["outcome"] for row in judgments(store)}
    assert found["human", "overall"] == found["ratings", "overall"] == "b"
    assert any("disagreements/d.jsonl is left out" in text for text in report.inferred)


def test_parquet_and_what_is_not_taken_for_it(store: Store, tmp_path: Path) -> None:
    every = [{"strength": -1, "justification": "x"}]
    pq.write_table(pa.Table.from_pylist([preference(0, -1, all_preferences_unprocessed=every)]), tmp_path / "p.parquet")
    assert import_path(store, tmp_path / "p.parquet", "d").accepted == 2
    assert [row["outcome"] for row in judgments(store)] == ["a", "a"]
    for k, text in enumerate(("", "[1]", '{"prompt": "p", "response": "x", "helpfulness": 1}', "prompt,response_1\n")):
        (tmp_path / f"{k}.json").write_text(text)
        assert not helpsteer2.sniff(tmp_path / f"{k}.json")
    with pytest.raises(FileError, match="has no column preference_strength, response_1, response_2"):
        import_path(store, lines(tmp_path / "y.jsonl", {"prompt": 1}), "d", ImportOptions(format="helpsteer2"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match="holds no preferences"):
        import_path(store, tmp_path / "empty", "d", ImportOptions(format="helpsteer2"))


def test_lines_hold_where_as_many_rows_come_of_other_records(store: Store, tmp_path: Path) -> None:
    votes = [{"strength": 1, "justification": "x"}]
    records = [preference(0, "?"), preference(1, 1, prompt=" ", all_preferences_unprocessed=votes), preference(2, 1)]
    report = import_path(store, lines(tmp_path / "p.jsonl", *records), "d")
    assert [row[:2] for row in rejected(report)] == [(1, "preference_strength"), (2, "prompt"), (2, "prompt")]
