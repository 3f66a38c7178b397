"""How often does each judge agree with people, beside people with one another? Then one judge, closer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from charts import words
from charts.ceiling import ALONE, MAJORITY, VOTES, Against
from exports.drawings import judges as drawings
from studies.agreement import JudgeAgreement
from studies.overview import escape
from studies.study import Result
from ui import agreement_parts, selection
from ui.ask import chosen
from ui.behind import shared_by
from ui.figure import figure
from ui.how_many import how_many
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

ALL, TIES, LEVEL = "people_all", "people_ties", "level_of"
MOST = 15
LEVELS = {"vote": "each vote", "majority": "their majority"}
LEFT_OUT = {"out": "left out", "label": "a label of their own"}


def draw(seen: View, judge: str | None) -> None:
    """All judges against people's own agreement, then the one that is looked at."""
    if judge is None or seen.reference is None:
        st.info("This holds judges against a reference: choose two judges in the sidebar.", icon=":material/info:")
        return
    study = replace(chosen(JudgeAgreement), judge=(str(seen.reference), *seen.others), between=False)
    found = with_ties(study)
    if found is None:
        return
    study, result = found
    table, out = result.table("judges"), study.ties == "drop"
    against = (MAJORITY if study.level_of == "majority" else VOTES).ties(out)
    if study.level_of == "majority" and not table[against.value].notna().any():
        against = ALONE.ties(out)
    # Where the judge that is looked at shares no pair with the reference, another one is.
    held = judge if judge in set(table["judge"]) else str(table["judge"].iloc[0])
    st.markdown(finding(table, held, against, str(seen.reference)))
    st.caption(trust(result, held, against))
    choices(study)
    most = how_many(int(table[against.value].notna().sum()), MOST, "judges", ALL)
    figure(
        drawings.agreement(result, held, most),
        result, "judges", key="with-people", columns=columns(out), read=_sorted(table, against.value),
        pairs=lambda row: shared_by(str(seen.reference), str(row["judge"])),
        point=lambda row: shared_by(str(seen.reference), str(row[0])),
    )  # fmt: skip
    agreement_parts.closer(seen, result, held, study, most)
    sentences(result)


def with_ties(study: JudgeAgreement) -> tuple[JudgeAgreement, Result] | None:
    """The study with ties as the address has them, and its answer.

    Unless it says so ties are left out where the reference has some: a judge that must choose cannot say them. Where
    only judges have ties these are verdicts not given, and leaving them out would praise the judge that says least.
    """
    ties = selection.page_word(TIES, list(LEFT_OUT))
    if ties == "label":
        study = replace(study, ties="half")
        result = attempt(study)
        return None if result is None else (study, result)
    study = replace(study, ties="drop")
    result = attempt(study)
    if result is None:
        return None
    cells = result.table("confusion")
    if ties is None and not cells.loc[cells["reference_says"] == "tie", "comparisons"].any():
        study = replace(study, ties="half")
        result = attempt(study)
    return None if result is None else (study, result)


def choices(study: JudgeAgreement) -> None:
    """What judges are held against, and what becomes of ties."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for word, label, options, value in (
            (LEVEL, "Held against", LEVELS, study.level_of),
            (TIES, "Ties", LEFT_OUT, "out" if study.ties == "drop" else "label"),
        ):
            st.session_state[f"w:{word}"] = value
            st.segmented_control(label, list(options), key=f"w:{word}", format_func=options.__getitem__, required=True,
                                 on_change=selection.on_change(word, f"w:{word}"))  # fmt: skip


def finding(table: pd.DataFrame, judge: str, against: Against, reference: str) -> str:
    """The judge's share against people's; of several judges also who is best, and how many stand above people."""
    row = table[table["judge"] == judge].iloc[0]
    who, people = escape(judge, 40), escape(reference, 40)
    what = "the majority of the others" if against.value.startswith("against") else people
    if words.absent(row[against.value]):
        return f"**No verdict of {who} can be held against {what} here.**"
    said = f"{who} agrees with {what} in {_share(row, against.value)} of comparisons"
    if not words.absent(row[against.ceiling]):
        said += f", {escape(against.beside(reference), 60)} in {_share(row, against.ceiling)}"
    text = f"**{said}.**"
    apart = "advantage_no_ties" if against.value.endswith("_no_ties") else "advantage"
    if against.value.startswith("against") and not words.absent(row[apart]):
        value, low, high = (
            None if words.absent(row[f"{apart}{end}"]) else 100 * float(row[f"{apart}{end}"])
            for end in ("", "_lower", "_upper")
        )
        text += f" On the same comparisons these are {escape(words.estimate(value, low, high, 1))} points apart."
    others = table[table[against.value].notna()]
    if len(others) > 2:
        shares = others[against.value].to_numpy(dtype=float)
        first, last = (others.iloc[int(at)] for at in (np.argmax(shares), np.argmin(shares)))
        text += (
            f" Of {words.plural(len(others), 'judge')} {escape(str(first['judge']), 40)} agrees most "
            f"({escape(words.share(first[against.value]))}), {escape(str(last['judge']), 40)} least "
            f"({escape(words.share(last[against.value]))})."
        )
        both = others[others[against.ceiling].notna()]
        above = int((both[against.value] >= both[against.ceiling]).sum())
        if len(both):
            text += (
                f" {above or 'Not one'} of the {len(both):,} reach{'es' if above < 2 else ''} people's agreement with "
                "one another."
            )
    return text


def _share(row: pd.Series, name: str) -> str:
    ends = [words.share(row[f"{name}_{end}"]) for end in ("lower", "upper")]
    return escape(words.share(row[name]) + (f" [{', '.join(ends)}]" if all(ends) else ""))


def trust(result: Result, judge: str, against: Against) -> str:
    """What the judge's share rests on, in one line."""
    table = result.table("judges")
    row: dict[Any, Any] = table[table["judge"] == judge].iloc[0].to_dict()
    out = against.value.endswith("_no_ties")
    sizes = [words.amounts(pair=int(row["pairs"]), prompt=int(row["prompts"]))]
    if against.value.startswith("agreement"):
        sizes.insert(0, words.plural(int(row["comparisons_no_ties" if out else "comparisons"]), "comparison"))
    parts = [
        ", ".join(sizes), "ties left out" if out else "a tie is a label of its own",
        f"{words.percent(result.settings['level'])} intervals by {row['clustering']}",
    ]  # fmt: skip
    if not words.absent(row["no_majority"]):
        against_all = row["agreement_no_ties" if out else "agreement"]
        parts.append(
            f"with the majority of all votes {words.share(against_all) or 'not defined'}, "
            f"{words.plural(int(row['no_majority']), 'pair')} without one"
        )
    return escape(" · ".join(parts), 4000)


def columns(ties_left_out: bool) -> dict[str, str]:
    """What the table shows: every figure with ties, or every figure without."""
    ending = "_no_ties" if ties_left_out else ""
    return {
        "judge": "judge", f"agreement{ending}": "agreement", f"agreement{ending}_interval": "interval",
        f"people{ending}": "people with one another", f"kappa{ending}": "kappa", f"ac1{ending}": "AC1",
        f"fleiss{ending}": "Fleiss", f"alpha{ending}": "alpha", f"against_others{ending}": "with others' majority",
        f"ceiling{ending}": "people left out", "pairs": "pairs", f"comparisons{ending}": "comparisons",
    }  # fmt: skip


def _sorted(table: pd.DataFrame, by: str) -> pd.DataFrame:
    return table.sort_values(by, ascending=False, kind="stable", ignore_index=True)
