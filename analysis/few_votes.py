"""What do people lean towards, pair by pair, where a handful of votes is all there is?

Votes are binomial, with log-odds theta that come from a distribution nobody knows. It is found by most likelihood on a
grid (Kiefer and Wolfowitz 1956; Laird 1978), alike on both sides of 0, since which response is called a is arbitrary.
Given it the expected theta of each pair takes the place of its log-odds of votes (regression calibration; Carroll,
Ruppert, Stefanski and Crainiceanu 2006): the slope of y on it is that on theta itself, where y errs independently.
"""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

from analysis.cells import Floats, Ints

GRID = np.linspace(-6.0, 6.0, 61)
"""Log-odds: at the ends one vote in 400 is for the other side."""

ROUNDS = 100
"""Of expectation and maximisation. More of them follow the noise: with 400 the slope errs a fifth more."""

START = 1.5
"""Standard deviation of what the rounds begin with."""

LEAST = 0.05
"""Mean square of what people lean towards, below which they lean nowhere to speak of and nothing can be told."""

BLOCKS = 200
"""More clusters than these are left out together in so many blocks, made at random."""


def leaning(a: Floats, n: Floats, weight: Floats) -> Floats:
    """(r, u) expected log-odds of u kinds of pairs. a, n : (u,) votes for a, of how many; weight : (r, u) of how many
    pairs, for r different sets of them."""
    log_chance = a[:, None] * GRID - n[:, None] * np.logaddexp(0.0, GRID)
    chance = np.exp(log_chance - log_chance.max(axis=1, keepdims=True))
    found = np.exp(-((GRID / START) ** 2) / 2)
    density = np.tile(found / found.sum(), (len(weight), 1))
    for _ in range(ROUNDS):
        density = density * ((weight / (density @ chance.T)) @ chance)
        density = density + density[:, ::-1]
        density /= density.sum(axis=1, keepdims=True)
    return np.asarray((density @ (chance * GRID).T) / (density @ chance.T))


def slope_on_leaning(
    h: Floats, votes: Floats, y: Floats, cluster: Ints, level: float = 0.95, seed: int = 0
) -> tuple[float, float, float]:
    """Slope of y on what people lean towards, through 0, each pair weighing by its votes; and its interval.

    The interval is a delete-one-cluster jackknife of all of it, with Student's t; NaN with one cluster, or where people
    lean nowhere, with or without some cluster. h : (n,) shares; votes : (n,)
    """
    cluster = np.unique(cluster, return_inverse=True)[1]
    size = int(cluster.max()) + 1
    block = np.random.default_rng(seed).permutation(size)[cluster] % min(size, BLOCKS)
    blocks = min(size, BLOCKS)
    kinds, of = np.unique(np.column_stack([np.round(h * votes, 6), votes]), axis=0, return_inverse=True)
    of = of.reshape(-1)
    at = block * len(kinds) + of
    weight, product = (
        np.bincount(at, column, blocks * len(kinds)).reshape(blocks, len(kinds)) for column in (votes, votes * y)
    )
    # All of them, then all but one block; nothing is left without the only one.
    all_weights, all_products = (
        np.vstack([table.sum(axis=0), *((table.sum(axis=0) - table) if blocks > 1 else ())]) for table in
        (weight, product)
    )  # fmt: skip
    lean = leaning(kinds[:, 0], kinds[:, 1], np.maximum(all_weights, 0.0))
    square = (lean**2 * all_weights).sum(axis=1)
    enough = square > LEAST * all_weights.sum(axis=1)
    slopes = np.divide((lean * all_products).sum(axis=1), square, out=np.full(len(square), np.nan), where=enough)
    value, without = float(slopes[0]), slopes[1:]
    if blocks < 2 or not np.isfinite(slopes).all():
        return value, float("nan"), float("nan")
    se = float(np.sqrt((blocks - 1) / blocks * ((without - without.mean()) ** 2).sum()))
    half = float(stdtrit(blocks - 1, (1 + level) / 2)) * se
    return value, value - half, value + half
