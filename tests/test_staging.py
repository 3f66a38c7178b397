"""Staging: a place to work beside the store, without a lease, that is gone at the end, also after kill -9."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from data.staging import glob_escape
from data.store import Store
from errors import StoreError

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s.duckdb")


def left(store: Store) -> list[str]:
    return [name for name in os.listdir(store.path.parent) if ".staging-" in name]


def holder(store: Store) -> subprocess.Popen[str]:
    """Another process inside `staging()`."""
    script = (
        f"import sys\nfrom data.store import Store\nwith Store({str(store.path)!r}).staging() as s:\n"
        " s.connection.execute('CREATE TABLE t AS SELECT 1')\n (s.scratch / 'x').write_text('x')\n"
        " print('ready', flush=True)\n sys.stdin.readline()\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def test_staging_may_read_and_write_files_and_is_removed(store: Store, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with store.staging() as staging:
        assert list(staging.scratch.iterdir()) == []
        staging.connection.execute(
            "CREATE TABLE raw AS SELECT * FROM read_csv($path)", {"path": str(tmp_path / "x.csv")}
        )
        staging.connection.execute(f"COPY raw TO '{staging.scratch}/raw.parquet'")
        assert staging.connection.execute("SELECT a, b FROM raw").fetchall() == [(1, 2)]
        assert left(store)
    assert left(store) == []
    assert not store.exists()
    with pytest.raises(duckdb.ConnectionException):
        staging.connection.execute("SELECT 1")


def test_staging_sees_no_python_variables_but_what_is_registered(store: Store) -> None:
    import pyarrow as pa

    secret = pa.table({"n": [1]})
    with store.staging() as staging:
        with pytest.raises(duckdb.CatalogException):
            staging.connection.execute("SELECT * FROM secret")
        staging.connection.register("given", secret)
        assert staging.connection.execute("SELECT * FROM given").fetchall() == [(1,)]


def test_a_failure_inside_removes_the_staging_too_and_goes_on(store: Store) -> None:
    with pytest.raises(KeyboardInterrupt), store.staging():
        raise KeyboardInterrupt
    assert left(store) == []


def test_a_stream_carries_rows_from_staging_into_the_store(store: Store) -> None:
    with store.staging() as staging:
        staging.connection.execute("CREATE TABLE raw AS SELECT range AS n FROM range(500000)")
        with store.writing("import") as connection:
            stream = staging.connection.sql("SELECT n FROM raw").to_arrow_reader(50_000)
            connection.register("raw", stream)
            connection.execute("CREATE TABLE entry AS SELECT n FROM raw")
            connection.unregister("raw")
    with store.reading() as connection:
        assert connection.execute("SELECT count(*), sum(n) FROM entry").fetchall() == [(500_000, sum(range(500_000)))]


def test_work_in_staging_holds_nobody_up(store: Store) -> None:
    """Two stagings, a writer and a reader at once, none of which waits."""
    impatient = Store(store.path, patience=0)
    with impatient.staging() as one, impatient.staging() as two:
        assert one.scratch != two.scratch
        with impatient.writing():
            pass
        with impatient.reading(), impatient.staging():
            pass
    assert left(store) == []


@pytest.mark.parametrize("start", ["writing", "staging"])
def test_leftovers_of_a_dead_process_go_and_those_of_a_living_one_stay(store: Store, start: str) -> None:
    with holder(store) as dead, holder(store) as living:
        dead.kill()
        dead.wait(20)
        assert len(left(store)) == 4
        with getattr(store, start)():
            pass
        # The folder and the lock of the living one.
        assert len(left(store)) == 2
        (scratch,) = store.path.parent.glob("*.staging-*/scratch")
        assert (scratch / "x").read_text() == "x"
        living.communicate("go\n", timeout=20)
        assert living.returncode == 0
    assert left(store) == []


def test_only_the_own_leftovers_are_touched(tmp_path: Path) -> None:
    """A store's name may hold the letters of a pattern, and a neighbour's may begin alike."""
    other = tmp_path / "s1.duckdb.staging-abc.lock"
    other.write_text("")
    strange = Store(tmp_path / "s[0-9]*.duckdb")
    own = tmp_path / "s[0-9]*.duckdb.staging-abc.lock"
    own.write_text("")
    with strange.staging():
        pass
    assert other.exists()
    assert not own.exists()
    assert glob_escape("a[b]*?") == "a[[]b][*][?]"


def test_too_little_memory_is_the_stores_sentence_but_a_bad_file_is_not(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is wrong with an imported file is for the importer to say."""
    with pytest.raises(duckdb.IOException), store.staging() as staging:
        staging.connection.execute("SELECT * FROM read_csv($path)", {"path": str(tmp_path / "absent.csv")})
    monkeypatch.setenv("JURYLENS_MEMORY", "1MB")
    with pytest.raises(StoreError, match="raise JURYLENS_MEMORY"), store.staging() as staging:
        staging.connection.execute("SELECT list(md5(range::VARCHAR)) FROM range(1000000)").fetchall()
    assert left(store) == []
