"""Where in a file stand responses that were rated or ranked by themselves, rather than compared in pairs?

Three forms: `rows` (one row a response), `columns` (one row a prompt with response_1, rating_1, response_2, ...) and
`lists` (one row a prompt with a JSON list of responses). Instead of ratings or ranks a row may have one cell `ranking`:
A>C>B, gpt-4 > llama, or a list. data/unfold.py makes pairs of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from errors import MappingError

RATED: dict[str, str] = {
    "response": "the text of a response that was rated or ranked by itself",
    "model": "who wrote that response",
    "rating": "its rating: the higher is better",
    "rank": "its place: 1 is best",
    "ranking": "all responses to a prompt in one cell: A>C>B, or a list",
}
SHAPES = ("ratings", "ranked")
READINGS = ("order", "ranks")
_NUMBERED = re.compile(r"(response|model|rating|rank)_([1-9][0-9]?)")


@dataclass(frozen=True)
class Slot:
    """Where one response stands. Names of columns; in a list written COLUMN[] or COLUMN[].KEY, None where absent."""

    number: int
    response: str | None
    model: str | None
    value: str | None


@dataclass(frozen=True)
class Rated:
    """How responses and their ratings are laid out.

    form : rows, columns, lists; by : rating, rank or ranking
    slots : of rows and lists one, of columns one a response (none where `ranking` names models)
    ranking : its column
    numbers : what lists of numbers in it are: `order` (best first) or `ranks` (of response 1, 2, ...)
    """

    form: str
    by: str
    slots: tuple[Slot, ...]
    ranking: str | None = None
    numbers: str | None = None


def is_rated(field: str) -> bool:
    return field in RATED or _NUMBERED.fullmatch(field) is not None


def base(column: str) -> str:
    """The column of a path into it: completions[].model is in completions."""
    return column.partition("[]")[0]


def by_name(columns: Sequence[str], canonical: Mapping[str, str]) -> dict[str, str]:
    """Field -> column of those that carry the names of rated responses, where together they make sense; else empty.

    canonical : column -> its canonical name
    """
    found: dict[str, str] = {}
    for column in columns:
        if is_rated(canonical[column]):
            found.setdefault(canonical[column], column)
    numbers = {m[2] for field in found if (m := _NUMBERED.fullmatch(field)) and m[1] in ("response", "model")}
    valued = {m[2] for field in found if (m := _NUMBERED.fullmatch(field)) and m[1] in ("rating", "rank")}
    if len(numbers & valued) >= 2:
        return {f: c for f, c in found.items() if (m := _NUMBERED.fullmatch(f)) and m[2] in numbers & valued}
    if "ranking" in found:
        return {f: c for f, c in found.items() if f == "ranking" or ((m := _NUMBERED.fullmatch(f)) and m[2] in numbers)}
    if {"response", "model"} & set(found) and {"rating", "rank"} & set(found):
        return {f: c for f, c in found.items() if f in ("response", "model", "rating", "rank")}
    return {}


def resolve(fields: Mapping[str, str], numbers: str | None, listing: str) -> Rated:
    """The layout that these fields make. Raises MappingError where they make none.

    fields : rated field -> column; numbers : what --set ranking says; listing : the file's columns, for the message
    """
    numbered = _numbered(fields)
    if "ranking" in fields:
        _only(fields, {"ranking", *(f for f in fields if _NUMBERED.fullmatch(f))}, "ranking")
        slots = tuple(Slot(n, s.get("response"), s.get("model"), None) for n, s in sorted(numbered.items()))
        return Rated("columns", "ranking", slots, fields["ranking"], numbers)
    by = _one_of(fields)
    if numbered:
        _only(fields, [f for f in fields if _NUMBERED.fullmatch(f)], "numbered columns")
        slots = tuple(Slot(n, s.get("response"), s.get("model"), s.get(by)) for n, s in sorted(numbered.items()))
        for slot in slots:
            if slot.value is None or (slot.response is None and slot.model is None):
                lacks = by if slot.value is None else "response"
                hint = f"--map {lacks}_{slot.number}=COLUMN"
                raise MappingError(f"response {slot.number} lacks a column: {hint}. {listing}")
        if len(slots) < 2:
            raise MappingError(f"one response alone makes no pair: map response_2 and {by}_2 too. {listing}")
        return Rated("columns", by, slots)
    lists = {f for f, c in fields.items() if "[]" in c}
    if lists and lists != set(fields):
        raise MappingError("a list of responses holds their ratings as well: write COLUMN[].KEY, or COLUMN[], for each")
    if not {"response", "model"} & set(fields):
        raise MappingError(f"ratings and ranks need the response or its model: --map response=COLUMN. {listing}")
    slot = Slot(1, fields.get("response"), fields.get("model"), fields[by])
    return Rated("lists" if lists else "rows", by, (slot,))


def _numbered(fields: Mapping[str, str]) -> dict[int, dict[str, str]]:
    out: dict[int, dict[str, str]] = {}
    for field, column in fields.items():
        if match := _NUMBERED.fullmatch(field):
            out.setdefault(int(match[2]), {})[match[1]] = column
    return out


def _one_of(fields: Mapping[str, str]) -> str:
    kinds = {field.partition("_")[0] for field in fields} & {"rating", "rank"}
    if len(kinds) != 1:
        what = "either ratings or ranks, not both" if kinds else "--map rating=COLUMN (or rank, or ranking)"
        raise MappingError(f"responses that were judged one by one need {what}")
    return kinds.pop()


def _only(fields: Mapping[str, str], allowed: Iterable[str], beside: str) -> None:
    others = sorted(set(fields) - set(allowed))
    if others:
        raise MappingError(f"{', '.join(others)} cannot stand beside {beside}: map one or the other")
