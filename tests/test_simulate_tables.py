"""Are the streamed tables the judgments that were drawn, in the columns an import reads?"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from data.fields import FIELDS, WINNER_WORDS
from data.simulate.cells import blocks
from data.simulate.tables import Simulated, simulate
from data.simulate.world import World
from errors import OptionError


@pytest.fixture(scope="module")
def world():
    return World.draw(1, models=4, prompts=60, annotators=12, largest_prompt=0.2)


def frame(tables):
    return pd.concat([table.to_pandas().astype(object) for table in tables], ignore_index=True)


def test_the_columns_are_canonical_and_the_factors_paired(world):
    table = next(simulate(world, 1000))
    assert table.column_names[:11] == [
        "prompt", "prompt_id", "scenario", "model_a", "model_b", "judge", "judge_kind", "annotator", "winner",
        "swapped", "repeat",
    ]  # fmt: skip
    assert table.column_names[11:] == ["words_a", "words_b", "lists_a", "lists_b", "hedging_a", "hedging_b"]
    assert set(table.column_names[:11]) <= set(FIELDS)
    assert set(table["winner"].to_pylist()) <= set(WINNER_WORDS)
    for name in ("prompt", "model_a", "judge", "winner"):
        assert pa.types.is_dictionary(table.schema.field(name).type)


def test_the_rows_are_the_drawn_cells(world):
    rows = frame(simulate(world, 2000, seed=3))
    (cells,) = blocks(world, 2000, 3)
    assert (rows["model_a"] == np.array(world.models)[cells.model_a]).all()
    assert (rows["judge"] == np.array([judge.name for judge in world.judges])[cells.judge]).all()
    assert (rows["winner"] == np.array(["refused", "a", "b", "tie"])[cells.outcome]).all()
    assert (rows["swapped"].astype(bool) == (cells.s == -1)).all()
    assert (rows["scenario"] == np.array(world.scenarios)[cells.scenario]).all()
    assert (rows["prompt_id"] == [f"t{p + 1}" for p in cells.prompt]).all()
    assert (rows["annotator"].isna() == (cells.judge > 0)).all()
    named = cells.annotator >= 0
    assert (rows["annotator"][named] == [f"p{r + 1}" for r in cells.annotator[named]]).all()
    assert (rows["words_a"] == np.rint(150 + 40 * cells.x_a[:, 0]).clip(0)).all()
    assert np.allclose(rows["lists_b"].astype(float), cells.x_b[:, 1])
    assert dict(zip(rows["judge"], rows["judge_kind"], strict=True)) == {
        "people": "human", "judge-1": "llm", "judge-2": "llm",
    }  # fmt: skip


def test_a_chunk_cuts_and_changes_nothing(world):
    whole = frame(simulate(world, 1003, seed=2))
    pieces = list(simulate(world, 1003, seed=2, chunk=100))
    assert max(piece.num_rows for piece in pieces) == 100
    pd.testing.assert_frame_equal(frame(pieces), whole)
    assert len(whole) == 1003


def test_no_judgment_is_a_duplicate_of_another(world):
    # 4 models have 6 pairs, and the largest prompt alone draws 400: each model pair comes many times.
    rows = frame(simulate(world, 10_000, seed=4))
    low = rows[["model_a", "model_b"]].astype(str).min(axis=1)
    high = rows[["model_a", "model_b"]].astype(str).max(axis=1)
    keys = rows.assign(low=low, high=high)[["prompt_id", "low", "high", "judge", "annotator", "repeat"]]
    assert not keys.duplicated().any()
    assert rows["repeat"].min() == 1
    together = keys.groupby(["prompt_id", "low", "high", "judge", "annotator"], dropna=False)["repeat"]
    assert (together.max() == together.count()).all()


def test_a_response_has_one_text_of_about_its_words(world):
    rows = frame(simulate(world, 3000, seed=5, texts=True))
    assert rows.columns[5:7].tolist() == ["response_a", "response_b"]
    sides = [
        rows[["prompt_id", f"model_{s}", f"response_{s}", f"words_{s}"]].set_axis(
            ["prompt", "model", "text", "words"], axis=1
        )
        for s in "ab"
    ]
    responses = pd.concat(sides).drop_duplicates()
    assert not responses.duplicated(["prompt", "model"]).any()
    assert not responses.duplicated("text").any()
    # Texts come in steps of ten words.
    counted = responses["text"].str.split().str.len()
    assert (counted - responses["words"].clip(2)).abs().max() <= 5


def test_truth_and_expectation_are_those_of_the_world(world):
    simulated = Simulated(world, 100)
    assert set(simulated.truth["kind"]) == {
        "strength", "weight", "decisiveness", "position", "tie", "careless", "refusal",
    }  # fmt: skip
    assert simulated.expected().models == world.models


def test_judges_without_annotators_have_none_named(world):
    llm_only = replace(world, judges=world.judges[1:])
    assert frame(simulate(llm_only, 200))["annotator"].isna().all()


def test_a_chunk_of_no_rows_is_refused(world):
    with pytest.raises(OptionError, match="at least one row"):
        next(simulate(world, 10, chunk=0))
    with pytest.raises(OptionError, match="at least 1"):
        next(simulate(world, 0))
