"""What can be taken away from a chart: the figure, its data, a table and sources for a paper, the bundle, the command?

What is in the menu is drawn when it is opened, and each file is made when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from charts import words
from exports.drawings import Draw, Drawing
from exports.text import file_word
from studies import naming
from studies.study import Result
from ui import session

MIMES = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png"}
WIDTHS = {84: "One column (84 mm)", 174: "Two columns (174 mm)"}


@st.fragment
def menu(
    result: Result, frame: pd.DataFrame, name: str, key: str, more: Callable[[], None] | None = None,
    drawing: Drawing | Draw | None = None,
) -> None:  # fmt: skip
    """The menu of one chart. A fragment: to open it draws nothing else of the page anew.

    frame : the table behind the chart, called `name`; more : draws what else can be taken away, below the data
    drawing : the chart as it is seen; None where there is a table alone
    """
    with st.popover("Export", type="tertiary", icon=":material/ios_share:", key=f"menu-{key}",
                    on_change="rerun") as opened:  # fmt: skip
        if not opened.open:
            return
        own = _named(drawing, key, name)
        if own is not None:
            _figures(result, own, key)
        with st.container(horizontal=True, gap="small"):
            _button("Data as CSV", lambda: as_csv(frame, result), file_name(result, name), "text/csv", f"csv-{key}",
                    ":material/download:")  # fmt: skip
            _button("Table as LaTeX", lambda: _latex(result, name), file_name(result, name, "tex"),
                    "application/x-tex", f"latex-{key}")  # fmt: skip
            if _cited(result):
                _button("Sources as BibTeX", lambda: _bibtex(result), file_name(result, "references", "bib"),
                        "application/x-bibtex", f"bibtex-{key}")  # fmt: skip
        if more is not None:
            more()
        _button("The whole bundle (zip)", lambda: _bundle(result, own), file_name(result, "bundle", "zip"),
                "application/zip", f"bundle-{key}", ":material/folder_zip:",
                help="All figures and tables of this question, the caption, the sources, and what lets anyone compute "
                "the numbers again. Drawing takes a second or two for each figure.")  # fmt: skip
        st.caption("Caption")
        st.code(result.caption, language=None, wrap_lines=True)
        st.caption("The command that gives these numbers")
        command = naming.in_real_names(result.study, result.display).command_line(session.db_option())
        st.code(command, language="bash", wrap_lines=True)


def _named(drawing: Drawing | Draw | None, key: str, table: str) -> Drawing | None:
    """The chart with a name for its files."""
    if drawing is None or isinstance(drawing, Drawing):
        return drawing
    return Drawing(key, drawing, table)


def _figures(result: Result, drawing: Drawing, key: str) -> None:
    """The figure in three formats and two widths."""
    for mm, label in WIDTHS.items():
        with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"figures-{mm}-{key}"):
            st.caption(f"Figure, {label.lower()}", width=170)
            for kind, mime in MIMES.items():
                _button(kind.upper(), _figure(drawing, mm, kind), file_name(result, f"{drawing.name}-{mm}mm", kind),
                        mime, f"{kind}-{mm}-{key}", label=f"Figure as {kind.upper()}, {label.lower()}")  # fmt: skip


def _button(
    text: str, data: Callable[[], bytes], file: str, mime: str, key: str, icon: str | None = None,
    help: str | None = None, label: str | None = None,
) -> None:  # fmt: skip
    """label : what the button gives in more words than are on it"""
    wished = words.USUAL + words.more_decimals()

    def made() -> bytes:
        # It is made when it is asked for, by a thread that knows nothing of the decimals this page is shown with.
        with session.ahead.page(), words.decimals(wished):
            return data()

    st.download_button(text, data=made, file_name=file, mime=mime, icon=icon, key=key, on_click="ignore",
                       help=help or label)  # fmt: skip


def _figure(drawing: Drawing, mm: int, kind: str) -> Callable[[], bytes]:
    def made() -> bytes:
        from exports.figures import rendered

        return rendered(drawing.draw, mm, (kind,))[kind]

    return made


def _latex(result: Result, name: str) -> bytes:
    from exports.latex import latex_table

    return latex_table(result, name, width="text").encode()


def _cited(result: Result) -> bool:
    from exports.references import cite_keys

    return bool(cite_keys(result.study.command, result.settings))


def _bibtex(result: Result) -> bytes:
    from exports.references import bibtex

    return bibtex(result.study.command, result.settings).encode()


def _bundle(result: Result, own: Drawing | None) -> bytes:
    """With the chart as it is seen in place of the one that is drawn where nobody has chosen."""
    from exports import bundle
    from exports.drawings import drawings

    shown = [own] if own is not None else []
    shown += [one for one in drawings(result) if own is None or one.name != own.name]
    store = session.store()
    if any(naming.left_out(result.study, result.display).values()):
        # A page has no rows of what is hidden, which the numbers of a bundle have.
        result = result.study.run(store)
    return bundle.zipped(result, store, drawn=shown)


def as_csv(frame: pd.DataFrame, result: Result | None = None) -> bytes:
    """In full precision; cells that a spreadsheet would run as a formula are made harmless.

    result : whose table it is; judges and models then have the names of the files
    """
    from exports.text import as_csv as csv_text

    if result is not None:
        frame = naming.real_table(frame, result.display, result.study.command)
    return csv_text(frame).encode()


def file_name(result: Result, table: str, ending: str = "csv") -> str:
    """dataset-command-table.csv, of letters that every file system takes."""
    parts = (str(result.settings.get("dataset", "")), result.study.command, table)
    return f"{file_word('-'.join(parts), 120)}.{ending}"
