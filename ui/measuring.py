"""How are texts measured from a page? A button, a child process with its progress, and a way to stop it.

What the texts are like is measured first, and the page waits for it. What they mean takes longer: it follows by itself
in a process of its own, of which a line tells while the page goes on.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from charts import words
from data import queries
from errors import OptionError
from studies.embed import to_embed
from studies.extract import to_measure
from studies.factors_list import FactorsList
from studies.overview import escape
from ui import session
from ui.child import Job, running
from ui.view import View

MEASURING, EMBEDDING = "measuring", "embedding"
TOLD = "measuring-told"


@dataclass
class _Running:
    """One running command; kept for as long as the page shows it."""

    dataset: str
    job: Job


def n_unmeasured(seen: View) -> int:
    """How many texts of the dataset lack a factor; counted anew when something was measured or imported."""
    return _lacking(seen)[0]


def _lacking(seen: View) -> tuple[int, int]:
    """How many texts lack a factor, and how many their meaning."""
    assert seen.names is not None
    dataset, where = seen.names.dataset, session.store()
    with where.reading("looking whether texts are measured") as con:
        study = FactorsList(dataset=dataset, judge=tuple(seen.names.judges))
        key = (str(where.path), seen.names.dataset_id, study.stamp(con, queries.catalog(con, dataset)))
    kept: tuple[object, tuple[int, int]] | None = st.session_state.get("unmeasured")
    if kept is None or kept[0] != key:
        try:
            unread = to_embed(where, dataset)
        except OptionError:  # the model is not installed: nothing to offer
            unread = 0
        kept = st.session_state["unmeasured"] = (key, (to_measure(where, dataset), unread))
    return kept[1]


def offer(seen: View, n: int, first: bool) -> None:
    """The button that measures `n` texts, or the progress of that; and a line about the meaning of texts.

    first : nothing was measured before
    """
    assert seen.names is not None
    dataset = seen.names.dataset
    if session.store().read_only:
        if n:
            st.info(
                f"{words.plural(n, 'text')} of this dataset {'was' if n == 1 else 'were'} never measured, and nothing "
                "can be changed here: judgments on them are left out.", icon=":material/lock:",
            )  # fmt: skip
        return
    for task in (MEASURING, EMBEDDING):
        if st.session_state.get(task) is None and (job := running(session.store().path, _command(task, dataset))):
            st.session_state[task] = _Running(dataset, job)  # of another window, or from before a reload
    if st.session_state.get(MEASURING) is not None:
        _watch_measuring()
        return
    told = st.session_state.pop(TOLD, None)
    if told:
        st.info(escape(told, 4000), icon=":material/info:")
    if n:
        _offer_measuring(dataset, n, first)
        return
    if st.session_state.get(EMBEDDING) is not None:
        _watch_embedding(dataset)
        return
    unread = _lacking(seen)[1]
    if unread and not first and st.button(
        f"Read the meaning of {words.plural(unread, 'text')}", icon=":material/hub:", key="embed", type="tertiary",
        help="Turns each text into a vector by a model on this computer, about a minute for 2,000 responses; the page "
        "goes on meanwhile. Closeness of a response to its prompt is then a factor.",
    ):  # fmt: skip
        _start(EMBEDDING, dataset)
        st.rerun()


def _offer_measuring(dataset: str, n: int, first: bool) -> None:
    if first:
        st.markdown(
            "Length, style and tone are measured from the texts: words, list items, headings, hedges, sentiment and "
            f"two dozen more. This dataset has {words.plural(n, 'text')}; a thousand take about two seconds, and it is "
            "done once. What the texts mean follows in the background."
        )
    else:
        are = "text was" if n == 1 else "texts were"
        st.markdown(f"{n:,} {are} not measured yet, for example of a later import; judgments on them are left out.")
    label = f"Measure {words.plural(n, 'text')}"
    if st.button(label, type="primary" if first else "secondary", icon=":material/straighten:", key="measure"):
        _start(MEASURING, dataset)
        st.rerun()


def _command(task: str, dataset: str) -> list[str]:
    return ["factors", {MEASURING: "extract", EMBEDDING: "embed"}[task], f"--dataset={dataset}"]


def _start(task: str, dataset: str) -> None:
    """Start a task, unless it is under way already."""
    path, command = session.store().path, _command(task, dataset)
    st.session_state[task] = _Running(dataset, running(path, command) or Job(path, command))


@st.fragment(run_every=0.4)
def _watch_measuring() -> None:
    now: _Running | None = st.session_state.get(MEASURING)
    if now is None:
        st.rerun()
        return
    if not now.job.done:
        st.progress(min(max(now.job.share, 0.0), 1.0), escape(f"{now.dataset}: {now.job.text}", 200))
        if not st.button("Stop", icon=":material/stop_circle:", key="stop-measuring"):
            return
        now.job.cancel()
    st.session_state[MEASURING] = None
    if now.job.cancelled:
        st.session_state[TOLD] = "Stopped. What was measured so far stays, and the rest can follow."
    elif now.job.failed:
        st.session_state[TOLD] = now.job.told or (
            "Measuring ended without an answer. What was measured so far stays; try again for the rest."
        )
    else:
        _start(EMBEDDING, now.dataset)
    st.rerun()


@st.fragment(run_every=1.0)
def _watch_embedding(dataset: str) -> None:
    """A line and a small button: nothing waits for it."""
    now: _Running | None = st.session_state.get(EMBEDDING)
    if now is None:
        st.rerun()
        return
    if not now.job.done:
        with st.container(horizontal=True, vertical_alignment="center", key="embedding"):
            other = f" for {escape(now.dataset, 60)}" if now.dataset != dataset else ""
            share = f"{100 * min(max(now.job.share, 0.0), 1.0):.0f} %"
            st.caption(f"In the background{other}: {escape(now.job.text, 200)}, {share}", width="content")
            if not st.button("Stop", icon=":material/stop_circle:", key="stop-embedding", type="tertiary"):
                return
        now.job.cancel()
    st.session_state[EMBEDDING] = None
    st.session_state["unmeasured"] = None
    if now.job.cancelled:
        st.session_state[TOLD] = "Stopped. What was read so far stays, and the rest can follow."
    elif now.job.failed:
        st.session_state[TOLD] = "The meaning of texts was not read: " + (
            now.job.told or "the work ended without an answer. What was read so far stays; try again for the rest."
        )
    st.rerun()
