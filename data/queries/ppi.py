"""On which pairs do people and a judge have verdicts, what are they on average, and how long are the responses?"""

from __future__ import annotations

import numpy as np

from data.queries import Con

Columns = dict[str, np.ndarray]


def judged_pairs(con: Con, condition: str, human: int, judge: int) -> Columns:
    """One row a pair that either of two judges judged, ascending by pair.

    Columns: pair, prompt, scenario (-1: none known), a, b (model ids), and for both `human_` and `judge_`: n (votes),
    weight (their sum), decided (that of votes that are no tie), score (sum of weight * p_a), tied (ties among n).

    condition : on `judgment`; ties must be in
    """
    sums = [
        f"""count(*) FILTER (judge_id = {who}) AS {name}_n,
        coalesce(sum(weight) FILTER (judge_id = {who}), 0) AS {name}_weight,
        coalesce(sum(weight) FILTER (judge_id = {who} AND outcome NOT IN (3, 4)), 0) AS {name}_decided,
        coalesce(sum(weight * p_a) FILTER (judge_id = {who}), 0) AS {name}_score,
        count(*) FILTER (judge_id = {who} AND outcome IN (3, 4)) AS {name}_tied"""
        for name, who in (("human", human), ("judge", judge))
    ]
    table = con.sql(
        f"""SELECT pair_id AS pair, min(prompt_id) AS prompt, coalesce(min(scenario_id), -1) AS scenario,
        min(model_a) AS a, min(model_b) AS b, {", ".join(sums)}
        FROM judgment WHERE {condition} AND judge_id IN ({human}, {judge}) GROUP BY pair_id ORDER BY pair_id"""
    ).to_arrow_table()
    return {name: table[name].to_numpy() for name in table.column_names}


def response_lengths(con: Con, condition: str) -> Columns:
    """Characters of the two responses of each pair under a condition, ascending by pair: pair, a, b.

    Pairs of which a text is absent are left out.
    """
    table = con.sql(
        f"""SELECT p.pair_id AS pair, length(ta.body) AS a, length(tb.body) AS b FROM pair p
        JOIN response ra ON ra.response_id = p.response_a JOIN response rb ON rb.response_id = p.response_b
        JOIN text ta ON ta.text_id = ra.text_id JOIN text tb ON tb.text_id = rb.text_id
        WHERE p.pair_id IN (SELECT pair_id FROM judgment WHERE {condition}) ORDER BY p.pair_id"""
    ).to_arrow_table()
    return {name: table[name].to_numpy() for name in table.column_names}
