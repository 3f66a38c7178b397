"""Who joins whom, and in which order do they stand side by side?

Hierarchical clustering with average linkage (Sokal and Michener 1958), leaves ordered so that neighbours are as near as
can be (Bar-Joseph et al. 2001). A matrix whose rows or columns are to be put in such an order has a line a row: the
distance of two lines is the root mean square of their difference over the places where both are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from analysis.cells import Floats

OPTIMAL = 200
"""Leaves up to which they are put in the best order, which takes the cube of their number."""

LEVEL = 1e-12
"""Slope, in shares of the sizes, below which values count as level: that much is rounding."""

DIGITS = 8
"""Decimals of a value, in sizes of its layer, that count in an order."""


@dataclass(frozen=True)
class Branch:
    """One joining of the tree, drawn from its two ends to where they meet.

    low, high : places of the two ends among the leaves; at : the distance at which they meet
    low_at, high_at : where each of them was joined itself, 0 for a leaf
    """

    low: float
    high: float
    at: float
    low_at: float
    high_at: float


@dataclass(frozen=True)
class LineOrder:
    """Lines in the order of their tree.

    order : places of all lines, those in the tree first; kept : how many those are
    tree : empty with fewer than two of them
    """

    order: tuple[int, ...]
    kept: int
    tree: tuple[Branch, ...] = ()

    def tree_table(self) -> pd.DataFrame:
        """One row a joining, the nearest first: low, high, at, low_at, high_at."""
        return tree_table(self.tree)


def tree_table(tree: Sequence[Branch]) -> pd.DataFrame:
    """One row a joining: low, high, at, low_at, high_at."""
    names = [each.name for each in fields(Branch)]
    return pd.DataFrame(
        {name: np.array([getattr(one, name) for one in tree], dtype=np.float64) for name in names}, columns=names
    )


def grow_tree(distance: Floats) -> tuple[list[int], tuple[Branch, ...]]:
    """Leaves in their order, and the joinings. distance : (n, n) symmetric, no cell undefined, n >= 2"""
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    n = len(distance)
    flat = squareform(np.maximum(distance, 0.0), checks=False)
    joined = linkage(flat, "average", optimal_ordering=n <= OPTIMAL)
    leaves = [int(k) for k in leaves_list(joined)]
    place = {leaf: float(k) for k, leaf in enumerate(leaves)}
    height = dict.fromkeys(range(n), 0.0)
    tree = []
    for k, (a, b, at, _) in enumerate(joined):
        low, high = sorted((int(a), int(b)), key=place.__getitem__)
        tree.append(Branch(place[low], place[high], float(at), height[low], height[high]))
        place[n + k], height[n + k] = (place[low] + place[high]) / 2, float(at)
    return leaves, tuple(tree)


def line_distances(values: Floats) -> Floats:
    """(n, n) root mean square differences of lines over the places where both are known; NaN where there is none.

    values : (n_lines, n_places), NaN where nothing is known
    """
    known = np.isfinite(values)
    filled = np.where(known, values, 0.0)
    out = np.full((len(values), len(values)), np.nan)
    for k, (line, there) in enumerate(zip(filled, known, strict=True)):
        both = known & there
        n = both.sum(axis=1)
        total = (np.where(both, filled - line, 0.0) ** 2).sum(axis=1)
        out[k] = np.sqrt(np.divide(total, n, out=np.full(len(n), np.nan), where=n > 0))
    return out


def order_lines(values: Floats) -> LineOrder:
    """Lines put so that like ones stand together, those of higher values first.

    A line that shares no known place with any other has no distance and stands last, outside the tree. Two that share
    none, but each some with others, count as far apart as the farthest two that do.

    values : (n_lines, n_places), NaN where nothing is known
    """
    distance = line_distances(values)
    known = np.isfinite(distance)
    np.fill_diagonal(known, False)
    kept = np.flatnonzero(known.any(axis=1))
    out = [k for k in range(len(values)) if k not in set(kept.tolist())]
    if not len(kept):
        # Of one line, or of lines without anything in common, none is nearer than another.
        return LineOrder(tuple(out), 0)
    near = distance[np.ix_(kept, kept)]
    near = np.where(np.isfinite(near), near, near[np.isfinite(near)].max())
    leaves, tree = grow_tree(near)
    order = [int(kept[k]) for k in leaves]
    if _rises([float(np.nanmean(values[k])) for k in order], order):
        order.reverse()
        tree = tuple(_reversed(one, len(order)) for one in tree)
    return LineOrder((*order, *out), len(order), tree)


def _rises(means: Sequence[float], order: Sequence[int]) -> bool:
    """Whether the larger values stand last, so that the order is to be turned round; of none, the first line first."""
    slope = float((np.arange(len(means)) - (len(means) - 1) / 2) @ np.asarray(means))
    if abs(slope) <= LEVEL * float(np.abs(means).sum()):
        return order[0] > order[-1]
    return slope > 0


def _reversed(one: Branch, n: int) -> Branch:
    return Branch(n - 1 - one.high, n - 1 - one.low, one.at, one.high_at, one.low_at)


@dataclass(frozen=True)
class MatrixOrder:
    """Of a matrix, or of several with the same rows and columns."""

    rows: LineOrder
    columns: LineOrder


def order_matrix(layers: Floats) -> MatrixOrder:
    """One order of rows and one of columns for all layers together.

    Each layer is brought to a root mean square of 1 first, so that one with larger values throughout says no more than
    the others.

    layers : (n_layers, n_rows, n_columns), NaN where nothing is known
    """
    n_layers, n_rows, n_columns = layers.shape
    scaled = np.array(layers, dtype=np.float64)
    for layer in scaled:
        known = layer[np.isfinite(layer)]
        size = float(np.sqrt((known**2).mean())) if len(known) else 0.0
        if size > 0:
            # Rounded, so that the last digits of a sum do not choose between orders that are as good as one another.
            layer[...] = np.round(layer / size, DIGITS)
    rows = order_lines(scaled.transpose(1, 0, 2).reshape(n_rows, n_layers * n_columns))
    columns = order_lines(scaled.transpose(2, 0, 1).reshape(n_columns, n_layers * n_rows))
    return MatrixOrder(rows, columns)
