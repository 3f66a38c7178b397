"""Judges: may they stand in for people, which resemble which, and what do those with published weights reward where?"""

import streamlit as st

from ui import audit, disagreement, judges, selection, stand_in, weight_matrix
from ui.sections import JUDGES
from ui.sections.show import show

seen = selection.current()
st.title("Judges", anchor=False)
alone = seen.names is not None and bool(seen.names.judges) and not judges.bases(seen)
if seen.names is not None:
    judges.ask_another(seen)
if alone:
    judges.similar(seen)
stand_in.verdicts(seen)
judge = audit.biases(seen)
disagreement.sources(seen, judge)
if seen.names is not None and seen.names.judges:
    show(JUDGES, seen, judge)
if not alone and not judges.one_chosen(seen):
    st.subheader("Which judges resemble which?", anchor=False)
    judges.similar(seen)
weight_matrix.published(seen)
judges.add_own(seen)
