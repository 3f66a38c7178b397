"""Do a judge's preferences and its confidence mean what they say? The reliability diagram, its errors, what helps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from charts import words
from charts.reliability import BINS
from data.queries import replies
from data.remembered import known
from exports.drawings import judges as drawings
from studies.calibration import SURE, JudgeCalibration
from studies.overview import escape
from ui import selection, session
from ui.ask import chosen
from ui.behind import shared_by
from ui.figure import figure
from ui.how_many import how_many
from ui.remarks import sentences
from ui.view import View

ONE, ALL = "one", "all"
VIEWS = {ONE: "One judge", ALL: "All judges"}
SAID = {"preference": "Its preference", "confidence": "The confidence it states"}
CERTAIN = (1.0, 100.0)
MOST = 15


def draw(seen: View, judge: str | None) -> None:
    """The section: the judge held against people, or all of them side by side."""
    if judge is None:
        st.info("Right is what people say: it takes them and a judge on the same pairs.", icon=":material/info:")
        return
    study, view, n_bins = _choose(seen)
    others = (judge, *(name for name in seen.others if name != judge)) if view == ALL else (judge,)
    result = session.attempt(replace(study, judge=(str(seen.reference), *others)))
    if result is None:
        return
    rows = {str(row["judge"]): row for row in result.table("judges").to_dict("records")}
    order = [name for name in others if name in rows]
    first = next((one for one in result.findings if one.text.startswith(order[0])), result.findings[0])
    st.markdown(f"**{escape(first.text, 600)}.**")
    st.caption(escape(f"{errors(rows[order[0]])} {scaled(rows[order[0]])}".strip(), 4000))
    # The one asked for first, then those whose word is farthest from what it means.
    order[1:] = sorted(order[1:], key=lambda name: -float(rows[name][f"ece_{n_bins}"]))
    most = how_many(len(order), MOST, "judges", "calibrated_all")
    figure(
        drawings.calibration(result, order, most, n_bins),
        result, "judges", key="calibration", columns=_columns(n_bins),
        pairs=lambda row: shared_by(str(seen.reference), str(row["judge"])),
    )  # fmt: skip
    sentences(result)


def errors(row: Mapping[Any, Any]) -> str:
    """What a judge's word is off by."""
    told = [
        f"{words.number(row[f'ece_{k}'])} in {k} bins"
        + ("" if words.absent(row[f"ece_{k}_upper"]) else
           f" ({words.interval(row[f'ece_{k}_lower'], row[f'ece_{k}_upper'])} without what chance adds)")
        for k in BINS if not words.absent(row[f"ece_{k}"])
    ]  # fmt: skip
    chance = words.number(row["ece_10_by_chance"])
    brier = words.estimate(row["brier"], row["brier_lower"], row["brier_upper"])
    return (
        f"Calibration error {words.listing(told)}; chance alone gives {chance} in 10. Brier score {brier}; "
        f"{words.plural(int(row['comparisons']), 'comparison')}, {words.plural(int(row['pairs']), 'pair')}."
    )


def scaled(row: Mapping[Any, Any]) -> str:
    """What a temperature would bring on clusters left out; '' where none is offered."""
    if words.absent(row["temperature"]) or words.absent(row["log_loss_scaled"]):
        return ""
    ends = words.estimate(row["temperature"], row["temperature_lower"], row["temperature_upper"])
    by = "prompts" if row["clustering"] == "prompt" else "pairs" if row["clustering"] == "pair" else "comparisons"
    return (
        f"Log-odds divided by a temperature of {ends} would bring log loss from {words.number(row['log_loss'])} to "
        f"{words.number(row['log_loss_scaled'])}, and the Brier score to {words.number(row['brier_scaled'])}, on {by} "
        "left out."
    )


def _columns(n_bins: int) -> dict[str, str]:
    """Of the table, with the errors of as many bins as are drawn."""
    assert JudgeCalibration.shown is not None
    return {
        name.replace("ece_10", f"ece_{n_bins}"): text.replace("10 bins", f"{n_bins} bins")
        for name, text in JudgeCalibration.shown.items()
    }


def _choose(seen: View) -> tuple[JudgeCalibration, str, int]:
    """What is held against votes, how many judges and how many bins; with what goes without saying left unsaid."""
    study = chosen(JudgeCalibration)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        view = _pick("calibrated_show", VIEWS, "Drawn", ONE) if len(seen.others) > 1 else ONE
        if study.of != SURE[0] or _states(seen):
            _pick("of", SAID, "How sure it is by", SURE[0])
        if study.of == "confidence":
            certain = {str(value): f"{value:g}" for value in dict.fromkeys((*CERTAIN, study.certain))}
            _pick("certain", certain, "Certain is", str(JudgeCalibration.certain))
        n_bins = int(_pick("bins", {str(k): str(k) for k in BINS}, "Bins", "10"))
    return study, view, n_bins


def _pick(word: str, options: Mapping[str, str], label: str, default: str) -> str:
    key = f"w:{word}"
    asked = st.session_state["words"].get(word)
    # A number may be spelt otherwise in an address.
    value = next((one for one in options if asked and _same(one, asked[-1])), None)
    if value is None:
        value = str(selection.page_word(word, list(options), default))
    st.session_state[key] = value
    st.segmented_control(label, list(options), key=key, format_func=options.__getitem__, required=True,
                         on_change=selection.on_change(word, key))  # fmt: skip
    return value


def _same(one: str, other: str) -> bool:
    try:
        return float(one) == float(other)
    except ValueError:
        return one == other


def _states(seen: View) -> bool:
    """Whether any judge here states a confidence."""
    assert seen.names is not None
    store, dataset = session.store(), seen.names.dataset_id
    with store.reading("looking for confidences") as con:
        return bool(known(("confidence", dataset), lambda: replies.any_confidence(con, dataset)))
