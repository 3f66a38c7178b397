"""Who resembles whom? A matrix of judges in the order of their tree, and a map on which the alike stand together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.colour import channels, ink
from charts.matrix_cells import on_end
from charts.theme import SYMBOLS, Mark, Theme, base, marks, set_layout

NUMBERED = 12
"""Judges up to which each cell says its number."""

TREE = 110.0
"""Pixels beside the matrix that the tree takes."""

LEAST_HEAD = 14.5
"""Pixels of a column below which no name fits above it."""

ROW = {True: 26.0, False: 16.0}
"""Height of a row in pixels, by whether cells may have numbers."""

OUTLYING = 0.05
"""Share of the cells that are as pale as can be."""


def similarity_chart(
    pairs: pd.DataFrame, placed: pd.DataFrame, tree: pd.DataFrame, theme: Theme, *, narrow: bool = False
) -> go.Figure:
    """A heat map, judge by judge in the order of the tree, which stands beside it where there is room.

    pairs : judge_1, judge_2, similarity, lower, upper, n; placed : judge, kind, place; tree : joined ends and heights
    customdata of each cell: [judge, other judge]
    """
    judges = _ordered(placed)
    n = len(judges)
    if n < 2 or pairs.empty:
        return parts.empty("There are no two judges to hold against one another.", theme, narrow)
    value, hover = _cells(pairs, judges)
    known = value[np.isfinite(value)]
    if not len(known):
        return parts.empty("No two of these judges can be held against one another.", theme, narrow)
    people = set(placed.loc[placed["kind"] == "human", "judge"].astype(str))
    size = theme.small if n > NUMBERED else theme.label
    # As large as the type: a larger sign would make its line higher than a row.
    dot = f'<span style="color:{theme.people}">●</span>'
    room = written.text_width("● ", size) if people else 0.0
    wide = (112.0 if narrow else 190.0) - room
    if theme.is_print and n <= NUMBERED:
        labels = parts.row_names(judges, wide, theme)
    else:
        labels = written.fit_labels(judges, wide, size, 2 if n <= NUMBERED else 1)
    left = written.labels_width(labels, size) + room + 14
    with_tree = not narrow and len(tree) > 1
    right = TREE + 14 if with_tree else 8.0
    cell = (parts.WIDTH[narrow] - left - right) / n
    text = [words.number(float(v)) if np.isfinite(v) else "" for v in value.ravel()]
    numbered = n <= NUMBERED and max(written.text_width(t, theme.small) for t in text) <= cell - 4
    row = parts.row_height(labels, theme, ROW[True]) if n <= NUMBERED else ROW[False]
    heads, top, angle = _heads(judges, cell, theme)
    low, high, scale = _scale(known, theme)
    names = np.array(judges, dtype=object)
    figure = go.Figure(
        go.Heatmap(
            z=value, x=list(range(n)), y=list(range(n)), zmin=low, zmax=high, showscale=False, colorscale=scale,
            xgap=1 if n <= 40 else 0, ygap=1 if n <= 40 else 0, hoverongaps=False,
            customdata=np.stack(np.meshgrid(names, names, indexing="ij"), axis=-1), hovertext=hover, hoverinfo="text",
        )
    )  # fmt: skip
    if numbered:
        inks = [_ink(v, low, high, scale) if np.isfinite(v) else theme.muted for v in value.ravel()]
        figure.add_trace(
            go.Scatter(
                x=[j for _ in range(n) for j in range(n)], y=[i for i in range(n) for _ in range(n)], mode="text",
                text=text, hoverinfo="skip", showlegend=False, textfont={"size": theme.small, "color": inks},
            )
        )  # fmt: skip
    domain = 1.0
    if with_tree:
        domain = 1 - TREE / (parts.WIDTH[narrow] - left - 8)
        figure.add_trace(_tree(tree, theme))
    undefined = [
        {"x": j, "y": i, "text": "·", "showarrow": False, "font": {"size": theme.small, "color": theme.muted}}
        for i in range(n) for j in range(n) if i != j and not np.isfinite(value[i, j])
    ]  # fmt: skip
    said = _note((low, high), heads, numbered, with_tree, bool(people), undefined)
    note, taken = parts.note(said, theme, narrow, left, 2)
    marked = [f"{dot} {one.html}" if judge in people else one.html for judge, one in zip(judges, labels, strict=True)]
    set_layout(
        figure,
        margin={"l": left, "r": 8, "t": top, "b": taken + 6, "pad": 4},
        xaxis={
            "range": [-0.5, n - 0.5], "domain": [0, domain], "side": "top", "tickmode": "array",
            "tickvals": list(range(n)) if heads else [], "ticktext": heads, "tickangle": angle, "ticks": "",
            "tickfont": {"size": theme.small, "color": theme.muted}, "showgrid": False, "zeroline": False,
            "fixedrange": True, "showline": False,
        },
        yaxis=parts.row_axis(n, marked, theme) | {"tickfont": {"size": size, "color": theme.text}},
        annotations=[note, *(undefined if n <= 40 else [])],
    )  # fmt: skip
    if with_tree:
        set_layout(
            figure,
            xaxis2={
                "domain": [domain, 1], "range": [-0.02 * float(tree["at"].max()), 1.03 * float(tree["at"].max())],
                "visible": False, "fixedrange": True, "anchor": "y",
            }
        )  # fmt: skip
    return base(figure, theme, n * row + top + taken + 6, _alt(pairs, n))


def _ordered(placed: pd.DataFrame) -> list[str]:
    """Judges by their place in the tree; those without one last."""
    order = placed.assign(at=parts.numbers(placed, "place")).sort_values("at", kind="stable", na_position="last")
    return [str(judge) for judge in order["judge"]]


def _cells(pairs: pd.DataFrame, judges: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    n = len(judges)
    at = {judge: k for k, judge in enumerate(judges)}
    value = np.full((n, n), np.nan)
    # An array is taken by plotly as it is, while lists are looked through cell by cell.
    hover = np.full((n, n), "", dtype=object)
    for pair in pairs.to_dict("records"):
        i, j = at[str(pair["judge_1"])], at[str(pair["judge_2"])]
        if words.absent(pair["similarity"]):
            continue
        value[i, j] = value[j, i] = float(pair["similarity"])
        text = _hover(pair)
        hover[i, j] = hover[j, i] = text
    return value, hover


def _hover(pair: Mapping[Any, Any]) -> str:
    names = (written.escape(words.shorten(str(pair[name]), 40)) for name in ("judge_1", "judge_2"))
    scenarios = "" if words.absent(pair.get("scenarios")) else f" in {words.plural(int(pair['scenarios']), 'scenario')}"
    return (
        f"<b>{' · '.join(names)}</b><br>{words.estimate(pair['similarity'], pair['lower'], pair['upper'])}<br>"
        f"n {words.number(int(pair['n']))}{scenarios}"
    )


def _heads(judges: Sequence[str], cell: float, theme: Theme) -> tuple[list[str], float, int]:
    """Names above the columns, the pixels they take and their angle; none where columns are too narrow."""
    if cell < LEAST_HEAD:
        return [], 8.0, 0
    if all(written.widest_part(judge, theme.small) <= cell - 4 for judge in judges):
        heads = written.fit_labels(judges, cell - 4, theme.small, theme.lines)
        lines = max(len(one.lines) for one in heads)
        return [one.html for one in heads], lines * theme.small * written.LINE + 12, 0
    heads = on_end(judges, cell, theme)
    return [one.html for one in heads], written.labels_width(heads, theme.small) * 1.05 + 16, -90


def _scale(known: np.ndarray, theme: Theme) -> tuple[float, float, list[list[Any]]]:
    """From low similarities to the greatest, so that a single odd judge does not make all others alike; with negative
    ones both ways from 0."""
    low, high = float(np.quantile(known, OUTLYING)), float(known.max())
    if low < 0:
        end = max(-low, high)
        return -end, end, [[0.0, theme.judges[0]], [0.5, theme.second], [1.0, theme.people]]
    if high - low < 1e-9:
        low = high - 1e-9
    return low, high, [[0.0, theme.second], [1.0, theme.people]]


def _tree(tree: pd.DataFrame, theme: Theme) -> go.Scatter:
    """One line for all joinings, the leaves at the rows and the root on the right."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    for one in tree.to_dict("records"):
        xs += [one["low_at"], one["at"], one["at"], one["high_at"], None]
        ys += [one["low"], one["low"], one["high"], one["high"], None]
    return go.Scatter(
        x=xs, y=ys, xaxis="x2", yaxis="y", mode="lines", line={"color": theme.zero, "width": 1.2}, hoverinfo="skip",
        showlegend=False,
    )  # fmt: skip


def _ink(value: float, low: float, high: float, scale: Sequence[Sequence[Any]]) -> str:
    """Black or white, near enough, whichever reads better on the cell."""
    share = float(np.clip((value - low) / (high - low), 0.0, 1.0))
    stops = np.array([stop for stop, _ in scale], dtype=float)
    colours = np.stack([channels(colour) for _, colour in scale])
    ground = np.array([np.interp(share, stops, colours[:, k]) for k in range(3)])
    return ink(ground)


def _note(
    ends: tuple[float, float], heads: Sequence[str], numbered: bool, with_tree: bool, people: bool,
    undefined: Sequence[Any],
) -> str:  # fmt: skip
    said = []
    low, high = (words.number(end) for end in ends)
    if ends[0] < 0:
        said.append(f"Fullest: {high}, and in the other colour {low} and less; palest: 0.")
    elif not numbered:
        said.append(f"Palest: {low} and less; fullest: {high}.")
    if not heads:
        said.append("Columns stand in the order of the rows.")
    said.append("Like judges stand together" + ("; the further right two meet, the less alike." if with_tree else "."))
    if people:
        said.append("●: people.")
    if undefined:
        said.append("·: not compared.")
    return " ".join(said)


def _alt(pairs: pd.DataFrame, n: int) -> str:
    known = pairs[pairs["similarity"].notna()]
    best, worst = (
        known.iloc[int(pick(known["similarity"].to_numpy(dtype=float)))] for pick in (np.argmax, np.argmin)
    )
    return (
        f"Similarities of {words.plural(n, 'judge')}. Most alike: {best['judge_1']} and {best['judge_2']} "
        f"({words.number(best['similarity'])}); least: {worst['judge_1']} and {worst['judge_2']} "
        f"({words.number(worst['similarity'])})."
    )


# -- the map ----------------------------------------------------------------------------------------------------------

LOWEST, HIGHEST = 220.0, 460.0
"""Pixels between which the map's height lies."""


def judge_map(placed: pd.DataFrame, shown: float | None, theme: Theme, *, narrow: bool = False) -> go.Figure:
    """Judges as points, the nearer the more alike; names where they do not run into one another.

    placed : judge, kind, source, x, y; shown : share of the squared distances that two dimensions show
    customdata of each mark: [judge]
    """
    there = placed[placed["x"].notna()]
    if len(there) < 3 or shown is None:
        return parts.empty("A map needs three judges that can all be held against one another.", theme, narrow)
    x, y = parts.numbers(there, "x"), parts.numbers(there, "y")
    width = parts.WIDTH[narrow] - 16
    pad = 46.0
    spread = [max(float(np.ptp(v)), 1e-6) for v in (x, y)]
    # The same length across as upwards, or distances would mislead.
    scale = (width - 2 * pad) / spread[0]
    scale = min(scale, (HIGHEST - 2 * pad) / spread[1])
    height = min(max(spread[1] * scale + 2 * pad, LOWEST), HIGHEST)
    centre = [float(v.max() + v.min()) / 2 for v in (x, y)]
    across, up = (x - centre[0]) * scale + width / 2, (y - centre[1]) * scale + height / 2
    names = [str(judge) for judge in there["judge"]]
    human = (there["kind"] == "human").to_numpy(dtype=bool)
    mixed = there["source"].nunique() > 1
    hollow = ((there["source"] == "published") & mixed).to_numpy(dtype=bool)
    shown_as = [" ".join(name.split()) for name in names]
    shown_as = [theme.short(name, 28) for name in shown_as]
    placing = _place_names(shown_as, across, up, human, width, height, theme)
    numbered: dict[int, str] = {}
    if theme.is_print and len(placing) < len(names):
        # Nobody can point at a mark on paper: those without room for a name get a number, which the note explains.
        numbered = {k: str(nth) for nth, k in enumerate((k for k in range(len(names)) if k not in placing), 1)}
        shown_as = [numbered.get(k, name) for k, name in enumerate(shown_as)]
        placing = _place_names(shown_as, across, up, human, width, height, theme)
    figure = go.Figure()
    own = _map_marks(names, human, mixed, theme)
    # People last: on top of whom they stand among.
    for mark in dict.fromkeys(own[k] for k in np.argsort(human, kind="stable")):
        for is_hollow in (False, True):
            rows = np.array([k for k in range(len(names)) if own[k] == mark and hollow[k] == is_hollow], dtype=int)
            if len(rows):
                figure.add_trace(
                    go.Scatter(
                        x=across[rows], y=up[rows], mode="markers", customdata=[[names[k]] for k in rows],
                        hovertext=[f"<b>{written.escape(words.shorten(names[k]))}</b>" for k in rows], hoverinfo="text",
                        marker=parts.marker(mark, theme, 10, hollow=is_hollow), showlegend=False, cliponaxis=False,
                    )
                )  # fmt: skip
    annotations = [
        {
            "x": left, "y": middle, "text": written.escape(text), "showarrow": False, "xanchor": "left",
            "yanchor": "middle", "font": {"size": theme.small, "color": theme.text if human[k] else theme.muted},
        }
        for k, (text, left, middle, _) in placing.items()
    ]  # fmt: skip
    leaders = [
        {"type": "line", "x0": float(across[k]), "y0": float(up[k]), "x1": end[0], "y1": end[1],
         "line": {"color": theme.zero, "width": 1}, "layer": "below"}
        for k, (_, _, _, end) in placing.items() if end is not None
    ]  # fmt: skip
    said = f"Near: alike. The map shows {words.share(shown)} of the squared distances; directions mean nothing."
    if mixed:
        said += " Hollow: published weights."
    unnamed = len(names) - len(placing)
    said += "".join(f" {number}: {theme.short(names[k], 60)}." for k, number in numbered.items())
    if unnamed:
        said += f" {words.plural(unnamed, 'judge')} without room for a name: point at them, or read the table."
    note, taken = parts.note(said, theme, narrow, 8, 2)
    axis = {"visible": False, "fixedrange": True}
    set_layout(
        figure,
        margin={"l": 8, "r": 8, "t": 4, "b": taken + 6}, xaxis=axis | {"range": [0, width]},
        # However wide the page is: a unit across is a unit upwards.
        yaxis=axis | {"range": [0, height], "scaleanchor": "x", "scaleratio": 1}, annotations=[*annotations, note],
        shapes=[{"type": "rect", "xref": "paper", "yref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 1,
                 "line": {"color": theme.border, "width": 1}, "layer": "below"}, *leaders],
    )  # fmt: skip
    alt = f"A map of {words.plural(len(names), 'judge')} on which the alike stand together."
    return base(figure, theme, height + taken + 10, alt)


def _map_marks(names: Sequence[str], human: np.ndarray, mixed: bool, theme: Theme) -> list[Mark]:
    """The mark of each judge: its own, as in other charts, while there are plain symbols for all.

    Of more judges all look alike: nobody tells twenty symbols apart, and names stand beside them.
    mixed : whether hollow marks mean published weights, so that no judge's own mark may be an open one
    """
    people = {name for name, is_human in zip(names, human, strict=True) if is_human}
    found = marks(names, people, theme)
    if {mark.symbol for mark in found.values()} <= {*SYMBOLS, "circle", *([] if mixed else ["circle-open"])}:
        return [found[name] for name in names]
    return [Mark(theme.people, "circle") if name in people else Mark(theme.judges[0], "square") for name in names]


Place = tuple[str, float, float, tuple[float, float] | None]
"""Of a name: its text, left end, middle, and where a line from its point ends, None where it stands beside it."""


def _place_names(
    names: Sequence[str], x: np.ndarray, y: np.ndarray, human: np.ndarray, width: float, height: float, theme: Theme
) -> dict[int, Place]:
    """Where names go, of those that find a free place; people and outliers first, people also further away."""
    marks = [(a - 7, a + 7, b - 7, b + 7) for a, b in zip(x, y, strict=True)]
    taken: list[tuple[float, float, float, float]] = []
    far = np.hypot(x - width / 2, y - height / 2)
    tall = theme.small * written.LINE
    out: dict[int, Place] = {}
    for k in sorted(range(len(names)), key=lambda k: (not human[k], -far[k])):
        text = names[k]
        wide = written.text_width(text, theme.small) + 2
        near = [(9.0, 0.0), (-9 - wide, 0.0), (-wide / 2, 15.0), (-wide / 2, -15.0)]
        away = [(dx if dx > 0 else dx - wide, dy) for dy in (30.0, -30.0, 50.0, -50.0) for dx in (20.0, -20.0)]
        others = [*marks[:k], *marks[k + 1 :], *taken]
        for step, (dx, dy) in enumerate([*near, *(away if human[k] else [])]):
            left, middle = float(x[k] + dx), float(y[k] + dy)
            box = (left, left + wide, middle - tall / 2, middle + tall / 2)
            inside = box[0] >= 2 and box[1] <= width - 2 and box[2] >= 2 and box[3] <= height - 2
            if inside and all(box[1] <= b[0] or box[0] >= b[1] or box[3] <= b[2] or box[2] >= b[3] for b in others):
                end = None if step < len(near) else (left if dx > 0 else left + wide, middle)
                out[k] = (text, left, middle, end)
                taken.append(box)
                break
    return out
