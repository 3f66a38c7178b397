"""Does one scale fit a judge's verdicts? The test, and the pairs of models that fit worst."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from studies.fit_check import CheckFit
from studies.overview import escape
from ui import session
from ui.ask import ask
from ui.figure import foot, show_table
from ui.sections.choices import one_judge
from ui.view import View


def draw(seen: View, judge: str | None) -> None:
    """The test of one judge's verdicts, then the pairs of models furthest from the fit."""
    result = session.attempt(replace(ask(CheckFit), judge=(one_judge(seen, "fit"),)))
    if result is None:
        return
    show_table(result.table("fit"), key="fit-test")
    st.markdown("**Pairs of models that fit worst**")
    pairs = result.table("pairs")
    show_table(pairs, CheckFit.shown, key="fit")
    foot(result, pairs, "pairs", "fit")
    for text in result.warnings:
        st.markdown(f"- {escape(text[:1].upper() + text[1:], 4000)}")
