"""Which votes of the reference and of each judge are held against each other, by what they hang together, and what is
wrong with them?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from analysis.agreement import PairVotes
from analysis.cells import Ints
from analysis.cluster_sums import Figures, numbered
from analysis.vcov import Clustering, choose_clustering
from charts import words
from data import queries
from data.model import Progress
from data.queries import Catalog
from data.queries.votes import Column, Votes, votes, votes_by_day
from data.store import Store
from errors import OptionError
from studies.kept import counted_votes, part
from studies.study import Fitted

S = TypeVar("S", bound=Fitted)
T = TypeVar("T")

LOPSIDED = 0.9
"""Share of one side's labels from which on chance-corrected figures speak of the file rather than of the judge."""

BY_LETTERS = 0.05
"""Difference of kappa from that of letters drawn by a coin from which on it is told."""


@dataclass(frozen=True)
class Loaded:
    """What a selection's judges have said.

    votes : of all judges; dated, day : the same by day, where the file has times; criteria : votes by criterion, where
    there are several
    """

    names: Catalog
    votes: Votes
    dated: Votes
    day: Column
    criteria: dict[str, Votes]
    fingerprint: str

    def of(self, judge: str, votes: Votes | None = None) -> Votes:
        """The rows of one judge; of `votes`, where given."""
        return (self.votes if votes is None else votes).of(self.names.judges[judge][0])


def load(study: Fitted, store: Store, *, all_of_it: bool = True) -> Loaded:
    """Fetch the votes that a resolved study selects. all_of_it : also by day and by criterion

    Raises OptionError for clusters that comparisons of different people's votes do not have, and for a single judge;
    EmptySelectionError where nobody gave a verdict.
    """
    study.compared()
    if study.cluster not in study.clusterings:
        raise OptionError(
            f"--cluster {study.cluster}: agreement compares the votes of different people, which hang together by "
            "prompt or by pair"
        )
    with store.reading("counting votes") as con:
        names = queries.catalog(con, study)
        condition = queries.where(study, names, ranked=False)
        counted = counted_votes(store, con, names, study)
        dated, day = votes_by_day(con, names, condition if all_of_it else f"{condition} AND false")
        several = all_of_it and len(names.criteria) > 1
        criteria = {
            name: votes(con, names, queries.where(replace(study, criterion=name), names, ranked=False))
            for name in (names.criteria if several else ())
        }
        fingerprint = queries.fingerprint(con, names, study.judge)
    queries.require_rows(len(counted), "with a verdict")
    return Loaded(names, counted, dated, day, criteria, fingerprint)


@dataclass(frozen=True)
class Held:
    """Two judges on the pairs that both have judged, each array (n_pairs,).

    raw : the votes as they were cast, whichever label is compared
    """

    raw: PairVotes
    pair: Ints
    prompt: Ints
    scenario: Ints
    clustering: Clustering


def shared(one: Votes, two: Votes, cluster: str) -> Held | None:
    """None where no pair is judged by both."""
    first, second = on_both(one, two)
    if not len(first):
        return None
    # Mostly one has judged all pairs of the other.
    one, two = (v if len(rows) == len(v) else v.take(rows) for v, rows in ((one, first), (two, second)))
    return held(one, one.counts(), two.counts(), cluster)


def on_both(one: Votes, two: Votes) -> tuple[Ints, Ints]:
    """The rows of either on the pairs that both have judged, in one order. Votes stand in the order of their pairs."""
    if len(one) == len(two) and (one.pair == two.pair).all():
        return np.arange(len(one)), np.arange(len(one))
    at = np.searchsorted(two.pair, one.pair)
    same = np.zeros(len(at), dtype=bool)
    inside = at < len(two.pair)
    same[inside] = two.pair[at[inside]] == one.pair[inside]
    return np.flatnonzero(same), at[same]


def held(at: Votes, one: Ints, two: Ints, cluster: str) -> Held:
    """at : where they stand; one, two : (n, 3) votes there"""
    clustering = choose_clustering(cluster, numbered(at.prompt)[1])
    nobody = np.zeros(len(at), dtype=np.int64)
    raw = PairVotes(one, two, clusters(at, clustering), nobody)
    return Held(raw, at.pair.astype(np.int64), at.prompt.astype(np.int64), at.scenario.astype(np.int64), clustering)


def clusters(at: Votes, clustering: Clustering) -> Ints:
    """(n,) codes of what hangs together."""
    code: Ints = (at.prompt if clustering.name == "prompt" else at.pair).astype(np.int64)
    return code


def against_reference(
    study: S, store: Store, data: Loaded, of_one: Callable[[S, Loaded], T | None], progress: Progress,
    share: float = 1.0,
) -> tuple[dict[str, T], dict[str, str]]:
    """What is said of each judge beside the reference, kept for whoever asks next; of the others, why it is not.

    of_one : of a study with the reference and one judge; None where they share no pair
    share : of the progress, that this takes
    """
    reference, *others = study.judge
    found: dict[str, T] = {}
    reasons: dict[str, str] = {}
    for k, judge in enumerate(others):
        report = partial(progress, share * k / len(others), f"holding {judge} against {reference}")
        report()
        alone = replace(study, judge=(reference, judge))
        one = part(store, data.names, alone, partial(of_one, alone, data), report)
        if one is None:
            reasons[judge] = nothing_shared(reference, data.names, study.variant)
        else:
            found[judge] = one
    return found, reasons


def nothing_shared(reference: str, names: Catalog, variant: str) -> str:
    """Why a judge cannot be held against the reference, naming the circumstances where there are others."""
    return f"shares no pair with {reference}" + (f" in {variant} circumstances" if len(names.variants) > 1 else "")


def hang_together(names: Iterable[str]) -> str:
    """`prompt`; `pair or prompt` where judges differ in it."""
    return " or ".join(sorted(set(map(str, names))))


def clustered(names: Iterable[str], numbers: Iterable[int]) -> str:
    """`clustered by 120 prompts`, for captions; of several judges the least and the most. numbers : of clusters"""
    by, found = hang_together(names), [int(n) for n in numbers]
    if by == "none":
        return "taken as independent"
    least, most = min(found), max(found)
    if " or " in by:
        return f"clustered by {by} ({least:,} to {most:,} of them)"
    return f"clustered by {words.plural(most, by)}" if least == most else f"clustered by {least:,} to {most:,} {by}s"


def columns(found: Figures, level: float, names: Sequence[str] | None = None) -> dict[str, float | None]:
    """NAME, NAME_lower and NAME_upper of each figure; undefined ones are None."""
    lower, upper = found.interval(level)
    out: dict[str, float | None] = {}
    for name, *ends in zip(found.names, found.value, lower, upper, strict=True):
        if names is None or name in names:
            for ending, number in zip(("", "_lower", "_upper"), ends, strict=True):
                out[f"{name}{ending}"] = None if np.isnan(number) else float(number)
    return out


def ended(found: Figures, name: str, level: float) -> dict[str, float | None]:
    """One figure as a table has it: NAME, lower, upper; undefined ones are None."""
    one = found.one(name, level) or {}
    return {name: one.get("value"), "lower": one.get("lower"), "upper": one.get("upper")}


def as_table(rows: Sequence[dict[str, object]], names: Sequence[str]) -> pd.DataFrame:
    """Rows with these columns, all of them there; numbers that are undefined missing."""
    if not rows:
        return pd.DataFrame([], columns=list(names))
    columns: dict[str, Any] = {}
    for name in names:
        said: list[Any] = [row.get(name, np.nan) for row in rows]
        given = [value for value in said if not words.absent(value)]
        if given and all(isinstance(value, (int, np.integer)) and not isinstance(value, bool) for value in given):
            columns[name] = pd.array([None if words.absent(v) else int(v) for v in said], dtype="Int64")
        elif all(isinstance(value, (float, int)) for value in given):
            columns[name] = pd.array([None if words.absent(v) else float(v) for v in said], dtype="Float64")
        else:
            columns[name] = said
    return pd.DataFrame(columns, columns=list(names))


def by_letters(kappas: Mapping[str, tuple[float, float]]) -> list[str]:
    """Whose kappa hangs on which response the file calls a. kappas : judge -> as it is, and were a drawn by a coin"""
    told = [
        f"{judge} {words.number(found)} ({words.number(even)})"
        for judge, (found, even) in kappas.items() if abs(found - even) >= BY_LETTERS
    ]  # fmt: skip
    if not told:
        return []
    return [
        "kappa, fleiss, alpha and ac1 take chance from how often the file's a and b are said; where it is nobody's "
        "choice which response is called a, kappa without ties would be on average what stands in brackets: "
        + words.listing(told, 5)
    ]


def oddities(who: str, raw: PairVotes, judge: str) -> list[str]:
    """What a reader must know of these votes, in sentences. who : the reference"""
    said = []
    for name, counts in ((who, raw.reference), (judge, raw.judge)):
        n = counts.sum(axis=0)
        total, sides = int(n.sum()), n[:2]
        if total and n[2] == total:
            said.append(
                f"{name} says nothing but ties here (verdicts on a pair that contradict each other are one): "
                "agreement without ties is not defined"
            )
        elif total > 1 and n.max() == total:
            said.append(
                f"{name} always says {'ab'[int(n.argmax())]} here: kappa, alpha and ac1 cannot tell that from chance"
            )
        elif sides.sum() > 20 and sides.max() >= LOPSIDED * sides.sum():
            said.append(
                f"{name} says {'ab'[int(sides.argmax())]} in {words.share(sides.max() / sides.sum())} of its verdicts "
                "without ties, as in a file that names the winner first: kappa, fleiss, alpha and ac1 depend on which "
                "response is called a, agreement does not"
            )
    if (raw.reference.sum(axis=1) < 2).all():
        said.append(
            f"{who} has one vote a pair: how often people agree with one another, and so the ceiling, cannot be told"
        )
    return said
