"""What does an audit say of one judge, and of all, in a sentence? Markdown, names escaped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from charts import words
from charts.audit import bias_name, towards, with_test
from studies.overview import escape

SAID = 5
"""Biases that a sentence names."""


def finding(table: pd.DataFrame, judge: str) -> str:
    """Which biases are flagged and by how much; else the largest of those tested."""
    name, some = escape(judge, 60), with_test(table[table["judge"] == judge])
    if not len(some):
        return f"**These data test no bias of {name}.** What would be needed stands below."
    flagged = some[some["flagged"].fillna(False).astype(bool)]
    n = words.plural(len(some), "tested bias", "tested biases")
    if not len(flagged):
        row: Mapping[Any, Any] = some.iloc[0].to_dict()
        return f"**{name} is flagged on none of {n}.** The largest: {_lean(row, True)}, q = {_q(row)}."
    listed = [_lean(row, k == 0) for k, row in enumerate(flagged.to_dict("records"))]
    is_flagged = "is flagged" if len(flagged) == 1 else "are flagged"
    return (
        f"**{name} leans towards {words.listing(listed, SAID)}, more than a judge without the bias.** "
        f"{len(flagged)} of {n} {is_flagged}."
    )


def _lean(row: Mapping[Any, Any], unit: bool) -> str:
    """longer answers (8.5 points [6.3, 10.6]). unit : whether it is said"""
    value, low, high = (100 * row[name] for name in ("excess", "excess_lower", "excess_upper"))
    if value < 0:
        value, low, high = -value, -high, -low
    size = f"{words.number(value, 1)}{' points' if unit else ''} {words.interval(low, high, 1)}".strip()
    return escape(f"{towards(str(row['bias']), float(row['excess']))} ({size})", 400)


def _q(row: Mapping[Any, Any]) -> str:
    return escape(words.p_value(row["q"]))


def finding_of_all(table: pd.DataFrame) -> str:
    """How many judges are flagged on which bias, and the largest."""
    some = table[table["p"].notna()]
    n = words.plural(some["judge"].nunique(), "judge")
    if not len(some):
        return "**These data test no bias of these judges.** What would be needed stands below."
    sure = some[some["flagged"].fillna(False).astype(bool)]
    if not len(sure):
        return f"**None of {n} is flagged on any bias.**"
    counts = sure.groupby("bias")["judge"].nunique().sort_values(ascending=False, kind="stable")
    listed = [f"{count} on {bias_name(str(bias)).lower()}" for bias, count in counts.items()]
    text = f"**Of {n}, {sure['judge'].nunique()} are flagged: {escape(words.listing(listed, SAID), 400)}.** "
    text = text.replace(" 1 are flagged", " 1 is flagged")
    largest = sure.sort_values("excess", key=lambda v: v.abs(), ascending=False, kind="stable")
    row: Mapping[Any, Any] = largest.iloc[0].to_dict()
    return text + f"The largest: {escape(str(row['judge']), 60)} towards {_lean(row, True)}."
