"""Do groups weigh differently? Weights by group with a test, agreement by group, judges by their attribute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from charts import words
from charts.groups import BEYOND, FIRST
from data import queries
from data.queries import groups
from exports.drawings import methods as drawings
from studies.factor_options import display
from studies.factor_words import lower
from studies.factors_groups import FactorsGroups
from studies.overview import PLURAL, escape
from ui import factors, selection, session
from ui.figure import charts, figure, show_table
from ui.how_many import how_many
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

BY, OF, ALL = "group_by", "groups_of", "groups_all"
MOST = 8
SPREAD = {"factor": "factor", "statistic": "F", "df_1": "df", "p": "p", "q": "q", "groups": "groups"}
AGREED = {"group": "group", "agreement": "agreement", "interval": "interval",
          "simultaneous_interval": "all groups at once", "pooled": "drawn to the others",
          "p_lower": "p below the others", "n": "votes", "clusters": "clusters"}  # fmt: skip
SLOPES = {"figure": "figure", "per_sd": "for one sd", "interval": "interval", "q": "q", "spearman": "Spearman",
          "n": "judges"}  # fmt: skip


def draw(seen: View, judge: str | None) -> None:
    """Weights of one of the two judges, agreement of the two, and all judges where they have attributes."""
    assert seen.names is not None
    with session.store().reading("looking for attributes") as con:
        known = list(groups.groupings(con, seen.names))
        of_judges = groups.judge_attributes(con, queries.catalog(con, seen.names.dataset))
    if not known:
        st.info(
            "Nothing here groups judgments: import the file with an attribute of people, models or prompts, or with "
            "the columns scenario or judged_at.", icon=":material/info:",
        )  # fmt: skip
        return
    judges = [str(seen.reference), judge] if judge is not None else [seen.judges[0]]
    by = str(selection.page_word(BY, known, known[0]))
    of = str(selection.page_word(OF, judges, judges[0]))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.session_state[f"w:{BY}"] = by
        st.selectbox("Groups by", known, key=f"w:{BY}", on_change=selection.on_change(BY, f"w:{BY}"))
        if len(judges) > 1:
            st.session_state[f"w:{OF}"] = of
            st.segmented_control("Weights of", judges, key=f"w:{OF}", required=True,
                                 format_func=lambda one: escape(one, 40),
                                 on_change=selection.on_change(OF, f"w:{OF}"))  # fmt: skip
    study = factors.meant(FactorsGroups, factors.known_factors(seen))
    # Where judges have an attribute, all of them are looked at.
    asked = tuple(judges) if not of_judges else tuple(dict.fromkeys([*judges, *seen.judges]))
    result = attempt(replace(study, group_by=by, judge=asked))
    if result is None:
        return
    weights, tests, agreed = (result.table(name) for name in ("weights", "tests", "agreement"))
    weights, tests = (part[part["judge"] == of].reset_index(drop=True) for part in (weights, tests))
    agreed = agreed[agreed["judge"] == judges[-1]].reset_index(drop=True)
    names = {str(f): display(str(f)) for f in result.table("weights")["factor"]}
    st.markdown(finding(tests, agreed, of, judges, by, names))
    st.caption(
        "Prefer this to the gap above where judgments come from people, models or times of several kinds: what holds "
        "on average may hold for no group. Nobody drew the groups by lot: a difference may be that of what they judged."
    )
    n = int((tests["factor"] != FIRST).sum())
    most = how_many(n, MOST, "factors", ALL)
    columns = {c: h for c, h in (FactorsGroups.shown or {}).items() if c != "judge"}
    figure(
        drawings.groups(result, of, most),
        result, "weights", key="groups", columns=columns,
        read=weights.assign(factor=[names[str(f)] for f in weights["factor"]]),
    )  # fmt: skip
    if len(tests):
        st.markdown("**Does each factor weigh alike in all groups?** The surest difference first")
        show_table(tests.assign(factor=[names[str(f)] for f in tests["factor"]]), SPREAD, key="groups-tests")
    apart = drawings.groups_agreement(result, judges[-1])
    if apart is not None:
        st.markdown(f"**Where does {escape(judges[-1], 40)} agree least with {escape(judges[0], 40)}?**")
        charts(apart, "groups-agreement")
        show_table(agreed, AGREED, key="groups-agreement")
    slopes = result.table("slopes")
    if len(slopes):
        st.markdown(f"**What goes with {escape(str(slopes['attribute'].iloc[0]), 40)}, over all judges?**")
        figures = [names.get(str(f), str(f).capitalize()) for f in slopes["figure"]]
        show_table(slopes.assign(figure=figures), SLOPES, key="groups-slopes")
    sentences(result)


def finding(
    tests: pd.DataFrame, agreed: pd.DataFrame, of: str, judges: list[str], by: str, names: Mapping[str, str]
) -> str:
    """Which factors weigh differently, and where agreement is lowest, corrected for having looked for it."""
    who, what = escape(of, 40), escape(by, 40)
    tested = tests[tests["q"].notna()]
    if tested.empty:
        said = f"**Whether {who}'s weights differ by {what} cannot be tested.**"
    else:
        sure = tested[tested["q"] < BEYOND]
        listed = [escape(lower(names[str(f)]), 40) for f in sure["factor"]]
        if listed:
            said = f"**{who[:1].upper() + who[1:]}: {words.listing(listed, 4)} weigh{'s' if len(listed) == 1 else ''} "
            said += f"differently by {what}, beyond noise.**"
        else:
            said = f"**No factor weighs differently by {what}, beyond noise, for {who}.**"
    if agreed.empty:
        return said
    row = agreed.iloc[int(np.argmin(agreed["agreement"].to_numpy(dtype=float)))]
    share = escape(words.share(row["agreement"]))
    low, high = row["simultaneous_lower"], row["simultaneous_upper"]
    span = "" if words.absent(low) else f" [{escape(words.share(low))}, {escape(words.share(high))}]"
    share = f"{share}{span} of the votes"
    agree = "agree" if judges[-1].casefold() in PLURAL else "agrees"
    said += f" {escape(judges[-1], 40)} {agree} least in {escape(str(row['group']), 40)}, with {share}"
    if words.absent(row["p_lower"]):
        return said + "."
    beyond = "beyond noise" if row["p_lower"] < BEYOND else "within noise"
    return f"{said}, {beyond} below the others."
