"""Which factors move two judges' verdicts, and where do the two part beyond noise?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from scipy.special import expit

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.gaps import DODGE, MARGIN
from charts.theme import Mark, Theme, base, marks, set_layout

BEYOND = 0.05
"""A gap is drawn as beyond noise when its q (Benjamini-Hochberg) is below this."""

FIRST = "first_position"
POINTS, LOG_ODDS = "points", "log-odds"

EVEN = "win points on an even pair"
"""What a gap of log-odds comes to in wins: it is no difference of two weights' win points, which depends on both."""


@dataclass(frozen=True)
class FactorRows:
    """Rows of a gap table in the order they are drawn, arrays (rows,).

    value, lower, upper : the gap, net of decisiveness when `scaled`; ref, judge : weights with their intervals
    p : of the position, which has no q; beyond : q (or p of the position) < BEYOND
    """

    factors: tuple[str, ...]
    value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    weights: Mapping[str, tuple[np.ndarray, ...]]
    beyond: np.ndarray
    scaled: bool
    hidden: int
    table: pd.DataFrame


def sort_factors(gaps: pd.DataFrame, most: int | None = None) -> FactorRows:
    """Beyond noise first, then by the size of the gap (net where a scale is offered)."""
    scaled = bool(gaps["gap_scaled"].notna().any())
    value, low, high, q, p = (
        ("gap_scaled", "scaled_lower", "scaled_upper", "scaled_q", "scaled_p") if scaled
        else ("gap", "lower", "upper", "q", "p")
    )  # fmt: skip
    test = parts.numbers(gaps, q)
    test = np.where(np.isnan(test), parts.numbers(gaps, p), test)
    beyond = test < BEYOND
    order = np.lexsort((-np.abs(parts.numbers(gaps, value)), ~beyond))
    kept = order[:most]
    table = gaps.iloc[kept].reset_index(drop=True)
    weights = {
        end: tuple(parts.numbers(table, name) for name in (f"weight_{end}", f"{end}_lower", f"{end}_upper"))
        for end in ("ref", "judge")
    }
    return FactorRows(
        factors=tuple(map(str, table["factor"])), value=parts.numbers(table, value), lower=parts.numbers(table, low),
        upper=parts.numbers(table, high), weights=weights, beyond=beyond[kept], scaled=scaled,
        hidden=len(gaps) - len(table), table=table,
    )  # fmt: skip


def factor_gap_chart(
    gaps: pd.DataFrame,
    reference: str,
    judge: str,
    theme: Theme,
    *,
    humans: Collection[str] = (),
    most: int | None = None,
    narrow: bool = False,
    unit: str = POINTS,
    labels: Mapping[str, str] | None = None,
    judge_marks: Mapping[str, Mark] | None = None,
) -> go.Figure:
    """Two panels that share their rows: both judges' weights, and their gap with its interval.

    Sorted by beyond noise or not, then by size. At phone width only the gap is drawn.

    gaps : the table `gaps` of the study `factors gap`, of one judge; most : how many factors
    unit : "points" (wins of 100 with one unit more of it; 50 = no effect) or "log-odds"
    labels : display names of factors; customdata of each mark: [factor]
    """
    if gaps.empty:
        return parts.empty(f"No factor was compared between {reference} and {judge}.", theme, narrow)
    found = sort_factors(gaps, most)
    names = labels or {}
    fitted = parts.row_names([names.get(f, f) for f in found.factors], 118.0 if narrow else 165.0, theme)
    drawn = dict(judge_marks or marks([reference, judge], humans, theme))
    n = len(found.factors)
    figure = go.Figure()
    domains = [(0.0, 1.0)] if narrow else [(0.0, 0.55), (0.61, 1.0)]
    left = written.labels_width(fitted, theme.label) + 16
    room = [(end - start) * (parts.WIDTH[narrow] - left - MARGIN) for start, end in domains]
    hovers = [_hover(found, row, (reference, judge), names) for row in range(n)]
    shapes = parts.bands(n, theme, domains)
    if not narrow:
        limits = _add_weights(figure, found, (reference, judge), drawn, unit, hovers, theme)
        axis = parts.value_axis(limits, _weight_title(unit, room[0], theme), theme, 5, domain=domains[0], anchor="y")
        set_layout(figure, xaxis=axis)
        shapes.append(parts.zero_line(n, "x", theme, 50.0 if unit == POINTS else 0.0))
    limits = _add_gap(figure, found, unit, hovers, theme)
    title = _gap_title(found, reference, judge, unit, room[-1] - 4, theme)
    axis = parts.value_axis(limits, title, theme, 4, domain=domains[-1], anchor="y")
    set_layout(figure, xaxis2=axis)
    lines = max(len(title), 0 if narrow else len(_weight_title(unit, room[0], theme)))
    bottom = parts.axis_height(lines, theme)
    remark, taken = parts.note(_note(found), theme, narrow, left, bottom)
    aside = left if narrow and theme.is_print else 0.0
    heads = _heads((reference, judge), drawn, domains, room, left, aside, theme)
    top = max(parts.lines_of(str(one["text"])) for one in heads) * theme.label * written.LINE + 14
    set_layout(
        figure,
        margin={"l": left, "r": MARGIN, "t": top, "b": bottom + taken, "pad": 6},
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme, anchor="x2" if narrow else "x"),
        shapes=[*shapes, parts.zero_line(n, "x2", theme)],
        annotations=[remark, *heads],
    )
    height = n * parts.row_height(fitted, theme, 30) + top + bottom + taken
    return base(figure, theme, height, _alt(found, reference, judge, names))


def _add_weights(
    figure: go.Figure, found: FactorRows, judges: tuple[str, str], drawn: Mapping[str, Mark], unit: str,
    hovers: list[str], theme: Theme,
) -> tuple[float, float]:  # fmt: skip
    """Both judges' weights in the left panel; the axis' range."""
    said = {end: tuple(as_points(v) if unit == POINTS else v for v in found.weights[end]) for end in ("ref", "judge")}
    zero = 50.0 if unit == POINTS else 0.0
    stacked = [np.r_[said["ref"][k], said["judge"][k]] - zero for k in range(3)]
    low, high = parts.span(*stacked)
    limits = (zero + low, zero + high)
    if unit == POINTS:
        limits = (max(limits[0], -2.0), min(limits[1], 102.0))
    for name, end, shift in zip(judges, ("ref", "judge"), (-DODGE, DODGE), strict=True):
        mark, rows = drawn[name], np.arange(len(found.factors)) + shift
        value, lower, upper = said[end]
        parts.add_intervals(figure, lower, upper, rows, [mark.colour] * len(rows), limits, "x")
        figure.add_trace(
            go.Scatter(
                x=value, y=rows, mode="markers", xaxis="x", yaxis="y", name=name, showlegend=False, cliponaxis=False,
                marker=parts.marker(mark, theme, 8), customdata=[[factor] for factor in found.factors],
                hovertext=hovers, hoverinfo="text",
            )
        )  # fmt: skip
    return limits


def _add_gap(
    figure: go.Figure, found: FactorRows, unit: str, hovers: list[str], theme: Theme
) -> tuple[float, float]:
    value, lower, upper = (
        as_points(v) - 50 if unit == POINTS else v for v in (found.value, found.lower, found.upper)
    )
    limits = parts.span(value, lower, upper)
    colours = [theme.text if beyond else theme.noise for beyond in found.beyond]
    rows = np.arange(len(found.factors))
    parts.add_intervals(figure, lower, upper, rows, colours, limits, "x2")
    for beyond, colour in ((False, theme.noise), (True, theme.text)):
        chosen = np.flatnonzero(found.beyond == beyond)
        if len(chosen):
            figure.add_trace(
                go.Scatter(
                    x=value[chosen], y=rows[chosen], mode="markers", xaxis="x2", yaxis="y", showlegend=False,
                    marker=parts.marker(Mark(colour, "circle"), theme, 9, hollow=not beyond), cliponaxis=False,
                    customdata=[[found.factors[k]] for k in chosen], hovertext=[hovers[k] for k in chosen],
                    hoverinfo="text", name="beyond noise" if beyond else "within noise",
                )
            )  # fmt: skip
    return limits


def as_points(log_odds: np.ndarray) -> np.ndarray:
    """Wins of 100 at these log-odds."""
    return np.asarray(100 * expit(log_odds))


def _hover(found: FactorRows, row: int, judges: tuple[str, str], names: Mapping[str, str]) -> str:
    factor = found.factors[row]
    lines = [f"<b>{written.escape(names.get(factor, factor))}</b>"]
    for name, end in zip(judges, ("ref", "judge"), strict=True):
        value, low, high = (float(as_points(v)[row]) for v in found.weights[end])
        points = words.estimate(value, low, high, 1)
        lines.append(f"{written.escape(words.shorten(name, 30))}: wins {points} of 100")
    cells = found.table.iloc[row]
    net = "net gap" if found.scaled else "gap"
    q = cells["scaled_q" if found.scaled else "q"]
    p = "" if words.absent(q) else f", q {'' if q < 0.001 else '= '}{words.p_value(q)}"
    lines.append(f"{net} {words.estimate(found.value[row], found.lower[row], found.upper[row])} log-odds")
    return "<br>".join([*lines[:-1], lines[-1] + written.escape(p)])


def _weight_title(unit: str, width: float, theme: Theme) -> list[str]:
    text = "wins of 100 with more of it (50 = no effect)" if unit == POINTS else "weight, log-odds (0 = no effect)"
    return written.wrap(text, width, theme.small)


def _gap_title(found: FactorRows, reference: str, judge: str, unit: str, width: float, theme: Theme) -> list[str]:
    whole = f"{judge} minus {reference}"
    kind = EVEN if unit == POINTS else "log-odds"
    kind += ", net of decisiveness" if found.scaled else ""
    if written.text_width(whole, theme.small) > width:
        ends = ((judge, " minus"), (reference, ""))
        fitted = [written.fit_label(n, width - written.text_width(e, theme.small), theme.small, theme.most(1))
                  for n, e in ends]  # fmt: skip
        return [line for one, (_, end) in zip(fitted, ends, strict=True) for line in one.ended(end)] + written.wrap(
            kind, width, theme.small
        )
    return [whole, *written.wrap(kind, width, theme.small)]


def _heads(
    judges: tuple[str, str], drawn: Mapping[str, Mark], domains: list[tuple[float, float]], room: list[float],
    names: float, aside: float, theme: Theme,
) -> list[dict[str, Any]]:  # fmt: skip
    """Which mark is whose, above the left panel; what the right one shows.

    names : pixels that the rows' names take; aside : those by which the head on the left is moved over them
    """
    left, right = domains[-1]
    half = parts.over_room(room[-1], aside, theme) / 2 - 6
    sides = [written.fit_label(name, half, theme.small, theme.most(1)) for name in judges]
    most = max(len(one.lines) for one in sides)
    # As many lines on both sides, so that their first ones stand side by side.
    a, b = (one.html + "<br>\u00a0" * (most - len(one.lines)) for one in sides)
    out = [
        parts.head(f"← more for<br>{a}", left, theme, "left", True) | ({"xshift": 4 - aside} if aside else {}),
        parts.head(f"more for →<br>{b}", right, theme, "right", True),
    ]
    if len(domains) > 1:
        both = [parts.tag(name, drawn[name], theme, parts.over_room(room[0], names, theme)) for name in judges]
        out.append(parts.over("<br>".join(both), theme, names))
    return out


def _note(found: FactorRows) -> str:
    text = f"Filled: beyond noise (q < {words.fixed(BEYOND)}); hollow: within noise."
    if not found.scaled:
        text = "Decisiveness could not be taken out; these are plain gaps. " + text
    if found.hidden:
        n = words.plural(len(found.factors), "factor")
        text += f" The {n} that differ most; {words.not_shown(found.hidden)}."
    return text


def _alt(found: FactorRows, reference: str, judge: str, names: Mapping[str, str]) -> str:
    """The picture in a sentence or two."""
    kind = "net of decisiveness" if found.scaled else "plain"
    n = int(found.beyond.sum())
    text = (
        f"Gaps in what moves a verdict, {judge} minus {reference}, {kind}, for "
        f"{words.plural(len(found.factors), 'factor')}; {n or 'none'} {'is' if n == 1 else 'are'} beyond noise."
    )
    largest = [
        f"{names.get(found.factors[k], found.factors[k])} ({words.number(found.value[k])})"
        for k in np.flatnonzero(found.beyond)[:3]
    ]
    return text + (f" Largest: {words.listing(largest)}." if largest else "")
