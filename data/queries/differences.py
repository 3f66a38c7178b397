"""By how much do the two answers of a pair differ in each factor, and what was said of each pair?

What a fit of factors reads: differences once for each pair, and the judgments as narrow columns. Ten million judgments
on thirty factors come in batches and are never held twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from data.queries import IS_TIE, Catalog, Con, any_weighted
from data.queries.order import in_order
from data.queries.packed import PACKED_FROM, packed, read_packed
from data.queries.texts import Scale, Source, judged_values, pair_values

Column = NDArray[Any]

FINE = 16_000_000
"""Up to so many differences are kept as float64; more as float32, whose rounding (6e-8) no weight shows."""

FACTORS_AT_ONCE = 8
"""So many are read together where nothing stands ready."""

UNNAMED = -1


@dataclass(frozen=True)
class Differences:
    """a - b of each factor, NaN where one of the two answers has no value.

    unit : (n,) pair ids, or judgment ids where values belong to judgments; ascending
    x : (k, n) float64, or float32 where there are many, in the order of the factors
    scales, words : by factor, where they stand ready: its scale, and its word for the fingerprint
    """

    unit: Column
    x: Column
    scales: Mapping[str, Scale]
    words: Mapping[str, str]


def n_pairs(con: Con, names: Catalog) -> int:
    """How many pairs the dataset has."""
    return int(
        con.execute("SELECT count(*) FROM pair WHERE dataset_id = $d", {"d": names.dataset_id}).fetchall()[0][0]
    )


def differences(con: Con, names: Catalog, chosen: Sequence[Source], condition: str) -> Differences:
    """Of every pair of the dataset; where a factor belongs to judgments, of every judgment of the condition."""
    if any(source.by_judgment for source in chosen):
        values = pair_values(con, names, chosen)
        rows, a, b = judged_values(con, names, condition, chosen, values, ["judgment_id AS unit"])
        return Differences(rows["unit"].to_numpy(), np.array([a[s.name] - b[s.name] for s in chosen]), {}, {})
    n = n_pairs(con, names)
    ready = packed(con, names, chosen) if n >= PACKED_FROM else {}
    if len(ready) < len(chosen) or not chosen:
        return unpacked(con, names, chosen)
    x = np.empty((len(chosen), n), dtype=np.float64 if len(chosen) * n <= FINE else np.float32)
    found = [ready[source.name] for source in chosen]
    read_packed(con, found, x)
    return Differences(
        pair_ids(con, names), x, {s.name: one.scale for s, one in zip(chosen, found, strict=True)},
        {s.name: one.word for s, one in zip(chosen, found, strict=True)},
    )  # fmt: skip


def pair_ids(con: Con, names: Catalog) -> Column:
    """Ascending; without sorting where they follow one another, as those of one import do."""
    n = n_pairs(con, names)
    d = {"d": names.dataset_id}
    first, last = con.execute("SELECT min(pair_id), max(pair_id) FROM pair WHERE dataset_id = $d", d).fetchall()[0]
    if n and last - first + 1 == n:
        return np.arange(first, last + 1, dtype=np.int32)
    table = con.sql(f"SELECT pair_id FROM pair WHERE dataset_id = {names.dataset_id} ORDER BY pair_id").to_arrow_table()
    return np.asarray(table["pair_id"].to_numpy())


def unpacked(con: Con, names: Catalog, chosen: Sequence[Source]) -> Differences:
    """Of every pair, from the values as they are stored; of large datasets as precise as those that stand ready."""
    x: Column | None = None
    unit: Column = np.empty(0, dtype=np.int64)
    # A few factors at a time, so that values and differences are not held twice.
    for start in range(0, len(chosen), FACTORS_AT_ONCE):
        some = chosen[start : start + FACTORS_AT_ONCE]
        values = pair_values(con, names, some)
        if x is None:
            unit = values.pair
            x = np.empty((len(chosen), len(unit)), dtype=np.float64 if len(chosen) * len(unit) <= FINE else np.float32)
        for k, source in enumerate(some, start=start):
            difference = values.a[source.name] - values.b[source.name]
            x[k] = difference.astype(np.float32) if len(unit) >= PACKED_FROM else difference
    return Differences(unit, x if x is not None else np.empty((0, 0)), {}, {})


def scale_of(x: Column) -> Scale:
    """Root mean square about 0 of the differences that are known."""
    there = np.isfinite(x)
    n = int(there.sum())
    kept = x if n == len(x) else x[there]
    return Scale(float(np.sqrt(np.einsum("i,i", kept, kept, dtype=np.float64) / n)) if n else float("nan"), n)


@dataclass(frozen=True)
class Verdicts:
    """The judgments of a condition, in the store's order. Columns (n,) by name.

    judge_id, pair (pair id), prompt (a code, see `in_order`), shown, p_a, tied, weight; annotator (a negative code of its own where nobody is
    named), judgment, scenario, a, b (model ids, -1 unnamed), date (seconds since 1970, NaN
    where it is not known) where asked for
    """

    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(self.columns["pair"])

    def take(self, rows: Column) -> Verdicts:
        """Some of the judgments. rows : ascending positions"""
        plain = self.columns["weight"].strides == (0,)
        taken = {name: values[rows] for name, values in self.columns.items()}
        return Verdicts(taken | ({"weight": np.broadcast_to(np.float64(1.0), (len(rows),))} if plain else {}))


def verdicts(con: Con, condition: str, more: Sequence[str] = ()) -> Verdicts:
    """What was said. more : of annotator, judgment, scenario, models, date"""
    further = {
        "annotator": "coalesce(annotator_id, -judgment_id) AS annotator",
        "judgment": "judgment_id AS judgment",
        "scenario": f"coalesce(scenario_id, {UNNAMED}) AS scenario",
        "date": "coalesce(epoch(judged_at), 'nan'::DOUBLE) AS date",
        "models": f"coalesce(model_a, {UNNAMED}) AS a, coalesce(model_b, {UNNAMED}) AS b",
    }
    chosen = ", ".join(
        ["judge_id", "pair_id AS pair", "prompt_id AS prompt", "shown", "p_a", f"({IS_TIE})::TINYINT AS tied"]
        + [further[name] for name in more]
        + (["weight"] if any_weighted(con, condition) else [])
    )
    table = con.sql(f"SELECT {chosen} FROM judgment WHERE {condition}").to_arrow_table()
    columns = {name: _column(table[name]) for name in table.column_names}
    columns["prompt"] = in_order(con, "prompt", columns["prompt"])
    n = table.num_rows
    if "weight" not in columns:
        # Takes no memory: every entry is the same one.
        columns["weight"] = np.broadcast_to(np.float64(1.0), (n,))
    return Verdicts(columns)


def _column(column: pa.ChunkedArray) -> Column:
    whole = pc.fill_null(column, UNNAMED) if column.null_count else column
    return np.asarray(whole.to_numpy())


def without_empty(condition: str, names: Catalog) -> str:
    """The condition without the pairs of which an answer is an empty text."""
    return f"{condition} AND pair_id NOT IN ({_pairs_with_empty(names)})"


def pairs_with_empty(con: Con, names: Catalog) -> Column:
    """Ids of the pairs of which an answer is an empty text."""
    return np.asarray(con.sql(_pairs_with_empty(names)).to_arrow_table()["pair_id"].to_numpy())


def _pairs_with_empty(names: Catalog) -> str:
    empty = (
        f"SELECT response_id FROM response JOIN text USING (text_id) WHERE dataset_id = {names.dataset_id} "
        "AND trim(body) = ''"
    )
    return (
        f"SELECT pair_id FROM pair WHERE dataset_id = {names.dataset_id} "
        f"AND (response_a IN ({empty}) OR response_b IN ({empty}))"
    )
