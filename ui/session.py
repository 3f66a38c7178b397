"""How does a page get its answer? One run for all studies: cached, with progress, never a traceback."""

from __future__ import annotations

import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx

from charts import words
from data import queries
from data.model import Progress
from data.queries import Catalog
from data.remembered import Kept, known, pickled
from data.store import Store
from errors import JurylensError, StoreError
from studies import naming
from studies.study import VERSION, Result, Study, taken
from ui.ahead import LARGE, Ahead
from ui.cache import size_of

DEFAULT_DB = "jurylens.duckdb"
QUIET = 0.4
"""Seconds of work before a progress bar appears."""

LINGER = 30.0
"""Seconds that the store's file stays open for the next reading."""

T = TypeVar("T")

_results = Kept()
_derived = Kept(most_bytes=16 << 20)
ASIDE, LOOK = 20.0, 600.0
"""Seconds between two times that what lives is set aside from garbage collection, and that all is looked through."""

_modules = 0
_aside = _looked = time.monotonic()
_settling = threading.Lock()


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
    """Keep what lives long out of garbage collection: what the imports made, and answers that are kept.

    Streamlit collects after every run of a page, through hundreds of thousands of objects; a tenth of a second in which
    nothing is sent to any browser. What was set aside is looked through every `LOOK` seconds, so that what has become
    garbage meanwhile goes in the end.
    """
    global _modules, _aside, _looked
    now = time.monotonic()
    with _settling:
        if len(sys.modules) <= _modules and now < _aside + ASIDE:
            return
        _modules, _aside = len(sys.modules), now
        if now > _looked + LOOK:
            _looked = now
            gc.unfreeze()
            gc.collect()
        gc.freeze()


def _resolved(study: Study) -> tuple[Study, Hashable, Catalog]:
    """The study with all choices made, the key of its answer, and the names of its dataset.

    Looked up once for as long as the store stays as it is, and so is why it cannot be asked.
    """
    where = store()

    def look_up() -> tuple[Study, Hashable, Catalog] | JurylensError:
        try:
            resolved = naming.here(study, queries.display(con, study.dataset)).resolve(where)
        except StoreError:
            raise
        except JurylensError as error:
            # A copy: what was raised holds on to all that its callers had in hand.
            return copy(error)
        names = queries.catalog(con, resolved)
        # The sentences of an answer have names and decimals in them.
        key = (str(where.path), names.dataset_id, resolved, resolved.stamp(con, names), names.display.written, VERSION)
        return resolved, key, names

    with where.reading(f"looking up {study.command}") as con:
        found = known(("resolved", study), look_up, lambda it: 1000 if isinstance(it, JurylensError) else pickled(it))
    if isinstance(found, JurylensError):
        raise copy(found)
    return found


def derived(what: str, results: Sequence[Result], make: Callable[[], T]) -> T:
    """What `make` says of these answers and of nothing else, made once as long as they stand.

    what : tells apart what is made of the same answers
    """
    answers = tuple(result.kept_as for result in results)
    if None in answers:
        return make()
    return _derived.get((what, answers, words.more_decimals()), make)


def early(study: Study, part: Study) -> Result | None:
    """The study's answer where it is remembered, else that of `part`, which is there sooner; as `attempt`."""
    try:
        if _results.knows(_resolved(study)[1]):
            return answer(study)
        return _answer(part, *_resolved(part))
    except JurylensError as error:
        notice(error, study)
        return None


def answer(study: Study) -> Result:
    """The study's result, computed or remembered. Raises JurylensError.

    While it computes a bar shows how far it is; a widget that changes meanwhile ends the work at the next report.
    """
    begun = time.monotonic()
    resolved, key, names = _resolved(study)
    found = _answer(study, resolved, key, names)
    if _is_large(names):
        ahead.note(key, resolved, names, time.monotonic() - begun)
    return found


def _is_large(names: Catalog) -> bool:
    with store().reading("looking how large a dataset is") as con:
        return queries.n_judgments(con, names) >= LARGE


def _prepare(study: Study, progress: Progress) -> None:
    """Keep the answer for the reader who may ask next."""
    resolved, key, names = _resolved(study)
    with words.decimals(names.display.decimals):
        _results.get(
            key, lambda: resolved.answer(store(), progress), size_of, lambda: progress(0.0, "computed already")
        )


ahead = Ahead(_prepare)


def _answer(study: Study, resolved: Study, key: Hashable, names: Catalog) -> Result:
    where = store()
    slot = st.empty()
    begun = time.monotonic()
    last = (0.0, f"working on {resolved.title.rstrip('?')}")
    drawing = threading.Lock()
    seen = done = False

    def draw() -> None:
        nonlocal seen
        seen = True
        slot.progress(*last)

    def progress(share: float, text: str) -> None:
        nonlocal last
        last = (min(max(share, 0.0), 1.0), text)
        # Drawing is also where Streamlit ends a run that has been overtaken.
        if time.monotonic() - begun > QUIET:
            draw()
        else:
            slot.empty()

    def late() -> None:
        # A step that lasts reports nothing meanwhile: what it was about to do is said all the same.
        with drawing:
            if not done:
                draw()

    def compute() -> Result:
        nonlocal done
        timer = threading.Timer(QUIET, late)
        timer.daemon = True
        add_script_run_ctx(timer)
        timer.start()
        try:
            return resolved.answer(where, progress)
        finally:
            timer.cancel()
            with drawing:
                done = True

    try:
        with words.decimals(names.display.decimals):
            result = _results.get(
                key, compute, size_of, lambda: progress(0.0, "another window is computing this already")
            )
    finally:
        if seen:
            slot.empty()
    result = replace(
        result, taken=taken(study, resolved), humans=tuple(names.humans), display=names.display,
        kept_as=(key, tuple(names.humans), names.display),
    )  # fmt: skip
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
