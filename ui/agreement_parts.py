"""One judge's agreement with people taken apart: verdict by verdict, by margin, scenario, criterion, time, judge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from charts import words
from charts.agreement_parts import CRITERIA, MARGINS, PERIODS, SCENARIOS, Part
from charts.judge_rows import BEYOND
from data.queries.examples import PairsBehind
from exports.drawings import judges as drawings
from studies.agreement import JudgeAgreement
from studies.overview import PLURAL, escape
from studies.study import Result
from ui import selection
from ui.behind import ICON
from ui.figure import charts, fold, show_table
from ui.navigation import link
from ui.session import attempt
from ui.view import View

WORD = "people_view"
CONFUSION, DIFFERENCES = "confusion", "differences"
PARTS = {part.table: part for part in (MARGINS, SCENARIOS, CRITERIA, PERIODS)}
NAMES = {CONFUSION: "Verdict by verdict", **{name: part.question for name, part in PARTS.items()},
         DIFFERENCES: "Against other judges"}  # fmt: skip
PART = {"agreement": "agreement", "interval": "interval", "comparisons": "comparisons", "pairs": "pairs",
        "clusters": "clusters"}  # fmt: skip
LEADS = {
    "no majority": "where people have no majority", "unanimous": "where they are unanimous",
    "up to a third": "where their majority leads by up to a third of the votes",
    "up to two thirds": "where it leads by up to two thirds", "more": "where it leads by more",
}  # fmt: skip
CELLS = {"reference_says": "reference says", "judge_says": "judge says", "comparisons": "comparisons",
         "share": "share of all", "share_of_reference": "share of the reference's"}  # fmt: skip


def closer(seen: View, result: Result, judge: str, study: JudgeAgreement, most: int) -> None:
    """The views that there is something to say in, one at a time. most : judges that are drawn where all are"""
    mine = {name: _of(result, name, judge) for name in (CONFUSION, *PARTS)}
    # A single part says nothing that the whole has not said.
    known = [name for name, table in mine.items() if name == CONFUSION or table["agreement"].notna().sum() > 1]
    if len(result.table("judges")) > 1:
        known.append(DIFFERENCES)
    view = str(selection.page_word(WORD, known, CONFUSION))
    if len(known) > 1:
        st.session_state[f"w:{WORD}"] = view
        st.segmented_control("A closer look", known, key=f"w:{WORD}", required=True,
                             format_func=NAMES.__getitem__,
                             on_change=selection.on_change(WORD, f"w:{WORD}"))  # fmt: skip
    if view == CONFUSION:
        _confusion(seen, result, mine[view], judge)
    elif view == DIFFERENCES:
        _differences(seen, judge, study, most)
    else:
        _part(seen, result, mine[view], PARTS[view], judge)


def _of(result: Result, table: str, judge: str) -> pd.DataFrame:
    found = result.table(table)
    return found[found["judge"] == judge].reset_index(drop=True)


def _confusion(seen: View, result: Result, table: pd.DataFrame, judge: str) -> None:
    reference = str(seen.reference)
    st.markdown(confused(table, reference, judge))
    charts(drawings.confusion(result, judge), "confusion")
    fold("confusion", lambda: show_table(table, CELLS, key="confusion"))
    parted = table[(table["reference_says"] != "tie") & (table["judge_says"] != "tie")]
    if (parted.loc[parted["reference_says"] != parted["judge_says"], "comparisons"] > 0).any():
        link(seen, "Examples", "Read the pairs on which their majorities take opposite sides", icon=ICON,
             judge=[reference, judge], disagree="opposite")  # fmt: skip


def _s(judge: str) -> str:
    """Ends the verb of a judge: people agree, gpt-4 agrees."""
    return "" if judge.casefold() in PLURAL else "s"


def confused(table: pd.DataFrame, reference: str, judge: str) -> str:
    """What the judge says where the reference prefers an answer, and how often each ties."""
    n = {(str(r["reference_says"]), str(r["judge_says"])): int(r["comparisons"]) for r in table.to_dict("records")}
    sides = [(one, two) for one in ("a", "b") for two in ("a", "b", "tie")]
    decided = sum(n.get(at, 0) for at in sides)
    who, people, whole = escape(judge, 40), escape(reference, 40), sum(n.values())
    if not decided or not whole:
        return f"**{people} say{_s(reference)} nothing but ties on the pairs of {who}.**"
    same, tied = n.get(("a", "a"), 0) + n.get(("b", "b"), 0), n.get(("a", "tie"), 0) + n.get(("b", "tie"), 0)
    of = [escape(words.share(count / decided)) for count in (same, decided - same - tied, tied)]
    which = f"the same in {of[0]}, the other in {of[1]} and neither in {of[2]}" if tied else (
        f"the same in {of[0]} and the other in {of[1]}"
    )  # fmt: skip
    said = (
        f"**Of {decided:,} comparisons in which {people} prefer{_s(reference)} an answer, {who} prefer{_s(judge)} "
        f"{which}.**"
    )
    mine = sum(count for (_, two), count in n.items() if two == "tie")
    theirs = sum(count for (one, _), count in n.items() if one == "tie")
    if mine or theirs:
        shares = [escape(words.share(count / whole)) for count in (mine, theirs)]
        said += f" {who} tie{_s(judge)} in {shares[0]} of all {whole:,}, {people} in {shares[1]}."
    return said


def _part(seen: View, result: Result, table: pd.DataFrame, part: Part, judge: str) -> None:
    reference = str(seen.reference)
    st.markdown(_drift(result, judge) if part is PERIODS else parted(table, part, judge))
    charts(drawings.agreement_by(result, judge, part), f"agreement-{part.table}")
    heads = {"start": "from", "end": "to"} if part is PERIODS else {part.thing: part.thing}
    linked = part is SCENARIOS
    fold(f"agreement-{part.table}", lambda: show_table(
        table, heads | PART, key=f"agreement-{part.table}",
        pairs=(lambda row: _in_scenario(reference, judge, row)) if linked else None,
    ), linked=linked)  # fmt: skip


def _in_scenario(reference: str, judge: str, row: Mapping[Any, Any]) -> PairsBehind:
    return PairsBehind((reference, judge), shared=True, scenario=str(row["scenario"]))


def parted(table: pd.DataFrame, part: Part, judge: str) -> str:
    """Where a judge agrees least and most; of margins from the narrowest to the widest."""
    known = table[table["agreement"].notna()]
    if part is MARGINS:
        narrow, wide = (f"{_share(row)} {LEADS[str(row['margin'])]}" for _, row in known.iloc[[0, -1]].iterrows())
        return f"**{escape(judge, 40)} agrees in {narrow}, and in {wide}.**"
    ordered = known.sort_values("agreement", kind="stable")
    first, last = (f"{escape(str(row[part.thing]), 60)}, {_share(row)}" for _, row in ordered.iloc[[0, -1]].iterrows())
    who = escape(judge, 40)
    said = f"**{who} agrees least in {first}, and most in {last}.**"
    apart = float(ordered["upper"].iloc[0] or 1) < float(ordered["lower"].iloc[-1] or 0) if (
        ordered[["lower", "upper"]].iloc[[0, -1]].notna().all(axis=None)
    ) else False  # fmt: skip
    return said if apart else f"{said} Their intervals overlap: that they differ is not shown."


def _share(row: Mapping[Any, Any] | pd.Series) -> str:
    ends = [words.share(row[end]) for end in ("lower", "upper")]
    return escape(words.share(row["agreement"]) + (f" [{', '.join(ends)}]" if all(ends) else ""))


def _points(row: pd.Series, *names: str) -> str:
    """A difference of shares with its ends, in percentage points."""
    value, low, high = (None if words.absent(row[name]) else 100 * float(row[name]) for name in names)
    return escape(words.estimate(value, low, high, 1))


def _drift(result: Result, judge: str) -> str:
    """The slope in words."""
    trend, who = _of(result, "trends", judge), escape(judge, 40)
    if trend.empty or words.absent(trend["slope"].iloc[0]):
        return f"**Whether {who}'s agreement drifts cannot be told.**"
    row = trend.iloc[0]
    points = _points(row, "slope", "lower", "upper")
    days = words.plural(int(row["days"]), "day")
    if words.absent(row["q"]) or row["q"] >= BEYOND:
        return f"**{who}'s agreement does not drift beyond noise: {points} points in 30 days**, over {days}."
    goes = "rises" if row["slope"] > 0 else "falls"
    return f"**{who}'s agreement {goes}: {points} points in 30 days**, beyond noise, over {days}."


def _differences(seen: View, judge: str, study: JudgeAgreement, most: int) -> None:
    """All others held against this judge, on the pairs that both and the reference have judged."""
    reference = str(seen.reference)
    # The first judge after the reference is the one that all others are held against.
    result = attempt(replace(study, judge=(reference, judge, *(one for one in seen.others if one != judge))))
    if result is None:
        return
    table, out = result.table("differences"), study.ties == "drop"
    st.markdown(differing(table, judge, reference, out))
    charts(
        drawings.differences(result, seen.others, most), "differences",
    )  # fmt: skip
    ending = "_no_ties" if out else ""
    heads = {
        "judge": "judge", "against": "minus", f"difference{ending}": "difference",
        f"difference{ending}_interval": "interval", f"p{ending}": "p", f"q{ending}": "q",
        f"agreement{ending}": "agreement", f"agreement_against{ending}": "of the other", "pairs": "pairs",
    }  # fmt: skip
    read = table.sort_values(f"difference{ending}", ascending=False, kind="stable", ignore_index=True)
    fold("differences", lambda: show_table(read, heads, key="differences", pairs=lambda row: PairsBehind(
        (reference, judge, str(row["judge"])), shared=True)), linked=True, expanded=len(table) < 4)  # fmt: skip


def differing(table: pd.DataFrame, judge: str, reference: str, ties_left_out: bool) -> str:
    """Who agrees more and who less than this judge, beyond noise; of a single other judge the difference itself."""
    ending = "_no_ties" if ties_left_out else ""
    name, who, people = f"difference{ending}", escape(judge, 40), escape(reference, 40)
    known = table[table[name].notna()]
    if known.empty:
        return f"**No other judge has judged the pairs that {who} and {people} judged.**"
    sure = (known[f"q{ending}"].astype("Float64") < BEYOND).fillna(False).to_numpy(dtype=bool)
    value = known[name].to_numpy(dtype=float)
    if len(known) == 1:
        row = known.iloc[0]
        points = _points(row, name, f"{name}_lower", f"{name}_upper")
        more = "more" if value[0] > 0 else "less"
        beyond = "beyond noise" if sure[0] else "within noise"
        return (
            f"**{escape(str(row['judge']), 40)} agrees with {people} {more} than {who} does, by {points} percentage "
            f"points, {beyond}**, on the {words.plural(int(row['pairs']), 'pair')} that both have judged."
        )
    counts = [int((sure & (value > 0)).sum()), int((sure & (value < 0)).sum()), int((~sure).sum())]
    best = known.iloc[int(np.argmax(value))]
    points = _points(best, name, f"{name}_lower", f"{name}_upper")
    return (
        f"**Of {len(known):,} other judges {counts[0] or 'none'} agree{'s' if counts[0] < 2 else ''} with {people} "
        f"more than {who} does, {counts[1] or 'none'} less, beyond noise;** {counts[2]} cannot be told from it. The "
        f"most: {escape(str(best['judge']), 40)}, {points} points."
    )
