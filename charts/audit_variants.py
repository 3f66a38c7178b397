"""How right is a judge before and after a circumstance is added? Two dots a row, plain and with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.audit import bias_name
from charts.gaps import MARGIN
from charts.theme import Mark, Theme, base, marks, set_layout

STEP = 0.17
TITLE = "accuracy, %"


def variants_chart(
    table: pd.DataFrame, judge: str, theme: Theme, *, humans: Collection[str] = (), narrow: bool = False
) -> go.Figure:
    """A row a variant, the largest change first: plain hollow above, with the circumstance filled below, joined.

    table : `variants` of the study `audit`; customdata of each dot: [variant]
    """
    mine = table[(table["judge"] == judge) & table["accuracy"].notna()]
    if mine.empty:
        return parts.empty(f"Nobody says what is right where {judge} judged again.", theme, narrow)
    size = pd.Series(-np.abs(parts.numbers(mine, "change")), index=mine.index)
    mine = mine.loc[size.sort_values(kind="stable").index]
    fitted = parts.row_names([bias_name(str(v)) for v in mine["variant"]], 118.0 if narrow else 190.0, theme)
    mark = marks([judge], humans, theme)[judge]
    n, at = len(mine), np.arange(len(mine), dtype=float)
    before, after = (
        [100 * parts.numbers(mine, f"{name}{end}") for end in ("", "_lower", "_upper")]
        for name in ("accuracy_plain", "accuracy")
    )
    limits = (-2.0, 102.0)
    figure = go.Figure()
    joined = [v for k in range(n) for v in (before[0][k], after[0][k], None)]
    rows = [v for k in range(n) for v in (k - STEP, k + STEP, None)]
    figure.add_trace(go.Scatter(
        x=joined, y=rows, mode="lines", hoverinfo="skip", showlegend=False, line={"color": theme.zero, "width": 1.2},
    ))  # fmt: skip
    sure = parts.numbers(mine, "p") < 0.05
    hovers = [_hover(row) for row in mine.to_dict("records")]
    custom = [[str(v)] for v in mine["variant"]]
    looks = ((before, -STEP, parts.marker(Mark(theme.muted, mark.symbol), theme, 9, hollow=True), theme.muted),
             (after, STEP, parts.marker(mark, theme, 9), mark.colour))  # fmt: skip
    for values, shift, look, colour in looks:
        parts.add_intervals(figure, values[1], values[2], at + shift, [colour] * n, limits, "x")
        figure.add_trace(go.Scatter(
            x=values[0], y=at + shift, mode="markers", showlegend=False, cliponaxis=False, marker=look,
            hoverinfo="text", hovertext=hovers, customdata=custom,
        ))  # fmt: skip
    left = written.labels_width(fitted, theme.label) + 16
    bottom = parts.axis_height(1, theme)
    text = "Hollow: plain; filled: the same pairs with the circumstance."
    if sure.any():
        some = [bias_name(str(v)) for v, one in zip(mine["variant"], sure, strict=True) if one]
        text += f" Changed beyond noise (p < .05, exact): {words.listing(some, 6)}."
    remark, taken = parts.note(text, theme, narrow, left, bottom)
    axis = parts.value_axis(limits, [TITLE], theme, 5, anchor="y")
    axis |= {"tickvals": [0, 25, 50, 75, 100], "ticktext": ["0", "25", "50", "75", "100"]}
    set_layout(
        figure,
        margin={"l": left, "r": MARGIN, "t": 8, "b": bottom + taken, "pad": 6},
        xaxis=axis, yaxis=parts.row_axis(n, [one.html for one in fitted], theme, anchor="x"),
        shapes=parts.bands(n, theme, [(0.0, 1.0)]), annotations=[remark],
    )  # fmt: skip
    height = n * parts.row_height(fitted, theme, 32.0) + 8 + bottom + taken
    said = [f"{bias_name(str(r['variant']))} {words.share(r['accuracy_plain'])} to {words.share(r['accuracy'])}"
            for r in mine.head(3).to_dict("records")]  # fmt: skip
    return base(figure, theme, height, f"Accuracy of {judge} before and after: {words.listing(said)}.")


def _hover(row: Mapping[Any, Any]) -> str:
    change = words.points(row["change"], row["change_lower"], row["change_upper"])
    lines = [
        f"<b>{written.escape(bias_name(str(row['variant'])))}</b>",
        f"plain {words.share(row['accuracy_plain'])}, with it {words.share(row['accuracy'])}",
        f"change {change} points",
    ]  # fmt: skip
    if not words.absent(row["p"]):
        lines.append(f"p {written.escape(words.p_value(row['p']))}")
    stays = f"the same verdict in {words.share(row['robustness'])}"
    if not words.absent(row["consistency"]):
        stays += f", in plain repeats {words.share(row['consistency'])}"
    return "<br>".join([*lines, stays, words.plural(int(row["labelled"]), "pair")])
