"""Is this text a delimited table or JSON records, and what separates the columns?"""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

from errors import FileError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
SAMPLE = 1 << 20


def _parse(text: str) -> object:
    """The JSON value, or None where there is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def json_kind(name: str, plain: Path, text: str, *, whole: bool, suffix: str) -> str | None:
    """`jsonl`, `json`, or None for a delimited text. Raises FileError for JSON that is no list of records."""
    named = suffix in (".json", ".jsonl", ".ndjson")
    body = text.lstrip()
    if body[0] == "[":
        if re.match(r"\[\s*(\{|$)", body):
            return "json"
        if re.match(r"\[\s*\]\s*$", body):
            raise FileError(f"{name} is an empty JSON array: it holds no record")
        if named:
            raise FileError(f"{name} is a JSON array, but not of objects: write one object a judgment")
        return None
    lines = body.split("\n", 21)
    if len(lines) > 1 and not whole:
        lines = lines[:-1]
    values = [_parse(line) for line in lines[:20] if line.strip()]
    if any(isinstance(value, dict) for value in values):
        only = values[0] if len(values) == 1 and whole and len(lines) <= 2 else None
        if isinstance(only, dict) and suffix not in (".jsonl", ".ndjson"):
            _refuse_wrapped(name, only)
        return "jsonl"
    if body[0] != "{" or not (named or re.match(r'\{\s*"', body)):
        return None
    if len(lines) == 1 and not whole:
        return "jsonl"
    if plain.stat().st_size <= 64 * SAMPLE:
        value = _parse(plain.read_text("utf-8-sig"))
        if isinstance(value, dict):
            _refuse_wrapped(name, value)
            raise FileError(f"{name} is one JSON object over several lines: write one object a line, or an array")
    if re.match(r'\{\s*"', body) and not body.split("\n", 1)[0].rstrip().endswith(("{", "[", ":", ",")):
        return "jsonl"
    raise FileError(
        f"{name} begins like JSON but its lines are no JSON objects: write one whole object a line, or one array"
    )


def _refuse_wrapped(name: str, value: dict[str, object]) -> None:
    for key, inner in value.items():
        if isinstance(inner, list) and inner and isinstance(inner[0], dict):
            raise FileError(
                f"{name} is one JSON object, not a list of records: save the array under its key {key[:80]!r} alone"
            )


def sniff_delimiter(text: str, *, whole: bool, tab_first: bool = False) -> str:
    """The delimiter under which the header and the first records agree on the number of columns.

    text : the beginning of the file; whole : nothing follows it
    A tie goes to the delimiter with more columns; nothing found is a comma.
    """
    text = text.lstrip("\r\n")
    if match := re.match(r"sep=([,;\t|])\r?\n", text):
        return match[1]
    best, best_score = ",", (0.0, 0)
    for delimiter in DELIMITERS:
        counts = _field_counts(text, delimiter, whole)
        if not counts or counts[0] < 2:
            continue
        if tab_first and delimiter == "\t":
            return delimiter
        agree = sum(count == counts[0] for count in counts) / len(counts)
        if (agree, counts[0]) > best_score:
            best, best_score = delimiter, (agree, counts[0])
    return best


def _field_counts(text: str, delimiter: str, whole: bool) -> list[int]:
    """Fields of the header and of up to 200 records after it, read leniently."""
    counts: list[int] = []
    old_limit = csv.field_size_limit(2 * SAMPLE)
    try:
        for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if record:
                counts.append(len(record))
            if len(counts) > 200:
                break
    except csv.Error:
        return counts
    finally:
        csv.field_size_limit(old_limit)
    return counts if whole or len(counts) < 2 or len(counts) > 200 else counts[:-1]
