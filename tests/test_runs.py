"""Judgments that are counted as runs of ordered rows: as DuckDB counts them by group, and as one reads them by hand."""

from __future__ import annotations

import numpy as np
import pytest

from data import queries
from data.imports import import_path
from data.model import Selection
from data.queries import audit
from data.queries import places as places_queries
from data.queries.places import places
from data.queries.replies import replies
from data.queries.runs import added, runs
from data.queries.votes import voter_of
from data.store import Store

ROWS = """prompt,model_a,model_b,response_a,response_b,judge,annotator,winner,swapped,repeat,judge_kind
p1,x,y,one,two,crowd,ann,a,false,,human
p1,x,y,one,two,crowd,bob,tie,false,,human
p1,x,y,one,two,gpt,,a,false,1,llm
p1,x,y,one,two,gpt,,b,false,2,llm
p1,x,y,one,two,gpt,,a,false,3,llm
p1,x,y,one,two,gpt,,tie,true,1,llm
p2,x,y,three,four,crowd,ann,b,true,,human
p2,x,y,three,four,gpt,,refused,false,1,llm
p2,x,y,three,four,people,,a,false,,human
p2,x,y,three,four,people,,b,false,,human
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("runs")
    (folder / "rows.csv").write_text(ROWS)
    found = Store(folder / "s.duckdb")
    import_path(found, folder / "rows.csv", "d")
    return found


def test_runs_begin_where_a_column_changes() -> None:
    one, two = np.array([1, 1, 1, 2, 2]), np.array([0, 0, 5, 5, 5])
    assert runs([one, two]).tolist() == [0, 2, 3]
    assert added(np.array([1, 2, 3, 4, 5]), runs([one, two])).tolist() == [3, 3, 9]
    assert added(one, np.arange(5)) is one
    assert runs([one[:0]]).tolist() == runs([]).tolist() == []
    assert added(one[:0], runs([one[:0]])).tolist() == []


def test_replies_are_those_that_are_counted_by_group(store: Store) -> None:
    with store.reading() as con:
        names = queries.catalog(con, "d")
        condition = queries.where(Selection(dataset="d"), names, ranked=False)
        found = replies(con, names, condition)
        plain = con.sql(
            f"""SELECT judge_id, pair_id AS pair, coalesce({voter_of(names)}, 0) AS voter, shown,
                count(*) FILTER (p_a > 0.5) AS a, count(*) FILTER (p_a < 0.5) AS b, count(*) FILTER (p_a = 0.5) AS tie
            FROM judgment WHERE {condition} AND outcome <> 0 GROUP BY ALL ORDER BY ALL"""
        ).fetchnumpy()
    assert {name: found[name].tolist() for name in plain} == {name: column.tolist() for name, column in plain.items()}
    assert len(found) == 7


def test_verdicts_that_are_repeated_are_one_word(store: Store) -> None:
    with store.reading() as con:
        names = queries.catalog(con, "d")
        found = audit.shown(con, names, queries.where(Selection(dataset="d", judge=("gpt",)), names, ranked=False))
        nothing = audit.shown(con, names, "dataset_id = -1")
    # By pair and shown order, in which b first is -1: the tie of p1, its three verdicts in their order, the refusal.
    assert found.shown.tolist() == [-1, 1, 1]
    assert [found.word[0], found.word[1]] == ["t", "aba"]
    assert np.asarray(found.word.isna()).tolist() == [False, False, True]
    assert found.p[:2] == pytest.approx([0.5, 2 / 3], abs=1e-9)
    assert np.isnan(found.p[2])
    assert [found.a.tolist(), found.b.tolist(), found.tie.tolist()] == [[0, 2, 0], [0, 1, 0], [1, 0, 0]]
    assert found.none.tolist() == [0, 0, 1]
    assert len(nothing) == len(nothing.word) == 0


def test_places_that_are_not_kept_are_in_the_same_order(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with store.reading() as con:
        names = queries.catalog(con, "d")
        kept = places(con, names, "true")
        assert places(con, names, "false") is kept
        monkeypatch.setattr(places_queries, "KEPT", 0)
        alone = places(con, names, "true")
    for column, other in zip(kept.__dict__.values(), alone.__dict__.values(), strict=True):
        assert column.tolist() == other.tolist()
    assert sorted(kept.of_pair.tolist()) == [0, 1]
    with store.reading() as con:
        assert len(places(con, names, "false").pair) == 0
