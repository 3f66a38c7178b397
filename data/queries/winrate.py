"""Which judgments hold a model against the baseline, and how much longer were its answers?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from data.queries import CLUSTER_COLUMNS, Con

Columns = dict[str, np.ndarray]


def models_judged(con: Con, condition: str) -> dict[int, int]:
    """model id -> judgments that it took part in, under a condition."""
    return dict(
        con.execute(
            f"""SELECT model, count(*) AS judgments FROM (
                SELECT model_a AS model FROM judgment WHERE {condition}
                UNION ALL SELECT model_b FROM judgment WHERE {condition})
            GROUP BY model ORDER BY judgments DESC, model"""
        ).fetchall()
    )


def against(condition: str, baseline: int) -> str:
    """`condition`, narrowed to judgments in which the baseline took part."""
    return f"{condition} AND (model_a = {baseline} OR model_b = {baseline})"


def without_verdict(con: Con, condition: str) -> int:
    """How many judgments under a condition were refused or are invalid."""
    return int(con.execute(f"SELECT count(*) FROM judgment WHERE {condition} AND outcome = 0").fetchall()[0][0])


def duels(con: Con, condition: str, baseline: int, clusters: Sequence[str], *, lengths: bool) -> Columns:
    """Each judgment from the side of the model that is not the baseline, in the order of the store.

    Columns: judge_id, model, prompt, pair, [annotator], weight, score (weight * preference for the model), first (+1 the
    model was shown first, -1 the baseline, 0 unknown); with `lengths` also length, the characters of the model's
    response minus the baseline's, NaN where a text is absent.

    condition : as `against` makes it
    """
    side = f"CASE WHEN model_a = {baseline} THEN -1 ELSE 1 END"
    keys = dict.fromkeys(("prompt", "pair", *clusters))
    chosen = ", ".join(f"{CLUSTER_COLUMNS[key].replace('pair_id', 'j.pair_id')} AS {key}" for key in keys)
    # Texts are measured for the pairs of this selection alone, and once a pair.
    joined = f"""LEFT JOIN (
        SELECT p.pair_id AS measured, (length(a.body) - length(b.body))::DOUBLE AS longer FROM pair p
        JOIN response ra ON ra.response_id = p.response_a JOIN response rb ON rb.response_id = p.response_b
        JOIN text a ON a.text_id = ra.text_id JOIN text b ON b.text_id = rb.text_id
        WHERE p.pair_id IN (SELECT pair_id FROM judgment WHERE {condition})) ON measured = j.pair_id"""
    length = f", longer * {side} AS length" if lengths else ""
    table = con.sql(
        f"""SELECT judge_id, CASE WHEN model_a = {baseline} THEN model_b ELSE model_a END AS model, {chosen}, weight,
        weight * CASE WHEN model_a = {baseline} THEN 1 - p_a ELSE p_a END AS score, shown * {side} AS first{length}
        FROM (SELECT * FROM judgment WHERE {condition}) j {joined if lengths else ""} ORDER BY judgment_id"""
    ).to_arrow_table()
    return {name: table[name].to_numpy() for name in table.column_names}
