"""Undefined numbers are missing, not NaN."""

import numpy as np
import pandas as pd

from analysis.tables import booleans, floats, integers


def test_undefined_is_missing():
    column = floats([1.5, None, np.nan, np.inf])
    assert column.dtype == "Float64"
    assert column.isna().tolist() == [False, True, True, True]
    assert column[0] == 1.5
    assert all(value is pd.NA for value in column[1:])
    assert integers([3, None]).tolist() == [3, pd.NA]
    assert booleans([True, None, False]).tolist() == [True, pd.NA, False]
    assert floats([]).dtype == "Float64"
