"""What do the delivered values of a factor say, as one number that equal data gives in any store?

Order-free: the sum over the values of a hash of what each says of which response. In numpy, on numbers: as words hashed
by the database thirty factors of two hundred thousand responses took five times as long.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from data.queries import Con

Words = NDArray[np.uint64]


def delivered_twice(con: Con, dataset_id: int) -> set[int]:
    """factor_ids that several imports delivered."""
    rows = con.execute(
        """SELECT factor_id FROM response_value WHERE dataset_id = $d GROUP BY factor_id
        HAVING min(import_id) <> max(import_id) ORDER BY factor_id""",
        {"d": dataset_id},
    ).fetchall()
    return {i for (i,) in rows}


def of_responses(dataset_id: int, factor_id: int, columns: Sequence[str], twice: set[int]) -> str:
    """SQL: response_id and these columns of a factor's values, a row a response. Of two imports the earlier one holds.

    twice : as `delivered_twice` gives; grouping where nothing is to be grouped would take most of the time
    """
    where = f"FROM response_value WHERE dataset_id = {dataset_id} AND factor_id = {factor_id}"
    if factor_id not in twice:
        return f"SELECT response_id, {', '.join(columns)} {where}"
    first = ", ".join(f"arg_min({column}, import_id) AS {column}" for column in columns)
    return f"SELECT response_id, {first} {where} GROUP BY response_id"


def sums(con: Con, dataset_id: int, factor_ids: Sequence[int]) -> dict[int, str]:
    """Of each factor how many values it has and what they say, in one word."""
    keys = con.sql(
        f"""SELECT response_id, md5_number_lower(concat_ws(chr(31), coalesce(p.external_id, ''),
            coalesce(pt.hash::VARCHAR, ''), coalesce(m.name, ''), coalesce(t.hash::VARCHAR, ''))) AS key
        FROM response r JOIN prompt p ON p.prompt_id = r.prompt_id LEFT JOIN text pt ON pt.text_id = p.text_id
        LEFT JOIN model m ON m.model_id = r.model_id LEFT JOIN text t ON t.text_id = r.text_id
        WHERE r.dataset_id = {dataset_id} ORDER BY response_id"""
    ).to_arrow_table()
    response, key = keys["response_id"].to_numpy(), keys["key"].to_numpy()
    own = {
        i for (i,) in con.execute(
            "SELECT DISTINCT factor_id FROM judgment_value WHERE dataset_id = $d ORDER BY factor_id", {"d": dataset_id}
        ).fetchall()
    }  # fmt: skip
    twice = delivered_twice(con, dataset_id)
    found = {}
    for factor_id in factor_ids:
        table = con.sql(of_responses(dataset_id, factor_id, ("value", "label"), twice)).to_arrow_table()
        said, there = _said(table["value"], table["label"])
        parts = [_mixed(key[np.searchsorted(response, table["response_id"].to_numpy())] ^ _mixed(said))[there]]
        if factor_id in own:
            table = con.sql(_judged(dataset_id, factor_id)).to_arrow_table()
            who = _mixed(table["who"].to_numpy())
            for side in ("a", "b"):
                said, there = _said(table[f"value_{side}"], table[f"label_{side}"])
                at = np.searchsorted(response, table[f"response_{side}"].to_numpy())
                parts.append(_mixed(key[at] ^ _mixed(said ^ who))[there])
        total = sum(int(part.sum(dtype=np.uint64)) for part in parts) % 2**64
        found[factor_id] = f"{sum(map(len, parts))}:{total}"
    return found


def _judged(dataset_id: int, factor_id: int) -> str:
    return f"""SELECT p.response_a, p.response_b, v.*,
        md5_number_lower(concat_ws(chr(30), g.name, n.name)) AS who
    FROM (SELECT judgment_id, arg_min(value_a, import_id) AS value_a, arg_min(value_b, import_id) AS value_b,
            arg_min(label_a, import_id) AS label_a, arg_min(label_b, import_id) AS label_b
        FROM judgment_value WHERE dataset_id = {dataset_id} AND factor_id = {factor_id} GROUP BY judgment_id) v
    JOIN judgment j ON j.dataset_id = {dataset_id} AND j.judgment_id = v.judgment_id
    JOIN pair p ON p.pair_id = j.pair_id JOIN judge g ON g.judge_id = j.judge_id
    LEFT JOIN annotator n ON n.annotator_id = j.annotator_id"""


def _said(values: pa.ChunkedArray, labels: pa.ChunkedArray) -> tuple[Words, NDArray[np.bool_]]:
    """(n,) 64 bits of each value, of a number its own; and where there is one."""
    numbers = np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)
    # + 0.0: minus zero is zero.
    said = (numbers + 0.0).view(np.uint64)
    there = ~np.isnan(numbers)
    encoded = labels.combine_chunks().dictionary_encode()
    if len(encoded.dictionary):
        known = [hashlib.md5(word.encode()).digest()[:8] for word in encoded.dictionary.to_pylist()]
        hashes = np.frombuffer(b"".join([*known, bytes(8)]), dtype="<u8").astype(np.uint64)
        codes = encoded.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)
        said = np.where(there, said, hashes[codes])
        there = there | (codes < len(known))
    return said, there


def _mixed(words: Words) -> Words:
    """Each bit of the result depends on every bit of the word (the finaliser of SplitMix64, Steele et al. 2014)."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
