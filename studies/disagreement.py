"""Why does a judge part from people: noise of people, its own noise, or taste, and which taste?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from analysis.cluster_sums import numbered
from analysis.disagreement import FEW, JUDGE, PEOPLE, SAID, Disagreement, Replies, decompose, first_pairs
from analysis.tables import floats
from analysis.vcov import Clustering, choose_clustering
from charts import words
from data import queries
from data.model import Progress, option
from data.queries import Catalog, Con
from data.queries import differences as rows_queries
from data.queries import texts as texts_queries
from data.queries.places import Places, places
from data.queries.replies import Rows, replies
from data.queries.runs import runs
from data.queries.texts import TEXT, Source
from data.queries.votes import Votes
from data.store import Store
from errors import NotIdentifiedError, OptionError
from studies.extract import versions
from studies.factor_data import KNOWN_ORDER, NOT_RECORDED
from studies.factor_options import choose, usual
from studies.judge_votes import as_table
from studies.kept import counted_votes
from studies.refused import NAMED, nobody, sentences
from studies.study import Finding, Fitted, Result, register
from texts.registry import factors

STYLE = ("length", "formatting", "tone", "wording")
"""Groups of the taxonomy that are length or style; sources, the prompt and what files delivered are content."""

POSITION, LENGTH, CONTENT = "position", "length and style", "content"
ITS = "{its}"
"""Stands for `its` or `their` in what is said of one judge or of several."""

PARTS = ("judge", "part", "share", "share_lower", "share_upper", "value", "lower", "upper")
JUDGES = ("judge", "disagreement", "disagreement_lower", "disagreement_upper", "systematic", "systematic_lower",
          "systematic_upper", "pairs", "votes", "clusters", "clustering", "pairs_with_repeats")  # fmt: skip
PAIRS = ("judge", "part", "pair", "people", "judge_mean", "votes", "size")


@register
@dataclass(frozen=True)
class DisagreementParts(Fitted):
    """The disagreement of each judge with people's single votes, in parts that add up to all of it."""

    command: ClassVar[str] = "disagreement"
    title: ClassVar[str] = "Why do a judge and people part?"
    clusterings: ClassVar[tuple[str, ...]] = ("auto", "prompt", "pair", "none")
    judges: ClassVar[Literal["any", "reference"]] = "reference"
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "part": "part", "share": "share", "share_interval": "interval", "value": "of the squared "
        "difference",
    }  # fmt: skip

    factor: tuple[str, ...] = option(
        (), "a factor (repeatable) that taste is told by; left out: the usual ones that were measured, and all that "
        "the files delivered", label="Factors", names="factor",
    )  # fmt: skip
    limit: int = option(5, "how many pairs are listed for each part", label="Pairs for each part", advanced=True)

    def resolve(self, store: Store) -> Self:
        study = super().resolve(store)
        if study.limit < 0:
            raise OptionError(f"--limit {study.limit}: 0 or more pairs")
        with store.reading("looking for factors") as con:
            names = queries.catalog(con, study)
            found = texts_queries.sources(con, names, versions())
            n_texts = texts_queries.responses(con, names)["texts"]
        # Without factors the parts that need none still stand.
        chosen = choose(found, study.factor, names.dataset, n_texts) if study.factor else tuple(usual(found))
        by_judgment = [name for name in study.factor if found[name].by_judgment]
        if by_judgment:
            raise OptionError(
                f"--factor {by_judgment[0]}: its values differ by judgment, and disagreement is told by what two "
                "responses are to everybody; leave it out"
            )
        return replace(study, factor=tuple(name for name in chosen if not found[name].by_judgment))

    def stamp(self, con: Con, names: Catalog) -> str:
        return f"{super().stamp(con, names)} {texts_queries.state(con, versions())}"

    def answer(self, store: Store, progress: Progress) -> Result:
        self.compared()
        if self.cluster not in self.clusterings:
            raise OptionError(f"--cluster {self.cluster}: votes of different people hang together by prompt or pair")
        progress(0.0, "counting votes")
        with store.reading("counting votes") as con:
            names = queries.catalog(con, self)
            condition = queries.where(self, names, ranked=False)
            counted = counted_votes(store, con, names, self)
            said = replies(con, names, queries.where(replace(self, judge=self.judge[1:]), names, ranked=False))
            found = texts_queries.sources(con, names, versions())
            chosen = [found[name] for name in self.factor]
            differences = rows_queries.differences(con, names, chosen, condition) if chosen else None
            placed = places(con, names, condition)
            fingerprint = queries.fingerprint(con, names, self.judge)
        queries.require_rows(len(counted), "with a verdict")
        x = np.empty((0, 0)) if differences is None else np.asarray(differences.x, dtype=np.float64)
        unit = np.empty(0) if differences is None else differences.unit
        reference, *others = self.judge
        people = _several(counted.of(names.judges[reference][0]), self.ties)
        if not len(people):
            raise NotIdentifiedError(
                f"no pair has two votes of {reference}{' without ties' if self.ties == 'drop' else ''}: how far people "
                "part among themselves cannot be told"
            )
        reasons: dict[str, str] = {}
        rows: dict[str, list[dict[str, object]]] = {"parts": [], "judges": [], "pairs": []}
        warnings = _no_factors(found, self.factor)
        kept: dict[str, Disagreement] = {}
        said_of: dict[str, list[str]] = {}
        few: dict[str, None] = {}
        for k, judge in enumerate(others):
            progress(k / len(others), f"sharing out the disagreement of {judge}")
            try:
                one = self._one(people, said.of(names.judges[judge][0]), x, unit, chosen, placed)
                found_parts = decompose(one.said, self.level, self.seed)
            except NotIdentifiedError as error:
                reasons[judge] = str(error)
                continue
            kept[judge] = found_parts
            for why in (*one.warnings, *_remarks(found_parts)):
                said_of.setdefault(why, []).append(judge)
            few.update(dict.fromkeys(w for w in (one.clustering.warning, _few(found_parts, one.clustering)) if w))
            self._add(rows, judge, found_parts, one)
        if not kept:
            raise nobody(reasons)
        progress(1.0, "done")
        tables = {
            "parts": as_table(rows["parts"], PARTS), "judges": as_table(rows["judges"], JUDGES),
            "pairs": as_table(rows["pairs"], PAIRS),
        }  # fmt: skip
        return Result(
            study=self, tables=tables, values=_values(kept), fingerprint=fingerprint,
            settings=self.settings() | {"reference": reference, "clustering": rows["judges"][0]["clustering"]},
            warnings=(*sentences(reasons), *warnings, *_by_judge(said_of), *few),
            caption=self._caption(kept, reference),
            findings=tuple(Finding(_sentence(judge, reference, one)) for judge, one in kept.items()),
        )  # fmt: skip

    def _one(
        self, people: Votes, said: Rows, x: NDArray[Any], unit: NDArray[Any], chosen: Sequence[Source], placed: Places
    ) -> _Input:
        counts = np.column_stack([said[name] for name in ("a", "b", "tie")]).astype(np.int64)
        if self.ties == "drop":
            counts[:, 2] = 0
        # Pairs ascend in both: of people each once, of a judge as often as it has voters and orders.
        at = np.minimum(np.searchsorted(people.pair, said["pair"]), len(people) - 1)
        rows = np.flatnonzero(counts.any(axis=1) & (people.pair[at] == said["pair"]))
        if not len(rows):
            raise NotIdentifiedError("shares no pair on which people have two votes or more")
        said, counts = said.take(rows), counts[rows]
        at, met = numbered(at[rows])[0], runs([at[rows]])
        here = people.take(np.searchsorted(people.pair, said["pair"][met]))
        clustering = choose_clustering(self.cluster, numbered(here.prompt)[1])
        shown = said["shown"].astype(np.float64)
        warnings = []
        columns, group = [], []
        why = _no_position(shown, counts)
        if why is None:
            columns.append(shown)
            group.append(POSITION)
        else:
            warnings.append(f"position is no part of its own: {why}")
        known = {one.name: one.group for one in factors()}
        never = []
        for k, source in enumerate(chosen):
            column = x[k][np.searchsorted(unit, said["pair"])]
            if not np.isfinite(column).any():
                never.append(source.name)
                continue
            columns.append(column)
            style = source.origin == TEXT and known.get(source.name.removeprefix("text:")) in STYLE
            group.append(LENGTH if style else CONTENT)
        if never:
            warnings.append(f"no pair has {words.quoted(never, 6)}, left out")
        order = np.argsort([(POSITION, LENGTH, CONTENT).index(name) for name in group], kind="stable")
        table = np.column_stack([columns[i] for i in order]) if columns else np.empty((len(rows), 0))
        votes_here = here.counts()
        replies_here = Replies(
            votes_here, placed.codes(here.pair, clustering.name), at, counts, table, tuple(group[i] for i in order)
        )
        return _Input(replies_here, here, clustering, tuple(warnings))

    def _add(
        self, rows: dict[str, list[dict[str, object]]], judge: str, one: Disagreement, given: _Input
    ) -> None:
        table = one.table().to_dict("records")
        rows["parts"] += [{"judge": judge} | {str(name): value for name, value in row.items()} for row in table]
        ends = floats([one.total_lower, one.total_upper, one.systematic_lower, one.systematic_upper])
        rows["judges"].append(
            {
                "judge": judge, "disagreement": one.total, "disagreement_lower": ends[0], "disagreement_upper": ends[1],
                "systematic": one.systematic, "systematic_lower": ends[2], "systematic_upper": ends[3],
                "pairs": one.pairs, "votes": one.votes, "clusters": one.clusters,
                "clustering": given.clustering.name, "pairs_with_repeats": one.repeats,
            }
        )  # fmt: skip
        mean = given.said.votes @ SAID / given.said.votes.sum(axis=1)
        for part, at, size in first_pairs(one, self.limit):
            rows["pairs"].append(
                {
                    "judge": judge, "part": part, "pair": int(given.at.pair[at]), "people": float(mean[at]),
                    "judge_mean": float(mean[at] + one.difference[at]), "size": size,
                    "votes": int(given.said.votes[at].sum()),
                }
            )  # fmt: skip

    def _caption(self, kept: Mapping[str, Disagreement], reference: str) -> str:
        who = words.listing([f"{judge} ({words.plural(one.pairs, 'pair')}, {one.votes:,} votes, "
                             f"{one.clusters:,} clusters)" for judge, one in kept.items()], 5)  # fmt: skip
        ties = "ties left out" if self.ties == "drop" else "a tie is half"
        return (
            f"Mean squared difference of a verdict and a vote of {reference}; pairs with two votes or more ({ties}): "
            f"{who}. Each pair weighs by its votes; taste is shared out by the Shapley value of what position, length "
            f"and style, and content explain on prompts left out (5 folds). {words.percent(self.level)} intervals, "
            "studentised, over clusters drawn with replacement."
        )


@dataclass(frozen=True)
class _Input:
    """What `decompose` takes of a judge. at : the pairs as people voted on them"""

    said: Replies
    at: Votes
    clustering: Clustering
    warnings: tuple[str, ...]


def _no_factors(found: Mapping[str, Source], chosen: Sequence[str]) -> list[str]:
    """What must be known of factors that taste is not told by. chosen : those that it is told by"""
    ordinary = usual(found)
    by_judgment = [name for name in ordinary if found[name].by_judgment]
    out = []
    if by_judgment and set(chosen) == set(ordinary) - set(by_judgment):
        one = len(by_judgment) == 1
        out.append(
            f"{words.quoted(by_judgment, 6)} {'differs' if one else 'differ'} by judgment and {'is' if one else 'are'} "
            "left out: taste is told by what two responses are to everybody"
        )
    if not chosen:
        more = "no other factor is known" if out else "no factor is known"
        out.append(
            f"{more} of these responses: all taste beside position is unexplained until their texts are measured (page "
            "Factors, or factors extract)"
        )
    return out


def _several(of: Votes, ties: str) -> Votes:
    """The pairs with two votes or more, without ties where these are dropped."""
    if ties == "drop":
        of = replace(of, tie=np.zeros_like(of.tie))
    return of.take(of.counts().sum(axis=1) > 1)


def _no_position(shown: NDArray[Any], counts: NDArray[Any]) -> str | None:
    """Why the shown order is no part of its own; None: it is one."""
    known = float((shown != 0).mean())
    if known == 0:
        return NOT_RECORDED
    if known < KNOWN_ORDER:
        return f"the shown order is known for {words.share(known)} of the verdicts, and {KNOWN_ORDER:.0%} are asked for"
    toward = shown * (counts[:, 0] - counts[:, 1])
    if not toward.any():
        return "{its} verdicts in each order are ties, or cancel each other"
    if (toward >= 0).all() or (toward <= 0).all():
        return f"here the response shown {'first' if (toward >= 0).all() else 'second'} always wins"
    return None


def _remarks(one: Disagreement) -> list[str]:
    """What must be known of a judge's parts; none names the judge, so that what many share is said once."""
    out = []
    if not one.repeats:
        out.append("no repeats in one order: {its} own noise is not identified, and included in the parts of taste")
    elif one.repeats < one.pairs:
        out.append(f"{ITS} noise is that of {one.repeats:,} of {words.plural(one.pairs, 'pair')}, those with repeats")
    if one.in_fit < one.rows:
        missing = one.rows - one.in_fit
        out.append(f"{missing:,} of {one.rows:,} verdicts lack a factor; of these all taste is unexplained")
    below = [name for name, value in zip(one.names, one.value, strict=True) if name in one.groups and value < 0]
    if below:
        out.append(f"{words.listing(below, 3)} below 0: predicts worse than nothing on prompts left out, as many "
                   "factors of few prompts do")  # fmt: skip
    return out


def _few(one: Disagreement, clustering: Clustering) -> str | None:
    if clustering.name == "none" or one.clusters >= FEW:
        return None
    return f"{one.clusters} {clustering.name}s are too few to draw from: these intervals rest on Student's t alone"


def _by_judge(said_of: Mapping[str, Sequence[str]]) -> list[str]:
    """`gpt-4 and gpt-3: why`. said_of : why -> the judges of whom it is true"""
    return [
        f"{words.listing(list(judges), NAMED)}: {why.replace(ITS, 'its' if len(judges) == 1 else 'their')}"
        for why, judges in said_of.items()
    ]


def _sentence(judge: str, reference: str, one: Disagreement) -> str:
    noise = dict(zip(one.names, one.share, strict=True))
    own = f", {words.share(noise[JUDGE])} its own noise" if JUDGE in noise else ""
    return (
        f"{judge} and a vote of {reference} are {words.number(one.total)} apart in the mean square: "
        f"{words.share(noise[PEOPLE])} of it is people's own disagreement{own}, "
        f"{words.share(one.systematic / one.total)} taste"
    )


def _values(kept: Mapping[str, Disagreement]) -> dict[str, Any]:
    """Of a single judge: the whole, and its parts before taste is shared out."""
    if len(kept) != 1:
        return {}
    one = next(iter(kept.values()))
    parts = {"disagreement": (one.total, one.total_lower, one.total_upper)}
    for name, key in ((PEOPLE, "noise_people"), (JUDGE, "noise_judge")):
        if name in one.names:
            at = one.names.index(name)
            parts[key] = (one.value[at], one.lower[at], one.upper[at])
    parts["systematic"] = (one.systematic, one.systematic_lower, one.systematic_upper)
    found: dict[str, Any] = {
        name: {end: float(v) for end, v in zip(("value", "lower", "upper"), numbers, strict=True) if np.isfinite(v)}
        for name, numbers in parts.items()
    }
    return found | {"pairs": one.pairs, "votes": one.votes}
