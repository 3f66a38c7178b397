"""Which importer reads a given path?

An importer is a module with a docstring (what it reads, where the format is defined, whether it records the shown
order), `NAME`, `sniff(path) -> bool` and `load(path, con, workdir, progress) -> RawTable`, which fills the table
`raw` of a staging connection with text columns. It touches neither the store nor the screen.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import duckdb

from data.importers import (
    alpaca_eval,
    annotated_pairs,
    auto_j,
    chatbot_arena,
    factor_weights,
    factors,
    gair,
    helpsteer2,
    judgments,
    labels,
    llm_comparator,
    llmbar,
    llmfao,
    mtbench_alt_test,
    pandalm,
)
from data.importers.table import RawTable
from data.model import Progress
from errors import FileError, OptionError, nearest


class Importer(Protocol):
    NAME: str

    def sniff(self, path: Path) -> bool: ...

    def load(self, path: Path, con: duckdb.DuckDBPyConnection, workdir: Path, progress: Progress) -> RawTable: ...


# Special formats first: the general one reads any table and so must be asked last.
IMPORTERS: tuple[Importer, ...] = (
    llmfao, alpaca_eval, auto_j, gair, pandalm, mtbench_alt_test, llmbar, chatbot_arena,
    helpsteer2, annotated_pairs, llm_comparator, factors, labels, factor_weights, judgments,
)  # fmt: skip


def names() -> tuple[str, ...]:
    return tuple(i.NAME for i in IMPORTERS)


def choose(path: Path, name: str | None = None) -> Importer:
    """The importer called `name`, or the one that recognises a single file. Folders need a name."""
    if name is not None:
        for importer in IMPORTERS:
            if name == importer.NAME:
                return importer
        near = nearest(name, names())
        raise OptionError(
            f"--as {name}: there is no such format" + (f"; did you mean {near[0]!r}?" if near else "")
            + ". Formats: " + ", ".join(names())
        )  # fmt: skip
    if path.is_dir():
        likely = [i.NAME for i in IMPORTERS if i.NAME != judgments.NAME and i.sniff(path)]
        hint = f" It looks like {likely[0]}: --as {likely[0]}" if likely else ""
        raise FileError(f"{path.name} is a folder: say what it holds with --as, one of {', '.join(names())}.{hint}")
    for importer in IMPORTERS:
        if importer.NAME != judgments.NAME and importer.sniff(path):
            return importer
    return judgments


_WITH_SHEETS = (judgments, factors, labels, factor_weights)


def load(
    importer: Importer,
    path: Path,
    con: duckdb.DuckDBPyConnection,
    workdir: Path,
    progress: Progress,
    sheet: str | None = None,
) -> RawTable:
    """`importer.load`, of a workbook one sheet by its name. Raises OptionError for a format that reads no workbooks."""
    if sheet is None:
        return importer.load(path, con, workdir, progress)
    for reader in _WITH_SHEETS:
        if reader.NAME == importer.NAME:
            raw: RawTable = reader.load(path, con, workdir, progress, sheet)
            return raw
    raise OptionError(f"--set sheet={sheet}: files of the format {importer.NAME} have no sheets")
