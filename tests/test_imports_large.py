"""Imports of more rows than one DuckDB row group: none may be lost, whatever table they pass through."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data import queries
from data.imports import import_path
from data.store import Store

ROWS = 260_000
"""More than two row groups of 122,880 rows."""


@pytest.mark.slow
@pytest.mark.parametrize("texts", [False, True])
def test_no_row_is_lost_between_the_file_and_the_store(tmp_path: Path, texts: bool) -> None:
    # Pairs without texts are inserted after an insert of no pairs with texts, the case in which DuckDB hides rows.
    rng = np.random.default_rng(0)
    prompt, a = rng.integers(0, ROWS // 2, ROWS), rng.integers(0, 20, ROWS)
    b = (a + 1 + rng.integers(0, 19, ROWS)) % 20
    table = pd.DataFrame({"prompt": prompt, "model_a": a, "model_b": b, "judge": "people"})
    table["winner"] = np.array(["a", "b", "tie"])[rng.integers(0, 3, ROWS)]
    if texts:
        table["response_a"] = "answer " + table["prompt"].astype(str) + " of " + table["model_a"].astype(str)
        table["response_b"] = "answer " + table["prompt"].astype(str) + " of " + table["model_b"].astype(str)
    path = tmp_path / "large.csv"
    table.to_csv(path, index=False)
    store = Store(tmp_path / "s.duckdb")
    report = import_path(store, path, "d")
    assert (report.read, report.accepted, report.rejected) == (ROWS, ROWS, 0)
    low, high = np.minimum(a, b), np.maximum(a, b)
    assert report.pairs == len({*zip(prompt.tolist(), low.tolist(), high.tolist(), strict=True)})
    with store.reading() as con:
        names = queries.catalog(con, "d")
        found = con.execute("SELECT count(judgment_id), count(DISTINCT pair_id), min(outcome) FROM judgment").fetchall()
        pairs = con.execute("SELECT count(pair_id), count(response_a), count(DISTINCT response_b) > 0 FROM pair").fetchall()
    assert len(names.models) == 20
    assert found == [(ROWS, report.pairs, 1)]
    assert pairs == [(report.pairs, report.pairs, True)]
