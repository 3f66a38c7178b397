"""What can the data not show of a judge, and which pairs would it have to judge again? The file of these pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from charts import words
from charts.audit import bias_name
from errors import JurylensError
from studies.audit import Audit
from studies.cues import LETTERS, NAMES, ORDER, PURPOSES, REPEAT, inserted
from studies.judge_again import STEPS, JudgeAgain
from studies.overview import escape
from studies.study import Result
from ui import navigation, selection, session
from ui.ask import CHOICES, chosen
from ui.figure import foot, show_table
from ui.remarks import sentences
from ui.sections.choices import one_judge
from ui.session import attempt
from ui.take_away import as_csv, file_name
from ui.view import View

SHOWN_BY = {
    ORDER: "position_consistency", REPEAT: "repeat_consistency", NAMES: "compassion_fade", LETTERS: "option_order",
}  # fmt: skip
"""What the audit calls that which a purpose shows; a cue is called as it is."""

PLAN = {"excess": "bias, points", "pairs": "pairs to judge", "enough": "can be had"}


def draw(seen: View, judge: str | None) -> None:
    """The list for the judge that is looked at."""
    who = judge or one_judge(seen, "again")
    gone = _cannot_show(seen, who, compared=judge is not None)
    if gone is not None:
        st.markdown(missing(gone, who))
    result = attempt(replace(_ask(gone or []), judge=(who,)))
    if result is None:
        return
    st.markdown(finding(result.values, who, result.settings))
    if inserted(str(result.settings["purpose"])):
        st.markdown(escape(inserted(str(result.settings["purpose"])), 400))
    st.caption("Fill in the column `winner`: a where response_a is better, b, or tie. response_a is to be shown first. "
               "Then open the file on the page Data: it joins this dataset and needs no mapping.")  # fmt: skip
    _take(seen, result)
    plan = result.table("plan")
    size = [f"{round(100 * share, 1):g}" for share in plan["excess"]]
    within = {"excess": "within, points"} if result.settings["purpose"] == REPEAT else {}
    show_table(plan.assign(excess=size), PLAN | within, key="judge_again")
    foot(result, plan, "plan", "judge_again")
    sentences(result)


def _cannot_show(seen: View, who: str, *, compared: bool) -> list[str] | None:
    """What the audit lists as beyond these data, by its names; None where there is no audit of this judge."""
    # As the page itself asks it, so that it is computed once.
    study = replace(chosen(Audit), judge=(who,), ties="half", own=(), reference=seen.reference if compared else None)
    try:
        return [str(bias) for bias in session.answer(study).table("cannot_show")["bias"]]
    except JurylensError:
        # The page says so where it shows the audit.
        return None


def _ask(gone: list[str]) -> JudgeAgain:
    """The study with its widgets; where nobody has chosen, for the first thing that these data cannot show."""
    study = chosen(JudgeAgain)
    if not st.session_state["words"].get("purpose"):
        wanted = [purpose for purpose in PURPOSES if SHOWN_BY.get(purpose, purpose) in gone and purpose != NAMES]
        study = replace(study, purpose=wanted[0] if wanted else study.purpose)
    sizes = sorted({*STEPS, study.excess})
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.session_state["w:purpose"] = study.purpose
        st.selectbox("To show", list(PURPOSES), key="w:purpose", format_func=lambda one: CHOICES["purpose", one],
                     on_change=selection.on_change("purpose", "w:purpose"))  # fmt: skip
        st.session_state["w:excess"] = study.excess
        st.selectbox("Size of bias to find", sizes, key="w:excess", format_func=_points,
                     on_change=selection.on_change("excess", "w:excess"))  # fmt: skip
        st.session_state["w:n"] = study.n
        st.number_input("Pairs", min_value=1, value=None, step=1, key="w:n", placeholder="As needed",
                        on_change=selection.on_change("n", "w:n"))  # fmt: skip
        if study.purpose != NAMES:
            st.session_state["w:blind"] = study.blind
            st.toggle("Without models' names", key="w:blind", on_change=selection.on_change("blind", "w:blind"))
    return replace(study, blind=study.blind and study.purpose != NAMES)


def missing(gone: list[str], who: str) -> str:
    """What these data cannot show of a judge, and how much of it pairs judged again can."""
    name = escape(who, 60)
    can = [bias for bias in gone if bias in {SHOWN_BY.get(purpose, purpose) for purpose in PURPOSES}]
    if not gone:
        return f"**Of {name} these data show every bias that the audit looks for.**"
    if not can:
        return f"**These data show all of {name} that pairs judged again can show.**"
    listed = escape(words.listing([bias_name(bias) for bias in can], 4), 400)
    them = "it" if len(can) == 1 else "them"
    return f"**Of {name} these data cannot show: {listed}.** Pairs judged again would show {them}."


def finding(values: Mapping[str, Any], who: str, settings: Mapping[str, Any]) -> str:
    """How many pairs there are, and what they find."""
    pairs, needed = int(values["pairs"]), int(values["needed"])
    name, size = escape(who, 60), _points(float(settings["excess"]))
    if not pairs:
        return f"**No pair of {name} can be listed.**"
    there = f"{words.plural(pairs, 'pair')} of {int(values['could']):,}"
    if settings["purpose"] == REPEAT:
        told = f"the share of equal verdicts within {size}"
        does = f"enough to know {told}" if pairs >= needed else f"{needed:,} would tell {told}"
    elif pairs >= needed:
        does = f"enough to find a bias of {size} with a chance of 80 %"
    else:
        least = "" if words.absent(values["finds"]) else f" (these find one of {_points(float(values['finds']))})"
        does = f"{needed:,} would find a bias of {size} with a chance of 80 %{least}"
    return f"**{there} for {name} to judge again: {does}.**"


def _take(seen: View, result: Result) -> None:
    listed = result.table("work_list")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            f"List of {words.plural(len(listed), 'row')} as CSV" if len(listed) else "No list",
            data=lambda: as_csv(listed, result), mime="text/csv",
            file_name=file_name(result, str(result.settings["purpose"])), icon=":material/download:",
            key="csv-judge-again", on_click="ignore", disabled=not len(listed),
        )  # fmt: skip
        navigation.link(seen, "Data", "Bring it back, filled in", icon=":material/upload_file:")


def _points(share: float) -> str:
    return f"{round(100 * share, 1):g} points"
