"""Which groups weigh a factor differently, and in which does a judge agree least with the reference?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.gaps import MARGIN
from charts.theme import SYMBOLS, Mark, Theme, base, set_layout

BEYOND = 0.05
FIRST = "first_position"
STEP = 0.26
"""Of a row's height, between the marks of two groups."""


def group_marks(groups: Sequence[str], theme: Theme) -> dict[str, Mark]:
    """A colour and a symbol for each group; they are told apart by either."""
    colours = (theme.text, *theme.judges)
    symbols = ("circle", *SYMBOLS)
    return {
        name: Mark(colours[k % len(colours)], symbols[(k + k // len(colours)) % len(symbols)])
        for k, name in enumerate(groups)
    }


def group_chart(
    weights: pd.DataFrame,
    tests: pd.DataFrame,
    theme: Theme,
    *,
    most: int = 8,
    narrow: bool = False,
    labels: Mapping[str, str] | None = None,
) -> go.Figure:
    """One row a factor, the surest difference between groups first, a mark with its interval for each group.

    weights, tests : of `factors groups`, one judge's rows; customdata of each mark: [factor, group]
    """
    known = tests[tests["p"].notna() & (tests["factor"] != FIRST)]
    if known.empty:
        return parts.empty("No factor could be held against itself in two groups.", theme, narrow)
    names = labels or {}
    order = [str(f) for f in known["factor"]][:most]
    sure = {str(f) for f, q in zip(known["factor"], parts.numbers(known, "q"), strict=True) if q < BEYOND}
    drawn = weights[weights["factor"].isin(order)]
    groups = [str(g) for g in dict.fromkeys(weights["group"])]
    mark = group_marks(groups, theme)
    written_as = [f"{names.get(f, f)}{' *' if f in sure else ''}" for f in order]
    fitted = parts.row_names(written_as, 118.0 if narrow else 165.0, theme)
    value, low, high = (parts.numbers(drawn, name) for name in ("weight", "lower", "upper"))
    limits = parts.span(value, low, high)
    rows = {factor: k for k, factor in enumerate(order)}
    step = min(STEP, 0.8 / max(len(groups), 1))
    figure = go.Figure()
    for k, group in enumerate(groups):
        mine = np.flatnonzero((drawn["group"] == group).to_numpy(dtype=bool))
        if not len(mine):
            continue
        at = np.array([rows[str(f)] for f in drawn["factor"].iloc[mine]]) + (k - (len(groups) - 1) / 2) * step
        colour = mark[group].colour
        parts.add_intervals(figure, low[mine], high[mine], at, [colour] * len(at), limits, "x", width=1.2)
        figure.add_trace(go.Scatter(
            x=value[mine], y=at, mode="markers", showlegend=False, cliponaxis=False, hoverinfo="text", name=group,
            marker=parts.marker(mark[group], theme, 7),
            customdata=[[str(drawn["factor"].iloc[i]), group] for i in mine],
            hovertext=[
                f"<b>{written.escape(names.get(str(r['factor']), str(r['factor'])))}</b> in {written.escape(group)}<br>"
                f"{words.estimate(r['weight'], r['lower'], r['upper'])}<br>"
                f"{words.amounts(judgment=int(r['judgments']), pair=int(r['pairs']))}"
                for r in drawn.iloc[mine].to_dict("records")
            ],
        ))  # fmt: skip
    left = written.labels_width(fitted, theme.label) + 16
    room = parts.WIDTH[narrow] - left - MARGIN
    said = written.wrap("weight, log-odds (0 = no effect)", room, theme.small)
    bottom = parts.axis_height(len(said), theme)
    text = f"*: groups differ beyond noise (q < {words.fixed(BEYOND)})."
    hidden = len(known) - len(order)
    if hidden > 0:
        text += f" The {words.plural(len(order), 'factor')} whose differences are surest; {hidden:,} more not shown."
    remark, taken = parts.note(text, theme, narrow, left, bottom)
    heads = _heads(groups, mark, theme, parts.WIDTH[narrow] - 16)
    n = len(order)
    # The marks are larger than the letters.
    top = len(heads) * theme.label * parts.GLYPH * written.LINE + 14
    set_layout(
        figure,
        margin={"l": left, "r": MARGIN, "t": top, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis(limits, said, theme, 5, anchor="y"),
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme, anchor="x"),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), parts.zero_line(n, "x", theme, 0.0)],
        annotations=[remark, parts.head("<br>".join(heads), 0.0, theme, "left") | {"xshift": -left + 4}],
    )
    height = n * parts.row_height(fitted, theme, 9.0 * len(groups) + 12) + top + bottom + taken
    alt = f"Weights of {words.plural(n, 'factor')} in {len(groups)} groups; {len(sure)} differ beyond noise."
    return base(figure, theme, height, alt)


def _heads(groups: Sequence[str], mark: Mapping[str, Mark], theme: Theme, width: float) -> list[str]:
    """The groups with their marks, in as many lines as they take."""
    lines: list[list[str]] = [[]]
    used = 0.0
    for group in groups:
        own = parts.tag_width(group, theme) + 14
        if lines[-1] and used + own > width:
            lines.append([])
            used = 0.0
        lines[-1].append(parts.tag(group, mark[group], theme, min(own, width), after=True))
        used += own
    return [" &nbsp; ".join(line) for line in lines]


def agreement_chart(
    table: pd.DataFrame, judge: str, reference: str, theme: Theme, *, narrow: bool = False
) -> go.Figure:
    """One row a group, the lowest agreement first: the share with its interval (thick) and that of all groups at once
    (thin); hollow what is left of it when drawn to the others as far as it is noise.

    table : the table `agreement` of `factors groups`, one judge's rows
    """
    if table.empty:
        return parts.empty("Agreement could not be counted in two groups.", theme, narrow)
    fitted = parts.row_names(map(str, table["group"]), 118.0 if narrow else 165.0, theme)
    share, low, high, wide_low, wide_high, pooled = (
        100 * parts.numbers(table, name)
        for name in ("agreement", "lower", "upper", "simultaneous_lower", "simultaneous_upper", "pooled")
    )
    known = np.r_[share, wide_low, wide_high]
    known = known[np.isfinite(known)]
    margin = max(0.06 * float(np.ptp(known)), 1.0)
    limits = (max(float(known.min()) - margin, -1.0), min(float(known.max()) + margin, 101.0))
    n, colour = len(table), theme.judges[0]
    at = np.arange(n, dtype=float)
    figure = go.Figure()
    parts.add_intervals(figure, wide_low, wide_high, at, [colour] * n, limits, "x", width=1.0)
    parts.add_intervals(figure, low, high, at, [colour] * n, limits, "x", width=3.2)
    hovers = [
        f"<b>{written.escape(str(r['group']))}</b><br>{words.share(r['agreement'])} of {int(r['n']):,} votes<br>"
        f"{words.plural(int(r['clusters']), 'cluster')}"
        for r in table.to_dict("records")
    ]
    common = {"mode": "markers", "showlegend": False, "cliponaxis": False, "hoverinfo": "text", "hovertext": hovers}
    hollow = Mark(theme.muted, "circle")
    figure.add_trace(go.Scatter(x=pooled, y=at + 0.26, marker=parts.marker(hollow, theme, 7, hollow=True), **common))
    figure.add_trace(go.Scatter(x=share, y=at, marker=parts.marker(Mark(colour, "square"), theme, 9), **common))
    left = written.labels_width(fitted, theme.label) + 16
    who = f"votes of {theme.short(reference, 30)} that {theme.short(judge, 30)} shares, %"
    said = written.wrap(who, parts.WIDTH[narrow] - left - MARGIN, theme.small)
    bottom = parts.axis_height(len(said), theme)
    text = (
        "Thick: interval of each group; thin: of all groups at once, which holds for the lowest although it was looked "
        "for. Hollow: drawn to the others as far as it is noise."
    )
    remark, taken = parts.note(text, theme, narrow, left, bottom)
    set_layout(
        figure,
        margin={"l": left, "r": MARGIN, "t": 8, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis(limits, said, theme, 5, anchor="y"),
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme, anchor="x"),
        shapes=parts.bands(n, theme, [(0.0, 1.0)]), annotations=[remark],
    )
    first = table.iloc[0]
    alt = f"Agreement in {n} groups, the lowest in {first['group']} ({words.share(first['agreement'])})."
    return base(figure, theme, n * parts.row_height(fitted, theme, 30.0) + 8 + bottom + taken, alt)
