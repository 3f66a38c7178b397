"""What is shared, what is a scenario's own? Weights split in two, and whether the split predicts held-out verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pandas as pd
import streamlit as st

from charts import words
from exports.drawings import methods as drawings
from studies.factor_options import display
from studies.factor_words import lower
from studies.factors_hierarchical import NOTHING, ONE, FactorsHierarchical
from studies.overview import escape
from studies.study import hints
from ui import factors, selection
from ui.ask import widget
from ui.figure import figure, show_table
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

OF, MOST = "hierarchical_of", 15
HELD = {"where": "predicted", "model": "from", "accuracy": "right", "interval": "interval", "log_loss": "log-loss",
        "log_loss_interval": "interval ", "n": "judgments"}  # fmt: skip
EACH = {"scenario": "scenario", "model": "from", "accuracy": "right", "interval": "interval", "log_loss": "log-loss",
        "n": "judgments"}  # fmt: skip


def draw(seen: View, judge: str | None) -> None:
    """The section for one judge at a time, of the two compared."""
    judges = [str(seen.reference), judge] if judge is not None else [seen.judges[0]]
    study = factors.meant(FactorsHierarchical, factors.known_factors(seen))
    of = str(selection.page_word(OF, judges, judges[-1]))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if len(judges) > 1:
            st.session_state[f"w:{OF}"] = of
            st.segmented_control("Judge", judges, key=f"w:{OF}", required=True,
                                 format_func=lambda one: escape(one, 40),
                                 on_change=selection.on_change(OF, f"w:{OF}"))  # fmt: skip
        for each in fields(FactorsHierarchical):
            if each.name in ("penalties", "loss"):
                key = f"w:{each.name}"
                st.session_state[key] = getattr(study, each.name)
                widget(each, hints(FactorsHierarchical)[each.name], getattr(study, each.name), key,
                       selection.on_change(each.name, key))  # fmt: skip
    result = attempt(replace(study, judge=(of,), position="auto"))
    if result is None:
        return
    shared, held = result.table("shared"), result.table("held_out")
    names = {str(f): display(str(f)) for f in shared["factor"]}
    st.markdown(finding(of, shared, held, names))
    st.caption(
        "Prefer this to the gap above to predict verdicts, above all in a kind of task that nobody has judged yet: "
        "what is shared goes along. It says nothing of how sure a weight is; for that read the pooled weights."
    )
    figure(
        drawings.hierarchical(result, of, MOST),
        result, "weights", key="hierarchical",
        columns={c: h for c, h in (FactorsHierarchical.shown or {}).items() if c != "judge"},
        read=result.table("weights").assign(factor=[names[str(f)] for f in result.table("weights")["factor"]]),
    )  # fmt: skip
    st.markdown("**Do they predict verdicts that were held out?**")
    show_table(held, HELD, key="hierarchical-held")
    left = result.table("scenarios")
    left = left[(left["where"] == "scenario left out") & (left["model"] != NOTHING)].reset_index(drop=True)
    with st.expander("Each scenario predicted from all others"):
        show_table(left, EACH, key="hierarchical-scenarios")
    sentences(result)


def finding(judge: str, shared: pd.DataFrame, held: pd.DataFrame, names: Mapping[str, str]) -> str:
    """How much is shared, what most, and what it is good for where a scenario is new."""
    who = escape(judge, 40)
    some = shared[shared["shared"] != 0]
    own = shared[shared["own_in"] > 0]
    scenarios = words.plural(int(shared["scenarios"].iloc[0]), "scenario")
    if some.empty and own.empty:
        return f"**With these penalties no factor is needed for {who}'s verdicts in any of {scenarios}.**"
    n = words.plural(len(some), "factor")
    listed = [
        f"{escape(lower(names[str(f)]), 40)} ({escape(words.number(v, 1))} win points)"
        for f, v in zip(some["factor"].head(3), some["importance"].head(3), strict=True)
    ]
    said = f"**{scenarios[:1].upper() + scenarios[1:]} share {n} of what moves {who}; in {len(own)} some scenario has "
    said += "a weight of its own.**"
    if listed:
        said += f" Shared most: {words.listing(listed)}."
    out = held[held["where"] == "scenario left out"].to_dict("records")
    mine, one = out[0], next(row for row in out if row["model"] == ONE)
    return f"{said} {_new(mine, one)}"


def _new(mine: Mapping[Any, Any], one: Mapping[Any, Any]) -> str:
    """Of a scenario left out: what is predicted right, and what the split gains."""
    right = f"In a scenario left out they predict {escape(words.share(mine['accuracy']))} of its verdicts right"
    low, high = one["gain_lower"], one["gain_upper"]
    if words.absent(low):
        return f"{right}, plain weights {escape(words.share(one['accuracy']))}."
    better = "more than" if low > 0 else "less than" if high < 0 else "no more or less, beyond noise, than"
    return f"{right}, {better} one set of plain weights for all ({escape(words.share(one['accuracy']))})."
