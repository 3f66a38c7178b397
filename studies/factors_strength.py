"""How often does each factor agree with the verdict? The metrics of Feedback Forensics, nothing else held equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from analysis.forensics import RESAMPLES, Agreement, agree_with, draw_pairs
from charts import words
from data.model import Progress
from data.queries.order import in_order
from data.store import Store
from errors import NotIdentifiedError, OptionError
from studies.cells import cluster_columns
from studies.factor_data import clustering_of, load
from studies.factor_options import Factors
from studies.study import Result, register


@register
@dataclass(frozen=True)
class FactorsStrength(Factors):
    """How often the answer with more of a factor is the preferred one: relevance, accuracy, kappa and strength."""

    command: ClassVar[str] = "factors strength"
    title: ClassVar[str] = "How often factors agree"
    models_ties: ClassVar[bool] = False
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "factor": "factor", "strength": "kappa × relevance", "interval": "interval", "q": "q",
        "relevance": "relevance", "accuracy": "agrees", "published_interval": "bootstrap of pairs",
    }  # fmt: skip

    def resolve(self, store: Store) -> Self:
        for name in ("position", "interact"):
            if getattr(self, name) not in ("auto", "without", ()):
                raise OptionError(f"factors strength counts votes of factors one by one, and takes no --{name}")
        if self.coding == "raw":
            raise OptionError("factors strength counts the signs of differences: leave out --coding raw")
        return replace(super().resolve(store), coding="sign")

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "joining judgments with their factors")
        loaded = load(store, self, ["annotator"] if "annotator" in self.cluster else [])
        said = loaded.said.columns
        clustering = clustering_of(self, loaded)
        with store.reading("putting pairs in order") as con:
            met, pair = np.unique(in_order(con, "pair", said["pair"]), return_inverse=True)
        drawn = draw_pairs(len(met), np.random.default_rng(self.seed))
        ways = (*(way for way in cluster_columns(clustering) if way != "pair"),)
        found: dict[str, Agreement] = {}
        for k, judge in enumerate(self.judge):
            progress((k + 0.2) / len(self.judge), f"counting where factors agree with {judge}")
            mine = np.flatnonzero(said["judge_id"] == loaded.names.judges[judge][0])
            if len(mine):
                clusters = {"pair": pair[mine]} | {way: said[way][mine] for way in ways}
                found[judge] = agree_with(
                    self.factor, loaded.x, loaded.at[mine], pair[mine], np.ones(len(mine)), said["p_a"][mine],
                    clusters, clustering, drawn,
                )  # fmt: skip
        table = pd.concat([self._table(judge, one) for judge, one in found.items()], ignore_index=True)
        if not len(table):
            raise NotIdentifiedError("no judgment of the selection has any of these factors on both of its answers")
        methods = sorted({c.method for one in found.values() for c in one.strengths if c is not None})
        progress(1.0, "done")
        return Result(
            study=self,
            tables={"strengths": table, "judges": pd.DataFrame([_row(judge, one) for judge, one in found.items()])},
            values={},
            settings=self.settings() | {"clustering": clustering.name, "resamples": RESAMPLES},
            warnings=tuple(dict.fromkeys(_warnings(found, clustering.warning))),
            caption=self._caption(found, methods, loaded.n_prompts),
            fingerprint=loaded.fingerprint,
        )

    def _table(self, judge: str, one: Agreement) -> pd.DataFrame:
        table = one.table(self.level)
        table.insert(0, "judge", judge)
        return table[one.whole > 0]

    def _caption(self, found: Mapping[str, Agreement], methods: Sequence[str], prompts: int) -> str:
        judges = ", ".join(
            f"{judge} ({words.plural(int(one.whole.max(initial=0.0)), 'judgment')})" for judge, one in found.items()
        )
        named = words.ranges(methods) if methods else "none, as all votes share one cluster"
        return (
            f"Votes of {words.plural(len(self.factor), 'factor')} for the answer that has more of it, held against the "
            f"verdicts of {judges}; {words.plural(prompts, 'prompt')}. Strength = relevance × κ = (agreeing − "
            f"disagreeing votes) / all; {_ties(self.ties)}; nothing else is held equal. {words.percent(self.level)} "
            f"intervals, {named}; beside them the published ones, percentiles of {RESAMPLES} resamples of pairs. "
            "q over a judge's factors."
        )


def _ties(ties: str) -> str:
    return "verdicts that are ties are left out" if ties == "drop" else "a tie is a vote that neither agrees nor not"


def _row(judge: str, one: Agreement) -> dict[str, Any]:
    known = next((c for c in one.strengths if c is not None), None)
    return {
        "judge": judge, "votes": float(one.whole.max(initial=0.0)), "factors": int((one.whole > 0).sum()),
        "clusters": None if known is None else known.n_clusters or None,
        "intervals": None if known is None else known.method,
    }  # fmt: skip


def _warnings(found: Mapping[str, Agreement], clustering: str | None) -> list[str]:
    said = [] if clustering is None else [clustering]
    for judge, one in found.items():
        unseen = [name for name, whole in zip(one.names, one.whole, strict=True) if not whole > 0]
        if unseen:
            said.append(f"{judge}: every judgment lacks {words.quoted(unseen, 6)}")
        some = [(n, name) for n, name, whole in zip(one.missing, one.names, one.whole, strict=True) if n and whole > 0]
        if some:
            listed = [f"'{name}' ({n:,})" for n, name in sorted(some, reverse=True)]
            which = words.listing(listed, 4)
            said.append(f"{judge}: judgments that lack a factor are left out of its figures: {which}")
        still = [name for name, valid, whole in zip(one.names, one.agree + one.disagree, one.whole, strict=True)
                 if whole > 0 and not valid > 0]  # fmt: skip
        if still:
            said.append(f"{judge}: no vote of {words.quoted(still, 6)} is valid: accuracy is set to .5, strength to 0")
    return said
