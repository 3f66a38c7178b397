"""By which steps does a prediction for one pair come about, and how are they written?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from charts import words
from charts.factor_gaps import LOG_ODDS, POINTS

BASE = {POINTS: 50.0, LOG_ODDS: 0.0}
"""Where all ways begin: no preference."""

COLUMN = {POINTS: "points", LOG_ODDS: "log_odds"}


@dataclass(frozen=True)
class Steps:
    """One judge's way. value : (rows,) what each row adds; start, end : (rows,) where its bar begins and points"""

    judge: str
    value: np.ndarray
    start: np.ndarray
    end: np.ndarray
    lower: float
    upper: float
    row: Mapping[Any, Any]

    @property
    def predicted(self) -> float:
        return float(self.end[-1])


@dataclass(frozen=True)
class Way:
    """The steps of all judges. unit : win points, or log-odds where a judge has no win points; shown : factors with a
    row of their own, the largest first; others : those that share one; judges : one each"""

    unit: str
    shown: Sequence[str]
    others: Sequence[str]
    judges: Sequence[Steps]


def find_way(contributions: pd.DataFrame, judges: pd.DataFrame, unit: str, most: int) -> Way:
    """contributions, judges : tables of `factors explain`; most : factors with a row of their own"""
    if contributions["points"].isna().any():
        unit = LOG_ODDS
    names = [str(judge) for judge in judges["judge"]]
    table = _wide(contributions, names, COLUMN[unit])
    size = table.abs().max(axis=1).to_numpy()
    order = [str(f) for f in table.index[np.argsort(-size, kind="stable")]]
    # A single other is named as soon as it would be counted.
    shown, others = (order, []) if len(order) <= most + 1 else (order[:most], order[most:])
    steps = [_steps(table[name], judges.iloc[k], shown, others, unit) for k, name in enumerate(names)]
    return Way(unit, shown, others, steps)


def _wide(contributions: pd.DataFrame, names: Sequence[str], column: str) -> pd.DataFrame:
    """Factor by judge; 0 where a factor is not in a judge's fit."""
    some = contributions[contributions["judge"].isin(names)]
    wide = some.pivot(index="factor", columns="judge", values=column).astype("Float64").astype(float)
    return wide.reindex(index=list(dict.fromkeys(some["factor"])), columns=list(names)).fillna(0.0)


def _steps(values: pd.Series, row: pd.Series, shown: list[str], others: list[str], unit: str) -> Steps:
    value = np.array([*(values[f] for f in shown), *([values[others].sum()] if others else [])], dtype=float)
    end = BASE[unit] + np.cumsum(value)
    lower, upper = float(row["lower"]), float(row["upper"])
    if unit == LOG_ODDS:
        # The interval is that of the expected preference; of the log-odds it is known where ties are not modelled.
        lower = upper = float("nan")
    return Steps(str(row["judge"]), value, np.r_[BASE[unit], end[:-1]], end, lower, upper, row.to_dict())


def verdict_in_words(row: Mapping[Any, Any]) -> str:
    """A (2 of 3 votes), a tie, split, or nothing. row : of the table `judges`"""
    votes, verdict = int(row.get("votes") or 0), row.get("verdict")
    if not votes or words.absent(verdict):
        return "no verdict on this pair"
    named = {"a": "A", "b": "B", "tie": "a tie", "split": "split"}[str(verdict)]
    if votes == 1:
        soft = float(row["share_a"])
        return named if soft in (0.0, 50.0, 100.0) else f"{named} ({words.number(soft, 0)} % for A)"
    if verdict == "split":
        counts = [(int(row["a"]), "A"), (int(row["b"]), "B"), (int(row["tie"]), "tie")]
        return "split: " + ", ".join(f"{k} {side}" for k, side in counts if k)
    return f"{named} ({int(row[str(verdict)]):,} of {votes:,} votes)"


def plain(value: float) -> str:
    """Counts without decimals."""
    return words.number(int(value) if float(value).is_integer() else float(value))


def signed(value: float, unit: str) -> str:
    decimals = 1 if unit == POINTS else 2
    text = words.number(float(value), decimals)
    return f"+{text}" if value > 0 and float(f"{value:.{decimals}f}") > 0 else text
