"""Which places can each model take, alone and all at once?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.theme import Mark, Theme, base, set_layout


def places_chart(
    places: pd.DataFrame,
    theme: Theme,
    mark: Mark,
    *,
    most: int = 15,
    narrow: bool = False,
    labels: Mapping[str, str] | None = None,
) -> go.Figure:
    """One row a model in the order of ranks: its place, the places it can take, and those if all must hold at once.

    places : the table of the study `places` of one judge; mark : the judge's; most : models from the top
    customdata of each mark: [model]
    """
    if places.empty:
        return parts.empty("No model could be ranked.", theme, narrow)
    hidden = max(len(places) - most, 0)
    table = places.head(most)
    n = len(table)
    names = [str(model) for model in table["model"]]
    display = labels or {}
    fitted = parts.row_names([display.get(m, m) for m in names], 112.0 if narrow else 200.0, theme)
    rank, low, high = (parts.numbers(table, column) for column in ("rank", "rank_lower", "rank_upper"))
    wide_low, wide_high = (parts.numbers(table, f"simultaneous_{end}") for end in ("lower", "upper"))
    last = float(np.nanmax([np.nanmax(rank), np.nanmax(high), *wide_high[np.isfinite(wide_high)]]))
    limits = (0.5, last + 0.5)
    figure = go.Figure()
    row = np.arange(n)
    parts.add_intervals(figure, wide_low, wide_high, row, [theme.noise] * n, limits, "x", width=2.0)
    parts.add_intervals(figure, low, high, row, [mark.colour] * n, limits, "x", width=5.0)
    figure.add_trace(
        go.Scatter(
            x=rank, y=row, mode="markers", showlegend=False, cliponaxis=False, marker=parts.marker(mark, theme, 10),
            customdata=[[name] for name in names], hoverinfo="text",
            hovertext=[_hover(table.iloc[k], names[k]) for k in range(n)],
        )
    )  # fmt: skip
    best = [words.share(value) for value in table["p_best"]]
    groups = [written.fit_label(str(value), 60.0, theme.small, 1).html for value in table["group"]]
    columns = [("best", best)] + ([] if narrow or not any(groups) else [("group", groups)])
    right, annotations = 8.0, []
    for title, texts in columns:
        right += max(written.text_width(t, theme.small) for t in [*texts, title]) + 16
        font = {"size": theme.small, "color": theme.muted}
        place = {"xref": "paper", "x": 1, "xanchor": "right", "xshift": right - 8, "showarrow": False, "font": font}
        annotations.append(place | {"text": title, "yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 4})
        annotations += [place | {"text": t, "yref": "y", "y": k, "yanchor": "middle"} for k, t in enumerate(texts)]
    left = written.labels_width(fitted, theme.label) + 16
    title_lines = ["place"]
    bottom = parts.axis_height(1, theme)
    said = "Thick: the places a model can take; thin: those of all models at once."
    said += f" The first {words.plural(n, 'model')}; {words.not_shown(hidden)}." if hidden else ""
    remark, taken = parts.note(said, theme, narrow, left, bottom)
    top = 14 + theme.label * written.LINE
    axis = parts.value_axis(limits, title_lines, theme, 4 if narrow else 8, anchor="y")
    ticks = [value for value in axis["tickvals"] if value >= 1 and float(value).is_integer()]
    ticks = sorted({1, *ticks})
    set_layout(
        figure,
        margin={"l": left, "r": right, "t": top, "b": bottom + taken, "pad": 6},
        xaxis=axis | {"tickvals": ticks, "ticktext": [words.number(int(v)) for v in ticks]},
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme),
        shapes=parts.bands(n, theme, [(0.0, 1.0)]),
        annotations=[*annotations, remark],
    )
    return base(figure, theme, n * parts.row_height(fitted, theme) + top + bottom + taken, _alt(table, names, hidden))


def _hover(row: pd.Series, name: str) -> str:
    lines = [f"<b>{written.escape(words.shorten(name))}</b>", f"place {row['rank']}"]
    for text, part in (("for this model", "rank"), ("for all at once", "simultaneous"), ("by overlap", "overlap")):
        if not words.absent(row[f"{part}_lower"]):
            lines.append(f"{text}: {row[f'{part}_lower']} to {row[f'{part}_upper']}")
    if not words.absent(row["p_best"]):
        lines.append(f"the best with probability {words.share(row['p_best'])}")
    return "<br>".join(lines)


def _alt(table: pd.DataFrame, names: list[str], hidden: int) -> str:
    first = table.iloc[0]
    return (
        f"Places of {words.plural(len(names) + hidden, 'model')} with their intervals. First: {names[0]}, which can be "
        f"{first['rank_lower']} to {first['rank_upper']}."
    )
