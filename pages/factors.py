"""Factors: why each judge prefers what it prefers, and where people and LLM part."""

from dataclasses import replace

import streamlit as st

from studies.factor_options import Factors
from studies.factors_fit import FactorsFit
from studies.factors_gap import FactorsGap
from ui import factors, rankings, selection
from ui.sections import FACTORS, METHODS
from ui.sections.show import show
from ui.session import attempt

seen = selection.current()
st.title("Factors", anchor=False)
if factors.begin(seen):
    judge = rankings.choose_judge(seen)
    known = factors.known_factors(seen)
    with st.container():
        if judge is None:
            study: Factors = replace(factors.meant(FactorsFit, known), judge=(rankings.choose_alone(seen),))
        else:
            study = replace(factors.meant(FactorsGap, known), judge=(str(seen.reference), judge))
        result = attempt(study)
        if result is not None:
            place = factors.finding(seen, result)
        factors.ask(seen, study, known)
        if result is not None:
            factors.draw(seen, result, judge)
            factors.believe(result, place)
    factors.remarks(result)
    show(FACTORS, seen, judge)
    st.header("Further methods", anchor=False)
    show(METHODS, seen, judge)
