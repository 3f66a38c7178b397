"""A result as text: a table for people, JSON, CSV, LaTeX."""

from __future__ import annotations

import io
import json
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from charts import words
from data.imports import neutralise

FORMATS = ("table", "json", "csv", "latex")


def as_json(content: Any) -> str:
    """JSON on one screen; a NaN would be an error here, not a word in the output."""
    return json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False, default=str)


def as_csv(table: pd.DataFrame) -> str:
    """CSV in full precision. Cells that a spreadsheet would run as a formula are led by an apostrophe."""
    safe = table.copy()
    for name in safe.columns:
        if _is_text(safe[name]):
            safe[name] = safe[name].map(neutralise)
    return safe.to_csv(index=False)


_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", words.MINUS: "$-$", "<": "$<$", ">": "$>$", "…": r"\dots{}",
}  # fmt: skip


def _escape(text: str) -> str:
    return "".join(_LATEX.get(c, c) for c in text)


def as_latex(table: pd.DataFrame) -> str:
    """A booktabs table with numbers as people read them."""
    align = "".join("l" if _is_text(table[c]) else "r" for c in table.columns)
    header = [_escape(str(c)) for c in table.columns]
    body = for_people(table).map(_escape)
    return body.to_latex(index=False, escape=False, column_format=align, header=header)


def as_table(table: pd.DataFrame, title: str = "", width: int | None = None) -> str:
    """A table for a terminal."""
    grid = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns:
        justify = "left" if _is_text(table[column]) else "right"
        grid.add_column(str(column).replace("_", " "), justify=justify, overflow="fold")
    for row in for_people(table).itertuples(index=False):
        grid.add_row(*(str(cell) for cell in row))
    target = io.StringIO()
    Console(file=target, width=width or 200, no_color=True, highlight=False, markup=False).print(grid)
    return "\n".join(line.rstrip() for line in target.getvalue().rstrip().splitlines())


def for_people(table: pd.DataFrame) -> pd.DataFrame:
    """The same table with each cell as short text."""
    out = {}
    for column in table.columns:
        decimals = 3 if column == "se" or column.endswith("_se") else 2
        is_p = column in ("p", "q") or column.endswith(("_p", "_q"))
        out[column] = [words.p_value(v) if is_p and not isinstance(v, str) else _cell(v, decimals) for v in table[column]]
    return pd.DataFrame(out, columns=table.columns)


def _cell(value: Any, decimals: int) -> str:
    if isinstance(value, str):
        return words.shorten(value)
    if words.absent(value) or value is pd.NaT:
        return ""
    if isinstance(value, bool) or (hasattr(value, "dtype") and value.dtype.kind == "b"):
        return "yes" if value else "no"
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d %H:%M")
    return words.number(value, decimals)


def _is_text(column: pd.Series) -> bool:
    return column.dtype == object or isinstance(column.dtype, pd.StringDtype)
