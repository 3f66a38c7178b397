"""What is drawn of published ways of asking what moves a judge: taus, labels, Lasso, effects of levels, pooling?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from charts.groups import agreement_chart, group_chart
from charts.hierarchical import hierarchical_chart
from charts.judge_rows import Look, judge_rows_chart
from charts.methods import AMCE, CPM, LABELS, LASSO, MEANS, TAU, TAU_B
from charts.pooled import one_factor_chart, pooled_chart
from charts.posteriors import posterior_chart, posterior_scenario_chart
from charts.properties import property_chart
from exports.drawings.drawing import (
    Drawing,
    drawn,
    drawn_each,
    each,
    factor_names,
    judges_in,
    keyed,
    mark_of,
    of_judge,
    rows,
)
from exports.drawings.factors import SIDE_BY_SIDE
from studies.factor_options import display
from studies.factor_words import lower
from studies.study import Result

STABLE = 0.8
"""Share of draws in which a Lasso must keep a flag for it to be drawn as sure."""

WEIGHT, GAP, SCALED = "weight", "gap", "gap_scaled"
TITLES = {
    WEIGHT: "weight, log-odds (0 = no effect)",
    GAP: "gap, log-odds (0 = as the reference)",
    SCALED: "net gap, log-odds (0 = as the reference, decisiveness aside)",
}
"""Of what is pooled over scenarios."""


def _by_judge(
    name: str, table: pd.DataFrame, source: str, judges: Sequence[str], look: Look, result: Result, most: int | None,
    labels: dict[str, str],
) -> Drawing:  # fmt: skip
    limit = rows(len(table), most)
    return Drawing(name, lambda theme, narrow: judge_rows_chart(
        table, judges, theme, look, humans=result.humans, most=limit, narrow=narrow, labels=labels
    ), source)  # fmt: skip


@keyed
def taus(result: Result, judges: Sequence[str], most: int | None = None, b: bool = False) -> Drawing:
    """b : tau-b, which leaves out what is equal"""
    table = result.table("taus")
    return _by_judge("tau-b" if b else "tau", table, "taus", judges, TAU_B if b else TAU, result, most,
                     factor_names(table))  # fmt: skip


@drawn("factors tau")
def _taus(result: Result, most: int | None) -> Sequence[Drawing]:
    judges = judges_in(result.table("taus"))[:SIDE_BY_SIDE]
    return [taus(result, judges, most), taus(result, judges, most, b=True)]


def level_names(result: Result) -> dict[str, str]:
    """What the labels of a study of levels are called on charts."""
    out = {}
    for row in result.table("levels").to_dict("records"):
        factor, level, kind = str(row["factor"]), str(row["level"]), row["kind"]
        if kind in ("flag", "label"):
            name = display(factor) if kind == "flag" else factor.replace("=", ": ", 1)
            out[str(row["label"])] = name if level == "with" else f"No {lower(name)}"
        else:
            out[str(row["label"])] = f"{display(factor)}: {level}"
    return out


@keyed
def labels(result: Result, judges: Sequence[str], most: int | None = None) -> Drawing:
    """The strength of each label."""
    return _by_judge("labels", result.table("labels"), "labels", judges, LABELS, result, most, level_names(result))


@drawn("factors labels")
def _labels(result: Result, most: int | None) -> Sequence[Drawing]:
    return [labels(result, judges_in(result.table("labels"))[:SIDE_BY_SIDE], most)]


@keyed
def composed(result: Result, judges: Sequence[str], most: int | None = None) -> Drawing:
    """Weights of the sum that predicts verdicts best."""
    table = result.table("weights")
    return _by_judge("weights", table, "weights", judges, CPM, result, most, factor_names(table))


@drawn("factors cpm")
def _composed(result: Result, most: int | None) -> Sequence[Drawing]:
    return [composed(result, judges_in(result.table("weights"))[:SIDE_BY_SIDE], most)]


@keyed
def kept(result: Result, judges: Sequence[str], most: int | None = None) -> Drawing:
    """What a Lasso keeps; filled where it does in most draws."""
    table = kept_rows(result.table("lasso"))
    table = table.assign(q=np.where(table["selected"].to_numpy(dtype=float) >= STABLE, 0.0, 1.0))
    return _by_judge("lasso", table, "lasso", judges, LASSO, result, most, factor_names(result.table("lasso")))


def kept_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Rows that are kept at all, or in some draw."""
    return table[(table["coefficient"] != 0) | (table["selected"] > 0)]


@drawn("factors lasso")
def _kept(result: Result, most: int | None) -> Sequence[Drawing]:
    return [kept(result, judges_in(result.table("lasso"))[:SIDE_BY_SIDE], most)]


@keyed
def effects(result: Result, judges: Sequence[str], most: int | None = None, means: bool = False) -> Drawing:
    """Effects of levels, or marginal means."""
    table = result.table("amce")
    shown = table.assign(q=table["mean_q"]) if means else table[~table["reference"].astype(bool)]
    return _by_judge("means" if means else "effects", shown, "amce", judges, MEANS if means else AMCE, result, most,
                     level_names(result))  # fmt: skip


@drawn("factors amce")
def _effects(result: Result, most: int | None) -> Sequence[Drawing]:
    judges = judges_in(result.table("amce"))[:SIDE_BY_SIDE]
    return [effects(result, judges, most), effects(result, judges, most, means=True)]


@keyed
def posteriors(result: Result, judges: Sequence[str], most: int | None = None) -> Drawing:
    """Bayesian weights."""
    table = result.table("factors")
    return Drawing("weights", lambda theme, narrow: posterior_chart(
        table, judges, theme, level=float(result.settings["level"]), humans=result.humans,
        most=rows(table["factor"].nunique(), most), narrow=narrow, labels=factor_names(table),
    ), "factors")  # fmt: skip


@keyed
def posteriors_by_scenario(result: Result, judge: str, most: int | None = None) -> Drawing | None:
    """None where there is one scenario alone."""
    table = of_judge(result.table("scenarios"), judge)
    if table["scenario"].nunique() < 2:
        return None
    return Drawing("scenarios", lambda theme, narrow: posterior_scenario_chart(
        table, judge, theme, level=float(result.settings["level"]), most=rows(table["factor"].nunique(), most),
        narrow=narrow, labels=factor_names(result.table("factors")),
    ), "scenarios")  # fmt: skip


@drawn("factors bayes")
def _posteriors(result: Result, most: int | None) -> Sequence[Drawing]:
    judges = judges_in(result.table("factors"))
    each_scenario = each(judges, lambda judge: filter(None, [posteriors_by_scenario(result, judge, most)]))
    return (posteriors(result, judges[:SIDE_BY_SIDE], most), *each_scenario)


# -- over scenarios ---------------------------------------------------------------------------------------------------


class Pooled:
    """What is pooled over scenarios: one judge's weights, or what it has more of than the reference.

    table, spread : its rows by scenario, and over them; columns : of the figure alone and of the pooled one
    """

    def __init__(self, result: Result, judge: str, kind: str = WEIGHT) -> None:
        gap = kind != WEIGHT
        self.name = "gaps" if gap else "weights"
        table, spread = result.table(self.name), result.table("gap_heterogeneity" if gap else "heterogeneity")
        if gap:
            spread = spread[spread["kind"] == ("scaled" if kind == SCALED else "plain")]
        self.table, self.spread = of_judge(table, judge), of_judge(spread, judge)
        self.columns = (kind, "scaled_pooled" if kind == SCALED else "pooled")
        low = "scaled_" if kind == SCALED else ""
        self.raw = (kind, f"{low}lower", f"{low}upper")
        self.title, self.names = TITLES[kind], factor_names(self.table)


def gap_kind(result: Result) -> str | None:
    """Which gap is told: net of decisiveness where that is known; None where no two judges are compared."""
    kinds = set(result.table("gap_heterogeneity")["kind"])
    return (SCALED if "scaled" in kinds else GAP) if kinds else None


@keyed
def pooled(result: Result, judge: str, kind: str = WEIGHT, most: int | None = None) -> Drawing:
    of = Pooled(result, judge, kind)
    return Drawing(of.name, lambda theme, narrow: pooled_chart(
        of.table, of.spread, theme, mark_of(result, judge, theme), columns=of.columns, title=of.title,
        most=rows(len(of.spread), most), narrow=narrow, labels=of.names,
    ), of.name)  # fmt: skip


@keyed
def one_factor(result: Result, judge: str, factor: str, kind: str = WEIGHT) -> Drawing:
    """One factor in every scenario, pooled and alone."""
    of = Pooled(result, judge, kind)
    column = of.columns[1]
    return Drawing(f"{of.name}-one", lambda theme, narrow: one_factor_chart(
        of.table[of.table["factor"] == factor], theme, mark_of(result, judge, theme), raw=of.raw,
        pooled=(column, f"{column}_lower", f"{column}_upper"), title=of.title, narrow=narrow,
    ), of.name)  # fmt: skip


@drawn("factors pooled")
def _pooled(result: Result, most: int | None) -> Sequence[Drawing]:
    kind = gap_kind(result)
    apart = each(judges_in(result.table("gaps")), lambda judge: [pooled(result, judge, kind, most)]) if kind else ()
    return (*apart, *each(judges_in(result.table("weights")), lambda judge: [pooled(result, judge, WEIGHT, most)]))


@drawn_each("factors hierarchical", "shared")
@keyed
def hierarchical(result: Result, judge: str, most: int | None = None) -> Drawing:
    """What is shared, and what is a scenario's own."""
    shared, table = (of_judge(result.table(name), judge) for name in ("shared", "weights"))
    return Drawing("weights", lambda theme, narrow: hierarchical_chart(
        shared, table, theme, mark_of(result, judge, theme), most=rows(len(shared), most), narrow=narrow,
        labels=factor_names(shared),
    ), "weights")  # fmt: skip


@keyed
def groups(result: Result, judge: str, most: int | None = None) -> Drawing:
    """One judge's weights in each group."""
    table, tests = (of_judge(result.table(name), judge) for name in ("weights", "tests"))
    return Drawing("groups", lambda theme, narrow: group_chart(
        table, tests, theme, most=rows(len(tests), most), narrow=narrow,
        labels=factor_names(result.table("weights")),
    ), "weights")  # fmt: skip


@keyed
def groups_agreement(result: Result, judge: str) -> Drawing | None:
    """None where nobody is held against a reference."""
    table = of_judge(result.table("agreement"), judge)
    if not len(table):
        return None
    reference = str(table["reference"].iloc[0])
    return Drawing("agreement", lambda theme, narrow: agreement_chart(
        table, judge, reference, theme, narrow=narrow
    ), "agreement")  # fmt: skip


@drawn("factors groups")
def _groups(result: Result, most: int | None) -> Sequence[Drawing]:
    weighed = each(judges_in(result.table("weights")), lambda judge: [groups(result, judge, most)])
    agreed = each(judges_in(result.table("agreement")), lambda judge: filter(None, [groups_agreement(result, judge)]))
    return (*weighed, *agreed)


@drawn("factors properties")
@keyed
def properties(result: Result, most: int | None = None) -> Sequence[Drawing]:
    return [Drawing("properties", lambda theme, narrow: property_chart(
        result.table("properties"), int(result.values["pairs"]), theme, narrow=narrow
    ), "properties")]  # fmt: skip
