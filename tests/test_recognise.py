"""Is each column of a foreign table right or asked about, and none silently wrong?"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import pytest
from foreign_layouts import LAYOUTS, Layout

from data.fields import resolve_mapping
from data.importers import registry
from data.importers.table import RawTable
from data.model import silent
from data.normalise import normalise
from data.recognise import ASK, Reading, recognise, take_samples

UNDECIDED = {"unclear-flags", "percent", "forum", "criteria", "texts-called-models", "two-ratings", "soft-preference",
             "true-false", "against-a-baseline", "unknown-language"}  # fmt: skip
"""Without the user's word nothing in them is the verdict, or nothing the responses."""


@dataclass(frozen=True)
class Read:
    layout: Layout
    con: duckdb.DuckDBPyConnection
    raw: RawTable
    reading: Reading


@pytest.fixture(scope="module", params=LAYOUTS, ids=[layout.name for layout in LAYOUTS])
def read(request, tmp_path_factory) -> Read:
    layout: Layout = request.param
    folder = tmp_path_factory.mktemp("foreign")
    con = duckdb.connect(config={"threads": 1})
    path = layout.write(folder)
    raw = registry.load(registry.choose(path, "judgments"), path, con, folder, silent)
    return Read(layout, con, raw, recognise(raw.columns, take_samples(con, raw.columns)))


def test_there_are_more_than_twenty_of_them():
    names = {layout.name for layout in LAYOUTS}
    assert len(names) == len(LAYOUTS) > 20
    assert names > UNDECIDED


def test_each_column_is_right_or_asked_about(read):
    layout, reading = read.layout, read.reading
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


def test_what_was_recognised_can_be_imported_as_it_is(read):
    """With an answer to each question the words of the reading take every row; where it does not suffice, it says so."""
    layout, reading = read.layout, read.reading
    if layout.name in UNDECIDED:
        assert {"field:winner", "field:response_a", "field:rating"} & {q.about for q in reading.questions}
        return
    sets = reading.sets()
    if reading.presets:
        sets += [(f"winner.{word}", outcome) for word, outcome in reading.presets[0].meanings]
    if "judge" in layout.asked and reading.judge is None:
        sets.append(("judge", "somebody"))
    if "ranking" in layout.asked:
        sets.append(("ranking", "ranks"))
    mapping = resolve_mapping(read.raw.columns, reading.maps(), sets, reading.judge_columns(), automatic=False)
    assert mapping.shape == reading.shape
    staged = normalise(read.con, read.raw.columns, mapping)
    wrong = "SELECT bad_field, bad_value, bad_reason FROM stage WHERE bad_reason IS NOT NULL"
    assert read.con.execute(wrong).fetchall() == []
    assert staged.n_judgments >= 12
