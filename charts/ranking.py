"""Whom does each judge prefer, and which places could as well be exchanged?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.differences import PARTS, true_strengths
from charts.theme import Mark, Theme, base, marks, set_layout

LEAST = 200.0
"""Pixels that marks need on paper: else there is no room for ranks beside them."""

JUDGES = 6
"""Judges in one chart; a row with more marks cannot be read."""


def ranking_chart(
    ranking: pd.DataFrame,
    theme: Theme,
    *,
    humans: Collection[str] = (),
    most: int = 15,
    narrow: bool = False,
    truth: pd.DataFrame | None = None,
    labels: Mapping[str, str] | None = None,
    judge_marks: Mapping[str, Mark] | None = None,
) -> go.Figure:
    """Strengths with intervals, one row a model, in the order of the first judge's ranks (people's, if any).

    Beside the rows stand the ranks' intervals, a column a judge (at phone width for one judge only).
    Models without a strength (they only won, only lost, or are not connected) keep a row that says so.

    ranking : `rank`'s table: judge, model, strength, lower, upper, rank, rank_lower, rank_upper
    humans : which judges are people; labels : display names of models; judge_marks : overrides `marks`
    most : how many models from the top; the note says how many are not shown
    narrow : for figures under 650 pixels; truth : see `differences.true_strengths`
    customdata of each mark: [model]
    """
    judges = [str(judge) for judge in dict.fromkeys(ranking["judge"])] if "judge" in ranking.columns else [""]
    if ranking.empty or "model" not in ranking.columns:
        return parts.empty("No model could be ranked.", theme, narrow)
    drawn = dict(judge_marks or marks(judges, humans, theme))
    drawn.setdefault("", Mark(theme.text, "circle"))
    judges = sorted(judges, key=lambda judge: judge not in humans)
    shown = judges[:JUDGES]
    tables = {j: (ranking[ranking["judge"] == j] if j else ranking).drop_duplicates("model") for j in shown}
    names = _order(list(tables.values()))
    hidden = max(len(names) - most, 0)
    names = names[: max(most, 1)]
    tables = {judge: table.set_index("model").reindex(names) for judge, table in tables.items()}
    n = len(names)
    display = labels or {}
    fitted = parts.row_names([display.get(m, m) for m in names], 112.0 if narrow else 180.0, theme)
    columns = shown if len(shown) == 1 or not narrow else []
    texts = {judge: [_rank_text(tables[judge], k, narrow) for k in range(n)] for judge in columns}
    widths = [max(written.text_width(t, theme.small) for t in [*texts[j], "rank"]) + 14 for j in columns]
    left = written.labels_width(fitted, theme.label) + 16
    if theme.is_print and len(columns) > 1 and parts.WIDTH[narrow] - left - sum(widths) < LEAST:
        columns, widths = [], []
    figure = go.Figure()
    strengths = {part: {j: parts.numbers(t, part) for j, t in tables.items()} for part in PARTS}
    limits = parts.span(*(np.concatenate(list(strengths[part].values())) for part in PARTS))
    step = min(0.24, 0.72 / max(len(shown), 1))
    with_truth = False
    for k, judge in enumerate(shown):
        rows = np.arange(n) + (k - (len(shown) - 1) / 2) * step
        value, lower, upper = (strengths[part][judge] for part in PARTS)
        parts.add_intervals(figure, lower, upper, rows, [drawn[judge].colour] * n, limits, "x")
        true = true_strengths(truth, judge, tuple(names))
        if np.isfinite(true).any():
            with_truth = True
            figure.add_trace(parts.truth_marks(true, rows, theme, "x", "y", 11 if len(shown) < 3 else 8))
        figure.add_trace(
            go.Scatter(
                x=value, y=rows, mode="markers", name=judge, showlegend=False, cliponaxis=False,
                marker=parts.marker(drawn[judge], theme, 9 if len(shown) < 4 else 5.5 if theme.is_print else 7),
                customdata=[[name] for name in names], hoverinfo="text",
                hovertext=[_hover(name, judge, tables[judge], row) for row, name in enumerate(names)],
            )
        )  # fmt: skip
    missing = np.all([~np.isfinite(strengths["strength"][judge]) for judge in shown], axis=0)
    right = sum(widths) + 8 if columns else 18.0
    annotations = [
        {
            "text": "no strength: not on the common scale", "x": 0, "y": int(row), "xref": "x", "yref": "y",
            "showarrow": False, "font": {"size": theme.small, "color": theme.muted}, "bgcolor": theme.background,
        }
        for row in np.flatnonzero(missing)
    ]  # fmt: skip
    annotations += _rank_columns(columns, texts, widths, drawn, theme)
    room = parts.WIDTH[narrow] - left - right
    above = _heads(shown, drawn, theme, parts.over_room(room, left, theme))
    top = 14 + theme.label * parts.GLYPH * written.LINE * parts.lines_of("<br>".join(above))
    if any(shown):
        annotations.append(parts.over("<br>".join(above), theme, left))
    title = parts.strength_title(room, theme)
    bottom = parts.axis_height(len(title), theme)
    said = _note(len(names), hidden, len(judges) - len(shown), with_truth)
    taken = 6.0
    if said:
        remark, taken = parts.note(said, theme, narrow, left, bottom)
        annotations.append(remark)
    set_layout(
        figure,
        margin={"l": left, "r": right, "t": top, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis(limits, title, theme, 3 if narrow else 5, anchor="y"),
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), parts.zero_line(n, "x", theme)],
        annotations=annotations,
    )
    height_row = parts.row_height(fitted, theme, 14 + 9.0 * len(shown))
    return base(figure, theme, n * height_row + top + bottom + taken, _alt(names, shown, tables, hidden))


def _order(tables: list[pd.DataFrame]) -> list[str]:
    """Models by the first table's ranks; those without, by the next table's; then by name."""
    ranks: dict[str, list[float]] = {}
    for k, table in enumerate(tables):
        known, strength = parts.numbers(table, "rank"), parts.numbers(table, "strength")
        by_strength = pd.Series(-strength).rank(method="min").to_numpy()
        for model, rank, other in zip(table["model"], known, by_strength, strict=True):
            places = ranks.setdefault(str(model), [np.inf] * len(tables))
            places[k] = next((float(place) for place in (rank, other) if np.isfinite(place)), np.inf)
    return sorted(ranks, key=lambda model: (ranks[model], model))


def _rank_text(table: pd.DataFrame, row: int, narrow: bool) -> str:
    rank, low, high = (parts.numbers(table, column)[row] for column in ("rank", "rank_lower", "rank_upper"))
    if not np.isfinite(rank):
        return "–"
    if not (np.isfinite(low) and np.isfinite(high)):
        return f"{rank:.0f}"
    return f"{rank:.0f} [{low:.0f}–{high:.0f}]"


def _rank_columns(
    columns: list[str], texts: Mapping[str, list[str]], widths: list[float], drawn: Mapping[str, Mark], theme: Theme
) -> list[dict[str, Any]]:  # fmt: skip
    """The ranks' intervals as right-aligned text in the right margin, a column a judge, each under its head."""
    out = []
    at = 0.0
    for judge, width in zip(columns, widths, strict=True):
        at += width
        place = {"xref": "paper", "x": 1, "xanchor": "right", "xshift": at, "showarrow": False}
        font = {"size": theme.small, "color": theme.muted}
        glyph = f"{parts.glyph(drawn[judge], theme)} " if len(columns) > 1 else ""
        above = {"text": f"{glyph}rank", "yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 4, "font": font}
        out.append(place | above)
        out += [
            place | {"text": text, "yref": "y", "y": row, "yanchor": "middle", "font": font}
            for row, text in enumerate(texts[judge])
        ]
    return out


def _heads(judges: list[str], drawn: Mapping[str, Mark], theme: Theme, room: float) -> list[str]:
    """The judges with their symbols, in lines of at most `room` pixels."""
    lines: list[list[str]] = [[]]
    taken = 0.0
    for judge in judges:
        width = min(parts.tag_width(judge, theme), room, room if theme.is_print else 200.0)
        if lines[-1] and taken + width > room:
            lines.append([])
            taken = 0.0
        lines[-1].append(parts.tag(judge, drawn[judge], theme, width))
        taken += width + 8
    return ["\u2003".join(line) for line in lines]


def _hover(model: str, judge: str, table: pd.DataFrame, row: int) -> str:
    strength, low, high = (parts.numbers(table, column)[row] for column in ("strength", "lower", "upper"))
    lines = [f"<b>{written.escape(words.shorten(model))}</b>", written.escape(words.shorten(judge, 30))]
    lines.append(f"strength {words.estimate(float(strength), float(low), float(high))}")
    lines.append(f"rank {_rank_text(table, row, False)}")
    return "<br>".join(line for line in lines if line)


def _note(shown: int, hidden: int, judges: int, with_truth: bool) -> str:
    text = ["Upright strokes: the simulated truth."] if with_truth else []
    if hidden:
        text.append(f"The first {words.plural(shown, 'model')}; {words.not_shown(hidden)}.")
    if judges:
        text.append(f"{words.plural(judges, 'judge')} more than fit one chart: choose fewer.")
    return " ".join(text)


def _alt(names: list[str], judges: list[str], tables: Mapping[str, pd.DataFrame], hidden: int) -> str:
    """The picture in a sentence or two."""
    who = words.listing([judge for judge in judges if judge]) or "the judge"
    text = f"Strengths of {words.plural(len(names) + hidden, 'model')} with intervals, by {who}."
    strength = parts.numbers(tables[judges[0]], "strength")
    first = [names[k] for k in np.flatnonzero(np.isfinite(strength))[:3]]
    return text + (f" Ahead: {words.listing(first)}." if first else "")
