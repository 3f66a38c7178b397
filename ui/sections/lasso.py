"""Which flags does a Lasso keep, on verdicts or on ratings of single answers?"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from charts import words
from exports.drawings import methods as drawings
from studies.factor_options import display
from studies.factor_words import lower
from studies.factors_lasso import FactorsLasso
from studies.overview import escape
from ui import factors, selection
from ui.ask import shown
from ui.figure import figure
from ui.methods import judges_of, plain
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

MOST = 15
STABLE = 0.8
VERDICTS = "the verdicts"


def draw(seen: View, judge: str | None) -> None:
    """The section: the verdicts of the two judges (or of the one there is), or a rating of answers."""
    judges = judges_of(seen, judge)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rating = _rating(seen)
        st.session_state["w:choose_penalty"] = selection.page_word("choose_penalty", ["true"]) == "true"
        st.toggle("Choose the penalty by held-out prompts", key="w:choose_penalty",
                  on_change=selection.on_change("choose_penalty", "w:choose_penalty"))  # fmt: skip
    result = attempt(plain(FactorsLasso, seen, judge, rating=rating))
    if result is None:
        return
    table, rows = result.table("lasso"), result.table("judges")
    names = {str(f): display(str(f)) for f in table["factor"]}
    whose = judges if rating is None else (rating,)
    st.markdown(finding(table, rows, names))
    st.caption(
        "Prefer it to the gap for a long list of flags, such as kinds of errors, of which few may count, and for "
        "ratings of single answers. What it keeps is shrunk towards 0 and comes without p-values; how often it is kept "
        "in draws of prompts says how far to trust it."
    )
    table = table[(table["coefficient"] != 0) | (table["selected"] > 0)]
    figure(
        drawings.kept(result, whose, MOST),
        result, "lasso", key="lasso", columns=FactorsLasso.shown, folded=False,
        read=table.assign(factor=[names[str(f)] for f in table["factor"]]),
    )  # fmt: skip
    sentences(result)


def _rating(seen: View) -> str | None:
    """What is explained: the verdicts, or a number that the files delivered of each answer."""
    numbers = factors.delivered_numbers(seen)
    asked = selection.page_word("rating", numbers, None)
    if not numbers:
        return None
    options = [VERDICTS, *numbers]
    st.session_state["w:rating"] = asked if asked in numbers else VERDICTS

    def changed() -> None:
        picked = st.session_state["w:rating"]
        selection.set_word("rating", None if picked == VERDICTS else picked)

    st.selectbox("Explain", options, key="w:rating", format_func=shown, on_change=changed, width=260)
    return None if asked is None else str(asked)


def finding(table: pd.DataFrame, rows: pd.DataFrame, names: dict[str, str]) -> str:
    """What is kept in most draws, judge by judge, the largest first."""
    said = []
    for row in rows.to_dict("records"):
        mine = table[(table["judge"] == row["judge"]) & (table["coefficient"] != 0)]
        sure = mine[mine["selected"] >= STABLE].head(3)
        who = escape(str(row["judge"]), 40)
        listed = [
            f"{escape(lower(names[str(f)]), 40)} ({escape(words.number(c))})"
            for f, c in zip(sure["factor"], sure["coefficient"], strict=True)
        ]
        kept = f"{int(row['kept'])} of {words.plural(int(row['factors']), 'factor')} kept"
        stable = f", most surely {words.listing(listed)}" if listed else ", none of them in four draws of five"
        said.append(f"{who}: {kept}{stable if row['kept'] else ''}")
    return f"**{'. '.join(said)}.**"
