"""What do all scenarios share of a weight, and which scenarios depart from it?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.gaps import MARGIN
from charts.theme import Mark, Theme, base, set_layout


def hierarchical_chart(
    shared: pd.DataFrame,
    weights: pd.DataFrame,
    theme: Theme,
    mark: Mark,
    *,
    most: int = 15,
    narrow: bool = False,
    labels: Mapping[str, str] | None = None,
) -> go.Figure:
    """One row a factor that is needed anywhere: a filled mark for what is shared, hollow ones for scenarios that depart
    from it.

    shared, weights : of `factors hierarchical`, one judge's rows; customdata of each hollow mark: [factor, scenario]
    """
    value, low, high = (parts.numbers(shared, name) for name in ("shared", "lowest", "highest"))
    needed = shared[(value != 0) | (low != 0) | (high != 0)]
    if needed.empty:
        return parts.empty("With these penalties no weight is needed: nothing is predicted.", theme, narrow)
    names = labels or {}
    order = [str(f) for f in needed["factor"]][:most]
    rows = {factor: k for k, factor in enumerate(order)}
    fitted = parts.row_names([names.get(f, f) for f in order], 118.0 if narrow else 165.0, theme)
    head = needed[needed["factor"].isin(order)]
    own = weights[weights["factor"].isin(order) & (parts.numbers(weights, "own") != 0)]
    points, centre = parts.numbers(own, "importance"), parts.numbers(head, "importance")
    blank = np.full(len(points) + len(centre), np.nan)
    limits = parts.span(np.r_[points, centre], blank, blank)
    at = np.array([rows[str(f)] for f in own["factor"]], dtype=float)
    figure = go.Figure()
    common = {"xaxis": "x", "yaxis": "y", "showlegend": False, "hoverinfo": "text", "cliponaxis": False}
    figure.add_trace(go.Scatter(
        x=points, y=at, mode="markers", marker=parts.marker(mark, theme, 7, hollow=True), **common,
        hovertext=[
            f"<b>{written.escape(names.get(str(r['factor']), str(r['factor'])))}</b> in "
            f"{written.escape(str(r['scenario']))}<br>{words.number(r['importance'], 1)} win points, of which its own "
            f"{words.number(50 * r['own'], 1)}"
            for r in own.to_dict("records")
        ],
        customdata=[[str(f), str(s)] for f, s in zip(own["factor"], own["scenario"], strict=True)],
    ))  # fmt: skip
    figure.add_trace(go.Scatter(
        x=centre, y=[rows[str(f)] for f in head["factor"]], mode="markers", marker=parts.marker(mark, theme, 10),
        **common,
        hovertext=[
            f"<b>{written.escape(names.get(str(r['factor']), str(r['factor'])))}</b><br>shared: "
            f"{words.number(r['importance'], 1)} win points<br>found in {r['found_in']} of "
            f"{words.plural(int(r['scenarios']), 'scenario')}, of its own weight in {r['own_in']}"
            for r in head.to_dict("records")
        ],
    ))  # fmt: skip
    left = written.labels_width(fitted, theme.label) + 16
    title = written.wrap("win points, 50 × weight (0 = no effect)", parts.WIDTH[narrow] - left - MARGIN, theme.small)
    bottom = parts.axis_height(len(title), theme)
    text = "Filled: shared by all scenarios. Hollow: a scenario that departs from it."
    left_out, hidden = len(shared) - len(needed), len(needed) - len(order)
    if left_out:
        text += f" {words.plural(left_out, 'factor')} more {'is' if left_out == 1 else 'are'} needed nowhere."
    if hidden:
        text += f" The {len(order)} largest of {len(needed)}."
    remark, taken = parts.note(text, theme, narrow, left, bottom)
    n = len(order)
    set_layout(
        figure,
        margin={"l": left, "r": MARGIN, "t": 8, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis(limits, title, theme, 5, anchor="y"),
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme, anchor="x"),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), parts.zero_line(n, "x", theme, 0.0)],
        annotations=[remark],
    )
    said = [
        f"{names.get(str(f), str(f))} ({words.number(v, 1)})"
        for f, v in zip(head["factor"].head(3), centre[:3], strict=True)
    ]
    alt = f"Shared win points of {words.plural(n, 'factor')}, the largest {words.listing(said)}."
    return base(figure, theme, n * parts.row_height(fitted, theme) + 8 + bottom + taken, alt)
