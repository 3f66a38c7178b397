"""How is what must be known before believing a result written? A list of sentences, names left as they are."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from studies.overview import escape
from studies.study import Result


def remarks(result: Result, texts: Iterable[str] | None = None) -> None:
    """The result's warnings, or these texts, as a list."""
    for text in result.warnings if texts is None else texts:
        st.markdown(f"- {escape(sentence(text, result.study.judge), 4000)}")


def sentence(text: str, names: Iterable[str]) -> str:
    """With a capital, unless it begins with one of the names: gpt-4 is not Gpt-4."""
    return text if text.startswith(tuple(names)) else text[:1].upper() + text[1:]
