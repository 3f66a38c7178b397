"""What several questions about one store share is worked out once: a judge held against the reference, votes counted.

A reader who adds a judge, or who goes from one page to the next, asks for much that stands already. Kept in memory,
bounded in bytes, the least recently used thrown away first; asked anew after each commit to the store.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import TypeVar

import numpy as np

from data import queries
from data.model import Selection
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


def counted_votes(store: Store, con: Con, names: Catalog, selection: Selection) -> Votes:
    """As data.queries.votes.votes, of the judgments of a selection. Called inside the lease of `con`.

    Where all judges' votes of all scenarios are kept, those of some are taken from them. Who asks for some a second
    time goes from one selection to the next: all are counted then, once.
    """
    humans = tuple(sorted(i for i, kind in names.judges.values() if kind == "human"))
    state = (str(store.path), store.stamp(), names.labeling, names.dataset_id, humans)
    whole = queries.where(replace(selection, judge=(), scenario=()), names, ranked=False)
    everybody = not selection.judge or set(selection.judge) == set(names.judges)
    condition = whole if everybody and not selection.scenario else queries.where(selection, names, ranked=False)

    def count(what: str) -> Votes:
        if what != whole and names.labeling is None and (
            _kept.knows((*state, whole, "votes")) or queries.held_whole(con, names, (whole, "votes"))
        ):
            return _sealed(_of(get(whole), names, selection))
        return _sealed(votes(con, names, what))

    def get(what: str) -> Votes:
        return _kept.get((*state, what, "votes"), lambda: count(what), _bytes)

    return get(condition)


def _of(counted: Votes, names: Catalog, selection: Selection) -> Votes:
    """The votes of the selection's judges and scenarios, in their order."""
    rows = np.ones(len(counted), dtype=bool)
    if selection.judge:
        rows &= np.isin(counted.judge_id, [names.judges[judge][0] for judge in selection.judge])
    if selection.scenario:
        rows &= np.isin(counted.scenario, [names.scenarios[scenario] for scenario in selection.scenario])
    return counted.take(np.flatnonzero(rows))


def _sealed(counted: Votes) -> Votes:
    # What many read nobody may change.
    for column in counted.__dict__.values():
        column.flags.writeable = False
    return counted


def _bytes(counted: Votes) -> int:
    return sum(column.nbytes for column in counted.__dict__.values())
