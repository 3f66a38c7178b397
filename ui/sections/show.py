"""How is a section opened? By hand or by the address; one that is shut computes nothing."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import streamlit as st

from errors import JurylensError
from ui import selection
from ui.navigation import link
from ui.notices import notice
from ui.sections import FACTORS, JUDGES, METHODS, RANKINGS, SCENARIOS, Section
from ui.sections.lacking import Need, lacks, title
from ui.view import View


def show(sections: tuple[Section, ...], seen: View, judge: str | None) -> None:
    """The sections as lines that open; which are open stands in the address.

    judge : the one held against the reference, or None where a page has none
    """
    # A page may show several groups of sections: opening one shuts none of another.
    known = {section.word for section in (*RANKINGS, *FACTORS, *METHODS, *SCENARIOS, *JUDGES)}
    asked = [word for word in st.session_state["words"].get("open", []) if word in known]
    # What the dataset has nothing for comes last, and says so before it is opened.
    wanting = {section: lacks(section, seen) for section in sections}
    for section, lacking in sorted(wanting.items(), key=lambda item: bool(item[1])):
        key = f"w:open-{section.word}"
        st.session_state[key] = section.word in asked
        box = st.expander(title(section, lacking), key=key, on_change=_toggled(section.word, asked))
        if not box.open:
            continue
        with box:
            if lacking:
                _way_on(seen, lacking)
                continue
            try:
                import_module(f"ui.sections.{section.word}").draw(seen, judge)
            except JurylensError as error:
                # Its own sentence in its own place: the rest of the page goes on.
                notice(error)


def _way_on(seen: View, lacking: list[Need]) -> None:
    """What is lacking, and where it is mended."""
    st.info(" ".join(need.mend for need in lacking), icon=":material/info:")
    link(seen, "Data", "Open the page Data", icon=":material/upload_file:")


def _toggled(word: str, asked: list[str]) -> Callable[[], None]:
    def changed() -> None:
        opened = st.session_state[f"w:open-{word}"]
        rest = [other for other in asked if other != word]
        selection.set_word("open", [*rest, word] if opened else rest)

    return changed
