"""What does a matrix of weights show, in numbers and in words?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from charts import labels as written
from charts import rows as parts
from charts import words
from charts.factor_gaps import POINTS, as_points
from charts.matrix_cells import signed
from charts.matrix_layout import Layout

BEYOND = 0.05
"""q below which a weight is drawn as beyond noise."""

LEAST = {True: 6.0, False: 0.25}
"""What gets the full colour at least, in win points and in log-odds: where all weights are small they look small."""

OUTLYING = 0.975
"""Share of the weights up to which colours grow; beyond, all have the full one."""


@dataclass(frozen=True)
class Figures:
    """Which columns of the table are drawn, and what is said of them. q : '' where noise is not known"""

    value: str
    said: str
    lower: str = ""
    upper: str = ""
    q: str = ""


POOLED = Figures("pooled", "Pooled with the judge's other scenarios.", "pooled_lower", "pooled_upper", "pooled_q")
ALONE = Figures("weight", "Each scenario alone.", "lower", "upper", "q")
PUBLISHED = Figures("weight", "As published, without intervals.")


@dataclass(frozen=True)
class Drawn:
    """The cells of each judge; arrays (judges, factors, scenarios), NaN where nothing is known.

    value : in the unit of the page, 0 for no effect; beyond : noise; limit : what has the full colour
    """

    factors: list[str]
    scenarios: list[str]
    value: np.ndarray
    beyond: np.ndarray
    limit: float
    rows: Mapping[tuple[str, str, str], Mapping[Any, Any]]


def find(weights: pd.DataFrame, judges: Sequence[str], figures: Figures, unit: str) -> Drawn:
    """The cells of these judges. weights : of `factors matrix`"""
    factors, scenarios = (
        [str(name) for name in weights.sort_values(at, kind="stable")[what].drop_duplicates()]
        for what, at in (("factor", "row"), ("scenario", "column"))
    )
    at = [
        weights[what].map({name: k for k, name in enumerate(known)}).to_numpy(dtype=int)
        for what, known in (("judge", judges), ("factor", factors), ("scenario", scenarios))
    ]
    value = np.full((len(judges), len(factors), len(scenarios)), np.nan)
    value[tuple(at)] = parts.numbers(weights, figures.value)
    beyond = np.zeros(value.shape, dtype=bool)
    beyond[tuple(at)] = parts.numbers(weights, figures.q) < BEYOND if figures.q else True
    if unit == POINTS:
        value = as_points(value) - 50
    known = np.abs(value[np.isfinite(value)])
    limit = max(LEAST[unit == POINTS], float(np.quantile(known, OUTLYING)) if len(known) else 0.0)
    rows = {(str(r["judge"]), str(r["factor"]), str(r["scenario"])): r for r in weights.to_dict("records")}
    return Drawn(factors, scenarios, value, beyond, limit, rows)


def hover(
    cell: tuple[str, str, str], row: Mapping[Any, Any] | None, figures: Figures, names: Mapping[str, str]
) -> str:
    """A cell in full. cell : judge, factor, scenario; row : of the table, None where it has none"""
    judge, factor, scenario = (
        written.escape(words.shorten(name)) for name in (cell[0], names.get(cell[1], cell[1]), cell[2])
    )
    head = [f"<b>{factor}</b> in {scenario}", judge]
    if row is None:
        return "<br>".join([*head, "not known"])
    value, low, high = (
        np.nan if words.absent(row.get(column)) else float(row[column])
        for column in (figures.value, figures.lower, figures.upper)
    )
    wins = [float(v) for v in as_points(np.array([value, low, high]))]
    lines = [
        *head, f"wins {words.estimate(wins[0], wins[1], wins[2], 1)} of 100",
        f"weight {words.estimate(value, low, high)}",
    ]  # fmt: skip
    if figures is POOLED:
        alone = words.estimate(row["weight"], row["lower"], row["upper"])
        lines.append(f"alone {alone}" if alone else "alone: not known")
    if figures.q:
        lines.append(words.amounts(pair=int(row["pairs"]), prompt=int(row["prompts"])))
    return "<br>".join(lines)


def note(found: Drawn, place: Layout, figures: Figures, unit: str) -> str:
    """What the looks of the cells mean, and what is not among them."""
    said = [figures.said]
    if unit == POINTS:
        said.append("Wins of 100, above (+) or below (−) 50, with more of the factor and all else equal.")
        fullest = f"{words.number(found.limit, 0)} and more"
    else:
        said.append("Weights in log-odds: + rewarded, − punished.")
        fullest = f"{words.number(found.limit)} and more"
    shown = np.stack([place.of(beyond) for beyond in found.beyond])
    known = np.stack([np.isfinite(place.of(value)) for value in found.value])
    if figures.q and shown.any():
        strong = "Strong and bold" if place.numbered else "Strong and with its sign"
        said.append(f"{strong}: beyond noise (q < {words.fixed(BEYOND)}); pale: within noise.")
    elif figures.q:
        said.append("Pale: none of these is beyond noise.")
    said.append(f"Fullest colour: {fullest}.")
    if not known.all():
        said.append("·: not known.")
    factors, scenarios = (place.columns, place.rows) if place.turned else (place.rows, place.columns)
    counts = [
        f"{len(some):,} of {words.plural(len(every), what)}"
        for some, every, what in ((factors, found.factors, "factor"), (scenarios, found.scenarios, "scenario"))
        if len(some) < len(every)
    ]
    if counts:
        said.append(f"{words.listing(counts)}, those with the largest weights; all are in the table.")
    if len(found.factors) > 2 or len(found.scenarios) > 2:
        trees = "; the sooner two lines of a tree meet, the more alike" * (place.row_tree or place.column_tree)
        said.append(f"Like ones stand together{trees}.")
    return " ".join(said)


def alt(found: Drawn, judges: Sequence[str], names: Mapping[str, str], figures: Figures, unit: str) -> str:
    """The picture in a sentence or two."""
    text = (
        f"Weights of {words.plural(len(found.factors), 'factor')} in {words.plural(len(found.scenarios), 'scenario')} "
        f"by {words.listing(list(judges), 4)}."
    )
    known = np.isfinite(found.value)
    if figures.q:
        n = int(found.beyond.sum())
        text += f" {n:,} of {int(known.sum()):,} {'is' if n == 1 else 'are'} beyond noise."
    size = np.where(known & found.beyond, np.abs(found.value), -1.0).ravel()
    largest = []
    for cell in np.argsort(-size, kind="stable")[:3]:
        if size[cell] > 0:
            j, f, s = map(int, np.unravel_index(int(cell), found.value.shape))
            factor = found.factors[f]
            value = signed(float(found.value[j, f, s]), 0 if unit == POINTS else 2)
            who = f"{judges[j]}, " if len(judges) > 1 else ""
            largest.append(f"{who}{names.get(factor, factor)} in {found.scenarios[s]} ({value})")
    return text + (f" Largest: {words.listing(largest)}." if largest else "")
