"""What does a judge say where people say a, b or tie?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.colour import channels, ink
from charts.colour import written as as_hex
from charts.theme import Theme, base, set_layout

SAYS = {"a": "a", "b": "b", "tie": "tie"}
CELL = {False: (120.0, 50.0), True: (72.0, 48.0)}
"""Width and height of a cell in pixels, by `narrow`."""


def confusion_chart(
    table: pd.DataFrame, reference: str, judge: str, theme: Theme, *, narrow: bool = False
) -> go.Figure:  # fmt: skip
    """A row a label of the reference, a column a label of the judge: how many comparisons, and their share of the row.

    table : `confusion` of the study `agreement`, one judge's rows; customdata of each cell: [label, label]
    """
    table = table[table["comparisons"] > 0]
    if table.empty:
        return parts.empty(f"No verdict of {judge} can be held against {reference}.", theme, narrow)
    # A label that one of them never uses has no row, or no column.
    theirs, its = ([name for name in SAYS if name in set(table[who])] for who in ("reference_says", "judge_says"))
    n, m = len(theirs), len(its)
    counts = np.zeros((n, m))
    for row in table.to_dict("records"):
        counts[theirs.index(str(row["reference_says"])), its.index(str(row["judge_says"]))] = row["comparisons"]
    shares = counts / counts.sum(axis=1, keepdims=True)
    low, high = channels(theme.second), channels(theme.people)
    names = (theme.short(reference, 20), theme.short(judge, 20))
    hover = [[_hover(names, one, two, counts[i, j], shares[i, j]) for j, two in enumerate(its)]
             for i, one in enumerate(theirs)]  # fmt: skip
    figure = go.Figure(
        go.Heatmap(
            z=shares, x=list(range(m)), y=list(range(n)), zmin=0, zmax=1, showscale=False, xgap=2, ygap=2,
            colorscale=[[0.0, as_hex(low)], [1.0, as_hex(high)]], hoverinfo="text", hovertext=hover,
            customdata=[[[one, two] for two in its] for one in theirs],
        )
    )  # fmt: skip
    texts, inks = [], []
    for share, count in zip(shares.ravel(), counts.ravel(), strict=True):
        texts.append(f"<b>{words.share(share)}</b><br>{int(count):,}")
        inks.append(ink(low + share * (high - low)))
    figure.add_trace(
        go.Scatter(
            x=[j for _ in theirs for j in range(m)], y=[i for i in range(n) for _ in its], mode="text", text=texts,
            textfont={"color": inks, "size": theme.small}, hoverinfo="skip", showlegend=False,
        )
    )  # fmt: skip
    said = f"In bold the share of what {names[0]} said; framed: the same verdict."
    if theme.is_print:
        # Long names on every row and column would take more room than the figures.
        said = (
            f"Rows: what {names[0]} said; columns: what {names[1]} said. "
            "In bold the share of the row; framed: the same verdict."
        )
    before = "" if theme.is_print else f"{names[0]}: "
    rows = parts.row_names([before + SAYS[one] for one in theirs], 90.0 if narrow else 180.0, theme)
    left = written.labels_width(rows, theme.label) + 14
    width, height = CELL[narrow]
    head, fitted = _heads(names[1], its, width, theme)
    top = fitted * theme.label * written.LINE + 14
    remark, taken = parts.note(said, theme, narrow, left, 2)
    room = parts.WIDTH[narrow] - left
    set_layout(
        figure,
        # Cells keep their shape on a wide page.
        margin={"l": left, "r": 8, "t": top, "b": 2 + taken, "pad": 4},
        xaxis={
            "range": [-0.5, max(m - 0.5, room / width - 0.5)], "side": "top", "tickmode": "array",
            "tickvals": list(range(m)), "ticktext": head, "tickangle": 0,
            "tickfont": {"size": theme.label, "color": theme.text}, "showgrid": False, "zeroline": False, "ticks": "",
            "fixedrange": True,
        },
        yaxis=parts.row_axis(n, [one.html for one in rows], theme),
        shapes=[_frame(its.index(one), i, theme) for i, one in enumerate(theirs) if one in its], annotations=[remark],
    )  # fmt: skip
    alt = f"What {judge} says where {reference} says a, b or tie: " + "; ".join(
        f"{one}: {words.listing([f'{two} {words.share(shares[i, j])}' for j, two in enumerate(its)])}"
        for i, one in enumerate(theirs)
    )  # fmt: skip
    return base(figure, theme, n * height + top + 2 + taken, alt + ".")


def _heads(judge: str, used: list[str], width: float, theme: Theme) -> tuple[list[str], int]:
    """The heads of the columns and how many lines the longest has."""
    if theme.is_print:
        return [SAYS[one] for one in used], 1
    fitted = [written.fit_label(f"{judge}: {SAYS[one]}", width - 6, theme.label) for one in used]
    if any(one.full != f"{judge}: {SAYS[label]}" or "…" in one.html for one, label in zip(fitted, used, strict=True)):
        # Its label must be read, whatever is left of the name.
        name = written.fit_label(judge, width - 6, theme.label, 1)
        return [f"{name.html}<br>{SAYS[one]}" for one in used], 2
    return [one.html for one in fitted], max(len(one.lines) for one in fitted)


def _frame(column: int, row: int, theme: Theme) -> dict[str, Any]:
    return {
        "type": "rect", "x0": column - 0.485, "x1": column + 0.485, "y0": row - 0.465, "y1": row + 0.465,
        "layer": "above",
        "line": {"color": theme.text, "width": 1.6}, "fillcolor": "rgba(0,0,0,0)",
    }  # fmt: skip


def _hover(names: tuple[str, str], one: str, two: str, count: float, share: float) -> str:
    said = f"{written.escape(names[0])} says {SAYS[one]}, {written.escape(names[1])} says {SAYS[two]}"
    of = f"{words.share(share)} of those where {written.escape(names[0])} does"
    return f"{said}<br>{words.plural(int(count), 'comparison')}, {of}"
