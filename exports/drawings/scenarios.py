"""What is drawn of scenarios: where do judges agree least, and which figures differ?"""

from __future__ import annotations

from collections.abc import Sequence

from charts.coverage import coverage_chart
from charts.factor_gaps import POINTS
from charts.judge_rows import judge_rows_chart
from charts.scenario_figures import Figures, figures_of
from charts.scenario_matrix import scenario_matrix_chart
from charts.scenario_panels import scenario_panels_chart
from charts.scenario_rows import CORRELATION, agreement_look
from exports.drawings.drawing import Drawing, drawn, drawn_each, each, judges_in, keyed, of_judge, reference_of, rows
from studies.factor_options import display
from studies.study import Result

PANELS = 12
"""Figures of scenarios that have a panel of their own on paper."""


@drawn("datasets coverage")
@keyed
def coverage(result: Result, most: int | None = None) -> Sequence[Drawing]:
    return [Drawing("coverage", lambda theme, narrow: coverage_chart(result.table(), theme, narrow=narrow),
                    "coverage")]  # fmt: skip


@drawn_each("scenario-agreement", "judges")
@keyed
def agreement(result: Result, judge: str, most: int | None = None, pooled: bool = True) -> Drawing:
    """Agreement in each scenario. pooled : drawn to the others as far as it is noise, where that is known"""
    table, of = of_judge(result.table("scenarios"), judge), of_judge(result.table("judges"), judge)
    order = "pooled" if pooled and table["pooled"].notna().any() else "agreement"
    table = table.sort_values(order, kind="stable").reset_index(drop=True)
    look = agreement_look(order == "pooled", float(of["agreement"].iloc[0]))
    return Drawing("agreement", lambda theme, narrow: judge_rows_chart(
        table, (judge,), theme, look, humans=result.humans, most=rows(len(table), most), narrow=narrow
    ), "scenarios")  # fmt: skip


@drawn_each("scenario-orders", "scenarios")
@keyed
def orders(result: Result, judge: str, most: int | None = None) -> Drawing:
    """How alike the orders of models are in each scenario."""
    table = of_judge(result.table("scenarios"), judge)
    return Drawing("orders", lambda theme, narrow: judge_rows_chart(
        table, (judge,), theme, CORRELATION, humans=result.humans, most=rows(len(table), most), narrow=narrow
    ), "scenarios")  # fmt: skip


def figures(result: Result, judge: str, unit: str = POINTS) -> Figures:
    """All figures of one judge by scenario, in the order in which they are drawn."""
    net = judge not in result.settings["plain_gaps"]
    return figures_of(result.table("figures"), result.table("tests"), result.table("scenarios"), judge, unit, net)


@keyed
def matrix(
    result: Result, judge: str, most: int | None = None, unit: str = POINTS, pooled: bool = True
) -> Drawing:
    """Scenarios by figures."""
    found, table = figures(result, judge, unit), result.table("scenarios")
    names = {name: display(name) for _, name in found.order if name}
    return Drawing("matrix", lambda theme, narrow: scenario_matrix_chart(
        found, table, (reference_of(result), judge), theme, pooled=pooled, most=rows(len(table), most),
        narrow=narrow, labels=names,
    ), "figures")  # fmt: skip


@keyed
def panels(
    result: Result, judge: str, most: int | None = None, unit: str = POINTS, first: int = PANELS
) -> Drawing:
    """A panel a figure, with intervals. first : how many figures"""
    found = figures(result, judge, unit)
    names = {name: display(name) for _, name in found.order if name}
    return Drawing("panels", lambda theme, narrow: scenario_panels_chart(
        found, found.order[:first], (reference_of(result), judge), theme,
        most=rows(len(result.table("scenarios")), most), narrow=narrow, labels=names,
    ), "figures")  # fmt: skip


@drawn("scenario-matrix")
def _matrix(result: Result, most: int | None) -> Sequence[Drawing]:
    return each(judges_in(result.table("figures")), lambda judge: (
        matrix(result, judge, most), *(() if result.settings["pooled_only"] else (panels(result, judge, most),))
    ))  # fmt: skip
