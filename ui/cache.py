"""How large is a result, and which facts does every run of a page need? What keeps them is `data.remembered`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from data.remembered import Kept
from data.store import Store
from studies.study import Result

T = TypeVar("T")


class Remembered:
    """Small facts about a store, as long as it stays as it is: those that every run of a page needs.

    most : how many are kept, the least recently used thrown away first
    """

    def __init__(self, most: int = 200) -> None:
        self._kept = Kept(most_entries=most)

    def get(self, store: Store, key: Hashable, compute: Callable[[], T]) -> T:
        """What `compute` says, asked anew after each commit. Called inside a lease on the store."""
        return self._kept.get((str(store.path), store.stamp(), key), compute)


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
