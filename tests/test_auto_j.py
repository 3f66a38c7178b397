"""Auto-J's pairs: label 0, 1 and 2 as its README says, nothing else taken for them, no pair lost without a reason."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from data.importers import auto_j, registry
from data.imports import ImportOptions, import_path
from data.store import Store
from errors import FileError

RECORD = {"scenario": "seeking_advice", "label": 0, "prompt": "What now?", "response 1": "Rest.", "response 2": "Run."}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s.duckdb")


def write(path: Path, *records: dict[str, Any]) -> Path:
    text = "".join(json.dumps(record) + "\n" for record in records)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def judgments(store: Store) -> list[tuple[Any, ...]]:
    with store.reading("looking") as con:
        return con.execute(
            """SELECT a.body, b.body, j.p_a, j.shown FROM judgment j JOIN pair USING (pair_id)
            JOIN response x ON x.response_id = response_a JOIN text a ON a.text_id = x.text_id
            JOIN response y ON y.response_id = response_b JOIN text b ON b.text_id = y.text_id ORDER BY judgment_id"""
        ).fetchall()


@pytest.mark.parametrize("name", ["testdata_pairwise.jsonl", "pairs.jsonl.gz"])
def test_labels(tmp_path, store, name):
    path = write(tmp_path / name, *(RECORD | {"label": k, "response 1": f"Rest {k}."} for k in (0, 1, 2)))
    report = import_path(store, path, "aj")
    assert (report.format, report.accepted, report.rejected) == ("auto_j", 3, 0)
    assert report.judges == [{"judge": "human", "kind": "human", "judgments": 3}]
    assert (report.models, report.scenarios, report.prompts) == (0, 1, 1)
    assert judgments(store) == [("Rest 0.", "Run.", 1.0, 0), ("Rest 1.", "Run.", 0.0, 0), ("Rest 2.", "Run.", 0.5, 0)]


def test_bad_rows_each_with_its_reason(tmp_path, store):
    path = write(
        tmp_path / "testdata_pairwise.jsonl", RECORD, RECORD | {"label": 3}, RECORD | {"label": None},
        RECORD | {"response 2": "Rest."}, RECORD | {"prompt": ""},
    )  # fmt: skip
    report = import_path(store, path, "aj")
    assert (report.read, report.accepted, report.rejected) == (5, 1, 4)
    said = {int(row["line"]): (row["column"], row["reason"]) for row in report.rejections.to_dict("records")}
    assert said[2] == said[3] == ("label", "a label is 0 (response 1), 1 (response 2) or 2 (tie)")
    assert "two equal responses are no pair" in said[4][1]
    assert said[5][0] == "prompt"


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(RECORD | {"judge": "gpt-4"}),
        json.dumps({k: v for k, v in RECORD.items() if k != "scenario"}),
        json.dumps(RECORD | {"label": "response 1"}),
        json.dumps([RECORD]),
        json.dumps({"category": "default", "instruction": "x", "input": ""}),
        "prompt,response 1,response 2,label,scenario\na,b,c,0,d",
        "{" * 100_000,
        "",
    ],
)
def test_other_files_are_not_taken_for_it(tmp_path, text):
    path = tmp_path / "testdata_pairwise.jsonl"
    path.write_text(text)
    assert not auto_j.sniff(path)
    assert registry.choose(path) is not auto_j


def test_no_such_file_and_no_folder(tmp_path, store):
    assert not auto_j.sniff(tmp_path)
    assert not auto_j.sniff(tmp_path / "absent.jsonl")
    with pytest.raises(FileError, match="without a file testdata_pairwise"):
        import_path(store, tmp_path, "aj", ImportOptions(format="auto_j"))
    path = write(tmp_path / "x.jsonl", {"prompt": "p", "label": 0})
    with pytest.raises(FileError, match="no column scenario, response 1, response 2"):
        import_path(store, path, "aj", ImportOptions(format="auto_j"))


def test_a_folder_is_read_by_its_file_of_pairs(tmp_path, store):
    write(tmp_path / "testdata_pairwise.jsonl", RECORD)
    write(tmp_path / "other.jsonl", {"prompt": "p"})
    assert auto_j.sniff(tmp_path)
    assert import_path(store, tmp_path, "aj", ImportOptions(format="auto_j")).accepted == 1


@pytest.mark.real
def test_the_published_pairs_and_prompts(real, store):
    report = import_path(store, real / "auto_j" / "testdata_pairwise.jsonl", "aj")
    assert (report.read, report.accepted, report.rejected) == (1392, 1383, 9)
    assert (report.pairs, report.scenarios) == (1383, 58)
    assert all("two equal responses" in reason for reason in report.reasons)
    for name, rows, known in (("train", 2383, 201), ("test", 623, 58)):
        path = real / "auto_j" / f"scenario_{name}data.jsonl"
        labels = import_path(store, path, "aj", ImportOptions(format="labels"))
        # Most are other prompts.
        assert (labels.read, labels.accepted, labels.rejected) == (rows, known, rows - known)
        assert set(labels.reasons) == {"instruction is no prompt of this dataset"}
