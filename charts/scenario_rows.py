"""One figure a scenario, alone or pooled: how are agreement and rank correlation drawn? Two looks of `judge_rows`."""

from __future__ import annotations

import pandas as pd

from charts import words
from charts.judge_rows import Look

OVERALL = "The line: over all scenarios."


def _agreement(row: pd.Series) -> str:
    said = [f"pooled {_share(row, 'pooled')}", f"alone {_share(row, 'agreement', '')}"]
    if not words.absent(row["remark"]):
        said.append(str(row["remark"]))
    return "<br>".join([*said, words.plural(int(row["comparisons"]), "comparison")])


def _share(row: pd.Series, name: str, prefix: str | None = None) -> str:
    head = f"{name}_" if prefix is None else prefix
    value, low, high = (row[column] for column in (name, f"{head}lower", f"{head}upper"))
    if words.absent(value):
        return "not known"
    interval = "" if words.absent(low) or words.absent(high) else f" [{words.share(low)}, {words.share(high)}]"
    return f"{words.share(value)}{interval}"


def agreement_look(pooled: bool, overall: float) -> Look:
    """Agreement by scenario. overall : share over all scenarios, where the line stands"""
    return Look(
        value="pooled" if pooled else "agreement",
        lower="pooled_lower" if pooled else "lower", upper="pooled_upper" if pooled else "upper",
        title="share of comparisons with the same verdict",
        note=f"{OVERALL} Pooled: each scenario drawn towards the others by how little it says itself."
        if pooled else f"{OVERALL} Each scenario by itself.",
        alt="Agreement of {judges} with the reference in {things}.",
        hover=_agreement, thing="scenario", things="scenarios", zero=overall, ends=(0.0, 1.0), tested=False,
        sort=False, empty="No scenario has an agreement of {judges}.",
    )  # fmt: skip


def _correlation(row: pd.Series) -> str:
    both = f"Spearman {words.estimate(row['spearman'], row['spearman_lower'], row['spearman_upper'])}"
    return f"{both}<br>{words.plural(int(row['models']), 'model')}, {words.plural(int(row['pairs']), 'pair')}"


CORRELATION = Look(
    value="spearman", lower="spearman_lower", upper="spearman_upper",
    title="Spearman correlation of the two orders of models (1: the same order)",
    note="Each scenario by itself: with few pairs both orders are mostly noise, and correlate less.",
    alt="How alike {judges} and the reference order the models in {things}.",
    hover=_correlation, thing="scenario", things="scenarios", zero=1.0, ends=(-1.04, 1.04), tested=False, sort=False,
    empty="In no scenario could the two orders be compared.",
)  # fmt: skip
