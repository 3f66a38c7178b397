"""How are the texts of a dataset measured? Once for each version of each factor, resumable at any moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data import queries, text_factors
from data.model import Progress, silent
from data.queries import Con
from data.queries import measuring as measuring_queries
from data.queries import texts as texts_queries
from data.queries.measuring import Pending
from data.store import Store
from texts.measure import Measurer, measuring
from texts.registry import Of, factors


def versions(of: Of | None = None) -> dict[str, int]:
    """The version of each factor that this program measures. of : only of those measured from this"""
    return {one.name: one.version for one in factors(of=of)}


@dataclass(frozen=True)
class Extracted:
    """What one run measured.

    texts : how many texts were new to it, of responses alone or beside another prompt; values : how many it wrote
    """

    dataset: str
    texts: int
    values: int


@dataclass(frozen=True)
class _Kind:
    """Factors of one kind: their versions, and what lacks them."""

    wanted: Mapping[str, int]
    pending: Pending


def extract(
    store: Store, dataset: str | None = None, progress: Progress = silent, workers: int | None = None
) -> Extracted:
    """Measure every text of the dataset's responses, alone and beside its prompt's, that lacks a factor.

    dataset : None means the only one besides the sample
    workers : processes; the default grows with the work

    Stopped at any moment, the batches that were written stay and the next run goes on with the rest.
    """
    progress(0.0, "looking for texts that were not measured")
    wanted = versions("text") | versions("answer")
    with store.reading("looking for texts to measure") as con:
        dataset = dataset if dataset is not None else queries.default_dataset(con)
        names = queries.catalog(con, dataset)
        known = texts_queries.current_ids(con, wanted)
        kinds = _kinds(con, names.dataset_id, known)
    new = np.unique(np.concatenate([kind.pending.text_id for kind in kinds]))
    if not len(new):
        progress(1.0, "every text is measured")
        return Extracted(dataset, 0, 0)
    if len(known) < len(wanted):
        with store.writing("naming the factors to be measured") as con:
            text_factors.register(con, wanted)
    meter = _Meter(progress, max(sum(int(kind.pending.size.sum()) for kind in kinds), 1), len(new))
    written = 0
    with measuring(meter.total, workers) as measure:
        for kind in kinds:
            for batch in text_factors.batches(kind.pending):
                written += _measure_batch(store, kind.wanted, batch, measure, meter)
    progress(1.0, "done")
    return Extracted(dataset, len(new), written)


def to_measure(store: Store, dataset: str) -> int:
    """How many texts of the dataset lack a factor that `extract` would measure."""
    with store.reading("looking for texts to measure") as con:
        return unmeasured(con, queries.catalog(con, dataset).dataset_id)


def unmeasured(con: Con, dataset_id: int) -> int:
    """The same on an open store."""
    known = texts_queries.current_ids(con, versions("text") | versions("answer"))
    return len(np.unique(np.concatenate([kind.pending.text_id for kind in _kinds(con, dataset_id, known)])))


def _kinds(con: Con, dataset_id: int, known: Mapping[str, int]) -> list[_Kind]:
    text, answer = versions("text"), versions("answer")
    return [
        _Kind(text, measuring_queries.pending(con, dataset_id, [known.get(name) for name in text])),
        _Kind(answer, measuring_queries.pending_answers(con, dataset_id, [known.get(name) for name in answer])),
    ]


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
    store: Store, wanted: Mapping[str, int], batch: text_factors.Batch, measure: Measurer, meter: _Meter
) -> int:
    """Read, measure, write. Returns how many values were written."""
    lacking = [name for k, name in enumerate(wanted) if batch.lacking >> k & 1]
    with store.reading("reading texts to measure") as con:
        of, bodies, prompts = _read(con, batch)
    if not bodies:
        return 0
    blocks: list[NDArray[np.float64]] = []
    start = 0
    for block in measure(bodies, lacking, meter.show, prompts):
        blocks.append(block)
        rows = slice(start, start + len(block))
        meter.add(sum(map(len, bodies[rows])) + (sum(map(len, prompts[rows])) if prompts is not None else 0))
        start += len(block)
    with store.writing("storing what was measured") as con:
        ids = text_factors.register(con, wanted)
        return text_factors.add_values(con, [ids[name] for name in lacking], of, np.vstack(blocks))


def _read(con: Con, batch: text_factors.Batch) -> tuple[text_factors.Texts, list[str], list[str] | None]:
    """What of a batch is still there, the texts, and those of their prompts."""
    if batch.prompt_text_id is None:
        text_id, hashes, bodies = measuring_queries.bodies(con, batch.text_id)
        return text_factors.Texts(text_id, hashes), bodies, None
    there, hashes, every = measuring_queries.bodies(con, np.r_[batch.text_id, batch.prompt_text_id])
    kept = np.isin(batch.text_id, there) & np.isin(batch.prompt_text_id, there)
    a, b = (np.searchsorted(there, ids[kept]) for ids in (batch.text_id, batch.prompt_text_id))
    of = text_factors.Texts(there[a], hashes[a], there[b], hashes[b])
    return of, [every[k] for k in a], [every[k] for k in b]
