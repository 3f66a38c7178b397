"""How is each judge biased? Dots against a judge without the bias, all judges at once, what the data cannot show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from charts import words
from charts.audit import ROBUSTNESS, bias_name, percent, points
from charts.audit_matrix import worst
from data.own_models import set_own
from data.queries.examples import PairsBehind
from errors import JurylensError
from exports.drawings import judges as drawings
from studies.audit import Audit
from studies.audit_data import says_right
from studies.audit_words import finding, finding_of_all
from studies.overview import escape
from studies.study import Result
from ui import rankings, selection, session
from ui.ask import chosen, shown
from ui.figure import figure, show_table
from ui.how_many import how_many
from ui.notices import by_label
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

ONE, ALL = "one", "all"
VIEWS = {ONE: "One judge", ALL: "All judges"}

MOST = 15
"""Judges drawn until all are asked for."""

TOLD = "own-models-said"
"""Where the answer to a saved choice waits for the next run."""

SAID_SO, GUESSED, WARNED = "as the dataset says", "guessed from the names", "which models are their own was guessed"

VARIANTS = {
    "judge": "judge", "variant": "circumstance", "pairs": "pairs", "towards": "towards the cue", "away": "away",
    "accuracy_plain": "accuracy, plain", "accuracy": "with it", "change": "change of accuracy",
    "change_interval": "interval", "p": "p", "robustness": "robustness", "consistency": "of plain repeats",
}  # fmt: skip
OWN = {
    "judge": "judge", "own": "its own models", "own_rate": "picks its own", "reference_rate": "reference does",
    "dbg": "DBG", "dbg_interval": "DBG, interval", "equal_opportunity": "equal opportunity",
    "equal_opportunity_interval": "equal opportunity, interval", "pairs": "pairs",
}  # fmt: skip


def biases(seen: View) -> str | None:
    """The heading, the judge held against the reference on this page, and its biases. Returns that judge."""
    if seen.names is None or not seen.names.judges:
        return None
    compared = seen.reference is not None and bool(seen.others)
    right = seen.reference if compared else says_right(None, seen.names)
    judges = tuple(judge for judge in seen.judges if judge != right)
    if not judges:
        # Who says what is right is alone here, and nobody is held against it.
        return None
    st.subheader("How is it biased?", anchor=False)
    judge = rankings.choose_judge(seen) if compared else None
    view = _view(judges)
    of = judge or _alone(judges, view)
    who = judges if view == ALL else (of,)
    study = replace(chosen(Audit), judge=(right, *who) if right else who, own=(), reference=right)
    if study.ties != "half":
        study = replace(study, ties="half")
    result = attempt(study)
    if result is None:
        return judge
    if view == ALL:
        of_all(seen, result)
    else:
        of_one(seen, result, of)
    # Where one judge is looked at its own models stand above, with why they are.
    sentences(result, [text for text in result.warnings if view == ALL or not text.startswith(WARNED)])
    cannot_show(result, of if view == ONE else None)
    return judge


def _view(judges: tuple[str, ...]) -> str:
    if len(judges) < 2:
        return ONE
    view = str(selection.page_word("audit_show", list(VIEWS), ONE))
    st.session_state["w:audit_show"] = view
    st.segmented_control("Biases of", list(VIEWS), key="w:audit_show", format_func=VIEWS.__getitem__, required=True,
                         on_change=selection.on_change("audit_show", "w:audit_show"),
                         label_visibility="collapsed")  # fmt: skip
    return view


def _alone(judges: tuple[str, ...], view: str) -> str:
    """The judge looked at where nobody is held against a reference."""
    judge = str(selection.page_word("audit_of", list(judges), judges[0]))
    if len(judges) > 1 and view == ONE:
        st.session_state["w:audit_of"] = judge
        st.selectbox("Judge", list(judges), key="w:audit_of", format_func=shown,
                     on_change=selection.on_change("audit_of", "w:audit_of"))  # fmt: skip
    return judge


# -- one judge ------------------------------------------------------------------------------------------------------


def of_one(seen: View, result: Result, judge: str) -> None:
    """The finding, the dots, accuracy before and after, and its own models."""
    table = result.table("biases")
    st.markdown(finding(table, judge))
    st.caption(escape(trust(result, judge), 4000))
    figure(
        drawings.biases(result, judge), result, "biases",
        key="audit", columns={k: v for k, v in (Audit.shown or {}).items() if k != "judge"}, read=_named,
        pairs=lambda row: _behind(result, {"judge": judge} | dict(row)),
    )  # fmt: skip
    for row in result.table("self_preference").to_dict("records"):
        st.markdown(_own(row, result))
    for row in result.table("letters").to_dict("records"):
        st.markdown(_letters(row))
    own_models(seen, result, judge)
    variants = result.table("variants")
    if len(variants):
        with st.expander("Circumstances: before and after"):
            figure(
                drawings.circumstances(result, judge),
                result, "variants", key="audit-variants", folded=False,
                columns={k: v for k, v in VARIANTS.items() if k != "judge"},
                read=variants.assign(variant=[bias_name(str(v)) for v in variants["variant"]]),
            )  # fmt: skip


def trust(result: Result, judge: str) -> str:
    """n, clusters and the rule, in one line."""
    table, reference = result.table("biases"), result.settings.get("reference")
    mine = table[table["judge"] == judge]
    parts = []
    for bias, what in (("position_consistency", "pair in both orders"), ("accuracy", "verdict with a known answer"),
                       ("tie_rate", "verdict")):  # fmt: skip
        n = mine.loc[mine["bias"] == bias, "n"]
        if len(n):
            many = what.replace("pair in", "pairs in").replace("verdict", "verdicts")
            parts.append(words.plural(int(n.iloc[0]), what, many))
    if len(mine):
        parts.append(words.plural(int(mine["clusters"].max()), "cluster"))
    if reference is not None:
        parts.append(f"held against {reference}")
    return " · ".join([*parts, "flagged: q < .05 within the judge (Benjamini-Hochberg)"])


def _own(row: Mapping[Any, Any], result: Result) -> str:
    """Self-preference as two papers measure it, in a line."""
    reference, why = result.settings.get("reference"), set(result.table("own_models")["because"])
    guessed = ", guessed from their names" if GUESSED in why else ""
    text = f"**Its own models** ({escape(str(row['own']), 200)}{guessed}): picked in {percent(row['own_rate'])}"
    if not words.absent(row["reference_rate"]):
        by = f"by {escape(str(reference), 60)} in {percent(row['reference_rate'])}"
        text += f", {by}; {_gap(row, 'dbg')} points (DBG)"
    if not words.absent(row["equal_opportunity"]):
        less = float(row["equal_opportunity"]) < 0
        gap = _gap(row, "equal_opportunity", turned=less, signed=False)
        text += f"; right about its own {'less' if less else 'more'} often than about others by {gap} points"
    return f"{text}. {words.plural(int(row['pairs']), 'pair')}."


def _letters(row: Mapping[Any, Any]) -> str:
    """Verdicts by letter against verdicts by place, in a line."""
    ends = f"[{percent(row['letter_lower'])}, {percent(row['letter_upper'])}]"
    text = (
        f"the answer with the first letter is picked in {percent(row['letter'])} {ends}, {percent(row['shown_first'])} "
        f"where it stood first and {percent(row['shown_last'])} where it stood last; the first place, averaged over "
        f"letters, in {percent(row['place'])}. {words.plural(int(row['verdicts']), 'verdict')}."
    )
    return f"**Letters and places**: {escape(text, 400)}"


def _gap(row: Mapping[Any, Any], name: str, *, turned: bool = False, signed: bool = True) -> str:
    """In points. turned : the other way round; signed : with a plus where it is above 0"""
    value, low, high = (row[f"{name}{end}"] for end in ("", "_lower", "_upper"))
    if turned:
        value, low, high = (None if words.absent(one) else -one for one in (value, high, low))
    text = points({"excess": value, "excess_lower": low, "excess_upper": high})
    return escape(text if signed else text.removeprefix("+"), 100)


def own_models(seen: View, result: Result, judge: str) -> None:
    """Which models count as its own and why, to be set right."""
    assert seen.names is not None
    if not seen.names.models:
        return
    told = st.session_state.pop(TOLD, None)
    if told:
        st.caption(escape(str(told), 400))
    table = result.table("own_models")
    mine = table[table["judge"] == judge]
    dataset = seen.names.dataset
    with st.expander(f"Which are its own models? ({len(mine):,})", key=f"audit-own-{judge}"):
        because = f"Now: {mine['because'].iloc[0]}." if len(mine) else "Now: none of these models."
        st.caption(f"{because} What is saved here holds for this dataset, on every page and command.")
        # By judge and by what is in force: another judge's choice, or one that was taken back, does not linger.
        key = f"w:own-models-{judge}-{hash(tuple(mine['model']))}"
        own = st.multiselect("Its own models", list(seen.names.models), list(mine["model"]), key=key,
                             format_func=shown, placeholder="None of them")  # fmt: skip
        with st.container(horizontal=True):
            if st.button("Save", key="save-own", icon=":material/save:"):
                _save(dataset, judge, own, f"Saved: {words.plural(len(own), 'model')} of {judge}'s own.")
            said = not len(mine) or mine["because"].iloc[0] == SAID_SO
            if said and st.button("As families and names tell", key="forget-own", type="tertiary"):
                _save(dataset, judge, None, f"Families and names tell {judge}'s own models again.")


def _save(dataset: str, judge: str, own: list[str] | None, said: str) -> None:
    try:
        set_own(session.store(), dataset, {judge: own})
    except JurylensError as error:
        said = str(error)
    st.session_state[TOLD] = said
    st.rerun()


# -- all judges -----------------------------------------------------------------------------------------------------


def of_all(seen: View, result: Result) -> None:
    """The finding, judges × biases, and all in a table."""
    table = result.table("biases")
    st.markdown(finding_of_all(table))
    reference = result.settings.get("reference")
    held = f"held against {reference} · " if reference is not None else ""
    n = f"{words.plural(table['judge'].nunique(), 'judge')} · {words.plural(int(table['p'].notna().sum()), 'test')} · "
    st.caption(escape(f"{n}{held}flagged: q < .05 within the judge (Benjamini-Hochberg)", 4000))
    most = how_many(len(worst(table)), MOST, "judges", "audit_all")
    figure(
        drawings.bias_matrix(result, most), result, "biases", key="audit",
        columns=Audit.shown, read=_named, pairs=lambda row: _behind(result, row),
    )  # fmt: skip
    for name, columns, said in (("variants", VARIANTS, "Circumstances: before and after"),
                                ("self_preference", OWN, "Its own models against others")):  # fmt: skip
        some = result.table(name)
        if len(some):
            with st.expander(said):
                if "variant" in some:
                    some = some.assign(variant=[bias_name(str(v)) for v in some["variant"]])
                show_table(some, columns, key=f"audit-{name}")


# -- shared ---------------------------------------------------------------------------------------------------------


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """Biases by their names, those beyond noise first; the data that are taken away have their own."""
    order = table.assign(sure=~table["flagged"].fillna(False).astype(bool), none=table["p"].isna(),
                         away=-table["excess"].astype("Float64").abs())  # fmt: skip
    order = order.sort_values(["sure", "none", "away"], kind="stable")
    return table.loc[order.index].assign(bias=[bias_name(str(name)) for name in order["bias"]])


def _behind(result: Result, row: Mapping[Any, Any]) -> PairsBehind | None:
    """The pairs that a row counts. row : as `_named` has it"""
    names = {bias_name(str(bias)): str(bias) for bias in result.table("biases")["bias"].unique()}
    bias, judge = names.get(str(row["bias"]), str(row["bias"])), str(row["judge"])
    reference = result.settings.get("reference")
    if bias == "no_verdict":
        return PairsBehind((judge,), counted="no-verdict")
    if bias in ("accuracy", "length", "formatting", "self_preference") and reference is not None:
        return PairsBehind((str(reference), judge), shared=True, counted="given")
    if bias.endswith(ROBUSTNESS) or bias in set(result.table("variants")["variant"]):
        return PairsBehind((judge,), counted="given", variant=bias.removesuffix(ROBUSTNESS))
    return PairsBehind((judge,), counted="given")


def cannot_show(result: Result, judge: str | None) -> None:
    """What is missing and what would be needed, folded. judge : None for all of them"""
    gone = result.table("cannot_show")
    if judge is not None:
        gone = gone[gone["judge"] == judge]
    kinds = gone.drop_duplicates("bias")
    if not len(kinds):
        return
    with st.expander(f"What these data cannot show ({words.plural(len(kinds), 'bias', 'biases')})"):
        many = gone.groupby("bias")["judge"].nunique()
        lines = []
        for row in kinds.to_dict("records"):
            n = int(many[row["bias"]])
            whom = "" if judge is not None else f" ({words.plural(n, 'judge')})"
            text = f"{whom}: {row['why']}. Needed: {by_label(str(row['needed']), Audit)}."
            lines.append(f"- **{escape(bias_name(str(row['bias'])))}**{escape(text, 2000)}")
        st.markdown("\n".join(lines))
