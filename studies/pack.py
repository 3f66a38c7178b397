"""How does a large dataset get its differences ready? After each measuring and import, once, outside any long lease."""

from __future__ import annotations

import numpy as np

from data import packing, queries
from data.model import Progress, silent
from data.queries import differences as rows_queries
from data.queries import packed as packed_queries
from data.queries import texts as texts_queries
from data.store import Store
from studies.extract import versions


def pack(store: Store, dataset: str, progress: Progress = silent) -> int:
    """Make the differences of every factor of a dataset of at least `PACKED_FROM` pairs ready that are not.

    Returns how many were made. Stopped at any moment, those that were made stay.
    """
    with store.reading("looking what stands ready") as con:
        names = queries.catalog(con, dataset)
        if rows_queries.n_pairs(con, names) < packed_queries.PACKED_FROM:
            return 0
        found = [s for s in texts_queries.sources(con, names, versions()).values() if packed_queries.packable(s)]
        ready = packed_queries.packed(con, names, found)
        made_from = packed_queries.stamp(con, names)
    todo = [source for source in found if source.name not in ready]
    for k, source in enumerate(todo):
        progress(k / len(todo), f"packing {source.name}")
        with store.reading(f"reading {source.name}") as con:
            if packed_queries.stamp(con, names) != made_from:
                return k
            values = rows_queries.unpacked(con, names, [source]).x[0].astype(np.float32)
            word = texts_queries.fingerprint_words(con, names, [source])[source.name]
        scale = rows_queries.scale_of(values)
        with store.writing(f"packing {source.name}") as con:
            if not packing.add_packed(con, names, source, made_from, values, scale, word):
                return k
    progress(1.0, "done")
    return len(todo)
