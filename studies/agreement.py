"""How often does each judge say what the reference says, beyond chance, and how often do people among themselves?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from analysis.agreement import PairVotes
from analysis.cells import Ints
from analysis.cluster_sums import numbered
from analysis.judge_agreement import (
    LABELS,
    WITH,
    WITHOUT,
    agree,
    agree_mutually,
    agree_within,
    compare_labels,
    confusion,
    differ,
    even_kappa,
    hold_out,
    majority,
    margin,
    share_by_part,
    trend,
)
from analysis.multiple import adjust_bh
from analysis.tables import floats
from analysis.vcov import Clustering, choose_clustering
from charts import words
from data.model import Progress, option
from data.queries.votes import Votes
from data.store import Store
from studies.judge_votes import (
    Held,
    Loaded,
    against_reference,
    as_table,
    by_letters,
    clustered,
    clusters,
    columns,
    ended,
    hang_together,
    held,
    load,
    oddities,
    on_both,
    shared,
)
from studies.periods import PERIODS, by_period
from studies.refused import nobody, sentences
from studies.study import Fitted, Result, register

FIGURES = tuple(
    f"{name}{ending}" for name in ("agreement", "people", "kappa", "ac1", "fleiss", "alpha", "ceiling",
                                   "against_others", "advantage") for ending in (WITH, WITHOUT)
)  # fmt: skip
COUNTS = ("pairs", "prompts", "votes", "comparisons", "comparisons_no_ties", "no_majority", "clusters", "clustering")
WITHIN = tuple(f"{name}{ending}" for name in ("agreement", "fleiss", "alpha", "ceiling") for ending in (WITH, WITHOUT))
PART = ("agreement", "lower", "upper", "comparisons", "pairs", "clusters")
TREND = ("slope", "lower", "upper", "p", "comparisons", "days")
MANY = 20
"""Comparisons without ties from which on it is told where kappa hangs on the file's letters."""
MARGINS = ("no majority", "up to a third", "up to two thirds", "more", "unanimous")


PARTS = ("judges", "confusion", "margins", "scenarios", "criteria", "periods", "trends")
Rows = dict[str, list[dict[str, object]]]


@dataclass(frozen=True)
class One:
    """What one judge adds to the answer. rows : of each of PARTS; said : warnings

    kappas : without ties, and as if the file's letters were said alike, where there is enough to tell them apart
    """

    rows: Rows
    said: list[str]
    kappas: tuple[float, float] | None


def _ends(names: tuple[str, ...]) -> list[str]:
    return [f"{name}{ending}" for name in names for ending in ("", "_lower", "_upper")]


@register
@dataclass(frozen=True)
class JudgeAgreement(Fitted):
    """Agreement of each judge with the reference on shared pairs, beyond chance and against the human ceiling."""

    command: ClassVar[str] = "agreement"
    title: ClassVar[str] = "How often do judges agree with people?"
    judges: ClassVar[Literal["any", "reference"]] = "reference"
    clusterings: ClassVar[tuple[str, ...]] = ("auto", "prompt", "pair", "none")
    folded: ClassVar[Mapping[str, tuple[str, ...]]] = {"judges": FIGURES, "human": WITHIN}
    printed: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "judges": ("scenario", "judge", "agreement", "agreement_lower", "agreement_upper", "agreement_no_ties",
                   "people_no_ties", "kappa", "alpha", "ceiling_no_ties", "against_others_no_ties", "pairs",
                   "comparisons"),
        "human": ("scenario", "judge", "agreement", "agreement_lower", "agreement_upper", "agreement_no_ties", "alpha",
                  "ceiling_no_ties", "pairs", "votes"),
        "differences": ("scenario", "judge", "against", "difference", "difference_lower", "difference_upper", "p", "q",
                        "difference_no_ties", "pairs"),
    }  # fmt: skip
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "agreement": "agreement", "agreement_interval": "interval",
        "agreement_no_ties": "without ties", "agreement_no_ties_interval": "interval ", "kappa": "kappa",
        "alpha": "alpha", "ceiling_no_ties": "ceiling, no ties", "against_others_no_ties": "judge, same others",
        "pairs": "pairs", "comparisons": "comparisons",
    }  # fmt: skip

    level_of: str = option(
        "vote", "what is compared: every vote of the reference, or the label that more of its votes have than any "
        "other (pairs without one are left out)", label="Compared is each", choices=("vote", "majority"),
    )  # fmt: skip
    between: bool = option(False, "also hold every two judges against each other", label="Every two judges",
                           advanced=True)  # fmt: skip
    period: str = option("auto", "periods in which agreement over time is shown", label="Periods", choices=PERIODS,
                         advanced=True)  # fmt: skip

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "counting votes")
        data = load(self, store)
        reference = self.judge[0]
        rows: Rows = {name: [] for name in PARTS}
        said: list[str] = []
        # What a judge adds is the same whether or not every two are held against each other.
        alone = replace(self, between=False)
        each, reasons = against_reference(alone, store, data, JudgeAgreement.of_one, progress, 0.9)
        for found in each.values():
            for name, some in found.rows.items():
                rows[name] += some
            said += found.said
        kappas = {judge: found.kappas for judge, found in each.items() if found.kappas is not None}
        if not rows["judges"]:
            raise nobody(reasons)
        said += by_letters(kappas)
        differences = self._differences(data, [str(row["judge"]) for row in rows["judges"]])
        tables = {
            "judges": as_table(rows["judges"], ["judge", *COUNTS, *_ends(FIGURES)]),
            "confusion": as_table(
                rows["confusion"],
                ["judge", "reference_says", "judge_says", "comparisons", "share", "share_of_reference"],
            ),
            "margins": as_table(rows["margins"], ["judge", "margin", *PART]),
            "scenarios": as_table(rows["scenarios"], ["judge", "scenario", *PART]),
            "criteria": as_table(rows["criteria"], ["judge", "criterion", *PART]),
            "human": self._people(data),
            "differences": differences,
            "periods": as_table(rows["periods"], ["judge", "start", "end", *PART]),
            "trends": _with_q(as_table(rows["trends"], ["judge", *TREND])),
        }
        if self.between:
            tables["between"] = self._between(data, progress)
        progress(1.0, "done")
        judges = tables["judges"]
        return Result(
            study=self, tables=tables, values=self._values(judges, differences),
            settings=self.settings() | {"reference": reference, "clustering": hang_together(judges["clustering"])},
            warnings=tuple(dict.fromkeys([*sentences(reasons), *said])), caption=self._caption(judges, reference),
            fingerprint=data.fingerprint,
        )  # fmt: skip

    # -- one judge ---------------------------------------------------------------------------------------------------

    def of_one(self, data: Loaded) -> One | None:
        """What is said of the only judge beside the reference; None where they share no pair."""
        reference, judge = self.judge
        both = shared(data.of(reference), data.of(judge), self.cluster)
        if both is None:
            return None
        said = list(oddities(reference, both.raw, judge))
        if both.clustering.warning is not None:
            said.append(both.clustering.warning)
        rows: Rows = {name: [] for name in PARTS}
        self._add(rows, data, judge, both)
        row = rows["judges"][-1]
        kappa, kappas = row[f"kappa{WITHOUT}"], None
        if isinstance(kappa, float) and int(str(row["comparisons_no_ties"])) > MANY:
            kappas = kappa, even_kappa(self._labelled(both.raw), WITHOUT)
        return One(rows, said, kappas)

    def _labels(self, votes: Ints) -> Ints:
        return majority(votes) if self.level_of == "majority" else votes

    def _labelled(self, raw: PairVotes) -> PairVotes:
        if self.level_of == "vote":
            return raw
        return PairVotes(self._labels(raw.reference), self._labels(raw.judge), raw.cluster, raw.group)

    def _whole(self, both: Held) -> dict[str, object]:
        """Agreement on all pairs, as that of a part is told."""
        return self._parts(self._labelled(both.raw), np.zeros(len(both.pair), dtype=np.int64), both.clustering)[0]

    def _parts(self, labels: PairVotes, part: Ints, clustering: Clustering) -> dict[int, dict[str, object]]:
        """Agreement in each part of the pairs, with ties as this study takes them. part : (n_pairs,), below 0 none"""
        found = share_by_part(labels, part, clustering, ties=self.ties != "drop")
        return {
            at: {**ended(one.found, "agreement", self.level), "comparisons": one.comparisons, "pairs": one.pairs,
                 "clusters": int(one.found.clusters[0])}
            for at, one in found.items()
        }  # fmt: skip

    def _add(self, rows: Rows, data: Loaded, judge: str, both: Held) -> None:
        labels, kinds = self._labelled(both.raw), both.raw.kinds
        # The ceiling leaves single votes out, whichever label is compared.
        found, held_out = agree(labels, both.clustering), hold_out(both.raw, both.clustering)
        pairs, majorities = labels.kinds.rows.times, self.level_of == "majority"
        with_ties, without = (int(labels.kinds.compared(ties)[1] @ pairs) for ties in (True, False))
        people = {
            name: value for ending in (WITH, WITHOUT) for name, value in columns(
                agree_mutually(kinds.reference, kinds.rows, both.clustering, "people", ending), self.level
            ).items()
        }
        rows["judges"].append(
            {
                "judge": judge, "pairs": len(both.pair), "prompts": numbered(both.prompt)[1],
                "votes": int(both.raw.reference.sum()), "comparisons": with_ties,
                "comparisons_no_ties": without,
                "no_majority": int(pairs[~labels.kinds.reference.any(axis=1)].sum()) if majorities else None,
                "clusters": int(found.clusters[0]), "clustering": both.clustering.name,
                **columns(found, self.level), **people, **columns(held_out, self.level),
            }
        )  # fmt: skip
        rows["confusion"] += [{"judge": judge} | row for row in _confusion(labels)]
        said = {"judge": judge}
        width = margin(kinds.reference)
        band = np.select([np.isnan(width), width <= 0, width <= 1 / 3, width <= 2 / 3, width < 1], [-1, 0, 1, 2, 3], 4)
        for at, some in self._parts(labels, band[kinds.rows.kind], both.clustering).items():
            rows["margins"].append(said | {"margin": MARGINS[at]} | some)
        names = {number: name for name, number in data.names.scenarios.items()}
        # A scenario that is not known is below 0.
        for at, some in self._parts(labels, both.scenario, both.clustering).items():
            rows["scenarios"].append(said | {"scenario": names[at]} | some)
        for criterion, votes in data.criteria.items():
            here = shared(data.of(self.judge[0], votes), data.of(judge, votes), self.cluster)
            if here is not None:
                rows["criteria"].append(said | {"criterion": criterion} | self._whole(here))
        self._add_time(rows, data, judge)

    def _add_time(self, rows: Rows, data: Loaded, judge: str) -> None:
        """Agreement by the time at which the judge gave its verdict, with the reference's votes of any time."""
        mine = data.dated.judge_id == data.names.judges[judge][0]
        when, theirs = data.dated.take(mine), data.of(self.judge[0])
        day = data.day[mine]
        known = np.isin(when.pair, theirs.pair)
        when, day = when.take(known), day[known]
        if not len(when):
            return
        both = held(when, theirs.take(np.searchsorted(theirs.pair, when.pair)).counts(), when.counts(), self.cluster)
        labels, when_said = self._labelled(both.raw), np.zeros(len(day), dtype=np.int64)
        periods = []
        for at, (start, end, here) in enumerate(by_period(day, self.period)):
            when_said[here] = at
            periods.append({"judge": judge, "start": start, "end": end})
        for at, some in self._parts(labels, when_said, both.clustering).items():
            rows["periods"].append(periods[at] | some)
        same, whole = labels.compared(self.ties != "drop")
        # Slopes are read by the month.
        found = trend(same, whole, day.astype(np.float64) / 30, both.raw.cluster, both.clustering)
        if not np.isnan(found.value[0]):
            p = found.p_value("slope")
            rows["trends"].append(
                {"judge": judge, **ended(found, "slope", self.level), "p": None if np.isnan(p) else p,
                 "comparisons": int(whole.sum()), "days": int(np.ptp(day)) + 1}
            )  # fmt: skip

    # -- several judges ----------------------------------------------------------------------------------------------

    def _people(self, data: Loaded) -> pd.DataFrame:
        """People with one another, one row a human judge (and the reference, whatever it is) with several votes."""
        rows: list[dict[str, object]] = []
        for judge in self.judge:
            if judge != self.judge[0] and data.names.judges[judge][1] != "human":
                continue
            of = data.of(judge)
            counts = of.counts()
            several = counts.sum(axis=1) > 1
            if not several.any():
                continue
            of, counts = of.take(several), counts[several]
            by = choose_clustering(self.cluster, numbered(of.prompt)[1])
            found = agree_within(counts, clusters(of, by), by)
            rows.append(
                {"judge": judge, "pairs": len(of), "votes": int(counts.sum()), "clusters": int(found.clusters[0]),
                 **columns(found, self.level)}
            )  # fmt: skip
        return as_table(rows, ["judge", "pairs", "votes", "clusters", *_ends(WITHIN)])

    def _differences(self, data: Loaded, judges: list[str]) -> pd.DataFrame:
        """Each judge's agreement less that of the first one after the reference, on the pairs that all three judged."""
        rows: list[dict[str, object]] = []
        reference = data.of(self.judge[0])
        for judge in judges[1:]:
            one, two = data.of(judges[0]), data.of(judge)
            first, second = on_both(one, two)
            one, two = one.take(first), two.take(second)
            at_reference, at_one = on_both(reference, one)
            if not len(at_one):
                continue
            at = reference.take(at_reference)
            counts = [self._labels(v.counts()) for v in (at, one.take(at_one), two.take(at_one))]
            by = choose_clustering(self.cluster, numbered(at.prompt)[1])
            found = differ(counts[0], counts[1], counts[2], clusters(at, by), by)
            row: dict[str, object] = {"judge": judge, "against": judges[0], "pairs": len(at)}
            for ending in (WITH, WITHOUT):
                p = found.p_value(f"difference{ending}")
                row[f"p{ending}"] = None if np.isnan(p) else p
            row["clusters"] = int(found.clusters[2])
            rows.append(row | dict(columns(found, self.level)))
        names = ("agreement", "agreement_against", "difference")
        figures = [f"{name}{ending}" for ending in (WITH, WITHOUT) for name in names]
        return _with_q(
            as_table(rows, ["judge", "against", *_ends(tuple(figures)), "p", "p_no_ties", "pairs", "clusters"])
        )

    def _between(self, data: Loaded, progress: Progress) -> pd.DataFrame:
        """Agreement and kappa of every two judges, on the pairs that both have judged."""
        ending = WITHOUT if self.ties == "drop" else WITH
        of: dict[str, Votes] = {judge: data.of(judge) for judge in self.judge}
        rows: list[dict[str, object]] = []
        couples = list(combinations(self.judge, 2))
        for k, (one, two) in enumerate(couples):
            progress(0.9 + 0.1 * k / len(couples), "comparing judges with one another")
            both = shared(of[one], of[two], self.cluster)
            if both is None:
                continue
            labels = self._labelled(both.raw)
            found = compare_labels(labels, both.clustering, ending)
            named: dict[str, float | None] = {}
            for name in ("agreement", "kappa"):
                numbers = ended(found, f"{name}{ending}", self.level)
                named |= dict(zip((name, f"{name}_lower", f"{name}_upper"), numbers.values(), strict=True))
            whole = int(labels.kinds.compared(ending == WITH)[1] @ labels.kinds.rows.times)
            rows.append({"judge_1": one, "judge_2": two, **named, "comparisons": whole, "pairs": len(both.pair)})
        return as_table(rows, ["judge_1", "judge_2", *_ends(("agreement", "kappa")), "comparisons", "pairs"])

    # -- what is said of it ------------------------------------------------------------------------------------------

    def _values(self, judges: pd.DataFrame, differences: pd.DataFrame) -> dict[str, Any]:
        values: dict[str, Any] = {}
        if len(self.judge) == 2:
            row = judges.iloc[0].to_dict()
            counts = ("pairs", "votes", "comparisons", "comparisons_no_ties", "no_majority")
            values = {name: int(row[name]) for name in counts if not words.absent(row[name])}
            values |= {name: _quantity(row, name) for name in FIGURES}
        if len(self.judge) == 3 and len(differences):
            row = differences.iloc[0].to_dict()
            values = {name: _quantity(row, name) for name in ("difference", "difference_no_ties")}
        return {name: value for name, value in values.items() if value is not None}

    def _caption(self, judges: pd.DataFrame, reference: str) -> str:
        who = words.listing(
            [f"{row['judge']} ({row['comparisons']:,} comparisons on {words.plural(int(row['pairs']), 'pair')})"
             for row in judges.to_dict("records")], 5,
        )  # fmt: skip
        what = "majority labels" if self.level_of == "majority" else "votes"
        hang = clustered(judges["clustering"], judges["clusters"])
        hang += "" if "none" in set(judges["clustering"]) else "; below 50 clusters jackknife, t"
        return (
            f"Agreement of {reference}'s {what} with those of {who}; kappa (Cohen) and AC1 (Gwet) of all comparisons, "
            "Fleiss' kappa and Krippendorff's alpha (nominal) of all votes on a pair, the judge's among them; chance "
            "by how often the file's a, b and tie are said; "
            f"people: every two votes of {reference} on the same pairs; ceiling: each vote of {reference} against the "
            "plurality of the others, and the judge against the same. "
            f"{words.percent(self.level)} intervals, {hang}. Parts and times: "
            f"{'ties left out' if self.ties == 'drop' else 'a tie is a label of its own'}."
        )


def _confusion(labels: PairVotes) -> list[dict[str, object]]:
    """One row a label of the reference and a label of the judge."""
    table = confusion(labels)
    whole, of = table.sum(), table.sum(axis=1)
    return [
        {
            "reference_says": one, "judge_says": two, "comparisons": int(table[i, j]),
            "share": float(table[i, j] / whole) if whole else None,
            "share_of_reference": float(table[i, j] / of[i]) if of[i] else None,
        }
        for i, one in enumerate(LABELS) for j, two in enumerate(LABELS)
    ]  # fmt: skip


def _with_q(table: pd.DataFrame) -> pd.DataFrame:
    """Benjamini-Hochberg over the rows, beside each p."""
    for p in [name for name in table.columns if name in ("p", "p_no_ties")]:
        tested = table[p].notna().to_numpy(dtype=bool)
        q = np.full(len(table), np.nan)
        if tested.any():
            q[tested] = adjust_bh(table.loc[tested, p].to_numpy(dtype=np.float64))
        table.insert(list(table.columns).index(p) + 1, "q" + p[1:], floats(q))
    return table


def _quantity(row: Mapping[Any, Any], name: str) -> dict[str, float] | None:
    if words.absent(row[name]):
        return None
    named = {"value": name, "lower": f"{name}_lower", "upper": f"{name}_upper"}
    return {end: float(row[column]) for end, column in named.items() if not words.absent(row[column])}
