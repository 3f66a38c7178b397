"""Is a long statement told about, can it be stopped, and who gets how much memory?"""

from __future__ import annotations

import itertools
import time
from pathlib import Path

import duckdb
import pytest

from data import duck
from data.duck import LEAST_WORK, told, work_memory
from data.step import Told
from data.store import Store
from errors import Cancelled

LONG = "SELECT count(*) FROM range(100000000) a, range(100000) b WHERE hash(a.range + b.range) = 1"
"""Hours."""


def test_a_result_or_an_error_of_the_work_comes_back() -> None:
    with duckdb.connect() as con:
        assert told(con, lambda: con.execute("SELECT 7").fetchall(), lambda: None) == [(7,)]
        with pytest.raises(duckdb.CatalogException, match="nowhere"):
            told(con, lambda: con.execute("FROM nowhere"), lambda: None)

        def late() -> None:
            raise TimeoutError("of the work itself")

        with pytest.raises(TimeoutError, match="of the work itself"):
            told(con, late, lambda: None)


def test_a_long_statement_is_told_about_twice_a_second_and_stops_when_the_teller_says_so() -> None:
    moments = [time.monotonic()]

    def tell() -> None:
        moments.append(time.monotonic())
        if len(moments) > 5:
            raise Cancelled

    with duckdb.connect() as con:
        with pytest.raises(Cancelled):
            told(con, lambda: con.execute(LONG).fetchall(), tell)
        # Interrupting takes as long as a part of the statement; the connection is of use afterwards.
        assert time.monotonic() - moments[-1] < 10
        assert con.execute("SELECT 1").fetchall() == [(1,)]
    gaps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    # The waits themselves, and room for a machine that does other things too.
    assert min(gaps) >= duck.PATIENCE * 0.9
    assert sorted(gaps)[len(gaps) // 2] < 0.5


def test_what_was_told_last_is_told_again() -> None:
    heard: list[tuple[float, str]] = []
    progress = Told(lambda share, text: heard.append((share, text)))
    progress(0.3, "matching")
    progress.again()
    assert heard == [(0.3, "matching")] * 2


def test_writers_take_less_memory_than_readers_unless_the_user_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JURYLENS_MEMORY", raising=False)
    store = Store(tmp_path / "s.duckdb")
    asked = "SELECT current_setting('memory_limit')"
    limits = {}
    with store.writing() as con:
        limits["writing"] = con.execute(asked).fetchall()
    with store.writing(memory=300) as con:
        limits["told"] = con.execute(asked).fetchall()
    with store.staging() as staging:
        limits["staging"] = staging.connection.execute(asked).fetchall()
    assert limits["told"] == [("300.0 MiB",)]
    assert limits["writing"] == limits["staging"]
    monkeypatch.setenv("JURYLENS_MEMORY", "5GB")
    with store.writing(memory=300) as con:
        assert con.execute(asked).fetchall() == [("4.6 GiB",)]


@pytest.mark.parametrize(
    ("ram", "mib"), [(None, LEAST_WORK), (2**29, 256), (2**31, 819), (2**33, 1024), (2**40, 52428)]
)
def test_an_import_takes_a_part_of_the_memory_but_enough(
    monkeypatch: pytest.MonkeyPatch, ram: int | None, mib: int
) -> None:
    monkeypatch.setattr(duck, "_ram", lambda: ram)
    assert work_memory() == mib
