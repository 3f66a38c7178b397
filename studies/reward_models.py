"""Where do scores fail as judgments: in which scenarios, out of distribution, and on which labels?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from scipy.special import expit

from analysis.calibration import Claims, Tempered, calibrate, temper
from analysis.cluster_sums import Figures
from analysis.judge_agreement import share
from analysis.multiple import adjust_bh
from analysis.reward_models import compared, macro_mean, out_of_distribution
from analysis.tables import floats
from analysis.vcov import Clustering, choose_clustering
from charts import words
from data import queries
from data.model import Progress, option
from data.queries import Catalog
from data.queries.differences import UNNAMED
from data.queries.places import Places, places
from data.queries.scores import score_differences
from data.queries.votes import Column, Votes, votes
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError, unknown_name
from studies.audit_data import says_right
from studies.judge_votes import as_table, clustered, columns, ended
from studies.overview import PLURAL
from studies.refused import nobody, sentences
from studies.reward_bands import BAND_COLUMNS, BAND_JUDGES, PAIRS, Bands, find_bands
from studies.study import Finding, Fitted, Result, register

ECE = ("ece_10", "brier", "sureness")
TEMPERATURE = ("temperature", "temperature_lower", "temperature_upper")
COUNTS = ("pairs", "comparisons", "clusters", "clustering")
SCENARIOS = ("judge", "scenario", "in_distribution", "accuracy", "lower", "upper",
             *(f"{name}{end}" for name in ECE for end in ("", "_lower", "_upper")), "ece_10_by_chance", *TEMPERATURE,
             "pairs", "comparisons", "clusters")  # fmt: skip
JUDGES = ("judge", "kind", "accuracy", "lower", "upper", "macro", "macro_lower", "macro_upper", "scenarios", "worst",
          "worst_accuracy", "worst_lower", "worst_upper", "inside", "inside_lower", "inside_upper", "outside",
          "outside_lower", "outside_upper", "drop", "drop_lower", "drop_upper", "p", "q", *TEMPERATURE,
          *(f"{name}{end}" for name in ECE for end in ("", "_lower", "_upper")), "ece_10_by_chance",
          *COUNTS)  # fmt: skip


@dataclass(frozen=True)
class One:
    """One judge's scores on pairs that the reference has judged; each array (n_pairs,).

    z : score of a less that of b; at : the reference's votes there; scenario : ids, -1 unknown
    cluster : codes that do not hang on the order of the store, which folds follow
    """

    z: Column
    at: Votes
    scenario: Column
    clustering: Clustering
    cluster: Column


@register
@dataclass(frozen=True)
class RewardModels(Fitted):
    """Judges that give scores: accuracy and calibration by scenario, drop out of distribution, margins of labels."""

    command: ClassVar[str] = "reward-models"
    title: ClassVar[str] = "Where do scores fail as judgments?"
    reads_others: ClassVar[bool] = True
    clusterings: ClassVar[tuple[str, ...]] = ("auto", "prompt", "pair", "none")
    printed: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "judges": ("judge", "accuracy", "lower", "upper", "macro", "macro_lower", "macro_upper", "worst",
                   "worst_accuracy", "drop", "drop_lower", "drop_upper", "ece_10", "pairs"),
        "scenarios": ("judge", "scenario", "accuracy", "lower", "upper", "sureness", "ece_10", "ece_10_by_chance",
                      "brier", "comparisons"),
    }  # fmt: skip
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "accuracy": "accuracy", "interval": "interval", "macro": "mean over scenarios",
        "macro_interval": "interval ", "worst": "worst scenario", "worst_accuracy": "accuracy there", "drop": "drop",
        "drop_interval": "interval  ", "ece_10": "calibration error", "pairs": "pairs",
    }  # fmt: skip

    reference: str | None = option(
        None, "whose verdicts say what is right; left out: the judge `gold` or another rule, else the only human one",
        label="Held against", names="judge", widget=False,
    )  # fmt: skip
    in_distribution: tuple[str, ...] = option(
        (), "a scenario that the models were trained for (repeatable); all others are out of distribution",
        label="In distribution", names="scenario", widget=False,
    )  # fmt: skip
    listed: int = option(
        20, "pairs of each band of margins that the table `pairs` lists", label="Pairs listed of each band",
        advanced=True,
    )  # fmt: skip

    def resolve(self, store: Store) -> Self:
        if self.cluster not in self.clusterings:
            raise OptionError(
                f"--cluster {self.cluster}: scores are held against votes of different people, which hang together by "
                "prompt or by pair"
            )
        if self.listed < 1:
            raise OptionError(f"--listed {self.listed}: at least one pair")
        study = super().resolve(store)
        with store.reading("resolving reward-models") as con:
            names = queries.catalog(con, study)
        for name in study.in_distribution:
            if name not in names.scenarios:
                raise unknown_name(f"scenario in dataset {names.dataset!r}", name, names.scenarios)
        return replace(study, reference=says_right(study.reference, names))

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "reading scores")
        with store.reading("reading scores") as con:
            names = queries.catalog(con, self)
            condition = queries.where(self, names, ranked=False)
            scored = score_differences(con, condition)
            judges = [judge for judge in self.judge if (scored["judge_id"] == names.judges[judge][0]).any()]
            self._require(names, judges)
            judges = [judge for judge in judges if judge != self.reference]
            everybody = tuple(dict.fromkeys([str(self.reference), *self.judge]))
            asked = queries.where(replace(self, judge=everybody), names, ranked=False)
            said, placed = votes(con, names, asked), places(con, names, asked)
            fingerprint = queries.fingerprint(con, names, everybody)
        held: dict[str, One] = {}
        reasons: dict[str, str] = {}
        warnings: list[str] = []
        rows: list[dict[str, object]] = []
        by_scenario: list[dict[str, object]] = []
        for k, judge in enumerate(judges):
            progress(0.8 * k / len(judges), f"holding {judge} against {self.reference}")
            one = self._one(names, scored, said, judge, placed)
            if one is None:
                reasons[judge] = f"shares no pair with {self.reference}"
                continue
            if not compared(one.z, one.at.counts(), ties=self.ties != "drop")[1].any():
                reasons[judge] = f"nothing but ties is left of what it shares with {self.reference}"
                continue
            held[judge] = one
            row, some, told = self._judge(names, judge, one)
            rows.append(row)
            by_scenario += some
            warnings += told
        if not held:
            raise nobody(reasons)
        progress(0.8, "comparing margins")
        bands = self._bands(names, held, said)
        progress(1.0, "done")
        judged = _with_q(as_table(rows, JUDGES))
        hang = clustered(judged["clustering"], judged["clusters"])
        return Result(
            study=self, values=_values(judged, bands), fingerprint=fingerprint,
            tables={
                "judges": judged, "scenarios": as_table(by_scenario, SCENARIOS),
                "margins": as_table(bands.rows, BAND_COLUMNS), "margin_judges": as_table(bands.judges, BAND_JUDGES),
                "pairs": as_table(bands.pairs, PAIRS),
            },
            settings=self.settings() | {"clustering": judged["clustering"].iloc[0]},
            warnings=tuple(dict.fromkeys([*sentences(reasons), *warnings, *bands.said])),
            caption=self._caption(held, bands, hang), findings=tuple(Finding(self._sentence(row)) for row in rows),
        )  # fmt: skip

    def _require(self, names: Catalog, judges: Sequence[str]) -> None:
        """Raises EmptySelectionError without a judge that gives scores, OptionError without a reference."""
        if not set(judges) - {self.reference}:
            raise EmptySelectionError(
                "no judge chosen here gives scores: import a reward model's judgments with the columns score_a and "
                "score_b, and judge_kind reward_model"
            )
        if self.reference is None:
            raise OptionError(
                f"--reference: say whose verdicts are right; dataset {names.dataset!r} has neither a judge `gold` nor "
                "one human judge alone"
            )

    def _one(
        self, names: Catalog, scored: Mapping[str, Column], said: Votes, judge: str, placed: Places
    ) -> One | None:
        people = said.of(names.judges[str(self.reference)][0])
        mine = scored["judge_id"] == names.judges[judge][0]
        pair, z, scenario = (scored[name][mine] for name in ("pair", "z", "scenario"))
        shared = np.isin(pair, people.pair)
        if not shared.any():
            return None
        at = people.take(np.searchsorted(people.pair, pair[shared]))
        clustering = choose_clustering(self.cluster, len(np.unique(at.prompt)))
        cluster = placed.codes(at.pair, clustering.name)
        return One(z[shared].astype(np.float64), at, scenario[shared], clustering, cluster)

    # -- one judge ---------------------------------------------------------------------------------------------------

    def _judge(
        self, names: Catalog, judge: str, one: One
    ) -> tuple[dict[str, object], list[dict[str, object]], list[str]]:
        right, whole = compared(one.z, one.at.counts(), ties=self.ties != "drop")
        cluster, by = one.cluster, one.clustering
        told = [] if by.warning is None else [by.warning]
        tempered = self._temper(one)
        if tempered is not None and tempered.cause is not None:
            told.append(f"{judge}: its scores are not turned into probabilities, as {tempered.cause}")
        rows: list[dict[str, object]] = []
        found: dict[str, Figures] = {}
        for number in np.unique(one.scenario[(one.scenario != UNNAMED) & (whole > 0)]):
            here = one.scenario == number
            name = next(known for known, at in names.scenarios.items() if at == number)
            found[name] = share(right[here], whole[here], cluster[here], by)
            rows.append(
                {"judge": judge, "scenario": name,
                 "in_distribution": name in self.in_distribution if self.in_distribution else None,
                 **_accuracy(found[name], self.level), **self._calibration(one, tempered, here),
                 "pairs": int((whole[here] > 0).sum()), "comparisons": int(whole[here].sum()),
                 "clusters": int(found[name].clusters[0])}
            )  # fmt: skip
        everywhere = np.ones(len(one.z), dtype=bool)
        row: dict[str, object] = {
            "judge": judge, "kind": names.judges[judge][1],
            **_accuracy(share(right, whole, cluster, by), self.level), "scenarios": len(found),
            **self._calibration(one, tempered, everywhere), "pairs": int((whole > 0).sum()),
            "comparisons": int(whole.sum()), "clusters": len(np.unique(cluster[whole > 0])), "clustering": by.name,
        }  # fmt: skip
        if tempered is not None and np.isfinite(tempered.temperature):
            ends = (tempered.temperature, tempered.lower, tempered.upper)
            row |= {name: float(v) if np.isfinite(v) else None for name, v in zip(TEMPERATURE, ends, strict=True)}
        else:
            row |= dict.fromkeys(TEMPERATURE)
        if found:
            worst = min(found, key=lambda name: (found[name]["agreement"], name))
            row |= columns(macro_mean(list(found.values())), self.level)
            row["worst"] = worst
            row |= {f"worst_{end}": value for end, value in _accuracy(found[worst], self.level).items()}
            single = [name for name, figures in found.items() if figures.clusters[0] < 2]
            if single:
                told.append(f"{words.listing(single, 4)} {'is' if len(single) == 1 else 'are'} of one "
                            f"{by.name} only, so nothing tells how sure a mean over scenarios is")  # fmt: skip
        if self.in_distribution:
            try:
                row |= self._drop(found)
            except NotIdentifiedError as error:
                told.append(f"{judge}: {error}, so no drop can be told")
        return row, rows, told

    def _temper(self, one: One) -> Tempered | None:
        claims = self._claims(one)
        return temper(one.z[claims.n > 0], _take(claims, claims.n > 0), one.clustering, self.level, self.seed) if (
            claims.n.sum() > 0
        ) else None  # fmt: skip

    def _claims(self, one: One) -> Claims:
        counts = one.at.counts().astype(np.float64)
        if self.ties == "drop":
            counts[:, 2] = 0
        y, n = counts @ np.array([1.0, 0.0, 0.5]), counts.sum(axis=1)
        return Claims(np.full(len(y), 0.5), y, n, counts[:, 2], one.cluster, True)

    def _calibration(self, one: One, tempered: Tempered | None, here: np.ndarray[Any, Any]) -> dict[str, object]:
        """How well preferences by the temperature of other clusters hold on some pairs."""
        if tempered is None or tempered.cause is not None or not np.isfinite(tempered.held_out).all():
            return {}
        claims = self._claims(one)
        there = claims.n > 0
        some = here[there]
        p = expit(tempered.held_out[some])
        found = calibrate(replace(_take(_take(claims, there), some), p=p), one.clustering, self.level, self.seed)
        ends = (found.temperature, found.temperature_lower, found.temperature_upper)
        return {
            **columns(found.figures, self.level, ECE), "ece_10_by_chance": found.chance[10],
            **{name: float(v) if np.isfinite(v) else None for name, v in zip(TEMPERATURE, ends, strict=True)},
        }  # fmt: skip

    def _drop(self, found: Mapping[str, Figures]) -> dict[str, object]:
        inside = [figures for name, figures in found.items() if name in self.in_distribution]
        outside = [figures for name, figures in found.items() if name not in self.in_distribution]
        out: dict[str, object] = {}
        for figures in out_of_distribution(inside, outside):
            out |= columns(figures, self.level)
            if "drop" in figures.names:
                p = figures.p_value("drop")
                out["p"] = None if np.isnan(p) else p
        return out

    # -- margins -----------------------------------------------------------------------------------------------------

    def _bands(self, names: Catalog, held: Mapping[str, One], said: Votes) -> Bands:
        scenarios = {number: name for name, number in names.scenarios.items()}
        reference = said.of(names.judges[str(self.reference)][0])
        others = {
            judge: said.of(names.judges[judge][0])
            for judge in self.judge if judge not in held and judge != self.reference
        }  # fmt: skip
        given = {judge: (one.at.pair, one.z, one.scenario) for judge, one in held.items()}
        return find_bands(given, reference, others, scenarios, self.cluster, self.level, self.listed,
                          ties=self.ties != "drop")  # fmt: skip

    # -- what is said of it ------------------------------------------------------------------------------------------

    def _caption(self, held: Mapping[str, One], bands: Bands, hang: str) -> str:
        who = words.listing([f"{judge} ({words.plural(len(one.z), 'pair')})" for judge, one in held.items()], 5)
        ties = "ties left out" if self.ties == "drop" else "a tie is half right"
        margins = (
            f" Margins: normalised differences of scores towards the label of {self.reference}, mean over "
            f"{words.plural(bands.models, 'model')} on {words.plural(bands.n_pairs, 'pair')}; lowest fifth flip, next "
            "fifth ambiguous."
        ) if bands.rows else ""  # fmt: skip
        return (
            f"Share of the votes of {self.reference} for the response with the higher score ({ties}): {who}. "
            f"Calibration of sigmoid(difference / temperature), the temperature of other clusters (5 folds). "
            f"{words.percent(self.level)} intervals, {hang}.{margins}"
        )

    def _sentence(self, row: Mapping[str, object]) -> str:
        reference = str(self.reference)
        verb = "prefer" if reference.casefold() in PLURAL else "prefers"
        said = f"{row['judge']} prefers what {reference} {verb} in {_share(row, 'accuracy', '')} of comparisons"
        if row.get("macro") is not None and row["scenarios"] != 1:
            said += f", least in {row['worst']}: {_share(row, 'worst_accuracy', 'worst_')}"
        if row.get("drop") is not None:
            points = words.estimate(_points(row["drop"]), _points(row["drop_lower"]), _points(row["drop_upper"]), 1)
            said += f"; out of distribution {points} points less"
        return said


def _points(value: Any) -> float | None:
    return None if words.absent(value) else 100 * value


def _share(row: Mapping[str, object], name: str, prefix: str) -> str:
    value, low, high = row[name], row[f"{prefix}lower"], row[f"{prefix}upper"]
    return words.share(value) + ("" if words.absent(low) else f" [{words.share(low)}, {words.share(high)}]")


def _accuracy(found: Figures, level: float) -> dict[str, object]:
    ends = ended(found, "agreement", level)
    return {"accuracy": ends["agreement"], "lower": ends["lower"], "upper": ends["upper"]}


def _take(claims: Claims, rows: np.ndarray[Any, Any]) -> Claims:
    names = ("p", "y", "n", "ties", "cluster")
    return replace(claims, **{name: getattr(claims, name)[rows] for name in names})


def _with_q(table: pd.DataFrame) -> pd.DataFrame:
    """Benjamini-Hochberg over the drops of all judges."""
    tested = table["p"].notna().to_numpy(dtype=bool)
    q = np.full(len(table), np.nan)
    if tested.any():
        q[tested] = adjust_bh(table.loc[tested, "p"].to_numpy(dtype=np.float64))
    return table.assign(q=floats(q))


def _values(judges: pd.DataFrame, bands: Bands) -> dict[str, Any]:
    """Of a single judge accuracy, macro, drop; of several the share of pairs whose mean margin is against the label."""
    values: dict[str, Any] = {}
    if len(judges) == 1:
        row = judges.iloc[0]
        for name, prefix in (("accuracy", ""), ("macro", "macro_"), ("drop", "drop_")):
            ends = {"value": row[name], "lower": row[f"{prefix}lower"], "upper": row[f"{prefix}upper"]}
            known = {end: float(v) for end, v in ends.items() if not words.absent(v)}
            values |= {name: known} if "value" in known else {}
    if bands.against is not None:
        values["against"] = bands.against
    return values
