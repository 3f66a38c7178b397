"""Which properties of the responses are known: measured from their texts, or delivered with the file?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from analysis.tables import integers
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
        "factor": "factor", "group": "group", "unit": "unit", "texts": "responses with it", "missing": "without",
        "definition": "what it is",
    }  # fmt: skip

    def stamp(self, con: Con, names: Catalog) -> str:
        return f"{super().stamp(con, names)} {texts_queries.state(con, versions())}"

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "counting measured texts")
        with store.reading("listing factors") as con:
            names = queries.catalog(con, self.dataset or "")
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
        table["version"] = integers([row["version"] for row in rows])
        progress(1.0, "done")
        return Result(
            study=self,
            tables={"factors": table},
            values=there,
            settings=self.settings(),
            warnings=tuple(_warnings(names.dataset, lacking, there)),
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
        defined = factors([name.removeprefix("text:")])[0]
        row |= {
            "group": defined.group, "unit": defined.unit, "texts": n, "missing": responses - n, "origin": "text",
            "version": defined.version, "definition": defined.definition, "source": defined.source,
        }  # fmt: skip
    else:
        of = "a judgment" if source.by_judgment else "a response"
        row |= {
            "group": "delivered", "unit": "labels" if source.labels else "as in the file", "texts": n,
            "missing": responses - n, "origin": "file", "version": None,
            "definition": f"Delivered with the file as {source.name}_a and {source.name}_b, a property of {of}.",
            "source": "the file",
        }  # fmt: skip
    return row


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
