"""Judges: may they stand in for people, which resemble which, and what do those with published weights reward where?"""

import streamlit as st

from ui import judges, rankings, selection, stand_in, weight_matrix
from ui.sections import JUDGES
from ui.sections.show import show

seen = selection.current()
st.title("Judges", anchor=False)
stand_in.verdicts(seen)
if seen.names is not None and seen.names.judges:
    show(JUDGES, seen, rankings.choose_judge(seen) if seen.reference and seen.others else None)
st.subheader("Which judges resemble which?", anchor=False)
judges.similar(seen)
weight_matrix.published(seen)
judges.add_own(seen)
