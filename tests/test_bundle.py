"""Which figures does each study have, and what is in the bundle that goes into a paper?"""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from papers import DATASET, MODELS, SCENARIOS, asked

from charts.theme import PRINT
from data.display import Changes, change
from data.store import Store
from errors import DrawingError, JurylensError, OptionError
from exports import bundle, figures
from exports.drawings import WITHOUT, Drawing, drawings
from exports.drawings.drawing import DRAWN
from exports.replay import replay
from studies.by_scenario import ask_by_scenario
from studies.study import REGISTRY
from ui import sections

Stores = tuple[Store, Store, Store]


def test_each_study_has_a_figure_or_a_reason_why_not(paper_stores: Stores) -> None:
    drawings(asked("rank", paper_stores[0]))  # which imports them all
    assert set(DRAWN) | set(WITHOUT) == set(REGISTRY)
    assert not set(DRAWN) & set(WITHOUT)
    on_pages = {command for part in (sections.RANKINGS, sections.FACTORS, sections.METHODS, sections.JUDGES)
                for section in part for command in section.studies}  # fmt: skip
    assert on_pages <= set(REGISTRY)


@pytest.mark.every(2, "command")
@pytest.mark.parametrize("command", sorted(set(REGISTRY) - set(WITHOUT)))
def test_each_figure_is_drawn_in_both_widths_and_says_what_it_shows(paper_stores: Stores, command: str) -> None:
    try:
        result = asked(command, paper_stores[0])
    except JurylensError as error:
        pytest.skip(f"no answer here: {error}")
    found = drawings(result)
    assert found
    assert len({one.name for one in found}) == len(found)
    for one in found:
        assert one.table in result.tables
        for narrow in (False, True):
            drawn = one.draw(PRINT, narrow)
            assert drawn.data or drawn.layout.shapes or drawn.layout.annotations
            assert drawn.layout.meta["alt"]


def test_several_judges_have_figures_of_their_own(paper_stores: Stores) -> None:
    names = [one.name for one in drawings(asked("compare", paper_stores[0]))]
    assert names[:3] == ["slope-robot", "gap-robot", "flips-robot"]
    alone = REGISTRY["compare"](judge=("people", "robot")).run(paper_stores[0])
    assert [one.name for one in drawings(alone)] == ["slope", "gap", "flips"]


def write(store: Store, folder: Path, **more: Any) -> dict[str, Any]:
    """The manifest of a bundle of rankings."""
    bundle.write(REGISTRY["rank"](judge=("people",)).run(store), store, folder, **more)
    content: dict[str, Any] = json.loads((folder / bundle.MANIFEST).read_text())
    return content


def test_tables_of_a_bundle_have_the_dataset_s_decimals(paper_stores: Stores, tmp_path: Path) -> None:
    result = REGISTRY["rank"](judge=("people",)).run(paper_stores[0])
    strength = result.table("ranking")["strength"].iloc[0]
    for wished, said in ((None, f"{strength:.2f}"), (4, f"{strength:.4f}")):
        shown = replace(result, display=replace(result.display, decimals=wished))
        bundle.write(shown, paper_stores[0], tmp_path / "b", drawn=())
        table = (tmp_path / "b" / "tables" / "ranking.tex").read_text()
        assert f"& {said.removeprefix('0')} & [" in table


def test_a_bundle_holds_tables_caption_sources_and_what_it_rests_on(paper_stores: Stores, tmp_path: Path) -> None:
    manifest = write(paper_stores[0], tmp_path / "b", drawn=())
    assert manifest["study"]["command"] == "rank"
    assert manifest["study"]["options"]["judge"] == ["people"]
    assert manifest["study"]["options"]["dataset"] == DATASET
    assert manifest["seed"] == 0
    assert set(manifest["data"]["judges"]) == {"people"}
    assert {"jurylens", "python", "numpy", "duckdb"} <= set(manifest["versions"])
    with (tmp_path / "b" / "tables" / "ranking.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["model"] for row in rows} == set(MODELS)
    table = asked("rank", paper_stores[0]).table("ranking")
    first = table[table["judge"] == "people"].iloc[0]
    assert float(rows[0]["strength"]) == first["strength"]  # in full precision
    assert r"\begin{table" in (tmp_path / "b" / "tables" / "ranking.tex").read_text()
    caption = (tmp_path / "b" / "caption.txt").read_text()
    assert "900 judgments" in caption
    assert "clustered by 30 prompts" in caption
    assert "bradley1952" in (tmp_path / "b" / "references.bib").read_text()
    readme = (tmp_path / "b" / "README.txt").read_text()
    assert "cli.py rank --dataset paper --judge people" in readme
    assert "into which the same files were imported" in readme
    for name in manifest["files"]:
        assert (tmp_path / "b" / name).is_file()


def test_with_its_data_a_bundle_has_the_judgments_of_its_judges_alone(paper_stores: Stores, tmp_path: Path) -> None:
    write(paper_stores[0], tmp_path / "b", drawn=(), with_data=True)
    lines = (tmp_path / "b" / "data" / "judgments.jsonl").read_text().splitlines()
    assert {json.loads(line)["judge"] for line in lines} == {"people"}
    assert len(lines) == 900


def test_each_scenario_alone_has_figures_and_stands_in_each_table(
    paper_stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figures, "rendered", lambda draw, mm, formats: {"svg": b"<svg/>"})
    found = ask_by_scenario(REGISTRY["rank"](judge=("people",)), paper_stores[0])  # type: ignore[arg-type]
    drawn = bundle.drawings_by_scenario(found)
    done = bundle.write(found.joined, paper_stores[0], tmp_path, drawn=drawn)
    names = {f"figures/ranking-{scenario}-{mm}mm.svg" for scenario in SCENARIOS for mm in (84, 174)}
    assert {name for name in done.files if name.startswith("figures")} == names
    assert all(rf"\textit{{{scenario}}}" in (tmp_path / "tables" / "ranking.tex").read_text() for scenario in SCENARIOS)
    assert "rank --dataset paper --judge people --criterion overall --by scenario" in (tmp_path / "README.txt").read_text()
    assert replay(tmp_path, paper_stores[1]).same


def test_a_figure_higher_than_a_page_is_said_and_so_are_letters_without_a_font(
    paper_stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    svg = {84: b'<svg height="300.2mm"><text>a\xe6\xa8\xa1</text></svg>', 174: b'<svg height="100mm"/>'}
    monkeypatch.setattr(figures, "rendered", lambda draw, mm, formats: {"svg": svg[mm]})
    result = asked("rank", paper_stores[0])
    high, foreign = bundle.write(result, paper_stores[0], tmp_path / "b", drawn=drawings(result)[:1]).said
    assert high.startswith("higher than the 240 mm of a page: ranking at 84 mm (300 mm); lower with fewer models")
    assert "letters that their font has not (模)" in foreign
    assert high in (tmp_path / "b" / "README.txt").read_text()


def test_a_folder_with_other_files_is_left_alone_and_an_older_bundle_gives_way(
    paper_stores: Stores, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(OptionError, match="holds other files"):
        write(paper_stores[0], tmp_path, drawn=())
    folder = tmp_path / "b"
    write(paper_stores[0], folder, drawn=(), with_data=True)
    write(paper_stores[0], folder, drawn=())
    assert not list((folder / "data").glob("*"))


def test_without_a_browser_figures_are_pages_and_that_is_said(
    paper_stores: Stores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(draw: object, mm: int, formats: tuple[str, ...]) -> dict[str, bytes]:
        if "svg" in formats:
            raise DrawingError("no browser is found")
        return dict.fromkeys(formats, b"page")

    monkeypatch.setattr(figures, "rendered", refused)
    result = asked("rank", paper_stores[0])
    done = bundle.write(result, paper_stores[0], tmp_path / "b", drawn=drawings(result)[:1])
    assert {name for name in done.files if name.startswith("figures")} == {
        "figures/ranking-84mm.html", "figures/ranking-174mm.html",
    }  # fmt: skip
    assert "no browser is found" in done.said[0]


@pytest.mark.browser
def test_figures_are_drawn_at_both_widths_in_three_formats(
    paper_stores: Stores, browser: object, tmp_path: Path
) -> None:
    result = asked("rank", paper_stores[0])
    done = bundle.write(result, paper_stores[0], tmp_path / "b")
    files = {Path(name).name for name in done.files if name.startswith("figures")}
    assert files == {f"ranking-{mm}mm.{kind}" for mm in (84, 174) for kind in ("svg", "pdf", "png")}
    assert (tmp_path / "b" / "figures" / "ranking-84mm.pdf").read_bytes().startswith(b"%PDF")


def test_figures_and_tables_for_the_paper_have_display_names_and_data_those_of_the_files(
    paper_stores: Stores, tmp_path: Path
) -> None:
    import shutil

    store = Store(tmp_path / "own.duckdb")
    shutil.copy(paper_stores[0].path, store.path)
    change(store, DATASET, Changes(shown={("model", "ant"): "Ant 3 (ours)"}))
    result = REGISTRY["rank"](judge=("people",)).run(store.as_shown())
    seen: list[Drawing] = list(drawings(result))
    assert "Ant 3 (ours)" in str(seen[0].draw(PRINT, False).to_json())
    bundle.write(result, store.as_shown(), tmp_path / "b", drawn=())
    assert "Ant 3 (ours)" in (tmp_path / "b" / "tables" / "ranking.tex").read_text()
    data = (tmp_path / "b" / "tables" / "ranking.csv").read_text()
    assert "people,ant," in data
    assert "ours" not in data
