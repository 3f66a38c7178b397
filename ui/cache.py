"""How is a result computed once and kept, however many windows ask for it? Bounded in bytes and in entries."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from data.store import Store
from studies.study import Result

T = TypeVar("T")

WAIT = 0.2
"""Seconds between two looks at whether somebody else's computation is done."""


@dataclass
class _Lock:
    lock: threading.Lock = field(default_factory=threading.Lock)
    users: int = 0


class ResultCache:
    """Results by key, the least recently used thrown away first. Failures are not kept.

    most_bytes, most_entries : bounds; a result larger than `most_bytes` is returned but not kept
    """

    def __init__(self, most_bytes: int = 256 << 20, most_entries: int = 3000) -> None:
        self.most_bytes, self.most_entries = most_bytes, most_entries
        self._kept: OrderedDict[Hashable, tuple[Result, int]] = OrderedDict()
        self._locks: dict[Hashable, _Lock] = {}
        self._mutex = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes of all results kept."""
        with self._mutex:
            return sum(size for _, size in self._kept.values())

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, compute: Callable[[], Result], waiting: Callable[[], None]) -> Result:
        """The result of `key`, computed by one caller while the others wait.

        waiting : called every `WAIT` seconds of waiting; may raise to give up
        """
        found = self._find(key)
        if found is not None:
            return found
        with self._only_one(key, waiting):
            found = self._find(key)
            if found is None:
                found = compute()
                self._keep(key, found)
            return found

    def knows(self, key: Hashable) -> bool:
        """Whether the result need not be computed."""
        return self._find(key) is not None

    def _find(self, key: Hashable) -> Result | None:
        with self._mutex:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][0]

    def _keep(self, key: Hashable, result: Result) -> None:
        size = size_of(result)
        if size > self.most_bytes:
            return
        with self._mutex:
            self._kept[key] = (result, size)
            while len(self._kept) > self.most_entries or sum(s for _, s in self._kept.values()) > self.most_bytes:
                self._kept.popitem(last=False)

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


class Remembered:
    """Small facts about a store, as long as it stays as it is: those that every run of a page needs.

    most : how many are kept, the least recently used thrown away first
    """

    def __init__(self, most: int = 200) -> None:
        self.most = most
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._mutex = threading.Lock()

    def get(self, store: Store, key: Hashable, compute: Callable[[], T]) -> T:
        """What `compute` says, asked anew after each commit. Called inside a lease on the store."""
        stamped = (str(store.path), store.stamp(), key)
        with self._mutex:
            if stamped in self._kept:
                self._kept.move_to_end(stamped)
                found: T = self._kept[stamped]
                return found
        found = compute()
        with self._mutex:
            self._kept[stamped] = found
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)
        return found


def size_of(result: Result) -> int:
    """Bytes that a result holds on to: its tables, and what its texts take."""
    tables = sum(int(t.memory_usage(index=True, deep=True).sum()) for t in result.tables.values())
    return tables + _texts((result.warnings, result.caption, result.taken, dict(result.values), dict(result.settings)))


def _texts(value: Any) -> int:
    if isinstance(value, dict):
        return sum(_texts(k) + _texts(v) for k, v in value.items())
    if isinstance(value, (tuple, list)):
        return sum(_texts(v) for v in value)
    return sys.getsizeof(value)
