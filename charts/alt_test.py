"""May a judge take an annotator's place? How often it is as good as each of them, and how many of them it beats."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.gaps import MARGIN
from charts.theme import Theme, base, marks, set_layout

PASS = 0.5
"""Share of the annotators that a judge must win."""

ENDS = (-4.0, 104.0)
GAP, APART = 0.06, 2.2
"""Between the two panels, as a share of the plot; and at least so many sizes of its type: else the 100 of one and the
0 of the other read 1000."""


def alt_test_chart(
    table: pd.DataFrame, theme: Theme, *, humans: Collection[str] = (), focus: str | None = None,
    most: int | None = None, narrow: bool = False,
) -> go.Figure:  # fmt: skip
    """A row a judge: left on how many pairs it is as good or better, right how many annotators it wins, with the half
    that it takes to pass; filled and ✓ where it passes.

    table : `judges` of the study `alt-test`, the best first; focus : the judge that is looked at, always among the rows
    customdata of each mark: [judge]
    """
    if table.empty:
        return parts.empty("No judge could be tested.", theme, narrow)
    shown = table.head(most) if most else table
    if focus is not None and focus not in set(shown["judge"]):
        shown = pd.concat([shown, table[table["judge"] == focus]])
    judges, passed = [str(name) for name in shown["judge"]], [bool(one) for one in shown["passed"]]
    named = [f"{'✓' if one else '✗'} {judge}" for judge, one in zip(judges, passed, strict=True)]
    fitted = parts.row_names(named, (104.0 if narrow else 190.0) / 1.1, theme)
    value, low, high, won = (
        100 * parts.numbers(shown, name) for name in ("advantage_probability", "lower", "upper", "winning_rate")
    )
    drawn, rows = marks([str(name) for name in table["judge"]], humans, theme), np.arange(len(judges), dtype=float)
    figure = go.Figure()
    parts.add_intervals(figure, low, high, rows, [drawn[judge].colour for judge in judges], ENDS, "x")
    for k, row in enumerate(shown.to_dict("records")):
        mark = parts.marker(drawn[judges[k]], theme, 9, hollow=not passed[k])
        common = {
            "y": [k], "mode": "markers", "name": judges[k], "showlegend": False, "cliponaxis": False, "marker": mark,
            "hoverinfo": "text", "hovertext": [_hover(row)], "customdata": [[judges[k]]],
        }  # fmt: skip
        figure.add_trace(go.Scatter(x=[value[k]], xaxis="x", **common))
        figure.add_trace(go.Scatter(x=[won[k]], xaxis="x2", **common))
    left = written.labels_width(fitted, theme.label) * 1.1 + 16
    plot = parts.WIDTH[narrow] - left - MARGIN
    gap = max(GAP, APART * theme.small / plot)
    middle = (1 - gap) / 2
    domains = [(0.0, middle), (middle + gap, 1.0)]
    texts = ("pairs on which it is as good or better, %", "annotators that it wins, %")
    # Between the panels is room for the little by which a word may be wider than one.
    room = max(middle * plot, *(written.widest_part(text, theme.small) + 1 for text in texts))
    titles = [written.wrap(text, room, theme.small) for text in texts]
    bottom = parts.axis_height(max(map(len, titles)), theme)
    text = "Dashed: half of the annotators, which it takes to pass. ✓ and filled: passed."
    if len(shown) < len(table):
        text += f" The first {min(most or len(table), len(shown))} of {len(table):,} judges"
        place = [str(name) for name in table["judge"]].index(str(focus)) + 1 if focus in set(table["judge"]) else 0
        text += f", and {theme.short(str(focus), 30)}, in place {place}." if most and place > most else "."
    remark, taken = parts.note(text, theme, narrow, left, bottom)
    n = len(judges)
    half = parts.zero_line(n, "x2", theme, 100 * PASS) | {"line": {"color": theme.text, "width": 1.2, "dash": "dash"}}
    bold = [f"<b>{one.html}</b>" if judge == focus and n > 1 else one.html
            for judge, one in zip(judges, fitted, strict=True)]  # fmt: skip
    set_layout(
        figure,
        margin={"l": left, "r": MARGIN, "t": 8, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis(ENDS, titles[0], theme, 3, anchor="y", domain=domains[0]),
        xaxis2=parts.value_axis(ENDS, titles[1], theme, 3, anchor="y", domain=domains[1]),
        yaxis=parts.row_axis(n, bold, theme, anchor="x"),
        shapes=[*parts.bands(n, theme, domains), half], annotations=[remark],
    )
    height = n * parts.row_height(fitted, theme) + 8 + bottom + taken
    said = [
        f"{judge} {'passed' if one else 'not passed'} ({words.share(share / 100)} of annotators won)"
        for judge, one, share in zip(judges[:5], passed[:5], won[:5], strict=True)
    ]
    return base(figure, theme, height, f"Alternative-annotator test: {words.listing(said, 5)}.")


def _hover(row: Mapping[Any, Any]) -> str:
    share = words.share(row["advantage_probability"])
    ends = [words.share(row[end]) for end in ("lower", "upper")]
    interval = f" [{', '.join(ends)}]" if all(ends) else ""
    return (
        f"<b>{written.escape(str(row['judge']))}</b> {'passed' if row['passed'] else 'not passed'}<br>as good or "
        f"better on {share}{interval} of {words.plural(int(row['items']), 'pair')}<br>won "
        f"{int(row['won'])} of {words.plural(int(row['annotators']), 'annotator')}"
    )
