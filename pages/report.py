"""Report: the whole story of a dataset, for somebody who never saw the app."""

import streamlit as st

from ui import report, selection

seen = selection.current()
st.title("Report", anchor=False)
report.draw(seen)
