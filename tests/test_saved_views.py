"""Are views kept under a name, and are the last choices of a dataset found again?"""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import cli
import data.choices
from data import kept
from data.choices import Words, remember, remembered
from data.datasets import rename
from data.display import Changes, change
from data.imports import import_path
from data.store import Store
from errors import OptionError, ReadOnlyError, UnknownNameError
from ui.view import read_view


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two judges and people on a few pairs of three models."""
    rows = [f"q{p},m{i},m{j},{judge},{kind},{'ab'[(p + i) % 2]},{'st'[p % 2]}"
            for judge, kind in (("people", "human"), ("first", "llm"), ("second", "llm"))
            for p in range(12) for i, j in ((0, 1), (1, 2), (0, 2))]  # fmt: skip
    path = tmp_path / "d.csv"
    path.write_text("prompt,model_a,model_b,judge,judge_kind,winner,scenario\n" + "\n".join(rows) + "\n")
    store = Store(tmp_path / "s.duckdb")
    import_path(store, path, "d")
    return store


def views(store: Store) -> list[kept.SavedView]:
    with store.reading() as con:
        return kept.saved_views(con, 1)


def choices(store: Store) -> Words:
    with store.reading() as con:
        return remembered(con, store, 1)


def app_of(store: Store, monkeypatch: pytest.MonkeyPatch, page: str = "", **words: str | list[str]) -> AppTest:
    monkeypatch.setenv("JURYLENS_DB", str(store.path))
    app = AppTest.from_file(str(Path(cli.__file__).parent / "app.py"), default_timeout=60)
    if page:
        app.switch_page(f"pages/{page}.py")
    for name, value in words.items():
        app.query_params[name] = value
    return app.run()


# -- the store ------------------------------------------------------------------------------------------------------


def test_a_view_is_kept_renamed_and_deleted(store: Store) -> None:
    words = {"dataset": ["d"], "judge": ["people", "a & b=c"], "ties": ["drop"]}
    assert kept.save_view(store, "d", "  Ties \n left out ", "rankings", words) == "Ties left out"
    [one] = views(store)
    assert (one.name, one.page) == ("Ties left out", "rankings")
    assert one.words == {"judge": ["people", "a & b=c"], "ties": ["drop"]}, "the dataset may be renamed"
    for name, said in (("Ties left out", "already has a view"), (" ", "needs a name")):
        with pytest.raises(OptionError, match=said):
            kept.save_view(store, "d", name, "rankings", words)
    kept.save_view(store, "d", "Other", "judges", {})
    with pytest.raises(OptionError, match="already has a view"):
        kept.rename_view(store, "d", "Other", "Ties left out")
    assert kept.rename_view(store, "d", "Other", "Other") == "Other"
    kept.rename_view(store, "d", "Ties left out", "Without ties")
    with pytest.raises(UnknownNameError, match="did you mean 'Without ties'"):
        kept.delete_view(store, "d", "Without tie")
    kept.delete_view(store, "d", "Without ties")
    assert [one.name for one in views(store)] == ["Other"]


def test_nothing_is_kept_read_only(store: Store) -> None:
    closed = Store(store.path, read_only=True)
    with pytest.raises(ReadOnlyError):
        kept.save_view(closed, "d", "x", "rankings", {})
    with pytest.raises(ReadOnlyError):
        remember(closed, "d", {"ties": ["drop"]})


def test_choices_are_kept_until_nothing_is_chosen(store: Store) -> None:
    stamp = store.stamp()
    remember(store, "d", {"dataset": ["d"], "ties": ["drop"], "judge": ["a & b=c", ""]})
    assert choices(store) == {"ties": ["drop"], "judge": ["a & b=c", ""]}
    rename(store, "d", "e")
    assert choices(store), "whatever the dataset is called"
    stamp = store.stamp()
    remember(store, "e", {"ties": ["drop"]})
    remember(store, "e", {})
    assert choices(store) == {}
    assert store.stamp() == stamp, "to choose something is no commit: what pages have worked out stays"
    with pytest.raises(UnknownNameError):
        remember(store, "d", {})


def test_choices_belong_to_the_dataset_and_not_to_its_number(store: Store, tmp_path: Path) -> None:
    remember(store, "d", {"ties": ["drop"]})
    other = Store(tmp_path / "other.duckdb")
    import_path(other, tmp_path / "d.csv", "d")
    assert choices(other) == {}
    other.path.replace(store.path)
    assert choices(store) == {}, "another store has taken its place"


def test_a_damaged_file_of_choices_is_forgotten(store: Store) -> None:
    file = store.path.with_name(store.path.name + ".choices.json")
    for damaged in ("{", "[1]", '{"1": 2}', "\x00"):
        file.write_text(damaged)
        assert choices(store) == {}
        remember(store, "d", {"ties": ["drop"]})
        assert choices(store) == {"ties": ["drop"]}
    assert [path.name for path in file.parent.glob("*.choices.json*")] == [file.name]


def test_choices_of_datasets_that_were_chosen_long_ago_go(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data.choices, "MOST", 2)
    for name in ("e", "f"):
        import_path(store, store.path.parent / "d.csv", name)
    for name in ("d", "e", "d", "f"):
        remember(store, name, {"ties": ["drop"], "judge": [name + str(len(choices(store)))]})
    with store.reading() as con:
        assert [bool(remembered(con, store, number)) for number in (1, 2, 3)] == [True, False, True]


def test_an_address_wins_over_the_last_choices(store: Store) -> None:
    remember(store, "d", {"judge": ["first", "second"], "ties": ["drop"]})
    fresh = read_view({}, store, recall=remembered)
    assert fresh.reference == "first"
    assert fresh.study.ties == "drop"
    assert read_view({"dataset": ["d"]}, store).reference == "people"


# -- pages ----------------------------------------------------------------------------------------------------------


def test_a_visit_without_an_address_finds_the_last_choices(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    remember(store, "d", {"judge": ["first", "people", "second"]})
    change(store, "d", Changes(shown={("judge", "first"): "Number one"}))
    fresh = app_of(store, monkeypatch)
    assert fresh.sidebar.selectbox(key="w:reference").value == "Number one"
    assert dict(fresh.query_params)["judge"] == ["first", "people", "second"]
    assert "forget" in [button.key for button in fresh.sidebar.button]
    by_link = app_of(store, monkeypatch, dataset="d")
    assert by_link.sidebar.selectbox(key="w:reference").value == "people"
    assert choices(store), "a link is no choice"


def test_saved_views_are_links_that_outlive_a_new_name_of_the_dataset(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.save_view(store, "d", "Only *second*", "rankings", {"judge": ["people", "second"], "with": ["second"]})
    rename(store, "d", "e")
    overview = app_of(store, monkeypatch, dataset="e")
    assert not overview.exception
    links = [link.proto for link in overview.main.get("page_link") if "second" in link.proto.label]
    assert [(link.page, link.query_string) for link in links] == [
        ("rankings", "dataset=e&judge=people&judge=second&with=second")
    ]
    assert {"view-rename-0", "view-delete-0"} <= {button.key for button in overview.main.button}


def test_read_only_has_links_alone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.save_view(store, "d", "Mine", "data", {"ties": ["drop"]})
    monkeypatch.setenv("JURYLENS_READ_ONLY", "1")
    app = app_of(store, monkeypatch, "data", ties="drop")
    assert not app.exception
    keys = {button.key for button in [*app.sidebar.button, *app.main.button]}
    assert not keys & {"save-view", "forget", "names-save"}
    # A button on the page that the view is of, a link elsewhere.
    assert [button.label for button in app.sidebar.button].count("Mine") == 1
    app = app_of(store, monkeypatch, "judges")
    assert [link.proto.label for link in app.sidebar.get("page_link")].count("Mine") == 1
