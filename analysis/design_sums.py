"""What are the likelihood of a factor model and its derivatives? Sums over blocks of rows, on two threads.

Blocks are float32 where the differences are (millions of judgments), their sums always float64.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.sparse import csr_array

from analysis.blas import use_one_thread
from analysis.cells import Floats, Ints
from analysis.design import BLOCK, Design
from analysis.likelihood import Observed, Point, Rule, evaluate

THREADS = 2
PIECE = 1024
"""Rows whose products are summed at a time."""

T = TypeVar("T")


@dataclass(frozen=True)
class Sums:
    """At some parameters: log-likelihood, gradient (p,) and information (p, p), the negative second derivative.

    Parameters are the position (where the design has a shown order), the factors, the tie (where ties are apart).
    """

    value: float
    gradient: Floats
    information: Floats

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.value + other.value, self.gradient + other.gradient, self.information + other.information
        )


def n_parameters(design: Design) -> int:
    """Position, factors, tie."""
    return len(design.names) + (design.first is not None) + (design.tied is not None)


def in_parts(n_rows: int, work: Callable[[int, int], T]) -> list[T]:
    """work(start, stop) on runs of whole blocks, side by side where there are several."""
    use_one_thread()
    if n_rows <= 2 * BLOCK:
        return [work(0, n_rows)]
    n_blocks = -(-n_rows // BLOCK)
    cuts = [BLOCK * (n_blocks * k // THREADS) for k in range(THREADS)] + [n_rows]
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, cuts[:-1], cuts[1:]))


def split(design: Design, parameters: Floats) -> tuple[float, Floats, float]:
    """Position, factors and tie of a vector of parameters; 0 where there is none."""
    first = int(design.first is not None)
    position = float(parameters[0]) if first else 0.0
    tie = float(parameters[-1]) if design.tied is not None else 0.0
    return position, parameters[first : first + len(design.names)], tie


def log_odds(design: Design, parameters: Floats) -> Floats:
    """(n_rows,) log-odds of `a`."""
    out = np.empty(len(design))
    position, weights, _ = split(design, parameters)
    weights = weights.astype(design.x.dtype)

    def part(start: int, stop: int) -> None:
        for rows, x in design.blocks(start, stop):
            out[rows] = weights @ x
            if design.first is not None:
                out[rows] += position * design.first[rows]

    in_parts(len(design), part)
    return out


def sum_up(design: Design, rule: Rule, parameters: Floats) -> Sums:
    """Value and derivatives over all rows."""

    def part(start: int, stop: int) -> Sums:
        p = len(parameters)
        total = Sums(0.0, np.zeros(p), np.zeros((p, p)))
        for rows, x in design.blocks(start, stop):
            point = _point(design, rule, rows, x, parameters)
            total = total + _block(design, rows, x, point, p)
        return total

    return _added(in_parts(len(design), part))


def gradient(design: Design, parameters: Floats) -> Floats:
    """(p,) of the logistic rule alone: a fifth of the work of all sums. Float32 where the differences are."""
    low = int(design.first is not None)

    def part(start: int, stop: int) -> Floats:
        out = np.zeros(len(parameters))
        for rows, x in design.blocks(start, stop):
            residual = _residual(design, rows, x, parameters)
            out[low:] += x @ residual
            if design.first is not None:
                out[0] += residual @ design.first[rows].astype(residual.dtype, copy=False)
        return out

    return np.asarray(sum(in_parts(len(design), part)))


def _residual(design: Design, rows: slice, x: Floats, parameters: Floats) -> Floats:
    """score - weight * P(a) of a block by the logistic rule, in the type of the differences."""
    # In place and in one type: what is not a product of matrices costs as much as they do.
    kind = design.x.dtype
    position, weights, _ = split(design, parameters)
    eta: Floats = weights.astype(kind) @ x
    if design.first is not None:
        eta += kind.type(position) * design.first[rows].astype(kind, copy=False)
    np.negative(eta, out=eta)
    # exp overflows to infinity where the probability is 0, which is right.
    with np.errstate(over="ignore"):
        np.exp(eta, out=eta)
    eta += 1
    np.divide(design.weight[rows].astype(kind, copy=False), eta, out=eta)
    np.subtract(design.score[rows].astype(kind, copy=False), eta, out=eta)
    return eta


def reach(design: Design) -> tuple[Floats, Floats]:
    """(k,) weight of the rows that differ in a factor, and sum over rows of sign(x) * (2 * score - weight): equal but
    for the sign where the factor points to the winner (or the loser) wherever answers differ in it.

    Signs, as one answer a billion times longer would outweigh all others.
    """

    def part(start: int, stop: int) -> tuple[Floats, Floats]:
        size, toward = np.zeros(len(design.names)), np.zeros(len(design.names))
        for rows, x in design.blocks(start, stop):
            weight = design.weight[rows].astype(x.dtype)
            sign = np.sign(x)
            size += np.abs(sign) @ weight
            toward += sign @ (2 * design.score[rows].astype(x.dtype) - weight)
        return size, toward

    parts = in_parts(len(design), part)
    return np.asarray(sum(one[0] for one in parts)), np.asarray(sum(one[1] for one in parts))


def _added(parts: Iterable[Sums]) -> Sums:
    first, *others = parts
    for other in others:
        first = first + other
    return first


def _point(design: Design, rule: Rule, rows: slice, x: Floats, parameters: Floats) -> Point:
    """The likelihood of a block. In float32 where the differences are, by the logistic rule."""
    position, weights, tie = split(design, parameters)
    kind = design.x.dtype
    eta = weights.astype(kind) @ x
    if rule == "logistic" and kind == np.float32:
        return _logistic(design, rows, eta, position)
    eta = np.asarray(eta, dtype=np.float64)
    if design.first is not None:
        eta += position * design.first[rows]
    tied = None if design.tied is None else design.tied[rows]
    return evaluate(rule, Observed(design.weight[rows], design.score[rows], tied), eta, tie)


def _logistic(design: Design, rows: slice, eta: Floats, position: float) -> Point:
    """As `likelihood.evaluate`, in the type of the log-odds."""
    kind = eta.dtype.type
    if design.first is not None:
        eta += kind(position) * design.first[rows]
    weight, score = (column[rows].astype(kind, copy=False) for column in (design.weight, design.score))
    tail = np.exp(-np.abs(eta))
    larger = 1 / (1 + tail)
    smaller = tail * larger
    chance = np.where(eta >= 0, larger, smaller)
    log_chance = np.minimum(eta, 0) + np.log(larger)
    # Summed as float64: the sum of millions is to show a gain of a hundredth.
    value = float((weight * log_chance - (weight - score) * eta).sum(dtype=np.float64))
    return Point(value, score - weight * chance, weight * larger * smaller)


def _block(design: Design, rows: slice, x: Floats, point: Point, p: int) -> Sums:
    kind = design.x.dtype
    residual, curvature = point.residual.astype(kind), point.curvature.astype(kind)
    low = int(design.first is not None)
    inside = slice(low, low + len(design.names))
    gradient, information = np.empty(p), np.zeros((p, p))
    gradient[inside] = x @ residual
    # In pieces that the second cache holds: twice as fast.
    for low_row in range(0, x.shape[1], PIECE):
        piece = x[:, low_row : low_row + PIECE]
        information[inside, inside] += (piece * curvature[low_row : low_row + PIECE]) @ piece.T
    if design.first is not None:
        first = design.first[rows].astype(kind)
        gradient[0] = residual @ first
        information[0, 0] = curvature @ (first * first)
        information[0, inside] = information[inside, 0] = x @ (curvature * first)
    if point.tie_residual is not None and point.cross is not None and point.tie_curvature is not None:
        gradient[-1] = point.tie_residual.sum()
        information[-1, -1] = point.tie_curvature.sum()
        information[inside, -1] = information[-1, inside] = x @ point.cross.astype(kind)
        if design.first is not None:
            information[0, -1] = information[-1, 0] = point.cross @ design.first[rows]
    return Sums(point.value, gradient, information)


def scores_by_cluster(design: Design, rule: Rule, parameters: Floats, codes: Ints, n_clusters: int) -> Floats:
    """(n_clusters, p) sums of the derivatives of the log-likelihood within each cluster.

    codes : (n_rows,) 0..n_clusters-1
    """
    def part(start: int, stop: int) -> Floats:
        out = np.zeros((n_clusters, len(parameters)), dtype=design.x.dtype)
        add_scores(out, design, rule, parameters, codes, start, stop)
        return out

    parts = in_parts(len(design), part)
    total = parts[0]
    for other in parts[1:]:
        total += other
    return total


def add_scores(
    out: Floats, design: Design, rule: Rule, parameters: Floats, codes: Ints, start: int, stop: int, first_code: int = 0
) -> None:
    """Add the derivatives of some rows to `out`, (n_clusters, p), at the codes of their clusters less the first one."""
    kind = design.x.dtype
    low = int(design.first is not None)
    inside = slice(low, low + len(design.names))
    for rows, x in design.blocks(start, stop):
        point = None
        if rule == "logistic":
            residual = _residual(design, rows, x, parameters)
        else:
            point = _point(design, rule, rows, x, parameters)
            residual = point.residual.astype(kind)
        runs = _Runs(codes[rows] - first_code)
        out[runs.places, inside] += runs.sum(residual, x.T)
        if design.first is not None:
            out[runs.places, 0] += runs.sum(residual, design.first[rows].astype(kind))
        if point is not None and point.tie_residual is not None:
            out[runs.places, -1] += runs.sum(point.tie_residual.astype(kind), np.ones(len(residual), kind))


class _Runs:
    """Sums of a block's rows by cluster, as the product of a sparse matrix: several times as fast as `np.add.reduceat`,
    which takes one column after the other. places : the n clusters met, each once"""

    def __init__(self, codes: Ints) -> None:
        self.order = None
        if bool((codes[1:] < codes[:-1]).any()):
            self.order = np.argsort(codes, kind="stable").astype(np.int32)
            codes = codes[self.order]
        starts = np.flatnonzero(np.append(True, codes[1:] != codes[:-1]))
        met = codes[starts]
        # A slice where it can be: added to several times as fast.
        whole = met[-1] - met[0] == len(met) - 1
        self.places = slice(int(met[0]), int(met[-1]) + 1) if whole else met
        self.n = len(met)
        self.ends = np.append(starts, len(codes)).astype(np.int32)
        self.columns = np.arange(len(codes), dtype=np.int32) if self.order is None else self.order

    def sum(self, factor: Floats, values: Floats) -> Floats:
        """Sums of factor * values within each cluster; values : (n_rows,) or (n_rows, k)"""
        weights = factor if self.order is None else factor[self.order]
        matrix = csr_array((weights, self.columns, self.ends), shape=(self.n, len(factor)))
        return np.asarray(matrix @ values)
