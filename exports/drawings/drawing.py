"""What is a drawing? A figure of a study's result that can be made in any theme and width.

A study's drawings are one function here, registered under its command with `drawn`: the page, the command line and the
report ask the same function, so that a figure in a paper is the one that was seen.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, TypeVar

import pandas as pd
import plotly.graph_objects as go

from charts.theme import Mark, Theme, marks
from exports.text import file_word
from studies.factor_options import display
from studies.study import Result

Draw = Callable[[Theme, bool], go.Figure]

FEW = 4
"""Judges of whom each has figures of its own, where nobody has chosen one."""

ROWS = 60
"""Rows that fit on a page of paper; what lies beyond is in the table."""


@dataclass(frozen=True)
class Drawing:
    """One figure of a result.

    name : a word for the file, unique among the result's drawings; table : which of its tables stands behind it
    draw : (theme, narrow) -> figure
    key : drawings of equal keys are alike in the same theme, width and number of decimals; None where nobody has said
        what a drawing rests on (see `keyed`)
    """

    name: str
    draw: Draw
    table: str
    key: Hashable = None


# (result, rows drawn at most; None: as many as fit) -> its figures, the main one first
Drawn = Callable[[Result, int | None], Sequence[Drawing]]
DRAWN: dict[str, Drawn] = {}
F = TypeVar("F", bound=Drawn)


def drawn(command: str) -> Callable[[F], F]:
    """Register how the results of a study are drawn."""

    def known(function: F) -> F:
        DRAWN[command] = function
        return function

    return known


E = TypeVar("E", bound=Callable[..., Drawing])
K = TypeVar("K", bound=Callable[..., Any])


def keyed(function: K) -> K:
    """Give the drawings that a function makes of a result a key: of the function, the answer and all other arguments.

    The function must rest on nothing else. It gives a drawing, several, or None.
    """

    @wraps(function)
    def made(result: Result, *args: Any, **more: Any) -> Any:
        found = function(result, *args, **more)
        if found is None or result.kept_as is None:
            return found
        said = tuple(_as_key(one) for one in (*args, *sorted(more), *(more[name] for name in sorted(more))))
        key = (function.__module__, function.__qualname__, result.kept_as, len(args), said)
        try:
            hash(key)
        except TypeError:
            return found
        if isinstance(found, Drawing):
            return replace(found, key=key)
        return tuple(replace(one, key=(*key, k)) for k, one in enumerate(found))

    return made  # type: ignore[return-value]


def _as_key(value: Any) -> Hashable:
    """An argument as a part of a key: equal for what is drawn alike."""
    if isinstance(value, pd.DataFrame):
        return tuple((name, *value[name].tolist()) for name in value)
    if isinstance(value, (list, tuple)):
        return tuple(_as_key(one) for one in value)
    return frozenset(value) if isinstance(value, (set, frozenset)) else value


def drawn_each(command: str, table: str) -> Callable[[E], E]:
    """Register a drawing of one judge, (result, judge, most) -> drawing, as that of each judge in a table."""

    def known(function: E) -> E:
        def all_of(result: Result, most: int | None) -> Sequence[Drawing]:
            return each(judges_in(result.table(table)), lambda judge: [function(result, judge, most)])

        DRAWN[command] = all_of
        return function

    return known


def rows(n: int, most: int | None) -> int:
    """How many of `n` rows are drawn."""
    return min(n, ROWS if most is None else most)


def judges_in(table: pd.DataFrame) -> list[str]:
    """In the order of the table."""
    return [str(judge) for judge in dict.fromkeys(table["judge"])]


def of_judge(table: pd.DataFrame, judge: str) -> pd.DataFrame:
    return table[table["judge"] == judge].reset_index(drop=True)


def each(judges: Sequence[str], made: Callable[[str], Iterable[Drawing]]) -> tuple[Drawing, ...]:
    """The drawings of the first few judges, with the judge in their names where there are several."""
    found = []
    for judge in judges[:FEW]:
        more = f"-{file_word(judge) or 'judge'}" if len(judges) > 1 else ""
        found += [replace(one, name=one.name + more) for one in made(judge)]
    return tuple(found)


def in_order(drawing: Drawing, judges: tuple[str, ...]) -> Drawing:
    """The same drawing, with judges marked as they are among these unless the theme says an order."""
    draw = drawing.draw

    def ordered(theme: Theme, narrow: bool) -> go.Figure:
        return draw(theme if theme.order else replace(theme, order=judges), narrow)

    return replace(drawing, draw=ordered, key=None if drawing.key is None else (drawing.key, judges))


def mark_of(result: Result, judge: str, theme: Theme) -> Mark:
    """How a judge is marked where it is drawn alone."""
    return marks([judge], result.humans, theme)[judge]


def factor_names(table: pd.DataFrame) -> dict[str, str]:
    """Factor -> what people call it."""
    return {str(factor): display(str(factor)) for factor in table["factor"].unique()}


def reference_of(result: Result) -> str:
    """Who the others are held against."""
    return str(result.settings.get("reference") or result.study.judge[0])
