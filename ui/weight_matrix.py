"""The matrix of each judge's weights on a page: its finding, what stands behind it, the chart, what to distrust."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from charts import words
from charts.factor_gaps import POINTS, as_points
from charts.rows import numbers
from charts.weight_cells import BEYOND, PUBLISHED, Figures
from data.queries import published as published_queries
from data.remembered import known
from exports.drawings import factors as drawings
from studies.factor_options import display
from studies.factor_words import agree, lower
from studies.factors_matrix import PUBLISHED as OTHERS
from studies.factors_matrix import FactorsMatrix
from studies.overview import escape
from studies.study import Result
from ui import selection, session
from ui.ask import shown
from ui.behind import of_cell
from ui.figure import figure
from ui.navigation import link
from ui.remarks import sentences
from ui.view import View

MOST = 4
"""Judges drawn at once."""

OF = "matrix_of"
PUBLISHED_COLUMNS = {"judge": "judge", "factor": "factor", "scenario": "scenario", "weight": "weight"}


def draw(
    result: Result, judges: Sequence[str], humans: Sequence[str], figures: Figures, unit: str = POINTS,
    choose: Callable[[], object] | None = None,
) -> None:  # fmt: skip
    """Finding, chart with its table, remarks. judges : in the order in which they are drawn

    choose : draws what is to be chosen of the chart, above it
    """
    weights = result.table("weights")
    names = {str(f): display(str(f)) for f in weights["factor"].unique()}
    there = [judge for judge in judges if judge in set(weights["judge"])]
    st.markdown(finding(weights, there, names, figures))
    st.caption(trust(result))
    if choose is not None:
        choose()
    read = weights.assign(
        factor=[names[str(f)] for f in weights["factor"]],
        size=np.nan_to_num(np.abs(numbers(weights, figures.value)), nan=-1.0),
    ).sort_values("size", ascending=False, kind="stable").drop(columns="size")  # fmt: skip
    figure(
        drawings.weight_matrix(result, judges, figures, unit, humans),
        result, "weights", key="weight-matrix", folded=False, read=read,
        columns=FactorsMatrix.shown if figures.q else PUBLISHED_COLUMNS, pairs=of_cell if figures.q else None,
    )  # fmt: skip
    sentences(result)


def published(seen: View) -> None:
    """On the page of judges: the matrix of up to four judges as others published their weights."""
    assert seen.names is not None
    if not seen.names.published:
        return
    store, dataset = session.store(), seen.names.dataset_id
    with store.reading("looking for published judges") as con:
        kinds: dict[str, str] = known(
            ("published judges", dataset), lambda: _kinds(published_queries.published_judges(con, dataset))
        )
    st.subheader("How does each judge weigh each factor in each scenario?", anchor=False)
    judges = _choose(seen, kinds)
    result = session.attempt(FactorsMatrix(dataset=seen.names.dataset, judge=judges, source=OTHERS))
    if result is not None:
        draw(result, judges, [judge for judge, kind in kinds.items() if kind == "human"], PUBLISHED)
    if seen.names.judges and seen.names.scenarios:
        link(seen, "Scenarios", "The same of the judgments here", icon=":material/category:", open="weight_matrix")


def _kinds(table: pd.DataFrame) -> dict[str, str]:
    return dict(zip(map(str, table["judge"]), map(str, table["kind"]), strict=True))


def _choose(seen: View, known: Mapping[str, str]) -> tuple[str, ...]:
    """The judges whose weights are drawn; the reference, or people, unless others are chosen."""
    asked = st.session_state["words"].get(OF, [])
    if any(judge not in known for judge in asked):
        selection.drop_word(OF)
        asked = []
    humans = [judge for judge, kind in known.items() if kind == "human"]
    usual = seen.reference if seen.reference in known else (humans or list(known))[0]
    judges = tuple(dict.fromkeys(asked))[:MOST] or (str(usual),)
    st.session_state[f"w:{OF}"] = list(judges)
    st.multiselect(
        f"Published weights of (up to {MOST})", list(known), key=f"w:{OF}", format_func=shown, max_selections=MOST,
        on_change=selection.on_change(OF, f"w:{OF}"),
    )  # fmt: skip
    return judges


# -- in words ---------------------------------------------------------------------------------------------------------


def finding(weights: pd.DataFrame, judges: Sequence[str], names: Mapping[str, str], figures: Figures) -> str:
    """What each judge rewards and punishes most, beyond noise where that is known, and where two of them part."""
    told = [_one(weights[weights["judge"] == judge], judge, names, figures) for judge in judges]
    more = [_two(weights, judges[0], other, names, figures) for other in judges[1:]]
    return " ".join([*told, *filter(None, more)])


def _one(mine: pd.DataFrame, judge: str, names: Mapping[str, str], figures: Figures) -> str:
    who = escape(judge, 40)
    value = numbers(mine, figures.value)
    n = int(np.isfinite(value).sum())
    drawn = value if not figures.q else np.where(numbers(mine, figures.q) < BEYOND, value, np.nan)
    found = int(np.isfinite(drawn).sum())
    if figures.q and not found:
        return f"**None of {words.plural(n, 'weight')} of {who} is beyond noise in its scenario.**"
    parts = []
    for verb, sign in (("rewards", 1.0), ("punishes", -1.0)):
        signed = np.where(sign * drawn > 0, sign * drawn, -np.inf)
        if np.isfinite(signed).any():
            at = int(np.argmax(signed))
            parts.append(f"{agree(judge, verb)} {_cell(mine.iloc[at], names)} most ({_wins(drawn[at])} of 100)")
    if not parts:
        return f"**All published weights of {who} are 0.**"
    told = f"**{who} {' and '.join(parts)}.**"
    if not figures.q:
        return told
    return f"{told} {found:,} of {words.plural(n, 'weight')} {'is' if found == 1 else 'are'} beyond noise."


def _two(weights: pd.DataFrame, one: str, other: str, names: Mapping[str, str], figures: Figures) -> str:
    """Where the signs of two judges are opposite, both beyond noise; of published weights where they are furthest."""
    sides = [weights[weights["judge"] == judge] for judge in (one, other)]
    both = sides[0].merge(sides[1], on=["factor", "scenario"], suffixes=("", "_other"), how="inner")
    if both.empty:
        return ""
    here, there = numbers(both, figures.value), numbers(both, f"{figures.value}_other")
    if figures.q:
        sure = (numbers(both, figures.q) < BEYOND) & (numbers(both, f"{figures.q}_other") < BEYOND)
        apart = np.where(sure & (here * there < 0), np.abs(here - there), np.nan)
        if not np.isfinite(apart).any():
            return ""
        n = int(np.isfinite(apart).sum())
        order = np.argsort(-np.nan_to_num(apart, nan=-1.0), kind="stable")[: min(n, 3)]
        listed = [_cell(both.iloc[int(k)], names) for k in order]
        more = f" and {n - len(listed)} more" if n > len(listed) else ""
        return (
            f"Of opposite sign, both beyond noise, for {escape(one, 40)} and {escape(other, 40)}: "
            f"{', '.join(listed)}{more}."
        )
    at = int(np.argmax(np.nan_to_num(np.abs(here - there), nan=-1.0)))
    return (
        f"{escape(other, 40)} is furthest from {escape(one, 40)} in {_cell(both.iloc[at], names)}: "
        f"{_wins(there[at])} of 100 against {_wins(here[at])}."
    )


def _cell(row: pd.Series, names: Mapping[str, str]) -> str:
    return f"{escape(lower(names[str(row['factor'])]), 40)} in {escape(str(row['scenario']), 40)}"


def _wins(weight: float) -> str:
    return words.number(float(as_points(np.array(weight))), 0)


def trust(result: Result) -> str:
    """n and method in a line, and when to look elsewhere."""
    weights, judges = result.table("weights"), result.table("judges").to_dict("records")
    size = (
        f"{words.plural(int(weights['factor'].nunique()), 'factor')} in "
        f"{words.plural(int(weights['scenario'].nunique()), 'scenario')}"
    )
    if result.settings["source"] == OTHERS:
        each = [
            f"{words.shorten(str(row['judge']), 40)}: {words.plural(int(row['weights']), 'weight')}" for row in judges
        ]
        return escape(f"{'; '.join(each)}, of {size}, as published; no intervals.", 4000)
    each = [
        f"{words.shorten(str(row['judge']), 40)}: {words.plural(int(row['judgments']), 'judgment')} on "
        f"{words.plural(int(row['pairs']), 'pair')}" for row in judges
    ]  # fmt: skip
    clusters = result.settings["clustering"]
    independent = (
        "judgments taken as independent" if clusters == "none" else f"noise by {clusters.replace('+', ' and ')}"
    )
    return escape(
        f"{'; '.join(each)}; {size}; {independent}. These are weights, not gaps: a more decisive judge has larger ones "
        "throughout; where two judges part is asked of the gaps. What holds on average over scenarios is asked under "
        "“Which weights hold in every scenario?”.", 4000,
    )  # fmt: skip
