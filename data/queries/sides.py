"""What value has each of the two answers of a pair, rather than by how much do they differ?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from data.queries import Catalog, Con
from data.queries.differences import Column
from data.queries.texts import Source, judged_values, pair_values


@dataclass(frozen=True)
class Sides:
    """Values of both answers, NaN where they are not known.

    unit : (n,) pair ids, or judgment ids where some value belongs to judgments; ascending
    a, b : by factor, (n,)
    response_a, response_b : (n,) ids of the answers
    """

    unit: Column
    a: Mapping[str, Column]
    b: Mapping[str, Column]
    response_a: Column
    response_b: Column


def sides(con: Con, names: Catalog, chosen: Sequence[Source], condition: str) -> Sides:
    """Of every pair of the dataset; where a factor belongs to judgments, of every judgment of the condition."""
    values = pair_values(con, names, chosen)
    table = con.sql(
        f"SELECT response_a, response_b FROM pair WHERE dataset_id = {names.dataset_id} ORDER BY pair_id"
    ).to_arrow_table()
    first, second = (np.asarray(table[side].to_numpy()) for side in ("response_a", "response_b"))
    if not any(source.by_judgment for source in chosen):
        return Sides(values.pair, values.a, values.b, first, second)
    rows, a, b = judged_values(con, names, condition, chosen, values, ["judgment_id AS unit"])
    at = np.searchsorted(values.pair, rows["pair_id"].to_numpy())
    return Sides(rows["unit"].to_numpy(), a, b, first[at], second[at])
