"""How large is a result, and are facts of a page asked anew after a commit?"""

import pandas as pd

from data.store import Store
from studies.rank import Rank
from studies.study import Result
from ui.cache import Remembered, size_of


def test_a_result_takes_what_its_tables_and_texts_take():
    def result(cells, caption=""):
        return Result(Rank(), {"ranking": pd.DataFrame({"x": [1.0] * cells})}, {}, {}, (), caption, "")

    assert 8_000 < size_of(result(1_000)) < 10_000
    assert size_of(result(1, "x" * 500)) == size_of(result(1)) + 500


def test_facts_are_asked_anew_after_a_commit(tmp_path):
    store, asked = Store(tmp_path / "s.duckdb"), []
    facts = Remembered(most=2)

    def ask(key):
        with store.reading() as con:
            return facts.get(
                store, key, lambda: asked.append(key) or con.execute("SELECT count(*) FROM dataset").fetchone()[0]
            )

    with store.writing():
        pass
    assert [ask("a"), ask("a")] == [0, 0]
    assert asked == ["a"]
    with store.writing() as con:
        con.execute("INSERT INTO dataset (dataset_id, name) VALUES (1, 'd')")
    assert ask("a") == 1
    ask("b"), ask("c"), ask("a")
    assert asked == ["a", "a", "b", "c", "a"]  # two are kept
