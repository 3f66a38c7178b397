"""Rankings: whom each judge prefers, who moves between judges, and how sure we are."""

from dataclasses import replace

import streamlit as st

from studies.compare import Compare
from studies.rank import Rank
from ui import rankings, selection
from ui.ask import ask
from ui.sections import RANKINGS
from ui.sections.show import show
from ui.session import attempt

seen = selection.current()
st.title("Rankings", anchor=False)
rankings.answer_or_stop(seen)
judge = rankings.choose_judge(seen)
view = rankings.choose_view(judge)
with st.container():
    if judge is None or view == rankings.ALONE:
        result = attempt(replace(ask(Rank), judge=(rankings.choose_alone(seen),)))
        if result is not None:
            rankings.finding(seen, result)
            rankings.alone(seen, result, rankings.truth(seen))
    else:
        study = replace(ask(Compare), judge=(str(seen.reference), judge), gaps_only=False)
        result = rankings.compare(seen, study, view)
rankings.remarks(result)
show(RANKINGS, seen, judge)
