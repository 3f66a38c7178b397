"""On which pairs did a factor decide? Where judge and reference take opposite sides, and it pushes to the judge's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self, cast

import numpy as np
import pandas as pd

from analysis.cells import Floats
from analysis.design import FIRST, Design
from analysis.factor_gap import FactorGap, find_factor_gap, shared
from analysis.strengths import Ties
from analysis.vcov import choose_clustering
from charts import words
from data.model import Progress, option
from data.queries import examples
from data.store import Store
from errors import EmptySelectionError, OptionError
from studies.factor_data import FactorData, fetch
from studies.factor_options import CODINGS, Factors, display
from studies.refused import require_factors
from studies.study import Result, register

HEAD = 160
"""Characters of a prompt that a row shows."""


@register
@dataclass(frozen=True)
class FactorsDecided(Factors):
    """The pairs on which a factor speaks most for the judge's side against the reference's."""

    command: ClassVar[str] = "factors decided"
    title: ClassVar[str] = "Where a factor decided"
    judges: ClassVar[Literal["any", "reference"]] = "reference"
    shown: ClassVar[Mapping[str, str] | None] = {
        "pair": "pair", "prompt": "prompt", "difference": "a − b", "push": "push, log-odds",
        "preference_ref": "reference for a, %", "preference_judge": "judge for a, %",
    }  # fmt: skip

    of: str | None = option(
        None, "the factor; left out: the one with the largest gap", label="Factor", names="factor"
    )
    n: int = option(3, "how many pairs", label="Pairs")

    def resolve(self, store: Store) -> Self:
        study = super().resolve(store)
        if study.n < 1:
            raise OptionError(f"--n {study.n}: at least 1 pair")
        if study.of is not None and study.of not in study.factor:
            # A factor that is asked for is in the models.
            study = replace(study, factor=(*study.factor, study.of))
            study = replace(study, factor=Factors.resolve(study, store).factor)
        return study

    def answer(self, store: Store, progress: Progress) -> Result:
        reference, (judge, *_) = self.compared()
        progress(0.0, "joining judgments with their factors")
        data = fetch(store, self, together=True)
        progress(0.5, f"holding {judge}'s reasons against {reference}'s")
        require_factors(data, reference, judge)
        designs = shared(data.design[reference], data.design[judge])
        prompts = len(np.unique(np.concatenate([design.clusters["prompt"] for design in designs])))
        clustering = choose_clustering(self.cluster, prompts)
        gap = find_factor_gap(*designs, clustering, ties=cast(Ties, self.ties), names=(reference, judge))
        factor = self.of or _largest(gap)
        if factor not in gap.names:
            why = gap.dropped.get(factor, "it is not among the factors of this comparison")
            raise EmptySelectionError(f"nothing can be said of {factor}: {why}")
        found = _pushed(data, designs[0], designs[1], gap, factor)
        # Of as many prompts as there are: three pairs of one prompt tell little.
        again = found.duplicated("prompt_id").to_numpy()
        top = found.iloc[np.argsort(again, kind="stable")[: self.n]].sort_values("push", ascending=False, kind="stable")
        with store.reading("reading the pairs") as con:
            texts = examples.texts(con, [int(i) for i in top["pair"]]) if len(top) else pd.DataFrame()
        table = top.copy()
        table["difference"] = top["x"] * _unit(data, factor)
        if len(top):
            by_pair = texts.set_index("pair")
            table["prompt"] = [_head(by_pair["prompt"].get(int(i))) for i in top["pair"]]
        progress(1.0, "done")
        return Result(
            study=self,
            tables={"pairs": table.drop(columns=["x", "prompt_id"])},
            values={"disagreements": len(found), "first": int(found["first"].sum())},
            settings=self.settings() | {"reference": reference, "of": factor},
            warnings=tuple(data.warnings),
            caption=f"Of the {words.plural(len(found), 'pair')} on which {judge} and {reference} take opposite sides "
            f"and {display(factor)} speaks for {judge}'s, those on which it does most: the gap of its weight times the "
            f"difference of the two answers ({CODINGS[self.coding]}).",
            fingerprint=data.fingerprint,
        )  # fmt: skip


def _largest(gap: FactorGap) -> str:
    """The factor with the largest net gap, of the clearest ones first."""
    table = gap.table()
    table = table[table["factor"] != FIRST]
    scaled = bool(table["gap_scaled"].notna().any())
    size = table["gap_scaled" if scaled else "gap"].abs().astype("Float64")
    sure = table["scaled_q" if scaled else "q"].astype("Float64").lt(0.05).fillna(False).astype(bool)
    order = np.lexsort((-size.to_numpy(dtype=float, na_value=0.0), ~sure.to_numpy()))
    return str(table["factor"].iloc[order[0]])


def _means(design: Design, n: int) -> Floats:
    """(n,) mean preference for `a` on each pair; NaN where there is none."""
    weight = np.bincount(design.pair, design.weight, n).astype(np.float64)
    score = np.bincount(design.pair, design.score, n)
    return np.asarray(np.divide(score, weight, out=np.full(n, np.nan), where=weight > 0))


def _pushed(data: FactorData, reference: Design, judge: Design, gap: FactorGap, factor: str) -> pd.DataFrame:
    """Pairs of opposite sides, those on which the factor pushes most to the judge's side first.

    Columns: pair (id), x (scaled difference), push (log-odds towards the judge's side), first (no factor pushes more),
    preference_ref, preference_judge (for a, percent).
    """
    n = len(data.pair_ids)
    mean_ref, mean_judge = _means(reference, n), _means(judge, n)
    with np.errstate(invalid="ignore"):
        apart = np.flatnonzero((mean_ref - 0.5) * (mean_judge - 0.5) < 0)
    column = np.zeros(n, dtype=np.int64)
    column[judge.pair] = judge.at
    prompt = np.zeros(n, dtype=np.int64)
    prompt[judge.pair] = judge.clusters["prompt"]
    factors = [name for name in gap.names if name != FIRST]
    weights = {name: gap.gaps.judge[i] - gap.gaps.reference[i] for i, name in enumerate(gap.names)}
    side = np.sign(mean_judge[apart] - 0.5)
    x = reference.x[[reference.names.index(name) for name in factors]][:, column[apart]].astype(np.float64)
    pushes = np.array([weights[name] for name in factors])[:, None] * x * side
    mine = pushes[factors.index(factor)]
    table = pd.DataFrame(
        {
            "pair": data.pair_ids[apart].astype(np.int64), "x": x[factors.index(factor)], "push": mine,
            "first": mine >= pushes.max(axis=0, initial=-np.inf), "preference_ref": 100 * mean_ref[apart],
            "preference_judge": 100 * mean_judge[apart], "prompt_id": prompt[apart],
        }
    )  # fmt: skip
    table = table[table["push"] > 0]
    order = np.lexsort((table["pair"], -table["push"].to_numpy()))
    return table.iloc[order].reset_index(drop=True)


def _unit(data: FactorData, factor: str) -> float:
    value = data.scales[factor].value
    return value if np.isfinite(value) else 1.0


def _head(prompt: Any) -> str | None:
    if words.absent(prompt):
        return None
    return words.shorten(" ".join(str(prompt).split()), HEAD)
