"""Which group does each judgment belong to? Levels of an attribute, numbers and dates cut into parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from charts import words
from data.queries.attributes import Attribute
from data.queries.differences import Verdicts
from data.queries.groups import DATE
from errors import EmptySelectionError, OptionError

MOST_GROUPS = 20
FEW_VALUES = 5
"""Numbers of up to so many different values are groups as they are."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Groups:
    """names : of the groups, in their order; code : (n,) index of each judgment's, -1 where nothing is known of it"""

    names: tuple[str, ...]
    code: NDArray[np.int64]

    @property
    def n_unknown(self) -> int:
        """Judgments of which nothing is known."""
        return int((self.code < 0).sum())


def as_numbers(values: Sequence[str | float]) -> Floats | None:
    """The values as numbers, None unless all are finite ones."""
    try:
        found = np.array([float(v) for v in values])
    except ValueError:
        return None
    return found if bool(np.isfinite(found).all()) else None


def group_judgments(
    by: Attribute, given: Mapping[int, str], said: Verdicts, pair_ids: NDArray[np.int64], parts: int
) -> Groups:
    """by : what they are grouped by; given : its values by id, as `queries.groups.values` tells; none for dates

    said : with annotator, models (a, b) or date where these are asked; pair_ids : (n,) the id of each one's pair
    A pair of models has the mean of two numbers, and both words where they differ.

    Raises EmptySelectionError where fewer than two groups are left, OptionError for too many.
    """
    if by.entity == DATE:
        return _cut(said.columns["date"], parts, by.word, dates=True)
    if by.entity == "model":
        return _of_models(by, given, said, parts)
    ids = said.columns["annotator"] if by.entity == "annotator" else pair_ids
    return _levels([given.get(int(i)) for i in ids], parts, by.word)


def _of_models(by: Attribute, given: Mapping[int, str], said: Verdicts, parts: int) -> Groups:
    sides = [[given.get(int(i)) for i in said.columns[side]] for side in ("a", "b")]
    numbers = as_numbers(list(given.values()))
    if numbers is not None:
        one, two = (np.array([np.nan if v is None else float(v) for v in side]) for side in sides)
        return _cut((one + two) / 2, parts, by.word)
    both = [
        None if a is None or b is None else a if a == b else " and ".join(sorted((a, b)))
        for a, b in zip(*sides, strict=True)
    ]
    return _levels(both, parts, by.word)


def _levels(values: Sequence[str | None], parts: int, word: str) -> Groups:
    known = [v for v in dict.fromkeys(values) if v is not None]
    numbers = as_numbers(known)
    if numbers is not None and len(set(numbers)) > FEW_VALUES:
        return _cut(np.array([np.nan if v is None else float(v) for v in values]), parts, word)
    names = [known[k] for k in np.argsort(numbers)] if numbers is not None else sorted(known)
    if len(names) > MOST_GROUPS:
        raise OptionError(
            f"--group-by {word}: {len(names):,} different values are too many groups; up to {MOST_GROUPS} are compared"
        )
    place = {name: k for k, name in enumerate(names)}
    return _checked(tuple(names), np.array([-1 if v is None else place[v] for v in values], dtype=np.int64), word)


def _cut(values: Floats, parts: int, word: str, dates: bool = False) -> Groups:
    """Into parts of about as many judgments."""
    known = np.isfinite(values)
    different = np.unique(values[known])
    code = np.full(len(values), -1, dtype=np.int64)
    if len(different) <= min(FEW_VALUES, parts) and not dates:
        code[known] = np.searchsorted(different, values[known])
        return _checked(tuple(words.number(float(v)) for v in different), code, word)
    if len(different) < 2:
        return _checked((), code, word)
    ends = np.unique(np.quantile(values[known], np.arange(1, parts) / parts, method="inverted_cdf"))
    code[known] = np.searchsorted(ends, values[known], side="left")
    met, code[known] = np.unique(code[known], return_inverse=True)
    names = []
    for k in range(len(met)):
        low, high = values[code == k].min(), values[code == k].max()
        names.append(_span(float(low), float(high), dates))
    return _checked(tuple(names), code, word)


def _span(low: float, high: float, dates: bool) -> str:
    one, two = (
        pd.Timestamp(v, unit="s").date().isoformat() if dates else words.number(v) for v in (low, high)
    )  # fmt: skip
    return one if one == two else f"{one} to {two}"


def _checked(names: tuple[str, ...], code: NDArray[np.int64], word: str) -> Groups:
    if len(names) < 2:
        what = f"is {names[0]!r} for all of them" if names else "is known of none of them, or the same for all"
        raise EmptySelectionError(f"--group-by {word}: these judgments are of one group, as {word} {what}")
    # Two groups that are written alike after rounding.
    seen: dict[str, int] = {}
    told = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        told.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return Groups(tuple(told), code)
