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
from ui.remarks import sentences
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
    if power["smallest_1x"].isna().all():
        st.info("What could be found cannot be told: nothing here tells how sure a gap is.", icon=":material/info:")
        sentences(result)
        return
    middle = [float(np.median(power[f"smallest_{times}x"].dropna().astype(float))) for times in TIMES]
    points = [words.number(100 * float(expit(m)) - 50, 1) for m in middle]
    pairs = words.plural(int(row["pairs"]), "pair")
    now, twice, four = (f"{words.number(m)} log-odds ({p} win points" for m, p in zip(middle, points, strict=True))
    more = "" if words.absent(row["clusters"]) else f" {row['clustering']}s"
    st.markdown(
        f"**With these {pairs} a gap of {escape(f'{now} on an even pair)')} in the median "
        f"factor would be found with 80 % power.** With twice as many{more}: {escape(f'{twice})')}; with four times as "
        f"many: {escape(f'{four})')}. A smaller gap that is not found is no sign that there is none."
    )
    table = power.assign(factor=[display(str(f)) for f in power["factor"]])
    show_table(table.sort_values("smallest_1x", kind="stable"), COLUMNS, key="claim")
    kind = "net of decisiveness" if words.absent(row["not_scaled"]) else "plain gaps, as decisiveness is not known"
    test = words.percent(1 - float(result.settings["level"]))
    st.caption(
        f"Gaps {kind}. One test at {test}, as if it were the only one; among many factors a gap must be larger."
    )
    foot(result, power, "power", "claim")
