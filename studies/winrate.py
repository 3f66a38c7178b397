"""How often does each model win against a baseline, as judged, and if its answers were as long?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from analysis.difficulty import PRIOR_SD
from analysis.length_control import LengthControl, control_length
from analysis.vcov import Clustering, choose_clustering
from analysis.winrate import Bools, Duels, WinRates, method, win_rates
from charts import words
from data import queries
from data.model import Progress, option
from data.queries import Catalog, winrate
from data.store import Store
from errors import EmptySelectionError, OptionError, unknown_name
from studies.cells import cluster_columns, require_models
from studies.rank import check_annotators
from studies.study import Fitted, Result, register

NONE = "none"
"""A twin of this name is no twin: the guard is left out although the dataset has its rows."""

FEW_MODELS = 10
"""Models below which the rates at equal length are told to rest on a rough idea of each prompt's difficulty."""


@dataclass(frozen=True)
class Judged:
    """One judge's win rates, plain and (where asked for) length-controlled."""

    duels: Duels
    plain: WinRates
    controlled: LengthControl | None


@register
@dataclass(frozen=True)
class WinRate(Fitted):
    """Win rates against a baseline in percent, plain and length-controlled as in AlpacaEval 2."""

    command: ClassVar[str] = "winrate"
    title: ClassVar[str] = "Win rates against a baseline"
    shown: ClassVar[Mapping[str, str] | None] = {
        "model": "model", "win_rate": "win rate, %", "interval": "interval", "lc_win_rate": "at equal length, %",
        "lc_interval": "interval at equal length", "length_coefficient": "length effect", "judgments": "judgments",
    }  # fmt: skip

    baseline: str | None = option(
        None, "the model the others are held against; left out: the one with the most judgments", label="Baseline"
    )
    length_controlled: bool = option(
        False, "also the win rate if answers were as long as the baseline's", label="Hold length equal"
    )
    verbose_twin: str | None = option(
        None,
        "the baseline told to be verbose, whose judgments guard the length effects; left out: BASELINE_verbose where "
        "there is one; none: no such guard",
        advanced=True,
    )
    concise_twin: str | None = option(
        None, "the baseline told to be concise; left out: BASELINE_concise where there is one; none: no such guard",
        advanced=True,
    )  # fmt: skip
    position: bool = option(
        False, "estimate and take out the advantage of the response shown first", label="Position term", advanced=True
    )

    def resolve(self, store: Store) -> Self:
        study = super().resolve(store)
        with store.reading("finding the baseline") as con:
            names = queries.catalog(con, study)
            require_models(names, "there is nothing to hold against a baseline: win rates need")
            judged = winrate.models_judged(con, queries.where(study._with(study.baseline), names, study.ties))
        for name in (self.baseline, self.verbose_twin, self.concise_twin):
            if name not in (None, NONE, *names.models):
                raise unknown_name(f"model in dataset {names.dataset!r}", str(name), names.models)
        if not study.length_controlled:
            for name in ("position", "verbose_twin", "concise_twin"):
                if getattr(study, name) not in (None, False):
                    raise OptionError(
                        f"--{name.replace('_', '-')} is for length-controlled win rates: add --length-controlled"
                    )
        by_id = {i: name for name, i in names.models.items()}
        met = {by_id[i]: n for i, n in judged.items() if i in by_id}
        baseline = study.baseline
        if baseline is None:
            queries.require_rows(len(met), "on two named models with a verdict")
            # Not the first of the file: results do not depend on the order of its rows.
            baseline = min(met, key=lambda name: (-met[name], names.display.real("model", name)))
        elif baseline not in met:
            often = words.listing([repr(name) for name in met], 3) if met else "none"
            raise EmptySelectionError(
                f"no judgment of this selection holds a model against {baseline!r}: choose another --baseline (with "
                f"judgments: {often}) or widen the selection"
            )
        study = replace(study, baseline=baseline)
        if not study.length_controlled:
            return study
        plain, here = names.display.real("model", baseline), names.display.here
        twins = {m: here("model", f"{plain}_{m}") for m in ("verbose", "concise")}
        usual = {m: twin if twin in names.models else None for m, twin in twins.items()}
        return replace(
            study,
            verbose_twin=study.verbose_twin or usual["verbose"],
            concise_twin=study.concise_twin or usual["concise"],
        )

    @property
    def _twins(self) -> list[str]:
        return [twin for twin in (self.verbose_twin, self.concise_twin) if twin is not None and twin != NONE]

    def _with(self, baseline: str | None) -> Self:
        """The selection with the baseline among its models: whoever names models means those held against it."""
        if not self.model or baseline is None or baseline in self.model:
            return self
        return replace(self, model=(*self.model, baseline))

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "fetching judgments and lengths" if self.length_controlled else "fetching judgments")
        with store.reading("win rates") as con:
            names = queries.catalog(con, self)
            baseline = names.models[str(self.baseline)]
            selection = self._with(self.baseline)
            condition = winrate.against(queries.where(selection, names, self.ties), baseline)
            extent = queries.extent(con, condition)
            everything = winrate.against(queries.where(selection, names, ranked=False), baseline)
            refused = winrate.without_verdict(con, everything)
            fingerprint = queries.fingerprint(con, names, self.judge)
            queries.require_rows(extent["judgments"], f"of a model against {self.baseline!r} with a verdict")
            clustering = choose_clustering(self.cluster, extent["prompts"])
            check_annotators(clustering, extent)
            if self.position and extent["known_order"] == 0:
                raise OptionError("--position: this file does not record which response was shown first")
            ways = cluster_columns(clustering)
            if self.length_controlled and self.model:
                # How difficult a prompt is, and what twins show, is known from the models that are not asked for too.
                condition = winrate.against(queries.where(replace(self, model=()), names, self.ties), baseline)
            columns = winrate.duels(con, condition, baseline, ways, lengths=self.length_controlled)
        found: dict[str, Judged] = {}
        warnings: list[str] = []
        for k, judge in enumerate(self.judge):
            progress(k / len(self.judge), f"win rates by {judge}")
            duels = _duels(columns, names, names.judges[judge][0], ways, self.position)
            if not self._asked(duels).any():
                warnings.append(f"{judge}: no judgment of this selection holds a model against {self.baseline}")
                continue
            found[judge] = self._judge(duels, clustering, progress, judge)
        for judge, one in found.items():
            said = self._warnings(one)
            warnings += [f"{judge}: {w}" if len(self.judge) > 1 else w for w in said]
        if refused:
            warnings.append(f"left out: {words.plural(refused, 'judgment')} without a verdict (refused or invalid)")
        progress(1.0, "done")
        return Result(
            study=self,
            tables={
                "winrates": pd.concat([self._table(j, one) for j, one in found.items()], ignore_index=True),
                "judges": pd.DataFrame([self._judge_row(j, one) for j, one in found.items()]),
            },
            values={},
            settings=self.settings() | {"clustering": clustering.name, "clustering_chosen": clustering.chosen},
            warnings=tuple(dict.fromkeys(warnings)),
            caption=self._caption(found, extent),
            fingerprint=fingerprint,
        )

    def _judge(self, duels: Duels, clustering: Clustering, progress: Progress, judge: str) -> Judged:
        begin, part = self.judge.index(judge) / len(self.judge), 1 / len(self.judge)
        mine = duels.take(self._asked(duels))
        plain = win_rates(mine, clustering)
        if not self.length_controlled or mine.length is None or not np.isfinite(mine.length).any():
            return Judged(mine, plain, None)
        controlled = control_length(
            duels,
            clustering,
            twins=self._twins,
            position=self.position,
            only=plain.models,
            report=lambda share: progress(begin + share * part, f"holding lengths equal for {judge}"),
        )
        return Judged(mine, plain, controlled)

    def _asked(self, duels: Duels) -> Bools:
        """Which rows are on models of the selection."""
        asked = [k for k, name in enumerate(duels.models) if not self.model or name in self.model]
        return np.isin(duels.model, asked)

    def _table(self, judge: str, one: Judged) -> pd.DataFrame:
        table = one.plain.table(self.level)
        if self.length_controlled:
            control = LengthControl((), {}, 0, 0, ()) if one.controlled is None else one.controlled
            own = control.table(self.level).set_index("model").reindex(table["model"])
            place = list(table.columns).index("judgments")
            for k, column in enumerate(own.columns):
                table.insert(place + k, column, own[column].astype("Float64").reset_index(drop=True))
            table = table.sort_values("lc_win_rate", ascending=False, kind="stable", ignore_index=True)
        table.insert(0, "judge", judge)
        return table

    def _judge_row(self, judge: str, one: Judged) -> dict[str, Any]:
        row: dict[str, Any] = {
            "judge": judge, "baseline": self.baseline, "models": len(one.plain.models),
            "judgments": len(one.duels.model), "prompts": len(np.unique(one.duels.prompt)),
            "intervals": method(one.plain.covariance),
        }  # fmt: skip
        if self.length_controlled:
            control = one.controlled
            row |= {
                "controlled": 0 if control is None else len(control.models),
                "difficulty_from": 0 if control is None else control.n_difficulty,
                "without_text": len(one.duels.model) if control is None else control.n_without_text,
                "guarded_by": "" if control is None else ", ".join(control.twins),
            }
        return row

    def _warnings(self, one: Judged) -> list[str]:
        plain, control = one.plain, one.controlled
        said = [f"no interval for {who}: {why}" for why, who in _by_reason(plain.reasons)]
        for covariance in plain.covariance:
            said += covariance.warnings if covariance is not None else ()
        if not self.length_controlled:
            return list(dict.fromkeys(said))
        if control is None:
            said.append("no texts of the responses are here, so lengths are unknown: plain win rates only")
            return list(dict.fromkeys(said))
        for why, who in _by_reason({m: r for m, r in control.reasons.items() if m not in _fitted(control)}):
            said.append(f"no length-controlled win rate for {who}: {why}")
        for fit in control.models:
            said += fit.covariance.warnings if fit.covariance is not None else ()
        far = [fit.model for fit in control.models if fit.near_equal < 0.05]
        if far:
            said.append(
                f"fewer than 5 % of the judgments on {words.listing(far, 5)} compare answers of about equal length "
                "(within half a standard deviation), so the rate at equal length is an extrapolation"
            )
        steep = [fit.model for fit in control.models if abs(fit.length) > PRIOR_SD]
        if steep:
            said.append(
                f"length alone decides nearly every verdict on {words.listing(steep, 5)}, so the rate at equal length "
                "rests on few judgments"
            )
        if control.n_without_text:
            n = words.plural(control.n_without_text, "judgment")
            said.append(f"left out of the length control: {n} of which a text is absent")
        if control.failure is not None:
            said.append(control.failure)
        elif not control.n_difficulty and control.models:
            said.append(
                "with fewer than three models the difficulty of the prompts cannot be estimated and is not in the "
                "model: where answers of equal length go with easy prompts, the rate at equal length is points too high"
            )
        elif 0 < control.n_difficulty < FEW_MODELS:
            said.append(
                f"the difficulty of the prompts is known from {control.n_difficulty} models only, so some of what easy "
                "prompts do may be taken for length"
            )
        for twin in self._twins:
            if twin not in control.twins:
                said.append(f"no judgments on {twin} are here, so it cannot guard the length effects")
        return list(dict.fromkeys(said))

    def _caption(self, found: Mapping[str, Judged], extent: Mapping[str, int]) -> str:
        judges = ", ".join(f"{j} ({words.plural(len(one.duels.model), 'judgment')})" for j, one in found.items())
        intervals = method(c for one in found.values() for c in one.plain.covariance)
        level = words.percent(self.level)
        said = f"{level} intervals, symmetric in log-odds, {intervals}" if intervals else "no intervals"
        n_models = len({m for one in found.values() for m in one.plain.models})
        text = (
            f"Win rates of {words.plural(n_models, 'model')} against {self.baseline} in percent, by {judges}; "
            f"{words.amounts(pair=extent['pairs'], prompt=extent['prompts'])}; {words.ties(self.ties)}; {said}."
        )
        controls = [one.controlled for one in found.values() if one.controlled is not None]
        if not controls:
            return text
        known_from = max(c.n_difficulty for c in controls)
        difficulty = f"and the difficulty of the prompt (from {known_from} models) " if known_from else ""
        position = "and the position " if self.position else ""
        twins = sorted({twin for c in controls for twin in c.twins})
        guard = f"; length effects guarded by {words.listing(twins)} with weight .2" if twins else ""
        return (
            f"{text} Length-controlled: logistic regression on the difference in characters {difficulty}{position}"
            f"(Dubois et al. 2024), at equal length; intervals of the whole estimator{guard}."
        )


def _duels(columns: winrate.Columns, names: Catalog, judge_id: int, ways: tuple[str, ...], position: bool) -> Duels:
    """One judge's rows, over the models it met in alphabetical order."""
    mine = np.flatnonzero(columns["judge_id"] == judge_id)
    rows = {name: column[mine] for name, column in columns.items()}
    met = set(np.unique(rows["model"]).tolist())
    models = tuple(names.display.alphabetically("model", (name for name, i in names.models.items() if i in met)))
    place = np.full(max(names.models.values()) + 1, -1, dtype=np.int64)
    for k, name in enumerate(models):
        place[names.models[name]] = k
    return Duels(
        models=models,
        model=place[rows["model"]],
        weight=rows["weight"],
        score=rows["score"],
        prompt=rows["prompt"],
        pair=rows["pair"],
        length=rows.get("length"),
        first=rows["first"].astype(np.float64) if position else None,
        clusters={way: rows[way] for way in ways},
    )


def _fitted(control: LengthControl) -> set[str]:
    return {fit.model for fit in control.models}


def _by_reason(reasons: Mapping[str, str]) -> list[tuple[str, str]]:
    """(reason, the models it holds for) in the order first met."""
    by: dict[str, list[str]] = {}
    for model, reason in reasons.items():
        by.setdefault(reason, []).append(model)
    return [(reason, words.listing(models, 5)) for reason, models in by.items()]
