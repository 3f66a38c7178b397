"""On which models do two judges differ, in which direction, and beyond noise?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.differences import BEYOND, Differences, find_differences, true_strengths
from charts.theme import Mark, Theme, base, marks, set_layout

MARGIN = 18.0
"""Pixels right of the plot: half a tick's text."""

DODGE = 0.16
"""How far the two judges' marks stand from the middle of a row, in rows."""


def gap_chart(
    models: pd.DataFrame,
    reference: str,
    judge: str,
    theme: Theme,
    *,
    humans: Collection[str] = (),
    most: int = 15,
    narrow: bool = False,
    truth: pd.DataFrame | None = None,
    ranking: pd.DataFrame | None = None,
    labels: Mapping[str, str] | None = None,
    judge_marks: Mapping[str, Mark] | None = None,
) -> go.Figure:
    """Two panels that share their rows: both judges' strengths, and their difference with its interval.

    Sorted by beyond noise (scaled q < .05) or not, then by size. Beyond noise the difference is filled,
    otherwise hollow and grey. At phone width only the difference is drawn.

    models : `compare`'s table `models`; with a column judge the rows of `judge` are taken
    humans : which judges are people; labels : display names of models; judge_marks : overrides `marks`
    most : how many models; the note says how many are not shown
    narrow : for figures under 650 pixels
    truth, ranking : see `differences.true_strengths` and `differences.find_differences`
    customdata of each mark: [model]
    """
    found = find_differences(models, reference, judge, most, ranking)
    if not len(found):
        return parts.empty(f"No model was compared between {reference} and {judge}.", theme, narrow)
    names = labels or {}
    fitted = parts.row_names([names.get(m, m) for m in found.models], 118.0 if narrow else 165.0, theme)
    drawn = dict(judge_marks or marks([reference, judge], humans, theme))
    n = len(found)
    figure = go.Figure()
    domains = [(0.0, 1.0)] if narrow else [(0.0, 0.53), (0.59, 1.0)]
    left = written.labels_width(fitted, theme.label) + 16
    room = [(end - start) * (parts.WIDTH[narrow] - left - MARGIN) for start, end in domains]
    title = _difference_title(found, reference, judge, room[-1] - 4, theme)
    if not narrow:
        limits = _add_strengths(figure, found, reference, judge, drawn, truth, theme)
        said = parts.strength_title(room[0], theme)
        axis = parts.value_axis(limits, said, theme, 5, domain=domains[0], anchor="y")
        set_layout(figure, xaxis=axis)
    limits = parts.span(found.value, found.lower, found.upper)
    _add_difference(figure, found, (reference, judge), limits, theme)
    axis = parts.value_axis(limits, title, theme, 4, domain=domains[-1], anchor="y")
    set_layout(figure, xaxis2=axis)
    bottom = parts.axis_height(len(title), theme)
    said_below = _note(found, np.isfinite(_truths(found, reference, judge, truth)).any() and not narrow)
    remark, taken = parts.note(said_below, theme, narrow, left, bottom)
    # Without a panel beside it, the names over this one may stand above the rows' names too.
    aside = left if narrow and theme.is_print else 0.0
    sides = _sides((reference, judge), parts.over_room(room[-1], aside, theme), theme)
    more = max(len(one.lines) for one in sides) - 1
    both = "<br>".join(
        parts.tag(name, drawn[name], theme, parts.over_room(room[0], left, theme)) for name in (reference, judge)
    )
    heads = _heads(sides, domains, theme, aside)
    if not narrow:
        heads.append(parts.over(both, theme, left))
    top = 2 * theme.label * written.LINE + 16 + more * theme.small * written.LINE
    if not narrow:
        top = max(top, parts.lines_of(both) * theme.label * parts.GLYPH * written.LINE + 14)
    shapes = [*parts.bands(n, theme, domains), parts.zero_line(n, "x2", theme)]
    if not narrow:
        shapes.append(parts.zero_line(n, "x", theme))
    set_layout(
        figure,
        margin={"l": left, "r": MARGIN, "t": top, "b": bottom + taken, "pad": 6},
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme, anchor="x2" if narrow else "x"),
        shapes=shapes,
        annotations=[remark, *heads],
    )
    height = n * parts.row_height(fitted, theme, 30) + top + bottom + taken
    return base(figure, theme, height, _alt(found, reference, judge))


def _add_strengths(
    figure: go.Figure, found: Differences, reference: str, judge: str, drawn: Mapping[str, Mark],
    truth: pd.DataFrame | None, theme: Theme,
) -> tuple[float, float]:  # fmt: skip
    """Both judges' strengths in the left panel, the reference above the middle of its row; the axis' range."""
    limits = parts.span(
        np.r_[found.strength_ref, found.strength_judge],
        np.r_[found.lower_ref, found.lower_judge],
        np.r_[found.upper_ref, found.upper_judge],
    )
    for name, end, shift in ((reference, "ref", -DODGE), (judge, "judge", DODGE)):
        mark = drawn[name]
        rows = np.arange(len(found)) + shift
        strength, lower, upper = (getattr(found, f"{part}_{end}") for part in ("strength", "lower", "upper"))
        parts.add_intervals(figure, lower, upper, rows, [mark.colour] * len(found), limits, "x")
        true = true_strengths(truth, name, found.models)
        if np.isfinite(true).any():
            figure.add_trace(parts.truth_marks(true, rows, theme, "x", "y", 10))
        figure.add_trace(
            go.Scatter(
                x=strength, y=rows, mode="markers", xaxis="x", yaxis="y", name=name, showlegend=False,
                marker=parts.marker(mark, theme, 8), cliponaxis=False,
                customdata=[[model] for model in found.models], hovertext=_hover(found, (reference, judge)),
                hoverinfo="text",
            )
        )  # fmt: skip
    return limits


def _add_difference(
    figure: go.Figure, found: Differences, names: tuple[str, str], limits: tuple[float, float], theme: Theme
) -> None:
    colours = [theme.text if beyond else theme.noise for beyond in found.beyond]
    rows = np.arange(len(found))
    parts.add_intervals(figure, found.lower, found.upper, rows, colours, limits, "x2")
    hovers = _hover(found, names)
    for beyond, colour in ((False, theme.noise), (True, theme.text)):
        chosen = np.flatnonzero(found.beyond == beyond)
        if len(chosen):
            figure.add_trace(
                go.Scatter(
                    x=found.value[chosen], y=rows[chosen], mode="markers", xaxis="x2", yaxis="y", showlegend=False,
                    marker=parts.marker(Mark(colour, "circle"), theme, 9, hollow=not beyond), cliponaxis=False,
                    customdata=[[found.models[k]] for k in chosen], hovertext=[hovers[k] for k in chosen],
                    hoverinfo="text", name="beyond noise" if beyond else "within noise",
                )
            )  # fmt: skip


def _hover(found: Differences, names: tuple[str, str]) -> list[str]:
    reference, judge = (written.escape(words.shorten(name, 30)) for name in names)
    return [
        f"<b>{written.escape(words.shorten(model))}</b><br>{found.hover(row, reference, judge)}"
        for row, model in enumerate(found.models)
    ]


def _difference_title(found: Differences, reference: str, judge: str, width: float, theme: Theme) -> list[str]:
    """What the right axis shows, in lines of at most `width` pixels."""
    kind = written.wrap("log-odds, net of decisiveness" if found.scaled else "log-odds", width, theme.small)
    whole = " ".join(f"{judge} minus {reference},".split())
    if written.text_width(whole, theme.small) <= width:
        return [whole, *kind]
    ends = ((judge, " minus"), (reference, ","))
    fitted = [written.fit_label(n, width - written.text_width(end, theme.small), theme.small, theme.most(1))
              for n, end in ends]  # fmt: skip
    return [line for one, (_, end) in zip(fitted, ends, strict=True) for line in one.ended(end)] + kind


def _sides(names: tuple[str, str], room: float, theme: Theme) -> list[written.Label]:
    """Both names in one row of `room` pixels: half of it each, and more where the other needs less."""
    least = written.text_width("← higher by", theme.small)
    needs = [max(written.text_width(name, theme.small), least) for name in names]
    return [written.fit_label(name, max(room / 2 - 6, room - other - 12), theme.small, theme.lines)
            for name, other in zip(names, reversed(needs), strict=True)]  # fmt: skip


def _heads(
    sides: list[written.Label], domains: list[tuple[float, float]], theme: Theme, aside: float
) -> list[dict[str, Any]]:
    """Which side favours whom. aside : pixels by which the left one is moved out"""
    left, right = domains[-1]
    moved = {"xshift": 4 - aside} if aside else {}
    most = max(len(one.lines) for one in sides)
    # As many lines on both sides, so that their first ones stand side by side.
    one, two = (side.html + "<br>\u00a0" * (most - len(side.lines)) for side in sides)
    return [
        parts.head(f"← higher by<br>{one}", left, theme, "left", True) | moved,
        parts.head(f"higher by →<br>{two}", right, theme, "right", True),
    ]


def _truths(found: Differences, reference: str, judge: str, truth: pd.DataFrame | None) -> np.ndarray:
    found_for = [true_strengths(truth, name, found.models) for name in (reference, judge)]
    return np.concatenate(found_for)


def _note(found: Differences, with_truth: bool) -> str:
    text = f"Filled: beyond noise (q < {words.fixed(BEYOND)}); hollow: within noise."
    if not found.scaled:
        text = "Decisiveness could not be taken out; these are raw differences. " + text
    if with_truth:
        text += " Upright strokes: the simulated truth."
    if found.hidden:
        text += f" The {words.plural(len(found), 'model')} that differ most; {words.not_shown(found.hidden)}."
    return text


def _alt(found: Differences, reference: str, judge: str) -> str:
    """The picture in a sentence or two."""
    kind = "net of decisiveness" if found.scaled else "raw"
    text = (
        f"Differences in strength, {judge} minus {reference}, {kind}, for {words.plural(len(found), 'model')}; "
        f"{found.n_beyond:,} {'is' if found.n_beyond == 1 else 'are'} beyond noise."
    )
    largest = [f"{found.models[k]} ({words.number(found.value[k])})" for k in np.flatnonzero(found.beyond)[:3]]
    return text + (f" Largest: {words.listing(largest)}." if largest else "")
