"""What can be claimed with this much data? The smallest gap that would be found, now and with more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import streamlit as st
from scipy.special import expit

from charts import words
from studies.factor_options import display
from studies.factors_gap import TIMES, FactorsGap
from studies.overview import escape
from ui import factors
from ui.figure import foot, show_table
from ui.session import attempt
from ui.view import View

COLUMNS = {"factor": "factor", "smallest_1x": "with these data", "smallest_2x": "twice as many",
           "smallest_4x": "four times as many"}  # fmt: skip


def draw(seen: View, judge: str | None) -> None:
    """The section for the judge held against the reference."""
    if judge is None:
        st.info("A gap needs two judges: the reference and another one on the same pairs.", icon=":material/info:")
        return
    known = factors.known_factors(seen)
    result = attempt(replace(factors.meant(FactorsGap, known), judge=(str(seen.reference), judge)))
    if result is None:
        return
    power, row = result.table("power"), result.table("judges").iloc[0]
    middle = [float(np.median(power[f"smallest_{times}x"].dropna().astype(float))) for times in TIMES]
    points = [f"{words.number(m)} log-odds ({words.number(100 * float(expit(m)) - 50, 0)} win points)" for m in middle]
    more = "" if words.absent(row["clusters"]) else f" {row['clustering']}s"
    st.markdown(
        f"**With these {words.plural(int(row['pairs']), 'pair')} a gap of {escape(points[0])} in the median factor "
        f"would be found with 80 % power.** With twice as many{more}: {points[1]}; "
        f"with four times as many: {points[2]}. A smaller gap that is not found is no sign that there is none."
    )
    table = power.assign(factor=[display(str(f)) for f in power["factor"]])
    show_table(table.sort_values("smallest_1x", kind="stable"), COLUMNS, key="claim")
    st.caption("One test at 5 %, as if it were the only one; among many factors a gap must be somewhat larger.")
    foot(result, power, "power", "claim")
