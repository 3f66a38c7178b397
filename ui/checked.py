"""What would an import take, what not and why, and what will the health check say? The report of a dry run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import streamlit as st

from charts import words
from studies.overview import escape, with_code
from ui.notices import sentence
from ui.verdicts import KINDS

READ_AS = {"number": "numbers", "flag": "yes or no", "label": "words", "set": "sets of labels"}
COUNTS = {"Read": "read", "Accepted": "accepted", "Rejected": "rejected", "Already there": "duplicates"}
SHOWN = 4
"""Findings of the health check that are seen without a click."""


def to_import(report: dict[str, Any]) -> str:
    """How many of what an import takes."""
    if "factors" in report:
        return words.plural(report["accepted"], "row of factors", "rows of factors")
    if "published" in report:
        return words.plural(report["accepted"], "published weight")
    return words.plural(report["accepted"], "judgment")


def report_of(report: dict[str, Any], name: str, rejects: Path) -> None:
    """What was, or would be, taken; what not, and why; what there is to distrust."""
    with st.container(horizontal=True, key="tiles"):
        for label, count in COUNTS.items():
            with st.container(border=True, gap="xxsmall"):
                st.metric(label, f"{report[count]:,}")
    if "nothing" in report:
        st.warning(escape(sentence(report["nothing"], ()), 4000), icon=":material/block:")
    else:
        st.markdown(_contents(report))
    health(report)
    rejected(report, name, rejects)
    if report["inferred"]:
        with st.expander(f"What was taken for granted ({len(report['inferred'])})"):
            for text in report["inferred"]:
                st.markdown(f"- {escape(text, 1000)}")


def _contents(report: dict[str, Any]) -> str:
    """Who and what is in it, in a line."""
    if "factors" in report:
        found = [f"{escape(one['factor'], 40)} ({READ_AS[one['kind']]})" for one in report["factors"]]
        return f"Factors: {words.listing(found, 12)}."
    key, count = ("published", "weights") if "published" in report else ("judges", "judgments")
    judges = [f"{escape(j['judge'], 40)} ({KINDS[j['kind']]}, {j[count]:,})" for j in report[key]]
    what = "Judges with published weights" if key == "published" else "Judges"
    size = [(report["pairs"], "pair"), (report["prompts"], "prompt"), (report["models"], "model"),
            (report["scenarios"], "scenario")]  # fmt: skip
    there = ", ".join(words.plural(n, noun) for n, noun in size if n)
    return f"{what}: {words.listing(judges, 8)}." + (f" The dataset then has {there}." if there else "")


def health(report: dict[str, Any]) -> None:
    """What the health check will say once the file is in; nothing where it was not asked."""
    found = report.get("health")
    if found is None:
        return
    if not found:
        st.success("The health check will find nothing: models connected, no cell thin, shown order known.",
                   icon=":material/health_and_safety:")  # fmt: skip
        return
    st.markdown(f"**What the health check will say** ({words.plural(len(found), 'finding')})")
    lines = [
        f"- {'**' if one['severity'] >= 2 else ''}{escape(one['finding'], 4000)}{'**' if one['severity'] >= 2 else ''} "
        f"*{with_code(one['remedy'])}*"
        for one in found
    ]
    st.markdown("\n".join(lines[:SHOWN]))
    if len(lines) > SHOWN:
        with st.expander(f"{len(lines) - SHOWN} more"):
            st.markdown("\n".join(lines[SHOWN:]))


def rejected(report: dict[str, Any], name: str, rejects: Path) -> None:
    """The rows that are not taken: reasons counted, the first ones in full, all of them to download."""
    if not report["rejected"]:
        return
    st.markdown("**Rejected, and why**")
    reasons = sorted(report["reasons"].items(), key=lambda item: (-item[1], item[0]))
    st.markdown("\n".join(f"- {n:,} × {escape(reason, 400)}" for reason, n in reasons[:5]))
    columns = ["line", "column", "value", "reason"]
    table = pd.DataFrame(report["rejections"]).reindex(columns=columns)
    st.dataframe(table.astype(object).where(table.notna(), ""), hide_index=True, key="rejected")
    if rejects.exists():
        st.download_button(f"All {words.plural(report['rejected'], 'rejected row')} as CSV", key="rejects-csv",
                           data=rejects.read_bytes, file_name=f"{name}-rejects.csv", mime="text/csv",
                           icon=":material/download:", on_click="ignore")  # fmt: skip
