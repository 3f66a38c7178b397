"""Into which periods does a time fall?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

PERIODS = ("auto", "day", "week", "month")

DAYS_IN_WEEKS, DAYS_IN_MONTHS = 21, 120
"""From how many days on weeks, and months, are what a chart has room for."""


def by_period(
    day: NDArray[np.integer], period: str = "auto"
) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """(first day, last day, rows) of each period that has some, in order; days as 2026-01-31.

    day : (n,) days since 1970; weeks begin on Mondays
    """
    if not len(day):
        return
    if period == "auto":
        span = int(np.ptp(day)) + 1
        period = "day" if span < DAYS_IN_WEEKS else "week" if span < DAYS_IN_MONTHS else "month"
    dates = day.astype("datetime64[D]")
    # The first of January 1970 was a Thursday.
    key = day if period == "day" else (day + 3) // 7 if period == "week" else dates.astype("datetime64[M]").astype(int)
    for one in np.unique(key):
        here = key == one
        if period == "month":
            first = np.datetime64(int(one), "M").astype("datetime64[D]")
            last = (np.datetime64(int(one), "M") + 1).astype("datetime64[D]") - 1
        else:
            start = int(one) if period == "day" else int(one) * 7 - 3
            first = np.datetime64(start, "D")
            last = first + (0 if period == "day" else 6)
        yield str(pd.Timestamp(first).date()), str(pd.Timestamp(last).date()), here
