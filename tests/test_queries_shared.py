"""Are the judgments on shared pairs, fetched once, those that a subquery finds, with the same counts of everything?"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data import queries
from data.imports import import_path
from data.model import Selection
from data.queries.shared import SharedRows, shared_rows
from data.store import Store

JUDGES = ("people", "robot", "other")


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "weighted"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Pairs that some of three judges judged, often several times, soft and hard, before which another dataset is."""
    rng = np.random.default_rng(0)
    n = 1200
    prompt, a = rng.integers(40, size=n), rng.integers(6, size=n)
    table = pd.DataFrame(
        {
            "prompt": np.char.add("p", prompt.astype(str)),
            "model_a": np.char.add("m", a.astype(str)),
            "model_b": np.char.add("m", ((a + 1 + rng.integers(5, size=n)) % 6).astype(str)),
            "judge": np.array(JUDGES)[rng.choice(3, size=n, p=[0.6, 0.3, 0.1])],
            "p_a": rng.choice([0, 0.5, 1, 0.8], size=n),
            "swapped": rng.choice(["true", "false", ""], size=n),
            "repeat": np.arange(n),
        }
    )
    table["annotator"] = np.where(table["judge"] == "people", rng.choice(["x", "y", ""], size=n), "")
    table["judge_kind"] = np.where(table["judge"] == "people", "human", "llm")
    if request.param:
        table["weight"] = rng.choice([1, 2.5], size=n)
    folder = tmp_path_factory.mktemp("shared")
    table.to_csv(folder / "d.csv", index=False)
    table.head(100).to_csv(folder / "before.csv", index=False)
    store = Store(folder / "s.duckdb")
    for name in ("before", "d"):
        assert import_path(store, folder / f"{name}.csv", name).rejected == 0
    return store


def both(store: Store, judges: tuple[str, ...], ties: str = "half", more: str = "") -> tuple[SharedRows, str]:
    with store.reading() as con:
        names = queries.catalog(con, "d")
        ids = [names.judges[judge][0] for judge in judges]
        condition = queries.where(Selection(dataset="d"), names, ties) + more
        rows = shared_rows(con, condition, ids)
        chosen = ", ".join(map(str, ids))
        return rows, queries.shared_pairs(condition, ids) + f" AND judge_id IN ({chosen})"


@pytest.mark.parametrize("ties", ["half", "drop"])
@pytest.mark.parametrize("judges", [("people", "robot"), ("robot", "other"), JUDGES])
def test_everything_is_counted_as_by_a_subquery(store: Store, judges: tuple[str, ...], ties: str) -> None:
    rows, condition = both(store, judges, ties)
    with store.reading() as con:
        assert rows.extent == queries.extent(con, condition)
        assert 0 < rows.extent["judgments"] < queries.extent(con, "dataset_id = 2")["judgments"]
        assert rows.soft_judgments() == queries.soft_judgments(con, condition)
        pd.testing.assert_frame_equal(rows.pairs_between(), queries.pairs_between(con, condition), check_dtype=False)
        for clusters in (("prompt",), ("pair", "prompt")):
            for position in (False, True):
                found = rows.pairs_in_order(con).counts(clusters, position, tied=True).frame
                wanted = queries.counts(con, condition, clusters, position, tied=True).frame
                assert set(found) == set(wanted)
                for name, column in wanted.items():
                    np.testing.assert_array_equal(found[name], column, err_msg=name)


def test_judgments_without_an_annotator_stand_for_themselves(store: Store) -> None:
    rows, condition = both(store, ("people", "robot"))
    with store.reading() as con:
        wanted = queries.counts(con, condition, ("annotator",)).frame
    found = rows.counts(("annotator",)).frame
    unnamed = found["annotator"] < 0
    assert unnamed.sum() == rows.extent["unnamed"] == len(np.unique(found["annotator"][unnamed]))
    # Their codes differ from the store's, which only have to differ from one another.
    np.testing.assert_array_equal(unnamed, wanted["annotator"] < 0)
    np.testing.assert_array_equal(found["annotator"][~unnamed], wanted["annotator"][~unnamed])
    np.testing.assert_array_equal(found["score"], wanted["score"])


def test_judges_without_a_pair_in_common_share_nothing(store: Store) -> None:
    rows, _ = both(store, ("people", "robot"), more=" AND prompt_id = -1")
    assert set(rows.extent.values()) == {0}
    assert len(rows.counts(("prompt",))) == 0
    assert rows.soft_judgments() == {}
    assert rows.pairs_between().empty


def test_weights_are_looked_for_only_where_the_store_has_any(store: Store) -> None:
    with store.reading() as con:
        weighted = con.execute("SELECT count(*) FROM judgment WHERE weight <> 1").fetchall()[0][0] > 0
        assert queries.any_weighted(con, "dataset_id = 2") == weighted
        assert not queries.any_weighted(con, "dataset_id = 2 AND weight = 1")
