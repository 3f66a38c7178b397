"""How does a table of a result get into a paper? As booktabs tables that fit the columns of the page, with notes.

A table that is too wide for one column takes both (`table*`); one too wide for both goes on in a second table with
other columns; one too long for a page goes on in the next ("continued"), since a longtable cannot stand in two columns.
The preamble needs the packages `booktabs` and `array`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from charts import words
from exports import latex_text
from exports.columns import Column, printed
from exports.latex_layout import COLUMN, HEIGHT, PAGE, TYPES, Layout, Type, panels
from exports.latex_text import SENTENCE, breakable, escaped
from studies.study import Result

PACKAGES = ("booktabs", "array")
"""What the preamble of the document must load."""

MOST_TABLES = 12
"""Tables that one may go on in; what is left is in its CSV file."""

MOST_ROWS = 800
"""Rows that are looked at: more than so many tables hold."""

Width = Literal["column", "text"]


def latex_table(
    result: Result, table_name: str | None = None, *, width: Width = "column",
    columns: Mapping[str, str] | None = None, frame: pd.DataFrame | None = None,
) -> str:  # fmt: skip
    """One of a result's tables for a paper: booktabs, with caption, label and notes; ASCII alone.

    table_name : the first if not said; its columns are those that people are shown
    width : one column of the page, where that has room for it, or both (`table*`)
    columns : what is shown instead, column -> heading; frame : the table itself, where only a part of it is printed
    Raises OptionError for a name that the result has no table of.
    """
    first = next(iter(result.tables))
    name = table_name or first
    rows = result.table(name) if frame is None else frame
    if columns is None and name == first:
        columns = _with_names(result, rows, result.study.shown)
    title = result.study.title or result.study.command.capitalize()
    if name != first:
        title += f" ({name.replace('_', ' ')})" if not title.endswith("?") else f" {_sentence(name)}"
    return frame_table(
        rows, title, note=result.caption, label=f"{result.study.command}-{name}", width=width, columns=columns,
        dataset=str(result.settings.get("dataset") or ""), level=float(result.settings.get("level") or 0.95),
    )  # fmt: skip


def _with_names(result: Result, rows: pd.DataFrame, shown: Mapping[str, str] | None) -> Mapping[str, str] | None:
    """Columns of a reference and of a judge under their names, where there is one: a paper's reader knows no other."""
    reference = result.settings.get("reference")
    judges = rows["judge"].unique().tolist() if "judge" in rows else []
    who = {"reference": str(reference)} if reference else {}
    if len(judges) == 1:
        who["judge"] = str(judges[0])
    return shown and {
        column: who.get(heading, heading) if column.endswith(("_ref", "_judge")) else heading
        for column, heading in shown.items()
    }


def frame_table(
    frame: pd.DataFrame, title: str, *, note: str = "", label: str = "", width: Width = "column",
    columns: Mapping[str, str] | None = None, dataset: str = "", level: float = 0.95,
) -> str:  # fmt: skip
    """Any table for a paper. note : sentences that stand below it; level : of the intervals in brackets"""
    whole = len(frame)
    shown = [_told_apart(column) for column in printed(frame.head(MOST_ROWS), columns)]
    if not shown or not whole:
        return f"% {_one_line(title)}: the table has no rows\n"
    group, shown = _grouped(shown)
    said = [note] if note else []
    if dataset and dataset not in note:
        said.append(f"Dataset {dataset}.")
    if any(c.intervals for c in shown) and "interval" not in note:
        said.append(f"In brackets: {words.percent(level)} intervals.")
    if any(latex_text.transliterated(cell) for c in (*shown, *([group] if group else [])) for cell in c.cells):
        said.append("Names in other scripts are transliterated.")
    parts = _parts(panels(shown, width == "text"), group, whole, said)
    key = re.sub(r"[^a-z0-9]+", "-", f"{label or title}".lower()).strip("-")
    out = [f"% Needs \\usepackage{{{','.join(PACKAGES)}}}"]
    out += [_float(part, title, key, continued=k > 0) for k, part in enumerate(parts)]
    return "\n".join(out) + "\n"


def _told_apart(column: Column) -> Column:
    """Names that would be written alike are numbered."""
    if not column.text:
        return column
    written = latex_text.distinct(column.cells)
    return replace(column, cells=tuple(written[cell] for cell in column.cells))


@dataclass(frozen=True)
class Part:
    """One table of those that a long or wide one is printed in: some rows of a layout, below it its notes."""

    layout: Layout
    first: int
    last: int
    group: Column | None
    notes: tuple[str, ...] = ()


def _grouped(columns: list[Column]) -> tuple[Column | None, list[Column]]:
    """A leading column whose names stand in blocks of rows becomes a heading above each block."""
    first, *rest = columns
    changes = sum(a != b for a, b in zip(first.cells, first.cells[1:], strict=False)) + 1
    blocks = first.text and rest and changes == len(set(first.cells)) and len(first.cells) >= 2 * changes
    return (first, rest) if blocks and rest[0].text else (None, columns)


def _parts(layouts: Sequence[Layout], group: Column | None, whole: int, said: list[str]) -> list[Part]:
    """Each layout in as many tables as its rows need, so many rows that there are not too many tables."""
    each = MOST_TABLES // len(layouts) or 1
    below = " ".join(said)
    out: list[Part] = []
    for layout in layouts[:MOST_TABLES]:
        first = 0
        for _ in range(each):
            room = HEIGHT - (_note_height(below, layout) if not out else 0)
            last = _last_row(layout, group, first, room)
            out.append(Part(layout, first, last, group))
            first = last
            if first >= len(layout.columns[0].cells):
                break
    printed_rows = max(part.last for part in out)
    if printed_rows < whole:
        said = [*said, f"The first {printed_rows:,} of {whole:,} rows; its CSV file has all of them."]
    if len(layouts) > MOST_TABLES:
        said = [*said, "Further columns are in its CSV file."]
    return [replace(out[0], notes=tuple(said)), *out[1:]]


def _note_height(text: str, layout: Layout) -> float:
    small = _small(layout)
    return small.line * (2 + small.width(text) / (0.9 * (PAGE if layout.wide else COLUMN)))


def _last_row(layout: Layout, group: Column | None, first: int, room: float) -> int:
    """The row after the last one that has room in a table which starts at `first`."""
    room -= layout.type.line * (4 + max(len(h) for h in layout.headings))
    n = len(layout.columns[0].cells)
    for row in range(first, n):
        # A blank of a third of a line above a group's heading.
        room -= layout.type.line * (layout.lines(row) + (2.3 if _opens(group, row, first) else 0))
        if room < 0 and row > first:
            return row
    return n


def _opens(group: Column | None, row: int, first: int) -> bool:
    return group is not None and (row == first or group.cells[row] != group.cells[row - 1])


def _small(layout: Layout) -> Type:
    return layout.type if layout.type is TYPES[-1] else TYPES[TYPES.index(layout.type) + 1]


def _float(part: Part, title: str, key: str, continued: bool) -> str:
    """A table environment."""
    layout = part.layout
    name = "table*" if layout.wide else "table"
    kind, small = layout.type, _small(layout)
    out = [f"\\begin{{{name}}}[tbp]", r"\centering"]
    if continued:
        out.append(r"\addtocounter{table}{-1}")
    out.append(f"\\caption{{{escaped(title)}{' (continued)' if continued else ''}}}\\vspace{{3pt}}")
    if not continued:
        out.append(f"\\label{{tab:{key}}}")
    out.append(f"\\fontsize{{{kind.size:g}}}{{{kind.line:g}}}\\selectfont\\setlength{{\\tabcolsep}}{{{kind.gap:g}pt}}")
    out.append(f"\\begin{{tabular}}{{@{{}}{_specification(layout)}@{{}}}}")
    out += [r"\toprule", _headings(layout), r"\midrule"]
    for row in range(part.first, part.last):
        if part.group is not None and _opens(part.group, row, part.first):
            out += [r"\addlinespace"] if row > part.first else []
            out.append(_group_heading(part.group.cells[row], layout))
        out.append(_row(layout, row))
    out += [r"\bottomrule", r"\end{tabular}"]
    if part.notes:
        # No line breaks between 70 and %.
        said = re.sub(r"(?<=\d) (?=\\%)", "~", breakable(" ".join(part.notes), SENTENCE))
        out.append(
            f"\\par\\vspace{{3pt}}\\parbox{{\\linewidth}}{{\\raggedright\\fontsize{{{small.size:g}}}"
            f"{{{small.line:g}}}\\selectfont {said}}}"
        )
    return "\n".join([*out, f"\\end{{{name}}}"])


def _specification(layout: Layout) -> str:
    out = []
    for column, width in zip(layout.columns, layout.widths, strict=True):
        if width is not None:
            out.append(f">{{\\raggedright\\arraybackslash}}p{{{width:.1f}pt}}")
        elif column.intervals:
            out.append("r@{ }l")
        else:
            out.append("l" if column.text else "r")
    return "".join(out)


def _headings(layout: Layout) -> str:
    cells = []
    for column, width, lines in zip(layout.columns, layout.widths, layout.headings, strict=True):
        side = "l" if column.text or column.intervals else "r"
        text = r"\\".join(escaped(line) for line in lines)
        if len(lines) > 1:
            text = f"\\begin{{tabular}}[b]{{@{{}}{side}@{{}}}}{text}\\end{{tabular}}"
        if column.intervals:
            text = f"\\multicolumn{{2}}{{c{'@{}' if column is layout.columns[-1] else ''}}}{{{text}}}"
        cells.append(text if width is None or len(lines) == 1 else f"{text}")
    return " & ".join(cells) + r" \\"


def _row(layout: Layout, row: int) -> str:
    cells = []
    for column, width in zip(layout.columns, layout.widths, strict=True):
        cells.append(breakable(column.cells[row]) if width is not None else escaped(column.cells[row]))
        if column.intervals:
            cells.append(escaped(column.intervals[row]))
    line = " & ".join(cells)
    # After a line's end LaTeX would take either as an option of that end.
    return ("{}" if line.startswith(("[", "*")) else "") + line + r" \\"


def _group_heading(name: str, layout: Layout) -> str:
    n = len(layout.columns) + sum(bool(c.intervals) for c in layout.columns)
    fits = 1.1 * layout.type.width(name) <= layout.total
    text = escaped(name) if fits else breakable(name)
    how = "l" if fits else f">{{\\raggedright\\arraybackslash}}p{{{layout.total:.1f}pt}}"
    return f"\\multicolumn{{{n}}}{{@{{}}{how}@{{}}}}{{\\textit{{{text}}}}} \\\\"


def _sentence(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _one_line(text: str) -> str:
    return escaped(text).replace("\n", " ")
