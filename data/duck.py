"""How DuckDB is set up for the store, what schema it must find there, and what its errors mean to a user."""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillRunning
from concurrent.futures import wait as wait_for
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import duckdb

from errors import StoreBusyError, StoreError

Settings = dict[str, str | bool | int | float | list[str]]

SCHEMA_FOLDER = Path(__file__).parent
T = TypeVar("T")

MEMORY_SHARE = 0.4
"""Share of the machine's memory that the DuckDB which answers questions may take."""

WORK_SHARE, LEAST_WORK = 0.05, 1024
"""Share of the memory, and least MiB, for each of the two that an import runs, the staging file's and the store's.
What does not fit waits on the disk, packed, which costs an import no time; with more they take all they may, because
nothing that a transaction made is given back before its end."""

PATIENCE = 0.25
"""Seconds after which, and between which, a long statement is told about."""


def configuration(memory: int | None = None) -> Settings:
    """What every connection to the store is opened with: no files, no downloads, nothing to be changed later.

    memory : MiB that it may take where JURYLENS_MEMORY does not say; None: the share for answering questions
    Raises StoreError when JURYLENS_THREADS or JURYLENS_MEMORY cannot be understood.
    """
    return _limits(memory) | {
        # Groups of small numbers (judges, models) are counted without hashing up to so many bits of them together.
        "perfect_ht_threshold": "22",
        "enable_external_access": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "lock_configuration": "true",
    }


def staging_configuration() -> Settings:
    """What a staging connection is opened with: it may read files, but downloads nothing and sees no variables."""
    return _limits(work_memory()) | {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
    }


def work_memory() -> int:
    """MiB that a DuckDB may take which writes."""
    ram = _ram()
    if ram is None:
        return LEAST_WORK
    return max(256, int(min(max(LEAST_WORK, WORK_SHARE * ram / 2**20), MEMORY_SHARE * ram / 2**20)))


def _limits(memory: int | None = None) -> Settings:
    limits: Settings = {}
    threads = os.environ.get("JURYLENS_THREADS", "").strip()
    if threads and not re.fullmatch(r"[1-9]\d{0,3}", threads):
        raise StoreError(f"JURYLENS_THREADS is {threads!r}: give a whole number of threads, 1 or more, or unset it")
    limits["threads"] = threads or str(cores())
    said = os.environ.get("JURYLENS_MEMORY", "").strip()
    if said and not re.fullmatch(r"\d+(\.\d+)?\s*[KMGT]i?B", said, re.IGNORECASE):
        raise StoreError(f"JURYLENS_MEMORY is {said!r}: give a size such as 4GB or 800MB, or unset it")
    if said:
        limits["memory_limit"] = said
    elif memory is not None:
        limits["memory_limit"] = f"{memory}MiB"
    elif (ram := _ram()) is not None:
        limits["memory_limit"] = f"{max(256, int(MEMORY_SHARE * ram / 2**20))}MiB"
    return limits


def cores() -> int:
    """Processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _ram() -> int | None:
    """Bytes of memory this process may use; None where the system does not tell (DuckDB then finds its own limit)."""
    known = []
    with suppress(AttributeError, OSError, ValueError):
        known.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):
            known.append(int(Path(limit).read_text()))
    return min((size for size in known if size > 0), default=None)


@dataclass(frozen=True)
class Schema:
    """The tables a store must have.

    tables : the SQL that makes them in a new file
    migrations : (N, SQL) in order; each leads from version N - 1 to N
    """

    tables: str
    migrations: tuple[tuple[int, str], ...]

    @classmethod
    @cache
    def read(cls, folder: Path) -> Schema:
        """`schema.sql` and `migrations/NNN_*.sql` of a folder."""
        migrations = [
            (int(path.name[:3]), path.read_text(encoding="utf-8"))
            for path in sorted((folder / "migrations").glob("[0-9][0-9][0-9]_*.sql"))
        ]
        return cls((folder / "schema.sql").read_text(encoding="utf-8"), tuple(migrations))

    @property
    def version(self) -> int:
        """The version `tables` makes: that of the last migration; 1 before the first."""
        return max((number for number, _ in self.migrations), default=1)

    def create(self, database: duckdb.DuckDBPyConnection) -> None:
        """Make the tables in an empty file, inside the caller's transaction."""
        database.execute(self.tables)
        database.execute("CREATE TABLE IF NOT EXISTS meta (key VARCHAR, value VARCHAR)")
        _set_version(database, self.version)

    def is_outdated(self, database: duckdb.DuckDBPyConnection, path: Path) -> bool:
        """Whether the store must be migrated first.

        Raises StoreError when the file is not a Jurylens store, or one of a newer version.
        """
        found = _version(database, path)
        if found > self.version:
            raise StoreError(
                f"{path} was written by a newer Jurylens (its tables are version {found}, this program knows "
                f"{self.version}): update Jurylens, or name another store with --db"
            )
        return found < self.version

    def migrate(self, database: duckdb.DuckDBPyConnection, path: Path) -> None:
        """Bring an older store to this version, in one transaction: all steps or none."""
        if not self.is_outdated(database, path):
            return
        found = _version(database, path)
        database.execute("BEGIN TRANSACTION")
        for number, sql in self.migrations:
            if number > found:
                database.execute(sql)
        _set_version(database, self.version)
        database.execute("COMMIT")


def _version(database: duckdb.DuckDBPyConnection, path: Path) -> int:
    try:
        rows = database.execute("SELECT value FROM meta WHERE key = 'schema_version' ORDER BY value").fetchall()
        return int(rows[0][0])
    except (duckdb.CatalogException, duckdb.BinderException, IndexError, TypeError, ValueError) as error:
        raise StoreError(
            f"{path} is a DuckDB file, but not a Jurylens store: name another file with --db or JURYLENS_DB"
        ) from error


def _set_version(database: duckdb.DuckDBPyConnection, version: int) -> None:
    database.execute("DELETE FROM meta WHERE key = 'schema_version'")
    database.execute("INSERT INTO meta (key, value) VALUES ('schema_version', $version)", {"version": str(version)})


def told(con: duckdb.DuckDBPyConnection, work: Callable[[], T], tell: Callable[[], object]) -> T:
    """Do `work`, which keeps `con` busy, in a thread beside this one, which calls `tell` all the while.

    Whatever `tell` raises, to stop the work, interrupts the statement and is raised here when it has ended.
    """
    job = _beside.submit(work)
    try:
        while True:
            try:
                return job.result(PATIENCE)
            except StillRunning:
                if job.done():
                    raise
                tell()
    except BaseException:
        while not job.done():
            con.interrupt()
            wait_for([job], PATIENCE)
        raise


def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(64, thread_name_prefix="statement")


# Kept: an import of nine rows asks a hundred short statements, and to make a thread for each took longer than some.
_beside = _workers()


def _forget_workers() -> None:
    # A forked child has none of the threads that its copy believes in.
    global _beside
    _beside = _workers()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_workers)


def open_file(
    path: Path, read_only: bool, *, memory: int | None = None, give_up: float | None = None, beside: bool = True
) -> duckdb.DuckDBPyConnection:
    """Open a store's file.

    memory : MiB it may take, as `configuration` says
    beside : what does not fit into memory waits beside the file; else in the system's folder for temporary files
    give_up : seconds, after a stream has escaped. DuckDB then waits without end for the stream, so that a thread
        must do the waiting, which can be left behind. Raises StoreBusyError when the time has passed.
    """

    settings = configuration(memory)
    if not beside:
        settings["temp_directory"] = str(Path(tempfile.gettempdir()) / f"jurylens-{os.getpid()}-{path.name}")

    def connect() -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(path), read_only=read_only, config=settings)

    if give_up is None:
        return connect()
    opened: Future[duckdb.DuckDBPyConnection] = Future()

    def wait() -> None:
        database, failure = None, None
        try:
            database = connect()
        except Exception as error:
            failure = error
        if not opened.set_running_or_notify_cancel():
            if database is not None:
                database.close()
        elif database is not None:
            opened.set_result(database)
        else:
            opened.set_exception(failure)

    threading.Thread(target=wait, daemon=True, name="jurylens-open").start()
    try:
        return opened.result(give_up)
    except TimeoutError:
        if opened.cancel():
            raise StoreBusyError(
                f"{path} is still held by a stream that was left open in this process: restart the program, "
                "and read streams to their end inside their lease"
            ) from None
        return opened.result()


def roll_back(connection: duckdb.DuckDBPyConnection) -> bool:
    """Give up the transaction, if there is one. True when an unread Arrow stream forbids it: somebody still holds
    it, and so keeps the database open after every connection is closed."""
    try:
        connection.execute("ROLLBACK")
    except duckdb.ResourceInUseException:
        return True
    except duckdb.Error:
        # No transaction is open: the usual case.
        return False
    return False


@contextmanager
def explained(path: Path, *, files: bool = True) -> Iterator[None]:
    """Turn what a user can cause (a full disk, little memory, a damaged file, no permission) into StoreError.

    files : False where other files are read too, whose troubles are not the store's. Errors in SQL and interrupts
    pass as they are.
    """
    try:
        yield
    except duckdb.Error as error:
        sentence = _shortage(path, error) or (_trouble(path, error) if files else None)
        if sentence is None:
            raise
        kind = StoreBusyError if who_has_it_open(error) else StoreError
        raise kind(sentence) from error


@contextmanager
def writable(path: Path) -> Iterator[None]:
    """Turn the system's refusal to make, move or remove our own files beside the store into StoreError."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"{path.parent} cannot be written ({error.strerror}): get the right to write into it, make room, "
            "or keep the store in another folder"
        ) from error


def who_has_it_open(error: BaseException) -> str | None:
    """Who opened the file without a lease, when that is why DuckDB could not open it."""
    text = str(error)
    if isinstance(error, duckdb.IOException) and "lock on file" in text:
        return "another program that has the file open (a database browser, the duckdb shell)"
    if "file handle conflict" in text or "different configuration" in text:
        return "a part of this process that has the file open without a lease"
    return None


def _shortage(path: Path, error: duckdb.Error) -> str | None:
    """The sentence for too little memory or disk; None when it is neither."""
    text = str(error)
    if "No space left" in text or "File too large" in text or "quota" in text or "max_temp_directory_size" in text:
        return f"{path}: the disk is full, nothing was written: make room and try again ({_first(text)})"
    if isinstance(error, duckdb.OutOfMemoryException):
        return f"{path}: DuckDB ran out of memory: raise JURYLENS_MEMORY, or select less ({_first(text)})"
    return None


def _trouble(path: Path, error: duckdb.Error) -> str | None:
    """The sentence for a file that cannot be used; None for an error that is not the user's."""
    text = str(error)
    damaged = f"{path} is damaged: put back a copy of it, or move it away and import again ({_first(text)})"
    if (holder := who_has_it_open(error)) is not None:
        return f"{path} is held by {holder}: close it there and try again"
    if "Corrupt" in text or isinstance(error, duckdb.FatalException | duckdb.SerializationException):
        return damaged
    if not isinstance(error, duckdb.IOException):
        return None
    if "not a valid DuckDB database" in text:
        return f"{path} is not a store but some other kind of file: name another with --db or JURYLENS_DB"
    if "version number" in text or "newer version" in text:
        return f"{path} was written by another version of DuckDB: update Jurylens, or export it with that version"
    if "ermission denied" in text or "ead-only file system" in text:
        return f"{path} cannot be opened ({_first(text)}): get the right to read and write it, or copy it"
    if "enough bytes" in text:
        return damaged
    return f"{path} cannot be read or written: {_first(text)}"


def _first(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no reason given"
