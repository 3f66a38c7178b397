"""Who moves between two judges' rankings, and how sure is that?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.differences import BEYOND, PARTS, Differences, find_differences, true_strengths
from charts.theme import Mark, Theme, base, marks, set_layout

GUTTER = 0.06
"""Half the space between the two judges' names at phone width, in shares of the plot's width."""

MOVERS = 5
"""How many of the differences beyond noise are drawn strongest."""


FIGURE_SPACE = "\u2007"
"""A space as wide as a digit, so that a name's second line stands under its first."""


TALLEST = 800.0
"""Pixels of rows that a page of paper holds beside all else."""


@dataclass(frozen=True)
class _Side:
    """One judge's half: where each row stands, and what is written beside it."""

    judge: str
    mark: Mark
    rows: np.ndarray
    strength: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    truth: np.ndarray
    labels: list[str]
    width: float
    height: float


def slope_chart(
    models: pd.DataFrame,
    reference: str,
    judge: str,
    theme: Theme,
    *,
    humans: Collection[str] = (),
    most: int = 15,
    labels: Mapping[str, str] | None = None,
    narrow: bool = False,
    truth: pd.DataFrame | None = None,
    ranking: pd.DataFrame | None = None,
    judge_marks: Mapping[str, Mark] | None = None,
) -> go.Figure:
    """Two rankings side by side, one line a model from its place under `reference` to its place under `judge`.

    Rows are evenly spaced in the order of each judge's strengths; beside each name stands its strength with
    interval, so that places that could as well be exchanged are seen to be so (not at phone width: there only
    names, places and lines). Lines beyond noise (scaled q < .05) are solid, in the colour of the judge that
    holds the model higher; the rest are grey and dotted.

    models : `compare`'s table `models`; with a column judge the rows of `judge` are taken
    humans : which judges are people; labels : display names of models; judge_marks : overrides `marks`
    most : how many models, the clearest differences first; the note says how many are not shown
    narrow : for figures under 650 pixels
    truth, ranking : see `differences.true_strengths` and `differences.find_differences`
    customdata of each mark: [model]
    """
    found = find_differences(models, reference, judge, most, ranking)
    if not len(found):
        return parts.empty(f"No model was compared between {reference} and {judge}.", theme, narrow)
    # By the reference; models without a strength under it come last.
    found = found.order(_order(found.rank_ref, found.models))
    drawn = dict(judge_marks or marks([reference, judge], humans, theme))
    n = len(found)
    whose = ("ref", reference), ("judge", judge)
    sides = [_side(found, end, name, drawn[name], theme, labels or {}, narrow, truth) for end, name in whose]
    once = theme.is_print and narrow and n * max(side.height for side in sides) > TALLEST
    if once:
        # Names on both sides would be taller than a page.
        sides = [_side(found, end, name, drawn[name], theme, labels or {}, narrow, truth, once) for end, name in whose]
    figure = go.Figure()
    panels = ((0.0, 0.0), (0.0, 1.0), (1.0, 1.0)) if narrow else ((0.0, 0.3), (0.3, 0.7), (0.7, 1.0))
    _add_lines(figure, found, sides, theme)
    limits = parts.span(*(np.r_[getattr(sides[0], p), getattr(sides[1], p)] for p in PARTS))
    for k, side in enumerate(sides):
        _add_marks(figure, found, side, k, (reference, judge), limits, theme, narrow)
    title = parts.strength_title(parts.WIDTH[narrow], theme)
    bottom = 4.0 if narrow else parts.axis_height(len(title), theme)
    height_row = max(side.height for side in sides)
    left, right = (side.width + 16 for side in sides)
    said = _note(found, reference, judge, truth is not None and not narrow, theme)
    if once:
        said += f" On the right in brackets: the place by {theme.short(reference, 24)}."
    remark, taken = parts.note(said, theme, narrow, left, bottom)
    room = (parts.WIDTH[narrow] - left - right) * (0.5 - GUTTER if narrow else 0.3)
    ends = (0.5 - GUTTER, 0.5 + GUTTER) if narrow else (panels[0][1], panels[2][0])
    texts, top = [remark], 36.0
    heads = zip(sides, ends, (left, right), ("right", "left"), strict=True)
    tight = any(parts.tag_width(s.judge, theme) > room + b - 12 for s, b in zip(sides, (left, right), strict=True))
    if theme.is_print and tight:
        whole = parts.WIDTH[narrow] - parts.tag_width(" (right)", theme)
        lines = [f"{parts.tag(one.judge, one.mark, theme, whole)} ({at})"
                 for one, at in zip(sides, ("left", "right"), strict=True)]  # fmt: skip
        texts.append(parts.over("<br>".join(lines), theme, left))
        top += (parts.lines_of("<br>".join(lines)) - 1) * theme.label * parts.GLYPH * written.LINE
    else:
        for side, at, beside, anchor in heads:
            mark = parts.tag(side.judge, side.mark, theme, beside + room - 12, after=anchor == "left")
            texts.append(parts.head(mark, at, theme, anchor))
    x: dict[str, Any] = {
        "xaxis2": {"domain": panels[1], "range": [0, 1], "visible": False, "anchor": "y", "fixedrange": True}
    }
    if not narrow:
        x["xaxis"] = parts.value_axis(limits, [], theme, 3, domain=panels[0], anchor="y")
        x["xaxis3"] = parts.value_axis(limits, [], theme, 3, domain=panels[2], anchor="y")
        # One title for both panels, which have the same scale.
        texts.append(parts.foot(title[0], 0.5, 2.0 * theme.small, theme))
    set_layout(
        figure,
        margin={"l": left, "r": right, "t": top, "b": bottom + taken, "pad": 6},
        yaxis=parts.row_axis(n, _by_row(sides[0]), theme, anchor="x2" if narrow else "x"),
        yaxis2=parts.row_axis(
            n, _by_row(sides[1]), theme, overlaying="y", side="right", anchor="x2" if narrow else "x3"
        ),
        shapes=_ground(n, theme, panels, narrow),
        annotations=texts,
        **x,
    )
    return base(figure, theme, n * height_row + top + bottom + taken, _alt(found, reference, judge))


def _order(ranks: np.ndarray, models: tuple[str, ...]) -> np.ndarray:
    return np.lexsort((np.array(models, dtype=str), np.where(np.isfinite(ranks), ranks, np.inf)))


def _side(
    found: Differences, end: str, judge: str, mark: Mark, theme: Theme, names: Mapping[str, str], narrow: bool,
    truth: pd.DataFrame | None, once: bool = False,
) -> _Side:  # fmt: skip
    """once : names stand on the left alone, and on the right what finds them there"""
    ranks, tied = getattr(found, f"rank_{end}"), getattr(found, f"tied_{end}")
    places = np.empty(len(found), dtype=int)
    places[_order(ranks, found.models)] = np.arange(len(found))
    size = theme.label
    most = 82.0 if narrow else 165.0
    if not theme.is_print:
        fitted = written.fit_labels([names.get(m, m) for m in found.models], most, size)
    elif once and end == "judge":
        fitted = [written.Label((f"({r:.0f})" if np.isfinite(r) else "(–)",), "") for r in found.rank_ref]
    else:
        most = (150.0 if narrow else 216.0) if once else (92.0 if narrow else 165.0)
        most /= parts.SOURCE_SANS
        fitted = written.fit_labels([names.get(m, m) for m in found.models], most, size, theme.lines)
        fitted = [replace(one, scale=parts.SOURCE_SANS) for one in fitted]
    strongest = set(_movers(found))
    numbers = [f"{r:.0f}{'=' if tie else ''}" if np.isfinite(r) else "–" for r, tie in zip(ranks, tied, strict=True)]
    digits = max(map(len, numbers))
    labels, width = [], 0.0
    for k, one in enumerate(fitted):
        rank = numbers[k].rjust(digits, FIGURE_SPACE)
        colour = theme.text if found.beyond[k] or not found.n_beyond else theme.muted
        number = f'<span style="color:{theme.muted}">{rank}</span>'
        # The number stands on the side of the chart, where the line begins.
        gap = FIGURE_SPACE * (len(rank) + 2)
        lines = []
        for nth, line in enumerate(one.html.split("<br>")):
            line = f"<b>{line}</b>" if k in strongest else line
            beside = gap if nth else (f"{FIGURE_SPACE * 2}{number}" if end == "ref" else f"{number}{FIGURE_SPACE * 2}")
            lines.append(line + beside if end == "ref" else beside + line)
        labels.append("<br>".join(f'<span style="color:{colour}">{line}</span>' for line in lines))
        bold = 1.08 if k in strongest else 1.0
        width = max(width, written.labels_width([one], size) * bold + 0.6 * size * len(gap))
    return _Side(
        judge, mark, places, getattr(found, f"strength_{end}"), getattr(found, f"lower_{end}"),
        getattr(found, f"upper_{end}"), true_strengths(truth, judge, found.models), labels, width,
        parts.row_height(fitted, theme),
    )  # fmt: skip


def _movers(found: Differences) -> list[int]:
    """Rows of the largest differences beyond noise."""
    beyond = np.flatnonzero(found.beyond)
    return [int(k) for k in beyond[np.argsort(-np.abs(found.value[beyond]), kind="stable")][:MOVERS]]


def _by_row(side: _Side) -> list[str]:
    out = [""] * len(side.labels)
    for row, label in zip(side.rows, side.labels, strict=True):
        out[row] = label
    return out


def _add_lines(figure: go.Figure, found: Differences, sides: list[_Side], theme: Theme) -> None:
    strongest = set(_movers(found))
    # One trace for all lines of a style: grey ones first, the strongest on top.
    styles: dict[tuple[int, str], list[int]] = {}
    for k in range(len(found)):
        weight = (2 if k in strongest else 1) if found.beyond[k] else 0
        colour = sides[int(found.value[k] > 0)].mark.colour if weight else theme.noise
        styles.setdefault((weight, colour), []).append(k)
    for (weight, colour), chosen in sorted(styles.items()):
        line = {"color": colour, "width": (1.4, 1.6, 3.2)[weight]} | ({} if weight else {"dash": "dot"})
        xs = [x for _ in chosen for x in (0.02, 0.98, None)]
        ys = [y for k in chosen for y in (int(sides[0].rows[k]), int(sides[1].rows[k]), None)]
        figure.add_trace(
            go.Scatter(
                x=xs, y=ys, mode="lines", line=line, xaxis="x2", yaxis="y", hoverinfo="skip", showlegend=False,
            )
        )  # fmt: skip


def _add_marks(
    figure: go.Figure, found: Differences, side: _Side, k: int, names: tuple[str, str],
    limits: tuple[float, float], theme: Theme, narrow: bool,
) -> None:  # fmt: skip
    xaxis = "x2" if narrow else ("x", "x3")[k]
    yaxis = ("y", "y2")[k]
    if not narrow:
        colours = [side.mark.colour] * len(found)
        parts.add_intervals(figure, side.lower, side.upper, side.rows, colours, limits, xaxis, yaxis)
        if np.isfinite(side.truth).any():
            figure.add_trace(parts.truth_marks(side.truth, side.rows, theme, xaxis, yaxis, 14))
    known = np.isfinite(side.strength)
    figure.add_trace(
        go.Scatter(
            x=np.where(known, float(k), np.nan) if narrow else side.strength,
            y=side.rows, mode="markers", xaxis=xaxis, yaxis=yaxis, cliponaxis=False, name=side.judge,
            marker=parts.marker(side.mark, theme, 8 if narrow else 7), showlegend=False,
            customdata=[[model] for model in found.models],
            hovertext=[
                f"<b>{written.escape(words.shorten(model))}</b><br>" + found.hover(row, *map(_short, names))
                for row, model in enumerate(found.models)
            ],
            hoverinfo="text",
        )
    )  # fmt: skip


def _short(judge: str) -> str:
    return written.escape(words.shorten(judge, 30))


def _ground(n: int, theme: Theme, panels: tuple[tuple[float, float], ...], narrow: bool) -> list[dict[str, Any]]:
    if narrow:
        return []
    shapes = parts.bands(n, theme, [panels[0], panels[2]])
    return [*shapes, parts.zero_line(n, "x", theme), parts.zero_line(n, "x3", theme)]


def _note(found: Differences, reference: str, judge: str, with_truth: bool, theme: Theme) -> str:
    kind = "net of decisiveness" if found.scaled else "in log-odds"
    reference, judge = theme.short(reference, 24), theme.short(judge, 24)
    if found.beyond.any():
        text = (
            f"Solid lines: {reference} and {judge} differ beyond noise ({kind}, q < {words.fixed(BEYOND)}), "
            "in the colour of the judge that holds the model higher; dotted: within noise."
        )
    else:
        text = f"Dotted lines: none of these models differs beyond noise between {reference} and {judge} ({kind})."
    if with_truth:
        text += " Upright strokes: the simulated truth."
    if found.hidden:
        text += f" The {words.plural(len(found), 'model')} that differ most; {words.not_shown(found.hidden)}."
    return text


def _alt(found: Differences, reference: str, judge: str) -> str:
    """The picture in a sentence or two."""
    text = (
        f"Slope chart of {words.plural(len(found), 'model')}, ranked by {reference} on the left and by {judge} on the "
        f"right. {found.n_beyond:,} {'differs' if found.n_beyond == 1 else 'differ'} beyond noise."
    )
    movers = [
        f"{found.models[k]} (rank {found.rank_ref[k]:.0f} to {found.rank_judge[k]:.0f})"
        for k in _movers(found)
        if np.isfinite(found.rank_ref[k]) and np.isfinite(found.rank_judge[k])
    ]
    return text + (f" Largest: {words.listing(movers)}." if movers else "")
