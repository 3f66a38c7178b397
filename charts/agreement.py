"""How alike are judges' orders to the reference's, as they stand and net of noise, beside what halves of it reach?"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.theme import Theme, base, marks, set_layout


def agreement_chart(
    agreement: pd.DataFrame,
    ceilings: pd.DataFrame,
    theme: Theme,
    *,
    humans: Collection[str] = (),
    most: int = 15,
    narrow: bool = False,
) -> go.Figure:
    """One row a judge: hollow as it stands, filled net of noise with its interval; below, the reference's halves.

    agreement, ceilings : the tables of the study `reliability`
    """
    if agreement.empty:
        return parts.empty("No judge could be compared with the reference.", theme, narrow)
    table = agreement.head(most)
    judges = [str(judge) for judge in table["judge"]]
    halves = [f"{row.judge}: halves of {row.way}s" for row in ceilings.itertuples()]
    fitted = parts.row_names([*judges, *halves], 112.0 if narrow else 220.0, theme)
    drawn = marks([str(c) for c in dict.fromkeys([*ceilings["judge"], *judges])], humans, theme)
    n, rows = len(judges) + len(halves), np.arange(len(judges))
    raw, net, low, high = (parts.numbers(table, name) for name in ("pearson", "corrected", "lower", "upper"))
    mean, least, largest = (parts.numbers(ceilings, name) for name in ("value", "lower", "upper"))
    known = np.concatenate([raw, net, low, high, mean, least, largest])
    if not np.isfinite(known).any():
        return parts.empty("Without differences between strengths there is nothing to correlate.", theme, narrow)
    limits = (min(0.0, float(np.nanmin(known)) - 0.03), 1.03)
    figure = go.Figure()
    parts.add_intervals(figure, low, high, rows, [drawn[judge].colour for judge in judges], limits, "x")
    below = len(judges) + np.arange(len(halves))
    parts.add_intervals(figure, least, largest, below, [drawn[str(j)].colour for j in ceilings["judge"]], limits, "x")
    spots = [(raw[k], k, judge, True, "as it stands") for k, judge in enumerate(judges) if np.isfinite(raw[k])]
    spots += [(net[k], k, judge, False, "net of noise") for k, judge in enumerate(judges) if np.isfinite(net[k])]
    spots += [(mean[k], below[k], str(j), False, "two halves") for k, j in enumerate(ceilings["judge"])]
    for value, row, judge, hollow, what in spots:
        figure.add_trace(
            go.Scatter(
                x=[value], y=[row], mode="markers", showlegend=False, cliponaxis=False, hoverinfo="text",
                marker=parts.marker(drawn[judge], theme, 9, hollow),
                hovertext=[f"{written.escape(words.shorten(judge, 30))}<br>{what}: {words.number(float(value))}"],
            )
        )  # fmt: skip
    left = written.labels_width(fitted, theme.label) + 16
    bottom = parts.axis_height(1, theme)
    remark, taken = parts.note("Hollow: as it stands; filled: net of noise.", theme, narrow, left, bottom)
    set_layout(
        figure,
        margin={"l": left, "r": 18, "t": 10, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis(limits, ["correlation of strengths"], theme, 3 if narrow else 6, anchor="y"),
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), parts.zero_line(n, "x", theme, 1.0)],
        annotations=[remark],
    )
    alt = f"Correlation of the strengths of {words.plural(len(judges), 'judge')} with the reference's."
    return base(figure, theme, n * parts.row_height(fitted, theme) + 10 + bottom + taken, alt)
