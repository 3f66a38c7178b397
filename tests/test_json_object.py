"""A JSON object with a long list: each record and everything beside it, however small the window that it is read through."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from data.importers import heads
from data.importers.source import open_source
from data.importers.table import RawTable, read_table
from errors import FileError


def read(path: Path, tmp_path: Path, key: str = "list") -> tuple[RawTable, list[tuple[Any, ...]]]:
    con = duckdb.connect()
    raw = read_table(open_source(path, tmp_path, within=key), con, tmp_path)
    return raw, con.execute(f"SELECT {', '.join(f'c{i}' for i in range(len(raw.columns)))} FROM raw ORDER BY row").fetchall()


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("window", [7, 1 << 20])
def test_the_list_and_what_stands_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, window: int) -> None:
    monkeypatch.setattr("data.importers.json_rows.WINDOW", window)
    value = {
        "before": {"list": [1, 2], "text": 'a "quoted" ] } word'}, "number": 12345678901234567890,
        "list": [{"a": 1.50, "b": None}, {"b": [1, {"x": "é"}], "c": "ünd]"}], "after": ["x"] * 5, "none": None,
    }  # fmt: skip
    for indent in (None, 2):
        raw, rows = read(write(tmp_path / "o.json", "\ufeff" + json.dumps(value, indent=indent, ensure_ascii=False)), tmp_path)
        assert raw.columns == ("a", "b", "c")
        assert rows == [("1.5", None, None), (None, '[1, {"x": "é"}]', "ünd]")]
        assert raw.beside == {
            "before": {"list": ["1", "2"], "text": 'a "quoted" ] } word'}, "number": "12345678901234567890",
            "after": ["x"] * 5, "none": None,
        }  # fmt: skip
        assert raw.rejections == ()
        assert raw.line_of([0, 1]) == [1, 2]


def test_a_damaged_record_costs_itself_alone(tmp_path: Path) -> None:
    text = '{"x": 1, "list": [{"a": 1, "b": 2}, {"a": 3, "b": oops}, {"a": 5, "b": 6}, 7], "y": 2}'
    raw, rows = read(write(tmp_path / "o.json", text), tmp_path)
    assert rows == [("1", "2"), ("5", "6")]
    assert [rejection.line for rejection in raw.rejections] == [2, 4]
    assert raw.beside == {"x": "1", "y": "2"}


@pytest.mark.parametrize("end", ["", ', "y', ', "y": ', ', "y": [1, 2', ', "y" 3}', ", 5: 6}"])
def test_damage_behind_the_list_loses_no_record(tmp_path: Path, end: str) -> None:
    raw, rows = read(write(tmp_path / "o.json", '{"x": 1, "list": [{"a": 1}, {"a": 2}]' + end), tmp_path)
    assert rows == [("1",), ("2",)]
    assert [rejection.line for rejection in raw.rejections] == [3]


def test_a_list_that_is_cut_off(tmp_path: Path) -> None:
    raw, rows = read(write(tmp_path / "o.json", '{"list": [{"a": 1}, {"a": 2}, {"a'), tmp_path)
    assert rows == [("1",), ("2",)]
    assert [rejection.line for rejection in raw.rejections] == [3]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"x": 1, "y": [2]}', "has no list list; it has x, y"),
        ('{"x": nope, "list": [{"a": 1}]}', "is no valid JSON before its list list"),
        ('{"x" 1, "list": [{"a": 1}]}', "is no valid JSON before its list list"),
        ('{"x": 1', "is no valid JSON before its list list: the object is not closed"),
        ('{"list": {"a": 1}}', "has no list list; it has list"),
        ('{"list": []}', "holds no record"),
        ('[{"a": 1}]', "is no JSON object with a list list"),
        ("a,b\n1,2\n", "is no JSON object with a list list"),
    ],
)
def test_what_is_no_such_object_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(FileError, match=why):
        read(write(tmp_path / "o.json", text), tmp_path)


def test_what_the_beginning_of_a_file_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps({"a": 1, "b": {"c": [2]}, "list": [{"x": 1}, {"x": 2}], "d": "late"})
    file = write(tmp_path / "o.json", text)
    assert heads.outline(file) == {"a": 1, "b": {"c": [2]}, "list": [{"x": 1}, {"x": 2}], "d": "late"}
    (tmp_path / "o.gz").write_bytes(gzip.compress(text.encode()))
    assert heads.outline(tmp_path / "o.gz") == heads.outline(file)
    # A list that does not end in the beginning: its first element.
    monkeypatch.setattr(heads, "HEAD", text.index('{"x": 2') + 3)
    assert heads.outline(file) == {"a": 1, "b": {"c": [2]}, "list": [{"x": 1}]}
    monkeypatch.setattr(heads, "HEAD", 4 << 20)
    for other in ("", "{", '{"a', '{"a": ', "[1]", "a,b", '{"a": {"b": 1', '{"a": [' * 5000):
        assert heads.outline(write(tmp_path / "x.json", other)) in ({}, {"a": [{}]})
    for other, names in (
        ("a,b\n1,2", {"a", "b"}), ('"a;x";b\n', {"a;x", "b"}), ("\ufeffa\tb\n", {"a", "b"}), ('{"a": 1}\n{"b": 2}', {"a"}),
        ('[ {"a": 1}, {"b": 2}]', {"a"}), ("[1]", set()), ("", set()), ("{", set()),
    ):  # fmt: skip
        assert heads.columns(write(tmp_path / "x.txt", other)) == names
    assert heads.columns(tmp_path / "nowhere") == frozenset()
    (tmp_path / "cut.parquet").write_bytes(b"PAR1\x00")
    assert heads.columns(tmp_path / "cut.parquet") == frozenset()
