"""From a selection to the values of both answers of each judgment: for methods that do not start from differences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from analysis.cells import Floats, Ints
from analysis.levels import Levels, flag_levels, is_flag, third_levels, word_levels
from analysis.vcov import Clustering, choose_clustering
from charts import words
from data import queries
from data.model import Progress
from data.queries import Catalog
from data.queries import differences as rows_queries
from data.queries import sides as side_queries
from data.queries import texts as texts_queries
from data.queries.differences import Verdicts
from data.queries.order import in_order
from data.queries.texts import FILE, TEXT, Source
from data.store import Store
from errors import NotIdentifiedError, OptionError
from studies.cells import cluster_columns
from studies.extract import versions
from studies.factor_data import FEW_TO_DRAW
from studies.factor_judgments import empty_texts
from studies.factor_options import Factors
from studies.rank import check_annotators
from studies.refused import nobody

F = TypeVar("F")


@dataclass(frozen=True)
class Sided:
    """Judgments of a selection with the values of both answers.

    said : the judgments; at, pair : of each its column of values, and the number of its pair
    a, b : by source, (n_columns,) values; response_a, response_b : (n_columns,) ids of the answers
    sources : what was read, levels of words among them; key : by factor asked for, its name in a and b
    factors : the numeric ones asked for; worded : by factor of
        words asked for, its levels, the reference first where it has one, and whether it is a set of labels
    """

    names: Catalog
    said: Verdicts
    at: Ints
    pair: Ints
    a: dict[str, Floats]
    b: dict[str, Floats]
    response_a: NDArray[Any]
    response_b: NDArray[Any]
    sources: tuple[Source, ...]
    factors: tuple[str, ...]
    key: dict[str, str]
    worded: dict[str, tuple[tuple[str, ...], bool]]
    n_prompts: int
    n_empty: int
    fingerprint: str

    def rows(self, judge: str) -> NDArray[Any]:
        """Positions of one judge's judgments."""
        return np.flatnonzero(self.said.columns["judge_id"] == self.names.judges[judge][0])

    def clusters(self, rows: NDArray[Any], clustering: Clustering) -> dict[str, NDArray[Any]]:
        """Codes of these judgments by name: those of the clustering, their prompt and their pair."""
        ways = dict.fromkeys((*cluster_columns(clustering), "prompt", "pair"))
        return {way: self.pair[rows] if way == "pair" else self.said.columns[way][rows] for way in ways}

    def of_answers(self, name: str) -> Floats:
        """The values of all answers of the dataset's pairs, each answer once: the same whoever judges."""
        ids = np.concatenate([self.response_a, self.response_b])
        values = np.concatenate([self.a[name], self.b[name]])
        return np.asarray(values[np.unique(ids, return_index=True)[1]])

    def is_flag(self, name: str) -> bool:
        """Whether all values of a numeric factor are 0 or 1."""
        return is_flag(np.concatenate([self.a[name], self.b[name]]))

    @property
    def warnings(self) -> list[str]:
        """What counts as 0."""
        measured = any(source.origin == TEXT for source in self.sources)
        return [empty_texts(self.n_empty)] if self.n_empty and measured else []


def load_sides(store: Store, study: Factors, more: Sequence[str] = (), also: Sequence[str] = ()) -> Sided:
    """What a resolved study reads. more : columns of `queries.differences.verdicts`; also : further numeric factors

    A level that is asked for stands for its whole factor of words.
    Raises EmptySelectionError where nothing was judged.
    """
    with store.reading("joining judgments with the values of their answers") as con:
        names = queries.catalog(con, study)
        found = texts_queries.sources(con, names, versions())
        numeric = [name for name in study.factor if found[name].level is None]
        worded: dict[str, tuple[tuple[str, ...], bool]] = {}
        chosen = [found[name] for name in dict.fromkeys((*numeric, *also))]
        key = {name: name for name in numeric}
        for name in study.factor:
            level_asked = found[name].level
            if level_asked is None:
                continue
            parent = next(s for s in found.values() if s.origin == FILE and s.id == found[name].id and s.level is None)
            key[name] = _level(parent.name, level_asked)
            if parent.name in worded or parent.words is None:
                continue
            levels = parent.words.offered
            reference = parent.words.reference
            levels = levels if reference is None else (reference, *levels)
            worded[parent.name] = levels, parent.is_set
            chosen += [
                Source(_level(parent.name, level), FILE, parent.id, None, parent.by_judgment, level=level,
                       is_set=parent.is_set)
                for level in levels
            ]  # fmt: skip
        condition = f"{queries.where(study, names, study.ties, ranked=False)} AND outcome <> 0"
        if study.empty_texts == "leave-out":
            condition = rows_queries.without_empty(condition, names)
        by_judgment = any(source.by_judgment for source in chosen)
        wanted = dict.fromkeys((*more, *(["judgment"] if by_judgment else [])))
        said = rows_queries.verdicts(con, condition, tuple(wanted))
        queries.require_rows(len(said), "with a verdict")
        values = side_queries.sides(con, names, chosen, condition)
        measured = any(source.origin == TEXT for source in chosen)
        n_empty = texts_queries.responses(con, names)["empty"] if measured else 0
        fingerprint = texts_queries.digest(
            queries.fingerprint(con, names, study.judge), texts_queries.fingerprint(con, names, chosen)
        )
        pair = said.columns["pair"]
        few = study.cluster == "pair" or len(np.unique(said.columns["prompt"])) < FEW_TO_DRAW
        code = in_order(con, "pair", pair) if few else pair - pair.min()
    at = np.searchsorted(values.unit, said.columns["judgment"] if by_judgment else pair)
    return Sided(
        names=names, said=said, at=at, pair=code, a=dict(values.a), b=dict(values.b),
        response_a=values.response_a, response_b=values.response_b, sources=tuple(chosen), factors=tuple(numeric),
        key=key, worded=worded, n_prompts=len(np.unique(said.columns["prompt"])), n_empty=n_empty,
        fingerprint=fingerprint,
    )  # fmt: skip


def _level(factor: str, level: str) -> str:
    return f"{factor}={level}"


def levels_of(sided: Sided, numbers: str = "thirds") -> list[Levels]:
    """The factors in levels: words, labels of sets, flags, and thirds of numbers where `numbers` is not "leave-out"."""
    out = []
    for name, (levels, is_set) in sided.worded.items():
        keys = [_level(name, level) for level in levels]
        if is_set:
            out += [flag_levels(key, sided.a[key], sided.b[key], "label") for key in keys]
        else:
            out.append(word_levels(name, levels, [sided.a[k] for k in keys], [sided.b[k] for k in keys]))
    for name in sided.factors:
        if sided.is_flag(name):
            out.append(flag_levels(name, sided.a[name], sided.b[name]))
        elif numbers != "leave-out":
            out.append(third_levels(name, sided.of_answers(name), sided.a[name], sided.b[name]))
    return out


def clustering_of(study: Factors, sided: Sided) -> Clustering:
    """What hangs together. Raises OptionError where it is the annotators and nobody is named."""
    clustering = choose_clustering(study.cluster, sided.n_prompts)
    if "annotator" in study.cluster:
        check_annotators(clustering, {"annotators": int((sided.said.columns["annotator"] >= 0).sum())})
    return clustering


def by_judge(
    study: Factors, sided: Sided, work: Callable[[str, Ints, Callable[[float], None]], F],
    progress: Progress, doing: str,
) -> tuple[dict[str, F], dict[str, str]]:  # fmt: skip
    """What `work` finds for each judge, and why others have no answer.

    work : (judge, positions of its judgments, a progress of its own); doing : said of each, before its name

    Raises NotIdentifiedError where no judge has an answer.
    """
    found: dict[str, F] = {}
    reasons: dict[str, str] = {}
    for k, judge in enumerate(study.judge):

        def report(share: float, k: int = k, judge: str = judge) -> None:
            progress((k + share) / len(study.judge), f"{doing} {judge}")

        mine = sided.rows(judge)
        try:
            if not len(mine):
                raise NotIdentifiedError("no judgment of the selection is its own")
            found[judge] = work(judge, mine, report)
        except NotIdentifiedError as error:
            reasons[judge] = str(error)
    if not found:
        raise nobody(reasons)
    return found, reasons


def plain_only(study: Factors, what: str, *names: str) -> None:
    """Raises OptionError for options that a method does not take. names : of those fields"""
    for name in names:
        if getattr(study, name) not in (type(study).__dataclass_fields__[name].default, "without", "auto", ()):
            value = getattr(study, name)
            shown = value if isinstance(value, str) else words.listing(list(value))
            raise OptionError(f"{what}, and takes no --{name} {shown}")
