"""What the stages of one import share: the connection, the ids, how rows are turned down, how progress is told."""

from __future__ import annotations

from dataclasses import dataclass, field

import duckdb

from data.duck import told
from data.model import Progress, silent


class Told:
    """A progress that remembers what it told last, to tell it again while one statement takes long."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._last = (0.0, "")

    def __call__(self, share: float, text: str) -> None:
        self._last = (share, text)
        self._progress(share, text)

    def again(self) -> None:
        self._progress(*self._last)


@dataclass(frozen=True)
class Brought:
    """What the rows of an import have, and so which steps have anything to do: each takes milliseconds to do nothing.

    bare : some rows have neither text; by_text : some name their prompt by its text alone; kinds : some say what kind
    of judge judged; named_winners : some name a winner that is none of the words for one
    empty : the dataset had neither prompts nor judges before
    """

    kinds: bool = True
    scenarios: bool = True
    models: bool = True
    annotators: bool = True
    prompt_ids: bool = True
    prompt_texts: bool = True
    by_text: bool = True
    texts: bool = True
    bare: bool = True
    pair_ids: bool = True
    external_ids: bool = True
    named_winners: bool = True
    factors: bool = True
    attributes: bool = True
    empty: bool = False


@dataclass
class Step:
    """One import under way. In SQL, $d stands for the dataset's id and $i for the import's.

    has : what its rows have
    inferred : sentences about what was taken for granted, collected on the way
    progress : told what is being done, here and by the caller
    """

    con: duckdb.DuckDBPyConnection
    dataset_id: int
    import_id: int
    has: Brought = field(default_factory=Brought)
    inferred: list[str] = field(default_factory=list)
    progress: Told = field(default_factory=lambda: Told(silent))

    def _bound(self, sql: str) -> str:
        return sql.replace("$d", str(self.dataset_id)).replace("$i", str(self.import_id))

    def run(self, sql: str) -> None:
        """Statements one after the other, none of which inserts: those go through `insert` or `insert_only`."""
        told(self.con, lambda: self.con.execute(self._bound(sql)), self.progress.again)

    def unless_empty(self, sql: str, else_: str = "true") -> str:
        """SQL that asks what the dataset holds; `else_` where it held nothing before."""
        return else_ if self.has.empty else sql

    def insert(self, table: str, select: str, *, only: bool = False) -> None:
        """Insert the rows of `select`, if there are any. only : it is the one INSERT into `table`, see `insert_only`

        DuckDB (1.5 and 2.0) hides rows: after an INSERT of no rows, a later INSERT of more than a row group into the
        same table is counted, but cannot be read before the commit. So no INSERT here is ever empty.
        """
        if only:
            self.insert_only(table, select)
            return
        # A statement that makes a table answers how many rows it has.
        some = self.count("CREATE OR REPLACE TEMP TABLE incoming AS " + select)
        self.run((f"INSERT INTO {table} FROM incoming;" if some else "") + "DROP TABLE incoming")

    def insert_only(self, table: str, select: str) -> None:
        """The one INSERT into `table` of this transaction, which so may be empty, and needs no copy."""
        self.run(f"INSERT INTO {table} {select}")

    def count(self, sql: str) -> int:
        found = told(self.con, lambda: self.con.execute(self._bound(sql)).fetchall(), self.progress.again)
        return int(found[0][0])

    def reject(self, table: str, select: str) -> None:
        """Mark the rows of `select` (row, cell, field, value, reason) as rejected and drop them from `table`."""
        if self.count("CREATE OR REPLACE TEMP TABLE newly AS " + select):
            self.run(
                "INSERT INTO marked SELECT * FROM newly;"
                f"DELETE FROM {table} WHERE (row, cell) IN (SELECT (row, cell) FROM newly)"
            )
