"""Which weights hold in every scenario, and where does one stand apart? Scenarios as dots along each factor's row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.gaps import MARGIN
from charts.theme import Mark, Theme, base, set_layout

BEYOND = 0.05
RAW, POOLED = 0.2, -0.12
"""Where raw strokes and pooled dots stand in a row, in rows from its middle."""


def pooled_chart(
    table: pd.DataFrame,
    heterogeneity: pd.DataFrame,
    theme: Theme,
    mark: Mark,
    *,
    columns: tuple[str, str] = ("weight", "pooled"),
    title: str = "weight, log-odds (0 = no effect)",
    most: int = 15,
    narrow: bool = False,
    labels: Mapping[str, str] | None = None,
) -> go.Figure:
    """One row a factor, the surest difference between scenarios first: a dot for each scenario's pooled value, a stroke
    for its raw one, a line for the interval of their mean; in colour where scenarios differ beyond noise.

    table, heterogeneity : of `factors pooled`, one judge's rows (and one kind of gap); columns : raw and pooled value
    customdata of each dot: [factor, scenario]
    """
    known = heterogeneity[heterogeneity["mean"].notna() & (heterogeneity["factor"] != "first_position")]
    if known.empty:
        return parts.empty("No factor could be weighed by scenario.", theme, narrow)
    names = labels or {}
    order = [str(f) for f in known["factor"]][:most]
    place = {factor: k for k, factor in enumerate(order)}
    fitted = parts.row_names([names.get(f, f) for f in order], 118.0 if narrow else 165.0, theme)
    shown = table[table["factor"].isin(order)]
    # A scenario that says nothing of a factor has the others' value alone.
    shown = shown[parts.numbers(shown, columns[0]) == parts.numbers(shown, columns[0])]
    head = known[known["factor"].isin(order)]
    raw, pooled = (parts.numbers(shown, name) for name in columns)
    sure = parts.numbers(head, "q") < BEYOND
    is_sure = dict(zip(map(str, head["factor"]), sure, strict=True))
    mean, mean_low, mean_high = (parts.numbers(head, name) for name in ("mean", "mean_lower", "mean_upper"))
    blank = np.full(2 * len(raw), np.nan)
    limits = parts.span(np.r_[raw, pooled, mean], np.r_[blank, mean_low], np.r_[blank, mean_high])
    figure = go.Figure()
    rows = np.arange(len(order), dtype=float)
    parts.add_intervals(
        figure, mean_low, mean_high, rows + POOLED, [mark.colour if one else theme.noise for one in sure], limits,
        "x", width=3.0,
    )  # fmt: skip
    at = np.array([place[str(f)] for f in shown["factor"]], dtype=float)
    hovers = [_hover(row, names, columns) for row in shown.to_dict("records")]
    beyond = np.array([bool(is_sure[str(f)]) for f in shown["factor"]], dtype=bool)
    for own in (False, True):
        some = np.flatnonzero(beyond == own)
        if not len(some):
            continue
        colour = mark.colour if own else theme.zero
        common = {"xaxis": "x", "yaxis": "y", "showlegend": False, "hoverinfo": "text", "cliponaxis": False}
        texts = [hovers[k] for k in some]
        figure.add_trace(go.Scatter(
            x=raw[some], y=at[some] + RAW, mode="markers", hovertext=texts, **common,
            marker={"symbol": "line-ns-open", "size": 7, "color": colour, "line": {"width": 1.2}},
        ))  # fmt: skip
        figure.add_trace(go.Scatter(
            x=pooled[some], y=at[some] + POOLED, mode="markers", hovertext=texts, **common,
            marker=parts.marker(Mark(colour, mark.symbol), theme, 7, hollow=not own),
            customdata=[[str(shown["factor"].iloc[k]), str(shown["scenario"].iloc[k])] for k in some],
        ))  # fmt: skip
    left = written.labels_width(fitted, theme.label) + 16
    right = MARGIN if narrow else 78.0
    room = parts.WIDTH[narrow] - left - right
    said = written.wrap(title, room, theme.small)
    bottom = parts.axis_height(len(said), theme)
    text = (
        "Each mark is a scenario, pooled with the others; the strokes below are the same, each alone. Bar: interval of "
        f"their mean. Filled: scenarios differ beyond noise (q < {words.fixed(BEYOND)})."
    )
    hidden = len(known) - len(order)
    if hidden > 0:
        text += f" The {words.plural(len(order), 'factor')} whose differences are surest; {hidden:,} more not shown."
    remark, taken = parts.note(text, theme, narrow, left, bottom)
    n = len(order)
    notes = [] if narrow else [
        parts.head("sd between", 1.0, theme, "left", muted=True),
        *(_side(k, value, theme) for k, value in enumerate(parts.numbers(head, "tau"))),
    ]  # fmt: skip
    top = theme.small * written.LINE + 12 if not narrow else 8.0
    set_layout(
        figure,
        margin={"l": left, "r": right, "t": top, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis(limits, said, theme, 5, anchor="y"),
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme, anchor="x"),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), parts.zero_line(n, "x", theme, 0.0)],
        annotations=[remark, *notes],
    )
    height = n * parts.row_height(fitted, theme, 30.0) + top + bottom + taken
    return base(figure, theme, height, _alt(head, names))


def one_factor_chart(
    table: pd.DataFrame,
    theme: Theme,
    mark: Mark,
    *,
    raw: tuple[str, str, str] = ("weight", "lower", "upper"),
    pooled: tuple[str, str, str] = ("pooled", "pooled_lower", "pooled_upper"),
    title: str = "weight, log-odds (0 = no effect)",
    narrow: bool = False,
) -> go.Figure:
    """One factor: a row a scenario, the largest pooled value first, pooled (filled) and raw (hollow) with intervals.

    table : rows of `factors pooled` of one judge and factor
    """
    table = table[table[pooled[0]].notna()]
    if table.empty:
        return parts.empty("This factor could not be weighed by scenario.", theme, narrow)
    table = table.sort_values(pooled[0], ascending=False, kind="stable")
    fitted = parts.row_names(map(str, table["scenario"]), 118.0 if narrow else 165.0, theme)
    values = [[parts.numbers(table, name) for name in three] for three in (pooled, raw)]
    limits = parts.span(*(np.r_[one, two] for one, two in zip(*values, strict=True)))
    n = len(table)
    figure = go.Figure()
    for k, (value, low, high) in enumerate(values):
        at = np.arange(n) + (0.18 if k else -0.16)
        colour = theme.zero if k else mark.colour
        parts.add_intervals(figure, low, high, at, [colour] * n, limits, "x")
        kind = "alone" if k else "pooled"
        texts = [
            f"<b>{written.escape(str(s))}</b><br>{kind}: {words.estimate(v, a, b)}"
            for s, v, a, b in zip(table["scenario"], value, low, high, strict=True)
        ]
        figure.add_trace(go.Scatter(
            x=value, y=at, mode="markers", xaxis="x", yaxis="y", showlegend=False, hoverinfo="text", hovertext=texts,
            cliponaxis=False, marker=parts.marker(Mark(colour, mark.symbol), theme, 8, hollow=bool(k)),
        ))  # fmt: skip
    left = written.labels_width(fitted, theme.label) + 16
    said = written.wrap(title, parts.WIDTH[narrow] - left - MARGIN, theme.small)
    bottom = parts.axis_height(len(said), theme)
    text = "Filled: pooled with the other scenarios. Hollow: the scenario alone, where it can be fitted."
    remark, taken = parts.note(text, theme, narrow, left, bottom)
    set_layout(
        figure,
        margin={"l": left, "r": MARGIN, "t": 8, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis(limits, said, theme, 5, anchor="y"),
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme, anchor="x"),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), parts.zero_line(n, "x", theme, 0.0)],
        annotations=[remark],
    )
    height = n * parts.row_height(fitted, theme, 30.0) + 8 + bottom + taken
    first = table.iloc[0]
    alt = f"{words.plural(n, 'scenario')}, the largest value in {first['scenario']} ({words.number(first[pooled[0]])})."
    return base(figure, theme, height, alt)


def _side(row: int, value: float, theme: Theme) -> dict[str, Any]:
    return {
        "text": words.number(float(value)) or "–", "showarrow": False, "xref": "paper", "yref": "y", "x": 1.0, "y": row,
        "xanchor": "left", "xshift": 10, "font": {"size": theme.small, "color": theme.muted},
    }  # fmt: skip


def _hover(row: Mapping[Any, Any], names: Mapping[str, str], columns: tuple[str, str]) -> str:
    raw, pooled = columns
    low = {"weight": "", "gap": "", "gap_scaled": "scaled_"}[raw]
    factor = str(row["factor"])
    return (
        f"<b>{written.escape(names.get(factor, factor))}</b> in {written.escape(str(row['scenario']))}<br>pooled "
        f"{words.estimate(row[pooled], row[f'{low}pooled_lower'], row[f'{low}pooled_upper'])}<br>alone "
        f"{words.estimate(row[raw], row[f'{low}lower'], row[f'{low}upper'])}<br>"
        f"{words.amounts(pair=int(row['pairs']), prompt=int(row['prompts']))}"
    )


def _alt(head: pd.DataFrame, names: Mapping[str, str]) -> str:
    sure = head[parts.numbers(head, "q") < BEYOND]
    listed = [
        f"{names.get(str(factor), str(factor))} (sd {words.number(tau)})"
        for factor, tau in zip(sure["factor"], sure["tau"], strict=True)
    ]
    differ = f"Scenarios differ in {words.listing(listed)}." if listed else "In none do scenarios differ beyond noise."
    return f"Values of {words.plural(len(head), 'factor')} by scenario. {differ}"
