"""Is a result computed once, kept within bounds, and never kept when it failed?"""

import threading

import pandas as pd
import pytest

from data.store import Store
from errors import Cancelled, NotIdentifiedError
from studies.rank import Rank
from studies.study import Result
from ui.cache import Remembered, ResultCache, size_of


def result(cells: int = 1) -> Result:
    return Result(Rank(), {"ranking": pd.DataFrame({"x": [1.0] * cells})}, {}, {}, (), "", "")


def quiet() -> None:
    pass


def test_two_who_ask_at_once_compute_once():
    cache, calls, begun, go = ResultCache(), [], threading.Event(), threading.Event()

    def compute():
        calls.append(1)
        begun.set()
        assert go.wait(10)
        return result()

    found, waits = [], threading.Event()
    first = threading.Thread(target=lambda: found.append(cache.get("key", compute, quiet)))
    second = threading.Thread(target=lambda: found.append(cache.get("key", compute, waits.set)))
    first.start()
    assert begun.wait(10)
    second.start()
    assert waits.wait(10), "the second waits, and says so"
    assert cache.get("another", result, quiet) is not None, "who asks for something else does not wait"
    go.set()
    first.join(10)
    second.join(10)
    assert len(calls) == 1
    assert found[0] is found[1]


def test_a_failure_is_not_kept_and_frees_the_key():
    cache, calls = ResultCache(), []

    def fails():
        calls.append(1)
        raise NotIdentifiedError("no")

    for _ in range(2):
        with pytest.raises(NotIdentifiedError):
            cache.get("key", fails, quiet)
    assert len(calls) == 2
    assert cache.get("key", result, quiet) is not None


def test_who_waits_may_give_up():
    cache, begun, go = ResultCache(), threading.Event(), threading.Event()

    def compute():
        begun.set()
        assert go.wait(10)
        return result()

    def give_up():
        raise Cancelled("another widget was changed")

    first = threading.Thread(target=lambda: cache.get("key", compute, quiet))
    first.start()
    assert begun.wait(10)
    with pytest.raises(Cancelled):
        cache.get("key", compute, give_up)
    go.set()
    first.join(10)
    assert cache.get("key", pytest.fail, quiet) is not None


def test_entries_and_bytes_are_bounded_the_least_used_goes_first():
    cache = ResultCache(most_bytes=1 << 30, most_entries=2)
    a = cache.get("a", result, quiet)
    cache.get("b", result, quiet)
    assert cache.get("a", pytest.fail, quiet) is a
    cache.get("c", result, quiet)
    assert len(cache) == 2
    assert cache.get("a", pytest.fail, quiet) is a
    one = size_of(result(1_000))
    assert one > 8_000
    cache = ResultCache(most_bytes=int(2.5 * one), most_entries=100)
    for key in "abcd":
        cache.get(key, lambda: result(1_000), quiet)
    assert len(cache) == 2
    assert cache.size <= 2.5 * one
    huge = cache.get("huge", lambda: result(100_000), quiet)
    assert len(huge.table()) == 100_000
    assert len(cache) == 2, "what is too large is answered but not kept"


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
