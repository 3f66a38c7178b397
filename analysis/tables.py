"""How are undefined numbers shown? As missing values of their own kind, never as NaN among numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd


def floats(values: Iterable[float | None]) -> pd.Series:
    """A Float64 column in which None and what is not finite is missing (pandas.NA)."""
    plain = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    undefined = ~np.isfinite(plain)
    return pd.Series(pd.arrays.FloatingArray(np.where(undefined, 0.0, plain), undefined))


def integers(values: Sequence[int | None]) -> pd.Series:
    """An Int64 column in which None is missing (pandas.NA)."""
    undefined = np.array([value is None for value in values], dtype=bool)
    plain = np.array([0 if value is None else value for value in values], dtype=np.int64)
    return pd.Series(pd.arrays.IntegerArray(plain, undefined))


def booleans(values: Sequence[bool | None]) -> pd.Series:
    """A boolean column in which None is missing (pandas.NA)."""
    undefined = np.array([value is None for value in values], dtype=bool)
    plain = np.array([bool(value) for value in values], dtype=bool)
    return pd.Series(pd.arrays.BooleanArray(plain, undefined))
