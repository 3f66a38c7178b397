"""How does a table become a CSV that no spreadsheet runs and every reader splits into the same cells?"""

from __future__ import annotations

import csv

import pandas as pd

DANGEROUS = tuple("=+-@\t\r\n＝＋－＠")
"""Begin a formula, or are left out by a spreadsheet before one; of full width to those of East Asia."""


def neutralise(value: object) -> object:
    """A text that begins like a spreadsheet formula, made harmless."""
    if isinstance(value, str) and value.startswith(DANGEROUS):
        return "'" + value
    return value


def is_text(column: pd.Series) -> bool:
    """Whether a column may hold words."""
    return column.dtype == object or isinstance(column.dtype, pd.StringDtype)


def as_csv(table: pd.DataFrame) -> str:
    """CSV in full precision. Cells and headings that a spreadsheet would run as a formula are led by an apostrophe."""
    safe = table.copy()
    returns = False
    for name in safe.columns:
        if is_text(safe[name]) or isinstance(safe[name].dtype, pd.CategoricalDtype):
            cells = safe[name].astype(object).map(neutralise)
            returns |= bool(cells.map(lambda cell: isinstance(cell, str) and "\r" in cell).any())
            safe[name] = cells
    safe.columns = pd.Index([neutralise(name) for name in safe.columns], dtype=object)
    if returns or any("\r" in str(name) for name in safe.columns):
        # Left to itself Python quotes cells with a line feed, but not with a carriage return, which ends a row too.
        return safe.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC)
    return safe.to_csv(index=False)
