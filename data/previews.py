"""What of a raw table is shown before it is imported: first values, and how often each value occurs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import duckdb

FIRST, LOOKED_AT = 3, 50
"""Values of a column that are shown, and rows in which they are looked for."""


def first_values(con: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Of each column of the table `raw` the first different values that are not blank."""
    rows = con.execute(f"SELECT * EXCLUDE (row) FROM raw ORDER BY row LIMIT {LOOKED_AT}").fetchall()
    found: dict[str, tuple[str, ...]] = {}
    for k, column in enumerate(columns):
        values = (str(row[k]).strip() for row in rows if row[k] is not None)
        found[column] = tuple(dict.fromkeys(value for value in values if value))[:FIRST]
    return found


def value_counts(
    con: duckdb.DuckDBPyConnection, columns: Sequence[str], among: Collection[str]
) -> dict[str, dict[str, int]]:
    """Of the columns that are `among`, how often each value stands in the table `raw`, the most frequent first."""
    found = {}
    for k, column in enumerate(columns):
        if column in among:
            sql = f"SELECT trim(c{k}) AS v, count(*) AS n FROM raw WHERE trim(c{k}) <> '' GROUP BY v ORDER BY n DESC, v"
            found[column] = {str(value): int(n) for value, n in con.execute(sql).fetchall()}
    return found
