"""Does one scale of strengths fit each judge's verdicts, and which pairs of models does it miss?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from analysis.fit_check import FitCheck, check_fit
from analysis.multiple import adjust_bh
from analysis.tables import floats, integers
from analysis.vcov import Clustering, choose_clustering
from charts import words
from data import queries
from data.model import Progress
from data.queries import Catalog
from data.store import Store
from errors import NotIdentifiedError
from studies import rated
from studies.cells import cluster_columns, judge_cells, models_met, require_models
from studies.rank import check_annotators
from studies.refused import nobody, sentences
from studies.study import Fitted, Result, register


@register
@dataclass(frozen=True)
class CheckFit(Fitted):
    """Does Bradley-Terry fit: a test of all pairs of models, circles, the Hodge residual, the worst-fitting pairs."""

    command: ClassVar[str] = "fit-check"
    title: ClassVar[str] = "Does one scale fit these verdicts?"
    shown: ClassVar[Mapping[str, str] | None] = {
        "model_1": "model", "model_2": "against", "observed": "won", "expected": "expected", "residual": "residual",
        "q": "q", "judgments": "judgments", "pairs": "pairs", "clusters": "clusters",
    }  # fmt: skip

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "counting judgments")
        with store.reading("checking the fit") as con:
            names = queries.catalog(con, self)
            condition = queries.where(self, names, self.ties)
            extent = queries.extent(con, condition)
            fingerprint = queries.fingerprint(con, names, self.judge)
            made = rated.made(con, names, self.judge)
            require_models(names, "there is no scale to check: it needs")
            queries.require_rows(extent["judgments"], "on two named models with a verdict")
            clustering = choose_clustering(self.cluster, extent["prompts"])
            check_annotators(clustering, extent)
            ways = cluster_columns(clustering)
            counts = queries.counts(con, condition, ways)
            pairs = {
                judge: queries.pairs_between(con, f"{condition} AND judge_id = {names.judges[judge][0]}")
                for judge in self.judge
            }
        found: dict[str, FitCheck] = {}
        reasons: dict[str, str] = {}
        for k, judge in enumerate(self.judge):
            def report(share: float, k: int = k, judge: str = judge) -> None:
                progress((k + share) / len(self.judge), f"checking the fit of {judge}")

            report(0.0)
            mine = counts.of(names.judges[judge][0])
            cells = judge_cells(mine, names, judge, models_met(mine, names), ways)
            try:
                found[judge] = check_fit(cells, clustering, np.random.default_rng(self.seed), tick=report)
            except NotIdentifiedError as error:
                reasons[judge] = str(error)
        if not found:
            raise nobody(reasons)
        warnings = sentences(reasons)
        for judge, check in found.items():
            warnings += [f"{judge}: {w}" if len(self.judge) > 1 else w for w in check.warnings]
        warnings += rated.no_circles({judge: what for judge, what in made.items() if judge in found})
        progress(1.0, "done")
        return Result(
            study=self,
            tables={
                "fit": _fit_table(found, self.level),
                "pairs": pd.concat([_pair_table(j, c, names, pairs[j]) for j, c in found.items()], ignore_index=True),
                "cycles": pd.concat([_named(j, c.circle_table()) for j, c in found.items()], ignore_index=True),
            },
            values={},
            settings=self.settings() | {"clustering": clustering.name, "clustering_chosen": clustering.chosen},
            warnings=tuple(dict.fromkeys(warnings)),
            caption=self._caption(found, extent, clustering),
            fingerprint=fingerprint,
        )

    def _caption(self, found: Mapping[str, FitCheck], extent: Mapping[str, int], clustering: Clustering) -> str:
        judges = ", ".join(f"{j} ({words.plural(c.fit.n_judgments, 'judgment')})" for j, c in found.items())
        clusters = max(check.n_clusters for check in found.values())
        draws = min(check.n_draws for check in found.values())
        how = (
            f"p by {draws:,} draws of the signs of {words.plural(clusters, clustering.name.split('+')[0])}"
            if draws
            else "p by chi-square, as if judgments were independent"
        )
        return (
            f"Observed shares of pairs of models against those that Bradley-Terry strengths expect, by {judges}; "
            f"{words.plural(extent['pairs'], 'pair')} of responses, {words.plural(extent['prompts'], 'prompt')}; "
            f"{words.ties(self.ties)}; {how}; "
            f"circles and Hodge residual against data drawn from the fit, {words.percent(self.level)} ranges."
        )


def _named(judge: str, table: pd.DataFrame) -> pd.DataFrame:
    table.insert(0, "judge", judge)
    return table


_COUNTS = ("models", "pairs", "judgments", "clusters", "df", "triples")


def _fit_table(found: Mapping[str, FitCheck], level: float) -> pd.DataFrame:
    """One row a judge; q is Benjamini-Hochberg over the judges."""
    rows = [check.row(level) for check in found.values()]
    out: dict[str, Any] = {"judge": list(found)}
    for name in rows[0]:
        column = [row[name] for row in rows]
        out[name] = column if name == "clustering" else integers(column) if name in _COUNTS else floats(column)
        if name == "p":
            p = np.array([np.nan if value is None else value for value in column], dtype=np.float64)
            out["q"] = floats(adjust_bh(p))
    return pd.DataFrame(out)


def _pair_table(judge: str, check: FitCheck, names: Catalog, behind: pd.DataFrame) -> pd.DataFrame:
    """The worst-fitting pairs of models with the pairs of responses behind each."""
    table = check.pair_table()
    by_id = {i: name for name, i in names.models.items()}
    between = zip(behind["a"].map(by_id), behind["b"].map(by_id), behind["pairs"], strict=True)
    number = {frozenset((a, b)): int(n) for a, b, n in between}
    n = [number.get(frozenset(pair), 0) for pair in zip(table["model_1"], table["model_2"], strict=True)]
    table.insert(list(table.columns).index("clusters"), "pairs", integers(n))
    return _named(judge, table)
