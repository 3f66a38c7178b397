"""Where does each record of a delimited file begin and end, when some of its quotes may be broken?

Quoting is RFC 4180's: a cell that begins with a quote ends at the next lone quote, and may hold delimiters and
line ends; quotes inside an unquoted cell are text. Beyond it, spaces around a quoted cell and empty cells
after the last column are allowed, lone carriage returns are text, and blank lines are skipped.

A malformed record is rejected alone, by its first physical line, and reading resumes at the next one, so a
broken quote costs its own row only. Two cases need a decision, since the text alone is ambiguous:

- A well-formed record with a cell over several lines whose *interior* lines (not its first, not its last) are whole
  rows: a broken quote has met a later one. A line is a whole row when it has as many fields as the header (at least
  3) and at least half of the file's closed columns (few, short, recurring values, such as judge or winner)
  hold a value known there. CSV inside a genuine answer fails that test and stays text.
- A record over several lines with the wrong number of fields: rejected as one, unless one of its later lines is a
  whole row; then only its first line is.
"""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from data.model import Progress, Rejection, silent
from errors import FileError

RUN = 4096
"""Records a fast-path match takes at once; it bounds the time between two calls of progress."""
SHOWN = 300
"""Characters of an offending line that a rejection carries."""
LEARN = 2000
"""Records from which the closed columns are learned."""


@dataclass(frozen=True)
class Header:
    """The header record. end : offset of the byte after it; line : its 1-based line; lines : how many it takes

    first : nothing but a byte order mark stands before it
    """

    names: tuple[str, ...]
    end: int
    line: int
    lines: int
    first: bool


@dataclass(frozen=True)
class Scan:
    """What a pass over the file found.

    runs : (n_runs, 2) first line and number of records of each stretch of one-line records (a record over
        several lines is a stretch of one)
    longest : bytes of the longest good record
    """

    n_records: int
    runs: NDArray[np.int64]
    rejections: tuple[Rejection, ...]
    longest: int

    def start_lines(self) -> NDArray[np.int64]:
        """(n_records,) 1-based line on which each good record begins."""
        first, count = self.runs[:, 0], self.runs[:, 1]
        before = np.concatenate(([0], np.cumsum(count)[:-1])) if len(count) else count
        return np.repeat(first - before, count) + np.arange(int(count.sum()), dtype=np.int64)


@dataclass(frozen=True)
class _Record:
    """One record read cell by cell. at : index of the cell where it broke"""

    cells: list[bytes]
    end: int
    problem: str | None = None
    at: int = 0


class _Grammar:
    """The patterns of one delimiter and one number of columns."""

    def __init__(self, delimiter: str, n: int) -> None:
        d = re.escape(delimiter.encode())
        text = rb'(?! *+")[^' + d + rb"\r\n]*+"
        one_line = rb'(?:"[^"\n]*+(?:""[^"\n]*+)*+"|' + text + rb")"
        any_line = rb'(?:"[^"]*+(?:""[^"]*+)*+"|' + text + rb")"
        # A blank line is no record, also where one empty cell would be one.
        start = rb"(?![ \t]*+\r?(?:\n|\Z))" if n == 1 else b""
        row = start + one_line + (rb"(?:" + d + one_line + rb"){%d}" % (n - 1)) + rb"\r?\n"
        self.n = n
        self.delimiter = delimiter.encode()
        self.run = re.compile(rb"(?:" + row + rb"){0,%d}+" % RUN)
        self.row = re.compile(rb"(?m:^)" + row)
        self.record = re.compile(
            start + any_line + (rb"(?:" + d + any_line + rb"){%d}" % (n - 1)) + rb"(?:\r?\n|\r?\Z)"
        )
        self.blank = re.compile(rb"[ \t]*+\r?(?:\n|\Z)")
        self.quoted = re.compile(rb' *+"([^"]*+(?:""[^"]*+)*+)("?+) *+')
        self.unquoted = re.compile(rb"[^" + d + rb"\n]*+")
        self.line_end = re.compile(rb"\r?\n|\r?\Z")

    def read(self, buffer: mmap.mmap | bytes, pos: int, limit: int | None) -> _Record:
        """The record at `pos`, cell by cell; stops early when it is past `limit` cells and past its line."""
        cells: list[bytes] = []
        while True:
            match = self.quoted.match(buffer, pos)
            if match:
                if not match[2]:
                    return _Record(cells, match.end(), _UNCLOSED, len(cells))
                cell = match[1].replace(b'""', b'"')
                pos = match.end()
            else:
                match = self.unquoted.match(buffer, pos)
                assert match is not None
                cell, pos = match[0], match.end()
                if cell.endswith(b"\r") and buffer[pos : pos + 1] in (b"\n", b""):
                    cell, pos = cell[:-1], pos - 1
            cells.append(cell)
            if buffer[pos : pos + 1] == self.delimiter:
                pos += 1
                if limit is not None and len(cells) > limit and b"\n" in cell:
                    return _Record(cells, pos)
                continue
            end = self.line_end.match(buffer, pos)
            if end:
                return _Record(cells, end.end())
            return _Record(cells, pos, _AFTER, len(cells) - 1)


_UNCLOSED = "a quote is opened here and never closed: close it, or double the quotes that belong to the text"
_AFTER = "text follows a closing quote: double the quotes that belong to the text of a quoted cell"
_SWALLOWED = (
    "a quote is opened here and not closed before whole rows follow: close it, or double the quotes that "
    "belong to the text"
)


def read_header(path: Path, delimiter: str) -> Header:
    """The first record that is not blank; `sep=;` as spreadsheets write it is passed over.

    Raises FileError when its quotes are broken.
    """
    grammar = _Grammar(delimiter, 1)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
        begin = 3 if buffer[:3] == b"\xef\xbb\xbf" else 0
        pos = begin
        while pos < len(buffer) and (blank := grammar.blank.match(buffer, pos)):
            pos = blank.end()
        if hint := re.compile(rb"sep=.\r?\n").match(buffer, pos):
            pos = hint.end()
        record = grammar.read(buffer, pos, None)
        line = buffer[:pos].count(b"\n") + 1
        if record.problem:
            raise FileError(f"{path.name} line {line}, the header: {record.problem}")
        lines = buffer[pos : record.end].count(b"\n")
        names = tuple(cell.decode("utf-8", "replace").strip() for cell in record.cells)
    return Header(names, record.end, line, lines, first=pos == begin)


def scan(
    path: Path,
    delimiter: str,
    header: Header,
    *,
    clean: BinaryIO | None = None,
    known: Mapping[int, Iterable[str]] | None = None,
    until: int | None = None,
    progress: Progress = silent,
) -> Scan:
    """Read all records after the header; malformed ones become rejections.

    clean : receives the good records, their cells byte for byte, each ended by a line feed
    known : the vocabulary of closed columns by index, in addition to those that are learned
    until : stop once this many records are found (for start lines only)
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
        scanner = _Scanner(buffer, delimiter, header, clean, known or {}, progress)
        scanner.walk(until)
        return scanner.result()


class _Scanner:
    def __init__(
        self,
        buffer: mmap.mmap,
        delimiter: str,
        header: Header,
        clean: BinaryIO | None,
        known: Mapping[int, Iterable[str]],
        progress: Progress,
    ) -> None:
        self.buffer, self.header, self.clean, self.progress = buffer, header, clean, progress
        self.grammar = _Grammar(delimiter, len(header.names))
        self.known = {i: frozenset(v.strip().lower().encode() for v in vs) for i, vs in known.items()}
        self.closed: dict[int, frozenset[bytes]] | None = None
        self.pos, self.line = header.end, header.line + header.lines
        self.runs: list[tuple[int, int]] = []
        self.rejections: list[Rejection] = []
        self.n_records = self.longest = self.steps = 0

    def walk(self, until: int | None) -> None:
        """Go to the end of the file, or until so many records are found."""
        buffer, size = self.buffer, len(self.buffer)
        run = self.grammar.run
        while self.pos < size and (until is None or self.n_records < until):
            match = run.match(buffer, self.pos)
            if match and match.end() > self.pos:
                block = match[0]
                self._accept(block, block.count(b"\n"), block.count(b"\n"))
                # One line of a run is hardly longer than the run's mean; the exact value matters for giants only.
                if len(block) > self.longest:
                    self.longest = max(self.longest, *(len(row) for row in block.split(b"\n")))
                self.pos = match.end()
            else:
                self._step()
            self.steps += 1
            if self.steps % 256 == 0 or (match and match.end() - match.start() > 100_000):
                self.progress(self.pos / size, "reading record by record")

    def result(self) -> Scan:
        runs = np.array(self.runs, dtype=np.int64).reshape(-1, 2)
        return Scan(self.n_records, runs, tuple(self.rejections), self.longest)

    def _step(self) -> None:
        """Take the one record at the position, whatever it is."""
        buffer, grammar, pos = self.buffer, self.grammar, self.pos
        if blank := grammar.blank.match(buffer, pos):
            self.pos, self.line = blank.end(), self.line + 1
            return
        if match := grammar.record.match(buffer, pos):
            data, end = match[0], match.end()
            data = data if data.endswith(b"\n") else data + b"\n"
            lines = data.count(b"\n")
            if lines >= 3 and grammar.n >= 3 and self._holds_row(data, last=False):
                self._reject(_SWALLOWED, self._opened(data))
                return
            self._accept(data, 1, lines)
            self.longest = max(self.longest, len(data))
            self.pos = end
            return
        record = grammar.read(buffer, pos, grammar.n)
        if record.problem:
            self._reject(record.problem, record.at)
            return
        cells = record.cells
        while len(cells) > grammar.n and not cells[-1]:
            cells.pop()
        data = buffer[pos : record.end]
        lines = data.count(b"\n")
        if len(cells) != grammar.n:
            count = f"{len(cells)} field" + ("s" if len(cells) != 1 else "")
            more = " or more" if not data.endswith(b"\n") and record.end < len(buffer) else ""
            hint = "quote cells that hold the delimiter" if len(cells) > grammar.n else "a cell is missing"
            whole = lines < 2 or not (grammar.n >= 3 and self._holds_row(data, last=True))
            self._reject(
                f"{count}{more} where the header has {grammar.n}: {hint}",
                None,
                end=record.end if whole and not more else None,
            )
        elif lines >= 3 and grammar.n >= 3 and self._holds_row(data, last=False):
            self._reject(_SWALLOWED, self._opened(data))
        else:
            self._accept(grammar.delimiter.join(map(_quote, cells)) + b"\n", 1, lines)
            self.longest = max(self.longest, len(data) + 2 * len(cells))
            self.pos = record.end

    def _accept(self, data: bytes, records: int, lines: int) -> None:
        if self.clean is not None:
            if records == lines and b"\r\n" in data:
                # All rows on one line: carriage returns before line feeds are line ends, not text.
                data = data.replace(b"\r\n", b"\n")
            elif data.endswith(b"\r\n"):
                data = data[:-2] + b"\n"
            self.clean.write(data)
        if self.runs and records == lines and sum(self.runs[-1]) == self.line:
            self.runs[-1] = (self.runs[-1][0], self.runs[-1][1] + records)
        else:
            self.runs.append((self.line, records))
        self.n_records += records
        self.line += lines

    def _reject(self, reason: str, cell: int | None, end: int | None = None) -> None:
        """Refuse the record, then resume at the next physical line, or at `end`."""
        stop = self.buffer.find(b"\n", self.pos)
        stop = len(self.buffer) if stop < 0 else stop + 1
        shown = self.buffer[self.pos : min(stop, self.pos + 4 * SHOWN)].decode("utf-8", "ignore")
        names = self.header.names
        column = names[cell] if cell is not None and cell < len(names) else None
        self.rejections.append(Rejection(self.line, column, shown.rstrip("\r\n")[:SHOWN], reason))
        end = stop if end is None else end
        self.line += self.buffer[self.pos : end].count(b"\n")
        self.pos = end

    def _opened(self, data: bytes) -> int | None:
        """Index of the first cell of a record that spans lines."""
        for index, cell in enumerate(self.grammar.read(data, 0, None).cells):
            if b"\n" in cell:
                return index
        return None

    def _holds_row(self, data: bytes, *, last: bool) -> bool:
        """Whether a whole row stands inside the record.

        last : look at every line after the first; otherwise at the interior lines of single cells, since a line
        that ends one cell and begins another was no row before the quotes broke
        """
        if last:
            places = [data[data.index(b"\n") + 1 :]]
        else:
            cells = self.grammar.read(data, 0, None).cells
            long = [cell for cell in cells if cell.count(b"\n") >= 2]
            places = [_double(cell[cell.index(b"\n") + 1 : cell.rindex(b"\n") + 1]) for cell in long]
        return any(
            self._is_row(self.grammar.read(match[0], 0, None).cells)
            for place in places
            for match in self.grammar.row.finditer(place)
        )

    def _is_row(self, cells: Sequence[bytes]) -> bool:
        if self.closed is None:
            self.closed = self._learn()
        hits = sum(cells[i].strip().lower() in words for i, words in self.closed.items())
        return 2 * hits >= len(self.closed)

    def _learn(self) -> dict[int, frozenset[bytes]]:
        """The closed columns: at most 50 different values, each of 64 bytes at most, seen twice on average."""
        n, pos, seen = self.grammar.n, self.header.end, 0
        values: list[set[bytes]] = [set() for _ in range(n)]
        for _ in range(LEARN):
            if pos >= len(self.buffer):
                break
            record = self.grammar.read(self.buffer, pos, n)
            if record.problem or len(record.cells) != n:
                stop = self.buffer.find(b"\n", pos)
                pos = len(self.buffer) if stop < 0 else stop + 1
                continue
            seen, pos = seen + 1, record.end
            for column, cell in zip(values, record.cells, strict=True):
                if len(column) <= 50:
                    column.add(cell.strip().lower())
        closed = {
            i: frozenset(column)
            for i, column in enumerate(values)
            if 2 * len(column) <= seen and len(column) <= 50 and max(map(len, column)) <= 64
        }
        return closed | self.known


def _quote(cell: bytes) -> bytes:
    return b'"' + _double(cell) + b'"'


def _double(cell: bytes) -> bytes:
    return cell.replace(b'"', b'""')
