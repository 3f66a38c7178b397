"""Leases: readers together, a writer alone, nobody starved, and a sentence for whoever waits."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks import stress
from data.store import Store
from errors import StoreBusyError, StoreError

ROOT = Path(__file__).resolve().parent.parent
ALARM = 20.0
"""Seconds after which a test counts as hanging: many times what a loaded machine needs."""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "s.duckdb")
    with store.writing("setting up") as connection:
        connection.execute("CREATE TABLE entry (who VARCHAR, n INTEGER)")
    return store


def add(store: Store, who: str, n: int) -> None:
    with store.writing(f"adding {who}") as connection:
        connection.execute("INSERT INTO entry VALUES ($who, $n)", {"who": who, "n": n})


def count(store: Store) -> int:
    with store.reading("counting") as connection:
        return int(connection.execute("SELECT count(*) FROM entry").fetchall()[0][0])


def in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[BaseException]]:
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, failures


@contextmanager
def held(lease: Callable[[], object]) -> Iterator[None]:
    """Another thread holds a lease for the length of the block."""
    taken, free = threading.Event(), threading.Event()

    def hold() -> None:
        with lease():  # type: ignore[attr-defined]
            taken.set()
            free.wait(ALARM)

    thread, failures = in_thread(hold)
    assert taken.wait(ALARM), failures
    try:
        yield
    finally:
        free.set()
        thread.join(ALARM)
        assert not thread.is_alive()
        assert not failures


@contextmanager
def process(store: Store, body: str) -> Iterator[subprocess.Popen[str]]:
    """A second process with `store`, which has printed its first line; its standard input ends the wait in `body`."""
    script = f"import sys, os, time\nfrom data.store import Store\nstore = Store({str(store.path)!r})\n{body}"
    child = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with child:
        assert child.stdout is not None
        assert child.stdout.readline().strip() == "ready"
        try:
            yield child
        finally:
            child.kill()


HOLD_WRITE = "with store.writing('their import') as c:\n print('ready', flush=True); sys.stdin.readline()"
HOLD_READ = "with store.reading('their ranking') as c:\n print('ready', flush=True); sys.stdin.readline()"


def test_readers_read_at_the_same_time_in_threads_and_processes(store: Store) -> None:
    impatient = Store(store.path, patience=0)
    with held(lambda: store.reading("one")), process(store, HOLD_READ), impatient.reading("three") as connection:
        assert connection.execute("SELECT count(*) FROM entry").fetchall() == [(0,)]


def test_a_writer_waits_for_a_reader_of_this_process(store: Store) -> None:
    with held(lambda: store.reading("ranking")):
        thread, failures = in_thread(lambda: add(store, "writer", 1))
        thread.join(0.2)
        assert thread.is_alive()
    thread.join(ALARM)
    assert not failures
    assert count(store) == 1


def test_a_writer_waits_for_a_reader_of_another_process(store: Store) -> None:
    with process(store, HOLD_READ) as child:
        thread, failures = in_thread(lambda: add(store, "writer", 1))
        thread.join(0.2)
        assert thread.is_alive()
        child.communicate("go\n", timeout=ALARM)
        thread.join(ALARM)
    assert not failures
    assert count(store) == 1


def test_a_reader_waits_for_a_writer_and_sees_what_it_wrote(store: Store) -> None:
    seen: list[int] = []
    with store.writing("import") as connection:
        thread, failures = in_thread(lambda: seen.append(count(store)))
        thread.join(0.2)
        assert thread.is_alive()
        connection.execute("INSERT INTO entry VALUES ('x', 1)")
    thread.join(ALARM)
    assert not failures
    assert seen == [1]


def test_a_new_reader_does_not_overtake_a_waiting_writer(store: Store) -> None:
    """The gate: with readers that come and go without a gap the writer would wait for ever."""
    with held(lambda: store.reading("long")):
        writer, _ = in_thread(lambda: add(store, "writer", 1))
        time.sleep(0.2)
        with pytest.raises(StoreBusyError), Store(store.path, patience=0.2).reading("late"):
            pass
    writer.join(ALARM)
    assert count(store) == 1


def test_a_nested_reading_joins_its_lease_although_a_writer_waits(store: Store) -> None:
    with store.reading("outer") as outer:
        writer, failures = in_thread(lambda: add(store, "writer", 1))
        time.sleep(0.2)
        with Store(store.path, patience=0.2).reading("inner") as inner:
            assert inner is not outer
            assert inner.execute("SELECT count(*) FROM entry").fetchall() == [(0,)]
        assert outer.execute("SELECT count(*) FROM entry").fetchall() == [(0,)]
        assert writer.is_alive()
    writer.join(ALARM)
    assert not failures
    assert count(store) == 1


def test_reading_inside_writing_sees_what_is_being_written(store: Store) -> None:
    with store.writing("import") as connection:
        connection.execute("INSERT INTO entry VALUES ('x', 1)")
        assert count(store) == 1
        with Store(store.path).reading() as same:
            assert same is connection


def test_writing_inside_reading_is_refused_at_once(store: Store) -> None:
    started = time.monotonic()
    with store.reading("ranking"), pytest.raises(StoreError, match=r"'import' wants to write .*finish reading first"):  # noqa: SIM117
        with store.writing("import"):
            pass
    assert time.monotonic() - started < 1
    add(store, "afterwards", 1)


def test_writing_inside_writing_is_refused_and_does_not_end_the_outer_one(store: Store) -> None:
    with store.writing("outer") as connection:
        connection.execute("INSERT INTO entry VALUES ('outer', 1)")
        with pytest.raises(StoreError, match="while this thread writes it"), Store(store.path).writing("inner"):
            pass
        connection.execute("INSERT INTO entry VALUES ('outer', 2)")
    assert count(store) == 2


def test_a_busy_store_ends_the_wait_with_who_holds_it(store: Store) -> None:
    impatient = Store(store.path, patience=0.1)
    with held(lambda: store.writing("big import")):
        with (
            pytest.raises(StoreBusyError, match=r"reading 'rank' waited .* writing 'big import' \(in this process"),
            impatient.reading("rank"),
        ):
            pass
        with pytest.raises(StoreBusyError, match=r"writing 'undo' waited .* 'big import'"), impatient.writing("undo"):
            pass
    with (
        held(lambda: store.reading("slow page")),
        pytest.raises(StoreBusyError, match=r"for reading in this process: 'slow page'"),
        impatient.writing("undo"),
    ):
        pass
    assert count(store) == 0


def test_a_busy_store_names_the_other_process(store: Store) -> None:
    impatient = Store(store.path, patience=0.1)
    with (
        process(store, HOLD_WRITE) as child,
        pytest.raises(StoreBusyError, match=f"'their import' \\(in process {child.pid}, since"),
        impatient.reading(),
    ):
        pass
    with process(store, HOLD_READ), pytest.raises(StoreBusyError, match="readers in another process"):  # noqa: SIM117
        with impatient.writing():
            pass
    assert count(store) == 0


def test_a_wait_of_a_second_is_logged_once_with_both_names(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.WARNING, "jurylens.store"),
        held(lambda: store.writing("big import")),
        pytest.raises(StoreBusyError),
        Store(store.path, patience=1.3).reading("rank"),
    ):
        pass
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "reading 'rank' has been waiting 1." in record.getMessage()
    assert "'big import'" in record.getMessage()


def test_a_killed_writer_frees_the_store(store: Store) -> None:
    with process(store, HOLD_WRITE) as child:
        child.kill()
        child.wait(ALARM)
        add(store, "survivor", 1)
    assert count(store) == 1


def test_two_paths_to_one_file_are_one_store(store: Store, tmp_path: Path) -> None:
    link = tmp_path / "link.duckdb"
    link.symlink_to(store.path)
    with store.reading(), pytest.raises(StoreError, match="finish reading first"), Store(link).writing():
        pass


def test_a_stream_that_leaves_its_lease_is_an_error_and_blocks_nobody_for_ever(store: Store) -> None:
    with store.writing() as connection:
        connection.execute("INSERT INTO entry SELECT 'x', range FROM range(300000)")
    escaped = []
    with pytest.raises(StoreError, match="'leak' left a stream open"), store.reading("leak") as connection:
        escaped.append(connection.sql("SELECT * FROM entry").to_arrow_reader(1000))
    impatient = Store(store.path, patience=0.3)
    with pytest.raises(StoreBusyError, match="held by a stream"), impatient.writing():
        pass
    with pytest.raises(StoreBusyError, match="held by a stream"), impatient.reading():
        pass
    escaped.clear()
    add(store, "afterwards", 1)
    assert count(store) == 300_001


def test_a_stream_left_open_by_a_stopped_reader_is_waited_for(store: Store) -> None:
    """The usual way to leave a stream open: the user stops the work while it streams."""
    with store.writing() as connection:
        connection.execute("INSERT INTO entry SELECT 'x', range FROM range(300000)")

    def stopped() -> None:
        with store.reading("fit") as connection:
            stream = connection.sql("SELECT * FROM entry").to_arrow_reader(1000)
            stream.read_next_batch()
            raise KeyboardInterrupt

    stops: list[KeyboardInterrupt] = []
    try:
        stopped()
    except KeyboardInterrupt as error:
        # Its traceback holds the frame, and the frame the stream.
        stops.append(error)
    forget = threading.Timer(0.3, stops.clear)
    forget.start()
    assert stops
    add(store, "afterwards", 1)
    assert not stops
    forget.join(ALARM)
    assert count(store) == 300_001


def test_a_stream_left_open_while_writing_writes_nothing(store: Store) -> None:
    streams = []

    def leak() -> None:
        with store.writing("leak") as connection:
            connection.execute("INSERT INTO entry SELECT 'x', range FROM range(300000)")
            streams.append(connection.sql("SELECT * FROM entry").to_arrow_reader(1000))

    with pytest.raises(StoreError, match="nothing was written"):
        leak()
    with pytest.raises(StoreBusyError, match="held by a stream"), Store(store.path, patience=0.3).writing():
        pass
    streams.clear()
    assert count(store) == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_does_not_prolong_the_lease_of_a_killed_parent(store: Store) -> None:
    """A copy of the lock's handle in the child would keep the store closed for as long as the child lives."""
    body = (
        "with store.writing('parent') as c:\n"
        "    child = os.fork()\n"
        "    if child == 0: time.sleep(60); os._exit(0)\n"
        "    print('ready', flush=True); print(child, flush=True); sys.stdin.readline()"
    )
    with process(store, body) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        try:
            parent.kill()
            add(Store(store.path, patience=2), "survivor", 1)
        finally:
            os.kill(child, 9)
    assert count(store) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("inside", [True, False])
def test_a_child_forked_inside_a_lease_is_told_to_fork_outside(store: Store, inside: bool) -> None:
    def fork() -> int:
        child = os.fork()
        if child:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        code = 5
        try:
            count(Store(store.path, patience=2))
            code = 0
        except StoreError as error:
            code = 3 if "fork outside the lease" in str(error) else 4
        finally:
            os._exit(code)

    if inside:
        with store.reading("parent"):
            assert fork() == 3
    else:
        assert fork() == 0


def test_a_loop_of_writes_in_another_process_lets_readers_in(store: Store) -> None:
    """A writer that comes straight back would pass the gate before anybody's next try: seconds of waiting."""
    body = (
        "print('ready', flush=True)\nwhile True:\n"
        "    with store.writing('loop') as c: c.execute(\"INSERT INTO entry VALUES ('loop', 1)\")"
    )
    reads = 0
    with process(store, body):
        until = time.monotonic() + 2
        while time.monotonic() < until:
            writes = count(store)
            reads += 1
    # Turn and turn about would be 1; measured .7 with the courtesy and .1 without, whatever the machine's speed.
    assert reads > writes / 3


@pytest.mark.slow
def test_the_leases_hold_under_load() -> None:
    """A small version of the benchmark, which ends with 1 when anything failed, was lost or waited too long."""
    script = ROOT / "benchmarks" / "stress.py"
    result = subprocess.run([sys.executable, str(script), "--seconds", "2"], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.slow
def test_the_leases_hold_when_writers_are_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with kills; those of imports, which it goes on with, are in test_kill_import.py."""
    imports: list[str] = []
    # It does so for its whole process.
    monkeypatch.setattr(logging.getLogger("jurylens.store"), "setLevel", lambda level: None)
    monkeypatch.setattr(stress, "kill_imports", lambda times, seed: imports)
    monkeypatch.setattr("sys.argv", ["stress.py", "--kill", "4"])
    assert stress.main() == 0
    imports.append("what they find is a failure too")
    monkeypatch.setattr(stress, "kill", lambda times, seed: [])
    assert stress.main() == 1
