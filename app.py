"""The page setup, and which page is shown."""

import streamlit as st

from ui import navigation, selection
from ui.figure import STYLE
from ui.first_run import welcome

st.set_page_config(page_title="Jurylens", page_icon="ui/icon.svg", layout="wide")
page = st.navigation(navigation.pages(), position="hidden")
st.html(STYLE)
welcome()
selection.begin(navigation.screen(page.title))
page.run()
