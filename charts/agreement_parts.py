"""Where, and when, does a judge agree with people, and how much more or less than other judges?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.gaps import MARGIN
from charts.judge_rows import BEYOND, Look
from charts.theme import Mark, Theme, base, marks, set_layout

COLUMNS = ("agreement", "lower", "upper")


@dataclass(frozen=True)
class Part:
    """One way of taking comparisons apart. table, thing : where it stands; things : several of them; sort : by value"""

    table: str
    thing: str
    things: str
    question: str
    sort: bool = False


MARGINS = Part("margins", "margin", "margins", "By margin of people's vote")
SCENARIOS = Part("scenarios", "scenario", "scenarios", "By scenario", sort=True)
CRITERIA = Part("criteria", "criterion", "criteria", "By criterion", sort=True)
LEAD = " Rows: by how much of people's votes their first label leads the second."
PERIODS = Part("periods", "period", "periods", "Over time")


def as_percent(table: pd.DataFrame, part: Part) -> pd.DataFrame:
    """The rows as they are drawn, in percent; parts without an order of their own with the lowest agreement first."""
    if part is PERIODS:
        table = table.assign(period=[_period(row) for row in table.to_dict("records")])
    out = table.assign(**{name: 100 * table[name].astype("Float64") for name in COLUMNS})
    return out.sort_values("agreement", kind="stable", ignore_index=True) if part.sort else out


def _period(row: Mapping[Any, Any]) -> str:
    start, end = str(row["start"]), str(row["end"])
    if start == end:
        return start
    # A whole month goes by its name.
    return start[:7] if start.endswith("-01") and start[:7] == end[:7] else f"{start} to {end}"


def part_look(part: Part, reference: str, overall: float, ties_left_out: bool) -> Look:
    """overall : share over all comparisons, where the line stands"""
    ends = "ties left out" if ties_left_out else "a tie is a label of its own"
    return Look(
        value="agreement", title="comparisons with the same verdict, %",
        note=f"The line: over all comparisons, {words.share(overall)}; {ends}." + (LEAD if part is MARGINS else ""),
        alt=f"Agreement of {{judges}} with {words.shorten(reference, 30)} in {{things}}.", hover=_hover,
        thing=part.thing, things=part.things, zero=100 * overall, ends=(0.0, 100.0), tested=False, sort=False,
        empty="No part has an agreement of {judges}.",
    )  # fmt: skip


def _hover(row: pd.Series) -> str:
    said = words.estimate(row["agreement"], row["lower"], row["upper"], 1)
    return f"{said} %<br>{words.amounts(comparison=int(row['comparisons']), pair=int(row['pairs']))}"


def difference_chart(
    table: pd.DataFrame, reference: str, judges: Sequence[str], theme: Theme, *, ties_left_out: bool = False,
    humans: Collection[str] = (), most: int | None = None, narrow: bool = False,
) -> go.Figure:  # fmt: skip
    """A row a judge, the best first: its agreement less that of the one that all are held against; hollow within noise.

    table : `differences` of the study `agreement`; judges : all of them, in the order in which marks are given
    customdata of each mark: [judge]
    """
    ending = "_no_ties" if ties_left_out else ""
    name = f"difference{ending}"
    known = table[table[name].notna()].sort_values(name, ascending=False, kind="stable")
    if known.empty:
        return parts.empty("No other judge has judged the same pairs.", theme, narrow)
    shown = known.head(most) if most else known
    drawn, others = marks(list(judges), humans, theme), [str(judge) for judge in shown["judge"]]
    against = theme.short(str(shown["against"].iloc[0]), 30)
    value, low, high = (100 * parts.numbers(shown, column) for column in (name, f"{name}_lower", f"{name}_upper"))
    sure = parts.numbers(shown, f"q{ending}") < BEYOND
    limits, rows = parts.span(value, low, high), np.arange(len(shown), dtype=float)
    look = [drawn[judge] if one else Mark(theme.noise, drawn[judge].symbol)
            for judge, one in zip(others, sure, strict=True)]  # fmt: skip
    figure = go.Figure()
    parts.add_intervals(figure, low, high, rows, [mark.colour for mark in look], limits, "x")
    for k, row in enumerate(shown.to_dict("records")):
        hover = (
            f"<b>{written.escape(others[k])}</b> less {written.escape(against)}<br>"
            f"{words.estimate(value[k], low[k], high[k], 1)} points<br>{words.plural(int(row['pairs']), 'pair')}"
        )
        figure.add_trace(
            go.Scatter(
                x=[value[k]], y=[k], mode="markers", name=others[k], showlegend=False, cliponaxis=False,
                marker=parts.marker(look[k], theme, 9, hollow=not sure[k]), hoverinfo="text", hovertext=[hover],
                customdata=[[others[k]]],
            )
        )  # fmt: skip
    fitted = parts.row_names(others, 118.0 if narrow else 190.0, theme)
    left = written.labels_width(fitted, theme.label) + 16
    axis = f"agreement less that of {against}, percentage points" + (", ties left out" if ties_left_out else "")
    title = written.wrap(axis, parts.WIDTH[narrow] - left - MARGIN, theme.small)
    bottom = parts.axis_height(len(title), theme)
    text = f"Right of the line: nearer to {theme.short(reference, 30)}. Filled: beyond noise (q < .05)."
    if len(shown) < len(known):
        text += f" The first {len(shown)} of {len(known):,} judges."
    remark, taken = parts.note(text, theme, narrow, left, bottom)
    n = len(others)
    set_layout(
        figure,
        margin={"l": left, "r": MARGIN, "t": 8, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis(limits, title, theme, 5, anchor="y"),
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme, anchor="x"),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), parts.zero_line(n, "x", theme)], annotations=[remark],
    )
    said = [f"{judge} {words.number(points, 1)}" for judge, points in zip(others[:5], value[:5], strict=True)]
    return base(figure, theme, n * parts.row_height(fitted, theme) + 8 + bottom + taken,
                f"Agreement less that of {against}, points: {words.listing(said, 5)}.")  # fmt: skip
