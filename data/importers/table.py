"""What are the rows of this file, as text, and on which line does each of them stand?

Whatever the format, the result is the relation `raw` of a staging connection: `row` (BIGINT, 0-based, in the
file's order) and one VARCHAR column `c0, c1, ...` for each column of the file. In delimited files an empty cell is
the empty text, never NULL; in JSON and Parquet null (and, in JSON, an absent key) is NULL.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.duck import told
from data.importers import json_object, json_rows, workbook
from data.importers.records import Header, read_header, scan
from data.importers.source import Source, open_source
from data.model import Progress, Rejection, silent
from errors import FileError

T = TypeVar("T")

# DuckDB's own default; a longer record needs a larger buffer and so is met by a second, slower way.
LINE_BYTES = 2_000_000
CELLS = "raw_cells"
MOST_COLUMNS = 5_000
"""Columns that a table may have: a database takes time and memory for each, whether it says anything or not."""
# RE2 refuses longer repetitions.
MOST_REPEATS = 1000


@dataclass(frozen=True)
class Part:
    """One file behind the table. lines : (rows within the file) -> 1-based lines, or None without lines"""

    name: str
    size: int
    encoding: str
    first_row: int
    n_rows: int
    lines: Callable[[NDArray[np.int64]], NDArray[np.int64] | None] = field(repr=False, compare=False)


@dataclass(frozen=True)
class RawTable:
    """What was read into `raw`.

    columns : names by position, as in the file (stripped); `raw.c{i}` is column i
    rejections : rows that could not be read at all (they are not in `raw`)
    inferred : sentences about what was taken for granted
    parts : the files read, in row order; one unless a folder was read
    in_folder : whether rows and rejections name their file
    beside : of a JSON object whose records are a list, what stands under its other keys
    sheets : of a workbook, the sheets that hold anything, the one that was read first
    """

    columns: tuple[str, ...]
    n_rows: int
    rejections: tuple[Rejection, ...]
    inferred: tuple[str, ...]
    parts: tuple[Part, ...]
    in_folder: bool = False
    beside: Mapping[str, Any] = field(default_factory=dict, repr=False)
    sheets: tuple[str, ...] = ()

    def line_of(self, rows: Sequence[int]) -> list[int | None]:
        """The 1-based line on which each row begins; computed when asked, which may read the file again.

        For a JSON array the record's number; None where a format has neither (Parquet).
        """
        wanted = np.asarray(rows, dtype=np.int64)
        found: list[int | None] = [None] * len(wanted)
        owners = self._owners(wanted)
        for number, part in enumerate(self.parts):
            mine = np.flatnonzero(owners == number)
            if len(mine) and (lines := part.lines(wanted[mine] - part.first_row)) is not None:
                for at, line in zip(mine.tolist(), lines.tolist(), strict=True):
                    found[at] = line
        return found

    def file_of(self, rows: Sequence[int]) -> list[str | None]:
        """The name, inside the folder, of the file each row comes from; None for a single file."""
        if not self.in_folder:
            return [None] * len(rows)
        return [self.parts[i].name for i in self._owners(np.asarray(rows, dtype=np.int64)).tolist()]

    def _owners(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        starts = np.array([part.first_row for part in self.parts if part.n_rows], dtype=np.int64)
        numbers = np.array([i for i, part in enumerate(self.parts) if part.n_rows], dtype=np.int64)
        return numbers[np.searchsorted(starts, rows, side="right") - 1] if len(numbers) else rows


def read_single(
    path: Path, name: str, con: duckdb.DuckDBPyConnection, workdir: Path, progress: Progress = silent, *,
    known: Mapping[str, Iterable[str]] | None = None, sheet: str | None = None,
) -> RawTable:  # fmt: skip
    """`read_table` of one file, for formats of which a folder means nothing.

    name : of the format; sheet : of a workbook

    Raises FileError for a folder, and as `open_source` and `read_table` do.
    """
    if path.is_dir():
        raise FileError(f"{path.name} is a folder: the format {name} reads single files")
    source = open_source(path, workdir)
    if sheet is not None and source.kind != "xlsx":
        raise FileError(f"{path.name} has no sheets: --set sheet belongs to Excel workbooks")
    return read_table(source, con, workdir, progress, known=known, sheet=sheet)


def read_table(
    source: Source,
    con: duckdb.DuckDBPyConnection,
    workdir: Path,
    progress: Progress = silent,
    *,
    known: Mapping[str, Iterable[str]] | None = None,
    into: str = CELLS,
    only: Collection[str] | None = None,
    sheet: str | None = None,
) -> RawTable:
    """Fill `raw` from `source`. Replaces a `raw` that is already there.

    known : vocabulary of columns by name (winner: a, b, tie); it helps to tell a broken quote from CSV in a text
    into : the table that takes the cells (`temp.NAME`: a temporary one); `raw` is made over the default one only
    only : names of the columns to keep, where leaving out the others saves reading them (JSON and Parquet)
    sheet : of a workbook, its name; None: the first that holds anything
    Raises FileError when the file has no header, no row, a name twice, or is damaged.
    """
    con.execute(f"DROP VIEW IF EXISTS raw; DROP TABLE IF EXISTS {into}; SET preserve_insertion_order = true")
    if source.kind == "xlsx":
        table = _read_sheet(source, con, progress, into, sheet)
    else:
        table = _read(source, con, workdir, progress, known or {}, into, only)
    if into == CELLS:
        make_view(con)
    return table


def _read(
    source: Source,
    con: duckdb.DuckDBPyConnection,
    workdir: Path,
    progress: Progress,
    known: Mapping[str, Iterable[str]],
    into: str,
    only: Collection[str] | None,
) -> RawTable:
    if source.kind == "csv":
        return _read_csv(source, con, workdir, progress, known, into)
    if source.kind == "parquet":
        return _read_parquet(source, con, progress, into, only)
    beside: dict[str, Any] = {}
    records = json_object.records(source, progress, beside) if source.within is not None else None
    rows = json_rows.read(source, con, progress, into, records, only)
    if not rows.n_rows and not rows.rejections:
        raise FileError(f"{source.name} holds no record")
    table = _table(source, rows.columns, rows.n_rows, rows.rejections, lambda wanted: rows.lines[wanted])
    return replace(table, beside=beside)


def make_view(con: duckdb.DuckDBPyConnection) -> None:
    """`raw` over `raw_cells`: row numbers are the row ids of a table written once, in order."""
    con.execute("CREATE OR REPLACE VIEW raw AS SELECT rowid AS row, * FROM raw_cells")


def run_sql(
    con: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object], progress: Progress, text: str
) -> None:
    """Execute one statement and report how far it is; stopping in `progress` interrupts it."""
    told(
        con, lambda: con.execute(sql, parameters),
        lambda: progress(min(max(con.query_progress() / 100, 0.0), 1.0), text),
    )  # fmt: skip


def _table(
    source: Source,
    columns: tuple[str, ...],
    n_rows: int,
    rejections: tuple[Rejection, ...],
    lines: Callable[[NDArray[np.int64]], NDArray[np.int64] | None],
    inferred: tuple[str, ...] = (),
) -> RawTable:
    part = Part(source.name, source.size, source.encoding, 0, n_rows, lines)
    return RawTable(columns, n_rows, rejections, source.inferred + inferred, (part,))


def _check_names(name: str, columns: Sequence[str]) -> None:
    if len(columns) > MOST_COLUMNS:
        raise FileError(
            f"{name} has {len(columns):,} columns, and at most {MOST_COLUMNS:,} can be read: leave out those that say "
            "nothing about judgments, or check that the header ends where it should"
        )
    twice = [column for column, count in Counter(columns).items() if count > 1]
    if twice:
        listed = ", ".join(repr(column[:80]) for column in twice[:10])
        raise FileError(f"{name}: the header names {listed} more than once; give each column its own name")


# ---------------------------------------------------------------- delimited text


def _read_csv(
    source: Source,
    con: duckdb.DuckDBPyConnection,
    workdir: Path,
    progress: Progress,
    known: Mapping[str, Iterable[str]],
    into: str,
) -> RawTable:
    assert source.delimiter is not None
    header = read_header(source.plain, source.delimiter)
    if len(header.names) > 1 and header.names[-1] == "" and header.names.count("") == 1 and header.names[0]:
        inferred: tuple[str, ...] = ("the header ends in a delimiter; the nameless last column is kept apart",)
    else:
        inferred = ()
    columns = tuple(n or f"column {i}" for i, n in enumerate(header.names, 1))
    _check_names(source.name, columns)
    n = len(columns)
    fast = n > 1 and header.first and not source.mixed_line_ends
    n_rows = _fast(source, con, n, progress, into) if fast else None
    # One line a record and one for the header (whose line feed the last line may lack): nothing to doubt.
    one_line_each = n_rows is not None and source.newlines <= n_rows + header.lines
    if n_rows is not None and not one_line_each and _may_swallow(con, n, source.delimiter, into):
        n_rows = None
    if n_rows:
        lines = _Lines(source, header, n_rows)
        return _table(source, columns, n_rows, (), lines, inferred)
    return _read_scanned(source, con, workdir, progress, header, columns, inferred, known, into)


def _read_scanned(
    source: Source,
    con: duckdb.DuckDBPyConnection,
    workdir: Path,
    progress: Progress,
    header: Header,
    columns: tuple[str, ...],
    inferred: tuple[str, ...],
    known: Mapping[str, Iterable[str]],
    into: str,
) -> RawTable:
    """The careful way: find the records ourselves, and let DuckDB read the good ones."""
    assert source.delimiter is not None
    words = {columns.index(name): values for name, values in known.items() if name in columns}
    handle, name = tempfile.mkstemp(dir=workdir, prefix="clean-", suffix=".csv")
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as clean:
            found = scan(source.plain, source.delimiter, header, clean=clean, known=words, progress=progress)
        if not found.n_records and not found.rejections:
            raise FileError(f"{source.name} has a header and no row: export the data again")
        con.execute(f"DROP TABLE IF EXISTS {into}")
        sql = _csv_sql(into, len(columns), source.delimiter, header=False, line_bytes=found.longest + 1024)
        run_sql(con, sql, [glob_escape(path)], progress, "reading the rows")
    except duckdb.Error as error:
        raise FileError(f"{source.name} cannot be read as a table: {_first_line(error)}") from error
    finally:
        path.unlink()
    n_rows = _count(con, into)
    if n_rows != found.n_records:
        raise FileError(
            f"{source.name}: {found.n_records} records were found but {n_rows} read; "
            "save it again as plain CSV (UTF-8, comma)"
        )
    starts = found.start_lines()
    return _table(source, columns, n_rows, found.rejections, lambda rows: starts[rows], inferred)


def _csv_sql(into: str, n: int, delimiter: str, *, header: bool, line_bytes: int) -> str:
    types = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(n))
    names = ", ".join(f"'c{i}'" for i in range(n))
    size = max(LINE_BYTES, line_bytes)
    # Detected in a file as it came; the scanner's own file is known to end its rows in line feeds.
    line_end = "" if header else ", new_line = '\\n'"
    return (
        f"{json_rows.creation(into)} {into} AS SELECT * FROM read_csv(?, auto_detect = false, strict_mode = true, "
        f"header = {str(header).lower()}, delim = '{delimiter}', quote = '\"', escape = '\"', comment = '', "
        f"null_padding = false{line_end}, max_line_size = {size}, columns = {{{types}}}, force_not_null = [{names}])"
    )


def _fast(source: Source, con: duckdb.DuckDBPyConnection, n: int, progress: Progress, into: str) -> int | None:
    """The number of rows DuckDB read by itself, or None where it found anything wrong."""
    assert source.delimiter is not None
    sql = _csv_sql(into, n, source.delimiter, header=True, line_bytes=0)
    try:
        run_sql(con, sql, [glob_escape(source.plain)], progress, "reading the rows")
    except duckdb.Error:
        return None
    return _count(con, into)


def _may_swallow(con: duckdb.DuckDBPyConnection, n: int, delimiter: str, into: str) -> bool:
    """Whether a cell over several lines has an interior line with as many delimiters as a row has.

    Looser than the scanner's rule, which then decides; it only saves most files the second reading.
    """
    if n < 3:
        return False
    if n > MOST_REPEATS:
        return True
    d = {"|": r"\|", "\t": r"\t"}.get(delimiter, delimiter)
    row = rf"\n[^\n{d}]*(?:{d}[^\n{d}]*){{{n - 1}}}\n"
    tests = " OR ".join(
        f"(contains(c{i}, chr(10)) AND regexp_matches(c{i}, $row))" for i in range(n)
    )  # fmt: skip
    found = con.execute(f"SELECT count(*) FROM (SELECT 1 FROM {into} WHERE {tests} LIMIT 1)", {"row": row})
    return bool(found.fetchall()[0][0])


def _count(con: duckdb.DuckDBPyConnection, into: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM {into}").fetchall()[0][0])


class _Lines:
    """Start lines of a file that DuckDB read by itself: simple when each record is a line, else found once."""

    def __init__(self, source: Source, header: Header, n_rows: int) -> None:
        self.source, self.header, self.n_rows = source, header, n_rows
        self.starts = np.empty(0, dtype=np.int64)

    def __call__(self, rows: NDArray[np.int64]) -> NDArray[np.int64] | None:
        first = self.header.line + self.header.lines
        if self.source.newlines <= self.n_rows + self.header.lines:
            return rows + first
        last = int(rows.max())
        if last >= len(self.starts):
            assert self.source.delimiter is not None
            found = scan(self.source.plain, self.source.delimiter, self.header, until=last + 1)
            self.starts = found.start_lines()
        # No line is better than a wrong one, should the two readers ever count differently.
        return self.starts[rows] if last < len(self.starts) else None


# ---------------------------------------------------------------- Parquet


def _read_parquet(
    source: Source, con: duckdb.DuckDBPyConnection, progress: Progress, into: str, only: Collection[str] | None
) -> RawTable:
    """The columns as text; lists, structs and maps as JSON, floats with all their digits."""
    import pyarrow
    import pyarrow.parquet

    try:
        columns = tuple(name.strip() for name in pyarrow.parquet.read_schema(source.plain).names)
        if not columns:
            raise FileError(f"{source.name} is a Parquet file without columns")
        _check_names(source.name, columns)
        path = glob_escape(source.plain)
        described = con.execute(
            "SELECT column_type FROM (DESCRIBE SELECT * FROM read_parquet(?, hive_partitioning = false))", [path]
        ).fetchall()
        aliases = ", ".join(f"v{i}" for i in range(len(described)))
        kept = [i for i, name in enumerate(columns) if only is None or name in only]
        columns = tuple(columns[i] for i in kept)
        cells = ", ".join(
            (f"to_json(v{i})::VARCHAR AS c{k}" if _nested(described[i][0]) else f"v{i}::VARCHAR AS c{k}")
            for k, i in enumerate(kept)
        ) or "NULL::VARCHAR AS c0"  # fmt: skip
        run_sql(
            con,
            f"{json_rows.creation(into)} {into} AS SELECT {cells} "
            f"FROM read_parquet(?, hive_partitioning = false) AS t({aliases})",
            [path],
            progress,
            "reading the rows",
        )
    except (duckdb.Error, pyarrow.ArrowException, OSError, ValueError) as error:
        raise FileError(
            f"{source.name} is a damaged Parquet file ({_first_line(error)}): download or copy it again"
        ) from error
    n_rows = _count(con, into)
    if not n_rows:
        raise FileError(f"{source.name} has columns and no row: export the data again")
    return _table(source, columns, n_rows, (), lambda rows: None)


def _read_sheet(
    source: Source, con: duckdb.DuckDBPyConnection, progress: Progress, into: str, sheet: str | None
) -> RawTable:
    """A sheet's rows; lines are rows of the sheet."""
    read = workbook.read_sheet(source, sheet, progress)
    _check_names(source.name, read.columns)
    width = len(read.columns)
    cells = ", ".join(f"c{i} VARCHAR" for i in range(width))
    con.execute(f"{json_rows.creation(into)} {into} ({cells})")
    numbers: list[int] = []
    for batch in batched(read.rows, json_rows.BATCH):
        columns = list(zip(*(row for _, row in batch), strict=True))
        arrays = [pa.array(column, pa.large_string()) for column in columns]
        con.register("sheet_batch", pa.table(arrays, names=[f"c{i}" for i in range(width)]))
        con.execute(f"INSERT INTO {into} SELECT * FROM sheet_batch")
        con.unregister("sheet_batch")
        numbers.extend(number for number, _ in batch)
        progress(0.9, "reading the rows")
    if not numbers:
        raise FileError(f"{source.name}: the sheet {read.name!r} has a header and no row: fill it and save it again")
    rows = np.array(numbers, dtype=np.int64)
    table = _table(source, read.columns, len(numbers), (), lambda wanted: rows[wanted], read.inferred)
    return replace(table, sheets=(read.name, *read.others))


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of up to `size` items, in order."""
    source = iter(items)
    while batch := list(islice(source, size)):
        yield batch


def _nested(kind: str) -> bool:
    return kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION"))


def glob_escape(path: Path) -> str:
    """The path for DuckDB's readers, which would take `*`, `?` and `[` in a file's name for patterns."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in str(path))


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
