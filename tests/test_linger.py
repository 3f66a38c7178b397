"""The file that stays open between two readings of a page: opened once, in nobody's way, never stale."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import data.store as module
from data.imports import import_path
from data.store import Store
from studies.rank import Rank

ROOT = Path(__file__).resolve().parent.parent


def count(store: Store) -> int:
    with store.reading("counting") as con:
        return int(con.execute("SELECT count(*) FROM dataset").fetchall()[0][0])


def add(store: Store, number: int) -> None:
    with store.writing("adding") as con:
        con.execute("INSERT INTO dataset (dataset_id, name) VALUES ($n, $n::VARCHAR)", {"n": number})


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """One entry for each time that DuckDB opened a file: whether for reading."""
    calls, real = [], module.open_file

    def open_file(path: Path, read_only: bool, **more: object) -> object:
        calls.append(read_only)
        return real(path, read_only, **more)

    monkeypatch.setattr(module, "open_file", open_file)
    return calls


def lingering(path: Path, linger: float = 5.0) -> Store:
    store = Store(path, linger=linger)
    with store.writing("making it"):
        pass
    return store


def test_readings_in_a_row_open_the_file_once(tmp_path: Path, opened: list[bool]) -> None:
    store = lingering(tmp_path / "s.duckdb")
    assert [count(store) for _ in range(4)] == [0] * 4
    assert opened == [False, True]


def test_it_is_closed_after_a_while(tmp_path: Path, opened: list[bool]) -> None:
    store = lingering(tmp_path / "s.duckdb", linger=0.05)
    count(store)
    end = time.monotonic() + 10
    while store._file().database is not None:
        assert time.monotonic() < end
        time.sleep(0.01)
    count(store)
    assert opened == [False, True, True]


def test_work_that_reads_several_times_opens_the_file_once_and_closes_it(tmp_path: Path, opened: list[bool]) -> None:
    store = lingering(tmp_path / "s.duckdb", linger=0)
    with store.kept_open() as kept:
        assert [count(kept), count(kept)] == [0, 0]
        with kept.kept_open() as again:
            count(again)
        assert opened == [False, True]
        add(store, 1)
        assert count(kept) == 1
    assert store._file().database is None
    count(store)
    assert opened == [False, True, False, True, True]


def test_a_study_opens_the_file_once(tmp_path: Path, opened: list[bool]) -> None:
    store, path = Store(tmp_path / "s.duckdb"), tmp_path / "d.csv"
    rows = ("x,y,a", "y,x,a", "x,y,tie")
    path.write_text("prompt,model_a,model_b,winner,judge\n" + "".join(f"p{k},{row},g\n" for k, row in enumerate(rows)))
    import_path(store, path, "d")
    opened.clear()
    assert len(Rank().run(store).table()) == 2
    assert opened == [True]
    assert store._file().database is None


def test_what_lingers_anyway_stays_open(tmp_path: Path) -> None:
    store = lingering(tmp_path / "s.duckdb", linger=60)
    with store.kept_open() as kept:
        count(kept)
    assert store._file().database is not None
    store._file().close()


def test_a_writer_of_this_process_need_not_wait_and_is_seen(tmp_path: Path) -> None:
    store = lingering(tmp_path / "s.duckdb", linger=60)
    for n in range(3):
        assert count(store) == n
        add(store, n)


def test_a_writer_of_another_process_gets_in_between_readings_without_a_gap(tmp_path: Path) -> None:
    store = lingering(tmp_path / "s.duckdb", linger=60)
    script = (
        f"from data.store import Store\nstore = Store({str(store.path)!r}, patience=10)\n"
        "with store.writing('theirs') as con: con.execute(\"INSERT INTO dataset (dataset_id) VALUES (1)\")"
    )
    child = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    end = time.monotonic() + 60
    while count(store) == 0:
        assert time.monotonic() < end
    assert child.wait(60) == 0


def test_a_file_that_takes_its_place_is_the_one_that_is_read(tmp_path: Path) -> None:
    store, other = lingering(tmp_path / "s.duckdb", linger=60), lingering(tmp_path / "other.duckdb", linger=0)
    add(other, 7)
    assert count(store) == 0
    os.replace(other.path, store.path)
    assert count(store) == 1
    store._file().close()


def test_no_thread_is_left_when_python_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # One that is left standing makes DuckDB's module report leaks in the terminal, after the answer.
    monkeypatch.setattr(module, "_ended", threading.Event())
    store = lingering(tmp_path / "s.duckdb")
    count(store)
    watcher = store._file().watcher
    assert watcher is not None
    assert watcher.is_alive()
    module._close_idle()
    assert not watcher.is_alive()
    assert store._file().database is None
