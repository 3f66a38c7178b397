"""What does a new user see first? The simulated sample, made once in an empty store.

`python -m ui.first_run` makes it ahead of the first start, with its progress in the terminal.
"""

from __future__ import annotations

import shlex
import sys
import threading
import time
from pathlib import Path

from data import queries
from data.model import Progress
from data.store import READ_ONLY, Store
from errors import JurylensError, StoreError

_one = threading.Lock()
_seen: set[Path] = set()


def is_empty(store: Store) -> bool:
    """Whether the store has no dataset, or is not there yet."""
    if not store.exists():
        return True
    with store.reading("looking for datasets") as con:
        return not queries.dataset_names(con)


def refuse_empty(store: Store) -> None:
    """Raises StoreError for a store that is opened read-only and has nothing to show."""
    with store.reading("looking for datasets") as con:
        if queries.dataset_names(con):
            return
    raise StoreError(
        f"{store.path} has no dataset, and read-only none can be added: name another store with JURYLENS_DB, or import "
        f"a file first: python cli.py --db {shlex.quote(str(store.path))} import FILE --dataset NAME (with {READ_ONLY} "
        "unset)"
    )


def make_sample(store: Store, progress: Progress) -> None:
    """The sample, if there is nothing else. Of several that ask at once one makes it."""
    from studies.simulate import add_sample

    while not _one.acquire(timeout=0.2):
        progress(0.0, "the sample is being made in another window")
    try:
        if is_empty(store):
            add_sample(store, progress)
    finally:
        _one.release()


def welcome() -> None:
    """In the app: make the sample on the first start on an empty store. Not again in the same process, so that who
    deletes everything sees an empty store."""
    import streamlit as st

    from ui import session

    try:
        store = session.store()
        if store.path in _seen:
            return
        if store.read_only:
            refuse_empty(store)
        elif is_empty(store):
            bar = st.progress(0.0, "Making the simulated sample, once")

            def progress(share: float, text: str) -> None:
                bar.progress(min(share, 1.0), f"Making the simulated sample, once: {text}")

            make_sample(store, progress)
            bar.empty()
    except JurylensError as error:
        session.notice(error)
        st.stop()
    _seen.add(store.path)


class _Terminal:
    """Progress in a terminal: one line that rewrites itself, or a line a second where it is not one."""

    def __init__(self) -> None:
        self.last = 0.0

    def __call__(self, share: float, text: str) -> None:
        now = time.monotonic()
        if share < 1 and now - self.last < (0.1 if sys.stderr.isatty() else 1.0):
            return
        self.last = now
        start, end = ("\x1b[2K\r", "" if share < 1 else "\n") if sys.stderr.isatty() else ("", "\n")
        print(f"{start}{100 * share:3.0f} % the simulated sample: {text}", end=end, file=sys.stderr, flush=True)


def main() -> int:
    from ui.session import store

    try:
        where = store()
        if where.read_only:
            refuse_empty(where)
        elif is_empty(where):
            make_sample(where, _Terminal())
    except JurylensError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
