"""Overview: does the judge prefer what people prefer, how sure is that, and what should be distrusted?"""

import streamlit as st

from charts.coverage import coverage_chart
from studies.coverage import Coverage
from ui import kept, overview, selection
from ui.ask import chosen
from ui.behind import of_cell
from ui.figure import figure
from ui.session import run
from ui.weights_alone import weights_alone

seen = selection.current()
overview.title(seen)
weights_alone(seen)
overview.sample_banner(seen)
found = overview.finding(seen)
overview.tiles(seen, found)
if found.results:
    overview.two_columns(seen, found)
    overview.why(seen)
else:
    overview.why(seen)
    overview.what_to_distrust(seen, found)
kept.listing(seen)
st.subheader("Who judged what", anchor=False)
coverage = run(chosen(Coverage))
figure(lambda theme, narrow: coverage_chart(coverage.table(), theme, narrow=narrow), coverage, key="coverage",
       pairs=of_cell)  # fmt: skip
