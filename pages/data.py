"""Data: what is loaded, and how a file comes in."""

import streamlit as st

from ui import datasets, display, selection, session
from ui.upload import busy, upload
from ui.weights_alone import has_judgments, tell

seen = selection.current()
st.title("Data", anchor=False)
datasets.told()
if session.store().read_only:
    datasets.closed()
else:
    st.subheader("Open a file", anchor=False)
    upload(seen)
if seen.names is not None and not busy():
    st.subheader("What is loaded", anchor=False)
    datasets.listing()
    datasets.one_dataset(seen)
    display.editor(seen)
    if has_judgments(seen):
        datasets.health()
    else:
        tell(seen)
