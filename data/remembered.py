"""What was worked out is kept, so that whoever asks next need not wait: once for all who ask at the same time, bounded.

`Kept` is the one such store of the house: of results, of the parts they share, of drawings, of names. `known` keeps
small facts about a store for as long as it stays as it is.
"""

from __future__ import annotations

import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

WAIT = 0.2
"""Seconds between two looks at whether somebody else's computation is done."""


@dataclass
class _Lock:
    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0


def pickled(found: object) -> int:
    """Bytes that it takes written down: near enough to what it takes in memory."""
    return len(pickle.dumps(found, protocol=5))


def _nobody_minds() -> None:
    return


class Kept:
    """Anything by key, the least recently used thrown away first. Failures are not kept.

    most_bytes, most_entries : bounds; what is larger than `most_bytes` is returned but not kept
    """

    def __init__(self, most_bytes: int = 256 << 20, most_entries: int = 3000) -> None:
        self.most_bytes, self.most_entries = most_bytes, most_entries
        self.size = 0
        """Bytes of all that is kept."""
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._locks: dict[Hashable, _Lock] = {}
        self._mutex = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(
        self, key: Hashable, compute: Callable[[], T], size: Callable[[T], int] = pickled,
        waiting: Callable[[], None] = _nobody_minds,
    ) -> T:  # fmt: skip
        """What `compute` says, asked of one caller while the others wait.

        size : bytes that it takes; waiting : called every `WAIT` seconds of waiting; may raise to give up
        What is asked for inside a lease must not need another one to be computed: who waits holds his own meanwhile.
        """
        found = self._find(key)
        if found is None:
            with self._only_one(key, waiting):
                found = self._find(key)
                if found is None:
                    found = (compute(),)
                    self._keep(key, found[0], size(found[0]))
        return found[0]

    def knows(self, key: Hashable) -> bool:
        """Whether it need not be computed."""
        return self._find(key) is not None

    def _find(self, key: Hashable) -> tuple[Any] | None:
        with self._mutex:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return (self._kept[key][0],)

    def _keep(self, key: Hashable, found: object, size: int) -> None:
        if size > self.most_bytes:
            return
        with self._mutex:
            self.size += size - self._kept.pop(key, (None, 0))[1]
            self._kept[key] = (found, size)
            while len(self._kept) > self.most_entries or self.size > self.most_bytes:
                self.size -= self._kept.popitem(last=False)[1][1]

    @contextmanager
    def _only_one(self, key: Hashable, waiting: Callable[[], None]) -> Iterator[None]:
        with self._mutex:
            mine = self._locks.setdefault(key, _Lock())
            mine.users += 1
        held = False
        try:
            while not (held := mine.lock.acquire(timeout=WAIT)):
                waiting()
            yield
        finally:
            if held:
                mine.lock.release()
            with self._mutex:
                mine.users -= 1
                if not mine.users:
                    self._locks.pop(key, None)


_known = Kept(most_bytes=64 << 20)
_thread = threading.local()


@contextmanager
def reading_state(state: Hashable | None, served: bool = False) -> Iterator[None]:
    """While the block lasts this thread reads a store in this state; None: in one that may change meanwhile.

    served : whether readers come back to it, as to a page
    """
    before = getattr(_thread, "state", None), getattr(_thread, "served", False)
    _thread.state, _thread.served = state, served
    try:
        yield
    finally:
        _thread.state, _thread.served = before


def known(key: Hashable, ask: Callable[[], T], size: Callable[[T], int] = pickled) -> T:
    """What `ask` says of the store that this thread has a lease on, asked anew after each commit.

    Nobody may change what is returned. Inside a write lease it is asked each time.
    """
    state = getattr(_thread, "state", None)
    return ask() if state is None else _known.get((state, key), ask, size)


_large = Kept(most_bytes=512 << 20)


def known_large(key: Hashable, ask: Callable[[], T], size: Callable[[T], int]) -> T:
    """As `known`, of what takes megabytes, which would push out what is small."""
    state = getattr(_thread, "state", None)
    return ask() if state is None else _large.get((state, key), ask, size)


def asked_again(key: Hashable) -> bool:
    """Whether this has been asked before of the store as it is, or will be asked again, as whatever a page asks.

    From now on it has. Inside a write lease never.
    """
    state = getattr(_thread, "state", None)
    if state is None:
        return False
    if _thread.served:
        return True
    before = _known.knows((state, "asked", key))
    _known.get((state, "asked", key), lambda: True)
    return before
