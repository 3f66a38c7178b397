"""What are the rows of an Excel sheet (.xlsx, .xlsm), as text, and in which row of the sheet does each stand?

Cells are written as they are: whole numbers without a point, others with all their digits, dates as 2026-01-31, times
with it, durations as seconds, yes and no as true and false; an error (#N/A) is an empty cell. Titles above the header,
a header in two rows of merged cells and merged cells among the data are recognised and told.
Workbooks are measured before they are read: data/importers/workbook_size.py.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, SheetVisibleEnum

from data.importers.source import Source
from data.importers.workbook_size import measure
from data.model import Progress
from errors import FileError, nearest

LOOKED_AT = 50
"""Rows from which the width of the table, and so the header, is told."""
Value = Any


@dataclass(frozen=True)
class Sheet:
    """A sheet's table. columns : names; rows : (row of the sheet, its cells as text) from 1

    inferred : what was taken for granted; others : further sheets that hold anything
    """

    name: str
    columns: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]]
    inferred: tuple[str, ...]
    others: tuple[str, ...]


def read_sheet(source: Source, sheet: str | None, progress: Progress) -> Sheet:
    """The sheet called `sheet`, or the first visible one that holds anything.

    Raises FileError when the workbook is damaged, too large or empty, or has no such sheet.
    """
    name = source.name
    measure(source.plain, name, progress)
    try:
        book = CalamineWorkbook.from_path(str(source.plain))
        picked, table, others, inferred = _pick(book, name, sheet)
        merges = [(a, b) for a, b in table.merged_cell_ranges or [] if a != b]
        grid: list[list[Value]] = list(table.iter_rows())
    except PasswordError as error:
        raise FileError(_locked(name)) from error
    except BaseException as error:
        # Where the reader itself fails it raises what is no Exception.
        if not isinstance(error, CalamineError) and type(error).__name__ != "PanicException":
            raise
        said = f"{name} is a damaged workbook ({_first(error)}): open it in Excel and save it again"
        raise FileError(said) from error
    start = table.start
    assert start is not None
    left = start[1]
    merges = [((r1, c1 - left), (r2, c2 - left)) for (r1, c1), (r2, c2) in merges]
    first, names, depth, notes = _header(grid, merges)
    inferred += notes
    begin = first + depth
    down = [m for m in merges if m[0][0] >= begin and m[1][0] > m[0][0]]
    _fill_down(grid, down)
    if down:
        many = f"{len(down):,} merged cells" if len(down) > 1 else "a merged cell"
        inferred.append(f"{many} among the rows: each row has the value")
    kept = [k for k, text in enumerate(names) if text or any(_text(row[k]) for row in grid[begin:] if k < len(row))]
    columns = tuple(names[k] or f"column {k + 1}" for k in kept)

    def rows() -> Iterator[tuple[int, list[str]]]:
        for number, row in enumerate(grid[begin:], begin + 1):
            cells = [_text(row[k]) for k in kept]
            if any(cells):
                yield number, cells

    return Sheet(picked, columns, rows(), tuple(inferred), tuple(others))


def _locked(name: str) -> str:
    return f"{name} is protected by a password: remove it in Excel and save the workbook again"


def _pick(book: CalamineWorkbook, name: str, wanted: str | None) -> tuple[str, CalamineSheet, list[str], list[str]]:
    """The sheet to read, the others that hold anything, and what is to be said of them."""
    names = list(book.sheet_names)
    filled = [(n, sheet) for n in names if (sheet := book.get_sheet_by_name(n)).start is not None]
    if wanted is not None:
        found = [n for n in names if n == wanted] or [n for n in names if n.strip().lower() == wanted.strip().lower()]
        if not found:
            near = nearest(wanted, names)
            hint = f"did you mean {near[0]!r}?" if near else "there are " + ", ".join(repr(n) for n in names[:12])
            raise FileError(f"{name} has no sheet {wanted!r}: {hint}")
        for one, sheet in filled:
            if one == found[0]:
                return one, sheet, [n for n, _ in filled if n != one], []
        raise FileError(f"{name}: the sheet {found[0]!r} is empty")
    hidden = {one.name for one in book.sheets_metadata if one.visible != SheetVisibleEnum.Visible}
    if not filled:
        raise FileError(f"{name} is a workbook without a filled cell: nothing to read")
    picked, sheet = next((one for one in filled if one[0] not in hidden), filled[0])
    others = [n for n, _ in filled if n != picked]
    notes = []
    if others:
        shown = ", ".join(repr(n) for n in others[:8]) + (f" and {len(others) - 8} more" if len(others) > 8 else "")
        notes.append(f"the sheet {picked!r} was read, not {shown}: --set sheet=NAME takes another one")
    return picked, sheet, others, notes


Merges = Sequence[tuple[tuple[int, int], tuple[int, int]]]


def _header(grid: list[list[Value]], merges: Merges) -> tuple[int, list[str], int, list[str]]:
    """The 0-based row of the header, the names, how many rows it takes, and what is to be said.

    The header is the first row that is at least .6 as wide as the rows are in the middle; what stands above is a title.
    """
    filled = [(r, sum(_text(v) != "" for v in row)) for r, row in enumerate(grid)]
    some = [(r, n) for r, n in filled if n][:LOOKED_AT]
    width = sorted(n for _, n in some)[len(some) // 2]
    first = next(r for r, n in some if n >= 0.6 * width)
    notes = []
    titles = [(r, next(text for v in grid[r] if (text := _text(v)))) for r, _ in some if r < first]
    groups = [m for m in merges if m[0][0] == m[1][0] and m[1][1] > m[0][1]]
    depth, names = 1, [_text(v) for v in grid[first]]
    above = [m for m in groups if m[0][0] == first - 1 and m[1][1] - m[0][1] + 1 < len(names)]
    within = [m for m in groups if m[0][0] == first]
    if above:
        first, depth = first - 1, 2
        titles = [one for one in titles if one[0] < first]
        within = above
    elif within and first + 1 < len(grid) and all(isinstance(v, str) for v in grid[first + 1]):
        depth = 2
    else:
        within = []
    if within:
        upper, lower = [_text(v) for v in grid[first]], [_text(v) for v in grid[first + 1]]
        for (_, c1), (_, c2) in within:
            upper[c1 : c2 + 1] = [upper[c1]] * (c2 - c1 + 1)
        names = [f"{a} {b}".strip() for a, b in zip(upper, lower, strict=True)]
        notes.append(f"the header stands in rows {first + 1} and {first + 2} (merged cells): " + ", ".join(names)[:200])
    if titles:
        shown = f"above the header ({titles[0][1][:60]!r}"
        if len(titles) == 1:
            notes.append(f"row {titles[0][0] + 1} {shown}) is left out")
        else:
            notes.append(f"rows {titles[0][0] + 1} to {titles[-1][0] + 1} {shown}, ...) are left out")
    return first, names, depth, notes


def _fill_down(grid: list[list[Value]], merges: Merges) -> None:
    for (r1, c1), (r2, c2) in merges:
        for row in grid[r1 : r2 + 1]:
            row[c1 : c2 + 1] = [grid[r1][c1]] * len(row[c1 : c2 + 1])


def _text(value: Value) -> str:
    """A cell as it would stand in a CSV file."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, dt.datetime):
        return value.isoformat(" ")
    if isinstance(value, dt.timedelta):
        return _text(value.total_seconds())
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)


def _first(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
