"""What several questions about one store share is worked out once: a judge held against the reference, votes counted.

A reader who adds a judge, or who goes from one page to the next, asks for much that stands already. Kept in memory,
bounded in bytes, the least recently used thrown away first; asked anew after each commit to the store.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from data.queries import Catalog, Con
from data.queries.votes import Votes, votes
from data.remembered import Kept
from data.store import Store

T = TypeVar("T")

_kept = Kept()


def part(
    store: Store, names: Catalog, of: Hashable, compute: Callable[[], T], waiting: Callable[[], None] = lambda: None
) -> T:
    """A part of an answer that hangs on the store, the names it is told in, and `of`. Called outside a lease.

    waiting : see `Kept.get`
    """
    with store.reading("looking whether it is known"):
        stamp = store.stamp()
    return _kept.get((str(store.path), stamp, names.dataset_id, names.display.written, of), compute, waiting=waiting)


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
