"""How sure is each model's place? Every interval of the ranking side by side, and every two models held together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
import pandas as pd

from analysis.bootstrap import Bootstrap, Report, bootstrap_strengths
from analysis.bradley_terry import BradleyTerry
from analysis.cells import Cells, Floats
from analysis.rank_sets import (
    MOST_MODELS,
    Pairwise,
    hold_all_against_all,
    letters,
    overlap_ranks,
    probability_best,
    simultaneous_ranks,
)
from analysis.ranks import WIDTHLESS, Ranking, find_ranks, rank_models
from analysis.sandwich import strength_covariance
from analysis.strengths import TIE_NAMES, Ties
from analysis.tables import floats, integers
from analysis.vcov import Clustering, choose_clustering
from charts import words
from data import queries
from data.model import Progress, option
from data.store import Store
from errors import ConvergenceError, NotIdentifiedError, OptionError
from studies.cells import cluster_columns, judge_cells, models_met, require_hard, require_models
from studies.rank import check_annotators
from studies.refused import nobody, sentences
from studies.study import Fitted, Result, register


@register
@dataclass(frozen=True)
class Places(Fitted):
    """How sure each model's place is: marginal and simultaneous rank intervals, P(best), groups, all pairs."""

    command: ClassVar[str] = "places"
    models_ties: ClassVar[bool] = True
    title: ClassVar[str] = "How sure is each place?"
    shown: ClassVar[Mapping[str, str] | None] = {
        "model": "model", "rank": "rank", "rank_interval": "for this model", "simultaneous_interval": "for all at once",
        "p_best": "P(best)", "group": "letters", "interval": "strength, interval", "naive_ratio": "width against naive",
    }  # fmt: skip

    replicates: int = option(1000, "bootstrap replicates of whole prompts; 0 for none", label="Replicates",
                             advanced=True)  # fmt: skip

    def resolve(self, store: Store) -> Places:
        if not 0 <= self.replicates <= 10_000:
            raise OptionError(f"--replicates {self.replicates}: between 0 and 10,000")
        return super().resolve(store)

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "counting judgments")
        with store.reading("places") as con:
            names = queries.catalog(con, self)
            condition = queries.where(self, names, self.ties)
            extent = queries.extent(con, condition)
            fingerprint = queries.fingerprint(con, names, self.judge)
            require_models(names)
            queries.require_rows(extent["judgments"], "on two named models with a verdict")
            clustering = choose_clustering(self.cluster, extent["prompts"])
            check_annotators(clustering, extent)
            ways = cluster_columns(clustering)
            modelled = self.ties in TIE_NAMES
            counts = queries.counts(con, condition, ways, False, modelled)
            soft = queries.soft_judgments(con, condition) if modelled else {}
        tables: list[pd.DataFrame] = []
        pairs: list[pd.DataFrame] = []
        warnings: list[str] = []
        reasons: dict[str, str] = {}
        methods: list[str] = []
        for k, judge in enumerate(self.judge):
            share = k / len(self.judge)
            progress(share, f"ranking by {judge}")
            mine = counts.of(names.judges[judge][0])
            cells = judge_cells(mine, names, judge, models_met(mine, names), ways)
            try:
                require_hard(judge, soft.get(names.judges[judge][0], 0), self.ties)
                ranking = rank_models(cells, clustering, ties=cast(Ties, self.ties))
            except NotIdentifiedError as error:
                reasons[judge] = str(error)
                continue
            report = _part(progress, share, len(self.judge), f"drawing prompts for {judge}")
            drawn = None
            try:
                drawn = self._bootstrap(ranking, cells, clustering, report)
            except ConvergenceError as error:
                why = f"no bootstrap intervals: {error}"
                warnings.append(f"{judge}: {why}" if len(self.judge) > 1 else why)
            table, between = self._judge(ranking, cells, drawn)
            methods.append(ranking.covariance.method)
            for frame, kept in ((table, tables), (between, pairs)):
                frame.insert(0, "judge", judge)
                kept.append(frame)
            said = [*ranking.warnings, *_said(drawn)]
            if len(ranking.fit.models) > MOST_MODELS:
                said.append(
                    f"with {len(ranking.fit.models):,} models there are rank intervals for one model at a time only: "
                    f"all pairs, groups and bootstrap intervals are for up to {MOST_MODELS:,}; choose fewer to see "
                    "them"
                )
            warnings += [f"{judge}: {w}" if len(self.judge) > 1 else w for w in said]
        if not tables:
            raise nobody(reasons)
        warnings = [*sentences(reasons), *warnings]
        progress(1.0, "done")
        return Result(
            study=self,
            tables={"places": pd.concat(tables, ignore_index=True), "pairs": pd.concat(pairs, ignore_index=True)},
            values={},
            settings=self.settings() | {"clustering": clustering.name, "clustering_chosen": clustering.chosen},
            warnings=tuple(dict.fromkeys(warnings)),
            caption=self._caption(extent, methods),
            fingerprint=fingerprint,
        )

    def _bootstrap(self, ranking: Ranking, cells: Cells, clustering: Clustering, report: Report) -> Bootstrap | None:
        # The refits know the plain model; draws without clusters would be no bootstrap of anything.
        if not self.replicates or clustering.name == "none" or not isinstance(ranking.fit, BradleyTerry):
            return None
        if len(ranking.fit.models) > MOST_MODELS:
            return None
        way = clustering.name.split("+")[0]
        rng = np.random.default_rng(self.seed)
        [found] = bootstrap_strengths([ranking.fit], [cells], way, rng, replicates=self.replicates, report=report)
        return found

    def _judge(
        self, ranking: Ranking, cells: Cells, drawn: Bootstrap | None
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The rows of one judge: its models, and every two of them."""
        fit, covariance = ranking.fit, ranking.covariance
        n = len(fit.models)
        rng = np.random.default_rng(self.seed)
        quantile = covariance.quantiles.two_sided(self.level)
        se, vcov = covariance.se[:n], covariance.vcov[:n, :n]
        naive = strength_covariance([fit], [cells], Clustering("none")).se[:n]
        marginal = find_ranks(fit.strength, vcov, quantile)
        overlap = overlap_ranks(fit.strength, se, quantile)
        few, told = n <= MOST_MODELS, bool((se > WIDTHLESS).any())
        together = simultaneous_ranks(fit.strength, covariance, self.level, rng) if few else None
        against = hold_all_against_all(fit.strength, vcov, covariance.quantiles) if few else None
        groups = letters(n, against, self.level) if against is not None else None
        nothing = [None] * n
        low, high = _percentiles(drawn, self.level)
        order = np.lexsort((np.array(fit.models), marginal.rank))
        shift = fit.n_above
        columns: dict[str, Any] = {
            "strength": floats(fit.strength), "se": floats(se), "lower": floats(fit.strength - quantile * se),
            "upper": floats(fit.strength + quantile * se), "naive_se": floats(naive),
            "naive_ratio": floats(se / naive if told else nothing),
            "bootstrap_lower": floats(nothing if low is None else low),
            "bootstrap_upper": floats(nothing if high is None else high),
            "rank": integers(list(marginal.rank + shift)), "rank_lower": integers(list(marginal.lower + shift)),
            "rank_upper": integers(list(marginal.upper + shift)),
            "simultaneous_lower": integers(nothing if together is None else list(together.lower + shift)),
            "simultaneous_upper": integers(nothing if together is None else list(together.upper + shift)),
            "overlap_lower": integers(list(overlap.lower + shift)),
            "overlap_upper": integers(list(overlap.upper + shift)),
            # Whoever was never beaten stands above all of these; without any variance every draw is the same.
            "p_best": floats(nothing if shift or not told else probability_best(fit.strength, vcov, rng)),
            "group": pd.Series(["" if groups is None else groups[m] for m in range(n)], dtype="str"),
            "judgments": integers([int(v) for v in fit.judgments]),
        }  # fmt: skip
        table = pd.DataFrame({"model": pd.Series(list(fit.models), dtype="str")} | columns)
        return table.iloc[order].reset_index(drop=True), _pairs(against, fit.models)

    def _caption(self, extent: dict[str, int], methods: list[str]) -> str:
        drawn = f"; {self.replicates:,} bootstrap replicates of whole clusters" if self.replicates else ""
        return (
            f"Bradley-Terry strengths (natural log, mean 0); {words.plural(extent['judgments'], 'judgment')}, "
            f"{words.amounts(pair=extent['pairs'], prompt=extent['prompts'])}; {words.ties(self.ties)}; "
            f"{words.percent(self.level)} intervals, "
            + words.ranges(sorted(set(methods)))
            + "; rank intervals from all differences with their covariance, for one model and for all at once; groups "
            f"by Holm's test of all pairs{drawn}."
        )


def _part(progress: Progress, begin: float, parts: int, text: str) -> Report:
    return lambda done: progress(begin + done / parts, text)


def _percentiles(drawn: Bootstrap | None, level: float) -> tuple[Floats | None, Floats | None]:
    if drawn is None:
        return None, None
    low, high = np.quantile(drawn.strength, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def _pairs(against: Pairwise | None, models: tuple[str, ...]) -> pd.DataFrame:
    if against is None:
        index, none = np.empty(0, dtype=np.int64), np.empty(0)
        return Pairwise(index, index, none, none, none, none, none, none).table(models)
    return against.table(models)


def _said(drawn: Bootstrap | None) -> tuple[str, ...]:
    if drawn is None or not drawn.separated.any():
        return ()
    share = float(drawn.separated.mean())
    some = words.share(share) if share >= 0.01 else "less than 1 %"
    return (
        f"in {some} of the bootstrap replicates some model only won, only lost or was "
        f"not met; a ridge of {words.number(drawn.penalty)} kept its strength finite there",
    )
