"""What would each judge prefer of two texts that stand in no file? Pasted, measured, predicted, and kept nowhere."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from charts import words
from charts.waterfall import waterfall_chart
from errors import JurylensError
from studies.factor_options import display
from studies.factor_predict import FactorsTry, Fits, Pasted, measure_pasted, predict_pasted, unmeasured_in_words
from studies.overview import PLURAL, escape
from ui import factors, session
from ui.figure import charts, show_table
from ui.notices import notice
from ui.remarks import sentences
from ui.sections.one_pair import in_percent
from ui.view import View

ASKED = "try-asked"
"""Where this window remembers what was pasted; nothing of it reaches the address or the store."""

COLUMNS = {"judge": "judge", "predicted": "A preferred, %", "interval": "interval",
           "why": "most of it for A (+) or B (−)"}  # fmt: skip
EACH = {"judge": "judge", "factor": "factor", "a": "in A", "b": "in B", "difference": "difference",
        "weight": "weight", "log_odds": "log-odds", "points": "win points"}  # fmt: skip


def draw(seen: View, judge: str | None) -> None:
    """The section for all judges of the selection; the waterfall is that of the reference and one judge."""
    with st.form("try", border=False):
        prompt = st.text_area("Prompt", key="try-prompt", height=80, placeholder="What was asked (may be left out)")
        with st.container(horizontal=True):
            a = st.text_area("Response A", key="try-a", height=180)
            b = st.text_area("Response B", key="try-b", height=180)
        asked = st.form_submit_button("Predict", type="primary", icon=":material/balance:")
    if asked:
        st.session_state[ASKED] = (prompt, a, b)
    if ASKED not in st.session_state:
        st.caption("The texts are measured here, stored nowhere and sent nowhere.")
        return
    prompt, a, b = st.session_state[ASKED]
    study = replace(factors.meant(FactorsTry, factors.known_factors(seen)), judge=seen.judges, interact=())
    result = session.attempt(study)
    if result is None:
        return
    assert isinstance(result, Fits)
    try:
        with st.spinner("Measuring both responses", show_time=False):
            pasted = measure_pasted(result, prompt, a, b)
    except JurylensError as error:
        notice(error, FactorsTry)
        return
    _answer(seen, result, pasted, judge, a == b)


def _answer(seen: View, fits: Fits, pasted: Pasted, judge: str | None, same: bool) -> None:
    contributions, judges = predict_pasted(fits, pasted)
    if same:
        st.markdown("**Both responses are the same**: nothing tells them apart, and each judge is expected at 50 %.")
        return
    st.markdown(finding(judges))
    n = f"{words.plural(len(judges), 'judge')} · {fits.caption}"
    st.caption(escape(f"{n} · neither response shown first · {words.ties(str(fits.settings['ties']))}", 4000))
    labels = {str(f): display(str(f)) for f in contributions["factor"]}
    two = [name for name in ((seen.judges[0],) if judge is None else (str(seen.reference), judge))
           if name in set(judges["judge"])]  # fmt: skip
    if two:
        some = contributions[contributions["judge"].isin(two)]
        rows = judges.set_index("judge").loc[two].reset_index()
        charts(
            lambda theme, narrow: waterfall_chart(some, rows, theme, humans=seen.humans, narrow=narrow,
                                                  unit=factors.unit(), labels=labels),
            "try_it",
        )  # fmt: skip
    why = [most_for(contributions[contributions["judge"] == name], labels) for name in judges["judge"]]
    whole = {name: judges[name].round().astype("Int64") for name in ("predicted", "lower", "upper")}
    show_table(judges.assign(why=why, **whole), COLUMNS, key="try_it")
    with st.expander("Every factor of every judge"):
        show_table(contributions.assign(factor=[labels[str(f)] for f in contributions["factor"]]), EACH,
                   key="try_it-factors")  # fmt: skip
    sentences(fits, [*unmeasured_in_words(pasted), *_far(pasted), *fits.warnings])
    st.markdown("- Of content and truth these predictions know nothing: they are those of the factors alone.")


def finding(judges: pd.DataFrame) -> str:
    """Who is expected to prefer which, how clearly."""
    told = []
    rows = judges.to_dict("records")
    for side, name in (("a", "A"), ("b", "B"), (None, "")):
        some = [row for row in rows if _lean(row["lower"], row["upper"]) == side]
        if not some:
            continue
        names = words.listing([f"{escape(str(row['judge']))} ({in_percent(row)})" for row in some], 4)
        one = len(some) == 1 and str(some[0]["judge"]).casefold() not in PLURAL
        if side is None:
            told.append(f"{names} {'takes' if one else 'take'} no side")
        else:
            told.append(f"{names} would rather prefer **{name}**")
    return "; ".join(told) + ". In brackets: how often A is expected to be preferred."


def most_for(contributions: pd.DataFrame, labels: dict[str, str]) -> str:
    """Hedges +5.2, List items +5.1: the two that weigh most, in win points or, without these, log-odds."""
    unit, decimals = ("log_odds", 2) if contributions["points"].isna().any() else ("points", 1)
    told = [
        f"{words.shorten(labels[str(factor)], 22)} {'+' if value > 0 else ''}{words.number(float(value), decimals)}"
        for factor, value in zip(contributions["factor"].head(2), contributions[unit].head(2), strict=True)
        if round(abs(float(value)), decimals) > 0
    ]
    return ", ".join(told) or "nothing tells them apart"


def _lean(lower: float, upper: float) -> str | None:
    return "a" if lower > 50 else "b" if upper < 50 else None


def _far(pasted: Pasted) -> list[str]:
    if not pasted.far:
        return []
    names = words.listing([display(name) for name in pasted.far], 6)
    return [f"{names}: the two are farther apart than in any pair that was judged, so this is a guess beyond the data"]
