"""Where does a judge's disagreement with people come from? The bar of parts on the page Judges."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from charts import words
from charts.disagreement import JUDGE, PEOPLE, UNEXPLAINED, disagreement_chart
from data.queries.examples import PairsBehind
from studies.disagreement import DisagreementParts
from studies.overview import escape
from studies.study import Result
from ui.ask import chosen
from ui.figure import figure
from ui.how_many import how_many
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

MOST = 15
LISTED = 20
"""Pairs that a part leads to."""

ALL = "parts_all"


def sources(seen: View, judge: str | None) -> None:
    """The finding, a bar a judge, the one held against people on top, and what to distrust; nothing without a judge."""
    if seen.names is None or seen.reference is None or judge is None:
        return
    st.subheader("Where does its disagreement with people come from?", anchor=False)
    study = replace(chosen(DisagreementParts), judge=(str(seen.reference), *seen.others), limit=LISTED)
    result = attempt(study)
    if result is None:
        return
    judges = result.table("judges").sort_values("disagreement", kind="stable")
    order = [str(name) for name in judges["judge"]]
    first = judge if judge in order else order[0]
    order = [first, *(name for name in order if name != first)]
    table = result.table("parts")
    with st.container(key="disagreement"):
        st.markdown(finding(table[table["judge"] == first], first, str(seen.reference)))
    st.caption(escape(trust(result, first), 4000))
    drawn = order[: how_many(len(order), MOST, "judges", ALL)]
    totals = dict(zip(judges["judge"], judges["disagreement"], strict=True))
    listed = _listed(result)

    def behind(who: str, part: str) -> PairsBehind | None:
        only = listed.get((who, part))
        return PairsBehind((str(seen.reference), who), counted="given", only=only) if only else None

    figure(
        lambda theme, narrow: disagreement_chart(
            table, drawn, totals, theme, narrow=narrow, more=len(order) - len(drawn)
        ),
        result, "parts", key="disagreement", columns=DisagreementParts.shown,
        pairs=lambda row: behind(str(row["judge"]), str(row["part"])),
        point=lambda mark: behind(str(mark[0]), str(mark[1])),
    )  # fmt: skip
    sentences(result)


def finding(table: pd.DataFrame, judge: str, reference: str) -> str:
    """Of one judge, the parts by their size. table : its rows of `parts`"""
    share = dict(zip(table["part"], table["share"].astype(float), strict=True))
    people = escape(reference, 40)
    parts = [f"{words.share(share.pop(PEOPLE))} is that of votes with one another"]
    rest = share.pop(UNEXPLAINED)
    if JUDGE in share:
        parts.append(f"{words.share(share.pop(JUDGE))} the judge's noise")
    # What rounds to nothing is not worth a word.
    told = sorted(((name, value) for name, value in share.items() if abs(value) >= 0.005), key=lambda one: -one[1])
    parts += [f"{words.share(value)} {name}" for name, value in told]
    return (
        f"**Of the disagreement of {escape(judge, 40)} with a vote of {people}, {words.listing(parts, 9)}; "
        f"{words.share(rest)} is not explained.**"
    )


def trust(result: Result, judge: str) -> str:
    """The grey line: how much there is to share out, on what, and where a click leads."""
    table = result.table("judges")
    row = table[table["judge"] == judge].iloc[0].to_dict()
    size = words.estimate(row["disagreement"], row["disagreement_lower"], row["disagreement_upper"])
    what = "They part in" if result.settings.get("ties") == "drop" else "Mean squared difference"
    if result.settings.get("ties") == "drop":
        ends = "" if words.absent(row["disagreement_lower"]) else (
            f" [{words.share(row['disagreement_lower'])}, {words.share(row['disagreement_upper'])}]"
        )
        size = f"{words.share(row['disagreement'])}{ends} of comparisons"
    counts = words.amounts(pair=int(row["pairs"]), vote=int(row["votes"]))
    clusters = f", {words.plural(int(row['clusters']), str(row['clustering']))}" if row["clustering"] != "none" else ""
    return (
        f"{what} {size}; {counts}{clusters}. No judge can agree with people who disagree. Click a part for a link "
        "to the pairs where it is largest."
    )


def _listed(result: Result) -> dict[tuple[str, str], tuple[int, ...]]:
    """The pairs where a part is largest, by judge and part."""
    found: dict[tuple[str, str], tuple[int, ...]] = {}
    for row in result.table("pairs").to_dict("records"):
        key = (str(row["judge"]), str(row["part"]))
        found[key] = (*found.get(key, ()), int(row["pair"]))
    return found
