"""Do both judges order the models alike in each scenario? The rank correlation of every scenario by itself."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from charts import words
from exports.drawings import scenarios as drawings
from studies.overview import escape
from studies.scenario_orders import ScenarioOrders
from ui.ask import chosen
from ui.figure import figure
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View


def draw(seen: View, judge: str | None) -> None:
    """The section for the judge held against the reference."""
    if judge is None:
        st.info("Two orders need two judges: the reference and another one on the same pairs.", icon=":material/info:")
        return
    result = attempt(replace(chosen(ScenarioOrders), judge=(str(seen.reference), judge)))
    if result is None:
        return
    table = result.table("scenarios")
    low, high = table.iloc[0], table.iloc[-1]
    who = f"{escape(str(seen.reference), 40)} and {escape(judge, 40)}"
    if len(table) == 1:
        where = escape(str(low["scenario"]), 60)
        said = f"The orders of {who} correlate at {words.number(low['spearman'])} in {where}."
    else:
        said = (
            f"The orders of {who} correlate least in {escape(str(low['scenario']), 60)} "
            f"({words.estimate(low['spearman'], low['spearman_lower'], low['spearman_upper'])}) and most in "
            f"{escape(str(high['scenario']), 60)} "
            f"({words.estimate(high['spearman'], high['spearman_lower'], high['spearman_upper'])})."
        )
    st.markdown(f"**{said}**")
    st.caption(
        "Where intervals overlap, nothing shows that scenarios differ. Prefer agreement, above, where models are few."
    )
    figure(
        drawings.orders(result, judge),
        result, "scenarios", key="orders", columns=ScenarioOrders.shown,
    )  # fmt: skip
    sentences(result)
