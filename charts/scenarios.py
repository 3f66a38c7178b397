"""Which models stand higher or lower in one scenario than in the others, and where is that more than noise?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.colour import channels, ink
from charts.matrix_cells import on_end
from charts.theme import Theme, base, set_layout

BEYOND = 0.05
"""q of a model below which its departures may count as beyond noise."""

PALE = 0.14
"""Share of its colour that a cell within noise keeps: grey on it can be read (contrast 4.5)."""

LEAST = 0.25
"""Log-odds that get the full colour at least: where all differences are small they look small."""

HEAD = 58.0
"""Pixels that a column needs for a head that reads from left to right; in narrower ones heads stand on end."""

CELL = {False: 31.0, True: 30.0}
"""Least width of a cell in pixels, by `narrow`: a signed number fits."""


@dataclass(frozen=True)
class _Cells:
    """What the map shows; each array (models, scenarios), NaN where there is nothing.

    value : log-odds from the model's mean over scenarios; beyond : whether that is more than noise
    sd, sure : (models,) between scenarios, and whether the model differs beyond noise
    hidden : scenarios that depart less than those shown
    """

    models: list[str]
    scenarios: list[str]
    value: np.ndarray
    beyond: np.ndarray
    sd: np.ndarray
    sure: np.ndarray
    hover: list[list[str]]
    hidden_models: int
    hidden: int


def scenarios_chart(
    scenarios: pd.DataFrame,
    heterogeneity: pd.DataFrame,
    theme: Theme,
    *,
    raw: bool = False,
    most: int = 15,
    narrow: bool = False,
    labels: Mapping[str, str] | None = None,
    thin: Collection[str] = (),
) -> go.Figure:
    """A heat map of one judge: models in the order of their means, scenarios by how far they depart, furthest first.

    Colour and number are the strength minus the model's mean over scenarios. Beyond noise (the model's q < .05, and the
    interval leaves out 0) a cell has its full colour, a frame and bold type; within noise it is pale and grey.

    scenarios, heterogeneity : `scenarios`' tables, one judge's rows
    raw : each scenario alone instead of pooled; most : how many models from the top
    narrow : for figures under 650 pixels; labels : display names of models
    thin : scenarios that say little by themselves; their heads stand in brackets
    customdata of each cell: [model, scenario]
    """
    if scenarios.empty or heterogeneity.empty:
        return parts.empty("No model could be ranked by scenario.", theme, narrow)
    names, models = labels or {}, _order(heterogeneity)
    kept = models[: max(most, 1)]
    fitted = parts.row_names([names.get(k, k) for k in kept], 100.0 if narrow else 165.0, theme)
    left = written.labels_width(fitted, theme.label) + 14
    right = 8.0 if narrow else 52.0
    room = int((parts.WIDTH[narrow] - left - right) // CELL[narrow])
    found = _find(scenarios, heterogeneity, raw, kept, max(room, 1))
    n, m = found.value.shape
    cell = (parts.WIDTH[narrow] - left - right) / m
    titles = [f"({name})" if name in thin else name for name in found.scenarios]
    # A head that would break inside a word is easier to read on end.
    longest = max((written.text_width(word, theme.small) for title in titles for word in title.split()), default=0.0)
    upright = cell >= max(HEAD, longest + 6)
    heads = written.fit_labels(titles, cell - 6, theme.small, theme.most(3)) if upright else on_end(titles, cell, theme)
    lines = max(len(one.lines) for one in heads)
    top = lines * theme.small * written.LINE + 12 if upright else written.labels_width(heads, theme.small) + 16
    figure = go.Figure()
    _draw_cells(figure, found, theme)
    bottom = 6.0
    remark, taken = parts.note(_note(found, raw, narrow, thin), theme, narrow, left, bottom)
    ground = {
        "type": "rect", "xref": "x", "yref": "y", "x0": -0.5, "x1": m - 0.5, "y0": -0.5, "y1": n - 0.5,
        "fillcolor": theme.grid, "line": {"width": 0}, "layer": "below",
    }  # fmt: skip
    set_layout(
        figure,
        margin={"l": left, "r": right, "t": top, "b": bottom + taken, "pad": 4},
        xaxis={
            "range": [-0.5, m - 0.5], "side": "top", "tickmode": "array", "tickvals": list(range(m)),
            "ticktext": [one.html for one in heads], "tickangle": 0 if upright else -90, "ticks": "",
            "tickfont": {"size": theme.small, "color": theme.muted}, "showgrid": False, "zeroline": False,
            "automargin": True, "fixedrange": True, "showline": False,
        },
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme),
        shapes=[ground, *_frames(found, theme)],
        annotations=[remark, *([] if narrow else _sds(found, theme))],
    )  # fmt: skip
    height = parts.row_height(fitted, theme, 28)
    return base(figure, theme, n * height + top + bottom + taken, _alt(found, raw))


def _order(heterogeneity: pd.DataFrame) -> list[str]:
    """The models from the strongest mean to the weakest."""
    means = parts.numbers(heterogeneity, "mean")
    pairs = zip(np.where(np.isfinite(means), -means, np.inf), heterogeneity["model"], strict=True)
    return [str(name) for _, name in sorted(pairs)]


def _find(scenarios: pd.DataFrame, heterogeneity: pd.DataFrame, raw: bool, kept: list[str], room: int) -> _Cells:
    """kept : models to show; room : columns that fit"""
    models = heterogeneity.set_index("model")
    mean = pd.Series(parts.numbers(heterogeneity, "mean"), index=models.index)
    tidy = scenarios.assign(departure=parts.numbers(scenarios, "departure"))
    # The furthest first; equal ones in the order of the table.
    far = (tidy["departure"] ** 2).groupby(tidy["scenario"], sort=False).mean()
    columns = list(far.sort_values(ascending=False, kind="stable").index)
    shown = columns[:room]
    place = {(m, s): row for row, (m, s) in enumerate(zip(tidy["model"], tidy["scenario"], strict=True))}
    rows = np.array([[place[(model, scenario)] for scenario in shown] for model in kept])
    value, lower, upper = (
        parts.numbers(tidy, name)[rows] for name in ("departure", "departure_lower", "departure_upper")
    )
    if raw:
        own = mean[kept].to_numpy()[:, None]
        value, lower, upper = (parts.numbers(tidy, name)[rows] - own for name in ("strength", "lower", "upper"))
    q = np.array(parts.numbers(models, "q"))
    sure = pd.Series(q < BEYOND, index=models.index)[kept].to_numpy(dtype=bool)
    return _Cells(
        models=kept,
        scenarios=[str(name) for name in shown],
        value=value,
        beyond=sure[:, None] & ((lower > 0) | (upper < 0)),
        sd=pd.Series(parts.numbers(models, "tau"), index=models.index)[kept].to_numpy(),
        sure=sure,
        hover=[[_hover(tidy.iloc[row]) for row in line] for line in rows],
        hidden_models=len(models) - len(kept),
        hidden=len(columns) - len(shown),
    )


def _draw_cells(figure: go.Figure, found: _Cells, theme: Theme) -> None:
    n, m = found.value.shape
    limit = max(LEAST, float(np.nanmax(np.abs(found.value), initial=0.0)))
    shade = np.nan_to_num(found.value / limit) * np.where(found.beyond, 1.0, PALE)
    weaker, stronger = theme.judges[0], theme.judges[2]
    figure.add_trace(
        go.Heatmap(
            z=shade, x=list(range(m)), y=list(range(n)), zmin=-1, zmax=1, showscale=False, xgap=1, ygap=1,
            colorscale=[[0.0, weaker], [0.5, theme.background], [1.0, stronger]],
            customdata=[[[model, scenario] for scenario in found.scenarios] for model in found.models],
            hovertext=found.hover, hoverinfo="text",
        )
    )  # fmt: skip
    texts, inks = [], []
    for i in range(n):
        for j in range(m):
            text = _signed(found.value[i, j])
            texts.append(f"<b>{text}</b>" if found.beyond[i, j] else text)
            inks.append(_ink(shade[i, j], theme) if found.beyond[i, j] else theme.muted)
    figure.add_trace(
        go.Scatter(
            x=[j for _ in range(n) for j in range(m)], y=[i for i in range(n) for _ in range(m)], mode="text",
            text=texts, hoverinfo="skip", showlegend=False, textfont={"size": theme.small, "color": inks},
        )
    )  # fmt: skip


def _signed(value: float) -> str:
    if not np.isfinite(value):
        return "–"
    # Beyond two digits before the point there is room for no others.
    text = words.number(float(value), 2 if abs(value) < 0.995 else 1 if abs(value) < 9.95 else 0)
    return text if value < 0 or not text.strip(".0") else f"+{text}"


def _frames(found: _Cells, theme: Theme) -> list[dict[str, Any]]:
    line = {"color": theme.text, "width": 1.4}
    return [
        {
            "type": "rect", "xref": "x", "yref": "y", "x0": j - 0.48, "x1": j + 0.48, "y0": i - 0.46, "y1": i + 0.46,
            "line": line, "layer": "above",
        }
        for i, j in np.argwhere(found.beyond)
    ]  # fmt: skip


def _sds(found: _Cells, theme: Theme) -> list[dict[str, Any]]:
    """Right of the rows how much each model varies between scenarios; in bold where that is beyond noise."""
    place = {"xref": "paper", "x": 1, "xanchor": "right", "xshift": 46, "showarrow": False}
    font = {"size": theme.small, "color": theme.muted}
    out = [place | {"text": "sd", "yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 4, "font": font}]
    for row, (sd, sure) in enumerate(zip(found.sd, found.sure, strict=True)):
        text = words.number(float(sd)) or "–"
        own = {"text": f"<b>{text}</b>", "font": font | {"color": theme.text}} if sure else {"text": text, "font": font}
        out.append(place | own | {"yref": "y", "y": row, "yanchor": "middle"})
    return out


def _hover(row: pd.Series) -> str:
    def told(name: str, value: str, lower: str, upper: str) -> str:
        text = words.estimate(row[value], row[lower], row[upper])
        return f"{name} {text}" if text else f"{name}: not known"

    rank = f"rank {row['pooled_rank']} pooled" if not words.absent(row["pooled_rank"]) else ""
    own = f"{row['rank']} raw" if not words.absent(row["rank"]) else ""
    judged = f"{words.plural(int(row['judgments']), 'judgment')} under {words.plural(int(row['prompts']), 'prompt')}"
    model, scenario = (written.escape(words.shorten(str(row[name]))) for name in ("model", "scenario"))
    lines = [
        f"<b>{model}</b> · {scenario}",
        told("pooled", "pooled", "pooled_lower", "pooled_upper"),
        told("raw", "strength", "lower", "upper"),
        told("from its mean", "departure", "departure_lower", "departure_upper"),
        ", ".join(filter(None, (rank, own))),
        judged,
    ]
    return "<br>".join(filter(None, lines))


def _note(found: _Cells, raw: bool, narrow: bool, thin: Collection[str]) -> str:
    kind = "Raw strength, the scenario alone," if raw else "Pooled strength"
    text = [f"{kind} minus the model's mean over scenarios, log-odds."]
    if found.beyond.any():
        text.append("Framed: beyond noise. Pale and grey: within noise.")
    else:
        text.append("No cell is beyond noise.")
    if not narrow:
        text.append("sd: between scenarios, bold where the model differs (q < .05).")
    if not set(thin).isdisjoint(found.scenarios):
        text.append("In brackets: thin scenarios, listed below.")
    if found.hidden:
        text.append(f"Scenarios that depart most first; {found.hidden:,} more in the table.")
    if found.hidden_models:
        text.append(f"The first {words.plural(len(found.models), 'model')}; {found.hidden_models:,} more in the table.")
    return " ".join(text)


def _ink(shade: float, theme: Theme) -> str:
    """Black or white, whichever reads better on a cell of this shade in [-1, 1]: of the two one always can."""
    colour = theme.judges[2] if shade > 0 else theme.judges[0]
    ground = (1 - abs(shade)) * channels(theme.background) + abs(shade) * channels(colour)
    return ink(ground)


def _alt(found: _Cells, raw: bool) -> str:
    """The picture in a sentence or two."""
    kind = "raw" if raw else "pooled"
    text = (
        f"How far the {kind} strengths of {words.plural(len(found.models) + found.hidden_models, 'model')} in "
        f"{words.plural(len(found.scenarios) + found.hidden, 'scenario')} lie from each model's mean; "
        f"{int(found.beyond.sum()):,} of the cells shown {'is' if found.beyond.sum() == 1 else 'are'} beyond noise."
    )
    size = np.where(found.beyond, np.abs(found.value), -1.0).ravel()
    m = len(found.scenarios)
    largest = [
        f"{found.models[k // m]} in {found.scenarios[k % m]} ({_signed(found.value.ravel()[k])})"
        for k in np.argsort(-size, kind="stable")[:3]
        if size[k] >= 0
    ]
    return text + (f" Largest: {words.listing(largest)}." if largest else "")
