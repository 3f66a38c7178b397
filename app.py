"""The page setup, and which page is shown."""

from pathlib import Path

import streamlit as st

from ui import navigation, selection, session
from ui.figure import setup
from ui.first_run import welcome

st.set_page_config(page_title="Jurylens", page_icon=str(Path(__file__).parent / "ui" / "icon.svg"), layout="wide")
with session.ahead.page():
    page = st.navigation(navigation.pages(), position="hidden")
    with st.container():
        # What only a first run draws: in a place of its own, or all that follows would move by it and the old page
        # would stay below the new one until that is complete.
        setup()
        welcome()
    selection.begin(navigation.screen(page.title))
    page.run()
    session.settle()
