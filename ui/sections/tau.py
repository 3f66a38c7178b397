"""How far do verdicts go along with each factor, and are two judges moved alike? PROFILE's taus."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from charts import words
from exports.drawings import methods as drawings
from studies.factor_options import display
from studies.factor_words import lower
from studies.factors_tau import FactorsTau
from studies.overview import PLURAL, escape
from ui.figure import figure, show_table
from ui.methods import judges_of, pick, plain
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

MOST = 15
KINDS = {"tau": "tau", "tau_b": "tau-b"}
ALIGNED = {"variant": "of", "spearman": "Spearman", "spearman_interval": "interval", "kendall": "Kendall",
           "pearson": "Pearson", "factors": "factors", "pairs": "pairs", "on": "pairs are"}  # fmt: skip


def draw(seen: View, judge: str | None) -> None:
    """The section: the two judges compared, or the one there is."""
    judges = judges_of(seen, judge)
    result = attempt(plain(FactorsTau, seen, judge))
    if result is None:
        return
    table, alignment = result.table("taus"), result.table("alignment")
    names = {str(f): display(str(f)) for f in table["factor"]}
    st.markdown(finding(table, alignment, judges, names))
    st.caption(
        "Tau asks of each factor by itself in how many judgments more the preferred answer has more of it than less. "
        "Prefer it to the gap for comparison with published taus, for models that write "
        "answers to a target score rather than judge (their own pairs), or where factors are too many to be fitted "
        "together; a factor that goes along with another gets the other's credit."
    )
    kind = pick("tau_kind", KINDS, "Which tau")
    figure(
        drawings.taus(result, judges, MOST, b=kind == "tau_b"),
        result, "taus", key="tau", columns=FactorsTau.shown, folded=False,
        read=table.assign(factor=[names[str(f)] for f in table["factor"]]),
    )  # fmt: skip
    if len(alignment):
        st.markdown("**How alike the two are moved**")
        shown = alignment.assign(variant=[KINDS[str(v)] for v in alignment["variant"]],
                                 on=["those both judged" if on == "shared" else "each one's own"
                                     for on in alignment["on"]])  # fmt: skip
        show_table(shown, ALIGNED, key="tau-alignment")
    sentences(result)


def finding(
    table: pd.DataFrame, alignment: pd.DataFrame, judges: tuple[str, ...], names: dict[str, str]
) -> str:
    """What each judge's verdicts go along with most, and how alike the two are."""
    parts = [_most(table[table["judge"] == judge], judge, names) for judge in judges]
    said = f"**{' '.join(part for part in parts if part)}**"
    if len(alignment):
        row = alignment[alignment["variant"] == "tau"].iloc[0]
        if not words.absent(row["spearman"]):
            rho = words.estimate(row["spearman"], row["spearman_lower"], row["spearman_upper"])
            said += f" Over {words.plural(int(row['factors']), 'factor')} the two agree at ρ = {escape(rho)}."
    return said


def _most(mine: pd.DataFrame, judge: str, names: dict[str, str]) -> str:
    if mine.empty:
        return ""
    who, plural = escape(judge, 40), judge.casefold() in PLURAL
    sure = mine[mine["q"].astype("Float64").lt(0.05).fillna(False).astype(bool)]
    whose = f"{who}'s verdicts" if not plural else f"The verdicts of {who}"
    if sure.empty:
        return f"{whose} go along with no factor beyond noise."
    order = sure["tau"].abs().sort_values(ascending=False, kind="stable").index[:2]
    said = []
    for _, row in sure.loc[order].iterrows():
        side = "more" if row["tau"] > 0 else "less"
        name = escape(lower(names[str(row["factor"])]), 40)
        said.append(f"{side} {name} (tau {escape(words.number(row['tau']))})")
    return f"{whose} go along most with {words.listing(said)}."
