"""Which published properties a dataset has; and a sheet of those it lacks, filled in, makes it have them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from charts.properties import property_chart
from charts.theme import LIGHT
from data.gair_properties import NAMES, PROPERTIES, matched
from data.imports import ImportOptions, import_path
from data.store import Store
from errors import EmptySelectionError, NothingAcceptedError
from exports.text import as_csv
from studies.extract import extract
from studies.factors_fit import FactorsFit
from studies.factors_properties import FactorsProperties
from studies.factors_sheet import FactorsSheet

GOLDEN = Path(__file__).parent / "golden" / "gair.jsonl"
ANNOTATED = [name for name in NAMES if name != "lengthy"]


def table(n: int = 6) -> pd.DataFrame:
    """Pairs of two models; answers that begin like a formula, that repeat, that have line breaks."""
    return pd.DataFrame(
        {
            "prompt": [f"=Prompt {k}" for k in range(n)], "model_a": "one", "model_b": "two",
            "response_a": [f"- first\r\nof {k}" for k in range(n)], "response_b": "same everywhere",
            "judge": "people", "winner": ["a", "b"] * (n // 2),
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("pairs")
    store = Store(folder / "s.duckdb")
    table().to_csv(folder / "pairs.csv", index=False)
    import_path(store, folder / "pairs.csv", "d")
    return store


@pytest.fixture
def store(made: Store, tmp_path: Path) -> Store:
    """Those pairs, to be added to."""
    shutil.copy(made.path.parent / "pairs.csv", tmp_path)
    return Store(Path(shutil.copy(made.path, tmp_path)))


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = Store(tmp_path_factory.mktemp("gair") / "s.duckdb")
    import_path(store, GOLDEN, "g")
    return store


def rows(store: Store, **more: object) -> dict[str, dict[str, object]]:
    found = FactorsProperties(**more).run(store).as_json()["properties"]
    return {str(row["property"]): row for row in found}


def deliver(store: Store, path: Path, **factors: object) -> None:
    frame = table()[["prompt", "model_a", "model_b"]]
    for name, (a, b) in factors.items():
        frame[f"{name}_a"], frame[f"{name}_b"] = a, b
    frame.to_csv(path, index=False)
    import_path(store, path, "d", ImportOptions(format="factors"))


def test_a_dataset_in_the_format_has_them_all(golden):
    result = FactorsProperties().run(golden)
    assert result.values == {"pairs": 4, "has": 29, "lacks": 0}
    found = rows(golden)
    assert list(found) == list(NAMES)
    assert (found["clear"]["pairs"], found["clear"]["differ"]) == (4, 1)
    # Not applicable in one of four pairs; one of the three others differs.
    assert (found["no severe errors"]["pairs"], found["no severe errors"]["differ"]) == (3, 1)
    assert (found["support stances"]["pairs"], found["support stances"]["differ"]) == (4, 1)
    assert {row["written"] for row in found.values()} == {"same"}
    with pytest.raises(EmptySelectionError, match="every published property"):
        FactorsSheet().run(golden)
    assert list(FactorsSheet(columns="all").run(golden).table().columns[4:]) == ANNOTATED


def test_a_dataset_without_any(store):
    result = FactorsProperties().run(store)
    assert result.values == {"pairs": 6, "has": 0, "lacks": 29}
    assert all("factor" not in row and row["pairs"] == 0 for row in rows(store).values())
    assert result.warnings == ()


def test_counts_are_of_the_selection(golden):
    assert FactorsProperties(judge=("yi-6b",)).run(golden).values["pairs"] == 1
    assert rows(golden, judge=("yi-6b",))["support stances"]["differ"] == 1


def test_names_are_matched_and_opposites_said(tmp_path, store):
    deliver(store, tmp_path / "f.csv", Step_by_Step=(2, 1), repetitive=(0, 3), **{"authoritative tone": (1, 1)})
    found = rows(store)
    assert (found["step-by-step"]["factor"], found["step-by-step"]["differ"]) == ("Step_by_Step", 6)
    assert (found["authoritative"]["factor"], found["authoritative"]["differ"]) == ("authoritative tone", 0)
    assert (found["non-repetitive"]["factor"], found["non-repetitive"]["written"]) == ("repetitive", "opposite")
    (said,) = FactorsProperties().run(store).warnings
    assert "more of 'repetitive' is less of 'non-repetitive'" in said


def test_length_is_measured_where_it_was_not_delivered(tmp_path, store):
    extract(store, "d")
    row = rows(store)["lengthy"]
    # 4 words against 2: of a shorter answer of 2 words the longer one is so from 5 on.
    assert (row["factor"], row["written"], row["pairs"], row["differ"]) == ("words", "words", 6, 0)


def test_the_sheet_filled_in_gives_the_properties(tmp_path, store):
    sheet = FactorsSheet().run(store).table()
    assert list(sheet.columns) == ["response_key", "prompt", "model", "response", *ANNOTATED]
    # One answer of each model to each prompt.
    assert len(sheet) == sheet["response_key"].nunique() == 12
    filled = sheet.copy()
    filled["clear"] = [3 if model == "one" else 1 for model in filled["model"]]
    filled["no severe errors"] = [-2 if model == "one" else 0 for model in filled["model"]]
    filled.loc[:1, "polite"] = 2
    path = tmp_path / "sheet.csv"
    path.write_text(as_csv(filled))
    assert "'=Prompt" in path.read_text()
    # Recognised without being told; texts were guarded against spreadsheets, the key finds the answers.
    report = import_path(store, path, "d")
    assert (report.format, report.accepted, report.rejected) == ("factors", 12, 0)
    found = rows(store)
    assert {name for name, row in found.items() if "factor" in row} == {"clear", "no severe errors", "polite"}
    assert (found["clear"]["pairs"], found["clear"]["differ"]) == (6, 6)
    assert found["polite"]["pairs"] == 1
    fit = FactorsFit(factor=("clear",), coding="sign").run(store)
    assert set(fit.table()["factor"]) == {"clear"}
    # What is there is not asked for again.
    again = FactorsSheet().run(store).table()
    assert [name for name in ANNOTATED if name not in again] == ["polite", "clear", "no severe errors"]


def test_a_sheet_that_is_not_of_this_dataset(tmp_path, store):
    sheet = FactorsSheet().run(store).table().assign(clear=1)
    path = tmp_path / "sheet.csv"
    sheet.assign(response_key="0123456789abcdef").to_csv(path, index=False)
    with pytest.raises(NothingAcceptedError, match="no response key names a response of this dataset"):
        import_path(store, path, "d")
    sheet.loc[0, "response_key"] = "0123456789abcdef"
    sheet.loc[1, "response_key"] = ""
    sheet.loc[2, "clear"] = None
    sheet.to_csv(path, index=False)
    report = import_path(store, path, "d")
    assert (report.accepted, report.rejected) == (9, 3)
    said = [(row["line"], row["reason"]) for row in report.rejections.to_dict("records")]
    assert "names no response of dataset 'd'" in said[0][1]
    assert [reason for _, reason in said[1:]] == ["is empty", "has no value of any factor"]


def test_the_codebook_says_what_each_column_means(store):
    book = FactorsSheet().run(store).table("codebook")
    assert book["property"].tolist() == ANNOTATED
    assert (book[["definition", "scale"]].map(len) > 5).all(axis=None)


def test_answers_without_texts_cannot_be_annotated(tmp_path):
    store = Store(tmp_path / "t.duckdb")
    table().drop(columns=["response_a", "response_b"]).to_csv(tmp_path / "x.csv", index=False)
    import_path(store, tmp_path / "x.csv", "d")
    with pytest.raises(EmptySelectionError, match="has a text"):
        FactorsSheet().run(store)


def test_the_chart(golden, store):
    result = FactorsProperties().run(golden)
    drawn = property_chart(result.table(), 4, LIGHT)
    known, differ = drawn.data[-2:]
    assert len(known.x) == len(differ.x) == 29
    assert (known.x[NAMES.index("no severe errors")], differ.x[NAMES.index("clear")]) == (0.75, 0.25)
    assert "29 published properties" in drawn.layout.meta["alt"]
    empty = property_chart(FactorsProperties().run(store).table(), 6, LIGHT, narrow=True)
    assert "No published property is known" in empty.layout.meta["alt"]


def test_the_page_data_has_words_for_each_key():
    from data.factor_columns import KEYS
    from data.fields import FIELDS
    from ui.upload import OF_FACTORS

    assert set(KEYS) <= set(FIELDS | OF_FACTORS)


def test_names_are_told_apart():
    known = [matched(name) for one in PROPERTIES for name in {one.name, one.key}]
    assert len(set(known)) == len(known)
