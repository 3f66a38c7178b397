"""Which of the published properties of answers does this dataset have, and what would have to be annotated?"""

from __future__ import annotations

from dataclasses import fields, replace

import streamlit as st

from charts import words
from exports.drawings import methods as drawings
from studies.factors_properties import FactorsProperties
from studies.factors_sheet import FactorsSheet
from studies.overview import escape
from studies.study import Result
from ui import session
from ui.ask import ask
from ui.figure import figure
from ui.remarks import sentences
from ui.session import attempt
from ui.take_away import as_csv, file_name
from ui.view import View


def draw(seen: View, judge: str | None) -> None:
    """The section: on all judgments of the selection, whoever gave them."""
    result = attempt(replace(ask(FactorsProperties), judge=seen.judges))
    if result is None:
        return
    pairs = int(result.values["pairs"])
    st.markdown(finding(result))
    st.caption(
        f"{words.plural(pairs, 'pair')} with a judgment. Prefer these properties to factors of your own where weights "
        "are to stand beside the published ones of 33 judges, which are of these, coded by signs, and of nothing else."
    )
    if result.values["lacks"]:
        _sheet(result)
    figure(
        drawings.properties(result)[0],
        result, "properties", key="properties", columns=FactorsProperties.shown, folded=False,
    )  # fmt: skip
    sentences(result)


def finding(result: Result) -> str:
    """What there is and what is missing, in a sentence."""
    table, has = result.table("properties"), int(result.values["has"])
    there = [str(name) for name in table.loc[table["factor"].notna(), "property"]]
    lacking = [str(name) for name in table.loc[table["factor"].isna(), "property"]]
    if not has:
        return f"**This dataset has none of the {len(table)} published properties.**"
    if not lacking:
        return f"**This dataset has all {len(table)} published properties.**"
    which = f"It has {escape(words.quoted(there, 4))}" if has <= len(lacking) else (
        f"It lacks {escape(words.quoted(lacking, 4))}"
    )  # fmt: skip
    return f"**This dataset has {has} of the {len(table)} published properties.** {which}."


def _sheet(result: Result) -> None:
    """Buttons for the sheet and what its columns mean; made when they are asked for."""
    study = FactorsSheet(**{f.name: getattr(result.study, f.name) for f in fields(FactorsProperties)})
    where, named = session.store().as_in_files(), replace(result, study=study)

    def table(name: str) -> bytes:
        return as_csv(study.run(where).table(name))

    with st.container(horizontal=True):
        st.download_button(
            "Annotation sheet as CSV", data=lambda: table("sheet"), file_name=file_name(named, "sheet"),
            mime="text/csv", icon=":material/edit_note:", key="csv-sheet", on_click="ignore",
            help="One row an answer, an empty column for each property that is missing. Fill in what you can and open "
            "the file on the page Data: it joins this dataset as factors.",
        )  # fmt: skip
        st.download_button(
            "What each column means", data=lambda: table("codebook"), file_name=file_name(named, "codebook"),
            mime="text/csv", icon=":material/menu_book:", key="csv-codebook", on_click="ignore",
        )  # fmt: skip
