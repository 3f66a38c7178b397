"""The parts of the page Rankings: two judges side by side, the gap between them, flips, and each judge alone."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from charts import words
from data import queries
from studies.compare import Compare
from studies.overview import beyond_noise, escape
from studies.rank import Rank
from studies.study import Result
from ui import selection, session
from ui.ask import shown
from ui.figure import figure
from ui.navigation import link
from ui.overview import ask_reference, nothing_loaded
from ui.view import View


def answer_or_stop(seen: View) -> None:
    """Where there is nothing to rank, say which column is lacking and what works without it."""
    if seen.names is None:
        nothing_loaded()
    assert seen.names is not None
    if not seen.names.models:
        st.info("This dataset names no models, so there is nothing to rank. Rankings need the columns `model_a` and "
                "`model_b`; everything else works without them.", icon=":material/info:")  # fmt: skip
        link(seen, "Overview", "What this dataset shows", icon=":material/home:")
        link(seen, "Data", "Open a file that names models", icon=":material/upload_file:")
        st.stop()


def choose_judge(seen: View) -> str | None:
    """The judge held against the reference; None where there is nobody to compare."""
    if seen.reference is None:
        ask_reference(seen)
        return None
    others = list(seen.others)
    if not others:
        return None
    judge = selection.page_word("with", others, others[0])
    if len(others) > 1:
        key = "w:with"
        st.session_state[key] = judge
        said = f"Held against {shown(seen.reference)}"
        box = st.segmented_control if len(others) <= 4 and sum(map(len, others)) < 80 else st.selectbox
        more = {"required": True} if box is st.segmented_control else {}
        box(said, others, key=key, format_func=shown, on_change=selection.on_change("with", key), **more)  # type: ignore[arg-type]
    return judge


def truth(seen: View) -> pd.DataFrame | None:
    """The simulated truth, where the reader wants to see it beside the estimates."""
    assert seen.names is not None
    if not seen.names.simulated:
        return None
    with session.store().reading("reading the simulated truth") as con:
        planted = queries.truth(con, seen.names.dataset_id)
    if planted["pseudo_true"].isna().all():
        return None
    st.session_state["w:truth"] = selection.page_word("truth", ["true"]) == "true"
    st.toggle("Show the truth beside the estimate", key="w:truth", on_change=selection.on_change("truth", "w:truth"),
              help="These data are simulated: an upright stroke marks what a correct interval should cover.")  # fmt: skip
    return planted if st.session_state["w:truth"] else None


def two_judges(seen: View, study: Compare, judge: str, planted: pd.DataFrame | None) -> None:
    """Slope chart, gap chart and flips of the reference and one judge."""
    from charts.flips import flip_chart
    from charts.gaps import gap_chart
    from charts.slope import slope_chart

    reference = str(seen.reference)
    result = session.run(replace(study, judge=(reference, judge)))
    models, flips = result.table("models"), result.table("flips")
    line = Compare.overview(result)
    assert line is not None
    st.markdown(f"**{line.finding}** {line.more}")
    st.caption(line.trust)
    lookup(models, reference, judge)
    most = _how_many(len(models))
    figure(lambda theme, narrow: slope_chart(models, reference, judge, theme, humans=seen.humans, most=most,
                                             narrow=narrow, truth=planted),
           result, "models", key="slope", columns=Compare.shown)  # fmt: skip
    st.subheader(f"How far {escape(judge, 40)} stands from {escape(reference, 40)}", anchor=False)
    figure(lambda theme, narrow: gap_chart(models, reference, judge, theme, humans=seen.humans, most=most, narrow=narrow,
                                           truth=planted),
           result, "models", key="gaps", columns=Compare.shown)  # fmt: skip
    st.subheader("Which two models change places", anchor=False)
    figure(lambda theme, narrow: flip_chart(flips, theme, narrow=narrow, models=models, reference=reference),
           result, "flips", key="flips")  # fmt: skip
    remarks(result)


def _how_many(models: int) -> int:
    """15 models are drawn until the reader asks for all."""
    if models <= 15:
        return models
    st.session_state["w:all"] = selection.page_word("all", ["true"]) == "true"
    st.toggle(f"Draw all {models:,} models", key="w:all", on_change=selection.on_change("all", "w:all"))
    return models if st.session_state["w:all"] else 15


def lookup(models: pd.DataFrame, reference: str, judge: str) -> None:
    """One model in a sentence: where each judge places it, and whether that differs beyond noise."""
    names = list(models["model"])
    focus = selection.page_word("focus", names)
    st.session_state["w:focus"] = focus
    st.selectbox("Look up a model", names, index=None, key="w:focus", placeholder="Type a name", format_func=shown,
                 on_change=selection.on_change("focus", "w:focus"))  # fmt: skip
    if focus is None:
        return
    row = models[models["model"] == focus].iloc[0]
    ranks = {e: int(models[f"strength_{e}"].rank(ascending=False, method="min")[row.name]) for e in ("ref", "judge")}
    gap = words.estimate(row["gap_scaled"], row["scaled_lower"], row["scaled_upper"])
    if words.absent(row["gap_scaled"]):
        sure = "whether that is taste cannot be told from decisiveness"
    elif len(beyond_noise(models[models["model"] == focus])):
        sure = f"beyond noise: {gap} log-odds, net of decisiveness, q {_q(row['scaled_q'])}"
    else:
        sure = f"within noise: {gap} log-odds, net of decisiveness, q {_q(row['scaled_q'])}"
    st.markdown(
        f"**{escape(focus)}** is number {ranks['ref']} of {len(models)} for {escape(reference)} and number "
        f"{ranks['judge']} for {escape(judge)}; {sure}."
    )


def _q(value: object) -> str:
    text = words.p_value(value)
    return escape(text if text.startswith("<") else f"= {text}")


def alone(seen: View, study: Rank, planted: pd.DataFrame | None) -> None:
    """The ranking of each judge on all pairs it judged."""
    from charts.ranking import ranking_chart

    result = session.run(study)
    ranking = result.table("ranking")
    judges = list(result.table("judges")["judge"])
    if len(judges) > 1:
        st.caption("Here each judge is ranked on all its pairs; above, only on those that both judged.")
        picked = selection.page_word("alone", judges, judges[0])
        st.session_state["w:alone"] = picked
        st.selectbox("Judge", judges, key="w:alone", format_func=shown, on_change=selection.on_change("alone", "w:alone"))
        ranking = ranking[ranking["judge"] == picked]
    most = _how_many_alone(len(ranking))
    figure(lambda theme, narrow: ranking_chart(ranking, theme, humans=seen.humans, most=most, narrow=narrow, truth=planted),
           result, "ranking", key="ranking", columns=Rank.shown, rows=ranking)  # fmt: skip
    remarks(result)


def _how_many_alone(models: int) -> int:
    return models if selection.page_word("all", ["true"]) == "true" else 15


def remarks(result: Result) -> None:
    """What must be known before believing the numbers."""
    for text in result.warnings:
        st.markdown(f"- {escape(text, 4000)}")
