"""How do the differences of a large dataset come to stand ready? Factor by factor, each in a short transaction."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.queries import Catalog
from data.queries.packed import stamp
from data.queries.texts import Scale, Source


def add_packed(
    con: duckdb.DuckDBPyConnection,
    names: Catalog,
    source: Source,
    made_from: str,
    differences: NDArray[np.float32],
    scale: Scale,
    word: str,
) -> bool:
    """Store one factor's differences, in place of older ones. False where the store has changed since they were made.

    made_from : the stamp they were made from; differences : (pairs,) in ascending order of the pairs' ids
    """
    if stamp(con, names) != made_from:
        return False
    forget_packed(con, names.dataset_id, source.name)
    packed_id = con.execute("SELECT coalesce(max(packed_id), 0) + 1 FROM packed").fetchall()[0][0]
    con.execute(
        "INSERT INTO packed VALUES ($i, $d, $n, $v, $s, $p, $r, $k, $w)",
        {
            "i": packed_id, "d": names.dataset_id, "n": source.name, "v": source.version, "s": made_from,
            "p": len(differences), "r": scale.value if scale.pairs else None, "k": scale.pairs, "w": word,
        },
    )  # fmt: skip
    con.register("ready", pa.table({"value": differences}))
    try:
        con.execute(f"INSERT INTO difference SELECT {packed_id}::INTEGER, value FROM ready")
    finally:
        con.unregister("ready")
    return True


def forget_packed(con: duckdb.DuckDBPyConnection, dataset_id: int, name: str | None = None) -> None:
    """Remove what stands ready of a dataset, or of one of its factors."""
    which = f"dataset_id = {dataset_id}"
    ids = con.execute(
        f"SELECT packed_id FROM packed WHERE {which} AND ($n IS NULL OR name = $n) ORDER BY packed_id", {"n": name}
    ).fetchall()
    if not ids:
        return
    listed = ", ".join(str(i) for (i,) in ids)
    con.execute(f"DELETE FROM difference WHERE packed_id IN ({listed})")
    con.execute(f"DELETE FROM packed WHERE packed_id IN ({listed})")
