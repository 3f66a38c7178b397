"""Would the order change with length and style held equal? Who moves, and what each factor is worth."""

from __future__ import annotations

from dataclasses import fields, replace

import pandas as pd
import streamlit as st

from charts import words
from charts.controls import BEYOND
from data import queries
from data.queries import texts as texts_queries
from errors import JurylensError
from exports.drawings import rankings as drawings
from studies.controls import STYLE, Controls
from studies.extract import versions
from studies.factor_judgments import NotMeasuredError
from studies.factors_list import FactorsList
from studies.overview import escape
from studies.study import Result, hints
from ui import measuring, selection, session
from ui.ask import chosen, shown, widget
from ui.figure import figure, foot, show_table
from ui.notices import notice
from ui.remarks import sentences
from ui.sections.choices import how_many, one_judge
from ui.session import attempt
from ui.view import View

WORTH = {"factor": "factor", "effect": "wins of 100", "effect_interval": "interval", "weight": "weight, log-odds",
         "q": "q", "scale": "one unit is", "vif": "variance inflation"}  # fmt: skip


def draw(seen: View, judge: str | None) -> None:
    """The section for one judge at a time."""
    judge = one_judge(seen, "controls")
    study = replace(_ask(seen), judge=(judge,))
    n = measuring.n_unmeasured(seen)
    try:
        result: Result | None = session.answer(study)
    except NotMeasuredError:
        measuring.offer(seen, n, first=True)
        return
    except JurylensError as error:
        notice(error, Controls, (judge, *study.factor))
        result = None
    measuring.offer(seen, n, first=False)
    if result is not None:
        _answer(seen, result, judge)
    _what_there_is(seen)


def _ask(seen: View) -> Controls:
    """The study with its widgets: which factors, and the method behind "More options"."""
    assert seen.names is not None
    study = chosen(Controls)
    with session.store().reading("looking for factors") as con:
        found = texts_queries.sources(con, queries.catalog(con, seen.names.dataset), versions())
    known = [name for name, source in found.items() if not source.labels]
    gone = [name for name in study.factor if name not in known]
    if gone:
        # From an address of another dataset, or from before the texts were measured.
        study = replace(study, factor=tuple(name for name in study.factor if name in known))
    if not known:
        return study
    picked = list(study.factor) or [name for name in STYLE if name in known]
    st.session_state["w:factor"] = picked
    st.multiselect("Hold equal", known, key="w:factor", format_func=shown, placeholder="words, lists, headers, ...",
                   on_change=selection.on_change("factor", "w:factor"))  # fmt: skip
    with st.popover("More options", type="tertiary"):
        for each in fields(Controls):
            if each.name in ("normalisation", "position"):
                # Other sections of the page may ask for the position too.
                key = f"w:control-{each.name}"
                st.session_state[key] = value = getattr(study, each.name)
                widget(each, hints(Controls)[each.name], value, key, selection.on_change(each.name, key))
    return study


def _answer(seen: View, result: Result, judge: str) -> None:
    models, coefficients = result.table("models"), result.table("coefficients")
    st.markdown(finding(models, coefficients, judge))
    st.caption(trust(result))
    most = how_many(len(models), "controls")
    figure(drawings.controls(result, judge, most), result,
           "models", key="controls", columns=Controls.shown, folded=False)  # fmt: skip
    st.markdown("**What each is worth**, all else equal")
    show_table(coefficients, WORTH, key="controls-worth")
    sentences(result)


def finding(models: pd.DataFrame, coefficients: pd.DataFrame, judge: str) -> str:
    """How many ranks and strengths change, the largest change, and the factor that is worth most."""
    moved = models[models["raw_rank"] != models["controlled_rank"]]
    beyond = models[(models["q"] < BEYOND).fillna(False)]
    held = words.listing([escape(str(f)) for f in coefficients["factor"] if f != "position"], 6)
    head = (
        f"With {held} held equal, {len(moved) or 'none'} of {words.plural(len(models), 'model')} "
        f"{'changes' if len(moved) == 1 else 'change'} rank for {escape(judge)}"
    )
    text = f"**{head}.**"
    if len(beyond):
        row = beyond.iloc[int(beyond["change"].abs().to_numpy(dtype=float).argmax())]
        ranks = f"number {row['raw_rank']}"
        ranks += f" to {row['controlled_rank']}" if row["raw_rank"] != row["controlled_rank"] else " as before"
        change = escape(words.estimate(row["change"], row["change_lower"], row["change_upper"]))
        text += (
            f" {words.plural(len(beyond), 'strength changes', 'strengths change')} beyond noise, most that of "
            f"{escape(str(row['model']))} ({change} log-odds, {ranks})."
        )
    elif models["q"].notna().any():
        text += " No strength changes beyond noise."
    factors = coefficients[coefficients["factor"] != "position"]
    top = factors.iloc[int((factors["effect"] - 50).abs().to_numpy(dtype=float).argmax())]
    more = "one unit" if words.absent(top["scale"]) else words.number(top["scale"])
    sure = not words.absent(top["q"]) and top["q"] < BEYOND
    effect = escape(words.estimate(top["effect"], top["effect_lower"], top["effect_upper"], 1))
    name = escape(str(top["factor"]))
    within = "" if sure else ", which is within noise"
    return f"{text} Worth most is {name}: with {more} more of it an answer wins {effect} of 100{within}."


def trust(result: Result) -> str:
    """n, clusters and method in a line."""
    row = result.table("judges").iloc[0]
    n = f"{words.plural(int(row['judgments']), 'judgment')} on {words.plural(int(row['pairs']), 'pair')}"
    ties, level = words.ties(str(result.settings["ties"])), words.percent(float(result.settings["level"]))
    return escape(
        f"{n} of {words.plural(int(row['prompts']), 'prompt')}; Bradley-Terry with covariates, both fits on the same "
        f"judgments; {ties}; {level} intervals, {row['intervals']}.",
        4000,
    )


def _what_there_is(seen: View) -> None:
    """The factors of the dataset, and what each of them counts."""
    listed = attempt(chosen(FactorsList))
    if listed is None:
        return
    st.markdown("**What can be held equal**")
    show_table(listed.table(), FactorsList.shown, key="factors")
    foot(listed, listed.table(), "factors", "factors")
