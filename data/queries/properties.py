"""Which pairs and answers does a selection speak of: for what is known of them, and for a sheet to be filled in?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data.queries import Con
from data.work_list import RESPONSE_FROM, RESPONSE_KEY


def judged_pairs(con: Con, condition: str) -> NDArray[np.int64]:
    """Ids of the pairs with a judgment under the condition, ascending."""
    table = con.sql(f"SELECT DISTINCT pair_id FROM judgment WHERE {condition} ORDER BY pair_id").to_arrow_table()
    return np.asarray(table["pair_id"].to_numpy(), dtype=np.int64)


def answers(con: Con, condition: str) -> pd.DataFrame:
    """The answers of these pairs, one row each: response_key, prompt_id, prompt, model, response (None without a text).

    By prompt, in the order in which they came.
    """
    sides = " UNION ".join(
        f"SELECT {side} FROM pair WHERE pair_id IN (SELECT pair_id FROM judgment WHERE {condition})"
        for side in ("response_a", "response_b")
    )
    return con.execute(
        f"""SELECT {RESPONSE_KEY} AS response_key, p.external_id AS prompt_id, pt.body AS prompt, m.name AS model,
            t.body AS response
        {RESPONSE_FROM} WHERE r.response_id IN ({sides}) ORDER BY r.prompt_id, r.response_id"""
    ).df()
