"""Which weighted sum of factors predicts verdicts best, and how well on new prompts? The compositional model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from charts import words
from exports.drawings import methods as drawings
from studies.factor_options import display
from studies.factor_words import lower
from studies.factors_cpm import FactorsCpm
from studies.overview import escape
from ui.figure import figure, show_table
from ui.methods import judges_of, plain
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

MOST = 15
JUDGES = {"judge": "judge", "accuracy": "held out", "interval": "interval", "optimistic": "where it was chosen",
          "penalty": "penalty", "judgments": "judgments"}  # fmt: skip


def draw(seen: View, judge: str | None) -> None:
    """The section: the two judges compared, or the one there is."""
    judges = judges_of(seen, judge)
    result = attempt(plain(FactorsCpm, seen, judge))
    if result is None:
        return
    table, rows = result.table("weights"), result.table("judges")
    names = {str(f): display(str(f)) for f in table["factor"]}
    st.markdown(finding(table, rows, names))
    st.caption(
        "Prefer it to the gap where the aim is to predict: many factors, more than there are pairs, or a score for new "
        "answers. Its weights are shrunk, so that what is left of one may be in another; they are no measure of taste."
    )
    figure(
        drawings.composed(result, judges, MOST),
        result, "weights", key="cpm", columns=FactorsCpm.shown, folded=False,
        read=table.assign(factor=[names[str(f)] for f in table["factor"]]),
    )  # fmt: skip
    st.markdown("**How well it predicts**")
    show_table(rows, JUDGES, key="cpm-judges")
    sentences(result)


def finding(table: pd.DataFrame, rows: pd.DataFrame, names: dict[str, str]) -> str:
    """How much of each judge's verdicts is predicted, and by what most."""
    said = []
    for row in rows.to_dict("records"):
        mine = table[table["judge"] == row["judge"]]
        size = np.abs(mine["weight"].to_numpy(dtype=float))
        low, high = (None if words.absent(row[end]) else 100 * row[end] for end in ("lower", "upper"))
        share = f"{words.number(100 * row['accuracy'], 0)} % {words.interval(low, high, 0)}".strip()
        text = f"{escape(share)} of {escape(str(row['judge']), 40)}'s verdicts on prompts held out"
        if size.max() > 0:
            top = mine.iloc[int(size.argmax())]
            text += f" (most by {escape(lower(names[str(top['factor'])]), 40)})"
        said.append(text)
    return f"**A weighted sum of factors predicts {words.listing(said)}.** A coin predicts 50 %."
