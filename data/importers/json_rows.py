"""What are the records of a JSON file, one object a line or one array of objects, as text columns?

A record that is no object is rejected alone, with its line. Columns appear in the order in which keys are first met;
strings stay as they are, numbers keep their digits, booleans are `true` and `false`, nested values stay JSON, null and
absent keys are NULL.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, TextIO

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.importers.source import Source
from data.model import Progress, Rejection
from errors import FileError

BATCH = 10_000
BATCH_CHARS = 32 << 20
MOST_KEYS = 5_000
SHOWN = 300
WINDOW = 1 << 20
# Characters of the largest record looked for, and of the window kept while looking for the next good one.
LARGEST, TAIL = 256 << 20, 8 << 20


@dataclass(frozen=True)
class JsonRows:
    """What was written. lines : (n_rows,) line, or record number in an array, of each row"""

    columns: tuple[str, ...]
    n_rows: int
    lines: NDArray[np.int64]
    rejections: tuple[Rejection, ...]


class _Number(str):
    """The digits of a JSON number, kept as they stand in the file."""


class Broken:
    """A place where no record could be read."""

    def __init__(self, reason: str, text: str) -> None:
        self.reason, self.text = reason, text[:SHOWN].encode("utf-8", "replace").decode()


_DECODER = json.JSONDecoder(parse_int=_Number, parse_float=_Number, parse_constant=_Number)
_WHITE = re.compile(r"[ \t\r\n]*")
_NEXT = re.compile(r"\}\s*,\s*(?=\{)")
Row = dict[str, str | None]
_HALF = "half of a surrogate pair (\\ud800 to \\udfff alone) is no text"
_SURROGATE = re.compile("[\ud800-\udfff]")


def read(
    source: Source,
    con: duckdb.DuckDBPyConnection,
    progress: Progress,
    into: str,
    records: Iterator[tuple[int, Any]] | None = None,
    only: Collection[str] | None = None,
) -> JsonRows:
    """Write the records to the new table `into` of `con`, batch by batch.

    records : (number, value or Broken) of each, where the file is neither lines nor an array
    only : the keys to keep; None: all

    Raises FileError when keys cannot be columns: too many, alike but for spaces, or none at all.
    """
    if records is None:
        records = _array(source, progress) if source.kind == "json" else _lines(source, progress)
    target = _Target(con, into, only)
    for number, record in records:
        target.take(number, record)
        if len(target.columns) > MOST_KEYS:
            raise FileError(
                f"{source.name} has more than {MOST_KEYS} different keys: records of a table share their keys"
            )
    target.write()
    if target.numbers and not target.columns and only is None:
        raise FileError(f"{source.name}: its records have no keys, so there is no column to read")
    names = [key.strip() or f"column {i}" for i, key in enumerate(target.columns, 1)]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        listed = ", ".join(repr(name[:80]) for name in twice[:10])
        raise FileError(f"{source.name}: keys that differ in spaces only: {listed}; give each its own name")
    rejections = tuple(sorted(target.rejections, key=lambda rejection: rejection.line or 0))
    return JsonRows(tuple(names), len(target.numbers), np.array(target.numbers, dtype=np.int64), rejections)


def creation(into: str) -> str:
    """The words that create a table of this name: `temp.NAME` is a temporary one, which is not logged."""
    return "CREATE TEMP TABLE" if into.startswith("temp.") else "CREATE TABLE"


class _Target:
    """The table being filled, and what was taken so far."""

    def __init__(self, con: duckdb.DuckDBPyConnection, into: str, only: Collection[str] | None = None) -> None:
        self.con, self.into, self.only = con, into, only
        self.columns: dict[str, None] = {}
        self.numbers: list[int] = []
        self.rejections: list[Rejection] = []
        self.batch: list[tuple[int, Row]] = []
        self.chars = self.width = 0

    def take(self, number: int, record: Any) -> None:
        """One record, or the place of a broken one."""
        row = record if isinstance(record, Broken) else _texts(record, self.only)
        if isinstance(row, dict) and not row.keys() <= self.columns.keys():
            new = [key for key in row if key not in self.columns]
            if any(_SURROGATE.search(key) for key in new):
                row = Broken(_HALF, "")
            else:
                self.columns |= dict.fromkeys(new)
        if isinstance(row, Broken):
            self.rejections.append(Rejection(number, None, row.text, row.reason))
            return
        self.batch.append((number, row))
        self.chars += sum(map(len, filter(None, row.values())))
        if len(self.batch) >= BATCH or self.chars > BATCH_CHARS:
            self.write()

    def write(self) -> None:
        """Write what is held back."""
        have = self.width
        self.width = max(len(self.columns), 1)
        if not have:
            cells = ", ".join(f"c{i} VARCHAR" for i in range(self.width))
            self.con.execute(f"{creation(self.into)} {self.into} ({cells})")
        for index in range(have, self.width if have else 0):
            self.con.execute(f"ALTER TABLE {self.into} ADD COLUMN c{index} VARCHAR")
        try:
            table = self._arrow()
        except UnicodeEncodeError:
            self._refuse_surrogates()
            table = self._arrow()
        self.con.register("json_batch", table)
        self.con.execute(f"INSERT INTO {self.into} SELECT * FROM json_batch")
        self.con.unregister("json_batch")
        self.numbers.extend(number for number, _ in self.batch)
        self.batch, self.chars = [], 0

    def _arrow(self) -> pa.Table:
        arrays = [pa.array([row.get(key) for _, row in self.batch], pa.large_string()) for key in self.columns]
        arrays = arrays or [pa.nulls(len(self.batch), pa.large_string())]
        return pa.table(arrays, names=[f"c{i}" for i in range(len(arrays))])

    def _refuse_surrogates(self) -> None:
        good = []
        for number, row in self.batch:
            bad = next((key for key, text in row.items() if text and _SURROGATE.search(text)), None)
            if bad is None:
                good.append((number, row))
            else:
                shown = Broken(_HALF, row[bad] or "")
                self.rejections.append(Rejection(number, bad, shown.text, shown.reason))
        self.batch = good


def _texts(record: Any, only: Collection[str] | None) -> Row | Broken:
    try:
        if not isinstance(record, dict):
            return Broken("the record is no JSON object: write {...} with one key a column", _dump(record))
        kept = record if only is None else {key: value for key, value in record.items() if key.strip() in only}
        return {key: value if type(value) is str else _text(value) for key, value in kept.items()}
    except RecursionError:
        return Broken("nested too deeply", "")


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value if value is None else str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return _dump(value)


def _dump(value: Any) -> str:
    """The value as JSON again, numbers with the digits they had."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_dump(str(k))}: {_dump(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_dump, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _decode(text: str, pos: int = 0) -> tuple[Any, int]:
    """The value at `pos` and where it ends. Raises ValueError, also for nesting beyond Python's stack."""
    try:
        return _DECODER.raw_decode(text, pos)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _lines(source: Source, progress: Progress) -> Iterator[tuple[int, Any]]:
    """(line, value or Broken) of each line that is not blank."""
    done, total, told = 0, max(source.plain.stat().st_size, 1), 0
    with source.plain.open("rb") as file:
        for number, raw in enumerate(file, 1):
            done += len(raw)
            if number % 1000 == 0 or done - told > 4_000_000:
                told = done
                progress(done / total, "reading the records")
            text = raw.decode("utf-8").removeprefix("\ufeff" if number == 1 else "").strip(" \t\r\n")
            if not text:
                continue
            try:
                value, end = _decode(text)
                if end < len(text):
                    raise ValueError("text follows the object")
            except ValueError as error:
                yield number, Broken(f"no valid JSON ({_plain(error)}): write one whole object a line", text)
                continue
            yield number, value


def _plain(error: ValueError) -> str:
    return getattr(error, "msg", None) or str(error)


def _array(source: Source, progress: Progress) -> Iterator[tuple[int, Any]]:
    """(number, value or Broken) of each element of an array of any size."""
    with source.plain.open(encoding="utf-8-sig", newline="") as file:
        yield from Array(file, source.plain.stat().st_size, progress).elements()


class Array:
    """An array read through a window of text, so that memory stays at a few of its records."""

    def __init__(self, file: TextIO, size: int, progress: Progress) -> None:
        self.file, self.size, self.progress = file, max(size, 1), progress
        self.window, self.pos, self.chunk, self.read = "", 0, WINDOW, 0
        self.keys: frozenset[str] = frozenset()
        self.closed = False

    def _more(self) -> bool:
        """Extend the window; doubling keeps the work linear in the size of a huge record."""
        more = self.file.read(self.chunk)
        self.window, self.pos = self.window[self.pos :] + more, 0
        self.read += len(more)
        self.chunk *= 2
        self.progress(min(self.read / self.size, 1.0), "reading the records")
        return bool(more)

    def _next_char(self) -> str:
        """The next character that is not white space, "" at the end; the position stands on it."""
        while True:
            white = _WHITE.match(self.window, self.pos)
            self.pos = white.end() if white else self.pos
            if self.pos < len(self.window):
                return self.window[self.pos]
            if not self._more():
                return ""

    def elements(self) -> Iterator[tuple[int, Any]]:
        """What `items` gives of a file that is one array."""
        number = 0
        for number, value in self.items():
            yield number, value
        if self.closed and self._next_char():
            rest = self.window[self.pos :]
            yield number + 1, Broken("text follows the end of the array: write one array", rest)

    def items(self) -> Iterator[tuple[int, Any]]:
        """(number from 1, value or Broken) of the array that begins at the position, up to its end.

        After a broken element goes on at the next that looks alike.
        """
        self._next_char()
        self.pos += 1
        number, self.keys, self.closed = 0, frozenset(), False
        while True:
            char = self._next_char()
            if char == "]":
                self.pos += 1
                self.closed = True
                return
            if char == "," and number:
                self.pos += 1
                continue
            number += 1
            if not char:
                yield number, Broken("the array is not closed: the file is cut off here", "")
                return
            value = self._element()
            yield number, value
            if isinstance(value, Broken) and not self._resume():
                return
            if number % 500 == 0:
                self.progress(min(self.read / self.size, 1.0), "reading the records")

    def _element(self) -> Any:
        self.chunk = WINDOW
        while True:
            try:
                value, end = _decode(self.window, self.pos)
            except ValueError as error:
                at = getattr(error, "pos", 0)
                reason = _plain(error)
                # At the window's edge a value may only be cut; anywhere else it is wrong.
                cut = at >= len(self.window) - 16 or reason.startswith("Unterminated string")
                if cut and len(self.window) - self.pos < LARGEST and self._more():
                    continue
                return Broken(f"no valid JSON ({reason})", self.window[self.pos : self.pos + SHOWN])
            # A number at the edge may go on behind it.
            if end == len(self.window) and not isinstance(value, dict | list) and self._more():
                continue
            self.pos = end
            if isinstance(value, dict) and not self.keys:
                self.keys = frozenset(value)
            return value

    def _resume(self) -> bool:
        """Go to the next object that shares half the keys of the first good one; False at the end."""
        self.chunk = WINDOW
        while True:
            for match in _NEXT.finditer(self.window, self.pos + 1):
                try:
                    value, _ = _decode(self.window, match.end())
                except ValueError:
                    continue
                if isinstance(value, dict) and 2 * len(self.keys & set(value)) >= len(self.keys):
                    self.pos = match.end()
                    return True
            self.pos = max(self.pos, len(self.window) - TAIL)
            if not self._more():
                return False
