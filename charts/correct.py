"""How do people's strengths change with an LLM's verdicts as a help, and where would the LLM alone have led?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.theme import Mark, Theme, base, marks, set_layout

DODGE = 0.24
"""How far the marks of a row stand from one another, in rows."""

ROW = 38.0
"""Least height of a row in pixels: room for three intervals."""

SAID = {"corrected": "corrected", "classical": "{reference} alone", "naive": "{judge} alone"}


@dataclass(frozen=True)
class _Method:
    """One way to estimate: how it is drawn, and its numbers, each (n_models,)."""

    name: str
    said: str
    mark: Mark
    hollow: bool
    size: float
    value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray


def correct_chart(
    models: pd.DataFrame,
    reference: str,
    judge: str,
    theme: Theme,
    *,
    humans: Collection[str] = (),
    most: int = 15,
    narrow: bool = False,
    labels: Mapping[str, str] | None = None,
) -> go.Figure:
    """One row a model: corrected (filled), the reference alone (hollow), the judge alone (small, grey), with intervals.

    Beside the rows stand the ranks, corrected where there are such. A method without any number is not drawn.

    models : the table `models` of the study `correct` of one judge, in its order; most : models from the top
    customdata of each mark: [model]
    """
    if models.empty:
        return parts.empty("No model could be ranked.", theme, narrow)
    table = models.head(max(most, 1)).reset_index(drop=True)
    n, hidden = len(table), len(models) - min(len(models), max(most, 1))
    names = [str(model) for model in table["model"]]
    display = labels or {}
    fitted = parts.row_names([display.get(m, m) for m in names], 104.0 if narrow else 180.0, theme)
    methods = _methods(table, reference, judge, theme, humans)
    limits = parts.span(*(np.concatenate([getattr(m, p) for m in methods]) for p in ("value", "lower", "upper")))
    figure = go.Figure()
    rows = list(range(n))
    for k, method in enumerate(methods):
        at = np.arange(n) + (k - (len(methods) - 1) / 2) * DODGE
        width = 2.4 if method.name == "corrected" else 1.4
        parts.add_intervals(figure, method.lower, method.upper, at, [method.mark.colour] * n, limits, "x", width=width)
        figure.add_trace(
            go.Scatter(
                x=method.value, y=at, mode="markers", name=method.said, showlegend=False, cliponaxis=False,
                marker=parts.marker(method.mark, theme, method.size, hollow=method.hollow), hoverinfo="text",
                hovertext=[_hover(names[r], methods, r) for r in rows], customdata=[[name] for name in names],
            )
        )  # fmt: skip
    ranks = [_rank(table.iloc[r], narrow) for r in rows]
    right = max(written.text_width(text, theme.small) for text in [*ranks, "rank"]) + 20
    left = written.labels_width(fitted, theme.label) + 16
    room = parts.WIDTH[narrow] - left - right
    title = [line for text in parts.strength_title(room, theme) for line in written.wrap(text, room, theme.small)]
    bottom = parts.axis_height(len(title), theme)
    remark, taken = parts.note(_note(methods, n, hidden), theme, narrow, left, bottom)
    heads = _heads(methods, theme, parts.WIDTH[narrow] - 16)
    top = 2 * theme.small + parts.lines_of("<br>".join(heads)) * theme.label * written.LINE + 10
    font = {"size": theme.small, "color": theme.muted}
    place = {"xref": "paper", "x": 1, "xanchor": "left", "xshift": 10, "showarrow": False, "font": font}
    annotations: list[dict[str, Any]] = [
        place | {"text": "rank", "yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 3},
        *(place | {"text": text, "yref": "y", "y": row, "yanchor": "middle"} for row, text in enumerate(ranks)),
        parts.head("<br>".join(heads), 0.0, theme, "left") | {"xshift": -left + 4, "yshift": 2 * theme.small},
        *(_unranked(row, theme) for row in rows if not any(np.isfinite(m.value[row]) for m in methods)),
        remark,
    ]
    set_layout(
        figure,
        margin={"l": left, "r": right, "t": top, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis(limits, title, theme, 4 if narrow else 6, anchor="y"),
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), parts.zero_line(n, "x", theme)],
        annotations=annotations,
    )
    height = n * parts.row_height(fitted, theme, ROW) + top + bottom + taken
    return base(figure, theme, height, _alt(table, methods, names, hidden))


def _methods(
    table: pd.DataFrame, reference: str, judge: str, theme: Theme, humans: Collection[str]
) -> list[_Method]:
    drawn = marks([reference, judge], humans, theme)
    looks = {
        "corrected": (drawn[reference], False, 9.5),
        "classical": (drawn[reference], True, 8.0),
        "naive": (Mark(theme.zero, drawn[judge].symbol), False, 6.0),
    }
    out = []
    for name, (mark, hollow, size) in looks.items():
        head = "" if name == "corrected" else f"{name}_"
        value, lower, upper = (parts.numbers(table, column) for column in (name, f"{head}lower", f"{head}upper"))
        if np.isfinite(value).any():
            said = SAID[name].format(reference=reference, judge=judge)
            out.append(_Method(name, said, mark, hollow, size, value, lower, upper))
    return out


def _rank(row: pd.Series, narrow: bool) -> str:
    head = "classical_" if words.absent(row["rank"]) else ""
    rank = words.number(row[f"{head}rank"])
    if head or narrow or words.absent(row["rank_lower"]) or row["rank_lower"] == row["rank_upper"]:
        return rank
    return f"{rank} [{words.number(row['rank_lower'])}, {words.number(row['rank_upper'])}]"


def _heads(methods: list[_Method], theme: Theme, width: float) -> list[str]:
    """Which mark is which, in as many lines as it takes."""
    lines: list[str] = []
    used = 0.0
    for method in methods:
        symbol = method.mark.symbol.removesuffix("-open") + "-open" if method.hollow else method.mark.symbol
        mark = Mark(method.mark.colour, symbol)
        # On paper nothing tells what was shortened: a long name takes more lines.
        text = written.fit_label(method.said, width - 2 * theme.label, theme.label, theme.most(1))
        took = max(written.text_width(line, theme.label) for line in text.lines) + 3 * theme.label
        one = f"{parts.glyph(mark, theme)}\u00a0{text.html}"
        if lines and used + took <= width:
            lines[-1] += f" &nbsp; {one}"
            used += took
        else:
            lines.append(one)
            used = took
    return lines


def _unranked(row: int, theme: Theme) -> dict[str, Any]:
    return {
        "text": "no strength: not on the common scale", "x": 0, "y": row, "xref": "x", "yref": "y",
        "showarrow": False, "font": {"size": theme.small, "color": theme.muted}, "bgcolor": theme.background,
    }  # fmt: skip


def _hover(name: str, methods: list[_Method], row: int) -> str:
    lines = [f"<b>{written.escape(words.shorten(name))}</b>"]
    for method in methods:
        value = words.estimate(float(method.value[row]), float(method.lower[row]), float(method.upper[row]))
        if value:
            lines.append(f"{written.escape(words.shorten(method.said, 40))}: {value}")
    return "<br>".join(lines)


def _note(methods: list[_Method], n: int, hidden: int) -> str:
    naive = next((method for method in methods if method.name == "naive"), None)
    text = ""
    if naive is not None:
        text = f"Grey intervals, {naive.said}, know nothing of its bias."
    if hidden:
        text += f" The first {words.plural(n, 'model')}; {words.not_shown(hidden)}."
    return text.strip() or "Lines are intervals."


def _alt(table: pd.DataFrame, methods: list[_Method], names: list[str], hidden: int) -> str:
    """The picture in a sentence or two."""
    said = words.listing([method.said for method in methods])
    text = f"Strengths of {words.plural(len(names) + hidden, 'model')}: {said}."
    known = [r for r in range(len(names)) if methods and np.isfinite(methods[0].value[r])]
    first = [f"{names[r]} ({words.number(methods[0].value[r])})" for r in known[:3]]
    return text + (f" First, {methods[0].said}: {words.listing(first)}." if first else "")
