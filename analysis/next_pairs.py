"""Which pairs of models should be judged next, so that the strengths become known best?

Greedy optimal design (Fedorov 1972): one more judgment of i against j has the information h = p (1 - p) on
theta_i - theta_j. With d = e_i - e_j it lowers the summed variance of the strengths by h ||V d||^2 / (1 + h d'V d)
("A"), and the logarithm of the covariance's determinant by log(1 + h d'V d) ("D"). The best pair is taken, V updated,
and so on.

V starts as the model-based covariance of the strengths times their design effect, and a new judgment is worth 1 / that
effect: what verdicts share in a prompt makes all of them, the next ones too, tell less than independent ones would. The
cluster-robust covariance itself is no start: with 13 prompts it has rank 12 and calls most differences of 59 models
known exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.cells import Floats, Ints, PairCounts
from analysis.connectivity import Place

Optimality = Literal["A", "D"]

MOST_STEPS = 1000
LEAST_STEPS = 50
MOST_ENTRIES = 2e8
"""So many choices are made one by one, fewer where models are many; with more judgments each stands for several."""

LINK = 3
"""Judgments asked to join a model, or a group of models, to the ranked ones."""

PRIOR_VARIANCE = 1.0


@dataclass(frozen=True)
class Plan:
    """Pairs to be judged and what that would do.

    a, b : (n_rows,) models; ask : (n_rows,) judgments of each; in the order of their first choice
    gain : (n_rows,) what the judgments of each pair take off the summed variance, as a share of its start
    before, after : (n_models,) standard errors of the strengths now and as foreseen
    """

    a: Ints
    b: Ints
    ask: Ints
    gain: Floats
    before: Floats
    after: Floats

    @property
    def n(self) -> int:
        """Judgments planned."""
        return int(self.ask.sum())


def plan_pairs(
    strength: Floats, vcov: Floats, n: int, *, optimality: Optimality = "A", worth: float = 1.0,
    available: Ints | None = None, tick: Callable[[float], None] = lambda share: None,
) -> Plan:  # fmt: skip
    """Choose up to `n` judgments one after the other.

    strength : (n_models,); vcov : (n_models, n_models) covariance of the strengths of mean 0, to start from
    worth : information of a judgment in units of p (1 - p)
    available : (n_models, n_models) how many judgments of each pair can be had, symmetric; None without bounds
    Fewer than n are planned where no more are available.
    """
    v = np.array(vcov, dtype=np.float64)
    start, before = float(np.trace(v)), np.sqrt(np.maximum(np.diag(v), 0))
    room = None if available is None else np.array(available, dtype=np.int64)
    e = np.exp(-np.abs(strength[:, None] - strength[None, :]))
    h = worth * e / (1 + e) ** 2
    usable = np.triu(np.ones(v.shape, dtype=bool), 1)
    if room is not None:
        usable &= room > 0
    square = v @ v
    chosen: dict[tuple[int, int], list[float]] = {}
    steps = int(np.clip(MOST_ENTRIES / v.size, LEAST_STEPS, MOST_STEPS))
    left, each = n, -(-n // steps)
    while left > 0:
        tick(1 - left / n)
        spread = _of_differences(v)
        gains = h * _of_differences(square) / (1 + h * spread) if optimality == "A" else h * spread
        gains[~usable] = -1.0
        at = int(gains.argmax())
        if gains.flat[at] <= 0:
            break
        i, j = divmod(at, len(v))
        take = min(each, left, each if room is None else int(room[i, j]))
        if room is not None:
            room[i, j] -= take
            usable[i, j] = room[i, j] > 0
        information = take * float(h.flat[at])
        column = v[:, i] - v[:, j]
        factor = information / (1 + information * (column[i] - column[j]))
        image = v @ column
        # V' = V - f c c', so V'V' = VV - f (c (Vc)' + (Vc) c') + f^2 (c'c) c c'.
        inner = float(column @ column)
        square -= factor * (np.outer(column, image) + np.outer(image, column))
        square += factor**2 * inner * np.outer(column, column)
        v -= factor * np.outer(column, column)
        row = chosen.setdefault((i, j), [0.0, 0.0])
        row[0] += take
        row[1] += factor * inner / start
        left -= take
    pairs = np.array(list(chosen), dtype=np.int64).reshape(-1, 2)
    ask, gain = np.array(list(chosen.values())).reshape(-1, 2).T
    after = np.sqrt(np.maximum(np.diag(v), 0))
    return Plan(pairs[:, 0], pairs[:, 1], ask.astype(np.int64), gain, before, after)


def _of_differences(matrix: Floats) -> Floats:
    """(k, k) d' M d for every d = e_i - e_j."""
    diagonal = np.diag(matrix)
    return diagonal[:, None] + diagonal[None, :] - 2 * matrix


def design_effect(bread: Floats, vcov: Floats) -> float:
    """How many times the model-based covariance the estimated one is, on average over directions.

    bread, vcov : (n_models, n_models) on the space of mean 0
    """
    return float(np.trace(vcov) / np.trace(bread))


@dataclass(frozen=True)
class Links:
    """Judgments that put models on the common scale: a (to be joined), b (the opponent), ask, and for whom in words."""

    a: Ints
    b: Ints
    ask: Ints
    why: tuple[str, ...]


@dataclass(frozen=True)
class Loose:
    """Models without a strength that one link joins. models : indices, most judged first; place and cause as LeftOut"""

    models: tuple[int, ...]
    place: Place
    why: str


def plan_links(
    loose: Sequence[Loose], ranked: Ints, strength: Floats, available: Callable[[int], Ints], n: int
) -> Links:
    """At most LINK judgments for each loose model or group, at most `n` altogether.

    ranked : (n_ranked,) indices of the models with a strength; strength : theirs
    available : model -> (n_models,) how many judgments against each other model can be had

    One that won everything meets the strongest, one that lost everything the weakest, whose verdicts may
    go either way; one that never met the others meets the middle.
    """
    rows: list[tuple[int, int, int, str]] = []
    left = n
    middle = float(np.median(strength))
    for one in loose:
        order = {"above": -strength, "below": strength, "apart": np.abs(strength - middle)}[one.place]
        opponents = ranked[np.argsort(order, kind="stable")]
        # Different opponents before the same one twice, and different models of a group before the same one.
        room = {k: available(k) for k in one.models[:LINK]}
        can = [(k, int(o)) for o in opponents for k in room if room[k][o] > 0][:LINK]
        asked = dict.fromkeys(can, 0)
        while sum(asked.values()) < min(LINK, left):
            more = [pair for pair in can if asked[pair] < room[pair[0]][pair[1]]]
            if not more:
                break
            asked[min(more, key=asked.__getitem__)] += 1
        rows += [(k, o, ask, one.why) for (k, o), ask in asked.items() if ask]
        left -= sum(asked.values())
    a, b, ask = (np.array([row[x] for row in rows], dtype=np.int64) for x in range(3))
    return Links(a, b, ask, tuple(row[3] for row in rows))


def prior_covariance(counts: PairCounts) -> Floats:
    """(n, n) covariance of strengths that are not identified yet, from equal chances and a N(0, 1) prior, mean 0.

    It only orders what to ask first; no strength is ever estimated with it.
    """
    n = counts.n_models
    information = np.eye(n) / PRIOR_VARIANCE
    np.add.at(information, (counts.a, counts.b), -counts.weight / 4)
    np.add.at(information, (counts.b, counts.a), -counts.weight / 4)
    np.add.at(information, (counts.a, counts.a), counts.weight / 4)
    np.add.at(information, (counts.b, counts.b), counts.weight / 4)
    v = np.linalg.inv(information)
    return np.asarray(v - v.mean(axis=0) - v.mean(axis=1)[:, None] + v.mean())
