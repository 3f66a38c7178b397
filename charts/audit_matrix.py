"""Which of many judges is biased how? A row a judge and a column a bias: what goes beyond a judge without it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.audit import bias_hover, bias_name
from charts.matrix_cells import fill, heads, signed
from charts.theme import Theme, base, set_layout

SHORT: Mapping[str, str] = {"length": "Length", "option_order": "Letters", "self_preference": "Own models"}
"""Heads of columns where the usual name is long."""

COLUMN = {False: 62.0, True: 50.0}
"""Least pixels of a column with its number, by `narrow`."""
WIDEST = 150.0


def sides(table: pd.DataFrame) -> list[str]:
    """The biases with a test, those flagged in most judges first, then those that go farthest."""
    some = table[table["p"].notna()]
    found = pd.DataFrame({
        "bias": some["bias"], "flagged": some["flagged"].fillna(False).astype(bool),
        "away": np.abs(parts.numbers(some, "excess")),
    }).groupby("bias", sort=False).agg(flagged=("flagged", "sum"), away=("away", "mean"))  # fmt: skip
    return [str(name) for name in found.sort_values(["flagged", "away"], ascending=False, kind="stable").index]


def worst(table: pd.DataFrame) -> list[str]:
    """The judges with a test: the largest flagged bias first, then the largest of any."""
    some = table[table["p"].notna()]
    away = np.abs(parts.numbers(some, "excess"))
    flagged = some["flagged"].fillna(False).astype(bool).to_numpy()
    found = pd.DataFrame({"judge": some["judge"], "sure": np.where(flagged, away, 0.0), "away": away})
    ranked = found.groupby("judge", sort=False).max().sort_values(["sure", "away"], ascending=False, kind="stable")
    return [str(name) for name in ranked.index]


def bias_matrix_chart(
    table: pd.DataFrame, theme: Theme, *, most: int | None = None, narrow: bool = False
) -> go.Figure:
    """The worst judge first. Filled and bold: flagged; · where there is no test; as many biases as fit.

    table : `biases` of the study `audit`; customdata of each cell: [judge, bias]
    """
    every, columns = worst(table), sides(table)
    judges = every[:most]
    if not judges:
        return parts.empty("No bias of these judges can be tested here.", theme, narrow)
    fitted = parts.row_names(judges, 120.0 if narrow else 240.0, theme)
    left = written.labels_width(fitted, theme.label) + 16
    room = parts.WIDTH[narrow] - left - 8
    shown = columns[: max(int(room / COLUMN[narrow]), 2)]
    width = min(room / len(shown), WIDEST)
    over = heads([SHORT.get(name, bias_name(name)) for name in shown], max(width - 6, 30.0), theme, 3)
    n, height = len(judges), max(len(one.lines) for one in fitted) * theme.label * written.LINE + 4
    cells = table[table["judge"].isin(judges) & table["bias"].isin(shown) & table["p"].notna()]
    at = {name: k for k, name in enumerate(judges)}
    place = {name: k for k, name in enumerate(shown)}
    row, column = cells["judge"].map(at).to_numpy(dtype=int), cells["bias"].map(place).to_numpy(dtype=int)
    excess = 100 * parts.numbers(cells, "excess")
    flagged = cells["flagged"].fillna(False).astype(bool).to_numpy()
    # One scale for all judges, drawn or not: a colour means the same when all are shown.
    largest = 100 * float(np.nanmax(np.abs(parts.numbers(table[table["p"].notna()], "excess")), initial=1e-9))
    texts = [signed(float(value), 0) for value in excess]
    figure = go.Figure()
    for some, bold in ((~flagged, False), (flagged, True)):
        where = np.flatnonzero(some)
        figure.add_trace(go.Scatter(
            x=column[where], y=row[where], mode="text", hoverinfo="skip", showlegend=False, cliponaxis=False,
            text=[f"<b>{texts[k]}</b>" if bold else texts[k] for k in where],
            textfont={"size": theme.small, "color": theme.text if bold else theme.muted},
        ))  # fmt: skip
    figure.add_trace(go.Scatter(
        x=column, y=row, mode="markers", showlegend=False, hoverinfo="text",
        marker={"symbol": "square", "size": height * 0.9, "color": "rgba(0,0,0,0)"},
        hovertext=[_hover(one) for one in cells.to_dict("records")],
        customdata=[[str(judge), str(bias)] for judge, bias in zip(cells["judge"], cells["bias"], strict=True)],
    ))  # fmt: skip
    there = set(zip(row.tolist(), column.tolist(), strict=True))
    gone = [(r, c) for r in range(n) for c in range(len(shown)) if (r, c) not in there]
    if gone:
        figure.add_trace(go.Scatter(
            x=[c for _, c in gone], y=[r for r, _ in gone], mode="text", text=["·"] * len(gone), hoverinfo="skip",
            showlegend=False, textfont={"size": theme.label, "color": theme.muted},
        ))  # fmt: skip
    colours = (theme.people, theme.judges[0])
    shapes = [fill(int(column[k]), int(row[k]), colours[int(excess[k] > 0)], min(abs(excess[k]) / largest, 1.0))
              for k in np.flatnonzero(flagged)]  # fmt: skip
    top = over.height
    remark, taken = parts.note(_note(n, len(every), len(columns) - len(shown), bool(gone)), theme, narrow, left, 4)
    right = 8 + room - width * len(shown)
    set_layout(
        figure,
        margin={"l": left, "r": right, "t": top, "b": taken + 8, "pad": 6},
        xaxis=over.axis(theme),
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme, anchor="x"),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), *shapes], annotations=[remark],
    )  # fmt: skip
    return base(figure, theme, n * height + top + taken + 8, _alt(table, every))


def _hover(row: Mapping[Any, Any]) -> str:
    return f"{written.escape(words.shorten(str(row['judge']), 40))}<br>{bias_hover(row)}"


def _note(shown: int, every: int, more: int, gone: bool) -> str:
    text = (
        "Percentage points beyond a judge without the bias. Filled and bold: flagged (q < .05 within the judge); grey: "
        "within noise."
    )
    if gone:
        text += " ·: no test."
    if more:
        text += f" {words.plural(more, 'bias', 'biases')} more in the table."
    if shown < every:
        text += f" The {shown} of {every:,} judges with the largest biases."
    return text


def _alt(table: pd.DataFrame, every: list[str]) -> str:
    sure = table[table["flagged"].fillna(False).astype(bool)]
    sure = sure.sort_values("excess", key=lambda v: v.abs(), ascending=False, kind="stable")
    largest = [
        f"{r['judge']}, {bias_name(str(r['bias'])).lower()} ({signed(100 * float(r['excess']), 0)})"
        for r in sure.head(3).to_dict("records")
    ]
    text = f"Biases of {words.plural(len(every), 'judge')}: {words.plural(sure['judge'].nunique(), 'judge')} flagged."
    return text + (f" Largest: {words.listing(largest)}." if largest else "")
