"""Does an import that is killed leave the store as before or after, whenever it is?

A child of the command line imports a CSV with texts into a store that holds another dataset already, and is killed
(`kill -9`): every other time at any moment of its life, the rest inside its transaction, its commit and its close.
Then the store must hold exactly what it held before, or exactly what an undisturbed import makes of it, the next
import must work, and nothing may be left beside the store.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.worlds import Size, write_csv
from data import queries
from data.imports import import_path
from data.store import Store

ROOT = Path(__file__).resolve().parent.parent
ROWS = 100_000
HELD, NEW, NEXT = "held", "new", "next"
WRITING = 0.6
"""The share of its progress from which on an import writes into the store."""


@dataclass(frozen=True)
class State:
    """What the store holds: its datasets, the fingerprint of each with all its judges, and the imports of each."""

    datasets: list[Any]
    fingerprints: dict[str, str]
    imports: dict[str, list[Any]]

    @classmethod
    def of(cls, store: Store) -> State:
        with store.reading("after the kill") as con:
            fingerprints, imports = {}, {}
            for dataset, _ in queries.dataset_names(con):
                names = queries.catalog(con, dataset)
                fingerprints[dataset] = queries.fingerprint(con, names, list(names.judges))
                log = queries.import_log(con, names.dataset_id).drop(columns="imported_at")
                imports[dataset] = log.fillna("").to_dict("records")
            table = queries.dataset_table(con)
        return cls(table.to_dict("records"), fingerprints, imports)


@dataclass(frozen=True)
class Import:
    """An import by the command line, as a process of its own."""

    store: Store
    path: Path

    def start(self) -> subprocess.Popen[str]:
        command = [sys.executable, str(ROOT / "cli.py"), "--db", str(self.store.path), "import", str(self.path)]
        return subprocess.Popen(
            [*command, "--dataset", NEW, "-o", "json"],
            env=os.environ | {"JURYLENS_PROGRESS": "lines"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )


@dataclass(frozen=True)
class Life:
    """Seconds of an undisturbed import: the whole process, and its writing into the store."""

    whole: float
    writing: float


def live(job: Import) -> Life:
    """Let an import run to its end. Raises RuntimeError when it fails."""
    began = time.monotonic()
    with job.start() as child:
        said = _wait_for_writing(child)
        writing = time.monotonic()
        assert child.stderr is not None
        said += child.stderr.read()
    if child.returncode:
        raise RuntimeError(f"the import failed without being killed: {said}")
    return Life(time.monotonic() - began, time.monotonic() - writing)


def _wait_for_writing(child: subprocess.Popen[str]) -> str:
    """What the child says until it begins to write."""
    assert child.stderr is not None
    said = ""
    for line in child.stderr:
        said += line
        told = line.split()
        if told[:1] == ["progress"] and float(told[1]) >= WRITING:
            break
    return said


def kill(job: Import, life: Life, late: bool, share: float) -> None:
    """Start an import and kill it after `share` of its life, or (late) of its writing."""
    with job.start() as child:
        if late:
            _wait_for_writing(child)
        time.sleep(share * (life.writing if late else life.whole))
        child.send_signal(signal.SIGKILL)


def kill_imports(times: int, seed: int, rows: int = ROWS) -> list[str]:
    """Kill that many imports; prints how often each outcome was found and returns what failed."""
    rng = random.Random(seed)
    failures: list[str] = []
    outcomes = {"before": 0, "after": 0}
    with tempfile.TemporaryDirectory(prefix="jurylens-kill-") as name:
        folder = Path(name)
        path = write_csv(folder / "new.csv", Size(judgments=rows, models=30))
        small = write_csv(folder / "small.csv", Size(judgments=500, models=5))
        first = Store(folder / "first.duckdb")
        import_path(first, small, HELD)
        before = State.of(first)
        undisturbed = Store(folder / "undisturbed.duckdb")
        shutil.copy(first.path, undisturbed.path)
        life = live(Import(undisturbed, path))
        if life.writing < 0.02:
            failures.append("no progress told when the import began to write: no kill was aimed at that")
        after = State.of(undisturbed)
        for number in range(times):
            home = folder / f"kill-{number}"
            home.mkdir()
            store = Store(home / "store.duckdb")
            shutil.copy(first.path, store.path)
            late = number % 2 == 1
            share = rng.uniform(0, 1.1 if late else 1.0)
            kill(Import(store, path), life, late, share)
            moment = f"kill {number}, {'late, ' if late else ''}after {share:.2f}"
            try:
                found = State.of(store)
                import_path(store, small, NEXT)
                then = State.of(store)
            except Exception as error:
                failures.append(f"{moment}: {type(error).__name__}: {error}")
                continue
            if found not in (before, after):
                failures.append(f"{moment}: neither before nor after: {found}")
                continue
            outcomes["before" if found == before else "after"] += 1
            if then.fingerprints[NEXT] != found.fingerprints[HELD] or len(then.datasets) != len(found.datasets) + 1:
                failures.append(f"{moment}: the next import made {then.datasets}")
            left = sorted(entry.name for entry in home.iterdir())
            if left != ["store.duckdb", "store.duckdb.gate", "store.duckdb.lock"]:
                failures.append(f"{moment}: something was left beside the store: {left}")
            shutil.rmtree(home)
    print(
        f"{times} kills of an import of {rows:,} rows, half of them in its {life.whole:.2f} s, half in the last "
        f"{life.writing:.2f} s, when it writes: {outcomes['before']} times as before, {outcomes['after']} as after"
    )
    return failures
