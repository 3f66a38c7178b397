"""How much does each criterion move each judge's overall verdict, and the reference's?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import expit

from analysis.criteria import Answers, explain
from analysis.design import FIRST, Design
from analysis.factor_covariance import weight_covariance
from analysis.factor_fit import FactorFit
from analysis.factor_gap import FactorGap, find_factor_gap
from analysis.factor_told import fit_told
from analysis.multiple import adjust_bh
from analysis.vcov import Covariance, choose_clustering
from charts import words
from errors import NotIdentifiedError
from studies.criteria_data import Asked, dense
from studies.factors_fit import about_fit
from studies.judge_votes import as_table
from studies.refused import sentences

WEIGHTS = ("judge", "criterion", "weight", "se", "lower", "upper", "effect", "effect_lower", "effect_upper", "p", "q",
           "judgments", "pairs", "clusters", "clustering")  # fmt: skip
GAPS = ("judge", "criterion", "weight_ref", "weight_judge", "gap", "se", "lower", "upper", "p", "q", "gap_scaled",
        "scaled_se", "scaled_lower", "scaled_upper", "scaled_p", "scaled_q", "equivalent", "pairs")  # fmt: skip


IN_WORDS = (
    ("the answers that were compared do not differ in it", "it never speaks for a side"),
    ("wherever two answers differ in it, the one with more of it is", "the answer that it speaks for is always"),
    ("only one pair has answers that differ in it", "it speaks for a side of one pair only"),
    ("only one prompt has answers that differ in it", "it speaks for a side in one prompt only"),
    ("Choose fewer factors", "Leave some of them out"), ("choose fewer factors", "leave some of them out"),
)  # fmt: skip
"""What a fit says of factors, as it is said of criteria."""


@dataclass
class Weighed:
    """What could be weighed of a selection's judges.

    designs : the overall verdicts with the verdicts on the criteria that the judge was asked
    fits : those that are determined; reasons : why the others are not; said : what must be known of them
    """

    designs: dict[str, Design] = field(default_factory=dict)
    fits: dict[str, tuple[FactorFit, Covariance]] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    @property
    def warnings(self) -> list[str]:
        """What must be known, and who could not be weighed."""
        left = [f"{text}: what makes the overall verdict cannot be told" for text in sentences(self.reasons)]
        return [_of_criteria(text) for text in (*left, *self.said)]

    def table(self, level: float) -> pd.DataFrame:
        """One row a judge and criterion; q over the criteria of a judge."""
        rows = [row for judge, found in self.fits.items() for row in _rows(judge, *found, self.designs[judge], level)]
        return as_table(rows, WEIGHTS)


def _of_criteria(text: str) -> str:
    for of_factors, of_criteria in IN_WORDS:
        text = text.replace(of_factors, of_criteria)
    # Not inside the name of one, which stands in quotes or with other letters.
    return re.sub(r"(?<!')\bfactor(s?)\b(?!')", lambda found: "criteria" if found[1] else "criterion", text)


def weigh(data: Asked, given: Mapping[str, Answers], cluster: str) -> Weighed:
    """Fit the overall verdicts of each judge to its verdicts on all criteria. given : of each judge"""
    overall = {judge: data.overall_of(judge) for judge in given}
    numbers = dict(zip(given, dense(*(one.pair for one in overall.values())), strict=True))
    out = Weighed()
    for judge, answers in given.items():
        criteria = data.asked(judge)
        if not criteria or not len(overall[judge].pair):
            what = "no other criterion" if not criteria else f"no verdict on {data.overall!r}"
            out.reasons[judge] = f"{what} is there"
            continue
        design, rows = explain(overall[judge], answers, criteria)
        if not len(design):
            out.reasons[judge] = f"nobody gave a verdict on {words.listing([*criteria, data.overall], 6)} of one pair"
            continue
        design = replace(design, pair=numbers[judge][rows])
        out.designs[judge] = design
        clustering = choose_clustering(cluster, len(np.unique(design.clusters["prompt"])))
        try:
            fit, kept = fit_told(design, clustering)
            covariance = weight_covariance([fit], [kept], clustering)
        except NotIdentifiedError as error:
            out.reasons[judge] = str(error)
            continue
        out.fits[judge] = fit, covariance
        head = f"{judge}: " if len(given) > 1 else ""
        whole = int(overall[judge].count.sum())
        if design.n_judgments < whole:
            out.said.append(f"{head}{whole - design.n_judgments:,} of {whole:,} overall verdicts lack one on some "
                            "criterion and are left out of the weights")  # fmt: skip
        out.said += [f"{head}{text}" for text in (*about_fit(fit.dropped, fit.vif, fit.n_pairs), *covariance.warnings)]
    return out


def _rows(judge: str, fit: FactorFit, covariance: Covariance, design: Design, level: float) -> list[dict[str, object]]:
    n = len(fit.factors) + int(fit.has_position)
    names, weight, se = fit.names[:n], fit.parameters[:n], covariance.known_se[:n]
    half = covariance.quantiles.two_sided(level) * se
    p = covariance.quantiles.p_value(weight / se)
    counted = np.array([name != FIRST for name in names])
    q = np.full(n, np.nan)
    q[counted] = adjust_bh(p[counted])
    out: list[dict[str, object]] = []
    for k, name in enumerate(names):
        ends = {"lower": weight[k] - half[k], "upper": weight[k] + half[k]}
        row: dict[str, float] = {"weight": weight[k], "se": se[k], **ends, "effect": 100 * expit(weight[k])}
        row |= {f"effect_{end}": 100 * expit(value) for end, value in ends.items()} | {"p": p[k], "q": q[k]}
        known = {key: float(value) if np.isfinite(value) else None for key, value in row.items()}
        out.append(
            {"judge": judge, "criterion": name, **known, "judgments": fit.n_judgments,
             "pairs": int(design.pairs.sum()), "clusters": covariance.n_clusters or None,
             "clustering": covariance.clustering.name}
        )  # fmt: skip
    return out


def hold(weighed: Weighed, reference: str, cluster: str, level: float) -> tuple[pd.DataFrame, dict[str, Any] | None]:
    """Each judge's weights less the reference's, on the pairs and criteria of both, and of a single judge the scale."""
    found: dict[str, FactorGap] = {}
    for judge, design in weighed.designs.items():
        if judge == reference or reference not in weighed.designs:
            continue
        theirs = weighed.designs[reference]
        both = set(theirs.names) & set(design.names)
        two = [one.without([name for name in one.names if name not in both]) for one in (theirs, design)]
        try:
            if not both:
                raise NotIdentifiedError("they were asked no criterion in common")
            shared = np.intersect1d(theirs.pair, design.pair)
            prompts = np.concatenate([one.clusters["prompt"][np.isin(one.pair, shared)] for one in two])
            clustering = choose_clustering(cluster, len(np.unique(prompts)))
            found[judge] = find_factor_gap(two[0], two[1], clustering, names=(reference, judge))
        except NotIdentifiedError as error:
            weighed.said.append(f"{judge}: its weights cannot be held against those of {reference}, as {error}")
    tables = []
    for judge, one in found.items():
        table = one.gaps.table(level).rename(columns={"name": "criterion"}).assign(pairs=one.n_pairs)
        table.insert(0, "judge", judge)
        tables.append(table)
        head = f"{judge}: " if len(found) > 1 else ""
        weighed.said += [f"{head}{text}" for text in one.warnings]
    joined = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    scale = next(iter(found.values())).gaps.scale_table(level) if len(found) == 1 else pd.DataFrame()
    values = {name: scale[name].iloc[0] for name in ("value", "lower", "upper")} if len(scale) else None
    return joined.reindex(columns=list(GAPS)), values
