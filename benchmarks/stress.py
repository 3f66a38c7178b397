"""Do the leases hold? Threads and a second process read and write one store; and writers are killed in mid-write.

    python benchmarks/stress.py [--seconds 30]      8 reader and 2 writer threads, a second process doing both
    python benchmarks/stress.py --kill 20           that many kill -9 at random moments of a writing process,
                                                    and as many of an import by the command line (benchmarks/kills.py)

Prints what was done and the longest waits; ends with 1 when a read or a write failed, a committed row is missing,
somebody waited longer than `--longest` seconds, or a killed write left something between before and after.

A write adds one batch of rows with one number, spread over two tables that must always agree. So every reader can
tell a half-done write from a whole one, and at the end every batch that was reported as written must be there.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import duckdb  # noqa: E402

from benchmarks.kills import kill_imports  # noqa: E402
from data.store import Store  # noqa: E402

ROWS = 50
"""Rows of one batch in the load test."""


@dataclass
class Tally:
    """What one thread did: leases by kind, their waits in seconds, the batches it wrote, and what went wrong."""

    reads: int = 0
    writes: int = 0
    longest_read_wait: float = 0.0
    longest_write_wait: float = 0.0
    written: list[int] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.reads += other.reads
        self.writes += other.writes
        self.longest_read_wait = max(self.longest_read_wait, other.longest_read_wait)
        self.longest_write_wait = max(self.longest_write_wait, other.longest_write_wait)
        self.written += other.written
        self.errors += other.errors


def prepare(store: Store) -> None:
    """Two tables that every write extends alike."""
    with store.writing("preparing") as connection:
        connection.execute("CREATE TABLE batch (number BIGINT, n INTEGER)")
        connection.execute("CREATE TABLE entry (number BIGINT, i INTEGER, body VARCHAR)")


def write_batch(connection: duckdb.DuckDBPyConnection, number: int, rows: int) -> None:
    """One batch: `rows` entries and the row that counts them."""
    values = {"number": number, "rows": rows}
    connection.execute(
        "INSERT INTO entry SELECT $number, range, md5(range::VARCHAR) || repeat('x', 60) FROM range($rows)", values
    )
    connection.execute("INSERT INTO batch VALUES ($number, $rows)", values)


def check(connection: duckdb.DuckDBPyConnection) -> list[int]:
    """The numbers of the batches. Raises AssertionError when a batch is there in part."""
    rows = connection.execute(
        "SELECT coalesce(b.number, e.number) AS number, b.n, e.n FROM batch b FULL JOIN"
        " (SELECT number, count(*) AS n FROM entry GROUP BY number) e ON b.number = e.number ORDER BY number"
    ).fetchall()
    partial = [row for row in rows if row[1] != row[2]]
    assert not partial, f"batches that are there in part (number, counted, found): {partial[:5]}"
    return [row[0] for row in rows]


def read_once(store: Store, tally: Tally) -> None:
    asked = time.monotonic()
    with store.reading("stress reader") as connection:
        tally.longest_read_wait = max(tally.longest_read_wait, time.monotonic() - asked)
        check(connection)
        with store.reading("nested") as nested:
            nested.execute("SELECT count(*) FROM batch").fetchall()
    tally.reads += 1


def write_once(store: Store, tally: Tally, number: int) -> None:
    asked = time.monotonic()
    with store.writing("stress writer") as connection:
        tally.longest_write_wait = max(tally.longest_write_wait, time.monotonic() - asked)
        write_batch(connection, number, ROWS)
    tally.written.append(number)
    tally.writes += 1


def load(path: Path, seconds: float, readers: int, writers: int, name: int) -> Tally:
    """Read and write without a pause from `readers` + `writers` threads of this process."""
    store = Store(path)
    until = time.monotonic() + seconds
    total = Tally()
    done = threading.Lock()

    def loop(once: Callable[[Tally, int], None], first: int) -> None:
        tally = Tally()
        number = first
        while time.monotonic() < until:
            try:
                once(tally, number)
            except Exception as error:
                tally.errors.append(f"{type(error).__name__}: {error}")
            number += 1
        with done:
            total.add(tally)

    threads = [
        threading.Thread(target=loop, args=(lambda tally, number: read_once(store, tally), 0)) for _ in range(readers)
    ] + [
        threading.Thread(
            target=loop, args=(lambda tally, number: write_once(store, tally, number), (name * 100 + k) * 1_000_000)
        )
        for k in range(writers)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return total


def stress(seconds: float, longest: float) -> list[str]:
    """The load test; prints its tally and returns what failed."""
    with tempfile.TemporaryDirectory(prefix="jurylens-stress-") as folder:
        path = Path(folder) / "stress.duckdb"
        store = Store(path)
        prepare(store)
        command = [sys.executable, __file__, "--peer", str(path), "--seconds", str(seconds)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as peer:
            total = load(path, seconds, readers=8, writers=2, name=1)
            output, _ = peer.communicate(timeout=seconds + 120)
        theirs = Tally(**json.loads(output))
        print(f"this process: {describe(total)}\nsecond process: {describe(theirs)}")
        total.add(theirs)
        with store.reading() as connection:
            there = check(connection)
        left = sorted(entry.name for entry in Path(folder).iterdir())
    failures = total.errors[:10]
    lost = set(total.written) - set(there)
    if lost or len(there) != len(total.written):
        failures.append(f"{len(total.written)} batches were written, {len(there)} are there, {len(lost)} are lost")
    if not (total.reads and total.writes and theirs.reads and theirs.writes):
        failures.append("somebody never had a turn")
    wait = max(total.longest_read_wait, total.longest_write_wait)
    if wait > longest:
        failures.append(f"somebody waited {wait:.1f} s, more than {longest:g} s")
    if left != ["stress.duckdb", "stress.duckdb.gate", "stress.duckdb.lock"]:
        failures.append(f"something was left beside the store: {left}")
    print(
        f"{total.reads / seconds:.0f} reads/s, {total.writes / seconds:.0f} writes/s, {len(there)} batches there, "
        f"longest wait: {total.longest_read_wait:.2f} s to read, {total.longest_write_wait:.2f} s to write"
    )
    return failures


def describe(tally: Tally) -> str:
    return (
        f"{tally.reads} reads, {tally.writes} writes, longest waits {tally.longest_read_wait:.2f} s "
        f"and {tally.longest_write_wait:.2f} s, {len(tally.errors)} errors"
    )


def kill(times: int, seed: int) -> list[str]:
    """Kill a writing process at random moments; prints how often the write was found undone and done."""
    rng = random.Random(seed)
    failures: list[str] = []
    outcomes = {"before": 0, "after": 0}
    with tempfile.TemporaryDirectory(prefix="jurylens-kill-") as folder:
        store = Store(Path(folder) / "kill.duckdb")
        prepare(store)
        known: list[int] = []
        writing = committing = 0.0
        for number in range(times + 1):
            command = [sys.executable, __file__, "--victim", str(store.path), "--number", str(number)]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as victim:
                assert victim.stdout is not None
                victim.stdout.readline()
                began = time.monotonic()
                if number == 0:
                    # The first one lives, to measure how long it writes, and then commits and closes.
                    victim.stdout.readline()
                    writing = time.monotonic() - began
                    victim.wait()
                    committing = time.monotonic() - began - writing
                elif number % 2:
                    time.sleep(rng.uniform(0, writing))
                    victim.send_signal(signal.SIGKILL)
                else:
                    victim.stdout.readline()
                    time.sleep(rng.uniform(0, 1.2 * committing))
                    victim.send_signal(signal.SIGKILL)
            try:
                with store.reading("after the kill") as connection:
                    there = check(connection)
            except Exception as error:
                failures.append(f"kill {number}: {type(error).__name__}: {error}")
                break
            if there == [*known, number]:
                outcomes["after"] += number > 0
            elif there == known:
                outcomes["before"] += 1
            else:
                failures.append(f"kill {number}: batches {there}, expected {known} with or without {number}")
            known = there
        try:
            with store.writing("after all kills") as connection:
                write_batch(connection, times + 1, 10)
            with store.reading() as connection:
                check(connection)
        except Exception as error:
            failures.append(f"writing after the kills: {type(error).__name__}: {error}")
        left = sorted(entry.name for entry in Path(folder).iterdir())
        if left != ["kill.duckdb", "kill.duckdb.gate", "kill.duckdb.lock"]:
            failures.append(f"something was left beside the store: {left}")
    print(
        f"{times} kills, every other one within {committing:.2f} s of committing, the rest in {writing:.2f} s of "
        f"writing before it: {outcomes['before']} times as before, {outcomes['after']} times as after"
    )
    return failures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30, help="length of the load test")
    parser.add_argument("--longest", type=float, default=5, help="the longest wait that is still fine, in seconds")
    parser.add_argument("--kill", type=int, metavar="TIMES", help="kill writers and imports this many times instead")
    parser.add_argument("--seed", type=int, default=0, help="of the moments of the kills")
    parser.add_argument("--peer", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--victim", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--number", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    # Waits are measured below; the log's lines about them would only repeat it.
    logging.getLogger("jurylens.store").setLevel(logging.ERROR)
    if options.peer:
        print(json.dumps(asdict(load(options.peer, options.seconds, readers=2, writers=1, name=2))))
        return 0
    if options.victim:
        with Store(options.victim).writing("victim") as connection:
            print("writing", flush=True)
            for part in range(4):
                write_batch(connection, options.number + part * 10_000_000, 100_000)
            # One batch of the check: the parts become one, so that the commit carries inserts, updates and deletes.
            connection.execute("UPDATE entry SET number = number % 10000000 WHERE number >= 10000000")
            connection.execute("DELETE FROM batch WHERE number >= 10000000")
            connection.execute("UPDATE batch SET n = 400000 WHERE number = $number", {"number": options.number})
            print("committing", flush=True)
        return 0
    if options.kill is None:
        failures = stress(options.seconds, options.longest)
    else:
        failures = kill(options.kill, options.seed) + kill_imports(options.kill, options.seed)
    for failure in failures:
        print("FAILED:", failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
