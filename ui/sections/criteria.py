"""Which criteria make its overall verdict? Weights of each, agreement on each, how far they go together, orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
import streamlit as st

from charts import words
from charts.judge_rows import BEYOND
from data.queries.examples import PairsBehind
from exports.drawings import judges as drawings
from studies.criteria import JudgeCriteria
from studies.overview import PLURAL, escape
from ui.ask import chosen
from ui.figure import charts, figure, show_table
from ui.how_many import how_many
from ui.remarks import sentences
from ui.session import attempt
from ui.view import View

ALL = "criteria_all"
MOST = 15
WEIGHTS = {"judge": "judge", "criterion": "criterion", "weight": "weight of the criterion", "interval": "interval",
           "effect": "preferred, %", "q": "q", "judgments": "verdicts"}  # fmt: skip
TOGETHER = {"criterion_1": "criterion", "criterion_2": "and", "correlation": "correlation", "interval": "interval",
            "same": "same verdict", "correlation_ref": "reference", "difference": "difference",
            "difference_interval": "interval ", "q": "q"}  # fmt: skip
ORDERS = {"criterion": "criterion", "spearman": "Spearman", "spearman_interval": "interval",
          "corrected": "net of noise", "corrected_interval": "interval ", "models": "models",
          "pairs": "pairs"}  # fmt: skip


def draw(seen: View, judge: str | None) -> None:
    """The judge held against the reference, or the one there is."""
    judges = (str(seen.reference), judge) if judge is not None else (seen.judges[0],)
    result = attempt(replace(chosen(JudgeCriteria), judge=judges))
    if result is None:
        return
    weights, criteria, together = (result.table(name) for name in ("weights", "criteria", "correlations"))
    st.markdown(" ".join(findings(weights, result.table("weight_gaps"), criteria, judges, result.settings)))
    st.caption(
        "Weights hold the other criteria equal: one that goes along with another gets none of the other's credit. "
        "They say what the overall verdict goes with, which a judge may also have given first and explained after."
    )
    most = how_many(int((criteria["judge"] == judges[-1]).sum()), MOST, "criteria", ALL)
    figure(
        drawings.criteria(result, judges, most),
        result, "weights", key="criteria", columns=WEIGHTS,
        pairs=lambda row: _behind((str(row["judge"]),), row["criterion"]), point=lambda at: _behind(judges, at[0]),
    )  # fmt: skip
    mine = judges[-1]
    agreed = drawings.criterion_agreement(result, mine, most)
    if judge is not None and agreed is not None:
        st.markdown(f"**On which criteria does {escape(mine, 40)} agree least with {escape(judges[0], 40)}?**")
        charts(agreed, "criteria-agreement", lambda at: _behind(judges, at[0]))
        show_table(criteria[criteria["judge"] == mine], _without_judge(), key="criteria-agreement",
                   pairs=lambda row: _behind(judges, row["criterion"]))  # fmt: skip
    together = together[together["judge"] == mine]
    if len(together):
        st.markdown(f"**How alike are {escape(mine, 40)}'s verdicts on two criteria?** The closest first")
        closest = together.sort_values("correlation", ascending=False, kind="stable")
        show_table(closest, _together(judge), key="criteria-together")
    orders = result.table("orders")
    if len(orders):
        st.markdown("**Do both order the models alike on each criterion?**")
        known = orders["corrected"].notna().any()
        columns = {name: said for name, said in ORDERS.items() if known or not name.startswith("corrected")}
        show_table(orders, columns, key="criteria-orders")
    # Gaps of models, which a scale would make net of decisiveness, are not shown here.
    sentences(result, [text for text in result.warnings if not (text.startswith("models by") and "scale" in text)])


def _behind(judges: Sequence[str], criterion: object) -> PairsBehind | None:
    """The pairs that each of them judged on one criterion; those of the shown order are of none."""
    if criterion == "first_position":
        return None
    return PairsBehind(tuple(judges), shared=True, counted="given", criterion=str(criterion))


def _without_judge() -> dict[str, str]:
    return {name: said for name, said in (JudgeCriteria.shown or {}).items() if name != "judge"}


def _together(judge: str | None) -> dict[str, str]:
    alone = ("correlation_ref", "difference", "difference_interval", "q")
    return {name: said for name, said in TOGETHER.items() if judge is not None or name not in alone}


def findings(
    weights: pd.DataFrame, gaps: pd.DataFrame, criteria: pd.DataFrame, judges: Sequence[str],
    settings: Mapping[str, object],
) -> list[str]:  # fmt: skip
    """What weighs most, where the two part beyond noise, and on which criterion they agree least."""
    said = [_weighs(weights, judge) for judge in reversed(judges)]
    mine, reference = escape(judges[-1], 40), escape(judges[0], 40)
    if len(judges) > 1 and len(gaps):
        said.append(_parted(gaps, mine, reference, "give" if judges[-1].casefold() in PLURAL else "gives"))
    agreed = criteria[(criteria["judge"] == judges[-1]) & (criteria["criterion"] != settings["overall"])]
    agreed = agreed[agreed["agreement"].notna()].sort_values("agreement", kind="stable")
    if len(judges) > 1 and len(agreed):
        row = agreed.iloc[0]
        interval = "" if words.absent(row["lower"]) else f" [{words.share(row['lower'])}, {words.share(row['upper'])}]"
        span = escape(words.share(row["agreement"]) + interval)
        said.append(f"The two agree least on {escape(str(row['criterion']), 40)}: {span} of comparisons.")
    return said


def _parted(gaps: pd.DataFrame, mine: str, reference: str, verb: str) -> str:
    """On what the judge lays more and less weight, net of decisiveness where the scale rests on more than one."""
    net = int(gaps["scaled_q"].notna().sum()) > 1
    gap, q = ("gap_scaled", "scaled_q") if net else ("gap", "q")
    sure = gaps[(gaps["criterion"] != "first_position") & gaps[q].lt(BEYOND).fillna(False)]
    parts = []
    for word, sign in (("more", 1), ("less", -1)):
        some = [escape(str(name), 40) for name in sure.loc[sure[gap] * sign > 0, "criterion"]]
        parts += [f"{word} weight to {words.listing(some, 4)}"] if some else []
    how = "beyond noise, net of decisiveness" if net else "beyond noise"
    if not parts:
        return f"No criterion weighs differently with {reference}, {how}."
    return f"Held against {reference}, {mine} {verb} {' and '.join(parts)}, {how}."


def _weighs(weights: pd.DataFrame, judge: str) -> str:
    who = escape(judge, 40)
    mine = weights[(weights["judge"] == judge) & (weights["criterion"] != "first_position")]
    mine = mine.sort_values("weight", ascending=False, kind="stable")
    if mine.empty:
        return f"**What makes {who}'s overall verdict cannot be told.**"

    def named(k: int, verb: str = "") -> str:
        row = mine.iloc[k]
        weight = escape(words.estimate(row["weight"], row["lower"], row["upper"]))
        name = escape(str(row["criterion"]), 40)
        return f"{name} {verb} {weight}" if verb else f"{name} ({weight})"

    start = f"In {who}'s overall verdict"
    if len(mine) > 2:
        return f"**{start} {named(0)} weighs most and {named(-1)} least.**"
    return f"**{start} {' and '.join(named(k, 'weighs') for k in range(len(mine)))}.**"
