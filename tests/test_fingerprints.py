"""Equal data has the equal fingerprint, in whatever order and from whichever files it came into a store."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from data import datasets, queries
from data.imports import ImportOptions, import_path
from data.store import Store
from studies.extract import extract
from studies.factors_list import FactorsList

HEADER = "prompt,scenario,model_a,model_b,response_a,response_b,judge,annotator,winner,helpful_a,helpful_b,swapped\n"
TURNED = {"a": "b", "b": "a", "tie": "tie"}


def rows(turn: bool = False, seed: int = 0) -> list[str]:
    """Verdicts on 12 prompts, their order drawn; turn : with the sides of half of them exchanged."""
    rng = random.Random(seed)
    out = []
    for k in range(12):
        for judge, who in (("people", "ann"), ("people", "bob"), ("gpt", "")):
            winner = ("a", "b", "tie")[(k + len(judge + who)) % 3]
            sides = [("x", f"answer {k}", "1"), ("y", f"other words {k}", "0")]
            shown = "false"
            if turn and rng.random() < 0.5:
                sides.reverse()
                winner, shown = TURNED[winner], "true"
            (a, left, good), (b, right, bad) = sides
            out.append(f"prompt {k},s{k % 2},{a},{b},{left},{right},{judge},{who},{winner},{good},{bad},{shown}\n")
    rng.shuffle(out)
    return out


def fingerprint(store: Store) -> str:
    with store.reading("test") as con:
        names = queries.catalog(con, "d")
        return queries.fingerprint(con, names, sorted(names.judges))


def filled(folder: Path, parts: list[list[str]], *, others: bool = False) -> Store:
    """A store into which the parts came as files, one after the other; others : after another dataset"""
    folder.mkdir()
    store = Store(folder / "s.duckdb")
    if others:
        (folder / "first.csv").write_text(HEADER + "".join(rows(seed=9)[:7]))
        import_path(store, folder / "first.csv", "first")
    for k, part in enumerate(parts):
        (folder / f"{k}.csv").write_text(HEADER + "".join(part))
        report = import_path(store, folder / f"{k}.csv", "d")
        assert report.rejected == 0, report.reasons
    if others:
        datasets.delete(store, "first")
    return store


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return filled(tmp_path_factory.mktemp("plain") / "store", [rows()])


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("turn", [False, True], ids=["as they are", "sides exchanged"])
def test_the_order_of_rows_files_and_sides_is_nothing(plain: Store, tmp_path: Path, seed: int, turn: bool) -> None:
    other = rows(turn, seed)
    cut = 11 * seed
    assert fingerprint(filled(tmp_path / "one", [other[cut:], other[:cut]], others=seed == 2)) == fingerprint(plain)


def test_a_file_withdrawn_and_read_again_is_as_if_it_came_last(plain: Store, tmp_path: Path) -> None:
    store = filled(tmp_path / "one", [rows()[:20], rows()[20:]])
    datasets.undo(store, "d", 1)
    assert fingerprint(store) != fingerprint(plain)
    import_path(store, tmp_path / "one" / "0.csv", "d")
    assert fingerprint(store) == fingerprint(plain)


@pytest.mark.parametrize(
    ("was", "now"), [("answer 3", "answer 33"), (",gpt,", ",gpt-4,"), ("s1,", "s9,"), ("ann,a", "ann,tie"), ("prompt 2", "prompt 22")]
)
def test_any_change_of_the_data_is_told(plain: Store, tmp_path: Path, was: str, now: str) -> None:
    text = "".join(rows())
    assert was in text
    assert fingerprint(filled(tmp_path / "one", [[text.replace(was, now)]])) != fingerprint(plain)


def test_results_over_factors_and_labels_have_the_equal_fingerprint_too(tmp_path: Path) -> None:
    found = []
    for k, turn in enumerate((False, True)):
        store = filled(tmp_path / str(k), [rows(turn, k)], others=bool(k))
        labels = ["prompt,label", *(f"prompt {n},kind {n % 3}" for n in range(12))]
        (tmp_path / "labels.csv").write_text("\n".join([labels[0], *(reversed(labels[1:]) if k else labels[1:])]) + "\n")
        import_path(store, tmp_path / "labels.csv", "d", ImportOptions(format="labels", sets=(("labeling", "mine"),)))
        extract(store, "d")
        listed = FactorsList(dataset="d", labeling="mine").run(store)
        with store.reading("test") as con:
            names = queries.catalog(con, listed.study)
            judged = queries.fingerprint(con, names, sorted(names.judges))
        found.append((listed.fingerprint, judged))
    assert found[0] == found[1]
