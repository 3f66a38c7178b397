"""What did somebody choose for a dataset last time, and which views of it did they keep under a name?

Both are words of an address, with the names of the files; the dataset itself is not among them, as it may be renamed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

import duckdb

from data import queries
from data.display import clean, set_setting
from data.store import Store
from errors import OptionError, unknown_name

Con = duckdb.DuckDBPyConnection
Words = dict[str, list[str]]

CHOICES = "choices"
"""Name of the setting."""

DATASET = "dataset"


@dataclass(frozen=True)
class SavedView:
    """page : the last part of its address; words : of the address, without the dataset"""

    name: str
    page: str
    words: Words
    saved_at: datetime


def as_text(words: Mapping[str, Sequence[str]]) -> str:
    """Words as an address has them, without the dataset."""
    return urlencode([(k, v) for k, values in words.items() if k != DATASET for v in values])


def address(dataset: str, view: SavedView) -> str:
    """The words of a saved view as an address has them, with the name that the dataset has now."""
    return "&".join(filter(None, [urlencode([(DATASET, dataset)]), as_text(view.words)]))


def _from_text(text: str) -> Words:
    words: Words = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        words.setdefault(name, []).append(value)
    return words


# -- the last choices -----------------------------------------------------------------------------------------------


def remembered(con: Con, dataset_id: int) -> Words:
    """The choices that the next visit finds again; none where nothing was chosen."""
    rows = con.execute(
        "SELECT value FROM setting WHERE dataset_id = $d AND name = $n", {"d": dataset_id, "n": CHOICES}
    ).fetchall()
    return _from_text(rows[0][0]) if rows else {}


def remember(store: Store, dataset: str, words: Mapping[str, Sequence[str]]) -> None:
    """Keep these choices for the next visit; none at all are forgotten. Raises UnknownNameError."""
    with store.reading("looking at remembered choices") as con:
        same = as_text(remembered(con, queries.catalog(con, dataset).dataset_id)) == as_text(words)
    if same:
        return
    with store.writing("remembering choices") as con:
        set_setting(con, queries.catalog(con, dataset).dataset_id, CHOICES, as_text(words) or None)


# -- views with a name ----------------------------------------------------------------------------------------------


def saved_views(con: Con, dataset_id: int) -> list[SavedView]:
    """The views of a dataset, the one saved first first."""
    rows = con.execute(
        "SELECT name, page, address, saved_at FROM saved_view WHERE dataset_id = $d ORDER BY saved_at, name",
        {"d": dataset_id},
    ).fetchall()
    return [SavedView(name, page, _from_text(address), at) for name, page, address, at in rows]


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
