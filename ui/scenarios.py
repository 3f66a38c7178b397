"""The parts of the page Scenarios: agreement by scenario, what a lone judge has judged, where scenarios come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from charts import words
from data.queries.examples import PairsBehind
from exports.drawings import scenarios as drawings
from studies.coverage import Coverage
from studies.overview import escape
from studies.scenario_agreement import ScenarioAgreement
from studies.scenario_matrix import ScenarioMatrix
from studies.scenario_words import agreement_finding, matrix_finding
from studies.study import Result
from ui import factors, measuring, scenario_figures
from ui.ask import chosen
from ui.behind import of_cell
from ui.figure import figure, show_table
from ui.how_many import how_many
from ui.methods import POOLED, pick
from ui.navigation import link
from ui.overview import nothing_loaded
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View
from ui.weights_alone import weights_alone

VIEWS = {"all": "All figures", "intervals": "With intervals", "agreement": "Agreement"}
FIRST = 20
"""Scenarios drawn until the reader asks for all."""
BEYOND = 0.05


def begin(seen: View) -> bool:
    """Whether the dataset knows scenarios; else how it gets them is said."""
    if seen.names is None:
        nothing_loaded()
    weights_alone(seen)
    assert seen.names is not None
    if seen.names.scenarios:
        return True
    if seen.names.labelings and not seen.names.labeling:
        listed = words.listing([f"**{escape(name, 40)}**" for name in seen.names.labelings], 5)
        st.info(
            f"The judgments' files name no scenarios. Choose {listed} as **Scenarios from** in the sidebar.",
            icon=":material/info:",
        )
        return False
    where = "this labeling" if seen.names.labeling else "this dataset"
    st.info(
        f"No prompt of {where} has a scenario yet. Scenarios come with a column `scenario` of the judgments, with a "
        "table of labels for its prompts, or from grouping the prompts by what they mean, below.",
        icon=":material/info:",
    )
    link(seen, "Data", "Add a file with scenarios", icon=":material/upload_file:")
    return False


def compared(seen: View, judge: str) -> None:
    """Where the judge and the reference part: the finding, all figures of each scenario, what to distrust."""
    reference = str(seen.reference)
    study = replace(chosen(ScenarioAgreement), judge=(reference, judge))
    result = attempt(study)
    if result is None:
        return
    table, row = result.table("scenarios"), result.table("judges").to_dict("records")[0]
    with st.container(key="finding"):
        st.markdown(agreement_finding(table, row, reference, judge, result.settings["level"]))
        more = st.empty()
    st.caption(
        f"{int(row['comparisons']):,} comparisons of votes on {words.plural(int(row['pairs']), 'pair')} of "
        f"{words.plural(int(row['prompts']), 'prompt')}; {_labels(result)}; intervals by {row['clustering']}."
    )
    _offer_factors(seen)
    with st.container(horizontal=True, vertical_alignment="center"):
        shown = pick("show", VIEWS, "Show")
        pooled = (pick("kind", POOLED, "Figures") == "pooled") if shown != "intervals" else True
        if shown != "agreement" and (known := factors.known_factors(seen)):
            factors.choose_unit()
            with st.popover("Choose factors", type="tertiary"):
                factors.choose_factors(seen, factors.meant(ScenarioMatrix, known), known)
        most = how_many(len(table), FIRST, "scenarios")
    alone = shown == "intervals" or not pooled
    whole = scenario_figures.answered(seen, judge, alone=alone and shown != "agreement")
    if whole is None:
        agreement(seen, judge, result, pooled, most)
        sentences(result)
        return
    more.markdown(matrix_finding(whole, judge))
    if shown == "agreement":
        agreement(seen, judge, result, pooled, most)
    else:
        scenario_figures.draw(seen, whole, judge, panels=shown == "intervals", pooled=pooled, most=most)
    sentences(whole)


def _offer_factors(seen: View) -> None:
    """The button that measures texts, where some are not measured yet."""
    n = measuring.n_unmeasured(seen)
    measuring.offer(seen, n, first=not factors.known_factors(seen))


def agreement(seen: View, judge: str, result: Result, pooled: bool = True, most: int = FIRST) -> None:
    """Agreement alone, with the pairs behind each scenario."""
    reference = str(seen.reference)
    table = result.table("scenarios")
    order = "pooled" if pooled and table["pooled"].notna().any() else "agreement"
    table = table.sort_values(order, kind="stable").reset_index(drop=True)

    def behind(picked: Mapping[Any, Any]) -> PairsBehind:
        return PairsBehind((reference, judge), shared=True, counted="given", scenario=str(picked["scenario"]))

    figure(
        drawings.agreement(result, judge, most, pooled),
        result, "scenarios", key="scenario-agreement", rows=table, pairs=behind,
        columns={c: h for c, h in (ScenarioAgreement.shown or {}).items() if c != "judge"},
    )  # fmt: skip


def _labels(result: Result) -> str:
    return "ties left out" if result.settings["ties"] == "drop" else "a tie is a verdict of its own"


def alone(seen: View) -> None:
    """What one judge has judged of each scenario, where nobody is compared."""
    result = attempt(chosen(Coverage))
    if result is None:
        return
    table = result.table()
    named = table[table["scenario"] != ""]
    sizes = named.groupby("scenario")["judgments"].sum().sort_values()
    if len(sizes):
        st.markdown(
            f"**{words.plural(len(sizes), 'scenario')}, from {escape(str(sizes.index[0]), 60)} with "
            f"{words.plural(int(sizes.iloc[0]), 'judgment')} to {escape(str(sizes.index[-1]), 60)} with "
            f"{int(sizes.iloc[-1]):,}.** With a second judge on the same pairs this page says where the two part."
        )
    show_table(named.sort_values("judgments", kind="stable", ascending=False).reset_index(drop=True),
               {"scenario": "scenario", "judge": "judge", "judgments": "judgments"}, key="scenarios-alone",
               pairs=of_cell)  # fmt: skip
    rest = int(table.loc[table["scenario"] == "", "judgments"].sum())
    if rest:
        st.caption(f"{words.plural(rest, 'judgment')} on prompts without a scenario.")
