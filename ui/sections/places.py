"""How sure is each place? Rank intervals for one model and for all, P(best), groups, and every two models."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from charts import words
from exports.drawings import rankings as drawings
from studies.overview import escape
from studies.places import Places
from studies.study import Result
from ui.ask import ask
from ui.behind import ranked_by
from ui.figure import figure, show_table
from ui.remarks import sentences
from ui.sections.choices import how_many, one_judge
from ui.session import attempt
from ui.view import View

PAIRS = {"model_1": "model", "model_2": "over", "p_above": "P(better)", "win": "preferred in", "p_holm": "p (Holm)"}


def draw(seen: View, judge: str | None) -> None:
    """The section for one judge at a time."""
    result = attempt(replace(ask(Places), judge=(one_judge(seen, "places"),)))
    if result is None:
        return
    places = result.table("places")
    st.markdown(finding(result))
    most = how_many(len(places), "places")
    figure(drawings.places(result, str(places["judge"].iloc[0]), most), result, "places",
           key="places", columns=Places.shown, folded=False,
           pairs=lambda row: ranked_by(str(row["judge"]), row))  # fmt: skip
    pairs = result.table("pairs")
    if len(pairs):
        st.markdown("**Every two models**, the least certain orders first")
        show_table(pairs.head(200), PAIRS, key="places-pairs")
    sentences(result)


def finding(result: Result) -> str:
    """Who may be first, and how far the intervals are from the naive ones."""
    places = result.table("places")
    first = places[places["rank_lower"] == places["rank_lower"].min()]
    rivals = [escape(str(m)) for m in first["model"]]
    above = int(places["rank"].min()) - 1
    place = "first" if not above else f"first after {words.plural(above, 'model')} never beaten"
    who = f"**{rivals[0]} is {place}: its interval holds no other place.**"
    if len(rivals) > 1:
        who = f"**{len(rivals)} models may be {place}:** {words.listing(rivals, 5)}."
    if places["naive_ratio"].isna().all():
        return who
    ratio = words.number(float(places["naive_ratio"].median()))
    return f"{who} Intervals are {ratio} times as wide as if all judgments were independent."
