"""How often does each factor agree with the verdict? Feedback Forensics' metrics, factor by factor."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from charts import words
from exports.drawings import factors as drawings
from studies.factor_options import display
from studies.factor_words import lower
from studies.factors_strength import FactorsStrength
from studies.overview import PLURAL, escape
from ui import factors
from ui.figure import figure
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

MOST = 15


def draw(seen: View, judge: str | None) -> None:
    """The section: the two judges compared, or the one there is."""
    judges = (str(seen.reference), judge) if judge is not None else (seen.judges[0],)
    study = replace(
        factors.meant(FactorsStrength, factors.known_factors(seen)), judge=judges, coding="rms", position="auto",
        interact=(),
    )  # fmt: skip
    result = attempt(study)
    if result is None:
        return
    table = result.table("strengths")
    names = {str(f): display(str(f)) for f in table["factor"]}
    st.markdown(" ".join(finding(table, one, names) for one in judges))
    st.caption(
        "Each factor votes for the answer that has more of it. Unlike the weights above, nothing is held equal: a "
        "factor that goes along with another gets the other's credit. Read the weights for reasons; read this to "
        "compare with published figures, or where factors are too many or too alike to be fitted together."
    )
    figure(
        drawings.strengths(result, judges, MOST),
        result, "strengths", key="strength", columns=FactorsStrength.shown,
        read=table.assign(factor=[names[str(f)] for f in table["factor"]]),
    )  # fmt: skip
    sentences(result)


def finding(table: pd.DataFrame, judge: str, names: dict[str, str]) -> str:
    """What agrees most, and most seldom, with a judge's verdicts, beyond noise."""
    who, mine = escape(judge, 40), table[table["judge"] == judge]
    sure = mine[mine["q"].astype("Float64").lt(0.05).fillna(False).astype(bool)]
    parts = []
    for text, some in (("with more", sure[sure["strength"] > 0]), ("with less", sure[sure["strength"] < 0])):
        if len(some):
            row = some.iloc[int(np.argmax(np.abs(some["strength"].to_numpy(dtype=float))))]
            share = float(row["accuracy"]) if text == "with more" else 1 - float(row["accuracy"])
            name = escape(lower(names[str(row["factor"])]), 40)
            parts.append(f"{text} {name} in {words.share(share)}")
    if not parts:
        return f"**With {who}'s verdicts no factor agrees beyond noise.**"
    prefers = "prefer" if judge.casefold() in PLURAL else "prefers"
    which = " and the one ".join(parts)
    return f"**Where two answers differ in it, {who} {prefers} the one {which} of the verdicts that are no tie.**"
