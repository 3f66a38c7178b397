"""After an import: straight to the first chart that holds people against models, and what else the file allows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from charts import words
from studies.overview import escape
from ui import session
from ui.allows import abilities
from ui.ask import shown
from ui.checked import report_of, to_import

MOST_LINKS = 3
"""People who are offered as the reference by a link each; more are chosen from a box."""


def arrived(report: dict[str, Any], name: str, rejects: Path, *, brief: bool = False, key: str = "mine") -> None:
    """What came in and where to go. brief : that alone"""
    dataset = str(report["dataset"])
    if report["accepted"]:
        is_ = "is" if report["accepted"] == 1 else "are"
        st.success(f"{to_import(report)} of {escape(name)} {is_} in {escape(dataset)}.", icon=":material/check_circle:")
    else:
        st.info(f"{escape(name)} added nothing to {escape(dataset)}: all of it was there already.",
                icon=":material/info:")  # fmt: skip
    links(report, key)
    if brief:
        return
    if "published" not in report:
        can = abilities(session.store(), dataset)
        lacking = [one for one in can if one.needs is not None]
        left, right = st.columns(2)
        with left:
            st.markdown("**You can now**\n" + "\n".join(f"- {one.what}" for one in can if one.needs is None))
        if lacking:
            with right:
                st.markdown("**Still lacking**\n" + "\n".join(f"- {one.needs}: to {one.what}" for one in lacking))
    with st.expander("What was read", expanded=bool(report["rejected"])):
        report_of(report, name, rejects)


def links(report: dict[str, Any], key: str) -> None:
    """To the first chart with a person and a model in it, and to the dataset."""
    dataset = str(report["dataset"])
    query = [("dataset", dataset)]
    with st.container(horizontal=True, key=f"onwards-{key}"):
        if "published" in report:
            st.page_link("pages/judges.py", label=f"Open {escape(dataset)}", icon=":material/arrow_forward:",
                         query_params=query)  # fmt: skip
            return
        held = sorted((j for j in report["judges"] if j["judgments"]), key=lambda j: -j["judgments"])
        people = [j["judge"] for j in held if j["kind"] == "human"]
        models = [j["judge"] for j in held if j["kind"] != "human"]
        names = [j["judge"] for j in held]
        if people and models:
            for person in people[:MOST_LINKS]:
                _compare(report, query, person, [n for n in names if n != person and n in models] or names)
        elif len(names) > 1:
            picked = st.selectbox("Whom are the other judges held against?", names, index=None,
                                  key=f"reference-of-new-{key}", format_func=shown,
                                  placeholder="Choose the reference judge")  # fmt: skip
            if picked is not None:
                query = [*query, *(("judge", n) for n in (picked, *(n for n in names if n != picked)))]
        st.page_link("pages/overview.py", label=f"Open {escape(dataset)}", icon=":material/home:", query_params=query)


def _compare(report: dict[str, Any], query: list[tuple[str, str]], person: str, models: list[str]) -> None:
    """Where models are named their rankings are held against each other, else the verdicts."""
    label = f"See {words.listing([escape(name, 40) for name in models], 3)} against {escape(person, 40)}"
    people = [("judge", name) for name in (person, *models)]
    ranked = report["models"] > 1
    st.page_link("pages/rankings.py" if ranked else "pages/judges.py", label=label,
                 icon=":material/compare_arrows:", query_params=[*query, *people])  # fmt: skip


