"""Which judges form groups? Order, tree and map of a matrix of similarities, and means between groups.

The tree: hierarchical clustering of 1 - similarity (`dendrogram`). The map: classical scaling (Torgerson 1952; Gower
1966) of the distances sqrt(2 (1 - similarity)), which for a correlation are those of the standardised weights
themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import pandas as pd

from analysis.cells import Floats
from analysis.dendrogram import Branch, grow_tree
from analysis.tables import floats


@dataclass(frozen=True)
class Grouped:
    """Order, tree and map of the judges of whom every similarity is known.

    order : places in the matrix, those that could be grouped first; kept : how many those are
    tree : empty with fewer than two; x, y : (n,) coordinates in the order of the matrix, NaN for the others
    shown : share of the squared distances that the map shows, None with fewer than three
    """

    order: tuple[int, ...]
    kept: int
    tree: tuple[Branch, ...]
    x: Floats
    y: Floats
    shown: float | None


def group_judges(value: Floats) -> Grouped:
    """value : (n, n) similarities, NaN where undefined; judges with the most undefined ones are left out."""
    n = len(value)
    kept = _complete(value)
    out = [k for k in range(n) if k not in set(kept)]
    x, y = np.full((2, n), np.nan)
    if len(kept) < 2:
        return Grouped((*kept, *out), len(kept), (), x, y, None)
    known = value[np.ix_(kept, kept)]
    leaves, tree = grow_tree(1 - known)
    shown = None
    if len(kept) > 2:
        x[kept], y[kept], shown = _scaled(known)
    return Grouped((*(kept[k] for k in leaves), *out), len(kept), tree, x, y, shown)


def _complete(value: Floats) -> list[int]:
    """The judges that remain when the one with the most undefined similarities is taken out until all are defined."""
    kept = list(range(len(value)))
    while True:
        lacking = (~np.isfinite(value[np.ix_(kept, kept)])).sum(axis=1)
        if not lacking.any():
            return kept
        # Of equals the last one, so that the first judge, the reference, stays.
        kept.pop(int(len(lacking) - 1 - np.argmax(lacking[::-1])))


def _scaled(known: Floats) -> tuple[Floats, Floats, float]:
    """Two coordinates, and the share of the squared distances that they show."""
    # Of distances sqrt(2 (1 - s)) the doubly centred matrix is that of the similarities.
    rows = known.mean(axis=1, keepdims=True)
    centred = known - rows - rows.T + known.mean()
    values, vectors = np.linalg.eigh(centred)
    top = np.argsort(-values)[:2]
    coordinates = vectors[:, top] * np.sqrt(np.maximum(values[top], 0.0))
    # The sign of an axis means nothing: the judge that is farthest out is on the right, and above.
    far = np.argmax(np.abs(coordinates), axis=0)
    signs = np.where(coordinates[far, [0, 1]] < 0, -1.0, 1.0)
    coordinates = coordinates * signs
    whole = float(np.abs(values).sum())
    shown = float(np.maximum(values[top], 0.0).sum() / whole) if whole > 1e-12 * len(known) else 1.0
    return coordinates[:, 0], coordinates[:, 1], shown


def group_means(judges: Sequence[str], value: Floats, groups: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Means of the similarities of different judges: group_1, group_2, mean, n (pairs of judges), lacking (undefined).

    groups : name -> judges; each group with itself and with each other one
    """
    at = {judge: k for k, judge in enumerate(judges)}
    rows = []
    for one, two in combinations_with_replacement(groups, 2):
        cells = {
            (min(i, j), max(i, j)) for i in map(at.__getitem__, groups[one]) for j in map(at.__getitem__, groups[two])
            if i != j
        }  # fmt: skip
        found = np.array([value[cell] for cell in sorted(cells)])
        known = found[np.isfinite(found)]
        mean = float(known.mean()) if len(known) else None
        rows.append((one, two, mean, len(known), len(found) - len(known)))
    table = pd.DataFrame(rows, columns=["group_1", "group_2", "mean", "n", "lacking"])
    table["mean"] = floats(table["mean"])
    return table
