"""Who may touch the store now, and who is waiting for whom: shared and exclusive leases by file locks.

Two small files beside the store carry the locks: `<store>.gate` and `<store>.lock`. A reader passes the gate
(shared, for an instant) and holds the lock (shared); a writer closes the gate (exclusive), so that nobody new
comes in, and then waits until the readers are gone (the lock, exclusive). Plain retrying instead would starve the
writer. Every lease has file handles of its own, so threads of one process exclude each other as processes do,
and the operating system frees the locks of a process that dies.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

import portalocker
from portalocker import LockFlags

from errors import StoreBusyError, StoreError

logger = logging.getLogger("jurylens.store")

PATIENCE = 30.0
"""Seconds that a lease is waited for."""
SLOW = 1.0
"""Seconds of waiting after which the log says who is waiting for whom."""
PAUSES = (0.0005, 0.003)
"""Shortest and longest pause between two tries, in seconds: short enough that a freed store is not left idle,
long enough that ten waiting threads cost a few percent of one core."""

COURTESY = 0.006
"""Seconds that a process which has just written leaves to the others before it asks to write again. Without them a
loop of writes is back at the gate long before anybody's next try, and the others wait for seconds."""

_handles: set[IO[bytes]] = set()
_last_write: dict[Path, float] = {}
_readers: dict[Path, dict[int, tuple[str, float]]] = {}
_books = threading.Lock()


@dataclass
class Wait:
    """One wait for one lease: when it began, when it ends, and whether the log already knows."""

    store: Path
    who: str
    patience: float
    started: float
    told: bool = False

    @classmethod
    def begin(cls, store: Path, who: str, patience: float) -> Wait:
        return cls(store, who, patience, time.monotonic())

    @property
    def left(self) -> float:
        """Seconds of patience that are left, at least 0."""
        return max(0.0, self.started + self.patience - time.monotonic())

    def check(self, whom: str | Callable[[], str]) -> None:
        """Tell the log once after a second; raise StoreBusyError when patience has run out."""
        waited = time.monotonic() - self.started
        out = waited >= self.patience
        if not out and (self.told or waited <= SLOW):
            return
        name = whom if isinstance(whom, str) else whom()
        if out:
            raise StoreBusyError(
                f"{self.store} is busy: {self.who} waited {waited:.0f} s for {name}; "
                "try again when that is done, or end it"
            )
        self.told = True
        logger.warning("%s: %s has been waiting %.1f s for %s", self.store.name, self.who, waited, name)


def open_lock(path: Path) -> IO[bytes]:
    """A handle on a lock file, which is made when absent. A file of another user can be locked unwritten."""
    try:
        handle: IO[bytes] = open(path, "a+b", buffering=0)  # noqa: SIM115
    except OSError as error:
        if not isinstance(error, FileNotFoundError):
            with suppress(OSError):
                handle = open(path, "rb", buffering=0)  # noqa: SIM115
                _handles.add(handle)
                return handle
        raise StoreError(
            f"{path.parent} cannot be written ({error.strerror}), and a store needs its lock file {path.name} there: "
            "make the folder, get the right to write into it, or copy the store to one of your own"
        ) from error
    _handles.add(handle)
    return handle


def try_lock(handle: IO[bytes], *, shared: bool = False) -> bool:
    """Take the lock if nobody is in the way; never waits."""
    try:
        portalocker.lock(handle, (LockFlags.SHARED if shared else LockFlags.EXCLUSIVE) | LockFlags.NON_BLOCKING)
    except portalocker.AlreadyLocked:
        return False
    except portalocker.LockException as error:
        raise StoreError(
            f"{handle.name} cannot be locked ({error}): put the store on a disk that knows file locks"
        ) from error
    return True


def close_lock(handle: IO[bytes]) -> None:
    """Give the lock back, also in children that were forked meanwhile, and close the handle."""
    _handles.discard(handle)
    with suppress(portalocker.LockException, ValueError):
        portalocker.unlock(handle)
    handle.close()


@contextmanager
def shared_lease(store: Path, purpose: str, wait: Wait, *, must: bool = True) -> Iterator[None]:
    """Hold off writers, not readers.

    must : False where the store is only ever read: in a folder that cannot be written, and that nobody who could has
        written to, there are no lock files, nor writers to hold off. (Were one to come all the same, DuckDB's own lock
        on the file would make it wait.)
    Raises StoreBusyError when a writer held the store for longer than the wait's patience, StoreError where no
    lock file can be had.
    """
    gate, lock = _pair(store, must)
    if gate is None or lock is None:
        yield
        return
    try:
        try:
            _await(gate, wait, lambda: _writer(store), shared=True)
            _await(lock, wait, lambda: _writer(store), shared=True)
            with _books:
                _readers.setdefault(store, {})[id(lock)] = (purpose, time.time())
        finally:
            close_lock(gate)
        yield
    finally:
        with _books:
            _readers.get(store, {}).pop(id(lock), None)
        close_lock(lock)


def _pair(store: Path, must: bool) -> tuple[IO[bytes], IO[bytes]] | tuple[None, None]:
    try:
        gate = open_lock(_gate(store))
    except StoreError:
        if must:
            raise
        return None, None
    try:
        return gate, open_lock(_lock(store))
    except StoreError:
        close_lock(gate)
        if must:
            raise
        return None, None


@contextmanager
def exclusive_lease(store: Path, purpose: str, wait: Wait) -> Iterator[None]:
    """Hold off everybody else; the gate's file says who we are. Raises as `shared_lease` does."""
    time.sleep(max(0.0, _last_write.get(store, 0.0) + COURTESY - time.monotonic()))
    gate = open_lock(_gate(store))
    try:
        _await(gate, wait, lambda: _writer(store))
        _sign(gate, {"purpose": purpose, "pid": os.getpid(), "since": datetime.now().strftime("%H:%M:%S")})
        lock = open_lock(_lock(store))
        try:
            _await(lock, wait, lambda: _describe_readers(store))
            yield
        finally:
            # The lock before the gate: whoever passes the gate then finds the lock free.
            close_lock(lock)
            _last_write[store] = time.monotonic()
    finally:
        close_lock(gate)


def writer_waits(store: Path) -> bool:
    """Whether somebody writes, or waits to. Nobody does where the gate is missing and cannot be made."""
    try:
        gate = open_lock(_gate(store))
    except StoreError:
        return _gate(store).exists()
    try:
        return not try_lock(gate, shared=True)
    finally:
        close_lock(gate)


def _gate(store: Path) -> Path:
    return store.with_name(store.name + ".gate")


def _lock(store: Path) -> Path:
    return store.with_name(store.name + ".lock")


def _await(handle: IO[bytes], wait: Wait, whom: Callable[[], str], *, shared: bool = False) -> None:
    pause, longest = PAUSES
    while not try_lock(handle, shared=shared):
        wait.check(whom)
        time.sleep(pause)
        pause = min(pause * 2, longest)


def _sign(gate: IO[bytes], writer: dict[str, str | int]) -> None:
    # A gate that may only be read (another user's) stays unsigned: its waiters then name "another process".
    with suppress(OSError):
        gate.truncate(0)
        gate.write(json.dumps(writer).encode())


def _writer(store: Path) -> str:
    """The writer who closed the gate, as far as its file tells."""
    try:
        writer = json.loads(_gate(store).read_bytes())
        pid = int(writer["pid"])
        where = "in this process" if pid == os.getpid() else f"in process {pid}"
        return f"writing '{writer['purpose']}' ({where}, since {writer['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "a writer in another process"


def _describe_readers(store: Path) -> str:
    with _books:
        readers = sorted(_readers.get(store, {}).values(), key=lambda reader: reader[1])
    if not readers:
        return "readers in another process"
    named = ", ".join(f"'{purpose}' for {time.time() - since:.1f} s" for purpose, since in readers[:5])
    more = f" and {len(readers) - 5} more" if len(readers) > 5 else ""
    return f"reading in this process: {named}{more}"


def _forget_in_child() -> None:
    # A forked child inherits the handles, and with them the locks: it closes its copies without unlocking,
    # so that it neither frees nor prolongs its parent's leases.
    global _books
    _books = threading.Lock()
    for handle in list(_handles):
        with suppress(OSError):
            handle.close()
    _handles.clear()
    _readers.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
