"""What weights do the judges of a dataset have under the published model, on the properties that were published?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import pandas as pd

from charts import words
from data.model import Progress, Selection
from data.queries import Catalog
from data.queries import texts as texts_queries
from data.store import Store
from errors import JurylensError
from studies.extract import versions
from studies.factor_options import usual
from studies.factors_bayes import FactorsBayes
from studies.similarity_data import same
from studies.study import Fitted

LEAST_MATCHING = 3
NOT_HERE = "of the judges of this dataset no weights are compared"


@dataclass(frozen=True)
class OwnWeights:
    """table : judge, kind, scenario, factor, weight; scenario missing where it is of all judgments

    said : what is not here, and why
    """

    table: pd.DataFrame
    said: tuple[str, ...] = ()
    fingerprint: str = ""


def own_weights(
    study: Fitted, store: Store, names: Catalog, published: pd.DataFrame, among: Sequence[str], overall: bool,
    progress: Progress,
) -> OwnWeights:  # fmt: skip
    """Posterior means of the dataset's own judges (signs, Laplace prior of .1) in the scenarios called like `among`.

    overall : without such a scenario, of all judgments
    """
    nothing = pd.DataFrame(columns=["judge", "kind", "scenario", "factor", "weight"])
    if not study.judge:
        return OwnWeights(nothing)
    with store.reading("looking for factors") as con:
        found = texts_queries.sources(con, names, versions())
    wanted = set(map(same, published["factor"]))
    factors = [name for name, source in found.items() if not source.labels and same(name) in wanted]
    if not len(published):
        factors = usual(found)
    if len(factors) < LEAST_MATCHING:
        why = f"fewer than {LEAST_MATCHING} factors were measured or delivered"
        if len(published):
            named = f" ({words.quoted(factors)})" if factors else ""
            verb = "is" if len(factors) == 1 else "are"
            why = f"{len(factors)} of their factors{named} {verb} called as a published one, of {LEAST_MATCHING} needed"
        return OwnWeights(nothing, (f"{NOT_HERE}: {why}",))
    called = {same(scenario) for scenario in among}
    scenarios = tuple(name for name in names.scenarios if same(name) in called)
    if not scenarios and not overall and among:
        why = "none of their scenarios is called as a published one; --over overall compares weights of all judgments"
        return OwnWeights(nothing, (f"{NOT_HERE}: {why}",))
    shared = {f.name: getattr(study, f.name) for f in fields(Selection)} | {"seed": study.seed, "level": study.level}
    fit = FactorsBayes(**(shared | {"scenario": scenarios, "factor": tuple(factors)}))
    try:
        result = fit.resolve(store).answer(store, lambda share, text: progress(0.1 + 0.8 * share, text))
    except JurylensError as error:
        return OwnWeights(nothing, (f"{NOT_HERE}: {error}",))
    table = result.table("scenarios") if scenarios or (among and not overall) else result.table("factors")
    if "scenario" not in table:
        table = table.assign(scenario=None)
    kinds = {judge: kind for judge, (_, kind) in names.judges.items()}
    table = table.assign(kind=table["judge"].map(kinds))[list(nothing.columns)]
    table["weight"] = table["weight"].astype(float)
    said = f"weights of this dataset's judges rest on {words.quoted(factors, 8)}: signs, under a Laplace prior of .1"
    # What it says of intervals is no matter here: there are none.
    more = [text for text in result.warnings if "interval" not in text]
    return OwnWeights(table.reset_index(drop=True), (said, *more), result.fingerprint)
