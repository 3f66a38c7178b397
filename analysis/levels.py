"""Which level of a factor does each answer have? Words have levels; flags and numbers are given some.

A flag has two (without, with). A number has thirds: cut where a third and two thirds of the answers lie at or below,
each answer once; where so many are equal that cuts coincide there are fewer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.cells import Floats, Ints

Kind = Literal["words", "label", "flag", "thirds"]

UNKNOWN = -1
THIRDS = {1: ("any",), 2: ("low", "high"), 3: ("low", "middle", "high")}


@dataclass(frozen=True)
class Levels:
    """One factor's levels, the reference first.

    names : of the levels, (n_levels,); a, b : (n_columns,) which level the two answers have, -1 where it is not known
    kind : words of the file, one label of a set, a flag, thirds of a number
    bounds : of thirds, (lowest, highest) value of each level among the answers
    """

    factor: str
    kind: Kind
    names: tuple[str, ...]
    a: Ints
    b: Ints
    bounds: tuple[tuple[float, float], ...] | None = None

    def called(self, level: int) -> str:
        """What a level is called among those of all factors."""
        if self.kind in ("flag", "label"):
            return self.factor if level else f"no {self.factor}"
        return f"{self.factor}={self.names[level]}"


def is_flag(values: Floats) -> bool:
    """Whether all known values are 0 or 1."""
    known = values[np.isfinite(values)]
    return bool(len(known)) and bool(((known == 0) | (known == 1)).all())


def flag_levels(factor: str, a: Floats, b: Floats, kind: Kind = "flag") -> Levels:
    """Without and with."""
    return Levels(factor, kind, ("without", "with"), _codes(a), _codes(b))


def _codes(values: Floats) -> Ints:
    return np.where(np.isfinite(values), np.nan_to_num(values), UNKNOWN).astype(np.int64)


def word_levels(factor: str, names: Sequence[str], a: Sequence[Floats], b: Sequence[Floats]) -> Levels:
    """names : the levels, the reference first; a, b : for each, (n_columns,) whether the answer has it, NaN unknown"""

    def code(sides: Sequence[Floats]) -> Ints:
        held = np.array([np.nan_to_num(side) for side in sides])
        known = np.isfinite(sides[0]) & (held.max(axis=0) > 0)
        return np.where(known, held.argmax(axis=0), UNKNOWN).astype(np.int64)

    return Levels(factor, "words", tuple(names), code(a), code(b))


def third_levels(factor: str, of_answers: Floats, a: Floats, b: Floats) -> Levels:
    """of_answers : (n_answers,) the values of all answers, each once; NaN where they are not known"""
    known = of_answers[np.isfinite(of_answers)]
    if not len(known):
        nothing = np.full(len(a), UNKNOWN)
        return Levels(factor, "thirds", THIRDS[1], nothing, nothing.copy(), ((np.nan, np.nan),))
    cuts = np.quantile(known, [1 / 3, 2 / 3], method="inverted_cdf")
    cuts = np.unique(cuts[cuts < known.max()])
    names = THIRDS[len(cuts) + 1]
    place = np.searchsorted(cuts, known, side="left")
    bounds = tuple((float(known[place == k].min()), float(known[place == k].max())) for k in range(len(names)))

    def code(side: Floats) -> Ints:
        return np.where(np.isfinite(side), np.searchsorted(cuts, np.nan_to_num(side), side="left"), UNKNOWN)

    return Levels(factor, "thirds", names, code(a), code(b), bounds)
