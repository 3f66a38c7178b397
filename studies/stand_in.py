"""May each judge stand in for one of the people? The verdict in one line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from analysis.stand_in import MARGIN, SMALLEST, StandIn, judge_stand_in
from charts import words
from data.model import Progress, option
from data.store import Store
from errors import OptionError
from studies.judge_votes import (
    Loaded,
    against_reference,
    as_table,
    clustered,
    hang_together,
    load,
    oddities,
    shared,
)
from studies.refused import nobody, sentences
from studies.study import Finding, Fitted, Result, register

SAID = {
    "may stand in": "{} may stand in for {}", "not": "{} may not stand in for {}",
    "undecided": "whether {} may stand in for {} is undecided",
}  # fmt: skip
TIES_MATTER = 0.02
"""How much an advantage must change without ties to be said without them too."""

MANY = 3
"""Judges from beyond which on it is first said how many may."""

COLUMNS = ("judge", "verdict", "advantage", "lower", "upper", "p", "agreement", "ceiling", "comparisons", "pairs",
           "clusters", "clustering", "reason", "advantage_no_ties", "lower_no_ties", "upper_no_ties")  # fmt: skip


@dataclass(frozen=True)
class One:
    """What one judge adds to the answer. said : warnings"""

    found: StandIn
    clustering: str
    said: list[str]


@register
@dataclass(frozen=True)
class JudgeStandIn(Fitted):
    """Whether each judge may stand in for one of the people: agreement with the others, against people's own."""

    command: ClassVar[str] = "stand-in"
    title: ClassVar[str] = "May it stand in for people?"
    judges: ClassVar[Literal["any", "reference"]] = "reference"
    clusterings: ClassVar[tuple[str, ...]] = ("auto", "prompt", "pair", "none")
    printed: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "judges": ("judge", "verdict", "advantage", "lower", "upper", "advantage_no_ties", "p", "agreement", "ceiling",
                   "pairs", "clusters", "reason"),
    }  # fmt: skip
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "verdict": "verdict", "agreement": "agreement with the others", "ceiling": "people's",
        "advantage": "advantage", "interval": "interval", "advantage_no_ties": "without ties", "pairs": "pairs",
        "reason": "reason",
    }  # fmt: skip

    margin: float = option(
        MARGIN, "how much less than a person a judge may agree with the others, as a share", label="Margin"
    )
    smallest: int = option(
        SMALLEST, "pairs that must be compared before any verdict", label="Smallest number of pairs"
    )

    def answer(self, store: Store, progress: Progress) -> Result:
        if not 0 <= self.margin < 1:
            raise OptionError(f"--margin {self.margin:g}: a share from 0 up to but not 1, usually .05")
        if self.smallest < 2:
            raise OptionError(f"--smallest {self.smallest}: at least 2 pairs")
        progress(0.0, "counting votes")
        data = load(self, store, all_of_it=False)
        reference = self.judge[0]
        each, reasons = against_reference(self, store, data, JudgeStandIn.of_one, progress)
        found = {judge: one.found for judge, one in each.items()}
        rows: list[dict[str, object]] = []
        said: list[str] = []
        for judge, one in each.items():
            said += one.said
            row = {name: None if words.absent(value) else value for name, value in asdict(one.found).items()}
            rows.append({"judge": judge, "clustering": one.clustering, **row})
        if not found:
            raise nobody(reasons)
        progress(1.0, "done")
        table = as_table(rows, COLUMNS)
        return Result(
            study=self, tables={"judges": table}, values=_values(found), warnings=tuple(
                dict.fromkeys([*sentences(reasons), *said])
            ), settings=self.settings() | {"reference": reference, "clustering": hang_together(table["clustering"])},
            caption=self._caption(reference, found, clustered(table["clustering"], table["clusters"])),
            fingerprint=data.fingerprint,
            findings=conclusions(reference, found, self.margin),
        )  # fmt: skip

    def of_one(self, data: Loaded) -> One | None:
        """What is said of the only judge beside the reference; None where they share no pair."""
        reference, judge = self.judge
        both = shared(data.of(reference), data.of(judge), self.cluster)
        if both is None:
            return None
        said = []
        if 1 < int(both.raw.reference.sum(axis=1).max()) < 3:
            said.append(
                f"{judge}: {reference} gave two votes a pair at most, so that the others are one person: this says "
                "that the judge is as much like one of them as the two are like each other"
            )
        said += [one for one in oddities(reference, both.raw, judge) if "ceiling" in one or "nothing but" in one]
        if both.clustering.warning is not None:
            said.append(both.clustering.warning)
        found = judge_stand_in(both.raw, both.clustering, ties=self.ties != "drop", margin=self.margin,
                               smallest=self.smallest, level=self.level)  # fmt: skip
        return One(found, both.clustering.name, said)

    def _caption(self, reference: str, found: Mapping[str, StandIn], hang: str) -> str:
        n = [one.comparisons for one in found.values()]
        many = f"{min(n):,}" if min(n) == max(n) else f"{min(n):,} to {max(n):,}"
        ties = "what is a tie on any side left out" if self.ties == "drop" else "a tie is a label of its own"
        return (
            f"Advantage: a judge's agreement with the plurality of {reference}'s other votes less that of the vote "
            f"left out, on the same {many} comparisons ({ties}); {words.percent(self.level)} intervals, {hang}. "
            f"A judge may stand in when the lower end is above {words.number(-self.margin)}, and may not when the "
            f"upper end is below it; no verdict below {words.plural(self.smallest, 'pair')}."
        )


def conclusions(reference: str, found: Mapping[str, StandIn], margin: float) -> tuple[Finding, ...]:
    """How many may, may not and are undecided, where there are many; then each, the best first; last, in one sentence,
    all of whom nothing can be told for one and the same reason."""
    told = {judge: one for judge, one in found.items() if not np.isnan(one.advantage)}
    best_first = sorted(told.items(), key=lambda item: -item[1].advantage)
    said = [sentence(judge, reference, one, margin) for judge, one in best_first]
    if len(said) > MANY:
        counts = {verdict: sum(one.verdict == verdict for one in found.values()) for verdict in SAID}
        said.insert(0, f"of {len(found):,} judges {counts['may stand in']:,} may stand in for {reference}, "
                    f"{counts['not']:,} may not, and {counts['undecided']:,} are undecided")  # fmt: skip
    unknown: dict[str, list[str]] = {}
    for judge, one in found.items():
        if np.isnan(one.advantage):
            unknown.setdefault(str(one.reason), []).append(judge)
    for reason, judges in unknown.items():
        who = f"any of {len(judges):,} judges" if len(judges) > MANY else words.listing(judges)
        said.append(f"{SAID['undecided'].format(who, reference)}: {reason}")
    return tuple(Finding(text) for text in said)


def sentence(judge: str, reference: str, one: StandIn, margin: float = MARGIN) -> str:
    """`gpt-4 may not stand in for crowd: it agrees ...`"""
    start = SAID[one.verdict].format(judge, reference)
    if np.isnan(one.advantage):
        return f"{start}: {one.reason}"
    points = words.estimate(100 * one.advantage, 100 * one.lower, 100 * one.upper, 1)
    why = f". {one.reason[:1].upper()}{one.reason[1:]}" if one.verdict == "undecided" and one.reason else ""
    if abs(one.advantage - one.advantage_no_ties) >= TIES_MATTER and not np.isnan(one.lower_no_ties):
        value, low, high = (100 * end for end in (one.advantage_no_ties, one.lower_no_ties, one.upper_no_ties))
        without = "may stand in" if low > -100 * margin else "may not" if high < -100 * margin else "undecided"
        why += f". Without ties it would be {words.estimate(value, low, high, 1)}: {without}"
    return (
        f"{start}: it agrees with most of the others in {words.share(one.agreement)} of {one.comparisons:,} "
        f"comparisons, {_votes(reference)} do in {words.share(one.ceiling)}, a difference of {points} points{why}"
    )


def _votes(reference: str) -> str:
    """Whose votes the judge is beside: one person, or one judge of people, is not called people."""
    return reference if reference.casefold() in words.PLURAL else f"votes of {reference}"


def _values(found: Mapping[str, StandIn]) -> dict[str, Any]:
    """Of a single judge: its verdict and what it rests on."""
    if len(found) != 1:
        return {}
    one = next(iter(found.values()))
    advantage = {"value": one.advantage, "lower": one.lower, "upper": one.upper}
    known = {end: number for end, number in advantage.items() if not np.isnan(number)}
    quantities = {
        "verdict": one.verdict, "p": None if np.isnan(one.p) else one.p, "pairs": one.pairs,
        "comparisons": one.comparisons, "advantage": known or None,
    }  # fmt: skip
    return {name: value for name, value in quantities.items() if value is not None}
