"""Does a judge spread its preferences as people spread their votes, pair by pair?

With h the share of people's votes for a, j the judge's share, a tie counting half: the extremity slope is that of
logit(j) on logit(h) through 0 (which response is called a changes nothing), each pair weighing by people's votes.
Shares are moved off 0 and 1 by half a vote more on each side, which makes log-odds all but unbiased (Haldane 1956);
their binomial variance with a and b of n votes is (n + 1)(n + 2) / (n (a + 1)(b + 1)) (Gart and Zweifel 1967). That of
people is taken off the mean square of logit(h) (errors in variables; Fuller 1987). Above 1 the judge is more extreme.

Of two votes on a pair the chance that they part is (2 a b + t (a + b)) / (n (n - 1)) with a, b and t of n votes for a,
for b and for neither (which parts half from a side): without bias however few the votes are. Of a preference p that is
stated as a number it is 2 p (1 - p).
Entropy and the Jensen-Shannon divergence of (h, 1 - h) and (j, 1 - j) are in bits, from 0 to 1 (Lin 1991); both
depend on how many votes there are, and must not be held against each other where these differ.
"""

from __future__ import annotations

from dataclasses import replace

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
    h: Floats, votes: Floats, j: Floats, verdicts: Floats, soft: Floats, cluster: Ints, clustering: Clustering,
    ties: tuple[Floats, Floats] | None = None,
) -> tuple[Figures, float]:
    """slope, slope_raw (errors in h not taken off), parting_people, parting_judge, parting_difference (judge less
    people), entropies in the same way, divergence and distance (mean |h - j|); and how reliable logit(h) is: NaN
    without a spread.

    h, j : (n,) shares; votes, verdicts : (n,) how many are behind, two at the least but of a j that is stated as a
    number, as `soft` (n,) says; ties : (n,) of votes and of verdicts, if there are any
    The slope is NaN where less than LEAST of people's mean square is more than error.
    """
    x, error = _log_odds(h, votes)
    y = log_odds(j, verdicts, soft)
    sums = np.column_stack([votes * x * y, votes * x * x, votes * error])
    _, square, noise = sums.sum(axis=0)
    reliable = 1 - noise / square if square > 0 else float("nan")
    enough = bool(reliable >= LEAST)
    slopes = estimate(_slopes, sums, votes, cluster, clustering, ("slope", "slope_raw"), "slope")
    if not enough:
        value, se = slopes.value.copy(), slopes.se.copy()
        value[0], se[0] = np.nan, np.nan
        slopes = replace(slopes, value=value, se=se)
    e_h, e_j = _entropy(h), _entropy(j)
    divergence = np.maximum(_entropy((h + j) / 2) - (e_h + e_j) / 2, 0)
    away = np.abs(h - j)
    tied, tied_judge = (np.zeros(len(h)), np.zeros(len(h))) if ties is None else ties
    part = parting(h, votes, tied)
    part_judge = np.where(soft > 0, 2 * j * (1 - j), parting(j, np.maximum(verdicts, 2), tied_judge))
    columns = [part, part_judge, part_judge - part, e_h, e_j, e_j - e_h, divergence, away]
    means = np.column_stack([votes[:, None] * np.column_stack(columns), votes])
    spread = estimate(
        _means, means, votes, cluster, clustering,
        ("parting_people", "parting_judge", "parting_difference", "entropy_people", "entropy_judge",
         "entropy_difference", "divergence", "distance"),
        ("share", "share", "difference", "share", "share", "difference", "share", "share"),
    )  # fmt: skip
    return join([slopes, spread]), float(reliable)


def parting(share: Floats, n: Floats, ties: Floats) -> Floats:
    """(n,) the chance that two of n votes (>= 2) on a pair part, without bias."""
    a, b = share * n - ties / 2, (1 - share) * n - ties / 2
    return np.asarray((2 * a * b + ties * (a + b)) / (n * (n - 1)))


def log_odds(j: Floats, verdicts: Floats, soft: Floats) -> Floats:
    """(n,) of a judge's shares, stated as numbers or of so many labels."""
    return np.where(soft > 0, logit(np.clip(j, SOFT, 1 - SOFT)), _log_odds(j, verdicts)[0])


def _log_odds(share: Floats, n: Floats) -> tuple[Floats, Floats]:
    """(n,) of each share of n votes, and its variance, after Gart and Zweifel."""
    a, b = share * n + 0.5, (1 - share) * n + 0.5
    return np.log(a / b), (n + 1) * (n + 2) / (n * (a + 0.5) * (b + 0.5))


def _slopes(sums: Floats) -> Floats:
    xy, xx, noise = sums[..., 0], sums[..., 1], sums[..., 2]
    return np.stack([xy / (xx - noise), xy / xx], axis=-1)


def _means(sums: Floats) -> Floats:
    return np.asarray(sums[..., :-1] / sums[..., -1:])


def _entropy(p: Floats) -> Floats:
    """(n,) in bits."""
    return np.asarray((entr(p) + entr(1 - p)) / np.log(2))
