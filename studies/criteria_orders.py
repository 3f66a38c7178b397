"""Do a judge's criteria order the models alike, and as the reference orders them? `rank` and `compare` by criterion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pandas as pd

from data.model import Progress, silent
from data.store import Store
from errors import JurylensError
from studies.by_scenario import adjusted, gathered
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

