"""The figures of all scenarios on the page Scenarios: one matrix, or small multiples with intervals."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from charts.scenario_figures import figures_of
from exports.drawings import scenarios as drawings
from studies.scenario_matrix import ScenarioMatrix
from studies.scenario_words import figure_name
from studies.study import Result
from ui import factors
from ui.figure import figure, show_table
from ui.how_many import how_many
from ui.methods import plain
from ui.session import attempt
from ui.view import View

PANELS = 6
"""Figures drawn until the reader asks for all."""
TESTS = {"figure": "figure", "mean": "mean", "mean_interval": "interval", "tau": "sd between scenarios",
         "tau_interval": "interval ", "p": "p", "q": "q"}  # fmt: skip
COLUMNS = {"scenario": "scenario", "figure": "figure", "pooled": "pooled", "pooled_interval": "interval",
           "pooled_q": "q", "value": "alone", "interval": "interval "}  # fmt: skip


def answered(seen: View, judge: str, *, alone: bool) -> Result | None:
    """All figures of the judge, scenario by scenario. alone : whether what each scenario says alone is drawn

    That takes longest, so that a chart without it is drawn first.
    """
    return attempt(plain(ScenarioMatrix, seen, judge, pooled_only=not alone))


def draw(seen: View, result: Result, judge: str, *, panels: bool, pooled: bool, most: int) -> None:
    """The matrix or the panels; the table of all figures and the tests below."""
    table, tests = result.table("figures"), result.table("tests")

    def whole() -> Result | None:
        return answered(seen, judge, alone=True) if result.settings["pooled_only"] else None

    net = judge not in result.settings["plain_gaps"]
    found = figures_of(table, tests, result.table("scenarios"), judge, factors.unit(), net)
    if panels:
        first = how_many(len(found.order), PANELS, "figures", "every")
        figure(
            drawings.panels(result, judge, most, factors.unit(), first),
            result, "figures", key="scenario-matrix", columns=COLUMNS, read=_read, whole=whole,
        )  # fmt: skip
    else:
        figure(
            drawings.matrix(result, judge, most, factors.unit(), pooled),
            result, "figures", key="scenario-matrix", columns=COLUMNS, read=_read, whole=whole,
        )  # fmt: skip
    with st.expander("Does a figure differ between scenarios at all? A test each"):
        show_table(_read(tests), TESTS, key="scenario-tests")
        st.caption(
            "q of the figure being the same in all scenarios (Welch), over all figures. Correlations of orders have no "
            "such test: fewer judgments alone lower them. Agreement as a share, sd in log-odds; gaps in log-odds."
        )


def _read(table: pd.DataFrame) -> pd.DataFrame:
    """With what figures are called."""
    return table.assign(figure=[figure_name(row) for row in table[["figure", "factor"]].to_dict("records")])
