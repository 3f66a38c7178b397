"""A work list goes out and comes back: the same responses and prompts, new pairs only where none had been made."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pytest
from kept import store_of

import cli
from data.imports import import_path
from data.store import Store
from errors import EmptySelectionError, NothingAcceptedError, OptionError
from exports.text import as_csv
from studies.next_pairs import NextPairs

HEADER = "prompt_id,prompt,scenario,model_a,model_b,response_a,response_b,judge,judge_kind,annotator,winner\n"
# Texts that a spreadsheet would take for formulas, with quotes, commas, line breaks and spaces at their ends.
START = ("- a list\n- of two", "=SUM(A1)", "+1", "@you", "'quoted', \"twice\"", " blank ends ", "plain", "'-guarded already")


def judgments(ids: bool = True) -> str:
    """12 prompts, three models: m1 and @m2 are judged together, @m2 and m3 too, m1 and m3 never; two judges."""
    out = io.StringIO()
    rows = csv.writer(out)
    for k in range(12):
        text = {m: f"{START[(k + shift) % len(START)]} ({m} on {k})" for shift, m in enumerate(("m1", "@m2", "m3"))}
        text |= {m: START[(k + shift) % len(START)] for shift, m in enumerate(("m1", "@m2", "m3")) if k < 4}
        for a, b in (("m1", "@m2"), ("@m2", "m3")):
            for judge, kind in (("people", "human"), ("=gpt", "llm")):
                if judge == "=gpt" and k % 3 == 0:
                    continue
                rows.writerow([f"id{k}" if ids else "", f"-prompt {k}", f"s{k % 2}", a, b, text[a], text[b], judge, kind,
                               f"ann{k % 3}" if judge == "people" else "", "ab"[(k + (a == "m1")) % 2]])  # fmt: skip
    return HEADER + out.getvalue()


def contents(store: Store) -> dict[str, list[tuple]]:
    """What the dataset holds besides judgments, by name and text."""
    with store.reading() as con:
        responses = con.execute(
            """SELECT p.external_id, pt.body, m.name, t.body FROM response r JOIN prompt p USING (prompt_id)
            JOIN text pt ON pt.text_id = p.text_id LEFT JOIN model m USING (model_id)
            LEFT JOIN text t ON t.text_id = r.text_id ORDER BY ALL"""
        ).fetchall()
        names = {t: con.execute(f"SELECT name FROM {t} ORDER BY 1").fetchall() for t in ("judge", "model", "scenario", "annotator")}
        texts = con.execute("SELECT count(*) FROM text").fetchall()
        pairs = con.execute("SELECT response_a, response_b FROM pair ORDER BY ALL").fetchall()
    return {"responses": responses, "texts": texts, "pairs": pairs} | names


def filled(result, folder: Path, winners, name: str = "filled.csv") -> Path:
    """The work list as exported, its column winner filled in and saved again."""
    rows = list(csv.DictReader(io.StringIO(as_csv(result.table("work_list")))))
    for k, row in enumerate(rows):
        row["winner"] = winners(k, row)
    path = folder / name
    with open(path, "w", newline="") as file:
        out = csv.DictWriter(file, list(rows[0]))
        out.writeheader()
        out.writerows(rows)
    return path


@pytest.mark.every(2, "blind", "ids", "judge")
@pytest.mark.parametrize("blind", [False, True])
@pytest.mark.parametrize("ids", [True, False])
@pytest.mark.parametrize("judge", ["people", "=gpt"])
def test_a_filled_list_comes_back_to_the_same_responses(tmp_path, judge, ids, blind):
    store = store_of(tmp_path, judgments(ids))
    before = contents(store)
    result = NextPairs(dataset="d", judge=(judge,), n=12, blind=blind).run(store)
    listed = result.table("work_list")
    assert len(listed) == 12
    assert ("model_a" in listed) is not blind
    path = filled(result, tmp_path, lambda k, row: "" if k % 7 == 6 else ["a", "b", "tie", "refused"][k % 4])
    report = import_path(store, path, "d")
    assert (report.read, report.accepted, report.rejected) == (12, 11, 1)
    assert report.reasons == {"winner is empty": 1}
    after = contents(store)
    # Nothing is new but pairs, and those are of responses that were there.
    assert {k: v for k, v in after.items() if k != "pairs"} == {k: v for k, v in before.items() if k != "pairs"}
    assert set(before["pairs"]) <= set(after["pairs"])
    with store.reading() as con:
        rows = con.execute(
            """SELECT m1.name, m2.name, t1.body, t2.body, j.outcome, j.shown, j.judgment_id FROM judgment j
            JOIN pair p USING (pair_id) JOIN response a ON a.response_id = p.response_a JOIN response b ON b.response_id = p.response_b
            JOIN model m1 ON m1.model_id = a.model_id JOIN model m2 ON m2.model_id = b.model_id
            JOIN text t1 ON t1.text_id = a.text_id JOIN text t2 ON t2.text_id = b.text_id
            WHERE j.import_id = 2 ORDER BY j.judgment_id"""
        ).fetchall()
    # Verdict and order speak of what the list called a, whichever way round the store keeps the pair.
    asked = listed[[k % 7 != 6 for k in range(12)]]
    meant = [[1, 2, 3, 0][k % 4] for k in range(12) if k % 7 != 6]
    for (_, _, t1, t2, outcome, shown, _), text_a, text_b, wanted in zip(
        rows, asked["response_a"], asked["response_b"], meant, strict=True
    ):
        assert {t1, t2} == {text_a, text_b}
        turned = t1 != text_a
        assert outcome == (3 - wanted if turned and wanted in (1, 2) else wanted)
        assert shown == (-1 if turned else 1)
    # The same file again adds nothing; asked again, the judge gets none of these pairs.
    assert import_path(store, path, "d").duplicates == 12
    again = NextPairs(dataset="d", judge=(judge,), n=12, blind=blind).run(store).table("work_list")
    assert not set(again["pair_id"]) & set(asked["pair_id"])


def test_none_was_judged_by_that_judge_and_m1_meets_m3(tmp_path):
    store = store_of(tmp_path, judgments())
    listed = NextPairs(dataset="d", judge=("people",), n=50).run(store).table("work_list")
    # Of m1 against m3 all 12 prompts; all else people have judged.
    assert len(listed) == 12
    assert {frozenset(p) for p in zip(listed["model_a"], listed["model_b"], strict=True)} == {frozenset(("m1", "m3"))}
    assert sorted(listed["prompt_id"]) == sorted(f"id{k}" for k in range(12))
    assert set(listed["model_a"]) == {"m1", "m3"}
    assert set(listed["swapped"]) == {"false"}
    assert set(listed["winner"]) == {""}
    gpt = NextPairs(dataset="d", judge=("=gpt",), n=50).run(store)
    unasked = gpt.table("next").set_index(["model_1", "model_2"])["available"]
    assert unasked.sort_values().tolist() == [4, 4, 12]


def test_the_list_is_random_by_its_seed_only(tmp_path):
    store = store_of(tmp_path, judgments())
    one, same, other = (NextPairs(dataset="d", n=10, seed=s).run(store).table("work_list") for s in (0, 0, 1))
    assert one.equals(same)
    assert not one.equals(other)


def test_a_list_in_another_store_finds_equal_responses_and_says_when_there_are_none(tmp_path):
    store = store_of(tmp_path, judgments())
    path = filled(NextPairs(dataset="d", judge=("people",), n=5, blind=True).run(store), tmp_path, lambda k, row: "a")
    (tmp_path / "x").mkdir()
    other = store_of(tmp_path / "x", judgments())
    assert import_path(other, path, "d").accepted == 5
    (tmp_path / "y").mkdir()
    strange = store_of(tmp_path / "y", judgments().replace("-prompt", "question").replace("id", "number"))
    with pytest.raises(NothingAcceptedError, match="names no pair of responses of this dataset"):
        import_path(strange, path, "d")


def test_a_spreadsheet_may_change_what_it_likes_but_the_id(tmp_path):
    store = store_of(tmp_path, judgments())
    before = contents(store)
    result = NextPairs(dataset="d", judge=("=gpt",), n=6).run(store)

    def spoil(k: int, row: dict[str, str]) -> str:
        row["prompt"], row["response_a"], row["model_b"] = "#NAME?", row["response_a"].strip().upper(), "other"
        return "b"

    assert import_path(store, filled(result, tmp_path, spoil), "d").accepted == 6
    assert contents(store)["responses"] == before["responses"]
    assert contents(store)["model"] == before["model"]


def test_verdicts_without_texts_have_a_list_without_texts(tmp_path):
    bare = "prompt_id,model_a,model_b,judge,winner\n" + "".join(
        f"q{k},{a},{b},gpt,{'ab'[k % 2]}\n" for k in range(6) for a, b in (("m1", "m2"), ("m2", "m3"))
    )
    store = store_of(tmp_path, bare)
    result = NextPairs(dataset="d", n=4).run(store)
    assert list(result.table("work_list")) == [
        "pair_id", "prompt_id", "model_a", "model_b", "swapped", "judge", "judge_kind", "winner",
    ]  # fmt: skip
    report = import_path(store, filled(result, tmp_path, lambda k, row: "a"), "d")
    assert (report.accepted, report.prompts, report.models, report.pairs) == (4, 6, 3, 12 + 4)
    blind = NextPairs(dataset="d", n=4, blind=True).run(store)
    assert blind.table("work_list").empty
    assert any("cannot be judged blind" in w for w in blind.warnings)


def test_a_criterion_of_its_own_stays_with_the_list(tmp_path):
    content = judgments().replace("winner\n", "winner,criterion\n", 1).replace("\r\n", ",tone\r\n")
    store = store_of(tmp_path, content)
    result = NextPairs(dataset="d", judge=("people",), n=3).run(store)
    assert set(result.table("work_list")["criterion"]) == {"tone"}
    assert import_path(store, filled(result, tmp_path, lambda k, row: "a"), "d").accepted == 3


# -- the plan as a study ---------------------------------------------------------------------------------------------


def test_the_plan_says_what_it_would_do(tmp_path):
    store = store_of(tmp_path, judgments())
    result = NextPairs(dataset="d", judge=("people",), n=6).run(store)
    table = result.table("next")
    assert table[["model_1", "model_2", "ask", "have", "available"]].to_numpy().tolist() == [["m1", "m3", 6, 0, 12]]
    assert 0 < result.values["mean_after"] < result.values["mean_before"]
    assert result.values["widest_after"] <= result.values["widest_before"]
    widths = result.table("widths")
    assert widths["half_width"].is_monotonic_decreasing
    assert (widths["half_width_after"] <= widths["half_width"] + 1e-12).all()
    assert result.table("judges")["planned"].tolist() == [6]


def test_models_without_a_strength_come_first(tmp_path):
    more = judgments() + "".join(
        f"id{k},-prompt {k},s{k % 2},m1,new,x,won {k},people,human,ann1,b\n" for k in range(4)
    ).replace("m1,new,x", "@m2,new,x")
    store = store_of(tmp_path, more)
    table = NextPairs(dataset="d", judge=("people",), n=6).run(store).table("next")
    first = table.iloc[:2]
    assert set(first["model_1"]) == {"new"}
    assert first["ask"].sum() == 3
    assert first["expected_shrink"].isna().all()
    assert set(first["why"]) == {"link: won all 4 of its judgments"}
    # A model that this judge was never asked about is asked about.
    gpt = NextPairs(dataset="d", judge=("=gpt",), n=6).run(store).table("next")
    assert gpt["why"].iloc[0] == "link: has no judgments here"


def test_where_nothing_is_left_the_plan_stands_without_a_list(tmp_path):
    rows = [f"p{k},{a},{b},gpt,{'ab'[k % 2]}\n" for k in range(4) for a, b in (("m1", "m2"), ("m2", "m3"), ("m1", "m3"))]
    result = NextPairs(n=3).run(store_of(tmp_path, "prompt,model_a,model_b,judge,winner\n" + "".join(rows)))
    assert result.table("next")["ask"].sum() == 3
    assert result.table("work_list").empty
    assert any("needs new prompts or responses" in w for w in result.warnings)


def test_one_judgment_one_model_and_impossible_numbers(tmp_path):
    store = store_of(tmp_path, "prompt,model_a,model_b,judge,winner\np,m1,m2,gpt,a\nq,m2,m3,gpt,a\n")
    result = NextPairs(n=5).run(store)
    assert set(result.table("next")["why"]) == {"no strength yet"}
    assert any("no strengths can be computed" in w for w in result.warnings)
    with pytest.raises(OptionError, match="between 1 and 10,000"):
        NextPairs(n=0).run(store)
    with pytest.raises(EmptySelectionError, match="fewer than two models"):
        NextPairs(model=("m1",)).run(store)


def test_by_scenario_and_as_csv_from_the_command_line(tmp_path, monkeypatch, capsys):
    store = store_of(tmp_path, judgments())

    def call(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["cli.py", "--db", str(store.path), *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.run()
        assert ended.value.code == 0
        return capsys.readouterr().out

    rows = list(csv.DictReader(io.StringIO(call("next-pairs", "--judge", "people", "--n", "3", "--table", "work_list", "-o", "csv"))))
    assert len(rows) == 3
    assert all(not row[c].startswith(("=", "-", "+", "@")) for row in rows for c in row)
    found = json.loads(call("next-pairs", "--judge", "people", "--n", "3", "--by", "scenario", "-o", "json"))
    assert {row["scenario"] for row in found["next"]} == {"s0", "s1"}
    assert {row["scenario"] for row in found["work_list"]} == {"s0", "s1"}


@pytest.mark.parametrize("judge", ["people", "=gpt"])
@pytest.mark.parametrize("blind", [False, True])
def test_from_the_command_line_and_back_without_a_mapping(tmp_path, monkeypatch, capsys, judge, blind):
    store = store_of(tmp_path, judgments())
    before = contents(store)

    def run(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["cli.py", "--db", str(store.path), *words])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.run()
        assert ended.value.code == 0
        return capsys.readouterr().out

    more = ["--blind"] if blind else []
    told = run("next-pairs", "--dataset", "d", "--judge", judge, "--n", "9", *more, "-o", "csv", "--table", "work_list")
    # The button of the page hands out the same file.
    listed = NextPairs(dataset="d", judge=(judge,), n=9, blind=blind).run(store).table("work_list")
    assert told == as_csv(listed)
    rows = list(csv.DictReader(io.StringIO(told)))
    assert not any(cell[:1] in ("=", "+", "-", "@") for row in rows for cell in row.values())
    for k, row in enumerate(rows):
        # A blank where a name could stand, and a verdict with blanks around it.
        row["winner"] = ["a", " b ", "tie", "", "  "][k % 5]
        if "annotator" in row:
            row["annotator"] = "  " if k % 2 else "new person"
    path = tmp_path / "filled.csv"
    with open(path, "w", newline="", encoding="utf-8-sig") as file:
        out = csv.DictWriter(file, list(rows[0]))
        out.writeheader()
        out.writerows(rows)
    report = json.loads(run("import", str(path), "--dataset", "d", "-o", "json"))
    n_filled = sum(bool(row["winner"].strip()) for row in rows)
    assert (report["read"], report["accepted"], report["rejected"]) == (9, n_filled, 9 - n_filled)
    assert report["reasons"] == {"winner is empty": 9 - n_filled}
    after = contents(store)
    assert after["responses"] == before["responses"]
    assert after["model"] == before["model"]
    assert after["judge"] == before["judge"]
    assert set(after["annotator"]) - set(before["annotator"]) == ({("new person",)} if judge == "people" else set())
