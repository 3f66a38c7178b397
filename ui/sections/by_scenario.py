"""In which scenarios do reasons part? A matrix of factors and scenarios."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
import streamlit as st

from charts import words
from charts.factor_scenarios import FIRST, cells
from exports.drawings import factors as drawings
from studies.factor_options import display
from studies.factor_words import agree
from studies.factors_scenarios import FactorsScenarios
from studies.overview import escape
from ui import factors
from ui.figure import figure
from ui.how_many import how_many
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

MOST, SPARE = 15, 5
"""As on the page itself."""


def draw(seen: View, judge: str | None) -> None:
    """The section for the judge held against the reference."""
    assert seen.names is not None
    if judge is None:
        st.info("Gaps need two judges: the reference and another one on the same pairs.", icon=":material/info:")
        return
    known = factors.known_factors(seen)
    study = replace(factors.meant(FactorsScenarios, known), judge=(str(seen.reference), judge))
    result = attempt(study)
    if result is None:
        return
    gaps, reference = result.table("gaps"), str(seen.reference)
    names = {str(f): display(str(f)) for f in gaps["factor"]}
    st.markdown(finding(gaps, reference, judge, names))
    most = MOST + SPARE if len(names) <= MOST + SPARE else how_many(len(names), MOST, "factors", "by_scenario_all")
    figure(
        drawings.gaps_by_scenario(result, judge, most, factors.unit()),
        result, "gaps", key="by-scenario", columns=FactorsScenarios.shown,
        read=gaps.assign(factor=[names[str(f)] for f in gaps["factor"]]),
    )  # fmt: skip
    sentences(result)


def finding(gaps: pd.DataFrame, reference: str, judge: str, names: Mapping[str, str]) -> str:
    """What the matrix shows as beyond noise: of the factors, and of the shown order apart."""
    table = cells(gaps)
    n = int(table["scenario"].nunique())
    sure = table[table["beyond"] & (table["factor"] != FIRST)]
    if len(sure):
        top = sure.iloc[int(sure["value"].abs().to_numpy(dtype=float).argmax())]
        aside = "decisiveness aside" if sure["scaled"].all() else "decisiveness aside where that can be told"
        said = (
            f"**{words.plural(len(sure), 'gap')} in {int(sure['scenario'].nunique())} of {words.plural(n, 'scenario')} "
            f"{'is' if len(sure) == 1 else 'are'} beyond noise, {aside}.** The largest: "
            f"{escape(names[str(top['factor'])])} in {escape(str(top['scenario']))}."
        )
    else:
        said = f"**In none of {words.plural(n, 'scenario')} is the gap of a factor beyond noise.**"
    shown = table[table["beyond"] & (table["factor"] == FIRST)]
    for side, some in (("first", shown[shown["value"] > 0]), ("second", shown[shown["value"] < 0])):
        if len(some):
            where = "each" if len(some) == n else f"{len(some)} of them"
            leans = f"{escape(judge, 40)} {agree(judge, 'leans')}"
            said += f" In {where} {leans} more to the answer shown {side} than {escape(reference, 40)}."
    return said
