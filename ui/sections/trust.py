"""May the weights be believed? How reliable they are, and what they predict that length alone does not."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from charts import words
from exports.drawings import factors as drawings
from studies.factors_trust import FactorsTrust
from studies.overview import escape
from studies.study import Result
from studies.trust_words import BASELINES, WHOLE, accuracies
from ui.ask import chosen
from ui.figure import figure, show_table
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

HELD_OUT = {
    "judge": "judge", "model": "predicted from", "accuracy": "accuracy", "interval": "accuracy, interval",
    "log_loss": "log-loss", "gain": "all factors gain", "n": "judgments",
}  # fmt: skip
MOST = 15


def draw(seen: View, judge: str | None) -> None:
    """All judges of the selection, the reference first."""
    first = [] if seen.reference is None else [seen.reference]
    judges = tuple(dict.fromkeys([*first, *seen.judges]))
    result = attempt(replace(chosen(FactorsTrust), judge=judges))
    if result is None:
        return
    st.markdown(" ".join(f"**{text}**" if not k else text for k, text in enumerate(finding(result))))
    st.caption(trust(result))
    held = result.table("held_out")
    if len(held):
        figure(drawings.trust(result, MOST)[0], result,
               "held_out", key="held-out", columns=HELD_OUT, folded=True)  # fmt: skip
    st.markdown("**How reliable the weights are**")
    show_table(result.table("judges"), FactorsTrust.shown, key="trust")
    sentences(result)


def finding(result: Result) -> list[str]:
    """A sentence on reliability, and one on what is predicted."""
    judges = result.table("judges")
    said = []
    known = judges[judges["reliability"].notna()]
    if len(known):
        rows = zip(known["judge"], known["reliability"], strict=True)
        each = [f"{words.number(float(r))} for {escape(str(who))}" for who, r in rows]
        halves = str(known["halves_of"].iloc[0])
        at = words.listing(each)
        said.append(f"Fitted again to as many other {halves}, weights would correlate with these at {at}.")
    else:
        said.append("How reliable the weights are cannot be told here.")
    accuracy = accuracies(result.table("held_out"))
    if len(accuracy):
        parts = []
        for who, row in accuracy.iterrows():
            less = [f"{model.removesuffix(' only')} alone {words.share(row[model])}"
                    for model in BASELINES if not words.absent(row.get(model))]  # fmt: skip
            beside = f" ({', '.join(less)})" if less else ""
            parts.append(f"{words.share(row[WHOLE])} of {escape(str(who))}'s verdicts{beside}")
        said.append(f"Held out, they predict {words.listing(parts)}.")
    return said


def trust(result: Result) -> str:
    """n and method in a line."""
    row, settings = result.table("judges").iloc[0], result.settings
    held = result.table("held_out")
    folds = f"; {int(held['folds'].iloc[0])} folds of {held['held_out'].iloc[0]}" if len(held) else ""
    n = words.plural(int(result.table("judges")["judgments"].sum()), "judgment")
    clusters = "" if words.absent(row["clusters"]) else f", {int(row['clusters']):,} {row['halves_of']}"
    return escape(
        f"{n}{clusters}; {settings['splits']} splits in halves, stepped up by Spearman and Brown{folds}; "
        f"{words.ties(str(settings['ties']))}",
        4000,
    )

