"""Do the pairs that people judged look like the others? The assumption on which a corrected ranking rests.

Each row compares a share among labelled pairs with the same share among unlabelled ones. Standard errors are by
delete-one-cluster jackknife of the difference, so that a prompt with many pairs counts once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.cells import Floats, Ints
from analysis.judged_pairs import Bools
from analysis.multiple import adjust_bh
from analysis.ppi_scores import find_kind
from analysis.tables import floats, integers
from analysis.vcov import Quantiles

BEYOND = 0.05
"""q below which a share differs beyond chance."""


@dataclass(frozen=True)
class Trait:
    """Something that a pair has or has not.

    kind : scenario, model, length or verdict; has : (n_pairs,) in [0, 1], NaN where it is not known
    """

    kind: str
    name: str
    has: Floats


@dataclass(frozen=True)
class _Row:
    """One trait: share and pairs of known value, labelled and unlabelled; se and p are NaN where there are none."""

    shares: tuple[float, float]
    pairs: tuple[int, int]
    se: float = np.nan
    p: float = np.nan


def compare_sample(labelled: Bools, codes: Ints, traits: Iterable[Trait]) -> pd.DataFrame:
    """One row a trait: kind, trait, labelled, unlabelled (shares), difference, se, p, q, labelled_pairs,
    unlabelled_pairs. First those beyond chance (q < .05), the largest difference first; then the others, the least
    likely under a fair sample first.

    labelled : (n_pairs,); codes : (n_pairs,) dense codes of clusters. Without two clusters of either kind, and for
    traits that all pairs have or none, there is no se. q: Benjamini-Hochberg over all rows. Degrees of freedom: those
    of the kind of pairs with fewer clusters; normal from 50 clusters on. Without pairs of either kind: no rows.
    """
    n = int(codes.max(initial=-1)) + 1
    both = (np.flatnonzero(labelled), np.flatnonzero(~labelled))
    inside = [codes[rows] for rows in both]
    sizes = [np.bincount(where, minlength=n).astype(np.float64) for where in inside]
    found: list[tuple[Trait, _Row]] = []
    for trait in traits:
        if not all(map(len, both)):
            break
        values = [trait.has[rows] for rows in both]
        if bool(np.isnan(trait.has).any()):
            known = [~np.isnan(value) for value in values]
            values = [value[k] for value, k in zip(values, known, strict=True)]
            where = [codes_[k] for codes_, k in zip(inside, known, strict=True)]
            size = [np.bincount(codes_, minlength=n).astype(np.float64) for codes_ in where]
        else:
            where, size = inside, sizes
        if all(map(len, values)):
            has = [np.bincount(codes_, value, n) for codes_, value in zip(where, values, strict=True)]
            found.append((trait, _compare([one.astype(np.float64) for one in has], size)))
    rows = [row for _, row in found]
    difference = np.array([row.shares[0] - row.shares[1] for row in rows], dtype=np.float64)
    se, p = (np.array([getattr(row, part) for row in rows], dtype=np.float64) for part in ("se", "p"))
    q, size_of = adjust_bh(p), np.abs(difference)
    beyond = q < BEYOND
    # Many pairs tell a difference of a thousandth from chance: beyond chance it is the size that matters.
    order = np.lexsort((-size_of, np.where(beyond, 0.0, np.nan_to_num(p, nan=2.0)), ~beyond))
    table = pd.DataFrame(
        {
            "kind": pd.Series([trait.kind for trait, _ in found], dtype="str"),
            "trait": pd.Series([trait.name for trait, _ in found], dtype="str"),
            "labelled": floats([row.shares[0] for row in rows]),
            "unlabelled": floats([row.shares[1] for row in rows]),
            "difference": floats(difference),
            "se": floats(se),
            "p": floats(p),
            "q": floats(q),
            "labelled_pairs": integers([row.pairs[0] for row in rows]),
            "unlabelled_pairs": integers([row.pairs[1] for row in rows]),
        }
    )
    return table.iloc[order].reset_index(drop=True)


def _compare(has: list[Floats], size: list[Floats]) -> _Row:
    """One trait from sums by cluster: of those that have it, and of those whose value is known."""
    totals = [(float(some.sum()), float(pairs.sum())) for some, pairs in zip(has, size, strict=True)]
    shares = (totals[0][0] / totals[0][1], totals[1][0] / totals[1][1])
    pairs = (int(totals[0][1]), int(totals[1][1]))
    kinds = [find_kind(one) for one in size]
    if min(kind.n_clusters for kind in kinds) < 2:
        return _Row(shares, pairs)
    left = [
        (total - some) / (n - size_)
        for some, size_, (total, n) in zip(has, size, totals, strict=True)
    ]  # fmt: skip
    present = (size[0] > 0) | (size[1] > 0)
    away = (left[0] - left[1] - (shares[0] - shares[1]))[present]
    clusters = len(away)
    se = float(np.sqrt((clusters - 1) / clusters * (away @ away)))
    if not se > 1e-12:
        return _Row(shares, pairs)
    freedom = min(kind.freedom for kind in kinds)
    quantiles = Quantiles(None if np.isinf(freedom) else freedom)
    p = float(quantiles.p_value(np.array([(shares[0] - shares[1]) / se]))[0])
    return _Row(shares, pairs, se, p)
