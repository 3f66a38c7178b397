"""Which weighted sum of factors predicts a judge's verdicts best? The compositional preference model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from analysis.cells import Ints
from analysis.compositional import C_GRID, MOST_ROWS, PENALTIES, Compositional, fit_compositional
from charts import words
from data.model import Progress
from data.store import Store
from studies.factor_options import Factors
from studies.factor_sides import Sided, by_judge, clustering_of, load_sides, plain_only
from studies.factors_fit import left_out
from studies.refused import sentences
from studies.said import about_left_out, once
from studies.study import Result, register


@register
@dataclass(frozen=True)
class FactorsCpm(Factors):
    """A weighted sum of standardised factors that predicts verdicts, its penalty chosen by held-out accuracy."""

    command: ClassVar[str] = "factors cpm"
    title: ClassVar[str] = "What predicts verdicts best"
    models_ties: ClassVar[bool] = False
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "factor": "factor", "share": "part", "lowest": "lowest", "highest": "highest",
        "mean": "mean of answers", "sd": "deviation",
    }  # fmt: skip

    def resolve(self, store: Store) -> Self:
        plain_only(self, "factors cpm standardises values by itself", "position", "interact", "coding")
        return super().resolve(store)

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "joining judgments with the values of their answers")
        sided = load_sides(store, self, ["annotator"] if "annotator" in self.cluster else [])
        clustering = clustering_of(self, sided)
        a, b = (np.array([side[sided.key[name]] for name in self.factor]) for side in (sided.a, sided.b))
        said = sided.said.columns

        def fitted(judge: str, mine: Ints, report: Callable[[float], None]) -> Compositional:
            report(0.0)
            clusters = sided.clusters(mine, clustering)
            return fit_compositional(
                self.factor, a, b, sided.at[mine], said["p_a"][mine], said["weight"][mine], clusters["prompt"],
                clusters, clustering, np.random.default_rng(self.seed), report,
            )  # fmt: skip

        found, reasons = by_judge(self, sided, fitted, progress, "choosing the penalty for")
        tables = []
        for judge, one in found.items():
            table = one.table()
            table.insert(0, "judge", judge)
            tables.append(table)
        judges = pd.DataFrame([self._row(judge, one) for judge, one in found.items()])
        progress(1.0, "done")
        return Result(
            study=self,
            tables={
                "weights": pd.concat(tables, ignore_index=True), "judges": judges,
                "left_out": left_out({judge: one.left_out for judge, one in found.items()}),
            },
            values=_values(judges) if len(judges) == 1 else {},
            settings=self.settings() | {"clustering": clustering.name},
            warnings=tuple(dict.fromkeys([
                *sentences(reasons), *([clustering.warning] if clustering.warning else []), *sided.warnings,
                *once({judge: _warnings(one) for judge, one in found.items()}),
                "weights are shrunk by the penalty that predicts best, and of factors that go together one may stand "
                "for all; lowest and highest are of the fits without one fold each, and no interval",
            ])),
            caption=self._caption(found, sided),
            fingerprint=sided.fingerprint,
        )  # fmt: skip

    def _row(self, judge: str, one: Compositional) -> dict[str, Any]:
        low, high = one.interval(self.level)
        return {
            "judge": judge, "accuracy": one.accuracy, "lower": low, "upper": high, "optimistic": one.optimistic,
            "penalty": one.penalty, "c": one.c, "judgments": one.n_judgments, "predicted": one.n_predicted,
            "prompts": one.n_prompts, "folds": one.n_folds, "missing": one.missing,
            "intervals": None if one.covariance is None else one.covariance.method,
        }  # fmt: skip

    def _caption(self, found: Mapping[str, Compositional], sided: Sided) -> str:
        judges = ", ".join(
            f"{j} ({words.plural(one.n_judgments, 'judgment')}; {one.penalty}, C = {one.c:.2g})"
            for j, one in found.items()
        )
        folds = max(one.n_folds for one in found.values())
        most = max(len(one.names) for one in found.values())
        methods = sorted({one.covariance.method for one in found.values() if one.covariance is not None})
        intervals = f"; {words.percent(self.level)} intervals of accuracy, {' / '.join(methods)}" if methods else ""
        return (
            f"Logistic regression without intercept on the differences of {words.plural(most, 'factor')}, standardised "
            f"over both answers, of {judges}; {words.plural(sided.n_prompts, 'prompt')}; {words.ties(self.ties)}. "
            f"Penalty of {len(PENALTIES)} × {len(C_GRID)} by accuracy in {folds} folds of whole prompts{intervals}."
        )


def _values(judges: pd.DataFrame) -> dict[str, Any]:
    row = judges.iloc[0]
    accuracy = {"value": row["accuracy"], "lower": row["lower"], "upper": row["upper"]}
    return {"accuracy": accuracy, "optimistic": row["optimistic"]}


def _warnings(one: Compositional) -> list[str]:
    said = about_left_out(one.left_out)
    if one.missing:
        lack = "lacks a factor and is" if one.missing == 1 else "lack a factor and are"
        said.append(f"{words.plural(one.missing, 'judgment')} {lack} left out")
    if one.n_predicted < one.n_judgments:
        said.append(
            f"the penalty was chosen, and accuracy had, on {one.n_predicted:,} of {one.n_judgments:,} judgments: whole "
            f"prompts drawn by chance, about {MOST_ROWS:,} pairs; the weights are of all"
        )
    if one.n_loose:
        said.append(
            f"{words.plural(one.n_loose, 'fit')} with a weak penalty did not settle, as the factors tell nearly all "
            "verdicts apart there"
        )
    if not np.abs(one.weight).max() > 0:
        said.append("the penalty that predicts best leaves no factor: none of them helps to predict")
    return said
