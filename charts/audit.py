"""How is a judge biased? Each bias as a dot with its interval, against the line of a judge without it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.gaps import MARGIN
from charts.theme import Mark, Theme, base, marks, set_layout

NAMES: Mapping[str, str] = {
    "position_consistency": "Position consistency", "first_position": "First position",
    "last_position": "Last position", "repeat_consistency": "Consistency over repeats", "accuracy": "Accuracy",
    "tie_rate": "Ties", "no_verdict": "Refused or invalid", "length": "Length (salience)", "formatting": "Formatting",
    "self_preference": "Self-preference", "compassion_fade": "Compassion fade",
    "option_order": "Option order (letters)", "letters": "Letters exchanged",
    "bandwagon": "Bandwagon", "authority": "Authority", "distraction": "Distraction", "reflection": "Reflection",
    "belief": "Belief", "persona": "Persona", "padding": "Padding",
}  # fmt: skip
ROBUSTNESS = ": robustness"

TOWARDS: Mapping[str, tuple[str, str]] = {
    "first_position": ("the first place", "the last place"),
    "length": ("longer answers", "shorter answers"),
    "formatting": ("formatted answers", "unformatted answers"),
    "self_preference": ("its own models", "models of others"),
    "compassion_fade": ("one place where models are named", "one place less where models are named"),
    "option_order": ("the first letter", "the last letter"),
}
"""What a judge leans towards with an excess above and below 0."""

DESCRIBED = ("position_consistency", "repeat_consistency", "accuracy", "tie_rate", "no_verdict")
"""What is told without a test, in this order."""

BEYOND = "percentage points beyond a judge without the bias"
RATES = "%, without a test; ring: guessing at random"
SHARES = (-2.0, 102.0)
LEAST = 5.0
"""Points that the axis shows at least to either side: where all biases are small they look small."""


def bias_name(bias: str) -> str:
    """A bias in the words of the field; circumstances of other names as the data have them."""
    if bias.endswith(ROBUSTNESS):
        return f"Robustness: {bias.removesuffix(ROBUSTNESS)}"
    return NAMES.get(bias, bias)


def towards(bias: str, excess: float) -> str:
    """What a judge leans towards: longer answers, the cue of bandwagon."""
    if bias in TOWARDS:
        return TOWARDS[bias][int(excess < 0)]
    if bias.endswith(ROBUSTNESS):
        what = bias.removesuffix(ROBUSTNESS)
        return f"other verdicts under {what}" if excess < 0 else f"the same verdicts under {what}"
    return f"the cue of {bias}" if excess > 0 else f"the side against the cue of {bias}"


def points(row: Mapping[Any, Any]) -> str:
    """What goes beyond the null, in percentage points: +11 [6.5, 15.5]."""
    value, low, high = (None if words.absent(row[name]) else 100 * row[name] for name in
                        ("excess", "excess_lower", "excess_upper"))  # fmt: skip
    text = words.estimate(value, low, high, 1)
    return f"+{text}" if value is not None and value > 0 and not text.startswith("0") else text


def with_test(table: pd.DataFrame) -> pd.DataFrame:
    """The rows with a test, flagged ones first, the farthest from its null first."""
    some = table[table["p"].notna()]
    flagged = some["flagged"].fillna(False).astype(bool)
    order = pd.DataFrame({"flagged": ~flagged, "away": -np.abs(parts.numbers(some, "excess"))}, index=some.index)
    return some.loc[order.sort_values(["flagged", "away"], kind="stable").index]


def without_test(table: pd.DataFrame) -> pd.DataFrame:
    """The rows without a test; the last place is the other side of the first one's test."""
    some = table[table["p"].isna() & (table["bias"] != "last_position")]
    at = {bias: k for k, bias in enumerate(DESCRIBED)}
    place = some["bias"].map(lambda bias: at.get(bias, -1))
    return some.loc[place.sort_values(kind="stable").index]


def bias_chart(
    table: pd.DataFrame, judge: str, theme: Theme, *, humans: Collection[str] = (), narrow: bool = False
) -> go.Figure:
    """A row a bias: above, those with a test by what goes beyond the null, which is the line; below, rates as they are.

    Flagged rows have the judge's colour, others are hollow and grey.
    table : `biases` of the study `audit`; customdata of each dot: [bias]
    """
    mine = table[table["judge"] == judge]
    groups = [some for some in (with_test(mine), without_test(mine)) if len(some)]
    if not groups:
        return parts.empty(f"Nothing of {judge} can be audited here.", theme, narrow)
    width = 128.0 if narrow else 200.0
    labels = [parts.row_names([bias_name(str(b)) for b in some["bias"]], width, theme) for some in groups]
    under = [[_instead(row) for row in some.to_dict("records")] for some in groups]
    left = max(
        max(written.labels_width(some, theme.label) for some in labels),
        max(written.text_width(text, theme.small) for some in under for text in some),
    ) + 16  # fmt: skip
    mark = marks([judge], humans, theme)[judge]
    room = parts.WIDTH[narrow] - left - MARGIN
    limits = [_limits(some) for some in groups]
    titles = [written.wrap(RATES if ends == SHARES else BEYOND, room, theme.small) for ends in limits]
    axes = [parts.axis_height(len(title), theme) for title in titles]
    heights = [
        len(some) * (parts.row_height(names, theme) + (theme.small * written.LINE if any(said) else 0.0))
        for some, names, said in zip(groups, labels, under, strict=True)
    ]
    gap = axes[0] + 10.0
    whole = sum(heights) + gap * (len(groups) - 1)
    figure = go.Figure()
    shapes: list[dict[str, Any]] = []
    layout: dict[str, Any] = {}
    top = whole
    for k, some in enumerate(groups):
        end = str(k + 1) if k else ""
        n = len(some)
        stand = (max((top - heights[k]) / whole, 0.0), top / whole)
        _add(figure, some, mark, theme, limits[k], end)
        texts = [_label(one.html, said, theme) for one, said in zip(labels[k], under[k], strict=True)]
        layout[f"xaxis{end}"] = parts.value_axis(limits[k], titles[k], theme, 5, anchor=f"y{end}")
        layout[f"yaxis{end}"] = parts.row_axis(n, texts, theme, anchor=f"x{end}", domain=stand)
        own = parts.bands(n, theme, [(0.0, 1.0)])
        shapes += [shape | {"yref": f"y{end}"} for shape in own]
        if limits[k] != SHARES:
            shapes.append(parts.zero_line(n, f"x{end}", theme) | {"yref": f"y{end}"})
        top -= heights[k] + gap
    remark, taken = parts.note(_note(mine), theme, narrow, left, axes[-1]) if _note(mine) else (None, 8.0)
    set_layout(
        figure,
        margin={"l": left, "r": MARGIN, "t": 8, "b": axes[-1] + taken, "pad": 6},
        shapes=shapes, annotations=[remark] if remark else [], **layout,
    )  # fmt: skip
    return base(figure, theme, whole + 8 + axes[-1] + taken, _alt(mine, judge))


def _limits(some: pd.DataFrame) -> tuple[float, float]:
    """The axis: points about 0 where there is a test, else all shares."""
    if some["p"].isna().all():
        return SHARES
    value, low, high = (100 * parts.numbers(some, name) for name in ("excess", "excess_lower", "excess_upper"))
    least, most = parts.span(value, low, high)
    return min(least, -LEAST), max(most, LEAST)


def _instead(row: Mapping[Any, Any]) -> str:
    """24 % instead of 13 %: what stands below the name of a bias with a test."""
    return "" if words.absent(row["p"]) else f"{percent(row['rate'])} instead of {percent(row['null'])}"


def _label(name: str, said: str, theme: Theme) -> str:
    if not said:
        return name
    return f'{name}<br><span style="color:{theme.muted};font-size:{theme.small:g}px">{said}</span>'


def _add(
    figure: go.Figure, some: pd.DataFrame, mark: Mark, theme: Theme, limits: tuple[float, float], end: str
) -> None:  # fmt: skip
    """The dots of one panel. end : of the names of its axes"""
    shares = limits == SHARES
    at = np.arange(len(some), dtype=float)
    names = ("rate", "lower", "upper") if shares else ("excess", "excess_lower", "excess_upper")
    value, lower, upper = (100 * parts.numbers(some, name) for name in names)
    flagged = some["flagged"].fillna(False).astype(bool).to_numpy()
    colours = [theme.muted if shares else mark.colour if flag else theme.noise for flag in flagged]
    axes: dict[str, Any] = {"xaxis": f"x{end}", "yaxis": f"y{end}", "showlegend": False, "cliponaxis": False}
    parts.add_intervals(figure, lower, upper, at, colours, limits, f"x{end}", f"y{end}")
    chance = 100 * parts.numbers(some, "chance")
    if shares and np.isfinite(chance).any():
        ring = {"symbol": "circle-open", "size": 7, "color": theme.zero, "line": {"width": 1.4}}
        figure.add_trace(go.Scatter(x=chance, y=at, mode="markers", hoverinfo="skip", marker=ring, **axes))
    hovers = [bias_hover(row) for row in some.to_dict("records")]
    looks = (
        (flagged, parts.marker(mark, theme, 9)),
        (~flagged & ~np.array(shares), parts.marker(Mark(theme.zero, mark.symbol), theme, 9, hollow=True)),
        (np.full(len(some), shares), parts.marker(Mark(theme.muted, mark.symbol), theme, 8)),
    )
    for which, look in looks:
        where = np.flatnonzero(which)
        if len(where):
            figure.add_trace(go.Scatter(
                x=value[where], y=at[where], mode="markers", marker=look, hoverinfo="text",
                hovertext=[hovers[k] for k in where], customdata=[[str(some["bias"].iloc[k])] for k in where], **axes,
            ))  # fmt: skip


def bias_hover(row: Mapping[Any, Any]) -> str:
    """A bias in full: rate, chance, null, p, q, n."""
    lines = [f"<b>{written.escape(bias_name(str(row['bias'])))}</b>", _rate(row)]
    if not words.absent(row["chance"]):
        lines.append(f"guessing {percent(row['chance'])}")
    if not words.absent(row["p"]):
        lines += [f"without the bias {percent(row['null'])}", f"beyond it {points(row)} points",
                  f"p {_p(row['p'])}, q {_p(row['q'])}"]  # fmt: skip
    elif not words.absent(row["why"]):
        lines.append(f"no test: {written.escape(str(row['why']))}")
    return "<br>".join([*lines, f"n {words.number(int(row['n']))}, {words.plural(int(row['clusters']), 'cluster')}"])


def percent(value: Any) -> str:
    """24 %, 4.2 %: a decimal where a whole number would hide much of it."""
    return f"{words.number(100 * float(value), 1 if abs(float(value)) < 0.1 else 0)} %"


def _rate(row: Mapping[Any, Any]) -> str:
    if words.absent(row["lower"]) or words.absent(row["upper"]):
        return percent(row["rate"])
    return f"{percent(row['rate'])} [{percent(row['lower'])}, {percent(row['upper'])}]"


def _p(value: Any) -> str:
    return written.escape(words.p_value(value))


def _note(mine: pd.DataFrame) -> str:
    return "Coloured: flagged (q < .05); hollow and grey: within noise." if mine["p"].notna().any() else ""


def _alt(mine: pd.DataFrame, judge: str) -> str:
    some = with_test(mine)
    flagged = some[some["flagged"].fillna(False).astype(bool)]
    said = [f"{bias_name(str(r['bias']))} ({points(r)} points)" for r in flagged.to_dict("records")]
    text = f"Biases of {judge}: {len(flagged)} of {len(some)} tested are flagged"
    return f"{text}: {words.listing(said, 5)}." if said else f"{text}."
