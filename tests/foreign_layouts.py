"""Small files as other people write them, by hand: each with what its columns are, to hold recognition against.

A layout's `means` gives for each column the field it is, `judge` for a judge's own column, `factor`, or None where it is
none; `asked` what has to be asked about (the beginnings of `Question.about`), and nothing else may be asked.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workbooks import write_workbook

N = 12
TASKS = [f"Explain in two sentences why number {k} is odd or even." for k in range(N)]
LONG = [f"It depends on whether a half of {k} is a whole number, as everybody learns." for k in range(N)]
SHORT = [f"Number {k} is what it is, and that is all I have to say." for k in range(N)]
Rows = Sequence[Sequence[object]]


@dataclass(frozen=True)
class Layout:
    """One file. write : makes it in a folder and returns its path; kinds : judge -> kind, None where asked

    words : word -> outcome as suggested, None where nothing may be; sure : fields that must not be a mere guess
    """

    name: str
    write: Callable[[Path], Path]
    shape: str
    means: dict[str, str | None]
    asked: tuple[str, ...] = ()
    kinds: dict[str, str | None] = field(default_factory=dict)
    words: dict[str, str | None] = field(default_factory=dict)
    sets: tuple[tuple[str, str], ...] = ()


def delimited(header: Sequence[str], rows: Rows, *, by: str = ",", name: str = "own.csv", encoding: str = "utf-8") -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        text = io.StringIO()
        writer = csv.writer(text, delimiter=by, lineterminator="\n")
        writer.writerows([header, *rows])
        content = text.getvalue().encode(encoding)
        path = folder / name
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write


def jsonl(records: Sequence[dict[str, object]], name: str = "own.jsonl", *, array: bool = False) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / name
        text = json.dumps(list(records)) if array else "\n".join(json.dumps(r, ensure_ascii=False) for r in records)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def workbook(header: Sequence[str], rows: Rows) -> Callable[[Path], Path]:
    return lambda folder: write_workbook(folder / "own.xlsx", {"Ratings": [["Our study"], [], list(header), *rows]})


def cycle(*words: object) -> list[object]:
    return [words[k % len(words)] for k in range(N)]


def rows(*columns: Sequence[object]) -> list[tuple[object, ...]]:
    return list(zip(*columns, strict=True))


NAMES = cycle("north-7b", "south-13b", "west")
OTHERS = cycle("south-13b", "west", "north-7b")

LAYOUTS: tuple[Layout, ...] = (
    Layout(
        "raters", delimited(("instruction", "output_1", "output_2", "rater_1", "rater_2", "rater_3"),
                            rows(TASKS, LONG, SHORT, cycle(1, 2), cycle(2, 1, 1), cycle(1, 1, 2))),
        "wide", {"instruction": "prompt", "output_1": "response_a", "output_2": "response_b", "rater_1": "judge",
                 "rater_2": "judge", "rater_3": "judge"},
        kinds={"rater_1": "human", "rater_2": "human", "rater_3": "human"}, words={"1": "a", "2": "b"},
    ),
    Layout(
        "one-and-two", delimited(("task text", "engine one", "engine two", "reply one", "reply two", "rater", "label"),
                                 rows(TASKS, cycle("heron", "wren"), cycle("wren", "heron"), LONG, SHORT, cycle("gpt-4o"),
                                      cycle("first better", "second better", "about the same"))),
        "rows", {"task text": "prompt", "engine one": "model_a", "engine two": "model_b", "reply one": "response_a",
                 "reply two": "response_b", "rater": "judge", "label": "winner"},
        kinds={"gpt-4o": "llm"}, words={"first better": "a", "second better": "b", "about the same": "tie"},
    ),
    Layout(
        "people-and-a-model", delimited(("instruction", "output_1", "output_2", "annotator", "preference"),
                                        rows(TASKS, LONG, SHORT, cycle("anna", "ben", "gpt-4o"), cycle("A>B", "B>A"))),
        "rows", {"instruction": "prompt", "output_1": "response_a", "output_2": "response_b", "annotator": "judge",
                 "preference": "winner"},
        asked=("kind:anna", "kind:ben"), kinds={"anna": None, "ben": None, "gpt-4o": "llm"}, words={"a>b": "a", "b>a": "b"},
    ),
    Layout(
        "two-in-short", delimited(("prompt", "answer_a", "answer_b", "human_pref", "llm_pref"),
                                  rows(TASKS, LONG, SHORT, cycle(0, 1, 1), cycle(1, 0))),
        "wide", {"prompt": "prompt", "answer_a": "response_a", "answer_b": "response_b", "human_pref": "judge",
                 "llm_pref": "judge"},
        asked=("words",), kinds={"human_pref": "human", "llm_pref": "llm"}, words=dict.fromkeys("01"),
    ),
    Layout(
        "german", delimited(("Frage", "Antwort A", "Antwort B", "Urteil", "Punkte A", "Punkte B", "Begründung"),
                            rows(TASKS, LONG, SHORT, cycle("Antwort A", "Antwort B", "unentschieden"), cycle("3,5", "4"),
                                 cycle("2", "4,25"), LONG), by=";", encoding="cp1252"),
        "rows", {"Frage": "prompt", "Antwort A": "response_a", "Antwort B": "response_b", "Urteil": "winner",
                 "Punkte A": "score_a", "Punkte B": "score_b", "Begründung": "reason"},
        asked=("judge",), words={"antwort a": "a", "antwort b": "b", "unentschieden": "tie"}, sets=(("decimal", "comma"),),
    ),
    Layout(
        "spanish", delimited(("pregunta", "respuesta izquierda", "respuesta derecha", "ganador", "juez"),
                             rows(TASKS, LONG, SHORT, cycle("izquierda", "derecha", "empate"), cycle("gpt-4", "claude-3"))),
        "rows", {"pregunta": "prompt", "respuesta izquierda": "response_a", "respuesta derecha": "response_b", "ganador": "winner",
                 "juez": "judge"},
        kinds={"gpt-4": "llm", "claude-3": "llm"}, words={"izquierda": "a", "derecha": "b", "empate": "tie"},
    ),
    Layout(
        "french", delimited(("Consigne", "Réponse 1", "Réponse 2", "Modèle 1", "Modèle 2", "Préférence", "Évaluateur"),
                            rows(TASKS, LONG, SHORT, NAMES, OTHERS, cycle("Réponse 1", "Réponse 2", "égalité"), cycle("Zoé", "gpt-4o")), by="\t", name="own.tsv"),
        "rows", {"Consigne": "prompt", "Réponse 1": "response_a", "Réponse 2": "response_b", "Modèle 1": "model_a",
                 "Modèle 2": "model_b", "Préférence": "winner", "Évaluateur": "judge"},
        asked=("kind:Zoé",), kinds={"Zoé": None, "gpt-4o": "llm"},
        words={"réponse 1": "a", "réponse 2": "b", "égalité": "tie"},
    ),
    Layout(
        "chinese", delimited(("问题", "回答A", "回答B", "模型A", "模型B", "偏好", "标注者", "类别"),
                             rows(TASKS, LONG, SHORT, NAMES, OTHERS, cycle("A", "B", "平局"), cycle("w1", "w2"), cycle("数学", "写作"))),
        "rows", {"问题": "prompt", "回答A": "response_a", "回答B": "response_b", "模型A": "model_a", "模型B": "model_b",
                 "偏好": "winner", "标注者": "annotator", "类别": "scenario"},
        asked=("judge",), words={"a": "a", "b": "b", "平局": "tie"},
    ),
    Layout(
        "signs", delimited(("prompt", "response_a", "response_b", "judge", "verdict"),
                           rows(TASKS, LONG, SHORT, cycle("qwen2.5-72b", "people"), cycle("A>B", "B>A", "A=B", "B>>A"))),
        "rows", {"prompt": "prompt", "response_a": "response_a", "response_b": "response_b", "judge": "judge", "verdict": "winner"},
        kinds={"qwen2.5-72b": "llm", "people": "human"}, words={"a>b": "a", "b>a": "b", "a=b": "tie", "b>>a": "b"},
    ),
    Layout(
        "places", delimited(("question", "answer_a", "answer_b", "preferred", "worker_id", "duration"),
                            rows(TASKS, LONG, SHORT, cycle("first", "second", "tie"), cycle("W1", "W2", "W3"), cycle(12, 30.5))),
        "rows", {"question": "prompt", "answer_a": "response_a", "answer_b": "response_b", "preferred": "winner",
                 "worker_id": "annotator", "duration": "seconds"},
        asked=("judge",), words={"first": "a", "second": "b", "tie": "tie"},
    ),
    Layout(
        "zero-one", delimited(("prompt", "completion_a", "completion_b", "label"), rows(TASKS, LONG, SHORT, cycle(0, 1))),
        "rows", {"prompt": "prompt", "completion_a": "response_a", "completion_b": "response_b", "label": "winner"},
        asked=("judge", "words"), words={"0": None, "1": None},
    ),
    Layout(
        "zero-one-own-names", delimited(("prompt", "response_a", "response_b", "judge", "winner"),
                                        rows(TASKS, LONG, SHORT, cycle("gpt-4"), cycle("0.0", "1.0"))),
        "rows", {c: c for c in ("prompt", "response_a", "response_b", "judge", "winner")},
        asked=("words",), kinds={"gpt-4": "llm"}, words={"0": None, "1": None},
    ),
    Layout(
        "signed", delimited(("input", "output_a", "output_b", "human_preference"), rows(TASKS, LONG, SHORT, cycle(-1, 0, 1))),
        "rows", {"input": "prompt", "output_a": "response_a", "output_b": "response_b", "human_preference": "winner"},
        asked=("judge", "words"), words={"-1": None, "0": None, "1": None}, sets=(("judge", "human"), ("judge_kind", "human")),
    ),
    Layout(
        "likert", delimited(("query", "response_1", "response_2", "annotator_1", "annotator_2"),
                            rows(TASKS, LONG, SHORT, cycle(1, 2, 3, 4, 5), cycle(5, 4, 3, 2, 1, 1))),
        "wide", {"query": "prompt", "response_1": "response_a", "response_2": "response_b", "annotator_1": "judge", "annotator_2": "judge"},
        asked=("words",), kinds={"annotator_1": "human", "annotator_2": "human"}, words=dict.fromkeys("12345"),
    ),
    Layout(
        "likert-seven", delimited(("prompt", "response_a", "response_b", "judge", "preference"),
                                  rows(TASKS, LONG, SHORT, cycle("experts"), cycle(1, 2, 3, 4, 5, 6, 7))),
        "rows", {"prompt": "prompt", "response_a": "response_a", "response_b": "response_b", "judge": "judge", "preference": "winner"},
        asked=("words",), kinds={"experts": "human"}, words=dict.fromkeys("1234567"),
    ),
    Layout(
        "names-of-models", delimited(("question_id", "question", "model_a", "model_b", "answer_a", "answer_b", "winner", "judge", "tstamp"),
                                     rows([f"q{k}" for k in range(N)], TASKS, NAMES, OTHERS, LONG, SHORT, NAMES, cycle("crowd"), cycle(1.68e9, 1.69e9))),
        "rows", {"question_id": "prompt_id", "question": "prompt", "model_a": "model_a", "model_b": "model_b", "answer_a": "response_a",
                 "answer_b": "response_b", "winner": "winner", "judge": "judge", "tstamp": "judged_at"},
        kinds={"crowd": "human"}, words={},
    ),
    Layout(
        "annotations", jsonl([
            {"instruction": t, "output_1": a, "output_2": b, "generator_1": x, "generator_2": y, "annotator": "alpaca_eval_gpt4", "preference": p, "dataset": d}
            for t, a, b, x, y, p, d in rows(TASKS, LONG, SHORT, NAMES, OTHERS, cycle(1, 2), cycle("koala", "vicuna"))], "own.json", array=True),
        "rows", {"instruction": "prompt", "output_1": "response_a", "output_2": "response_b", "generator_1": "model_a",
                 "generator_2": "model_b", "annotator": "judge", "preference": "winner", "dataset": "scenario"},
        kinds={"alpaca_eval_gpt4": "llm"}, words={"1": "a", "2": "b"},
    ),
    Layout(
        "chosen-rejected", jsonl([{"prompt": t, "chosen": a, "rejected": b, "score_chosen": 8.5, "score_rejected": 6}
                                  for t, a, b in rows(TASKS, LONG, SHORT)]),
        "chosen", {"prompt": "prompt", "chosen": "chosen", "rejected": "rejected", "score_chosen": "score_a", "score_rejected": "score_b"},
        asked=("judge",),
    ),
    Layout(
        "chosen-dialogues", jsonl([{"chosen": f"\n\nHuman: {t}\n\nAssistant: {a}", "rejected": f"\n\nHuman: {t}\n\nAssistant: {b}"}
                                   for t, a, b in rows(TASKS, LONG, SHORT)]),
        "chosen", {"chosen": None, "chosen.user": "prompt", "chosen.assistant": "chosen", "rejected": None, "rejected.user": None,
                   "rejected.assistant": "rejected"}, asked=("judge",),
    ),
    Layout(
        "chosen-messages", jsonl([{"prompt": t, "messages": "x", "chosen": [{"role": "user", "content": t}, {"role": "assistant", "content": a}],
                                   "rejected": [{"role": "user", "content": t}, {"role": "assistant", "content": b}]} for t, a, b in rows(TASKS, LONG, SHORT)]),
        "chosen", {"prompt": "prompt", "messages": None, "chosen": None, "chosen.user": None, "chosen.assistant": "chosen", "rejected": None,
                   "rejected.user": None, "rejected.assistant": "rejected"}, asked=("judge",),
    ),
    Layout(
        "chosen-is-a-verdict", delimited(("prompt", "response_a", "response_b", "chosen", "source"),
                                         rows(TASKS, LONG, SHORT, cycle("A", "B"), cycle("web", "book"))),
        "rows", {"prompt": "prompt", "response_a": "response_a", "response_b": "response_b", "chosen": "winner", "source": None},
        asked=("judge",), words={"a": "a", "b": "b"},
    ),
    Layout(
        "five-judges", delimited(("id", "prompt", "Text A", "Text B", "human", "gpt-4", "claude-3-opus", "Prometheus", "Anna"),
                                 rows(range(N), TASKS, LONG, SHORT, *(cycle(*words) for words in (
                                     ("A", "B"), ("A", "tie"), ("B", "A", "A"), ("A", "A", "B"), ("tie", "B", "A", ""))))),
        "wide", {"id": None, "prompt": "prompt", "Text A": "response_a", "Text B": "response_b", "human": "judge", "gpt-4": "judge",
                 "claude-3-opus": "judge", "Prometheus": "judge", "Anna": "judge"},
        asked=("kind:Anna",), kinds={"human": "human", "gpt-4": "llm", "claude-3-opus": "llm", "Prometheus": "llm", "Anna": None},
        words={"a": "a", "b": "b", "tie": "tie"},
    ),
    Layout(
        "counts", delimited(("task", "system 1", "system 2", "votes_1", "votes_2", "votes_tie"),
                            rows(TASKS, NAMES, OTHERS, cycle(3, 0, 2), cycle(1, 4), cycle(0, 1))),
        "counts", {"task": "prompt", "system 1": "model_a", "system 2": "model_b", "votes_1": "count_a", "votes_2": "count_b", "votes_tie": "count_tie"},
        asked=("judge",),
    ),
    Layout(
        "reward-scores", delimited(("prompt", "completion_1", "completion_2", "reward_1", "reward_2", "reward_model"),
                                   rows(TASKS, LONG, SHORT, cycle(-1.25, 0.5), cycle(2.0, -3.75), cycle("armorm-8b"))),
        "scores", {"prompt": "prompt", "completion_1": "response_a", "completion_2": "response_b", "reward_1": "score_a",
                   "reward_2": "score_b", "reward_model": None},
        asked=("judge", "column:reward_model"),
    ),
    Layout(
        "ratings", delimited(("question", "generator", "answer", "rating", "rater"),
                             rows([t for t in TASKS[:4] for _ in range(3)], cycle("north", "south", "west"), LONG, cycle(1, 5, 3, 4), cycle("R1"))),
        "ratings", {"question": "prompt", "generator": "model", "answer": "response", "rating": "rating", "rater": "annotator"},
        asked=("judge",),
    ),
    Layout(
        "ratings-own-names", delimited(("question", "model", "answer", "rating", "helpful"),
                                       rows([t for t in TASKS[:4] for _ in range(3)], cycle("north", "south", "west"), LONG, cycle(1, 5, 3, 4), cycle("yes", "no"))),
        "ratings", {"question": "prompt", "model": "model", "answer": "response", "rating": "rating", "helpful": None}, asked=("judge",),
    ),
    Layout(
        "ranks", delimited(("Aufgabe", "System", "Platz"), rows([t for t in TASKS[:4] for _ in range(3)], cycle("north", "south", "west"), cycle(1, 2, 3))),
        "ranked", {"Aufgabe": "prompt", "System": "model", "Platz": "rank"}, asked=("judge",),
    ),
    Layout(
        "completions", jsonl([{"source": "web", "instruction": t, "models": ["north", "south"], "completions": [
            {"model": m, "response": r, "overall_score": s, "critique": "fine"} for m, r, s in (("north", LONG[k], 7.5), ("south", SHORT[k], 4))]}
            for k, t in enumerate(TASKS)]),
        "ratings", {"source": None, "instruction": "prompt", "models": None, "completions": "list"}, asked=("judge",),
    ),
    Layout(
        "generations", jsonl([{"instruction": t, "generations": [LONG[k], SHORT[k], t], "generation_models": ["n", "s", "w"], "ratings": [4, 2, 3]}
                              for k, t in enumerate(TASKS)], "own.jsonl"),
        "ratings", {"instruction": "prompt", "generations": "list", "generation_models": "list", "ratings": "list"}, asked=("judge",),
    ),
    Layout(
        "numbered-ratings", delimited(("Prompt", "Output A", "Output B", "Output C", "Score A", "Score B", "Score C", "Judge"),
                                      rows(TASKS, LONG, SHORT, TASKS, cycle(3, 4), cycle(1, 5, 2), cycle(2, 2), cycle("gemini-1.5-pro"))),
        "ratings", {"Prompt": "prompt", "Output A": "response_1", "Output B": "response_2", "Output C": "response_3", "Score A": "rating_1",
                    "Score B": "rating_2", "Score C": "rating_3", "Judge": "judge"},
        kinds={"gemini-1.5-pro": "llm"},
    ),
    Layout(
        "ranked-list", delimited(("prompt", "response_1", "response_2", "response_3", "ranking", "annotator"),
                                 rows(TASKS, LONG, SHORT, TASKS, cycle("A>C>B", "B>A=C"), cycle("w1", "w2"))),
        "ranked", {"prompt": "prompt", "response_1": "response_1", "response_2": "response_2", "response_3": "response_3",
                   "ranking": "ranking", "annotator": "annotator"},
        asked=("judge",),
    ),
    Layout(
        "ranked-numbers", jsonl([{"question": t, "ranking": [2, 3, 1], "response_1": a, "response_2": b, "response_3": t, "evaluator": "gpt-4-turbo"}
                                 for t, a, b in rows(TASKS, LONG, SHORT)]),
        "ranked", {"question": "prompt", "ranking": "ranking", "response_1": "response_1", "response_2": "response_2",
                   "response_3": "response_3", "evaluator": "judge"},
        asked=("ranking",), kinds={"gpt-4-turbo": "llm"},
    ),
    Layout(
        "sheet", workbook(("Prompt", "Model A", "Model B", "Response A", "Response B", "Verdict", "Reviewer", "Date"),
                          rows(TASKS, NAMES, OTHERS, LONG, SHORT, cycle("Model A", "Model B", "Tie"), cycle("r1", "r2"), cycle("2026-01-31"))),
        "rows", {"Prompt": "prompt", "Model A": "model_a", "Model B": "model_b", "Response A": "response_a", "Response B": "response_b",
                 "Verdict": "winner", "Reviewer": "annotator", "Date": "judged_at"},
        asked=("judge",), words={"model a": "a", "model b": "b", "tie": "tie"},
    ),
    Layout(
        "packed", delimited(("prompt", "left", "right", "choice", "evaluator", "swapped"),
                            rows(TASKS, LONG, SHORT, cycle("left", "right"), cycle("llama-3-70b"), cycle("true", "false")), name="own.csv.gz"),
        "rows", {"prompt": "prompt", "left": "response_a", "right": "response_b", "choice": "winner", "evaluator": "judge", "swapped": "swapped"},
        kinds={"llama-3-70b": "llm"}, words={"left": "a", "right": "b"},
    ),
    Layout(
        "nested", jsonl([{"prompt": t, "response_a": {"text": a, "model": x}, "response_b": {"text": b, "model": y}, "verdict": {"winner": w, "judge": "gpt-4"}}
                         for t, a, b, x, y, w in rows(TASKS, LONG, SHORT, NAMES, OTHERS, cycle("a", "b", "tie"))]),
        "rows", {"prompt": "prompt", "response_a": None, "response_a.text": "response_a", "response_a.model": "model_a", "response_b": None,
                 "response_b.text": "response_b", "response_b.model": "model_b", "verdict": None, "verdict.winner": "winner",
                 "verdict.judge": "judge"},
        kinds={"gpt-4": "llm"}, words={"a": "a", "b": "b", "tie": "tie"},
    ),
    Layout(
        "soft", delimited(("prompt", "response_a", "response_b", "judge", "p_a", "length_a", "length_b"),
                          rows(TASKS, LONG, SHORT, cycle("gpt-4o"), cycle(0.25, 0.75, 1), cycle(10, 20), cycle(5, 40))),
        "rows", {"prompt": "prompt", "response_a": "response_a", "response_b": "response_b", "judge": "judge", "p_a": "p_a",
                 "length_a": "factor", "length_b": "factor"},
        kinds={"gpt-4o": "llm"},
    ),
    Layout(
        "crowd-platform", delimited(("HITId", "Input.prompt", "Input.response_a", "Input.response_b", "Answer.choice", "WorkerId", "WorkTimeInSeconds"),
                                    rows([f"h{k}" for k in range(N)], TASKS, LONG, SHORT, cycle("A", "B"), cycle("w1", "w2"), cycle(30, 40))),
        "rows", {"HITId": None, "Input.prompt": "prompt", "Input.response_a": "response_a", "Input.response_b": "response_b",
                 "Answer.choice": "winner", "WorkerId": "annotator", "WorkTimeInSeconds": None},
        asked=("judge", "column:WorkTimeInSeconds"), words={"a": "a", "b": "b"},
    ),
    Layout(
        "forum", jsonl([{"domain": d, "history": t, "human_ref_A": a, "human_ref_B": b, "labels": w, "score_A": 3, "score_B": 5, "seconds_difference": 100.0}
                        for t, a, b, w, d in rows(TASKS, LONG, SHORT, cycle(0, 1), cycle("cooking", "law"))]),
        "verdicts", {"domain": "scenario", "history": None, "human_ref_A": None, "human_ref_B": None, "labels": "winner", "score_A": "score_a",
                     "score_B": "score_b", "seconds_difference": None},
        asked=("field:prompt", "field:response_a", "column:history", "column:human_ref_A", "column:human_ref_B", "column:seconds_difference",
               "judge", "words"), words={"0": None, "1": None},
    ),
    Layout(
        "ranked-answers", jsonl([{"prompt": t, "answers": [{"answer": a, "model": "north", "rank": 1.0}, {"answer": b, "model": "south", "rank": 2.0}],
                                  "num_responses": 2} for t, a, b in rows(TASKS, LONG, SHORT)]),
        "ranked", {"prompt": "prompt", "answers": "list", "num_responses": None}, asked=("judge",),
    ),
    Layout(
        "two-winners", delimited(("prompt", "response_a", "response_b", "human_winner", "gpt4_winner", "gold_label"),
                                 rows(TASKS, LONG, SHORT, cycle("a", "b"), cycle("a", "tie", "b"), cycle("a", "b", "b"))),
        "wide", {"prompt": "prompt", "response_a": "response_a", "response_b": "response_b", "human_winner": "judge", "gpt4_winner": "judge", "gold_label": "judge"},
        kinds={"human_winner": "human", "gpt4_winner": "llm", "gold_label": "rule"}, words={"a": "a", "b": "b", "tie": "tie"},
    ),
    Layout(
        "criteria", delimited(("prompt", "response_a", "response_b", "judge", "helpfulness", "harmlessness"),
                              rows(TASKS, LONG, SHORT, cycle("gpt-4"), cycle("A", "B"), cycle("B", "A"))),
        "rows", {"prompt": "prompt", "response_a": "response_a", "response_b": "response_b", "judge": "judge", "helpfulness": None, "harmlessness": None},
        asked=("shape", "field:winner", "column:helpfulness", "column:harmlessness"), kinds={"gpt-4": "llm"},
    ),
    Layout(
        "shown-first", delimited(("Prompt", "Answer 1", "Answer 2", "Shown first", "Winner", "Judge type", "Judge"),
                                 rows(TASKS, LONG, SHORT, cycle(1, 2), cycle("Answer 1", "Answer 2"), cycle("human", "LLM"), cycle("p1", "gpt-4"))),
        "rows", {"Prompt": "prompt", "Answer 1": "response_a", "Answer 2": "response_b", "Shown first": None, "Winner": "winner",
                 "Judge type": "judge_kind", "Judge": "judge"},
        asked=("column:Shown first",), words={"answer 1": "a", "answer 2": "b"},
    ),
    Layout(
        "short-answers", delimited(("question", "answer_a", "answer_b", "better", "judge"), rows(TASKS, cycle("Paris", "4"), cycle("Rome", "5"), cycle("a", "b"), cycle("gpt-4"))),
        "rows", {"question": "prompt", "answer_a": "response_a", "answer_b": "response_b", "better": "winner", "judge": "judge"},
        kinds={"gpt-4": "llm"}, words={"a": "a", "b": "b"},
    ),
    Layout(
        "texts-called-models", delimited(("prompt", "model_a", "model_b", "judge", "winner"), rows(TASKS, LONG, SHORT, cycle("crowd"), cycle("model_a", "model_b"))),
        "verdicts", {"prompt": "prompt", "model_a": None, "model_b": None, "judge": "judge", "winner": "winner"},
        asked=("field:response_a", "column:model_a", "column:model_b"), kinds={"crowd": "human"}, words={"model_a": "a", "model_b": "b"},
    ),
    Layout(
        "two-ratings", delimited(("prompt", "model", "response", "gpt4_score", "human_score"),
                                 rows([t for t in TASKS[:4] for _ in range(3)], cycle("north", "south", "west"), LONG, cycle(1, 2, 3), cycle(3, 2))),
        "ratings", {"prompt": "prompt", "model": "model", "response": "response", "gpt4_score": None, "human_score": None},
        asked=("field:rating", "column:gpt4_score", "column:human_score", "judge"),
    ),
    Layout(
        "three-votes", delimited(("question", "answer_model_1", "answer_model_2", "human_vote_1", "human_vote_2", "human_vote_3"),
                                 rows(TASKS, LONG, SHORT, cycle(1, 2), cycle(2, 1), cycle("tie", 1)), by="|"),
        "wide", {"question": "prompt", "answer_model_1": "response_a", "answer_model_2": "response_b", "human_vote_1": "judge", "human_vote_2": "judge", "human_vote_3": "judge"},
        kinds=dict.fromkeys(("human_vote_1", "human_vote_2", "human_vote_3"), "human"), words={"1": "a", "2": "b", "tie": "tie"},
    ),
    Layout(
        "soft-preference", delimited(("instruction", "output_1", "output_2", "preference", "prob_output_1"), rows(TASKS, LONG, SHORT, cycle(1.03, 1.98, 1.5), cycle(0.9, 0.2))),
        "rows", {"instruction": "prompt", "output_1": "response_a", "output_2": "response_b", "preference": None, "prob_output_1": None},
        asked=("shape", "field:winner", "column:preference", "column:prob_output_1", "judge"),
    ),
    Layout(
        "counted-from-zero", delimited(("prompt", "response_0", "response_1", "better_response_id", "safer_response_id"), rows(TASKS, LONG, SHORT, cycle(0, 1), cycle(1, 0, 0))),
        "rows", {"prompt": "prompt", "response_0": "response_a", "response_1": "response_b", "better_response_id": "winner", "safer_response_id": None},
        asked=("column:safer_response_id", "words", "judge"), words={"0": None, "1": None},
    ),
    Layout(
        "true-false", delimited(("prompt", "response_a", "response_b", "a_is_better", "votes_for_a_percent"), rows(TASKS, LONG, SHORT, cycle("True", "False"), cycle(20, 80))),
        "rows", {"prompt": "prompt", "response_a": "response_a", "response_b": "response_b", "a_is_better": None, "votes_for_a_percent": None},
        asked=("shape", "field:winner", "column:a_is_better", "column:votes_for_a_percent", "judge"),
    ),
    Layout(
        "japanese", delimited(("質問", "回答1", "回答2", "勝者", "審査員"), rows(TASKS, LONG, SHORT, cycle("回答1", "回答2", "引き分け"), cycle("gpt-4o")), encoding="utf-16"),
        "rows", {"質問": "prompt", "回答1": "response_a", "回答2": "response_b", "勝者": "winner", "審査員": "judge"},
        kinds={"gpt-4o": "llm"}, words={"回答1": "a", "回答2": "b", "引き分け": "tie"},
    ),
    Layout(
        "ranked-names", jsonl([{"question": t, "ranking": ["south", "north", "west"], "judge": "gpt-4"} for t in TASKS]),
        "ranked", {"question": "prompt", "ranking": "ranking", "judge": "judge"}, kinds={"gpt-4": "llm"},
    ),
    Layout(
        "unclear-flags", delimited(("prompt", "response_a", "response_b", "Ben", "Carla"), rows(TASKS, LONG, SHORT, cycle(0, 1), cycle(1, 0, 0))),
        "rows", {"prompt": "prompt", "response_a": "response_a", "response_b": "response_b", "Ben": None, "Carla": None},
        asked=("shape", "field:winner", "column:Ben", "column:Carla", "judge"),
    ),
    Layout(
        "percent", delimited(("prompt", "model_a", "model_b", "judge", "p_a"), rows(TASKS, NAMES, OTHERS, cycle("gpt-4o"), cycle(25, 75, 100))),
        "rows", {"prompt": "prompt", "model_a": "model_a", "model_b": "model_b", "judge": "judge", "p_a": None},
        asked=("shape", "field:winner", "column:p_a"), kinds={"gpt-4o": "llm"},
    ),
    Layout(
        "systems-and-outs", delimited(("sys1", "sys2", "out1", "out2", "source text", "annotator_1", "annotator_2"), rows(NAMES, OTHERS, LONG, SHORT, TASKS, cycle("A", "B"), cycle("B", "A", "tie"))),
        "wide", {"sys1": "model_a", "sys2": "model_b", "out1": "response_a", "out2": "response_b", "source text": "prompt", "annotator_1": "judge", "annotator_2": "judge"},
        kinds={"annotator_1": "human", "annotator_2": "human"}, words={"a": "a", "b": "b", "tie": "tie"},
    ),
    Layout(
        "better-worse", delimited(("prompt", "better", "worse"), rows(TASKS, LONG, SHORT)),
        "chosen", {"prompt": "prompt", "better": "chosen", "worse": "rejected"}, asked=("judge",),
    ),
    Layout(
        "gold-and-prediction", delimited(("input", "output_1", "output_2", "gold", "prediction"), rows(TASKS, LONG, SHORT, cycle(1, 2), cycle(2, 2, 1))),
        "rows", {"input": "prompt", "output_1": "response_a", "output_2": "response_b", "gold": "winner", "prediction": None},
        asked=("column:prediction", "judge"), words={"1": "a", "2": "b"},
    ),
    Layout(
        "against-a-baseline", delimited(("prompt", "model", "baseline", "result"), rows(TASKS, cycle("gpt-4", "llama"), cycle("vicuna", "claude"), cycle("win", "lose", "tie"))),
        "rows", {"prompt": "prompt", "model": None, "baseline": None, "result": None},
        asked=("shape", "field:response_a", "field:winner", "column:model", "column:baseline", "column:result", "judge"),
    ),
    Layout(
        "unknown-language", delimited(("вопрос", "ответ_1", "ответ_2", "эксперт", "лучше"), rows(TASKS, LONG, SHORT, cycle("ivan", "anna"), cycle(1, 2, "одинаково")), by=";"),
        "rows", {"вопрос": None, "ответ_1": None, "ответ_2": None, "эксперт": None, "лучше": None},
        asked=("shape", "field:prompt", "field:response_a", "field:winner", "column:вопрос", "column:ответ_1", "column:ответ_2", "column:эксперт", "column:лучше", "judge"),
    ),
)  # fmt: skip
