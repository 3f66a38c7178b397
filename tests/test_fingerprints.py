"""Equal data has the equal fingerprint, in whatever order and from whichever files it came into a store."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from data import datasets, queries
from data.imports import ImportOptions, import_path
from data.store import Store
from studies.compare import Compare
from studies.correct import Correct
from studies.examples import Examples
from studies.extract import extract
from studies.factors_lasso import FactorsLasso
from studies.factors_list import FactorsList
from studies.factors_tau import FactorsTau
from studies.factors_trust import FactorsTrust
from studies.fit_check import CheckFit
from studies.places import Places
from studies.rank import Rank
from studies.reliability import Reliability
from studies.study import Study

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
    # A test asks several questions of it: to open DuckDB takes longer than most.
    store = Store(folder / "s.duckdb", linger=5)
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


FEW = "prompt,pair_id,model_a,model_b,response_a,response_b,judge,annotator,winner,helpful_a,helpful_b,length_a,length_b\n"


def few_prompts(turn: bool, seed: int) -> list[str]:
    """Verdicts on all ten pairs of five models' answers to each of six prompts, the order of rows and sides drawn."""
    values = random.Random(3)
    out = []
    for k in range(6):
        size = {m: (values.randint(0, 3), values.randint(5, 60)) for m in "vwxyz"}
        for pair in ("vw", "vx", "vy", "vz", "wx", "wy", "wz", "xy", "xz", "yz"):
            verdicts = [(judge, who, values.choice("aaabbt")) for judge, who in (("people", "ann"), ("people", "bob"), ("gpt", ""))]
            exchanged = turn and random.Random(f"{seed} {k} {pair}").random() < 0.5
            for judge, who, said in verdicts:
                (a, b), winner = pair, {"a": "a", "b": "b", "t": "tie"}[said]
                if exchanged:
                    a, b, winner = b, a, TURNED[winner]
                words = [f"answer {k} {m} " + "word " * size[m][1] for m in (a, b)]
                cells = [f"prompt {k}", f"{k}{pair}", a, b, *words, judge, who, winner]
                out.append(",".join([*cells, *(str(size[m][at]) for at in (0, 1) for m in (a, b))]) + "\n")
    random.Random(seed).shuffle(out)
    return out


@pytest.fixture(scope="module")
def two_orders(tmp_path_factory: pytest.TempPathFactory) -> list[Store]:
    """The same judgments in two stores, by other rows, files and sides."""
    stores = []
    for seed, turn in ((1, False), (2, True)):
        folder = tmp_path_factory.mktemp(f"store{seed}")
        given = few_prompts(turn, seed)
        store = Store(folder / "s.duckdb")
        for n, part in enumerate([given[70 * seed :], given[: 70 * seed]]):
            (folder / f"{n}.csv").write_text(FEW + "".join(part))
            report = import_path(store, folder / f"{n}.csv", "d")
            assert report.rejected == 0, report.reasons
        stores.append(store)
    return stores


BY_PAIR = [
    Compare(judge=("people", "gpt")), Compare(judge=("people", "gpt"), cluster="pair"), Reliability(judge=("people", "gpt")),
    Rank(cluster="pair", simultaneous=True), CheckFit(cluster="pair"), Places(),
    FactorsTrust(factor=("helpful", "length")), FactorsTau(factor=("helpful", "length")),
    FactorsLasso(factor=("helpful", "length")), Correct(judge=("people", "gpt"), mask_human=0.5),
]  # fmt: skip


@pytest.mark.parametrize("study", BY_PAIR, ids=lambda study: f"{study.command} {study.cluster}")
def test_what_is_drawn_by_pair_is_drawn_alike_in_every_store(two_orders: list[Store], study: Study) -> None:
    one, two = (study.run(store) for store in two_orders)
    assert one.fingerprint == two.fingerprint
    assert one.settings.get("clustering", "pair") == "pair"
    found = 0
    for name, table in one.tables.items():
        other = two.tables[name]
        assert table.shape == other.shape, name
        for column in table.select_dtypes("number"):
            mine, theirs = (t[column].to_numpy(dtype=float, na_value=float("nan")) for t in (table, other))
            # Sums are added up in another order, and iterations stop at steps of 1e-8.
            assert mine == pytest.approx(theirs, rel=1e-6, abs=1e-8, nan_ok=True), (name, column)
            found += len(mine)
    assert found


def test_pairs_alike_are_listed_alike_in_every_store(two_orders: list[Store]) -> None:
    listed = [
        Examples(judge=("people", "gpt"), limit=20).run(store).table()["key"].tolist() for store in two_orders
    ]
    assert listed[0] == listed[1]
    # An id that two files give stands once.
    assert all("·" not in key for key in listed[0])
