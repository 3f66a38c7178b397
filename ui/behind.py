"""How does a number lead to the pairs it counts? One way for every table, chart and sentence.

A link is made from a `PairsBehind`, the same object from which the page of examples gets its condition; its label says
how many pairs stand there, counted by that page's own study.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from charts import words
from data.queries import Catalog
from data.queries.examples import PairsBehind
from errors import EmptySelectionError, JurylensError
from studies.examples import Examples
from studies.overview import escape
from ui import navigation, selection, session
from ui.view import View

ICON = ":material/menu_book:"
TICK = "Tick a row, or press Shift and Space on it, to read the pairs behind it."

Behind = Callable[[Mapping[Any, Any]], PairsBehind | None]
"""From a row of a table to the pairs that its number counts; None where there are none to read."""


def study_of(seen: View, behind: PairsBehind) -> Examples:
    """What the page of examples answers when the link is followed."""
    listed: dict[str, list[str]] = {}
    for key, value in navigation.query(seen, **behind.words()):
        listed.setdefault(key, []).append(value)
    study, _ = Examples.from_parameters(listed)
    return replace(study, criterion=behind.criterion or seen.study.criterion)


def pairs_link(behind: PairsBehind, said: str = "Read the {pairs} behind it") -> None:
    """A link to exactly these pairs, with their number; a grey sentence where there is none.

    said : the label, with {pairs} for "37 pairs"
    """
    seen = selection.current()
    try:
        n = int(session.answer(study_of(seen, behind)).values["pairs"])
    except EmptySelectionError:
        st.caption("There are no pairs to read behind it.")
        return
    except JurylensError as error:
        st.caption(escape(str(error), 4000))
        return
    text = said.format(pairs=words.plural(n, "pair")).replace("the 1 pair", "the pair")
    open_pairs(seen, behind, text)


def open_pairs(seen: View, behind: PairsBehind, label: str) -> None:
    """As `pairs_link` where the number is known already, and need not be counted while a page is drawn."""
    navigation.link(seen, "Examples", label, icon=ICON, **behind.words())


@st.fragment
def with_links(draw: Callable[[], Any], frame: pd.DataFrame, behind: Behind) -> None:
    """A table of which one row can be ticked, and below it that row's link.

    A fragment: a tick draws the table and its link anew and leaves charts and figures of the page alone.

    draw : draws the table and gives back its selection; frame : what it shows, in its order
    """
    chosen = [row for row in draw().selection.rows if row < len(frame)]
    if not chosen:
        st.caption(TICK)
        return
    found = behind(frame.iloc[chosen[0]].to_dict())
    if found is None:
        st.caption("This row counts no pairs.")
    else:
        pairs_link(found, "Read the {pairs} behind this row")


# -- what the numbers of more than one page count -------------------------------------------------------------------


def shared_by(reference: str, judge: str, model: str | None = None) -> PairsBehind:
    """What a comparison of two judges is fitted on, of one model or of all."""
    return PairsBehind((reference, judge), shared=True, model=model, fitted=model is not None)


def ranked_by(judge: str, row: Mapping[Any, Any]) -> PairsBehind:
    """What a row of a ranking counts: among the models with a strength, or all of a model that got none."""
    return PairsBehind((judge,), model=str(row["model"]), fitted=not words.absent(row["strength"]))


def of_everything(names: Catalog) -> PairsBehind:
    """All judgments of a dataset."""
    return PairsBehind(tuple(names.judges), counted="all", whole=True)


def of_cell(row: Mapping[Any, Any]) -> PairsBehind:
    """A cell of who judged what: verdicts of a judge in a scenario, or in none that is known."""
    return PairsBehind((str(row["judge"]),), counted="given", scenario=str(row["scenario"]))


def of_finding(row: Mapping[Any, Any], names: Catalog) -> PairsBehind | None:
    """A row of the health check: what it counts of the whole dataset; None where it counts no judgments."""
    everybody = tuple(names.judges)
    if row["rule"] == "no verdict":
        return PairsBehind((str(row["judge"]),), counted="no-verdict", whole=True)
    if row["rule"] == "unknown order":
        return PairsBehind(everybody, counted="unknown-order", whole=True)
    if row["rule"] == "identical rows":
        return PairsBehind((str(row["judge"]),), counted="identical", whole=True)
    return None
