"""How do several files of one folder become one raw table, when one of them may be damaged?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from data.duck import told
from data.importers.source import open_source
from data.importers.table import Part, RawTable, make_view, read_table
from data.model import Progress, Rejection
from errors import FileError

SHOWN = 1000
"""Characters of an offending value that a rejection carries."""


@dataclass(frozen=True)
class Piece:
    """One file read into a staging table of its own. table : its name; raw : what was read"""

    name: str
    table: str
    raw: RawTable

    def cell(self, column: str) -> str:
        """SQL for a column of the piece, NULL where the file has none of that name."""
        if column not in self.raw.columns:
            return "NULL"
        return f"{self.table}.c{self.raw.columns.index(column)}"


class Gatherer:
    """Collects files, one `Piece` each, then writes them one after the other into `raw`.

    total : how many files there will be, for the progress; in_folder : whether rows name their file
    A file that cannot be read becomes one rejection and the others go on.
    """

    def __init__(
        self,
        columns: Sequence[str],
        con: duckdb.DuckDBPyConnection,
        workdir: Path,
        progress: Progress,
        *,
        total: int,
        in_folder: bool,
    ) -> None:
        self.con, self.workdir, self.progress = con, workdir, progress
        self.total, self.in_folder, self.taken = max(total, 1), in_folder, 0
        self.rejections: list[Rejection] = []
        self.inferred: list[str] = []
        self.remarks: dict[str, list[str]] = {}
        self.parts: list[Part] = []
        con.execute("DROP VIEW IF EXISTS raw; DROP TABLE IF EXISTS raw_cells")
        self.n_rows = 0
        self.expect(columns)

    def expect(self, columns: Sequence[str]) -> None:
        """Gather these columns; to be called before the first row is added, where a file itself says which they are."""
        self.columns = tuple(columns)
        # Temporary tables are not logged; one persistent write at the end is several times faster.
        cells = ", ".join(f"c{i} VARCHAR" for i in range(len(self.columns)))
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE gathered ({cells})")

    def read(
        self,
        path: Path,
        name: str,
        needs: Iterable[str] = (),
        known: Mapping[str, Iterable[str]] | None = None,
        *,
        only: Collection[str] | None = None,
        within: str | None = None,
    ) -> Piece | None:
        """Read one file into its own table. None, and a rejection, when it is damaged or lacks a column.

        known, only : see `read_table`; within : see `open_source`
        """
        done, self.taken = self.taken, self.taken + 1

        def tell(share: float, text: str) -> None:
            self.progress(min((done + share) / self.total, 1.0), f"{name}: {text}")

        try:
            source = open_source(path, self.workdir, tell, within=within)
            into = f"temp.piece_{done}"
            raw = read_table(source, self.con, self.workdir, tell, known=known, into=into, only=only)
            missing = [column for column in needs if column not in raw.columns]
            if missing:
                have = ", ".join(column[:40] for column in raw.columns[:20])
                raise FileError(f"{name} has no column {', '.join(missing)}; it has {have}")
        except FileError as error:
            self.reject(Rejection(None, None, None, str(error), file=name))
            return None
        for rejection in raw.rejections:
            self.reject(replace(rejection, file=name))
        for sentence in raw.inferred:
            self.remarks.setdefault(sentence.replace(path.name, "the file"), []).append(name)
        return Piece(name, f"piece_{done}", raw)

    def reject(self, rejection: Rejection) -> None:
        """Keep a rejection; it names its file inside a folder only."""
        self.rejections.append(rejection if self.in_folder else replace(rejection, file=None))

    def add(
        self, piece: Piece, cells: Mapping[str, str], joins: str = "", refuse: str = "false", then: str = ""
    ) -> int:
        """Append a piece's rows, and its place in the file list; returns how many were taken.

        cells : SQL for each of the columns (others are NULL); joins : SQL after the piece's table
        refuse : SQL condition on rows that were rejected and are left out
        then : where the joins make several rows of one, SQL by which these are ordered
        """
        names = list(cells)
        targets = ", ".join(f"c{self.columns.index(name)}" for name in names)
        # A table alone is read in its order; to sort long texts is what an import would else wait for.
        order = f"ORDER BY {', '.join(filter(None, (f'{piece.table}.rowid', then)))}" if joins or then else ""
        self._run(
            f"INSERT INTO temp.gathered ({targets}) SELECT {', '.join(cells[name] for name in names)} "
            f"FROM {piece.table} {joins} WHERE NOT coalesce({refuse}, false) {order}",
            piece.name,
        )
        after = int(self.con.execute("SELECT count(*) FROM temp.gathered").fetchall()[0][0])
        count, first = after - self.n_rows, self.n_rows
        self.n_rows = after
        old = piece.raw.parts[0]
        lines = old.lines
        if count != piece.raw.n_rows or then:
            kept = self.con.execute(
                f"SELECT {piece.table}.rowid FROM {piece.table} {joins} WHERE NOT coalesce({refuse}, false) "
                f"ORDER BY {piece.table}.rowid"
            ).fetchnumpy()["rowid"]
            lines = _through(old.lines, np.asarray(kept, dtype=np.int64))
        self.parts.append(replace(old, name=piece.name, first_row=first, n_rows=count, lines=lines))
        return count

    def _run(self, sql: str, name: str) -> None:
        """One long statement, told about; stopping in `progress` interrupts it."""
        share = min(self.taken / self.total, 1.0)
        told(self.con, partial(self.con.execute, sql), lambda: self.progress(share, f"{name}: gathering the rows"))

    def refused(self, piece: Piece, condition: str, column: str, reason: str, joins: str = "") -> None:
        """One rejection for each row of the piece that meets the SQL condition."""
        found = self.con.execute(
            f"SELECT {piece.table}.rowid, {piece.cell(column)} FROM {piece.table} {joins} "
            f"WHERE {condition} ORDER BY {piece.table}.rowid"
        ).fetchall()
        lines = piece.raw.line_of([row for row, _ in found])
        for (_, value), line in zip(found, lines, strict=True):
            self.reject(Rejection(line, column, value, reason, file=piece.name))

    def refused_as(self, piece: Piece, column: str, value: str, reason: str, joins: str = "", then: str = "") -> None:
        """One rejection for each row of the piece, with its joins, where `reason` is not NULL.

        column, value, reason : SQL, of text; then : where the joins make several rows of one, SQL that orders them
        """
        found = self.con.execute(
            f"SELECT {piece.table}.rowid, {column}, left({value}, {SHOWN}), {reason} FROM {piece.table} {joins} "
            f"WHERE ({reason}) IS NOT NULL ORDER BY {', '.join(filter(None, (f'{piece.table}.rowid', then)))}"
        ).fetchall()
        lines = piece.raw.line_of([row for row, *_ in found])
        for (_, name, cell, why), line in zip(found, lines, strict=True):
            self.reject(Rejection(line, name, cell, why, file=piece.name))

    def drop(self, piece: Piece) -> None:
        """Forget a piece's table once its rows are added."""
        self.con.execute(f"DROP TABLE {piece.table}")

    def finish(self, optional: Collection[str] = ()) -> RawTable:
        """`raw` over all that was added. Raises FileError when no file could be read at all.

        optional : columns that are left out where they hold nothing at all
        """
        if not self.parts:
            reasons = "; ".join(rejection.reason for rejection in self.rejections[:3])
            raise FileError(reasons or "there is no file to read")
        self.con.execute("ALTER TABLE temp.gathered RENAME TO raw_cells")
        make_view(self.con)
        columns = self.columns
        if asked := [k for k, name in enumerate(columns) if name in optional]:
            counts = self.con.execute(f"SELECT {', '.join(f'count(c{k})' for k in asked)} FROM raw_cells").fetchall()[0]
            empty = {k for k, count in zip(asked, counts, strict=True) if not count}
            kept = [k for k in range(len(columns)) if k not in empty]
            columns = tuple(columns[k] for k in kept)
            cells = ", ".join(f"c{k} AS c{i}" for i, k in enumerate(kept))
            self.con.execute(f"CREATE OR REPLACE VIEW raw AS SELECT rowid AS row, {cells} FROM raw_cells")
        return RawTable(
            columns,
            self.n_rows,
            tuple(self.rejections),
            tuple(self.inferred) + self._remarks(),
            tuple(self.parts),
            self.in_folder,
        )

    def _remarks(self) -> tuple[str, ...]:
        """What was taken for granted in single files; said once where it holds for many."""
        return tuple(
            f"{', '.join(names) if len(names) <= 3 else f'{len(names)} files'}: {sentence}"
            for sentence, names in self.remarks.items()
        )


def _through(
    lines: Callable[[NDArray[np.int64]], NDArray[np.int64] | None], kept: NDArray[np.int64]
) -> Callable[[NDArray[np.int64]], NDArray[np.int64] | None]:
    return lambda rows: lines(kept[rows])
