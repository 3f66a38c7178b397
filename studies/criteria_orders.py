"""Does a judge order the models by each criterion as on the whole, and as the reference does by the same criterion?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pandas as pd

from analysis.compare import compare_strengths
from analysis.vcov import choose_clustering
from data import queries
from data.model import Progress, silent
from data.queries.criteria import on_pairs_of
from data.store import Store
from errors import EmptySelectionError, JurylensError, NotIdentifiedError
from studies.by_scenario import adjusted, gathered
from studies.cells import cluster_columns, judge_cells, models_met
from studies.compare import Compare
from studies.criteria_data import Asked
from studies.rank import Rank
from studies.study import Fitted

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "models": ("judge", "criterion", "model", "rank", "rank_lower", "rank_upper", "strength", "se", "lower", "upper",
               "judgments"),
    "model_gaps": ("judge", "criterion", "model", "strength_ref", "strength_judge", "gap", "se", "lower", "upper", "p",
                   "q", "gap_scaled", "scaled_se", "scaled_lower", "scaled_upper", "scaled_p", "scaled_q"),
    "orders": ("judge", "criterion", "spearman", "spearman_lower", "spearman_upper", "kendall", "kendall_lower",
               "kendall_upper", "corrected", "corrected_lower", "corrected_upper", "scale", "scale_lower",
               "scale_upper", "models", "pairs", "prompts"),
}  # fmt: skip
"""Tables: strengths; the judge's less the reference's; how alike the two orders are. q over the criteria of a judge."""


def by_criterion(
    study: Fitted, data: Asked, store: Store, reference: str | None, progress: Progress
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """The three tables, and what must be known of them. progress : of this part"""
    found: dict[str, list[pd.DataFrame]] = {name: [] for name in COLUMNS}
    said: list[str] = []
    base: dict[str, Any] = {f.name: getattr(study, f.name) for f in fields(Fitted)}
    criteria = [name for name in (data.overall, *data.criteria) if name in data.votes]
    if not data.names.models:
        said.append("models are not named here, so their order by criterion cannot be told")
        criteria = []
    for k, criterion in enumerate(criteria):
        progress(k / len(criteria), f"ranking by {criterion}")
        met = set(data.met.loc[data.met["criterion"] == criterion, "judge"])
        judges = tuple(judge for judge in study.judge if judge in met)
        rank = Rank(**base | {"criterion": criterion, "judge": judges})
        try:
            found["models"].append(rank.answer(store, silent).table("ranking").assign(criterion=criterion))
            if reference not in judges or len(judges) < 2:
                continue
            held = Compare(**base | {"criterion": criterion, "judge": judges}).answer(store, silent)
        except JurylensError as error:
            said.append(f"models by {criterion}: {error}")
            continue
        found["model_gaps"].append(held.table("models").assign(criterion=criterion))
        found["orders"].append(held.table("judges").assign(criterion=criterion))
        said += [f"models by {criterion}: {text}" for text in held.warnings]
    tables = {
        name: (pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()).reindex(columns=list(COLUMNS[name]))
        for name, parts in found.items()
    }
    return {name: adjusted(table) if len(table) else table for name, table in tables.items()}, list(gathered(said))



def like_overall(study: Fitted, data: Asked, store: Store, judge: str) -> tuple[dict[str, dict[str, float]], list[str]]:
    """Spearman's rho of a judge's order by each criterion with its order on the whole, on the pairs of both: by
    criterion value, lower and upper where defined; and why there is none."""
    found: dict[str, dict[str, float]] = {}
    said: list[str] = []
    if not data.names.models:
        return found, said
    for criterion in data.asked(judge):
        try:
            found[criterion] = _rho(study, data, store, judge, criterion)
        except (NotIdentifiedError, EmptySelectionError) as error:
            said.append(f"models by {criterion}: the order of {judge} cannot be held against its overall one: {error}")
    return found, list(gathered(said))


def _rho(study: Fitted, data: Asked, store: Store, judge: str, criterion: str) -> dict[str, float]:
    with store.reading(f"orders of {judge}") as con:
        queries.read_scenarios_of(con, data.names)
        whole, part = (
            queries.where(replace(study, judge=(judge,), criterion=name), data.names, study.ties)
            for name in (data.overall, criterion)
        )
        conditions = [on_pairs_of(whole, part), on_pairs_of(part, whole)]
        prompts = queries.extent(con, conditions[0])["prompts"]
        if not prompts:
            raise EmptySelectionError("no pair of two named models was judged on both")
        clustering = choose_clustering(study.cluster, prompts)
        ways = tuple(dict.fromkeys((*cluster_columns(clustering), "prompt")))
        counts = [queries.counts(con, condition, ways) for condition in conditions]
    met = {model for one in counts for model in models_met(one, data.names)}
    models = tuple(data.names.display.alphabetically("model", met))
    one, two = (judge_cells(part, data.names, judge, models, ways) for part in counts)
    held = compare_strengths(one, two, clustering, np.random.default_rng(study.seed), names=(data.overall, criterion))
    if held.correlation is None:
        return {}
    rho = held.correlation.spearman.interval(study.level)
    ends = {"order": rho.value, "order_lower": rho.lower, "order_upper": rho.upper}
    return {name: value for name, value in ends.items() if value is not None}
