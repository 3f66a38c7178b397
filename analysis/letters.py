"""Does a judge prefer an answer for the letter that it is called by, apart from the place where it stands?

Where letters were shuffled against places, each of the two is averaged over the other with equal weight, so that a
preference for the first place is none for the letter A that most often stood there. The null is .5, as where letters
were drawn by lot.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.audit import FEW, Bias, without_spread
from analysis.cells import Floats, Ints
from analysis.cluster_sums import ALIKE, Figures, estimate
from analysis.vcov import Clustering

NAMES = ("shown_first", "shown_last", "letter", "place")
"""Shares of verdicts, ties half: for the first letter where it stood first and where it stood last; for the first
letter and for the first place, each averaged over the other."""


@dataclass(frozen=True)
class Letters:
    """Verdicts of one judge; each array (n,).

    judge : from -1 (b) to 1 (a); letter : +1 where a has the first letter, -1 where b; place : +1 where a stood first
    """

    judge: Floats
    letter: Floats
    place: Floats
    cluster: Ints

    @property
    def crossed(self) -> bool:
        """Whether the first letter stood first and last, so that letters can be told from places."""
        same = self.letter * self.place
        return bool((same > 0).any() and (same < 0).any())


def letter_shares(letters: Letters, clustering: Clustering) -> Figures:
    """The figures of `NAMES`. Letters must be crossed with places."""
    won = (1 + letters.judge * letters.letter) / 2
    first, last = letters.letter * letters.place > 0, letters.letter * letters.place < 0
    sums = np.column_stack([first * won, first, last * won, last]).astype(np.float64)

    def figures(s: NDArray[np.float64]) -> NDArray[np.float64]:
        one, two = s[..., 0] / s[..., 1], s[..., 2] / s[..., 3]
        # Where the first letter stood last, the other answer stood first.
        return np.stack([one, two, (one + two) / 2, (one + 1 - two) / 2], axis=-1)

    return estimate(figures, sums, np.ones(len(won)), letters.cluster, clustering, NAMES, "share")


def option_order(letters: Letters, clustering: Clustering, level: float) -> Bias:
    """Verdicts for the first letter, averaged over the places where it stood, against .5."""
    shares = letter_shares(letters, clustering)
    at = NAMES.index("letter")
    lower, upper = shares.interval(level)
    plain = Bias("option_order", float(shares.value[at]), len(letters.judge), int(shares.clusters[at]),
                 float(lower[at]), float(upper[at]), 0.5)  # fmt: skip
    least = min(int((letters.letter * letters.place > 0).sum()), int((letters.letter * letters.place < 0).sum()))
    if least < FEW or plain.clusters < FEW:
        why = f"{least} verdicts with the first letter in one of both places, {plain.clusters} independent parts"
        return Bias(**{**plain.__dict__, "why": f"{why}: it needs {FEW}"})
    if min(plain.rate, 1 - plain.rate) < ALIKE:
        return without_spread(plain, 1 if plain.rate > 0.5 else -1, letters.cluster, clustering)
    won = (1 + letters.judge * letters.letter) / 2 - 0.5
    first = letters.letter * letters.place > 0
    sums = np.column_stack([first * won, first, ~first * won, ~first]).astype(np.float64)
    beyond = estimate(_beyond, sums, np.ones(len(won)), letters.cluster, clustering, ("excess",), "slope")
    low, high = beyond.interval(level)
    return Bias(**{**plain.__dict__, "null": 0.5, "excess": float(beyond.value[0]), "excess_lower": float(low[0]),
                   "excess_upper": float(high[0]), "p": beyond.p_value("excess")})  # fmt: skip


def _beyond(s: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray((s[..., 0:1] / s[..., 1:2] + s[..., 2:3] / s[..., 3:4]) / 2)
