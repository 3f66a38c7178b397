"""Judgments that mean the same to a fit as one row: what they are about, and what hangs together with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis.cells import Floats, Ints


@dataclass(frozen=True)
class Alike:
    """Sums over judgments alike in column and clusters.

    at : (n_rows,) column; weight, score : sums of weight and of weight * y; count : judgments; clusters : codes by name
    """

    at: Ints
    weight: Floats
    score: Floats
    count: Ints
    clusters: Mapping[str, Ints]

    def __len__(self) -> int:
        return len(self.at)


def sum_alike(at: Ints, y: Floats, weight: Floats, clusters: Mapping[str, Ints], apart: bool = False) -> Alike:
    """at : (n,) the column of each judgment; y : (n,) in [0, 1]; weight : (n,) > 0; apart : leave each by itself"""
    if apart:
        return Alike(at, weight, weight * y, np.ones(len(at), dtype=np.int64), dict(clusters))
    keys = np.stack([at, *clusters.values()])
    order = np.lexsort(keys[::-1])
    ordered = keys[:, order]
    new = np.ones(len(at), dtype=bool)
    new[1:] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)
    starts = np.flatnonzero(new)
    weights, scores = (np.add.reduceat(v[order], starts) for v in (weight, weight * y))
    count = np.diff(np.append(starts, len(at)))
    codes = {name: ordered[k + 1, starts] for k, name in enumerate(clusters)}
    return Alike(ordered[0, starts], weights, np.minimum(scores, weights), count, codes)
