"""How is what must be known before believing a result written? A list of sentences, names left as they are."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from studies.overview import escape
from studies.study import Result
from ui import navigation, selection
from ui.view import View


def remarks(result: Result, texts: Iterable[str] | None = None) -> None:
    """The result's warnings, or these texts, as a list."""
    for text in result.warnings if texts is None else texts:
        st.markdown(f"- {escape(sentence(text, result.study.judge), 4000)}")
    if "left_out" in result.tables and len(result.table("left_out")):
        link_plan(selection.current(), str(result.table("left_out")["judge"].iloc[0]))


def link_plan(seen: View, judge: str) -> None:
    """A link to the plan of a judge's next judgments, which begins with models that have no strength."""
    opened = st.session_state["words"].get("open", []) if "open" in seen.extra else []
    words_of_page = {k: list(v) for k, v in seen.extra.items() if k in navigation.screen("Rankings").words}
    words_of_page |= {"open": list(dict.fromkeys([*opened, "ask_next"])), "next_of": [judge]}
    said = f"What {escape(judge, 40)} should judge next"
    navigation.link(seen, "Rankings", said, icon=":material/playlist_add:", **words_of_page)


def sentence(text: str, names: Iterable[str]) -> str:
    """With a capital, unless it begins with one of the names: gpt-4 is not Gpt-4."""
    return text if text.startswith(tuple(names)) else text[:1].upper() + text[1:]
