"""The report on a page: what it will tell, the report itself as it will be read, and the files to take away."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import streamlit as st

from charts import words
from data.model import Progress
from errors import JurylensError
from exports import report as reports
from exports.text import file_word
from studies import naming
from studies.overview import escape
from studies.study import Result, Study
from ui import session
from ui.ask import ask
from ui.overview import nothing_loaded
from ui.view import View
from ui.weights_alone import weights_alone

MADE = "report-made"
"""Where the last report stays for as long as the window is open: (what it is of, its pages)."""

NO_PRINTER = "A PDF is printed by Chromium or Google Chrome, and none is found. Take the HTML: any browser prints it."

HEIGHT = 900
"""Pixels of the preview."""


def draw(seen: View) -> None:
    """The button that makes it, and the report with its files once it is made."""
    if seen.names is None:
        nothing_loaded()
    weights_alone(seen)
    st.markdown(
        f"**The whole story of {escape(str(seen.study.dataset))} on one page**, for somebody who never saw this app: "
        "what is in it, whom each judge prefers and why, where judges part, whether one may stand in for people, "
        "examples, what to distrust, methods and references. It needs no network and no program but a browser. To make "
        "it takes up to a minute."
    )
    st.caption(_of_whom(seen))
    study = replace(ask(reports.Report), judge=_judges(seen))
    key = _key(study, seen)
    made: tuple[str, str] | None = st.session_state.get(MADE)
    if made is not None and made[0] != key:
        st.caption("The report below is of another selection or of other data: make it anew for these.")
    if st.button("Make the report", type="primary" if made is None or made[0] != key else "secondary",
                 icon=":material/article:"):  # fmt: skip
        page = _made(study)
        if page is not None:
            st.session_state[MADE] = (key, page)
            st.rerun()
    if made is not None:
        _shown(seen, made[1], naming.in_real_names(study, seen.display))


def _of_whom(seen: View) -> str:
    """Who is told of, and against whom."""
    if seen.reference is None or not seen.others:
        who = escape(words.listing(list(seen.judges)), 400)
        return f"It tells of {who}, each alone. A reference can be chosen in the sidebar."
    others = escape(words.listing(list(seen.others)), 400)
    most = reports.MOST_JUDGES
    few = f" Of {len(seen.judges):,} judges it tells of the {most} with most judgments, unless fewer are chosen."
    return f"Held against {escape(str(seen.reference), 60)}: {others}.{few if len(seen.judges) > most else ''}"


def _judges(seen: View) -> tuple[str, ...]:
    """The reference first; none where nothing was chosen, so that a report takes those it has room for."""
    assert seen.names is not None
    everybody = len(seen.judges) == len(seen.offered("judge"))
    if seen.reference is None or (everybody and seen.names.humans == [seen.reference]):
        return () if everybody else seen.judges
    return (str(seen.reference), *seen.others)


def _key(study: Study, seen: View) -> str:
    """Of what a report is: the selection, what the dataset holds, and how it is shown."""
    return hashlib.sha256(repr((study, seen.facts, seen.display.written)).encode()).hexdigest()


def _made(study: reports.Report) -> str | None:
    """The report as HTML; a notice instead where nothing can be told."""
    from exports import report_page

    def answer(one: Study, progress: Progress) -> Result:
        return session.answer(one)

    bar = st.progress(0.0, "asking the studies")
    try:
        told = reports.story(study, session.store(), ask=answer,
                             progress=lambda done, text: _say(bar, 0.7 * done, text))  # fmt: skip
        return report_page.html(told, progress=lambda done, text: _say(bar, 0.7 + 0.3 * done, text))
    except JurylensError as error:
        session.notice(error, study)
        return None
    finally:
        bar.empty()


def _say(bar: st.delta_generator.DeltaGenerator, share: float, text: str) -> None:
    bar.progress(min(max(share, 0.0), 1.0), escape(text, 200))


def _shown(seen: View, page: str, study: reports.Report) -> None:
    """The files, the command, and the page as it will be read."""
    from exports import report_page

    name = f"report-{file_word(str(seen.study.dataset))}"
    printer = report_page.printer()
    with st.container(horizontal=True):
        st.download_button("Download HTML", data=page, file_name=f"{name}.html", mime="text/html", on_click="ignore",
                           icon=":material/download:")  # fmt: skip
        st.download_button(
            "Download PDF", data=lambda: report_page.pdf(page, name), file_name=f"{name}.pdf", mime="application/pdf",
            on_click="ignore", icon=":material/picture_as_pdf:", disabled=printer is None,
            help=None if printer else NO_PRINTER,
        )  # fmt: skip
    with st.expander("The command that makes this report"):
        st.code(f"{study.command_line(session.db_option())} --to report.html", language="bash", wrap_lines=True)
    st.iframe(page, height=HEIGHT, alt="The report as it will be read")
