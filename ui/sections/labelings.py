"""Where do scenarios come from? The labelings of a dataset: made from what prompts mean, edited, removed."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from charts import words
from data import labelings as work
from data.queries import labelings as queries
from errors import JurylensError
from exports.text import file_word
from studies.cluster_prompts import NAME
from studies.overview import escape
from ui import selection, session
from ui.ask import shown
from ui.child import Job, running
from ui.figure import show_table
from ui.navigation import link
from ui.take_away import as_csv
from ui.view import View

JOB, TOLD = "clustering", "labelings-told"
COLUMNS = {"labeling": "scenarios from", "origin": "made from", "scenarios": "scenarios", "prompts": "prompts",
           "unlabelled": "prompts without"}  # fmt: skip
ORIGINS = {"judgments": "the judgments' files", "file": "a file of labels", "clusters": "what prompts mean"}


def draw(seen: View, judge: str | None) -> None:
    """The section."""
    assert seen.names is not None
    with session.store().reading("listing labelings") as con:
        table = queries.labeling_table(con, seen.names.dataset_id)
    st.markdown(
        "Each labeling is a set of scenarios of its own, and **Scenarios from** in the sidebar says which one every "
        "page means. Labels of your own come as a table with the columns `prompt` (or `prompt_id`) and `label`, read "
        "with `import FILE --as labels`."
    )
    if len(table):
        show_table(table.assign(origin=table["origin"].map(ORIGINS)), COLUMNS, key="labelings")
    told = st.session_state.pop(TOLD, None)
    if told:
        st.info(escape(told, 2000), icon=":material/info:")
    if session.store().read_only:
        return
    _cluster(seen)
    for name in seen.names.labelings:
        with st.popover(f"Edit {escape(name)}", type="tertiary"):
            _edit(seen, name)
    link(seen, "Data", "Open a file", icon=":material/upload_file:")


def _cluster(seen: View) -> None:
    assert seen.names is not None
    if st.session_state.get(JOB) is not None:
        _watch()
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        n = st.number_input(
            "Groups", 2, 50, None, key="w:clusters", placeholder="as many as fit", width=160,
            help="How many groups of prompts to make. Left out: the number that tells prompts apart best.",
        )
        name = st.text_input("Called", NAME, key="w:clusters-name", max_chars=60, width=200)
        if st.button("Group prompts by what they mean", icon=":material/hub:", key="cluster"):
            command = ["labelings", "cluster", f"--dataset={seen.names.dataset}", f"--name={name}"]
            command += [] if n is None else [f"--clusters={int(n)}"]
            path = session.store().path
            st.session_state[JOB] = running(path, command) or Job(path, command)
            st.rerun()


@st.fragment(run_every=0.4)
def _watch() -> None:
    job: Job | None = st.session_state.get(JOB)
    if job is None:
        st.rerun()
        return
    if not job.done:
        st.progress(min(max(job.share, 0.0), 1.0), escape(job.text, 200))
        if not st.button("Stop", icon=":material/stop_circle:", key="stop-clustering"):
            return
        job.cancel()
    st.session_state[JOB] = None
    if job.failed:
        st.session_state[TOLD] = job.reason
    else:
        made = job.answer()
        st.session_state[TOLD] = (
            f"{words.plural(len(made['labels']), 'group')} of prompts, mean silhouette "
            f"{words.number(made['silhouette'])} (near 0 groups run into one another). Read their prompts before "
            "building on them."
        )
        selection.set_word("labeling", made["labeling"])
    st.rerun()


def _edit(seen: View, name: str) -> None:
    assert seen.names is not None
    dataset = seen.names.dataset
    with session.store().reading("reading labels") as con:
        rows = queries.label_rows(con, seen.names.dataset_id, seen.names.labelings[name])
    labels = list(dict.fromkeys(rows["label"]))
    old = st.selectbox("Label", labels, key=f"w:old-{name}", format_func=shown)
    new = st.text_input("New name", key=f"w:new-{name}", max_chars=work.LONGEST,
                        help="The name of another label joins the two.")  # fmt: skip
    if st.button("Rename", key=f"rename-{name}", disabled=not new.strip() or old is None):
        _do(lambda: work.rename_label(session.store(), dataset, name, str(old), new), f"{old} is now {new.strip()}.")
    st.download_button(
        "Prompts and labels as CSV", as_csv(rows.dropna(axis="columns", how="all")),
        f"{file_word(f'{dataset}-{name}', 110)}-labels.csv", "text/csv", key=f"labels-{name}",
        help="Edit the column label, and import the file again with --as labels and another name.",
    )  # fmt: skip
    if st.button("Remove this labeling", key=f"delete-{name}", type="tertiary", icon=":material/delete:"):
        _do(lambda: work.delete_labeling(session.store(), dataset, name), f"The labeling {name} is removed.")


def _do(change: Callable[[], object], said: str) -> None:
    try:
        change()
    except JurylensError as error:
        said = str(error)
    st.session_state[TOLD] = said
    st.rerun()

