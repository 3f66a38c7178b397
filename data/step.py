"""What the stages of one import share: the connection, the ids, and how rows are turned down."""

from __future__ import annotations

from dataclasses import dataclass, field

import duckdb


@dataclass
class Step:
    """One import under way. In SQL, $d stands for the dataset's id and $i for the import's.

    inferred : sentences about what was taken for granted, collected on the way
    """

    con: duckdb.DuckDBPyConnection
    dataset_id: int
    import_id: int
    inferred: list[str] = field(default_factory=list)

    def _bound(self, sql: str) -> str:
        return sql.replace("$d", str(self.dataset_id)).replace("$i", str(self.import_id))

    def run(self, sql: str) -> None:
        self.con.execute(self._bound(sql))

    def count(self, sql: str) -> int:
        return int(self.con.execute(self._bound(sql)).fetchall()[0][0])

    def reject(self, table: str, select: str) -> None:
        """Mark the rows of `select` (row, cell, field, value, reason) as rejected and drop them from `table`."""
        self.run("CREATE OR REPLACE TEMP TABLE newly AS " + select)
        if self.count("SELECT count(*) FROM newly"):
            self.run(
                "INSERT INTO marked SELECT * FROM newly;"
                f"DELETE FROM {table} WHERE (row, cell) IN (SELECT (row, cell) FROM newly)"
            )
