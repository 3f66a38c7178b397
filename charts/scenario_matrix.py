"""Where do a judge and the reference part, in all figures of each scenario? One matrix, noise greyed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.factor_gaps import EVEN, POINTS
from charts.matrix_cells import dot, fill, heads, said, side
from charts.scenario_figures import AGREEMENT, GAP, NAMES, ORDER, ORDERS, Figures, Key
from charts.theme import Theme, base, set_layout

COLUMN = {False: 58.0, True: 48.0}
"""Pixels of a figure, by `narrow`."""
AVERAGE = "On average"
CELL = 26.0
THIN = "*"
"""Behind the name of a scenario that says little by itself."""
SAID = {"pooled": ("pooled", "pooled_lower", "pooled_upper"), "alone": ("value", "lower", "upper")}


def scenario_matrix_chart(
    found: Figures,
    scenarios: pd.DataFrame,
    judges: tuple[str, str],
    theme: Theme,
    *,
    pooled: bool = True,
    most: int | None = None,
    narrow: bool = False,
    labels: Mapping[str, str] | None = None,
) -> go.Figure:
    """A row for each scenario below the average of all, a column for each figure; as many figures as fit.

    scenarios : the table of that name of the study `scenario-matrix`; judges : reference, judge
    customdata of each cell: [figure, factor, scenario]
    """
    names = labels or {}
    listed = list(found.scenarios[:most])
    if not listed:
        return parts.empty(f"In no scenario could {judges[1]} be held against {judges[0]}.", theme, narrow)
    remarks = dict(zip(scenarios["scenario"].astype(str), scenarios["remark"], strict=True))
    thin = {name for name in listed if not words.absent(remarks[name])}
    rows = [f"{name} {THIN}" if name in thin else name for name in listed]
    fitted = parts.row_names([AVERAGE, *rows], 112.0 if narrow else 168.0, theme)
    left = written.labels_width(fitted, theme.label) + 16
    room = parts.WIDTH[narrow] - left - 8
    # A phone has no room for the number of pairs beside a gap.
    keys: list[Key | None] = [*([] if narrow else [None]), *found.order][: max(int(room / COLUMN[narrow]), 2)]
    width = room / len(keys)
    over = heads([_head(key, names) for key in keys], max(width - 5, 30.0), theme, 3)
    n, size = len(listed) + 1, parts.row_height(fitted, theme, CELL)
    place = {name: k + 1 for k, name in enumerate(listed)}
    pairs = dict(zip(scenarios["scenario"].astype(str), scenarios["pairs"], strict=True))
    shapes: list[dict[str, object]] = []
    texts = [] if narrow else [said(0, row, f"{int(pairs[name]):,}", False, theme) for name, row in place.items()]
    xs: list[int] = []
    ys: list[int] = []
    hovers: list[str] = []
    custom: list[list[str]] = []
    column = "pooled" if pooled else "value"
    for at, key in enumerate(keys):
        if key is None:
            continue
        mean, low, high = found.average.get(key, (np.nan, np.nan, np.nan))
        if np.isfinite(mean):
            texts.append(said(at, 0, found.text(key, mean), key in found.beyond, theme))
            if key in found.beyond:
                shapes.append(fill(at, 0, side(mean, theme), 1.0))
            xs, ys, custom = [*xs, at], [*ys, 0], [*custom, [*key, ""]]
            over_all = f"<b>{written.escape(name_of(key, names))}</b> over all scenarios"
            hovers.append(f"{over_all}<br>{found.estimate(key, mean, low, high)}")
        else:
            texts.append(dot(at, 0, theme))
        mine = found.cells[(found.cells["figure"] == key[0]) & (found.cells["factor"] == key[1])]
        mine = mine[mine["scenario"].isin(listed)]
        largest = float(np.nanmax(np.abs(mine[column].to_numpy(dtype=float)), initial=1e-9))
        empty = set(listed)
        for cell in mine.to_dict("records"):
            value, scenario = float(cell[column]), str(cell["scenario"])
            if not np.isfinite(value):
                continue
            empty.discard(scenario)
            row = place[scenario]
            beyond = bool(cell["pooled_beyond" if pooled else "beyond"])
            # What comes from the other scenarios alone is set in brackets.
            text = found.text(key, value) if cell["own"] or not pooled else f"({found.text(key, value)})"
            if beyond and key[0] == GAP:
                shapes.append(fill(at, row, side(value, theme), 0.25 + 0.75 * abs(value) / largest))
            elif beyond:
                shapes.append(fill(at, row, theme.zero, 0.5))
                text += " ▴" if value > mean else " ▾"
            texts.append(said(at, row, text, beyond, theme))
            xs, ys, custom = [*xs, at], [*ys, row], [*custom, [*key, scenario]]
            hovers.append(hover(cell, key, found, names))
        texts += [dot(at, place[name], theme) for name in empty]
    figure = go.Figure(
        go.Scatter(
            x=xs, y=ys, mode="markers", hovertext=hovers, hoverinfo="text", customdata=custom, showlegend=False,
            marker={"symbol": "square", "size": size * 0.9, "color": "rgba(0,0,0,0)"},
        )
    )  # fmt: skip
    top = over.height
    remark, taken = parts.note(_note(found, keys, judges, pooled, len(listed), bool(thin)), theme, narrow, left, 4)
    set_layout(
        figure,
        margin={"l": left, "r": 8, "t": top, "b": taken + 8, "pad": 6},
        xaxis=over.axis(theme),
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme, anchor="x"),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), _below_average(theme), *shapes],
        annotations=[remark, *texts],
    )  # fmt: skip
    return base(figure, theme, n * size + top + taken + 8, _alt(found, judges, names))


def _below_average(theme: Theme) -> dict[str, object]:
    return {
        "type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": 0.5, "y1": 0.5,
        "line": {"color": theme.zero, "width": 1}, "layer": "below",
    }  # fmt: skip


def _head(key: Key | None, names: Mapping[str, str]) -> str:
    if key is None:
        return "Pairs"
    return {AGREEMENT: "Agree, %", ORDERS: "Order of models"}.get(key[0], names.get(key[1], key[1]))


def name_of(key: Key, names: Mapping[str, str]) -> str:
    """What a figure is called. names : of factors"""
    return NAMES.get(key[0], names.get(key[1], key[1]))


def hover(cell: Mapping[Any, Any], key: Key, found: Figures, names: Mapping[str, str]) -> str:
    """A figure of one scenario, pooled and alone. cell : a row of `Figures.cells`"""
    lines = [f"<b>{written.escape(name_of(key, names))}</b> in {written.escape(str(cell['scenario']))}"]
    for what, columns in SAID.items():
        value, low, high = (float(cell[name]) for name in columns)
        known = found.estimate(key, value, low, high) if np.isfinite(value) else "not estimated"
        lines.append(f"{what} {known}")
    return "<br>".join(lines)


def _note(
    found: Figures, keys: list[Key | None], judges: tuple[str, str], pooled: bool, shown: int, thin: bool
) -> str:
    kind = EVEN if found.unit == POINTS else "log-odds"
    text = "" if not any(key and key[0] == GAP for key in keys) else (
        f"Gaps: {judges[1]} minus {judges[0]}, {kind}, {'net' if found.net else 'plain, not net'} of decisiveness; "
        "coloured where beyond noise (q < .05 over the whole table). "
    )  # fmt: skip
    if pooled:
        text += "▾ and ▴: agreement or order apart from the average beyond noise. "
    text += "Grey: within noise; ·: not estimated."
    if pooled and not found.cells["own"].all():
        text += " In brackets: the scenario itself says nothing of it."
    if thin:
        text += f" {THIN}: says little by itself."
    out = len([key for key in found.order if key not in keys])
    if out:
        which = ": those here have the most and largest gaps" if any(key and key[0] == GAP for key in keys) else ""
        text += f" {words.plural(out, 'figure')} more in the table{which}."
    more = len(found.scenarios) - shown
    return text + (f" {words.plural(more, 'scenario')} more, not drawn ({ORDER})." if more > 0 else "")


def _alt(found: Figures, judges: tuple[str, str], names: Mapping[str, str]) -> str:
    sure = found.cells[(found.cells["figure"] == GAP) & found.cells["pooled_beyond"]]
    sure = sure.sort_values("pooled", key=lambda v: v.abs(), ascending=False, kind="stable")
    largest = [
        f"{names.get(str(r['factor']), str(r['factor']))} in {r['scenario']} ({found.text((GAP, ''), r['pooled'])})"
        for r in sure.head(3).to_dict("records")
    ]
    text = (
        f"{judges[1]} held against {judges[0]} in {words.plural(len(found.scenarios), 'scenario')}: "
        f"{words.plural(len(found.order), 'figure')} each; {words.plural(len(sure), 'gap')} beyond noise."
    )
    return text + (f" Largest: {words.listing(largest)}." if largest else "")
