"""Whom does each judge prefer? Bradley-Terry rankings of the models with cluster-robust intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

import numpy as np
import pandas as pd

from analysis.bradley_terry import POSITION
from analysis.likelihood import share_of_ties
from analysis.rank_sets import simultaneous_quantile
from analysis.ranks import Ranking, rank_models
from analysis.strengths import TIE_NAMES, ExtendedBradleyTerry, Ties, coefficient_index
from analysis.vcov import Clustering, choose_clustering
from charts import words
from data import queries
from data.model import Progress, option
from data.store import Store
from errors import NotIdentifiedError, OptionError
from studies.cells import cluster_columns, judge_cells, models_met, require_hard, require_models
from studies.overview import Line, rank_line
from studies.refused import nobody, sentences
from studies.study import Fitted, Result, register


@register
@dataclass(frozen=True)
class Rank(Fitted):
    """Bradley-Terry ranking of the models by each judge."""

    command: ClassVar[str] = "rank"
    models_ties: ClassVar[bool] = True
    title: ClassVar[str] = "Rankings"
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "model": "model", "rank": "rank", "rank_interval": "rank, interval", "strength": "strength",
        "interval": "strength, interval", "judgments": "judgments",
    }  # fmt: skip

    position: bool = option(
        False, "estimate and take out the advantage of the response shown first", label="Position term", advanced=True
    )

    simultaneous: bool = option(
        False, "rank intervals that hold for all models of a ranking at once, not for one model at a time",
        label="Rank intervals for all models at once", advanced=True,
    )  # fmt: skip

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "counting judgments")
        with store.reading("ranking") as con:
            names = queries.catalog(con, self)
            condition = queries.where(self, names, self.ties)
            extent = queries.extent(con, condition)
            left_out = queries.left_out(con, self, names, self.ties)
            fingerprint = queries.fingerprint(con, names, self.judge)
            require_models(names)
            queries.require_rows(extent["judgments"], "on two named models with a verdict")
            clustering = choose_clustering(self.cluster, extent["prompts"])
            check_annotators(clustering, extent)
            if self.position and extent["known_order"] == 0:
                raise OptionError("--position: this file does not record which response was shown first")
            ways = cluster_columns(clustering)
            modelled = self.ties in TIE_NAMES
            counts = queries.counts(con, condition, ways, self.position, modelled)
            soft = queries.soft_judgments(con, condition) if modelled else {}
        rankings: dict[str, Ranking] = {}
        reasons: dict[str, str] = {}
        for k, judge in enumerate(self.judge):
            progress((k + 0.5) / len(self.judge), f"ranking by {judge}")
            # Only models this judge has met: one it never saw is no left-out model of its ranking.
            mine = counts.of(names.judges[judge][0])
            cells = judge_cells(mine, names, judge, models_met(mine, names), ways, self.position)
            try:
                require_hard(judge, soft.get(names.judges[judge][0], 0), self.ties)
                rankings[judge] = rank_models(cells, clustering, ties=cast(Ties, self.ties), position=self.position)
            except (NotIdentifiedError, OptionError) as error:
                if len(self.judge) == 1 and isinstance(error, OptionError):
                    raise
                reasons[judge] = str(error)
        if not rankings:
            raise nobody(reasons)
        warnings = sentences(reasons)
        for cause, n in left_out.items():
            warnings.append(f"left out of the ranking: {words.plural(n, 'judgment')} ({cause})")
        tables = []
        for judge, ranking in rankings.items():
            table = ranking.table(self.level, self._rank_quantile(ranking))
            table.insert(0, "judge", judge)
            tables.append(table)
            warnings += [f"{judge}: {w}" if len(rankings) > 1 else w for w in ranking.warnings]
        progress(1.0, "done")
        return Result(
            study=self,
            tables={
                "ranking": pd.concat(tables, ignore_index=True),
                "judges": pd.DataFrame([self._judge_row(j, r) for j, r in rankings.items()]),
                "left_out": left_out_table(rankings),
            },
            values={"log_likelihood": sum(r.fit.log_likelihood for r in rankings.values())},
            settings=self.settings() | {"clustering": clustering.name, "clustering_chosen": clustering.chosen},
            warnings=tuple(dict.fromkeys(warnings)),
            caption=self._caption(rankings, extent),
            fingerprint=fingerprint,
        )

    @classmethod
    def overview(cls, results: Sequence[Result]) -> Line | None:
        result = results[0]
        settings = result.settings
        judges = result.table("judges")
        line = rank_line(result.table("ranking"), judges, settings["level"], settings["ties"])
        if "ties_between_equals" not in judges or len(judges) != 1:
            return line
        share = words.estimate(*(judges[f"ties_between_equals{end}"].iloc[0] for end in ("", "_lower", "_upper")))
        return replace(line, trust=f"{line.trust} · share of ties between equals {share}")

    def _rank_quantile(self, ranking: Ranking) -> float | None:
        if not self.simultaneous:
            return None
        m = len(ranking.fit.models)
        vcov, quantiles = ranking.covariance.vcov[:m, :m], ranking.covariance.quantiles
        return simultaneous_quantile(vcov, quantiles, self.level, np.random.default_rng(self.seed))

    def _judge_row(self, judge: str, ranking: Ranking) -> dict[str, Any]:
        row: dict[str, Any] = {
            "judge": judge,
            "judgments": ranking.n_judgments,
            "models": len(ranking.fit.models),
            "clusters": ranking.n_clusters or None,
            "clustering": ranking.clustering.name,
            "intervals": ranking.covariance.method,
            "log_likelihood": ranking.fit.log_likelihood,
        }
        quantile = ranking.covariance.quantiles.two_sided(self.level)
        if ranking.fit.position is not None:
            se = ranking.covariance.se[coefficient_index(ranking.fit, POSITION)]
            half = quantile * se
            row |= {
                "position": ranking.fit.position, "position_se": se, "position_lower": ranking.fit.position - half,
                "position_upper": ranking.fit.position + half,
            }  # fmt: skip
        return row | tie_columns(ranking, quantile)

    def _caption(self, rankings: dict[str, Ranking], extent: dict[str, int]) -> str:
        methods = {r.covariance.method for r in rankings.values()}
        judges = ", ".join(f"{j} ({words.plural(r.n_judgments, 'judgment')})" for j, r in rankings.items())
        position = "; a position term is fitted" if self.position else ""
        ranks = "; rank intervals for all models at once" if self.simultaneous else ""
        return (
            f"Bradley-Terry strengths (natural log, mean 0) by {judges}; "
            f"{words.amounts(pair=extent['pairs'], prompt=extent['prompts'])}; {words.ties(self.ties)}{position}; "
            f"{words.percent(self.level)} intervals, {words.ranges(sorted(methods))}{ranks}."
        )


def tie_columns(ranking: Ranking, quantile: float) -> dict[str, float]:
    """The tie parameter (nu or tau) and the share of ties between equals, each with its interval; else nothing."""
    fit = ranking.fit
    if not isinstance(fit, ExtendedBradleyTerry) or fit.tie is None:
        return {}
    half = quantile * float(ranking.covariance.se[-1])
    row: dict[str, float] = {}
    for end, at in (("", fit.tie), ("_lower", fit.tie - half), ("_upper", fit.tie + half)):
        # tau ends at 0, where nothing ties.
        at = at if fit.ties == "davidson" else max(at, 0.0)
        name, value = ("nu", math.exp(at)) if fit.ties == "davidson" else ("tau", at)
        row |= {f"{name}{end}": value, f"ties_between_equals{end}": share_of_ties(fit.rule, at)}
    return row


def check_annotators(clustering: Clustering, extent: dict[str, int]) -> None:
    """Refuse clustering by annotator where nobody is named."""
    if "annotator" in clustering.name and extent["annotators"] == 0:
        raise OptionError(f"--cluster {clustering.name}: these judgments name no annotators")


def left_out_table(rankings: dict[str, Ranking]) -> pd.DataFrame:
    """Models that a judge's verdicts cannot put on the common scale: judge, model, place, cause, judgments."""
    rows = [
        {"judge": judge, "model": left.model, "place": left.place, "cause": left.cause, "judgments": left.judgments}
        for judge, ranking in rankings.items()
        for left in ranking.fit.left_out
    ]
    return pd.DataFrame(rows, columns=["judge", "model", "place", "cause", "judgments"])
