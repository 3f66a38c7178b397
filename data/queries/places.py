"""Where does each pair, and each prompt, stand in an order that does not depend on how the store was filled?

What is drawn by chance over prompts or pairs (folds, blocks that are left out together) follows this order: two stores
with the same judgments, imported in whichever order, then give the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.queries import Catalog, Con
from data.queries.differences import n_pairs
from data.queries.votes import Column
from data.remembered import known
from data.work_list import RESPONSE_FROM, RESPONSE_KEY

KEPT = 2_000_000
"""Pairs of a dataset up to which the places of all are asked for once and kept, 12 bytes each."""

_PLACES = f"""WITH one AS (SELECT r.response_id, {RESPONSE_KEY} AS key {RESPONSE_FROM} WHERE r.dataset_id = {{d}}),
    named AS (SELECT pair_id, string_agg(DISTINCT external_id, chr(31) ORDER BY external_id) AS ids FROM pair_key
        WHERE dataset_id = {{d}} GROUP BY pair_id)
SELECT q.pair_id AS pair, q.prompt_id AS prompt,
    md5_number_lower(coalesce('i' || p.external_id, 't' || pt.hash::VARCHAR, '')) AS prompt_key,
    md5_number_lower(concat_ws(chr(31), coalesce('i' || p.external_id, 't' || pt.hash::VARCHAR, ''),
        least(a.key, b.key), greatest(a.key, b.key), coalesce(k.ids, ''))) AS pair_key
FROM pair q JOIN prompt p ON p.prompt_id = q.prompt_id LEFT JOIN text pt ON pt.text_id = p.text_id
LEFT JOIN one a ON a.response_id = q.response_a LEFT JOIN one b ON b.response_id = q.response_b
LEFT JOIN named k ON k.pair_id = q.pair_id
WHERE q.dataset_id = {{d}} {{some}} ORDER BY q.pair_id"""


@dataclass(frozen=True)
class Places:
    """pair : (n,) ids, ascending; of_pair, of_prompt : (n,) where each pair, and its prompt, stands"""

    pair: Column
    of_pair: Column
    of_prompt: Column

    def codes(self, pair: Column, clustering: str) -> Column:
        """(m,) codes of what pairs hang together by: their prompt, or else themselves."""
        at = np.searchsorted(self.pair, pair)
        return (self.of_prompt if clustering == "prompt" else self.of_pair)[at].astype(np.int64)


def places(con: Con, names: Catalog, condition: str) -> Places:
    """Of at least the pairs with a judgment of the condition, by a digest of what they are: prompt, models, texts, own
    ids."""
    many = n_pairs(con, names) > KEPT
    some = f"AND q.pair_id IN (SELECT pair_id FROM judgment WHERE {condition})" if many else ""

    def ask() -> Places:
        table = con.sql(_PLACES.format(d=names.dataset_id, some=some)).to_arrow_table()
        pair, prompt, prompt_key, pair_key = (table[name].to_numpy() for name in table.column_names)
        return Places(pair, _rank(pair_key, pair), _rank(prompt_key, prompt))

    # To digest all texts and names takes longer than to read what is said of them.
    return ask() if many else known(("places", names.dataset_id), ask, lambda found: sum(
        column.nbytes for column in found.__dict__.values()
    ))  # fmt: skip


def _rank(key: Column, number: Column) -> Column:
    """(n,) from 0 on, by key; things alike in all that is known of them, by number."""
    order = np.lexsort((number, key))
    new = np.ones(len(order), dtype=bool)
    new[1:] = number[order][1:] != number[order][:-1]
    rank = np.empty(len(order), dtype=np.int32)
    rank[order] = np.cumsum(new) - 1
    return rank
