"""Does each judge keep people's disagreement, or is it more of one mind than they are?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from analysis.cells import Floats, Ints
from analysis.cluster_sums import Figures, estimate
from analysis.few_votes import slope_of_labels, slope_on_leaning
from analysis.shares import LEAST, hold_shares, log_odds
from analysis.vcov import Clustering, choose_clustering
from charts import words
from data import queries
from data.model import Progress
from data.queries.places import places
from data.queries.replies import preferences
from data.store import Store
from errors import NotIdentifiedError, OptionError
from studies.judge_votes import as_table, clustered, columns
from studies.kept import counted_votes
from studies.refused import nobody, sentences
from studies.study import Fitted, Result, register

FIGURES = (
    "slope", "slope_raw", "parting_people", "parting_judge", "parting_difference", "entropy_people", "entropy_judge",
    "entropy_difference", "divergence", "distance",
)  # fmt: skip
BINOMIAL = ("slope_binomial", "slope_binomial_lower", "slope_binomial_upper")
COUNTS = ("reliability", "kind", "pairs", "votes", "clusters", "clustering")
LEAST_VOTES = 5
"""Votes a pair from which on what people lean towards can be told."""

APART = 0.05
"""How far the extremity by variances may be from that by leaning before a warning says which to believe."""

LABELS, PREFERENCES = "labels", "preferences"
BY_SHARE = ("judge", "low", "high", "people", "judge_mean", "lower", "upper", "pairs")


@register
@dataclass(frozen=True)
class JudgeShares(Fitted):
    """Shares of people's votes held against a judge's shares, on pairs with several votes on both sides."""

    command: ClassVar[str] = "shares"
    title: ClassVar[str] = "Does a judge keep people's disagreement?"
    clusterings: ClassVar[tuple[str, ...]] = ("auto", "prompt", "pair", "none")
    judges: ClassVar[Literal["any", "reference"]] = "reference"
    folded: ClassVar[Mapping[str, tuple[str, ...]]] = {"judges": FIGURES}
    printed: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "judges": ("scenario", "judge", "slope", "slope_lower", "slope_upper", *BINOMIAL, "parting_people",
                   "parting_judge", "entropy_people", "entropy_judge", "divergence", "distance", "pairs", "votes"),
    }  # fmt: skip
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "slope": "extremity", "slope_interval": "interval",
        "slope_binomial": "by leaning", "slope_binomial_interval": "interval ", "parting_people": "two part, people",
        "parting_judge": "two part, judge", "entropy_people": "entropy, people", "entropy_judge": "entropy, judge",
        "divergence": "divergence", "distance": "distance", "pairs": "pairs",
    }  # fmt: skip

    def answer(self, store: Store, progress: Progress) -> Result:
        self.compared()
        if self.cluster not in self.clusterings:
            raise OptionError(f"--cluster {self.cluster}: votes of different people hang together by prompt or by pair")
        progress(0.0, "counting votes")
        with store.reading("counting votes") as con:
            names = queries.catalog(con, self)
            condition = queries.where(self, names, ranked=False)
            counted = counted_votes(store, con, names, self)
            verdicts = condition + (" AND p_a <> 0.5" if self.ties == "drop" else "")
            said = preferences(con, verdicts)
            placed = places(con, names, condition)
            fingerprint = queries.fingerprint(con, names, self.judge)
        queries.require_rows(len(counted), "with a verdict")
        reference, *others = self.judge
        people = counted.of(names.judges[reference][0])
        weights = np.array([1.0, 0.0, 0.0 if self.ties == "drop" else 0.5])
        n = people.counts() @ np.array([1, 1, 0 if self.ties == "drop" else 1])
        people, n = people.take(n > 1), n[n > 1].astype(np.float64)
        ties = (people.tie if self.ties != "drop" else np.zeros(len(people))).astype(np.float64)
        if not len(people):
            raise NotIdentifiedError(f"no pair has two votes of {reference}: it has no share to hold a judge's against")
        share = people.counts() @ weights / n
        found: dict[str, Figures] = {}
        reasons: dict[str, str] = {}
        about: dict[str, str] = {}
        warnings: list[str] = []
        rows: list[dict[str, object]] = []
        bins: list[dict[str, object]] = []
        for k, judge in enumerate(others):
            progress(k / len(others), f"holding {judge} against {reference}")
            mine = said.of(names.judges[judge][0])
            mine = mine.take(np.isin(mine["pair"], people.pair))
            if not len(mine):
                reasons[judge] = f"shares no pair on which {reference} has two votes or more"
                continue
            mine = mine.take((mine["soft"] > 0) | (mine["verdicts"] > 1))
            if not len(mine):
                reasons[judge] = "gives one label a pair, which is no share: judge each pair several times"
                continue
            at = np.searchsorted(people.pair, mine["pair"])
            here = people.take(at)
            clustering = choose_clustering(self.cluster, len(np.unique(here.prompt)))
            codes = placed.codes(here.pair, clustering.name)
            j, h, labels, soft = (part.astype(np.float64) for part in
                                  (mine["p"], share[at], mine["verdicts"], mine["soft"]))  # fmt: skip
            one, reliable = hold_shares(
                h, n[at], j, labels, soft, codes, clustering, (ties[at], mine["ties"].astype(np.float64))
            )
            stated = bool((soft > 0).mean() >= 0.5)
            alike = (soft > 0) == stated
            by_leaning = self._by_leaning(h, n[at], j, labels, alike, stated, codes)
            if not stated or not alike.all():
                # Log-odds of a few labels are bent towards 0, and with them the slope.
                one = _without_slope(one)
            if clustering.warning is not None:
                warnings.append(clustering.warning)
            remark = _about(one, by_leaning, reliable, float(n[at].mean()), stated, bool(alike.all()), reference)
            if remark:
                about[judge] = remark
            found[judge] = one
            rows.append(
                {"judge": judge, **columns(one, self.level), **dict.fromkeys(BINOMIAL), **by_leaning,
                 "reliability": reliable if np.isfinite(reliable) else None, "pairs": len(mine),
                 "votes": int(n[at].sum()), "clusters": int(one.clusters[0]), "clustering": clustering.name,
                 "kind": PREFERENCES if stated else LABELS}
            )  # fmt: skip
            bins += _by_share(judge, h, j, codes, clustering, self.level)
        if not found:
            raise nobody(reasons)
        progress(1.0, "done")
        ends = [f"{name}{end}" for name in FIGURES for end in ("", "_lower", "_upper")]
        values: dict[str, Any] = {}
        if len(found) == 1:
            one = next(iter(found.values()))
            values = {name: one.one(name, self.level) for name in FIGURES}
            ends_of = zip(BINOMIAL, ("value", "lower", "upper"), strict=True)
            values["slope_binomial"] = {end: rows[0][k] for k, end in ends_of if rows[0][k] is not None} or None
            values = {name: value for name, value in values.items() if value is not None} | {"pairs": rows[0]["pairs"]}
        return Result(
            study=self, values=values, fingerprint=fingerprint,
            tables={
                "judges": as_table(rows, ("judge", *ends, *BINOMIAL, *COUNTS)), "by_share": as_table(bins, BY_SHARE),
            },
            settings=self.settings() | {"reference": reference, "clustering": rows[0]["clustering"]},
            warnings=tuple(dict.fromkeys([*sentences(reasons), *warnings, *sentences(about)])),
            caption=self._caption(rows, reference),
        )  # fmt: skip

    def _by_leaning(
        self, h: Floats, votes: Floats, j: Floats, verdicts: Floats, alike: NDArray[np.bool_], stated: bool,
        cluster: Ints,
    ) -> dict[str, float]:  # fmt: skip
        """The extremity on what people lean towards, with its interval; empty where it cannot be told.

        alike : which pairs have preferences (`stated`) or labels, as most have
        """
        if votes[alike].mean() < LEAST_VOTES:
            return {}
        h, votes, j, verdicts = (part[alike] for part in (h, votes, j, verdicts))
        cluster = cluster[alike]
        if stated:
            found = slope_on_leaning(h, votes, log_odds(j, verdicts, np.ones(len(j))), cluster, self.level, self.seed)
        else:
            found = slope_of_labels(h, votes, j, verdicts, cluster, self.level, self.seed)
        return {name: value for name, value in zip(BINOMIAL, found, strict=True) if np.isfinite(value)}

    def _caption(self, rows: list[dict[str, object]], reference: str) -> str:
        who = words.listing([f"{row['judge']} ({row['pairs']:,} pairs, {row['votes']:,} votes)" for row in rows], 5)
        ties = "ties left out" if self.ties == "drop" else "a tie is half for each side"
        return (
            f"Share of the votes of {reference} for a response against each judge's share ({ties}), on pairs with "
            f"several on both sides: {who}. Extremity: slope of log-odds through 0, people's sampling error taken off; "
            f"two part: chance that two votes on a pair do, whatever their number; entropy and Jensen-Shannon "
            f"divergence, which depend on it, in bits; each pair weighs by its votes. "
            f"{words.percent(self.level)} intervals, "
            f"{clustered([str(row['clustering']) for row in rows], [int(str(row['clusters'])) for row in rows])}."
        )


def _about(
    one: Figures, by_leaning: Mapping[str, float], reliable: float, votes: float, stated: bool, alike: bool,
    reference: str,
) -> str:  # fmt: skip
    """What to say of the extremity of a judge; '' where there is nothing to."""
    told = []
    if not alike:
        most, others = ("preferences", "labels") if stated else ("labels", "preferences")
        told.append(f"its extremity is that of the pairs with {most}; it gives {others} alone on others")
    best = by_leaning.get(BINOMIAL[0])
    if best is None and votes < LEAST_VOTES and (not stated or np.isfinite(one["slope"])):
        told.append(
            f"{words.number(votes)} votes a pair are too few to tell how extreme it is: it takes {LEAST_VOTES}"
            + (", and an extremity by variances comes out too large" if stated else "")
        )
    elif best is None and not stated and reliable >= LEAST:
        told.append("its labels on a pair part too seldom to tell how extreme it is: they could be of any extremity")
    elif best is None:
        told.append(
            f"the shares of {reference} differ from even by too little more than so few votes do by chance to tell how "
            "extreme it is"
        )
    elif stated and np.isfinite(one["slope"]) and abs(one["slope"] / best - 1) > APART:
        told.append(
            f"people's error taken off by variances makes its extremity {words.number(one['slope'])}, and by what "
            f"votes lean towards {words.number(best)}: believe the latter, the former goes wrong where votes are few "
            "or nearly all for one side"
        )
    return "; ".join(told)


def _without_slope(one: Figures) -> Figures:
    value, se = one.value.copy(), one.se.copy()
    at = [one.names.index(name) for name in ("slope", "slope_raw")]
    value[at], se[at] = np.nan, np.nan
    return replace(one, value=value, se=se)


def _by_share(
    judge: str, h: Floats, j: Floats, cluster: Ints, clustering: Clustering, level: float
) -> list[dict[str, object]]:
    """Mean shares by people's share of the side that most of them prefer, so that what is called a does not matter."""
    turned = h < 0.5
    most, same = np.where(turned, 1 - h, h), np.where(turned, 1 - j, np.where(h == 0.5, 0.5, j))
    # From even on: .5 to 1 in five steps. Where people are even no side is the one that most prefer.
    at = np.clip(((most - 0.5) * 10 + 1e-9).astype(int), 0, 4)
    rows: list[dict[str, object]] = []
    for k in range(5):
        some = np.flatnonzero(at == k)
        if not len(some):
            continue
        one = np.ones(len(some))
        found = estimate(
            lambda sums: sums[..., :1] / sums[..., 1:], np.column_stack([same[some], one]), one, cluster[some],
            clustering, ("judge_mean",), "share",
        ).one("judge_mean", level) or {}  # fmt: skip
        rows.append(
            {"judge": judge, "low": 0.5 + 0.1 * k, "high": 0.6 + 0.1 * k, "people": float(most[some].mean()),
             "judge_mean": float(same[some].mean()), "lower": found.get("lower"), "upper": found.get("upper"),
             "pairs": len(some)}
        )  # fmt: skip
    return rows
