"""Which labels of answers win? DecipherPref's strengths of labels."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from charts import words
from exports.drawings import methods as drawings
from studies.factors_labels import NUMBERS, FactorsLabels
from studies.overview import escape
from ui.figure import figure
from ui.methods import judges_of, pick, plain
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

MOST = 20
SHOWN = {"auto": "Numbers if no labels", "thirds": "Numbers in thirds", "leave-out": "Labels and flags only"}


def draw(seen: View, judge: str | None) -> None:
    """The section: the two judges compared, or the one there is."""
    judges = judges_of(seen, judge)
    numbers = pick("numbers", {name: SHOWN[name] for name in NUMBERS}, "Numbers")
    result = attempt(plain(FactorsLabels, seen, judge, numbers=numbers))
    if result is None:
        return
    table, names = result.table("labels"), drawings.level_names(result)
    st.markdown(finding(table, judges, names))
    st.caption(
        "Of two answers every label that only the preferred one has beats each one that only the other has. Prefer it "
        "to the gap where answers come with labels rather than numbers and the question is which label ranks first or "
        "last; a label's rank is among all labels, those that go along with it included."
    )
    figure(
        drawings.labels(result, judges, MOST),
        result, "labels", key="labels", columns=FactorsLabels.shown, folded=False,
        read=table.assign(label=[names.get(str(f), str(f)) for f in table["label"]]),
    )  # fmt: skip
    sentences(result)


def finding(table: pd.DataFrame, judges: tuple[str, ...], names: dict[str, str]) -> str:
    """Which label each judge ranks first, and which last; those that only won or only lost have no strength."""
    said = []
    for judge in judges:
        mine = table[table["judge"] == judge]
        known = mine[mine["strength"].notna()].sort_values("strength", ascending=False, kind="stable")
        if len(known) < 2:
            continue
        ends = []
        for at, others, how in (
            (0, mine[mine["rank"] < known["rank"].min()], "below {}, which only won"),
            (-1, mine[mine["rank"] > known["rank"].max()], "above {}, which only lost"),
        ):
            row = known.iloc[at]
            text = f"{_named(row['label'], names)} "
            text += f"({escape(words.estimate(row['strength'], row['lower'], row['upper']))})"
            if len(others):
                listed = words.listing([_named(label, names) for label in others["label"]], 3)
                text += f", {how.format(listed)}"
            ends.append(text)
        said.append(f"for {escape(judge, 40)} the strongest label is {ends[0]}, the weakest {ends[1]}")
    text = "; ".join(said)
    return f"**{text[:1].upper()}{text[1:]}.**" if text else "**No label has a strength here.**"


def _named(label: object, names: dict[str, str]) -> str:
    return escape(names.get(str(label), str(label)), 40)
