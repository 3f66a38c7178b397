"""What does the health check say of models that never met, that only won or lost, and of pairs judged hardly ever?"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from bad_datasets import add, cases

from data.store import Store
from studies.health import Health

CASES = {case.name: case for case in cases()}


def found(folder: Path, case: str) -> pd.DataFrame:
    store = Store(folder / "s.duckdb")
    frame = CASES[case].frame
    assert frame is not None
    add(store, folder, case, frame)
    return Health(dataset=case).run(store).table().query("judge == 'people'").set_index("rule")


def test_groups_that_never_met_are_counted_and_named(tmp_path: Path) -> None:
    row = found(tmp_path, "three islands").loc["connectivity"]
    assert row["finding"] == (
        "people: the models fall into 3 groups that never met one another, directly or through a third; 4 models are "
        "outside the largest (x1 with x2 and y1 with y2)."
    )
    assert row["remedy"].startswith("Let them be judged against models of the largest group: next-pairs")
    assert (row["severity"], row["n"]) == (3, 4)


def test_models_that_only_won_or_lost(tmp_path: Path) -> None:
    table = found(tmp_path, "wins or loses all")
    assert table.loc["separation", "finding"] == (
        "people: 2 models won all or lost all against the rest and have no strength (best and worst)."
    )
    assert "connectivity" not in table.index


@pytest.mark.parametrize("case", ["one judgment each", "one prompt"])
def test_pairs_judged_hardly_ever(tmp_path: Path, case: str) -> None:
    row = found(tmp_path, case).loc["thin pairs"]
    assert "were judged fewer than 5 times" in row["finding"]
    assert row["n"] == (1 if case == "one judgment each" else 4)


def test_nothing_is_said_of_pairs_judged_often(tmp_path: Path) -> None:
    assert not {"connectivity", "separation", "thin pairs"} & set(found(tmp_path, "soft").index)
