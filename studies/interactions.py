"""Does a factor weigh more where something else is so? Columns of a factor crossed with another, or with an attribute.

With another factor: what both together add, the product of both (each about its mean over the answers, in its standard
deviations) of a minus that of b. With an attribute: the factor's difference where the attribute has a level (against
the most frequent one), or times the attribute where it is a number (about its mean, in standard deviations). All of
these change their sign when a and b are exchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data.queries import Catalog, Con, meaning
from data.queries import attributes as attribute_queries
from data.queries.attributes import Attribute
from data.queries.texts import Source, pair_values
from errors import EmptySelectionError, OptionError, unknown_name

SIGN = "*"
SIMILARITY = "similarity"
"""How near the meanings of a pair's two answers are: an attribute of pairs that have vectors."""

MOST_LEVELS = 20
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Crossing:
    """One asked interaction: a factor, and another factor or the word of an attribute."""

    factor: str
    other: str
    attribute: Attribute | None

    @property
    def by_annotator(self) -> bool:
        """Whether its values differ from annotator to annotator."""
        return self.attribute is not None and self.attribute.entity == "annotator"


@dataclass(frozen=True)
class Crossed:
    """The columns of one interaction. names : of each; x : (n_columns, n) their values, NaN where not known"""

    names: tuple[str, ...]
    x: Floats


def parse(words: Sequence[str], factors: Mapping[str, Source], known: Mapping[str, Attribute]) -> list[Crossing]:
    """Interactions written FACTOR*OTHER. Raises OptionError, UnknownNameError with the nearest names."""
    found = []
    for word in dict.fromkeys(words):
        left, sign, right = (part.strip() for part in word.partition(SIGN))
        if not sign or not left or not right:
            raise OptionError(
                f"--interact {word!r}: write FACTOR*OTHER, the other one a factor too, or one of "
                + ", ".join([*known, SIMILARITY])
            )
        if left not in factors and right in factors:
            left, right = right, left
        if left not in factors:
            raise unknown_name("factor", left, factors)
        if right in factors:
            found.append(Crossing(left, right, None))
        elif right in known or right == SIMILARITY:
            found.append(Crossing(left, right, known.get(right, Attribute(SIMILARITY))))
        else:
            raise unknown_name("factor or attribute", right, [*factors, *known, SIMILARITY])
    return found


def cross_factors(con: Con, names: Catalog, one: Crossing, sources: Mapping[str, Source]) -> Crossed:
    """Of every pair of the dataset, ascending."""
    two = [sources[one.factor], sources[one.other]]
    values = pair_values(con, names, two)
    sides: list[list[Floats]] = []
    for source in two:
        a, b = values.a[source.name], values.b[source.name]
        both = np.concatenate([a, b])
        both = both[np.isfinite(both)]
        centre = float(both.mean()) if len(both) else 0.0
        spread = float(both.std()) or 1.0
        sides.append([(a - centre) / spread, (b - centre) / spread])
    column = sides[0][0] * sides[1][0] - sides[0][1] * sides[1][1]
    return Crossed((f"{one.factor} × {one.other}",), column[None])


def cross_attribute(one: Crossing, x: NDArray[Any], values: Sequence[str | float | None]) -> Crossed:
    """x : (n,) the factor's scaled differences; values : (n,) the attribute of each, None where it has none"""
    known = [v for v in values if v is not None]
    if not known:
        raise EmptySelectionError(f"--interact {one.factor}*{one.other}: none of these judgments has {one.other}")
    numbers = _numbers(known)
    there = np.array([v is not None for v in values], dtype=bool)
    if numbers is not None:
        z = np.full(len(values), np.nan)
        z[there] = numbers
        spread = float(np.nanstd(z))
        if not spread > 0:
            raise EmptySelectionError(f"--interact {one.factor}*{one.other}: {one.other} is the same everywhere")
        return Crossed((f"{one.factor} × {one.other}",), ((z - np.nanmean(z)) / spread * x)[None])
    levels, counts = np.unique([str(v) for v in known], return_counts=True)
    if len(levels) > MOST_LEVELS:
        raise OptionError(
            f"--interact {one.factor}*{one.other}: {one.other} has {len(levels):,} levels, and up to {MOST_LEVELS} can "
            "be crossed with a factor"
        )
    if len(levels) < 2:
        raise EmptySelectionError(f"--interact {one.factor}*{one.other}: {one.other} is {str(levels[0])!r} everywhere")
    # Most frequent first; equals alphabetical, as unique gives them.
    reference = levels[int(np.argmax(counts))]
    said = np.array([str(v) if v is not None else "" for v in values], dtype=object)
    columns, names = [], []
    for level in levels:
        if level == reference:
            continue
        column = np.where(said == level, x, 0.0).astype(np.float64)
        column[~there] = np.nan
        columns.append(column)
        names.append(f"{one.factor} × {one.other}={level}")
    return Crossed(tuple(names), np.array(columns))


def _numbers(values: Sequence[str | float]) -> Floats | None:
    """The values as numbers, None unless all are."""
    try:
        found = np.array([float(v) for v in values])
    except ValueError:
        return None
    return found if bool(np.isfinite(found).all()) else None


def of_pairs(con: Con, names: Catalog, one: Crossing, unit: NDArray[Any]) -> list[str | float | None]:
    """The attribute of each pair (ids). Raises EmptySelectionError where answers have no vectors."""
    assert one.attribute is not None
    if one.attribute.entity == SIMILARITY:
        ids = meaning.embedder_ids(con)
        if not ids:
            raise EmptySelectionError(
                "how near two answers are in meaning is not known yet: run python cli.py factors embed"
            )
        pairs, cosine = meaning.pair_similarity(con, names, max(ids.values()))
        by_pair: Mapping[int, str | float] = dict(zip(pairs.tolist(), cosine.tolist(), strict=True))
    else:
        by_pair = attribute_queries.values(con, names, one.attribute)
    return [by_pair.get(int(i)) for i in unit]


def of_annotators(con: Con, names: Catalog, one: Crossing, annotators: NDArray[Any]) -> list[str | float | None]:
    """The attribute of each judgment's annotator (ids)."""
    assert one.attribute is not None
    by_annotator = attribute_queries.values(con, names, one.attribute)
    return [by_annotator.get(int(i)) for i in annotators]
