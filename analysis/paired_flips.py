"""Is one side of a pair of outcomes met more often than its opposite? An exact test, also where pairs hang together.

Each unit counts +1, -1 or 0 (both first, both last, neither; moved towards the cue, away, not at all). Without a bias
the two signs are exchangeable, so that the sum of a cluster is as likely as its negative: the test flips the signs of
whole clusters (Fisher 1935). Where every cluster is one unit this is the exact test of McNemar (1947). The distribution
is computed, not drawn.
"""

from __future__ import annotations

import numpy as np
from scipy.special import bdtrc, ndtr

from analysis.cells import Floats, Ints

EXACT = 4_000_000
"""Steps of the exact distribution (clusters times their total); beyond, sums of so many clusters are normal."""


def flip_p(sign: Ints, cluster: Ints) -> float:
    """Two-sided p of no tendency; NaN where no unit counts.

    sign : (n,) +1, -1 or 0; cluster : (n,) codes
    """
    code = np.unique(cluster, return_inverse=True)[1] if len(cluster) else cluster
    sums = np.bincount(code, sign).astype(np.int64) if len(cluster) else np.zeros(0, dtype=np.int64)
    size = np.abs(sums[sums != 0])
    seen = abs(int(sums.sum()))
    if not len(size):
        return float("nan")
    if not seen:
        return 1.0
    total, step = int(size.sum()), int(np.gcd.reduce(size))
    if (size == step).all():
        # So many signs of one size are binomial.
        return float(min(1.0, 2 * bdtrc((seen + total) // 2 // step - 1, len(size), 0.5)))
    if len(size) * total > EXACT:
        # Sums are twice a step apart: half of that is the correction for continuity.
        return float(min(1.0, 2 * ndtr(-(seen - step) / np.sqrt(float(size @ size)))))
    return float(min(1.0, 2 * _upper(size, (seen + total) // 2)))


def _upper(size: Ints, least: int) -> float:
    """Chance that the sizes that fall on the + side add up to `least` or more, each doing so with even odds."""
    chance: Floats = np.zeros(int(size.sum()) + 1)
    chance[0], reach = 1.0, 0
    for one in size.tolist():
        moved = chance[: reach + 1].copy()
        chance[: reach + 1] *= 0.5
        chance[one : reach + one + 1] += 0.5 * moved
        reach += one
    return float(chance[least:].sum())
