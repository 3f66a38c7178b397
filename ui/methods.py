"""What do the sections of published methods share? Whom they ask about, and with which options of the page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

import streamlit as st

from studies.factor_options import Factors
from ui import factors, selection
from ui.view import View

F = TypeVar("F", bound=Factors)


def judges_of(seen: View, judge: str | None) -> tuple[str, ...]:
    """The reference and the judge held against it, or the one there is."""
    return (str(seen.reference), judge) if judge is not None else (seen.judges[0],)


def plain(cls: type[F], seen: View, judge: str | None, **more: Any) -> F:
    """The study on the page's factors and judgments, without options of the weights above that it lacks."""
    study = replace(factors.meant(cls, factors.known_factors(seen)), judge=judges_of(seen, judge))
    return replace(study, coding=type(study).coding, position="auto", interact=(), **more)


POOLED = {"pooled": "Pooled with the others", "raw": "Each scenario alone"}
"""Which figures of scenarios are drawn."""


def pick(word: str, options: dict[str, str], label: str, usual: str | None = None) -> str:
    """One of a few views of a section, kept in the address. options : word -> what is written; usual : else the first

    Where there is one only, nobody is asked.
    """
    chosen = str(selection.page_word(word, list(options), usual or next(iter(options))))
    if len(options) > 1:
        st.session_state[f"w:{word}"] = chosen
        st.segmented_control(
            label, list(options), key=f"w:{word}", format_func=options.__getitem__, required=True,
            label_visibility="collapsed", on_change=selection.on_change(word, f"w:{word}"),
        )  # fmt: skip
    return chosen
