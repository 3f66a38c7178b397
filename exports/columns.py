"""Which columns of a result stand in a printed table, and how? An estimate has its interval beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pandas as pd

from charts import words
from exports.text import BOUNDS, IMPLIED, for_people, is_text

INTERVAL = "interval"
"""Ends the name of a column that is made of two others."""


@dataclass(frozen=True)
class Column:
    """One printed column.

    cells : as people read them, not yet escaped; intervals : those that stand in brackets beside the cells, or none
    text : whether it holds words, which may be broken; numbers may not
    """

    heading: str
    cells: tuple[str, ...]
    intervals: tuple[str, ...] = ()
    text: bool = False

    def rows(self, first: int, last: int) -> Column:
        """The same column of some of the rows."""
        return replace(self, cells=self.cells[first:last], intervals=self.intervals[first:last])


def printed(frame: pd.DataFrame, wanted: Mapping[str, str] | None = None) -> list[Column]:
    """The columns of a table.

    wanted : column -> heading; `interval` is made of lower and upper, `share_interval` of share_lower and share_upper.
        Left out: all columns, bounds beside what they bound, without what these say already (standard errors, p)
    """
    text = for_people(frame)
    plan = _all(frame) if wanted is None else _wanted(frame, wanted)
    out = []
    for name, heading, ends in plan:
        if name is None:
            assert ends is not None
            out.append(Column(heading, _intervals(frame, ends)))
            continue
        is_words = is_text(frame[name]) and not _numbers(frame[name])
        out.append(Column(heading, tuple(text[name]), _intervals(frame, ends) if ends else (), is_words))
    # Nothing is known of a column that is empty; beside it the others have more room.
    return [column for column in out if any(column.cells)]


Planned = tuple[str | None, str, tuple[str, str] | None]
"""(the column, its heading, the two that bound it); without a column an interval that stands alone."""


def _wanted(frame: pd.DataFrame, wanted: Mapping[str, str]) -> list[Planned]:
    # A page shows one judge at a time, and no table of scenarios that are asked alone.
    out: list[Planned] = [(name, name, None) for name in ("scenario", "judge")
                          if name in frame and name not in wanted and frame[name].nunique() > 1]  # fmt: skip
    for name, heading in wanted.items():
        if name in frame:
            out.append((name, heading.strip(), None))
        elif name.endswith(INTERVAL):
            lower, upper = (name.removesuffix(INTERVAL) + end for end in ("lower", "upper"))
            if not {lower, upper} <= set(frame.columns):
                continue
            before, said, ends = out[-1] if out else (None, "", None)
            if before is not None and ends is None and _within(frame, before, lower, upper):
                out[-1] = (before, said, (lower, upper))
            else:
                out.append((None, heading.strip(), (lower, upper)))
    return out


def _all(frame: pd.DataFrame) -> list[Planned]:
    names = [str(c) for c in frame.columns]
    bounds: dict[str, tuple[str, str]] = {}
    for name in names:
        for ends in ((f"{name}_lower", f"{name}_upper"), BOUNDS.get(name, ("", "")), ("lower", "upper")):
            free = ends not in bounds.values()
            if free and set(ends) <= set(names) and _within(frame, name, *ends):
                bounds[name] = ends
                break
    gone = {end for ends in bounds.values() for end in ends}
    if bounds:
        gone |= set(IMPLIED) - {"p", "scaled_p"} | {n for n in names if n.endswith("_se")}
        gone |= {p for p, q in (("p", "q"), ("scaled_p", "scaled_q")) if q in names}
    return [(name, name.replace("_", " "), bounds.get(name)) for name in names if name not in gone]


def _within(frame: pd.DataFrame, name: str, lower: str, upper: str) -> bool:
    """Whether these bound that column wherever all three are defined: what they are called says little."""
    three = [pd.to_numeric(frame[c], errors="coerce") for c in (name, lower, upper)]
    told = three[0].notna() & three[1].notna() & three[2].notna()
    value, low, high = (column[told] for column in three)
    return bool(told.any() and (low <= value).all() and (value <= high).all())


def _intervals(frame: pd.DataFrame, ends: tuple[str, str]) -> tuple[str, ...]:
    return tuple(words.interval(low, high) for low, high in zip(frame[ends[0]], frame[ends[1]], strict=True))


def _numbers(column: pd.Series) -> bool:
    """Whether a column of objects holds no words but numbers, or yes and no."""
    return not any(isinstance(value, str) for value in column)
