"""What stands in a JSON object one key of which holds a long list of records: each record, and all the rest?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from data.importers.json_rows import Array, Broken
from data.importers.source import Source
from data.model import Progress
from errors import FileError


def records(source: Source, progress: Progress, beside: dict[str, Any]) -> Iterator[tuple[int, Any]]:
    """(number from 1, value or Broken) of each element of the list under `source.within`.

    beside : takes the values of all other keys, those behind the list once the records are through

    Raises FileError when there is no such list, or what stands before it is no valid JSON.
    """
    assert source.within is not None
    with source.plain.open(encoding="utf-8-sig", newline="") as file:
        walk = _Object(file, source.plain.stat().st_size, progress)
        yield from walk.records(source.name, source.within, beside)


class _Object(Array):
    """The object's text, read through the window in which an array is read."""

    def records(self, name: str, key: str, beside: dict[str, Any]) -> Iterator[tuple[int, Any]]:
        if self._next_char() != "{":
            raise FileError(f"{name} is no JSON object with a list {key}")
        self.pos += 1
        number, found = 0, False
        while True:
            char = self._next_char()
            if char == "}":
                break
            if char == ",":
                self.pos += 1
                continue
            at = self._member()
            if at == key and not found and self._next_char() == "[":
                found = True
                for number, value in self.items():
                    yield number, value
                if self.closed:
                    continue
                return
            value = self._element() if isinstance(at, str) else at
            if isinstance(value, Broken):
                if not found:
                    raise FileError(f"{name} is no valid JSON before its list {key}: {value.reason}")
                yield number + 1, value
                return
            beside[str(at)] = value
        if not found:
            raise FileError(f"{name} has no list {key}; it has {', '.join(key[:40] for key in [*beside][:20])}")

    def _member(self) -> str | Broken:
        """The key at the position; the position is then at its value."""
        if not self._next_char():
            return Broken("the object is not closed: the file is cut off here", "")
        key = self._element()
        if isinstance(key, Broken):
            return key
        if type(key) is not str or self._next_char() != ":":
            return Broken("no valid JSON: a key and a colon are expected", str(key))
        self.pos += 1
        self._next_char()
        return key
