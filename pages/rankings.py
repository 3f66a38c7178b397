"""Rankings: whom each judge prefers, who moves between judges, and how sure we are."""

import streamlit as st

from studies.compare import Compare
from studies.rank import Rank
from ui import rankings, selection
from ui.ask import ask, chosen

seen = selection.current()
st.title("Rankings", anchor=False)
rankings.answer_or_stop(seen)
judge = rankings.choose_judge(seen)
ask(Compare if judge else Rank)
truth = rankings.truth(seen)
if judge:
    rankings.two_judges(seen, chosen(Compare), judge, truth)
st.subheader("Each judge alone", anchor=False)
rankings.alone(seen, chosen(Rank), truth)
