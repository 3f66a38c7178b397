"""What should be judged next? The pairs of models that tell most, and the list of responses to judge as a file."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from studies.next_pairs import NextPairs
from studies.overview import escape
from ui import session
from ui.ask import ask
from ui.figure import as_csv, file_name, foot, show_table
from ui.sections.choices import one_judge
from ui.view import View


def draw(seen: View, judge: str | None) -> None:
    """The plan for one judge, and its work list to take away."""
    result = session.attempt(replace(ask(NextPairs), judge=(one_judge(seen, "next"),)))
    if result is None:
        return
    planned, listed = result.table("next"), result.table("work_list")
    show_table(planned, NextPairs.shown, key="next")
    foot(result, planned, "next", "next")
    st.download_button(
        f"Work list: {len(listed):,} pairs of responses to judge", data=lambda: as_csv(listed),
        file_name=file_name(result, "work_list"), mime="text/csv", icon=":material/download:", key="work-list",
        on_click="ignore", disabled=not len(listed),
        help="Fill in the column winner and open the file on the page Data: it needs no mapping.",
    )  # fmt: skip
    for text in result.warnings:
        st.markdown(f"- {escape(text[:1].upper() + text[1:], 4000)}")
