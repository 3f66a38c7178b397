"""Further scenarios of the prompts: from a file, beside one another, in every study, renamed, withdrawn."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from data import datasets, queries
from data.imports import ImportOptions, ImportReport, import_path
from data.labelings import add_labeling, delete_labeling, rename_label
from data.model import Selection
from data.queries.labelings import label_rows, labeling_table
from data.store import Store
from errors import MappingError, NothingAcceptedError, OptionError, UnknownNameError
from studies.compare import Compare
from studies.correct import Correct
from studies.coverage import Coverage
from studies.factors_amce import FactorsAmce
from studies.factors_cpm import FactorsCpm
from studies.factors_groups import FactorsGroups
from studies.factors_labels import FactorsLabels
from studies.factors_lasso import FactorsLasso
from studies.factors_table import FactorsTable
from studies.next_pairs import NextPairs
from studies.rank import Rank
from studies.reliability import Reliability
from studies.scenario_agreement import ScenarioAgreement
from studies.study import Study
from ui import scenarios as page
from ui.view import change, read_view

N = 12


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Twelve prompts in the scenarios x and y, two judges, a delivered factor."""
    rows = [
        {"prompt_id": f"p{k}", "prompt": f"Question {k}", "scenario": "xy"[k % 2], "model_a": "m1", "model_b": "m2",
         "response_a": f"one {k}", "response_b": f"two {k}", "judge": judge,
         "winner": "ab"[(k // 3 + (judge == "gpt")) % 2], "size_a": k % 5, "size_b": k % 3}
        for k in range(N) for judge in ("people", "gpt")
    ]  # fmt: skip
    folder = tmp_path_factory.mktemp("labelings")
    path = folder / "j.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    found = Store(folder / "s.duckdb")
    assert import_path(found, path, "d").accepted == 2 * N
    return found


@pytest.fixture
def store(made: Store, tmp_path: Path) -> Store:
    """That one, to be changed, with the file it is of."""
    shutil.copy(made.path.parent / "j.csv", tmp_path)
    return Store(Path(shutil.copy(made.path, tmp_path)))


def load(store: Store, frame: pd.DataFrame, name: str = "tasks.csv", **options: object) -> ImportReport:
    path = store.path.parent / name
    frame.to_csv(path, index=False)
    strict = bool(options.pop("strict", False))
    return import_path(store, path, "d", ImportOptions(format="labels", **options), strict=strict)  # type: ignore[arg-type]


def thirds(first: int = 0, last: int = N) -> pd.DataFrame:
    return pd.DataFrame([{"prompt_id": f"p{k}", "category": f"t{k % 3}"} for k in range(first, last)])


def test_a_file_of_labels_is_a_labeling_beside_the_files_own(store: Store) -> None:
    report = load(store, thirds(0, 9))
    assert (report.accepted, report.rejected, report.scenarios) == (9, 0, 2)
    assert "column 'category' is label" in report.inferred
    assert any("called 'tasks'" in said for said in report.inferred)
    with store.reading() as con:
        table = labeling_table(con, 1)
        assert queries.catalog(con, "d").labelings == {"tasks": 1}
    assert table.to_dict("list") == {
        "labeling": ["file", "tasks"], "origin": ["judgments", "file"], "scenarios": [2, 3], "prompts": [12, 9],
        "unlabelled": [0, 3],
    }  # fmt: skip


def test_every_study_reads_the_scenarios_of_the_labeling_it_names(store: Store) -> None:
    load(store, thirds(0, 9))
    own, other = (Coverage(dataset="d", labeling=name).run(store).table() for name in (None, "tasks"))
    assert set(own["scenario"]) == {"x", "y"}
    counts = other.groupby("scenario")["judgments"].sum().to_dict()
    assert counts == {"t0": 6, "t1": 6, "t2": 6, "": 6}
    some = Rank(dataset="d", labeling="tasks", scenario=("t0", "t2")).run(store)
    assert some.table()["judgments"].max() == 6
    rows = FactorsTable(dataset="d", labeling="tasks", scenario=("t0",), judge=("people",)).run(store).table()
    assert rows["scenario"].tolist() == ["t0"] * 3
    # In the next lease the files' scenarios are back.
    assert Coverage(dataset="d", labeling="file").run(store).study.labeling is None
    with store.reading() as con:
        assert set(queries.catalog(con, "d").scenarios) == {"x", "y"}


def test_numbers_are_those_of_a_file_with_these_scenarios(store: Store, tmp_path: Path) -> None:
    load(store, thirds())
    rows = pd.read_csv(tmp_path / "j.csv")
    rows["scenario"] = [f"t{int(p[1:]) % 3}" for p in rows["prompt_id"]]
    rows.to_csv(tmp_path / "other.csv", index=False)
    other = Store(tmp_path / "other.duckdb")
    import_path(other, tmp_path / "other.csv", "d")
    for scenario in ("t0", "t1", "t2"):
        here, there = (
            Rank(dataset="d", labeling=name, scenario=(scenario,), judge=("gpt",)).run(where)
            for name, where in (("tasks", store), (None, other))
        )
        pd.testing.assert_frame_equal(here.table(), there.table())
        # Equal labels in another store are equal data.
        assert here.fingerprint == there.fingerprint


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Store]:
    """The same judgments, once with other scenarios of the file and thirds as a labeling, once with thirds as the file's."""
    folder = tmp_path_factory.mktemp("twice")
    rng = np.random.default_rng(0)
    rows = []
    for k in range(90):
        for one, two in ((0, 1), (1, 2), (2, 3), (3, 0)):
            size, odd = rng.integers(0, 9, 2), rng.integers(0, 2, 2)
            for judge, annotator in (("people", "ann"), ("people", "bob"), ("gpt", None)):
                lean = 0.3 * (size[0] - size[1]) + 0.4 * (two - one) + (odd[0] - odd[1]) * (k % 3)
                rows.append({
                    "prompt_id": f"p{k}", "prompt": f"Question {k}", "scenario": "uvw"[k // 30], "judge": judge,
                    "annotator": annotator, "judge_kind": "human" if annotator else "llm", "model_a": f"m{one}",
                    "model_b": f"m{two}", "size_a": size[0], "size_b": size[1], "odd_a": odd[0], "odd_b": odd[1],
                    "winner": "a" if lean + rng.logistic() > 0 else "b",
                })  # fmt: skip
    stores = []
    for name, scenario in (("one", None), ("two", "t")):
        frame = pd.DataFrame(rows)
        if scenario:
            frame["scenario"] = [f"t{int(p[1:]) % 3}" for p in frame["prompt_id"]]
        frame.to_csv(folder / f"{name}.csv", index=False)
        made = Store(folder / f"{name}.duckdb")
        assert import_path(made, folder / f"{name}.csv", "d").accepted == len(rows)
        stores.append(made)
    load(stores[0], pd.DataFrame([{"prompt_id": f"p{k}", "category": f"t{k % 3}"} for k in range(90)]))
    return stores[0], stores[1]


@pytest.mark.parametrize(
    "study",
    [
        Compare(), Reliability(), Correct(), NextPairs(n=6), FactorsCpm(), FactorsAmce(), FactorsLabels(), FactorsLasso(),
    ],
    ids=lambda study: study.command,
)  # fmt: skip
def test_what_reads_the_store_more_than_once_stays_with_the_labeling(
    twice: tuple[Store, Store], study: Study
) -> None:
    """Ids of a labeling's scenarios are those of others in the file's."""
    here, there = (
        replace(study, dataset="d", labeling=name, scenario=("t1", "t2"), judge=("people", "gpt")).run(where)
        for name, where in zip(("tasks", None), twice, strict=True)
    )
    pd.testing.assert_frame_equal(here.table(), there.table())
    assert here.caption == there.caption


def test_groups_by_scenario_are_those_of_the_labeling(twice: tuple[Store, Store]) -> None:
    here, there = (
        FactorsGroups(dataset="d", labeling=name, group_by="scenario").run(where)
        for name, where in zip(("tasks", None), twice, strict=True)
    )
    assert set(here.table()["group"]) == {"t0", "t1", "t2"}
    for name in ("weights", "tests", "agreement"):
        pd.testing.assert_frame_equal(here.table(name), there.table(name))


@pytest.mark.parametrize("level", [0.95, 0.8])
def test_agreement_by_group_is_agreement_by_scenario(twice: tuple[Store, Store], level: float) -> None:
    """One count, one error, one pooling: two commands tell the same."""
    by_group = FactorsGroups(dataset="d", group_by="scenario", level=level).run(twice[1]).table("agreement")
    by_scenario = ScenarioAgreement(dataset="d", ties="drop", level=level).run(twice[1]).table()
    both = by_group.merge(by_scenario, left_on="group", right_on="scenario", suffixes=("", "_other"))
    assert len(both) == 3
    for name in ("agreement", "lower", "upper", "pooled", "pooled_lower", "pooled_upper"):
        assert both[name].to_numpy(dtype=float) == pytest.approx(both[f"{name}_other"].to_numpy(dtype=float))


def test_a_second_file_adds_to_the_labeling_and_may_not_contradict_it(store: Store) -> None:
    load(store, thirds(0, 6))
    more = pd.concat([thirds(4, 12), pd.DataFrame([{"prompt_id": "p0", "category": "other"}])])
    report = load(store, more, "more.csv", sets=(("labeling", "tasks"),))
    assert (report.accepted, report.duplicates, report.rejected) == (6, 2, 1)
    assert report.rejections["reason"].tolist() == ["contradicts the label 't0' that this prompt has already"]
    assert report.rejections["column"].tolist() == ["category"]
    datasets.undo(store, "d")
    with store.reading() as con:
        assert labeling_table(con, 1)["prompts"].tolist() == [12, 6]
    done = datasets.undo(store, "d")
    assert (done.removed, done.rows_of) == (6, "labels")
    with store.reading() as con:
        assert labeling_table(con, 1)["labeling"].tolist() == ["file"]
        assert con.execute("SELECT (SELECT count(*) FROM label), (SELECT count(*) FROM labeling)").fetchall() == [(0, 0)]


def test_prompts_are_found_by_their_text_too_and_what_is_odd_is_turned_down(store: Store) -> None:
    frame = pd.DataFrame(
        {"prompt": ["Question 1", "Question 1", "Question 2", "who?", None, "Question 3"],
         "label": ["u", "u", "v", "u", "u", None]}
    )  # fmt: skip
    report = load(store, frame)
    assert (report.accepted, report.duplicates, report.rejected) == (2, 1, 3)
    assert report.reasons == {
        "prompt is no prompt of this dataset": 1, "prompt is empty": 1, "label is empty": 1,
    }  # fmt: skip
    again = load(store, frame)
    assert (again.accepted, again.duplicates) == (0, 6)


@pytest.mark.parametrize(
    ("columns", "options", "error", "match"),
    [
        (["prompt_id"], {}, MappingError, "no column label"),
        (["category"], {}, MappingError, "no column prompt or prompt_id"),
        (["prompt_id", "category"], {"sets": (("labeling", "file"),)}, OptionError, "'file' is the name of the scenarios"),
        (["prompt_id", "category"], {"maps": (("label", "kind"),)}, MappingError, "column 'kind' that is not there"),
        (["prompt_id", "category"], {"maps": (("winner", "category"),)}, MappingError, "has the fields"),
        (["prompt_id", "category"], {"judge_columns": (("category", None),)}, OptionError, "files of judgments"),
    ],
)
def test_what_cannot_be_read_is_said(store: Store, columns: list[str], options: dict, error: type, match: str) -> None:
    with pytest.raises(error, match=match):
        load(store, thirds()[columns], **options)


def test_nothing_that_matches_leaves_the_store_as_it_was(store: Store) -> None:
    with pytest.raises(NothingAcceptedError, match="no prompt of this dataset"):
        load(store, pd.DataFrame({"prompt": ["a", "b"], "label": ["u", "v"]}))
    with pytest.raises(UnknownNameError, match="Labels are added to prompts that are there"):
        import_path(store, store.path.parent / "tasks.csv", "nobody", ImportOptions(format="labels"))
    with store.reading() as con:
        assert queries.catalog(con, "d").labelings == {}


def test_labels_are_renamed_joined_and_deleted(store: Store) -> None:
    load(store, thirds())
    assert rename_label(store, "d", "tasks", "t0", "writing") == 4
    assert rename_label(store, "d", "tasks", "t1", "writing") == 8
    with store.reading() as con:
        assert list(queries.catalog(con, Selection("d", labeling="tasks")).scenarios) == ["writing", "t2"]
        rows = label_rows(con, 1, 1)
    assert rows["label"].value_counts().to_dict() == {"writing": 8, "t2": 4}
    assert rows["prompt"][0] == "Question 0"
    with pytest.raises(UnknownNameError, match="t2"):
        rename_label(store, "d", "tasks", "t3", "x")
    with pytest.raises(OptionError, match="came with the judgments"):
        delete_labeling(store, "d", "file")
    assert delete_labeling(store, "d", "tasks") == 12
    with pytest.raises(UnknownNameError, match="tasks"):
        Rank(dataset="d", labeling="tasks").run(store)


def test_a_computed_labeling_replaces_its_earlier_self_and_no_file(store: Store) -> None:
    add_labeling(store, "d", "clusters", {1: "u", 2: "v", 3: "u"})
    add_labeling(store, "d", "clusters", {1: "w", 2: "v"})
    with store.reading() as con:
        assert labeling_table(con, 1).tail(1).to_dict("records") == [
            {"labeling": "clusters", "origin": "clusters", "scenarios": 2, "prompts": 2, "unlabelled": 10}
        ]
    load(store, thirds())
    with pytest.raises(OptionError, match="came from a file"):
        add_labeling(store, "d", "tasks", {1: "u"})


def test_the_address_keeps_a_labeling_that_is_there_and_drops_its_scenarios_with_it(store: Store) -> None:
    load(store, thirds())
    seen = read_view({"dataset": ["d"], "labeling": ["tasks"], "scenario": ["t1"]}, store)
    assert (seen.study.labeling, seen.study.scenario, seen.dropped) == ("tasks", ("t1",), ())
    assert seen.names is not None
    assert list(seen.names.scenarios) == ["t0", "t1", "t2"]
    gone = read_view({"dataset": ["d"], "labeling": ["other"]}, store)
    assert gone.study.labeling is None
    assert gone.dropped == ("d has no labeling “other”: left out.",)
    assert change({"labeling": ["tasks"], "scenario": ["t1"]}, "labeling", None) == {}
    # Deleting the dataset takes its labelings along.
    datasets.delete(store, "d")
    with store.reading() as con:
        assert con.execute("SELECT count(*) FROM prompt_label").fetchall() == [(0,)]


def test_the_page_points_to_labelings_where_the_files_name_no_scenario(monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(page, "weights_alone", lambda seen: None)
    monkeypatch.setattr(page, "link", lambda *rest, **more: None)
    monkeypatch.setattr(page.st, "info", lambda text, **more: said.append(text))
    for labelings in ({"topics": 1}, {}):
        seen = SimpleNamespace(names=SimpleNamespace(scenarios={}, labelings=labelings, labeling=None))
        assert not page.begin(cast(Any, seen))
    assert said[0] == "The judgments' files name no scenarios. Choose **topics** as **Scenarios from** in the sidebar."
    assert said[1].startswith("No prompt of this dataset has a scenario yet.")
