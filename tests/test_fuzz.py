"""Damaged files meet a sentence or an import that adds up, whatever is wrong with them; see benchmarks/fuzz.py."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks import fuzz
from benchmarks.damaged_files import GOOD, HEADER, KINDS, Damaged, damaged
from benchmarks.kills import State
from data.store import Store


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(scope="module")
def store(folder: Path) -> Store:
    return fuzz.prepare(folder)


# Halves, so that two workers can share them.
@pytest.mark.slow
@pytest.mark.parametrize("half", [0, 1])
def test_a_damaged_file_of_each_kind(store: Store, folder: Path, half: int) -> None:
    outcomes, before = set(), State.of(store)
    for seed in range(half, len(KINDS), 2):
        file = damaged(seed)
        outcome, wrong = fuzz.try_file(store, folder, file, before)
        assert wrong == [], (seed, file.kind, file.name)
        outcomes.add(outcome)
    assert outcomes == {"refused", "taken"}


def test_the_same_seed_gives_the_same_file_and_all_kinds_come_in_turn() -> None:
    assert damaged(3) == damaged(3)
    assert damaged(3).content != damaged(3 + len(KINDS)).content
    assert {damaged(seed).kind for seed in range(len(KINDS))} == set(KINDS)


@pytest.mark.parametrize(
    ("content", "whole", "said"),
    [
        ("prompt,model_a,model_b,judge,winner\ngood prompt 0,x,y,people,a\nq,x,y,people,banana\n", True, "missing"),
        ("prompt,model_a,model_b,judge,winner\ngood prompt 0,x,y,people,a\n", False, "missing without a word"),
    ],
)
def test_a_lost_row_is_told(store: Store, folder: Path, content: str, whole: bool, said: str) -> None:
    # Otherwise every file would pass.
    _, wrong = fuzz.try_file(store, folder, Damaged("ragged_rows", "a.csv", content.encode(), 2, whole))
    assert [said in one for one in wrong] == [True]


def test_a_traceback_is_told(store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(fuzz, "import_path", fail)
    assert fuzz.try_file(store, folder, damaged(0)) == ("broken", ["ZeroDivisionError: oops"])


CELL = st.one_of(st.sampled_from(["a", "b", "tie", "people", "", "1", "nan", '"', "x,y", "a\nb"]), st.text(max_size=12))
ROW = st.lists(CELL, min_size=len(HEADER), max_size=len(HEADER))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=st.lists(ROW, max_size=6), at=st.integers(0, 6))
def test_any_rows_beside_good_ones(store: Store, folder: Path, rows: list[list[str]], at: int) -> None:
    good = [[f"{GOOD}{k}", "m1", "m2", f"x{k}", f"y{k}", "people", "a", ""] for k in range(3)]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([HEADER, *rows[:at], *good, *rows[at:]])
    content = out.getvalue().encode("utf-8", "replace")
    _, wrong = fuzz.try_file(store, folder, Damaged("rows", "rows.csv", content, 3, True), State.of(store))
    assert wrong == []
