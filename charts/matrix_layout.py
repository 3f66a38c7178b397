"""How do several matrices with the same rows and columns stand, so that names and numbers can still be read?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from charts import labels as written
from charts.labels import LINE, Label
from charts.rows import WIDTH
from charts.theme import Theme

NUMBERED = 25.0
"""Width of a cell in pixels from which on its signed number fits."""

LEAST = 13.5
"""Width of a cell below which no name that can be read fits above it."""

HEAD_LINE = 1.36
"""Width of a cell in sizes of the type that stands on end above it."""

NAME = 110.0
"""Width of a matrix of several, so that there is room for its name."""

WIDEST = 110.0
"""Width of a cell above which a matrix would be all ground."""

ROW, LARGE_ROW, FEW = 20.0, 26.0, 12
"""Height of a row in pixels, and of one where there are at most so many."""

MOST_ROWS = 15
"""Rows on a phone."""

GAP, TREE = 18.0, 46.0
"""Pixels between two matrices, and those that a tree takes beside them."""

MARGIN = 8.0


@dataclass(frozen=True)
class Layout:
    """Where things stand, in pixels of a figure of the least width.

    rows, columns : places of what is shown, in order; turned : whether rows are what was given as columns
    across : matrices side by side; lines : of them, one above the other
    labels, heads : names of rows and columns; upright : whether heads read from left to right; size : of their type
    row_tree, column_tree : whether there is room for them, and all of their leaves are there
    """

    rows: list[int]
    columns: list[int]
    turned: bool
    across: int
    lines: int
    cell: float
    row: float
    left: float
    labels: list[Label]
    heads: list[Label]
    upright: bool
    size: float
    title: float
    row_tree: bool
    column_tree: bool
    width: float

    def of(self, matrix: np.ndarray) -> np.ndarray:
        """(rows, columns) as given, as what stands in the rows and columns that are shown."""
        return (matrix.T if self.turned else matrix)[np.ix_(self.rows, self.columns)]

    @property
    def numbered(self) -> bool:
        return self.cell >= NUMBERED

    @property
    def over(self) -> float:
        """Pixels that the heads take."""
        if self.upright:
            return max(len(one.lines) for one in self.heads) * self.size * LINE + 10
        return written.labels_width(self.heads, self.size) * 1.05 + 12

    @property
    def plot(self) -> float:
        """Pixels from the left end of the first cell to the right margin."""
        return self.width - self.left - MARGIN

    @property
    def step(self) -> float:
        """Pixels from the top of one line of matrices to that of the next."""
        return len(self.rows) * self.row + GAP + self.title + self.over

    @property
    def height(self) -> float:
        """Pixels of the plot, without what stands above its first cells."""
        tree = TREE if self.column_tree else 0.0
        return (self.lines - 1) * self.step + len(self.rows) * self.row + tree

    def span(self, panel: int) -> tuple[float, float]:
        """Left and right end of a matrix of a line, in shares of the plot's width."""
        start = panel * (self.cell * len(self.columns) + GAP)
        return start / self.plot, (start + self.cell * len(self.columns)) / self.plot

    def stand(self, line: int) -> tuple[float, float]:
        """Lower and upper end of a line of matrices, in shares of the plot's height."""
        top = self.height - line * self.step
        return max((top - len(self.rows) * self.row) / self.height, 0.0), top / self.height


def lay_out(
    rows: Sequence[str], columns: Sequence[str], sizes: tuple[Sequence[float], Sequence[float]], n: int, theme: Theme,
    *, narrow: bool, trees: tuple[bool, bool],
) -> Layout:  # fmt: skip
    """A layout for n matrices. Where not all fits, the rows and columns with the largest values are shown.

    rows, columns : names in their order; sizes : how large the values of each are; trees : whether there are any
    """
    ways = [
        _try(rows, columns, sizes, n, theme, narrow, trees, turned=False),
        _try(columns, rows, (sizes[1], sizes[0]), n, theme, narrow, (trees[1], trees[0]), turned=True),
    ]
    # As much as can be shown; of two that show as much the usual one, factors down and scenarios across.
    return max(ways, key=lambda one: (len(one.rows) * len(one.columns), not one.turned))


def _try(
    rows: Sequence[str], columns: Sequence[str], sizes: tuple[Sequence[float], Sequence[float]], n: int, theme: Theme,
    narrow: bool, trees: tuple[bool, bool], *, turned: bool,
) -> Layout:  # fmt: skip
    down = _largest(sizes[0], MOST_ROWS if narrow else len(rows))
    large = len(down) <= FEW
    size = theme.label if large and not narrow else theme.small
    width = WIDTH[narrow]
    labels = _fit_rows([rows[k] for k in down], narrow, size, len(columns), width, theme)
    left = written.labels_width(labels, size) + 14
    room = width - left - MARGIN
    across, cell = _side_by_side(room, len(columns), n, NUMBERED if narrow else LEAST)
    over = _largest(sizes[1], int(room / (NUMBERED if narrow else LEAST)) if across == 0 else len(columns))
    if across == 0:
        across, cell = 1, room / len(over)
    hidden = (len(down) < len(rows), len(over) < len(columns))
    with_trees = [there and not cut and not narrow for there, cut in zip(trees, hidden, strict=True)]
    if with_trees[0]:
        slim = (room - TREE - (across - 1) * GAP) / (across * len(over))
        # A tree is no reason to leave out numbers or names.
        with_trees[0] = slim >= (NUMBERED if cell >= NUMBERED else LEAST)
        cell = slim if with_trees[0] else cell
    cell = min(cell, WIDEST)
    head_size = min(theme.small, cell / HEAD_LINE)
    heads, upright = _fit_heads([columns[k] for k in over], cell, head_size)
    lines = max(len(one.lines) for one in labels)
    row = max(LARGE_ROW if large else ROW, lines * size * LINE + 4)
    title = theme.label * LINE + 6 if n > 1 else 0.0
    return Layout(
        down, over, turned, across, -(-n // across), cell, row, left, labels, heads, upright, head_size, title,
        with_trees[0], with_trees[1], width,
    )  # fmt: skip


def _largest(sizes: Sequence[float], most: int) -> list[int]:
    """Places of the largest, in the order given."""
    ranked = sorted(range(len(sizes)), key=lambda k: -sizes[k])
    return sorted(ranked[: max(most, 1)])


def _side_by_side(room: float, columns: int, n: int, least: float) -> tuple[int, float]:
    """How many matrices fit side by side, and the width of a cell; none where not even one does."""
    for across in range(n, 0, -1):
        cell = (room - (across - 1) * GAP) / (across * columns)
        if cell >= least and (across == 1 or cell * columns >= NAME):
            return across, cell
    return 0, 0.0


def _fit_rows(names: Sequence[str], narrow: bool, size: float, columns: int, width: float,
    theme: Theme,
) -> list[Label]:  # fmt: skip
    """In one line where that cuts no name, wider where cells stay wide enough; else in two."""
    if narrow:
        return written.fit_labels(names, 150.0 if theme.is_print else 104.0, size, theme.lines)
    for room in (165.0, 240.0):
        labels = written.fit_labels(names, room, size, 1)
        if all(one.lines == (one.full,) for one in labels) and (width - room - 22) / columns >= LEAST:
            return labels
    return written.fit_labels(names, 165.0, size, theme.lines)


def _fit_heads(names: Sequence[str], cell: float, size: float) -> tuple[list[Label], bool]:
    if all(written.widest_part(name, size) <= cell - 4 for name in names):
        return written.fit_labels(names, cell - 4, size, 3), True
    lines = 2 if cell >= 2 * size * HEAD_LINE else 1
    return written.fit_labels(names, 130.0 if lines == 2 else 240.0, size, lines), False
