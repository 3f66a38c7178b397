"""How the judgments are kept: one DuckDB file that many may read and one may write.

Everything goes through leases (`reading`, `writing`), across threads and processes. A lease lasts as long as
DuckDB reads or writes: fetch everything, leave, then compute and draw. No cursor, relation or stream leaves its
lease; a thread started inside a lease takes no part in it; nobody opens the store's file by other means, not even
to hash or copy it, because any other open and close of it in this process silently drops DuckDB's own lock.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from data.duck import (
    SCHEMA_FOLDER,
    Schema,
    configuration,
    explained,
    is_locked_elsewhere,
    staging_configuration,
    writable,
)
from data.locks import PATIENCE, Wait, exclusive_lease, shared_lease
from data.staging import Staging, remove_leftovers, staging_beside
from errors import StoreBusyError, StoreError


@dataclass
class _File:
    """What all threads of this process know together about one store file."""

    mutex: threading.Lock = field(default_factory=threading.Lock)
    database: duckdb.DuckDBPyConnection | None = None
    users: int = 0
    escaped: bool = False


@dataclass
class _Own:
    """The leases that one thread holds on one store file."""

    readers: int = 0
    writer: duckdb.DuckDBPyConnection | None = None


class _Outdated(Exception):
    """The store has an older schema than this version of the program."""


_files: dict[Path, _File] = {}
_files_mutex = threading.Lock()
_thread = threading.local()
_of_the_parent: list[object] = []


class Store:
    """One store: a path, and the only ways to its rows.

    path : absolute, links resolved
    patience : seconds a lease is waited for before StoreBusyError
    schema : folder with `schema.sql` and `migrations/NNN_*.sql`
    """

    def __init__(
        self, path: str | os.PathLike[str], *, patience: float = PATIENCE, schema: Path = SCHEMA_FOLDER
    ) -> None:
        self.path = Path(os.path.realpath(Path(path).expanduser()))
        self.patience = patience
        self._schema = Schema.read(schema)

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r})"

    def exists(self) -> bool:
        """Whether there is a file at the path. Whether it is a store shows when it is opened."""
        return self.path.is_file()

    @contextmanager
    def reading(self, purpose: str = "reading") -> Iterator[duckdb.DuckDBPyConnection]:
        """A read-only connection, for this thread and inside the block only; many readers at once.

        Reading inside reading joins the outer lease, so it never waits for a writer that waits for the outer one;
        inside writing it sees the writer's connection, uncommitted rows included. A store with an older schema is
        migrated first, through a write lease.

        Raises StoreError when there is no store, it is not one, it is damaged or of a newer version, or when a
        stream was left open in the block (the store would stay open behind the lease's back); StoreBusyError when
        a writer holds it for longer than the patience.
        """
        own = self._own()
        if own.writer is not None:
            yield own.writer
            return
        with ExitStack() as lease:
            file = self._file()
            cursor = self._join(own, file, purpose, lease)
            lease.callback(self._leave, own, file, cursor)
            own.readers += 1
            with explained(self.path):
                yield cursor
            if _has_open_stream(cursor):
                raise StoreError(
                    f"{self.path}: '{purpose}' left a stream open: read it to its end, or close it, inside the lease"
                )

    @contextmanager
    def writing(self, purpose: str = "writing") -> Iterator[duckdb.DuckDBPyConnection]:
        """The only connection there is, inside one transaction: committed at the end of the block, rolled back on
        any exception, which is then raised again. The file is made when it is missing, and appears, complete, with
        the first commit: a block that fails leaves no empty store behind.

        Raises StoreError inside reading or writing of the same thread (a lease cannot grow, and one transaction
        cannot hold another), and as `reading` does; StoreBusyError when others hold it for longer than the patience.
        """
        own = self._own()
        if own.readers:
            raise StoreError(f"'{purpose}' wants to write {self.path} while this thread reads it: finish reading first")
        if own.writer is not None:
            raise StoreError(f"'{purpose}' wants to write {self.path} while this thread writes it: finish that first")
        wait = Wait.begin(self.path, f"writing '{purpose}'", self.patience)
        self._check_place()
        with exclusive_lease(self.path, purpose, wait):
            shutil.rmtree(self._nursery, ignore_errors=True)
            remove_leftovers(self.path)
            create = not self.path.exists()
            if create:
                with writable(self.path):
                    self._nursery.mkdir()
            try:
                with explained(self.path):
                    database = self._connect(self._nursery / self.path.name if create else self.path, wait, False)
                    try:
                        if not create:
                            # Nobody else has the store open: what spilled beside it is of a process that died.
                            shutil.rmtree(self.path.with_name(self.path.name + ".tmp"), ignore_errors=True)
                            self._schema.migrate(database, self.path)
                        database.execute("BEGIN TRANSACTION")
                        if create:
                            self._schema.create(database)
                        own.writer = database
                        yield database
                        self._commit(database, purpose)
                        if create:
                            database.execute("CHECKPOINT")
                    finally:
                        own.writer = None
                        _roll_back(database)
                        database.close()
                if create:
                    self._publish()
            finally:
                if create:
                    shutil.rmtree(self._nursery, ignore_errors=True)

    @contextmanager
    def staging(self) -> Iterator[Staging]:
        """A DuckDB file and a scratch folder beside the store, outside every lease; both removed at the end."""
        self._check_place()
        with explained(self.path), staging_beside(self.path, staging_configuration()) as staging:
            yield staging

    @property
    def _nursery(self) -> Path:
        # A folder rather than another name: DuckDB names a catalog after its file.
        return self.path.with_name(self.path.name + ".new")

    def _own(self) -> _Own:
        owns: dict[Path, _Own] | None = getattr(_thread, "owns", None)
        if owns is None:
            owns = _thread.owns = {}
        return owns.setdefault(self.path, _Own())

    def _file(self) -> _File:
        with _files_mutex:
            return _files.setdefault(self.path, _File())

    def _check_place(self) -> None:
        if not self.path.parent.is_dir():
            raise StoreError(
                f"there is no folder {self.path.parent} to keep the store {self.path.name} in: make it first"
            )
        if self.path.is_dir():
            raise StoreError(
                f"{self.path} is a folder, not a store: name a file in it, such as {self.path}/jurylens.duckdb"
            )

    def _join(self, own: _Own, file: _File, purpose: str, lease: ExitStack) -> duckdb.DuckDBPyConnection:
        """A cursor on this process's read-only database, behind a lease unless this thread has one already."""
        wait = Wait.begin(self.path, f"reading '{purpose}'", self.patience)
        if own.readers:
            return self._cursor(file, wait)
        while True:
            if not self.path.exists():
                raise StoreError(f"there is no store at {self.path}: import a file first")
            self._check_place()
            with ExitStack() as attempt:
                attempt.enter_context(shared_lease(self.path, purpose, wait))
                if self.path.exists():
                    try:
                        cursor = self._cursor(file, wait)
                    except _Outdated:
                        pass
                    else:
                        lease.push(attempt.pop_all())
                        return cursor
            if self.path.exists():
                with self.writing(f"migrating for '{purpose}'"):
                    pass

    def _cursor(self, file: _File, wait: Wait) -> duckdb.DuckDBPyConnection:
        with file.mutex, explained(self.path):
            if file.database is None:
                database = self._connect(self.path, wait, True)
                try:
                    if self._schema.is_outdated(database, self.path):
                        raise _Outdated
                except BaseException:
                    database.close()
                    raise
                file.database = database
            cursor = file.database.cursor()
            file.users += 1
            return cursor

    def _leave(self, own: _Own, file: _File, cursor: duckdb.DuckDBPyConnection) -> None:
        own.readers -= 1
        if _has_open_stream(cursor):
            file.escaped = True
        with file.mutex:
            cursor.close()
            file.users -= 1
            if file.users == 0 and file.database is not None:
                file.database.close()
                file.database = None

    def _connect(self, path: Path, wait: Wait, read_only: bool) -> duckdb.DuckDBPyConnection:
        """Open DuckDB; wait while a program that knows nothing of leases has the file open."""
        file = self._file()
        while True:
            try:
                if file.escaped:
                    database = _connect_patiently(path, wait, read_only)
                    file.escaped = False
                    return database
                return duckdb.connect(str(path), read_only=read_only, config=configuration())
            except duckdb.IOException as error:
                if not is_locked_elsewhere(error):
                    raise
                wait.check(lambda: "another program that has the file open (a database browser, the duckdb shell)")
                time.sleep(0.05)

    def _commit(self, database: duckdb.DuckDBPyConnection, purpose: str) -> None:
        if _has_open_stream(database):
            self._file().escaped = True
            raise StoreError(
                f"{self.path}: '{purpose}' left a stream open, nothing was written: read it to its end, or close it, "
                "inside the lease"
            )
        database.execute("COMMIT")

    def _publish(self) -> None:
        with writable(self.path):
            # A log without its store belongs to a file that was deleted by hand.
            self.path.with_name(self.path.name + ".wal").unlink(missing_ok=True)
            os.replace(self._nursery / self.path.name, self.path)
            if os.name == "posix":
                folder = os.open(self.path.parent, os.O_RDONLY)
                try:
                    os.fsync(folder)
                finally:
                    os.close(folder)


def _has_open_stream(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether somebody still holds an unread Arrow stream of this connection. It keeps the database open after
    every connection is closed, and the next open of the file in this process hangs until it is gone."""
    try:
        connection.execute("SELECT 1").fetchall()
    except duckdb.Error as error:
        return "open result" in str(error)
    return False


def _connect_patiently(path: Path, wait: Wait, read_only: bool) -> duckdb.DuckDBPyConnection:
    """Open the file although an escaped stream may still hold it: in a thread that can be given up."""
    opened: list[duckdb.DuckDBPyConnection] = []
    failed: list[Exception] = []
    given_up = threading.Event()

    def connect() -> None:
        try:
            opened.append(duckdb.connect(str(path), read_only=read_only, config=configuration()))
            if given_up.is_set():
                opened.pop().close()
        except Exception as error:
            failed.append(error)

    worker = threading.Thread(target=connect, daemon=True, name="jurylens-open")
    worker.start()
    worker.join(wait.left)
    if failed:
        raise failed[0]
    if worker.is_alive():
        given_up.set()
        raise StoreBusyError(
            f"{path} is still held by a stream that an earlier reading in this process left open: "
            "restart the program, and read streams to their end inside their lease"
        )
    return opened[0]


def _roll_back(database: duckdb.DuckDBPyConnection) -> None:
    # After COMMIT, or where DuckDB has already given the transaction up, there is nothing to roll back.
    with suppress(duckdb.Error):
        database.execute("ROLLBACK")


def _forget_in_child() -> None:
    # A forked child has DuckDB's memory but not its threads: the copies are kept, never used and never closed.
    global _files_mutex, _thread
    _of_the_parent.extend((dict(_files), _thread))
    _files.clear()
    _files_mutex = threading.Lock()
    _thread = threading.local()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
