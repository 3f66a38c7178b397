"""Does a weight or a gap stay where it is when the same judgments are fitted otherwise?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.factor_gaps import POINTS, as_points
from charts.gaps import MARGIN
from charts.theme import Mark, Theme, base, set_layout

SYMBOLS = ("circle", "circle-open", "square", "square-open")
"""Filled: all answers; open: without empty texts. Circles: plain; squares: model strengths held equal."""


def variants_chart(
    table: pd.DataFrame,
    variants: Sequence[str],
    theme: Theme,
    *,
    columns: tuple[str, str, str],
    title: str,
    zero: float = 0.0,
    most: int = 10,
    narrow: bool = False,
    unit: str = POINTS,
    labels: Mapping[str, str] | None = None,
) -> go.Figure:
    """One row a factor, one mark with its interval for each way of fitting.

    table : rows of one judge with `variant`, `factor` and `columns` (value, lower, upper in log-odds)
    zero : what no effect is in the unit drawn: 50 for weights in win points, 0 for gaps
    most : how many factors, those that change most between the ways
    """
    names = labels or {}
    kept = table[table["variant"].isin(list(variants)) & table[columns[0]].notna()]
    if kept.empty:
        return parts.empty("Nothing could be fitted in any of these ways.", theme, narrow)
    order = _order(kept, columns[0])[:most]
    hidden = int(kept["factor"].nunique()) - len(order)
    fitted = parts.row_names([names.get(f, f) for f in order], 104.0 if narrow else 165.0, theme)
    present = [name for name in variants if (kept["variant"] == name).any()]
    rows = {factor: k for k, factor in enumerate(order)}
    drawn = kept[kept["factor"].isin(order)]
    value, low, high = (parts.numbers(drawn, name) for name in columns)
    if unit == POINTS:
        shift = 50.0 - zero
        value, low, high = (as_points(v) - shift for v in (value, low, high))
    limits = tuple(zero + end for end in parts.span(value - zero, low - zero, high - zero))
    figure = go.Figure()
    step = 0.8 / max(len(present), 1)
    head = []
    for k, name in enumerate(present):
        mine = (drawn["variant"] == name).to_numpy(dtype=bool)
        at = np.array([rows[str(f)] for f in drawn["factor"][mine]]) + (k - (len(present) - 1) / 2) * step
        colour = theme.text if "strengths" not in name and name != "both" else theme.judges[1]
        mark = Mark(colour, SYMBOLS[list(variants).index(name) % len(SYMBOLS)])
        parts.add_intervals(figure, low[mine], high[mine], at, [colour] * len(at), (limits[0], limits[1]), "x")
        figure.add_trace(
            go.Scatter(
                x=value[mine], y=at, mode="markers", name=name, showlegend=False, cliponaxis=False,
                marker=parts.marker(mark, theme, 8), hoverinfo="text", customdata=[[f] for f in drawn["factor"][mine]],
                hovertext=[
                    f"<b>{written.escape(names.get(str(f), str(f)))}</b><br>{name}: {words.estimate(v, a, b)}"
                    for f, v, a, b in zip(drawn["factor"][mine], value[mine], low[mine], high[mine], strict=True)
                ],
            )
        )  # fmt: skip
        head.append(f"{parts.glyph(mark, theme)} {name}")
    left = written.labels_width(fitted, theme.label) + 16
    room = parts.WIDTH[narrow] - left - MARGIN
    said = written.wrap(title, room, theme.small)
    bottom = parts.axis_height(len(said), theme)
    text = "Each mark with its interval; the same judgments, fitted otherwise."
    if hidden > 0:
        text += f" The {words.plural(len(order), 'factor')} that change most; {hidden:,} more are in the table."
    remark, taken = parts.note(text, theme, narrow, left, bottom)
    lines = head if narrow else [" &nbsp; ".join(head[k : k + 2]) for k in range(0, len(head), 2)]
    top = len(lines) * theme.label * written.LINE + 14
    n = len(order)
    set_layout(
        figure,
        margin={"l": left, "r": MARGIN, "t": top, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis((limits[0], limits[1]), said, theme, 5, anchor="y"),
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme, anchor="x"),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), parts.zero_line(n, "x", theme, zero)],
        annotations=[remark, parts.over("<br>".join(lines), theme, left)],
    )
    height = n * parts.row_height(fitted, theme, 14.0 * len(present) + 8) + top + bottom + taken
    alt = f"{words.plural(n, 'factor')}, each fitted in {words.plural(len(present), 'way')}: {', '.join(present)}."
    return base(figure, theme, height, alt)


def _order(table: pd.DataFrame, value: str) -> list[str]:
    """Factors whose value changes most between the ways first."""
    by = table.assign(_v=parts.numbers(table, value)).groupby("factor", sort=False)["_v"]
    spread = by.agg(lambda v: float(v.max() - v.min())).sort_values(ascending=False, kind="stable")
    return [str(f) for f in spread.index]
