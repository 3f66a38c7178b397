"""May each judge stand in for one of the people? How much less it agrees with the others, against the margin."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.gaps import MARGIN
from charts.theme import Theme, base, marks, set_layout

SIGNS = {"may stand in": "✓", "not": "✗", "undecided": "?"}
TITLE = "agreement with the other people's majority, judge minus person left out, percentage points"


def stand_in_chart(
    table: pd.DataFrame, margin: float, theme: Theme, *, humans: Collection[str] = (), most: int | None = None,
    narrow: bool = False,
) -> go.Figure:  # fmt: skip
    """A row a judge, the best first: its advantage with interval, the margin as a dashed line, its verdict as a sign.

    table : `judges` of the study `stand-in`; margin : a share; customdata of each mark: [judge]
    """
    table = table[table["advantage"].notna()].sort_values("advantage", ascending=False, kind="stable")
    if table.empty:
        return parts.empty("No judge shares enough pairs with people.", theme, narrow)
    n_all = len(table)
    table = table.head(most) if most else table
    judges = [str(name) for name in table["judge"]]
    named = [f"{SIGNS[str(v)]} {name}" for name, v in zip(judges, table["verdict"], strict=True)]
    fitted = parts.row_names(named, 128.0 if narrow else 200.0, theme)
    value, low, high = (100 * parts.numbers(table, name) for name in ("advantage", "lower", "upper"))
    limits = parts.span(np.r_[value, -100 * margin], np.r_[low, -100 * margin], np.r_[high, -100 * margin])
    drawn, rows = marks(judges, humans, theme), np.arange(len(judges), dtype=float)
    decided = [str(v) != "undecided" for v in table["verdict"]]
    colours = [drawn[j].colour if sure else theme.noise for j, sure in zip(judges, decided, strict=True)]
    figure = go.Figure()
    parts.add_intervals(figure, low, high, rows, colours, limits, "x")
    records = table.to_dict("records")
    for k, judge in enumerate(judges):
        figure.add_trace(
            go.Scatter(
                x=[value[k]], y=[k], mode="markers", name=judge, showlegend=False, cliponaxis=False,
                marker=parts.marker(drawn[judge], theme, 9, hollow=not decided[k]), hoverinfo="text",
                hovertext=[_hover(records[k])], customdata=[[judge]],
            )
        )  # fmt: skip
    left = written.labels_width(fitted, theme.label) + 16
    title = written.wrap(TITLE, parts.WIDTH[narrow] - left - MARGIN, theme.small)
    bottom = parts.axis_height(len(title), theme)
    text = (
        f"The line: as people. Dashed: {100 * margin:g} points less, the margin. ✓ may stand in: the "
        "whole interval lies right of the dashes; ✗ not: left of them; ? undecided."
    )
    if len(judges) < n_all:
        text += f" The first {len(judges)} of {n_all:,} judges."
    remark, taken = parts.note(text, theme, narrow, left, bottom)
    n = len(judges)
    dashes = parts.zero_line(n, "x", theme, -100 * margin)
    dashes["line"] = {"color": theme.text, "width": 1.2, "dash": "dash"}
    set_layout(
        figure,
        margin={"l": left, "r": MARGIN, "t": 8, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis(limits, title, theme, 5, anchor="y"),
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme, anchor="x"),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), parts.zero_line(n, "x", theme), dashes],
        annotations=[remark],
    )  # fmt: skip
    height = n * parts.row_height(fitted, theme) + 8 + bottom + taken
    said = [f"{r['judge']} {r['verdict']} ({words.number(100 * r['advantage'], 1)})" for r in records[:5]]
    return base(figure, theme, height, f"{TITLE}: {words.listing(said, 5)}.")


def _hover(row: Mapping[Any, Any]) -> str:
    # A single cluster gives no interval.
    points = words.points(row["advantage"], row["lower"], row["upper"])
    return (
        f"<b>{written.escape(str(row['judge']))}</b>: {row['verdict']}<br>{points} points<br>agrees in "
        f"{words.share(row['agreement'])}, people in {words.share(row['ceiling'])}<br>"
        f"{words.plural(int(row['pairs']), 'pair')}"
    )
