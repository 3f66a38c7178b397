"""Writes docs/statistics.md's tables from the glossary: `python -m scripts.statistics_table`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from studies import glossary_factors, glossary_judges, glossary_rankings
from studies.glossary import ENTRIES, Entry

PAGE = Path(__file__).parent.parent / "docs" / "statistics.md"
BEGIN, END = "<!-- statistics -->\n", "<!-- end of statistics -->"

FAMILIES = {
    "Models, orders, and what they rest on": glossary_rankings.ENTRIES,
    "Factors and their weights": glossary_factors.ENTRIES,
    "Judges: agreement, biases, calibration": glossary_judges.ENTRIES,
}


def tables() -> str:
    """A table a family, a row a statistic."""
    out = []
    for title, entries in FAMILIES.items():
        out += [f"## {title}", "", "| column | what it is | when not to trust it | source |", "|---|---|---|---|"]
        out += [_row(keys.split("; ")) for keys in entries]
        out.append("")
    return "\n".join(out)


def _row(keys: Iterable[str]) -> str:
    keys = list(keys)
    found: Entry = ENTRIES[keys[0]]
    cells = [", ".join(map(_name, keys)), found.says, found.beware, found.source]
    return "| " + " | ".join(cells) + " |"


def _name(key: str) -> str:
    column, _, heading = key.partition("|")
    return f"`{column}`" + (f" (*{heading}*)" if heading and heading != column else "")


def page(text: str) -> str:
    """The page with its tables as the glossary has them."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + tables() + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
