"""An import that is killed leaves the store as before or after: three kills here, any number in benchmarks/stress.py."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks import kills
from data.datasets import rename
from data.imports import import_path
from data.store import Store


@pytest.mark.slow
def test_three_killed_imports_leave_the_store_as_before_or_after(capsys: pytest.CaptureFixture[str]) -> None:
    assert kills.kill_imports(3, seed=1, rows=2_000) == []
    assert "3 kills of an import of 2,000 rows" in capsys.readouterr().out


@pytest.mark.slow
def test_three_killed_measurings_leave_each_text_whole_or_unmeasured(capsys: pytest.CaptureFixture[str]) -> None:
    assert kills.kill_extractions(3, seed=1, rows=120) == []
    assert "3 kills of the measuring of" in capsys.readouterr().out


def test_a_state_tells_what_an_import_changes(tmp_path: Path) -> None:
    # Otherwise "as before" would hold of anything.
    rows = "prompt,model_a,model_b,judge,winner\np,x,y,people,a\np,y,x,people,b\n"
    (tmp_path / "one.csv").write_text(rows)
    (tmp_path / "two.csv").write_text(rows + "q,x,y,people,tie\n")
    store = Store(tmp_path / "s.duckdb")
    import_path(store, tmp_path / "one.csv", "d")
    other = Store(tmp_path / "other.duckdb")
    shutil.copy(store.path, other.path)
    before = kills.State.of(store)
    assert kills.State.of(other) == before
    import_path(other, tmp_path / "two.csv", "d")
    after = kills.State.of(other)
    assert after.fingerprints != before.fingerprints
    assert after.imports != before.imports
    assert after.datasets != before.datasets
    rename(store, "d", "e")
    assert kills.State.of(store) != before


def test_an_import_that_fails_by_itself_is_no_kill(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    with pytest.raises(RuntimeError, match="the import failed without being killed"):
        kills.live(kills.Import(Store(tmp_path / "s.duckdb"), tmp_path / "bad.csv"))
