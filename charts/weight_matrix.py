"""How does a judge weigh each factor in each scenario? A matrix of its weights, several judges in the same order."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import rows as parts
from charts import words
from charts.colour import between, channels, contrast, ink
from charts.colour import written as as_hex
from charts.factor_gaps import POINTS
from charts.matrix_cells import signed
from charts.matrix_layout import TREE, Layout, lay_out
from charts.theme import Mark, Theme, base, set_layout
from charts.weight_cells import POOLED, Drawn, Figures, alt, find, hover, note

PALE, FULL = 0.30, 0.35
"""Share of its colour that the largest weight within noise has, and the least one beyond noise."""

READABLE = 4.5
"""Contrast that grey type needs."""

SIGNED = 0.25
"""Share of the full colour from which a weight of unknown noise has its sign written where its number does not fit."""

STOPS = np.linspace(-1, 1, 21)


def weight_matrix_chart(
    weights: pd.DataFrame,
    trees: tuple[pd.DataFrame, pd.DataFrame],
    theme: Theme,
    marks: Mapping[str, Mark],
    *,
    figures: Figures = POOLED,
    unit: str = POINTS,
    narrow: bool = False,
    labels: Mapping[str, str] | None = None,
) -> go.Figure:
    """A cell for each factor and scenario: its colour by sign and size, strong where beyond noise; numbers if they fit.

    weights : of `factors matrix`; trees : its row_tree and column_tree; marks : of the judges to draw, in their order
    customdata of each cell: [judge, factor, scenario]
    """
    judges = [judge for judge in marks if judge in set(weights["judge"])]
    found = find(weights[weights["judge"].isin(judges)], judges, figures, unit)
    if not np.isfinite(found.value).any():
        return parts.empty("No factor has a weight in any scenario.", theme, narrow)
    names = labels or {}
    size = np.sqrt(np.nan_to_num(found.value**2).sum(axis=0))
    place = lay_out(
        [names.get(f, f) for f in found.factors], found.scenarios,
        (np.sqrt((size**2).sum(axis=1)).tolist(), np.sqrt((size**2).sum(axis=0)).tolist()), len(judges), theme,
        narrow=narrow, trees=(len(trees[0]) > 1, len(trees[1]) > 1),
    )  # fmt: skip
    figure = go.Figure()
    annotations: list[dict[str, Any]] = []
    axes: dict[str, Any] = {}
    for k, judge in enumerate(judges):
        line, panel = divmod(k, place.across)
        x, y = _axis("x", k), _axis("y", line)
        domain, stand = place.span(panel), place.stand(line)
        axes[_layout_name(x)] = _head_axis(place, domain, y, theme)
        if not panel:
            axes[_layout_name(y)] = parts.row_axis(
                len(place.rows), [one.html for one in place.labels], theme, anchor=x, domain=stand
            ) | {"tickfont": {"size": _row_size(place, theme), "color": theme.text}}  # fmt: skip
        _add_cells(figure, found, k, judge, place, theme, (x, y), figures, unit, names)
        if len(judges) > 1:
            annotations.append(
                {"text": parts.tag(judge, marks[judge], theme, place.cell * len(place.columns)), "showarrow": False,
                 "xref": "paper", "yref": "paper", "x": domain[0], "y": stand[1], "xanchor": "left",
                 "yanchor": "bottom", "yshift": place.over, "font": {"size": theme.label, "color": theme.text}}
            )  # fmt: skip
    _add_trees(figure, axes, place, trees, len(judges), theme)
    bottom = 6.0
    remark, taken = parts.note(note(found, place, figures, unit), theme, narrow, place.left, bottom)
    top = place.title + place.over + 4
    set_layout(
        figure,
        margin={"l": place.left, "r": 8, "t": top, "b": bottom + taken, "pad": 4}, annotations=[*annotations, remark],
        shapes=_grounds(place, len(judges), theme), **axes,
    )  # fmt: skip
    return base(figure, theme, place.height + top + bottom + taken, alt(found, judges, names, figures, unit))


# -- cells ------------------------------------------------------------------------------------------------------------


def _add_cells(
    figure: go.Figure, found: Drawn, k: int, judge: str, place: Layout, theme: Theme, axes: tuple[str, str],
    figures: Figures, unit: str, names: Mapping[str, str],
) -> None:  # fmt: skip
    """One judge's matrix: the colours, and on them numbers, or signs where numbers do not fit."""
    value, beyond = (place.of(array[k]) for array in (found.value, found.beyond))
    shade = _shades(value, beyond, found.limit, bool(figures.q))
    things = np.array([[(f, s) for s in found.scenarios] for f in found.factors], dtype=object)
    named = np.stack([place.of(things[:, :, part]) for part in (0, 1)], axis=2)
    cells = [[(judge, str(f), str(s)) for f, s in line] for line in named]
    n, m = value.shape
    gap = 1 if place.cell > 10 else 0
    figure.add_trace(
        go.Heatmap(
            z=np.nan_to_num(shade), x=list(range(m)), y=list(range(n)), zmin=-1, zmax=1, showscale=False,
            colorscale=_scale(theme), xgap=gap, ygap=gap, xaxis=axes[0], yaxis=axes[1], hoverinfo="text",
            customdata=[[list(cell) for cell in line] for line in cells],
            hovertext=[[hover(cell, found.rows.get(cell), figures, names) for cell in line] for line in cells],
        )
    )  # fmt: skip
    texts, inks = [], []
    for i in range(n):
        for j in range(m):
            text = _text(value[i, j], bool(beyond[i, j]), shade[i, j], place.numbered, figures, unit)
            texts.append(text)
            inks.append(_ink(round(float(np.nan_to_num(shade[i, j])), 2), bool(beyond[i, j]), theme))
    figure.add_trace(
        go.Scatter(
            x=[j for _ in range(n) for j in range(m)], y=[i for i in range(n) for _ in range(m)], mode="text",
            text=texts, hoverinfo="skip", showlegend=False, xaxis=axes[0], yaxis=axes[1],
            textfont={"size": theme.small if place.numbered else theme.small - 1, "color": inks},
        )
    )  # fmt: skip


def _shades(value: np.ndarray, beyond: np.ndarray, limit: float, tested: bool) -> np.ndarray:
    """From -1 to 1, the share of the full colour of either sign."""
    size = np.minimum(np.abs(value) / limit, 1.0)
    share = np.where(beyond, FULL + (1 - FULL) * size, PALE * size) if tested else size
    return np.asarray(np.sign(value) * share)


def _text(value: float, beyond: bool, shade: float, numbered: bool, figures: Figures, unit: str) -> str:
    if not np.isfinite(value):
        return "·"
    if numbered:
        text = signed(float(value), 0 if unit == POINTS or abs(value) >= 9.95 else 1)
        return f"<b>{text}</b>" if beyond and figures.q else text
    if beyond if figures.q else abs(shade) >= SIGNED:
        return "+" if value > 0 else words.MINUS
    return ""


def _colour(shade: float, theme: Theme) -> np.ndarray:
    return between(theme.background, theme.judges[2] if shade > 0 else theme.judges[0], abs(shade))


@cache
def _scale(theme: Theme) -> list[list[Any]]:
    return [[float(stop + 1) / 2, as_hex(_colour(float(stop), theme))] for stop in STOPS]


@cache
def _ink(shade: float, beyond: bool, theme: Theme) -> str:
    ground = _colour(shade, theme)
    if not beyond:
        quiet = contrast(channels(theme.muted), ground) >= READABLE
        return theme.muted if quiet else theme.text
    return ink(ground)


# -- what stands around the cells --------------------------------------------------------------------------------------


def _axis(letter: str, k: int) -> str:
    return letter if k == 0 else f"{letter}{k + 1}"


def _layout_name(axis: str) -> str:
    return f"{axis[0]}axis{axis[1:]}"


def _row_size(place: Layout, theme: Theme) -> float:
    return theme.label if len(place.rows) <= 12 and place.width > 400 else theme.small


def _head_axis(place: Layout, domain: tuple[float, float], y: str, theme: Theme) -> dict[str, Any]:
    n = len(place.columns)
    return {
        "range": [-0.5, n - 0.5], "domain": list(domain), "anchor": y, "side": "top", "tickmode": "array",
        "tickvals": list(range(n)), "ticktext": [one.html for one in place.heads],
        "tickangle": 0 if place.upright else -90, "ticks": "", "tickfont": {"size": place.size, "color": theme.muted},
        "showgrid": False, "zeroline": False, "showline": False, "fixedrange": True,
    }  # fmt: skip


def _grounds(place: Layout, n: int, theme: Theme) -> list[dict[str, Any]]:
    """What shows between cells."""
    return [
        {"type": "rect", "xref": _axis("x", k), "yref": _axis("y", k // place.across), "x0": -0.5,
         "x1": len(place.columns) - 0.5, "y0": -0.5, "y1": len(place.rows) - 0.5, "fillcolor": theme.grid,
         "line": {"width": 0}, "layer": "below"}
        for k in range(n)
    ]  # fmt: skip


def _add_trees(
    figure: go.Figure, axes: dict[str, Any], place: Layout, trees: tuple[pd.DataFrame, pd.DataFrame], n: int,
    theme: Theme,
) -> None:  # fmt: skip
    """Trees of the rows on the right, and of the columns below the last matrices, as far as there is room."""
    of_rows, of_columns = (trees[1], trees[0]) if place.turned else trees
    free = n
    hidden = {"visible": False, "fixedrange": True}
    if place.row_tree:
        start = place.span(place.across - 1)[1] + 4 / place.plot
        for line in range(place.lines):
            x, y = _axis("x", free), _axis("y", line)
            free += 1
            axes[_layout_name(x)] = hidden | {
                "domain": [start, min(start + (TREE - 4) / place.plot, 1.0)], "anchor": y, "range": _heights(of_rows)
            }
            figure.add_trace(_tree(of_rows, theme, x, y, down=False))
    if place.column_tree:
        last = place.lines - 1
        for k in range(last * place.across, n):
            x, y = _axis("x", k), _axis("y", place.lines + k)
            axes[_layout_name(y)] = hidden | {
                "domain": [0.0, (TREE - 6) / place.height], "anchor": x, "range": _heights(of_columns)[::-1]
            }
            figure.add_trace(_tree(of_columns, theme, x, y, down=True))


def _heights(tree: pd.DataFrame) -> list[float]:
    top = max(float(tree["at"].max()), 1e-9)
    return [-0.02 * top, 1.04 * top]


def _tree(tree: pd.DataFrame, theme: Theme, x: str, y: str, *, down: bool) -> go.Scatter:
    """One line for all joinings, the leaves at the cells."""
    along: list[float | None] = []
    at: list[float | None] = []
    for one in tree.to_dict("records"):
        along += [one["low"], one["low"], one["high"], one["high"], None]
        at += [one["low_at"], one["at"], one["at"], one["high_at"], None]
    xs, ys = (along, at) if down else (at, along)
    return go.Scatter(
        x=xs, y=ys, xaxis=x, yaxis=y, mode="lines", line={"color": theme.zero, "width": 1.2}, hoverinfo="skip",
        showlegend=False,
    )  # fmt: skip


