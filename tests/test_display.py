"""Do display names, order, what is left out and decimals hold wherever people look, and nowhere else?"""

from __future__ import annotations

import json
import shlex
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from google.protobuf.json_format import MessageToDict
from streamlit.testing.v1 import AppTest

import cli
from charts import words
from charts.theme import LIGHT
from data import queries
from data.datasets import undo
from data.display import Changes, change, clear, name_table, read_changes, read_display
from data.imports import import_path
from data.shown_names import Display
from data.store import Store
from errors import FileError, OptionError, UnknownNameError
from exports.drawings import drawings
from studies import naming
from studies.compare import Compare
from studies.rank import Rank
from studies.study import REGISTRY
from ui.navigation import SCREENS, query
from ui.sections import SECTIONS
from ui.view import read_view

DATASET = "world"
SHOWN = {("judge", f"zj{k}"): f"Judge number {k}" for k in range(4)} | {
    ("model", f"zm{k}"): f"Model {'EDCBA'[k]}" for k in range(5)
}
OLD = [name for _, name in SHOWN]


def rows_of(judge: str, kind: str, rng: np.random.Generator, **more: object) -> list[dict[str, object]]:
    """Verdicts of one judge on the same pairs, which it finds in its own order of the models."""
    taste = np.random.default_rng(len(judge) + int(judge[-1])).normal(size=5)
    out = []
    for prompt in range(24):
        for a, b in ((0, 1 + prompt % 4), (1 + prompt % 3, 4), (2, 3)):
            longer = float(rng.normal())
            p = 1 / (1 + np.exp(-(taste[a] - taste[b] + longer)))
            winner = "tie" if rng.random() < 0.1 else "a" if rng.random() < p else "b"
            out.append({
                "prompt": f"question {prompt}", "scenario": ("maths", "prose")[prompt % 2], "model_a": f"zm{a}",
                "model_b": f"zm{b}", "response_a": f"answer {prompt} {a}", "response_b": f"answer {prompt} {b}",
                "judge": judge, "judge_kind": kind, "winner": winner, "swapped": bool(rng.integers(2)),
                "size_a": prompt + a + longer, "size_b": prompt + a, "tone_a": (prompt * a) % 5, "tone_b": (prompt * b) % 7, "confidence": round(float(rng.random()), 2),
                **more,
            })  # fmt: skip
    return out


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small world with names that are no words: people, two judges of which one was asked twice, a reward model."""
    folder, rng = tmp_path_factory.mktemp("display"), np.random.default_rng(5)
    store = Store(folder / "s.duckdb")
    people = [row for k in range(3) for row in rows_of("zj0", "human", rng, annotator=f"a{k}")]
    rows = [*people, *rows_of("zj1", "llm", rng), *rows_of("zj2", "llm", rng),
            *rows_of("zj2", "llm", rng, repeat=2)]  # fmt: skip
    rows += [{**row, "criterion": "clear"} for row in rows_of("zj1", "llm", rng)]
    pd.DataFrame(rows).fillna({"criterion": "overall"}).to_csv(folder / "d.csv", index=False)
    import_path(store, folder / "d.csv", DATASET)
    scored = pd.DataFrame(rows_of("zj3", "reward_model", rng)).drop(columns=["winner", "swapped"])
    scored.assign(score_a=rng.normal(size=len(scored)), score_b=rng.normal(size=len(scored))).to_csv(
        folder / "scores.csv", index=False
    )
    import_path(store, folder / "scores.csv", DATASET)
    change(store, DATASET, Changes(shown=SHOWN))
    return store.path


ASKED: dict[str, dict[str, object]] = {
    "judge-again": {"judge": ("zj1",)}, "control": {"factor": ("size", "tone")},
    "calibration": {"of": "confidence"}, "factors bayes": {"prior_scale": "1"},
}  # fmt: skip
"""What studies have to be told."""


def texts_in(value: object) -> list[str]:
    """Every text in tables, quantities, sentences and drawings, keys left out."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts_in(one)]
    if isinstance(value, (list, tuple)):
        return [text for one in value for text in texts_in(one)]
    return []


def old_names(value: object) -> set[str]:
    """Texts in which a name of the files stands."""
    return {text for text in texts_in(value) if any(name in text for name in OLD)}


@pytest.mark.every(2, "command")
@pytest.mark.parametrize("command", sorted(REGISTRY))
def test_no_study_and_no_drawing_shows_a_name_of_the_files(command: str, made: Path) -> None:
    store = Store(made)
    study = REGISTRY[command](dataset=DATASET, **ASKED.get(command, {}))  # type: ignore[arg-type]
    result = study.run(store.as_shown())
    assert result.display.in_use
    said = [result.as_json(), result.taken, [(f.text, f.remedy) for f in result.findings]]
    assert not old_names(said)
    line = REGISTRY[command].overview([result])
    assert line is None or not old_names([line.finding, line.more, line.trust, [vars(t) for t in line.tiles]])
    for one in drawings(result):
        drawn = one.draw(LIGHT, False)
        assert not old_names(json.loads(drawn.to_json())), one.name

    # Taken away, all of it but sentences has the names of the files.
    files = naming.as_files_have_it(result)
    new = set(SHOWN.values())
    assert not {text for text in texts_in(dict(files.settings)) if text in new}
    assert not {text for t in files.tables.values() for c in t for text in texts_in(t[c].tolist()) if text in new}
    assert not any(name in files.study.command_line() for name in new)


@pytest.mark.parametrize("command", ["rank", "places", "fit-check", "audit", "winrate", "next-pairs", "similarity"])
def test_nothing_that_is_computed_hangs_on_names_and_order(command: str, made: Path) -> None:
    """Strengths are fitted and drawn anew in an order of models, baselines and families are found by names."""
    store = Store(made)
    of_files = REGISTRY[command](dataset=DATASET).run(store)
    shown = naming.as_files_have_it(REGISTRY[command](dataset=DATASET).run(store.as_shown()))
    assert shown.fingerprint == of_files.fingerprint
    assert dict(shown.settings) == dict(of_files.settings)
    assert shown.study == of_files.study
    for name, table in of_files.tables.items():
        numbers = [c for c in table if table[c].dtype.kind in "fiu"] + [c for c in table if c in naming.COLUMNS]
        pd.testing.assert_frame_equal(shown.table(name)[numbers], table[numbers], check_exact=False, rtol=1e-9)


def test_order_is_kept_and_the_reference_stays_first(made: Path, tmp_path: Path) -> None:
    store = copied(made, tmp_path)
    change(store, DATASET, Changes(order={"judge": ["zj2", "zj3"], "model": ["zm4"]}))
    with store.as_shown().reading() as con:
        names = queries.catalog(con, DATASET)
    assert list(names.judges) == ["Judge number 2", "Judge number 3", "Judge number 0", "Judge number 1"]
    assert next(iter(names.models)) == "Model A"
    ranking = Rank(dataset=DATASET).run(store.as_shown()).table()
    assert list(dict.fromkeys(ranking["judge"])) == list(names.judges)
    assert ranking[ranking["judge"] == "Judge number 2"]["rank"].is_monotonic_increasing
    assert Compare(dataset=DATASET).run(store.as_shown()).study.judge[:2] == ("Judge number 0", "Judge number 2")
    assert list(dict.fromkeys(Rank(dataset=DATASET).run(store).table()["judge"])) == ["zj0", "zj1", "zj2", "zj3"]


def test_what_is_hidden_stays_in_the_fit(made: Path, tmp_path: Path) -> None:
    store = copied(made, tmp_path)
    before = naming.as_shown(Compare(dataset=DATASET).run(store.as_shown()))
    change(store, DATASET, Changes(hidden={("model", "zm1"): True, ("judge", "zj1"): True}))
    whole = Compare(dataset=DATASET).run(store.as_shown())
    shown = naming.as_shown(whole)
    kept = before.table("models").query("model != 'Model D' and judge != 'Judge number 1'").reset_index(drop=True)
    pd.testing.assert_frame_equal(shown.table("models"), kept)
    assert shown.caption.endswith("Not shown: 1 judge and 1 model.")
    # Who asks for them by name sees them; the reference is always seen.
    asked = naming.as_shown(Compare(dataset=DATASET, judge=("zj0", "zj1"), model=("zm0", "zm1", "zm4")).run(store.as_shown()))
    assert set(asked.table("models")["model"]) == {"Model E", "Model D", "Model A"}
    # Pairs to be read, and data for other programs, are there all of them.
    pairs = REGISTRY["examples"](dataset=DATASET).run(store.as_shown())
    assert naming.as_shown(pairs) is pairs
    change(store, DATASET, Changes(hidden={("judge", "zj0"): True}))
    assert naming.left_out(whole.study, read_display(store.as_shown(), DATASET))["judge"] == {"Judge number 1"}


def copied(made: Path, folder: Path) -> Store:
    shutil.copy(made, folder / "s.duckdb")
    return Store(folder / "s.duckdb")


# -- setting them ---------------------------------------------------------------------------------------------------


def test_two_of_a_kind_never_look_alike(made: Path, tmp_path: Path) -> None:
    store = copied(made, tmp_path)
    for changes, said in (
        ({("model", "zm0"): "zm1"}, "'zm0' cannot be shown as 'zm1': that is the name of another model"),
        ({("model", "zm0"): "Model B"}, "'zm0' and 'zm3' cannot both be shown as 'Model B'"),
        ({("model", "zm0"): "x" * 201}, "at most 200"),
    ):
        with pytest.raises(OptionError, match=said):
            change(store, DATASET, Changes(shown=changes))
    with pytest.raises(UnknownNameError, match="did you mean 'zm0'"):
        change(store, DATASET, Changes(hidden={("model", "zm00"): True}))
    with pytest.raises(OptionError, match="no judge would be shown"):
        change(store, DATASET, Changes(hidden={("judge", f"zj{k}"): True for k in range(4)}))
    with pytest.raises(OptionError, match="from 0 to 6"):
        change(store, DATASET, Changes(decimals=7))
    # A judge and a model are two kinds.
    display = change(store, DATASET, Changes(shown={("judge", "zj1"): "Model B", ("model", "zm0"): " a \n b "}))
    assert display.shown("judge", "zj1") == display.shown("model", "zm3") == "Model B"
    assert display.shown("model", "zm0") == "a b"
    assert change(store, DATASET, Changes(shown={("model", "zm0"): ""})).shown("model", "zm0") == "zm0"
    clear(store, DATASET)
    assert read_display(store, DATASET) == Display()


def test_names_outlive_an_import_and_give_way_to_a_later_one(tmp_path: Path) -> None:
    store, path = Store(tmp_path / "s.duckdb"), tmp_path / "d.csv"
    lines = "prompt,model_a,model_b,judge,winner\n" + "".join(f"q{k},m,n,j,a\n" for k in range(3))
    path.write_text(lines)
    import_path(store, path, "d")
    (tmp_path / "more.csv").write_text("prompt,model_a,model_b,judge,winner\nq9,m,o,j,b\n")
    import_path(store, tmp_path / "more.csv", "d")
    change(store, "d", Changes(shown={("model", "m"): "Em", ("model", "o"): "Oh"}, decimals=1))
    undo(store, "d", 2)
    assert name_table(store, "d")["name"].tolist() == ["j", "m", "n"]
    import_path(store, tmp_path / "more.csv", "d")
    assert read_display(store, "d").shown("model", "o") == "Oh"
    (tmp_path / "late.csv").write_text("prompt,model_a,model_b,judge,winner\nq10,Em,o,j,b\n")
    import_path(store, tmp_path / "late.csv", "d")
    # Two models would be called Em: both are shown as they are.
    with store.as_shown().reading() as con:
        assert set(queries.catalog(con, "d").models) == {"m", "n", "Oh", "Em"}
    assert read_display(store, "d").shown("model", "m") == "m"


def test_a_table_of_names_is_read_with_its_line(tmp_path: Path, made: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text("kind,name,shown,order,show\njudge,zj1,Eins,2,yes\njudges,zj2,Zwei,1,no\nmodel,zm0,,,\n")
    assert read_changes(path) == Changes(
        {("judge", "zj1"): "Eins", ("judge", "zj2"): "Zwei", ("model", "zm0"): ""}, {"judge": ["zj2", "zj1"]},
        {("judge", "zj1"): False, ("judge", "zj2"): True},
    )  # fmt: skip
    for text, said in (
        ("kind,name,show\nscenario,x,yes\n", "line 2: kind 'scenario'"), ("kind,name,show\nmodel,x,perhaps\n", "line 2"),
        ("kind,name,order\nmodel,x,first\n", "line 2: order 'first'"),
    ):  # fmt: skip
        path.write_text(text)
        with pytest.raises(OptionError, match=said):
            read_changes(path)
    path.write_text("name,shown\nx,y\n")
    with pytest.raises(FileError, match="has the columns name, shown"):
        read_changes(path)
    # What the command prints can be edited and read again.
    name_table(Store(made), DATASET).to_csv(path, index=False)
    store = copied(made, tmp_path)
    clear(store, DATASET)
    assert change(store, DATASET, read_changes(path)).entries == read_display(Store(made), DATASET).entries


def test_the_command_shows_people_names_and_programs_the_files(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = copied(made, tmp_path)

    def run(*line: str) -> str:
        with pytest.raises(SystemExit) as ended:
            cli.app(["--db", str(store.path), *line], standalone_mode=True)
        assert not ended.value.code
        return capsys.readouterr().out

    said = json.loads(run("datasets", "names", DATASET, "--judge", "zj1=A=B", "--hide", "model:zm4", "--order", "zj2",
                          "--decimals", "3", "-o", "json"))  # fmt: skip
    assert said["display"]["decimals"] == 3
    assert {"kind": "judge", "name": "zj1", "shown": "A=B", "show": "yes"} in said["names"]
    # Options take either name.
    for judge in ("zj0", "Judge number 0"):
        table = run("rank", "--judge", judge)
        assert "Model E" in table
        assert "Judge number 0" in table
        assert "Model A" not in table
        assert not old_names(table.splitlines())
        ranking = json.loads(run("rank", "--judge", judge, "-o", "json"))["ranking"]
        assert {row["judge"] for row in ranking} == {"zj0"}
        assert {row["model"] for row in ranking} == {f"zm{k}" for k in range(5)}
    first = next(row for row in ranking if row["rank"] == 1)
    assert f"{words.MINUS if first['strength'] < 0 else ''}{abs(first['strength']):.3f}".lstrip("0") in table
    run("datasets", "names", DATASET, "--clear")
    assert "zm4" in run("rank")


def test_the_commands_of_the_page_run(
    first_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(first_store, tmp_path / "s.duckdb")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JURYLENS_DB", "s.duckdb")
    page = (Path(cli.__file__).parent / "docs" / "display.md").read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith("python cli.py ")]
    assert len(lines) == 6
    for line in lines:
        command, _, target = line.removeprefix("python cli.py ").partition(" > ")
        with pytest.raises(SystemExit) as ended:
            cli.app(shlex.split(command), standalone_mode=True)
        said = capsys.readouterr().out
        assert not ended.value.code, line
        if target:
            assert "owl-judge,Owl (v2),1" in said
            Path(target).write_text(said, encoding="utf-8")


# -- decimals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wished", "said"),
    [(None, [".73", "26.8", "104", "66 %", "12", ".034"]), (3, [".734", "26.81", "104.2", "66.1 %", "12", ".034"]),
     (1, [".7", "27", "104", "66 %", "12", ".034"])],
)  # fmt: skip
def test_percentages_have_as_many_more_decimals_as_estimates(wished: int | None, said: list[str]) -> None:
    with words.decimals(wished):
        found = [words.number(0.7342), words.number(26.812), words.number(104.23), words.share(0.6612), words.number(12)]
        assert [*found, words.fixed(0.0342, 3)] == said
        assert words.p_value(0.034) == ".03"
    assert words.number(0.7342) == ".73"


# -- pages ----------------------------------------------------------------------------------------------------------


def test_every_option_and_word_with_names_is_known() -> None:
    """A word that holds a name and is not known here would put a display name into an address."""
    named = {f.name for cls in REGISTRY.values() for f in fields(cls) if f.metadata["names"] in ("judge", "model")}
    assert named <= set(naming.WORDS)
    sections = {word for some in SECTIONS.values() for s in some for word in s.words}
    pages = {word for screen in SCREENS for word in screen.words}
    assert {w for w in sections | pages if w.endswith("_of")} <= {*naming.WORDS, *NO_NAMES}


NO_NAMES = ("level_of", "open_of")


def test_links_keep_the_names_of_the_files(made: Path) -> None:
    store = Store(made).as_shown()
    seen = read_view({"dataset": [DATASET], "judge": ["zj1", "zj2"], "with": ["zj2"]}, store, ("with",))
    assert seen.reference == "Judge number 1"
    assert seen.extra == {"with": ["Judge number 2"]}
    link = query(seen, with_="Judge number 2", focus="Model E", between=["Model E", "Model D"])
    assert ("with", "zj2") in link
    assert {value for name, value in link if name == "judge"} == {"zj1", "zj2"}
    assert {value for name, value in link if name in ("focus", "between")} == {"zm0", "zm1"}
    assert read_view({"dataset": [DATASET], "judge": ["Judge number 1", "zj2"]}, store).reference == "Judge number 1"


@pytest.mark.every(2, "page")
@pytest.mark.parametrize("page", [screen.url for screen in SCREENS])
def test_no_page_shows_a_name_of_the_files(page: str, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JURYLENS_DB", str(made))
    app = AppTest.from_file(str(Path(cli.__file__).parent / "app.py"), default_timeout=120)
    app.switch_page(f"pages/{page}.py")
    app.query_params["dataset"] = DATASET
    app.run()
    # Tables behind a click are drawn when they are opened.
    for one in app.main.expander:
        if "-fold-" in one.proto.id:
            app.session_state["fold-" + one.proto.id.partition("-fold-")[2]] = True
    app.run()
    assert not app.exception
    assert page not in ("overview", "judges", "factors") or app.main.dataframe
    seen, tables = [], []
    for element in elements(app):
        kind = element.type
        if kind in ("code", "page_link"):
            continue  # commands and addresses
        if kind in ("dataframe", "arrow_data_frame"):
            tables += [element.value[c].tolist() for c in element.value] + [list(element.value)]
        elif getattr(element, "proto", None) is not None:
            seen.append(MessageToDict(element.proto))
    if page == "data":
        # The table in which names are set has both.
        tables = [column for column in tables if not set(OLD) <= set(map(str, column))]
    assert not old_names(seen)
    assert not old_names(tables)
    assert not any(name in str(dict(app.query_params)) for name in SHOWN.values())


def elements(app: AppTest) -> list[Any]:
    found: list[Any] = []
    waiting: list[Any] = [app.main, app.sidebar]
    while waiting:
        for child in getattr(waiting.pop(), "children", {}).values():
            found.append(child)
            waiting.append(child)
    return found
