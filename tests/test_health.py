"""What does the health check say of models that never met, that only won or lost, and of pairs judged hardly ever?"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from bad_datasets import add, cases

from data.imports import import_path
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


def test_responses_without_their_text(tmp_path: Path) -> None:
    """None has one, some have none, or an empty one."""
    store = Store(tmp_path / "s.duckdb")
    header = "prompt,model_a,model_b,response_a,response_b,judge,winner\n"
    (tmp_path / "none.csv").write_text("prompt,model_a,model_b,judge,winner\n" + "p,m,n,people,a\nq,m,n,people,b\n")
    (tmp_path / "some.csv").write_text(header + "p,m,n,x,,people,a\nq,m,n,y,z,people,b\n")
    for name, said in (
        ("none", "No response has its text: what moves the judges cannot be measured, and no pair can be read."),
        ("some", "1 of 4 responses has no text: fits on factors leave their pairs out or take them for empty answers."),
    ):
        import_path(store, tmp_path / f"{name}.csv", name)
        table = Health(dataset=name).run(store).table().set_index("rule")
        assert table.loc["missing texts", "finding"] == said
