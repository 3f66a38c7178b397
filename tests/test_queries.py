"""What the store hands to the estimators: sums that hold every judgment once, however they are cut."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data import queries
from data.imports import import_path
from data.model import Selection
from data.queries import Counts
from data.store import Store

ROWS = """prompt,model_a,model_b,judge,annotator,p_a,weight
p1,x,y,people,ann,1,1
p1,x,y,people,bob,.5,2
p1,y,x,people,cat,.25,1
p2,x,y,people,ann,0,1
p1,x,y,robot,,.9,1
p1,x,y,people,dan,1,4
p2,x,z,robot,,0,.5
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("queries")
    path = folder / "rows.csv"
    path.write_text(ROWS)
    assert import_path(Store(folder / "s.duckdb"), path, "d").accepted == 7
    return folder / "s.duckdb"


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:
    return Store(shutil.copy(made, tmp_path / "s.duckdb"))


def fetch(store: Store, clusters: tuple[str, ...] = (), more: str = "") -> pd.DataFrame:
    """The counts of all judgments with names for ids."""
    with store.reading() as con:
        names = queries.catalog(con, "d")
        found = queries.counts(con, queries.where(Selection(dataset="d"), names) + more, clusters)
    table = pd.DataFrame(found.frame)
    models = {i: name for name, i in names.models.items()}
    judges = {i: name for name, (i, _) in names.judges.items()}
    return table.assign(a=table["a"].map(models), b=table["b"].map(models), judge=table["judge_id"].map(judges))


def summed(table: pd.DataFrame) -> dict[str, float]:
    """All sums by name: "people x>y weight" -> 9."""
    sums = table.groupby(["judge", "a", "b"])[["weight", "score", "n"]].sum().stack()
    return {f"{judge} {a}>{b} {what}": float(value) for (judge, a, b, what), value in sums.items()}


def test_counts_by_hand(store: Store) -> None:
    # The third row is turned to the order in which its pair was first seen: .25 for y is .75 for x.
    expected = {
        "people x>y weight": 9, "people x>y score": 1 + 2 * 0.5 + 0.75 + 0 + 4, "people x>y n": 5,
        "robot x>y weight": 1, "robot x>y score": 0.9, "robot x>y n": 1,
        "robot x>z weight": 0.5, "robot x>z score": 0, "robot x>z n": 1,
    }  # fmt: skip
    assert summed(fetch(store)) == pytest.approx(expected)
    assert len(fetch(store)) == 3


@pytest.mark.parametrize("clusters", [("prompt",), ("pair",), ("annotator",), ("prompt", "annotator")])
def test_clusters_part_the_counts_and_lose_nothing(store: Store, clusters: tuple[str, ...]) -> None:
    parted = fetch(store, clusters)
    assert summed(parted) == pytest.approx(summed(fetch(store)))
    direct = pd.read_csv(io.StringIO(ROWS))
    assert parted["n"].sum() == len(direct)
    if clusters == ("prompt",):
        # Codes of prompts follow a digest of what they are, not the file.
        by_prompt = parted.groupby(["judge", "prompt"])["weight"].sum().groupby("judge").apply(sorted)
        assert by_prompt.tolist() == direct.groupby(["judge", "prompt"])["weight"].sum().groupby("judge").apply(sorted).tolist()


def test_neighbours_alike_are_one_row(store: Store) -> None:
    table = fetch(store, ("prompt",), " AND judge_id = 1")
    # p1 three times, p2, p1 again: what is apart in the store stays apart.
    assert table["n"].tolist() == [3, 1, 1]
    assert table["weight"].tolist() == [4.0, 1.0, 4.0]
    assert table["score"].tolist() == pytest.approx([1 + 1 + 0.75, 0.0, 4.0])


def test_weights_of_one_are_counted_alike(store: Store) -> None:
    table = fetch(store, ("prompt",), " AND weight = 1")
    assert table["weight"].tolist() == table["n"].tolist()
    assert summed(table) == pytest.approx(summed(fetch(store, (), " AND weight = 1")))


def test_no_judgments_are_no_counts(store: Store) -> None:
    for clusters in ((), ("prompt",)):
        assert len(fetch(store, clusters, " AND weight > 10")) == 0


def test_each_judge_has_its_own_rows() -> None:
    frame = {"judge_id": np.array([1, 2, 1]), "weight": np.array([1.0, 2.0, 3.0])}
    assert Counts(frame).of(1).frame["weight"].tolist() == [1.0, 3.0]
    assert len(Counts(frame).of(3)) == 0
