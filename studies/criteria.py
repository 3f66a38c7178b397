"""Which criteria make each judge's overall verdict, does it keep them apart, and where does it part from people?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar, Literal

import numpy as np
import pandas as pd

from analysis.criteria import Answers, go_together, hold_together
from analysis.design import FIRST
from analysis.judge_agreement import share
from analysis.multiple import adjust_bh
from analysis.tables import floats, integers
from analysis.vcov import choose_clustering
from charts import words
from data.model import Progress
from data.queries import Catalog
from data.store import Store
from studies.criteria_data import Asked, fetch
from studies.criteria_orders import by_criterion, like_overall
from studies.criteria_weights import Weighed, hold, weigh
from studies.judge_votes import as_table, clustered, columns, ended, shared
from studies.study import Finding, Fitted, Result, register

CRITERIA = ("judge", "criterion", "judgments", "pairs", "prompts", "ties", "agreement", "lower", "upper", "comparisons",
            "same", "same_lower", "same_upper", "correlation", "correlation_lower", "correlation_upper", "order",
            "order_lower", "order_upper", "clusters", "clustering")  # fmt: skip
TOGETHER = ("judge", "criterion_1", "criterion_2", "correlation", "lower", "upper", "same", "same_lower", "same_upper",
            "verdicts", "pairs", "correlation_ref", "difference", "difference_lower", "difference_upper", "p", "q",
            "shared_pairs")  # fmt: skip


@register
@dataclass(frozen=True)
class JudgeCriteria(Fitted):
    """Each judge on several criteria: agreement, order, gap, and how much each weighs in its overall verdict."""

    command: ClassVar[str] = "criteria"
    title: ClassVar[str] = "Which criteria make its overall verdict?"
    judges: ClassVar[Literal["any", "reference"]] = "reference"
    clusterings: ClassVar[tuple[str, ...]] = ("auto", "prompt", "pair", "none")
    printed: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "criteria": ("judge", "criterion", "judgments", "agreement", "lower", "upper", "same", "correlation"),
        "weights": ("judge", "criterion", "weight", "lower", "upper", "effect", "p", "q", "judgments"),
        "weight_gaps": ("judge", "criterion", "weight_ref", "weight_judge", "gap", "lower", "upper", "gap_scaled",
                        "scaled_q"),
        "correlations": ("judge", "criterion_1", "criterion_2", "correlation", "lower", "upper", "same",
                         "correlation_ref", "difference", "q"),
    }  # fmt: skip
    shown: ClassVar[Mapping[str, str] | None] = {
        "judge": "judge", "criterion": "criterion", "agreement": "agreement", "interval": "interval",
        "same": "same as overall", "correlation": "correlation with overall", "order": "order of models as overall",
        "order_interval": "interval ", "judgments": "judgments",
    }  # fmt: skip

    def default_judges(self, names: Catalog) -> tuple[str, ...]:
        """As elsewhere; a judge alone is told of without anybody to hold it against."""
        return tuple(names.judges) if len(names.judges) == 1 else super().default_judges(names)

    def answer(self, store: Store, progress: Progress) -> Result:
        progress(0.0, "reading verdicts on every criterion")
        data = fetch(self, store)
        reference = self.judge[0] if len(self.judge) > 1 else None
        given = {judge: data.answers(judge) for judge in self.judge}
        progress(0.1, "weighing criteria")
        weighed = weigh(data, given, self.cluster)
        gaps, scale = hold(weighed, reference or "", self.cluster, self.level)
        rows: list[dict[str, object]] = []
        together: list[dict[str, object]] = []
        said: list[str] = []
        for k, judge in enumerate(self.judge):
            progress(0.2 + 0.3 * k / len(self.judge), f"comparing the criteria of {judge}")
            orders, told = like_overall(self, data, store, judge)
            rows += [row | orders.get(str(row["criterion"]), {})
                     for row in self._criteria(data, judge, reference, given[judge], said)]  # fmt: skip
            said += told
            together += self._together(judge, reference, given)
        by_model, warned = by_criterion(
            self, data, store, reference, lambda done, text: progress(0.5 + 0.5 * done, text)
        )
        progress(1.0, "done")
        weights = weighed.table(self.level)
        criteria = _whole(as_table(rows, CRITERIA), "comparisons")
        tables = {
            "criteria": criteria, "weights": weights, "weight_gaps": gaps,
            "correlations": _whole(_with_q(as_table(together, TOGETHER)), "shared_pairs"), **by_model,
        }  # fmt: skip
        clustering = str(criteria["clustering"].iloc[0])
        hang = clustered(criteria["clustering"], criteria["clusters"])
        return Result(
            study=self, tables=tables, values={} if scale is None else {"scale": scale},
            settings=self.settings() | {"reference": reference, "overall": data.overall, "clustering": clustering},
            warnings=tuple(dict.fromkeys([*weighed.warnings, *said, *warned])),
            caption=self._caption(data, weighed, hang), fingerprint=data.fingerprint,
            findings=tuple(Finding(sentence(weights, judge)) for judge in weighed.fits),
        )  # fmt: skip

    # -- each criterion ----------------------------------------------------------------------------------------------

    def _criteria(
        self, data: Asked, judge: str, reference: str | None, given: Answers, said: list[str]
    ) -> list[dict[str, object]]:
        clustering = choose_clustering(self.cluster, len(np.unique(given.prompt)))
        if clustering.warning is not None:
            said.append(clustering.warning)
        cluster = given.prompt if clustering.name == "prompt" else given.pair
        rows = []
        for found in data.met[data.met["judge"] == judge].to_dict("records"):
            criterion = str(found["criterion"])
            row: dict[str, object] = {
                "judge": judge, "criterion": criterion, "judgments": int(found["judgments"]),
                "pairs": int(found["pairs"]), "prompts": int(found["prompts"]),
                "ties": found["tied"] / found["judgments"], "clusters": len(np.unique(cluster)),
                "clustering": clustering.name,
            }  # fmt: skip
            both = None
            if reference is not None and judge != reference:
                votes = data.votes[criterion]
                both = shared(votes.of(data.names.judges[reference][0]), votes.of(data.names.judges[judge][0]),
                              self.cluster)  # fmt: skip
            if both is not None:
                same, whole = both.raw.compared(self.ties != "drop")
                agreed = share(same, whole, both.raw.cluster, both.clustering)
                row |= {**ended(agreed, "agreement", self.level), "comparisons": int(whole.sum())}
            if criterion != data.overall and data.overall in given.criteria:
                row |= columns(
                    go_together(given.column(criterion), given.column(data.overall), cluster, clustering,
                                ties=self.ties != "drop"), self.level,
                )  # fmt: skip
            rows.append(row)
        return rows

    def _together(self, judge: str, reference: str | None, given: Mapping[str, Answers]) -> list[dict[str, object]]:
        """Every two criteria of one judge, held against the reference's on the pairs of both."""
        mine = given[judge]
        theirs = given[reference] if reference is not None and judge != reference else None
        clustering = choose_clustering(self.cluster, len(np.unique(mine.prompt)))
        rows = []
        for one, two in combinations(mine.criteria, 2):
            x, y = mine.column(one), mine.column(two)
            known = np.isfinite(x) & np.isfinite(y)
            if not known.any():
                continue
            cluster = mine.prompt if clustering.name == "prompt" else mine.pair
            found = go_together(x, y, cluster, clustering, ties=self.ties != "drop")
            row: dict[str, object] = {
                "judge": judge, "criterion_1": one, "criterion_2": two, "verdicts": int(known.sum()),
                "pairs": len(np.unique(mine.pair[known])), **ended(found, "correlation", self.level),
                **columns(found, self.level, ("same",)),
            }  # fmt: skip
            if theirs is not None:
                row |= self._held(mine, theirs, one, two)
            rows.append(row)
        return rows

    def _held(self, mine: Answers, theirs: Answers, one: str, two: str) -> dict[str, object]:
        known = [np.isfinite(some.column(one)) & np.isfinite(some.column(two)) for some in (mine, theirs)]
        pairs = np.intersect1d(mine.pair[known[0]], theirs.pair[known[1]])
        if not len(pairs):
            return {}
        at = [np.isin(some.pair, pairs) for some in (mine, theirs)]
        prompts = [some.prompt[rows] for some, rows in zip((mine, theirs), at, strict=True)]
        clustering = choose_clustering(self.cluster, len(np.unique(np.concatenate(prompts))))
        judge, reference = (
            (some.column(one)[rows], some.column(two)[rows],
             (some.prompt if clustering.name == "prompt" else some.pair)[rows])
            for some, rows in zip((mine, theirs), at, strict=True)
        )  # fmt: skip
        found = hold_together(judge, reference, clustering)
        p = found.p_value("difference")
        held = columns(found, self.level, ("correlation_ref", "difference"))
        del held["correlation_ref_lower"], held["correlation_ref_upper"]
        return {**held, "p": None if np.isnan(p) else p, "shared_pairs": len(pairs)}

    def _caption(self, data: Asked, weighed: Weighed, hang: str) -> str:
        who = words.listing(
            [f"{judge} ({words.plural(fit.n_judgments, 'verdict')} on {words.plural(fit.n_pairs, 'pair')})"
             for judge, (fit, _) in weighed.fits.items()], 5,
        )  # fmt: skip
        weights = (
            f"Weights: logistic regression, without an intercept, of the verdicts on {data.overall} by {who} on the "
            f"same voter's verdicts on {words.listing(list(data.criteria), 6)} (−1, 0, 1). "
        ) if weighed.fits else ""  # fmt: skip
        return (
            f"{weights}Correlations of verdicts about 0; agreement of votes on one criterion; {words.ties(self.ties)}; "
            f"{words.percent(self.level)} intervals, {hang}."
        )


def _whole(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Counts that are missing for some rows, as whole numbers."""
    return table.assign(**{name: integers([None if words.absent(n) else int(n) for n in table[name]])})


def _with_q(table: pd.DataFrame) -> pd.DataFrame:
    """Benjamini-Hochberg over the criteria of each judge."""
    q = np.full(len(table), np.nan)
    for judge in table["judge"].unique():
        mine = ((table["judge"] == judge) & table["p"].notna()).to_numpy(dtype=bool)
        if mine.any():
            q[mine] = adjust_bh(table.loc[mine, "p"].to_numpy(dtype=np.float64))
    return table.assign(q=floats(q))


def sentence(weights: pd.DataFrame, judge: str) -> str:
    """`gpt-4's overall verdict follows correct most (1.20 [.90, 1.50]) and style least (...)`"""
    mine = weights[(weights["judge"] == judge) & (weights["criterion"] != FIRST)].sort_values(
        "weight", ascending=False, kind="stable"
    )

    def said(k: int) -> str:
        row = mine.iloc[k]
        return f"{row['criterion']} ({words.estimate(row['weight'], row['lower'], row['upper'])})"

    if len(mine) == 1:
        return f"the overall verdict of {judge} follows {said(0)}"
    return f"the overall verdict of {judge} follows {said(0)} most and {said(-1)} least"

