"""What does a first visit go through? Five steps on the simulated sample, one a page, in about two minutes.

Where it stands is the word `tour` of the address: a link opens the same step, Back goes one back, and without the word
there is no tour. It lies above the page and blocks nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import streamlit as st

from ui import navigation
from ui.view import View

WORD = "tour"
SetWord = Callable[[str, str | None], None]


@dataclass(frozen=True)
class Step:
    """screen : the title of the page it is on; text : what to look at there, Markdown"""

    screen: str
    heading: str
    text: str


STEPS = (
    Step(
        "Overview", "Does the judge prefer what people prefer?",
        "The sentence in bold is the answer: ρ is 1 where a judge orders the models exactly as people do, and the"
        " brackets hold where it may truly lie. The grey line below says what that rests on. *What differs most* "
        "has the models that the judge places elsewhere: filled marks are beyond noise, hollow ones are not.",
    ),
    Step(
        "Rankings", "Who moves?",
        "Each line is a model, from its place with people to its place with the judge. Coloured lines are beyond "
        "noise, with the judge's decisiveness taken off: a judge that is merely surer moves nobody. Tick a row of"
        " the table to read the very pairs behind it.",
    ),
    Step(
        "Factors", "Why?",
        "One row a property of answers, such as length or lists: on the left how people and the judge weigh it, "
        "on the right how much more the judge does. Where texts have not been measured yet the page offers to do "
        "it, which takes some seconds. A row opens its definition and three pairs in which it decided.",
    ),
    Step(
        "Judges", "May it stand in for people?",
        "Yes, no or undecided, with the reason: people agree with one another only so often, and a judge need not"
        " do better than that. Below are its biases, each beside what a judge without it would do, and where its "
        "disagreement comes from.",
    ),
    Step(
        "Data", "And your own judgments?",
        "Drop a file here: CSV, Excel, Parquet or JSON. You see what each column is taken for before anything is "
        "imported, and every row that cannot be read is named with its reason. Then all these pages speak of your"
        " file. The sample can be deleted below, and comes back in an empty store.",
    ),
)  # fmt: skip


def at(view: View) -> int | None:
    """The step that the address names, from 1 on; None without a tour, or where the dataset is no simulated one."""
    word = view.extra.get(WORD, [""])[-1]
    if view.names is None or not view.names.simulated or not word.isdecimal() or not 1 <= int(word) <= len(STEPS):
        return None
    return int(word)


def kept(view: View) -> View:
    """The view without a step that it cannot be at, which its address then leaves out."""
    if at(view) is not None or WORD not in view.extra:
        return view
    return replace(view, extra={word: values for word, values in view.extra.items() if word != WORD})


def offer(set_word: SetWord) -> None:
    """The button that begins it, or begins it again. set_word : changes a word of the address"""
    st.button("Show me around, 2 minutes", icon=":material/tour:", type="tertiary", key="tour-begin",
              on_click=set_word, args=(WORD, "1"))  # fmt: skip


def show(view: View, screen: str, set_word: SetWord) -> None:
    """The step above the page. screen : the title of the page that is shown; set_word : see `offer`"""
    k = at(view)
    if k is None:
        return
    step = STEPS[k - 1]
    with st.container(border=True, key="tour"):
        st.markdown(f"**{k} of {len(STEPS)} · {step.heading}**")
        st.markdown(step.text)
        with st.container(horizontal=True, vertical_alignment="center"):
            if screen != step.screen:
                _link(view, k, f"Go to {step.screen}")
            if k > 1:
                _link(view, k - 1, f"Back: {STEPS[k - 2].screen}")
            if k < len(STEPS):
                _link(view, k + 1, f"Next: {STEPS[k].screen}")
            # A link to the page that is open would leave the browser's address as it is.
            st.button("Done" if k == len(STEPS) else "End the tour", icon=":material/close:", type="tertiary",
                      key="tour-end", on_click=set_word, args=(WORD, None))  # fmt: skip


def _link(view: View, k: int, label: str) -> None:
    icon = ":material/arrow_back:" if label.startswith("Back") else ":material/arrow_forward:"
    navigation.link(view, STEPS[k - 1].screen, label, icon=icon, tour=str(k))
