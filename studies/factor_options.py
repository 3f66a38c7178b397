"""Which options do all studies of factors share, and which factors do they take unasked?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

from analysis.design import FIRST
from data import queries
from data.model import option
from data.queries import Catalog, Con
from data.queries import attributes as attribute_queries
from data.queries import texts as texts_queries
from data.queries.texts import FILE, TEXT, Source
from data.store import Store
from errors import EmptySelectionError, OptionError, unknown_name
from studies import interactions
from studies.extract import versions
from studies.factor_judgments import NotMeasuredError, measuring_command
from studies.study import Fitted
from texts.registry import factors

CODINGS = {
    "rms": "differences a − b divided by their root mean square over all pairs of the dataset",
    "sign": "signs of the differences a − b (−1, 0, +1)",
    "raw": "differences a − b as they are",
}


@dataclass(frozen=True)
class Factors(Fitted):
    """A study of how factors move verdicts."""

    models_ties: ClassVar[bool] = True
    # Of the scale that differences are divided by.
    reads_others: ClassVar[bool] = True

    factor: tuple[str, ...] = option(
        (), "a factor (repeatable); left out: the usual ones that were measured, and all that the files delivered",
        label="Factors", names="factor",
    )  # fmt: skip
    coding: str = option(
        "rms", "how differences enter: over one scale, as signs, or as they are", label="Differences as",
        choices=tuple(CODINGS), advanced=True,
    )  # fmt: skip
    position: str = option(
        "auto", "the advantage of the response shown first: auto takes it out where the order is known for 95 % of the "
        "judgments", label="Position term", choices=("auto", "with", "without"), advanced=True,
    )  # fmt: skip
    empty_texts: str = option(
        "keep", "pairs of which a response is an empty text", label="Empty texts", choices=("keep", "leave-out"),
        advanced=True,
    )  # fmt: skip

    interact: tuple[str, ...] = option(
        (), "an interaction FACTOR*OTHER (repeatable): the other one a factor, scenario, similarity (of the two "
        "answers in meaning), or an attribute of the file, as in words*annotator.group or words*prompt.topic",
        label="Interactions", advanced=True,
    )  # fmt: skip

    def resolve(self, store: Store) -> Self:
        study = super().resolve(store)
        with store.reading("looking for factors") as con:
            names = queries.catalog(con, study)
            found = texts_queries.sources(con, names, versions())
            n_texts = texts_queries.responses(con, names)["texts"]
            known = attribute_queries.attributes(con, names)
        chosen = choose(found, study.factor, names.dataset, n_texts)
        for one in interactions.parse(study.interact, found, known):
            # Beside an interaction stand the factors that it crosses.
            chosen += tuple(n for n in (one.factor, one.other) if n in found and n not in chosen)
        return replace(study, factor=chosen, interact=tuple(dict.fromkeys(study.interact)))

    def require_one_scale(self, what: str) -> None:
        """Raises OptionError for raw differences. what : is pooled, plural"""
        if self.coding == "raw":
            raise OptionError(
                f"{self.command} draws {what} together by how large they usually are, so factors need one scale: leave "
                "out --coding raw"
            )

    def stamp(self, con: Con, names: Catalog) -> str:
        return f"{super().stamp(con, names)} {texts_queries.state(con, versions())}"


def choose(found: Mapping[str, Source], asked: Sequence[str], dataset: str, n_texts: int) -> tuple[str, ...]:
    """The factors `asked` for, or the usual ones; a factor of words stands for its levels.

    Raises NotMeasuredError where measuring would help, UnknownNameError with the nearest names, OptionError for free
    text, EmptySelectionError where there is none.
    """
    unmeasured = n_texts > 0 and not any(source.origin == TEXT for source in found.values())
    how = measuring_command(dataset)
    chosen: list[str] = []
    for name in asked:
        if name not in found:
            if unmeasured and name.removeprefix("text:") in versions():
                raise NotMeasuredError(f"{name!r} has not been measured yet in dataset {dataset!r}: run {how}")
            raise unknown_name(f"factor in dataset {dataset!r}", name, found)
        levels = _levels(found, name)
        if found[name].labels and not levels:
            raise OptionError(f"--factor {name}: its values are free text, and no model takes it")
        chosen += levels or [name]
    chosen = chosen or usual(found)
    if chosen:
        return tuple(dict.fromkeys(chosen))
    if unmeasured:
        raise NotMeasuredError(f"the {n_texts:,} texts of dataset {dataset!r} have not been measured yet: run {how}")
    raise EmptySelectionError(
        f"dataset {dataset!r} has no factors: there is no text to measure, and its files delivered none. Import a file "
        "with the columns response_a and response_b, or with factors as NAME_a and NAME_b"
    )


def usual(found: Mapping[str, Source]) -> list[str]:
    """What models take unasked: the usual ones among the measured factors, and every delivered one."""
    common = {one.name for one in factors() if one.usual}
    measured = [n for n, s in found.items() if s.origin == TEXT and n.removeprefix("text:") in common]
    # One of both kinds of the same name says the same twice; the file's own goes before.
    measured = [n for n in measured if not n.startswith("text:")]
    return [*measured, *(n for n, s in found.items() if s.origin == FILE and not s.labels)]


def _levels(found: Mapping[str, Source], name: str) -> list[str]:
    source = found[name]
    if not source.labels:
        return []
    return [n for n, s in found.items() if s.origin == FILE and s.id == source.id and s.level is not None]


def labelled() -> tuple[str, ...]:
    """The names for which `display` has words of its own."""
    return (FIRST, *(one.name for one in factors()))


def display(name: str) -> str:
    """What a factor is called on charts."""
    if name == FIRST:
        return "Shown first"
    known = {one.name: one.label for one in factors()}
    return known.get(name.removeprefix("text:"), name)
