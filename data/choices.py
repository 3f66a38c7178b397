"""What did somebody choose for a dataset last time?

In a small file of its own beside the store, `<store>.choices.json`: readers choose all the time, and each commit to the
store makes every reader wait and every page ask anew for what it had worked out.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import duckdb

from data import queries
from data.duck import writable
from data.remembered import known
from data.store import Store

Con = duckdb.DuckDBPyConnection
Words = dict[str, list[str]]
"""Words of an address, with the names of the files."""

DATASET = "dataset"
MOST = 500
"""Datasets whose choices are kept, those chosen last: what was deleted is forgotten in the end."""

_mutex = threading.Lock()


def as_text(words: Mapping[str, Sequence[str]]) -> str:
    """Words as an address has them, without the dataset, which may be renamed."""
    return urlencode([(k, v) for k, values in words.items() if k != DATASET for v in values])


def from_text(text: str) -> Words:
    """The inverse of `as_text`."""
    words: Words = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        words.setdefault(name, []).append(value)
    return words


def remembered(con: Con, store: Store, dataset_id: int) -> Words:
    """The choices that the next visit finds again; none where nothing was chosen. con : a lease on the store"""
    return from_text(_read(_file(store)).get(_key(con, dataset_id), ""))


def remember(store: Store, dataset: str, words: Mapping[str, Sequence[str]]) -> None:
    """Keep these choices for the next visit; none at all are forgotten.

    Raises UnknownNameError, ReadOnlyError where nothing may be changed, StoreError where the file cannot be written.
    """
    store.refuse_to_change("remembering choices")
    with store.reading("looking at remembered choices") as con:
        key = _key(con, queries.catalog(con, dataset).dataset_id)
    path, text = _file(store), as_text(words)
    with _mutex:
        before = _read(path)
        if before.get(key, "") == text:
            return
        others = {k: v for k, v in before.items() if k != key}
        after = dict(list((others | ({key: text} if text else {})).items())[-MOST:])
        with writable(path):
            _replace(path, json.dumps(after, indent=1))


def _file(store: Store) -> Path:
    return store.path.with_name(store.path.name + ".choices.json")


def _key(con: Con, dataset_id: int) -> str:
    """What tells a dataset from all others, also from one of another store that takes this one's place."""
    found = known(("created", dataset_id), lambda: con.execute(
        "SELECT created FROM dataset WHERE dataset_id = $d", {"d": dataset_id}
    ).fetchall())  # fmt: skip
    return f"{dataset_id} {found[0][0] if found else ''}"


def _read(path: Path) -> dict[str, str]:
    """Key to words; nothing where the file is not there or not ours to read: it holds what is easily chosen again."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: text for key, text in found.items() if isinstance(text, str)}


def _replace(path: Path, text: str) -> None:
    """The whole file or none of it: others may be reading it."""
    handle, name = tempfile.mkstemp(prefix=path.name + ".", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
