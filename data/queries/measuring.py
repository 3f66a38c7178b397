"""Which texts of a dataset are still to be measured, and what do they say?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.queries import Con


@dataclass(frozen=True)
class Pending:
    """Texts that lack values. Each array (texts,), in ascending order of text_id.

    lacking : bit k is set where the factor k of those asked for is not measured; size : in characters
    """

    text_id: NDArray[np.int32]
    lacking: NDArray[np.int64]
    size: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.text_id)


def pending(con: Con, dataset_id: int, ids: Sequence[int | None]) -> Pending:
    """Texts of the dataset's responses that lack a value of some of the factors `ids` (None: none was measured yet)."""
    every = (1 << len(ids)) - 1
    known = [(i, k) for k, i in enumerate(ids) if i is not None]
    bits = " ".join(f"WHEN {i} THEN {1 << k}" for i, k in known)
    held = (
        f"""SELECT text_id, bit_or(CASE text_factor_id {bits} END) AS held FROM text_value
        WHERE text_factor_id IN ({", ".join(str(i) for i, _ in known)}) GROUP BY text_id"""
        if known
        else "SELECT NULL::INTEGER AS text_id, 0 AS held WHERE false"
    )
    table = con.sql(
        f"""SELECT t.text_id, xor({every}, coalesce(h.held, 0))::BIGINT AS lacking, length(t.body)::BIGINT AS size
        FROM text t LEFT JOIN ({held}) h USING (text_id)
        WHERE t.text_id IN (SELECT text_id FROM response WHERE dataset_id = {dataset_id})
        AND coalesce(h.held, 0) <> {every} ORDER BY t.text_id"""
    ).to_arrow_table()
    return Pending(*(table[name].to_numpy() for name in ("text_id", "lacking", "size")))


def bodies(con: Con, text_ids: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.uint64], list[str]]:
    """Ids, hashes and bodies of those of these texts that are still there."""
    con.register("wanted", pa.table({"text_id": text_ids}))
    try:
        table = con.sql(
            f"""SELECT text_id, hash, body FROM text WHERE text_id BETWEEN {text_ids.min()} AND {text_ids.max()}
            AND text_id IN (SELECT text_id FROM wanted) ORDER BY text_id"""
        ).to_arrow_table()
    finally:
        con.unregister("wanted")
    return table["text_id"].to_numpy(), table["hash"].to_numpy(), table["body"].to_pylist()
