"""How do measured values get into the store? Batch by batch, each in a transaction of its own.

A batch is read, measured without a lease, and written; what was written stays when the work is stopped, and the next
run goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.queries.measuring import Pending
from data.queries.texts import Versions, current_ids

BATCH_CHARACTERS = 32_000_000
"""Characters of texts that are held at a time; a longer text is a batch of its own."""

BATCH_TEXTS = 50_000


@dataclass(frozen=True)
class Batch:
    """Texts that lack the same values. lacking : as in `Pending`; characters : of all of them"""

    text_id: NDArray[np.int32]
    lacking: int
    characters: int


def batches(pending: Pending) -> Iterator[Batch]:
    """Cut what is to be measured into batches."""
    for lacking in np.unique(pending.lacking):
        rows = np.flatnonzero(pending.lacking == lacking)
        size = pending.size[rows]
        start = 0
        while start < len(rows):
            total = np.cumsum(size[start : start + BATCH_TEXTS])
            n = max(1, int(np.searchsorted(total, BATCH_CHARACTERS, side="right")))
            yield Batch(pending.text_id[rows[start : start + n]], int(lacking), int(total[n - 1]))
            start += n


def register(con: duckdb.DuckDBPyConnection, versions: Versions) -> dict[str, int]:
    """text_factor_id of each of these factors in its version, given out where it is new. Values of other versions of
    them are removed: no program that has this version reads them."""
    ids = current_ids(con, versions)
    for name, version in versions.items():
        if name in ids:
            continue
        con.execute(
            "DELETE FROM text_value WHERE text_factor_id IN (SELECT text_factor_id FROM text_factor WHERE name = $n)",
            {"n": name},
        )
        con.execute("DELETE FROM text_factor WHERE name = $n", {"n": name})
        ids[name] = con.execute("SELECT coalesce(max(text_factor_id), 0) + 1 FROM text_factor").fetchall()[0][0]
        con.execute("INSERT INTO text_factor VALUES ($i, $n, $v)", {"i": ids[name], "n": name, "v": version})
    return ids


def add_values(
    con: duckdb.DuckDBPyConnection,
    ids: list[int],
    text_id: NDArray[np.int32],
    hashes: NDArray[np.uint64],
    values: NDArray[np.float64],
) -> int:
    """Write the (texts, factors) values; NaN becomes NULL. Returns how many values were written.

    Left out is a text that went away while it was measured (its number may stand for another by now: its hash tells),
    and what another run has written meanwhile.
    """
    n_texts = len(text_id)
    flat = values.T.reshape(-1)
    con.register(
        "measured",
        pa.table(
            {
                "text_id": np.tile(text_id, len(ids)),
                "hash": np.tile(hashes, len(ids)),
                "text_factor_id": np.repeat(np.array(ids, dtype=np.int32), n_texts),
                "value": pa.array(flat, mask=np.isnan(flat)),
            }
        ),
    )
    try:
        con.execute(
            """CREATE OR REPLACE TEMP TABLE fresh_value AS SELECT m.text_id, m.text_factor_id, m.value FROM measured m
            JOIN text t ON t.text_id = m.text_id AND t.hash = m.hash
            JOIN text_factor f ON f.text_factor_id = m.text_factor_id
            ANTI JOIN text_value v ON v.text_id = m.text_id AND v.text_factor_id = m.text_factor_id
            ORDER BY m.text_factor_id, m.text_id"""
        )
    finally:
        con.unregister("measured")
    n = int(con.execute("SELECT count(*) FROM fresh_value").fetchall()[0][0])
    if n:  # see data/step.py for why no INSERT is ever empty
        con.execute("INSERT INTO text_value FROM fresh_value")
    con.execute("DROP TABLE fresh_value")
    return n
