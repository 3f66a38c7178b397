"""Which models can be put on one scale, and what is known about the others?

Strengths are finite and unique exactly when every model can be reached from every other one along
"beat or tied" (Ford 1957, Solution of a ranking problem from binary comparisons; Zermelo 1929).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import (
    NegativeCycleError,
    bellman_ford,
    breadth_first_order,
    connected_components,
)

from analysis.cells import Floats, Ints, PairCounts
from errors import NotIdentifiedError

Place = Literal["above", "below", "apart"]


@dataclass(frozen=True)
class LeftOut:
    """A model that gets no strength.

    place : "above" (it beat the ranked models and was never reached by them), "below" (the reverse) or
        "apart" (not comparable)
    cause : why, as part of a sentence: "won all 12 of its judgments"
    rank, rank_lower, rank_upper : among all models above, ranked and below; None when apart
    """

    model: str
    place: Place
    cause: str
    judgments: int
    rank: int | None
    rank_lower: int | None
    rank_upper: int | None


@dataclass(frozen=True)
class Connectivity:
    """Who is kept on one scale.

    kept : (n_kept,) indices of the models that get a strength, ascending
    n_above : number of left-out models that rank before all kept ones
    n_components : number of strongly connected components of the "beat or tied" graph
    """

    kept: Ints
    left_out: tuple[LeftOut, ...]
    n_above: int
    n_components: int


def _beats(counts: PairCounts) -> csr_array:
    """(n, n) entry (i, j) is set where i beat or tied j at least once."""
    won, lost = counts.score > 1e-12 * counts.weight, counts.lost > 0
    rows = np.concatenate([counts.a[won], counts.b[lost]])
    columns = np.concatenate([counts.b[won], counts.a[lost]])
    n = counts.n_models
    return csr_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(n, n))


def _all_connected(counts: PairCounts) -> bool:
    """Whether all models are on one scale; False may also mean "not looked at"."""
    n = counts.n_models
    if not 1 < n <= 1000:
        return False
    # A tenth of the cost of the general search, and rankings are asked for in milliseconds.
    beats = np.zeros((n, n), dtype=bool)
    won, lost = counts.score > 1e-12 * counts.weight, counts.lost > 0
    beats[counts.a[won], counts.b[won]] = True
    beats[counts.b[lost], counts.a[lost]] = True
    for step in (beats, beats.T):
        reached, size = step[0], 0
        while size < (size := int(reached.sum())) < n:
            reached = step[reached].any(axis=0)
        if not reached.all():
            return False
    return True


def find_kept(counts: PairCounts, models: tuple[str, ...]) -> Connectivity:
    """The largest set of models that can be put on one scale, and the place of every other one.

    Largest means most models, then most judgments among them, then the alphabetically first model.

    Raises NotIdentifiedError when no two models can be compared with each other.
    """
    if _all_connected(counts):
        return Connectivity(np.arange(counts.n_models), (), 0, 1)
    graph = _beats(counts)
    n_components, component = connected_components(graph, directed=True, connection="strong")
    if n_components == 1 and counts.n_models > 1:
        return Connectivity(np.arange(counts.n_models), (), 0, 1)
    size = np.bincount(component, minlength=n_components)
    within = component[counts.a] == component[counts.b]
    judgments = np.bincount(component[counts.a[within]], counts.count[within], n_components)
    largest = np.flatnonzero((size == size.max()) & (size > 1)) if n_components else np.zeros(0, int)
    largest = largest[judgments[largest] == judgments[largest].max(initial=-1)]
    if len(largest) == 0:
        raise NotIdentifiedError(_why_nobody(counts, models))
    names = {int(c): min(models[k] for k in np.flatnonzero(component == c)) for c in largest}
    chosen = min(names, key=lambda c: names[c])
    kept = np.flatnonzero(component == chosen)
    return _place_others(counts, models, graph, component, kept)


def groups_met(counts: PairCounts) -> list[Ints]:
    """Indices of the models that met directly or through others, one array a group, the largest first.

    Models without a judgment are in none. Of two groups of as many models the one with more judgments comes first.
    """
    n = counts.n_models
    met = csr_array((np.ones(len(counts.a), dtype=np.int8), (counts.a, counts.b)), shape=(n, n))
    _, group = connected_components(met, directed=False)
    there = np.flatnonzero(counts.judgments > 0)
    found = [there[group[there] == one] for one in np.unique(group[there])]
    return sorted(found, key=lambda some: (-len(some), -int(counts.judgments[some].sum()), int(some[0])))


def _why_nobody(counts: PairCounts, models: tuple[str, ...]) -> str:
    n = int(counts.count.sum())
    if not n:
        return "there is no judgment to compare models by: choose more scenarios, models or dates, or add judgments"
    judgments = "1 judgment" if n == 1 else f"{n} judgments"
    return (
        f"no strengths can be computed from {judgments} of {len(models)} models: no two models have "
        "both beaten (or tied) each other, directly or through others. Add judgments, or choose more "
        "scenarios or judges"
    )


def _reached(graph: csr_array, start: int) -> NDArray[np.bool_]:
    reached = np.zeros(graph.shape[0], dtype=bool)
    reached[breadth_first_order(graph, start, directed=True, return_predecessors=False)] = True
    return reached


def _place_others(
    counts: PairCounts, models: tuple[str, ...], graph: csr_array, component: NDArray[np.integer], kept: Ints
) -> Connectivity:
    backward = graph.T.tocsr()
    start = int(kept[0])
    is_kept = np.zeros(counts.n_models, dtype=bool)
    is_kept[kept] = True
    below = _reached(graph, start) & ~is_kept
    above = _reached(backward, start) & ~is_kept
    _, met = connected_components(graph, directed=True, connection="weak")
    judgments = counts.judgments
    n_above, n_kept, n_below = int(above.sum()), len(kept), int(below.sum())
    left_out = []
    for k in np.flatnonzero(~is_kept):
        place: Place = "above" if above[k] else "below" if below[k] else "apart"
        rank = lower = upper = None
        if place != "apart":
            # Within its own side only: everything on the other side is ordered by the side itself.
            side, before = (above, 0) if place == "above" else (below, n_above + n_kept)
            others = side & (component != component[k])
            n_better = int((_reached(backward, int(k)) & others).sum())
            n_worse = int((_reached(graph, int(k)) & others).sum())
            rank = lower = before + 1 + n_better
            upper = before + (n_above if place == "above" else n_below) - n_worse
        left_out.append(
            LeftOut(
                model=models[k],
                place=place,
                cause=_cause(counts, int(k), place, int(judgments[k]), bool(met[k] == met[start])),
                judgments=int(judgments[k]),
                rank=rank,
                rank_lower=lower,
                rank_upper=upper,
            )
        )
    order = {"above": 0, "below": 1, "apart": 2}
    left_out.sort(key=lambda left: (order[left.place], left.rank or 0, left.model))
    return Connectivity(kept, tuple(left_out), n_above, len(np.unique(component)))


def _cause(counts: PairCounts, k: int, place: Place, judgments: int, met: bool) -> str:
    if judgments == 0:
        return "has no judgments here"
    as_a, as_b = counts.a == k, counts.b == k
    won = bool((counts.score[as_a] > 0).any() or (counts.lost[as_b] > 0).any())
    lost = bool((counts.lost[as_a] > 0).any() or (counts.score[as_b] > 0).any())
    verb = None if won and lost else "won" if won else "lost"
    if place == "apart":
        if not met:
            return "never met the ranked models, directly or through others"
        return "met only models that are themselves above or below the ranked ones"
    if verb is not None:
        return f"{verb} its only judgment" if judgments == 1 else f"{verb} all {judgments} of its judgments"
    if place == "above":
        return "was never beaten or tied by a ranked model, directly or through others"
    return "never beat or tied a ranked model, directly or through others"


def connected_replicates(counts: PairCounts, weight: Floats, score: Floats) -> NDArray[np.bool_]:
    """(n_replicates,) whether each replicate still puts all models on one scale.

    weight, score : (n_replicates, n_rows) sums that replace those of `counts`
    """
    n_replicates, n = len(weight), counts.n_models
    floor = 1e-9 * counts.weight
    # 64 replicates share a word, so that one walk along the rows does for all of them.
    won, lost = _as_bits(score > floor), _as_bits(weight - score > floor)
    better = np.concatenate([counts.a, counts.b])
    worse = np.concatenate([counts.b, counts.a])
    beat = np.concatenate([won, lost])
    connected = np.full(won.shape[1], ~np.uint64(0))
    for start, end in ((better, worse), (worse, better)):
        order = np.argsort(end, kind="stable")
        edge, start, end = beat[order], start[order], end[order]
        begins = np.flatnonzero(np.diff(end, prepend=-1))
        reached = np.zeros((n, won.shape[1]), dtype=np.uint64)
        reached[0] = ~np.uint64(0)
        while len(end):
            more = reached.copy()
            more[end[begins]] |= np.bitwise_or.reduceat(edge & reached[start], begins, axis=0)
            if (more == reached).all():
                break
            reached = more
        connected &= np.bitwise_and.reduce(reached, axis=0)
    return np.unpackbits(connected.view(np.uint8), count=n_replicates).view(np.bool_)


def _as_bits(flags: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """(n_rows, n_words) the replicates of each row as bits, in the order of `numpy.packbits`; flags : (n_replicates,
    n_rows)"""
    packed = np.packbits(flags, axis=0)
    words = np.zeros((flags.shape[1], -(-max(len(packed), 1) // 8) * 8), dtype=np.uint8)
    words[:, : len(packed)] = packed.T
    return words.view(np.uint64)


def position_identified(counts: PairCounts) -> bool:
    """Whether the advantage of being shown first is finite and unique beside the strengths.

    With models on one scale it is, unless some strengths explain every verdict together with an infinite
    advantage: theta_i - theta_j + s >= 0 for all i that beat j when shown in order s (or with -s).
    Such difference constraints can be met exactly when the graph has no negative cycle (Albert and
    Anderson 1984 on separation; Bellman 1958).
    """
    assert counts.first is not None
    won, lost = counts.score > 1e-12 * counts.weight, counts.lost > 0
    winner = np.concatenate([counts.a[won], counts.b[lost]])
    loser = np.concatenate([counts.b[won], counts.a[lost]])
    order = np.concatenate([counts.first[won], -counts.first[lost]])
    return not any(_feasible(counts.n_models, winner, loser, sign * order) for sign in (1.0, -1.0))


def _feasible(n: int, winner: Ints, loser: Ints, length: Floats) -> bool:
    edge = winner * n + loser
    by_length = np.lexsort((length, edge))
    edge, length = edge[by_length], length[by_length]
    shortest = np.r_[True, edge[1:] != edge[:-1]]
    edge, length = edge[shortest], length[shortest]
    graph = csr_array((length, (edge // n, edge % n)), shape=(n, n))
    try:
        bellman_ford(graph, directed=True, indices=np.array([0]))
    except NegativeCycleError:
        return False
    return True
