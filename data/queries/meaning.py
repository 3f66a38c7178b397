"""How near are texts in meaning, by the vectors that an embedder gave them?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from data.queries import Catalog, Con
from data.queries.measuring import Ids, answers

Floats = NDArray[np.float64]

PAIRS = 100_000
"""Pairs whose vectors are held at a time."""

# Vectors have length 1; rounding may carry their product a little beyond.
_COSINE = "greatest(-1, least(1, list_dot_product(x.vector, y.vector)))::DOUBLE"


def embedder_ids(con: Con) -> dict[str, int]:
    """embedder_id by name."""
    return dict(con.execute("SELECT name, embedder_id FROM embedder ORDER BY embedder_id").fetchall())


def versions_held(con: Con, name: str) -> dict[int, int]:
    """text_factor_id by version of the factor of this name, whatever its versions are."""
    return dict(
        con.execute("SELECT version, text_factor_id FROM text_factor WHERE name = $n ORDER BY ALL", {"n": name}).fetchall()
    )


def pair_similarity(con: Con, names: Catalog, embedder_id: int) -> tuple[Ids, Floats]:
    """Pairs of the dataset whose two responses have vectors, ascending, and (pairs,) the cosine between the two."""
    wanted = con.sql(f"SELECT pair_id FROM pair WHERE dataset_id = {names.dataset_id} ORDER BY pair_id").to_arrow_table()
    pairs = wanted["pair_id"].to_numpy()
    ids, values = [np.empty(0, dtype=np.int32)], [np.empty(0)]
    for start in range(0, len(pairs), PAIRS):
        part = pairs[start : start + PAIRS]
        table = con.sql(
            f"""WITH these AS (SELECT pair_id, r.text_id AS a, s.text_id AS b FROM pair
                JOIN response r ON r.response_id = response_a JOIN response s ON s.response_id = response_b
                WHERE pair.dataset_id = {names.dataset_id} AND pair_id BETWEEN {part[0]} AND {part[-1]}),
            known AS MATERIALIZED (SELECT text_id, vector FROM embedding WHERE embedder_id = {embedder_id}
                AND text_id IN (SELECT a FROM these UNION ALL SELECT b FROM these))
            SELECT pair_id, {_COSINE} AS cosine FROM these JOIN known x ON x.text_id = a JOIN known y ON y.text_id = b
            ORDER BY pair_id"""
        ).to_arrow_table()
        ids.append(table["pair_id"].to_numpy())
        values.append(table["cosine"].to_numpy())
    return np.concatenate(ids), np.concatenate(values)


def prompt_vectors(con: Con, names: Catalog, embedder_id: int) -> tuple[Ids, NDArray[np.float32]]:
    """Prompts of the dataset that have a vector, ascending, and their (prompts, dimensions) vectors."""
    table = con.sql(
        f"""SELECT prompt_id, vector FROM prompt JOIN embedding USING (text_id)
        WHERE dataset_id = {names.dataset_id} AND embedder_id = {embedder_id} ORDER BY prompt_id"""
    ).to_arrow_table()
    ids = table["prompt_id"].to_numpy()
    flat = table["vector"].combine_chunks().flatten().to_numpy()
    return ids, flat.reshape(len(ids), -1) if len(ids) else np.empty((0, 0), dtype=np.float32)


@dataclass(frozen=True)
class Similarities:
    """Of responses beside the texts of their prompts. Each array (answers,)."""

    text_id: Ids
    hash: NDArray[np.uint64]
    prompt_text_id: Ids
    prompt_hash: NDArray[np.uint64]
    cosine: Floats


def answer_similarities(con: Con, dataset_id: int, embedder_id: int, factor_id: int | None, most: int) -> Similarities:
    """Up to `most` answers of the dataset that have vectors and no value of this factor (None: none has one)."""
    keys = "text_id, prompt_text_id"
    held = f"ANTI JOIN (SELECT {keys} FROM answer_value WHERE text_factor_id = {factor_id}) USING ({keys})"
    table = con.sql(
        f"""WITH these AS (SELECT * FROM (SELECT {keys} FROM ({answers(dataset_id)}) {held if factor_id is not None else ""})
            SEMI JOIN (SELECT text_id FROM embedding WHERE embedder_id = {embedder_id}) USING (text_id)
            WHERE prompt_text_id IN (SELECT text_id FROM embedding WHERE embedder_id = {embedder_id})
            ORDER BY {keys} LIMIT {most}),
        known AS MATERIALIZED (SELECT text_id, vector FROM embedding WHERE embedder_id = {embedder_id}
            AND text_id IN (SELECT text_id FROM these UNION ALL SELECT prompt_text_id FROM these))
        SELECT t.text_id, t.hash, q.text_id AS prompt_text_id, q.hash AS prompt_hash, {_COSINE} AS cosine FROM these
        JOIN text t ON t.text_id = these.text_id JOIN text q ON q.text_id = these.prompt_text_id
        JOIN known x ON x.text_id = t.text_id JOIN known y ON y.text_id = q.text_id ORDER BY 1, 3"""
    ).to_arrow_table()
    return Similarities(*(table[name].to_numpy() for name in table.column_names))
