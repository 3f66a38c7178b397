"""Factors of responses and of judgments, joined to judgments by the store: by hand, with everything that may lack."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data import queries
from data.imports import import_path
from data.model import Selection
from data.queries import texts
from data.queries.texts import FILE, TEXT
from data.store import Store
from studies.extract import extract, versions

EXTRACTED = versions("text") | versions("answer")

# `tone` is the same wherever a response stands; `care` each annotator sees for herself; `kind` holds words.
ROWS = """prompt,model_a,model_b,response_a,response_b,judge,annotator,winner,weight,tone_a,tone_b,care_a,care_b,kind_a,kind_b
p1,x,y,one two,three,people,ann,a,1,1.5,-1,4,1,warm,cold
p1,x,y,one two,three,people,bob,b,2,1.5,-1,2,3,warm,cold
p1,y,x,three,one two,robot,,tie,1,-1,1.5,5,5,cold,warm
p2,x,z,- a,,people,ann,a,1,0,,1,,cold,warm
p2,z,y,,four,people,ann,b,1,,2,,2,warm,cold
"""


def write(path: Path, text: str = ROWS) -> Path:
    """The rows as JSON lines, an empty cell as null: in CSV an empty text is a text."""
    rows = [{k: v or None for k, v in row.items()} for row in csv.DictReader(text.splitlines())]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("factor_rows")
    assert import_path(Store(folder / "s.duckdb"), write(folder / "rows.jsonl"), "d").accepted == 5
    return folder / "s.duckdb"


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:
    return Store(shutil.copy(made, tmp_path / "s.duckdb"))


def fetch(store: Store, names_: list[str], clusters: tuple[str, ...] = ("prompt",), more: str = "", **options: bool) -> pd.DataFrame:
    """factor_rows as a frame with names for ids, and NAME_a, NAME_b."""
    with store.reading() as con:
        names = queries.catalog(con, "d")
        found = texts.sources(con, names, versions())
        condition = queries.where(Selection(dataset="d"), names) + more
        rows = texts.factor_rows(con, names, condition, [found[n] for n in names_], clusters, **options)
    frame = pd.DataFrame(rows.counts.frame)
    for side, values in (("a", rows.a), ("b", rows.b)):
        for name, column in values.items():
            frame[f"{name}_{side}"] = column
    models = {i: name for name, i in names.models.items()}
    judges = {i: name for name, (i, _) in names.judges.items()}
    frame = frame.assign(a=frame["a"].map(models), b=frame["b"].map(models), judge=frame["judge_id"].map(judges))
    return frame.sort_values(["judge", "pair", "score", "weight"], ignore_index=True)


def listed(frame: pd.DataFrame, *columns: str) -> list[list[object]]:
    return frame[list(columns)].astype(object).where(frame[list(columns)].notna(), None).to_numpy().tolist()


def test_delivered_factors_by_hand(store: Store) -> None:
    frame = fetch(store, ["tone"])
    assert listed(frame, "judge", "a", "b", "weight", "score", "n", "tone_a", "tone_b") == [
        ["people", "x", "y", 3, 1, 2, 1.5, -1],
        ["people", "x", "z", 1, 1, 1, 0, None],
        ["people", "z", "y", 1, 0, 1, None, 2],
        ["robot", "x", "y", 1, 0.5, 1, 1.5, -1],  # turned to the order in which the pair was first seen
    ]


def test_measured_factors_by_hand(store: Store) -> None:
    assert extract(store, "d").texts == 4
    frame = fetch(store, ["words", "lists"])
    assert listed(frame, "a", "b", "words_a", "words_b", "lists_a", "lists_b")[:3] == [
        ["x", "y", 2, 1, 0, 0], ["x", "z", 2, None, 1, None], ["z", "y", None, 1, None, 0],
    ]  # fmt: skip


def test_a_judgments_own_factor_keeps_its_judgments_apart(store: Store) -> None:
    frame = fetch(store, ["care", "tone"], ("prompt", "annotator"))
    assert listed(frame, "judge", "a", "b", "score", "care_a", "care_b", "tone_a") == [
        ["people", "x", "y", 0, 2, 3, 1.5], ["people", "x", "y", 1, 4, 1, 1.5], ["people", "x", "z", 1, 1, None, 0],
        ["people", "z", "y", 0, None, 2, None], ["robot", "x", "y", 0.5, 5, 5, 1.5],
    ]  # fmt: skip
    assert len(set(frame["annotator"])) == 3
    assert frame.loc[frame["judge"] == "robot", "annotator"].iloc[0] < 0  # nobody named stands alone


@pytest.mark.parametrize("factor", ["tone", "care"])
def test_ties_and_order_come_along(store: Store, factor: str) -> None:
    frame = fetch(store, [factor], position=True, tied=True)
    assert frame.groupby("judge")["tied"].sum().to_dict() == {"people": 0, "robot": 1}
    assert set(frame["shown"]) == {0}


@pytest.mark.parametrize("factor", ["tone", "care"])
def test_a_condition_narrows_the_rows(store: Store, factor: str) -> None:
    assert set(fetch(store, [factor], more=" AND outcome IN (3, 4)")["judge"]) == {"robot"}
    assert len(fetch(store, [factor], more=" AND outcome = 9")) == 0


def test_both_ways_of_fetching_agree(store: Store) -> None:
    """A response's factor joined by pair, and beside a judgment's factor, judgment by judgment."""
    by_pair, by_judgment = fetch(store, ["tone"]), fetch(store, ["tone", "care"])
    keys = ["judge", "a", "b"]
    sums = [f.groupby(keys)[["weight", "score", "n", "tone_a", "tone_b"]].agg(
        {"weight": "sum", "score": "sum", "n": "sum", "tone_a": "first", "tone_b": "first"}) for f in (by_pair, by_judgment)]  # fmt: skip
    pd.testing.assert_frame_equal(*sums)


def scales(store: Store) -> dict[str, texts.Scale]:
    with store.reading() as con:
        names = queries.catalog(con, "d")
        found = texts.sources(con, names, versions())
        return texts.scales(con, names, [s for s in found.values() if not s.labels])


def test_the_scale_is_the_root_mean_square_over_distinct_pairs(store: Store) -> None:
    extract(store, "d")
    found = scales(store)
    # tone is known on both sides of one pair only; words too.
    assert found["tone"] == texts.Scale(2.5, 1)
    assert found["words"] == texts.Scale(1.0, 1)
    # care: ann 4 - 1, bob 2 - 3, robot 5 - 5 (turned): one pair, its mean square.
    assert found["care"].value == pytest.approx(np.sqrt((9 + 1 + 0) / 3))
    assert found["care"].pairs == 1


def test_the_scale_does_not_depend_on_who_judged_or_how_often(store: Store, tmp_path: Path) -> None:
    before = scales(store)
    lines = ROWS.splitlines()
    more = "\n".join([lines[0], *(lines[1].replace("people,ann", f"judge{k},") for k in range(5))])
    import_path(store, write(tmp_path / "more.jsonl", more), "d")
    assert scales(store)["tone"] == before["tone"]


def test_sources_say_where_values_come_from(store: Store) -> None:
    extract(store, "d")
    with store.reading() as con:
        names = queries.catalog(con, "d")
        found = texts.sources(con, names, versions())
        held = texts.values_held(con, names, found)
        there = texts.responses(con, names)
    assert {n: (s.origin, s.by_judgment, s.labels) for n, s in found.items()} == {
        "care": (FILE, True, False), "kind": (FILE, False, True), "kind=warm": (FILE, False, False),
        "tone": (FILE, False, False), **dict.fromkeys(EXTRACTED, (TEXT, False, False)),
    }  # fmt: skip
    assert (there["responses"], there["texts"], there["empty"]) == (5, 4, 0)
    assert held == {"care": 4, "kind": 5, "kind=warm": 5, "tone": 4, **dict.fromkeys(EXTRACTED, 4)}


def test_a_delivered_factor_goes_before_a_measured_one_of_its_name(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("prompt,model_a,model_b,response_a,response_b,judge,winner,words_a,words_b\np,x,y,one two,three,g,a,70,50\n")
    store = Store(tmp_path / "s.duckdb")
    import_path(store, path, "d")
    extract(store, "d")
    frame = fetch(store, ["words", "text:words"])
    assert listed(frame, "words_a", "words_b", "text:words_a", "text:words_b") == [[70, 50, 2, 1]]


def test_nothing_is_there_before_it_was_measured(store: Store) -> None:
    with store.reading() as con:
        found = texts.sources(con, queries.catalog(con, "d"), versions())
    assert set(found) == {"tone", "care", "kind", "kind=warm"}


def fingerprint(store: Store, names_: list[str]) -> str:
    with store.reading() as con:
        names = queries.catalog(con, "d")
        found = texts.sources(con, names, versions())
        return texts.fingerprint(con, names, [found[n] for n in names_])


def test_the_fingerprint_covers_versions_and_delivered_values(store: Store, tmp_path: Path) -> None:
    extract(store, "d")
    lines = ROWS.splitlines()
    other = Store(tmp_path / "other.duckdb")
    import_path(other, write(tmp_path / "turned.jsonl", "\n".join([lines[0], *reversed(lines[1:])])), "d")
    extract(other, "d")
    for names in (["words"], ["tone"], ["care"], ["words", "tone", "care"]):
        assert fingerprint(store, names) == fingerprint(other, names), names
    assert len({fingerprint(store, [n]) for n in ("words", "lists", "tone", "care")}) == 4
    changed = Store(tmp_path / "changed.duckdb")
    import_path(changed, write(tmp_path / "changed.jsonl", ROWS.replace("1.5", "1.6")), "d")
    assert fingerprint(changed, ["tone"]) != fingerprint(store, ["tone"])
    assert fingerprint(changed, ["care"]) == fingerprint(store, ["care"])


def test_the_state_changes_with_every_measurement(store: Store) -> None:
    with store.reading() as con:
        before = texts.state(con, versions())
    extract(store, "d")
    with store.reading() as con:
        after = texts.state(con, versions())
        assert texts.state(con, versions() | {"words": 999}) != after
    assert before != after


# -- words --------------------------------------------------------------------------------------------------------

# `kind`: cold stands with 3 of the 6 responses, so is the reference, dull and warm get a dummy. `said` holds sets.
WORDS = """prompt,model_a,model_b,response_a,response_b,judge,annotator,winner,kind_a,kind_b,said_a,said_b
p1,x,y,a,b,people,ann,a,warm,cold,truth;care,care
p2,x,y,c,d,people,ann,b,dull,cold,;,it's;truth
p3,x,y,e,f,people,ann,a,cold,,,truth
"""


def word_store(tmp_path: Path, text: str = WORDS) -> Store:
    store = Store(tmp_path / "words.duckdb")
    import_path(store, write(tmp_path / "words.jsonl", text), "d")
    return store


def found_in(store: Store) -> dict[str, texts.Source]:
    with store.reading() as con:
        return texts.sources(con, queries.catalog(con, "d"), versions())


def test_levels_become_dummies_beside_the_most_frequent_one(tmp_path: Path) -> None:
    store = word_store(tmp_path)
    found = found_in(store)
    assert list(found) == ["kind", "said", "kind=dull", "kind=warm", "said=care", "said=it's", "said=truth"]
    kind = found["kind"]
    assert kind.labels
    assert kind.words is not None
    assert kind.words.reference == "cold"
    assert not kind.is_set
    assert found["said"].is_set
    assert found["said"].words is not None
    assert found["said"].words.reference is None
    assert all(not found[n].labels and found[n].level == n.split("=")[1] for n in list(found)[2:])
    frame = fetch(store, ["kind=dull", "kind=warm"])
    assert listed(frame, "kind=dull_a", "kind=dull_b", "kind=warm_a", "kind=warm_b") == [
        [0, 0, 1, 0], [1, 0, 0, 0], [0, None, 0, None],
    ]  # fmt: skip


def test_a_set_becomes_one_flag_a_label(tmp_path: Path) -> None:
    frame = fetch(word_store(tmp_path), ["said=care", "said=it's", "said=truth"])
    assert listed(frame, "said=care_a", "said=care_b", "said=it's_a", "said=it's_b", "said=truth_a", "said=truth_b") == [
        [1, 1, 0, 0, 1, 0], [0, 0, 0, 1, 0, 1], [None, 0, None, 0, None, 1],
    ]  # fmt: skip


def test_the_reference_among_equals_is_the_first_of_the_alphabet(tmp_path: Path) -> None:
    found = found_in(word_store(tmp_path, WORDS.replace("dull,cold", "warm,cold").replace("cold,,,", ",,,")))
    assert found["kind"].words is not None
    assert found["kind"].words.levels == ("cold", "warm")
    assert "kind=warm" in found
    assert "kind=cold" not in found


def test_words_have_scales_and_a_fingerprint(tmp_path: Path) -> None:
    store = word_store(tmp_path)
    found = scales(store)
    assert found["kind=warm"] == texts.Scale(pytest.approx(np.sqrt(1 / 2)), 2)
    assert found["said=truth"] == texts.Scale(1.0, 2)
    other = tmp_path / "other"
    other.mkdir()
    changed = word_store(other, WORDS.replace("dull", "warm"))
    assert fingerprint(store, ["kind=warm"]) != fingerprint(changed, ["kind=warm"])
    assert fingerprint(store, ["said=truth"]) == fingerprint(changed, ["said=truth"])


def test_words_that_annotators_see_differently_stay_with_their_judgments(tmp_path: Path) -> None:
    store = word_store(tmp_path, WORDS + "p1,x,y,a,b,people,bob,a,dull,cold,truth;care,care\n")
    assert found_in(store)["kind=dull"].by_judgment
    frame = fetch(store, ["kind=dull", "said=care"])
    assert sorted(frame.loc[frame["pair"] == 1, "kind=dull_a"]) == [0, 1]
    # p1: bob sees 1 - 0, ann 0 - 0; p2: 1 - 0
    assert scales(store)["kind=dull"] == texts.Scale(pytest.approx(np.sqrt((0.5 + 1) / 2)), 2)


def test_a_column_of_free_text_is_no_factor(tmp_path: Path) -> None:
    head = "prompt,model_a,model_b,response_a,response_b,judge,winner,note_a,note_b,long_a,long_b\n"
    rows = "".join(f"p{k},x,y,a,b,g,a,n{k},m{k},{'z' * 101},q\n" for k in range(26))
    store = word_store(tmp_path, head + rows)
    found = found_in(store)
    assert set(found) == {"note", "long"}
    assert texts.free_texts(found) == [
        "long has words of up to 101 characters, more than 100: a column of free text is no factor, and no model takes it",
        "note has 52 different words, more than 50: a column of free text is no factor, and no model takes it",
    ]


def test_a_level_does_not_take_the_name_of_a_delivered_factor(tmp_path: Path) -> None:
    rows = [json.loads(line) for line in write(tmp_path / "rows.jsonl", WORDS).read_text().splitlines()]
    path = tmp_path / "named.jsonl"
    path.write_text("".join(json.dumps(row | {"kind=warm_a": 7, "kind=warm_b": 5}) + "\n" for row in rows))
    store = Store(tmp_path / "s.duckdb")
    import_path(store, path, "d")
    frame = fetch(store, ["kind=warm", "level:kind=warm"])
    assert listed(frame.head(1), "kind=warm_a", "level:kind=warm_a", "level:kind=warm_b") == [[7, 1, 0]]


# -- values of a response beside its prompt -------------------------------------------------------------------------


def test_values_of_an_answer_belong_to_a_text_under_its_prompt(store: Store) -> None:
    """The same text under two prompts has two values, and one whose prompt lacks it none."""
    with store.writing("test") as con:
        con.execute("INSERT INTO text_factor VALUES (1, 'overlap', 3)")
        con.execute(
            """INSERT INTO answer_value SELECT t.text_id, q.text_id, 1, length(t.body) FROM text t, text q
            WHERE (t.body, q.body) IN (('one two', 'p1'), ('three', 'p1'), ('three', 'p2'), ('four', 'p2'))"""
        )
    with store.reading() as con:
        names = queries.catalog(con, "d")
        found = texts.sources(con, names, {"overlap": 3, "words": 1})
        assert found["overlap"] == texts.Source("overlap", TEXT, 1, 3, answer=True)
        assert "words" not in found
        assert texts.values_held(con, names, found)["overlap"] == 3
        values = texts.pair_values(con, names, [found["overlap"]])
        assert texts.scales(con, names, [found["overlap"]])["overlap"] == texts.Scale(2.0, 1)
        before = texts.fingerprint(con, names, [found["overlap"]]), texts.state(con, {"overlap": 3})
    np.testing.assert_array_equal(values.a["overlap"], [7, np.nan, np.nan])
    np.testing.assert_array_equal(values.b["overlap"], [5, np.nan, 4])
    with store.writing("test") as con:
        con.execute("DELETE FROM answer_value WHERE value = 7")
    with store.reading() as con:
        assert texts.fingerprint(con, names, [found["overlap"]]) != before[0]
        assert texts.state(con, {"overlap": 3}) != before[1]
