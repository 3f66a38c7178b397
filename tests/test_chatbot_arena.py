"""Battles of Chatbot Arena: every layout to the same rows, what cannot be read rejected with its line and reason."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stored import judgments, rejected

from data.importers import chatbot_arena, conversations, registry
from data.imports import ImportOptions, import_path
from data.store import Store
from errors import FileError


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s.duckdb")


def talk(*turns: Any) -> list[dict[str, Any]]:
    """A conversation of the user and the model in turn."""
    return [{"role": ("user", "assistant")[k % 2], "content": said} for k, said in enumerate(turns)]


def battle(k: int = 0, **other: Any) -> dict[str, Any]:
    """As FastChat writes it."""
    return {
        "question_id": f"q{k}", "model_a": "m", "model_b": "n", "winner": "model_a", "judge": f"arena_user_{k}",
        "conversation_a": talk(f"prompt {k}", "yes"), "conversation_b": talk(f"prompt {k}", "no"), "turn": 1,
        "anony": True, "language": "English", "tstamp": 1682351591.1322,
    } | other  # fmt: skip


def lines(path: Path, *records: Any) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def test_a_battle_in_full(store: Store, tmp_path: Path) -> None:
    report = import_path(store, lines(tmp_path / "b.jsonl", battle()), "d")
    assert (report.format, report.read, report.accepted) == ("chatbot_arena", 1, 1)
    assert judgments(store) == [{
        "prompt": "prompt 0", "model_a": "m", "model_b": "n", "response_a": "yes", "response_b": "no", "judge": "human",
        "kind": "human", "annotator": "arena_user_0", "outcome": "a", "p_a": 1.0, "shown": 1, "variant": "plain",
        "criterion": "overall", "judged_at": "2023-04-24 15:53:11.1322", "id": "q0",
    }]  # fmt: skip


def test_every_winner_and_none_that_is_unknown(store: Store, tmp_path: Path) -> None:
    words = ["model_a", "model_b", "tie", "tie (bothbad)", "both_bad", "tie (both bad)", "n", "maybe", "", "tie (inconsistent)"]
    file = lines(tmp_path / "b.jsonl", *(battle(k, winner=word) for k, word in enumerate(words)))
    report = import_path(store, file, "d")
    found = [row["outcome"] for row in judgments(store)]
    assert found == ["a", "b", "tie", "both_bad", "both_bad", "both_bad", "b"]
    assert [(line, column, value) for line, column, value, _ in rejected(report)] == [
        (8, "winner", "maybe"), (9, "winner", None), (10, "winner", "tie (inconsistent)"),
    ]  # fmt: skip
    assert report.read == 10


def test_wrong_conversations_each_with_its_line_and_reason(store: Store, tmp_path: Path) -> None:
    good = talk("prompt", "yes")
    wrong = [
        {"conversation_a": []}, {"conversation_b": "hello"}, {"conversation_a": None}, {"conversation_a": good[:1]},
        {"conversation_b": good[1:]}, {"conversation_b": talk("another prompt", "yes")},
        {"conversation_a": [{"text": "x"}, *good]}, {"conversation_a": talk(3, "yes")},
        {"conversation_a": {"role": "user"}},
    ]  # fmt: skip
    records = [battle(k) | {"conversation_a": good, "conversation_b": talk("prompt", "no")} | w for k, w in enumerate(wrong)]
    report = import_path(store, lines(tmp_path / "b.jsonl", battle(99), *records), "d")
    assert (report.read, report.accepted) == (10, 1)
    no_list = 'is no list of messages: [{"role": "user", "content": "..."}, ...]'
    assert [(line, column, reason) for line, column, _, reason in rejected(report)] == [
        (2, "conversation_a", "is an empty conversation"),
        (3, "conversation_b", no_list),
        (4, "conversation_a", no_list),
        (5, "conversation_a", "has no answer of the model"),
        (6, "conversation_b", "has no message of the user"),
        (7, "conversation_b", "is another prompt than that of conversation_a: the user says other things"),
        (8, "conversation_a", "has a message without role and content"),
        (9, "conversation_a", "has a message without role and content"),
        (10, "conversation_a", no_list),
    ]
    assert rejected(report)[1][2] == "hello"
    assert rejected(report)[5][2] == "another prompt"


def test_turns_system_messages_and_missing_answers(store: Store, tmp_path: Path) -> None:
    system = {"role": "system", "content": "Be brief."}
    a, b = talk("one", "1", "two", None), talk("one", "i", "two", "ii")
    records = [
        battle(0, conversation_a=[system, *a], conversation_b=b, turn=2),
        # Judged after the first of two turns; a turn that is missing or too large cuts nothing.
        battle(1, conversation_a=a, conversation_b=b, turn=1),
        battle(2, conversation_a=talk("x", "y"), conversation_b=talk("x", "z"), turn=9),
        battle(3, conversation_a=talk("v", "y"), conversation_b=talk("v", "z"), turn=None),
        battle(4, conversation_a=[{"from": "human", "value": "w"}, {"from": "gpt", "value": "y"}],
               conversation_b=talk("w", "z")),
    ]  # fmt: skip
    report = import_path(store, lines(tmp_path / "b.jsonl", *records), "d")
    found = [(row["prompt"], row["response_a"], row["response_b"]) for row in judgments(store)]
    assert found == [("one\n\ntwo", "1\n\n", "i\n\nii"), ("one", "1", "i"), ("x", "y", "z"), ("v", "y", "z"), ("w", "y", "z")]
    said = " ".join(report.inferred)
    assert "1 battles have messages of another role (a system message): left out" in said
    assert "1 conversations go on after the turn that was judged: cut there" in said


def test_pictures_stay_apart_and_load_nothing(store: Store, tmp_path: Path) -> None:
    def seen(picture: str, answer: str) -> list[dict[str, Any]]:
        return talk([{"type": "text", "text": "What is it?"}, {"type": "image", "image": picture}], answer)

    records = [
        battle(k, conversation_a=seen(picture, "yes"), conversation_b=seen(picture, "no"))
        for k, picture in enumerate(("a.png", "b.png", "a.png"))
    ]
    report = import_path(store, lines(tmp_path / "b.jsonl", *records), "d")
    prompts = [row["prompt"] for row in judgments(store)]
    assert prompts[0] == prompts[2] != prompts[1]
    assert all(prompt.startswith("What is it?\n\n[image ") and len(prompt) == 29 for prompt in prompts)
    assert any("3 prompts have pictures" in text for text in report.inferred)


def test_names_shown_is_a_variant_and_machines_are_judges_of_their_own(store: Store, tmp_path: Path) -> None:
    records = [
        battle(0, anony=False), battle(1, judge="expert_3"), battle(2, judge="gpt4_pair"), battle(3, judge=None),
    ]  # fmt: skip
    report = import_path(store, lines(tmp_path / "b.jsonl", *records), "d")
    found = [(row["judge"], row["kind"], row.get("annotator"), row["variant"]) for row in judgments(store)]
    assert found == [
        ("human", "human", "arena_user_0", "models named"), ("human", "human", "expert_3", "plain"),
        ("gpt4_pair", "llm", None, "plain"), ("human", "human", None, "plain"),
    ]  # fmt: skip
    assert "b.jsonl: judges of their own, taken for llm judges: gpt4_pair" in report.inferred


def test_an_id_of_questions_is_none_of_battles(store: Store, tmp_path: Path) -> None:
    report = import_path(store, lines(tmp_path / "b.jsonl", battle(0), battle(1, question_id="q0")), "d")
    assert (report.accepted, report.rejected) == (2, 0)
    assert "id" not in judgments(store)[0]
    assert "b.jsonl: question_id stands for several battles: not taken for their id" in report.inferred


def test_the_same_vote_twice_is_a_duplicate_and_another_a_contradiction(store: Store, tmp_path: Path) -> None:
    records = [battle(question_id=None), battle(question_id=None), battle(question_id=None, winner="model_b")]
    report = import_path(store, lines(tmp_path / "b.jsonl", *records), "d")
    assert (report.accepted, report.duplicates, report.rejected) == (1, 1, 1)
    turned = battle(model_a="n", model_b="m", winner="tie", judge="arena_user_8", question_id="z",
                    conversation_a=talk("prompt 0", "no"), conversation_b=talk("prompt 0", "yes"))  # fmt: skip
    assert import_path(store, lines(tmp_path / "c.jsonl", turned), "d").pairs == 1
    assert judgments(store)[-1]["shown"] == -1  # b of the pair was on the left


PREFERENCE = {
    "id": "c1", "model_a": "m", "model_b": "n", "winner": "both_bad", "evaluation_session_id": "s", "evaluation_order": 2,
    "conversation_a": talk([{"type": "text", "text": "prompt"}], [{"type": "text", "text": "yes"}]),
    "conversation_b": talk([{"type": "text", "text": "prompt"}], [{"type": "text", "text": "no"}]),
    "full_conversation": [{"user": {"role": "user"}}], "conv_metadata": {"sum_assistant_a_tokens": 3},
    "category_tag": {"math_v0.1": {"math": True}, "if_v0.1": {"if": False, "score": 1}}, "language": "en",
    "is_code": False, "timestamp": "2025-05-01 12:00:00",
}  # fmt: skip


@pytest.mark.parametrize("kind", ["parquet", "json", "jsonl", "csv"])
def test_preferences_of_every_kind_of_file_are_the_same_rows(store: Store, tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"p.{kind}"
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist([PREFERENCE]), file)
    elif kind == "json":
        file.write_text(json.dumps([PREFERENCE], indent=2))
    elif kind == "jsonl":
        lines(file, PREFERENCE)
    else:
        with file.open("w", newline="") as out:
            rows = csv.writer(out)
            rows.writerow(PREFERENCE)
            rows.writerow(json.dumps(v) if isinstance(v, list | dict) else v for v in PREFERENCE.values())
    options = ImportOptions(attributes=(("prompt.math", "math"), ("prompt.language", "language")), maps=(("annotator", "session"),))
    report = import_path(store, file, "d", options)
    assert (report.format, report.accepted) == ("chatbot_arena", 1)
    assert judgments(store) == [{
        "prompt": "prompt", "model_a": "m", "model_b": "n", "response_a": "yes", "response_b": "no", "judge": "human",
        "kind": "human", "annotator": "s", "outcome": "both_bad", "p_a": 0.5, "variant": "plain", "criterion": "overall",
        "judged_at": "2025-05-01 12:00:00", "id": "c1",
    }]  # fmt: skip
    with store.reading("looking") as con:
        assert con.execute("SELECT name, value FROM attribute ORDER BY 1").fetchall() == [("language", "en"), ("math", "true")]
    assert any("1 battles follow on others of their session" in text for text in report.inferred)


TEXTS = ("id", "model_a", "model_b", "prompt", "response_a", "response_b", "winner_model_a", "winner_model_b", "winner_tie")


def test_texts_with_three_columns_of_winners(store: Store, tmp_path: Path) -> None:
    rows = [
        (1, "m", "n", '["p"]', '["yes"]', '["no"]', 1, 0, 0),
        (2, "m", "n", '["p", "q"]', '["x", null]', '["y", "z"]', 0, 1, 0),
        (3, "n", "m", '["r"]', '["x"]', '["y"]', "0.0", "0.0", "1.0"),
        (4, "m", "n", '["s"]', '["x"]', '["y"]', 1, 1, 0),
        (5, "m", "n", '["t"]', '["x"]', '["y"]', 0, 0, 0),
        (6, "m", "n", "[p, not JSON", "plain", '["\\ud83d half"]', "", 0, 1),
        (7, "m", "n", "[p, not JSON", "plain", '["\\ud83d half"]', 0, 1, 0),
        (8, "m", "n", '[""]', '["x"]', '["y"]', 0, 1, 0),
    ]
    file = tmp_path / "train.csv"
    with file.open("w", newline="") as out:
        csv.writer(out).writerows([TEXTS, *rows])
    report = import_path(store, file, "d")
    assert (report.format, report.read, report.accepted) == ("chatbot_arena", 8, 4)
    found = [(row["prompt"], row["response_a"], row["response_b"], row["outcome"]) for row in judgments(store)]
    assert found == [
        ("p", "yes", "no", "a"), ("p\n\nq", "x\n\n", "y\n\nz", "b"), ("r", "x", "y", "tie"),
        ("[p, not JSON", "plain", "\ufffd half", "b"),
    ]  # fmt: skip
    one = "one of winner_model_a, winner_model_b and winner_tie is 1, the others are 0"
    assert rejected(report) == [
        (5, "winner_model_a", "1, 1, 0", one), (6, "winner_model_a", "0, 0, 0", one), (7, "winner_model_a", ", 0, 1", one),
        (9, "prompt", None, "is empty"),
    ]  # fmt: skip
    assert any("tie or both bad" in text for text in report.inferred)
    assert "shown" not in judgments(store)[0]


def test_votes_alone_are_prompts_of_their_own(store: Store, tmp_path: Path) -> None:
    votes = [{k: v for k, v in battle(n % 2).items() if k not in ("question_id", "conversation_a", "conversation_b")} for n in range(3)]
    votes[2]["tstamp"] += 60
    file = tmp_path / "clean_battle.json"
    file.write_text(json.dumps(votes))
    report = import_path(store, file, "d")
    assert (report.format, report.accepted, report.prompts, report.pairs) == ("chatbot_arena", 3, 3, 3)
    assert judgments(store)[0]["prompt_id"] == "arena_user_0/1682351591.1322"


def test_conversations_in_one_column_and_as_python_prints_them(store: Store, tmp_path: Path) -> None:
    both = [talk("it's", "yes"), talk("it's", "no")]
    row = {"model_a": "m", "model_b": "n", "winner": "model_b", "conversations": both}
    report = import_path(store, lines(tmp_path / "one.jsonl", row, row | {"conversations": both[:1]}), "d")
    assert (report.format, report.accepted) == ("chatbot_arena", 1)
    assert rejected(report)[0][:2] == (2, "conversations")
    printed = battle(conversation_a=str(both[0]), conversation_b=str(both[1]), winner="tie")
    again = import_path(store, lines(tmp_path / "two.jsonl", printed), "d")
    assert (again.accepted, again.pairs) == (1, 1)  # the same pair
    assert any("2 lists are no JSON" in text for text in again.inferred)


def test_a_folder_of_parts(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "arena"
    (folder / "data").mkdir(parents=True)
    for k in range(2):
        part = PREFERENCE | {"id": f"c{k}", "winner": ("model_a", "maybe")[k]}
        pq.write_table(pa.Table.from_pylist([part]), folder / "data" / f"train-0000{k}-of-00002.parquet")
    (folder / "README.md").write_text("model_a,model_b,winner,conversation_a,conversation_b")
    assert chatbot_arena.sniff(folder)
    with pytest.raises(FileError, match="--as chatbot_arena"):
        registry.choose(folder)
    report = import_path(store, folder, "d", ImportOptions(format="chatbot_arena"))
    assert (report.read, report.accepted) == (2, 1)
    assert report.rejections["file"].tolist() == ["data/train-00001-of-00002.parquet"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match="holds no battles of Chatbot Arena"):
        import_path(store, tmp_path / "empty", "d", ImportOptions(format="chatbot_arena"))


def test_other_tables_are_not_taken_for_battles(store: Store, tmp_path: Path) -> None:
    for k, text in enumerate(("", "[", "{", "model_a,model_b,winner\n", '[{"model_a": 1, "conversation_a": []}]', "\x00")):
        (tmp_path / f"{k}.json").write_text(text)
        assert not chatbot_arena.sniff(tmp_path / f"{k}.json")
    assert not chatbot_arena.sniff(tmp_path / "nowhere.csv")
    file = lines(tmp_path / "x.jsonl", {"model_a": "m", "model_b": "n", "winner": "tie"})
    with pytest.raises(FileError, match="has neither winner with conversation_a"):
        import_path(store, file, "d", ImportOptions(format="chatbot_arena"))
    with pytest.raises(FileError, match="has no column model_a, model_b"):
        import_path(store, lines(tmp_path / "y.jsonl", {"x": 1}), "d", ImportOptions(format="chatbot_arena"))


def test_a_repaired_cell_stays_in_its_row() -> None:
    con = duckdb.connect()
    assert conversations._as_json("[{'a': 'it\\'s'}]") == '[{"a": "it\'s"}]'
    assert conversations._as_json("nothing") is None
    assert conversations._as_json("{'a': 1}") is None
    rows = con.execute(f"SELECT {conversations.strings('x')} FROM (VALUES ('[]'), ('[1, 2]'), (NULL), ('a')) v(x)").fetchall()
    assert rows == [("",), ("[1, 2]",), (None,), ("a",)]


@pytest.mark.slow
def test_many_rows_pass_through_without_a_loss(store: Store, tmp_path: Path) -> None:
    # More than one row group of DuckDB (122,880 rows); every tenth battle is rejected, every seventh is written as Python prints it.
    n = 130_000
    with (tmp_path / "big.jsonl").open("w") as out:
        for k in range(n):
            row = battle(k, conversation_a=talk(f"prompt {k}", f"yes {k}" * 20), conversation_b=talk(f"prompt {k}", "no"))
            row |= {"winner": "maybe"} if k % 10 == 0 else {}
            row |= {"conversation_b": str(row["conversation_b"])} if k % 7 == 0 else {}
            out.write(json.dumps(row) + "\n")
    report = import_path(store, tmp_path / "big.jsonl", "d")
    assert (report.read, report.accepted, report.rejected) == (n, n - n // 10, n // 10)
    assert report.rejections["line"].tolist() == list(range(1, n, 10))
    rows = judgments(store)
    assert all(row["response_a"].startswith(f"yes {row['prompt'].split()[1]}yes") for row in rows)
    assert len({row["prompt"] for row in rows}) == n - n // 10
