"""Judges: which of them resemble which, and what each of those with published weights rewards where."""

import streamlit as st

from ui import judges, selection, weight_matrix

seen = selection.current()
st.title("Judges", anchor=False)
st.subheader("Which judges resemble which?", anchor=False)
judges.similar(seen)
weight_matrix.published(seen)
judges.add_own(seen)
