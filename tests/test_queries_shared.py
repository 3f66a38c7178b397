"""Are the judgments on shared pairs, fetched once, those that a subquery finds, with the same counts of everything?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data import queries
from data.imports import import_path
from data.model import Selection
from data.queries import shared
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
            "scenario": np.array(["s", "t", ""])[prompt % 3],
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


def both(store: Store, judges: tuple[str, ...], ties: str = "half", **more: Any) -> tuple[SharedRows, str]:
    with store.reading() as con:
        names = queries.catalog(con, "d")
        ids = [names.judges[judge][0] for judge in judges]
        chosen = Selection(dataset="d", judge=judges, **more)
        rows = shared_rows(con, chosen, names, ties, judges)
        condition = queries.where(replace(chosen, judge=()), names, ties)
        return rows, queries.shared_pairs(condition, ids) + f" AND judge_id IN ({', '.join(map(str, ids))})"


@pytest.mark.parametrize("ties", ["half", "drop"])
@pytest.mark.parametrize("more", [{}, {"scenario": ("t",)}, {"scenario": ("t", "s"), "model": ("m1", "m2", "m4")}],
                         ids=["all", "scenario", "models"])  # fmt: skip
@pytest.mark.parametrize("judges", [("people", "robot"), ("robot", "other"), JUDGES], ids="-".join)
def test_everything_is_counted_as_by_a_subquery(
    store: Store, judges: tuple[str, ...], ties: str, more: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Asked for once, some are read; then all, of which some are taken.
    for asked in (False, True):
        monkeypatch.setattr(shared, "held_whole", lambda *_, asked=asked: asked)
        rows, condition = both(store, judges, ties, **more)
        with store.reading() as con:
            assert rows.extent == queries.extent(con, condition)
            assert 0 < rows.extent["judgments"] < queries.extent(con, "dataset_id = 2")["judgments"]
            assert rows.soft_judgments() == queries.soft_judgments(con, condition)
            between = queries.pairs_between(con, condition)
            pd.testing.assert_frame_equal(rows.pairs_between(), between, check_dtype=False)
            for clusters in (("prompt",), ("pair", "prompt")):
                for position in (False, True):
                    found = rows.pairs_in_order(con).counts(clusters, position, tied=True).frame
                    wanted = queries.counts(con, condition, clusters, position, tied=True).frame
                    assert set(found) == set(wanted)
                    for name, column in wanted.items():
                        np.testing.assert_array_equal(found[name], column, err_msg=name)


def test_all_are_read_when_some_are_asked_for_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    of = shared._read
    monkeypatch.setattr(shared, "_read", lambda *given, **more: read.append(given[1]) or of(*given, **more))  # type: ignore[func-returns-value]
    # A model that no other test asks for: what was asked before is remembered for as long as the store stays as it is.
    for k, judges in enumerate((("people", "robot"), ("people", "other"), ("robot", "other"), ("people", "robot"))):
        both(store, judges, ("half", "drop")[k % 2], model=("m0", "m5", "m3"))
    assert len(read) == 2
    assert ["judge_id" in condition for condition in read] == [True, False]
    monkeypatch.setattr(queries, "WHOLE", 100)
    for judges in (("people", "robot"), ("people", "other")):
        both(store, judges, model=("m0", "m5", "m2"))
    assert len(read) == 4


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
    rows, _ = both(store, ("people", "robot"), since="2999-01-01")
    assert set(rows.extent.values()) == {0}
    assert len(rows.counts(("prompt",))) == 0
    assert rows.soft_judgments() == {}
    assert rows.pairs_between().empty


def test_weights_are_looked_for_only_where_the_store_has_any(store: Store) -> None:
    with store.reading() as con:
        weighted = con.execute("SELECT count(*) FROM judgment WHERE weight <> 1").fetchall()[0][0] > 0
        assert queries.any_weighted(con, "dataset_id = 2") == weighted
        assert not queries.any_weighted(con, "dataset_id = 2 AND weight = 1")
