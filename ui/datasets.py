"""Looking after what is loaded: the list, and of one dataset its judges, imports, health, name and end."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from charts import words
from data import datasets as work
from data import queries
from data.queries.published import published_judges
from errors import JurylensError
from studies.health import Health
from studies.overview import escape, with_code
from ui import session
from ui.ask import chosen
from ui.figure import foot, show_table
from ui.selection import set_word
from ui.view import View


def closed() -> None:
    """Why no file can be opened here, and where one can."""
    st.info(
        "This is a read-only demo: look at everything, nothing can be changed. To open files of your own, start "
        "Jurylens on your own computer, without JURYLENS\\_READ\\_ONLY.", icon=":material/lock:",
    )  # fmt: skip


def listing() -> None:
    """Every dataset with its size."""
    with session.store().reading("listing datasets") as con:
        table = queries.dataset_table(con)
    table["simulated"] = table["simulated"].map({True: "yes", False: ""})
    columns = {c: c for c in ("dataset", "judgments", "pairs", "prompts", "models", "scenarios", "judges", "simulated")}
    if table["published"].any():
        columns["published"] = "published judges"
    show_table(table, columns, key="datasets")


def one_dataset(seen: View) -> None:
    """Judges, imports and upkeep of the dataset chosen in the sidebar."""
    assert seen.names is not None
    assert seen.facts is not None
    name = seen.names.dataset
    st.subheader(escape(name), anchor=False)
    order = list(seen.names.judges)
    rows: list[dict[str, Any]] = sorted(seen.facts.judges, key=lambda one: order.index(one["judge"]))
    judges = pd.DataFrame(rows)
    if "annotators" in judges:
        judges["annotators"] = judges["annotators"].astype("Int64")
    if len(judges):
        told = judges.assign(kind=judges["kind"].map(words.KINDS))
        show_table(told, {c: c for c in told.columns}, key="judges")
    if seen.names.published:
        st.markdown("**Published weights**")
        with session.store().reading("listing published weights") as con:
            published = published_judges(con, seen.names.dataset_id)
        show_table(published.assign(kind=published["kind"].map(words.KINDS)), {c: c for c in published.columns},
                   key="published")  # fmt: skip
    imports(name)
    upkeep(name)


def imports(name: str) -> None:
    """The log: each import can be withdrawn."""
    st.markdown("**Imports**")
    with session.store().reading("showing imports") as con:
        log = queries.import_log(con, queries.catalog(con, name).dataset_id)
    for row in log.to_dict("records"):
        number = int(row["import"])
        with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"import-{number}"):
            beside = work.BESIDE.get(str(row["format"]))
            counted = (f"row of {beside}", f"rows of {beside}") if beside is not None else ("judgment",)
            read = f"{row['accepted']:,} of {words.plural(int(row['read']), *counted)} taken"
            if row["rejected"]:
                read += f", {row['rejected']:,} rejected"
            if row["duplicates"]:
                read += f", {row['duplicates']:,} already there"
            when = row["imported_at"].strftime("%Y-%m-%d %H:%M")
            said = f"{number}\\. **{escape(str(row['file']))}** · {read} · {row['format']} · {when}"
            st.markdown(said, width="stretch")
            if session.store().read_only:
                continue
            with st.popover("Withdraw", icon=":material/undo:"):
                st.markdown(
                    f"Afterwards {escape(name)} is as if this file had never been read. Judgments that a later file "
                    "holds too stay."
                )
                st.button("Withdraw it", type="primary", key=f"undo-{number}", on_click=_undo, args=(name, number))


def _undo(name: str, number: int) -> None:
    try:
        done = work.undo(session.store(), name, number)
    except JurylensError as error:
        st.session_state["told-error"] = str(error)
        return
    kept = f"; {words.plural(done.kept, 'judgment')} stay, because another file holds them too" if done.kept else ""
    removed = words.plural(done.removed, "judgment") if done.rows_of is None else (
        words.plural(done.removed, f"row of {done.rows_of}", f"rows of {done.rows_of}")
    )  # fmt: skip
    st.session_state["told"] = f"{removed} of {escape(done.file_name)} withdrawn{kept}."


def upkeep(name: str) -> None:
    """Rename and delete, where anything may be changed."""
    if session.store().read_only:
        return
    with st.container(horizontal=True):
        with st.popover("Rename", icon=":material/edit:"):
            st.text_input("New name", name, key=f"rename-{name}")
            st.button("Rename it", type="primary", key="rename-it", on_click=_rename, args=(name,))
        with st.popover("Delete", icon=":material/delete:"):
            lost = work.would_delete(session.store(), name)
            st.markdown(
                f"Deleting **{escape(name)}** loses {words.plural(lost.judgments, 'judgment')} on "
                f"{words.plural(lost.pairs, 'pair')} from {words.plural(lost.imports, 'import')}"
                + (f", and published weights of {words.plural(lost.published, 'judge')}" if lost.published else "")
                + ". This cannot be undone; the files they came from are not touched."
            )
            st.button("Delete for good", type="primary", key="delete-it", on_click=_delete, args=(name,))


def _rename(old: str) -> None:
    new = str(st.session_state[f"rename-{old}"]).strip()
    try:
        work.rename(session.store(), old, new)
    except JurylensError as error:
        st.session_state["told-error"] = str(error)
        return
    # Not `set_word`: the judges and scenarios chosen are still those of this dataset.
    st.session_state["words"] = st.session_state.get("words", {}) | {"dataset": [new]}
    st.session_state["changed"] = True
    st.session_state["told"] = f"{escape(old)} is now called {escape(new)}."


def _delete(name: str) -> None:
    try:
        lost = work.delete(session.store(), name)
    except JurylensError as error:
        st.session_state["told-error"] = str(error)
        return
    set_word("dataset", None)
    weights = f" and published weights of {words.plural(lost.published, 'judge')}" if lost.published else ""
    st.session_state["told"] = (
        f"{escape(lost.dataset)} was deleted with {words.plural(lost.judgments, 'judgment')}{weights}."
    )


def told() -> None:
    """What the last click did, or why it did nothing."""
    said, wrong = st.session_state.pop("told", None), st.session_state.pop("told-error", None)
    # Always a container, also an empty one: what stands below would else move up one place on the next run, be made
    # anew, and an open menu there would close under the hand.
    with st.container(key="told"):
        if said:
            st.success(said, icon=":material/check_circle:")
        if wrong:
            st.error(escape(wrong, 4000), icon=":material/error:")


def health() -> None:
    """What in this dataset to distrust, with remedies."""
    st.subheader("What to distrust", anchor=False)
    result = session.run(chosen(Health))
    table = result.table()
    if table.empty:
        st.markdown("Nothing stands out: the models are connected, no cell is thin, the shown order is known.")
    grave = {3: "grave", 2: "serious", 1: "worth knowing", 0: "note"}
    for row in table.to_dict("records"):
        strong = "**" if int(row["severity"]) >= 2 else ""
        st.markdown(
            f"- {strong}{escape(str(row['finding']), 4000)}{strong} *{with_code(str(row['remedy']))}* "
            f":gray[{grave.get(int(row['severity']), '')}]"
        )
    foot(result, table, "health", "health")
