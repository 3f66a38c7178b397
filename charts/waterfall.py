"""How does a prediction for one pair come about, factor by factor, from no preference to the judge's own?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.factor_gaps import LOG_ODDS, POINTS
from charts.theme import Mark, Theme, base, marks, set_layout
from charts.waterfall_steps import BASE, Steps, find_way, plain, signed, verdict_in_words

THICK = 0.27
"""Half of a bar's height, in rows."""

TIP = 7.0
"""Pixels of a bar's pointed end."""

APART = 26.0
"""Pixels between two panels."""


@dataclass(frozen=True)
class _Panel:
    """Where a judge is drawn. left, right, bottom, top : in shares of the plot; axis : "" or "2" """

    steps: Steps
    left: float
    right: float
    bottom: float
    top: float
    axis: str
    rows_axis: str


def waterfall_chart(
    contributions: pd.DataFrame,
    judges: pd.DataFrame,
    theme: Theme,
    *,
    sides: tuple[str, str] | None = None,
    humans: Collection[str] = (),
    most: int = 8,
    narrow: bool = False,
    unit: str = POINTS,
    labels: Mapping[str, str] | None = None,
    judge_marks: Mapping[str, Mark] | None = None,
) -> go.Figure:
    """A panel a judge with the same rows: each factor's bar begins where the one above it ended and points to the
    answer that it speaks for; below them the prediction with its interval, and what the judge said.

    contributions, judges : tables of `factors explain`, of one judge or two (wide: side by side; narrow: stacked);
    without the column votes nobody has judged the pair, and there is no such row
    sides : whose a and b are, where that is known; most : factors drawn, the others are one bar
    unit : win points, or log-odds, which are drawn too where a judge has no win points; labels : names of factors
    customdata of each bar: [factor]
    """
    names = [str(judge) for judge in judges["judge"]]
    if not len(contributions) or not names:
        return parts.empty("Nothing is known of this pair that could explain a preference.", theme, narrow)
    way = find_way(contributions, judges, unit, most)
    unit, shown, others, all_steps = way.unit, way.shown, way.others, way.judges
    judged = "votes" in judges.columns
    fitted = _labels(contributions, shown, others, labels or {}, narrow, theme, judged)
    n = len(fitted)
    left = written.labels_width([one for pair in fitted for one in pair if one], theme.label) + 16
    numbers = [signed(v, unit) for one in all_steps for v in one.value]
    beside = max(written.text_width(text, theme.small) for text in numbers) + 10
    right = 12.0
    title = ["A preferred, %" if unit == POINTS else "log-odds for A"]
    bottom = parts.axis_height(len(title), theme)
    most_lines = max(sum(len(one.lines) for one in pair if one) for pair in fitted)
    row = max(30.0, theme.label * written.LINE * max(most_lines, 2) + 6)
    plot = parts.WIDTH[narrow] - left - right
    room = plot if narrow or len(names) == 1 else (plot - APART) / 2
    whose = [written.fit_label(side, room / 2 - 8, theme.small, theme.lines) for side in sides or ()]
    lines = 1 + max((len(one.lines) for one in whose), default=0)
    drawn = dict(judge_marks or marks(names, humans, theme))
    tags = {name: parts.tag(name, drawn[name], theme, room) for name in names}
    tagged = max(map(parts.lines_of, tags.values()))
    head = tagged * theme.label * parts.GLYPH * written.LINE + lines * theme.small * written.LINE + 14
    panels, height = _panels(all_steps, n * row, head, narrow, plot)
    limits, cut = _limits(all_steps, unit, room, beside)
    pixel = (limits[1] - limits[0]) / room
    figure = go.Figure()
    shapes: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    ticks = [_label_html(pair, theme) for pair in fitted]
    for panel in panels:
        mark, x, y = drawn[panel.steps.judge], f"x{panel.axis}", f"y{panel.rows_axis}"
        shapes += [one | {"yref": y} for one in parts.bands(n, theme, [(panel.left, panel.right)])]
        shapes.append(parts.zero_line(n - judged, x, theme, at=BASE[unit]) | {"yref": y})
        _add_bars(figure, panel.steps, shown, others, mark, theme, (x, y), limits, pixel, unit, labels or {})
        _add_prediction(figure, panel.steps, len(panel.steps.value), mark, theme, (x, y), cut, unit)
        annotations += _numbers(panel, theme, unit, cut)
        annotations += _said(panel, theme, n) if judged else []
        annotations += _heads(panel, tags[panel.steps.judge], theme, whose)
        axis = parts.value_axis(limits, title, theme, **_ticks(limits, unit, 3 if narrow or len(panels) > 1 else 6),
                                domain=[panel.left, panel.right], anchor=y)  # fmt: skip
        row_axis = parts.row_axis(n, ticks, theme, domain=[panel.bottom, panel.top], anchor=x)
        set_layout(figure, **{f"xaxis{panel.axis}": axis})
        if panel.rows_axis or panel is panels[0]:
            set_layout(figure, **{f"yaxis{panel.rows_axis}": row_axis})
    remark, taken = parts.note(_note(unit, all_steps), theme, narrow, left, bottom)
    annotations.append(remark)
    set_layout(
        figure,
        margin={"l": left, "r": right, "t": head, "b": bottom + taken, "pad": 6}, shapes=shapes,
        annotations=annotations,
    )  # fmt: skip
    return base(figure, theme, height + head + bottom + taken, _alt(all_steps, shown, unit, labels or {}))


# -- what is drawn ----------------------------------------------------------------------------------------------------


def _labels(
    contributions: pd.DataFrame, shown: Sequence[str], others: Sequence[str], names: Mapping[str, str], narrow: bool,
    theme: Theme, judged: bool,
) -> list[tuple[written.Label, written.Label | None]]:  # fmt: skip
    """Of each row a name, and a muted line with what it is in both answers."""
    width = 118.0 if narrow else 190.0
    written_as = [names.get(f, f) for f in shown]
    if theme.is_print:
        fitted = parts.row_names(written_as, width, theme)
    else:
        fitted = written.fit_labels(written_as, width, theme.label, 1)
    first = contributions.drop_duplicates("factor")
    values = {str(f): (a, b) for f, a, b in zip(first["factor"], first["a"], first["b"], strict=True)}
    below = []
    for factor in shown:
        a, b = values[factor]
        text = "" if words.absent(a) or words.absent(b) else f"A {plain(a)} · B {plain(b)}"
        below.append(written.fit_label(text, width, theme.label, 1) if text else None)
    out: list[tuple[written.Label, written.Label | None]] = list(zip(fitted, below, strict=True))
    below_them = [f"{len(others)} others"] if others else []
    below_them += ["Predicted", "Said"] if judged else ["Predicted"]
    return [*out, *((written.fit_label(text, width, theme.label, 1), None) for text in below_them)]


def _label_html(pair: tuple[written.Label, written.Label | None], theme: Theme) -> str:
    name, below = pair
    if below is None:
        return name.html
    return f'{name.html}<br><span style="color:{theme.muted};font-size:{theme.small}px">{below.html}</span>'


def _panels(
    steps: Sequence[Steps], plot: float, head: float, narrow: bool, width: float
) -> tuple[list[_Panel], float]:
    """The panels and the pixels of the whole plot. plot, head : pixels of one panel and of what stands above it"""
    if len(steps) == 1:
        return [_Panel(steps[0], 0.0, 1.0, 0.0, 1.0, "", "")], plot
    if not narrow:
        half = (1 - APART / width) / 2
        return [_Panel(steps[0], 0.0, half, 0.0, 1.0, "", ""), _Panel(steps[1], 1 - half, 1.0, 0.0, 1.0, "2", "")], plot
    # Between the two the upper one's ticks, and the lower one's head.
    between = head + 46
    whole = 2 * plot + between
    share = plot / whole
    return [
        _Panel(steps[0], 0.0, 1.0, 1 - share, 1.0, "", ""), _Panel(steps[1], 0.0, 1.0, 0.0, share, "2", "2")
    ], whole  # fmt: skip


def _limits(
    all_steps: Sequence[Steps], unit: str, room: float, beside: float
) -> tuple[tuple[float, float], tuple[float, float]]:
    """The same range for all panels, with room for a number at either side; and where intervals are cut.

    An interval far wider than the way itself would flatten all bars.
    """
    ends = np.concatenate([[BASE[unit]], *(one.end for one in all_steps)])
    low, high = float(ends.min()), float(ends.max())
    if high - low < 1e-9:
        low, high = low - 1, high + 1
    reach = 0.75 * (high - low)
    intervals = [v for one in all_steps for v in (one.lower, one.upper) if np.isfinite(v)]
    low, high = max(min([low, *intervals]), low - reach), min(max([high, *intervals]), high + reach)
    free = max(room - 2 * beside, 0.3 * room)
    margin = beside * (high - low) / free
    return (low - margin, high + margin), (low, high)


def _ticks(limits: tuple[float, float], unit: str, most: int) -> dict[str, Any]:
    """Round values, the beginning of all ways among them."""
    values, _ = parts.clean_ticks(limits[0] - BASE[unit], limits[1] - BASE[unit], most)
    at = [value + BASE[unit] for value in values]
    if unit == POINTS:
        at = [value for value in at if 0 <= value <= 100]
    return {"tickvals": at, "ticktext": [plain(round(value, 9)) for value in at]}


def _add_bars(
    figure: go.Figure, steps: Steps, shown: Sequence[str], others: Sequence[str], mark: Mark, theme: Theme,
    axes: tuple[str, str], limits: tuple[float, float], pixel: float, unit: str, names: Mapping[str, str],
) -> None:  # fmt: skip
    """Arrows from where the bar above ended, a thread from each to the next, and what a pointer tells."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    for k, (start, end) in enumerate(zip(steps.start, steps.end, strict=True)):
        tip = np.sign(end - start) * min(TIP * pixel, abs(end - start))
        if abs(end - start) > 1e-12:
            xs += [start, end - tip, end, end - tip, start, start, None]
            ys += [k - THICK, k - THICK, k, k + THICK, k + THICK, k - THICK, None]
    x, y = axes
    common = {"xaxis": x, "yaxis": y, "showlegend": False}
    if xs:
        figure.add_trace(
            go.Scatter(x=xs, y=ys, mode="lines", fill="toself", fillcolor=mark.colour, hoverinfo="skip",
                       line={"color": mark.colour, "width": 1}, **common)
        )  # fmt: skip
    # From the first bar down to the prediction.
    thread_x = [value for end in steps.end for value in (end, end, None)]
    thread_y = [row for k in range(len(steps.end)) for row in (k, k + 1, None)]
    thread = {"color": theme.zero, "width": 1}
    figure.add_trace(go.Scatter(x=thread_x, y=thread_y, mode="lines", hoverinfo="skip", line=thread, **common))
    full = [*shown, *([f"{len(others)} others"] if others else [])]
    hover = [
        f"<b>{written.escape(words.shorten(names.get(factor, factor)))}</b><br>{signed(value, unit)} "
        f"{'win points' if unit == POINTS else 'log-odds'} for {'A' if value > 0 else 'B' if value < 0 else 'neither'}"
        for factor, value in zip(full, steps.value, strict=True)
    ]
    figure.add_trace(
        go.Scatter(
            x=(steps.start + steps.end) / 2, y=np.arange(len(full)), mode="markers", customdata=[[f] for f in full],
            hovertext=hover, hoverinfo="text", marker={"size": 18, "opacity": 0, "color": mark.colour}, **common,
        )
    )  # fmt: skip


def _add_prediction(
    figure: go.Figure, steps: Steps, row: int, mark: Mark, theme: Theme, axes: tuple[str, str],
    cut: tuple[float, float], unit: str,
) -> None:  # fmt: skip
    """cut : where an interval ends in an arrowhead"""
    x, y = axes
    parts.add_intervals(figure, np.array([steps.lower]), np.array([steps.upper]), np.array([row]), [mark.colour],
                        cut, x, y, width=2)  # fmt: skip
    number = words.estimate(steps.predicted, steps.lower, steps.upper, 1)
    said = f"predicted: A preferred in {number} %" if unit == POINTS else f"predicted: {number} log-odds for A"
    figure.add_trace(
        go.Scatter(
            x=[steps.predicted], y=[row], mode="markers", xaxis=x, yaxis=y, showlegend=False,
            marker=parts.marker(mark, theme, 10), hoverinfo="text", name="predicted",
            hovertext=[said],
        )
    )  # fmt: skip


def _numbers(panel: _Panel, theme: Theme, unit: str, cut: tuple[float, float]) -> list[dict[str, Any]]:
    """What each bar adds, beyond its point; below them the prediction in words."""
    steps, out = panel.steps, []
    place = {"xref": f"x{panel.axis}", "yref": f"y{panel.rows_axis}", "showarrow": False, "yanchor": "middle"}
    font = {"size": theme.small, "color": theme.text}
    for k, (value, end) in enumerate(zip(steps.value, steps.end, strict=True)):
        side = "left" if value >= 0 else "right"
        out.append(
            place | {"x": float(end), "y": k, "text": signed(value, unit), "xanchor": side, "font": font,
                     "xshift": 4 if value >= 0 else -4}
        )  # fmt: skip
    text = f"{words.number(steps.predicted, 0)} %" if unit == POINTS else words.number(steps.predicted)
    ends = np.clip([v for v in (steps.lower, steps.upper, steps.predicted) if np.isfinite(v)], *cut)
    to_right = steps.predicted >= BASE[unit]
    out.append(
        place | {"x": float(ends.max() if to_right else ends.min()), "y": len(steps.value), "text": f"<b>{text}</b>",
                 "xanchor": "left" if to_right else "right", "font": font, "xshift": 9 if to_right else -9}
    )  # fmt: skip
    return out


def _said(panel: _Panel, theme: Theme, n: int) -> list[dict[str, Any]]:
    """What the judge said, in the last row."""
    return [
        {
            "text": _arrow(panel.steps.row), "xref": "paper", "x": (panel.left + panel.right) / 2,
            "xanchor": "center", "yref": f"y{panel.rows_axis}", "y": n - 1, "yanchor": "middle", "showarrow": False,
            "font": {"size": theme.small, "color": theme.text},
        }
    ]  # fmt: skip


def _arrow(row: Mapping[Any, Any]) -> str:
    """As in words, with an arrow to the side preferred."""
    text, verdict = verdict_in_words(row), row.get("verdict")
    return f"← {text}" if verdict == "b" else f"{text} →" if verdict == "a" else text


def _heads(
    panel: _Panel, tag: str, theme: Theme, whose: Sequence[written.Label]
) -> list[dict[str, Any]]:
    """Whose panel it is, and which side is whose."""
    where = {"y": panel.top}
    most = max((len(one.lines) for one in whose), default=0)
    above = 6 + (1 + most) * theme.small * written.LINE
    # As many lines on both sides, so that their first ones stand side by side.
    filled = [f"<br>{one.html}" + "<br>\u00a0" * (most - len(one.lines)) for one in whose]
    a, b = filled if whose else ("", "")
    return [
        parts.head(tag, panel.left, theme, "left")
        | where | {"yshift": above},
        parts.head(f"← for B{b}", panel.left, theme, "left", True) | where,
        parts.head(f"for A →{a}", panel.right, theme, "right", True) | where,
    ]  # fmt: skip


def _note(unit: str, all_steps: Sequence[Steps]) -> str:
    text = "Read from the top: each bar begins where the one above it ended and points to the answer it speaks for."
    if unit == LOG_ODDS:
        return text
    text += " The first line is 50 %, no preference."
    ends = np.concatenate([one.end for one in all_steps])
    if ends.min() < 0 or ends.max() > 100:
        # Each share is a mean over all orders of telling; drawn in one order they may overshoot.
        text += " Large shares against each other may lead beyond 0 or 100 % on the way, never at its end."
    return text


def _alt(all_steps: Sequence[Steps], shown: Sequence[str], unit: str, names: Mapping[str, str]) -> str:
    """The picture in a sentence a judge."""
    said = []
    for one in all_steps:
        top = sorted(zip(one.value, shown, strict=False), key=lambda pair: -abs(pair[0]))[:3]
        told = words.listing([f"{names.get(f, f)} ({signed(v, unit)})" for v, f in top])
        end = f"{words.number(one.predicted, 0)} %" if unit == POINTS else f"{words.number(one.predicted)} log-odds"
        text = f"{one.judge} is predicted to prefer A with {end}: {told}."
        said.append(f"{text} It said: {verdict_in_words(one.row)}." if "votes" in one.row else text)
    return " ".join(said)
