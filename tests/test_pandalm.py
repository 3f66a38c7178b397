"""PandaLM's test set: verdicts of people and judges as its files say them, joined by idx, nothing lost without a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from data.importers import pandalm, registry
from data.imports import ImportOptions, import_path
from data.store import Store
from errors import FileError

PANDALM = ImportOptions(format="pandalm")
RECORD = {
    "idx": 0, "motivation_app": "Gmail", "cmp_key": "bloom-7b_llama-7b", "instruction": "Is it true?", "input": "Water.",
    "response1": True, "response2": "Yes.", "annotator1": 1, "annotator2": 0, "annotator3": 2,
}  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s.duckdb")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    where = tmp_path / "pandalm"
    where.mkdir()
    write(where / "testset-v1.json", RECORD, RECORD | {"idx": 1, "input": " ", "response2": "No."})
    write(
        where / "gpt-4-testset-v1.json",
        {"idx": 1, "gpt_result": "garbage", "gpt_reason": "?"}, {"idx": 0, "gpt_result": "2", "gpt_reason": "Plain."},
    )  # fmt: skip
    write(where / "new-judge-testset-v1.json", {"idx": 0, "x_result": "Tie"}, {"idx": 1, "x_result": 1})
    return where


def write(path: Path, *records: dict[str, Any]) -> Path:
    path.write_text(json.dumps(records))
    return path


def said(store: Store) -> list[tuple[Any, ...]]:
    with store.reading("looking") as con:
        return con.execute(
            """SELECT (j.pair_id - min(j.pair_id) OVER ())::VARCHAR, g.name, n.name, j.outcome, x.body, y.body, a.name, b.name, t.body, j.shown, j.reason
            FROM judgment j JOIN pair p USING (pair_id) JOIN judge g USING (judge_id)
            LEFT JOIN annotator n ON n.annotator_id = j.annotator_id
            JOIN response r ON r.response_id = p.response_a JOIN text x ON x.text_id = r.text_id
            JOIN response s ON s.response_id = p.response_b JOIN text y ON y.text_id = s.text_id
            JOIN model a ON a.model_id = j.model_a JOIN model b ON b.model_id = j.model_b
            JOIN prompt q ON q.prompt_id = j.prompt_id JOIN text t ON t.text_id = q.text_id ORDER BY judgment_id"""
        ).fetchall()


def test_rows_in_full(store: Store, folder: Path) -> None:
    report = import_path(store, folder, "p", PANDALM)
    assert (report.read, report.accepted, report.rejected) == (10, 10, 0)
    assert [(j["judge"], j["kind"], j["judgments"]) for j in report.judges] == [
        ("human", "human", 6), ("gpt-4", "llm", 2), ("new-judge", "llm", 2),
    ]  # fmt: skip
    assert (report.pairs, report.models, report.prompts, report.scenarios) == (2, 2, 2, 1)
    rows = said(store)
    models = ("bloom-7b", "llama-7b")
    assert rows[0] == ("0", "human", "annotator1", 1, "true", "Yes.", *models, "Is it true?\n\nWater.", 0, None)
    assert rows[1][8] == "Is it true?"
    # 0 tie, 1 first, 2 second; garbage and a tie in words.
    assert [(row[0], row[1], row[3]) for row in rows] == [
        ("0", "human", 1), ("1", "human", 1), ("0", "human", 3), ("1", "human", 3), ("0", "human", 2), ("1", "human", 2),
        ("1", "gpt-4", 0), ("0", "gpt-4", 2), ("0", "new-judge", 3), ("1", "new-judge", 1),
    ]  # fmt: skip
    assert rows[7][10] == "Plain."


def test_bad_records_each_with_its_reason(store: Store, folder: Path) -> None:
    write(
        folder / "testset-v1.json", RECORD, RECORD, RECORD | {"idx": 2, "cmp_key": "alone"},
        RECORD | {"idx": 3, "annotator2": 7, "annotator3": None}, RECORD | {"idx": None},
    )  # fmt: skip
    write(folder / "gpt-4-testset-v1.json", {"idx": 9, "gpt_result": 1}, {"idx": 0, "gpt_result": "first"})
    report = import_path(store, folder, "p", PANDALM)
    assert report.reasons == {
        "idx stands for an earlier record of the file already": 1,
        "idx is empty": 1,
        "cmp_key does not name two models, MODEL_MODEL, in one way only": 1,
        "annotator2 a label is 0 (tie), 1 (response1) or 2 (response2)": 1,
        "idx is no pair of testset-v1.json": 2,  # 9, and 1 of the other judge
        "gpt_result a result is 0 or tie, 1, 2, or garbage (no verdict)": 1,
    }
    assert "annotator3 has not judged 1 of the pairs" in report.inferred
    where = report.rejections.set_index("reason").loc["a label is 0 (tie), 1 (response1) or 2 (response2)"]
    assert (where["file"], where["value"], int(where["line"])) == ("testset-v1.json", "7", 4)


def test_models_with_underscores_are_divided_where_others_tell_how(store: Store, folder: Path) -> None:
    keys = ["bloom-7b_llama-7b", "bloom-7b_my_own", "a_b", "b_llama-7b_bloom-7b"]
    write(folder / "testset-v1.json", *(
        RECORD | {"idx": k, "cmp_key": key, "response2": f"Yes {k}."} for k, key in enumerate(keys)
    ))  # fmt: skip
    for judge in folder.glob("*-testset-v1.json"):
        judge.unlink()
    report = import_path(store, folder, "p", PANDALM)
    # `my` and `own` are known from nowhere; so is every division of the last but none.
    assert (report.accepted, report.rejected) == (6, 2)
    assert "no JUDGE-testset-v1.json is there: people alone" in report.inferred


def test_a_judge_s_file_alone_adds_to_the_pairs_there(store: Store, folder: Path) -> None:
    import_path(store, folder, "p", PANDALM)
    late = write(folder.parent / "late-testset-v1.json", {"idx": 0, "y_result": 2}, {"idx": 1, "y_result": "garbage"})
    assert registry.choose(late) is pandalm
    report = import_path(store, late, "p")
    assert (report.format, report.accepted, report.pairs) == ("pandalm", 2, 2)
    assert {"judge": "late", "kind": "llm", "judgments": 2} in report.judges
    assert any("verdicts go to the pairs that the dataset has under these ids" in text for text in report.inferred)


def test_a_damaged_file_costs_itself_alone(store: Store, folder: Path) -> None:
    (folder / "gpt-4-testset-v1.json").write_text("%PDF-1.7")
    write(folder / "new-judge-testset-v1.json", {"idx": 0, "x_result": 1, "z_result": 2})
    report = import_path(store, folder, "p", PANDALM)
    assert (report.accepted, report.rejected) == (6, 2)
    assert any("one column NAME_result" in reason for reason in report.reasons)


def test_sniffing_and_refusals(store: Store, folder: Path, tmp_path: Path) -> None:
    assert pandalm.sniff(folder)
    assert registry.choose(folder / "testset-v1.json") is pandalm
    assert not pandalm.sniff(tmp_path)
    for text in ("", "[", json.dumps([{"idx": 0}]), json.dumps({"idx": 0}), "idx,gpt_result\n0,1"):
        (tmp_path / "x-testset-v1.json").write_text(text)
        assert not pandalm.sniff(tmp_path / "x-testset-v1.json")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match=r"holds neither testset-v1.json nor a JUDGE-testset-v1.json"):
        import_path(store, tmp_path / "empty", "p", PANDALM)
    with pytest.raises(FileError, match="--as pandalm"):
        registry.choose(folder)


@pytest.mark.real
def test_the_published_set(real: Path, store: Store) -> None:
    report = import_path(store, real / "pandalm", "p", PANDALM)
    assert (report.read, report.accepted, report.rejected) == (4995, 4995, 0)
    assert (report.pairs, report.models) == (999, 5)
    with store.reading("looking") as con:
        none = con.execute(
            "SELECT name, count(*) FROM judgment JOIN judge USING (judge_id) WHERE outcome = 0 GROUP BY 1"
        ).fetchall()
        texts = con.execute("SELECT count(*) FROM text WHERE body = 'true'").fetchall()[0][0]
    assert none == [("gpt-3.5-turbo", 25)]
    assert texts == 1
