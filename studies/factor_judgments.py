"""From a selection to judgments with the factors of both responses: which factors, which rows, what is missing."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from analysis.strengths import TIE_NAMES
from charts import words
from data import queries
from data.queries import Catalog
from data.queries import texts as texts_queries
from data.queries.texts import TEXT, FactorRows, Scale, Source
from data.store import Store
from errors import EmptySelectionError, OptionError, unknown_name
from studies.cells import require_models
from studies.extract import versions
from studies.study import Fitted


def measuring_command(dataset: str) -> str:
    """What measures the texts of a dataset from a terminal."""
    return shlex.join(["python", "cli.py", "factors", "extract", "--dataset", dataset])


class NotMeasuredError(EmptySelectionError):
    """The texts are there, and nobody has measured them yet."""


def choose_factors(store: Store, dataset: str, asked: Sequence[str], usual: Sequence[str]) -> tuple[str, ...]:
    """The factors `asked` for, or those of `usual` that the dataset has, each once.

    Raises NotMeasuredError where measuring would help, UnknownNameError with the nearest names, OptionError for
    labels, EmptySelectionError where there is nothing to hold equal.
    """
    with store.reading("looking for factors") as con:
        names = queries.catalog(con, dataset)
        found = texts_queries.sources(con, names, versions())
        n_texts = texts_queries.responses(con, names)["texts"]
    unmeasured = n_texts > 0 and not any(source.origin == TEXT for source in found.values())
    how = measuring_command(dataset)
    for name in asked:
        if name not in found:
            if unmeasured and name.removeprefix("text:") in versions():
                raise NotMeasuredError(f"{name!r} has not been measured yet in dataset {dataset!r}: run {how}")
            raise unknown_name(f"factor in dataset {dataset!r}", name, found)
        if found[name].labels:
            raise OptionError(f"--factor {name}: its values are labels, not numbers, and cannot be held equal here")
    chosen = tuple(dict.fromkeys(asked)) or tuple(name for name in usual if name in found)
    if chosen:
        return chosen
    if unmeasured:
        raise NotMeasuredError(f"the {n_texts:,} texts of dataset {dataset!r} have not been measured yet: run {how}")
    others = [repr(name) for name, source in found.items() if not source.labels]
    way = f"choose with --factor, one of {', '.join(others)}" if others else (
        "import a file with the columns response_a and response_b, or with factors as NAME_a and NAME_b"
    )  # fmt: skip
    raise EmptySelectionError(
        f"dataset {dataset!r} has no texts to measure, and its file delivered none of {', '.join(usual)}: {way}"
    )


@dataclass(frozen=True)
class FactorJudgments:
    """The judgments of a selection, and what a reader must know of them.

    rows : all of them, those without a factor too; scales : by factor, over the whole dataset
    n_empty : responses of the dataset that are an empty text; n_soft : by judge's id, preferences in between
    """

    names: Catalog
    sources: Sequence[Source]
    extent: Mapping[str, int]
    left_out: Mapping[str, int]
    scales: Mapping[str, Scale]
    rows: FactorRows
    n_empty: int
    n_soft: Mapping[int, int]
    fingerprint: str

    @cached_property
    def missing(self) -> dict[str, NDArray[np.bool_]]:
        """By factor, (rows,) where one of the two responses lacks it."""
        return {s.name: np.isnan(self.rows.a[s.name]) | np.isnan(self.rows.b[s.name]) for s in self.sources}

    @cached_property
    def complete(self) -> FactorRows:
        """The rows that have every factor. Raises EmptySelectionError where none has."""
        kept = self.rows.take(~np.logical_or.reduce(list(self.missing.values())))
        if not len(kept):
            which = words.listing([name for name, gone in self.missing.items() if gone.any()])
            raise EmptySelectionError(f"every judgment of the selection lacks {which}: leave that factor out")
        return kept

    def n_missing(self, name: str, judge: str | None = None) -> int:
        """Judgments (of one judge) that lack a factor."""
        frame = self.rows.counts.frame
        gone = self.missing[name]
        if judge is not None:
            gone = gone & (frame["judge_id"] == self.names.judges[judge][0])
        return int(frame["n"][gone].sum())

    @property
    def n_incomplete(self) -> int:
        """Judgments that lack some factor."""
        return int(self.rows.counts.frame["n"].sum() - self.complete.counts.frame["n"].sum())

    @property
    def warnings(self) -> list[str]:
        """What was left out, and what counts as 0."""
        said = []
        if self.n_incomplete:
            total = words.plural(int(self.rows.counts.frame["n"].sum()), "judgment")
            said.append(f"{self.n_incomplete:,} of {total} lack a factor of one of their responses and are left out")
        for cause, n in self.left_out.items():
            said.append(f"left out of the ranking: {words.plural(n, 'judgment')} ({cause})")
        if self.n_empty and any(s.origin == TEXT for s in self.sources):
            said.append(empty_texts(self.n_empty))
        return said


def empty_texts(n: int) -> str:
    """That empty texts count, in words."""
    return words.plural(n, "response is an empty text", "responses are empty texts") + " of 0 words"


def fetch(store: Store, study: Fitted, factor: Sequence[str], position: bool = False) -> FactorJudgments:
    """The judgments of a resolved study with these factors, kept apart by pair, prompt and what the study clusters by.

    Raises EmptySelectionError where there is nothing to rank.
    """
    ways = () if study.cluster in ("auto", "none") else tuple(study.cluster.split("+"))
    modelled = study.ties in TIE_NAMES
    with store.reading("joining judgments with their factors") as con:
        names = queries.catalog(con, study)
        condition = queries.where(study, names, study.ties)
        extent = queries.extent(con, condition)
        require_models(names)
        queries.require_rows(extent["judgments"], "on two named models with a verdict")
        if position and extent["known_order"] == 0:
            raise OptionError("--position: this file does not record which response was shown first")
        found = texts_queries.sources(con, names, versions())
        chosen = [found[name] for name in factor]
        judgments = queries.fingerprint(con, names, study.judge)
        return FactorJudgments(
            names=names,
            sources=chosen,
            extent=extent,
            left_out=queries.left_out(con, study, names, study.ties),
            scales=texts_queries.scales(con, names, chosen),
            rows=texts_queries.factor_rows(
                con, names, condition, chosen, tuple(dict.fromkeys(("prompt", *ways))), position, modelled
            ),
            n_empty=texts_queries.responses(con, names)["empty"],
            n_soft=queries.soft_judgments(con, condition) if modelled else {},
            fingerprint=texts_queries.digest(judgments, texts_queries.fingerprint(con, names, chosen)),
        )
