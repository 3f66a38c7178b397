"""Which place does each response have in a cell that ranks them all: A>C>B, gpt-4 > llama = claude, [2, 1, 3]?"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from typing import Any

_SIGNS = re.compile(r"\s*(>+|≻+|<+|≺+)\s*")
_EQUAL = re.compile(r"\s*(?:=|~|≈)\s*")


@dataclass(frozen=True)
class Place:
    """One response of a ranking. item : its letter, number or name; place : 1 is best, ties share one"""

    item: str
    place: float


class UnclearNumbers(Exception):
    """A list of numbers: the order of the responses, or the rank of each? Nobody said."""


def read_ranking(text: str, numbers: str | None) -> list[Place]:
    """The places of a cell. numbers : what a list of numbers is: `order`, `ranks`, or None where that was not said.

    Raises ValueError with what is wrong, UnclearNumbers for a list of numbers when nobody said how to read it.
    """
    text = text.strip()
    if text.startswith("["):
        return _of_list(_list(text), numbers)
    signs = {sign[0] for sign in _SIGNS.findall(text)}
    if signs:
        if len({sign in ">≻" for sign in signs}) > 1:
            raise ValueError("holds both > and <")
        groups = [_EQUAL.split(group) for group in _SIGNS.split(text)[::2]]
        return _of_groups(groups[::-1] if signs & set("<≺") else groups)
    if _EQUAL.search(text):
        return _of_groups([_EQUAL.split(text)])
    items = [item.strip() for item in re.split(r"[,;]", text)]
    if len(items) == 1 and re.fullmatch(r"\w(\s+\w)+", text):
        items = text.split()
    if len(items) < 2:
        raise ValueError("is no ranking: write A>C>B, or a list")
    return _of_list([int(i) for i in items] if all(i.isdigit() for i in items) else items, numbers)


def _list(text: str) -> list[Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        try:
            # As Python prints a list: with single quotes.
            value = ast.literal_eval(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            raise ValueError("is no list that can be read") from None
    if not isinstance(value, list) or not value:
        raise ValueError("is an empty list")
    return value


def _of_list(values: list[Any], numbers: str | None) -> list[Place]:
    if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
        if numbers is None:
            raise UnclearNumbers
        if numbers == "ranks":
            return [Place(str(k), float(v)) for k, v in enumerate(values, 1)]
        if any(v != int(v) for v in values):
            raise ValueError("holds numbers that are no responses")
        first = 1 if 0 in values else 0
        return _of_groups([[str(int(v) + first)] for v in values])
    return _of_groups([[str(i) for i in v] if isinstance(v, list) else [str(v)] for v in values])


def _of_groups(groups: list[list[str]]) -> list[Place]:
    places, place = [], 1
    for group in groups:
        names = [name.strip() for name in group]
        if not all(names):
            raise ValueError("names an empty response")
        places += [Place(name, float(place)) for name in names]
        place += len(names)
    named = [one.item for one in places]
    if len(set(named)) < len(named):
        raise ValueError("names a response twice")
    return places


def slot_of(item: str) -> int | None:
    """The number of the response that a letter or a number names: A and 1 are response 1; None for any other name."""
    word = re.sub(r"(?i)^\s*(?:response|answer|output|model|option|candidate)[\s_]*|[()\[\].:]", "", item).strip()
    if word.isdigit():
        return int(word)
    return ord(word.upper()) - 64 if re.fullmatch(r"[A-Za-z]", word) else None
