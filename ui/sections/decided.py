"""What is a factor, and on which pairs did it decide? Its definition and three pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from charts import words
from charts.factor_gaps import BEYOND
from studies.factor_options import display
from studies.factors_decided import FactorsDecided
from studies.factors_gap import FactorsGap
from studies.factors_list import FactorsList
from studies.marks import MARKABLE
from studies.overview import escape
from studies.study import Result
from ui import factors, selection
from ui.ask import chosen, shown
from ui.figure import foot
from ui.navigation import link
from ui.session import attempt
from ui.view import View


def draw(seen: View, judge: str | None) -> None:
    """The section for the judge held against the reference."""
    if judge is None:
        st.info("A factor decides between two judges: the reference and another one on the same pairs.",
                icon=":material/info:")  # fmt: skip
        return
    known = factors.known_factors(seen)
    judges = (str(seen.reference), judge)
    gap = attempt(replace(factors.meant(FactorsGap, known), judge=judges))
    if gap is None:
        return
    options = [str(f) for f in gap.table("gaps")["factor"] if f != "first_position"]
    study = replace(factors.meant(FactorsDecided, known), judge=judges, of=None)
    result = attempt(study)
    first = str(result.settings["of"]) if result is not None else options[0]
    # With models' strengths held equal other factors may be left out.
    first = first if first in options else options[0]
    picked = str(selection.page_word("of", options, first))
    st.session_state["w:of"] = picked
    st.selectbox("Factor", options, key="w:of", format_func=lambda name: shown(display(name)),
                 on_change=selection.on_change("of", "w:of"))  # fmt: skip
    if result is None or picked != result.settings["of"]:
        result = attempt(replace(study, of=picked))
    _definition(gap, judges, picked)
    if result is None:
        return
    rows = result.table("pairs").to_dict("records")
    n = int(result.values["disagreements"])
    if not rows:
        st.markdown("On no pair do the two take opposite sides with this factor on the judge's.")
        return
    who, other = escape(judge, 40), escape(judges[0], 40)
    st.markdown(f"**On {words.plural(n, 'pair')} {other} and {who} take opposite sides and this factor speaks for "
                f"{who}'s. Where it speaks loudest:**")  # fmt: skip
    columns = st.columns(len(rows))
    for column, row in zip(columns, rows, strict=True):
        with column, st.container(border=True, height="stretch"):
            _pair(seen, row, judges, picked)
    foot(result, result.table("pairs"), "pairs", "decided")


def _definition(gap: Result, judges: tuple[str, str], factor: str) -> None:
    """What it is, in what unit, and what both judges make of it."""
    listed = attempt(chosen(FactorsList))
    known: Mapping[Any, Any] = {}
    if listed is not None:
        found = listed.table()[listed.table()["factor"] == factor]
        known = found.to_dict("records")[0] if len(found) else {}
    row = gap.table("gaps").set_index("factor").loc[factor]
    said = escape(str(known.get("definition", "")), 2000)
    texts = []
    for name, end in zip(judges, ("ref", "judge"), strict=True):
        weight = words.estimate(row[f"weight_{end}"], row[f"{end}_lower"], row[f"{end}_upper"])
        texts.append(f"{escape(name, 40)} {escape(weight)}")
    st.markdown(f"**{escape(display(factor))}**: {said}" if said else f"**{escape(display(factor))}**")
    texts.append(gap_in_words(row.to_dict()))
    st.caption(f"Weights in log-odds for one scale unit: {'; '.join(texts)}.{_unit(known)}")


def gap_in_words(row: Mapping[Any, Any]) -> str:
    """The gap, and whether it is one: net gap −.53 [−.84, −.22], beyond noise."""
    net = not words.absent(row["gap_scaled"])
    value, low, high, q = ("gap_scaled", "scaled_lower", "scaled_upper", "scaled_q") if net else (
        "gap", "lower", "upper", "q"
    )  # fmt: skip
    said = escape(f"{'net' if net else 'plain'} gap {words.estimate(row[value], row[low], row[high])}")
    if words.absent(row[q]):
        return said
    return f"{said}, {'beyond noise' if row[q] < BEYOND else 'within noise, so these pairs only illustrate it'}"


def _unit(known: Mapping[Any, Any]) -> str:
    """In what it is counted, where that is known of a measured factor."""
    unit = known.get("unit")
    if not unit or known.get("origin") != "text":
        return ""
    return " A flag: 1 or 0." if unit == "flag" else f" Unit: {escape(str(unit), 60)}."


def _pair(seen: View, row: Mapping[Any, Any], judges: tuple[str, str], factor: str) -> None:
    if not words.absent(row.get("prompt")):
        st.markdown(escape(str(row["prompt"]), 170))
    for name, end in zip(judges, ("ref", "judge"), strict=True):
        share = float(row[f"preference_{end}"])
        side, part = ("A", share) if share > 50 else ("B", 100 - share)
        said = f"prefers {side}" if part >= 100 else f"{part:.0f} % for {side}"
        st.caption(f"{escape(name, 40)}: {said}")
    more = "more" if row["difference"] > 0 else "less"
    by, push = words.amount(abs(float(row["difference"]))), words.number(row["push"], 1)
    st.caption(f"A has {by} {more} of it: {push} log-odds towards {escape(judges[1], 40)}'s side")
    mark = {"mark": factor} if factor in MARKABLE else {}
    link(seen, "Examples", "Read the pair", icon=":material/menu_book:", pair=str(int(row["pair"])), **mark)
