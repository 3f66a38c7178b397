"""How is a row labelled that stands for two models? One name above the other, joined by a word."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from charts import labels as written
from charts import rows as parts
from charts.theme import Theme


@dataclass(frozen=True)
class PairLabels:
    """texts : in plotly's markup; width, height : pixels that the widest takes, and a row for the one of most lines"""

    texts: tuple[str, ...]
    width: float
    height: float


def pair_labels(
    one: Iterable[object], two: Iterable[object], joint: str, theme: Theme, narrow: bool,
    labels: Mapping[str, str] | None = None, below: Sequence[str] | None = None,
) -> PairLabels:  # fmt: skip
    """Labels of the rows "one, joint two". labels : display names of models; below : a muted name more a row"""
    names = labels or {}
    width = 150.0 if narrow else 240.0
    if theme.is_print and narrow:
        width = 120.0
    beside = written.text_width(f"{joint} ", theme.label)
    upper = _fitted([names.get(str(a), str(a)) for a in one], width, theme)
    lower = _fitted([names.get(str(b), str(b)) for b in two], width - beside, theme)
    third = _fitted(below or [], width, theme)
    texts = [
        f'{a.html}<br><span style="color:{theme.muted}">{joint}\u00a0</span>{b.html}'
        for a, b in zip(upper, lower, strict=True)
    ]
    if third:
        texts = [
            f'{text}<br><span style="color:{theme.muted};font-size:{theme.small}px">{one.html}</span>'
            for text, one in zip(texts, third, strict=True)
        ]
    widest = max(
        written.labels_width(upper, theme.label), beside + written.labels_width(lower, theme.label),
        written.labels_width(third, theme.small),
    )  # fmt: skip
    most = max((1 + text.count("<br>") for text in texts), default=0)
    return PairLabels(tuple(texts), widest, theme.label * written.LINE * most + 8)


def _fitted(names: Sequence[str], width: float, theme: Theme) -> list[written.Label]:
    return parts.row_names(names, width, theme) if theme.is_print else written.fit_labels(names, width, theme.label, 1)
