"""On how many pairs is each published property known, and on how many do the two answers differ in it?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.theme import Mark, Theme, base, set_layout


def property_chart(table: pd.DataFrame, pairs: int, theme: Theme, *, narrow: bool = False) -> go.Figure:
    """One row a property that the dataset has: hollow the share of pairs with a value, filled the share that differ.

    table : the table `properties` of the study `factors properties`; pairs : how many there are
    """
    table = table[table["factor"].notna()].reset_index(drop=True)
    if table.empty or not pairs:
        return parts.empty("No published property is known here yet: the sheet below asks for them.", theme, narrow)
    names = [str(name) for name in table["property"]]
    fitted = parts.row_names(names, 130.0 if narrow else 220.0, theme)
    known, differ = (parts.numbers(table, name) / pairs for name in ("pairs", "differ"))
    n, limits, mark = len(names), (-0.02, 1.03), Mark(theme.text, "circle")
    figure = go.Figure()
    parts.add_intervals(figure, differ, known, np.arange(n), [theme.noise] * n, limits, "x")
    for values, column, hollow in ((known, "pairs", True), (differ, "differ", False)):
        there = np.flatnonzero(np.isfinite(values))
        said = "with a value" if hollow else "that differ"
        figure.add_trace(
            go.Scatter(
                x=values[there], y=there, mode="markers", showlegend=False, cliponaxis=False, hoverinfo="text",
                marker=parts.marker(mark, theme, 9, hollow),
                hovertext=[
                    f"{written.escape(names[k])}<br>{words.plural(int(table[column].iloc[k]), 'pair')} {said}, "
                    f"{words.share(values[k])}" for k in there
                ],
            )
        )  # fmt: skip
    left = written.labels_width(fitted, theme.label) + 16
    bottom = parts.axis_height(1, theme)
    text = "Hollow: pairs with a value of both answers; filled: pairs whose answers differ in it."
    remark, taken = parts.note(text, theme, narrow, left, bottom)
    set_layout(
        figure,
        margin={"l": left, "r": 18, "t": 10, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis(limits, ["share of all pairs"], theme, 3 if narrow else 6, anchor="y"),
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), parts.zero_line(n, "x", theme)],
        annotations=[remark],
    )
    which = words.plural(n, "published property", "published properties")
    alt = f"On what share of {words.plural(pairs, 'pair')} {which} have a value, and differ."
    return base(figure, theme, n * parts.row_height(fitted, theme) + 10 + bottom + taken, alt)
