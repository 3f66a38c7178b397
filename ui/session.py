"""How does a page get its answer? One run for all studies: cached, with progress, never a traceback."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Hashable
from dataclasses import replace
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx

from charts import words
from data import queries
from data.queries import Catalog
from data.remembered import Kept
from data.store import Store
from errors import JurylensError
from studies import naming
from studies.study import VERSION, Result, Study, taken
from ui.cache import size_of

DEFAULT_DB = "jurylens.duckdb"
QUIET = 0.4
"""Seconds of work before a progress bar appears."""

LINGER = 30.0
"""Seconds that the store's file stays open for the next reading."""

_results = Kept()
_modules = 0


def store_path() -> Path:
    """$JURYLENS_DB, else jurylens.duckdb in the working folder."""
    return Path(os.environ.get("JURYLENS_DB") or DEFAULT_DB)


def store() -> Store:
    """The store, read with the names under which judges and models are shown."""
    return Store(store_path(), linger=LINGER).as_shown()


def db_option() -> str | None:
    """The store as a command needs it; None where the command line finds it by itself."""
    return None if store_path() == Path(DEFAULT_DB) else str(store_path())


def settle() -> None:
    """Keep what the imports made out of garbage collection.

    Streamlit collects after every run of a page, through millions of objects that libraries keep for ever; a tenth of
    a second in which nothing is sent to the browser.
    """
    global _modules
    if len(sys.modules) > _modules:
        _modules = len(sys.modules)
        gc.freeze()


def _resolved(study: Study) -> tuple[Study, Hashable, Catalog]:
    """The study with all choices made, the key of its answer, and the names of its dataset."""
    where = store()
    with where.reading(f"looking up {study.command}") as con:
        resolved = naming.here(study, queries.display(con, study.dataset)).resolve(where)
        names = queries.catalog(con, resolved)
        # The sentences of an answer have names and decimals in them.
        key = (str(where.path), names.dataset_id, resolved, resolved.stamp(con, names), names.display.written, VERSION)
        return resolved, key, names


def early(study: Study, part: Study) -> Result | None:
    """The study's answer where it is remembered, else that of `part`, which is there sooner; as `attempt`."""
    try:
        resolved, key, names = _resolved(study)
        if _results.knows(key):
            return _answer(study, resolved, key, names)
        return answer(part)
    except JurylensError as error:
        notice(error, study)
        return None


def answer(study: Study) -> Result:
    """The study's result, computed or remembered. Raises JurylensError.

    While it computes a bar shows how far it is; a widget that changes meanwhile ends the work at the next report.
    """
    return _answer(study, *_resolved(study))


def _answer(study: Study, resolved: Study, key: Hashable, names: Catalog) -> Result:
    where = store()
    slot = st.empty()
    begun = time.monotonic()
    last = (0.0, f"working on {resolved.title.rstrip('?')}")
    drawing = threading.Lock()
    done = False

    def progress(share: float, text: str) -> None:
        nonlocal last
        last = (min(max(share, 0.0), 1.0), text)
        # Drawing is also where Streamlit ends a run that has been overtaken.
        if time.monotonic() - begun > QUIET:
            slot.progress(*last)
        else:
            slot.empty()

    def late() -> None:
        # A step that lasts reports nothing meanwhile: what it was about to do is said all the same.
        with drawing:
            if not done:
                slot.progress(*last)

    timer = threading.Timer(QUIET, late)
    timer.daemon = True
    add_script_run_ctx(timer)
    timer.start()
    try:
        with words.decimals(names.display.decimals):
            result = _results.get(
                key,
                lambda: resolved.answer(where, progress), size_of,
                lambda: progress(0.0, "another window is computing this already"),
            )
    finally:
        timer.cancel()
        with drawing:
            done = True
        slot.empty()
    result = replace(
        result, taken=taken(study, resolved), humans=tuple(names.humans), display=names.display
    )
    return naming.as_shown(result)


def attempt(study: Study) -> Result | None:
    """As `answer`; what the user can cause becomes a notice in its place, and the page goes on."""
    try:
        return answer(study)
    except JurylensError as error:
        notice(error, study)
        return None


def run(study: Study) -> Result:
    """As `attempt`, where the page has nothing to say without the answer: it ends there."""
    result = attempt(study)
    if result is None:
        st.stop()
    return result


def notice(error: JurylensError, study: Study | None = None) -> None:
    """What happened and what to do next, in the words of the page. study : whose error it is"""
    from ui import notices  # which asks this module for answers

    if study is None:
        notices.notice(error)
    else:
        notices.notice(error, type(study), study.judge)
