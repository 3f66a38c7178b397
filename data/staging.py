"""Where work happens before it reaches the store: a DuckDB file of its own and a scratch folder, gone at the end.

Parsing, simulating and measuring happen here, without a lease, so that nobody waits for them. The staging
connection may read files, which the store's may not. What is finished crosses over as Arrow tables or streams
inside one write lease:

    with store.staging() as staging:
        ...                                             # read, check, compute; takes as long as it takes
        with store.writing("import") as connection:
            rows = staging.connection.sql("SELECT ...").to_arrow_table()
            connection.register("rows", rows)
            connection.execute("INSERT INTO judgment SELECT ... FROM rows")
            connection.unregister("rows")
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import duckdb

from data.duck import Settings, writable
from data.locks import close_lock, open_lock, try_lock


@dataclass(frozen=True)
class Staging:
    """A working place beside the store.

    connection : may read files and write to `scratch`; Python variables must be registered; one `.cursor()` a thread
    scratch : an empty folder, for decompressed or re-encoded files
    """

    connection: duckdb.DuckDBPyConnection
    scratch: Path


@contextmanager
def staging_beside(store: Path, config: Settings) -> Iterator[Staging]:
    """Make a staging file in a folder beside `store`, and remove both at the end, whatever happens."""
    remove_leftovers(store)
    folder, owner = _claim(store)
    try:
        scratch = folder / "scratch"
        with writable(store):
            scratch.mkdir(parents=True)
        connection = duckdb.connect(str(folder / "staging.duckdb"), config=config)
        # Nobody will open the file again.
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        try:
            yield Staging(connection, scratch)
        finally:
            connection.close()
    finally:
        _discard(folder, owner.name)
        close_lock(owner)


def remove_leftovers(store: Path) -> None:
    """Remove the staging folders of processes that died. The lock of a living one is held, so it stays."""
    for lock in store.parent.glob(f"{glob_escape(store.name)}.staging-*.lock"):
        # Another process may clean up at the same moment, or own this file without letting us in: not ours to judge.
        with suppress(Exception):
            owner = open_lock(lock)
            try:
                if try_lock(owner):
                    _discard(lock.with_suffix(""), str(lock))
            finally:
                close_lock(owner)


def glob_escape(name: str) -> str:
    """`name` as a pattern that matches nothing but itself."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _claim(store: Path) -> tuple[Path, IO[bytes]]:
    """A new folder's path and the held lock beside it. The lock comes first: a folder without one has no owner."""
    while True:
        folder = store.with_name(f"{store.name}.staging-{uuid.uuid4().hex[:12]}")
        path = folder.with_name(folder.name + ".lock")
        owner = open_lock(path)
        # Somebody who was cleaning up may have caught the file between its making and its locking, and removed it.
        if try_lock(owner) and path.exists() and os.path.samestat(os.fstat(owner.fileno()), path.stat()):
            return folder, owner
        close_lock(owner)


def _discard(folder: Path, lock: str) -> None:
    # The folder before its lock: a folder whose removal was cut short still has a lock file that leads to it.
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        os.unlink(lock)
