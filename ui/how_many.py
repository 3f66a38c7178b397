"""How many rows does a chart draw: the first, or all of them on request?"""

from __future__ import annotations

import streamlit as st

from ui import selection


def how_many(n: int, most: int, what: str, word: str = "all") -> int:
    """`n` where no more than `most` are there, else `most` and a toggle "Draw all 65 judges".

    word : the address word that remembers the toggle
    """
    if n <= most:
        return n
    key = f"w:{word}"
    st.session_state[key] = selection.page_word(word, ["true"]) == "true"
    st.toggle(f"Draw all {n:,} {what}", key=key, on_change=selection.on_change(word, key))
    return n if st.session_state[key] else most
