"""What is drawn of rankings: two judges side by side, each alone, and what else moves an order?"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from charts.agreement import agreement_chart
from charts.controls import controls_chart
from charts.correct import correct_chart
from charts.fit_check import fit_chart
from charts.flips import flip_chart
from charts.gaps import gap_chart
from charts.next_pairs import next_chart
from charts.places import places_chart
from charts.ranking import ranking_chart
from charts.scenarios import scenarios_chart
from charts.slope import slope_chart
from charts.tie_policies import tie_policies_chart
from charts.winrate import winrate_chart
from exports.drawings.drawing import (
    Drawing,
    drawn,
    drawn_each,
    each,
    judges_in,
    keyed,
    mark_of,
    of_judge,
    reference_of,
    rows,
)
from studies.study import Result


@keyed
def ranking(
    result: Result, most: int | None = None, truth: pd.DataFrame | None = None, small: bool = False
) -> Drawing:
    """truth : the simulated one, drawn beside the estimates; small : as on a phone, wherever it is drawn"""
    table = result.table("ranking")
    return Drawing("ranking", lambda theme, narrow: ranking_chart(
        table, theme, humans=result.humans, most=rows(len(table), most), narrow=narrow or small, truth=truth,
    ), "ranking")  # fmt: skip


@drawn("rank")
def _rank(result: Result, most: int | None) -> Sequence[Drawing]:
    return [ranking(result, most)]


@keyed
def side_by_side(
    result: Result, judge: str, most: int | None = None, truth: pd.DataFrame | None = None
) -> Drawing:
    """The models in both orders, joined by a line."""
    models = of_judge(result.table("models"), judge)
    return Drawing("slope", lambda theme, narrow: slope_chart(
        models, reference_of(result), judge, theme, humans=result.humans, most=rows(len(models), most), narrow=narrow,
        truth=truth,
    ), "models")  # fmt: skip


@keyed
def gaps(
    result: Result, judge: str, most: int | None = None, truth: pd.DataFrame | None = None, small: bool = False
) -> Drawing:
    """The judge's strengths minus the reference's. small : as on a phone, wherever it is drawn"""
    models = of_judge(result.table("models"), judge)
    return Drawing("gap", lambda theme, narrow: gap_chart(
        models, reference_of(result), judge, theme, humans=result.humans, most=rows(len(models), most),
        narrow=narrow or small, truth=truth,
    ), "models")  # fmt: skip


@keyed
def flips(result: Result, judge: str) -> Drawing:
    """Pairs of models that change places."""
    models, table = (of_judge(result.table(name), judge) for name in ("models", "flips"))
    return Drawing("flips", lambda theme, narrow: flip_chart(
        table, theme, narrow=narrow, models=models, reference=reference_of(result)
    ), "flips")  # fmt: skip


@drawn("compare")
def _compare(result: Result, most: int | None) -> Sequence[Drawing]:
    return each(judges_in(result.table("judges")), lambda judge: (
        side_by_side(result, judge, most), gaps(result, judge, most), flips(result, judge)
    ))  # fmt: skip


@drawn_each("places", "places")
@keyed
def places(result: Result, judge: str, most: int | None = None) -> Drawing:
    table = of_judge(result.table("places"), judge)
    return Drawing("places", lambda theme, narrow: places_chart(
        table, theme, mark_of(result, judge, theme), most=rows(len(table), most), narrow=narrow
    ), "places")  # fmt: skip


@drawn_each("control", "models")
@keyed
def controls(result: Result, judge: str, most: int | None = None) -> Drawing:
    models, worth = (of_judge(result.table(name), judge) for name in ("models", "coefficients"))
    return Drawing("controls", lambda theme, narrow: controls_chart(
        models, worth, theme, mark_of(result, judge, theme), most=rows(len(models), most), narrow=narrow
    ), "models")  # fmt: skip


@drawn_each("scenarios", "heterogeneity")
@keyed
def orders(result: Result, judge: str, most: int | None = None, raw: bool = False) -> Drawing:
    """Strengths by scenario. raw : each scenario alone, rather than pooled with the others"""
    table, models = (of_judge(result.table(name), judge) for name in ("scenarios", "heterogeneity"))
    few: Collection[str] = set(of_judge(result.table("thin"), judge)["scenario"])
    return Drawing("strengths", lambda theme, narrow: scenarios_chart(
        table, models, theme, raw=raw, most=rows(len(models), most), narrow=narrow, thin=few
    ), "scenarios")  # fmt: skip


@drawn("tie-policies")
@keyed
def tie_policies(result: Result, most: int | None = None) -> Sequence[Drawing]:
    return [Drawing("policies", lambda theme, narrow: tie_policies_chart(
        result.table(), theme, humans=result.humans, narrow=narrow
    ), "policies")]  # fmt: skip


@drawn_each("winrate", "winrates")
@keyed
def winrates(result: Result, judge: str, most: int | None = None) -> Drawing:
    table = of_judge(result.table("winrates"), judge)
    baseline = str(result.settings["baseline"])
    return Drawing("winrates", lambda theme, narrow: winrate_chart(
        table, baseline, theme, mark_of(result, judge, theme), most=rows(len(table), most), narrow=narrow
    ), "winrates")  # fmt: skip


@drawn_each("correct", "models")
@keyed
def corrected(result: Result, judge: str, most: int | None = None) -> Drawing:
    models = of_judge(result.table("models"), judge)
    return Drawing("corrected", lambda theme, narrow: correct_chart(
        models, reference_of(result), judge, theme, humans=result.humans, most=rows(len(models), most), narrow=narrow
    ), "models")  # fmt: skip


@keyed
def residuals(result: Result, judge: str) -> Drawing:
    """The pairs of models that one scale fits worst."""
    table = of_judge(result.table("pairs"), judge)
    return Drawing("fit", lambda theme, narrow: fit_chart(
        table, theme, mark_of(result, judge, theme), narrow=narrow
    ), "pairs")  # fmt: skip


@drawn("fit-check")
def _residuals(result: Result, most: int | None) -> Sequence[Drawing]:
    return each(judges_in(result.table("fit")), lambda judge: [residuals(result, judge)])


@keyed
def next_pairs(result: Result, judge: str) -> Drawing:
    table = of_judge(result.table("next"), judge)
    return Drawing("next", lambda theme, narrow: next_chart(
        table, theme, mark_of(result, judge, theme), narrow=narrow
    ), "next")  # fmt: skip


@drawn("next-pairs")
def _next(result: Result, most: int | None) -> Sequence[Drawing]:
    return each(judges_in(result.table("judges")), lambda judge: [next_pairs(result, judge)])


@drawn("reliability")
@keyed
def reliability(result: Result, most: int | None = None) -> Sequence[Drawing]:
    table = result.table("agreement")
    return [Drawing("agreement", lambda theme, narrow: agreement_chart(
        table, result.table("ceilings"), theme, humans=result.humans, most=rows(len(table), most), narrow=narrow
    ), "agreement")]  # fmt: skip
