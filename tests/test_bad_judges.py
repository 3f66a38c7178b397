"""Does each question about judges have its answer, or its one plain sentence, on the judgments that it cannot use?"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bad_datasets import Row, add, ring
from test_bad_input import ODD

import cli
import studies  # noqa: F401  (registers the studies)
from data.store import Store
from studies.study import REGISTRY

COMMANDS = ("agreement", "stand-in", "alt-test", "audit", "disagreement", "calibration", "shares", "criteria",
            "reward-models", "judge-again")  # fmt: skip
MODELS = ring(("m1", "m2", "m3"))


def row(prompt: int, pair: tuple[str, str], judge: str, winner: str, **more: object) -> Row:
    a, b = pair
    return {
        "prompt": f"question {prompt}", "model_a": a, "model_b": b, "response_a": f"answer of {a} to {prompt}",
        "response_b": f"answer of {b} to {prompt}, somewhat longer", "judge": judge,
        "judge_kind": "human" if judge == "people" else "llm", "winner": winner, **more,
    }  # fmt: skip


def people(n: int = 20, annotators: int = 3, first: int = 0) -> list[Row]:
    """Each of the annotators on each pair; what they prefer differs from pair to pair, and they err."""
    rng = np.random.default_rng(first)
    out = []
    for k in range(first, first + n):
        for pair in MODELS:
            taste = rng.logistic()
            out += [
                row(k, pair, "people", "ab"[int(taste + rng.logistic() < 0)], annotator=f"ann {who}")
                for who in range(annotators)
            ]
    return out


def gpt(n: int = 20, first: int = 0, **more: object) -> list[Row]:
    return [row(k, pair, "gpt", "ab"[(k + at) % 4 == 0], **more) for k in range(first, first + n) for at, pair in enumerate(MODELS)]


def always(rows: list[Row], winner: str) -> list[Row]:
    return [one | {"winner": winner} for one in rows]


CASES: dict[str, list[Row]] = {
    "no pair in common": people() + gpt(first=100),
    "one annotator": people(annotators=1) + gpt(),
    "all ties": always(people() + gpt(), "tie"),
    "the judge always ties": people() + always(gpt(), "tie"),
    "the judge always says a": people() + always(gpt(), "a"),
    "all say a": always(people() + gpt(), "a"),
    "the first shown always wins": people() + [
        one | {"swapped": swapped, "winner": "ba"[swapped == "false"]} for swapped in ("false", "true") for one in gpt()
    ],
    "contradictory repeats": people() + [
        one | {"swapped": "false", "repeat": turn, "winner": "ab"[turn % 2]} for turn in (1, 2) for one in gpt()
    ],
    "a variant without its twin": people() + gpt() + gpt(first=100, variant="bandwagon", cue="a"),
    "a variant alone": people() + gpt(variant="bandwagon", cue="a"),
    "a cue without a side": people() + gpt() + gpt(variant="bandwagon"),
    "all refused": people() + always(gpt(), "refused"),
    "one pair": people(1)[:3] + gpt(1)[:1],
}  # fmt: skip


def build(folder: Path) -> Store:
    store = Store(folder / "s.duckdb", linger=600)
    for name, rows in CASES.items():
        add(store, folder, name, pd.DataFrame(rows))
    return store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return build(tmp_path_factory.mktemp("judges"))


REFUSED = {
    ("no pair in common", "agreement"): "gpt: shares no pair with people",
    ("no pair in common", "stand-in"): "gpt: shares no pair with people",
    ("no pair in common", "alt-test"): "gpt: shares no pair with people that two named annotators have judged",
    ("no pair in common", "disagreement"): "gpt: shares no pair on which people have two votes or more",
    ("no pair in common", "calibration"): "gpt: shares no pair with people",
    ("no pair in common", "shares"): "gpt: shares no pair on which people",
    ("one annotator", "alt-test"): "needs at least two who are named; there is only 'ann 0'",
    ("one annotator", "disagreement"): "no pair has two votes of people",
    ("one annotator", "shares"): "no pair has two votes of people",
    ("all ties", "disagreement"): "never part here: there is no disagreement to share out",
    ("all say a", "disagreement"): "never part here: there is no disagreement to share out",
    ("a variant alone", "judge-again"): "'gpt' gave no verdict in plain circumstances",
    ("the first shown always wins", "judge-again"): "each of its pairs is judged in both orders already",
    ("all refused", "agreement"): "gpt: shares no pair with people",
    ("all refused", "judge-again"): "leaves no judgment with a verdict of this judge",
    ("one pair", "alt-test"): "no annotator has 30 pairs with the judge and another annotator: the most is 1",
    ("one pair", "disagreement"): "1 pair with two or more votes of people and a verdict of the judge: at least 2",
}  # fmt: skip
"""What is refused with exit code 1, and in which words."""

LABELS = "gives labels and no preference between: nothing says how sure it is. Import p_a or scores, 5 verdicts or more"
ONE_LABEL = "gives one label a pair, which is no share: judge each pair several times"
ALWAYS = {
    "criteria": "has one criterion only ('overall'): import verdicts with a column `criterion`",
    "reward-models": "no judge chosen here gives scores: import a reward model's judgments with the columns score_a",
}
"""What these commands say of each of the cases."""

WARNED = {
    ("no pair in common", "audit"): "no pair is shared with people, so that nothing tells biases from good taste: gpt",
    ("one annotator", "agreement"): "people has one vote a pair: how often people agree with one another",
    ("one annotator", "stand-in"): "people has one vote a pair",
    ("all ties", "agreement"): "gpt says nothing but ties here",
    ("all ties", "audit"): "all verdicts are ties",
    ("the judge always ties", "audit"): "all verdicts are ties, and no bias but these can be seen: gpt",
    ("the judge always ties", "stand-in"): "gpt says nothing but ties here",
    ("the judge always says a", "agreement"): "gpt always says a here: kappa, alpha and ac1 cannot tell that from chance",
    ("the judge always says a", "audit"): "all verdicts are for side a, which may be how the file lists winners: gpt",
    ("the first shown always wins", "audit"): "all verdicts are for the answer shown first: gpt",
    ("the first shown always wins", "agreement"): "(verdicts on a pair that contradict each other are one)",
    ("the first shown always wins", "disagreement"): "position is no part of its own: here the response shown first always",
    ("contradictory repeats", "audit"): "in the same order, a judge also chose the other side, and the mean of its verdicts counts",
    ("contradictory repeats", "agreement"): "(verdicts on a pair that contradict each other are one)",
    ("contradictory repeats", "disagreement"): "its verdicts in each order are ties, or cancel each other",
    ("a variant without its twin", "audit"): "no verdict has a plain twin on the same pair, and says nothing: gpt in bandwagon",
    ("a variant alone", "audit"): "no verdict in plain circumstances, which all else is held against: gpt",
    ("all refused", "audit"): "no verdict in plain circumstances, which all else is held against: gpt",
    ("one pair", "agreement"): "these intervals speak about this prompt only: 1 is too few to generalise from",
    ("one pair", "judge-again"): "1 pair here, and 103 are needed to find a bias of 10 points",
}  # fmt: skip
"""What is answered with a warning."""


def run(store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, command: str,
        *more: str) -> tuple[int, str, str]:  # fmt: skip
    judge = ["--judge", "gpt"] if command == "judge-again" else []
    monkeypatch.setattr("sys.argv", ["cli.py", "--db", str(store.path), command, "--dataset", name, *judge, *more])
    with pytest.raises(SystemExit) as ended:
        cli.run()
    told = capsys.readouterr()
    assert "Traceback" not in told.err
    return int(ended.value.code or 0), told.out, told.err


# What is promised of a case, in REFUSED and WARNED, is asked of each below; of all other answers here every third.
@pytest.mark.every(3, "name", "command")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", CASES)
def test_each_command_answers_or_says_why_not(store, monkeypatch, capsys, name, command) -> None:
    code, out, err = run(store, monkeypatch, capsys, name, command, "-o", "json")
    why = REFUSED.get((name, command), ALWAYS.get(command))
    if code:
        assert (code, out) == (1, "")
        # One sentence, whatever it is; of what is promised, in these words.
        assert len(err.strip().splitlines()) == 1
        plain(err, name)
        assert why is None or why in err
        return
    assert why is None, out[:200]
    said = WARNED.get((name, command))
    found = json.loads(out, parse_constant=lambda constant: pytest.fail(f"{constant} in the answer"))
    for text in (found["caption"], *found["warnings"]):
        plain(text, name)
    assert said is None or any(said in text for text in found["warnings"]), found["warnings"]
    # A share, or what is beyond one, is never further from 0 than a point estimate of shares can be.
    for row_ in found.get("biases", ()):
        assert all(abs(row_[key]) <= 1 for key in ("rate", "null", "excess") if key in row_), row_


@pytest.mark.parametrize(("name", "command"), [*WARNED])
def test_every_promised_warning_is_given(store, monkeypatch, capsys, name, command) -> None:
    code, _, err = run(store, monkeypatch, capsys, name, command)
    assert code == 0
    assert WARNED[name, command] in err


@pytest.mark.parametrize(("name", "command"), [*REFUSED])
def test_every_promised_refusal_is_one(store, monkeypatch, capsys, name, command) -> None:
    code, out, err = run(store, monkeypatch, capsys, name, command)
    assert (code, out) == (1, "")
    assert REFUSED[name, command] in err


@pytest.mark.parametrize("name", ["one annotator", "all ties", "the judge always says a", "a variant without its twin"])
def test_labels_alone_have_no_calibration_and_no_shares(store, monkeypatch, capsys, name) -> None:
    assert LABELS in run(store, monkeypatch, capsys, name, "calibration")[2]
    if name != "one annotator":
        assert ONE_LABEL in run(store, monkeypatch, capsys, name, "shares")[2]


@pytest.mark.parametrize(
    ("name", "bias", "why"),
    [
        ("no pair in common", "accuracy", "no label (a or b) of another judge on its pairs"),
        ("all ties", "length", "the reference prefers neither answer in any of these pairs"),
        ("the judge always ties", "length", "all independent parts say the same: nothing tells how sure it is"),
        ("all say a", "length", "what the reference prefers, this side and the order cannot be told apart here"),
        ("a variant without its twin", "bandwagon", "no variant of this name that has a cue and a plain twin"),
        ("a cue without a side", "bandwagon", "no variant of this name that has a cue and a plain twin"),
        ("one pair", "length", "there is 1 independent part and 1 pair with such a side"),
    ],
)
def test_what_the_audit_cannot_show_has_its_reason(store, name, bias, why) -> None:
    table = REGISTRY["audit"](dataset=name, judge=("gpt",)).run(store).table("cannot_show").set_index("bias")
    assert why in table.loc[bias, "why"]
    assert len(table.loc[bias, "needed"]) > 20


def plain(text: str, name: str) -> None:
    """A sentence for people: words, on one line, no number that nobody can read."""
    text = text.strip().replace(name, "")
    assert len(text.split()) >= 4, text
    assert "\n" not in text, text
    assert not ODD.search(text), text
