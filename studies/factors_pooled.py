"""Which weights hold in every scenario? Weights and gaps by scenario, raw and pooled, and a test a factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from analysis.factor_gap import alike_in_position
from analysis.pooled_weights import FEW_A_FACTOR, ByScenario, PooledGaps, PooledWeights, Report, pool_gaps, pool_weights
from analysis.tables import floats
from charts import words
from data.model import Progress
from data.queries import Catalog
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError
from studies.factor_data import FactorData, fetch
from studies.factor_options import CODINGS, Factors
from studies.refused import nobody, require_factors, sentences
from studies.study import Result, human_first, register

BEYOND = 0.05
"""q below which a weight is said to depend on the scenario."""

ON_AVERAGE = (
    "pooled intervals hold on average over scenarios; one that is unlike all others is drawn towards them, and its raw "
    "interval is then the one to read"
)


@register
@dataclass(frozen=True)
class FactorsPooled(Factors):
    """Weights in each scenario, raw and pooled over scenarios, and which of them depend on the scenario."""

    command: ClassVar[str] = "factors pooled"
    title: ClassVar[str] = "Which weights hold in every scenario?"
    models_ties: ClassVar[bool] = False
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "scenario": "scenario", "factor": "factor", "pooled": "pooled weight",
        "pooled_interval": "interval", "weight": "raw weight", "interval": "raw interval", "pairs": "pairs",
        "prompts": "prompts",
    }  # fmt: skip

    def resolve(self, store: Store) -> Self:
        self.require_one_scale("weights")
        return super().resolve(store)

    def default_judges(self, names: Catalog) -> tuple[str, ...]:
        """All judges, the human one first where there is one: the others' gaps are to it."""
        return human_first(names)

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "joining judgments with their factors")
        data = fetch(store, self, scenarios=True)
        chosen = scenarios_of(data, self.scenario)
        reference, *others = self.judge
        steps = len(self.judge) + len(others)
        found: dict[str, PooledWeights] = {}
        gaps: dict[str, PooledGaps] = {}
        reasons: dict[str, str] = {}
        not_held: dict[str, str] = {}
        for k, judge in enumerate(self.judge):
            def tell(share: float, k: int = k, judge: str = judge) -> None:
                progress((k + share) / steps, f"weighing factors for {judge}, scenario by scenario")

            tell(0.0)
            try:
                found[judge] = weigh_by_scenario(data, judge, chosen, tell)
            except NotIdentifiedError as error:
                reasons[judge] = str(error)
        for k, judge in enumerate(others, start=len(self.judge)):
            def told(share: float, k: int = k, judge: str = judge) -> None:
                progress((k + share) / steps, f"holding {judge} against {reference}, scenario by scenario")

            told(0.0)
            if reference not in found or judge not in found:
                continue
            try:
                gaps[judge] = hold_by_scenario(data, reference, judge, chosen, told)
            except NotIdentifiedError as error:
                not_held[judge] = str(error)
        if not found:
            raise nobody(reasons)
        progress(1.0, "done")
        first = next(iter(found.values())).weights
        return Result(
            study=self,
            tables={
                "weights": _joined({j: self._weights(one.weights) for j, one in found.items()}),
                "heterogeneity": _joined({j: one.weights.heterogeneity_table(self.level) for j, one in found.items()}),
                "gaps": self._gaps(gaps),
                "gap_heterogeneity": self._gap_heterogeneity(gaps),
                "scales": pd.concat(
                    [_blank(["judge", "value", "se", "lower", "upper"])]
                    + [one.overall.gaps.scale_table(self.level).assign(judge=j) for j, one in gaps.items()],
                    ignore_index=True,
                )[["judge", "value", "se", "lower", "upper"]],
                "judges": pd.DataFrame([judge_row(j, one) for j, one in found.items()]),
                "thin": _joined({j: one.weights.thin_table() for j, one in found.items()}),
            },
            values={},
            settings=self.settings() | {
                "clustering": data.clustering.name, "clustering_chosen": data.clustering.chosen,
                "reference": reference, "position_fitted": data.has_position,
            },
            warnings=tuple(dict.fromkeys([
                *sentences(reasons), *sentences(not_held), *data.warnings, *warnings_of(found, gaps, first),
            ])),
            caption=self._caption(data, found),
            fingerprint=data.fingerprint,
        )  # fmt: skip

    def _weights(self, one: ByScenario) -> pd.DataFrame:
        return one.table(self.level).rename(columns={"value": "weight"})

    def _gaps(self, gaps: Mapping[str, PooledGaps]) -> pd.DataFrame:
        """Plain and scaled gaps side by side."""
        columns = ["judge", "scenario", "factor", "gap", "se", "lower", "upper", "pooled", "pooled_lower",
                   "pooled_upper", "gap_scaled", "scaled_lower", "scaled_upper", "scaled_pooled",
                   "scaled_pooled_lower", "scaled_pooled_upper", "judgments", "pairs", "prompts"]  # fmt: skip
        tables = []
        for judge, one in gaps.items():
            table = one.gaps.table(self.level).rename(columns={"value": "gap"})
            scaled = None if one.scaled is None else one.scaled.table(self.level)
            for name, of in {
                "gap_scaled": "value", "scaled_lower": "lower", "scaled_upper": "upper", "scaled_pooled": "pooled",
                "scaled_pooled_lower": "pooled_lower", "scaled_pooled_upper": "pooled_upper",
            }.items():  # fmt: skip
                table[name] = floats([None] * len(table)) if scaled is None else scaled[of]
            tables.append(table.assign(judge=judge)[columns])
        return pd.concat(tables, ignore_index=True) if tables else _blank(columns)

    def _gap_heterogeneity(self, gaps: Mapping[str, PooledGaps]) -> pd.DataFrame:
        """kind: plain or scaled; else as `heterogeneity`."""
        tables = []
        for judge, one in gaps.items():
            for kind, part in (("plain", one.gaps), ("scaled", one.scaled)):
                if part is not None:
                    table = part.heterogeneity_table(self.level)
                    table.insert(0, "kind", kind)
                    table.insert(0, "judge", judge)
                    tables.append(table)
        columns = ["judge", "kind", "factor", "mean", "mean_lower", "mean_upper", "tau", "lower", "upper", "p", "q",
                   "scenarios", "same_sign"]  # fmt: skip
        return pd.concat(tables, ignore_index=True) if tables else _blank(columns)

    def _caption(self, data: FactorData, found: Mapping[str, PooledWeights]) -> str:
        judges = ", ".join(f"{j} ({words.plural(one.fit.n_judgments, 'judgment')})" for j, one in found.items())
        most = max(len(one.weights.scenarios) for one in found.values())
        few = max(len(one.fit.factors) for one in found.values())
        name = data.clustering.name
        clusters = "judgments taken as independent" if name == "none" else f"clustered by {name.replace('+', ' and ')}"
        position = "; a position term is fitted" if data.has_position else ""
        prompts = words.plural(data.prompts, "prompt")
        return (
            f"Weights of {words.plural(few, 'factor')} in {words.plural(most, 'scenario')} by {judges}: logistic "
            f"regression without an intercept ({CODINGS[self.coding]}){position}; {prompts}; "
            f"{words.ties(self.ties)}; {words.percent(self.level)} intervals, {clusters}. Raw: each scenario alone. "
            "Pooled: full empirical Bayes over scenarios, between-scenario sd half-normal(.5), posterior intervals, "
            "which hold on average over scenarios. q: Welch's test of equal weights in all scenarios, "
            "Benjamini-Hochberg over a judge's factors."
        )


def scenarios_of(data: FactorData, wanted: Sequence[str]) -> dict[str, int]:
    """Name and code of the scenarios of the selection. Raises EmptySelectionError where none is known."""
    chosen = {name: code for name, code in data.names.scenarios.items() if not wanted or name in wanted}
    if not chosen:
        raise EmptySelectionError(
            f"dataset {data.names.dataset!r} knows no scenarios: they come with the column `scenario`"
        )
    return chosen


def weigh_by_scenario(
    data: FactorData, judge: str, chosen: Mapping[str, int], report: Report = lambda share: None
) -> PooledWeights:
    """One judge's weights by scenario. chosen : name and code of each. Raises NotIdentifiedError."""
    require_factors(data, judge)
    design = data.design[judge]
    kept = design.take(np.isin(design.clusters["scenario"], list(chosen.values())))
    if len(kept) == len(design):
        kept = design
    rows = [(name, np.flatnonzero(kept.clusters["scenario"] == i)) for name, i in chosen.items()]
    return pool_weights(kept, rows, data.clustering, report=report)


def hold_by_scenario(
    data: FactorData, reference: str, judge: str, chosen: Mapping[str, int], report: Report = lambda share: None, *,
    raw: bool = True,
) -> PooledGaps:  # fmt: skip
    """One judge's gaps by scenario, on the factors that both have; raw : see `pool_gaps`. Raises NotIdentifiedError."""
    one, two = data.design[reference], data.design[judge]
    one, two = alike_in_position(
        one.without([name for name in one.names if name not in two.names]),
        two.without([name for name in two.names if name not in one.names]),
    )
    scenarios, names = list(chosen.items()), (reference, judge)
    return pool_gaps(one, two, scenarios, data.clustering, names=names, raw=raw, report=report)


def judge_row(judge: str, one: PooledWeights) -> dict[str, Any]:
    """One judge in numbers; `differ`: factors whose weight depends on the scenario (q < .05)."""
    by = one.weights
    return {
        "judge": judge, "judgments": one.fit.n_judgments, "pairs": one.fit.n_pairs, "scenarios": len(by.scenarios),
        "prompts": sum(each.n_prompts for each in by.scenarios), "factors": len(one.fit.factors),
        "tested": int(np.isfinite(by.q).sum()), "differ": int((by.q < BEYOND).sum()),
    }  # fmt: skip


def _joined(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One table with the column `judge` first."""
    for judge, table in tables.items():
        table.insert(0, "judge", judge)
    return pd.concat(list(tables.values()), ignore_index=True)


def _blank(columns: Sequence[str]) -> pd.DataFrame:
    """No rows, in columns of the kinds that they have with rows."""
    said = ("judge", "kind", "scenario", "factor")
    return pd.DataFrame({c: pd.Series([], dtype="str") if c in said else floats([]) for c in columns})


def warnings_of(found: Mapping[str, PooledWeights], gaps: Mapping[str, PooledGaps], first: ByScenario) -> list[str]:
    said = [ON_AVERAGE]
    clustering = first.clustering
    if clustering.warning is not None:
        said.append(clustering.warning)
    if "annotator" in clustering.name:
        said.append(
            "the test takes scenarios as independent of one another; where the same annotators judge in several, what "
            "they share widens the intervals without making scenarios differ, and the test is cautious"
        )
    for judge, one in found.items():
        head = f"{judge}: " if len(found) > 1 else ""
        for reason, names in _by_reason(one.fit.dropped).items():
            said.append(f"{head}{words.quoted(names, 6)} {'is' if len(names) == 1 else 'are'} left out: {reason}")
        said += [f"{head}{one_said}" for one_said in too_few(one.weights)]
    for judge, gap in gaps.items():
        if gap.overall.gaps.not_scaled is not None:
            said.append(f"{judge}: {gap.overall.gaps.not_scaled}")
    return said


def too_few(part: ByScenario, what: str = "weights") -> list[str]:
    """That there are few pairs for so many factors. In simulations with 1 pair a factor in each of 58 scenarios pooled
    averages lay a third too far out, with 4 an eighth; their intervals held all the same."""
    few, n = part.few_pairs, len(part.scenarios)
    if not few:
        return []
    where = "every scenario" if len(few) == n else f"{len(few)} of {words.plural(n, 'scenario')}"
    return [
        f"in {where} there are fewer than {FEW_A_FACTOR} pairs for each factor: {what} come out too far from 0, pooled "
        "ones too, and intervals are wider than they need be; choose fewer factors with --factor"
    ]


def _by_reason(dropped: Mapping[str, str]) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for name, why in dropped.items():
        out.setdefault(why, []).append(name)
    return out
