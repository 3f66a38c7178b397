"""May a judge take an annotator's place? The alternative-annotator test, and the annotators that it wins or not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from charts import words
from exports.drawings import judges as drawings
from studies.alt_test import AltTestStudy
from studies.overview import escape
from studies.study import Result
from ui.ask import ask, chosen
from ui.behind import shared_by
from ui.figure import figure, show_table
from ui.how_many import how_many
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

ALL = "annotators_all"
MOST = 15
ANNOTATORS = {
    "annotator": "annotator", "advantage": "judge as good", "human_advantage": "annotator as good",
    "difference": "difference", "interval": "interval", "p": "p", "q": "q", "p_clustered": "p by prompt", "won": "won",
    "items": "pairs",
}  # fmt: skip


def draw(seen: View, judge: str | None) -> None:
    """All judges of the selection, then the annotators of the one that is looked at."""
    if judge is None or seen.reference is None:
        st.info("This holds judges against people: choose two judges in the sidebar.", icon=":material/info:")
        return
    study = replace(chosen(AltTestStudy), judge=(str(seen.reference), *seen.others))
    result = attempt(study)
    if result is None:
        if seen.extra.get("epsilon"):
            # An allowance that cannot be is changed where it was set.
            options()
        return
    table = result.table("judges")
    held = judge if judge in set(table["judge"]) else str(table["judge"].iloc[0])
    st.markdown(finding(table, held, study.epsilon))
    st.caption(trust(result, held))
    options()
    most = how_many(len(table), MOST, "judges", ALL)
    people = next(iter(result.settings["people"]))
    figure(
        drawings.alt_test(result, held, most),
        result, "judges", key="alt-test", columns=AltTestStudy.shown,
        pairs=lambda row: shared_by(str(people), str(row["judge"])),
        point=lambda row: shared_by(str(people), str(row[0])),
    )  # fmt: skip
    annotators = result.table("annotators")
    mine = annotators[annotators["judge"] == held].sort_values("difference", kind="stable", ignore_index=True)
    st.markdown(f"**Which annotators does {escape(held, 40)} win?** Those that it does best against first")
    clustered = "prompt" in result.settings["clustering"]
    show_table(mine, {c: h for c, h in ANNOTATORS.items() if clustered or c != "p_clustered"}, key="annotators")
    sentences(result)


def options() -> None:
    """Allowance and score; not wider than they need."""
    with st.container(width=320):
        ask(AltTestStudy)


def finding(table: pd.DataFrame, judge: str, epsilon: float) -> str:
    """Whether the judge passes, and how many do where there are several."""
    row: dict[Any, Any] = table[table["judge"] == judge].iloc[0].to_dict()
    who, n = escape(judge, 40), int(row["annotators"])
    verdict = "passes" if row["passed"] else "does not pass"
    share = words.share(row["advantage_probability"])
    ends = [words.share(row[end]) for end in ("lower", "upper")]
    share = escape(share + (f" [{', '.join(ends)}]" if all(ends) else ""))
    said = (
        f"**{who} {verdict}: it wins {int(row['won'])} of {words.plural(n, 'annotator')}, where half are needed, at an "
        f"allowance of {escape(words.number(epsilon))}.** On {share} of their pairs it says what the other annotators "
        "say at least as well as the one left out."
    )
    if len(table) > 1:
        passed = int(table["passed"].fillna(False).astype(bool).sum())
        said += f" Of {words.plural(len(table), 'judge')} {passed or 'none'} pass{'es' if passed < 2 else ''}."
    return said


def trust(result: Result, judge: str) -> str:
    """What the test rests on, in one line."""
    table = result.table("judges")
    row: dict[Any, Any] = table[table["judge"] == judge].iloc[0].to_dict()
    parts = [words.amounts(pair=int(row["items"]), annotator=int(row["annotators"])),
             f"{words.percent(result.settings['level'])} intervals by {row['clustering']}",
             "one-sided tests, Benjamini-Yekutieli"]  # fmt: skip
    if int(row["left_out"]):
        few = f"fewer than {result.settings['few_items']} pairs"
        parts.insert(1, f"{words.plural(int(row['left_out']), 'annotator')} with {few} left out")
    return escape(" · ".join(parts), 4000)
