"""How alike are the orders net of noise, beside what people reach among themselves?"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from charts import words
from exports.drawings import rankings as drawings
from studies.overview import escape
from studies.reliability import Reliability
from studies.study import Result
from ui.ask import ask
from ui.behind import shared_by
from ui.figure import figure
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View


def draw(seen: View, judge: str | None) -> None:
    """All judges of the selection against the reference."""
    if seen.reference is None or judge is None:
        st.info("This compares a judge with a reference: choose two judges in the sidebar.", icon=":material/info:")
        return
    result = attempt(replace(ask(Reliability), judge=(seen.reference, *seen.others)))
    if result is None:
        return
    st.markdown(finding(result, judge))
    figure(
        drawings.reliability(result)[0],
        result, "agreement", key="agreement", columns=Reliability.shown, folded=False,
        pairs=lambda row: shared_by(str(seen.reference), str(row["judge"])),
    )  # fmt: skip
    # What the finding has said is not said again.
    said = set(result.table("agreement")["note"])
    sentences(result, [text for text in result.warnings if text not in said])


def finding(result: Result, judge: str) -> str:
    """The agreement of the judge looked at, and the ceiling to read it by."""
    table, ceilings = result.table("agreement"), result.table("ceilings")
    row = table[table["judge"] == judge].iloc[0] if judge in set(table["judge"]) else table.iloc[0]
    name, reference = escape(str(row["judge"])), escape(str(result.settings["reference"]))
    if words.absent(row["corrected"]):
        raw = "" if words.absent(row["pearson"]) else f"{words.number(row['pearson'])} as it stands; "
        said = f"**{name}**: {raw}{escape(str(row['note']), 4000)}."
    else:
        net = words.estimate(row["corrected"], row["lower"], row["upper"])
        said = f"**Net of noise, {name}'s strengths correlate with {reference}'s at {net}** (as they stand, "
        said += f"{words.number(row['pearson'])})."
    halves = [f"{each.way}s at {words.number(each.value)}" for each in ceilings.itertuples()]
    return f"{said} Two halves of {reference}'s {', of its '.join(halves)}." if halves else said
