"""How is what must be known before believing a result written? A list of sentences, each once."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from studies.overview import escape
from studies.study import Result
from ui import navigation, selection
from ui.notices import by_label, sentence
from ui.view import View

ICON = ":material/playlist_add:"

def sentences(result: Result, texts: Iterable[str] | None = None) -> None:
    """The result's warnings, or these texts, as a list; without what stands further up on the page."""
    names = (*result.study.judge, *getattr(result.study, "factor", ()))
    for text in result.warnings if texts is None else texts:
        if text in st.session_state.get(selection.TOLD, ()):
            continue
        st.markdown(f"- {escape(by_label(sentence(text, names), type(result.study)), 4000)}")


def told(texts: Iterable[str]) -> None:
    """From here to the end of this run these sentences are not said again."""
    st.session_state[selection.TOLD] = frozenset(texts)


def remarks(result: Result) -> None:
    """As `sentences`, and where models have no strength the way to what should be judged next; once on a page."""
    sentences(result)
    if "left_out" in result.tables and len(result.table("left_out")):
        _offer_plan(str(result.table("left_out")["judge"].iloc[0]))


def _offer_plan(judge: str) -> None:
    """A button that opens the plan further down this page: a link to the page one is on would not reach the address."""
    opened = [word for word in st.session_state["words"].get("open", []) if word != "ask_next"]

    def open_plan() -> None:
        selection.set_word("next_of", judge)
        selection.set_word("open", [*opened, "ask_next"])

    st.button(_said(judge), key="plan", type="tertiary", icon=ICON, on_click=open_plan)


def link_plan(seen: View, judge: str) -> None:
    """A link from another page to the plan of a judge's next judgments, which begins with models without a strength."""
    navigation.link(seen, "Rankings", _said(judge), icon=ICON, open="ask_next", next_of=judge)


def _said(judge: str) -> str:
    return f"What {escape(judge, 40)} should judge next"
