"""What should be judged next? The pairs of models that tell most, and the list of responses to judge as a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from charts import words
from data.queries.examples import PairsBehind
from exports.drawings import rankings as drawings
from studies.next_pairs import NextPairs
from studies.overview import escape
from studies.study import Result
from ui.ask import ask
from ui.figure import figure
from ui.remarks import sentences
from ui.sections.choices import one_judge
from ui.session import attempt
from ui.take_away import as_csv, file_name
from ui.view import View


def draw(seen: View, judge: str | None) -> None:
    """The plan for one judge, and its work list to take away."""
    who = one_judge(seen, "next")
    result = attempt(replace(ask(NextPairs), judge=(who,)))
    if result is None:
        return
    planned, listed = result.table("next"), result.table("work_list")
    row = result.table("judges").to_dict("records")[0]
    st.markdown(" ".join(findings(row, planned, result.table("widths"))))
    st.caption(trust(row, result))
    st.download_button(
        f"Work list: {words.plural(len(listed), 'pair')} of responses" if len(listed) else "No work list",
        data=lambda: as_csv(listed, result), file_name=file_name(result, "work_list"), mime="text/csv",
        icon=":material/download:", key="work-list", on_click="ignore", disabled=not len(listed),
        help="Prompts and responses in random order. Fill in the column `winner` (a, b, tie) and open the file on the "
        "page Data: it joins this dataset and needs no mapping. Rows left empty are left out.",
    )  # fmt: skip
    figure(drawings.next_pairs(result, who), result, "next", key="next",
           columns=NextPairs.shown, folded=False,
           pairs=lambda row: PairsBehind((who,), between=(str(row["model_1"]), str(row["model_2"]))))  # fmt: skip
    sentences(result)


def findings(row: Mapping[Any, Any], planned: pd.DataFrame, widths: pd.DataFrame) -> list[str]:
    """What the planned judgments would do, in words and numbers."""
    n, links = int(row["planned"]), int(row["links"])
    on = f"{words.plural(n, 'judgment')} on {words.plural(len(planned), 'pair')} of models"
    said = []
    if not n:
        return ["**Nothing can be planned here.**"]
    if links:
        joined = planned.loc[planned["expected_shrink"].isna(), "model_1"].nunique()
        said.append(
            f"**{words.plural(links, 'judgment')} first to give {words.plural(joined, 'model')} a strength at all.**"
        )
    if words.absent(row["mean_before"]):
        return [f"**{on} to begin with:** no strength is known yet, so they are spread over the models."]
    if n > links:
        if _half(row["mean_before"]) == _half(row["mean_after"]):
            said.append(
                f"**{on} would change little**: the mean interval stays at ±{_half(row['mean_before'])}; "
                f"{words.number(row['expected_shrink'], 0)} % of the strengths' variance would go."
            )
            return said
        gains = (widths["half_width"] - widths["half_width_after"]).to_numpy(dtype=float)
        best = widths.iloc[int(gains.argmax())]
        said.append(
            f"**{on} shrink the mean interval from ±{_half(row['mean_before'])} to ±{_half(row['mean_after'])}**, the "
            f"widest from ±{_half(row['widest_before'])} to ±{_half(row['widest_after'])}; most of all that of "
            f"{escape(str(best['model']))}, from ±{_half(best['half_width'])} to ±{_half(best['half_width_after'])}."
        )
    return said


def _half(width: Any) -> str:
    return words.number(width, 2 if float(width) < 10 else 0)


def trust(row: Mapping[Any, Any], result: Result) -> str:
    """What the plan rests on, in a line."""
    parts = [f"{words.plural(int(row['judgments']), 'judgment')} so far"]
    if not words.absent(row["design_effect"]) and row["design_effect"] > 1.1:
        parts.append(f"each new one worth {words.number(1 / row['design_effect'], 2)} of an independent one")
    aim = "mean variance" if result.settings["optimality"] == "A" else "joint uncertainty"
    parts += [f"chosen one after the other for the least {aim} of the strengths", words.ties(result.settings["ties"])]
    return escape(" · ".join(parts), 4000)
