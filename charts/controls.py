"""Who moves when length and style are held equal, and which of them earn wins?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.theme import Mark, Theme, base, set_layout

BEYOND = 0.05
"""q below which a change is drawn as one."""

MARGIN = 14.0
"""Pixels right of a panel: half a tick's text."""

APART = 34.0
"""Pixels between the models' panel and the factors' names."""

SHARE = 0.56
"""Of the width that two panels side by side have, the models'."""


@dataclass(frozen=True)
class _Models:
    """The models drawn, in the controlled order."""

    table: pd.DataFrame
    names: list[str]
    labels: list[written.Label]
    moves: list[str]
    moved: np.ndarray
    beyond: np.ndarray
    hidden: int


def controls_chart(
    models: pd.DataFrame,
    coefficients: pd.DataFrame,
    theme: Theme,
    mark: Mark,
    *,
    most: int = 15,
    narrow: bool = False,
    labels: Mapping[str, str] | None = None,
) -> go.Figure:
    """Two panels: each model's strength raw (hollow) and with the factors held equal (filled), with its ranks; and what
    each factor is worth in win points, 50 being nothing. One above the other at phone width.

    models, coefficients : the tables of the study `control` of one judge; mark : the judge's
    most : how many models, those that move most; they stand in the controlled order
    customdata of each mark: [model] or [factor]
    """
    if models.empty:
        return parts.empty("No model could be ranked with these factors held equal.", theme, narrow)
    shown = _choose(models, most, theme, narrow, labels or {})
    largest = np.argsort(-np.abs(parts.numbers(coefficients, "effect") - 50), kind="stable")
    factors = coefficients.iloc[largest].reset_index(drop=True)
    named = parts.row_names([_factor(str(f)) for f in factors["factor"]], 112.0 if narrow else 84.0, theme)
    row = parts.row_height([*shown.labels, *named], theme, 28.0)
    moves = max(written.text_width(text, theme.small) for text in [*shown.moves, "rank"]) + 10
    left = max(written.labels_width(shown.labels, theme.label), written.labels_width(named, theme.label) * narrow) + 16
    top = 2 * theme.label * written.LINE + 12
    n, k = len(shown.names), len(factors)
    plot_width = parts.WIDTH[narrow] - left - MARGIN
    if narrow:
        # The lower panel has the first one's axis, title and a head of its own between itself and the models.
        first = parts.axis_height(len(_strength_title(plot_width - moves, theme)), theme)
        between = first + theme.small * written.LINE * 2 + 26
        plot_height = (n + k) * row + between
        lower, upper = (0.0, k * row / plot_height), (1 - n * row / plot_height, 1.0)
        place = _Place((0.0, 1 - moves / plot_width), (0.0, 1.0), upper, lower)
    else:
        beside = written.labels_width(named, theme.label) + APART
        cut = SHARE * (1 - (moves + beside) / plot_width)
        second = cut + (moves + beside) / plot_width
        plot_height = max(n, k) * row
        place = _Place((0.0, cut), (second, 1.0), (1 - n * row / plot_height, 1.0), (1 - k * row / plot_height, 1.0))
    figure = go.Figure()
    limits = _add_models(figure, shown, mark, theme)
    gains = _add_factors(figure, factors, mark, theme)
    said = _strength_title((place.x[1] - place.x[0]) * plot_width, theme)
    win = _win_title((place.x2[1] - place.x2[0]) * plot_width, theme)
    bottom = parts.axis_height(len(win) if narrow else max(len(said), len(win)), theme)
    remark, taken = parts.note(_note(shown, factors), theme, narrow, left, bottom)
    set_layout(
        figure,
        margin={"l": left, "r": MARGIN, "t": top, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis(limits, said, theme, 4, domain=place.x, anchor="y"),
        xaxis2=parts.value_axis(gains, win, theme, 4, domain=place.x2, anchor="y2"),
        yaxis=parts.row_axis(n, [one.html for one in shown.labels], theme, anchor="x", domain=place.y),
        yaxis2=parts.row_axis(k, [one.html for one in named], theme, anchor="x2", domain=place.y2),
        shapes=[*_ground(n, theme, "x", "y", 0.0), *_ground(k, theme, "x2", "y2", 50.0)],
        annotations=[remark, *_heads(place, mark, theme), *_moves(shown, place, moves, theme)],
    )
    height = plot_height + top + bottom + taken
    return base(figure, theme, height, _alt(shown, factors))


@dataclass(frozen=True)
class _Place:
    """Where the two panels are, in shares of the plot: models' x, factors' x, models' y, factors' y."""

    x: tuple[float, float]
    x2: tuple[float, float]
    y: tuple[float, float]
    y2: tuple[float, float]


def _factor(name: str) -> str:
    return "shown first" if name == "position" else name


def _choose(models: pd.DataFrame, most: int, theme: Theme, narrow: bool, display: Mapping[str, str]) -> _Models:
    raw, controlled = (parts.numbers(models, f"{name}_rank") for name in ("raw", "controlled"))
    change = parts.numbers(models, "change")
    clearest = np.lexsort((-np.abs(change), -np.abs(raw - controlled)))[:most]
    table = models.iloc[np.sort(clearest)].reset_index(drop=True)
    raw, controlled = (parts.numbers(table, f"{name}_rank") for name in ("raw", "controlled"))
    names = [str(model) for model in table["model"]]
    fitted = parts.row_names([display.get(m, m) for m in names], 100.0 if narrow else 150.0, theme)
    moves = [f"{a:.0f} → {b:.0f}" if a != b else f"{b:.0f}" for a, b in zip(raw, controlled, strict=True)]
    beyond = parts.numbers(table, "q") < BEYOND
    return _Models(table, names, fitted, moves, raw != controlled, beyond, len(models) - len(table))


def _add_models(figure: go.Figure, shown: _Models, mark: Mark, theme: Theme) -> tuple[float, float]:
    table, rows = shown.table, np.arange(len(shown.names))
    raw, controlled = parts.numbers(table, "raw"), parts.numbers(table, "controlled")
    low, high = parts.numbers(table, "controlled_lower"), parts.numbers(table, "controlled_upper")
    limits = parts.span(np.r_[raw, controlled], np.r_[raw, low], np.r_[raw, high])
    parts.add_intervals(figure, low, high, rows, [theme.noise] * len(rows), limits, "x")
    for chosen, colour, width in ((~shown.beyond, theme.noise, 2.0), (shown.beyond, mark.colour, 3.2)):
        xs = [x for r in rows[chosen] for x in (raw[r], controlled[r], None)]
        ys = [y for r in rows[chosen] for y in (r, r, None)]
        if xs:
            figure.add_trace(
                go.Scatter(x=xs, y=ys, mode="lines", line={"color": colour, "width": width}, xaxis="x", yaxis="y",
                           hoverinfo="skip", showlegend=False)
            )  # fmt: skip
    hovers = [_hover(table.iloc[r], shown.names[r]) for r in rows]
    for values, hollow, name in ((raw, True, "raw"), (controlled, False, "held equal")):
        figure.add_trace(
            go.Scatter(
                x=values, y=rows, mode="markers", xaxis="x", yaxis="y", name=name, showlegend=False, cliponaxis=False,
                marker=parts.marker(mark, theme, 8 if hollow else 9, hollow=hollow), hoverinfo="text", hovertext=hovers,
                customdata=[[model] for model in shown.names],
            )
        )  # fmt: skip
    return limits


def _add_factors(figure: go.Figure, factors: pd.DataFrame, mark: Mark, theme: Theme) -> tuple[float, float]:
    effect, low, high = (parts.numbers(factors, name) for name in ("effect", "effect_lower", "effect_upper"))
    # Around 50, where nothing is won; never so close that an effect of a tenth of a point looks large.
    low_limit, high_limit = parts.span(effect - 50, low - 50, high - 50)
    limits = (50 + min(low_limit, -2.0), 50 + max(high_limit, 2.0))
    beyond = ((low > 50) | (high < 50)).tolist()
    rows = np.arange(len(factors))
    colours = [mark.colour if one else theme.noise for one in beyond]
    parts.add_intervals(figure, low, high, rows, colours, limits, "x2", "y2")
    for one in (False, True):
        chosen = [r for r in rows if beyond[r] is one]
        if chosen:
            drawn = mark if one else Mark(theme.noise, mark.symbol)
            figure.add_trace(
                go.Scatter(
                    x=effect[chosen], y=chosen, mode="markers", xaxis="x2", yaxis="y2", showlegend=False,
                    marker=parts.marker(drawn, theme, 9, hollow=not one), cliponaxis=False, hoverinfo="text",
                    hovertext=[_hover_factor(factors.iloc[r]) for r in chosen],
                    customdata=[[str(factors["factor"].iloc[r])] for r in chosen],
                )
            )  # fmt: skip
    return limits


def _hover(row: pd.Series, name: str) -> str:
    lines = [f"<b>{written.escape(words.shorten(name))}</b>"]
    for said, part in (("raw", "raw"), ("held equal", "controlled")):
        value = words.estimate(row[part], row[f"{part}_lower"], row[f"{part}_upper"])
        lines.append(f"{said}: number {row[f'{part}_rank']}, {value}")
    change = words.estimate(row["change"], row["change_lower"], row["change_upper"])
    q = "" if words.absent(row["q"]) else f", q {_equals(words.p_value(row['q']))}"
    return "<br>".join([*lines, f"change {change}{written.escape(q)}"])


def _hover_factor(row: pd.Series) -> str:
    effect = words.estimate(row["effect"], row["effect_lower"], row["effect_upper"], 1)
    lines = [f"<b>{written.escape(_factor(str(row['factor'])))}</b>", f"{effect} of 100 wins"]
    if not words.absent(row["scale"]):
        lines.append(f"for a difference of {words.number(row['scale'])}")
    return "<br>".join(lines)


def _equals(text: str) -> str:
    return text if text.startswith("<") else f"= {text}"


def _strength_title(width: float, theme: Theme) -> list[str]:
    return [line for text in parts.strength_title(width, theme) for line in written.wrap(text, width, theme.small)]


def _win_title(width: float, theme: Theme) -> list[str]:
    return written.wrap("wins of 100 with more of it (50 = no effect)", width, theme.small)


def _heads(place: _Place, mark: Mark, theme: Theme) -> list[dict[str, Any]]:
    """What the marks are, above each panel."""
    hollow = Mark(mark.colour, mark.symbol.removesuffix("-open") + "-open")
    models = f"{parts.glyph(hollow, theme)} raw &nbsp;{parts.glyph(mark, theme)} held equal"
    above = {"yref": "paper", "yanchor": "bottom", "yshift": 4}
    # Longer names leave it less room on paper, where it may stand over them.
    start, anchor = (place.x[1], "right") if theme.is_print else (place.x[0], "left")
    return [
        parts.head(models, start, theme, anchor) | above | {"y": place.y[1]},
        parts.head("rank", place.x[1], theme, "left", True) | above | {"y": place.y[1], "xshift": 8},
        parts.head("<b>What each is worth</b>", place.x2[0], theme, "left") | above | {"y": place.y2[1]},
    ]


def _moves(shown: _Models, place: _Place, width: float, theme: Theme) -> list[dict[str, Any]]:
    """Beside each row the rank raw and held equal; one number where they are the same."""
    out = []
    for row, text in enumerate(shown.moves):
        colour = theme.text if shown.moved[row] else theme.muted
        out.append(
            {
                "text": f"<b>{text}</b>" if shown.moved[row] else text, "showarrow": False, "xref": "paper",
                "yref": "y", "x": place.x[1], "y": row, "xanchor": "left", "yanchor": "middle", "xshift": 8,
                "font": {"size": theme.small, "color": colour},
            }
        )  # fmt: skip
    return out


def _ground(n: int, theme: Theme, xaxis: str, yaxis: str, zero: float) -> list[dict[str, Any]]:
    """Bands behind every other row of one panel, and its line of no effect."""
    across = {"xref": f"{xaxis} domain", "yref": yaxis, "x0": 0, "x1": 1}
    return [shape | across for shape in parts.bands(n, theme, [(0.0, 1.0)])] + [
        parts.zero_line(n, xaxis, theme, zero) | {"yref": yaxis}
    ]


def _note(shown: _Models, factors: pd.DataFrame) -> str:
    text = f"Coloured lines: the strength changes beyond noise (q < {words.fixed(BEYOND)})."
    if factors["scale"].notna().any():
        text += " Worth: how often the answer with one scale unit more of it wins, all else equal."
    if shown.hidden:
        text += f" The {words.plural(len(shown.names), 'model')} that move most; {words.not_shown(shown.hidden)}."
    return text


def _alt(shown: _Models, factors: pd.DataFrame) -> str:
    """The picture in a sentence or two."""
    moved = [f"{name} ({move})" for name, move, one in zip(shown.names, shown.moves, shown.moved, strict=True) if one]
    text = f"Strengths of {words.plural(len(shown.names), 'model')}, raw and with factors held equal. "
    text += f"Ranks that change: {words.listing(moved)}." if moved else "No rank changes."
    worth = [f"{_factor(str(r['factor']))} {words.number(r['effect'], 1)}" for _, r in factors.iterrows()]
    return f"{text} Wins of 100 with more of it: {words.listing(worth, 6)}."
