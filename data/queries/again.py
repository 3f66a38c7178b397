"""How was each pair shown to a judge so far, and how often?"""

from __future__ import annotations

import pandas as pd

from data.queries import Con


def shown_so_far(con: Con, condition: str) -> pd.DataFrame:
    """Verdicts by pair, annotator, circumstances and shown order, ascending.

    pair, prompt, scenario (-1: none), response_a, response_b, annotator (id, -1: not named), name (of the annotator),
    variant : ids; shown : +1 a first, -1 b first, 0 unknown; n : verdicts; repeat : the highest number; p : mean p_a
    """
    return con.execute(
        f"""WITH so_far AS (
            SELECT pair_id, any_value(prompt_id) AS prompt_id, any_value(scenario_id) AS scenario_id, annotator_id,
                variant_id, shown, count(p_a) AS n, max(coalesce(repeat, 0)) AS repeat, round(avg(p_a), 9) AS p
            FROM judgment WHERE {condition} GROUP BY pair_id, annotator_id, variant_id, shown HAVING n > 0)
        SELECT s.pair_id::BIGINT AS pair, s.prompt_id::BIGINT AS prompt, coalesce(s.scenario_id, -1)::BIGINT AS scenario,
            p.response_a::BIGINT AS response_a, p.response_b::BIGINT AS response_b,
            coalesce(s.annotator_id, -1)::BIGINT AS annotator, a.name AS name, s.variant_id::BIGINT AS variant,
            s.shown::BIGINT AS shown, s.n::BIGINT AS n, s.repeat::BIGINT AS repeat, s.p AS p
        FROM so_far s JOIN pair p USING (pair_id) LEFT JOIN annotator a ON a.annotator_id = s.annotator_id
        ORDER BY pair, annotator, variant, shown"""
    ).df()
