"""Is each column of a foreign table right or asked about, and none silently wrong?"""

from __future__ import annotations

import duckdb
import pytest
from foreign_layouts import LAYOUTS, Layout

from data.importers import registry
from data.model import silent
from data.recognise import ASK, Reading, recognise, take_samples


def read(layout: Layout, folder) -> Reading:
    con = duckdb.connect()
    path = layout.write(folder)
    raw = registry.load(registry.choose(path, "judgments"), path, con, folder, silent)
    return recognise(raw.columns, take_samples(con, raw.columns))


def test_there_are_twenty_and_more_of_them():
    assert len(LAYOUTS) >= 20
    assert len({layout.name for layout in LAYOUTS}) == len(LAYOUTS)


@pytest.mark.parametrize("layout", LAYOUTS, ids=[layout.name for layout in LAYOUTS])
def test_each_column_is_right_or_asked_about(layout: Layout, tmp_path):
    reading = read(layout, tmp_path)
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
