"""Which responses could be paired, which pairs did a judge judge, and what stands in them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from data.model import Selection
from data.queries import Catalog, Con, where
from data.work_list import RESPONSE_KEY

Pairs = Sequence[tuple[int, int]]


def asked(selection: Selection, names: Catalog, judge: str) -> str:
    """The condition of all that a judge was asked under the selection's criterion and variant, refusals included.

    Dates do not count: what was judged earlier is judged.
    """
    return where(replace(selection, judge=(judge,), since=None, until=None), names, ranked=False)


def responses(con: Con, selection: Selection, names: Catalog) -> dict[str, np.ndarray]:
    """One response of each model to each prompt of the selection: prompt, model, response (ids), by model and prompt.

    Of several texts of a model the first; one with a text before one without.
    """
    parts = [f"r.dataset_id = {names.dataset_id}", "r.model_id IS NOT NULL"]
    if selection.model:
        parts.append("r.model_id IN (" + ", ".join(str(names.models[m]) for m in selection.model) + ")")
    if selection.scenario:
        parts.append("p.scenario_id IN (" + ", ".join(str(names.scenarios[s]) for s in selection.scenario) + ")")
    table = con.sql(
        f"""SELECT r.prompt_id::BIGINT AS prompt, r.model_id::BIGINT AS model,
        coalesce(min(r.response_id) FILTER (r.text_id IS NOT NULL), min(r.response_id))::BIGINT AS response
        FROM response r JOIN prompt p USING (prompt_id) WHERE {" AND ".join(parts)} GROUP BY ALL ORDER BY model, prompt"""
    ).to_arrow_table()
    return {name: table[name].to_numpy() for name in table.column_names}


def prompts_judged(con: Con, condition: str) -> pd.DataFrame:
    """Under how many prompts each pair of models was judged, and how often: a, b (ids, a < b), prompts, judgments."""
    return con.execute(
        f"""SELECT least(model_a, model_b) AS a, greatest(model_a, model_b) AS b, count(DISTINCT prompt_id) AS prompts,
        count(*) AS judgments FROM judgment WHERE {condition} AND model_a <> model_b GROUP BY ALL ORDER BY a, b"""
    ).df()


def judged_under(con: Con, condition: str, pairs: Pairs) -> pd.DataFrame:
    """The prompts under which these pairs of models (ids, smaller first) were judged: a, b, prompt."""
    listed = ", ".join(f"({a}, {b})" for a, b in pairs) or "(-1, -1)"
    return con.execute(
        f"""SELECT DISTINCT least(model_a, model_b) AS a, greatest(model_a, model_b) AS b, prompt_id AS prompt
        FROM judgment WHERE {condition} AND (least(model_a, model_b), greatest(model_a, model_b)) IN ({listed})
        ORDER BY a, b, prompt"""
    ).df()


def prompt_use(con: Con, condition: str) -> pd.DataFrame:
    """How often each prompt was judged: prompt, judgments."""
    return con.execute(
        f"SELECT prompt_id AS prompt, count(*) AS judgments FROM judgment WHERE {condition} GROUP BY 1 ORDER BY 1"
    ).df()


def written(con: Con, response_ids: Sequence[int]) -> pd.DataFrame:
    """What stands in responses, by id: response, key (of a work list), prompt_id, prompt, scenario, model, text."""
    listed = ", ".join(map(str, response_ids)) or "-1"
    return con.execute(
        f"""SELECT r.response_id AS response, {RESPONSE_KEY} AS key, p.external_id AS prompt_id, pt.body AS prompt,
        s.name AS scenario, m.name AS model, t.body AS text
        FROM response r JOIN prompt p ON p.prompt_id = r.prompt_id LEFT JOIN text pt ON pt.text_id = p.text_id
        LEFT JOIN model m ON m.model_id = r.model_id LEFT JOIN text t ON t.text_id = r.text_id
        LEFT JOIN scenario s ON s.scenario_id = p.scenario_id WHERE r.response_id IN ({listed}) ORDER BY response"""
    ).df()


def has_annotators(con: Con, condition: str) -> bool:
    """Whether any of these judgments names its annotator."""
    row = con.execute(f"SELECT count(annotator_id) FROM judgment WHERE {condition}").fetchall()
    return bool(row[0][0])
