"""How is a row labelled that stands for two models? One name above the other, joined by a word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from charts import labels as written
from charts.theme import Theme


@dataclass(frozen=True)
class PairLabels:
    """texts : in plotly's markup, two lines each; width : pixels that the widest takes"""

    texts: tuple[str, ...]
    width: float


def pair_labels(
    one: Iterable[object], two: Iterable[object], joint: str, theme: Theme, narrow: bool,
    labels: Mapping[str, str] | None = None,
) -> PairLabels:  # fmt: skip
    """Labels of the rows "one, joint two". labels : display names of models"""
    names = labels or {}
    width = 150.0 if narrow else 240.0
    beside = written.text_width(f"{joint} ", theme.label)
    upper = written.fit_labels([names.get(str(a), str(a)) for a in one], width, theme.label, 1)
    lower = written.fit_labels([names.get(str(b), str(b)) for b in two], width - beside, theme.label, 1)
    texts = [
        f'{a.html}<br><span style="color:{theme.muted}">{joint}\u00a0</span>{b.html}'
        for a, b in zip(upper, lower, strict=True)
    ]
    widest = max(written.labels_width(upper, theme.label), beside + written.labels_width(lower, theme.label))
    return PairLabels(tuple(texts), widest)


def row_height(theme: Theme) -> float:
    """Pixels of a row with a label of two lines."""
    return theme.label * written.LINE * 2 + 8
