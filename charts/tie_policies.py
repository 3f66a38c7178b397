"""Which models change places when ties are counted by another rule?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.theme import Mark, Theme, base, marks, set_layout

POLICIES = {"half": "half a win", "davidson": "Davidson", "rao_kupper": "Rao– Kupper", "drop": "left out"}
"""Columns of the table, in the order drawn, and how each is written under the axis: a space breaks the line."""

PITCH = 15.0
"""Pixels between two ranks where they all fit."""
AIRY, ENOUGH = 26.0, 180.0
"""Pixels between two ranks where there are few, and the height from which on they come closer."""

FEW = 15
"""Models that are given two lines each where their names need them."""

MOST_NAME = {False: 250.0, True: 150.0}
"""Pixels of a name on paper at most."""

TALLEST = {False: 620.0, True: 420.0}
"""Pixels of a panel, by `narrow`: with many models ranks stand closer."""

MOVERS = 5
"""How many of the largest moves are drawn strongest, beside those that leave their interval."""

GAP = {False: 0.06, True: 0.0}
"""Space between two panels, in shares of the plot's width, by `narrow`."""


@dataclass(frozen=True)
class _Panel:
    """One judge: ranks (models, policies) with NaN where a policy is not possible, most moved first."""

    judge: str
    mark: Mark
    names: list[str]
    ranks: np.ndarray
    moved: np.ndarray
    leaves: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    height: float

    @property
    def n(self) -> int:
        return max(int(np.nanmax(self.ranks, initial=1)), 1)

    @property
    def weight(self) -> np.ndarray:
        """(models,) 0 where nothing moves, 1 for small moves, 2 for the largest, 3 where an interval is left."""
        largest = (self.moved > 0) & (np.arange(len(self.moved)) < self.leaves.sum() + MOVERS)
        return np.where(self.leaves, 3, np.where(largest, 2, np.where(self.moved > 0, 1, 0)))


def tie_policies_chart(
    policies: pd.DataFrame, theme: Theme, *, humans: Collection[str] = (), narrow: bool = False, most: int = 2
) -> go.Figure:
    """One panel a judge, one line a model from rank to rank over the four rules for ties.

    Models that move are drawn in the judge's colour and named as far as there is room, the largest moves strongest
    and thickest where a rank leaves the model's interval under the chosen rule; the others are grey.

    policies : the study's table `policies`; most : judges drawn
    customdata of each mark: [model]
    """
    judges = list(dict.fromkeys(policies["judge"]))
    shown = judges[:most]
    drawn = marks(judges, humans, theme)
    here = policies[policies["judge"].isin(shown)]
    room = 96.0 if narrow else 118.0
    widest = max((written.text_width(str(name), theme.small) for name in here["model"]), default=0.0) + 14
    # Names that do not fit beside two panels: one above the other; at phone width they take two lines.
    stacked, pitch = narrow or widest > room, PITCH
    if theme.is_print and widest > room:
        room = min(widest * parts.SOURCE_SANS, MOST_NAME[narrow])
    elif narrow and widest > room and here["model"].nunique() <= FEW:
        pitch = 2.4 * theme.small * written.LINE
    elif stacked and not narrow:
        room = min(widest, 240.0)
    panels = [_panel(policies[policies["judge"] == judge], judge, drawn[judge], narrow, pitch) for judge in shown]
    panels = [panel for panel in panels if len(panel.names)]
    if not panels:
        return parts.empty("No model could be ranked under the rules for ties.", theme, narrow)
    side = 1 if stacked else len(panels)
    height = [panel.height for panel in panels]
    head, foot = 14 + theme.label * parts.GLYPH * written.LINE, 2 * theme.small * written.LINE + 14
    figure = go.Figure()
    annotations: list[dict[str, Any]] = []
    left, right = 34.0, 10.0
    width = parts.WIDTH[narrow] - left - right
    plots = sum(height) + (len(panels) - 1) * (head + foot) if stacked else max(height)
    axes: dict[str, Any] = {}
    for k, panel in enumerate(panels):
        number = "" if k == 0 else str(k + 1)
        if stacked:
            # Stacked from the top: everything above this panel is taken off.
            above = sum(height[:k]) + k * (head + foot)
            y_domain = (1 - (above + height[k]) / plots, 1 - above / plots)
            x_domain = (0.0, 1.0 - room / width)
        else:
            each = (1 - GAP[narrow] * (side - 1)) / side
            start = k * (each + GAP[narrow])
            y_domain = (1 - height[k] / plots, 1.0)
            x_domain = (start, start + each - room / width)
        axes[f"xaxis{number}"] = _policy_axis(x_domain, f"y{number}", theme)
        axes[f"yaxis{number}"] = _rank_axis(panel, y_domain, f"x{number}", theme)
        _add_lines(figure, panel, f"x{number}", f"y{number}", theme)
        annotations += _names(panel, number, room, theme)
        # One above the other, a panel's head has the figure's width.
        whole = theme.is_print and stacked
        wide = (x_domain[1] - x_domain[0]) * width + room
        text = parts.tag(panel.judge, panel.mark, theme, parts.over_room(wide, left if whole else 0.0, theme))
        over = parts.over(text, theme, left) if whole else parts.head(text, x_domain[0], theme, "left")
        annotations.append(over | {"y": y_domain[1]})
    remark, taken = parts.note(_note(panels, len(judges) - len(shown)), theme, narrow, left, foot - 4)
    annotations.append(remark)
    set_layout(
        figure,
        margin={"l": left, "r": right, "t": head, "b": foot + taken, "pad": 4}, annotations=annotations, **axes
    )
    return base(figure, theme, plots + head + foot + taken, _alt(panels))


def _panel(table: pd.DataFrame, judge: str, mark: Mark, narrow: bool, pitch: float) -> _Panel:
    ranks = np.column_stack([parts.numbers(table, f"rank_{policy}") for policy in POLICIES])
    known = np.isfinite(ranks).any(axis=1)
    moved = np.nan_to_num(parts.numbers(table, "largest_move"))
    leaves = table["leaves_interval"].fillna(False).to_numpy(dtype=bool)
    order = [k for k in np.lexsort((-moved, ~leaves)) if known[k]]
    names = [str(table["model"].iloc[k]) for k in order]
    low, high = parts.numbers(table, "rank_lower"), parts.numbers(table, "rank_upper")
    n = max(float(np.nanmax(ranks, initial=1)), 4)
    height = min(max(pitch * n, min(AIRY * n, ENOUGH)), TALLEST[narrow])
    return _Panel(judge, mark, names, ranks[order], moved[order], leaves[order], low[order], high[order], height)


def _policy_axis(domain: tuple[float, float], anchor: str, theme: Theme) -> dict[str, Any]:
    return {
        "domain": domain, "anchor": anchor, "range": [-0.1, len(POLICIES) - 0.9], "tickmode": "array",
        "tickvals": list(range(len(POLICIES))), "ticktext": [_on_axis(text) for text in POLICIES.values()],
        "tickfont": {"size": theme.small, "color": theme.muted}, "tickangle": 0, "ticks": "", "showgrid": True,
        "gridcolor": theme.grid, "zeroline": False, "fixedrange": True,
    }  # fmt: skip


def _on_axis(policy: str) -> str:
    return policy.replace("– ", "–<br>").replace(" ", "<br>", 1)


def _rank_axis(panel: _Panel, domain: tuple[float, float], anchor: str, theme: Theme) -> dict[str, Any]:
    n = panel.n
    # As many ranks as stand clear of each other, the first and the last among them.
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10**9)
                if n <= s or panel.height / n * s >= theme.small * 1.4)  # fmt: skip
    ticks = sorted({1, *range(step, n + 1, step)} if step > 1 else set(range(1, n + 1)))
    ticks = [t for t in ticks if t == 1 or (t - 1) * panel.height / n >= theme.small * 1.3]
    return {
        "domain": domain, "anchor": anchor, "range": [n + 0.6, 0.4], "tickmode": "array", "tickvals": ticks,
        "ticktext": [f"{t:,}" for t in ticks], "tickfont": {"size": theme.small, "color": theme.muted},
        "ticks": "", "showgrid": False, "zeroline": False, "fixedrange": True,
    }  # fmt: skip


def _add_lines(figure: go.Figure, panel: _Panel, xaxis: str, yaxis: str, theme: Theme) -> None:
    # One trace for all lines of a style: grey ones first, those that leave their interval on top.
    at = list(range(len(POLICIES)))
    for weight in range(4):
        chosen = np.flatnonzero(panel.weight == weight)
        if not len(chosen):
            continue
        colour = panel.mark.colour if weight else theme.noise
        xs: list[float | None] = []
        ys: list[float | None] = []
        for k in chosen:
            xs += [*at, None]
            ys += [None if np.isnan(r) else float(r) for r in panel.ranks[k]] + [None]
        figure.add_trace(
            go.Scatter(
                x=xs, y=ys, mode="lines", connectgaps=False, xaxis=xaxis, yaxis=yaxis, hoverinfo="skip",
                showlegend=False, line={"color": colour, "width": (1.2, 1.2, 2.2, 3.4)[weight]},
                opacity=0.45 if weight == 1 else 1.0,
            )
        )  # fmt: skip
        figure.add_trace(
            go.Scatter(
                x=[x for _ in chosen for x in at], y=panel.ranks[chosen].reshape(-1), mode="markers", xaxis=xaxis,
                yaxis=yaxis, showlegend=False, cliponaxis=False, hoverinfo="text", name=panel.judge,
                marker=parts.marker(Mark(colour, panel.mark.symbol), theme, (4, 5, 7, 8)[weight]),
                opacity=0.45 if weight == 1 else 1.0,
                hovertext=[_hover(panel, int(k)) for k in chosen for _ in at],
                customdata=[[panel.names[k]] for k in chosen for _ in at],
            )
        )  # fmt: skip


def _hover(panel: _Panel, k: int) -> str:
    lines = [f"<b>{written.escape(words.shorten(panel.names[k]))}</b>", written.escape(words.shorten(panel.judge, 30))]
    for policy, rank in zip(POLICIES.values(), panel.ranks[k], strict=True):
        lines.append(f"{policy.replace('– ', '–')}: {'no rank' if np.isnan(rank) else f'rank {rank:.0f}'}")
    if np.isfinite(panel.lower[k]) and np.isfinite(panel.upper[k]):
        lines.append(f"rank interval [{panel.lower[k]:.0f}–{panel.upper[k]:.0f}]")
    return "<br>".join(lines)


def _names(panel: _Panel, number: str, room: float, theme: Theme) -> list[dict[str, Any]]:
    """Names at the right end of lines where they do not touch: the largest moves first, others where all fit."""
    pitch = panel.height / panel.n
    taken: list[tuple[float, float]] = []
    out = []
    all_fit = pitch >= theme.small * written.LINE
    for k in np.flatnonzero((panel.moved > 0) | all_fit):
        known = np.flatnonzero(np.isfinite(panel.ranks[k]))
        row = float(panel.ranks[k][known[-1]])
        lines = 2 if pitch >= 2 * theme.small * written.LINE else 1
        if theme.is_print:
            name = written.fit_label(panel.names[k], (room - 12) / parts.SOURCE_SANS, theme.small, theme.lines)
            high = (1 + (len(name.lines) - 1) * parts.PLOTLY_LINE) * theme.small * 1.1
        else:
            name, high = written.fit_label(panel.names[k], room - 12, theme.small, lines), theme.small * written.LINE
        if any(abs(row - other) * pitch < (high + its) / 2 for other, its in taken):
            continue
        taken.append((row, high))
        weight = panel.weight[k]
        out.append(
            {
                "text": f"<b>{name.html}</b>" if weight == 3 else name.html, "xref": f"x{number}", "yref": f"y{number}",
                "x": len(POLICIES) - 1, "y": row,
                "xanchor": "left", "align": "left", "xshift": 7, "showarrow": False,
                "font": {"size": theme.small, "color": theme.text if weight > 1 else theme.muted},
            }
        )  # fmt: skip
    return out


def _note(panels: list[_Panel], hidden: int) -> str:
    text = "Ranks from 1 (best). In colour: models that move, the largest moves strongest"
    if any(panel.leaves.any() for panel in panels):
        text += "; thick, with a bold name: to a rank outside their interval"
    elif any((panel.moved > 0).any() for panel in panels):
        text += ", all within their rank intervals"
    else:
        text = "Ranks from 1 (best). No model moves"
    text += "."
    if hidden:
        text += f" {words.plural(hidden, 'judge')} more in the table."
    return text


def _alt(panels: list[_Panel]) -> str:
    """The picture in a sentence or two."""
    said = []
    for panel in panels:
        n = int((panel.moved > 0).sum())
        largest = f", most {panel.names[0]} by {panel.moved.max():.0f}" if n else ""
        said.append(f"{panel.judge}: {n:,} of {words.plural(len(panel.names), 'model')} change rank{largest}.")
    return "Ranks under four rules for ties. " + " ".join(said)
