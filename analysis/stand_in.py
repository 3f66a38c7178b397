"""May a judge stand in for one of the people: is it no worse than one of them by more than a margin?

The quantity is the judge's advantage: its agreement with the plurality of the other people less that of the person
left out, on the same others and comparisons. A test of non-inferiority (as in ICH E9): the judge may stand in when the
lower end of the interval lies above -margin, and may not when the upper end lies below it; else, and below a smallest
number of compared pairs, it is undecided. A judge at the margin passes in (1 - level)/2 of all studies, a worse one in
fewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.agreement import PairVotes
from analysis.cluster_sums import Figures
from analysis.judge_agreement import WITH, WITHOUT, hold_out, leave_one_out
from analysis.vcov import Clustering

Verdict = Literal["may stand in", "not", "undecided"]

MARGIN, SMALLEST = 0.05, 30


@dataclass(frozen=True)
class StandIn:
    """The verdict with what it rests on.

    advantage, lower, upper : NaN where undefined; agreement : of the judge, ceiling : of people, with the same others
    p : one-sided, of the judge being worse by the margin or more
    comparisons, pairs, clusters : compared; reason : why it is undecided or not, None where it may stand in
    advantage_no_ties : without comparisons in which a side is a tie, however the verdict counts them, with its interval
    """

    verdict: Verdict
    advantage: float
    lower: float
    upper: float
    p: float
    agreement: float
    ceiling: float
    comparisons: int
    pairs: int
    clusters: int
    reason: str | None
    advantage_no_ties: float
    lower_no_ties: float
    upper_no_ties: float


def judge_stand_in(
    votes: PairVotes, clustering: Clustering, *, ties: bool = True, margin: float = MARGIN, smallest: int = SMALLEST,
    level: float = 0.95,
) -> StandIn:  # fmt: skip
    """The verdict of one judge. votes : as they were cast; smallest : pairs with a comparison below which none is given

    ties : whether a tie is a label of its own; without, what is a tie on any side is left out
    """
    ending = WITH if ties else WITHOUT
    kinds = votes.kinds
    compared, times = leave_one_out(kinds.reference, kinds.judge, ties)[:, 2], kinds.rows.times
    found = hold_out(votes, clustering)
    name = f"advantage{ending}"
    at = found.names.index(name)
    ends = found.interval(level)
    low, high = (float(end[at]) for end in ends)
    other = found.names.index(f"advantage{WITHOUT}")
    pairs, clusters = int(times[compared > 0].sum()), int(found.clusters[at])
    verdict, reason = _decide(found, name, (low, high), pairs, clusters, margin, smallest)
    return StandIn(
        verdict, found[name], low, high, found.p_value(name, -margin, "above"), found[f"against_others{ending}"],
        found[f"ceiling{ending}"], int(compared @ times), pairs, clusters, reason, float(found.value[other]),
        float(ends[0][other]), float(ends[1][other]),
    )  # fmt: skip


def _decide(
    found: Figures, name: str, ends: tuple[float, float], pairs: int, clusters: int, margin: float, smallest: int
) -> tuple[Verdict, str | None]:
    if not pairs:
        return "undecided", "no vote can be left out: people gave one vote a pair, or their others have no plurality"
    if pairs < smallest:
        return "undecided", f"compared on {pairs} of the {smallest} pairs that are needed"
    if not np.isfinite(ends[0]):
        one = f"there {'is' if clusters == 1 else 'are'} {clusters} independent part{'' if clusters == 1 else 's'}"
        size = f"{100 * found[name]:.0f}".replace("-", "−")
        return "undecided", f"nothing tells how sure its advantage of {size} points is: {one}, all alike"
    if ends[0] > -margin:
        return "may stand in", None
    if ends[1] < -margin:
        return "not", "it agrees with the others less than people do, by more than the margin"
    return "undecided", "the interval holds the margin"
