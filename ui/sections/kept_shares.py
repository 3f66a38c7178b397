"""Does a judge keep people's disagreement? Its shares against theirs, how extreme it is, how far apart they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from charts import words
from exports.drawings import judges as drawings
from studies.overview import PLURAL, escape
from studies.shares import LABELS, JudgeShares
from ui import selection
from ui.ask import chosen
from ui.behind import shared_by
from ui.figure import figure
from ui.how_many import how_many
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

ONE, ALL = "one", "all"
VIEWS = {ONE: "One judge", ALL: "All judges"}
MOST = 15


def draw(seen: View, judge: str | None) -> None:
    """The section: the judge held against people, or all of them side by side."""
    if judge is None:
        st.info("Shares of a judge are held against people's on the same pairs: it takes both.", icon=":material/info:")
        return
    study = chosen(JudgeShares)
    view = _view() if len(seen.others) > 1 else ONE
    others = (judge, *(name for name in seen.others if name != judge)) if view == ALL else (judge,)
    result = attempt(replace(study, judge=(str(seen.reference), *others)))
    if result is None:
        return
    rows = {str(row["judge"]): row for row in result.table("judges").to_dict("records")}
    order = [name for name in others if name in rows]
    first = rows[order[0]]
    st.markdown(finding(first, str(seen.reference)))
    st.caption(escape(spread(first, str(seen.reference)), 4000))
    order[1:] = sorted(order[1:], key=lambda name: -float(rows[name]["divergence"]))
    most = how_many(len(order), MOST, "judges", "shares_all")
    figure(
        drawings.shares(result, order, most),
        result, "judges", key="shares", columns=JudgeShares.shown,
        pairs=lambda row: shared_by(str(seen.reference), str(row["judge"])),
    )  # fmt: skip
    sentences(result)


def finding(row: Mapping[Any, Any], reference: str) -> str:
    """How extreme a judge is, where that can be told, and how often two votes part. row : of the table `judges`"""
    who, people = escape(str(row["judge"]), 40), escape(reference, 40)
    theirs = "theirs" if reference.casefold() in PLURAL else "those of the reference"
    parts = (
        f"two votes of {people} part on {words.share(row['parting_people'])} of these pairs, two "
        f"{'of' if row['kind'] == LABELS else 'by the preferences of'} {who} on {words.share(row['parting_judge'])}"
    )
    value, low, high = (row[name] for name in _slope(row))
    if not (words.absent(low) or words.absent(high)):
        slope = words.estimate(value, low, high)
        if low > 1:
            return f"**{who} is more extreme than {people}: its log-odds are {slope} times {theirs}; {parts}.**"
        if high < 1:
            return f"**{who} is less extreme than {people}: its log-odds are {slope} times {theirs}; {parts}.**"
        return f"**Nothing shows that {who} is more or less extreme than {people}: its log-odds are {slope} times " \
               f"{theirs}; {parts}.**"  # fmt: skip
    low, high = row["parting_difference_lower"], row["parting_difference_upper"]
    if words.absent(low) or words.absent(high) or low <= 0 <= high:
        return f"**{who} is as divided as {people} as far as can be told: {parts}.**"
    if low > 0:
        return f"**{who} is more divided on a pair than {people}: {parts}.**"
    return f"**{who} is more of one mind than {people}: {parts}.**"


def spread(row: Mapping[Any, Any], reference: str) -> str:
    """The grey line: what there is, and how far the two are apart."""
    ends = [row[f"parting_difference{end}"] for end in ("", "_lower", "_upper")]
    told = [
        f"judge less {reference} in how often two votes part {words.estimate(*ends)}",
        *(
            f"{name} {words.estimate(row[key], row[f'{key}_lower'], row[f'{key}_upper'])}"
            for key, name in (("divergence", "divergence"), ("distance", "mean distance of shares"))
        ),
    ]
    counts = words.amounts(pair=int(row["pairs"]), vote=int(row["votes"]))
    clusters = f", {words.plural(int(row['clusters']), str(row['clustering']))}" if row["clustering"] != "none" else ""
    return (
        f"{counts}{clusters}; {', '.join(told)}. Divergence, distance and entropy depend on how many votes there are; "
        "how often two part does not."
    )


def _slope(row: Mapping[Any, Any]) -> tuple[str, str, str]:
    """The columns of the extremity: by leaning, where few votes make the other too large."""
    name = "slope" if words.absent(row["slope_binomial"]) else "slope_binomial"
    return name, f"{name}_lower", f"{name}_upper"


def _view() -> str:
    view = str(selection.page_word("shares_show", list(VIEWS), ONE))
    st.session_state["w:shares_show"] = view
    st.segmented_control("Drawn", list(VIEWS), key="w:shares_show", format_func=VIEWS.__getitem__, required=True,
                         on_change=selection.on_change("shares_show", "w:shares_show"))  # fmt: skip
    return view
