"""Which differences of a large dataset stand ready, and do they still hold?

Values are stored by text and by response, which no fit of ten million judgments can wait for. Packed, the differences of
a factor are one column in the order of the pairs. They hold as long as nothing that they were made from has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.queries import Catalog, Con
from data.queries.texts import Scale, Source

BATCH = 1_000_000

PACKED_FROM = 50_000
"""Pairs from which on a dataset's differences are packed, and are as precise as float32 everywhere."""


@dataclass(frozen=True)
class Packed:
    """One factor's differences that stand ready. word : as in `texts.fingerprint_words`"""

    id: int
    pairs: int
    scale: Scale
    word: str


def stamp(con: Con, names: Catalog) -> str:
    """A word that changes with every import of the dataset and with every value that is measured of any text."""
    row = con.execute(
        """SELECT (SELECT count(*) FROM text_value), (SELECT count(*) FROM answer_value),
        (SELECT count(*) FROM response_value), (SELECT count(*) FROM judgment_value), count(*), max(import_id),
        max(imported_at)::VARCHAR FROM import_log WHERE dataset_id = $d""",
        {"d": names.dataset_id},
    ).fetchall()[0]
    return " ".join(map(str, row))


def packable(source: Source) -> bool:
    """Numbers of responses: labels have none, and what differs by judgment has no column a pair."""
    return not (source.by_judgment or source.labels)


def packed(con: Con, names: Catalog, chosen: Sequence[Source]) -> dict[str, Packed]:
    """Those of these factors that stand ready, by name."""
    rows = con.execute(
        """SELECT name, version, packed_id, pairs, scale, known, word FROM packed WHERE dataset_id = $d AND stamp = $s
        ORDER BY packed_id""",
        {"d": names.dataset_id, "s": stamp(con, names)},
    ).fetchall()
    ready = {(name, version): rest for name, version, *rest in rows}
    found = {}
    for source in chosen:
        if (source.name, source.version) in ready and packable(source):
            packed_id, pairs, scale, known, word = ready[source.name, source.version]
            value = float("nan") if scale is None else scale
            found[source.name] = Packed(packed_id, pairs, Scale(value, known), word)
    return found


def read_packed(con: Con, wanted: Sequence[Packed], out: NDArray[Any]) -> None:
    """Fill (factors, pairs) with differences, in ascending order of the pairs' ids; NaN where there is none.

    One scan, batch by batch: rows come as they were written, which is column after column.
    """
    stored = sorted({one.id for one in wanted})
    listed = ", ".join(map(str, stored))
    n = out.shape[1]
    place = {packed_id: k for k, packed_id in enumerate(stored)}
    in_order = [place[one.id] for one in wanted] == list(range(len(stored)))
    flat = out.reshape(-1) if in_order else np.empty(len(stored) * n, dtype=out.dtype)
    low = 0
    reader = con.sql(f"SELECT value FROM difference WHERE packed_id IN ({listed})").to_arrow_reader(BATCH)
    for batch in reader:
        flat[low : low + len(batch)] = batch.column(0).to_numpy(zero_copy_only=False)
        low += len(batch)
    if not in_order:
        for k, one in enumerate(wanted):
            out[k] = flat[place[one.id] * n : (place[one.id] + 1) * n]
