"""Which properties of the responses are known: measured from their texts, or delivered with the file?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from analysis.tables import floats, integers
from charts import words
from data import queries
from data.model import Progress
from data.queries import Catalog, Con
from data.queries import texts as texts_queries
from data.queries.texts import TEXT, Source
from data.store import Store
from studies.extract import unmeasured, versions
from studies.factor_judgments import empty_texts, measuring_command
from studies.study import Result, Study, register
from texts.registry import factors


@register
@dataclass(frozen=True)
class FactorsList(Study):
    """The factors of a dataset: what each is, and how many responses have a value."""

    command: ClassVar[str] = "factors list"
    title: ClassVar[str] = "Factors"
    shown: ClassVar[Mapping[str, str] | None] = {
        "factor": "factor", "label": "on charts", "group": "group", "unit": "unit", "range": "range",
        "texts": "responses with it", "missing": "without", "precision": "precision", "recall": "recall",
        "definition": "what it is",
    }  # fmt: skip

    def stamp(self, con: Con, names: Catalog) -> str:
        return f"{super().stamp(con, names)} {texts_queries.state(con, versions())}"

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "counting measured texts")
        with store.reading("listing factors") as con:
            names = queries.catalog(con, self)
            found = texts_queries.sources(con, names, versions())
            held = texts_queries.values_held(con, names, found)
            there = texts_queries.responses(con, names)
            lacking = unmeasured(con, names.dataset_id)
            fingerprint = texts_queries.digest(
                queries.fingerprint(con, names, self.judge), texts_queries.fingerprint(con, names, list(found.values()))
            )
        asked = [_asked(name, found) for name in versions()]
        delivered = [name for name, source in found.items() if source.origin != TEXT]
        rows = [_row(found.get(name), name, held, there["responses"]) for name in (*asked, *delivered)]
        table = pd.DataFrame(rows)
        for name in ("version", "sentences"):
            table[name] = integers([row[name] for row in rows])
        for name in ("low", "high", "precision", "recall"):
            table[name] = floats([row[name] for row in rows])
        progress(1.0, "done")
        return Result(
            study=self,
            tables={"factors": table},
            values=there,
            settings=self.settings(),
            warnings=(*_warnings(names.dataset, lacking, there), *texts_queries.free_texts(found)),
            caption=f"{words.plural(len(found), 'factor')} of the {words.plural(there['responses'], 'response')} of "
            f"dataset {names.dataset}; {there['texts']:,} have a text.",
            fingerprint=fingerprint,
        )


def _asked(name: str, found: Mapping[str, Source]) -> str:
    """The name by which the measured factor `name` is asked for."""
    return f"text:{name}" if name in found and found[name].origin != TEXT else name


def _row(source: Source | None, name: str, held: Mapping[str, int], responses: int) -> dict[str, Any]:
    """A row of the list; a measured factor that is not measured yet has no source."""
    n = held.get(name, 0)
    row: dict[str, Any] = {"factor": name}
    if source is None or source.origin == TEXT:
        one = factors([name.removeprefix("text:")])[0]
        quality = one.quality
        return row | {
            "group": one.group, "unit": one.unit, "texts": n, "missing": responses - n, "label": one.label,
            "range": words_of_range(one.low, one.high), "low": one.low, "high": one.high, "origin": "text",
            "of": one.of, "usual": one.usual, "version": one.version,
            "precision": None if quality is None else quality.precision,
            "recall": None if quality is None else quality.recall,
            "sentences": None if quality is None else quality.n, "definition": one.definition, "source": one.source,
        }  # fmt: skip
    flag = source.level is not None
    low, high = (0.0, 1.0) if flag else (None, None)
    unit = "flag" if flag else "labels" if source.labels else "as in the file"
    return row | {
        "group": "delivered", "unit": unit, "texts": n, "missing": responses - n, "label": name,
        "range": "words" if source.labels else words_of_range(low, high), "low": low, "high": high, "origin": "file",
        "of": "judgment" if source.by_judgment else "response",
        "usual": False, "version": None, "precision": None, "recall": None, "sentences": None,
        "definition": _delivered(source), "source": "the file",
    }  # fmt: skip


def words_of_range(low: float | None, high: float | None) -> str:
    """The range of a factor's values in words."""
    if low is None or high is None:
        return "any" if low is None and high is None else f"from {low:g}" if high is None else f"up to {high:g}"
    # A true minus: a cell that begins with a hyphen is a formula to spreadsheets.
    return f"{low:g} to {high:g}".replace("-", words.MINUS)


def _delivered(source: Source) -> str:
    of = "a judgment" if source.by_judgment else "a response"
    if source.level is not None:
        name = source.name.removeprefix("level:").removesuffix(f"={source.level}")
        has = "holds" if source.is_set else "is"
        return f"1 where {name}, delivered with the file, {has} {source.level!r}, else 0."
    reference = source.words.reference if source.words is not None else None
    levels = f" Its levels are factors of their own, against {reference!r}." if reference is not None else ""
    return f"Delivered with a file, a property of {of}.{levels}"


def _warnings(dataset: str, lacking: int, there: Mapping[str, int]) -> list[str]:
    said = []
    if lacking:
        said.append(f"{words.plural(lacking, 'text is', 'texts are')} not measured yet: {measuring_command(dataset)}")
    without = there["responses"] - there["texts"]
    if without:
        said.append(f"{words.plural(without, 'response has', 'responses have')} no text, so nothing can be measured")
    if there["empty"]:
        said.append(empty_texts(there["empty"]))
    return said
