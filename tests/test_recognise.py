"""Is each column of a foreign table right or asked about, and none silently wrong?"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from foreign_layouts import LAYOUTS, Layout

from data.fields import resolve_mapping
from data.importers import registry
from data.importers.table import RawTable
from data.model import silent
from data.normalise import normalise
from data.recognise import ASK, Reading, recognise, take_samples


def load(layout: Layout, folder: Path) -> tuple[duckdb.DuckDBPyConnection, RawTable, Reading]:
    con = duckdb.connect()
    path = layout.write(folder)
    raw = registry.load(registry.choose(path, "judgments"), path, con, folder, silent)
    return con, raw, recognise(raw.columns, take_samples(con, raw.columns))


def test_there_are_twenty_and_more_of_them():
    assert len(LAYOUTS) >= 20
    assert len({layout.name for layout in LAYOUTS}) == len(LAYOUTS)


@pytest.mark.parametrize("layout", LAYOUTS, ids=[layout.name for layout in LAYOUTS])
def test_each_column_is_right_or_asked_about(layout: Layout, tmp_path):
    _, _, reading = load(layout, tmp_path)
    found = {m.column: m.field if m.role == "field" else None if m.role == "unused" else m.role for m in reading.columns}
    assert found == layout.means
    assert reading.shape == layout.shape
    assert sorted(q.about for q in reading.questions) == sorted(layout.asked)
    for meaning in reading.columns:
        if meaning.confidence == ASK:
            assert meaning.role == "unused", "what is asked about may not be prefilled"
            assert f"column:{meaning.column}" in layout.asked
    assert {j.name: j.kind for j in reading.judges} == layout.kinds
    assert {w.word: w.outcome for w in reading.words} == layout.words
    assert set(layout.sets) <= set(reading.sets())


UNDECIDED = ("unclear-flags", "percent", "forum", "criteria", "texts-called-models", "two-ratings", "soft-preference",
             "true-false")  # fmt: skip
"""Nothing in them is a verdict before the user says so."""
IMPORTED = [layout for layout in LAYOUTS if layout.name not in UNDECIDED]


@pytest.mark.parametrize("layout", IMPORTED, ids=[layout.name for layout in IMPORTED])
def test_what_was_recognised_can_be_imported_as_it_is(layout: Layout, tmp_path):
    """With an answer to each question the words of the reading take every row."""
    con, raw, reading = load(layout, tmp_path)
    sets = [*reading.sets(), *(reading.presets[0].meanings and [(f"winner.{w}", o) for w, o in reading.presets[0].meanings]
                               if reading.presets else [])]  # fmt: skip
    if "judge" in layout.asked and reading.judge is None:
        sets.append(("judge", "somebody"))
    if "ranking" in layout.asked:
        sets.append(("ranking", "ranks"))
    mapping = resolve_mapping(raw.columns, reading.maps(), sets, reading.judge_columns(), automatic=False)
    assert mapping.shape == reading.shape
    staged = normalise(con, raw.columns, mapping)
    assert con.execute("SELECT bad_field, bad_value, bad_reason FROM stage WHERE bad_reason IS NOT NULL").fetchall() == []
    assert staged.n_judgments >= 12
