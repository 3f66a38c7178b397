"""Judges: which of them resemble which."""

import streamlit as st

from ui import judges, selection

seen = selection.current()
st.title("Judges", anchor=False)
st.subheader("Which judges resemble which?", anchor=False)
judges.similar(seen)
judges.add_own(seen)
