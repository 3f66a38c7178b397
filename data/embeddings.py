"""How do vectors of texts get into the store? Batch by batch, as measured values do: see text_factors.py."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.queries.meaning import embedder_ids
from data.text_factors import Texts


def register(con: duckdb.DuckDBPyConnection, name: str) -> int:
    """embedder_id of this name, given out where it is new."""
    known = embedder_ids(con)
    if name not in known:
        known[name] = max(known.values(), default=0) + 1
        con.execute("INSERT INTO embedder VALUES ($i, $n)", {"i": known[name], "n": name})
    return known[name]


def add_vectors(
    con: duckdb.DuckDBPyConnection, embedder_id: int, of: Texts, vectors: NDArray[np.float32]
) -> int:
    """Write the (texts, dimensions) vectors. Returns how many were written: left out is a text that went away
    meanwhile, and what another run has written."""
    n, dimensions = vectors.shape
    offsets = pa.array(np.arange(0, n * dimensions + 1, dimensions, dtype=np.int32))
    rows = pa.ListArray.from_arrays(offsets, pa.array(vectors.reshape(-1), type=pa.float32()))
    con.register("embedded", pa.table({"text_id": of.text_id, "hash": of.hash, "vector": rows}))
    try:
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE fresh_vector AS
            SELECT e.text_id, {embedder_id}::INTEGER AS embedder_id, e.vector FROM embedded e
            JOIN text t ON t.text_id = e.text_id AND t.hash = e.hash
            ANTI JOIN (SELECT text_id FROM embedding WHERE embedder_id = {embedder_id}) h ON h.text_id = e.text_id
            ORDER BY e.text_id"""
        )
    finally:
        con.unregister("embedded")
    written = int(con.execute("SELECT count(*) FROM fresh_vector").fetchall()[0][0])
    if written:  # see data/step.py for why no INSERT is ever empty
        con.execute("INSERT INTO embedding FROM fresh_vector")
    con.execute("DROP TABLE fresh_vector")
    return written
