"""Which weights hold in every scenario? Pooled beside raw ones, with a test a factor; and the same of the net gap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
import streamlit as st

from charts import words
from charts.pooled import BEYOND
from exports.drawings import methods as drawings
from studies.factor_options import display
from studies.factor_words import lower
from studies.factors_pooled import FactorsPooled
from studies.overview import escape
from ui import factors, selection
from ui.figure import charts, figure, show_table
from ui.how_many import how_many
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

FIRST = "first_position"
MOST = 15
KIND, FACTOR, ALL = "pooled_kind", "pooled_factor", "pooled_all"
WEIGHT, GAP, SCALED = "weight", "gap", "gap_scaled"
SPREAD = {"factor": "factor", "mean": "mean", "mean_interval": "interval", "tau": "sd between scenarios",
          "interval": "interval ", "q": "q", "same_sign": "same sign in", "scenarios": "of scenarios"}  # fmt: skip


def draw(seen: View, judge: str | None) -> None:
    """The section: weights of each of the two judges, or their net gap."""
    judges = (str(seen.reference), judge) if judge is not None else (seen.judges[0],)
    study = replace(factors.meant(FactorsPooled, factors.known_factors(seen)), judge=judges)
    result = attempt(study)
    if result is None:
        return
    # Whose weights: each judge's, or what the second has more of.
    choices = {one: f"Weights of {one}" for one in judges if one in set(result.table("weights")["judge"])}
    kinds = set(result.table("gap_heterogeneity")["kind"])
    kind = SCALED if "scaled" in kinds else GAP
    if kinds:
        choices[kind] = "Net gap" if kind == SCALED else "Gap"
    picked = str(selection.page_word(KIND, choices, next(iter(choices))))
    table, spread, name = result.table("weights"), result.table("heterogeneity"), "weights"
    columns, of = (WEIGHT, "pooled"), picked
    if picked == kind and kinds:
        table, spread, name = result.table("gaps"), result.table("gap_heterogeneity"), "gaps"
        spread = spread[spread["kind"] == ("scaled" if kind == SCALED else "plain")]
        columns, of = (kind, "scaled_pooled" if kind == SCALED else "pooled"), judges[-1]
    table, spread = (part[part["judge"] == of].reset_index(drop=True) for part in (table, spread))
    names = {str(f): display(str(f)) for f in table["factor"]}
    st.markdown(finding(spread, of, names, gap=name == "gaps", scenarios=int(table["scenario"].nunique())))
    st.caption(
        "Prefer this to the gap above where tasks are of several kinds: one weight for all of them may be nobody's. "
        "Scenarios with little data lean on the others here, and say so; each alone stands beside."
    )
    if len(choices) > 1:
        st.session_state[f"w:{KIND}"] = picked
        st.segmented_control(
            "Of", list(choices), key=f"w:{KIND}", format_func=lambda one: words.shorten(choices[one], 40),
            required=True, label_visibility="collapsed", on_change=selection.on_change(KIND, f"w:{KIND}"),
        )  # fmt: skip
    n = int((spread["factor"] != FIRST).sum())
    most = how_many(n, MOST, "factors", ALL)
    shown = {c: h for c, h in (FactorsPooled.shown or {}).items() if c != "judge"}
    if name == "gaps":
        shown = {"scenario": "scenario", "factor": "factor", columns[1]: "pooled", columns[0]: "raw",
                 "pairs": "pairs", "prompts": "prompts"}  # fmt: skip
    figure(
        drawings.pooled(result, of, columns[0], most),
        result, name, key="pooled", columns=shown, read=table.assign(factor=[names[str(f)] for f in table["factor"]]),
    )  # fmt: skip
    st.markdown("**How much each factor varies**, the surest difference first")
    show_table(spread.assign(factor=[names[str(f)] for f in spread["factor"]]), SPREAD, key="pooled-spread")
    order = [str(f) for f in spread["factor"]]
    factor = str(selection.page_word(FACTOR, order, next((f for f in order if f != FIRST), order[0])))
    st.session_state[f"w:{FACTOR}"] = factor
    st.selectbox("One factor in every scenario, pooled and alone", order, key=f"w:{FACTOR}",
                 format_func=lambda one: words.shorten(names[one], 60),
                 on_change=selection.on_change(FACTOR, f"w:{FACTOR}"))  # fmt: skip
    charts(
        drawings.one_factor(result, of, factor, columns[0]), "pooled-one",
    )  # fmt: skip
    thin = result.table("thin")
    thin = thin[thin["judge"] == of]
    if len(thin):
        st.markdown("**Thin scenarios**: what is said of them comes mostly from the others")
        show_table(thin, {"scenario": "scenario", "reason": "says little by itself", "pairs": "pairs",
                          "prompts": "prompts"}, key="pooled-thin")  # fmt: skip
    sentences(result)


def finding(spread: pd.DataFrame, judge: str, names: Mapping[str, str], *, gap: bool, scenarios: int) -> str:
    """Which factors depend on the scenario beyond noise, and which hold in all of them."""
    spread = spread[spread["factor"] != FIRST]
    tested = spread[spread["q"].notna()]
    who, n = escape(judge, 40), words.plural(scenarios, "scenario")
    what = f"the net gap of {who}" if gap else f"{who}'s weight"
    if tested.empty:
        return f"**Whether {what} of a factor changes between {n} cannot be tested:** too few prompts in each."
    sure = tested[tested["q"] < BEYOND].to_dict("records")
    if not sure:
        said = f"**In none of {words.plural(len(tested), 'factor')} does {what} change between {n} beyond noise.**"
    else:
        listed = [f"{escape(lower(names[str(r['factor'])]), 40)} (sd {escape(words.number(r['tau']))})" for r in sure]
        said = f"**{what[:1].upper() + what[1:]} depends on the scenario in {words.listing(listed, 4)}.**"
    beyond = (spread["mean_lower"] > 0) | (spread["mean_upper"] < 0)
    held = spread[beyond & (spread["same_sign"] == spread["scenarios"])]
    held = held[~held["factor"].isin([r["factor"] for r in sure])]
    if len(held):
        order = held["mean"].abs().sort_values(ascending=False).index
        listed = [escape(lower(names[str(held.loc[k, 'factor'])]), 40) for k in order]
        said += f" With the same sign in every scenario, and on average beyond noise: {words.listing(listed, 4)}."
    return said
