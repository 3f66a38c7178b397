"""Data: what is loaded, and how a file comes in."""

import streamlit as st

st.title("Data", anchor=False)
