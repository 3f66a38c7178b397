"""Who judged how much of what? Judgments with a verdict by judge and scenario."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from charts import words
from data import queries
from data.model import Progress
from data.store import Store
from studies.study import Result, Study, register


@register
@dataclass(frozen=True)
class Coverage(Study):
    """How many judgments each judge gave in each scenario."""

    command: ClassVar[str] = "datasets coverage"
    title: ClassVar[str] = "Who judged what"

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "counting judgments")
        with store.reading("counting judgments") as con:
            names = queries.catalog(con, self)
            fingerprint = queries.fingerprint(con, names, self.judge)
            table = queries.coverage(con, self, names)
        # In the order in which judges are shown.
        place = {judge: k for k, judge in enumerate(names.judges)}
        table = table.sort_values("judge", key=lambda column: column.map(place), kind="stable").reset_index(drop=True)
        total = int(table["judgments"].sum())
        queries.require_rows(total, "with a verdict")
        named = table.loc[table["scenario"] != "", "scenario"].nunique()
        where = f" in {words.plural(named, 'scenario')}" if named else "; no scenarios are named"
        progress(1.0, "done")
        return Result(
            study=self,
            tables={"coverage": table},
            values={"judgments": total},
            settings=self.settings(),
            warnings=(),
            caption=f"{words.plural(total, 'judgment')} with a verdict by "
            f"{words.plural(table['judge'].nunique(), 'judge')}{where}; dataset {names.dataset}.",
            fingerprint=fingerprint,
        )
