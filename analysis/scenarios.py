"""Does the order of a judge's models change with the scenario, and what is known of it in thin ones?

A ranking for each scenario twice: raw, from its own verdicts alone, and pooled with the other scenarios (`pooling`).
Both stand on one scale: strengths have mean 0 over the models of the judge's overall ranking. Where a scenario
lacks some of these, the others keep on average their overall strengths; that is what makes raw strengths from
different sets of models comparable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from analysis.bradley_terry import BradleyTerry, fit_bradley_terry
from analysis.cells import Cells, Floats, Ints
from analysis.evidence_pooling import pool_evidence
from analysis.heterogeneity import Heterogeneity
from analysis.multiple import adjust_bh
from analysis.pooling import Pooled
from analysis.ranks import Ranking, rank_models
from analysis.scenario_evidence import Weighed, find_evidence
from analysis.tables import floats, integers
from analysis.vcov import FEW_PROMPTS, Clustering
from errors import NotIdentifiedError

FEW_JUDGMENTS = 5
"""Judgments of the median model below which a scenario is called thin."""


@dataclass(frozen=True)
class Scenario:
    """What one scenario's verdicts alone give.

    raw : its ranking; fit : its strengths, also where they have no interval; None where there is none, and `refused`
        says why
    judgments, prompts : (K,) of each model of the overall ranking
    n_judgments, n_prompts : of the scenario
    """

    name: str
    fit: BradleyTerry | None
    raw: Ranking | None
    refused: str | None
    judgments: Ints
    prompts: Ints
    n_judgments: int
    n_prompts: int


@dataclass(frozen=True)
class ScenarioRanking:
    """One judge's rankings in S scenarios of K models.

    overall : the fit to all scenarios together; its kept models are the K of everything here
    scenarios : in the order given, those with a judgment on these models; empty : names of the others
    weighed : each scenario's evidence, (S, K); pooled : the scenarios together; test : of the scenarios being equal
    """

    overall: BradleyTerry
    clustering: Clustering
    scenarios: tuple[Scenario, ...]
    empty: tuple[str, ...]
    weighed: Weighed
    pooled: Pooled
    test: Heterogeneity

    @property
    def models(self) -> tuple[str, ...]:
        """The models of the overall ranking."""
        return self.overall.models

    @property
    def n_judgments(self) -> int:
        """Judgments in the fits."""
        return sum(one.n_judgments for one in self.scenarios)

    @property
    def n_prompts(self) -> int:
        """Prompts behind them; a prompt belongs to one scenario."""
        return sum(one.n_prompts for one in self.scenarios)

    @cached_property
    def q(self) -> Floats:
        """(K,) Benjamini-Hochberg over the models."""
        return adjust_bh(self.test.p)

    def table(self, level: float = 0.95) -> pd.DataFrame:
        """One row a scenario and model, scenarios in their order, models by pooled rank; undefined cells are missing.

        Columns: scenario, model; strength, se, lower, upper, rank: from the scenario alone; pooled, pooled_lower,
        pooled_upper, pooled_rank: with the others; departure, departure_lower, departure_upper: pooled, from the
        model's mean over these scenarios; judgments, prompts: of the model in the scenario.
        """
        value, interval = self.pooled.value, self.pooled.interval(level)
        departure, away = self.pooled.departure, self.pooled.departure_interval(level)
        tables = []
        for s, one in enumerate(self.scenarios):
            pooled_rank = _ranks(value[s])
            raw = self._raw(one, level)
            table = pd.DataFrame(
                {
                    "scenario": one.name,
                    "model": list(self.models),
                    **{name: raw[name] for name in ("strength", "se", "lower", "upper", "rank")},
                    "pooled": floats(value[s]),
                    "pooled_lower": floats(interval.lower[s]),
                    "pooled_upper": floats(interval.upper[s]),
                    "pooled_rank": pooled_rank,
                    "departure": floats(departure[s]),
                    "departure_lower": floats(away.lower[s]),
                    "departure_upper": floats(away.upper[s]),
                    "judgments": one.judgments,
                    "prompts": one.prompts,
                }
            )
            tables.append(table.sort_values(["pooled_rank", "model"], kind="stable"))
        return pd.concat(tables, ignore_index=True)

    def _raw(self, one: Scenario, level: float) -> pd.DataFrame:
        """The scenario's own ranking by the overall order of models, on the common scale."""
        place = {name: k for k, name in enumerate(self.models)}
        if one.fit is None:
            nothing = [None] * len(place)
            undefined = {name: floats(nothing) for name in ("strength", "se", "lower", "upper")}
            return pd.DataFrame(undefined | {"rank": integers(nothing)})
        # The kept models keep on average their overall strengths.
        shift = float(self.overall.strength[[place[name] for name in one.fit.models]].mean())
        if one.raw is not None:
            table = one.raw.table(level).set_index("model").reindex(list(self.models)).reset_index()
            for name in ("strength", "lower", "upper"):
                table[name] = table[name] + shift
            return table
        strength = dict(zip(one.fit.models, one.fit.strength + shift, strict=True))
        table = pd.DataFrame({name: floats([None] * len(place)) for name in ("se", "lower", "upper")})
        table["strength"] = floats([strength.get(name) for name in self.models])
        table["rank"] = _ranks(table["strength"].to_numpy(dtype=np.float64, na_value=np.nan))
        return table

    def heterogeneity_table(self, level: float = 0.95) -> pd.DataFrame:
        """One row a model, the surest difference first.

        Columns: model, mean, mean_lower, mean_upper over these scenarios; tau, tau_lower, tau_upper: sd between them;
        p, q: of its strength being the same in all scenarios; scenarios: how many say something about it.
        """
        mean, tau = self.pooled.average_interval(level), self.pooled.tau_interval(level)
        several = self.test.n_scenarios > 1
        table = pd.DataFrame(
            {
                "model": list(self.models),
                "mean": floats(self.pooled.average),
                "mean_lower": floats(mean.lower),
                "mean_upper": floats(mean.upper),
                "tau": floats(np.where(several, self.pooled.tau_median, np.nan)),
                "tau_lower": floats(np.where(several, tau.lower, np.nan)),
                "tau_upper": floats(np.where(several, tau.upper, np.nan)),
                "p": floats(self.test.p),
                "q": floats(self.q),
                "scenarios": self.test.n_scenarios,
            }
        )
        return table.sort_values(["p", "model"], kind="stable", na_position="last").reset_index(drop=True)

    def thin_table(self) -> pd.DataFrame:
        """Scenarios that say little by themselves: scenario, reason, judgments, prompts, ranked (models with a raw
        strength)."""
        rows = []
        for one in self.scenarios:
            reasons = self._reasons(one)
            if reasons:
                ranked = len(one.fit.models) if one.fit else 0
                rows.append((one.name, "; ".join(reasons), one.n_judgments, one.n_prompts, ranked))
        rows += [(name, "no judgment of these models: not shown", 0, 0, 0) for name in self.empty]
        return pd.DataFrame(rows, columns=["scenario", "reason", "judgments", "prompts", "ranked"])

    def _reasons(self, one: Scenario) -> list[str]:
        reasons = []
        if one.n_prompts < FEW_PROMPTS:
            reasons.append("1 prompt" if one.n_prompts == 1 else f"{one.n_prompts} prompts")
        if float(np.median(one.judgments)) < FEW_JUDGMENTS:
            median = float(np.median(one.judgments))
            reasons.append(f"a median of {median:g} judgment{'' if median == 1 else 's'} a model")
        if one.fit is None or one.raw is None:
            reasons.append("no raw ranking" if one.fit is None else "no raw intervals")
        unmet = int((one.judgments == 0).sum())
        if unmet:
            reasons.append(f"{unmet} of {len(self.models)} models without a judgment")
        apart = len(self.models) - unmet - (len(one.fit.models) if one.fit else 0)
        if one.fit is not None and apart:
            reasons.append(f"{apart} that only won, only lost or stand apart and have no raw strength")
        return reasons

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a reader must know before believing the numbers."""
        found = [] if self.clustering.warning is None else [self.clustering.warning]
        prompts = float(np.median([one.n_prompts for one in self.scenarios]))
        if "prompt" not in self.clustering.name and prompts < FEW_PROMPTS:
            found.append(
                f"scenarios have a median of {prompts:g} prompt{'' if prompts == 1 else 's'}, and intervals and tests "
                "take no account of prompts: what differs between scenarios may be what differs between these prompts"
            )
        if self.overall.left_out:
            some = ", ".join(f"{left.model} ({left.cause})" for left in self.overall.left_out[:3])
            n = len(self.overall.left_out)
            found.append(
                f"{n} model{'s' if n > 1 else ''} without an overall strength {'are' if n > 1 else 'is'} left out: "
                + some + (", ..." if n > 3 else "")
            )  # fmt: skip
        if "annotator" in self.clustering.name:
            found.append(
                "the test takes scenarios as independent of one another; where the same annotators judge in several, "
                "what they share widens the intervals without making scenarios differ, and the test is cautious"
            )
        return tuple(found)


def _ranks(values: Floats) -> pd.Series:
    """Ranks from 1 (largest); equal values share the better one, undefined ones have none."""
    known = np.isfinite(values)
    rounded = np.round(values[known], 9)  # what differs by the optimiser's rounding alone is a tie
    below = np.searchsorted(np.sort(-rounded), -rounded, side="left")
    out: list[int | None] = [None] * len(values)
    for place, rank in zip(np.flatnonzero(known), below, strict=True):
        out[place] = int(rank) + 1
    return integers(out)


def rank_by_scenario(
    cells: Cells,
    scenario: Ints,
    names: Sequence[str],
    clustering: Clustering,
    *,
    progress: Callable[[float], None] = lambda share: None,
) -> ScenarioRanking:
    """One judge's models in each scenario, raw and pooled.

    cells : of one judge, with the codes of prompts and of what intervals are clustered by
    scenario : (n_cells,) index into `names`
    progress : told the share of the work that is done

    Raises NotIdentifiedError when no two models are comparable, when fewer than two scenarios hold judgments of
    them, when no scenario has two clusters, or when verdicts do not vary.
    """
    overall = fit_bradley_terry(cells)
    kept = np.isin(np.array(cells.models), overall.models)
    inside = kept[cells.i] & kept[cells.j]
    order = np.flatnonzero(inside)[np.argsort(scenario[inside], kind="stable")]
    ends = np.concatenate([[0], np.cumsum(np.bincount(scenario[inside], minlength=len(names)))])
    found, evidence = [], []
    for s, name in enumerate(names):
        progress(s / len(names))
        rows = order[ends[s] : ends[s + 1]]
        if not len(rows):
            continue
        part = _take(cells, rows).among(overall.models)
        found.append(_alone(name, part, clustering))
        progress((s + 0.5) / len(names))
        evidence.append(find_evidence(part, overall.strength, clustering))
    if len(found) < 2:
        raise NotIdentifiedError(
            f"only {'one scenario holds' if found else 'no scenario holds'} judgments that can be ranked: whether the "
            "order changes with the scenario is a question for two or more"
        )
    told = pool_evidence(evidence, clustering, "its strengths expect")
    empty = tuple(name for name in names if name not in {one.name for one in found})
    return ScenarioRanking(overall, clustering, tuple(found), empty, told.weighed, told.pooled, told.test)


def _take(cells: Cells, rows: Ints) -> Cells:
    return Cells(
        models=cells.models,
        i=cells.i[rows],
        j=cells.j[rows],
        weight=cells.weight[rows],
        score=cells.score[rows],
        count=cells.count[rows],
        clusters={name: codes[rows] for name, codes in cells.clusters.items()},
    )


def _alone(name: str, part: Cells, clustering: Clustering) -> Scenario:
    """The scenario's own ranking, as far as there is one."""
    k = len(part.models)
    judgments = np.bincount(part.i, part.count, k) + np.bincount(part.j, part.count, k)
    prompt = np.unique(part.clusters["prompt"], return_inverse=True)[1]
    met = np.unique(np.r_[prompt * k + part.i, prompt * k + part.j]) % k
    fit, raw, refused = None, None, None
    try:
        inside = part.among([part.models[m] for m in np.flatnonzero(judgments)])
        fit = fit_bradley_terry(inside)
        raw = rank_models(inside, clustering)
    except NotIdentifiedError as error:
        refused = str(error)
    return Scenario(
        name=name,
        fit=fit,
        raw=raw,
        refused=refused,
        judgments=judgments.astype(np.int64),
        prompts=np.bincount(met, minlength=k).astype(np.int64),
        n_judgments=part.n_judgments,
        n_prompts=int(prompt.max()) + 1,
    )
