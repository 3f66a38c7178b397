"""Which figures of a scenario are drawn, in which units, and in which order?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from charts import rows as parts
from charts import words
from charts.factor_gaps import BEYOND, EVEN, POINTS, as_points
from charts.matrix_cells import signed

AGREEMENT, ORDERS, GAP = "agreement", "orders", "gap"
NAMES = {AGREEMENT: "Agreement", ORDERS: "Order of models"}
ORDER = "most gaps beyond noise first, then least agreement"
"""Of the scenarios, in words."""
Key = tuple[str, str]
"""A kind of figure, and the factor of a gap."""


@dataclass(frozen=True)
class Figures:
    """Figures of one judge, in the units of charts.

    cells : figure, factor, scenario; value, lower, upper, pooled, pooled_lower, pooled_upper; beyond, pooled_beyond;
        own: whether the scenario says something itself
    average : by key, over all scenarios (value, lower, upper); beyond : keys of which the average is beyond noise
    order : of the keys, gaps by how far they stand out
    scenarios : in their order; unit : of gaps; net : whether gaps are net of decisiveness
    """

    cells: pd.DataFrame
    average: Mapping[Key, tuple[float, float, float]]
    beyond: frozenset[Key]
    order: tuple[Key, ...]
    scenarios: tuple[str, ...]
    unit: str
    net: bool = True

    def decimals(self, key: Key) -> int:
        """With which a figure is written in a cell."""
        return {AGREEMENT: 0, ORDERS: 2}.get(key[0], 0 if self.unit == POINTS else 1)

    def text(self, key: Key, value: float) -> str:
        """The number in a cell."""
        if key[0] == GAP:
            return signed(value, self.decimals(key))
        return words.number(value, self.decimals(key))

    def estimate(self, key: Key, value: float, lower: float, upper: float) -> str:
        """A figure with its interval, in words."""
        end = " %" if key[0] == AGREEMENT else ""
        decimals = 1 if key[0] == GAP and self.unit == POINTS else 2
        return words.estimate(value, lower, upper, 0 if key[0] == AGREEMENT else decimals).replace(" [", f"{end} [", 1)

    def in_words(self, key: Key) -> str:
        """What a panel's axis shows."""
        if key[0] == AGREEMENT:
            return "agreeing comparisons, %"
        if key[0] == ORDERS:
            return "Spearman correlation"
        return f"{'net' if self.net else 'plain'} gap, {EVEN if self.unit == POINTS else 'log-odds'}"


def figures_of(
    figures: pd.DataFrame, tests: pd.DataFrame, scenarios: pd.DataFrame, judge: str, unit: str = POINTS,
    net: bool = True,
) -> Figures:  # fmt: skip
    """figures, tests, scenarios : the tables of the study `scenario-matrix`; unit : of gaps; net : of decisiveness"""
    mine = figures[figures["judge"] == judge].reset_index(drop=True)
    kind = mine["figure"].to_numpy()
    out = {name: mine[name].fillna("").astype(str).to_numpy() for name in ("figure", "factor", "scenario")}
    cells = pd.DataFrame(out)
    for name in ("value", "lower", "upper", "pooled", "pooled_lower", "pooled_upper"):
        cells[name] = _in_units(parts.numbers(mine, name), kind, unit)
    cells["own"] = mine["own"].to_numpy(dtype=bool)
    cells["beyond"] = np.nan_to_num(parts.numbers(mine, "q"), nan=1.0) < BEYOND
    cells["pooled_beyond"] = np.nan_to_num(parts.numbers(mine, "pooled_q"), nan=1.0) < BEYOND
    average, beyond = {}, set()
    differ = set()
    for row in tests[tests["judge"] == judge].to_dict("records"):
        ends = [np.nan if words.absent(row[c]) else float(row[c]) for c in ("mean", "mean_lower", "mean_upper")]
        value, low, high = map(float, _in_units(np.array(ends), np.repeat(row["figure"], 3), unit))
        key = (str(row["figure"]), "" if words.absent(row["factor"]) else str(row["factor"]))
        average[key] = (value, low, high)
        if not words.absent(row["mean_q"]) and float(row["mean_q"]) < BEYOND:
            beyond.add(key)
        if not words.absent(row["q"]) and float(row["q"]) < BEYOND:
            differ.add(key)
    listed = tuple(map(str, scenarios.loc[scenarios["judge"] == judge, "scenario"]))
    return Figures(cells, average, frozenset(beyond), _order(cells, average, [*beyond, *differ]), listed, unit, net)


def _in_units(values: np.ndarray, kind: np.ndarray, unit: str) -> np.ndarray:
    out = np.where(kind == AGREEMENT, 100 * values, values)
    return np.where(kind == GAP, as_points(values) - 50, out) if unit == POINTS else out


def _order(
    cells: pd.DataFrame, average: Mapping[Key, tuple[float, float, float]], found: Sequence[Key]
) -> tuple[Key, ...]:
    """Agreement, orders, then factors with the most gaps beyond noise, then the largest.

    found : keys of which something else is beyond noise, their average or how they differ between scenarios
    """
    first = [(name, "") for name in (AGREEMENT, ORDERS) if (cells["figure"] == name).any()]
    gaps = cells[cells["figure"] == GAP]
    counts = gaps.groupby("factor", sort=False)["pooled_beyond"].sum()
    keys = [(GAP, str(name)) for name in counts.index]
    size = {key: abs(np.nan_to_num(average.get(key, (0.0,))[0])) for key in keys}
    return (*first, *sorted(keys, key=lambda key: (-int(counts[key[1]]) - found.count(key), -size[key])))
