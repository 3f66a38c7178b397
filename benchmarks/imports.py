"""How long does an import take, held against DuckDB's own reading of the same CSV into a table?

    python -m benchmarks imports [--quick]

Ours reads, checks, matches against the store, commits and closes; DuckDB's `CREATE TABLE AS FROM read_csv(...)`
finds out the dialect and types by itself, writes an own database file and closes it. Both start without a file.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from benchmarks.worlds import DATASET, HEAD, Ratio, Size, interleave, write_csv
from data.imports import import_path
from data.store import Store

PROMISED = 5.0
"""An import takes at most this multiple of DuckDB's reading."""


def read_by_duckdb(path: Path, into: Path) -> int:
    """The CSV as one table of a new database file; the number of its rows."""
    into.unlink(missing_ok=True)
    with duckdb.connect(str(into)) as con:
        con.execute("CREATE TABLE judgments AS FROM read_csv($path)", {"path": str(path)})
        return int(con.execute("SELECT count(*) FROM judgments").fetchall()[0][0])


def import_by_jurylens(path: Path, into: Path) -> int:
    """The CSV as the only dataset of a new store; the number of accepted judgments."""
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir()
    return import_path(Store(into / "store.duckdb"), path, DATASET).accepted


def measure(folder: Path, size: Size) -> list[Ratio]:
    """Print the times of both. Raises RuntimeError when one of them lost a row."""
    path = write_csv(folder / "judgments.csv", size)
    megabytes = path.stat().st_size / 1e6
    print(f"\nImport of a CSV of {size.judgments:,} rows with prompts and texts, {megabytes:,.0f} MB\n")
    print(HEAD, flush=True)
    counted = {"ours": 0, "peer": 0}

    def peer() -> None:
        counted["peer"] = read_by_duckdb(path, folder / "peer.duckdb")

    def ours() -> None:
        counted["ours"] = import_by_jurylens(path, folder / "ours")

    names = ("DuckDB's read_csv into a table of a file", "import, validated and committed")
    theirs, mine = interleave(size.imports, [(names[0], peer), (names[1], ours)], warm=False)
    if counted != {"ours": size.judgments, "peer": size.judgments}:
        raise RuntimeError(f"of {size.judgments} rows there are {counted}")
    print(theirs, mine, sep="\n", flush=True)
    return [Ratio("import / DuckDB's read_csv", mine, theirs, PROMISED)]
