"""The LLMFAO folder: three judges on the same pairs, with what its files say about texts and scenarios."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from data.importers import llmfao
from data.importers.table import RawTable
from data.model import silent
from errors import FileError

CROWD = "id,prompt,model_x,model_y,worker,winner,left,right\n"
JUDGE = "id,prompt,model_x,model_y,winner,left,right\n"
PAIR = {
    "id": 0, "prompt": 8, "text": "Write a haiku.", "type": "reflexion", "slug": "h", "note": None,
    "model_x": 1, "result_x": "left answer", "model_y": 2, "result_y": "",
}  # fmt: skip


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    yield connection
    connection.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    where = tmp_path / "llmfao"
    where.mkdir()
    (where / "crowd-comparisons.csv").write_text(CROWD + "0,8,1,2,58,left,One,Two\n0,8,1,2,59,tie,One,Two\n")
    (where / "gpt4-crowd-comparisons.csv").write_text(JUDGE + "0,8,1,2,right,One,Two\n")
    (where / "gpt3-crowd-comparisons.csv").write_text(JUDGE + "0,8,2,1,left,Two,One\n")
    (where / "pairs-crowd.jsonl").write_text(json.dumps(PAIR) + "\n")
    (where / "prompts.jsonl").write_text(json.dumps({"id": 8, "text": "Write a haiku.", "type": "reflexion"}) + "\n")
    return where


def load(path: Path, con: duckdb.DuckDBPyConnection, work: Path) -> tuple[RawTable, list[dict[str, str | None]]]:
    raw = llmfao.load(path, con, work, silent)
    rows = con.execute("SELECT * EXCLUDE (row) FROM raw ORDER BY row").fetchall()
    assert raw.n_rows == len(rows)
    return raw, [dict(zip(raw.columns, row, strict=True)) for row in rows]


def test_a_row_in_full(folder: Path, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    raw, rows = load(folder, con, tmp_path)
    assert rows[0] == {
        "prompt": "Write a haiku.", "prompt_id": "8", "scenario": "reflexion", "pair_id": "0",
        "model_a": "One", "model_b": "Two", "response_a": "left answer", "response_b": "",
        "judge": "crowd", "judge_kind": "human", "annotator": "58", "winner": "a", "swapped": "false",
    }  # fmt: skip
    assert [(row["judge"], row["judge_kind"], row["winner"], row["annotator"]) for row in rows] == [
        ("crowd", "human", "a", "58"),
        ("crowd", "human", "tie", "59"),
        ("gpt-4", "llm", "b", None),
        ("gpt-3", "llm", "a", None),
    ]
    assert raw.file_of([0, 1, 2, 3]) == ["crowd-comparisons.csv"] * 2 + [
        "gpt4-crowd-comparisons.csv",
        "gpt3-crowd-comparisons.csv",
    ]
    assert raw.line_of([3, 1, 0, 2]) == [2, 3, 2, 2]
    assert raw.rejections == ()


def test_texts_follow_the_models_where_a_row_lists_them_turned(
    folder: Path, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    _, rows = load(folder, con, tmp_path)
    assert (rows[3]["model_a"], rows[3]["response_a"], rows[3]["response_b"]) == ("Two", "", "left answer")


def test_one_judge_without_texts(folder: Path, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    for name in ("gpt4-crowd-comparisons.csv", "gpt3-crowd-comparisons.csv", "pairs-crowd.jsonl"):
        (folder / name).unlink()
    raw, rows = load(folder, con, tmp_path)
    assert len(rows) == 2
    assert (rows[0]["prompt"], rows[0]["scenario"]) == ("Write a haiku.", "reflexion")
    assert rows[0]["response_a"] is None
    assert [sentence.split(" ")[0] for sentence in raw.inferred] == [
        "gpt4-crowd-comparisons.csv",
        "gpt3-crowd-comparisons.csv",
        "pairs-crowd.jsonl",
    ]
    (folder / "prompts.jsonl").unlink()
    assert load(folder, con, tmp_path)[1][0]["prompt"] == "8"


def test_a_single_file(folder: Path, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    raw, rows = load(folder / "gpt4-crowd-comparisons.csv", con, tmp_path)
    assert [row["judge"] for row in rows] == ["gpt-4"]
    assert raw.file_of([0]) == [None]


def test_a_pair_that_the_texts_lack_and_a_null_answer(
    folder: Path, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (folder / "pairs-crowd.jsonl").write_text(json.dumps(PAIR | {"result_x": None}) + "\n")
    (folder / "gpt4-crowd-comparisons.csv").write_text(JUDGE + "7,8,1,3,right,One,Three\n")
    raw, rows = load(folder, con, tmp_path)
    assert (rows[0]["response_a"], rows[0]["response_b"]) == ("", "")
    assert (rows[2]["response_a"], rows[2]["prompt"]) == (None, "Write a haiku.")
    assert raw.inferred == ("1 judgments are on pairs that pairs-crowd.jsonl lacks: no response texts there",)


def test_other_models_under_a_pairs_id_are_rejected(
    folder: Path, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (folder / "crowd-comparisons.csv").write_text(
        CROWD + "0,8,1,3,58,left,One,Three\n\n0,8,1,2,59,tie,One,Two\n0,8,1,2,60\n"
    )
    raw, rows = load(folder, con, tmp_path)
    assert [row["annotator"] for row in rows if row["judge"] == "crowd"] == ["59"]
    assert raw.line_of([0]) == [4]
    assert sorted((r.file, r.line, r.column, r.value) for r in raw.rejections if r.column) == [
        ("crowd-comparisons.csv", 2, "id", "0")
    ]
    assert [(r.file, r.line) for r in raw.rejections if not r.column] == [("crowd-comparisons.csv", 5)]


def test_an_id_twice_among_the_texts(folder: Path, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (folder / "pairs-crowd.jsonl").write_text(
        json.dumps(PAIR) + "\n" + json.dumps(PAIR | {"result_x": "another"}) + "\n"
    )
    raw, rows = load(folder, con, tmp_path)
    assert len(rows) == 4
    assert rows[0]["response_a"] == "left answer"
    assert raw.inferred == ("pairs-crowd.jsonl has 1 ids more than once: the first is taken",)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("gpt4-crowd-comparisons.csv", b"%PDF-1.7"),
        ("gpt4-crowd-comparisons.csv", b""),
        ("gpt4-crowd-comparisons.csv", b"id,prompt\n1,2\n"),
        ("pairs-crowd.jsonl", b'{"number": 3}\n'),
        ("pairs-crowd.jsonl", bytes(range(256))),
        ("prompts.jsonl", b"<html>404</html>"),
    ],
)
def test_a_damaged_file_costs_itself_only(
    folder: Path, con: duckdb.DuckDBPyConnection, tmp_path: Path, name: str, content: bytes
) -> None:
    (folder / name).write_bytes(content)
    raw, rows = load(folder, con, tmp_path)
    assert [r.file for r in raw.rejections] == [name]
    assert len(rows) == (3 if name.startswith("gpt4") else 4)


def test_other_types_than_expected(folder: Path, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (folder / "pairs-crowd.jsonl").write_text('{"id": [0], "text": {"a": 1}}\n{"id": null}\n{"id": "0", "type": 5}\n')
    _, rows = load(folder, con, tmp_path)
    assert (rows[0]["scenario"], rows[0]["response_a"]) == ("5", None)


def test_refused(tmp_path: Path, con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(FileError, match="holds no LLMFAO judgments: expected one of crowd-comparisons"):
        llmfao.load(empty, con, tmp_path, silent)
    with pytest.raises(FileError, match="names no LLMFAO judge"):
        llmfao.load(folder / "prompts.jsonl", con, tmp_path, silent)
    for name in llmfao.JUDGES:
        (folder / name).write_bytes(b"")
    with pytest.raises(FileError, match="is empty"):
        llmfao.load(folder, con, tmp_path, silent)


def test_sniff(folder: Path, tmp_path: Path) -> None:
    assert llmfao.sniff(folder)
    assert llmfao.sniff(folder / "crowd-comparisons.csv")
    assert not llmfao.sniff(folder / "prompts.jsonl")
    assert not llmfao.sniff(tmp_path)
    assert not llmfao.sniff(tmp_path / "nothing")
    (folder / "crowd-comparisons.csv").write_bytes(bytes(range(256)))
    assert not llmfao.sniff(folder / "crowd-comparisons.csv")


@pytest.mark.real
def test_the_published_folder(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "shared" / "real" / "llmfao"
    if not folder.is_dir():
        pytest.skip("the published judgments are not beside the project (../shared/real)")
    raw, rows = load(folder, con, tmp_path)
    assert raw.rejections == ()
    assert raw.inferred == ()
    counts = {judge: sum(row["judge"] == judge for row in rows) for judge in ("crowd", "gpt-4", "gpt-3")}
    assert counts == {"crowd": 8_931, "gpt-4": 2_139, "gpt-3": 2_139}
    assert len({row["annotator"] for row in rows if row["judge"] == "crowd"}) == 124
    assert len({row["model_a"] for row in rows} | {row["model_b"] for row in rows}) == 59
    assert len({row["prompt"] for row in rows}) == 13
    assert {row["scenario"] for row in rows} == {"creativity", "instruct", "knowledge", "reflexion"}
    assert {row["winner"] for row in rows} == {"a", "b", "tie"}
    pairs = {row["pair_id"]: row for row in rows}
    assert len(pairs) == 2_139
    # 62 pairs hold an answer without a character, 289 one without a word.
    texts = [(row["response_a"], row["response_b"]) for row in pairs.values()]
    assert sum("" in pair for pair in texts) == 62
    assert sum(not (a or "").strip() or not (b or "").strip() for a, b in texts) == 289
    # One model's answer to one prompt is one text, whichever side it was shown on.
    answers = {(row["prompt"], row["model_a"], row["response_a"]) for row in rows}
    answers |= {(row["prompt"], row["model_b"], row["response_b"]) for row in rows}
    assert len(answers) == len({answer[:2] for answer in answers})
