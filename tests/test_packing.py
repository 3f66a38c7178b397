"""Differences that stand ready: the same numbers, dropped as soon as anything they were made from changes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from data import datasets, packing, queries
from data.imports import import_path
from data.queries import differences as rows_queries
from data.queries import packed as packed_queries
from data.queries import texts as texts_queries
from data.store import Store
from studies.extract import extract, versions
from studies.factors_fit import FactorsFit
from studies.factors_gap import FactorsGap
from studies.pack import pack
from studies.simulate import add_simulated

D = "big"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset that counts as large."""
    store = Store(tmp_path_factory.mktemp("packing") / "store.duckdb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed_queries, "PACKED_FROM", 100)
        patch.setattr(rows_queries, "PACKED_FROM", 100)
        add_simulated(store, D, judgments=3_000, models=5, judges=2, factors=4, scenarios=2)
    return store.path


@pytest.fixture
def store(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(packed_queries, "PACKED_FROM", 100)
    monkeypatch.setattr(rows_queries, "PACKED_FROM", 100)
    return Store(shutil.copy(made, tmp_path / "store.duckdb"))


def ready(store: Store) -> list[str]:
    with store.reading() as con:
        names = queries.catalog(con, D)
        return sorted(packed_queries.packed(con, names, list(texts_queries.sources(con, names, versions()).values())))


def rows(store: Store) -> int:
    with store.reading() as con:
        return int(con.execute("SELECT count(*) FROM difference").fetchall()[0][0])


def test_ready_differences_are_those_that_are_stored(store: Store) -> None:
    with store.reading() as con:
        names = queries.catalog(con, D)
        found = list(texts_queries.sources(con, names, versions()).values())
        plain = rows_queries.differences(con, names, found, "")
    assert plain.words == {}
    assert pack(store, D) == 4
    assert ready(store) == ["bold", "hedging", "lists", "words"]
    with store.reading() as con:
        packed = rows_queries.differences(con, names, found, "")
        words = texts_queries.fingerprint_words(con, names, found)
    np.testing.assert_array_equal(packed.unit, plain.unit)
    np.testing.assert_array_equal(packed.x, plain.x)
    assert packed.words == words
    for k, source in enumerate(found):
        assert packed.scales[source.name] == rows_queries.scale_of(plain.x[k])
    assert rows(store) == 4 * len(plain.unit)


def test_answers_are_the_same_to_the_last_bit(store: Store) -> None:
    before = FactorsGap(dataset=D).run(store)
    pack(store, D)
    after = FactorsGap(dataset=D).run(store)
    assert after.as_json() == before.as_json()


def test_packing_again_does_nothing(store: Store) -> None:
    assert pack(store, D) == 4
    told: list[str] = []
    assert pack(store, D, lambda share, text: told.append(text)) == 0
    assert told == ["done"]


def test_a_small_dataset_needs_none(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_queries, "PACKED_FROM", 1_000_000)
    assert pack(store, D) == 0
    assert rows(store) == 0


def test_another_import_ends_what_stood_ready(store: Store, tmp_path: Path) -> None:
    pack(store, D)
    before = FactorsFit(dataset=D, factor=("words",)).run(store)
    more = tmp_path / "more.csv"
    more.write_text(
        "prompt,judge,judge_kind,winner,model_a,model_b,words_a,words_b\n" + "".join(
            f"new {k},people,human,{'ab'[k % 2]},model-{k % 3},model-4,{900 + k},{k}\n" for k in range(40)
        )
    )  # fmt: skip
    import_path(store, more, D)
    assert ready(store) == []
    after = FactorsFit(dataset=D, factor=("words",)).run(store)
    assert after.fingerprint != before.fingerprint
    assert pack(store, D) == 4
    assert FactorsFit(dataset=D, factor=("words",)).run(store).as_json() == after.as_json()
    # Of each factor one column, not two.
    with store.reading() as con:
        n = rows_queries.n_pairs(con, queries.catalog(con, D))
    assert rows(store) == 4 * n
    datasets.undo(store, D)
    assert ready(store) == []
    assert FactorsFit(dataset=D, factor=("words",)).run(store).as_json() == before.as_json()


def test_measured_texts_end_what_stood_ready(store: Store, tmp_path: Path) -> None:
    pack(store, D)
    other = tmp_path / "texts.csv"
    other.write_text("prompt,judge,winner,response_a,response_b\nq,people,a,one two,three\n")
    import_path(store, other, "other")
    assert len(ready(store)) == 4
    extract(store, "other")
    assert ready(store) == []


def test_what_was_made_from_an_older_state_is_not_stored(store: Store) -> None:
    with store.reading() as con:
        names = queries.catalog(con, D)
        source = texts_queries.sources(con, names, versions())["words"]
        values = rows_queries.unpacked(con, names, [source]).x[0].astype(np.float32)
    scale = rows_queries.scale_of(values)
    with store.writing() as con:
        assert not packing.add_packed(con, names, source, "an older stamp", values, scale, "word")
    assert rows(store) == 0


def test_a_deleted_dataset_leaves_nothing_ready(store: Store) -> None:
    pack(store, D)
    datasets.delete(store, D)
    assert rows(store) == 0
    with store.reading() as con:
        assert con.execute("SELECT count(*) FROM packed").fetchall() == [(0,)]


def test_missing_values_stay_missing(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "holes.csv"
    lines = [f"q{k},people,human,{'ab'[k % 2]},m,n,{k if k % 5 else ''},{k % 3}\n" for k in range(150)]
    path.write_text("prompt,judge,judge_kind,winner,model_a,model_b,tone_a,tone_b\n" + "".join(lines))
    import_path(store, path, "holes")
    before = FactorsFit(dataset="holes").run(store)
    assert pack(store, "holes") == 1
    after = FactorsFit(dataset="holes").run(store)
    assert after.as_json() == before.as_json()
    assert int(after.table()["missing"].max()) == 30
