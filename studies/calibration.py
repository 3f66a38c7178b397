"""Is each judge as often right, by people's votes, as it is sure of its verdicts?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd

from analysis.calibration import BINS, Calibration, Claims, calibrate
from analysis.vcov import choose_clustering
from charts import words
from data import queries
from data.model import Progress, option
from data.queries import Catalog
from data.queries.places import places
from data.queries.replies import Rows, confidences, preferences
from data.queries.votes import Votes
from data.store import Store
from errors import NotIdentifiedError, OptionError
from studies.judge_votes import as_table, clustered, columns, hang_together
from studies.kept import counted_votes
from studies.refused import nobody, sentences
from studies.study import Finding, Fitted, Result, register

SURE = ("preference", "confidence")
FIGURES = (*(f"ece_{k}" for k in BINS), "brier", "sureness", "right")
SINGLE = (
    *(f"ece_{k}_by_chance" for k in BINS), "temperature", "temperature_lower", "temperature_upper", "log_loss",
    "log_loss_scaled", "brier_scaled",
)  # fmt: skip
COUNTS = ("pairs", "comparisons", "clusters", "clustering")
BIN = ("judge", "bins", "low", "high", "sureness", "right", "lower", "upper", "comparisons", "clusters")

SEVERAL = 5
"""Labels on a pair from which on their share stands for a preference."""


@register
@dataclass(frozen=True)
class JudgeCalibration(Fitted):
    """Calibration of each judge's soft preferences, or of the confidence it states, against people's votes."""

    command: ClassVar[str] = "calibration"
    title: ClassVar[str] = "Is a judge as often right as it is sure?"
    clusterings: ClassVar[tuple[str, ...]] = ("auto", "prompt", "pair", "none")
    judges: ClassVar[Literal["any", "reference"]] = "reference"
    folded: ClassVar[Mapping[str, tuple[str, ...]]] = {"judges": (*FIGURES, "temperature")}
    printed: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "judges": ("scenario", "judge", "ece_10", "ece_10_lower", "ece_10_upper", "ece_10_by_chance", "brier",
                   "sureness", "right", "temperature", "temperature_lower", "temperature_upper", "comparisons"),
    }  # fmt: skip
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "sureness": "sure", "right": "right", "ece_10": "error, 10 bins",
        "ece_10_interval": "without chance", "ece_10_by_chance": "by chance", "brier": "Brier",
        "temperature": "temperature", "temperature_interval": "interval ", "comparisons": "comparisons",
    }  # fmt: skip

    of: str = option(
        "preference", "what is held against people's votes: the judge's preference p_a (soft, or the share of five "
        "labels and more on a pair), or the confidence that it states", label="How sure it is by", choices=SURE,
    )  # fmt: skip
    certain: float = option(
        1.0, "the confidence that means certain: 1, or 100 where percent are stated", label="Certain is", advanced=True
    )

    def answer(self, store: Store, progress: Progress) -> Result:
        self._check()
        progress(0.0, "counting votes")
        with store.reading("counting votes") as con:
            names = queries.catalog(con, self)
            condition = queries.where(self, names, ranked=False)
            counted = counted_votes(store, con, names, self)
            said = preferences(con, condition) if self.of == "preference" else confidences(con, condition)
            placed = places(con, names, condition)
            fingerprint = queries.fingerprint(con, names, self.judge)
        queries.require_rows(len(counted), "with a verdict")
        reference, *others = self.judge
        people = counted.of(names.judges[reference][0])
        if self.ties == "drop":
            people = replace(people, tie=np.zeros_like(people.tie))
        people = people.take(people.counts().sum(axis=1) > 0)
        found: dict[str, Calibration] = {}
        reasons: dict[str, str] = {}
        warnings: list[str] = []
        rows: list[dict[str, object]] = []
        bins: list[dict[str, object]] = []
        for k, judge in enumerate(others):
            progress(k / len(others), f"holding {judge} against {reference}")
            try:
                claims, pairs, at = self._claims(people, said, names, judge, reference)
                clustering = choose_clustering(self.cluster, len(np.unique(at.prompt)))
                claims = replace(claims, cluster=placed.codes(at.pair, clustering.name))
                if clustering.name == "none":
                    # Folds are of rows then: they too stand where the store's numbers do not matter.
                    claims = claims.take(np.lexsort((np.abs(claims.p - 0.5), claims.cluster)))
                one = calibrate(claims, clustering, self.level, self.seed)
            except NotIdentifiedError as error:
                reasons[judge] = str(error)
                continue
            if clustering.warning is not None:
                warnings.append(clustering.warning)
            if one.cause is not None:
                warnings.append(f"{judge}: no temperature is offered, as {one.cause}")
            found[judge] = one
            single = [*one.chance.values(), one.temperature, one.temperature_lower, one.temperature_upper, one.log_loss,
                      one.log_loss_scaled, one.brier_scaled]  # fmt: skip
            kept = {name: float(v) if np.isfinite(v) else None for name, v in zip(SINGLE, single, strict=True)}
            rows.append(
                {"judge": judge, **columns(one.figures, self.level), **kept, "pairs": pairs,
                 "comparisons": one.comparisons, "clusters": int(one.figures.clusters[0]),
                 "clustering": clustering.name}
            )  # fmt: skip
            for n_bins, table in one.bins.items():
                bins += [
                    {"judge": judge, "bins": n_bins} | {str(name): value for name, value in row.items()}
                    for row in table.to_dict("records")
                ]
        if not found:
            raise nobody(reasons)
        progress(1.0, "done")
        ends = [f"{name}{end}" for name in FIGURES for end in ("", "_lower", "_upper")]
        hang = hang_together(str(row["clustering"]) for row in rows)
        tables = {"judges": as_table(rows, ("judge", *ends, *SINGLE, *COUNTS)), "bins": as_table(bins, BIN)}
        return Result(
            study=self, tables=tables, values=self._values(found), fingerprint=fingerprint,
            settings=self.settings() | {"reference": reference, "clustering": hang},
            warnings=tuple(dict.fromkeys([*sentences(reasons), *warnings])),
            caption=self._caption(found, reference, tables["judges"]),
            findings=tuple(Finding(_sentence(judge, one)) for judge, one in found.items()),
        )  # fmt: skip

    def _check(self) -> None:
        self.compared()
        if self.cluster not in self.clusterings:
            raise OptionError(f"--cluster {self.cluster}: votes of different people hang together by prompt or by pair")
        if not self.certain > 0:
            raise OptionError(f"--certain {self.certain:g}: a confidence above 0, usually 1 or 100")

    def _claims(
        self, people: Votes, said: Rows, names: Catalog, judge: str, reference: str
    ) -> tuple[Claims, int, Votes]:
        """With the pairs behind it, and where each row stands; clusters are still to be filled in.

        Raises NotIdentifiedError for a judge that says nothing about how sure it is.
        """
        mine = said.of(names.judges[judge][0])
        if self.of == "confidence" and not len(mine):
            raise NotIdentifiedError("states no confidence with a verdict for a side")
        mine = mine.take(np.isin(mine["pair"], people.pair))
        if not len(mine):
            raise NotIdentifiedError(f"shares no pair with {reference}")
        if self.of == "preference" and not (mine["soft"] > 0).any():
            # Labels alone: one or two on a pair say 0, .5 or 1, whatever the judge's preference is.
            mine = mine.take(mine["verdicts"] >= SEVERAL)
            if not len(mine):
                raise NotIdentifiedError(
                    "gives labels and no preference between: nothing says how sure it is. Import p_a or scores, "
                    f"{SEVERAL} verdicts or more a pair, or the column confidence (--of confidence)"
                )
        at = people.take(np.searchsorted(people.pair, mine["pair"]))
        counts = at.counts().astype(np.float64)
        y, n, p = counts @ np.array([1.0, 0.0, 0.5]), counts.sum(axis=1), mine["p"].astype(np.float64)
        if self.of == "confidence":
            sure = mine["confidence"].astype(np.float64) / self.certain
            if (sure < 0).any() or (sure > 1).any():
                raise NotIdentifiedError(
                    f"states confidences from {mine['confidence'].min():g} to {mine['confidence'].max():g}, which are "
                    f"no shares of {self.certain:g}: say with --certain which one means certain"
                )
            y, p = np.where(p > 0.5, y, n - y), sure
        pairs = len(np.unique(mine["pair"]))
        nobody = np.zeros(len(p), dtype=np.int64)
        return Claims(p, y, n, counts[:, 2], nobody, self.of == "preference"), pairs, at

    def _values(self, found: Mapping[str, Calibration]) -> dict[str, Any]:
        """Of a single judge."""
        if len(found) != 1:
            return {}
        one = next(iter(found.values()))
        values: dict[str, Any] = {name: one.figures.one(name, self.level) for name in FIGURES}
        ends = {"value": one.temperature, "lower": one.temperature_lower, "upper": one.temperature_upper}
        values["temperature"] = {end: float(v) for end, v in ends.items() if np.isfinite(v)} or None
        values["comparisons"] = one.comparisons
        return {name: value for name, value in values.items() if value is not None}

    def _caption(self, found: Mapping[str, Calibration], reference: str, judges: pd.DataFrame) -> str:
        who = words.listing([f"{judge} ({one.comparisons:,} comparisons)" for judge, one in found.items()], 5)
        sure = "mean preference on a pair, of the side it prefers" if self.of == "preference" else "stated confidence"
        ties = "ties left out" if self.ties == "drop" else "a tie is half right"
        return (
            f"How sure: {sure}; right: share of the votes of {reference} on the same pair for that side ({ties}). "
            f"{who}. Calibration error over bins of one width; temperature by most likelihood, its losses on clusters "
            f"left out (5 folds). {words.percent(self.level)} intervals, "
            f"{clustered(judges['clustering'], judges['clusters'])}, symmetric in log-odds for shares; those of errors "
            "are freed of what chance adds."
        )


def _sentence(judge: str, one: Calibration) -> str:
    sure, right = one.figures["sureness"], one.figures["right"]
    start = f"{judge} is sure to {words.share(sure)} on average and right in {words.share(right)} of comparisons"
    if np.isnan(one.temperature_lower):
        return start
    if one.temperature_lower > 1:
        return f"{start}: it is too sure, by a temperature of {words.number(one.temperature)}"
    if one.temperature_upper < 1:
        return f"{start}: it is not sure enough, by a temperature of {words.number(one.temperature)}"
    return f"{start}: no temperature other than 1 can be told"
