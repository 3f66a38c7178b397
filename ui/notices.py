"""How does a page say what a study says, which names options and factors as the command line does? By their labels."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import streamlit as st

from errors import JurylensError
from studies.factor_judgments import NotMeasuredError
from studies.factor_labels import by_factor
from studies.overview import with_code
from studies.study import REGISTRY, Study
from ui.ask import CHOICES, label

_FLAG = re.compile(r"(?<![\w'-])--(?P<flag>[a-z](?:[a-z-]*[a-z])?)(?: (?P<value>[^\s,;:]+))?")
_UNMEASURED = re.compile(r"(?<=measured yet): (?:run )?python cli\.py factors extract --dataset ('[^']*'|[^\s;,]+)")
_ON_PAGES = tuple((re.compile(said), written) for said, written in (
    (r"say it once for all \(cli\.py datasets own\)", "say it once for all under “Which are its own models?”"),
    (r" \(--own .*?=MODEL\)", ""),
    (r"\(import FILE --as labels\), or group them \(labelings cluster\)",
     "on the page Data, or group them on the page Scenarios, under “Where do these scenarios come from?”"),
    (r"import it with --attribute, as in --attribute annotator\.group=COLUMN, or with the columns",
     "import it with a column that is about the annotator, or with the columns"),
    (r"\(page Factors, or factors extract\)", "(page Factors)"),
    (r"(?<![\w'-])--reference(?![\w-])", "“Reference”"),
))  # fmt: skip
"""What the command line has an option or a command for that no study's widget is called after."""
_NUMBER = re.compile(r"-?\d*\.?\d+")


def notice(error: JurylensError, cls: type[Study] | None = None, names: Iterable[str] = ()) -> None:
    """What happened and what to do next, in the words of the page. cls, names : see `by_label` and `sentence`"""
    st.warning(with_code(by_label(sentence(str(error), names), cls)), icon=":material/info:")
    if isinstance(error, NotMeasuredError) and "view" in st.session_state:
        from ui.navigation import link  # whose sections draw notices

        link(st.session_state["view"], "Factors", "Measure the texts", icon=":material/straighten:")


def sentence(text: str, names: Iterable[str]) -> str:
    """With a capital, unless it begins with one of the names: gpt-4 is not Gpt-4."""
    return text if text.startswith(tuple(names)) else text[:1].upper() + text[1:]


def by_label(text: str, cls: type[Study] | None = None) -> str:
    """A sentence with “Ties: left out” where it says --ties drop, and List items where it says 'lists'.

    cls : the study that says it; its fields come before those of others. A command to be run elsewhere and an option
    that no page has stay as they are.
    """
    text = _UNMEASURED.sub(": the page Factors has a button for it", text)
    for words, there in _ON_PAGES:
        text = words.sub(there, text)
    if "cli.py" in text:
        return text

    def said(found: re.Match[str]) -> str:
        field, value = _field(found["flag"], cls), found["value"]
        if field is None:
            return found[0]
        choices = field.metadata.get("choices") or ()
        if value is None:
            return f"“{label(field)}”"
        if value in map(str, choices):
            return f"“{label(field)}: {CHOICES.get((field.name, value), value)}”"
        return f"“{label(field)}: {value}”" if _NUMBER.fullmatch(value) else f"“{label(field)}” {value}"

    return by_factor(_FLAG.sub(said, text))


def _field(flag: str, cls: type[Study] | None) -> dataclasses.Field[Any] | None:
    own = {} if cls is None else _fields(cls)
    return own.get(flag) or _all_fields().get(flag)


def _fields(cls: type[Study]) -> dict[str, dataclasses.Field[Any]]:
    return {f.name.replace("_", "-"): f for f in dataclasses.fields(cls) if f.metadata.get("widget")}


@cache
def _all_fields() -> dict[str, dataclasses.Field[Any]]:
    """Of all studies, by flag; the first study that has it."""
    out: dict[str, dataclasses.Field[Any]] = {}
    for cls in REGISTRY.values():
        out = _fields(cls) | out
    return out
