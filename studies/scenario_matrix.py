"""Where do a judge and people part, scenario by scenario, in all that can be told? One matrix of figures.

Agreement, the correlation of the two orders of models and the net gap in each factor, each alone and pooled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import ClassVar, Literal, Self

import numpy as np
import pandas as pd

from analysis.design import FIRST
from analysis.multiple import adjust_bh
from analysis.pooled_correlation import pool_correlations
from analysis.pooled_weights import ByScenario
from analysis.tables import floats, integers
from charts import words
from data.model import Progress, option
from data.store import Store
from errors import EmptySelectionError, JurylensError, NotIdentifiedError
from studies.factor_data import fetch
from studies.factor_options import Factors
from studies.factors_pooled import ON_AVERAGE, hold_by_scenario, scenarios_of, too_few
from studies.refused import require_factors
from studies.scenario_agreement import ScenarioAgreement
from studies.scenario_orders import ScenarioOrders
from studies.study import Fitted, Result, register

AGREEMENT, ORDERS, GAP = "agreement", "orders", "gap"
"""Kinds of figures; a gap is of one factor."""

BEYOND = 0.05
COLUMNS = (
    "judge", "scenario", "figure", "factor", "value", "lower", "upper", "pooled", "pooled_lower", "pooled_upper", "p",
    "q", "pooled_p", "pooled_q", "own",
)  # fmt: skip
TESTS = ("judge", "figure", "factor", "mean", "mean_lower", "mean_upper", "tau", "tau_lower", "tau_upper", "p", "q",
         "mean_p", "mean_q")  # fmt: skip


@register
@dataclass(frozen=True)
class ScenarioMatrix(Factors):
    """For each scenario agreement, likeness of the orders and net gaps of a judge, raw and pooled."""

    command: ClassVar[str] = "scenario-matrix"
    title: ClassVar[str] = "Where judges part, in all figures"
    judges: ClassVar[Literal["any", "reference"]] = "reference"
    models_ties: ClassVar[bool] = False
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "scenario": "scenario", "figure": "figure", "factor": "factor", "pooled": "pooled",
        "pooled_interval": "interval", "pooled_q": "q", "value": "alone", "interval": "interval ",
    }  # fmt: skip

    pooled_only: bool = option(
        False, "leave out what each scenario says of factors alone: it takes longest", widget=False
    )

    def resolve(self, store: Store) -> Self:
        self.require_one_scale("gaps")
        try:
            return super().resolve(store)
        except EmptySelectionError:
            if self.factor:
                raise
            # Without factors there are agreement and orders still.
            return super(Factors, self).resolve(store)

    def answer(self, store: Store, progress: Progress) -> Result:
        reference, others = self.compared()
        progress(0.0, "counting votes")
        agreed = self._agreement().answer(store, lambda share, text: progress(0.1 * share, text))
        reasons: list[str] = []
        tables = [_of_agreement(agreed.table("scenarios"))]
        tests = [_test_of_agreement(agreed.table("judges"))]
        try:
            plain = {f.name: getattr(self, f.name) for f in fields(Fitted)}
            orders = ScenarioOrders(**plain).answer(store, lambda share, text: progress(0.1 + 0.4 * share, text))
            of_orders, on_average = _of_orders(orders.table("scenarios"), self.level)
            tables.append(of_orders)
            tests.append(on_average)
        except JurylensError as error:
            reasons.append(f"orders of models are not compared: {error}")
        gaps, plain_of, told, left_out = self._gaps(
            store, reference, others, lambda share, text: progress(0.5 + 0.5 * share, text)
        )
        tables += [part[0] for part in gaps]
        tests += [part[1] for part in gaps]
        figures = _adjusted(pd.concat([_whole(table, COLUMNS) for table in tables], ignore_index=True))
        tested = pd.concat([_whole(table, TESTS) for table in tests], ignore_index=True)
        for name, of in (("q", "p"), ("mean_q", "mean_p")):
            tested[name] = _by_judge(tested, of)
        scenarios = _ordered(agreed.table("scenarios"), figures)
        progress(1.0, "done")
        return Result(
            study=self,
            tables={"figures": _sorted(figures, scenarios), "scenarios": scenarios, "tests": tested},
            values={},
            settings=self.settings() | {"reference": reference, "clustering": agreed.settings["clustering"],
                                        "plain_gaps": plain_of},
            warnings=tuple(dict.fromkeys([*agreed.warnings, *reasons, *left_out, *told, ON_AVERAGE])),
            caption=_caption(self, agreed, figures, reference, plain_of),
            fingerprint=agreed.fingerprint,
        )  # fmt: skip

    def _agreement(self) -> ScenarioAgreement:
        plain = {f.name: getattr(self, f.name) for f in fields(Fitted)}
        # Votes of different people hang together by prompt or pair whatever a fit is clustered by.
        known = self.cluster in ("auto", "prompt", "pair")
        return ScenarioAgreement(**(plain if known else plain | {"cluster": "auto"}))

    def _gaps(
        self, store: Store, reference: str, others: Sequence[str], progress: Progress
    ) -> tuple[list[tuple[pd.DataFrame, pd.DataFrame]], list[str], list[str], list[str]]:
        """Figures and tests of each judge's gaps; whose are plain; what they say; and why some are missing."""
        try:
            study = self if self.factor else super().resolve(store)
            data = fetch(store, study, scenarios=True)
            chosen = scenarios_of(data, self.scenario)
        except JurylensError as error:
            return [], [], [], [f"no factor stands here: {error}"]
        found, plain, told, left_out = [], list[str](), list(data.warnings), list[str]()
        for k, judge in enumerate(others):
            def report(share: float, k: int = k, judge: str = judge) -> None:
                progress((k + share) / len(others), f"weighing factors for {judge}, scenario by scenario")

            try:
                require_factors(data, reference, judge)
                held = hold_by_scenario(data, reference, judge, chosen, report, raw=not self.pooled_only)
            except NotIdentifiedError as error:
                left_out.append(f"{judge}: no factor stands here: {error}")
                continue
            part = held.gaps if held.scaled is None else held.scaled
            if held.scaled is None:
                plain.append(judge)
                told.append(f"{judge}: gaps are plain, not net of decisiveness: {held.overall.gaps.not_scaled}")
            told += [f"{judge}: {one}" if len(others) > 1 else one for one in too_few(part, "gaps")]
            found.append(_of_gaps(judge, part, self.level))
        return found, plain, told, left_out


def _of_agreement(table: pd.DataFrame) -> pd.DataFrame:
    named = table.rename(columns={"agreement": "value", "apart": "pooled_p"})
    return named.assign(figure=AGREEMENT, factor="", own=table["lower"].notna())


def _test_of_agreement(judges: pd.DataFrame) -> pd.DataFrame:
    names = {"agreement": "mean", "lower": "mean_lower", "upper": "mean_upper"}
    return judges.rename(columns=names).assign(figure=AGREEMENT, factor="")


def _of_orders(table: pd.DataFrame, level: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Spearman's correlations, pooled over each judge's scenarios; and their averages."""
    parts, averages = [], []
    for judge, mine in table.groupby("judge", sort=False):
        value, lower, upper, n = (
            mine[name].to_numpy(dtype=np.float64, na_value=np.nan)
            for name in ("spearman", "spearman_lower", "spearman_upper", "models")
        )
        pooled = pool_correlations(value, lower, upper, np.nan_to_num(n).astype(np.int64), level)
        parts.append(
            pd.concat([
                mine[["judge", "scenario"]].reset_index(drop=True),
                pd.DataFrame({"value": floats(value), "lower": floats(lower), "upper": floats(upper)}),
                pooled.table(level), pd.DataFrame({"pooled_p": floats(pooled.apart), "own": pooled.known}),
            ], axis=1)
        )  # fmt: skip
        averages.append({"judge": judge, **pooled.average(level)})
    tests = pd.DataFrame(averages)
    for name in tests.columns[1:]:
        tests[name] = floats(tests[name])
    same = {"figure": ORDERS, "factor": ""}
    return pd.concat(parts, ignore_index=True).assign(**same), tests.assign(**same)


def _of_gaps(judge: str, part: ByScenario, level: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Figures of each scenario and factor, and the test of each factor."""
    table, (alone, pooled) = part.table(level), part.p_values()
    table = table.assign(judge=judge, figure=GAP, p=floats(alone.ravel()), pooled_p=floats(pooled.ravel()))
    table["own"] = np.isfinite(part.weighed.se).ravel()
    tests = part.heterogeneity_table(level).rename(columns={"lower": "tau_lower", "upper": "tau_upper"})
    tests = tests.merge(pd.DataFrame({"factor": list(part.names), "mean_p": floats(part.average_p)}), on="factor")
    tests = tests.assign(judge=judge, figure=GAP)
    return table[table["factor"] != FIRST], tests[tests["factor"] != FIRST]


def _whole(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """These columns in this order, numbers as numbers also where there are none."""
    texts = ("judge", "scenario", "figure", "factor")
    table = table.reset_index(drop=True)
    out = {}
    for name in columns:
        if name not in table:
            out[name] = floats([None] * len(table))
        elif name == "own":
            out[name] = table[name].astype(bool)
        elif name == "factor":
            # Only gaps are of a factor.
            out[name] = table[name].astype("string").where(table["figure"] == GAP, pd.NA)
        else:
            out[name] = table[name].astype(str if name in texts else "Float64")
    return pd.DataFrame(out)


def _by_judge(table: pd.DataFrame, p: str) -> pd.Series:
    """q over all rows of a judge."""
    out = np.full(len(table), np.nan)
    value = table[p].to_numpy(dtype=np.float64, na_value=np.nan)
    for judge in table["judge"].unique():
        mine = (table["judge"] == judge).to_numpy(dtype=bool)
        out[mine] = adjust_bh(value[mine])
    return floats(out)


def _adjusted(figures: pd.DataFrame) -> pd.DataFrame:
    """Alone, gaps alone are tested; pooled, also whether a scenario stands apart in the other two."""
    return figures.assign(q=_by_judge(figures, "p"), pooled_q=_by_judge(figures, "pooled_p"))


def _ordered(agreed: pd.DataFrame, figures: pd.DataFrame) -> pd.DataFrame:
    """One row a judge and scenario: where most gaps are beyond noise first, then where agreement is least."""
    gaps = figures[figures["figure"] == GAP]
    keys = ["judge", "scenario"]
    beyond = (gaps["pooled_q"] < BEYOND).fillna(False).astype(np.int64)
    alone = (gaps["q"] < BEYOND).fillna(False).astype(np.int64)
    count = gaps[keys].assign(beyond=beyond, beyond_alone=alone).groupby(keys, sort=False).sum().reset_index()
    table = agreed[[*keys, "comparisons", "pairs", "prompts", "remark", "pooled", "agreement"]]
    table = table.merge(count, on=keys, how="left")
    known = table["judge"].isin(set(gaps["judge"])).tolist()
    for name in ("beyond", "beyond_alone"):
        # Without any gap of the judge the count is not 0 but unknown.
        counts = table[name].tolist() if name in table else [None] * len(table)
        table[name] = integers([
            None if not there else 0 if words.absent(n) else int(n) for n, there in zip(counts, known, strict=True)
        ])
    by = table.assign(
        place=table["judge"].map({name: k for k, name in enumerate(dict.fromkeys(table["judge"]))}),
        most=-table["beyond"].fillna(0), least=table["pooled"].fillna(table["agreement"]),
    )  # fmt: skip
    order = by.sort_values(["place", "most", "least", "scenario"], kind="stable").index
    return table.loc[order].drop(columns=["pooled", "agreement"]).reset_index(drop=True)


def _sorted(figures: pd.DataFrame, scenarios: pd.DataFrame) -> pd.DataFrame:
    """Figures in the order of the scenarios."""
    rows = zip(scenarios["judge"], scenarios["scenario"], strict=True)
    place = {(str(judge), str(scenario)): k for k, (judge, scenario) in enumerate(rows)}
    last = len(place)
    at = [place.get((j, s), last) for j, s in zip(figures["judge"], figures["scenario"], strict=True)]
    order = np.argsort(np.array(at, dtype=np.int64), kind="stable")
    return figures.iloc[order].reset_index(drop=True)


def _caption(study: ScenarioMatrix, agreed: Result, figures: pd.DataFrame, reference: str, plain: Sequence[str]) -> str:
    judges = agreed.table("judges")
    who = ", ".join(
        f"{row['judge']} ({row['comparisons']:,} comparisons on {words.plural(int(row['pairs']), 'pair')} of "
        f"{words.plural(int(row['prompts']), 'prompt')})"
        for row in judges.to_dict("records")
    )
    kinds = set(figures["figure"])
    labels = "ties left out" if study.ties == "drop" else "a tie is a label of its own"
    parts = [f"agreement of votes ({labels})"]
    if ORDERS in kinds:
        parts.append("Spearman correlation of the two orders of models")
    if GAP in kinds:
        gaps = figures[figures["figure"] == GAP]
        n, held = gaps["factor"].nunique(), gaps["judge"].unique()
        kind = "plain gaps" if set(held) <= set(plain) else "net gaps"
        but = "" if kind == "plain gaps" or not plain else f"; plain for {words.listing(list(plain))}"
        parts.append(f"{kind} in {words.plural(n, 'factor')} (log-odds, judge minus reference{but})")
    scenarios = words.plural(int(figures["scenario"].nunique()), "scenario")
    return (
        f"{who} held against {reference} in {scenarios}: {words.listing(parts)}; {words.percent(study.level)} "
        f"intervals, clustered by {agreed.settings['clustering']}. Pooled: full empirical Bayes over scenarios "
        "(log-odds; correlations on Fisher's scale), between-scenario sd half-normal(.5). q: Benjamini-Hochberg over "
        "all of a judge's figures; of gaps being 0, of agreement and orders being as on average over scenarios."
    )
