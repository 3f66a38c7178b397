"""Imports end to end: every rule on rows, each on a file of its own, read back from the store."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from data import datasets, imports, queries
from data.fields import parse_assignments
from data.imports import ImportOptions, ImportReport, import_path, write_rejects
from data.store import Store
from errors import FileError, JurylensError, MappingError, NothingAcceptedError, OptionError, UnknownNameError

HEADER = "prompt,model_a,model_b,response_a,response_b,judge,winner\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "s.duckdb")


def write(tmp_path: Path, text: str, name: str = "judgments.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def load(store: Store, text: str, name: str = "judgments.csv", dataset: str = "d", **options: object) -> ImportReport:
    keys = {k: options.pop(k) for k in ("strict", "dry_run", "rejects", "inspect") if k in options}
    return import_path(store, write(store.path.parent, text, name), dataset, ImportOptions(**options), **keys)  # type: ignore[arg-type]


def rows(store: Store, columns: str = "*", dataset: str = "d") -> list[tuple[object, ...]]:
    with store.reading() as con:
        d = queries.catalog(con, dataset).dataset_id
        return con.execute(f"SELECT {columns} FROM judgment WHERE dataset_id = {d} ORDER BY judgment_id").fetchall()


def print_of(store: Store, dataset: str = "d") -> str:
    with store.reading() as con:
        names = queries.catalog(con, dataset)
        return queries.fingerprint(con, names, list(names.judges))


def only(report: ImportReport) -> tuple[object, object, object, str]:
    """(line, column, value, reason) of the one rejection."""
    assert len(report.rejections) == 1
    row = report.rejections.iloc[0]
    return row["line"], row["column"], row["value"], row["reason"]


GOOD = HEADER + "p1,m1,m2,x,y,gpt,a\n" + "p1,m1,m3,x,z,gpt,tie\n"


# -- one row a judgment ---------------------------------------------------------------------------------------------


def test_plain_rows_go_in_and_the_report_counts_them(store: Store) -> None:
    report = load(store, GOOD)
    assert (report.read, report.accepted, report.rejected, report.duplicates) == (2, 2, 0, 0)
    assert (report.pairs, report.models, report.prompts, report.scenarios) == (2, 3, 1, 0)
    assert report.judges == [{"judge": "gpt", "kind": "llm", "judgments": 2}]
    assert rows(store, "outcome, p_a, shown, weight, repeat") == [(1, 1.0, 0, 1.0, 1), (3, 0.5, 0, 1.0, 1)]


WORDS = {
    "a": 1, "A": 1, "1": 1, "1.0": 1, "left": 1, "model_a": 1, "m1": 1, "response_a": 1,
    "b": 2, "B": 2, "2": 2, "right": 2, "model_b": 2, "m2": 2, "tie": 3, "Draw": 3,
    "both_bad": 4, "tie (bothbad)": 4, "refused": 0, "invalid": 0, "none": 0,
}  # fmt: skip


def test_winner_words(store: Store) -> None:
    load(store, HEADER + "".join(f"p{k},m1,m2,x,y,gpt,{word}\n" for k, word in enumerate(WORDS)))
    assert rows(store, "outcome") == [(outcome,) for outcome in WORDS.values()]


@pytest.mark.parametrize("word", ["1", "1.0", "2", "none"])
def test_a_winner_word_that_stands_alone(store: Store, word: str) -> None:
    load(store, HEADER + f"p1,m1,m2,x,y,gpt,{word}\n")
    assert rows(store, "outcome") == [(WORDS[word],)]


def test_bad_rows_are_named_by_line_column_value_and_reason_and_the_good_ones_go_in(store: Store) -> None:
    bad = [
        ("p1,m1,m2,x,y,gpt,banana", "winner", "banana", "is not one of a, b, tie"),
        ("p1,m1,m2,x,y,gpt,", "winner", None, "is empty"),
        ("p1,m1,m2,x,y,,a", "judge", None, "is empty"),
        (",m1,m2,x,y,gpt,a", "prompt", None, "is empty"),
        ("p1,m1,m1,x,x,gpt,a", "response_b", None, "two equal responses are no pair"),
        ("p1,b,m2,x,y,gpt,b", "winner", "b", "can be read as either side"),
    ]
    report = load(store, GOOD + "".join(row + "\n" for row, *_ in bad) + "p2,m1,m2,x,y,gpt,b\n")
    assert (report.read, report.accepted, report.rejected) == (9, 3, 6)
    assert_rejected(report, [wanted for _, *wanted in bad], first=4)
    assert sum(report.reasons.values()) == 6
    assert rows(store, "outcome") == [(1,), (3,), (2,)]


def test_one_bad_row_is_counted_as_one(store: Store) -> None:
    report = load(store, GOOD + "p1,m1,m2,x,y,gpt,banana\n" + "p2,m1,m2,x,y,gpt,b\n")
    assert (report.read, report.accepted, report.rejected) == (4, 3, 1)
    assert only(report)[:3] == (4, "winner", "banana")


def assert_rejected(report: ImportReport, wanted: list[list[str | None]], first: int) -> None:
    """One rejection a line from `first` on, each with its column, value and a reason that holds these words."""
    found = report.rejections[["line", "column", "value", "reason"]].to_numpy().tolist()
    assert len(found) == len(wanted)
    for k, ((line, column, value, reason), (of, given, why)) in enumerate(zip(found, wanted, strict=True)):
        assert (line, column, None if pd.isna(value) else value) == (first + k, of, given)
        assert why in reason


@pytest.mark.parametrize(
    ("columns", "bad"),
    [
        (
            "winner,p_a,swapped,weight,repeat,confidence,seconds,judged_at,judge_kind,cue",
            [
                ("a,0.3,,,,,,,,", "winner", "a", "contradicts p_a"),
                ("tie,0.6,,,,,,,,", "winner", "tie", "contradicts p_a"),
                ("refused,0.6,,,,,,,,", "winner", "refused", "contradicts p_a"),
                ("a,,perhaps,,,,,,,", "swapped", "perhaps", "is not true or false"),
                ("a,,,0,,,,,,", "weight", "0", "is not a number above 0"),
                ("a,,,,1.5,,,,,", "repeat", "1.5", "is not a whole number"),
                ("a,,,,,sure,,,,", "confidence", "sure", "is not a number"),
                ("a,,,,,,-3,,,", "seconds", "-3", "is not a number of seconds"),
                ("a,,,,,,,yesterday,,", "judged_at", "yesterday", "is no date"),
                ("a,,,,,,,,robot,", "judge_kind", "robot", "is not one of human, llm"),
                ("a,,,,,,,,,c", "cue", "c", "is not a or b"),
            ],
        ),
        (
            "p_a",
            [
                ("1.5", "p_a", "1.5", "is outside [0, 1]"),
                ("-0.1", "p_a", "-0.1", "is outside [0, 1]"),
                ("nan", "p_a", "nan", "is not a number"),
                ("much", "p_a", "much", "is not a number"),
            ],
        ),
        (
            "score_a,score_b",
            [("1,", "score_a", None, "is empty"), ("1,good", "score_b", "good", "is not a number")],
        ),
        ("count_a,count_b", [("3,-1", "count_b", "-1", "is not a whole number of votes")]),
    ],
)
def test_every_bad_value_has_its_rule(store: Store, columns: str, bad: list[tuple[str, str, str | None, str]]) -> None:
    header = f"prompt,model_a,model_b,judge,{columns}\n"
    good = {"winner": "a", "p_a": "0.9", "swapped": "true", "score_a": "2", "score_b": "1", "count_a": "1", "count_b": "0"}
    fine = ",".join(good.get(c, "") for c in columns.split(","))
    rest = "".join(f"p{k},m1,m2,gpt{k},{row}\n" for k, (row, *_) in enumerate(bad, 1))
    report = load(store, header + f"p0,m1,m2,gpt,{fine}\n" + rest)
    assert (report.accepted, report.rejected) == (1, len(bad))
    assert_rejected(report, [wanted for _, *wanted in bad], first=3)


def test_p_a_decides_the_outcome_and_is_kept_exactly(store: Store) -> None:
    load(store, "prompt,model_a,model_b,judge,p_a\np1,m1,m2,g,0.7000001\np2,m1,m2,g,0.5\np3,m1,m2,g,0\n")
    assert rows(store, "outcome, p_a") == [(1, 0.7000001), (3, 0.5), (2, 0.0)]


def test_scores_the_higher_wins_and_logit_makes_them_a_preference(store: Store, tmp_path: Path) -> None:
    text = "prompt,model_a,model_b,judge,score_a,score_b\np1,m1,m2,rm,2,1\np2,m1,m2,rm,1,1\np3,m1,m2,rm,-1,4\n"
    load(store, text, sets=(("judge_kind", "reward_model"),))
    assert rows(store, "outcome, p_a, score_a") == [(1, 1.0, 2.0), (3, 0.5, 1.0), (2, 0.0, -1.0)]
    load(store, text, dataset="soft", sets=(("judge_kind", "reward_model"), ("scores", "logit")))
    assert rows(store, "p_a", "soft")[0][0] == pytest.approx(0.7310585786, abs=1e-9)


# -- orientation, pairs, identity -----------------------------------------------------------------------------------


def test_a_later_row_with_sides_exchanged_is_turned(store: Store) -> None:
    header = "prompt,model_a,model_b,response_a,response_b,judge,winner,swapped,len_a,len_b,score_a,score_b,cue\n"
    load(store, header + "p,m1,m2,x,y,g,a,false,1,2,5,3,a\np,m2,m1,y,x,h,a,false,2,1,3,5,a\n")
    assert rows(store, "outcome, p_a, shown, score_a, score_b, cue, pair_id") == [
        (1, 1.0, 1, 5.0, 3.0, 1, 1),
        (2, 0.0, -1, 5.0, 3.0, -1, 1),
    ]
    with store.reading() as con:
        values = con.execute(
            "SELECT m.name, v.value FROM response_value v JOIN response r USING (response_id) JOIN model m USING "
            "(model_id) ORDER BY 1"
        ).fetchall()
    assert values == [("m1", 1.0), ("m2", 2.0)]


def test_equal_texts_of_two_models_stay_a_pair_and_two_texts_of_one_model_are_not_ranked(store: Store) -> None:
    report = load(store, HEADER + "p,m1,m2,same,same,g,tie\np,m1,m1,one,two,g,a\n")
    assert report.accepted == 2
    assert rows(store, "rankable") == [(True,), (False,)]


def test_without_models_equal_texts_are_no_pair(store: Store) -> None:
    report = load(store, "prompt,response_a,response_b,judge,winner\np,x,y,g,a\np,x,x,g,tie\n")
    assert (report.accepted, report.rejected, report.models) == (1, 1, 0)


def test_one_pair_id_cannot_stand_for_two_pairs(store: Store) -> None:
    report = load(store, "pair_id," + HEADER + "7,p,m1,m2,x,y,g,a\n7,p,m1,m2,x,other,g,a\n7,p,m2,m1,y,x,h,b\n")
    assert (report.accepted, report.rejected, report.pairs) == (2, 1, 1)
    assert only(report)[:3] == (3, "pair_id", "7")
    assert "other texts" in only(report)[3]
    later = load(store, "pair_id," + HEADER + "7,p,m1,m3,x,z,g,a\n8,p,m1,m3,x,z,g,a\n", "later.csv")
    assert (later.accepted, later.rejected) == (1, 1)


def test_one_prompt_id_cannot_stand_for_two_texts(store: Store) -> None:
    report = load(store, "prompt_id," + HEADER + "1,p,m1,m2,x,y,g,a\n1,q,m1,m2,x,y,g,a\n2,p,m1,m2,x,y,g,a\n")
    assert (report.accepted, report.rejected, report.prompts) == (2, 1, 2)
    assert only(report)[1:3] == ("prompt_id", "1")


def test_verdicts_join_by_pair_id_or_by_prompt_and_models(store: Store) -> None:
    load(store, "pair_id," + HEADER + "7,p,m1,m2,x,y,people,a\n8,q,m1,m2,x,y,people,a\n")
    by_id = load(store, "pair_id,judge,winner\n7,g,b\n8,g,m1\n9,g,a\n", "verdicts.csv")
    assert (by_id.accepted, by_id.rejected, by_id.pairs) == (2, 1, 2)
    assert only(by_id) == (4, "pair_id", "9", "names no pair of this dataset")
    by_models = load(store, "prompt,model_a,model_b,judge,winner\np,m2,m1,h,a\n", "models.csv")
    assert (by_models.accepted, by_models.pairs) == (1, 2)
    assert rows(store, "pair_id, outcome") == [(1, 1), (2, 1), (1, 2), (2, 1), (1, 2)]


def test_a_winner_named_by_model_on_a_row_that_names_only_the_pair_must_be_one_of_its_models(store: Store) -> None:
    load(store, "pair_id," + HEADER + "7,p,m1,m2,x,y,people,a\n")
    report = load(store, "pair_id,judge,winner\n7,g,m9\n7,h,m2\n", "verdicts.csv")
    assert (report.accepted, report.rejected) == (1, 1)
    assert only(report)[1:3] == ("winner", "m9")


def test_models_alone_make_a_pair_without_texts_and_texts_that_come_later_fill_it(store: Store) -> None:
    load(store, "prompt,model_a,model_b,judge,winner\np,m1,m2,g,a\n")
    report = load(store, HEADER + "p,m2,m1,y,x,people,a\n", "texts.csv")
    assert (report.accepted, report.pairs) == (1, 1)
    assert rows(store, "pair_id, outcome") == [(1, 1), (1, 2)]


def test_several_pairs_of_the_same_models_need_a_pair_id(store: Store) -> None:
    load(store, HEADER + "p,m1,m2,x,y,people,a\np,m1,m2,x,other,people,a\n")
    with pytest.raises(NothingAcceptedError, match="2 pairs under this prompt"):
        load(store, "prompt,model_a,model_b,judge,winner\np,m1,m2,g,a\n", "verdicts.csv")


# -- duplicates, repeats, contradictions ----------------------------------------------------------------------------

VOTES = "prompt,model_a,model_b,judge,annotator,winner\n"


def test_the_same_file_adds_nothing(store: Store) -> None:
    load(store, GOOD)
    before = print_of(store)
    again = load(store, GOOD)
    assert (again.read, again.accepted, again.duplicates) == (2, 0, 2)
    assert print_of(store) == before
    assert len(rows(store)) == 2


def test_a_named_annotators_second_vote_is_a_duplicate_or_a_contradiction(store: Store) -> None:
    report = load(store, VOTES + "p,m1,m2,people,ann,a\np,m1,m2,people,ann,a\np,m2,m1,people,ann,a\np,m1,m2,people,bob,b\n")
    assert (report.accepted, report.duplicates, report.rejected) == (2, 1, 1)
    assert only(report)[:2] == (4, "winner")
    later = load(store, VOTES + "p,m1,m2,people,ann,a\np,m1,m2,people,ann,b\np,m1,m2,people,cat,b\n", "later.csv")
    assert (later.accepted, later.duplicates, later.rejected) == (1, 1, 1)


def test_votes_of_unnamed_people_are_all_kept(store: Store) -> None:
    report = load(store, "prompt,model_a,model_b,judge,winner\n" + "p,m1,m2,people,a\n" * 3)
    assert (report.accepted, report.duplicates) == (3, 0)
    assert rows(store, "repeat") == [(1,), (1,), (1,)]


def test_an_llm_judge_asked_again_is_its_next_repeat(store: Store) -> None:
    text = "prompt,model_a,model_b,judge,winner\n" + "p,m1,m2,g,a\np,m1,m2,g,b\n"
    report = load(store, text)
    assert rows(store, "repeat") == [(1,), (2,)]
    assert any("taken for repeats" in line for line in report.inferred)
    load(store, text + "p,m1,m2,g,a\n", "later.csv")
    assert rows(store, "repeat") == [(1,), (2,), (3,), (4,), (5,)]


def test_given_repeats_are_kept_and_contradictory_ones_rejected(store: Store) -> None:
    header = "prompt,model_a,model_b,judge,winner,repeat\n"
    report = load(store, header + "p,m1,m2,g,a,1\np,m1,m2,g,b,2\np,m1,m2,g,a,2\np,m1,m2,g,b,2\n")
    assert (report.accepted, report.rejected, report.duplicates) == (2, 1, 1)
    assert only(report)[:2] == (4, "winner")


def test_both_shown_orders_of_one_pair_are_two_judgments(store: Store) -> None:
    header = "prompt,model_a,model_b,judge,winner,swapped\n"
    report = load(store, header + "p,m1,m2,g,a,true\np,m1,m2,g,b,false\n")
    assert report.accepted == 2
    assert rows(store, "shown, repeat") == [(-1, 1), (1, 1)]


def test_a_judgment_id_stands_for_one_judgment(store: Store) -> None:
    header = "judgment_id,prompt,model_a,model_b,judge,winner\n"
    load(store, header + "j1,p,m1,m2,people,a\nj2,p,m1,m2,people,a\n")
    later = load(store, header + "j1,p,m1,m2,people,a\nj2,p,m1,m2,people,b\nj3,p,m1,m2,people,a\n", "later.csv")
    assert (later.accepted, later.duplicates, later.rejected) == (1, 1, 1)


def test_a_judge_keeps_its_kind(store: Store) -> None:
    report = load(store, "prompt,model_a,model_b,judge,judge_kind,winner\np,m1,m2,x,human,a\nq,m1,m2,x,llm,a\n")
    assert (report.accepted, report.rejected) == (1, 1)
    assert only(report)[1:3] == ("judge_kind", "llm")


def test_kinds_that_are_not_given(store: Store) -> None:
    kinds = {
        "human": "human", "Crowd": "human", "expert": "human", "annotator_2": "human", "gold": "rule", "gpt-4": "llm",
        "humanlike-7b": "llm",
    }  # fmt: skip
    report = load(store, "prompt,model_a,model_b,judge,winner\n" + "".join(f"p,m1,m2,{judge},a\n" for judge in kinds))
    assert {row["judge"]: row["kind"] for row in report.judges} == kinds
    for judge, kind in kinds.items():
        assert any(judge in line and kind in line for line in report.inferred)


def test_the_kind_of_a_single_judge_can_be_said(store: Store) -> None:
    """Also of names with an equals sign, as --set gives them; a column judge_kind goes before."""
    text = "prompt,model_a,model_b,judge,judge_kind,winner\np,m1,m2,ann,,a\np,m1,m2,a=b,,a\np,m1,m2,gpt,,b\np,m1,m2,rm,rule,b\n"
    sets = parse_assignments(["judge_kind.ann=human", "judge_kind.a=b=human", "judge_kind.rm=llm"], "set")
    report = load(store, text, sets=tuple(sets))
    assert {j["judge"]: j["kind"] for j in report.judges} == {"ann": "human", "a=b": "human", "gpt": "llm", "rm": "rule"}
    assert [line for line in report.inferred if "is taken for" in line] == ["judge 'gpt' is taken for an llm judge"]
    with pytest.raises(MappingError, match=r"judge_kind\.ann=person: one of human"):
        load(store, text, sets=(("judge_kind.ann", "person"),))


# -- other shapes ---------------------------------------------------------------------------------------------------


def test_one_column_a_judge(store: Store) -> None:
    text = "pair_id,prompt,response_a,response_b,gpt-4,Anna\n1,p,x,y,a,b\n2,q,x,y,,tie\n3,r,x,y,maybe,a\n"
    report = load(store, text, judge_columns=(("gpt-4", None), ("Anna", "human")))
    assert (report.read, report.accepted, report.rejected) == (5, 4, 1)
    assert only(report)[:3] == (4, "gpt-4", "maybe")
    assert {j["judge"]: j["kind"] for j in report.judges} == {"gpt-4": "llm", "Anna": "human"}
    assert "1 empty cells of judge columns are no judgment" in report.inferred


def test_columns_of_people_are_annotators_of_one_judge_where_it_is_said_so(store: Store) -> None:
    text = "pair_id,prompt,response_a,response_b,gpt-4,r 1,r 2\n1,p,x,y,a,b,b\n2,q,x,y,,tie,a\n3,r,x,y,b,,maybe\n"
    columns = (("gpt-4", "llm"), ("r 1", "human"), ("r 2", "human"))
    report = load(store, text, judge_columns=columns, sets=(("judge", "people"),))
    assert (report.read, report.accepted, report.rejected) == (7, 6, 1)
    assert only(report)[:3] == (4, "r 2", "maybe")
    assert {j["judge"]: (j["kind"], j["judgments"]) for j in report.judges} == {"gpt-4": ("llm", 2), "people": ("human", 4)}
    assert "annotators of one judge, 'people': 'r 1', 'r 2'" in report.inferred
    with store.reading() as con:
        found = con.execute(
            "SELECT g.name, a.name, count(*) FROM judgment j JOIN judge g USING (judge_id) "
            "LEFT JOIN annotator a USING (annotator_id) GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    assert found == [("gpt-4", None, 2), ("people", "r 1", 2), ("people", "r 2", 2)]
    # The same file again brings nothing.
    again = load(store, text, judge_columns=columns, sets=(("judge", "people"),))
    assert again.accepted == 0


def test_one_judge_of_people_needs_people_who_are_named_once(store: Store) -> None:
    text = "pair_id,prompt,response_a,response_b,gpt-4,r 1,annotator\n1,p,x,y,a,b,Ann\n"
    with pytest.raises(MappingError, match="--judge-column COLUMN=human"):
        load(store, text, judge_columns=(("gpt-4", "llm"),), sets=(("judge", "people"),))
    with pytest.raises(MappingError, match="makes the columns 'r 1' annotators, and 'annotator' names annotators too"):
        load(store, text, judge_columns=(("gpt-4", "llm"), ("r 1", "human")), sets=(("judge", "people"),))


def test_vote_counts_are_that_many_judgments(store: Store) -> None:
    text = "prompt,model_a,model_b,judge,count_a,count_b,count_tie\np,m1,m2,people,3,1,2\nq,m1,m2,people,0,0,0\n"
    report = load(store, text)
    assert (report.read, report.accepted) == (6, 6)
    assert sorted(r[0] for r in rows(store, "outcome")) == [1, 1, 1, 2, 3, 3]
    assert "1 rows without any vote are no judgment" in report.inferred


def test_chosen_and_rejected(store: Store) -> None:
    report = load(store, "prompt,chosen,rejected,judge\np,good,bad,people\n")
    assert report.accepted == 1
    assert rows(store, "outcome, shown") == [(1, 0)]
    assert any("always wins" in line for line in report.inferred)


def test_factors_are_kept_with_the_response_where_rows_agree_and_with_the_judgment_where_not(store: Store) -> None:
    header = "prompt,model_a,model_b,response_a,response_b,judge,winner,words_a,words_b,clear_a,clear_b\n"
    load(store, header + "p,m1,m2,x,y,g,a,3,4,yes,no\np,m1,m2,x,y,h,a,3,4,no,no\n")
    with store.reading() as con:
        by_response = con.execute(
            "SELECT f.name, v.value FROM response_value v JOIN factor f USING (factor_id) ORDER BY v.value"
        ).fetchall()
        by_judgment = con.execute(
            "SELECT f.name, v.value_a, v.value_b FROM judgment_value v JOIN factor f USING (factor_id) ORDER BY judgment_id"
        ).fetchall()
    assert by_response == [("words", 3.0), ("words", 4.0)]
    assert by_judgment == [("clear", 1, 0), ("clear", 0, 0)]


def test_attributes(store: Store) -> None:
    text = "prompt,model_a,model_b,judge,annotator,winner,age,size_a,size_b\n"
    text += "p,m1,m2,people,ann,a,30,7,70\nq,m2,m1,people,ann,a,31,70,7\n"
    report = load(store, text, attributes=(("annotator.age", "age"), ("model.size", "size")))
    with store.reading() as con:
        found = con.execute("SELECT entity, name, value FROM attribute ORDER BY ALL").fetchall()
    assert found == [("annotator", "age", "30"), ("model", "size", "7"), ("model", "size", "70")]
    assert "1 annotators have more than one value of age; the first was kept" in report.inferred


def test_scenarios_belong_to_prompts_and_the_first_claim_holds(store: Store) -> None:
    header = "prompt,scenario,model_a,model_b,judge,winner\n"
    report = load(store, header + "p,s1,m1,m2,g,a\np,s2,m1,m3,g,a\nq,,m1,m2,g,a\n")
    assert report.scenarios == 1
    assert any("more than one scenario" in line for line in report.inferred)
    load(store, header + "q,s3,m1,m3,g,b\n", "later.csv")
    with store.reading() as con:
        found = con.execute(
            "SELECT s.name FROM judgment j LEFT JOIN scenario s USING (scenario_id) ORDER BY judgment_id"
        ).fetchall()
    assert found == [("s1",), ("s1",), ("s3",), ("s3",)]


# -- 0 and 1, mapping -----------------------------------------------------------------------------------------------


def test_zero_and_one_are_never_guessed(store: Store) -> None:
    text = HEADER + "p,m1,m2,x,y,g,0\nq,m1,m2,x,y,g,1\n"
    with pytest.raises(MappingError, match=r"--set winner\.0="):
        load(store, text)
    load(store, text, sets=(("winner.0", "a"), ("winner.1", "b")))
    assert rows(store, "outcome") == [(1,), (2,)]
    load(store, HEADER + "p,m1,m2,x,y,g,0\nq,m1,m2,x,y,g,1\nr,m1,m2,x,y,g,2\n", dataset="e", sets=(("winner.0", "tie"),))
    assert rows(store, "outcome", "e") == [(3,), (1,), (2,)]


def test_words_with_an_equals_sign_can_be_given_a_meaning(store: Store) -> None:
    text = HEADER + "p,m1,m2,x,y,g,A>B\nq,m1,m2,x,y,g,A=B\n"
    load(store, text, sets=tuple(parse_assignments(["winner.A>B=a", "winner.A=B=tie"], "set")))
    assert rows(store, "outcome") == [(1,), (3,)]


def test_foreign_columns_are_mapped_and_never_guessed(store: Store) -> None:
    text = "question,sys 1,sys 2,rater,label\np,m1,m2,g,a\n"
    with pytest.raises(MappingError) as error:
        load(store, text)
    for word in ("judgments.csv", "'question'", "'sys 1'", "--map prompt=question", "--map winner=label"):
        assert word in str(error.value)
    maps = (("prompt", "question"), ("model_a", "sys 1"), ("model_b", "sys 2"), ("judge", "rater"), ("winner", "label"))
    assert load(store, text, maps=maps).accepted == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"maps": (("prompt", "nowhere"),)}, "not there"),
        ({"maps": (("winner", "judge"), ("judge", "judge"))}, "mapped twice"),
        ({"maps": (("winner", "winner"), ("winner", "judge"))}, "two columns for winner"),
        ({"maps": (("winer", "winner"),)}, "Did you mean 'winner'"),
        ({"sets": (("color", "red"),)}, "is no field"),
        ({"sets": (("winner.x", "nobody"),)}, "one of none, a, b"),
        ({"judge_columns": (("judge", "robot"),)}, "the kind is one of"),
    ],
)
def test_mappings_that_cannot_be(store: Store, options: dict[str, object], words: str) -> None:
    with pytest.raises(JurylensError, match=words):
        load(store, GOOD, **options)
    assert not store.exists()


# -- all or nothing -------------------------------------------------------------------------------------------------


def test_a_dry_run_looks_at_the_dataset_as_it_would_be(store: Store) -> None:
    """Of a new dataset without the store, which nobody then waits for; of one that is there with what it holds."""
    seen: list[int] = []

    def inspect(con: duckdb.DuckDBPyConnection, dataset: str) -> list[dict[str, object]]:
        seen.append(queries.dataset_facts(con, queries.catalog(con, dataset).dataset_id).judgments)
        return [{"rule": "tried"}]

    load(store, GOOD)
    with store.reading("somebody reads meanwhile"):
        assert load(store, GOOD + "p2,m1,m2,,,gpt,a\n", dataset="new", dry_run=True, inspect=inspect).health == [{"rule": "tried"}]
    load(store, GOOD.replace("p1", "p7"), dry_run=True, inspect=inspect)
    assert seen == [3, 4]
    assert load(store, GOOD.replace("p1", "p8"), inspect=inspect).health is None
    assert seen == [3, 4], "an import is not looked at"


def test_what_was_read_once_can_be_tried_and_then_imported(store: Store) -> None:
    text = GOOD + "p1,m1,m2,x,y,gpt,banana\n"
    with imports.prepare(store, write(store.path.parent, text), "d") as ready:
        tried = ready.commit(dry_run=True)
        assert not store.exists()
        done = ready.commit(later=True)
        assert (tried.dry_run, done.dry_run) == (True, False)
        assert tried.rejections.equals(done.rejections)
        assert (tried.read, tried.accepted, tried.judges) == (done.read, done.accepted, done.judges)
        again = ready.commit(later=True)
        assert (again.accepted, again.duplicates) == (0, 3), "it is known by now"
    assert len(rows(store)) == 2
    whole = Store(store.path.parent / "whole.duckdb")
    load(whole, text)
    assert print_of(whole) == print_of(store)


def test_a_file_that_somebody_else_imports_meanwhile_adds_nothing(store: Store) -> None:
    path = write(store.path.parent, GOOD)
    with imports.prepare(store, path, "d") as ready:
        assert ready.commit(dry_run=True).accepted == 2
        import_path(store, path, "d")
        assert ready.commit(later=True).duplicates == 2
    with imports.prepare(store, path, "d") as ready:
        datasets.delete(store, "d")
        with pytest.raises(JurylensError, match="import it again"):
            ready.commit(later=True)


def test_strict_and_dry_run_and_nothing_accepted_leave_the_store_as_it_was(store: Store) -> None:
    bad = GOOD + "p1,m1,m2,x,y,gpt,banana\n"
    dry = load(store, bad, dry_run=True)
    assert (dry.accepted, dry.rejected, dry.dry_run) == (2, 1, True)
    assert not store.exists()
    with pytest.raises(NothingAcceptedError, match="line 4: winner 'banana'"):
        load(store, bad, strict=True)
    assert not store.exists()
    with pytest.raises(NothingAcceptedError, match="none of the 1 judgments"):
        load(store, HEADER + "p1,m1,m2,x,y,gpt,banana\n")
    load(store, GOOD)
    before = print_of(store)
    load(store, GOOD.replace("p1", "p7"), dry_run=True)
    assert print_of(store) == before


def test_rejects_file_neutralises_formulas(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "rejects.csv"
    load(store, GOOD + 'p1,m1,m2,x,y,gpt,"=HYPERLINK(1)"\n', rejects=target)
    table = pd.read_csv(target)
    assert list(table.columns) == ["file", "line", "column", "value", "reason"]
    assert table.loc[0, "value"] == "'=HYPERLINK(1)"


def test_missing_file_and_folder(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no file"):
        import_path(store, tmp_path / "nowhere.csv", "d")
    with pytest.raises(FileError, match="--as"):
        import_path(store, tmp_path, "d")
    with pytest.raises(OptionError, match="did you mean 'llmfao'"):
        import_path(store, write(tmp_path, GOOD), "d", ImportOptions(format="llmfoa"))


def test_long_names_and_formula_cells_are_stored_as_they_are(store: Store) -> None:
    name = "m" * 10_000
    load(store, HEADER + f'p,{name},=1+1,"=cmd()","{"w" * 1_000_000}",g,a\n')
    with store.reading() as con:
        assert con.execute("SELECT name FROM model ORDER BY model_id").fetchall() == [(name,), ("=1+1",)]
        assert con.execute("SELECT max(length(body)) FROM text").fetchall() == [(1_000_000,)]


# -- fingerprint, undo, delete --------------------------------------------------------------------------------------


def test_equal_data_gives_the_equal_fingerprint_whatever_the_order_or_shape(store: Store, tmp_path: Path) -> None:
    load(store, GOOD)
    other = Store(tmp_path / "other.duckdb")
    turned = HEADER + "p1,m3,m1,z,x,gpt,tie\n" + "p1,m2,m1,y,x,gpt,b\n"
    load(other, turned, "turned.csv", dataset="other name")
    assert print_of(other, "other name") == print_of(store)
    third = Store(tmp_path / "third.duckdb")
    load(third, GOOD.replace("tie", "a"), "third.csv")
    assert print_of(third) != print_of(store)


def test_undo_gives_back_what_was(store: Store) -> None:
    header = "prompt,scenario,model_a,model_b,judge,annotator,winner\n"
    load(store, header + "p,,m1,m2,people,ann,a\nq,,m1,m3,people,bob,b\n")
    before, rows_before = print_of(store), rows(store)
    load(store, header + "p,s1,m1,m2,people,ann,a\np,s1,m1,m2,people,cat,b\nz,s1,m4,m5,people,cat,b\n", "later.csv")
    assert print_of(store) != before
    done = datasets.undo(store, "d")
    assert (done.number, done.removed, done.kept) == (2, 2, 0)
    assert print_of(store) == before
    assert rows(store) == rows_before
    with store.reading() as con:
        assert queries.dataset_facts(con, 1).models == 3


def test_withdrawing_the_earlier_of_two_overlapping_imports_leaves_the_later_whole(store: Store, tmp_path: Path) -> None:
    first = VOTES + "p,m1,m2,people,ann,a\nq,m1,m2,people,ann,b\n"
    second = VOTES + "q,m1,m2,people,ann,b\nr,m1,m2,people,ann,b\n"
    load(store, first, "first.csv")
    load(store, second, "second.csv")
    done = datasets.undo(store, "d", 1)
    assert (done.removed, done.kept) == (1, 1)
    alone = Store(tmp_path / "alone.duckdb")
    load(alone, second, "second.csv")
    assert print_of(store) == print_of(alone)
    assert len(rows(store)) == 2
    again = load(store, first, "first.csv")
    assert (again.accepted, again.duplicates) == (1, 1)


def test_undoing_the_only_import_removes_the_dataset_and_unknown_ones_are_named(store: Store) -> None:
    load(store, GOOD)
    with pytest.raises(OptionError, match="no import 7; there are 1"):
        datasets.undo(store, "d", 7)
    datasets.undo(store, "d")
    with store.reading() as con:
        assert queries.dataset_names(con) == []
        assert con.execute("SELECT count(*) FROM text").fetchall() == [(0,)]


def test_delete_says_what_is_lost_and_rename_refuses_a_taken_name(store: Store) -> None:
    load(store, GOOD)
    load(store, GOOD.replace("p1", "p2"), dataset="e")
    with pytest.raises(OptionError, match="already is a dataset 'e'"):
        datasets.rename(store, "d", "e")
    datasets.rename(store, "d", "f")
    lost = datasets.would_delete(store, "f")
    assert (lost.judgments, lost.pairs, lost.imports) == (2, 2, 1)
    datasets.delete(store, "f")
    with pytest.raises(UnknownNameError):
        datasets.would_delete(store, "f")
    assert len(rows(store, dataset="e")) == 2


def test_the_report_is_json(store: Store) -> None:
    report = load(store, GOOD + "p1,m1,m2,x,y,gpt,banana\n")
    content = json.loads(json.dumps(report.as_json()))
    assert content["rejections"] == [
        {"line": 4, "column": "winner", "value": "banana", "reason": report.rejections["reason"][0]}
    ]
    assert imports.describe(report.rejections.to_dict("records")[0]).startswith("line 4: winner 'banana' is not one of")


def test_a_carriage_return_in_a_rejected_value_ends_no_row(store: Store, tmp_path: Path) -> None:
    text = 'prompt,model_a,model_b,judge,winner\np,x,y,people,a\np,x,y,people,"no\rverdict"\n'
    (tmp_path / "votes.csv").write_text(text, newline="")
    report = import_path(store, tmp_path / "votes.csv", "d")
    write_rejects(report, tmp_path / "rejects.csv")
    with (tmp_path / "rejects.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["value"] for row in rows] == ["no\rverdict"]
