"""What do people lean towards, pair by pair, where a handful of votes is all there is?

Votes are binomial, with log-odds theta that come from a distribution nobody knows. It is found by most likelihood on a
grid (Kiefer and Wolfowitz 1956; Laird 1978), alike on both sides of 0, since which response is called a is arbitrary.
Given it the expected theta of each pair takes the place of its log-odds of votes (regression calibration; Carroll,
Ruppert, Stefanski and Crainiceanu 2006): the slope of y on it is that on theta itself, where y errs independently.

A judge's labels are binomial too, with log-odds slope * theta + noise, normal of an unknown variance: both by most
likelihood over what its pairs' votes leave theta to be. Two labels a pair tell one from the other by how often they
part.
"""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
from scipy.optimize import minimize
from scipy.special import roots_hermitenorm, stdtrit

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

NODES, _WEIGHTS = (np.asarray(part, dtype=np.float64) for part in roots_hermitenorm(31)[:2])
"""Of a normal distribution, for the judge's own noise; with how likely each is."""
SHARES = _WEIGHTS / _WEIGHTS.sum()

MOST = (15.0, 16.0)
"""Slope and variance of noise at which labels are all but without any chance: beyond them nothing is told apart."""

ENOUGH = 60.0
"""More labels on a pair count as so many: the grid is no finer, and noise takes up the difference."""

NONE = 1e-3
"""Variance of noise that counts as none."""


def leaning(a: Floats, n: Floats, weight: Floats) -> Floats:
    """(r, u) expected log-odds of u kinds of pairs. a, n : (u,) votes for a, of how many; weight : (r, u) of how many
    pairs, for r different sets of them."""
    density, chance = _density(a, n, weight)
    return np.asarray((density @ (chance * GRID).T) / (density @ chance.T))


def _density(a: Floats, n: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """(r, grid) how likely each log-odds is in each set of pairs, and (u, grid) the votes' likelihood."""
    log_chance = a[:, None] * GRID - n[:, None] * np.logaddexp(0.0, GRID)
    chance = np.exp(log_chance - log_chance.max(axis=1, keepdims=True))
    found = np.exp(-((GRID / START) ** 2) / 2)
    density = np.tile(found / found.sum(), (len(weight), 1))
    for _ in range(ROUNDS):
        density = density * ((weight / (density @ chance.T)) @ chance)
        density = density + density[:, ::-1]
        density /= density.sum(axis=1, keepdims=True)
    return density, chance


def slope_on_leaning(
    h: Floats, votes: Floats, y: Floats, cluster: Ints, level: float = 0.95, seed: int = 0
) -> tuple[float, float, float]:
    """Slope of y on what people lean towards, through 0, each pair weighing by its votes; and its interval.

    The interval is a delete-one-cluster jackknife of all of it, with Student's t; NaN with one cluster, or where people
    lean nowhere, with or without some cluster. h : (n,) shares; votes : (n,)
    """
    block, blocks = _blocks(cluster, seed)
    kinds, of = _kinds(h, votes)
    at = block * len(kinds) + of
    weight, product = (
        _all_but_one(np.bincount(at, column, blocks * len(kinds)).astype(np.float64).reshape(blocks, len(kinds)))
        for column in (votes, votes * y)
    )
    lean = leaning(kinds[:, 0], kinds[:, 1], np.maximum(weight, 0.0))
    square = (lean**2 * weight).sum(axis=1)
    enough = square > LEAST * weight.sum(axis=1)
    slopes = np.divide((lean * product).sum(axis=1), square, out=np.full(len(square), np.nan), where=enough)
    return _jackknife(slopes, level)


def slope_of_labels(
    h: Floats, votes: Floats, j: Floats, labels: Floats, cluster: Ints, level: float = 0.95, seed: int = 0
) -> tuple[float, float, float]:
    """Slope of a judge's log-odds on people's, both behind a handful of votes; and its interval.

    The interval as that of `slope_on_leaning`; without each cluster one step of Newton is gone from what all say. All
    NaN where people lean nowhere, and where the judge's labels on a pair are all but always alike, since these could be
    of any slope. h, j : (n,) shares; votes, labels : (n,) how many are behind
    """
    nothing = (float("nan"), float("nan"), float("nan"))
    labels = np.minimum(labels, ENOUGH)
    block, blocks = _blocks(cluster, seed)
    (people, of_people), (judge, of_judge) = _kinds(h, votes), _kinds(j, labels)
    shape = (blocks, len(people), len(judge))
    at = (block * shape[1] + of_people) * shape[2] + of_judge
    table = np.bincount(at, votes, blocks * shape[1] * shape[2]).astype(np.float64).reshape(shape)
    weight = np.maximum(_all_but_one(table), 0.0)
    density, chance = _density(people[:, 0], people[:, 1], weight.sum(axis=2))
    after = density[:, None, :] * chance
    after /= after.sum(axis=2, keepdims=True)
    pairs = weight.sum(axis=2)
    square = ((after @ GRID) ** 2 * pairs).sum(axis=1)
    if not (square > LEAST * pairs.sum(axis=1)).all():
        return nothing

    def unlikely(at: Floats) -> float:
        likely = after[0] @ _labels(at, judge).T
        return -float((weight[0] * np.log(np.maximum(likely, 1e-300))).sum() / weight[0].sum())

    best = minimize(unlikely, (1.0, 0.3), bounds=[(-MOST[0], MOST[0]), (0.0, MOST[1])], method="L-BFGS-B").x
    if abs(best[0]) > 0.99 * MOST[0] or best[1] > 0.99 * MOST[1]:
        return nothing
    # On its bound the noise does not move.
    free = 2 if best[1] > NONE else 1
    score, information = _newton(best, free, judge, after, weight)
    if not (np.linalg.eigvalsh(information) > 0).all():
        return nothing
    steps = np.linalg.solve(information, score[..., None])[..., 0, 0]
    return _jackknife(np.concatenate([best[:1], best[0] + steps[1:] - steps[0]]), level)


def _labels(at: Floats, judge: Floats) -> Floats:
    """(v, grid) likelihood of v kinds of labels, by what people lean towards. at : slope, variance of noise; judge :
    (v, 2) labels for a, of how many"""
    log_odds = at[0] * GRID[:, None] + np.sqrt(at[1]) * NODES
    return np.asarray(np.exp(judge[:, :1, None] * log_odds - judge[:, 1:, None] * np.logaddexp(0.0, log_odds)) @ SHARES)


def _newton(best: Floats, free: int, judge: Floats, after: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """(r, free) slope of the log likelihood of r sets of pairs, and (r, free, free) its curvature, turned around."""
    step = np.array([1e-3 * max(1.0, abs(best[0])), min(1e-3 * max(1.0, best[1]), best[1] / 4)])[:free]
    move = np.diag(step) if free == 2 else np.array([[step[0], 0.0]])
    here = _labels(best, judge)
    up, down = ([_labels(best + sign * row, judge) for row in move] for sign in (1, -1))
    likely = after @ here.T
    rising = [after @ ((up[k] - down[k]) / (2 * step[k])).T / likely for k in range(free)]
    score = np.stack([(weight * part).sum(axis=(1, 2)) for part in rising], axis=-1)
    information = np.empty((len(weight), free, free))
    for k, m in combinations_with_replacement(range(free), 2):
        if k == m:
            bent = (up[k] - 2 * here + down[k]) / step[k] ** 2
        else:
            corners = [_labels(best + one * move[k] + two * move[m], judge) for one in (1, -1) for two in (1, -1)]
            bent = (corners[0] - corners[1] - corners[2] + corners[3]) / (4 * step[k] * step[m])
        part = weight * (rising[k] * rising[m] - after @ bent.T / likely)
        information[:, k, m] = information[:, m, k] = part.sum(axis=(1, 2))
    return score, information


def _blocks(cluster: Ints, seed: int) -> tuple[Ints, int]:
    cluster = np.unique(cluster, return_inverse=True)[1]
    size = int(cluster.max()) + 1
    return np.random.default_rng(seed).permutation(size)[cluster] % min(size, BLOCKS), min(size, BLOCKS)


def _kinds(share: Floats, votes: Floats) -> tuple[Floats, Ints]:
    """(u, 2) votes for a, of how many, and (n,) which of these each pair is."""
    kinds, of = np.unique(np.column_stack([np.round(share * votes, 6), votes]), axis=0, return_inverse=True)
    return kinds, of.reshape(-1)


def _all_but_one(table: Floats) -> Floats:
    """The sum of all blocks, then that without each; nothing is left without the only one."""
    whole = table.sum(axis=0)
    return np.stack([whole, *(whole - table if len(table) > 1 else ())])


def _jackknife(slopes: Floats, level: float) -> tuple[float, float, float]:
    """The value of all and its interval, from those without each block."""
    value, without, blocks = float(slopes[0]), slopes[1:], len(slopes) - 1
    if blocks < 2 or not np.isfinite(slopes).all():
        return value, float("nan"), float("nan")
    se = float(np.sqrt((blocks - 1) / blocks * ((without - without.mean()) ** 2).sum()))
    half = float(stdtrit(blocks - 1, (1 + level) / 2)) * se
    return value, value - half, value + half
