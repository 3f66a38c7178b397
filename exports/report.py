"""What is the whole story of a dataset, for somebody who never saw the app? One report, section after section.

Each section asks studies, opens with its finding and says in a line why where a study refuses. How the story is set as
a page is `exports.report_page`'s.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar

from charts import words
from data import queries
from data.model import Progress, option, silent
from data.queries import Catalog
from data.store import Store
from errors import JurylensError
from exports import provenance, references
from studies import naming
from studies.factor_labels import by_factor
from studies.overview import question
from studies.study import Fitted, Result, Study, human_first

MOST_JUDGES = 6
"""Of whom a report tells where nobody has chosen: more would be a book."""


@dataclass(frozen=True)
class Report(Fitted):
    """One page that tells the whole story of a dataset: rankings, reasons, scenarios, judges, examples, methods."""

    # Not registered: its options are those of every section, but `story` answers it, from the results of many studies.
    command: ClassVar[str] = "report"
    title: ClassVar[str] = "Report"
    # Rankings can; what cannot says so.
    models_ties: ClassVar[bool] = True

    examples: int = option(3, "how many pairs on which the judges part are shown", label="Examples", advanced=True)

    def default_judges(self, names: Catalog) -> tuple[str, ...]:
        """All, the only human one first; `story` takes as many as a report has room for."""
        return human_first(names)


@dataclass(frozen=True)
class Figure:
    """A drawing of a result. name : which of the result's drawings; caption : what it must say"""

    result: Result
    name: str
    caption: str


@dataclass(frozen=True)
class Table:
    """Rows that stand in the page. columns : heading, cells, whether they are words; more : rows left out"""

    caption: str
    columns: tuple[tuple[str, tuple[str, ...], bool], ...]
    more: int = 0


@dataclass(frozen=True)
class Example:
    """A pair on which judges part. verdicts : judge and what it said, in words"""

    prompt: str
    answers: tuple[tuple[str, str], tuple[str, str]]
    verdicts: str
    scenario: str = ""


@dataclass(frozen=True)
class Section:
    """One chapter. finding, more : Markdown of the program's own, names escaped; trust : the grey line below

    refused : why a study could not answer, as it says itself; distrust : what its results warn of
    """

    key: str
    title: str
    finding: str = ""
    more: tuple[str, ...] = ()
    trust: str = ""
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    examples: tuple[Example, ...] = ()
    refused: tuple[str, ...] = ()
    results: tuple[Result, ...] = ()


@dataclass(frozen=True)
class Method:
    """How a section's numbers were had. keys : of its sources; instead : choices it could not take, in sentences"""

    title: str
    caption: str
    command: str
    keys: tuple[str, ...]
    instead: tuple[str, ...] = ()


@dataclass(frozen=True)
class Remark:
    """Something to distrust. severity : 2 a reason to distrust, 1 worth knowing, 0 a condition; where : whose it is"""

    text: str
    severity: int
    remedy: str
    where: str


@dataclass(frozen=True)
class Story:
    """A whole report. decimals : those that the dataset's numbers are shown with"""

    title: str
    dataset: str
    simulated: bool
    reference: str | None
    others: tuple[str, ...]
    sections: tuple[Section, ...]
    remarks: tuple[Remark, ...]
    methods: tuple[Method, ...]
    sources: tuple[str, ...]
    settings: tuple[tuple[str, str], ...]
    fingerprint: str
    command: str
    versions: tuple[tuple[str, str], ...]
    said: tuple[str, ...] = ()
    decimals: int | None = None


AUTOMATIC = "by prompt from 10 prompts on, else by pair"
"""What hangs together where a study takes its default."""

Ask = Callable[[Study, Progress], Result]
"""Runs a study: on a store, or from the results that a page keeps."""


@dataclass
class Teller:
    """Who asks the studies for a report.

    asked : resolved; commands : the studies as they were asked, by command
    instead : by command, what was asked for and could not be taken: option -> what was taken, in words
    """

    asked: Report
    names: Catalog
    store: Store
    ask: Ask
    progress: Progress
    reference: str | None
    commands: dict[str, Study]
    instead: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def others(self) -> tuple[str, ...]:
        """Those who are held against the reference; everybody where there is none."""
        return tuple(judge for judge in self.asked.judge if judge != self.reference)

    def result(self, cls: type[Study], into: list[str] | None = None, **options: Any) -> Result | None:
        """A study's answer on the report's selection; None where it refuses, its sentence then in `into`."""
        study = self.study(cls, **options)
        self.commands[study.command] = study
        try:
            return self.ask(study, self.progress)
        except JurylensError as error:
            if into is not None and str(error) not in into:
                into.append(str(error))
            return None

    def study(self, cls: type[Study], **options: Any) -> Study:
        """The report's selection as that study takes it; what it cannot take stays at its default."""
        known = {each.name: each for each in fields(cls)}
        given = {name: getattr(self.asked, name) for name in (f.name for f in fields(Fitted)) if name in known}
        instead: dict[str, str] = {}
        if issubclass(cls, Fitted):
            drop, modelled = ("drop",) * cls.drops_ties, ("davidson", "rao-kupper") * cls.models_ties
            if given["ties"] not in ("half", *drop, *modelled):
                instead["ties"] = words.ties(str(known["ties"].default))
                del given["ties"]
            if given["cluster"] not in cls.clusterings:
                instead["cluster"] = AUTOMATIC
                del given["cluster"]
        self.instead[cls.command] = instead
        return cls(**{**given, **options})


def story(asked: Report, store: Store, *, ask: Ask | None = None, progress: Progress = silent) -> Story:
    """The report of a dataset. ask : how studies are run; left out: on the store

    Raises UnknownNameError, OptionError, EmptySelectionError for what does not exist or holds no judgments.
    """
    with store.kept_open() as kept:
        with kept.reading("looking up names") as con:
            display = queries.display(con, asked.dataset)
        asked = naming.here(asked, display)
        resolved = asked.resolve(kept)
        with kept.reading("looking at who judged") as con:
            names = queries.catalog(con, resolved)
            counts = {row["judge"]: row["judgments"] for row in queries.dataset_facts(con, names.dataset_id).judges}
        said: list[str] = []
        gone = naming.left_out(asked, names.display)["judge"] if store.shown else frozenset()
        resolved = replace(resolved, judge=tuple(judge for judge in resolved.judge if judge not in gone))
        if len(asked.judge) in (0, len(names.judges)) and len(resolved.judge) > MOST_JUDGES:
            resolved, line = _first_judges(resolved, names, counts)
            said.append(line)
        reference = _reference(asked, resolved, names)
        run = ask or (lambda study, say: naming.as_shown(study.run(kept, say)))
        teller = Teller(resolved, names, kept, run, silent, reference, {})
        with words.decimals(names.display.decimals if store.shown else None):
            sections = _told(teller, progress)
        versions = tuple(provenance.versions().items())
    results = [result for section in sections for result in section.results]
    methods = _methods(results, teller)
    again = naming.in_real_names(replace(asked, dataset=resolved.dataset), display)
    keys = dict.fromkeys(key for method in methods for key in method.keys)
    return Story(
        title=question(names.judges, reference, resolved.judge), dataset=str(resolved.dataset),
        simulated=names.simulated, reference=reference, others=teller.others, sections=tuple(sections),
        remarks=tuple(_remarks(sections, _instead(teller, results))), methods=methods, sources=tuple(keys),
        settings=_settings(resolved, reference), fingerprint=_fingerprint(results),
        command=f"{again.command_line()} --to report.html", versions=versions,
        said=tuple(said), decimals=names.display.decimals if store.shown else None,
    )  # fmt: skip


def _told(teller: Teller, progress: Progress) -> list[Section]:
    """Every section that has something to say, or why it has not."""
    from exports.report_sections import SECTIONS

    sections = []
    for k, tell in enumerate(SECTIONS):
        teller.progress = _part(progress, k / len(SECTIONS), 1 / len(SECTIONS))
        teller.progress(0.0, (tell.__doc__ or "").lower())
        section = tell(teller)
        if section is not None:
            sections.append(section)
    return sections


def _part(progress: Progress, start: float, share: float) -> Progress:
    return lambda done, text: progress(start + share * done, text)


def _first_judges(study: Report, names: Catalog, counts: dict[str, int]) -> tuple[Report, str]:
    """The reference and those with most judgments, in the order they have."""
    first, *others = study.judge
    most = set(sorted(others, key=lambda judge: -counts.get(judge, 0))[: MOST_JUDGES - 1])
    kept = (first, *(judge for judge in others if judge in most))
    n = len(study.judge)
    return replace(study, judge=kept), (
        f"This report tells of {len(kept)} of {n:,} judges, those with most judgments; others can be chosen."
    )


def _reference(asked: Report, study: Report, names: Catalog) -> str | None:
    """Who the others are held against: the first that was chosen, else the only human judge."""
    if len(study.judge) < 2:
        return None
    return study.judge[0] if len(asked.judge) > 1 or names.humans == [study.judge[0]] else None


def _methods(results: Iterable[Result], teller: Teller) -> tuple[Method, ...]:
    """One a study, in the order of the sections."""
    out: dict[str, Method] = {}
    for result in results:
        study = result.study
        out.setdefault(study.command, Method(
            study.title or study.command, result.caption,
            naming.in_real_names(teller.commands[study.command], result.display).command_line(),
            references.cite_keys(study.command, result.settings),
            tuple(
                f"{_asked_for(teller.asked, choice)} was asked for, which this cannot take; here it is: {taken}."
                for choice, taken in teller.instead.get(study.command, {}).items()
            ),
        ))  # fmt: skip
    return tuple(out.values())


def _asked_for(asked: Report, choice: str) -> str:
    return f"“{words.ties(asked.ties)}”" if choice == "ties" else f"“intervals by {asked.cluster}”"


def _instead(teller: Teller, results: Iterable[Result]) -> list[Remark]:
    """Which studies took another rule than the one asked for, one remark a rule."""
    answered = {result.study.command: result.study.title or result.study.command for result in results}
    out = []
    for choice in ("ties", "cluster"):
        by_rule: dict[str, list[str]] = {}
        for command, title in answered.items():
            if choice in teller.instead.get(command, {}):
                by_rule.setdefault(teller.instead[command][choice], []).append(f"“{title}”")
        out += [
            Remark(f"{_asked_for(teller.asked, choice)} was asked for; {words.listing(titles, 20)} cannot take that, "
                   f"and {'has' if len(titles) == 1 else 'have'} instead: {rule}", 1, "", "the report")
            for rule, titles in by_rule.items()
        ]  # fmt: skip
    return out


def _remarks(sections: Iterable[Section], first: Iterable[Remark]) -> Iterable[Remark]:
    """Findings of the health check and the results' warnings, the gravest first, each once. first : others"""
    found = {one.text: one for one in first}
    for section in sections:
        for result in section.results:
            if result.study.command == "datasets health":
                for one in result.findings:
                    found.setdefault(one.text, Remark(one.text, one.severity, one.remedy, "the dataset"))
            for text in map(_for_readers, result.warnings):
                found.setdefault(text, Remark(text, 0, "", section.title))
    return sorted(found.values(), key=lambda one: -one.severity)


def _for_readers(text: str) -> str:
    """A warning for who has neither the app nor the commands: without what to type, factors by their labels."""
    return by_factor(re.sub(r" \(table own_models\): say it once for all \(cli\.py datasets own\)|; choose one with "
                            r"--reference|, or factors extract(?=\))", "", text))  # fmt: skip


def _fingerprint(results: Iterable[Result]) -> str:
    return next((result.fingerprint for result in results if len(result.study.judge) > 1), "") or next(
        (result.fingerprint for result in results), ""
    )


def _settings(study: Report, reference: str | None) -> tuple[tuple[str, str], ...]:
    """The choices that every section shares, in words."""
    out = [("Dataset", str(study.dataset)), ("Reference", reference or "none: each judge is told of alone")]
    judges = [judge for judge in study.judge if judge != reference]
    out.append(("Judges", ", ".join(judges)))
    for name, label in (("scenario", "Scenarios"), ("labeling", "Scenarios from"), ("model", "Models"),
                        ("criterion", "Criterion"), ("variant", "Circumstances"), ("since", "Since"),
                        ("until", "Until")):  # fmt: skip
        value = getattr(study, name)
        if value:
            out.append((label, ", ".join(value) if isinstance(value, tuple) else str(value)))
    intervals = f"{words.percent(study.level)}, clustered: {study.cluster}"
    return (*out, ("Ties", words.ties(study.ties)), ("Intervals", intervals), ("Seed", str(study.seed)))
