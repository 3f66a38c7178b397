"""What do the words of an address mean, whoever wrote them?"""

import pytest

from data.store import Store
from studies.simulate import add_simulated
from ui.navigation import query
from ui.view import ONLY, View, change, change_judges, find_reference, read_view


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    found = Store(tmp_path_factory.mktemp("view") / "s.duckdb")
    add_simulated(found, "world", judgments=400, models=4, judges=3, factors=0, scenarios=2, prompts=20)
    add_simulated(found, "other", judgments=200, models=3, judges=2, factors=0, scenarios=1, prompts=20, seed=1)
    return found


def test_no_words_mean_the_whole_dataset_with_people_as_the_reference(store):
    view = read_view({}, store)
    assert view.names.dataset == "world"
    assert (view.reference, view.judges) == ("people", ("people", "judge-1", "judge-2"))
    assert view.dropped == ()
    assert view.words() == {"dataset": ["world"], "judge": ["people", "judge-1", "judge-2"]}


def test_words_come_back_as_they_were(store):
    words = {
        "dataset": ["world"], "judge": ["judge-2", "people"], "scenario": ["scenario-2"], "model": ["model-01", "model-02"],
        "ties": ["drop"], "cluster": ["pair"], "level": ["0.9"],
    }  # fmt: skip
    view = read_view(words, store)
    assert view.dropped == ()
    assert view.words() == words
    assert view.reference == "judge-2"
    assert view.others == ("people",)


@pytest.mark.parametrize(
    ("words", "said", "kept"),
    [
        ({"dataset": ["gone"], "judge": ["people"]}, "There is no dataset “gone”", {}),
        ({"dataset": ["world"], "judge": ["people", "gone"]}, "no judge “gone”", {"judge": ["people"]}),
        ({"dataset": ["world"], "scenario": ["gone"]}, "no scenario “gone”", {}),
        ({"dataset": ["world"], "model": ["gone", "model-01"]}, "no model “gone”", {"model": ["model-01"]}),
        ({"dataset": ["world"], "criterion": ["gone"]}, "no criterion “gone”", {}),
        ({"dataset": ["world"], "variant": ["gone"]}, "no variant “gone”", {}),
        ({"dataset": ["world"], "ties": ["maybe"]}, "ties=maybe", {}),
        ({"dataset": ["world"], "level": ["wide"]}, "level=wide", {}),
        ({"dataset": ["world"], "level": ["1.5"]}, "level 1.5", {}),
        ({"dataset": ["world"], "since": ["yesterday-ish"]}, "is no date", {}),
    ],
)
def test_what_cannot_be_is_dropped_with_a_sentence(store, words, said, kept):
    view = read_view(words, store)
    assert len(view.dropped) == 1
    assert said in view.dropped[0]
    whole = {"dataset": ["world"], "judge": ["people", "judge-1", "judge-2"]}
    assert view.words() == whole | kept


def test_a_words_of_a_page_are_kept_for_that_page_alone(store):
    view = read_view({"dataset": ["world"], "with": ["judge-1"], "other": ["x"]}, store, ("with",))
    assert view.extra == {"with": ["judge-1"]}


def test_an_empty_store_and_none_at_all_have_an_empty_view(tmp_path):
    assert read_view({}, Store(tmp_path / "none.duckdb")) == View(())


def test_another_dataset_takes_its_names_along_but_not_how_things_are_counted():
    words = {"dataset": ["world"], "judge": ["people"], "scenario": ["x"], "ties": ["drop"], "with": ["judge-1"]}
    assert change(words, "dataset", "other") == {"dataset": ["other"], "ties": ["drop"]}
    assert change(words, "ties", None) == {k: v for k, v in words.items() if k != "ties"}
    assert change({}, "position", True) == {"position": ["true"]}
    assert change({}, "judge", ("a", "b")) == {"judge": ["a", "b"]}


@pytest.mark.parametrize(
    ("before", "reference", "others", "after"),
    [
        ({}, "people", [], ("people", "judge-1", "judge-2")),
        ({}, "people", ["judge-2"], ("people", "judge-2")),
        ({}, "people", [ONLY], ("people",)),
        ({}, "people", [ONLY, "judge-1"], ("people", "judge-1")),
        ({}, "judge-2", [], ("judge-2", "people", "judge-1")),
        ({"judge": ["people", "judge-1"]}, "judge-1", ["judge-1"], ("judge-1", "people")),
        ({"judge": ["people", "judge-1"]}, "judge-2", ["judge-1"], ("judge-2", "people", "judge-1")),
        ({}, None, [], ()),
    ],
)
def test_choosing_judges(store, before, reference, others, after):
    view = read_view({"dataset": ["world"]} | before, store)
    assert change_judges(view, reference, others) == after


def test_nobody_is_the_reference_where_nobody_or_more_than_one_is_human(store):
    with store.reading() as con:
        from data import queries

        names = queries.catalog(con, "world")
    kinds = {name: (i, "llm") for name, (i, _) in names.judges.items()}
    assert find_reference(type(names)(**{**vars(names), "judges": kinds})) is None
    kinds = {name: (i, "human") for name, (i, _) in names.judges.items()}
    assert find_reference(type(names)(**{**vars(names), "judges": kinds})) is None
    assert find_reference(type(names)(**{**vars(names), "judges": {"x": (1, "llm")}})) == "x"


def test_all_judges_go_without_saying(store):
    view = read_view({"dataset": ["world"]}, store)
    assert view.address() == {"dataset": ["world"]}
    assert query(view) == [("dataset", "world")]
    assert read_view(view.address(), store) == view
    assert query(view, judge=["people", "judge-1", "judge-2"]) == query(view), "Back would lead nowhere"
    for judges in (["people"], ["judge-1", "people", "judge-2"], ["people", "judge-2", "judge-1"]):
        chosen = read_view({"dataset": ["world"], "judge": judges}, store)
        assert chosen.address()["judge"] == judges
        assert read_view(chosen.address(), store) == chosen


def test_a_link_does_not_say_what_goes_without_saying(store):
    view = read_view({"dataset": ["world"], "ties": ["drop"]}, store)
    assert ("ties", "drop") in query(view)
    assert "ties" not in dict(query(view, ties="half")), "the page would rewrite its address, and Back lead nowhere"
    assert ("ties", "davidson") in query(view, ties="davidson")
