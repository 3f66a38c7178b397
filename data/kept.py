"""Which views of a dataset did somebody keep under a name?

Words of an address, with the names of the files; the dataset itself is not among them, as it may be renamed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

import duckdb

from data import queries
from data.choices import DATASET, Words, as_text, from_text
from data.display import clean
from data.store import Store
from errors import OptionError, unknown_name

Con = duckdb.DuckDBPyConnection

@dataclass(frozen=True)
class SavedView:
    """page : the last part of its address; words : of the address, without the dataset"""

    name: str
    page: str
    words: Words
    saved_at: datetime


def address(dataset: str, view: SavedView) -> str:
    """The words of a saved view as an address has them, with the name that the dataset has now."""
    return "&".join(filter(None, [urlencode([(DATASET, dataset)]), as_text(view.words)]))


def saved_views(con: Con, dataset_id: int) -> list[SavedView]:
    """The views of a dataset, the one saved first first."""
    rows = con.execute(
        "SELECT name, page, address, saved_at FROM saved_view WHERE dataset_id = $d ORDER BY saved_at, name",
        {"d": dataset_id},
    ).fetchall()
    return [SavedView(name, page, from_text(address), at) for name, page, address, at in rows]


def save_view(store: Store, dataset: str, name: str, page: str, words: Mapping[str, Sequence[str]]) -> str:
    """Keep a view under a name, which is returned as it is kept. Raises OptionError where it is empty or taken."""
    with store.writing("saving a view") as con:
        d = queries.catalog(con, dataset).dataset_id
        name = _free(con, d, dataset, name)
        con.execute(
            "INSERT INTO saved_view VALUES (?, ?, ?, ?, ?)", [d, name, page, as_text(words), datetime.now()]
        )
    return name


def rename_view(store: Store, dataset: str, old: str, new: str) -> str:
    """Give a view another name. Raises OptionError where it is empty or taken, UnknownNameError."""
    with store.writing("renaming a view") as con:
        d = queries.catalog(con, dataset).dataset_id
        _there(con, d, dataset, old)
        name = clean(new)
        if name != old:
            name = _free(con, d, dataset, name)
            con.execute("UPDATE saved_view SET name = ? WHERE dataset_id = ? AND name = ?", [name, d, old])
    return name


def delete_view(store: Store, dataset: str, name: str) -> None:
    """Keep a view no longer. Raises UnknownNameError with the nearest names."""
    with store.writing("deleting a view") as con:
        d = queries.catalog(con, dataset).dataset_id
        _there(con, d, dataset, name)
        con.execute("DELETE FROM saved_view WHERE dataset_id = ? AND name = ?", [d, name])


def _free(con: Con, dataset_id: int, dataset: str, name: str) -> str:
    name = clean(name)
    if not name:
        raise OptionError("the view needs a name")
    if name in [one.name for one in saved_views(con, dataset_id)]:
        raise OptionError(f"dataset {dataset!r} already has a view called {name!r}: choose another name, or delete it")
    return name


def _there(con: Con, dataset_id: int, dataset: str, name: str) -> None:
    known = [one.name for one in saved_views(con, dataset_id)]
    if name not in known:
        raise unknown_name(f"view of dataset {dataset!r}", name, known)
