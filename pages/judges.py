"""Judges: may they stand in for people, which resemble which, and what do those with published weights reward where?"""

import streamlit as st

from ui import judges, selection, stand_in, weight_matrix

seen = selection.current()
st.title("Judges", anchor=False)
stand_in.verdicts(seen)
st.subheader("Which judges resemble which?", anchor=False)
judges.similar(seen)
weight_matrix.published(seen)
judges.add_own(seen)
