"""Tables that are made, not read: Arrow tables into the staging table `raw`, as any file would fill it."""

from __future__ import annotations

from collections.abc import Iterable

import duckdb
import pyarrow as pa

from data.importers.table import RawTable
from data.model import Progress, silent


def fill_raw(
    con: duckdb.DuckDBPyConnection, tables: Iterable[pa.Table], told: tuple[str, ...] = (), progress: Progress = silent
) -> RawTable:
    """Append the tables (all with the same columns) to a new table `raw`, every cell as text.

    told : what a report says about where the rows come from
    """
    columns: tuple[str, ...] = ()
    n = 0
    for table in tables:
        if not columns:
            columns = tuple(table.column_names)
            cells = ", ".join(f"c{k} VARCHAR" for k in range(len(columns)))
            con.execute(f"CREATE TEMP TABLE raw (row BIGINT, {cells})")
        con.register("drawn", table)
        names = ", ".join('CAST("' + name.replace('"', '""') + '" AS VARCHAR)' for name in columns)
        con.execute(f"INSERT INTO raw SELECT {n} + row_number() OVER () - 1, {names} FROM drawn")
        con.unregister("drawn")
        n += len(table)
        progress(n / (n + 1_000_000), f"drawing judgments: {n:,}")
    return RawTable(columns=columns, n_rows=n, rejections=(), inferred=told, parts=())
