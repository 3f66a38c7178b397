"""Vectors in the store: each text once, resumable at any moment, compared as the vectors say, gone with their texts."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from forked import Child
from tiny_bert import make
from typer.testing import CliRunner

import cli
from data import datasets, embeddings, text_factors
from data.imports import import_path
from data.queries import catalog, meaning, texts
from data.queries import measuring as measuring_queries
from data.store import Store
from errors import OptionError, UnknownNameError
from studies import embed as work
from studies.embed import embed, to_embed
from studies.extract import versions
from texts.embeddings import Engine, Model, Vectors, find_model

ROOT = Path(__file__).parent.parent
HEAD = ("prompt", "model_a", "model_b", "judge", "winner", "response_a", "response_b")
ROWS = [
    ("p1", "x", "y", "people", "a", "right", "up"),
    ("p1", "x", "z", "people", "b", "right", "between"),
    ("p2", "x", "y", "people", "a", "up", "up"),
    ("p2", "y", "z", "robot", "tie", "up", "back"),
]
PLACES = {"p1": (1, 0), "p2": (0, 1), "right": (1, 0), "up": (0, 1), "between": (0.6, 0.8), "back": (-1, 0)}
COSINES = [
    ("back", "p2", 0.0), ("between", "p1", 0.6), ("right", "p1", 1.0), ("up", "p1", 0.0), ("up", "p2", 1.0),
]  # fmt: skip


class Flat:
    """An engine whose vectors are written above; unknown texts lie between."""

    dimensions, most_tokens = 2, 8

    def __init__(self) -> None:
        self.seen: list[str] = []

    def embed(self, bodies: list[str], tick: Callable[[int], None]) -> Vectors:
        self.seen += bodies
        for k in range(len(bodies) + 1):
            tick(k)
        return np.array([PLACES.get(body, (0.6, 0.8)) for body in bodies], dtype=np.float32).reshape(-1, 2)


def write(path: Path, rows: list[tuple[str, ...]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows])
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("embed")
    import_path(Store(folder / "s.duckdb"), write(folder / "rows.csv", ROWS), "d")
    return folder / "s.duckdb"


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:
    return Store(shutil.copy(made, tmp_path / "s.duckdb"))


@pytest.fixture
def flat(monkeypatch: pytest.MonkeyPatch) -> Flat:
    """The default model is this engine, and any other name a model of the same vectors."""
    engine = Flat()

    def found(asked: str | None = None) -> Model:
        return Model(f"{asked or 'usual'}@0", Path())

    monkeypatch.setattr(work, "find_model", found)
    return engine


def run(store: Store, engine: Engine, dataset: str | None = "d", model: str | None = None) -> work.Embedded:
    return embed(store, dataset, model, engine=lambda _, say: engine)


def vectors(store: Store) -> list[tuple[str, str, list[float]]]:
    with store.reading() as con:
        rows: list[tuple[str, str, list[float]]] = con.execute(
            "SELECT name, body, vector FROM embedding JOIN text USING (text_id) JOIN embedder USING (embedder_id) ORDER BY ALL"
        ).fetchall()
    return rows


def cosines(store: Store) -> list[tuple[str, str, float]]:
    with store.reading() as con:
        return [
            (a, b, round(v, 6)) for a, b, v in con.execute(
                """SELECT t.body, q.body, value FROM answer_value JOIN text t USING (text_id)
                JOIN text q ON q.text_id = prompt_text_id ORDER BY ALL"""
            ).fetchall()
        ]  # fmt: skip


# --- what is written ----------------------------------------------------------------------------------------------------


def test_every_text_gets_a_vector_once_and_every_answer_a_cosine(store: Store, flat: Flat) -> None:
    done = run(store, flat, None)
    assert (done.dataset, done.embedder, done.texts, done.values) == ("d", "usual@0", 6, 5)
    assert {(name, body): tuple(vector) for name, body, vector in vectors(store)} == {
        ("usual@0", body): tuple(np.float32(place).tolist()) for body, place in PLACES.items()
    }
    assert cosines(store) == COSINES
    again = run(store, flat)
    assert (again.texts, again.values) == (0, 0)
    assert sorted(flat.seen) == sorted(PLACES)
    assert to_embed(store, "d") == 0


def test_only_what_is_new_is_embedded(store: Store, flat: Flat, tmp_path: Path) -> None:
    run(store, flat)
    import_path(store, write(tmp_path / "more.csv", [("p3", "x", "y", "people", "a", "back", "new")]), "d")
    assert to_embed(store, "d") == 2
    assert (run(store, flat).texts, len(cosines(store))) == (2, 7)
    # An old answer to an old prompt that never met: nothing to embed, one to compare.
    import_path(store, write(tmp_path / "met.csv", [("p1", "v", "w", "people", "a", "back", "up")]), "d")
    assert to_embed(store, "d") == 1
    done = run(store, flat)
    assert (done.texts, done.values) == (0, 1)
    assert ("back", "p1", -1.0) in cosines(store)


def test_similarities_of_pairs_and_vectors_of_prompts(store: Store, flat: Flat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.reading() as con:
        assert meaning.embedder_ids(con) == {}
    run(store, flat)
    bare = tmp_path / "bare.jsonl"
    bare.write_text('{"prompt": "p9", "model_a": "x", "model_b": "y", "judge": "people", "winner": "a"}\n')
    import_path(store, bare, "d")
    for most in (100_000, 1):
        monkeypatch.setattr(meaning, "PAIRS", most)
        with store.reading() as con:
            names = catalog(con, "d")
            pairs, cosine = meaning.pair_similarity(con, names, 1)
            prompts, places = meaning.prompt_vectors(con, names, 1)
            bodies = dict(con.execute("SELECT prompt_id, body FROM prompt JOIN text USING (text_id)").fetchall())
            nobody = meaning.pair_similarity(con, names, 2)
            none, no_places = meaning.prompt_vectors(con, names, 2)
        assert pairs.dtype == np.int32
        assert pairs.tolist() == sorted(pairs.tolist())
        assert cosine.dtype == np.float64
        assert cosine == pytest.approx([0, 0.6, 1, 0], abs=1e-6)
        assert [bodies[i] for i in prompts.tolist()] == ["p1", "p2"]
        assert places.tolist() == [[1, 0], [0, 1]]
        assert (len(nobody[0]), len(nobody[1]), len(none), no_places.shape) == (0, 0, 0, (0, 0))


def test_which_answer_is_called_a_changes_no_similarity(store: Store, flat: Flat, tmp_path: Path) -> None:
    turned = [(p, b, a, j, {"a": "b", "b": "a"}.get(w, w), rb, ra) for p, a, b, j, w, ra, rb in ROWS]
    import_path(store, write(tmp_path / "turned.csv", turned), "turned")
    run(store, flat)
    run(store, flat, "turned")
    with store.reading() as con:
        one, two = (meaning.pair_similarity(con, catalog(con, name), 1)[1] for name in ("d", "turned"))
    assert np.array_equal(one, two)


def test_a_response_whose_prompt_has_no_text_is_embedded_and_compared_with_nothing(tmp_path: Path, flat: Flat) -> None:
    store, path = Store(tmp_path / "s.duckdb"), tmp_path / "ids.csv"
    path.write_text("prompt_id,model_a,model_b,judge,winner,response_a,response_b\n7,x,y,people,a,one,\n")
    import_path(store, path, "d")
    done = run(store, flat)
    assert (done.texts, done.values) == (len(flat.seen), 0)


def test_the_cosine_of_equal_directions_is_never_beyond_one(store: Store, flat: Flat) -> None:
    long = np.float32([[0.6, 0.8]]) * np.float32(1 + 1e-6)
    flat.embed = lambda bodies, tick: np.repeat(long, len(bodies), axis=0)  # type: ignore[method-assign]
    run(store, flat)
    with store.reading() as con:
        values = con.execute("SELECT max(value) FROM answer_value").fetchall()
        _, cosine = meaning.pair_similarity(con, catalog(con, "d"), 1)
    assert values == [(1.0,)]
    assert cosine.max() == 1.0


# --- by which model -----------------------------------------------------------------------------------------------------


def read(store: Store) -> tuple[int | None, str]:
    """Version and state of the similarity to the prompt as every study reads it."""
    with store.reading() as con:
        found = texts.sources(con, catalog(con, "d"), versions())
        return found["prompt_similarity"].version, texts.state(con, versions())


def test_another_model_replaces_the_similarities_and_not_the_vectors(store: Store, flat: Flat) -> None:
    run(store, flat)
    before = read(store)
    done = run(store, flat, model="other")
    assert (done.embedder, done.texts, done.values) == ("other@0", 6, 5)
    assert [name for name, _, _ in vectors(store)] == ["other@0"] * 6 + ["usual@0"] * 6
    assert cosines(store) == COSINES
    after = read(store)
    assert after[0] != before[0]
    assert after[1] != before[1]
    # Somebody chose the other model; the page does not undo that.
    assert to_embed(store, "d") == 0
    back = run(store, flat)
    assert (back.texts, back.values) == (0, 5)
    assert read(store) == before


def test_a_new_version_of_the_factor_is_compared_anew(store: Store, flat: Flat, monkeypatch: pytest.MonkeyPatch) -> None:
    run(store, flat)
    model = find_model()
    monkeypatch.setattr(work, "version_by", lambda _: {"prompt_similarity": 2 << 24 | 5})
    assert (run(store, flat).texts, len(cosines(store))) == (0, 5)
    with store.reading() as con:
        assert "prompt_similarity" not in texts.current_ids(con, versions())
        assert "prompt_similarity" in texts.current_ids(con, versions() | {"prompt_similarity": 2})
    assert model.number < 1 << texts.MODEL_BITS


# --- stopped, killed, withdrawn -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [0, 1, 3, 5, 6])
def test_what_was_embedded_before_a_stop_stays(store: Store, flat: Flat, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    monkeypatch.setattr(work, "BATCH_TEXTS", 1)

    class Stop(Exception):
        pass

    def stop(share: float, text: str) -> None:
        if (text.startswith("reading") and share * 6 >= after) or text.startswith("comparing"):
            raise Stop

    with pytest.raises(Stop):
        embed(store, "d", progress=stop, engine=lambda _, say: flat)
    kept = len(vectors(store))
    assert kept <= after
    done = run(store, flat)
    assert (done.texts, len(vectors(store))) == (6 - kept, 6)
    assert cosines(store) == COSINES


class Slow(Flat):
    """Tells of each text, some thousandths of a second after the one before."""

    def embed(self, bodies: list[str], tick: Callable[[int], None]) -> Vectors:
        for k in range(len(bodies)):
            time.sleep(0.004)
            tick(k)
        return np.array([[np.cos(len(body)), np.sin(len(body))] for body in bodies], dtype=np.float32)


@pytest.mark.slow
def test_killed_at_any_moment_only_whole_batches_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "BATCH_TEXTS", 5)
    monkeypatch.setattr(work, "ANSWERS", 7)
    monkeypatch.setattr(work, "find_model", lambda asked=None: Model("slow@0", Path()))
    rows = [(f"prompt {k}" * (k % 7 + 1), "x", "y", "people", "a", f"- a {k}", f"{k} " + "c " * k) for k in range(30)]
    whole, store = Store(tmp_path / "whole.duckdb"), Store(tmp_path / "killed.duckdb")
    for one in (whole, store):
        import_path(one, write(tmp_path / "rows.csv", rows), "d")
    rng, stopped, before = np.random.default_rng(0), 0, 0
    for _ in range(6):
        child = Child(lambda tell: embed(store, "d", progress=lambda share, text: tell(share), engine=lambda *_: Slow()))
        for _ in range(int(rng.integers(2, 45))):
            child.hear()
        time.sleep(rng.uniform(0, 0.02))
        stopped += child.kill()
        with store.reading() as con:
            n, different = con.execute("SELECT count(*), count(DISTINCT text_id) FROM embedding").fetchall()[0]
            twice = con.execute(
                "SELECT count(*) FROM (SELECT 1 FROM answer_value GROUP BY text_id, prompt_text_id HAVING count(*) > 1)"
            ).fetchall()
        assert n == different
        assert n % 5 == 0
        assert n >= before
        assert twice == [(0,)]
        before = n
    assert stopped
    for one in (whole, store):
        embed(one, "d", engine=lambda *_: Slow())
    assert vectors(store) == vectors(whole)
    assert cosines(store) == cosines(whole)
    assert len(cosines(whole)) == 60


def test_vectors_go_with_their_texts(store: Store, flat: Flat, tmp_path: Path) -> None:
    import_path(store, write(tmp_path / "more.csv", [("p3", "x", "y", "people", "a", "back", "new text")]), "d")
    run(store, flat)
    assert len(vectors(store)) == 8
    datasets.undo(store, "d")
    assert {body for _, body, _ in vectors(store)} == set(PLACES)
    assert cosines(store) == COSINES
    datasets.delete(store, "d")
    with store.reading() as con:
        for table in ("embedding", "answer_value"):
            assert con.execute(f"SELECT count(*) FROM {table}").fetchall() == [(0,)]


def test_a_number_given_out_again_gets_no_vector_of_the_text_before(store: Store, tmp_path: Path) -> None:
    with store.reading() as con:
        text_id, hashes, _ = measuring_queries.bodies(con, np.arange(1, 20, dtype=np.int32))
    datasets.delete(store, "d")
    import_path(store, write(tmp_path / "other.csv", [("q1", "x", "y", "people", "a", "quite", "different")]), "e")
    with store.writing("writing vectors") as con:
        embedder_id = embeddings.register(con, "m@0")
        assert embeddings.register(con, "m@0") == embedder_id
        assert embeddings.register(con, "n@0") == embedder_id + 1
        of = text_factors.Texts(text_id, hashes)
        assert embeddings.add_vectors(con, embedder_id, of, np.ones((len(text_id), 2), dtype=np.float32)) == 0


def test_two_runs_at_once_write_each_vector_once(store: Store) -> None:
    with store.writing("writing vectors") as con:
        text_id, hashes, _ = measuring_queries.bodies(con, np.arange(1, 20, dtype=np.int32))
        of, ones = text_factors.Texts(text_id, hashes), np.ones((len(text_id), 2), dtype=np.float32)
        embedder_id = embeddings.register(con, "m@0")
        assert embeddings.add_vectors(con, embedder_id, of, ones) == len(text_id)
        assert embeddings.add_vectors(con, embedder_id, of, ones) == 0


# --- the command line ---------------------------------------------------------------------------------------------------


def test_the_command_says_what_it_did(store: Store, tmp_path: Path) -> None:
    make(tmp_path / "tiny")
    options = ["--db", str(store.path), "factors", "embed", "--model", str(tmp_path / "tiny"), "-o", "json"]
    done = CliRunner().invoke(cli.app, options)
    assert done.exit_code == 0
    assert '"embedded": 6' in done.stdout
    assert '"compared": 5' in done.stdout
    assert '"embedder": "tiny@' in done.stdout
    assert '"embedded": 0' in CliRunner().invoke(cli.app, options).stdout


def test_what_cannot_be_done_is_refused(store: Store) -> None:
    with pytest.raises(UnknownNameError, match="no dataset is called 'dd': did you mean 'd'"):
        embed(store, "dd")
    with pytest.raises(OptionError, match="--model nobody/nothing: no folder of this name"):
        embed(store, "d", "nobody/nothing")
    assert vectors(store) == []


OFFLINE = """
import socket, sys
def refuse(*_, **__):
    raise AssertionError("the network was asked")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
import cli
sys.argv = ["cli.py", "--db", sys.argv[1], "factors", "embed", "--dataset", "d", "-o", "json"]
try:
    cli.run()
except SystemExit as end:
    assert not end.code, end.code
print([name for name in ("torch", "transformers", "sentence_transformers") if name in sys.modules], file=sys.stderr)
"""


def test_the_default_model_asks_no_network_and_waits_for_no_torch(store: Store) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, str(store.path)], cwd=ROOT, capture_output=True, text=True, timeout=120,
        env={name: value for name, value in os.environ.items() if not name.startswith("HF_")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"
    assert '"embedded": 6' in done.stdout
    assert len(vectors(store)[0][2]) == 384
