"""Which views did the reader keep, and what did they choose, which the next visit finds again?

In a store that is open read-only nothing is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

import streamlit as st

from charts import words as written
from data import kept
from data.choices import DATASET, remember
from data.kept import SavedView
from errors import JurylensError
from studies import naming
from studies.overview import escape
from ui import navigation, session
from ui.view import SELECTION, View, Words


def choices(seen: View) -> Words:
    """What is chosen beside the dataset, where it does not go without saying, with the names of the files."""
    chosen = {k: v for k, v in seen.address().items() if k in SELECTION and k != DATASET}
    return naming.real_words(chosen, seen.display)


def note(seen: View) -> None:
    """The reader has changed something: the next visit shall find it."""
    store = session.store().as_in_files()
    if seen.names is None or store.read_only:
        return
    key, words = (str(store.path), seen.names.dataset), choices(seen)
    if st.session_state.get("noted") == (key, words):
        return
    st.session_state["noted"] = (key, words)
    # Without the right to write beside the store the next visit begins anew, and this one goes on.
    with suppress(JurylensError):
        remember(store, seen.names.dataset, words)


# -- views with a name ----------------------------------------------------------------------------------------------


def views(seen: View) -> list[SavedView]:
    assert seen.names is not None
    with session.store().reading("listing saved views") as con:
        return kept.saved_views(con, seen.names.dataset_id)


def open_link(seen: View, one: SavedView, here: str, where: str) -> None:
    """A link to the page of a saved view, with its address. here : the title of the page one is on; where : on it

    A link to the page one is on would show the view and leave the address as it was: there it is a button.
    """
    screen = next((s for s in navigation.SCREENS if s.url == one.page), navigation.SCREENS[0])
    words = {DATASET: [seen.names.dataset] if seen.names else [], **one.words}
    if screen.title == here:
        st.button(escape(one.name), icon=screen.icon, key=f"view-{where}-{one.name}", type="tertiary",
                  on_click=_open, args=(words,))  # fmt: skip
        return
    st.page_link(
        screen.path, label=escape(one.name), icon=screen.icon, width="stretch",
        query_params=[(k, v) for k, values in words.items() for v in values],
    )  # fmt: skip


def _open(words: Words) -> None:
    """Show these words of an address on this page. For callbacks."""
    st.session_state["words"], st.session_state["changed"] = words, True
    # They have the names of the files: the next run is not to take them for display names.
    st.session_state.pop("view", None)


def in_sidebar(seen: View, screen: navigation.Screen, words: Mapping[str, Sequence[str]]) -> None:
    """The saved views of the dataset, and the way to save this one. words : of the address that this page has"""
    assert seen.names is not None
    known, fixed = views(seen), session.store().read_only
    chosen = choices(seen)
    if fixed and not known:
        return
    with st.popover("Saved views", icon=":material/bookmark:", width="stretch", key="saved-views"):
        for one in known:
            open_link(seen, one, screen.title, "sidebar")
        if not known:
            st.caption("A view is this page with all its choices. Save it under a name to come back to it.")
        if fixed:
            return
        st.text_input("Name of this view", key="view-name", placeholder=f"{screen.title} of {seen.names.dataset}"[:60])
        st.button(
            "Save this view", key="save-view", type="primary", icon=":material/bookmark_add:",
            on_click=partial(_save, seen.names.dataset, screen, {k: list(v) for k, v in words.items()}),
        )  # fmt: skip
        if "view-told" in st.session_state:
            st.error(escape(st.session_state.pop("view-told"), 4000), icon=":material/error:")
    if chosen and not fixed:
        st.button(
            "Forget these choices", key="forget", type="tertiary", icon=":material/restart_alt:", on_click=_forget,
            help="Judges, scenarios and all else that is chosen here are found again at the next visit. This goes back "
            "to what goes without saying.",
        )  # fmt: skip


def _save(dataset: str, screen: navigation.Screen, words: Words) -> None:
    name = str(st.session_state.get("view-name") or f"{screen.title} of {dataset}")

    def save() -> None:
        st.toast(f"Saved as {escape(kept.save_view(session.store(), dataset, name, screen.url, words))}",
                 icon=":material/bookmark_added:")  # fmt: skip

    _try(save)


def _forget() -> None:
    words = st.session_state.get("words", {})
    st.session_state["words"] = {k: v for k, v in words.items() if k not in SELECTION or k == DATASET}
    st.session_state["changed"] = True


def _try(work: Callable[[], object]) -> None:
    try:
        work()
    except JurylensError as error:
        st.session_state["view-told"] = str(error)


def listing(seen: View) -> None:
    """All saved views of the dataset, each to be opened, renamed and deleted; nothing where there is none."""
    assert seen.names is not None
    known, fixed = views(seen), session.store().read_only
    if not known:
        return
    st.subheader("Saved views", anchor=False)
    if "view-told" in st.session_state:
        st.error(escape(st.session_state.pop("view-told"), 4000), icon=":material/error:")
    for k, one in enumerate(known):
        with st.container(horizontal=True, vertical_alignment="center", key=f"view-{k}"):
            open_link(seen, one, navigation.SCREENS[0].title, "listing")
            st.caption(one.saved_at.strftime("%Y-%m-%d"))
            if not fixed:
                with st.popover("Change", icon=":material/edit:", type="tertiary", key=f"view-change-{k}"):
                    key = f"view-new-{k}-{one.name}"
                    st.text_input("New name", one.name, key=key)
                    st.button("Rename it", key=f"view-rename-{k}", on_click=_rename, args=(seen, one.name, key))
                    st.button("Delete it", key=f"view-delete-{k}", icon=":material/delete:",
                              on_click=_delete, args=(seen, one.name))  # fmt: skip
    st.caption(f"{written.plural(len(known), 'view')}; each opens its page with the choices that it was saved with.")


def _rename(seen: View, old: str, key: str) -> None:
    assert seen.names is not None
    dataset = seen.names.dataset
    _try(lambda: kept.rename_view(session.store(), dataset, old, str(st.session_state[key])))


def _delete(seen: View, name: str) -> None:
    assert seen.names is not None
    dataset = seen.names.dataset
    _try(lambda: kept.delete_view(session.store(), dataset, name))
