"""Which gap stands out in which scenario? A matrix of factors and scenarios, noise greyed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.factor_gaps import BEYOND, EVEN, POINTS, as_points
from charts.matrix_cells import dot, fill, heads, said, side, signed
from charts.theme import Theme, base, set_layout

FIRST = "first_position"
COLUMN = {False: 60.0, True: 58.0}
"""Pixels that a scenario needs, by `narrow`."""


def factor_scenario_chart(
    gaps: pd.DataFrame,
    reference: str,
    judge: str,
    theme: Theme,
    *,
    most: int = 15,
    narrow: bool = False,
    unit: str = POINTS,
    labels: Mapping[str, str] | None = None,
) -> go.Figure:
    """A cell for each factor and scenario: filled with the side's colour and its number where the gap is beyond noise,
    else a grey number on the ground; a dot where it could not be estimated.

    gaps : the table `gaps` of the study `factors scenarios`, of one judge
    most : how many factors, those with the most and the largest gaps beyond noise; of scenarios, as many as fit
    """
    if gaps.empty:
        return parts.empty(f"In no scenario could {judge} be held against {reference}.", theme, narrow)
    names = labels or {}
    kind = EVEN if unit == POINTS else "log-odds"

    def note(shown: pd.DataFrame) -> str:
        plain = sorted({str(s) for s, scaled in zip(shown["scenario"], shown["scaled"], strict=True) if not scaled})
        text = (
            f"Coloured: beyond noise (q < {words.fixed(BEYOND)}, over the whole table); grey: within noise; ·: not "
            f"estimated. {kind[:1].upper() + kind[1:]}, {judge} minus {reference}, net of decisiveness."
        )
        if len(plain) == shown["scenario"].nunique():
            return text.replace(
                ", net of decisiveness", "; plain gaps, because decisiveness is unknown in each scenario"
            )
        if plain:
            text += f" Plain gaps, because decisiveness is unknown there: {words.listing(plain, 4)}."
        return text

    return scenario_matrix(
        cells(gaps, unit), theme, "Gaps", note, lambda cell: _hover(cell, names, reference, judge), most=most,
        narrow=narrow, unit=unit, labels=names,
    )  # fmt: skip


def scenario_matrix(
    table: pd.DataFrame,
    theme: Theme,
    what: str,
    note: Callable[[pd.DataFrame], str],
    hover: Callable[[Mapping[Any, Any]], str],
    *,
    most: int = 15,
    narrow: bool = False,
    unit: str = POINTS,
    labels: Mapping[str, str] | None = None,
) -> go.Figure:
    """A cell for each factor and scenario.

    table : factor, scenario, value (0 is none), beyond (noise), and what `hover` reads; what : plural, for the text
    note : of the rows that are drawn, what their looks mean
    """
    names = labels or {}
    order = _order(table, "factor")[:most]
    fitted = parts.row_names([names.get(f, f) for f in order], 104.0 if narrow else 165.0, theme)
    left = written.labels_width(fitted, theme.label) + 16
    fits = max(int((parts.WIDTH[narrow] - left - 8) / COLUMN[narrow]), 1)
    told = _order(table, "scenario")
    scenarios = [name for name in dict.fromkeys(table["scenario"]) if name in set(told[:fits])]
    outside = len(told) - len(scenarios)
    shown = table[table["scenario"].isin(scenarios)]
    width = (parts.WIDTH[narrow] - left - 8) / len(scenarios)
    over = heads(scenarios, max(width - 5, 30.0), theme)
    n, size = len(order), parts.row_height(fitted, theme)
    place = {scenario: k for k, scenario in enumerate(scenarios)}
    shapes, texts = [], []
    xs, ys, hovers, custom = [], [], [], []
    largest = float(np.nanmax(np.abs(table["value"].to_numpy(dtype=float)), initial=1e-9))
    rows = {factor: k for k, factor in enumerate(order)}
    for cell in shown.to_dict("records"):
        row = rows.get(str(cell["factor"]))
        if row is None:
            continue
        column = place[str(cell["scenario"])]
        beyond, value = bool(cell["beyond"]), float(cell["value"])
        if beyond:
            shapes.append(fill(column, row, side(value, theme), 0.25 + 0.75 * abs(value) / largest))
        texts.append(said(column, row, signed(value, 0 if unit == POINTS else 1), beyond, theme))
        xs.append(column)
        ys.append(row)
        custom.append([str(cell["factor"]), str(cell["scenario"])])
        hovers.append(hover(cell))
    empty = [
        dot(k, rows[factor], theme)
        for factor in order
        for scenario, k in place.items()
        if not ((table["factor"] == factor) & (table["scenario"] == scenario)).any()
    ]
    figure = go.Figure(
        go.Scatter(
            x=xs, y=ys, mode="markers", hovertext=hovers, hoverinfo="text", customdata=custom, showlegend=False,
            marker={"symbol": "square", "size": size * 0.9, "color": "rgba(0,0,0,0)"},
        )
    )  # fmt: skip
    said_below = note(shown)
    hidden = int(table["factor"].nunique()) - n
    if hidden > 0:
        said_below += f" {words.plural(n, 'factor')} of {n + hidden}; the others have no larger {what.lower()}."
    if outside:
        said_below += f" Scenarios with the largest {what.lower()}; {outside} more in the table."
    top = over.height
    remark, taken = parts.note(said_below, theme, narrow, left, 4)
    set_layout(
        figure,
        margin={"l": left, "r": 8, "t": top, "b": taken + 8, "pad": 6},
        xaxis=over.axis(theme),
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme, anchor="x"),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), *shapes],
        annotations=[remark, *texts, *empty],
    )  # fmt: skip
    found = table[table["beyond"]].sort_values("value", key=lambda v: v.abs(), ascending=False)
    largest_of = [
        f"{names.get(str(r['factor']), str(r['factor']))} in {r['scenario']} ({words.number(r['value'], 1)})"
        for r in found.head(3).to_dict("records")
    ]
    alt = f"{what} of {words.plural(n, 'factor')} in {words.plural(len(told), 'scenario')}; {len(found)} beyond noise."
    alt += f" Largest: {words.listing(largest_of)}." if largest_of else ""
    return base(figure, theme, n * size + top + taken + 8, alt)


def cells(gaps: pd.DataFrame, unit: str = POINTS) -> pd.DataFrame:
    """factor, scenario, value (net where that is known, else plain), lower, upper, beyond, scaled, pairs."""
    scaled = gaps["gap_scaled"].notna().to_numpy(dtype=bool)

    def pick(net: str, plain: str) -> np.ndarray:
        return np.where(scaled, parts.numbers(gaps, net), parts.numbers(gaps, plain))

    q = pick("scaled_q", "q")
    q = np.where(np.isnan(q), pick("scaled_p", "p"), q)
    columns = {"value": pick("gap_scaled", "gap"), "lower": pick("scaled_lower", "lower"),
               "upper": pick("scaled_upper", "upper")}  # fmt: skip
    if unit == POINTS:
        columns = {name: as_points(values) - 50 for name, values in columns.items()}
    out = pd.DataFrame(columns)
    out.insert(0, "scenario", gaps["scenario"].astype(str).to_numpy())
    out.insert(0, "factor", gaps["factor"].astype(str).to_numpy())
    return out.assign(beyond=q < BEYOND, scaled=scaled, pairs=gaps["pairs"].to_numpy())


def _order(table: pd.DataFrame, column: str) -> list[str]:
    """Factors or scenarios with the most gaps beyond noise first, then by their largest gap."""
    sized = table.assign(size=table["value"].abs(), sure=table["beyond"] * table["value"].abs())
    by = sized.groupby(column, sort=False)
    ranked = by.agg(n=("beyond", "sum"), sure=("sure", "max"), size=("size", "max"))
    return [str(f) for f in ranked.sort_values(["n", "sure", "size"], ascending=False, kind="stable").index]


def _hover(cell: Mapping[Any, Any], names: Mapping[str, str], reference: str, judge: str) -> str:
    factor, scenario = str(cell["factor"]), str(cell["scenario"])
    kind = "net gap" if cell["scaled"] else "plain gap"
    who = f"{words.shorten(judge, 30)} minus {words.shorten(reference, 30)}"
    return (
        f"<b>{written.escape(names.get(factor, factor))}</b> in {written.escape(scenario)}<br>{written.escape(who)}: "
        f"{kind} {words.estimate(cell['value'], cell['lower'], cell['upper'], 1)}<br>"
        f"{words.plural(int(cell['pairs']), 'pair')}"
    )
