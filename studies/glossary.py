"""What does a number of a table say, when is it not to be trusted, and whose is it? Once for pages and reports.

Entries go by the column of a study's table, which keeps its name whatever its heading is on a page; where one column
name has several meanings, by `column|heading`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from studies import glossary_factors, glossary_judges, glossary_rankings

NAMES = frozenset({
    "judge", "judge_1", "judge_2", "model", "model_1", "model_2", "model_3", "annotator", "factor", "label",
    "property", "scenario", "criterion", "criterion_1", "criterion_2", "level", "group", "prompt", "pair", "variant",
    "part", "figure", "method", "where", "bias", "band", "worst", "against", "on", "kind", "unit", "scale",
    "definition", "reason", "remark", "note", "verdict", "why", "written", "origin", "labeling", "source", "place",
    "x", "y", "reference_says", "judge_says", "passed", "won", "chosen", "dataset", "simulated", "published", "judges",
    "prior_scale",
})  # fmt: skip
"""Columns that name or describe a row; the heading says it all."""


@dataclass(frozen=True)
class Entry:
    """says : what it is; beware : when not to trust it, each one sentence

    source : author and year, OWN where the definition is this project's, '' where the first sentence says all
    """

    says: str
    beware: str
    source: str

    @property
    def text(self) -> str:
        return f"{self.says} {self.beware}" + (f" ({self.source})" if self.source else "")


def _entries(*families: Mapping[str, tuple[str, str, str]]) -> dict[str, Entry]:
    out = {}
    for family in families:
        for keys, given in family.items():
            for key in keys.split("; "):
                if key in out:
                    raise ValueError(f"{key} is explained twice")
                out[key] = Entry(*given)
    return out


ENTRIES = _entries(glossary_rankings.ENTRIES, glossary_factors.ENTRIES, glossary_judges.ENTRIES)


def entry(column: str, heading: str = "") -> Entry | None:
    """What the numbers of a column are; None for one that names its rows or that no page shows.

    heading : as people read it, which tells columns of one name apart
    """
    heading = heading.strip()
    plain = re.sub(r"_no_ties(?=$|_interval)", "", re.sub(r"^ece_\d+", "ece_10", column))
    for key in (f"{column}|{heading}", f"{plain}|{heading}", column, plain):
        if key in ENTRIES:
            return ENTRIES[key]
    return ENTRIES["interval"] if column.endswith("interval") else None
