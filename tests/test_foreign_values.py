"""Are decimal commas, scales and conversations in cells read as they are meant, or asked about?"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from data.fields import Mapping, resolve_mapping
from data.importers import judgments
from data.model import silent
from data.normalise import Staged, normalise
from data.recognise import explain, judge_of, presets
from errors import MappingError

HEAD = "prompt;response_a;response_b;judge;score_a;score_b\n"


def stage(path: Path, sets=(), maps=()) -> tuple[duckdb.DuckDBPyConnection, Mapping, Staged]:
    con = duckdb.connect()
    raw = judgments.load(path, con, path.parent, silent)
    mapping = resolve_mapping(raw.columns, maps, sets)
    return con, mapping, normalise(con, raw.columns, mapping)


def scores(con: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return con.execute("SELECT score_a, score_b, bad_reason FROM stage ORDER BY row").fetchall()


def write(folder: Path, text: str, name: str = "f.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_decimal_commas_are_taken_where_they_can_be_nothing_else(tmp_path):
    con, _, staged = stage(write(tmp_path, HEAD + "p;x;y;j;1,5;2\nq;x;y;j;1,250;0,125\n"))
    assert scores(con) == [(1.5, 2.0, None), (1.25, 0.125, None)]
    assert "numbers have a decimal comma (3 cells): 1,5 is read as 1.5" in staged.inferred


def test_commas_that_may_mark_thousands_are_asked_about(tmp_path):
    path = write(tmp_path, HEAD + "p;x;y;j;1,500;2\n")
    con, _, _ = stage(path)
    assert scores(con) == [(None, 2.0, "is not a number")]
    con, _, _ = stage(path, sets=[("decimal", "comma")])
    assert scores(con) == [(1.5, 2.0, None)]
    con, _, _ = stage(write(tmp_path, HEAD + "p;x;y;j;1,5;2\nq;x;y;j;2.5;2\n"))
    assert [row[2] for row in scores(con)] == ["is not a number", None]
    con, _, _ = stage(write(tmp_path, HEAD + "p;x;y;j;1,5;2\n"), sets=[("decimal", "point")])
    assert [row[2] for row in scores(con)] == ["is not a number"]


def verdicts(folder: Path, words: list[object]) -> Path:
    rows = "".join(f"p{k},x,y,j,{word}\n" for k, word in enumerate(words))
    return write(folder, "prompt,response_a,response_b,judge,winner\n" + rows)


@pytest.mark.parametrize("words", [[1, 2, 3, 4, 5] * 4, [-1, 1] * 10, [-1, 0, 1] * 7, [1, 2, 3] * 5], ids=str)
def test_numbers_on_a_scale_are_asked_about(tmp_path, words):
    """1 and 2 alone are the two responses; on a scale they would be read as that, silently."""
    path = verdicts(tmp_path, words)
    with pytest.raises(MappingError, match=r"the verdicts are numbers: .*say what each means, for example --set winner"):
        stage(path)
    for one in presets([str(w) for w in words]):
        con, _, _ = stage(path, sets=[(f"winner.{w}", o) for w, o in one.meanings])
        assert con.execute("SELECT count(*) FROM stage WHERE bad_reason IS NOT NULL").fetchall() == [(0,)]


def test_a_slip_among_a_thousand_is_one_rejected_row(tmp_path):
    con, _, _ = stage(verdicts(tmp_path, [1, 2] * 100 + [7]))
    assert con.execute("SELECT bad_value FROM stage WHERE bad_reason IS NOT NULL").fetchall() == [("7",)]


def test_sides_compared_by_a_sign_are_understood_as_they_are(tmp_path):
    con, _, _ = stage(verdicts(tmp_path, ["A>B", "B > A", "a=b", "[[B]]", "Response 1"]))
    assert [o for (o,) in con.execute("SELECT outcome FROM stage ORDER BY row").fetchall()] == [1, 2, 3, 2, 1]


def test_conversations_are_the_answer_of_the_assistant(tmp_path):
    def talk(answer: str) -> list[dict[str, str]]:
        return [{"role": "user", "content": "q"}, {"role": "assistant", "content": answer}]

    path = write(tmp_path, json.dumps({"chosen": talk("good"), "rejected": talk("bad"), "judge": "j"}), "f.jsonl")
    con, mapping, _ = stage(path)
    assert mapping.shape == "chosen"
    assert "'chosen' holds conversations: what the assistant said is chosen" in mapping.inferred
    assert "what the user said in 'chosen' is the prompt" in mapping.inferred
    assert not any("not used" in sentence for sentence in mapping.inferred)
    assert {body for (body,) in con.execute("SELECT body FROM text").fetchall()} == {"q", "good", "bad"}


def test_dialogues_are_split_at_the_last_answer(tmp_path):
    talk = "\n\nHuman: one\n\nAssistant: two\n\nHuman: three\n\nAssistant: "
    path = write(tmp_path, json.dumps({"chosen": talk + "good", "rejected": talk + "bad"}), "f.jsonl")
    con, _, _ = stage(path, sets=[("judge", "people")])
    texts = {body for (body,) in con.execute("SELECT body FROM text").fetchall()}
    assert texts == {"Human: one\n\nAssistant: two\n\nHuman: three", "good", "bad"}


def test_keys_inside_a_cell_are_columns_that_can_be_mapped(tmp_path):
    rows = [{"prompt": "p", "a": {"text": "x", "model": "m"}, "b": {"text": "y", "model": "n"}, "judge": "j", "winner": w} for w in "ab"]
    path = write(tmp_path, "\n".join(map(json.dumps, rows)), "f.jsonl")
    maps = [("response_a", "a.text"), ("response_b", "b.text"), ("model_a", "a.model"), ("model_b", "b.model")]
    con, _, _ = stage(path, maps=maps)
    assert con.execute("SELECT model_a, model_b, outcome FROM stage ORDER BY row").fetchall() == [("m", "n", 1), ("m", "n", 2)]


def test_a_chosen_text_stays_the_winner_beside_its_scores(tmp_path):
    con, mapping, _ = stage(write(tmp_path, "prompt;chosen;rejected;judge;score_a;score_b\np;x;y;j;1;3\n"))
    assert mapping.shape == "chosen"
    assert con.execute("SELECT outcome, p_a, score_a FROM stage").fetchall() == [(1, 1.0, 1.0)]


@pytest.mark.parametrize(
    ("words", "outcomes"),
    [
        (["first", "second"], ["a", "b"]),
        (["Antwort A", "[[B]]", "gleich gut"], ["a", "b", "tie"]),
        (["A is better", "B is slightly better", "both are bad"], ["a", "b", "both_bad"]),
        (["model A", "assistant b", "parse error"], ["a", "b", "none"]),
        (["0", "1"], [None, None]),
        (["yes", "no"], [None, None]),
        (["A not better", "C", "neither A nor B"], [None, None, None]),
        (["左", "右", "平局"], ["a", "b", "tie"]),
    ],
    ids=lambda value: str(value[0]),
)
def test_words_for_verdicts(words, outcomes):
    assert [word.outcome for word in explain(words)] == outcomes


def test_presets_answer_for_all_numbers_at_once():
    assert [p.meanings for p in presets(["0", "1"])] == [(("0", "b"), ("1", "a")), (("0", "a"), ("1", "b"))]
    assert presets(["1", "2"]) == ()
    assert presets(["a", "b"]) == ()
    likert = presets(["1", "2", "3", "4", "5"])
    assert dict(likert[0].meanings) == {"1": "a", "2": "a", "3": "tie", "4": "b", "5": "b"}
    assert dict(likert[1].meanings) == {"1": "b", "2": "b", "3": "tie", "4": "a", "5": "a"}
    # Of a scale to 5 that nobody used to its end.
    assert {p.label for p in presets(["1", "2", "3", "4"])} >= {
        "a scale: 1 is response a, 4 response b", "a scale: 1 is response a, 5 response b",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind", "confidence"),
    [("gpt-4", "llm", "sure"), ("Claude", "llm", "guess"), ("Novak", None, "ask"), ("human_2", "human", "sure"),
     ("rater_3", "human", "guess"), ("Anna", None, "ask"), ("skywork-rm", "reward_model", "guess"), ("gold", "rule", "guess")],
)  # fmt: skip
def test_kinds_of_judges_by_their_names(name, kind, confidence):
    judge = judge_of(name)
    assert (judge.kind, judge.confidence) == (kind, confidence)
