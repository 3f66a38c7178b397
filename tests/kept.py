"""A store with one dataset, imported once for each content: what several tests of a module begin with costs a copy."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from data.imports import import_path
from data.store import Store


def store_of(folder: Path, content: str) -> Store:
    """A store of its own in this folder, with the dataset `d` of this CSV."""
    folder.mkdir(exist_ok=True)
    path = folder / "s.duckdb"
    path.write_bytes(_imported(content))
    return Store(path)


@lru_cache(maxsize=8)
def _imported(content: str) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "judgments.csv"
        path.write_text(content, newline="")
        store = Store(path.with_name("s.duckdb"))
        import_path(store, path, "d")
        return store.path.read_bytes()
