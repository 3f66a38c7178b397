"""What stands inside the cells of a table: objects, messages, dialogues? Each part becomes a column of its own.

A column whose cells are JSON objects has its keys beside it as COLUMN.KEY; one of conversations, written as lists of
messages or as `Human: ... Assistant: ...`, has COLUMN.user and COLUMN.assistant. The parts are made when they are read:
what nobody maps costs nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import duckdb

from data.importers import conversations
from data.importers.json_path import value_at
from data.importers.table import RawTable

LOOKED_AT = 200
MOST_PARTS = 40
USER, ASSISTANT = "user", "assistant"
_DIALOGUE = r"^\s*Human:.*\n\nAssistant:"


def spread(con: duckdb.DuckDBPyConnection, table: RawTable) -> RawTable:
    """The table with the parts of its cells as further columns of `raw`, which is a view over `raw_cells`."""
    suspects = _suspects(con, len(table.columns)) if table.columns else set()
    if not suspects:
        return table
    found: list[tuple[str, str]] = []
    for k, column in enumerate(table.columns):
        if k in suspects:
            found += [(f"{column}.{part}", sql) for part, sql in _parts(con, f"c{k}")]
    have = {column.lower() for column in table.columns}
    found = [(name, sql) for name, sql in found if name.lower() not in have][:MOST_PARTS]
    if not found:
        return table
    first = len(table.columns)
    cells = ", ".join(f"({sql}) AS c{first + k}" for k, (_, sql) in enumerate(found))
    con.execute(f"CREATE OR REPLACE VIEW raw AS SELECT rowid AS row, *, {cells} FROM raw_cells")
    return replace(table, columns=(*table.columns, *(name for name, _ in found)))


def _suspects(con: duckdb.DuckDBPyConnection, width: int) -> set[int]:
    """The columns to look into: those of which a cell begins as one with parts does, or whose first rows are empty."""
    begins = ", ".join(f"substr(ltrim(c{k}, E' \\t\\n\\r\\f\\v'), 1, 6)" for k in range(width))
    columns = zip(*con.execute(f"SELECT {begins} FROM raw_cells LIMIT {LOOKED_AT}").fetchall(), strict=True)
    found = (next(filter(None, cells), None) for cells in columns)
    return {k for k, begin in enumerate(found) if begin is None or begin.startswith(("{", "[", "Human:"))}


def _parts(con: duckdb.DuckDBPyConnection, cell: str) -> list[tuple[str, str]]:
    """(name, SQL) of the parts of a column's cells, none where they have none."""
    head = f"(SELECT {cell} AS v FROM raw_cells WHERE trim({cell}) <> '' LIMIT {LOOKED_AT})"
    n, objects, lists, dialogues = con.execute(
        f"""SELECT count(*), count(*) FILTER (starts_with(ltrim(v), '{{')),
            count(*) FILTER (starts_with(ltrim(v), '[')),
            count(*) FILTER (regexp_matches(v, $dialogue, 's')) FROM {head}""",
        {"dialogue": _DIALOGUE},
    ).fetchall()[0]
    if n and objects == n:
        keys = con.execute(f"SELECT TRY(json_keys(v)) FROM {head}").fetchall()
        if any(listed is None for (listed,) in keys):
            return []
        counts = Counter(key for (listed,) in keys for key in listed)
        names = [key for key, many in counts.items() if many >= n / 2 and len(key) <= 60]
        return [(key, value_at(cell, key)) for key in names]
    if n and dialogues == n:
        # All up to the last answer is what that answer replies to.
        return [
            (USER, f"regexp_extract({cell}, '(?s)^\\s*(.*)\\n\\nAssistant:(.*)$', 1)"),
            (ASSISTANT, f"trim(regexp_extract({cell}, '(?s)^\\s*(.*)\\n\\nAssistant:(.*)$', 2))"),
        ]
    if n and lists == n:
        turns = conversations.turns("v")
        asked, said = (conversations.by(turns, who) for who in (USER, ASSISTANT))
        good = con.execute(f"SELECT count(*) FROM {head} WHERE len({asked}) > 0 AND len({said}) > 0").fetchall()[0][0]
        if good == n:
            turns = conversations.turns(cell)
            return [(who, conversations.joined(conversations.by(turns, who))) for who in (USER, ASSISTANT)]
    return []
