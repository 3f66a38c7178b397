"""Scenarios: where the judges part, and whether scenarios differ in that at all."""

import streamlit as st

from ui import rankings, scenarios, selection
from ui.sections import SCENARIOS
from ui.sections.show import show

seen = selection.current()
st.title("Scenarios", anchor=False)
judge = None
if scenarios.begin(seen):
    judge = rankings.choose_judge(seen)
    if judge is None:
        scenarios.alone(seen)
    else:
        scenarios.compared(seen, judge)
show(SCENARIOS, seen, judge)
