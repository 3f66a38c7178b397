"""How are the texts of a dataset measured? Once for each version of each factor, resumable at any moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data import queries, text_factors
from data.model import Progress, silent
from data.queries import measuring as measuring_queries
from data.queries import texts as texts_queries
from data.store import Store
from texts.measure import Measurer, measuring
from texts.registry import factors


def versions() -> dict[str, int]:
    """The version of each factor that this program measures."""
    return {one.name: one.version for one in factors(of="text")}


@dataclass(frozen=True)
class Extracted:
    """What one run measured: how many texts were new to it, how many values it wrote."""

    dataset: str
    texts: int
    values: int


def extract(
    store: Store, dataset: str | None = None, progress: Progress = silent, workers: int | None = None
) -> Extracted:
    """Measure every text of the dataset's responses that lacks a factor.

    dataset : None means the only one besides the sample
    workers : processes; the default grows with the work

    Stopped at any moment, the batches that were written stay and the next run goes on with the rest.
    """
    progress(0.0, "looking for texts that were not measured")
    wanted = versions()
    with store.reading("looking for texts to measure") as con:
        dataset = dataset if dataset is not None else queries.default_dataset(con)
        names = queries.catalog(con, dataset)
        known = texts_queries.current_ids(con, wanted)
        pending = measuring_queries.pending(con, names.dataset_id, [known.get(name) for name in wanted])
    if not len(pending):
        progress(1.0, "every text is measured")
        return Extracted(dataset, 0, 0)
    if len(known) < len(wanted):
        with store.writing("naming the factors to be measured") as con:
            text_factors.register(con, wanted)
    meter = _Meter(progress, max(int(pending.size.sum()), 1), len(pending))
    written = 0
    with measuring(meter.total, workers) as measure:
        for batch in text_factors.batches(pending):
            written += _measure_batch(store, wanted, batch, measure, meter)
    progress(1.0, "done")
    return Extracted(dataset, len(pending), written)


@dataclass
class _Meter:
    """How far the work is, in characters measured."""

    progress: Progress
    total: int
    n_texts: int
    done: int = 0

    def add(self, characters: int) -> None:
        self.done += characters
        self.show()

    def show(self) -> None:
        self.progress(min(self.done / self.total, 1.0), f"measuring {self.n_texts:,} texts")


def _measure_batch(
    store: Store, wanted: dict[str, int], batch: text_factors.Batch, measure: Measurer, meter: _Meter
) -> int:
    """Read, measure, write. Returns how many values were written."""
    lacking = [name for k, name in enumerate(wanted) if batch.lacking >> k & 1]
    with store.reading("reading texts to measure") as con:
        text_id, hashes, bodies = measuring_queries.bodies(con, batch.text_id)
    if not len(bodies):
        return 0
    blocks: list[NDArray[np.float64]] = []
    start = 0
    for block in measure(bodies, lacking, meter.show):
        blocks.append(block)
        meter.add(sum(map(len, bodies[start : start + len(block)])))
        start += len(block)
    with store.writing("storing what was measured") as con:
        ids = text_factors.register(con, wanted)
        return text_factors.add_values(con, [ids[name] for name in lacking], text_id, hashes, np.vstack(blocks))
