"""Does the rule for ties change the order? Each model's rank under all four rules, against its rank interval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from charts import words
from exports.drawings import rankings as drawings
from studies.overview import escape
from studies.study import Result
from studies.tie_policies import TiePolicies
from ui.ask import chosen
from ui.figure import figure
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

CLEAR = 2.0
"""Difference of two log-likelihoods that is worth a sentence."""


def draw(seen: View, judge: str | None) -> None:
    """The section for the reference and the judge held against it, or for the only judge."""
    judges = seen.judges[:1] if judge is None else (str(seen.reference), judge)
    result = attempt(replace(chosen(TiePolicies), judge=tuple(judges)))
    if result is None:
        return
    st.markdown(" ".join(findings(result)))
    st.caption(behind(result))
    figure(drawings.tie_policies(result)[0],
           result, "policies", key="ties", columns=TiePolicies.shown, folded=False)  # fmt: skip
    sentences(result, (*better_fit(result), *result.warnings))


def findings(result: Result) -> list[str]:
    """One sentence a judge: how many models move, by how much, and whether beyond their intervals."""
    policies = result.table("policies")
    rows = result.table("judges").to_dict("records")
    still = [row for row in rows if row["policies"] > 1 and not row["moved"]]
    if len(still) == len(rows) > 1 and len({row["models"] for row in rows}) == 1:
        who, n = words.listing([escape(str(row["judge"])) for row in rows]), int(rows[0]["models"])
        return [f"**{who} each keep the same order of {words.plural(n, 'model')} under every rule for ties.**"]
    return [_finding(row, policies[policies["judge"] == row["judge"]]) for row in rows]


def _finding(row: Mapping[Any, Any], table: pd.DataFrame) -> str:
    judge, n = escape(str(row["judge"])), words.plural(int(row["models"]), "model")
    if row["policies"] < 2:
        return f"**{judge}**: only one rule for ties can be fitted, so there is nothing to compare."
    moved, largest, outside = (int(row[name]) for name in ("moved", "largest_move", "leave_interval"))
    if moved == 0:
        return f"**{judge}: the same order of {n} under every rule for ties.**"
    change = "changes rank" if moved == 1 else "change rank"
    furthest = int(table["largest_move"].fillna(0).astype(int).to_numpy().argmax())
    first, most = escape(str(table["model"].iloc[furthest])), words.plural(largest, "place")
    said = f"**{judge}: {moved:,} of {n} {change} with the rule for ties**, by at most {most} ({first}); "
    if outside == 0:
        return said + "no move leaves its model's rank interval."
    leaves = "leaves its rank interval" if outside == 1 else "leave their rank intervals"
    return said + f"**{words.plural(outside, 'model')} {leaves}.**"


def behind(result: Result) -> str:
    """n, clusters and how many ties there are, in a line."""
    parts = []
    for row in result.table("judges").to_dict("records"):
        ties = words.share(row["share_of_ties"])
        parts.append(f"{escape(str(row['judge']))}: {words.plural(row['judgments'], 'judgment')}, {ties} of them ties")
    settings = result.settings
    intervals = f"{words.percent(settings['level'])} rank intervals ({words.ties(settings['ties'])})"
    return " · ".join([*parts, f"{intervals}, {escape(str(result.table('judges')['intervals'].iloc[0]), 400)}"])


def better_fit(result: Result) -> list[str]:
    """Which of the two models of ties describes a judge's ties better, where that is clear."""
    said = []
    for row in result.table("judges").to_dict("records"):
        both: list[Any] = [row.get(f"log_likelihood_{rule}") for rule in ("davidson", "rao_kupper")]
        if any(map(words.absent, both)) or abs(lead := both[0] - both[1]) < CLEAR:
            continue
        kupper = "Rao and Kupper"
        better, worse = ("Davidson describes", kupper) if lead > 0 else (f"{kupper} describe", "Davidson")
        by = words.number(abs(lead), 1)
        said.append(f"{better} the ties of {row['judge']} better than {worse}: log-likelihood higher by {by}")
    return said
