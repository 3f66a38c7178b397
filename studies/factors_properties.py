"""Which of the published properties of answers does a dataset have, and on how many pairs?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from analysis.gair_coding import longer
from analysis.tables import integers
from charts import words
from data import queries
from data.gair_properties import PROPERTIES, Property, matched, opposite_of, same_as
from data.model import Progress
from data.queries import Catalog, Con
from data.queries import properties as property_queries
from data.queries import texts as texts_queries
from data.queries.texts import FILE, TEXT, PairValues, Source
from data.store import Store
from studies.extract import versions
from studies.study import Result, Study, register

SAME, OPPOSITE, WORDS = "same", "opposite", "words"
"""How a factor stands to the property: more of it is more, or less; it is the number of words."""


@register
@dataclass(frozen=True)
class FactorsProperties(Study):
    """Which of the 29 properties of Li et al. 2024 answers have values of, and what to annotate to have the others."""

    command: ClassVar[str] = "factors properties"
    title: ClassVar[str] = "Published properties"
    shown: ClassVar[Mapping[str, str] | None] = {
        "property": "property", "factor": "factor here", "pairs": "pairs with a value", "differ": "pairs that differ",
        "kind": "kind", "definition": "what it is", "scale": "how it is written",
    }  # fmt: skip

    def stamp(self, con: Con, names: Catalog) -> str:
        return f"{super().stamp(con, names)} {texts_queries.state(con, versions())}"

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "looking for properties")
        with store.reading("looking for properties") as con:
            names = queries.catalog(con, self)
            found = matches(texts_queries.sources(con, names, versions()))
            chosen = list({source.name: source for source, _ in found.values()}.values())
            values = texts_queries.pair_values(con, names, chosen)
            pairs = property_queries.judged_pairs(con, queries.where(self, names, ranked=False))
            queries.require_rows(len(pairs), "in this selection")
            fingerprint = texts_queries.digest(
                queries.fingerprint(con, names, self.judge), texts_queries.fingerprint(con, names, chosen)
            )
        progress(0.6, "counting pairs")
        at = np.searchsorted(values.pair, pairs)
        rows = [_row(one, found.get(one.name), values, at) for one in PROPERTIES]
        table = pd.DataFrame(rows)
        for name in ("pairs", "differ"):
            table[name] = integers([row[name] for row in rows])
        has = int(table["factor"].notna().sum())
        progress(1.0, "done")
        return Result(
            study=self,
            tables={"properties": table},
            values={"pairs": len(pairs), "has": has, "lacks": len(PROPERTIES) - has},
            settings=self.settings(),
            warnings=tuple(_warnings(found)),
            caption=f"The {len(PROPERTIES)} properties of answers that have published weights (Li et al. 2024, arXiv "
            f"2402.11296); dataset {names.dataset} has {has} of them. Counts are of the "
            f"{words.plural(len(pairs), 'pair')} with a judgment; pairs differ where the published coding is not 0.",
            fingerprint=fingerprint,
        )


def matches(found: Mapping[str, Source]) -> dict[str, tuple[Source, str]]:
    """By property the factor that has it, and how it stands to it. A factor that says the same goes first."""
    delivered = {
        matched(name): source for name, source in found.items()
        if source.origin == FILE and not source.labels and source.level is None
    }  # fmt: skip
    out: dict[str, tuple[Source, str]] = {}
    for one in PROPERTIES:
        for known, how in ((same_as(one), SAME), (opposite_of(one), OPPOSITE)):
            some = [delivered[name] for name in sorted(known) if name in delivered]
            if some and one.name not in out:
                out[one.name] = (some[0], how)
        measured = [s for name, s in found.items() if s.origin == TEXT and name.removeprefix("text:") == "words"]
        if one.kind == "length" and one.name not in out and measured:
            out[one.name] = (measured[0], WORDS)
    return out


def _row(
    one: Property, match: tuple[Source, str] | None, values: PairValues, at: np.ndarray
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "property": one.name, "kind": one.kind, "factor": None, "written": None, "pairs": 0, "differ": None,
        "definition": one.definition, "scale": one.scale,
    }  # fmt: skip
    if match is None:
        return row
    source, how = match
    a, b = values.a[source.name][at], values.b[source.name][at]
    coding = longer(a, b) if how == WORDS else np.sign(a - b)
    there = np.isfinite(coding)
    return row | {
        "factor": source.name, "written": how, "pairs": int(there.sum()), "differ": int((coding[there] != 0).sum()),
    }  # fmt: skip


def _warnings(found: Mapping[str, tuple[Source, str]]) -> list[str]:
    said = []
    for name, (source, how) in found.items():
        if how == OPPOSITE:
            said.append(
                f"more of '{source.name}' is less of '{name}': published weights are not matched with it; deliver its "
                f"negative as '{name}'"
            )
        elif how == WORDS:
            said.append(
                f"'{name}' is measured as the number of words: counted here by the published rule, while a fit with "
                f"--coding sign takes the sign of the difference in '{source.name}', however small"
            )
    return said
