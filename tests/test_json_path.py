"""Is a value inside a cell found by any key that a file may bring?"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from data.importers.json_path import value_at
from data.imports import ImportOptions, import_path
from data.store import Store

KEYS = ["plain", "", " ", "0", "-", "*", "$.x", "a.b", "[0]", "a/b", "~1", 'a"b', "it's", "a\\b", "tail\\", 'a\\"b', "a\nb", "ü"]


@pytest.mark.parametrize("key", KEYS, ids=[f"key{k}" for k in range(len(KEYS))])
def test_a_value_is_found_by_its_key(key: str) -> None:
    cell = json.dumps({key: ["this", 2], "other": "no"})
    with duckdb.connect() as con:
        sql = ", ".join([value_at("v", key, 0), value_at("v", key, 1), value_at("v", key), value_at("v", "absent")])
        found = con.execute(f"SELECT {sql} FROM (SELECT ? AS v)", [cell]).fetchall()
        assert found == [("this", "2", '["this",2]', None)]
        assert con.execute(f"SELECT {value_at('v', key)} FROM (SELECT 'no JSON' AS v)").fetchall() == [(None,)]


@pytest.mark.parametrize("key", ["tail\\", "*", 'a"b'], ids=["backslash", "star", "quote"])
def test_a_file_with_such_a_key_is_read(tmp_path: Path, key: str) -> None:
    rows = [
        {"prompt": f"p{k}", "response_a": {key: "long", "by": "x"}, "response_b": {key: "short", "by": "y"}, "winner": "a"}
        for k in range(3)
    ]
    path = tmp_path / "own.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    store = Store(tmp_path / "s.duckdb")
    maps = (("response_a", f"response_a.{key}"), ("response_b", f"response_b.{key}"))
    options = ImportOptions(maps=maps, sets=(("judge", "somebody"), ("judge_kind", "human")))
    done = import_path(store, path, "d", options)
    assert (done.accepted, done.rejected) == (3, 0)
    with store.reading() as con:
        assert con.execute("SELECT DISTINCT x.body FROM response r JOIN text x USING (text_id) ORDER BY 1").fetchall() == [("long",), ("short",)]
