"""Which differences of a large dataset stand ready, and do they still hold?

Values are stored by text and by response, which no fit of ten million judgments can wait for. Packed, the differences of
a factor are one column in the order of the pairs. They hold as long as nothing that they were made from has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.queries import Catalog, Con
from data.queries.texts import Scale, Source

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


def read_packed(con: Con, one: Packed) -> NDArray[np.float32]:
    """(pairs,) the differences of one factor, in ascending order of the pairs' ids; NaN where there is none."""
    table = con.sql(f"SELECT value FROM difference WHERE packed_id = {one.id}").to_arrow_table()
    return np.asarray(table["value"].to_numpy(), dtype=np.float32)
