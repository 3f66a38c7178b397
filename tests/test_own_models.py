"""Which models are a judge's own: what a dataset says, what comes before it, and what a result then rests on."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

import cli
from analysis.own_models import find_own
from data import datasets
from data.duck import SCHEMA_FOLDER
from data.imports import import_path
from data.own_models import set_own
from data.store import Store
from errors import UnknownNameError
from studies.audit import Audit
from studies.own_models import own_table


@pytest.fixture
def store(tmp_path: Path) -> Store:
    rows = [{"prompt": f"p{k}", "judge": judge, "model_a": f"gpt-{k % 2}", "model_b": "claude", "winner": "ab"[k % 2]}
            for k in range(20) for judge in ("human", "gpt", "other")]  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "d.csv", index=False)
    store = Store(tmp_path / "s.duckdb")
    import_path(store, tmp_path / "d.csv", "d")
    return store


def own(store: Store, **options: tuple[str, ...]) -> tuple[list[tuple[str, str, str]], str]:
    result = Audit(dataset="d", **options).run(store)
    return [tuple(row) for row in result.table("own_models").itertuples(index=False)], result.fingerprint


def test_what_is_told_comes_before_the_dataset_and_that_before_names(store: Store) -> None:
    guessed = [("gpt", "gpt-0", "guessed from the names"), ("gpt", "gpt-1", "guessed from the names")]
    assert own(store)[0] == guessed
    set_own(store, "d", {"gpt": ["claude", "gpt-1", "claude"]})
    assert own(store)[0] == [("gpt", "claude", "as the dataset says"), ("gpt", "gpt-1", "as the dataset says")]
    assert own(store, own=("gpt=gpt-0",))[0] == [("gpt", "gpt-0", "as told")]
    set_own(store, "d", {"gpt": []})
    assert own(store)[0] == []
    assert own_table(store, "d").iloc[0].to_dict() == {"judge": "gpt", "model": None, "because": "the dataset says none"}
    set_own(store, "d", {"gpt": None})
    assert own(store)[0] == guessed


def test_find_own_takes_the_dataset_before_an_attribute() -> None:
    found = find_own({"j": "x"}, {"m": "x", "n": None}, {}, {"j": ["n"]})
    assert [(one.model, one.because) for one in found] == [("n", "as the dataset says")]


def test_a_result_says_that_it_rests_on_something_else(store: Store) -> None:
    before = own(store)[1]
    study = Audit(dataset="d").resolve(store)

    def stamp() -> str:
        from data import queries

        with store.reading() as con:
            return study.stamp(con, queries.catalog(con, "d"))

    stamped = stamp()
    set_own(store, "d", {"other": ["claude"]})
    after = own(store)[1]
    assert after != before
    assert stamp() != stamped
    # Of another judge alone nothing has changed.
    assert own(store, judge=("human", "gpt"))[1] != after
    set_own(store, "d", {"other": None})
    assert (own(store)[1], stamp()) == (before, stamped)


def test_it_stays_with_its_dataset_and_goes_with_it(store: Store, tmp_path: Path) -> None:
    set_own(store, "d", {"gpt": ["claude"]})
    datasets.rename(store, "d", "e")
    assert own_table(store, "e")["model"].tolist() == ["claude"]
    # An import of other judges that is withdrawn changes nothing of it.
    pd.DataFrame([{"prompt": "q", "judge": "new", "model_a": "x", "model_b": "y", "winner": "a"}]).to_csv(
        tmp_path / "more.csv", index=False
    )
    import_path(store, tmp_path / "more.csv", "e")
    set_own(store, "e", {"new": ["x"]})
    datasets.undo(store, "e")
    assert own_table(store, "e")["model"].tolist() == ["claude"]
    datasets.delete(store, "e")
    with store.reading() as con:
        assert con.execute("SELECT count(*) FROM own_model").fetchall() == [(0,)]


def test_nothing_is_written_where_a_name_is_wrong(store: Store) -> None:
    with pytest.raises(UnknownNameError, match="model in dataset 'd'"):
        set_own(store, "d", {"gpt": ["claude"], "other": ["clyde"]})
    with pytest.raises(UnknownNameError, match="judge in dataset 'd'"):
        set_own(store, "d", {"gtp": []})
    assert own(store)[0][0][2] == "guessed from the names"


def test_the_command_says_lists_and_takes_back(store: Store) -> None:
    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(cli.app, ["--db", str(store.path), "datasets", "own", "d", *words, "-o", "json"])
        return done.exit_code, done.stdout if done.exit_code == 0 else str(done.exception)

    assert len(json.loads(run()[1])["own_models"]) == 2
    code, text = run("--own", "gpt=claude", "--none", "other")
    assert (code, json.loads(text)["own_models"]) == (0, [
        {"judge": "gpt", "model": "claude", "because": "as the dataset says"},
        {"judge": "other", "because": "the dataset says none"},
    ])  # fmt: skip
    assert "two things at once are said of 'gpt'" in run("--own", "gpt=claude", "--forget", "gpt")[1]
    assert "JUDGE=MODEL" in run("--own", "gpt")[1]
    assert len(json.loads(run("--forget", "gpt", "--forget", "other")[1])["own_models"]) == 2


def test_an_older_store_gets_the_table(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "schema"
    (folder / "migrations").mkdir(parents=True)
    made = re.findall(r"^CREATE TABLE .*?;$", (SCHEMA_FOLDER / "migrations" / "005_own_models.sql").read_text(), re.M)
    tables = (SCHEMA_FOLDER / "schema.sql").read_text()
    assert len(made) == 1
    later = (SCHEMA_FOLDER / "migrations" / "006_shown_and_kept.sql").read_text()
    for table in (*made, *re.findall(r"^CREATE TABLE .*?;$", later, re.M | re.S)):
        assert table in tables
        tables = tables.replace(table, "")
    (folder / "schema.sql").write_text(tables)
    for migration in sorted((SCHEMA_FOLDER / "migrations").glob("00[1-4]*.sql")):
        (folder / "migrations" / migration.name).write_text(migration.read_text())
    old = Store(tmp_path / "old.duckdb", schema=folder)
    import_path(old, tmp_path / "d.csv", "d")
    set_own(Store(tmp_path / "old.duckdb"), "d", {"gpt": ["claude"]})
    assert own_table(Store(tmp_path / "old.duckdb"), "d")["model"].tolist() == ["claude"]


def test_the_page_saves_and_takes_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JURYLENS_DB", str(store.path))
    app = AppTest.from_file(str(Path(cli.__file__).parent / "app.py"), default_timeout=60)
    app.switch_page("pages/judges.py")
    app.query_params["dataset"], app.query_params["with"] = "d", "gpt"
    app.run()
    [box] = [one for one in app.main.multiselect if "own" in one.label]
    assert (box.value, box.options) == (["gpt-0", "gpt-1"], ["gpt-0", "claude", "gpt-1"])
    box.set_value(["claude"])
    app.button(key="save-own").click().run()
    assert not app.exception
    assert own_table(store, "d")["model"].tolist() == ["claude"]
    assert any("Saved" in one.value for one in app.main.caption)
    assert next(one for one in app.main.multiselect if "own" in one.label).value == ["claude"]
    app.button(key="forget-own").click().run()
    assert own_table(store, "d")["because"].unique().tolist() == ["guessed from the names"]
    assert not [one for one in app.main.button if one.key == "forget-own"]
