"""Which columns of a small table, of labels or of weights, mean what?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from data.fields import canonical
from errors import MappingError, nearest


@dataclass(frozen=True)
class PlainMapping:
    """What each column of the table means. columns : key -> column; constants : key -> the same value for each row"""

    columns: tuple[tuple[str, str], ...]
    constants: tuple[tuple[str, str], ...]
    inferred: tuple[str, ...]

    def has(self, key: str) -> bool:
        return key in dict(self.columns) or key in dict(self.constants)

    def constant(self, key: str) -> str | None:
        return dict(self.constants).get(key)


def resolve_plain(
    columns: Sequence[str], keys: Mapping[str, Sequence[str]], needed: Sequence[Sequence[str]], said: str,
    maps: Sequence[tuple[str, str]] = (), sets: Sequence[tuple[str, str]] = (), name: str = "the file",
    automatic: bool = True,
) -> PlainMapping:  # fmt: skip
    """The mapping of one table. A column is found by the name of its key, else by one of the key's other names.

    keys : key -> further names that a column of it may have; needed : of each group one key must be there; said : what
    the file needs, in words

    Raises MappingError with the columns there are.
    """
    listing = f"{name} has the columns " + ", ".join(repr(column[:60]) for column in columns)
    found: dict[str, str] = {}
    for key, column in maps:
        if key not in keys:
            raise MappingError(f"--map {key}={column}: a file like this has the fields {', '.join(keys)}")
        if column not in columns:
            near = nearest(column, columns)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise MappingError(f"--map {key} names a column {column!r} that is not there{hint}. {listing}")
        if key in found or column in found.values():
            raise MappingError(f"--map {key}={column}: this field or column is mapped twice")
        found[key] = column
    constants: dict[str, str] = {}
    for key, value in sets:
        if key not in keys:
            raise MappingError(f"--set {key}={value}: a file like this has the fields {', '.join(keys)}")
        if key in found or key in constants:
            raise MappingError(f"--set {key}={value}: {key} is given twice")
        constants[key] = value.strip()
    inferred = []
    for others in (False, True) if automatic else ():
        for key, names in keys.items():
            if key in found or key in constants:
                continue
            accepted = names if others else (key,)
            for column in columns:
                if canonical(column) in accepted and column not in found.values():
                    found[key] = column
                    if column != key:
                        inferred.append(f"column {column[:60]!r} is {key}")
                    break
    for group in needed:
        if not any(key in found or key in constants for key in group):
            raise MappingError(f"{name} has no column {' or '.join(group)}. It needs {said}. {listing}")
    unused = [column for column in columns if column not in found.values()]
    if unused:
        inferred.append("columns not used: " + ", ".join(repr(column[:60]) for column in unused[:8]))
    return PlainMapping(tuple(found.items()), tuple(constants.items()), tuple(inferred))
