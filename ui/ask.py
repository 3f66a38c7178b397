"""How is a study asked on a page? Widgets made from its own fields; the selection comes from the sidebar."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import streamlit as st

from charts import words as written
from studies.overview import escape
from studies.study import Fitted, Study, bare, hints

S = TypeVar("S", bound=Study)

CHOICES = {
    ("ties", "half"): "half a win each",
    ("ties", "drop"): "left out",
    ("ties", "davidson"): "modelled (Davidson)",
    ("ties", "rao-kupper"): "modelled (Rao and Kupper)",
    ("normalisation", "rms"): "one scale, nothing shrunk",
    ("normalisation", "fastchat"): "as FastChat published it",
    ("normalisation", "arena-rank"): "as arena-rank published it",
    ("coding", "rms"): "one scale",
    ("coding", "sign"): "signs only",
    ("coding", "raw"): "as they are",
    ("position", "auto"): "automatic",
    ("empty_texts", "leave-out"): "leave out",
    ("penalties", "published"): "as published",
    ("penalties", "chosen"): "chosen by prediction",
    ("loss", "mean"): "each by its mean",
    ("loss", "sum"): "judgment by judgment",
    ("purpose", "order"): "Position: the other order",
    ("purpose", "repeat"): "Consistency: the same again",
    ("purpose", "bandwagon"): "Bandwagon: what most people prefer",
    ("purpose", "distraction"): "Distraction: an idle remark",
    ("purpose", "belief"): "Belief: what the asker thinks",
    ("purpose", "persona"): "Persona: whom to judge as",
    ("purpose", "reflection"): "Reflection: second thoughts",
    ("purpose", "authority"): "Authority: a source cited",
    ("purpose", "padding"): "Padding: an answer said twice",
    ("purpose", "names"): "Compassion fade: models named",
    ("purpose", "letters"): "Option order: letters exchanged",
    ("cluster", "auto"): "automatic",
    ("cluster", "prompt+annotator"): "prompt and annotator",
    ("cluster", "none"): "nothing (independent)",
}
"""How a choice is written where its bare word says too little."""


def label(field: dataclasses.Field[Any]) -> str:
    """The field's own label, else its name."""
    return str(field.metadata.get("label") or field.name.replace("_", " ").capitalize())


def help_text(field: dataclasses.Field[Any]) -> str:
    """The command line's help as a sentence, without what only a command line has."""
    text = str(field.metadata["help"]).replace(" (repeatable)", "")
    return text[:1].upper() + text[1:] + "."


def shown(name: str) -> str:
    """A name in a widget: on one line, not longer than the eye can tell apart."""
    return written.shorten(re.sub(r"\s+", " ", name), 60)


def plain(text: str) -> str:
    """A sentence with names in it, safe inside Markdown."""
    return escape(text, 4000)


def widget(field: dataclasses.Field[Any], kind: Any, value: Any, key: str, changed: Callable[[], None]) -> None:
    """The widget of one field: a box for choices, a switch for yes or no, a number or a word."""
    choices = field.metadata.get("choices")
    one, several = bare(kind)
    text, hint = label(field), help_text(field)

    def named(choice: Any) -> str:
        return CHOICES.get((field.name, choice), str(choice))

    if choices is not None and several:
        st.multiselect(text, list(choices), key=key, format_func=named, on_change=changed, help=hint)
    elif choices is not None:
        st.selectbox(text, list(choices), key=key, format_func=named, on_change=changed, help=hint)
    elif one is bool:
        st.toggle(text, key=key, on_change=changed, help=hint)
    elif one is float:
        st.number_input(text, key=key, on_change=changed, step=0.01, format="%.2f", help=hint)
    elif one is int:
        st.number_input(text, key=key, on_change=changed, step=1, help=hint)
    else:
        st.text_input(text, key=key, on_change=changed, help=hint)


def chosen(cls: type[S]) -> S:
    """The study that the selection and the page's words mean, without drawing anything."""
    from ui import selection

    seen = selection.current()
    study, dropped = cls.from_parameters(seen.words() | dict(seen.extra))
    for word in dropped:
        if word.split("=")[0] in st.session_state["words"]:
            selection.drop_word(word.split("=")[0])
    if isinstance(study, Fitted) and study.cluster not in study.clusterings:
        study = dataclasses.replace(study, cluster="auto")
    return dataclasses.replace(study, criterion=seen.study.criterion)


def ask(cls: type[S]) -> S:
    """The study with widgets for the fields of its own, the advanced ones behind "More options"."""
    from ui import selection

    shared = {f.name for f in fields(Fitted)}
    study = chosen(cls)
    own = [f for f in fields(cls) if f.name not in shared and f.metadata["widget"]]
    for advanced in (False, True):
        group = [f for f in own if bool(f.metadata["advanced"]) is advanced]
        if not group:
            continue
        where = st.popover("More options", type="tertiary") if advanced else st.container(horizontal=True)
        with where:
            for each in group:
                value = getattr(study, each.name)
                key = f"w:{each.name}"
                st.session_state[key] = value
                widget(each, hints(cls)[each.name], value, key, selection.on_change(each.name, key))
    return study
