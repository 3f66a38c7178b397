"""What do sections ask alike? Whose ranking, and how many models of it."""

from __future__ import annotations

import streamlit as st

from ui import selection
from ui.ask import shown
from ui.how_many import how_many as rows_drawn
from ui.view import View

FIRST = 15
"""Models drawn until the reader asks for all."""


def one_judge(seen: View, section: str) -> str:
    """The judge looked at, first the reference; the word is `section_of`."""
    judges, word = list(seen.judges), f"{section}_of"
    picked = str(selection.page_word(word, judges, judges[0]))
    if len(judges) > 1:
        st.session_state[f"w:{word}"] = picked
        st.selectbox("Judge", judges, key=f"w:{word}", format_func=shown,
                     on_change=selection.on_change(word, f"w:{word}"))  # fmt: skip
    return picked


def how_many(models: int, section: str) -> int:
    """15 models until the reader asks for all; the word is `section_all`."""
    return rows_drawn(models, FIRST, "models", f"{section}_all")
