"""What do scenarios share of a judge's weights, and what is a scenario's own? Hierarchical multi-domain regression."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from analysis.held_out import NOTHING
from analysis.hierarchical import grid, published
from analysis.hierarchical_held import ONE, HeldDomains, hold_out_domains
from analysis.tables import floats, integers
from charts import words
from data.model import Progress, option
from data.queries import Catalog
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError
from studies.factor_data import FactorData, fetch
from studies.factor_options import CODINGS, Factors
from studies.refused import nobody, require_factors, sentences
from studies.study import Result, human_first, register

__all__ = ["NOTHING", "ONE", "FactorsHierarchical"]
"""With the names of what the models are held against in its tables."""

STEPS = 4
"""Values of each penalty that are tried where they are chosen."""

NO_INTERVAL = (
    "shared and own weights are drawn towards 0 by their penalties and carry no interval: a weight of 0 says that it "
    "is not needed to predict, not that it is nil"
)


@register
@dataclass(frozen=True)
class FactorsHierarchical(Factors):
    """Weights split into what all scenarios share and what is each one's own, and how both predict."""

    command: ClassVar[str] = "factors hierarchical"
    title: ClassVar[str] = "What is shared, what is a scenario's own?"
    models_ties: ClassVar[bool] = False
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "scenario": "scenario", "factor": "factor", "shared": "shared", "own": "own",
        "weight": "weight", "importance": "win points",
    }  # fmt: skip

    penalties: str = option(
        "published", "how strongly weights are drawn to 0: as published, or chosen by the log-loss of prompts held out",
        label="Penalties", choices=("published", "chosen"),
    )  # fmt: skip
    loss: str = option(
        "mean", "how judgments count against the penalties: each scenario by its mean, or each judgment by itself, "
        "where the published penalties do next to nothing", label="Scenarios count",
        choices=("mean", "sum"), advanced=True,
    )  # fmt: skip

    def resolve(self, store: Store) -> Self:
        if self.coding == "raw":
            raise OptionError(
                "factors hierarchical draws all weights to 0 alike, so factors need one scale: leave out --coding raw"
            )
        if self.position == "with":
            raise OptionError("the published model has no position term: leave out --position with")
        return replace(super().resolve(store), position="without")

    def default_judges(self, names: Catalog) -> tuple[str, ...]:
        """All judges, the human one first where there is one."""
        return human_first(names)

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "joining judgments with their factors")
        data = fetch(store, self, scenarios=True)
        known = {i: n for n, i in data.names.scenarios.items() if not self.scenario or n in self.scenario}
        if not known:
            raise EmptySelectionError(
                f"dataset {data.names.dataset!r} knows no scenarios: they come with the column `scenario`"
            )
        found: dict[str, tuple[HeldDomains, tuple[str, ...]]] = {}
        reasons: dict[str, str] = {}
        factors: dict[str, tuple[str, ...]] = {}
        judgments: dict[str, dict[str, int]] = {}
        there: dict[str, np.ndarray] = {}
        for k, judge in enumerate(self.judge):
            def tell(share: float, k: int = k, judge: str = judge) -> None:
                progress((k + share) / len(self.judge), f"predicting held-out verdicts of {judge}")

            tell(0.0)
            try:
                require_factors(data, judge)
                design = data.design[judge]
                design = design.take(np.flatnonzero(np.isin(design.clusters["scenario"], list(known))))
                if not len(design):
                    raise NotIdentifiedError("no judgment with a scenario in this selection")
                codes, scenario = np.unique(design.clusters["scenario"], return_inverse=True)
                # In the dataset's order of scenarios.
                names = [known[int(code)] for code in codes]
                tried = [published(len(names))] if self.penalties == "published" else grid(len(names), STEPS)
                held = hold_out_domains(
                    design, scenario, names, tried, data.clustering, np.random.default_rng(self.seed),
                    balanced=self.loss == "mean", report=tell,
                )  # fmt: skip
            except NotIdentifiedError as error:
                reasons[judge] = str(error)
                continue
            found[judge], factors[judge] = (held, tuple(names)), design.names
            n = np.bincount(scenario, design.count, len(names))
            judgments[judge] = {name: int(count) for name, count in zip(names, n, strict=True)}
            x = design.x[:, design.at] != 0
            there[judge] = np.stack([x[:, scenario == d].any(axis=1) for d in range(len(names))])
        if not found:
            raise nobody(reasons)
        progress(1.0, "done")
        return Result(
            study=self,
            tables={
                "weights": pd.concat(
                    [_weights(j, one, names, factors[j], judgments[j]) for j, (one, names) in found.items()],
                    ignore_index=True,
                ),
                "shared": pd.concat(
                    [_shared(j, one, factors[j], there[j]) for j, (one, _) in found.items()], ignore_index=True
                ),
                "held_out": pd.concat(
                    [one.table(self.level).assign(judge=j) for j, (one, _) in found.items()], ignore_index=True
                ).pipe(_judge_first),
                "scenarios": pd.concat(
                    [one.scenario_table(self.level).assign(judge=j) for j, (one, _) in found.items()],
                    ignore_index=True,
                ).pipe(_judge_first),
                "judges": pd.DataFrame([_judge_row(j, one) for j, (one, _) in found.items()]),
            },
            values={},
            settings=self.settings() | {"clustering": data.clustering.name},
            warnings=tuple(dict.fromkeys([*sentences(reasons), *data.left_out,
                                          *self._warnings(data, found)])),
            caption=self._caption(data, found),
            fingerprint=data.fingerprint,
        )  # fmt: skip

    def _warnings(self, data: FactorData, found: Mapping[str, tuple[HeldDomains, tuple[str, ...]]]) -> list[str]:
        said = [NO_INTERVAL]
        if data.clustering.warning is not None:
            said.append(data.clustering.warning)
        for judge, (one, _) in found.items():
            if not one.fit.weights.any():
                said.append(
                    f"{judge}: with these penalties every weight is 0, so nothing is predicted; try --penalties chosen"
                )
        return said

    def _caption(self, data: FactorData, found: Mapping[str, tuple[HeldDomains, tuple[str, ...]]]) -> str:
        one = next(iter(found.values()))[0]
        judges = ", ".join(f"{j} ({words.plural(h.inside.n_judgments, 'judgment')})" for j, (h, _) in found.items())
        most = max(len(names) for _, names in found.values())
        how = "as published" if self.penalties == "published" else "chosen by held-out log-loss"
        count = "each scenario counting by its mean loss" if self.loss == "mean" else "each judgment counting by itself"
        method = "" if one.inside.covariance is None else f", {one.inside.covariance.method}"
        return (
            f"Hierarchical multi-domain regression (arXiv 2505.20088) of the verdicts of {judges} in "
            f"{words.plural(most, 'scenario')}: weights shared by all scenarios plus each one's own, both with an L1 "
            f"penalty ({how}), {count}; {CODINGS[self.coding]}; {words.plural(data.prompts, 'prompt')}; "
            f"{words.ties(self.ties)}; no position term. Win points: 50 × weight. Held out: "
            f"{one.inside.n_folds} folds of {one.inside.way}s, and each scenario in turn; "
            f"{words.percent(self.level)} intervals{method}."
        )


def _judge_first(table: pd.DataFrame) -> pd.DataFrame:
    return table[["judge", *(c for c in table.columns if c != "judge")]]


def _weights(
    judge: str, held: HeldDomains, names: tuple[str, ...], factors: tuple[str, ...], judgments: Mapping[str, int]
) -> pd.DataFrame:
    """One row a scenario and factor."""
    fit = held.fit
    tables = [
        pd.DataFrame(
            {
                "judge": judge, "scenario": name, "factor": list(factors), "shared": floats(fit.shared),
                "own": floats(fit.own[d]), "weight": floats(fit.weights[d]),
                "importance": floats(fit.importance(fit.weights[d])), "judgments": judgments[name],
            }
        )
        for d, name in enumerate(names)
    ]  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def _shared(judge: str, held: HeldDomains, factors: tuple[str, ...], there: np.ndarray) -> pd.DataFrame:
    """One row a factor, the largest shared weight first; it is also what predicts in a scenario not seen."""
    fit = held.fit
    table = pd.DataFrame(
        {
            "judge": judge, "factor": list(factors), "shared": floats(fit.shared),
            "importance": floats(fit.importance(fit.shared)), "may_be_shared": fit.is_shared,
            "found_in": integers([int(n) for n in there.sum(axis=0)]),
            "own_in": integers([int(n) for n in (fit.own != 0).sum(axis=0)]),
            "lowest": floats(fit.weights.min(axis=0)), "highest": floats(fit.weights.max(axis=0)),
            "scenarios": len(there),
        }
    )  # fmt: skip
    order = np.lexsort((table["factor"], -np.abs(fit.weights).max(axis=0), -np.abs(fit.shared)))
    return table.iloc[order].reset_index(drop=True)


def _judge_row(judge: str, held: HeldDomains) -> dict[str, Any]:
    fit = held.fit
    return {
        "judge": judge, "judgments": held.inside.n_judgments, "factors": len(fit.shared),
        "shared": int((fit.shared != 0).sum()), "own": int((fit.own != 0).sum()),
        "alpha": fit.penalties.alpha, "penalty_shared": fit.penalties.shared, "penalty_own": fit.penalties.own,
        "objective": fit.objective, "folds": held.inside.n_folds, "held_out": f"{held.inside.way}s",
    }  # fmt: skip
