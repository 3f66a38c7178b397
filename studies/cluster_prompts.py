"""Which kinds of prompts does a dataset hold? Clusters of what prompts mean, written as a labeling of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.clusters import cluster, named, telling_words
from data import queries
from data.labelings import add_labeling, check_name
from data.model import Progress, silent
from data.queries import meaning
from data.queries.labelings import prompt_texts
from data.store import Store
from errors import NotIdentifiedError
from studies.embed import embed
from texts.embeddings import find_model
from texts.english import FUNCTION_WORDS

NAME = "clusters"


@dataclass(frozen=True)
class Clustered:
    """A labeling that was made.

    labels : label, prompts, cohesion (mean cosine to the centre), example (a prompt near it)
    without : prompts that have no text, which have no label; silhouette : mean over prompts; embedded : texts
    """

    dataset: str
    labeling: str
    labels: pd.DataFrame
    without: int
    silhouette: float
    embedded: int


def cluster_prompts(
    store: Store, dataset: str | None = None, name: str = NAME, n_clusters: int | None = None, seed: int = 0,
    progress: Progress = silent,
) -> Clustered:  # fmt: skip
    """Group the prompts of a dataset by meaning; the groups are the labeling `name`, in place of an earlier one.

    n_clusters : None means the number of the highest silhouette

    Raises NotIdentifiedError for too few prompts with a text, OptionError for an impossible name or number.
    """
    check_name(name)
    done = embed(store, dataset, None, lambda share, text: progress(0.8 * share, text), prompts_only=True)
    with store.reading("reading the meaning of prompts") as con:
        names = queries.catalog(con, done.dataset)
        embedder_id = meaning.embedder_ids(con).get(find_model().name)
        if embedder_id is None:
            raise NotIdentifiedError(f"dataset {done.dataset!r} has no text of a prompt, so no meaning to group by")
        ids, vectors = meaning.prompt_vectors(con, names, embedder_id)
        bodies = prompt_texts(con, names.dataset_id)
        n_prompts = queries.dataset_facts(con, names.dataset_id).prompts
    texts = [bodies[int(i)] for i in ids]
    progress(0.8, "grouping prompts")
    found = cluster(vectors, n_clusters, seed, lambda share: progress(0.8 + 0.15 * share, "grouping prompts"))
    k = len(found.n_prompts)
    labels = named(telling_words(texts, found.label, k, FUNCTION_WORDS))
    progress(0.95, "storing labels")
    add_labeling(store, done.dataset, name, {int(i): labels[c] for i, c in zip(ids, found.label, strict=True)})
    rows = []
    for c, label in enumerate(labels):
        mine = np.flatnonzero(found.label == c)
        nearest = texts[int(mine[np.argmax(vectors[mine] @ vectors[mine].mean(axis=0))])]
        rows.append({"label": label, "prompts": int(found.n_prompts[c]), "cohesion": float(found.cohesion[c]),
                     "example": " ".join(nearest.split())[:200]})  # fmt: skip
    progress(1.0, "done")
    return Clustered(done.dataset, name, pd.DataFrame(rows), n_prompts - len(ids), found.silhouette, done.texts)
