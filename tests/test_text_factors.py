"""Measured values in the store: each text once, from where the last run stopped, and none without its text."""

from __future__ import annotations

import csv
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from forked import Child

from data import datasets, text_factors
from data.duck import SCHEMA_FOLDER, Schema
from data.imports import import_path
from data.queries import measuring
from data.queries import texts as queries
from data.store import Store
from errors import UnknownNameError
from studies.extract import extract, to_measure, versions
from texts import registry
from texts.reading import Reading

ROWS = [
    ("p1", "x", "y", "people", "a", "one two three", "- a\n- b"),
    ("p1", "x", "z", "people", "b", "one two three", "# h\n\n**b** [1]"),
    ("p2", "x", "y", "people", "a", "- a\n- b", "four"),
    ("p2", "y", "z", "robot", "tie", "four", "one two three"),
]
ROOT = Path(__file__).parent.parent
HEAD = ("prompt", "model_a", "model_b", "judge", "winner", "response_a", "response_b")
VALUES = {
    "one two three": (3, 0, 0, 0, 0), "- a\n- b": (4, 2, 0, 0, 0), "# h\n\n**b** [1]": (4, 0, 1, 1, 1), "four": (1, 0, 0, 0, 0),
}  # fmt: skip
NAMES = ("words", "lists", "headers", "bold", "citations")
ANSWER = "test_longer"
"""A factor of an answer: by how many characters it is longer than its prompt."""


def write(path: Path, rows: Sequence[tuple[str, ...]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEAD)
        writer.writerows(rows)
    return path


@pytest.fixture(autouse=True)
def few_factors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five factors of a text and one of an answer, whatever the program measures besides."""
    registry.factors()
    monkeypatch.setattr(registry, "_FACTORS", {name: registry._FACTORS[name] for name in NAMES})

    @registry.factor(ANSWER, label="Longer", group="length", unit="characters", version=1, source="here", of="answer")
    def longer(text: Reading, prompt: Reading) -> float:
        """By how much longer."""
        return float(len(text.body) - len(prompt.body)) if text.body != "four" else float("nan")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("text_factors")
    import_path(Store(folder / "s.duckdb"), write(folder / "rows.csv", ROWS), "d")
    return folder / "s.duckdb"


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:
    return Store(shutil.copy(made, tmp_path / "s.duckdb"))


def held(store: Store) -> dict[str, tuple[float, ...]]:
    """The values of each text by its body; a text that lacks one is shorter."""
    with store.reading() as con:
        rows = con.execute(
            """SELECT body, list(value ORDER BY text_factor_id) FROM text_value JOIN text USING (text_id)
            GROUP BY body ORDER BY body"""
        ).fetchall()
    return {body: tuple(values) for body, values in rows}


def held_answers(store: Store) -> list[tuple[str, str, float | None]]:
    """(response, prompt, value), once for each row."""
    with store.reading() as con:
        found: list[tuple[str, str, float | None]] = con.execute(
            """SELECT t.body, q.body, value FROM answer_value v JOIN text t USING (text_id)
            JOIN text q ON q.text_id = v.prompt_text_id ORDER BY ALL"""
        ).fetchall()
    return found


ANSWERS = [
    ("# h\n\n**b** [1]", "p1", 12.0), ("- a\n- b", "p1", 5.0), ("- a\n- b", "p2", 5.0), ("four", "p2", None),
    ("one two three", "p1", 11.0), ("one two three", "p2", 11.0),
]  # fmt: skip


def test_every_text_of_a_response_is_measured_once(store: Store) -> None:
    done = extract(store, "d")
    assert (done.texts, done.values) == (4, 20 + 6)
    assert held(store) == VALUES  # prompts' texts are not measured
    assert held_answers(store) == ANSWERS
    assert extract(store).values == 0
    assert held(store) == VALUES


def test_only_new_texts_are_measured_after_another_import(store: Store, tmp_path: Path) -> None:
    extract(store, "d")
    import_path(store, write(tmp_path / "more.csv", [("p3", "x", "y", "people", "a", "four", "new text")]), "d")
    done = extract(store, "d")
    assert (done.texts, done.values) == (2, 5 + 2)  # "four" stands beside another prompt now
    assert held(store) == VALUES | {"new text": (2, 0, 0, 0, 0)}


def test_a_text_that_two_datasets_share_is_measured_once(store: Store, tmp_path: Path) -> None:
    extract(store, "d")
    import_path(store, write(tmp_path / "two.csv", [("p9", "m", "n", "people", "a", "four", "other")]), "two")
    assert (done := extract(store, "two")).texts == 2
    assert done.values == 5 + 2


@pytest.mark.parametrize("at", [0.01, 0.3, 0.6, 0.9])
def test_what_was_measured_before_a_stop_stays(store: Store, monkeypatch: pytest.MonkeyPatch, at: float) -> None:
    monkeypatch.setattr(text_factors, "BATCH_TEXTS", 1)

    class Stop(Exception):
        pass

    def stop(share: float, text: str) -> None:
        if share > at:
            raise Stop

    with pytest.raises(Stop):
        extract(store, "d", stop)
    first, answers = held(store), held_answers(store)
    assert 5 * len(first) + len(answers) < 26
    assert extract(store, "d").values == 26 - 5 * len(first) - len(answers)
    assert held(store) == VALUES
    assert held_answers(store) == ANSWERS


def test_a_new_version_is_measured_anew_and_the_old_values_go(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    extract(store, "d")
    monkeypatch.setitem(registry._FACTORS, "bold", replace(registry._FACTORS["bold"], version=2))
    assert extract(store, "d").values == 4
    with store.reading() as con:
        assert con.execute("SELECT count(*) FROM text_value").fetchall() == [(20,)]
        assert set(queries.current_ids(con, versions())) == {*NAMES, ANSWER}
        # A program of the earlier version reads no value of the newer one.
        assert "bold" not in queries.current_ids(con, versions() | {"bold": 1})


def test_a_new_version_of_an_answers_factor_too(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    extract(store, "d")
    monkeypatch.setitem(registry._FACTORS, ANSWER, replace(registry._FACTORS[ANSWER], version=2))
    assert extract(store, "d").values == 6
    assert held_answers(store) == ANSWERS


def test_a_response_whose_prompt_has_no_text_has_no_answers_value(tmp_path: Path) -> None:
    store, path = Store(tmp_path / "s.duckdb"), tmp_path / "ids.csv"
    path.write_text("prompt_id,model_a,model_b,judge,winner,response_a,response_b\n7,x,y,people,a,one,two\n")
    import_path(store, path, "d")
    assert extract(store, "d").values == 10
    assert held_answers(store) == []
    assert to_measure(store, "d") == 0


def test_a_further_factor_is_measured_alone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    few = {name: one for name, one in registry._FACTORS.items() if name in NAMES[:3]}
    with monkeypatch.context() as before:
        before.setattr(registry, "_FACTORS", few)
        assert extract(store, "d").values == 12
    done = extract(store, "d")
    assert (done.texts, done.values) == (4, 8 + 6)
    assert held(store) == VALUES


def test_texts_of_a_withdrawn_import_and_a_deleted_dataset_leave_no_values(store: Store, tmp_path: Path) -> None:
    import_path(store, write(tmp_path / "more.csv", [("p3", "x", "y", "people", "a", "four", "new text")]), "d")
    extract(store, "d")
    assert len(held_answers(store)) == len(ANSWERS) + 2
    datasets.undo(store, "d")
    assert held(store) == VALUES
    assert held_answers(store) == ANSWERS
    datasets.delete(store, "d")
    with store.reading() as con:
        for table in ("text_value", "answer_value"):
            assert con.execute(f"SELECT count(*) FROM {table}").fetchall() == [(0,)]


def test_a_number_given_out_again_gets_no_values_of_the_text_before(store: Store, tmp_path: Path) -> None:
    """A text that was deleted while it was measured, and whose number stands for another text when it is written."""
    with store.reading() as con:
        text_id, hashes, bodies = measuring.bodies(con, np.array([3, 4, 5, 6], dtype=np.int32))
    datasets.delete(store, "d")
    import_path(store, write(tmp_path / "other.csv", [("q1", "x", "y", "people", "a", "quite", bodies[0])]), "e")
    with store.writing("writing what was measured") as con:
        ids = text_factors.register(con, versions())
        of = text_factors.Texts(text_id, hashes)
        n = text_factors.add_values(con, [ids["words"]], of, np.full((len(text_id), 1), 77.0))
    kept = {body for body, values in held(store).items() if values == (77.0,)}
    assert n == len(kept) <= 1
    assert kept <= {bodies[0]}


def test_undefined_values_are_null_and_count_as_measured(store: Store) -> None:
    with store.writing("writing") as con:
        ids = text_factors.register(con, {"words": 1})
        text_id, hashes, _ = measuring.bodies(con, np.arange(1, 20, dtype=np.int32))
        of = text_factors.Texts(text_id, hashes)
        text_factors.add_values(con, [ids["words"]], of, np.full((len(text_id), 1), np.nan))
        assert con.execute("SELECT count(*), count(value) FROM text_value").fetchall() == [(len(text_id), 0)]
        assert len(measuring.pending(con, 1, [ids["words"]])) == 0


def test_pending_names_what_each_text_lacks(store: Store) -> None:
    extract(store, "d")
    with store.writing("forgetting some") as con:
        ids = queries.current_ids(con, versions())
        con.execute(f"DELETE FROM text_value WHERE text_factor_id = {ids['lists']} AND value > 0")
        found = measuring.pending(con, 1, [ids[name] for name in NAMES])
        assert found.lacking.tolist() == [2]
        assert found.size.tolist() == [len("- a\n- b")]
        assert measuring.pending(con, 1, [None, ids["bold"]]).lacking.tolist() == [1] * 4


def test_batches_hold_each_text_once_and_stay_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_factors, "BATCH_CHARACTERS", 100)
    monkeypatch.setattr(text_factors, "BATCH_TEXTS", 7)
    rng = np.random.default_rng(0)
    size = np.r_[rng.integers(0, 60, 80), 500]
    pending = measuring.Pending(np.arange(81, dtype=np.int32), rng.integers(1, 4, 81), size)
    found = list(text_factors.batches(pending))
    assert sorted(np.concatenate([batch.text_id for batch in found]).tolist()) == list(range(81))
    for batch in found:
        assert batch.characters == size[batch.text_id].sum()
        assert len(batch.text_id) <= 7
        assert batch.characters <= 100 or len(batch.text_id) == 1
        assert set(pending.lacking[batch.text_id]) == {batch.lacking}


def test_nothing_to_measure_without_texts(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    path = tmp_path / "bare.csv"
    path.write_text("prompt,model_a,model_b,judge,winner\np1,x,y,people,a\n")
    import_path(store, path, "bare")
    assert extract(store, "bare").texts == 0


def test_an_unknown_dataset_is_refused(store: Store) -> None:
    with pytest.raises(UnknownNameError, match="no dataset is called 'dd': did you mean 'd'"):
        extract(store, "dd")


@pytest.mark.slow
# One process is every other kill of test_kill_import.
@pytest.mark.every(2, "workers", shift=1)
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_any_moment_only_whole_batches_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """Of every text all factors or none, whenever the process is killed; the rest follows."""
    monkeypatch.setattr(text_factors, "BATCH_TEXTS", 5)
    rows = [
        (f"p{k}", "x", "y", "people", "a", f"- a {k}", f"**b** {k} " + "c " * k) for k in range(40)
    ]
    whole, store = Store(tmp_path / "whole.duckdb"), Store(tmp_path / "killed.duckdb")
    for one in (whole, store):
        import_path(one, write(tmp_path / "rows.csv", rows), "d")
    rng = np.random.default_rng(workers)
    before, stopped = 0, 0
    for _ in range(3):
        child = Child(lambda tell: extract(store, "d", lambda share, text: tell(share), workers=workers))
        for _ in range(1 + int(rng.integers(1, 6))):
            child.hear()
        time.sleep(rng.uniform(0, 0.02))
        stopped += child.kill()
        sizes = {len(values) for values in held(store).values()}
        with store.reading() as con:
            for keys, table in (("text_id", "text_value"), ("text_id, prompt_text_id", "answer_value")):
                twice = f"SELECT count(*) FROM (SELECT 1 FROM {table} GROUP BY {keys}, text_factor_id HAVING count(*) > 1)"
                assert con.execute(twice).fetchall() == [(0,)]
        assert len(sizes) <= 1
        assert before <= len(held(store))
        before = len(held(store))
    assert stopped
    for one in (whole, store):
        extract(one, "d", workers=1)
    assert held(store) == held(whole)
    assert held_answers(store) == held_answers(whole)


def test_progress_tells_of_every_share(store: Store) -> None:
    told: list[float] = []
    extract(store, "d", lambda share, _: told.append(share))
    assert told[0] == 0
    assert told[-1] == 1
    assert told == sorted(told)


# --- the store's second version ---------------------------------------------------------------------------------------


@pytest.fixture
def old_schema(tmp_path: Path) -> Path:
    """The schema of version 1: without what the migrations make."""
    folder = tmp_path / "v1"
    (folder / "migrations").mkdir(parents=True)
    tables = (SCHEMA_FOLDER / "schema.sql").read_text()
    for migration in sorted((SCHEMA_FOLDER / "migrations").glob("*.sql")):
        for made in re.findall(r"^CREATE TABLE .*?;$", migration.read_text(), re.DOTALL | re.MULTILINE):
            assert made in tables
            tables = tables.replace(made, "")
    (folder / "schema.sql").write_text(tables)
    return folder


def columns(store: Store) -> list[tuple[str, str, str]]:
    with store.reading() as con:
        return con.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns ORDER BY ALL"
        ).fetchall()


def test_an_old_store_becomes_what_a_new_one_is(tmp_path: Path, old_schema: Path) -> None:
    old = Store(tmp_path / "old.duckdb", schema=old_schema)
    with old.writing("making an old store") as con:
        con.execute("INSERT INTO dataset VALUES (1, 'kept', false, now()::TIMESTAMP)")
    assert "text_value" not in {table for table, _, _ in columns(old)}
    now, new = Store(old.path), Store(tmp_path / "new.duckdb")
    with new.writing("making a new store"):
        pass
    assert columns(now) == columns(new)
    with now.reading() as con:
        assert con.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchall() == [(str(Schema.read(SCHEMA_FOLDER).version),)]
        assert con.execute("SELECT name FROM dataset").fetchall() == [("kept",)]
