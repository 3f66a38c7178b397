"""What does each criterion weigh in the overall verdict, and on which do judge and people part?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import pandas as pd
import plotly.graph_objects as go

from charts import words
from charts.judge_rows import BEYOND, Look, judge_rows_chart
from charts.theme import Theme


def _weight(row: pd.Series) -> str:
    effect = words.estimate(row["effect"], row["effect_lower"], row["effect_upper"], 0)
    return (
        f"weight {words.estimate(row['weight'], row['lower'], row['upper'])}<br>preferred in {effect} % where this "
        f"criterion alone speaks for an answer<br>{words.plural(int(row['judgments']), 'verdict')}"
    )


WEIGHT = Look(
    value="weight", thing="criterion", things="criteria",
    title="weight in the overall verdict, log-odds (0: it does not matter)",
    note=f"The other criteria held equal. Filled: beyond noise (q < {words.fixed(BEYOND)}); hollow: within noise.",
    alt="What {things} weigh in the overall verdict of {judges}.", hover=_weight,
    empty="What makes the overall verdict of {judges} cannot be told.",
)  # fmt: skip


def _agreement(row: pd.Series) -> str:
    interval = "" if words.absent(row["lower"]) else f" [{words.share(row['lower'])}, {words.share(row['upper'])}]"
    return f"{words.share(row['agreement'])}{interval}<br>{words.plural(int(row['comparisons']), 'comparison')}"


AGREEMENT = Look(
    value="agreement", thing="criterion", things="criteria", title="share of comparisons with the same verdict",
    note="Each criterion by itself. The line: on the overall verdict.",
    alt="Agreement of {judges} with the reference on {things}.", hover=_agreement, ends=(0.0, 1.0), tested=False,
    sort=False, empty="On no criterion can {judges} be held against the reference.",
)  # fmt: skip


def criteria_chart(
    table: pd.DataFrame, judges: Sequence[str], theme: Theme, *, humans: Collection[str] = (), most: int | None = None,
    narrow: bool = False,
) -> go.Figure:  # fmt: skip
    """One row a criterion with each judge's weight and its interval, the largest first; hollow within noise.

    table : `weights` of the study `criteria`; customdata of each mark: [criterion]
    """
    table = table[table["criterion"] != "first_position"]
    return judge_rows_chart(table, judges, theme, WEIGHT, humans=humans, most=most, narrow=narrow)


def criterion_agreement_chart(
    table: pd.DataFrame, judge: str, overall: str, theme: Theme, *, humans: Collection[str] = (),
    most: int | None = None, narrow: bool = False,
) -> go.Figure:  # fmt: skip
    """One row a criterion with the judge's agreement on it, the least first.

    table : `criteria` of the study `criteria`; overall : the criterion whose agreement is the line
    """
    mine = table[table["judge"] == judge]
    line = mine.loc[mine["criterion"] == overall, "agreement"].dropna()
    look = replace(AGREEMENT, zero=float(line.iloc[0])) if len(line) else replace(
        AGREEMENT, note="Each criterion by itself.", zero=0.5
    )  # fmt: skip
    rest = mine[mine["criterion"] != overall].sort_values("agreement", kind="stable")
    return judge_rows_chart(rest, (judge,), theme, look, humans=humans, most=most, narrow=narrow)
