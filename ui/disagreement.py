"""Where does a judge's disagreement with people come from? The bar of parts on the page Judges."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from charts import words
from data.queries.examples import PairsBehind
from exports.drawings import judges as drawings
from studies.disagreement import DisagreementParts
from studies.disagreement_words import finding
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
    most = how_many(len(order), MOST, "judges", ALL)
    listed = _listed(result)

    def behind(who: str, part: str) -> PairsBehind | None:
        only = listed.get((who, part))
        return PairsBehind((str(seen.reference), who), counted="given", only=only) if only else None

    figure(
        drawings.disagreement(result, order, most),
        result, "parts", key="disagreement", columns=DisagreementParts.shown,
        pairs=lambda row: behind(str(row["judge"]), str(row["part"])),
        point=lambda mark: behind(str(mark[0]), str(mark[1])),
    )  # fmt: skip
    sentences(result)


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
