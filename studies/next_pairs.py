"""What should be judged next? The pairs of models whose judgment tells most, and a list of responses to judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

import numpy as np
import pandas as pd

from analysis.tables import floats, integers
from analysis.vcov import Clustering, choose_clustering
from charts import words
from data import queries
from data.model import Progress, option
from data.queries import Catalog, designs
from data.store import Store
from errors import EmptySelectionError, OptionError
from studies.cells import cluster_columns, judge_cells
from studies.ground import Ground
from studies.plan import JudgePlan, make_plan
from studies.rank import check_annotators
from studies.study import Fitted, Result, register
from studies.work_list import write_list

MOST = 10_000


@register
@dataclass(frozen=True)
class NextPairs(Fitted):
    """The pairs of models whose judgment would shrink the intervals most, with a list of responses to judge."""

    command: ClassVar[str] = "next-pairs"
    hides: ClassVar[bool] = False
    title: ClassVar[str] = "What should be judged next?"
    reads_others: ClassVar[bool] = True
    shown: ClassVar[Mapping[str, str] | None] = {
        "model_1": "model", "model_2": "against", "ask": "to judge", "expected_shrink": "takes off, %", "have": "have",
        "available": "can be had", "why": "why",
    }  # fmt: skip

    n: int = option(50, "how many judgments are planned for each judge", label="Judgments to plan")
    optimality: str = option(
        "A", "what is made small: A the strengths' mean variance, D their joint uncertainty", label="Aim",
        choices=("A", "D"), advanced=True,
    )  # fmt: skip
    blind: bool = option(
        False, "leave the models' names out of the work list; its pair_id then says which responses are meant",
        label="Without models' names",
    )  # fmt: skip

    def resolve(self, store: Store) -> NextPairs:
        if not 1 <= self.n <= MOST:
            raise OptionError(f"--n {self.n}: between 1 and {MOST:,} judgments")
        return super().resolve(store)

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "counting judgments")
        with store.reading("planning: counts") as con:
            names = queries.catalog(con, self)
            condition = queries.where(self, names, self.ties)
            extent = queries.extent(con, condition)
            fingerprint = queries.fingerprint(con, names, self.judge)
            models = tuple(names.display.alphabetically("model", self.model or names.models))
            if len(models) < 2:
                raise EmptySelectionError(
                    f"dataset {names.dataset!r} names fewer than two models here, so there is nothing to plan: choose "
                    "more models, or import judgments with the columns model_a and model_b"
                )
            clustering = choose_clustering(self.cluster, extent["prompts"])
            check_annotators(clustering, extent)
            ways = cluster_columns(clustering)
            counts = queries.counts(con, condition, ways)
            responses = designs.responses(con, self, names)
            asked = {judge: designs.asked(self, names, judge) for judge in self.judge}
            judged = {judge: designs.prompts_judged(con, asked[judge]) for judge in self.judge}
            use = {judge: designs.prompt_use(con, asked[judge]) for judge in self.judge}
            people = {judge: designs.has_annotators(con, asked[judge]) for judge in self.judge}
        ground = Ground.of(models, names.models, responses)
        plans: list[JudgePlan] = []
        for k, judge in enumerate(self.judge):
            def report(share: float, k: int = k, judge: str = judge) -> None:
                progress((k + 0.9 * share) / len(self.judge), f"planning for {judge}")

            report(0.0)
            cells = judge_cells(counts.of(names.judges[judge][0]), names, judge, ground.models, ways)
            plans.append(
                make_plan(judge, cells, clustering, ground, judged[judge], self.n, self.optimality, self.level, report)
            )
        progress(0.9, "choosing responses")
        with store.reading("planning: what was judged") as con:
            queries.read_scenarios_of(con, names)
            done = {one.judge: designs.judged_under(con, asked[one.judge], one.by_ids(ground)) for one in plans}
        rng = np.random.default_rng(self.seed)
        picked = {one.judge: one.pick(ground, done[one.judge], use[one.judge], rng) for one in plans}
        with store.reading("planning: texts") as con:
            ids = sorted({int(r) for part in picked.values() for r in part[["first", "second"]].to_numpy().ravel()})
            texts = designs.written(con, ids)
        listed, left_out = write_list(
            picked, texts, {j: names.judges[j][1] for j in self.judge}, people, blind=self.blind,
            criterion=self.criterion or "overall", variant=self.variant,
        )  # fmt: skip
        progress(1.0, "done")
        many = len(plans) > 1
        warnings = [f"{one.judge}: {w}" if many else w for one in plans for w in one.warnings]
        if left_out:
            warnings.append(
                f"{words.plural(left_out, 'pair')} of responses cannot be judged blind (equal or missing texts) and "
                + ("is" if left_out == 1 else "are")
                + " not in the list"
            )
        rows = [one.row(self.level) for one in plans]
        return Result(
            study=self,
            tables={
                "next": pd.concat([one.table(ground) for one in plans], ignore_index=True),
                "judges": _typed(rows),
                "widths": pd.concat([one.widths(ground) for one in plans], ignore_index=True),
                "work_list": listed,
            },
            values={k: rows[0][k] for k in _WIDTHS} if len(rows) == 1 else {},
            settings=self.settings() | {"clustering": clustering.name, "clustering_chosen": clustering.chosen},
            warnings=tuple(dict.fromkeys(warnings)),
            caption=self._caption(plans, clustering, names),
            fingerprint=fingerprint,
        )

    def _caption(self, plans: list[JudgePlan], clustering: Clustering, names: Catalog) -> str:
        judges = ", ".join(
            f"{one.judge} ({words.plural(one.n_judgments, 'judgment')} so far, {one.n:,} planned)" for one in plans
        )
        aim = "mean variance of the strengths" if self.optimality == "A" else "log determinant of their covariance"
        methods = sorted({one.method for one in plans if one.method})
        return (
            f"Plan for {judges} in {names.dataset}: greedy choice by the {aim}, each judgment worth p(1 − p) divided "
            f"by the design effect; {words.ties(self.ties)}; half-widths of {words.percent(self.level)} intervals"
            + (", " + words.ranges(methods) if methods else "")
            + "."
        )


_WIDTHS = ("widest_before", "widest_after", "mean_before", "mean_after")


def _typed(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """One row a judge, with undefined cells missing."""
    out: dict[str, Any] = {}
    for name in rows[0]:
        column = [row[name] for row in rows]
        if name in ("judgments", "models", "planned", "links"):
            out[name] = integers(cast(list[int | None], column))
        elif name in (*_WIDTHS, "design_effect", "expected_shrink"):
            out[name] = floats(column)
        else:
            out[name] = pd.Series(column, dtype=object)
    return pd.DataFrame(out)
