"""How does one say how judges and models are named, ordered and left out? A table to type in, on the page Data."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from charts import words
from data import display as work
from data.shown_names import KINDS
from errors import JurylensError
from studies.overview import escape
from ui import session
from ui.view import View

USUAL = "as usual (.73)"
TOLD = "names-told"
ROWS = 12
"""Rows that are seen without scrolling."""


def editor(seen: View) -> None:
    """Display names, order, what is left out, and decimals of the dataset chosen in the sidebar."""
    assert seen.names is not None
    dataset, fixed = seen.names.dataset, session.store().read_only
    table = work.name_table(session.store().as_in_files(), dataset)
    if table.empty or (fixed and not seen.display.entries):
        return
    st.markdown("**How judges and models are shown**")
    st.caption(
        "Set once, this holds for every chart, table, sentence and export. Addresses, commands and data as CSV or JSON "
        "keep the names of the files, and what is not shown stays in every fit."
    )
    _told()
    digest = pd.util.hash_pandas_object(table, index=False).sum()
    edited = st.container(key="names-grid").data_editor(
        table.assign(show=table["show"] == "yes"), key=f"names-{dataset}-{digest:x}", hide_index=True, placeholder="",
        disabled=fixed or ["kind", "name"], height=35 * (ROWS + 1) + 3 if len(table) > ROWS else "content",
        column_config={
            "kind": st.column_config.TextColumn("kind", width=70),
            "name": st.column_config.TextColumn("in the files", width=150),
            "shown": st.column_config.TextColumn("shown as", width=200, max_chars=work.LONGEST),
            "order": st.column_config.NumberColumn("order", width=70, min_value=1, step=1, help="1 comes first; "
                     "judges and models each have an order of their own. A ranking stays in the order of its result."),
            "show": st.column_config.CheckboxColumn("show", width=60),
        },
    )  # fmt: skip
    if fixed:
        return
    choices = [USUAL, *range(work.MOST_DECIMALS + 1)]
    now = seen.display.decimals
    with st.container(horizontal=True, vertical_alignment="bottom"):
        picked = st.selectbox(
            "Decimals of estimates", choices, index=choices.index(USUAL if now is None else now), width=200,
            key=f"decimals-{dataset}-{now}", help="2 gives .73; percentages and points have as many more or fewer: "
            "with 3 decimals .734 is 73.4 %.",
        )  # fmt: skip
        st.button("Save names", type="primary", icon=":material/save:", key="names-save", on_click=_save,
                  args=(dataset, edited, None if picked == USUAL else picked))  # fmt: skip
        if seen.display.entries or now is not None:
            st.button("Show all as in the files", type="tertiary", icon=":material/restart_alt:", key="names-clear",
                      on_click=_save, args=(dataset, None, None))  # fmt: skip


def _save(dataset: str, edited: pd.DataFrame | None, decimals: int | None) -> None:
    try:
        changes = work.Changes() if edited is None else _changes(edited, decimals)
        display = work.change(session.store().as_in_files(), dataset, changes, clear=True)
    except JurylensError as error:
        st.session_state[TOLD] = (False, str(error))
        return
    counts = [
        words.plural(sum(e.kind == kind and e.shown != e.name for e in display.entries), kind) for kind in KINDS
    ]
    left = sum(e.hidden for e in display.entries)
    said = f"Saved: {' and '.join(counts)} with a display name, {left} not shown."
    st.session_state[TOLD] = (True, said if display.as_json() else "Everything is shown as in the files.")


def _changes(edited: pd.DataFrame, decimals: int | None) -> work.Changes:
    rows = edited.to_dict("records")
    placed = edited.dropna(subset="order").sort_values("order", kind="stable")
    return work.Changes(
        shown={(r["kind"], r["name"]): "" if words.absent(r["shown"]) else str(r["shown"]) for r in rows},
        order={kind: list(placed.loc[placed["kind"] == kind, "name"]) for kind in KINDS},
        hidden={(r["kind"], r["name"]): not r["show"] for r in rows},
        decimals=decimals,
    )


def _told() -> None:
    """What saving did, or why it did nothing."""
    done, said = st.session_state.pop(TOLD, (None, ""))
    with st.container(key="names-said"):
        if done:
            st.success(said, icon=":material/check_circle:")
        elif done is False:
            st.error(escape(said, 4000), icon=":material/error:")
