"""Which texts of a dataset are still to be measured, and what do they say?

What is measured is one text, or a response beside the text of its prompt; a response whose prompt has no text has
nothing of the second kind to be measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.queries import Con

Ids = NDArray[np.int32]


@dataclass(frozen=True)
class Pending:
    """Texts that lack values. Each array (texts,), in ascending order of text_id, then prompt_text_id.

    lacking : bit k is set where the factor k of those asked for is not measured; size : in characters, with the
    prompt's; prompt_text_id : of factors of an answer, the text of its prompt; None where texts stand alone
    """

    text_id: Ids
    lacking: NDArray[np.int64]
    size: NDArray[np.int64]
    prompt_text_id: Ids | None = None

    def __len__(self) -> int:
        return len(self.text_id)


def pending(con: Con, dataset_id: int, ids: Sequence[int | None]) -> Pending:
    """Texts of the dataset's responses that lack a value of some of the factors `ids` (None: none was measured yet)."""
    every = (1 << len(ids)) - 1
    table = con.sql(
        f"""SELECT t.text_id, xor({every}, coalesce(h.held, 0))::BIGINT AS lacking, length(t.body)::BIGINT AS size
        FROM text t LEFT JOIN ({_held("text_value", "text_id", ids)}) h USING (text_id)
        WHERE t.text_id IN (SELECT text_id FROM response WHERE dataset_id = {dataset_id})
        AND coalesce(h.held, 0) <> {every} ORDER BY t.text_id"""
    ).to_arrow_table()
    return Pending(*(table[name].to_numpy() for name in ("text_id", "lacking", "size")))


def pending_answers(con: Con, dataset_id: int, ids: Sequence[int | None]) -> Pending:
    """The same of responses beside their prompts: each (text, text of the prompt) once."""
    every = (1 << len(ids)) - 1
    keys = "text_id, prompt_text_id"
    table = con.sql(
        f"""SELECT {keys}, xor({every}, coalesce(h.held, 0))::BIGINT AS lacking,
            (length(t.body) + length(q.body))::BIGINT AS size
        FROM ({answers(dataset_id)}) LEFT JOIN ({_held("answer_value", keys, ids)}) h USING ({keys})
        JOIN text t USING (text_id) JOIN text q ON q.text_id = prompt_text_id
        WHERE coalesce(h.held, 0) <> {every} ORDER BY {keys}"""
    ).to_arrow_table()
    return Pending(*(table[name].to_numpy() for name in ("text_id", "lacking", "size", "prompt_text_id")))


def answers(dataset_id: int) -> str:
    """SQL: the different (text_id, prompt_text_id) of a dataset's responses."""
    return (
        "SELECT DISTINCT r.text_id, p.text_id AS prompt_text_id FROM response r JOIN prompt p USING (prompt_id) "
        f"WHERE r.dataset_id = {dataset_id} AND r.text_id IS NOT NULL AND p.text_id IS NOT NULL"
    )


def _held(table: str, keys: str, ids: Sequence[int | None]) -> str:
    """SQL: by keys, bit k of `held` set where the factor k has a row."""
    known = [(i, k) for k, i in enumerate(ids) if i is not None]
    if not known:
        return f"SELECT {keys}, 0 AS held FROM {table} WHERE false"
    bits = " ".join(f"WHEN {i} THEN {1 << k}" for i, k in known)
    return (
        f"SELECT {keys}, bit_or(CASE text_factor_id {bits} END) AS held FROM {table} "
        f"WHERE text_factor_id IN ({', '.join(str(i) for i, _ in known)}) GROUP BY {keys}"
    )


def bodies(con: Con, text_ids: Ids) -> tuple[Ids, NDArray[np.uint64], list[str]]:
    """Ids, hashes and bodies of those of these texts that are still there, each once, ascending."""
    con.register("wanted", pa.table({"text_id": text_ids}))
    try:
        table = con.sql(
            f"""SELECT text_id, hash, body FROM text WHERE text_id BETWEEN {text_ids.min()} AND {text_ids.max()}
            AND text_id IN (SELECT text_id FROM wanted) ORDER BY text_id"""
        ).to_arrow_table()
    finally:
        con.unregister("wanted")
    return table["text_id"].to_numpy(), table["hash"].to_numpy(), table["body"].to_pylist()


def pending_vectors(con: Con, dataset_id: int, embedder_id: int | None, *, prompts_only: bool = False) -> Pending:
    """Texts of the dataset's responses and prompts without a vector of this embedder (None: it has none yet)."""
    responses = "" if prompts_only else f"SELECT text_id FROM response WHERE dataset_id = {dataset_id} UNION ALL"
    held = f"SELECT text_id FROM embedding WHERE embedder_id = {embedder_id}" if embedder_id is not None else "SELECT 0"
    table = con.sql(
        f"""SELECT text_id, 1::BIGINT AS lacking, length(body)::BIGINT AS size FROM text
        WHERE text_id IN ({responses} SELECT text_id FROM prompt WHERE dataset_id = {dataset_id})
        AND text_id NOT IN ({held}) ORDER BY text_id"""
    ).to_arrow_table()
    return Pending(*(table[name].to_numpy() for name in ("text_id", "lacking", "size")))
