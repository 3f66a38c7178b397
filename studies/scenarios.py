"""Does the order of the models change with the scenario? Rankings by scenario, raw and pooled, and a test a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from analysis.cells import Cells
from analysis.scenarios import ScenarioRanking, rank_by_scenario
from analysis.tables import floats
from analysis.vcov import choose_clustering
from charts import words
from data import queries
from data.model import Progress
from data.queries import Catalog, Counts
from data.queries.scenarios import counts_by_scenario, scenario_extent, scenario_names
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError
from studies.cells import cluster_columns, judge_cells, models_met, require_models
from studies.rank import check_annotators
from studies.study import Fitted, Result, register

BEYOND = 0.05
"""q below which a model's strength is said to depend on the scenario."""

MOST = 1_500
"""Models of a judge. The matrices of 1,000 take six seconds, of 5,000 minutes and gigabytes."""


@register
@dataclass(frozen=True)
class Scenarios(Fitted):
    """A ranking for each scenario, raw and pooled over scenarios, and which models depend on the scenario."""

    command: ClassVar[str] = "scenarios"
    title: ClassVar[str] = "Does the order change with the scenario?"
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "scenario": "scenario", "model": "model", "pooled_rank": "rank", "pooled": "pooled",
        "pooled_interval": "interval", "rank": "raw rank", "strength": "raw", "interval": "raw interval",
        "judgments": "judgments", "prompts": "prompts",
    }  # fmt: skip

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "counting judgments")
        with store.reading("ranking by scenario") as con:
            names = queries.catalog(con, self)
            condition = queries.where(self, names, self.ties)
            fingerprint = queries.fingerprint(con, names, self.judge)
            require_models(names)
            if not names.scenarios:
                raise EmptySelectionError(
                    f"dataset {names.dataset!r} knows no scenarios: a ranking by scenario needs the column `scenario`"
                )
            extent = scenario_extent(con, condition)
            queries.require_rows(extent["judgments"], "with a scenario, on two named models with a verdict")
            clustering = choose_clustering(self.cluster, extent["prompts"])
            check_annotators(clustering, extent)
            ways = cluster_columns(clustering)
            counts = counts_by_scenario(con, condition, ways)
        scenarios = scenario_names(self.scenario, names)
        found: dict[str, ScenarioRanking] = {}
        tables: dict[str, dict[str, pd.DataFrame]] = {"scenarios": {}, "heterogeneity": {}, "thin": {}}
        refused: dict[str, list[str]] = {}
        for k, judge in enumerate(self.judge):
            mine = counts.of(names.judges[judge][0])

            def report(share: float, k: int = k, judge: str = judge) -> None:
                progress((k + share) / len(self.judge), f"ranking by {judge}, scenario by scenario")

            report(0.0)
            try:
                cells = _cells(mine, names, judge, ways)
                places = _places(mine, scenarios, names)
                one = rank_by_scenario(cells, places, scenarios, clustering, progress=lambda share: report(0.8 * share))
            except NotIdentifiedError as error:
                refused.setdefault(str(error), []).append(judge)
                continue
            found[judge] = one
            report(0.8)
            tables["heterogeneity"][judge] = one.heterogeneity_table(self.level)
            report(0.85)
            tables["scenarios"][judge] = one.table(self.level)
            tables["thin"][judge] = one.thin_table()
        warnings = [f"{words.listing(judges, 5)}: {reason}" for reason, judges in refused.items()]
        if not found:
            raise NotIdentifiedError(next(iter(refused)) if len(refused) == 1 else "; ".join(warnings))
        if extent["unlabelled"]:
            warnings.append(f"left out: {words.plural(extent['unlabelled'], 'judgment')} without a scenario")
        for judge, one in found.items():
            warnings += [f"{judge}: {w}" if len(found) > 1 else w for w in one.warnings]
        progress(1.0, "done")
        return Result(
            study=self,
            tables={name: _joined(by_judge) for name, by_judge in tables.items()}
            | {"judges": pd.DataFrame([self._judge_row(j, one) for j, one in found.items()])},
            values={},
            settings=self.settings() | {"clustering": clustering.name, "clustering_chosen": clustering.chosen},
            warnings=tuple(dict.fromkeys(warnings)),
            caption=self._caption(found, extent),
            fingerprint=fingerprint,
        )

    def _judge_row(self, judge: str, found: ScenarioRanking) -> dict[str, Any]:
        """One judge in numbers; `differ`: models whose strength depends on the scenario (q < .05)."""
        return {
            "judge": judge,
            "judgments": found.n_judgments,
            "prompts": found.n_prompts,
            "scenarios": len(found.scenarios),
            "models": len(found.models),
            "left_out": len(found.overall.left_out),
            "tested": int(np.isfinite(found.q).sum()),
            "differ": int((found.q < BEYOND).sum()),
            "tau": floats([float(np.nanmedian(found.pooled.tau_median))])[0],
        }

    def _caption(self, found: dict[str, ScenarioRanking], extent: dict[str, int]) -> str:
        judges = ", ".join(f"{j} ({words.plural(r.n_judgments, 'judgment')})" for j, r in found.items())
        name = next(iter(found.values())).clustering.name
        clusters = "judgments taken as independent" if name == "none" else f"clustered by {name.replace('+', ' and ')}"
        most = max(len(one.scenarios) for one in found.values())
        return (
            f"Bradley-Terry strengths in {words.plural(most, 'scenario')} (natural log, mean 0 over the models of the "
            f"judge's overall ranking) by {judges}; "
            f"{words.amounts(pair=extent['pairs'], prompt=extent['prompts'])}; "
            f"{words.ties(self.ties)}; {words.percent(self.level)} intervals, {clusters}. Raw: each scenario alone. "
            "Pooled: full empirical Bayes over scenarios, between-scenario sd half-normal(.5), posterior intervals, "
            "which hold on average over scenarios. q: Welch's test of equal strength in all scenarios, "
            "Benjamini-Hochberg over a judge's models."
        )


def _cells(counts: Counts, names: Catalog, judge: str, ways: tuple[str, ...]) -> Cells:
    """One judge's cells. Raises NotIdentifiedError for no judgment and for more than `MOST` models."""
    models = models_met(counts, names)
    if not models:
        raise NotIdentifiedError("no judgment with a scenario in this selection")
    if len(models) > MOST:
        raise NotIdentifiedError(
            f"at most {MOST:,} models are ranked scenario by scenario, and these are {len(models):,}: choose some of "
            "them as models of the selection"
        )
    return judge_cells(counts, names, judge, models, ("prompt", *ways))


def _places(counts: Counts, scenarios: tuple[str, ...], names: Catalog) -> np.ndarray:
    """(n_cells,) which of `scenarios` each row belongs to."""
    lookup = np.full(max(names.scenarios.values()) + 1, -1, dtype=np.int64)
    for k, name in enumerate(scenarios):
        lookup[names.scenarios[name]] = k
    return np.asarray(lookup[counts.frame["scenario"]])


def _joined(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One table with the column `judge` first."""
    labelled = []
    for judge, table in tables.items():
        table.insert(0, "judge", judge)
        labelled.append(table)
    return pd.concat(labelled, ignore_index=True)
