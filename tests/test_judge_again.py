"""Pairs to judge again: as many as find a bias, listed, filled in by a biased judge, imported and found by the audit."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from math import comb
from pathlib import Path

import kept
import numpy as np
import pytest

import cli
from analysis.judge_again import balance, chance_found, least_found, pairs_to_find, pairs_to_know, spread
from analysis.paired_flips import flip_p
from data.imports import import_path
from data.store import Store
from errors import EmptySelectionError, OptionError
from exports.text import as_csv
from studies.audit import Audit
from studies.cues import AFTER, BEFORE, BESIDE, CUES, PURPOSES, inserted
from studies.judge_again import JudgeAgain
from studies.study import Result

HEADER = ["prompt_id", "prompt", "scenario", "model_a", "model_b", "response_a", "response_b", "judge", "judge_kind",
          "annotator", "swapped", "winner"]  # fmt: skip


def store_of(folder: Path, *, n: int = 60, order: str = "known", texts: bool = True, named: bool = True) -> Store:
    """60 prompts of three scenarios, a pair each: the judge `bot` in one order (every other one b first), and people."""
    out = io.StringIO()
    rows = csv.writer(out)
    bare = [c for c in HEADER if texts or c not in ("prompt", "response_a", "response_b")]
    rows.writerow(bare)

    def write(words: list[str]) -> None:
        rows.writerow([word for name, word in zip(HEADER, words, strict=True) if name in bare])

    for k in range(n):
        swapped = {"known": "true" if k % 2 else "false", "unknown": "", "both": "false"}[order]
        words = [f"q{k}", f"question {k}", f"s{min(k % 5, 2)}", "m1", "m2", f"=answer {k}, one", f"answer {k}, two"]
        write([*words, "bot", "llm", "", swapped, "abtie"[k % 3] if k % 3 < 2 else "tie"])
        if order == "both":
            write([*words, "bot", "llm", "", "true", "ab"[k % 4 == 0]])
        write([*words, "people", "human", f"ann {k % 4}" if named else "", "", "ab"[k % 4 == 1]])
    return kept.store_of(folder, out.getvalue())


def listed(result: Result) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(as_csv(result.table("work_list")))))


def fill(store: Store, result: Result, folder: Path, winner: Callable[[int, dict[str, str]], str]) -> list[dict[str, str]]:
    """Fill the exported list, import it, and give back its rows."""
    rows = listed(result)
    for k, row in enumerate(rows):
        row["winner"] = winner(k, row)
    path = folder / "filled.csv"
    with open(path, "w", newline="") as file:
        out = csv.DictWriter(file, list(rows[0]))
        out.writeheader()
        out.writerows(rows)
    report = import_path(store, path, "d")
    assert (report.accepted, report.rejected, report.pairs) == (len(rows), 0, 60)
    return rows


def biases(store: Store) -> dict[str, dict[str, object]]:
    table = Audit(dataset="d", judge=("bot",), reference="people").run(store).table("biases")
    return {str(row["bias"]): dict(row) for _, row in table.iterrows()}


def missing(store: Store) -> set[str]:
    return set(Audit(dataset="d", judge=("bot",), reference="people").run(store).table("cannot_show")["bias"])


def before(store: Store) -> dict[str, int]:
    """By prompt: +1 where the judge chose the place that came first, -1 the other, 0 a tie."""
    with store.reading() as con:
        rows = con.execute(
            """SELECT p.external_id, sign(j.p_a - .5) * j.shown FROM judgment j JOIN prompt p USING (prompt_id)
            JOIN judge g USING (judge_id) WHERE g.name = 'bot'"""
        ).fetchall()
    return {key: int(side) for key, side in rows}


# -- how many, and which -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n", "difference", "changes"), [(12, 0.4, 0.6), (25, 0.2, 0.5), (9, 0.5, 0.5), (3, 0.3, 1.0)])
def test_the_chance_is_that_of_all_outcomes_added_up(n: int, difference: float, changes: float) -> None:
    up, down = (changes + difference) / 2, (changes - difference) / 2
    total = 0.0
    for one in range(n + 1):
        for two in range(n + 1 - one):
            rest = n - one - two
            sign = np.array([1] * one + [-1] * two + [0] * rest)
            if one + two and flip_p(sign, np.arange(n)) <= 0.05:
                total += comb(n, one) * comb(n - one, two) * up**one * down**two * (1 - changes) ** rest
    assert chance_found(n, difference, changes) == pytest.approx(total, abs=1e-12)


def test_the_number_is_the_first_that_is_enough() -> None:
    assert [pairs_to_find(2 * e) for e in (0.05, 0.1, 0.15, 0.2)] == [408, 103, 46, 25]
    assert chance_found(102, 0.2) < 0.8 <= chance_found(103, 0.2)
    # Fewer conflicts, fewer pairs; a difference that all conflicts make needs the fewest.
    assert pairs_to_find(0.2, 0.5) > pairs_to_find(0.2, 0.3) > pairs_to_find(0.2, 0.2)
    # z = 1.96: (1.96 / .1)^2 / 4 = 96.04.
    assert (pairs_to_know(0.1), pairs_to_know(0.5), pairs_to_know(0.1, level=0.8)) == (97, 4, 42)
    assert least_found(103) == 0.2
    assert least_found(102) == 0.21
    assert least_found(5) is None


def test_any_beginning_is_stratified_and_takes_each_prompt_once_before_any_twice() -> None:
    scenario, prompt = np.repeat([7, 3], [40, 20]), np.arange(60) // 2
    order = spread(scenario, prompt, np.random.default_rng(0))
    assert sorted(order.tolist()) == list(range(60))
    for n in range(1, 61):
        share = (scenario[order[:n]] == 7).sum()
        assert abs(share - n * 2 / 3) <= 1
    for code, each in ((7, 20), (3, 10)):
        mine = prompt[order][scenario[order] == code]
        assert len(set(mine[:each])) == each
    assert not np.array_equal(order, spread(scenario, prompt, np.random.default_rng(1)))
    assert len(spread(scenario[:0], prompt[:0], np.random.default_rng(0))) == 0


def test_cues_are_balanced_also_within_what_won_before() -> None:
    lean = np.repeat([-1.0, 0.0, 1.0], [31, 4, 17])
    for seed in range(5):
        cue = balance(lean, np.random.default_rng(seed))
        assert set(cue) == {-1, 1}
        assert cue.sum() == 0
        assert all(abs(cue[lean == side].sum()) <= 1 for side in (-1, 0, 1))


# -- there and back ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blind", [False, True])
def test_a_position_bias_is_planted_listed_imported_and_found(tmp_path: Path, blind: bool) -> None:
    store = store_of(tmp_path)
    assert {"position_consistency"} <= missing(store)
    first = before(store)
    result = JudgeAgain(dataset="d", judge=("bot",), blind=blind).run(store)
    assert (result.values["pairs"], result.values["could"], result.values["needed"]) == (60, 60, 103)
    assert any(w.startswith("60 pairs here, and 103 are needed to find a bias of 10 points; these find") for w in result.warnings)
    assert ("model_a" in result.table("work_list")) is not blind
    # Two of three times whatever comes first.
    rows = fill(store, result, tmp_path, lambda k, row: "b" if k % 3 == 0 else "a")
    # Each pair is listed the other way round: b first where a was.
    for row in rows:
        k = int(row["prompt_id"][1:])
        assert row["swapped"] == "false"
        assert row["response_a"].endswith("one" if k % 2 else "two")
    twice = sum(row["winner"] == "a" and first[row["prompt_id"]] == 1 for row in rows)
    last = sum(row["winner"] == "b" and first[row["prompt_id"]] == -1 for row in rows)
    found = biases(store)
    assert twice > last
    assert (found["first_position"]["n"], found["first_position"]["rate"]) == (60, pytest.approx(twice / 60))
    assert found["last_position"]["rate"] == pytest.approx(last / 60)
    assert found["position_consistency"]["rate"] == pytest.approx(
        sum((row["winner"] == "a") == (first[row["prompt_id"]] == -1) and first[row["prompt_id"]] != 0 for row in rows) / 60
    )
    assert "position_consistency" not in missing(store)
    with pytest.raises(EmptySelectionError, match="each of its pairs is judged in both orders already"):
        JudgeAgain(dataset="d", judge=("bot",)).run(store)


def test_where_no_order_is_known_both_are_asked_for(tmp_path: Path) -> None:
    store = store_of(tmp_path, order="unknown")
    result = JudgeAgain(dataset="d", judge=("bot",), n=20).run(store)
    assert (len(result.table("work_list")), result.values["pairs"]) == (40, 20)
    assert any("not known which answer was shown first: both orders are asked for" in w for w in result.warnings)
    first = {(row["prompt_id"], row["response_a"]) for row in listed(result)}
    assert (len(first), len({key for key, _ in first})) == (40, 20)


@pytest.mark.parametrize("order", ["known", "unknown"])
def test_repeats_come_back_as_repeats_in_the_same_order(tmp_path: Path, order: str) -> None:
    store = store_of(tmp_path, order=order)
    with store.reading() as con:
        said = dict(con.execute(
            "SELECT p.external_id, outcome FROM judgment JOIN prompt p USING (prompt_id) WHERE judge_id = 1 ORDER BY ALL"
        ).fetchall())  # fmt: skip
    result = JudgeAgain(dataset="d", judge=("bot",), purpose="repeat").run(store)
    assert result.values["needed"] == 97
    rows = fill(store, result, tmp_path, lambda k, row: ["a", "b", "tie"][k % 3])
    found = biases(store)["repeat_consistency"]
    assert found["n"] == 60
    if order == "known":
        # What was a first is b first here for odd prompts, so that the file's a is the store's b.
        turned = [{"a": 1, "b": 2, "tie": 3}[row["winner"]] for row in rows]
        same = sum((code if int(row["prompt_id"][1:]) % 2 == 0 or code == 3 else 3 - code) == said[row["prompt_id"]]
                   for code, row in zip(turned, rows, strict=True))  # fmt: skip
        assert found["rate"] == pytest.approx(same / 60)
        assert {row["repeat"] for row in rows} == {"2"}
    else:
        assert {row["repeat"] for row in rows} == {"2", "3"}
    with pytest.raises(EmptySelectionError, match="judged twice in the same order already"):
        JudgeAgain(dataset="d", judge=("bot",), purpose="repeat").run(store)


# What differs between cues are their words, which are asked for one by one in the last test.
@pytest.mark.every(2, "purpose")
@pytest.mark.parametrize("purpose", [*CUES, "letters"])
def test_a_planted_pull_of_a_cue_is_found(tmp_path: Path, purpose: str) -> None:
    store = store_of(tmp_path)
    texts = contents(store)
    result = JudgeAgain(dataset="d", judge=("bot",), purpose=purpose).run(store)
    if purpose != "letters":
        assert abs(sum(1 if row["cue"] == "a" else -1 for row in listed(result))) == 0
    first = before(store)
    # A judge that follows the cue in three of four, and the place in the rest.
    rows = fill(store, result, tmp_path, lambda k, row: row["cue"] if k % 4 else "a")
    toward = away = 0
    for row in rows:
        was, cue = first[row["prompt_id"]], 1 if row["cue"] == "a" else -1
        now = 1 if row["winner"] == "a" else -1
        moved = np.sign(now - was) * cue
        toward, away = toward + (moved > 0), away + (moved < 0)
    found = biases(store)[purpose]
    assert (found["n"], found["rate"]) == (60, pytest.approx(toward / 60))
    assert found["null"] == pytest.approx((toward + away) / 2 / 60)
    # Answers with a cue in them are the answers that were there.
    assert contents(store) == texts
    with pytest.raises(EmptySelectionError, match=f"judged with {purpose} already"):
        JudgeAgain(dataset="d", judge=("bot",), purpose=purpose).run(store)


def contents(store: Store) -> list[tuple[object, ...]]:
    with store.reading() as con:
        return con.execute("SELECT count(*), count(DISTINCT text_id), (SELECT count(*) FROM pair) FROM response").fetchall()


def test_the_cue_stands_where_it_belongs(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    for purpose in CUES:
        for row in listed(JudgeAgain(dataset="d", judge=("bot",), purpose=purpose, n=10).run(store)):
            cued, other = (row[f"response_{side}"] for side in (row["cue"], "ab".replace(row["cue"], "")))
            assert row["variant"] == purpose
            if purpose in BESIDE:
                assert f"response {row['cue'].upper()}" in row["instruction"] or "author of" in row["instruction"]
                assert cued.endswith(("one", "two"))
            else:
                assert "instruction" not in row
                told = BEFORE.get(purpose) or AFTER[purpose]
                assert told in cued
                assert told not in other
    names = listed(JudgeAgain(dataset="d", judge=("bot",), purpose="letters", n=3).run(store))
    assert {row["cue"] for row in names} == {"b"}


def test_models_are_named_in_both_orders_once_both_are_there_without_names(tmp_path: Path) -> None:
    with pytest.raises(EmptySelectionError, match="list those with --purpose order first"):
        JudgeAgain(dataset="d", judge=("bot",), purpose="names").run(store_of(tmp_path / "one"))
    store = store_of(tmp_path / "two", order="both")
    result = JudgeAgain(dataset="d", judge=("bot",), purpose="names").run(store)
    # The rate itself is held against that of plain pairs, and not one kind of conflict against the other.
    assert (result.values["needed"], len(result.table("work_list"))) == (pairs_to_find(0.1), 120)
    assert "compassion_fade" in missing(store)
    rows = fill(store, result, tmp_path, lambda k, row: "a")
    assert rows[0]["instruction"].startswith(f"Response A is by {rows[0]['model_a']}")
    assert biases(store)["compassion_fade"]["rate"] == 1
    assert "compassion_fade" not in missing(store)


def test_people_are_asked_by_name_and_those_without_a_name_are_not(tmp_path: Path) -> None:
    store = store_of(tmp_path / "named")
    rows = listed(JudgeAgain(dataset="d", judge=("people",), purpose="repeat", n=8).run(store))
    assert all(row["annotator"] == f"ann {int(row['prompt_id'][1:]) % 4}" for row in rows)
    with pytest.raises(EmptySelectionError, match="name no annotators, so nobody knows whom to ask again"):
        JudgeAgain(dataset="d", judge=("people",)).run(store_of(tmp_path / "unnamed", named=False))


def test_without_texts_the_list_says_what_to_show(tmp_path: Path) -> None:
    store = store_of(tmp_path, texts=False)
    result = JudgeAgain(dataset="d", judge=("bot",), purpose="authority", n=5).run(store)
    assert "response_a" not in result.table("work_list")
    assert all("behind response" in row["instruction"] for row in listed(result))
    assert any("5 rows without a text" in w for w in result.warnings)
    padding = JudgeAgain(dataset="d", judge=("bot",), purpose="padding", n=5).run(store)
    assert all(row["instruction"].startswith("Write response") for row in listed(padding))
    rows = fill(store, JudgeAgain(dataset="d", judge=("bot",)).run(store), tmp_path, lambda k, row: "a")
    assert len(rows) == 60
    assert biases(store)["first_position"]["n"] == 60


def test_the_list_is_random_by_its_seed_only_and_a_longer_one_begins_with_the_shorter(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    short, same, other = (JudgeAgain(dataset="d", judge=("bot",), n=10, seed=s).run(store).table("work_list") for s in (0, 0, 1))
    assert short.equals(same)
    assert not short.equals(other)
    long = JudgeAgain(dataset="d", judge=("bot",), n=30).run(store).table("work_list")
    assert long["prompt_id"].tolist()[:10] == short["prompt_id"].tolist()
    # Scenarios as in all: 12, 12 and 36 of 60.
    assert long["scenario"].value_counts().to_dict() == {"s2": 18, "s0": 6, "s1": 6}


def test_what_cannot_be_asked_is_said(tmp_path: Path) -> None:
    store = store_of(tmp_path)
    for options, said in (
        ({"judge": ()}, "a list is for one judge"), ({"n": 0}, "between 1 and"), ({"excess": 0.7}, "from .01 to .5"),
        ({"purpose": "names", "blind": True}, "the models' names are what is shown"), ({"level": 1.0}, "a coverage"),
        ({"purpose": "hypnosis"}, "one of order, repeat"),
    ):  # fmt: skip
        with pytest.raises(OptionError, match=said):
            JudgeAgain(**({"dataset": "d", "judge": ("bot",)} | options)).run(store)


def test_from_the_command_line_it_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    store = store_of(tmp_path)

    def call(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["cli.py", "--db", str(store.path), "judge-again", "--judge", "bot", *words])
        with pytest.raises(SystemExit) as ended:
            cli.run()
        assert ended.value.code == 0
        return capsys.readouterr().out

    rows = list(csv.DictReader(io.StringIO(call("--purpose", "bandwagon"))))
    assert len(rows) == 60
    assert all("90 %" in row["instruction"] and row["winner"] == "" for row in rows)
    plan = json.loads(call("-o", "json"))["plan"]
    assert [(row["excess"], row["pairs"], row["enough"]) for row in plan] == [
        (0.05, 408, False), (0.1, 103, False), (0.15, 46, True), (0.2, 25, True),
    ]  # fmt: skip


def test_every_purpose_has_its_words(tmp_path: Path) -> None:
    store = store_of(tmp_path, order="both")
    for purpose in PURPOSES:
        if purpose in ("order",):
            continue
        result = JudgeAgain(dataset="d", judge=("bot",), purpose=purpose, n=4).run(store)
        assert len(result.table("work_list")) >= 4
        assert "4 pairs of 60" in result.caption
        assert bool(inserted(purpose)) is (purpose != "repeat")
