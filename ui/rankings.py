"""The parts of the page Rankings: two judges side by side, the gap between them, flips, and each judge alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from charts import words
from data import queries
from data.queries.examples import PairsBehind
from data.remembered import known
from exports.drawings import rankings as drawings
from studies.compare import Compare
from studies.overview import Line, beyond_noise, escape
from studies.rank import Rank
from studies.study import Result
from ui import selection, session
from ui.ask import shown
from ui.behind import open_pairs, pairs_link, ranked_by, shared_by
from ui.figure import figure
from ui.how_many import how_many
from ui.navigation import link
from ui.overview import ask_reference, nothing_loaded
from ui.remarks import remarks as list_remarks
from ui.view import View
from ui.weights_alone import weights_alone

BREATH = 0.15
"""Seconds that a browser needs to draw a chart."""

ALONE = "alone"
VIEWS = {"slope": "Side by side", "gap": "Gap", "flips": "Changed places", ALONE: "Each judge alone"}
FLIPS = {"model_1": "model", "model_2": "and model", "p_flip": "probability", "pairs": "pairs"}


def answer_or_stop(seen: View) -> None:
    """Where there is nothing to rank, say which column is lacking and what works without it."""
    if seen.names is None:
        nothing_loaded()
    weights_alone(seen)
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
    judge = selection.page_word("with", others, others[0] if others else None)
    if len(others) > 1:
        key = "w:with"
        st.session_state[key] = judge
        said = f"Held against {escape(str(seen.reference))}"
        changed = selection.on_change("with", key)
        if len(others) <= 4 and sum(map(len, others)) < 80:
            st.segmented_control(said, others, key=key, format_func=escape, on_change=changed, required=True)
        else:
            st.selectbox(said, others, key=key, format_func=shown, on_change=changed)
    return judge


def truth(seen: View) -> pd.DataFrame | None:
    """The simulated truth, where the reader wants to see it beside the estimates."""
    assert seen.names is not None
    if not seen.names.simulated:
        return None
    store, dataset = session.store(), seen.names.dataset_id
    with store.reading("reading the simulated truth") as con:
        planted = known(("truth", dataset), lambda: queries.truth(con, dataset))
    if planted["pseudo_true"].isna().all():
        return None
    st.session_state["w:truth"] = selection.page_word("truth", ["true"]) == "true"
    st.toggle(
        "Show the truth beside the estimate", key="w:truth", on_change=selection.on_change("truth", "w:truth"),
        help="These data are simulated: an upright stroke marks what a correct interval should cover.",
    )  # fmt: skip
    return planted if st.session_state["w:truth"] else None


def choose_view(judge: str | None) -> str:
    """Which of the page's pictures is shown."""
    views = [name for name in VIEWS if judge or name == ALONE]
    view = str(selection.page_word("show", views, views[0]))
    st.session_state["w:show"] = view
    if len(views) > 1:
        st.segmented_control("Show", views, key="w:show", format_func=VIEWS.__getitem__, required=True,
                             on_change=selection.on_change("show", "w:show"), label_visibility="collapsed")  # fmt: skip
    return view


@dataclass(frozen=True)
class Told:
    """Where the opening sentence and the line below it stand: written anew in place, neither is away for a moment."""

    said: DeltaGenerator
    trust: DeltaGenerator

    def again(self, result: Result) -> None:
        """The same, now that the whole answer is there, or is known not to come."""
        line = _line(result)
        self.said.markdown(line.more if _is_part(result) else _sentence(result, line))
        self.trust.caption(line.trust)


def finding(seen: View, result: Result) -> Told:
    """The sentence that opens the page, the line that lets one trust it, and the pairs that it speaks of.

    Where the result holds the gaps alone, how alike the orders are is said to be worked out.
    """
    line = _line(result)
    with st.container(key="finding"):
        said = st.markdown(_sentence(result, line))
    trust = st.caption(line.trust)
    read_pairs(seen, result)
    return Told(said, trust)


def _line(result: Result) -> Line:
    line = session.derived("overview", [result], lambda: type(result.study).overview([result]))
    assert line is not None
    return line


def _sentence(result: Result, line: Line) -> str:
    if not _is_part(result):
        return f"**{line.finding}** {line.more}"
    # In its place until it is known, so that nothing moves when it comes.
    row = result.table("judges").iloc[0]
    judge, reference = escape(str(row["judge"])), escape(str(result.settings["reference"]))
    n = words.plural(int(row["models"]), "model")
    return f":gray[How alike {judge} and {reference} order the {n} is being worked out\u00a0…] {line.more}"


def _is_part(result: Result) -> bool:
    return isinstance(result.study, Compare) and result.study.gaps_only


def read_pairs(seen: View, result: Result) -> None:
    """The pairs on which the judges were compared, or behind one judge's ranking."""
    row = result.table("judges").iloc[0]
    if isinstance(result.study, Compare):
        behind = shared_by(str(result.settings["reference"]), str(row["judge"]))
        open_pairs(seen, behind, f"Read the {words.plural(int(row['pairs']), 'shared pair')}")
    else:
        open_pairs(seen, PairsBehind((str(row["judge"]),), fitted=True), "Read the pairs behind these judgments")


def compare(seen: View, study: Compare, view: str) -> Result | None:
    """Two judges: the finding, and the chosen picture.

    The picture needs the gaps alone. How alike the orders are takes several times as long, so the picture is there
    first, with what the gaps say above it; one sentence waits.
    """
    part = session.early(study, replace(study, gaps_only=True))
    if part is None:
        return None
    told = finding(seen, part)
    found = part

    def whole() -> Result | None:
        nonlocal found
        # What follows takes all cores, and where the browser runs on the same ones the picture would wait for it.
        time.sleep(BREATH)
        result = session.attempt(study)
        found = result or part
        told.again(found)
        return result

    two_judges(seen, part, study.judge[1], view, truth(seen), whole if _is_part(part) else None)
    return found


def two_judges(
    seen: View, result: Result, judge: str, view: str, planted: pd.DataFrame | None,
    whole: Callable[[], Result | None] | None,
) -> None:
    """The chosen picture of the reference and one judge. whole : see `figure`"""
    reference = str(seen.reference)
    models = result.table("models")
    lookup(models, reference, judge)
    if view == "flips":
        figure(drawings.flips(result, judge),
               result, "flips", key="flips", columns=FLIPS, folded=False,
               pairs=lambda row: PairsBehind((reference, judge), shared=True, between=(row["model_1"], row["model_2"])),
               whole=whole)  # fmt: skip
        return
    draw = drawings.side_by_side if view == "slope" else drawings.gaps
    most = how_many(len(models), 15, "models")
    headings = {c: {"reference": reference, "judge": judge}.get(h, h) for c, h in (Compare.shown or {}).items()}
    figure(draw(result, judge, most, planted),
           result, "models", key=view, columns=headings, folded=False,
           pairs=lambda row: shared_by(reference, judge, str(row["model"])), whole=whole)  # fmt: skip


def lookup(models: pd.DataFrame, reference: str, judge: str) -> None:
    """One model in a sentence: where each judge places it, and whether that differs beyond noise."""
    names = list(models["model"])
    focus = selection.page_word("focus", names)
    st.session_state["w:focus"] = focus
    st.selectbox("Look up a model", names, index=None, key="w:focus", placeholder="Type a name", format_func=shown,
                 on_change=selection.on_change("focus", "w:focus"))  # fmt: skip
    if focus is None:
        return
    at = names.index(focus)
    row = models.iloc[at]
    ranks = {e: int(models[f"strength_{e}"].rank(ascending=False, method="min").iloc[at]) for e in ("ref", "judge")}
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
    pairs_link(shared_by(reference, judge, focus))


def _q(value: object) -> str:
    text = words.p_value(value)
    return escape(text if text.startswith("<") else f"= {text}")


def choose_alone(seen: View) -> str:
    """The judge whose own ranking is shown."""
    judges = list(seen.judges)
    picked = str(selection.page_word("alone", judges, judges[0]))
    if len(judges) > 1:
        st.caption("Here a judge is ranked on all its pairs, not only on those that another judged too.")
        st.session_state["w:alone"] = picked
        changed = selection.on_change("alone", "w:alone")
        st.selectbox("Judge", judges, key="w:alone", format_func=shown, on_change=changed)
    return picked


def alone(seen: View, result: Result, planted: pd.DataFrame | None) -> None:
    """The ranking of one judge on all pairs it judged."""
    ranking = result.table("ranking")
    most = how_many(len(ranking), 15, "models")
    figure(drawings.ranking(result, most, planted),
           result, "ranking", key="ranking", columns=Rank.shown, folded=False,
           pairs=lambda row: ranked_by(str(row["judge"]), row))  # fmt: skip


def remarks(result: Result | None) -> None:
    """What must be known before believing the numbers."""
    if result is None:
        return
    if result.warnings:
        st.subheader("What to distrust", anchor=False)
    list_remarks(result)
