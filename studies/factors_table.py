"""Which numbers does a fit of factors see? One row a judgment, ready for any statistics program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from charts import words
from data import queries
from data.model import Progress
from data.store import Store
from studies.factor_data import load
from studies.factor_options import CODINGS, Factors
from studies.study import Result, register


@register
@dataclass(frozen=True)
class FactorsTable(Factors):
    """The rows of the fit: verdict, shown order and the scaled differences of each judgment's two answers."""

    command: ClassVar[str] = "factors table"
    title: ClassVar[str] = "The rows of the fit"
    output: ClassVar[str] = "csv"

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "joining judgments with their factors")
        loaded = load(store, self, ("annotator", "scenario"))
        columns = loaded.said.columns
        rows = np.flatnonzero(loaded.complete[loaded.at])
        names = loaded.names
        with store.reading("naming annotators") as con:
            annotators = queries.annotator_names(con, names)
        judges = {i: name for name, (i, _) in names.judges.items()}
        scenarios = {i: name for name, i in names.scenarios.items()}
        at = loaded.at[rows]
        table = {
            "pair": columns["pair"][rows],
            "judge": pd.Series(columns["judge_id"][rows]).map(judges),
            "prompt": columns["prompt"][rows],
            "scenario": pd.Series(columns["scenario"][rows]).map(scenarios),
            "annotator": pd.Series(columns["annotator"][rows]).map(annotators),
            "y": columns["p_a"][rows],
            "first_position": columns["shown"][rows],
        }
        weight = columns["weight"][rows]
        warnings = []
        if len(weight) and bool((weight != 1).any()):
            table["weight"] = weight
            warnings.append("judgments weigh differently: the column `weight` multiplies the likelihood of each")
        if len(rows) < len(loaded.at):
            gone = len(loaded.at) - len(rows)
            warnings.append(f"{words.plural(gone, 'judgment')} without a factor of one of their responses are not here")
        table |= {name: loaded.x[k][at] for k, name in enumerate(loaded.columns)}
        scales = [loaded.scales[name].value for name in loaded.columns]
        progress(1.0, "done")
        return Result(
            study=self,
            tables={
                "rows": pd.DataFrame(table),
                "scales": pd.DataFrame({"factor": loaded.columns, "scale": pd.array(scales, dtype="Float64")}),
            },
            values={},
            settings=self.settings(),
            warnings=tuple(warnings),
            caption=f"{words.plural(len(rows), 'judgment')}; y is the preference for a, first_position +1 where a was "
            f"shown first, −1 where b was, 0 unknown; factors: {CODINGS[self.coding]}; {words.ties(self.ties)}.",
            fingerprint=loaded.fingerprint,
        )
