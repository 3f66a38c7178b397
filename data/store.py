"""How the judgments are kept: one DuckDB file that many may read and one may write.

Everything goes through leases (`reading`, `writing`), across threads and processes. A lease lasts as long as
DuckDB reads or writes: fetch everything, leave, then compute and draw. No cursor, relation or stream leaves its
lease; a thread started inside a lease takes no part in it; nobody opens the store's file by other means, not even
to hash or copy it, because any other open and close of it in this process silently drops DuckDB's own lock.
"""

from __future__ import annotations

import atexit
import os
import shlex
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from copy import copy
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from data import shown_names
from data.duck import (
    SCHEMA_FOLDER,
    Schema,
    explained,
    open_file,
    roll_back,
    staging_configuration,
    who_has_it_open,
    work_memory,
    writable,
)
from data.locks import PATIENCE, Wait, exclusive_lease, shared_lease, writer_waits
from data.remembered import reading_state
from data.staging import Staging, remove_leftovers, staging_beside
from errors import OptionError, ReadOnlyError, StoreError

READ_ONLY = "JURYLENS_READ_ONLY"
"""The environment variable that forbids every change to the stores of a process and of those it starts."""

LOOK = 0.05
"""Seconds between two looks at whether somebody wants to write a store that was left open."""

BETWEEN = 1.0
"""Seconds that work which reads several times leaves DuckDB open between two of its reads: to open it takes longer than
most questions, and a program that knows nothing of leases should not be kept out while a fit takes minutes."""


@dataclass
class _File:
    """What all threads of this process know together about one store file.

    database, users : the read-only database, and how many cursors are on it
    writing : a thread has it open for writing
    escaped : a stream was left open, which holds the file although every connection is closed
    identity : which file the database is; closes_at : when it may be closed if nobody reads (monotonic seconds)
    watcher : the thread that looks after that, while there is one
    """

    mutex: threading.Lock = field(default_factory=threading.Lock)
    database: duckdb.DuckDBPyConnection | None = None
    users: int = 0
    writing: bool = False
    escaped: bool = False
    identity: tuple[int, int] | None = None
    closes_at: float = 0.0
    watcher: threading.Thread | None = None

    def close(self) -> None:
        """Close the read-only database; the caller holds the mutex, and nobody has a cursor."""
        if self.database is not None:
            self.database.close()
            self.database = None


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
_ended = threading.Event()
"""Python is about to end."""
_of_the_parent: list[object] = []
_open_in_parent: set[Path] = set()


class Store:
    """One store: a path, and the only ways to its rows.

    path : absolute, links resolved
    patience : seconds a lease is waited for before StoreBusyError
    schema : folder with `schema.sql` and `migrations/NNN_*.sql`
    linger : seconds that DuckDB stays open after the last reader, so that a page which reads again need not open it
        and read it from disk again. It gives way to a writer within a tenth of a second.
    read_only : nothing is changed, made or migrated; None: as JURYLENS_READ_ONLY says. A store of one's own in a
        temporary folder says False.
    """

    def __init__(
        self, path: str | os.PathLike[str], *, patience: float = PATIENCE, schema: Path = SCHEMA_FOLDER,
        linger: float = 0.0, read_only: bool | None = None,
    ) -> None:  # fmt: skip
        self.path = Path(os.path.realpath(Path(path).expanduser()))
        self.patience = patience
        self.linger = linger
        self.read_only = read_only_asked() if read_only is None else read_only
        self.shown = False
        self._schema = Schema.read(schema)

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r})"

    def as_shown(self) -> Store:
        """The same store, read with the names under which judges and models are shown to people."""
        store = copy(self)
        store.shown = True
        return store

    def as_in_files(self) -> Store:
        """The same store, read with the names of the files."""
        store = copy(self)
        store.shown = False
        return store

    def exists(self) -> bool:
        """Whether there is a file at the path. Whether it is a store shows when it is opened."""
        return os.path.isfile(self.path)

    def stamp(self) -> tuple[int, ...] | None:
        """What changes with every commit; None without a file. Read it inside a lease."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        stamp = found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
        try:
            # A writer that was killed after its commit leaves what it wrote in a file of its own.
            log = self.path.with_name(self.path.name + ".wal").stat()
        except OSError:
            return stamp
        return *stamp, log.st_mtime_ns, log.st_size

    @contextmanager
    def kept_open(self) -> Iterator[Store]:
        """The same store for work that reads several times: DuckDB is opened once for reads that follow each other,
        gives way to a writer in between, and is closed at the end of the block unless the store lingers anyway.

        No lease: what is read twice in the block may have changed meanwhile.
        """
        if self.linger:
            yield self
            return
        store = copy(self)
        store.linger = BETWEEN
        try:
            yield store
        finally:
            file = self._file()
            with file.mutex:
                if not file.users:
                    file.close()

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
            with reading_state(None):
                yield own.writer
            return
        with ExitStack() as lease:
            file = self._file()
            cursor = self._join(own, file, purpose, lease)
            own.readers += 1
            try:
                state = str(self.path), self.stamp(), self.shown
                with explained(self.path), reading_state(state, served=self.linger > BETWEEN):
                    if self.shown:
                        shown_names.use(cursor)
                    yield cursor
            finally:
                own.readers -= 1
                escaped = _leave(self.path, file, cursor, self.linger)
            if escaped:
                raise StoreError(
                    f"{self.path}: '{purpose}' left a stream open: read it to its end, or close it, inside the lease"
                )

    @contextmanager
    def writing(
        self, purpose: str = "writing", *, memory: int | None = None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """The only connection there is, inside one transaction: committed at the end of the block, rolled back on
        any exception, which is then raised again. The file is made when it is missing, and appears, complete, with
        the first commit: a block that fails leaves no empty store behind.

        memory : MiB that DuckDB may take where JURYLENS_MEMORY does not say; None: what writers usually may
        Raises ReadOnlyError where nothing may be changed; StoreError inside reading or writing of the same thread (a
        lease cannot grow, and one transaction cannot hold another), and as `reading` does; StoreBusyError when others
        hold it for longer than the patience.
        """
        self.refuse_to_change(purpose)
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
            create = not self._is_there()
            if create:
                with writable(self.path):
                    self._nursery.mkdir()
            try:
                with explained(self.path), self._database(create, wait, memory or work_memory()) as database:
                    database.execute("BEGIN TRANSACTION")
                    if create:
                        self._schema.create(database)
                    own.writer = database
                    try:
                        with reading_state(None):
                            yield database
                    finally:
                        own.writer = None
                    try:
                        database.execute("COMMIT")
                    except duckdb.ResourceInUseException as error:
                        raise StoreError(
                            f"{self.path}: '{purpose}' left a stream open, so nothing was written: read it to its "
                            "end, or close it, inside the lease"
                        ) from error
                    if create:
                        database.execute("CHECKPOINT")
                if create:
                    self._publish()
            finally:
                if create:
                    shutil.rmtree(self._nursery, ignore_errors=True)

    @contextmanager
    def staging(self) -> Iterator[Staging]:
        """A DuckDB file and a scratch folder beside the store, outside every lease; both removed at the end.

        Raises ReadOnlyError where nothing may be changed: what is staged is on its way into the store.
        """
        self.refuse_to_change("reading files for an import")
        self._check_place()
        with explained(self.path, files=False), staging_beside(self.path, staging_configuration()) as staging:
            yield staging

    def refuse_to_change(self, purpose: str) -> None:
        """Raises ReadOnlyError where nothing may be changed: before long work of which nothing could be kept."""
        if self.read_only:
            raise ReadOnlyError(
                f"{self.path.name} is open read-only, so nothing was changed ({purpose}): "
                f"to change it, start without --read-only and with {READ_ONLY} unset"
            )

    @property
    def _nursery(self) -> Path:
        # A folder rather than another name: DuckDB names a catalog after its file.
        return self.path.with_name(self.path.name + ".new")

    @property
    def _quoted(self) -> str:
        return shlex.quote(str(self.path))

    def _own(self) -> _Own:
        owns: dict[Path, _Own] | None = getattr(_thread, "owns", None)
        if owns is None:
            owns = _thread.owns = {}
        return owns.setdefault(self.path, _Own())

    def _file(self) -> _File:
        with _files_mutex:
            return _files.setdefault(self.path, _File())

    def _check_place(self) -> None:
        if self.path in _open_in_parent:
            raise StoreError(
                f"{self.path} was open when this process was forked, and cannot be used in the fork: "
                "fork outside the lease, or start a new process instead (multiprocessing: 'spawn')"
            )
        if not os.path.isdir(self.path.parent):
            raise StoreError(
                f"there is no folder {self.path.parent} to keep the store {self.path.name} in: make it first"
            )
        if self._is_there() and self.path.is_dir():
            raise StoreError(
                f"{self.path} is a folder, not a store: name a file in it, such as {self.path.name}/my.duckdb"
            )

    def _is_there(self) -> bool:
        try:
            self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise StoreError(
                f"{self.path} cannot be looked at ({error.strerror}): get the right to, or name another store"
            ) from error
        return True

    def _join(self, own: _Own, file: _File, purpose: str, lease: ExitStack) -> duckdb.DuckDBPyConnection:
        """A cursor on this process's read-only database, behind a lease unless this thread has one already."""
        wait = Wait.begin(self.path, f"reading '{purpose}'", self.patience)
        if own.readers:
            return self._cursor(file, wait)
        while True:
            if not self._is_there():
                if self.read_only:
                    raise StoreError(
                        f"there is no store at {self.path}, and read-only none is made: name another with --db or "
                        f"JURYLENS_DB, or import a file first: python cli.py --db {self._quoted} import FILE "
                        f"--dataset NAME (with {READ_ONLY} unset)"
                    )
                raise StoreError(f"there is no store at {self.path}: import a file first")
            self._check_place()
            with ExitStack() as attempt:
                attempt.enter_context(shared_lease(self.path, purpose, wait, must=not self.read_only))
                if self._is_there():
                    try:
                        cursor = self._cursor(file, wait)
                    except _Outdated:
                        if self.read_only:
                            raise StoreError(
                                f"{self.path} was written by an older Jurylens and must be brought up to date first, "
                                f"which read-only forbids: run python cli.py --db {self._quoted} datasets once (with "
                                f"{READ_ONLY} unset), then start read-only again"
                            ) from None
                    else:
                        lease.push(attempt.pop_all())
                        return cursor
            if self._is_there():
                with self.writing(f"migrating for '{purpose}'"):
                    pass

    def _cursor(self, file: _File, wait: Wait) -> duckdb.DuckDBPyConnection:
        with file.mutex, explained(self.path):
            if file.database is not None and not file.users and file.identity != _identity(self.path):
                # Another file has taken the place of the one that was left open.
                file.close()
            if file.database is None:
                identity = _identity(self.path)
                database = self._connect(self.path, wait, True)
                try:
                    if self._schema.is_outdated(database, self.path):
                        raise _Outdated
                except BaseException:
                    database.close()
                    raise
                file.database, file.identity = database, identity
            cursor = file.database.cursor()
            file.users += 1
            return cursor

    def _connect(
        self, path: Path, wait: Wait, read_only: bool, memory: int | None = None
    ) -> duckdb.DuckDBPyConnection:
        """Open DuckDB; wait while a program that knows nothing of leases has the file open."""
        file = self._file()
        while True:
            try:
                database = open_file(
                    path, read_only, memory=memory, give_up=wait.left if file.escaped else None,
                    beside=not self.read_only,
                )  # fmt: skip
                file.escaped = False
                return database
            except duckdb.Error as error:
                holder = who_has_it_open(error)
                if holder is None:
                    raise
                wait.check(holder)
                time.sleep(0.05)

    @contextmanager
    def _database(self, create: bool, wait: Wait, memory: int) -> Iterator[duckdb.DuckDBPyConnection]:
        """The file opened for its one writer, migrated; closed at the end, its transaction rolled back if open."""
        file = self._file()
        with file.mutex:
            if not file.users:
                file.close()
        database = self._connect(self._nursery / self.path.name if create else self.path, wait, False, memory)
        file.writing = True
        try:
            if not create:
                # Nobody else has the store open: what spilled beside it is of a process that died.
                shutil.rmtree(self.path.with_name(self.path.name + ".tmp"), ignore_errors=True)
                self._schema.migrate(database, self.path)
            yield database
        finally:
            file.escaped |= roll_back(database)
            database.close()
            file.writing = False

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


def read_only_asked() -> bool:
    """Whether JURYLENS_READ_ONLY says so. Raises OptionError for a word that says neither yes nor no."""
    said = os.environ.get(READ_ONLY, "").strip().lower()
    if said in ("1", "true", "yes", "on"):
        return True
    if said in ("", "0", "false", "no", "off"):
        return False
    raise OptionError(f"{READ_ONLY} is {said!r}: set it to 1 to forbid every change, or to 0, or unset it")


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file stands at the path."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _leave(path: Path, file: _File, cursor: duckdb.DuckDBPyConnection, linger: float) -> bool:
    """Close a cursor, and the database some time after the last one; True when a stream was left open."""
    with file.mutex:
        escaped = roll_back(cursor)
        file.escaped |= escaped
        cursor.close()
        file.users -= 1
        if file.users == 0:
            if escaped or not linger:
                file.close()
            else:
                file.closes_at = time.monotonic() + linger
                if file.watcher is None:
                    watch = threading.Thread(target=_close_in_time, args=(path, file), daemon=True, name="linger")
                    file.watcher = watch
                    watch.start()
    return escaped


def _close_in_time(path: Path, file: _File) -> None:
    """Close the database that nobody reads when its time has come, or somebody wants to write."""
    while True:
        ended = _ended.wait(LOOK)
        wanted = True
        with suppress(StoreError):
            wanted = writer_waits(path)
        with file.mutex:
            if file.users == 0 and (wanted or time.monotonic() >= file.closes_at):
                file.close()
            if ended or file.database is None:
                file.watcher = None
                return


@atexit.register
def _close_idle() -> None:
    # A thread that Python leaves standing keeps DuckDB's module alive, which then reports leaks in the terminal.
    _ended.set()
    watchers = [file.watcher for file in _files.values()]
    for watcher in watchers:
        if watcher is not None:
            watcher.join(1.0)
    for file in _files.values():
        with file.mutex:
            if not file.users:
                file.close()


def _forget_in_child() -> None:
    # A forked child has a copy of DuckDB's memory without its threads. The copy is kept, never used and never
    # closed; DuckDB would hand it out again for the same file, however much the file has changed since.
    global _files_mutex, _thread, _ended
    _of_the_parent.extend((dict(_files), _thread))
    _open_in_parent.update(path for path, file in _files.items() if file.database is not None or file.writing)
    _files.clear()
    _files_mutex = threading.Lock()
    _thread = threading.local()
    _ended = threading.Event()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
