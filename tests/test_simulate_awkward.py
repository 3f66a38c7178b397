"""Is the awkward dataset what its script makes, and as awkward as it is meant to be?"""

import csv
import io
import runpy
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(GOLDEN / "make_awkward.py"))


@pytest.fixture(scope="module")
def text():
    return (GOLDEN / "awkward.csv").read_bytes().decode("utf-8")


@pytest.fixture(scope="module")
def rows(text):
    # The long texts exceed the reader's default field limit, which is global: restored afterwards.
    before = csv.field_size_limit(1_000_000)
    found = list(csv.DictReader(io.StringIO(text, newline="")))
    csv.field_size_limit(before)
    return found


def test_the_committed_file_is_what_the_script_makes(script, text):
    assert script["content"]() == text, "run `python tests/golden/make_awkward.py` and look at the difference"
    assert len(text.encode()) < 1_000_000


def test_its_shape(script, rows):
    judges = script["JUDGES"]
    assert list(rows[0]) == ["pair_id", "prompt", "scenario", "response_a", "response_b", *judges]
    assert "people" in judges
    assert len(judges) == 4
    assert max(map(len, judges)) == 40
    assert len(rows) == len({row["pair_id"] for row in rows}) == 200
    cells = [row[judge] for row in rows for judge in judges]
    assert set(cells) == {"a", "b", "tie", "refused", ""}
    assert cells.count("") == 320
    assert cells.count("refused") >= 10
    assert all(any(row[judge] for judge in judges) for row in rows)


def test_every_row_is_a_pair_of_its_own(rows):
    assert all(row["response_a"] != row["response_b"] for row in rows)
    keys = {(row["prompt"], frozenset((row["response_a"], row["response_b"]))) for row in rows}
    assert len(keys) == 200
    by_scenario = {row["prompt"]: row["scenario"] for row in rows}
    assert all(by_scenario[row["prompt"]] == row["scenario"] for row in rows)
    assert len(by_scenario) < 150


def test_it_is_awkward(rows):
    scenarios = [row["scenario"] for row in rows]
    assert scenarios.count("haiku") == 3
    assert scenarios.count("") == 3
    texts = [row[side] for row in rows for side in ("prompt", "response_a", "response_b")]
    assert sum(len(text.split()) == 5000 for text in texts) == 5
    for sign in "=+-@\t":
        assert any(text.startswith(sign) for text in texts), sign
    for block in (
        "一鿿",
        "ぁヿ",
        "\u0590\u05ff",
        "\u0600\u06ff",
        "\u0900\u097f",
        "\u0370\u03ff",
        "\u0400\u04ff",
        "\u0e00\u0e7f",
    ):
        assert any(block[0] <= letter <= block[1] for text in texts for letter in text), block
    assert any("\n" in text for text in texts)
    assert any("👩\u200d👩" in text for text in texts)
    assert "" in texts
    assert max(len(word) for text in texts for word in text.split()) > 300
