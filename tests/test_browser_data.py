"""Do tables of factors join the judgments that are there, and are datasets and imports looked after?"""

import csv
import io

import pytest
from browser_app import LONG, ROOT, cli, drop, press, ready
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

def test_a_table_of_factors_joins_the_judgments_that_are_there(page, app):
    examples = ROOT / "examples"
    cli(app.db, "import", str(examples / "judgments.csv"), "--dataset", "eggs")
    page.goto(app.url + "/data?dataset=eggs")
    ready(page)
    drop(page, "clarity.csv", (examples / "factors_by_annotator.csv").read_bytes())
    expect(page.get_by_text("Recognised as a table of factors for judgments that are there")).to_be_visible(timeout=LONG)
    press(page, "Import 10 rows of factors")
    expect(page.get_by_text("10 rows of factors of clarity.csv are in eggs.")).to_be_visible(timeout=LONG)
    listed = {row["factor"]: row["texts"] for row in cli(app.db, "factors", "list", "--dataset", "eggs")["factors"]}
    assert listed["clarity"] == 6
    page.goto(app.url + "/data?dataset=eggs")
    expect(page.get_by_text("10 of 10 rows of factors taken")).to_be_visible(timeout=LONG)
    page.get_by_role("button", name="Withdraw").last.click()
    press(page, "Withdraw it")
    expect(page.get_by_text("10 rows of factors of clarity.csv withdrawn.")).to_be_visible(timeout=LONG)
    assert "clarity" not in [row["factor"] for row in cli(app.db, "factors", "list", "--dataset", "eggs")["factors"]]


def test_a_table_of_factors_with_other_column_names_and_one_that_matches_nothing(page, app):
    cli(app.db, "import", str(ROOT / "examples" / "judgments.csv"), "--dataset", "milk")
    prompt, answer = cli(app.db, "examples", "--dataset", "milk")["examples"][0], "response_a"
    page.goto(app.url + "/data?dataset=milk")
    ready(page)
    table = io.StringIO()
    csv.writer(table).writerows([["question", "answer", "warmth"], [prompt["prompt"], prompt[answer], 3]])
    drop(page, "warmth.csv", table.getvalue().encode())
    expect(page.get_by_text("Factors of which dataset?")).to_be_visible(timeout=LONG)
    press(page, "Import 1 row of factors")
    expect(page.get_by_text("1 row of factors of warmth.csv is in milk.")).to_be_visible(timeout=LONG)

    drop(page, "lost.csv", b"pair_id,tone_a,tone_b\nnobody,1,2\n")
    expect(page.get_by_text("No row names anything that is in the dataset", exact=False)).to_be_visible(timeout=LONG)
    assert page.get_by_role("button", name="Import ").count() == 0


def test_an_import_can_be_withdrawn_a_dataset_renamed_and_deleted(page, app, tmp_path):
    source = tmp_path / "own.csv"
    header = "prompt,model_a,model_b,judge,winner\n"
    source.write_text(header + "".join(f"p{k},x,y,people,{'ab'[k % 2]}\n" for k in range(12)))
    cli(app.db, "import", str(source), "--dataset", "mine")
    more = tmp_path / "more.csv"
    more.write_text(header + "".join(f"n{k},x,y,people,a\n" for k in range(5)))
    before = cli(app.db, "rank", "--dataset", "mine")
    cli(app.db, "import", str(more), "--dataset", "mine")
    page.goto(app.url + "/data?dataset=mine")
    ready(page)
    page.locator(".st-key-import-2").get_by_role("button", name="Withdraw").click()
    press(page, "Withdraw it")
    expect(page.get_by_text("5 judgments of more.csv withdrawn.")).to_be_visible(timeout=LONG)
    assert cli(app.db, "rank", "--dataset", "mine") == before
    press(page, "Rename")
    page.get_by_label("New name").fill("ours")
    page.keyboard.press("Tab")
    press(page, "Rename it")
    expect(page.get_by_text("mine is now called ours.")).to_be_visible(timeout=LONG)
    assert "dataset=ours" in page.url
    press(page, "Delete")
    expect(page.get_by_text("loses 12 judgments on 12 pairs from 1 import")).to_be_visible(timeout=LONG)
    press(page, "Delete for good")
    expect(page.get_by_text("ours was deleted with 12 judgments.")).to_be_visible(timeout=LONG)
    assert "ours" not in [d["dataset"] for d in cli(app.db, "datasets")["datasets"]]
