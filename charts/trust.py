"""How well are held-out verdicts predicted, by all factors and by less, judge by judge?"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.theme import Theme, base, marks, set_layout

MARGIN = 18.0
NOTHING = "nothing"
"""Its accuracy is one half: the line that the others are read from."""

ALL = "all factors"


def trust_chart(
    held_out: pd.DataFrame,
    theme: Theme,
    *,
    humans: Collection[str] = (),
    most: int = 15,
    narrow: bool = False,
    names: Mapping[str, str] | None = None,
) -> go.Figure:
    """One row a judge and model of what is known: accuracy in percent with its interval; all factors filled.

    held_out : the table of the study `factors trust`; humans : which judges are people; names : of judges, displayed
    most : judges drawn
    """
    judges = list(dict.fromkeys(map(str, held_out["judge"])))
    table = held_out[held_out["judge"].isin(judges[:most]) & (held_out["model"] != NOTHING)]
    if table.empty:
        return parts.empty("Nothing could be held out and predicted.", theme, narrow)
    drawn = marks(judges, humans, theme)
    accuracy, low, high = (100 * parts.numbers(table, name) for name in ("accuracy", "lower", "upper"))
    owner, model = [list(map(str, table[name])) for name in ("judge", "model")]
    display = names or {}
    many = len(judges) > 1
    texts = [
        f"{display.get(who, who)}: {what}" if many and (what == ALL) else what
        for who, what in zip(owner, model, strict=True)
    ]
    fitted = parts.row_names(texts, 122.0 if narrow else 240.0, theme)
    rows = np.arange(len(table))
    known = np.concatenate([accuracy, low, high])
    known = known[np.isfinite(known)]
    limits = (min(48.0, float(known.min()) - 1), max(60.0, float(known.max()) + 1))
    figure = go.Figure()
    colours = [drawn[who].colour if what == ALL else theme.zero for who, what in zip(owner, model, strict=True)]
    parts.add_intervals(figure, low, high, rows, colours, limits, "x")
    for k in rows:
        mark = drawn[owner[k]]
        interval = words.interval(low[k], high[k], 1)
        figure.add_trace(
            go.Scatter(
                x=[accuracy[k]], y=[k], mode="markers", showlegend=False, cliponaxis=False, hoverinfo="text",
                marker=parts.marker(mark, theme, 10 if model[k] == ALL else 8, hollow=model[k] != ALL),
                hovertext=[f"<b>{written.escape(words.shorten(owner[k], 30))}</b>, {model[k]}<br>"
                           f"{words.number(accuracy[k], 1)} % {interval}"],
            )
        )  # fmt: skip
    left = written.labels_width(fitted, theme.label) + 16
    bottom = parts.axis_height(1, theme)
    remark, taken = parts.note(
        "Filled: all factors; hollow: less. The line: 50 %, knowing nothing."
        + (f" {len(judges) - most} more judges are in the table." if len(judges) > most else ""),
        theme, narrow, left, bottom,
    )  # fmt: skip
    n = len(table)
    set_layout(
        figure,
        margin={"l": left, "r": MARGIN, "t": 10, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis(
            limits, ["held-out verdicts predicted, %"], theme, 4 if narrow else 6, anchor="y"
        ),
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), parts.zero_line(n, "x", theme, 50.0)],
        annotations=[remark],
    )  # fmt: skip
    best = [f"{who} {words.number(a)} %" for who, what, a in zip(owner, model, accuracy, strict=True) if what == ALL]
    alt = "Held-out verdicts predicted by all factors: " + words.listing(best, 5) + "."
    return base(figure, theme, n * parts.row_height(fitted, theme) + 10 + bottom + taken, alt)
