"""How do the sidebar and the address stay one? Whoever moved last wins, and the address always says what is shown.

The words of the address are the only state. A widget changes the words and the page runs again; a link, Back, a
reload or another tab brings other words. Widgets are set from the words before they are drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any

import streamlit as st

from charts import words as charts_words
from data.choices import remembered
from data.model import Selection
from errors import JurylensError
from studies import naming
from studies.study import Fitted, hints
from ui import ask, kept, navigation, session, tour, view
from ui.navigation import Screen
from ui.view import ONLY, View, Words, change, change_judges, read_view

BASIC = ("dataset", "judge", "scenario", "labeling")
MORE = ("criterion", "model", "ties", "cluster", "level")
TOLD = "told-above"
"""Where a run keeps what its page has said, so that sections do not say it again."""


def begin(screen: Screen) -> View:
    """The view of this run, with menu and sidebar drawn and the address written. Called once a run."""
    state = st.session_state
    address: Words = {name: st.query_params.get_all(name) for name in st.query_params}
    moved = state.pop("changed", False)
    written = state.get("written")
    if not moved and (written is None or (address and address != written)):
        state["words"] = address
        state.pop("view", None)
    try:
        # Another dataset, or a visit without an address: the choices that were made for it last time.
        fresh = state.pop("recall", False) or (written is None and not address)
        recall = remembered if fresh else None
        seen = tour.kept(read_view(_words(), session.store(), (*screen.words, tour.WORD), recall))
    except JurylensError as error:
        session.notice(error)
        st.stop()
    state["view"] = seen
    charts_words.set_decimals(seen.display.decimals)
    state["words"] = seen.address() | {k: list(v) for k, v in seen.extra.items()}
    written = in_address(state["words"])
    if written != address:
        st.query_params.from_dict(written)
    state["written"] = written
    state[TOLD] = frozenset()
    if moved:
        kept.note(seen)
    with st.sidebar:
        navigation.menu(seen)
        if seen.names is not None:
            st.divider()
            _sidebar(seen)
            kept.in_sidebar(seen, screen, written)
    with st.container():
        for sentence in seen.dropped:
            st.info(ask.plain(sentence), icon=":material/link_off:")
        tour.show(seen, screen.title, set_word)
    return seen


def _words() -> Words:
    """The words of this session with the names of the files: what its last run was shown may have new names by now."""
    words: Words = st.session_state.get("words", {})
    before: View | None = st.session_state.get("view")
    return words if before is None else naming.real_words(words, before.display)


def current() -> View:
    """The view of this run."""
    if "view" not in st.session_state:
        # Until `st.navigation` has been called once in a server's life, Streamlit takes the folder pages/ for its old
        # kind of app with pages, and runs the page of a link without app.py.
        st.navigation(navigation.pages(), position="hidden")
        st.rerun()
    found: View = st.session_state["view"]
    return found


def in_address(words: Words) -> Words:
    """Words as an address has them: with the names of the files, so that a link outlives a new display name."""
    return naming.real_words(words, current().display)


def set_word(name: str, value: Any) -> None:
    """Change one word; the page shows it when it runs again. For callbacks."""
    st.session_state["words"] = change(st.session_state.get("words", {}), name, value)
    st.session_state["changed"] = True
    if name == "dataset":
        st.session_state["recall"] = True


def page_word(name: str, options: Mapping[str, Any] | list[str], default: str | None = None) -> str | None:
    """The page's own word, if it is one of the options; else the default. A word that is none is dropped."""
    asked = st.session_state["words"].get(name)
    if not asked:
        return default
    if asked[-1] not in options:
        drop_word(name)
        return default
    return str(asked[-1])


def drop_word(name: str, said: str | None = None) -> None:
    """Take a word that means nothing here out of the address, and say so. said : the sentence, where another fits"""
    words = dict(st.session_state["words"])
    gone = words.pop(name, [])
    st.session_state["words"] = words
    st.session_state["written"] = in_address(words)
    st.query_params.from_dict(st.session_state["written"])
    said = said or f"“{name}={', '.join(gone)}” means nothing here and was left out."
    st.info(ask.plain(said), icon=":material/link_off:")


def on_change(name: str, key: str) -> Callable[[], None]:
    """A callback that carries a widget's value into the words."""

    def changed() -> None:
        set_word(name, st.session_state[key])

    return changed


# -- the sidebar --------------------------------------------------------------------------------------------------


def _sidebar(seen: View) -> None:
    assert seen.names is not None
    known = {f.name: f for f in fields(Fitted)}
    kinds = hints(Fitted)
    st.selectbox("Dataset", seen.datasets, key=_set("dataset", seen.names.dataset), format_func=ask.shown,
                 on_change=on_change("dataset", "w:dataset"), help=ask.help_text(known["dataset"]))  # fmt: skip
    if seen.names.judges:
        _judges(seen)
    if seen.names.labelings:
        options = [None, *seen.names.labelings]
        st.selectbox(
            ask.label(known["labeling"]), options, key=_set("labeling", seen.study.labeling),
            on_change=on_change("labeling", "w:labeling"), help=ask.help_text(known["labeling"]),
            format_func=lambda name: "the files" if name is None else ask.shown(name),
        )  # fmt: skip
    if seen.names.scenarios:
        _many("scenario", seen.study.scenario, list(seen.names.scenarios), known["scenario"])
    used = [name for name in MORE if getattr(seen.study, name) not in (known[name].default, "overall")]
    odd = [n for n in view.SELECTION if n not in (*BASIC, *MORE) and getattr(seen.study, n) != known[n].default]
    if len(seen.names.variants) > 1 and "variant" not in odd:
        odd.insert(0, "variant")
    with st.expander("More options", expanded=bool(used or odd)):
        for name in (*MORE, *odd):
            each, value = known[name], getattr(seen.study, name)
            if name == "criterion":
                if len(seen.names.criteria) > 1:
                    _one(name, value, list(seen.names.criteria), each)
            elif name == "variant":
                _one(name, value, list(dict.fromkeys(["plain", *seen.names.variants])), each)
            elif name == "model":
                if seen.names.models:
                    _many(name, value, seen.offered("model"), each)
            else:
                ask.widget(each, kinds[name], value, _set(name, value), on_change(name, f"w:{name}"))


def _set(name: str, value: Any) -> str:
    """The widget's key, its state set to what the words say."""
    key = f"w:{name}"
    if st.session_state.get(key) != value or key not in st.session_state:
        st.session_state[key] = value
    return key


def _one(name: str, value: Any, options: list[str], each: Any) -> None:
    st.selectbox(ask.label(each), options, key=_set(name, value), on_change=on_change(name, f"w:{name}"),
                 format_func=ask.shown, help=ask.help_text(each))  # fmt: skip


def _many(name: str, value: tuple[str, ...], options: list[str], each: Any) -> None:
    st.multiselect(ask.label(each), options, key=_set(name, list(value)), on_change=on_change(name, f"w:{name}"),
                   format_func=ask.shown, placeholder=f"All {len(options)}", help=ask.help_text(each))  # fmt: skip


def _judges(seen: View) -> None:
    """Reference and the judges held against it."""
    assert seen.names is not None
    assert seen.facts is not None
    people = {j["judge"]: j.get("annotators") for j in seen.facts.judges}
    judges = seen.offered("judge")

    def named(judge: str) -> str:
        return f"{ask.shown(judge)} ({people[judge]:,} people)" if people.get(judge) else ask.shown(judge)

    def changed() -> None:
        picked, rest = st.session_state["w:reference"], st.session_state.get("w:others", [])
        set_word("judge", change_judges(seen, picked, rest))

    st.selectbox(
        "Reference", judges, key=_set("reference", seen.reference), format_func=named, on_change=changed, index=None,
        placeholder="Whom are the others held against?",
        help="The judge that others are held against: the human one unless you choose.",
    )  # fmt: skip
    rest = [j for j in judges if j != seen.reference]
    if seen.reference is None or not rest:
        return
    whole = set(seen.others) == set(rest)
    value = [ONLY] if not seen.others else [] if whole else list(seen.others)
    st.multiselect(
        ask.label(next(f for f in fields(Selection) if f.name == "judge")), [*rest, ONLY], key=_set("others", value),
        format_func=lambda j: f"only {ask.shown(seen.reference or '')}" if j == ONLY else ask.shown(j),
        on_change=changed, placeholder=f"All {len(rest)}: {', '.join(rest)}"[:40] if len(rest) > 1 else rest[0],
        help="Whom to hold against the reference; nobody chosen means all.",
    )  # fmt: skip
