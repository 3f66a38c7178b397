"""Does the rule for ties change the order of the models? Each judge's ranking under all four rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from analysis.ranks import Ranking, rank_models
from analysis.strengths import TIE_NAMES, Strengths, Ties, fit_strengths
from analysis.tables import booleans, floats, integers
from analysis.vcov import Clustering, choose_clustering
from charts import words
from data import queries
from data.model import Progress, option
from data.queries import Catalog, Con, Counts
from data.store import Store
from errors import ConvergenceError, NotIdentifiedError, OptionError
from studies.cells import cluster_columns, judge_cells, models_met, require_hard, require_models
from studies.rank import check_annotators, tie_columns
from studies.refused import nobody, sentences
from studies.study import Fitted, Result, register

POLICIES: tuple[Ties, ...] = ("half", "davidson", "rao-kupper", "drop")
"""From counting ties to leaving them out."""


@dataclass(frozen=True)
class Sums:
    """What the store was asked for: all judgments with their ties apart, and those that are no tie."""

    all: Counts
    decided: Counts
    soft: dict[int, int]


@dataclass(frozen=True)
class Policies:
    """One judge under every rule that its verdicts allow.

    fits : by policy; chosen : the ranking of the study's own policy, with covariance
    ties, judgments : sums of weight of ties and of all
    """

    judge: str
    fits: Mapping[Ties, Strengths]
    chosen: Ranking
    ties: float
    judgments: float


@register
@dataclass(frozen=True)
class TiePolicies(Fitted):
    """Each model's rank and strength under every rule for ties, held against the chosen rule's rank intervals."""

    command: ClassVar[str] = "tie-policies"
    title: ClassVar[str] = "Does the rule for ties change the order?"
    models_ties: ClassVar[bool] = True
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "model": "model", "rank_half": "half a win", "rank_davidson": "Davidson",
        "rank_rao_kupper": "Rao and Kupper", "rank_drop": "left out", "rank_interval": "rank, interval",
        "largest_move": "largest move",
    }  # fmt: skip

    position: bool = option(
        False, "estimate and take out the advantage of the response shown first", label="Position term", advanced=True
    )

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "counting judgments")
        with store.reading("rules for ties") as con:
            names = queries.catalog(con, self)
            condition = queries.where(self, names)
            extent = queries.extent(con, condition)
            fingerprint = queries.fingerprint(con, names, self.judge)
            require_models(names)
            queries.require_rows(extent["judgments"], "on two named models with a verdict")
            clustering = choose_clustering(self.cluster, extent["prompts"])
            check_annotators(clustering, extent)
            if self.position and extent["known_order"] == 0:
                raise OptionError("--position: this file does not record which response was shown first")
            ways = cluster_columns(clustering)
            sums = self._sums(con, condition, names, ways)
        found: list[Policies] = []
        warnings: list[str] = []
        reasons: dict[str, str] = {}
        for k, judge in enumerate(self.judge):
            done = k / len(self.judge)

            def step(share: float, policy: str, judge: str = judge, done: float = done) -> None:
                progress(done + share / len(self.judge), f"{judge}: ties {policy}")

            try:
                one = self._fit(sums, names, judge, ways, clustering, step, warnings)
            except (NotIdentifiedError, OptionError) as error:
                if len(self.judge) == 1:
                    raise
                reasons[judge] = str(error)
                continue
            found.append(one)
        if not found:
            raise nobody(reasons)
        warnings = [*sentences(reasons), *warnings]
        for one in found:
            warnings += [f"{one.judge}: {w}" if len(found) > 1 else w for w in one.chosen.warnings]
        tables = [policy_table(one, self.level) for one in found]
        policies = pd.concat(tables, ignore_index=True)
        progress(1.0, "done")
        judges = pd.DataFrame([self._judge_row(one, table) for one, table in zip(found, tables, strict=True)])
        return Result(
            study=self,
            tables={"policies": policies, "judges": judges},
            values={},
            settings=self.settings() | {"clustering": clustering.name, "clustering_chosen": clustering.chosen},
            warnings=tuple(dict.fromkeys(warnings)),
            caption=self._caption(found, extent),
            fingerprint=fingerprint,
        )

    def _sums(self, con: Con, condition: str, names: Catalog, ways: tuple[str, ...]) -> Sums:
        # Only the chosen policy gets intervals: the others need no clusters, which are most of the time.
        chosen, decided = queries.where(self, names, self.ties), queries.where(self, names, "drop")
        if self.ties == "drop":
            return Sums(
                queries.counts(con, condition, (), self.position, tied=True),
                queries.counts(con, chosen, ways, self.position),
                queries.soft_judgments(con, condition),
            )
        return Sums(
            queries.counts(con, condition, ways, self.position, tied=True),
            queries.counts(con, decided, (), self.position),
            queries.soft_judgments(con, condition),
        )

    def _fit(
        self, sums: Sums, names: Catalog, judge: str, ways: tuple[str, ...], clustering: Clustering,
        step: Callable[[float, str], None], warnings: list[str],
    ) -> Policies:  # fmt: skip
        judge_id = names.judges[judge][0]
        met = models_met(sums.all.of(judge_id), names)
        fits: dict[Ties, Strengths] = {}
        chosen: Ranking | None = None
        n_all = n_ties = 0.0
        for k, policy in enumerate(POLICIES):
            step(k / len(POLICIES), policy)
            part = sums.decided if policy == "drop" else sums.all
            # The sums that the chosen policy uses are kept apart by cluster, the others are not.
            here = ways if (policy == "drop") == (self.ties == "drop") else ()
            cells = judge_cells(part, names, judge, met, here, self.position)
            if policy == "half":
                n_all = float(cells.weight.sum())
                n_ties = 0.0 if cells.tied is None else float(cells.tied.sum())
            try:
                if policy in TIE_NAMES:
                    require_hard(judge, sums.soft.get(judge_id, 0), policy)
                if policy == self.ties:
                    chosen = rank_models(cells, clustering, ties=policy, position=self.position)
                    fits[policy] = chosen.fit
                else:
                    fits[policy] = fit_strengths(cells, ties=policy, position=self.position)
            except (NotIdentifiedError, OptionError, ConvergenceError) as error:
                if policy == self.ties:
                    raise
                warnings.append(f"{judge}, {words.ties(policy)}: {error}")
        assert chosen is not None
        for policy, fit in fits.items():
            lost = [left for left in fit.left_out if left.model in chosen.fit.models]
            if lost:
                some = words.listing([f"{left.model} ({left.cause})" for left in lost])
                rule = f"{judge}, {words.ties(policy)}"
                warnings.append(f"{rule}: no strength for {some}, and ranks count fewer models")
        return Policies(judge, fits, chosen, n_ties, n_all)

    def _judge_row(self, one: Policies, table: pd.DataFrame) -> dict[str, Any]:
        moved = table["largest_move"].fillna(0).astype(int)
        row: dict[str, Any] = {
            "judge": one.judge,
            "judgments": one.chosen.n_judgments,
            "models": len(one.chosen.fit.models),
            "share_of_ties": one.ties / one.judgments if one.judgments else None,
            "policies": len(one.fits),
            "moved": int((moved > 0).sum()),
            "largest_move": int(moved.max()) if len(moved) else 0,
            "leave_interval": int(table["leaves_interval"].fillna(False).astype(bool).sum()),
            "clusters": one.chosen.n_clusters or None,
            "intervals": one.chosen.covariance.method,
        }
        quantile = one.chosen.covariance.quantiles.two_sided(self.level)
        for policy in ("davidson", "rao-kupper"):
            fit = one.fits.get(policy)
            if fit is not None:
                row[f"log_likelihood_{policy.replace('-', '_')}"] = fit.log_likelihood
        return row | tie_columns(one.chosen, quantile)

    def _caption(self, found: list[Policies], extent: dict[str, int]) -> str:
        judges = ", ".join(f"{one.judge} ({words.plural(int(one.judgments), 'judgment')})" for one in found)
        methods = words.ranges(sorted({one.chosen.covariance.method for one in found}))
        position = " A position term is fitted." if self.position else ""
        return (
            f"Ranks of the models by {judges} with ties as half a win for each side, modelled after Davidson and after "
            f"Rao and Kupper, and left out; "
            f"{words.amounts(pair=extent['pairs'], prompt=extent['prompts'])}; "
            f"{words.percent(self.level)} rank intervals ({words.ties(self.ties)}), {methods}.{position}"
        )


def policy_table(one: Policies, level: float) -> pd.DataFrame:
    """Of one judge, in the order of the chosen policy: its columns as in the study's table `policies`.

    rank_POLICY, strength_POLICY : absent where the policy is not possible or the model has no place under it
    rank_lower, rank_upper : of the chosen policy; largest_move : highest minus lowest rank
    leaves_interval : whether a rank under another policy lies outside them
    """
    chosen = one.chosen.table(level).set_index("model")
    models = list(chosen.index)
    ranks = {policy: ranks_of(fit) for policy, fit in one.fits.items()}
    out: dict[str, Any] = {"judge": [one.judge] * len(models), "model": models}
    for policy in POLICIES:
        known = ranks.get(policy, {})
        out[f"rank_{policy.replace('-', '_')}"] = integers([known.get(model) for model in models])
    for policy in POLICIES:
        fit = one.fits.get(policy)
        strength = {} if fit is None else dict(zip(fit.models, map(float, fit.strength), strict=True))
        out[f"strength_{policy.replace('-', '_')}"] = floats([strength.get(model) for model in models])
    out["rank_lower"] = integers([_whole(chosen.at[m, "rank_lower"]) for m in models])
    out["rank_upper"] = integers([_whole(chosen.at[m, "rank_upper"]) for m in models])
    moves, leaves = [], []
    for model, low, high in zip(models, out["rank_lower"], out["rank_upper"], strict=True):
        places = [by[model] for by in ranks.values() if model in by]
        moves.append(max(places) - min(places) if len(places) > 1 else None)
        certain = not (words.absent(low) or words.absent(high)) and len(places) > 1
        leaves.append(any(not low <= place <= high for place in places) if certain else None)
    out["largest_move"] = integers(moves)
    out["leaves_interval"] = booleans(leaves)
    return pd.DataFrame(out)


def ranks_of(fit: Strengths) -> dict[str, int]:
    """Each model's rank; models above and below the common scale have theirs, those apart have none."""
    order = pd.Series(-fit.strength).round(9).rank(method="min").astype(int)
    ranks = {model: int(place) + fit.n_above for model, place in zip(fit.models, order, strict=True)}
    return ranks | {left.model: left.rank for left in fit.left_out if left.rank is not None}


def _whole(value: Any) -> int | None:
    return None if words.absent(value) else int(value)
