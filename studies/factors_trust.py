"""May a judge's weights be believed? Split halves, prompts held out, and factors that go together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
import pandas as pd

from analysis.collinear import Collinear, find_collinear
from analysis.factor_fit import FactorFit
from analysis.factor_gap import shared
from analysis.factor_told import fit_told
from analysis.held_out import HeldOut, hold_out
from analysis.reliability import Corrected
from analysis.strengths import Ties
from analysis.tables import floats, integers
from analysis.vcov import FEW_PROMPTS
from analysis.weight_reliability import SPLITS, SplitHalf, Way, analytic_reliability, correct_weights, split_weights
from charts import words
from data.model import Progress
from data.queries import Catalog
from data.store import Store
from errors import NotIdentifiedError
from studies import trust_words
from studies.factor_data import FactorData, fetch
from studies.factor_options import CODINGS, Factors
from studies.factors_fit import INFLATED, left_out, n_factors
from studies.refused import nobody, sentences
from studies.study import Result, register

LENGTHS = ("words", "text:words", "characters", "text:characters")
"""Factors that are the length of an answer, the first that is there before the others."""


@dataclass(frozen=True)
class _Trust:
    """One judge's. why : by "halves", "analytic" and "held_out" what could not be told, and the reason"""

    fit: FactorFit
    halves: SplitHalf | None
    analytic: float | None
    held: HeldOut | None
    collinear: Collinear
    why: Mapping[str, str]


@register
@dataclass(frozen=True)
class FactorsTrust(Factors):
    """Split-half reliability of weights, verdicts predicted on prompts held out, and collinear groups."""

    command: ClassVar[str] = "factors trust"
    title: ClassVar[str] = "May the weights be believed?"
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "reliability": "reliability of weights", "interval": "range of splits",
        "analytic": "analytic", "factors": "factors", "clusters": "clusters", "judgments": "judgments",
    }  # fmt: skip

    def default_judges(self, names: Catalog) -> tuple[str, ...]:
        """All judges, the human one first where there is one: the others' weights are held against its."""
        humans = names.humans
        first = (humans[0],) if len(humans) == 1 else ()
        return (*first, *(judge for judge in names.judges if judge not in first))

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "joining judgments with their factors")
        data = fetch(store, self)
        way: Way = "pair" if data.prompts < FEW_PROMPTS or self.cluster == "pair" else "prompt"
        length = next((name for name in LENGTHS if name in self.factor), None)
        found: dict[str, _Trust] = {}
        reasons: dict[str, str] = {}
        for k, judge in enumerate(self.judge):
            text = f"fitting halves of {judge}'s {way}s"

            def tell(share: float, k: int = k, text: str = text) -> None:
                progress(0.05 + 0.9 * (k + share) / len(self.judge), text)

            tell(0.0)
            try:
                found[judge] = self._one(data, judge, way, length, tell)
            except NotIdentifiedError as error:
                reasons[judge] = str(error)
        if not found:
            raise nobody(reasons)
        progress(0.96, "holding weights against one another")
        together = find_collinear([data.design[judge] for judge in found])
        agreement = self._agreement(data, [judge for judge in self.judge if judge in found])
        progress(1.0, "done")
        single = next(iter(found.values())) if len(found) == 1 else None
        return Result(
            study=self,
            tables={
                "judges": self._judges(found),
                "held_out": self._held_out(found),
                "vif": _vif(found, together),
                "groups": _groups(together),
                "agreement": agreement,
                "left_out": left_out({judge: one.fit.dropped for judge, one in found.items()}),
            },
            values=self._values(single),
            settings=self.settings() | {
                "clustering": data.clustering.name, "clustering_chosen": data.clustering.chosen, "halves_of": way,
                "splits": SPLITS, "length": length, "position_fitted": data.has_position,
            },
            warnings=tuple(dict.fromkeys([*sentences(reasons), *self._remarks(data, found, together, way, length)])),
            caption=self._caption(data, found, way),
            fingerprint=data.fingerprint,
        )  # fmt: skip

    def _one(
        self, data: FactorData, judge: str, way: Way, length: str | None, tell: Callable[[float], None]
    ) -> _Trust:
        fit, design = fit_told(data.design[judge], data.clustering, ties=cast(Ties, self.ties))
        used, why = fit.used(design), {}
        halves = analytic = held = None
        try:
            rng = np.random.default_rng(self.seed)
            halves = split_weights(fit, used, way, rng, report=lambda share: tell(0.7 * share))
        except NotIdentifiedError as error:
            why["halves"] = str(error)
        try:
            analytic = analytic_reliability(fit, used, way)
        except NotIdentifiedError as error:
            why["analytic"] = str(error)
        tell(0.8)
        try:
            rng = np.random.default_rng(self.seed)
            held = hold_out(
                fit, used, data.clustering, rng, length=length, report=lambda share: tell(0.8 + 0.2 * share)
            )
        except NotIdentifiedError as error:
            why["held_out"] = str(error)
        return _Trust(fit, halves, analytic, held, find_collinear([design]), why)

    def _agreement(self, data: FactorData, judges: list[str]) -> pd.DataFrame:
        """The judges' weights against the first judge's, net of noise."""
        rows: list[dict[str, Any]] = []
        for judge in judges[1:]:
            row: dict[str, Any] = {"reference": judges[0], "judge": judge}
            try:
                one, other = shared(data.design[judges[0]], data.design[judge])
                prompts = len(np.union1d(one.clusters["prompt"], other.clusters["prompt"]))
                net: Corrected = correct_weights(one, other, ties=cast(Ties, self.ties), n_prompts=prompts)
            except NotIdentifiedError as error:
                rows.append(row | {"note": str(error)})
                continue
            value = net.interval(self.level)
            rows.append(
                row | {
                    "pearson": net.raw, "corrected": value.value, "lower": value.lower, "upper": value.upper,
                    "reliability_ref": net.reliability[0], "reliability_judge": net.reliability[1],
                    "clusters": net.n_clusters, "clustered_by": net.clusters, "note": net.why_not or net.warning,
                }
            )  # fmt: skip
        table = pd.DataFrame(
            rows, columns=["reference", "judge", "pearson", "corrected", "lower", "upper", "reliability_ref",
                           "reliability_judge", "clusters", "clustered_by", "note"],
        )  # fmt: skip
        for column in ("pearson", "corrected", "lower", "upper", "reliability_ref", "reliability_judge"):
            table[column] = floats([row.get(column) for row in rows])
        table["clusters"] = integers([row.get("clusters") for row in rows])
        return table

    def _judges(self, found: Mapping[str, _Trust]) -> pd.DataFrame:
        rows = list(found.values())
        halves = [None if one.halves is None else one.halves.interval(self.level) for one in rows]
        all_of = [None if one.held is None else one.held.table(self.level).iloc[0] for one in rows]
        table = pd.DataFrame({"judge": list(found)})
        table["reliability"] = floats([None if one is None else one.value for one in halves])
        table["lower"] = floats([None if one is None else one.lower for one in halves])
        table["upper"] = floats([None if one is None else one.upper for one in halves])
        table["n_splits"] = integers([None if one.halves is None else len(one.halves.halves) for one in rows])
        table["mean_factors"] = floats([None if one.halves is None else one.halves.mean_factors for one in rows])
        table["analytic"] = floats([one.analytic for one in rows])
        table["accuracy"] = floats([None if row is None else float(row["accuracy"]) for row in all_of])
        table["factors"] = integers([len(one.fit.factors) for one in rows])
        table["clusters"] = integers([None if one.halves is None else one.halves.n_clusters for one in rows])
        table["halves_of"] = _texts([None if one.halves is None else f"{one.halves.way}s" for one in rows])
        table["judgments"] = integers([one.fit.n_judgments for one in rows])
        table["pairs"] = integers([one.fit.n_pairs for one in rows])
        table["note"] = _texts([one.why.get("halves") for one in rows])
        return table

    def _held_out(self, found: Mapping[str, _Trust]) -> pd.DataFrame:
        parts = []
        for judge, one in found.items():
            if one.held is not None:
                part = one.held.table(self.level)
                part.insert(0, "judge", judge)
                part["folds"] = one.held.n_folds
                part["held_out"] = f"{one.held.way}s"
                parts.append(part)
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame({"judge": [], "model": []}, dtype="str")

    def _values(self, single: _Trust | None) -> dict[str, Any]:
        """Of a single judge: for checks in scripts."""
        if single is None:
            return {}
        out: dict[str, Any] = {}
        if single.halves is not None:
            span = single.halves.interval(self.level)
            out["reliability"] = {"value": span.value, "lower": span.lower, "upper": span.upper}
        if single.held is not None:
            row = single.held.table(self.level).iloc[0]
            out["accuracy"] = {"value": row["accuracy"], "lower": row["lower"], "upper": row["upper"]}
            out["log_loss"] = {
                "value": row["log_loss"], "lower": row["log_loss_lower"], "upper": row["log_loss_upper"],
            }  # fmt: skip
        return out

    def _remarks(
        self, data: FactorData, found: Mapping[str, _Trust], together: Collinear, way: Way, length: str | None
    ) -> list[str]:
        said = [*data.warnings, *trust_words.of_weights({j: one.halves for j, one in found.items()})]
        said += trust_words.of_groups(together)
        if way == "pair":
            said.append(trust_words.pairs_split(data.prompts))
        if length is None:
            said.append("held-out figures have no length-only model: no factor here is words or characters")
        for judge, one in found.items():
            head = f"{judge}: " if len(found) > 1 else ""
            told = [] if one.held is None else trust_words.of_held_out(one.held, self.level, length)
            said += [f"{head}{text}" for text in (*one.why.values(), *told)]
        if data.clustering.warning:
            said.append(data.clustering.warning)
        return said

    def _caption(self, data: FactorData, found: Mapping[str, _Trust], way: Way) -> str:
        judges = ", ".join(f"{j} ({words.plural(one.fit.n_judgments, 'judgment')})" for j, one in found.items())
        held = next((one.held for one in found.values() if one.held is not None), None)
        folds = "" if held is None else (
            f" Held out: {held.n_folds} folds of {held.way}s; {words.percent(self.level)} intervals"
            + ("" if held.covariance is None else f", {held.covariance.method}") + "; fitted weights taken as they are."
        )  # fmt: skip
        return (
            f"Logistic regression of the verdicts of {judges} on {n_factors([one.fit for one in found.values()])} "
            f"({CODINGS[self.coding]}); {words.plural(data.prompts, 'prompt')}; {words.ties(self.ties)}"
            f"{'; a position term is fitted' if data.has_position else ''}. Reliability: Pearson correlation of the "
            f"weights of two random halves of the {way}s, mean of {SPLITS} splits stepped up by Spearman and Brown, "
            f"with the range of {words.percent(self.level)} of the splits.{folds}"
        )


def _texts(values: list[str | None]) -> pd.Series:
    return pd.Series(values, dtype="str")


def _vif(found: Mapping[str, _Trust], together: Collinear) -> pd.DataFrame:
    """Of each judge's factors: variance inflation, and the factor that goes most with it."""
    group = {name: k + 1 for k, one in enumerate(together.groups) for name in one.factors}
    rows: list[dict[str, Any]] = []
    for judge, one in found.items():
        for name in one.fit.factors:
            nearest = one.collinear.nearest(name)
            rows.append(
                {"judge": judge, "factor": name, "vif": one.fit.vif[name],
                 "nearest": None if nearest is None else nearest[0],
                 "correlation": None if nearest is None else nearest[1], "group": group.get(name),
                 "inflated": one.fit.vif[name] > INFLATED}
            )  # fmt: skip
    table = pd.DataFrame(rows, columns=["judge", "factor", "vif", "nearest", "correlation", "group", "inflated"])
    table["correlation"] = floats([row["correlation"] for row in rows])
    table["group"] = integers([row["group"] for row in rows])
    return table


def _groups(together: Collinear) -> pd.DataFrame:
    """Factors of which any two correlate at .7 or more, over the judgments of all judges."""
    groups = together.groups
    return pd.DataFrame(
        {
            "group": integers([k + 1 for k in range(len(groups))]),
            "factors": pd.Series([", ".join(one.factors) for one in groups], dtype="str"),
            "n_factors": integers([len(one.factors) for one in groups]),
            "lowest": floats([one.lowest for one in groups]),
            "highest": floats([one.highest for one in groups]),
        }
    )
