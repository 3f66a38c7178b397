"""Where in the two answers of a pair does a factor count? At the very places whose number is its value."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from charts import words
from texts.markdown import Span
from texts.reading import Reading
from texts.registry import factors

MARKABLE: Mapping[str, str] = {one.name: one.label for one in factors(of="text") if one.spans is not None}
"""The factors that count something in a text: name -> label."""

COLUMNS = ("pair", "side", "start", "end")


def places(body: str, name: str) -> list[Span]:
    """The half-open ranges of characters of `body` that the factor `name` of MARKABLE counted, ascending and apart."""
    (one,) = factors([name])
    assert one.spans is not None
    return one.spans(Reading(body))


def mark(table: pd.DataFrame, name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table `examples` with `marked_a` and `marked_b`, how many places each answer has (missing where it has no
    text), and the places: a row each of COLUMNS, side a or b, start and end in characters of the response."""
    out = table.copy()
    rows = []
    for side in ("a", "b"):
        counted: list[int | None] = []
        for pair, body in zip(table["pair"], table[f"response_{side}"], strict=True):
            if words.absent(body):
                counted.append(None)
                continue
            spans = places(str(body), name)
            counted.append(len(spans))
            rows += [(int(pair), side, start, end) for start, end in spans]
        out[f"marked_{side}"] = pd.array(counted, dtype="Int64")
    found = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"pair": "int64", "start": "int64", "end": "int64"})
    return out, found
