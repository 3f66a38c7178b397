"""A result as text: a table for people, JSON, CSV. LaTeX: exports/latex.py."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pandas as pd
from anyascii import anyascii
from rich import box
from rich.console import Console
from rich.table import Table

from charts import words
from data.safe_csv import as_csv as as_csv
from data.safe_csv import is_text

FORMATS = ("table", "json", "csv", "latex")


def as_json(content: Any) -> str:
    """JSON on one screen; a NaN would be an error here, not a word in the output."""
    return json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False, default=str)


def file_word(name: str, most: int = 40) -> str:
    """A name as part of a file's: letters, digits, `_` and `-` of ASCII, as file systems, archives and LaTeX take them.

    No dots: LaTeX's older graphics packages take what follows the first one for the kind of the file.
    """
    return re.sub(r"[^A-Za-z0-9_]+", "-", anyascii(name)).strip("-")[:most].rstrip("-")


def as_table(table: pd.DataFrame, title: str = "", width: int | None = None) -> str:
    """A table for a terminal."""
    table = _merged(table)
    grid = Table(title=title or None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in table.columns:
        title = str(column).replace("_", " ")
        left = column not in BOUNDS and is_text(table[column])
        grid.add_column(title, justify="left" if left else "right", overflow="fold", no_wrap=column in BOUNDS)
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
        is_p = column in P_VALUES or str(column).endswith(("_p", "_q"))
        if is_p:
            out[column] = [words.p_value(v) for v in table[column]]
        elif column in AMOUNTS:
            out[column] = [_cell(v, decimals) if isinstance(v, str) else words.amount(v) for v in table[column]]
        else:
            out[column] = [_cell(v, decimals) for v in table[column]]
    return pd.DataFrame(out, columns=table.columns)


# Of tests. Columns like p_flip and p_best are chances, which do come near 0 and are none the surer for it.
P_VALUES = ("p", "q", "p_holm", "p_clustered", "p_naive", "p_lower", "p_no_ties", "q_no_ties")

# What responses have of a factor: of most a count.
AMOUNTS = ("a", "b")

# Estimate -> its bounds, which join it where people read.
BOUNDS = {
    "strength": ("lower", "upper"), "gap": ("lower", "upper"), "rank": ("rank_lower", "rank_upper"),
    "gap_scaled": ("scaled_lower", "scaled_upper"), "spearman": ("spearman_lower", "spearman_upper"),
    "kendall": ("kendall_lower", "kendall_upper"), "scale": ("scale_lower", "scale_upper"),
    "position": ("position_lower", "position_upper"), "strength_ref": ("lower_ref", "upper_ref"),
    "strength_judge": ("lower_judge", "upper_judge"), "win_rate": ("lower", "upper"),
    "lc_win_rate": ("lc_lower", "lc_upper"), "weight": ("lower", "upper"),
    **{name: (f"{name}_lower", f"{name}_upper") for name in
       ("raw", "raw_rank", "controlled", "controlled_rank", "change", "effect")},
}  # fmt: skip
# What an interval and a q already say.
IMPLIED = ("se", "p", "scaled_se", "scaled_p", "position_se", "log_likelihood", "separated_replicates",
            "raw_se", "controlled_se", "change_se", "lc_se", "length_se")  # fmt: skip


def _merged(table: pd.DataFrame) -> pd.DataFrame:
    """Estimate and bounds as one column: .73 [.56, .79]. For terminals; files keep them apart."""
    out = table.copy()
    for name, (lower, upper) in BOUNDS.items():
        if not {name, lower, upper} <= set(out.columns):
            continue
        cells = zip(out[name], out[lower], out[upper], strict=True)
        out[name] = pd.Series([words.estimate(*cell) for cell in cells], dtype=object, index=out.index)
        out = out.drop(columns=[lower, upper])
    if len(out.columns) < len(table.columns):
        out = out.drop(columns=[c for c in IMPLIED if c in out.columns])
    return out


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
