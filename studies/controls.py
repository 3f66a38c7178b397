"""Would the order change with length and style held equal? Raw and controlled rankings side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self, cast

import numpy as np
import pandas as pd

from analysis.controls import Contrast, Controlled, Normalisation, control
from analysis.strengths import TIE_NAMES, Ties
from analysis.tables import integers
from analysis.vcov import Clustering, choose_clustering
from charts import words
from data import queries
from data.model import Progress, option
from data.queries import Catalog, Con
from data.queries import texts as texts_queries
from data.queries.texts import FactorRows
from data.store import Store
from errors import NotIdentifiedError, OptionError
from studies.cells import cluster_columns, judge_cells, models_met, require_hard, require_models
from studies.extract import versions
from studies.factor_judgments import FactorJudgments, choose_factors, fetch
from studies.rank import check_annotators
from studies.study import Fitted, Result, register

STYLE = ("words", "lists", "headers", "bold", "citations")
"""What is held equal unless somebody says otherwise."""

INFLATED = 5.0
"""Variance inflation above which the weights of factors are hardly told apart."""

METHODS = {
    "rms": "differences a − b divided by their root mean square over all pairs of the dataset",
    "fastchat": "z-scores of (a − b)/(a + b + 1), coefficients and strengths shrunk as published (FastChat)",
    "arena-rank": "z-scores of (a − b)/(a + b), coefficients shrunk as published (arena-rank)",
}
SHRUNK = {
    "fastchat": "coefficients and strengths are shrunk as published (FastChat): the summed log-loss plus "
    "(0.5/2)·‖parameters‖². Intervals cover the shrunk values",
    "arena-rank": "coefficients are shrunk strongly, as published (arena-rank): the mean log-loss plus "
    "½·‖coefficients‖², each judgment weighing 1/max(judgments of its two models, 50). Intervals cover the shrunk "
    "values",
}


@register
@dataclass(frozen=True)
class Controls(Fitted):
    """Bradley-Terry with covariates: each judge's ranking raw, and with length and style held equal."""

    command: ClassVar[str] = "control"
    title: ClassVar[str] = "Length and style held equal"
    reads_others: ClassVar[bool] = True
    models_ties: ClassVar[bool] = True
    shown: ClassVar[Mapping[str, str] | None] = {
        "model": "model", "raw_rank": "raw rank", "controlled_rank": "rank, held equal", "raw": "raw strength",
        "controlled": "held equal", "change": "change", "change_interval": "change, interval", "q": "q",
    }  # fmt: skip

    factor: tuple[str, ...] = option(
        (),
        "a factor to hold equal (repeatable); left out: words, lists, headers, bold and citations",
        label="Hold equal",
    )
    normalisation: str = option(
        "rms",
        "how differences enter: over one scale without shrinking, or as in one of two published style controls",
        label="Method",
        choices=("rms", "fastchat", "arena-rank"),
        advanced=True,
    )
    position: bool = option(
        False, "estimate and take out the advantage of the response shown first", label="Position term", advanced=True
    )

    def resolve(self, store: Store) -> Self:
        study = super().resolve(store)
        if study.normalisation != "rms" and (study.position or study.ties in TIE_NAMES):
            what = "--position" if study.position else f"--ties {study.ties}"
            raise OptionError(f"{what}: the published style controls know no such thing; use --normalisation rms")
        with store.reading("looking for models") as con:
            # Measuring texts would not help where nobody can be ranked.
            require_models(queries.catalog(con, study))
        return replace(study, factor=choose_factors(store, study.dataset or "", study.factor, STYLE))

    def stamp(self, con: Con, names: Catalog) -> str:
        return f"{super().stamp(con, names)} {texts_queries.state(con, versions())}"

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "joining judgments with their factors")
        data = fetch(store, self, self.factor, self.position)
        self._check_ratios(data)
        rows = data.complete
        clustering = choose_clustering(self.cluster, len(np.unique(rows.counts.frame["prompt"])))
        check_annotators(clustering, dict(data.extent))
        by_judge = {judge: rows.of(data.names.judges[judge][0]) for judge in self.judge}
        found: dict[str, Controlled] = {}
        warnings: list[str] = []
        for k, (judge, mine) in enumerate(by_judge.items()):
            progress((k + 0.2) / len(by_judge), f"holding {words.listing(list(self.factor))} equal for {judge}")
            try:
                found[judge] = self._one(judge, mine, data, clustering)
            except (NotIdentifiedError, OptionError) as error:
                if len(by_judge) == 1:
                    raise
                warnings.append(f"{judge}: {error}")
        if not found:
            raise NotIdentifiedError("no judge's verdicts determine such a ranking. " + " ".join(warnings))
        warnings += [*self._about_method(), *data.warnings, *self._about_fits(found)]
        progress(1.0, "done")
        return Result(
            study=self,
            tables={
                "models": _joined({judge: one.table(self.level) for judge, one in found.items()}),
                "coefficients": _joined({judge: self._coefficients(judge, one, data) for judge, one in found.items()}),
                "judges": pd.DataFrame([_judge_row(judge, one, by_judge[judge]) for judge, one in found.items()]),
                "scales": _scale_table(data),
                "left_out": _left_out(found),
            },
            values={"judgments": sum(one.n_judgments for one in found.values()), "incomplete": data.n_incomplete},
            settings=self.settings() | {"clustering": clustering.name, "clustering_chosen": clustering.chosen},
            warnings=tuple(dict.fromkeys(warnings)),
            caption=self._caption(found, rows),
            fingerprint=data.fingerprint,
        )

    def _check_ratios(self, data: FactorJudgments) -> None:
        if self.normalisation == "rms":
            return
        for name in self.factor:
            least = min(float(np.nanmin(side[name], initial=0.0)) for side in (data.rows.a, data.rows.b))
            if least < 0:
                raise OptionError(
                    f"--normalisation {self.normalisation} divides by a + b, so needs values from 0 on; {name!r} goes "
                    f"down to {words.number(least)}. Use --normalisation rms"
                )

    def _one(self, judge: str, mine: FactorRows, data: FactorJudgments, clustering: Clustering) -> Controlled:
        if not len(mine):
            raise NotIdentifiedError(f"{judge!r} has no judgment in this selection on responses with these factors")
        if self.ties in TIE_NAMES:
            require_hard(judge, data.n_soft.get(data.names.judges[judge][0], 0), self.ties)
        models = models_met(mine.counts, data.names)
        cells = judge_cells(mine.counts, data.names, judge, models, cluster_columns(clustering), self.position)
        contrasts = {}
        for name in self.factor:
            scale = data.scales[name].value
            contrasts[name] = Contrast(mine.a[name], mine.b[name], scale if np.isfinite(scale) else 0.0)
        return control(
            cells, contrasts, clustering, ties=cast(Ties, self.ties), position=self.position,
            normalisation=cast(Normalisation, self.normalisation),
        )  # fmt: skip

    def _coefficients(self, judge: str, one: Controlled, data: FactorJudgments) -> pd.DataFrame:
        table = one.coefficients(self.level)
        table["missing"] = integers(
            [data.n_missing(name, judge) if name in data.missing else None for name in table["factor"]]
        )
        return table

    def _about_method(self) -> list[str]:
        return [SHRUNK[self.normalisation]] if self.normalisation in SHRUNK else []

    def _about_fits(self, found: Mapping[str, Controlled]) -> list[str]:
        said = []
        for judge, one in found.items():
            head = f"{judge}: " if len(self.judge) > 1 else ""
            said += [f"{head}'{name}' is not held equal: {why}" for name, why in one.dropped.items()]
            inflated = [name for name, vif in one.vif.items() if vif > INFLATED]
            if inflated:
                said.append(
                    f"{head}{words.quoted(inflated)} go together so closely (variance inflation above {INFLATED:g}) "
                    "that their weights are hardly told apart; what is held equal together does not suffer from that"
                )
            if one.left_out:
                some = words.listing([f"{left.model} ({left.cause})" for left in one.left_out])
                said.append(f"{head}without a strength, because not on the common scale: {some}")
            said += [f"{head}{text}" for text in one.warnings]
        return said

    def _caption(self, found: Mapping[str, Controlled], rows: FactorRows) -> str:
        methods = sorted({one.covariance.method for one in found.values()})
        judges = ", ".join(f"{judge} ({words.plural(one.n_judgments, 'judgment')})" for judge, one in found.items())
        held = list(dict.fromkeys(name for one in found.values() for name in one.factors))
        position = "; a position term is fitted" if self.position else ""
        frame = rows.counts.frame
        return (
            f"Bradley-Terry strengths (natural log, mean 0) by {judges}, raw and with {words.listing(held, 10)} held "
            f"equal ({METHODS[self.normalisation]}); "
            f"{words.amounts(**{way: len(np.unique(frame[way])) for way in ('pair', 'prompt')})}; "
            f"{words.ties(self.ties)}{position}; {words.percent(self.level)} intervals, " + words.ranges(methods) + "."
        )


def _joined(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    for judge, table in tables.items():
        table.insert(0, "judge", judge)
    return pd.concat(list(tables.values()), ignore_index=True)


def _judge_row(judge: str, one: Controlled, rows: FactorRows) -> dict[str, Any]:
    frame = rows.counts.frame
    return {
        "judge": judge, "judgments": one.n_judgments, "pairs": len(np.unique(frame["pair"])),
        "prompts": len(np.unique(frame["prompt"])), "models": len(one.raw.models),
        "clusters": one.covariance.n_clusters or None, "clustering": one.covariance.clustering.name,
        "intervals": one.covariance.method, "log_likelihood_raw": one.raw.log_likelihood,
        "log_likelihood": one.fit.log_likelihood,
    }  # fmt: skip


def _scale_table(data: FactorJudgments) -> pd.DataFrame:
    """Of each factor: where it is from, its root mean square difference over the dataset's pairs, and what lacks it."""
    rows = [
        {
            "factor": source.name, "origin": source.origin,
            "scale": data.scales[source.name].value if data.scales[source.name].pairs else None,
            "pairs": data.scales[source.name].pairs, "missing": data.n_missing(source.name),
        }
        for source in data.sources
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _left_out(found: Mapping[str, Controlled]) -> pd.DataFrame:
    rows = [
        {"judge": judge, "model": left.model, "place": left.place, "cause": left.cause, "judgments": left.judgments}
        for judge, one in found.items()
        for left in one.left_out
    ]
    return pd.DataFrame(rows, columns=["judge", "model", "place", "cause", "judgments"])
