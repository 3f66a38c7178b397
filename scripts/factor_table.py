"""Writes the table of factors in docs/factors.md from the registry: `python scripts/factor_table.py`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from texts.registry import Factor, factors

PAGE = Path(__file__).parent.parent / "docs" / "factors.md"
BEGIN, END = "<!-- factors -->\n", "<!-- end of factors -->"


def table() -> str:
    """The factors as rows of Markdown."""
    lines = ["| factor | unit | range | what it is | source |", "|---|---|---|---|---|"]
    return "\n".join([*lines, *map(_row, factors())]) + "\n"


def _row(one: Factor) -> str:
    low = "−∞" if one.low is None else f"{one.low:g}"
    high = "∞" if one.high is None else f"{one.high:g}"
    usual = "" if one.usual else " (not in the usual set)"
    marks = "; marked in Examples" if one.spans is not None else ""
    cells = [f"`{one.name}`{usual}", one.unit, f"{low} to {high}{marks}", one.definition, one.source]
    for sign in ("|", "*", "__"):
        cells = [cell.replace(sign, "".join(f"\\{c}" for c in sign)) for cell in cells]
    return f"| {' | '.join(cells)} |"


def page(text: str) -> str:
    """The page with its table as the registry has it."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
