"""By how much does one answer have a property that another has not: less, as much, or more?

The codings of "Dissecting Human and LLM Preferences" (Li et al. 2024, arXiv 2402.11296), as in its code
(GAIR-NLP/Preference-Dissection, annotation_codes/resolve_collected_data.py): each property of a pair is -1, 0 or +1,
and exchanging the two answers turns every sign.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

LONGER_FROM = np.array([1, 3, 5, 7, 8, 10, 11, 13, 14, 16, 17, 19])
"""By the words of the shorter answer, up to 11: from how many words on the other one is longer."""

CLEARLY = ((7, 10), (8, 20), (9, 40))
"""Above: at most so many tenths of the longer one's words, and at least so many words fewer."""


def sign(a: ArrayLike, b: ArrayLike) -> Floats:
    """+1 where a has more of it than b, -1 where less, 0 where as much, NaN where one is not known. (n,) each"""
    return _known(a, b, np.sign(np.subtract(_floats(a), _floats(b))))


def negated(a: ArrayLike, b: ArrayLike) -> Floats:
    """Of ratings of the opposite (how repetitive an answer is): +1 where a has less of it. (n,) each"""
    return sign(b, a)


def fewer(a: ArrayLike, b: ArrayLike) -> Floats:
    """Of numbers of errors: +1 where a has fewer than b, the sign of b's number minus a's. (n,) each

    Raises ValueError for a negative number.
    """
    for each in (a, b):
        if (_floats(each) < 0).any():
            raise ValueError("a number of errors is 0 or more")
    return sign(b, a)


def any_of_it(a: ArrayLike, b: ArrayLike) -> Floats:
    """Of ratings of relevance: +1 where a has some and b none, however much; 0 where both have some. (n,) each"""
    x, y = _floats(a), _floats(b)
    return _known(a, b, (x > 0).astype(float) - (y > 0).astype(float))


def longer(a: ArrayLike, b: ArrayLike) -> Floats:
    """Of numbers of words: +1 where a is clearly longer than b, -1 where clearly shorter. (n,) each

    The shorter one has at most 11 words: the longer one has at least LONGER_FROM of it. Otherwise its words are at most
    .7 of the longer one's and 10 fewer, or at most .8 and 20 fewer, or at most .9 and 40 fewer.
    """
    x, y = _floats(a), _floats(b)
    short, long = np.minimum(x, y), np.maximum(x, y)
    few = short < len(LONGER_FROM)
    at = np.where(few & np.isfinite(short), short, 0).astype(np.int64)
    # Whole numbers on both sides: .7 * 20 is below 14 in binary.
    clear = np.any([(10 * short <= part * long) & (long - short >= gap) for part, gap in CLEARLY], axis=0)
    return _known(a, b, np.where(np.where(few, long >= LONGER_FROM[at], clear), np.sign(x - y), 0.0))


RULES: dict[str, Callable[[ArrayLike, ArrayLike], Floats]] = {
    "non-repetitive": negated,
    "relevant": any_of_it,
    "no minor errors": fewer,
    "no moderate errors": fewer,
    "no severe errors": fewer,
    "lengthy": longer,
}
"""By property, on what the annotations hold (repetitive 0-3, ratings, numbers of errors, words)."""


def coded(name: str, a: ArrayLike, b: ArrayLike) -> Floats:
    """The coding of a property on raw annotations of both answers; of all that RULES does not name, the sign. (n,)"""
    return RULES.get(name, sign)(a, b)


def _floats(values: ArrayLike) -> Floats:
    return np.atleast_1d(np.asarray(values, dtype=np.float64))


def _known(a: ArrayLike, b: ArrayLike, found: Floats) -> Floats:
    """NaN where one of the two values is not known."""
    return np.where(np.isnan(_floats(a)) | np.isnan(_floats(b)), np.nan, found)
