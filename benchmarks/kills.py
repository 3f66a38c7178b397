"""Does an import, or the measuring of texts, that is killed leave the store whole, whenever it is?

A child of the command line imports a CSV with texts into a store that holds another dataset already, and is killed
(`kill -9`): every other time at any moment of its life, the rest inside its transaction, its commit and its close.
Then the store must hold exactly what it held before, or exactly what an undisturbed import makes of it, the next
import must work, and nothing may be left beside the store.

Measuring writes batch by batch, and what was written stays. After a kill each text must have all of its factors or
none, with the values of an undisturbed run, all else must be as it was, and the next run must lead to the same whole.
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
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.worlds import Ratio, Size, counted, write_csv
from data import queries
from data.imports import import_path
from data.store import Store
from studies.extract import extract

ROOT = Path(__file__).resolve().parent.parent
ROWS = 100_000
HELD, NEW, NEXT = "held", "new", "next"
WRITING = 0.6
"""The share of its progress from which on an import writes into the store."""
BATCH = 60
"""Texts that are measured between two writes."""


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


def _start(store: Store, words: Sequence[str], before: str = "") -> subprocess.Popen[str]:
    """A command as a process of its own, which tells its progress line by line. before : Python that runs first"""
    run = f"import sys; sys.path.insert(0, {str(ROOT)!r}); {before}; import cli; sys.argv[0] = 'cli.py'; cli.run()"
    return subprocess.Popen(
        [sys.executable, "-c", run, "--db", str(store.path), *words, "-o", "json"],
        env=os.environ | {"JURYLENS_PROGRESS": "lines"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


@dataclass(frozen=True)
class Import:
    """An import by the command line. writes_from : the share of its progress from which on it writes into the store"""

    store: Store
    path: Path
    writes_from: float = WRITING

    def start(self) -> subprocess.Popen[str]:
        return _start(self.store, ["import", str(self.path), "--dataset", NEW], "pass")


@dataclass(frozen=True)
class Extraction:
    """The measuring of texts by the command line, in small batches, each of which is written."""

    store: Store
    writes_from: float = 0.05

    def start(self) -> subprocess.Popen[str]:
        small = f"from data import text_factors; text_factors.BATCH_TEXTS = {BATCH}"
        return _start(self.store, ["factors", "extract", "--dataset", NEW], small)


Job = Import | Extraction


@dataclass(frozen=True)
class Life:
    """Seconds of an undisturbed import: the whole process, and its writing into the store."""

    whole: float
    writing: float


def live(job: Job) -> Life:
    """Let it run to its end. Raises RuntimeError when it fails."""
    began = time.monotonic()
    with job.start() as child:
        said = _wait_for_writing(child, job.writes_from)
        writing = time.monotonic()
        assert child.stderr is not None
        said += child.stderr.read()
    if child.returncode:
        raise RuntimeError(f"the {type(job).__name__.lower()} failed without being killed: {said}")
    return Life(time.monotonic() - began, time.monotonic() - writing)


def _wait_for_writing(child: subprocess.Popen[str], share: float) -> str:
    """What the child says until it begins to write."""
    assert child.stderr is not None
    said = ""
    for line in child.stderr:
        said += line
        told = line.split()
        if told[:1] == ["progress"] and float(told[1]) >= share:
            break
    return said


def kill(job: Job, life: Life, late: bool, share: float) -> None:
    """Start it and kill it after `share` of its life, or (late) of its writing."""
    with job.start() as child:
        if late:
            _wait_for_writing(child, job.writes_from)
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


Measured = dict[str, dict[str, float | None]]


def measured(store: Store) -> Measured:
    """The values of each measured text, alone and beside its prompt, by factor. Raises ValueError for one twice."""
    found: Measured = defaultdict(dict)
    with store.reading("after the kill") as con:
        rows = con.execute(
            """SELECT t.body, f.name, v.value FROM text_value v JOIN text t USING (text_id) JOIN text_factor f
            USING (text_factor_id) UNION ALL SELECT t.body || chr(31) || q.body, f.name, v.value FROM answer_value v
            JOIN text t USING (text_id) JOIN text q ON q.text_id = v.prompt_text_id
            JOIN text_factor f USING (text_factor_id)"""
        ).fetchall()
    for text, factor, value in rows:
        if factor in found[text]:
            raise ValueError(f"{factor} of {text[:60]!r} stands twice")
        found[text][factor] = value
    return dict(found)


def kill_extractions(times: int, seed: int, rows: int = ROWS // 50) -> list[str]:
    """Kill that many measurings of texts; prints how much was measured then and returns what failed."""
    rng = random.Random(seed)
    failures: list[str] = []
    shares: list[float] = []
    with tempfile.TemporaryDirectory(prefix="jurylens-kill-") as name:
        folder = Path(name)
        first = Store(folder / "first.duckdb")
        import_path(first, write_csv(folder / "new.csv", Size(judgments=rows, models=6)), NEW)
        before = State.of(first)
        undisturbed = Store(folder / "undisturbed.duckdb")
        shutil.copy(first.path, undisturbed.path)
        life = live(Extraction(undisturbed))
        whole = measured(undisturbed)
        for number in range(times):
            home = folder / f"kill-{number}"
            home.mkdir()
            store = Store(home / "store.duckdb")
            shutil.copy(first.path, store.path)
            late = number % 4 != 3
            share = rng.uniform(0, 1.0)
            kill(Extraction(store), life, late, share)
            moment = f"kill {number}, {'late, ' if late else ''}after {share:.2f}"
            try:
                found = measured(store)
                state = State.of(store)
                extract(store, NEW)
                then = measured(store)
            except Exception as error:
                failures.append(f"{moment}: {type(error).__name__}: {error}")
                continue
            shares.append(len(found) / len(whole))
            if state != before:
                failures.append(f"{moment}: the judgments are not as they were")
            other = [text for text, values in found.items() if values != whole.get(text)]
            if other:
                failures.append(f"{moment}: {len(other)} texts have not the values of an undisturbed run")
            if then != whole:
                failures.append(f"{moment}: the next run did not lead to the same whole")
            left = sorted(entry.name for entry in home.iterdir())
            if left != ["store.duckdb", "store.duckdb.gate", "store.duckdb.lock"]:
                failures.append(f"{moment}: something was left beside the store: {left}")
            shutil.rmtree(home)
    some = sum(0 < share < 1 for share in shares)
    print(f"{times} kills of the measuring of {len(whole):,} texts, three in four in the {life.writing:.2f} s in which "
          f"it writes: {some} times some were measured, {shares.count(0.0)} times none")  # fmt: skip
    return failures


def measure(_folder: Path, size: Size) -> list[Ratio]:
    """A hundred kills of either; what failed is printed, and counted as a ratio."""
    n = 2 if size.rounds < 3 else 100
    return [
        counted("killed imports", kill_imports(n, seed=7, rows=ROWS // (10 if n < 100 else 2))),
        counted("killed measurings of texts", kill_extractions(n, seed=7)),
    ]
