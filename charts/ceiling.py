"""How often does each judge agree with people, and how often do people agree with one another?"""

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
from charts.gaps import MARGIN
from charts.theme import Theme, base, marks, set_layout


@dataclass(frozen=True)
class Against:
    """What judges and people are held against, and in which words.

    value, ceiling : columns of the judge's share and of people's, each with _lower and _upper
    title : of the axis, {who} is the reference; band : of people's share, {votes} are two of the reference
    """

    value: str
    ceiling: str
    title: str
    band: str

    def beside(self, who: str) -> str:
        """What stands beside the judges: two votes of the reference, or one that was left out."""
        return self.band.format(votes=words.among_themselves(who))

    def ties(self, left_out: bool) -> Against:
        """The same figures without ties, where they are left out."""
        if not left_out:
            return replace(self, title=f"{self.title}, %")
        return replace(self, value=f"{self.value}_no_ties", ceiling=f"{self.ceiling}_no_ties",
                       title=f"{self.title}, %, ties left out")  # fmt: skip


VOTES = Against("agreement", "people", "votes of {who} with the same verdict", "{votes}")
MAJORITY = Against(
    "against_others", "ceiling", "agreement with the majority of {who}'s other votes", "a vote left out",
)  # fmt: skip
ALONE = Against("agreement", "ceiling", "pairs with the verdict of {who}'s majority", "a vote left out")
"""Where nobody's vote has others to be held against."""


def ceiling_chart(
    table: pd.DataFrame, reference: str, against: Against, theme: Theme, *, humans: Collection[str] = (),
    focus: str | None = None, most: int | None = None, narrow: bool = False,
) -> go.Figure:  # fmt: skip
    """A row a judge, the best first: its agreement with interval, behind it the interval of people's own as a band.

    table : `judges` of the study `agreement`; focus : the judge that is looked at, always among the rows
    customdata of each mark: [judge]
    """
    known = table[table[against.value].notna()].sort_values(against.value, ascending=False, kind="stable")
    if known.empty:
        return parts.empty(f"No judge has a verdict that can be held against {reference}.", theme, narrow)
    shown = known.head(most) if most else known
    if focus is not None and focus not in set(shown["judge"]):
        shown = pd.concat([shown, known[known["judge"] == focus]])
    judges = [str(name) for name in shown["judge"]]
    fitted = parts.row_names(judges, (118.0 if narrow else 190.0) / 1.1, theme)
    value, low, high, people, least, largest = (
        100 * parts.numbers(shown, column)
        for name in (against.value, against.ceiling) for column in (name, f"{name}_lower", f"{name}_upper")
    )  # fmt: skip
    limits = _limits(np.r_[value, low, high, people, least, largest])
    drawn, rows = marks([str(name) for name in table["judge"]], humans, theme), np.arange(len(judges), dtype=float)
    figure = go.Figure()
    parts.add_intervals(figure, low, high, rows, [drawn[judge].colour for judge in judges], limits, "x")
    records = shown.to_dict("records")
    for k, judge in enumerate(judges):
        figure.add_trace(
            go.Scatter(
                x=[value[k]], y=[k], mode="markers", name=judge, showlegend=False, cliponaxis=False,
                marker=parts.marker(drawn[judge], theme, 9), hoverinfo="text",
                hovertext=[_hover(records[k], against, reference)], customdata=[[judge]],
            )
        )  # fmt: skip
    left = written.labels_width(fitted, theme.label) * 1.1 + 16
    room = parts.WIDTH[narrow] - left - MARGIN
    who = theme.short(reference, 24)
    title = written.wrap(against.title.format(who=who), room, theme.small)
    bottom = parts.axis_height(len(title), theme)
    remark, taken = parts.note(_note(shown, known, against, who, focus, most, theme), theme, narrow, left, bottom)
    n, top = len(judges), 8.0
    annotations = [remark]
    if np.isfinite(people).any():
        annotations.append(_band_head(people, limits, against.beside(who), theme, room, left))
        top = parts.lines_of(annotations[-1]["text"]) * theme.small * written.LINE + 12
    bold = [f"<b>{one.html}</b>" if judge == focus and n > 1 else one.html
            for judge, one in zip(judges, fitted, strict=True)]  # fmt: skip
    set_layout(
        figure,
        margin={"l": left, "r": MARGIN, "t": top, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis(limits, title, theme, 4 if narrow else 6, anchor="y"),
        yaxis=parts.row_axis(n, bold, theme, anchor="x"),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), *_ceilings(people, least, largest, theme)],
        annotations=annotations,
    )
    height = n * parts.row_height(fitted, theme) + top + bottom + taken
    said = [f"{r['judge']} {words.share(r[against.value])}" for r in records[:5]]
    alt = f"{against.title.format(who=who)}: {words.listing(said, 5)}"
    if np.isfinite(people).any():
        alt += f"; {against.beside(who)} {words.share(float(people[np.isfinite(people)][0]) / 100)}"
    return base(figure, theme, height, alt + ".")


def _limits(numbers: np.ndarray) -> tuple[float, float]:
    known = numbers[np.isfinite(numbers)]
    margin = max(0.06 * float(np.ptp(known)), 2.0)
    return max(float(known.min()) - margin, -1.0), min(float(known.max()) + margin, 101.0)


def _ceilings(people: np.ndarray, least: np.ndarray, largest: np.ndarray, theme: Theme) -> list[dict[str, Any]]:
    """Bands of people's interval with a line at their share; rows beside one another with the same ones share one."""
    shapes: list[dict[str, Any]] = []
    ends = np.column_stack([people, least, largest])
    start = 0
    for k in range(1, len(ends) + 1):
        if k < len(ends) and np.array_equal(ends[k], ends[start], equal_nan=True):
            continue
        (middle, low, high), rows = ends[start], {"y0": start - 0.5, "y1": k - 0.5}
        start = k
        if not np.isfinite(middle):
            continue
        place = {"xref": "x", "yref": "y", "layer": "below", **rows}
        line = place | {"type": "line", "line": {"color": theme.people, "width": 1.6}}
        if np.isfinite(low) and np.isfinite(high):
            if theme.band is None:
                # Fills print grey.
                edge = {"color": theme.people, "width": 0.8, "dash": "dot"}
                shapes += [line | {"x0": end, "x1": end, "line": edge} for end in (low, high)]
            else:
                shapes.append(place | {"type": "rect", "x0": low, "x1": high, "fillcolor": theme.people,
                                       "opacity": 0.17, "line": {"width": 0}})  # fmt: skip
        shapes.append(line | {"x0": middle, "x1": middle})
    return shapes


def _band_head(
    people: np.ndarray, limits: tuple[float, float], text: str, theme: Theme, room: float, left: float
) -> dict[str, Any]:  # fmt: skip
    """What the band is, above where it lies in the first row that has one."""
    first = float(people[np.isfinite(people)][0])
    named = f"● {text} {words.share(first / 100)}"
    coloured = {"font": {"size": theme.small, "color": theme.people}}
    if theme.is_print:
        lines = written.wrap(named, parts.over_room(room, left, theme), theme.small)
        return parts.over("<br>".join(map(written.escape, lines)), theme, left) | coloured
    at = (first - limits[0]) / (limits[1] - limits[0])
    width = min(written.text_width(named, theme.small), room)
    # Kept over the plot, whichever side the band lies on.
    centre = min(max(at * room, width / 2), room - width / 2) / room
    short = written.fit_label(named, room, theme.small, 1)
    return parts.head(short.html, centre, theme, muted=True) | coloured


def _note(
    shown: pd.DataFrame, known: pd.DataFrame, against: Against, who: str, focus: str | None, most: int | None,
    theme: Theme,
) -> str:  # fmt: skip
    band = "Line between dotted ones" if theme.is_print else "Band"
    text = f"{band}: {against.beside(who)}, on the same pairs, with its interval." if (
        shown[against.ceiling].notna().any()
    ) else f"No {'line' if theme.is_print else 'band'}: {who} gave one vote a pair."  # fmt: skip
    if len(shown) < len(known):
        text += f" The first {min(most or len(known), len(shown))} of {len(known):,} judges"
        place = [str(name) for name in known["judge"]].index(str(focus)) + 1 if focus in set(known["judge"]) else 0
        text += f", and {theme.short(str(focus), 30)}, in place {place}." if most and place > most else "."
    return text


def _hover(row: Mapping[Any, Any], against: Against, reference: str) -> str:
    def said(name: str) -> str:
        value, low, high = (
            None if words.absent(row[column]) else 100 * row[column]
            for column in (name, f"{name}_lower", f"{name}_upper")
        )
        return words.estimate(value, low, high, 1)

    lines = [f"<b>{written.escape(str(row['judge']))}</b> {said(against.value)} %"]
    if not words.absent(row[against.ceiling]):
        band = against.beside(words.shorten(reference, 30))
        lines.append(f"{written.escape(band)} {said(against.ceiling)} %")
    lines.append(words.plural(int(row["pairs"]), "pair"))
    return "<br>".join(lines)
