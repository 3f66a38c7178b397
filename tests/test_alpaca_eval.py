"""AlpacaEval annotations: soft preferences kept exactly, damaged files and records reported, the rest read."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.importers import alpaca_eval
from data.importers.table import RawTable
from data.model import silent
from errors import FileError

RECORD = {
    "instruction": "Name a colour.", "dataset": "helpful_base", "generator_1": "baseline", "output_1": "Blue.",
    "generator_2": "model", "output_2": "Red, of course.", "annotator": "judge_fn", "preference": 1.25,
}  # fmt: skip


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    yield connection
    connection.close()


def write(path: Path, *preferences: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps([RECORD | {"preference": p} for p in preferences], indent=0)
    path.write_bytes(gzip.compress(text.encode(), mtime=0) if path.suffix == ".gz" else text.encode())
    return path


def load(path: Path, con: duckdb.DuckDBPyConnection, work: Path) -> tuple[RawTable, list[dict[str, str | None]]]:
    raw = alpaca_eval.load(path, con, work, silent)
    rows = con.execute("SELECT * EXCLUDE (row) FROM raw ORDER BY row").fetchall()
    assert raw.n_rows == len(rows)
    return raw, [dict(zip(raw.columns, row, strict=True)) for row in rows]


@pytest.mark.parametrize("name", ["annotations.json", "annotations.json.gz", "mine.json"])
def test_a_record_in_full(tmp_path: Path, con: duckdb.DuckDBPyConnection, name: str) -> None:
    path = write(tmp_path / name, 1.25)
    assert alpaca_eval.sniff(path)
    raw, rows = load(path, con, tmp_path)
    assert rows == [
        {
            "prompt": "Name a colour.", "scenario": "helpful_base", "model_a": "baseline", "model_b": "model",
            "response_a": "Blue.", "response_b": "Red, of course.", "judge": "judge_fn", "judge_kind": "llm",
            "winner": "a", "p_a": "0.75",
        }
    ]  # fmt: skip
    assert "swapped" not in raw.columns
    assert raw.file_of([0]) == [None]
    assert raw.line_of([0]) == [1]


@pytest.mark.parametrize(
    ("preference", "winner", "p_a"),
    [
        (1, "a", "1.0"),
        (2.0, "b", "0.0"),
        (1.5, "tie", "0.5"),
        (0, "tie", "0.5"),
        ("1.0", "a", "1.0"),
        (1.9999981112, "b", str(2 - 1.9999981112)),
        (None, "none", None),
        (float("nan"), "none", None),
        (-1, "none", None),
    ],
)
def test_preferences(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, preference: Any, winner: str, p_a: str | None
) -> None:
    _, rows = load(write(tmp_path / "annotations.json", preference), con, tmp_path)
    assert rows[0]["winner"] == winner
    found = rows[0]["p_a"]
    assert (found and float(found)) == (p_a and float(p_a))


@given(st.lists(st.floats(1, 2), min_size=1, max_size=20))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_soft_preferences_keep_every_digit(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, preferences: list[float]
) -> None:
    """2 - x is exact for doubles from 1 to 2, so equality and no tolerance."""
    _, rows = load(write(tmp_path / "annotations.json", *preferences), con, tmp_path)
    assert [2 - float(row["p_a"] or "nan") for row in rows] == preferences


def test_preferences_out_of_range_are_rejected_with_their_record(
    tmp_path: Path, con: duckdb.DuckDBPyConnection
) -> None:
    raw, rows = load(write(tmp_path / "annotations.json", 3, 1, "model_b", 0.5, True, 2, [1]), con, tmp_path)
    assert [row["winner"] for row in rows] == ["a", "b"]
    assert raw.line_of([0, 1]) == [2, 6]
    assert [(r.line, r.column, r.value) for r in raw.rejections] == [
        (1, "preference", "3"),
        (3, "preference", "model_b"),
        (4, "preference", "0.5"),
        (5, "preference", "true"),
        (7, "preference", "[1]"),
    ]
    assert {r.reason for r in raw.rejections} == {"a preference is a number from 1 (output_1) to 2 (output_2)"}


def test_a_folder_names_the_file_of_each_row(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    folder = tmp_path / "results"
    write(folder / "m2" / "judge" / "annotations.json.gz", 1.5, 7, 1.5)
    write(folder / "m1" / "judge" / "annotations.json", 1)
    (folder / "leaderboard.csv").write_text("a,b\n1,2\n")
    assert alpaca_eval.sniff(folder)
    raw, rows = load(folder, con, tmp_path)
    assert [row["winner"] for row in rows] == ["a", "tie", "tie"]
    assert raw.file_of([0, 1, 2]) == ["m1/judge/annotations.json"] + ["m2/judge/annotations.json.gz"] * 2
    assert raw.line_of([0, 1, 2]) == [1, 1, 3]
    assert [(r.file, r.line) for r in raw.rejections] == [("m2/judge/annotations.json.gz", 2)]
    assert load(folder / "m1", con, tmp_path)[0].n_rows == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>404</html>",
        b'[{"instruction": "x"}]',
        b'{"instruction": "x"}',
        b"\x1f\x8b\x08\x00broken",
        gzip.compress(b"[" + json.dumps(RECORD).encode() * 20, mtime=0)[:60],
        b"[1, 2]",
    ],
)
def test_a_damaged_file_in_a_folder_costs_itself_only(
    tmp_path: Path, con: duckdb.DuckDBPyConnection, content: bytes
) -> None:
    folder = tmp_path / "results"
    write(folder / "a" / "judge" / "annotations.json", 1)
    write(folder / "b" / "judge" / "annotations.json.gz", 1).write_bytes(content)
    write(folder / "c" / "judge" / "annotations.json", 2)
    raw, rows = load(folder, con, tmp_path)
    assert [row["winner"] for row in rows] == ["a", "b"]
    assert [r.file for r in raw.rejections] == ["b/judge/annotations.json.gz"]
    assert raw.line_of([1]) == [1]
    with pytest.raises(FileError):
        alpaca_eval.load(folder / "b", con, tmp_path, silent)


def test_missing_values_and_other_types(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    path = tmp_path / "annotations.json"
    odd = RECORD | {"output_1": None, "output_2": True, "dataset": ["x"]}
    del odd["generator_1"]
    path.write_text(json.dumps([RECORD, odd, "no record"]))
    raw, rows = load(path, con, tmp_path)
    assert (rows[1]["response_a"], rows[1]["response_b"], rows[1]["model_a"]) == (None, "true", None)
    assert rows[1]["scenario"] == '["x"]'
    assert [r.line for r in raw.rejections] == [3]


def test_refused(tmp_path: Path, con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(FileError, match=r"holds no annotations\.json or annotations\.json\.gz"):
        alpaca_eval.load(tmp_path, con, tmp_path, silent)
    path = tmp_path / "annotations.json"
    path.write_text('[{"instruction": "x", "output_1": "y"}]')
    with pytest.raises(FileError, match="has no column output_2, annotator, preference; it has instruction, output_1"):
        alpaca_eval.load(path, con, tmp_path, silent)


def test_sniff_refuses_others(tmp_path: Path) -> None:
    assert not alpaca_eval.sniff(tmp_path)
    for content in (b"", b"[", b"[1]", b'{"a": 1}', b"a,b\n", b"\x1f\x8b", b"[" * 5000, bytes(range(256))):
        (tmp_path / "x.json").write_bytes(content)
        assert not alpaca_eval.sniff(tmp_path / "x.json")


@pytest.mark.real
def test_the_published_folder(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "shared" / "real" / "alpaca_eval"
    if not folder.is_dir():
        pytest.skip("the published judgments are not beside the project (../shared/real)")
    raw, rows = load(folder, con, tmp_path)
    assert raw.rejections == ()
    assert len(raw.parts) == 32
    assert len(rows) == 805 * 32 - 2  # two models have 804
    assert {row["judge"] for row in rows} == {"weighted_alpaca_eval_gpt4_turbo", "alpaca_eval_cot_gpt4_turbo_fn"}
    assert len({row["prompt"] for row in rows}) == 805
    # The baseline against itself: as many equal answers for each of its two judges.
    same = [row for row in rows if row["model_a"] == row["model_b"] and row["response_a"] == row["response_b"]]
    assert len(same) == 2 * 805
    # The published win rate is the mean preference - 1, in percent.
    mine = [1 - float(row["p_a"] or "nan") for row in rows if row["model_b"] == "claude" and row["p_a"]]
    published = duckdb.sql(f"SELECT * FROM read_csv('{folder / 'published_leaderboard.csv'}')").df()
    found = published[published.iloc[:, 0] == "claude"]["win_rate"].iloc[0]
    assert 100 * sum(mine) / len(mine) == pytest.approx(found, abs=1e-9)
