"""Is what a simulation writes straight into the store what an import of the same rows would have made of it?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from data import queries
from data.simulate import cells, fill
from data.simulate.tables import Simulated
from data.simulate.world import World
from data.store import Store
from errors import Cancelled, OptionError
from studies.simulate import add_simulated, add_source

TABLES = {
    "dataset": "dataset_id, name, simulated",
    "import_log": "* EXCLUDE (imported_at)",
    "scenario": "*", "model": "*", "judge": "*", "annotator": "*", "criterion": "*", "variant": "*",
    "prompt": "* REPLACE ((SELECT body FROM text t WHERE t.text_id = prompt.text_id) AS text_id)",
    "prompt_scenario": "*", "response": "*", "pair": "*", "pair_key": "*", "judgment": "*", "witness": "*",
    "factor": "*", "response_value": "*", "judgment_value": "*", "attribute": "*", "fingerprint": "*", "truth": "*",
    "text": "hash, body",
}  # fmt: skip
"""What must be equal: all but moments, and the numbers of texts, which an import gives out in no order."""


def content(store: Store) -> dict[str, pd.DataFrame]:
    with store.reading() as con:
        return {
            table: con.execute(f"SELECT {columns} FROM {table} ORDER BY ALL").df() for table, columns in TABLES.items()
        }


def tiny_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many blocks, and parts that end in the middle of one."""
    monkeypatch.setattr(cells, "BLOCK_ROWS", 700)
    monkeypatch.setattr(fill, "POUR_ROWS", 1000)


OPTIONS: dict[str, Any] = {"judgments": 4003, "models": 5, "judges": 3, "factors": 4, "scenarios": 3, "prompts": 40}


@pytest.mark.parametrize(
    ("options", "before"),
    [
        (OPTIONS, False),
        (OPTIONS, True),
        # Many pairs on a prompt: the same pair again and again, in both orientations.
        (OPTIONS | {"models": 3, "prompts": 2, "factors": 0}, False),
        # Most prompts and models never occur.
        (OPTIONS | {"judgments": 9, "models": 40, "prompts": 400, "scenarios": 12}, False),
        (OPTIONS | {"judgments": 1, "judges": 1, "factors": 1, "models": 2, "scenarios": 1}, True),
    ],
)
def test_the_store_is_as_after_an_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any], before: bool
) -> None:
    tiny_blocks(monkeypatch)
    drawn: list[tuple[World, int, int]] = []
    draw = fill.draw

    def listen(con, folder, world, n_judgments, seed, progress):
        drawn.append((world, n_judgments, seed))
        return draw(con, folder, world, n_judgments, seed, progress)

    monkeypatch.setattr("studies.simulate.draw", listen)
    straight, imported = Store(tmp_path / "straight.duckdb"), Store(tmp_path / "imported.duckdb")
    if before:
        # Its prompts have texts that the next dataset has too, and its numbers are taken.
        for store in (straight, imported):
            add_simulated(store, "before", judgments=300, models=4, judges=2, factors=2, scenarios=3, prompts=30, seed=5)
    reports = [add_simulated(straight, "new", **options, seed=3)]
    world, n, seed = drawn[-1]
    reports.append(add_source(imported, "new", Simulated(world, n, seed), seed))
    left, right = reports[0].as_json(), reports[1].as_json()
    assert left == right
    found, wanted = content(straight), content(imported)
    for table in TABLES:
        pd.testing.assert_frame_equal(found[table], wanted[table], obj=table)
    assert len(found["judgment"]) == n + 300 * before
    assert len(found["response_value"]) == options["factors"] * len(found["response"]) or before


def test_the_same_prompt_texts_stand_once(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    for name in ("one", "two"):
        add_simulated(store, name, judgments=200, models=3, judges=2, factors=0, scenarios=1, prompts=20)
    with store.reading() as con:
        rows = con.execute("SELECT count(*), count(DISTINCT hash), count(DISTINCT text_id) FROM text").fetchall()
        datasets = [queries.catalog(con, name) for name in ("one", "two")]
        prints = [queries.fingerprint(con, names, list(names.judges)) for names in datasets]
    assert rows == [(20, 20, 20)]
    assert prints[0] == prints[1]


def test_stopping_while_drawing_or_writing_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    add_simulated(store, "held", judgments=50, models=3, judges=2, factors=0, scenarios=1, prompts=5)
    before = content(store)
    for word in ("integrating", "drawing", "responses", "judgments", "fingerprinting"):

        def stop(share: float, text: str, word: str = word) -> None:
            if word in text and share > 0.01:
                raise Cancelled

        with pytest.raises(Cancelled):
            add_simulated(store, "new", **OPTIONS, progress=stop)
        assert {name: len(table) for name, table in content(store).items()} == {k: len(v) for k, v in before.items()}
        assert sorted(path.name for path in tmp_path.iterdir()) == ["s.duckdb", "s.duckdb.gate", "s.duckdb.lock"]
    shares: list[float] = []
    add_simulated(store, "new", **OPTIONS, progress=lambda share, text: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_name_that_was_taken_meanwhile_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "s.duckdb")
    small: dict[str, Any] = {"judgments": 50, "models": 3, "judges": 1, "factors": 0, "scenarios": 1, "prompts": 5}

    def meanwhile(share: float, text: str) -> None:
        if text.startswith("drawing") and not store.exists():
            add_simulated(store, "d", **small)

    with pytest.raises(OptionError, match="already is a dataset 'd'"):
        add_simulated(store, "d", **small, progress=meanwhile)
    with store.reading() as con:
        assert queries.dataset_table(con)["judgments"].tolist() == [50]


def test_parts_hold_all_rows_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fill, "POUR_ROWS", 7)
    path = tmp_path / "x.arrows"
    sizes = [3, 4, 5, 20, 1, 2]
    rows = iter(range(100))
    batches = [pa.record_batch({"x": [next(rows) for _ in range(n)]}) for n in sizes]
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, batches[0].schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    parts = list(fill._parts(path))
    assert [len(part) for part in parts] == [7, 7, 7, 7, 7]
    assert [x for part in parts for x in part["x"].to_pylist()] == list(range(35))
