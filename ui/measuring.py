"""How are texts measured from a page? A button, a child process with its progress, and a way to stop it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from charts import words
from data import queries
from studies.extract import to_measure
from studies.factors_list import FactorsList
from studies.overview import escape
from ui import session
from ui.child import Job
from ui.view import View


@dataclass
class _Measuring:
    """One running measurement; kept for as long as the page shows it."""

    dataset: str
    job: Job


def n_unmeasured(seen: View) -> int:
    """How many texts of the dataset lack a factor; counted anew when something was measured or imported."""
    assert seen.names is not None
    dataset, where = seen.names.dataset, session.store()
    with where.reading("looking whether texts are measured") as con:
        study = FactorsList(dataset=dataset, judge=tuple(seen.names.judges))
        key = (str(where.path), seen.names.dataset_id, study.stamp(con, queries.catalog(con, dataset)))
    kept: tuple[object, int] | None = st.session_state.get("unmeasured")
    if kept is None or kept[0] != key:
        kept = st.session_state["unmeasured"] = (key, to_measure(where, dataset))
    return kept[1]


def offer(seen: View, n: int, first: bool) -> None:
    """The button that measures `n` texts, or the progress of that. first : nothing was measured before"""
    assert seen.names is not None
    if st.session_state.get("measuring") is not None:
        _watch()
        return
    told = st.session_state.pop("measuring-told", None)
    if told:
        st.info(escape(told, 4000), icon=":material/info:")
    if not n:
        return
    dataset = seen.names.dataset
    if first:
        st.markdown(
            f"Length and style are measured from the texts: words, list items, headings, bold phrases and citations. "
            f"This dataset has {words.plural(n, 'text')}; a thousand take about a second, and it is done once."
        )
    else:
        are = "text was" if n == 1 else "texts were"
        st.markdown(f"{n:,} {are} not measured yet, for example of a later import; judgments on them are left out.")
    label = f"Measure {words.plural(n, 'text')}"
    if st.button(label, type="primary" if first else "secondary", icon=":material/straighten:", key="measure"):
        job = Job(session.store().path, ["factors", "extract", f"--dataset={dataset}"])
        st.session_state["measuring"] = _Measuring(dataset, job)
        st.rerun()


@st.fragment(run_every=0.4)
def _watch() -> None:
    now: _Measuring | None = st.session_state.get("measuring")
    if now is None:
        st.rerun()
        return
    if not now.job.done:
        st.progress(min(max(now.job.share, 0.0), 1.0), escape(f"{now.dataset}: {now.job.text}", 200))
        if not st.button("Stop", icon=":material/stop_circle:", key="stop-measuring"):
            return
        now.job.cancel()
    st.session_state["measuring"] = None
    if now.job.cancelled:
        st.session_state["measuring-told"] = "Stopped. What was measured so far stays, and the rest can follow."
    elif now.job.failed:
        st.session_state["measuring-told"] = now.job.reason
    st.rerun()
