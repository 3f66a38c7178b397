"""Why would each judge prefer this answer to that one? One pair: what every factor adds, and what was said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pandas as pd
import streamlit as st

from charts import words
from charts.waterfall_steps import verdict_in_words
from data.model import Selection
from data.remembered import known
from errors import EmptySelectionError, JurylensError, UnknownNameError
from exports.drawings import factors as drawings
from studies.examples import Examples
from studies.factor_options import display
from studies.factors_explain import FactorsExplain
from studies.overview import PLURAL, escape
from studies.study import Result
from ui import factors, selection, session
from ui.figure import figure
from ui.navigation import link
from ui.notices import notice
from ui.remarks import sentences
from ui.view import View

NAMED = 3
"""Factors that a sentence names."""

SMALL = 0.05
"""Win points (a tenth of it in log-odds) below which a factor is not worth a word."""


def draw(seen: View, judge: str | None) -> None:
    """The section for the reference and one judge, or for one judge alone."""
    judges = (seen.judges[0],) if judge is None else (str(seen.reference), judge)
    study = replace(factors.meant(FactorsExplain, factors.known_factors(seen)), judge=judges, interact=())
    try:
        result = _answer(study)
    except JurylensError as error:
        notice(error, FactorsExplain, study.judge)
        if study.pair is not None:
            # This pair cannot be explained; another may.
            _choose(study.pair, _in_examples(study, study.pair)[1], len(judges) > 1)
        return
    assert isinstance(result.study, FactorsExplain)
    pair = int(result.study.pair or 0)
    found, following = _in_examples(study, pair)
    _choose(pair, following, len(judges) > 1)
    sides = _sides(result)
    contributions, rows = result.table("contributions"), result.table("judges")
    labels = {str(f): display(str(f)) for f in contributions["factor"]}
    if found is not None:
        st.markdown(_asked(found.table("examples").iloc[0].to_dict()))
    for row in rows.to_dict("records"):
        mine = contributions[contributions["judge"] == row["judge"]]
        st.markdown(f"- {finding(row, mine, labels)}")
    st.caption(trust(rows, result))
    link(seen, "Examples", "Read this pair", icon=":material/menu_book:", pair=str(pair))
    figure(
        drawings.explained(result, sides, unit=factors.unit()),
        result, "contributions", key="one_pair", columns=FactorsExplain.shown,
        read=contributions.assign(factor=[labels[str(f)] for f in contributions["factor"]]),
    )  # fmt: skip
    st.markdown(
        "A prediction knows these factors alone: what a judge sees in content is not in it, and where factors go "
        "together their shares are less sure than their sum."
    )
    sentences(result)


def _answer(study: FactorsExplain) -> Result:
    """The pair of the address, else the first on which the judges disagree; a pair that is not there is dropped."""
    if study.pair is not None:
        try:
            return session.answer(study)
        except UnknownNameError:
            said = f"There is no pair {study.pair} here; this is one on which the judges disagree most."
            selection.drop_word("pair", said)
            study = replace(study, pair=None)
    where = session.store()
    with where.reading("looking for a pair"):
        first = known(("first pair", study), lambda: study.resolve(where).pair)
    return session.answer(replace(study, pair=first))


def _in_examples(study: FactorsExplain, pair: int) -> tuple[Result | None, int | None]:
    """The pair's texts, and the next on which the judges disagree; None where there is none."""
    chosen = {f.name: getattr(study, f.name) for f in fields(Selection)}
    ask = Examples(**chosen, counted="given", disagree="opposite" if len(study.judge) > 1 else None, limit=1)
    for one in (replace(ask, pair=pair), ask):
        try:
            found = session.answer(one)
        except (UnknownNameError, EmptySelectionError):
            continue
        if one.pair is not None:
            return found, found.values["next"]
        following = int(found.table("examples")["pair"].iloc[0])
        return _texts(chosen, pair), following if following != pair else None
    return _texts(chosen, pair), None


def _texts(chosen: Mapping[str, Any], pair: int) -> Result | None:
    try:
        return session.answer(Examples(**chosen, pair=pair, limit=1))
    except JurylensError:
        return None


def _choose(pair: int, following: int | None, two: bool) -> None:
    """Another pair: the next on which they disagree, or one by its number."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="choose-pair"):
        st.session_state["w:pair"] = pair
        st.number_input("Pair", min_value=0, step=1, key="w:pair", width=140,
                        on_change=selection.on_change("pair", "w:pair"))  # fmt: skip
        st.button(
            "Next pair on which they disagree" if two else "Next pair", key="next-pair", disabled=following is None,
            icon=":material/arrow_forward:", on_click=selection.set_word, args=("pair", following),
        )  # fmt: skip


def _sides(result: Result) -> tuple[str, str] | None:
    """Whose A and B are, where two models are named."""
    a, b = (result.settings.get(f"model_{side}") for side in "ab")
    return (str(a), str(b)) if a and b and a != b else None


def _asked(pair: Mapping[Any, Any]) -> str:
    if words.absent(pair["prompt"]):
        return f"Pair {int(pair['pair'])}"
    text = words.shorten(" ".join(str(pair["prompt"]).split()), 300)
    return f"Prompt: “{escape(text, 300)}”"


def finding(row: Mapping[Any, Any], contributions: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """What one judge said, whether its factors would have it so, and which speak for which side."""
    judge = str(row["judge"])
    plural = judge.casefold() in PLURAL
    said = verdict_in_words(row) if int(row["votes"]) else ""
    who, expected = escape(judge), in_percent(row)
    lean = "a" if row["lower"] > 50 else "b" if row["upper"] < 50 else None
    verdict = None if words.absent(row["verdict"]) else str(row["verdict"])
    if verdict in ("a", "b"):
        head = f"{who} {'prefer' if plural else 'prefers'} {said}"
        head += (
            ", and the factors take no side" if lean is None
            else ", as the factors predict" if lean == verdict else ", against what the factors predict"
        )  # fmt: skip
    elif said:
        head = f"{who} {'see' if plural else 'sees'} {said}" if verdict == "tie" else f"{who}: {said}"
    else:
        head = f"{who} did not judge this pair"
    return f"**{head}**: A expected in {expected}. {reasons(contributions, labels)}".strip()


def in_percent(row: Mapping[Any, Any]) -> str:
    """33 % [29, 37], safe in Markdown."""
    return escape(f"{words.number(row['predicted'], 0)} % {words.interval(row['lower'], row['upper'], 0)}")


def reasons(contributions: pd.DataFrame, labels: Mapping[str, str], named: int = NAMED) -> str:
    """For A: longer (+3.2); for B: bold (−9.2), words (−6.4)."""
    unit, decimals, least = "points", 1, SMALL
    if contributions["points"].isna().any():
        unit, decimals, least = "log_odds", 2, SMALL / 10
    told: list[str] = []
    for side, sign in (("A", 1), ("B", -1)):
        some = contributions[contributions[unit].astype(float) * sign >= least].head(named)
        listed = [
            f"{escape(labels.get(str(f), str(f)), 60)} ({'+' if v > 0 else ''}{words.number(float(v), decimals)})"
            for f, v in zip(some["factor"], some[unit], strict=True)
        ]
        if listed:
            told.append(f"for {side} {'speaks' if len(listed) == 1 else 'speak'} {words.listing(listed, named)}")
    if not told:
        return "No factor tells the two apart."
    text = "; ".join(told)
    return text[:1].upper() + text[1:] + (" win points." if unit == "points" else " log-odds.")


def trust(rows: pd.DataFrame, result: Result) -> str:
    """What stands behind it, in a line."""
    counts = zip(rows["judge"], rows["judgments"], strict=True)
    n = [f"{judge} {words.plural(int(count), 'judgment')}" for judge, count in counts]
    new = "fitted without this pair's prompt" if not rows["in_fit"].any() else "fitted with this pair among them"
    methods = words.ranges(dict.fromkeys(rows["intervals"]))
    level, ties = words.percent(float(result.settings["level"])), words.ties(str(result.settings["ties"]))
    return escape(f"{'; '.join(n)}, {new} · {ties} · exact Shapley values · {level} intervals, {methods}", 4000)
