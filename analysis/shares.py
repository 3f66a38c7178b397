"""Does a judge spread its preferences as people spread their votes, pair by pair?

With h the share of people's votes for a, j the judge's share, a tie counting half: the extremity slope is that of
logit(j) on logit(h) through 0 (which response is called a changes nothing), each pair weighing by people's votes.
Shares of 0 and 1 are moved inwards by half a vote. logit(h) is measured with the binomial variance 1 / (n h (1 - h)),
which is taken off its mean square (errors in variables; Fuller 1987). Above 1 the judge is more extreme than people.
Entropy and the Jensen-Shannon divergence of (h, 1 - h) and (j, 1 - j) are in bits, from 0 to 1 (Lin 1991).
"""

from __future__ import annotations

import numpy as np
from scipy.special import entr, logit

from analysis.cells import Floats, Ints
from analysis.cluster_sums import Figures, estimate, join
from analysis.vcov import Clustering

SOFT = 0.001
"""Preferences stated as numbers are kept this far from 0 and 1 where log-odds are taken."""

LEAST = 0.3
"""Share of the mean square of logit(h) that must be more than its error."""


def hold_shares(
    h: Floats, votes: Floats, j: Floats, verdicts: Floats, soft: Floats, cluster: Ints, clustering: Clustering
) -> tuple[Figures, float]:
    """slope, slope_raw (errors in h not taken off), entropy_people, entropy_judge, entropy_difference (judge less
    people), divergence and distance (mean |h - j|); and how reliable logit(h) is: NaN without a spread.

    h, j : (n,) shares; votes, verdicts : (n,) how many are behind; soft : (n,) whether j is stated as a number
    The slope is NaN where less than LEAST of people's mean square is more than error.
    """
    x = logit(np.clip(h, 0.5 / votes, 1 - 0.5 / votes))
    edge = np.where(soft > 0, SOFT, 0.5 / np.maximum(verdicts, 1))
    y = logit(np.clip(j, edge, 1 - edge))
    moved = np.clip(h, 0.5 / votes, 1 - 0.5 / votes)
    error = 1 / (votes * moved * (1 - moved))
    sums = np.column_stack([votes * x * y, votes * x * x, votes * error])
    _, square, noise = sums.sum(axis=0)
    reliable = 1 - noise / square if square > 0 else float("nan")
    enough = bool(reliable >= LEAST)
    slopes = estimate(_slopes, sums, votes, cluster, clustering, ("slope", "slope_raw"), "slope")
    if not enough:
        value, se = slopes.value.copy(), slopes.se.copy()
        value[0], se[0] = np.nan, np.nan
        slopes = Figures(slopes.names, slopes.kinds, value, se, slopes.df, slopes.clusters)
    e_h, e_j = _entropy(h), _entropy(j)
    divergence = np.maximum(_entropy((h + j) / 2) - (e_h + e_j) / 2, 0)
    away = np.abs(h - j)
    means = np.column_stack([votes[:, None] * np.column_stack([e_h, e_j, e_j - e_h, divergence, away]), votes])
    spread = estimate(
        _means, means, votes, cluster, clustering,
        ("entropy_people", "entropy_judge", "entropy_difference", "divergence", "distance"),
        ("share", "share", "difference", "share", "share"),
    )  # fmt: skip
    return join([slopes, spread]), float(reliable)


def _slopes(sums: Floats) -> Floats:
    xy, xx, noise = sums[..., 0], sums[..., 1], sums[..., 2]
    return np.stack([xy / (xx - noise), xy / xx], axis=-1)


def _means(sums: Floats) -> Floats:
    return np.asarray(sums[..., :-1] / sums[..., -1:])


def _entropy(p: Floats) -> Floats:
    """(n,) in bits."""
    return np.asarray((entr(p) + entr(1 - p)) / np.log(2))
