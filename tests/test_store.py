"""The store's file: made whole, committed or rolled back, migrated, refused with the way out, safe from kill -9."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import duckdb
import pytest

from data.duck import SCHEMA_FOLDER, Schema
from data.store import Store
from errors import StoreBusyError, StoreError

ROOT = Path(__file__).resolve().parent.parent
ALARM = 20.0


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "s.duckdb")
    with store.writing("setting up") as connection:
        connection.execute("CREATE TABLE entry (n INTEGER)")
    return store


def numbers(store: Store) -> list[int]:
    with store.reading() as connection:
        return [row[0] for row in connection.execute("SELECT n FROM entry ORDER BY n").fetchall()]


def schema_folder(folder: Path, tables: str, **migrations: str) -> Path:
    (folder / "migrations").mkdir(parents=True)
    (folder / "schema.sql").write_text(tables)
    for name, sql in migrations.items():
        (folder / "migrations" / f"{name.removeprefix('m')}.sql").write_text(sql)
    return folder


def beside(store: Store) -> list[str]:
    return sorted(path.name for path in store.path.parent.iterdir())


def run(store: Store, body: str, **environment: str) -> subprocess.CompletedProcess[str]:
    script = (
        f"import os, signal, sys, resource\nfrom data.store import Store\nstore = Store({str(store.path)!r})\n{body}"
    )
    return subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT, env=os.environ | environment, text=True, capture_output=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_first_write_makes_the_file_with_the_schema_and_its_version(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    assert not store.exists()
    with store.writing("import"):
        pass
    assert store.exists()
    with store.reading() as connection:
        versions = connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchall()
        assert versions == [(str(Schema.read(SCHEMA_FOLDER).version),)]
        connection.execute("SELECT count(*) FROM judgment").fetchall()
    assert beside(store) == ["s.duckdb", "s.duckdb.gate", "s.duckdb.lock"]


def test_a_first_write_that_fails_leaves_no_store(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    with pytest.raises(ZeroDivisionError), store.writing():
        raise ZeroDivisionError
    assert beside(store) == ["s.duckdb.gate", "s.duckdb.lock"]
    with pytest.raises(StoreError, match=r"there is no store at .*s\.duckdb: import a file first"), store.reading():
        pass


def test_reading_where_nothing_is_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    with pytest.raises(StoreError, match="import a file first"), store.reading():
        pass
    assert beside(store) == []


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, StoreError, GeneratorExit])
def test_an_exception_rolls_everything_back_and_goes_on(store: Store, failure: type[BaseException]) -> None:
    with store.writing() as connection:
        connection.execute("INSERT INTO entry VALUES (1)")

    def fail() -> None:
        with store.writing() as connection:
            connection.execute("INSERT INTO entry VALUES (2)")
            connection.execute("CREATE TABLE other (n INTEGER)")
            raise failure("stop")

    with pytest.raises(failure, match="stop"):
        fail()
    assert numbers(store) == [1]
    with store.reading() as connection, pytest.raises(duckdb.CatalogException):
        connection.execute("SELECT * FROM other")


def test_an_error_in_sql_passes_as_it_is_and_rolls_back(store: Store) -> None:
    def fail() -> None:
        with store.writing() as connection:
            connection.execute("INSERT INTO entry VALUES (2)")
            connection.execute("INSERT INTO nowhere VALUES (2)")

    with pytest.raises(duckdb.CatalogException):
        fail()
    assert numbers(store) == []


def test_a_reading_connection_cannot_write(store: Store) -> None:
    with store.reading() as connection, pytest.raises(duckdb.InvalidInputException, match="read-only"):
        connection.execute("INSERT INTO entry VALUES (1)")


def test_a_connection_ends_with_its_lease(store: Store) -> None:
    with store.reading() as reader:
        pass
    with store.writing() as writer:
        pass
    for connection in (reader, writer):
        with pytest.raises(duckdb.ConnectionException):
            connection.execute("SELECT 1")


@pytest.mark.parametrize("lease", ["reading", "writing"])
def test_no_file_no_variable_and_no_setting_is_reachable(store: Store, tmp_path: Path, lease: str) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n")
    rows = [1, 2]
    for sql in (
        f"SELECT * FROM read_csv('{tmp_path}/x.csv')",
        f"ATTACH '{tmp_path}/other.duckdb'",
        f"COPY (SELECT 1) TO '{tmp_path}/out.csv'",
        "SELECT * FROM rows",
        "SET threads = 1",
        "INSTALL spatial",
    ):
        with getattr(store, lease)() as connection, pytest.raises(duckdb.Error):
            connection.execute(sql)
    assert rows
    assert "out.csv" not in beside(store)


def test_registered_frames_enter_through_a_write_lease(store: Store) -> None:
    import pyarrow as pa

    with store.writing() as connection:
        connection.register("rows", pa.table({"n": [3, 1, 2]}))
        connection.execute("INSERT INTO entry SELECT n FROM rows")
    assert numbers(store) == [1, 2, 3]


def test_threads_of_one_process_have_a_connection_each(store: Store) -> None:
    with store.writing() as connection:
        connection.execute("INSERT INTO entry SELECT range FROM range(100000)")
    sums: list[int] = []

    def work(k: int) -> None:
        for _ in range(20):
            with store.reading() as connection:
                rows = connection.execute("SELECT sum(n) FROM entry WHERE n % 8 = $k", {"k": k}).fetchall()
                sums.append(rows[0][0])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(ALARM)
    expected = {sum(range(k, 100_000, 8)) for k in range(8)}
    assert len(sums) == 160
    assert set(sums) == expected


def test_spilling_beside_the_store_leaves_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.writing() as connection:
        connection.execute("CREATE TABLE big AS SELECT range AS n, md5(range::VARCHAR) AS s FROM range(600000)")
    monkeypatch.setenv("JURYLENS_MEMORY", "50MB")
    with store.reading() as connection:
        stream = connection.sql("SELECT * FROM big ORDER BY s").to_arrow_reader(1000)
        assert "s.duckdb.tmp" in beside(store)
        stream.close()
    assert "s.duckdb.tmp" not in beside(store)


def test_what_a_dead_process_spilled_is_removed_by_the_next_writer(store: Store) -> None:
    (store.path.parent / "s.duckdb.tmp").mkdir()
    (store.path.parent / "s.duckdb.tmp" / "duckdb_temp_1_0_storage_DEFAULT-0.tmp").write_bytes(b"x")
    (store.path.parent / "s.duckdb.new").mkdir()
    with store.writing():
        pass
    assert beside(store) == ["s.duckdb", "s.duckdb.gate", "s.duckdb.lock"]


def test_too_little_memory_is_a_sentence(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JURYLENS_MEMORY", "1MB")
    with pytest.raises(StoreError, match="raise JURYLENS_MEMORY"), store.reading() as connection:
        connection.execute("SELECT list(md5(range::VARCHAR)) FROM range(1000000)").fetchall()


@pytest.mark.parametrize(
    ("name", "value"), [("JURYLENS_THREADS", "many"), ("JURYLENS_THREADS", "0"), ("JURYLENS_MEMORY", "half")]
)
def test_a_limit_that_cannot_be_understood_is_named(
    store: Store, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(StoreError, match=f"{name} is '{value}'"), store.reading():
        pass


def test_limits_reach_duckdb(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JURYLENS_THREADS", "3")
    monkeypatch.setenv("JURYLENS_MEMORY", "512MiB")
    with store.reading() as connection:
        rows = connection.execute("SELECT current_setting('threads'), current_setting('memory_limit')").fetchall()
    assert rows == [(3, "512.0 MiB")]


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lease", ["reading", "writing"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" + b"a" * 9000, b"a,b\n1,2\n"])
def test_another_kind_of_file_is_refused_and_left_as_it_is(tmp_path: Path, lease: str, content: bytes) -> None:
    path = tmp_path / "notes.duckdb"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"notes\.duckdb is not a store .*--db"), getattr(Store(path), lease)():
        pass
    assert path.read_bytes() == content


@pytest.mark.parametrize("lease", ["reading", "writing"])
@pytest.mark.parametrize("sql", ["CREATE TABLE sales (n INTEGER)", "CREATE TABLE meta (a INTEGER)"])
def test_a_database_of_somebody_else_is_refused(tmp_path: Path, lease: str, sql: str) -> None:
    path = tmp_path / "theirs.duckdb"
    with duckdb.connect(str(path)) as theirs:
        theirs.execute(sql)
    with pytest.raises(StoreError, match="a DuckDB file, but not a Jurylens store"), getattr(Store(path), lease)():
        pass


@pytest.mark.parametrize("lease", ["reading", "writing"])
@pytest.mark.parametrize("harm", ["cut", "header", "middle"])
def test_a_damaged_file_is_a_sentence(store: Store, lease: str, harm: str) -> None:
    with store.writing() as connection:
        connection.execute("INSERT INTO entry SELECT range FROM range(100000)")
    content = bytearray(store.path.read_bytes())
    if harm == "cut":
        del content[len(content) // 2 :]
    elif harm == "header":
        content[4096:12288] = b"\x55" * 8192
    else:
        content[12288:] = bytes(byte ^ 0x55 for byte in content[12288:])
    store.path.write_bytes(content)
    with pytest.raises(StoreError, match=r"s\.duckdb is damaged.*import again"), getattr(store, lease)() as connection:
        connection.execute("SELECT sum(n) FROM entry").fetchall()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path / "nowhere" / "s.duckdb")
    with pytest.raises(StoreError, match="there is no store at"), store.reading():
        pass
    for lease in (store.writing, store.staging):
        with pytest.raises(StoreError, match=r"there is no folder .*nowhere"), lease():
            pass


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    for lease in (Store(tmp_path).reading, Store(tmp_path).writing, Store(tmp_path).staging):
        with pytest.raises(StoreError, match="is a folder, not a store"), lease():
            pass


def test_a_file_open_in_another_program_is_waited_for_and_named(store: Store) -> None:
    script = (
        f"import duckdb, sys; c = duckdb.connect({str(store.path)!r}); print('ready', flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as shell:
        assert shell.stdout is not None
        shell.stdout.readline()
        impatient = Store(store.path, patience=0.2)
        for lease in (impatient.reading, impatient.writing):
            with pytest.raises(StoreBusyError, match="another program that has the file open"), lease():
                pass
        threading.Timer(0.3, shell.kill).start()
        assert numbers(store) == []


UNPRIVILEGED = """
if os.getuid() == 0: os.setuid(65534)
store.exists()
from errors import StoreError
for lease in (store.reading, store.writing, store.staging):
    try:
        with lease(): print('done')
    except StoreError as error: print(error)
"""


@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "locks", "said"),
    [
        (0o555, 0o444, False, ["cannot be written", "cannot be written", "cannot be written"]),
        (0o555, 0o444, True, ["done", "cannot be opened", "cannot be written"]),
        (0o777, 0o000, True, ["cannot be opened", "cannot be opened", "done"]),
        (0o000, 0o444, True, ["cannot be looked at", "cannot be looked at", "cannot be looked at"]),
    ],
)
def test_missing_rights_are_a_sentence_each(
    tmp_path_factory: pytest.TempPathFactory, folder_mode: int, file_mode: int, locks: bool, said: list[str]
) -> None:
    """Run as an unprivileged user. Where the lock files are there, a store in a read-only folder can be read."""
    import shutil
    import tempfile

    top = Path(tempfile.mkdtemp(prefix="jurylens-rights-"))
    try:
        top.chmod(0o755)
        folder = top / "folder"
        folder.mkdir()
        store = Store(folder / "s.duckdb")
        with store.writing():
            pass
        for name in ("s.duckdb.gate", "s.duckdb.lock"):
            (folder / name).chmod(0o644)
            if not locks:
                (folder / name).unlink()
        store.path.chmod(file_mode)
        folder.chmod(folder_mode)
        result = run(store, UNPRIVILEGED)
        assert result.returncode == 0, result.stderr
        lines = result.stdout.splitlines()
        assert len(lines) == 3
        for line, expected in zip(lines, said, strict=True):
            assert expected in line
    finally:
        (top / "folder").chmod(0o755)
        shutil.rmtree(top)


def test_a_full_disk_is_a_sentence_and_nothing_is_written(store: Store) -> None:
    """A limit on file sizes stands in for the disk: both make DuckDB's write fail."""
    body = (
        "resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, resource.RLIM_INFINITY))\n"
        "with store.writing() as c: c.execute('INSERT INTO entry SELECT hash(range) % 1000000000 FROM range(3000000)')"
    )
    result = run(store, body)
    assert result.returncode == 1
    assert "StoreError" in result.stderr.splitlines()[-1]
    assert "the disk is full, nothing was written" in result.stderr.splitlines()[-1]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    assert numbers(store) == []


# --- versions ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def versions(tmp_path: Path) -> dict[int, Path]:
    """Three versions of a schema: 2 adds a column, 3 a table."""
    two = {"m002_colour": "ALTER TABLE thing ADD COLUMN colour VARCHAR; UPDATE thing SET colour = 'red';"}
    three = two | {"m003_list": "CREATE TABLE list AS SELECT n, colour FROM thing;"}
    return {
        1: schema_folder(tmp_path / "v1", "CREATE TABLE thing (n INTEGER);"),
        2: schema_folder(tmp_path / "v2", "CREATE TABLE thing (n INTEGER, colour VARCHAR);", **two),
        3: schema_folder(
            tmp_path / "v3", "CREATE TABLE thing (n INTEGER, colour VARCHAR); CREATE TABLE list (n INTEGER);", **three
        ),
        9: schema_folder(
            tmp_path / "v9", "CREATE TABLE thing (n INTEGER);", m002_bad="UPDATE thing SET n = 5; SELECT nonsense"
        ),
    }


@pytest.fixture
def old(tmp_path: Path, versions: dict[int, Path]) -> Path:
    store = Store(tmp_path / "s.duckdb", schema=versions[1])
    with store.writing() as connection:
        connection.execute("INSERT INTO thing VALUES (7)")
    return store.path


@pytest.mark.parametrize("lease", ["reading", "writing"])
def test_an_older_store_is_migrated_step_by_step(old: Path, versions: dict[int, Path], lease: str) -> None:
    store = Store(old, schema=versions[3])
    with getattr(store, lease)() as connection:
        assert connection.execute("SELECT n, colour FROM list").fetchall() == [(7, "red")]
    with store.reading() as connection:
        assert connection.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchall() == [("3",)]


def test_readers_that_find_an_old_store_together_migrate_it_once(old: Path, versions: dict[int, Path]) -> None:
    found: list[object] = []

    def read() -> None:
        with Store(old, schema=versions[3]).reading() as connection:
            found.append(connection.execute("SELECT n, colour FROM list").fetchall())

    threads = [threading.Thread(target=read) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(ALARM)
    assert found == [[(7, "red")]] * 6


def test_a_migration_stays_although_the_block_after_it_fails(old: Path, versions: dict[int, Path]) -> None:
    with pytest.raises(ZeroDivisionError), Store(old, schema=versions[2]).writing():
        raise ZeroDivisionError
    with pytest.raises(StoreError, match="tables are version 2, this program knows 1"):  # noqa: SIM117
        with Store(old, schema=versions[1]).reading():
            pass


def test_a_migration_that_fails_changes_nothing(old: Path, versions: dict[int, Path]) -> None:
    with pytest.raises(duckdb.BinderException), Store(old, schema=versions[9]).reading():
        pass
    with Store(old, schema=versions[1]).reading() as connection:
        assert connection.execute("SELECT n FROM thing").fetchall() == [(7,)]


@pytest.mark.parametrize("lease", ["reading", "writing"])
def test_a_newer_store_is_refused_with_the_way_out(tmp_path: Path, versions: dict[int, Path], lease: str) -> None:
    newer = Store(tmp_path / "s.duckdb", schema=versions[3])
    with newer.writing():
        pass
    older = Store(newer.path, schema=versions[2])
    with (
        pytest.raises(StoreError, match=r"version 3, this program knows 2\): update Jurylens"),
        getattr(older, lease)(),
    ):
        pass
    with newer.reading():
        pass


# --- kill -9 ----------------------------------------------------------------------------------------------------------

KILL = "os.kill(os.getpid(), signal.SIGKILL)"


def test_a_reader_after_a_crash_finds_what_was_committed(store: Store) -> None:
    """The crash leaves DuckDB's log beside the file; a read-only opening replays it, and the next writer folds it."""
    body = (
        "with store.writing() as c:\n"
        "    c.execute('INSERT INTO entry VALUES (1)')\n"
        "    c.execute('COMMIT')\n"
        "    c.execute('BEGIN')\n"
        "    c.execute('INSERT INTO entry VALUES (2)')\n"
        f"    {KILL}"
    )
    assert run(store, body).returncode == -signal.SIGKILL
    assert "s.duckdb.wal" in beside(store)
    assert numbers(store) == [1]
    with store.writing() as connection:
        connection.execute("INSERT INTO entry VALUES (3)")
    assert beside(store) == ["s.duckdb", "s.duckdb.gate", "s.duckdb.lock"]
    assert numbers(store) == [1, 3]


def test_a_large_write_that_is_killed_leaves_the_store_as_before(store: Store) -> None:
    body = (
        f"with store.writing() as c:\n    c.execute('INSERT INTO entry SELECT range FROM range(3000000)')\n    {KILL}"
    )
    assert run(store, body).returncode == -signal.SIGKILL
    assert numbers(store) == []


def test_a_first_write_that_is_killed_leaves_no_store(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    body = f"with store.writing() as c:\n    c.execute('CREATE TABLE entry AS SELECT 1 AS n')\n    {KILL}"
    assert run(store, body).returncode == -signal.SIGKILL
    assert not store.exists()
    with pytest.raises(StoreError, match="import a file first"), store.reading():
        pass
    with store.writing() as connection:
        connection.execute("CREATE TABLE entry AS SELECT 2 AS n")
    assert numbers(store) == [2]
    assert beside(store) == ["s.duckdb", "s.duckdb.gate", "s.duckdb.lock"]


def test_the_log_of_a_deleted_store_does_not_enter_a_new_one(store: Store) -> None:
    write = "c.execute('INSERT INTO entry VALUES (1)'); c.execute('COMMIT')"
    run(store, f"with store.writing() as c:\n    {write}\n    {KILL}")
    store.path.unlink()
    assert "s.duckdb.wal" in beside(store)
    with store.writing() as connection:
        connection.execute("CREATE TABLE entry (n INTEGER)")
    assert numbers(store) == []
