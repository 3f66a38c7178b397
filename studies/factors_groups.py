"""Do groups of people, of models or of times weigh differently, and where does a judge agree least?

Beside it, over many judges: whether what they weigh, and how they agree, goes with an attribute of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from analysis.agreement import Compared
from analysis.design import FIRST, Design
from analysis.factor_covariance import weight_covariance
from analysis.factor_told import fit_told
from analysis.groups import GroupAgreement, GroupWeights, agree_in_groups, fit_groups, slope_over_judges
from analysis.multiple import adjust_bh
from analysis.tables import floats, integers
from analysis.vcov import FEW_CLUSTERS, Clustering
from charts import words
from data import queries
from data.model import Progress, option
from data.queries import Catalog, groups
from data.store import Store
from errors import EmptySelectionError, NotIdentifiedError, OptionError, unknown_name
from studies.factor_data import Loaded, clustering_of, complete_columns, find_no_position, load
from studies.factor_options import CODINGS, Factors
from studies.factors_fit import n_factors
from studies.group_values import Groups, as_numbers, group_judgments
from studies.refused import sentences
from studies.study import Result, human_first, register

AGREEMENT = "agreement"
WEIGHT_COLUMNS = (
    "judge", "group", "factor", "weight", "se", "lower", "upper", "effect", "judgments", "pairs", "clusters",
)  # fmt: skip
TEST_COLUMNS = ("judge", "factor", "groups", "statistic", "df_1", "df_2", "p", "q", "note")
GAP_COLUMNS = ("judge", "group", "against", "factor", "weight_ref", "weight_judge", "gap", "se", "lower", "upper", "p",
               "q", "gap_scaled", "scaled_se", "scaled_lower", "scaled_upper", "scaled_p", "scaled_q")  # fmt: skip
AGREEMENT_COLUMNS = ("judge", "reference", "group", "agreement", "lower", "upper", "simultaneous_lower",
                     "simultaneous_upper", "pooled", "pooled_lower", "pooled_upper", "p_lower", "n", "clusters")
SLOPE_COLUMNS = ("attribute", "figure", "n", "slope", "per_sd", "lower", "upper", "p", "q", "spearman",
                 "spearman_lower", "spearman_upper")  # fmt: skip


@register
@dataclass(frozen=True)
class FactorsGroups(Factors):
    """Weights by group with a test a factor, agreement by group, and figures of judges against their attribute."""

    command: ClassVar[str] = "factors groups"
    title: ClassVar[str] = "Do groups weigh differently?"
    models_ties: ClassVar[bool] = False
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "factor": "factor", "group": "group", "weight": "weight", "interval": "interval",
        "effect": "win points", "judgments": "judgments",
    }  # fmt: skip

    group_by: str | None = option(
        None, "what judgments are grouped by: an attribute of the file, as annotator.age, model.size or prompt.topic, "
        "or scenario, or date; left out: the first there is", label="Groups by",
    )  # fmt: skip
    parts: int = option(3, "numbers and dates are cut into so many groups of about equal size", label="Parts",
                        advanced=True)  # fmt: skip
    judge_attribute: str | None = option(
        None, "the attribute of judges, as judge.size, that their figures are held against; left out: the first that "
        "is a number", label="Attribute of judges", advanced=True,
    )  # fmt: skip

    def resolve(self, store: Store) -> Self:
        if not 2 <= self.parts <= 10:
            raise OptionError(f"--parts {self.parts}: from 2 to 10 groups")
        study = super().resolve(store)
        with store.reading("looking for attributes") as con:
            names = queries.catalog(con, study)
            known, of_judges = groups.groupings(con, names), groups.judge_attributes(con, names)
            numeric = [
                word for word, one in of_judges.items()
                if as_numbers(list(groups.values(con, names, one).values())) is not None
            ]
        if study.group_by is not None and study.group_by not in known:
            raise unknown_name(f"attribute of judgments in dataset {names.dataset!r}", study.group_by, known)
        if study.group_by is None and not known:
            raise EmptySelectionError(
                f"dataset {names.dataset!r} has nothing to group judgments by: import it with --attribute, as in "
                "--attribute annotator.group=COLUMN, or with the columns scenario or judged_at"
            )
        if study.judge_attribute is not None and study.judge_attribute not in numeric:
            if study.judge_attribute in of_judges:
                raise OptionError(f"--judge-attribute {study.judge_attribute}: its values are no numbers")
            raise unknown_name(f"attribute of judges in dataset {names.dataset!r}", study.judge_attribute, of_judges)
        return replace(
            study, group_by=study.group_by or next(iter(known)),
            judge_attribute=study.judge_attribute or next(iter(numeric), None),
        )  # fmt: skip

    def default_judges(self, names: Catalog) -> tuple[str, ...]:
        """All judges, the human one first where there is one: agreement is with it."""
        return human_first(names)

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "joining judgments with their factors")
        loaded = load(store, self, ["annotator", "models", "date"])
        said, names = loaded.said, loaded.names
        with store.reading("looking up groups") as con:
            queries.read_scenarios_of(con, names)
            by = groups.groupings(con, names)[str(self.group_by)]
            given = {} if by.entity == groups.DATE else groups.values(con, names, by)
            attribute: Mapping[int, str] = {}
            if self.judge_attribute is not None:
                attribute = groups.values(con, names, groups.judge_attributes(con, names)[self.judge_attribute])
        clustering = clustering_of(self, loaded)
        grouped = group_judgments(by, given, said, np.asarray(loaded.pair_ids)[loaded.pair], self.parts)
        rows = {judge: np.flatnonzero(said.columns["judge_id"] == names.judges[judge][0]) for judge in self.judge}
        no_position = find_no_position(self.position, said, rows)
        reference = self.judge[0]
        found: dict[str, GroupWeights] = {}
        agreed: dict[str, GroupAgreement] = {}
        figures: dict[str, dict[str, tuple[float, float]]] = {judge: {} for judge in self.judge}
        reasons: dict[str, str] = {}
        not_agreed: dict[str, str] = {}
        for k, judge in enumerate(self.judge):
            progress((k + 0.2) / len(self.judge), f"weighing factors for {judge}, group by group")
            design, kept = _design(loaded, rows[judge], judge not in no_position)
            try:
                if not len(design):
                    raise NotIdentifiedError("every judgment lacks some factor, or there is none")
                if not (grouped.code[kept] >= 0).any():
                    raise NotIdentifiedError(f"no judgment has {self.group_by}, so there are no groups to compare")
                found[judge] = fit_groups(design, grouped.code[kept], grouped.names, clustering)
            except NotIdentifiedError as error:
                reasons[judge] = str(error)
            if attribute and len(design):
                figures[judge] |= _weights_of(design, clustering)
            if judge == reference:
                continue
            progress((k + 0.7) / len(self.judge), f"holding {judge} against {reference}")
            votes = _comparisons(loaded, rows[reference], rows[judge], reference in names.humans, judge in names.humans)
            if len(votes.right):
                figures[judge][AGREEMENT] = float(votes.right.mean()), float("nan")
            try:
                compared = Compared(
                    votes.right, np.ones(len(votes.right)), grouped.code[votes.rows],
                    {way: _codes(loaded, way)[votes.rows] for way in _ways(clustering)},
                )  # fmt: skip
                agreed[judge] = agree_in_groups(compared, grouped.names, clustering)
            except NotIdentifiedError as error:
                not_agreed[judge] = str(error)
        if not found and not agreed:
            raise NotIdentifiedError(". ".join([*sentences(reasons), *sentences(not_agreed)]))
        slopes, of_judges, why = self._slopes(figures, attribute, names)
        progress(1.0, "done")
        return Result(
            study=self,
            tables={
                "weights": _joined(found, lambda one: one.table(self.level), WEIGHT_COLUMNS),
                "tests": _joined(found, lambda one: one.test_table(), TEST_COLUMNS),
                "gaps": _joined(found, lambda one: one.gap_table(self.level), GAP_COLUMNS),
                "agreement": _joined(
                    agreed, lambda one: one.table(self.level).assign(reference=reference), AGREEMENT_COLUMNS
                ),
                "slopes": slopes,
                "judges": of_judges,
                "groups": _sizes(grouped, rows),
            },
            values=self._values(agreed),
            settings=self.settings() | {"clustering": clustering.name, "reference": reference},
            warnings=tuple(dict.fromkeys([
                *sentences(reasons), *sentences(not_agreed), *self._warnings(found, grouped, clustering, why),
            ])),
            caption=self._caption(loaded, found, grouped, clustering),
            fingerprint=loaded.fingerprint,
        )  # fmt: skip

    def _values(self, agreed: Mapping[str, GroupAgreement]) -> dict[str, Any]:
        """Of a single judge: for checks in scripts. The interval is that of all groups at once."""
        if len(agreed) != 1:
            return {}
        row = next(iter(agreed.values())).table(self.level).iloc[0]
        return {"worst_agreement": {
            "value": row["agreement"], "lower": row["simultaneous_lower"], "upper": row["simultaneous_upper"],
        }}  # fmt: skip

    def _slopes(
        self, figures: Mapping[str, Mapping[str, tuple[float, float]]], attribute: Mapping[int, str], names: Catalog
    ) -> tuple[pd.DataFrame, pd.DataFrame, str | None]:
        """Slopes over judges, the judges they are over, and why there are none."""
        points = [
            (judge, float(attribute[names.judges[judge][0]]), figure, value, se)
            for judge, mine in figures.items() if names.judges[judge][0] in attribute
            for figure, (value, se) in mine.items()
        ]  # fmt: skip
        table = pd.DataFrame(points, columns=["judge", "attribute", "figure", "value", "se"])
        for name in ("attribute", "value", "se"):
            table[name] = floats(table[name].to_numpy(dtype=float))
        out, why = [], None
        for figure, some in table.groupby("figure", sort=False):
            try:
                x, y = (some[name].to_numpy(dtype=float) for name in ("attribute", "value"))
                one = slope_over_judges(x, y, self.level)
            except NotIdentifiedError as error:
                why = str(error)
                continue
            out.append({"attribute": self.judge_attribute, "figure": str(figure)} | one.__dict__)
        slopes = pd.DataFrame(out, columns=[c for c in SLOPE_COLUMNS if c != "q"])
        p = slopes["p"].to_numpy(dtype=float)
        slopes.insert(8, "q", floats(adjust_bh(np.where(slopes["figure"] == FIRST, np.nan, p))))
        for name in SLOPE_COLUMNS[3:]:
            slopes[name] = floats(slopes[name].to_numpy(dtype=float, na_value=np.nan))
        slopes["n"] = integers([int(n) for n in slopes["n"]])
        return slopes, table, why if not out else None

    def _warnings(
        self, found: Mapping[str, GroupWeights], grouped: Groups, clustering: Clustering, why: str | None
    ) -> list[str]:
        said = [] if clustering.warning is None else [clustering.warning]
        if grouped.n_unknown:
            n = words.plural(grouped.n_unknown, "judgment")
            said.append(f"{n} without {self.group_by} {'is' if grouped.n_unknown == 1 else 'are'} left out")
        for judge, one in found.items():
            head = f"{judge}: " if len(found) > 1 else ""
            said += [f"{head}{name} is left out: {reason}" for name, reason in one.refused.items()]
            few = [
                name for name, own in zip(one.groups, one.covariances, strict=True)
                if 0 < own.n_clusters < FEW_CLUSTERS and name not in one.gaps and name != one.largest
            ]
            if few:
                said.append(
                    f"{head}gaps to {one.largest} are not told for {words.quoted(few, 4)}: fewer than {FEW_CLUSTERS} "
                    f"{clustering.name}s beside many"
                )
            tested = next((test.refused for test in one.tests if test.refused), None)
            if tested:
                said.append(f"{head}{tested}")
        if why is not None and self.judge_attribute is not None:
            said.append(f"{self.judge_attribute}: {why}")
        if found:
            said.append(
                "who judged what was not drawn by lot: groups may have judged other prompts and other answers, and "
                "differ for that reason"
            )
        return said

    def _caption(
        self, loaded: Loaded, found: Mapping[str, GroupWeights], grouped: Groups, clustering: Clustering
    ) -> str:
        counts = {judge: sum(fit.n_judgments for fit in one.fits) for judge, one in found.items()}
        judges = ", ".join(f"{judge} ({words.plural(n, 'judgment')})" for judge, n in counts.items())
        name = clustering.name
        clusters = "judgments taken as independent" if name == "none" else f"clustered by {name.replace('+', ' and ')}"
        where = f"in {len(grouped.names)} groups of {self.group_by}"
        data = f"{words.plural(loaded.n_prompts, 'prompt')}; {words.percent(self.level)} intervals, {clusters}."
        whose = "" if found else f" of {words.listing(list(self.judge), 5)} {where}"
        agreement = (
            f"Agreement{whose}: share of votes of the reference that the judge shares, ties of either left out; p of "
            "lying below the other groups by Holm."
        )
        if not found:
            return f"{agreement} {data[:1].upper()}{data[1:]}"
        return (
            f"Weights of {n_factors([fit for one in found.values() for fit in one.fits])} by {judges} {where}, each "
            f"group with weights of its own: logistic regression without an intercept ({CODINGS[self.coding]}); "
            f"{words.ties(self.ties)}; "
            f"{data} Tests of equal weights in all groups: Wald's where groups share clusters, Welch's where they do "
            f"not; q over a judge's factors. {agreement}"
        )


# -- rows ---------------------------------------------------------------------------------------------------------


def _design(loaded: Loaded, rows: np.ndarray, position: bool) -> tuple[Design, np.ndarray]:
    """One judge's judgments, one a row, without the factors that none of them has; and which they are."""
    said, at = loaded.said.columns, loaded.at[rows]
    has = [k for k, row in enumerate(loaded.x) if not len(rows) or bool(np.isfinite(row[at]).any())]
    has = has or list(range(len(loaded.x)))
    kept = rows[complete_columns(loaded.x[has])[at]]
    kept = kept[np.argsort(loaded.at[kept], kind="stable")]
    weight = np.array(said["weight"][kept], dtype=np.float64)
    clusters = {"prompt": said["prompt"][kept], "pair": loaded.pair[kept], "annotator": said["annotator"][kept]}
    design = Design(
        names=loaded.columns, x=loaded.x, at=loaded.at[kept], pair=loaded.pair[kept], weight=weight,
        score=weight * said["p_a"][kept], count=np.ones(len(kept), dtype=np.int64),
        first=said["shown"][kept].astype(np.float64) if position else None, clusters=clusters,
    )  # fmt: skip
    return design.without([name for k, name in enumerate(loaded.columns) if k not in has]), kept


@dataclass(frozen=True)
class _Comparisons:
    """One a vote of the reference that the judge has judged too, ties of either left out; rows : (n,) that vote's"""

    right: np.ndarray
    rows: np.ndarray


def _comparisons(loaded: Loaded, one: np.ndarray, two: np.ndarray, people: bool, judge_people: bool) -> _Comparisons:
    """one, two : rows of reference and judge. people : whether nameless judgments are votes of different people"""
    reference, judge = _votes(loaded, one, people), _votes(loaded, two, judge_people)
    both = reference.merge(judge, on="pair", suffixes=("", "_judge"))
    both = both[(both["p_a"] != 0.5) & (both["p_a_judge"] != 0.5)]
    right = ((both["p_a"] > 0.5) == (both["p_a_judge"] > 0.5)).to_numpy(dtype=np.float64)
    return _Comparisons(right, both["row"].to_numpy(dtype=np.int64))


def _votes(loaded: Loaded, rows: np.ndarray, people: bool) -> pd.DataFrame:
    """One a pair and annotator: p_a averaged over orders and repeats, and the first of its rows."""
    said = loaded.said.columns
    annotator = said["annotator"][rows]
    frame = pd.DataFrame({
        "pair": loaded.pair[rows], "annotator": annotator if people else np.where(annotator < 0, -1, annotator),
        "p_a": said["p_a"][rows], "row": rows,
    })  # fmt: skip
    votes: pd.DataFrame = frame.groupby(["pair", "annotator"], sort=True, as_index=False).agg(
        p_a=("p_a", "mean"), row=("row", "min")
    )
    # .35, .7 and .45 are even, which their mean in floating point is not.
    return votes.assign(p_a=votes["p_a"].round(9))


def _ways(clustering: Clustering) -> tuple[str, ...]:
    return () if clustering.name == "none" else tuple(clustering.name.split("+"))


def _codes(loaded: Loaded, way: str) -> np.ndarray:
    return loaded.pair if way == "pair" else np.asarray(loaded.said.columns[way])


def _weights_of(design: Design, clustering: Clustering) -> dict[str, tuple[float, float]]:
    """A judge's weights over all groups with their standard errors; none where nothing can be fitted."""
    try:
        fit, kept = fit_told(design, clustering)
        se = weight_covariance([fit], [kept], clustering).known_se
    except NotIdentifiedError:
        return {}
    return {name: (float(w), float(s)) for name, w, s in zip(fit.names, fit.parameters, se, strict=True)}


def _joined(found: Mapping[str, Any], table: Any, columns: tuple[str, ...]) -> pd.DataFrame:
    """One table with the column `judge` first; with these columns at least where there are no rows."""
    parts = []
    for judge, one in found.items():
        part = table(one)
        if len(part):
            parts.append(part.assign(judge=judge))
    if not parts:
        said = ("judge", "reference", "group", "against", "factor", "note")
        return pd.DataFrame({c: pd.Series([], dtype="str") if c in said else floats([]) for c in columns})
    whole: pd.DataFrame = pd.concat(parts, ignore_index=True)
    first = [c for c in ("judge", "reference") if c in whole]
    return whole[[*first, *(c for c in whole.columns if c not in first)]]


def _sizes(grouped: Groups, rows: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Judgments of each judge in each group."""
    out = [
        {"judge": judge, "group": name, "judgments": int((grouped.code[mine] == k).sum())}
        for judge, mine in rows.items()
        for k, name in enumerate(grouped.names)
    ]
    return pd.DataFrame(out, columns=["judge", "group", "judgments"])
