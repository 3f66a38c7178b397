"""In which order do things hang together by that is not the order in which a store was filled?

Bootstraps and folds draw by the codes of clusters. The codes made here follow digests of what prompts, pairs and
annotators are, so that equal judgments give equal numbers however they came into a store.
"""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from data.remembered import known
from data.work_list import RESPONSE_FROM, RESPONSE_KEY

Con = duckdb.DuckDBPyConnection
Codes = NDArray[Any]

_PROMPT_KEY = "coalesce('i' || p.external_id, 't' || pt.hash::VARCHAR, '')"

PROMPTS = f"""SELECT p.prompt_id, (row_number() OVER (ORDER BY md5_number_lower({_PROMPT_KEY}), p.prompt_id))::INTEGER AS place
FROM prompt p LEFT JOIN text pt ON pt.text_id = p.text_id
WHERE p.dataset_id = (SELECT any_value(dataset_id) FROM prompt WHERE prompt_id = {{one}}) ORDER BY p.prompt_id"""

ANNOTATORS = """SELECT n.annotator_id, (row_number() OVER (ORDER BY md5_number_lower(concat_ws(chr(31), g.name, n.name)),
    n.annotator_id))::INTEGER AS place
FROM annotator n JOIN judge g ON g.judge_id = n.judge_id
WHERE n.dataset_id = (SELECT any_value(dataset_id) FROM annotator WHERE annotator_id = {one}) ORDER BY n.annotator_id"""

PAIRS = f"""WITH one AS (SELECT r.response_id, {RESPONSE_KEY} AS key {RESPONSE_FROM}
        WHERE r.dataset_id = (SELECT any_value(dataset_id) FROM pair WHERE pair_id = {{one}})),
    named AS (SELECT pair_id, min(external_id) AS id FROM pair_key GROUP BY pair_id)
SELECT q.pair_id, (row_number() OVER (ORDER BY md5_number_lower(concat_ws(chr(31), least(a.key, b.key),
    greatest(a.key, b.key), coalesce(k.id, ''))), q.pair_id))::INTEGER AS place
FROM pair q JOIN one a ON a.response_id = q.response_a JOIN one b ON b.response_id = q.response_b
LEFT JOIN named k ON k.pair_id = q.pair_id ORDER BY q.pair_id"""

_OF = {"prompt": PROMPTS, "annotator": ANNOTATORS, "pair": PAIRS}


def in_order(con: Con, way: str, ids: Codes) -> Codes:
    """Codes from 1 on for these prompts, pairs or annotators of one dataset; ids below 1 name nobody and stay."""
    named = ids > 0
    if not named.any():
        return ids
    met, place = _places(con, way, int(ids[named][0]))
    if named.all():
        return np.asarray(place[np.searchsorted(met, ids)])
    out = ids.astype(np.int64)
    out[named] = place[np.searchsorted(met, ids[named])]
    return out


def _places(con: Con, way: str, one: int) -> tuple[Codes, Codes]:
    """The ids, ascending, of all in the dataset that has `one`, and the code of each."""
    dataset = con.execute(f"SELECT dataset_id FROM {way} WHERE {way}_id = {one}").fetchall()

    def ask() -> tuple[Codes, Codes]:
        table = con.sql(_OF[way].format(one=one)).to_arrow_table()
        ids, place = (column.to_numpy() for column in table.columns)
        return ids, place

    # To digest all prompts takes longer than most of what is then asked of their judgments.
    return known(("order", way, *dataset), ask, lambda found: sum(column.nbytes for column in found))
