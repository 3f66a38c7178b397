"""Does one scale fit a judge's verdicts? The test, circles, and the pairs of models that fit worst."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from charts import words
from charts.fit_check import BEYOND
from data.queries.examples import PairsBehind
from exports.drawings import rankings as drawings
from studies.fit_check import CheckFit
from studies.overview import escape
from studies.study import Result
from ui.ask import chosen
from ui.figure import figure, show_table
from ui.remarks import sentences
from ui.sections.choices import one_judge
from ui.session import attempt
from ui.view import View

CIRCLES = {
    "model_1": "model", "share_12": "wins", "model_2": "over", "share_23": "wins ", "model_3": "over ",
    "share_31": "wins, over the first", "judgments": "fewest judgments",
}  # fmt: skip


def draw(seen: View, judge: str | None) -> None:
    """The section for one judge at a time."""
    who = one_judge(seen, "fit")
    result = attempt(replace(chosen(CheckFit), judge=(who,)))
    if result is None:
        return
    row = result.table("fit").to_dict("records")[0]
    pairs, cycles = result.table("pairs"), result.table("cycles")
    st.markdown(" ".join(findings(row, pairs)))
    st.caption(trust(row, result))
    figure(drawings.residuals(result, who), result, "pairs", key="fit",
           columns=CheckFit.shown, folded=False, pairs=behind)  # fmt: skip
    if len(cycles):
        st.markdown("**The clearest circles**: each model is preferred to the next, and the last to the first")
        show_table(cycles.head(5), CIRCLES, key="fit-circles")
    sentences(result)


def behind(row: Mapping[Any, Any]) -> PairsBehind:
    """The pairs of responses that a row of the table counts."""
    return PairsBehind(judges=(str(row["judge"]),), between=(str(row["model_1"]), str(row["model_2"])))


def findings(row: Mapping[Any, Any], pairs: pd.DataFrame) -> list[str]:
    """Does one scale fit, by how much not, and do models beat one another in circles?"""
    who = escape(str(row["judge"]))
    worse = int((pairs["q"].astype("Float64") < BEYOND).fillna(False).sum())
    said = [_whole(who, row, worse)]
    triples = words.plural(int(row["triples"]), "triple")
    for name, text, alone in (
        ("cyclic", f"Of {triples} of models {{}} go in a circle", "noise alone gives"),
        ("hodge", "Any scale leaves {} of the variation in log-odds over (Hodge residual)", "noise alone leaves"),
    ):
        if words.absent(row[name]):
            continue
        sentence = text.format(_share(row[name]))
        if not words.absent(row[f"{name}_expected"]):
            low, high = (_share(row[f"{name}_{end}"]) for end in ("lower", "upper"))
            sentence += f"; {alone} {_share(row[f'{name}_expected'])} ({low} to {high})"
        said.append(sentence + ".")
    return said


def _share(value: float) -> str:
    """18 %, or .5 % where whole percents would say 0 or 1."""
    return f"{words.number(100 * value, 1)} %" if 0 < value < 0.095 else words.share(value)


def _whole(who: str, row: Mapping[Any, Any], worse: int) -> str:
    if words.absent(row["p"]):
        return f"**Whether one scale fits the verdicts of {who} cannot be tested here.**"
    p = words.p_value(row["p"])
    p = escape(f"p {p if p.startswith('<') else '= ' + p}")
    points = "" if words.absent(row["departure"]) else f"{100 * row['departure']:.0f} points"
    if row["p"] >= BEYOND:
        return f"**The verdicts of {who} show no departure from one scale beyond chance** ({p})."
    text = f"**One scale does not fit the verdicts of {who}** ({p})"
    if points:
        text += f": a pair of models departs by about {points} from its expected share, chance taken off"
    if worse:
        text += f"; {words.plural(worse, 'pair')} of {int(row['pairs']):,} beyond chance"
    return text + "."


def trust(row: Mapping[Any, Any], result: Result) -> str:
    """What stands behind it, in a line."""
    parts = [
        words.plural(int(row["judgments"]), "judgment"),
        f"{words.plural(int(row['pairs']), 'pair')} of {words.plural(int(row['models']), 'model')}",
    ]
    way = str(row["clustering"]).split("+")[0]
    if not words.absent(row["clusters"]):
        parts.append(f"{words.plural(int(row['clusters']), way)}, whole {way}s turned by chance")
    parts.append(words.ties(result.settings["ties"]))
    return escape(" · ".join(parts), 4000)
