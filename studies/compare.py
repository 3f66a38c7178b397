"""Where do two judges order the same models differently, beyond noise and beyond decisiveness?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal, cast

import numpy as np
import pandas as pd

from analysis.bootstrap import Report
from analysis.compare import Comparison, compare_strengths, gap_table
from analysis.gap import GapSummary
from analysis.rank_correlation import RankCorrelation
from analysis.reliability import FEW_PROMPTS, Corrected
from analysis.strengths import TIE_NAMES, Ties
from analysis.tables import floats
from analysis.vcov import choose_clustering
from charts import words
from data import queries
from data.model import Progress, option
from data.queries import Catalog
from data.queries.shared import shared_rows
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError
from studies.cells import cluster_columns, judge_cells, models_met, require_hard, require_models
from studies.kept import part
from studies.overview import Line, compare_line
from studies.rank import check_annotators
from studies.refused import nobody, sentences
from studies.study import Fitted, Result, register


def _part(progress: Progress, begin: float, parts: int, text: str) -> Report:
    return lambda done: progress(begin + done / parts, text)


@dataclass(frozen=True)
class Held:
    """One judge held against the reference on the pairs that both judged: what is said of it at any level.

    not_compared : rows (model, cause); flips : as the result's table; n_models : compared; extent : see `SharedRows`
    Without fits and covariances, which take megabytes: hundreds of these are kept.
    """

    judge: str
    gaps: GapSummary
    correlation: RankCorrelation | None
    corrected: Corrected | None
    flips: pd.DataFrame
    not_compared: tuple[tuple[str, str], ...]
    n_models: int
    n_clusters: int
    clustering: str
    method: str
    warnings: tuple[str, ...]
    extent: dict[str, int]

    @classmethod
    def of(
        cls, judge: str, found: Comparison, extent: dict[str, int], pairs: pd.DataFrame, ids: Mapping[str, int]
    ) -> Held:
        """pairs : as `queries.pairs_between`; ids : of the models"""
        return cls(
            judge, found.gaps.summary(), found.correlation, found.corrected, _flips(judge, found, pairs, ids),
            tuple((left.model, left.cause) for left in found.not_compared), len(found.reference.models),
            found.n_clusters, found.clustering.name, found.covariance.method, found.warnings, extent,
        )  # fmt: skip


@register
@dataclass(frozen=True)
class Compare(Fitted):
    """Each judge's ranking held against the reference's, fitted on the pairs they share."""

    command: ClassVar[str] = "compare"
    models_ties: ClassVar[bool] = True
    title: ClassVar[str] = "Where judges part"
    judges: ClassVar[Literal["any", "reference"]] = "reference"
    shown: ClassVar[Mapping[str, str] | None] = {
        "model": "model", "strength_ref": "reference", "strength_judge": "judge", "gap": "gap",
        "interval": "gap, interval", "gap_scaled": "net gap", "scaled_interval": "net gap, interval", "scaled_q": "q",
    }  # fmt: skip

    position: bool = option(
        False, "estimate and take out the advantage of the response shown first", label="Position term", advanced=True
    )

    gaps_only: bool = option(
        False, "leave out how alike the orders are (rank correlations, agreement net of noise): it takes longest",
        widget=False,
    )  # fmt: skip

    def answer(self, store: Store, progress: Progress) -> Result:
        reference, others = self.compared()
        with store.reading("comparing: names") as con:
            names = queries.catalog(con, self)
            fingerprint = queries.fingerprint(con, names, self.judge)
        require_models(names, "there are no rankings to compare: they need")
        held: list[Held] = []
        reasons: dict[str, str] = {}
        for k, judge in enumerate(others):
            progress(k / len(others), f"comparing {judge} with {reference}")
            try:
                report = _part(progress, k / len(others), len(others), f"comparing {judge} with {reference}")
                held.append(self._hold(store, names, reference, judge, report))
            except (NotIdentifiedError, EmptySelectionError) as error:
                if len(others) == 1:
                    raise
                reasons[judge] = str(error)
        if not held:
            raise nobody(reasons)
        warnings = sentences(reasons)
        for one in held:
            warnings += [f"{one.judge}: {w}" if len(held) > 1 else w for w in one.warnings]
        progress(1.0, "done")
        figures = [self._figures(one) for one in held]
        single = figures[0] if len(held) == 1 else {}
        return Result(
            study=self,
            tables=self._tables(held) | {"judges": pd.DataFrame([self._flat(f) for f in figures])},
            values={k: single.get(k) for k in ("spearman", "kendall", "corrected", "scale")},
            settings=self.settings() | {"reference": reference, "clustering": held[0].clustering},
            warnings=tuple(dict.fromkeys(warnings)),
            caption=" ".join(self._caption(one, reference) for one in held),
            fingerprint=fingerprint,
        )

    def _tables(self, held: Sequence[Held]) -> dict[str, pd.DataFrame]:
        """All tables but `judges`."""
        return {
            "models": pd.concat([self._models(one) for one in held], ignore_index=True),
            "flips": pd.concat([one.flips for one in held], ignore_index=True),
            "left_out": pd.DataFrame(
                [(one.judge, model, cause) for one in held for model, cause in one.not_compared],
                columns=["judge", "model", "cause"],
            ),
        }

    @classmethod
    def overview(cls, results: Sequence[Result]) -> Line | None:
        judges = pd.concat([r.table("judges") for r in results], ignore_index=True)
        models = pd.concat([r.table("models") for r in results], ignore_index=True)
        settings = results[0].settings
        return compare_line(settings["reference"], judges, models, settings["level"], settings["ties"])

    def _hold(self, store: Store, names: Catalog, reference: str, judge: str, report: Report) -> Held:
        alone = self._with(judge=(reference, judge), level=Fitted.level)
        return part(
            store, names, alone, lambda: self._compared(store, names, reference, judge, report), lambda: report(0.0)
        )

    def _with(self, **changes: Any) -> Compare:
        """The same comparison with some changes, equal whichever class asks."""
        return Compare(**{f.name: getattr(self, f.name) for f in fields(Compare)} | changes)

    def _compared(self, store: Store, names: Catalog, reference: str, judge: str, report: Report) -> Held:
        with store.reading(f"comparing {judge} with {reference}") as con:
            queries.read_scenarios_of(con, names)
            ids = [names.judges[reference][0], names.judges[judge][0]]
            rows = shared_rows(con, self, names, self.ties, (reference, judge))
            extent = rows.extent
            by_pair = extent["prompts"] < FEW_PROMPTS or self.cluster == "pair"
            if by_pair and extent["judgments"]:
                rows = rows.pairs_in_order(con)
        if extent["judgments"] == 0:
            raise EmptySelectionError(
                f"{reference!r} and {judge!r} share no pair of two named models in this selection, so there is "
                "nothing to compare: choose more scenarios or models, or add verdicts of both on the same pairs"
            )
        clustering = choose_clustering(self.cluster, extent["prompts"])
        check_annotators(clustering, extent)
        if self.position and extent["known_order"] == 0:
            raise OptionError("--position: this file does not record which response was shown first")
        ways = tuple(dict.fromkeys((*cluster_columns(clustering), "prompt")))
        if extent["prompts"] < FEW_PROMPTS:
            # The agreement net of noise then speaks about these prompts, by pair.
            ways = tuple(dict.fromkeys((*ways, "pair")))
        modelled = self.ties in TIE_NAMES
        counts = rows.counts(ways, self.position, modelled)
        soft = rows.soft_judgments() if modelled else {}
        pairs = rows.pairs_between()
        models = models_met(counts, names)
        cells = [judge_cells(counts, names, j, models, ways, self.position) for j in (reference, judge)]
        for one, one_id in zip((reference, judge), ids, strict=True):
            require_hard(one, soft.get(one_id, 0), self.ties)
        both = min(reference, judge), max(reference, judge)
        orders = (self._with(judge=both, level=Fitted.level, gaps_only=False), "orders")
        comparison = compare_strengths(
            cells[0], cells[1], clustering, np.random.default_rng(self.seed), ties=cast(Ties, self.ties),
            position=self.position, names=(reference, judge), n_prompts=extent["prompts"],
            alike=not self.gaps_only, report=report,
            kept=lambda correlate: part(store, names, orders, correlate, lambda: report(0.0)),
        )  # fmt: skip
        return Held.of(judge, comparison, extent, pairs, names.models)

    def _models(self, one: Held) -> pd.DataFrame:
        table = gap_table(one.gaps, self.level)
        table.insert(0, "judge", one.judge)
        joint = one.gaps.joint
        half = joint.quantiles.two_sided(self.level) * joint.se
        n = len(table)
        for end, side in (("ref", slice(0, n)), ("judge", slice(n, 2 * n))):
            table[f"lower_{end}"] = floats(joint.estimate[side] - half[side])
            table[f"upper_{end}"] = floats(joint.estimate[side] + half[side])
        return table.sort_values("strength_ref", ascending=False, kind="stable", ignore_index=True)

    def _figures(self, one: Held) -> dict[str, Any]:
        out: dict[str, Any] = {"judge": one.judge}
        alike = one.correlation
        for name in ("spearman", "kendall"):
            out[name] = None
            if alike is not None:
                interval = getattr(alike, name).interval(self.level)
                out[name] = {"value": interval.value, "lower": interval.lower, "upper": interval.upper}
        net = one.corrected.interval(self.level) if one.corrected is not None else None
        out["corrected"] = None
        if net is not None and net.value is not None:
            out["corrected"] = {"value": net.value, "lower": net.lower, "upper": net.upper}
        scale = one.gaps.scale_table(self.level)
        out["scale"] = scale.iloc[0].to_dict() if len(scale) else None
        out |= {
            "models": one.n_models,
            "judgments": one.extent["judgments"],
            "pairs": one.extent["pairs"],
            "prompts": one.extent["prompts"],
            "clusters": one.n_clusters or None,
            "clustering": one.clustering,
            "intervals": one.method,
            "separated_replicates": None if alike is None else alike.share_separated,
        }
        return out

    @staticmethod
    def _flat(figures: dict[str, Any]) -> dict[str, Any]:
        """{value, lower, upper} as columns name, name_lower, name_upper."""
        row: dict[str, Any] = {}
        for key, value in figures.items():
            if key in ("spearman", "kendall", "corrected", "scale"):
                value = value or {}
                row[key] = value.get("value")
                row[f"{key}_lower"] = value.get("lower")
                row[f"{key}_upper"] = value.get("upper")
            else:
                row[key] = value
        return row

    def _caption(self, one: Held, reference: str) -> str:
        extent = one.extent
        scale = one.gaps.scale
        alike = "" if self.gaps_only else "; rank correlations by prompt bootstrap"
        decisive = "" if scale is None else f" Scaled gaps are net of decisiveness (scale {words.number(scale.value)})."
        return (
            f"Bradley-Terry strengths (natural log, mean 0) of "
            f"{words.plural(one.n_models, 'model')} by {reference} and {one.judge}, "
            f"both fitted on the {words.plural(extent['pairs'], 'pair')} (with "
            f"{words.amounts(judgment=extent['judgments'], prompt=extent['prompts'])}) that both judged; "
            f"{words.ties(self.ties)}; {words.percent(self.level)} intervals, "
            f"{one.method}{alike}.{decisive}"
        )


@dataclass(frozen=True)
class OrdersAlone(Compare):
    """`Compare` of which only how alike the orders are is asked, the table `judges`; the parts kept are the same."""

    def _tables(self, held: Sequence[Held]) -> dict[str, pd.DataFrame]:
        return {}


def _flips(judge: str, found: Comparison, pairs: pd.DataFrame, ids: Mapping[str, int]) -> pd.DataFrame:
    """Pairs of models that the judges order differently, with how many pairs of answers are behind each."""
    flips = found.flip_table()
    models = [ids[name] for name in found.reference.models]
    # What was left out is counted in a last row, which nobody asks for.
    place = np.full(max(ids.values()) + 1, len(models))
    place[models] = np.arange(len(models))
    behind = np.zeros((len(models) + 1, len(models) + 1), dtype=np.int64)
    a, b = place[pairs["a"]], place[pairs["b"]]
    behind[a, b] = behind[b, a] = pairs["pairs"]
    flips["pairs"] = behind[found.turned.one, found.turned.two]
    flips.insert(0, "judge", judge)
    return flips
