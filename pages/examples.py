"""Examples: the pairs behind a number, and what every judge said of them."""

import streamlit as st

from ui import examples, selection
from ui.figure import foot
from ui.overview import nothing_loaded
from ui.weights_alone import weights_alone

seen = selection.current()
st.title("Examples", anchor=False)
if seen.names is None:
    nothing_loaded()
weights_alone(seen)
study = examples.asked(seen)
result = examples.answer(seen, study)
if result is not None:
    examples.finding(seen, result)
examples.filters(seen, study)
if result is not None:
    examples.walk(result)
    examples.one_pair(seen, result)
    foot(result, result.table(), "examples", "examples")
