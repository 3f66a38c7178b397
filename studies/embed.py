"""What do the texts of a dataset mean, and how near is each response to its prompt? Once a text, resumable.

The similarity of a response to its prompt is one factor of the store, by one model: with another model it is computed
anew from that model's vectors, and its version says by which. Vectors of every model stay.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from data import embeddings, queries, text_factors
from data.model import Progress, silent
from data.queries import meaning
from data.queries import measuring as measuring_queries
from data.queries.texts import MODEL_BITS
from data.store import Store
from texts.embeddings import DEFAULT, Engine, Model, find_model, load
from texts.registry import factors

DEFAULT_MODEL = DEFAULT

BATCH_TEXTS = 400
"""Texts that are embedded between two writes: about five seconds of work."""

ANSWERS = 50_000
"""Similarities that are written at a time."""

PROMPT_SIMILARITY = "prompt_similarity"


@dataclass(frozen=True)
class Embedded:
    """What one run did.

    embedder : the model's name in the store; texts : how many got a vector; values : how many similarities to the
    prompt were written; said : sentences about how it was done
    """

    dataset: str
    embedder: str
    texts: int
    values: int
    said: tuple[str, ...] = ()


def version_by(model: Model) -> dict[str, int]:
    """The version of the similarity to the prompt that this model gives."""
    return {PROMPT_SIMILARITY: factors([PROMPT_SIMILARITY])[0].version << MODEL_BITS | model.number}


def embed(
    store: Store, dataset: str | None = None, model: str | None = None, progress: Progress = silent,
    engine: Callable[[Model, Callable[[str], None]], Engine] = load, *, prompts_only: bool = False,
) -> Embedded:  # fmt: skip
    """Give every text of the dataset's responses and prompts that has none its vector, then compare the two.

    dataset : None means the only one besides the sample
    model : a folder, or a name of the hub whose files are on this computer; None means the default
    engine : loads a model, telling in a sentence what a reader should know of it
    prompts_only : leave the responses for later

    Stopped at any moment, what was written stays and the next run goes on with the rest. Raises OptionError for a
    model that is not there, ReadOnlyError where nothing may be changed.
    """
    store.refuse_to_change("giving texts their meaning")
    progress(0.0, "looking for texts without a vector")
    chosen = find_model(model)
    with store.reading("looking for texts to embed") as con:
        dataset = dataset if dataset is not None else queries.default_dataset(con)
        dataset_id = queries.catalog(con, dataset).dataset_id
        held = meaning.embedder_ids(con).get(chosen.name)
        pending = measuring_queries.pending_vectors(con, dataset_id, held, prompts_only=prompts_only)
    said: list[str] = []
    texts = _embed(store, chosen, pending.text_id, progress, lambda: engine(chosen, said.append)) if len(pending) else 0
    progress(1.0, "comparing responses with prompts")
    values = 0 if prompts_only else _compare(store, dataset_id, chosen)
    progress(1.0, "done")
    return Embedded(dataset, chosen.name, texts, values, tuple(said))


def _embed(
    store: Store, chosen: Model, pending: measuring_queries.Ids, progress: Progress, loaded: Callable[[], Engine]
) -> int:
    """Read, embed and write batch by batch. Returns how many vectors were written."""
    progress(0.0, "loading the model")
    engine = loaded()
    written = 0
    for start in range(0, len(pending), BATCH_TEXTS):

        def tick(done: int, start: int = start) -> None:
            progress((start + done) / len(pending), f"reading the meaning of {len(pending):,} texts")

        tick(0)
        with store.reading("reading texts to embed") as con:
            text_id, hashes, bodies = measuring_queries.bodies(con, pending[start : start + BATCH_TEXTS])
        if not bodies:
            continue
        vectors = engine.embed(bodies, tick)
        with store.writing("storing vectors") as con:
            embedder_id = embeddings.register(con, chosen.name)
            written += embeddings.add_vectors(con, embedder_id, text_factors.Texts(text_id, hashes), vectors)
    return written


def _compare(store: Store, dataset_id: int, chosen: Model) -> int:
    """Write the similarities that are missing. Returns how many."""
    version, written = version_by(chosen), 0
    [(name, number)] = version.items()
    while True:
        with store.reading("comparing responses with prompts") as con:
            embedder_id = meaning.embedder_ids(con).get(chosen.name)
            if embedder_id is None:
                return written
            factor_id = meaning.versions_held(con, name).get(number)
            found = meaning.answer_similarities(con, dataset_id, embedder_id, factor_id, ANSWERS)
        if not len(found.cosine):
            return written
        with store.writing("storing similarities") as con:
            [factor_id] = text_factors.register(con, version).values()
            of = text_factors.Texts(found.text_id, found.hash, found.prompt_text_id, found.prompt_hash)
            n = text_factors.add_values(con, [factor_id], of, found.cosine[:, np.newaxis])
        if not n:  # all of them went away, or another run was faster
            return written
        written += n


def to_embed(store: Store, dataset: str) -> int:
    """How many texts of the dataset the default model would still embed, else how many responses it would compare.

    0 where the store's similarities are by another model: somebody chose it, and they are not replaced unasked.
    """
    model = find_model()
    with store.reading("looking for texts to embed") as con:
        held = meaning.versions_held(con, PROMPT_SIMILARITY)
        if any(version % (1 << MODEL_BITS) != model.number for version in held):
            return 0
        dataset_id = queries.catalog(con, dataset).dataset_id
        texts = measuring_queries.pending_vectors(con, dataset_id, meaning.embedder_ids(con).get(model.name))
        factor_id = held.get(version_by(model)[PROMPT_SIMILARITY])
        return len(texts) or len(measuring_queries.pending_answers(con, dataset_id, [factor_id]))
