"""The parts of the page Factors: what is missing, the choice of factors, the finding, the chart, a factor looked up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from charts import words
from charts.factor_gaps import LOG_ODDS, POINTS, sort_factors
from data.queries import attributes as attribute_queries
from data.queries import texts as texts_queries
from data.queries.texts import FILE, Source
from data.remembered import known
from errors import JurylensError
from exports.drawings import factors as drawings
from studies import trust_words
from studies.extract import versions
from studies.factor_options import Factors, display, usual
from studies.factors_fit import FactorsFit
from studies.factors_gap import FactorsGap
from studies.factors_table import FactorsTable
from studies.factors_trust import FactorsTrust
from studies.interactions import SIGN, SIMILARITY
from studies.overview import escape
from studies.study import Result, hints
from ui import measuring, selection, session
from ui.ask import chosen, shown, widget
from ui.behind import open_pairs, shared_by
from ui.figure import figure
from ui.how_many import how_many
from ui.navigation import link
from ui.overview import nothing_loaded
from ui.remarks import sentences, told
from ui.take_away import as_csv, file_name
from ui.view import View
from ui.weights_alone import weights_alone

F = TypeVar("F", bound=Factors)
MOST, SPARE = 20, 5
"""Factors drawn until the reader asks for all; a few more are drawn at once rather than asked about."""
UNITS = {POINTS: "Win points", LOG_ODDS: "Log-odds"}



def _factors(seen: View) -> Mapping[str, Source]:
    """The factors of the dataset; looked for once, however many parts of a page ask."""
    assert seen.names is not None
    store, names = session.store(), seen.names
    with store.reading("looking for factors") as con:
        return known(("sources", names.dataset_id), lambda: texts_queries.sources(con, names, versions()))


def known_factors(seen: View) -> list[str]:
    """Names that can be asked for: numbers, flags and levels."""
    return [name for name, source in _factors(seen).items() if not source.labels]


def delivered_numbers(seen: View) -> list[str]:
    """Numbers that the files delivered of answers."""
    return [name for name, one in _factors(seen).items() if one.origin == FILE and not one.labels and one.level is None]


def meant(cls: type[F], known: list[str]) -> F:
    """The study that the address means; its widgets are drawn below what it says, by `ask`."""
    study = chosen(cls)
    # From an address of another dataset, or from before the texts were measured.
    return replace(study, factor=tuple(name for name in study.factor if name in known))


def ask(seen: View, study: Factors, known: list[str]) -> None:
    """The study's widgets: which factors, and what else it asks."""
    cls = type(study)
    own = [f for f in fields(cls) if f.name in ("coding", "position", "empty_texts", "margin", "fixed_models")]
    with st.container(horizontal=True, vertical_alignment="center"):
        choose_unit()
        for each in own:
            if not each.metadata["advanced"]:
                _field(cls, each, study)
        with st.popover("Choose factors", type="tertiary"):
            choose_factors(seen, study, known)
            _cross(seen, study)
        with st.popover("More options", type="tertiary"):
            for each in own:
                if each.metadata["advanced"]:
                    _field(cls, each, study)


def choose_factors(seen: View, study: Factors, known: list[str]) -> None:
    """Which factors the study is about."""
    st.session_state["w:factor"] = list(study.factor)
    st.multiselect(
        "Factors", known, key="w:factor", format_func=lambda name: shown(display(name)),
        placeholder=f"The usual {len(usual(_factors(seen)))}",
        on_change=selection.on_change("factor", "w:factor"),
        help="Nothing chosen: the usual ones that were measured, and all that the files delivered.",
    )  # fmt: skip


def _cross(seen: View, study: Factors) -> None:
    """Interactions: of the factors looked at with what is known of pairs, prompts and annotators."""
    assert seen.names is not None
    with session.store().reading("looking for attributes") as con:
        found = attribute_queries.attributes(con, seen.names)
    factors = list(study.factor) or usual(_factors(seen))
    offered = [f"{factor}{SIGN}{word}" for word in (*found, SIMILARITY) for factor in factors]
    st.session_state["w:interact"] = list(study.interact)
    st.multiselect(
        "Interactions", [*dict.fromkeys([*study.interact, *offered])], key="w:interact", accept_new_options=True,
        placeholder=f"Type one, as words{SIGN}hedges", format_func=_crossed,
        on_change=selection.on_change("interact", "w:interact"),
        help="Does a factor weigh more where something else is so? With another factor, or with what is known of the "
        "pair, the prompt or the annotator.",
    )  # fmt: skip


def _crossed(word: str) -> str:
    left, sign, right = word.partition(SIGN)
    return shown(f"{display(left)} × {display(right)}" if sign else word)


def _field(cls: type[Factors], each: object, study: Factors) -> None:
    name = each.name  # type: ignore[attr-defined]
    key = f"w:{name}"
    st.session_state[key] = getattr(study, name)
    widget(each, hints(cls)[name], getattr(study, name), key, selection.on_change(name, key))  # type: ignore[arg-type]


def choose_unit() -> None:
    """Whether gaps are told in win points or in log-odds."""
    st.session_state["w:unit"] = unit()
    st.segmented_control("Unit", list(UNITS), key="w:unit", format_func=UNITS.__getitem__, required=True,
                         on_change=selection.on_change("unit", "w:unit"), label_visibility="collapsed")  # fmt: skip


def unit() -> str:
    """Win points or log-odds."""
    return str(selection.page_word("unit", list(UNITS), POINTS))


def begin(seen: View) -> bool:
    """Whether there are factors to look at; else what there is to do about it is said."""
    if seen.names is None:
        nothing_loaded()
    weights_alone(seen)
    assert seen.names is not None
    n = measuring.n_unmeasured(seen)
    known = known_factors(seen)
    if known:
        measuring.offer(seen, n, first=False)
        return True
    if n:
        measuring.offer(seen, n, first=True)
        return False
    st.info(
        "This dataset has no texts to measure, and its files delivered no factors. Factors come with the columns "
        "`response_a` and `response_b`, as `NAME_a` and `NAME_b`, or in a table of their own.", icon=":material/info:",
    )  # fmt: skip
    link(seen, "Overview", "What this dataset shows", icon=":material/home:")
    link(seen, "Data", "Add a file with texts or factors", icon=":material/upload_file:")
    return False


def finding(seen: View, result: Result) -> DeltaGenerator:
    """The sentence that opens the page, and the line that lets one trust it.

    Returns the place for how far the weights may be believed, which takes longer: see `believe`.
    """
    gap_study = isinstance(result.study, FactorsGap)
    line = FactorsGap.overview([result]) if gap_study else FactorsFit.line(result)
    assert line is not None
    with st.container(key="finding"):
        st.markdown(f"**{line.finding}** {line.more}")
    st.caption(line.trust)
    place = st.empty()
    if gap_study:
        row = result.table("judges").iloc[0]
        behind = shared_by(str(result.settings["reference"]), str(row["judge"]))
        open_pairs(seen, behind, f"Read the {words.plural(int(row['pairs']), 'shared pair')}")
    return place


def believe(result: Result, place: DeltaGenerator) -> None:
    """How reliable the weights are and what they predict, told once the chart is there."""
    shared = {f.name: getattr(result.study, f.name) for f in fields(Factors)}
    try:
        said = trust_words.line(session.answer(FactorsTrust(**shared)))
    except JurylensError:
        # The section below says why there is none.
        return
    if said:
        place.caption(escape(said[:1].upper() + said[1:], 4000))


def draw(seen: View, result: Result, judge: str | None) -> None:
    """The chart: two judges' weights and their gap, or one judge's weights."""
    if judge is None:
        alone(seen, result)
    else:
        gap(seen, result, judge)


def gap(seen: View, result: Result, judge: str) -> None:
    """Both judges' weights and their gap."""
    gaps, reference = result.table("gaps"), str(seen.reference)
    names = {str(f): display(str(f)) for f in gaps["factor"]}
    most = _how_many(len(gaps))
    order = sort_factors(gaps)
    rows = order.table.assign(factor=[names[f] for f in order.factors])
    headings = {c: {"reference": reference, "judge": judge}.get(h, h) for c, h in (FactorsGap.shown or {}).items()}
    if not order.scaled:
        swap = {"gap_scaled": "gap", "scaled_interval": "interval", "scaled_q": "q"}
        headings = {swap.get(c, c): h.removeprefix("net ") for c, h in headings.items()}
    figure(
        drawings.gaps(result, judge, most, unit()),
        result, "gaps", key="factor-gaps", read=rows, columns=headings, more=lambda: _take_rows(result),
    )  # fmt: skip


def alone(seen: View, result: Result) -> None:
    """The weights of one judge, where there is nobody to hold it against."""
    table = result.table("factors")
    names = {str(f): display(str(f)) for f in table["factor"]}
    judge, most = str(table["judge"].iloc[0]), _how_many(len(table))
    figure(
        drawings.weights(result, judge, most, unit()),
        result, "factors", key="factor-weights", read=table.assign(factor=[names[str(f)] for f in table["factor"]]),
        columns=FactorsFit.shown, more=lambda: _take_rows(result),
    )  # fmt: skip


def _take_rows(result: Result) -> None:
    """A button for what the fit sees, one row a judgment; made when it is asked for."""
    study = FactorsTable(**{f.name: getattr(result.study, f.name) for f in fields(Factors)})
    where = session.store().as_in_files()
    st.download_button(
        "Rows of the fit as CSV", data=lambda: as_csv(study.run(where).table()), mime="text/csv",
        file_name=file_name(replace(result, study=study), "rows"), icon=":material/table_rows:", key="csv-rows",
        on_click="ignore", help="Verdict, shown order and scaled differences of each judgment, for any statistics "
        "program: what the command `factors table` prints.",
    )  # fmt: skip


def _how_many(rows: int) -> int:
    return rows if rows <= MOST + SPARE else how_many(rows, MOST, "factors")


def remarks(result: Result | None) -> None:
    """What must be known before believing the numbers."""
    if result is None or not result.warnings:
        return
    st.subheader("What to distrust", anchor=False)
    sentences(result)
    told(result.warnings)
