"""How alike are the orders of two judges, net of noise, and how alike are people among themselves?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from analysis.bradley_terry import fit_bradley_terry
from analysis.compare import compare_strengths
from analysis.rank_correlation import Interval
from analysis.reliability import FEW_PROMPTS, SPLITS, Ceiling, split_halves
from analysis.tables import floats
from analysis.vcov import Clustering
from charts import words
from data import queries
from data.model import Progress
from data.queries import Catalog
from data.queries.shared import shared_rows
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError
from studies.cells import judge_cells, models_met, require_models
from studies.refused import nobody, sentences
from studies.study import Fitted, Result, register


@register
@dataclass(frozen=True)
class Reliability(Fitted):
    """Agreement of rankings with the reference, as it stands and net of noise, beside split-half ceilings."""

    command: ClassVar[str] = "reliability"
    title: ClassVar[str] = "How alike are the orders, net of noise?"
    judges: ClassVar[Literal["any", "reference"]] = "reference"
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "pearson": "as it stands", "corrected": "net of noise", "interval": "net of noise, interval",
        "reliability_ref": "reliability, reference", "reliability_judge": "reliability, judge", "pairs": "pairs",
    }  # fmt: skip

    def answer(self, store: Store, progress: Progress) -> Result:
        reference, others = self.compared()
        with store.reading("reliability: names") as con:
            names = queries.catalog(con, self)
            fingerprint = queries.fingerprint(con, names, self.judge)
        require_models(names, "there are no rankings to compare: they need")
        rows: list[dict[str, Any]] = []
        warnings: list[str] = []
        reasons: dict[str, str] = {}
        for k, judge in enumerate(others):
            progress(k / (len(others) + 1), f"holding {judge} against {reference}")
            try:
                row, said = self._agreement(store, names, reference, judge)
            except (NotIdentifiedError, EmptySelectionError) as error:
                reasons[judge] = str(error)
                continue
            rows.append(row)
            warnings += [f"{judge}: {w}" if len(others) > 1 else w for w in said]
        if not rows:
            raise nobody(reasons)
        warnings = [*sentences(reasons), *warnings]
        progress(len(others) / (len(others) + 1), f"splitting {reference} in halves")
        ceilings = self._ceilings(store, names, reference, warnings)
        progress(1.0, "done")
        agreement = pd.DataFrame(rows)
        for column in ("pearson", "corrected", "lower", "upper", "reliability_ref", "reliability_judge"):
            agreement[column] = floats(agreement[column].tolist())
        return Result(
            study=self,
            tables={"agreement": agreement, "ceilings": ceilings},
            values={},
            settings=self.settings() | {"reference": reference, "splits": SPLITS},
            warnings=tuple(dict.fromkeys(warnings)),
            caption=(
                f"Pearson correlation of Bradley-Terry strengths with those of {reference} on shared pairs, as it "
                f"stands and corrected for the sampling noise of both (joint covariance), with "
                f"{words.percent(self.level)} jackknife intervals; {words.ties(self.ties)}. Ceilings: correlation of "
                f"the strengths of two random halves of {reference}, stepped up by Spearman and Brown, mean and "
                f"{words.percent(self.level)} range of {SPLITS} splits."
            ),
            fingerprint=fingerprint,
        )

    def _agreement(
        self, store: Store, names: Catalog, reference: str, judge: str
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        with store.reading(f"holding {judge} against {reference}") as con:
            queries.read_scenarios_of(con, names)
            rows = shared_rows(con, self, names, self.ties, (reference, judge))
            extent = rows.extent
            if 0 < extent["prompts"] < FEW_PROMPTS:
                rows = rows.pairs_in_order(con)
        if not extent["judgments"]:
            raise EmptySelectionError(
                f"{reference!r} and {judge!r} share no pair of two named models in this selection, so there is "
                "nothing to compare: choose more scenarios or models, or add verdicts of both on the same pairs"
            )
        ways = ("prompt", "pair") if extent["prompts"] < FEW_PROMPTS else ("prompt",)
        counts = rows.counts(ways)
        models = models_met(counts, names)
        cells = [judge_cells(counts, names, one, models, ways) for one in (reference, judge)]
        by = Clustering("pair" if "pair" in ways else "prompt")
        found = compare_strengths(
            cells[0], cells[1], by, np.random.default_rng(self.seed), names=(reference, judge), replicates=0,
            n_prompts=extent["prompts"],
        ).corrected  # fmt: skip
        if found is None:
            raise NotIdentifiedError("there are too few prompts to tell noise from agreement")
        net = found.interval(self.level)
        row = {
            "judge": judge, "pearson": found.raw, "corrected": net.value, "lower": net.lower, "upper": net.upper,
            "reliability_ref": found.reliability[0], "reliability_judge": found.reliability[1],
            "clusters": found.n_clusters, "clustered_by": found.clusters, "pairs": extent["pairs"],
            "prompts": extent["prompts"], "note": found.why_not,
        }  # fmt: skip
        return row, tuple(text for text in (found.why_not, found.warning) if text is not None)

    def _ceilings(self, store: Store, names: Catalog, reference: str, warnings: list[str]) -> pd.DataFrame:
        """Split-half figures of the reference over its annotators and over its prompts, where it has enough."""
        with store.reading(f"splitting {reference}") as con:
            queries.read_scenarios_of(con, names)
            condition = queries.where(self, names, self.ties) + f" AND judge_id = {names.judges[reference][0]}"
            extent = queries.extent(con, condition)
            ways = ("annotator", "prompt") if extent["annotators"] else ("prompt",)
            counts = queries.counts(con, condition, ways)
        cells = judge_cells(counts, names, reference, models_met(counts, names), ways)
        found: list[tuple[Ceiling, Interval]] = []
        for way in ways:
            try:
                halves = split_halves(fit_bradley_terry(cells), cells, way, np.random.default_rng(self.seed))
                found.append((halves, halves.interval(self.level)))
            except NotIdentifiedError as error:
                warnings.append(f"no ceiling over {way}s: {error}")
        if "annotator" not in ways:
            warnings.append(f"no ceiling over people: the judgments of {reference} name no annotators")
        return pd.DataFrame(
            {
                "judge": pd.Series([reference] * len(found), dtype="str"),
                "way": pd.Series([one.way for one, _ in found], dtype="str"),
                "clusters": pd.Series([one.n_clusters for one, _ in found], dtype="int64"),
                "value": floats([range_.value for _, range_ in found]),
                "lower": floats([range_.lower for _, range_ in found]),
                "upper": floats([range_.upper for _, range_ in found]),
            }
        )
