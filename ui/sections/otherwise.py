"""Do weights and gaps hold with model strengths held equal, and without empty texts?"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from charts.factor_gaps import EVEN, POINTS
from charts.variants import variants_chart
from studies.factor_options import display
from studies.factors_variants import VARIANTS, FactorsVariants
from ui import factors
from ui.ask import shown
from ui.figure import figure
from ui.methods import pick
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

GAPS, HELD = "gap", "model strengths held equal"


def draw(seen: View, judge: str | None) -> None:
    """The section: the gap of the two judges, or the weights of one of them."""
    assert seen.names is not None
    known = factors.known_factors(seen)
    judges = (str(seen.reference), judge) if judge is not None else (seen.judges[0],)
    study = replace(factors.meant(FactorsVariants, known), judge=judges)
    gaps = {GAPS: f"{judge} minus {seen.reference}"} if judge is not None else {}
    picked = pick("otherwise_of", gaps | {name: shown(name) for name in judges}, "Of")
    result = attempt(study)
    if result is None:
        return
    scale = factors.unit()
    if picked == GAPS:
        table = result.table("gaps")
        net = bool(len(table) and table["gap_scaled"].notna().all())
        columns = ("gap_scaled", "scaled_lower", "scaled_upper") if net else ("gap", "lower", "upper")
        zero, what = 0.0, "net gap" if net else "plain gap"
    else:
        table = result.table("weights")
        table = table[table["judge"] == picked]
        columns, what = ("weight", "lower", "upper"), "weight"
        zero = 50.0 if scale == POINTS else 0.0
    names = {str(f): display(str(f)) for f in result.table("weights")["factor"]}
    points = EVEN if picked == GAPS else "win points"
    title = f"{what}, {points if scale == POINTS else 'log-odds'}"
    st.markdown(_lead(picked, HELD in set(result.table("weights")["variant"])))
    figure(
        lambda theme, narrow: variants_chart(
            table, tuple(VARIANTS), theme, columns=columns, title=title, zero=zero, narrow=narrow, unit=scale,
            labels=names,
        ),
        result, "gaps" if picked == GAPS else "weights", key="otherwise",
        rows=table, read=table.assign(factor=[names.get(str(f), str(f)) for f in table["factor"]]),
        columns=FactorsVariants.shown if picked != GAPS else None,
    )  # fmt: skip
    sentences(result)


def _lead(picked: str, models: bool) -> str:
    what = "gap" if picked == GAPS else "weight"
    if not models:
        return f"A {what} that moves without the empty texts is about answering at all, rather than about the factor."
    return (
        f"A {what} that moves when models' strengths are held equal is about which models have much of the factor, "
        "rather than about the factor itself."
    )


