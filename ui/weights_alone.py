"""What does a page show of a dataset that holds published weights and no judgments? What there is, and what to add."""

from __future__ import annotations

import streamlit as st

from charts import words
from studies.overview import escape
from ui.navigation import link
from ui.view import View


def has_judgments(seen: View) -> bool:
    """Whether there is a judgment in the dataset."""
    return seen.names is not None and bool(seen.names.judges)


def weights_alone(seen: View) -> None:
    """Ends the page where its dataset has no judgments."""
    if seen.names is None or has_judgments(seen):
        return
    tell(seen)
    link(seen, "Judges", "Hold these judges against one another", icon=":material/gavel:")
    link(seen, "Data", "Add judgments to this dataset", icon=":material/upload_file:")
    st.stop()


def tell(seen: View) -> None:
    """The sentence alone."""
    assert seen.names is not None
    st.info(
        f"{escape(seen.names.dataset)} holds the published weights of {words.plural(seen.names.published, 'judge')} "
        "and no judgments. The page Judges says which of them resemble which, and what each rewards in which scenario; "
        "everything else needs judgments: a file with the columns `prompt`, `judge` and `winner`.",
        icon=":material/info:",
    )
