"""How was the last file of this shape read? Remembered when its import is done, offered for the next one.

A shape is the digest of the names and kinds of a file's columns, in whatever order: next week's file of the same
program has it too. What is remembered are the words of the page's boxes as JSON; nothing of the file's texts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

MOST = 200
"""Shapes that are kept, the last used ones."""


@dataclass(frozen=True)
class Shape:
    """The last file of one shape. choices : as `remember` was given them"""

    file_name: str
    choices: dict[str, Any]
    used_at: datetime


def digest(kinds: Mapping[str, str]) -> str:
    """The shape of a file. kinds : column -> number, text or list"""
    listed = json.dumps(sorted(kinds.items()), ensure_ascii=False)
    return hashlib.sha256(listed.encode()).hexdigest()[:32]


def find(con: duckdb.DuckDBPyConnection, shape: str) -> Shape | None:
    """The last file of this shape that was imported."""
    rows = con.execute(
        "SELECT file_name, choices, used_at FROM file_shape WHERE shape = $shape ORDER BY used_at DESC LIMIT 1",
        {"shape": shape},
    ).fetchall()
    if not rows:
        return None
    file_name, choices, used_at = rows[0]
    try:
        found = json.loads(choices)
    except ValueError:
        return None
    return Shape(file_name, found, used_at) if isinstance(found, dict) else None


def remember(con: duckdb.DuckDBPyConnection, shape: str, file_name: str, choices: Mapping[str, Any]) -> None:
    """Keep how a file was read, in place of an earlier one of its shape."""
    con.execute("DELETE FROM file_shape WHERE shape = $shape", {"shape": shape})
    con.execute(
        "INSERT INTO file_shape VALUES ($shape, $name, $choices, now()::TIMESTAMP)",
        {"shape": shape, "name": file_name, "choices": json.dumps(choices, ensure_ascii=False, sort_keys=True)},
    )
    con.execute(
        "DELETE FROM file_shape WHERE shape NOT IN "
        "(SELECT shape FROM file_shape ORDER BY used_at DESC, shape LIMIT $most)",
        {"most": MOST},
    )
