"""What does the beginning of a file tell: the names of its columns, the keys of the object that it is?"""

from __future__ import annotations

import csv
import gzip
import json
import re
import zlib
from pathlib import Path
from typing import Any

HEAD = 4 << 20
"""Bytes in which the first record must end for a file to be recognised."""
_WHITE = re.compile(r"[\s,]*")


def columns(path: Path) -> frozenset[str]:
    """Names of the columns of Parquet, JSON lines, a JSON array or a delimited text; none where it is no table."""
    try:
        with path.open("rb") as file:
            if file.read(4) == b"PAR1":
                import pyarrow.parquet

                return frozenset(name.strip() for name in pyarrow.parquet.read_schema(path).names)
    except (OSError, ValueError):
        return frozenset()
    text = head(path)
    try:
        if text.startswith(("{", "[")):
            record, _ = json.JSONDecoder().raw_decode(text.removeprefix("[").lstrip())
            return frozenset(str(key).strip() for key in record) if isinstance(record, dict) else frozenset()
        first = text.split("\n", 1)[0]
        delimiter = max(",;\t", key=first.count)
        return frozenset(name.strip() for name in next(csv.reader([first], delimiter=delimiter), []))
    except (ValueError, RecursionError, csv.Error):
        return frozenset()


def outline(path: Path) -> dict[str, Any]:
    """Key -> value of the JSON object that a file begins as; of a list that is long, its first element alone.

    As far as the file's beginning tells; nothing where it is no such object.
    """
    text = head(path)
    out: dict[str, Any] = {}
    if not text.startswith("{"):
        return out
    decoder, pos = json.JSONDecoder(), 1
    try:
        while True:
            pos = _skip(text, pos)
            if text[pos : pos + 1] != '"':
                return out
            key, pos = decoder.raw_decode(text, pos)
            pos = _skip(text, pos)
            if text[pos : pos + 1] != ":":
                return out
            pos = _skip(text, pos + 1)
            try:
                out[key], pos = decoder.raw_decode(text, pos)
            except ValueError:
                if text[pos : pos + 1] == "[":
                    out[key] = [decoder.raw_decode(text, _skip(text, pos + 1))[0]]
                return out
    except (ValueError, RecursionError):
        return out


def head(path: Path, most: int | None = None) -> str:
    """The first `most` bytes (HEAD unless said) of a text file, decompressed, without white space before them; empty
    where it cannot be read."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else path.open("rb") as file:
            return file.read(HEAD if most is None else most).decode("utf-8-sig", "ignore").lstrip()
    except (OSError, EOFError, zlib.error):
        return ""


def _skip(text: str, pos: int) -> int:
    white = _WHITE.match(text, pos)
    return white.end() if white else pos
