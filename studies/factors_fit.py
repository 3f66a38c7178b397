"""Which factors move each judge's verdicts, and how much? Weights with clustered intervals, judge by judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, cast

import numpy as np
import pandas as pd
from scipy.special import expit

from analysis.design import FIRST
from analysis.factor_covariance import weight_covariance
from analysis.factor_fit import FactorFit
from analysis.factor_told import fit_told
from analysis.multiple import adjust_bh
from analysis.strengths import Ties
from analysis.tables import floats, integers
from analysis.vcov import Covariance
from charts import words
from data.model import Progress, option
from data.store import Store
from errors import NotIdentifiedError, OptionError
from studies.factor_data import FactorData, fetch
from studies.factor_options import CODINGS, display
from studies.factor_words import weight_line
from studies.factors_bayes import Published, answer_posterior
from studies.overview import Line
from studies.refused import nobody, require_factors, sentences
from studies.study import Result, register

INFLATED = 5.0
"""Variance inflation above which the weights of factors are hardly told apart."""

FEW_PAIRS = 10
"""With fewer pairs for each factor weights are pulled away from 0 (Peduzzi et al. 1996)."""


@register
@dataclass(frozen=True)
class FactorsFit(Published):
    """How much each factor moves each judge's verdicts, all else equal."""

    command: ClassVar[str] = "factors fit"
    title: ClassVar[str] = "What moves a verdict"
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "factor": "factor", "weight": "weight", "interval": "weight, interval",
        "effect": "win points", "q": "q", "above_0": "probability above 0",
    }  # fmt: skip

    estimator: str = option(
        "glm", "glm: logistic regression with clustered intervals; laplace: the posterior of the published Bayesian "
        "model, on signs of differences, without ties and position term", label="Estimator",
        choices=("glm", "laplace"), advanced=True,
    )  # fmt: skip

    def resolve(self, store: Store) -> Self:
        if self.estimator == "laplace":
            return self.published(store)
        for name in ("prior_scale", "folds"):
            if getattr(self, name) != getattr(type(self), name):
                raise OptionError(f"--{name.replace('_', '-')} is an option of --estimator laplace")
        return super().resolve(store)

    def answer(self, store: Store, progress: Progress) -> Result:
        if self.estimator == "laplace":
            return answer_posterior(self, store, progress)
        progress(0.0, "joining judgments with their factors")
        data = fetch(store, self)
        fits: dict[str, tuple[FactorFit, Covariance]] = {}
        reasons: dict[str, str] = {}
        for k, judge in enumerate(self.judge):
            progress((k + 0.3) / len(self.judge), f"weighing factors for {judge}")
            try:
                require_factors(data, judge)
                fit, design = fit_told(data.design[judge], data.clustering, ties=cast(Ties, self.ties))
                fits[judge] = fit, weight_covariance([fit], [design], data.clustering)
            except NotIdentifiedError as error:
                reasons[judge] = str(error)
        if not fits:
            raise nobody(reasons)
        warnings = [*sentences(reasons), *data.warnings]
        for judge, (fit, covariance) in fits.items():
            head = f"{judge}: " if len(self.judge) > 1 else ""
            said = (
                *about_fit(fit.dropped, fit.vif, fit.n_pairs), *noiseless(fit.names, covariance), *covariance.warnings
            )  # fmt: skip
            warnings += [f"{head}{text}" for text in said]
        progress(1.0, "done")
        return Result(
            study=self,
            tables={
                "factors": pd.concat([self._weights(j, *found, data) for j, found in fits.items()], ignore_index=True),
                "judges": pd.DataFrame([judge_row(j, fit, cov) for j, (fit, cov) in fits.items()]),
                "left_out": left_out({judge: fit.dropped for judge, (fit, _) in fits.items()}),
            },
            values={"judgments": sum(fit.n_judgments for fit, _ in fits.values())},
            settings=self.settings() | {
                "clustering": data.clustering.name, "clustering_chosen": data.clustering.chosen,
                "position_fitted": data.has_position,
            },
            warnings=tuple(dict.fromkeys(warnings)),
            caption=self._caption(fits, data),
            fingerprint=data.fingerprint,
        )  # fmt: skip

    @staticmethod
    def line(result: Result) -> Line:
        """What the fit of one judge says."""
        table = result.table("factors")
        labels = {str(f): display(str(f)) for f in table["factor"]}
        return weight_line(
            table, result.table("judges"), labels, result.settings["level"], result.settings["ties"]
        )

    def _weights(self, judge: str, fit: FactorFit, covariance: Covariance, data: FactorData) -> pd.DataFrame:
        n = len(fit.factors) + int(fit.has_position)
        weight, se = fit.parameters[:n], covariance.known_se[:n]
        half = covariance.quantiles.two_sided(self.level) * se
        p = covariance.quantiles.p_value(weight / se)
        is_factor = np.array([name != FIRST for name in fit.names[:n]])
        q = np.full(n, np.nan)
        q[is_factor] = adjust_bh(p[is_factor])
        names = fit.names[:n]
        return pd.DataFrame(
            {
                "judge": judge, "factor": names, "weight": floats(weight), "se": floats(se),
                "lower": floats(weight - half), "upper": floats(weight + half), "effect": floats(100 * expit(weight)),
                "effect_lower": floats(100 * expit(weight - half)), "effect_upper": floats(100 * expit(weight + half)),
                "p": floats(p), "q": floats(q),
                "scale": floats([data.scales[name].value if name != FIRST else None for name in names]),
                "vif": floats([fit.vif.get(name) for name in names]),
                "missing": integers([data.missing[name].get(judge, 0) if name != FIRST else None for name in names]),
            }
        )  # fmt: skip

    def _caption(self, fits: Mapping[str, tuple[FactorFit, Covariance]], data: FactorData) -> str:
        judges = ", ".join(f"{j} ({words.plural(fit.n_judgments, 'judgment')})" for j, (fit, _) in fits.items())
        methods = sorted({covariance.method for _, covariance in fits.values()})
        position = "; a position term is fitted" if data.has_position else ""
        return (
            f"Logistic regression of the verdicts of {judges} on {n_factors([f for f, _ in fits.values()])}, without "
            f"an intercept ({CODINGS[self.coding]}); {words.plural(data.prompts, 'prompt')}; {words.ties(self.ties)}"
            f"{position}; {words.percent(self.level)} intervals, " + words.ranges(methods) + "."
        )


def n_factors(fits: Sequence[FactorFit]) -> str:
    """How many factors are in the fits, in words: `29 factors`, or `27 to 29 factors`."""
    few, most = min(len(fit.factors) for fit in fits), max(len(fit.factors) for fit in fits)
    return words.plural(most, "factor") if few == most else f"{few:,} to {words.plural(most, 'factor')}"


def noiseless(names: Sequence[str], covariance: Covariance) -> list[str]:
    """Of which weights nothing tells how sure they are, as every cluster says the same of them."""
    gone = [name for name, se in zip(names, covariance.known_se, strict=True) if np.isnan(se)]
    if not gone:
        return []
    what = "judgment" if covariance.clustering.name == "none" else covariance.clustering.name.split("+")[0]
    return [f"every {what} says the same of {words.quoted(gone, 6)}, so nothing tells how sure these weights are"]


def judge_row(judge: str, fit: FactorFit, covariance: Covariance) -> dict[str, Any]:
    """What stands behind a judge's weights."""
    return {
        "judge": judge, "judgments": fit.n_judgments, "pairs": fit.n_pairs, "factors": len(fit.factors),
        "clusters": covariance.n_clusters or None, "clustering": covariance.clustering.name,
        "intervals": covariance.method, "log_likelihood": fit.log_likelihood,
        "unknown_order": fit.n_unknown_order if fit.has_position else None,
    }  # fmt: skip


def left_out(dropped: Mapping[str, Mapping[str, str]]) -> pd.DataFrame:
    """Factors that could not be estimated: judge, factor, cause."""
    rows = [
        {"judge": judge, "factor": factor, "cause": cause}
        for judge, causes in dropped.items()
        for factor, cause in causes.items()
    ]
    return pd.DataFrame(rows, columns=["judge", "factor", "cause"])


def about_fit(dropped: Mapping[str, str], vif: Mapping[str, float], n_pairs: int) -> list[str]:
    """What a reader must know of a fit: factors left out, collinear groups, too little data."""
    said = []
    by_reason: dict[str, list[str]] = {}
    for name, why in dropped.items():
        by_reason.setdefault(why, []).append(name)
    for why, names in by_reason.items():
        if len(names) == 1:
            said.append(f"{words.quoted(names)} is left out: {why}")
        else:
            said.append(f"{words.quoted(names, 8)} are left out: of each, {why}")
    inflated = [name for name, value in vif.items() if value > INFLATED]
    if inflated:
        said.append(
            f"{words.quoted(inflated, 8)} go together so closely (variance inflation above {INFLATED:g}) that their "
            "weights are hardly told apart; leave some of them out to see what the others say"
        )
    if n_pairs and n_pairs < FEW_PAIRS * len(vif):
        said.append(
            f"{words.plural(n_pairs, 'pair')} for {words.plural(len(vif), 'factor')} are few: with less than "
            f"{FEW_PAIRS} for each, weights come out too far from 0"
        )
    return said
