"""Which judges give scores, and how far apart do these put the two answers of a pair?"""

from __future__ import annotations

from data.queries import Con
from data.queries.differences import UNNAMED
from data.queries.votes import Column

SCORED = ("judge_id", "pair", "prompt", "scenario", "z", "scores")


def score_differences(con: Con, condition: str) -> dict[str, Column]:
    """Mean of score_a - score_b, one row a (judge, pair), ascending in both.

    judge_id, pair, prompt, scenario (-1 where unknown), z, scores (how many judgments)
    """
    table = con.sql(
        f"""SELECT judge_id, pair_id AS pair, any_value(prompt_id) AS prompt,
        coalesce(any_value(scenario_id), {UNNAMED}) AS scenario, avg(score_a - score_b) AS z, count(*) AS scores
        FROM judgment WHERE {condition} AND outcome <> 0 AND score_a IS NOT NULL AND score_b IS NOT NULL
        GROUP BY judge_id, pair_id ORDER BY judge_id, pair_id"""
    ).to_arrow_table()
    return {name: table[name].to_numpy() for name in SCORED}
