"""How is one thing of a dropped file asked about? A row with its name, how sure the answer is, and the answer's box.

`sure`, `a guess`, `asked`, `as last time`, or `yours` once somebody has changed it. Answers outlive a look at another
page; they belong to one dropped file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import streamlit as st

from data.recognise import ASK, GUESS, SURE
from studies.overview import escape, inert

YOURS, AS_LAST = "yours", "as last time"
BADGES = {
    SURE: ("sure", "green", ":material/check:"),
    GUESS: ("a guess", "orange", ":material/help:"),
    ASK: ("asked", "red", ":material/priority_high:"),
    YOURS: ("yours", "blue", ":material/person:"),
    AS_LAST: ("as last time", "green", ":material/history:"),
}
WIDTHS = (5, 4)
SAID = "said-of-file"
"""Where a session keeps what was said of the file that it looks at."""


def step(number: int | None, title: str) -> None:
    """The heading of one step."""
    st.subheader(f"{number}. {title}" if number else title, anchor=False)


def badge(confidence: str) -> str:
    """How sure it is, in Markdown: a word and a sign besides the colour."""
    label, color, icon = BADGES[confidence]
    return f":{color}-badge[{icon} {label}]"


def told(name: str, below: str, confidence: str | None, why: str = "") -> None:
    """What a row is about: its name, how sure it is, and below in grey what stands in it; why, where it is not sure."""
    beside = f" {badge(confidence)}" if confidence is not None else ""
    reason = f" — {escape(why, 200)}" if why and confidence in (GUESS, ASK) else ""
    st.markdown(f"**{escape(name, 80)}**{beside}  \n:small[:gray[{below}{reason}]]")


def key(file: str, what: str) -> str:
    return f"b:{file}:{what}"


def restore(widget: str, start: str, options: Sequence[str] | None = None) -> None:
    """Set a widget that is about to be drawn to what was said in it before, also before another page was looked at."""
    if widget not in st.session_state:
        kept = st.session_state.setdefault(SAID, {}).get(widget, start)
        st.session_state[widget] = kept if options is None or kept in options else start


def keep(widget: str, value: str) -> None:
    st.session_state.setdefault(SAID, {})[widget] = value


def segments(
    label: str, options: Sequence[str], names: Mapping[str, str], start: str, widget: str,
    seen: Literal["visible", "collapsed"] = "collapsed",
) -> str:  # fmt: skip
    """A choice of one in one click; "" where nothing is chosen."""
    restore(widget, start, options)
    if st.session_state[widget] not in options:
        st.session_state[widget] = None
    picked = st.segmented_control(
        inert(label), options, key=widget, format_func=lambda o: names.get(o, o), label_visibility=seen
    )
    keep(widget, picked or "")
    return picked or ""


def certainty(picked: str, start: str, last: bool, confidence: str) -> str:
    """How sure an answer is. start : what stood there at first; last : whether that came from the last file"""
    if not picked:
        return ASK
    if picked != start:
        return YOURS
    return AS_LAST if last else confidence


def say_all(widgets: Sequence[str], value: str) -> None:
    """One answer in several boxes; for callbacks."""
    for widget in widgets:
        st.session_state[widget] = value
