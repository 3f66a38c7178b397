"""The study `reliability`, and what `compare` says of agreement net of noise."""

import pytest

from data.store import Store
from errors import EmptySelectionError
from studies.compare import Compare
from studies.reliability import Reliability
from studies.simulate import add_simulated


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    found = Store(tmp_path_factory.mktemp("reliability") / "s.duckdb")
    add_simulated(found, "w", judgments=9000, models=10, judges=3, factors=0, scenarios=2, prompts=150)
    return found


def test_it_says_what_compare_says_and_adds_ceilings(store):
    result = Reliability(dataset="w").run(store)
    table = result.table("agreement")
    assert len(table) == 2
    for judge in table["judge"]:
        row = table[table["judge"] == judge].iloc[0]
        corrected = Compare(dataset="w", judge=("people", judge)).run(store).values["corrected"]
        if corrected is None:
            assert "perfect" in row["note"]
            continue
        assert corrected["value"] == pytest.approx(row["corrected"])
        assert corrected["lower"] == pytest.approx(row["lower"])
        assert abs(row["corrected"]) > abs(row["pearson"])
    ceilings = result.table("ceilings")
    assert ceilings["way"].tolist() == ["annotator", "prompt"]
    assert ceilings["value"].between(0.3, 1).all()
    assert (ceilings["lower"] <= ceilings["value"]).all()
    assert "Spearman and Brown" in result.caption


def test_one_judge_is_not_enough(store):
    with pytest.raises(EmptySelectionError, match="two judges"):
        Reliability(dataset="w", judge=("people",)).run(store)
