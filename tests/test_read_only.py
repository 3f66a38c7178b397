"""Read-only: nothing is changed, made or migrated, whatever is asked; everything can be looked at."""

from __future__ import annotations

import builtins
import errno
import hashlib
import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest
from streamlit.testing.v1 import AppTest

import cli
from data import locks
from data.duck import Schema
from data.store import READ_ONLY, Store
from errors import OptionError, ReadOnlyError, StoreError
from ui import session
from ui.navigation import SCREENS

ROOT = Path(cli.__file__).parent
WRITING = (
    ("import", str(ROOT / "examples" / "judgments.csv"), "--dataset", "new"),
    ("import", str(ROOT / "examples" / "judgments.csv"), "--dataset", "new", "--dry-run"),
    ("simulate", "--dataset", "new", "--judgments", "50"),
    ("datasets", "rename", "sample", "new"),
    ("datasets", "undo", "sample"),
    ("datasets", "delete", "sample", "--yes"),
    ("datasets", "own", "sample", "--none", "owl-judge"),
    ("factors", "extract", "--dataset", "sample"),
    ("factors", "embed", "--dataset", "sample"),
    ("labelings", "cluster", "--dataset", "sample"),
    ("datasets", "names", "sample", "--hide", "owl-judge"),
    ("views", "delete", "none", "--dataset", "sample"),
    ("labelings", "rename", "none", "a", "b", "--dataset", "sample"),
    ("labelings", "delete", "none", "--dataset", "sample"),
)


@pytest.fixture
def db(first_store: Path, tmp_path: Path) -> Path:
    """A store with the sample, whose texts were not measured."""
    path = tmp_path / "s.duckdb"
    shutil.copy(first_store, path)
    return path


def run(db: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: Any) -> tuple[int, str]:
    monkeypatch.setattr("sys.argv", ["cli.py", "--db", str(db), "--read-only", *words])
    code = 0
    try:
        cli.run()
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, capsys.readouterr().err.strip()


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_writing_command_is_refused_in_one_sentence(db: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    before = digest(db)
    for words in WRITING:
        code, said = run(db, words, monkeypatch, capsys)
        assert (code, words, "open read-only, so nothing was changed" in said) == (1, words, True), said
        assert "\n" not in said
    assert digest(db) == before


def test_what_only_reads_goes_on(db: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    for words in (("datasets",), ("rank", "--dataset", "sample"), ("datasets", "health", "sample")):
        assert run(db, words, monkeypatch, capsys)[0] == 0, words


def test_writing_and_staging_are_refused_where_they_begin(db: Path) -> None:
    store = Store(db, read_only=True)
    with pytest.raises(ReadOnlyError, match="open read-only"), store.writing("a change"):
        pass
    with pytest.raises(ReadOnlyError, match="open read-only"), store.staging():
        pass
    with store.reading() as con, pytest.raises(duckdb.Error, match="read-only"):
        con.execute("DELETE FROM judgment")


@pytest.mark.parametrize(("said", "meant"), [("1", True), ("yes", True), ("0", False), ("", False)])
def test_the_environment_says_so_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, meant: bool) -> None:
    monkeypatch.setenv(READ_ONLY, said)
    assert Store(tmp_path / "s.duckdb").read_only is meant
    assert not Store(tmp_path / "s.duckdb", read_only=False).read_only


def test_a_word_that_says_neither_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(READ_ONLY, "perhaps")
    with pytest.raises(OptionError, match="set it to 1 to forbid every change"):
        Store(tmp_path / "s.duckdb")


def test_an_older_store_is_refused_with_the_command_that_migrates_it(tmp_path: Path) -> None:
    schema = tmp_path / "schema"
    (schema / "migrations").mkdir(parents=True)
    (schema / "schema.sql").write_text("CREATE TABLE entry (n INTEGER)")
    store = Store(tmp_path / "s.duckdb", schema=schema)
    with store.writing("setting up"):
        pass
    before = digest(store.path)
    (schema / "migrations" / "002_more.sql").write_text("ALTER TABLE entry ADD COLUMN m INTEGER")
    Schema.read.cache_clear()
    closed = Store(store.path, schema=schema, read_only=True)
    with pytest.raises(StoreError, match=r"older Jurylens .* run python cli\.py --db \S+s\.duckdb datasets once"), closed.reading():
        pass
    assert digest(store.path) == before
    with Store(store.path, schema=schema).reading():
        pass
    with closed.reading() as con:
        con.execute("SELECT m FROM entry")


def test_a_store_that_is_not_there_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="read-only none is made"), Store(tmp_path / "s.duckdb", read_only=True).reading():
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_needs_no_lock_files(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really = builtins.open

    def no_writing(path: Any, mode: str = "r", *rest: Any, **named: Any) -> Any:
        if any(letter in mode for letter in "wax+"):
            raise OSError(errno.EROFS, "Read-only file system")
        return really(path, mode, *rest, **named)

    monkeypatch.setattr(locks, "open", no_writing, raising=False)
    with pytest.raises(StoreError, match="needs its lock file"), Store(db).reading():
        pass
    with Store(db, read_only=True, linger=1.0).reading() as con:
        assert con.execute("SELECT count(*) FROM dataset").fetchall() == [(1,)]
    assert [entry.name for entry in db.parent.iterdir()] == ["s.duckdb"]
    assert not locks.writer_waits(db)


def test_all_pages_work_and_leave_no_trace(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JURYLENS_DB", str(db))
    monkeypatch.setenv(READ_ONLY, "1")
    before = digest(db)
    for screen in SCREENS:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
        app.switch_page(screen.path)
        app.run()
        assert not app.exception, screen.title
        assert app.title, screen.title
        assert not app.get("file_uploader"), screen.title
        asked = {button.key for button in app.button}
        assert not {key for key in asked if str(key).startswith(("undo-", "rename-it", "delete-it", "measure", "embed"))}
        if screen.title == "Data":
            assert "read-only demo" in app.info[0].value
        if screen.title == "Factors":
            assert any("never measured" in one.value for one in app.info)
    assert digest(db) == before


@pytest.mark.parametrize("made", [False, True])
def test_the_app_says_what_to_do_where_there_is_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: bool) -> None:
    path = tmp_path / "empty.duckdb"
    if made:
        with Store(path).writing("an empty store"):
            pass
    monkeypatch.setenv("JURYLENS_DB", str(path))
    monkeypatch.setenv(READ_ONLY, "1")
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60).run()
    assert not app.exception
    assert "import FILE" in app.warning[0].value
    assert path.exists() is made
    assert session.store().read_only
