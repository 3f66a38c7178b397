"""What is a dropped file taken for, what is asked, and which words of the command line do the answers make?"""

from dataclasses import replace

import pytest
from workbooks import write_workbook

from data import file_shapes
from data.store import Store
from errors import FileError
from ui.mapping import (
    ABOUT,
    FACTOR,
    JUDGE,
    ONE_JUDGE,
    REJECTED,
    UNUSED,
    Choices,
    Look,
    first_means,
    guess_keys,
    judges_in,
    look,
    may_be_factors,
    must_be_said,
    numbered,
    remembered,
    remembered_means,
    words_in,
)

WIDE = "Question,Answer 1,Answer 2,anna,gpt-4,note\n" + "p,x y z,y y x,A>B,B>A,1\np,x x x,z z z,A=B,A>B,2\n" * 4


@pytest.fixture
def seen(tmp_path):
    def read(text: str, name: str = "own file.csv") -> Look:
        path = tmp_path / name
        path.write_text(text)
        return look(Store(tmp_path / "s.duckdb"), path)

    return read


def understood(look_: Look, **more) -> Choices:
    """The choices of somebody who leaves every box as it was."""
    assert look_.reading is not None
    return Choices("d", means=first_means(look_.reading), **more)


def test_another_sheet_of_a_workbook_is_looked_at_and_named_to_the_import(tmp_path):
    rows = [line.split(",") for line in WIDE.splitlines()]
    path = write_workbook(tmp_path / "own.xlsx", {"Read me": [["A study"], ["of 2024"]], "votes": rows})
    store = Store(tmp_path / "s.duckdb")
    first, second = look(store, path), look(store, path, "votes")
    assert (first.sheets, first.columns) == (("Read me", "votes"), ("A study",))
    assert (second.sheets[0], second.columns) == ("votes", tuple(rows[0]))
    chosen = understood(second, sheet="votes")
    assert "--set=sheet=votes" in chosen.arguments(path)
    assert "sheet" not in chosen.kept(), "the next file may call its sheets otherwise"


def test_one_column_a_judge_is_seen_with_its_words_and_how_often(seen):
    found = seen(WIDE)
    choices = understood(found)
    assert (choices.column("prompt"), choices.judge_columns) == ("Question", ["anna", "gpt-4"])
    assert found.first["anna"] == ("A>B", "A=B")
    pairs = judges_in(found, choices)
    assert pairs is not None
    assert [(judge.name, judge.kind, n) for judge, n in pairs] == [("anna", None, 8), ("gpt-4", "llm", 8)]
    assert [(w.written, w.word.outcome, w.rows) for w in words_in(found, choices)] == [
        ("A>B", "a", 8), ("A=B", "tie", 4), ("B>A", "b", 4),
    ]  # fmt: skip


def test_who_is_a_person_is_never_taken_for_granted(seen):
    found = seen(WIDE)
    choices = understood(found, kinds={"anna": "", "gpt-4": "llm"})
    assert choices.missing(found, "f.csv") == "Say whether “anna” is a person or a model."
    assert replace(choices, kinds={"anna": "human", "gpt-4": "llm"}).missing(found, "f.csv") is None
    nobody = replace(choices, kinds={"anna": "", "gpt-4": ""})
    assert nobody.missing(found, "f.csv") == "Say which of “anna”, “gpt-4” are people."


def test_zeros_and_ones_must_be_said_and_other_words_can_wait(seen):
    rows = "".join(f"p{k},x,y,j,{w}\n" for k, w in enumerate(("0", "1", "x", "perhaps", "tie")))
    found = seen("prompt,model_a,model_b,judge,winner\n" + rows)
    choices = replace(understood(found), kinds={"j": "llm"})
    choices = replace(choices, means={**choices.means, "winner": "winner"})
    listed = {w.written: must_be_said(w.word) for w in words_in(found, choices)}
    assert listed == {"0": True, "1": True, "x": False, "perhaps": False, "tie": False}
    assert choices.missing(found, "f.csv") == "Say what the verdicts mean: “0”, “1”."
    half = replace(choices, words={"0": "a", "perhaps": REJECTED})
    assert half.missing(found, "f.csv") == "Say what the verdict means: “1”."
    whole = replace(half, words={"0": "a", "1": "b", "perhaps": REJECTED})
    assert whole.missing(found, "f.csv") is None
    assert whole.sets() == [("winner.0", "a"), ("winner.1", "b"), ("judge_kind.j", "llm")]


def test_the_words_of_the_command_line(tmp_path):
    means = {
        "Q=1": "prompt", "x": "response_a", "y": "response_b", "--j": JUDGE, "w": "winner", "how_a": FACTOR,
        "how_b": FACTOR, "Age of rater": ABOUT + "annotator", "n": UNUSED,
    }  # fmt: skip
    choices = Choices(" my data ", means=means, kinds={"--j": "human"}, words={"a=b": "tie", "huh": REJECTED})
    path = tmp_path / "f.csv"
    assert choices.arguments(path, "--dry-run") == [
        "import", str(path), "--dataset=my data", "--as=judgments", "--only-mapped", "--map=prompt=Q=1",
        "--map=response_a=x", "--map=response_b=y", "--set=winner.a=b=tie", "--judge-column=--j=human",
        "--attribute=annotator.age_of_rater=Age of rater", "--dry-run",
    ]  # fmt: skip
    assert Choices("x", format="llmfao").arguments(path) == ["import", str(path), "--dataset=x", "--as=llmfao"]


def test_without_a_judge_somebody_has_to_be_named(seen):
    found = seen("prompt,model_a,model_b,winner\np,x,y,a\n")
    nobody = understood(found, kinds={ONE_JUDGE: ""})
    assert nobody.missing(found, "f.csv") == "Still to be said: who judged."
    me = replace(nobody, judge=" me ")
    assert me.missing(found, "f.csv") == "Say whether the judge is a person or a model."
    me = replace(me, kinds={ONE_JUDGE: "human"})
    assert me.missing(found, "f.csv") is None
    assert me.sets() == [("judge", "me"), ("judge_kind", "human")]


def test_what_is_still_missing_is_said(seen):
    found = seen("a,b,c\n1,2,3\n")
    assert Choices("").missing(found, "f.csv") == "Give the dataset a name."
    said = Choices("d", means={"a": "prompt", "b": "prompt", "c": UNUSED}).missing(found, "f.csv")
    assert said == "“a” and “b” cannot both be prompt."
    said = Choices("d", means={"a": "prompt", "b": UNUSED, "c": UNUSED}, judge="me").missing(found, "f.csv")
    assert said == (
        "Still to be said: which column is winner, which is response a and which response b (or model a and model b)."
    )
    half = Choices("d", means={"a": "prompt", "b": "chosen", "c": UNUSED}, judge="me").missing(found, "f.csv")
    assert half == "Still to be said: which column is rejected, as one is chosen."


def test_a_file_that_is_no_table_is_refused(seen):
    with pytest.raises(FileError, match="PDF"):
        seen("%PDF-1.7\n1 0 obj\n")


def test_the_answers_are_there_for_the_next_file_of_the_same_shape(seen, tmp_path):
    found = seen(WIDE)
    choices = understood(found, kinds={"anna": "human", "gpt-4": "llm"}, words={"a>b": "a"})
    store = Store(tmp_path / "s.duckdb")
    with store.writing("test") as con:
        file_shapes.remember(con, str(found.shape), "week 1.csv", choices.kept())
        file_shapes.remember(con, str(found.shape), "week 2.csv", replace(choices, dataset="e").kept())
    later = seen(WIDE.replace("A>B", "B>A").replace("p,", "q,"))
    with store.reading("test") as con:
        last = file_shapes.find(con, str(later.shape))
        assert file_shapes.find(con, str(seen(WIDE.replace("note", "remark")).shape)) is None
    assert last is not None
    assert last.file_name == "week 2.csv"
    assert remembered_means(later, last) == dict(choices.means)
    assert remembered(last, "kinds") == {"anna": "human", "gpt-4": "llm"}
    assert "dataset" not in last.choices
    assert remembered_means(seen("a,b\n1,2\n"), last) is None


def test_a_table_of_factors_asks_only_for_its_dataset(seen, tmp_path):
    found = seen("prompt_id,model,annotator,clarity\nq1,north,ann,7\n")
    assert (found.format, found.of_factors, found.own_format) == ("factors", True, True)
    assert found.inferred[0].startswith("responses are looked up by prompt_id and model;")
    assert Choices("", format=found.format).missing(found, "f.csv") == "Say whose factors they are."
    choices = Choices("eggs", format=found.format)
    assert choices.missing(found, "f.csv") is None
    path = tmp_path / "f.csv"
    assert choices.arguments(path) == ["import", str(path), "--dataset=eggs", "--as=factors"]


def test_a_table_of_factors_with_foreign_keys_is_mapped_key_by_key(seen, tmp_path):
    """Its own names are never taken by resemblance, so the file is not recognised; the page offers a guess."""
    table = seen("question,Response,warmth\nq,r,1\n")
    assert not table.of_factors
    assert may_be_factors(table)
    assert guess_keys(table) == {"prompt": "question", "response": "Response"}
    choices = Choices("d", keys=guess_keys(table), format="factors")
    assert choices.missing(table, "f.csv") is None
    path = tmp_path / "f.csv"
    assert choices.arguments(path) == ["import", str(path), "--dataset=d", "--as=factors", "--map=prompt=question"]
    lone = seen("question,warmth\nq,1\n")
    assert not may_be_factors(lone)
    said = Choices("d", keys=guess_keys(lone), format="factors").missing(lone, "f.csv")
    assert said == "Say which columns name the pair; or the prompt, and the response or its model."


def test_judgments_are_not_offered_as_factors_first(seen):
    assert not may_be_factors(seen("question,answer_1,answer_2,winner\nq,x,y,a\n"))
    assert not may_be_factors(seen("id,response,anna,gpt\np,x,a,tie\np,z,b,b\n"))


def test_who_tested_is_the_judge_and_rows_count_as_the_import_counts_them(seen):
    text = "question;antwort_1;antwort_2;tester;model_a;model_b;pick\n" + "".join(
        f"q{k};x {k} x;y {k} y;{('Anna', 'Ben', 'gpt-4o-judge')[k % 3]};m;n;{'AB'[k % 2]}\n" for k in range(30)
    )
    found = seen(text + "q99;one cell is missing;Anna\n")
    assert understood(found).column("judge") == "tester"
    assert found.rows == 31


def test_columns_of_people_can_be_annotators_of_one_judge(seen):
    raters = seen(WIDE.replace("anna,gpt-4,note", "rater_1,rater_2,gpt-4").replace(",1\n", ",B>A\n").replace(",2\n", ",B>A\n"))
    means = dict(first_means(raters.reading)) | {"rater_1": JUDGE, "rater_2": JUDGE, "gpt-4": JUDGE}
    kinds = {"rater_1": "human", "rater_2": "human", "gpt-4": "llm"}
    chosen = Choices("d", means=means, kinds=kinds)
    assert chosen.people == ["rater_1", "rater_2"]
    assert chosen.may_pool()
    assert ("judge", "people") not in chosen.sets()
    pooled = replace(chosen, pool=True)
    assert ("judge", "people") in pooled.sets()
    assert pooled.missing(raters, "own file.csv") is None
    assert pooled.kept()["pool"] is True
    # One column alone is a judge as it stands, and nobody else may be called people.
    assert not replace(chosen, kinds=kinds | {"rater_2": "llm"}).may_pool()
    assert ("judge", "people") not in replace(pooled, kinds=kinds | {"rater_2": "llm"}).sets()
    assert not replace(chosen, means=means | {"People": JUDGE}).may_pool()
    assert not replace(chosen, means=means | {"who": "annotator"}).may_pool()


@pytest.mark.parametrize(
    ("names", "alike"),
    [
        (["rater_1", "rater_2", "rater_10"], True), (["Annotator A", "Annotator B"], True), (["h1", "h2"], True),
        (["Anna", "Ben"], False), (["Anna", "Anne"], False), (["expert_1", "crowd_1"], False), (["rater_1"], False),
    ],
)  # fmt: skip
def test_names_that_differ_in_a_number_alone_are_proposed_as_one_judge(names, alike):
    assert numbered(names) == alike
