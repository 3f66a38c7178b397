"""In which scenarios do a judge's reasons part from the reference's? The gap of each factor, scenario by scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast

import numpy as np
import pandas as pd

from analysis.design import FIRST
from analysis.factor_gap import FactorGap, find_factor_gap, shared
from analysis.multiple import adjust_bh
from analysis.strengths import Ties
from analysis.tables import floats
from analysis.vcov import choose_clustering
from charts import words
from data.model import Progress
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError
from studies.factor_data import FactorData, fetch
from studies.factor_options import CODINGS, Factors
from studies.factors_fit import FEW_PAIRS
from studies.refused import left_out_by, require_factors
from studies.study import Result, register

THIN = "intervals of scenarios with fewer than 10 prompts are clustered by pair, and speak about these prompts only"

CLUSTERED = {
    "auto": "clustered by prompt, by pair in scenarios of fewer than 10 shared prompts",
    "none": "naive (judgments taken as independent)",
}
"""How intervals are made, by the option `cluster`; the others by what they name."""


@register
@dataclass(frozen=True)
class FactorsScenarios(Factors):
    """The gap of each factor in each scenario, and overall."""

    command: ClassVar[str] = "factors scenarios"
    title: ClassVar[str] = "Where reasons part, by scenario"
    judges: ClassVar[Literal["any", "reference"]] = "reference"
    shown: ClassVar[Mapping[str, str] | None] = {
        "scenario": "scenario", "factor": "factor", "weight_ref": "reference", "weight_judge": "judge",
        "gap_scaled": "net gap", "scaled_interval": "net gap, interval", "scaled_q": "q", "pairs": "pairs",
    }  # fmt: skip

    def answer(self, store: Store, progress: Progress) -> Result:
        reference, others = self.compared()
        progress(0.0, "joining judgments with their factors")
        data = fetch(store, self, scenarios=True, together=True)
        names = {i: name for name, i in data.names.scenarios.items()}
        if not names:
            raise EmptySelectionError(
                f"dataset {data.names.dataset!r} knows no scenarios: they come with the column `scenario`"
            )
        tables, scenarios, gone, warnings = [], [], list[dict[str, str]](), list(data.warnings)
        wanted = [i for i, name in names.items() if not self.scenario or name in self.scenario]
        for k, judge in enumerate(others):
            require_factors(data, reference, judge)
            for nth, i in enumerate(wanted):
                progress((k + nth / len(wanted)) / len(others), f"{names[i]}: {judge} against {reference}")
                found = self._one(data, reference, judge, i)
                row: dict[str, Any] = {"judge": judge, "scenario": names[i]}
                if isinstance(found, str):
                    scenarios.append(row | {"cause": found})
                    warnings.append(f"{names[i]}, {judge}: {found}")
                    continue
                scenarios.append(row | _about(found))
                table = found.table(self.level)
                table.insert(0, "scenario", names[i])
                table.insert(0, "judge", judge)
                table["pairs"] = found.n_pairs
                # The number of prompts differs, the warning is one.
                warning = found.gaps.gap.clustering.warning
                warnings += [] if warning is None else [THIN if self.cluster == "auto" else warning]
                for factor, why in found.dropped.items():
                    gone.append({"judge": judge, "scenario": names[i], "factor": factor, "cause": why})
                tables.append(table)
        if not tables:
            raise NotIdentifiedError("in no scenario alone can gaps be estimated. " + " ".join(warnings))
        gaps = _adjusted(pd.concat(tables, ignore_index=True))
        warnings += _thin(scenarios)
        left_out = pd.DataFrame(gone, columns=["judge", "scenario", "factor", "cause"])
        warnings += left_out_by(left_out, "scenario", int(gaps["scenario"].nunique()))
        progress(1.0, "done")
        return Result(
            study=self,
            tables={"gaps": gaps, "scenarios": pd.DataFrame(scenarios), "left_out": left_out},
            values={},
            settings=self.settings() | {"reference": reference},
            warnings=tuple(dict.fromkeys(warnings)),
            caption=self._caption(gaps, reference),
            fingerprint=data.fingerprint,
        )

    def _one(self, data: FactorData, reference: str, judge: str, scenario: int) -> FactorGap | str:
        one, two = (
            design.take(np.flatnonzero(design.clusters["scenario"] == scenario))
            for design in (data.design[reference], data.design[judge])
        )
        for name, design in ((reference, one), (judge, two)):
            if not len(design):
                return f"{name} has judged nothing here"
        try:
            one, two = shared(one, two)
            # The pairs in common may be of fewer prompts than the scenario.
            prompts = len(np.unique(np.concatenate([one.clusters["prompt"], two.clusters["prompt"]])))
            clustering = choose_clustering(self.cluster, prompts)
            return find_factor_gap(one, two, clustering, ties=cast(Ties, self.ties), names=(reference, judge))
        except NotIdentifiedError as error:
            return str(error).removeprefix(f"{judge}: ")

    def _caption(self, gaps: pd.DataFrame, reference: str) -> str:
        judges = words.listing(list(dict.fromkeys(map(str, gaps["judge"]))), 5)
        n = gaps.loc[gaps["factor"] != FIRST, "factor"].nunique()
        by = f"clustered by {self.cluster.replace('+', ' and ')}"
        return (
            f"Gaps in the weights of {words.plural(n, 'factor')} between {judges} and "
            f"{reference} in {words.plural(int(gaps['scenario'].nunique()), 'scenario')}, each fitted alone: logistic "
            f"regression without an intercept ({CODINGS[self.coding]}); {words.ties(self.ties)}; net of decisiveness "
            f"where that can be told; {words.percent(self.level)} intervals, {CLUSTERED.get(self.cluster, by)}; q over "
            "all factors of all scenarios, judge by judge."
        )


def _thin(scenarios: Sequence[Mapping[str, Any]]) -> list[str]:
    """That there are few pairs for so many factors, and where. scenarios : rows of the table `scenarios`"""
    fitted = [row for row in scenarios if "pairs" in row]
    thin = dict.fromkeys(str(row["scenario"]) for row in fitted if row["pairs"] < FEW_PAIRS * row["factors"])
    if not thin:
        return []
    where = "every scenario" if thin.keys() == {row["scenario"] for row in fitted} else words.listing(list(thin), 4)
    return [f"in {where} there are fewer than {FEW_PAIRS} pairs for each factor: gaps there come out too far from 0"]


def _about(found: FactorGap) -> dict[str, Any]:
    """What stands behind a scenario's gaps."""
    scale = found.gaps.scale
    return {
        "pairs": found.n_pairs, "judgments_ref": found.n_judgments[0], "judgments": found.n_judgments[1],
        "clusters": found.gaps.gap.n_clusters or None, "clustering": found.gaps.gap.clustering.name,
        "intervals": found.gaps.gap.method, "scale": None if scale is None else scale.value,
        "factors": int(found.gaps.counted.sum()), "cause": found.gaps.not_scaled,
    }  # fmt: skip


def _adjusted(gaps: pd.DataFrame) -> pd.DataFrame:
    """q over all rows of a judge: they stand in one table."""
    out = gaps.copy()
    for p, q in (("p", "q"), ("scaled_p", "scaled_q")):
        value = np.full(len(out), np.nan)
        for judge in out["judge"].unique():
            mine = ((out["judge"] == judge) & (out["factor"] != FIRST)).to_numpy(dtype=bool)
            value[mine] = adjust_bh(out.loc[mine, p].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan))
        out[q] = floats(value)
    return out
