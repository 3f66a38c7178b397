"""Which of many p-values still say something when all of them were looked at?

An undefined p-value (NaN) is no test: it stays undefined and is not counted.
"""

from __future__ import annotations

import numpy as np

from analysis.cells import Floats


def adjust_bh(p: Floats) -> Floats:
    """(n,) q-values that control the false discovery rate (Benjamini and Hochberg 1995)."""
    return _step_up(p, 1.0)


def adjust_by(p: Floats) -> Floats:
    """(n,) q-values that control the false discovery rate however tests depend (Benjamini and Yekutieli 2001)."""
    n = np.count_nonzero(~np.isnan(p))
    return _step_up(p, float((1 / np.arange(1, n + 1)).sum()))


def adjust_holm(p: Floats) -> Floats:
    """(n,) p-values that control the chance of any false finding (Holm 1979)."""
    adjusted = np.array(p, dtype=np.float64)
    order = _ascending(adjusted)
    raised = adjusted[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return adjusted


def _step_up(p: Floats, factor: float) -> Floats:
    adjusted = np.array(p, dtype=np.float64)
    order = _ascending(adjusted)
    n = len(order)
    raised = adjusted[order] * factor * n / np.arange(1, n + 1)
    # The smallest of this and all larger p-values, so that q rises with p.
    adjusted[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0)
    return adjusted


def _ascending(p: Floats) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    defined = np.flatnonzero(~np.isnan(p))
    return np.asarray(defined[np.argsort(p[defined], kind="stable")], dtype=np.int64)
