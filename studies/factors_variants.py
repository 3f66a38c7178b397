"""Do the weights and gaps hold with models' strengths held equal, and without empty texts?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, cast

import numpy as np
import pandas as pd

from analysis.design import FIRST
from analysis.factor_covariance import weight_covariance
from analysis.factor_gap import fit_within
from analysis.factor_told import fit_told, told
from analysis.multiple import adjust_bh
from analysis.strengths import Ties
from analysis.tables import floats
from analysis.vcov import Covariance
from charts import words
from data.model import Progress, silent
from data.store import Store
from errors import EmptySelectionError, JurylensError, NotIdentifiedError
from studies.factor_data import FactorData, Loaded, arrange, cells_of, columns_for, load
from studies.factor_options import CODINGS, Factors
from studies.factors_gap import FactorsGap
from studies.refused import left_out_by, require_factors
from studies.study import Result, register

VARIANTS = {
    "all answers": (False, False),
    "without empty texts": (False, True),
    "model strengths held equal": (True, False),
    "both": (True, True),
}
"""Name -> whether model strengths are held equal, whether pairs with an empty text are left out."""

FACTS = ("gap", "lower", "upper", "p", "q", "gap_scaled", "scaled_lower", "scaled_upper", "scaled_p", "scaled_q")


@register
@dataclass(frozen=True)
class FactorsVariants(Factors):
    """The same weights and gaps four ways: with and without models' strengths held equal, and empty texts."""

    command: ClassVar[str] = "factors variants"
    title: ClassVar[str] = "Does it hold otherwise"
    judges: ClassVar[Literal["any", "reference"]] = "any"
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "factor": "factor", "variant": "fitted with", "weight": "weight", "interval": "interval",
        "p": "p",
    }  # fmt: skip

    def answer(self, store: Store, progress: Progress) -> Result:
        weights, gaps, gone, warnings = [], [], list[dict[str, str]](), list[str]()
        fingerprint, first = "", None
        names = [name for name in VARIANTS if self._asked(name)]
        progress(0.0, "joining judgments with their factors")
        every = load(store, self, columns_for(self, models=True), of_empty=True)
        for k, name in enumerate(names):
            progress(k / len(names), f"fitting with {name}")
            within, without_empty = VARIANTS[name]
            if within and first is not None and not first.names.models:
                warnings.append(f"dataset {self.dataset!r} names no models, so their strengths cannot be held equal")
                continue
            try:
                loaded = every.without_empty() if without_empty else every
                data = arrange(self, loaded, models=within)
            except EmptySelectionError as error:
                warnings.append(f"{name}: {error}")
                continue
            if first is None:
                first = data
                warnings += data.warnings
            fingerprint = fingerprint or data.fingerprint
            for judge in self.judge:
                try:
                    table, dropped = self._weights(judge, data, within)
                    table.insert(0, "variant", name)
                    weights.append(table)
                    gone += [{"variant": name, "judge": judge, "factor": f, "cause": why} for f, why in dropped.items()]
                except JurylensError as error:
                    warnings.append(f"{name}, {judge}: {error}")
            if len(self.judge) > 1:
                gaps += self._gaps(loaded, name, within, warnings)
        if not weights or first is None:
            raise NotIdentifiedError("nothing can be estimated in any of these ways. " + " ".join(warnings))
        left_out = pd.DataFrame(gone, columns=["variant", "judge", "factor", "cause"])
        found = pd.concat(weights, ignore_index=True)
        warnings += left_out_by(left_out, "variant", int(found["variant"].nunique()))
        progress(1.0, "done")
        return Result(
            study=self,
            tables={
                "weights": found,
                "gaps": pd.concat(gaps, ignore_index=True) if gaps else pd.DataFrame(columns=["variant", "judge"]),
                "left_out": left_out,
            },
            values={},
            settings=self.settings() | {"clustering": first.clustering.name},
            warnings=tuple(dict.fromkeys(warnings)),
            caption=self._caption(found, first),
            fingerprint=fingerprint,
        )

    def _asked(self, name: str) -> bool:
        """Whether a way is not excluded by the option that decides it for all."""
        return self.empty_texts == "keep" or VARIANTS[name][1]

    def _weights(self, judge: str, data: FactorData, within: bool) -> tuple[pd.DataFrame, Mapping[str, str]]:
        """The table of one judge, and why factors are not in it."""
        require_factors(data, judge)
        ties = cast(Ties, self.ties)
        names: tuple[str, ...]
        if within:
            design, lonely = told(data.design[judge], data.clustering)
            found = fit_within(cells_of(data, judge, design), data.clustering, ties=ties)
            names, covariance, n = found.names, found.covariance, found.n_judgments
            dropped = lonely | dict(found.dropped)
        else:
            fit, design = fit_told(data.design[judge], data.clustering, ties=ties)
            # How ties are weighed is no factor.
            names, n, dropped = fit.names[: len(fit.factors) + fit.has_position], fit.n_judgments, dict(fit.dropped)
            covariance = weight_covariance([fit], [design], data.clustering)
        return _table(judge, names, covariance, n, self.level), dropped

    def _gaps(self, loaded: Loaded, name: str, within: bool, warnings: list[str]) -> list[pd.DataFrame]:
        """Of each judge against the first, as `factors gap` finds them."""
        shared = {f.name: getattr(self, f.name) for f in fields(Factors)}
        out = []
        for judge in self.judge[1:]:
            two = (self.judge[0], judge)
            asked = FactorsGap(**(shared | {"judge": two, "fixed_models": within}))
            try:
                data = arrange(asked, loaded.of_judges(two), models=within, together=True)
                table = asked.answer_from(data, silent).table("gaps")
            except JurylensError as error:
                warnings.append(f"{name}, gap of {judge}: {error}")
                continue
            table = table[["judge", "factor", *FACTS]].copy()
            table.insert(0, "variant", name)
            out.append(table)
        return out

    def _caption(self, weights: pd.DataFrame, data: FactorData) -> str:
        fitted = set(weights["variant"])
        n = int(weights.loc[weights["factor"] != FIRST, "factor"].nunique())
        clustered = data.clustering.name
        ways = {
            "with all answers": "all answers",
            "without pairs of which an answer is an empty text": "without empty texts",
            "beside a strength of each model": "model strengths held equal", "in both of these ways": "both",
        }  # fmt: skip
        how = words.listing([said for said, name in ways.items() if name in fitted], 4)
        return (
            f"Weights of {words.plural(n, 'factor')} in the verdicts of "
            f"{words.listing(list(self.judge), 5)}, each judge on all its pairs, fitted {how} "
            f"({CODINGS[self.coding]}); {words.ties(self.ties)}; "
            f"{words.percent(self.level)} intervals, clustered by {clustered}."
        )


def _table(judge: str, names: tuple[str, ...], covariance: Covariance, n: int, level: float) -> pd.DataFrame:
    weight, se = covariance.estimate[: len(names)], covariance.known_se[: len(names)]
    half = covariance.quantiles.two_sided(level) * se
    p = covariance.quantiles.p_value(weight / se)
    q = np.full(len(names), np.nan)
    factors = np.array([name != FIRST for name in names])
    q[factors] = adjust_bh(p[factors])
    columns: dict[str, Any] = {
        "judge": judge, "factor": names, "weight": floats(weight), "se": floats(se), "lower": floats(weight - half),
        "upper": floats(weight + half), "p": floats(p), "q": floats(q), "judgments": n,
        "intervals": covariance.method,
    }  # fmt: skip
    return pd.DataFrame(columns)
