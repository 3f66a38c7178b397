"""In which scenarios do reasons part? A matrix of factors and scenarios."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from charts import words
from charts.factor_scenarios import factor_scenario_chart
from studies.factor_options import display
from studies.factors_scenarios import FactorsScenarios
from studies.overview import escape
from ui import factors, selection
from ui.figure import figure
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

MOST = 15


def draw(seen: View, judge: str | None) -> None:
    """The section for the judge held against the reference."""
    assert seen.names is not None
    if judge is None:
        st.info("Gaps need two judges: the reference and another one on the same pairs.", icon=":material/info:")
        return
    known = factors.known_factors(seen)
    study = replace(factors.meant(FactorsScenarios, known), judge=(str(seen.reference), judge))
    result = attempt(study)
    if result is None:
        return
    gaps, reference = result.table("gaps"), str(seen.reference)
    names = {str(f): display(str(f)) for f in gaps["factor"]}
    sure = gaps[gaps["scaled_q"].astype("Float64").lt(0.05).fillna(False).astype(bool)]
    n = int(gaps["scenario"].nunique())
    if len(sure):
        top = sure.iloc[int(sure["gap_scaled"].abs().to_numpy(dtype=float).argmax())]
        st.markdown(
            f"**{words.plural(len(sure), 'gap')} in {words.plural(int(sure['scenario'].nunique()), 'scenario')} of {n} "
            f"{'is' if len(sure) == 1 else 'are'} beyond noise, decisiveness aside.** The largest: "
            f"{escape(names[str(top['factor'])])} in {escape(str(top['scenario']))}."
        )
    else:
        st.markdown(f"**In none of {words.plural(n, 'scenario')} is a net gap beyond noise.**")
    most = MOST
    if len(names) > MOST:
        st.session_state["w:by_scenario_all"] = selection.page_word("by_scenario_all", ["true"]) == "true"
        st.toggle(f"Draw all {len(names)} factors", key="w:by_scenario_all",
                  on_change=selection.on_change("by_scenario_all", "w:by_scenario_all"))  # fmt: skip
        most = len(names) if st.session_state["w:by_scenario_all"] else MOST
    scale = factors.unit()
    figure(
        lambda theme, narrow: factor_scenario_chart(
            gaps, reference, judge, theme, most=most, narrow=narrow, unit=scale, labels=names
        ),
        result, "gaps", key="by-scenario", columns=FactorsScenarios.shown,
        read=gaps.assign(factor=[names[str(f)] for f in gaps["factor"]]),
    )  # fmt: skip
    sentences(result)
