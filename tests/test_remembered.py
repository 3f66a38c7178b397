"""Is what was worked out computed once, kept within bounds, asked anew after a commit, and never kept when it failed?"""

import threading
from functools import partial

import pytest

from data import queries
from data.remembered import Kept, asked_again, known, reading_state
from data.store import Store
from errors import Cancelled, NotIdentifiedError


def test_two_who_ask_at_once_compute_once():
    cache, calls, begun, go = Kept(), [], threading.Event(), threading.Event()

    def compute():
        calls.append(1)
        begun.set()
        assert go.wait(10)
        return [1]

    found, waits = [], threading.Event()
    first = threading.Thread(target=lambda: found.append(cache.get("key", compute)))
    second = threading.Thread(target=lambda: found.append(cache.get("key", compute, waiting=waits.set)))
    first.start()
    assert begun.wait(10)
    second.start()
    assert waits.wait(10), "the second waits, and says so"
    assert cache.get("another", dict) is not None, "who asks for something else does not wait"
    go.set()
    first.join(10)
    second.join(10)
    assert len(calls) == 1
    assert found[0] is found[1]


def test_a_failure_is_not_kept_and_frees_the_key():
    cache, calls = Kept(), []

    def fails():
        calls.append(1)
        raise NotIdentifiedError("no")

    for _ in range(2):
        with pytest.raises(NotIdentifiedError):
            cache.get("key", fails)
    assert len(calls) == 2
    assert cache.get("key", str) == ""


def test_who_waits_may_give_up():
    cache, begun, go = Kept(), threading.Event(), threading.Event()

    def compute():
        begun.set()
        assert go.wait(10)
        return [1]

    def give_up():
        raise Cancelled("another widget was changed")

    first = threading.Thread(target=lambda: cache.get("key", compute))
    first.start()
    assert begun.wait(10)
    with pytest.raises(Cancelled):
        cache.get("key", compute, waiting=give_up)
    go.set()
    first.join(10)
    assert cache.get("key", pytest.fail) == [1]


def test_entries_and_bytes_are_bounded_the_least_used_goes_first():
    kept = Kept(most_bytes=10)
    for key, size in (("a", 4), ("b", 4), ("a", 4), ("c", 4), ("large", 11)):
        assert kept.get(key, partial(str, key), {key: size}.__getitem__) == key
    assert (kept.size, len(kept)) == (8, 2)
    assert [kept.get(key, lambda: "new", lambda _: 1) for key in ("a", "c", "b", "large")] == ["a", "c", "new", "new"]
    few = Kept(most_entries=2)
    for key in "abac":
        few.get(key, partial(str, key))
    assert [few.knows(key) for key in "abc"] == [True, False, True]
    assert few.size == 2 * few.size // len(few), "equal entries take equal room"


def test_nothing_is_something_that_can_be_kept():
    kept, asked = Kept(), []
    assert [kept.get("key", lambda: asked.append(1)) for _ in range(2)] == [None, None]
    assert len(asked) == 1


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "s.duckdb")
    with store.writing() as con:
        con.execute("INSERT INTO dataset (dataset_id, name, simulated) VALUES (1, 'd', false)")
    return store


def test_what_is_known_of_a_store_is_asked_anew_after_a_commit(store):
    asked = []

    def names(con):
        return known("names", lambda: asked.append(1) or [row[0] for row in con.execute(
            "SELECT name FROM dataset ORDER BY dataset_id").fetchall()])  # fmt: skip

    for _ in range(2):
        with store.reading() as con, store.reading() as inner:
            assert names(con) == names(inner) == ["d"]
    assert len(asked) == 1
    with store.writing() as con:
        con.execute("INSERT INTO dataset (dataset_id, name, simulated) VALUES (2, 'e', false)")
        assert names(con) == ["d", "e"]
        with store.reading() as inner:
            con.execute("INSERT INTO dataset (dataset_id, name, simulated) VALUES (3, 'f', false)")
            assert names(inner) == ["d", "e", "f"], "what is written now is seen at once"
    with store.reading() as con:
        assert names(con) == ["d", "e", "f"]
    asked.clear()
    assert known("names", lambda: "no lease") == "no lease"


def test_names_that_are_shown_are_known_apart_from_those_of_the_files(store):
    with store.writing() as con:
        con.execute("INSERT INTO judge VALUES (1, 1, 'gpt', 'llm')")
        con.execute("INSERT INTO display (dataset_id, kind, name, shown, hidden) VALUES (1, 'judge', 'gpt', 'G', false)")
    for _ in range(2):
        for read, judge in ((store, "gpt"), (store.as_shown(), "G"), (store.as_in_files(), "gpt")):
            with read.reading() as con:
                assert list(queries.catalog(con, "d").judges) == [judge]
    with store.writing() as con:
        con.execute("UPDATE display SET shown = 'H'")
    with store.as_shown().reading() as con:
        assert list(queries.catalog(con, "d").judges) == ["H"]


def test_what_a_page_asks_will_be_asked_again() -> None:
    with reading_state(("store", 1)):
        assert [asked_again("rows"), asked_again("rows"), asked_again("votes")] == [False, True, False]
    with reading_state(("store", 2)):
        assert not asked_again("rows"), "a commit lies between"
        with reading_state(("store", 2), served=True):
            assert asked_again("others")
        assert not asked_again("more")
        with reading_state(None):
            assert [asked_again("rows"), asked_again("rows")] == [False, False], "a writer sees what changes"
