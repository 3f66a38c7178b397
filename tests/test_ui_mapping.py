"""What is a dropped file taken for, and which words of the command line do the boxes mean?"""

import pytest

from data.store import Store
from errors import FileError
from ui.mapping import (
    BY_COLUMN,
    BY_COLUMNS,
    BY_NAME,
    Choices,
    Look,
    guess,
    guess_keys,
    look,
    may_be_factors,
    unclear_winners,
)


@pytest.fixture
def seen(tmp_path):
    def read(text: str, name: str = "own file.csv") -> Look:
        path = tmp_path / name
        path.write_text(text)
        return look(Store(tmp_path / "s.duckdb"), path)

    return read


def test_own_names_are_sure_and_others_are_guesses(seen):
    found = guess(seen("prompt,Model A,generator_2,judge,verdict,extra\np,x,y,people,a,1\n"))
    assert found.way == BY_COLUMN
    assert found.columns == {
        "prompt": "prompt", "model_a": "Model A", "judge": "judge", "model_b": "generator_2", "winner": "verdict",
    }  # fmt: skip
    assert found.sure == {"prompt", "model_a", "judge"}


def test_columns_full_of_verdicts_are_taken_for_judges(seen):
    found = guess(seen("prompt,response_a,response_b,anna,gpt,note\n" + "p,x,y,a,tie,1\np,x,z,b,b,2\n" * 3))
    assert (found.way, found.judge_columns) == (BY_COLUMNS, ("anna", "gpt"))
    assert "winner" not in found.columns


def test_without_a_judge_somebody_has_to_be_named(seen):
    look_ = seen("prompt,model_a,model_b,winner\np,x,y,a\n")
    assert guess(look_).way == BY_NAME
    columns = dict(guess(look_).columns)
    choices = Choices("d", columns, way=BY_NAME)
    assert choices.missing(look_, "f.csv") == "Still to be said: judge."
    choices = Choices("d", columns, way=BY_NAME, judge=" me ", kind="human")
    assert choices.missing(look_, "f.csv") is None
    assert choices.sets() == [("judge", "me"), ("judge_kind", "human")]


def test_zeros_and_ones_and_foreign_words_are_asked_for(seen):
    found = seen("prompt,model_a,model_b,judge,winner\n" + "".join(f"p,x,y,j,{w}\n" for w in ("0", "1", "x", "A>B", "tie")))
    assert unclear_winners(found, ("winner",), ("x", "y")) == ["0", "1", "A>B"]
    plain = seen("prompt,model_a,model_b,judge,winner\np,x,y,j,1\np,x,y,j,2\n")
    assert unclear_winners(plain, ("winner",)) == []


def test_the_words_of_the_command_line(tmp_path):
    choices = Choices(
        " my data ", {"prompt": "Q=1", "winner": "w", "judge": "--j"}, way=BY_COLUMNS, judge_columns={"anna": "human"},
        winner_values={"0": "a"},
    )  # fmt: skip
    path = tmp_path / "f.csv"
    assert choices.arguments(path, "--dry-run") == [
        "import", str(path), "--dataset=my data", "--as=judgments", "--only-mapped", "--map=prompt=Q=1",
        "--set=winner.0=a", "--judge-column=anna=human", "--dry-run",
    ]  # fmt: skip
    assert Choices("x", format="llmfao").arguments(path) == ["import", str(path), "--dataset=x", "--as=llmfao"]


def test_what_is_still_missing_is_said_in_order(seen):
    found = seen("a,b,c\n1,2,3\n")
    assert Choices("").missing(found, "f.csv") == "Give the dataset a name."
    assert Choices("d", way=BY_COLUMNS).missing(found, "f.csv") == "Say which columns hold a judge's verdicts."
    said = Choices("d").missing(found, "f.csv")
    assert said == "Still to be said: prompt, judge, winner, response_a, response_b."
    twice = Choices("d", {"prompt": "a", "winner": "a"}).missing(found, "f.csv")
    assert "mapped twice" in twice


def test_a_file_that_is_no_table_is_refused(seen):
    with pytest.raises(FileError, match="PDF"):
        seen("%PDF-1.7\n1 0 obj\n")


def test_a_table_of_factors_asks_only_for_its_dataset(seen, tmp_path):
    found = seen("prompt_id,model,annotator,clarity\nq1,north,ann,7\n")
    assert (found.format, found.of_factors, found.own_format) == ("factors", True, True)
    assert found.inferred[0] == "responses are looked up by prompt_id and model; values that differ belong to the annotator of their row"
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
    choices = Choices("d", guess_keys(table), format="factors")
    assert choices.missing(table, "f.csv") is None
    path = tmp_path / "f.csv"
    assert choices.arguments(path) == [
        "import", str(path), "--dataset=d", "--as=factors", "--map=prompt=question",
    ]  # fmt: skip
    said = Choices("d", {"prompt": "question"}, format="factors").missing(table, "f.csv")
    assert said is None  # the column Response carries its own name
    lone = seen("question,warmth\nq,1\n")
    assert not may_be_factors(lone)
    said = Choices("d", guess_keys(lone), format="factors").missing(lone, "f.csv")
    assert said == "Say which columns name the pair; or the prompt, and the response or its model."
    assert Choices("", {}, format="factors").missing(lone, "f.csv") == "Say whose factors they are."


def test_judgments_are_not_offered_as_factors_first(seen):
    assert not may_be_factors(seen("question,answer_1,answer_2,winner\nq,x,y,a\n"))
    assert not may_be_factors(seen("id,response,anna,gpt\np,x,a,tie\np,z,b,b\n"))
