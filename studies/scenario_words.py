"""Where do a judge and people part, scenario by scenario, in a sentence or two? Markdown, names escaped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from charts import words
from charts.scenario_figures import GAP, NAMES
from studies.factor_options import display
from studies.factor_words import lower
from studies.overview import PLURAL, escape
from studies.scenario_matrix import BEYOND
from studies.study import Result


def agreement_finding(table: pd.DataFrame, row: Mapping[Any, Any], reference: str, judge: str, level: float) -> str:
    """Whether agreement differs between scenarios beyond noise, and where it is lowest and highest."""
    who, people = escape(judge, 40), escape(reference, 40)
    agrees = "agree" if judge.casefold() in PLURAL else "agrees"
    whole = f"{who} {agrees} with {people} in {words.share(row['agreement'])} of comparisons"
    p = row.get("p")
    if p is None or words.absent(p):
        return f"**{whole}.** Whether scenarios differ in that cannot be told: too few have two prompts or more."
    if float(p) >= BEYOND:
        return f"**{whole}, and no more or less in any scenario than noise allows** (p = {words.number(p)})."
    sure = "< .001" if float(p) < 0.001 else f"= {words.number(p, 3)}"
    known = table[table["pooled"].notna()].sort_values("pooled", kind="stable")
    low, high = known.iloc[0], known.iloc[-1]
    return (
        f"**{whole}: least in {escape(str(low['scenario']), 60)} ({_of(low)}), most in "
        f"{escape(str(high['scenario']), 60)} ({_of(high)}).** Scenarios differ beyond noise (p {sure}); figures "
        f"pooled, {words.percent(level)} intervals."
    )


def _of(row: pd.Series) -> str:
    return f"{words.share(row['pooled'])} [{words.share(row['pooled_lower'])}, {words.share(row['pooled_upper'])}]"


def matrix_finding(result: Result, judge: str) -> str:
    """Where gaps are beyond noise, and which figures differ between scenarios at all."""
    scenarios, tests = result.table("scenarios"), result.table("tests")
    n = len(scenarios)
    who = escape(judge, 40)
    said = ""
    if scenarios["beyond"].notna().any():
        found = scenarios[scenarios["beyond"] > 0]
        if len(found) == 0:
            said = f"In none of {words.plural(n, 'scenario')} does {who} weigh a factor differently beyond noise."
        else:
            first = found.iloc[0]
            most = f"most in {escape(str(first['scenario']), 60)} ({words.plural(int(first['beyond']), 'factor')})"
            where = f"In {len(found):,} of {words.plural(n, 'scenario')}"
            said = f"{where} {who} weighs some factor differently beyond noise{', ' + most if len(found) > 1 else ''}."
    average = tests[(tests["mean_q"] < BEYOND).fillna(False)].sort_values("mean_q", kind="stable")
    if len(average):
        listed = [escape(lower(display(str(name))), 40) for name in average["factor"]]
        said += f" On average over them its weight differs beyond noise in {words.listing(listed, 4)}."
    tested = tests[tests["q"].notna()]
    differ = tested[tested["q"] < BEYOND]
    if len(tested) and not len(differ):
        said += f" {_none_of(len(tested))} between scenarios beyond noise."
    elif len(differ):
        listed = [escape(figure_name(row, lowered=True), 40) for row in differ.to_dict("records")]
        said += f" Beyond noise differ between scenarios: {words.listing(listed, 5)}."
    return said.strip()


def figure_name(row: Mapping[object, object], lowered: bool = False) -> str:
    """What a row's figure is called: agreement, the order of models, or the gap in a factor."""
    if row["figure"] != GAP:
        name = NAMES[str(row["figure"])]
        return lower(name) if lowered else name
    name = display(str(row["factor"]))
    return f"the gap in {lower(name)}" if lowered else name


def _none_of(n: int) -> str:
    return "The one figure that was tested does not differ" if n == 1 else f"None of {n:,} figures differs"
