"""Do weights and gaps hold with model strengths held equal, and without empty texts?"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from exports.drawings import factors as drawings
from studies.factor_options import display
from studies.factors_variants import FactorsVariants
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
    gap = picked == GAPS
    table = result.table("gaps" if gap else "weights")
    if not gap:
        table = table[table["judge"] == picked]
    names = {str(f): display(str(f)) for f in result.table("weights")["factor"]}
    st.markdown(_lead(picked, HELD in set(result.table("weights")["variant"])))
    figure(
        drawings.variants(result, judges[-1] if gap else picked, gap, unit=factors.unit()),
        result, key="otherwise",
        rows=table, read=table.assign(factor=[names.get(str(f), str(f)) for f in table["factor"]]),
        columns=None if gap else FactorsVariants.shown,
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


