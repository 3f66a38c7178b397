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

from data.queries.measuring import Ids, Pending
from data.queries.texts import Versions, current_ids

BATCH_CHARACTERS = 8_000_000
"""Characters of texts that are held at a time, about ten seconds of work on two cores; a longer text is a batch of its
own."""

BATCH_TEXTS = 20_000


@dataclass(frozen=True)
class Batch:
    """Texts that lack the same values. prompt_text_id, lacking : as in `Pending`; characters : of all of them"""

    text_id: Ids
    lacking: int
    characters: int
    prompt_text_id: Ids | None = None


@dataclass(frozen=True)
class Texts:
    """What was measured: ids and hashes of texts, and of their prompts' texts where those were measured with them."""

    text_id: Ids
    hash: NDArray[np.uint64]
    prompt_text_id: Ids | None = None
    prompt_hash: NDArray[np.uint64] | None = None


def batches(pending: Pending) -> Iterator[Batch]:
    """Cut what is to be measured into batches."""
    for lacking in np.unique(pending.lacking):
        rows = np.flatnonzero(pending.lacking == lacking)
        size = pending.size[rows]
        start = 0
        while start < len(rows):
            total = np.cumsum(size[start : start + BATCH_TEXTS])
            n = max(1, int(np.searchsorted(total, BATCH_CHARACTERS, side="right")))
            at = rows[start : start + n]
            prompts = pending.prompt_text_id[at] if pending.prompt_text_id is not None else None
            yield Batch(pending.text_id[at], int(lacking), int(total[n - 1]), prompts)
            start += n


def register(con: duckdb.DuckDBPyConnection, versions: Versions) -> dict[str, int]:
    """text_factor_id of each of these factors in its version, given out where it is new. Values of other versions of
    them are removed: no program that has this version reads them."""
    ids = current_ids(con, versions)
    new = [name for name in versions if name not in ids]
    if not new:
        return ids
    # All of them at once: some sixty factors are new to a new store, and each statement costs milliseconds.
    first = con.execute("SELECT coalesce(max(text_factor_id), 0) + 1 FROM text_factor").fetchall()[0][0]
    old = "SELECT text_factor_id FROM text_factor WHERE list_contains($names, name)"
    for table in ("text_value", "answer_value"):
        con.execute(f"DELETE FROM {table} WHERE text_factor_id IN ({old})", {"names": new})
    con.execute("DELETE FROM text_factor WHERE list_contains($names, name)", {"names": new})
    given = {name: first + k for k, name in enumerate(new)}
    con.execute(
        "INSERT INTO text_factor SELECT unnest($ids), unnest($names), unnest($versions)",
        {"ids": list(given.values()), "names": new, "versions": [versions[name] for name in new]},
    )
    ids |= given
    return ids


def add_values(
    con: duckdb.DuckDBPyConnection, ids: list[int], of: Texts, values: NDArray[np.float64]
) -> int:
    """Write the (texts, factors) values; NaN becomes NULL. Returns how many values were written.

    Left out is a text that went away while it was measured (its number may stand for another by now: its hash tells),
    and what another run has written meanwhile.
    """
    flat = values.T.reshape(-1)
    columns = {
        "text_id": np.tile(of.text_id, len(ids)),
        "hash": np.tile(of.hash, len(ids)),
        "text_factor_id": np.repeat(np.array(ids, dtype=np.int32), len(of.text_id)),
        "value": pa.array(flat, mask=np.isnan(flat)),
    }
    table, keys, still_there = "text_value", ["text_id", "text_factor_id"], ""
    if of.prompt_text_id is not None:
        assert of.prompt_hash is not None
        columns |= {
            "prompt_text_id": np.tile(of.prompt_text_id, len(ids)), "prompt_hash": np.tile(of.prompt_hash, len(ids))
        }  # fmt: skip
        table, keys = "answer_value", ["text_id", "prompt_text_id", "text_factor_id"]
        still_there = "JOIN text q ON q.text_id = m.prompt_text_id AND q.hash = m.prompt_hash"
    con.register("measured", pa.table(columns))
    try:
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE fresh_value AS SELECT {", ".join(f"m.{key}" for key in keys)}, m.value
            FROM measured m JOIN text t ON t.text_id = m.text_id AND t.hash = m.hash {still_there}
            JOIN text_factor f ON f.text_factor_id = m.text_factor_id
            ANTI JOIN {table} v ON {" AND ".join(f"v.{key} = m.{key}" for key in keys)}
            ORDER BY m.text_factor_id, m.text_id"""
        )
    finally:
        con.unregister("measured")
    n = int(con.execute("SELECT count(*) FROM fresh_value").fetchall()[0][0])
    if n:  # see data/step.py for why no INSERT is ever empty
        con.execute(f"INSERT INTO {table} FROM fresh_value")
    con.execute("DROP TABLE fresh_value")
    return n
