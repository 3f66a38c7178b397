"""How often does each model win against the baseline, and how often at equal length?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.theme import Mark, Theme, base, set_layout

DODGE = 0.19
"""How far the two marks stand from the middle of a row, in rows."""

PLAIN, EQUAL = "as judged", "at equal length"


def winrate_chart(
    winrates: pd.DataFrame,
    baseline: str,
    theme: Theme,
    mark: Mark,
    *,
    most: int = 15,
    narrow: bool = False,
    labels: Mapping[str, str] | None = None,
) -> go.Figure:
    """One row a model in the table's order: win rates as judged (hollow) and at equal length (filled), with intervals.

    Without length-controlled win rates the plain ones are filled. Beside the rows stands the figure that is filled.

    winrates : the table of the study `winrate` of one judge, in percent; mark : the judge's; most : models from the top
    customdata of each mark: [model]
    """
    if winrates.empty:
        return parts.empty(f"No model was held against {baseline}.", theme, narrow)
    hidden = max(len(winrates) - most, 0)
    table = winrates.head(max(most, 1))
    names = [str(model) for model in table["model"]]
    display = labels or {}
    n = len(names)
    fitted = parts.row_names([display.get(m, m) for m in names], 112.0 if narrow else 200.0, theme)
    plain = [parts.numbers(table, column) for column in ("win_rate", "lower", "upper")]
    equal = [parts.numbers(table, column) for column in ("lc_win_rate", "lc_lower", "lc_upper")]
    controlled = bool(np.isfinite(equal[0]).any())
    shown = [(PLAIN, plain, -DODGE, True), (EQUAL, equal, DODGE, False)] if controlled else [(PLAIN, plain, 0.0, False)]
    top_value = np.nanmax(np.concatenate([[54.0], *plain, *equal]))
    limits = (-1.5, min(101.5, 1.04 * float(top_value)))
    figure = go.Figure()
    for said, (value, lower, upper), shift, hollow in shown:
        rows = np.arange(n) + shift
        colour = theme.muted if hollow else mark.colour
        parts.add_intervals(figure, lower, upper, rows, [colour] * n, limits, "x")
        figure.add_trace(
            go.Scatter(
                x=value, y=rows, mode="markers", name=said, showlegend=False, cliponaxis=False,
                marker=parts.marker(Mark(colour, mark.symbol), theme, 8 if controlled else 9, hollow=hollow),
                customdata=[[name] for name in names], hoverinfo="text",
                hovertext=[_hover(names[k], table.iloc[k]) for k in range(n)],
            )
        )  # fmt: skip
    value, lower, upper = equal if controlled else plain
    figures = [_figure(*cells, narrow=narrow) for cells in zip(value, lower, upper, strict=True)]
    width = max(written.text_width(text, theme.small) for text in figures) + 14
    annotations: list[dict[str, Any]] = [
        {
            "text": text, "xref": "paper", "x": 1, "xanchor": "right", "xshift": width, "showarrow": False, "yref": "y",
            "y": row, "yanchor": "middle", "font": {"size": theme.small, "color": theme.muted},
        }
        for row, text in enumerate(figures)
    ]  # fmt: skip
    annotations.append(
        {
            "text": f"{parts.glyph(mark, theme)} %", "xref": "paper", "x": 1, "xanchor": "right", "xshift": width,
            "showarrow": False, "yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 4,
            "font": {"size": theme.small, "color": theme.muted},
        }
    )  # fmt: skip
    left, right = written.labels_width(fitted, theme.label) + 16, width + 8
    room = parts.WIDTH[narrow] - left - right
    heads = _heads(mark, theme, controlled, parts.over_room(room, left, theme))
    annotations.append(parts.over("<br>".join(heads), theme, left))
    top = 14 + parts.lines_of("<br>".join(heads)) * theme.label * parts.GLYPH * written.LINE
    title = _title(baseline, room, theme)
    bottom = parts.axis_height(len(title), theme)
    taken = 6.0
    if hidden:
        remark, taken = parts.note(
            f"The first {words.plural(n, 'model')}; {words.not_shown(hidden)}.", theme, narrow, left, bottom
        )
        annotations.append(remark)
    set_layout(
        figure,
        margin={"l": left, "r": right, "t": top, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis(limits, title, theme, 3 if narrow else 6, anchor="y"),
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), parts.zero_line(n, "x", theme, at=50.0)],
        annotations=annotations,
    )
    height_row = parts.row_height(fitted, theme, 30.0 if controlled else parts.ROW)
    return base(figure, theme, n * height_row + top + bottom + taken, _alt(names, baseline, table, hidden, controlled))


def _figure(value: float, lower: float, upper: float, narrow: bool) -> str:
    """29 [25–34] %, with a decimal where all is small; – where undefined."""
    if not np.isfinite(value):
        return "–"
    decimals = 1 if value < 10 or value > 90 else 0
    text = words.number(value, decimals)
    if narrow or not (np.isfinite(lower) and np.isfinite(upper)):
        return text
    return f"{text} [{words.number(lower, decimals)}–{words.number(upper, decimals)}]"


def _heads(mark: Mark, theme: Theme, controlled: bool, room: float) -> list[str]:
    """Which mark is which, in a line or two above the rows."""
    if not controlled:
        return [parts.tag(PLAIN, mark, theme, room)]
    hollow = mark.symbol.split("-open")[0].split("-dot")[0] + "-open"
    tags = [(PLAIN, Mark(theme.muted, hollow)), (EQUAL, mark)]
    lines = [parts.tag(said, one, theme, room) for said, one in tags]
    if sum(parts.tag_width(said, theme) for said, _ in tags) + 12 < room:
        return ["\u2003".join(lines)]
    return lines


def _title(baseline: str, room: float, theme: Theme) -> list[str]:
    """The axis in words, in lines of at most `room` pixels."""
    one = f"wins against {baseline}, % (50 = as good)"
    if written.text_width(one, theme.small) <= room:
        return [one]
    if theme.is_print:
        name = written.fit_label(baseline, room - 4, theme.small, theme.lines)
        return ["wins, % (50 = as good as", *name.ended(")")]
    short = written.fit_label(baseline, room, theme.small, 1).lines[0]
    return ["wins, % (50 = as good as", f"{short})"] if room < 220 else [f"wins against {short},", "% (50 = as good)"]


def _hover(model: str, row: pd.Series) -> str:
    lines = [f"<b>{written.escape(words.shorten(model))}</b>"]
    lines.append(f"{PLAIN} {words.estimate(row['win_rate'], row['lower'], row['upper'])} %")
    if not words.absent(row.get("lc_win_rate")):
        lines.append(f"{EQUAL} {words.estimate(row['lc_win_rate'], row['lc_lower'], row['lc_upper'])} %")
        lines.append(f"length effect {words.number(row['length_coefficient'])}")
    lines.append(words.plural(int(row["judgments"]), "judgment"))
    return "<br>".join(lines)


def _alt(names: list[str], baseline: str, table: pd.DataFrame, hidden: int, controlled: bool) -> str:
    """The picture in a sentence or two."""
    how = "as judged and at equal length" if controlled else "as judged"
    text = f"Win rates of {words.plural(len(names) + hidden, 'model')} against {baseline} in percent, {how}."
    value = parts.numbers(table, "lc_win_rate" if controlled else "win_rate")
    first = [f"{names[k]} ({words.number(float(value[k]), 0)} %)" for k in np.flatnonzero(np.isfinite(value))[:3]]
    return text + (f" Ahead: {words.listing(first)}." if first else "")
