"""Which numbers does a fit of factors see? One row a judgment, ready for any statistics program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from charts import words
from data import queries
from data.model import Progress
from data.store import Store
from studies.factor_data import Loaded, load
from studies.factor_options import CODINGS, Factors
from studies.study import Result, register


@register
@dataclass(frozen=True)
class FactorsTable(Factors):
    """The rows of the fit: verdict, shown order and the scaled differences of each judgment's two answers."""

    command: ClassVar[str] = "factors table"
    hides: ClassVar[bool] = False
    title: ClassVar[str] = "The rows of the fit"
    output: ClassVar[str] = "csv"

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "joining judgments with their factors")
        loaded = load(store, self, ("annotator", "scenario"))
        columns = loaded.said.columns
        kept, never = _fitted(loaded, {i: name for name, (i, _) in loaded.names.judges.items()})
        rows = np.flatnonzero(kept)
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
        for judge, absent in never.items():
            which = words.quoted(absent, 6)
            warnings.append(f"no judgment of {judge} has {which}: its fit is without, and the column is empty there")
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


def _fitted(loaded: Loaded, judges: Mapping[int, str]) -> tuple[NDArray[np.bool_], dict[str, list[str]]]:
    """(n,) which judgments a fit of their judge sees, and by judge the factors that none of its judgments has.

    judges : names by id
    """
    kept = loaded.complete[loaded.at]
    never: dict[str, list[str]] = {}
    if kept.all():
        return kept, never
    ids = loaded.said.columns["judge_id"]
    for i in np.unique(ids):
        mine = np.flatnonzero(ids == i)
        known = np.isfinite(loaded.x[:, loaded.at[mine]])
        some = known.any(axis=1)
        # Without any factor there is no fit.
        if some.any() and not some.all():
            kept[mine] = known[some].all(axis=0)
            never[judges[int(i)]] = [name for name, has in zip(loaded.columns, some, strict=True) if not has]
    return kept, never
