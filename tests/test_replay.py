"""Are a bundle's numbers the same on its own data, on a store filled in another order, and what is said if not?"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from papers import DATASET, asked

import studies  # noqa: F401
from data.store import Store
from errors import EmptySelectionError, FileError, JurylensError
from exports import bundle, provenance
from exports.replay import differences, opened, replay, same, sentence
from studies.study import REGISTRY, Result

ROOT = Path(__file__).parent.parent

Stores = tuple[Store, Store, Store]
"""The same judgments: in order; files swapped and rows shuffled; and half of these with their sides exchanged."""

# Numbers of pairs in a store, lists that are drawn by its order, and texts.
UNORDERED = {"examples", "factors decided", "factors table", "judge-again", "next-pairs"}
# What is of the labels a and b: which of two responses a file names first is then part of the question. Columns by how
# they begin, and tables.
OF_SIDES = {
    "agreement": ("kappa", "ac1", "fleiss", "alpha", "confusion"),
    "factors explain": ("a", "b", "difference", "log_odds", "points", "share_a", "predicted", "lower", "upper", "verdict",
                        "first_position"),
    "criteria": ("kappa", "ac1"),
}  # fmt: skip


@pytest.fixture(scope="module")
def made(paper_stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with its data and without figures, which take a browser."""
    folder = tmp_path_factory.mktemp("bundle") / "compare"
    result = REGISTRY["compare"](judge=("people", "robot")).run(paper_stores[0])
    bundle.write(result, paper_stores[0], folder, with_data=True, drawn=())
    return folder


def compared(was: Result, now: Result, left_out: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """What differs between two results, but for tables and columns whose names begin with one of these."""
    manifest = {"values": dict(was.values), "tables": dict.fromkeys(was.tables)}
    found = differences(manifest, was, now)
    return [one for one in found if not (one["column"].startswith(left_out or ("\0",)) or one["table"] in left_out)]


@pytest.mark.every(2, "command", shift=1)
@pytest.mark.parametrize("command", sorted(set(REGISTRY) - UNORDERED))
def test_a_store_filled_in_another_order_gives_the_same_numbers(
    paper_stores: Stores, command: str
) -> None:
    try:
        was = asked(command, paper_stores[0])
    except JurylensError as error:
        pytest.skip(f"no answer here: {error}")
    # Where sides matter the order alone is tried, too.
    tried = ([(paper_stores[1], False)] if command in OF_SIDES else []) + [(paper_stores[2], True)]
    for other, sides in tried:
        study = was.study
        if getattr(study, "pair", None) is not None:
            study = provenance.with_pair(study, provenance.pair_keys(study, paper_stores[0]), other)
        now = study.run(other)
        assert now.fingerprint == was.fingerprint
        assert provenance.rests_on(study, other) == provenance.rests_on(was.study, paper_stores[0])
        assert compared(was, now, OF_SIDES.get(command, ()) if sides else ()) == []


# One of each kind: strengths, a bootstrap, delivered factors, votes, scores, a pair, published ways, several criteria.
@pytest.mark.parametrize(
    "command",
    ["rank", "factors gap", "reward-models", "factors explain", "audit", "criteria", "scenarios", "disagreement",
     "examples"],
)  # fmt: skip
def test_a_bundle_with_its_data_is_replayed_without_a_store(
    paper_stores: Stores, tmp_path: Path, command: str
) -> None:
    bundle.write(asked(command, paper_stores[0]), paper_stores[0], tmp_path / "b", with_data=True, drawn=())
    nobody = Store(tmp_path / "nothing.duckdb")
    found = replay(tmp_path / "b", nobody)
    assert (found.same, found.differences, found.data_changed, found.also_changed) == (True, (), (), ())
    assert found.on == "the bundle's data"
    assert not nobody.exists()


def test_a_bundle_without_data_is_replayed_on_a_store_with_the_same_files(
    paper_stores: Stores, made: Path, tmp_path: Path
) -> None:
    shutil.copytree(made, tmp_path / "b", ignore=shutil.ignore_patterns("data"))
    found = replay(tmp_path / "b", paper_stores[1])
    assert (found.same, found.on) == (True, "this store")
    with pytest.raises(EmptySelectionError, match="no dataset 'paper', and the bundle carries no data"):
        replay(tmp_path / "b", Store(tmp_path / "nothing.duckdb"))


def test_one_changed_verdict_is_named_by_dataset_and_judge(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "b")
    path = tmp_path / "b" / "data" / "judgments.jsonl"
    lines = path.read_text().splitlines()
    at = next(k for k, line in enumerate(lines) if '"judge": "people"' in line and '"winner": "a"' in line)
    lines[at] = lines[at].replace('"winner": "a"', '"winner": "b"')
    path.write_text("\n".join(lines) + "\n")
    found = replay(tmp_path / "b", Store(tmp_path / "nothing.duckdb"))
    assert not found.same
    assert [(one["dataset"], one["judge"]) for one in found.data_changed] == [(DATASET, "people")]
    assert found.n_differences > 0
    assert set(found.differences[0]) == {"table", "row", "column", "was", "is"}
    assert "'people' in 'paper'" in sentence(found)


def test_a_changed_number_is_found_where_nothing_else_has_changed(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "b")
    path = tmp_path / "b" / "tables" / "models.csv"
    header, first, *rest = path.read_text().splitlines()
    at, cells = header.split(",").index("gap"), first.split(",")
    cells[at] = str(float(cells[at]) + 1e-4)
    path.write_text("\n".join([header, ",".join(cells), *rest]) + "\n")
    found = replay(tmp_path / "b", Store(tmp_path / "nothing.duckdb"))
    assert (found.same, found.n_differences, found.data_changed) == (False, 1, ())
    one = found.differences[0]
    assert (one["table"], one["column"]) == ("models", "gap")
    assert "model=" in one["row"]
    assert "data, options and versions are the same" in sentence(found)


def test_another_version_and_another_setting_are_named(made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "b")
    path = tmp_path / "b" / "bundle.json"
    content = json.loads(path.read_text())
    content["versions"]["numpy"] = "1.0"
    path.write_text(json.dumps(content))
    found = replay(tmp_path / "b", Store(tmp_path / "nothing.duckdb"))
    assert found.same
    assert [one["what"] for one in found.changed] == ["numpy"]
    content["study"]["options"]["level"] = 0.9
    path.write_text(json.dumps(content))
    found = replay(tmp_path / "b", Store(tmp_path / "nothing.duckdb"))
    assert not found.same
    assert found.changed[1:] == ({"what": "setting level", "was": 0.95, "is": 0.9},)


@pytest.mark.parametrize(
    ("was", "now", "alike"),
    [("1.0", "1", True), ("1.0", "1.0000001", True), ("1.0", "1.00001", False), ("0.0", "1e-9", True), ("a", "b", False),
     ("", "0.0", False), ("5", "6", False)],
)  # fmt: skip
def test_cells_are_the_same_up_to_what_other_machines_add_up_otherwise(was: str, now: str, alike: bool) -> None:
    assert same(was, now) is alike


def test_the_zip_is_the_folder(made: Path, tmp_path: Path) -> None:
    files = [str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()]
    packed = tmp_path / "b.zip"
    packed.write_bytes(bundle.pack(made, files))
    assert packed.read_bytes() == bundle.pack(made, files[::-1])
    with opened(packed) as folder:
        assert (folder / "bundle.json").read_bytes() == (made / "bundle.json").read_bytes()


@pytest.mark.parametrize(
    ("damage", "said"),
    [(lambda folder: (folder / "bundle.json").unlink(), "holds no bundle.json"),
     (lambda folder: (folder / "bundle.json").write_text("{"), "bundle.json is damaged"),
     (lambda folder: (folder / "bundle.json").write_text('{"bundle": 9}'), "of a later version"),
     (lambda folder: (folder / "tables" / "models.csv").unlink(), "lacks its table"),
     (lambda folder: (folder / "data" / "judgments.jsonl").write_text("{\n"), "is no JSON")],
    ids=["no-manifest", "half-a-manifest", "later", "no-table", "half-a-line"],
)  # fmt: skip
def test_a_damaged_bundle_is_refused_in_a_sentence(made: Path, tmp_path: Path, damage: Any, said: str) -> None:
    shutil.copytree(made, tmp_path / "b")
    damage(tmp_path / "b")
    with pytest.raises(FileError, match=said):
        replay(tmp_path / "b", Store(tmp_path / "nothing.duckdb"))


def test_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_text("no zip")
    with pytest.raises(FileError, match="no zip that can be read"), opened(tmp_path / "b.zip"):
        pass


def test_the_commands_write_and_replay(paper_stores: Stores, tmp_path: Path) -> None:
    def cli(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "cli.py", "--db", str(paper_stores[0].path), *words], cwd=ROOT, text=True,
                              capture_output=True, check=False)  # fmt: skip

    # A list of pairs has no figure, so that no browser is started here.
    done = cli("export", "datasets", "health", DATASET, "--to", str(tmp_path / "b"), "-o", "json")
    assert done.returncode == 0, done.stderr
    files = json.loads(done.stdout)["files"]
    assert str(tmp_path / "b" / "bundle.json") in files
    assert all(Path(name).is_file() for name in files)
    again = cli("replay", str(tmp_path / "b"), "-o", "json", "--require-same")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["same"] is True
    refused = cli("export", "datasets", "health", DATASET, "--to", str(ROOT / "docs"))
    assert refused.returncode == 1
    assert "holds other files" in refused.stderr


def test_the_study_is_written_down_whole() -> None:
    study = replace(REGISTRY["compare"](), judge=("x", "y"), dataset="d", position=True, level=0.9)
    assert provenance.study_of("compare", json.loads(json.dumps(provenance.as_options(study)))) == study
    with pytest.raises(FileError, match="knows no study 'gone'"):
        provenance.study_of("gone", {})
    with pytest.raises(FileError, match="no option 'new'"):
        provenance.study_of("compare", {"new": 3})
