"""Prompts grouped by meaning: planted groups come back, their names tell them apart, and what cannot be is refused."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import silhouette_score

from analysis.clusters import LEAST, cluster, named, telling_words
from data import queries
from data.imports import import_path
from data.model import Selection
from data.store import Store
from errors import NotIdentifiedError, OptionError
from studies.cluster_prompts import cluster_prompts

KINDS = {
    "poem": ["Write a short poem about {}", "Compose a sonnet describing {}", "Can you write a haiku on {}"],
    "code": ["Fix this Python function that sorts {}", "Debug my Python code which prints {}", "Python script to parse {}"],
}
THINGS = ("rain", "old trains", "the sea", "my garden", "winter", "a small dog", "mountains", "time")


def planted(rng: np.random.Generator, k: int = 3, n: int = 40, spread: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """k groups of n vectors of length 1 in 16 dimensions, and their groups."""
    centres = rng.normal(size=(k, 16))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    truth = np.repeat(np.arange(k), n)
    x = centres[truth] + spread * rng.normal(size=(k * n, 16))
    return x / np.linalg.norm(x, axis=1, keepdims=True), truth


def test_planted_groups_come_back_and_their_number_is_found() -> None:
    x, truth = planted(np.random.default_rng(1))
    found = cluster(x)
    assert found.n_prompts.tolist() == [40, 40, 40]
    assert all(len(set(found.label[truth == g])) == 1 for g in range(3))
    assert max(found.tried, key=lambda k: found.tried[k]) == 3
    assert np.all(found.cohesion > 0.9)


def test_the_silhouette_is_scikit_learns() -> None:
    x, _ = planted(np.random.default_rng(2), spread=0.4)
    found = cluster(x, 4)
    assert found.silhouette == pytest.approx(silhouette_score(x, found.label, metric="cosine"), abs=1e-10)


def test_the_same_vectors_give_the_same_groups_largest_first() -> None:
    x, _ = planted(np.random.default_rng(3), spread=0.5)
    one, two = cluster(x, 5), cluster(x, 5)
    assert one.label.tolist() == two.label.tolist()
    assert one.n_prompts.tolist() == sorted(one.n_prompts, reverse=True)


@pytest.mark.parametrize(
    ("x", "k", "error", "match"),
    [
        (np.eye(LEAST - 1), None, NotIdentifiedError, "too few to be grouped"),
        (np.tile(np.eye(3)[:1], (30, 1)), None, NotIdentifiedError, "mean the same"),
        (np.eye(30), 31, OptionError, "31 clusters: 2 to 30"),
        (np.eye(30), 1, OptionError, "1 clusters"),
    ],
)
def test_what_cannot_be_grouped_is_refused(x: np.ndarray, k: int | None, error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        cluster(x, k)


def test_telling_words_are_those_the_others_do_not_use() -> None:
    texts = ["sort a list fast", "sort the list", "list sort please", "poem on rain please", "poem on sun", "poem again"]
    words = telling_words(texts, np.array([0, 0, 0, 1, 1, 1]), 2, {"the", "please"})
    assert words == [["list", "sort"], ["poem"]]
    assert named([["a1"], [], ["a1"]]) == ["a1", "cluster 2", "a1 (3)"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("clusters")
    rows = [
        {"prompt": form.format(thing), "response_a": "one", "response_b": f"two {k}", "judge": "people", "winner": "a"}
        for k, thing in enumerate(THINGS) for forms in KINDS.values() for form in forms
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(folder / "j.csv", index=False)
    found = Store(folder / "s.duckdb")
    import_path(found, folder / "j.csv", "d")
    return found


def test_prompts_of_two_kinds_become_a_labeling_with_telling_names(store: Store) -> None:
    done = cluster_prompts(store, "d", n_clusters=2)
    assert done.labels["prompts"].tolist() == [24, 24]
    assert sum("python" in label for label in done.labels["label"]) == 1
    with store.reading() as con:
        names = queries.catalog(con, Selection("d", labeling="clusters"))
        assert list(names.scenarios) == sorted(done.labels["label"], key=lambda w: "python" in w)
        mixed = con.execute(
            "SELECT s.name LIKE '%python%' = (t.body LIKE '%Python%') AS fits, count(*) FROM prompt p "
            "JOIN scenario s USING (scenario_id) JOIN text t ON t.text_id = p.text_id GROUP BY 1 ORDER BY 1"
        ).fetchall()
    assert mixed == [(True, 48)]


def test_the_command_line_makes_shows_edits_and_deletes(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    import cli

    def run(*words: str) -> str:
        cli.app(["--db", str(store.path), *words], standalone_mode=False)
        return capsys.readouterr().out

    made = json.loads(run("labelings", "cluster", "--clusters", "2", "--name", "kinds", "-o", "json"))
    assert (made["labeling"], len(made["labels"]), made["without"]) == ("kinds", 2, 0)
    old = made["labels"][0]["label"]
    run("labelings", "rename", "kinds", old, "first kind")
    listed = json.loads(run("labelings", "--dataset", "d", "-o", "json"))["labelings"]
    assert {"labeling": "kinds", "origin": "clusters", "scenarios": 2, "prompts": 48, "unlabelled": 0} in listed
    text = run("labelings", "show", "kinds")
    assert text.startswith("prompt,label\n")
    assert text.count(",first kind\n") == 24
    edited = store.path.parent / "edited.csv"
    edited.write_text(text.replace("first kind", "verse"))
    report = json.loads(run("import", str(edited), "--dataset", "d", "--as", "labels", "-o", "json"))
    assert (report["accepted"], report["rejected"]) == (48, 0)
    run("labelings", "delete", "kinds")
    names = {row["labeling"] for row in json.loads(run("labelings", "-o", "json"))["labelings"]}
    assert "edited" in names
    assert "kinds" not in names
