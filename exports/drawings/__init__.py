"""Which figures does a study have? One place that the page, the command line and the report ask."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from exports.drawings.drawing import DRAWN, Draw, Drawing, in_order
from studies.study import Result

__all__ = ["WITHOUT", "Draw", "Drawing", "apart", "drawings", "in_order"]

WITHOUT = {
    "datasets health": "sentences, each with its remedy",
    "examples": "texts to be read",
    "factors decided": "pairs to be read",
    "factors list": "definitions",
    "factors sheet": "a sheet to be filled in",
    "factors table": "the rows of the fit, for other programs",
    "judge-again": "a list of pairs to be judged",
}
"""Studies that are answered by a table alone, and why."""


def drawings(result: Result, most: int | None = None) -> tuple[Drawing, ...]:
    """The figures of a result, the main one first; none where there is nothing to draw.

    most : rows drawn of a long table; None: as many as fit on paper
    """
    # Charts are imported when somebody draws: the command line would wait for them otherwise.
    from exports.drawings import factors, judges, methods, rankings, scenarios  # noqa: F401

    make = DRAWN.get(result.study.command)
    found = tuple(in_order(one, result.study.judge) for one in make(result, most)) if make is not None else ()
    return apart(found)


def apart(found: Sequence[Drawing]) -> tuple[Drawing, ...]:
    """The same with names that are files of their own, also where files differ in capitals alone are one."""
    twice = {name for name, n in Counter(one.name.lower() for one in found).items() if n > 1}
    return tuple(
        replace(one, name=f"{one.name}-{k}") if one.name.lower() in twice else one for k, one in enumerate(found, 1)
    )
