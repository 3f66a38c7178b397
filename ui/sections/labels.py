"""Which labels of answers win? DecipherPref's strengths of labels."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from charts import words
from charts.judge_rows import judge_rows_chart
from charts.methods import LABELS
from studies.factors_labels import NUMBERS, FactorsLabels
from studies.overview import escape
from ui.figure import figure
from ui.methods import judges_of, level_names, pick, plain
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
    table, names = result.table("labels"), level_names(result)
    st.markdown(finding(table, judges, names))
    st.caption(
        "Of two answers every label that only the preferred one has beats each one that only the other has. Prefer it "
        "to the gap where answers come with labels rather than numbers and the question is which label ranks first or "
        "last; a label's rank is among all labels, those that go along with it included."
    )
    figure(
        lambda theme, narrow: judge_rows_chart(
            table, judges, theme, LABELS, humans=seen.humans, most=MOST, narrow=narrow, labels=names
        ),
        result, "labels", key="labels", columns=FactorsLabels.shown, folded=False,
        read=table.assign(label=[names.get(str(f), str(f)) for f in table["label"]]),
    )  # fmt: skip
    sentences(result)


def finding(table: pd.DataFrame, judges: tuple[str, ...], names: dict[str, str]) -> str:
    """Which label each judge ranks first, and which last."""
    said = []
    for judge in judges:
        mine = table[(table["judge"] == judge) & table["strength"].notna()]
        if len(mine) < 2:
            continue
        ordered = mine.sort_values("strength", ascending=False, kind="stable")
        first, last = (
            f"{escape(names.get(str(row['label']), str(row['label'])), 40)} "
            f"({escape(words.estimate(row['strength'], row['lower'], row['upper']))})"
            for _, row in (next(ordered.iterrows()), next(ordered.iloc[::-1].iterrows()))
        )  # fmt: skip
        said.append(f"for {escape(judge, 40)} the strongest label is {first}, the weakest {last}")
    text = "; ".join(said)
    return f"**{text[:1].upper()}{text[1:]}.**" if text else "**No label has a strength here.**"
