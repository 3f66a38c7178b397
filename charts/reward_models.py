"""Where do scores fail: how far does each judge's accuracy fall from scenario to scenario, and who believes a label?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.gaps import MARGIN
from charts.judge_rows import Look, judge_rows_chart
from charts.theme import Theme, base, marks, set_layout

TITLE = "share of comparisons in which the higher score is the preferred answer"
CHANCE = 0.5


def accuracy_chart(
    judges: pd.DataFrame, scenarios: pd.DataFrame, theme: Theme, *, humans: Collection[str] = (),
    most: int | None = None, narrow: bool = False,
) -> go.Figure:  # fmt: skip
    """A row a judge, the best first: the mean over scenarios with its interval, and a stroke for each scenario.

    judges, scenarios : tables of the study `reward-models`; without scenarios the accuracy of all pairs is drawn.
    Strokes out of distribution are as high as a row, the others half of it. customdata of each mark: [judge, scenario]
    """
    by = "macro" if bool(judges["macro"].notna().any()) else "accuracy"
    judges = judges[judges[by].notna()].sort_values(by, ascending=False, kind="stable")
    if judges.empty:
        return parts.empty("No score can be held against a vote.", theme, narrow)
    n_all = len(judges)
    judges = judges.head(most) if most else judges
    names = [str(name) for name in judges["judge"]]
    fitted = parts.row_names(names, 128.0 if narrow else 200.0, theme)
    ends = ("macro_lower", "macro_upper") if by == "macro" else ("lower", "upper")
    value, low, high = (parts.numbers(judges, name) for name in (by, *ends))
    each = scenarios[scenarios["judge"].isin(names) & scenarios["accuracy"].notna()]
    strokes = parts.numbers(each, "accuracy")
    known = np.r_[value, low, high, strokes, CHANCE]
    known = known[np.isfinite(known)]
    limits = (max(float(known.min()) - 0.03, -0.01), min(float(known.max()) + 0.03, 1.01))
    drawn, n = marks(names, humans, theme), len(names)
    place = {name: k for k, name in enumerate(names)}
    figure = go.Figure()
    if len(each):
        _strokes(figure, each, strokes, np.array([place[str(name)] for name in each["judge"]]), theme)
    parts.add_intervals(figure, low, high, np.arange(n, dtype=float), [drawn[j].colour for j in names], limits, "x")
    for k, (judge, row) in enumerate(zip(names, judges.to_dict("records"), strict=True)):
        interval = "" if np.isnan(low[k]) else f" [{words.share(low[k])}, {words.share(high[k])}]"
        what = "mean over scenarios" if by == "macro" else "all pairs"
        hover = (f"<b>{written.escape(judge)}</b>: {what}<br>{words.share(value[k])}{interval}<br>"
                 f"{words.plural(int(row['pairs']), 'pair')}")  # fmt: skip
        figure.add_trace(
            go.Scatter(
                x=[value[k]], y=[k], mode="markers", name=judge, showlegend=False, cliponaxis=False, hoverinfo="text",
                marker=parts.marker(drawn[judge], theme, 9), hovertext=[hover], customdata=[[judge, ""]],
            )
        )  # fmt: skip
    left = written.labels_width(fitted, theme.label) + 16
    title = written.wrap(TITLE, parts.WIDTH[narrow] - left - MARGIN, theme.small)
    bottom = parts.axis_height(len(title), theme)
    text = "The line: chance."
    if len(each):
        apart = bool(each["in_distribution"].notna().any())
        text += " Strokes: single scenarios" + (", tall ones out of distribution." if apart else ".")
    if n < n_all:
        text += f" The first {n} of {n_all:,} judges."
    remark, taken = parts.note(text, theme, narrow, left, bottom)
    set_layout(
        figure,
        margin={"l": left, "r": MARGIN, "t": 8, "b": bottom + taken, "pad": 6},
        xaxis=parts.value_axis(limits, title, theme, 5, anchor="y"),
        yaxis=parts.row_axis(n, [one.html for one in fitted], theme, anchor="x"),
        shapes=[*parts.bands(n, theme, [(0.0, 1.0)]), parts.zero_line(n, "x", theme, CHANCE)],
        annotations=[remark],
    )  # fmt: skip
    height = n * parts.row_height(fitted, theme) + 8 + bottom + taken
    said = [f"{name} {words.share(share)}" for name, share in zip(names[:5], value, strict=False)]
    return base(figure, theme, height, f"Accuracy of {words.plural(n_all, 'judge')}: {words.listing(said, 5)}.")


def _strokes(figure: go.Figure, each: pd.DataFrame, at: np.ndarray, rows: np.ndarray, theme: Theme) -> None:
    outside = (each["in_distribution"] == False).fillna(False).to_numpy(dtype=bool)  # noqa: E712  (missing is neither)
    hover = [_stroke(row) for row in each.to_dict("records")]
    for tall in (False, True):
        some = np.flatnonzero(outside == tall)
        if len(some):
            figure.add_trace(
                go.Scatter(
                    x=at[some], y=rows[some], mode="markers", showlegend=False, cliponaxis=False, hoverinfo="text",
                    marker={"symbol": "line-ns-open", "size": 20 if tall else 10, "color": theme.muted,
                            "line": {"width": 1.4}},
                    hovertext=[hover[k] for k in some], name="scenarios",
                    customdata=[[str(each["judge"].iloc[k]), str(each["scenario"].iloc[k])] for k in some],
                )
            )  # fmt: skip


def _stroke(row: dict[Any, Any]) -> str:
    interval = "" if words.absent(row["lower"]) else f" [{words.share(row['lower'])}, {words.share(row['upper'])}]"
    return (
        f"<b>{written.escape(words.shorten(str(row['judge']), 30))}</b><br>{written.escape(str(row['scenario']))}: "
        f"{words.share(row['accuracy'])}{interval}<br>{words.plural(int(row['comparisons']), 'comparison')}"
    )


def _label(row: pd.Series) -> str:
    interval = "" if words.absent(row["lower"]) else f" [{words.share(row['lower'])}, {words.share(row['upper'])}]"
    return f"{words.share(row['agreement'])}{interval}<br>{words.plural(int(row['comparisons']), 'comparison')}"


LABELS = Look(
    value="agreement", thing="band", things="bands", title="share of verdicts for a side that follow the label",
    note="The line: chance. Flip: the fifth of the pairs whose label the scores speak against most; ambiguous: the "
    "next fifth; clean: the rest.",
    alt="Agreement of {judges} with the labels in {things} of margins.", hover=_label, zero=CHANCE, ends=(0.0, 1.0),
    tested=False, sort=False, empty="No other judge has judged these pairs.",
)  # fmt: skip


def bands_chart(
    table: pd.DataFrame, judges: Sequence[str], theme: Theme, *, humans: Collection[str] = (), narrow: bool = False
) -> go.Figure:
    """One row a band of margins: how often judges who had no part in the scores follow the label.

    table : `margin_judges` of the study `reward-models`; judges : those drawn, one or two
    """
    return judge_rows_chart(table, judges, theme, LABELS, humans=humans, narrow=narrow)
