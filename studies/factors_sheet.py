"""What has to be filled in for a dataset to have the published properties? One row an answer, one column a property."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from charts import words
from data import queries
from data.gair_properties import PROPERTIES
from data.model import Progress, option
from data.queries import Catalog, Con
from data.queries import properties as property_queries
from data.queries import texts as texts_queries
from data.store import Store
from errors import EmptySelectionError
from studies.extract import versions
from studies.factors_properties import matches
from studies.study import Result, Study, register

KEYS = ("response_key", "prompt_id", "prompt", "model", "response")
LACKING, ALL = "lacking", "all"


@register
@dataclass(frozen=True)
class FactorsSheet(Study):
    """A sheet to annotate: the answers, and an empty column for each published property; it imports as factors."""

    command: ClassVar[str] = "factors sheet"
    hides: ClassVar[bool] = False
    title: ClassVar[str] = "Annotation sheet"
    output: ClassVar[str] = "csv"
    shown: ClassVar[Mapping[str, str] | None] = None

    columns: str = option(
        LACKING, "the properties to annotate: those that the dataset lacks, or all", label="Columns",
        choices=(LACKING, ALL),
    )  # fmt: skip

    def stamp(self, con: Con, names: Catalog) -> str:
        return f"{super().stamp(con, names)} {texts_queries.state(con, versions())}"

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "collecting the answers")
        with store.reading("collecting answers") as con:
            names = queries.catalog(con, self)
            found = matches(texts_queries.sources(con, names, versions()))
            table = property_queries.answers(con, queries.where(self, names, ranked=False))
            queries.require_rows(len(table), "in this selection")
            fingerprint = texts_queries.digest(
                queries.fingerprint(con, names, self.judge),
                texts_queries.fingerprint(con, names, [source for source, _ in found.values()]),
            )
        # Length is measured from the text, by no annotator.
        asked = [p for p in PROPERTIES if p.kind != "length" and (self.columns == ALL or p.name not in found)]
        if not asked:
            raise EmptySelectionError(
                f"dataset {names.dataset!r} has every published property that is annotated: --columns all asks for all "
                "anew"
            )
        written = table["response"].notna()
        if not written.any():
            raise EmptySelectionError(f"no answer of dataset {names.dataset!r} has a text, so nothing can be annotated")
        table = table[written].reset_index(drop=True)
        kept = [name for name in KEYS if table[name].notna().any()]
        sheet = table[kept].astype(object).where(table[kept].notna(), None)
        sheet = sheet.assign(**{p.name: pd.Series([None] * len(sheet), dtype=object) for p in asked})
        lost = int((~written).sum())
        progress(1.0, "done")
        return Result(
            study=self,
            tables={
                "sheet": sheet,
                "codebook": pd.DataFrame(
                    [{"property": p.name, "kind": p.kind, "definition": p.definition, "scale": p.scale} for p in asked]
                ),
            },
            values={"answers": len(sheet), "properties": len(asked)},
            settings=self.settings(),
            warnings=(f"left out: {words.plural(lost, 'answer')} without a text",) if lost else (),
            caption=f"{words.plural(len(sheet), 'answer')} of dataset {names.dataset}, to be annotated with "
            f"{words.plural(len(asked), 'property', 'properties')} of Li et al. 2024 (arXiv 2402.11296); what each is "
            "and how it is written: --table codebook. Filled in, it imports with --as factors --dataset "
            f"{names.dataset}; empty cells are no values.",
            fingerprint=fingerprint,
        )
