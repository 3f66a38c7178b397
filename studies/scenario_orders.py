"""Do two judges order the models alike in each scenario? `compare`, scenario by scenario, one row each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from charts import words
from data import queries
from data.model import Progress
from data.store import Store
from studies.by_scenario import gathered, run_by_scenario
from studies.cells import require_models
from studies.compare import OrdersAlone
from studies.study import Fitted, Result, register

COLUMNS = (
    "judge", "scenario", "spearman", "spearman_lower", "spearman_upper", "kendall", "kendall_lower", "kendall_upper",
    "corrected", "corrected_lower", "corrected_upper", "scale", "scale_lower", "scale_upper", "models", "judgments",
    "pairs", "prompts",
)  # fmt: skip


@register
@dataclass(frozen=True)
class ScenarioOrders(Fitted):
    """How alike the judge and the reference order the models, in each scenario alone."""

    command: ClassVar[str] = "scenario-orders"
    title: ClassVar[str] = "Orders by scenario"
    judges: ClassVar[Any] = "reference"
    models_ties: ClassVar[bool] = True
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "scenario": "scenario", "spearman": "Spearman", "spearman_interval": "interval",
        "kendall": "Kendall", "corrected": "net of noise", "corrected_interval": "interval ", "models": "models",
        "pairs": "pairs", "prompts": "prompts",
    }  # fmt: skip

    def answer(self, store: Store, progress: Progress) -> Result:
        self.compared()
        with store.reading("looking for models") as con:
            require_models(queries.catalog(con, self), "there are no orders to compare: they need")
        shared = {f.name: getattr(self, f.name) for f in fields(Fitted)}
        found = run_by_scenario(OrdersAlone(**shared), store, progress)
        table = found.table("judges").reindex(columns=list(COLUMNS))
        table = table.sort_values(["judge", "spearman"], kind="stable").reset_index(drop=True)
        n = table["scenario"].nunique()
        return Result(
            study=self, tables={"scenarios": table}, values={},
            settings=self.settings() | {"reference": self.judge[0]},
            warnings=gathered(found.warnings),
            caption=(
                f"Rank correlations between the strengths of {self.judge[0]} and of "
                f"{words.listing(list(self.judge[1:]), 4)} in each of {words.plural(n, 'scenario')} alone, both fitted "
                f"on the pairs that both judged; {words.ties(self.ties)}; {words.percent(self.level)} intervals by "
                "bootstrap of prompts. Net of noise: corrected for the sampling errors of both."
            ),
            fingerprint=found.fingerprint,
        )  # fmt: skip
