"""How many pairs judged again find a bias, and which of those that can be had are taken?

A bias that shows in pairs (both first against both last; moved towards a cue against away) is tested exactly by its
conflicts alone (McNemar 1947). Of n pairs the share `changes` are conflicts, and a bias of `excess` makes the one kind
of conflict more frequent than half of them by `excess` of all pairs, so that the two kinds are 2 * excess apart.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import ndtri

from analysis.cells import Floats, Ints

GUESSING = 0.5
"""Share of conflicts of a judge that guesses: half of the pairs. Fewer conflicts need fewer pairs."""

POWER = 0.8

MOST = 1_000_000
"""Pairs beyond which nothing is looked for."""


def chance_found(n: int, difference: float, changes: float = GUESSING, level: float = 0.95) -> float:
    """Chance that the exact test of n independent pairs finds that the two kinds of conflict differ.

    difference : between their shares of all pairs, at most `changes`
    """
    # Takes half a second to import, of every command.
    from scipy.stats import binom

    changes = max(changes, difference)
    conflicts = np.arange(n + 1)
    chance = binom.pmf(conflicts, n, changes)
    # The least number of one kind from which on both tails together hold no more than 1 - level.
    most = binom.isf((1 - level) / 2, conflicts, 0.5)
    up = 0.5 + difference / (2 * changes)
    found = binom.sf(most, conflicts, up) + binom.cdf(conflicts - most - 1, conflicts, up)
    return float(chance @ found)


def pairs_to_find(difference: float, changes: float = GUESSING, level: float = 0.95, power: float = POWER) -> int:
    """The number of pairs from which on the chance is at least `power`."""
    return _first(lambda n: chance_found(n, difference, changes, level) >= power)


def pairs_to_know(half_width: float, level: float = 0.95) -> int:
    """The number of pairs whose share has an interval of this half-width at most, whatever the share is."""
    return int(np.ceil(0.25 * (ndtri((1 + level) / 2) / half_width) ** 2))


def least_found(n: int, changes: float = GUESSING, level: float = 0.95, power: float = POWER) -> float | None:
    """The smallest difference, in hundredths, that n pairs find with this chance; None where they find none."""
    for difference in np.arange(1, 101) / 100:
        if chance_found(n, float(difference), changes, level) >= power:
            return float(difference)
    return None


def _first(enough: Callable[[int], bool]) -> int:
    low, high = 0, 1
    while not enough(high) and high < MOST:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def spread(scenario: Ints, prompt: Ints, rng: np.random.Generator) -> Ints:
    """(n,) positions in the order in which they should be taken, so that any beginning is a stratified sample.

    scenario, prompt : (n,) codes. It holds scenarios in the shares of all, and each prompt once before any twice.
    """
    n = len(scenario)
    draw = rng.random(n)
    turn = _within(prompt, np.argsort(draw, kind="stable"))
    at = _within(scenario, np.lexsort((draw, turn)))
    code, size = np.unique(scenario, return_inverse=True, return_counts=True)[1:]
    # Systematic: of each scenario one after every size-th part, from the middle of it on.
    return np.lexsort((draw, (at + 0.5) / size[code])).astype(np.int64)


def _within(group: Ints, order: Ints) -> Ints:
    """(n,) how many of the same group come before each one in this order."""
    sorted_ = order[np.argsort(group[order], kind="stable")]
    starts = np.r_[True, group[sorted_][1:] != group[sorted_][:-1]] if len(group) else np.zeros(0, dtype=bool)
    count = np.arange(len(group)) - np.maximum.accumulate(np.where(starts, np.arange(len(group)), 0))
    out = np.empty(len(group), dtype=np.int64)
    out[sorted_] = count
    return out


def balance(lean: Floats, rng: np.random.Generator) -> Ints:
    """(n,) +1 or -1 by chance, as often the one as the other, also among pairs whose first verdict leans alike.

    lean : (n,) the side (+1, 0, -1) that won before
    """
    order = np.lexsort((rng.random(len(lean)), lean))
    out = np.empty(len(lean), dtype=np.int64)
    out[order] = np.where((np.arange(len(lean)) + rng.integers(2)) % 2, 1, -1)
    return out
