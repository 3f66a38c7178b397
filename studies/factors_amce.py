"""By how much does each level of a factor change how often an answer is preferred? AMCE and marginal means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from analysis.amce import Amce, effects_of
from analysis.cells import Ints
from charts import words
from data.model import Progress
from data.store import Store
from studies.factor_options import Factors
from studies.factor_sides import Sided, by_judge, clustering_of, levels_of, load_sides, plain_only
from studies.factors_fit import left_out
from studies.factors_labels import level_table
from studies.refused import sentences
from studies.said import about_left_out, once
from studies.study import Result, register

NOT_RANDOMISED = (
    "answers were not assigned their levels at random, as conjoint experiments do: these are associations, and "
    "whatever goes along with a level and is not among the factors is part of its effect"
)


@register
@dataclass(frozen=True)
class FactorsAmce(Factors):
    """How much more often an answer is preferred with each level of a factor, as conjoint analysis puts it."""

    command: ClassVar[str] = "factors amce"
    title: ClassVar[str] = "What each level changes"
    models_ties: ClassVar[bool] = False
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "factor": "factor", "level": "level", "amce": "effect", "interval": "effect, interval",
        "q": "q", "mean": "marginal mean", "mean_interval": "mean, interval", "answers": "answers",
    }  # fmt: skip

    def resolve(self, store: Store) -> Self:
        plain_only(self, "factors amce goes by levels", "position", "interact", "coding")
        return super().resolve(store)

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "joining judgments with the levels of their answers")
        sided = load_sides(store, self, ["annotator"] if "annotator" in self.cluster else [])
        clustering = clustering_of(self, sided)
        levels = levels_of(sided)
        said = sided.said.columns

        def effects(judge: str, mine: Ints, report: Callable[[float], None]) -> Amce:
            report(0.3)
            return effects_of(
                levels, sided.at[mine], said["p_a"][mine], said["weight"][mine], sided.clusters(mine, clustering),
                clustering,
            )  # fmt: skip

        found, reasons = by_judge(self, sided, effects, progress, "effects of levels on")
        tables = []
        for judge, one in found.items():
            table = one.table(self.level)
            table.insert(0, "judge", judge)
            tables.append(table)
        progress(1.0, "done")
        return Result(
            study=self,
            tables={
                "amce": pd.concat(tables, ignore_index=True),
                "judges": pd.DataFrame([_row(judge, one) for judge, one in found.items()]),
                "levels": level_table(levels),
                "left_out": left_out({judge: one.left_out for judge, one in found.items()}),
            },
            values={},
            settings=self.settings() | {"clustering": clustering.name},
            warnings=tuple(dict.fromkeys([
                *sentences(reasons), NOT_RANDOMISED, *sided.warnings,
                *once({judge: _warnings(one) for judge, one in found.items()}),
            ])),
            caption=self._caption(found, sided),
            fingerprint=sided.fingerprint,
        )  # fmt: skip

    def _caption(self, found: Mapping[str, Amce], sided: Sided) -> str:
        judges = ", ".join(f"{j} ({words.plural(one.n_judgments, 'judgment')})" for j, one in found.items())
        methods = sorted({one.covariance.method for one in found.values()})
        most = max(len(one.columns) for one in found.values())
        return (
            f"Least squares of being preferred (1, 0; {words.ties(self.ties)}) on {words.plural(most, 'level')} beside "
            f"the reference of each factor, both answers of each judgment a row, by {judges}; "
            f"{words.plural(sided.n_prompts, 'prompt')}; numbers in thirds of the answers. Associations: levels were "
            f"not assigned at random. {words.percent(self.level)} intervals, {' / '.join(methods)}; q over a judge's "
            "effects, and over its means."
        )


def _row(judge: str, one: Amce) -> dict[str, Any]:
    return {
        "judge": judge, "judgments": one.n_judgments, "levels": len(one.columns), "intercept": one.intercept,
        "missing": one.missing, "clusters": one.covariance.n_clusters or None,
        "clustering": one.covariance.clustering.name, "intervals": one.covariance.method,
    }  # fmt: skip


def _warnings(one: Amce) -> list[str]:
    said = about_left_out(one.left_out)
    if one.missing:
        lacks = "lacks a factor of one of the answers and is" if one.missing == 1 else (
            "lack a factor of one of the answers and are"
        )  # fmt: skip
        said.append(f"{words.plural(one.missing, 'judgment')} {lacks} left out")
    untold = int(np.isnan(one.covariance.known_se[1:]).sum())
    if untold:
        said.append(f"of {words.plural(untold, 'effect')} nothing tells how sure it is, as every cluster says the same")
    return [*said, *one.covariance.warnings]
