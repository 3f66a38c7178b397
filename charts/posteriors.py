"""What does the posterior of a judge's weights say? Beside another judge's, and scenario by scenario."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.factor_scenarios import scenario_matrix
from charts.judge_rows import Look, judge_rows_chart
from charts.theme import Theme


def posterior_chart(
    table: pd.DataFrame,
    judges: Sequence[str],
    theme: Theme,
    *,
    level: float,
    humans: Collection[str] = (),
    most: int | None = None,
    narrow: bool = False,
    labels: Mapping[str, str] | None = None,
) -> go.Figure:
    """One row a factor, one mark a judge with its posterior interval, filled where that leaves out 50.

    table : the table `factors` of the study `factors bayes`; level : of its intervals
    """
    # What is drawn as within noise is told by q; here by the interval.
    drawn = table.assign(q=np.where(leaves_out(table), 0.0, 1.0))
    return judge_rows_chart(drawn, judges, theme, _look(level), humans=humans, most=most, narrow=narrow, labels=labels)


def leaves_out(table: pd.DataFrame) -> np.ndarray:
    """(n_rows,) whether the interval of a weight leaves out 0."""
    return np.asarray((parts.numbers(table, "lower") > 0) | (parts.numbers(table, "upper") < 0))


def _look(level: float) -> Look:
    of = f"the {words.percent(level)} posterior interval"
    return Look(
        value="effect", lower="effect_lower", upper="effect_upper", zero=50.0, ends=(0.0, 100.0),
        title="wins of 100 where it alone differs (50 = no effect)",
        note=f"Filled: {of} leaves out 50; hollow: it holds 50. Pulled towards 50 by the prior.",
        alt="Posterior win points of {things} in the verdicts of {judges}.", hover=_hover,
        empty="No factor could be weighed for {judges}.",
    )  # fmt: skip


def _hover(row: pd.Series) -> str:
    points = words.estimate(row["effect"], row["effect_lower"], row["effect_upper"], 1)
    weight = words.estimate(row["weight"], row["lower"], row["upper"])
    return f"wins {points} of 100<br>weight {weight} log-odds<br>above 0 with probability {words.share(row['above_0'])}"


def posterior_scenario_chart(
    table: pd.DataFrame,
    judge: str,
    theme: Theme,
    *,
    level: float,
    most: int = 15,
    narrow: bool = False,
    labels: Mapping[str, str] | None = None,
) -> go.Figure:
    """A cell for each factor and scenario: win points above or below 50, coloured where the interval leaves out 50.

    table : the table `scenarios` of the study `factors bayes`, of one judge
    """
    if table.empty:
        return parts.empty(f"No scenario of {judge}'s verdicts could be weighed.", theme, narrow)
    names = labels or {}
    cells = pd.DataFrame({"factor": table["factor"].astype(str), "scenario": table["scenario"].astype(str)})
    cells["value"] = parts.numbers(table, "effect") - 50
    cells["lower"], cells["upper"] = (parts.numbers(table, f"effect_{end}") - 50 for end in ("lower", "upper"))
    cells["beyond"], cells["pairs"] = leaves_out(table), table["pairs"].to_numpy()

    def note(shown: pd.DataFrame) -> str:
        return (
            f"Win points of {judge}, above (+) or below (−) 50. Coloured: the {words.percent(level)} posterior "
            "interval leaves out 50; grey: it holds 50; ·: no answers differ in it."
        )

    def hover(cell: Mapping[Any, Any]) -> str:
        factor, scenario = str(cell["factor"]), str(cell["scenario"])
        points = words.estimate(50 + cell["value"], 50 + cell["lower"], 50 + cell["upper"], 1)
        return (
            f"<b>{written.escape(names.get(factor, factor))}</b> in {written.escape(scenario)}<br>wins {points} of 100"
            f"<br>{words.plural(int(cell['pairs']), 'pair')}"
        )

    return scenario_matrix(cells, theme, "Effects", note, hover, most=most, narrow=narrow, labels=labels)
