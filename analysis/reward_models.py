"""Where do scores fail as judgments, by scenario, and what do several reward models together say of a label?

A reward model prefers the response with the higher score. Its accuracy is the share of the reference's votes for that
response, a tie counting half on either side. Scenarios hold different prompts, so that their errors are independent:
the variance of the mean over scenarios is the mean of their variances over their number, with the degrees of freedom of
Satterthwaite (1946).

Margins after Wang et al. (2024), Secrets of RLHF in Large Language Models II: a pair's margin is the score of the
labelled response less that of the other, mean and standard deviation over reward models; of the pairs in the order of
that mean the lowest fifth are labels to flip, the next fifth ambiguous, the rest clean. Each model's differences are
first divided by their root mean square (theirs were of one kind), so that no unit of scores outweighs another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.cells import Floats, Ints
from analysis.cluster_sums import Figures, Kind
from analysis.judge_agreement import share
from analysis.tables import floats
from analysis.vcov import Clustering
from errors import NotIdentifiedError

BANDS = ("flip", "ambiguous", "clean")
FLIP, AMBIGUOUS = 0.2, 0.4
"""Shares of the pairs, in the order of their mean margin, up to which a band reaches."""


def compared(z: Floats, votes: Ints, *, ties: bool = True) -> tuple[Floats, Floats]:
    """(n,) votes on the side of the higher score, and all that count.

    z : (n,) score of a less that of b; votes : (n, 3) of the reference for a, b and tie
    ties : whether a vote for a tie, and a vote against equal scores, are half right; else both are left out
    """
    a, b, tie = votes.astype(np.float64).T
    right = np.where(z > 0, a, np.where(z < 0, b, (a + b) / 2))
    if ties:
        return right + tie / 2, a + b + tie
    return np.where(z != 0, right, 0.0), np.where(z != 0, a + b, 0.0)


def macro_mean(scenarios: Sequence[Figures]) -> Figures:
    """`macro`: the mean of the scenarios' accuracies, each weighing alike; no interval where one is a single cluster.

    scenarios : `agreement` of each, as `share` has it; of different clusters
    """
    value, se, df = _mean(scenarios)
    n = sum(int(one.clusters[0]) for one in scenarios)
    return _figure("macro", "share", value, se, df, n)


def out_of_distribution(inside: Sequence[Figures], outside: Sequence[Figures]) -> tuple[Figures, Figures, Figures]:
    """`inside` and `outside`, mean accuracies over scenarios, and `drop`: inside less outside.

    Raises NotIdentifiedError where one of the two has no scenario.
    """
    if not inside or not outside:
        where = "in distribution" if not inside else "out of distribution"
        raise NotIdentifiedError(f"no scenario with a comparison is {where}")
    (one, se_one, df_one), (two, se_two, df_two) = _mean(inside), _mean(outside)
    se = float(np.hypot(se_one, se_two))
    df = _satterthwaite(np.array([se_one, se_two]), np.array([df_one, df_two]))
    n = [sum(int(each.clusters[0]) for each in part) for part in (inside, outside)]
    return (
        _figure("inside", "share", one, se_one, df_one, n[0]), _figure("outside", "share", two, se_two, df_two, n[1]),
        _figure("drop", "difference", one - two, se, df, sum(n)),
    )  # fmt: skip


def _mean(scenarios: Sequence[Figures]) -> tuple[float, float, float]:
    """Value, standard error and degrees of freedom of the plain mean."""
    values, n = np.array([one["agreement"] for one in scenarios]), len(scenarios)
    se = np.array([_known(one) for one in scenarios]) / n
    return float(values.mean()), float(np.sqrt(se @ se)), _satterthwaite(se, np.array([one.df[0] for one in scenarios]))


def _known(one: Figures) -> float:
    """The standard error; where all clusters say the same, that of one made-up cluster which says otherwise."""
    se, n = float(one.se[0]), int(one.clusters[0])
    return float(np.sqrt(n + 1) / (n + 2) ** 1.5) if n > 1 and not se > 0 else se


def _satterthwaite(se: Floats, df: Floats) -> float:
    if not np.isfinite(se).all():
        return float("inf")
    spread = float((se**4 / df).sum())
    return float((se @ se) ** 2 / spread) if spread > 0 else float("inf")


def _figure(name: str, kind: Kind, value: float, se: float, df: float, n: int) -> Figures:
    one, error, freedom = (np.array([number]) for number in (value, se, df))
    return Figures((name,), (kind,), one, error, freedom, np.array([n]), np.zeros(1), np.array([n]))


# -- margins over several reward models ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Margins:
    """What several reward models together say of a label; each array (n_pairs,) but `scale`.

    mean, sd : of the models' normalised margins towards the label (sd with the number of models below)
    band : 0 flip, 1 ambiguous, 2 clean; scale : (n_models,) root mean square of each one's differences
    """

    mean: Floats
    sd: Floats
    band: Ints
    scale: Floats

    def table(self) -> pd.DataFrame:
        """One row a band that has a pair: band, pairs, share, low, high (ends of the mean margin), sd (mean), against:
        share of pairs whose mean margin speaks against the label."""
        rows = []
        for k, name in enumerate(BANDS):
            here = self.band == k
            if here.any():
                mean = self.mean[here]
                rows.append((name, int(here.sum()), here.mean(), mean.min(), mean.max(), self.sd[here].mean(),
                             (mean < 0).mean()))  # fmt: skip
        table = pd.DataFrame(rows, columns=["band", "pairs", "share", "low", "high", "sd", "against"])
        for name in table.columns[2:]:
            table[name] = floats(table[name])
        return table


def find_margins(z: Floats, label: Ints) -> Margins:
    """z : (n_models, n_pairs) score of a less that of b; label : (n_pairs,) +1 for a, -1 for b

    Raises NotIdentifiedError with fewer than two models, without a pair, or where a model scores all pairs alike.
    """
    if len(z) < 2:
        raise NotIdentifiedError("margins need two reward models or more with scores of the same pairs")
    if not z.shape[1]:
        raise NotIdentifiedError("no pair with a label is scored by all of them")
    scale = np.sqrt((z * z).mean(axis=1))
    if not (scale > 0).all():
        raise NotIdentifiedError("one of them scores both responses of every pair alike")
    margins = label * z / scale[:, None]
    mean, n = margins.mean(axis=0), z.shape[1]
    place = np.empty(n, dtype=np.int64)
    place[np.argsort(mean, kind="stable")] = np.arange(n)
    # In whole pairs, and free of rounding: the pair at place 20 of 100 is the first beyond the lowest fifth.
    band = (place >= FLIP * n - 1e-9).astype(np.int64) + (place >= AMBIGUOUS * n - 1e-9)
    return Margins(mean, margins.std(axis=0), band, scale)


def people_agree(votes: Ints, cluster: Ints, clustering: Clustering) -> Figures:
    """`agreement` of two votes of the reference on one pair, of those for a side. votes : (n, 3)"""
    sides = votes[:, :2].astype(np.float64)
    n = sides.sum(axis=1)
    return share((sides * (sides - 1)).sum(axis=1) / 2, n * (n - 1) / 2, cluster, clustering)


def follow(votes: Ints, label: Ints, cluster: Ints, clustering: Clustering) -> Figures:
    """`agreement` of another judge's votes for a side with the label. votes : (n, 3)"""
    sides = votes[:, :2].astype(np.float64)
    return share(np.where(label > 0, sides[:, 0], sides[:, 1]), sides.sum(axis=1), cluster, clustering)
