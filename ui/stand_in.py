"""May a judge stand in for people? The verdicts that open the page Judges, and how far they may be trusted."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from exports.drawings import judges as drawings
from studies.overview import escape
from studies.stand_in import JudgeStandIn
from ui.ask import ask, chosen
from ui.behind import shared_by
from ui.figure import figure
from ui.how_many import how_many
from ui.navigation import link
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

MOST = 15
REASONS = (": it agrees with", ": no vote can be", ": compared on", ": nothing tells")
"""How what stands behind a verdict begins."""

SAID = 3
"""Judges whose verdict is said in words; the chart has all."""


def verdicts(seen: View) -> None:
    """A line a judge, the chart of all, and what to distrust; nothing where there is nobody to hold against people."""
    if seen.names is None or seen.reference is None or not seen.others:
        return
    st.subheader("May it stand in for people?", anchor=False)
    study = replace(chosen(JudgeStandIn), judge=(str(seen.reference), *seen.others))
    result = attempt(study)
    if result is None:
        return
    with st.container(key="verdicts"):
        for one in result.findings[:SAID]:
            # A sentence that begins with a judge's name leaves the name as it is.
            named = any(one.text.startswith(judge) for judge in seen.others)
            text = one.text if named else one.text[:1].upper() + one.text[1:]
            # Judges' names may have colons of their own.
            at = next((text.rfind(start) for start in REASONS if start in text), len(text))
            st.markdown(f"**{escape(text[:at], 600)}**{escape(text[at:], 600)}.")
    with st.popover("The rule", type="tertiary", icon=":material/rule:"):
        st.markdown(
            "Each vote of a person is left out in turn. That vote and the judge are both held against what most of the "
            "others said; the judge's advantage is how much more often it agrees with them. It **may stand in** when "
            "the whole interval lies above minus the margin (a test of non-inferiority, at 2.5 % with a 95 % "
            "interval), **may not** when it lies below, and is **undecided** else, and with fewer "
            "pairs than the smallest number."
        )
        ask(JudgeStandIn)
    table = result.table("judges")
    if table["advantage"].isna().all():
        # Nothing to draw: what is missing, and what still can be asked.
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(
                "People's own agreement is what a judge is held against, and it takes the votes of two people or more "
                "on the same pairs, each named in a column `annotator`. What this judge and the reference have in "
                "common is below."
            )
            link(seen, "Data", "Add votes", icon=":material/upload_file:")
        sentences(result)
        return
    most = how_many(int(table["advantage"].notna().sum()), MOST, "judges")
    figure(
        drawings.stand_in(result, most)[0],
        result, "judges", key="stand-in", columns=JudgeStandIn.shown,
        pairs=lambda row: shared_by(str(seen.reference), str(row["judge"])),
    )  # fmt: skip
    sentences(result)
