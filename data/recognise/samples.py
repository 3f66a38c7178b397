"""What stands in the columns of a raw table: how many cells are filled, with what kind of value, and which ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

LOOKED_AT = 200_000
"""Rows in which values are looked for; the import itself checks all."""
LOOKED_AT_INSIDE = 2_000
MOST_KEPT = 200
"""Distinct values of a column that are kept."""
LARGEST_HEAD = 1 << 20
TOGETHER = 10
"""Columns that one statement asks about: its planning takes time with the square of what it asks."""
LONGEST_KEPT = 200
"""Characters; values of columns with a longer one are kept shortened, and only the first few."""


@dataclass(frozen=True)
class Sample:
    """A column over the rows looked at.

    rows, filled, distinct : rows; cells that are not blank; different ones (approximately above some hundreds)
    numbers, whole : cells that are numbers; whole ones. low, high : the least and greatest number, or None
    commas : cells that are numbers if a comma is read as a decimal point, and only then
    lists, objects : cells that begin like a JSON list; like a list of objects or an object
    values : most frequent first, stripped; all of them when `complete`
    longest, mean_length : characters
    heads : the first few cells in full, of a column of lists or objects
    """

    rows: int
    filled: int
    distinct: int
    numbers: int = 0
    whole: int = 0
    low: float | None = None
    high: float | None = None
    commas: int = 0
    lists: int = 0
    objects: int = 0
    values: tuple[str, ...] = ()
    complete: bool = True
    longest: int = 0
    mean_length: float = 0.0
    heads: tuple[str, ...] = ()

    @property
    def numeric(self) -> bool:
        """All cells but one in a hundred are numbers."""
        return self.filled > 0 and (self.numbers + self.commas) >= 0.99 * self.filled

    @property
    def wordy(self) -> bool:
        """Texts rather than names: long, or of several words and hardly ever the same."""
        many = " " in "".join(self.values[:20]) and self.distinct > 0.5 * self.filled
        return self.filled > 0 and not self.numeric and (self.mean_length > 40 or (self.mean_length > 8 and many))

    @property
    def listed(self) -> bool:
        """Cells that are JSON lists."""
        return self.filled > 0 and self.lists >= 0.9 * self.filled


def take_samples(con: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> dict[str, Sample]:
    """Of each column of the table `raw`, in the staging connection `con`, what stands in it."""
    if not columns:
        return {}
    decimal = r"^[+-]?\d+,\d+$"
    parts = []
    for k in range(len(columns)):
        c = f"trim(c{k})"
        number = f"try_cast({c} AS DOUBLE)"
        parts.append(
            f"count(nullif({c}, '')), approx_count_distinct(nullif({c}, '')), "
            f"count({number}) FILTER (isfinite({number})), count({number}) FILTER (isfinite({number}) AND "
            f"{number} = round({number})), min({number}) FILTER (isfinite({number})), "
            f"max({number}) FILTER (isfinite({number})), "
            f"count(*) FILTER (length(c{k}) < 40 AND regexp_matches({c}, '{decimal}')), "
            f"count(*) FILTER (starts_with({c}, '[')), "
            f"count(*) FILTER (starts_with({c}, '{{') OR regexp_matches(left({c}, 40), '^\\[\\s*\\{{')), "
            f"coalesce(max(length({c})), 0), coalesce(avg(length({c})) FILTER ({c} <> ''), 0)"
        )
    out = {}
    inside = [column.rpartition(".")[0] in columns for column in columns]
    measured: dict[int, tuple[int, tuple[Any, ...]]] = {}
    for part in set(inside):
        alike = [k for k, i in enumerate(inside) if i == part]
        for first in range(0, len(alike), TOGETHER):
            some = alike[first : first + TOGETHER]
            asked = ", ".join(parts[k] for k in some)
            row = con.execute(f"SELECT count(*), {asked} FROM {_head(part)}").fetchall()[0]
            measured |= {k: (row[0], row[1 + 11 * at : 12 + 11 * at]) for at, k in enumerate(some)}
    for k, column in enumerate(columns):
        rows, mine = measured[k]
        table = _head(inside[k])
        filled, distinct, numbers, whole, low, high, commas, lists, objects, longest, mean = mine
        few = longest <= LONGEST_KEPT
        c = f"trim(c{k})" if few else f"left(trim(c{k}), {LONGEST_KEPT})"
        source = table if few else "(SELECT * FROM raw LIMIT 200)"
        found = con.execute(
            f"SELECT {c} AS v, count(*) AS n FROM {source} WHERE {c} <> '' GROUP BY v ORDER BY n DESC, v "
            f"LIMIT {MOST_KEPT + 1}"
        ).fetchall()
        heads: tuple[str, ...] = ()
        if lists or objects:
            sql = f"SELECT c{k} FROM raw WHERE c{k} <> '' AND length(c{k}) < {LARGEST_HEAD} LIMIT 3"
            heads = tuple(str(v) for (v,) in con.execute(sql).fetchall())
        complete = few and len(found) <= MOST_KEPT
        out[column] = Sample(
            rows=rows, filled=filled, distinct=len(found) if complete else max(distinct, 1), numbers=numbers,
            whole=whole, low=low, high=high, commas=commas, lists=lists, objects=objects,
            values=tuple(str(v) for v, _ in found[:MOST_KEPT]), complete=complete, longest=longest, mean_length=mean,
            heads=heads,
        )  # fmt: skip
    return out


def _head(inside: bool) -> str:
    """The rows that are looked at; fewer where a column is a part of others, since each cell is taken apart anew."""
    return f"(SELECT * FROM raw LIMIT {LOOKED_AT_INSIDE if inside else LOOKED_AT})"
