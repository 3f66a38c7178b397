"""What do several reward models together say of the reference's labels, and who agrees with these in each band?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from analysis.cluster_sums import Figures
from analysis.judge_agreement import majority, share
from analysis.reward_models import BANDS, compared, find_margins, follow, people_agree
from analysis.vcov import choose_clustering
from data.queries.differences import UNNAMED
from data.queries.votes import Column, Votes
from errors import NotIdentifiedError
from studies.judge_votes import clusters, ended

BAND_COLUMNS = ("band", "pairs", "share", "low", "high", "sd", "against", "accuracy", "lower", "upper", "people",
                "people_lower", "people_upper", "clusters")  # fmt: skip
BAND_JUDGES = ("judge", "band", "agreement", "lower", "upper", "comparisons", "pairs")
PAIRS = ("pair", "scenario", "band", "margin", "sd")


@dataclass(frozen=True)
class Bands:
    """rows, judges, pairs : as the tables `margins`, `margin_judges` and `pairs` have them; empty without margins

    models, n_pairs : what they are over; against : share of pairs whose mean margin speaks against the label; said :
    why there are none
    """

    rows: list[dict[str, object]] = field(default_factory=list)
    judges: list[dict[str, object]] = field(default_factory=list)
    pairs: list[dict[str, object]] = field(default_factory=list)
    models: int = 0
    n_pairs: int = 0
    against: dict[str, float] | None = None
    said: tuple[str, ...] = ()


def find_bands(
    scored: Mapping[str, tuple[Column, Column, Column]], reference: Votes, others: Mapping[str, Votes],
    scenarios: Mapping[int, str], cluster: str, level: float, listed: int, *, ties: bool,
) -> Bands:  # fmt: skip
    """scored : of each model, pair, difference of scores and scenario; others : judges without scores

    The label of a pair is the side that more votes of the reference have than any other label; pairs without one are
    left out, as are those that some model has not scored.
    """
    if len(scored) < 2:
        return Bands()
    label = majority(reference.counts())
    side = (label[:, 0] - label[:, 1]).astype(np.int64)
    pairs = reference.pair[side != 0]
    for pair, _, _ in scored.values():
        pairs = np.intersect1d(pairs, pair)
    z = np.array([values[np.searchsorted(pair, pairs)] for pair, values, _ in scored.values()])
    at = reference.take(np.searchsorted(reference.pair, pairs))
    sides = side[np.searchsorted(reference.pair, pairs)]
    try:
        found = find_margins(z, sides)
    except NotIdentifiedError as error:
        return Bands(said=(f"no margins over reward models: {error}",))
    by = choose_clustering(cluster, len(np.unique(at.prompt)))
    code, counts = clusters(at, by), at.counts()
    right, whole = (sum(part) for part in zip(*(compared(row, counts, ties=ties) for row in z), strict=True))
    table = {str(row["band"]): row for row in found.table().to_dict("records")}
    rows: list[dict[str, object]] = []
    judges: list[dict[str, object]] = []
    listing: list[dict[str, object]] = []
    first = next(iter(scored.values()))
    scenario = first[2][np.searchsorted(first[0], pairs)]
    for k, name in enumerate(BANDS):
        here = np.flatnonzero(found.band == k)
        if not len(here):
            continue
        correct = share(right[here], whole[here], code[here], by)
        people = people_agree(counts[here], code[here], by)
        rows.append(
            {**{str(key): value for key, value in table[name].items()}, **_named(correct, "accuracy", "", level),
             **_named(people, "people", "people_", level), "clusters": len(np.unique(code[here]))}
        )  # fmt: skip
        for judge, votes in others.items():
            met = here[np.isin(pairs[here], votes.pair)]
            if len(met):
                said = votes.take(np.searchsorted(votes.pair, pairs[met])).counts()
                agreed = follow(said, sides[met], code[met], by)
                judges.append(
                    {"judge": judge, "band": name, **ended(agreed, "agreement", level),
                     "comparisons": int(said[:, :2].sum()), "pairs": len(met)}
                )  # fmt: skip
        for one in here[np.argsort(found.mean[here], kind="stable")][:listed]:
            number = int(scenario[one])
            listing.append(
                {"pair": int(pairs[one]), "scenario": None if number == UNNAMED else scenarios[number], "band": name,
                 "margin": float(found.mean[one]), "sd": float(found.sd[one])}
            )  # fmt: skip
    against = share((found.mean < 0).astype(np.float64), np.ones(len(pairs)), code, by).one("agreement", level)
    return Bands(rows, judges, listing, len(scored), len(pairs), against)


def _named(found: Figures, name: str, prefix: str, level: float) -> dict[str, object]:
    ends = ended(found, "agreement", level)
    return {name: ends["agreement"], f"{prefix}lower": ends["lower"], f"{prefix}upper": ends["upper"]}
