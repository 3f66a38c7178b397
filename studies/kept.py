"""What several questions about one store share is worked out once: a judge held against the reference, votes counted.

A reader who adds a judge, or who goes from one page to the next, asks for much that stands already. Kept in memory,
bounded in bytes, the least recently used thrown away first; asked anew after each commit to the store.
"""

from __future__ import annotations

import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from data.queries import Catalog, Con
from data.queries.votes import Votes, votes
from data.store import Store

T = TypeVar("T")

MOST_BYTES = 256 << 20


class Kept:
    """Parts of answers by key. most_bytes : bound; what takes more than half of it is not kept."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self.size = 0
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._mutex = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, compute: Callable[[], T], size: Callable[[T], int]) -> T:
        """What `compute` says. Two who ask at once both compute: neither has to wait for the other's progress."""
        with self._mutex:
            if key in self._kept:
                self._kept.move_to_end(key)
                found: T = self._kept[key][0]
                return found
        found = compute()
        bytes_ = size(found)
        if bytes_ <= self.most_bytes / 2:
            with self._mutex:
                self.size += bytes_ - self._kept.pop(key, (None, 0))[1]
                self._kept[key] = (found, bytes_)
                while self.size > self.most_bytes:
                    self.size -= self._kept.popitem(last=False)[1][1]
        return found


_kept = Kept()


def part(store: Store, names: Catalog, of: Hashable, compute: Callable[[], T]) -> T:
    """A part of an answer that hangs on the store, the names it is told in, and `of`. Called outside a lease."""
    with store.reading("looking whether it is known"):
        stamp = store.stamp()
    return _kept.get((str(store.path), stamp, names.dataset_id, names.display.written, of), compute, _pickled)


def counted_votes(store: Store, con: Con, names: Catalog, condition: str) -> Votes:
    """As data.queries.votes.votes. Called inside the lease of `con`."""
    humans = tuple(sorted(i for i, kind in names.judges.values() if kind == "human"))
    key = (str(store.path), store.stamp(), names.labeling, names.dataset_id, humans, condition, "votes")
    return _kept.get(key, lambda: _sealed(votes(con, names, condition)), _bytes)


def _sealed(counted: Votes) -> Votes:
    # What many read nobody may change.
    for column in counted.__dict__.values():
        column.flags.writeable = False
    return counted


def _bytes(counted: Votes) -> int:
    return sum(column.nbytes for column in counted.__dict__.values())


def _pickled(found: object) -> int:
    return len(pickle.dumps(found, protocol=5))
