"""How sure is each figure of each scenario? Small multiples: a panel a figure, scenarios in the same order in all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.matrix_cells import side
from charts.scenario_figures import AGREEMENT, GAP, ORDER, ORDERS, Figures, Key
from charts.scenario_matrix import hover, name_of
from charts.theme import Mark, Theme, base, set_layout

ACROSS = {False: 3, True: 1}
"""Panels side by side, by `narrow`."""
ROW = 22.0

TALLEST = 800.0
"""Pixels of panels that a page of paper holds."""
BETWEEN = 22.0
"""Pixels between panels side by side."""
ENDS = {AGREEMENT: (0.0, 100.0), ORDERS: (-1.0, 1.0)}


def scenario_panels_chart(
    found: Figures,
    keys: Sequence[Key],
    judges: tuple[str, str],
    theme: Theme,
    *,
    most: int | None = None,
    narrow: bool = False,
    labels: Mapping[str, str] | None = None,
) -> go.Figure:
    """Pooled figures as filled marks, those of a scenario alone as hollow grey ones beneath, both with intervals.

    keys : the figures, one a panel; judges : reference, judge
    """
    names = labels or {}
    listed = list(found.scenarios[:most])
    if not listed or not keys:
        return parts.empty(f"In no scenario could {judges[1]} be held against {judges[0]}.", theme, narrow)
    fitted = parts.row_names(listed, 112.0 if narrow else 150.0, theme)
    left = written.labels_width(fitted, theme.label) + 16
    across = min(ACROSS[narrow], len(keys))
    width = parts.WIDTH[narrow] - left - 8
    panel = (width - (across - 1) * BETWEEN) / across
    rows = -(-len(keys) // across)
    heads = [written.fit_label(name_of(key, names), panel / 1.1, theme.label, theme.lines) for key in keys]
    top = max(len(one.lines) for one in heads) * theme.label * written.LINE + 10
    size = parts.row_height(fitted, theme, ROW) if max(len(one.lines) for one in fitted) > 1 else ROW
    titles = [written.wrap(found.in_words(key), panel, theme.small) for key in keys]
    bottom = parts.axis_height(max(map(len, titles)), theme) + 8
    n = len(listed)
    left_out = 0
    if theme.is_print:
        fit = max(int(TALLEST / (top + n * size + bottom)), 1) * across
        keys, left_out = keys[:fit], len(keys[fit:])
        rows = -(-len(keys) // across)
    each = top + n * size + bottom
    whole = rows * each
    figure = go.Figure()
    layout: dict[str, object] = {}
    shapes, annotations = [], []
    for k, key in enumerate(keys):
        down, right = divmod(k, across)
        x0 = right * (panel + BETWEEN) / width
        domain = (x0, x0 + panel / width)
        upper = 1 - (down * each + top) / whole
        lower = 1 - (down * each + top + n * size) / whole
        end = "" if k == 0 else str(k + 1)
        limits = _panel(figure, found, key, listed, theme, names, f"x{end}", f"y{end}")
        layout[f"xaxis{end}"] = parts.value_axis(limits, titles[k], theme, 4, anchor=f"y{end}", domain=list(domain))
        shown = [one.html for one in fitted] if right == 0 else [""] * n
        layout[f"yaxis{end}"] = parts.row_axis(
            n, shown, theme, anchor=f"x{end}", domain=[lower, upper], automargin=False
        )
        for band in parts.bands(n, theme, [(0.0, 1.0)]):
            shapes.append(band | {"xref": f"x{end} domain", "yref": f"y{end}"})
        line = found.average.get(key, (np.nan,))[0] if key[0] != GAP else 0.0
        if np.isfinite(line):
            shapes.append(parts.zero_line(n, f"x{end}", theme, float(line)) | {"yref": f"y{end}"})
        annotations.append({
            "text": f"<b>{heads[k].html}</b>", "showarrow": False, "xref": "paper", "yref": "paper", "x": domain[0],
            "y": upper, "xanchor": "left", "yanchor": "bottom", "yshift": 3, "align": "left",
            "font": {"size": theme.label, "color": theme.text},
        })  # fmt: skip
    gone = len(found.scenarios) - n
    text = (
        "Filled: pooled with the other scenarios, coloured where a gap is beyond noise; hollow: the scenario alone. "
        "The line: 0 for gaps, else the average."
    ) + (f" {words.plural(gone, 'scenario')} more, not drawn ({ORDER})." if gone else "")
    if left_out:
        text += f" {words.plural(left_out, 'figure')} more in the table."
    remark, taken = parts.note(text, theme, narrow, left, 0)
    set_layout(
        figure,
        margin={"l": left, "r": 8, "t": 4, "b": taken, "pad": 6}, shapes=shapes, annotations=[*annotations, remark],
        **layout,
    )  # fmt: skip
    alt = (
        f"{len(keys)} figures of {judges[1]} held against {judges[0]} in {n} scenarios, pooled and alone, with "
        f"intervals: {', '.join(name_of(key, names) for key in keys)}."
    )
    return base(figure, theme, whole + taken + 4, alt)


def _panel(
    figure: go.Figure, found: Figures, key: Key, listed: Sequence[str], theme: Theme, names: Mapping[str, str],
    xaxis: str, yaxis: str,
) -> tuple[float, float]:  # fmt: skip
    """Marks and intervals of one figure; the limits of its axis."""
    cells = found.cells[(found.cells["figure"] == key[0]) & (found.cells["factor"] == key[1])]
    cells = cells.set_index("scenario").reindex(list(listed)).reset_index()
    raw, pooled = (
        [cells[name].to_numpy(dtype=float) for name in columns]
        for columns in (("value", "lower", "upper"), ("pooled", "pooled_lower", "pooled_upper"))
    )
    middle = 0.0 if key[0] == GAP else float(np.nanmean(np.r_[pooled[0], raw[0], 0.0 if key[0] == ORDERS else 50.0]))
    low, high = (middle + end for end in parts.span(*(np.r_[a, b] - middle for a, b in zip(raw, pooled, strict=True))))
    ends = ENDS.get(key[0])
    limits = (low, high) if ends is None else (max(low, ends[0]), min(high, ends[1]))
    rows = np.arange(len(listed), dtype=float)
    beyond = cells["pooled_beyond"].fillna(False).to_numpy(dtype=bool)
    plain = theme.text if key[0] != GAP else theme.muted
    colours = [side(float(v), theme) if key[0] == GAP and b else plain for v, b in zip(pooled[0], beyond, strict=True)]
    hovers = [hover(cell, key, found, names) for cell in cells.to_dict("records")]
    # Beneath, so that what is pooled is read first.
    parts.add_intervals(figure, raw[1], raw[2], rows + 0.22, [theme.noise] * len(rows), limits, xaxis, yaxis, 1.1)
    _marks(figure, raw[0], rows + 0.22, [theme.noise] * len(rows), True, theme, hovers, limits, xaxis, yaxis)
    parts.add_intervals(figure, pooled[1], pooled[2], rows - 0.12, colours, limits, xaxis, yaxis)
    _marks(figure, pooled[0], rows - 0.12, colours, False, theme, hovers, limits, xaxis, yaxis)
    return limits


def _marks(
    figure: go.Figure, values: np.ndarray, rows: np.ndarray, colours: Sequence[str], hollow: bool, theme: Theme,
    hovers: Sequence[str], limits: tuple[float, float], xaxis: str, yaxis: str,
) -> None:  # fmt: skip
    """Marks that lie on the axis."""
    inside = np.isfinite(values) & (values >= limits[0]) & (values <= limits[1])
    for colour in dict.fromkeys(colours):
        some = np.flatnonzero(inside & np.array([own == colour for own in colours]))
        if len(some):
            figure.add_trace(
                go.Scatter(
                    x=values[some], y=rows[some], mode="markers", xaxis=xaxis, yaxis=yaxis, showlegend=False,
                    marker=parts.marker(Mark(colour, "circle"), theme, 6 if hollow else 8, hollow=hollow),
                    cliponaxis=False, hoverinfo="text", hovertext=[hovers[int(k)] for k in some],
                )
            )  # fmt: skip
