"""Who judged how much of what?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.colour import channels, ink
from charts.matrix_cells import on_end
from charts.theme import Theme, base, set_layout

NO_SCENARIO = "no scenario"

COLUMNS = {False: 8, True: 4}
"""Columns, by `narrow`, from which on the longer of judges and scenarios runs down the rows."""

HEAD = 54.0
"""Pixels that a column needs for a head that reads from left to right; in narrower ones heads stand on end."""


def coverage_chart(coverage: pd.DataFrame, theme: Theme, *, narrow: bool = False) -> go.Figure:
    """A heat map of judgments with a verdict, judge by scenario; the longer of the two runs down the rows.

    Shades follow the square root of the count, so that thin cells can be told from empty ones.

    coverage : judge, scenario ('' or missing where none is known), judgments
    narrow : for figures under 650 pixels
    customdata of each cell: [judge, scenario]
    """
    if coverage.empty:
        return parts.empty("There is no judgment with a verdict in this selection.", theme, narrow)
    tidy = pd.DataFrame(
        {
            "judge": coverage["judge"].astype(str),
            "scenario": coverage["scenario"].fillna("").astype(str),
            "judgments": np.nan_to_num(parts.numbers(coverage, "judgments")),
        }
    )
    table = tidy.pivot_table("judgments", "judge", "scenario", aggfunc="sum", fill_value=0, sort=False)
    # Scenarios with the most judgments first; what has no scenario last.
    totals = {str(name): float(total) for name, total in table.sum().items()}
    order = sorted(totals, key=lambda name: (name == "", -totals[name], name))
    table = table.reindex(columns=order)
    # Two judges against many scenarios, or one scenario against many judges: the longer list runs down.
    turned = table.shape[1] > max(table.shape[0], COLUMNS[narrow])
    shown = table.T if turned else table
    # Columns narrower than a line of text cannot have heads: the fullest are kept.
    fit = int((parts.WIDTH[narrow] * 0.62) // (theme.small * written.LINE + 4))
    hidden = max(shown.shape[1] - fit, 0)
    if hidden:
        fullest = shown.sum().sort_values(ascending=False, kind="stable").index[:fit]
        shown = shown[[column for column in shown.columns if column in fullest]]
    counts = shown.to_numpy(dtype=float)
    n, m = counts.shape
    names = [str(name) or NO_SCENARIO for name in shown.index]
    heads = [str(name) or NO_SCENARIO for name in shown.columns]
    labels = parts.row_names(names, 112.0 if narrow else 180.0, theme)
    left = written.labels_width(labels, theme.label) + 14
    cell = (parts.WIDTH[narrow] - left - 8) / m - 6
    # A head may use the space between two cells. Where a word would have to be broken, heads are turned.
    across = cell + 6
    upright = cell >= HEAD and all(written.widest_part(head, theme.small) <= across for head in heads)
    tops = written.fit_labels(heads, across, theme.small, theme.most(3)) if upright else on_end(heads, cell, theme)
    lines = max(len(one.lines) for one in tops)
    high = lines * theme.small * written.LINE + 10 if upright else written.labels_width(tops, theme.small) + 14
    figures = [words.number(int(value)) for value in counts.ravel()]
    legible = max(written.text_width(text, theme.small) for text in figures) <= cell
    shades = np.sqrt(counts / max(counts.max(), 1.0))
    figure = go.Figure(
        go.Heatmap(
            z=shades, x=list(range(m)), y=list(range(n)), zmin=0, zmax=1, showscale=False, xgap=2, ygap=2,
            colorscale=[[0.0, theme.second], [1.0, theme.people]],
            customdata=[[[*((h, r) if turned else (r, h))] for h in shown.columns] for r in shown.index],
            hovertext=[
                [
                    f"<b>{written.escape(words.shorten(name))}</b> · {written.escape(words.shorten(top))}<br>"
                    f"{words.plural(int(counts[i, j]), 'judgment')}"
                    for j, top in enumerate(heads)
                ]
                for i, name in enumerate(names)
            ],
            hoverinfo="text",
        )
    )  # fmt: skip
    if legible:
        figure.add_trace(
            go.Scatter(
                x=[j for _ in range(n) for j in range(m)], y=[i for i in range(n) for _ in range(m)], mode="text",
                text=figures, hoverinfo="skip", showlegend=False,
                textfont={"size": theme.small, "color": [_ink(shade, theme) for shade in shades.ravel()]},
            )
        )  # fmt: skip
    bottom, taken, annotations = 6.0, 0.0, []
    said = _note(counts.max(), legible, hidden, "judge" if turned else "scenario")
    if said:
        remark, taken = parts.note(said, theme, narrow, left, bottom)
        annotations.append(remark)
    set_layout(
        figure,
        margin={"l": left, "r": 8, "t": high, "b": bottom + taken, "pad": 4},
        xaxis={
            "range": [-0.5, m - 0.5], "side": "top", "tickmode": "array", "tickvals": list(range(m)),
            "ticktext": [one.html for one in tops], "tickangle": 0 if upright else -90, "ticks": "",
            "tickfont": {"size": theme.small, "color": theme.muted}, "showgrid": False, "zeroline": False,
            "automargin": True, "fixedrange": True, "showline": False,
        },
        yaxis=parts.row_axis(n, [one.html for one in labels], theme),
        annotations=annotations,
    )  # fmt: skip
    row = max(parts.row_height(labels, theme), 34 if n <= 6 else 26)
    return base(figure, theme, n * row + high + bottom + taken, _alt(table))


def _note(fullest: float, legible: bool, hidden: int, what: str) -> str:
    text = []
    if not legible:
        text.append(f"The fullest cell holds {words.plural(int(fullest), 'judgment')}; shades follow the square root.")
    if hidden:
        verb = "is" if hidden == 1 else "are"
        text.append(f"{words.plural(hidden, what)} with the fewest judgments {verb} not shown.")
    return " ".join(text)


def _ink(shade: float, theme: Theme) -> str:
    """Black or white, near enough, whichever reads better on a cell of this shade."""
    ground = (1 - shade) * channels(theme.second) + shade * channels(theme.people)
    return ink(ground, ("#0B1218", "#FFFFFF"))


def _alt(table: pd.DataFrame) -> str:
    """The picture in a sentence or two."""
    per_judge = [f"{judge} {words.number(int(total))}" for judge, total in table.sum(axis=1).items()]
    named = sum(1 for scenario in table.columns if scenario)
    empty = int((table.to_numpy() == 0).sum())
    return (
        f"Judgments of {words.plural(table.shape[0], 'judge')} in {words.plural(named, 'scenario')}: "
        f"{words.listing(per_judge)}. {empty:,} {'cell is' if empty == 1 else 'cells are'} empty."
    )
