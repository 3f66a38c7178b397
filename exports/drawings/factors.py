"""What is drawn of factors: what moves each judge, and where do their reasons part?"""

from __future__ import annotations

from collections.abc import Sequence

from charts.factor_gaps import EVEN, POINTS, factor_gap_chart
from charts.factor_scenarios import factor_scenario_chart
from charts.strengths import strength_chart
from charts.theme import marks
from charts.trust import trust_chart
from charts.variants import variants_chart
from charts.waterfall import waterfall_chart
from charts.weight_cells import POOLED, PUBLISHED, Figures
from charts.weight_matrix import weight_matrix_chart
from charts.weights import weight_chart
from exports.drawings.drawing import (
    Drawing,
    drawn,
    drawn_each,
    each,
    factor_names,
    judges_in,
    keyed,
    of_judge,
    reference_of,
    rows,
)
from studies.factors_matrix import PUBLISHED as OTHERS
from studies.factors_variants import VARIANTS
from studies.study import Result

SIDE_BY_SIDE = 4
"""Judges whose matrices of weights stand beside one another."""

STEPS, MARKS = 8, 10
"""Steps of an explanation that can be followed, and rows of several marks that can be told apart."""


@drawn_each("factors fit", "factors")
@keyed
def weights(result: Result, judge: str, most: int | None = None, unit: str = POINTS) -> Drawing:
    """One judge's weights."""
    table = of_judge(result.table("factors"), judge)
    return Drawing("weights", lambda theme, narrow: weight_chart(
        table, judge, theme, humans=result.humans, most=rows(len(table), most), narrow=narrow, unit=unit,
        labels=factor_names(table),
    ), "factors")  # fmt: skip


@drawn_each("factors gap", "gaps")
@keyed
def gaps(result: Result, judge: str, most: int | None = None, unit: str = POINTS) -> Drawing:
    """Both judges' weights, and their gap."""
    table = of_judge(result.table("gaps"), judge)
    return Drawing("gaps", lambda theme, narrow: factor_gap_chart(
        table, reference_of(result), judge, theme, humans=result.humans, most=rows(len(table), most), narrow=narrow,
        unit=unit, labels=factor_names(table),
    ), "gaps")  # fmt: skip


@drawn_each("factors scenarios", "gaps")
@keyed
def gaps_by_scenario(result: Result, judge: str, most: int | None = None, unit: str = POINTS) -> Drawing:
    table = of_judge(result.table("gaps"), judge)
    names = factor_names(table)
    return Drawing("gaps", lambda theme, narrow: factor_scenario_chart(
        table, reference_of(result), judge, theme, most=rows(len(names), most), narrow=narrow, unit=unit, labels=names
    ), "gaps")  # fmt: skip


@keyed
def variants(
    result: Result, judge: str, gap: bool, most: int | None = None, unit: str = POINTS
) -> Drawing:
    """A mark for each way of fitting. gap : of the judge against the reference; else its weights"""
    table = of_judge(result.table("gaps" if gap else "weights"), judge)
    if gap:
        net = bool(len(table) and table["gap_scaled"].notna().all())
        columns = ("gap_scaled", "scaled_lower", "scaled_upper") if net else ("gap", "lower", "upper")
        zero, what = 0.0, "net gap" if net else "plain gap"
    else:
        columns, what = ("weight", "lower", "upper"), "weight"
        zero = 50.0 if unit == POINTS else 0.0
    title = f"{what}, {(EVEN if gap else 'win points') if unit == POINTS else 'log-odds'}"
    names = factor_names(result.table("weights"))
    limit = MARKS if most is None else most
    return Drawing("gaps" if gap else "weights", lambda theme, narrow: variants_chart(
        table, tuple(VARIANTS), theme, columns=columns, title=title, zero=zero, narrow=narrow, unit=unit,
        labels=names, most=limit,
    ), "gaps" if gap else "weights")  # fmt: skip


@drawn("factors variants")
def _variants(result: Result, most: int | None) -> Sequence[Drawing]:
    table = result.table("gaps")
    apart = each(judges_in(table), lambda judge: [variants(result, judge, True, most)]) if len(table) else ()
    return (*apart, *each(judges_in(result.table("weights")), lambda judge: [variants(result, judge, False, most)]))


@keyed
def explained(
    result: Result, sides: tuple[str, str] | None = None, most: int | None = None, unit: str = POINTS
) -> Drawing:
    """What every factor adds, in one pair. sides : whose A and B are"""
    steps, judges = result.table("contributions"), result.table("judges")
    limit = STEPS if most is None else most
    return Drawing("explained", lambda theme, narrow: waterfall_chart(
        steps, judges, theme, sides=sides or sides_of(result), humans=result.humans, narrow=narrow, unit=unit,
        labels=factor_names(steps), most=limit,
    ), "contributions")  # fmt: skip


def sides_of(result: Result) -> tuple[str, str] | None:
    """Whose A and B are, where two models are named."""
    a, b = (result.settings.get(f"model_{side}") for side in "ab")
    return (str(a), str(b)) if a and b and a != b else None


@drawn("factors explain")
def _explained(result: Result, most: int | None) -> Sequence[Drawing]:
    return [explained(result, most=most)]


@drawn("factors trust")
@keyed
def trust(result: Result, most: int | None = None) -> Sequence[Drawing]:
    """What the factors predict of verdicts held out; nothing where too few are there to hold some out."""
    table = result.table("held_out")
    if not len(table):
        return ()
    return [Drawing("held-out", lambda theme, narrow: trust_chart(
        table, theme, humans=result.humans, most=rows(len(table), most), narrow=narrow
    ), "held_out")]  # fmt: skip


@keyed
def strengths(result: Result, judges: Sequence[str], most: int | None = None) -> Drawing:
    """How often each factor agrees with the verdict."""
    table = result.table("strengths")
    return Drawing("strengths", lambda theme, narrow: strength_chart(
        table, judges, theme, humans=result.humans, most=rows(table["factor"].nunique(), most), narrow=narrow,
        labels=factor_names(table),
    ), "strengths")  # fmt: skip


@drawn("factors strength")
def _strengths(result: Result, most: int | None) -> Sequence[Drawing]:
    return [strengths(result, judges_in(result.table("strengths"))[:SIDE_BY_SIDE], most)]


@keyed
def weight_matrix(
    result: Result, judges: Sequence[str], figures: Figures = POOLED, unit: str = POINTS,
    humans: Sequence[str] | None = None,
) -> Drawing:  # fmt: skip
    """Factors by scenarios, a panel a judge. humans : where the judges are published and none of the dataset's"""
    table = result.table("weights")
    there = [judge for judge in judges if judge in set(table["judge"])]
    trees = (result.table("row_tree"), result.table("column_tree"))
    people = result.humans if humans is None else humans
    return Drawing("weights", lambda theme, narrow: weight_matrix_chart(
        table, trees, theme, marks(there, people, theme), figures=figures, unit=unit, narrow=narrow,
        labels=factor_names(table),
    ), "weights")  # fmt: skip


@drawn("factors matrix")
def _weight_matrix(result: Result, most: int | None) -> Sequence[Drawing]:
    figures = PUBLISHED if result.settings["source"] == OTHERS else POOLED
    return each(judges_in(result.table("weights")), lambda judge: [weight_matrix(result, [judge], figures)])
