"""Where do a judge's reasons part from the reference's: in taste, or only in decisiveness?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, cast

import numpy as np
import pandas as pd

from analysis.design import FIRST
from analysis.factor_gap import FactorGap, find_factor_gap, find_factor_gap_within, shared, smallest_gap
from analysis.strengths import Ties
from analysis.tables import floats
from analysis.vcov import choose_clustering
from charts import words
from data.model import Progress, option
from data.store import Store
from errors import NotIdentifiedError, OptionError
from studies.factor_data import FactorData, cells_of, fetch
from studies.factor_options import CODINGS, Factors, display
from studies.factor_words import gap_line
from studies.factors_fit import about_fit, left_out
from studies.overview import Line
from studies.refused import nobody, require_factors, sentences
from studies.study import Result, register

MOST_WITHIN = 3_000_000
"""Judgments that a fit with fixed effects of models may have: its columns are held for each of them."""

TIMES = (1, 2, 4)
"""What the smallest gap found is told for: the data there are, twice, and four times as much."""


@register
@dataclass(frozen=True)
class FactorsGap(Factors):
    """Each judge's weights minus the reference's, on the pairs both judged, split into decisiveness and taste."""

    command: ClassVar[str] = "factors gap"
    title: ClassVar[str] = "Where reasons part"
    judges: ClassVar[Literal["any", "reference"]] = "reference"
    shown: ClassVar[Mapping[str, str] | None] = {
        "factor": "factor", "weight_ref": "reference", "weight_judge": "judge", "gap_scaled": "net gap",
        "scaled_interval": "net gap, interval", "scaled_q": "q", "ame_gap": "points", "vif": "inflation",
    }  # fmt: skip

    fixed_models: bool = option(
        False, "beside a strength of each model for each judge: a factor then counts within models, not between them",
        label="Model strengths held equal",
    )  # fmt: skip
    margin: float = option(
        0.1, "what counts as no gap, in log-odds: equivalent where the 90 % interval lies inside",
        label="No gap within", advanced=True,
    )  # fmt: skip

    def answer(self, store: Store, progress: Progress) -> Result:
        self.compared()
        if not self.margin > 0:
            raise OptionError(f"--margin {self.margin}: a number of log-odds above 0, usually .1")
        progress(0.0, "joining judgments with their factors")
        return self.answer_from(fetch(store, self, models=self.fixed_models, together=True), progress)

    def answer_from(self, data: FactorData, progress: Progress) -> Result:
        """The answer from what was fetched. data : with models where these are held equal, together"""
        reference, *others = self.judge
        found: dict[str, FactorGap] = {}
        reasons: dict[str, str] = {}
        for k, judge in enumerate(others):
            progress((k + 0.3) / len(others), f"holding {judge}'s reasons against {reference}'s")
            try:
                found[judge] = self._one(data, reference, judge)
            except NotIdentifiedError as error:
                reasons[judge] = str(error)
        if not found:
            raise nobody(reasons)
        warnings = [*sentences(reasons), *data.warnings]
        for judge, one in found.items():
            head = f"{judge}: " if len(others) > 1 else ""
            warnings += [f"{head}{text}" for text in (*about_fit(one.dropped, one.vif, one.n_pairs), *one.warnings)]
        progress(1.0, "done")
        single = next(iter(found.values())) if len(others) == 1 else None
        clustering = next(iter(found.values())).gaps.gap.clustering
        return Result(
            study=self,
            tables={
                "gaps": pd.concat([self._gaps(judge, one) for judge, one in found.items()], ignore_index=True),
                "judges": pd.DataFrame([self._judge_row(judge, one) for judge, one in found.items()]),
                "power": pd.concat([self._power(judge, one) for judge, one in found.items()], ignore_index=True),
                "left_out": left_out({judge: one.dropped for judge, one in found.items()}),
            },
            values={"scale": None if single is None else self._scale(single)},
            settings=self.settings() | {
                "reference": reference, "clustering": clustering.name, "clustering_chosen": clustering.chosen,
                "position_fitted": any(FIRST in one.names for one in found.values()),
            },
            warnings=tuple(dict.fromkeys(warnings)),
            caption=" ".join(self._caption(judge, one, reference, data) for judge, one in found.items()),
            fingerprint=data.fingerprint,
        )  # fmt: skip

    @classmethod
    def overview(cls, results: Sequence[Result]) -> Line | None:
        judges = pd.concat([r.table("judges") for r in results], ignore_index=True)
        gaps = pd.concat([r.table("gaps") for r in results], ignore_index=True)
        settings = results[0].settings
        labels = {str(f): display(str(f)) for f in gaps["factor"]}
        return gap_line(settings["reference"], judges, gaps, labels, settings["level"], settings["ties"])

    def _one(self, data: FactorData, reference: str, judge: str) -> FactorGap:
        require_factors(data, reference, judge)
        ties, names = cast(Ties, self.ties), (reference, judge)
        two = shared(data.design[reference], data.design[judge])
        # The pairs in common may be of fewer prompts than the selection.
        prompts = np.concatenate([design.clusters["prompt"] for design in two])
        clustering = choose_clustering(self.cluster, len(np.unique(prompts)))
        if not self.fixed_models:
            return find_factor_gap(*two, clustering, ties=ties, names=names, margin=self.margin)
        if not data.names.models:
            raise NotIdentifiedError(
                f"dataset {data.names.dataset!r} names no models, so their strengths cannot be held equal"
            )
        if sum(len(design) for design in two) > MOST_WITHIN:
            raise OptionError(
                f"--fixed-models holds every column for each judgment, and is for up to {MOST_WITHIN:,} of them: "
                "choose fewer scenarios or models"
            )
        cells = [cells_of(data, name, design) for name, design in zip(names, two, strict=True)]
        models = tuple(data.names.display.alphabetically("model", {*cells[0].models} & {*cells[1].models}))
        if len(models) < 2:
            raise NotIdentifiedError(f"{reference!r} and {judge!r} share no pair of two named models")
        return find_factor_gap_within(
            cells[0].among(models), cells[1].among(models), clustering, ties=ties, names=names, margin=self.margin
        )

    def _gaps(self, judge: str, one: FactorGap) -> pd.DataFrame:
        table = one.table(self.level)
        table.insert(0, "judge", judge)
        return table

    def _power(self, judge: str, one: FactorGap) -> pd.DataFrame:
        """The smallest gap, net of decisiveness, that a test finds with 80 % power, by factor."""
        counted = one.gaps.counted
        table = pd.DataFrame({"judge": judge, "factor": [n for n, yes in zip(one.names, counted, strict=True) if yes]})
        for times in TIMES:
            column = smallest_gap(one.gaps.net_se, one.gaps.gap.quantiles, times, self.level)[counted]
            table[f"smallest_{times}x"] = floats(column)
        return table

    def _scale(self, one: FactorGap) -> dict[str, Any] | None:
        table = one.gaps.scale_table(self.level)
        return {name: table[name].iloc[0] for name in ("value", "lower", "upper")} if len(table) else None

    def _judge_row(self, judge: str, one: FactorGap) -> dict[str, Any]:
        scale = self._scale(one) or {}
        power = smallest_gap(one.gaps.net_se, one.gaps.gap.quantiles, 1, self.level)[one.gaps.counted]
        return {
            "judge": judge, "judgments_ref": one.n_judgments[0], "judgments": one.n_judgments[1], "pairs": one.n_pairs,
            "factors": int(one.gaps.counted.sum()), "clusters": one.gaps.gap.n_clusters or None,
            "clustering": one.gaps.gap.clustering.name, "intervals": one.gaps.gap.method,
            "scale": scale.get("value"), "scale_lower": scale.get("lower"), "scale_upper": scale.get("upper"),
            "smallest_gap": None if np.isnan(power).all() else float(np.nanmedian(power)),
            "not_scaled": one.gaps.not_scaled,
        }  # fmt: skip

    def _caption(self, judge: str, one: FactorGap, reference: str, data: FactorData) -> str:
        scale = one.gaps.scale
        decisive = "" if scale is None else (
            f" Net gaps are {judge} {'−' if scale.value >= 0 else '+'} {words.number(abs(scale.value))} × {reference}: "
            "net of decisiveness."
        )  # fmt: skip
        position = "; a position term is fitted for each judge" if FIRST in one.names else ""
        beside = ", beside a strength of each model" if self.fixed_models else ""
        ref, own = one.n_judgments
        return (
            f"Weights of {words.plural(int(one.gaps.counted.sum()), 'factor')} in the verdicts of {reference} "
            f"({words.plural(ref, 'judgment')}) and {judge} ({words.plural(own, 'judgment')}) on the "
            f"{words.plural(one.n_pairs, 'pair')} that both judged: logistic regression without an intercept{beside} "
            f"({CODINGS[self.coding]}); {words.ties(self.ties)}{position}; {words.percent(self.level)} intervals, "
            f"{one.gaps.gap.method}.{decisive}"
        )
