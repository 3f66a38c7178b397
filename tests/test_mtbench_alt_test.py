"""MT-Bench for the alternative-annotator test: labels, keys with a turn, conversations as prompt and answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from data.importers import mtbench_alt_test, registry
from data.imports import ImportOptions, import_path
from data.store import Store
from errors import FileError

FORMAT = ImportOptions(format="mtbench_alt_test")
KEYS = ("82__gpt__llama-13b__1", "82__gpt__llama-13b__2")
SHOWN = "**** Model A ****\n...\n**** Model B ****\n..."


def talk(*said: str) -> str:
    """As the file has it: a Python list in a text."""
    return str([{"content": text, "role": "user" if k % 2 == 0 else "assistant"} for k, text in enumerate(said)])


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s.duckdb")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    where = tmp_path / "mt"
    where.mkdir()
    write(where, humans={"ann": {KEYS[0]: "model_b", KEYS[1]: "tie"}, "bob": {KEYS[0]: "model_a"}},
          llms={"gpt-4o": {KEYS[0]: "model_b", KEYS[1]: None}})  # fmt: skip
    entry = {"conversation_a": talk("It's", "one", "more", "two"), "conversation_b": talk("It's", "eins", "more", "zwei")}
    write(where, prompts={KEYS[0]: entry | {"str_prompt": SHOWN}, KEYS[1]: entry | {"str_prompt": SHOWN}})
    return where


def write(folder: Path, **files: Any) -> None:
    names = {"humans": "human_annotations.json", "llms": "llm_annotations.json", "prompts": "prompts.json"}
    for name, content in files.items():
        (folder / names[name]).write_text(content if isinstance(content, str) else json.dumps(content))


def test_rows_in_full(store: Store, folder: Path) -> None:
    report = import_path(store, folder, "m", FORMAT)
    assert (report.read, report.accepted, report.rejected) == (5, 5, 0)
    assert report.judges == [
        {"judge": "human", "kind": "human", "judgments": 3, "annotators": 2},
        {"judge": "gpt-4o", "kind": "llm", "judgments": 2},
    ]
    # The turn belongs to the prompt: two prompts with one text.
    assert (report.pairs, report.models, report.prompts) == (2, 2, 2)
    with store.reading("looking") as con:
        rows = con.execute(
            """SELECT q.external_id, t.body, x.body, y.body, n.name, j.outcome, j.shown FROM judgment j
            JOIN prompt q USING (prompt_id) JOIN text t ON t.text_id = q.text_id JOIN pair p USING (pair_id)
            JOIN response r ON r.response_id = p.response_a JOIN text x ON x.text_id = r.text_id
            JOIN response s ON s.response_id = p.response_b JOIN text y ON y.text_id = s.text_id
            LEFT JOIN annotator n ON n.annotator_id = j.annotator_id ORDER BY judgment_id"""
        ).fetchall()
    texts = ("It's\n\nmore", "one\n\ntwo", "eins\n\nzwei")
    assert rows == [
        ("82__1", *texts, "ann", 2, 0), ("82__2", *texts, "ann", 3, 0), ("82__1", *texts, "bob", 1, 0),
        ("82__1", *texts, None, 2, 1), ("82__2", *texts, None, 0, 1),
    ]  # fmt: skip


def test_bad_labels_each_with_its_reason(store: Store, folder: Path) -> None:
    write(folder, humans={"ann": {KEYS[0]: "model_b", "7": "tie", "1__a__b__c__1": "tie", KEYS[1]: "both"}, "": {}, "x": 3})
    twice = f'{{"gpt-4o": {{"{KEYS[0]}": "model_a", "{KEYS[0]}": "tie", "{KEYS[1]}": "llama-13b"}}}}'
    write(folder, llms=twice)
    report = import_path(store, folder, "m", FORMAT)
    # A model's own name is a label too.
    assert (report.accepted, report.rejected) == (2, 6)
    reasons = " ".join(report.reasons)
    for part in ("no key question__model_a__model_b__turn", "divided in several ways", "a label is model_a, model_b or tie",
                 "a judge has a name".replace("a judge", "an annotator or judge"), "no object of comparisons",
                 "more than once for the same annotator"):  # fmt: skip
        assert part in reasons


def test_some_of_the_files(store: Store, folder: Path) -> None:
    (folder / "prompts.json").unlink()
    (folder / "llm_annotations.json").unlink()
    report = import_path(store, folder, "m", FORMAT)
    assert (report.accepted, report.pairs, report.prompts) == (3, 2, 2)
    assert "llm_annotations.json is not there: no LLM judges" in report.inferred
    assert any("prompts.json is not there" in text for text in report.inferred)
    write(folder, llms={"late": {KEYS[1]: "model_a"}})
    assert registry.choose(folder / "llm_annotations.json") is mtbench_alt_test
    later = import_path(store, folder / "llm_annotations.json", "m")
    assert (later.format, later.accepted, later.pairs) == ("mtbench_alt_test", 1, 2)


@pytest.mark.parametrize("broken", ["{", "[1]", '{"82__gpt__llama-13b__1": 3}', '{"82__gpt__llama-13b__1": {"conversation_a": "x"}}'])
def test_conversations_that_cannot_be_read_leave_the_labels(store: Store, folder: Path, broken: str) -> None:
    write(folder, prompts=broken)
    report = import_path(store, folder, "m", FORMAT)
    assert report.accepted == 5
    assert any("prompts.json" in text for text in [*report.inferred, *report.reasons])


def test_damaged_files_and_none(store: Store, folder: Path, tmp_path: Path) -> None:
    assert mtbench_alt_test.sniff(folder)
    write(folder, llms="{not json")
    report = import_path(store, folder, "m", FORMAT)
    assert (report.accepted, report.rejected) == (3, 1)
    write(folder, humans="[]")
    with pytest.raises(FileError, match=r"human_annotations.json is no JSON object"):
        import_path(store, folder, "n", FORMAT)
    (tmp_path / "empty").mkdir()
    assert not mtbench_alt_test.sniff(tmp_path / "empty")
    with pytest.raises(FileError, match=r"holds neither human_annotations.json nor llm_annotations.json"):
        import_path(store, tmp_path / "empty", "n", FORMAT)
    write(folder, humans={"ann": {KEYS[0]: "tie"}})
    with pytest.raises(FileError, match="--as mtbench_alt_test"):
        registry.choose(folder)


@pytest.mark.real
def test_the_published_set(real: Path, store: Store) -> None:
    report = import_path(store, real / "mtbench_alt_test", "m", FORMAT)
    assert (report.read, report.accepted) == (246 + 6 * 120, 966)
    assert (report.pairs, report.prompts, report.models) == (120, 84, 6)
    with store.reading("looking") as con:
        shown = con.execute(
            "SELECT kind, shown, count(*) FROM judgment JOIN judge USING (judge_id) GROUP BY ALL ORDER BY 1"
        ).fetchall()
    assert shown == [("human", 0, 246), ("llm", 1, 720)]
