"""How much more often is an answer preferred with each level of a factor? AMCE and marginal means."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from charts import words
from exports.drawings import methods as drawings
from studies.factor_options import display
from studies.factor_words import lower
from studies.factors_amce import FactorsAmce
from studies.overview import PLURAL, escape
from ui.figure import figure
from ui.methods import judges_of, pick, plain
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

MOST = 20
KINDS = {"amce": "Effects", "mean": "Marginal means"}


def draw(seen: View, judge: str | None) -> None:
    """The section: the two judges compared, or the one there is."""
    judges = judges_of(seen, judge)
    result = attempt(plain(FactorsAmce, seen, judge))
    if result is None:
        return
    table, names = result.table("amce"), drawings.level_names(result)
    st.markdown(finding(table, judges, names))
    st.caption(
        "Prefer it to the gap where factors are levels that were assigned to answers, as in a conjoint experiment, or "
        "where a number may not act evenly: thirds show whether the middle is liked best. Effects are differences of "
        "shares, so a judge that is more decisive has larger ones."
    )
    kind = pick("amce_kind", KINDS, "What is drawn")
    figure(
        drawings.effects(result, judges, MOST, means=kind == "mean"),
        result, "amce", key="amce", columns=FactorsAmce.shown, folded=False,
        read=table.assign(factor=[display(str(f)) for f in table["factor"]]),
    )  # fmt: skip
    sentences(result)


def finding(table: pd.DataFrame, judges: tuple[str, ...], names: dict[str, str]) -> str:
    """The largest effect on each judge, beyond noise."""
    said = []
    for judge in judges:
        mine = table[(table["judge"] == judge) & table["amce"].notna()]
        sure = mine[mine["q"].astype("Float64").lt(0.05).fillna(False).astype(bool)]
        who, verb = escape(judge, 40), "prefer" if judge.casefold() in PLURAL else "prefers"
        if sure.empty:
            said.append(f"No level changes beyond noise how often {who} {verb} an answer.")
            continue
        row = sure.iloc[int(np.argmax(np.abs(sure["amce"].to_numpy(dtype=float))))]
        reference = mine[(mine["factor"] == row["factor"]) & mine["reference"].astype(bool)]["label"]
        more = "more" if row["amce"] > 0 else "less"
        against = f" than one with {_quoted(names, reference.iloc[0])}" if len(reference) else ""
        points = words.number(100 * abs(float(row["amce"])), 0)
        said.append(
            f"{who} {verb} an answer with {_quoted(names, row['label'])} {points} points {more} often{against}, other "
            "factors equal."
        )
    return f"**{' '.join(said)}**"


def _quoted(names: dict[str, str], label: object) -> str:
    return f"“{escape(lower(names.get(str(label), str(label))), 40)}”"
