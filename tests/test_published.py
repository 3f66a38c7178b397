"""Published weights of judges: read, checked, kept beside judgments or alone, withdrawn."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pytest

import cli
import studies  # noqa: F401  (registers the studies)
from data import datasets, queries
from data.importers import factor_weights
from data.imports import ImportOptions, ImportReport, import_path
from data.queries.published import published_scenarios, published_weights, published_word
from data.store import Store
from errors import EmptySelectionError, FileError, MappingError, NothingAcceptedError, OptionError
from studies.study import REGISTRY
from ui.view import read_view

JUDGED = pd.DataFrame(
    [(f"p{k}", "m1", "m2", judge, "a" if k % 2 else "b") for k in range(4) for judge in ("people", "gpt")],
    columns=["prompt", "model_a", "model_b", "judge", "winner"],
)


def weights(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["judge", "scenario", "property", "weight"])


USUAL = weights(
    ("human", "Code", "clear", "0.5"), ("human", "Code", "lengthy", "-0.25"), ("gpt", "Code", "clear", "1e-3"),
    ("gpt", "Advice", "clear", "0"),
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s.duckdb")


def load(store: Store, frame: pd.DataFrame, name: str = "w.csv", dataset: str = "d", **options: object) -> ImportReport:
    path = store.path.parent / name
    frame.to_csv(path, index=False)
    return import_path(store, path, dataset, ImportOptions(format="factor-weights", **options))  # type: ignore[arg-type]


def held(store: Store, dataset_id: int = 1) -> pd.DataFrame:
    with store.reading() as con:
        return published_weights(con, dataset_id)


def test_a_dataset_of_weights_alone(store: Store) -> None:
    report = load(store, USUAL)
    assert (report.read, report.accepted, report.rejected, report.duplicates) == (4, 4, 0, 0)
    assert report.as_json().keys() >= {"dataset", "format", "reasons", "judges", "pairs", "models", "prompts", "inferred"}
    assert report.judges == []
    assert report.published == [
        {"judge": "human", "kind": "human", "weights": 2, "scenarios": 1, "factors": 2},
        {"judge": "gpt", "kind": "llm", "weights": 2, "scenarios": 2, "factors": 1},
    ]
    assert report.inferred == ["column 'property' is factor"]
    assert held(store)["weight"].tolist() == [0.5, -0.25, 0.001, 0.0]
    with store.reading() as con:
        assert published_scenarios(con, 1) == ["Code", "Advice"]
        assert queries.catalog(con, "d").published == 2
        assert queries.dataset_table(con)[["judgments", "published"]].values.tolist() == [[0, 2]]


def test_what_is_no_weight_is_turned_down_with_its_reason(store: Store) -> None:
    frame = pd.concat([USUAL, weights(
        ("human", "Code", "short", "much"), ("human", "Code", "funny", None), ("human", "Code", "novel", "inf"),
        (" ", "Code", "novel", "1"), ("human", None, "novel", "1"), ("human", "Code", "", "1"),
        ("human", "Code", "n" * 201, "1"), ("human", "Code", "clear", "0.6"), ("human", "Code", "clear", "0.50"),
    )])  # fmt: skip
    report = load(store, frame)
    assert (report.read, report.accepted, report.rejected, report.duplicates) == (13, 4, 8, 1)
    told = report.rejections[["line", "column", "value", "reason"]].astype(object)
    assert told.where(told.notna(), None).values.tolist()[:6] == [
        [6, "weight", "much", "is no number"], [7, "weight", None, "is empty"], [8, "weight", "inf", "is no number"],
        [9, "judge", None, "is empty"], [10, "scenario", None, "is empty"], [11, "property", None, "is empty"],
    ]  # fmt: skip
    assert "longer than 200 characters" in report.rejections["reason"].iloc[6]
    assert told.values.tolist()[7] == [
        13, "weight", "0.6", "contradicts the weight 0.5 that this judge has already for this factor in this scenario"
    ]  # fmt: skip


def test_a_second_file_adds_and_may_not_contradict(store: Store) -> None:
    load(store, USUAL)
    more = pd.concat([USUAL.head(1), weights(("human", "Code", "lengthy", "3"), ("human", "Advice", "clear", "1"))])
    report = load(store, more, "more.csv")
    assert (report.accepted, report.rejected, report.duplicates) == (1, 1, 1)
    again = load(store, more, "more.csv")
    assert (again.accepted, again.duplicates, again.number) == (0, 3, None)
    assert again.published is not None
    assert len(again.published) == 2
    done = datasets.undo(store, "d")
    assert (done.removed, done.rows_of) == (1, "weights")
    assert len(held(store)) == 4


def test_the_kind_is_the_one_given_first(store: Store) -> None:
    frame = USUAL.assign(kind=["rule", None, "LLM", None])
    report = load(store, frame)
    assert report.published is not None
    assert [one["kind"] for one in report.published] == ["rule", "llm"]
    odd = weights(("human", "Exams", "clear", "1"), ("human", "Exams", "novel", "1"), ("gpt", "Exams", "clear", "1"))
    report = load(store, odd.assign(kind=["human", None, "robot"]), "odd.csv")
    assert report.accepted == 1
    assert report.rejections["reason"].tolist() == [
        "contradicts what this judge already is: rule", "is not one of human, llm, reward_model, rule"
    ]  # fmt: skip


def test_other_names_and_constants(store: Store) -> None:
    frame = USUAL.rename(columns={"judge": "who", "property": "trait"}).drop(columns="scenario")
    report = load(store, frame.head(2), maps=(("judge", "who"), ("factor", "trait")), sets=(("scenario", "all"),))
    assert report.accepted == 2
    assert held(store)["scenario"].tolist() == ["all", "all"]


@pytest.mark.parametrize(
    ("columns", "options", "error", "match"),
    [
        (["judge", "scenario", "weight"], {}, MappingError, "no column factor"),
        (["judge", "property", "weight"], {}, MappingError, "no column scenario"),
        (list(USUAL), {"maps": (("winner", "weight"),)}, MappingError, "has the fields judge, scenario, factor"),
        (list(USUAL), {"judge_columns": (("judge", None),)}, OptionError, "files of judgments"),
    ],
)
def test_what_cannot_be_read_is_said(store: Store, columns: list[str], options: dict, error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        load(store, USUAL[columns], **options)


def test_nothing_acceptable_leaves_nothing(store: Store) -> None:
    with pytest.raises(NothingAcceptedError, match="none of the 1 weights"):
        load(store, weights(("human", "Code", "clear", "x")))
    assert not store.exists()
    with pytest.raises(FileError, match="is a folder"):
        import_path(store, store.path.parent, "d", ImportOptions(format="factor-weights"))


def test_such_a_file_is_recognised_and_a_file_of_judgments_is_not(tmp_path: Path, store: Store) -> None:
    USUAL.to_csv(tmp_path / "w.csv", index=False)
    with gzip.open(tmp_path / "w.csv.gz", "wt") as packed:
        packed.write(USUAL.rename(columns={"property": "Factor"}).to_csv(index=False, sep=";"))
    JUDGED.assign(weight=1, factor="x").to_csv(tmp_path / "j.csv", index=False)
    assert factor_weights.sniff(tmp_path / "w.csv")
    assert factor_weights.sniff(tmp_path / "w.csv.gz")
    assert not factor_weights.sniff(tmp_path / "j.csv")
    assert not factor_weights.sniff(tmp_path)
    assert import_path(store, tmp_path / "w.csv", "d").format == "factor-weights"


def test_equal_weights_are_equal_data_in_any_order(store: Store, tmp_path: Path) -> None:
    load(store, USUAL)
    other = Store(tmp_path / "other.duckdb")
    load(other, USUAL.iloc[::-1])
    words = []
    for where in (store, other):
        with where.reading() as con:
            words.append(published_word(con, 1))
            assert published_word(con, 2) == ""
    assert words[0] == words[1] != ""


def test_weights_and_judgments_each_outlive_the_other(store: Store, tmp_path: Path) -> None:
    JUDGED.to_csv(tmp_path / "j.csv", index=False)
    import_path(store, tmp_path / "j.csv", "d")
    load(store, USUAL)
    assert datasets.undo(store, "d", 1).removed == 8
    with store.reading() as con:
        names = queries.catalog(con, "d")
        assert (names.judges, names.published) == ({}, 2)
    import_path(store, tmp_path / "j.csv", "d")
    datasets.undo(store, "d", 2)
    assert len(held(store)) == 0
    datasets.undo(store, "d")
    with store.reading() as con:
        assert queries.dataset_names(con) == []


def test_deleting_takes_the_weights_along(store: Store) -> None:
    load(store, USUAL)
    assert datasets.would_delete(store, "d").published == 2
    assert datasets.delete(store, "d").published == 2
    assert len(held(store)) == 0
    load(store, USUAL)
    assert len(held(store)) == 4


def test_each_study_says_that_it_needs_judgments(store: Store) -> None:
    load(store, USUAL)
    for cls in REGISTRY.values():
        if cls.reads_judgments:
            with pytest.raises(EmptySelectionError, match=r"no judgments, only the published weights of 2 judges: simi"):
                cls(dataset="d").run(store)


def test_the_view_of_weights_alone_has_nobody_chosen(store: Store) -> None:
    load(store, USUAL)
    seen = read_view({"dataset": ["d"], "judge": ["human"], "scenario": ["Code"]}, store)
    assert (seen.reference, seen.judges, seen.others) == (None, (), ())
    assert seen.dropped == ("d has no judge “human”: left out.", "d has no scenario “Code”: left out.")


@pytest.mark.parametrize("words", [("datasets",), ("datasets", "show", "d"), ("datasets", "log", "d")])
def test_commands_about_datasets_say_what_there_is(store: Store, monkeypatch, capsys, words: tuple[str, ...]) -> None:
    load(store, USUAL)
    monkeypatch.setattr("sys.argv", ["cli.py", "--db", str(store.path), *words])
    with pytest.raises(SystemExit) as ended:
        cli.run()
    assert ended.value.code == 0
    told = capsys.readouterr()
    assert "human" in told.out or "2" in told.out
    assert ("no judgments" in told.err) == ("show" in words)


@pytest.mark.real
def test_the_published_weights_of_33_judges_come_in(store: Store, real: Path) -> None:
    report = import_path(store, real / "gair_preference_dissection" / "fitted_weights.csv", "gair")
    assert (report.format, report.accepted, report.rejected) == ("factor-weights", 15_312, 0)
    assert report.published is not None
    assert {(one["weights"], one["scenarios"], one["factors"]) for one in report.published} == {(464, 16, 29)}
    assert len(report.published) == 33
